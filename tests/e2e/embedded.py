#!/usr/bin/env python3
"""Local folders as stores and a SQLite catalog: what works with no server at all."""
import json
import os
import pty
import select
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from box import FROSTLINE, Box
from scene import Run, main


def case_no_name_reaches_the_terminal_as_an_order():
    with Box() as box:
        box.add("ECAL_\x1b[31m", "recording/2025-02-14/a\x1b[2J/")
        box.add("ECAL_2", "recording/2025-02-15/b\u009b2J/")
        shutil.copytree(f"{box.hot}/recording/2025-02-15", f"{box.cold}/recording/2025-02-15")
        with open(f"{box.cold}/recording/2025-02-15/b\u009b2J/file_0.bin", "wb") as file:
            file.write(b"another")
        said = ""
        for words, code in ((["plan", "--all", "--out", "x.plan"], 0), (["show", "x.plan"], 0),
                            (["apply", "x.plan", "--auto-approve", "-vv"], 6),
                            (["status", "--all"], 0)):
            run = box.run(*words).must(code)
            said += run.out + run.err
        assert "a?[2J/" in said and "b??2J/" in said, said
        assert not [c for c in said if c in "\x1b\u009b\r\a"], said


def case_a_bad_policy_is_told_to_people_and_programs():
    with Box() as box:
        box.policy(after="1d")
        path = os.path.join(box.folder, "frostline.yaml")
        good = json.loads(box.run("validate", "--format", "json").must().out)
        assert good == {"format_version": 1, "diagnostics": [], "errors": 0, "warnings": 0}, good
        assert box.run("validate", "--format", "github").must().out == ""
        with open(path) as file:
            text = file.read()
        with open(path, "w") as file:
            file.write(text.replace("older_than", "older_then"))
        told = box.run("validate").must(65)
        assert "error[FL0102]" in told.err and "frostline explain FL0102" in told.err, told.err
        (found,) = json.loads(box.run("validate", "--format", "json").must(65).out)["diagnostics"]
        assert found["code"] == "FL0102" and found["file"] == "frostline.yaml", found
        assert found["line"] == 1 + text[:text.index("older_than")].count("\n"), found
        line = box.run("--format", "github", "validate").must(65).out
        assert line.startswith("::error file=frostline.yaml,line="), line
        box.run("plan", "--format", "github").must(64)


def case_a_variable_that_is_not_set_is_told():
    with Box() as box:
        path = os.path.join(box.folder, "frostline.yaml")
        with open(path) as file:
            text = file.read()
        with open(path, "w") as file:
            file.write(text.replace(box.cold, "'/srv/${FROSTLINE_NOT_SET}'"))
        for verb in ("validate", "plan"):
            told = box.run(verb).must(65)
            assert "error[FL0212]" in told.err and "FROSTLINE_NOT_SET" in told.err, told.err


def case_warnings_are_the_business_of_validate():
    with Box() as box:
        told = box.run("validate").must()
        assert told.out.endswith(": no errors, 1 warning\n"), told.out
        assert told.err.startswith("warning[FL0604]: "), told.err
        quiet = box.run("validate", "-q").must()
        assert quiet.out == quiet.err == "", quiet.out + quiet.err
        found = json.loads(box.run("validate", "--format", "json").must().out)
        assert (found["errors"], found["warnings"]) == (0, 1), found
        assert found["diagnostics"][0]["severity"] == "warning", found
        assert box.run("validate", "--format", "github").must().out.startswith("::warning file=")
        # A plan says that there are some, to people.
        assert box.run("plan").must().err == ("frostline: 1 warning\n  hint: frostline validate "
                                              "frostline.yaml tells more\n")
        assert box.run("plan", "-v").must().err.startswith("warning[FL0604]: ")
        for words in (["plan", "-q"], ["plan", "--format", "json"], ["apply", "--auto-approve"],
                      ["reconcile"], ["reap"]):
            assert "warning" not in box.run(*words).must().err, words


