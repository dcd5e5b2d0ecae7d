#!/usr/bin/env python3
# test_msr.py - run, sources and doctor where energy registers are the only meter, or one of several
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import json
import os
import subprocess
import sys

import harness
from harness import PLAYER, TREE, call, equal, expect, last_json, near

STRANGER = "54321"  # a user who owns none of the tree's files, whoever runs the test
SERVER = ["package-0", "dram-0", "package-1", "dram-1"]


def make(place, model, *presets):
    root = os.path.join(place, model)
    subprocess.run([TREE, root, model, *presets], check=True)
    return root


def measure(place, root, *command, options=()):
    done = call("run", "--root", root, "--out", os.path.join(place, "out"), "--name", "j", "--force", "--json",
                "--period", "25ms", *options, "--", *command)
    equal(done.returncode, 0, done.stderr)
    return last_json(done.stderr), done


def truth_of(path):
    with open(path) as file:
        return {zone["key"]: zone for zone in json.load(file)["zones"]}


def play(place, root, seed=1, seconds="300ms", options=()):
    truth = os.path.join(place, "truth.json")
    report, done = measure(place, root, PLAYER, root, "--random", seed, "--duration", seconds, "--truth", truth,
                           options=options)
    return report, truth_of(truth), done


def domains(report):
    return {d["id"]: d for d in report["energy"]["by_domain"]}


def check(report, zones, names, source="msr"):
    """Each domain shows its true joules to one raw unit."""
    for name in names:
        near(domains(report)[f"{source}/{name}"]["energy_j"], zones[name]["energy_uj"] / 1e6,
             zones[name]["unit_nj"] / 1e9 + 2e-6, name)


def check_total(report, zones, names):
    within = sum(zones[name]["unit_nj"] / 1e9 + 2e-6 for name in names)
    near(report["energy"]["node_j"], sum(zones[name]["energy_uj"] for name in names) / 1e6, within, "node")
    equal(report["energy"]["kind"], "measured")
    equal(report["quality"]["failed"], None, "failed readings")


def told_by(root, *options):
    told = json.loads(call("sources", "--json", "--root", root, *options).stdout)
    return told, {d["id"]: d for s in told["sources"] for d in s["domains"]}


def test_servers_near_their_wrap(place):
    """Sapphire Rapids, Skylake and Cascade Lake-AP by registers alone, wrapping on the way: true to one raw unit."""
    dies = [f"{part}-{package}-die-{die}" for package in (0, 1) for die in (0, 1) for part in ("package", "dram")]
    for model, names in (("spr2s-msr", SERVER), ("skx2s-msr", SERVER), ("clxap-msr", dies)):
        report, zones, _ = play(place, make(place, model, "all=near"))
        check(report, zones, names)
        check_total(report, zones, names)
        expect(report["quality"]["wraps"] >= len(names), f"{model}: {report['quality']['wraps']} wraps")
        equal(report["quality"]["resets"], 0)
    equal(zones["dram-0-die-0"]["unit_nj"], 15300)


def test_client_with_psys(place):
    """A notebook's registers: psys is the node, package its part, cores and graphics parts of that."""
    report, zones, _ = play(place, make(place, "client-msr", "all=near"))
    check(report, zones, ["psys", "package-0", "core-0", "uncore-0"])
    check_total(report, zones, ["psys"])
    expect(not domains(report)["msr/core-0"]["chosen"], "a part of the package was counted")


def test_amd_and_hygon(place):
    """AMD and Hygon: packages are true to 15 uJ, single cores are recorded only when asked for."""
    for model, names in (("amd-milan-msr", ["package-0", "package-1"]), ("hygon-msr", ["package-0"])):
        root = make(place, model, "all=near")
        report, zones, _ = play(place, root)
        check(report, zones, names)
        check_total(report, zones, names)
        expect(not any("core" in name for name in domains(report)), domains(report))
    report, zones, _ = play(place, root, options=("--domain", "msr/core-0-cpu-5"))
    check(report, zones, ["core-0-cpu-5"])


