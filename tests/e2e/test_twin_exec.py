#!/usr/bin/env python3
# test_twin_exec.py - programs that take a simulated node for this machine
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
"""Environment as in harness.py; needs FUSE and namespaces."""
import os
import shutil
import sys

import harness
import twins

ZONE = "/sys/class/powercap/intel-rapl:0"


def on(twin, *command, env=None):
    done = twin.call("exec", "--", *command, env=env)
    if done.returncode == 1 and "no namespace" in done.stderr:
        raise harness.Skip(done.stderr.strip())
    return done


def test_a_program_finds_the_twin_where_the_machine_was(place):
    """A program finds the twin below /sys and /proc, by its name and with its libraries"""
    with twins.up(place, "genoa2s-a100x4", "--name", "n17") as twin:
        before = int(twin.read(f".{ZONE}/energy_uj"))
        done = on(twin, "sh", "-c", f"hostname; cat {ZONE}/name; cat {ZONE}/energy_uj; grep -c ^processor /proc/cpuinfo; "
                                    "echo $LD_LIBRARY_PATH; cat /proc/self/comm; echo $ENERGYSCOPIUM_TWIN",
                  env={"LD_LIBRARY_PATH": "/nowhere"})
        harness.equal(done.returncode, 0, done.stderr)
        host, zone, energy, n_cpus, libraries, comm, mount = done.stdout.splitlines()
        harness.equal((host, zone, n_cpus, comm), ("n17", "package-0", "256", "cat"), "what it saw")
        harness.equal(libraries, f"{twin.mount}/usr/lib/x86_64-linux-gnu:/nowhere", "where it looks for libraries")
        harness.equal(mount, twin.mount, "how it finds the twin")
        harness.expect(before <= int(energy) <= int(twin.read(f".{ZONE}/energy_uj")), f"{before}, then {energy}")
        harness.expect(os.uname().nodename != "n17", "this machine has the twin's name now")


def test_its_status_and_its_errors(place):
    """It ends with the program's status; what cannot be run is said, with 127 where there is none"""
    with twins.up(place, "milan2s") as twin:
        harness.equal(on(twin, "sh", "-c", "exit 7").returncode, 7, "status")
        missing = on(twin, "no-such-program")
        harness.equal(missing.returncode, 127, "status of what is missing")
        harness.expect("'no-such-program': No such file" in missing.stderr, missing.stderr)
        refused = on(twin, place)
        harness.equal(refused.returncode, 126, "status of a folder")
        harness.equal(twin.call("exec").returncode, 2, "status without a command")
    gone = twin.call("exec", "--", "true")
    harness.equal(gone.returncode, 1, "status without a twin")
    harness.expect(twin.mount in gone.stderr, gone.stderr)


def test_peers_run_unchanged(place):
    """powercap-info and lscpu take the twin for this machine"""
    for tool in ("powercap-info", "lscpu"):
        if not shutil.which(tool):
            raise harness.Skip(f"{tool} is not installed")
    with twins.up(place, "spr2s") as twin:
        zones = on(twin, "powercap-info", "-p", "intel-rapl", "-z", "0").stdout
        harness.expect("max_power_uw: 350000000" in zones or "350000000" in zones, zones)
        cpus = on(twin, "lscpu", env={"LC_ALL": "C"}).stdout
        for line in ("CPU(s): 224", "Socket(s): 2", "Core(s) per socket: 56", "8480+"):
            harness.expect(line in " ".join(cpus.split()), f"{line} is not in {cpus}")


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
