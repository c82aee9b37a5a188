#!/usr/bin/env python3
"""What goes wrong, and that it is told clearly, with the documented exit code, and loses nothing."""
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from scene import Scene, main, sql


def planned(scene, *words):
    scene.policy()
    return scene.plan(*words)


def rewrite(scene, old, new):
    path = os.path.join(scene.folder, "frostline.yaml")
    with open(path) as file:
        text = file.read()
    assert old in text, old
    with open(path, "w") as file:
        file.write(text.replace(old, new))


# -- the policy ----------------------------------------------------------------------------------


def case_syntax_error_names_the_place():
    with Scene("syntax") as scene:
        scene.policy()
        rewrite(scene, "select: {", "select: {{")
        run = scene.run("plan").must(65)
        assert re.search(r"error\[FL01\d\d\]", run.err) and "frostline.yaml:" in run.err, run.err


def case_missing_variables_are_listed_at_once():
    with Scene("vars") as scene:
        scene.policy()
        rewrite(scene, "${DB_NAME}", "${NO_SUCH_NAME}")
        rewrite(scene, "${DB_USER}", "${NO_SUCH_USER}")
        run = scene.run("plan").must(65)
        assert "NO_SUCH_NAME" in run.err and "NO_SUCH_USER" in run.err, run.err


def case_unknown_store():
    with Scene("store") as scene:
        scene.policy()
        rewrite(scene, "target: cold", "target: colt")
        run = scene.run("plan").must(65)
        assert "colt" in run.err and "cold" in run.err, run.err


def case_unknown_column():
    with Scene("column") as scene:
        scene.policy()
        rewrite(scene, "map: map,", "map: mapp,")
        run = scene.run("plan").must(65)
        assert "\nerror[FL0320]: " in run.err and "did you mean `map`?" in run.err, run.err


# -- the catalog ---------------------------------------------------------------------------------


def case_catalog_down():
    with Scene("down") as scene:
        scene.policy()
        run = scene.run("plan", DB_PORT="1").must(75)
        assert "127.0.0.1" in run.err or "refused" in run.err, run.err


def case_wrong_password():
    with Scene("password") as scene:
        scene.policy()
        run = scene.run("plan", DB_PASSWORD="wr0ng-canary").must(77)
        assert "wr0ng-canary" not in run.err + run.out


def case_table_missing():
    with Scene("table") as scene:
        scene.policy()
        rewrite(scene, f"table: public.{scene.table}", "table: public.no_such_table")
        run = scene.run("plan").must(65)
        assert "\nerror[FL0319]: " in run.err and "no_such_table" in run.err, run.err


def case_missing_index_is_told_with_its_statement():
    with Scene("index", index=False) as scene:
        scene.fill(1)
        scene.policy()
        scene.plan()
        run = scene.run("apply", "p.plan", "--auto-approve").must()
        statement = f'CREATE INDEX CONCURRENTLY ON public.{scene.table} (ecal_name COLLATE "C")'
        assert statement in run.err, run.err
        sql(statement + ";")
        assert "CREATE INDEX" not in scene.run("apply", "p.plan", "--auto-approve").must().err


# -- validate --online ----------------------------------------------------------------------------


def online(scene, code, *words, **environment):
    """The findings, code and line, and everything that was said."""
    run = scene.run("validate", "--online", "--format", "json", *words, **environment).must(code)
    return [(found["code"], found["line"]) for found in json.loads(run.out)["diagnostics"]], run.out


def line_of(scene, part):
    with open(os.path.join(scene.folder, "frostline.yaml")) as file:
        text = file.read()
    return 1 + text[:text.index(part)].count("\n")


def case_online_a_policy_that_fits():
    with Scene("online") as scene:
        scene.policy(after="1d")
        run = scene.run("validate", "--online", "--strict").must()
        assert run.out.endswith(": no errors offline and online\n") and run.err == "", run.err


