"""A box: a SQLite catalog and local folders as stores, filled with recordings, and frostline to act on
them.  It needs no server."""
import os
import shutil
import sqlite3
import subprocess
import tempfile

from scene import Run

FROSTLINE = os.environ["FROSTLINE"]


class Box:
    """A hot and a cold folder, a catalog, a policy."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="frostline-e2e.")
        self.hot, self.cold = (os.path.join(self.folder, name) for name in ("hot", "cold"))
        os.mkdir(self.hot)
        os.mkdir(self.cold)
        self.database = os.path.join(self.folder, "catalog.db")
        self.execute("CREATE TABLE ecal (ecal_id TEXT PRIMARY KEY, ecal_name TEXT, "
                     "recording_start_time TIMESTAMP, size_gb REAL)")
        self.objects = {}
        self.mounted = None
        self.policy()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.mounted:
            subprocess.run(["umount", self.mounted], check=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def execute(self, statement, *values):
        with sqlite3.connect(self.database) as connection:
            return connection.execute(statement, values).fetchall()

    def policy(self, after="0s", catalog=""):
        with open(os.path.join(self.folder, "frostline.yaml"), "w") as file:
            file.write(f"""version: 1
catalog:
  type: sqlite
  path: {self.database}
  table: ecal
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

    def tiny_disk(self, size):
        """False, and the case ends early, where nobody may mount one; not where nothing may be
        skipped."""
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", self.cold],
                              capture_output=True, text=True)
        self.mounted = self.cold if done.returncode == 0 else None
        assert self.mounted or os.environ.get("FROSTLINE_TEST_REQUIRE_SERVERS") != "1", done.stderr
        return self.mounted is not None

    def run(self, *words, environment=None, **options):
        environment = dict(os.environ, FROSTLINE_STATE_DIR=os.path.join(self.folder, "state"),
                           **(environment or {}))
        return Run(subprocess.run([FROSTLINE, *words], cwd=self.folder, env=environment,
                                  capture_output="stdout" not in options, text=True,
                                  stdin=subprocess.DEVNULL, timeout=120, **options))

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
