#!/usr/bin/env python3
"""house.py: does the tree keep the rules of the house?

    house.py tree ROOT                  includes, calls, words and shape of every .c and .h
    house.py exports ROOT LIBRARY.a...  foo.c exports only foo and foo_*
    house.py headers ROOT [FLAG...]     every header compiles alone ($CC, and FLAGs for it)

Prints one line a finding, FILE:LINE: WHAT, and exits 1 if there was any.  An exemption is an
entry of EXCUSED with its reason, never a comment in the code.
"""
import os
import re
import subprocess
import sys
from pathlib import Path

# The one law: a file includes only from its own folder or from one further left.
FOLDERS = ["base", "state", "policy", "planner", "executor", "engine"]

# Every third-party library has one home; nothing else includes its headers.
HOMES = {
    "jansson.h": "base", "openssl/": "base",
    "sqlite3.h": "state", "libpq-fe.h": "state",
    "yaml.h": "policy", "pcre2.h": "policy",
    "curl/": "executor", "expat.h": "executor",
}

# What else may be included: C, POSIX and Linux (with all of sys/ and linux/).
SYSTEM = set("""
    assert.h ctype.h errno.h float.h inttypes.h limits.h malloc.h math.h signal.h stdalign.h stdarg.h
    stdatomic.h stdbool.h stddef.h stdint.h stdio.h stdlib.h string.h strings.h time.h
    arpa/inet.h dirent.h endian.h fcntl.h fnmatch.h ftw.h getopt.h netinet/in.h poll.h pthread.h pwd.h sched.h
    spawn.h termios.h unistd.h sanitizer/asan_interface.h
""".split())
# In the product they would be a second way: failures return, the locale never matters, and the
# network is libcurl's.
TESTS_ONLY = {"cmocka.h", "microhttpd.h", "dlfcn.h", "setjmp.h", "locale.h", "netdb.h",
              "sys/socket.h", "sys/un.h"}

# Names that product code must not use: where they may stand all the same, and why not.
BOUNDLESS = "writes without a bound"
DEAF = "tells no error from a number"
LOCAL = "depends on the machine's zone or locale, or is not thread-safe"
JUMP = "jumps: a failure is a return"
ROOF = "only the engine prints or exits"
CLOCK = "time comes through base/clock.h"
BANNED = [
    ("strcpy strcat stpcpy sprintf vsprintf gets strncpy strncat alloca", [], BOUNDLESS),
    ("atoi atol atoll atof", [], DEAF),
    ("strtok localtime localtime_r mktime gmtime ctime asctime strftime strptime setlocale",
     [], LOCAL),
    ("goto setjmp longjmp sigsetjmp siglongjmp", [], JUMP),
    ("system popen", [], "runs a shell"),
    ("rand srand random srandom drand48", [], "chance comes through base/rand.h"),
    ("tmpnam tempnam mktemp tmpfile", [], "races for a name"),
    ("getenv secure_getenv setenv putenv unsetenv", ["engine", "policy"],
     "only the engine and policies read the environment"),
    ("printf vprintf puts putchar perror stdout stderr exit _exit quick_exit", ["engine"], ROOF),
    ("time gettimeofday clock_gettime nanosleep clock_nanosleep usleep sleep",
     ["base/clock.c"], CLOCK),
]
EXCUSED = {
    ("base/err.c", "stderr"): "err_abort has one line to say before it ends the program",
    ("base/zone.c", "getenv"): "TZDIR says where the system keeps its zones",
}

SQL = re.compile(r"\b(SELECT\b.*\bFROM|INSERT INTO|UPDATE \w+ SET|DELETE FROM|"
                 r"(CREATE|ALTER|DROP) (TABLE|INDEX))\b")
# Not written out, so that this file may be searched for them too.
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK"]) + r")\b")
# tm_isdst is not one of them: letters stand before it.
SHORT_ENDS = re.compile(r"(?<![A-Za-z])(src|dst)(?![a-z])")

COLUMNS_MAX = 100
FILE_LINES_MAX = 800
FUNCTION_LINES_MAX = 60
PARAMETERS_MAX = 6  # and one for where a failure goes

TOKEN = re.compile(r"""
    (?P<comment>//[^\n]*|/\*.*?\*/)
  | (?P<text>"(?:\\.|[^"\\\n])*")
  | (?P<char>'(?:\\.|[^'\\\n])*')
""", re.VERBOSE | re.DOTALL)


def blank(match):
    """As many lines, no words."""
    return re.sub(r"[^\n]", " ", match.group())


