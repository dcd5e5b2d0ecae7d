#!/usr/bin/env python3
# test_web.py - meters behind web servers and in files: right, failing in many ways, and never in the way of others
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request

import harness
from harness import Skip, TREE, call, equal, expect, last_json, near
from web import V1, Page, Redfish, Server, fingerprint, legacy, link, make_certificate, subsystem, with_systems

WATTS = 200.0
APART_S = 1  # a Redfish service is read no more often


def measure(place, url, seconds=1.0, name="j", options=()):
    """A run of that long with the meter at URL; (report, what it printed)."""
    done = call("run", "--out", os.path.join(place, "out"), "--name", name, "--force", "--json", "--period", "50ms", "--meter",
                url, *options, "--", "sleep", seconds)
    equal(done.returncode, 0, done.stderr)
    return last_json(done.stderr), done.stderr


def told(url):
    """What sources says of the meter's first domain."""
    done = call("sources", "--json", "--no-probe", "--meter", url)
    equal(done.returncode, 0, done.stderr)
    kind = url.split(":")[0].replace("https", "http")
    return next(s for s in json.loads(done.stdout)["sources"] if s["name"] == kind)["domains"]


def domain(report, identity):
    return next(d for d in report["energy"]["by_domain"] if d["id"] == identity)


def faults(report, identity):
    return {f["fault"] for f in report["quality"]["faults"] or [] if f["id"] == identity}


def credentials(place, password="secret", user="monitor", mode=0o600):
    path = os.path.join(place, "credentials-" + password)
    with open(path, "w", encoding="utf-8") as file:
        if user:
            file.write(f"user: {user}\n")
        file.write(f"password: {password}\n")
    os.chmod(path, mode)
    return path


def write(path, text):
    """As a careful writer does: whole or not at all."""
    with open(path + ".new", "w", encoding="utf-8") as file:
        file.write(text)
    os.rename(path + ".new", path)


class Writer:
    """Rewrites a file every 50 ms with text(n)."""

    def __init__(self, path, text):
        self.path, self.text, self.n, self.runs = path, text, 0, True
        write(path, text(0))
        self.thread = threading.Thread(target=self.go, daemon=True)
        self.thread.start()

    def go(self):
        while self.runs:
            time.sleep(0.05)
            self.n += 1
            write(self.path, self.text(self.n))

    def stop(self):
        self.runs = False
        self.thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def test_json_of_a_server(place):
    """A server's number, a power or a counter, becomes joules; it is asked as often as was said."""
    start = time.monotonic()
    with Page(lambda _: json.dumps({"n17": {"power": WATTS, "kwh": (time.monotonic() - start) * WATTS / 3.6e6}})) as page:
        base = f"http://127.0.0.1:{page.port}/api?period=100ms"
        report, _ = measure(place, base + "#/n17/power")
        near(domain(report, "http/node")["energy_j"], WATTS * report["job"]["duration_s"], 0.05 * WATTS, "power")
        equal(domain(report, "http/node")["kind"], "integrated")
        expect(report["quality"]["period_ms"]["mean"] < 900, report["quality"]["period_ms"])
        report, _ = measure(place, base + "&unit=kWh#/n17/kwh")
        near(domain(report, "http/node")["energy_j"], WATTS * report["job"]["duration_s"], 0.25 * WATTS, "counter")
        equal(domain(report, "http/node")["kind"], "measured")
        expect(page.requests[0][1] == "/api", page.requests[0])
        told(f"http://127.0.0.1:{page.port}/a%20b?node=n%261&server.unit=W&unit=W#/n17/power")
        equal(page.requests[-1][1], "/a%20b?node=n%261&unit=W")
        # A meter that does not answer is told by those who only look.
        with socket.socket() as held:
            held.bind(("127.0.0.1", 0))  # nobody listens there
            url = f"http://127.0.0.1:{held.getsockname()[1]}/x"
            done = call("doctor", "--meter", url)
            equal(done.returncode, 1, done.stdout)
            expect("http/node: 127.0.0.1: " in done.stdout, done.stdout)
            expect("http/node: 127.0.0.1: " in call("top", "--once", "--meter", url).stdout, "top is silent")
        # What was estimated before the first answer is no part of what is shown of the node.
        shown = json.loads(call("top", "--json", "--period", "3s", "--meter", base + "#/n17/power").stdout)["gauges"][0]
        near(shown["power_w"], WATTS, 0.01 * WATTS, shown)
        # A slip in one of ours would otherwise go to the server, and the number be taken for watts.
        done = call("sources", "--no-probe", "--meter", f"http://127.0.0.1:{page.port}/api?unti=kWh#/n17/kwh")
        expect(done.returncode and "did you mean 'unit' by 'unti'" in done.stderr, done.stderr)


