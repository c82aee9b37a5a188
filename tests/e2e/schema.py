#!/usr/bin/env python3
"""`frostline schema policy`: what the program takes passes, and what is wrong in a way that a JSON
Schema can tell does not.  The reading of YAML and the checking are Debian's, not ours."""
import ast
import copy
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from scene import Run, main

try:
    import yaml
    from jsonschema import Draft7Validator
except ImportError as missing:
    print("skipped:", missing)
    sys.exit(77)

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
EXAMPLES = os.path.join(ROOT, "examples")
MODELINE = "# yaml-language-server: $schema="

# Examples of findings that the schema passes, by what it would have to know.
SEMANTIC_ONLY = {
    "how the file is written": """
        0103-key 0103-one-line 0105-alias 0106-tag 0107-directive 0108-escape""",
    "names that are declared elsewhere; a selector that is none may be a field": """
        0102-selector 0210-var 0210-var-value 0301-store 0311-field""",
    "the environment, time zones, other files": """
        0212-environment 0215-zone 0218-file 0219-credential 0305-connection-string 0505-ids-file
        0506-ids-line""",
    "the catalog's columns": """
        0312-time 0313-type 0314-naive 0317-size 0319-table 0320-columns 0321-key 0323-index
        0324-set 0324-values 0508-literals 0509-order""",
    "who answers": """
        0318-refused 0322-stores""",
    "texts whose form no type of the table stands for": """
        0306-secrets 0306-url 0307-container 0308-path 0309-url 0310-names
        0310-references 0315-url
        0220-instants 0513-slash""",
    "one part against another": """
        0302-places 0302-tiers 0304-kinds 0315-both 0502-everything 0507-dates 0510-names
        0702-policies 0703-stores 0514-window""",
    "warnings": """
        0601-conflict 0602-beaten 0603-source 0603-two-stores 0604-defaults 0604-grace
        0605-contradiction 0606-two-stores 0606-undone 0607-over 0608-var 0609-circle""",
    "limits, and single values of a type": """
        0303-archive 0316-references 0316-stores 0503-false 0504-nesting""",
}

# Something of every type, and what else may be put in its place.
POLICY = {
    "version": 1, "vars": {"age": "90d"},
    "catalog": {"type": "sqlite", "path": "/srv/${file:word}.db", "table": "recordings", "id": "id",
                "location": "url", "unit": "directory", "fields": {"map": "map"},
                "time": {"column": "recorded", "timezone": "UTC"},
                "size": {"column": "bytes", "unit": "B"},
                "references": [{"table": "training_set", "column": "url"}]},
    "stores": {"hot": {"type": "local", "path": "/srv/hot", "urls": ["https://host/${credential:word}"]},
               "cold": {"type": "local", "path": "/srv/cold", "set": {"class": "cold"}}},
    "holds": [{"name": "inquiry", "until": "2099-01-01", "select": {"ids": ["a"]}}],
    "policies": [{
        "name": "age-out", "description": "old ones", "enabled": True, "target": "cold",
        "priority": 5, "order_by": "oldest", "cleanup": {"after": "7d"},
        "select": {"older_than": "90d", "dates": {"from": "2025-02-01"}, "size": {"gte": "1kB"},
                   "any": [{"map": "x"}, {"map": {"ne": 1, "in": [1], "null": False}}],
                   "not": {"store": "cold"}},
        "guards": {"max_recordings": 5, "max_percent": "5%"}}],
    "tests": [{"name": "old", "as_of": "2025-06-01T00:00:00Z",
               "recordings": [{"id": "a", "location": "hot:a/b", "map": "x"}],
               "expect": {"stay": [{"id": "a", "because": "undecided"}]}}]}
VALUES = [
    "", "x y", "a.b_c-1", "-x", "x" * 65, "true", "5", "90d", "6mo", "1 fortnight", "1.5GB", "1.5B",
    "99.9999%", "100.0%", "101%", "2025-02-14", "2025-13-01", "2025-02-14T09:30:00+01:00",
    "2025-02-14T09:30:00", True, -1, 5000000000, 1.5, [],
    {"x": "y"}, "$age", "a${SET}b", "${UNSET:-}", "${SET", "a$b",
    "a${file:word}b", "${file:none:-a}", "${credential:word}", "${credential:none:-a}", "${file:}",
    "${file::-a}", "${credential:${SET}}"]
# The codes of what a type of the table stands for.
TOLD_BY_TYPE = {f"FL{code:04}" for code in (
    102, 111, 112, 201, 202, 203, 204, 205, 206, 207, 208, 209, 213, 214, 220, 501)}


class Loader(yaml.SafeLoader):
    """Plain scalars as YAML 1.2's core schema has them: `yes` and dates are strings.  Keys are
    texts, as they are for the program and for JSON."""

    yaml_implicit_resolvers = {}

    def construct_mapping(self, node, deep=False):
        if not all(isinstance(key, yaml.ScalarNode) for key, _ in node.value):
            raise yaml.YAMLError("a key that is no scalar")
        return {key.value: self.construct_object(value, deep=True) for key, value in node.value}