def code_of(source):
    """The source without comments and texts, line for line."""
    return TOKEN.sub(blank, source)


def texts_of(source):
    """(line, text) of every string literal."""
    for match in TOKEN.finditer(source):
        if match.lastgroup == "text":
            yield source.count("\n", 0, match.start()) + 1, match.group()


class File:
    """One source file, and where it belongs."""

    def __init__(self, root, path):
        self.path = path.relative_to(root).as_posix()
        self.source = path.read_text(encoding="utf-8")
        self.code = code_of(self.source)
        self.parts = self.path.split("/")
        self.is_product = self.parts[0] in FOLDERS
        self.root = root

    def rank(self):
        """How far right it may include: unit tests stand beside what they test."""
        if self.is_product:
            return FOLDERS.index(self.parts[0])
        if self.parts[:2] == ["tests", "unit"] and self.parts[2] in FOLDERS:
            return FOLDERS.index(self.parts[2])
        return FOLDERS.index("executor")


def check_includes(file):
    first = None
    lines = file.source.split("\n")
    for number, line in enumerate(file.code.split("\n"), 1):
        if not re.match(r"\s*#\s*include\b", line):
            continue
        match = re.match(r'\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', lines[number - 1])
        if match is None:
            yield number, "an include that cannot be checked"
            continue
        own, other = match.groups()
        first = first or (number, own)
        wrong = wrong_own(file, own) if own else wrong_other(file, other)
        if wrong:
            yield number, wrong
    header = re.sub(r"\.c$", ".h", file.path)
    if file.path.endswith(".c") and (file.root / header).exists() and first and first[1] != header:
        yield first[0], f"its own header comes first: {header}"


def wrong_own(file, name):
    folder = name.split("/")[0]
    if "/" not in name or not (file.root / name).is_file():
        return f'"{name}" is not a path from the root'
    if folder == "tests":
        return "a product file includes from tests/" if file.is_product else None
    if folder not in FOLDERS:
        return f'"{name}" is in no folder of the house'
    if FOLDERS.index(folder) > file.rank():
        return f'"{name}" stands further right'
    return None


def wrong_other(file, name):
    for prefix, home in HOMES.items():
        if name == prefix or (prefix.endswith("/") and name.startswith(prefix)):
            at_home = file.parts[0] == home if file.is_product else FOLDERS.index(home) <= file.rank()
            return None if at_home else f"<{name}> has its home in {home}/"
    if name in TESTS_ONLY:
        return f"<{name}> is for tests" if file.is_product else None
    is_system = name in SYSTEM or name.startswith(("sys/", "linux/"))
    return None if is_system else f"<{name}> has no home"


def check_calls(file):
    if not file.is_product:
        return
    for names, allowed, reason in BANNED:
        if file.parts[0] in allowed or file.path in allowed:
            continue
        # As a member or a declaration of ours (`struct when time;`) a name does no harm: what is
        # called, or is a stream or a keyword, does.
        pattern = r"(?<![\w.>])(" + names.replace(" ", "|") + r")\b(?=\s*\()"
        pattern += r"|(?<![\w.>])(goto|stdout|stderr)\b"
        for number, line in enumerate(file.code.split("\n"), 1):
            for match in re.finditer(pattern, line):
                name = match.group()
                if name in names.split() and (file.path, name) not in EXCUSED:
                    yield number, f"{name}: {reason}"


def check_sql(file):
    if file.is_product and file.parts[0] != "state":
        for number, text in texts_of(file.source):
            if SQL.search(text):
                yield number, "SQL outside state/"


def check_words(file):
    for number, line in enumerate(file.source.split("\n"), 1):
        for match in UNFINISHED.finditer(line):
            yield number, f"{match.group()}: unfinished"
    for number, line in enumerate(file.code.split("\n"), 1):
        for match in SHORT_ENDS.finditer(line):
            yield number, f"{match.group()}: say source and target"
        if file.is_product and re.search(r"\btypedef\s+(struct|enum|union)\s*\w*\s*(\{|\w+;|$)", line):
            yield number, "a typedef hides what it is"


def check_shape(file):
    lines = file.source.split("\n")
    if lines[-1] != "":
        yield len(lines), "no newline at the end"
    if len(lines) - 1 > FILE_LINES_MAX and file.is_product:
        yield len(lines) - 1, f"more than {FILE_LINES_MAX} lines"
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS_MAX:
            yield number, f"more than {COLUMNS_MAX} columns"
        if "\t" in line or line != line.rstrip():
            yield number, "a tab, or a space at the end"
    if file.path.endswith(".h"):
        guard = re.sub(r"[/.]", "_", file.path).upper()
        if not re.search(rf"^#ifndef {guard}\n#define {guard}$", file.source, re.MULTILINE):
            yield 1, f"no guard {guard}"


