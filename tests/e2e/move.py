#!/usr/bin/env python3
"""Recordings move between two Azure accounts, with PostgreSQL as their catalog."""
import fcntl
import json
import os
import random
import signal
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from blobs import changes
from scene import Scene, main, sql

LOG = os.environ.get("AZURITE_ACCESS_LOG", "")


def case_plan_show_apply_then_nothing():
    with Scene("move") as scene:
        scene.fill(40, blobs=10)
        scene.policy()
        plan = scene.plan()
        assert "40 recordings to move" in plan.out, plan.out
        assert "frostline apply p.plan" in plan.out, plan.out
        scene.check_untouched()
        shown = scene.run("show", "p.plan").must()
        assert "Plan: 40 recordings to move" in shown.out, shown.out
        document = json.loads(scene.run("show", "p.plan", "--format", "json").must().out)
        assert document["format_version"] == 1 and len(document["actions"]) == 40
        scene.run("apply", "p.plan", "--auto-approve").must()
        scene.check_moved()
        mark = changes(LOG)[1]
        again = scene.run("apply", "p.plan", "--auto-approve").must()
        assert "Moved 0 recordings" in again.out, again.out
        scene.run("reconcile").must()
        assert "No moves" in scene.run("plan").must().out
        assert changes(LOG, mark)[0] == 0, "a finished plan sent requests that change something"
        scene.check_moved()


def case_the_digest_is_the_approval():
    with Scene("expect") as scene:
        scene.fill(2)
        scene.policy()
        scene.plan()
        scene.run("apply", "p.plan").must(5)
        scene.run("apply", "p.plan", "--expect", "sha256:" + "0" * 64).must(4)
        scene.check_untouched()
        document = json.loads(scene.run("show", "p.plan", "--format", "json").must().out)
        scene.run("apply", "p.plan", "--expect", document["end"]["digest"]).must()
        scene.check_moved()


def case_each_level_of_verification():
    for verify in ("size", "checksum", "readback"):
        with Scene("verify") as scene:
            scene.fill(3)
            scene.put("recording/2025-02-01/session_0/00000/empty", b"")
            scene.put("recording/2025-02-01/session_0/00000/big", os.urandom(5_000_000))
            scene.policy(verify=verify)
            scene.plan()
            scene.run("apply", "p.plan", "--auto-approve").must()
            scene.check_moved()


def case_grace_then_reap():
    with Scene("grace") as scene:
        scene.fill(3)
        scene.policy(after="3s")
        scene.plan()
        applied = scene.run("apply", "p.plan", "--auto-approve").must()
        assert "3 sources wait" in applied.out, applied.out
        assert len(scene.source.names(scene.hot)) == 9 and len(scene.target.names(scene.cold)) == 9
        status = scene.run("status").must()
        assert "3 in grace" in status.out, status.out
        time.sleep(4)
        assert "3 sources to delete" in scene.run("plan").must().out
        scene.run("reap").must()
        scene.check_moved()


def locations_at(scene, account, container):
    return {ident: account.url(container, key) for ident, key in scene.rows.items()}


def case_a_run_is_sent_back_and_moved_again():
    with Scene("back") as scene:
        scene.fill(12)
        scene.policy(after="7d")
        scene.run("reconcile").must()
        assert scene.locations() == locations_at(scene, scene.target, scene.cold)
        mark = changes(LOG)[1]
        done = scene.run("rollback", "1", "--auto-approve").must()
        assert "Sent back 12 directories." in done.out, done.out
        assert scene.locations() == locations_at(scene, scene.source, scene.hot)
        assert scene.held_by(scene.source, scene.hot) == scene.objects
        assert scene.held_by(scene.target, scene.cold) == scene.objects
        assert changes(LOG, mark)[0] == 0, "rows went back, and a store was written to"
        # One of them changes, and the next move takes all from where they are.
        changed = next(iter(scene.rows.values()))
        scene.put(changed, b"another version")
        scene.policy(after="0s")
        scene.run("reconcile").must()
        scene.check_moved()


