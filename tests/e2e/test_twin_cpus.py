#!/usr/bin/env python3
# test_twin_cpus.py - a simulated node's CPUs as other people's programs see them, and as a shell turns them
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
"""Real peers on a mounted twin: powercap-utils, node-exporter, lscpu."""
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import harness
import twins
from harness import equal, expect, near

ZONES = "sys/class/powercap/"
LIMIT = ZONES + "intel-rapl:0/constraint_0_power_limit_uw"
POLICY = "sys/devices/system/cpu/cpufreq/policy0/"


def now_ns():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def shell(text, **kwargs):
    """What a shell says: status, output, errors in the C locale."""
    done = subprocess.run(["bash", "-c", text], text=True, capture_output=True, check=False, timeout=60,
                          env={**os.environ, "LC_ALL": "C"}, **kwargs)
    return done.returncode, done.stdout, done.stderr


@contextlib.contextmanager
def load(twin, words="cpu=100%"):
    """Something to do until the end."""
    fd = os.open(twin.path(".twin/play"), os.O_RDWR)
    try:
        os.write(fd, f"solve 60s {words}\n".encode())
        os.write(fd, b"go\n")
        yield
    finally:
        os.close(fd)


@contextlib.contextmanager
def exporter(twin):
    """node-exporter on a twin's /sys and /proc: a function that gives its series."""
    if not shutil.which("prometheus-node-exporter"):
        raise harness.Skip("prometheus-node-exporter is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    collectors = [f"--collector.{name}" for name in ("rapl", "cpu", "cpufreq", "thermal_zone", "meminfo", "loadavg", "stat")]
    with subprocess.Popen(["prometheus-node-exporter", "--collector.disable-defaults", *collectors,
                           f"--path.sysfs={twin.path('sys')}", f"--path.procfs={twin.path('proc')}",
                           f"--web.listen-address=127.0.0.1:{port}"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        def scrape():
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
                text = answer.read().decode()
            return {m.group(1): float(m.group(2)) for m in re.finditer(r"^(node_\S+) (\S+)$", text, re.M)}
        try:
            for _ in range(200):
                try:
                    scrape()
                    break
                except OSError:
                    time.sleep(0.05)
            yield scrape
        finally:
            process.terminate()


def test_exporter_energy(place):
    """node-exporter counts a twin's true energy, and sees its clocks, times and heat."""
    with twins.up(place, "skx2s") as twin, exporter(twin) as scrape, load(twin):
        times = [now_ns()]
        before = scrape()
        times.append(now_ns())
        time.sleep(1.5)
        times.append(now_ns())
        after = scrape()
        times.append(now_ns())
        least, most = twin.energy_uj(times[1], times[2]), twin.energy_uj(times[0], times[3])
        names = {"package-0": "package_joules_total", "dram-1": "dram_joules_total"}
        for part, name in names.items():
            key = next(k for k in after if f"node_rapl_{name}" in k and f'index="{part[-1]}"' in k)
            wrap_j = 262143.328850 if part[0] == "p" else 65712.999613
            joules = (after[key] - before[key]) % wrap_j
            expect((least[part] - 3e5) / 1e6 <= joules <= (most[part] + 3e5) / 1e6,
                   f"{key}: {joules} J, true {least[part]} to {most[part]} uJ")
            expect(joules > 5, f"{part} draws {joules} J in 1.5 s")
        equal(after['node_cpu_scaling_frequency_max_hertz{cpu="3"}'], 3.7e9, "scaling_max_freq")
        expect(sum(v for k, v in after.items() if k.startswith("node_cpu_scaling_frequency_hertz")) > 36 * 2.5e9,
               "cores are fast")
        busy = sum(after[k] - before[k] for k in after if k.startswith("node_cpu_seconds_total") and "user" in k)
        # Between the inner times at least, and the outer ones at most: a scrape takes its time on a busy machine.
        expect(36 * (times[2] - times[1]) / 1e9 - 18 <= busy <= 36 * (times[3] - times[0]) / 1e9 + 18,
               f"{busy} s of busy CPUs, in {[t - times[0] for t in times]} ns")
        expect(any(k.startswith("node_thermal_zone_temp") and v > 25 for k, v in after.items()), "its heat")
        expect(after["node_memory_MemTotal_bytes"] > 180 * 2**30, "its memory")
        near(after["node_boot_time_seconds"], time.time(), 60, "it has just been switched on")


def test_powercap_info(place):
    """powercap-info lists a twin's zones with their limits."""
    if not shutil.which("powercap-info"):
        raise harness.Skip("powercap-info is not installed")
    with twins.up(place, "spr2s") as twin:
        mapped = [] if os.geteuid() == 0 else ["--map-root-user"]
        done = subprocess.run(["unshare", *mapped, "--mount", "--propagation", "private", "sh", "-c",
                               'mount --bind "$0" /sys && exec powercap-info -p intel-rapl', twin.path("sys")],
                              text=True, capture_output=True, check=False, timeout=60)
        if "unshare" in done.stderr or "mount:" in done.stderr:
            raise harness.Skip("no right to a mount namespace here")
        equal(done.returncode, 0, done.stderr)
        names = re.findall(r"^\s*name: (\S+)$", done.stdout, re.M)
        for name in ("package-0", "package-1", "dram", "psys", "psys-1", "long_term", "short_term"):
            expect(name in names, f"{name} in {names}")
        expect("power_limit_uw: 350000000" in done.stdout, done.stdout)
        expect("max_energy_range_uj: 4294967295000000" in done.stdout, "psys counts joules")


def test_lscpu(place):
    """lscpu finds a twin's packages, cores, threads and caches."""
    if not shutil.which("lscpu"):
        raise harness.Skip("lscpu is not installed")
    for kind, packages, cores, model, caches in (("skx2s", 2, 18, "Gold 6150", "49.5 MiB (2 instances)"),
                                                 ("milan2s", 2, 64, "EPYC 7763", "512 MiB (16 instances)"),
                                                 ("laptop", 1, 8, "i7-1260P", "18 MiB (1 instance)")):
        with twins.up(place, kind) as twin:
            code, out, err = shell(f"lscpu --json --sysroot '{twin.mount}'")
            equal(code, 0, err)
            rows = {}

            def collect(entries):
                for entry in entries:
                    rows[entry["field"].rstrip(":")] = entry.get("data")
                    collect(entry.get("children", []))
            collect(json.loads(out)["lscpu"])
            equal(int(rows["Socket(s)"]), packages, kind)
            equal(int(rows["Core(s) per socket"]), cores, kind)
            equal(int(rows["CPU(s)"]), packages * cores * 2, kind)
            expect(model in rows["Model name"], rows["Model name"])
            equal(rows.get("L3 cache", rows.get("L3")), caches, kind)


def test_refusals(place):
    """A wrong write by a shell is refused with the kernel's words."""
    cases = [
        ("echo 100W", LIMIT, "Invalid argument"),
        ("echo -5", LIMIT, "Invalid argument"),
        ("echo maybe", ZONES + "intel-rapl:0/enabled", "Invalid argument"),
        ("echo 1", ZONES + "intel-rapl/enabled", "Function not implemented"),
        ("echo 1", ZONES + "intel-rapl:0/max_energy_range_uj", "Permission denied"),
        ("echo 2.4GHz", POLICY + "scaling_max_freq", "Invalid argument"),
        ("echo 99999999999999999999", POLICY + "scaling_max_freq", "Numerical result out of range"),
        ("echo ondemand", POLICY + "scaling_governor", "Invalid argument"),
        ("echo 2000000", POLICY + "scaling_setspeed", "Invalid argument"),
        ("echo 5", "sys/devices/system/cpu/intel_uncore_frequency/package_00_die_00/max_freq_khz", "Invalid argument"),
        ("echo x", "sys/devices/system/cpu/intel_pstate/no_turbo", "Invalid argument"),
    ]
    with twins.up(place, "skx2s") as twin:
        for command, path, words in cases:
            code, _, err = shell(f"{command} > '{twin.path(path)}'")
            expect(code != 0 and words in err, f"{command} > {path}: {err.strip()!r}")
        code, _, err = shell(f"cat '{twin.path(ZONES)}intel-rapl:0/power/autosuspend_delay_ms'")
        expect(code != 0 and "Input/output error" in err, err)
        equal(twin.read(LIMIT), "165000000\n", "the limit is as it was")
        code, _, err = shell(f"echo 99999999 > '{twin.path(POLICY)}scaling_max_freq'")
        equal((code, twin.read(POLICY + "scaling_max_freq")), (0, "3700000\n"), f"clamped: {err}")


def test_limit(place):
    """A lower limit makes a busy twin slower and draw less, and lifting it restores."""
    with twins.up(place, "skx2s") as twin, load(twin):
        def watts():
            time.sleep(1.7)
            begin = now_ns()
            time.sleep(0.5)
            end = now_ns()
            return twin.energy_uj(begin, end)["package-0"] / ((end - begin) / 1e3)

        free_w, free_khz = watts(), int(twin.read(POLICY + "scaling_cur_freq"))
        twin.write(LIMIT, "80000000\n")
        equal(twin.read(LIMIT), "80000000\n", "read back")
        held_w, held_khz = watts(), int(twin.read(POLICY + "scaling_cur_freq"))
        expect(free_w > 90, f"{free_w} W without")
        near(held_w, 80, 3, "watts at the limit")
        expect(held_khz < free_khz, f"{held_khz} kHz against {free_khz}")
        twin.write(LIMIT, "165000000\n")
        near(watts(), free_w, 0.05 * free_w, "restored")
        equal(int(twin.read(POLICY + "scaling_cur_freq")), free_khz, "restored")


def test_registers(place):
    """Registers of the CPUs show the zones' counters, and a limit written there is the zones' limit."""
    with twins.up(place, "spr2s") as twin:
        path = twin.path("dev/cpu/0/msr")
        equal(os.stat(path).st_mode & 0o777, 0o600, "its mode")
        fd = os.open(path, os.O_RDWR)
        try:
            unit = int.from_bytes(os.pread(fd, 8, 0x606), "little")
            equal(unit, 0xa0e03, "units")
            limit = int.from_bytes(os.pread(fd, 8, 0x610), "little")
            os.pwrite(fd, ((limit & ~0x7fff) | 200 * 8).to_bytes(8, "little"), 0x610)
            equal(twin.read(LIMIT), "200000000\n", "by register")
            for reg in (0x12345, 0xc0010299):
                try:
                    os.pread(fd, 8, reg)
                    raise AssertionError(f"register {reg:#x} answered")
                except OSError as why:
                    equal(why.errno, 5, f"register {reg:#x}")
        finally:
            os.close(fd)
        equal(twin.call("fault", "vanish", "msr/package-0").returncode, 0, "twin fault")
        expect(not os.path.exists(path), "the device is gone with its driver")
        expect(os.path.exists(twin.path("dev/cpu/56/msr")), "the other package's is there")
        equal(twin.call("fault", "--clear").returncode, 0, "twin fault --clear")
        told = json.loads(harness.call("sources", "--root", twin.mount, "--no-probe", "--json").stdout)
        ids = {d["id"]: d["state"] for source in told["sources"] for d in source["domains"]}
        equal(ids.get("msr/package-1"), "duplicate", "the same joules")
        expect(ids.get("powercap/psys-1") in ("ok", "unproven"), f"{ids}")
        clock = next(a for a in told["activity"] if a["name"] == "clock")
        expect(clock["counted"], f"APERF and MPERF: {clock['reason']}")


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
