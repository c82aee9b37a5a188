#!/usr/bin/env python3
"""A person at the terminal: what is asked, shown while it runs, and left behind; and what is written
where there is no terminal."""
import fcntl
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from box import FROSTLINE, Box, held
from scene import Run, main
from terminal import Terminal

APPLY = ["apply", "--auto-approve"]
BLOCK = r"running, \d+ s\n.* at rest"
SHOWN_ON = ("\x1b", "\r", "\b")


def at_terminal(box, *words, stdout=None, columns=80, rows=40, **environment):
    environment = {"LC_ALL": "C.UTF-8", "NO_COLOR": "", **environment}
    return Terminal(FROSTLINE, *words, cwd=box.folder, environment=box.environment(environment),
                    columns=columns, rows=rows, stdout=stdout)


def filled(count=3):
    box = Box()
    for i in range(count):
        box.add(f"R{i}", f"recording/2025-02-{i % 28 + 1:02d}/session_{i}/", files=1)
    box.execute("CREATE INDEX ecal_by_name ON ecal (ecal_name COLLATE BINARY)")
    return box


def block_of(terminal):
    """What stands in the lines from the bar on."""
    lines = terminal.screen.text().split("\n")[:-1]
    bars = [i for i, line in enumerate(lines) if re.search("running, ", line)]
    assert len(bars) == 1, terminal.screen.text()
    return lines[bars[0]:]


# -- the question ------------------------------------------------------------------------------------

def case_only_yes_is_yes():
    with filled() as box:
        for answer in ("no\n", "y\n", "Yes\n", "yes \n", " yes\n", "yes please\n", "\n", "\x04",
                       "yes" * 40 + "\n"):
            with at_terminal(box, "apply") as terminal:
                terminal.expect('Only "yes" is taken as approval: ')
                terminal.send(answer)
                assert terminal.end() == 5, answer
                assert terminal.screen.text().endswith("\nNothing was done.\n"), answer
        assert box.files(box.hot) == box.objects
        with at_terminal(box, "apply") as terminal:
            terminal.expect('Only "yes" is taken as approval: ')
            terminal.send("yes\n")
            assert terminal.end() == 0
            assert terminal.screen.text().endswith("deleted 3 sources.\n"), terminal.screen.text()
        box.check_moved()


def case_whoever_is_asked_sees_for_what():
    with filled() as box:
        box.run("plan", "-q", "--out", "p.plan").must()
        for words, seen in ((("apply", "-q"), "3 selected -> 3 to move"),
                            (("apply", "-q", "p.plan"), "Plan: 3 recordings to move")):
            with at_terminal(box, *words) as terminal:
                terminal.expect("approval: ")
                assert seen in terminal.screen.text(), terminal.screen.text()
                terminal.send("no\n")
                assert terminal.end() == 5
        assert box.run("apply", "-q", "p.plan", "--auto-approve").must().out == ""


def case_an_interrupt_is_no_answer():
    with filled() as box, at_terminal(box, "apply") as terminal:
        terminal.expect("approval: ")
        terminal.send("yes\x03")
        assert terminal.end() == 130
        assert box.files(box.hot) == box.objects


def case_what_was_typed_before_is_no_answer():
    with filled() as box, held(box, "EXCLUSIVE") as let_go, at_terminal(box, "apply") as terminal:
        terminal.until_shown("connecting to the catalog, ")
        terminal.send("yes\n")
        time.sleep(0.2)
        let_go()
        terminal.expect("approval: ")
        time.sleep(0.3)
        assert terminal.process.poll() is None
        terminal.send("no\n")
        assert terminal.end() == 5
        assert box.files(box.hot) == box.objects


def case_much_is_approved_by_its_name():
    with filled(101) as box:
        for right in (False, True):
            with at_terminal(box, "apply", rows=200) as terminal:
                found = terminal.until_shown('Only "([0-9a-f]{8})" is taken as approval: $')
                terminal.send((found.group(1) if right else "yes") + "\n")
                assert terminal.end() == (0 if right else 5)
        box.check_moved()


