#!/usr/bin/env python3
# test_attach.py - run --attach: what runs already, measured to its end or until we are told to stop
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import json
import os
import signal
import subprocess
import sys
import time

import harness
from harness import LINE, PLAYER, PROGRAM, TREE, Skip, call, equal, expect, last_json, near, start


def attach(place, pid, *args, **kwargs):
    return call("run", "--out", os.path.join(place, "out"), "--name", "j", "--json", *args, "--attach", str(pid),
                env=alone(place), **kwargs)


def alone(place):
    """No recording of anybody else is found."""
    return {"ENERGYSCOPIUM_RUNTIME_DIR": os.path.join(place, "runtime")}


def sleeper(seconds):
    return subprocess.Popen(["sleep", str(seconds)])


def wait_for(path, seconds=20):
    end = time.monotonic() + seconds
    while not os.path.exists(path):
        expect(time.monotonic() < end, f"{path} did not appear")
        time.sleep(0.01)


def attached(place, pid, *args, out="out"):
    """A measurement of @pid that has taken its first readings."""
    path = os.path.join(place, out, "j.esr")
    measuring = start("run", "--out", os.path.join(place, out), "--name", "j", "--json", *args, "--attach", pid, env=alone(place))
    event = int(pid).to_bytes(8, "little")
    wait_for(path)
    end = time.monotonic() + 20
    while event not in open(path, "rb").read():
        expect(time.monotonic() < end and measuring.poll() is None, "it did not begin")
        time.sleep(0.01)
    return measuring


def test_to_its_end(place):
    """A process that runs already is measured until it ends, with the same files as a command."""
    child = sleeper(60)
    try:
        measuring = attached(place, child.pid, "--period", "1h")
        time.sleep(0.2)
    finally:
        child.kill()
        child.wait()
    _, err = measuring.communicate(timeout=20)
    equal(measuring.returncode, 0, err)
    expect(LINE.search(err), err)
    told = last_json(err)
    equal((told["job"]["state"], told["job"]["command"], told["job"]["attached_pid"], told["exit_status"]),
          ("ended", "sleep", child.pid, None))
    expect(told["job"]["duration_s"] >= 0.2, str(told["job"]))
    equal({r["name"] for r in told["regions"]}, {"es_total", "es_appli_total"})
    expect(f"sleep ({child.pid}), which ran already and ended" in err, err)
    equal(sorted(os.listdir(os.path.join(place, "out"))), ["j.eprofile.json", "j.esr"])
    again = json.loads(call("report", "--json", told["recording"]).stdout)
    equal(again["job"], told["job"])


def test_energy_is_true(place):
    """The energy is that of the counters while it was attached: the whole where it was attached before they moved."""
    root = os.path.join(place, "tree")
    subprocess.run([TREE, root, "spr2s", "all=near"], check=True)
    truth, flag = os.path.join(place, "truth"), os.path.join(place, "go")
    child = subprocess.Popen(["sh", "-c", f'while [ ! -e {flag} ]; do sleep 0.02; done; '
                              f'exec "{PLAYER}" {root} --random 3 --duration 700ms --truth {truth}'])
    measuring = attached(place, child.pid, "--root", root)
    open(flag, "w").close()
    child.wait(timeout=30)
    _, err = measuring.communicate(timeout=30)
    equal(measuring.returncode, 0, err)
    with open(truth) as file:
        true_j = sum(z["energy_uj"] for z in json.load(file)["zones"] if z["key"].startswith(("package", "dram"))) / 1e6
    near(last_json(err)["energy"]["node_j"], true_j, 0.001, "node")


