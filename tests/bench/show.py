#!/usr/bin/env python3
"""Times a plan of many moves: written, checked and read back, at a tenth of its size and whole.

  show.py [--actions N] [--runs N]

Memory is to stay the same; MB/s are those of the plan's file.  Needs FROSTLINE (the program)."""
import argparse
import os
import statistics
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from bench import measure, work_folder
from catalogs import Local, Sqlite, environment, write_policies

COMMANDS = {"plan": ["plan", "--survey", "none", "-q", "--out", "m.plan"],
            "show": ["show", "m.plan"],
            "show --all": ["show", "m.plan", "--all"],
            "show --format json": ["show", "m.plan", "--format", "json"],
            "diff": ["diff", "m.plan", "m.plan"]}


def one_size(work, actions, runs):
    folder = os.path.join(work, str(actions))
    os.mkdir(folder)
    stores = Local(folder)
    catalog = Sqlite(folder, actions, stores.hot)
    catalog.execute("UPDATE ecal SET is_valid = 1")
    write_policies(folder, catalog, stores, days=-(-actions // 288))
    figures = {name: [] for name in COMMANDS}
    for _ in range(runs):
        for name, words in COMMANDS.items():
            figures[name].append(measure([os.environ["FROSTLINE"], *words], folder,
                                         environment(folder)))
            assert figures[name][-1][3] == 0, (name, figures[name][-1])
    plan = os.path.join(folder, "m.plan")
    with open(plan, "rb") as file:
        moves = sum(line.startswith(b'{"action":"move"') for line in file)
    assert moves == actions, (moves, actions)
    megabytes = os.path.getsize(plan) / 1e6
    print("%d moves, %.1f MB" % (actions, megabytes))
    for name, rows in figures.items():
        wall, cpu, peak, _ = (statistics.median(column) for column in zip(*rows))
        print("  %-20s %6.2f s, cpu %6.2f s, %6.1f MB/s, peak %.1f MiB" %
              (name, wall, cpu, megabytes / wall, peak), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--actions", type=int, default=500_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with work_folder() as work:
        for actions in (options.actions // 10, options.actions):
            one_size(work, actions, options.runs)


if __name__ == "__main__":
    main()
