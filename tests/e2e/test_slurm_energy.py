#!/usr/bin/env python3
# test_slurm_energy.py - the energy plug-in in a real Slurm: sacct, sstat and scontrol against the truth of the nodes
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import contextlib
import json
import os
import re
import signal
import socket
import sys
import threading
import time

import harness
import slurmnodes
from daemons import HEAD, JOB, JOB_STATUS, MAGIC, VERSION, job_of, text_body
from harness import Skip, equal, expect
from slurm import Slurm
from slurmnodes import MODULES, boot_ns

ENERGY = ("ConsumedEnergyRaw", "ConsumedEnergy", "AveCPU", "NNodes")
CLOCK = "awk '{printf \"%.0f \", $1 * 1000000000}' /proc/uptime"  # the boot clock, to 10 ms
SLACK_NS = 20_000_000  # 10 ms of that clock, twice


def check_built():
    if not os.path.exists(f"{MODULES}/acct_gather_energy_energyscopium.so"):
        raise Skip("the plug-in for Slurm was not built here (its headers)")


@contextlib.contextmanager
def cluster(place, n, **how):
    check_built()
    conf = {"PrologFlags": "Alloc,Contain", **how.pop("conf", {})}
    with slurmnodes.up(place, n, accounting=True, modules=MODULES, conf=conf, **how) as nodes:
        yield nodes


def energies(slurm, job, *names):
    """{row: joules of sacct} of a job and its steps, with those named, once slurmdbd has them all."""
    def of(rows):
        return {row["JobID"]: int(row["ConsumedEnergyRaw"] or 0) for row in rows}

    rows = slurm.sacct(job, *ENERGY, has=lambda rows: all(of(rows).get(name) for name in names))
    return of(rows)


def late(slurm, node):
    """Whether a step of this node once had no answer of the daemon within its 50 ms: a machine that is busy with other things."""
    return bool(re.search(r"^\[[^]]*\] \[\d+\.\w+\] energyscopium: .*does not answer", slurm.read(f"slurmd.{node}.log"), re.M))


def between(nodes, names, told_j, inner, outer, what):
    """A job's energy is at least what its nodes used while it surely ran, and at most what they used around it."""
    lo = nodes.energy_j(names, inner[0] + SLACK_NS, inner[1] - SLACK_NS)
    hi = nodes.energy_j(names, outer[0], outer[1])
    slack = 1 + len(names)  # whole joules of each node, and the steps of their meters
    # Without an answer an edge of the step is as old as the daemon's page, or as the next look at it: a second each.
    slack += sum(nodes.energy_j([node], *outer) / (outer[1] - outer[0]) * 2e9 for node in names if late(nodes.slurm, node))
    expect(told_j is not None and lo - slack <= told_j <= hi + slack, f"{what}: {lo:.1f} J <= {told_j} J <= {hi:.1f} J, +-{slack:.1f} J")
    expect(hi < 3 * lo + 100, f"{what}: the bounds say something: {lo:.1f} J, {hi:.1f} J")


def times_in(path):
    with open(path, encoding="ascii") as file:
        return [int(t) for t in file.read().split()]


def timed(path, command):
    """A script that writes down when it began and ended, in times of the boot clock."""
    return f"{CLOCK} > {path}; {command}; {CLOCK} >> {path}"


def test_jobs(place):
    """sacct's energy of jobs on one, two and four nodes, and of their steps, is what their meters used."""
    with cluster(place, 4) as nodes:
        slurm = nodes.slurm
        for n in (1, 2, 4):
            names, before = slurm.nodes[:n], boot_ns()
            with open(f"{place}/task", "w", encoding="ascii") as file:
                file.write(timed(f"{place}/step{n}.$SLURM_PROCID", "sleep 1.5"))
            job = slurm.sbatch("-o", "/dev/null", "-w", ",".join(names), f"-N{n}", f"-n{n}", "--wrap",
                               timed(f"{place}/job{n}", f"srun -N{n} -n{n} sh {place}/task"))
            told = energies(slurm, job, job, f"{job}.extern", f"{job}.batch", f"{job}.0")
            inner, after = times_in(f"{place}/job{n}"), boot_ns()
            between(nodes, names, told[job], inner, (before, after), f"job on {n} nodes")
            equal(told[f"{job}.extern"], told[job], "of the whole allocation")
            tasks = [times_in(f"{place}/step{n}.{i}") for i in range(n)]
            between(nodes, names, told[f"{job}.0"], (max(t[0] for t in tasks), min(t[1] for t in tasks)),
                    (inner[0] - SLACK_NS, inner[1] + SLACK_NS), f"step on {n} nodes")
            between(nodes, names[:1], told[f"{job}.batch"], inner, (before, after), "the script, on its node")


