#!/usr/bin/env python3
# test_slurm_jobs.py - jobs of a real Slurm whose nodes have meters: line, comment and shares against the twins' truth
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import contextlib
import os
import sys
import time

import harness
import slurmnodes
from harness import PROGRAM, Skip, equal, expect
from slurmnodes import MODULES, boot_ns

USER, OTHER = "games", "news"  # two users that every Debian has


@contextlib.contextmanager
def cluster(place, n, more="", config=None, **how):
    """home: a folder that any user may write to; shared: that of all daemons."""
    if not os.path.exists(f"{MODULES}/energyscopium-spank.so"):
        raise Skip("the plug-in for Slurm was not built here (its headers)")
    for folder in ("home", "shared"):
        os.makedirs(os.path.join(place, folder))
        os.chmod(os.path.join(place, folder), 0o1777)
    plugstack = (f"required {MODULES}/energyscopium-spank.so socket={place}/%n.d/socket state={place}/state "
                 f"helpers={MODULES} program={PROGRAM} {more}")
    conf = {"PrologFlags": "Alloc", **how.pop("conf", {})}
    with slurmnodes.up(place, n, plugstack=plugstack, conf=conf, config={"shared": f"{place}/shared", **(config or {})},
                       **how) as nodes:
        yield nodes


def submit(place, slurm, script, *options, user=USER, out="out", **how):
    return slurm.sbatch("-o", f"{place}/home/{out}", *options, "--wrap", script, user=user, cwd=f"{place}/home", **how)


def comment_of(slurm, job, field, mark="energyscopium"):
    return slurm.sacct(job, field, has=lambda rows: mark in rows[0][field])[0][field]


def test_comment(place):
    """A job's energy goes into its comment, beside what others wrote there, once the site says so."""
    with cluster(place, 2, more="comment=admin", accounting=True) as nodes:
        slurm, before = nodes.slurm, boot_ns()
        plain = submit(place, slurm, "sleep 1", "-N2")
        foreign = submit(place, slurm, "sleep 2", "-N1")
        slurm.wait_for(lambda: slurm.job(foreign).get("JobState") == "RUNNING", "the second job")
        equal(slurm.call("scontrol", "update", f"jobid={foreign}", "admincomment={\"project\":\"x\"}").stderr, "")
        text, member = comment_of(slurm, plain, "AdminComment"), comment_of(slurm, foreign, "AdminComment")
        most = nodes.energy_j(slurm.nodes, before, boot_ns())
        expect(text.startswith("energyscopium:energy_j=") and text.endswith("kind=attributed,nodes=2/2"), text)
        expect(0 < float(text.split("=")[1].split(",")[0]) <= most, text)
        expect(member.startswith('{"project":"x","energyscopium":{"energy_j":'), member)
        off = submit(place, slurm, "true", "--energyscopium=off")
        slurm.wait_for_job(off, "COMPLETED")
        time.sleep(1)
        equal(slurm.sacct(off, "AdminComment")[0]["AdminComment"], "")


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
