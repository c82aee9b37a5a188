#!/usr/bin/env python3
"""kill -9 for real: frostline is killed, and the same command is given again, which has to bring all to
rest.  A reader that shares no code with it compares every byte and every row: at the instant of the
kill, at rest, after one more run (which may change nothing), and when the grace is over.

A point is what points.c says; the k-th is told by counting, so none can be forgotten.  Without more:
each named point of folders with SQLite, and samples elsewhere.  PART: holder is about the lock, folders
need no server, accounts do."""
import argparse
import collections
import concurrent.futures
import contextlib
import itertools
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

ROOMY = tempfile.gettempdir()
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
os.environ.setdefault("FROSTLINE", os.path.join(ROOT, "build", "dev", "frostline"))
os.environ.setdefault("POINTS", os.path.join(ROOT, "build", "dev", "tests", "libpoints.so"))

from worlds import COOLED, DIRECTORIES, OBJECTS, Accounts, Folders, Lot, servers_or_skip

WORKERS = 2
RECONCILE = ["reconcile"]
APPLY = ["apply", "p.plan", "--auto-approve"]
Case = collections.namedtuple("Case", "part world lots by_object command")
CASES = {
    "folders-directories": Case("folders", Folders, DIRECTORIES, False, RECONCILE),
    "folders-objects": Case("folders", Folders, OBJECTS, True, APPLY),
    "accounts-directories": Case("accounts", Accounts, [*DIRECTORIES, COOLED], False, APPLY),
    "accounts-objects": Case("accounts", Accounts, OBJECTS, True, RECONCILE),
}
CHANGES = ("PUT", "POST", "DELETE", "UPDATE", "COMMIT")  # what is sent and changes something
MANY = [Lot("now", [f"rec/many/{i:03d}/x.ecal"], [f"rec/many/{i:03d}/cam"]) for i in range(150)]


# -- one life and death ----------------------------------------------------------------------------

@contextlib.contextmanager
def prepared(case, more=()):
    with case.world() as world:
        world.load([*case.lots, *more], case.by_object)
        if case.command is APPLY:
            world.run("plan", "--out", "p.plan").must()
        yield world


def start(world, words, **environment):
    state = os.path.join(world.folder, "state")
    return subprocess.Popen([os.environ["FROSTLINE"], *words], cwd=world.folder,
                            env=dict(os.environ, FROSTLINE_STATE_DIR=state, **environment),
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)


def reach(world, words, point):
    """Runs it and kills it there.  Was it, and the names of the points that it reached."""
    log = os.path.join(world.folder, "points")
    process = start(world, [*words, "-j", "1"], LD_PRELOAD=os.environ["POINTS"],
                    FROSTLINE_POINTS=log, FROSTLINE_POINT=str(point))
    said = process.communicate(timeout=120)[0]
    assert process.returncode in (0, -signal.SIGKILL), f"exit {process.returncode}\n{said}"
    with open(log, errors="replace") as file:
        names = file.read().splitlines()
    os.unlink(log)
    return process.returncode != 0, names


def check_at_last(world, words):
    """At rest; still so after one more run; and when the grace is over."""
    world.check_rest(grace_over=False)
    before = world.traces()
    world.run(*words).must()
    assert world.traces() == before, "one more run has changed something"
    world.check_rest(grace_over=False)
    world.end_grace()
    world.run("reap").must()
    world.check_rest(grace_over=True)


def kill_at(name, point):
    """How many kills there were; 0: the run ended before it reached the point."""
    at, case, chance = "setting up", CASES[name], random.Random(f"{name} {point}")
    try:
        with prepared(case) as world:
            killed, names = reach(world, case.command, point)
            kills, at = int(killed), names[-1] if killed else "the end"
            world.check_any_instant()
            if chance.random() < 0.5:  # a reader finds what was left half written
                world.run("status").must()
            if chance.random() < 0.5:  # what carries on is killed as well
                again, names = reach(world, case.command, chance.randint(1, len(names) + 100))
                kills += again
                at += f", then at {names[-1]}" if again else ""
                world.check_any_instant()
            world.run(*case.command).must()
            check_at_last(world, case.command)
            return kills if killed else 0
    except Exception:
        print(f"FAILED at {at}: kill.py --case {name} --point {point}", flush=True)
        raise


