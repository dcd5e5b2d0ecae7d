#!/usr/bin/env python3
# test_twin_fit.py - the twin held against measurements, and the page that tells how that came out
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import csv
import difflib
import io
import json
import os
import re
import shutil
import subprocess
import sys

import harness
from harness import call, equal, expect

DATA = os.path.join(harness.SOURCE_ROOT, "../shared/data")
PAGE = os.path.join(harness.SOURCE_ROOT, "doc/twin.md")
TOOL = os.path.join(harness.SOURCE_ROOT, "tools/twin-validation")
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")
# A training by power limit, as one might measure it.
TABLE = """program,gpu_limit_w,time_s,power_w
train,100,95,104
train,150,60,149
train,200,49,196
train,250,46,238
train,300,45,262
"""


def regenerated(place, *options):
    """The page, written anew in a folder of the test."""
    page = os.path.join(place, "twin.md")
    with open(PAGE, "rb") as old, open(page, "wb") as new:
        shutil.copyfileobj(old, new)
    env = dict(os.environ, ES_PROGRAM=os.path.abspath(harness.PROGRAM))
    done = subprocess.run([sys.executable, TOOL, "--data", DATA, "--page", page, *options], text=True, capture_output=True,
                          timeout=300, env=env, check=False)
    equal(done.returncode, 0, done.stderr)
    with open(page, encoding="utf-8") as file:
        return file.read()


def between(page, name):
    return page.split(f"<!-- {name}: begin -->\n", 1)[1].split(f"<!-- {name}: end -->", 1)[0]


def committed():
    with open(PAGE, encoding="utf-8") as file:
        return file.read()


