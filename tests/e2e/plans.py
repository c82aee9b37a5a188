#!/usr/bin/env python3
"""A plan can be trusted: the same input gives the same bytes, what can't be read to the end gives no
plan at all, and what was reviewed is what runs."""
import json
import os
import random
import re
import resource
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from between import Pages, Wire
from box import FROSTLINE, Box
from scene import Scene, main, sql

AS_OF = "2025-06-01T00:00:00Z"


def read(place, name="p.plan"):
    with open(os.path.join(place.folder, name), "rb") as file:
        return file.read()


def edit(place, name, *changes):
    path = os.path.join(place.folder, name)
    with open(path) as file:
        text = file.read()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    with open(path, "w") as file:
        file.write(text)


def left(place):
    """All files, but for the journal's folder."""
    return sorted(name for name in os.listdir(place.folder) if name != "state")


def digest(scene, name="p.plan"):
    document = json.loads(scene.run("show", name, "--format", "json").must().out)
    return document["end"]["digest"]


# -- the same input gives the same bytes -----------------------------------------------------------


def steady(lines):
    """All but who made it, when and where."""
    made = json.loads(lines[-1])
    del made["made"]
    return lines[:-1], made


def planned(place, *words, **options):
    """A new plan, as far as it is the same wherever and whenever it is made."""
    path = os.path.join(place.folder, "again.plan")
    if os.path.exists(path):
        os.unlink(path)
    place.run("plan", "--as-of", AS_OF, "--out", path, *words, **options).must()
    return steady(read(place, "again.plan").splitlines())


def fill(scene):
    """Of everything that a plan can say something."""
    scene.fill(12, blobs=4)
    scene.gathering = True
    scene.add_row("SHARED", scene.location("recording/2025-02-01/session_3/00003/x"),
                  time="2099-01-01 00:00:00")
    scene.add_row("GONE", scene.location("recording/2025-02-14/gone/x"))
    scene.add_row("ODD", scene.location("recording/2025-02-01//session_4/00004/x"))
    scene.add_row("ODDER", scene.location("recording/2025-02-01/./session_4/00004/x"))
    for i in range(12):
        scene.add_row(f"FOREIGN_{i}", f"https://elsewhere.example/{i % 5}/x")
    scene.insert()
    scene.gathering = False


def reinsert(scene, seed):
    """The same rows in another order, and where deleted ones lay before."""
    values = [row[0] for row in sql(f"SELECT quote_literal({scene.table}::text) FROM {scene.table};")]
    random.Random(seed).shuffle(values)
    sql(f"DELETE FROM {scene.table} WHERE ecal_id < 'F'; VACUUM {scene.table};"
        f"DELETE FROM {scene.table};" +
        "".join(f"INSERT INTO {scene.table} SELECT ({value}::{scene.table}).*;" for value in values))


def case_rows_in_any_order_give_the_same_bytes():
    with Scene("same") as scene:
        fill(scene)
        scene.policy()
        first = planned(scene)
        actions = [json.loads(line) for line in first[0][1:]]
        reasons = {action.get("reason") for action in actions}
        assert {"shared-directory", "source-missing", "spelling", None} <= reasons, reasons
        for seed in range(3):
            reinsert(scene, seed)
            assert planned(scene) == first, seed
        sql(f"CLUSTER {scene.table} USING {scene.table}_pkey;")
        assert planned(scene) == first
        sql(f"VACUUM FULL {scene.table}; ANALYZE {scene.table};")
        assert planned(scene) == first
        sql(f"DROP INDEX {scene.table}_ecal_name_idx;")
        assert planned(scene) == first


