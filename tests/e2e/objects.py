#!/usr/bin/env python3
"""Single objects move (`unit: object`): from folder to folder with SQLite, from account to account
with PostgreSQL.  What stands beside them stays to the byte."""
import json
import os
import random
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from embedded import FROSTLINE, Box
from scene import Scene, main, sql

OLD, YOUNG = "2025-02-14 06:00:00", "2099-01-01 00:00:00"
UNIT = "\n  unit: object"


def names_of(count):
    """Keys of recordings in few folders and at the root, each with neighbours of nearly its name."""
    moving = [f"rec/{i % 5}/{i:03d}.ecal" for i in range(count)] + ["root.ecal", "rec/odd a%b.ecal"]
    staying = [key + end for key in moving for end in (".bak", "2")] + ["rec/1/cam.bin"]
    return moving, staying


def encoded(key):
    return key.replace("%", "%25").replace("?", "%3F").replace("#", "%23")


class Folders(Box):
    """A box of single objects: what moves, and young recordings and files of no row that stay."""

    def fill(self, count):
        self.policy(catalog=UNIT)
        self.moving, self.staying = names_of(count)
        self.rows = {}
        self.execute("CREATE INDEX by_name ON ecal (ecal_name)")
        for i, key in enumerate(self.moving + self.staying):
            self.put(key, os.urandom(2000))
            if key in self.moving or key.endswith(".bak"):
                when = OLD if key in self.moving else YOUNG
                self.rows[f"R{i:04d}"] = f"file://{self.hot}/{encoded(key)}"
                self.execute("INSERT INTO ecal VALUES (?, ?, ?, 0.001)", f"R{i:04d}",
                             self.rows[f"R{i:04d}"], when)

    def start(self, *words):
        environment = dict(os.environ, FROSTLINE_STATE_DIR=os.path.join(self.folder, "state"))
        return subprocess.Popen([FROSTLINE, *words], cwd=self.folder, env=environment,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                stdin=subprocess.DEVNULL)

    def locations(self):
        return dict(self.execute("SELECT ecal_id, ecal_name FROM ecal"))

    def check_rows(self):
        for location in self.locations().values():
            path = location[len("file://"):].replace("%23", "#").replace("%3F", "?")
            assert os.path.exists(path.replace("%25", "%")), location

    def check_exactly_moved(self):
        assert self.files(self.cold) == {key: self.objects[key] for key in self.moving}
        assert self.files(self.hot) == {key: self.objects[key] for key in self.staying}
        moved = {f"file://{self.hot}/{encoded(key)}" for key in self.moving}
        assert self.locations() == {
            ident: location.replace(self.hot, self.cold, 1) if location in moved else location
            for ident, location in self.rows.items()}


class Containers(Scene):
    """The same in two accounts."""

    def fill(self, count):
        self.moving, self.staying = names_of(count)
        self.gathering = True
        for i, key in enumerate(self.moving + self.staying):
            self.put(key, os.urandom(2000))
            if key in self.moving or key.endswith(".bak"):
                self.rows[f"R{i:04d}"] = key
                self.add_row(f"R{i:04d}", self.location(encoded(key)),
                             time=OLD if key in self.moving else YOUNG)
        self.gathering = False
        self.insert()

    def check_rows(self):
        odd = [ident for ident, key in self.rows.items() if "%" in key]
        self.check_whole(but=odd)

    def check_exactly_moved(self):
        assert self.held_by(self.target, self.cold) == {k: self.objects[k] for k in self.moving}
        assert self.held_by(self.source, self.hot) == {k: self.objects[k] for k in self.staying}
        for ident, location in self.locations().items():
            key = self.rows[ident]
            moves = key in self.moving
            account, container = ((self.target, self.cold) if moves else (self.source, self.hot))
            assert location == account.url(container, encoded(key)), (ident, location)


def check_plan(run, count):
    assert f"Plan: {count} recordings to move (" in run.out, run.out
    assert "director" not in run.out, run.out


def check_words(run, count):
    assert f"Moved {count} recordings (" in run.out, run.out
    assert f"{count} objects), deleted {count} sources" in run.out, run.out


def case_objects_move_from_folder_to_folder():
    with Folders() as box:
        box.fill(20)
        check_plan(box.run("plan", "--out", "x.plan").must(), 22)
        with open(os.path.join(box.folder, "x.plan")) as file:
            lines = [json.loads(line) for line in file]
        assert lines[0]["unit"] == "object"
        assert [line["directory"] for line in lines[1:-1]] == sorted(
            "hot:" + key for key in box.moving)
        check_words(box.run("apply", "x.plan", "--auto-approve").must(), 22)
        box.check_exactly_moved()
        assert "22 objects done" in box.run("status").must().out
        box.run("reconcile").must()
        assert "No moves" in box.run("plan").must().out
        box.check_exactly_moved()


def case_objects_move_from_account_to_account():
    with Containers("objects") as scene:
        scene.fill(150)
        scene.policy(catalog=UNIT)
        check_plan(scene.plan(), 152)
        check_words(scene.run("apply", "p.plan", "--auto-approve").must(), 152)
        scene.check_exactly_moved()
        scene.run("reconcile").must()
        scene.check_exactly_moved()


