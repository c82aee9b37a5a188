#!/usr/bin/env python3
"""Copies that the cloud makes by itself take their time, fail, hang and are begun before a run ends:
they are waited for by their ids, and nothing is moved, or lost, before they are whole."""
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from scene import Run, main
from slow import Slow
from stranger import Guarded

APPLY = ["apply", "p.plan", "--auto-approve", "-j", "1"]


def scene_of(name, recordings=1, blobs=2):
    scene = Guarded(name, Slow)
    scene.fill(recordings, blobs=blobs)
    scene.policy()
    scene.plan()
    return scene


def pending(scene):
    return [copy for copy in scene.puppet.copies.values() if copy["CopyStatus"] == "pending"]


def wait_for_pending(scene, process, count):
    while len(pending(scene)) < count:
        assert process.poll() is None, Run.end(process).out
        time.sleep(0.05)


def ids_in_journal(scene):
    journal = os.path.join(scene.folder, "state", "journal.db")
    with sqlite3.connect(f"file:{journal}?mode=ro", uri=True) as connection:
        return {copy_id for copy_id, in connection.execute("SELECT copy_id FROM object")}


def ids_begun(scene):
    return {copy["CopyId"] for copy in scene.puppet.copies.values()}


def check_no_signature(scene, *runs):
    """Neither the listing's, nor what was sent, has left the process."""
    told = b"".join((run.out + run.err).encode() for run in runs)
    for folder, _, names in os.walk(scene.folder):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                told += file.read()
    signatures = {sig for _, _, headers, _ in scene.puppet.seen
                  for sig in re.findall(r"x-ms-copy-source: .*[?&]sig=([^&\s]+)", headers)}
    assert signatures
    for signature in signatures:
        assert signature.encode() not in told, signature


def case_copies_are_waited_for():
    with scene_of("slow", recordings=2, blobs=3) as scene:
        scene.puppet.busy = 2
        scene.puppet.fate = lambda key, number: (
            (1, "failed") if key.endswith("cam_00.h264") and number == 0 else (3, "success"))
        scene.puppet.seen.clear()
        run = scene.run(*APPLY, "-vv").must()
        scene.check_moved()
        assert len(scene.puppet.begun) == 6 + 2, scene.puppet.begun
        assert scene.puppet.aborted == []
        # Polled by listings, and not an object at a time.
        asked = [(method, path) for method, path, _, _ in scene.puppet.seen]
        assert not [path for method, path in asked if method == "HEAD" and scene.cold in path]
        listings = [path for _, path in asked if "comp=list" in path and scene.cold in path]
        assert len(listings) < 16, listings
        # A property that the service copied proves nothing: both sides are read.
        reads = [path for method, path in asked if method == "GET" and "comp=list" not in path]
        assert len([path for path in reads if scene.cold in path]) == 6, reads
        check_no_signature(scene, run)


def case_what_always_fails_is_given_up():
    with scene_of("fails") as scene:
        scene.puppet.fate = lambda key, number: (0, "failed")
        run = scene.run(*APPLY).must(3)
        assert "failed: copy-failed: " in run.out, run.out
        assert "was not copied in the cloud: failed, 403 AuthenticationFailed" in run.out, run.out
        assert "--copy-timeout" in run.out, run.out
        assert scene.held_by(scene.source, scene.hot) == scene.objects
        assert scene.locations() == {i: scene.location(k) for i, k in scene.rows.items()}
        assert set(scene.target.tiers(scene.cold)) <= set(scene.objects)
        check_no_signature(scene, run)
        # What is left of it is known by its id, and in nobody's way.
        scene.puppet.fate = lambda key, number: (0, "success")
        scene.run("reconcile").must()
        scene.check_moved()


def case_what_hangs_is_aborted():
    with scene_of("hangs") as scene:
        scene.puppet.fate = lambda key, number: (3600 if number == 0 else 0, "success")
        scene.run(*APPLY, "--copy-timeout", "3s").must()
        scene.check_moved()
        assert len(scene.puppet.aborted) == 2 and len(scene.puppet.begun) == 4


def case_a_run_that_is_told_to_stop_leaves_them_to_the_next():
    for number, code in ((signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)):
        with scene_of("stops") as scene:
            scene.puppet.fate = lambda key, number: (3600, "success")
            process = scene.start(*APPLY, stdout=subprocess.PIPE)
            wait_for_pending(scene, process, 2)
            time.sleep(0.5)
            process.send_signal(number)
            run = Run.end(process).must(code)
            if code == 130:
                assert "1 open." in run.out, run.out
            assert ids_in_journal(scene) == ids_begun(scene)
            scene.run("status")
            assert scene.held_by(scene.source, scene.hot) == scene.objects
            assert scene.locations() == {i: scene.location(k) for i, k in scene.rows.items()}
            for copy in pending(scene):
                copy["due"] = time.monotonic() + 3
            scene.run(*APPLY).must()
            scene.check_moved()
            assert len(scene.puppet.begun) == 2 and scene.puppet.aborted == []


def case_they_outlast_the_duration_of_a_run():
    with scene_of("lasts") as scene:
        scene.puppet.fate = lambda key, number: (3600, "success")
        begun = time.monotonic()
        run = scene.run(*APPLY, "--max-duration", "2s").must(7)
        assert 2 <= time.monotonic() - begun < 8
        assert "open: pending" in run.out and "1 open." in run.out, run.out
        assert "pending" in scene.run("status").must().out
        scene.run(*APPLY, "--max-duration", "1s").must(7)
        for copy in pending(scene):
            copy["due"] = 0
        scene.run(*APPLY, "--max-duration", "1h").must()
        scene.check_moved()
        assert len(scene.puppet.begun) == 2


def case_the_flag_wants_some_time():
    with scene_of("flag") as scene:
        for value in ("0s", "15d", "soon"):
            run = scene.run(*APPLY, "--copy-timeout", value).must(64)
            assert "--copy-timeout" in run.err, run.err
        scene.check_untouched()


if __name__ == "__main__":
    main(globals())