def case_pages_of_any_size_give_the_same_bytes():
    with Scene("pages") as scene, Pages(os.environ["SOURCE_AZURE_CONNECTION_STRING"]) as pages:
        fill(scene)
        scene.policy()
        relayed = {"SOURCE_AZURE_CONNECTION_STRING": pages.relayed}
        port = str(pages.server_address[1])
        sql(f"UPDATE {scene.table} SET ecal_name = "
            f"regexp_replace(ecal_name, '127.0.0.1:[0-9]+', '127.0.0.1:{port}');")
        first = planned(scene, **relayed)
        assert first[1]["summary"]["move_objects"] > 20, first[1]
        for size in (1, 3, 7):
            pages.size = size
            assert planned(scene, **relayed) == first, size


def case_where_and_how_it_runs_leaves_no_trace():
    with Scene("where") as scene:
        fill(scene)
        scene.policy()
        first = planned(scene)
        for environment in (
                {"LC_ALL": "de_DE.UTF-8", "LANG": "tr_TR.UTF-8", "TZ": "Asia/Tokyo"},
                {"LC_ALL": "C", "TZ": ":/no/such/zone"}, {"TZ": "EST5EDT", "LANGUAGE": "fr"},
                {"PGTZ": "America/St_Johns", "PGDATESTYLE": "German, DMY"},
                {"PGCLIENTENCODING": "LATIN1", "PGAPPNAME": "other"},
                {"PGOPTIONS": "-c enable_indexscan=off -c work_mem=64kB -c extra_float_digits=-3 "
                              "-c standard_conforming_strings=off -c search_path=pg_catalog"},
                {"PGOPTIONS": "-c enable_sort=off -c enable_seqscan=off -c IntervalStyle=iso_8601 "
                              "-c bytea_output=escape -c default_transaction_isolation=serializable"},
                {"TMPDIR": scene.folder}):
            assert planned(scene, **environment) == first, environment
        # From elsewhere, by another path, with a state of its own that is as empty.
        state = os.path.join(scene.folder, "a", "state")
        assert planned(scene, "--state", state) == first
        assert planned(scene, "--state", "b") == first
        assert planned(scene, os.path.join(scene.folder, "frostline.yaml")) == first
        assert planned(scene, scene.folder) == first
        words = ["plan", os.path.join(scene.folder, "frostline.yaml"), "--as-of", AS_OF]
        for number, folder in enumerate(("/", os.path.join(scene.folder, "b"))):
            os.makedirs(folder, exist_ok=True)
            out = os.path.join(scene.folder, f"{number}.plan")
            subprocess.run([FROSTLINE, *words, "--out", out], cwd=folder, check=True,
                           env=scene.environment(), capture_output=True, timeout=120)
            assert steady(read(scene, f"{number}.plan").splitlines()) == first, folder


def case_the_journal_says_the_same_wherever_it_is():
    with Box() as box:
        box.policy(after="1d")
        for i in range(4):
            box.add(f"R{i}", f"rec/{i}/")
        box.run("apply", "--auto-approve").must()
        for i in range(4, 8):
            box.add(f"R{i}", f"rec/{i}/")
        box.execute("UPDATE ecal SET ecal_name = replace(ecal_name, '/cold/', '/hot/') "
                    "WHERE ecal_id = 'R0'")

        def plan(*words):
            box.run("plan", "--out", "again.plan", "--as-of", "2099-01-01", *words).must()
            return steady(read(box, "again.plan").splitlines())

        first = plan()
        kinds = [(line["action"], line.get("reason")) for line in map(json.loads, first[0][1:])]
        assert set(kinds) == {("reap", None), ("move", None), ("repair", None)}, kinds
        shutil.copytree(os.path.join(box.folder, "state"), os.path.join(box.folder, "elsewhere"))
        box.run("status").must()
        assert plan() == first
        assert plan("--state", os.path.join(box.folder, "elsewhere")) == first


