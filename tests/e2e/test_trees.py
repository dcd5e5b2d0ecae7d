#!/usr/bin/env python3
# test_trees.py - run, sources and doctor on trees that stand for machines, against the player's truth
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time

import harness
from harness import PLAYER, PROGRAM, TREE, call, clean_environment, equal, expect, last_json, near


def make(place, model, *presets):
    root = os.path.join(place, model)
    subprocess.run([TREE, root, model, *presets], check=True)
    return root


def play(place, root, *args, seed=1, seconds="1500ms", period="100ms", script=None):
    """Measure the player on a tree: the report as JSON, and the truth by domain name."""
    truth = os.path.join(place, "truth.json")
    how = ["--script", script] if script else ["--random", str(seed), "--duration", seconds]
    done = call("run", "--root", root, "--out", os.path.join(place, "out"), "--name", "j", "--force", "--json",
                "--period", period, *args, "--", PLAYER, root, *how, "--truth", truth)
    equal(done.returncode, 0, done.stderr)
    with open(truth) as file:
        zones = {zone["key"]: zone for zone in json.load(file)["zones"]}
    return last_json(done.stderr), zones, done


def domains(report):
    return {d["id"]: d for d in report["energy"]["by_domain"]}


def check_domain(report, zones, name):
    """A domain shows its true joules to one raw unit."""
    got = domains(report)["powercap/" + name]["energy_j"]
    near(got, zones[name]["energy_uj"] / 1e6, zones[name]["unit_nj"] / 1e9 + 2e-6, name)


def check_total(report, zones, names):
    true_j = sum(zones[name]["energy_uj"] for name in names) / 1e6
    within = sum(zones[name]["unit_nj"] / 1e9 + 2e-6 for name in names)
    near(report["energy"]["node_j"], true_j, within, "node")
    equal(report["energy"]["kind"], "measured")
    near(report["energy"]["metered_share"], 1, 1e-9, "metered share")


def check_machine(place, model, names, *presets, wraps=0):
    report, zones, _ = play(place, make(place, model, *presets))
    for name in names:
        check_domain(report, zones, name)
    check_total(report, zones, names)
    equal(report["quality"]["resets"], 0, "resets")
    equal(report["quality"]["rejected"], 0, "rejected")
    expect(report["quality"]["wraps"] >= wraps, f"wraps: {report['quality']['wraps']}")
    return report, zones


STRANGER = "54321"  # a user who owns none of the tree's files, whoever runs the test
SERVER = ["package-0", "dram-0", "package-1", "dram-1"]


def test_sapphire_rapids_near_wrap(place):
    """2 x Sapphire Rapids: 61 uJ counters that wrap on the way give the true joules to one raw unit."""
    report, _ = check_machine(place, "spr2s", SERVER, "all=near", wraps=4)
    for name in ("psys", "psys-1"):
        expect(not domains(report)["powercap/" + name]["chosen_total"], "psys of unknown scope was counted")


def test_skylake_memory(place):
    """2 x Skylake: memory counts in 15.3 uJ and wraps at its own range."""
    report, zones = check_machine(place, "skx2s", SERVER, "all=near", wraps=4)
    equal(zones["dram-0"]["unit_nj"], 15300)
    equal(report["energy"]["residual_j"], 0)


def test_cascade_lake_ap_dies(place):
    """Cascade Lake-AP: four real dies with their memory are all counted."""
    names = [f"{part}-{package}-die-{die}" for package in (0, 1) for die in (0, 1) for part in ("package", "dram")]
    check_machine(place, "clxap", names, "all=near", wraps=4)


def test_mirrored_dies(place):
    """First Zen: dies that mirror one counter are counted once."""
    report, zones, _ = play(place, make(place, "amd-zen1-dies", "all=near"))
    chosen = [d["id"] for d in report["energy"]["by_domain"] if d["chosen"]]
    expect(all(name.endswith("die-0") for name in chosen) and chosen, chosen)
    check_total(report, zones, [name.split("/")[1] for name in chosen])
    expect(any(d["state"] == "duplicate" for d in report["energy"]["by_domain"]), "no duplicate is named")


