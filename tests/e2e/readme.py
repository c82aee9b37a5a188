#!/usr/bin/env python3
"""The sessions in README.md: each is played at a terminal, and what it prints is what stands there.

A block of a session is headed by <!-- session: NAME -->, and one by <!-- file: NAME --> is a file that its
sessions use.  What differs from run to run is given the same value on both sides (`steady`); a line of
`...` stands for lines that are left out.  FROSTLINE_GOLDEN=write writes the blocks anew, with those
values; what was left out stays so if the rest is still right."""
import hashlib
import os
import re
import shlex
import signal
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from desk import DELETE, MENU, PROCEED, Desk, answer
from scene import main, sql
from terminal import Terminal

README = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "README.md")
BLOCK = re.compile(r"^<!-- (session|file): (\S+) -->\n```\w*\n(.*?)^```$", re.M | re.S)
PROMPTS = (MENU, "Date: ", DELETE, PROCEED)
KILLED = "Killed\n"  # as the shell says it
KILL_AT = {"FROSTLINE_POINT_OF": "send COMMIT", "FROSTLINE_POINT": "3"}

# -- what stands in README in place of what differs --------------------------------------------------

HOT = "https://datacollectionblob.blob.core.windows.net/ecal-batchstore"
COLD = "https://coldstorage.blob.core.windows.net/ecal-cold-storage"
STATE = "/home/ada/.local/state/frostline"
DIGEST = hashlib.sha256(b"nightly.plan").hexdigest()
LOCATION_BYTES = 80  # that the wizard shows
INSTANT = r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d"
STEADY = [
    (f"(As of|begun) {INSTANT}", r"\1 2025-06-01 09:00:00"),
    (f"ended {INSTANT}", "ended 2025-06-01 09:00:04"),
    (f"good until {INSTANT}", "good until 2025-06-02 09:00:00"),
    (f"(waits until|the first until|ends on) {INSTANT}", r"\1 2025-06-08 09:00:03"),
    (f"^    {INSTANT}  ", "    2025-06-01 09:00:03  "),
    (r"\.yaml [0-9a-f]{7}\b", f".yaml {DIGEST[8:15]}"),
    (r"sha256:[0-9a-f]{64}", f"sha256:{DIGEST}"),
    (r"sha256:[0-9a-f]{8}\.\.[0-9a-f]{4}\b", f"sha256:{DIGEST[:8]}..{DIGEST[-4:]}"),
    (r"oldest \d+ d\b", "oldest 107 d"),
    (r" {5,}\d+ d  ", "          107 d  "),  # in a row of ls
    (r"older_than 90d: \d+d\b", "older_than 90d: 107d"),
    (r"(\n  | )· catalog ", "\n  · catalog "),  # where the line breaks depends on the names
    (r" +$", ""),
]


def steady(text):
    for pattern, value in STEADY:
        text = re.sub(pattern, value, text, flags=re.M)
    return text


def cut_location(match):
    """Where the wizard would have cut it."""
    return match.group(1)[:len("   Current Location: ") + LOCATION_BYTES] + "..."


def in_azure(desk, text):
    """As if the accounts, the catalog and the home were not those of a test."""
    for real, shown in ((desk.source.url(desk.hot, "")[:-1], HOT),
                        (desk.target.url(desk.cold, "")[:-1], COLD), (desk.hot, "ecal-batchstore"),
                        (f"{desk.server['DB_HOST']}:{desk.server['DB_PORT']}/{desk.name}",
                         "db.example:5432/recordings"),
                        (os.path.join(desk.folder, "state"), STATE)):
        text = text.replace(real, shown)
    return re.sub(r"^(   Current Location: .*)\.\.\.$", cut_location, text, flags=re.M)


# -- the scenes --------------------------------------------------------------------------------------