def case_sqlite_rows_in_any_order_give_the_same_bytes():
    with Box() as box:
        for i in range(20):
            box.add(f"R{i:02}", f"rec/{i % 7}/{i}/", files=1)
        first = planned(box)
        rows = box.execute("SELECT * FROM ecal")
        for table, order in (("", random.Random(1)), (" WITHOUT ROWID", random.Random(2))):
            order.shuffle(rows)
            box.execute("DROP TABLE ecal")
            box.execute("CREATE TABLE ecal (ecal_id TEXT PRIMARY KEY, ecal_name TEXT, "
                        f"recording_start_time TIMESTAMP, size_gb REAL){table}")
            for row in rows:
                box.execute("INSERT INTO ecal VALUES (?, ?, ?, ?)", *row)
            assert planned(box) == first, table
        box.execute("DELETE FROM ecal WHERE ecal_id < 'R05'")
        for row in rows:
            box.execute("INSERT OR IGNORE INTO ecal VALUES (?, ?, ?, ?)", *row)
        box.execute("VACUUM")
        assert planned(box) == first
        box.execute("CREATE INDEX by_name ON ecal (ecal_name COLLATE BINARY)")
        box.execute("CREATE INDEX backwards ON ecal (ecal_name COLLATE NOCASE DESC)")
        assert planned(box) == first
        assert planned(box, environment={"LC_ALL": "C", "TZ": "Asia/Tokyo"}) == first


def case_two_catalogs_differ_by_their_identity_alone():
    with Box() as box, Scene("both", reach_stores=False) as scene:
        for i in range(9):
            box.add(f"R{i}", f"rec/{i}/\u00e4 b/", files=1)
        box.execute("UPDATE ecal SET recording_start_time = NULL WHERE ecal_id = 'R3'")
        box.execute("UPDATE ecal SET recording_start_time = '2025-03-03 00:00:00.000001' "
                    "WHERE ecal_id = 'R4'")
        box.execute("UPDATE ecal SET ecal_name = ecal_name || '?x' WHERE ecal_id = 'R5'")
        for ident, location, time in box.execute("SELECT ecal_id, ecal_name, recording_start_time "
                                                 "FROM ecal"):
            sql(f"INSERT INTO {scene.table} (ecal_id, ecal_name, recording_start_time) VALUES "
                f"('{ident}', '{location}', {'NULL' if time is None else repr(time)});")
        sqlite = planned(box)
        path = os.path.join(box.folder, "frostline.yaml")
        with open(path) as file:
            text = file.read()
        wire = ("type: postgres\n  connection: {host: \"${DB_HOST}\", port: \"${DB_PORT}\", dbname: "
                "\"${DB_NAME}\", user: \"${DB_USER}\", password: \"${DB_PASSWORD}\"}")
        edit(box, "frostline.yaml", (f"type: sqlite\n  path: {box.database}", wire),
             ("table: ecal", f"table: {scene.table}"))
        postgres = planned(box)
        assert len(text.splitlines()) == len(open(path).read().splitlines())
        ours, theirs = json.loads(sqlite[0][0]), json.loads(postgres[0][0])
        assert {key for key in ours if ours[key] != theirs[key]} == {"catalog", "policy"}
        assert sqlite[0][1:] == postgres[0][1:]
        ends = sqlite[1], postgres[1]
        assert ends[0].pop("digest") != ends[1].pop("digest") and ends[0] == ends[1], ends


def case_a_directory_longer_than_any_key_is_shown():
    with Box() as box:
        deep = "deep/" * 300
        for ident in ("R1", "R2"):
            box.execute("INSERT INTO ecal VALUES (?, ?, '2025-01-01', 1)", ident,
                        f"file://{box.hot}/{deep}{ident}/x")
        for survey, said in (("none", "deep   2 directories "), ("full", "   source-missing: ")):
            box.run("plan", "--survey", survey, "--out", "p.plan").must()
            for words in ([], ["--all"]):
                told = box.run("show", "p.plan", *words).must().out
                assert "deep/deep/deep/" in told and (words or said in told), told


# -- what can't be read to the end gives no plan ---------------------------------------------------


