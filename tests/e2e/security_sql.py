#!/usr/bin/env python3
"""What a policy and a catalog hold are names and values to the database, never statements; and what
only plans writes nothing."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from scene import Scene, main, sql
from stranger import Recorder

NAMES = ['a"; DROP TABLE {victim}; --', "a'; DROP TABLE {victim}; --", 'a" OR "1"="1', "a\\'b",
         "$1", "%s", "{{}}", "a;b", "a/*b", "--"]


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def case_names_that_are_statements():
    with Scene("names") as scene:
        scene.add("A", "recording/1/")
        scene.fill(1)
        rows = scene.locations()
        for number, pattern in enumerate(NAMES):
            name = pattern.format(victim=scene.table)
            table, columns = name[:50] + str(number), [name[:55] + kind for kind in "ilt"]
            ident, location, time = map(quoted, columns)
            sql(f"CREATE TABLE {quoted(table)} ({ident} TEXT PRIMARY KEY, {location} TEXT, {time} "
                f"TIMESTAMP); INSERT INTO {quoted(table)} SELECT ecal_id, ecal_name, "
                f"recording_start_time FROM {scene.table};")
            try:
                path = scene.policy(after="1h")
                with open(path) as file:
                    text = file.read()
                for old, new in ((f"table: public.{scene.table}", table), ("id: ecal_id", columns[0]),
                                 ("location: ecal_name", columns[1]),
                                 ("column: recording_start_time", columns[2])):
                    assert old in text, old
                    text = text.replace(old, old.split(":")[0] + ": '" + new.replace("'", "''") + "'")
                text = text.replace("  size: {column: size_gb, unit: GB}\n", "").replace(
                    "  fields: {map: map, valid: is_valid, length: length}", "")
                with open(path, "w") as file:
                    file.write(text)
                run = scene.run("plan", "-v", "-v").must()
                assert "2 recordings to move" in run.out, (name, run.out, run.err)
            finally:
                sql(f"DROP TABLE {quoted(table)};")
        assert scene.locations() == rows


def case_values_that_are_statements():
    with Scene("values") as scene:
        evil = [f"'; DROP TABLE {scene.table}; --", "' OR '1'='1", "'';--", "$1", "%", "_", "{a,b}"]
        for number, name in enumerate(evil):
            key = f"recording/{name.replace('/', '|')}{number}/x"
            scene.put(key, b"x")
            scene.rows[f"{name}{number}"] = key
            scene.add_row(f"{name}{number}", scene.location(key.replace("%", "%25")))
        scene.policy()
        run = scene.run("reconcile", "-v", "-v").must()
        assert f"Moved {len(evil)} recordings" in run.out, run.out
        assert scene.source.names(scene.hot) == []
        assert scene.held_by(scene.target, scene.cold) == scene.objects
        assert scene.locations() == {
            ident: scene.target.url(scene.cold, key.replace("%", "%25"))
            for ident, key in scene.rows.items()}


def case_what_only_plans_asks_to_read_and_no_more():
    with Scene("reads") as scene, Recorder(os.environ["DB_HOST"], os.environ["DB_PORT"]) as wire:
        scene.fill(2)
        scene.policy(after="1h")
        for words in (["validate", "--online"], ["plan", "--out", "p.plan"], ["explain", "ECAL_00000"],
                      ["diff", "p.plan", "p.plan"], ["status"]):
            wire.said = b""
            scene.run(*words, DB_PORT=wire.port).must()
            begins, reads = wire.said.count(b"BEGIN"), wire.said.count(
                b"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY\0")
            statements = [text for text in (b"INSERT", b"UPDATE ", b"DELETE ", b"TRUNCATE", b"CREATE",
                                            b"ALTER ", b"DROP ", b"COPY (") if text in wire.said]
            assert begins == reads and statements in ([], [b"COPY ("]), (words, statements)
            assert begins > 0 or words[0] in ("diff", "status"), words
        wire.said = b""
        scene.run("apply", "p.plan", "--auto-approve", DB_PORT=wire.port).must()
        assert b"BEGIN ISOLATION LEVEL READ COMMITTED" in wire.said and b"UPDATE " in wire.said


def case_a_server_that_takes_no_writes_is_enough_for_a_plan():
    with Scene("nowrites") as scene:
        scene.fill(2)
        scene.policy(after="1h")
        run = scene.run("plan", PGOPTIONS="-c default_transaction_read_only=on").must()
        assert "2 recordings to move" in run.out, run.out


if __name__ == "__main__":
    main(globals())
