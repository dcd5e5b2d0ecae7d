#!/usr/bin/env python3
# test_slurm_jobs.py - jobs of a real Slurm whose nodes have meters: line, comment and shares against the twins' truth
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import contextlib
import json
import os
import sys
import time

import harness
import slurmnodes
from daemons import JOB_STATUS, job_of, text_body
from harness import LINE, PROGRAM, Skip, equal, expect, near
from slurmnodes import MODULES, boot_ns

USER, OTHER = "games", "news"  # two users that every Debian has
EDGE_NS = 50_000_000  # from a job's begin or end to the sweep that it asks for


@contextlib.contextmanager
def cluster(place, n, more="", config=None, **how):
    """home: a folder that any user may write to; shared: that of all daemons."""
    if not os.path.exists(f"{MODULES}/energyscopium-spank.so"):
        raise Skip("the plug-in for Slurm was not built here (its headers)")
    for folder in ("home", "shared"):
        os.makedirs(os.path.join(place, folder))
        os.chmod(os.path.join(place, folder), 0o1777)
    plugstack = (f"required {MODULES}/energyscopium-spank.so socket={place}/%n.d/socket state={place}/state "
                 f"helpers={MODULES} program={harness.for_anybody(PROGRAM)} {more}")
    conf = {"PrologFlags": "Alloc", **how.pop("conf", {})}
    with slurmnodes.up(place, n, plugstack=plugstack, conf=conf, config={"shared": f"{place}/shared", **(config or {})},
                       **how) as nodes:
        yield nodes


def submit(place, slurm, script, *options, user=USER, out="out", **how):
    return slurm.sbatch("-o", f"{place}/home/{out}", *options, "--wrap", script, user=user, cwd=f"{place}/home", **how)


def summaries(place, job, n):
    """What the daemons of n nodes said of a job, by node."""
    folder, end = f"{place}/shared/{job}", time.monotonic() + 20
    while True:
        names = os.listdir(folder) if os.path.isdir(folder) else []
        told = {}
        for name in names:
            if not name.endswith(".json"):
                continue  # still being written
            with contextlib.suppress(OSError, ValueError):
                with open(f"{folder}/{name}", encoding="utf-8") as file:
                    told[name.removesuffix(".json")] = json.load(file)
        if len(told) == n:
            return told
        if time.monotonic() > end:
            raise AssertionError(f"job {job}: {names} are not the summaries of {n} nodes")
        time.sleep(0.05)


def line_of(place, name):
    """The job line at the end of an output: (line, node energy in J)."""
    path, end = f"{place}/home/{name}", time.monotonic() + 20
    while True:
        text = ""
        if os.path.exists(path):
            with open(path, encoding="utf-8") as file:
                text = file.read()
        found = LINE.search(text)
        if found:
            equal(found.end(), len(text) - 1, f"the line is the last one: {text}")
            return found.group(0), float(found.group(2)) * 3.6e6
        if time.monotonic() > end:
            raise AssertionError(f"no job line in {text!r}")
        time.sleep(0.05)


def boot_after_unix_ns():
    """Between the two clocks, looked at right after each other: of some tries that which was not interrupted."""
    def look():
        before, boot, after = time.time_ns(), boot_ns(), time.time_ns()
        return after - before, boot - (before + after) // 2

    return min(look() for _ in range(20))[1]


def truth_j(nodes, node, summary):
    """What the twin used between the job's edges."""
    to_boot = boot_after_unix_ns()
    return nodes.energy_j([node], summary["start_unix_ns"] + to_boot, summary["stop_unix_ns"] + to_boot)


def test_jobs(place):
    """The line of a job on one, two and four nodes has the joules that their meters' truth has between its edges."""
    with cluster(place, 4, more="exclusive=yes") as nodes:
        slurm = nodes.slurm
        for n in (1, 2, 4):
            job = submit(place, slurm, f"srun -N{n} sleep 1", f"-N{n}", f"-n{n}", out=f"out{n}")
            told = summaries(place, job, n)
            truth = {node: truth_j(nodes, node, of) for node, of in told.items()}
            for node, of in told.items():
                # The book's edges are the sweeps that begin and end of the job asked for: on a busy machine they come a moment later.
                edges_j = truth[node] * 2 * EDGE_NS / of["duration_ns"]
                near(of["energy_uj"] / 1e6, truth[node], of["uncertainty_uj"] / 1e6 + edges_j, f"{n} nodes: {node}")
                equal((of["kind"], of["job"]["uid"], of["job"]["n_nodes"]), ("measured", 5, n))
            line, energy_j = line_of(place, f"out{n}")
            whole_j = sum(of["energy_uj"] for of in told.values()) / 1e6
            near(energy_j, whole_j, 0.01 * whole_j, f"the line of {n} nodes")
            expect(f"jobid<{job}>" in line and f"nodes<{sorted(told)}>" in line, line)