def test_newest_element(place):
    """An API that lists values of several meters: the newest of the one that is meant, at its own time."""
    begin = time.time()

    def api(_):
        now = time.time() - 0.5  # what the API knows is half a second old
        n = int((now - begin + 100) / 0.2)
        rows = [{"timestamp": begin - 100 + i * 0.2, "device_id": "n-1", "metric_id": "watts", "value": WATTS + (i % 2)}
                for i in range(n - 3, n)]
        rows += [{"timestamp": time.time(), "device_id": "n-1", "metric_id": "ambient", "value": 23}]
        return json.dumps(rows)

    with Page(api) as page:
        report, _ = measure(place, f"http://127.0.0.1:{page.port}/metrics?nodes=n-1&where=metric_id:watts&time=/timestamp"
                            "&period=50ms#/value", 2)
    part = domain(report, "http/node")
    near(part["energy_j"], (WATTS + 0.5) * report["job"]["duration_s"], 20, "watts")
    expect(faults(report, "http/node") <= {"slow"}, report["quality"])
    # Asked each 50 ms, there is a value each 200 ms only, and the same one twice is one.
    expect(page.requests[0][1] == "/metrics?nodes=n-1", page.requests[0])


def test_values_from_before_the_start(place):
    """What a meter took before the command began makes the job no longer, and its energy no larger."""
    begin = time.time() - 7

    def api(_):
        now = time.time()
        return json.dumps({"w": WATTS, "t": now - (now - begin) % 8})  # a value each 8 s: the last one is 7 s old

    with Page(api) as page:
        report, _ = measure(place, f"http://127.0.0.1:{page.port}/?time=/t&period=100ms#/w", 2)
    expect(report["job"]["duration_s"] < 5, report["job"])
    near(domain(report, "http/node")["energy_j"], WATTS * report["job"]["duration_s"], 0.02 * WATTS, "power")


def test_files(place):
    """JSON, a table and a line that a wattmeter's program writes; one that it writes no more is said to be old."""
    path = os.path.join(place, "w")
    for text, query in ((lambda n: json.dumps({"w": WATTS, "n": n}), "#/w"), (lambda n: f"{WATTS}\n", ""),
                        (lambda n: "time,power_w\n" + "".join(f"{time.time():.3f},{WATTS}\n" for _ in range(9)) + "17,1",
                         "?column=power_w&time=time"), (lambda n: f"x: 1\nwatts: {WATTS}\n", "?key=watts")):
        with Writer(path, text):
            report, _ = measure(place, f"file:{path}{query}{'&' if '?' in query else '?'}period=50ms", 0.7)
        near(domain(report, "file/node")["energy_j"], WATTS * report["job"]["duration_s"], 0.2 * WATTS, query)
        equal(faults(report, "file/node") - {"slow"}, set(), query)
        root = os.path.join(place, "root")  # a tree that stands for the machine has files of its own
        os.makedirs(root, exist_ok=True)
        done = call("sources", "--json", "--no-probe", "--root", root, "--meter", f"file:{path}{query}")
        expect("cannot open" in done.stdout, done.stdout)
    # Nobody writes it any more: before the run, and within it.
    first = told(f"file:{path}?key=watts&stale=1ms")[0]
    equal(first["state"], "absent")
    expect("not written" in first["reason"], first)
    writer = Writer(path, lambda n: f"{WATTS}\n")
    threading.Timer(0.8, writer.stop).start()
    report, _ = measure(place, f"file:{path}?period=50ms&stale=300ms", 2.5)
    equal(faults(report, "file/node"), {"stale"})
    for words, problem in ((f"file:{place}#/w", "directory"), (f"file:{place}/none#/w", "cannot open"),
                           (f"file:{path}#/w", "nothing at"), (f"file:{path}?key=watts", "begins with")):
        first = told(words)[0]
        equal(first["state"], "absent", words)
        expect(problem in first["reason"], first["reason"])


