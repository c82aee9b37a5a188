#!/usr/bin/env python3
"""The doctor finds each fault, says how to mend it, and leaves nothing behind; and says so where all is
well.  Whatever is wrong, it tells no secret."""
import base64
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from blobs import changes
from findings import findings, only_failure
from scene import Scene, main, sql
from server import servers

SOURCE, TARGET = "SOURCE_AZURE_CONNECTION_STRING", "COLD_STORAGE_CONNECTION_STRING"
WRONG_PASSWORD = "wr0ng-canary-password"
WRONG_KEY = base64.b64encode(b"wr0ng-canary-key-" * 4).decode()
SCRIPT = ["DB_HOST", "DB_NAME", "DB_USER", "DB_PASSWORD", SOURCE, TARGET]


def key_of(connection_string):
    return re.search("AccountKey=([^;]+)", connection_string).group(1)


class Patient(Scene):
    """A scene that looks for secrets in all that the doctor says."""

    def __init__(self, name, **options):
        super().__init__(name, **options)
        self.secrets = [os.environ["DB_PASSWORD"], WRONG_PASSWORD, WRONG_KEY, "sig=", "SharedKey ",
                        key_of(os.environ[SOURCE]), key_of(os.environ[TARGET])]
        self.add("R0", "rec/0/")
        self.policy(after="7d")

    def doctor(self, *words, code=0, **environment):
        run = self.run("doctor", *words, **environment)
        for secret in self.secrets:
            assert secret not in run.out + run.err, (secret, run.out, run.err)
        return run.must(code)

    def fails(self, check, code, *told, **environment):
        """This check, and no other; its fix."""
        run = self.doctor("--format", "json", code=code, **environment)
        return only_failure(run, check, *told)

    def __exit__(self, kind, value, trace):
        try:
            if kind is None:
                self.check_clean()
        finally:
            self.close()

    def check_clean(self):
        assert self.source.names(self.hot) == sorted(self.objects), self.source.names(self.hot)
        assert self.target.names(self.cold) == [], self.target.names(self.cold)


def case_all_is_well():
    with Patient("well") as scene:
        for secrets in ({}, {SOURCE: as_sas(scene.source), TARGET: as_sas(scene.target)}):
            run = scene.doctor("-v", "-v", **secrets)
            assert "\n  x" not in run.out and "\n  !" not in run.out, run.out
            for check in ("all that the policy asks for: 7", "1 policy, 2 stores", "PostgreSQL 1",
                          "no standby", f"public.{scene.table}", "ecal_id names one row", "rows: 1\n",
                          "hot: copy: copied an object of cold", "cold: write: made",
                          "cold: copy: copied an object of hot", "cold: batch: deleted two",
                          "HTTP/1.1", "nobody holds it", "SQLite 3", "libcurl/"):
                assert check in run.out, (check, run.out)
            assert re.search(r"\n\d+ checks, 0 warnings, 0 failures; 1 check not made\n$", run.out)
            scene.check_clean()
        assert scene.doctor("-q").out == ""
        scene.check_untouched()


def as_sas(account, rights="rwdlac"):
    return f"BlobEndpoint={account.endpoint};SharedAccessSignature={account.sas(rights)}"


def case_read_only_changes_nothing():
    with Patient("ro") as scene:
        before = changes(os.environ["AZURITE_ACCESS_LOG"])[1]
        run = scene.doctor("--read-only", "--format", "json")
        assert changes(os.environ["AZURITE_ACCESS_LOG"], before)[0] == 0
        assert "store.cold.reachable" in findings(run, "ok")
        skipped = findings(run, "skipped")
        for name in ("write", "read", "copy", "delete", "batch"):
            assert skipped[f"store.cold.{name}"]["text"] == "--read-only", skipped
        assert json.loads(run.out)["format_version"] == 1 and json.loads(run.out)["exit"] == 0
        assert not os.path.exists(os.path.join(scene.folder, "state"))


def case_the_server_refuses_or_is_not_there():
    with Patient("server") as scene:
        assert "password" in scene.fails("catalog.reachable", 77, "authentication failed",
                                         DB_PASSWORD=WRONG_PASSWORD)
        scene.fails("catalog.reachable", 65, "does not exist", DB_NAME="no_such_database")
        fix = scene.fails("catalog.reachable", 75, "Connection refused", DB_PORT="1")
        assert "port" in fix, fix
        run = scene.doctor(code=75, DB_PORT="1")
        assert "catalog      encrypted, primary, table" in run.out, run.out
        assert run.out.count("not reached") == 1, run.out


def case_the_table_is_another():
    with Patient("table") as scene:
        table = f"public.{scene.table}"
        sql(f"ALTER TABLE {table} RENAME ecal_name TO ecal_nam;")
        assert "ecal_nam" in scene.fails("catalog.columns", 65, "no column `ecal_name`")
        sql(f"ALTER TABLE {table} RENAME ecal_nam TO ecal_name;")
        sql(f"ALTER TABLE {table} DROP CONSTRAINT {scene.table}_pkey;")
        sql(scene.fails("catalog.key", 65, "no primary") + ";")
        scene.doctor()
        scene.policy(select="valid: {gt: 3}", after="7d")
        scene.fails("catalog.columns", 65, "valid")
        scene.policy(after="7d")
        sql(f"ALTER TABLE {table} RENAME TO {scene.table}x;")
        run = scene.doctor(code=65)
        assert "did you mean" in run.out and "key, index, read" in run.out, run.out
        sql(f"ALTER TABLE {scene.table}x RENAME TO {scene.table};")


