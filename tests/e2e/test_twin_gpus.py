#!/usr/bin/env python3
# test_twin_gpus.py - GPUs of simulated nodes: their energy, their knobs, their instances, through the makers' interfaces
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
"""Environment as in harness.py; needs FUSE. What asks the look-alikes are processes of their own: a library that is mapped from a
mount goes away with it."""
import datetime
import json
import os
import subprocess
import sys
import time

import harness
import twins

IDLE_MAX_W = 110  # of any GPU here
BUSY = "rest 400ms idle=100%\nburn 2500ms gpu=80% gpu-memory=20% gpus=1\nrest2 400ms idle=100%\n"
# Asks NVML as any program does: loaded by its path, functions by their names. Prints what the last line of its argument gives.
CLIENT = """
import ctypes, sys, time
nvml = ctypes.CDLL(sys.argv[1])
def ok(r):
    if r:
        raise SystemExit(f"NVML said {r}")
def ask(function, kind=ctypes.c_uint, of=None):
    value = kind()
    ok(getattr(nvml, function)(of if of is not None else gpu, ctypes.byref(value)))
    return value.value
ok(nvml.nvmlInit_v2())
gpu = ctypes.c_void_p()
ok(nvml.nvmlDeviceGetHandleByIndex_v2(0, ctypes.byref(gpu)))
exec(sys.argv[2])
"""


def nvml(twin, code):
    """What CLIENT prints when it runs @code."""
    folder = os.path.join(twin.mount, "usr/lib")
    library = os.path.join(folder, os.listdir(folder)[0], "libnvidia-ml.so.1")
    done = subprocess.run([sys.executable, "-c", CLIENT, library, code], text=True, capture_output=True, timeout=60,
                          check=False)
    harness.equal((done.returncode, done.stderr), (0, ""), code)
    return done.stdout.split()


def boot_ns(wall):
    """A wall clock time of a report on the boot clock."""
    unix_ns = int(datetime.datetime.fromisoformat(wall).timestamp() * 1e9)
    return unix_ns - time.time_ns() + time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def measure(place, twin, workload):
    """Run a workload under the program; its report and the true energies of the same time in J."""
    file = os.path.join(place, "workload")
    with open(file, "w", encoding="utf-8") as out:
        out.write(workload)
    done = harness.call("run", "--root", twin.mount, "--period", "100ms", "--name", "r", f"--json={place}/r.json", "--",
                        harness.PROGRAM, "twin", "play", "--mount", twin.mount, file, cwd=place)
    harness.equal(done.returncode, 0, done.stderr)
    with open(f"{place}/r.json", encoding="utf-8") as report:
        report = json.load(report)
    start_ns = boot_ns(report["job"]["start"])
    truth = twin.energy_uj(start_ns, start_ns + int(report["job"]["duration_s"] * 1e9))
    return report, {part: energy_uj / 1e6 for part, energy_uj in truth.items()}


def check(report, truth, parts):
    """@parts: {domain: column of the twin}. Counters: what an update at each end can hide."""
    read = {d["id"]: d for d in report["energy"]["by_domain"]}
    for domain, column in parts.items():
        harness.expect(domain in read and read[domain]["energy_j"] is not None, f"{domain}: {sorted(read)}")
        got, bound = read[domain]["energy_j"], read[domain]["uncertainty_j"]
        # What is sampled begins and ends a few ms inside of the job, more on a busy machine; there the GPUs are idle.
        missing_s = report["job"]["duration_s"] - got / read[domain]["mean_w"]
        harness.near(got, truth[column], bound + IDLE_MAX_W * max(0, missing_s) + 0.01,
                     f"{domain} ± {bound}, {missing_s} s missing")
        harness.expect(missing_s < 0.2, f"{domain}: {missing_s} s of {report['job']['duration_s']} are missing")
    return read