def write(place, name, text):
    path = os.path.join(place, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def needs_gsl(done):
    if "libgsl27" in done.stderr:
        raise harness.Skip("libgsl27 is not installed")
    return done


def fit(*args):
    done = needs_gsl(call("twin", "fit", *args))
    equal(done.returncode, 0, done.stderr)
    return done.stdout


def alike(line, other):
    """Numbers may differ in what another compiler's rounding makes of a search; words may not."""
    if NUMBER.sub("#", line) != NUMBER.sub("#", other):
        return False
    pairs = zip(map(float, NUMBER.findall(line)), map(float, NUMBER.findall(other)))
    return all(abs(a - b) <= max(0.6, 0.02 * abs(b)) for a, b in pairs)


def test_the_page_tells_each_kind_and_its_sources(place):
    """doc/twin.md lists the kinds as 'twin kinds' does (tools/twin-validation --kinds-only writes it)"""
    told, now = between(committed(), "kinds").splitlines(), between(regenerated(place, "--kinds-only"), "kinds").splitlines()
    changes = [line for line in difflib.unified_diff(told, now, "doc/twin.md", "twin kinds", lineterm="", n=0)]
    expect(not changes, "run tools/twin-validation --kinds-only:\n" + "\n".join(changes))


def test_the_page_tells_what_comes_out(place):
    """the tables of doc/twin.md are what 'twin fit' says of the data, where they are here"""
    if not os.path.isdir(os.path.join(DATA, "zeus")):
        raise harness.Skip("the measurements in ../shared/data are not here")
    needs_gsl(call("twin", "fit", "--kind", "lab-a4000", os.path.join(DATA, "kerneltuner/rtx_a4000_freq_time_power.csv")))
    rows = [line for line in between(regenerated(place, "--quick"), "validation").splitlines() if line.startswith("|")]
    told = between(committed(), "validation").splitlines()
    expect(len(rows) > 40, f"only {len(rows)} rows")
    for row in rows:
        expect(any(alike(row, line) for line in told), f"doc/twin.md has no such line: {row}")


def test_a_table_made_by_the_twin_is_fitted_back(place):
    """what the twin says a program takes, taken for measured, fits within half a percent"""
    path = write(place, "measured.csv", TABLE)
    made = list(csv.DictReader(io.StringIO(fit("--kind", "lab-a40", "--csv", "-", path))))
    equal(len(made), 5, "rows")
    lines = ["program,gpu_limit_w,time_s,energy_j"]
    lines += [f"{r['program']},{r['gpu_limit_w']},{r['simulated_time_s']},{r['simulated_energy_j']}" for r in made]
    again = json.loads(fit("--kind", "lab-a40", "--json", write(place, "made.csv", "\n".join(lines) + "\n")))
    program = again["programs"][0]

    equal((again["schema"], again["knob"], again["of"]), ("energyscopium.twin-fit/1", "gpu_limit_w", "gpu"), "what it is about")
    equal((again["n_programs_fit"], again["n_rows_fit"], program["name"]), (1, 5, "train"), "all of it fits")
    expect(program["time_error_max"] < 0.005 and program["energy_error_max"] < 0.005, f"errors: {program}")
    expect(program["rows"][0]["clipped"] and not program["rows"][4]["clipped"], "100 W hold it down, 300 W do not")
    expect(any(line.startswith("device ") and "gpu=" in line for line in program["phases"]), f"phases: {program['phases']}")


def test_the_phases_are_a_workload(place):
    """the lines that are told are read back by the program that plays them"""
    result = json.loads(fit("--kind", "lab-a40", "--json", write(place, "t.csv", TABLE)))
    workload = write(place, "workload", "\n".join(result["programs"][0]["phases"]) + "\n")
    done = call("twin", "play", "--mount", place, workload)

    equal(done.returncode, 1, "no twin is there")
    expect(workload not in done.stderr, f"refused: {done.stderr}")


def test_what_was_not_measured_can_be_asked(place):
    """--at: between two limits the time lies between theirs, and a lower one than can be set is refused"""
    path = write(place, "t.csv", TABLE)
    program = json.loads(fit("--kind", "lab-a40", "--at", "175,125", "--json", path))["programs"][0]
    times = {row["gpu_limit_w"]: row["simulated_time_s"] for row in program["rows"] + program["what_if"]}

    equal([row["gpu_limit_w"] for row in program["what_if"]], [175, 125], "settings asked for")
    expect(times[200] < times[175] < times[150] < times[125] <= times[100], f"times: {times}")
    done = call("twin", "fit", "--kind", "lab-a40", "--at", "fast", path)
    equal((done.returncode, done.stderr),
          (2, "energyscopium twin fit: --at: 'fast' is no clock, limit or number of threads\n"), "a word")
    done = call("twin", "fit", "--kind", "lab-a40", "--at", "175,50", path)
    equal((done.returncode, done.stderr),
          (1, "energyscopium twin fit: --at 50: a node of kind lab-a40 cannot be set so: Invalid argument\n"), "50 W")


def test_what_does_not_fit_is_named(place):
    """a row that no program can have is off, and told with its setting"""
    text = fit("--kind", "lab-a40", write(place, "t.csv", TABLE.replace("200,49,196", "200,70,196")))

    expect("within 5 % in time and energy: 0 of 1 programs" in text, text)
    expect(re.search(r"train: off at .*200.* W; its times scatter by 7\.7 %", text), text)


def test_bad_tables_are_refused(place):
    """with file, line and column; wrong usage with status 2"""
    bad = write(place, "bad.csv", TABLE.replace("60,149", "sixty,149"))
    done = call("twin", "fit", "--kind", "lab-a40", bad)
    equal((done.returncode, done.stderr),
          (1, f"energyscopium twin fit: {bad}:3: column 'time_s': 'sixty' is no number\n"), "a word for a number")
    done = call("twin", "fit", "--kind", "lab-a4", bad)
    equal(done.returncode, 2, "unknown kind")
    expect("did you mean 'lab-a40'?" in done.stderr, done.stderr)
    done = call("twin", "fit", bad)
    equal(done.returncode, 2, "no kind")
    done = needs_gsl(call("twin", "fit", "--kind", "taurus", write(place, "t.csv", TABLE)))
    equal((done.returncode, done.stderr),
          (1, "energyscopium twin fit: the table is about a GPU, nodes of kind taurus have none\n"), "no GPU")
    done = call("twin", "fit", "--kind", "taurus", os.path.join(place, "none.csv"))
    equal(done.returncode, 1, "no such file")


def test_a_missing_library_is_named_with_its_package(place):
    """without GSL nothing is fitted, and the words say what to install"""
    for name in ("libgsl.so.27", "libgsl.so.25"):
        write(place, name, "no library\n")
    done = call("twin", "fit", "--kind", "lab-a40", write(place, "t.csv", TABLE), env={"LD_LIBRARY_PATH": place})

    equal(done.returncode, 1, "status")
    expect("libgsl.so.27" in done.stderr and "Debian package libgsl27" in done.stderr, done.stderr)


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
