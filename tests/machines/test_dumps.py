#!/usr/bin/env python3
# test_dumps.py - each packed machine of this folder: which meters stand for it, and what they say when it moves
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
"""A machine is NAME.tar.gz, as tools/gather-machine packs it, and NAME.expected.json. NAME.broken has edits of it
(tests/machines/README.md says how). Nothing here knows a machine by its name.

test_dumps.py --write NAME... writes what the program says now as what is expected: look it over.
"""
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "e2e"), HERE]

import harness  # noqa: E402
from broken import variants  # noqa: E402
from dumps import Dump, Mover, text_of  # noqa: E402
from harness import PROGRAM, clean_environment, equal, expect, last_json  # noqa: E402

STUB = os.environ.get("ES_NVML_STUB", "")
CLOCKED = ("amdgpu",)
STRANGER = "54321"  # a user who owns none of a tree's files, whoever runs the test
AT_ONCE = 8  # runs side by side: they mostly wait
AT_LEAST = 20
CASES = {"intel": 6, "amd": 6, "nvidia": 4, "hygon": 1, "cray": 2, "ampere": 1, "arm": 1, "ibm": 1, "fujitsu": 1, "cloud": 1, "container": 1}


def names():
    return sorted(os.path.basename(path)[:-len(".tar.gz")] for path in glob.glob(os.path.join(HERE, "*.tar.gz")))


def path_of(name, end):
    return os.path.join(HERE, name + end)


