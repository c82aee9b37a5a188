#!/usr/bin/env python3
"""PostgreSQL servers of this test's own come and go: a standby, one that is behind and takes over, a
crash, no connection left."""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from between import Talk
from box import PostgresBox
from scene import main
from server import servers

APPLY = ["apply", "--auto-approve"]
UPDATE, COMMIT = b"UPDATE \"", b"Q\0\0\0\x0bCOMMIT\0"


def catch_up(primary, standby):
    (written,), = primary.sql("SELECT pg_current_wal_lsn();")
    while standby.sql(f"SELECT pg_last_wal_replay_lsn() >= '{written}';") != [["t"]]:
        time.sleep(0.02)


def told_of(run, *reasons):
    for i in range(2):
        for reason in reasons:
            assert f"rec/{i}/   {reason}" in run.out, run.out


def serves_plans_and_no_runs(primary, standby):
    with PostgresBox(primary.env) as box:
        box.policy(after="1s")
        box.again()
        catch_up(primary, standby)
        plan = box.run("plan", environment=standby.env).must()
        assert "2 recordings to move" in plan.out, plan.out
        run = box.run(*APPLY, environment=standby.env).must(75)
        assert "session is read-only\n  hint: connect to the primary" in run.err, run.err
        assert box.files(box.hot) == box.objects and box.files(box.cold) == {}
        # Nor are sources deleted on its word.
        box.run(*APPLY).must()
        catch_up(primary, standby)
        time.sleep(1.1)
        box.run("reap", environment=standby.env).must(75)
        assert box.files(box.hot) == box.files(box.cold) == box.objects
        box.run("reap").must()
        box.check_moved()


def rows_that_went_back_keep_their_source(primary, standby):
    with PostgresBox(primary.env) as box:
        box.policy(after="1s")
        box.again()
        catch_up(primary, standby)
        standby.sql("ALTER SYSTEM SET primary_conninfo = '';")
        standby.sql("SELECT pg_reload_conf();")
        while standby.sql("SELECT 1 FROM pg_stat_wal_receiver;"):
            time.sleep(0.02)
        box.run(*APPLY).must()
        assert "2 in grace" in box.run("status").must().out
        back = {f"file://{box.hot}/rec/{i}/R{i}.ecalmeas" for i in range(2)}

        # It takes over the address of the one whose last commits it never heard of.
        primary.stop()
        standby.call("promote")
        standby.stop()
        standby.start(primary.env["DB_PORT"])
        assert {location for location, in box.execute("SELECT ecal_name FROM ecal")} == back
        time.sleep(1.1)

        for _ in range(2):
            run = box.run("reap").must(6)
            told_of(run, "parked: rows-at-source: of its rows 1 at the source, 0 at the target")
            assert "deleted 0 sources" in run.out and "2 parked" in run.out, run.out
            assert box.files(box.hot) == box.files(box.cold) == box.objects
            box.check_whole()
            status = box.run("status").must()
            told_of(status, "hot -> cold   parked: rows-at-source")
            assert "the next plan offers to repair that" in status.out, status.out
            plan = box.run("plan", "--all").must().out
            assert "no recordings to move, 2 to repair" in plan and "  ~ hot:rec/0/" in plan, plan

        # The repair copies nothing, and its grace begins once more.
        assert "repaired 2 directories" in box.run("reconcile").must().out
        assert box.files(box.hot) == box.files(box.cold) == box.objects
        box.check_whole()
        time.sleep(1.1)
        box.run("reap").must()
        box.check_moved()
        assert "2 directories done, 0 under way, 0 in grace, 0 parked" in box.run("status").must().out


def case_a_standby_and_one_that_was_behind_when_it_took_over():
    with servers("primary", "standby") as (primary, standby):
        serves_plans_and_no_runs(primary, standby)
        rows_that_went_back_keep_their_source(primary, standby)


def crashes_in_the_middle_of_a_cut(primary):
    with PostgresBox(primary.env) as box:
        def crash(far):
            primary.crash()
            primary.start(primary.env["DB_PORT"])
        for word in (UPDATE, COMMIT):
            box.again()
            with Talk(box.server, word=word, act=crash) as talk:
                run = box.through(talk, *APPLY).must()
            assert talk.met == 1 and "Moved 2 recordings" in run.out, run.out
            box.check_moved()


def take_connection(server):
    client = subprocess.Popen(
        ["psql", "-XAtq", "-h", server["DB_HOST"], "-p", server["DB_PORT"], "-U", server["DB_USER"],
         server["DB_NAME"]], env=dict(os.environ, PGPASSWORD=server["DB_PASSWORD"]), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    client.stdin.write("SELECT 1;\n")
    client.stdin.flush()
    assert client.stdout.readline() == "1\n"
    return client


def has_no_connection_left(primary):
    with PostgresBox(primary.env) as box:
        box.again()
        primary.sql("ALTER SYSTEM SET max_connections = 6;")
        primary.stop()
        primary.start(primary.env["DB_PORT"])
        # Three are kept for superusers; one is left for the first of frostline's two, none for the
        # second.
        others = [take_connection(box.server) for _ in range(2)]
        run = box.run(*APPLY).must(75)
        for other in others:
            other.terminate()
            other.wait()
        assert "remaining connection slots are reserved" in run.err, run.err
        assert box.files(box.hot) == box.objects and box.files(box.cold) == {}
        box.run(*APPLY).must()
        box.check_moved()


def case_a_server_that_crashes_and_one_that_is_full():
    with servers("primary") as primary:
        crashes_in_the_middle_of_a_cut(primary)
        has_no_connection_left(primary)


if __name__ == "__main__":
    main(globals())
