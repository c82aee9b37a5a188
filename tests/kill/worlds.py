"""What is moved while frostline is killed: recordings of every fate, in folders with SQLite or in
accounts with PostgreSQL; and what must be true of them, told by a reader of its own."""
import itertools
import os
import random
import re
import shutil
import sqlite3
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e", "lib"))
from box import Box
from scene import Scene, servers_or_skip, sql

POLICIES = """policies:
  - {name: now, from: hot, target: cold, select: {map: now}, cleanup: {source: delete, after: 0s}}
  - {name: later, from: hot, target: cold, select: {map: later},
     cleanup: {source: delete, after: 1h}}
  - {name: keep, from: hot, target: cold, select: {map: keep}, cleanup: {source: keep}}
"""
COOL = "  - {name: cool, target: cool, select: {map: cool}}\n"


class Lot:
    """A unit: its rows' keys, the other keys of its directory, and its fate: the name of a policy,
    `over` (it was moved before, and its grace has passed), or `stay`."""

    def __init__(self, fate, rows, others=()):
        self.fate, self.rows, self.keys = fate, rows, [*rows, *others]


ODD = "rec/a b+c&d=e%f#g?h'i\u00e4\u65e5/"
DIRECTORIES = [
    Lot("now", [ODD + "x.ecal"], [ODD + "empty", ODD + "%41", ODD + "sub/q?x=1&y"]),
    Lot("now", ["rec/two/a.ecal", "rec/two/b.ecal"], ["rec/two/cam", "rec/two/large"]),
    Lot("now", ["rec/half/h.ecal"], ["rec/half/part", "rec/half/rest"]),
    Lot("later", ["rec/later/l.ecal"], ["rec/later/cam"]),
    Lot("keep", ["rec/keep/k.ecal"], ["rec/keep/cam"]),
    Lot("over", ["rec/over/o.ecal"], ["rec/over/cam"]),
    Lot("stay", ["rec/stay/s.ecal"], ["rec/stay/cam"]),
]
COOLED = Lot("cool", ["rec/cool/c.ecal"], ["rec/cool/cam"])
OBJECTS = [
    Lot("now", ["rec/1/a.ecal"]), Lot("now", ["rec/1/odd a%b.ecal"]), Lot("now", ["root.ecal"]),
    Lot("now", ["rec/1/empty"]), Lot("now", ["rec/half/part"]), Lot("now", ["rec/2/large"]),
    Lot("later", ["rec/1/l.ecal"]), Lot("keep", ["rec/2/k.ecal"]), Lot("over", ["rec/2/o.ecal"]),
    Lot("stay", ["rec/1/a.ecal.bak"]), Lot("stay", ["root.ecal2"]),
]
# Nobody's: no row names them.  What is at the target already, and equal, is taken for a copy.
STRANGERS = {"hot": ["rec/two.bak/x", "rec/1/cam"],
             "cold": ["rec/two.bak/x", "rec/1/a.ecal3"]}
THERE_BEFORE = "rec/half/part"
SIZES = {"empty": 0, "large": 1_200_000}


def body_of(key):
    size = SIZES.get(key.rsplit("/", 1)[-1], 700)
    return random.Random(key).randbytes(size)


def encoded(key):
    return key.replace("%", "%25").replace("?", "%3F").replace("#", "%23")


def decoded(text):
    return re.sub("%(23|25|3F)", lambda m: chr(int(m.group(1), 16)), text)


def execute(database, statement):
    connection = sqlite3.connect(database)
    with connection:
        rows = connection.execute(statement).fetchall()
    connection.close()
    return rows


def peek(database, statement):
    """The same of a copy: whoever opens the file itself rolls back what a killed writer left."""
    if not os.path.exists(database):
        return []
    with tempfile.TemporaryDirectory() as folder:
        for path in (database, database + "-journal"):
            if os.path.exists(path):
                shutil.copy(path, folder)
        return execute(os.path.join(folder, os.path.basename(database)), statement)


