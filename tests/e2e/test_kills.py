#!/usr/bin/env python3
# test_kills.py - kill -9 of the recorder at any moment, and other violence to it
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import bisect
import datetime
import errno
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import harness
from harness import PLAYER, PROGRAM, TREE, Skip, call, equal, expect, last_json, near

KILLS = 200
AT_ONCE = 25
LONGEST_S = 1.6
MARGIN_S = 0.05  # a busy machine may stop a program between a reading and its time
LOST_S = 1.5  # a second, and as long as a busy machine may keep a program waiting


class Truth:
    """What the player's counters had counted at a time, between two bounds."""

    def __init__(self, log, zone):
        self.before, self.after, self.energy_j = [], [], []
        with open(log) as file:
            for line in file:
                fields = line.split()
                if not line.endswith("\n"):
                    break
                self.before.append(int(fields[0]) / 1e9)
                self.after.append(int(fields[1]) / 1e9)
                self.energy_j.append(int(fields[2 + zone]) / 1e6)

    def at(self, t):
        """The least and the most that a reading at t can have seen."""
        least = bisect.bisect_right(self.after, t - MARGIN_S) - 1
        most = bisect.bisect_left(self.before, t + MARGIN_S)
        return (self.energy_j[least] if least >= 0 else 0.0,
                self.energy_j[most] if most < len(self.energy_j) else self.energy_j[-1])


def unix(text):
    return datetime.datetime.fromisoformat(text).timestamp()


