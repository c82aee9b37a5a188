#!/usr/bin/env python3
"""restore: recordings come back by a plan like any other, of policies that stand in the plan itself."""
import hashlib
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from box import Box
from scene import main


def moved(box, *idents, after="0s"):
    """The recordings were moved to the cold store."""
    box.policy(after=after)
    for i, ident in enumerate(idents):
        box.add(ident, f"recording/2025-02-1{i}/{ident}/")
    box.run("reconcile", "-q").must()


def delete_at_once(box):
    """What a restore moves is deleted where it was, as its last step."""
    path = os.path.join(box.folder, "frostline.yaml")
    with open(path) as file:
        text = file.read()
    with open(path, "w") as file:
        file.write(text.replace("version: 1", "version: 1\ndefaults: "
                                "{cleanup: {source: delete, after: 0s}}"))


def where(box):
    return {ident: location[len("file://"):].startswith(box.cold + "/")
            for ident, location in box.execute("SELECT ecal_id, ecal_name FROM ecal")}


def check_whole(box):
    for (location,) in box.execute("SELECT ecal_name FROM ecal"):
        folder = os.path.dirname(location[len("file://"):])
        root = box.cold if folder.startswith(box.cold + "/") else box.hot
        key = os.path.relpath(folder, root) + "/"
        wanted = {name: body for name, body in box.objects.items() if name.startswith(key)}
        found = {key + name: open(os.path.join(folder, name), "rb").read()
                 for name in os.listdir(folder)}
        assert found == wanted, location


def case_what_was_chosen_comes_back():
    with Box() as box:
        moved(box, "A", "B", "C")
        shown = box.run("restore", "id:A", "B", "--out", "back.plan").must().out
        assert "\nrestore  any -> hot   3 recordings -> 2 selected -> 2 to move\n" in shown, shown
        assert "  < cold:recording/2025-02-10/ " in shown and "Next  frostline apply" in shown, shown
        assert where(box) == {"A": True, "B": True, "C": True}
        box.run("apply", "back.plan").must(5)
        box.run("apply", "back.plan", "--auto-approve").must()
        assert where(box) == {"A": False, "B": False, "C": True}
        check_whole(box)
        # The way back to the cold is closed until the cold copies are gone.
        again = box.run("plan").must().out
        assert "2 blocked" in again and "open-unit: run 2" in again, again


def case_days_and_stores_choose():
    with Box() as box:
        moved(box, "A", "B")
        box.execute("UPDATE ecal SET recording_start_time = '2025-03-01 23:59:59' WHERE ecal_id = 'B'")
        box.run("restore", "date:2025-03-01,store:hot", "--auto-approve").must()
        assert where(box) == {"A": True, "B": True}
        box.run("restore", "date:2025-02-28..2025-03-01,store:cold", "--auto-approve").must()
        assert where(box) == {"A": True, "B": False}
        with open(os.path.join(box.folder, "ids.txt"), "w") as file:
            file.write("# chosen\nA\n")
        box.run("restore", "@ids.txt", "--auto-approve").must()
        assert where(box) == {"A": False, "B": False}
        check_whole(box)


def case_a_restore_does_nothing_else():
    """What else is due, or open, is left to the runs of its own policies."""
    with Box() as box:
        moved(box, "B", after="0s")
        moved(box, "A", after="1s")
        time.sleep(1.1) # A's grace is over, and nobody has reaped it
        box.run("restore", "B", "--auto-approve", "--keep-source").must()
        status = json.loads(box.run("status", "--format", "json").must().out)
        assert status["in_grace"] == 1, status
        assert where(box) == {"A": True, "B": False}
        box.run("reap").must()
        assert not os.path.exists(os.path.join(box.hot, "recording/2025-02-10/A"))
        check_whole(box)


