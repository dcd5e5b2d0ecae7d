#!/usr/bin/env python3
# test_launch.py - run under mpirun and srun, around them, and many times
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import harness
from harness import PLAYER, PROGRAM, TREE, Skip, clean_environment, equal, expect, near
from slurm import Slurm

AS_ROOT = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
           "OMPI_MCA_rmaps_base_oversubscribe": "1"}


LEFT = []  # what each launch left behind; taken away, since nobody would come for it before hours


def make(place, model="skx2s"):
    root = os.path.join(place, model)
    os.makedirs(place, exist_ok=True)
    subprocess.run([TREE, root, model], check=True)
    return root


def mpirun(place, n, *args, env=None):
    if not shutil.which("mpirun"):
        raise Skip("no mpirun here")
    before = files_of_ranks()
    done = subprocess.run(["mpirun", "-n", str(n), "--oversubscribe", *args], text=True, capture_output=True, timeout=60,
                          cwd=place, env={**clean_environment(AS_ROOT), "HOME": place, **(env or {})}, check=False)
    LEFT.append(sorted(files_of_ranks() - before))
    for path in LEFT[-1]:
        os.remove(path)
    return done


def recordings(place):
    return sorted(os.path.basename(path) for path in glob.glob(os.path.join(place, "out", "*.esr")))


def measured(place, *args):
    """The words of a measured command; the report goes to FILE, since launchers mix what ranks say."""
    return [PROGRAM, "run", "--out", os.path.join(place, "out"), f"--json={place}/report.json", *args, "--"]


def report_of(place):
    with open(os.path.join(place, "report.json")) as file:
        return json.load(file)


def files_of_ranks():
    return set(glob.glob(f"/tmp/energyscopium-{os.geteuid()}/ranks-*"))


def true_j(place):
    """What the player did, over the two packages and their memories."""
    with open(os.path.join(place, "truth.json")) as file:
        zones = {zone["key"]: zone for zone in json.load(file)["zones"]}
    return sum(zones[key]["energy_uj"] for key in ("package-0", "package-1", "dram-0", "dram-1")) / 1e6


def test_activity_of_ranks(place):
    """What all ranks of the node do is counted, whether they wait for the first readings or come late."""
    script = ("import os, time; end = time.process_time() + 0.4\n"
              "while time.process_time() < end: pass\n"
              "open('used-' + os.environ['OMPI_COMM_WORLD_RANK'], 'w').write(str(time.process_time()))")
    done = mpirun(place, 4, *measured(place), sys.executable, "-c", script)
    equal(done.returncode, 0, done.stderr)
    report = report_of(place)
    clock = next((s for s in report["signals"] if s["id"] == "activity/job:task_clock"), None)
    if clock is None:
        raise Skip("perf events are refused")
    used = [float(open(path).read()) for path in glob.glob(os.path.join(place, "used-*"))]
    equal(len(used), 4)
    # More than two ranks did, for those that come late are counted from when they are seen; no more than all and their end.
    expect(2.5 * 0.4 < clock["total"] / 1e9 < sum(used) + 0.3, (clock, used))


def test_64_ranks(place):
    """Of 64 ranks one measures, until the last has ended; all 64 commands run; the energy is the true one."""
    root = make(place)
    script = ('echo $OMPI_COMM_WORLD_RANK >> ran; [ $OMPI_COMM_WORLD_RANK = 63 ] || exec sleep 0.1; '
              f'exec {PLAYER} {root} --random 3 --duration 1500ms --truth truth.json')
    done = mpirun(place, 64, *measured(place, "--root", root), "sh", "-c", script)
    equal(done.returncode, 0, done.stderr)
    with open(os.path.join(place, "ran")) as file:
        equal(sorted(int(line) for line in file), list(range(64)))
    equal(len(recordings(place)), 1, "recordings")
    equal(done.stderr.count("energyscopium jobid<"), 1, "job lines")
    equal(done.stdout, "")
    report = report_of(place)
    near(report["energy"]["node_j"], true_j(place), 1e-3, "node energy")
    launch = report["job"]["launch"]
    equal((launch["how"], launch["by"], launch["ranks"], launch["local_ranks"]), ("under", "Open MPI", 64, 64))
    equal(report["job"]["nodes_total"], 1)
    expect("of 64 measured this node" in done.stderr, done.stderr)
    # Nothing stays behind where ranks find each other.
    equal(LEFT[-1], [])