def case_nobody_is_asked_who_is_not_there():
    with filled() as box:
        for run in (box.run("apply"), box.run("apply", "--no-input")):
            run.must(5)
            assert "nobody approved this plan" in run.err and "--auto-approve" in run.err, run.err
        read, write = os.pipe()
        with at_terminal(box, "apply", "--no-input") as terminal:
            assert terminal.end() == 5
            assert "--auto-approve" in terminal.said
        os.close(read)
        os.close(write)
        # One of the two is not enough: a question has to be seen, and an answer to be typed.
        for words in ("2>err", "</dev/null"):
            with Terminal("sh", "-c", f"exec {FROSTLINE} apply {words}", cwd=box.folder,
                          environment=box.environment()) as terminal:
                assert terminal.end() == 5, words
        assert box.files(box.hot) == box.objects


# -- the block ---------------------------------------------------------------------------------------

def case_a_run_is_shown_in_place():
    with filled(7) as box, held(box) as let_go, at_terminal(box, *APPLY) as terminal:
        terminal.until_shown(BLOCK)
        terminal.until_shown(r"running, [2-9] s")
        assert not terminal.echoes()
        terminal.send("\n\nabc\n")  # pushes nothing about
        terminal.until_shown(r"running, [3-9] s")
        shown = block_of(terminal)
        assert re.fullmatch(r"█+░+  99 %  running, \d s", shown[0]), shown
        assert re.fullmatch(r"0 of 7 directories at rest, 14 objects \(\S+ kB\) copied, 0 deleted, "
                            r"\S+ kB/s", shown[1]), shown
        names = [f"  cutting over recording/2025-02-0{i + 1}/session_{i}/" for i in range(4)]
        assert [line for line in shown if line.startswith("  ")] == names + ["  and 3 more"], shown
        assert len(shown) <= 8, shown
        let_go()
        assert terminal.end() == 0
        assert terminal.echoes()
        said = terminal.screen.text()
        assert "running" not in said and said.endswith("deleted 7 sources.\n"), said


def case_lines_scroll_above_it():
    with filled(12) as box, held(box) as let_go, \
            at_terminal(box, *APPLY, "-v", rows=30, columns=120) as terminal:
        terminal.until_shown(BLOCK)
        begun = re.findall(r"^.* - INFO - directory-begun run=1 directory=\S+ step=copying$",
                           terminal.screen.text(), re.M)
        assert len(begun) == 12, terminal.screen.text()
        let_go()
        assert terminal.end() == 0
        for event in ("run-begun", "directory-moved", "directory-deleted", "run-ended"):
            count = len(re.findall(rf"^\d\S+ \S+ - INFO - {event} run=1 \S", terminal.screen.text(),
                                   re.M))
            assert count == (12 if event.startswith("directory") else 1), terminal.screen.text()
        assert "running" not in terminal.screen.text()


def case_rows_of_trouble_scroll_above_it():
    with filled(3) as box, held(box) as let_go:
        with open(os.path.join(box.hot, "recording/2025-02-01/session_0/file_0.bin"), "rb") as file:
            body = file.read()
        os.makedirs(os.path.join(box.cold, "recording/2025-02-01/session_0"))
        with open(os.path.join(box.cold, "recording/2025-02-01/session_0/file_0.bin"), "wb") as file:
            file.write(bytes(len(body)))
        with at_terminal(box, *APPLY, columns=120) as terminal:
            terminal.until_shown(BLOCK)
            let_go()
            assert terminal.end() == 6
            said = terminal.screen.text()
            assert re.search(r"^  x recording/2025-02-01/session_0/   failed: target-differs: ", said,
                             re.M), said
            assert "running" not in said, said


def case_forty_columns_are_enough():
    with filled(7) as box, held(box) as let_go, at_terminal(box, *APPLY, columns=40) as terminal:
        terminal.until_shown(r"running, [2-9] s")
        shown = block_of(terminal)
        assert len(shown) == 8 and max(map(len, shown)) < 40, shown
        assert shown[4].startswith("  cutting over …") and shown[4].endswith("session_0/"), shown
        let_go()
        assert terminal.end() == 0
        assert "running" not in terminal.screen.text()


