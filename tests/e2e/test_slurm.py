#!/usr/bin/env python3
# test_slurm.py - the SPANK plug-in in a real Slurm: what it tells, where the job's line comes, what it never does
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import contextlib
import os
import shutil
import sys
import time

import harness
from harness import Skip, equal, expect
from listeners import Listener
from slurm import Slurm

MODULES = os.environ.get("ES_SLURM_MODULES", "")
USER, OTHER = "games", "news"  # two users that every Debian has

# Stands for "energyscopium job line": who it is, and a line. HOLD, where it is, makes it wait.
PROGRAM = """#!/bin/sh
while test -e {place}/hold; do sleep 0.02; done
echo "energyscopium jobid<$3> uid <$(id -u)> groups <$(id -G)>"
echo "not a line"
"""


@contextlib.contextmanager
def cluster(place, n, more="", **how):
    """A Slurm with the plug-in; each node's socket is place/NODE.sock, and home is a folder that any user may write to."""
    if not os.path.exists(f"{MODULES}/energyscopium-spank.so"):
        raise Skip("the plug-in for Slurm was not built here (its headers)")
    program = os.path.join(place, "program")
    with open(program, "w", encoding="ascii") as file:
        file.write(PROGRAM.format(place=place))
    os.chmod(program, 0o755)
    os.makedirs(os.path.join(place, "home"))
    os.chmod(os.path.join(place, "home"), 0o1777)
    plugstack = (f"required {MODULES}/energyscopium-spank.so socket={place}/%n.sock state={place}/state "
                 f"helper={MODULES}/energyscopium-slurm-line program={program} {more}")
    with Slurm(place, n, plugstack=plugstack, **how) as slurm:
        yield slurm


def output_of(place, name, wanted=None):
    """What a job's output holds, once it has so many lines of ours."""
    path, end = os.path.join(place, "home", name), time.monotonic() + 20
    while True:
        text = ""
        if os.path.exists(path):
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read()
        if wanted is None or text.count("energyscopium jobid<") >= wanted:
            return text
        if time.monotonic() > end:
            raise AssertionError(f"no line in {name}: {text!r}")
        time.sleep(0.05)


def submit(place, slurm, script, *options, user=USER, out="out", **how):
    return slurm.sbatch("-o", f"{place}/home/{out}", *options, "--wrap", script, user=user, cwd=f"{place}/home", **how)


def test_tells(place):
    """The daemon of each node is told of job and steps, with what Slurm knows of them."""
    with contextlib.ExitStack() as stack:
        slurm = stack.enter_context(cluster(place, 2, cgroups=True, conf={"PrologFlags": "Alloc"}))
        first, second = [stack.enter_context(Listener(f"{place}/{node}.sock")) for node in slurm.nodes]
        job = submit(place, slurm, "srun -n2 true; exit 3", "-N2", "-n2", "-J", "a name")
        slurm.wait_for_job(job, "FAILED")
        for node, listener in zip(slurm.nodes, (first, second)):
            slurm.wait_for(lambda heard=listener: heard.of("end", id=job, step=""), f"the end of the job on {node}")
    equal({h["peer"] for h in first.heard + second.heard}, {0}, "who told")
    told = first.heard[0]
    equal((told["type"], told["id"], told["step"], told["scheduler"]), ("begin", job, "", "slurm"))
    equal((told["uid"], told["has_uid"], told["n_nodes"], told["n_cpus"], told["node_index"]), (5, 1, 2, 1, 0))
    equal((told["partition"], told["cluster"], told["has_gpus"]), ("main", "loop", 0))
    equal(second.heard[0]["node_index"], 1)
    equal([h["step"] for h in first.of("begin") if h["step"]], ["batch", "0"], "steps on the first node")
    equal([h["step"] for h in second.of("begin") if h["step"]], ["0"], "steps on the second node")
    equal(sorted(h["step"] for h in first.of("end")), ["", "0", "batch"])
    equal(first.of("begin", step="batch")[0]["name"], "a name")
    equal(first.of("begin", step="batch")[0]["cgroup"], f"/slurm_{slurm.nodes[0]}/uid_5/job_{job}")
    equal(second.of("begin", step="0")[0]["cgroup"], f"/slurm_{slurm.nodes[1]}/uid_5/job_{job}")
    equal([(h["has_status"], h["status"]) for h in first.of("end", step="")], [(1, 3 << 8)])


def test_line(place):
    """The line comes behind what the job wrote, with the user's rights, and only where it wrote to a file of its own."""
    with cluster(place, 1) as slurm:
        job = submit(place, slurm, "printf 'no newline'", out="plain")
        text = output_of(place, "plain", 1)
        equal(text, f"no newline\nenergyscopium jobid<{job}> uid <5> groups <60>\n")
        equal(os.stat(f"{place}/home/plain").st_uid, 5)
        for i, (script, what) in enumerate((
                (f"mv {place}/home/OUT {place}/home/moved; echo x > {place}/home/OUT", "another file of that name"),
                (f"rm {place}/home/OUT; ln -s {place}/home/target {place}/home/OUT", "a link in its place"),
                (f"rm {place}/home/OUT; mkfifo {place}/home/OUT", "a pipe in its place"),
                (f"rm {place}/home/OUT", "no file any more"))):
            out = f"out{i}"
            job = submit(place, slurm, script.replace("OUT", out), out=out)
            slurm.wait_for_job(job, "COMPLETED")
            slurm.wait_for(lambda: not os.listdir(f"{place}/state") and not helpers(), "the helper's end")
            if os.path.isfile(f"{place}/home/{out}"):
                expect("energyscopium" not in output_of(place, out), what)
            expect(not os.path.exists(f"{place}/home/target"), what)
        job = slurm.sbatch("-o", "/dev/null", "--wrap", "true", user=USER)
        slurm.wait_for_job(job, "COMPLETED")
        job = submit(place, slurm, "true", "--energyscopium=off", out="off")
        slurm.wait_for_job(job, "COMPLETED")
        job = submit(place, slurm, "true", out="variable", env={"ENERGYSCOPIUM": "off"})
        slurm.wait_for_job(job, "COMPLETED")
        equal((output_of(place, "off"), output_of(place, "variable")), ("", ""), "not wanted")
        equal(os.listdir(f"{place}/state"), [], "nothing is left of them")


def helpers():
    return [pid for pid in filter(str.isdigit, os.listdir("/proc")) if "slurm-line" in name_of(pid)]


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


def test_option(place):
    """A wish that nobody knows is refused by srun, sbatch and salloc, and --help names the option."""
    with cluster(place, 1) as slurm:
        for command in (["srun"], ["sbatch", "--wrap", "true"], ["salloc"]):
            done = slurm.call(command[0], "--energyscopium=loud", *command[1:], *([] if command[1:] else ["true"]), cwd=place)
            expect(done.returncode != 0 and "say off or measure" in done.stderr, f"{command}: {done.stderr}")
        expect("--energyscopium" in slurm.srun("--help").stdout, "help")
        equal(slurm.srun("--energyscopium=off", "true").stderr, "")


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