def case_strict_takes_warnings_for_errors():
    with Box() as box:
        told = box.run("validate", "--strict").must(65)
        assert told.out == "" and told.err.startswith("error[FL0604]: "), told.out + told.err
        assert "frostline: 1 error, 0 warnings\n" in told.err, told.err
        assert box.run("validate", "--strict", "-q").must(65).err == told.err
        found = json.loads(box.run("validate", "--strict", "--format", "json").must(65).out)
        assert (found["errors"], found["warnings"]) == (1, 0), found
        assert found["diagnostics"][0]["severity"] == "error", found
        line = box.run("validate", "--strict", "--format", "github").must(65).out
        assert line.startswith("::error file=frostline.yaml,line="), line
        box.run("plan", "--strict").must(64)
        box.policy(after="1d")
        box.run("validate", "--strict").must()


def edit(box, *changes):
    path = os.path.join(box.folder, "frostline.yaml")
    with open(path) as file:
        text = file.read()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    with open(path, "w") as file:
        file.write(text)
    return text


def line_of(text, part):
    return 1 + text[:text.index(part)].count("\n")


def findings(run):
    return [(found["code"], found["line"]) for found in json.loads(run.out)["diagnostics"]]


def case_online_asks_the_catalog_and_the_stores():
    with Box() as box:
        box.policy(after="1d")
        told = box.run("validate", "--online").must()
        statement = 'CREATE INDEX "ecal_ecal_name" ON "ecal" ("ecal_name" COLLATE BINARY)'
        assert told.err.startswith("warning[FL0323]: "), told.err
        assert f"= help: {statement}\n" in told.err, told.err
        assert told.out.endswith(": no errors offline and online, 1 warning\n"), told.out
        assert "error[FL0323]: " in box.run("validate", "--online", "--strict").must(65).err
        box.execute(statement)
        told = box.run("validate", "--online", "--strict").must()
        assert told.out.endswith(": no errors offline and online\n") and not told.err, told.err
        quiet = box.run("validate", "--online", "-q").must()
        assert quiet.out == quiet.err == "", quiet.out + quiet.err
        assert findings(box.run("validate", "--online", "--format", "json").must()) == []
        box.run("plan", "--online").must(64)


def case_online_tells_all_of_it_in_one_run():
    with Box() as box:
        box.policy(after="1d")
        os.rmdir(box.cold)
        box.execute("CREATE TABLE rows (ident TEXT, url INTEGER, recorded TIMESTAMP, tags BLOB)")
        text = edit(box, ("table: ecal", "table: rows"), ("id: ecal_id", "id: idents"),
                    ("location: ecal_name", "location: url"),
                    ("{column: recording_start_time, timezone: UTC}", "{column: recorded}"),
                    ("stores:", "  fields: {map: nap, tags: tags}\nstores:"),
                    ("older_than: 90d", "older_than: 90d, map: x, tags: y"))
        table = [("FL0320", line_of(text, "id: idents")), ("FL0313", line_of(text, "url")),
                 ("FL0314", line_of(text, "time:")), ("FL0320", line_of(text, "fields:")),
                 ("FL0313", line_of(text, "fields:"))]
        run = box.run("validate", "--online", "--format", "json").must(65)
        assert findings(run) == table + [("FL0322", line_of(text, "  cold:"))], run.out
        assert len(box.run("validate", "--online", "--format", "github").must(65).out
                   .splitlines()) == 6
        told = box.run("validate", "--online").must(65).err
        assert "  |       ^^^^^^ not in the database\n" in told, told
        assert "= help: did you mean `ident`?\n" in told, told
        assert "frostline: 6 errors, 0 warnings\n" in told, told
        # Whoever needs the catalog is told the same of it.
        for words in (["plan"], ["apply", "--auto-approve"], ["reconcile"], ["explain", "X"]):
            run = box.run(*words).must(65)
            assert [line[6:12] for line in run.err.splitlines() if line.startswith("error[")] == [
                code for code, _ in table], run.err
        # Offline nothing of it is asked.
        box.run("validate").must()


def case_online_a_catalog_that_is_not_there():
    with Box() as box:
        box.policy(after="1d")
        text = edit(box, (box.database, "no-such.db"))
        run = box.run("validate", "--online", "--format", "json").must(65)
        assert findings(run) == [("FL0318", line_of(text, "no-such.db"))], run.out
        told = box.run("validate", "--online").must(65).err
        assert "  |         ^^^^^^^^^^ it is not there\n" in told, told
        edit(box, ("no-such.db", box.database), ("table: ecal", "table: ecals"))
        told = box.run("validate", "--online").must(65).err
        assert told.startswith("error[FL0319]: ") and "did you mean `ecal`?" in told, told
        assert told.count("error[") == 1, told


