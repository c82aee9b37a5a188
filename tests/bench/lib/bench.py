"""What benchmarks share: servers, a folder for their data, and a measure of one command."""
import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "e2e", "lib"))
SERVERS = os.path.join(HERE, "..", "..", "servers")


def server(name, verb, folder):
    subprocess.run([os.path.join(SERVERS, name + ".sh"), verb, folder], check=True)
    if verb == "start":
        out = subprocess.run(["bash", "-c", f". {folder}/env; env -0"], capture_output=True,
                             text=True, check=True).stdout
        os.environ.update(line.split("=", 1) for line in out.split("\0") if "=" in line)


@contextlib.contextmanager
def work_folder(*servers):
    """A folder of its own, in which these servers run; all of it goes in the end."""
    work = tempfile.mkdtemp(prefix="frostline-bench.")
    os.chmod(work, 0o755)
    try:
        for name in servers:
            server(name, "start", os.path.join(work, name))
        yield work
    finally:
        for name in servers:
            server(name, "stop", os.path.join(work, name))
        shutil.rmtree(work)


def peak_mib(pid):
    """The high-water mark of its memory, or 0 once it is gone.  (What wait4 tells begins with the
    memory of this interpreter.)"""
    try:
        with open(f"/proc/{pid}/status") as status:
            found = re.search(r"VmHWM:\s+(\d+) kB", status.read())
            return int(found.group(1)) / 1024 if found else 0
    except OSError:
        return 0


def measure(words, folder, environment=None):
    """Wall time and CPU in seconds, peak memory in MiB, exit code."""
    began = time.monotonic()
    process = subprocess.Popen(words, cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL)
    peak, done = 0, 0
    while not done:
        peak = max(peak, peak_mib(process.pid))
        time.sleep(0.01)
        done, status, usage = os.wait4(process.pid, os.WNOHANG)
    process.returncode = os.waitstatus_to_exitcode(status)
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime, peak, process.returncode


def requests(log, since, verb="[A-Z]+", query=""):
    """How many such requests stand in a server's log from this byte on."""
    with open(log, errors="replace") as file:
        file.seek(since)
        return len(re.findall(rf'"{verb} /\S*{query}', file.read()))