def case_online_the_catalog_does_not_let_in():
    with Scene("onlinecat") as scene:
        scene.policy(after="1d")
        refused = [("FL0318", line_of(scene, "connection:"))]
        found, said = online(scene, 77, DB_PASSWORD="wr0ng-canary")
        assert found == refused and "canary" not in said, said
        found, said = online(scene, 75, DB_PORT="1")
        assert found == refused and "refused" in said, said
        found, said = online(scene, 65, DB_NAME="no_such_database")
        assert found == refused and "no_such_database" in said, said
        told = scene.run("validate", "--online", DB_PASSWORD="wr0ng-canary").must(77).err
        assert "  |   ^^^^^^^^^^ access is refused\n" in told and "canary" not in told, told


def case_online_all_stores_are_asked():
    with Scene("onlinest") as scene:
        scene.policy(after="1d", top="  third: {type: azure, container: no-such-container,\n"
                                     "          connection_string: "
                                     "\"${COLD_STORAGE_CONNECTION_STRING}\"}")
        bad = os.environ["SOURCE_AZURE_CONNECTION_STRING"].replace("AccountKey=", "AccountKey=AAAA")
        hot, third = ("FL0322", line_of(scene, "  hot:")), ("FL0322", line_of(scene, "  third:"))
        found, said = online(scene, 65)
        assert found == [third] and "no-such-container" in said, said
        found, said = online(scene, 65, SOURCE_AZURE_CONNECTION_STRING=bad)
        assert found == [hot, third] and "AAAA" not in said, said
        assert "the key or SAS of store hot is wrong" in said, said
        # The policy is right, and only the key is wrong.
        rewrite(scene, "container: no-such-container", f"container: {scene.cold}, prefix: x")
        rewrite(scene, f"container: {scene.cold}\n", f"container: {scene.cold}\n    prefix: y\n")
        assert online(scene, 77, SOURCE_AZURE_CONNECTION_STRING=bad)[0] == [hot]
        # With a catalog that doesn't answer as well, still all are told.
        found = online(scene, 77, SOURCE_AZURE_CONNECTION_STRING=bad, DB_PORT="1")[0]
        assert found == [("FL0318", line_of(scene, "connection:")), hot]


def case_online_a_store_without_an_answer():
    with Scene("onlineno") as scene:
        scene.policy(after="1d")
        nobody = re.sub(r"(BlobEndpoint=http://[^:]+:)\d+", r"\g<1>1",
                        os.environ["SOURCE_AZURE_CONNECTION_STRING"])
        assert nobody != os.environ["SOURCE_AZURE_CONNECTION_STRING"]
        hot = ("FL0322", line_of(scene, "  hot:"))
        assert online(scene, 75, SOURCE_AZURE_CONNECTION_STRING=nobody)[0] == [hot]


def case_online_all_columns_in_one_run():
    with Scene("onlinecol", index=False) as scene:
        scene.policy(select="older_than: 90d, map: x, tags: y, length: {eq: 5}", after="1d")
        sql(f"ALTER TABLE {scene.table} ADD tags jsonb, DROP CONSTRAINT {scene.table}_pkey;")
        rewrite(scene, "recording_start_time, timezone: UTC", "recording_start_time")
        rewrite(scene, "column: size_gb", "column: size_bg")
        rewrite(scene, "map: map,", "map: Map, tags: tags,")
        rewrite(scene, "length: length}", "length: is_valid}")
        fields = line_of(scene, "fields:")
        table = [("FL0321", line_of(scene, "  id:")), ("FL0314", line_of(scene, "  time:")),
                 ("FL0320", line_of(scene, "  size:")), ("FL0320", fields), ("FL0313", fields),
                 ("FL0508", line_of(scene, "select:"))]
        index = ("FL0323", line_of(scene, "  location:"))
        found, said = online(scene, 65)
        assert found == table[:1] + [index] + table[1:], said
        assert "did you mean `map`?" in said and "did you mean `size_gb`?" in said, said
        run = scene.run("plan").must(65)
        assert re.findall(r"^error\[(FL\d+)\]", run.err, re.M) == [code for code, _ in table], run.err
        assert "= help: did you mean `size_gb`?" in run.err, run.err


