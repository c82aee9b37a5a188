#!/usr/bin/env python3
"""The checker is checked: a clean tree has no findings, and each fault is found where it is."""
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
import house

CLEAN = {
    "base/floor.h": "#ifndef BASE_FLOOR_H\n#define BASE_FLOOR_H\nint floor_get(void);\n#endif\n",
    "base/floor.c": '#include "base/floor.h"\n\nint floor_get(void)\n{\n    return 1;\n}\n',
    "state/row.h": '#ifndef STATE_ROW_H\n#define STATE_ROW_H\n#include "base/floor.h"\n#endif\n',
    "state/row.c": '#include "state/row.h"\n\n#include <sqlite3.h>\n#include <stdio.h>\n'
                   '/* strcpy(a, b) and goto: only words here */\n'
                   'static const char *said = "strcpy(a, b)";\n',
    "engine/roof.c": '#include "state/row.h"\n\n#include <stdio.h>\n\n'
                     'int main(void)\n{\n    printf("x\\n");\n}\n',
    "tests/support/help.h": "#ifndef TESTS_SUPPORT_HELP_H\n#define TESTS_SUPPORT_HELP_H\n#endif\n",
    "tests/unit/state/test_row.c": '#include "tests/support/help.h"\n#include <sqlite3.h>\n',
}


def function(lines=1, parameters="void"):
    return f"int roof_f({parameters})\n{{\n" + "    return 1;\n" * lines + "}\n"


# What is wrong, the file it stands in, that file's text, the line and words of the finding.
FAULTS = [
    ("a script that is named as a module of Python's", "tests/e2e/typing.py", "", 1, "Python's own"),
    ("an include from the right", "base/a.c", '#include "state/row.h"\n', 1, "further right"),
    ("a unit test includes from the right", "tests/unit/base/test_a.c",
     '#include "state/row.h"\n', 1, "further right"),
    ("an include not from the root", "base/a.c", '#include "floor.h"\n', 1, "from the root"),
    ("an include of what is not there", "base/a.c", '#include "base/no.h"\n', 1, "from the root"),
    ("an include by macro", "base/a.c", "#include HEADER\n", 1, "cannot be checked"),
    ("a product file includes a test", "base/a.c", '#include "tests/support/help.h"\n', 1,
     "tests/"),
    ("its own header second", "base/floor.c", '#include <stdio.h>\n#include "base/floor.h"\n', 1,
     "own header comes first"),
    ("jansson away from home", "state/a.c", "#include <jansson.h>\n", 1, "home in base/"),
    ("OpenSSL away from home", "engine/a.c", "#include <openssl/evp.h>\n", 1, "home in base/"),
    ("SQLite away from home", "executor/a.c", "\n#include <sqlite3.h>\n", 2, "home in state/"),
    ("libpq away from home", "engine/a.c", "#include <libpq-fe.h>\n", 1, "home in state/"),
    ("libyaml away from home", "base/a.c", "#include <yaml.h>\n", 1, "home in policy/"),
    ("PCRE2 away from home", "planner/a.c", "#include <pcre2.h>\n", 1, "home in policy/"),
    ("libcurl away from home", "engine/a.c", "#include <curl/curl.h>\n", 1, "home in executor/"),
    ("expat away from home", "state/a.c", "#include <expat.h>\n", 1, "home in executor/"),
    ("a test uses what is right of it", "tests/unit/base/test_a.c", "#include <sqlite3.h>\n", 1,
     "home in state/"),
    ("a library without a home", "base/a.c", "#include <glib.h>\n", 1, "no home"),
    ("locale.h in the product", "base/a.c", "#include <locale.h>\n", 1, "for tests"),
    ("a socket in the product", "base/a.c", "#include <sys/socket.h>\n", 1, "for tests"),
    ("a copy without a bound", "base/a.c", "\nint a = strcpy(b, c);\n", 2, "strcpy"),
    ("a print without a bound", "engine/a.c", "int a = sprintf (b, c);\n", 1, "sprintf"),
    ("a number without errors", "policy/a.c", "int a = atoi(b);\n", 1, "atoi"),
    ("local time", "base/a.c", "int a = mktime(b);\n", 1, "mktime"),
    ("strtok", "base/a.c", "int a = strtok(b, c);\n", 1, "strtok"),
    ("the locale is set", "engine/a.c", "int a = setlocale(b, c);\n", 1, "setlocale"),
    ("a jump", "base/a.c", "    goto out;\n", 1, "goto"),
    ("a shell", "engine/a.c", "int a = system(b);\n", 1, "system"),
    ("chance of its own", "executor/a.c", "int a = rand();\n", 1, "rand"),
    ("a name for a file", "base/a.c", "int a = mktemp(b);\n", 1, "mktemp"),
    ("the environment below policy", "state/a.c", "int a = getenv(b);\n", 1, "getenv"),
    ("printing below the roof", "executor/a.c", "int a = printf(b);\n", 1, "printf"),
    ("standard error below the roof", "executor/a.c", "int a = f(stderr);\n", 1, "stderr"),
    ("exit below the roof", "state/a.c", "int a = exit(1);\n", 1, "exit"),
    ("a clock of its own", "engine/a.c", "int a = clock_gettime(b, c);\n", 1, "clock_gettime"),
    ("SQL outside state", "executor/a.c", 'int a = "DELETE FROM x";\n', 1, "SQL"),
    ("unfinished words", "base/a.c", "/* TO" + "DO: later */\n", 1, "unfinished"),
    ("a short end", "base/a.c", "int src_key;\n", 1, "source and target"),
    ("the other short end, in a test", "tests/support/a.c", "int dst;\n", 1, "source and target"),
    ("a hidden struct", "base/a.c", "typedef struct a a;\n", 1, "typedef"),
    ("a hidden struct with its members", "base/a.c", "typedef struct {\n", 1, "typedef"),
    ("a wide line", "base/a.c", "/*" + "x" * 97 + "*/\n", 1, "columns"),
    ("a tab", "base/a.c", "\tint a;\n", 1, "tab"),
    ("a space at the end", "base/a.c", "int a; \n", 1, "space"),
    ("no newline at the end", "base/a.c", "int a;", 1, "newline"),
    ("a long file", "base/a.c", "int a;\n" * 801, 801, "lines"),
    ("an event that is not listed", "base/a.c", '\nint a = LOG(LOG_INFO,\n "a-b", 1);\n', 2,
     "the event a-b is not listed"),
    ("a listed event that nobody says", "engine/DESIGN.md",
     "| `c` | d |\n\n## Events\n\n| event |\n|---|\n| `a-b` | info |\n", 7, "nothing says the event a-b"),
    ("a header without its guard", "base/a.h", "#ifndef A_H\n#define A_H\n#endif\n", 1, "guard"),
    ("a long function", "engine/a.c", function(lines=61), 1, "lines"),
    ("many parameters", "engine/a.c", function(parameters="int a, " * 6 + "int b"), 1,
     "parameters"),
]
WITHIN = [
    ("a function at the limit", "engine/a.c", function(60, "int a, " * 5 + "int b, struct err *err")),
    ("a member named like a call", "base/a.c", "int a = ops->time(b) + ops.exit(c);\n"),
    ("a typedef of a function", "base/a.c", "typedef struct err *visit(void);\n"),
    ("daylight saving", "base/a.c", "int a = tm.tm_isdst;\n"),
    ("the verb of HTTP", "executor/a.c", 'const char *a = "DELETE";\n'),
]
ALONE = [
    ("a header that leans on another", "base/a.h", "size_t a;\n", "base/a.h"),
    ("a header that stands alone", "base/a.h", "#include <stddef.h>\nextern size_t a;\n", ""),
]
EXPORTS = [
    ("a foreign export", "a.c", "int b_f(void);\nint b_f(void) { return 1; }\n", "exports b_f"),
    ("a foreign object", "a.c", "int ab;\n", "exports ab"),
    ("its own", "a.c", "int a, a_g;\nstatic int b;\nint a_f(void);\nint a_f(void) { return b; }\n", ""),
    ("a part of what is no module", "roof_b.c", "int roof_f;\n", "exports roof_f"),
    ("a part of a module", "floor_b.c", "int floor_f;\n", ""),
    ("a part of a module without a public header", "hidden_b.c", "int hidden_f;\n", ""),
]


