#!/usr/bin/env python3
"""Folders as stores: nobody leads frostline out of them, whatever they plant there and whenever."""
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from box import Box
from scene import main


class Walled(Box):
    """A box beside a folder that is nobody's business."""

    def __init__(self):
        super().__init__()
        self.outside = os.path.join(self.folder, "outside")
        for name in ("a", "b"):
            os.makedirs(os.path.join(self.outside, name))
            with open(os.path.join(self.outside, name, "secret"), "wb") as file:
                file.write(b"nobody's business")
        self.kept = self.files(self.outside)

    def check_walls(self):
        assert self.files(self.outside) == self.kept, self.files(self.outside).keys()
        for root in (self.hot, self.cold):
            taken = [path for path, body in self.regular(root) if body == b"nobody's business"]
            assert taken == [], taken

    def regular(self, root):
        for folder, _, names in os.walk(root):
            for name in names:
                path = os.path.join(folder, name)
                if not os.path.islink(path):
                    with open(path, "rb") as file:
                        yield path, file.read()

    def swap(self, path, target):
        """What stands there gives way to a link."""
        os.rename(path, path.rstrip("/") + ".away")
        os.symlink(target, path.rstrip("/"))


def case_rows_that_lead_out_of_the_folder():
    with Walled() as box:
        box.add("GOOD", "recording/1/a/")
        outside = box.outside
        locations = [f"file://{box.hot}/../outside/a/secret", f"file://{box.hot}/%2e%2e/outside/a/secret",
                     f"file://{box.hot}/..%2foutside/a/secret", f"file://{outside}/a/secret",
                     f"file://{box.hot}/recording/../../outside/a/secret", f"{outside}/a/secret",
                     f"file://localhost{outside}/a/secret", "file:///etc/passwd",
                     f"file://{box.hot}//../outside/a/secret", f"file://{box.hot}\\..\\outside/a/x",
                     f"file://{box.hot}/./../outside/a/secret", f"file://{box.hot}/..",
                     f"file://{box.hot}-not/a/secret", f"file://{box.hot}/link/secret"]
        os.symlink(os.path.join(outside, "a"), os.path.join(box.hot, "link"))
        for number, location in enumerate(locations):
            box.execute("INSERT INTO ecal VALUES (?, ?, '2025-02-14 06:00:00', 0.001)", f"BAD{number}",
                        location)
        rows = dict(box.execute("SELECT * FROM (SELECT ecal_id, ecal_name FROM ecal)"))
        box.run("plan", "--all", "--out", "p.plan").must()
        run = box.run("apply", "p.plan", "--auto-approve").must()
        assert "Moved 1 recording" in run.out, run.out
        box.check_walls()
        after = dict(box.execute("SELECT ecal_id, ecal_name FROM ecal"))
        assert {ident for ident in after if after[ident] != rows[ident]} == {"GOOD"}


def case_a_link_planted_between_plan_and_apply():
    plants = {
        "the directory of the source": lambda box: box.swap(f"{box.hot}/recording/1/a", f"{box.outside}/a"),
        "a folder above it": lambda box: box.swap(f"{box.hot}/recording", box.outside),
        "an object": lambda box: box.swap(f"{box.hot}/recording/1/a/file_0.bin",
                                          f"{box.outside}/a/secret"),
        "a folder above the target": lambda box: os.symlink(box.outside, f"{box.cold}/recording"),
        "the directory of the target": lambda box: (os.makedirs(f"{box.cold}/recording/1"), os.symlink(
            f"{box.outside}/a", f"{box.cold}/recording/1/a")),
        "an object of the target": lambda box: (os.makedirs(f"{box.cold}/recording/1/a"), os.symlink(
            f"{box.outside}/a/secret", f"{box.cold}/recording/1/a/file_0.bin")),
        "an object of the target, to nothing": lambda box: (
            os.makedirs(f"{box.cold}/recording/1/a"),
            os.symlink(f"{box.outside}/new", f"{box.cold}/recording/1/a/file_0.bin")),
    }
    for name, plant in plants.items():
        with Walled() as box:
            box.add("A", "recording/1/a/")
            box.run("plan", "--out", "p.plan").must()
            plant(box)
            run = box.run("apply", "p.plan", "--auto-approve")
            assert run.code in (3, 6) and "Moved 0 recordings" in run.out, (name, run.code, run.out)
            box.check_walls()
            ((location,),) = box.execute("SELECT ecal_name FROM ecal")
            assert location.startswith(f"file://{box.hot}/"), (name, location)


def case_a_link_planted_during_the_grace():
    for planted in ("recording", "recording/1", "recording/1/a"):
        with Walled() as box:
            box.add("A", "recording/1/a/")
            box.policy(after="1s")
            assert "1 source wait" in box.run("reconcile").out
            grace_ends = time.monotonic() + 1.1
            # The very same files stand outside: only the way there is wrong.
            there = os.path.join(box.outside, "there")
            os.rename(os.path.join(box.hot, planted), there)
            os.symlink(there, os.path.join(box.hot, planted))
            kept = box.files(box.outside)
            assert len(kept) == 6, kept.keys()
            time.sleep(max(0, grace_ends - time.monotonic()))
            run = box.run("reap")
            assert "deleted 0 sources" in run.out and "1 parked" in run.out, (planted, run.out)
            assert box.files(box.outside) == kept, (planted, run.out)


def case_one_folder_by_two_names():
    """Equal it is, and yet no copy: with the source it would be gone."""
    for verify in ("checksum", "size"):
        with Box() as box:
            box.add("A", "rec/a/")
            link = os.path.join(box.folder, "link")
            os.symlink(box.folder, link)
            box.cold = os.path.join(link, "hot")
            box.policy()
            with open(os.path.join(box.folder, "frostline.yaml"), "a") as file:
                file.write(f"    verify: {verify}\n")
            told = box.run("apply", "--auto-approve").must(6).out
            assert "target-differs" in told and "one place by two names" in told, told
            assert box.files(box.hot) == box.objects
            box.check_whole()


def case_links_that_come_and_go_while_it_runs():
    with Walled() as box:
        for number in range(30):
            box.add(f"A{number}", f"recording/{number % 6}/{number}/", files=4, size=200)
        ended = threading.Event()

        def plant(path):
            """Now it is a folder, and now a link to one outside."""
            while not ended.is_set():
                try:
                    os.rename(path, path + ".away")
                    os.symlink(f"{box.outside}/a", path)
                    os.unlink(path)
                    os.rename(path + ".away", path)
                except OSError:
                    pass

        paths = [f"{box.hot}/recording/{number}" for number in range(3)]
        planters = [threading.Thread(target=plant, args=(path,)) for path in paths]
        for planter in planters:
            planter.start()
        for _ in range(3):
            box.run("reconcile")
        ended.set()
        for planter in planters:
            planter.join()
        for path in paths:  # left half way
            if os.path.islink(path):
                os.unlink(path)
            if os.path.exists(path + ".away") and not os.path.exists(path):
                os.rename(path + ".away", path)
        box.check_walls()
        for (location,) in box.execute("SELECT ecal_name FROM ecal"):
            assert os.path.isfile(location[len("file://"):]), location
        box.run("reconcile")
        box.run("reconcile").must()
        box.check_moved()


if __name__ == "__main__":
    main(globals(), servers=False)
