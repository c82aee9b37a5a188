"""What a test puts between frostline and a server: a wire that is cut, one that knows PostgreSQL's
messages, a listing in small pages."""
import http.server
import re
import socket
import struct
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


class Talk:
    """Passes PostgreSQL's messages on to host:port.  What a client sends until it waits for an answer
    is an ask; they are counted over all connections.  The ask with the number `at`, or the first with
    `word` in it, has another fate, once:

    lost    the server never hears it, and the line is cut
    unheard the server answers, and the line is cut before any of it arrives
    half    the line is cut when half of the answer has arrived
    late    the line is cut, and the server hears the ask when `late_s` seconds are over
    passed  nothing happens to it

    Just before, act(the server's end of the line) is called.  Connections are not encrypted."""

    # The authentication requests that a client answers: PostgreSQL 15, chapter 55.7.
    ASKING = (3, 5, 10, 11)

    def __init__(self, server, fate="passed", at=0, word=None, late_s=0, act=lambda far: None):
        self.to = (server["DB_HOST"], int(server["DB_PORT"]))
        self.fate, self.at, self.word, self.late_s, self.act = fate, at, word, late_s, act
        self.asks, self.met, self.mutex, self.failures = [], 0, threading.Lock(), []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = str(self.listener.getsockname()[1])
        self.server = dict(server, DB_PORT=self.port)
        self.threads = [threading.Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    def accept(self):
        try:
            while True:
                near = self.listener.accept()[0]
                thread = threading.Thread(target=self.serve, args=(near,), daemon=True)
                self.threads.append(thread)
                thread.start()
        except OSError:  # it was closed
            pass

    def serve(self, near):
        try:
            with near, socket.create_connection(self.to) as far:
                for end in (near, far):  # or each message waits for the one before to be confirmed
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                ask = self.take(near, typed=False)
                while ask and self.pass_on(near, far, ask):
                    ask = b""
                    while not ask or kind not in b"SQpX":
                        message = self.take(near)
                        kind = message[:1]
                        ask += message
                    if kind == b"X":
                        return
        except OSError:
            pass
        except Exception as failure:  # of act: the test's
            self.failures.append(failure)

    def take(self, end, typed=True):
        """A message; all but the first of a connection begin with their type."""
        head = self.exactly(end, 5 if typed else 4)
        return head + self.exactly(end, struct.unpack("!i", head[-4:])[0] - 4)

    @staticmethod
    def exactly(end, size):
        data = b""
        while len(data) < size:
            more = end.recv(size - len(data))
            if not more:
                raise OSError("the other end hung up")
            data += more
        return data

    def is_met(self, ask):
        with self.mutex:
            self.asks.append(ask)
            met = self.met == 0 and (len(self.asks) == self.at or
                                     (self.word is not None and self.word in ask))
            self.met += met
        return met

    def pass_on(self, near, far, ask):
        """False: the line is cut."""
        fate = self.fate if self.is_met(ask) else None
        if fate:
            self.act(far)
        if fate == "lost":
            return False
        if fate == "late":
            near.close()
            threading.Event().wait(self.late_s)
        far.sendall(ask)
        if fate not in ("unheard", "half", "late"):
            for message in self.answer(far):
                near.sendall(message)
            return True
        answer = b"".join(self.answer(far))
        if fate == "half":
            near.sendall(answer[:len(answer) // 2])
        return False

    def answer(self, far):
        """Its messages, up to where the server waits; a server that hangs up has said what it had
        to."""
        while True:
            message = self.take(far)
            yield message
            kind = message[:1]
            if kind == b"Z" or (kind == b"R" and
                                struct.unpack("!i", message[5:9])[0] in self.ASKING):
                return

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(60)
        if self.failures and kind is None:
            raise self.failures[0]


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