def case_every_code_explains_itself():
    with Box() as box:
        codes = [line.split()[0] for line in box.run("explain").must().out.splitlines()]
        assert len(codes) > 50 and codes == sorted(codes), codes
        for code in codes:
            said = box.run("explain", code.lower()).must().out
            assert said.startswith(code + " (") and len(said.splitlines()) > 2, said
            assert all(len(line) <= 100 for line in said.splitlines()), said
        assert "no code" in box.run("explain", "FL9999").must(64).err


def case_the_demo_ends_with_no_moves():
    folder = tempfile.mkdtemp(prefix="frostline-e2e.")
    try:
        for words in ([], [], ["--keep", "box"], ["--keep", "box"]):
            run = Run(subprocess.run([FROSTLINE, "demo", *words], cwd=folder, capture_output=True,
                                     text=True, stdin=subprocess.DEVNULL, timeout=120))
            run.must()
            last = [line for line in run.out.split("\nNext\n")[0].splitlines() if line][-1]
            assert last.startswith("No moves"), last
        assert os.path.exists(os.path.join(folder, "box", "frostline.yaml"))
    finally:
        shutil.rmtree(folder)


def case_whole_directories_move():
    with Box() as box:
        for i in range(5):
            box.add(f"R{i}", f"rec/{i}/deep/")
        box.run("plan", "--out", "p.plan").must()
        box.run("apply", "p.plan", "--auto-approve").must()
        box.check_moved()
        assert "Moved 0 recordings" in box.run("apply", "p.plan", "--auto-approve").must().out


def case_a_target_sets_columns_of_what_comes_there():
    with Box() as box:
        for i in range(3):
            box.add(f"R{i}", f"rec/{i}/")
        box.execute("UPDATE ecal SET recording_start_time = '2099-01-01' WHERE ecal_id = 'R2'")
        box.execute("ALTER TABLE ecal ADD class TEXT NOT NULL DEFAULT 'hot'")
        box.execute("ALTER TABLE ecal ADD copies INTEGER DEFAULT 1")
        path = os.path.join(box.folder, "frostline.yaml")
        with open(path) as file:
            text = file.read()
        for columns, code, said in (
                ("ecal_name: cold", 65, "error[FL0324]"), ("clas: cold", 65, "mean `class`?"),
                ("class: ~", 65, "may not be NULL"), ("class: ~, clas: cold", 65, "2 errors"),
                ("class: cold, copies: 2", 0, "")):
            with open(path, "w") as file:
                file.write(text.replace(f"{box.cold}}}", f"{box.cold}, set: {{{columns}}}}}"))
            run = box.run("apply", "--auto-approve").must(code)
            assert said in run.err, run.err
        rows = box.execute("SELECT ecal_name, class, copies FROM ecal ORDER BY ecal_id")
        assert rows == [(f"file://{box.cold}/rec/0/R0.ecalmeas", "cold", 2),
                        (f"file://{box.cold}/rec/1/R1.ecalmeas", "cold", 2),
                        (f"file://{box.hot}/rec/2/R2.ecalmeas", "hot", 1)], rows


def case_a_full_disk_at_the_target_loses_nothing():
    with Box() as box:
        box.add("SMALL", "rec/1/", files=1, size=1000)
        box.add("LARGE", "rec/2/", files=3, size=700_000)
        if not box.tiny_disk("1m"):
            return
        run = box.run("apply", "--auto-approve").must(75)
        assert "rec/2/" in run.out, run.out
        left = box.files(box.hot)
        assert left == {k: v for k, v in box.objects.items() if k.startswith("rec/2/")}
        assert ("file://" + box.hot + "/rec/2/LARGE.ecalmeas",) in box.execute(
            "SELECT ecal_name FROM ecal")
        subprocess.run(["mount", "-o", "remount,size=16m", box.cold], check=True)
        box.run("apply", "--auto-approve").must()
        box.check_moved()


def case_what_is_no_file_blocks():
    with Box() as box:
        box.add("R1", "rec/1/")
        box.add("R2", "rec/2/")
        os.symlink("/etc/passwd", os.path.join(box.hot, "rec/1/link"))
        plan = box.run("plan").must()
        assert "not-a-file" in plan.out and "rec/1/" in plan.out, plan.out
        box.run("apply", "--auto-approve").must()
        assert os.path.exists(os.path.join(box.hot, "rec/1/R1.ecalmeas"))
        assert not os.path.exists(os.path.join(box.hot, "rec/2/R2.ecalmeas"))


