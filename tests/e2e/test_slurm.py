#!/usr/bin/env python3
# test_slurm.py - the SPANK plug-in in a real Slurm: what it tells, where the job's line comes, what it never does
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time

import harness
from harness import Skip, equal, expect
from listeners import Listener
from slurm import Slurm

MODULES = harness.for_anybody(os.environ.get("ES_SLURM_MODULES", ""))
USER, OTHER = "games", "news"  # two users that every Debian has

# Stands for "energyscopium job line": who it is, and a line. It may start no other program.
PROGRAM = """#!/bin/sh
while read -r name first rest; do
    case $name in Uid:) uid=$first;; Groups:) groups=$first${{rest:+ $rest}};; esac
done </proc/self/status
echo "energyscopium jobid<$3> uid <$uid> groups <$groups>"
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
                 f"helpers={MODULES} program={program} {more}")
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
            slurm.wait_for(lambda: not os.listdir(f"{place}/state") and not helpers(place), "the helper's end")
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


def is_mounted(path):
    """Without looking at it."""
    with open("/proc/self/mounts", encoding="utf-8") as file:
        return any(line.split()[1] == path for line in file)


@contextlib.contextmanager
def squashed(place):
    """home/squashed, whose files root may neither look at nor open."""
    program, mount = os.environ.get("ES_SQUASH", ""), f"{place}/home/squashed"
    if not program or not os.access("/dev/fuse", os.R_OK | os.W_OK):
        raise Skip("no FUSE here")
    os.makedirs(f"{place}/below", mode=0o755)
    os.makedirs(mount)
    shutil.chown(f"{place}/below", USER)
    process = subprocess.Popen([program, f"{place}/below", mount])
    try:
        end = time.monotonic() + 10
        while not is_mounted(mount):
            if process.poll() is not None or time.monotonic() > end:
                raise Skip("no file system could be mounted here")
            time.sleep(0.05)
        yield mount
    finally:
        subprocess.run(["fusermount3", "-u", "-z", mount], check=False, capture_output=True)
        process.kill()
        process.wait()


def test_root_squash(place):
    """The line reaches a home where root has no rights."""
    with cluster(place, 1) as slurm, squashed(place) as mount:
        try:
            with open(f"{mount}/of-root", "w", encoding="ascii"):
                raise AssertionError("root may write there: this test proves nothing")
        except PermissionError:
            pass
        job = slurm.sbatch("-o", f"{mount}/out", "--wrap", "echo hello", user=USER, cwd="/")
        slurm.wait_for_job(job, "COMPLETED")
        text, end = "", time.monotonic() + 20
        while "energyscopium" not in text and time.monotonic() < end:
            with open(f"{place}/below/out", encoding="ascii") as file:
                text = file.read()
            time.sleep(0.05)
        equal(text, f"hello\nenergyscopium jobid<{job}> uid <5> groups <60>\n")


def helpers(place):
    """Processes that write a line of this test's jobs."""
    return [pid for pid in filter(str.isdigit, os.listdir("/proc")) if f"{place}/state/" in words_of(pid)]


def words_of(pid):
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8") as file:
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


def test_settings(place):
    """What is wrong in plugstack.conf, or with the folder of notes, is in slurmd's log; jobs end well, without a line."""
    os.makedirs(f"{place}/state")
    os.chmod(f"{place}/state", 0o777)
    with cluster(place, 1, more="line=perhaps wait=1d") as slurm:
        job = submit(place, slurm, "echo hello")
        slurm.wait_for_job(job, "COMPLETED")
        equal((output_of(place, "out"), os.listdir(f"{place}/state")), ("hello\n", []))
        log = slurm.read(f"slurmd.{slurm.nodes[0]}.log")
        for words in ("'line=perhaps', 'wait=1d'", f"the folder '{place}/state' is not root's alone"):
            equal(log.count(words), 1, f"{words} in {log}")


@contextlib.contextmanager
def deaf(path, accepts):
    """A daemon that was stopped: it takes nothing, or not even connections any more."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
        listener.bind(path)
        listener.listen(0)
        for _ in range(0 if accepts else 3):
            peer = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
            peer.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                peer.connect(path)
        yield


def test_no_daemon(place):
    """Jobs and their steps end well, and see nothing, whether the daemon is not there, stopped, or talks nonsense."""
    with cluster(place, 1) as slurm:
        path = f"{place}/{slurm.nodes[0]}.sock"
        daemons = (contextlib.nullcontext, lambda: deaf(path, True), lambda: deaf(path, False),
                   lambda: Listener(path, answer=b"\xff" * 8000))
        for i, daemon in enumerate(daemons):
            with daemon():
                job = submit(place, slurm, "srun echo hello", out=f"deaf{i}")
                slurm.wait_for_job(job, "COMPLETED")
                text = output_of(place, f"deaf{i}", 1)
                equal(text.splitlines()[0], "hello")
                equal(len(text.splitlines()), 2, text)
                told = slurm.srun("echo", "hello", user=USER, cwd=place)
                equal((told.returncode, told.stdout, told.stderr), (0, "hello\n", ""))
            if os.path.exists(path):
                os.unlink(path)
        os.unlink(f"{place}/program")
        job = submit(place, slurm, "echo hello", out="no program")
        slurm.wait_for_job(job, "COMPLETED")
        equal(output_of(place, "no program"), "hello\n")


def expect_behind(text, words, job):
    """The line is the last one, behind Slurm's own words; between them the shell may say that what it ran was ended."""
    told, _, last = text.rstrip("\n").rpartition("\n")
    expect(words in told and last.startswith(f"energyscopium jobid<{job}>"), text)


