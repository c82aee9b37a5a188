#!/usr/bin/env python3
"""Counts the list requests of a survey in Azurite's access log, against the fewest there can be:
for D directories the lesser of D and their objects / 5,000, which is a page.

  survey.py [--directories N] [--objects N] [--minutes N]    minutes: how far apart directories are

Needs FROSTLINE (the program) and TOOLS (node_modules with Azurite)."""
import argparse
import os
import sqlite3
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from bench import measure, requests, work_folder
from catalogs import Azure, Sqlite, environment, write_policies

PAGE_OBJECTS = 5000


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--directories", type=int, default=2000)
    parser.add_argument("--objects", type=int, default=10)
    parser.add_argument("--minutes", type=int, default=240)
    return parser.parse_args()


def fill(catalog, stores, objects):
    connection = sqlite3.connect(catalog.path)
    for (location,) in connection.execute("SELECT ecal_name FROM ecal"):
        key = location.removeprefix(stores.hot)
        stores.hot_account.put("hot", key, b"x")
        for i in range(objects - 1):
            stores.hot_account.put("hot", f"{key.rpartition('/')[0]}/cam_{i:02d}.h264", b"x")
    connection.close()


def survey(work, catalog, stores, days, options):
    """The first days of recordings, all of which are there."""
    catalog.execute("UPDATE ecal SET is_valid = 1")
    write_policies(work, catalog, stores, days)
    log = os.environ["AZURITE_ACCESS_LOG"]
    mark = os.path.getsize(log)
    wall, _, peak, code = measure([os.environ["FROSTLINE"], "plan", "-q", "--out", "s.plan"],
                                  work, environment(work))
    assert code == 0, code
    time.sleep(0.5)  # the log is written behind the reply
    with open(os.path.join(work, "s.plan")) as plan:
        moves = sum(line.startswith('{"action":"move"') for line in plan)
    lists, all_requests = requests(log, mark, "GET", "comp=list"), requests(log, mark)
    fewest = min(moves, -(-moves * options.objects // PAGE_OBJECTS))
    print("%6d directories of %d objects: %4d list requests (fewest: %d), %d others; %.2f s, peak "
          "%.1f MiB" % (moves, options.objects, lists, fewest, all_requests - lists, wall, peak),
          flush=True)


def main():
    options = arguments()
    with work_folder("azurite") as work:
        stores = Azure()
        catalog = Sqlite(work, options.directories, stores.hot, options.minutes)
        fill(catalog, stores, options.objects)
        days = -(-options.directories * options.minutes // (24 * 60))
        for share in (1, 2, 10):
            survey(work, catalog, stores, -(-days // share), options)


if __name__ == "__main__":
    main()
