# slurmnodes.py - a real Slurm whose nodes have meters: each slurmd with a twin and a daemon of its own
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
"""
    with slurmnodes.up(place, 2, accounting=True, modules=MODULES) as nodes:
        nodes.slurm.srun("-N2", "sleep", "1")
        nodes.energy_j(nodes.slurm.nodes, from_ns, to_ns)
"""
import contextlib
import os
import time

import daemons
import harness
import twins
from slurm import Slurm

MODULES = harness.for_anybody(os.environ.get("ES_SLURM_MODULES", ""))
PARTS = ("package-", "dram-")  # what the meters of these nodes see


def boot_ns():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class Nodes:
    def __init__(self, slurm):
        self.slurm, self.twins, self.daemons = slurm, {}, {}

    def energy_j(self, names, from_ns, to_ns):
        """The twins' truth: what all parts with a meter of some nodes used between two times of the boot clock."""
        return sum(uj for name in names for part, uj in self.twins[name].energy_uj(from_ns, to_ns).items()
                   if part.startswith(PARTS)) / 1e6


@contextlib.contextmanager
def up(place, n, kind="skx2s", config=None, plugstack="", jobs_root=None, **how):
    """@plugstack: text, in which {place} is a test's folder; each node's daemon listens where its ENERGYSCOPIUM_DAEMON says, and at {place}/NODE.d/socket."""
    slurm = Slurm(place, n, plugstack=plugstack.format(place=place), **how)
    nodes = Nodes(slurm)
    slurm.check_programs()
    with contextlib.ExitStack() as stack:
        for i, node in enumerate(slurm.nodes):
            folder = os.path.join(place, node + ".d")
            os.makedirs(folder)
            nodes.twins[node] = stack.enter_context(twins.up(folder, kind, "--seed", str(i + 1)))
            nodes.daemons[node] = stack.enter_context(
                daemons.up(folder, root=nodes.twins[node].mount, jobs_root=jobs_root, config={"node": node, **(config or {})}))
            os.symlink(nodes.daemons[node].socket, os.path.join(folder, "socket"))
        slurm.env_of = lambda node: nodes.daemons[node].env
        stack.enter_context(slurm)
        yield nodes
