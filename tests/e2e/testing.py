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


def test_files(files, *words):
    """frostline test in a folder with these files, and an environment without any variables."""
    with tempfile.TemporaryDirectory(prefix="frostline-e2e.") as folder:
        for name, text in files.items():
            os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
            with open(os.path.join(folder, name), "w") as file:
                file.write(text)
        return Run(subprocess.run([os.environ["FROSTLINE"], "test", *words], cwd=folder, env={},
                                  capture_output=True, text=True))


def test(tests, *words):
    return test_files({"frostline.yaml": POLICY + tests}, *words)


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
    root = xml.fromstring(test("tests:" + GOOD + BAD, "--format", "junit").must(1).out)
    assert root.tag == "testsuites" and len(root) == 1
    suite = root[0]
    assert (suite.tag, suite.get("tests"), suite.get("failures")) == ("testsuite", "2", "1")
    good, bad = suite.findall("testcase")
    assert good.find("failure") is None
    assert bad.get("name") == 'new ones <move> & "fail"'
    assert "A should move" in bad.find("failure").text


def case_no_tests_is_a_failure():
    assert "there are no tests" in test("").must(1).err


def case_a_malformed_policy_never_passes():
    run = test("tests:" + GOOD.replace("older", "old").replace("id: A, policy", "idd: A, policy"))
    assert "FL0102" in run.must(65).err and run.out == "", (run.out, run.err)
    run = test("tests:" + GOOD.replace("policy: age-out", "policy: age"))
    assert "FL0702" in run.must(65).err, run.err


def case_json_is_no_format_of_tests():
    assert "does not know --format json" in test("tests:" + GOOD, "--format", "json").must(64).err


def case_a_folder_has_its_policy_and_files_of_tests():
    files = {"frostline.yaml": POLICY + "tests:" + GOOD,
             "frostline.test.yaml": "tests:" + GOOD + GOOD,
             "other.yaml": "not a policy",
             "z.test.yaml": "version: 1\npolicy: sub/p.yaml\ntests:" + BAD,
             "sub/p.yaml": POLICY + "tests:" + BAD + BAD}
    summaries = ["frostline.yaml: 1 test, 0 failed", "frostline.test.yaml: 2 tests, 0 failed",
                 "z.test.yaml: 1 test, 1 failed"]
    said = [line for line in test_files(files).must(1).out.splitlines() if ": " in line[:24]]
    assert sorted(line for line in said if "failed" in line) == sorted(summaries), said
    lines = test_files(files, "--format", "tap").must(1).out.splitlines()
    assert lines[1] == "1..4" and any(line.startswith("not ok 4 - ") for line in lines), lines
    assert "2 failed" in test_files(files, "sub").must(1).err + test_files(files, "sub/p.yaml").out
    assert test_files(files, "frostline.yaml").must().out.count("ok  ") == 3
    assert test_files(files, "frostline.test.yaml").must().out.count("ok  ") == 2


def case_a_file_of_tests_runs_its_own_alone():
    files = {"a.yaml": POLICY + "include: [b.yaml]\ntests:" + BAD,
             "b.yaml": "version: 1\ntests:" + BAD, "a.test.yaml": "tests:" + GOOD}
    assert "a.test.yaml: 1 test, 0 failed" in test_files(files, "a.test.yaml").must().out
    assert "a.yaml: 2 tests, 2 failed" in test_files(files, "a.yaml").must(1).out


def case_files_of_tests_are_checked():
    files = {"a.yaml": POLICY, "a.test.yaml": "tests:" + GOOD.replace("as_of", "asof")}
    run = test_files(files).must(65)
    assert "a.test.yaml:3:5" in run.err and "FL0102" in run.err, run.err
    files = {"a.yaml": POLICY.replace("older_than", "oldr_than"), "a.test.yaml": "tests:" + GOOD}
    assert "a.yaml:13:" in test_files(files).must(65).err
    files = {"a.test.yaml": "policy: none.yaml\ntests:" + GOOD}
    assert "FL0115" in test_files(files).must(65).err
    files = {"a.test.yaml": "tests:" + GOOD + "policies: []\n"}
    assert "not a key of a file of tests" in test_files(files).must(65).err