def with_tree(path, text, check):
    with tempfile.TemporaryDirectory() as folder:
        for name, content in {**CLEAN, path: text}.items():
            file = Path(folder) / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        return check(Path(folder))


def export_findings(name, text):
    def check(root):
        source, member, library = root / "base" / name, root / f"{name}.o", root / "libbase.a"
        source.write_text(text)
        subprocess.run(["cc", "-c", source, "-o", member], check=True)
        subprocess.run(["ar", "rc", library, member], check=True)
        return list(house.exports(root, [library]))
    return with_tree("base/hidden_private.h", "", check)


def main():
    failures = []

    def expect(what, ok, findings):
        if not ok:
            failures.append(f"{what}: {findings or 'nothing found'}")

    def tree(path, text):
        return with_tree(path, text, lambda root: list(house.tree(root)))

    expect("a clean tree", tree("README", "") == [], "findings")
    for what, path, text, line, words in FAULTS:
        findings = tree(path, text)
        expect(what, len(findings) == 1 and findings[0].startswith(f"{path}:{line}: ")
               and words in findings[0], findings)
    for what, path, text in WITHIN:
        findings = tree(path, text)
        expect(what, findings == [], findings)
    for what, path, text, found in ALONE:
        findings = with_tree(path, text, lambda root: list(house.headers(root, [])))
        expect(what, bool(findings) == bool(found) and (not found or found in findings[0]), findings)
    for what, name, text, found in EXPORTS:
        findings = export_findings(name, text)
        expect(what, bool(findings) == bool(found) and (not found or found in findings[0]), findings)

    for failure in failures:
        print(failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