for name, form, value_of in (
        ("null", r"|~|null|Null|NULL", lambda text: None),
        ("bool", r"true|True|TRUE|false|False|FALSE", lambda text: text.lower() == "true"),
        ("int", r"[-+]?[0-9]+", int),
        ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", float)):
    tag = f"tag:yaml.org,2002:{name}"
    Loader.add_implicit_resolver(tag, re.compile(f"^({form})$"), None)
    Loader.add_constructor(tag, lambda loader, node, value_of=value_of: value_of(node.value))


def frostline(*words, **options):
    return Run(subprocess.run([os.environ["FROSTLINE"], *words], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=120, **options))


SCHEMA = json.loads(frostline("schema", "policy").must().out)


def refusals(document, schema=SCHEMA):
    return "\n".join(f"{list(error.absolute_path)}: {error.message}"
                     for error in Draft7Validator(schema).iter_errors(document))


def passes(path):
    try:
        with open(path, "rb") as file:
            return not refusals(yaml.load(file, Loader))
    except yaml.YAMLError:
        return False


def must_pass(text, schema=SCHEMA):
    found = refusals(yaml.load(text, Loader), schema)
    assert found == "", found


def case_they_are_schemas_and_the_shipped_ones():
    for name in ("policy", "tests"):
        said = frostline("schema", name).must().out
        Draft7Validator.check_schema(json.loads(said))
        with open(os.path.join(EXAMPLES, f"{name}.schema.json")) as file:
            assert said == file.read()


def case_another_argument_is_told():
    for words in ((), ("plan",)):
        run = frostline("schema", *words).must(64)
        assert "hint: frostline schema policy" in run.err and run.out == "", run.err


def case_the_examples_pass_and_name_it():
    examples = glob.glob(os.path.join(EXAMPLES, "**", "*.yaml"), recursive=True)
    assert len(examples) >= 4
    for path in examples:
        name = "tests" if path.endswith(".test.yaml") else "policy"
        shipped = os.path.join(EXAMPLES, f"{name}.schema.json")
        with open(path) as file:
            first = file.readline().strip()
        assert first.startswith(MODELINE), path
        assert os.path.samefile(os.path.join(os.path.dirname(path), first[len(MODELINE):]), shipped)
        with open(path) as file, open(shipped) as schema:
            must_pass(file, json.load(schema))


def case_the_examples_are_valid_and_their_tests_pass():
    variables = {name: "x" for name in ("DB_HOST", "DB_NAME", "DB_USER", "DB_PASSWORD")}
    for name, account in (("SOURCE_AZURE", "hot"), ("COLD_STORAGE", "cold")):
        variables[f"{name}_CONNECTION_STRING"] = f"AccountName={account};AccountKey=c2VjcmV0"
    tested = 0
    for path in glob.glob(os.path.join(EXAMPLES, "*", "recordings.yaml")):
        frostline("validate", "--strict", path, env=variables).must()
        run = frostline("test", path, env={})
        tested += run.code == 0
        assert run.code == 0 or "there are no tests" in run.err, run.out + run.err
    assert tested >= 2


def case_the_policy_of_the_demo_passes_and_names_it():
    folder = tempfile.mkdtemp(prefix="frostline-e2e.")
    try:
        frostline("demo", "--keep", "box", cwd=folder).must()
        with open(os.path.join(folder, "box", "frostline.yaml")) as file:
            assert file.readline() == MODELINE + "policy.schema.json\n"
            must_pass(file)
        with open(os.path.join(folder, "box", "policy.schema.json")) as file:
            assert json.load(file) == SCHEMA
    finally:
        shutil.rmtree(folder)


def case_the_example_of_the_language_passes():
    with open(os.path.join(ROOT, "tests", "unit", "policy", "test_load.c")) as file:
        text = re.search(r'whole\[\] =\n((?: *"(?:\\.|[^"\\])*"\n?)+);', file.read()).group(1)
    must_pass(ast.literal_eval(f"({text})"))


def case_faults_that_a_schema_can_tell_are_told():
    examples = {os.path.basename(path)[:-len(".yaml")]: path for path in
                glob.glob(os.path.join(ROOT, "tests", "golden", "diag", "*.yaml"))}
    listed = [name for names in SEMANTIC_ONLY.values() for name in names.split()]
    passing = [name for name, path in examples.items() if passes(path)]
    assert len(examples) > 50 and len(listed) == len(set(listed))
    assert sorted(passing) == sorted(listed), sorted(set(passing) ^ set(listed))


def places(part, place=()):
    """Where there are scalars."""
    if isinstance(part, (dict, list)):
        for key, value in part.items() if isinstance(part, dict) else enumerate(part):
            yield from places(value, (*place, key))
    else:
        yield place


def written(part):
    """JSON, which is YAML; but a var stands without quotes."""
    return re.sub(r'"(\$\w+)"', r"\1", json.dumps(part))


def codes_of(policy, folder):
    with open(os.path.join(folder, "frostline.yaml"), "w") as file:
        file.write(written(policy))
    with open(os.path.join(folder, "word"), "w") as file:
        file.write("word\n")
    run = frostline("validate", "--format", "json", cwd=folder,
                    env={"SET": "set", "CREDENTIALS_DIRECTORY": folder})
    assert run.code in (0, 65), run.err
    return {found["code"] for found in json.loads(run.out)["diagnostics"]
            if found["severity"] == "error"}


def is_told(where, value):
    """But a unit is any text, a name any number, and a var may stand for whatever is wanted."""
    return where[-2:] != ("size", "unit") and (where[-1], value) != ("name", -1) and value != "$age"


def judge(policy, where, value, folder):
    """The program and the schema judge the policy with that value there."""
    policy = copy.deepcopy(policy)
    part = policy
    for key in where[:-1]:
        part = part[key]
    part[where[-1]] = value
    codes, found = codes_of(policy, folder), refusals(policy)
    if not codes:
        assert not found, f"{where} may be {value!r}\n{found}"
    elif codes & TOLD_BY_TYPE and is_told(where, value):
        assert found, f"{where} can't be {value!r}: {codes}"


def case_values_are_judged_as_the_program_does():
    folder = tempfile.mkdtemp(prefix="frostline-e2e.")
    try:
        assert codes_of(POLICY, folder) == set()
        for where in places(POLICY):
            for value in VALUES:
                judge(POLICY, where, value, folder)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(globals(), servers=False)
