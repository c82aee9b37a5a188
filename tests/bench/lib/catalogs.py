"""Catalogs of many rows, each in a directory of its own, and policies that take some of them: a row
every few minutes from 2015 on."""
import datetime
import os
import sqlite3

from scene import sql

FIRST = datetime.date(2015, 1, 1)
COLUMNS = "ecal_id, ecal_name, recording_start_time, map, size_gb, length, is_valid"


class Postgres:
    """On a server that runs (pg.sh)."""

    def __init__(self, folder, rows, base, minutes=5):
        sql(f"""CREATE UNLOGGED TABLE ecal AS
            SELECT ('ECAL_' || i)::varchar AS ecal_id,
                   '{base}recording/' || to_char(t, 'YYYY-MM-DD') || '/session_0' || (i % 7) ||
                   '/' || to_char(t, 'YYYY-MM-DD_HH24-MI-SS') || '_' || i || '/' || i || '.ecalmeas'
                   AS ecal_name,
                   t AS recording_start_time, 'map_' || (i % 5) AS map, 0.001::decimal AS size_gb,
                   600 + i % 1200 AS length, i % 17 <> 16 AS is_valid
            FROM (SELECT i, timestamp '{FIRST}' + i * interval '{minutes} minutes' AS t
                  FROM generate_series(0, {rows} - 1) i) s;
            ALTER TABLE ecal ADD PRIMARY KEY (ecal_id);
            CREATE INDEX ON ecal (ecal_name COLLATE "C");
            VACUUM ANALYZE ecal;""")
        os.environ["PGPASSWORD"] = os.environ["DB_PASSWORD"]
        self.policy = ('{type: postgres, table: public.ecal, connection: {host: "${DB_HOST}", '
                       'port: "${DB_PORT}", dbname: "${DB_NAME}", user: "${DB_USER}", '
                       'password: "${DB_PASSWORD}"}')

    def export(self):
        directory = ("left(ecal_name, length(ecal_name) - strpos(reverse(ecal_name), '/') + 1)"
                     ' COLLATE "C"')
        query = (f"SELECT {COLUMNS} FROM ecal ORDER BY {directory}, "
                 f'ecal_name COLLATE "C", ecal_id COLLATE "C"')
        return ["psql", "-X", "-q", "-h", os.environ["DB_HOST"], "-p", os.environ["DB_PORT"], "-U",
                os.environ["DB_USER"], "-d", os.environ["DB_NAME"], "-c",
                f"\\copy ({query}) to /dev/null"]


class Sqlite:
    def __init__(self, folder, rows, base, minutes=5):
        self.path = os.path.join(folder, "catalog.db")
        self.policy = "{type: sqlite, table: ecal, path: " + self.path
        self.execute(f"""
            PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
            CREATE TABLE ecal (ecal_id TEXT PRIMARY KEY, ecal_name TEXT,
                               recording_start_time TIMESTAMP, map TEXT, size_gb REAL,
                               length INTEGER, is_valid BOOLEAN);
            WITH RECURSIVE
                s(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM s WHERE i + 1 < {rows}),
                t(i, t) AS (SELECT i, datetime('{FIRST}', (i * {minutes}) || ' minutes') FROM s)
            INSERT INTO ecal
            SELECT 'ECAL_' || i,
                   '{base}recording/' || date(t) || '/session_0' || (i % 7) || '/' ||
                   replace(replace(t, ' ', '_'), ':', '-') || '_' || i || '/' || i || '.ecalmeas',
                   t, 'map_' || (i % 5), 0.001, 600 + i % 1200, i % 17 <> 16 FROM t;
            CREATE INDEX ecal_location ON ecal (ecal_name);""")

    def execute(self, script):
        connection = sqlite3.connect(self.path)
        connection.executescript(script)
        connection.close()

    def export(self):
        """To trim all that is no slash leaves the directory."""
        query = (f"SELECT {COLUMNS} FROM ecal "
                 "ORDER BY rtrim(ecal_name, replace(ecal_name, '/', '')), ecal_name, ecal_id")
        return ["sqlite3", "-csv", self.path, query]


CATALOGS = {"postgres": Postgres, "sqlite": Sqlite}


class Local:
    """Two folders."""

    def __init__(self, folder):
        self.policy = ""
        for name in ("hot", "cold"):
            os.makedirs(os.path.join(folder, name))
            self.policy += f"  {name}: {{type: local, path: {folder}/{name}}}\n"
        self.hot, self.cold = f"file://{folder}/hot/", f"file://{folder}/cold/"


class Azure:
    """A container on each account of a server that runs (azurite.sh)."""

    def __init__(self):
        from blobs import Account
        self.policy = ""
        for name, variable in (("hot", "SOURCE_AZURE"), ("cold", "COLD_STORAGE")):
            variable += "_CONNECTION_STRING"
            account = Account(os.environ[variable])
            account.make_container(name)
            setattr(self, name, account.url(name, ""))
            setattr(self, name + "_account", account)
            self.policy += (f'  {name}: {{type: azure, container: {name}, '
                            f'connection_string: "${{{variable}}}"}}\n')


def write_policies(folder, catalog, stores, days, count=1):
    """These many policies take the valid ones of the rows of the first days, a share each; each
    tests all other rows in five clauses."""
    with open(os.path.join(folder, "frostline.yaml"), "w") as file:
        file.write(f"""version: 1
catalog: {catalog.policy},
          id: ecal_id, location: ecal_name, size: {{column: size_gb, unit: GB}},
          time: {{column: recording_start_time, timezone: UTC}},
          fields: {{map: map, length: length, valid: is_valid}}}}
stores:
{stores.policy}policies:
""")
        for i in range(count):
            first, end = (FIRST + datetime.timedelta(days=days * k // count) for k in (i, i + 1))
            last = max(first, end - datetime.timedelta(days=1))
            file.write(f"  - {{name: age-out-{i}, target: cold, select: {{valid: true,"
                       f" length: {{gte: {i}}}, size: {{lt: 1GB}}, map: {{ne: map-{i}}},"
                       f" dates: {{from: {first}, to: {last}}}}}}}\n")


def environment(folder):
    return dict(os.environ, FROSTLINE_STATE_DIR=os.path.join(folder, "state"))