def case_a_directory_comes_back_as_a_whole():
    with Box() as box:
        box.policy()
        box.add("A", "recording/2025-02-14/x/")
        box.put("recording/2025-02-14/x/B.ecalmeas", b"B")
        box.execute("INSERT INTO ecal VALUES ('B', ?, '2025-02-14 06:00:00', 0.001)",
                    f"file://{box.hot}/recording/2025-02-14/x/B.ecalmeas")
        box.run("reconcile", "-q").must()
        shown = box.run("restore", "A", "--auto-approve").must(3).out
        assert "shared-directory: B is not selected" in shown, shown
        assert where(box) == {"A": True, "B": True}
        box.run("restore", "A,B", "--auto-approve").must()
        assert where(box) == {"A": False, "B": False}
        check_whole(box)


def case_what_came_back_stays_for_its_residency():
    with Box() as box:
        moved(box, "A")
        path = os.path.join(box.folder, "frostline.yaml")
        with open(path, "a") as file:
            file.write("    min_residency: 30d\n")
        delete_at_once(box)
        box.run("restore", "A", "--auto-approve").must()
        assert where(box) == {"A": False} and box.files(box.cold) == {}
        shown = box.run("reconcile").must().out
        assert "min-residency: frostline brought it on" in shown, shown
        assert where(box) == {"A": False}
        check_whole(box)


def case_the_store_is_named_where_it_could_be_several():
    with Box() as box:
        moved(box, "A")
        path = os.path.join(box.folder, "frostline.yaml")
        os.mkdir(os.path.join(box.folder, "warm"))
        with open(path) as file:
            text = file.read()
        with open(path, "w") as file:
            file.write(text.replace("policies:", f"  warm: {{type: local, path: {box.folder}/warm}}\n"
                                                 "policies:"))
        told = box.run("restore", "A", "--auto-approve").must(64)
        assert "--to STORE" in told.err, told.err
        box.run("restore", "A", "--to", "warm", "--auto-approve").must()
        (location,), = box.execute("SELECT ecal_name FROM ecal")
        assert location.startswith(f"file://{box.folder}/warm/"), location


def case_what_can_not_be_is_told():
    with Box() as box:
        moved(box, "A")
        for words, code, said in (([], 64, "restore what?"), (["id:"], 64, "an id is empty"),
                                  (["@gone"], 64, "No such file"), (["A", "--to", "moon"], 65, "moon"),
                                  (["date:2025-02-30"], 65, "no such day")):
            run = box.run("restore", *words, "--auto-approve").must(code)
            assert said in run.err, run.err
        shown = box.run("restore", "Z", "--auto-approve").must(3).out
        assert "? Z (" in shown and "Nothing that was selected is elsewhere." in shown, shown
        assert where(box) == {"A": True}


def case_what_stays_away_is_no_success():
    """Somebody waits for just these: missing, held or still in its grace is exit 3."""
    with Box() as box:
        moved(box, "A", "B")
        with open(os.path.join(box.folder, "frostline.yaml"), "a") as file:
            file.write("holds: [{name: legal, select: {ids: [B]}}]\n")
        run = box.run("restore", "A", "Z", "--auto-approve").must(3)
        assert "not in the catalog: 1 listed id\n" in run.err, run.err
        assert "moves them again, unless" in run.out and where(box) == {"A": False, "B": True}
        run = box.run("restore", "B", "--out", "back.plan").must(3)
        assert "hold: B is held by legal" in run.out, run.out
        assert "blocked, and so not restored: 1 directory\n" in run.err, run.err
        run = box.run("restore", "A", "-q", "--auto-approve").must()
        assert run.out + run.err == "", run.out + run.err
        assert where(box) == {"A": False, "B": True}
    with Box() as box:
        moved(box, "A", after="7d")
        run = box.run("restore", "A", "--auto-approve").must(3)
        assert "open-unit: run 1" in run.out and "frostline rollback RUN" in run.err, run.out
        box.run("rollback", "1", "-q", "--auto-approve").must()
        assert where(box) == {"A": False}
        again = box.run("rollback", "1", "-q", "--auto-approve").must()
        assert again.out + again.err == "", again.out + again.err
        check_whole(box)