def listed(twin):
    """The domains of all sources by their ids."""
    done = harness.call("sources", "--json", "--root", twin.mount)
    harness.equal(done.returncode, 0, done.stderr)
    return {d["id"]: d for source in json.loads(done.stdout)["sources"] for d in source["domains"]}


def test_a100s(place):
    """What NVML counts is what the GPUs drew, the busy one and the others"""
    with twins.up(place, "genoa2s-a100x4", "--seed", "3") as twin:
        report, truth = measure(place, twin, BUSY)
        read = check(report, truth, {f"nvml/gpu-{i}": f"gpu-{i}" for i in range(4)})
        harness.expect(truth["gpu-0"] > 3 * truth["gpu-3"], f"gpu-0 {truth['gpu-0']} J, gpu-3 {truth['gpu-3']} J")
        harness.expect(all(d["chosen_total"] for i, d in read.items() if i.startswith("nvml/gpu")), f"chosen: {read}")


def test_grace_hopper(place):
    """A superchip's module contains its GPU, and both are measured truly"""
    with twins.up(place, "grace-hopper", "--seed", "3") as twin:
        report, truth = measure(place, twin, BUSY)
        read = check(report, truth, {"nvml/gpu-0": "gpu-0"})
        module = read["nvml/module-0"]
        harness.equal(module["kind"], "integrated", "the module")
        harness.near(module["energy_j"], truth["module-0"], 0.1 * truth["module-0"], "the module's power, added up")
        harness.equal((report["energy"]["unseen_gpus"], report["energy"]["at_least"]), (0, False), "its GPU was read")
        # Of Hopper, activity is counted: GPU and memory were at work in the busy part.
        told = {s["id"]: s.get("mean") for s in report["signals"] if s["device"] == "gpu-0"}
        harness.expect(200_000 < told["nvml/gpu-0:sm_activity"] < 900_000, told)
        harness.expect(told["nvml/gpu-0:dram_activity"] < told["nvml/gpu-0:sm_activity"], told)


def test_mi250x(place):
    """amdgpu shows a device's energy with its first chip, and ROCm SMI the same"""
    with twins.up(place, "mi250x", "--seed", "3") as twin:
        report, truth = measure(place, twin, BUSY)
        read = check(report, truth, {f"amdgpu/gpu-{2 * i}": f"gpu-{i}" for i in range(4)})
        harness.expect(truth["gpu-0"] > 2 * truth["gpu-3"], f"gpu-0 {truth['gpu-0']} J, gpu-3 {truth['gpu-3']} J")
        sources = listed(twin)
        harness.equal(sources["rocm/gpu-2"]["duplicate_of"], "amdgpu/gpu-2", "ROCm SMI")
        for source in ("amdgpu/gpu-", "hwmon/amdgpu:gpu-", "rocm/gpu-"):
            for chip in range(1, 8, 2):
                domain = sources[f"{source}{chip}"]
                harness.equal(domain["state"], "absent", domain)
                harness.expect("first one of its module" in domain["reason"], domain)


def test_limit_of_amd(place):
    """A limit set through ROCm SMI is what amdgpu shows, and the other way; the second chip takes none"""
    client = """
import ctypes, sys
smi = ctypes.CDLL(sys.argv[1])
def ok(status):
    assert status == 0, status
ok(smi.rsmi_init(ctypes.c_uint64(0)))
cap, top, low = ctypes.c_uint64(), ctypes.c_uint64(), ctypes.c_uint64()
ok(smi.rsmi_dev_power_cap_range_get(2, 0, ctypes.byref(top), ctypes.byref(low)))
ok(smi.rsmi_dev_power_cap_get(2, 0, ctypes.byref(cap)))
print(cap.value, top.value, smi.rsmi_dev_power_cap_set(2, 0, ctypes.c_uint64(top.value + 10**6)),
      smi.rsmi_dev_power_cap_set(3, 0, ctypes.c_uint64(top.value)))
ok(smi.rsmi_dev_power_cap_set(2, 0, ctypes.c_uint64(300_000_000)))
"""
    with twins.up(place, "mi250x") as twin:
        folder = twin.path("sys/class/drm/card2/device/hwmon")
        cap = os.path.join(folder, os.listdir(folder)[0], "power1_cap")
        twin.write(cap, "350000000\n")
        folder = twin.path("usr/lib")
        library = os.path.join(folder, os.listdir(folder)[0], "librocm_smi64.so.7")
        done = subprocess.run([sys.executable, "-c", client, library], text=True, capture_output=True, timeout=60,
                              check=False)
        harness.equal((done.returncode, done.stdout.split()), (0, ["350000000", "560000000", "1", "1"]), done.stderr)
        harness.equal(twin.read(cap), "300000000\n", "power1_cap")
        for wrong in ("561000000\n", "many\n"):
            try:
                twin.write(cap, wrong)
                raise AssertionError(f"took {wrong}")
            except OSError as error:
                harness.equal(error.errno, 22, wrong)
        harness.equal(twin.read(cap), "300000000\n", "power1_cap")