def test_stopped_by_signals(place):
    """SIGINT and SIGTERM end the measurement; the process goes on, and that is said."""
    for number in (signal.SIGINT, signal.SIGTERM):
        child = sleeper(60)
        try:
            measuring = attached(place, child.pid, out=f"out{int(number)}")
            measuring.send_signal(number)
            _, err = measuring.communicate(timeout=20)
            equal(measuring.returncode, 0, err)
            equal(child.poll(), None, "it was ended")
            told = last_json(err)
            equal((told["job"]["state"], told["quality"]["whole"]), ("running", True))
            expect(f"still runs sleep ({child.pid})" in " ".join(err.split()), err)
        finally:
            child.kill()
            child.wait()


def test_tags_and_end(place):
    """Tags find an attached measurement like one in the background, and record stop ends it."""
    child = sleeper(60)
    try:
        measuring = attached(place, child.pid)
        told = call("tag", "run", "--json", "x", "--", "sleep", "0.2", env=alone(place))
        equal(last_json(told.stderr)["start"]["recorded"], True)
        done = call("record", "stop", "j", env=alone(place))
        equal(done.returncode, 0, done.stderr)
        _, err = measuring.communicate(timeout=20)
        equal(measuring.returncode, 0, err)
        equal({r["name"] for r in last_json(err)["regions"]}, {"x", "es_total", "es_appli_total"})
        expect(LINE.search(done.stdout), done.stdout)
        equal(os.listdir(os.path.join(place, "runtime")), [])
    finally:
        child.kill()
        child.wait()


def test_wrong_numbers(place):
    """What cannot be attached to is refused with the reason, and nothing is left behind."""
    child = sleeper(0)
    time.sleep(0.3)  # it has ended, and we do not ask for its status yet
    for pid, word in (("x", "not the number"), ("1\n2", "not the number"), ("0", "not the number"), ("-5", "not the number"), ("1", "record start"),
                      ("999999999", "no such process"), (str(child.pid), "has ended already"), ("99999999999", "not the number")):
        done = attach(place, pid)
        equal(done.returncode, 2 if word == "not the number" else 125, done.stderr)
        expect(word in done.stderr, f"{pid}: {done.stderr}")
    child.wait()
    done = attach(place, child.pid)
    expect("no such process" in done.stderr, done.stderr)
    done = call("run", "--out", os.path.join(place, "out"), "--attach", "1", "--", "true")
    equal(done.returncode, 2, done.stderr)
    expect("either --attach or a command" in done.stderr, done.stderr)
    expect(not os.path.exists(os.path.join(place, "out")), "files were left")


def test_a_thread(place):
    """The number of a thread is refused, with that of its process."""
    child = subprocess.Popen([sys.executable, "-c", "import threading, time, sys\n"
                              "t = threading.Thread(target=time.sleep, args=(30,), daemon=True); t.start()\n"
                              "print(t.native_id); sys.stdout.flush(); time.sleep(30)"], stdout=subprocess.PIPE, text=True)
    try:
        thread = child.stdout.readline().strip()
        done = attach(place, thread)
        equal(done.returncode, 125, done.stderr)
        expect(f"a thread of process {child.pid}" in done.stderr, done.stderr)
    finally:
        child.kill()
        child.communicate()


def test_another_users_process(place):
    """A process of another user is measured like one's own; its arguments are recorded only on request."""
    if os.geteuid() != 0:
        raise Skip("only root can start another user's process")
    child = subprocess.Popen(["sleep", "60"], user=54321)
    os.chmod(place, 0o755)
    out = os.path.join(place, "mine")
    os.mkdir(out)
    os.chown(out, 12345, 12345)
    try:
        done = subprocess.run(["timeout", "-s", "INT", "3", PROGRAM, "run", "--out", out, "--name", "j", "--keep-args", "--json",
                               "--attach", str(child.pid)], env=harness.clean_environment(), capture_output=True, text=True,
                              check=False, user=12345)
        if "Permission denied" in done.stderr:
            raise Skip("the program cannot be run by another user here")
        told = last_json(done.stderr)
        equal((told["job"]["state"], told["job"]["command"]), ("running", "sleep 60"))
    finally:
        child.kill()
        child.wait()


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
