#!/usr/bin/env python3
"""frostline diff: two saved plans, and the policy of a git revision against the work tree's."""
import html
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from scene import Run, main

AS_OF = ("--as-of", "2025-06-01T00:00:00Z")
LATER = ("--as-of", "2025-06-11T00:00:00Z")
HEAD = """version: 1
catalog:
  type: sqlite
  path: ROOT/catalog.db
  table: ecal
  id: ecal_id
  location: ecal_name
  time: {column: recording_start_time, timezone: UTC}
  size: {column: bytes, unit: B}
stores:
  hot: {type: local, path: ROOT/hot}
  cold: {type: local, path: ROOT/cold}
policies:
  - name: age-out
    from: hot
    target: cold
    select: {older_than: 90d}
"""
HOLD = """holds:
  - {name: legal, reason: "ask @counsel", select: {ids: [OLD_2]}}
"""


class Box:
    """A repository with a policy; a catalog and two folders beside it.  OLD_1 to OLD_3 are 107 days
    old, YOUNG_1 to YOUNG_3 are 85: each in a directory of its own."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="frostline-e2e.")
        self.repository = self.path("repository")
        for name in ("hot", "cold", "repository"):
            os.mkdir(self.path(name))
        self.execute("CREATE TABLE ecal (ecal_id TEXT PRIMARY KEY, ecal_name TEXT, "
                     "recording_start_time TIMESTAMP, bytes INTEGER, map TEXT)")
        for i in (1, 2, 3):
            self.add(f"OLD_{i}", f"old/run_{i}/", "2025-02-14")
            self.add(f"YOUNG_{i}", f"young/run_{i}/", "2025-03-08")
        self.git("init", "-q")
        self.commit(HEAD)

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def execute(self, statement, *values):
        with sqlite3.connect(self.path("catalog.db")) as connection:
            connection.execute(statement, values)

    def add(self, ident, directory, day, size=1000, label="a"):
        path = self.path(f"hot/{directory}{ident}.bin")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(bytes(size))
        location = "file://" + urllib.parse.quote(path, safe=" /|`<>@&*[]();")
        self.execute("INSERT INTO ecal VALUES (?, ?, ?, ?, ?)", ident, location,
                     f"{day} 00:00:00", size, label)

    def git(self, *words):
        name = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.org")
        return subprocess.run(["git", "-C", self.repository, *name, *words], check=True,
                              capture_output=True, text=True).stdout

    def write(self, text, name="frostline.yaml"):
        path = os.path.join(self.repository, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text.replace("ROOT", self.folder))

    def commit(self, text, name="frostline.yaml"):
        self.write(text, name)
        self.git("add", "-A")
        self.git("commit", "-qm", "Change it")

    def run(self, *words, cwd=None, **environment):
        environment = dict(os.environ, FROSTLINE_STATE_DIR=self.path("state"), **environment)
        return Run(subprocess.run([os.environ["FROSTLINE"], *words], env=environment,
                                  cwd=cwd or self.repository, capture_output=True, text=True,
                                  stdin=subprocess.DEVNULL, timeout=120))

    def plan(self, name, *words):
        self.run("plan", "-q", "--out", self.path(name), *words).must()
        return self.path(name)

    def json(self, *words):
        return json.loads(self.run("diff", "--format", "json", *words).must().out)


def rows(out):
    """The rows of a diff for people: sign and directory."""
    return re.findall(r"^  ([-+~]) hot:(\S+)", out, re.M)


def case_two_saved_plans():
    with Box() as box:
        old, new = box.plan("old.plan", *AS_OF), box.plan("new.plan", *LATER)
        run = box.run("diff", old, new).must()
        assert rows(run.out) == [("+", f"young/run_{i}/") for i in (1, 2, 3)], run.out
        assert "age-out -> cold, 1 recording, 1.00 kB, 1 object   selected since then: " \
            "older_than 90d: 95d\n" in run.out, run.out
        assert run.out.endswith("Diff: 3 directories (3 recordings, 3.00 kB) added. To move: "
                                "3 recordings (3.00 kB) -> 6 recordings (6.00 kB).\n"), run.out
        box.run("diff", old, new, "--detailed-exitcode").must(2)
        assert box.run("diff", old, new, "--detailed-exitcode", "-q").must(2).out == ""
        back = box.run("diff", new, old).must()
        assert rows(back.out) == [("-", f"young/run_{i}/") for i in (1, 2, 3)], back.out
        same = box.run("diff", old, old, "--detailed-exitcode").must()
        assert same.out.endswith("\n\nNo differences.\n"), same.out


def case_what_was_done_is_told_with_its_run():
    with Box() as box:
        old = box.plan("old.plan")
        box.run("apply", old, "--auto-approve").must()
        box.add("NEW", "old/run_4/", "2025-02-14")
        run = box.run("diff", old, box.plan("new.plan")).must()
        assert rows(run.out)[3] == ("+", "old/run_4/"), run.out
        assert run.out.count("   done by run 1\n") == 6, run.out
        other = box.run("diff", old, box.path("new.plan"), "--state", box.path("another")).must()
        assert "run 1" not in other.out.replace("run_1", ""), other.out
        assert other.out.count("planned: done, or not selected any more\n") == 6, other.out
        found = box.json(old, box.path("new.plan"))["differences"]
        assert [d["done_by_run"] for d in found if d["change"] == "dropped"] == 6 * [1], found


def case_recordings_that_come_and_go_are_named():
    with Box() as box:
        old = box.plan("old.plan", *AS_OF)
        box.add("MORE", "old/run_1/", "2025-02-13", size=500)
        box.execute("DELETE FROM ecal WHERE ecal_id = 'OLD_1'")
        new = box.plan("new.plan", *AS_OF)
        run = box.run("diff", old, new).must()
        assert "  ~ hot:old/run_1/   1 -> 2 objects, 1.00 kB -> 1.50 kB, +1 recording, " \
            "-1 recording\n      + MORE   older_than 90d: 108d\n      - OLD_1\n" in run.out, run.out
        (found,) = box.json(old, new)["differences"]
        assert [row["id"] for row in found["gained"]] == ["MORE"], found
        assert [row["id"] for row in found["lost"]] == ["OLD_1"], found
        assert found["differs"] == ["objects", "bytes", "manifest", "recordings"], found


def case_an_edit_is_compared_with_its_base():
    with Box() as box:
        box.run("diff", "--base", "HEAD", "--detailed-exitcode", *AS_OF).must()
        box.write(HEAD.replace("90d", "80d") + HOLD)
        status = box.git("status", "--porcelain")
        run = box.run("diff", "--base", "HEAD", "--detailed-exitcode", *AS_OF).must(2)
        young = [("+", f"young/run_{i}/") for i in (1, 2, 3)]
        assert rows(run.out) == [("~", "old/run_2/"), *young], run.out
        assert "blocked   now held: OLD_2 is held by legal (ask @counsel)\n" in run.out, run.out
        assert run.out.count("   policy edited: older_than 80d: 85d\n") == 3, run.out
        assert run.out.endswith("To move: 3 recordings (3.00 kB) -> 5 recordings (5.00 kB).\n")
        assert box.git("status", "--porcelain") == status
        assert os.listdir(box.path("state/plans")) == []

        told = box.json("--base", "HEAD", *AS_OF)
        assert told["old"]["as_of"] == told["new"]["as_of"] and told["edited"], told
        assert told["old"]["policy"] != told["new"]["policy"], told
        assert (told["old"]["name"], told["new"]["name"]) == ("HEAD", "the work tree"), told
        found = told["differences"]
        assert [(d["change"], d["cause"]) for d in found] == [("changed", "blocked"),
                                                             *3 * [("added", "edited")]], found
        assert found[0]["before"]["action"] == "move", found[0]
        assert found[0]["after"]["reason"] == "hold", found[0]
        assert told["summary"]["added"] == {"directories": 3, "recordings": 3, "bytes": 3000}, told
        assert told["summary"]["policies"][0]["policy"] == "age-out", told
        assert told["summary"]["policies"][0]["changed"]["directories"] == 1, told


def case_what_blocks_is_told():
    with Box() as box:
        box.add("WITH", "old/run_1/", "2025-05-01")
        box.add("BELOW", "old/run_2/x/", "2025-05-01")
        old = box.plan("old.plan", *AS_OF)
        box.execute("DELETE FROM ecal WHERE ecal_id = 'BELOW'")
        box.add("MORE", "old/run_1/", "2025-05-01")
        box.add("WITH_2", "old/run_2/", "2025-05-01")
        shutil.rmtree(box.path("hot/old/run_3"))
        out = box.run("diff", old, box.plan("new.plan", *AS_OF)).must().out
        shared = "now blocked: shared-directory: "
        for line in (
                f"run_1/   still blocked, 2.00 kB -> 3.00 kB, 2 -> 3 recordings   {shared}MORE is "
                "not selected, and 1 more",
                f"run_2/   still blocked, 1.00 kB -> 2.00 kB, 1 -> 2 recordings   {shared}WITH_2 is"
                " not selected, no longer blocked: nested-directory: BELOW lies below it, in old/run_2/x/",
                "run_3/   age-out -> cold, 1 recording, 1.00 kB, blocked   now blocked: "
                "source-missing: there is no object below it"):
            assert f"  ~ hot:old/{line}\n" in out, (line, out)


def case_a_comment_that_is_no_difference():
    with Box() as box:
        box.write("# about this policy\n" + HEAD)
        run = box.run("diff", "--base", "HEAD", "--detailed-exitcode", *AS_OF).must()
        assert run.out.endswith("No differences: the policy was edited, and plans the same.\n")


def case_a_table_for_a_pull_request():
    with Box() as box:
        name = "x|y`z`<b>@team/#1 www.e.org &amp; _a_ **c** [d](e) 100%/"
        box.add("ODD", name, "2025-03-08")
        box.write(HEAD.replace("90d", "80d") + HOLD)
        out = box.run("diff", "--base", "HEAD", "--format", "markdown", *AS_OF).must().out
        lines = out.split("\n")
        assert lines[0] == "<!-- frostline diff -->", out
        assert lines[1].startswith("**Diff: 4 directories (4 recordings, 4.00 kB) added, 1 "), out
        table = [line for line in lines if line.startswith(("| + |", "| ~ |"))]
        assert len(table) == 5, out
        for line in table:
            assert line.count("|") == 5, line
            text = re.sub("</?code>", "", line)
            assert not re.search(r"[`<@*_[]|www\.", text), line
            for code in re.findall("<code>(.*?)</code>", line):
                assert re.fullmatch(r"([\w /,-]|&#\d+;)*", code), code
        odd = next(line for line in table if "team" in line)
        shown = html.unescape(re.search("<code>(.*?)</code>", odd).group(1))
        assert shown == f"hot:{name}", shown


def case_the_middle_is_cut():
    with Box() as box:
        for i in range(200):
            box.add(f"MORE_{i:03}", f"young/{i:03}/", "2025-03-08", size=1)
        old, new = box.plan("old.plan", *AS_OF), box.plan("new.plan", *LATER)
        for form in ("human", "markdown"):
            def diff(*words):
                return box.run("diff", old, new, "--format", form, *words).must().out.encode()
            whole = diff()
            assert diff("--max-bytes", str(len(whole) + 80)) == whole
            sign = b"| + |" if form == "markdown" else b"  + "
            for most in (1200, 3000, 10000):
                out = diff("--max-bytes", str(most))
                assert most - 400 < len(out) <= most, (form, most, len(out))
                assert b"Diff: 203 directories (203 recordings, 3.20 kB) added." in out, out
                cut = int(re.search(rb"\.\. (\d+) rows cut", out).group(1))
                assert cut + out.count(b"\n" + sign) == 203, out
                before, after = re.split(rb".*rows cut.*\n", out)
                assert whole.startswith(before) and whole.endswith(after), out
            least = diff("--max-bytes", "1")
            assert b"Diff: 203 directories" in least and b".. 203 rows cut" in least, least


def case_all_files_of_the_policy_are_of_the_revision():
    with Box() as box:
        box.write("OLD_1\nOLD_2\n", "teams/lists/ids.txt")
        box.write("policies:\n  - {name: listed, target: cold, select: "
                  "{ids_file: lists/ids.txt}}\n", "teams/rules.yaml")
        root = HEAD.split("policies:")[0].replace("ROOT/catalog.db", "'${file:where}'")
        box.commit("include: [teams/rules.yaml]\n" + root)
        with open(os.path.join(box.repository, "where"), "w") as file:
            file.write(box.path("catalog.db") + "\n")  # as a secret, it is in no revision
        box.write("OLD_2\nOLD_3\n", "teams/lists/ids.txt")
        for words, cwd in (([], box.repository), (["repository"], box.folder),
                           ([box.repository], "/"),
                           (["../frostline.yaml"], f"{box.repository}/teams")):
            run = box.run("diff", "--base", "HEAD", *words, *AS_OF, cwd=cwd).must()
            assert rows(run.out) == [("-", "old/run_1/"), ("+", "old/run_3/")], run.out
        shutil.rmtree(os.path.join(box.repository, "teams"))
        box.write(HEAD)
        run = box.run("diff", "--base", "HEAD", *AS_OF).must()
        assert rows(run.out) == [("~", "old/run_1/"), ("~", "old/run_2/"), ("+", "old/run_3/")]
        assert "policy listed -> age-out   policy edited (frostline.yaml:14:5)\n" in run.out


def case_a_symbolic_link_leads_to_the_revision():
    with Box() as box:
        link = box.path("link")
        os.symlink(box.repository, link)
        box.write("OLD_1\nOLD_2\n", "lists/ids.txt")
        box.write(f"policies:\n  - {{name: listed, target: cold, select: "
                  f"{{ids_file: {link}/lists/ids.txt}}}}\n", "teams/rules.yaml")
        root = HEAD.split("policies:")[0]
        box.commit(f"include: ['{link}/teams/rules.yaml']\n" + root)
        box.write("OLD_2\nOLD_3\n", "lists/ids.txt")
        for words in ([], [f"{link}/frostline.yaml"]):
            run = box.run("diff", "--base", "HEAD", *words, *AS_OF).must()
            assert rows(run.out) == [("-", "old/run_1/"), ("+", "old/run_3/")], run.out
        for name in ("lists", "teams"):
            shutil.rmtree(os.path.join(box.repository, name))
        box.write(HEAD)
        run = box.run("diff", "--base", "HEAD", *AS_OF).must()
        assert rows(run.out) == [("~", "old/run_1/"), ("~", "old/run_2/"), ("+", "old/run_3/")]


def case_a_hook_may_ask():
    with Box() as box:
        box.commit(HEAD, "teams/frostline.yaml")
        box.write(HEAD.replace("90d", "80d"), "teams/frostline.yaml")
        for place in ({"GIT_DIR": ".git", "GIT_INDEX_FILE": ".git/index"},
                      {"GIT_DIR": ".git", "GIT_WORK_TREE": "."}):
            run = box.run("diff", "--base", "HEAD", "teams", *AS_OF, **place).must()
            assert len(rows(run.out)) == 3, run.out


def case_moves_become_retiers():
    with Box() as box:
        account = "{type: azure, connection_string: '${KEY}', container: "
        stores = (f"stores:\n  hot: {account}rec, tier: hot}}\n  cool: {account}rec, tier: cool}}\n"
                  f"  far: {account}far}}\n")
        head = HEAD[:HEAD.index("stores:")] + stores + HEAD[HEAD.index("policies:"):]
        box.execute("UPDATE ecal SET ecal_name = 'https://acc.blob.core.windows.net/rec/' || "
                    "substr(ecal_name, ?)", len("file://" + box.path("hot/")) + 1)
        box.commit(head.replace("target: cold", "target: far"))
        box.write(head.replace("target: cold", "target: cool"))
        key = {"KEY": "DefaultEndpointsProtocol=https;AccountName=acc;AccountKey=c2VjcmV0;"
                      "EndpointSuffix=core.windows.net"}
        run = box.run("diff", "--base", "HEAD", *AS_OF, **key).must()
        assert run.out.count("   age-out -> cool, 1 recording, 1.00 kB, retier, ") == 3, run.out
        assert run.out.endswith(
            " To move: 3 recordings (3.00 kB) -> 0 recordings (0 B). To retier: 0 recordings (0 B)"
            " -> 3 recordings (3.00 kB).\n"), run.out
        run = box.run("diff", "--base", "HEAD", "--format", "json", *AS_OF, **key).must()
        sides = [json.loads(run.out)[side] for side in ("old", "new")]
        assert [side["retier_recordings"] for side in sides] == [0, 3], sides
        assert [side["retier_bytes"] for side in sides] == [0, 3000], sides


def case_one_catalog_serves_both():
    with Box() as box:
        box.write(HEAD.replace("stores:", "  fields: {map: map}\nstores:", 1).replace(
            "select: {older_than: 90d}", "select: {all: [{older_than: 90d}, {map: a}]}"))
        box.run("diff", "--base", "HEAD", "--detailed-exitcode", *AS_OF).must()
        box.execute("UPDATE ecal SET map = 'b' WHERE ecal_id = 'OLD_3'")
        run = box.run("diff", "--base", "HEAD", *AS_OF).must()
        assert rows(run.out) == [("-", "old/run_3/")], run.out
        box.commit(open(os.path.join(box.repository, "frostline.yaml")).read())
        box.write(HEAD)
        run = box.run("diff", "--base", "HEAD", *AS_OF).must()
        assert rows(run.out) == [("+", "old/run_3/")], run.out
        box.write(HEAD.replace("timezone: UTC", "timezone: Europe/Berlin"))
        run = box.run("diff", "--base", "HEAD", *AS_OF).must(65)
        assert "`catalog` is another one in HEAD" in run.err, run.err
        assert "frostline plan --out" in run.err, run.err
        old = box.plan("old.plan", *AS_OF)
        box.write(HEAD.replace("ROOT/catalog.db", "ROOT/copy.db"))
        shutil.copy(box.path("catalog.db"), box.path("copy.db"))
        box.run("diff", "--base", "HEAD", *AS_OF).must(65)
        run = box.run("diff", old, box.plan("new.plan", *AS_OF)).must(65)
        assert "the plans are of two catalogs" in run.err, run.err


def case_a_survey_is_made_where_it_is_wanted():
    with Box() as box:
        box.write(HEAD.replace("90d", "80d"))
        shutil.rmtree(box.path("hot/young/run_1"))
        assert len(rows(box.run("diff", "--base", "HEAD", *AS_OF).must().out)) == 3
        run = box.run("diff", "--base", "HEAD", "--survey", "full", *AS_OF).must()
        assert "1 object   policy edited" in run.out, run.out
        assert "policy edited: blocked: source-missing: " in run.out, run.out


def case_what_can_not_be_compared():
    with Box() as box:
        good = box.plan("good.plan", *AS_OF)
        with open(good) as file:
            whole = file.read()
        with open(box.path("damaged.plan"), "w") as file:
            file.write(whole.replace('"bytes":1000', '"bytes":1001', 1))
        os.mkdir(box.path("colder"))
        box.write(HEAD.replace("ROOT/cold", "ROOT/colder"))
        other = box.plan("other.plan", *AS_OF)
        box.write(HEAD)
        for words, code, says in (
                ((), 64, "two saved plans"),
                ((good,), 64, "two saved plans"),
                ((good, good, good), 64, "one argument too many"),
                ((good, good, *AS_OF), 64, "for --base"),
                ((good, good, "--survey", "full"), 64, "for --base"),
                ((good, good, "--max-bytes", "0"), 64, "--max-bytes"),
                ((good, good, "--max-bytes", "9", "--format", "json"), 64, "--max-bytes"),
                ((good, good, "--format", "github"), 64, "--format github"),
                (("--base", "-x"), 64, "wants a revision"),
                (("--base", "HEAD", "a.yaml", "b.yaml"), 64, "--base"),
                ((good, box.path("no.plan")), 65, "no.plan: opening it"),
                ((good, "frostline.yaml"), 65, "no plan of frostline"),
                ((box.path("damaged.plan"), good), 65, "digest"),
                ((good, other), 65, "the store cold is"),
                ((good, other, "--format", "json"), 65, "the store cold is"),
                (("--base", "nosuch"), 65, "git knows no revision nosuch"),
                (("--base", "HEAD", "new.yaml"), 65, "HEAD:new.yaml: git: path 'new.yaml' exists"),
                (("--base", "HEAD", "../outside.yaml"), 65, "not a git repository")):
            box.write(HEAD, "new.yaml")
            box.write(HEAD, "../outside.yaml")
            run = box.run("diff", *words).must(code)
            assert says in run.err and run.out == "", (words, run.err)
        run = box.run("diff", "--base", "HEAD", *AS_OF, PATH="/nowhere").must(65)
        assert "git can't be run: No such file or directory" in run.err, run.err
        box.commit(HEAD.replace("older_than", "older_then"))
        box.write(HEAD)
        run = box.run("diff", "--base", "HEAD", *AS_OF).must(65)
        assert "--> HEAD:frostline.yaml:" in run.err and "[FL0102]" in run.err, run.err
        box.commit(HEAD.replace("policies:", "include: [gone.yaml]\npolicies:"))
        box.write(HEAD)
        run = box.run("diff", "--base", "HEAD", *AS_OF).must(65)
        assert "gone.yaml' does not exist in" in run.err, run.err


def case_a_plan_tells_whether_there_is_something_to_do():
    with Box() as box:
        box.run("plan", "--detailed-exitcode", *AS_OF).must(2)
        box.run("plan", "--detailed-exitcode", "-q", *AS_OF).must(2)
        box.run("plan", *AS_OF).must(0)
        box.run("plan", "--detailed-exitcode", "--as-of", "2025-03-01T00:00:00Z").must(0)


if __name__ == "__main__":
    main(globals(), servers=False)