def case_a_name_longer_than_any_key_is_shown():
    for unit in ("directory", "object"):
        with Box() as box:
            box.policy(catalog=f"\n  unit: {unit}")
            for i, name in enumerate(("x" * 4000 + "/y/f", "\u00fc" * 4000 + "/f", "z" * 4000)):
                box.execute("INSERT INTO ecal VALUES (?, ?, '2025-02-14', 1)", f"R{i}",
                            f"file://{box.hot}/{name}")
            said = box.run("plan", "--survey", "none").must().out
            count = 2 if unit == "directory" else 3
            assert f"Plan: {count} recordings to move" in said, said
            assert "x" * 1000 in said and "\u00fc" * 500 in said, said


def case_a_plan_that_cannot_be_written_is_not_half_written():
    with Box() as box:
        for i in range(20):
            box.add(f"R{i}", f"rec/{i}/", files=1)
        if not box.tiny_disk("4k"):
            return
        path = os.path.join(box.cold, "p.plan")
        run = box.run("plan", "--out", path)
        assert run.code != 0 and "p.plan" in run.err, run.err
        assert os.listdir(box.cold) == []


def case_output_that_cannot_be_written_is_a_failure():
    with Box() as box:
        box.add("R1", "rec/1/")
        with open("/dev/full", "w") as full:
            run = box.run("plan", stdout=full, stderr=subprocess.PIPE)
        assert run.code == 1 and "output" in run.err, (run.code, run.err)


def case_status_tells_what_there_is():
    with Box() as box:
        assert "No run yet" in box.run("status").must().out
        assert json.loads(box.run("status", "--format", "json").must().out)["open"] == []
        box.policy(after="1d")
        box.add("R1", "rec/1/")
        box.run("apply", "--auto-approve").must()
        status = box.run("status").must()
        assert "1 source" in status.out and "1 in grace" in status.out, status.out
        assert '"in_grace":1' in box.run("status", "--format", "json").must().out


def case_a_catalog_that_knows_none_of_the_rows_deletes_nothing():
    with Box() as box:
        box.policy(after="1s")
        box.add("R1", "rec/1/")
        box.run("apply", "--auto-approve").must()
        own = box.database
        box.execute("UPDATE ecal SET ecal_name = ?", f"file://{box.hot}/rec/1/R1.ecalmeas")
        box.database = os.path.join(box.folder, "other.db")
        box.execute("CREATE TABLE ecal (ecal_id TEXT PRIMARY KEY, ecal_name TEXT, "
                    "recording_start_time TIMESTAMP, size_gb REAL)")
        box.policy()
        time.sleep(2)
        run = box.run("reap").must(6)
        assert "catalog-changed" in run.out, run.out
        assert box.files(box.hot) == box.objects
        box.database = own


def case_a_guard_that_refuses_is_told_even_quietly():
    with Box() as box:
        for i in range(3):
            box.add(f"R{i}", f"rec/{i}/")
        with open(os.path.join(box.folder, "frostline.yaml"), "a") as file:
            file.write("    guards: {max_recordings: 2}\n")
        for words in (["plan"], ["plan", "-q"], ["plan", "-q", "--out", "x.plan"],
                      ["apply", "--auto-approve"]):
            box.run(*words).must(5)
        assert box.files(box.hot) == box.objects


