#!/usr/bin/env python3
# test_tags.py - regions marked from scripts: their energy against the truth, clients good, many and hostile
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import harness
from harness import PLAYER, PROGRAM, TREE, Skip, call, equal, expect, last_json, near, start

NOBODY = {"ENERGYSCOPIUM_RUNTIME_DIR": "/nonexistent/runtime"}


def run(place, script, *args, name="j", env=None, **kwargs):
    """Measure a shell script in which $ES is the program; the report as JSON."""
    done = call("run", "--out", os.path.join(place, "out"), "--name", name, "--json", *args, "--", "sh", "-c", script,
                env={"ES": PROGRAM, **(env or {})}, **kwargs)
    return last_json(done.stderr), done


def regions(report):
    return {r["name"]: r for r in report["regions"] if not r["name"].startswith("es_")}


def tree(place):
    root = os.path.join(place, "tree")
    subprocess.run([TREE, root, "spr2s", "all=near"], check=True)
    return root


def total_j(truth):
    """What the fine cover of the tree must show: packages and memory."""
    with open(truth) as file:
        return sum(z["energy_uj"] for z in json.load(file)["zones"] if z["key"].startswith(("package", "dram"))) / 1e6


def test_three_phases(place):
    """The energy of three tagged phases on a moving tree is the truth within its printed bound."""
    root = tree(place)
    for name, watts in (("a", 200), ("b", 40), ("c", 330)):
        with open(os.path.join(place, name + ".script"), "w") as file:
            file.write(f"600ms package={watts} dram={watts // 10}\n")

    def play(name):
        return f'"{PLAYER}" {root} --script {place}/{name}.script --truth {place}/{name}.truth'

    script = (f'"$ES" tag start a; {play("a")}; "$ES" tag stop a; "$ES" tag start all; '
              f'"$ES" tag run b -- {play("b")}; "$ES" tag start c; {play("c")}; "$ES" tag stop c; "$ES" tag stop all')
    report, done = run(place, script, "--root", root, "--period", "20ms")
    equal(done.returncode, 0, done.stderr)
    got = regions(report)
    equal(set(got), {"a", "b", "c", "all"})
    truth = {name: total_j(os.path.join(place, name + ".truth")) for name in "abc"}
    truth["all"] = truth["b"] + truth["c"]
    # Two edges, each inside a sweep's interval: on a busy machine that can be long, and the bound says so. What the meters
    # leave open all the time (a slow read) comes to each bound, as to that of the whole.
    widest_j = 2 * 1.1 * (2 * 330 + 2 * 33) * report["quality"]["period_ms"]["max"] / 1000 + report["energy"]["uncertainty_j"]
    for name, true_j in truth.items():
        region = got[name]
        equal(region["calls"], 1, name)
        near(region["energy_j"], true_j, region["uncertainty_j"], name)
        expect(region["uncertainty_j"] < widest_j + 5, f"{name}: ± {region['uncertainty_j']} J of {true_j} J")
    for name in "abc":
        expect(0.6 <= got[name]["duration_s"] < 20, f"{name} took {got[name]['duration_s']} s")
    near(report["energy"]["node_j"], sum(truth[n] for n in "abc"), 0.001, "node")


def test_nested_repeated_concurrent(place):
    """Tags of one name nest and repeat, those of several overlap; a stop too many is warned of and changes nothing."""
    report, done = run(place, 'for i in 1 2 3; do "$ES" tag run r -- true; done; "$ES" tag start n; "$ES" tag start n; '
                              '"$ES" tag start o; "$ES" tag stop n; sleep 0.2; "$ES" tag stop n; sleep 0.2; "$ES" tag stop o; '
                              '"$ES" tag stop n; echo "status $?"; "$ES" tag start open; sleep 0.1')
    got = regions(report)
    equal({k: v["calls"] for k, v in got.items()}, {"r": 3, "n": 1, "o": 1, "open": 1})
    expect(got["n"]["duration_s"] >= 0.2, "the inner stop ended it")
    expect(got["o"]["duration_s"] >= 0.4 and got["o"]["start"] >= got["n"]["start"], str(got))
    expect(got["open"]["duration_s"] >= 0.1, "without a stop it lasts to the end")
    expect("'n': its stop is not recorded: it was not started" in done.stderr, done.stderr)
    equal(done.stdout, "status 0\n")


