#!/usr/bin/env python3
# test_twin_bmc.py - the node's own meters of simulated nodes: their BMC by Redfish and DCMI, hwmon, Cray's counters
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import base64
import contextlib
import datetime
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request

import harness
import twins
from harness import equal, expect, last_json, near


class Bmc:
    """What .twin/bmc/ tells of a controller that is up."""

    def __init__(self, twin):
        urls = dict(line.split("://", 1) for line in twin.read(".twin/bmc/url").splitlines())
        self.urls = {scheme: f"{scheme}://{rest}" for scheme, rest in urls.items()}
        secrets = dict(line.split(": ", 1) for line in twin.read(".twin/bmc/credentials").splitlines())
        self.user, self.password = secrets["user"], secrets["password"]

    def url(self, scheme):
        if scheme not in self.urls:
            need = {"redfish": "libmicrohttpd12", "dcmi": "openipmi, and libopenipmi-dev when it was built"}[scheme]
            raise harness.Skip(f"no {scheme} here: {need}")
        return self.urls[scheme]

    def port(self, scheme):
        return re.search(r"127\.0\.0\.1:(\d+)", self.url(scheme)).group(1)

    def redfish(self, path, method="GET", body=None):
        """The document, or the status that refused it."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port('redfish')}/redfish/v1{path}", method=method,
                                         data=body if body is None else json.dumps(body).encode())
        request.add_header("Authorization", "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode())
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text = answer.read()
                return json.loads(text) if text else answer.status
        except urllib.error.HTTPError as why:
            return why.code

    def tool(self, name, *args):
        """What a tool of others says; None: it is not installed."""
        path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin")
        if not path:
            print(f"# {name} is not installed: not compared")
            return None
        done = subprocess.run([path, *args], capture_output=True, text=True, timeout=60, check=False)
        equal(done.returncode, 0, f"{name}: {done.stdout}{done.stderr}")
        return done.stdout

    def ipmitool(self, *args):
        return self.tool("ipmitool", "-I", "lanplus", "-C", "3", "-H", "127.0.0.1", "-p", self.port("dcmi"), "-U", self.user,
                         "-P", self.password, *args)


@contextlib.contextmanager
def up(place, kind, *options):
    with twins.up(place, kind, "--bmc", "--quiet", *options) as twin:
        yield twin, Bmc(twin)


@contextlib.contextmanager
def load(twin, place, line):
    """Busy with one phase, and warm, until the end."""
    path = os.path.join(place, "load")
    with open(path, "w", encoding="utf-8") as file:
        file.write(line + "\n")
    player = harness.start("twin", "play", "--mount", twin.mount, path)
    try:
        time.sleep(2.2)  # whole seconds of it are behind the BMC
        yield
    finally:
        player.terminate()
        player.communicate(timeout=30)


def measure(twin, place, *options, command=("sleep", "3")):
    """The report of a run, and the exact energies of its time."""
    ahead_s = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    done = harness.call("run", "--root", twin.mount, *options, "--out", os.path.join(place, "out"), "--name", "j", "--force",
                        "--json", "--", *command)
    equal(done.returncode, 0, done.stderr)
    report = last_json(done.stderr)
    from_s = datetime.datetime.fromisoformat(report["job"]["start"]).timestamp() - ahead_s
    to_s = from_s + report["job"]["duration_s"]
    truth = twin.energy_uj(int(from_s * 1e9), int(to_s * 1e9))
    return report, {part: uj / 1e6 for part, uj in truth.items()}, done


def domain_of(report, name):
    found = [d for d in report["energy"]["by_domain"] if d["id"] == name]
    expect(found, f"no {name} in {[d['id'] for d in report['energy']['by_domain']]}")
    return found[0]


def within(domain, truth_j, more_j, what):
    """Within the bound that it states itself, and what nothing could know of."""
    near(domain["energy_j"], truth_j, domain["uncertainty_j"] + more_j, what)


def test_node_by_its_controller(place):
    """Joules by Redfish and by DCMI are those at the wall, within their bounds; the BMC's are not more than a percent off."""
    with up(place, "skx2s") as (twin, bmc), load(twin, place, "burn 120s cpu=100%"):
        report, truth, _ = measure(twin, place, "--meter", bmc.url("redfish") + "&period=1s",
                                   "--meter", bmc.url("dcmi") + "&period=1s")
        seconds = report["job"]["duration_s"]
        expect(truth["node"] / seconds > 250, f"it was busy: {truth}")
        # A watt in the last place, and what the node got warmer within the seconds that a BMC is late.
        for name in ("redfish/node", "dcmi/node"):
            within(domain_of(report, name), truth["node"], 2 * seconds, name)
        equal([d["id"] for d in report["energy"]["by_domain"] if d["chosen_total"]], ["redfish/node"])


