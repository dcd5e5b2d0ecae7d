#!/usr/bin/env python3
# test_ipmi.py - node power from BMCs: DCMI and sensors, across the network and in-band, healthy and not
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time

import bmc
import harness
from harness import TREE, call, equal, expect, last_json, near


def told(*meters, env=None, options=()):
    """What sources says of the domains of these meters, by id."""
    args = [word for meter in meters for word in ("--meter", meter)]
    done = call("sources", "--json", "--no-probe", *args, *options, env=env)
    equal(done.returncode, 0, done.stderr)
    return {d["id"]: d for s in json.loads(done.stdout)["sources"] for d in s["domains"]}


def measure(place, meter, *command, env=None, options=()):
    done = call("run", "--meter", meter, "--out", os.path.join(place, "out"), "--name", "j", "--force", "--json",
                "--period", "50ms", *options, "--", *command, env=env)
    equal(done.returncode, 0, done.stderr)
    return last_json(done.stderr), done


def domain_of(report, name):
    return next(d for d in report["energy"]["by_domain"] if d["id"] == name)


def faults_of(report, name):
    return {f["fault"] for f in report["quality"]["faults"] if f["id"] == name}


def later(seconds, do):
    """Do it while a command runs; nothing is asserted there."""
    timer = threading.Timer(seconds, do)
    timer.start()
    return timer


def url_of(b, place, **more):
    """DCMI of a simulator: it wants an administrator for DCMI, real BMCs do not."""
    return b.url(credentials=bmc.credentials(place), privilege="admin", **more)


def test_power_across_the_network(place):
    """DCMI across the network: the watts that ipmitool and ipmi-dcmi read too, and joules of the node from them."""
    with bmc.Simulator(place) as b:
        b.answer(412)
        peers = {
            "ipmitool": ("ipmitool", "-I", "lanplus", "-C", "3", "-H", "127.0.0.1", "-p", str(b.port), "-U", bmc.USER, "-P",
                         bmc.PASSWORD, "dcmi", "power", "reading"),
            "ipmi-dcmi": ("ipmi-dcmi", "-h", f"127.0.0.1:{b.port}", "-u", bmc.USER, "-p", bmc.PASSWORD, "-D", "LAN_2_0",
                          "-I", "3", "-l", "ADMIN", "-W", "opensesspriv", "--get-system-power-statistics"),
        }
        for name, command in peers.items():
            path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/bin")
            if not path:
                print(f"# {name} is not installed: not compared")
                continue
            shown = subprocess.run([path, *command[1:]], capture_output=True, text=True, check=True, timeout=30).stdout
            watts = re.search(r"(?:Instantaneous power reading|Current Power)\s*:\s*(\d+) Watts", shown)
            equal(watts and watts.group(1), "412", name + ": " + shown)
        report, _ = measure(place, url_of(b, place, period="200ms"), "sleep", "1.2")
        node = domain_of(report, "dcmi/node")
        equal((node["kind"], node["type"], node["chosen_total"]), ("integrated", "node", True))
        equal(node["mean_w"], 412)
        near(node["energy_j"], 412 * report["job"]["duration_s"], 0.05 * node["energy_j"], "joules")
        equal(report["quality"]["faults"], [])


def test_average(place):
    """A rolling average that the BMC keeps is read in place of the power now; of others it says which there are."""
    with bmc.Simulator(place) as b:
        b.answer(412, mean=390)
        domains = told(url_of(b, place, average="30s"), url_of(b, place, average="7s"))
        equal(domains["dcmi/node"]["update_period_ms"], 30000)
        expect("no average over 7 s, only over 5 s, 30 s, 1 min" in domains["dcmi/node@2"]["reason"], domains["dcmi/node@2"])
        report, _ = measure(place, url_of(b, place, average="30s", period="200ms"), "sleep", "0.6")
        equal(domain_of(report, "dcmi/node")["mean_w"], 390)


