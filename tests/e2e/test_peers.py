#!/usr/bin/env python3
# test_peers.py - other tools on the same trees answer what doc/peers.md says, and we answer right
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
"""The peers are real programs of Debian; each reads the tree where it expects the machine."""
import os
import re
import sys

import harness as h

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "peers"))
import peers  # noqa: E402  (its folder is added above)


def documented():
    """{trap: {tool: verdict}} of doc/peers.md."""
    with open(os.path.join(h.SOURCE_ROOT, "doc", "peers.md"), encoding="utf-8") as file:
        rows = [[c.strip() for c in line.strip().strip("|").split("|")] for line in file if line.startswith("|")]
    names = rows[0][1:]
    return {re.match(r"\*\*(.*?)\*\*", row[0]).group(1): dict(zip(names, row[1:])) for row in rows[2:]}


def kind_of(verdict):
    return re.match(r"right|within its bound|wrong|no answer", verdict).group(0)


def check(tool, function, place):
    """One tool through all traps: what it answers is what the page says."""
    page = documented()
    h.equal(sorted(page), sorted(s[0] for s in peers.SCENARIOS), "traps of the page")
    for number, scenario in enumerate(peers.SCENARIOS):
        folder = os.path.join(place, str(number))
        os.makedirs(folder)
        os.chmod(place, 0o755)
        if scenario[0] == "denied" and os.geteuid() != 0 and function is not peers.ours:
            continue  # one more user is needed than there is
        scene = peers.Scene(folder, scenario)
        answer, words = function(scene)
        verdict = peers.judge(answer, scene)
        h.equal(kind_of(verdict), kind_of(page[scenario[0]][tool]), f"{scenario[0]}: {tool}: {verdict} {words}")


def need(program):
    if not any(os.access(os.path.join(p, program), os.X_OK) for p in os.get_exec_path()):
        raise h.Skip(f"{program} is not installed")
    if not peers.may_mount():
        raise h.Skip("no mount namespace can be had here")


def test_we_are_right(place):
    """energyscopium answers each trap right, or within the bound that it states."""
    check("energyscopium", peers.ours, place)
    for verdicts in documented().values():
        h.expect(kind_of(verdicts["energyscopium"]) in ("right", "within its bound"), verdicts)


def test_powercap_info(place):
    """powercap-info answers what the page says."""
    need("powercap-info")
    check("powercap-info", peers.powercap_info, place)


def test_node_exporter(place):
    """Prometheus' node exporter answers what the page says."""
    need("prometheus-node-exporter")
    check("node-exporter", peers.node_exporter, place)


if __name__ == "__main__":
    sys.exit(h.main(sys.modules[__name__]))