def test_the_same_watts_by_others(place):
    """ipmitool, ipmi-dcmi and a Redfish client see one number: the mean of the last second, in whole watts."""
    with up(place, "skx2s") as (twin, bmc):
        for _ in range(20):  # a new second may begin between two of them
            before = int(twin.read(".twin/bmc/power_w"))
            seen = {"redfish": bmc.redfish("/Chassis/1/Power")["PowerControl"][0]["PowerConsumedWatts"],
                    "environment": bmc.redfish("/Chassis/1/EnvironmentMetrics")["PowerWatts"]["Reading"],
                    "supplies": sum(bmc.redfish(f"/Chassis/1/PowerSubsystem/PowerSupplies/PSU{i}/Metrics")
                                    ["InputPowerWatts"]["Reading"] for i in (1, 2))}
            texts = {"ipmitool": bmc.ipmitool("dcmi", "power", "reading"),
                     "ipmi-dcmi": bmc.tool("ipmi-dcmi", "-h", "127.0.0.1:" + bmc.port("dcmi"), "-u", bmc.user, "-p",
                                           bmc.password, "-D", "LAN_2_0", "-I", "3", "-l", "ADMIN", "-W", "opensesspriv",
                                           "--get-system-power-statistics")}
            for name, text in texts.items():
                if text is not None:
                    seen[name] = int(re.search(r"(?:Instantaneous power reading|Current Power)\s*:\s*(\d+) ?[Ww]", text)[1])
            if before == int(twin.read(".twin/bmc/power_w")):
                break
        equal(set(seen.values()), {before}, str(seen))
        for url in bmc.urls.values():
            expect(f"--meter '{url}'" in twin.call("status").stdout, "status tells how to reach it")
        equal(json.loads(twin.read(".twin/status"))["controllers"], list(bmc.urls.values()))
        expect(50 < before < 300, f"an idle server: {before} W")
        sensors = bmc.ipmitool("sdr", "list")
        if sensors is not None:
            rows = {row.split("|")[0].strip(): row.split("|")[1].split() for row in sensors.splitlines()}
            near(float(rows["Sys Power"][0]), before, 5, "one step of the sensor is 5 W")
            equal(rows["Inlet Temp"], ["22", "degrees", "C"])
            near(float(rows["Fan1"][0]), float(twin.read(".twin/bmc/sensor-7")), 70, "fan")


def test_a_controller_that_is_off(place):
    """A BMC that reads 0.892 of a wattmeter shows so, and states no accuracy."""
    with up(place, "genoa2s-a100x4") as (twin, bmc):
        time.sleep(2.2)
        truth = json.loads(twin.read(".twin/truth"))
        watts = next(p["power_uw"] for p in truth["parts"] if p["part"] == "node") / 1e6
        near(int(twin.read(".twin/bmc/power_w")), 0.892 * watts, 3, "watts")
        expect("accuracy" not in bmc.url("redfish"), bmc.urls)


