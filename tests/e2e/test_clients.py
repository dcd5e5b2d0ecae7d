#!/usr/bin/env python3
# test_clients.py - users who may not read the meters measure through the node's daemon, and get the same numbers
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import contextlib
import datetime
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import daemons
import harness
import twins
from harness import PROGRAM, Skip, equal, expect, near
from test_attribution import Machine

USER, OTHER = 64201, 64202
EVERYBODY = {"serve": "everybody"}
LOAD = "busy 60s cpu=60% idle=40%\n"


def need_users():
    """To be somebody else, and to let others look into a test's folder."""
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        raise Skip("needs root and setpriv")


def user_command(place, uid, *args):
    """The program as another user: a copy, since a build folder may be closed to others."""
    program = os.path.join(place, "energyscopium")
    if not os.path.exists(program):
        shutil.copy(PROGRAM, program)
        os.chmod(program, 0o755)
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--", program, *map(str, args)]


def home(place, uid):
    """A folder of a user's own."""
    path = os.path.join(place, f"home-{uid}")
    os.makedirs(path, exist_ok=True)
    if os.geteuid() == 0:
        os.chown(path, uid, uid)
        os.chmod(place, 0o755)
    return path


def as_user(place, *args, uid=USER, daemon=None, timeout=60):
    env = harness.clean_environment({"ENERGYSCOPIUM_DAEMON": daemon} if daemon else None)
    return subprocess.run(user_command(place, uid, *args), env=env, cwd=home(place, uid), text=True, capture_output=True,
                          timeout=timeout, check=False)


def start_as_user(place, *args, uid=USER, daemon=None):
    env = harness.clean_environment({"ENERGYSCOPIUM_DAEMON": daemon} if daemon else None)
    return subprocess.Popen(user_command(place, uid, *args), env=env, cwd=home(place, uid), text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)


