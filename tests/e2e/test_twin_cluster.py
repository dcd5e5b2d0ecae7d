#!/usr/bin/env python3
# test_twin_cluster.py - simulated clusters: the same bytes again, and recordings that agree with the truth
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
"""Nothing here is timed: all of it is simulated time."""
import csv
import filecmp
import gzip
import json
import os
import re
import signal
import subprocess
import sys
import time

import harness
from harness import Skip, call, expect

KIND = "skx2s"
GPU_KIND = "genoa2s-a100x4"
SWF_TAIL = " -1 -1 -1 -1 -1 1 {user} 1 {app} -1 -1 -1 -1\n"


def cluster(*args, status=0):
    result = call("twin", "cluster", *args)
    expect(result.returncode == status, f"status {status}: {result.returncode} {result.stderr}")
    return result


def rows(place, name):
    with open(f"{place}/{name}", encoding="ascii", newline="") as file:
        return list(csv.DictReader(file))


def report(path):
    result = call("report", "--json", path)
    expect(result.returncode == 0, result.stderr)
    return json.loads(result.stdout)


def unfold(nodes):
    """skx2s-[0001-0003,0007]: the names."""
    match = re.fullmatch(r"(.*-)(\d+|\[.*\])", nodes)
    names = []
    for part in match[2].strip("[]").split(","):
        first, _, last = part.partition("-")
        names += [f"{match[1]}{i:04d}" for i in range(int(first), int(last or first) + 1)]
    return names


def same_trees(a, b):
    left = sorted(os.path.relpath(os.path.join(d, f), a) for d, _, fs in os.walk(a) for f in fs)
    right = sorted(os.path.relpath(os.path.join(d, f), b) for d, _, fs in os.walk(b) for f in fs)
    return left == right and all(filecmp.cmp(f"{a}/{f}", f"{b}/{f}", shallow=False) for f in left)


def swf(jobs, head="; Computer: made up\n; UnixStartTime: 1000000000\n"):
    return head + "".join(f"{number} {submit} -1 {run} {procs}" + SWF_TAIL.format(user=user, app=app)
                          for number, submit, run, procs, user, app in jobs)


def test_the_same_seed_writes_the_same_bytes(place):
    """Twenty nodes for an hour: byte for byte the same with one thread and with three; another seed differs."""
    options = ("--class", f"{KIND}:15", "--class", f"{GPU_KIND}:5", "--duration", "1h", "--failures", "80%")
    cluster(*options, "--seed", 3, "--threads", 1, "--out", f"{place}/a")
    cluster(*options, "--seed", 3, "--threads", 3, "--out", f"{place}/b")
    cluster(*options, "--seed", 4, "--out", f"{place}/c")
    expect(same_trees(f"{place}/a", f"{place}/b"), "two runs of one seed differ")
    expect(not same_trees(f"{place}/a", f"{place}/c"), "two seeds are the same")
    expect(len([f for f in os.listdir(f"{place}/a/nodes") if "-boot" not in f]) == 20, "20 recordings")


def test_readings_do_not_change_the_truth(place):
    """--no-readings writes the same tables, and no recordings."""
    options = ("--class", f"{KIND}:5", "--duration", "1h", "--seed", 5)
    cluster(*options, "--out", f"{place}/a")
    cluster(*options, "--no-readings", "--out", f"{place}/b")
    for name in ("jobs.csv", "nodes.csv"):
        expect(filecmp.cmp(f"{place}/a/{name}", f"{place}/b/{name}", shallow=False), f"{name} differs")
    expect(not os.path.exists(f"{place}/b/nodes"), "there are recordings")


def test_sums_close_to_the_microjoule(place):
    """Jobs and idle are the node, all nodes are the cluster, in whole µJ."""
    result = cluster("--class", f"{KIND}:10", "--duration", "2h", "--seed", 2, "--failures", "50%", "--json",
                     "--out", f"{place}/a")
    out = json.loads(result.stdout)
    nodes, jobs = rows(f"{place}/a", "nodes.csv"), rows(f"{place}/a", "jobs.csv")
    for row in nodes:
        expect(int(row["energy_uj"]) == int(row["jobs_uj"]) + int(row["idle_uj"]), f"{row} does not close")
    of_jobs = sum(int(row["energy_uj"] or 0) for row in jobs)
    expect(of_jobs == sum(int(row["jobs_uj"]) for row in nodes), "jobs are not what nodes spent in jobs")
    expect(of_jobs == round(out["energy"]["jobs"]["node_j"] * 1e6), "JSON says otherwise")
    expect(out["jobs"]["all"] == len(jobs) and out["nodes"] == 10, f"{out['jobs']}")
    expect(out["recordings"] == len(os.listdir(f"{place}/a/nodes")), "recordings are counted wrongly")


