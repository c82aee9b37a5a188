#!/usr/bin/env python3
"""mutants.py [NAME...]: takes preconditions, looks and barriers away, and demands that a test misses each.

    mutants.py           all of the table (tests/mutants/table), or those that are named
    mutants.py --check   only whether the text that each takes away still stands where it stood

Works on a copy of the tree, with servers of its own where the environment names none.  Prints a line for each mutant: the promise that it breaks, the first test that
caught it, and after how long.  Ends with 1 if one survives that is not called equal, if one is caught that
is, if one does not compile or is compiled to what was there before, or if the tree as it is fails a test
that was asked.  A test that is skipped, because its server is not there, asks nothing.
"""
import contextlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = Path(__file__).resolve().parent / "table"
EQUAL_MAX = 4
SKIPPED = 77
# A test that takes longer hangs: one that asks for mutants is much shorter.
TEST_S_MAX = 100
# Programs that a test needs and is not named for.
TARGETS = {"sim": ["sim"], "e2e": ["frostline"], "kill": ["frostline", "points"]}


class Trouble(Exception):
    """The table, or the tree, is not fit to prove anything."""


# -- the table --------------------------------------------------------------------------------------------


@dataclass
class Mutant:
    name: str
    breaks: str = ""
    path: str = ""
    asks: list = field(default_factory=list)
    equal: str = ""
    edits: list = field(default_factory=list)  # (text, what stands in its place), in lines

    def add_line(self, sign, line):
        if sign == "-" and (not self.edits or self.edits[-1][1]):
            self.edits.append(([], []))
        self.edits[-1][sign == "+"].append(line)

    def applied_to(self, source):
        for old, new in self.edits:
            old, new = "\n".join(old), "\n".join(new)
            if source.count(old) != 1:
                raise Trouble(f"{self.name}: stands {source.count(old)} times in {self.path}:\n{old}")
            source = source.replace(old, new)
        return source


def read_table():
    mutants = []
    for number, line in enumerate(TABLE.read_text(encoding="utf-8").splitlines(), 1):
        word, _, rest = line.partition(" ")
        if line[:1] in ("", "#"):
            continue
        if word == "mutant":
            mutants.append(Mutant(rest))
        elif line[0] in "-+":
            mutants[-1].add_line(line[0], line[1:])
        elif word == "breaks":
            mutants[-1].breaks = rest
        elif word == "in":
            mutants[-1].path = rest
        elif word == "asks":
            mutants[-1].asks += rest.split()
        elif word == "equal":
            mutants[-1].equal += rest + "\n"
        else:
            raise Trouble(f"{TABLE.name}:{number}: {line}")
    return mutants


def check_table(mutants):
    names = [mutant.name for mutant in mutants]
    if len(set(names)) != len(names):
        raise Trouble("two mutants have one name")
    if sum(bool(mutant.equal) for mutant in mutants) > EQUAL_MAX:
        raise Trouble(f"more than {EQUAL_MAX} mutants are called equal")
    for mutant in mutants:
        if not (mutant.breaks and mutant.asks and mutant.edits and mutant.path.endswith(".c")):
            raise Trouble(f"{mutant.name}: says too little")
        source = (ROOT / mutant.path).read_text(encoding="utf-8")
        if mutant.applied_to(source) == source:
            raise Trouble(f"{mutant.name}: changes nothing")


# -- a copy of the tree -----------------------------------------------------------------------------------


