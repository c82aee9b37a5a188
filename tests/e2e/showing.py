#!/usr/bin/env python3
"""What a plan looks like, word for word, and when it is too old to be applied.

The goldens are in golden/plan; FROSTLINE_GOLDEN=write writes them."""
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from scene import Run, main

FROSTLINE = os.environ["FROSTLINE"]
GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "plan")
AS_OF = "2025-06-01T00:00:00Z"

HEAD = """version: 1
catalog:
  type: sqlite
  path: catalog.db
  table: ecal
  id: ecal_id
  location: ecal_name
  time: {column: recording_start_time, timezone: UTC}
  size: {column: size_mb, unit: MB}
  fields: {map: map, valid: is_valid}
stores:
  hot: {type: local, path: HOT}
  warm: {type: local, path: WARM}
  cold: {type: local, path: COLD}
"""
EVERYTHING = HEAD + """holds:
  - {name: inquiry, reason: ask legal, select: {map: held}}
policies:
  - name: age-out
    from: hot
    target: cold
    select: {older_than: 90d, map: {in: [city, held]}}
    exclude: {valid: false}
    guards: {max_recordings: 30, on_exceed: truncate}
    window: {days: sun, from: "22:00", to: "05:00"}
  - name: aged-city
    from: hot
    target: cold
    select: {older_than: 150d, map: city}
  - name: proving-ground
    priority: 200
    target: warm
    select: {any: [{map: proving}, {ids: [EARLY_1, GONE_1, GONE_2]}]}
  - name: contested
    priority: 200
    target: cold
    select: {ids: [PROVING_7]}
  - name: too-much
    from: warm
    target: cold
    select: {map: rest}
    guards: {max_recordings: 2}
"""
AGE_OUT = HEAD + """policies:
  - name: age-out
    from: hot
    target: cold
    select: {older_than: 90d}
    cleanup: {source: delete, after: 7d}
"""


class Box:
    """Three folders as stores, a catalog, a policy."""

    def __init__(self, policy=AGE_OUT):
        self.folder = tempfile.mkdtemp(prefix="frostline-e2e.")
        for store in ("hot", "warm", "cold"):
            os.mkdir(os.path.join(self.folder, store))
        self.execute("CREATE TABLE ecal (ecal_id TEXT PRIMARY KEY, ecal_name TEXT, "
                     "recording_start_time TIMESTAMP, size_mb REAL, map TEXT, is_valid BOOLEAN)")
        self.policy(policy)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def execute(self, statement, *values, database="catalog.db"):
        with sqlite3.connect(self.path(database)) as connection:
            return connection.execute(statement, values).fetchall()

    def policy(self, text, name="frostline.yaml"):
        for store in ("hot", "warm", "cold"):
            text = text.replace(f"path: {store.upper()}", f"path: {self.path(store)}")
        with open(self.path(name), "w") as file:
            file.write(text)

    def row(self, ident, location, time="2025-02-14 06:00:00", size=1000, map="city", valid=1):
        self.execute("INSERT INTO ecal VALUES (?, ?, ?, ?, ?, ?)", ident, location, time, size, map,
                     valid)

    def put(self, store, key, size):
        os.makedirs(os.path.dirname(self.path(store, key)), exist_ok=True)
        with open(self.path(store, key), "wb") as file:
            file.write(b"x" * size)

    def add(self, ident, directory, store="hot", files=2, **row):
        for i in range(files):
            self.put(store, f"{directory}{ident}.{i}", 5000)
        self.row(ident, f"file://{self.path(store, directory)}{ident}.0", **row)

    def run(self, *words, cwd="", env=None):
        environment = dict(os.environ if env is None else env, FROSTLINE_STATE_DIR=self.path("state"))
        return Run(subprocess.run([FROSTLINE, *words], cwd=self.path(cwd), env=environment,
                                  capture_output=True, text=True, stdin=subprocess.DEVNULL,
                                  timeout=120))

    def plan(self, *words, code=0):
        return self.run("plan", "--as-of", AS_OF, "--out", "x.plan", *words).must(code)

    def files(self, store):
        return sorted(os.path.relpath(os.path.join(folder, name), self.path(store))
                      for folder, _, names in os.walk(self.path(store)) for name in names)

    def make_old(self, hours):
        """The plan was made so long ago: that stands in the line that no digest covers."""
        with open(self.path("x.plan")) as file:
            text = file.read()
        made = json.loads(text.splitlines()[-1])["made"]["at"]
        (old,) = self.execute("SELECT strftime('%Y-%m-%dT%H:%M:%S', ?, ?)", made[:19],
                              f"{-hours:+} hours")
        with open(self.path("x.plan"), "w") as file:
            file.write(text.replace(f'"made":{{"at":"{made[:19]}', f'"made":{{"at":"{old[0]}'))

    def golden(self, name, text):
        """What depends on the place and on the present is masked."""
        text = text.replace("\n  · catalog", " · catalog").replace(self.folder, "/BOX")
        text = re.sub(r"frostline.yaml [0-9a-f]{7}", "frostline.yaml 0000000", text)
        text = re.sub(r"sha256:[0-9a-f]{8}\.\.[0-9a-f]{4}", "sha256:00000000..0000", text)
        text = re.sub(r"sha256:[0-9a-f]{64}", "sha256:" + 64 * "0", text)
        text = re.sub(r"good until [0-9-]{10} [0-9:]{8}", "good until DATE TIME", text)
        text = re.sub(r"run (\d+) of [0-9TZ:.-]+", r"run \1 of TIME", text)
        path = os.path.join(GOLDEN, name)
        if os.environ.get("FROSTLINE_GOLDEN") == "write":
            with open(path, "w") as file:
                file.write(text)
        with open(path) as file:
            wanted = file.read()
        assert text == wanted, f"{name} is not\n{text}"


