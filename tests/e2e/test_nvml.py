#!/usr/bin/env python3
# test_nvml.py - run, sources and doctor on machines with NVIDIA GPUs, by a stub of their library
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import datetime
import json
import os
import shutil
import socket
import subprocess
import sys
import time

import harness
from harness import PLAYER, SOURCE_ROOT, TREE, call, equal, expect, last_json, near

STRANGER = "54321"  # a user who owns none of the tree's files, whoever runs the test
FOLDER = "usr/lib/x86_64-linux-gnu"


def make(place, table, model="skx2s", text=None):
    """A tree of MODEL with the GPUs of tests/machines/nvml/TABLE.table, or of a text."""
    root = os.path.join(place, table + "-" + model)
    path = os.path.join(SOURCE_ROOT, "tests", "machines", "nvml", table + ".table")
    if text:
        path = os.path.join(place, table + ".table")
        with open(path, "w") as file:
            file.write(text)
    subprocess.run([TREE, root, model, "nvml=" + path], check=True)
    return root


def measure(place, root, *command, options=(), env=None):
    done = call("run", "--root", root, "--out", os.path.join(place, "out"), "--name", "j", "--force", "--json",
                *options, "--", *command, env=env)
    equal(done.returncode, 0, done.stderr)
    return last_json(done.stderr), done


def play(place, root, *how, options=(), env=None):
    truth = os.path.join(place, "truth.json")
    report, done = measure(place, root, PLAYER, root, *how, "--truth", truth, options=options, env=env)
    with open(truth) as file:
        told = json.load(file)
    return report, told, done


def domains(report):
    return {d["id"]: d for d in report["energy"]["by_domain"]}


def check_gpus(report, truth):
    for gpu in truth["gpus"]:
        near(domains(report)["nvml/" + gpu["key"]]["energy_j"], gpu["energy_mj"] / 1e3, 1e-3, gpu["key"])


def told_by(root, *options):
    told = json.loads(call("sources", "--json", "--root", root, *options).stdout)
    return told, {d["id"]: d for s in told["sources"] for d in s["domains"]}


def test_four_gpus(place):
    """Four GPUs beside two processors: each true to a millijoule, whatever the load, and all in the node's sum."""
    for seed in (1, 2):
        report, truth, _ = play(place, make(place, "a100x4"), "--random", seed, "--duration", "700ms",
                                options=("--period", "25ms"))
        check_gpus(report, truth)
        sum_j = sum(zone["energy_uj"] for zone in truth["zones"]) / 1e6 + sum(g["energy_mj"] for g in truth["gpus"]) / 1e3
        near(report["energy"]["node_j"], sum_j, 0.005, "node")
        equal(report["energy"]["kind"], "measured")
        equal(report["job"]["ngpus"], 4)
        equal(report["quality"]["failed"], None)
        equal([i["code"] for i in report["insights"] if i["code"] == "gpu_invisible"], [])


def test_eight_gpus_that_are_slow(place):
    """Eight GPUs whose library takes 400 ms for a look: the processors are read all the same, the GPUs lose nothing."""
    root = make(place, "h100x8")
    path = os.path.join(root, FOLDER, "nvml.state")
    with open(path, "r+b") as file:  # struct nvml_state: four words, then 24 bytes for each GPU, delay_us last
        for gpu in range(8):
            file.seek(16 + 24 * gpu + 20)
            file.write((50000).to_bytes(4, "little"))
    report, truth, _ = play(place, root, "--random", 5, "--duration", "1s", options=("--period", "10ms"))
    check_gpus(report, truth)
    equal(report["job"]["ngpus"], 8)
    # Sweeps that waited for them would be 400 ms apart.
    expect(report["quality"]["period_ms"]["mean"] < 200, report["quality"]["period_ms"])


def test_only_gpus_are_measured(place):
    """Where the GPUs are the only meter the node is what was estimated and what they drew, and says so."""
    report, truth, _ = play(place, make(place, "a100x4", "no-meter"), "--random", 3, "--duration", "500ms")
    check_gpus(report, truth)
    parts = domains(report)
    near(report["energy"]["node_j"],
         parts["estimate/node"]["energy_j"] + sum(g["energy_mj"] for g in truth["gpus"]) / 1e3, 0.005, "node")
    expect(report["energy"]["kind"] not in ("measured", "estimated"), report["energy"]["kind"])


