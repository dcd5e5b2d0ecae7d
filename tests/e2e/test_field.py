#!/usr/bin/env python3
# test_field.py - meters outside of the node: SNMP, Modbus/TCP and MQTT against a real agent, device and broker
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import concurrent.futures
import json
import os
import struct
import subprocess
import sys
import time

import harness
from field import Agent, Broker, Device, Driven, Every, Publisher, SLOW_S, certificate, oid, wait_until
from harness import TREE, call, equal, expect, last_json, near, start

COUNTER_J = 1000  # where a counter stands at the start


def tree(place):
    root = os.path.join(place, "node")
    if not os.path.isdir(root):
        subprocess.run([TREE, root, "no-meter"], check=True)
    return root


def command(place, meters, *options, name="j"):
    named = [word for meter in meters for word in ("--meter", meter)]
    return ["run", "--root", tree(place), *named, "--out", os.path.join(place, "out"), "--name", name, "--force",
            "--json", "--period", "50ms", *options, "--"]


def measure(place, meters, *child, options=(), name="j"):
    done = call(*command(place, meters, *options, name=name), *(child or ("sleep", "1")))
    equal(done.returncode, 0, done.stderr)
    return last_json(done.stderr), done.stderr


def sources(place, *meters):
    named = [word for meter in meters for word in ("--meter", meter)]
    done = call("sources", "--json", "--no-probe", "--root", tree(place), *named)
    equal(done.returncode, 0, done.stderr)
    return {d["id"]: d for s in json.loads(done.stdout)["sources"] for d in s["domains"]}


def domains(report):
    return {d["id"]: d for d in report["energy"]["by_domain"]}


def told(report):
    return {(f["domain"], f["fault"]) for f in report["quality"]["faults"]}


def write_credentials(place, name, user, password, privacy=None):
    path = os.path.join(place, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"user: {user}\npassword: {password}\n" + (f"privacy: {privacy}\n" if privacy else ""))
    os.chmod(path, 0o600)
    return path


def refused(place, meter, *words):
    """An URL that cannot be is an error of usage, with what is wrong."""
    done = call("run", "--root", tree(place), "--meter", meter, "--", "true")
    expect(done.returncode != 0, meter)
    for word in words:
        expect(word in done.stderr, f"{meter}: '{word}' is not in: {done.stderr}")


class Moved:
    """A counter of a kind of meter that moves with the truth, and a run that is compared with it."""

    def __init__(self, driven, put):
        self.driven, self.put = driven, put

    def __call__(self):
        self.put(COUNTER_J + self.driven.joules())


def check_counter(place, driven, meter, domain, step_j, put, seconds=2):
    """The joules of a run are those of the truth, to what the meter's steps and the period of reading allow."""
    driven.set(200)
    with Every(0.02, Moved(driven, put)):
        time.sleep(0.1)
        child = start(*command(place, [meter]), "sleep", str(seconds))
        before_j = driven.joules()
        time.sleep(seconds / 2)
        driven.set(500)
        _, text = child.communicate(timeout=60)
        after_j = driven.joules()
        driven.set(0)
    equal(child.returncode, 0, text)
    report = last_json(text)
    one = domains(report)[domain]
    equal((one["kind"], one["chosen_total"]), ("measured", True), text)
    # The run began a little later than it was started, and ended a little before it was over.
    expect(one["energy_j"] <= after_j - before_j + one["uncertainty_j"] + step_j, (one, after_j - before_j))
    duration_s = report["job"]["duration_s"]
    expect(one["energy_j"] >= 200 * duration_s - one["uncertainty_j"] - step_j, (one, duration_s))
    expect(one["energy_j"] <= 500 * duration_s + one["uncertainty_j"] + step_j, (one, duration_s))
    equal(report["energy"]["node_j"], one["energy_j"])
    return report


def check_power(report, domain, power_w):
    one = domains(report)[domain]
    equal((one["kind"], one["chosen_total"]), ("integrated", True), str(one))
    near(one["energy_j"], power_w * report["job"]["duration_s"], 0.01 * power_w + one["uncertainty_j"], domain)
    near(one["mean_w"], power_w, 0.01 * power_w, domain)


