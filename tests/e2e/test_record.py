#!/usr/bin/env python3
# test_record.py - record start, stop and status: a measurement in the background, from its start to odd ends
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import json
import os
import signal
import stat
import subprocess
import sys
import time

import harness
from harness import LINE, PLAYER, PROGRAM, TREE, Skip, call, equal, expect, last_json, near


def runtime(place):
    return os.path.join(place, "runtime")


def record(place, *args, **kwargs):
    env = {"ENERGYSCOPIUM_RUNTIME_DIR": runtime(place), **kwargs.pop("env", {})}
    return call("record", *args, env=env, cwd=place, **kwargs)


def tag(place, *args):
    return call("tag", *args, env={"ENERGYSCOPIUM_RUNTIME_DIR": runtime(place)})


def running(place):
    return json.loads(record(place, "status", "--json").stdout)["recordings"]


def gone(pid, seconds=20):
    end = time.monotonic() + seconds
    while os.path.exists(f"/proc/{pid}") and open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] != "Z":
        expect(time.monotonic() < end, f"process {pid} goes on")
        time.sleep(0.01)


class Recording:
    """One that is ended whatever happens to the test."""

    def __init__(self, place, *args):
        done = record(place, "start", "--json", *args)
        equal(done.returncode, 0, done.stderr)
        told = json.loads(done.stdout)
        equal(told["schema"], "energyscopium.record/1")
        [self.about] = told["recordings"]
        self.pid = self.about["pid"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def test_start_tag_stop(place):
    """start returns at once with the job's name; tags find it; stop shows what run would, with the files complete."""
    begun = time.monotonic()
    done = record(place, "start", "--name", "bg", "--period", "20ms")
    equal((done.returncode, done.stdout), (0, "bg\n"), done.stderr)
    expect("record stop bg\n" in done.stderr, done.stderr)
    expect(time.monotonic() - begun < 10, "it waited")
    [about] = running(place)
    try:
        equal((about["job"], about["state"], about["recording"]), ("bg", "recording", os.path.join(place, "energyscopium-out/bg.esr")))
        equal(tag(place, "start", "phase").stderr, "")
        time.sleep(0.4)
        equal(tag(place, "stop", "phase").stderr, "")
        done = record(place, "stop", "bg", "--zone", "FR", "--pue", "1.5")
    finally:
        if os.path.exists(f"/proc/{about['pid']}"):
            os.kill(about["pid"], signal.SIGTERM)
    equal(done.returncode, 0, done.stderr)
    expect(LINE.match(done.stdout), done.stdout)
    expect("(PUE=1.5)" in done.stdout and "gCO2 in FR" in done.stdout and "phase" in done.stdout, done.stdout)
    out = os.path.join(place, "energyscopium-out")
    equal(sorted(os.listdir(out)), ["bg.eprofile.json", "bg.esr"])
    equal(stat.S_IMODE(os.stat(os.path.join(out, "bg.esr")).st_mode), 0o600)
    told = json.loads(call("report", "--json", os.path.join(out, "bg.esr")).stdout)
    equal(told["quality"]["whole"], True)
    [phase] = [r for r in told["regions"] if r["name"] == "phase"]
    near(phase["duration_s"], 0.4, 0.3, "phase")
    equal(os.listdir(runtime(place)), [])
    equal(running(place), [])


def test_energy_is_true(place):
    """The energy is that of the counters between start and stop."""
    root, truth = os.path.join(place, "tree"), os.path.join(place, "truth")
    subprocess.run([TREE, root, "spr2s", "all=near"], check=True)
    with Recording(place, "--name", "j", "--root", "tree"):
        tag(place, "start", "play")
        subprocess.run([PLAYER, root, "--random", "5", "--duration", "700ms", "--truth", truth], check=True)
        tag(place, "stop", "play")
        done = record(place, "stop", "--json")
    equal(done.returncode, 0, done.stderr)
    told = json.loads(done.stdout)
    with open(truth) as file:
        true_j = sum(z["energy_uj"] for z in json.load(file)["zones"] if z["key"].startswith(("package", "dram"))) / 1e6
    near(told["energy"]["node_j"], true_j, 0.001, "node")
    [play] = [r for r in told["regions"] if r["name"] == "play"]
    near(play["energy_j"], true_j, play["uncertainty_j"] + 0.001, "play")
    equal((told["schema"], told["exit_status"], told["job"]["command"]), ("energyscopium.run/1", None, None))
    expect(os.path.exists(told["eprofile"]), told["eprofile"])


def test_names_are_taken_once(place):
    """Of one name only one runs, wherever its files are; several run side by side, and which is meant must be said."""
    with Recording(place, "--name", "one") as one:
        for args in (["--name", "one"], ["--name", "one", "--out", "other"]):
            done = record(place, "start", *args)
            equal((done.returncode, done.stdout), (1, ""))
            expect("one" in done.stderr and "already" in done.stderr, done.stderr)
        done = record(place, "start", "--name", "one", "--force")
        equal(done.returncode, 1, done.stderr)
        expect("another process" in done.stderr, done.stderr)
        equal(os.listdir(os.path.join(place, "other")), [])
        with Recording(place, "--name", "two") as two:
            equal({r["job"] for r in running(place)}, {"one", "two"})
            done = record(place, "stop")
            equal(done.returncode, 1, done.stdout)
            expect("which one" in done.stderr, done.stderr)
            expect("more than one" in tag(place, "start", "x").stderr, "a tag went somewhere")
            done = call("tag", "start", "x", env={"ENERGYSCOPIUM_SOCKET": two.about["socket"]})
            equal(done.stderr, "")
            expect("ENERGYSCOPIUM_SOCKET=" + one.about["socket"] in record(place, "status").stdout, "no socket is shown")
            equal(record(place, "stop", "two").returncode, 0)
        equal(record(place, "stop").returncode, 0)
    done = record(place, "stop")
    equal(done.returncode, 1)
    expect("nothing is recorded" in done.stderr, done.stderr)
    done = record(place, "stop", "three")
    equal(done.returncode, 1)
    expect("'three'" in done.stderr, done.stderr)


def test_sigterm_is_an_orderly_stop(place):
    """After SIGTERM recording and eprofile are complete, and nothing is left in the folder of sockets."""
    with Recording(place, "--name", "j") as recording:
        os.kill(recording.pid, signal.SIGTERM)
        gone(recording.pid)
    told = json.loads(call("report", "--json", recording.about["recording"]).stdout)
    equal(told["quality"]["whole"], True)
    expect(os.path.exists(os.path.join(place, "energyscopium-out/j.eprofile.json")), "no eprofile")
    equal(os.listdir(runtime(place)), [])


def test_kill_of_the_recorder(place):
    """After kill -9 the recording can be read, status says so, and the next start cleans up and tells."""
    with Recording(place, "--name", "j", "--period", "20ms") as recording:
        time.sleep(1.5)
        os.kill(recording.pid, signal.SIGKILL)
        gone(recording.pid)
        [told] = running(place)
        equal((told["state"], told["pid"], told["recording"]), ("killed", recording.pid, recording.about["recording"]))
        expect("not recorded" in tag(place, "start", "x").stderr, "a tag was heard")
        done = record(place, "stop", "j")
        equal(done.returncode, 1, done.stdout)
    report = json.loads(call("report", "--json", recording.about["recording"]).stdout)
    equal(report["job"]["state"], "broken off")
    expect(report["job"]["duration_s"] > 0.2, str(report["job"]))
    done = record(place, "start", "--name", "k")
    equal((done.returncode, done.stdout), (0, "k\n"))
    expect(f"process {recording.pid}" in done.stderr and recording.about["recording"] in done.stderr, done.stderr)
    equal(record(place, "stop").returncode, 0)
    equal(os.listdir(runtime(place)), [])


def test_end_of_the_terminal(place):
    """It has a session of its own and holds nothing of who started it: shells do not wait, hang-ups do not reach it."""
    begun = time.monotonic()
    script = f'job=$("{PROGRAM}" record start --name j 3>&1) && echo "got $job"; kill -HUP 0'
    done = subprocess.run(["setsid", "sh", "-c", script], cwd=place, capture_output=True, text=True, check=False, timeout=20,
                          env=harness.clean_environment({"ENERGYSCOPIUM_RUNTIME_DIR": runtime(place)}))
    equal(done.stdout, "got j\n", done.stderr)
    expect(time.monotonic() - begun < 15, "it was waited for")
    [about] = running(place)
    try:
        equal(os.getsid(about["pid"]), about["pid"])
        equal(os.readlink(f"/proc/{about['pid']}/cwd"), "/")
        for fd in "012":
            equal(os.readlink(f"/proc/{about['pid']}/fd/{fd}"), "/dev/null")
        time.sleep(0.3)
        equal(record(place, "stop").returncode, 0)
    finally:
        if os.path.exists(f"/proc/{about['pid']}"):
            os.kill(about["pid"], signal.SIGKILL)


def test_what_cannot_start_says_so(place):
    """Wrong options and missing meters are told in the foreground, and nothing runs or is left."""
    cases = [(["start", "--period", "0"], 2, "period"), (["start", "x"], 2, "one too many"), (["begin"], 2, "begin"), ([], 2, "start"),
             (["stop", "--period", "1s"], 2, "--period"), (["status", "x"], 2, "one too many"), (["start", "--pue", "2"], 2, "--pue"),
             (["start", "--domain", "gpu-9"], 1, "gpu-9"), (["start", "--out", "/proc/x"], 1, "/proc/x"),
             (["start", "--root", "/nonexistent"], 1, "/nonexistent"), (["stop", "--pue", "0.1"], 2, "pue")]
    for args, status, word in cases:
        done = record(place, *args)
        equal((done.returncode, done.stdout), (status, ""), f"{args}: {done.stderr}")
        expect(word in done.stderr and done.stderr.startswith("energyscopium record"), f"{args}: {done.stderr}")
    equal(running(place), [])
    equal(os.listdir(place), [])


def test_folder_of_somebody_else(place):
    """A folder for sockets that others may write to is not used, and that is said."""
    os.mkdir(runtime(place))
    os.chmod(runtime(place), 0o777)
    done = record(place, "start", "--name", "j")
    equal(done.returncode, 1, done.stdout)
    expect(runtime(place) in done.stderr and "not used" in done.stderr, done.stderr)
    equal(os.listdir(os.path.join(place, "energyscopium-out")), [])
    done = tag(place, "start", "x")
    equal(done.returncode, 0)
    expect("not used" in done.stderr, done.stderr)


def test_full_disk(place):
    """What a full disk did not take is saved elsewhere when it ends: stop shows it, or the next start says where it is."""
    mount, spare = os.path.join(place, "small"), os.path.join(place, "spare")
    os.mkdir(mount)
    os.mkdir(spare)
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", mount],
                                           capture_output=True, check=False).returncode:
        raise Skip("a small file system cannot be mounted here")
    try:
        for name, ends in (("told", True), ("untold", False)):
            done = record(place, "start", "--json", "--name", name, "--out", mount, "--period", "20ms", env={"TMPDIR": spare})
            pid = json.loads(done.stdout)["recordings"][0]["pid"]
            with open(os.path.join(mount, "ballast"), "wb") as ballast:
                try:
                    ballast.write(b"x" * 20000)
                    ballast.flush()
                except OSError:
                    pass
            for i in range(60):
                call("tag", "run", f"{i}-" + "x" * 200, "--", "true", env={"ENERGYSCOPIUM_RUNTIME_DIR": runtime(place)})
            if ends:
                done = record(place, "stop", "--json")
                equal(done.returncode, 0, done.stderr)
                told = json.loads(done.stdout)
                equal(told["recording"], os.path.join(spare, name + ".esr"))
                equal(len(told["regions"]), 61)
            else:
                os.kill(pid, signal.SIGTERM)
                gone(pid)
                done = record(place, "start", "--name", "next")
                expect(os.path.join(spare, name + ".esr") in done.stderr, done.stderr)
                equal(record(place, "stop").returncode, 0)
            for left in os.listdir(mount):
                os.unlink(os.path.join(mount, left))
    finally:
        subprocess.run(["umount", mount], check=False)


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
