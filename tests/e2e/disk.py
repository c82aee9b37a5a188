#!/usr/bin/env python3
"""A disk is full, read only or out of bounds: the run ends with the code that says so, nothing is half
written or lost, and the same command goes on once that is put right."""
import itertools
import os
import resource
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from box import FROSTLINE, Box
from scene import Run, main

APPLY = ["apply", "--auto-approve"]


def state_of(box):
    return os.path.join(box.folder, "state")


def half_written(box):
    """What only a file on its way, or one that was left behind, is called like."""
    return [name for _, _, names in os.walk(box.folder) for name in names
            if name.endswith(".new") or name.startswith(".")]


def case_no_file_may_be_longer_than_so_many_bytes():
    """Any of them: the catalog's, the journal's, a plan, a copy."""
    with Box() as box:
        told = set()
        for most in itertools.count(1, 12 * 1024):
            subprocess.run(["rm", "-rf", box.hot, box.cold, state_of(box)], check=True)
            os.mkdir(box.hot)
            os.mkdir(box.cold)
            box.execute("DELETE FROM ecal")
            for i in range(3):
                box.add(f"R{i}", f"rec/{i}/", files=1)
            box.add("LARGE", "rec/large/", files=1, size=120_000)
            run = box.run(*APPLY, preexec_fn=lambda most=most: resource.setrlimit(
                resource.RLIMIT_FSIZE, (most, most)))
            box.check_whole()
            assert half_written(box) == [], half_written(box)
            if run.code == 0:
                box.check_moved()
                break
            # A copy that is too long for its store is refused by it: the others go on.
            refused = "rec/large/file_0.bin: refused (27 EFBIG)" in run.out
            assert run.code == (3 if refused else 75), (most, run.code, run.out, run.err)
            told.add("large" if refused else run.err.strip().splitlines()[-1].split(": ")[1])
            box.run("status").must()
            box.run(*APPLY).must()
            box.check_moved()
        assert most > 120_000 and len(told) > 2, (most, told)


def case_a_journal_that_may_only_be_read():
    with Box() as box:
        state = state_of(box)
        os.mkdir(state)
        if not box.tiny_disk("72m", state):
            return
        box.policy(after="1d")
        box.add("R0", "rec/0/")
        box.run(*APPLY).must()
        box.add("R1", "rec/1/")
        subprocess.run(["mount", "-o", "remount,ro", state], check=True)
        for words in (APPLY, ["reconcile"], ["reap"], ["plan"]):
            run = box.run(*words).must(77)
            assert state in run.err and "Read-only file system" in run.err, run.err
        assert "1 in grace" in box.run("status").must().out
        box.run("plan", "--out", "p.plan").must()
        assert set(box.files(box.cold)) == {key for key in box.objects if "rec/0/" in key}
        subprocess.run(["mount", "-o", "remount,rw", state], check=True)
        box.run("apply", "p.plan", "--auto-approve").must()
        assert box.files(box.cold) == box.objects


def unprivileged(box, *words):
    """Even as root, one who may do what the modes of files say."""
    drop = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.getuid() == 0 else []
    return Run(subprocess.run([*drop, FROSTLINE, *words], cwd=box.folder, env=box.environment(),
                              capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              timeout=120))


def case_a_state_folder_without_permission():
    with Box() as box:
        state = state_of(box)
        box.add("R0", "rec/0/")
        os.mkdir(state)
        for mode in (0, 0o500):
            os.chmod(state, mode)
            run = unprivileged(box, *APPLY).must(77)
            assert state in run.err and "Permission denied" in run.err, run.err
            assert os.listdir(state) == [] and box.files(box.cold) == {}
        os.chmod(state, 0o700)
        box.policy(after="1d")
        unprivileged(box, *APPLY).must()
        journal = os.path.join(state, "journal.db")
        for path, mode in ((journal, 0), (journal, 0o400), (state, 0)):
            before = os.stat(path).st_mode
            os.chmod(path, mode)
            run = unprivileged(box, *APPLY).must(77)
            assert state in run.err, run.err
            unprivileged(box, "status").must(0 if mode else 77)
            os.chmod(path, before)
        assert box.files(box.hot) == box.files(box.cold) == box.objects
        unprivileged(box, "status").must()


def case_what_is_said_has_no_room():
    """A run does not depend on who listens to it; only that its output is lost is told."""
    with Box() as box:
        box.add("R0", "rec/0/")
        with open("/dev/full", "w") as full:
            box.run(*APPLY, "-vv", stdout=subprocess.PIPE, stderr=full).must()
            box.check_moved()
            box.add("R1", "rec/1/")
            run = box.run(*APPLY, stdout=full, stderr=subprocess.PIPE).must(1)
        assert "output" in run.err, run.err
        box.check_moved()


def case_a_journal_that_is_lost():
    """What it would have deleted stays for ever, and what it had begun is made again from what is there."""
    with Box() as box:
        box.policy(after="1d")
        box.add("DONE", "rec/done/")
        box.run(*APPLY).must()
        box.add("BEGUN", "rec/begun/")
        shutil.copytree(f"{box.hot}/rec/begun", f"{box.cold}/rec/begun",
                        ignore=shutil.ignore_patterns("file_1.bin"))
        kept = {name: os.stat(f"{box.cold}/rec/begun/{name}").st_ino
                for name in os.listdir(f"{box.cold}/rec/begun")}
        shutil.rmtree(state_of(box))

        box.policy(after="0s")
        box.run("reconcile").must()
        box.run("reap").must()
        assert os.listdir(f"{box.hot}/rec") == ["done"], os.listdir(f"{box.hot}/rec")
        assert box.files(box.cold) == box.objects
        assert {name: os.stat(f"{box.cold}/rec/begun/{name}").st_ino for name in kept} == kept
        box.check_whole()


if __name__ == "__main__":
    main(globals(), servers=False)
