#!/usr/bin/env python3
"""The doctor, where a file is the catalog and folders are the stores: it finds each fault, says how to
mend it, and leaves nothing behind."""
import contextlib
import fcntl
import json
import os
import shutil
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from box import FROSTLINE, Box
from findings import findings, only_failure
from scene import Run, main


def tree(folder):
    return sorted(os.path.join(path, name) for path, folders, names in os.walk(folder)
                  for name in folders + names)


class House(Box):
    """A box whose policy is not warned of."""

    def __init__(self):
        super().__init__()
        self.policy(after="7d")
        self.execute('CREATE INDEX by_location ON ecal (ecal_name)')
        self.add("R0", "rec/0/")
        self.state = os.path.join(self.folder, "state")

    def doctor(self, *words, code=0, environment=None):
        before = tree(self.hot), tree(self.cold)
        run = self.run("doctor", *words, environment=environment).must(code)
        assert before == (tree(self.hot), tree(self.cold)), tree(self.folder)
        return run

    def fails(self, check, code, *told):
        return only_failure(self.doctor("--format", "json", code=code), check, *told)

    def warns(self, check, *told):
        warned = findings(self.doctor("--format", "json"), "warning")
        assert list(warned) == [check], warned
        for text in told:
            assert text in warned[check]["text"], warned
        return warned[check]["fix"]

    def unprivileged(self, *words):
        """Even as root, one who may do what the modes of files say."""
        drop = (["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
                if os.getuid() == 0 else [])
        return Run(subprocess.run([*drop, FROSTLINE, "doctor", "--format", "json", *words],
                                  cwd=self.folder, env=self.environment(), capture_output=True,
                                  text=True, stdin=subprocess.DEVNULL, timeout=120))


def case_all_is_well():
    with House() as house:
        run = house.doctor()
        assert "the first run makes it" in run.out and "\n  x" not in run.out, run.out
        assert "catalog      rows: 1\n" in run.out and "SQLite 3" in run.out, run.out
        assert "clock" not in run.out and "batch" not in run.out and "encrypted" not in run.out
        assert not os.path.exists(house.state), "the doctor makes no state"
        house.run("apply", "--auto-approve").must()
        run = house.doctor()
        assert "1 apply, ended well 0m ago" in run.out and "sound, of version" in run.out, run.out
        assert house.doctor("-q").out == ""


def case_what_is_missing():
    with House() as house:
        shutil.rmtree(house.cold)
        os.mkdir(house.cold + "x")
        fix = only_failure(house.run("doctor", "--format", "json").must(65), "store.cold.reachable")
        subprocess.run(fix.split(), check=True)
        house.doctor()
        os.unlink(house.database)
        house.fails("catalog.reachable", 65)
        house.make_table()
        fix = house.warns("catalog.index")
        house.execute(fix)
        house.doctor("-q")


def case_what_may_not_be_written():
    with House() as house:
        house.run("apply", "--auto-approve").must()
        for path, check in ((house.cold, "store.cold.write"), (house.database, "catalog.write"),
                            (house.folder, "catalog.write"), (house.state, "state.folder")):
            before = os.stat(path).st_mode
            os.chmod(path, before & 0o555)
            run = house.unprivileged()
            os.chmod(path, before)
            only_failure(run.must(77), check)
        os.chmod(house.state, 0)
        run = house.unprivileged()
        os.chmod(house.state, 0o700)
        only_failure(run.must(77), "state.folder", "Permission denied")
        only_failure(house.run("doctor", "--format", "json", "--state", house.database).must(65),
                     "state.folder", "Not a directory")
        house.unprivileged().must()
        os.chmod(house.folder, 0o555)
        run = house.unprivileged("--state", "new/state")
        os.chmod(house.folder, 0o755)
        assert "state.folder" in findings(run.must(77), "failed"), run.out


def case_the_journal_is_damaged():
    with House() as house:
        for i in range(40):
            house.add(f"S{i}", f"rec/1/{i}/")
        house.run("apply", "--auto-approve").must()
        journal = os.path.join(house.state, "journal.db")
        kept = open(journal, "rb").read()
        with open(journal, "r+b") as file:
            for page in range(2, len(kept) // 4096):
                file.seek(page * 4096 + 8)
                file.write(b"damage damage damage")
        assert "backup" in house.fails("state.journal", 65, "damage")
        with open(journal, "wb") as file:
            file.write(b"no journal at all; " * 1000)
        house.fails("state.journal", 65)
        with open(journal, "wb") as file:
            file.write(kept)
        with sqlite3.connect(journal) as database:
            database.execute("PRAGMA user_version = 1000")
        house.fails("state.journal", 65, "newer")
        with open(journal, "wb") as file:
            file.write(kept)
        house.doctor()
        with sqlite3.connect(journal) as database:
            database.execute("UPDATE run SET ended_us = 0")
        assert "same command" in house.warns("state.last-run", "ended before its time")
        with sqlite3.connect(journal) as database:
            database.execute("UPDATE run SET ended_us = started_us, exit_code = 3")
        assert "status" in house.warns("state.last-run", "exit code 3")


@contextlib.contextmanager
def held(folder, line):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "run.lock"), "w") as file:
        file.write(line)
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def case_a_run_is_under_way():
    with House() as house:
        line = {"host": "node7", "pid": 42, "since": "2025-02-14T06:00:00Z", "what": "reconcile"}
        with held(house.state, json.dumps(line)):
            fix = house.warns("state.lock", "reconcile", "process 42 on node7")
        assert "--lock-wait" in fix, fix
        with held(house.state, ""):
            house.warns("state.lock", "a run holds it")
        house.doctor()


def case_a_disk_is_full():
    with House() as house:
        os.mkdir(house.state)
        if not house.tiny_disk("1m", house.state):
            return
        house.fails("state.space", 75, "a run wants")


def case_a_policy_is_wrong():
    with House() as house:
        path = os.path.join(house.folder, "frostline.yaml")
        with open(path) as file:
            good = file.read()
        with open(path, "w") as file:
            file.write(good.replace("older_than", "older_then"))
        house.fails("policy.reads", 65, "frostline.yaml:16: unknown", "`older_then`")
        with open(path, "w") as file:
            file.write(good.replace("after: 7d", "after: 0s"))
        assert "validate" in house.warns("policy.warnings", "1 warning")


def case_the_machine():
    with House() as house:
        run = house.doctor("--format", "json",
                           environment={"TZDIR": house.folder, "LC_ALL": "C", "LANG": "C.UTF-8"})
        assert sorted(findings(run, "warning")) == ["environment.locale", "environment.time-zones"]
        run = Run(subprocess.run(["bash", "-c", f"ulimit -n 200; {FROSTLINE} doctor --format json"],
                                 cwd=house.folder, env=house.environment(), capture_output=True,
                                 text=True, stdin=subprocess.DEVNULL)).must()
        assert "only 200" in findings(run, "warning")["environment.open-files"]["text"], run.out


if __name__ == "__main__":
    main(globals(), servers=False)
