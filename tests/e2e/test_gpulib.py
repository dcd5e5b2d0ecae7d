#!/usr/bin/env python3
# test_gpulib.py - GPUs that only AMD SMI, ROCm SMI or Level Zero read, by stubs of these libraries
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import json
import os
import struct
import subprocess
import sys
import time

import harness
from harness import SOURCE_ROOT, TREE, call, equal, expect, last_json, near

FOLDER = "usr/lib/x86_64-linux-gnu"
AMD = ("amdsmi=" + os.environ.get("ES_AMDSMI_STUB", ""), "rocm=" + os.environ.get("ES_ROCM_STUB", ""))
INTEL = ("levelzero=" + os.environ.get("ES_LEVELZERO_STUB", ""),)


def make(place, name, model, table, *libraries):
    root = os.path.join(place, name)
    path = os.path.join(SOURCE_ROOT, "tests", "machines", "gpulib", table + ".table")
    if "\n" in table:
        path = os.path.join(place, name + ".table")
        with open(path, "w") as file:
            file.write(table)
    subprocess.run([TREE, root, model, "gpulib=" + path, *libraries], check=True)
    return root


class State:
    """struct gpulib_state: four words, then for each GPU eight counters and four words."""

    def __init__(self, root):
        self.path = os.path.join(root, FOLDER, "gpulib.state")

    def words(self):
        with open(self.path, "rb") as file:
            return struct.unpack("<4I", file.read(16))

    def add(self, gpu, part, steps):
        with open(self.path, "r+b") as file:
            file.seek(16 + 80 * gpu + 8 * part)
            now = struct.unpack("<Q", file.read(8))[0]
            file.seek(16 + 80 * gpu + 8 * part)
            file.write(struct.pack("<Q", now + steps))


def measure(place, root, *options, moves=()):
    """A run of a second, in the middle of which counters move; its report by domain."""
    child = harness.start("run", "--root", root, "--out", os.path.join(place, "out"), "--name", "j", "--force", "--json",
                          "--period", "50ms", *options, "--", "sleep", "1")
    time.sleep(0.6)
    for gpu, part, steps in moves:
        State(root).add(gpu, part, steps)
    _, errors = child.communicate(timeout=60)
    equal(child.returncode, 0, errors)
    report = last_json(errors)
    return report, {d["id"]: d for d in report["energy"]["by_domain"]}


def test_amd_smi(place):
    """Two GPUs without a table: AMD SMI reads them, to a step of 2^-16 J, and the partition of one is not counted again."""
    root = make(place, "amd", "amd1", "mi325x2", *AMD)
    report, domains = measure(place, root, moves=((0, 0, 300 << 16), (1, 0, 300 << 16), (2, 0, 40 << 16)))
    near(domains["amdsmi/gpu-0"]["energy_j"], 300, 1e-3, "gpu-0")
    near(domains["amdsmi/gpu-1"]["energy_j"], 40, 1e-3, "gpu-1")
    expect(not [i for i in domains if i.startswith("rocm/")], domains)
    equal([i["code"] for i in report["insights"] if i["code"] == "gpu_invisible"], [])
    equal(report["job"]["ngpus"], 2)


def test_rocm_smi(place):
    """The same by ROCm SMI, where there is no AMD SMI."""
    root = make(place, "rocm", "amd1", "mi325x2", AMD[1])
    _, domains = measure(place, root, moves=((2, 0, 40 << 16),))
    near(domains["rocm/gpu-1"]["energy_j"], 40, 1e-3, "gpu-1")


def test_spare(place):
    """Where the driver's table has the energy the library is not even started; asked for it is, and its domains are duplicates."""
    table = "".join(f"gpu device=7408 class=038000 energy=65536 bus=0000:{bus}:00.0\n" for bus in ("c1", "c9", "d1", "d9"))
    root = make(place, "spare", "mi250x", table, AMD[0])
    _, domains = measure(place, root)
    expect("amdgpu/gpu-0" in domains and "amdsmi/gpu-0" not in domains, domains)
    equal(State(root).words()[1], 0, "starts")
    told = json.loads(call("sources", "--json", "--no-probe", "--root", root).stdout)
    named = {d["id"]: d for s in told["sources"] for d in s["domains"]}
    equal(named["amdsmi/gpu-3"]["duplicate_of"], "amdgpu/gpu-3")
    expect(State(root).words()[1] > 0, "not started")
    expect(all(i.startswith(("powercap", "amdgpu")) for i in told["cover"]), told["cover"])