def check_lost(report, text, domain, power_w, *faults):
    """After a fault: what was measured is right, what was not is named, the bound holds the truth."""
    one = domains(report)[domain]
    true_j = power_w * report["job"]["duration_s"]
    expect(one["energy_j"] is not None, text)
    near(one["energy_j"], true_j, one["uncertainty_j"] + 0.01 * true_j, f"{domain}: {text}")
    expect({(one["domain"], f) for f in faults} & told(report), f"{domain}: {told(report)} has none of {faults}")
    # A sweep that waited for the meter would have waited for its timeout.
    expect(report["quality"]["period_ms"]["max"] < 900, report["quality"])


def test_snmp_power(place):
    """Outlets of one node by SNMP: summed from one answer, in W, of version 2c and 3"""
    credentials = write_credentials(place, "credentials", "monitor", "a long password", "another secret")
    with Agent(place) as agent:
        agent.put({"1": ("gauge", 1200), "2": ("gauge", 800), "3": ("string", "12.5")})
        v3 = {"version": 3, "auth": "SHA-256", "credentials": credentials, "domain": "other", "name": "v3"}
        report, text = measure(place, [
            agent.url(oid(1, 2), unit="W", scale=0.1, period="100ms"),
            agent.url(oid(3), domain="other", name="text"),
            agent.url(oid(1), unit="W", scale=0.1, **v3),
        ])
        check_power(report, "snmp/node", 200)
        near(domains(report)["snmp/v3"]["mean_w"], 120, 0.1, text)
        near(domains(report)["snmp/text"]["mean_w"], 12.5, 0.01, text)
        expect(not domains(report)["snmp/v3"]["chosen_total"], "a meter of another part is in the node's cover")


def test_snmp_energy(place):
    """A counter by SNMP is true to its step, also where it wraps, and a reset loses no more than the gap"""
    with Agent(place) as agent:
        driven = Driven()

        def put(energy_j):
            agent.put({"1": ("counter", int(energy_j * 10))})

        put(COUNTER_J)
        check_counter(place, driven, agent.url(oid(1), unit="J", scale=0.1, period="100ms"), "snmp/node", 0.1 + 500 * 0.4, put)
        driven = Driven()

        def wrap(energy_j):
            agent.put({"1": ("counter", int(energy_j * 10) % 12000)})

        wrap(COUNTER_J)
        check_counter(place, driven, agent.url(oid(1), unit="J", scale=0.1, period="100ms", range=11999), "snmp/node",
                      0.1 + 500 * 0.4, wrap)


def test_snmp_models(place):
    """An outlet of a known unit by its number: Raritan's digits, APC's tenths of kWh, what is not available is unknown"""
    with Agent(place, ".1.3.6.1.4.1.13742.6") as raritan, Agent(os.path.join(place, "b"), ".1.3.6.1.4.1.318.1.1.26.9.4.3.1") as apc:
        raritan.put({"5.4.3.1.4.1.7.5": ("gauge", 1234), "3.5.4.1.7.1.7.5": ("gauge", 1),
                     "5.4.3.1.4.1.8.5": ("gauge", 766), "3.5.4.1.7.1.8.5": ("gauge", 1)})
        apc.put({"7.7": ("gauge", 321), "11.7": ("gauge", 25), "7.8": ("integer", -1)})
        report, _ = measure(place, [
            raritan.url("", model="raritan-px2", outlet="7+8", period="100ms"),
            apc.url("", model="apc-rpdu2", outlet=7, domain="other", name="apc"),
            apc.url("", model="apc-rpdu2", outlet=7, shows="energy", domain="other", name="kwh"),
        ])
        check_power(report, "snmp/node", 200)
        near(domains(report)["snmp/apc"]["mean_w"], 321, 1)
        equal(domains(report)["snmp/kwh"]["kind"], "measured")
        found = sources(place, apc.url("", model="apc-rpdu2", outlet=8), apc.url("", model="apc-rpdu2", outlet=9, name="x"))
        expect("no value" in found["snmp/node"]["reason"], found)
        expect("no object" in found["snmp/x"]["reason"] and "snmpwalk" in found["snmp/x"]["fix"], found)


