#!/usr/bin/env python3
"""Secrets go where they are used, and nowhere else: not into what is printed, written or dumped, and
not to who lists the processes.  And what is written is for its owner alone."""
import base64
import glob
import os
import re
import resource
import signal
import stat
import subprocess
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from blobs import Account
from box import Box
from scene import Run, Scene, main, sql
from stranger import Puppet, Stranger

SOURCE, TARGET = "SOURCE_AZURE_CONNECTION_STRING", "COLD_STORAGE_CONNECTION_STRING"
WRONG_PASSWORD = "wr0ng-canary-password"
WRONG_KEY = base64.b64encode(b"wr0ng-canary-key-" * 4).decode()


def key_of(connection_string):
    return re.search("AccountKey=([^;]+)", connection_string).group(1)


def forms(secret):
    """A secret as it may stand somewhere: itself, in a URL, in base64 and out of it."""
    found = {secret, urllib.parse.quote(secret, safe=""), base64.b64encode(secret.encode()).decode()}
    try:
        found.add(base64.b64decode(secret, validate=True).decode("latin-1"))
    except ValueError:
        pass
    return {form.encode("latin-1") for form in found if len(form) >= 8}


class Watched(Scene):
    """A scene that keeps whatever frostline and its children print, write, or are called with."""

    def __init__(self, name):
        self.secrets = {os.environ["DB_PASSWORD"], WRONG_PASSWORD, WRONG_KEY, "SharedKey ",
                        key_of(os.environ[SOURCE]), key_of(os.environ[TARGET])}
        self.told = b""
        super().__init__(name)
        os.mkdir(os.path.join(self.folder, "tmp"))

    def environment(self, **more):
        values = super().environment(TMPDIR=os.path.join(self.folder, "tmp"), **more)
        return {name: value for name, value in values.items() if value is not None}

    def run(self, *words, timeout=300, **more):
        process = subprocess.Popen(self.command(*words), cwd=self.folder, stdin=subprocess.DEVNULL,
                                   env=self.environment(**more), stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        called, ended = [b""], threading.Event()
        watcher = threading.Thread(target=watch, args=(process.pid, called, ended))
        watcher.start()
        out, err = process.communicate(timeout=timeout)
        ended.set()
        watcher.join()
        process.stdout, process.stderr = out, err
        self.told += (out + err).encode() + called[0]
        return Run(process)

    def check_secrets(self):
        assert b"frostline\0plan\0" in self.told, "nobody saw the processes"
        for path in glob.glob(f"{self.folder}/**", recursive=True, include_hidden=True):
            if os.path.isfile(path) and not path.endswith(".secret"):
                with open(path, "rb") as file:
                    self.told += file.read()
        for secret in self.secrets:
            for form in forms(secret):
                at = self.told.find(form)
                assert at < 0, (secret, self.told[max(at - 300, 0):at + 100])
        assert b"sig=" not in self.told


def watch(pid, called, ended):
    """What anybody may read of a process and its children."""
    while not ended.is_set():
        try:
            for path in [f"/proc/{pid}/cmdline", *children(pid)]:
                with open(path, "rb") as file:
                    said = file.read()
                if said not in called[0]:
                    called[0] += said
        except OSError:
            pass
        time.sleep(0.002)


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [f"/proc/{child}/cmdline" for child in file.read().split()]


def every_verb(scene, environment, plan="p.plan"):
    for words in (["validate", "--online"], ["plan", "--all", "--out", plan], ["show", plan, "--all"],
                  ["show", plan, "--format", "json"], ["explain", "ECAL_00000"],
                  ["apply", plan, "--auto-approve"], ["status", "--all"],
                  ["status", "--format", "json"], ["plan", "--out", f"{plan}.2"],
                  ["diff", plan, f"{plan}.2"], ["reap"], ["reconcile"], ["doctor"]):
        yield scene.run(*words, "-v", "-v", **environment)


# -- secrets -------------------------------------------------------------------------------------


def case_a_good_run_tells_no_secret():
    with Watched("good") as scene:
        scene.fill(2)
        scene.policy(after="1h")
        codes = [run.code for run in every_verb(scene, {})]
        assert codes == [0] * 13, (codes, scene.told[-2000:])
        scene.check_secrets()


def case_secrets_come_from_files_as_well():
    with Watched("files") as scene:
        scene.fill(2)
        path = scene.policy(after="1h")
        with open(path) as file:
            text = file.read()
        text = text.replace("${%s}" % SOURCE, "${file:source.secret}")
        text = text.replace("${%s}" % TARGET, "${credential:target.secret}")
        text = text.replace("    password: ${DB_PASSWORD}\n", "")
        with open(path, "w") as file:
            file.write(text)
        passes = ":".join([os.environ[name] for name in ("DB_HOST", "DB_PORT", "DB_NAME", "DB_USER",
                                                         "DB_PASSWORD")])
        for name, secret in (("source", os.environ[SOURCE]), ("target", os.environ[TARGET]),
                             ("pass", passes)):
            path = os.path.join(scene.folder, name + ".secret")
            with open(path, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
                file.write(secret + "\n")
        codes = [run.code for run in every_verb(scene, {
            SOURCE: None, TARGET: None, "DB_PASSWORD": None, "CREDENTIALS_DIRECTORY": scene.folder,
            "PGPASSFILE": os.path.join(scene.folder, "pass.secret")})]
        assert codes == [0] * 13, (codes, scene.told[-2000:])
        scene.check_secrets()


def case_a_sas_is_a_secret():
    with Watched("sas") as scene:
        scene.fill(2)
        scene.policy(after="1h")
        sas = {}
        for name, account in ((SOURCE, scene.source), (TARGET, scene.target)):
            signature = account.sas()
            scene.secrets.add(dict(urllib.parse.parse_qsl(signature))["sig"])
            sas[name] = f"BlobEndpoint={account.endpoint};SharedAccessSignature={signature}"
        codes = [run.code for run in every_verb(scene, sas)]
        assert codes == [0] * 13, (codes, scene.told[-2000:])
        scene.check_secrets()


def case_a_failure_tells_no_secret():
    with Watched("failure") as scene:
        scene.fill(2)
        scene.policy(after="1h")
        source = os.environ[SOURCE].replace(key_of(os.environ[SOURCE]), WRONG_KEY)
        for environment, code in (
                ({"DB_PASSWORD": WRONG_PASSWORD}, 77),
                ({"DB_NAME": "no_such_database"}, 65),
                ({"DB_NAME": f"password={WRONG_PASSWORD} x"}, 65),
                ({"DB_USER": "no_such_user"}, 77),
                ({SOURCE: source}, 77),
                ({SOURCE: source.replace("AccountKey=", "AccountKey")}, 65),
                ({SOURCE: source.replace("AccountKey=", "AccountKey=\x01")}, 65),
                ({SOURCE: source.replace("AccountKey=", "AccountKey=?")}, 65),
                ({SOURCE: source.replace("AccountName=", "BlobEndpoint=")}, 65),
                ({SOURCE: source.replace("http://", f"http://u:{WRONG_PASSWORD}@")}, 65),
                ({SOURCE: f"https://u:{WRONG_PASSWORD}@x/?sig={WRONG_PASSWORD}"}, 65)):
            for words in (["validate", "--online"], ["plan"], ["explain", "ECAL_00000"],
                          ["reconcile"], ["status"], ["doctor"]):
                run = scene.run(*words, "-v", "-v", **environment)
                if words[0] in ("validate", "doctor"):
                    run.must(code)
        scene.check_untouched()
        scene.check_secrets()


def case_nobody_there_is_told_no_secret():
    with Watched("nobody") as scene:
        scene.fill(1)
        with open(scene.policy(), "r+") as file:
            text = file.read()
            begin, end = text.index("    host:"), text.index("  table:")
            file.seek(0)
            file.truncate()
            file.write(text[:begin] + "    url: ${DB_URL}\n" + text[end:])
        password = os.environ["DB_PASSWORD"]
        for url in (f"postgresql://u:{password}@127.0.0.1:1/x", f"postgresql://u:p@{password}@h/x",
                    f"postgresql://u:{password}/p@h/x", f"postgresql://u:%zz{password}@h/x",
                    f"postgresql://h/x?passwd&{password}"):
            assert scene.run("plan", "-v", "-v", DB_URL=url).code in (65, 75), url
        scene.check_secrets()


def case_a_secret_in_the_policy_is_not_repeated():
    with Watched("literal") as scene:
        path = scene.policy()
        with open(path) as file:
            good = file.read()
        literals = [("password: ${DB_PASSWORD}", f"password: {WRONG_PASSWORD}"),
                    ("password: ${DB_PASSWORD}", f"pasword: {WRONG_PASSWORD}"),
                    ("password: ${DB_PASSWORD}", f"password: [{WRONG_PASSWORD}]"),
                    ("password: ${DB_PASSWORD}", f"password: {WRONG_PASSWORD}\n    password: x"),
                    ("${%s}" % SOURCE, f"AccountName=a;AccountKey={WRONG_KEY}"),
                    ("${%s}" % SOURCE, f"AccountName=a;AccountKey={WRONG_KEY};x"),
                    ("${DB_HOST}", f"${{DB_HOST}}\n    sslpassword: {WRONG_PASSWORD}")]
        for old, new in literals:
            assert old in good, old
            for form in ("human", "json", "github"):
                validated(scene, good.replace(old, new), form).must(65)
        # Arguments are seen by everybody: one that shall be a secret is refused.
        told = validated(scene, good.replace("${DB_PASSWORD}", "$pw").replace(
            "catalog:", "vars: {pw: x}\ncatalog:", 1), "human", "--var", "pw=argued").must(65)
        assert "FL0306" in told.err and "argued" not in told.err, told.err
        scene.policy()
        scene.run("plan")
        scene.check_secrets()


def validated(scene, text, form, *words):
    """The policy is gone before secrets are looked for."""
    path = os.path.join(scene.folder, "frostline.yaml")
    with open(path, "w") as file:
        file.write(text)
    said = scene.run("validate", "--format", form, "-v", "-v", *words)
    os.unlink(path)
    return said


def case_a_store_that_repeats_what_it_was_told():
    with Watched("echo") as scene, Puppet(scene.source.host) as puppet:
        def answer(request):
            said = f"{request.path}\n{request.headers}\n{request.body.decode('latin-1')}"
            scene.secrets.update(re.findall(r"SharedKey \w+:(\S+)", said))
            scene.secrets.update(re.findall(r"[?&]sig=([^&\s]+)", said))
            return 403, [("x-ms-error-code", "AuthenticationFailed"), ("Content-Type",
                         "application/xml"), ("x-ms-request-id", "1")], (
                "<?xml version='1.0'?><Error><Code>AuthenticationFailed</Code><Message>The signature "
                f"of\n<![CDATA[{said}]]> is wrong</Message></Error>").encode()
        puppet.answer = answer
        scene.source.endpoint = scene.source.endpoint.replace(puppet.real, puppet.host)
        scene.fill(1)
        scene.policy()
        accounts = {SOURCE: os.environ[SOURCE].replace(puppet.real, puppet.host)}
        puppet.answer = lambda request: None
        scene.run("plan", "--out", "p.plan", **accounts).must()
        puppet.answer = answer
        for words in (["validate", "--online"], ["plan", "--all", "--out", "q.plan"],
                      ["apply", "p.plan", "--auto-approve"], ["status", "--all"]):
            scene.run(*words, "-v", "-v", **accounts)
        assert len(scene.secrets) > 6, scene.secrets
        scene.check_secrets()
        puppet.answer = lambda request: None


# -- cores ---------------------------------------------------------------------------------------


def case_no_core_is_left():
    def unlimited():
        most = resource.RLIM_INFINITY if os.geteuid() == 0 else resource.getrlimit(
            resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (most, most))

    for number in (signal.SIGABRT, signal.SIGQUIT, signal.SIGSEGV):
        with Watched("core") as scene, Stranger() as silent:
            scene.policy()
            scene.source.endpoint = scene.source.endpoint.replace(scene.source.host, silent.host)
            scene.add_row("A", scene.location("recording/1/a"))
            hangs = os.environ[SOURCE].replace(scene.source.host, silent.host)
            process = subprocess.Popen(scene.command("plan"), cwd=scene.folder, text=True,
                                       env=scene.environment(**{SOURCE: hangs}), preexec_fn=unlimited,
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            while not silent.heard and process.poll() is None:
                time.sleep(0.01)
            assert b"Authorization: SharedKey" in silent.heard[0], silent.heard
            process.send_signal(number)
            _, status = os.waitpid(process.pid, 0)
            process.returncode = -number
            assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == number, status
            assert not os.WCOREDUMP(status), "a core was dumped"
            assert [name for name in os.listdir(scene.folder) if "core" in name] == []


# -- who may read ----------------------------------------------------------------------------------


def modes(box, name):
    top = os.path.join(box.folder, name)
    paths = [top, *glob.glob(f"{top}/**", recursive=True, include_hidden=True)]
    return {os.path.relpath(path, box.folder): stat.S_IMODE(os.stat(path).st_mode)
            for path in paths if os.path.exists(path)}


def case_what_is_written_is_for_its_owner_alone():
    with Box() as box:
        box.add("A", "recording/1/a/")
        box.add("B", "recording/1/b/")
        before = os.umask(0)
        try:
            box.policy(after="1h")
            for words in (["plan", "--out", "p.plan"], ["apply", "p.plan", "--auto-approve"],
                          ["reconcile"], ["status"], ["demo", "--keep", "sandbox"]):
                box.run(*words).must()
        finally:
            os.umask(before)
        found = {**modes(box, "state"), **modes(box, "sandbox"), **modes(box, "p.plan")}
        assert {"state", "state/journal.db", "state/run.lock", "p.plan"} <= set(found), found
        open_ones = {path: oct(mode) for path, mode in found.items() if mode & 0o077}
        assert open_ones == {}, open_ones


if __name__ == "__main__":
    main(globals())
