#!/usr/bin/env python3
# test_simulate_power.py - replayed traces on nodes that go off when idle, and on classes of servers
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
"""Nothing here is timed: all of it is simulated time."""
import csv
import json
import os
import random
import sys

import harness
from harness import Skip, call, expect

NASA = os.path.join(harness.SOURCE_ROOT, "../shared/data/workloads/NASA-iPSC-1993-3.1-cln.swf.gz")
STATES = ("off", "booting", "idle", "busy", "stopping")
# A node of the Taurus cluster.
TAURUS = ["--watts-idle", "95W", "--watts-off", "9.75W", "--boot", "151.5s,125.2W", "--stop", "6.1s,101W"]


def simulate(*args, status=0):
    result = call("simulate", *args)
    expect(result.returncode == status, f"status {status}: {result.returncode} {result.stderr}")
    return result


def sums(*args):
    return json.loads(simulate("--json", *args).stdout)


def write(place, text, name="a.swf"):
    path = f"{place}/{name}"
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    return path


def write_jobs(place, jobs, head=""):
    """Jobs of (number, submit, run, procs, requested time)."""
    return write(place, head + "".join(
        f"{number} {submit} -1 {run} {procs} -1 -1 {procs} {requested} -1 1 -1 -1 -1 -1 -1 -1 -1\n"
        for number, submit, run, procs, requested in jobs))


def read_schedule(place):
    with open(f"{place}/s.csv", encoding="ascii", newline="") as file:
        return list(csv.DictReader(file))


def random_jobs(seed, n, procs):
    """Busy hours and quiet ones."""
    roll = random.Random(seed)
    now, jobs = 0, []
    for number in range(1, n + 1):
        now += roll.randrange(3000 if roll.random() < 0.1 else 30)
        run = int(2 ** roll.uniform(0, 9))
        jobs.append((number, now, run, min(procs, int(2 ** roll.uniform(0, 6))), run * roll.randint(1, 4)))
    return jobs


