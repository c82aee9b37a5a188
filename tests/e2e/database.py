#!/usr/bin/env python3
"""PostgreSQL fails, or others work on it: rows and objects are right at every moment, and the same
command finishes what is left."""
import concurrent.futures
import itertools
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from between import Talk
from box import PostgresBox
from scene import main, sql

APPLY = ["apply", "--auto-approve"]
LOCK, UPDATE, COMMIT = b" FOR UPDATE\0", b"UPDATE \"", b"Q\0\0\0\x0bCOMMIT\0"


def later(seconds, act, *words):
    thread = threading.Timer(seconds, act, words)
    thread.start()
    return thread


# -- at every moment -------------------------------------------------------------------------------


def terminate(far):
    """Ends the server's process behind the line."""
    found = sql("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                f"WHERE client_port = {far.getsockname()[1]};")
    assert found in ([["t"]], []), found  # none: it is about to log in


def at_every_ask(fate, act):
    """Once for each ask of a run, until there is none left to spoil.  Returns how many there are."""
    with PostgresBox() as box:
        for at in itertools.count(1):
            box.again()
            with Talk(box.server, fate, at, act=act) as talk:
                run = box.through(talk, *APPLY)
            try:
                box.check_whole()
                if talk.met == 0:
                    run.must()
                    box.check_moved()
                    return at - 1
                assert run.code in (0, 75), run.code
                if run.code != 0:
                    box.run(*APPLY).must()
                box.check_moved()
            except Exception as failure:
                spoilt = talk.asks[at - 1][:200] if talk.met else None
                raise AssertionError(f"{at} {fate}: {spoilt}\n{run.out}{run.err}") from failure


def case_any_ask_or_answer_may_be_lost_and_any_backend_terminated():
    def nothing(far):
        pass

    with concurrent.futures.ThreadPoolExecutor() as pool:
        done = [pool.submit(at_every_ask, *how) for how in (
            ("lost", nothing), ("unheard", nothing), ("half", nothing), ("passed", terminate))]
    counts = [one.result() for one in done]
    # Two connections with three asks to log in, the table twice, the rows, and for each of the two
    # directories the manifest's rows, three of the cut and those of gate 2.
    assert min(counts) == max(counts) >= 20, counts


def case_a_commit_that_arrives_late_is_waited_for():
    for fate in ("late", "lost"):
        with PostgresBox() as box:
            box.again()
            with Talk(box.server, fate, word=COMMIT, late_s=2) as talk:
                begun = time.monotonic()
                run = box.through(talk, *APPLY).must()
                took = time.monotonic() - begun
            assert talk.met == 1 and (took > 2) == (fate == "late"), took
            # The commit that did arrive is not made again.
            commits = sum(COMMIT in ask for ask in talk.asks)
            assert commits == (2 if fate == "late" else 3), commits
            assert "Moved 2 recordings" in run.out, run.out
            box.check_moved()


def case_a_commit_that_arrives_late_is_not_called_a_failure():
    """Whoever looked without waiting would find the old rows and the source changed, give up, and be
    wrong a second later."""
    with PostgresBox() as box:
        box.again()
        new = os.path.join(box.hot, "rec/0/new.bin")

        def write(far):
            with open(new, "wb") as file:
                file.write(b"new")
        with Talk(box.server, "late", word=COMMIT, late_s=2, act=write) as talk:
            run = box.through(talk, *APPLY).must(3)
        assert "rec/0/   parked: source-rewritten" in run.out, run.out
        box.check_whole()
        assert all(location.startswith(f"file://{box.cold}/") for location, in
                   box.execute("SELECT ecal_name FROM ecal"))
        os.unlink(new)
        box.run("reap").must()
        box.check_moved()


def fill_up(folder):
    """To the last byte."""
    with open(os.path.join(folder, "filler"), "wb") as file:
        free = os.statvfs(folder)
        os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize)


def case_the_journal_finds_no_room_from_any_ask_on():
    with PostgresBox() as box:
        state = os.path.join(box.folder, "state")
        codes = []
        for at in itertools.count(13):  # the journal is open, and the rows are about to be read
            box.unmount()
            box.again()
            os.mkdir(state)
            if not box.tiny_disk("72m", state):
                return
            with Talk(box.server, at=at, act=lambda far: fill_up(state)) as talk:
                run = box.through(talk, *APPLY)
            box.check_whole()
            if talk.met == 0:
                break
            codes.append(run.code)
            # Once the last is deleted, what is not written down is only looked at again.
            assert run.code in (0, 75), (at, run.code, run.out, run.err)
            assert (run.code == 75) == ("full" in run.err or "No space left" in run.err), run.err
            os.unlink(os.path.join(state, "filler"))
            box.run("status").must()
            box.run(*APPLY).must()
            box.check_moved()
        run.must()
        box.check_moved()
        assert len(codes) > 10 and codes.count(75) > 8, codes


# -- others at work --------------------------------------------------------------------------------


def case_a_row_that_somebody_has_locked_is_waited_for():
    with PostgresBox() as box:
        box.again()
        # Longer than one attempt waits.
        other = threading.Thread(target=box.execute, args=(
            "BEGIN; UPDATE ecal SET size_gb = 7 WHERE ecal_id = 'R1'; SELECT pg_sleep(7); COMMIT",))
        with Talk(box.server, word=LOCK, act=lambda far: (other.start(), time.sleep(0.5))) as talk:
            run = box.through(talk, *APPLY).must()
        other.join()
        assert "catalog-retried" in run.err and "code=55P03" in run.err, run.err
        box.check_moved()
        assert box.execute("SELECT size_gb FROM ecal WHERE ecal_id = 'R1'") == [["7"]]