def case_a_restored_catalog_is_repaired():
    """Once with the sources deleted, and once in their grace, parked by a run in between."""
    for after, code in (("0s", 0), ("2s", 6)):
        with Scene("again") as scene:
            scene.fill(12)
            scene.policy(after=after)
            scene.run("reconcile").must()
            for ident, key in scene.rows.items():
                sql(f"UPDATE {scene.table} SET ecal_name = '{scene.location(key)}' "
                    f"WHERE ecal_id = '{ident}';")
            time.sleep(3.2 if code else 0)  # a Date has whole seconds
            scene.run("reap").must(code)
            plan = scene.plan()
            assert "12 to repair" in plan.out, plan.out
            assert {action["action"] for action in scene.actions()} == {"repair"}
            mark = changes(LOG)[1]
            done = scene.run("apply", "p.plan", "--auto-approve").must()
            assert "repaired 12 directories" in done.out, done.out
            assert changes(LOG, mark)[0] == 0, "rows moved, and a store was written to"
            assert scene.locations() == locations_at(scene, scene.target, scene.cold)
            scene.run("apply", "p.plan", "--auto-approve").must()
            time.sleep(3.2 if code else 0)  # a Date has whole seconds
            scene.run("reap").must()
            scene.check_moved()


def case_keep_source():
    with Scene("keep") as scene:
        scene.fill(2)
        scene.policy()
        scene.plan()
        scene.run("apply", "p.plan", "--auto-approve", "--keep-source").must()
        assert scene.held_by(scene.source, scene.hot) == scene.objects
        assert scene.held_by(scene.target, scene.cold) == scene.objects


def case_a_referenced_source_stays():
    with Scene("refs") as scene:
        scene.fill(3)
        table = f"training_{scene.name}"
        sql(f"DROP TABLE IF EXISTS {table}; CREATE TABLE {table} (file_url TEXT);")
        try:
            name = scene.rows["ECAL_00001"]
            directory = name[:name.rindex("/") + 1]
            sql(f"INSERT INTO {table} VALUES ('{scene.location(directory)}cam_00.h264');")
            scene.policy(catalog=f"\n  references: [{{table: {table}, column: file_url}}]")
            scene.plan()
            applied = scene.run("apply", "p.plan", "--auto-approve").must()
            assert f"moved: referenced: a row of {table} has it in `file_url`" in applied.out, (
                applied.out)
            assert "deleted 2 sources" in applied.out, applied.out
            assert scene.locations() == {i: scene.target.url(scene.cold, key)
                                         for i, key in scene.rows.items()}
            there = {key for key in scene.objects if key.startswith(directory)}
            assert set(scene.source.names(scene.hot)) == there
            assert scene.held_by(scene.target, scene.cold) == scene.objects

            status = scene.run("status").must()
            assert f"{directory}   hot -> cold   cutover: referenced" in status.out, status.out
            assert "`catalog.references`" in status.out, status.out
            scene.run("reap").must()
            assert set(scene.source.names(scene.hot)) == there

            sql(f"ALTER TABLE {table} RENAME TO {table}_gone;")
            scene.run("reap").must(65)
            sql(f"ALTER TABLE {table}_gone RENAME TO {table};")
            assert set(scene.source.names(scene.hot)) == there

            sql(f"UPDATE {table} SET file_url = '{scene.target.url(scene.cold, name)}';")
            scene.run("reap").must()
            scene.check_moved()
        finally:
            sql(f"DROP TABLE IF EXISTS {table};")


def set_in(path, columns):
    """The cold store sets these."""
    with open(path) as file:
        head, tail = file.read().rsplit("\npolicies:", 1)
    with open(path, "w") as file:
        file.write(head.rstrip("\n") + f"\n    set: {{{columns}}}\npolicies:" + tail)