def test_client_with_psys(place):
    """A notebook: psys is the node, package and memory its parts, and the MMIO twin is counted never."""
    report, zones, _ = play(place, make(place, "client-psys"))
    got = domains(report)
    near(report["energy"]["node_j"], zones["psys"]["energy_uj"] / 1e6, zones["psys"]["unit_nj"] / 1e9 + 2e-6, "psys")
    equal(got["powercap/intel-rapl-mmio:package-0"]["state"], "duplicate")
    expect(got["powercap/package-0"]["chosen"] and not got["powercap/package-0"]["chosen_total"], "package is a part")
    parts = sum(d["energy_j"] for d in got.values() if d["chosen"])
    near(report["energy"]["residual_j"], report["energy"]["node_j"] - parts, 1e-5, "residual")
    expect(report["energy"]["residual_j"] > 0, "psys holds more than its parts")


def test_name_of_twin_domains(place):
    """profile --domain NAME takes one of the domains that show the same joules under that name."""
    play(place, make(place, "client-psys"), seconds="300ms")
    recording = os.path.join(place, "out", "j.esr")
    by_name = call("profile", "--csv", "-", "--domain", "package-0", recording)
    equal(by_name.returncode, 0, by_name.stderr)
    equal(by_name.stdout, call("profile", "--csv", "-", "--domain", "powercap/package-0", recording).stdout)
    twin = call("profile", "--csv", "-", "--domain", "powercap/intel-rapl-mmio:package-0", recording)
    equal(twin.returncode, 0, twin.stderr)
    expect(len(twin.stdout.splitlines()) > 2, "its id still shows the twin")


def test_other_machines(place):
    """Ice Lake, Broadwell, AMD, Hygon, Granite Rapids and eight packages with hexadecimal zones: true to one unit each."""
    for model, names in (("icx2s", SERVER), ("bdx2s", SERVER), ("clx2s", SERVER), ("amd1", ["package-0"]), ("hygon1", ["package-0"]),
                         ("amd-milan2s", ["package-0", "package-1"])):
        inner = os.path.join(place, model + ".d")
        os.mkdir(inner)
        report, zones, _ = play(inner, make(inner, model, "all=near"), seconds="400ms", period="20ms")
        for name in names:
            check_domain(report, zones, name)
        check_total(report, zones, names)
    for model in ("gnr-tpmi", "spr8s", "old-kernel"):
        inner = os.path.join(place, model + ".d")
        os.mkdir(inner)
        report, zones, _ = play(inner, make(inner, model, "all=near"), seconds="400ms", period="20ms")
        names = [name for name in zones if name.startswith(("package", "dram"))]
        expect(len(names) >= 2, names)
        for name in names:
            check_domain(report, zones, name)
        # Granite Rapids has one psys domain for the board: it moves and holds its parts, so it stands for the node.
        check_total(report, zones, ["psys"] if model == "gnr-tpmi" else names)


def test_windows(place):
    """Every sample between two readings holds what the player added in it, whatever the period: cumulative to one unit."""
    root = make(place, "spr2s", "all=near")
    report, zones, _ = play(place, root, seconds="1s", period="5ms")
    csv = call("profile", "--csv", "-", report["recording"]).stdout.splitlines()[1:]
    last = {}
    for line in csv:
        _, _, domain, power, energy = line.split(",")
        # The line where a domain begins has no power yet.
        expect(float(power or 0) >= 0 and float(energy) >= last.get(domain, 0.0), line)
        last[domain] = float(energy)
    for name in SERVER:
        near(last[name], zones[name]["energy_uj"] / 1e6, zones[name]["unit_nj"] / 1e9 + 2e-6, name)
    tags = json.loads(call("profile", report["recording"]).stdout)["tags"]
    near(tags["es_total"]["joule(J)"], sum(last.values()), 1e-5, "es_total")