def test_a_limit_by_dcmi_and_redfish(place):
    """A power limit set by ipmitool or by PATCH holds the node; a kind without one refuses it."""
    with up(place, "spr2s") as (twin, bmc), load(twin, place, "burn 120s cpu=100%"):
        free_w = int(twin.read(".twin/bmc/power_w"))
        equal(bmc.redfish("/Chassis/1/Power", "PATCH", {"PowerControl": [{"PowerLimit": {"LimitInWatts": 500}}]}), 204)
        control = bmc.redfish("/Chassis/1/Power")["PowerControl"][0]
        equal(control["PowerLimit"]["LimitInWatts"], 500)
        for _ in range(100):
            time.sleep(0.1)
            if int(twin.read(".twin/bmc/power_w")) < free_w - 50:
                break
        held_w = int(twin.read(".twin/bmc/power_w"))
        expect(held_w < free_w - 50, f"{held_w} W, {free_w} W without a limit")
        text = bmc.ipmitool("dcmi", "power", "get_limit")
        if text is not None:
            expect(re.search(r"Power Limit:\s+500 Watts", text), text)
            bmc.ipmitool("dcmi", "power", "set_limit", "limit", "700")
            equal(bmc.redfish("/Chassis/1/Power")["PowerControl"][0]["PowerLimit"]["LimitInWatts"], 700)
            bmc.ipmitool("dcmi", "power", "deactivate")
            equal(bmc.redfish("/Chassis/1/Power")["PowerControl"][0]["PowerLimit"]["LimitInWatts"], None)
        equal(bmc.redfish("/Chassis/1/Power", "PATCH", {"PowerControl": [{"PowerLimit": {"LimitInWatts": 5}}]}), 400)
    with up(place, "skx2s") as (_, bmc):
        equal(bmc.redfish("/Chassis/1/Power", "PATCH", {"PowerControl": [{"PowerLimit": {"LimitInWatts": 500}}]}), 400)


def test_a_silent_controller(place):
    """A controller that answers nothing for a while holds up no run: the other meters go on, and the hole is said."""
    with up(place, "skx2s") as (twin, bmc):
        own = "&period=1s&timeout=500ms"
        report, truth, done = measure(
            twin, place, "--meter", bmc.url("redfish") + own, "--meter", bmc.url("dcmi") + own, "--period", "50ms",
            command=("sh", "-c", f"sleep 1.2; echo bmc-timeout for 2s > {twin.path('.twin/fault')}; sleep 4"))
        for name in ("redfish/node", "dcmi/node"):
            expect({f["fault"] for f in report["quality"]["faults"] if f["id"] == name}, f"{name}: {report['quality']}")
        for i in (0, 1):
            package = domain_of(report, f"powercap/package-{i}")
            near(package["energy_j"], truth[f"package-{i}"], package["uncertainty_j"] + 0.5, "package")
        expect(report["job"]["duration_s"] < 20, "it was not held up")
        expect("Traceback" not in done.stderr, done.stderr)
        # It is back.
        expect(bmc.redfish("/Chassis/1/Power")["PowerControl"][0]["PowerConsumedWatts"] > 50, "power")
        expect("ok" in (bmc.ipmitool("sdr", "list") or "ok"), "sensors")


def test_faults_of_its_meter(place):
    """stuck, eio and vanish of bmc/node show as they do at real controllers."""
    with up(place, "skx2s") as (twin, bmc):
        twin.write(".twin/fault", "eio bmc/node")
        equal(bmc.redfish("/Chassis/1/Power")["PowerControl"][0]["PowerConsumedWatts"], None)
        twin.write(".twin/fault", "clear")
        twin.write(".twin/fault", "vanish bmc/node")
        equal(bmc.redfish("/Chassis/1/Power"), 404)
        twin.write(".twin/fault", "clear")
        twin.write(".twin/fault", "stuck bmc/node")
        stuck_w = bmc.redfish("/Chassis/1/Power")["PowerControl"][0]["PowerConsumedWatts"]
        with load(twin, place, "burn 60s cpu=100%"):
            equal(bmc.redfish("/Chassis/1/Power")["PowerControl"][0]["PowerConsumedWatts"], stuck_w)
            twin.write(".twin/fault", "clear")
            expect(bmc.redfish("/Chassis/1/Power")["PowerControl"][0]["PowerConsumedWatts"] > stuck_w + 100, "it goes on")


