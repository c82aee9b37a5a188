#!/usr/bin/env python3
"""Times planning over many catalog rows in PostgreSQL, without survey, against psql's \\copy of the
same columns in the same order to /dev/null, in turn.

  rows.py [--rows N] [--runs N] [--days N]     a row every five minutes: 35 days are 1 % of 1,000,000

Needs FROSTLINE (the program) and PostgreSQL 15."""
import argparse
import datetime
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "e2e", "lib"))
from move import measure, server


def fill(scene, rows):
    from scene import sql
    base = scene.location("recording/")
    sql(f"""INSERT INTO {scene.table}
        SELECT 'ECAL_' || i,
               '{base}' || to_char(t, 'YYYY-MM-DD') || '/session_' || lpad((i % 7)::text, 2, '0') || '/' ||
               to_char(t, 'YYYY-MM-DD_HH24-MI-SS') || '_' || i || '/' || i || '.ecalmeas',
               t, 'map_' || i % 5, 0.001, 600 + i % 1200, i % 17 <> 0
        FROM (SELECT i, timestamp '2015-01-01' + i * interval '5 minutes' AS t
              FROM generate_series(1, {rows}) i) s;
        VACUUM ANALYZE {scene.table};""")


def psql_copy(scene):
    columns = "ecal_id, ecal_name, recording_start_time, size_gb, is_valid"
    directory = ("left(ecal_name, length(ecal_name) - strpos(reverse(ecal_name), '/') + 1)"
                 ' COLLATE "C"')
    query = (f"SELECT {columns} FROM {scene.table} ORDER BY {directory}, "
             f'ecal_name COLLATE "C", ecal_id COLLATE "C"')
    return ["psql", "-X", "-q", "-h", os.environ["DB_HOST"], "-p", os.environ["DB_PORT"], "-U",
            os.environ["DB_USER"], "-d", os.environ["DB_NAME"], "-c",
            f"\\copy ({query}) to /dev/null"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--days", type=int, default=35, help="how many of the first are selected")
    options = parser.parse_args()
    work = tempfile.mkdtemp(prefix="frostline-bench.")
    os.chmod(work, 0o755)
    folder = os.path.join(work, "pg")
    server("pg", "start", folder)
    os.environ["PGPASSWORD"] = os.environ["DB_PASSWORD"]
    for name, account in (("SOURCE_AZURE", "hot"), ("COLD_STORAGE", "cold")):
        os.environ[name + "_CONNECTION_STRING"] = (
            f"DefaultEndpointsProtocol=http;AccountName={account};AccountKey=c2VjcmV0;"
            f"BlobEndpoint=http://127.0.0.1:9/{account};")
    try:
        from scene import Scene
        scene = Scene("rows", reach_stores=False)
        fill(scene, options.rows)
        last = datetime.date(2015, 1, 1) + datetime.timedelta(days=options.days - 1)
        scene.policy(select=f"dates: {{from: 2015-01-01, to: {last}}}, valid: true")
        ratios = []
        for run in range(options.runs):
            copy = measure(psql_copy(scene), scene)
            plan = measure(scene.command("plan", "--survey", "none", "--out", f"{run}.plan", "-q"),
                           scene)
            assert copy[3] == 0 and plan[3] == 0, (copy, plan)
            ratios.append(plan[0] / copy[0])
            print("run %d  psql \\copy %6.2f s   frostline plan %6.2f s, cpu %.2f s, peak %.1f MiB   "
                  "ratio %.2f" % (run, copy[0], plan[0], plan[1], plan[2], ratios[-1]), flush=True)
        print("%d rows: median ratio %.2f" % (options.rows, statistics.median(ratios)))
    finally:
        server("pg", "stop", folder)
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