def test_registers_beside_zones(place):
    """Registers that show what the kernel's zones show are duplicates, and a run leaves them alone unless asked."""
    root = make(place, "skx2s-msr-too", "all=near")
    told, by_id = told_by(root, "--no-probe")
    equal(told["cover"], [f"powercap/{name}" for name in SERVER])
    for name in SERVER:
        equal((by_id[f"msr/{name}"]["state"], by_id[f"msr/{name}"]["duplicate_of"]), ("duplicate", f"powercap/{name}"))
    report, zones, _ = play(place, root)
    check(report, zones, SERVER, source="powercap")
    check_total(report, zones, SERVER)
    expect(not any(name.startswith("msr/") for name in domains(report)), domains(report))
    report, zones, _ = play(place, root, options=("--domain", "msr/package-1"))
    check(report, {"package-1": zones["package-1@18"]}, ["package-1"])


def test_registers_where_zones_are_denied(place):
    """Where one package's zone may not be read, its register is, and nothing is counted twice."""
    root = make(place, "skx2s-msr-too")
    zone = os.path.join(root, "sys/devices/virtual/powercap/intel-rapl/intel-rapl:1")
    os.unlink(os.path.join(zone, "energy_uj"))
    os.mkdir(os.path.join(zone, "energy_uj"))
    told, by_id = told_by(root, "--no-probe")
    equal(by_id["powercap/package-1"]["state"], "absent")
    equal(by_id["msr/package-1"]["state"], "unproven")
    equal(by_id["msr/package-0"]["state"], "duplicate")
    equal(sorted(told["cover"]), ["msr/package-1", "powercap/dram-0", "powercap/dram-1", "powercap/package-0"])
    report, _ = measure(place, root, "true")
    expect("msr/package-1" in domains(report), domains(report))


def test_cpu_goes_offline(place):
    """The CPU that reads goes offline in the middle: another one of its package goes on, and no joule is lost."""
    root = make(place, "skx2s-msr", "all=near")
    file = os.path.join(root, "dev/cpu/0/msr")
    truth = os.path.join(place, "truth.json")
    # What the run has open becomes empty; the player gets another file in its place.
    leave = (f"sleep 0.2; cp {file} {file}.new && truncate -s 0 {file} && mv {file}.new {file} && "
             f"exec {PLAYER} {root} --random 7 --duration 300ms --truth {truth}")
    report, _ = measure(place, root, "sh", "-c", leave)
    check(report, truth_of(truth), SERVER)
    check_total(report, truth_of(truth), SERVER)


def test_all_cpus_of_a_package_go_offline(place):
    """A package without CPUs costs its readings and no joule of the other one."""
    root = make(place, "skx2s-msr")
    first, others = (os.path.join(root, f"dev/cpu/{cpu}/msr") for cpu in (18, 19))
    # All further CPUs share the second one's file.
    report, _ = measure(place, root, "sh", "-c", f"sleep 0.2; truncate -s 0 {first} {others}; sleep 0.2")
    failed = json.dumps(report["quality"]["failed"])
    expect("msr/package-1" in failed or "msr/dram-1" in failed, failed)
    expect("package-0" not in failed and "dram-0" not in failed, failed)


def test_reset(place):
    """Registers that start again at 0 are a reset: counted, and no wrap is made of it."""
    root = make(place, "hygon-msr", f"package-0={1 << 31}")
    truths = [os.path.join(place, f"truth{i}.json") for i in (1, 2)]
    play_part = "{} {} --random {} --duration 300ms --truth {}"
    zero = os.path.join(place, "zero.py")
    with open(zero, "w") as script:
        script.write("import os\n"
                     f"for cpu in range(8):\n    fd = os.open(f'{root}/dev/cpu/{{cpu}}/msr', os.O_WRONLY)\n"
                     "    os.pwrite(fd, b'\\1' + bytes(7), 8 * 0xc001029b)\n")
    report, _ = measure(place, root, "sh", "-c", "; ".join([
        play_part.format(PLAYER, root, 1, truths[0]), "sleep 0.2", f"{sys.executable} {zero}", "sleep 0.2",
        play_part.format(PLAYER, root, 2, truths[1])]))
    true_j = sum(truth_of(path)["package-0"]["energy_uj"] for path in truths) / 1e6
    lines = call("profile", "--csv", "-", report["recording"]).stdout.splitlines()
    seen_j = [line.split(",")[4] for line in lines if ",package-0," in line]
    near(float(seen_j[-1]), true_j, 1e-4, "package-0")
    equal(report["quality"]["resets"], 1)
    equal(report["quality"]["wraps"], 0)