def fill_blocked(box):
    """A directory for each reason to stay, and more than are shown."""
    box.add("SHARED_1", "blocked/shared/")
    box.add("SHARED_2", "blocked/shared/", map="village")
    box.add("NESTED_1", "blocked/nested/")
    box.add("NESTED_2", "blocked/nested/in/", map="village")
    box.add("PROVING_7", "blocked/conflict/", map="proving")
    box.row("LOST", f"file://{box.path('hot')}/blocked/object-missing/LOST.0")
    box.put("hot", "blocked/object-missing/other", 10)
    box.row("VOID", f"file://{box.path('hot')}/blocked/source-missing/VOID.0")
    box.add("SPELT", "blocked/spelling/")
    box.row("SPELT_TOO", f"file://{box.path('hot')}/blocked//spelling/SPELT.0")
    box.add("MEETS_1", "blocked/collision/", store="hot", map="proving")
    box.add("MEETS_2", "blocked/collision/", store="cold", map="proving")
    for i in range(15):
        box.add(f"HELD_{i}", f"held/{i:02d}/", map="held")


def fill_cleanup(box):
    """Two directories that moved earlier, whose grace is over; rows are back at a third."""
    for i in range(3):
        box.add(f"EARLIER_{i}", f"earlier/{i}/")
    box.policy(AGE_OUT)
    box.run("apply", "--auto-approve").must()
    box.execute("UPDATE unit SET cleanup_at_us = 1748740320000000 - 86400000000 * id",
                database="state/journal.db")
    box.execute("UPDATE unit SET cleanup_at_us = 4000000000000000 WHERE directory = 'earlier/2/'",
                database="state/journal.db")
    box.execute("UPDATE ecal SET ecal_name = replace(ecal_name, '/cold/', '/hot/') "
                "WHERE ecal_id = 'EARLIER_2'")


def fill(box):
    fill_cleanup(box)
    for day in range(1, 14):
        for i in range(day % 3 + 1):
            box.add(f"DAY_{day}_{i}", f"recording/2025-01-{day:02d}/run_{i}/",
                    time=f"2025-01-{day:02d} 06:00:00", size=900 + day)
    for i in range(12):
        box.add(f"LATE_{i}", f"recording/2025-02-{i + 1:02d}/run/", size=1)
    box.add("FLAT", "flat/run_1/", time="2024-12-01 06:00:00")
    box.add("FLAT_2", "flat/run_2/", time="2024-11-30 06:00:00")
    box.add("UMLAUT", "prüfgelände/run_1/", time="2024-11-29 06:00:00")
    box.add("EXCLUDED", "recording/2025-01-20/run/", valid=0)
    box.add("UNDECIDED", "recording/2025-01-21/run/", valid=None)
    box.add("EARLY_1", "recording/2025-01-22/run/")
    # The same day, last on hot and first on cold.
    for store, runs in (("hot", 2), ("cold", 1), ("warm", 1)):
        for i in range(runs):
            box.add(f"PROVING_{store}_{i}", f"recording/2025-05-02/{store}_{i}/", store=store,
                    time="2025-05-02 06:00:00", map="proving")
    for i in range(3):
        box.add(f"REST_{i}", f"rest/{i}/", store="warm", map="rest")
    fill_blocked(box)
    for i in range(9):
        box.row(f"FOREIGN_{i}", f"ftp://else.where/{i}\x1b[2J/x")
    box.row("TOP", f"file://{box.path('hot')}/top")
    box.policy(EVERYTHING)


