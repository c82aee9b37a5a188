"""A scene: a catalog table and two containers with names of their own, filled with recordings, and
frostline to act on them.  Skips (77) where the servers are not there."""
import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from blobs import Account

NEEDED = ["SOURCE_AZURE_CONNECTION_STRING", "COLD_STORAGE_CONNECTION_STRING", "DB_HOST", "DB_PORT",
          "DB_NAME", "DB_USER", "DB_PASSWORD", "FROSTLINE"]


def servers_or_skip():
    missing = [name for name in NEEDED if not os.environ.get(name)]
    if missing:
        print("skipped: not set:", " ".join(missing))
        sys.exit(77)


def sql(text, *, field="\x1f", server=os.environ):
    """Rows of a statement, as lists of text."""
    env = dict(os.environ, PGPASSWORD=server["DB_PASSWORD"])
    out = subprocess.run(
        ["psql", "-X", "-q", "-A", "-t", "-F", field, "-v", "ON_ERROR_STOP=1", "-h",
         server["DB_HOST"], "-p", server["DB_PORT"], "-U", server["DB_USER"], "-d",
         server["DB_NAME"], "-f", "-"], input=text, env=env, capture_output=True, text=True)
    if out.returncode != 0:
        raise RuntimeError(out.stderr)
    return [line.split(field) for line in out.stdout.splitlines() if line]


class Run:
    def __init__(self, process):
        self.code, self.out, self.err = process.returncode, process.stdout, process.stderr

    @classmethod
    def end(cls, process, timeout=60):
        """Of what was started with pipes."""
        process.stdout, process.stderr = process.communicate(timeout=timeout)
        return cls(process)

    def must(self, code=0):
        assert self.code == code, f"exit {self.code}, wanted {code}\n{self.out}\n{self.err}"
        return self


