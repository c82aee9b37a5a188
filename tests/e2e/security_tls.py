#!/usr/bin/env python3
"""Nothing is said to a server whose certificate does not hold, and nothing makes it hold but an
authority that vouches for that server.  Plain text stays on this machine."""
import concurrent.futures
import os
import ssl
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from scene import Scene, main
from tls import Authority, TlsWire

SOURCE = "SOURCE_AZURE_CONNECTION_STRING"


class Certificates:
    def __init__(self, folder):
        self.authority, other = Authority(folder), Authority(folder, "other")
        self.other = other.file
        vouch = self.authority.vouch
        self.good = vouch("good", "IP:127.0.0.1,DNS:localhost")
        parent = vouch("parent")
        self.bad = {
            "expired": vouch("expired", end="20210101000000Z"),
            "not yet": vouch("later", begin="20980101000000Z"),
            "another host": vouch("elsewhere", "IP:127.0.0.2,DNS:example.org"),
            "a name that begins alike": vouch("alike", "DNS:127.0.0.1.example.org"),
            "only a common name": vouch("127.0.0.1", "DNS:example.org"),
            "for clients": vouch("client", extra="extendedKeyUsage=clientAuth"),
            "another authority": other.vouch("stranger"),
            "of itself": (other.file, other.path("other", "key")),
            "of no authority": self.chain(folder, parent),
        }

    def chain(self, folder, parent):
        """One that a host vouched for, which itself is no authority."""
        false = Authority.__new__(Authority)
        false.folder, false.name, false.file = folder, "false", parent[0]
        os.link(parent[1], false.path("false", "key"))
        made, key = false.vouch("child")
        with open(made, "a") as file, open(parent[0]) as above:
            file.write(above.read())
        return made, key


def through(scene, certificate, authority, timeout=60, **options):
    """What is said of a store behind such a certificate, and what the store heard."""
    host, port = scene.source.host.split(":")
    with TlsWire(host, port, certificate, **options) as wire:
        secure = os.environ[SOURCE].replace(f"http://{host}:{port}/", f"https://{host}:{wire.port}/")
        assert secure != os.environ[SOURCE]
        more = {} if authority is None else {"FROSTLINE_CA_FILE": authority}
        run = scene.run("validate", "--online", "-v", "-v", timeout=timeout, **{SOURCE: secure},
                        **more)
        return run, b"".join(wire.heard)


def case_a_store_is_trusted_if_an_authority_vouches_for_it():
    with tempfile.TemporaryDirectory() as folder, Scene("tlsstore") as scene:
        made = Certificates(folder)
        scene.policy()
        run, heard = through(scene, made.good, made.authority.file)
        assert run.must() and b"Authorization: SharedKey" in heard, (run.err, heard)
        cases = {name: (certificate, made.authority.file) for name, certificate in made.bad.items()}
        cases["without the file"] = made.good, None
        cases["with another file"] = made.good, made.other
        cases["with a file that is not there"] = made.good, os.path.join(folder, "no-such-file")
        cases["with an empty file"] = made.good, os.devnull
        cases["with an empty name"] = made.good, ""
        for name, (certificate, authority) in cases.items():
            run, heard = through(scene, certificate, authority)
            assert run.code == 77 and heard == b"", (name, run.code, run.err, heard)
            assert "certificate" in run.err or "CA" in run.err, (name, run.err)


def case_old_protocols_are_not_spoken():
    with tempfile.TemporaryDirectory() as folder, Scene("tlsold") as scene:
        made = Certificates(folder)
        scene.policy()
        run, heard = through(scene, made.good, made.authority.file, newest=ssl.TLSVersion.TLSv1_2)
        assert run.must() and heard, run.err
        try:
            run, heard = through(scene, made.good, made.authority.file, timeout=3,
                                 newest=ssl.TLSVersion.TLSv1_1)
            assert run.code == 75 and heard == b"", (run.err, heard)
        except subprocess.TimeoutExpired:
            pass  # it tries again and again


def case_the_catalog_is_verified_as_the_policy_says():
    with tempfile.TemporaryDirectory() as folder, Scene("tlscat") as scene:
        made = Certificates(folder)

        def connect(name, certificate, authority, postgres=True):
            path = scene.policy(name=name.replace(" ", "-") + ".yaml")
            with open(path) as file:
                text = file.read()
            with open(path, "w") as file:
                file.write(text.replace("    password:", "    sslmode: verify-full\n    sslrootcert: "
                                        f"{authority}\n    password:"))
            with TlsWire(os.environ["DB_HOST"], os.environ["DB_PORT"], certificate,
                         postgres=True) as wire:
                port = wire.port if postgres else os.environ["DB_PORT"]
                return scene.run("plan", path, DB_PORT=port), b"".join(wire.heard)

        run, heard = connect("good", made.good, made.authority.file)
        assert run.must() and b"frostline" in heard, (run.err, heard)
        names = ("expired", "another host", "another authority", "of itself", "of no authority")
        cases = [(name, made.bad[name], made.authority.file) for name in names] + [
            ("another file", made.good, made.other),
            ("no file", made.good, os.path.join(folder, "no-such-file")),
            ("no TLS", made.good, made.authority.file, False)]
        with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
            for case, (run, heard) in zip(cases, pool.map(lambda case: connect(*case), cases)):
                assert run.code != 0 and heard == b"", (case, run.code, run.err, heard)
                reason = "does not support SSL" if case[0] == "no TLS" else "certificate"
                assert reason in run.err, (case, run.err)


def case_nothing_turns_it_off():
    with Scene("tlsoff") as scene:
        scene.policy()
        for words in ("--insecure", "-k", "--no-verify", "--no-check-certificate", "--tls-skip-verify"):
            scene.run("plan", words).must(64)
        with tempfile.TemporaryDirectory() as folder:
            made = Certificates(folder)
            off = {"CURL_INSECURE": "1", "SSL_NO_VERIFY": "1", "PYTHONHTTPSVERIFY": "0",
                   "NODE_TLS_REJECT_UNAUTHORIZED": "0", "GIT_SSL_NO_VERIFY": "1", "HOME": folder,
                   "CURL_CA_BUNDLE": made.authority.file}
            with open(os.path.join(folder, ".curlrc"), "w") as file:
                file.write("insecure\n")
            os.environ.update(off)
            run, heard = through(scene, made.good, None)
            assert run.code == 77 and heard == b"", (run.err, heard)


if __name__ == "__main__":
    main(globals())