def case_online_the_index_and_its_statement():
    with Scene("onlineix", index=False) as scene:
        scene.policy(after="1d")
        statement = f'CREATE INDEX CONCURRENTLY ON public.{scene.table} (ecal_name COLLATE "C")'
        run = scene.run("validate", "--online").must()
        assert run.err.startswith("warning[FL0323]: ") and f"= help: {statement}\n" in run.err, run.err
        assert run.out.endswith(", 1 warning\n"), run.out
        scene.run("validate", "--online", "--strict").must(65)
        sql(statement + ";")
        scene.run("validate", "--online", "--strict").must()


# -- locations -----------------------------------------------------------------------------------


def case_unmanaged_is_listed_and_no_failure():
    with Scene("foreign") as scene:
        scene.fill(1)
        scene.add_row("ALIEN", "https://elsewhere.blob.core.windows.net/c/rec/1/a.ecalmeas")
        scene.add_row("SHALLOW", scene.location("root.ecalmeas"))
        plan = planned(scene)
        assert "ALIEN" in plan.out and "1 recording in no declared store" in plan.out, plan.out
        assert "1 too shallow" in plan.out, plan.out


def case_second_spellings_block_their_directory():
    spellings = {
        "query": lambda s: s + "?sv=2021&sig=canary",
        "dots": lambda s: s.replace("/recording/", "/recording/x/../"),
        "capitals": lambda s: s.replace("http://", "HTTP://"),
        "space": lambda s: s.replace("/second", "/%73econd"),
        "slashes": lambda s: s.replace("/recording/", "//recording/"),
    }
    for name, spell in spellings.items():
        with Scene("spell") as scene:
            scene.add("A", "recording/1/")
            scene.add("B", "recording/2/")
            scene.put("recording/1/second.ecalmeas", b"x")
            scene.add_row("ODD", spell(scene.location("recording/1/second.ecalmeas")))
            plan = planned(scene)
            blocked = [a for a in scene.actions() if a["action"] == "blocked"]
            assert len(blocked) == 1 and blocked[0]["reason"] == "spelling", (name, plan.out)
            assert "ODD" in plan.out and "canary" not in plan.out, (name, plan.out)
            scene.run("apply", "p.plan", "--auto-approve").must()
            assert scene.target.names(scene.cold, "recording/1/") == [], name
            assert scene.source.names(scene.hot, "recording/2/") == [], name
            assert scene.locations()["ODD"] == spell(scene.location("recording/1/second.ecalmeas"))
            scene.check_whole(but=["ODD"])


def case_object_missing_blocks():
    with Scene("missing") as scene:
        scene.fill(2)
        scene.source.delete(scene.hot, scene.rows["ECAL_00000"])
        plan = planned(scene)
        blocked = [a for a in scene.actions() if a["action"] == "blocked"]
        assert [b["reason"] for b in blocked] == ["object-missing"], plan.out
        assert "ECAL_00000" in plan.out, plan.out
        scene.run("apply", "p.plan", "--auto-approve").must()
        assert len(scene.source.names(scene.hot)) == 2


def case_a_container_that_is_missing():
    with Scene("container") as scene:
        scene.fill(1)
        scene.policy()
        scene.plan()
        rewrite(scene, f"container: {scene.hot}", "container: no-such-container")
        run = scene.run("plan")
        assert run.code in (0, 65), run.err
        scene.policy()
        scene.source.drop_container(scene.hot)
        run = scene.run("plan")
        assert scene.hot in run.out + run.err, run.out + run.err
        run = scene.run("apply", "p.plan", "--auto-approve").must(3)
        assert scene.hot in run.out, run.out