def case_every_part_of_a_plan():
    with Box() as box:
        fill(box)
        shown = box.plan(code=5)
        box.golden("everything.out", shown.out)
        again = box.run("show", "x.plan").must(5)
        assert again.out == shown.out[:shown.out.index("Next  ")], again.out
        box.golden("all.out", box.run("show", "x.plan", "--all").must(5).out)
        check_funnels(shown.out)


def check_funnels(text):
    """What drops out and what is left are all there was, at each number that stands alone."""
    funnels = re.findall(r"(\d+) selected.*? -> (\d+) to move", re.sub(r"\n +->", " ->", text))
    steps = re.findall(r"\d+ selected.* to move", re.sub(r"\n +->", " ->", text))
    assert len(funnels) == 5, text
    for line in steps:
        first, *rest, last = line.split(" -> ")
        left = int(first.split()[0])
        for step in rest:
            number, _, what = step.partition(" ")
            assert what or left == int(number), line
            left -= int(number) if what else 0
        assert left == int(last.split()[0]), line


def case_without_a_day_the_folder_folds():
    with Box() as box:
        for i in range(24):
            box.add(f"R{i}", f"car_{i // 2:02d}/run_{i % 2}/")
        out = box.plan("--survey", "none").out
        assert "\n  > car_00/   2 directories   2.00 GB  oldest 106 d\n" in out, out
        assert "\n    ... 2 more folders (4 directories, 4.00 GB); --all shows each\n" in out, out
        assert "\nNot surveyed: sizes are the catalog's.\n" in out, out


def case_what_lies_in_no_store_is_not_where_its_policy_wants_it():
    with Box() as box:
        box.row("STRAY", "https://elsewhere.example/x/y")
        said = box.plan().out
        assert "\nNo moves. Every recording in a declared store is where its policy wants it.\n" in said, said


def case_nothing_to_do():
    with Box() as box:
        box.add("NEW", "rec/1/", time="2025-05-31 06:00:00")
        box.golden("nothing.out", box.plan().out)
        shown = json.loads(box.run("show", "x.plan", "--format", "json").must().out)
        assert shown["end"]["summary"]["next"] == {
            "from": "2025-08-29T06:00:00.000001Z", "recordings": 1, "bytes": 1000000000}, shown
        box.policy(AGE_OUT.replace("90d}", "90d, valid: true}"))
        box.add("UNSURE", "rec/2/", valid=None)
        assert box.plan().out.count("Every recording that could be decided is where") == 1
        box.policy(AGE_OUT + "    guards: {max_recordings: 0}\n")
        refused = box.plan(code=5).out
        assert "\nNo moves: 1 policy refused by its guard.\n" in refused, refused
        box.policy(AGE_OUT.replace("90d}", "90d, valid: true}") +
                   "holds:\n  - {name: h, select: {ids: [HELD]}}\n")
        box.add("HELD", "rec/3/")
        held = box.plan().out
        assert ("\nNo moves: 1 directory blocked. Next: 2025-08-29, 1 recording, 1.00 GB.\n"
                in held), held
        assert "frostline apply" not in refused, refused


def case_a_simulation_is_shown_and_not_applied():
    with Box() as box:
        box.add("R1", "rec/1/", time="2199-01-01 06:00:00")
        box.run("plan", "--as-of", "2200-01-01", "--out", "x.plan").must()
        shown = box.run("show", "x.plan").must()
        box.golden("simulation.out", shown.out)
        applied = box.run("apply", "x.plan", "--auto-approve").must(4)
        assert "a simulation" in applied.err, applied.err
        assert box.files("cold") == [], box.files("cold")


