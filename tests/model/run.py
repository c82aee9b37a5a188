#!/usr/bin/env python3
"""run.py [--deep] [NAME...]: explores the model of the protocol (mover.pml) with SPIN.

A base must be clean, whatever order things happen in; what is taken away by a switch (a mutant) must be
missed.  The moves that the bases made are those of protocol_step ($MODEL_MOVES: the program made of
moves.c; without it this is left out).  Prints a line for each; ends with 1 if one is not as it should be,
with 77 if there is no SPIN.  --deep explores the bases of DEEP only: a minute, and two gigabytes.
"""
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODEL = HERE / "mover.pml"
SKIPPED = 77

# How often what goes wrong does so in one exploration, if not said otherwise.
BOUNDS = {"UNITS": 1, "CRASHES": 1, "LOSSES": 1, "DELAYS": 1, "WRITES": 1, "FOREIGN": 1, "EDITS": 1,
          "STALES": 1, "DENIALS": 0, "ASKS": 0}
CALM = {"FOREIGN": 0, "EDITS": 0}

# name: bounds and switches
BASES = {
    "move": {},
    "return, repair, again": {"UNITS": 2, "ASKS": 2, **CALM},
    "return and repair among others": {"ASKS": 1, "DELAYS": 0, "DENIALS": 1, "WRITES": 0},
    "asked for while it is deleting": {"ASKS": 2, "DENIALS": 1, "LOSSES": 0, "WRITES": 0, "FOREIGN": 0},
    "kept source, restored": {"UNITS": 2, "KEEP": 1, "STALES": 0, **CALM},
    "etag is content, restored": {"UNITS": 2, "ETAG_IS_CONTENT": 1, "RESTORE_WAITS": 1, "STALES": 0, **CALM},
}
DEEP = {
    "two crashes": {"CRASHES": 2},
    "two late requests": {"DELAYS": 2},
}
# Can it go on for ever without coming to rest?
CIRCLES = {"comes to rest": {"DELAYS": 0, "ASKS": 1, "DENIALS": 1, **CALM}}

TWO = {"UNITS": 2, "STALES": 0, **CALM}
ASKED = {"ASKS": 2, **CALM}
MUTANTS = {
    "NO_TARGET_IF_NONE_MATCH": {},
    "NO_DELETE_IF_MATCH": {},
    "NO_COMPARE_AND_SET": {},
    "NO_GATE_1": {},
    "NO_GATE_1_SOURCE": {},
    "NO_GATE_2_ROWS": {},
    "NO_GATE_2_STRANGERS": {},
    "NO_GATE_2_TARGET": {"WRITES": 0, "EDITS": 0},
    "NO_GATE_2_SOURCE": {},
    "NO_GRACE": {},
    "ONE_ROW": {},
    "TRUST_RESPONSE": {},
    "DELETE_LISTED": {},
    "UNKNOWN_IS_DONE": {},
    "UNKNOWN_IS_FAILED": {},
    "NO_LOCK": {},
    "NO_B1": {},
    "NO_B2": {},
    "NO_B3": {},
    "NO_B_DELETING": {**ASKED, "LOSS_ONLY": 1},
    "NO_B_RETURNING": ASKED,
    "NO_B_REPAIRING": ASKED,
    "RETURN_BLIND": ASKED,
    "RETURN_WHILE_DELETING": {**ASKED, "LOSS_ONLY": 1},
    "REPAIR_FORGETS": {**ASKED, "LOSS_ONLY": 1},
    "PARK_FORGETS": {**ASKED, "WRITES": 0, "STALES": 0, "DENIALS": 1, "LOSS_ONLY": 1},
    "REPAIR_BLIND": {"ASKS": 1, "EDITS": 0, "CRASHES": 0, "DELAYS": 0},
    "REPAIR_NO_SOURCE": ASKED,
    "REPAIR_OLD_GRACE": ASKED,
    "RESTORE_WHILE_OPEN": TWO,
    "ETAG_IS_CONTENT": {**TWO, "WRITES": 0},
}
# Nothing is lost without them, and why.
EQUIVALENT = {
    "NO_SOURCE_IF_MATCH": "gate 1 looks at the source's etags after the last copy, and an etag does not come "
                          "back: what was copied from another version is never cut over",
    "REPAIR_WHILE_RETURNING": "the look locks, so it sees where the latest transaction left the rows; what is lost "
                              "is only the will of whoever sent them back",
}

# States of the code that no move of a directory has.
NOT_MODELLED = {"tiering"}


class Finding(Exception):
    """Something is not as it should be; the text says what."""


def run(arguments, folder, **options):
    return subprocess.run(arguments, cwd=folder, capture_output=True, text=True, check=False, **options)


def build(folder, switches, gcc):
    flags = [f"-D{name}={value}" for name, value in {**BOUNDS, **switches}.items()]
    shutil.copy(MODEL, folder)
    made = run(["spin", "-a", *flags, MODEL.name], folder)
    if made.returncode != 0:
        raise Finding(f"spin: {made.stdout}{made.stderr}")
    # Code that was generated, with warnings of its own.
    made = run(["gcc", "-w", *gcc, "-DNOREDUCE", "-DMEMLIM=8000", "-o", "pan", "pan.c"], folder)
    if made.returncode != 0:
        raise Finding(f"gcc: {made.stderr}")