FUNCTION = re.compile(r"^[A-Za-z_][^;{}=#]*?\b(\w+)\(([^;{}]*)\)\s*\n\{\n(.*?)^\}",
                      re.MULTILINE | re.DOTALL)


def check_functions(file):
    if not file.is_product:
        return
    for match in FUNCTION.finditer(file.code):
        number = file.code.count("\n", 0, match.start(1)) + 1
        name, parameters, body = match.groups()
        if body.count("\n") > FUNCTION_LINES_MAX:
            yield number, f"{name} has more than {FUNCTION_LINES_MAX} lines"
        given = [p for p in parameters.split(",") if "struct err *" not in p]
        if len(given) > PARAMETERS_MAX:
            yield number, f"{name} has more than {PARAMETERS_MAX} parameters"


EVENTS = "engine/DESIGN.md"


def check_events(root):
    """The vocabulary of the log stands in one place: no event is missing there, and none is invented."""
    page = root / EVENTS
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    begin = text.find("## Events\n")
    listed = {match.group(1): text.count("\n", 0, match.start()) + 1
              for match in re.finditer(r"^\| `([a-z-]+)` \|", text, re.MULTILINE)
              if match.start() > begin >= 0}
    said = set()
    for path in sources(root, "*.c"):
        file = File(root, path)
        if not file.is_product:
            continue
        said.update(text.strip('"') for _, text in texts_of(file.source))
        for match in re.finditer(r'\bLOG\([^";]*"([^"]+)"', file.source):
            if match.group(1) not in listed:
                number = file.source.count("\n", 0, match.start()) + 1
                yield f"{file.path}:{number}: the event {match.group(1)} is not listed in {EVENTS}"
    for name in sorted(listed.keys() - said):
        yield f"{EVENTS}:{listed[name]}: nothing says the event {name}"


def check_scripts(root):
    """A script's folder comes first where Python looks for modules: typing.py would be everybody's."""
    for path in sorted((root / "tests").rglob("*.py")):
        if path.stem in sys.stdlib_module_names:
            yield f"{path.relative_to(root)}:1: named as a module of Python's own"


CHECKS = [check_includes, check_calls, check_sql, check_words, check_shape, check_functions]


def sources(root, pattern):
    for folder in [*FOLDERS, "tests"]:
        yield from sorted((root / folder).rglob(pattern))


def tree(root):
    for path in sources(root, "*.[ch]"):
        file = File(root, path)
        for check in CHECKS:
            for number, what in check(file):
                yield f"{file.path}:{number}: {what}"
    yield from check_events(root)
    yield from check_scripts(root)


def modules(root, library, stem):
    """The names that a file may export below: its own, and that of a module it is a part of.

    catalog_pg_read.c is a part of catalog_pg if that has a header; catalog_pg of catalog."""
    folder = root / re.sub(r"^lib|\.a$", "", library.name)
    yield stem
    while "_" in stem:
        stem = stem.rpartition("_")[0]
        if any(folder.rglob(f"{stem}.h")) or any(folder.rglob(f"{stem}_private.h")):
            yield stem


def exports(root, libraries):
    for library in map(Path, libraries):
        listing = subprocess.run(["nm", "--extern-only", "--defined-only", "--format=posix",
                                  library], check=True, capture_output=True, text=True).stdout
        names = []
        for line in filter(None, listing.splitlines()):
            member = re.match(r".*\[(.*)\.c\.o\]:$", line)
            if member:
                names = list(modules(root, library, member.group(1)))
                continue
            symbol = line.split()[0]
            if not any(symbol == name or symbol.startswith(name + "_") for name in names):
                yield f"{names[0]}.c:1: exports {symbol}"


def headers(root, flags):
    for path in sources(root, "*.h"):
        command = [os.environ.get("CC", "cc"), "-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Wextra",
                   "-Wstrict-prototypes", "-Werror", "-fsyntax-only", f"-I{root}", *flags,
                   "-x", "c", str(path)]
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode != 0:
            yield f"{path.relative_to(root)}:1: does not compile alone\n{result.stderr}"


def main(arguments):
    match arguments:
        case ["tree", root]:
            findings = list(tree(Path(root)))
        case ["exports", root, *libraries]:
            findings = list(exports(Path(root), libraries))
        case ["headers", root, *flags]:
            findings = list(headers(Path(root), flags))
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    for finding in findings:
        print(finding)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
