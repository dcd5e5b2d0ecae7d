#!/usr/bin/env python3
# test_attribution.py - whose the joules of a shared node are: jobs on twins against the exact truth
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import contextlib
import json
import os
import sys
import threading
import time

import daemons
import harness
import test_daemon
import twins
from harness import call, equal, expect, near

TICK_S = 0.05


class Machine:
    """A folder with made-up cgroups of v1 (one package of two CPUs), whose CPU times go on by themselves."""

    def __init__(self, place):
        self.root = os.path.join(place, "machine")
        self.rates = {}  # cgroup: CPUs kept busy
        self.lock = threading.Lock()
        self.used_ns = {"": 0}
        self.is_over = threading.Event()
        self.write("sys/devices/system/cpu/online", "0-1\n")
        for cpu in (0, 1):
            self.write(f"sys/devices/system/cpu/cpu{cpu}/topology/physical_package_id", "0\n")
        self.show("")
        self.thread = threading.Thread(target=self.run, daemon=True)

    def write(self, path, text):
        path = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(path + ".new", path)

    def show(self, group):
        # In place: the daemon keeps the file open.
        path = os.path.join(self.root, "sys/fs/cgroup/cpuacct" + group, "cpuacct.usage_percpu")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        text = f"{self.used_ns[group] // 2:020d} {self.used_ns[group] - self.used_ns[group] // 2:020d} \n"
        fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
        os.pwrite(fd, text.encode(), 0)
        os.close(fd)

    def work(self, group, cpus):
        with self.lock:
            self.rates[group] = cpus
            self.used_ns.setdefault(group, 0)
            self.show(group)

    def run(self):
        last = time.monotonic_ns()
        while not self.is_over.wait(TICK_S):
            now = time.monotonic_ns()
            with self.lock:
                for group, cpus in self.rates.items():
                    step = int((now - last) * cpus)
                    self.used_ns[group] += step
                    self.used_ns[""] += step
                    self.show(group)
                self.show("")
            last = now

    def process(self, pid, group):
        self.write(f"proc/{pid}/cgroup", f"5:cpuacct:{group}\n0::/\n")


@contextlib.contextmanager
def node(place, kind, *options, **config):
    """(daemon, twin, machine)"""
    machine = Machine(place)
    with twins.up(place, kind, *options) as twin, \
            daemons.up(place, root=twin.mount, jobs_root=machine.root, config={"scan_period": "1s", **config}) as daemon:
        machine.thread.start()
        try:
            yield daemon, twin, machine
        finally:
            machine.is_over.set()
            machine.thread.join()


def job(daemon, *args):
    done = call("job", *args, env=daemon.env)
    equal(done.returncode, 0, f"{args}: {done.stderr}")
    return done.stdout


def group_of(name, uid=os.getuid()):
    """As Slurm's: a scan may see it before its begin is told, and before all of its files are there."""
    return f"/slurm/uid_{uid}/job_{name}"


def begin(daemon, name, *args):
    job(daemon, "begin", "--id", name, "--cgroup", group_of(name), *args)


def status(daemon, name):
    return json.loads(job(daemon, "status", "--json", name))


def part(shown, domain):
    found = [p for p in shown["parts"] if p["domain"] == domain]
    equal(len(found), 1, f"{domain} among {shown['parts']}")
    return found[0]["dynamic_j"] + found[0]["idle_j"], found[0]["rule"]


def boot_ns():
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def book(daemon):
    """The sums, which close to one microjoule."""
    sums = daemon.state()["book"]
    uj = {key: round(value * 1e6) for key, value in sums.items() if key.endswith("_j")}
    equal(uj["jobs_j"] + uj["idle_j"] + uj["unattributed_j"], uj["node_j"], "jobs + idle + unattributed")
    return sums