def case_a_window_may_change():
    """What was drawn for the old width may stay above; what stood there before has to."""
    with filled(7) as box, held(box) as let_go, at_terminal(box, *APPLY, columns=100) as terminal:
        terminal.until_shown("cutting over")
        above = terminal.screen.text().partition("running")[0].rpartition("\n")[0]
        for columns in (60, 250, 40, 90):
            terminal.resize(columns)
            terminal.until(lambda: fitting(terminal, columns, 8 if columns < 70 else 7))
            assert terminal.screen.text().startswith(above), terminal.screen.text()
        let_go()
        assert terminal.end() == 0
        said = terminal.screen.text()
        assert said.startswith(above) and said.endswith("deleted 7 sources.\n"), said


def fitting(terminal, columns, wanted):
    """The last block has so many lines, and they take what the window lets them."""
    lines = terminal.screen.text().split("\n")[:-1]
    shown = lines[max(i for i, line in enumerate(lines) if "running, " in line):]
    is_whole = (len(shown) == wanted and ("deleted" in shown[1]) == (columns > 70) and
                "more" in shown[-1])
    return is_whole and max(map(len, shown)) < columns


def case_a_low_window_has_a_low_block():
    with filled(7) as box, held(box) as let_go, at_terminal(box, *APPLY, rows=4) as terminal:
        terminal.until_shown(r"running, [2-9] s")
        assert len(block_of(terminal)) <= 3, terminal.screen.text()
        let_go()
        assert terminal.end() == 0
        assert terminal.screen.text().count("running") == 0, terminal.screen.text()


def case_without_utf8_all_is_ascii():
    with filled() as box:
        box.add("LONG", "recording/2025-03-01/ü" + "x" * 100 + "/")
        with held(box) as let_go, at_terminal(box, *APPLY, LC_ALL="C") as terminal:
            terminal.until_shown(r"cutting over \.\.")
            shown = "\n".join(block_of(terminal))
            assert shown.isascii() and "##" in shown and ".." in shown, shown
            let_go()
            assert terminal.end() == 0


def case_after_a_stop_the_screen_is_left_alone():
    with filled() as box, held(box) as let_go, at_terminal(box, *APPLY) as terminal:
        terminal.until_shown(BLOCK)
        terminal.signal(signal.SIGSTOP)
        time.sleep(0.3)
        while terminal.listen(0.1):
            pass
        terminal.screen.show("another's line\r\nand one more\r\n")
        terminal.signal(signal.SIGCONT)
        terminal.until_shown("and one more\n.*running, ")
        let_go()
        assert terminal.end() == 0
        assert "another's line\nand one more\nMoved 3 " in terminal.screen.text(), \
            terminal.screen.text()


# -- colour ------------------------------------------------------------------------------------------

def colours(said):
    return re.findall(r"\x1b\[\d*m", said)


def case_colour_is_for_terminals_that_want_it():
    with filled() as box:
        os.remove(os.path.join(box.hot, "recording/2025-02-01/session_0/file_0.bin"))
        os.symlink("/etc", os.path.join(box.hot, "recording/2025-02-01/session_0/file_0.bin"))
        said = {}
        for name, words, environment in (
                ("auto", [], {}), ("never", ["--color", "never"], {}),
                ("NO_COLOR", [], {"NO_COLOR": "1"}), ("dumb", [], {"TERM": "dumb"}),
                ("always", ["--color", "always"], {"NO_COLOR": "1", "TERM": "dumb"})):
            with at_terminal(box, "plan", *words, **environment) as terminal:
                assert terminal.end() == 0
                said[name] = terminal.said
        assert "\x1b[32m>\x1b[0m recording/" in said["auto"], said["auto"]
        assert "\x1b[33m!\x1b[0m hot:recording/2025-02-01/session_0/   not-a-file" in said["auto"]
        assert said["always"].count("\x1b") == said["auto"].count("\x1b")
        for name in ("never", "NO_COLOR", "dumb"):
            assert not colours(said[name]), said[name]
        # It is never the only cue: without it the same words stand there.
        plain = re.sub(r"\x1b\[\d*m", "", said["auto"])
        assert plain.split("\n")[1:] == said["never"].split("\n")[1:]
        assert not colours(box.run("plan").must().out)
        assert colours(box.run("plan", "--color", "always").must().out)
        with at_terminal(box, "apply", "no.plan") as terminal:
            assert terminal.end() == 65
            assert terminal.said.startswith("\x1b[31mfrostline:\x1b[0m "), terminal.said
        with open(os.path.join(box.folder, "out"), "w+") as out:
            with at_terminal(box, "plan", stdout=out) as terminal:
                assert terminal.end() == 0
            out.seek(0)
            assert "\x1b" not in out.read()