def case_no_index_is_a_warning_with_the_statement():
    with Patient("index", index=False) as scene:
        run = scene.doctor("--format", "json")
        fix = findings(run, "warning")["catalog.index"]["fix"]
        sql(fix + ";")
        assert findings(scene.doctor("--format", "json"), "warning") == {}


def case_a_role_without_rights_is_told_the_grant():
    with Patient("role") as scene:
        for right, check in (("UPDATE", ["catalog.write"]),
                             ("SELECT", ["catalog.read", "catalog.write"])):
            sql(f"REVOKE {right} ON {scene.table} FROM CURRENT_USER;")
            run = scene.doctor("--format", "json", code=77)
            failed = findings(run, "failed")
            assert list(failed) == check, failed
            sql(failed[check[0]]["fix"] + ";")
            scene.doctor()
        (role,), = sql("SELECT current_user;")
        sql(f"ALTER ROLE {role} SET default_transaction_read_only = on;")
        try:
            fix = scene.fails("catalog.write", 77, "read only")
        finally:
            sql(f"SET default_transaction_read_only = off; ALTER ROLE {role} RESET ALL;")
        assert "default_transaction_read_only = off" in fix, fix
        sql(f"ALTER TABLE {scene.table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;")
        failed = findings(scene.doctor("--format", "json", code=77), "failed")
        assert "row level security" in failed["catalog.read"]["text"], failed


def case_a_standby_is_told():
    with Patient("standby") as scene, servers("one", "two") as (primary, standby):
        sql(scene.SCHEMA.format(table=scene.table), server=primary.env)
        sql(f'CREATE INDEX ON {scene.table} (ecal_name COLLATE "C");', server=primary.env)
        scene.doctor(**primary.env)
        assert "primary" in scene.fails("catalog.primary", 75, "standby", **standby.env)


def case_a_container_is_missing():
    with Patient("container") as scene:
        scene.target.drop_container(scene.cold)
        fix = scene.fails("store.cold.reachable", 65, scene.cold)
        assert fix.endswith(f"--account-name coldacct --name {scene.cold}"), fix
        scene.target.make_container(scene.cold)
        scene.doctor()


def case_an_account_refuses():
    with Patient("account") as scene:
        wrong = os.environ[TARGET].replace(key_of(os.environ[TARGET]), WRONG_KEY)
        scene.fails("store.cold.reachable", 77, **{TARGET: wrong})
        fix = scene.fails("store.cold.write", 77, "denied", **{TARGET: as_sas(scene.target, "rl")})
        assert "create and write" in fix, fix
        scene.fails("store.cold.reachable", 77, **{TARGET: as_sas(scene.target, "rwdac")})
        scene.check_clean()
        # To the source no policy moves anything: that it takes nothing is no failure.
        run = scene.doctor("--format", "json", **{SOURCE: as_sas(scene.source, "rl")})
        assert list(findings(run, "warning")) == ["store.hot.write"], run.out


def case_what_can_not_be_deleted_is_named():
    with Patient("delete") as scene:
        run = scene.doctor("--format", "json", code=77, **{TARGET: as_sas(scene.target, "rwlac")})
        only_failure(run, "store.cold.delete", "denied")
        left = findings(run, "warning")["store.cold.left"]["text"]
        names = scene.target.names(scene.cold)
        assert len(names) == 4 and all(name in left for name in names), (names, left)
        assert all(name.startswith(".frostline-doctor-") for name in names), names
        for name in names:
            scene.target.delete(scene.cold, name)


def case_an_account_is_not_there():
    with Patient("nobody") as scene:
        there = re.search(r"127.0.0.1:\d+", os.environ[TARGET]).group()
        nowhere = os.environ[TARGET].replace(there, "127.0.0.1:1")
        fix = scene.fails("store.cold.reachable", 75, **{TARGET: nowhere})
        assert "endpoint" in fix, fix


def case_missing_variables_are_told_at_once():
    with Patient("variables") as scene:
        fails = scene.fails("environment.variables", 65, "DB_HOST DB_NAME DB_USER DB_PASSWORD",
                            DB_HOST="", DB_NAME="", DB_USER="", DB_PASSWORD="", DB_PORT="")
        assert "export" in fails, fails
        scene.fails("environment.variables", 65, TARGET, **{TARGET: ""})


def case_without_a_policy_the_wizard_is_named():
    with Patient("script") as scene:
        os.unlink(os.path.join(scene.folder, "frostline.yaml"))
        run = scene.doctor()
        assert "the next step: frostline wizard" in run.out, run.out
        scene.fails("environment.variables", 65, f": DB_HOST {TARGET}", **{TARGET: "", "DB_HOST": ""})
        run = scene.doctor(**{name: "" for name in SCRIPT})
        assert "  !    environment  variables: there is no policy" in run.out, run.out
        run = scene.doctor("elsewhere.yaml", "--format", "json", code=65)
        only_failure(run, "policy.reads", "elsewhere.yaml")


if __name__ == "__main__":
    main(globals())