def test_long_table(place):
    """Of a table of megabytes only its ends are read."""
    path = os.path.join(place, "long.csv")
    with open(path, "w", encoding="utf-8") as file:
        file.write("time;power_w\n" + "1700000000;99\n" * 200000 + f"1700000001;{WATTS}\n")
    report, _ = measure(place, f"file:{path}?column=power_w&stale=0&period=50ms", 0.5)
    near(domain(report, "file/node")["mean_w"], WATTS, 0.1, "last line")


def test_trust(place):
    """A certificate that nobody vouches for is refused before a word is said; file, key, or the user's own risk let it in."""
    certificate = make_certificate(place)
    other = make_certificate(place, "elsewhere", "other")
    path = credentials(place)
    with Redfish(legacy(WATTS), certificate) as bmc, Page('{"w": 5}', certificate) as page:
        base = f"redfish://localhost:{bmc.port}?credentials={path}"
        for more, reason in (("", "not trusted"), ("&ca=" + other[0], "not trusted"),
                             ("&fingerprint=" + fingerprint(other[0]), "fingerprint"), ("&ca=/none", "")):
            first = told(base + more)[0]
            equal(first["state"], "absent", more)
            expect(reason in first["reason"], first["reason"])
            expect(more.startswith("&ca=/none") or "fingerprint=sha256:" in first["fix"], first["fix"])
        equal(bmc.requests, [])
        for more in ("&ca=" + certificate[0], "&fingerprint=" + fingerprint(certificate[0])):
            first = told(base + more)[0]
            equal((first["state"], "not checked" in first["reason"]), ("unproven", False), more)
        expect("not checked" in told(base + "&verify=no")[0]["reason"], "verify=no is said")
        first = told(f"https://localhost:{page.port}/?ca={certificate[0]}#/w")[0]
        equal(first["state"], "unproven", first)
        first = told(f"redfish://localhost:{page.port}?scheme=http")[0]
        equal(first["state"], "absent", first)


def test_who_we_are(place):
    """A wrong password is tried once; a file that others may read, never; without sessions each request carries it."""
    with Redfish(legacy(WATTS)) as bmc:
        base = f"redfish://127.0.0.1:{bmc.port}?scheme=http&period=1s&credentials="
        report, words = measure(place, base + credentials(place, "wrong"), 4)
        equal(bmc.denied, 1, "tries")
        expect("refused" in words or "denied" in words, words)
        equal(faults(report, "redfish/node") - {"denied"}, set())
        first = told(base + credentials(place, "wrong"))[0]
        equal(first["state"], "denied")
        expect("credentials=" in first["fix"], first)
        n = len(bmc.requests)
        first = told(base + credentials(place, "open", mode=0o644))[0]
        equal((first["state"], len(bmc.requests)), ("denied", n), first)
        equal(told(f"redfish://127.0.0.1:{bmc.port}?scheme=http")[0]["state"], "denied")
        # Every place is taken: basic authentication.
        bmc.places = 0
        first = told(base + credentials(place))[0]
        equal((first["state"], bmc.made), ("unproven", 0), first)
        expect("in clear" in first["reason"], first)
        bmc.has_sessions = False
        equal(told(base + credentials(place))[0]["state"], "unproven")
    seen = []
    with Page(lambda request: seen.append(request.headers.get("Authorization")) or '{"w": 5}') as page:
        equal(told(f"http://127.0.0.1:{page.port}/?credentials={credentials(place, 't0ken', user=None)}#/w")[0]["state"],
              "unproven")
    equal(seen[0], "Bearer t0ken")