def test_a_simulator_that_is_ended(place):
    """Where ipmi_sim is ended by somebody, its URL is told no more, and Redfish goes on."""
    room = os.path.join(place, "room")
    os.mkdir(room)
    with twins.up(place, "skx2s", "--bmc", env={"TMPDIR": room}) as twin:
        bmc = Bmc(twin)
        bmc.url("dcmi")
        for pid in subprocess.run(["pgrep", "-f", room + "/"], capture_output=True, text=True, check=False).stdout.split():
            os.kill(int(pid), 9)
        for _ in range(200):
            if "dcmi:" not in twin.read(".twin/bmc/url"):
                break
            time.sleep(0.05)
        equal(twin.read(".twin/bmc/url").splitlines(), [bmc.url("redfish")])
        expect(bmc.redfish("/Chassis/1/Power")["PowerControl"][0]["PowerConsumedWatts"] > 50, "power")


def test_nothing_stays(place):
    """After down, and after the twin was killed, no simulator runs and no file of it is left."""
    for ends in ("down", "kill"):
        room = os.path.join(place, ends)
        os.mkdir(room)
        with twins.up(place, "skx2s", "--bmc", env={"TMPDIR": room}) as twin:
            bmc = Bmc(twin)
            bmc.url("dcmi")
            found = subprocess.run(["pgrep", "-f", room + "/"], capture_output=True, text=True, check=False).stdout.split()
            expect(found, "ipmi_sim runs")
            if ends == "down":
                equal(twin.call("down").returncode, 0)
            else:
                os.kill(int(twin.read(".twin/pid")), 9)
            for _ in range(200):
                time.sleep(0.05)
                if not any(os.path.exists(f"/proc/{pid}") for pid in found) and not os.listdir(room):
                    break
            expect(not any(os.path.exists(f"/proc/{pid}") for pid in found), f"{ends}: ipmi_sim is left")
            equal(os.listdir(room), [], ends)


def test_grace_hopper(place):
    """Grace's power meters, integrated, are the exact energies of module, superchip, CPU and SysIO."""
    with twins.up(place, "grace-hopper", "--quiet") as twin, load(twin, place, "train 120s cpu=30% gpu=70%"):
        report, truth, _ = measure(twin, place, "--period", "50ms")
        expected = {"hwmon/power_meter:module-0": truth["module-0"],
                    "hwmon/power_meter:package-0": truth["package-0"] + truth["dram-0"] + truth["sysio-0"]}
        for name, truth_j in expected.items():
            # The phase repeats nothing: parts of it lie in one mean of 50 ms.
            within(domain_of(report, name), truth_j, 0.01 * truth_j, name)


def test_cray(place):
    """pm_counters of a blade are the exact energies of node, CPU, memory and GPUs, to the joule and the tenth of a second."""
    with twins.up(place, "mi250x", "--quiet") as twin, load(twin, place, "train 120s cpu=30% gpu=70%"):
        report, truth, _ = measure(twin, place)
        expected = {"cray/node": truth["node"], "cray/dram": truth["dram-0"]}
        expected.update({f"cray/gpu-{i}": truth[f"gpu-{i}"] for i in range(4)})
        for name, truth_j in expected.items():
            domain = domain_of(report, name)
            # Two whole joules, and how exactly the clocks of test and node are told apart.
            within(domain, truth_j, 2 + truth_j / report["job"]["duration_s"] * 0.05, name)
        equal([d["id"] for d in report["energy"]["by_domain"] if d["chosen_total"]], ["cray/node"])


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
