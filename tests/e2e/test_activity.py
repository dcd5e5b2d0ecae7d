#!/usr/bin/env python3
# test_activity.py - what a job does beside drawing power: counted where it can be, unknown with a reason where not
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import json
import os
import struct
import subprocess
import sys
import time

import harness
from harness import Skip, call, equal, expect, last_json, near

KEYS = ("ipc", "llc_misses_per_kilo_instruction", "memory_bytes_per_s", "effective_clock_hz")
# CPU time of its own, of a thread's, and of a child's; what it used goes to a file.
BURN = """
import os, sys, threading, time
def burn():
    end = time.thread_time() + 0.1
    while time.thread_time() < end: pass
thread = threading.Thread(target=burn); thread.start(); burn(); thread.join()
pid = os.fork()
if pid == 0:
    burn(); os._exit(0)
usage = os.wait4(pid, 0)[2]
own = time.process_time()
open(sys.argv[1], "w").write(str(own + usage.ru_utime + usage.ru_stime))
"""


def write(root, path, text):
    path = os.path.join(root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    return path


def run(place, *args, command=("true",), env=None):
    done = call("run", "--out", os.path.join(place, "out"), "--force", "--name", "j", "--json", *args, "--", *command, env=env)
    equal(done.returncode, 0, done.stderr)
    return last_json(done.stderr)


def signal(report, ident):
    return next((s for s in report["signals"] if s["id"] == ident), None)


def machine(place, registers=False):
    """A tree of two packages with a CPU each, whose caches count and whose registers can be read."""
    root = os.path.join(place, "root")
    write(root, "proc/cpuinfo", "processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 85\n"
                                "model name\t: Synthetic(R) CPU @ 2.00GHz\nflags\t\t: fpu cqm_mbm_total\n")
    write(root, "proc/stat", "cpu  1 0 1 100 0 0 0 0 0 0\n")
    write(root, "sys/devices/system/cpu/online", "0-1\n")
    for cpu in (0, 1):
        write(root, f"sys/devices/system/cpu/cpu{cpu}/topology/physical_package_id", f"{cpu}\n")
        write(root, f"sys/devices/system/cpu/cpu{cpu}/topology/core_id", "0\n")
        if registers:
            put_registers(write(root, f"dev/cpu/{cpu}/msr", ""), 1000, 1000)
    return root


def put_registers(path, aperf, mperf):
    with open(path, "r+b") as f:
        f.seek(8 * 0xE7)
        f.write(struct.pack("<QQ", mperf, aperf))


def test_command(place):
    """The CPU time counted for a command is what it used, over threads and children."""
    used = os.path.join(place, "used")
    report = run(place, command=(sys.executable, "-c", BURN, used))
    clock = signal(report, "activity/job:task_clock")
    if clock is None:
        raise Skip("perf events are refused: " + str(report["activity"]["reasons"]["ipc"]))
    used_s = float(open(used).read())
    # What it used after it had looked is in one and not in the other.
    near(clock["total"] / 1e9, used_s, 0.05 * used_s + 0.03, "CPU time")
    equal(clock["device"], "job")


def test_reasons(place):
    """What is not known is null and has its reason."""
    activity = run(place)["activity"]
    for key in KEYS:
        expect(activity[key] is not None or activity["reasons"][key], f"{key}: neither a number nor a reason")
    if activity["ipc"] is None:
        expect(activity["instructions"] is None and activity["j_per_instruction"] is None, activity)


def test_switched_off(place):
    """--no-activity and the key activity leave the counters alone."""
    config = write(place, "c.yaml", "activity: no\n")
    for report in (run(place, "--no-activity"), run(place, env={"ENERGYSCOPIUM_CONFIG": config})):
        equal([s for s in report["signals"] if s["source"] == "activity"], [])
        for key in KEYS:
            equal(report["activity"][key], None)
            expect("switched off" in report["activity"]["reasons"][key], report["activity"])
    doctor = call("doctor", "--json", "--root", machine(place), env={"ENERGYSCOPIUM_CONFIG": config})
    said = [f["text"] for f in json.loads(doctor.stdout)["findings"] if f["what"] == "activity"]
    expect(len(said) == 1 and "switched off" in said[0], said)


def test_caches(place):
    """Traffic that caches count is recorded to the byte, of the command's time alone."""
    root = machine(place)
    path = write(root, "sys/fs/resctrl/mon_data/mon_L3_00/mbm_total_bytes", "1000\n")
    other = write(root, "sys/fs/resctrl/batch/mon_data/mon_L3_00/mbm_total_bytes", "500\n")
    write(root, "sys/devices/system/node/has_memory", "0\n")
    write(root, "sys/devices/system/node/node0/access0/initiators/read_bandwidth", "102400\n")
    report = run(place, "--root", root, command=("sh", "-c", f"echo 64000001000 > {path}; echo 600 > {other}"))
    traffic = signal(report, "activity/cache-0:memory_bytes")
    equal(traffic["total"], 64000000000 + 100)
    near(report["activity"]["memory_bytes_per_s"], traffic["total"] / traffic["covered_s"], 1e6)
    equal(report["activity"]["memory_peak_bytes_per_s"], 102400e6)
    expect("of the machine" in report["activity"]["reasons"]["memory_bytes_per_s"], report["activity"])
    expect("memory " in call("report", os.path.join(place, "out", "j.esr")).stdout, "no row in the table")


def test_registers(place):
    """The clock that processors ran at comes from their registers, not from what was asked for."""
    root = machine(place, registers=True)
    write(root, "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "800000\n")
    script = "import struct, sys\n" + "\n".join(
        f"f = open({os.path.join(root, f'dev/cpu/{cpu}/msr')!r}, 'r+b'); f.seek(8 * 0xE7); "
        f"f.write(struct.pack('<QQ', {1000 + 2 * 10**9}, {1000 + 3 * 10**9})); f.close()" for cpu in (0, 1))
    report = run(place, "--root", root, command=(sys.executable, "-c", script))
    equal(signal(report, "activity/package-1:aperf")["total"], 3 * 10**9)
    near(report["activity"]["effective_clock_hz"], 3e9, 1e3)
    near(report["activity"]["base_clock_hz"], 2e9, 1e3)
    equal(report["activity"]["effective_clock_source"], "aperf/mperf")


def test_no_registers(place):
    """Without those registers the clock is unknown, whatever was asked for."""
    root = machine(place)
    write(root, "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "800000\n")
    activity = run(place, "--root", root)["activity"]
    equal(activity["effective_clock_hz"], None)
    expect(activity["reasons"]["effective_clock_hz"], activity)


def test_sources(place):
    """sources and doctor tell what can be counted, and the command that would help."""
    root = machine(place)
    told = {a["name"]: a for a in json.loads(call("sources", "--no-probe", "--json", "--root", root).stdout)["activity"]}
    equal(sorted(told), ["clock", "ipc", "llc_misses", "memory"])
    expect(not told["memory"]["counted"], told)
    expect("mount -t resctrl" in told["memory"]["fix"], told)
    expect("tree of files" in told["ipc"]["reason"], told)
    text = call("sources", "--no-probe", "--explain", "--root", root).stdout
    expect("traffic of the memory" in text and "mount -t resctrl" in text, text)
    write(root, "sys/fs/resctrl/mon_data/mon_L3_00/mbm_total_bytes", "Unassigned\n")
    text = call("doctor", "--root", root).stdout
    expect("no counter of resource control is assigned" in text, text)
    write(root, "sys/fs/resctrl/mon_data/mon_L3_00/mbm_total_bytes", "7\n")
    expect("traffic of the memory can be counted" in call("doctor", "--root", root).stdout, "not counted")


def test_background(place):
    """A recording in the background counts its cgroup, or says why not."""
    out = os.path.join(place, "out")
    env = {"ENERGYSCOPIUM_RUNTIME_DIR": os.path.join(place, "runtime")}
    started = call("record", "start", "--out", out, "--name", "j", env=env)
    equal(started.returncode, 0, started.stderr)
    time.sleep(0.1)
    equal(call("record", "stop", "j", env=env).returncode, 0)
    report = json.loads(call("report", "--json", os.path.join(out, "j.esr")).stdout)
    reason = report["activity"]["reasons"]["ipc"]
    expect(reason, report["activity"])
    clock = signal(report, "activity/job:task_clock")
    expect(clock is None or clock["values"] == 0 or clock["total"] > 0, clock)


def test_attached(place):
    """What runs already is counted from then on."""
    burner = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        measuring = harness.start("run", "--out", os.path.join(place, "out"), "--name", "j", "--json", "--attach", burner.pid)
        end = time.monotonic() + 20
        before = burner_cpu(burner.pid)
        while burner_cpu(burner.pid) - before < 0.3:
            expect(time.monotonic() < end, "the machine is too busy")
            time.sleep(0.02)
    finally:
        burner.kill()
        burner.wait()
    _, err = measuring.communicate(timeout=20)
    equal(measuring.returncode, 0, err)
    clock = signal(last_json(err), "activity/job:task_clock")
    if clock is None:
        raise Skip("perf events are refused")
    expect(clock["total"] > 0, clock)


def burner_cpu(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