def test_status_under_mpirun(place):
    """Each rank keeps the status of its command, and a failed one is heard of without waiting for the others."""
    equal(mpirun(place, 4, *measured(place), "sh", "-c", "exit 3").returncode, 3)
    # Which rank measures is open: each has to be heard of, though rank 0 would sleep for long.
    script = '[ $OMPI_COMM_WORLD_RANK = 0 ] && exec sleep 50; exit 7'
    equal(mpirun(place, 2, *measured(place, "--name", "k"), "sh", "-c", script).returncode, 7)
    done = mpirun(place, 3, *measured(place, "--name", "n"), "/no/such/command")
    equal(done.returncode, 127, done.stderr)
    expect("command not found" in done.stderr, done.stderr)


def test_baseline_under_mpirun(place):
    """The other ranks wait for the idle power and the first readings: all they do is measured."""
    root = make(place)
    script = ('[ $OMPI_COMM_WORLD_RANK = 1 ] || exec sleep 0.1; '
              f'exec {PLAYER} {root} --random 3 --duration 500ms --truth truth.json')
    done = mpirun(place, 2, *measured(place, "--root", root, "--baseline", "2500ms"), "sh", "-c", script)
    equal(done.returncode, 0, done.stderr)
    near(report_of(place)["energy"]["node_j"], true_j(place), 1e-3, "node energy")
    done = mpirun(place, 2, *measured(place, "--repeat", "2"), "true")
    equal(done.returncode, 2, done.stderr)
    expect("repeat the launcher" in done.stderr, done.stderr)


def test_part_of_a_launch(place):
    """Where only one of several programs is measured, it is not waited for others for long."""
    root = make(place)
    done = mpirun(place, 1, *measured(place, "--root", root), "sleep", "0.1", ":", "-n", "2", "sleep", "0.2")
    equal(done.returncode, 0, done.stderr)
    equal(len(recordings(place)), 1)
    appli = [r for r in report_of(place)["regions"] if r["name"] == "es_appli_total"][0]
    expect(appli["duration_s"] < 1.5, appli)


def test_srun(place):
    """Under srun a step has one recording on each node, named by job, step and node; the energy is the true one."""
    root, before = make(place), files_of_ranks()
    with Slurm(place, 2) as slurm:
        script = ('echo $SLURM_PROCID >> ran; [ $SLURM_PROCID = 3 ] || exec sleep 0.1; '
                  f'exec {PLAYER} {root} --random 3 --duration 1s --truth truth.json')
        done = slurm.srun("-N1", "-n4", *measured(place, "--root", root), "sh", "-c", script, cwd=place)
        equal(done.returncode, 0, done.stderr)
        with open(os.path.join(place, "ran")) as file:
            equal(sorted(int(line) for line in file), [0, 1, 2, 3])
        report = report_of(place)
        equal(recordings(place), [report["job"]["id"] + ".esr"])
        expect(report["job"]["id"].endswith(".0") and report["job"]["step"] == "0", report["job"])
        near(report["energy"]["node_j"], true_j(place), 1e-3, "node energy")
        equal(report["job"]["launch"], {"how": "under", "by": "Slurm", "rank": report["job"]["launch"]["rank"], "ranks": 4,
                                        "local_ranks": 4})
        equal(report["job"]["ncpus"], 4, "CPUs that Slurm gave")
        done = slurm.srun("-N1", "-n2", *measured(place), "sh", "-c", "exit 5")
        equal(done.returncode, 5, done.stderr)
        # Two nodes with one folder: both are this machine, so trees of two names stand for them.
        make(place, "amd1")
        done = slurm.srun("-N2", "-n4", "--ntasks-per-node=2", "sh", "-c",
                          '[ $SLURM_NODEID = 0 ] && root=skx2s || root=amd1; exec "$0" run --root $root --out energyscopium-out -- sleep 0.5',
                          PROGRAM, cwd=place)
        equal(done.returncode, 0, done.stderr)
        names = sorted(os.listdir(os.path.join(place, "energyscopium-out")))
        job = names[0].split(".")[0] + ".0"
        equal(names, [f"{job}.{node}.{what}" for node in ("amd1", "skx2s") for what in ("eprofile.json", "esr")])
        for node in ("amd1", "skx2s"):
            told = json.loads(harness.call("report", "--json", f"{job}.{node}", cwd=place).stdout)["job"]
            equal((told["id"], told["nodes"], told["nodes_measured"], told["nodes_total"]), (job, [node], 1, 2))
            equal((told["launch"]["ranks"], told["launch"]["local_ranks"]), (4, 2))
        done = harness.call("report", job, cwd=place)
        expect(done.returncode == 1 and "its parts" in done.stderr and f"'{job}.amd1'" in done.stderr, done.stderr)
    for path in files_of_ranks() - before:
        os.remove(path)


