#!/usr/bin/env python3
# test_crosscheck.py - sources --cross-check on trees that a player moves, with a meter beside, and on recordings
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import json
import os
import subprocess
import sys
import threading
import time

import harness
from harness import PLAYER, TREE, call, equal, expect

# Steps of a second, none of them a multiple of another: what follows late is told apart from what does not follow.
SCRIPT = ("1s package=200 dram=20 rest=40\n1s package=60 dram=8\n1s package=150 dram=14\n1s package=90 dram=5\n"
          "1s package=220 dram=25\n1s package=70 dram=10\n1s package=180 dram=18\n1s package=110 dram=12\n" * 4)


class Machine:
    """A tree whose counters a player moves."""

    def __init__(self, place, model):
        self.root = os.path.join(place, model)
        subprocess.run([TREE, self.root, model], check=True)
        script = os.path.join(place, "script")
        with open(script, "w") as file:
            file.write(SCRIPT)
        self.player = subprocess.Popen([PLAYER, self.root, "--script", script])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.player.kill()
        self.player.wait()


def compare(root, *args, seconds="6s"):
    done = call("sources", "--json", "--root", root, "--cross-check", seconds, *args)
    equal(done.returncode, 0, done.stderr)
    told = json.loads(done.stdout)
    equal(told["schema"], "energyscopium.sources/1")
    return told["cross_check"]


def between(checks, x, y):
    return next(c for c in checks if c["y"] == y and x in c["x"])


def test_twins_and_platform(place):
    """The MMIO twin of a package agrees with it, and psys holds its parts."""
    with Machine(place, "client-psys") as machine:
        checks = compare(machine.root)
    twin = between(checks, "powercap/package-0", "powercap/intel-rapl-mmio:package-0")
    equal((twin["relation"], twin["verdict"], twin["fault"]), ("same", "agree", False), twin)
    expect(abs(twin["ratio"] - 1) <= twin["ratio_uncertainty"] < 0.01, twin)
    psys = between(checks, "powercap/package-0", "powercap/psys")
    equal((psys["relation"], psys["verdict"]), ("contains", "holds_parts"), psys)
    expect(psys["windows"] >= 5 and psys["y_mean_w"] > psys["x_mean_w"], psys)


def test_mirrored_dies(place):
    """Dies that show the counter of their whole package are told."""
    for _ in range(3):  # on a busy machine two dies may be read far apart, and too few windows are left to tell
        with Machine(place, "amd-zen1-dies") as machine:
            checks = compare(machine.root)
        dies = [c for c in checks if c["relation"] == "dies"]
        expect(dies and not any(c["fault"] for c in dies), checks)
        if {c["verdict"] for c in dies} == {"mirror"}:
            return
    raise AssertionError(checks)


def test_stale_node_meter(place):
    """A node meter that stands, and shows less than its parts, is a fault; the parts stand for the node."""
    with Machine(place, "skx2s") as machine:
        path = os.path.join(machine.root, "run", "wattmeter")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        done = threading.Event()

        def write():
            while not done.wait(0.1):
                with open(path + ".new", "w") as file:
                    file.write("150.0\n")
                os.rename(path + ".new", path)

        with open(path, "w") as file:
            file.write("150.0\n")
        writer = threading.Thread(target=write)
        writer.start()
        try:
            checks = compare(machine.root, "--meter", "file:/run/wattmeter?period=1s", seconds="12s")
        finally:
            done.set()
            writer.join()
    node = next(c for c in checks if c["relation"] == "contains" and c["y"].endswith("node"))
    equal(node["verdict"], "stale", node)
    expect(node["fault"] and len(node["x"]) == 4 and node["y_mean_w"] < node["x_mean_w"], node)


def test_standing_meters(place):
    """Meters that do not move are said to stand still, not to agree."""
    root = os.path.join(place, "client-psys")
    subprocess.run([TREE, root, "client-psys"], check=True)
    checks = compare(root, seconds="3s")
    equal({c["verdict"] for c in checks}, {"still"}, checks)
    expect(all(c["ratio"] is None and c["slope"] is None for c in checks), checks)


def test_recording(place):
    """A recording is compared by the same rules, and the same options are refused where they mean nothing."""
    with Machine(place, "client-psys") as machine:
        done = call("run", "--root", machine.root, "--out", place, "--name", "r", "--", "sleep", "6")
        equal(done.returncode, 0, done.stderr)
    recording = os.path.join(place, "r.esr")
    done = call("sources", "--json", "--cross-check", recording)
    equal(done.returncode, 0, done.stderr)
    told = json.loads(done.stdout)
    equal(told["recording"], recording)
    psys = between(told["cross_check"], "powercap/package-0", "powercap/psys")
    equal(psys["verdict"], "holds_parts", psys)
    expect(psys["node"], psys)
    table = call("sources", "--cross-check", recording).stdout
    expect("powercap/psys : powercap/package-0" in table and "95 %" in table, table)
    equal(call("sources", "--cross-check", recording, "--", "true").returncode, 2)
    equal(call("sources", "--cross-check", os.path.join(place, "none.esr")).returncode, 1)
    equal(call("sources", "--cross-check", "1s").returncode, 2)
    equal(call("sources", "--", "true").returncode, 2)


def test_command_as_load(place):
    """A command is the load: it is started, ends with the window, and writes nothing into the JSON."""
    root = os.path.join(place, "client-psys")
    subprocess.run([TREE, root, "client-psys"], check=True)
    started = time.monotonic()
    done = call("sources", "--json", "--root", root, "--cross-check", "3s", "--", "sh", "-c",
                "echo here; echo $$ > " + os.path.join(place, "pid") + "; exec sleep 60")
    equal(done.returncode, 0, done.stderr)
    json.loads(done.stdout)
    expect("here" in done.stderr, done.stderr)
    expect(time.monotonic() - started < 30, "it waited for the command")
    with open(os.path.join(place, "pid")) as file:
        expect(not os.path.exists("/proc/" + file.read().strip()), "the command goes on")
    done = call("sources", "--root", root, "--cross-check", "3s", "--", "/no/such/command")
    equal(done.returncode, 1)
    expect("/no/such/command" in done.stderr, done.stderr)


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