def test_sensors(place):
    """Sensors in watts by name and by pattern: the node, its supplies beside it in no sum, and their sum when asked for."""
    sensors = (("PS1 Input Power", 2, 10, 1), ("PS2 Input Power", 2, 10, 2), ("Sys Power", 4, 7, 1), ("CPU1 Power", 1, 3, 1))
    with bmc.Simulator(place, sensors) as b:
        for number, watts in enumerate((200, 210, 400, 120), 1):
            b.show(number, watts)
        time.sleep(0.3)  # the simulator looks at its files every 100 ms
        own = {"credentials": bmc.credentials(place)}
        report, _ = measure(place, b.url("ipmi-sensor", "/*", **own, period="200ms"), "sleep", "0.6")
        equal({d["id"]: d["mean_w"] for d in report["energy"]["by_domain"] if d["source"] == "ipmi-sensor"},
              {"ipmi-sensor/node": 400, "ipmi-sensor/psu-1": 200, "ipmi-sensor/psu-2": 210, "ipmi-sensor/cpu1-power": 120})
        equal([d["id"] for d in report["energy"]["by_domain"] if d["chosen"] or d["chosen_total"]], ["ipmi-sensor/node"])
        near(report["energy"]["node_j"], domain_of(report, "ipmi-sensor/node")["energy_j"], 1e-6, "no part is added")
        report, _ = measure(place, b.url("ipmi-sensor", "/PS*Input*", **own, sum="yes", period="200ms"), "sleep", "0.6")
        equal(domain_of(report, "ipmi-sensor/node")["mean_w"], 410)
        domains = told(b.url("ipmi-sensor", "/cpu1%20power", **own, domain="package-0"), b.url("ipmi-sensor", "/Nix", **own))
        equal(domains["ipmi-sensor/package-0"]["state"], "unproven")
        expect("no sensor in watts is 'Nix'; there are 'PS1 Input Power'" in domains["ipmi-sensor/node"]["reason"], domains)
        # Without a name: DCMI where the BMC has it, else the sensor that is the whole node.
        domains = told(b.url("ipmi-sensor", "", **own, privilege="admin"))
        expect("DCMI" in domains["ipmi-sensor/node"]["reason"], domains)
        b.answer(no_dcmi=1)
        domains = told(b.url("ipmi-sensor", "", **own, privilege="admin"))
        equal(domains["ipmi-sensor/node"]["reason"], "sensor 'Sys Power'")


def test_refusals(place):
    """Who is refused, and what cannot measure, is listed with reason and fix; a run goes on without it."""
    with bmc.Simulator(place) as b:
        wrong = b.url(credentials=bmc.credentials(place, password="wrong", name="wrong"), timeout="1s")
        stranger = b.url(credentials=bmc.credentials(place, user="nobody", name="nobody"), timeout="1s")
        humble = b.url(credentials=bmc.credentials(place), privilege="user")
        domains = told(wrong, stranger, humble, f"dcmi://127.0.0.1:{bmc.free_port()}?timeout=300ms")
        for name in ("dcmi/node", "dcmi/node@2"):
            equal(domains[name]["state"], "denied", name)
            expect("credentials" in domains[name]["fix"], domains[name])
        expect("password" in domains["dcmi/node"]["reason"], domains["dcmi/node"])
        equal(domains["dcmi/node@3"]["state"], "denied")
        expect("0xD4" in domains["dcmi/node@3"]["reason"] and "privilege=admin" in domains["dcmi/node@3"]["fix"], domains)
        equal(domains["dcmi/node@4"]["state"], "absent")
        for words, reason in (({"no_dcmi": 1}, "0xC1"), ({"no_power": 1, "code": 0xC1}, "without power management"),
                              ({"inactive": 1, "watts": 0}, "measurement is not active"), ({"watts": 0}, "0 W"),
                              ({"code": 0xC0}, "busy"), ({"cut": 5}, "malformed"), ({"noise": 255}, "malformed"),
                              ({"watts": 65535}, "all bits set")):
            b.answer(**{"watts": 412, **words})
            report, done = measure(place, url_of(b, place), "true")
            expect(reason in done.stderr and "going on without it" in done.stderr, (words, done.stderr))
            equal([d["id"] for d in report["energy"]["by_domain"] if d["chosen_total"]], ["estimate/node"], str(words))
        b.answer(no_dcmi=1)
        expect("ipmi-sensor:" in told(url_of(b, place))["dcmi/node"]["fix"], "the other way is named")


def test_bare_answers(place):
    """A BMC that leaves all but the watts empty, as OpenBMC does, measures; one that calls an old value inactive does not."""
    with bmc.Simulator(place) as b:
        b.answer(319, time=0, period=0, inactive=1)
        report, _ = measure(place, url_of(b, place, period="200ms"), "sleep", "0.5")
        equal(domain_of(report, "dcmi/node")["mean_w"], 319)
        b.answer(319, inactive=1)
        equal(told(url_of(b, place))["dcmi/node"]["state"], "absent")