def test_phases_in_the_profile(place):
    """The profile shows a phase of 300 W and one of 100 W as such."""
    root = make(place, "amd1")
    script = os.path.join(place, "script")
    with open(script, "w") as file:
        file.write("700ms package-0=300\n700ms package-0=100\n")
    report, _, _ = play(place, root, script=script, period="50ms")
    curve = json.loads(call("profile", report["recording"]).stdout)["devices"]
    powers = next(iter(curve.values()))
    near(powers[len(powers) // 4], 300, 12, "first phase")
    near(powers[len(powers) * 3 // 4], 100, 12, "second phase")


def test_ordinary_user(place):
    """For an ordinary user the same tree is denied, with the exact command that opens it, and nothing is 0."""
    root = make(place, "spr2s")
    told = json.loads(call("sources", "--json", "--root", root, "--as", STRANGER).stdout)
    powercap = next(s for s in told["sources"] if s["name"] == "powercap")
    equal(powercap["state"], "denied")
    for domain in powercap["domains"]:
        expect(domain["state"] == "denied" and "sudo" in domain["fix"], domain)
    done = call("run", "--root", root, "--as", STRANGER, "--require", "measured", "--out", place, "--", "true")
    equal(done.returncode, 125, done.stderr)
    expect("require measured" in done.stderr, done.stderr)
    done = call("run", "--root", root, "--as", STRANGER, "--domain", "package-0", "--out", place, "--", "true")
    equal(done.returncode, 125, done.stderr)
    expect("sudo" in done.stderr, done.stderr)
    done = call("run", "--root", root, "--as", STRANGER, "--out", place, "--name", "e", "--json", "--", "sleep", "0.3")
    report = last_json(done.stderr)
    equal(report["energy"]["kind"], "estimated", done.stderr)
    equal(report["energy"]["measured_j"], None)
    expect("denied" in done.stderr and "fix" in done.stderr and "estimated" in done.stderr, done.stderr)


def test_sources_json(place):
    """sources tells covers, states, ranges and parents, and what is left out and why."""
    root = make(place, "client-psys")
    player = subprocess.Popen([PLAYER, root, "--random", "2", "--duration", "4s"])
    try:
        told = json.loads(call("sources", "--json", "--root", root).stdout)
    finally:
        player.kill()
        player.wait()
    equal(told["schema"], "energyscopium.sources/1")
    equal([s["name"] for s in told["sources"]],
          ["perf", "powercap", "nvml", "msr", "amdgpu", "hsmp", "hwmon", "amdsmi", "rocm", "levelzero", "cray", "estimate"])
    by_id = {d["id"]: d for s in told["sources"] for d in s["domains"]}
    equal(told["cover_total"], ["powercap/psys"])
    expect("powercap/package-0" in told["cover"] and "powercap/psys" not in told["cover"], told["cover"])
    equal(by_id["powercap/core-0"]["parent"], "powercap/package-0")
    equal(by_id["powercap/package-0"]["range_uj"], 262143328850)
    equal(by_id["powercap/package-0"]["state"], "ok")
    twin = by_id["powercap/intel-rapl-mmio:package-0"]
    equal((twin["state"], twin["duplicate_of"]), ("duplicate", "powercap/package-0"))
    expect(by_id["powercap/core-0"]["reason"], "core is left out without a reason")
    perf = next(s for s in told["sources"] if s["name"] == "perf")
    equal(perf["state"], "absent")


def test_standing_tree(place):
    """Counters that stand still are unproven, and a run on them says n/a, never 0."""
    root = make(place, "skx2s")
    told = json.loads(call("sources", "--json", "--root", root).stdout)
    equal({d["state"] for s in told["sources"] if s["name"] == "powercap" for d in s["domains"]}, {"unproven"})
    equal(len(told["cover"]), 4)
    os.unlink(os.path.join(root, "proc/stat"))
    done = call("run", "--root", root, "--out", place, "--name", "s", "--json", "--", "sleep", "0.5")
    report = last_json(done.stderr)
    equal(report["energy"]["node_j"], None)
    expect("estimated energy(kWh)<n/a>" in done.stderr, done.stderr)


def test_vm_with_standing_psys(place):
    """A VM whose psys stays 0 gets an estimate that says so, not 0 J."""
    root = make(place, "vm-psys-only")
    done = call("run", "--root", root, "--out", place, "--name", "v", "--json", "--", "sleep", "0.5")
    report = last_json(done.stderr)
    equal(report["energy"]["kind"], "estimated", done.stderr)
    expect(report["energy"]["node_j"] > 0, done.stderr)
    psys = domains(report)["powercap/psys"]
    equal(psys["energy_j"], None)
    expect(not psys["chosen"] and psys["reason"], psys)
    done = call("run", "--root", root, "--out", place, "--name", "w", "--require", "measured", "--", "sleep", "0.3")
    equal(done.returncode, 125, done.stderr)


def test_no_meter(place):
    """Without any meter the node is estimated, as such, with its interval."""
    root = make(place, "no-meter")
    done = call("run", "--root", root, "--out", place, "--name", "n", "--json", "--", "sleep", "0.3")
    report = last_json(done.stderr)
    equal(report["energy"]["kind"], "estimated")
    expect(report["energy"]["uncertainty_j"] > 0.2 * report["energy"]["node_j"], report["energy"])
    expect("estimated ±" in done.stderr, done.stderr)
    done = call("run", "--root", root, "--out", place, "--require", "measured", "--", "true")
    equal(done.returncode, 125)


def test_counter_vanishes(place):
    """A counter that vanishes and one that shows rubbish cost their readings, no joule, and are named."""
    root = make(place, "skx2s")
    zone = os.path.join(root, "sys/devices/virtual/powercap/intel-rapl/intel-rapl:1/intel-rapl:1:0/energy_uj")
    os.chmod(zone, 0o600)
    spoil = (f"sleep 0.4; printf 'rubbish\\n' > {zone}; sleep 0.3; exec {PLAYER} {root} --random 5 --duration 300ms "
             f"--truth {place}/truth.json")
    done = call("run", "--root", root, "--out", place, "--name", "x", "--json", "--period", "50ms", "--", "sh", "-c", spoil)
    report = last_json(done.stderr)
    with open(os.path.join(place, "truth.json")) as file:
        zones = {z["key"]: z for z in json.load(file)["zones"]}
    expect(report["quality"]["failed"], done.stderr)
    for name in ("package-0", "dram-0", "package-1"):
        check_domain(report, zones, name)


def test_links_out_of_a_tree(place):
    """A link that leads out of the tree is not followed."""
    root = make(place, "skx2s")
    zone = os.path.join(root, "sys/devices/virtual/powercap/intel-rapl/intel-rapl:0/energy_uj")
    outside = os.path.join(place, "outside")
    with open(outside, "w") as file:
        file.write("1\n")
    os.unlink(zone)
    os.symlink(outside, zone)
    told = json.loads(call("sources", "--no-probe", "--json", "--root", root).stdout)
    state = {d["id"]: d["state"] for s in told["sources"] for d in s["domains"]}
    equal(state["powercap/package-0"], "absent")
    equal(state["powercap/package-1"], "unproven")


def test_doctor(place):
    """doctor finds denied meters a problem, with the fix, and says what kind of machine this is."""
    root = make(place, "spr2s")
    done = call("doctor", "--json", "--root", root, "--as", STRANGER)
    equal(done.returncode, 1, done.stderr)
    told = json.loads(done.stdout)
    equal(told["schema"], "energyscopium.doctor/1")
    expect(any(f["what"] == "rights" and f["verdict"] == "problem" and "sudo" in f["fix"] for f in told["findings"]), told)
    done = call("doctor", "--root", root)
    equal(done.returncode, 0, done.stdout)
    expect("Xeon" in done.stdout, done.stdout)


def test_watching_takes_a_second(place):
    """--no-probe answers at once; watching takes about a second."""
    root = make(place, "skx2s")
    begun = time.monotonic()
    call("sources", "--no-probe", "--root", root)
    quick = time.monotonic() - begun
    call("sources", "--root", root)
    expect(quick < 0.7, f"{quick} s without a probe")
    expect(time.monotonic() - begun - quick >= 1.0, "it did not watch")


def test_bad_root(place):
    """A tree that is not there, and a user that is no number, are named."""
    for command in ("sources", "doctor"):
        done = call(command, "--root", os.path.join(place, "nothing"))
        equal(done.returncode, 1)
        expect("nothing" in done.stderr, done.stderr)
        equal(call(command, "--root", place, "--as", "me").returncode, 2)


def steady(place, text):
    """A tree of two packages that draws what the script's line says for 4 s; who plays it."""
    root = make(place, "spr2s")
    script = os.path.join(place, "steady")
    with open(script, "w") as file:
        file.write(text)
    return root, subprocess.Popen([PLAYER, root, "--script", script, "--truth", os.path.join(place, "truth")])


def test_top_shows_what_each_domain_draws(place):
    """One frame of top has the watts that the meters move by."""
    root, player = steady(place, "4s package-0=200 package-1=120 dram=20 rest=0\n")
    try:
        done = call("top", "--root", root, "--once", "--json")
    finally:
        player.kill()
        player.wait()
    equal(done.returncode, 0, done.stderr)
    gauges = {g["name"]: g for g in json.loads(done.stdout)["gauges"]}
    for name, power_w in (("package-0", 200), ("package-1", 120), ("dram-0", 20)):
        near(gauges[name]["power_w"], power_w, 0.1 * power_w, name)
        expect(gauges[name]["limit_w"] is None or gauges[name]["limit_w"] > 0, "limit")
        equal(len(gauges[name]["history_w"]), 8, "readings")
    expect(gauges["node"]["total"] and gauges["node"]["power_w"] > 300, f"node: {gauges['node']}")
    equal(gauges["node"]["kind"], "measured")


def test_top_draws_one_frame_where_nobody_can_press_keys(place):
    """Without a terminal top prints a frame in plain ASCII and ends."""
    done = call("top", "--root", make(place, "spr2s"), "--period", "200ms", env={"LC_ALL": "C", "COLUMNS": "80"})
    equal(done.returncode, 0, done.stderr)
    expect(done.stdout.startswith("energyscopium top  "), done.stdout)
    expect(done.stdout.isascii() and "\033" not in done.stdout, done.stdout)
    expect(max(map(len, done.stdout.splitlines())) <= 80, done.stdout)


def test_top_keys_do_not_shorten_intervals(place):
    """Keys in quick succession are answered, and no frame is of a time too short for meters to move."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 20, 40, 0, 0))
    with subprocess.Popen([PROGRAM, "top", "--root", make(place, "spr2s"), "--period", "200ms"], stdin=child, stdout=child,
                          env=clean_environment({"TERM": "xterm", "LC_ALL": "C", "NO_COLOR": "1"})) as process:
        os.close(child)
        output = b""
        for keys in (b"aaa", b"aaaaa", b"++--", b"q"):
            frames = output.count(b"mean of ")
            while output.count(b"mean of ") < frames + 3:
                output += os.read(parent, 65536)
            os.write(parent, keys)
        try:
            while data := os.read(parent, 65536):
                output += data
        except OSError:
            pass  # it has closed its side
        equal(process.wait(), 0, "status")
    os.close(parent)
    units = set(re.findall(rb"mean of [0-9.]+ (\w+)", output))
    expect(units <= {b"ms", b"s"}, f"intervals in {units}")
    shortest = min(float(n) for n in re.findall(rb"mean of ([0-9.]+) ms", output))
    expect(shortest > 50, f"an interval of {shortest} ms")
    footer = re.findall(rb"q quit[^\033]*", output)[0]
    expect(len(footer) <= 40, f"the line of keys is wider than the terminal: {footer}")


def test_top_says_what_may_not_be_read(place):
    """Meters without rights are named by top, and the node is marked as estimated."""
    done = call("top", "--root", make(place, "spr2s"), "--as", "65534", "--once", "--period", "200ms")
    equal(done.returncode, 0, done.stderr)
    expect("may not be read" in done.stdout, done.stdout)


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
