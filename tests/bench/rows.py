#!/usr/bin/env python3
"""Times planning over many catalog rows, without survey, against reading the same columns in the
same order with the database's own client (psql's \\copy to /dev/null, sqlite3 -csv), in turn.

  rows.py [--catalog postgres|sqlite] [--rows N] [--policies N] [--runs N]

About 1 % of the rows are selected.  Needs FROSTLINE (the program), and PostgreSQL 15 or sqlite3."""
import argparse
import os
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from bench import measure, work_folder
from catalogs import CATALOGS, Local, environment, write_policies


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--catalog", choices=CATALOGS, default="postgres")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--policies", type=int, default=20)
    parser.add_argument("--runs", type=int, default=3)
    return parser.parse_args()


def main():
    options = arguments()
    ratios, peaks = [], []
    with work_folder(*["pg"] * (options.catalog == "postgres")) as work:
        stores = Local(work)
        catalog = CATALOGS[options.catalog](work, options.rows, stores.hot)
        write_policies(work, catalog, stores, options.rows // 100 // 288, options.policies)
        for run in range(options.runs):
            plan = [os.environ["FROSTLINE"], "plan", "--survey", "none", "-q", "--out",
                    f"{run}.plan"]
            ours, theirs = measure(plan, work, environment(work)), measure(catalog.export(), work)
            assert ours[3] == 0 and theirs[3] == 0, (ours, theirs)
            ratios.append(ours[0] / theirs[0])
            peaks.append(ours[2])
            print("run %d  client %6.2f s   frostline plan %6.2f s, cpu %.2f s, peak %.1f MiB   "
                  "ratio %.2f" % (run, theirs[0], *ours[:3], ratios[-1]), flush=True)
    print("%s, %d rows, %d policies: median ratio %.2f, peak %.1f MiB" %
          (options.catalog, options.rows, options.policies, statistics.median(ratios), max(peaks)))


if __name__ == "__main__":
    main()
