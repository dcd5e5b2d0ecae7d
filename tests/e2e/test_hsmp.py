#!/usr/bin/env python3
# test_hsmp.py - EPYC nodes whose firmware tells energy or power (HSMP), behind a file system that answers the driver's ioctl
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import json
import os
import subprocess
import sys

import harness
from faulty import Faulty, finish
from harness import TREE, call, equal, expect, near


def sources(root, *options):
    told = json.loads(call("sources", "--json", "--root", root, *options).stdout)
    return told, {d["id"]: d for s in told["sources"] for d in s["domains"]}


def by_id(report):
    return {d["id"]: d for d in report["energy"]["by_domain"]}


def check(report, truth):
    domains = by_id(report)
    for name in ("package-0", "package-1"):
        domain = domains["hsmp/" + name]
        near(domain["energy_j"], truth[name]["energy_uj"] / 1e6, domain["uncertainty_j"] + 0.001, name)


def test_counters(place):
    """Two packages by the firmware's counters: what was drawn, to a step."""
    with Faulty(place, "counters", model="genoa-hsmp") as machine:
        report, _ = finish(machine.start())
        check(report, machine.truth())
        equal(report["energy"]["kind"], "measured")


def test_messages_fail(place):
    """Firmware that is busy now and then loses nothing."""
    with Faulty(place, "busy", model="genoa-hsmp") as machine:
        machine.tell("dev/hsmp EBUSY every=3 after=20\n")
        report, _ = finish(machine.start())
        expect(machine.hits() > 0, "no message failed")
        check(report, machine.truth())


def test_sources(place):
    """Domains with limit and kind; hwmon's powers of the same packages are duplicates."""
    with Faulty(place, "listed", model="genoa-hsmp") as machine:
        told, named = sources(machine.mount, "--no-probe")
        equal((named["hsmp/package-0"]["kind"], named["hsmp/package-0"]["limit_w"]), ("measured", 360), named["hsmp/package-0"])
        equal(named["hwmon/amd_hsmp_hwmon:package-1"]["duplicate_of"], "hsmp/package-1")
        equal(told["cover"], ["hsmp/package-0", "hsmp/package-1"])


def test_plain_file(place):
    """A file that answers no ioctl is no device, and that is said."""
    root = os.path.join(place, "plain")
    subprocess.run([TREE, root, "milan-hsmp"], check=True)
    told, _ = sources(root, "--no-probe")
    source = next(s for s in told["sources"] if s["name"] == "hsmp")
    expect("/dev/hsmp cannot be asked" in json.dumps(source), source)


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
