"""An account that copies as Azure does where nothing better is to be had: by itself, in its own
time."""
import http.client
import os
import threading
import time
import urllib.parse
import xml.etree.ElementTree as ET

from blobs import Account
from stranger import SOURCE, TARGET, Puppet


class Slow(Puppet):
    """Knows no Put Blob From URL, no Copy Blob From URL and no Put Block From URL.  fate(key, number)
    tells of the number-th Copy Blob to a key: for how many seconds it is pending, and how it ends.
    The first `busy` of them are answered with 503."""

    def __init__(self, real):
        super().__init__(real)
        self.answer = self.decide
        self.fate = lambda key, number: (1, "success")
        self.busy, self.begun, self.aborted, self.copies = 0, [], [], {}
        self.mutex = threading.RLock()

    def account(self, path):
        for name in (SOURCE, TARGET):
            account = Account(os.environ[name])
            if path.startswith(f"/{account.name}/"):
                return account, urllib.parse.unquote(path[len(account.name) + 2:])
        raise AssertionError(path)

    def decide(self, request):
        path, _, query = request.path.partition("?")
        query = dict(urllib.parse.parse_qsl(query))
        with self.mutex:
            self.settle()
            if request.command == "PUT" and "x-ms-copy-source" in request.headers:
                return self.copy(request, path, query)
            if request.command == "PUT" and query.get("comp") == "copy":
                return self.abort(request, path, query)
            if request.command == "DELETE" and self.is_pending(path):
                return refusal(409, "PendingCopyOperation")
            if request.command == "GET" and "copy" in query.get("include", ""):
                return self.list(request, path)
        return None

    def is_pending(self, path):
        return self.copies.get(path, {}).get("CopyStatus") == "pending"

    def copy(self, request, path, query):
        """Copy Blob, which begins with an empty blob."""
        headers = request.headers
        if "comp" in query or "x-ms-blob-type" in headers or "x-ms-requires-sync" in headers:
            return refusal(501, "NotImplemented")
        if self.busy > 0:
            self.busy -= 1
            return refusal(503, "ServerBusy", ("Retry-After", "1"))
        assert headers["If-None-Match"] == "*" and headers["x-ms-source-if-match"], headers
        account, name = self.account(path)
        status, _ = account.call("PUT", name, headers={"x-ms-blob-type": "BlockBlob",
                                                       "if-none-match": "*"})
        if status != 201:
            return refusal(409, "BlobAlreadyExists")
        number = len([key for key in self.begun if key == name])
        self.begun.append(name)
        seconds, end = self.fate(name, number)
        copy = {"CopyId": f"copy-{len(self.begun)}-of-many", "CopyStatus": "pending",
                "CopySource": headers["x-ms-copy-source"], "end": end,
                "due": time.monotonic() + seconds}
        self.copies[path] = copy
        return 202, [("ETag", self.etag(account, name)), ("x-ms-copy-id", copy["CopyId"]),
                     ("x-ms-copy-status", "pending")], b""

    @staticmethod
    def etag(account, name):
        container, _, key = name.partition("/")
        blob, = [blob for blob in account._blobs(container, key) if blob.findtext("Name") == key]
        etag = blob.findtext("Properties/Etag")
        return etag if etag.startswith('"') else f'"{etag}"'

    def settle(self):
        """What is over by now."""
        for path, copy in self.copies.items():
            if not self.is_pending(path) or time.monotonic() < copy["due"]:
                continue
            if copy["end"] == "failed":
                copy["CopyStatusDescription"] = \
                    '403 AuthenticationFailed "Copy failed when reading the source."'
            self.end(path, copy["end"],
                     b"" if copy["end"] == "failed" else self.read(copy["CopySource"]))

    def end(self, path, how, body):
        """With an etag that the blob did not have while it was pending."""
        account, name = self.account(path)
        account.put(*name.split("/", 1), body)
        self.copies[path]["CopyStatus"] = how

    def read(self, url):
        """By the SAS that it was begun with."""
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(self.real, timeout=60)
        connection.request("GET", f"{parts.path}?{parts.query}")
        reply = connection.getresponse()
        body = reply.read()
        connection.close()
        assert reply.status == 200, (reply.status, body)
        return body

    def abort(self, request, path, query):
        assert request.headers["x-ms-copy-action"] == "abort", request.headers
        copy = self.copies.get(path, {})
        if copy.get("CopyId") != query["copyid"]:
            return refusal(409, "CopyIdMismatch")
        if not self.is_pending(path):
            return refusal(409, "NoPendingCopyOperation")
        self.end(path, "aborted", b"")
        self.aborted.append(path)
        return 204, [], b""

    def list(self, request, path):
        """With what the service tells of copies; a signature in the source is left where it was."""
        status, headers, body = request.ask_the_real_one()
        if status != 200:
            return status, headers, body
        page = ET.fromstring(body)
        for blob in page.iter("Blob"):
            copy = self.copies.get(f"{path}/{urllib.parse.quote(blob.findtext('Name'))}", {})
            for name in copy:
                if name.startswith("Copy"):
                    ET.SubElement(blob.find("Properties"), name).text = copy[name]
        return status, headers, ET.tostring(page, encoding="utf-8", xml_declaration=True)


def refusal(status, code, *headers):
    return status, [("x-ms-error-code", code), *headers], b""
