#!/usr/bin/env python3
# test_pareto.py - energyscopium pareto: intervals, repeated runs, recordings, letters
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import json
import os
import sys

import harness
from harness import call, equal, expect, near

COLUMNS = ("--time", "t", "--energy", "e")


def write(place, name, text):
    path = os.path.join(place, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def tell(*args):
    done = call("pareto", *args, "--json")
    equal(done.returncode, 0, done.stderr)
    return json.loads(done.stdout)


def refused(words, *args, status=1):
    done = call("pareto", *args)
    equal(done.returncode, status, done.stderr)
    equal(done.stdout, "")
    for word in words:
        expect(word in done.stderr, f"'{word}' is not in: {done.stderr}")


def test_interval_columns(place):
    """A row is dominated surely only where the intervals of another lie apart from its own in time and energy."""
    path = write(place, "ci.csv", "name,t,e,dt,de\nbest,10,100,1,5\nnear,11.5,104,1,5\nfar,13,120,1,5\nblind,14,130,,\n")
    told = tell(path, *COLUMNS, "--time-ci", "dt", "--energy-ci", "de", "--label", "name")
    equal([row["name"] for row in told["front"]], ["best"])
    equal((told["dominated"], told["dominated_surely"]), (3, 1))
    equal([row["name"] for row in told["possible"]], ["near", "blind"])
    text = call("pareto", path, *COLUMNS, "--time-ci", "dt", "--energy-ci", "de").stdout
    expect("3 dominated, 1 of them surely" in text and "may be on the front, too: near, blind" in text, text)
    told = tell(path, *COLUMNS)
    equal((told["dominated"], told["dominated_surely"], told["possible"]), (3, None, None))
    for bad in ("-1", "nan", "inf", "x"):
        refused(["':2: column 'dt'", f"'{bad}'"], write(place, "b.csv", f"t,e,dt\n1,2,{bad}\n"), *COLUMNS, "--time-ci", "dt")
    refused(["no column 'dtt'", "did you mean 'dt'"], path, *COLUMNS, "--time-ci", "dtt")


def test_repeats(place):
    """Rows with one label are runs of one configuration: means, with Student's interval, for each group."""
    rows = [("a", "v", 10, 100), ("a", "v", 12, 100), ("a", "v", 11, 103), ("b", "v", 20, 50), ("b", "v", 22, 52),
            ("c", "v", 30, 200), ("a", "r", 5, 10)]
    path = write(place, "r.csv", "name,gpu,t,e\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))
    told = tell(path, *COLUMNS, "--label", "name", "--repeats", "--group", "gpu")
    groups = {group["group"]: group for group in told["groups"]}
    equal([point["name"] for point in groups["v"]["front"]], ["a", "b"])
    equal([point["runs"] for point in groups["v"]["front"]], [3, 2])
    point = groups["v"]["front"][0]
    equal((point["time"], point["energy"]), (11, 101))
    # t(0.975; 2) = 4.302653, sd = 1, n = 3.
    near(point["time_ci"][0], 11 - 4.302653 / 3 ** 0.5, 1e-5)
    near(point["time_ci"][1], 11 + 4.302653 / 3 ** 0.5, 1e-5)
    equal([point["name"] for point in groups["v"]["possible"]], ["c"], "one run tells no interval: it is not surely dominated")
    equal(groups["r"]["front"][0]["time_ci"], None)
    refused(["--repeats needs --label"], path, *COLUMNS, "--repeats", status=2)
    refused(["not from both"], path, *COLUMNS, "--repeats", "--label", "name", "--time-ci", "t", status=2)


def test_recordings(place):
    """Recordings, a file or a folder of them, are runs of configurations by their names."""
    out = os.path.join(place, "out")
    for name, watts, seconds in (("base-1", 100, 20), ("base-2", 101, 21), ("slow-1", 60, 25), ("slow-2", 61, 26), ("bad-1", 120, 40)):
        lines = "".join(f"{1700000000 + t},node,{watts}\n" for t in range(seconds + 1))
        path = write(place, f"{name}.csv", "time,domain,power_w\n" + lines)
        equal(call("import", path, "--out", out).returncode, 0, name)
    told = tell(out)
    equal((told["time"], told["energy"]), ("time_s", "energy_j"))
    equal([(p["name"], p["runs"]) for p in told["front"]], [("base", 2), ("slow", 2)])
    near(told["front"][0]["energy"], (100 * 20 + 101 * 21) / 2, 1)
    equal(told["dominated"], 1)
    files = [os.path.join(out, f) for f in os.listdir(out) if f.endswith(".esr") and not f.startswith("bad")]
    equal(len(tell(*files)["front"]), 2)
    refused(["--time COL and --energy COL are missing"], out, "--label", "x", status=2)
    refused(["not 2"], out, out, *COLUMNS, status=2)
    refused(["none"], os.path.join(place, "none"))


def test_estimates(place):
    """Energies estimated from CPU time are never compared: there is no front."""
    path = write(place, "runs.csv", "name,duration_s,energy_j,kind\na,10,100,estimated\nb,20,50,estimated\n")
    done = call("pareto", path)
    equal(done.returncode, 1, done.stdout)
    expect("there is no front" in done.stderr or "both time and energy" in done.stderr, done.stderr)


def test_objective(place):
    """The row of least energy times time to a power is named beside the knee."""
    path = write(place, "o.csv", "name,t,e\na,1,10\nb,2,4\nc,4,3\n")
    for objective, name in (("energy", "c"), ("edp", "b"), ("ed1p", "b"), ("ed2p", "a"), ("ed3p", "a"), ("ed9p", "a")):
        equal(tell(path, *COLUMNS, "--objective", objective)["best"]["name"], name, objective)
    refused(["energy, edp, ed2p"], path, *COLUMNS, "--objective", "ed1.5p", status=2)


def test_several_groups(place):
    """Groups of several columns are in the order of their numbers."""
    path = write(place, "g.csv", "gpu,batch,t,e\nv,16,1,1\nv,8,1,1\nr,128,1,1\nr,16,1,1\nr,16,2,2\n")
    told = tell(path, *COLUMNS, "--group", "gpu,batch")
    want = ["r / 16", "r / 128", "v / 8", "v / 16"]
    equal([group["group"] for group in told["groups"]], want)
    equal([group["group"] for group in tell(path, *COLUMNS, "--group", "gpu", "--group", "batch")["groups"]], want)
    text = call("pareto", path, *COLUMNS, "--group", "gpu,batch").stdout
    expect("gpu / batch r / 16" in text, text)
    refused(["did you mean 'batch'"], path, *COLUMNS, "--group", "gpu,batsh")
    refused(["'gpu' twice"], path, *COLUMNS, "--group", "gpu,gpu")


def test_letters(place):
    """--term draws in letters, in Unicode where the locale has it; without a terminal there is no picture unasked."""
    path = write(place, "l.csv", "name,t,e\na,1,10\nb,2,4\nc,4,3\nd,4,9\n")
    plain = call("pareto", path, *COLUMNS, "--term", env={"LC_ALL": "C"}).stdout
    expect("e against t" in plain and "* on the front" in plain and plain.isascii(), plain)
    unicode = call("pareto", path, *COLUMNS, "--term", env={"LC_ALL": "C.UTF-8"}).stdout
    expect("● on the front" in unicode and "\x1b[" not in unicode, unicode)
    expect("e against t" not in call("pareto", path, *COLUMNS).stdout, "a picture that nobody asked for")
    expect("e against t" not in call("pareto", path, *COLUMNS, "--json", "--term").stdout, "letters within JSON")


def test_intervals_in_pictures(place):
    """Pictures show intervals as boxes and say so."""
    path = write(place, "ci.csv", "name,t,e,dt,de\na,10,100,1,5\nb,11.5,104,1,5\n")
    svg = os.path.join(place, "p.svg")
    tell(path, *COLUMNS, "--time-ci", "dt", "--energy-ci", "de", "--svg", svg)
    with open(svg, encoding="utf-8") as file:
        expect("95 % intervals" in file.read(), "no legend of intervals")


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
