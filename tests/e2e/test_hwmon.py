#!/usr/bin/env python3
# test_hwmon.py - run and sources with meters beside RAPL: hwmon, AMD GPUs, Cray's pm_counters, on synthetic trees
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import json
import os
import subprocess
import sys

import harness
from faulty import Faulty, finish
from harness import PLAYER, TREE, call, equal, expect, last_json, near

# What goes wrong with one file, and by which word it is told. Times are from the first read on.
FAULTS = {
    "EIO p=0.3": {"read_failed"},
    "ENODATA from=600ms": {"no_data"},
    "text=rubbish\\n p=0.3": {"garbage"},
    "short=0 p=0.3": {"no_data"},
    "short=5 p=0.3": {"garbage"},
    "gone from=300ms to=600ms": {"vanished"},
    "gone from=500ms": {"vanished"},
    "delay=30ms": {"slow"},
}
NUMBERS = {
    "reset from=500ms": {"reset"},
    "text=0\\n p=0.2": {"rejected"},
    "text=-5\\n p=0.3": {"garbage"},
    "text=18446744073709551615\\n p=0.2": {"out_of_range"},
}

STRANGER = "54321"  # a user who owns none of the tree's files, whoever runs the test


def make(place, model):
    root = os.path.join(place, model)
    subprocess.run([TREE, root, model], check=True)
    return root


def measure(place, root, *command, options=()):
    done = call("run", "--root", root, "--out", os.path.join(place, "out"), "--name", "j", "--force", "--json",
                "--period", "50ms", *options, "--", *command)
    equal(done.returncode, 0, done.stderr)
    return last_json(done.stderr)


def play(place, root, *how, options=()):
    truth = os.path.join(place, "truth.json")
    report = measure(place, root, PLAYER, root, *(how or ("--random", "5", "--duration", "600ms")), "--truth", truth,
                     options=options)
    with open(truth) as file:
        return report, {zone["key"]: zone for zone in json.load(file)["zones"]}


def domains(report):
    return {d["id"]: d for d in report["energy"]["by_domain"]}


def check(report, zones, pairs):
    """Each domain shows the true joules of its counter to one raw unit."""
    for name, key in pairs.items():
        near(domains(report)[name]["energy_j"], zones[key]["energy_uj"] / 1e6, zones[key]["unit_nj"] / 1e9 + 2e-6, name)


def chosen(report, cover):
    return sorted(d["id"] for d in report["energy"]["by_domain"] if d[cover])


def told_by(root, *options):
    told = json.loads(call("sources", "--json", "--no-probe", "--root", root, *options).stdout)
    return told, {d["id"]: d for s in told["sources"] for d in s["domains"]}


def test_cray(place):
    """A Cray: the node is the total, packages, memory and accelerators are its parts, each true to 1 J."""
    report, zones = play(place, make(place, "cray-ex-amd"))
    gpus = {f"cray/gpu-{i}": f"gpu-{i}" for i in range(4)}
    check(report, zones, {"cray/node": "node", "cray/package": "cpus", "cray/dram": "dram", **gpus,
                          "powercap/package-0": "package-0", "powercap/package-1": "package-1"})
    near(report["energy"]["node_j"], zones["node"]["energy_uj"] / 1e6, 1, "node")
    equal(chosen(report, "chosen_total"), ["cray/node"])
    equal(chosen(report, "chosen"), ["cray/dram", *gpus, "powercap/package-0", "powercap/package-1"])
    equal(report["quality"]["resets"], 0)
    equal(report["quality"]["failed"], None)


def test_old_cray(place):
    """An old Cray without times, its files filled up with NULs: true to 1 J."""
    report, zones = play(place, make(place, "cray-xc-old"))
    check(report, zones, {"cray/node": "node", "cray/package": "package", "cray/dram": "dram"})
    equal(chosen(report, "chosen_total"), ["cray/node"])


def test_broken_cray(place):
    """Every fault of a Cray's files is named by sources, and what power alone tells is integrated."""
    root = make(place, "cray-broken")
    _, by_id = told_by(root, "--as", STRANGER)
    equal({name.split("/")[1]: d["state"] for name, d in by_id.items() if name.startswith("cray/")},
          {"node": "absent", "package": "unproven", "dram": "absent", "gpu-0": "denied"})
    expect("does not show what it should" in by_id["cray/node"]["reason"], by_id["cray/node"])
    expect("No data" in by_id["cray/dram"]["reason"], by_id["cray/dram"])
    expect("its power is added up" in by_id["cray/package"]["reason"], by_id["cray/package"])
    expect("chgrp" in by_id["cray/gpu-0"]["fix"], by_id["cray/gpu-0"])
    report = measure(place, root, "sleep", "0.3")
    faults = {f["id"]: f["fault"] for f in report["quality"]["faults"]}
    equal(faults["cray/node"], "garbage")
    equal(faults["cray/dram"], "no_data")