def test_modules(place):
    """Grace Hopper: the module is the total, its GPU a part of it, and nothing is counted twice."""
    root = make(place, "gh200", "no-meter")
    told, named = told_by(root)
    equal(named["nvml/gpu-1"]["parent"], "nvml/module-1")
    equal(told["cover_total"], ["nvml/module-0", "nvml/module-1"])
    script = os.path.join(place, "script")
    with open(script, "w") as file:
        file.write("1500ms gpu=300\n")
    report, truth, _ = play(place, root, "--script", script, options=("--period", "50ms"))
    check_gpus(report, truth)
    # Powers integrated: 420 W for each, as long as the script; the edges are as unsharp as the report says.
    near(report["energy"]["node_j"], 2 * 420 * truth["duration_ns"] / 1e9, report["energy"]["uncertainty_j"] + 60, "node")


def test_gpus_of_the_job(place):
    """ngpus is what the scheduler gave, else what CUDA may see, else what is measured."""
    root = make(place, "a100x4")
    for env, n in (({}, 4), ({"CUDA_VISIBLE_DEVICES": "1"}, 1), ({"CUDA_VISIBLE_DEVICES": ""}, 0),
                   ({"SLURM_GPUS_ON_NODE": "2", "CUDA_VISIBLE_DEVICES": "0"}, 2)):
        report, _ = measure(place, root, "true", env=env)
        equal(report["job"]["ngpus"], n, str(env))


def test_sources(place):
    """sources tells model, slot, limit, instances and the start of the library; --explain tells them too."""
    told, named = told_by(make(place, "a100-mig"), "--no-probe")
    gpu = named["nvml/gpu-0"]
    equal((gpu["model"], gpu["pci"], gpu["limit_w"], gpu["kind"], gpu["range_uj"]),
          ("NVIDIA A100-SXM4-40GB", "0000:17:00.0", 400, "measured", None))
    expect("3 instances: 1g.5gb, 1g.5gb, 3g.20gb" in gpu["reason"], gpu["reason"])
    source = next(s for s in told["sources"] if s["name"] == "nvml")
    expect(source["start_ms"] > 0, source["start_ms"])
    equal([u for u in told["unmeasured"] if "GPU" in u["what"]], [])
    root = make(place, "slow", text="init_ms 1100\ngpu name=NVIDIA_L4 device=27b8 arch=8 counter=field instant=1\n")
    words = call("sources", "--explain", "--no-probe", "--root", root).stdout
    for word in ("NVIDIA L4, 0000:17:00.0, GPU-0000", "its library took 1.1", "delays no other"):
        expect(word in words, words)
    words = call("doctor", "--root", root).stdout
    expect("its library took 1.1" in words and "nvidia-persistenced" in words, words)


def test_not_readable(place):
    """GPUs without driver, library or rights are named with reason and fix, by sources, doctor and the report."""
    gpu = "gpu name=NVIDIA_L4 device=27b8 arch=8 counter=field instant=1\n"
    no_driver = make(place, "nodriver", text="init 9\n" + gpu)
    no_library = make(place, "a100x4", "amd1")
    os.unlink(os.path.join(no_library, FOLDER, "libnvidia-ml.so.1"))
    denied = make(place, "denied", text=gpu)
    os.mkdir(os.path.join(denied, "dev"))
    with open(os.path.join(denied, "dev", "nvidiactl"), "w"):
        pass
    os.chmod(os.path.join(denied, "dev", "nvidiactl"), 0o660)
    for root, state, reason, fix, options in (
            (no_driver, "absent", "driver is not loaded", None, ()),
            (no_library, "absent", "libnvidia-ml.so.1", "libnvidia-ml1", ()),
            (denied, "denied", "/dev/nvidiactl", "usermod", ("--as", STRANGER))):
        told, named = told_by(root, "--no-probe", *options)
        equal(named["nvml/gpu-0"]["state"], state)
        unmeasured = next(u for u in told["unmeasured"] if "GPU 0000:17:00.0" in u["what"])
        expect(reason in unmeasured["reason"], unmeasured)
        expect(fix is None or fix in unmeasured["fix"], unmeasured)
        words = call("doctor", "--root", root, *options).stdout
        expect(reason in words, words)
    report, _ = measure(place, no_driver, "true")
    insight = next(i for i in report["insights"] if i["code"] == "gpu_invisible")
    equal((insight["evidence"]["gpus"], insight["evidence"]["gpus_measured"]), (1, 0))
    energy = report["energy"]
    equal((energy["at_least"], energy["unseen_gpus"]), (True, 1))
    expect(energy["unseen_j"] >= 70 * report["job"]["duration_s"] and energy["uncertainty_j"] > energy["unseen_j"], energy)