def case_a_file_that_cannot_be_read_hides_no_other():
    files = {"a#.test.yaml": "policy: none.yaml\ntests:" + GOOD,
             'b&".yaml': POLICY, 'b&".test.yaml': "tests:" + GOOD + BAD}
    run = test_files(files).must(65)
    assert "FL0115" in run.err and 'b&".test.yaml: 2 tests, 1 failed\n' in run.out, run.out
    lines = test_files(files, "--format", "tap").must(65).out.splitlines()
    assert lines[1:4] == ["1..3", "not ok 1 - a\\#.test.yaml", "ok 2 - old ones move \\#1"], lines
    assert lines[4].startswith("not ok 3 - "), lines
    broken, ran = xml.fromstring(test_files(files, "--format", "junit").must(65).out)
    counts = [tuple(suite.get(key) for key in ("name", "tests", "failures", "errors"))
              for suite in (broken, ran)]
    assert counts == [("a#.test.yaml", "1", "0", "1"), ('b&".test.yaml', "2", "1", "0")], counts
    assert broken.find("testcase/error") is not None
    assert ran.find("testcase/failure").get("message").startswith('b&".test.yaml:'), counts


def case_a_file_of_tests_is_no_policy():
    with tempfile.TemporaryDirectory(prefix="frostline-e2e.") as folder:
        for name, text in (("a.yaml", POLICY), ("a.test.yaml", "tests:" + GOOD)):
            with open(os.path.join(folder, name), "w") as file:
                file.write(text)

        def run(*words):
            return Run(subprocess.run([os.environ["FROSTLINE"], *words], cwd=folder,
                                      env={"FROSTLINE_STATE_DIR": folder}, capture_output=True,
                                      text=True))

        for words in (["plan", "a.test.yaml"], ["apply", "a.test.yaml", "--auto-approve"]):
            told = run(*words).must(65).err
            assert "a.test.yaml is a file of tests" in told and "frostline test" in told, told
        run("validate", "a.test.yaml").must()


def case_nothing_is_left_behind():
    with tempfile.TemporaryDirectory(prefix="frostline-e2e.") as folder:
        policy, temporary = os.path.join(folder, "p.yaml"), os.path.join(folder, "tmp")
        with open(policy, "w") as file:
            file.write(POLICY + "tests:" + GOOD + BAD)

        def run():
            return Run(subprocess.run([os.environ["FROSTLINE"], "test", policy],
                                      env={"TMPDIR": temporary}, capture_output=True, text=True))

        assert "making a folder like " + temporary in run().err
        os.mkdir(temporary)
        run().must(1)
        assert os.listdir(temporary) == []


def case_no_secret_is_needed():
    policy = """version: 1
catalog:
  type: postgres
  connection: {host: "${DB_HOST}", port: "${DB_PORT}", password: "${file:secret}",
               user: "${credential:user}"}
  table: ecal
  id: ecal_id
  location: ecal_name
  time: {column: recording_start_time, timezone: UTC}
stores:
  hot: {type: azure, connection_string: "${HOT}", container: "${BOX}"}
  cold: {type: azure, connection_string: "AccountName=${NAME};AccountKey=${KEY}", container: cold}
policies:
  - {name: age-out, target: cold, select: {older_than: 90d}}
tests:""" + GOOD
    assert "1 test, 0 failed" in test_files({"frostline.yaml": policy}).must().out
    policy = policy.replace('host: "${DB_HOST}", port: "${DB_PORT}", password: "${file:secret}",',
                            'url: "${DB_URL}"').replace('user: "${credential:user}"}', "}")
    assert "1 test, 0 failed" in test_files({"frostline.yaml": policy}).must().out


if __name__ == "__main__":
    main(globals(), servers=False)
