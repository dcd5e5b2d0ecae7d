#!/usr/bin/env python3
# peers.py - other tools on the same trees: who is right on which trap
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
"""Runs each tool on trees that stand for machines and says what it answers for the node's energy.

A tree is mounted over /sys in a mount namespace of its own, so that tools which know nothing of
trees read it as if it were the machine; es-player moves its counters and knows by how much. Needs
root, or a user who may make namespaces. Tools that are not installed are left out.
"""
import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

PROGRAM = os.environ.get("ES_PROGRAM", "build/bin/energyscopium")
TREE = os.environ.get("ES_TREE", "build/tests/support/es-tree")
PLAYER = os.environ.get("ES_PLAYER", "build/tests/support/es-player")
POWERS = "package=300 dram=30 core=150 uncore=10 rest=50"

# name, model with presets, what happens (seconds, script), what a right answer is, words
SCENARIOS = [
    ("plain", ["skx2s"], [POWERS], "parts", "two packages with memory"),
    ("standing", ["skx2s"], ["package=0 dram=0 rest=0"], "parts", "nothing moves: 0 J"),
    ("package wraps", ["skx2s", "package-1=4294475776"], [POWERS], "parts", "a package's counter passes its range"),
    ("memory wraps", ["skx2s", "dram-0=4294771218"], [POWERS], "parts",
     "a memory counter passes its own range (15.3 µJ a step)"),
    ("reset", ["skx2s"], [POWERS, "reset", POWERS], "parts", "the driver is loaded again: a counter starts at 1 J"),
    ("psys", ["client-psys"], [POWERS], "psys", "the platform's meter contains the package"),
    ("MMIO twin", ["client-psys"], [POWERS], "package", "the package is shown twice, by MSR and MMIO"),
    ("mirrored dies", ["amd-zen1-dies"], [POWERS], "dies", "four dies of a package show one counter"),
    ("eight packages", ["spr8s"], [POWERS], "parts", "zones after the ninth have hexadecimal names"),
    ("dead meter", ["vm-psys-only"], [POWERS], None, "the only meter never moves: 0 J is no answer"),
    ("denied", ["skx2s"], [POWERS], None, "an ordinary user may not read: no answer, and never 0 J"),
]
SECONDS = "0.2s"


def namespace(tree, command, is_user=False):
    """@command with @tree as its /sys and its processors."""
    drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if is_user else []
    inner = 'mount --bind "$0/sys" /sys && mount --bind "$0/proc/cpuinfo" /proc/cpuinfo && exec "$@"'
    mapped = [] if os.geteuid() == 0 else ["--map-root-user"]
    return ["unshare", *mapped, "--mount", "--propagation", "private", "sh", "-c", inner, tree, *drop, *command]


def may_mount():
    """Whether this user may have a mount namespace here."""
    mapped = [] if os.geteuid() == 0 else ["--map-root-user"]
    return output(["unshare", *mapped, "--mount", "mount", "-t", "tmpfs", "none", "/mnt"])[0] == 0


def output(command, **kwargs):
    done = subprocess.run(command, text=True, capture_output=True, timeout=60, check=False, **kwargs)
    return done.returncode, done.stdout, done.stderr


def mask_of(cpus):
    """As the kernel writes a set: words of 32 bits, the highest first."""
    bits = sum(1 << cpu for cpu in cpus)
    words = []
    while bits or not words:
        words.insert(0, f"{bits & 0xffffffff:08x}")
        bits >>= 32
    return ",".join(words) + "\n"


def add_masks(tree):
    """Which CPUs share a core and a package, as masks: PAPI counts packages by them."""
    folder = os.path.join(tree, "sys/devices/system/cpu")
    places = {}
    for cpu in os.listdir(folder):
        if re.fullmatch(r"cpu\d+", cpu):
            path = os.path.join(folder, cpu, "topology")
            place = [open(os.path.join(path, f), encoding="ascii").read() for f in ("physical_package_id", "core_id")]
            places[int(cpu[3:])] = (path, *place)
    for path, package, core in places.values():
        with open(os.path.join(path, "core_siblings"), "w", encoding="ascii") as file:
            file.write(mask_of([c for c, p in places.items() if p[1] == package]))
        with open(os.path.join(path, "thread_siblings"), "w", encoding="ascii") as file:
            file.write(mask_of([c for c, p in places.items() if p[1:] == (package, core)]))