def case_a_target_sets_columns_of_what_comes_there():
    with Scene("set") as scene:
        sql(f"CREATE TYPE class_{scene.name} AS ENUM ('hot', 'cold'); ALTER TABLE {scene.table} "
            f"ADD class class_{scene.name} NOT NULL DEFAULT 'hot', ADD copies INTEGER DEFAULT 1, "
            f"ADD checked TIMESTAMP DEFAULT '2025-01-01', ADD note VARCHAR(8) DEFAULT 'x';")
        scene.fill(12)
        scene.add("YOUNG", "recording/2099-01-01/", time="2099-01-01 00:00:00")
        refused = (("class: Cold", "FL0324", "invalid input value for enum"),
                   ("copies: two", "FL0324", "invalid input syntax for type integer"),
                   ("note: much too long", "FL0324", "too long for character varying(8)"),
                   ("clas: cold", "FL0320", "= help: did you mean `class`?"),
                   ("class: null", "FL0324", "`class` can't be set: it may not be NULL"))
        for wrong, code, said in refused:
            set_in(scene.policy(), wrong)
            for words in (["plan", "--out", "x.plan"], ["apply", "--auto-approve"]):
                run = scene.run(*words).must(65)
                assert f"error[{code}]: " in run.err and said in run.err, run.err
        # All of them at once, where they stand.
        set_in(scene.policy(), ",\n      ".join(wrong for wrong, _, _ in refused[:4]))
        run = scene.run("validate", "--online", "--format", "json").must(65)
        found = [it for it in json.loads(run.out)["diagnostics"] if it["severity"] == "error"]
        assert [it["code"] for it in found] == [code for _, code, _ in refused[:4]], found
        assert [it["line"] - found[0]["line"] for it in found] == [0, 1, 2, 3], found
        assert scene.run("plan").must(65).err.count("\nerror[") == 4
        scene.check_untouched()
        set_in(scene.policy(), "class: cold, copies: 2, checked: null, note: \"it's\"")
        scene.plan()
        scene.run("apply", "p.plan", "--auto-approve").must()
        rows = sql(f"SELECT ecal_id, class, copies, checked IS NULL, note FROM {scene.table};")
        assert len(rows) == 13
        for ident, *values in rows:
            stays = ident == "YOUNG"
            assert values == (["hot", "1", "f", "x"] if stays else ["cold", "2", "t", "it's"]), rows
            account, container = ((scene.source, scene.hot) if stays else
                                  (scene.target, scene.cold))
            wanted = account.url(container, scene.rows[ident])
            assert scene.locations()[ident] == wanted, ident
        assert "No moves" in scene.run("plan").must().out
        sql(f"DROP TABLE {scene.table}; DROP TYPE class_{scene.name};")


def case_keys_with_every_legal_character():
    odd = "recording/2025-02-14/a b+c&d=e;f,g'h(i)j!k~l$m@n:o%p?q#r[s]t{u}\u00e4\u65e5\U0001f697/"
    with Scene("keys") as scene:
        names = ["x.ecalmeas", "%41", "a%2Fb", "q?x=1&y", "frag#ment", "tab-free", "<&>\"'"]
        for name in names:
            scene.put(odd + name, name.encode())
        encoded = odd.replace("%", "%25").replace("?", "%3F").replace("#", "%23")
        scene.rows["ODD"] = encoded + "x.ecalmeas"
        scene.add_row("ODD", scene.location(encoded + "x.ecalmeas"))
        scene.policy()
        scene.plan()
        scene.run("apply", "p.plan", "--auto-approve").must()
        scene.check_moved()


def case_kill_9_at_random_times():
    rng = random.Random(int(os.environ.get("FROSTLINE_TEST_SEED", "1")))
    with Scene("kill") as scene:
        scene.fill(60, blobs=10)
        scene.policy()
        scene.plan()
        kills = 0
        for _ in range(200):
            process = scene.start("apply", "p.plan", "--auto-approve")
            try:
                process.wait(timeout=rng.uniform(0.05, 0.6) if kills < 10 else 120)
            except Exception:
                process.send_signal(signal.SIGKILL)
                process.wait()
                kills += 1
                scene.check_whole()
                continue
            finally:
                errors = process.stderr.read()
                process.stderr.close()
            assert process.returncode == 0, errors
            break
        assert kills >= 3, f"only {kills} kills landed"
        scene.check_moved()


def case_interrupted_then_resumed():
    with Scene("int") as scene:
        scene.fill(60, blobs=10)
        scene.policy()
        scene.plan()
        process = scene.start("apply", "p.plan", "--auto-approve")
        time.sleep(0.4)
        process.send_signal(signal.SIGINT)
        errors = process.communicate(timeout=60)[1]
        assert process.returncode in (130, 0), (process.returncode, errors)
        scene.check_whole()
        scene.run("apply", "p.plan", "--auto-approve").must()
        scene.check_moved()


def case_a_held_lock_refuses():
    with Scene("held") as scene:
        scene.fill(1)
        scene.policy()
        scene.plan()
        scene.run("reap").must()  # makes the state folder
        with open(os.path.join(scene.folder, "state", "run.lock")) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            scene.run("apply", "p.plan", "--auto-approve").must(8)
            scene.check_untouched()
        scene.run("apply", "p.plan", "--auto-approve").must()
        scene.check_moved()


def case_one_run_at_a_time():
    with Scene("lock") as scene:
        scene.fill(60, blobs=10)
        scene.policy()
        scene.plan()
        first = scene.start("apply", "p.plan", "--auto-approve")
        time.sleep(0.25)
        second = scene.run("apply", "p.plan", "--auto-approve")
        first.communicate(timeout=120)
        if second.code != 0:
            second.must(8)
            assert str(first.pid) in second.err, second.err
        assert first.returncode == 0
        scene.check_moved()


if __name__ == "__main__":
    main(globals())