class World:
    """What both kinds share.  They have put(store, key, body), contents(store), base(store),
    insert_rows(rows), recorded(), write_policy(policies, by_object) and traces()."""

    def load(self, lots, by_object):
        self.lots = lots
        self.bodies = {key: body_of(key) for lot in lots for key in lot.keys}
        self.write_policy(POLICIES + (COOL if COOLED in lots else ""), by_object)
        self.deliver([lot for lot in lots if lot.fate == "over"])
        self.run("reconcile").must()
        self.end_grace()
        self.deliver([lot for lot in lots if lot.fate != "over"])
        for store, keys in STRANGERS.items():
            for key in keys:
                self.put(store, key, body_of(store + key))
        self.put("cold", THERE_BEFORE, self.bodies[THERE_BEFORE])
        self.strangers = {store: {key: body_of(store + key) for key in keys}
                          for store, keys in STRANGERS.items()}

    def deliver(self, lots):
        for lot in lots:
            for key in lot.keys:
                self.put("hot", key, self.bodies[key])
        self.insert_rows([(key, self.base("hot") + encoded(key),
                           "later" if lot.fate == "over" else lot.fate)
                          for lot in lots for key in lot.rows])

    # -- the journal, as SQLite shows it ----------------------------------------------------------
    def journal(self, statement):
        return execute(os.path.join(self.folder, "state", "journal.db"), statement)

    def graces(self):
        """When the source of each unit may go."""
        return dict(peek(os.path.join(self.folder, "state", "journal.db"),
                         "SELECT source, cleanup_at_us FROM unit WHERE cleanup_at_us > 0"))

    def end_grace(self):
        """As if the hours had passed."""
        self.journal("UPDATE unit SET cleanup_at_us = 1 WHERE open = 1")
        self.begun = self.graces()

    # -- judging ----------------------------------------------------------------------------------
    def place_of(self, location):
        for store in ("hot", "cold"):
            if location.startswith(self.base(store)):
                return store, decoded(location[len(self.base(store)):])
        raise AssertionError(f"a row points nowhere: {location}")

    def check_any_instant(self):
        """Every row points at a whole unit, nothing is lost, nothing of others is touched, and no
        grace that has begun begins again."""
        have = {store: self.contents(store) for store in ("hot", "cold")}
        rows = self.recorded()
        assert len(rows) == sum(len(lot.rows) for lot in self.lots), rows
        for lot in self.lots:
            places = [self.place_of(rows[key]) for key in lot.rows]
            assert [key for _, key in places] == lot.rows, f"{places} are not {lot.rows}"
            (store,) = {store for store, _ in places}  # the rows of a unit move together
            for key in lot.keys:
                assert have[store].get(key) == self.bodies[key], f"a row promises {store}:{key}"
        for store, objects in have.items():
            known = self.bodies | self.strangers[store]
            for key, body in objects.items():
                assert self.is_temporary(key) or known.get(key) == body, f"{store}:{key} differs"
            missing = self.strangers[store].keys() - objects.keys()
            assert not missing, f"what belongs to others is gone: {missing}"
        self.check_graces()

    def check_graces(self):
        now = self.graces()
        assert self.begun.items() <= now.items(), f"{self.begun} became {now}"
        self.begun = now

    def check_rest(self, grace_over):
        """All is where it should be and nowhere else, and the journal says so."""
        wanted = {store: dict(objects) for store, objects in self.strangers.items()}
        for lot in self.lots:
            hot = lot.fate in ("keep", "stay", "cool") or (lot.fate == "later" and not grace_over)
            cold = lot.fate in ("now", "later", "over", "keep")
            for key in lot.keys:
                if hot:
                    wanted["hot"][key] = self.bodies[key]
                if cold:
                    wanted["cold"][key] = self.bodies[key]
        for store, objects in wanted.items():
            # What a copy that was killed left is cleared away when its unit is closed.
            found = {key: body for key, body in self.contents(store).items()
                     if grace_over or not self.is_temporary(key)}
            assert found.keys() == objects.keys(), (store, found.keys() ^ objects.keys())
            assert found == objects, f"{store} has other bytes"
        assert self.recorded() == {
            key: self.base("hot" if lot.fate in ("stay", "cool") else "cold") + encoded(key)
            for lot in self.lots for key in lot.rows}
        self.check_journal(grace_over)

    def check_journal(self, grace_over):
        (integrity,) = self.journal("PRAGMA integrity_check")
        assert integrity == ("ok",), integrity
        units = self.journal("SELECT source, open, state, reason FROM unit ORDER BY source")
        moved = [lot for lot in self.lots if lot.fate != "stay"]
        assert len(units) == len(moved), f"not one unit each: {units}"
        waiting = sum(lot.fate == "later" for lot in moved if not grace_over)
        states = sorted(unit[1:] for unit in units)
        assert states == sorted([(0, "done", "none")] * (len(moved) - waiting) +
                                [(1, "cutover", "grace")] * waiting), units
        self.check_graces()