def in_memory():
    return tempfile.mkdtemp(prefix="es-machines-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)


def unpacked(name, root):
    dump = Dump(path_of(name, ".tar.gz"))
    dump.unpack(root, STUB)
    return dump


def views_of(dump):
    """As whom a machine is looked at: what its gatherer could not read nobody can here."""
    return ("user",) if dump.origin.get("by") == ["user"] else ("root", "user")


def ask(root, view):
    """Start sources on a tree, rights being judged by mode bits."""
    return subprocess.Popen([PROGRAM, "sources", "--json", "--no-probe", "--root", root, "--as", "0" if view == "root" else STRANGER],
                            env=clean_environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def answer(process):
    out, err = process.communicate(timeout=60)
    equal(process.returncode, 0, err)
    return json.loads(out)


def summary(told):
    """What is promised of an answer; words that explain are not."""
    domains = {}
    for source in told["sources"]:
        for domain in source["domains"]:
            row = {key: domain[key] for key in ("state", "type", "kind", "parent", "range_uj")}
            if domain["duplicate_of"]:
                row["duplicate_of"] = domain["duplicate_of"]
            domains[domain["id"]] = row
    return {"cover": told["cover"], "cover_total": told["cover_total"], "domains": domains,
            "unmeasured": [[entry["what"], entry["reason"]] for entry in told["unmeasured"]]}


def start_broken(name, variant, root):
    """Make a machine, break it, and start what looks at it."""
    dump = unpacked(name, root)
    variant.edit(root)
    if variant.moves:
        return start_moving(name, dump, root, root + ".out", path_of(name, ".broken"), variant.name)
    return ask(root, variant.view)


def start_moving(name, dump, root, folder, *how):
    """Start a run whose command shows again what the machine's counters showed."""
    Mover(root, dump).tell_time()
    command = [sys.executable, os.path.join(HERE, "dumps.py"), "--move", root, path_of(name, ".tar.gz"), *how]
    return subprocess.Popen([PROGRAM, "run", "--root", root, "--out", folder, "--name", "j", "--force", "--json", "--period", "100ms", "--",
                             *command], env=clean_environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def moved(process):
    """What a run saw of motion: the domains that stand for the machine, and the energy of those that count.

    The last moments of a meter with a clock of its own are of before the run's end: it has a bound, and no exact energy.
    """
    _, err = process.communicate(timeout=60)
    equal(process.returncode, 0, err)
    report = last_json(err)
    rows = report["energy"]["by_domain"]
    counted = {row["id"]: round(row["energy_j"], 6) for row in rows if row["kind"] == "measured" and row["energy_j"] and row["source"] not in CLOCKED}
    return {"chosen": sorted(row["id"] for row in rows if row["chosen"]),
            "chosen_total": sorted(row["id"] for row in rows if row["chosen_total"]), "energy_j": counted}, report


def check_counted(name, dump, report):
    """Each energy is the difference of some counter's numbers, first and last: by another way than the program's."""
    deltas = [delta * unit for first, last in dump.moves().values() for delta in (last - first,) for unit in (1e-6, 1)]
    has_registers = any(kind == "msr" for kind, *_ in dump.files)
    for row in report["energy"]["by_domain"]:
        if row["kind"] != "measured" or not row["energy_j"] or (has_registers and row["source"] == "msr"):
            continue
        bound = row["uncertainty_j"] if row["source"] in CLOCKED else 3e-6
        expect(any(abs(row["energy_j"] - delta) <= bound for delta in deltas),
               f"{name}: {row['id']}: {row['energy_j']} J is no counter's difference")


def in_groups(items):
    items = list(items)
    return [items[first:first + AT_ONCE] for first in range(0, len(items), AT_ONCE)]


def differences(want, got, where=""):
    """In words, one line each."""
    if isinstance(want, dict) and isinstance(got, dict):
        return [line for key in sorted({*want, *got})
                for line in differences(want.get(key), got.get(key), f"{where}/{key}")]
    return [] if want == got else [f"{where}: expected {json.dumps(want)}, got {json.dumps(got)}"]


def look_at(group, memory):
    """{name: what the program says of a machine} for a handful of them."""
    dumps = {name: unpacked(name, os.path.join(memory, name)) for name in group}
    asked = {name: {view: ask(os.path.join(memory, name), view) for view in views_of(dump)} for name, dump in dumps.items()}
    result = {name: {view: summary(answer(process)) for view, process in views.items()} for name, views in asked.items()}
    running = {name: start_moving(name, dump, os.path.join(memory, name), os.path.join(memory, name + ".out"))
               for name, dump in dumps.items() if dump.motion}
    for name, process in running.items():
        result[name]["moved"], report = moved(process)
        check_counted(name, dumps[name], report)
    return result


def test_machines_are_what_is_expected(_place):
    """Of each machine covers, states, ranges and what is not measured are exactly those expected, for root and a user"""
    wrong = []
    for group in in_groups(names()):
        memory = in_memory()
        try:
            for name, got in look_at(group, memory).items():
                with open(path_of(name, ".expected.json"), encoding="utf-8") as file:
                    wrong += [f"{name}{line}" for line in differences(json.load(file), got)]
        finally:
            shutil.rmtree(memory, ignore_errors=True)
    expect(not wrong, "\n".join(wrong))


def test_every_vendor_is_here(_place):
    """Every vendor has its machines, each with what is expected of it and a word on where it comes from"""
    found = names()
    expect(len(found) >= AT_LEAST, f"{len(found)} machines")
    for vendor, least in CASES.items():
        expect(sum(name.split("-")[0] == vendor for name in found) >= least, f"machines of {vendor}")
    for name in found:
        origin = Dump(path_of(name, ".tar.gz")).origin
        expect(os.path.exists(path_of(name, ".expected.json")), f"{name}: nothing is expected of it")
        expect("date" in origin and "by" in origin if origin["kind"] == ["real"] else origin["note"][0].startswith("synthetic: "),
               f"{name}: {origin}")
        expect(os.path.getsize(path_of(name, ".tar.gz")) < 32768, f"{name}: larger than 32 KiB")


def test_dumps_hold_no_names(_place):
    """No machine here tells the name of a host, a MAC address or where it was gathered"""
    for name in names():
        dump = Dump(path_of(name, ".tar.gz"))
        if dump.origin["kind"] == ["real"]:
            values = {path: text_of(value).decode() for kind, _, path, value in dump.files if kind == "file"}
            equal(values["proc/sys/kernel/hostname"], "node-1\n", name)
            expect("anonymous" in dump.origin, name)


def test_broken_machines(_place):
    """Each machine broken as its edits say: states, words and faults are as they say, and no joule is wrong"""
    wrong = []
    cases = [(name, variant) for name in names() for variant in variants(path_of(name, ".broken"))]
    for group in in_groups(cases):
        memory = in_memory()
        try:
            roots = [os.path.join(memory, str(number)) for number in range(len(group))]
            started = [start_broken(name, variant, root) for (name, variant), root in zip(group, roots)]
            for (name, variant), process in zip(group, started):
                if variant.moves:
                    with open(path_of(name, ".expected.json"), encoding="utf-8") as file:
                        said = variant.judge_run(moved(process)[1], json.load(file)["moved"]["energy_j"])
                else:
                    said = variant.judge(answer(process))
                wrong += [f"{name}, {variant.name}: {line}" for line in said]
        finally:
            shutil.rmtree(memory, ignore_errors=True)
    print(f"# {len(cases)} ways to break a machine")
    expect(not wrong, "\n".join(wrong))


def test_every_machine_is_broken(_place):
    """Each machine with a meter is broken in some way"""
    for name in names():
        with open(path_of(name, ".expected.json"), encoding="utf-8") as file:
            view = next(iter(json.load(file).values()))
        if view["cover"] != ["estimate/node"] or len(view["domains"]) > 1:
            expect(variants(path_of(name, ".broken")), f"{name} is never broken")


def write(which):
    for group in in_groups(which or names()):
        memory = in_memory()
        try:
            for name, got in look_at(group, memory).items():
                with open(path_of(name, ".expected.json"), "w", encoding="utf-8") as file:
                    json.dump(got, file, indent=1)
                    file.write("\n")
        finally:
            shutil.rmtree(memory, ignore_errors=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        write(sys.argv[2:])
    else:
        sys.exit(harness.main(sys.modules[__name__]))