class Scene(Desk):
    """A desk at which the README sits."""

    def __init__(self):
        # As long as the name that is shown, for columns are as wide as what stands in them.
        super().__init__(hot=f"ecal-{os.getpid():07d}-{Desk.number:02d}")
        self.digest = None  # of the plan that was shown last

    def write_files(self):
        for name, text in blocks("file").items():
            with open(os.path.join(self.folder, name), "w") as file:
                file.write(text.replace("container: ecal-batchstore", f"container: {self.hot}"))

    def record(self, ident, directory, hour=6):
        for name, size in ((f"{ident}.ecalmeas", 1_000), ("camera_front.h264", 2_400_000),
                           ("can.asc", 49_000)):
            self.source.put(self.hot, directory + name, bytes(size))
        self.add_row(ident, self.source.url(self.hot, f"{directory}{ident}.ecalmeas"),
                     f"2025-02-14 {hour:02d}:33:21", "0.00245")

    def day(self, count):
        for i in range(1, count + 1):
            self.record(f"ECAL_202502140{i}", f"recording/2025-02-14/run_{i}/", hour=5 + i)

    def play(self, command, wanted):
        """What is seen when that is typed; the answers to its questions are those that are wanted."""
        killed = {"LD_PRELOAD": os.environ["POINTS"], **KILL_AT} if wanted.endswith(KILLED) else {}
        words = shlex.split(command.replace(DIGEST, self.digest or DIGEST))
        environment = {**self.environment(), "TERM": "xterm", "LC_ALL": "C.UTF-8", **killed}
        answers = [(prompt, line.removeprefix(prompt)) for line in wanted.splitlines()
                   for prompt in PROMPTS if line.startswith(prompt)]
        with Terminal(os.environ["FROSTLINE"], *words[1:], cwd=self.folder, columns=250, rows=250,
                      environment=environment) as terminal:
            answer(terminal, *answers)
            code, said = terminal.end(), terminal.screen.text()
        assert code == (-signal.SIGKILL if killed else 0), f"exit {code}\n{said}"
        digest = re.search(r"sha256:([0-9a-f]{64})", said)
        self.digest = digest.group(1) if digest else self.digest
        said = said if said.strip() else ""
        return steady(in_azure(self, said + (KILLED if killed else "")))


def wizard(scene):
    scene.day(5)


def policy(scene):
    """Of the two that share a directory one is not valid."""
    scene.write_files()
    scene.day(3)
    for ident in ("ECAL_2025021404", "ECAL_2025021405"):
        scene.record(ident, "recording/2025-02-14/shared/")
    sql("UPDATE ecal SET is_valid = false WHERE ecal_id = 'ECAL_2025021405';", server=scene.server)


def crash(scene):
    scene.write_files()
    scene.day(5)
    scene.run("plan", "--out", "nightly.plan").must()


def rollback(scene):
    scene.write_files()
    scene.day(1)
    scene.run("apply", "--auto-approve").must()


def restore(scene):
    scene.write_files()
    scene.day(3)
    scene.run("apply", "--select", "date:2025-02-14", "--to", "cold", "--grace", "0s",
              "--auto-approve").must()


SCENES = {scene.__name__: scene for scene in (wizard, policy, crash, rollback, restore)}

# -- the README --------------------------------------------------------------------------------------


def readme():
    with open(README) as file:
        return file.read()


def blocks(kind):
    return {match.group(2): match.group(3) for match in BLOCK.finditer(readme())
            if match.group(1) == kind}


def commands(block):
    """(command, what it prints) of each."""
    head, *rest = re.split(r"^\$ (.*\n)", block, flags=re.M)
    assert head == "" and rest, f"a session begins with what is typed:\n{block}"
    return list(zip((line.rstrip("\n") for line in rest[::2]), rest[1::2]))


def is_as_wanted(said, wanted):
    lines = ("(.*\n)*" if line == "..." else re.escape(line) + "\n" for line in wanted.splitlines())
    return re.fullmatch("".join(lines), said) is not None


def played(scene, block):
    """The block as it should be: as it is, where that is right."""
    text = ""
    for command, wanted in commands(block):
        prints = wanted.rstrip("\n") + "\n" if wanted.strip() else ""
        gap = wanted.removeprefix(prints)  # an empty line before the next command
        said = scene.play(command, prints)
        text += f"$ {command}\n" + (prints if is_as_wanted(said, steady(prints)) else said) + gap
    return text


def session(name):
    def case():
        block = blocks("session")[name]
        with Scene() as scene:
            SCENES[name](scene)
            text = played(scene, block)
        if os.environ.get("FROSTLINE_GOLDEN") == "write":
            whole = readme().replace(block, steady(text))
            with open(README, "w") as file:
                file.write(whole)
        else:
            assert text == block, f"the session {name} of README.md is not\n{text}"
    return case


def case_every_session_is_played():
    names = [match.group(2) for match in BLOCK.finditer(readme()) if match.group(1) == "session"]
    assert sorted(names) == sorted(SCENES), f"in README.md: {names}, here: {list(SCENES)}"
    rest = BLOCK.sub("", readme())
    loose = re.findall(r"^.*\$ frostline.*$", rest, re.M)
    assert loose == [], f"nobody plays {loose}"
    assert "<!-- session:" not in rest, "a session without a block"
    for name, block in blocks("session").items():
        for command, _ in commands(block):
            assert command.startswith("frostline "), f"{name}: {command} is not played"


if __name__ == "__main__":
    if not os.environ.get("POINTS"):
        print("skipped: not set: POINTS")
        sys.exit(77)
    main({**globals(), **{f"case_the_session_{name}": session(name) for name in SCENES}})