class Tree:
    def __init__(self, folder):
        self.root = Path(folder) / "tree"
        self.build_folder = self.root / "build/dev"
        self.known = {}  # tests, as ctest says how they are run
        # What was compiled elsewhere is taken from there.
        self.environment = dict(os.environ, CCACHE_BASEDIR=str(self.root), CCACHE_NOHASHDIR="1")

    def make(self):
        listed = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], check=True, capture_output=True)
        for name in filter(None, listed.stdout.decode().split("\0")):
            if (ROOT / name).is_file():
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, self.root / name)
        self.run(["cmake", "--preset", "dev", "-DFROSTLINE_WERROR=OFF"])

    def run(self, command):
        done = subprocess.run(command, cwd=self.root, env=self.environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode != 0:
            raise Trouble(f"{shlex.join(map(str, command))}:\n{done.stdout}")
        return done.stdout

    def build(self, test):
        kind = test.split("/")[0]
        targets = TARGETS.get(kind, [test.replace("/", "_")])
        self.run(["cmake", "--build", self.build_folder, "--target", *targets])

    def object_of(self, path):
        folder = path.split("/")[0]
        return self.build_folder / f"CMakeFiles/{folder}.dir/{path}.o"

    def learn(self, test):
        """How it is run; ctest knows a test's program once that is built."""
        if test not in self.known:
            said = self.run(["ctest", "--test-dir", self.build_folder, "--show-only=json-v1"])
            for each in json.loads(said)["tests"]:
                if "command" in each:
                    self.known[each["name"]] = each
        if test not in self.known:
            raise Trouble(f"there is no test {test}")
        each = self.known[test]
        return each["command"], {one["name"]: one["value"] for one in each["properties"]}

    def ask(self, test):
        """Runs it as it was built: its exit code (None: it hung) and what it said."""
        command, properties = self.learn(test)
        environment = self.environment | dict(
            pair.split("=", 1) for pair in properties.get("ENVIRONMENT", []))
        with tempfile.TemporaryFile() as said:
            started = subprocess.Popen(command, env=environment, stdout=said, stderr=subprocess.STDOUT,
                                       cwd=properties["WORKING_DIRECTORY"], start_new_session=True)
            try:
                code = started.wait(TEST_S_MAX)
            except subprocess.TimeoutExpired:
                code = None
            finally:
                if started.returncode is None:
                    os.killpg(started.pid, signal.SIGKILL)
                    started.wait()
            said.seek(0)
            return code, said.read().decode(errors="replace")


# -- what caught it ---------------------------------------------------------------------------------------


def reason_of(code, said):
    """Of what a failed test says, what names the failure."""
    if code is None:
        return "hangs"
    for pattern in [r"^(seed \d+: .*)$", r"^(crash points of case .*)$", r"\[  (?:FAILED  |ERROR   )\] ([a-z]\w+)",
                    r"(Assertion .* failed)"]:
        found = re.search(pattern, said, re.MULTILINE)
        if found:
            return found.group(1)
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1] if lines else f"exit code {code}"


def pace_of(said, seconds):
    found = re.search(r"^(\d+) schedules in ", said, re.MULTILINE)
    schedules = f"{found.group(1)} schedules, " if found else ""
    return f"{schedules}{seconds:.1f} s"


def build_mutant(tree, mutant, test, compiled):
    """The mutated file was compiled anew, and to something else."""
    tree.build(test)
    target = tree.object_of(mutant.path)
    if target.stat().st_mtime_ns < (tree.root / mutant.path).stat().st_mtime_ns:
        raise Trouble(f"{mutant.name}: {test} is not built of {mutant.path}")
    if target.read_bytes() == compiled:
        raise Trouble(f"{mutant.name}: is compiled to what was there before")


def hunt(tree, mutant, tests, compiled):
    """The first test that catches it, why and how fast; None: it survives them."""
    file = tree.root / mutant.path
    source = file.read_text(encoding="utf-8")
    file.write_text(mutant.applied_to(source), encoding="utf-8")
    try:
        for test in tests:
            build_mutant(tree, mutant, test, compiled)
            began = time.monotonic()
            code, said = tree.ask(test)
            if code not in (0, SKIPPED):
                return test, reason_of(code, said), pace_of(said, time.monotonic() - began)
    finally:
        file.write_text(source, encoding="utf-8")
    return None