def test_ends(place):
    """A cancelled, a timed-out and a failed job have their line; a requeued one has that of its last run, or of all with open-mode=append."""
    # A requeued job waits until its old credentials have run out.
    conf = {"AuthInfo": "socket={place}/munge.sock,cred_expire=5", "PrologFlags": "Alloc"}
    with cluster(place, 1, conf=conf) as slurm, Listener(f"{place}/{slurm.nodes[0]}.sock") as heard:
        # Not "started" alone: that of the first run is still there when slurmctld has begun the second.
        jobs = {name: submit(place, slurm, "echo started run ${SLURM_RESTART_COUNT:-0}; sleep 100", *options, out=name)
                for name, options in (("cancelled", []), ("requeued", ["--requeue"]),
                                      ("appended", ["--requeue", "--open-mode=append"]))}
        for name, job in jobs.items():
            slurm.wait_for(lambda name=name: "started run 0" in output_of(place, name), f"the start of {name}")
        # slurmctld looks at limits every 30 s.
        late = submit(place, slurm, "echo started; sleep 1000", out="late")
        slurm.wait_for(lambda: "started" in output_of(place, "late"), "the start")
        equal(slurm.call("scontrol", "update", f"jobid={late}", "EndTime=now+1").stderr, "")
        slurm.call("scancel", jobs["cancelled"])
        slurm.wait_for_job(jobs["cancelled"], "CANCELLED")
        text = output_of(place, "cancelled", 1)
        expect_behind(text, "CANCELLED", jobs["cancelled"])

        for name in ("requeued", "appended"):
            slurm.call("scontrol", "requeue", jobs[name])
            output_of(place, name, 1)
            expect("energyscopium jobid" in output_of(place, name).splitlines()[-1], "the line of the first run")
        for name, lines in (("requeued", 1), ("appended", 2)):
            slurm.wait_for(lambda name=name: "started run 1" in output_of(place, name), f"the second start of {name}")
            equal(output_of(place, name).count("started run"), lines, name)
            slurm.call("scancel", jobs[name])
            equal(output_of(place, name, lines).count("energyscopium jobid"), lines, name)
            begins = heard.of("begin", id=jobs[name], step="")
            # Told by the prolog; slurmstepd does not know of it
            equal([(h["restarts"], h["flags"] & 16) for h in (begins[0], begins[2])], [(0, 0), (1, 16)], "restarts")

        job = submit(place, slurm, "echo started; exit 7", out="failed")
        slurm.wait_for_job(job, "FAILED")
        output_of(place, "failed", 1)
        slurm.wait_for_job(late, "TIMEOUT")
        expect_behind(output_of(place, "late", 1), "TIME LIMIT", late)


def test_many(place):
    """Each task of an array has its line, and a heterogeneous job one for each of its parts."""
    with (cluster(place, 2, conf={"MaxArraySize": "10", "PrologFlags": "Alloc"}) as slurm,
          Listener(f"{place}/{slurm.nodes[0]}.sock") as first, Listener(f"{place}/{slurm.nodes[1]}.sock") as second):
        array = slurm.sbatch("-o", f"{place}/home/%A_%a", "--array=0-3", "--wrap", "true", user=USER, cwd=place)
        ids = {output_of(place, f"{array}_{i}", 1).split("<")[1].split(">")[0] for i in range(4)}
        equal(len(ids), 4, "an id of its own for each")
        script = os.path.join(place, "het.sh")
        with open(script, "w", encoding="ascii") as file:
            file.write("#!/bin/sh\n#SBATCH -N1 -w %s\n#SBATCH hetjob\n#SBATCH -N1 -w %s\n"
                       "srun --het-group=0,1 true\n" % tuple(slurm.nodes))
        job = slurm.sbatch("-o", f"{place}/home/het", script, user=USER, cwd=place)
        text = output_of(place, "het", 2)
        equal([line.split("<")[1].split(">")[0] for line in text.splitlines()], [job, str(int(job) + 1)], text)
        equal({h["id"] for h in first.heard if h["id"] not in ids}, {job}, "parts are jobs of their own")
        equal({h["id"] for h in second.heard if h["id"] not in ids}, {str(int(job) + 1)}, "parts are jobs of their own")


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