def test_snmp_configuration(place):
    """What the user has configured for SNMP tools is neither read nor complained about"""
    folder = os.path.join(place, ".snmp")
    os.makedirs(folder)
    with open(os.path.join(folder, "snmp.conf"), "w", encoding="utf-8") as file:
        file.write("defVersion 3\ndefSecurityName nobody\nclientaddr 192.0.2.1\nno such word\nmibs +ALL\n")
    with Agent(place) as agent:
        agent.put({"1": ("gauge", 100)})
        done = call("sources", "--json", "--no-probe", "--root", tree(place), "--meter", agent.url(oid(1)),
                    env={"HOME": place, "SNMPCONFPATH": folder, "MIBS": "ALL", "MIBDIRS": folder})
    equal((done.returncode, done.stderr), (0, ""))
    found = {d["id"]: d for s in json.loads(done.stdout)["sources"] for d in s["domains"]}
    expect(found["snmp/node"]["state"] in ("ok", "unproven"), str(found["snmp/node"]))


def test_snmp_refusals(place):
    """A wrong community, user or secret is denied with its remedy; nobody there, no object and no number are told apart"""
    credentials = {name: write_credentials(place, name, *words) for name, *words in (
        ("user", "nobody", "a long password", "another secret"), ("password", "monitor", "a wrong password", "another secret"),
        ("privacy", "monitor", "a long password", "a wrong secret"))}
    with Agent(place) as agent:
        agent.put({"1": ("gauge", 100), "2": ("objectid", ".1.3.6"), "3": ("string", "much")})
        v3 = {"version": 3, "auth": "SHA-256", "timeout": "1s"}
        found = sources(place, agent.url(oid(1), community="wrong", timeout="1s", name="a"), agent.url(oid(2), name="b"),
                        agent.url(oid(3), name="c"), agent.url(oid(4), name="d"))
        # One at a time: a user of an agent has the same secrets in all of a process.
        for name, file in credentials.items():
            found |= sources(place, agent.url(oid(1), credentials=file, name=name, **v3))
        for name, word, fix in (("a", "community", "community="), ("user", "user", "user"), ("password", "password", "password"),
                                ("privacy", "privacy", "privacy")):
            one = found[f"snmp/{name}"]
            equal(one["state"], "denied", str(one))
            expect(word in one["reason"] and fix in one["fix"], str(one))
        for name, word in (("b", "OBJECT IDENTIFIER"), ("c", "OCTET STRING"), ("d", "noSuchInstance")):
            expect(word in found[f"snmp/{name}"]["reason"], str(found[f"snmp/{name}"]))
        agent.stop()
        found = sources(place, agent.url(oid(1), timeout="1s"))
        equal(found["snmp/node"]["state"], "absent")
        expect("listens" in found["snmp/node"]["reason"], found)
    refused(place, "snmp://h/ifInOctets.1", "numbers with dots")
    refused(place, "snmp://h/1.3.6?version=4", "version=")
    refused(place, "snmp://h/?model=apc-rpdu3&outlet=1", "apc-rpdu2")
    refused(place, "snmp://h/?model=apc-rpdu2&outlet=1.2.3", "outlet")
    refused(place, "snmp://h/1.3.6?comunity=x", "community")


def fail(place, number, what, meter, begin, end, domain, faults):
    """A fault of 1.3 s in the middle of a run."""
    runs = os.path.join(place, f"runs{number}")
    child = start(*command(place, [meter], name=f"j{number}"), "sh", "-c", f"touch {runs}; sleep 5")
    wait_until(lambda: os.path.exists(runs), "run")
    time.sleep(0.7)
    begin()
    time.sleep(1.3)
    end()
    _, text = child.communicate(timeout=60)
    equal(child.returncode, 0, text)
    check_lost(last_json(text), f"{what}: {text}", domain, 200, *faults)


def side_by_side(cases):
    """Calls each function of a list on a thread of its own; the first error is that of all."""
    with concurrent.futures.ThreadPoolExecutor(len(cases)) as pool:
        for done in [pool.submit(case) for case in cases]:
            done.result()