def find_fit(tree, mutants):
    """The tests that the tree passes as it is; one that it fails proves nothing."""
    fit = set()
    for test in sorted({test for mutant in mutants for test in mutant.asks}):
        tree.build(test)
        code, said = tree.ask(test)
        if code not in (0, SKIPPED):
            raise Trouble(f"{test} fails without any mutant: {reason_of(code, said)}")
        if code == 0:
            fit.add(test)
        else:
            print(f"skipped: {test}", flush=True)
    return fit


def tell(mutant, caught):
    row = [mutant.name, mutant.breaks]
    if caught:
        row += [f"{caught[0]}: {caught[1]}", caught[2]]
    row.append("CAUGHT, and called equal" if caught and mutant.equal else "")
    if not caught:
        row.append("equal: " + mutant.equal.replace("\n", " ") if mutant.equal else "SURVIVES")
    print(" | ".join(filter(None, row)), flush=True)


def hunt_all(tree, mutants):
    """How many are not as the table says."""
    wrong = killed = equal = unasked = 0
    fit = find_fit(tree, mutants)
    objects = {path: tree.object_of(path).read_bytes() for path in {mutant.path for mutant in mutants}
               if tree.object_of(path).is_file()}
    for mutant in mutants:
        tests = [test for test in mutant.asks if test in fit]
        if not tests:
            unasked += 1
            print(f"{mutant.name} | {mutant.breaks} | nobody was asked", flush=True)
            continue
        try:
            caught = hunt(tree, mutant, tests, objects[mutant.path])
        except Trouble as trouble:
            print(trouble, flush=True)
            wrong += 1
            continue
        tell(mutant, caught)
        wrong += bool(caught) == bool(mutant.equal)
        killed += bool(caught)
        equal += not caught and bool(mutant.equal)
    print(f"{len(mutants)} mutants: {killed} caught, {equal} equal, {unasked} not asked, {wrong} wrong")
    return wrong


@contextlib.contextmanager
def servers():
    """Of its own, where the environment names none; without them some tests are skipped."""
    wanted = {"pg": "FROSTLINE_TEST_PG", "azurite": "FROSTLINE_TEST_AZURITE"}
    wanted = [name for name, variable in wanted.items() if variable not in os.environ]
    script = str(ROOT / "tests/servers/{}.sh")
    with tempfile.TemporaryDirectory(prefix="frostline-mutants.") as folder:
        os.chmod(folder, 0o755)  # another user runs PostgreSQL
        try:
            for name in wanted:
                place = f"{folder}/{name}"
                if subprocess.run([script.format(name), "start", place], check=False).returncode == 0:
                    said = subprocess.run(["bash", "-c", f". {place}/env; env -0"], check=True,
                                          capture_output=True, text=True).stdout
                    os.environ.update(pair.split("=", 1) for pair in said.split("\0") if pair)
            yield
        finally:
            for name in wanted:
                subprocess.run([script.format(name), "stop", f"{folder}/{name}"], check=False)


def main(arguments):
    mutants = read_table()
    check_table(mutants)
    if arguments == ["--check"]:
        print(f"{len(mutants)} mutants can be made")
        return 0
    unknown = set(arguments) - {mutant.name for mutant in mutants}
    if unknown:
        raise Trouble(f"no mutant is called {', '.join(sorted(unknown))}")
    mutants = [mutant for mutant in mutants if not arguments or mutant.name in arguments]
    started = time.monotonic()
    # No power is cut here: memory keeps the bytes as well as a disk, and is quicker.
    if os.access("/dev/shm", os.W_OK):
        tempfile.tempdir = os.environ["TMPDIR"] = "/dev/shm"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # servers are stopped
    with servers(), tempfile.TemporaryDirectory(prefix="frostline-mutants.") as folder:
        tree = Tree(folder)
        tree.make()
        wrong = hunt_all(tree, mutants)
    print(f"{time.monotonic() - started:.0f} s")
    return 1 if wrong else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Trouble as trouble:
        sys.exit(f"mutants.py: {trouble}")