def test_recordings_agree_with_the_truth(place):
    """What report makes of each node's recording is the node's true energy, and each job's within its bound."""
    cluster("--class", f"{KIND}:6", "--class", f"{GPU_KIND}:3", "--duration", "2h", "--seed", 8, "--out",
            f"{place}/a")
    measured, bounds = {}, {}
    for row in rows(f"{place}/a", "nodes.csv"):
        out = report(f"{place}/a/nodes/{row['node']}.esrec")
        by_type = {}
        for domain in out["energy"]["by_domain"]:
            if domain["energy_j"] is not None:
                by_type[domain["type"]] = by_type.get(domain["type"], 0) + domain["energy_j"]
        # Counters to their unit and update period; the controller's whole watts to 0.3 %.
        true_j = int(row["package_uj"]) / 1e6
        expect(abs(by_type["package"] - true_j) < 1e-4 * true_j, f"{row['node']}: {by_type} for {row}")
        if row["class"] == GPU_KIND:
            true_j = int(row["gpu_uj"]) / 1e6
            expect(abs(by_type["gpu"] - true_j) < 1e-3 * true_j, f"{row['node']}: {by_type} for {row}")
        true_j = int(row["energy_uj"]) / 1e6
        expect(abs(by_type["node"] - true_j) < 3e-3 * true_j, f"{row['node']}: {by_type} for {row}")
        for region in out["regions"]:
            measured[(row["node"], region["name"])] = region["energy_j"]
            bounds[(row["node"], region["name"])] = region["uncertainty_j"]
    n = n_within = 0
    for job in rows(f"{place}/a", "jobs.csv"):
        if job["state"] == "waiting":
            continue
        keys = [(node, f"job {job['job']}") for node in unfold(job["nodes"])]
        expect(len(keys) == int(job["n_nodes"]), f"{job['nodes']} are not {job['n_nodes']}")
        parts = (int(job["package_uj"]) + int(job["gpu_uj"])) / 1e6
        # AMD shows no memory; regions are in the parts that are measured.
        if job["class"] == KIND:
            parts += int(job["dram_uj"]) / 1e6
        error = abs(sum(measured[key] for key in keys) - parts)
        n += 1
        n_within += error <= sum(bounds[key] for key in keys) + 0.01 * len(keys)
        expect(error < 0.02 * parts + 500 * len(keys), f"job {job['job']}: {error} J off of {parts}")
    expect(n > 20 and n_within >= 0.95 * n, f"{n_within} of {n} jobs are within their bounds")


def test_a_trace_is_replayed(place):
    """SWF, packed or not: processors become whole nodes, users and times are the trace's."""
    text = swf([(11, 0, 600, 36, 5, 1), (12, 60, 300, 80, 6, 2), (13, 120, 100, 100000, 6, 2), (14, 130, -1, 1, 6, 2)])
    with open(f"{place}/trace.swf", "w", encoding="ascii") as file:
        file.write(text)
    options = ("--class", f"{KIND}:4", "--duration", "30m")
    result = cluster(*options, "--jobs", f"{place}/trace.swf", "--json", "--out", f"{place}/a")
    trace = json.loads(result.stdout)["trace"]
    expect((trace["jobs_too_large"], trace["jobs_unusable"], trace["lines_wrong"]) == (1, 1, 0), f"{trace}")
    jobs = rows(f"{place}/a", "jobs.csv")
    expect([(j["job"], j["user"], j["n_nodes"]) for j in jobs] == [("11", "user5", "1"), ("12", "user6", "3")], f"{jobs}")
    expect(jobs[0]["start"] == "2001-09-09T01:46:40.000Z" and jobs[0]["end"] == "2001-09-09T01:56:40.000Z", f"{jobs[0]}")
    expect(jobs[1]["nodes"] == f"{KIND}-[0002-0004]", f"{jobs[1]}")
    with gzip.open(f"{place}/trace.swf.gz", "wt", encoding="ascii") as file:
        file.write(text)
    result = call("twin", "cluster", *options, "--jobs", f"{place}/trace.swf.gz", "--out", f"{place}/b")
    if "libarchive" in result.stderr:
        raise Skip("no libarchive to unpack with")
    expect(result.returncode == 0, result.stderr)
    expect(same_trees(f"{place}/a", f"{place}/b"), "packed and not packed differ")