def test_snmp_faults(place):
    """An agent that goes, is slow or says nonsense in the middle: the joules are within their bound, the fault is named"""
    tree(place)
    values = {"1": ("gauge", 200)}
    credentials = write_credentials(place, "credentials", "monitor", "a long password", "another secret")

    def case(number, what, begin, end, faults):
        with Agent(os.path.join(place, str(number))) as agent:
            agent.put(values)
            v3 = {"version": 3, "auth": "SHA-256", "credentials": credentials} if "version 3" in what else {}
            fail(place, number, what, agent.url(oid(1), period="100ms", timeout="1s", **v3), lambda: begin(agent),
                 lambda: end(agent), "snmp/node", faults)

    side_by_side([lambda n=n, c=c: case(n, *c) for n, c in enumerate((
        ("gone", Agent.stop, Agent.start, ("no_answer", "timed_out")),
        ("rebooted, version 3", Agent.stop, Agent.start, ("no_answer", "timed_out")),
        ("slow", lambda a: a.put(delay_s=SLOW_S), lambda a: a.put(delay_s=0), ("no_answer", "timed_out")),
        ("no object", lambda a: a.put({}), lambda a: a.put(values), ("vanished",)),
        ("nonsense", lambda a: a.put({"1": ("string", "much")}), lambda a: a.put(values), ("garbage",)),
        ("negative", lambda a: a.put({"1": ("integer", -7)}), lambda a: a.put(values), ("out_of_range",))))])


def test_modbus_values(place):
    """Registers of every type and order are the numbers they are; those that follow each other come in one request"""
    with Device() as device:
        device.put(40, struct.pack(">f", 120.5) + struct.pack(">f", 79.5))
        device.put(100, struct.pack("<I", 123456), function=4)
        device.put(200, struct.pack(">h", 77))
        device.put(300, struct.pack(">HHHH", 4, 3, 2, 1))  # registers the other way round
        report, text = measure(place, [
            device.url(register="40+42", type="float32", period="100ms"),
            device.url(register=100, type="uint32", order="dcba", function=4, unit="mW", domain="other", name="a"),
            device.url(register=200, type="int16", domain="other", name="b"),
            device.url(register=300, type="uint64", order="cdab", unit="uJ", domain="other", name="c"),
        ])
        check_power(report, "modbus/node", 200)
        near(domains(report)["modbus/a"]["mean_w"], 123.456, 0.001, text)
        near(domains(report)["modbus/b"]["mean_w"], 77, 0.001, text)
        equal(domains(report)["modbus/c"]["kind"], "measured", text)
        expect((3, 40, 4) in device.requests and (3, 42, 2) not in device.requests, str(set(device.requests)))


def test_modbus_energy(place):
    """A counter in registers is true to its step, and to its range where it wraps"""
    with Device() as device:
        def put(energy_j):
            device.put(10, struct.pack(">I", int(energy_j * 1000) % 1200000))

        put(COUNTER_J)
        check_counter(place, Driven(), device.url(register=10, type="uint32", unit="mJ", range=1199999, period="100ms"),
                      "modbus/node", 0.001 + 500 * 0.4, put)


def test_modbus_refusals(place):
    """What a device refuses is named with a remedy, and so is an URL that cannot be"""
    with Device() as device:
        device.put(1, b"\x7f\xc0\x00\x00" + b"\x80\x00" + b"\xff\xff\xff\xff")
        at = {"type": "float32"}
        other = device.url(register=1, type="uint16", name="e").replace("/1?", "/9?")
        found = sources(place, device.url(register=90, **at, name="a"), device.url(register=1, **at, name="b"),
                        device.url(register=3, type="int16", name="c"), device.url(register=4, type="uint32", name="d"), other)
        for name, word in (("a", "illegal address"), ("b", "no value"), ("c", "no value"), ("d", "no value"), ("e", "unit number")):
            equal(found[f"modbus/{name}"]["state"], "absent", str(found))
            expect(word in found[f"modbus/{name}"]["reason"], str(found[f"modbus/{name}"]))
        device.stop()
        found = sources(place, device.url(register=1, **at))
        expect("listens" in found["modbus/node"]["reason"], str(found))
    refused(place, "modbus://h/1?register=1", "type=")
    refused(place, "modbus://h/300?register=1&type=int16", "unit")
    refused(place, "modbus://h/1?register=1%2B2&type=int32", "overlap")
    refused(place, "modbus://h/1?register=65535&type=int32", "65535")
    refused(place, "modbus://h/1?register=1&type=int16&order=acbd", "order=")