def case_what_no_plan_reaches_is_told():
    with Box() as box:
        moved(box, "A")
        for ident, location in (("F", "ftp://x/y/z"), ("N", None), ("R", f"file://{box.cold}/r.ecal"),
                                ("T", f"file://{box.hot}/there.ecal")):
            box.execute("INSERT INTO ecal VALUES (?, ?, '2025-02-14 06:00:00', 0.001)", ident, location)
        run = box.run("restore", "F", "N", "R", "T", "A", "--auto-approve").must(3)
        assert "in no directory of a store: 3 recordings\n" in run.err, run.err
        box.run("restore", "A", "--auto-approve").must()
        box.run("restore", "store:hot", "--auto-approve").must()
        assert box.execute("SELECT ecal_name FROM ecal WHERE ecal_id = 'F'") == [("ftp://x/y/z",)]


def case_nobody_approved():
    with Box() as box:
        moved(box, "A")
        run = box.run("restore", "A").must(5)
        assert "nobody approved this plan" in run.err and where(box) == {"A": True}


def case_what_is_to_be_kept_stands_in_the_plan():
    with Box() as box:
        moved(box, "A", "B")
        delete_at_once(box)
        cold = box.files(box.cold)
        box.run("restore", "A", "--keep-source", "--out", "back.plan").must()
        box.run("apply", "back.plan", "--auto-approve").must()
        box.run("reap").must()
        assert where(box) == {"A": False, "B": True} and box.files(box.cold) == cold
        box.run("restore", "B", "--auto-approve").must()
        assert len(box.files(box.cold)) == len(cold) // 2
        check_whole(box)


def case_ids_are_what_they_are():
    idents = ['q"u\'o\\te', "co:lon", "$x", "null", "\u20ac \U0001f600", "two\nlines", "%n%s", "x" * 4000]
    with Box() as box:
        moved(box, *[f"A{i}" for i in range(len(idents))], "comma")
        for i, ident in enumerate(idents):
            box.execute("UPDATE ecal SET ecal_id = ? WHERE ecal_id = ?", ident, f"A{i}")
        box.execute("UPDATE ecal SET ecal_id = 'a,b' WHERE ecal_id = 'comma'")
        with open(os.path.join(box.folder, "ids.txt"), "w") as file:
            file.write("a,b\n")
        box.run("restore", *["id:" + ident for ident in idents], "@ids.txt", "--out", "x.plan").must()
        box.run("apply", "x.plan", "--auto-approve").must()
        assert not any(where(box).values()), where(box)
        check_whole(box)
        box.run("restore", b"\xff\xfe", "--auto-approve").must(65)
        told = box.run("restore", "c\u009b31m", "--auto-approve").must(65)
        assert "?31m" in told.err and "\u009b" not in told.err, told.err


def case_the_list_of_ids_is_a_part_of_the_plan():
    with Box() as box:
        moved(box, "A", "B")
        lists = os.path.join(box.folder, "lists")
        os.mkdir(lists)
        with open(os.path.join(lists, "ids.txt"), "w") as file:
            file.write("A\n")
        box.run("restore", "@lists/ids.txt", "--out", "lists/back.plan").must()
        assert "STALE" not in box.run("show", "lists/back.plan").must().out
        with open(os.path.join(lists, "ids.txt"), "a") as file:
            file.write("B\n")
        assert "STALE: the policy files have changed" in box.run("show", "lists/back.plan").must().out
        box.run("apply", "lists/back.plan", "--auto-approve").must(4)
        assert where(box) == {"A": True, "B": True}


