#!/usr/bin/env python3
"""Times a move between two Azure accounts: frostline beside rclone, in turn, on fresh data.

  move.py [--recordings N] [--blobs N] [--size BYTES] [--runs N] [--further-rows N] [--no-index]
          [TOOL ...]      frostline-size, frostline-checksum, rclone (default: all)

Prints each run, then medians of wall time, client CPU, peak memory and requests in the server's log,
and ratios to rclone pair by pair.  With further rows in the table, each frostline runs without and
with them in turn, and the ratio is printed.  Needs FROSTLINE (the program), TOOLS (node_modules with Azurite),
PostgreSQL 15 and, for its row, rclone."""
import argparse
import os
import shutil
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from bench import measure, requests, server, work_folder


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--recordings", type=int, default=200)
    parser.add_argument("--blobs", type=int, default=10)
    parser.add_argument("--size", type=int, default=65536)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--further-rows", type=int, default=0)
    parser.add_argument("--no-index", action="store_true")
    parser.add_argument("tools", nargs="*")
    return parser.parse_args()


def further_rows(scene, count):
    """Rows of other directories, too young to move, in the same table."""
    from scene import sql
    base = scene.location("recording/2031-01-01/")
    sql(f"INSERT INTO {scene.table} SELECT 'FURTHER_' || i, '{base}' || i || '/' || i || '.ecalmeas',"
        f" '2999-01-01', 'map_1', 0.001, 600, true FROM generate_series(1, {count}) i;"
        f" ANALYZE {scene.table};")


def check_further_rows(scene, count):
    """They stand where they were; and go, so that the scene can be checked."""
    from scene import sql
    base = scene.location("recording/2031-01-01/")
    gone = sql(f"WITH gone AS (DELETE FROM {scene.table} WHERE ecal_id LIKE 'FURTHER_%'"
               f" AND starts_with(ecal_name, '{base}') RETURNING 1) SELECT count(*) FROM gone;")
    assert gone == [[str(count)]], gone


def rclone_command(scene, folder):
    config = os.path.join(folder, "rclone.conf")
    with open(config, "w") as file:
        for name, account in (("source", scene.source), ("target", scene.target)):
            file.write(f"[{name}]\ntype = azureblob\n"
                       f"sas_url = {account.endpoint}?{account.sas()}\n")
    return ["rclone", "--config", config, "-q", "--azureblob-list-chunk", "5000", "move",
            f"source:{scene.hot}", f"target:{scene.cold}", "--transfers", "8",
            "--server-side-across-configs"]


def command(tool, scene):
    if tool == "rclone":
        return rclone_command(scene, scene.folder)
    scene.policy(verify=tool.split("+")[0].split("-")[1])
    return scene.command("apply", "--auto-approve", "-q")


def one_run(tool, options, folder):
    """A fresh server, fresh data, the tool once."""
    from scene import Scene
    server("azurite", "start", folder)
    try:
        with Scene("bench", index=not options.no_index) as scene:
            scene.fill(options.recordings, options.blobs, options.size)
            if tool.endswith("+rows"):
                further_rows(scene, options.further_rows)
            words = command(tool, scene)
            mark = os.path.getsize(os.environ["AZURITE_ACCESS_LOG"])
            wall, cpu, memory, code = measure(words, scene.folder, scene.environment())
            time.sleep(0.3)  # the log is written behind the reply
            count = requests(os.environ["AZURITE_ACCESS_LOG"], mark)
            arrived = len(scene.target.names(scene.cold))
            left = len(scene.source.names(scene.hot))
            assert code == 0 and arrived == len(scene.objects) and left == 0, (code, arrived, left)
            if tool.endswith("+rows"):
                check_further_rows(scene, options.further_rows)
            if tool != "rclone":
                scene.check_moved()
            return wall, cpu, memory, count / len(scene.objects)
    finally:
        server("azurite", "stop", folder)
        shutil.rmtree(folder)


def main():
    options = arguments()
    tools = options.tools or ["frostline-size", "rclone", "frostline-checksum"]
    if options.further_rows > 0:
        tools = [name for tool in tools if tool != "rclone" for name in (tool, tool + "+rows")]
    if "rclone" in tools and not shutil.which("rclone"):
        sys.exit("rclone is not installed (Debian's package rclone)")
    figures = {tool: [] for tool in tools}
    with work_folder("pg") as work:
        for run in range(options.runs):
            for tool in tools:
                row = one_run(tool, options, os.path.join(work, f"azurite-{run}-{tool}"))
                figures[tool].append(row)
                print("run %d  %-23s wall %6.2f s  cpu %6.2f s  peak %6.1f MiB  %.3f requests an "
                      "object" % (run, tool, *row), flush=True)
    print("\nmedians of %d runs, %d recordings of %d objects of %d bytes" %
          (options.runs, options.recordings, options.blobs, options.size))
    for tool, rows in figures.items():
        wall, cpu, memory, count = (statistics.median(column) for column in zip(*rows))
        print("%-23s wall %6.2f s  cpu %6.2f s  peak %6.1f MiB  %.3f requests an object" %
              (tool, wall, cpu, memory, count))
    for tool in figures:
        other = tool.removesuffix("+rows") if tool.endswith("+rows") else "rclone"
        if tool != other and other in figures:
            pairs = list(zip(figures[tool], figures[other]))
            print("%s / %s   wall %.2f  cpu %.2f" %
                  (tool, other, statistics.median(a[0] / b[0] for a, b in pairs),
                   statistics.median(a[1] / b[1] for a, b in pairs)))


if __name__ == "__main__":
    main()