def energies_after(slurm, daemon, n, *jobs):
    """What jobs have used after so many sweeps more, in uJ."""
    wanted = daemon.state()["sampling"]["sweeps"] + n
    slurm.wait_for(lambda: daemon.state()["sampling"]["sweeps"] >= wanted, f"{n} sweeps")
    return [job_of(daemon.ask(JOB_STATUS, text_body(job))[1])["energy_uj"] for job in jobs]


def test_shared(place):
    """The energies of two users' jobs on one node, what nobody used and what is left add up to the node, to the microjoule."""
    with cluster(place, 1, cgroups=True, jobs_root="/") as nodes:
        slurm, daemon = nodes.slurm, next(iter(nodes.daemons.values()))
        busy = submit(place, slurm, f"touch {place}/home/1; while ! test -e {place}/home/end; do :; done", "-n1", out="busy")
        quiet = submit(place, slurm, f"touch {place}/home/2; while ! test -e {place}/home/end; do sleep 1; done", "-n1", user=OTHER, out="quiet")
        slurm.wait_for(lambda: os.path.exists(f"{place}/home/1") and os.path.exists(f"{place}/home/2"), "both jobs")
        # Slurm makes the cgroup that counts CPU time with the first task, and the daemon looks for it each second.
        before = energies_after(slurm, daemon, 4, busy, quiet)
        after = energies_after(slurm, daemon, 4, busy, quiet)
        used = [b - a for a, b in zip(before, after)]
        expect(used[0] > 2 * used[1], f"who computed used more: {used}")
        with open(f"{place}/home/end", "w", encoding="ascii"):
            pass
        told = [next(iter(summaries(place, job, 1).values())) for job in (busy, quiet)]
        equal([of["job"]["uid"] for of in told], [5, 9], "whose they are")
        equal([of["kind"] for of in told], ["attributed", "attributed"])
        book = {key: round(value * 1e6) for key, value in daemon.state()["book"].items() if key.endswith("_j")}
        equal(sum(of["energy_uj"] for of in told), book["jobs_j"], f"the jobs: {told} {book}")
        equal(book["jobs_j"] + book["idle_j"] + book["unattributed_j"], book["node_j"], f"{book}")


def test_node_failure(place):
    """A node that fails is missing in the line, which says how many were heard from."""
    with cluster(place, 4, more="exclusive=yes", conf={"SlurmdTimeout": "5"}) as nodes:
        slurm = nodes.slurm
        bad = slurm.nodes[2]
        job = submit(place, slurm, "echo started; sleep 100", "-N4", "-n4", "--no-requeue", out="failed")
        slurm.wait_for(lambda: os.path.exists(f"{place}/home/failed") and os.path.getsize(f"{place}/home/failed"), "the start")
        nodes.daemons[bad].kill()
        slurm.kill_node(bad)
        slurm.call("scancel", job)
        told = summaries(place, job, 3)
        expect(bad not in told, f"{bad} is gone")
        end = time.monotonic() + 20
        text = ""
        while "3 of 4 nodes" not in text:
            expect(time.monotonic() < end, f"the line of three nodes: {text}")
            with open(f"{place}/home/failed", encoding="utf-8") as file:
                text = file.read()
            time.sleep(0.05)
        energy_j = float(LINE.search(text).group(2)) * 3.6e6
        near(energy_j, sum(of["energy_uj"] for of in told.values()) / 1e6, 0.01 * energy_j, "the others")


def comment_of(slurm, job, field, mark="energyscopium"):
    return slurm.sacct(job, field, has=lambda rows: mark in rows[0][field])[0][field]


def test_comment(place):
    """A job's energy goes into its comment, beside what others wrote there, once the site says so."""
    with cluster(place, 2, more="comment=admin exclusive=yes", accounting=True) as nodes:
        slurm, before = nodes.slurm, boot_ns()
        plain = submit(place, slurm, "sleep 1", "-N2", "--exclusive")
        foreign = submit(place, slurm, "sleep 8", "-N1", "--exclusive")
        slurm.wait_for(lambda: slurm.job(foreign).get("JobState") == "RUNNING", "the second job")
        equal(slurm.call("scontrol", "update", f"jobid={foreign}", "admincomment={\"project\":\"x\"}").stderr, "")
        text, member = comment_of(slurm, plain, "AdminComment"), comment_of(slurm, foreign, "AdminComment")
        most = nodes.energy_j(slurm.nodes, before, boot_ns())
        expect(text.startswith("energyscopium:energy_j=") and text.endswith("kind=measured,nodes=2/2"), text)
        expect(0 < float(text.split("=")[1].split(",")[0]) <= most, text)
        expect(member.startswith('{"project":"x","energyscopium":{"energy_j":'), member)
        off = submit(place, slurm, "true", "--energyscopium=off")
        slurm.wait_for_job(off, "COMPLETED")
        time.sleep(3)
        equal(slurm.sacct(off, "AdminComment")[0]["AdminComment"], "")


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