# -- which points ----------------------------------------------------------------------------------

def plain(name):
    """A name without what differs from run to run."""
    return re.sub(r"\?.*|(?<=c=biws).*", "", re.sub(r"[0-9a-f]{16,}|\d+", "#", name))


def differing(names):
    """Of points of one name that follow one another, the first and the last."""
    return [i + 1 for i, name in enumerate(names)
            if not 0 < i < len(names) - 1 or not names[i - 1] == name == names[i + 1]]


def far_away(names):
    """What is sent to a server and changes something there, by kind: before, behind, answered.  Between
    those a kill leaves what it leaves in the folders' cases, which know the files' points."""
    kinds = collections.defaultdict(list)
    for i, name in enumerate(names, 1):
        verb, what = name.split()[:2]
        if verb in ("send", "sent", "answer") and what in CHANGES:
            kinds[verb, what].append(i)
    return kinds.values()


def named(names):
    """One of each name."""
    return {plain(name): i for i, name in enumerate(names, 1)}.values()


def points_of(case, options):
    """Those to be killed at.  With --all there is no last one of the folders: the loop ends with a run
    that does not reach it."""
    with prepared(case) as world:
        names = reach(world, case.command, 0)[1]
    if case.part == "accounts":
        rng = random.Random(options.seed)
        points = [i for kind in far_away(names)
                  for i in (kind if options.all or len(kind) <= 4 else rng.sample(kind, 2))]
    elif options.all:
        points = itertools.count(1)
    else:
        points = differing(names) if case.command is RECONCILE else named(names)
    return iter(points), f"{len(set(map(plain, names)))} names"


def each_point(name, options):
    points, names = points_of(CASES[name], options)
    reached = kills = 0
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        while chunk := list(itertools.islice(points, 4 * WORKERS)):
            done = list(pool.map(lambda point: kill_at(name, point), chunk))
            reached += len(done) - done.count(0)
            kills += sum(done)
            if options.all and 0 in done:
                break
    assert reached > 0, "no point was reached"
    return f"{reached} points ({names} there are), {kills} kills, nothing lost"


# -- at random times -------------------------------------------------------------------------------

def at_random(name, options):
    """Four workers, with enough for all of them to do.  The first run is not killed: it tells how long
    one takes."""
    case, rng = CASES[name], random.Random(options.seed)
    words = [*case.command, "-j", "4"]
    kills = worlds = 0
    whole_s = None
    while kills < options.random:
        with prepared(case, MANY) as world:
            worlds += 1
            while kills < options.random:
                process, begun = start(world, words), time.monotonic()
                try:
                    said = process.communicate(timeout=whole_s and rng.uniform(0, whole_s))[0]
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.communicate()
                    kills += 1
                    world.check_any_instant()
                    continue
                assert process.returncode == 0, f"exit {process.returncode}\n{said}"
                whole_s = whole_s or time.monotonic() - begun
                break
            else:
                world.run(*words).must()
            check_at_last(world, words)
    return f"{kills} kills at random times (seed {options.seed}), {worlds} worlds, nothing lost"


# -- who holds the lock meanwhile ------------------------------------------------------------------

def stopped_at(world, words, wanted):
    """Stopped, not killed, at the first point whose name matches."""
    with prepared(CASES["folders-directories"]) as other:
        names = reach(other, words, 0)[1]
    point = next(i for i, name in enumerate(names, 1) if re.search(wanted, name))
    process = start(world, [*words, "-j", "1"], LD_PRELOAD=os.environ["POINTS"],
                    FROSTLINE_POINT=str(point), FROSTLINE_POINT_SIGNAL=str(int(signal.SIGSTOP)))
    status = os.waitpid(process.pid, os.WUNTRACED)[1]
    assert os.WIFSTOPPED(status), status
    return process