def case_a_dumb_terminal_gets_lines():
    with filled() as box, held(box) as let_go, at_terminal(box, *APPLY, TERM="dumb") as terminal:
        terminal.expect("frostline: running, ")
        assert terminal.echoes()
        let_go()
        assert terminal.end() == 0
        said = terminal.said.replace("\r\n", "\n")
        assert not [c for c in SHOWN_ON if c in said], said
        assert re.search(r"^frostline: the run took \d+ s: 3 of 3 directories at rest, 6 objects "
                         r"\(\S+ kB\) copied, 6 deleted", said, re.M), said


# -- signals -----------------------------------------------------------------------------------------

def case_one_interrupt_lets_steps_finish():
    with filled() as box:
        with held(box) as let_go, at_terminal(box, *APPLY) as terminal:
            terminal.until_shown(BLOCK)
            terminal.send("\x03")
            terminal.until_shown("^frostline: stopping; steps under way finish "
                                 r"\(once more: stop at once\)$")
            terminal.until_shown(BLOCK)
            let_go()
            assert terminal.end() == 130
            said = terminal.screen.text()
            assert "3 open." in said and "running" not in said, said
            assert terminal.echoes()
        box.run(*APPLY).must()
        box.check_moved()


def case_two_interrupts_end_it():
    with filled() as box:
        with held(box), at_terminal(box, *APPLY) as terminal:
            terminal.until_shown(BLOCK)
            terminal.send("\x03")
            terminal.until_shown("^frostline: stopping")
            terminal.send("\x03")
            begun = time.monotonic()
            assert terminal.end() == 130
            assert time.monotonic() - begun < 2
            assert terminal.echoes()
            # The shell goes on in a line of its own.
            assert terminal.screen.column == 0 and terminal.said.endswith("\x1b[J"), terminal.said
        box.run(*APPLY).must()
        box.check_moved()


def case_a_stopped_terminal_holds_up_no_interrupt():
    with filled() as box, held(box), at_terminal(box, *APPLY) as terminal:
        terminal.until_shown(BLOCK)
        terminal.send("\x13")  # Ctrl-S
        time.sleep(1)
        for _ in range(2):
            terminal.signal(signal.SIGINT)
            time.sleep(0.3)
        assert terminal.process.wait(5) == 130


def case_a_crash_leaves_the_terminal_as_it_was():
    for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGQUIT):
        with filled() as box:
            with held(box), at_terminal(box, *APPLY, ASAN_OPTIONS="handle_abort=0") as terminal:
                terminal.until_shown(BLOCK)
                assert not terminal.echoes()
                terminal.signal(number)
                code = terminal.end()
                assert code == -number or (code > 0 and "Sanitizer" in terminal.said), code
                assert terminal.echoes()
            box.run(*APPLY).must()
            box.check_moved()


def case_usr1_asks_for_a_line():
    with filled() as box:
        with held(box, "EXCLUSIVE") as let_go:
            process = box.start("plan", "--progress", "none", "--format", "json")
            time.sleep(0.7)
            process.send_signal(signal.SIGUSR1)
            time.sleep(0.5)
            let_go()
            run = Run.end(process).must()
            assert re.fullmatch(r"frostline: connecting to the catalog, \d s\n", run.err), run.err
        with held(box) as let_go:
            process = box.start(*APPLY, "-q")
            time.sleep(1.5)
            process.send_signal(signal.SIGUSR1)
            time.sleep(0.5)
            let_go()
            run = Run.end(process).must()
            assert re.fullmatch(r"frostline: running, \d s: 0 of 3 directories at rest, 6 objects "
                                r"\(.*\) copied, 0 deleted.*; cutting over recording/2025-02-01/"
                                r"session_0/, .*\n", run.err), run.err


def case_usr1_is_answered_anywhere():
    with filled() as box, at_terminal(box, "apply") as terminal:
        terminal.expect("approval: ")
        terminal.signal(signal.SIGUSR1)
        terminal.expect("frostline: nothing that takes long is under way")
        terminal.send("yes\n")
        assert terminal.end() == 0


# -- where there is no terminal ----------------------------------------------------------------------