def test_edges_are_sharp(place):
    """tag run adds no more than the start of a process to what it runs, and names may be any text."""
    report, done = run(place, '"$ES" tag run "two words, é" -- sleep 0.5')
    equal(done.returncode, 0, done.stderr)
    region = regions(report)["two words, é"]
    expect(region["duration_s"] >= 0.5, str(region))
    expect(region["duration_s"] < report["job"]["duration_s"], str(region))


def test_many_clients(place):
    """200 clients at a time are all heard."""
    report, done = run(place, 'i=0; while [ $i -lt 200 ]; do "$ES" tag run p$i -- true & i=$((i + 1)); done; wait')
    got = regions(report)
    # On a machine so busy that one is not heard within a second it says so, and only then may it be missing.
    warned = set(re.findall(r"'(p\d+)': its \w+ is not", done.stderr))
    expect({f"p{i}" for i in range(200)} - warned <= set(got), f"{len(got)} regions; {done.stderr}")
    expect(len(got) >= 150, done.stderr)
    equal({r["calls"] for r in got.values()}, {1})


def test_all_ranks(place):
    """Under a launcher the tags of all ranks of the node are heard by the one that measures."""
    if not shutil.which("mpirun"):
        raise Skip("no mpirun here")
    told = os.path.join(place, "report.json")
    done = subprocess.run(["mpirun", "-n", "4", "--oversubscribe", PROGRAM, "run", "--out", os.path.join(place, "out"), f"--json={told}", "--",
                           "sh", "-c", '"$ES" tag run "rank $OMPI_COMM_WORLD_RANK" -- sleep 0.1; "$ES" tag run all -- true'],
                          text=True, capture_output=True, timeout=60, check=False, cwd=place,
                          env=harness.clean_environment({"ES": PROGRAM, "HOME": place, "OMPI_ALLOW_RUN_AS_ROOT": "1",
                                                         "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", **NOBODY}))
    equal(done.returncode, 0, done.stderr)
    with open(told) as file:
        got = regions(json.load(file))
    equal(set(got), {"rank 0", "rank 1", "rank 2", "rank 3", "all"}, done.stderr)


FLOOD = """
import os, socket, struct, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(os.environ["ENERGYSCOPIUM_SOCKET"])
n = 0
for i in range(10000):
    for kind in (1, 2):
        n += 1
        name = b"name-%d" % (i % 50)
        body = struct.pack("<qqHH", time.clock_gettime_ns(time.CLOCK_BOOTTIME), 0, len(name), 0) + name
        s.send(b"ESIP" + struct.pack("<HHII", 1, kind, len(body), n) + body)
        answer = s.recv(9000)
        assert struct.unpack("<I", answer[12:16])[0] == n, n
        assert struct.unpack("<q", answer[24:32])[0] == 0, answer
"""


def test_many_tags(place):
    """20,000 tags in one run are all recorded."""
    done = call("run", "--out", os.path.join(place, "out"), "--name", "j", "--json", "--", sys.executable, "-c", FLOOD)
    equal(done.returncode, 0, done.stderr)
    got = regions(last_json(done.stderr))
    equal(len(got), 50)
    equal({r["calls"] for r in got.values()}, {200})


def test_nobody_listens(place):
    """Without a listener tag warns and ends with 0; tag run runs its command all the same."""
    for env in (NOBODY, {"ENERGYSCOPIUM_SOCKET": os.path.join(place, "none")}):
        for args in (["tag", "start", "a"], ["tag", "stop", "a"]):
            done = call(*args, env=env)
            equal((done.returncode, done.stdout), (0, ""))
            expect("'a'" in done.stderr and "not recorded" in done.stderr, done.stderr)
        done = call("tag", "run", "a", "--", "sh", "-c", "echo out; exit 7", env=env)
        equal((done.returncode, done.stdout), (7, "out\n"))
        expect(done.stderr.count("not recorded") == 1, done.stderr)
    long = os.path.join(place, "x" * 120)
    done = call("tag", "start", "a", env={"ENERGYSCOPIUM_SOCKET": long})
    equal(done.returncode, 0, done.stderr)
    expect("name too long" in done.stderr.lower(), done.stderr)
    told = json.loads(call("tag", "start", "--json", "a", env=NOBODY).stdout)
    equal((told["schema"], told["name"], told["start"]["recorded"]), ("energyscopium.tag/1", "a", False))