def kill_until_done(start, check_rows):
    rng = random.Random(int(os.environ.get("FROSTLINE_TEST_SEED", "1")))
    kills = 0
    for _ in range(100):
        process = start()
        try:
            process.wait(timeout=rng.uniform(0.02, 0.4) if kills < 8 else 120)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills += 1
            check_rows()
            continue
        finally:
            if process.stderr:
                process.stderr.close()
        assert process.returncode == 0, process.returncode
        break
    assert kills >= 2, f"only {kills} kills landed"


def case_a_reference_with_a_query_keeps_its_object_alone():
    with Containers("objrefs") as scene:
        scene.fill(3)
        table = f"training_{scene.name}"
        key = scene.moving[1]
        sql(f"CREATE TABLE {table} (file_url TEXT); "
            f"INSERT INTO {table} VALUES ('{scene.location(key)}?sv=1&sig=x'), "
            f"('{scene.location(scene.moving[0])}.bak');")
        try:
            scene.policy(catalog=UNIT + f"\n  references: [{{table: {table}, column: file_url}}]")
            scene.plan()
            applied = scene.run("apply", "p.plan", "--auto-approve").must()
            assert f"{key}   moved: referenced: a row of {table}" in applied.out, applied.out
            assert "deleted 4 sources" in applied.out, applied.out
            assert set(scene.source.names(scene.hot)) == set(scene.staying) | {key}
            sql(f"DELETE FROM {table};")
            scene.run("reap").must()
            scene.check_exactly_moved()
        finally:
            sql(f"DROP TABLE {table};")


def case_kill_9_between_folders():
    with Folders() as box:
        box.fill(300)
        box.run("plan", "--out", "x.plan").must()
        kill_until_done(lambda: box.start("apply", "x.plan", "--auto-approve"), box.check_rows)
        box.check_exactly_moved()
        assert not [name for _, _, files in os.walk(box.folder) for name in files
                    if name.startswith(".frostline-")]


def case_kill_9_between_accounts():
    with Containers("objkill") as scene:
        scene.fill(200)
        scene.policy(catalog=UNIT)
        scene.plan()
        kill_until_done(lambda: scene.start("apply", "p.plan", "--auto-approve"),
                        scene.check_rows)
        scene.check_exactly_moved()


def case_grace_then_a_row_that_came_back():
    with Folders() as box:
        box.fill(3)
        box.policy(after="1s", catalog=UNIT)
        box.run("plan", "--out", "x.plan").must()
        applied = box.run("apply", "x.plan", "--auto-approve").must()
        assert "5 sources wait" in applied.out, applied.out
        key = box.moving[0]
        box.execute("INSERT INTO ecal VALUES ('BACK', ?, ?, 1)", f"file://{box.hot}/{key}", YOUNG)
        time.sleep(1.2)
        box.run("reap").must(6)
        assert set(box.files(box.hot)) == set(box.staying) | {key}
        assert "rows-at-source" in box.run("status").must().out
        box.execute("DELETE FROM ecal WHERE ecal_id = 'BACK'")
        box.run("reap").must()
        box.check_exactly_moved()


def case_explain_asks_the_rows_of_the_object():
    with Folders() as box:
        box.fill(2)
        key = box.moving[0]

        def told(ident):
            return box.run("explain", ident, "--as-of", "2025-06-01").must().out

        assert f"hot:{key}\n  no other recording is of this object\n" in told("R0000")
        at = f"file://{box.hot}/{key}"
        box.execute("INSERT INTO ecal VALUES ('TWIN', ?, ?, 1), ('DIR', ?, ?, 1)", at, OLD,
                    at[:at.rindex("/") + 1], OLD)
        assert "1 other recording of this object: none is in the way: all move to cold by " \
            "age-out\n" in told("R0000")
        box.execute("UPDATE ecal SET recording_start_time = ? WHERE ecal_id = 'TWIN'", YOUNG)
        assert "1 other recording of this object: shared-object: " in told("R0000")
        assert "hot:rec/0/\n  not-a-file: it names a directory" in told("DIR")
        blocked = box.run("plan").must().out
        assert f"  ! hot:{key}   shared-object: TWIN is not selected\n" in blocked, blocked
        assert "  ! hot:rec/0/   not-a-file: it names a directory" in blocked, blocked


def case_a_policy_of_directories_waits_for_open_objects():
    with Folders() as box:
        box.fill(3)
        box.policy(after="1h", catalog=UNIT)
        box.run("plan", "--out", "x.plan").must()
        box.run("apply", "x.plan", "--auto-approve").must()
        box.policy(after="1h")
        box.execute("UPDATE ecal SET recording_start_time = ?", OLD)
        said = box.run("plan").must().out
        assert "rec/0/   open-unit: " in said and "moves rec/0/000.ecal from hot to cold" in said, said
        assert "to cold: cutover, grace\n" in said, said


if __name__ == "__main__":
    main(globals())
