#!/usr/bin/env python3
# harness.py - what end-to-end tests share: TAP, a folder of their own, the programs
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
"""Each test is a function test_…(place) whose docstring is the sentence it proves.

The programs come from the environment: ES_PROGRAM (energyscopium), ES_TREE and ES_PLAYER (fake
trees and who moves their counters).
"""
import atexit
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback

PROGRAM = os.environ.get("ES_PROGRAM", "energyscopium")
TREE = os.environ.get("ES_TREE", "")
PLAYER = os.environ.get("ES_PLAYER", "")
SOURCE_ROOT = os.environ.get("ES_SOURCE_ROOT", os.getcwd())
LINE = re.compile(
    r"^energyscopium jobid<.*> nodes<\['.*'\]> ncpus <(\d+|n/a)> duration\(hour\)<[\d.]+> "
    r"estimated energy\(kWh\)<([\d.]+|n/a)> with adding cooling \(PUE=[\d.]+\): \(kWh\)<([\d.]+|n/a)> "
    r"and \(gCO2 in \w+\)<([\d.]+|n/a)>$", re.M)


class Skip(Exception):
    """Raised by a test that cannot run here, with the reason."""


def clean_environment(extra=None):
    """Nothing of the caller's scheduler, site or home may leak into a test."""
    keep = {k: v for k, v in os.environ.items()
            if not k.startswith(("SLURM_", "PBS_", "OAR_", "LSB_", "FLUX_", "OMPI_", "PMI", "PALS_", "MV2_", "MPI_LOCAL",
                                 "ENERGYSCOPIUM_", "XDG_"))}
    keep.update({"HOME": "/nonexistent", "TZ": "UTC"})
    keep.update(extra or {})
    return keep


def for_anybody(path):
    """A file or folder of the build, or a copy where ordinary users cannot come to it: below /root, in somebody's closed home."""
    at, is_open = os.path.abspath(path), True
    if not path or not os.path.exists(at):
        return path
    while at != "/":
        at = os.path.dirname(at)
        is_open = is_open and os.stat(at).st_mode & 0o1
    if is_open:
        return path
    folder = tempfile.mkdtemp(prefix="es-e2e-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.chmod(folder, 0o755)
    copy = os.path.join(folder, os.path.basename(path))
    if os.path.isdir(path):
        shutil.copytree(path, copy, ignore=shutil.ignore_patterns("*.p", "*.a"))
    else:
        shutil.copy(path, copy)
    return copy


def call(*args, env=None, timeout=60, cwd=None, **kwargs):
    """Run the program; returns what subprocess.run() does, as text."""
    return subprocess.run([PROGRAM, *map(str, args)], env=clean_environment(env), text=True,
                          capture_output=True, timeout=timeout, cwd=cwd, check=False, **kwargs)


def start(*args, env=None, cwd=None):
    return subprocess.Popen([PROGRAM, *map(str, args)], env=clean_environment(env), text=True, cwd=cwd,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def last_json(text):
    """The last line of a text, as JSON."""
    return json.loads(text.rstrip("\n").rsplit("\n", 1)[-1])


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def equal(got, want, what=""):
    if got != want:
        raise AssertionError(f"{what}: got {got!r}, want {want!r}")


def near(got, want, within, what=""):
    if got is None or abs(got - want) > within:
        raise AssertionError(f"{what}: got {got!r}, want {want!r} within {within!r}")


def main(module):
    """Run every test of a module; TAP on stdout."""
    tests = [(n, f) for n, f in vars(module).items() if n.startswith("test_") and callable(f)]
    print(f"1..{len(tests)}")
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    failed = 0
    for number, (name, function) in enumerate(tests, 1):
        place = tempfile.mkdtemp(prefix="es-e2e-")
        sentence = (function.__doc__ or name).strip().splitlines()[0].rstrip(".")
        try:
            function(place)
            print(f"ok {number} - {sentence}")
        except Skip as why:
            print(f"ok {number} - {sentence} # SKIP {why}")
        except Exception:  # a test may fail in any way
            failed += 1
            print(f"not ok {number} - {sentence}")
            for line in traceback.format_exc().splitlines():
                print(f"# {line}")
                print(f"{name}: {line}", file=sys.stderr)  # meson shows this of a failed test
        finally:
            shutil.rmtree(place, ignore_errors=True)
        sys.stdout.flush()
    return 1 if failed else 0