def validate(rows, procs, per_node=1):
    """None before its submission, and never more nodes than there are; a job that waits for a boot has its nodes already."""
    events = []
    for row in rows:
        start, end = int(row["start_s"]), int(row["end_s"])
        expect(start >= int(row["submit_s"]) and int(row["wait_s"]) == start - int(row["submit_s"]), row)
        nodes = -(-int(row["procs"]) // per_node)
        events += [(start, 1, nodes), (end, 0, -nodes)]
    busy = 0
    for _, _, nodes in sorted(events):
        busy += nodes
        expect(0 <= busy <= procs // per_node, busy)


def close(found, rows, idle_w, extra_j):
    """States fill the time of all nodes, and their energies sum up to the machine's."""
    nodes = found["nodes"]
    expect(abs(sum(nodes["node_s"].values()) - nodes["count"] * found["makespan_s"]) < 1e-3, nodes)
    busy = sum(int(row["end_s"]) - int(row["start_s"]) for row in rows for _ in
               range(-(-int(row["procs"]) // nodes["procs_per_node"])))
    expect(nodes["node_s"]["busy"] == busy, (nodes, busy))
    watts = {"off": 9.75, "booting": 125.2, "idle": idle_w, "busy": idle_w, "stopping": 101}
    for state in STATES:
        joules = watts[state] * nodes["node_s"][state] + (extra_j if state == "busy" else 0)
        expect(abs(nodes["energy_kwh"][state] * 3.6e6 - joules) <= 1e-9 * joules, (state, nodes, joules))
    expect(abs(sum(nodes["energy_kwh"].values()) - found["energy_kwh"]) < 1e-9 * found["energy_kwh"], found)


def test_one_waits_for_nodes_to_boot(place):
    """Of two nodes one job finds both off: it starts 152 s later, and each second of each node is accounted for"""
    trace = write_jobs(place, [(1, 0, 100, 1, 100), (2, 1000, 10, 2, 10)], "; UnixStartTime: 1767571200\n")
    grams = write(place, "start,stop,g_per_kwh,zone\n2026-01-05T00:00:00Z,2026-01-05T01:00:00Z,100,FR\n", "c.csv")
    options = [trace, "--procs", 2, "--policy", "shutdown", *TAURUS, "--watts-busy", "203W", "--carbon-file", grams,
               "--schedule", f"{place}/s.csv"]
    found = sums(*options)
    rows = read_schedule(place)
    expect([row["start_s"] for row in rows] == ["0", "1152"] and found["mean_wait_s"] == 76, rows)
    expect(found["nodes"]["node_s"] == {"off": 1463.8, "booting": 303, "idle": 425, "busy": 120, "stopping": 12.2}, found)
    expect(found["nodes"]["boots"] == found["nodes"]["stops"] == 2, found)
    expect(abs(found["nodes"]["break_even_s"] - 211.6985) < 1e-3 and found["nodes"]["idle_timeout_s"] == 212, found)
    close(found, rows, 95, 108 * 120)
    expect(found["peak_w"] == 406 and found["makespan_s"] == 1162, found)
    expect(abs(found["gco2"] - 100 * found["energy_kwh"]) < 1e-9, found)
    text = simulate(*options).stdout
    expect("off breaks even          after 212 s of idleness" in text and "2 stops, 2 boots" in text, text)
    never = sums(*options, "--idle-timeout", "never")
    expect(never["nodes"]["stops"] == 0 and never["nodes"]["idle_timeout_s"] is None, never)
    expect(never["energy_kwh"] > found["energy_kwh"] and never["mean_wait_s"] == 0, never)
    soon = sums(*options, "--idle-timeout", "1min")
    expect(soon["nodes"]["idle_timeout_s"] == 60 and soon["nodes"]["node_s"]["idle"] == 121, soon)


def test_random_traces_close(place):
    """Whatever is submitted: schedules that can be true, a closed book, the same bytes again, all policies alike"""
    for seed, per_node in ((1, 1), (2, 4), (3, 8)):
        trace = write_jobs(place, random_jobs(seed, 300, 32))
        options = [trace, "--procs", 64, "--procs-per-node", per_node, "--watts-busy", "300W", *TAURUS, "--schedule",
                   f"{place}/s.csv"]
        for policy in (["easy"], ["shutdown"], ["fcfs", "--idle-timeout", "breakeven"],
                       ["easy-power", "--idle-timeout", "30s", "--power-cap", "14kW"]):
            text = simulate("--json", *options, "--policy", *policy).stdout
            found, rows = json.loads(text), read_schedule(place)
            validate(rows, 64, per_node)
            extra = sum((int(row["end_s"]) - int(row["start_s"])) * int(row["procs"]) * 205 for row in rows)
            close(found, rows, 95 * per_node, extra)
            expect(simulate("--json", *options, "--policy", *policy).stdout == text, "not the same again")
            expect((found["nodes"]["stops"] > 0) == (policy != ["easy"]), (policy, found))
            expect("--power-cap" not in policy or found["peak_w"] <= 14000, found)


def test_off_pays_on_the_log_of_a_machine(place):
    """With nodes that go off NASA's log takes less energy and waits longer; all else is as before"""
    if not os.path.exists(NASA):
        raise Skip("no ../shared/data beside the source")
    options = [NASA, "--procs", 128, "--runtime-estimates", "actual", "--watts-busy", "203W", *TAURUS]
    found = sums(*options, "--compare", "easy,shutdown")
    easy, off = found["policies"]
    expect(f"{easy['mean_wait_s']:.3f}" == "4.028" and easy["nodes"]["stops"] == 0, easy)
    expect(off["energy_kwh"] < easy["energy_kwh"] and off["mean_wait_s"] > easy["mean_wait_s"], off)
    expect(off["jobs_kwh"] == easy["jobs_kwh"], (easy, off))
    plain = sums(NASA, "--procs", 128, "--runtime-estimates", "actual", "--watts-busy", "203W", "--watts-idle", "95W")
    expect(abs(plain["energy_kwh"] - easy["energy_kwh"]) < 1e-9 * plain["energy_kwh"] and "nodes" not in plain, plain)


def test_wrong_nodes_are_told(place):
    """Each with the option, what was given, and what is wanted"""
    trace = write_jobs(place, [(1, 0, 100, 1, 100)])
    base = [trace, "--procs", "12", "--watts-busy", "300W"]
    for options, words in [(["--policy", "shutdown"], "--watts-idle W is missing"),
                           (["--policy", "shutdown", "--watts-idle", "95W"], "--watts-off W is missing"),
                           (["--idle-timeout", "5s", *TAURUS[:4]], "--boot TIME,W is missing"),
                           ([*TAURUS[:6]], "--stop TIME,W is missing"),
                           ([*TAURUS, "--boot", "151.5s"], "--boot '151.5s'"),
                           ([*TAURUS, "--boot", "151.5,125W"], "--boot '151.5,125W': a time"),
                           ([*TAURUS, "--boot", "2d,125W"], "at most 1d"),
                           ([*TAURUS, "--stop", "6s,nan"], "behind the comma"),
                           ([*TAURUS, "--stop", "-6s,5W"], "--stop '-6s,5W'"),
                           ([*TAURUS, "--watts-off", "-1W"], "--watts-off '-1W'"),
                           ([*TAURUS, "--idle-timeout", "soon"], "--idle-timeout 'soon'"),
                           ([*TAURUS, "--procs-per-node", "5"], "not whole nodes"),
                           ([*TAURUS, "--procs-per-node", "24"], "from 1 to that of --procs"),
                           ([*TAURUS, "--procs-per-node", "0"], "--procs-per-node '0'")]:
        result = simulate(*base, *options, status=2)
        expect(words in result.stderr and len(result.stderr.splitlines()) == 1, f"{options}: {result.stderr}")
    result = simulate(*base, *TAURUS, "--policy", "easy-power", "--idle-timeout", "5s", "--power-cap", "1.4kW", status=1)
    expect("less than nodes draw that boot or stop" in result.stderr, result.stderr)
    result = simulate(*base, *TAURUS, "--watts-off", "95W", "--policy", "shutdown", "--json")
    nodes = json.loads(result.stdout)["nodes"]
    expect(nodes["break_even_s"] is None and nodes["idle_timeout_s"] is None and nodes["stops"] == 0, nodes)


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
