#!/usr/bin/env python3
# test_spool.py - recordings of jobs that the daemon keeps: against the truth, through kills, of several nodes
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import contextlib
import datetime
import json
import os
import sys
import time

import daemons
import harness
import twins
from harness import Skip, call, equal, expect, near


def need_root():
    if os.geteuid() != 0:
        raise Skip("only root may say that a job has the node for itself")


def good(done):
    equal(done.returncode, 0, f"{done.args}: {done.stderr}")
    return done.stdout


@contextlib.contextmanager
def node(place, name, **config):
    """A daemon on a twin, with nothing else on it: (daemon, twin)."""
    os.makedirs(os.path.join(place, name))
    jobs = os.path.join(place, name, "machine")
    for path, text in (("sys/fs/cgroup/cpuacct/cpuacct.usage_percpu", "1000 1000 \n"),
                       ("sys/devices/system/cpu/online", "0-1\n"),
                       ("sys/devices/system/cpu/cpu0/topology/physical_package_id", "0\n"),
                       ("sys/devices/system/cpu/cpu1/topology/physical_package_id", "0\n")):
        os.makedirs(os.path.dirname(os.path.join(jobs, path)), exist_ok=True)
        with open(os.path.join(jobs, path), "w", encoding="utf-8") as file:
            file.write(text)
    with twins.up(os.path.join(place, name), "skx2s", "--name", name, "--seed", "3") as twin, \
            daemons.up(os.path.join(place, name), root=twin.mount, jobs_root=jobs, config={"node": name, **config}) as daemon:
        yield daemon, twin


def job(daemon, *args):
    return good(call("job", *args, env=daemon.env))


def report(*args, env=None):
    return json.loads(good(call("report", "--json", *args, env=env)))


def status(daemon, job_id):
    """As of its summary: waits for that."""
    for _ in range(400):
        told = json.loads(good(call("job", "status", "--json", job_id, env=daemon.env)))["job"]
        if told["state"] == "ended":
            return told
        time.sleep(0.05)
    raise AssertionError(f"no summary of job {job_id} after 20 s: {told}")


def truth_j(twin, told):
    """Of the packages and memory, between a report's first and last reading."""
    ahead_ns = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    times = [int(datetime.datetime.fromisoformat(told["job"][key]).timestamp() * 1e9) - ahead_ns for key in ("start", "stop")]
    energy = twin.energy_uj(*times)
    return sum(energy[d["domain"]] for d in told["energy"]["by_domain"] if d["chosen_total"]) / 1e6


def test_report_of_a_job_by_its_number(place):
    """`report ID` asks the daemon: the node's own meters, the true joules, steps as regions; status says the same"""
    need_root()
    # Faster than the estimate beside the meters is: what it shows again is no reading of its own.
    with node(place, "n1", period="5ms") as (daemon, twin):
        job(daemon, "begin", "--id", "71", "--exclusive")
        job(daemon, "begin", "--id", "71", "--step", "0")
        time.sleep(2.2)
        job(daemon, "end", "--id", "71", "--step", "0")
        running = report("71", env=daemon.env)
        equal(running["job"]["state"], "running", "it is not over")
        time.sleep(0.5)
        job(daemon, "end", "--id", "71")
        told_status = status(daemon, "71")
        told = report("71", env=daemon.env)
        near(told["energy"]["measured_j"], truth_j(twin, told), 1.0, "the truth")
        expect(2.6 <= told["job"]["duration_s"] <= 30, f"its time: {told['job']['duration_s']} s")
        equal((told["job"]["exclusive"], told["energy"]["kind"], told["job"]["nodes"]), (True, "measured", ["n1"]), "the job")
        equal(told["quality"]["rejected"], 0, f"{told['quality']}")
        equal(told["quality"]["period_ms"]["planned"], 100, "a recording holds no more than its owner may see, as planned")
        expect("step 0" in [r["name"] for r in told["regions"]], "the step is a region")
        near(told_status["energy_j"], told["energy"]["measured_j"], 1.0, "what status says, edges included")
        other = call("report", "4711", env=daemon.env)
        equal(other.returncode, 1, "a job that nobody knows")
        expect("no such file" in other.stderr and "no recording of job '4711'" in other.stderr, other.stderr)


