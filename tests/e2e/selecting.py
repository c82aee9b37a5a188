#!/usr/bin/env python3
"""--select, --exclude, --to and ls: of what the policies would move, only what was asked for; or what
was asked for, to where was said."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from box import Box, held
from scene import main

EARLY = """  - name: early
    from: hot
    target: cold
    priority: 5
    select: {ids: [C]}
"""


def recorded(box, ident, day):
    box.execute("UPDATE ecal SET recording_start_time = ? WHERE ecal_id = ?", f"{day} 12:00:00", ident)


def filled(box):
    """A and B on two days, C won by another policy, D of yesterday's policy alone."""
    for ident in "ABC":
        box.add(ident, f"rec/{ident}/")
    recorded(box, "B", "2025-02-15")
    with open(os.path.join(box.folder, "frostline.yaml"), "a") as file:
        file.write(EARLY)


def at_cold(box):
    return {ident for ident, location in box.execute("SELECT ecal_id, ecal_name FROM ecal")
            if location.startswith(f"file://{box.cold}/")}


def case_only_what_was_asked_for_moves():
    for words, moved in ((["--select", "date:2025-02-14"], "AC"),
                         (["--select", "date:2025-02-15", "--select", "id:A"], "AB"),
                         (["--select", "B A"], "AB"),
                         (["--select", "date:2025-02-14,id:A,B"], "A"),
                         (["--select", "policy:age-out"], "AB"),
                         (["--select", "policy:early"], "C"),
                         (["--exclude", "policy:early,date:2025-02-14"], "AB"),
                         (["--exclude", "B C"], "A"),
                         (["--select", "date:..2025-02-14", "--exclude", "C"], "A"),
                         (["--select", "store:cold"], ""),
                         (["--exclude", "state:failed"], "ABC")):
        with Box() as box:
            filled(box)
            box.run("reconcile", *words).must()
            assert at_cold(box) == set(moved), (words, at_cold(box))
            box.check_whole()


def case_what_was_asked_for_stands_in_the_plan():
    with Box() as box:
        filled(box)
        shown = box.run("plan", "--select", "date:2025-02-14", "--exclude", "id:C", "--out",
                        "p.plan").must().out
        assert "\nAsked for date:2025-02-14, but not id:C\n" in shown, shown
        assert "3 recordings -> 1 selected -> 1 to move" in shown, shown
        told = box.run("apply", "p.plan", "--select", "id:B", "--auto-approve").must(64).err
        assert "applied as it was reviewed" in told, told
        box.run("apply", "p.plan", "--auto-approve").must()
        assert at_cold(box) == {"A"}
        box.run("apply", "p.plan", "--auto-approve").must()
        assert at_cold(box) == {"A"}


def case_a_directory_is_not_torn_apart():
    with Box() as box:
        box.add("A", "rec/x/")
        box.put("rec/x/B.ecalmeas", b"B")
        box.execute("INSERT INTO ecal VALUES ('B', ?, '2025-02-14 06:00:00', 0.001)",
                    f"file://{box.hot}/rec/x/B.ecalmeas")
        for words in (["--select", "id:A"], ["--exclude", "id:B"],
                      ["--select", "id:A", "--to", "cold"]):
            shown = box.run("plan", *words).must().out
            assert "shared-directory: B is not selected" in shown, shown
            box.run("apply", *words, "--auto-approve").must()
            assert at_cold(box) == set()
        box.run("apply", "--select", "A,B", "--to", "cold", "--grace", "0s", "--auto-approve").must()
        box.check_moved()