def many_rows(scene, rows=20000):
    sql(f"INSERT INTO {scene.table} SELECT 'R' || i, 'https://elsewhere.example/d' || i || '/' || "
        f"repeat('x', 200), '2025-01-01', 'm', 1, 1, true FROM generate_series(1, {rows}) i;")


def lost_in_the_middle(scene, wire):
    """The plan that was there stays, and nothing else is left."""
    scene.plan("--survey", "none")
    before, files = read(scene), left(scene)
    for words in (["--out", "p.plan"], ["--out", "new.plan"], []):
        run = scene.run("plan", "--survey", "none", *words, DB_PORT=wire.port).must(75)
        assert run.out == "" and "frostline: planning: " in run.err, run.out + run.err
        assert read(scene) == before and left(scene) == files, left(scene)
        assert [names for *_, names in os.walk(os.path.join(scene.folder, "state")) if names] == []
        assert scene.run("show", "p.plan").must().out
    assert wire.cuts >= 3
    return run.err


def case_a_connection_that_is_cut_gives_no_plan():
    with Scene("cut", reach_stores=False) as scene:
        many_rows(scene)
        scene.policy()
        with Wire(os.environ["DB_HOST"], os.environ["DB_PORT"], 300_000) as wire:
            said = lost_in_the_middle(scene, wire)
        assert "connection" in said, said


def case_a_backend_that_is_terminated_gives_no_plan():
    with Scene("term", reach_stores=False) as scene:
        many_rows(scene, 100_000)
        scene.policy()

        def terminate():
            found = sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE "
                        f"'COPY%{scene.table}%' AND backend_type = 'client backend';")
            assert found == [["t"]], found
        with Wire(os.environ["DB_HOST"], os.environ["DB_PORT"], 300_000, terminate) as wire:
            lost_in_the_middle(scene, wire)


def case_a_listing_that_fails_on_page_3_blocks_its_directory_alone():
    with Scene("page3") as scene, Pages(os.environ["SOURCE_AZURE_CONNECTION_STRING"]) as pages:
        for ident, blobs in (("A", 3), ("B", 7), ("C", 3)):
            scene.add(ident, f"recording/{ident}/", blobs=blobs)
        port = str(pages.server_address[1])
        sql(f"UPDATE {scene.table} SET ecal_name = "
            f"regexp_replace(ecal_name, '127.0.0.1:[0-9]+', '127.0.0.1:{port}');")
        scene.policy()
        pages.size, pages.broken = 2, "recording/B/"
        run = scene.run("plan", "--out", "p.plan", SOURCE_AZURE_CONNECTION_STRING=pages.relayed)
        run.must()
        told = {action["directory"]: action.get("reason") for action in scene.actions()}
        assert told == {"hot:recording/A/": None, "hot:recording/B/": "unlisted",
                        "hot:recording/C/": None}, told
        assert "! hot:recording/B/   unlisted: " in run.out, run.out
        assert f"container {scene.hot} of store hot: 403 AuthorizationFailure\n" in run.out, run.out
        pages.broken = None
        scene.run("plan", "--out", "p.plan", SOURCE_AZURE_CONNECTION_STRING=pages.relayed).must()
        assert [action["action"] for action in scene.actions()] == ["move"] * 3
        assert sum(action["objects"] for action in scene.actions()) == 13


def case_a_file_that_may_not_grow_leaves_the_old_plan():
    with Box() as box:
        box.add("R0", "rec/0/")
        box.run("plan", "--out", "p.plan", "--as-of", AS_OF).must()
        for i in range(1, 40):
            box.add(f"R{i}", f"rec/{i}/", files=1, size=10)
        before, files = read(box), left(box)
        for most, out, said in ((1000, "p.plan", "writing a temporary file"),
                                (14000, "p.plan", "writing p.plan"),
                                (14000, "new.plan", "writing new.plan")):
            run = box.run("plan", "--out", out, "--as-of", AS_OF, preexec_fn=lambda most=most:
                          resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))).must(75)
            assert run.out == "" and f"{said}: File too large\n" in run.err, run.err
            assert read(box) == before and left(box) == files, left(box)