def test_arrays(place):
    """Each job of an array has its own energy; two jobs at a time on one node have all of it each, as Slurm has no other way."""
    with cluster(place, 1, conf={"AcctGatherNodeFreq": "1"}) as nodes:
        slurm, before = nodes.slurm, boot_ns()
        job = slurm.sbatch("-o", "/dev/null", "--array=1-2", "-n1", "--wrap", timed(f"{place}/job$SLURM_ARRAY_TASK_ID", "sleep 2"))
        slurm.wait_for(lambda: all(os.path.exists(f"{place}/job{i}") for i in (1, 2)), "both jobs")
        slurm.wait_for(lambda: live(slurm, f"{job}_1") and live(slurm, f"{job}_2"), "sstat of what runs")
        watts = slurm.wait_for_watts(slurm.nodes[0])
        now = boot_ns()
        truth_w = nodes.energy_j(slurm.nodes, now - 3 * 10**9, now) / 3
        harness.near(watts, truth_w, 0.2 * truth_w + 2, "CurrentWatts of an idle machine")
        told = energies(slurm, job, f"{job}_1", f"{job}_2")
        after = boot_ns()
        for i in (1, 2):
            between(nodes, slurm.nodes, told[f"{job}_{i}"], times_in(f"{place}/job{i}"), (before, after), f"job {i}")


def live(slurm, job):
    """What sstat says of a running job: joules, 0 as long as it has none."""
    told = slurm.call("sstat", "-a", "-n", "-P", "-j", job, "-o", "JobID,ConsumedEnergyRaw,ConsumedEnergy").stdout
    return max((int(line.split("|")[1] or 0) for line in told.splitlines() if ".batch" in line), default=0)


