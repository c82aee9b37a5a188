#!/usr/bin/env python3
"""restore: recordings come back by a plan like any other, of policies that stand in the plan itself."""
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
        shown = box.run("restore", "A", "--auto-approve").must().out
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
        with open(path) as file:
            text = file.read()
        with open(path, "w") as file:
            file.write(text.replace("version: 1", "version: 1\ndefaults: "
                                    "{cleanup: {source: delete, after: 0s}}"))
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
        shown = box.run("restore", "Z", "--auto-approve").must().out
        assert "? Z (" in shown and "Nothing that was selected is elsewhere." in shown, shown
        assert where(box) == {"A": True}


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