def case_a_plan_takes_the_place_of_no_device_and_no_folder():
    with Box() as box:
        box.add("R0", "rec/0/")
        os.mkdir(os.path.join(box.folder, "folder"))
        os.symlink("frostline.yaml", os.path.join(box.folder, "link"))
        os.mkfifo(os.path.join(box.folder, "fifo"))
        files = left(box)
        for out in ("folder", "link", "fifo"):
            run = box.run("plan", "--out", out).must(65)
            assert f"creating {out}: what is there is no regular file\n" in run.err, run.err
            assert left(box) == files and os.path.islink(os.path.join(box.folder, "link"))
        run = box.run("plan", "--out", "no/p.plan").must(65)
        assert "creating no/p.plan: No such file or directory\n" in run.err, run.err


# -- what is no plan, or no longer one -------------------------------------------------------------


def case_a_plan_that_is_damaged_is_refused():
    with Box() as box:
        for i in range(3):
            box.add(f"R{i}", f"rec/{i}/")
        box.run("plan", "--out", "p.plan").must()
        box.run("plan", "--out", "other.plan", "--as-of", "2025-06-01").must()
        whole, lines = read(box), read(box).splitlines(keepends=True)
        other = read(box, "other.plan").splitlines(keepends=True)
        last = len(lines)
        for bad, said in (
                (b"", "it is no plan"), (whole[:15], "it is no plan"), (b"version: 1\n", "no plan"),
                (whole[:25], "line 1: cut off"), (whole[:-1], f"line {last}: cut off"),
                (whole[:len(whole) // 2], "cut off"),
                (b"".join(lines[:-1]), f"line {last}: cut off: the last line is missing"),
                (whole.replace(b'plan":1,', b'plan":2,', 1), "format 2, of a newer frostline"),
                (b"".join([lines[0], lines[2], lines[1], *lines[3:]]), "line 3: "),
                (b"".join([lines[0], lines[1], *lines[1:]]), "line 3: "),
                (b"".join([lines[0], *lines[2:]]), f"line {last - 1}: its digest is not that"),
                (b"".join([other[0], *lines[1:]]), f"line {last}: its digest is not that"),
                (b"".join([*lines[:-1], other[-1]]), f"line {last}: its digest is not that"),
                (whole + b"\n", f"line {last + 1}: something stands behind"),
                (whole.replace(b'"after_s":0', b'"after_s":1', 1), "its digest is not that"),
                (whole.replace(b'"move":3', b'"move":2'), "the summary does not sum up"),
                (whole.replace(b'"frostline.yaml"}}', b'null}}'), '"policy" is missing or is not'),
                (whole.replace(b"\n", b"\r\n"), "line 1: ")):
            assert bad != whole, said
            with open(os.path.join(box.folder, "bad.plan"), "wb") as file:
                file.write(bad)
            for words in (["show", "bad.plan"], ["show", "bad.plan", "--format", "json"],
                          ["apply", "bad.plan", "--auto-approve"]):
                run = box.run(*words).must(65)
                assert run.out == "" and "frostline: plan bad.plan: " in run.err, run.err
                assert said in run.err, (said, run.err)
        os.mkdir(os.path.join(box.folder, "folder.plan"))
        for name, said in (("none.plan", "No such file"), ("folder.plan", "it is no file")):
            for verb in ("show", "apply"):
                run = box.run(verb, name).must(65)
                assert f"plan {name}: " in run.err and said in run.err, run.err
        assert box.files(box.hot) == box.objects
        box.run("apply", "p.plan", "--auto-approve").must()
        box.check_moved()


# -- the session -----------------------------------------------------------------------------------


def git(scene, *words):
    subprocess.run(["git", "-c", "user.name=R", "-c", "user.email=r@example.org", *words],
                   cwd=scene.folder, check=True, capture_output=True)


def case_what_was_reviewed_is_what_runs():
    with Scene("session") as scene:
        scene.fill(6)
        scene.policy(top="vars: {age: 90d}", select="older_than: $age")
        git(scene, "init", "-q")
        scene.plan("--out", "nightly.plan", out="nightly.plan")
        reviewed = digest(scene, "nightly.plan")
        git(scene, "add", "frostline.yaml", "nightly.plan")
        git(scene, "commit", "-qm", "The night's moves")
        refused_before(scene, reviewed)
        scene.check_untouched()

        # Behind its back.
        sql(f"UPDATE {scene.table} SET ecal_name = ecal_name || '2' WHERE ecal_id = 'ECAL_00001';")
        scene.source.put(scene.hot, scene.rows["ECAL_00004"], b"rewritten")
        stale = [f"recording/2025-02-01/session_{i}/0000{i}/" for i in (1, 4)]
        run = scene.run("apply", "nightly.plan", "--expect", reviewed).must(3)
        told = re.findall(r"^  x (\S+)   stale: (.+)$", run.out, re.M)
        assert sorted(told) == [
            (stale[0], "stale-rows: of its rows 0 at the source, 0 at the target, 1 elsewhere or gone; "
                       "1 further row at the source"),
            (stale[1], f"stale-objects: {stale[1]} has as many objects as planned, and not the same"),
        ], run.out
        assert "Moved 4 recordings in 4 directories" in run.out, run.out
        assert "; 2 stale, 0 failed, 0 parked, 0 open." in run.out, run.out
        check_moved_but(scene, stale)

        # Nothing is left to do but those two, and the file is not even needed to be as it was.
        again = scene.run("apply", "nightly.plan", "--expect", reviewed).must(3)
        assert "Moved 0 recordings" in again.out and "4 there before; 2 stale" in again.out, again.out
        assert sorted(re.findall(r"^  x (\S+)   stale: (.+)$", again.out, re.M)) == sorted(told)
        check_moved_but(scene, stale)
        subprocess.run(["git", "diff", "--exit-code"], cwd=scene.folder, check=True)


def check_moved_but(scene, stale):
    here, there = set(scene.source.names(scene.hot)), set(scene.target.names(scene.cold))
    assert here | there == set(scene.objects) and not here & there
    assert here == {key for key in scene.objects if key.startswith(tuple(stale))}, here
    for ident, location in scene.locations().items():
        assert ("/hot-" in location) == (ident in ("ECAL_00001", "ECAL_00004")), (ident, location)


def refused_before(scene, reviewed):
    """Whatever is not what was reviewed, as a whole: nothing runs, and it is told why."""
    apply = ["apply", "nightly.plan", "--expect"]

    def refused(code, said, *words, **environment):
        run = scene.run(*words, **environment).must(code)
        assert said in run.err and "Moved" not in run.out, (said, run.out, run.err)

    refused(5, "nobody approved", "apply", "nightly.plan")
    refused(4, f"the plan's digest is {reviewed}, not sha256:00", *apply, "sha256:" + "0" * 64)
    refused(4, "another value of the variable age", *apply, reviewed, "--var", "age=91d")
    edit(scene, "frostline.yaml", ("verify: checksum", "verify: readback"))
    refused(4, "the policy files have changed since the plan was made", *apply, reviewed)
    git(scene, "checkout", "-q", "frostline.yaml")

    edit(scene, "nightly.plan", ('"after_s":0', '"after_s":1'))
    refused(65, "its digest is not that of what stands above", *apply, reviewed)
    git(scene, "checkout", "-q", "nightly.plan")

    scene.plan("--as-of", "2099-01-01", out="later.plan")
    refused(4, "a simulation", "apply", "later.plan", "--expect", digest(scene, "later.plan"))
    refused(4, "for the catalog postgres://127.0.0.1:", *apply, reviewed, DB_HOST="localhost")
    os.unlink(os.path.join(scene.folder, "later.plan"))


if __name__ == "__main__":
    main(globals())