def test_faults(place):
    """A daemon that is stopped, killed and brought up again loses no joule of a job, delays nothing and drains no node."""
    with cluster(place, 2) as nodes:
        slurm, (good, bad) = nodes.slurm, nodes.slurm.nodes
        daemon, before = nodes.daemons[bad], boot_ns()
        job = slurm.sbatch("-o", "/dev/null", "-N2", "-n2", "--wrap",
                           timed(f"{place}/job", f"while test ! -e {place}/end; do sleep 0.1; done"))
        slurm.wait_for(lambda: os.path.exists(f"{place}/job"), "the job's begin")
        for node in (good, bad):
            slurm.wait_for_watts(node)
        daemon.process.send_signal(signal.SIGSTOP)
        slurm.wait_for(lambda: slurm.watts(bad) is None, "no power that is known")
        expect(slurm.watts(good) is not None, "the other node goes on")
        start = time.monotonic()
        equal(slurm.srun("-N2", "-n2", "true").returncode, 0, "a job beside it")
        expect(time.monotonic() - start < 20, "and it is not held up")
        daemon.process.send_signal(signal.SIGCONT)
        slurm.wait_for(lambda: slurm.watts(bad) is not None, "power again")
        daemon.kill()
        slurm.wait_for(lambda: slurm.watts(bad) is None, "no power without a daemon")
        daemon.start()
        slurm.wait_for(lambda: slurm.watts(bad) is not None, "power of the new one")
        with open(f"{place}/end", "w", encoding="ascii"):
            pass
        told = energies(slurm, job, job)
        between(nodes, slurm.nodes, told[job], times_in(f"{place}/job"), (before, boot_ns()), "the job")
        log = slurm.read(f"slurmd.{bad}.log")
        said = len(re.findall(r"^\[[^]]*\] energyscopium: .*its last value stays", log, re.M))
        expect(1 <= said <= 1 + (boot_ns() - before) // (60 * 10**9), f"slurmd said so once, or once a minute\n{log}")
        expect("IDLE" in slurm.call("scontrol", "show", "node", bad).stdout, "the node is as it was")


def test_same(place):
    """A job that has its nodes for itself has the same joules in sacct and in the book of its nodes' daemons."""
    plugstack = ("required " + MODULES + "/energyscopium-spank.so socket={place}/%n.d/socket state={place}/state exclusive=yes "
                 "line=no")
    with cluster(place, 2, plugstack=plugstack) as nodes:
        slurm, before = nodes.slurm, boot_ns()
        job = slurm.sbatch("-o", "/dev/null", "-N2", "-n2", "--exclusive", "--wrap", timed(f"{place}/job", "sleep 3"))
        told = energies(slurm, job, job)
        after, ours = boot_ns(), 0
        for node in slurm.nodes:
            kind, body = nodes.daemons[node].ask(JOB_STATUS, text_body(job))
            equal(kind, JOB, f"{node} knows the job")
            known = job_of(body)
            expect(known["has_energy"] and known["stop_unix_ns"], f"{node}: {known}")
            ours += known["energy_uj"] / 1e6
            shown = harness.call("job", "status", job, "--json", env=nodes.daemons[node].env)
            expect(f"{known['energy_uj'] / 1e6:.6f}".rstrip("0") in shown.stdout, f"{known['energy_uj']} in {shown.stdout} {shown.stderr}")
        between(nodes, slurm.nodes, told[job], times_in(f"{place}/job"), (before, after), "sacct")
        between(nodes, slurm.nodes, ours, times_in(f"{place}/job"), (before, after), "the daemons")


def test_doctor(place):
    """doctor says that our plug-ins are there, loadable and built for this Slurm, and what the site's settings lack."""
    check_built()
    conf = f"{place}/slurm.conf"
    with open(conf, "w", encoding="ascii") as file:
        file.write(f"PluginDir={MODULES}\nInclude more.conf\nPrologFlags=Alloc\n")
    with open(f"{place}/more.conf", "w", encoding="ascii") as file:
        file.write("AcctGatherEnergyType=acct_gather_energy/energyscopium\nJobAcctGatherType=jobacct_gather/cgroup\n")
    with open(f"{place}/plugstack.conf", "w", encoding="ascii") as file:
        file.write("optional energyscopium-spank.so\n")
    told = json.loads(harness.call("doctor", "--json", env={"SLURM_CONF": conf}).stdout)
    found = {what: [f for f in told["findings"] if f["what"] == what] for what in ("slurm", "spank", "energy", "prolog")}
    equal([f["verdict"] for f in found["spank"]], ["ok"], f"{found['spank']}")
    equal([f["verdict"] for f in found["energy"]], ["ok", "note"], f"{found['energy']}")
    expect("AcctGatherNodeFreq" in found["energy"][1]["fix"], "how often the node is asked")
    expect(found["prolog"][0]["verdict"] == "note" and "Contain" in found["prolog"][0]["fix"], f"{found['prolog']}")
    expect("2 files read" in found["slurm"][0]["text"], f"{found['slurm']}")
    with open(conf, "w", encoding="ascii") as file:
        file.write("PluginDir=/not/there\nAcctGatherEnergyType=acct_gather_energy/energyscopium,acct_gather_energy/ipmi\n")
    with open(f"{place}/plugstack.conf", "w", encoding="ascii") as file:
        file.write("required energyscopium-spank.so\noptional energyscopium-spank.so\n")
    told = json.loads(harness.call("doctor", "--json", env={"SLURM_CONF": conf}).stdout)
    wrong = [f for f in told["findings"] if f["what"] in ("slurm", "spank", "energy", "prolog") and f["verdict"] != "ok"]
    equal([f["what"] for f in wrong if not f.get("fix")], [], f"without a fix: {wrong}")
    equal(len(wrong), 8, f"what is wrong there: {wrong}")


class Liar(threading.Thread):
    """Answers every packet with what is no answer: nonsense, floods, descriptors of nothing, silence."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.bind(path)
        self.socket.listen(64)
        self.n = 0
        self.kept = []
        self.start()

    def answer(self, client):
        client.settimeout(1)
        data = client.recv(8192)
        number = HEAD.unpack_from(data)[4]
        self.n += 1
        body = os.urandom(64)
        head = HEAD.pack(MAGIC, VERSION, 147, len(body), number)
        if self.n % 4 == 0:
            for _ in range(200):
                client.send(os.urandom(100))
        elif self.n % 4 == 1:
            with open("/dev/zero", "rb") as zero:
                socket.send_fds(client, [head + body], [zero.fileno()])
        elif self.n % 4 == 2:
            client.send(b"")
        else:
            self.kept.append(client)  # never closed

    def run(self):
        while True:
            client, _ = self.socket.accept()
            with contextlib.suppress(OSError):
                self.answer(client)


def test_liars(place):
    """Without a daemon, and with one that lies, jobs run, nodes stay, and their energy is not known rather than 0."""
    check_built()
    os.makedirs(f"{place}/lies")
    liar = Liar(f"{place}/lies/socket")
    sockets = {"n1": f"{place}/none/socket", "n2": f"{place}/lies/socket"}
    with Slurm(place, 2, accounting=True, modules=MODULES, conf={"PrologFlags": "Alloc,Contain"},
               env_of=lambda node: {"ENERGYSCOPIUM_DAEMON": sockets[node]}) as slurm:
        for job, node in enumerate(slurm.nodes, 1):
            equal(slurm.srun("-w", node, "sleep", "1.5").returncode, 0, f"a job on {node}")
            # As long as slurmdbd has only the job's end, and not yet that of its steps, they are shown with 0 J.
            rows = slurm.sacct(job, *ENERGY, has=lambda rows: not any(row["ConsumedEnergyRaw"] for row in rows))
            equal([(row["ConsumedEnergyRaw"], row["ConsumedEnergy"]) for row in rows], [("", "")] * 3, f"energy of {node}")
            equal(slurm.watts(node), None, f"power of {node}")
            expect("IDLE" in slurm.call("scontrol", "show", "node", node).stdout, f"{node} is idle")
            equal(slurm.slurmd[node].poll(), None, f"slurmd of {node} runs")
        expect(liar.n > 0, "it was asked")
        expect("no daemon at" in slurm.read("slurmd.n1.log"), "slurmd says why")


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