def case_show_needs_no_secret_to_know_another_policy():
    with Box(AGE_OUT.replace("path: catalog.db", "path: ${CATALOG}")) as box:
        box.add("R1", "rec/1/")
        box.run("plan", "--out", "x.plan", env={"CATALOG": box.path("catalog.db")}).must()
        assert "STALE" not in box.run("show", "x.plan", env={}).must().out
        with open(box.path("frostline.yaml"), "a") as file:
            file.write("# edited\n")
        stale = "STALE: the policy files have changed since it was made\n"
        assert box.run("show", "x.plan", env={}).must().out.endswith(stale)
        os.mkdir(box.path("elsewhere"))
        assert box.run("show", "../x.plan", cwd="elsewhere", env={}).must().out.endswith(stale)
        os.rename(box.path("frostline.yaml"), box.path("elsewhere", "mine.yaml"))
        assert "STALE" not in box.run("show", "x.plan", env={}).must().out
        policy = ["--policy", "elsewhere/mine.yaml"]
        assert box.run("show", "x.plan", *policy, env={}).must().out.endswith(stale)
        with open(box.path("elsewhere", "mine.yaml"), "w") as file:
            file.write("version: 1\npolicies: nonsense\n")
        assert "STALE" not in box.run("show", "x.plan", *policy, env={}).must().out


def case_a_plan_that_is_too_old_is_refused():
    with Box() as box:
        box.add("R1", "rec/1/")
        box.plan()
        box.make_old(hours=25)
        shown = box.run("show", "x.plan").must().out.splitlines()
        assert shown[-1].startswith("STALE: it was good until 20"), shown
        refused = box.run("apply", "x.plan", "--auto-approve").must(4)
        assert "the plan was good until 20" in refused.err, refused.err
        assert box.files("cold") == [], box.files("cold")
        assert box.run("apply", "x.plan", "--auto-approve", "--ttl", "24").must(64).out == ""
        box.run("apply", "x.plan", "--auto-approve", "--ttl", "26h").must()
        assert box.files("cold") == ["rec/1/R1.0", "rec/1/R1.1"], box.files("cold")
        # What waits for the end of its grace is at rest.
        box.run("apply", "x.plan", "--auto-approve").must(4)


def case_what_an_old_plan_has_begun_is_carried_on():
    with Box() as box:
        box.add("R1", "rec/1/")
        box.add("R2", "rec/2/")
        box.plan()
        os.rename(box.path("hot/rec/2/R2.1"), box.path("away"))
        box.run("apply", "x.plan", "--auto-approve").must(3)
        os.rename(box.path("away"), box.path("hot/rec/2/R2.1"))
        # As if it had been killed after the cut-over, with a source to be deleted at once.
        box.execute("UPDATE unit SET reason = 'none', grace_us = 0, cleanup_at_us = 0 "
                    "WHERE directory = 'rec/1/'", database="state/journal.db")
        box.make_old(hours=25)
        run = box.run("apply", "x.plan", "--auto-approve").must(4)
        assert "what it has begun is carried on, and nothing else" in run.err, run.err
        assert "  ! 1 directory not begun: the plan is older than its --ttl" in run.out, run.out
        assert "deleted 1 source" in run.out, run.out
        assert box.files("hot") == ["rec/2/R2.0", "rec/2/R2.1"], box.files("hot")
        assert box.files("cold") == ["rec/1/R1.0", "rec/1/R1.1"], box.files("cold")


def case_a_plan_does_not_grow_young_by_an_edit():
    with Box() as box:
        box.add("R1", "rec/1/")
        box.plan()
        box.make_old(hours=-2)
        refused = box.run("apply", "x.plan", "--auto-approve").must(4)
        assert "which is to come" in refused.err and box.files("cold") == [], refused.err


def case_the_ttl_holds_without_a_saved_plan():
    with Box() as box:
        box.add("R1", "rec/1/")
        for verb in (["apply", "--auto-approve"], ["reconcile"]):
            run = box.run(*verb, "--ttl", "0s").must(4)
            assert "1 directory not begun" in run.out, run.out
            assert box.files("cold") == [], box.files("cold")
        box.run("reconcile").must()
        assert box.files("cold") == ["rec/1/R1.0", "rec/1/R1.1"], box.files("cold")


if __name__ == "__main__":
    main(globals(), servers=False)