def test_status_and_signals_of_tag_run(place):
    """tag run ends as its command does, and passes signals on to it."""
    for script, status in (("exit 3", 3), ("kill -9 \\$\\$", 137)):
        report, done = run(place, f'"$ES" tag run x -- sh -c "{script}"; echo $?', "--force")
        equal(done.stdout, f"{status}\n", done.stderr)
        expect("x" in regions(report), done.stderr)
    equal(call("tag", "run", "x", "--", "/no/such/command").returncode, 127)
    equal(call("tag", "run", "x", "--", "/etc/passwd").returncode, 126)
    flag = os.path.join(place, "flag")
    child = start("tag", "run", "x", "--", sys.executable, "-c",
                  f"import signal,sys,time\nsignal.signal(15, lambda *a: sys.exit(42))\nopen({flag!r}, 'w').close()\ntime.sleep(30)")
    end = time.monotonic() + 20
    while not os.path.exists(flag):
        expect(time.monotonic() < end, "it did not begin")
        time.sleep(0.01)
    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=20)
    equal(child.returncode, 42)


def test_a_command_that_cannot_start_is_no_region(place):
    """A command that tag run cannot start leaves no region."""
    report, _ = run(place, '"$ES" tag run x -- /no/such/command; true')
    equal(regions(report), {})


def test_usage(place):
    """Names that cannot be, and words that are none, are refused with status 2."""
    cases = [(["tag"], "missing"), (["tag", "begin", "x"], "'start', 'stop' and 'run'"), (["tag", "start"], "name is missing"),
             (["tag", "start", ""], "at least one"), (["tag", "start", "es_total"], "reserved"), (["tag", "start", "a\nb"], "control"),
             (["tag", "start", b"\xff"], "UTF-8"), (["tag", "start", "x" * 256], "255"), (["tag", "start", "a", "b"], "more than one"),
             (["tag", "run", "a"], "command is missing"), (["tag", "run", "a", "--"], "command is missing"),
             (["tag", "run", "es_appli_total", "--", "true"], "reserved")]
    for args, word in cases:
        done = subprocess.run([PROGRAM, *args], env=harness.clean_environment(NOBODY), capture_output=True, check=False)
        equal((done.returncode, done.stdout), (2, b""), str(args))
        expect(word.encode() in done.stderr, f"{args}: {done.stderr}")


HOSTILE = """
import os, socket, struct
path = os.environ["ENERGYSCOPIUM_SOCKET"]
def join():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(20)
    s.connect(path)
    return s
def send(data):
    s = join()
    s.send(data)
    answer = s.recv(9000)
    assert s.recv(9000) == b"", "it was not dropped"
    return struct.unpack("<q", answer[24:32])[0]
def message(kind, name=b"", t=0, version=1, extra=b""):
    body = struct.pack("<qqHH", t, 0, len(name), 0) + name + extra
    return b"ESIP" + struct.pack("<HHII", version, kind, len(body), 1) + body
assert send(b"GET / HTTP/1.1") == 8
assert send(message(1, b"x", version=2)) == 6
assert send(message(99, b"x")) == 7
assert send(message(1, b"x" * 300)) == 8
assert send(b"\\0" * 20000) == 8
assert send(message(1, b"a" * 50)[:40]) == 8
mute = [join() for i in range(40)]
for s in mute:
    s.setblocking(False)
    try:
        for i in range(3000):
            s.send(message(2, b"flood"))
    except (BlockingIOError, BrokenPipeError, ConnectionResetError):
        pass
held = [join() for i in range(300 - 40)]
s = join()
for name, verdict in ((b"es_total", 3), (b"", 3), (b"\\x1b[2J", 3), (b"ghost", 1)):
    s.send(message(1, name, t=1 << 62))
    assert struct.unpack("<q", s.recv(9000)[24:32])[0] == verdict, name
os.execvp("sh", ["sh", "-c", '"$ES" tag run good -- true && "$ES" tag start last'])
"""


def test_hostile_clients(place):
    """Garbage, another version, floods, silence and crowds are answered or dropped, and good tags are heard."""
    done = call("run", "--out", os.path.join(place, "out"), "--name", "j", "--json", "--", sys.executable, "-c", HOSTILE,
                env={"ES": PROGRAM})
    equal(done.returncode, 0, done.stderr)
    report = last_json(done.stderr)
    equal(set(regions(report)), {"ghost", "good", "last"}, done.stderr)
    expect(regions(report)["ghost"]["duration_s"] <= report["job"]["duration_s"], "a stamp in the future was believed")


