#!/usr/bin/env python3
"""What it costs to reconcile a catalog in which every row is where its policy wants it: time,
memory, requests in Azurite's access log, and what is written to the journal.

  idle.py [--catalog postgres|sqlite] [--rows N] [--policies N] [--runs N]

Fails if a store is asked anything, or the journal holds more than one more run after each.  Needs
FROSTLINE (the program), TOOLS (node_modules with Azurite), and PostgreSQL 15 or sqlite3."""
import argparse
import os
import sqlite3
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from bench import measure, requests, work_folder
from catalogs import CATALOGS, Azure, environment, write_policies


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--catalog", choices=CATALOGS, default="postgres")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--policies", type=int, default=20)
    parser.add_argument("--runs", type=int, default=3)
    return parser.parse_args()


def journal(work):
    """All of its rows, by table."""
    connection = sqlite3.connect(f"file:{work}/state/journal.db?mode=ro", uri=True)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema "
                                                     "WHERE type = 'table'")]
    rows = {name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in tables}
    connection.close()
    return rows


def check_journal(before, after):
    assert len(after["run"]) == len(before["run"]) + 1, after["run"]
    assert after["run"][:-1] == before["run"]
    for name in before.keys() - {"run"}:
        assert after[name] == before[name], name


def main():
    options = arguments()
    with work_folder("azurite", *["pg"] * (options.catalog == "postgres")) as work:
        stores, log = Azure(), os.environ["AZURITE_ACCESS_LOG"]
        catalog = CATALOGS[options.catalog](work, options.rows, stores.cold)
        write_policies(work, catalog, stores, options.rows // 288 + 1, options.policies)
        words = [os.environ["FROSTLINE"], "reconcile", "-q"]
        assert measure(words, work, environment(work))[3] == 0  # makes the journal
        for run in range(options.runs):
            before, mark = journal(work), os.path.getsize(log)
            wall, cpu, peak, code = measure(words, work, environment(work))
            time.sleep(0.5)  # the log is written behind the reply
            asked = requests(log, mark)
            assert code == 0 and asked == 0, (code, asked)
            check_journal(before, journal(work))
            print("run %d  reconcile %6.2f s, cpu %.2f s, peak %.1f MiB; no request, one more run "
                  "in the journal" % (run, wall, cpu, peak), flush=True)
        stores.cold_account.names("cold")
        time.sleep(0.5)
        assert requests(log, mark) == 1, "the access log shows no request at all"


if __name__ == "__main__":
    main()