def case_a_pipe_gets_whole_lines():
    for words in ([], ["--progress", "block"]):
        with filled() as box, held(box) as let_go:
            begun = time.monotonic()
            process = box.start(*APPLY, *words)
            first = process.stderr.readline()
            assert first.startswith("frostline: running, 0 s: "), first
            assert time.monotonic() - begun < 2  # it has planned before
            let_go()
            run = Run.end(process).must()
            assert not [c for c in SHOWN_ON if c in first + run.out + run.err], run.err
            assert re.fullmatch(r"frostline: the run took \d+ s: 3 of 3 .*\n", run.err), run.err
            box.check_moved()


def case_what_is_quick_shows_nothing():
    with filled() as box:
        run = box.run(*APPLY).must()
        assert run.err == "", run.err


def case_every_wait_gives_a_sign():
    with filled() as box:
        def first_sign(*words):
            begun, process = time.monotonic(), box.start(*words)
            sign = process.stderr.readline()
            assert time.monotonic() - begun < 1.5
            return process, sign
        with held(box, "EXCLUSIVE") as let_go:
            process, sign = first_sign("plan", "--format", "json")
            assert sign == "frostline: connecting to the catalog, 0 s\n", sign
            let_go()
            assert Run.end(process).must().err == ""
        box.run("reap").must()
        with open(os.path.join(box.folder, "state", "run.lock")) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            process, sign = first_sign("reap", "--lock-wait", "1m")
            assert sign == "frostline: waiting for another run to end, 0 s\n", sign
            fcntl.flock(lock, fcntl.LOCK_UN)
            Run.end(process).must()


def case_planning_counts_rows():
    with filled() as box:
        box.execute("INSERT INTO ecal SELECT 'N' || value, ? || value || '/x', '2030-01-01', 1 FROM "
                    "(WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n "
                    "WHERE value < 1500000) SELECT value FROM n)", f"file://{box.hot}/n/")
        run = box.run("plan", "--survey", "none", "--format", "json").must()
        lines = run.err.split("\n")
        assert re.fullmatch(r"frostline: planning, 0 s: [\d,]+ rows read so far", lines[0]), run.err
        assert re.fullmatch(r"frostline: planning took \d+ s: 1,500,003 rows read", lines[1]), run.err


def case_quiet_is_silent_about_success():
    with filled() as box:
        box.policy(after="1s")
        plan = ["plan", "-q", "--out", "x.plan"]
        for words in (["validate", "-q"], ["validate", "-q", "--online"], ["plan", "-q"], plan,
                      ["apply", "-q", "x.plan", "--auto-approve"],
                      ["rollback", "-q", "1", "--auto-approve"], ["apply", "-q", "--auto-approve"],
                      ["reconcile", "-q"]):
            run = box.run(*words).must()
            assert run.out + run.err == "", (words, run.out, run.err)
        time.sleep(1.1)
        for words in (["reap", "-q"], ["restore", "-q", "id:R1", "--auto-approve"]):
            run = box.run(*words).must()
            assert run.out + run.err == "", (words, run.out, run.err)
        with open(os.path.join(box.folder, "frostline.yaml"), "a") as file:
            file.write("tests:\n  - name: old\n    as_of: 2025-06-01T00:00:00Z\n    recordings:\n"
                       "      - {id: A, location: 'hot:a/f', time: 2025-01-01T00:00:00Z}\n"
                       "    expect: {move: [{id: A}]}\n")
        for words in (["test", "-q"], ["demo", "-q"]):
            run = box.run(*words).must()
            assert run.out + run.err == "", (words, run.out, run.err)
        with at_terminal(box, "validate", "-q") as terminal:
            assert terminal.end() == 0
            assert terminal.said == "", terminal.said