class Scene:
    """One tree in one scenario, and what really happened in it."""

    def __init__(self, place, scenario):
        self.name, presets, self.steps, self.asked, _ = scenario
        self.tree = os.path.join(place, "tree")
        self.truth_path = os.path.join(place, "truth")
        self.is_user = self.name == "denied"
        self.bound = 0  # what the tool itself says of its answer
        subprocess.run([TREE, self.tree, *presets], check=True, stdout=subprocess.DEVNULL)
        add_masks(self.tree)
        self.motion = os.path.join(place, "motion.sh")
        lines = ["#!/bin/sh", "set -e"]
        for number, step in enumerate(self.steps):
            if step == "reset":
                zone = "sys/devices/virtual/powercap/intel-rapl/intel-rapl:0/energy_uj"
                lines.append(f"sleep 0.15; chmod u+w '{self.tree}/{zone}'; echo 1000000 > '{self.tree}/{zone}'; sleep 0.15")
                continue
            script = os.path.join(place, f"script{number}")
            with open(script, "w", encoding="ascii") as file:
                file.write(f"{SECONDS} {step}\n")
            lines.append(f"'{os.path.abspath(PLAYER)}' '{self.tree}' --script '{script}' "
                         f"--truth '{self.truth_path}{number}' >/dev/null")
        with open(self.motion, "w", encoding="ascii") as file:
            file.write("\n".join(lines) + "\n")
        os.chmod(self.motion, 0o755)

    def move(self):
        subprocess.run([self.motion], check=True)

    def truth(self):
        """Joules of the node by what is asked for, all steps together; None: nobody can know."""
        total = {}
        for number, step in enumerate(self.steps):
            if step == "reset":
                continue
            with open(f"{self.truth_path}{number}", encoding="utf-8") as file:
                for zone in json.load(file)["zones"]:
                    total[zone["key"]] = total.get(zone["key"], 0) + zone["energy_uj"] / 1e6
        if self.asked is None:
            return None
        if self.asked == "psys":
            return total["psys"]
        if self.asked == "package":
            return total["package-0"]
        if self.asked == "dies":
            return sum(v for k, v in total.items() if re.fullmatch(r"package-\d+-die-0", k))
        return sum(v for k, v in total.items() if re.fullmatch(r"(package|dram)-\d+", k))


def ours(scene):
    """energyscopium run."""
    out = tempfile.mkdtemp(dir=os.path.dirname(scene.tree))
    report = os.path.join(out, "report.json")
    if scene.is_user:
        os.chmod(out, 0o777)
    root = ["--root", scene.tree] + (["--as", "65534"] if scene.is_user else [])
    # The user's run moves the counters as root does: the tool alone has no right.
    code, _, err = output([PROGRAM, "run", *root, "--require", "measured", "--out", out, "--name", "j",
                           f"--json={report}", "--", scene.motion])
    if code != 0 or not os.path.exists(report):
        if not os.path.exists(scene.truth_path + "0"):
            scene.move()
        return None, err.strip().splitlines()[-1] if err.strip() else f"status {code}"
    with open(report, encoding="utf-8") as file:
        found = json.load(file)
    energy = found["energy"]
    scene.bound = energy["uncertainty_j"] or 0
    words = ", ".join(sorted({f.get("fault", "") for f in found["quality"].get("faults", [])}))
    if scene.asked == "package":
        return sum(d["energy_j"] for d in energy["by_domain"] if d["domain"].endswith("package-0")
                   and d.get("chosen", True) and d["source"] != "estimate"), ""
    if any(d["kind"] == "estimated" for d in energy["by_domain"]) and scene.asked is None:
        return None, "estimated, and said so"
    return energy["measured_j"], words


def zones_of(text):
    """powercap-info's zones, by their number: name and µJ."""
    zones, number = {}, None
    for line in text.splitlines():
        head = re.match(r"\s*(?:Zone|Subzone) ([0-9a-f:]+)", line)
        if head:
            number = head.group(1)
            zones[number] = {}
        elif number is not None:
            value = re.match(r"\s*(name|energy_uj): (.*)", line)
            if value:  # constraints have names, too
                zones[number].setdefault(value.group(1), value.group(2))
    return zones


def powercap_info(scene):
    """Differences of what powercap-info shows before and after."""
    command = namespace(scene.tree, ["powercap-info", "-p", "intel-rapl"], scene.is_user)
    reads = []
    for number in range(2):
        code, text, err = output(command)
        reads.append(zones_of(text))
        if number == 0:
            scene.move()
        if code != 0 or not any("energy_uj" in z for z in reads[-1].values()):
            return None, (err.strip().splitlines() or [f"status {code}"])[0]
    sums = {}
    for number, zone in reads[0].items():
        if "energy_uj" in zone:
            sums.setdefault(zone["name"], []).append(
                (int(reads[1][number]["energy_uj"]) - int(zone["energy_uj"])) / 1e6)
    if scene.asked is None and scene.name == "dead meter":
        return sum(sum(v) for v in sums.values()), ""
    if scene.asked == "psys":
        return sum(sums.get("psys", [])), ""
    if scene.asked == "package":
        return sum(sums.get("package-0", [])), ""
    return sum(sum(v) for k, v in sums.items() if k.startswith(("package", "dram"))), ""


