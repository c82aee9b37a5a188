#!/usr/bin/env python3
"""A run is told to stop, or its time is over: it begins nothing more, says what is left, and the same
command finishes it."""
import fcntl
import os
import re
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from between import Talk
from box import PostgresBox
from scene import Run, Scene, main

APPLY = ["apply", "--auto-approve", "-j", "1"]
LOCK, COMMIT = b" FOR UPDATE\0", b"Q\0\0\0\x0bCOMMIT\0"


def left(run):
    """How many directories are open, and how many were not begun."""
    found = (re.search(r", (\d+) open\.$", run.out, re.M),
             re.search(r"! (\d+) director\S+ not begun; the same command resumes", run.out))
    return tuple(int(match.group(1)) if match else 0 for match in found)


def case_a_signal_while_copying():
    with Scene("stop") as scene:
        scene.fill(70, blobs=2)
        scene.policy()
        scene.plan()
        process = scene.start("apply", "p.plan", "--auto-approve", "-j", "1", stdout=subprocess.PIPE)
        while not scene.target.names(scene.cold):
            assert process.poll() is None, Run.end(process).out
        process.send_signal(signal.SIGTERM)
        run = Run.end(process).must(143)
        assert "stopping; steps under way finish" in run.err, run.err
        # 64 go together; none of the others was begun, and nothing of them is at the target.
        assert left(run) == (64, 6), run.out
        copied = scene.target.names(scene.cold)
        directories = sorted(key[:key.rindex("/")] for key in scene.rows.values())
        assert 0 < len(copied) < 128, "the signal came too late"
        assert all(key.rpartition("/")[0] in directories[:64] for key in copied), copied
        assert scene.locations() == {i: scene.location(k) for i, k in scene.rows.items()}
        assert scene.held_by(scene.source, scene.hot) == scene.objects
        planned = scene.run("plan").must().out
        assert planned.count("; apply carries it on\n") == 20, planned
        scene.run("apply", "p.plan", "--auto-approve").must()
        scene.check_moved()


def case_a_step_under_way_finishes():
    with PostgresBox() as box:
        box.again()
        with Talk(box.server, word=COMMIT,
                  act=lambda far: (process.send_signal(signal.SIGTERM), time.sleep(0.5))) as talk:
            process = box.start(*APPLY, environment={"DB_PORT": talk.port})
            run = Run.end(process).must(143)
        # The commit under way, and that of its neighbour; nothing of the next step, which deletes.
        assert left(run) == (2, 0) and "open: stopped" in run.out, run.out
        assert all(location.startswith(f"file://{box.cold}/") for location, in
                   box.execute("SELECT ecal_name FROM ecal"))
        assert box.files(box.hot) == box.files(box.cold) == box.objects
        assert "Moved 0 recordings" in box.run(*APPLY).must().out
        box.check_moved()


def case_a_second_signal_ends_it_at_once():
    for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130)):
        with PostgresBox() as box:
            box.again()
            ended = threading.Event()

            def twice(far):
                process.send_signal(number)
                time.sleep(0.3)
                assert process.poll() is None
                process.send_signal(number)
                assert process.wait(5) == code
                ended.set()
            with Talk(box.server, word=COMMIT, act=twice) as talk:
                process = box.start(*APPLY, environment={"DB_PORT": talk.port})
                Run.end(process).must(code)
                assert ended.wait(5)
            box.check_whole()
            box.run(*APPLY).must()
            box.check_moved()


def case_when_the_time_is_over_nothing_more_is_begun():
    with PostgresBox() as box, Talk(box.server, word=LOCK, act=lambda far: time.sleep(1.5)) as talk:
        box.policy(after="1s")
        box.again()
        # Without a survey they go one by one.
        box.through(talk, "plan", "--survey", "none", "--out", "p.plan").must()
        apply = ["apply", "p.plan", "--auto-approve", "-j", "1"]
        run = box.through(talk, *apply, "--max-duration", "0s").must(7)
        assert left(run) == (0, 2) and "  ! --max-duration was reached" in run.out, run.out
        assert box.files(box.hot) == box.objects and box.files(box.cold) == {}
        run = box.through(talk, *apply, "--max-duration", "1s").must(7)
        assert left(run) == (0, 1) and "Moved 1 recording in 1 directory" in run.out, run.out
        assert set(box.files(box.cold)) == {key for key in box.objects if key.startswith("rec/0/")}
        run = box.through(talk, *apply, "--max-duration", "1h").must()
        assert "--max-duration" not in run.out, run.out
        time.sleep(1.1)
        run = box.run("reap", "--max-duration", "0s").must(7)
        assert "2 directories of earlier runs not carried on" in run.out, run.out
        assert box.files(box.hot) == box.files(box.cold) == box.objects
        box.run("reap", "--max-duration", "1h").must()
        box.check_moved()


def case_the_lock_is_waited_for():
    with PostgresBox() as box:
        box.again()
        box.run("reap").must()  # makes the state folder
        with open(os.path.join(box.folder, "state", "run.lock")) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for words in ([], ["--lock-wait", "1s"]):
                begun = time.monotonic()
                run = box.run(*APPLY, *words).must(8)
                assert "another run holds " in run.err, run.err
                assert (time.monotonic() - begun > 1) == (words != []), words
            process = box.start(*APPLY, "--lock-wait", "1m")
            time.sleep(0.5)
            assert process.poll() is None
            fcntl.flock(lock, fcntl.LOCK_UN)
            Run.end(process).must()
        box.check_moved()


if __name__ == "__main__":
    main(globals())
