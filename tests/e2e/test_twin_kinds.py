#!/usr/bin/env python3
# test_twin_kinds.py - what is measured of a simulated node of each kind is what it drew
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
"""Environment as in harness.py; needs FUSE."""
import concurrent.futures
import csv
import datetime
import json
import os
import sys
import time

import harness
import twins

# Of counters: one step, and how old a value may be. Powers (hwmon, BMC) have no such promise but their stated bound.
COUNTERS = {"powercap": (61035e-9, 0.003), "msr": (61035e-9, 0.003), "nvml": (1e-3, 0.1), "amdgpu": (15.3e-6, 0.1),
            "rocm": (15.3e-6, 0.1), "cray": (1.0, 0.1)}
# Two at a time: what they draw does not depend on how busy this machine is.
AT_ONCE = 4


def kinds():
    done = harness.call("twin", "kinds", "--json")
    harness.equal(done.returncode, 0, done.stderr)
    return [kind["name"] for kind in json.loads(done.stdout)["kinds"]]


def boot_ns(wall):
    """A wall clock time of a report on the boot clock."""
    unix_ns = int(datetime.datetime.fromisoformat(wall).timestamp() * 1e9)
    return unix_ns - time.time_ns() + time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def parts_of(kind, domain, truth):
    """Which parts of the twin a domain is of; [] where that is not known."""
    name = domain["domain"].split("@")[0]
    if domain["type"] == "psys":
        return ["board"]
    if kind == "grace-hopper" and domain["source"] == "hwmon":
        # What the rails are, from the inside out: CPU, SysIO, and Grace, which is both and the memory.
        number = name.rsplit("-", 1)[1]
        return {"core": [f"package-{number}"], "uncore": [f"sysio-{number}"],
                "package": [f"package-{number}", f"dram-{number}", f"sysio-{number}"]}.get(domain["type"], [name])
    if kind == "mi250x" and domain["source"] in ("amdgpu", "rocm"):
        return [f"gpu-{int(name.split('-')[1]) // 2}"]  # two chips a board, the first one tells of both
    if domain["source"] == "cray" and "-" not in name:
        return [part for part in truth if part == name or part.rsplit("-", 1)[0] == name]
    name = name.replace("uncore", "graphics")
    return [name.replace("core-", "cores-") if domain["type"] == "core" else name]


def windows(out):
    """When each domain was read first and last, on the boot clock."""
    done = harness.call("profile", "--csv", "r.csv", "energyscopium-out/r.esr", cwd=out)
    harness.equal(done.returncode, 0, done.stderr)
    times = {}
    with open(f"{out}/r.csv", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            times.setdefault(row["domain"], []).append(boot_ns(row["time"]))
    return {domain: (min(t), max(t)) for domain, t in times.items()}


def measure(place, kind):
    """Run a short program on a twin; returns the report, what was drawn in its time, and in that of each domain's readings."""
    out = os.path.join(place, kind)
    os.makedirs(out)
    workload = os.path.join(out, "workload")
    with open(workload, "w", encoding="utf-8") as file:
        # Rests at both ends: when exactly the program began and ended then matters little.
        file.write("rest 400ms idle=100%\nheat 1500ms cpu=100%\nstream 1200ms cpu=30% memory=70%\n"
                   "talk 500ms communication=100%\nheat2 900ms cpu=100% activity=1.2\nrest2 500ms idle=100%\n")
    with twins.up(out, kind, "--seed", "5") as twin:
        done = harness.call("run", "--root", twin.mount, "--period", "1s", "--name", "r", f"--json={out}/r.json", "--",
                            harness.PROGRAM, "twin", "play", "--mount", twin.mount, workload, cwd=out, timeout=120)
        harness.equal(done.returncode, 0, f"{kind}: {done.stderr}")
        with open(f"{out}/r.json", encoding="utf-8") as file:
            report = json.load(file)
        start_ns = boot_ns(report["job"]["start"])
        drawn = {"": twin.energy_uj(start_ns, start_ns + int(report["job"]["duration_s"] * 1e9)),
                 "idle": twin.energy_uj(start_ns, start_ns + 300_000_000)}
        for domain, (first_ns, last_ns) in windows(out).items():
            drawn[domain] = twin.energy_uj(first_ns, last_ns)
    return report, drawn


def joules(drawn, window, parts):
    # What is in no cover is not in the CSV.
    return sum(drawn.get(window, drawn[""])[part] for part in parts) / 1e6


def check_domain(kind, domain, drawn):
    got, bound, parts = domain["energy_j"], domain["uncertainty_j"], parts_of(kind, domain, drawn[""])
    if not parts or not set(parts) <= set(drawn[""]):
        return f"{kind}: {domain['id']}: which part it is of is not known"
    true_j = joules(drawn, "", parts)
    # The report's own bound, and what rounding to a unit takes.
    if got is None or abs(got - true_j) > bound + 1e-6:
        return f"{kind}: {domain['id']}: {got} J ± {bound}, drew {true_j}"
    if domain["source"] in COUNTERS and domain["kind"] == "measured":
        unit_j, age_s = COUNTERS[domain["source"]]
        if domain["type"] == "psys":
            unit_j = 1.0
        counted_j = joules(drawn, domain["domain"], parts)
        most = 0.001 * true_j + 2 * unit_j + age_s * joules(drawn, "idle", parts) / 0.3
        if abs(got - counted_j) > most:
            return f"{kind}: {domain['id']}: {got} J, drew {counted_j}: more than 0.1 % + a unit ({most})"
    return None


def check(place, kind):
    report, drawn = measure(place, kind)
    read = [d for d in report["energy"]["by_domain"] if d["state"] == "ok" and d["energy_j"] is not None]
    wrong = [w for w in (check_domain(kind, d, drawn) for d in read if d["kind"] != "estimated") if w]
    covered = [d for d in read if d["chosen_total"]]
    if not covered:
        wrong.append(f"{kind}: nothing was measured: {report['energy']}")
    if any(d["type"] == "node" for d in covered):
        got, bound, true_j = report["energy"]["node_j"], report["energy"]["uncertainty_j"], joules(drawn, "", ["node"])
        if abs(got - true_j) > bound:
            wrong.append(f"{kind}: node: {got} J ± {bound}, drew {true_j}")
    return wrong, [d["id"] for d in read]


def test_every_kind_is_measured_truly(place):
    """A run on a twin of each kind tells what it drew, within its bound; counters within 0.1 % and a unit"""
    names = kinds()
    harness.expect({"skx2s", "spr2s", "milan2s", "genoa2s-a100x4", "grace-hopper", "mi250x", "laptop", "vm",
                    "a100-mig"} <= set(names), f"kinds: {names}")
    wrong, n_compared = [], 0
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        for kind, job in [(kind, pool.submit(check, place, kind)) for kind in names]:
            said, compared = job.result()
            wrong += said
            n_compared += len(compared)
            if kind != "vm":
                harness.expect(compared, f"{kind}: no domain")
    harness.expect(not wrong, "\n".join(wrong))
    harness.expect(n_compared >= 30, f"only {n_compared} domains")


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