def test_level_zero(place):
    """Cards by Level Zero: packages and tiles are in them, and nothing is counted twice."""
    root = make(place, "intel", "skx2s", "max1550x2", *INTEL)
    moves = ((0, 0, 500_000_000), (0, 1, 400_000_000), (0, 2, 200_000_000), (0, 3, 200_000_000), (1, 0, 70_000_000))
    report, domains = measure(place, root, moves=moves)
    near(domains["levelzero/gpu-0"]["energy_j"], 500, 1e-3, "card")
    near(domains["levelzero/gpu-1"]["energy_j"], 70, 1e-3, "card")
    # The packages of this tree stand still: what stands for them is an estimate, beside the cards.
    near(report["energy"]["node_j"], domains["estimate/node"]["energy_j"] + 570, 0.01, "node")
    told = json.loads(call("sources", "--json", "--no-probe", "--root", root).stdout)
    named = {d["id"]: d for s in told["sources"] for d in s["domains"]}
    equal(named["levelzero/gpu-0-tile1"]["parent"], "levelzero/gpu-0")
    expect("package" in named["levelzero/gpu-0000:00:02.0"]["reason"], named["levelzero/gpu-0000:00:02.0"])


def test_mi300a_in_every_way(place):
    """MI300A by powercap, gpu_metrics, its hwmon, HSMP's tables, its hwmon and both libraries: each socket counts once."""
    table = "".join(f"gpu device=74a0 energy=65536 power=120000 bus=0000:{bus}:00.0\n" for bus in ("c1", "c9", "d1", "d9"))
    root = make(place, "mi300a", "mi300a-hsmp", table, *AMD)
    told = json.loads(call("sources", "--json", "--no-probe", "--root", root).stdout)
    named = {d["id"]: d for s in told["sources"] for d in s["domains"]}
    equal(told["cover_total"], [f"amdgpu/module-{i}" for i in range(4)])
    equal(told["cover"], [f"powercap/package-{i}" for i in range(4)])
    for name in ("hwmon/amdgpu:module-2", "hwmon/amd_hsmp_hwmon:module-2", "hsmp/module-2", "amdsmi/module-2", "rocm/module-2"):
        equal(named[name]["duplicate_of"], "amdgpu/module-2", name)
    # A run needs neither HSMP nor a library for it.
    _, domains = measure(place, root)
    expect(not [i for i in domains if i.startswith(("hsmp/", "amdsmi/", "rocm/"))], domains)


def test_sleeper(place):
    """A GPU that sleeps is not woken by a run, nor by sources."""
    root = make(place, "asleep", "amd1", "gpu energy=65536 status=suspended\n", AMD[0])
    measure(place, root)
    call("sources", "--json", "--no-probe", "--root", root)
    equal(State(root).words()[1], 0, "starts")


def test_refused(place):
    """Rights that are missing are named with the command that helps; the run goes on."""
    root = make(place, "refused", "amd1", "init 10\ngpu energy=65536\n", AMD[0])
    told = json.loads(call("sources", "--json", "--no-probe", "--root", root).stdout)
    gpu = next(d for s in told["sources"] for d in s["domains"] if d["id"] == "amdsmi/gpu-0")
    equal(gpu["state"], "denied")
    expect("render" in gpu["fix"], gpu)
    report, _ = measure(place, root)
    equal([i["code"] for i in report["insights"] if i["code"] == "gpu_invisible"], ["gpu_invisible"])


if __name__ == "__main__":
    if not os.environ.get("ES_AMDSMI_STUB"):
        print("1..0 # SKIP no stub of the libraries")
        sys.exit(0)
    sys.exit(harness.main(sys.modules[__name__]))
