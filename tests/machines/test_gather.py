#!/usr/bin/env python3
# test_gather.py - tools/gather-machine: what it packs is what was there, in any shell, for anybody
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import json
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "e2e"), HERE]

import harness  # noqa: E402
from dumps import Dump  # noqa: E402
from faulty import Faulty  # noqa: E402
from harness import PLAYER, SOURCE_ROOT, TREE, Skip, call, equal, expect  # noqa: E402

SCRIPT = os.path.join(SOURCE_ROOT, "tools", "gather-machine")
# Small ones of every kind of meter: the others come from the same rows in the same way.
ANEW = ("intel-client", "intel-atom-server", "amd-mi300x", "amd-apu-laptop", "nvidia-gh200", "nvidia-grace", "cray-ex", "cray-xc",
        "cloud-vm-psys", "intel-max-1550")
APPLETS = "sh cat od sed awk tr sort stat readlink tar gzip grep head tail wc cut mktemp mkdir rm mv cp chmod date id dd sleep ls"
NOBODY = 65534


def gather(place, *options, shell=(), env=None, name="m", status=0):
    """Run it; returns the dump and what was said."""
    out = os.path.join(place, name + ".tar.gz")
    done = subprocess.run([*shell, SCRIPT, "--name", name, "--output", out, "--reads", "1", *options], capture_output=True, text=True,
                          check=False, env=env, timeout=120)
    equal(done.returncode, status, done.stderr)
    return (Dump(out) if status == 0 else None), done.stderr


def tree(place, model, *presets):
    root = os.path.join(place, "tree-" + model)
    subprocess.run([TREE, root, model, *presets], check=True)
    return root


def values(dump):
    return {path: (kind, value) for kind, _, path, value in dump.files}


def told_of(root):
    told = json.loads(call("sources", "--json", "--no-probe", "--root", root, "--as", "0").stdout)
    return {key: told[key] for key in ("sources", "cover", "cover_total", "unmeasured")}


def test_nothing_is_lost(place):
    """A tree that was packed and unpacked is the same machine to the last word, registers and tables of bytes included"""
    for model in ("client-psys", "clxap", "amd-zen1-dies", "amd-milan-msr", "client-msr", "grace", "power9", "mi250x", "cray-ex-amd",
                  "cray-xc-old", "cray-broken", "xe-gpu", "vm-psys-only", "old-kernel"):
        root, copy = tree(place, model), os.path.join(place, "copy-" + model)
        dump, _ = gather(place, "--root", root, "--msr", name=model)
        dump.unpack(copy)
        got, want = told_of(copy), told_of(root)
        for key, value in want.items():
            equal(got[key], value, f"{model}: {key}")


def test_nothing_else_is_read(place):
    """--list names the files and reads none; every file in the tarball is one of them, and the tree's others are not"""
    root = tree(place, "client-psys")
    with open(os.path.join(root, "proc", "secret"), "w") as file:
        file.write("secret")
    done = subprocess.run([SCRIPT, "--root", root, "--list"], capture_output=True, text=True, check=True)
    listed = set(done.stdout.split())
    dump, _ = gather(place, "--root", root)
    expect({"/" + path for kind, _, path, _ in dump.files} <= listed, listed)
    expect(not any("secret" in path or "autosuspend" in path for path in values(dump)), "read what nobody asked for")
    kept = os.stat(os.path.join(root, "proc/cpuinfo")).st_atime_ns
    expect(kept > 0 and "/proc/cpuinfo" in listed, listed)


def test_modes_and_links(place):
    """Modes and links are kept"""
    dump, _ = gather(place, "--root", tree(place, "skx2s"))
    rows = {path: (kind, mode, value) for kind, mode, path, value in dump.files}
    zone = "sys/devices/virtual/powercap/intel-rapl/intel-rapl:0"
    equal(rows[zone + "/energy_uj"][:2], ("file", "0400"))
    equal(rows[zone + "/name"], ("file", "0444", "package-0\\n"))
    equal(rows["sys/class/powercap/intel-rapl:0"], ("link", "-", "../../devices/virtual/powercap/intel-rapl/intel-rapl:0"))
    copy = os.path.join(place, "copy")
    dump.unpack(copy)
    equal(os.stat(os.path.join(copy, zone, "energy_uj")).st_mode & 0o777, 0o400)


def test_motion_is_kept(place):
    """What counters show later is kept, read after read; what a command between the reads fails with ends it"""
    root = tree(place, "skx2s", "package-0=1000")
    dump, _ = gather(place, "--root", root, "--reads", "3", "--between",
                     f"{PLAYER} {root} --at-once 1s --duration 1s && test $READ -gt 1")
    equal(sorted(dump.motion), [2, 3])
    path = "sys/devices/virtual/powercap/intel-rapl/intel-rapl:0/energy_uj"
    first, last = dump.moves()[path]
    equal(first, 61035)
    expect(abs(last - first - 300e6) < 200, last - first)  # 2 s of 150 W
    gather(place, "--root", root, "--reads", "2", "--between", "false", status=1)


