#!/usr/bin/env python3
"""frostline test, as a person, a TAP reader and a CI system see it."""
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from scene import Run, main

POLICY = """version: 1
catalog:
  type: sqlite
  path: catalog.db
  table: ecal
  id: ecal_id
  location: ecal_name
  time: {column: recording_start_time, timezone: UTC}
stores:
  hot: {type: local, path: /srv/hot}
  cold: {type: local, path: /srv/cold}
policies:
  - {name: age-out, target: cold, select: {older_than: 90d}}
"""
GOOD = """
  - name: "old ones move #1"
    as_of: 2025-06-01T00:00:00Z
    recordings: [{id: A, time: 2025-01-01T00:00:00Z, location: "hot:a/x"}]
    expect: {move: [{id: A, policy: age-out, to: cold}]}
"""
BAD = """
  - name: new ones <move> & "fail"
    as_of: 2025-06-01T00:00:00Z
    recordings: [{id: A, time: 2025-05-01T00:00:00Z, location: "hot:a/x"}]
    expect: {move: [{id: A}]}
"""


def test(tests, *words):
    with tempfile.TemporaryDirectory(prefix="frostline-e2e.") as folder:
        with open(os.path.join(folder, "frostline.yaml"), "w") as file:
            file.write(POLICY + tests)
        return Run(subprocess.run([os.environ["FROSTLINE"], "test", *words], cwd=folder,
                                  capture_output=True, text=True))


def case_all_pass():
    run = test("tests:" + GOOD).must()
    assert run.out == "ok      old ones move #1\nfrostline.yaml: 1 test, 0 failed\n", run.out
    assert test("tests:" + GOOD, "-q").must().out == ""


def case_one_fails():
    run = test("tests:" + GOOD + BAD, "-q").must(1)
    lines = run.out.splitlines()
    assert lines[0] == 'FAILED  new ones <move> & "fail"', run.out
    assert "A should move, and stays: not selected: age-out (older_than 90d: 31d)" in lines[1]
    assert lines[2:] == ["frostline.yaml: 2 tests, 1 failed"], run.out


def case_tap():
    lines = test("tests:" + GOOD + BAD, "--format", "tap").must(1).out.splitlines()
    assert lines[:4] == ["TAP version 14", "1..2", "ok 1 - old ones move \\#1",
                         'not ok 2 - new ones <move> & "fail"'], lines
    assert lines[4] == "  ---" and lines[-1] == "  ...", lines
    assert any("A should move" in line for line in lines), lines


def case_junit():
    suite = xml.fromstring(test("tests:" + GOOD + BAD, "--format", "junit").must(1).out)
    assert (suite.tag, suite.get("tests"), suite.get("failures")) == ("testsuite", "2", "1")
    good, bad = suite.findall("testcase")
    assert good.find("failure") is None
    assert bad.get("name") == 'new ones <move> & "fail"'
    assert "A should move" in bad.find("failure").text


def case_no_tests_is_a_failure():
    assert "has no tests" in test("").must(1).err


def case_a_malformed_policy_never_passes():
    run = test("tests:" + GOOD.replace("older", "old").replace("id: A, policy", "idd: A, policy"))
    assert "FL0102" in run.must(65).err and run.out == "", (run.out, run.err)
    run = test("tests:" + GOOD.replace("policy: age-out", "policy: age"))
    assert "FL0702" in run.must(65).err, run.err


def case_json_is_no_format_of_tests():
    assert "does not know --format json" in test("tests:" + GOOD, "--format", "json").must(64).err


if __name__ == "__main__":
    main(globals(), servers=False)