def last_json(text):
    return json.loads(text.rstrip("\n").rsplit("\n", 1)[-1])


def repeat(place, *args, timeout=60):
    return harness.call("run", "--out", os.path.join(place, "out"), "--name", "j", "--json", *args, timeout=timeout,
                        cwd=place)


def test_repeat(place):
    """--repeat leaves N recordings and says mean, spread and interval of what they hold, idle power apart."""
    root = make(place)
    idle = subprocess.Popen([PLAYER, root, "--random", "4", "--duration", "60s"])
    try:
        done = repeat(place, "--root", root, "--repeat", "3", "--baseline", "200ms", "--", "sleep", "0.3")
    finally:
        idle.kill()
        idle.wait()
    equal(done.returncode, 0, done.stderr)
    equal(recordings(place), ["j-1.esr", "j-2.esr", "j-3.esr"])
    told = last_json(done.stderr)
    equal(told["schema"], "energyscopium.run/1")
    equal([run["job"]["id"] for run in told["runs"]], ["j-1", "j-2", "j-3"])
    equal([run["exit_status"] for run in told["runs"]], [0, 0, 0])
    for key, values in (("energy_j", [run["energy"]["node_j"] for run in told["runs"]]),
                        ("above_baseline_j", [run["energy"]["baseline"]["above_j"] for run in told["runs"]])):
        stats, mean = told["summary"][key], sum(values) / 3
        sd = (sum((v - mean) ** 2 for v in values) / 2) ** 0.5
        near(stats["mean"], mean, 1e-6, key)
        near(stats["sd"], sd, 1e-6, key)
        near(stats["uncertainty"], 4.3027 * sd / 3 ** 0.5, 1e-3 * sd + 1e-6, key)
    base = [run["energy"]["baseline"] for run in told["runs"]]
    for run, b in zip(told["runs"], base):
        expect(b["before_w"] > 0 and b["after_w"] > 0, b)
        near(b["power_w"], (b["before_w"] + b["after_w"]) / 2, 1e-6)
        near(b["above_j"], run["energy"]["measured_j"] - b["power_w"] * run["job"]["duration_s"], 1e-3)
    # What follows a run is what precedes the next.
    equal([b["after_w"] for b in base[:2]], [b["before_w"] for b in base[1:]])
    near(told["baseline_w"], sum(b["power_w"] for b in base) / 3, 1e-6)
    expect("run 2 of 3" in done.stderr and "energy above idle (J)" in done.stderr, done.stderr)
    equal(done.stdout, "")


def test_repeat_of_failures(place):
    """A run that fails is named and in no mean, the next is made, and its status is the series'."""
    done = repeat(place, "--repeat", "3", "--baseline", "0", "--", "sh", "-c",
                  'echo >> ran; [ $(wc -l < ran) = 2 ] && exit 7; exit 0')
    equal(done.returncode, 7, done.stderr)
    told = last_json(done.stderr)
    equal([run["exit_status"] for run in told["runs"]], [0, 7, 0])
    equal((told["summary"]["runs"], told["summary"]["failed"], told["summary"]["duration_s"]["runs"]), (3, 1, 2))
    equal(told["exit_status"], 7)
    equal(told["baseline_w"], None)
    expect("run 2 of 3 ended with status 7" in done.stderr, done.stderr)
    # A place that is taken is refused before anything runs.
    os.remove(os.path.join(place, "ran"))
    os.remove(os.path.join(place, "out", "j-1.esr"))
    equal(repeat(place, "--repeat", "3", "--", "sh", "-c", "echo >> ran").returncode, 125)
    expect(not os.path.exists(os.path.join(place, "ran")), "the command ran")
    done = harness.call("run", "--repeat", "5", "--out", os.path.join(place, "o"), "--", "/no/such/command")
    equal(done.returncode, 127, done.stderr)
    expect("run 2 of 5" not in done.stderr, done.stderr)
    for args in (["--repeat", "0"], ["--repeat", "many"], ["--baseline", "5"], ["--baseline", "1ms"],
                 ["--repeat", "2", "--attach", "1"], ["--baseline", "2s", "--attach", "1"]):
        equal(repeat(place, *args, *([] if "--attach" in args else ["--", "true"])).returncode, 2, args)


