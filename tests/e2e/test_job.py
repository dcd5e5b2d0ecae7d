#!/usr/bin/env python3
# test_job.py - energyscopium job: prologs and scripts tell the daemon of jobs, and ask it
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import contextlib
import json
import os
import shutil
import subprocess
import sys
import time

import daemons
import harness
import twins
from harness import Skip, call, equal, expect

USER = 64321  # nobody's
CPUACCT = "/sys/fs/cgroup/cpuacct"


@contextlib.contextmanager
def node(place, **config):
    """A daemon on a twin, whose cgroups are a folder: (daemon, folder)."""
    jobs = os.path.join(place, "machine")
    write(jobs, "sys/fs/cgroup/cpuacct/cpuacct.usage_percpu", "1000 1000 \n")
    write(jobs, "sys/devices/system/cpu/online", "0-1\n")
    for cpu in (0, 1):
        write(jobs, f"sys/devices/system/cpu/cpu{cpu}/topology/physical_package_id", "0\n")
    with twins.up(place, "skx2s", "--seed", "3") as twin, \
            daemons.up(place, root=twin.mount, jobs_root=jobs, config={"scan_period": "1s", **config}) as daemon:
        yield daemon, jobs


def write(root, path, text):
    path = os.path.join(root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def job(daemon, *args, env=None, **kwargs):
    return call("job", *args, env={**daemon.env, **(env or {})}, **kwargs)


def good(done):
    equal(done.returncode, 0, f"{done.args}: {done.stderr}")
    return done.stdout


def listed(daemon, env=None):
    return {j["id"]: j for j in json.loads(good(job(daemon, "list", "--json", env=env)))["jobs"]}


def wait_for(condition, what, seconds=daemons.WAIT_S):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"not in {seconds} s: {what}")


def need_root():
    if os.geteuid() != 0:
        raise Skip("only root may tell of others' jobs")


def as_user(command, **kwargs):
    """The program as an ordinary user, who sees it: a build folder may be closed to others."""
    return subprocess.run(command, user=USER, group=USER, extra_groups=[], text=True, capture_output=True, timeout=60,
                          check=False, cwd="/", **kwargs)


def program_for_user(place):
    copy = os.path.join(place, "energyscopium")
    shutil.copy(harness.PROGRAM, copy)
    os.chmod(copy, 0o755)
    os.chmod(place, 0o755)
    return copy


def test_prolog_and_epilog(place):
    """A prolog's begin and an epilog's end make a job with the scheduler's names, and its end is known afterwards"""
    with node(place) as (daemon, _):
        nodes = os.path.join(place, "nodes")
        with open(nodes, "w", encoding="utf-8") as file:
            file.write("n1\nn1\nn2\n")
        env = {"PBS_JOBID": "12.server", "PBS_JOBNAME": "wave", "PBS_QUEUE": "short", "PBS_NODEFILE": nodes}
        equal(good(job(daemon, "begin", env=env)), "12.server\n", "what begin prints")
        good(job(daemon, "begin", "--step", "one", env=env))
        one = listed(daemon)["12.server"]
        equal([one[k] for k in ("scheduler", "name", "partition", "nnodes", "nodes", "state", "restarts")],
              ["pbs", "wave", "short", 2, "n1,n2", "running", 0], "the job")
        expect("12.server" in good(job(daemon, "list")), "the list in words")
        expect("wave" in good(job(daemon, "status", env=env)), "the scheduler's own job in words")
        good(job(daemon, "end", "--step", "one", env=env))
        again = job(daemon, "end", "--step", "one", env=env)
        equal(again.returncode, 1, "a step that is not open")
        expect("no open step one" in again.stderr, again.stderr)
        told = json.loads(good(job(daemon, "end", "--status", "3", "--json", env=env)))
        equal((told["schema"], told["action"], told["id"]), ("energyscopium.job-told/1", "end", "12.server"), "what was told")
        wait_for(lambda: "12.server" not in listed(daemon), "the job is over")
        again = job(daemon, "end", env=env)
        equal(again.returncode, 1, "ended twice")
        expect("no job 12.server runs here" in again.stderr, again.stderr)


