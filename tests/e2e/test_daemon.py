#!/usr/bin/env python3
# test_daemon.py - energyscopiumd: what it shows against the truth, and what it does with hostile readers and bad days
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import sys
import time

import daemons
import harness
import twins
from harness import equal, expect, near


def domains(connection):
    return [daemons.domain_of(body) for _, body in connection.ask_list(daemons.DOMAINS)]


def test_page_against_truth(place):
    """The page's energies between two sweeps are the twin's, for each domain and the node"""
    with twins.up(place, "skx2s", "--seed", "7") as twin, daemons.up(place, root=twin.mount) as daemon, \
            daemon.connect() as connection:
        names = domains(connection)
        page = connection.watch(100_000_000)
        equal(page.n, len(names), "domains of the page")
        first = page.next()
        time.sleep(1.2)
        last = page.next(first["sequence"] + 10)
        n_compared = 0
        for i, domain in enumerate(names):
            a, b = first["values"][i], last["values"][i]
            if not domain["id"].startswith(("powercap/package", "powercap/dram")):
                continue
            truth = twin.energy_uj(a["t_ns"], b["t_ns"])[domain["name"]]
            # Its counter moves once in a millisecond.
            near(b["energy_uj"] - a["energy_uj"], truth, 0.02 * truth + 1_000_000, domain["id"])
            n_compared += 1
        expect(n_compared >= 2, f"domains of {names}")
        expect(last["node_uj"] > first["node_uj"], "the node's energy grows")
        page.close()


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
