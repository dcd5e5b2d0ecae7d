#!/usr/bin/env python3
# test_regions.py - regions from a file of tags: told apart where readings can, else said not to be
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import csv
import json
import os
import random
import sys

import harness
from harness import call, equal, expect, near

T0 = 1773403200
WATTS = {"hot": 300.0, "cold": 100.0}


def phases(length_s, jitter, stop_s=30.0):
    """(name, start, stop) in turn, and the joules up to any time."""
    random.seed(4711)
    calls, t = [], 0.0
    while t < stop_s:
        end = min(stop_s, t + length_s * (1 + jitter * random.uniform(-1, 1)))
        calls.append(("cold" if len(calls) % 2 else "hot", t, end))
        t = end
    return calls


def record(place, calls, stop_s=30.0):
    """A recording of a counter read every 100 ms, made from a CSV; its path, and true joules of each name."""
    edges, truth, sum_j = [(0.0, 0.0)], {}, 0.0
    for name, start, stop in calls:
        sum_j += WATTS[name] * (stop - start)
        truth[name] = truth.get(name, 0.0) + WATTS[name] * (stop - start)
        edges.append((stop, sum_j))
    path, at = os.path.join(place, "j.csv"), 0
    with open(path, "w") as file:
        file.write("time,domain,energy_j\n")
        for i in range(int(stop_s * 10) + 1):
            t = i / 10
            while at + 2 < len(edges) and edges[at + 1][0] < t:
                at += 1
            (t0, e0), (t1, e1) = edges[at], edges[at + 1]
            file.write(f"@{T0 + i // 10}.{i % 10},package-0,{1000 + e0 + (e1 - e0) * (t - t0) / (t1 - t0):.6f}\n")
    done = call("import", path, "--out", place, "--json")
    equal(done.returncode, 0, done.stderr)
    return json.loads(done.stdout)["recordings"][0], truth


def tags(place, rows):
    path = os.path.join(place, "tags.csv")
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([("name", "start", "stop"), *rows])
    return path


def report(recording, path):
    done = call("report", "--json", "--tags", path, recording)
    equal(done.returncode, 0, done.stderr)
    return json.loads(done.stdout)


def close(told):
    """Own parts, groups and what is untagged are the fine cover."""
    own = [r["exclusive_j"] for r in told["regions"]] + [g["energy_j"] for g in told["inseparable"]]
    own.append(told["untagged"]["energy_j"])
    fine = sum(d["energy_j"] for d in told["energy"]["by_domain"] if d["chosen"])
    near(sum(x for x in own if x is not None), fine, 1e-6, "book")


def test_short_phases(place):
    """Phases of 5 ms under readings every 100 ms are told apart within their bounds."""
    calls = phases(0.005, 0.1)
    recording, truth = record(place, calls)
    told = report(recording, tags(place, [(n, f"+{a:.9f}", f"+{b:.9f}") for n, a, b in calls]))
    regions = {r["name"]: r for r in told["regions"]}
    for name, true_j in truth.items():
        region = regions[name]
        equal(region["method"], "fitted", name)
        near(region["energy_j"], true_j, region["uncertainty_j"], name)
        near(region["energy_j"], true_j, 0.02 * true_j, name)
        near(region["by_domain"][0]["energy_j"], region["energy_j"], 1e-6, name)
    close(told)


def test_inseparable_phases(place):
    """Phases that divide the windows exactly have no energies of their own, and the table says so."""
    calls = phases(0.005, 0)
    recording, truth = record(place, calls)
    path = tags(place, [(n, f"{T0 + a:.6f}", f"{T0 + b:.6f}") for n, a, b in calls])
    told = report(recording, path)
    regions = {r["name"]: r for r in told["regions"]}
    for name, other in (("hot", "cold"), ("cold", "hot")):
        region = regions[name]
        equal((region["method"], region["energy_j"], region["exclusive_j"], region["uncertainty_j"]),
              ("inseparable", None, None, None), name)
        expect(other in region["not_separable_from"], region["not_separable_from"])
        near(region["group_energy_j"], sum(truth.values()), region["group_uncertainty_j"] + 1e-3, name)
    close(told)
    table = call("report", "--tags", path, recording).stdout
    expect("not separable from cold" in table and "not separable from hot" in table, table)


def test_profile(place):
    """The eprofile has the tags of the file beside its own, with the same energies."""
    recording, _ = record(place, phases(0.5, 0.1))
    path = tags(place, [("solve", "2026-03-13T12:00:05Z", "+20"), ("write", "+21", "+25s")])
    told = report(recording, path)
    done = call("profile", "--json", "--tags", path, recording)
    equal(done.returncode, 0, done.stderr)
    got = json.loads(done.stdout)["tags"]
    for name in ("solve", "write"):
        region = next(r for r in told["regions"] if r["name"] == name)
        near(got[name]["joule(J)"], region["energy_j"], 1e-9, name)
    equal(set(got), {"es_total", "solve", "write"})
    near(got["solve"]["stop(sec)"] - got["solve"]["start(sec)"], 15, 1e-6)


def test_mistakes(place):
    """A mistake in a file of tags is told with its line, and nothing is shown."""
    recording, _ = record(place, phases(0.5, 0.1))
    for rows, words in (([("a", "+1", "+2"), ("b", "+2")], "line 3: 2 fields"),
                        ([("es_total", "+1", "+2")], "reserved"),
                        ([("a", "+2", "+1")], "stops before it starts"),
                        ([("a", "2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z")], "none lies within"),
                        ([], "there are none")):
        for command in ("report", "profile"):
            done = call(command, "--tags", tags(place, rows), recording)
            expect(done.returncode in (1, 2), done.returncode)
            expect(words in done.stderr and not done.stdout, done.stderr + done.stdout)
    done = call("report", "--tags", os.path.join(place, "none.csv"), recording)
    expect(done.returncode != 0 and "none.csv" in done.stderr, done.stderr)


if __name__ == "__main__":
    harness.main(sys.modules[__name__])