def memory_place():
    return tempfile.mkdtemp(prefix="es-e2e-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)


def kill_round(place, root, numbers, rng):
    """Start as many recorders as there are numbers, kill each at a moment of its own; returns when that was."""
    recorders = []
    for number in numbers:
        after_s = rng.uniform(0, 0.06) if number % 4 == 0 else rng.uniform(0, LONGEST_S)
        command = ["sh", "-c", f"echo $$ > {place}/{number}.pid; exec sleep 30"]
        child = subprocess.Popen([PROGRAM, "run", "--root", root, "--out", os.path.join(place, "out"), "--name", f"k{number}",
                                  "--period", "5ms", "--domain", "package-0", "--", *command], env=harness.clean_environment(),
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        recorders.append([time.monotonic() + after_s, number, child])
    killed = {}
    for at, number, child in sorted(recorders, key=lambda r: r[:2]):
        time.sleep(max(0.0, at - time.monotonic()))
        expect(child.poll() is None, f"recorder {number} ended by itself")
        killed[number] = time.time()
        child.kill()
        child.wait()
    return killed


def command_of(place, number):
    try:
        with open(os.path.join(place, f"{number}.pid")) as file:
            return int(file.read())
    except (OSError, ValueError):
        return None


def check_killed(place, number, killed, truth):
    """Whether there was a recording; what is in it is true."""
    path = os.path.join(place, "out", f"k{number}.esr")
    if not os.path.exists(path):
        expect(command_of(place, number) is None, f"k{number}: the command ran and nothing was recorded")
        return False
    done = call("report", "--json", path)
    equal(done.returncode, 0, f"k{number}: {done.stderr}")
    report = json.loads(done.stdout)
    equal(report["quality"]["whole"], False, f"k{number}")
    if report["job"]["start"] is None:
        expect(command_of(place, number) is None, f"k{number}: the command ran before the first reading was on disk")
        return True
    start, stop = unix(report["job"]["start"]), unix(report["job"]["start"]) + report["job"]["duration_s"]
    expect(killed - stop <= LOST_S, f"k{number}: the last {killed - stop} s are lost")
    domain = next(d for d in report["energy"]["by_domain"] if d["domain"] == "package-0")
    if domain["energy_j"] is None:
        expect(stop - start < 0.2, f"k{number}: nothing is known of {stop - start} s")
        return True
    (low0, high0), (low1, high1) = truth.at(start), truth.at(stop)
    slack = domain["uncertainty_j"] + 0.001
    expect(low1 - high0 - slack <= domain["energy_j"] <= high1 - low0 + slack,
           f"k{number}: {domain['energy_j']} J, the truth lies between {low1 - high0} and {high1 - low0}")
    return True


def test_kill_at_any_moment(_):
    """After kill -9 at 200 random moments every recording opens, is true up to its last frame, and lacks a second at most"""
    place = memory_place()
    rng = random.Random(200)
    commands = []
    try:
        root = os.path.join(place, "tree")
        subprocess.run([TREE, root, "amd1"], check=True)
        log = os.path.join(place, "log")
        player = subprocess.Popen([PLAYER, root, "--random", "7", "--duration", "120s", "--log", log])
        killed = {}
        for first in range(0, KILLS, AT_ONCE):
            killed.update(kill_round(place, root, range(first, first + AT_ONCE), rng))
            for number in range(first, first + AT_ONCE):
                pid = command_of(place, number)
                if pid:
                    commands.append(pid)
                    os.kill(pid, 0)  # it goes on without its recorder
                    os.kill(pid, signal.SIGKILL)
        time.sleep(2 * MARGIN_S)
        player.send_signal(signal.SIGTERM)
        player.wait()
        truth = Truth(log, 0)
        n_recordings = sum(check_killed(place, number, at, truth) for number, at in killed.items())
        expect(n_recordings > KILLS / 2, f"{n_recordings} recordings only")
        equal([name for name in os.listdir(os.path.join(place, "out")) if not name.endswith(".esr")], [])
    finally:
        shutil.rmtree(place, ignore_errors=True)


def tree_of(place, model="skx2s"):
    root = os.path.join(place, "tree")
    subprocess.run([TREE, root, model], check=True)
    return root


def start_run(place, root, *args, command, preexec=None):
    return subprocess.Popen([PROGRAM, "run", "--root", root, "--out", os.path.join(place, "out"), "--name", "j", "--json", *args,
                             "--", *command], env=harness.clean_environment(), text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, preexec_fn=preexec)


def test_stopped_recorder(place):
    """A recorder that was stopped for a while says so: missed deadlines, a hole, and all of the energy."""
    root = tree_of(place, "amd1")
    truth = os.path.join(place, "truth.json")
    child = start_run(place, root, "--period", "20ms",
                      command=[PLAYER, root, "--random", "3", "--duration", "1500ms", "--truth", truth])
    time.sleep(0.4)
    child.send_signal(signal.SIGSTOP)
    time.sleep(0.6)
    child.send_signal(signal.SIGCONT)
    _, err = child.communicate(timeout=30)
    equal(child.returncode, 0, err)
    report = last_json(err)
    expect(report["quality"]["missed"] >= 20, report["quality"])
    longest = max(unix(gap["stop"]) - unix(gap["start"]) for gap in report["quality"]["gaps"] if gap["energy_known"])
    expect(longest >= 0.55, report["quality"]["gaps"])
    expect("holes" in err, err)
    with open(truth) as file:
        zone = next(z for z in json.load(file)["zones"] if z["key"] == "package-0")
    near(report["energy"]["node_j"], zone["energy_uj"] / 1e6, zone["unit_nj"] / 1e9 + 2e-6, "energy")


def test_few_descriptors(place):
    """With too few descriptors it says so and fails, or measures; what it could not open is named."""
    root = tree_of(place)
    said = 0
    for n in range(3, 26, 2):
        child = start_run(place, root, "--force", command=["true"],
                          preexec=lambda n=n: resource.setrlimit(resource.RLIMIT_NOFILE, (n, n)))
        _, err = child.communicate(timeout=30)
        expect(child.returncode >= 0, f"{n} descriptors: signal {-child.returncode}")
        expect(child.returncode in (0, 125, 127), f"{n} descriptors: {child.returncode} {err}")
        expect(err.strip(), f"{n} descriptors: not a word")
        said += os.strerror(errno.EMFILE) in err or "Too many open files" in err
    expect(said >= 3, "nothing was said of descriptors")


def test_descriptors_run_out(place):
    """Descriptors that run out meanwhile cost no reading; what cannot be written at the end is told."""
    root = tree_of(place)
    child = start_run(place, root, command=["sleep", "0.8"])
    time.sleep(0.3)
    resource.prlimit(child.pid, resource.RLIMIT_NOFILE, (4, 4))
    _, err = child.communicate(timeout=30)
    equal(child.returncode, 0, err)
    expect(os.strerror(errno.EMFILE) in err, err)
    report = json.loads(call("report", "--json", os.path.join(place, "out", "j.esr")).stdout)
    equal(report["quality"]["whole"], True)
    near(report["job"]["duration_s"], 0.8, 0.5, "duration")
    equal(report["quality"]["faults"], [f for f in report["quality"]["faults"] if f["fault"] in ("stood_still", "slow")])


def loads(megabytes):
    """Whether the program gets as far as to tell its version with so much memory."""
    limit = (megabytes << 20, megabytes << 20)
    done = subprocess.run([PROGRAM, "--version"], capture_output=True, check=False,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, limit))
    return done.returncode == 0 or megabytes >= 8


def test_little_memory(place):
    """With too little memory it says so and fails, or measures; it never crashes."""
    with open(PROGRAM, "rb") as program:
        if b"__asan_init" in program.read():
            raise Skip("a sanitizer takes terabytes of addresses")
    root = tree_of(place)
    said = 0
    for megabytes in (3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 20, 24, 32, 48):
        child = start_run(place, root, "--force", command=["true"],
                          preexec=lambda n=megabytes: resource.setrlimit(resource.RLIMIT_AS, (n << 20, n << 20)))
        _, err = child.communicate(timeout=30)
        # Where the program is not even loaded, or no room is left for its stack to grow, nobody is there to say so.
        expect(child.returncode >= 0 or not loads(megabytes - 1), f"{megabytes} MB: signal {-child.returncode} {err}")
        expect(err.strip() or child.returncode < 0, f"{megabytes} MB: not a word")
        said += child.returncode != 0 and "memory" in err
    expect(said or child.returncode == 0, "nothing was said of memory")


def test_full_json(place):
    """JSON that finds no room is told; the command's status stays."""
    root = tree_of(place)
    done = call("run", "--root", root, "--out", os.path.join(place, "out"), "--json=/dev/full", "--", "sh", "-c", "exit 3")
    equal(done.returncode, 3, done.stderr)
    expect("/dev/full" in done.stderr and os.strerror(errno.ENOSPC) in done.stderr, done.stderr)


def test_room_comes_back(place):
    """On a disk that was full for a while the recording is whole in its place, nothing is elsewhere."""
    mount = os.path.join(place, "small")
    os.mkdir(mount)
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", mount],
                                           capture_output=True, check=False).returncode:
        raise Skip("a small file system cannot be mounted here")
    root = tree_of(place)
    try:
        child = subprocess.Popen([PROGRAM, "run", "--root", root, "--out", mount, "--name", "j", "--period", "2ms", "--json", "--",
                                  "sleep", "3.2"], env=harness.clean_environment(), text=True, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE)
        time.sleep(0.3)
        ballast = os.path.join(mount, "ballast")
        with open(ballast, "wb", buffering=0) as file:
            try:
                while file.write(b"x" * 4096) == 4096:
                    pass
            except OSError as error:
                equal(error.errno, errno.ENOSPC)
        time.sleep(2)
        kept = os.stat(os.path.join(mount, "j.esr")).st_size
        os.unlink(ballast)
        _, err = child.communicate(timeout=30)
        equal(child.returncode, 0, err)
        told = last_json(err)
        equal(told["recording"], os.path.join(mount, "j.esr"), err)
        expect(os.stat(told["recording"]).st_size > kept, "nothing was written after there was room")
        again = json.loads(call("report", "--json", told["recording"]).stdout)
        equal(again["quality"]["whole"], True)
        near(again["job"]["duration_s"], 3.2, 0.5, "duration")
    finally:
        subprocess.run(["umount", "-l", mount], check=False)


def is_blocked(pid, number):
    """Whether a process keeps a signal waiting."""
    with open(f"/proc/{pid}/status") as file:
        mask = next(line.split()[1] for line in file if line.startswith("SigBlk:"))
    return int(mask, 16) >> (number - 1) & 1


def test_stopped_before_the_command(place):
    """Whoever ends run while it waits for the idle power finds no recording of nothing."""
    out = os.path.join(place, "early")
    for number in (signal.SIGINT, signal.SIGTERM):
        child = subprocess.Popen([PROGRAM, "run", "--out", out, "--name", "early", "--baseline", "1h", "--", "true"],
                                 stderr=subprocess.PIPE, text=True)
        try:
            while child.poll() is None and not is_blocked(child.pid, number):
                time.sleep(0.01)
            expect(os.path.exists(os.path.join(out, "early.esr")), "it waits before its recording is there")
            child.send_signal(number)
            child.wait(30)
            equal(child.returncode, -number, child.stderr.read())
            equal(os.listdir(out), [])
        finally:
            child.kill()
            child.communicate()


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