class Folders(World, Box):
    """Local folders as stores, SQLite as catalog: no server."""

    def __init__(self):
        Box.__init__(self)
        self.execute("ALTER TABLE ecal ADD map TEXT")
        self.execute("CREATE INDEX by_name ON ecal (ecal_name COLLATE BINARY)")

    def write_policy(self, policies, by_object):
        self.policy(catalog="\n  fields: {map: map}" + ("\n  unit: object" if by_object else ""))
        path = os.path.join(self.folder, "frostline.yaml")
        with open(path) as file:
            head = file.read().split("policies:")[0]
        with open(path, "w") as file:
            file.write(head + policies)

    def base(self, store):
        return f"file://{getattr(self, store)}/"

    def put(self, store, key, body):
        path = os.path.join(getattr(self, store), key)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(body)

    def contents(self, store):
        return self.files(getattr(self, store))

    def is_temporary(self, key):
        return re.search(r"(^|/)\.frostline-\d+-\d+$", key)

    def insert_rows(self, rows):
        with sqlite3.connect(self.database) as connection:
            connection.executemany("INSERT INTO ecal (ecal_id, ecal_name, map, "
                                   "recording_start_time) VALUES (?, ?, ?, '2025-02-14')", rows)

    def recorded(self):
        return dict(peek(self.database, "SELECT ecal_id, ecal_name FROM ecal"))

    def traces(self):
        """What differs after anything was written."""

        def trace(path):
            status = os.lstat(path)
            return path, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
        found = [trace(self.database)]
        for root in (self.hot, self.cold):
            for folder, _, names in os.walk(root):
                found += [trace(folder)] + [trace(os.path.join(folder, name)) for name in names]
        return sorted(found)


class Accounts(World, Scene):
    """Two accounts over HTTP, PostgreSQL as catalog; and a policy that sets a tier."""

    numbers = itertools.count()

    def __init__(self):
        Scene.__init__(self, f"kill{next(self.numbers)}x")

    def write_policy(self, policies, by_object):
        path = self.policy(catalog="\n  unit: object" if by_object else "")
        with open(path) as file:
            head = file.read().split("policies:")[0]
        container = f"    container: {self.hot}\n"
        cool = ("    tier: hot\n  cool:\n    type: azure\n"
                f"    connection_string: ${{SOURCE_AZURE_CONNECTION_STRING}}\n{container}"
                "    tier: cool\n")
        with open(path, "w") as file:
            file.write(head.replace(container, container + cool) + policies)

    def account(self, store):
        return (self.source, self.hot) if store == "hot" else (self.target, self.cold)

    def base(self, store):
        account, container = self.account(store)
        return account.url(container, "")

    def put(self, store, key, body):
        account, container = self.account(store)
        account.put(container, key, body)

    def contents(self, store):
        """A deletion that was sent before a kill may still come between."""
        account, container = self.account(store)
        found = {key: account.call("GET", f"{container}/{key}") for key in account.names(container)}
        assert {status for status, _ in found.values()} <= {200, 404}, found.keys()
        return {key: body for key, (status, body) in found.items() if status == 200}

    def is_temporary(self, key):
        return False

    def insert_rows(self, rows):
        values = (", ".join("'" + text.replace("'", "''") + "'" for text in row) for row in rows)
        sql(f"INSERT INTO {self.table} (ecal_id, ecal_name, map, recording_start_time) VALUES " +
            ", ".join(f"({row}, '2025-02-14')" for row in values) + ";")

    def recorded(self):
        return self.locations()

    def traces(self):
        """How many requests that change something came for its containers, and which transaction
        wrote each row."""
        with open(os.environ["AZURITE_ACCESS_LOG"], errors="replace") as log:
            requests = re.findall(f'"(PUT|DELETE|POST) /[^ ]*({self.hot}|{self.cold})', log.read())
        return len(requests), sql(f"SELECT ecal_id, xmin FROM {self.table} ORDER BY 1;")

    def check_rest(self, grace_over):
        super().check_rest(grace_over)
        for lot in self.lots:
            if lot.fate == "cool":
                tiers = self.source.tiers(self.hot)
                assert {tiers[key] for key in lot.keys} == {"Cool"}, tiers