def case_what_was_asked_for_goes_where_was_said():
    """Whatever the policies say of it."""
    with Box() as box:
        filled(box)
        recorded(box, "A", "2999-01-01")
        box.run("apply", "--select", "date:2999-01-01", "--to", "cold").must(5)
        shown = box.run("apply", "--select", "date:2999-01-01", "--to", "cold", "--grace", "0s",
                        "--auto-approve").must().out
        assert "\nmanual  any -> cold   3 recordings -> 1 selected -> 1 to move\n" in shown, shown
        assert "\n  > hot:rec/ " in shown and "deleted 1 source." in shown, shown
        assert at_cold(box) == {"A"}
        again = box.run("apply", "--select", "A", "--to", "cold", "--auto-approve").must().out
        assert "Nothing that was selected is elsewhere." in again, again
        kept = box.run("apply", "--select", "B", "--to", "cold", "--keep-source", "--auto-approve")
        assert "deleted 0 sources." in kept.must().out, kept.out
        waits = box.run("apply", "--select", "C", "--to", "cold", "--grace", "2h", "--auto-approve")
        assert "1 source waits until " in waits.must().out, waits.out
        assert at_cold(box) == {"A", "B", "C"}
        box.check_whole()


def case_what_failed_is_tried_again():
    with Box() as box:
        filled(box)
        for words, key in (((), "open"), (("--select", "state:failed"), "units")):
            assert json.loads(box.run("status", "--format", "json", *words).must().out)[key] == []
        blocked = os.path.join(box.cold, "rec", "B")
        os.makedirs(blocked)
        with open(os.path.join(blocked, "file_0.bin"), "w") as file:
            file.write("a stranger's")
        box.run("reconcile").must(6)
        assert at_cold(box) == {"A", "C"}
        told = box.run("status").must().out
        assert "--select state:failed" in told and "rec/B/" not in told, told
        told = box.run("status", "--select", "state:failed").must().out
        assert "rec/B/" in told and "target-differs" in told and "rec/A/" not in told, told
        os.unlink(os.path.join(blocked, "file_0.bin"))
        rows = json.loads(box.run("ls", "state:failed", "--format", "json").must().out)
        assert [row["id"] for row in rows["recordings"]] == ["B"], rows
        rows = json.loads(box.run("ls", "state:done", "--format", "json").must().out)
        assert [row["id"] for row in rows["recordings"]] == ["A"], rows
        rows = json.loads(box.run("ls", "state:waiting", "--format", "json").must().out)
        assert [row["id"] for row in rows["recordings"]] == ["C"], rows
        box.add("D", "rec/D/")
        box.run("apply", "--select", "state:failed", "--auto-approve").must()
        assert at_cold(box) == {"A", "B", "C"}
        told = box.run("status", "--select", "state:failed").must().out
        assert "rec/" not in told, told
        for words, units in ((["id:B"], "BB"), (["policy:early"], "C"), (["store:cold"], "ABBC"),
                             (["store:cold", "--exclude", "B"], "AC"),
                             (["state:done,id:A,B"], "AB"), (["store:warm"], "")):
            found = json.loads(box.run("status", "--format", "json", "--select", *words).must().out)
            assert [unit["source"][-2] for unit in found["units"]] == list(units), (words, found)
        assert "date and file" in box.run("status", "--select", "date:2025-02-14").must(64).err
        nothing = box.run("plan", "--select", "state:failed").must().out
        assert "Nothing that was selected is elsewhere." in nothing, nothing
        box.check_whole()


def case_ls_shows_where_each_is_and_what_comes():
    with Box() as box:
        filled(box)
        recorded(box, "C", "2999-01-01")
        box.run("reconcile", "--select", "B").must()
        recorded(box, "A", "2998-12-31")
        shown = box.run("ls", "--as-of", "2999-02-01T00:00:00Z").must().out.splitlines()
        assert shown[0].split() == ["id", "recorded", "(UTC)", "size", "store", "tier", "age",
                                    "next", "move"], shown
        lines = {line.split()[0]: line for line in shown[1:-1]}
        assert lines["A"].split()[1:8] == ["2998-12-31", "12:00:00", "-", "hot", "-", "31", "d"], lines
        assert lines["A"].endswith("to cold on 2999-03-31 (age-out)"), lines["A"]
        assert lines["B"].split()[4] == "cold" and lines["B"].endswith("stays"), lines["B"]
        assert lines["C"].endswith("to cold now (early)"), lines["C"]
        assert shown[-1] == "3 recordings, 0 B.", shown
        few = json.loads(box.run("ls", "store:hot", "--exclude", "C", "--format", "json").must().out)
        (row,) = few["recordings"]
        assert row["id"] == "A" and row["store"] == "hot" and row["bytes"] is None, row
        assert row["location"] == f"file://{box.hot}/rec/A/A.ecalmeas", row
        assert row["next"] == {"at": "2999-03-31T12:00:00.000001Z", "to": "cold",
                               "policy": "age-out"}, row
        missing = box.run("ls", "A", "ghost").must(1)
        assert missing.err == "frostline: not in the catalog: ghost\n", missing.err
        assert len(missing.out.splitlines()) == 3, missing.out
        twice = box.run("ls", "A", "id:B,A,A").must().out
        assert twice.endswith("\n2 recordings, 0 B.\n"), twice
        with open(os.path.join(box.folder, "ids.txt"), "w") as file:
            file.write("A\nspirit # nowhere\n")
        told = box.run("ls", "@ids.txt").must(1)
        assert told.err == "frostline: not in the catalog: spirit\n", told.err
        assert box.run("ls", "date:1970-01-01").must().out == "No recording is selected.\n"


