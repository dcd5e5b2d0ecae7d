#!/usr/bin/env python3
# test_merge.py - reports of a job's nodes together: sums against the truth, clocks that are apart, what is missing
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import concurrent.futures
import json
import os
import shutil
import sys

import harness
import recordings
import twins
from harness import call, equal, expect, near

# Phases of no common length, so that there is one lag only at which two nodes are alike.
WORK = ("a 0.7s cpu=90% idle=10%\nb 0.4s idle=100%\nc 1.1s cpu=40% idle=60%\nd 0.3s idle=100%\n"
        "e 0.6s cpu=60% memory=40%\nf 0.9s idle=100%\n")


def measure(place, node, work):
    """A job's recording on a twin, and its true energy from first to last reading, in J."""
    with twins.up(os.path.join(place, node), "skx2s", "--name", node, "--seed", str(len(node) + ord(node[-1]))) as twin:
        out = os.path.join(place, node)
        done = call("run", "--root", twin.mount, "--out", out, "--name", "77", "--period", "50ms", f"--json={out}/run.json",
                    "--", harness.PROGRAM, "twin", "play", "--mount", twin.mount, work)
        equal(done.returncode, 0, done.stderr)
        with open(f"{out}/run.json", encoding="utf-8") as file:
            told = json.load(file)
        return os.path.join(out, "77.esr"), told


def make(place, nodes=("n1", "n2")):
    """The recordings of a job that began on all of its nodes at about the same time."""
    work = os.path.join(place, "work")
    with open(work, "w", encoding="utf-8") as file:
        file.write(WORK)
    for node in nodes:
        os.makedirs(os.path.join(place, node))
    with concurrent.futures.ThreadPoolExecutor(len(nodes)) as pool:
        return list(pool.map(lambda node: measure(place, node, work), nodes))


def report(*args):
    done = call("report", "--json", *args)
    equal(done.returncode, 0, done.stderr)
    return json.loads(done.stdout)


def test_two_nodes_are_one_report(place):
    """Energies are the sum to the last µJ, nodes and domains are listed, whatever the wall clock of the second says"""
    (one, told_one), (two, told_two) = make(place)
    sum_j = told_one["energy"]["measured_j"] + told_two["energy"]["measured_j"]
    for ahead_s in (0.0, 3.7, -20.3):
        if ahead_s:
            recordings.change(two, ahead_s=ahead_s, kept_ns=-1)
        else:
            recordings.change(one, kept_ns=-1)
            recordings.change(two, kept_ns=-1)
        told = report(one, two)
        near(told["energy"]["measured_j"], sum_j, 1e-5, "the sum")
        equal(told["energy"]["kind"], "measured", "nothing is filled in")
        equal((told["job"]["nodes"], told["job"]["nodes_measured"], told["job"]["nodes_total"]), (["n1", "n2"], 2, 2), "nodes")
        by_node = {}
        for domain in told["energy"]["by_domain"]:
            if domain["chosen_total"]:
                by_node[domain["node"]] = by_node.get(domain["node"], 0) + domain["energy_j"]
        near(by_node["n2"], told_two["energy"]["measured_j"], 1e-5, "the second node")
        near(told["job"]["duration_s"], told_one["job"]["duration_s"], 0.5, "one clock for both")
        if ahead_s:
            recordings.change(two, ahead_s=-ahead_s)


def test_clocks(place):
    """An offset is found by steps of power to half a period; NTP's word holds unless power says that it is wrong"""
    (one, _), (two, _) = make(place)
    recordings.change(one, kept_ns=-1)
    recordings.change(two, kept_ns=-1)
    second = report(one, two)["quality"]["clocks"][1]
    if second["by"] != "power_steps":
        raise harness.Skip("this machine was too busy for two nodes to step together")
    really_s = second["offset_s"]  # the two began that far apart, for they are no real job
    recordings.change(two, ahead_s=3.7)
    first, second = report(one, two)["quality"]["clocks"]
    equal((first["by"], second["by"]), ("reference", "power_steps"), "how it is known")
    near(second["offset_s"] - really_s, 3.7, second["uncertainty_s"], "the offset")
    expect(second["uncertainty_s"] <= 0.05, f"±{second['uncertainty_s']}")
    table = call("report", one, two).stdout
    expect("by steps of power, put right" in table, table)


def test_what_is_missing_is_said(place):
    """3 of 4 nodes; a recording that a kill left; a node twice; jobs that are different"""
    (one, _), (two, _) = make(place)
    recordings.change(one, meta=lambda meta: meta["job"].update(nodes=4))
    done = call("report", one, two)
    expect("2 of 4 nodes" in done.stdout, done.stdout)
    equal(report(one, two)["job"]["nodes_total"], 4, "the job's nodes")

    copy = os.path.join(place, "copy.esr")
    shutil.copy(one, copy)
    done = call("report", one, copy)
    equal(done.returncode, 1, "a node twice")
    expect("two recordings are of node 'n1'" in done.stderr, done.stderr)

    with open(two, "rb+") as file:
        file.truncate(os.path.getsize(two) * 3 // 4)
    done = call("report", one, two)
    equal(done.returncode, 0, done.stderr)
    expect("broken off" in done.stdout, done.stdout)

    recordings.change(copy, meta=lambda meta: meta["job"].update(id="78"))
    done = call("report", one, copy)
    equal(done.returncode, 1, "two jobs")
    expect("'77', '78'" in done.stderr and "--job" in done.stderr, done.stderr)


def test_folders_and_profiles(place):
    """A folder is what is in it, --job picks; profile and page are of all nodes"""
    (one, _), (two, _) = make(place)
    folder = os.path.join(place, "all")
    os.makedirs(os.path.join(folder, "jobs"))
    shutil.copy(one, os.path.join(folder, "77.n1.esr"))
    shutil.copy(two, os.path.join(folder, "jobs", "77-3.esr"))
    equal(report(folder)["job"]["nodes"], ["n1", "n2"], "of the folder")
    shutil.copy(one, os.path.join(folder, "other.esr"))
    recordings.change(os.path.join(folder, "other.esr"), meta=lambda meta: meta["job"].update(id="78"))
    equal(call("report", folder).returncode, 1, "several jobs")
    told = report("--job", "77", folder)
    equal(told["job"]["nodes"], ["n1", "n2"], "of job 77")
    equal(report("--job", "78", folder)["job"]["nodes"], ["n1"], "of job 78")
    empty = os.path.join(place, "empty")
    os.makedirs(empty)
    done = call("report", empty)
    equal(done.returncode, 1, "an empty folder")
    expect("no recording in this folder" in done.stderr, done.stderr)

    done = call("profile", "--job", "77", "--csv", "-", folder)
    equal(done.returncode, 0, done.stderr)
    equal({line.split(",")[1] for line in done.stdout.splitlines()[1:]}, {"n1", "n2"}, "nodes of the CSV")
    page = os.path.join(place, "report.html")
    equal(call("report", "--job", "77", "--html", page, folder).returncode, 0, "a page")
    eprofile = os.path.join(place, "77.json")
    equal(call("profile", "--job", "77", "--eprofile", eprofile, folder).returncode, 0, "an eprofile")
    with open(eprofile, encoding="utf-8") as file:
        tags = json.load(file)["tags"]
    near(tags["es_appli_total"]["joule(J)"], told["energy"]["measured_j"], 0.02 * told["energy"]["measured_j"], "of the command")


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