def test_any_shell(place):
    """dash and busybox with its own small tools pack the same as everything else here"""
    root = tree(place, "cray-xc-old")
    want = gather(place, "--root", root, name="m")[0].files
    shells = []
    if shutil.which("dash"):
        shells.append((("dash",), None))
    if shutil.which("bash"):
        shells.append((("bash", "--posix"), None))
    if shutil.which("busybox"):
        folder = os.path.join(place, "bin")
        os.mkdir(folder)
        for applet in APPLETS.split():
            os.symlink(shutil.which("busybox"), os.path.join(folder, applet))
        shells.append(((os.path.join(folder, "sh"),), {"PATH": folder}))
    for shell, env in shells:
        equal(gather(place, "--root", root, shell=shell, env=env)[0].files, want, shell[0])
        mixed = tree(place, "mi250x")
        equal(gather(place, "--root", mixed, shell=shell, env=env)[0].files, gather(place, "--root", mixed)[0].files, shell[0])
    if len(shells) < 3:
        raise Skip("no " + ", ".join({"dash", "bash", "busybox"} - {os.path.basename(s[0][0]).replace("sh", "busybox") for s in shells}))


def test_errors_are_kept(place):
    """What cannot be read is kept as the error it gave, odd bytes as bytes, and the rest goes on"""
    zone = "sys/devices/virtual/powercap/intel-rapl/intel-rapl:"
    with Faulty(place, "errors") as fs:
        fs.tell(f"*intel-rapl:0/energy_uj EIO\n*intel-rapl:0/name EINVAL\n*intel-rapl:1/energy_uj ENODATA\n"
                f"*intel-rapl:1/name text=\\01\\0\\n\n*:0/max_energy_range_uj text=a\\\\b\n")
        got = values(gather(place, "--root", fs.mount)[0])
        equal(got[zone + "0/energy_uj"], ("error", "EIO"))
        equal(got[zone + "0/name"], ("error", "EINVAL"))
        equal(got[zone + "1/energy_uj"], ("error", "ENODATA"))
        equal(got[zone + "1/name"][0], "data")
        equal(got[zone + "1/intel-rapl:1:0/name"], ("file", "dram\\n"))


def test_denied_is_kept(place):
    """An ordinary user's tarball says what was denied, and the copy is denied again"""
    root = tree(place, "skx2s")
    if os.geteuid() == 0:
        # Others must be able to come by.
        os.chmod(place, 0o755)
        shell = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
        if not shutil.which("setpriv"):
            raise Skip("no setpriv")
        if not os.access(SCRIPT, os.X_OK) or subprocess.run([*shell, "test", "-x", SCRIPT], check=False).returncode != 0:
            raise Skip("others cannot reach the script here")
        out = os.path.join(place, "out")
        os.mkdir(out)
        os.chown(out, NOBODY, NOBODY)
    else:
        for folder, _, files in os.walk(root):
            for name in files:
                if name == "energy_uj":
                    os.chmod(os.path.join(folder, name), 0)
        shell, out = (), place
    dump, _ = gather(out, "--root", root, shell=shell)
    equal(values(dump)["sys/devices/virtual/powercap/intel-rapl/intel-rapl:0/energy_uj"], ("error", "EACCES"))
    copy = os.path.join(place, "copy")
    dump.unpack(copy)
    told = json.loads(call("sources", "--json", "--no-probe", "--root", copy, "--as", "54321").stdout)
    states = {d["id"]: d["state"] for s in told["sources"] for d in s["domains"]}
    equal(states["powercap/package-0"], "denied")


def test_anonymous(place):
    """--anonymous replaces host name, UUIDs, MAC addresses and long ids, the same by the same; numbers stay"""
    root = tree(place, "icx2s")
    uuid, other = "5f3c2b1a-0000-4000-8000-00000000e5e5", "0A0B0C0D-1111-2222-3333-444455556666"
    long_id = "c0ffee" * 10 + "abcd"

    def put(path, text):
        where = os.path.join(root, path)
        os.makedirs(os.path.dirname(where), exist_ok=True)
        if os.path.exists(where):
            os.chmod(where, 0o600)
        with open(where, "w") as file:
            file.write(text)

    put("proc/sys/kernel/hostname", "login7\n")
    put("sys/class/dmi/id/product_name", f"login7 {uuid} and {uuid} not {other} ologin7\n")
    put("sys/class/dmi/id/board_name", "52:54:00:ab:cd:ef\n")
    put("sys/class/dmi/id/bios_version", long_id + "\n")
    dump, _ = gather(place, "--root", root, "--anonymous", "--note", f"seen on login7, {other}")
    got = values(dump)
    equal(got["proc/sys/kernel/hostname"], ("file", "node-1\\n"))
    words = got["sys/class/dmi/id/product_name"][1].replace("\\n", "").split()
    equal((words[0], words[1] == words[3], words[1] != words[5], words[6]), ("node-1", True, True, "ologin7"), words)
    expect(got["proc/sys/kernel/random/boot_id"][1].startswith(words[1]), "the same UUID became another one")
    expect(dump.origin["note"][0] == f"seen on node-1, {words[5]}", dump.origin)
    everything = str(dump.files) + str(dump.motion) + str(dump.origin)
    for secret in (uuid, other, "52:54:00", long_id, "login7 "):
        expect(secret not in everything, secret)
    equal(got["sys/devices/virtual/powercap/intel-rapl/intel-rapl:0/max_energy_range_uj"], ("file", "262143328850\\n"))