def test_two_jobs_share_by_cpu_time(place):
    """Of two jobs on one node the one with three times the CPU time has three times the energy; the book closes"""
    with node(place, "skx2s", "--seed", "4") as (daemon, _, machine):
        machine.work(group_of("1"), 0.9)
        machine.work(group_of("2"), 0.3)
        begin(daemon, "1", "--shared", "--gpus", "none")
        begin(daemon, "2", "--shared", "--gpus", "none")
        time.sleep(3.2)
        book(daemon)
        for name in ("1", "2"):
            job(daemon, "end", "--id", name)
        first, second = status(daemon, "1")["job"], status(daemon, "2")["job"]
        expect(second["energy_j"] > 0, f"{second}")
        # They began one after the other.
        near(first["energy_j"] / second["energy_j"], 3, 0.6, f"of the energies of {first} and {second}")
        equal(part(first, "package-0")[1], "cpu_time", "rule")
        sums = book(daemon)
        expect(sums["jobs_j"] >= first["energy_j"] + second["energy_j"] - 1e-5, f"{sums}")


def energies_told(path, job, seconds):
    """(distinct energies of a running job that its user is told, time), asked again and again while jobs of the user come and go."""
    seen = set()
    is_over = threading.Event()

    def come_and_go():
        with daemons.Connection(path) as connection:
            for i in range(10_000):
                if is_over.is_set():
                    return
                connection.ask(daemons.JOB_BEGIN, daemons.job_body(f"u{i}", uid=os.geteuid()))
                connection.ask(daemons.JOB_END, daemons.end_body(f"u{i}"))

    thread = threading.Thread(target=come_and_go)
    thread.start()
    began = time.monotonic()
    with daemons.Connection(path) as connection:
        while time.monotonic() - began < seconds:
            kind, body = connection.ask(daemons.JOB_STATUS, daemons.text_body(job))
            equal(kind, daemons.JOB, f"the answer to JOB_STATUS {body}")
            told = [daemons.job_of(body)] + [daemons.job_of(other) for kind, other in connection.ask_list(daemons.JOBS)
                                             if kind == daemons.JOB]
            seen |= {(is_["has_energy"], is_["energy_uj"]) for is_ in told if is_["id"] == job}
            time.sleep(0.01)
    seconds = time.monotonic() - began
    is_over.set()
    thread.join()
    return f"{len({energy for has, energy in seen if has})} {seconds}"


def test_questions_are_no_meter(place):
    """What a user is told of a running job changes no faster than its page would, whatever the user begins and ends"""
    user, other = test_daemon.USER, test_daemon.OTHER
    os.chmod(place, 0o755)
    for name, spool in (("with", "spool"), ("without", "machine/sys/devices/system/cpu/online/is-no-folder")):
        folder = os.path.join(place, name)
        os.mkdir(folder)
        with node(folder, "skx2s", "--seed", "4", spool=os.path.join(folder, spool)) as (daemon, _, machine), \
                daemon.connect() as fast:
            fast.watch(20_000_000).next()  # an administrator has the meters read at 50 Hz
            for job_id, uid in (("1", user), ("2", other)):
                machine.work(group_of(job_id, uid), 0.5)
                test_daemon.begin(daemon, job_id, uid, flags=2, cgroup=group_of(job_id, uid))
            n, seconds = map(float, test_daemon.as_user(user, lambda: energies_told(daemon.socket, "1", 4)).split())
            expect(2 <= n <= seconds * 4 / 3 + 2, f"{n} energies were told in {seconds} s {name} a spool")


def test_unknown_is_not_zero(place):
    """Of a job of which neither CPUs nor processes are known no energy is told, which is said when it begins; until they are"""
    with node(place, "skx2s", "--seed", "4") as (daemon, _, machine):
        done = call("job", "begin", "--id", "7", "--shared", env=daemon.env)
        equal(done.returncode, 0, done.stderr)
        expect("neither its CPUs nor its processes were told" in done.stderr, done.stderr)
        done = call("job", "begin", "--id", "8", "--shared", "--json", env=daemon.env)
        expect("neither its CPUs" in json.loads(done.stdout)["warning"], done.stdout)
        done = call("job", "begin", "--id", "9", "--shared", "--cpus", "1", "--gpus", "5", env=daemon.env)
        expect("of its GPUs '5' none is measured" in done.stderr, done.stderr)
        job(daemon, "end", "--id", "9")
        with daemon.connect() as connection:  # a share is given once there was a sweep of each job
            page = connection.watch(10 ** 9)
            page.next(page.next()["sequence"] + 1)
            page.close()
        told = status(daemon, "7")
        equal((told["job"]["energy_j"], told["job"]["parts"]), (None, []), "energy")
        machine.work(group_of("7"), 0.9)
        begin(daemon, "7", "--cpus", "0")
        until = time.monotonic() + daemons.WAIT_S
        while not status(daemon, "7")["job"]["energy_j"]:
            expect(time.monotonic() < until, "its energy is never told")
            time.sleep(0.2)
        job(daemon, "end", "--id", "8")
        ended = status(daemon, "8")
        equal(ended["job"]["energy_j"], None, "of an ended job")