def test_a_slow_prometheus(place):
    """One that does not tell now how old its value is has not said that it has no age; slow answers have one time together."""
    def answer(request):
        is_time = "timestamp" in request.path
        value = {"resultType": "vector", "result": [{"metric": {}, "value": [time.time(), str(time.time()) if is_time else "200"]}]}
        return 503 if is_time and server.is_busy else 200, {}, json.dumps({"status": "success", "data": value}).encode()

    with Server(answer) as server:
        server.is_busy = False
        url = f"prometheus://127.0.0.1:{server.port}?query=w&timeout=1s"
        equal(told(url)[0]["state"], "unproven")
        server.is_busy = True
        first = told(url)[0]
        equal(first["state"], "absent", first)
        expect("busy" in first["reason"], first)
        server.is_busy, server.delay_s = False, 0.8
        first = told(url)[0]
        equal(first["state"], "absent", first)
        # Never read again, in the words of one whose thread is lost.
        expect("did not come back" not in first["reason"], first)


def test_silence_of_many(place):
    """However many meters say nothing, the command waits for them as long as for one."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        meters = []
        for name in range(6):
            meters += ["--meter", f"http://127.0.0.1:{silent.getsockname()[1]}/?name=m{name}&timeout=2s#/w"]
        begin = time.monotonic()
        done = call("run", "--out", os.path.join(place, "out"), "--name", "many", *meters, "--", "true")
        took = time.monotonic() - begin
        equal(done.returncode, 0, done.stderr)
        equal(done.stderr.count("going on without it"), 6, done.stderr)
        # One after the other they took 2 s each at the start, and as long at the end.
        expect(took < 10, f"{took} s")


def test_connections_are_ours(place):
    """A command that is measured gets no connection to a meter, only what was open before."""
    with Page('{"w": 5}') as page, open(os.path.join(place, "given"), "w", encoding="utf-8") as given:
        done = call("run", "--out", os.path.join(place, "out"), "--name", "fds", "--meter", f"http://127.0.0.1:{page.port}/#/w", "--",
                    "ls", "-l", "/proc/self/fd", pass_fds=[given.fileno()])
        equal(done.returncode, 0, done.stderr)
        expect("socket:" not in done.stdout and "eventpoll" not in done.stdout, done.stdout)
        expect(given.name in done.stdout, done.stdout)


def test_a_session(place):
    """One session serves a run, is opened anew when it has expired, and is closed at the end."""
    asked = []

    def watts():
        asked.append(1)
        if len(asked) == 3:
            bmc.tokens.clear()
        return WATTS

    with Redfish(legacy(watts, limit=500)) as bmc:
        report, _ = measure(place, f"redfish://127.0.0.1:{bmc.port}?scheme=http&period=1s&credentials={credentials(place)}", 4)
        equal((bmc.made, bmc.deleted, bmc.denied, len(bmc.tokens)), (2, 1, 0, 0), "sessions")
        equal(bmc.connections, 2, "one connection a session")
    part = domain(report, "redfish/node")
    near(part["energy_j"], WATTS * report["job"]["duration_s"], 1, "energy")
    equal((part["limit_w"], part["limit_kind"], faults(report, "redfish/node")), (500, "power_limit", set()))
    near(report["energy"]["node_j"], part["energy_j"], 0.01, "node")


def test_which_chassis(place):
    """Of nested chassis the node's own; four nodes behind one controller stand for none, and are never added up."""
    nested = legacy(210, "Board", "1")
    nested.update({k: v for k, v in legacy(320, "Node", "1").items() if "/Chassis/Node" in k})
    nested.update({k: v for k, v in legacy(1400, "Enclosure", "1").items() if "/Chassis/Enclosure" in k})
    del nested[V1 + "/Chassis"]
    with_systems(nested, {"1": ["Board", "Node", "Enclosure"], "2": ["Enclosure"]})
    nested[V1 + "/Chassis/Board"]["Links"]["ContainedBy"] = link(V1 + "/Chassis/Node")
    nested[V1 + "/Chassis/Node"]["Links"]["ContainedBy"] = link(V1 + "/Chassis/Enclosure")
    with Redfish(nested, user=None) as bmc:
        base = f"redfish://127.0.0.1:{bmc.port}"
        parts = {d["id"]: d for d in told(base + "/redfish/v1/Systems/1?scheme=http")}
        equal(list(parts), ["redfish/node"])
        expect("chassis Node" in parts["redfish/node"]["reason"], parts)
        parts = {d["id"]: d for d in told(base + "?scheme=http")}
        equal(sorted(parts), ["redfish/Board", "redfish/Enclosure", "redfish/Node"])
        expect("name the node's" in parts["redfish/Node"]["reason"], parts)
        expect("2 systems" in parts["redfish/Enclosure"]["reason"], parts)
        report, _ = measure(place, base + "/redfish/v1/Chassis/Node?scheme=http&period=1s", 1.2)
        near(domain(report, "redfish/node")["mean_w"], 320, 0.1, "named")
        report, _ = measure(place, base + "?scheme=http&period=1s", 0.5)
        equal(report["energy"]["kind"], "estimated")  # none of the three stands for this node