def at_the_prompt(box, plan, act):
    """Applies the plan on a terminal of its own, acts when it asks; its exit code and words."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(box.folder)
        os.environ["FROSTLINE_STATE_DIR"] = os.path.join(box.folder, "state")
        os.execv(FROSTLINE, [FROSTLINE, "apply", plan])
    said, acted = b"", False
    try:
        while select.select([terminal], [], [], 60)[0]:
            said += os.read(terminal, 4096)
            if not acted and b"approval:" in said:
                act(terminal)
                acted = True
    except OSError:  # the terminal's other end is closed
        pass
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), said.decode()


def case_what_was_approved_is_what_runs():
    with Box() as box:
        box.add("R1", "rec/1/")
        box.run("plan", "--out", "reviewed.plan").must()
        box.add("R2", "rec/2/")
        box.run("plan", "--out", "other.plan").must()

        def swap(terminal):
            with open(os.path.join(box.folder, "other.plan"), "rb") as file:
                other = file.read()
            with open(os.path.join(box.folder, "reviewed.plan"), "r+b") as file:
                file.write(other)
            os.write(terminal, b"yes\n")

        code, said = at_the_prompt(box, "reviewed.plan", swap)
        assert code == 4 and "changed while it was approved" in said, (code, said)
        assert box.files(box.hot) == box.objects

        code, said = at_the_prompt(box, "other.plan", lambda terminal: os.write(terminal, b"yes\n"))
        assert code == 0, said
        box.check_moved()


def case_a_referenced_source_stays():
    with Box() as box:
        box.policy(catalog="\n  references: [{table: training_set, column: file_url}]")
        box.add("R1", "rec/1/")
        box.add("R2", "rec/2 a=b/")
        missing = box.run("plan", "--out", "x.plan").must(65)
        assert "error[FL0319]: the catalog has no table `training_set`\n" in missing.err, missing.err
        box.execute("CREATE TABLE training_set (file_url TEXT)")
        box.execute("INSERT INTO training_set VALUES (?), (NULL), (?)",
                    f"file:{box.hot}/rec/2%20a%3Db/file_0.bin", f"file://{box.cold}/rec/1/x")
        box.run("plan", "--out", "x.plan").must()
        applied = box.run("apply", "x.plan", "--auto-approve").must()
        assert "moved: referenced: a row of training_set has it" in applied.out, applied.out
        assert sorted(os.listdir(f"{box.hot}/rec")) == ["2 a=b"]
        assert box.files(box.cold) == box.objects
        assert "cutover: referenced" in box.run("status").must().out
        (open_one,) = json.loads(box.run("status", "--format", "json").must().out)["open"]
        assert open_one["reason"] == "referenced", open_one
        box.run("apply", "x.plan", "--auto-approve").must()
        assert sorted(os.listdir(f"{box.hot}/rec")) == ["2 a=b"]
        box.execute("DELETE FROM training_set")
        assert "deleted 1 source" in box.run("reap").must().out
        box.check_moved()


def case_outside_its_window_nothing_begins():
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    today = time.gmtime().tm_wday
    with Box() as box:
        box.add("R1", "rec/1/")
        policy = os.path.join(box.folder, "frostline.yaml")
        with open(policy, "a") as file:
            file.write(f"    window: {{days: '{days[(today + 3) % 7]}'}}\n")
        run = box.run("plan", "--out", "x.plan").must()
        assert f"begins 1 directory only within {days[(today + 3) % 7]} 00:00-24:00" in run.out
        run = box.run("apply", "x.plan", "--auto-approve").must(7)
        assert "1 directory not begun: outside the window" in run.out, run.out
        assert box.files(box.hot) == box.objects
        with open(policy) as file:
            text = file.read()
        with open(policy, "w") as file:
            file.write(text.replace(f"'{days[(today + 3) % 7]}'",
                                    f"'{days[(today + 6) % 7]}-{days[(today + 1) % 7]}'"))
        box.run("apply", "--auto-approve").must()
        box.check_moved()


def case_explain_tells_why_a_recording_moves():
    with Box() as box:
        box.add("R1", "rec/1/")
        run = box.run("explain", "R1", "--as-of", "2025-06-01").must()
        assert "  was not looked at: the location has no index" in run.out, run.out
        assert '  hint: CREATE INDEX "ecal_ecal_name" ON "ecal" ' in run.out, run.out
        box.execute("CREATE INDEX ecal_by_name ON ecal (ecal_name COLLATE BINARY)")
        run = box.run("explain", "R1", "--as-of", "2025-06-01").must()
        assert "on its own, it moves to cold by age-out" in run.out, run.out
        assert "yes  older_than 90d: 106d" in run.out and "frostline.yaml:16:14" in run.out, run.out
        assert "no other recording is in this directory" in run.out, run.out
        assert run.out.endswith("are looked\n  at by `frostline plan`.\n"), run.out
        box.execute("INSERT INTO ecal VALUES ('R2', ?, '2025-05-14 06:00:00', 0.001)",
                    f"file://{box.hot}/rec/1/R2.ecalmeas")
        run = box.run("explain", "R1", "--as-of", "2025-06-01").must()
        assert "! R2  stays: not selected: age-out (older_than 90d: 17d)" in run.out, run.out
        assert "shared-directory" in run.out, run.out
        run = box.run("explain", "R2", "--as-of", "2025-06-01").must()
        assert "From 2025-08-12 06:00:00 UTC on it moves to cold by age-out" in run.out, run.out


def case_explain_tells_what_a_directory_decides():
    with Box() as box:
        edit(box, ("policies:", """holds:
  - {name: case, select: {ids: [HELD]}}
