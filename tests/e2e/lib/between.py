"""What a test puts between frostline and a server: a wire that is cut, a listing in small pages."""
import http.server
import re
import socket
import threading
import urllib.parse

from blobs import Account


class Wire:
    """Passes bytes on to host:port.  As soon as so many came back on one connection, it calls cut();
    what it had passed on is then all that its client gets."""

    def __init__(self, host, port, limit, cut=lambda: None):
        self.to, self.limit, self.cut, self.cuts = (host, int(port)), limit, cut, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = str(self.listener.getsockname()[1])
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        try:
            while True:
                near = self.listener.accept()[0]
                far = socket.create_connection(self.to)
                threading.Thread(target=self.pump, args=(near, far, None), daemon=True).start()
                threading.Thread(target=self.pump, args=(far, near, self.limit), daemon=True).start()
        except OSError:  # it was closed
            pass

    def pump(self, source, target, left):
        try:
            while data := source.recv(1 << 16):
                if left is not None:
                    left -= len(data)
                    if left < 0:
                        self.cuts += 1
                        self.cut()
                        break
                target.sendall(data)
        except OSError:
            pass
        finally:
            for end in (source, target):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Pages(http.server.ThreadingHTTPServer):
    """An account that is listed in pages of at most so many blobs.  From its third page on a listing
    fails that would tell of a blob below `broken`."""

    daemon_threads = True

    def __init__(self, connection_string):
        super().__init__(("127.0.0.1", 0), PagesHandler)
        self.connection_string, self.size, self.broken = connection_string, 5000, None
        self.pages = {}  # (prefix, marker) -> which page it leads to
        endpoint = Account(connection_string).endpoint
        self.relayed = connection_string.replace(
            endpoint, re.sub(r":\d+/", f":{self.server_address[1]}/", endpoint))
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *error):
        self.shutdown()
        super().__exit__(*error)


class PagesHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path, _, text = self.path.partition("?")
        server, query = self.server, dict(urllib.parse.parse_qsl(text))
        account = Account(server.connection_string)
        container = urllib.parse.unquote(path).removeprefix(f"/{account.name}/")
        number = server.pages.get((query.get("prefix"), query.get("marker")), 1)
        query["maxresults"] = str(min(server.size, int(query["maxresults"])))
        asked = urllib.parse.urlencode(query, quote_via=urllib.parse.quote)
        status, body = account.call("GET", container, asked)
        marker = re.search("<NextMarker>(.+)</NextMarker>", body.decode())
        if marker:
            server.pages[query.get("prefix"), marker.group(1)] = number + 1
        if number >= 3 and server.broken and f"<Name>{server.broken}" in body.decode():
            status, body = 403, b"<Error><Code>AuthorizationFailure</Code></Error>"
        self.send_response(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        if status == 403:
            self.send_header("x-ms-error-code", "AuthorizationFailure")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass
