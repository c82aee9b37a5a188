"""A box: a SQLite catalog and local folders as stores, filled with recordings, and frostline to act on
them.  It needs no server, but for the one that has its catalog in PostgreSQL."""
import contextlib
import itertools
import os
import shutil
import sqlite3
import subprocess
import tempfile

from scene import Run, sql

FROSTLINE = os.environ["FROSTLINE"]


class Box:
    """A hot and a cold folder, a catalog, a policy."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="frostline-e2e.")
        self.hot, self.cold = (os.path.join(self.folder, name) for name in ("hot", "cold"))
        os.mkdir(self.hot)
        os.mkdir(self.cold)
        self.database = os.path.join(self.folder, "catalog.db")
        self.make_table()
        self.objects = {}
        self.mounted = None
        self.policy()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.unmount()
        shutil.rmtree(self.folder, ignore_errors=True)

    def make_table(self):
        self.execute("CREATE TABLE ecal (ecal_id TEXT PRIMARY KEY, ecal_name TEXT, "
                     "recording_start_time TIMESTAMP, size_gb REAL)")

    def catalog_lines(self):
        return f"""  type: sqlite
  path: {self.database}
  table: ecal"""

    def execute(self, statement, *values):
        with sqlite3.connect(self.database) as connection:
            return connection.execute(statement, values).fetchall()

    def policy(self, after="0s", catalog=""):
        with open(os.path.join(self.folder, "frostline.yaml"), "w") as file:
            file.write(f"""version: 1
catalog:
{self.catalog_lines()}
  id: ecal_id
  location: ecal_name
  time: {{column: recording_start_time, timezone: UTC}}{catalog}
stores:
  hot: {{type: local, path: {self.hot}}}
  cold: {{type: local, path: {self.cold}}}
policies:
  - name: age-out
    from: hot
    target: cold
    select: {{older_than: 90d}}
    cleanup: {{source: delete, after: {after}}}
""")

    def put(self, key, body):
        path = os.path.join(self.hot, key)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(body)
        self.objects[key] = body

    def add(self, ident, directory, files=3, size=2000):
        for i in range(files):
            self.put(f"{directory}file_{i}.bin", os.urandom(size))
        self.put(f"{directory}{ident}.ecalmeas", ident.encode())
        self.execute("INSERT INTO ecal VALUES (?, ?, '2025-02-14 06:00:00', 0.001)", ident,
                     f"file://{self.hot}/{directory}{ident}.ecalmeas")

    def tiny_disk(self, size, folder=None):
        """At the cold store's folder, or another.  False, and the case ends early, where nobody may
        mount one; not where nothing may be skipped."""
        folder = folder or self.cold
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", folder],
                              capture_output=True, text=True)
        self.mounted = folder if done.returncode == 0 else None
        assert self.mounted or os.environ.get("FROSTLINE_TEST_REQUIRE_SERVERS") != "1", done.stderr
        return self.mounted is not None

    def unmount(self):
        if self.mounted:
            subprocess.run(["umount", self.mounted], check=True)
        self.mounted = None

    def environment(self, more=None):
        return dict(os.environ, FROSTLINE_STATE_DIR=os.path.join(self.folder, "state"),
                    **(more or {}))

    def run(self, *words, environment=None, **options):
        environment = self.environment(environment)
        return Run(subprocess.run([FROSTLINE, *words], cwd=self.folder, env=environment,
                                  capture_output="stdout" not in options, text=True,
                                  stdin=subprocess.DEVNULL, timeout=120, **options))

    def start(self, *words, environment=None):
        return subprocess.Popen([FROSTLINE, *words], cwd=self.folder, text=True,
                                env=self.environment(environment), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def files(self, root):
        return {os.path.relpath(os.path.join(folder, name), root):
                open(os.path.join(folder, name), "rb").read()
                for folder, _, names in os.walk(root) for name in names}

    def check_moved(self):
        assert self.files(self.hot) == {}, self.files(self.hot).keys()
        assert os.listdir(self.hot) == [], os.listdir(self.hot)
        assert self.files(self.cold) == self.objects
        for (location,) in self.execute("SELECT ecal_name FROM ecal"):
            assert location.startswith(f"file://{self.cold}/"), location
            assert os.path.exists(location[7:]), location

    def check_whole(self):
        """Every row points at an object that is there, with all of its directory."""
        for (location,) in self.execute("SELECT ecal_name FROM ecal"):
            root = next(root for root in (self.hot, self.cold)
                        if location.startswith(f"file://{root}/"))
            key = location[len(f"file://{root}/"):]
            directory = key[:key.rindex("/") + 1]
            for name, body in self.objects.items():
                if name.startswith(directory):
                    with open(os.path.join(root, name), "rb") as file:
                        assert file.read() == body, (location, name)


@contextlib.contextmanager
def held(box, how="IMMEDIATE"):
    """Somebody else writes the catalog: a cut-over waits.  EXCLUSIVE: whoever reads it does."""
    connection = sqlite3.connect(box.database, isolation_level=None, timeout=30)
    try:
        connection.execute(f"BEGIN {how}")
        yield lambda: connection.execute("ROLLBACK")
    finally:
        connection.close()


class PostgresBox(Box):
    """With its catalog in PostgreSQL, in a schema of its own."""

    numbers = itertools.count()

    def __init__(self, server=os.environ):
        self.server, self.schema = server, f"box{os.getpid()}_{next(self.numbers)}"
        super().__init__()

    def __exit__(self, kind, value, trace):
        super().__exit__(kind, value, trace)
        self.execute(f"DROP SCHEMA IF EXISTS {self.schema} CASCADE")

    def make_table(self):
        sql(f"CREATE SCHEMA {self.schema};", server=self.server)
        self.execute("CREATE TABLE ecal (ecal_id TEXT PRIMARY KEY, ecal_name TEXT, "
                     "recording_start_time TIMESTAMP, size_gb REAL);"
                     'CREATE INDEX ON ecal (ecal_name COLLATE "C")')

    def catalog_lines(self):
        return f"""  type: postgres
  connection:
    host: ${{DB_HOST}}
    port: ${{DB_PORT}}
    dbname: ${{DB_NAME}}
    user: ${{DB_USER}}
    password: ${{DB_PASSWORD}}
    sslmode: disable
    gssencmode: disable
  table: {self.schema}.ecal"""

    def execute(self, statement, *values):
        for value in values:
            statement = statement.replace("?", "'" + value.replace("'", "''") + "'", 1)
        return sql(f"SET search_path = {self.schema}; {statement};", server=self.server)

    def environment(self, more=None):
        server = {name: self.server[name] for name in self.server if name.startswith("DB_")}
        return super().environment(dict(server, **(more or {})))

    def through(self, talk, *words, **environment):
        """Run with something in between."""
        return self.run(*words, environment=dict(DB_PORT=talk.port, **environment))

    def again(self, directories=2, files=1):
        """As on the first day."""
        for folder in ("state", "hot", "cold"):
            shutil.rmtree(os.path.join(self.folder, folder), ignore_errors=True)
        os.mkdir(self.hot)
        os.mkdir(self.cold)
        rows = []
        for i in range(directories):
            for name in [f"file_{n}.bin" for n in range(files)] + [f"R{i}.ecalmeas"]:
                self.put(f"rec/{i}/{name}", f"{i} {name}".encode())
            rows.append(f"('R{i}', 'file://{self.hot}/rec/{i}/R{i}.ecalmeas', "
                        "'2025-02-14 06:00:00', 0.001)")
        self.execute("TRUNCATE ecal; INSERT INTO ecal VALUES " + ", ".join(rows))