def test_listener_that_does_not_answer(place):
    """A listener that takes the connection and says nothing, or nonsense, costs a second and a warning."""
    for answer, word in ((None, "within a second"), (b"nonsense", "answer")):
        path = os.path.join(place, f"socket-{word[:6]}")
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(path)
        listener.listen(5)
        begun = time.monotonic()
        child = start("tag", "start", "a", env={"ENERGYSCOPIUM_SOCKET": path})
        peer, _ = listener.accept()
        if answer:
            peer.send(answer)
        _, err = child.communicate(timeout=20)
        equal(child.returncode, 0, err)
        expect(word in err, err)
        expect(time.monotonic() - begun < 10, "it waited")
        peer.close()
        listener.close()


def test_socket_is_private_and_removed(place):
    """The socket is private, and gone afterwards; where its folder cannot be had a new one is made; after a kill the next run cleans up."""
    folder = os.path.join(place, "runtime")
    show = 'stat -c %a "$ENERGYSCOPIUM_SOCKET" "$(dirname "$ENERGYSCOPIUM_SOCKET")"; echo "$ENERGYSCOPIUM_SOCKET"'
    _, done = run(place, show, env={"ENERGYSCOPIUM_RUNTIME_DIR": folder})
    modes = done.stdout.split()
    equal(modes[:2], ["600", "700"], done.stdout + done.stderr)
    expect(modes[2].startswith(folder), done.stdout)
    equal(os.listdir(folder), [])

    other = os.path.join(place, "other")
    os.mkdir(other, 0o700)
    _, done = run(place, show, env={"ENERGYSCOPIUM_RUNTIME_DIR": "/proc/none", "XDG_RUNTIME_DIR": other}, name="k")
    equal(done.stdout.split()[:2], ["600", "700"], done.stdout + done.stderr)
    expect(done.stdout.split()[2].startswith(other), done.stdout)
    equal(os.listdir(other), [])

    deep = os.path.join(place, "d" * 100)
    os.mkdir(deep)
    _, done = run(place, 'echo "$ENERGYSCOPIUM_SOCKET"', name="l",
                  env={"ENERGYSCOPIUM_RUNTIME_DIR": deep, "XDG_RUNTIME_DIR": deep, "TMPDIR": deep})
    expect(done.stdout.startswith("/tmp/energyscopium-"), done.stdout)
    equal(done.returncode, 0, done.stderr)

    call("run", "--out", os.path.join(place, "out"), "--name", "m", "--", "sh", "-c", "kill -9 $PPID",
         env={"ENERGYSCOPIUM_RUNTIME_DIR": folder})
    equal(len(os.listdir(folder)), 1)
    run(place, "true", env={"ENERGYSCOPIUM_RUNTIME_DIR": folder}, name="n")
    equal(os.listdir(folder), [])


def test_in_a_user_namespace(place):
    """In a user namespace tag works or warns, and ends with 0."""
    if subprocess.run(["unshare", "-Ur", "true"], capture_output=True, check=False).returncode:
        raise Skip("user namespaces cannot be made here")
    report, done = run(place, 'unshare -Ur "$ES" tag start a; echo $?; unshare -U "$ES" tag start b; echo $?')
    equal(done.stdout, "0\n0\n", done.stderr)
    expect("a" in regions(report) or "'a'" in done.stderr, done.stderr)


def test_full_disk(place):
    """Tags set after the disk is full are kept like readings."""
    mount, spare = os.path.join(place, "small"), os.path.join(place, "spare")
    os.mkdir(mount)
    os.mkdir(spare)
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", mount],
                                           capture_output=True, check=False).returncode:
        raise Skip("a small file system cannot be mounted here")
    try:
        done = call("run", "--out", mount, "--name", "j", "--json", "--", "sh", "-c",
                    f'dd if=/dev/zero of={mount}/ballast bs=1k 2>/dev/null; "$ES" tag run late -- sleep 0.1; '
                    'i=0; while [ $i -lt 60 ]; do "$ES" tag run "many-$i" -- true; i=$((i + 1)); done',
                    env={"ES": PROGRAM, "TMPDIR": spare})
        equal(done.returncode, 0, done.stderr)
        told = last_json(done.stderr)
        equal(len(regions(told)), 61, done.stderr)
        equal(os.path.dirname(told["recording"]), spare)
        saved = json.loads(call("report", "--json", told["recording"]).stdout)
        equal(saved["regions"], told["regions"])
    finally:
        subprocess.run(["umount", mount], check=False)


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