def hold(wanted, is_named):
    """False: another thread was stopped in the middle of a commit, so that nobody can read."""
    with prepared(CASES["folders-directories"]) as world:
        process = stopped_at(world, RECONCILE, wanted)
        who = f"reconcile, process {process.pid} on {socket.gethostname()}, since "
        for words in (["reconcile"], ["reap"], ["apply", "--auto-approve"]):
            run = world.run(*words).must(8)
            assert "another run holds " in run.err, run.err
            assert (who in run.err) == is_named, (wanted, run.err)
        status = world.run("status")
        if status.code == 75 and "database is locked" in status.err:
            process.kill()
            process.communicate()
            return False
        if is_named:
            shown = f"Running   reconcile on {socket.gethostname()}, process {process.pid}, "
            assert shown in status.must().out, status.out
        world.check_any_instant()
        process.kill()
        process.communicate()
        status = world.run("status").must().out
        assert "Running" not in status, status
        world.run(*RECONCILE).must()
        check_at_last(world, RECONCILE)
        return True


def holder(name, options):
    """A run is stopped: others are refused and told by whom, readers read; it is killed: the next
    run takes over."""
    stops = {"pwrite run.lock": False, "create .*plan": True, "renameat2 .*ecal": True,
             "create catalog.db-journal": True, "unlinkat .*ecal": True}
    for wanted, is_named in stops.items():
        assert any(hold(wanted, is_named) for _ in range(5)), f"{wanted}: the journal was never free"
    return f"{name}: stopped at {len(stops)} points, refused, shown, taken over"


# -- all of it -------------------------------------------------------------------------------------

@contextlib.contextmanager
def servers(part):
    """Of its own, where the environment names none.  Each part has new ones: every ten minutes an
    Azurite sweeps all that was ever deleted, which with so many objects takes longer than that."""
    if part != "accounts" or ("AZURITE_ACCESS_LOG" in os.environ and "DB_HOST" in os.environ):
        yield
        return
    with tempfile.TemporaryDirectory(prefix="frostline-kill.", dir=ROOMY) as folder:
        os.chmod(folder, 0o755)  # another user runs PostgreSQL
        script = os.path.join(ROOT, "tests", "servers", "{}.sh")
        before = dict(os.environ)
        try:
            for name in ("pg", "azurite"):
                place = os.path.join(folder, name)
                subprocess.run([script.format(name), "start", place], check=True)
                said = subprocess.run(["bash", "-c", f". {place}/env; env -0"], check=True,
                                      capture_output=True, text=True).stdout
                os.environ.update(pair.split("=", 1) for pair in said.split("\0") if pair)
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)
            for name in ("pg", "azurite"):
                subprocess.run([script.format(name), "stop", os.path.join(folder, name)])


def tell(what, function, name, options):
    begun = time.monotonic()
    try:
        with servers(CASES[name].part if name in CASES else None):
            said = function(name, options)
        print(f"ok {what}: {said}, {time.monotonic() - begun:.0f} s", flush=True)
        return True
    except Exception:  # what failed must not hide what comes next
        print(f"FAILED {what}", flush=True)
        traceback.print_exc()
        return False


def carry_out(options):
    fine = True
    if options.part in (None, "holder") and not options.case:
        fine &= tell("holder", holder, "the lock", options)
    for name, case in CASES.items():
        if options.part not in (None, case.part) or options.case not in (None, name):
            continue
        if options.point:
            fine &= tell(name, kill_at, name, options.point)
            continue
        fine &= tell(name, each_point, name, options)
        if options.random and not case.by_object:
            fine &= tell(name, at_random, name, options)
    return fine


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", nargs="?", choices=["holder", "folders", "accounts"])
    parser.add_argument("--all", action="store_true", help="k = 1, 2, 3, .. until a run ends before "
                        "it reached k; of the accounts each k that changes something far away")
    parser.add_argument("--random", type=int, default=0, metavar="N",
                        help="and N kills at random times, with four workers")
    parser.add_argument("--case", choices=list(CASES))
    parser.add_argument("--point", type=int)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    part = CASES[options.case].part if options.case else options.part
    if part == "accounts":
        servers_or_skip()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # servers are stopped
    # What is killed is no machine: memory keeps the bytes as well as a disk, and is quicker.
    if os.access("/dev/shm", os.W_OK):
        tempfile.tempdir = "/dev/shm"
    sys.exit(0 if carry_out(options) else 1)


if __name__ == "__main__":
    main()