def case_what_a_role_sets_for_itself_changes_nothing():
    """Nothing of it reaches a transaction of ours: neither a time that is too short nor an isolation
    under which an update of somebody else would be an error."""
    with PostgresBox() as box:
        for settings in (
                "-c default_transaction_isolation=serializable -c default_transaction_deferrable=on "
                "-c statement_timeout=400 -c search_path=",
                "-c default_transaction_isolation=repeatable\\ read -c lock_timeout=20 "
                "-c idle_in_transaction_session_timeout=1 -c synchronous_commit=off"):
            box.again()
            other = threading.Thread(target=box.execute, args=(
                "BEGIN; UPDATE ecal SET size_gb = 7; SELECT pg_sleep(1); COMMIT",))
            with Talk(box.server, word=LOCK,
                      act=lambda far, other=other: (other.start(), time.sleep(0.3))) as talk:
                run = box.through(talk, *APPLY, PGOPTIONS=settings)
            run.must()
            other.join()
            assert "catalog-retried" not in run.err, (settings, run.err)
            box.check_moved()


def case_a_role_that_only_reads_gets_plans_and_no_runs():
    with PostgresBox() as box:
        box.again()
        readers = {"PGOPTIONS": "-c default_transaction_read_only=on"}
        box.run("plan", "--out", "p.plan", environment=readers).must()
        run = box.run("apply", "p.plan", "--auto-approve", environment=readers).must(75)
        assert "session is read-only\n  hint: connect to the primary" in run.err, run.err
        assert box.files(box.hot) == box.objects and box.files(box.cold) == {}
        box.run("apply", "p.plan", "--auto-approve").must()
        box.check_moved()


def case_what_the_server_gives_up_by_itself_is_made_again():
    with PostgresBox() as box:
        for code in ("40001", "40P01"):
            box.again()
            box.execute(f"""CREATE SEQUENCE tries; CREATE FUNCTION fail() RETURNS trigger
                LANGUAGE plpgsql AS $$ BEGIN IF nextval('{box.schema}.tries') % 3 <> 0 THEN
                RAISE 'once more' USING ERRCODE = '{code}'; END IF; RETURN NEW; END $$;
                CREATE CONSTRAINT TRIGGER fail AFTER UPDATE ON ecal DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION fail()""")
            run = box.run(*APPLY).must()
            assert run.err.count(f"code={code}") == 4, run.err
            box.check_moved()
            box.execute("DROP TRIGGER fail ON ecal; DROP FUNCTION fail; DROP SEQUENCE tries")


def case_a_statement_that_is_cancelled():
    with PostgresBox() as box:
        box.again()
        box.execute(f"""CREATE SEQUENCE tries; CREATE FUNCTION dawdle() RETURNS trigger
            LANGUAGE plpgsql AS $$ BEGIN IF nextval('{box.schema}.tries') = 1 THEN
            PERFORM pg_sleep(30); END IF; RETURN NEW; END $$;
            CREATE TRIGGER dawdle BEFORE UPDATE ON ecal FOR EACH ROW EXECUTE FUNCTION dawdle()""")

        def cancel(far):
            later(0.5, sql, "SELECT pg_cancel_backend(pid) FROM pg_stat_activity "
                  f"WHERE client_port = {far.getsockname()[1]};")
        with Talk(box.server, word=UPDATE, act=cancel) as talk:
            run = box.through(talk, *APPLY).must()
        assert "canceling statement due to user request" in run.err, run.err
        box.check_moved()


def case_rows_that_change_just_before_the_cut():
    with PostgresBox() as box:
        elsewhere = "https://elsewhere.example/x"
        for change, left in (
                (f"UPDATE ecal SET ecal_name = '{elsewhere}' WHERE ecal_id = 'R0'", [elsewhere]),
                ("DELETE FROM ecal WHERE ecal_id = 'R0'", []),
                ("INSERT INTO ecal SELECT 'NEW', replace(ecal_name, 'R0.ecalmeas', 'file_0.bin'), "
                 "recording_start_time, 1 FROM ecal WHERE ecal_id = 'R0'",
                 [f"file://{box.hot}/rec/0/R0.ecalmeas", f"file://{box.hot}/rec/0/file_0.bin"])):
            box.again()
            with Talk(box.server, word=LOCK, act=lambda far: box.execute(change)) as talk:
                run = box.through(talk, *APPLY).must(6)
            assert "rec/0/   failed: catalog-changed: of its rows " in run.out, run.out
            assert "Moved 1 recording in 1 directory" in run.out, run.out
            told = box.execute("SELECT ecal_name FROM ecal WHERE ecal_id <> 'R1' ORDER BY ecal_id DESC")
            assert told == [[location] for location in left], (change, told)
            # The source is as it was, and what was copied of it hurts nobody.
            assert box.files(box.hot) == {key: body for key, body in box.objects.items()
                                          if key.startswith("rec/0/")}
            box.execute(f"DELETE FROM ecal WHERE ecal_name = '{elsewhere}'")
            box.check_whole()


if __name__ == "__main__":
    main(globals())