def test_instances(place):
    """Instances of MIG are listed with their slices, and each has a name and a UUID of its own"""
    with twins.up(place, "a100-mig") as twin:
        reason = listed(twin)["nvml/gpu-1"]["reason"]
        harness.expect("shared by 7 instances" in reason, reason)
        told = nvml(twin, """
names, uuids = set(), set()
for i in range(7):
    mig, text = ctypes.c_void_p(), ctypes.create_string_buffer(96)
    ok(nvml.nvmlDeviceGetMigDeviceHandleByIndex(gpu, i, ctypes.byref(mig)))
    ok(nvml.nvmlDeviceGetName(mig, text, 96))
    names.add(text.value)
    ok(nvml.nvmlDeviceGetUUID(mig, text, 96))
    uuids.add(text.value)
    found = ctypes.c_void_p()
    ok(nvml.nvmlDeviceGetHandleByUUID(text, ctypes.byref(found)))
    assert found.value == mig.value
print(len(names), len(uuids))
print(names.pop().decode().split()[-1])
""")
        harness.equal(told, ["1", "7", "1g.10gb"], "instances")


def phase_seconds(twin, workload):
    done = harness.call("twin", "play", "--json", "--mount", twin.mount, "-", input=workload)
    harness.equal(done.returncode, 0, done.stderr)
    phase = json.loads(done.stdout)["phases"][0]
    return phase["duration_s"], phase["energy_j"]["gpu-0"]


def test_knobs(place):
    """A limit set through NVML lowers power and clock, and the phase takes longer; wrong ones are refused"""
    work = "burn 800ms gpu=100% gpus=1\n"
    with twins.up(place, "genoa2s-a100x4", "--quiet") as twin:
        free_s, free_j = phase_seconds(twin, work)
        harness.near(free_s, 0.8, 0.01, "at its top clock")
        low, high, enforced, wrong, above = map(int, nvml(twin, """
low, high = ctypes.c_uint(), ctypes.c_uint()
ok(nvml.nvmlDeviceGetPowerManagementLimitConstraints(gpu, ctypes.byref(low), ctypes.byref(high)))
wrong = nvml.nvmlDeviceSetPowerManagementLimit(gpu, low.value - 1)
above = nvml.nvmlDeviceSetPowerManagementLimit(gpu, high.value + 1000)
ok(nvml.nvmlDeviceSetPowerManagementLimit(gpu, 200000))
print(low.value, high.value, ask("nvmlDeviceGetEnforcedPowerLimit"), wrong, above)
"""))
        harness.equal((low, high, enforced, wrong, above), (100000, 400000, 200000, 2, 2), "limits")
        # Long enough for the mean that the limit holds to come down to it.
        held_s, _ = phase_seconds(twin, "burn 3s gpu=100% gpus=1\n")
        harness.expect(held_s > 1.05 * 3, f"{held_s} s with a limit of 200 W")
        player = harness.start("twin", "play", "--mount", twin.mount, "--for", "60s", "gpu",
                               env={"ENERGYSCOPIUM_TWIN": twin.mount})
        try:
            mhz, power_mw, reasons = map(int, nvml(twin, """
for i in range(100):
    time.sleep(0.1)
    reasons = ask("nvmlDeviceGetCurrentClocksEventReasons", ctypes.c_ulonglong)
    if reasons & 4 and ask("nvmlDeviceGetPowerUsage") < 206000:
        break
clock = ctypes.c_uint()
ok(nvml.nvmlDeviceGetClockInfo(gpu, 1, ctypes.byref(clock)))
print(clock.value, ask("nvmlDeviceGetPowerUsage"), reasons)
"""))
        finally:
            player.terminate()
            player.communicate(timeout=20)
        harness.expect(mhz < 1410 and power_mw < 206000 and reasons & 4, f"{mhz} MHz, {power_mw} mW, reasons {reasons}")
        nvml(twin, """
ok(nvml.nvmlDeviceSetPowerManagementLimit(gpu, 400000))
ok(nvml.nvmlDeviceSetGpuLockedClocks(gpu, 705, 705))
""")
        locked_s, locked_j = phase_seconds(twin, work)
        harness.near(locked_s, 0.8 * 1410 / 705, 0.02, "at half of its clock")
        harness.expect(locked_j < free_j, f"locked {locked_j} J, free {free_j} J")
        nvml(twin, "ok(nvml.nvmlDeviceResetGpuLockedClocks(gpu))")
        harness.near(phase_seconds(twin, work)[0], 0.8, 0.01, "free again")