def test_a_job_that_shares_sees_its_share_only(place):
    """The recording of a shared job has attributed counters only, its report names the rules"""
    with node(place, "n1") as (daemon, _):
        job(daemon, "begin", "--id", "72", "--shared", "--cpus", "0-3")
        time.sleep(2.2)
        job(daemon, "end", "--id", "72")
        status(daemon, "72")
        told = report("72", env=daemon.env)
        equal({d["kind"] for d in told["energy"]["by_domain"]}, {"attributed"}, "kinds")
        equal((told["job"]["exclusive"], told["job"]["attribution"]), (False, "share of the node"), "the job")
        expect(told["job"]["rules"], "no rule is named")
        table = good(call("report", "72", env=daemon.env))
        expect("attributed" in table and "idle " in table, table)


def test_a_kill_costs_no_energy(place):
    """kill -9 in the middle of a job: one recording, all of its joules, and the hole is said"""
    need_root()
    with node(place, "n1") as (daemon, twin):
        job(daemon, "begin", "--id", "73", "--exclusive")
        time.sleep(1.5)
        daemon.kill()
        time.sleep(4)
        daemon.start()
        time.sleep(1.5)
        job(daemon, "end", "--id", "73")
        status(daemon, "73")
        files = [name for name in os.listdir(os.path.join(daemon.spool, "jobs")) if name.endswith(".esr")]
        equal(len(files), 1, f"recordings: {files}")
        told = report("73", env=daemon.env)
        near(told["energy"]["measured_j"], truth_j(twin, told), 1.0, "the truth")
        expect(told["job"]["duration_s"] > 6, "both of its parts")
        gaps = told["quality"]["gaps"]
        expect(gaps and all(gap["energy_known"] for gap in gaps), f"the hole: {gaps}")
        near(status(daemon, "73")["energy_j"], told["energy"]["measured_j"], 1.0, "what status says")


def test_nodes_of_a_job(place):
    """Two nodes with a folder that they share: the line is of both, and a report of both spools is their sum"""
    need_root()
    shared = os.path.join(place, "shared")
    os.makedirs(shared, mode=0o700)
    with node(place, "n1", shared=shared) as (one, twin_one), node(place, "n2", shared=shared) as (two, twin_two):
        for daemon in (one, two):
            job(daemon, "begin", "--id", "74", "--exclusive", "--nodes", "n1,n2")
        time.sleep(2.2)
        for daemon in (one, two):
            job(daemon, "end", "--id", "74")
        line = good(call("job", "line", "74", "--wait", "20s", "--pue", "1", env=one.env))
        expect("nodes<['n1', 'n2']>" in line and len(line.splitlines()) == 1, line)
        sums = [status(daemon, "74")["energy_j"] for daemon in (one, two)]
        expect(f"energy(kWh)<{sum(sums) / 3.6e6:.7f}"[:24] in line, f"{sums} in {line}")
        told = json.loads(good(call("job", "line", "74", "--json", "--pue", "1", env=one.env)))
        equal((told["schema"], told["line"], told["nodes_heard"], told["nodes_over"]),
              ("energyscopium.job-line/1", line.rstrip("\n"), 2, 2), "the line as JSON")
        equal((told["job"]["id"], told["job"]["nodes"]), ("74", ["n1", "n2"]), "its job")
        near(told["energy"]["node_j"], sum(sums), 0.01, "its energy")
        told = report(one.spool, two.spool)
        equal((told["job"]["nodes"], told["job"]["nodes_total"]), (["n1", "n2"], 2), "nodes")
        near(told["energy"]["measured_j"], sum(sums), 2.0, "their sum")
        apart = [report("74", env=daemon.env) for daemon in (one, two)]
        near(told["energy"]["measured_j"], sum(truth_j(*pair) for pair in zip((twin_one, twin_two), apart)), 2.0, "the truth")
        equal([clock["node"] for clock in told["quality"]["clocks"]], ["n1", "n2"], "clocks")

        # A folder with another job in it: which one is to be said.
        job(one, "begin", "--id", "75", "--exclusive", "--nodes", "n1,n2")
        time.sleep(1.2)
        job(one, "end", "--id", "75")
        status(one, "75")
        done = call("report", one.spool)
        equal(done.returncode, 1, "two jobs")
        expect("'74', '75'" in done.stderr, done.stderr)
        line = good(call("job", "line", "75", "--wait", "0s", env=one.env))
        expect("1 of 2 nodes" in line.splitlines()[1], line)
        table = good(call("report", "--job", "75", one.spool))
        expect("1 of 2 nodes" in table, table)


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