def test_each_scheduler(place):
    """The id is what OAR, LSF, Flux and Slurm say in the environment; an array's elements are told apart"""
    cases = [({"OAR_JOB_ID": "77"}, "77", "oar"), ({"LSB_JOBID": "5", "LSB_JOBINDEX": "0"}, "5", "lsf"),
             ({"LSB_JOBID": "5", "LSB_JOBINDEX": "3"}, "5[3]", "lsf"), ({"FLUX_JOB_ID": "ƒ28QP3kqBZ"}, "f28QP3kqBZ", "flux"),
             ({"SLURM_JOB_ID": "9"}, "9", "slurm"), ({"SLURM_JOB_ID": "9", "FLUX_JOB_ID": "f2"}, "f2", "flux")]
    with node(place) as (daemon, _):
        for env, identity, scheduler in cases:
            equal(good(job(daemon, "begin", env=env)), identity + "\n", str(env))
            equal(listed(daemon)[identity]["scheduler"], scheduler, str(env))
            good(job(daemon, "end", env=env))


def test_plain_script(place):
    """A script without a scheduler begins and ends its own job without saying any id"""
    with node(place) as (daemon, _):
        script = f"{harness.PROGRAM} job begin --name mine && {harness.PROGRAM} job list && {harness.PROGRAM} job end; exit $?"
        done = subprocess.run(["sh", "-c", script], env=harness.clean_environment(daemon.env), text=True, capture_output=True,
                              timeout=60, check=False)
        equal(done.returncode, 0, done.stderr)
        expect(done.stdout.startswith("script-") and " mine" in done.stdout, done.stdout)
        wait_for(lambda: not listed(daemon), "no job is left")


def test_wrong_usage(place):
    """What cannot be told is refused with words, before or by the daemon, and changes nothing"""
    with node(place) as (daemon, _):
        for words, args in [("letters, digits", ("begin", "--id", "a/b")), ("letters, digits", ("begin", "--id", "x", "--step", "a b")),
                            ("such as 0-3,8", ("begin", "--id", "x", "--cpus", "3-1")),
                            ("such as 0-3,8", ("begin", "--id", "x", "--cpus", "1,")),
                            ("no such user", ("begin", "--id", "x", "--user", "no-such-user")),
                            ("exclude each other", ("begin", "--id", "x", "--shared", "--exclusive")),
                            ("exclude each other", ("begin", "--id", "x", "--cgroup", "/a", "--pid", "1")),
                            ("such as n1,gpu[001-004]", ("begin", "--id", "x", "--nodes", "n[1-")),
                            ("leading slash", ("begin", "--id", "x", "--cgroup", "slurm")),
                            ("has a number", ("begin", "--id", "x", "--pid", "0")),
                            ("0 to 255", ("end", "--id", "x", "--status", "256")),
                            ("one too many", ("list", "x")), ("did you mean 'status'", ("statsu",)), ("is missing", ())]:
            done = job(daemon, *args)
            equal(done.returncode, 2, f"{args}: {done.stderr}")
            expect(words in done.stderr, f"{args}: {done.stderr}")
        done = job(daemon, "status", "nobodys")
        equal(done.returncode, 1, "a job that is not there")
        expect("not known here" in done.stderr, done.stderr)
        equal(listed(daemon), {}, "jobs")
    done = call("job", "list", "--daemon", os.path.join(place, "no-socket"))
    equal(done.returncode, 1, "no daemon")
    expect("no daemon listens" in done.stderr, done.stderr)
    expect("no daemon is to be used" in call("job", "list", env={"ENERGYSCOPIUM_DAEMON": "none"}).stderr, "none")


def test_strangers(place):
    """Who listens where anybody could have put the socket is not believed; who listens and says nothing is not waited for long"""
    need_root()
    path = os.path.join(place, "open", "socket")
    os.mkdir(os.path.dirname(path))
    os.chmod(os.path.dirname(path), 0o777)
    os.chmod(place, 0o755)
    script = ("import os, socket, sys, time; os.setuid(int(sys.argv[2])); s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET); s.bind(sys.argv[1]); "
              "s.listen(); print('up', flush=True); time.sleep(60)")
    for user, words in ((USER, "neither root, this user"), (0, "does not answer")):
        with subprocess.Popen([sys.executable, "-c", script, path, str(user)], stdout=subprocess.PIPE, cwd="/") as other:
            try:
                equal(other.stdout.readline(), b"up\n", "the other listener")
                done = call("job", "list", "--daemon", path)
                equal(done.returncode, 1, f"a listener of user {user}")
                expect(words in done.stderr, done.stderr)
            finally:
                other.kill()
                os.unlink(path)