def test_lost_and_back(place):
    """A GPU that is lost in a run leaves a gap that is named, the others none; what it counted meanwhile is kept."""
    root = make(place, "v100x2")
    done = harness.start("run", "--root", root, "--out", os.path.join(place, "out"), "--name", "j", "--json", "--period",
                         "20ms", "--", "sleep", "2")
    path = os.path.join(root, FOLDER, "nvml.state")

    def set_gpu(gpu, offset, number, size):
        with open(path, "r+b") as file:
            file.seek(16 + 24 * gpu + offset)
            file.write(number.to_bytes(size, "little"))

    time.sleep(0.6)
    set_gpu(0, 16, 15, 4)  # NVML_ERROR_GPU_IS_LOST
    time.sleep(0.4)
    set_gpu(0, 16, 0, 4)
    set_gpu(0, 0, 77 + 60000, 8)
    _, errors = done.communicate(timeout=30)
    equal(done.returncode, 0, errors)
    report = last_json(errors)
    faults = {f["id"]: f for f in report["quality"]["faults"]}
    equal(faults["nvml/gpu-0"]["errno"], "ENODEV", str(faults))
    expect("nvml/gpu-1" not in faults, str(faults))
    equal(domains(report)["nvml/gpu-0"]["energy_j"], 60)


def held_by(pid, root):
    """What a process has open or mapped of the tree's library and of its device."""
    folder = os.path.join(root, FOLDER)
    links = ["/proc/%d/fd/%s" % (pid, fd) for fd in os.listdir("/proc/%d/fd" % pid)]
    found = [os.readlink(link) for link in links if os.path.islink(link)]
    with open("/proc/%d/maps" % pid) as maps:
        found += maps.read().splitlines()
    return [what for what in found if folder in what]


def set_energy(root, gpu, energy_mj):
    with open(os.path.join(root, FOLDER, "nvml.state"), "r+b") as file:
        file.seek(16 + 24 * gpu)
        file.write(energy_mj.to_bytes(8, "little"))


class Run:
    """A run that goes on until it is told to end."""

    def __init__(self, place, root, **kwargs):
        self.stop = os.path.join(place, "stop")
        env = {"ENERGYSCOPIUM_RUNTIME_DIR": os.path.join(place, "sockets")}
        self.process = subprocess.Popen(
            [harness.PROGRAM, "run", "--root", root, "--out", os.path.join(place, "out"), "--name", "j", "--json",
             "--period", "20ms", "--", "sh", "-c", 'echo; until [ -e "$0" ]; do sleep 0.05; done', self.stop],
            env=harness.clean_environment(env), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kwargs)
        self.pid = self.process.pid
        self.process.stdout.readline()  # it measures
        time.sleep(0.3)

    def end(self):
        with open(self.stop, "w"):
            pass
        _, errors = self.process.communicate(timeout=60)
        equal(self.process.returncode, 0, errors)
        return last_json(errors), errors


def node(place, *args):
    return call("node", *args, env={"ENERGYSCOPIUM_RUNTIME_DIR": os.path.join(place, "sockets")})


