"""A private authority, and a wire that speaks TLS on the near side and plain text on the far one."""
import os
import socket
import ssl
import subprocess
import threading

from between import Wire

SSL_REQUEST = bytes.fromhex("0000000804d2162f")  # PostgreSQL, "Message Formats": SSLRequest


class Authority:
    """Makes certificates in a folder, with openssl."""

    def __init__(self, folder, name="authority"):
        self.folder, self.name = folder, name
        self.file = self.path(name, "crt")
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                     "-subj", f"/CN={name}", "-days", "1", "-keyout", self.path(name, "key"), "-out",
                     self.file, "-addext", "basicConstraints=critical,CA:TRUE")

    def path(self, name, kind):
        return os.path.join(self.folder, f"{name}.{kind}")

    def openssl(self, *words):
        subprocess.run(["openssl", *words], check=True, capture_output=True)

    def vouch(self, name, alternative="IP:127.0.0.1", begin="20200101000000Z", end="20990101000000Z",
              extra="basicConstraints=CA:FALSE"):
        """A certificate for a host, and its key: paths."""
        key, request, made = (self.path(f"{self.name}-{name}", kind) for kind in ("key", "csr", "crt"))
        base = self.path(f"{self.name}-{name}", "base")
        with open(self.path(name, "ext"), "w") as file:
            file.write(f"subjectAltName={alternative}\n{extra}\n")
        with open(base, "w") as file:
            file.write(f"[ca]\ndefault_ca=d\n[d]\ndatabase={base}.db\nnew_certs_dir={self.folder}\n"
                       "default_md=sha256\npolicy=p\nrand_serial=yes\nunique_subject=no\n[p]\n"
                       "commonName=supplied\n")
        open(f"{base}.db", "w").close()
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                     f"/CN={name}", "-keyout", key, "-out", request)
        self.openssl("ca", "-batch", "-config", base, "-in", request, "-out", made, "-cert", self.file,
                     "-keyfile", self.path(self.name, "key"), "-startdate", begin, "-enddate", end,
                     "-extfile", self.path(name, "ext"), "-notext")
        return made, key


class TlsWire(Wire):
    """heard: what was said to it under TLS, in pieces.  postgres: TLS begins when a client asks."""

    def __init__(self, host, port, certificate, postgres=False, newest=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*certificate)
        if newest:
            self.context.set_ciphers("DEFAULT:@SECLEVEL=0")
            self.context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
            self.context.maximum_version = newest
        self.postgres, self.heard = postgres, []
        super().__init__(host, port, limit=1 << 40)

    def accept(self):
        try:
            while True:
                near = self.listener.accept()[0]
                threading.Thread(target=self.join, args=(near,), daemon=True).start()
        except OSError:  # it was closed
            pass

    def join(self, near):
        try:
            if self.postgres:
                if near.recv(len(SSL_REQUEST)) != SSL_REQUEST:
                    self.heard.append(b"plain text")
                    return near.close()
                near.sendall(b"S")
            near = self.context.wrap_socket(near, server_side=True)
            far = socket.create_connection(self.to)
        except OSError:
            return near.close()
        threading.Thread(target=self.pump, args=(far, near, self.limit), daemon=True).start()
        self.pump(Heard(near, self.heard), far, None)


class Heard:
    def __init__(self, end, heard):
        self.end, self.heard = end, heard

    def recv(self, size):
        data = self.end.recv(size)
        if data:
            self.heard.append(data)
        return data

    def shutdown(self, how):
        self.end.shutdown(how)
