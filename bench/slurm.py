#!/usr/bin/env python3
# slurm.py - what our plug-ins for Slurm add to launching and ending a step, beside the same Slurm without them
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
"""
    bench/slurm.py [--build BUILD] [--nodes 64] [--rounds 4] [--steps 40] [--wide 4]

All nodes are slurmd processes of this machine, each with a daemon of its own on a tree of four meters, which run in all cases.
In turns, Slurm is brought up bare, with a SPANK plug-in that does nothing (bench/support/slurm_nothing.c: for any plug-in Slurm
starts a process of its own at a job's begin and end), and with both of ours; srun starts 'true' on one node, another one each
time, then on all. 'free' is when the node has no job any more: its epilog is over.
"""
import argparse
import contextlib
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
BAR_MS = 5.0
CASES = ("bare", "nothing", "ours")


def options():
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    parser.add_argument("--nodes", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--steps", type=int, default=40, help="on one node, in each round")
    parser.add_argument("--wide", type=int, default=4, help="on all nodes, in each round")
    return parser.parse_args()


class Bench:
    def __init__(self, args, place):
        self.args, self.place, self.times = args, place, {}
        self.modules = os.path.join(os.path.realpath(args.build), "src", "slurm")

    def note(self, what, case, seconds):
        self.times.setdefault(what, {case: [] for case in CASES})[case].append(seconds * 1e3)

    def start_daemons(self, stack):
        import daemons
        self.daemons = {}
        for i in range(self.args.nodes):
            node, folder = f"n{i + 1}", os.path.join(self.place, f"n{i + 1}.d")
            os.makedirs(folder)
            subprocess.run([os.path.join(self.args.build, "tests", "support", "es-tree"), folder + "/tree", "skx2s"], check=True)
            self.daemons[node] = stack.enter_context(
                daemons.up(folder, root=folder + "/tree", config={"node": node}, options=["--jobs-root", folder + "/tree"]))
            os.symlink(self.daemons[node].socket, folder + "/socket")

    def slurm(self, case):
        from slurm import Slurm
        how = {"conf": {"PrologFlags": "Alloc", "JobAcctGatherType": "jobacct_gather/linux", "JobAcctGatherFrequency": "30"}}
        shutil.rmtree(os.path.join(self.place, "slurm"), ignore_errors=True)
        if case == "nothing":
            how["plugstack"] = f"required {os.path.realpath(self.args.build)}/bench/slurm_nothing.so"
        if case == "ours":
            how["modules"] = self.modules
            how["conf"]["AcctGatherNodeFreq"] = "30"
            how["plugstack"] = f"required {self.modules}/energyscopium-spank.so socket={self.place}/%n.d/socket state={self.place}/state"
            how["env_of"] = lambda node: self.daemons[node].env
        return Slurm(self.place, self.args.nodes, **how)

    def free(self, slurm, node):
        """Until a node has no job any more."""
        start = time.monotonic()
        while "State=IDLE " not in slurm.call("scontrol", "-o", "show", "node", node).stdout:
            pass
        return time.monotonic() - start

    def round(self, case):
        with self.slurm(case) as slurm:
            for i in range(self.args.steps + 2):
                node, start = slurm.nodes[i % len(slurm.nodes)], time.monotonic()
                done = slurm.srun("-w", node, "true")
                took = time.monotonic() - start
                if done.returncode != 0:
                    sys.exit(f"srun: {done.stderr}")
                free = self.free(slurm, node)
                if i >= 2:  # the first read programs from disk
                    self.note("step on 1 node", case, took)
                    self.note("and its node is free", case, took + free)
            for _ in range(self.args.wide):
                start = time.monotonic()
                done = slurm.srun("-N", str(self.args.nodes), "true")
                self.note(f"step on {self.args.nodes} nodes", case, time.monotonic() - start)
                if done.returncode != 0:
                    sys.exit(f"srun: {done.stderr}")
                slurm.wait_for(slurm.is_idle, "the end of a job")

    def more(self, times, case, floor, each):
        """How much longer the median is, and its 95 % interval by resampling, for each node."""
        chance, drawn = random.Random(1), []
        for _ in range(2000):
            pair = [statistics.median(chance.choices(times[name], k=len(times[name]))) for name in (case, floor)]
            drawn.append((pair[0] - pair[1]) / each)
        drawn.sort()
        return (statistics.median(times[case]) - statistics.median(times[floor])) / each, drawn[49], drawn[1949]

    def show(self):
        print(f"{'ms':<22}" + "".join(f"{case:>10}" for case in CASES) + f"{'ours - nothing':>18}  95 %{'':<13}{'nothing - bare':>16}")
        for what, times in self.times.items():
            each = self.args.nodes if "nodes" in what else 1
            more, lo, hi = self.more(times, "ours", "nothing", each)
            verdict = "PASS" if hi <= BAR_MS else "OVER THE BAR" if lo > BAR_MS else "within noise"
            print(f"{what:<22}" + "".join(f"{statistics.median(times[case]):>10.1f}" for case in CASES) +
                  f"{more:>18.2f}  {lo:+.2f} .. {hi:+.2f}{'':<4}{self.more(times, 'nothing', 'bare', each)[0]:>14.2f}  "
                  f"{verdict}{', for each node' if each > 1 else ''}")


def main():
    args = options()
    os.environ["ES_PROGRAM"] = os.path.join(os.path.realpath(args.build), "bin", "energyscopium")
    sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))
    place = tempfile.mkdtemp(prefix="es-bench-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    os.chmod(place, 0o755)
    try:
        with contextlib.ExitStack() as stack:
            bench = Bench(args, place)
            bench.start_daemons(stack)
            for i in range(args.rounds):
                for case in (CASES, reversed(CASES))[i % 2]:
                    bench.round(case)
            bench.show()
    finally:
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()