def test_newer_schema(place):
    """EnergyJoules is a counter; power supplies are summed if all that are there tell; one that falls silent leaves a gap."""
    start = time.monotonic()
    environment = {"EnergyJoules": {"Reading": 1e6}, "PowerWatts": {"Reading": 999}}
    documents = subsystem({"0": 120.5, "1": 79.5, "2": "Absent"})
    counter = subsystem({}, environment=environment)
    path = V1 + "/Chassis/1/EnvironmentMetrics"
    counter[path] = lambda: dict(environment, EnergyJoules={"Reading": 1e6 + WATTS * (time.monotonic() - start)})
    with Redfish(counter, user=None) as bmc:
        report, _ = measure(place, f"redfish://127.0.0.1:{bmc.port}?scheme=http&period=1s", 3)
        part = domain(report, "redfish/node")
        equal(part["kind"], "measured")
        near(part["energy_j"], WATTS * report["job"]["duration_s"], 0.5 * WATTS, "counter")
    with Redfish(documents, user=None) as bmc:
        first = told(f"redfish://127.0.0.1:{bmc.port}?scheme=http")[0]
        expect("2 power supplies" in first["reason"], first)
        asked = []

        def metrics():
            asked.append(1)
            return {"InputPowerWatts": {"Reading": None if len(asked) > 4 else 79.5}}

        bmc.documents[V1 + "/Chassis/1/PowerSubsystem/PowerSupplies/1/Metrics"] = metrics
        report, _ = measure(place, f"redfish://127.0.0.1:{bmc.port}?scheme=http&period=1s", 5)
        equal(faults(report, "redfish/node"), {"no_data"})
        near(domain(report, "redfish/node")["energy_j"], WATTS * report["job"]["duration_s"], 3, "not half of it")