def case_programs_read_all_of_it():
    with filled() as box:
        def events(run):
            return [json.loads(line) for line in run.err.splitlines()]
        run = box.run(*APPLY, "-v", "--log-format", "json").must()
        names = [event["event"] for event in events(run)]
        assert names[-1] == "run-ended" and names.count("directory-begun") == 3, names
        assert all(event["level"] == "info" and event["time"].endswith("Z")
                   for event in events(run)[1:])
        assert names[0] == "policy-finding" and names[1] == "surveyed", names
        (ended,) = [event for event in events(run) if event["event"] == "run-ended"]
        assert ended["run"] == 1 and ended["exit"] == 0 and ended["moved"] == 3, ended
        assert ended["deleted"] == 3 and ended["objects"] == 6, ended
        for words, code in ((["apply", "no.plan"], 65), (["apply", "--frob"], 64),
                            (["frob"], 64), (["explain", "R9"], 1), (["reap", "--state", ""], 65),
                            (["history"], 64)):
            run = box.run("--log-format", "json", *words)
            (event,) = events(run)
            assert event["level"] == "error" and event["event"] == "failed" and event["error"], event
        with open(os.path.join(box.folder, "frostline.yaml"), "a") as file:
            file.write("frob: 1\n")
        found, failed = events(box.run("plan", "--log-format", "json").must(65))
        assert found["event"] == "policy-finding" and found["code"] == "FL0102", found
        assert found["file"] == "frostline.yaml" and found["line"] > 10, found
        assert failed["error"] == "1 error, 0 warnings", failed
        run = box.run("plan", "--log-format", "logfmt").must(65)
        assert re.match(r"time=\S+Z level=error event=policy-finding code=FL0102 ", run.err), run.err


def case_progress_is_an_event_too():
    with filled() as box, held(box) as let_go:
        process = box.start(*APPLY, "--log-format", "json")
        event = json.loads(process.stderr.readline())
        assert event["event"] == "progress" and event["phase"] == "running", event
        assert event["to_rest"] == 3 and event["run"] == 1, event
        let_go()
        Run.end(process).must()


def case_systemd_reads_levels():
    with filled() as box:
        with open(os.path.join(box.folder, "err"), "w+") as err:
            found = os.fstat(err.fileno())
            environment = box.environment({"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"})
            for words in ([*APPLY, "-v"], ["apply", "no.plan"]):
                subprocess.run([FROSTLINE, *words], cwd=box.folder, env=environment, stderr=err,
                               stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, check=False)
            err.seek(0)
            lines = err.read().splitlines()
        assert all(re.match(r"<[346]>", line) for line in lines), lines
        assert lines[0].startswith("<4>warning[FL0604]: "), lines
        assert any(line.startswith("<6>run-begun run=1 verb=apply policy=frostline.yaml "
                                   "plan=sha256:") for line in lines), lines
        assert lines[-1].startswith("<3>frostline: "), lines


# -- streams that are not there ----------------------------------------------------------------------

def case_closed_streams_harm_nothing():
    with filled() as box:
        def shell(words):
            return subprocess.run(["sh", "-c", f"exec {FROSTLINE} {words}"], cwd=box.folder,
                                  env=box.environment(), capture_output=True, text=True)
        run = shell("apply <&-")
        assert run.returncode == 5 and "--auto-approve" in run.stderr, run
        assert box.files(box.hot) == box.objects
        state = os.path.join(box.folder, "state")
        with held(box) as let_go:
            process = subprocess.Popen(["sh", "-c", f"exec {FROSTLINE} apply --auto-approve >&-"],
                                       cwd=box.folder, env=box.environment(), text=True,
                                       stderr=subprocess.PIPE)
            process.stderr.readline()
            with open(os.path.join(state, "run.lock")) as lock:  # the first file that was opened
                assert json.load(lock)["pid"] == process.pid
            let_go()
            process.communicate()
            assert process.returncode == 1, process.returncode
        box.check_moved()
        assert shell("apply --auto-approve <&- >&- 2>&-").returncode == 1
        with sqlite3.connect(os.path.join(state, "journal.db")) as journal:
            assert journal.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert open(os.path.join(state, "run.lock")).read() == ""
        run = shell("status >&-")
        assert run.returncode == 1 and "the output could not be written" in run.stderr, run
        assert shell("status").returncode == 0


def case_a_full_output_is_a_failure_and_the_move_is_done():
    with filled() as box:
        with open("/dev/full", "w") as full:
            run = box.run(*APPLY, stdout=full, stderr=subprocess.PIPE)
            assert run.code == 1 and "the output could not be written" in run.err, run.err
            box.check_moved()
            with at_terminal(box, "status", stdout=full) as terminal:
                assert terminal.end() == 1
                assert "the output could not be written" in terminal.said


if __name__ == "__main__":
    main(globals(), servers=False)
