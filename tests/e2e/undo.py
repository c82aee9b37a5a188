#!/usr/bin/env python3
"""Recordings go back in their grace, and once more to where they were moved after their catalog was
restored: with local folders and a SQLite catalog."""
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from box import FROSTLINE, Box
from scene import main


def filled(box, after="7d"):
    """Two recordings, moved in run 1; their rows as they were before."""
    box.policy(after=after)
    box.add("E1", "recording/2025-02-14/a/")
    box.add("E2", "recording/2025-02-15/b/")
    before = rows(box)
    box.run("reconcile").must()
    assert all(location.startswith(f"file://{box.cold}/") for _, location in rows(box))
    return before


def rows(box):
    return box.execute("SELECT ecal_id, ecal_name FROM ecal ORDER BY ecal_id")


def restore(box, before):
    """The catalog from a backup."""
    for ident, location in before:
        box.execute("UPDATE ecal SET ecal_name = ? WHERE ecal_id = ?", location, ident)


def edit_policy(box, old, new):
    path = os.path.join(box.folder, "frostline.yaml")
    with open(path) as file:
        text = file.read()
    assert old in text, text
    with open(path, "w") as file:
        file.write(text.replace(old, new))


def is_back(box, before):
    """Rows as they were, and every object at both ends."""
    assert rows(box) == before, rows(box)
    assert box.files(box.hot) == box.objects
    assert box.files(box.cold) == box.objects


def status(box):
    return json.loads(box.run("status", "--format", "json").must().out)


# -- back -----------------------------------------------------------------------------------------

def case_a_run_is_sent_back():
    with Box() as box:
        before = filled(box)
        moved = rows(box)
        refused = box.run("rollback", "1").must(5)
        assert "< hot:recording/2025-02-14/a/" in refused.out, refused.out
        assert "2 recordings in 2 directories to send back" in refused.out, refused.out
        assert "nobody approved" in refused.err, refused.err
        assert rows(box) == moved
        assert status(box)["in_grace"] == 2
        done = box.run("rollback", "1", "--auto-approve").must()
        assert "Sent back 2 directories." in done.out, done.out
        is_back(box, before)
        assert "2 rolled back" in box.run("status").must().out
        told = status(box)
        assert told["open"] == [] and told["in_grace"] == told["done"] == 0, told
        again = box.run("rollback", "1", "--auto-approve").must()
        assert "Nothing of run 1 waits at its source." in again.out, again.out
        is_back(box, before)


def case_a_plan_that_sends_back_is_reviewed_and_applied():
    with Box() as box:
        before = filled(box)
        saved = box.run("rollback", "1", "--out", "back.plan").must()
        assert "Next  frostline apply back.plan" in saved.out, saved.out
        assert "2 recordings in 2 directories to send back" in box.run("show", "back.plan").must().out
        plan = json.loads(box.run("show", "back.plan", "--format", "json").must().out)
        assert [action["action"] for action in plan["actions"]] == ["rollback"] * 2, plan
        box.run("apply", "back.plan").must(5)
        box.run("apply", "back.plan", "--expect", "sha256:" + "0" * 64).must(4)
        box.run("apply", "back.plan", "--expect", plan["end"]["digest"]).must()
        is_back(box, before)
        box.run("apply", "back.plan", "--auto-approve").must()
        is_back(box, before)
        # Nor does it send back what the next run moved.
        box.run("reconcile").must()
        moved = rows(box)
        box.run("apply", "back.plan", "--auto-approve").must()
        assert rows(box) == moved


def case_what_is_deleted_does_not_go_back():
    with Box() as box:
        before = filled(box, after="1s")
        box.run("rollback", "1", "--out", "back.plan").must()
        time.sleep(1.1)
        box.run("reap").must()
        box.check_moved()
        told = box.run("rollback", "1", "--auto-approve").must(3)
        assert "2 directories of run 1 can't be sent back" in told.err, told.err
        told = box.run("apply", "back.plan", "--auto-approve").must(3)
        assert "recording/2025-02-14/a/   stale" in told.out, told.out
        assert "2 stale" in told.out, told.out
        box.check_moved()
        assert before != rows(box)