def test_faults_in_the_middle(place):
    """What goes wrong during a run makes no joule, and is named in the report; what comes back is measured again."""
    words = ({"code": 0xD5}, {"cut": 3}, {"code": 0xD4})
    with bmc.Simulator(place) as b:
        b.answer(400)
        timers = [later(0.5 + 0.8 * i, lambda w=w: b.answer(**{"watts": 400, **w})) for i, w in enumerate(words)]
        timers += [later(1.0 + 0.8 * i, lambda: b.answer(400)) for i in range(len(words))]
        report, _ = measure(place, url_of(b, place, period="100ms"), "sleep", "3.4")
        for timer in timers:
            timer.join()
        node = domain_of(report, "dcmi/node")
        equal(faults_of(report, "dcmi/node") - {"slow"}, {"no_data", "garbage", "denied"})
        equal((node["mean_w"], node["max_w"]), (400, 400))
        near(node["energy_j"], 400 * report["job"]["duration_s"], 60, "joules")


def test_absurd_watts(place):
    """More watts than a node has are refused by physics."""
    with bmc.Simulator(place) as b:
        b.answer(400)
        timers = [later(0.5, lambda: b.answer(60000)), later(0.9, lambda: b.answer(400))]
        report, _ = measure(place, url_of(b, place, period="100ms"), "sleep", "1.4")
        for timer in timers:
            timer.join()
        expect(report["quality"]["rejected"] > 0, report["quality"])
        equal(domain_of(report, "dcmi/node")["max_w"], 400)


def test_clock_goes_back(place):
    """The BMC's clock going back, or standing still, changes no joule."""
    with bmc.Simulator(place) as b:
        b.answer(400)
        timers = [later(0.5, lambda: b.answer(400, time=1)), later(0.9, lambda: b.answer(401, time=4000000000))]
        report, _ = measure(place, url_of(b, place, period="100ms"), "sleep", "1.4")
        for timer in timers:
            timer.join()
        node = domain_of(report, "dcmi/node")
        near(node["energy_j"], 400 * report["job"]["duration_s"], 5, "joules")
        equal(faults_of(report, "dcmi/node"), set())


def test_seldom_asked(place):
    """Readings further apart than an answer may take: the session is begun anew where it must be, nothing is lost."""
    with bmc.Simulator(place) as b:
        b.answer(400)
        report, _ = measure(place, url_of(b, place, period="900ms", timeout="200ms"), "sleep", "3")
        equal(faults_of(report, "dcmi/node"), set())
        near(domain_of(report, "dcmi/node")["mean_w"], 400, 0.5, "watts")


def test_bmc_gone_and_back(place):
    """A BMC that is gone in the middle, and whose session is lost when it is back, is reached anew; the hole is said."""
    with bmc.Simulator(place) as b:
        b.answer(400)

        def again():
            b.start()

        timers = [later(0.6, b.stop), later(1.3, again)]
        report, _ = measure(place, url_of(b, place, period="200ms", timeout="500ms"), "sleep", "5")
        for timer in timers:
            timer.join()
        node = domain_of(report, "dcmi/node")
        expect(faults_of(report, "dcmi/node") & {"vanished", "timed_out"}, report["quality"]["faults"])
        expect(report["quality"]["gaps_total"] >= 1, report["quality"])
        near(node["mean_w"], 400, 0.5, "watts")
        last = max(f["last"] for f in report["quality"]["faults"] if f["id"] == "dcmi/node")
        expect(last < report["job"]["stop"], "it was read again before the end")


def test_slow_bmc(place):
    """A BMC that takes 3 s for an answer delays no sweep of the others."""
    root = os.path.join(place, "tree")
    subprocess.run([TREE, root, "skx2s"], check=True)
    with bmc.Simulator(place) as b:
        b.answer(400)
        timer = later(0.4, lambda: b.answer(400, delay=3000))
        report, _ = measure(place, url_of(b, place, period="500ms"), "sleep", "4.5", options=("--root", root))
        timer.join()
        # A machine that is busy with other things misses some by itself; one slow answer would be sixty.
        expect(report["quality"]["missed"] <= 20, report["quality"])
        near(report["quality"]["period_ms"]["mean"], 50, 15, "sweeps")
        expect(domain_of(report, "dcmi/node")["mean_w"] in (None, 400), "no wrong joule")
        expect("slow" in faults_of(report, "dcmi/node"), report["quality"]["faults"])


