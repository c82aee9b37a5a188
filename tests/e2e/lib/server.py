"""PostgreSQL servers of a test's own, and standbys of them."""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from scene import sql

PG = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "servers", "pg.sh")


class Server:
    """A server in a folder; `env` is how to reach it."""

    def __init__(self, folder, verb="start", *words):
        self.folder = folder
        self.call(verb, *words)

    def call(self, verb, *words):
        subprocess.run([PG, verb, self.folder, *words], check=True, capture_output=True, timeout=120)
        with open(os.path.join(self.folder, "env")) as file:
            self.env = dict(re.findall(r"(DB_\w+)=(\S+)", file.read()))

    def stop(self):
        self.call("stop")

    def start(self, port):
        self.call("start", port)

    def crash(self):
        """As if the machine had: no process of it is left, nothing was written in the end."""
        with open(os.path.join(self.folder, "data", "postmaster.pid")) as file:
            pid = int(file.readline())
        os.kill(pid, signal.SIGQUIT)
        while os.path.exists(os.path.join(self.folder, "data", "postmaster.pid")):
            time.sleep(0.02)

    def sql(self, text):
        """By the superuser, whom only the socket lets in."""
        return sql(text, server=dict(self.env, DB_HOST=os.path.join(self.folder, "socket"),
                                     DB_USER="postgres"))


@contextlib.contextmanager
def servers(*names):
    """The first is a server, the others are standbys of it."""
    folder = tempfile.mkdtemp(prefix="frostline-e2e.")
    os.chmod(folder, 0o755)
    made = []
    try:
        for name in names:
            path = os.path.join(folder, name)
            made.append(Server(path, "clone", made[0].folder) if made else Server(path))
        yield made[0] if len(made) == 1 else made
    finally:
        for name in names:
            subprocess.run([PG, "stop", os.path.join(folder, name)], check=False)
        shutil.rmtree(folder)