def case_half_of_a_run_goes_back():
    with Box() as box:
        before = filled(box)
        moved = rows(box)
        with open(f"{box.hot}/recording/2025-02-14/a/file_0.bin", "ab") as file:
            file.write(b"more")
        told = box.run("rollback", "1", "--auto-approve").must(3)
        assert "recording/2025-02-14/a/   parked: no-way-back" in told.out, told.out
        assert rows(box) == [moved[0], before[1]]
        assert box.files(box.cold) == box.objects
        assert "1 parked" in box.run("status").must().out


def case_no_run_no_rollback():
    with Box() as box:
        filled(box)
        assert "holds no run 7" in box.run("rollback", "7").must(65).err
        for words in ([], ["0"], ["-1"], ["one"], ["99999999999999999999"]):
            box.run("rollback", *words).must(64)
        shutil.rmtree(os.path.join(box.folder, "state"))
        assert "holds no run 1" in box.run("rollback", "1", "--auto-approve").must(65).err


def case_what_was_sent_back_is_moved_again_when_the_policy_says_so():
    with Box() as box:
        before = filled(box)
        box.run("rollback", "1", "--auto-approve").must()
        assert "2 to move" in box.run("plan").must().out
        edit_policy(box, "    cleanup:", "    min_residency: 30d\n    cleanup:")
        stays = box.run("plan").must()
        assert "2 blocked -> 0 to move" in stays.out and "min-residency" in stays.out, stays.out
        box.run("reconcile").must()
        is_back(box, before)
        edit_policy(box, "    min_residency: 30d\n", "")
        box.run("reconcile").must()
        box.policy(after="0s")
        assert box.files(box.cold) == box.objects
        assert all(location.startswith(f"file://{box.cold}/") for _, location in rows(box))


def case_a_source_that_changed_after_a_rollback_is_what_moves():
    with Box() as box:
        filled(box, after="7d")
        box.run("rollback", "1", "--auto-approve").must()
        box.put("recording/2025-02-14/a/file_0.bin", b"a new version")
        box.policy(after="0s")
        box.run("reconcile").must()
        box.check_moved()


def case_both_stores_set_their_columns():
    with Box() as box:
        box.execute("ALTER TABLE ecal ADD class TEXT DEFAULT 'hot'")
        box.execute("ALTER TABLE ecal ADD note TEXT DEFAULT 'mine'")
        insert = box.execute
        box.execute = lambda text, *values: insert(
            text.replace("INSERT INTO ecal VALUES",
                         "INSERT INTO ecal (ecal_id, ecal_name, recording_start_time, size_gb) VALUES"),
            *values)
        box.policy(after="7d")
        edit_policy(box, f"path: {box.hot}}}", f"path: {box.hot}, set: {{class: hot}}}}")
        edit_policy(box, f"path: {box.cold}}}", f"path: {box.cold}, set: {{class: cold}}}}")
        box.add("E1", "recording/2025-02-14/a/")
        box.run("reconcile").must()
        assert box.execute("SELECT class, note FROM ecal") == [("cold", "mine")]
        box.run("rollback", "1", "--auto-approve").must()
        assert box.execute("SELECT class, note FROM ecal") == [("hot", "mine")]


def case_a_store_that_is_gone_from_the_policy():
    with Box() as box:
        filled(box)
        moved = rows(box)
        other = os.path.join(box.folder, "other")
        os.mkdir(other)
        edit_policy(box, f"path: {box.hot}}}", f"path: {other}}}")
        box.run("rollback", "1", "--auto-approve").must(3)
        assert rows(box) == moved


