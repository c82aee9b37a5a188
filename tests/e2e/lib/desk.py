"""A desk: a database and two containers as the script knows them, and a person at a terminal who has
its environment variables."""
import hashlib
import os
import shutil
import subprocess
import tempfile

from blobs import Account
from scene import Run, sql
from terminal import Terminal

TABLE = """CREATE TABLE ecal (ecal_id VARCHAR PRIMARY KEY, ecal_name TEXT,
    recording_start_time TIMESTAMP, map TEXT, size_gb DECIMAL, length INTEGER, is_valid BOOLEAN);
CREATE INDEX ON ecal (ecal_name COLLATE "C");"""


class Desk:
    number = 0

    def __init__(self, hot=None):
        Desk.number += 1
        self.name = f"desk{os.getpid()}n{Desk.number}"
        self.server = dict(os.environ, DB_NAME=self.name)
        sql(f"CREATE DATABASE {self.name};")
        sql(TABLE, server=self.server)
        self.source = Account(os.environ["SOURCE_AZURE_CONNECTION_STRING"])
        self.target = Account(os.environ["COLD_STORAGE_CONNECTION_STRING"])
        self.hot, self.cold = hot or f"hot-{self.name}", f"cold-{self.name}"
        self.source.make_container(self.hot)
        self.target.make_container(self.cold)
        self.folder = tempfile.mkdtemp(prefix="frostline-e2e.")
        self.objects, self.keys = {}, {}

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        sql(f"DROP DATABASE {self.name} WITH (FORCE);")
        self.source.drop_container(self.hot)
        self.target.drop_container(self.cold)
        shutil.rmtree(self.folder, ignore_errors=True)

    def add(self, ident, directory, day, size_gb="2.45", name=None):
        key = f"{directory}{name or ident}.ecalmeas"
        for each in (key, f"{directory}camera front.h264", f"{directory}can.asc"):
            body = hashlib.sha256(each.encode()).digest() * 20
            self.source.put(self.hot, each, body)
            self.objects[each] = body
        self.keys[ident] = key
        self.add_row(ident, self.source.url(self.hot, key), day, size_gb)

    def add_row(self, ident, location, day, size_gb="2.45"):
        location, ident = location.replace("'", "''"), ident.replace("'", "''")
        sql(f"INSERT INTO ecal VALUES ('{ident}', '{location}', '{day}', 'map_1', {size_gb}, 600, true);",
            server=self.server)

    def environment(self):
        return dict(self.server, COLD_STORAGE_CONTAINER=self.cold,
                    FROSTLINE_STATE_DIR=os.path.join(self.folder, "state"))

    def sit(self, *words, without=(), term="xterm", **options):
        environment = self.environment()
        for name in without:
            del environment[name]
        return Terminal(os.environ["FROSTLINE"], "wizard", *words, cwd=self.folder,
                        environment=dict(environment, TERM=term), **options)

    def run(self, *words):
        return Run(subprocess.run([os.environ["FROSTLINE"], *words], cwd=self.folder, text=True,
                                  env=self.environment(), capture_output=True, timeout=300,
                                  stdin=subprocess.DEVNULL))

    def locations(self):
        return dict(sql("SELECT ecal_id, ecal_name FROM ecal;", server=self.server))

    def check_moved(self, *idents):
        """These are at the target, whole, and gone from the source; all others are where they were."""
        locations = self.locations()
        for ident, key in self.keys.items():
            there = ident in idents
            at, container = (self.target, self.cold) if there else (self.source, self.hot)
            assert locations[ident] == at.url(container, key), (ident, locations[ident])
            directory = key[:key.rindex("/") + 1]
            wanted = {name for name in self.objects if name.startswith(directory)}
            assert set(at.names(container, directory)) == wanted, (ident, at.names(container))
            for name in wanted:
                assert at.get(container, name) == self.objects[name], name
            if there:
                assert self.source.names(self.hot, directory) == [], ident


def answer(terminal, *steps):
    """A step is a prompt and what is typed then, or a text alone."""
    for step in steps:
        if isinstance(step, str):
            terminal.expect(step)
        else:
            terminal.expect(step[0])
            terminal.send(step[1] + "\n")


MENU, PROCEED = "Enter your choice (1-3): ", "Do you want to proceed with the migration? (yes/no): "
DELETE = "Delete the sources? now / after 7 days / no [now]: "