def test_killed_daemon_loses_no_energy(place):
    """kill -9 in the middle of an exclusive job, three seconds of nothing: the job has the energy of all its time"""
    with node(place, "skx2s", "--seed", "5") as (daemon, twin, machine):
        machine.work(group_of("3"), 1)
        before_ns = boot_ns()
        begin(daemon, "3", "--exclusive")
        begun_ns = boot_ns()
        time.sleep(2.2)
        epoch = daemon.state()["epoch"]
        daemon.kill()
        time.sleep(3)
        daemon.start()
        equal(daemon.state()["epoch"], epoch, "epoch")
        time.sleep(1.5)
        ending_ns = boot_ns()
        job(daemon, "end", "--id", "3")
        after_ns = boot_ns()
        shown = status(daemon, "3")["job"]
        book(daemon)
        parts = [p["domain"] for p in shown["parts"]]
        least, most = twin.energy_uj(begun_ns, ending_ns), twin.energy_uj(before_ns, after_ns)
        slack_j = 0.02 * sum(most[p] for p in parts) / 1e6 + 1
        expect(sum(least[p] for p in parts) / 1e6 - slack_j <= shown["energy_j"] <=
               sum(most[p] for p in parts) / 1e6 + slack_j,
               f"{shown['energy_j']} J, of {sum(least[p] for p in parts) / 1e6} to {sum(most[p] for p in parts) / 1e6} J")
        equal({p["rule"] for p in shown["parts"]}, {"exclusive"}, "rules")


def test_gpus_go_to_who_has_them(place):
    """A GPU of the scheduler's list is a job's own; one that nobody said goes to who computes there, as the library tells"""
    with node(place, "genoa2s-a100x4", "--seed", "6") as (daemon, twin, machine):
        for name in ("4", "5", "6"):
            machine.work(group_of(name), 0.2)
        machine.process(4001, group_of("5"))
        machine.process(4002, group_of("6"))
        twin.write(".twin/processes/1", "4001 60\n4002 20")
        twin.write(".twin/processes/2", "4001 50")
        begin(daemon, "4", "--shared", "--gpus", "0")
        begin(daemon, "5", "--shared")
        begin(daemon, "6", "--shared")
        time.sleep(4.2)
        for name in ("4", "5", "6"):
            job(daemon, "end", "--id", name)
        book(daemon)
        shown = {name: status(daemon, name)["job"] for name in ("4", "5", "6")}
        expect(part(shown["4"], "gpu-0")[0] > 0 and part(shown["4"], "gpu-0")[1] == "direct", f"{shown['4']}")
        expect(part(shown["5"], "gpu-2")[0] > 0 and part(shown["5"], "gpu-2")[1] == "direct", f"{shown['5']}")
        equal((part(shown["5"], "gpu-0")[0], part(shown["4"], "gpu-2")[0]), (0, 0), "of GPUs of others")
        equal([part(shown[name], "gpu-3")[0] for name in shown], [0, 0, 0], "of nobody's GPU")
        equal(part(shown["6"], "gpu-1")[1], "activity", "rule")
        # Until both are looked at, a second or so, one may have it alone.
        expect(part(shown["5"], "gpu-1")[0] > 2 * part(shown["6"], "gpu-1")[0] > 0, f"{shown['5']} {shown['6']}")


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