# What goes wrong after a few readings, and what the report may call it. None: it comes back so soon that nothing is lost.
FAULTS = {
    "gone": {"no_answer"},
    "slow": {"timed_out"},
    "busy": {"read_failed"},
    "garbage": {"garbage"},
    "cut": {"read_failed", "garbage"},
    "null": {"no_data"},
    "absent": {"no_data"},
    "zero": {"no_data"},
    "negative": {"out_of_range"},
    "huge": {"rejected", "out_of_range"},
    "text": {"garbage"},
    "elsewhere": {"read_failed"},
    "standing": {"stale"},
    "forbidden": {"denied"},
}
POWER = V1 + "/Chassis/1/Power"


def break_it(bmc, fault):
    control = {"null": None, "zero": 0, "negative": -WATTS, "huge": 1e8, "text": "a lot"}
    if fault in control:
        bmc.documents.update(legacy(control[fault]))
    elif fault == "absent":
        bmc.documents.update(legacy(WATTS, control={"Status": {"State": "Absent"}}))
    elif fault == "slow":
        bmc.delay_s = 3.0
    elif fault == "gone":
        bmc.close()
    elif fault == "standing":
        frozen = json.dumps(bmc.documents[POWER]())
        bmc.broken[POWER] = (200, {}, frozen.encode())
    else:
        bmc.broken[POWER] = {
            "busy": (503, {"Retry-After": "1"}, b""), "garbage": (200, {}, b"<html>\xff\x00"),
            "cut": (200, {"cut": 500}, b'{"PowerControl": [{"PowerConsumedWatts": 2'),
            "elsewhere": (302, {"Location": "http://127.0.0.1:1/"}, b""), "forbidden": (403, {}, b"{}")}[fault]


def run_with(place, fault, root, reports):
    n = [0]

    def documents():
        n[0] += 1
        if n[0] == 4:
            threading.Thread(target=break_it, args=(bmc, fault)).start()
        return {"PowerControl": [{"MemberId": "0", "Name": "System Power Control",
                                  "PowerConsumedWatts": WATTS + n[0] % 2}], "n": n[0]}

    bmc = Redfish(legacy(WATTS), user=None)
    bmc.documents[POWER] = documents
    url = f"redfish://127.0.0.1:{bmc.port}?scheme=http&period=1s&timeout=2s&stale={'1500ms' if fault == 'standing' else '10min'}"
    done = call("run", "--root", root, "--out", os.path.join(place, "out"), "--name", fault, "--json", "--period", "20ms",
                "--meter", url, "--", "sleep", 7)
    reports[fault] = (done, last_json(done.stderr) if done.returncode == 0 else None)
    if fault != "gone":
        bmc.close()