@contextlib.contextmanager
def node(place, config=None, kind="skx2s", **kwargs):
    """A twin at work, and its daemon."""
    with twins.up(place, kind, "--seed", "11") as twin:
        with subprocess.Popen([PROGRAM, "twin", "play", "--mount", twin.mount, "-"], stdin=subprocess.PIPE, text=True,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as load:
            load.stdin.write(LOAD)
            load.stdin.close()
            try:
                with daemons.up(place, root=twin.mount, config=config, **kwargs) as daemon:
                    yield twin, daemon
            finally:
                load.terminate()


@contextlib.contextmanager
def working(place):
    """Made-up cgroups whose CPU times go on."""
    machine = Machine(place)
    machine.thread.start()
    try:
        yield machine
    finally:
        machine.is_over.set()
        machine.thread.join()


def boot_ns(wall):
    """A wall clock time of a report on the boot clock."""
    unix_ns = int(datetime.datetime.fromisoformat(wall).timestamp() * 1e9)
    return unix_ns - time.time_ns() + time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def domains(report):
    return {d["domain"]: d for d in report["energy"]["by_domain"] if d["energy_j"] is not None}


def check(twin, report, kinds=("measured",)):
    """Each package's energy is the twin's truth of the same time, within the bound."""
    start_ns = boot_ns(report["job"]["start"])
    truth = twin.energy_uj(start_ns, start_ns + int(report["job"]["duration_s"] * 1e9))
    found = domains(report)
    for name in ("package-0", "package-1", "dram-0"):
        expect(name in found and found[name]["kind"] in kinds, f"{name}: {report['energy']['by_domain']}")
        got = found[name]["energy_j"]
        missing_s = max(0, report["job"]["duration_s"] - got / found[name]["mean_w"])
        near(got, truth[name] / 1e6, found[name]["uncertainty_j"] + 1.2 * missing_s * found[name]["mean_w"] + 0.01,
             f"{name} ± {found[name]['uncertainty_j']}, {missing_s} s missing")
        expect(missing_s < 0.35 + 0.02 * report["job"]["duration_s"], f"{name}: {missing_s} s are missing")
    return found


def read_json(place, uid=USER, name="r.json"):
    with open(os.path.join(home(place, uid), name), encoding="utf-8") as file:
        return json.load(file)


def own(call, *args, place):
    done = call(*args, cwd=place)
    equal(done.returncode, 0, done.stderr)
    return done


def test_named(place):
    """Who names the daemon gets through it what the meters say, and the report tells through whom"""
    with node(place) as (twin, daemon):
        for way, name in ((daemon.socket, "through"), ("none", "without")):
            done = own(harness.call, "run", "--root", twin.mount, "--daemon", way, "--name", name, f"--json={name}.json", "--",
                       "sleep", "2", place=place)
            with open(os.path.join(place, f"{name}.json"), encoding="utf-8") as file:
                report = json.load(file)
            check(twin, report)
            said = report["quality"]["daemon"]
            equal(said and said["view"], "node" if name == "through" else None, "view")
            equal("through energyscopiumd" in done.stderr, name == "through", done.stderr)


def test_everybody(place):
    """On a machine that serves everybody an ordinary user measures as root does, at most 10 times a second"""
    need_users()
    with node(place, EVERYBODY) as (twin, daemon):
        done = as_user(place, "run", "--root", twin.mount, "--period", "20ms", "--name", "r", "--json=r.json", "--", "sleep", "2",
                       daemon=daemon.socket)
        equal(done.returncode, 0, done.stderr)
        expect(re.search(r"readings +through energyscopiumd \S+, at most 10 Hz \(asked for: 20 ms\)", done.stderr), done.stderr)
        report = read_json(place)
        check(twin, report)
        equal(report["quality"]["daemon"]["period_ms"], 100, "granted")
        equal(report["job"]["attribution"], "whole node", "attribution")
        done = as_user(place, "sources", "--root", twin.mount, "--no-probe", "--json", daemon=daemon.socket)
        listed = json.loads(done.stdout)
        equal(listed["daemon"]["view"], "node", "sources")
        expect(any(d["id"] == "powercap/package-0" and d["state"] in ("ok", "unproven") for s in listed["sources"]
                   for d in s["domains"]), done.stdout)
        # Without it there is nothing for this user but an estimate.
        done = as_user(place, "run", "--root", twin.mount, "--daemon", "none", "--name", "e", "--json=e.json", "--", "true",
                       daemon=daemon.socket)
        equal(done.returncode, 0, done.stderr)
        expect(not any(d["kind"] == "measured" for d in read_json(place, name="e.json")["energy"]["by_domain"]), "estimated")


def test_rights_of_both(place):
    """Of what user and daemon can read the user's own meters are read, the rest through the daemon"""
    need_users()
    with node(place, EVERYBODY, kind="genoa2s-a100x4") as (twin, daemon):
        done = as_user(place, "sources", "--root", twin.mount, "--no-probe", "--json", daemon=daemon.socket)
        equal(done.returncode, 0, done.stderr)
        listed = {source["name"]: {d["id"]: d for d in source["domains"]} for source in json.loads(done.stdout)["sources"]}
        through, own_ones = listed["daemon"], {i: d for name, ds in listed.items() if name != "daemon" for i, d in ds.items()}
        equal(through["nvml/gpu-0"]["reason"], "read directly", "GPUs")
        expect(own_ones["nvml/gpu-0"]["state"] in ("ok", "unproven"), f"{own_ones['nvml/gpu-0']}")
        closed = [i for i in through if i.startswith(("powercap/", "perf/", "msr/", "hsmp/"))]
        expect(closed and all(through[i]["state"] in ("ok", "unproven", "duplicate") for i in closed), f"{through}")
        for i in closed:
            equal((own_ones[i]["state"], own_ones[i]["reason"]), ("absent", "read through energyscopiumd"), i)
        done = as_user(place, "run", "--root", twin.mount, "--name", "r", "--json=r.json", "--", "sleep", "2", daemon=daemon.socket)
        equal(done.returncode, 0, done.stderr)
        ids = [d["id"] for d in read_json(place)["energy"]["by_domain"]]
        equal(len(ids), len(set(ids)), f"each domain once: {ids}")


def test_no_job(place):
    """A user without a job is refused in words, and measured as without a daemon"""
    need_users()
    with node(place) as (twin, daemon):
        done = as_user(place, "run", "--root", twin.mount, "--name", "r", "--json=r.json", "--", "true", daemon=daemon.socket)
        equal(done.returncode, 0, done.stderr)
        expect("no job of yours runs on this node" in done.stderr and "measuring without it" in done.stderr, done.stderr)
        equal(read_json(place)["quality"]["daemon"], None, "daemon")
        done = as_user(place, "run", "--root", twin.mount, "--require", "measured", "--name", "m", "--", "true",
                       daemon=daemon.socket)
        equal(done.returncode, 125, done.stderr)
        done = as_user(place, "run", "--root", twin.mount, "--daemon", daemon.socket, "--name", "n", "--", "true")
        equal(done.returncode, 125, "a daemon that was named")
        expect("no job of yours" in done.stderr, done.stderr)
        done = as_user(place, "sources", "--root", twin.mount, "--no-probe", daemon=daemon.socket)
        expect("no job of yours" in done.stdout, done.stdout)


def begin(daemon, place, job, *args):
    done = harness.call("job", "begin", "--id", job, "--daemon", daemon.socket, *args, cwd=place)
    equal(done.returncode, 0, done.stderr)


def test_job_alone(place):
    """The user of a job that has the node sees the node, and another user nothing"""
    need_users()
    with node(place) as (twin, daemon):
        begin(daemon, place, "17", "--user", USER, "--exclusive")
        done = as_user(place, "run", "--root", twin.mount, "--name", "r", "--json=r.json", "--", "sleep", "2", daemon=daemon.socket)
        equal(done.returncode, 0, done.stderr)
        report = read_json(place)
        check(twin, report)
        equal((report["quality"]["daemon"]["view"], report["quality"]["daemon"]["job"]), ("node", "17"), "view")
        done = as_user(place, "run", "--root", twin.mount, "--name", "r", "--", "true", uid=OTHER, daemon=daemon.socket)
        expect("no job of yours" in done.stderr, done.stderr)


def test_job_shares(place):
    """The user of a job that shares the node sees what is attributed to it, once a second"""
    need_users()
    with working(place) as machine, node(place, jobs_root=machine.root) as (twin, daemon):
        machine.work("/site/job_18", 0.9)
        machine.work("/site/job_19", 0.3)
        begin(daemon, place, "18", "--user", USER, "--shared", "--cgroup", "/site/job_18")
        begin(daemon, place, "19", "--user", OTHER, "--shared", "--cgroup", "/site/job_19")
        done = as_user(place, "run", "--root", twin.mount, "--name", "r", "--json=r.json", "--", "sleep", "4", daemon=daemon.socket)
        equal(done.returncode, 0, done.stderr)
        expect("what is attributed to job 18" in done.stderr and "at most 1 Hz" in done.stderr, done.stderr)
        report = read_json(place)
        equal(report["job"]["attribution"], "share of the node", "attribution")
        found = domains(report)
        equal({d["kind"] for d in found.values() if d["chosen"] or d["chosen_total"]}, {"attributed"}, "kinds")
        start_ns = boot_ns(report["job"]["start"])
        truth = twin.energy_uj(start_ns, start_ns + int(report["job"]["duration_s"] * 1e9))
        expect(0 < found["package-0"]["energy_j"] < truth["package-0"] / 1e6, f"{found['package-0']} of {truth}")
        check_parts(report, {"package-0", "dram-0", "package-1", "dram-1"})
        equal(report["energy"]["attributed"], None, "by CPU time of the machine, of what is a share of it already")


def test_job_shares_an_estimate(place):
    """A share of an estimate is no surer than the estimate, and no hardware meter's, in a run as in the job's recording"""
    need_users()
    with working(place) as machine, node(place, kind="vm", jobs_root=machine.root) as (twin, daemon):
        daemon.wait_log("its energy is estimated from CPU time")
        machine.work("/site/job_22", 0.5)
        begin(daemon, place, "22", "--user", USER, "--shared", "--cgroup", "/site/job_22")
        begin(daemon, place, "23", "--user", OTHER, "--shared")
        done = as_user(place, "run", "--root", twin.mount, "--name", "r", "--json=r.json", "--", "sleep", "2", daemon=daemon.socket)
        equal(done.returncode, 0, done.stderr)
        for report in (read_json(place), json.loads(as_user(place, "report", "22", "--json", daemon=daemon.socket).stdout)):
            check_parts(report, {"estimate-node"})
            energy = report["energy"]
            expect(energy["uncertainty_j"] > 0.3 * energy["node_j"], f"{energy}")
            equal(energy["metered_share"], 0, "what meters tell")


def check_parts(report, names):
    """Each part of a share is one of its own, and they sum up to the node's."""
    found = domains(report)
    equal({name for name, d in found.items() if d["chosen"]}, names, "parts")
    equal([name for name, d in found.items() if d["chosen_total"]], ["node"], "total")
    parts_j = sum(d["energy_j"] for name, d in found.items() if name in names)
    near(parts_j, found["node"]["energy_j"], 1e-3 * parts_j + 0.01, "sum of the parts")
    equal(report["energy"]["node_j"], found["node"]["energy_j"], "the node")


def test_job_shares_boards(place):
    """Of a node with a meter of its own a job's GPUs and its part of the rest are told apart, as in its recording"""
    need_users()
    parts = {"package-0", "gpu-0", "gpu-2", "gpu-4", "gpu-6", "dram", "rest"}
    with working(place) as machine, node(place, kind="mi250x", jobs_root=machine.root) as (twin, daemon):
        machine.work("/site/job_20", 0.9)
        begin(daemon, place, "20", "--user", USER, "--shared", "--cgroup", "/site/job_20", "--gpus", "0,1")
        begin(daemon, place, "21", "--user", OTHER, "--shared", "--gpus", "2,3")
        done = as_user(place, "run", "--root", twin.mount, "--name", "r", "--json=r.json", "--", "sleep", "3", daemon=daemon.socket)
        equal(done.returncode, 0, done.stderr)
        report = read_json(place)
        check_parts(report, parts)
        found = domains(report)
        expect(found["gpu-0"]["energy_j"] > 0 and found["rest"]["energy_j"] > 0, f"{found}")
        equal([found[name]["energy_j"] for name in ("gpu-2", "gpu-4", "gpu-6")], [0, 0, 0], "GPUs of others")
        # Where the controller has shown nothing new a sweep knows more all the same, and none of it is thrown away.
        done = as_user(place, "report", "20", "--json", daemon=daemon.socket)
        equal(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        check_parts(report, parts)
        equal((report["quality"]["rejected"], report["quality"]["gaps_total"]), (0, 0), f"{report['quality']}")
        text = as_user(place, "report", "20", daemon=daemon.socket).stdout
        expect("what the job had of the parts" in text and "(null)" not in text, text)


def job_status(daemon, job):
    return harness.call("job", "status", job, "--daemon", daemon.socket).stdout.upper()


def wait_until(what, condition, limit_s=20):
    until = time.monotonic() + limit_s
    while not condition():
        expect(time.monotonic() < until, what)
        time.sleep(0.05)


def test_killed(place):
    """A daemon that is killed and comes back while a run goes on costs readings and no energy"""
    need_users()
    with node(place, EVERYBODY) as (twin, daemon):
        with start_as_user(place, "run", "--root", twin.mount, "--name", "r", "--json=r.json", "--", "sleep", "7",
                           daemon=daemon.socket) as run:
            time.sleep(2)
            daemon.kill()
            time.sleep(1)
            daemon.start()
            _, err = run.communicate(timeout=60)
        equal(run.returncode, 0, err)
        report = read_json(place)
        check(twin, report)
        expect(report["quality"]["gaps_total"] > 0 or report["quality"].get("faults"), f"nothing is said: {report['quality']}")


def test_stopped(place):
    """A daemon that stands still for a while delays no run and costs no energy"""
    need_users()
    with node(place, EVERYBODY) as (twin, daemon):
        with start_as_user(place, "run", "--root", twin.mount, "--name", "r", "--json=r.json", "--", "sleep", "6",
                           daemon=daemon.socket) as run:
            time.sleep(1.5)
            os.kill(daemon.process.pid, signal.SIGSTOP)
            time.sleep(2)
            os.kill(daemon.process.pid, signal.SIGCONT)
            _, err = run.communicate(timeout=60)
        equal(run.returncode, 0, err)
        report = read_json(place)
        check(twin, report)
        near(report["job"]["duration_s"], 6, 3, "duration")
        # One that stands when a run begins: said, and measured without.
        os.kill(daemon.process.pid, signal.SIGSTOP)
        try:
            begun = time.monotonic()
            done = as_user(place, "run", "--root", twin.mount, "--name", "s", "--", "true", daemon=daemon.socket)
            equal(done.returncode, 0, done.stderr)
            expect("measuring without it" in done.stderr, done.stderr)
            expect("waiting for it" not in done.stderr, done.stderr)
            # By name: waited for, said, and then refused.
            begun = time.monotonic()
            done = as_user(place, "run", "--root", twin.mount, "--name", "t", "--daemon", daemon.socket, "--", "true")
            equal(done.returncode, 125, done.stderr)
            expect("does not answer: waiting for it, 4 s more" in done.stderr, done.stderr)
            expect(time.monotonic() - begun > 4.9, f"it was waited for {time.monotonic() - begun} s")
        finally:
            os.kill(daemon.process.pid, signal.SIGCONT)


def test_gone(place):
    """Without a daemon, and with a socket that nobody listens at, nothing is said of one and a run is as ever"""
    with twins.up(place, "skx2s") as twin:
        done = own(harness.call, "run", "--root", twin.mount, "--name", "r", "--", "true", place=place)
        expect("energyscopiumd" not in done.stderr, done.stderr)
        done = harness.call("run", "--root", twin.mount, "--daemon", os.path.join(place, "none.socket"), "--", "true", cwd=place)
        equal(done.returncode, 125, done.stderr)
        expect("none.socket" in done.stderr, done.stderr)


def test_top(place):
    """top shows a user the node and the own job, and root all jobs with their powers"""
    need_users()
    with working(place) as machine, node(place, jobs_root=machine.root) as (twin, daemon):
        machine.work("/site/job_21", 0.9)
        machine.work("/site/job_22", 0.3)
        begin(daemon, place, "21", "--user", USER, "--shared", "--cgroup", "/site/job_21")
        begin(daemon, place, "22", "--user", OTHER, "--shared", "--cgroup", "/site/job_22")
        time.sleep(2.5)
        done = as_user(place, "top", "--once", "--json", "--period", "3s", "--root", twin.mount, daemon=daemon.socket)
        equal(done.returncode, 0, done.stderr)
        frame = json.loads(done.stdout)
        equal([job["id"] for job in frame["jobs"]], ["21"], "a user's jobs")
        expect(frame["jobs"][0]["energy_j"] > 0, f"{frame['jobs']}")
        expect("attributed to job 21" in frame["daemon"], frame["daemon"])
        done = harness.call("top", "--once", "--json", "--period", "3s", "--root", twin.mount, "--daemon", daemon.socket, cwd=place)
        frame = json.loads(done.stdout)
        equal(sorted(job["id"] for job in frame["jobs"]), ["21", "22"], "all jobs")
        total_w = sum(job["power_w"] for job in frame["jobs"])
        node_w = next(gauge["power_w"] for gauge in frame["gauges"] if gauge["total"])
        expect(0 < total_w <= 1.1 * node_w, f"jobs {total_w} W, node {node_w} W")
        done = harness.call("top", "--once", "--root", twin.mount, "--daemon", daemon.socket, cwd=place)
        expect(re.search(r"^JOB +USER", done.stdout, re.M) and re.search(r"^21 ", done.stdout, re.M), done.stdout)


def test_tag(place):
    """A tag in a job without a run goes into the job's recording; where there is no job it is said"""
    need_users()
    with node(place) as (twin, daemon):
        done = as_user(place, "tag", "start", "solve", daemon=daemon.socket)
        equal(done.returncode, 0, done.stderr)
        expect("not recorded" in done.stderr, done.stderr)
        begin(daemon, place, "31", "--user", USER, "--exclusive")
        time.sleep(1.2)
        done = as_user(place, "tag", "run", "solve", "--", "sleep", "2", daemon=daemon.socket)
        equal((done.returncode, done.stderr), (0, ""), "tag run")
        time.sleep(1.2)
        done = harness.call("job", "end", "--id", "31", "--daemon", daemon.socket, cwd=place)
        equal(done.returncode, 0, done.stderr)
        files = glob.glob(os.path.join(daemon.spool, "jobs", "31-*.esr"))
        equal(len(files), 1, f"{files}")
        wait_until("the job's recording is complete", lambda: "PENDING" not in job_status(daemon, "31"))
        done = own(harness.call, "report", files[0], "--json", place=place)
        report = json.loads(done.stdout)
        regions = {region["name"]: region for region in report["regions"]}
        expect("solve" in regions, f"{sorted(regions)}")
        near(regions["solve"]["duration_s"], 2, 0.5, "solve")
        expect(regions["solve"]["energy_j"] > 0, f"{regions['solve']}")


def test_release(place):
    """node release reaches the daemon: for root it lets the GPUs go and has them again, for others it refuses"""
    need_users()
    with node(place, kind="genoa2s-a100x4") as (twin, daemon):
        done = as_user(place, "node", "release", "gpu", "--json", daemon=daemon.socket)
        said = json.loads(done.stdout)["recorders"]
        equal([(one["job"], one["state"]) for one in said], [("energyscopiumd", "failed")], done.stdout)
        equal(done.returncode, 1, "refused")
        done = harness.call("node", "release", "gpu", "--json", "--daemon", daemon.socket, "--for", "10m", cwd=place)
        said = [one for one in json.loads(done.stdout)["recorders"] if one["job"] == "energyscopiumd"]
        equal([one["state"] for one in said], ["released"], done.stdout + done.stderr)
        equal(said[0]["pid"], daemon.process.pid, "process")
        # What changes meanwhile must not have the driver opened again: it may be taken away, and be back as another one.
        watts = os.path.join(place, "watts")
        with open(watts, "w", encoding="utf-8") as file:
            file.write("100\n")
        daemon.write_config({"meters": [f"file:{watts}?unit=W"]})
        daemon.reload()
        daemon.wait_log("once GPUs are had again")
        expect(daemon.state()["sampling"]["released"], "they are still let go")
        expect("meters are read anew" not in daemon.log(), daemon.log())
        done = harness.call("node", "take", "gpu", "--json", "--daemon", daemon.socket, cwd=place)
        said = [one for one in json.loads(done.stdout)["recorders"] if one["job"] == "energyscopiumd"]
        equal([one["state"] for one in said], ["taken"], done.stdout + done.stderr)
        daemon.wait_log("meters are read anew")


def test_totals(place):
    """A job of two nodes has one line, whoever of both is asked; asking again and again takes no memory"""
    shared = os.path.join(place, "shared")
    os.mkdir(shared)
    with contextlib.ExitStack() as stack:
        both = []
        for name in ("n1", "n2"):
            folder = os.path.join(place, name)
            os.mkdir(folder)
            both.append(stack.enter_context(node(folder, {"node": name, "shared": shared})))
        for _, daemon in both:
            begin(daemon, place, "41", "--nodes", "n[1-2]", "--exclusive")
        time.sleep(1.5)
        # Nobody has ended it: what is known so far is of this node alone, and that is said.
        done = own(harness.call, "job", "line", "--daemon", both[0][1].socket, "41", place=place)
        expect("has the energy of 1 of 2 nodes" in done.stdout, done.stdout)
        for _, daemon in both:
            equal(harness.call("job", "end", "--id", "41", "--daemon", daemon.socket).returncode, 0, "end")
        lines = [own(harness.call, "job", "line", "--wait", "20s", "--daemon", daemon.socket, "41", place=place).stdout
                 for _, daemon in both]
        expect("nodes<['n1', 'n2']>" in lines[0], lines[0])
        equal(lines[0], lines[1], "the same line")
        with both[0][1].connect() as connection:
            for _ in range(40):
                connection.ask_list(daemons.JOB_TOTAL, daemons.text_body("41"))
        rss_kb = both[0][1].state()["rss_bytes"] // 1024
        with open(daemons.PROGRAM, "rb") as file:
            is_sanitized = b"__asan_init" in file.read()
        expect(is_sanitized or rss_kb < 12 * 1024, f"{rss_kb} kB")


def findings(done):
    return {one["what"]: one for one in json.loads(done.stdout)["findings"]}


def test_doctor(place):
    """doctor says whether the daemon answers, what it shows this user and why, and what it cannot read"""
    need_users()
    with node(place) as (twin, daemon):
        found = findings(harness.call("doctor", "--root", twin.mount, "--daemon", daemon.socket, "--json", cwd=place))
        equal((found["daemon"]["verdict"], found["view"]["verdict"], found["reads"]["verdict"]), ("ok", "ok", "ok"), f"{found}")
        found = findings(as_user(place, "doctor", "--root", twin.mount, "--json", daemon=daemon.socket))
        equal(found["view"]["verdict"], "note", "view")
        expect("no job of yours" in found["view"]["text"] and "serve: everybody" in found["view"]["fix"], f"{found['view']}")
        os.kill(daemon.process.pid, signal.SIGSTOP)
        try:
            found = findings(harness.call("doctor", "--root", twin.mount, "--daemon", daemon.socket, "--json", cwd=place))
        finally:
            os.kill(daemon.process.pid, signal.SIGCONT)
        equal(found["daemon"]["verdict"], "problem", "stands")
        expect("restart" in found["daemon"]["fix"], f"{found['daemon']}")
        daemon.kill()
        found = findings(harness.call("doctor", "--root", twin.mount, "--daemon", daemon.socket, "--json", cwd=place))
        equal(found["daemon"]["verdict"], "problem", "killed")
        daemon.start()


CAPABILITIES = ("dac_read_search", "perfmon")


def test_own_user(place):
    """The daemon runs as a user of its own, with the two capabilities of its unit and no other, and reads what is root's"""
    need_users()
    with twins.up(place, "skx2s", "--seed", "5") as twin:
        equal(os.stat(twin.path("sys/class/powercap/intel-rapl:0/energy_uj")).st_mode & 0o777, 0o400, "the counter is root's")
        os.chmod(place, 0o755)
        sets = ",".join(f"+{name}" for name in CAPABILITIES)
        become = ["setpriv", f"--reuid={OTHER}", f"--regid={OTHER}", "--clear-groups", f"--bounding-set=-all,{sets}",
                  f"--inh-caps=-all,{sets}", f"--ambient-caps=-all,{sets}", "--no-new-privs", "--"]
        with daemons.up(place, root=twin.mount, config=EVERYBODY, become=become, folder_of=OTHER) as daemon:
            with open(f"/proc/{daemon.process.pid}/status", encoding="utf-8") as file:
                status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
            equal(status["Uid"].split()[0], str(OTHER), "user")
            mask = 1 << 2 | 1 << 38
            equal([int(status[key], 16) for key in ("CapPrm", "CapEff", "CapBnd", "CapAmb")], [mask] * 4, "capabilities")
            done = as_user(place, "run", "--root", twin.mount, "--name", "r", "--json=r.json", "--", "sleep", "1",
                           daemon=daemon.socket)
            equal(done.returncode, 0, done.stderr)
            check(twin, read_json(place))
        # Without them it cannot, says so, and doctor has the fix.
        become = ["setpriv", f"--reuid={OTHER}", f"--regid={OTHER}", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all",
                  "--ambient-caps=-all", "--"]
        with daemons.up(place, root=twin.mount, config=EVERYBODY, become=become, folder_of=OTHER) as daemon:
            found = findings(harness.call("doctor", "--root", twin.mount, "--daemon", daemon.socket, "--json", cwd=place))
            equal(found["reads"]["verdict"], "problem", f"{found['reads']}")
            expect("package-0" in found["reads"]["text"] and found["reads"]["fix"], f"{found['reads']}")


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