class Scene:
    SCHEMA = """CREATE TABLE {table} (
        ecal_id VARCHAR PRIMARY KEY, ecal_name TEXT, recording_start_time TIMESTAMP,
        map TEXT, size_gb DECIMAL, length INTEGER, is_valid BOOLEAN);"""

    def __init__(self, name, index=True, reach_stores=True):
        servers_or_skip()
        self.name = f"{name}{os.getpid()}"
        self.table = f"ecal_{self.name}"
        self.source = Account(os.environ["SOURCE_AZURE_CONNECTION_STRING"])
        self.target = Account(os.environ["COLD_STORAGE_CONNECTION_STRING"])
        self.hot, self.cold = f"hot-{self.name}", f"cold-{self.name}"
        self.folder = tempfile.mkdtemp(prefix="frostline-e2e.")
        self.objects = {}  # key -> sha256 of what was put there
        self.rows = {}     # id -> key
        self.values, self.gathering = [], False  # rows that wait to be inserted together
        if reach_stores:
            self.source.make_container(self.hot)
            self.target.make_container(self.cold)
        sql(f"DROP TABLE IF EXISTS {self.table};" + self.SCHEMA.format(table=self.table))
        if index:
            sql(f'CREATE INDEX ON {self.table} (ecal_name COLLATE "C");')

    def close(self):
        sql(f"DROP TABLE IF EXISTS {self.table};")
        self.source.drop_container(self.hot)
        self.target.drop_container(self.cold)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.close()

    # -- data ------------------------------------------------------------------------------------
    def put(self, key, body):
        self.source.put(self.hot, key, body)
        self.objects[key] = hashlib.sha256(body).hexdigest()

    def location(self, key):
        return self.source.url(self.hot, key)

    def add_row(self, ident, location, time="2025-02-14 06:00:00", valid="true", size_gb="0.001"):
        def quote(text):
            return "'" + text.replace("'", "''") + "'"
        self.values.append(f"({quote(ident)}, {quote(location)}, {quote(time)}, 'map_1', {size_gb}, "
                           f"600, {valid})")
        if not self.gathering:
            self.insert()

    def insert(self):
        if self.values:
            sql(f"INSERT INTO {self.table} VALUES " + ", ".join(self.values) + ";")
        self.values = []

    def add(self, ident, directory, blobs=3, size=2000, **row):
        """A recording with a directory to itself."""
        rng = random.Random(ident)
        name = f"{directory}{ident}.ecalmeas"
        for key in [name] + [f"{directory}cam_{i:02d}.h264" for i in range(blobs - 1)]:
            self.put(key, rng.randbytes(size))
        self.rows[ident] = name
        self.add_row(ident, self.location(name), **row)

    def fill(self, recordings, blobs=3, size=2000):
        self.gathering = True
        for i in range(recordings):
            day, hour = i // 10 % 28 + 1, i % 10
            self.add(f"ECAL_{i:05d}", f"recording/2025-02-{day:02d}/session_{hour}/{i:05d}/", blobs,
                     size, time=f"2025-02-{day:02d} {hour:02d}:00:00")
        self.gathering = False
        self.insert()

    # -- frostline -------------------------------------------------------------------------------
    def policy(self, select="older_than: 90d", verify="checksum", after="0s", extra="",
               top="", catalog="", name="frostline.yaml"):
        text = f"""version: 1
catalog:
  type: postgres
  connection:
    host: ${{DB_HOST}}
    port: ${{DB_PORT:-5432}}
    dbname: ${{DB_NAME}}
    user: ${{DB_USER}}
    password: ${{DB_PASSWORD}}
  table: public.{self.table}
  id: ecal_id
  location: ecal_name
  time: {{column: recording_start_time, timezone: UTC}}
  size: {{column: size_gb, unit: GB}}
  fields: {{map: map, valid: is_valid, length: length}}{catalog}
stores:
  hot:
    type: azure
    connection_string: ${{SOURCE_AZURE_CONNECTION_STRING}}
    container: {self.hot}
  cold:
    type: azure
    connection_string: ${{COLD_STORAGE_CONNECTION_STRING}}
    container: {self.cold}
{top}
policies:
  - name: age-out
    from: hot
    target: cold
    select: {{{select}}}
    verify: {verify}
    cleanup: {{source: delete, after: {after}}}
{extra}
"""
        path = os.path.join(self.folder, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def command(self, *words):
        return [os.environ["FROSTLINE"], *words]

    def environment(self, **more):
        return dict(os.environ, FROSTLINE_STATE_DIR=os.path.join(self.folder, "state"), **more)

    def run(self, *words, timeout=300, **more):
        return Run(subprocess.run(self.command(*words), cwd=self.folder, timeout=timeout,
                                  env=self.environment(**more), capture_output=True, text=True,
                                  stdin=subprocess.DEVNULL))

    def start(self, *words, stdout=subprocess.DEVNULL):
        return subprocess.Popen(self.command(*words), cwd=self.folder, env=self.environment(),
                                stdout=stdout, stderr=subprocess.PIPE, text=True,
                                stdin=subprocess.DEVNULL)

    def plan(self, *words, out="p.plan"):
        path = os.path.join(self.folder, out)
        if os.path.exists(path):
            os.unlink(path)
        return self.run("plan", "--out", out, *words).must()

    def actions(self, out="p.plan"):
        with open(os.path.join(self.folder, out)) as file:
            return [json.loads(line) for line in file][1:-1]

    # -- judging ---------------------------------------------------------------------------------
    def locations(self):
        return dict(sql(f"SELECT ecal_id, ecal_name FROM {self.table};"))

    def held_by(self, account, container):
        return {key: hashlib.sha256(account.get(container, key)).hexdigest()
                for key in account.names(container)}

    def check_whole(self, but=()):
        """Every row (but those) points at an object that is there."""
        keys = {self.hot: set(self.source.names(self.hot)),
                self.cold: set(self.target.names(self.cold))}
        for ident, location in self.locations().items():
            if ident in but:
                continue
            match = re.match(r"http://[^/]+/[^/]+/([^/]+)/(.*)", location)
            if match and match.group(1) in keys:
                assert match.group(2) in keys[match.group(1)], f"{ident} dangles: {location}"

    def check_moved(self):
        """Every object with its bytes at the target, none at the source, every row at the target."""
        assert self.source.names(self.hot) == [], self.source.names(self.hot)[:3]
        assert self.held_by(self.target, self.cold) == self.objects
        expected = {i: self.target.url(self.cold, key) for i, key in self.rows.items()}
        assert self.locations() == expected

    def check_untouched(self):
        assert self.held_by(self.source, self.hot) == self.objects
        assert self.target.names(self.cold) == []
        assert self.locations() == {i: self.location(k) for i, k in self.rows.items()}


def main(cases, servers=True):
    """Run functions named case_*; a line each, as people read them."""
    if servers:
        servers_or_skip()
    failed = 0
    for name, case in sorted(cases.items()):
        if not name.startswith("case_") or (len(sys.argv) > 1 and sys.argv[1] not in name):
            continue
        try:
            case()
            print("ok", name[5:].replace("_", " "), flush=True)
        except Exception:  # a failed case must not hide the next one
            failed += 1
            print("FAILED", name[5:].replace("_", " "), flush=True)
            traceback.print_exc()
    sys.exit(1 if failed else 0)