def case_a_wrong_account_key():
    with Scene("key") as scene:
        scene.fill(1)
        scene.policy()
        scene.plan()
        bad = os.environ["SOURCE_AZURE_CONNECTION_STRING"].replace("AccountKey=", "AccountKey=AAAA")
        run = scene.run("apply", "p.plan", "--auto-approve", SOURCE_AZURE_CONNECTION_STRING=bad)
        run.must(77)
        assert "AAAA" not in run.out + run.err
        scene.check_untouched()


# -- between plan and apply ----------------------------------------------------------------------


def stale(change, reason):
    with Scene("stale") as scene:
        scene.fill(3)
        planned(scene)
        change(scene)
        run = scene.run("apply", "p.plan", "--auto-approve").must(3)
        assert reason in run.out and "1 stale" in run.out, run.out
        assert len(scene.source.names(scene.hot, "recording/2025-02-01/session_1/")) == 0
        return scene.locations()


def case_a_source_object_changes():
    def change(scene):
        scene.source.put(scene.hot, scene.rows["ECAL_00000"], b"rewritten")
    assert "/hot-" in stale(change, "stale-objects")["ECAL_00000"]


def case_a_source_object_vanishes():
    def change(scene):
        scene.source.delete(scene.hot, scene.rows["ECAL_00000"])
    assert "/hot-" in stale(change, "stale-objects")["ECAL_00000"]


def case_a_row_is_changed_by_somebody_else():
    def change(scene):
        sql(f"UPDATE {scene.table} SET ecal_name = ecal_name || '2' WHERE ecal_id = 'ECAL_00000';")
    assert stale(change, "stale-rows")["ECAL_00000"].endswith("2")


def case_a_row_is_added():
    def change(scene):
        scene.add_row("NEW", scene.location(scene.rows["ECAL_00000"] + ".other"))
    assert "/hot-" in stale(change, "stale-rows")["ECAL_00000"]


def case_a_target_that_differs_is_never_touched():
    with Scene("differs") as scene:
        scene.fill(2)
        planned(scene)
        scene.target.put(scene.cold, scene.rows["ECAL_00000"], b"somebody's")
        run = scene.run("apply", "p.plan", "--auto-approve").must(6)
        assert "target-differs" in run.out, run.out
        assert scene.target.get(scene.cold, scene.rows["ECAL_00000"]) == b"somebody's"
        assert "/hot-" in scene.locations()["ECAL_00000"]
        scene.check_whole()


def case_a_target_that_is_equal_is_adopted():
    with Scene("equal") as scene:
        scene.fill(2)
        planned(scene)
        for key in list(scene.objects)[:3]:
            scene.target.put(scene.cold, key, scene.source.get(scene.hot, key))
        scene.run("apply", "p.plan", "--auto-approve").must()
        scene.check_moved()


def case_another_policy_makes_the_plan_stale():
    with Scene("policy") as scene:
        scene.fill(1)
        planned(scene)
        rewrite(scene, "older_than: 90d", "older_than: 91d")
        scene.run("apply", "p.plan", "--auto-approve").must(4)
        scene.check_untouched()