def case_objects_come_back_alone():
    with Box() as box:
        box.policy(catalog="\n  unit: object")
        for ident in "AB":
            box.put(f"rec/{ident}.ecal", ident.encode())
            box.execute("INSERT INTO ecal VALUES (?, ?, '2025-02-14 06:00:00', 0.001)", ident,
                        f"file://{box.hot}/rec/{ident}.ecal")
        box.run("reconcile", "-q").must()
        shown = box.run("restore", "A", "--auto-approve").must().out
        assert "1 object" in shown and "director" not in shown, shown
        assert where(box) == {"A": False, "B": True}
        assert box.files(box.hot) == {"rec/A.ecal": b"A"}


def sealed(box, edit):
    """Of back.plan: with another request, another line, and digests that fit all the same."""
    with open(os.path.join(box.folder, "back.plan")) as file:
        lines = [json.loads(line) for line in file]
    edit(lines)
    with open(os.path.join(box.folder, "frostline.yaml"), "rb") as file:
        parts = [(b"frostline.yaml", file.read()), (b"(request)", lines[0]["request"].encode())]
    digest = hashlib.sha256(b"".join(b"%s\0%d\0%s" % (name, len(text), text)
                                     for name, text in parts))
    lines[0]["policy"] = "sha256:" + digest.hexdigest()
    above = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines[:-1])
    lines[-1]["digest"] = "sha256:" + hashlib.sha256(above.encode()).hexdigest()
    with open(os.path.join(box.folder, "made.plan"), "w") as file:
        file.write(above + json.dumps(lines[-1], separators=(",", ":")) + "\n")
    return box.run("apply", "made.plan", "--auto-approve")


def case_a_request_that_somebody_made_says_no_more_than_its_lines():
    with Box() as box:
        moved(box, "A", "B")
        box.run("restore", "A", "--out", "back.plan").must()
        request = json.loads(open(os.path.join(box.folder, "back.plan")).readline())["request"]
        policies = json.loads(request)["policies"]

        def refused(text, code, said):
            run = sealed(box, lambda lines: lines[0].update(request=text)).must(code)
            assert said in run.err, run.err
            assert where(box) == {"A": True, "B": True}
        refused("{}", 65, "a request is empty")
        for key, value in (("holds", []), ("vars", {"x": "y"}), ("include", ["a.yaml"]), ("tests", []),
                           ("stores", {"hot": {"type": "local", "path": "/"}}), ("catalog", {}),
                           ("defaults", {"cleanup": {"source": "delete", "after": "0s"}})):
            refused(json.dumps({"policies": policies, key: value}), 65, f"unknown key `{key}`")
        refused(json.dumps({"policies": [dict(policies[0], name="age-out")]}), 65, "a second `age-out`")
        refused(request + " " * (1 << 20), 65, "\"request\"")
        # What it selects is not asked again: the lines alone say what moves.
        other = json.dumps({"policies": [dict(policies[0], select={"ids": ["B"]})]})
        sealed(box, lambda lines: lines[0].update(request=other)).must()
        assert where(box) == {"A": False, "B": True}
        check_whole(box)


def case_a_name_that_a_policy_has_is_not_taken():
    with Box() as box:
        moved(box, "A")
        path = os.path.join(box.folder, "frostline.yaml")
        with open(path) as file:
            text = file.read()
        with open(path, "w") as file:
            file.write(text.replace("age-out", "restore"))
        told = box.run("restore", "A", "--auto-approve").must(65)
        assert "a second `restore`" in told.err and where(box) == {"A": True}, told.err


def case_a_plan_that_was_edited_restores_nothing():
    with Box() as box:
        moved(box, "A", "B")
        box.run("restore", "A", "--out", "back.plan").must()
        path = os.path.join(box.folder, "back.plan")
        with open(path) as file:
            text = file.read()
        assert text.count('[\\"A\\"]') == 1, text
        with open(path, "w") as file:
            file.write(text.replace('[\\"A\\"]', '[\\"B\\"]'))
        box.run("apply", "back.plan", "--auto-approve").must(65)
        assert where(box) == {"A": True, "B": True}


if __name__ == "__main__":
    main(globals(), servers=False)