def test_modbus_faults(place):
    """A device that goes, is slow or says nonsense in the middle: the joules are within their bound, the fault is named"""
    tree(place)

    def put(device, value=200.0):
        device.put(40, struct.pack(">f", value))

    def say(device, answers=None, delay_s=0):
        device.answers, device.delay_s = answers, delay_s

    def case(number, what, begin, end, faults):
        with Device() as device:
            put(device)
            fail(place, number, what, device.url(register=40, type="float32", period="100ms", timeout="1s"), lambda: begin(device),
                 lambda: end(device), "modbus/node", faults)

    side_by_side([lambda n=n, c=c: case(n, *c) for n, c in enumerate((
        ("gone", Device.stop, Device.start, ("no_answer", "timed_out")),
        ("slow", lambda d: say(d, delay_s=SLOW_S), say, ("no_answer", "timed_out")),
        ("garbage", lambda d: say(d, b"\0" * 64), say, ("garbage",)),
        ("not a number", lambda d: put(d, float("nan")), put, ("no_data",)),
        ("infinite", lambda d: put(d, float("inf")), put, ("out_of_range",)),
        ("no register", lambda d: d.registers[3].clear(), put, ("vanished",))))])


def test_mqtt_power(place):
    """Messages of a plug, as a number and by pointer: what the broker kept from before is no reading"""
    with Broker(place) as broker:
        publisher = Publisher(broker)
        publisher.send("plugs/n1", '{"power": 9999}', retain=True)

        def publish():
            publisher.send("plugs/n1", '{"power": 200, "volts": 230}')
            publisher.send("plugs/plain", "50.5")

        with Every(0.2, publish):
            report, text = measure(place, [broker.url("plugs/n1#/power"), broker.url("plugs/plain", domain="other", name="plain", qos=1)],
                                   "sleep", "2", options=("--period", "200ms"))
        check_power(report, "mqtt/node", 200)
        equal(domains(report)["mqtt/node"]["max_w"], 200, text)
        near(domains(report)["mqtt/plain"]["mean_w"], 50.5, 0.01, text)


def test_mqtt_times(place):
    """Messages that say when their value was taken are readings of that time, also one that the broker kept, if it is new"""
    def message(age_s, power_w):
        return json.dumps({"t": round(time.time() - age_s, 3), "power": power_w})

    with Broker(place) as broker:
        publisher = Publisher(broker)
        here = f"plugs/{os.uname().nodename.split('.')[0]}"
        publisher.send(here, message(1, 200), retain=True)
        publisher.send("plugs/old", message(3600, 200), retain=True)
        old = sources(place, broker.url("plugs/old#/power", time="/t", timeout="1s"))["mqtt/node"]
        equal(old["state"], "absent", str(old))
        expect("older than" in old["reason"], str(old))
        with Every(0.5, lambda: publisher.send(here, message(0.2, 200))):
            report, text = measure(place, [broker.url("plugs/{host}#/power", time="/t", period="100ms")], "sleep", "3")
        check_power(report, "mqtt/node", 200)
        expect(not report["quality"]["gaps"], text)


def test_mqtt_energy(place):
    """A counter that is published is true to the time between two messages"""
    with Broker(place) as broker:
        publisher = Publisher(broker)
        check_counter(place, Driven(), broker.url("plugs/n1#/Wh", unit="Wh", period="100ms"), "mqtt/node", 500 * 0.4,
                      lambda energy_j: publisher.send("plugs/n1", json.dumps({"Wh": energy_j / 3600})))


def test_mqtt_refusals(place):
    """A broker that refuses us, a certificate that nobody vouches for, a silent topic, a wildcard: each with its reason"""
    credentials = write_credentials(place, "credentials", "monitor", "secret")
    with Broker(place, password=("monitor", "secret")) as broker:
        publisher = Publisher(broker, "monitor", "secret")
        with Every(0.1, lambda: publisher.send("plugs/n1", "120")):
            found = sources(place, broker.url("plugs/n1"), broker.url("plugs/n1", credentials=credentials, name="ok"),
                            broker.url("plugs/n2", credentials=credentials, timeout="1s", name="silent"))
        equal(found["mqtt/node"]["state"], "denied", str(found))
        expect("credentials=" in found["mqtt/node"]["fix"], str(found))
        expect(not found["mqtt/ok"]["reason"].startswith("127."), str(found["mqtt/ok"]))
        expect("no message" in found["mqtt/silent"]["reason"], str(found))
    found = sources(place, broker.url("plugs/n1", timeout="1s"))
    expect("listens" in found["mqtt/node"]["reason"], str(found))
    refused(place, "mqtt://h/plugs/%2B/power", "wildcard")
    refused(place, "mqtt://h/plugs/%23", "wildcard")
    refused(place, "mqtt://h/", "topic")
    refused(place, "mqtt://h/t?ca=/x", "mqtts")
    refused(place, "mqtt://h/t?qos=2", "qos=")