def case_a_rollback_that_was_killed_goes_on():
    with Box() as box:
        before = filled(box)
        moved = rows(box)
        environment = dict(os.environ, FROSTLINE_STATE_DIR=os.path.join(box.folder, "state"))
        blocker = sqlite3.connect(box.database, isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")  # it can look, and not write
        process = subprocess.Popen([FROSTLINE, "rollback", "1", "--auto-approve"], cwd=box.folder,
                                   env=environment, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        journal = os.path.join(box.folder, "state", "journal.db")
        for _ in range(200):
            with sqlite3.connect(f"file:{journal}?mode=ro", uri=True, timeout=10) as reader:
                if reader.execute("SELECT count(*) FROM unit WHERE state = 'returning'").fetchone()[0]:
                    break
            time.sleep(0.05)
        else:
            raise AssertionError("nothing is returning")
        process.send_signal(signal.SIGKILL)
        process.wait()
        blocker.execute("ROLLBACK")
        blocker.close()
        assert rows(box) == moved
        assert "under way" in box.run("status").must().out
        assert "returning" in {unit["state"] for unit in status(box)["open"]}
        plan = box.run("plan").must().out
        assert "repair" not in plan, plan
        box.run("rollback", "1", "--auto-approve").must()
        is_back(box, before)


# -- once more ------------------------------------------------------------------------------------

def case_a_catalog_from_a_backup_is_repaired():
    with Box() as box:
        before = filled(box, after="0s")
        box.check_moved()
        restore(box, before)
        plan = box.run("plan", "--out", "x.plan").must()
        assert "~ hot:recording/2025-02-14/a/   1 recording came back" in plan.out, plan.out
        assert "no recordings to move, 2 to repair" in plan.out, plan.out
        assert rows(box) == before
        done = box.run("apply", "x.plan", "--auto-approve").must()
        assert "repaired 2 directories" in done.out, done.out
        box.check_moved()
        again = box.run("apply", "x.plan", "--auto-approve").must()
        assert "repaired" not in again.out and "2 there before" in again.out, again.out
        assert "No moves" in box.run("plan").must().out
        # Once more, after the repair.
        restore(box, before)
        box.run("reconcile").must()
        box.check_moved()


def case_what_is_not_whole_is_not_repaired():
    with Box() as box:
        before = filled(box, after="0s")
        restore(box, before)
        box.run("plan", "--out", "x.plan").must()
        os.unlink(f"{box.cold}/recording/2025-02-14/a/file_1.bin")
        told = box.run("apply", "x.plan", "--auto-approve").must(3)
        assert "recording/2025-02-14/a/   stale" in told.out, told.out
        after = dict(rows(box))
        assert after["E1"] == dict(before)["E1"]
        assert after["E2"].startswith(f"file://{box.cold}/")
        plan = box.run("plan").must()
        assert "to repair" not in plan.out and "source-missing" in plan.out, plan.out


def case_rows_that_came_back_in_the_grace():
    with Box() as box:
        before = filled(box, after="1s")
        restore(box, before)
        time.sleep(1.1)
        parked = box.run("reap").must(6)
        assert "rows-at-source" in parked.out, parked.out
        assert box.files(box.hot) == box.objects
        assert "2 parked" in box.run("status").must().out
        assert {unit["reason"] for unit in status(box)["open"]} == {"rows-at-source"}
        done = box.run("reconcile").must()
        assert "repaired 2 directories" in done.out, done.out
        assert "2 in grace" in box.run("status").must().out
        time.sleep(1.1)
        box.run("reap").must()
        box.check_moved()


def case_rows_that_came_back_may_stay():
    """Whoever restores the catalog and wants it so says rollback."""
    with Box() as box:
        before = filled(box)
        restore(box, before)
        assert "2 to repair" in box.run("plan").must().out
        box.run("rollback", "1", "--auto-approve").must()
        is_back(box, before)
        assert "to repair" not in box.run("plan").must().out


def case_a_lost_journal_repairs_nothing():
    with Box() as box:
        before = filled(box, after="0s")
        restore(box, before)
        shutil.rmtree(os.path.join(box.folder, "state"))
        plan = box.run("plan").must()
        assert "to repair" not in plan.out and "source-missing" in plan.out, plan.out
        box.run("reconcile")
        assert rows(box) == before
        assert box.files(box.cold) == box.objects


def case_a_recording_has_a_history():
    with Box() as box:
        filled(box, after="1d")
        ident = box.execute("SELECT min(ecal_id) FROM ecal")[0][0]
        box.run("rollback", "1", "--auto-approve").must()
        box.policy(after="0s")
        box.run("reconcile", "-q").must()
        told = box.run("history", ident).must().out
        assert told.index("rolled-back\n") < told.index("  done\n"), told
        assert told.count("   hot -> cold   run ") == 2, told
        units = json.loads(box.run("history", ident, "--format", "json").must().out)["units"]
        states = [[event["state"] for event in unit["events"]] for unit in units]
        assert states == [["copying", "verifying", "committing", "cutover", "returning", "rolled-back"],
                          ["copying", "verifying", "committing", "cutover", "deleting", "sweeping",
                           "done"]], states
        assert "Nothing was ever done to X" in box.run("history", "X").must().out
        box.run("history").must(64)
    with Box() as box:
        assert "Nothing was ever done to X" in box.run("history", "X").must().out


if __name__ == "__main__":
    main(globals(), servers=False)