def test_faults(place):
    """A lost GPU and a loaded driver are told in NVML's words, and by the program as what they are"""
    with twins.up(place, "genoa2s-a100x4") as twin:
        told = nvml(twin, f"""
fault = {twin.path('.twin/fault')!r}
def order(text):
    with open(fault, "w") as file:
        file.write(text)
def power():
    value = ctypes.c_uint()
    return nvml.nvmlDeviceGetPowerUsage(gpu, ctypes.byref(value))
print(power())
order("vanish nvml/gpu-0\\n")
print(power())
order("clear\\n")
order("eio nvml/gpu-0\\n")
print(power())
order("clear\\n")
print(power())
first = ask("nvmlDeviceGetTotalEnergyConsumption", ctypes.c_ulonglong)
order("reload nvml/gpu-0\\n")
print(power())
for i in range(100):
    time.sleep(0.1)
    if nvml.nvmlDeviceGetHandleByIndex_v2(0, ctypes.byref(gpu)) == 0:
        break
print(power(), int(ask("nvmlDeviceGetTotalEnergyConsumption", ctypes.c_ulonglong) < first))
""")
        harness.equal(told, ["0", "15", "999", "0", "1", "0", "1"], "returns")


def test_twin_that_goes_down(place):
    """A program that has the library open gets an error when its node goes down, and lives on"""
    with twins.up(place, "genoa2s-a100x4") as twin:
        mount = twin.mount
        folder = os.path.join(mount, "usr/lib")
        library = os.path.join(folder, os.listdir(folder)[0], "libnvidia-ml.so.1")
        code = """
print("up", flush=True)
sys.stdin.readline()
value = ctypes.c_uint()
print(nvml.nvmlDeviceGetPowerUsage(gpu, ctypes.byref(value)))
print(nvml.nvmlDeviceSetGpuLockedClocks(gpu, 600, 600))
print(nvml.nvmlShutdown())
"""
        with subprocess.Popen([sys.executable, "-c", CLIENT, library, code], text=True, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as client:
            harness.equal(client.stdout.readline(), "up\n", "the client")
            os.kill(int(twin.read(".twin/pid")), 9)
            out, _ = client.communicate("go\n", timeout=30)
            harness.equal((client.returncode, out.split()), (0, ["999", "999", "0"]), "after the node was killed")
        subprocess.run(["fusermount3", "-u", "-z", mount], check=False, capture_output=True)


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