policies:
  - {name: keep, target: hot, priority: 1, select: {ids: [KEPT]}}
  - {name: warm-up, target: warm, select: {ids: [WARM, BOTH]}}"""),
             ("stores:", f"stores:\n  warm: {{type: local, path: {box.folder}/warm}}"))
        box.execute("CREATE INDEX ecal_by_name ON ecal (ecal_name COLLATE BINARY)")
        old, new = "2025-02-14 06:00:00", "2099-01-01 00:00:00"

        def put(ident, key, recorded=old):
            box.execute("INSERT INTO ecal VALUES (?, ?, ?, 0.001)", ident,
                        f"file://{box.hot}/{key}", recorded)

        def told(ident):
            return box.run("explain", ident, "--as-of", "2025-06-01").must().out

        put("A", "a/x")
        put("A2", "a/y")
        assert "1 other recording in this directory: none is in the way: all move to cold by " \
            "age-out\n" in told("A")
        put("WARM", "a/z", new)
        assert "2 other recordings in this directory: conflict: warm-up and age-out\n" in told("A")
        put("KEPT", "a/k", new)
        assert "3 other recordings in this directory: in place: keep\n" in told("A")
        put("HELD", "a/h")
        assert "! HELD  stays: hold: case: ids\n" in told("A") and "directory: held: " in told("A")
        assert "age-out  hot -> cold" in told("HELD") and ": selected, but held\n" in told("HELD")
        put("ODD", "a/o?query")
        assert "! ODD  stays: spelling: has a query\n" in told("A"), told("A")
        assert "5 other recordings in this directory: spelling: " in told("A"), told("A")

        put("BOTH", "b/x")
        assert told("BOTH").count(": selected, and conflicts\n") == 2, told("BOTH")
        put("C", "c/x")
        put("C2", "c/d/o?query")
        assert "no other recording is in this directory" in told("C"), told("C")
        put("C3", "c/d/x")
        assert "0 other recordings in this directory: nested-directory: " in told("C"), told("C")
        box.execute("INSERT INTO ecal VALUES ('FAR', 'ftp://x/y/z', ?, NULL)", old)
        assert ": not asked: it is not there\n" in told("FAR"), told("FAR")
        box.execute("INSERT INTO ecal SELECT 'N' || value, ? || value, ?, 1 FROM "
                    "(WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n "
                    "WHERE value < 10001) SELECT value FROM n)", f"file://{box.hot}/n/x", old)
        many = told("N1")
        assert "more than 10,000 recordings, not all were looked at\n" in many, many
        assert "none is in the way" not in many, many
        put("LAST", "n/z", new)
        last = told("LAST")
        assert "10,000 other recordings in this directory: shared-directory: " in last, last
        assert "  ! " not in last, last


def case_explain_knows_what_it_does_not_know():
    with Box() as box:
        box.execute("INSERT INTO ecal VALUES ('R1', 'ftp://x/y/z', NULL, NULL), "
                    "('R2', NULL, NULL, NULL), ('R3', ?, NULL, NULL)",
                    f"file://{box.hot}//a/b")
        run = box.run("explain", "R1").must()
        assert "it stays: unmanaged: " in run.out and "?    older_than 90d" in run.out, run.out
        assert "it stays: unmanaged: it has no location" in box.run("explain", "R2").must().out
        assert "it stays: spelling: " in box.run("explain", "R3").must().out
        assert "no recording has the id R4" in box.run("explain", "R4").must(1).err
        assert "unknown key" in box.run("explain", "FL0102").must().out


def case_an_interrupt_at_the_prompt_ends_at_once():
    with Box() as box:
        box.add("R1", "rec/1/")
        box.run("plan", "--out", "x.plan").must()
        code, said = at_the_prompt(box, "x.plan", lambda terminal: os.write(terminal, b"\x03"))
        assert code == 130, (code, said)
        assert box.files(box.hot) == box.objects


if __name__ == "__main__":
    main(globals(), servers=False)