def test_let_go_and_had_again(place):
    """A run lets its GPUs go when it is told to: nothing of the driver stays open, the gap is named, no joule is lost."""
    root = make(place, "v100x2")
    with open(os.path.join(root, FOLDER, "nvml.device"), "w"):
        pass
    run = Run(place, root)
    expect(any("nvml.device" in what for what in held_by(run.pid, root)), "the device is open")
    told = json.loads(node(place, "release", "gpu", "--for", "10m", "--json").stdout)
    equal([(r["pid"], r["job"], r["state"]) for r in told["recorders"]], [(run.pid, "j", "released")])
    equal(told["for_s"], 600)
    equal(held_by(run.pid, root), [])
    set_energy(root, 0, 77 + 60000)
    time.sleep(0.8)
    taken = node(place, "take", "gpu")
    equal(taken.returncode, 0, taken.stderr)
    expect("taken: GPUs are had again" in taken.stdout, taken.stdout)
    time.sleep(0.3)
    report, errors = run.end()
    equal(domains(report)["nvml/gpu-0"]["energy_j"], 60)
    equal(report["quality"]["faults"], [])
    gap = next(g for g in report["quality"]["gaps"] if g["reason"])
    equal(gap["reason"], "released by uid %d for 10 min" % os.geteuid())
    equal(gap["energy_known"], True)
    expect("let go" in errors, errors)


def test_let_go_for_a_while(place):
    """What is let go for a time is had again by itself."""
    root = make(place, "v100x2")
    run = Run(place, root)
    equal(node(place, "release", "gpu", "--for", "300ms").returncode, 0)
    equal(held_by(run.pid, root), [])
    for _ in range(500):
        if held_by(run.pid, root):
            break
        time.sleep(0.02)
    expect(held_by(run.pid, root), "the library is open again")
    run.end()


def test_let_go_until_the_end(place):
    """GPUs that were not had again have no energy after that: it is filled in, and said."""
    root = make(place, "v100x2")
    for lead_s in (0, 1, 4, 15):  # what was read only once before has no energy at all: longer, on a busy machine
        here = os.path.join(place, str(lead_s))
        os.mkdir(here)
        run = Run(here, root)
        time.sleep(lead_s)
        equal(node(here, "release", "gpu").returncode, 0)
        time.sleep(0.5)
        report, _ = run.end()
        if domains(report)["nvml/gpu-0"]["energy_j"] is not None:
            break
    expect(any(g["reason"] and g["reason"].startswith("released") and not g["energy_known"]
               for g in report["quality"]["gaps"]), str(report["quality"]["gaps"]))


def test_root_reaches_all(place):
    """Root lets go of what other users' recordings hold."""
    if os.geteuid() != 0:
        raise harness.Skip("only root may become another user")
    root = make(place, "v100x2")
    for folder, _, names in os.walk(place):
        for name in ["."] + names:
            os.chown(os.path.join(folder, name), int(STRANGER), int(STRANGER), follow_symlinks=False)
    try:
        run = Run(place, root, user=int(STRANGER), group=int(STRANGER), extra_groups=[])
    except PermissionError:
        raise harness.Skip("another user may not run the program where it was built") from None
    try:
        told = json.loads(node(place, "release", "gpu", "--json").stdout)
        states = {r["pid"]: (r["uid"], r["state"]) for r in told["recorders"]}
        equal(states.get(run.pid), (int(STRANGER), "released"), str(told))
        equal(held_by(run.pid, root), [])
        time.sleep(0.5)
        report, _ = run.end()
        expect(any(g["reason"] == "released by uid 0" for g in report["quality"]["gaps"]), str(report["quality"]["gaps"]))
    finally:
        run.process.kill()


def test_nobody_to_let_go(place):
    """Where nobody records nothing is held; wrong words are told."""
    told = node(place, "release", "gpu")
    equal(told.returncode, 0, told.stderr)
    expect("nothing is held" in told.stdout, told.stdout)
    for wrong in ((), ("drop", "gpu"), ("release",), ("release", "cpu"), ("release", "gpu", "--for", "5"),
                  ("take", "gpu", "--for", "5s"), ("release", "gpu", "--for", "-1s")):
        equal(node(place, *wrong).returncode, 2, str(wrong))