def test_inband(place):
    """In-band through the kernel's device: opt-in by its name, never faster than every 30 s, and with the same reasons."""
    env, path = bmc.device_environment(place, 287)
    report, done = measure(place, "dcmi:?period=100ms", "sleep", "1.2", env=env)
    equal(done.stderr.count("going on without it"), 0)
    equal(domain_of(report, "dcmi/node")["energy_j"], None, "one reading is no energy, and there are no two within 30 s")
    equal(domain_of(report, "dcmi/node")["state"], "unproven")
    domains = told("dcmi:", env=env)
    equal(domains["dcmi/node"]["state"], "unproven")
    bmc.answer(path, 287, inactive=1)
    expect("not active" in told("dcmi:", env=env)["dcmi/node"]["reason"], "inactive")
    bmc.answer(path, mute=1)
    expect("did not answer within 300 ms" in told("dcmi:?timeout=300ms", env=env)["dcmi/node"]["reason"], "mute")
    denied = told("dcmi:", env={**env, "ES_BMC_MODE": "0"})["dcmi/node"]
    equal(denied["state"], "denied")
    expect("chmod" in denied["fix"], denied)
    absent = told("dcmi:", env={})["dcmi/node"]
    if not os.path.exists("/dev/ipmi0"):
        expect("no /dev/ipmi0" in absent["reason"] and "modprobe" in absent["fix"], absent)
    expect("dcmi/node" not in told(env=env), "nobody asked for it")


def test_inband_sensors(place):
    """Sensors in-band, through the records of the BMC itself; names that are hostile stay harmless."""
    env, path = bmc.device_environment(place)
    with open(path, "w") as file:
        file.write('no-dcmi 1\npart 16\nsensor 1 7 1 4 100 Total_Power\nsensor 2 10 1 2 100 \x1b]0;evil\x07"/../%n\n')
    domains = told("ipmi-sensor:/*", env=env)
    equal(domains["ipmi-sensor/node"]["reason"], "sensor 'Total_Power'")
    equal({d for d in domains if d.startswith("ipmi-sensor/")}, {"ipmi-sensor/node", "ipmi-sensor/psu-1"})
    text = call("sources", "--no-probe", "--meter", "ipmi-sensor:/*", env=env).stdout
    expect("\x1b" not in text and "\x07" not in text, repr(text))
    expect("total_power" in told("ipmi-sensor:", env=env)["ipmi-sensor/node"]["reason"].lower(), "it is found without a name")


def test_wrong_urls(place):
    """An URL that is not right is refused before anything is measured, with what would be."""
    for meter, words in (("dcmi://b/x", "nothing stands behind the host"), ("dcmi://b?privilege=root", "user, operator or admin"),
                         ("dcmi://b?cipher=0", "3 or 17"), ("dcmi://b?average=5", "a time with its unit"),
                         ("dcmi://b?averge=5s", "did you mean 'average'"), ("dcmi://b?unit=kWh", "it shows a power"),
                         ("ipmi-sensor://b?sum=yes", "needs a name"), ("ipmi-sensor://b/x?sum=1", "yes or no")):
        done = call("run", "--meter", meter, "--out", os.path.join(place, "out"), "--", "true")
        expect(done.returncode not in (0, None) and words in done.stderr, (meter, done.returncode, done.stderr))


def test_doctor(place):
    """doctor says whether a BMC is there and how it is used, and does not ask it."""
    root = os.path.join(place, "tree")
    subprocess.run([TREE, root, "skx2s"], check=True)

    def findings():
        return [f for f in json.loads(call("doctor", "--json", "--root", root).stdout)["findings"] if f["what"] == "bmc"]

    equal(findings(), [])
    os.makedirs(os.path.join(root, "sys/firmware/acpi/tables"))
    with open(os.path.join(root, "sys/firmware/acpi/tables/SPMI"), "w"):
        pass
    equal([(f["verdict"], f["fix"]) for f in findings()], [("note", "sudo modprobe -a ipmi_si ipmi_devintf")])
    os.makedirs(os.path.join(root, "dev"), exist_ok=True)
    with open(os.path.join(root, "dev/ipmi0"), "w"):
        pass
    expect("--meter dcmi:" in findings()[0]["text"] and findings()[0]["verdict"] == "ok", findings())
    env, _ = bmc.device_environment(place, mute=1)
    text = call("doctor", env={**env, "ES_BMC_MODE": "0"}).stdout
    expect("a BMC is" in text, text)


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