def case_ls_has_a_column_for_names_of_stores():
    with Box() as box:
        box.add("A", "rec/A/")
        box.run("reconcile").must()
        box.add("B", "rec/B/")
        path = os.path.join(box.folder, "frostline.yaml")
        with open(path) as file:
            text = file.read()
        with open(path, "w") as file:
            file.write(text.replace("hot: {", "ecal-batchstore: {")
                       .replace("from: hot", "from: ecal-batchstore"))
        shown = box.run("ls").must().out.splitlines()
        at = shown[0].index("tier")
        assert [line[at - 2:at + 2] for line in shown[1:-1]] == ["  - "] * 2, shown


def case_how_they_stand_is_asked_when_nobody_changes_it():
    with Box() as box:
        filled(box)
        box.execute("CREATE INDEX ecal_by_name ON ecal (ecal_name COLLATE BINARY)")
        with held(box) as let_go:
            other = box.start("apply", "--auto-approve")
            line = other.stderr.readline()
            assert "running, " in line, line
            restore = box.start("restore", "state:done", "--to", "hot", "--auto-approve",
                                "--lock-wait", "60s")
            assert "waiting for another run to end" in restore.stderr.readline()
            let_go()
        assert other.wait() == 0, other.stderr.read()
        out, err = restore.communicate()
        assert restore.returncode == 0 and "Moved 2 recordings" in out, (out, err)
        assert at_cold(box) == {"C"}
        box.check_whole()


def case_those_that_are_selected_are_explained():
    with Box() as box:
        filled(box)
        told = box.run("explain", "--select", "date:2025-02-14", "--exclude", "B").must().out
        assert told.count("\n--\n") == 1, told
        for ident, policy in (("A", "age-out"), ("C", "early")):
            assert f"{ident}  hot:rec/{ident}/{ident}.ecalmeas\n" in told, told
            assert f"it moves to cold by {policy}" in told, told
        assert box.run("explain", "--select", "store:cold").must().out == "No recording is selected.\n"


def case_what_can_not_be_is_told():
    with Box() as box:
        filled(box)
        for words, code, said in ((["--select", ""], 64, "--select wants WORDS"),
                                  (["--select", "date:"], 64, "nothing stands behind it"),
                                  (["--select", "date:2025-02-30"], 65, "no such day"),
                                  (["--select", "date:2025-02-14..2025-02-01"], 65, "is before"),
                                  (["--select", "policy:late"], 65, "unknown policy `late`"),
                                  (["--select", "store:colt"], 65, "did you mean `cold`?"),
                                  (["--select", "state:lost"], 64, "state: wants open, waiting"),
                                  (["--select", "@gone"], 64, "No such file"),
                                  (["--to", "cold"], 64, "--to needs --select"),
                                  (["--grace", "1d"], 64, "--grace needs --to"),
                                  (["--select", "A", "--to", "moon"], 65, "unknown store `moon`"),
                                  (["--select", "policy:age-out", "--to", "cold"], 65,
                                   "unknown key `policy`")):
            run = box.run("plan", *words).must(code)
            assert said in run.err, (words, run.err)


if __name__ == "__main__":
    main(globals(), servers=False)