def test_virtual_machines_without_registers(place):
    """Registers that read 0, or none at all, are no meter: the node is estimated and it is said why."""
    for model, words in (("vm-msr-zeros", "reads 0"), ("vm-msr-broken", "cannot be read")):
        root = make(place, model)
        _, by_id = told_by(root, "--no-probe")
        equal(by_id["msr/package-0"]["state"], "absent")
        expect(words in by_id["msr/package-0"]["reason"], by_id["msr/package-0"])
        report, _ = measure(place, root, "sleep", "0.2")
        equal(report["energy"]["kind"], "estimated")
        expect("msr/package-0" not in domains(report), domains(report))


def test_rights(place):
    """Registers that may not be read are denied, with the command that helps; beside a meter that may be, that is fine."""
    root = make(place, "spr2s-msr")
    _, by_id = told_by(root, "--no-probe", "--as", STRANGER)
    equal(by_id["msr/package-1"]["state"], "denied")
    expect("root only" in by_id["msr/package-1"]["reason"], by_id["msr/package-1"])
    expect(f"chgrp {STRANGER}" in by_id["msr/package-1"]["fix"], by_id["msr/package-1"])
    for cpu in (0, 56):
        os.chmod(os.path.join(root, f"dev/cpu/{cpu}/msr"), 0o444)
    _, by_id = told_by(root, "--no-probe", "--as", STRANGER)
    expect("CAP_SYS_RAWIO" in by_id["msr/package-0"]["reason"], by_id["msr/package-0"])
    done = call("doctor", "--json", "--root", root, "--as", STRANGER)
    equal(done.returncode, 1, done.stdout)
    expect(any(f["what"] == "rights" and f["verdict"] == "problem" and "setcap" in f["fix"]
               for f in json.loads(done.stdout)["findings"]), done.stdout)
    root = make(place, "skx2s-msr-too")
    for folder, _, files in os.walk(os.path.join(root, "sys/devices/virtual/powercap")):
        if "energy_uj" in files:
            os.chmod(os.path.join(folder, "energy_uj"), 0o444)
    _, by_id = told_by(root, "--no-probe", "--as", STRANGER)
    equal((by_id["msr/dram-1"]["state"], by_id["msr/dram-1"]["fix"]), ("denied", None))
    expect("not needed" in by_id["msr/dram-1"]["reason"], by_id["msr/dram-1"])
    done = call("doctor", "--json", "--root", root, "--as", STRANGER)
    equal(done.returncode, 0, done.stdout)
    findings = [f for f in json.loads(done.stdout)["findings"] if f["what"] == "rights"]
    equal([f["verdict"] for f in findings], ["ok"], findings)


def test_files_laid_out_as_the_device(place):
    """A tree whose register files are laid out as the device is (register R at byte R) is read too."""
    root = make(place, "skx2s-msr")
    for cpu in range(72):
        file = os.path.join(root, f"dev/cpu/{cpu}/msr")
        os.unlink(file)
        with open(file, "wb") as registers:
            registers.truncate(0x655)
            for register, value in ((0x606, 0xa0e03), (0x611, 16384 * 7), (0x619, 5000)):
                registers.seek(register)
                registers.write(value.to_bytes(8, "little"))
    told, by_id = told_by(root, "--no-probe")
    equal(told["cover"], [f"msr/{name}" for name in SERVER])
    equal(by_id["msr/package-0"]["limit_w"], None, "overlapping registers are no limit")
    equal(by_id["msr/dram-0"]["range_uj"], 65712999613)


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
