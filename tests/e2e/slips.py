#!/usr/bin/env python3
"""Slips of the pen, and whatever recordings may be called."""
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from box import Box
from scene import main


def case_a_slip_of_the_pen_is_told():
    with Box() as box:
        box.add("A", "rec/A/")
        box.run("plan", "--out", "p.plan").must()
        for words, code, said in (
                (["shw"], 64, "unknown verb shw\n  hint: did you mean show?"),
                (["Plan"], 64, "did you mean plan?"),
                (["help", "shw"], 64, "did you mean show?"),
                (["plan", "--slect", "A"], 64, "unknown flag --slect\n  hint: did you mean --select?"),
                (["plan", "-Z"], 64, "unknown flag -Z"),
                (["status", "--concurrency", "2"], 64, "status does not know --concurrency"),
                (["apply", "--concurrency", "0"], 64, "a number from 1 to 64, not 0"),
                (["apply", "--concurrency", "65"], 64, "a number from 1 to 64, not 65"),
                (["apply", "--ttl", "5"], 64, '"5" is not a duration'),
                (["apply", "--ttl", "1mo"], 64, "--ttl wants a duration like 30s"),
                (["apply", "--max-duration"], 64, "--max-duration wants DURATION"),
                (["plan", "--as-of", "yesterday"], 64, '"yesterday" is not a date'),
                (["plan", "--format", "tap"], 64, "plan does not know --format tap"),
                (["plan", "--survey=some"], 64, "--survey wants full|none, not some"),
                (["plan", "--all=1"], 64, "--all takes no value"),
                (["plan", "a", "b"], 64, "one argument too many for plan: b"),
                (["plan", "-q", "-v"], 64, "--quiet and --verbose exclude each other"),
                (["apply", "--select", "A", "--to", "cold", "--grace", "1d", "--keep-source"], 64,
                 "--keep-source and --grace exclude each other"),
                (["show", "frostline.yaml"], 65, "it is no plan of frostline\n  hint: frostline plan"),
                (["diff", "p.plan", "frostline.yaml"], 65, "it is no plan of frostline"),
                (["plan", "p.plan"], 65, "p.plan is a plan, and a policy is wanted"),
                (["reconcile", "p.plan"], 65, "p.plan is a plan, and a policy is wanted"),
                (["apply"], 5, "nobody approved this plan\n  hint: --auto-approve"),
                (["wizard"], 5, "nobody is there to answer")):
            run = box.run(*words).must(code)
            assert said in run.err, (words, run.err)
        assert box.files(box.cold) == {}
        os.unlink(os.path.join(box.folder, "frostline.yaml"))
        for verb, way in (("plan", "name a policy file;"), ("ls", "name a policy file with --policy;")):
            said = box.run(verb).must(65).err
            assert f"hint: {way} `frostline demo --keep DIR` makes one" in said, said


def case_help_helps():
    with Box() as box:
        first, every = (box.run("help", *words).must().out for words in ((), ("all",)))
        assert box.run("--help").must().out == first and box.run().must(64).err == first
        verbs = re.findall(r"^  (\w+) ", every, re.M)
        assert re.findall(r"^  (\w+) ", first, re.M) == verbs[:9], first
        assert f"\nand {' '.join(verbs[9:])}\n" in first, first
        for verb in verbs:
            told = box.run("help", verb).must().out
            assert told == box.run(verb, "--help").must().out and f"frostline {verb} " in told, told
            assert max(map(len, told.splitlines())) <= 100 and "--quiet" in told, told
            assert not re.search(" $", told, re.M), told


def case_a_catalog_may_be_empty():
    with Box() as box:
        assert "No moves." in box.run("plan").must().out
        assert "Moved 0 recordings" in box.run("reconcile").must().out
        assert box.run("ls").must().out == "No recording is selected.\n"
        assert json.loads(box.run("ls", "--format", "json").must().out)["recordings"] == []
        assert "No moves." in box.run("apply", "--select", "A", "--to", "cold").must().out


IDS = ["Überlandfahrt", "Поездка", "走行記録", "تسجيل", "हाइवे", "🚗🏁", "a'b\"c\\d", "100%", "a b",
       "-leading", "$(reboot)", "x" * 4000]


def case_ids_of_every_script_and_length():
    with Box() as box:
        for i, ident in enumerate(IDS):
            box.add("R", f"rec/{i:02d}/")
            box.execute("UPDATE ecal SET ecal_id = ? WHERE ecal_id = 'R'", ident)
        for locale in ("C", "C.UTF-8"):
            box.run("plan", "--all", environment={"LC_ALL": locale}).must()
        listed = json.loads(box.run("ls", "--format", "json").must().out)["recordings"]
        assert {row["id"] for row in listed} == set(IDS), listed
        for ident in IDS:
            word = "id:" + ident.replace(" ", "\\ ")
            found = json.loads(box.run("ls", "--select", word, "--format", "json").must().out)
            assert [row["id"] for row in found["recordings"]] == [ident], (ident, found)
            box.run("ls", "--", word.replace("\\ ", " ")).must()
            box.run("explain", "--", ident).must()
        with open(os.path.join(box.folder, "ids.txt"), "w") as file:
            file.write("\n".join(IDS[:6]) + "\n")
        box.run("apply", "--select", "@ids.txt", "--auto-approve").must()
        moved = json.loads(box.run("ls", "store:cold", "--format", "json").must().out)
        assert {row["id"] for row in moved["recordings"]} == set(IDS[:6]), moved
        box.run("reconcile", environment={"LC_ALL": "C"}).must()
        box.check_moved()
        for ident in IDS:
            assert "move rec/" in box.run("history", "--", ident).must().out, ident


if __name__ == "__main__":
    main(globals(), servers=False)