def test_repeat_interrupted(place):
    """SIGINT ends the series: the command gets it, what was measured is summed up, the status says so."""
    ready = os.path.join(place, "ready")
    script = f'trap "echo caught > {place}/caught; exit 0" INT; echo > {ready}; while :; do sleep 0.05; done'
    running = harness.start("run", "--out", os.path.join(place, "out"), "--name", "j", "--repeat", "3", "--baseline", "0",
                            "--", "sh", "-c", script)
    end = time.monotonic() + 20
    while not os.path.exists(ready):
        expect(time.monotonic() < end, "the command did not start")
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    said = running.communicate(timeout=20)[1]
    equal(running.returncode, 130, said)
    expect(os.path.exists(os.path.join(place, "caught")), "the command's signals are not what they were")
    expect("1 of 3 runs" in said and "run 2 of 3" not in said, said)
    equal(recordings(place), ["j-1.esr"])


def test_each_run_starts_alike(place):
    """Every command of a series has the signal mask and the broken-pipe signal that the first would have."""
    equal(repeat(place, "--repeat", "3", "--baseline", "0", "--", "sh", "-c",
                 "grep -E '^Sig(Blk|Ign)' /proc/self/status >> signals").returncode, 0)
    with open(os.path.join(place, "signals")) as file:
        lines = file.read().splitlines()
    equal(len(lines), 6)
    equal(len(set(lines)), 2, lines)
    expect("SigBlk:\t" + 16 * "0" in lines, lines)
    ignored = int([line for line in lines if line.startswith("SigIgn")][0].split()[1], 16)
    expect(not ignored & 1 << (signal.SIGPIPE - 1), "the command ignores broken pipes")


def test_reader_gone(place):
    """A reader of the messages that goes away ends no series."""
    running = harness.start("run", "--out", os.path.join(place, "out"), "--name", "j", "--repeat", "2", "--baseline", "0",
                            "--", "sleep", "0.2")
    running.stderr.close()
    equal(running.wait(timeout=30), 0)
    equal(recordings(place), ["j-1.esr", "j-2.esr"])


def test_attributed_share(place):
    """On a busy machine the command's own share by CPU time stands beside the machine's energy, never in its place."""
    root = make(place)
    stat = os.path.join(root, "proc", "stat")
    os.chmod(stat, 0o644)  # as an ordinary user, too
    script = (f'{PLAYER} {root} --random 3 --duration 500ms --truth truth.json; '
              f'printf "cpu 2000 0 0 0 0 0 0 0 0 0\\n" > {stat}.new; cat {stat}.new > {stat}')
    with open(stat, "w") as file:
        file.write("cpu 0 0 0 0 0 0 0 0 0 0\n")
    done = harness.call("run", "--root", root, "--out", "out", "--name", "j", "--json", "--", "sh", "-c", script, cwd=place)
    energy = last_json(done.stderr)["energy"]
    got = energy["attributed"]
    near(energy["node_j"], true_j(place), 1e-3, "node energy")
    expect(0 < got["share"] < 0.5, got)  # of 20 s of CPU time
    near(got["energy_j"], got["share"] * energy["measured_j"], 1e-6)
    equal((got["rule"], got["idle"], got["idle_j"]), ("cpu_time", "not known apart", None))
    expect("attributed" in done.stderr and "to the command by CPU time" in done.stderr, done.stderr)
    # The same machine without a meter: an estimate from CPU time is not shared out once more.
    done = harness.call("run", "--root", root, "--out", "out", "--name", "k", "--json", "--domain", "estimate/node", "--",
                        "sleep", "0.2", cwd=place)
    equal(last_json(done.stderr)["energy"]["attributed"], None)