def test_users(place):
    """A user begins and ends own jobs, sees only those, and claims nothing that is root's to give"""
    need_root()
    program = program_for_user(place)
    with node(place) as (daemon, _):
        env = harness.clean_environment(daemon.env)
        good(job(daemon, "begin", "--id", "roots", "--user", USER, "--gpus", "none"))
        good(job(daemon, "begin", "--id", "others", "--user", USER + 1))
        done = as_user([program, "job", "begin", "--id", "mine"], env=env)
        equal(done.returncode, 0, done.stderr)
        for words, args in [("only root ends it", ("end", "--id", "roots")), ("another user's", ("begin", "--id", "others")),
                            ("another user's", ("end", "--id", "others")), ("only root", ("begin", "--id", "x", "--exclusive")),
                            ("only root", ("begin", "--id", "x", "--gpus", "0")), ("only root", ("begin", "--id", "x", "--user", "0")),
                            ("not this user's", ("begin", "--id", "x", "--cgroup", "/slurm/uid_0/job_1"))]:
            done = as_user([program, "job", *args], env=env)
            equal(done.returncode, 1, f"{args}: {done.stderr}")
            expect(words in done.stderr, f"{args}: {done.stderr}")
        done = as_user([program, "job", "list", "--json"], env=env)
        equal(sorted(j["id"] for j in json.loads(good(done))["jobs"]), ["mine", "roots"], "what the user sees")
        equal(as_user([program, "job", "status", "others"], env=env).returncode, 1, "another user's job")
        equal(as_user([program, "job", "end", "--id", "mine"], env=env).returncode, 0, "the own job's end")


def test_missed_events(place):
    """A job of which nobody told is found by its cgroup, and ends with it"""
    with node(place) as (daemon, jobs):
        path = "sys/fs/cgroup/cpuacct/slurm/uid_7/job_31"
        write(jobs, f"{path}/cpuacct.usage_percpu", "5 5 \n")
        wait_for(lambda: "31" in daemon.log(), "the begin in the log")
        if os.geteuid() == 0:
            one = listed(daemon)["31"]
            equal((one["uid"], one["scheduler"], one["repaired"], one["cgroup"]), (7, "slurm", True, "/slurm/uid_7/job_31"), "job")
        shutil.rmtree(os.path.join(jobs, path))
        daemon.wait_log("job 31 has ended, as its cgroup tells")


def test_kill(place):
    """After kill -9 in the middle of a job the job goes on, with its begin and its step"""
    with node(place) as (daemon, _):
        good(job(daemon, "begin", "--id", "7"))
        good(job(daemon, "begin", "--id", "7", "--step", "a"))
        before = listed(daemon)["7"]
        daemon.kill()
        daemon.start()
        after = listed(daemon)["7"]
        equal(after["start"], before["start"], "its begin")
        good(job(daemon, "end", "--id", "7", "--step", "a"))
        good(job(daemon, "end", "--id", "7"))


def snippets():
    """The examples for each scheduler in the manual: {name: [begin, end]}."""
    with open(os.path.join(harness.SOURCE_ROOT, "doc/man/energyscopium-job.1"), encoding="utf-8") as file:
        text = file.read()
    found = {}
    for part in text.split("\n.Ss ")[1:]:
        name = part.split("\n", 1)[0]
        block = part.split(".Bd -literal -offset indent\n", 1)[1].split("\n.Ed", 1)[0]
        found[name] = block.replace("\\e\n", "\\\n").split("\n\n")
    return found


def test_snippets_of_the_manual(place):
    """Prologs and epilogs as the manual shows them begin and end a job, given what each scheduler gives them"""
    need_root()
    user = "nobody"
    cases = {
        "OAR": ("12", [("12", user, "/tmp/nodes")] * 2, {}, "oar", "/oar/nobody_12"),
        "PBS": ("12.server", [("12.server", user, "group"), ("12.server", user, "group", "n", "s", "l", "u", "q", "a", "3")], {}, "pbs",
                "/pbs_jobs.service/jobid/12.server"),
        "LSF": ("12", [(), ()], {"LSB_JOBID": "12", "LSB_JOBINDEX": "0", "LSFUSER": user}, "lsf", None),
        "Flux": ("f2b", [(), ()], {"FLUX_JOB_ID": "f2b", "FLUX_JOB_USERID": "65534"}, "flux", None),
    }
    equal(sorted(snippets()), sorted(cases), "schedulers in the manual")
    with node(place) as (daemon, _):
        for name, (identity, arguments, env, scheduler, cgroup) in cases.items():
            for i, script in enumerate(snippets()[name]):
                # As root already; the manual's line goes on where it fails, the test does not.
                script = "sudo() { [ \"$1\" = -E ] && shift; \"$@\"; }\n" + script.replace("|| true", "")
                done = subprocess.run(["bash", "-c", script, "prolog", *arguments[i]], text=True, capture_output=True, timeout=60, check=False,
                                      env=harness.clean_environment({**daemon.env, **env, "PATH": os.path.dirname(harness.PROGRAM) + ":/usr/bin:/bin"}))
                equal(done.returncode, 0, f"{name}: {script}: {done.stderr}")
                if i == 0:
                    one = listed(daemon)[identity]
                    equal((one["user"], one["scheduler"], one["cgroup"]), (user, scheduler, cgroup), name)
            wait_for(lambda: not listed(daemon), f"{name}: the job is over")