def test_mqtt_tls(place):
    """A broker behind TLS is believed only if its certificate is vouched for and says its name, or verify=no says so"""
    right, wrong = certificate(place, "right", "localhost"), certificate(place, "wrong", "other.example")
    for n, (tls, ca, verify, word) in enumerate(((right, right, None, None), (right, wrong, None, "certificate"),
                                                 (wrong, wrong, None, "TLS"), (wrong, right, "no", None),
                                                 (right, None, None, "certificate"))):
        params = {"timeout": "2s", **({"ca": ca[1]} if ca else {}), **({"verify": verify} if verify else {})}
        with Broker(os.path.join(place, str(n)), tls=tls) as broker:
            # Publishes through itself: what is published is of no matter where no connection comes about.
            publish = ["mosquitto_pub", "-h", "localhost", "-p", str(broker.port), "--cafile", tls[1], "--insecure", "-t", "t",
                       "-m", "5", "--repeat", "30", "--repeat-delay", "0.1"]
            with subprocess.Popen(publish, stderr=subprocess.DEVNULL) as publisher:
                found = sources(place, broker.url("t", scheme="mqtts", host="localhost", **params))["mqtt/node"]
                publisher.terminate()
        if word:
            expect(word in found["reason"], f"{n}: {found}")
        else:
            expect(found["state"] != "absent", f"{n}: {found}")


def test_mqtt_faults(place):
    """A broker that is restarted, a plug that falls silent or says nonsense: joules within their bound, the fault named"""
    tree(place)

    def case(number, what, begin, end, faults):
        payload = {"now": "200"}
        with Broker(os.path.join(place, str(number))) as broker:
            publisher = Publisher(broker)

            def publish():
                if payload["now"] is not None:
                    publisher.send("plugs/n1", payload["now"])

            with Every(0.1, publish):
                fail(place, number, what, broker.url("plugs/n1", period="100ms", timeout="1s"), lambda: begin(broker, payload),
                     lambda: end(broker, payload), "mqtt/node", faults)

    def say(what):
        return lambda _, payload: payload.update(now=what)

    side_by_side([lambda n=n, c=c: case(n, *c) for n, c in enumerate((
        ("restart", lambda b, _: b.stop(), lambda b, _: b.start(), ("no_answer", "timed_out")),
        ("silent", say(None), say("200"), ("no_data",)),
        ("garbage", say("much"), say("200"), ("garbage",)),
        ("long", say("2" * 70000), say("200"), ("read_failed", "out_of_range"))))])


def test_resets(place):
    """A counter that begins anew in the middle is a reset: no energy is made up, and none is taken away"""
    with Device() as device:
        driven = Driven(200)
        base = {"j": float(COUNTER_J)}

        def put():
            device.put(10, struct.pack(">I", int((base["j"] + driven.joules()) * 1000)))

        with Every(0.02, put):
            runs = os.path.join(place, "runs")
            child = start(*command(place, [device.url(register=10, type="uint32", unit="mJ", period="100ms")]),
                          "sh", "-c", f"touch {runs}; sleep 3")
            wait_until(lambda: os.path.exists(runs), "run")
            time.sleep(1)
            base["j"] = -driven.joules()
            _, text = child.communicate(timeout=60)
        report = last_json(text)
        check_lost(report, text, "modbus/node", 200, "reset")


def test_stands(place):
    """A counter that never moves is no 0 J: it is left out with the reason, and the node is estimated"""
    with Device() as device:
        device.put(10, struct.pack(">I", 1000000))
        report, text = measure(place, [device.url(register=10, type="uint32", unit="mJ", period="100ms")])
        one = domains(report)["modbus/node"]
        equal((one["energy_j"], one["chosen_total"], one["state"]), (None, False, "unproven"), text)
        expect("stood still" in one["reason"], str(one))
        equal(report["energy"]["kind"], "estimated", text)


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