def scrape(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return {m.group(1): float(m.group(2)) for m in re.finditer(r"^(node_rapl_\S+) (\S+)$", text, re.M)}


def node_exporter(scene):
    """Prometheus' increase() of the exporter's counters, a fall taken for a start from 0."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["prometheus-node-exporter", "--collector.disable-defaults", "--collector.rapl",
               f"--web.listen-address=127.0.0.1:{port}"]
    with subprocess.Popen(namespace(scene.tree, command, scene.is_user), stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(100):
                try:
                    before = scrape(port)
                    break
                except OSError:
                    time.sleep(0.05)
            else:
                return None, "did not start"
            scene.move()
            after = scrape(port)
        finally:
            process.terminate()
    if not before:
        return None, "no series"
    increase = {k: after[k] - v if after[k] >= v else after[k] for k, v in before.items() if k in after}
    if scene.asked == "psys":
        return sum(v for k, v in increase.items() if "_psys_" in k), ""
    if scene.name == "dead meter":
        return sum(increase.values()), ""
    return sum(v for k, v in increase.items() if re.match(r"node_rapl_(package|dram)_", k)), ""


def papi(scene):
    """What PAPI's powercap component counted, packages and their memory added up."""
    command = namespace(scene.tree, [os.environ["PAPI_RUN"], scene.motion], scene.is_user)
    if scene.is_user:
        # The counters are moved by root meanwhile.
        command = namespace(scene.tree, [os.environ["PAPI_RUN"], "sleep 0.1"], True)
    code, text, _ = output(command)
    if not os.path.exists(scene.truth_path + "0"):
        scene.move()
    if code != 0:
        return None, f"status {code}"
    events = {m.group(1): int(m.group(2)) / 1e6 for m in re.finditer(r"(\S+) (-?\d+)", text)}
    if scene.asked == "psys":
        return None, "packages and their parts only"
    wanted = re.compile(r":ZONE\d+$" if scene.asked == "package" else r":ZONE\d+(_SUBZONE\d+)?$")
    return sum(v for k, v in events.items() if wanted.search(k)), ""


def tools():
    """Name, what it is, function: those that are here."""
    found = [("energyscopium", "this", ours)]
    if shutil.which("powercap-info"):
        found.append(("powercap-info", version_of("powercap-utils"), powercap_info))
    if shutil.which("prometheus-node-exporter"):
        found.append(("node-exporter", version_of("prometheus-node-exporter"), node_exporter))
    if os.environ.get("PAPI_RUN"):
        found.append(("PAPI", os.environ.get("PAPI_VERSION", ""), papi))
    return found


def version_of(package):
    return output(["dpkg-query", "-W", "-f", "${Version}", package])[1]


def judge(answer, scene):
    """In words. Within 1 % is right: a read before and one after a pause of the counters is all it takes."""
    truth = scene.truth()
    if answer is None:
        return "right: no answer" if not truth else "no answer"
    if truth is None:
        return f"wrong: {answer:.1f} J"
    if abs(answer - truth) <= 0.01 * truth + 0.5:
        return "right"
    if abs(answer - truth) <= scene.bound:
        return f"within its bound: {answer:.0f} ± {scene.bound:.0f} J for {truth:.0f} J"
    return f"wrong: {answer:.0f} J for {truth:.0f} J"


def compare(names=None):
    """{scenario: {tool: (verdict, words)}}"""
    results = {}
    for scenario in SCENARIOS:
        if names and scenario[0] not in names:
            continue
        results[scenario[0]] = {}
        for name, _, function in tools():
            place = tempfile.mkdtemp(prefix="es-peers-")
            try:
                os.chmod(place, 0o755)
                scene = Scene(place, scenario)
                answer, words = function(scene)
                results[scenario[0]][name] = (judge(answer, scene), words)
            finally:
                shutil.rmtree(place, ignore_errors=True)
    return results


def table(results):
    names = [name for name, _, _ in tools()]
    lines = ["| trap | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for scenario in SCENARIOS:
        if scenario[0] in results:
            cells = [results[scenario[0]][n][0] for n in names]
            lines.append(f"| **{scenario[0]}**: {scenario[4]} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", help="this scenario only")
    parser.add_argument("--words", action="store_true", help="what each tool said, too")
    args = parser.parse_args()
    results = compare(args.only)
    print(table(results))
    if args.words:
        for scenario, cells in results.items():
            for name, (verdict, words) in cells.items():
                print(f"{scenario}: {name}: {verdict} {words}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