@contextlib.contextmanager
def real_cgroup(number):
    """A cgroup of v1 as Slurm makes them, on this machine: its path within the hierarchy."""
    need_root()
    top = f"{CPUACCT}/slurm_estest{os.getpid()}"
    path = f"{top}/uid_{USER}/job_{number}"
    try:
        os.makedirs(f"{path}/step_0")
    except OSError as error:
        raise Skip(f"no cgroup of v1 can be made here: {error}") from None
    try:
        yield path[len(CPUACCT):]
    finally:
        for folder in (f"{path}/step_0", path, os.path.dirname(path), top):
            with contextlib.suppress(OSError):
                os.rmdir(folder)


def enter(path):
    """For preexec_fn: this process moves into a cgroup."""
    def move():
        with open(f"{CPUACCT}{path}/step_0/cgroup.procs", "w", encoding="ascii") as file:
            file.write("0")
    return move


def test_namespaces(place):
    """A process in PID and user namespaces of its own is known by its cgroup, renamed or not; its job ends with the folder"""
    program = program_for_user(place)
    refused = None
    with real_cgroup(41) as path, twins.up(place, "skx2s", "--seed", "3") as twin, \
            daemons.up(place, root=twin.mount, jobs_root="/",
                       config={"scan_period": "1s", "node": path.split("/")[1][6:]}) as daemon:
        wait_for(lambda: "41" in listed(daemon), "the job is found")
        env = harness.clean_environment({**daemon.env, "P": program})
        # $P asks for its own job: nothing but the kernel's word on its cgroup tells which.
        ask = ["sh", "-c", "$P job status --json"]
        for prefix in ([], ["unshare", "-Upf", "--mount-proc"], ["unshare", "-Urpf", "--mount-proc"],
                       ["unshare", "-UrpfC", "--mount-proc"]):
            done = subprocess.run([*prefix, *ask], env=env, text=True, capture_output=True, timeout=60, check=False, cwd="/",
                                  preexec_fn=enter(path))
            if prefix and "unshare failed" in done.stderr:  # in a chroot
                refused = done.stderr.strip()
                continue
            equal(json.loads(good(done))["job"]["id"], "41", f"{prefix}: {done.stderr}")
        as_other = ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups"]
        for prefix in ([], ["unshare", "-Upf", "--mount-proc"]):
            done = subprocess.run([*as_other, *prefix, *ask], env=env, text=True, capture_output=True, timeout=60, check=False,
                                  cwd="/", preexec_fn=enter(path))
            if prefix and "unshare failed" in done.stderr:
                print(f"# a user may make no namespaces here: {done.stderr.strip()}")
                continue
            equal(json.loads(good(done))["job"]["id"], "41", f"as a user, {prefix}: {done.stderr}")
        outside = subprocess.run(ask, env=env, text=True, capture_output=True, timeout=60, check=False, cwd="/")
        equal(outside.returncode, 1, "who is in no job")
        os.rename(CPUACCT + path, CPUACCT + os.path.dirname(path) + "/renamed")
        renamed = os.path.dirname(path) + "/renamed"
        try:
            time.sleep(2.5)
            done = subprocess.run(ask, env=env, text=True, capture_output=True, timeout=60, check=False, cwd="/",
                                  preexec_fn=enter(renamed))
            equal(json.loads(good(done))["job"]["id"], "41", "renamed")
        finally:
            for folder in (f"{renamed}/step_0", renamed):
                os.rmdir(CPUACCT + folder)
        daemon.wait_log("job 41 has ended, as its cgroup tells")
    if refused:
        raise Skip(f"all but namespaces holds; here {refused}")


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