def client(place, name):
    """A program of this name that starts what it is told: env, taken for the real one."""
    path = os.path.join(place, "bin", name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write('#!/bin/sh\nwhile [ $# -gt 0 ]; do case $1 in -*) shift 2 ;; *) break ;; esac; done\nexec "$@"\n')
    os.chmod(path, 0o755)
    return path


def around(place, *command, env=None):
    done = harness.call("run", "--out", "out", "--name", "j", "--force", "--json", "--", *command, cwd=place, env=env)
    equal(done.returncode, 0, done.stderr)
    return last_json(done.stderr)["job"], done.stderr


def test_around_launchers(place):
    """Around a launcher it says which nodes were measured, and the command that measures all."""
    mpi, srun = client(place, "mpirun"), client(place, "srun")
    batch = {"SLURM_JOB_ID": "7", "SLURM_NNODES": "4", "SLURMD_NODENAME": "n1"}
    job, said = around(place, "nice", mpi, "-n", "64", "sleep", "0.1", env=batch)
    equal((job["nodes_measured"], job["nodes_total"], job["launch"]["how"], job["launch"]["by"]), (1, 4, "around", "mpirun"))
    expect("1 of 4 nodes measured" in said, said)
    expect(f"nice {mpi} -n 64 energyscopium run -- sleep 0.1" in said, said)
    job, said = around(place, srun, "-N", "3", "sleep", "0.1")  # from a login node
    equal((job["nodes_measured"], job["nodes_total"], job["launch"]["how"]), (0, 3, "elsewhere"))
    expect("0 of 3 nodes measured" in said, said)
    job, said = around(place, client(place, "sbatch"), "true")
    equal((job["nodes_measured"], job["nodes_total"]), (0, None))
    expect("some work ran elsewhere" in said, said)
    job, said = around(place, mpi, "-n", "2", "sleep", "0.1")  # all here: nothing to say
    equal((job["nodes_measured"], job["nodes_total"], job["launch"]), (1, 1, None))
    expect("to measure" not in said and "elsewhere" not in said, said)
    # A recording tells it later, too, without the words of the command.
    around(place, mpi, "-H", "n8,n9", "true")
    said = harness.call("report", os.path.join(place, "out", "j.esr")).stdout
    expect("0 of 2 nodes measured" in said and "n8" not in said, said)


def test_around_containers(place):
    """Around a container client it says whether the container is in this machine's energy."""
    docker = client(place, "docker")
    job, said = around(place, docker, "true")
    equal((job["nodes_measured"], job["nodes_total"], job["launch"]["how"]), (1, 1, "daemon"))
    expect("container" in said and "in the energy of the node" in said, said)
    job, said = around(place, docker, "true", env={"DOCKER_HOST": "tcp://n9:2375"})
    equal((job["nodes_measured"], job["nodes_total"], job["launch"]["how"]), (0, None, "elsewhere"))
    job, said = around(place, client(place, "kubectl"), "true")
    expect("on the node where the pod runs" in said, said)


RUNTIMES = [(".dockerenv", "docker", "systempaths=unconfined"), ("run/.containerenv", "podman", "unmask=ALL"),
            ("run/secrets/kubernetes.io", "kubernetes", "hostPath"), (".singularity.d", "apptainer", "--bind /sys"),
            ("run/systemd/container", "the container", "/host/sys")]


def masked(place, root, *args):
    """The program in a mount namespace of its own, with an empty folder over the zones of a tree, as runtimes do it."""
    zones = os.path.join(root, "sys/devices/virtual/powercap")
    return subprocess.run(["unshare", "-m", "sh", "-c", f'mount -t tmpfs -o ro none "{zones}" || exit 99; exec "$@"', "sh",
                           PROGRAM, *args], env=clean_environment(), text=True, capture_output=True, timeout=60, cwd=place,
                          check=False)


def test_masked_meters(place):
    """In a container whose runtime masks powercap, sources, doctor and run say so, with the line that shows it."""
    for mark, name, fix in RUNTIMES:
        root = make(os.path.join(place, name.replace(" ", "-")), "skx2s")
        path = os.path.join(root, mark)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "w").close()
        done = masked(place, root, "sources", "--root", root, "--json", "--no-probe")
        if done.returncode == 99 or "unshare" in done.stderr:
            raise Skip("no private mount namespace here")
        told = json.loads(done.stdout)
        equal((told["container"]["runtime"], told["container"]["hides"]), (name, "powercap"), done.stdout)
        expect(fix in told["container"]["fix"], told["container"])
        unmeasured = [u for u in told["unmeasured"] if u["what"] == "processor of package 0"]
        expect(unmeasured and "hides /sys/devices/virtual/powercap" in unmeasured[0]["reason"], told["unmeasured"])
        expect(fix in unmeasured[0]["fix"], unmeasured)
        if name == "docker":
            said = masked(place, root, "doctor", "--root", root).stdout
            expect("hides /sys/devices/virtual/powercap" in said and fix in said, said)
        done = masked(place, root, "run", "--root", root, "--out", "out", "--name", name, "--", "true")
        equal(done.returncode, 0, done.stderr)
        expect(f"hidden     {name} hides /sys/devices/virtual/powercap" in done.stderr and fix in done.stderr, done.stderr)
        # Not masked, nothing is said.
        told = json.loads(harness.call("sources", "--root", root, "--json", "--no-probe").stdout)
        equal((told["container"]["runtime"], told["container"]["hides"]), (name, None))


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules["__main__"]))
