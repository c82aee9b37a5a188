"""Who must not be told anything, and who may not be believed: a host that nobody meant, an account
that answers as it likes, and a wire that remembers what was said on it."""
import http.client
import http.server
import os
import socket
import threading

from between import Wire
from blobs import Account
from scene import Scene

SOURCE, TARGET = "SOURCE_AZURE_CONNECTION_STRING", "COLD_STORAGE_CONNECTION_STRING"


class Stranger:
    """A host that remembers whoever came, and the first bytes that were said, and hangs up."""

    def __init__(self, address="127.0.0.1"):
        self.listener = socket.create_server((address, 0))
        self.port = self.listener.getsockname()[1]
        self.host = f"{address}:{self.port}"
        self.heard = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        try:
            while True:
                visitor = self.listener.accept()[0]
                visitor.settimeout(5)
                with visitor:
                    try:
                        self.heard.append(visitor.recv(1 << 16))
                    except OSError as error:
                        self.heard.append(str(error).encode())
        except OSError:  # it was closed
            pass

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


class Puppet(http.server.ThreadingHTTPServer):
    """A server of its own mind before the real one of some accounts.  answer(request) may give
    (status, headers, body); None: the real one answers.  seen: (method, path, headers, body)."""

    daemon_threads = True

    def __init__(self, real):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer, self.seen, self.real = lambda request: None, [], real
        self.host = f"127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *error):
        self.shutdown()
        super().__exit__(*error)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def handle_any(self):
        server = self.server
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        server.seen.append((self.command, self.path, str(self.headers), self.body))
        status, headers, body = server.answer(self) or self.ask_the_real_one()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if "content-length" not in [name.lower() for name, value in headers]:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = handle_any

    def ask_the_real_one(self):
        connection = http.client.HTTPConnection(self.server.real, timeout=60)
        headers = {name: value for name, value in self.headers.items()
                   if name.lower() != "connection"}
        connection.request(self.command, self.path, self.body, headers)
        reply = connection.getresponse()
        body = reply.read()
        kept = [(name, value) for name, value in reply.getheaders()
                if name.lower() not in ("connection", "keep-alive", "transfer-encoding", "date")
                and (self.command == "HEAD" or name.lower() != "content-length")]
        connection.close()
        return reply.status, kept, body

    def log_message(self, *words):
        pass


class Guarded(Scene):
    """A scene whose accounts are a puppet's."""

    def __init__(self, name, puppet=Puppet):
        real = Account(os.environ[SOURCE]).host
        self.puppet = puppet(real)
        self.accounts = {name: os.environ[name].replace(real, self.puppet.host)
                         for name in (SOURCE, TARGET)}
        super().__init__(name)
        for account in (self.source, self.target):
            account.endpoint = account.endpoint.replace(real, self.puppet.host)

    def environment(self, **more):
        return super().environment(**self.accounts, **more)

    def close(self):
        super().close()
        self.puppet.__exit__()


class Recorder(Wire):
    """A wire that keeps what its clients said."""

    def __init__(self, host, port):
        self.said = b""
        super().__init__(host, port, limit=1 << 40)

    def pump(self, source, target, left):
        super().pump(Listening(source, self) if left is None else source, target, left)


class Listening:
    def __init__(self, end, recorder):
        self.end, self.recorder = end, recorder

    def recv(self, size):
        data = self.end.recv(size)
        self.recorder.said += data
        return data

    def shutdown(self, how):
        self.end.shutdown(how)