def case_a_tampered_plan():
    with Scene("tamper") as scene:
        scene.fill(1)
        planned(scene)
        path = os.path.join(scene.folder, "p.plan")
        with open(path) as file:
            text = file.read()
        with open(path, "w") as file:
            file.write(text.replace('"after_s":0', '"after_s":1'))
        scene.run("apply", "p.plan", "--auto-approve").must(65)
        with open(path, "w") as file:
            file.write(text[: len(text) // 2])
        scene.run("apply", "p.plan", "--auto-approve").must(65)
        scene.run("show", "p.plan").must(65)
        scene.check_untouched()


# -- directories ---------------------------------------------------------------------------------


def case_two_rows_in_one_directory_one_not_selected():
    with Scene("shared") as scene:
        scene.add("A", "recording/1/")
        scene.put("recording/1/B.ecalmeas", b"b")
        scene.add_row("B", scene.location("recording/1/B.ecalmeas"), time="2999-01-01 00:00:00")
        plan = planned(scene)
        assert "shared-directory" in plan.out and "B" in plan.out, plan.out
        assert "No moves" in plan.out, plan.out


def case_nested_directories():
    with Scene("nested") as scene:
        for ident, key in (("A1", "recording/a/a1"), ("F", "recording/a/b/f"),
                           ("Z", "recording/a/z")):
            scene.put(key, ident.encode())
            scene.rows[ident] = key
            scene.add_row(ident, scene.location(key))
        plan = planned(scene)
        kinds = {a["directory"]: (a["action"], a.get("reason")) for a in scene.actions()}
        assert kinds["hot:recording/a/"] == ("blocked", "nested-directory"), plan.out
        assert kinds["hot:recording/a/b/"] == ("move", None), plan.out
        scene.run("apply", "p.plan", "--auto-approve").must()
        scene.check_whole()
        # With the rows below gone the outer directory is free, but at the target they are in its way.
        plan = scene.plan()
        assert "2 recordings to move" in plan.out, plan.out
        run = scene.run("apply", "p.plan", "--auto-approve").must(6)
        assert "target-has-more: recording/a/b/f" in run.out, run.out
        assert sorted(scene.source.names(scene.hot)) == ["recording/a/a1", "recording/a/z"]
        scene.check_whole()


def case_prefixes_that_only_look_alike():
    with Scene("alike") as scene:
        scene.add("A", "recording/a/1/")
        scene.add("B", "recording/a/10/", time="2999-01-01 00:00:00")
        planned(scene)
        scene.run("apply", "p.plan", "--auto-approve").must()
        assert len(scene.source.names(scene.hot, "recording/a/10/")) == 3
        assert scene.source.names(scene.hot, "recording/a/1/") == []
        scene.check_whole()


def case_source_and_target_the_same_place():
    with Scene("same") as scene:
        scene.fill(1)
        scene.policy()
        rewrite(scene, "${COLD_STORAGE_CONNECTION_STRING}", "${SOURCE_AZURE_CONNECTION_STRING}")
        rewrite(scene, f"container: {scene.cold}", f"container: {scene.hot}")
        run = scene.run("plan").must(65)
        assert "hot" in run.err and "cold" in run.err, run.err


# -- the command line ----------------------------------------------------------------------------


def case_usage():
    with Scene("usage") as scene:
        assert "plan" in scene.run("plna").must(64).err
        assert "--out" in scene.run("plan", "--outt", "x").must(64).err
        scene.run("apply", "--concurrency", "0").must(64)
        scene.run("plan", "--format", "xml").must(64)
        scene.run().must(64)
        scene.run("show", "no-such.plan").must(65)
        run = scene.run("plan", "no-such.yaml").must(65)
        assert "no-such.yaml" in run.err


def case_quiet_prints_nothing_on_success():
    with Scene("quiet") as scene:
        scene.fill(1)
        scene.policy()
        run = scene.run("plan", "--out", "p.plan", "-q").must()
        assert run.out == "" and run.err == "", run.out + run.err
        run = scene.run("apply", "p.plan", "--auto-approve", "-q").must()
        assert run.out == "" and run.err == "", run.out + run.err
        scene.check_moved()


def case_secrets_show_up_nowhere():
    with Scene("secret") as scene:
        scene.fill(2)
        scene.policy()
        text = scene.plan("-vv").out
        run = scene.run("apply", "p.plan", "--auto-approve", "-vv").must()
        text += run.out + run.err
        for folder, _, names in os.walk(scene.folder):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    text += file.read().decode("latin-1")
        for string in ("SOURCE_AZURE_CONNECTION_STRING", "COLD_STORAGE_CONNECTION_STRING"):
            key = re.search(r"AccountKey=([^;]+)", os.environ[string]).group(1)
            assert key not in text, string
        assert "sig=" not in text


if __name__ == "__main__":
    main(globals())