PROMISES = {
    "1": "content is lost",
    "2": "a delete while a row points there, or others write there",
    "3": "a row at what is not whole and verified",
    "4": "what others made is overwritten or deleted",
    "7": "a delete before the grace has passed",
    "10": "a report that is not true",
}


def broken(output):
    """The promise that the counterexample breaks."""
    if "pan:1: invalid end state" in output:
        return "stuck"
    number = re.search(r"broken==(\d+)", output)
    return f"{number[1]}: {PROMISES[number[1]]}" if number else "?"


def explore(switches, optimize="-O1", options=(), gcc=("-DSAFETY",)):
    """(clean?, what it ended with, states, the moves made)"""
    with tempfile.TemporaryDirectory(prefix="frostline-model.") as folder:
        build(folder, switches, [optimize, *gcc])
        output = run(["./pan", "-m3000000", "-w22", *options], folder).stdout
        states = re.search(r"(\d+(?:\.\d+)?(?:e[+]\d+)?) states, stored", output)
        errors = re.search(r"errors: (\d+)", output)
        if states is None or errors is None:
            raise Finding(f"pan ended early: {output[-300:]}")
        moves = {(int(a), int(b)) for a, b in re.findall(r"^move (\d+) (\d+)$", output, re.M)}
        count = int(float(states[1]))
        if "max search depth too small" in output or "out of memory" in output:
            return False, "not all was explored", count, moves
        if errors[1] == "0":
            return True, "clean", count, moves
        if re.search(r"^pan:1: non-progress cycle", output, re.M):
            return False, "goes on for ever", count, moves
        return False, broken(output), count, moves


def model_states():
    """Their names by the numbers that SPIN gives them: the last one is 1."""
    text = re.search(r"mtype:state = \{(.*?)\}", MODEL.read_text(encoding="utf-8"), re.S)[1]
    names = [name.strip().lower().replace("_", "-") for name in text.split(",")]
    return dict(enumerate(reversed(names), 1))


def compare_with_code(taken):
    program = os.environ.get("MODEL_MOVES")
    if not program:
        return "left out: no MODEL_MOVES"
    output = subprocess.run([program], capture_output=True, text=True, check=True).stdout
    code_states = set(re.findall(r"^state (\S+)$", output, re.M)) - NOT_MODELLED
    code = {pair for pair in re.findall(r"^move (\S+) (\S+)$", output, re.M) if pair[0] != pair[1]}
    names = model_states()
    model = {(names[a], names[b]) for a, b in taken if a != b}
    wrong = [f"a state of the model only: {name}" for name in set(names.values()) - code_states]
    wrong += [f"a state of the code only: {name}" for name in code_states - set(names.values())]
    wrong += [f"a move of the model only: {a} -> {b}" for a, b in sorted(model - code)]
    wrong += [f"a move of the code only: {a} -> {b}" for a, b in sorted(code - model)]
    if wrong:
        raise Finding("; ".join(wrong))
    return f"{len(code)} moves between {len(code_states)} states, the same in both"


def seconds():
    """Of one core, however busy the machine is."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Table:
    """What was found, a line each."""

    def __init__(self):
        self.wrong = 0
        self.begun = seconds()

    def line(self, name, check):
        begun = seconds()
        try:
            good, result, states = check()
        except Finding as finding:
            good, result, states = False, str(finding), 0
        self.wrong += not good
        print(f"{'ok  ' if good else 'FAIL'} {name:31}{states:>9}{seconds() - begun:7.1f} s  {result}",
              flush=True)


def main(arguments):
    deep = "--deep" in arguments
    wanted = [name for name in arguments if name != "--deep"]
    if shutil.which("spin") is None:
        print("there is no spin")
        return SKIPPED
    taken = set()

    def base(switches):
        good, result, states, moves = explore(switches)
        taken.update(moves)
        return good, result, states

    def circle(switches):
        return explore(switches, options=["-l"], gcc=["-DNP"])[:3]

    def mutant(name, switches):
        good, result, states, _ = explore({name: 1, **switches}, optimize="-O0")
        return not good, result if not good else "is not missed", states

    def same_as_code():
        return True, compare_with_code(taken), 0

    table = Table()
    checks = [(name, lambda s=switches: base(s)) for name, switches in (DEEP if deep else BASES).items()]
    if not deep:
        checks += [(name, lambda s=switches: circle(s)) for name, switches in CIRCLES.items()]
        checks += [("the moves of the code", same_as_code)]
        checks += [(name, lambda n=name, s=switches: mutant(n, s)) for name, switches in MUTANTS.items()]
    for name, check in checks:
        if not wanted or name in wanted:
            table.line(name, check)
    for name, why in EQUIVALENT.items():
        if not deep and not wanted:
            print(f"same {name}: {why}")
    print(f"{seconds() - table.begun:.0f} s, {table.wrong} wrong")
    return 1 if table.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