def test_a_trace_of_the_archive_is_replayed(place):
    """A week of the log of NASA's iPSC/860, a node for each four of its processors, ten times as dense."""
    path = os.path.join(harness.SOURCE_ROOT, "../shared/data/workloads/NASA-iPSC-1993-3.1-cln.swf.gz")
    if not os.path.exists(path):
        raise Skip("no ../shared/data beside the source")
    result = call("twin", "cluster", "--class", f"{KIND}:32", "--duration", "3h", "--jobs", path, "--trace-from", "4d",
                  "--trace-speed", 10, "--procs-per-node", 4, "--no-readings", "--json", "--out", f"{place}/a")
    if "libarchive" in result.stderr:
        raise Skip("no libarchive to unpack with")
    expect(result.returncode == 0, result.stderr)
    out = json.loads(result.stdout)
    expect(out["trace"]["jobs"] == 18239 and out["trace"]["lines_wrong"] == 0, f"{out['trace']}")
    expect(out["start"] == "1993-10-05T07:00:03.000Z", out["start"])
    expect(out["jobs"]["all"] > 100 and out["trace"]["jobs_too_large"] == 0, f"{out['jobs']}")


def test_wrong_lines_of_a_trace_are_told(place):
    """The first five with their number and reason, all of them counted; --strict refuses; no job at all is an error."""
    good = swf([(1, 0, 60, 36, 1, 1)])
    with open(f"{place}/bad.swf", "w", encoding="utf-8") as file:
        file.write(good + "2 0 -1 60\n" + "x \033[31m\n" * 6)
    options = ("--class", f"{KIND}:2", "--duration", "10m", "--jobs", f"{place}/bad.swf")
    result = cluster(*options)
    expect("line 4: 4 numbers instead of 18" in result.stderr, result.stderr)
    expect(result.stderr.count(" line ") == 5 and "7 lines are wrong in all" in result.stderr, result.stderr)
    expect("\033" not in result.stderr, "a line of the trace reaches the terminal as it is")
    result = cluster(*options, "--strict", "--out", f"{place}/a", status=1)
    expect("line 4" in result.stderr and not os.path.exists(f"{place}/a"), result.stderr)
    with open(f"{place}/empty.swf", "w", encoding="ascii") as file:
        file.write("; Version: 2\n")
    result = cluster("--class", f"{KIND}:2", "--duration", "10m", "--jobs", f"{place}/empty.swf", status=1)
    expect("no job" in result.stderr, result.stderr)
    result = cluster("--class", f"{KIND}:2", "--duration", "10m", "--jobs", f"{place}/none.swf", status=1)
    expect("none.swf" in result.stderr, result.stderr)


def test_a_start_that_is_no_date_is_refused(place):
    """A trace whose UnixStartTime no clock can show is refused by its name, and replayed where --start says when it begins."""
    trace = f"{place}/trace.swf"
    with open(trace, "w", encoding="ascii") as file:
        file.write("; UnixStartTime: 99999999999999\n1 0 0 10 1 -1 -1 1 10 -1 1 1 1 1 1 1 -1 -1\n")
    options = ("--class", "vm:2", "--duration", "1min", "--jobs", trace, "--no-readings")
    result = cluster(*options, status=1)
    expect("UnixStartTime 99999999999999" in result.stderr and "--start" in result.stderr, result.stderr)
    cluster(*options, "--start", "2026-01-05T00:00:00Z")


