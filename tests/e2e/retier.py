#!/usr/bin/env python3
"""Two stores are one container with two access tiers: recordings change their tier where they are."""
import hashlib
import os
import re
import shutil
import signal
import sqlite3
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from blobs import changes
from scene import Scene, main, sql

LOG = os.environ.get("AZURITE_ACCESS_LOG", "")
COOL_DOWN = """
  - name: cool-down
    target: cool
    select: {older_than: 30d}
"""


class Tiers(Scene):
    """hot and cool are the source's container."""

    def policies(self, policies, holds=""):
        path = self.policy()
        with open(path) as file:
            text = file.read()
        container = f"    container: {self.hot}\n"
        cool = ("    tier: hot\n  cool:\n    type: azure\n"
                "    connection_string: ${SOURCE_AZURE_CONNECTION_STRING}\n"
                f"{container}    tier: cool\n")
        head = text[:text.index("policies:")].replace(container, container + cool)
        with open(path, "w") as file:
            file.write(head + "defaults: {cleanup: {source: delete, after: 0s}}\n" + holds +
                       "policies:" + policies)

    def check_tiers(self, tier):
        tiers = self.source.tiers(self.hot)
        assert len(tiers) == len(self.objects) and set(tiers.values()) == {tier}, tiers
        self.check_untouched()


def case_the_tier_changes_and_nothing_else():
    with Tiers("tiers") as scene:
        scene.fill(30, blobs=10)
        scene.policies(COOL_DOWN)
        plan = scene.plan("-v")
        assert "INFO - surveyed requests=1 flat=1 objects=300" in plan.err, plan.err
        assert "Plan: 30 recordings to retier" in plan.out, plan.out
        assert "\n  ^ hot:recording/2025-02-01/" in plan.out, plan.out
        assert {action["action"] for action in scene.actions()} == {"retier"}
        mark = changes(LOG)[1]
        applied = scene.run("apply", "p.plan", "--auto-approve").must()
        assert "set the tier of 30 directories" in applied.out, applied.out
        scene.check_tiers("Cool")
        sent, mark = changes(LOG, mark)
        assert sent <= 2 + 30 * 10 // 100, f"{sent} requests that change something"
        again = scene.run("apply", "p.plan", "--auto-approve").must()
        assert "Moved 0 recordings" in again.out and "set the tier" not in again.out, again.out
        assert "No moves" in scene.run("plan").must().out
        scene.run("reconcile").must()
        assert changes(LOG, mark)[0] == 0, "a finished plan sent requests that change something"
        why = scene.run("explain", "ECAL_00000").must().out
        assert f"ECAL_00000  cool:{scene.rows['ECAL_00000']}" in why, why
        assert "stays: in place: cool-down" in why, why


def case_a_restore_sets_the_tier_back():
    """hot and cool have one location: which of them it is, only the journal tells."""
    with Tiers("back") as scene:
        scene.fill(3)
        scene.policies(COOL_DOWN)
        scene.run("reconcile").must()
        scene.check_tiers("Cool")
        some = ["ECAL_00000", "ECAL_00001"]
        assert "No moves" in scene.run("restore", *some, "--to", "cool", "--auto-approve").must().out
        shown = scene.run("restore", *some, "--to", "hot", "--auto-approve").must().out
        assert "2 recordings to retier" in shown and "set the tier of 2" in shown, shown
        keys = {scene.rows[ident].rsplit("/", 1)[0] for ident in some}
        for key, tier in scene.source.tiers(scene.hot).items():
            assert tier == ("Hot" if key.rsplit("/", 1)[0] in keys else "Cool"), (key, tier)
        scene.check_untouched()
        assert "2 recordings to retier" in scene.run("plan").must().out
        scene.run("restore", *scene.rows, "--to", "hot", "--auto-approve").must()
        scene.check_tiers("Hot")


def case_a_lost_journal_is_made_good_by_a_listing():
    with Tiers("lost") as scene:
        scene.fill(5)
        scene.policies(COOL_DOWN)
        scene.run("reconcile").must()
        shutil.rmtree(os.path.join(scene.folder, "state"))
        mark = changes(LOG)[1]
        plan = scene.run("plan").must()
        assert "No moves" in plan.out and "5 already there" in plan.out, plan.out
        scene.run("plan", "--survey", "none", "--out", "p.plan").must()
        scene.run("apply", "p.plan", "--auto-approve").must()
        assert changes(LOG, mark)[0] == 0, "what was right already was set again"
        scene.check_tiers("Cool")
        shutil.rmtree(os.path.join(scene.folder, "state"))
        assert "hot:" in scene.run("explain", "ECAL_00000").must().out
        scene.run("reconcile").must()
        assert "cool:" in scene.run("explain", "ECAL_00000").must().out, "it was not written down"


def case_what_is_in_place_unknown_starves_no_guard():
    with Tiers("guard") as scene:
        scene.fill(3)
        keys = [scene.rows[f"ECAL_0000{i}"] for i in range(3)]
        for key in keys[:2]:
            for name in scene.source.names(scene.hot, os.path.dirname(key) + "/"):
                scene.source.set_tier(scene.hot, name, "Cool")
        scene.policies(COOL_DOWN.rstrip() +
                       "\n    guards: {max_recordings: 2, on_exceed: truncate}\n")
        scene.run("reconcile").must()  # sees that the two oldest are there, and writes it down
        assert scene.source.tiers(scene.hot)[keys[2]] == "Hot"
        scene.run("reconcile").must()
        scene.check_tiers("Cool")