def test_frozen_meters(place):
    """Meters that nobody refreshes are told after 3 s, with times in them or without."""
    running = []
    for model in ("cray-ex-amd", "cray-xc-old", "mi250x"):
        root = make(place, model)
        running.append(harness.start("run", "--root", root, "--out", os.path.join(place, model + ".out"), "--name", "j", "--json",
                                     "--period", "100ms", "--", "sleep", "4.2"))
    for process, names in zip(running, (("cray/node", "cray/gpu-0"), ("cray/node", "cray/dram"), ("amdgpu/gpu-3",))):
        faults = {f["id"]: f["fault"] for f in last_json(process.communicate(timeout=60)[1])["quality"]["faults"]}
        for name in names:
            equal(faults.get(name), "no_data", name)


def test_restarted_cray(place):
    """Counters that begin anew, higher than they stood, are a reset: no joule is made of it."""
    root = make(place, "cray-ex-amd")
    counters = os.path.join(root, "sys/cray/pm_counters")
    script = os.path.join(place, "restart.py")
    with open(script, "w") as file:
        file.write(f"""
import os, time
for name in ('/energy', '/startup'):
    os.chmod({counters!r} + name, 0o644)  # as an ordinary user, too
def show(joules, new=None):
    if new:
        open({counters!r} + '/startup', 'w').write(new)
    text = f'{{joules}} J {{time.time_ns() // 1000}} us\\n'
    fd = os.open({counters!r} + '/energy', os.O_WRONLY)
    os.pwrite(fd, text.encode(), 0)
    os.close(fd)
    time.sleep(0.25)
start = int(open({counters!r} + '/energy').read().split()[0])
time.sleep(0.1)
show(start + 10), show(start + 30)
show(start + 9000, '1733999999999999\\n'), show(start + 9030), show(start + 9060)
""")
    report = measure(place, root, sys.executable, script)
    equal(report["quality"]["resets"], 1)
    lines = call("profile", "--csv", "-", report["recording"]).stdout.splitlines()
    seen_j = [line.split(",")[4] for line in lines if ",node," in line]
    near(float(seen_j[-1]), 90, 1e-6, "node")


def test_amd_energy(place):
    """The driver amd_energy: packages true to 16 uJ, single cores listed and in no sum."""
    root = make(place, "amd-energy")
    report, zones = play(place, root)
    names = {f"hwmon/amd_energy:package-{i}": f"package-{i}" for i in range(2)}
    check(report, zones, names)
    equal(chosen(report, "chosen"), sorted(names))
    expect(not any("core" in name for name in domains(report)), domains(report))
    report, zones = play(place, root, options=("--domain", "hwmon/amd_energy:core-5"))
    check(report, zones, {"hwmon/amd_energy:core-5": "core-0-cpu-5"})


def test_intel_gpus(place):
    """Intel's cards: the card is counted, its chips are parts of it, and no GPU is called invisible."""
    report, zones = play(place, make(place, "xe-gpu"))
    check(report, zones, {"hwmon/xe:gpu-0": "gpu-0", "hwmon/xe:gpu-0-pkg": "gpu-0-pkg", "hwmon/xe:gpu-1": "gpu-1",
                          "powercap/package-0": "package-0"})
    equal(chosen(report, "chosen"), ["hwmon/xe:gpu-0", "hwmon/xe:gpu-1", "powercap/package-0"])
    expect(not any(i["code"] == "gpu_invisible" for i in report["insights"]), report["insights"])
    root = make(place, "i915-dg2")
    report, zones = play(place, root)
    check(report, zones, {"hwmon/i915:gpu-0": "gpu-0", "hwmon/i915_gt1:gpu-0-gt1": "gpu-0-gt1"})
    equal(chosen(report, "chosen"), ["hwmon/i915:gpu-0", "powercap/package-0"])
    told, _ = told_by(root)
    expect(not any("GPU" in u["what"] for u in told["unmeasured"]), told["unmeasured"])


def test_amd_gpus(place):
    """AMD's GPUs by gpu_metrics: true to 16 uJ, the power of hwmon is a duplicate."""
    report, zones = play(place, make(place, "mi250x"))
    names = {f"amdgpu/gpu-{i}": f"gpu-{i}" for i in range(4)}
    check(report, zones, names)
    equal(chosen(report, "chosen"), [*names, "powercap/package-0"])
    equal(domains(report)["hwmon/amdgpu:gpu-2"]["state"], "duplicate")


def test_apus(place):
    """An APU's power holds its package: it is the total, and never added to it."""
    report, zones = play(place, make(place, "mi300a-apu"))
    names = {f"amdgpu/module-{i}": f"module-{i}" for i in range(4)}
    check(report, zones, names)
    equal(chosen(report, "chosen_total"), sorted(names))
    near(report["energy"]["node_j"], sum(zones[key]["energy_uj"] for key in names.values()) / 1e6, 1e-3, "node")
    expect(not any(i["code"] == "gpu_invisible" for i in report["insights"]), report["insights"])
    _, by_id = told_by(make(place, "amd-apu"))
    equal(by_id["amdgpu/module-0"]["state"], "absent")
    expect("gpu_metrics 2.1" in by_id["amdgpu/module-0"]["reason"], by_id["amdgpu/module-0"])
    equal(by_id["hwmon/amdgpu:module-0"]["state"], "unproven")