def test_faults(place):
    """A controller that fails in fourteen ways: no wrong joule, each fault has its name, and no other meter waits for it."""
    root = os.path.join(place, "root")
    subprocess.run([TREE, root, "skx2s"], check=True)
    reports = {}
    threads = [threading.Thread(target=run_with, args=(place, fault, root, reports)) for fault in FAULTS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for fault, names in FAULTS.items():
        done, report = reports[fault]
        equal(done.returncode, 0, f"{fault}: {done.stderr}")
        part = domain(report, "redfish/node")
        if part["energy_j"] is not None:
            near(part["energy_j"], (WATTS + 0.5) * report["job"]["duration_s"], 6, fault)
        expect(faults(report, "redfish/node") & names, f"{fault}: {faults(report, 'redfish/node')}")
        expect(not faults(report, "redfish/node") - names - {"read_failed", "no_data", "no_answer", "slow"},
               f"{fault}: {faults(report, 'redfish/node')}")
        # A sweep that had waited for the slow one would be two seconds late.
        expect(report["quality"]["period_ms"]["max"] < 1500, f"{fault}: {report['quality']['period_ms']}")


def test_sources_say_why(place):
    """What is wrong with a controller from the start is a reason that sources gives, whatever it is."""
    words = {"slow": "", "busy": "busy", "garbage": "shows a power", "cut": "", "null": "shows a power", "absent": "shows a power",
             "zero": "shows a power", "text": "shows a power", "elsewhere": "elsewhere", "forbidden": "403"}
    for fault, word in words.items():
        with Redfish(legacy(WATTS), user=None) as bmc:
            break_it(bmc, fault)
            first = told(f"redfish://127.0.0.1:{bmc.port}?scheme=http&timeout=1s")[0]
            expect(first["state"] in ("absent", "denied") and word in first["reason"] and len(first["reason"]) > 20,
                   f"{fault}: {first}")


# The same of a page with a number.
PAGES = {
    "null": ('{"w": null}', {"no_data"}),
    "garbage": ("<html>", {"garbage"}),
    "twice": ('{"w": 200, "w": 0}', {"garbage"}),
    "deep": ("[" * 100000, {"garbage"}),
    "negative": ('{"w": -200}', {"out_of_range"}),
    "huge": ('{"w": 1e300}', {"out_of_range"}),
    "large": ('{"w": ' + " " * (1 << 20) + "200}", {"read_failed"}),
    "gone": (None, {"no_answer"}),
    "slow": (None, {"timed_out"}),
    "standing": (None, {"stale"}),
}


def run_with_page(place, fault, reports):
    text, asked = PAGES[fault][0], []

    def say(_):
        asked.append(1)
        is_broken = len(asked) > 10
        if len(asked) == 10 and fault == "gone":
            threading.Thread(target=page.close).start()
        if is_broken and fault == "slow":
            page.delay_s = 3.0
        if is_broken and text:
            return text
        return '{"w": 200.0}' if fault == "standing" and is_broken else json.dumps({"w": WATTS, "n": time.monotonic()})

    page = Page(say)
    url = f"http://127.0.0.1:{page.port}/?period=100ms&timeout=1s&stale=800ms#/w"
    reports[fault] = call("run", "--out", os.path.join(place, "out"), "--name", fault, "--json", "--meter", url, "--", "sleep", 4)
    if fault != "gone":
        page.close()


def test_faults_of_a_page(place):
    """A page that fails in ten ways: no wrong joule, and each fault has its name."""
    reports = {}
    threads = [threading.Thread(target=run_with_page, args=(place, fault, reports)) for fault in PAGES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for fault, (_, names) in PAGES.items():
        equal(reports[fault].returncode, 0, reports[fault].stderr)
        report = last_json(reports[fault].stderr)
        near(domain(report, "http/node")["energy_j"], WATTS * report["job"]["duration_s"], 6, fault)
        expect(faults(report, "http/node") & names, f"{fault}: {faults(report, 'http/node')}")


def test_not_there_at_first(place):
    """A controller that answers only later is listed with the reason, and measured from then on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}/?period=100ms#/w"
    first = told(url)[0]
    equal(first["state"], "absent")
    expect("refused" in first["reason"].lower() or "connect" in first["reason"].lower(), first)
    pages = []

    def appear():
        page = Page.__new__(Page)
        page.text, page.status, page.headers = '{"w": 200}', 200, {}
        import http.server as h  # bind to the port that was promised
        original = h.ThreadingHTTPServer.__init__
        try:
            h.ThreadingHTTPServer.__init__ = lambda self, _, handler: original(self, ("127.0.0.1", port), handler)
            Page.__bases__[0].__init__(page, page.answer)
        finally:
            h.ThreadingHTTPServer.__init__ = original
        pages.append(page)

    threading.Timer(1.5, appear).start()
    report, _ = measure(place, url, 6)
    pages[0].close()
    part = domain(report, "http/node")
    near(part["mean_w"], 200, 0.5, "power once it was there")
    expect("no_answer" in faults(report, "http/node"), report["quality"]["faults"])


def test_answers_of_a_prometheus(place):
    """A prefix, TLS, a token; the time of the scrape by the server's own clock; a value that is too old is none."""
    certificate = make_certificate(place)
    seen, old_s = [], [1.5]

    def say(request):
        seen.append((request.path, request.headers.get("Authorization")))
        now = time.time() + 1000  # its clock is not ours
        query = urllib.parse.parse_qs(urllib.parse.urlparse(request.path).query)["query"][0]
        value = now - old_s[0] if query.startswith("timestamp(") else WATTS
        return json.dumps({"status": "success", "data": {"resultType": "vector", "result": [
            {"metric": {}, "value": [now, f"{value:.3f}"]}]}})

    with Page(say, certificate) as page:
        token = credentials(place, "t0ken", user=None)
        url = (f"prometheus://localhost:{page.port}/prom/?query=up%7Ba%3D%22{{host}}%22%7D&scheme=https&ca={certificate[0]}"
               f"&credentials={token}&period=100ms&stale=5s")
        report, _ = measure(place, url, 2.5)
        part = domain(report, "prometheus/node")
        near(part["mean_w"], WATTS, 0.1, "power")
        equal(faults(report, "prometheus/node") - {"slow"}, set())
        path, authorization = seen[0]
        expect(path.startswith("/prom/api/v1/query?query=up%7Ba%3D%22") and "{host}" not in path, path)
        equal(authorization, "Bearer t0ken")
        expect(any("&time=" in p for p, _ in seen), "value and time of the same evaluation")
        old_s[0] = 6.0
        first = told(url)[0]
        equal(first["state"], "absent")
        expect("older than 5 s" in first["reason"], first)


def scrape_page(_):
    return f"# TYPE node_watts gauge\nnode_watts{{node=\"a\"}} {WATTS}\nnode_watts{{node=\"b\"}} 7\n"


def wait_for(what, seconds=20):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if what():
            return
        time.sleep(0.1)
    raise AssertionError("it never came")


def test_prometheus(place):
    """A real Prometheus: one series by its scrape's time; several are named; a target that is gone leaves a gap."""
    program = shutil.which("prometheus")
    if not program:
        raise Skip("the package prometheus is not here")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    page = Page(scrape_page, headers={"Content-Type": "text/plain; version=0.0.4"})
    config = os.path.join(place, "prometheus.yml")
    write(config, json.dumps({"scrape_configs": [{"job_name": "t", "scrape_interval": "500ms", "scrape_timeout": "400ms",
                                                  "static_configs": [{"targets": [f"127.0.0.1:{page.port}"]}]}]}))
    server = subprocess.Popen([program, "--config.file=" + config, "--storage.tsdb.path=" + os.path.join(place, "db"),
                               f"--web.listen-address=127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def has_series():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?query=node_watts", timeout=2) as answer:
                return len(json.load(answer)["data"]["result"]) == 2
        except OSError:
            return False

    def url(query, more="&period=100ms"):
        return f"prometheus://127.0.0.1:{port}?query={urllib.parse.quote(query)}{more}"

    try:
        wait_for(has_series)
        first = told(url("node_watts"))[0]
        expect("2 series" in first["reason"] and '{node="b"}' in first["reason"], first)
        expect("parse error" in told(url("node_watts{"))[0]["reason"], "a query that is none")
        expect("no series" in told(url("nothing"))[0]["reason"], "a query without an answer")
        for query in ('node_watts{node="a"}', f"scalar(sum(node_watts)) - 7"):
            report, _ = measure(place, url(query), 2)
            near(domain(report, "prometheus/node")["energy_j"], WATTS * report["job"]["duration_s"], 0.6 * WATTS, query)
            equal(faults(report, "prometheus/node") - {"slow"}, set(), query)
        threading.Timer(0.5, page.close).start()
        report, _ = measure(place, url('node_watts{node="a"}', "&period=100ms&stale=1s"), 3)
        expect(faults(report, "prometheus/node") & {"stale", "no_data"}, report["quality"]["faults"])
    finally:
        server.terminate()
        server.wait(timeout=20)


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
