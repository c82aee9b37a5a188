"""An Azure Blob client on the standard library, SharedKey signing and all.  It shares no code with
frostline, so it can judge what frostline did."""
import base64
import datetime
import hashlib
import hmac
import http.client
import re
import urllib.parse
import xml.etree.ElementTree as ET


class Account:
    """One account behind a path-style endpoint (http://127.0.0.1:10000/account)."""

    def __init__(self, connection_string):
        parts = dict(p.split("=", 1) for p in connection_string.split(";") if p)
        self.name = parts["AccountName"]
        self.key = base64.b64decode(parts["AccountKey"])
        self.endpoint = parts["BlobEndpoint"].rstrip("/")
        self.host = urllib.parse.urlparse(self.endpoint).netloc
        self.conn = None

    def _sign(self, method, target, headers, length):
        path, _, query = target.partition("?")
        low = {k.lower(): v for k, v in headers.items()}
        standard = ["content-encoding", "content-language", None, "content-md5", "content-type",
                    "date", "if-modified-since", "if-match", "if-none-match",
                    "if-unmodified-since", "range"]
        lines = [method]
        lines += [(str(length) if length else "") if h is None else low.get(h, "") for h in standard]
        lines += [f"{k}:{low[k]}" for k in sorted(low) if k.startswith("x-ms-")]
        resource = "/" + self.name + path
        params = {}
        for k, v in urllib.parse.parse_qsl(query, keep_blank_values=True):
            params.setdefault(k.lower(), []).append(v)
        for k in sorted(params):
            resource += f"\n{k}:{','.join(sorted(params[k]))}"
        text = "\n".join(lines) + "\n" + resource
        mac = hmac.new(self.key, text.encode(), hashlib.sha256).digest()
        return f"SharedKey {self.name}:{base64.b64encode(mac).decode()}"

    def call(self, method, path, query="", headers=None, body=b""):
        headers = dict(headers or {})
        headers["x-ms-version"] = "2021-12-02"
        now = datetime.datetime.now(datetime.timezone.utc)
        headers["x-ms-date"] = now.strftime("%a, %d %b %Y %H:%M:%S GMT")
        target = f"/{self.name}/{urllib.parse.quote(path)}" + ("?" + query if query else "")
        headers["Authorization"] = self._sign(method, target, headers, len(body))
        headers["Content-Length"] = str(len(body))
        for attempt in (0, 1):
            try:
                if self.conn is None:
                    self.conn = http.client.HTTPConnection(self.host, timeout=180)
                self.conn.request(method, target, body, headers)
                reply = self.conn.getresponse()
                return reply.status, reply.read()
            except (http.client.HTTPException, OSError):
                self.conn = None
                if attempt:
                    raise

    def sas(self, rights="rwdlac"):
        """An account SAS, for everything unless told, an hour long."""
        now = datetime.datetime.now(datetime.timezone.utc)
        begin, end = ((now + datetime.timedelta(minutes=m)).strftime("%Y-%m-%dT%H:%M:%SZ")
                      for m in (-5, 60))
        text = "\n".join([self.name, rights, "b", "sco", begin, end, "", "", "2021-12-02", "", ""])
        mac = hmac.new(self.key, text.encode(), hashlib.sha256).digest()
        return urllib.parse.urlencode(
            {"sv": "2021-12-02", "ss": "b", "srt": "sco", "st": begin, "se": end, "sp": rights,
             "sig": base64.b64encode(mac).decode()})

    def _must(self, want, method, path, *args, **kwargs):
        status, body = self.call(method, path, *args, **kwargs)
        if status not in want:
            raise RuntimeError(f"{method} {path}: {status} {body[:300]!r}")
        return body

    def make_container(self, container):
        self._must((201, 409), "PUT", container, "restype=container")

    def drop_container(self, container):
        self._must((202, 404), "DELETE", container, "restype=container")

    def put(self, container, key, body):
        self._must((201,), "PUT", f"{container}/{key}", body=body,
                   headers={"x-ms-blob-type": "BlockBlob",
                            "content-type": "application/octet-stream"})

    def get(self, container, key):
        return self._must((200,), "GET", f"{container}/{key}")

    def delete(self, container, key):
        self._must((202,), "DELETE", f"{container}/{key}")

    def names(self, container, prefix=""):
        return [blob.findtext("Name") for blob in self._blobs(container, prefix)]

    def tiers(self, container, prefix=""):
        return {blob.findtext("Name"): blob.findtext("Properties/AccessTier")
                for blob in self._blobs(container, prefix)}

    def set_tier(self, container, key, tier):
        self._must((200, 202), "PUT", f"{container}/{key}", "comp=tier",
                   headers={"x-ms-access-tier": tier})

    def _blobs(self, container, prefix):
        found, marker = [], ""
        while True:
            query = f"restype=container&comp=list&maxresults=5000&prefix={urllib.parse.quote(prefix)}"
            if marker:
                query += "&marker=" + urllib.parse.quote(marker)
            page = ET.fromstring(self._must((200,), "GET", container, query))
            found += page.iter("Blob")
            marker = page.findtext("NextMarker") or ""
            if not marker:
                return found

    def url(self, container, key):
        return f"{self.endpoint}/{container}/{key}"


def changes(log_path, since=0):
    """Requests in Azurite's log that change something, from a byte offset on; and the new offset."""
    with open(log_path, errors="replace") as log:
        log.seek(since)
        text = log.read()
        end = log.tell()
    verbs = re.findall(r'"(PUT|DELETE|POST) /', text)
    return len(verbs), end