def test_every_fault(place):
    """Whatever goes wrong with one counter: the others are exact, it is within its bound or unknown, the fault is named."""
    meters = [("amd-energy", "*/energy9_input", "hwmon/amd_energy:package-0", "package-0", {**FAULTS, **NUMBERS}),
              ("cray-ex-amd", "*/accel1_energy", "cray/gpu-1", "gpu-1", FAULTS),
              ("mi250x", "*c9:00.0/gpu_metrics", "amdgpu/gpu-1", "gpu-1", FAULTS)]
    others = {"amd-energy": ("hwmon/amd_energy:package-1", "package-1"), "cray-ex-amd": ("cray/gpu-2", "gpu-2"),
              "mi250x": ("amdgpu/gpu-2", "gpu-2")}
    for model, glob, name, key, cases in meters:
        machines = []
        try:
            for number, rules in enumerate(cases):
                machines.append(Faulty(place, f"{model}{number}", model=model, presets=("all=2000000000",), seed=number))
                machines[-1].tell(f"{glob} {rules}\n")
                machines[-1].start()
            for fs, (rules, told) in zip(machines, cases.items()):
                what = f"{model}: {rules}"
                report, _ = finish(fs.child)
                truth, got = fs.truth(), domains(report)
                other, other_key = others[model]
                # On a machine so busy that the end came long after the last step, what was filled in is told.
                near(got[other]["energy_j"] - got[other].get("filled_j", 0), truth[other_key]["energy_uj"] / 1e6,
                     truth[other_key]["unit_nj"] / 1e9 + 2e-6, f"{what}: {other}")
                if got[name]["energy_j"] is not None:
                    near(got[name]["energy_j"], truth[key]["energy_uj"] / 1e6,
                         got[name]["uncertainty_j"] + truth[key]["unit_nj"] / 1e9 + 2e-6, what)
                words = {f["fault"] for f in report["quality"]["faults"] if f["id"] == name}
                # On a machine so busy that the fault's time passed without a read there is nothing to tell.
                expect(told <= words or not fs.hits(), f"{what}: told as {words}")
        finally:
            for fs in machines:
                fs.close()


def test_sleeping_gpu(place):
    """A GPU that sleeps is not read, which is no fault; sources says so."""
    root = make(place, "radeon-asleep")
    told, by_id = told_by(root)
    expect("asleep" in by_id["amdgpu/gpu-0"]["reason"], by_id["amdgpu/gpu-0"])
    report, _ = play(place, root)
    equal(report["quality"]["failed"], None)
    equal(report["quality"]["faults"], [])
    equal(domains(report)["amdgpu/gpu-0"]["energy_j"], None)
    expect(any(i["code"] == "gpu_invisible" for i in report["insights"]), "the report is silent about the GPU")
    equal((report["energy"]["at_least"], report["energy"]["unseen_gpus"]), (False, 0), "what sleeps draws next to nothing")


def test_powers(place):
    """Power meters of one constant power: Grace's hierarchy, Altra's rails and POWER9 give that power, each part once."""
    script = os.path.join(place, "script")
    with open(script, "w") as file:
        file.write("600ms module=400 package=300 core=200 uncore=50 dram=30 other=20 node=500\n")
    for model, total, watts in (("grace", ["hwmon/power_meter:module-0", "hwmon/power_meter:module-1"], 800),
                                ("altra", ["hwmon/smpro:core-0", "hwmon/smpro:dram-0-vrd-1", "hwmon/smpro:dram-0-vrd-2",
                                           "hwmon/smpro:rca-0", "hwmon/smpro:uncore-0"], 330)):
        root = make(place, model)
        for _ in range(2):  # the first time brings the meters to these powers
            report, _ = play(place, root, "--script", script)
        equal(chosen(report, "chosen_total"), total)
        equal(report["energy"]["kind"], "integrated")
        near(report["energy"]["node_j"] / report["job"]["duration_s"], watts, watts * 0.001, model)
    report, zones = play(place, make(place, "power9"), "--script", script)
    check(report, zones, {"hwmon/ibmpowernv:node": "node", "hwmon/ibmpowernv:package-0": "package-0"})
    equal(domains(report)["hwmon/ibmpowernv:node-power"]["state"], "duplicate")


def test_unknown_drivers(place):
    """What nobody knows is listed, in no sum, and measured when it is asked for."""
    root = make(place, "arm-scmi")
    told, by_id = told_by(root)
    equal(told["cover"], ["estimate/node"])
    expect("not known" in by_id["hwmon/scmi_sensors:ENERGY-BIG"]["reason"], by_id)
    report, zones = play(place, root, options=("--domain", "hwmon/scmi_sensors:ENERGY-BIG"))
    check(report, zones, {"hwmon/scmi_sensors:ENERGY-BIG": "other-big"})


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