def test_not_all_are_asked(place):
    """What was not asked is no success: sockets without end, and listeners that never answer."""
    sockets = os.path.join(place, "sockets")
    os.mkdir(sockets, 0o700)
    for number in range(1, 601):
        with open(os.path.join(sockets, str(number)), "w"):
            pass
    told = node(place, "release", "gpu")
    equal(told.returncode, 1, told.stdout + told.stderr)
    expect("not all were asked" in told.stderr, told.stderr)
    shutil.rmtree(sockets)
    os.mkdir(sockets, 0o700)
    silent = []
    for number in range(1, 31):
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        listener.bind(os.path.join(sockets, str(number)))
        listener.listen()
        silent.append(listener)
    told = node(place, "release", "gpu", "--json")
    equal(told.returncode, 1, told.stdout + told.stderr)
    texts = [r["text"] for r in json.loads(told.stdout)["recorders"]]
    equal(texts.count("it does not answer"), 4)
    equal(texts.count("not asked: others of this user do not answer"), 26)
    for listener in silent:
        listener.close()


def test_signals(place):
    """Utilisation, clocks and reasons of throttling are in the report, and give reason to say something."""
    root = make(place, "busy", text="gpu name=NVIDIA_H100 arch=9 counter=field instant=1 limit=700 power=690000 energy=5 "
                "sm_mhz=1410 busy=98 mem_busy=50 temp=83 reasons=24 gpm=1\n")
    report, done = measure(place, root, "sleep", "6")
    signals = {s["id"]: s for s in report["signals"]}
    equal(signals["nvml/gpu-0:sm_clock"]["mean"], 1410000)
    equal(signals["nvml/gpu-0:utilisation"]["mean"], 980000)
    equal(signals["nvml/gpu-0:throttle"]["set"]["power_cap"], 1)
    equal(signals["nvml/gpu-0:throttle"]["set"]["heat"], 1)
    equal(signals["nvml/gpu-0:tensor_activity"]["mean"], 450000)
    throttled = next(i for i in report["insights"] if i["code"] == "throttled")
    equal(throttled["evidence"]["throttled_share"], 1)
    lines = call("profile", os.path.join(place, "out", "j.esr"), "--signals", "-").stdout.splitlines()
    equal(lines[0], "time,node,device,signal,value,unit")
    expect(any(line.endswith("gpu-0,throttle,power_cap|heat,flags") for line in lines), str(lines[:20]))
    with open(os.path.join(place, "out", "j.eprofile.json")) as file:
        curves = json.load(file)["temperatures(C)"]
    expect(all(t is None or abs(t - 83) < 0.01 for t in next(iter(curves.values()))) and len(curves) == 1, str(curves)[:300])
    expect("busy 98 %" in done.stderr and "throttled 100 % of the time" in done.stderr, done.stderr)


def test_killed(place):
    """After kill -9 what was told beside energy is there, up to a second before and the time a busy machine may take."""
    root = make(place, "h100x8")
    for after_s in (0.1, 1.3, 2.6):
        run = Run(place, root)
        time.sleep(after_s)
        run.process.kill()
        killed = time.time()
        with open(run.stop, "w"):
            pass
        run.process.communicate(timeout=60)  # the command outlives its recorder
        done = call("profile", os.path.join(place, "out", "j.esr"), "--signals", "-")
        equal(done.returncode, 0, done.stderr)
        rows = [line.split(",") for line in done.stdout.splitlines()[1:]]
        expect(len({row[2] for row in rows}) == 8 and len(rows) >= 80, str(rows[:3]))
        last = max(datetime.datetime.fromisoformat(row[0]).timestamp() for row in rows)
        expect(killed - last < 3, f"the last {killed - last} s are lost")
        os.unlink(run.stop)
        for name in ("j.esr", "j.eprofile.json"):
            if os.path.exists(os.path.join(place, "out", name)):
                os.unlink(os.path.join(place, "out", name))


def test_library_of_others(place):
    """A library that others may write is not run."""
    root = make(place, "a100x4")
    os.chmod(os.path.join(root, FOLDER, "libnvidia-ml.so.1"), 0o777)
    _, named = told_by(root, "--no-probe")
    expect("others may write it" in named["nvml/gpu-0"]["reason"], named["nvml/gpu-0"])


if __name__ == "__main__":
    if not os.environ.get("ES_NVML_STUB") or not shutil.which(TREE):
        print("1..0 # SKIP no stub of the library")
        sys.exit(0)
    sys.exit(harness.main(sys.modules[__name__]))