def test_a_folder_is_not_written_over(place):
    """A folder with anything in it is refused; --force replaces what an earlier simulation wrote, and only that."""
    options = ("--class", f"{KIND}:3", "--duration", "10m", "--out", f"{place}/a")
    cluster(*options)
    before = os.stat(f"{place}/a/cluster.json").st_mtime_ns
    result = cluster(*options, status=1)
    expect("not empty" in result.stderr and "--force" in result.stderr, result.stderr)
    expect(os.stat(f"{place}/a/cluster.json").st_mtime_ns == before, "it was touched")
    with open(f"{place}/a/mine.txt", "w", encoding="ascii") as file:
        file.write("kept\n")
    cluster("--class", f"{KIND}:1", "--duration", "10m", "--out", f"{place}/a", "--force")
    expect(os.listdir(f"{place}/a/nodes") == [f"{KIND}-0001.esrec"], f"{os.listdir(place + '/a/nodes')}")
    expect(os.path.exists(f"{place}/a/mine.txt"), "another's file is gone")


def test_a_full_disk_leaves_nothing_half_written(place):
    """A file that cannot grow: said, no cluster.json, no recording that is not whole."""
    program = f"ulimit -f 8; trap '' XFSZ; exec '{harness.PROGRAM}' twin cluster --class {KIND}:2 --duration 4h --seed 1 --out '{place}/a'"
    result = subprocess.run(["bash", "-c", program], env=harness.clean_environment(), text=True, capture_output=True,
                            timeout=60, check=False)
    expect(result.returncode == 1 and "cannot write" in result.stderr, f"{result.returncode} {result.stderr}")
    expect(not os.path.exists(f"{place}/a/cluster.json"), "cluster.json is there")
    expect(os.listdir(f"{place}/a/nodes") == [], f"{os.listdir(place + '/a/nodes')}")


def test_ctrl_c_ends_it_cleanly(place):
    """SIGINT: status 130, recordings that are there are whole, no cluster.json."""
    process = harness.start("twin", "cluster", "--class", f"{KIND}:2000", "--duration", "30d", "--threads", 1, "--out",
                            f"{place}/a")
    for _ in range(600):
        if os.path.isdir(f"{place}/a/nodes") and any(f.endswith(".part") for f in os.listdir(f"{place}/a/nodes")):
            break
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    expect(process.returncode == 130 and "stopped" in errors, f"{process.returncode} {errors}")
    expect(not os.path.exists(f"{place}/a/cluster.json"), "cluster.json is there")
    left = os.listdir(f"{place}/a/nodes")
    expect(all(f.endswith(".esrec") for f in left), f"{left}")


def test_wrong_options_are_named(place):
    """Each with the option, what was given, and what is wanted; nothing is written."""
    good = ["--class", f"{KIND}:2", "--duration", "10m"]
    wrong = [
        (["--duration", "10m"], "--class"),
        (["--class", f"{KIND}:2"], "--duration"),
        (["--class", "skx3s:2", "--duration", "10m"], f"did you mean '{KIND}'"),
        (["--class", f"{KIND}:0", "--duration", "10m"], "KIND:COUNT"),
        (["--class", KIND, "--duration", "10m"], "count"),
        (["--class", f"{KIND}:5", "--nodes", "4", "--duration", "10m"], "--nodes 4"),
        (["--class", f"{KIND}:2", "--duration", "10"], "--duration '10'"),
        (good + ["--period", "300ms"], "period"),
        (good + ["--load", "300%"], "--load '300%'"),
        (good + ["--failures", "x"], "--failures 'x'"),
        (good + ["--seed", "-1"], "--seed '-1'"),
        (good + ["--threads", "0"], "--threads '0'"),
        (good + ["--start", "yesterday"], "--start 'yesterday'"),
        (good + ["--trace-speed", "2"], "--jobs FILE"),
        (good + ["--jobs", "x.swf", "--load", "10%"], "--load"),
        (good + ["extra"], "'extra'"),
    ]
    for options, words in wrong:
        result = cluster(*options, "--out", f"{place}/a", status=2)
        expect(words in result.stderr and len(result.stderr.splitlines()) == 1, f"{options}: {result.stderr}")
    expect(not os.path.exists(f"{place}/a"), "something was written")
    result = cluster("--class", KIND, "--class", f"{GPU_KIND}:1", "--nodes", 3, "--duration", "10m")
    expect(result.stdout.startswith("3 simulated nodes"), result.stdout)


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