def test_answers_of_libraries(place):
    """What the GPUs' tools say is kept, and made into a table that the stand-in for NVIDIA's library plays; a tool that fails is no harm"""
    folder = os.path.join(place, "bin")
    os.mkdir(folder)
    tools = {
        "nvidia-smi": "case $1 in -L) echo 'GPU 0: NVIDIA A100 (UUID: GPU-0a0b0c0d-1111-2222-3333-444455556666)' ;; *)\n"
                      "echo 'name, uuid, pci.bus_id, pci.device_id, driver_version, power.limit [W], power.draw [W], mig.mode.current, compute_cap'\n"
                      "echo 'NVIDIA A100-SXM4-40GB, GPU-0a0b0c0d-1111-2222-3333-444455556666, 00000000:17:00.0, 0x20B010DE, 550.54.15, "
                      "400.00 W, 61.52 W, Disabled, 8.0' ;; esac",
        "energyscopium": "echo '{\"sources\":[{\"domains\":[{\"id\":\"nvml/gpu-0\",\"type\":\"gpu\",\"kind\":\"measured\"}]}]}'",
        "rocm-smi": "echo 'no such device' >&2; exit 3",
    }
    for name, text in tools.items():
        with open(os.path.join(folder, name), "w") as file:
            file.write(f"#!/bin/sh\n{text}\n")
        os.chmod(os.path.join(folder, name), 0o755)
    dump, _ = gather(place, "--anonymous", env={"PATH": folder + ":" + os.environ["PATH"]})
    equal(dump.others["nvml.table"].decode().splitlines(),
          ["driver 550.54.15",
           f"gpu name=NVIDIA_A100-SXM4-40GB uuid=GPU-{uuid_of(dump)} bus=0000:17:00.0 device=20B0 arch=7 counter=field limit=400 power=61520"])
    expect(b"0a0b0c0d" not in b"".join(dump.others.values()), "a GPU's UUID stayed")
    equal(dump.others["answers/rocm-smi.json"], b"no such device\n")
    root = os.path.join(place, "tree")
    dump.unpack(root, os.environ["ES_NVML_STUB"])
    for name, value in (("class", "0x030200"), ("vendor", "0x10de"), ("device", "0x20b0")):
        where = os.path.join(root, "sys/bus/pci/devices/0000:17:00.0", name)
        os.makedirs(os.path.dirname(where), exist_ok=True)
        with open(where, "w") as file:
            file.write(value + "\n")
    told = told_of(root)
    expect("nvml/gpu-0" in told["cover"], told["cover"])


def uuid_of(dump):
    return dump.others["answers/nvidia-smi-L.txt"].decode().split("GPU-")[1][:36]


def test_usage(place):
    """Wrong usage ends with 2 and a word, a place that cannot be written with 1"""
    for options in (["--nonsense"], ["--reads", "0"], ["--reads", "x"], ["--name", "../x"], ["--name", ""], ["--output"]):
        done = subprocess.run([SCRIPT, *options], capture_output=True, text=True, check=False, cwd=place)
        equal(done.returncode, 2, options)
        expect(done.stderr.startswith("energyscopium-gather-machine: "), done.stderr)
    equal(os.listdir(place), [])
    root = tree(place, "vm-psys-only")
    done = subprocess.run([SCRIPT, "--root", root, "--reads", "1", "--output", os.path.join(place, "no", "where")], capture_output=True,
                          text=True, check=False)
    equal(done.returncode, 1, done.stderr)
    expect("cannot write" in done.stderr, done.stderr)


def test_this_machine(place):
    """This machine itself is packed, as who the test runs as, and the copy stands for it"""
    dump, _ = gather(place, "--anonymous", "--no-answers")
    equal(dump.origin["kind"], ["real"])
    copy = os.path.join(place, "copy")
    dump.unpack(copy)
    expect(told_of(copy)["cover"], "nothing stands for it")


def test_synthetic_machines_are_current(place):
    """The synthetic machines here are those that tools/make-machines makes today"""
    build = os.path.dirname(os.path.dirname(os.path.dirname(TREE)))
    subprocess.run([os.path.join(SOURCE_ROOT, "tools", "make-machines"), "--build", build, "--out", place, *ANEW], check=True,
                   stdout=subprocess.DEVNULL)
    for name in ANEW:
        old, new = Dump(os.path.join(HERE, name + ".tar.gz")), Dump(os.path.join(place, name + ".tar.gz"))
        equal(new.files, old.files, name)
        equal((new.motion, new.origin, new.others), (old.motion, old.origin, old.others), name)


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