def case_status_has_the_sign_of_a_retier():
    with Tiers("status") as scene:
        scene.fill(1)
        scene.policies(COOL_DOWN)
        scene.run("reconcile").must()
        with sqlite3.connect(os.path.join(scene.folder, "state", "journal.db")) as journal:
            journal.execute("UPDATE unit SET state = 'tiering', open = 1")
        status = scene.run("status").must().out
        assert "  ^ recording/2025-02-01/session_0/00000/   hot -> cool   tiering" in status, status


def case_what_was_cooled_moves_on_and_comes_back():
    with Tiers("chain") as scene:
        scene.fill(4)
        scene.policies(COOL_DOWN)
        scene.run("reconcile").must()
        scene.policies("\n  - {name: off, from: cool, target: cold, select: {older_than: 90d}}\n")
        plan = scene.plan()
        assert "Plan: 4 recordings to move" in plan.out, plan.out
        assert scene.actions()[0]["directory"].startswith("cool:"), scene.actions()[0]
        scene.run("apply", "p.plan", "--auto-approve").must()
        scene.check_moved()
        scene.policies("\n  - {name: back, target: cool, select: {older_than: 90d}}\n")
        scene.run("reconcile").must()
        scene.check_tiers("Cool")
        assert "No moves" in scene.run("plan").must().out


def case_a_hold_on_one_store_of_the_place_holds_there():
    with Tiers("held") as scene:
        scene.fill(2)
        off = "\n  - {name: off, target: cold, select: {older_than: 90d}}\n"
        back = "\n  - {name: back, target: cool, select: {older_than: 90d}}\n"
        scene.policies(off)
        scene.run("reconcile").must()
        scene.check_moved()
        scene.policies(back, "holds: [{name: inquiry, reason: r, select: {store: cool}}]\n")
        held = scene.run("reconcile").must()
        assert "held" in held.out, held.out
        assert len(scene.target.names(scene.cold)) == 6, "a held source was deleted"
        scene.policies(back, "holds: [{name: inquiry, reason: r, select: {store: hot}}]\n")
        scene.run("reconcile").must()
        scene.check_tiers("Cool")


def case_what_changed_behind_the_plan_is_stale():
    with Tiers("stale") as scene:
        scene.fill(4)
        scene.policies(COOL_DOWN)
        scene.plan()
        directory = os.path.dirname(scene.rows["ECAL_00001"])
        scene.put(f"{directory}/late", b"late")
        sql(f"UPDATE {scene.table} SET ecal_name = ecal_name || '.x' "
            "WHERE ecal_id = 'ECAL_00002';")
        applied = scene.run("apply", "p.plan", "--auto-approve").must(3)
        assert "set the tier of 2 directories" in applied.out, applied.out
        assert "2 stale" in applied.out, applied.out
        tiers = scene.source.tiers(scene.hot)
        cool = {os.path.dirname(key) for key, tier in tiers.items() if tier == "Cool"}
        assert cool == {os.path.dirname(scene.rows[f"ECAL_0000{i}"]) for i in (0, 3)}, cool


def case_nothing_is_taken_out_of_the_archive():
    with Tiers("archive") as scene:
        scene.fill(3)
        scene.policies(COOL_DOWN)
        key = scene.rows["ECAL_00001"]
        scene.source.set_tier(scene.hot, key, "Archive")
        blocked = scene.plan()
        assert "archived: 1 of its objects is in the archive tier" in blocked.out, blocked.out
        scene.plan("--survey", "none")
        applied = scene.run("apply", "p.plan", "--auto-approve").must(3)
        assert "archived" in applied.out and "set the tier of 2 directories" in applied.out
        assert scene.source.tiers(scene.hot)[key] == "Archive"


def case_a_plan_with_another_tier_than_its_policy_is_refused():
    with Tiers("forged") as scene:
        scene.fill(1)
        scene.policies(COOL_DOWN)
        scene.plan()
        path = os.path.join(scene.folder, "p.plan")
        with open(path) as file:
            lines = file.read().splitlines(keepends=True)
        for tier, code, said in (("hot", 65, "that is not that of cool"), ("archive", 65, '"tier"')):
            lines[1] = re.sub('"tier":"[a-z]+"', f'"tier":"{tier}"', lines[1])
            digest = hashlib.sha256("".join(lines[:-1]).encode()).hexdigest()
            lines[-1] = re.sub("sha256:[0-9a-f]{64}", f"sha256:{digest}", lines[-1])
            with open(path, "w") as file:
                file.write("".join(lines))
            refused = scene.run("apply", "p.plan", "--auto-approve").must(code)
            assert said in refused.err, refused.err
        assert set(scene.source.tiers(scene.hot).values()) == {"Hot"}
        scene.plan()
        scene.run("apply", "p.plan", "--auto-approve").must()
        scene.check_tiers("Cool")


def case_killed_at_any_time_it_goes_on():
    with Tiers("killed") as scene:
        scene.fill(60, blobs=10, size=10)
        scene.policies(COOL_DOWN)
        scene.plan()
        for delay in (0.02, 0.05, 0.08, 0.12, 0.2):
            process = scene.start("apply", "p.plan", "--auto-approve")
            time.sleep(delay)
            process.send_signal(signal.SIGKILL)
            process.communicate()
        scene.run("apply", "p.plan", "--auto-approve").must()
        scene.check_tiers("Cool")
        assert "No moves" in scene.run("plan").must().out


main(globals())
