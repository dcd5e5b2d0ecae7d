#!/usr/bin/env python3
# test_compare.py - energyscopium compare: groups of repeated runs, what differs, how sure that is, and what is never compared
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import csv
import glob
import gzip
import json
import math
import os
import shutil
import stat
import sys

import twins
from harness import PROGRAM, SOURCE_ROOT, Skip, call, equal, expect, main, near

DATA = os.path.join(SOURCE_ROOT, "..", "shared", "data")
# Two sets of 15 values and their test: B. Welch's t in the article on it in Wikipedia, example 1: t = -2.46, df = 25.0, p = 0.021.
WELCH_A = (27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4)
WELCH_B = (27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 20.5, 24.4)


def table(place, name, header, rows):
    path = os.path.join(place, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(header + "\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))
    return path


def tell(*args, status=0, **kwargs):
    done = call("compare", *args, "--json", **kwargs)
    equal(done.returncode, status, done.stderr)
    return json.loads(done.stdout)


def refused(words, *args, status=1, **kwargs):
    done = call("compare", *args, **kwargs)
    equal((done.returncode, done.stdout), (status, ""), done.stderr)
    for word in words:
        expect(word in done.stderr, f"{word!r} in {done.stderr!r}")
    return done


def codes(told):
    return [remark["code"] for remark in told["remarks"]]


def mean(values):
    return sum(values) / len(values)


def variance(values):
    return sum((v - mean(values)) ** 2 for v in values) / (len(values) - 1)


def welch_p(a, b):
    """Two-sided, by numeric integration of Student's density."""
    x, y = variance(a) / len(a), variance(b) / len(b)
    t, df = abs(mean(a) - mean(b)) / math.sqrt(x + y), (x + y) ** 2 / (x ** 2 / (len(a) - 1) + y ** 2 / (len(b) - 1))
    scale = math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(df * math.pi)
    n, area = 20000, 0.0
    for i in range(n + 1):
        weight = 1 if i in (0, n) else 4 if i % 2 else 2
        area += weight * scale * (1 + (t * i / n) ** 2 / df) ** (-(df + 1) / 2)
    return 1 - 2 * area * t / n / 3


def test_known_answers(place):
    """Means, changes and p are those of Welch's test; groups come in the order of the table."""
    path = table(place, "t.csv", "clock,duration_s,energy_j",
                 [row for a, b in zip(WELCH_A, WELCH_B) for row in (("low", 10 + a / 100, a), ("high", 10 + b / 100, b))])
    told = tell(path, "--group", "clock")
    equal((told["schema"], told["metric"], told["unit"], told["reference"]), ("energyscopium.compare/1", "energy", "J", "low"))
    equal([(g["name"], g["runs"], g["metric"], g["unit"]) for g in told["groups"]], [("low", 15, "energy", "J"), ("high", 15, "energy", "J")])
    near(told["groups"][0]["mean"], mean(WELCH_A), 1e-9, "mean")
    near(told["change"], mean(WELCH_B) / mean(WELCH_A) - 1, 1e-9, "change")
    near(told["p"], welch_p(WELCH_A, WELCH_B), 1e-4, "p")
    near(told["p"], 0.021, 0.0005, "p as printed in the example")
    equal(told["verdict"], "more")
    expect(0 < told["change_ci"][0] < told["change"] < told["change_ci"][1] < 0.25, told["change_ci"])
    one = told["comparisons"][0]
    equal((one["name"], one["reference"], one["verdict"], one["duration"]["verdict"]), ("high", "low", "more", "same"))
    near(one["duration"]["change"], 0.01 * (mean(WELCH_B) - mean(WELCH_A)) / (10 + mean(WELCH_A) / 100), 1e-9, "time")
    equal((one["above_baseline"], one["not_slower"], told["groups"][0]["gco2"]), (None, None, None))
    back = tell(path, "--group", "clock", "--reference", "high")
    equal((back["verdict"], back["comparisons"][0]["name"]), ("less", "low"))
    time = tell(path, "--group", "clock", "--metric", "time", "--margin", "0.01%")
    equal((time["metric"], time["unit"], time["verdict"]), ("time", "s", "slower"))
    edp = tell(path, "--group", "clock", "--metric", "edp")
    near(edp["groups"][0]["mean"], mean([a * (10 + a / 100) for a in WELCH_A]), 1e-9, "EDP")
    equal(edp["unit"], "J s")
    text = call("compare", path, "--group", "clock").stdout
    for words in ("high against low", "* energy      more", "p 0.021", "time        same"):
        expect(words in text, text)


def test_same_and_undecided(place):
    """Where the interval lies within the margin they are the same; where it holds 0 and more, it says how many runs would tell."""
    same = [(g, 10 + d / 1000, 100 + d / 100) for d in (-2, -1, 0, 1, 2, 0) for g in ("a", "b")]
    told = tell(table(place, "same.csv", "g,duration_s,energy_j", same), "--group", "g")
    equal((told["verdict"], told["comparisons"][0]["duration"]["verdict"]), ("same", "same"))
    a, b = (95.0, 105.0, 98.0, 102.0), (97.0, 107.0, 100.0, 104.0)
    path = table(place, "open.csv", "g,duration_s,energy_j", [(g, 10, v) for g, values in (("a", a), ("b", b)) for v in values])
    told = tell(path, "--group", "g")
    cv, change = math.sqrt((variance(a) + variance(b)) / 2) / mean(a), 0.02
    needed = 15.7 * (cv / change) ** 2
    equal(told["verdict"], "undecided")
    near(told["runs_needed"], needed, 3, "runs needed")
    expect(f"needs {told['runs_needed'] - 4} more runs of each ({told['runs_needed']} in all)" in call("compare", path, "--group", "g").stdout,
           call("compare", path, "--group", "g").stdout)
    equal(told["comparisons"][0]["duration"]["change"], 0)


def test_not_slower(place):
    """Not slower by more than a limit is shown, broken or open, by a one-sided test."""
    def rows(times):
        return [(g, t * (1 + i % 3 / 500), 100) for g, t in times.items() for i in range(6)]
    path = table(place, "t.csv", "g,duration_s,energy_j", rows({"a": 10, "b": 10.1, "c": 11, "d": 10.2}))
    told = tell(path, "--group", "g", "--not-slower", "2%")
    equal([c["not_slower"]["result"] for c in told["comparisons"]], ["shown", "broken", "open"])
    equal(told["comparisons"][0]["not_slower"]["limit"], 0.02)
    expect(0.01 < told["comparisons"][0]["not_slower"]["change_high"] < 0.02, told["comparisons"][0])
    expect("not slower by more than 2.00 %: shown" in call("compare", path, "--group", "g", "--not-slower", "2%").stdout, "words")


def test_shared_runs(place):
    """A run that is in two groups is said; a decimal comma is known as one."""
    for i in (1, 2):
        equal(call("run", "--name", f"r-{i}", "--", "true", cwd=place).returncode, 0)
    out = os.path.join(place, "energyscopium-out")
    told = tell(os.path.join(out, "r-1.esr"), os.path.join(out, "r-2.esr"), "--vs", os.path.join(out, "r-1.esr"))
    expect("shared" in codes(told), told["remarks"])
    refused(["--group names a column of a table"], out, "--group", "g")
    refused(["'1,5' is no number: decimals follow a point"], table(place, "c.csv", "g,duration_s", [("a", '"1,5"'), ("b", '"2,5"')]), "--group", "g")


def test_front(place):
    """The front is by means; whoever is worse in both is so surely only where intervals lie apart."""
    rows = [(g, t + d / 100, e + d) for g, t, e in (("fast", 10, 200), ("cheap", 14, 100), ("bad", 15, 220), ("close", 14.01, 100.5))
            for d in (-1, 0, 1)]
    path = table(place, "t.csv", "g,duration_s,energy_j", rows)
    told = tell(path, "--group", "g")
    equal([p["name"] for p in told["front"]], ["fast", "cheap"])
    equal([(d["name"], d["by"], d["surely"]) for d in told["dominated"]], [("bad", "fast", True), ("close", "cheap", False)])
    svg = os.path.join(place, "p.svg")
    text = call("compare", path, "--group", "g", "--svg", svg, "--term", env={"LANG": "C.UTF-8"}).stdout
    expect("bad: surely worse than fast in both" in text and "close: maybe worse than cheap" in text, text)
    expect("energy (J) against time (s)" in text, text)
    with open(svg, encoding="utf-8") as file:
        picture = file.read()
    expect("<svg" in picture and "cheap" in picture, picture[:400])
    done = call("compare", path, "--group", "g", "--csv", "-")
    found = list(csv.DictReader(done.stdout.splitlines()))
    equal([(r["group"], r["runs"], r["verdict"]) for r in found], [("fast", "3", ""), ("cheap", "3", "less"), ("bad", "3", "more"), ("close", "3", "less")])
    near(float(found[1]["energy_j"]), 100, 1e-6, "energy of cheap")


def test_estimates_are_not_compared(place):
    """Joules that are an estimate from CPU time decide nothing: time does, and it is said."""
    rows = [(g, t + d / 100, 50 * t, "estimated") for g, t in (("a", 10), ("b", 12)) for d in (-1, 0, 1)]
    path = table(place, "t.csv", "g,duration_s,energy_j,kind", rows)
    told = tell(path, "--group", "g")
    equal((told["metric"], told["verdict"]), ("time", "slower"))
    equal([g["energy_j"] for g in told["groups"]], [None, None])
    equal((told["comparisons"][0]["energy"], told["front"]), (None, []))
    expect("no_energy" in codes(told), codes(told))
    text = call("compare", path, "--group", "g").stdout
    expect("energy: no meter here can see this difference" in text, text)
    refused(["no meter here can see this difference", "'a'", "estimate from CPU time"], path, "--group", "g", "--metric", "energy")
    svg = os.path.join(place, "p.svg")
    text = call("compare", path, "--group", "g", "--svg", svg, "--term", env={"LANG": "C.UTF-8"}).stdout
    expect("├" in text and "◆ reference" in text and "energy (J) against" not in text, text)
    with open(svg, encoding="utf-8") as file:
        picture = file.read()
    expect("95 % interval" in picture and "reference" in picture and "energy" not in picture, picture[:400])
    refused(["nothing to draw: no group has a time"], table(place, "e.csv", "g,energy_j,kind", [("a", 1, "measured"), ("b", 2, "measured")]),
            "--group", "g", "--svg", svg)


def test_of_this_machine(place):
    """Recordings of a machine without a meter give time, and energy: no meter here can see this difference."""
    out = os.path.join(place, "out")
    for i in (1, 2):
        for name, seconds in (("A", "0.1"), ("B", "0.3")):
            done = call("run", "--out", out, "--name", f"{name}-{i}", "--", "sleep", seconds)
            equal(done.returncode, 0, done.stderr)
    told = tell(out)
    equal([(g["name"], g["runs"]) for g in told["groups"]], [("A", 2), ("B", 2)])
    if told["metric"] == "energy":
        raise Skip("this machine has a meter")
    equal((told["metric"], told["groups"][0]["energy_j"]), ("time", None))
    expect(told["comparisons"][0]["duration"]["change"] > 1, told["comparisons"])
    expect("no_energy" in codes(told) and "not_interleaved" not in codes(told), told["remarks"])
    files = sorted(glob.glob(f"{out}/A-*")), sorted(glob.glob(f"{out}/B-*"))
    again = tell(*files[0], "--vs", *files[1])
    equal(([g["runs"] for g in again["groups"]], again["verdict"]), ([2, 2], told["verdict"]))
    expect("twice" in codes(again), again["remarks"])
    expect("shared" not in codes(again), codes(again))


def run_app(twin, out, name, workload, *args, program=PROGRAM):
    done = call("run", "--root", twin.mount, "--out", out, "--name", name, "--period", "20ms", *args, "--", program, "twin", "app",
                "--mount", twin.mount, "--workload", workload, "--iterations", "2", "--truth", os.path.join(out, name + ".truth"), timeout=120)
    equal(done.returncode, 0, done.stderr)
    report = json.loads(call("report", "--json", os.path.join(out, name + ".esr")).stdout)
    parts = [d["domain"] for d in report["energy"]["by_domain"] if d["chosen"]]
    with open(os.path.join(out, name + ".truth"), encoding="utf-8") as file:
        calls = json.load(file)["calls"]
    return sum(c["energy_j"][part] for c in calls for part in parts if c["name"] == "solve")


def test_settings_of_a_twin(place):
    """Two clocks of a simulated node, measured by turns: the change of energy is the true one, of the whole and of a region."""
    out, workload, runs = os.path.join(place, "out"), os.path.join(place, "w"), 3
    os.mkdir(out)
    with open(workload, "w", encoding="utf-8") as file:
        file.write("solve 250ms cpu=100%\nwait 100ms idle=100%\n")
    true_j = {"full": [], "low": []}
    with twins.up(place, "skx2s") as twin:
        knobs = glob.glob(f"{twin.mount}/sys/devices/system/cpu/cpu[0-9]*/cpufreq/scaling_max_freq")
        expect(knobs, "no clocks")
        top = twin.read(os.path.relpath(knobs[0], twin.mount)).strip()
        for i in range(runs):
            for name, khz in (("full", top), ("low", "1500000")):
                for knob in knobs:
                    twin.write(os.path.relpath(knob, twin.mount), khz)
                true_j[name].append(run_app(twin, out, f"{name}-{i + 1}", workload, "--baseline", "100ms"))
        os.symlink(PROGRAM, os.path.join(place, "other"))
        for i in (1, 2):
            run_app(twin, out, f"other-{i}", workload, "--baseline", "100ms", program=os.path.join(place, "other"))
        run_app(twin, out, "part-1", workload, "--domain", "package-0")
    files = [sorted(glob.glob(f"{out}/{name}-*.esr")) for name in ("full", "low")]
    told = tell(*files[0], "--vs", *files[1], "--regions", "--not-slower", "5%")
    equal([(g["name"], g["runs"], g["failed"]) for g in told["groups"]], [("full", runs, 0), ("low", runs, 0)])
    one = told["comparisons"][0]
    equal((told["metric"], one["duration"]["verdict"], one["not_slower"]["result"]), ("energy", "slower", "broken"))
    region = next(r for r in told["regions"] if r["region"] == "solve")
    change = mean(true_j["low"]) / mean(true_j["full"]) - 1
    near(region["change"], change, 0.03, f"region: {region}")
    for i, name in enumerate(("full", "low")):
        near(region["groups"][i]["energy_j"]["mean"], mean(true_j[name]), 0.03 * mean(true_j[name]), name)
    equal(region["verdict"], "less" if change < 0 else "more")
    equal({r["region"] for r in told["regions"]}, {"solve", "wait"})
    single = tell(*files[0], "--vs", *files[1], "--region", "solve")
    equal((single["region"], single["change"]), ("solve", region["change"]))
    # The idle power was measured: shown, never what decides, and refused where it is asked for.
    expect(told["groups"][0]["above_baseline_j"]["mean"] < told["groups"][0]["energy_j"]["mean"], told["groups"][0])
    equal((one["above_baseline"]["verdict"], "above_not_judged" in codes(told)), (None, True))
    refused(["--metric above", "same program on the same node"], *files[0], "--vs", *files[1], "--metric", "above")
    other = tell(*files[0], "--vs", os.path.join(out, "other-1.esr"), os.path.join(out, "other-2.esr"), "--metric", "above")
    equal((other["metric"], "above" in codes(other)), ("above", True))
    equal(other["comparisons"][0]["above_baseline"]["verdict"], other["verdict"])
    # Joules of one package are not held against those of all unless somebody says so.
    part = os.path.join(out, "part-1.esr")
    told = tell(*files[0], "--vs", part)
    equal((told["metric"], "covers" in codes(told)), ("time", True))
    grams = tell(*files[0], "--vs", part, "--zone", "FR")
    expect("factors" not in codes(grams) and grams["groups"][0]["gco2"]["mean"] > grams["groups"][1]["gco2"]["mean"] > 0, grams["groups"])
    told = tell(*files[0], "--vs", part, "--metric", "energy")
    equal((told["metric"], "covers" in codes(told)), ("energy", True))
    # Their eprofiles tell the same; what they are converted to is not left behind.
    tmp = os.path.join(place, "tmp")
    os.mkdir(tmp)
    profiles = [[f.replace(".esr", ".eprofile.json") for f in group] for group in files]
    again = tell(*profiles[0], "--vs", *profiles[1], env={"TMPDIR": tmp})
    near(again["change"], one["change"], 1e-6, "by eprofiles")
    equal((again["verdict"], os.listdir(tmp)), (one["verdict"], []))
    refused(["has no region 'slove'", "did you mean 'solve'?"], *files[0], "--vs", *files[1], "--region", "slove")


def test_sessions(place):
    """Groups that were not measured by turns are named, and grams by different factors are not shown."""
    out = os.path.join(place, "out")
    for name, zone in (("A-1", "Europe/Paris"), ("A-2", "Europe/Paris"), ("B-1", "Asia/Tokyo"), ("B-2", "Asia/Tokyo")):
        equal(call("run", "--out", out, "--name", name, "--", "true", env={"TZ": zone}).returncode, 0)
    told = tell(out)
    expect("not_interleaved" in codes(told), told["remarks"])
    # Grams are those of one factor, or they are not shown.
    equal(("factors" in codes(told), [g["gco2"] for g in told["groups"]]), (True, [None, None]))
    expect("factors" not in codes(tell(out, "--zone", "FR")), "one zone for all")
    expect("all runs of 'A' were before those of 'B'" in call("compare", out).stdout, "words")


def test_failed_runs(place):
    """Runs that failed are counted and left out; a group of nothing else is told."""
    out = os.path.join(place, "out")
    for name, command in (("A-1", "true"), ("A-2", "true"), ("B-1", "true"), ("B-2", "false"), ("C-1", "false")):
        call("run", "--out", out, "--name", name, "--", command)
    told = tell(out)
    equal([(g["name"], g["runs"], g["failed"], g["left_out"]) for g in told["groups"]],
          [("A", 2, 0, None), ("B", 1, 1, None), ("C", 0, 1, "all runs of it failed")])
    equal([c["name"] for c in told["comparisons"]], ["B"])
    equal(told["verdict"], "undecided")
    expect("single_runs" in codes(told), told["remarks"])
    refused(["'C' is left out", "all runs of it failed"], out, "--reference", "C")


def test_quality(place):
    """Runs that miss a quality are left out, by a column or by what a command prints of a recording."""
    rows = [("a", 10, 100, 0.95), ("a", 10.1, 101, 0.96), ("a", 10.2, 102, 0.97), ("b", 9, 90, 0.95), ("b", 9.1, 91, 0.2),
            ("b", 9.2, 92, 0.99), ("c", 5, 50, 0.1), ("c", 5, 51, 0.96), ("c", 5, 52, "")]
    path = table(place, "t.csv", "g,duration_s,energy_j,acc", rows)
    told = tell(path, "--group", "g", "--quality", "acc", ">= 0.943")
    equal([(g["name"], g["runs"], g["unfit"]) for g in told["groups"]], [("a", 3, 0), ("b", 2, 1), ("c", 1, 2)])
    equal(told["groups"][2]["left_out"], "only one run of it keeps the quality")
    near(told["groups"][1]["mean"], 91, 1e-9, "mean of b")
    equal([c["name"] for c in told["comparisons"]], ["b"])
    refused(["no column 'ac'", "did you mean 'acc'?"], path, "--group", "g", "--quality", "ac", ">= 0.943")
    out, check = os.path.join(place, "out"), os.path.join(place, "check")
    for name in ("A-1", "A-2", "B-1", "B-2"):
        equal(call("run", "--out", out, "--name", name, "--", "true").returncode, 0)
    with open(check, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\necho \"checking $2 of v2\"\ncase $2 in *B-2*) echo error 0.5 ;; *) echo error 0.01, top1 ok ;; esac\n")
    os.chmod(check, stat.S_IRWXU)
    told = tell(out, "--quality", f"{check} -x", "<= 0.1")
    equal([(g["runs"], g["unfit"]) for g in told["groups"]], [(2, 0), (1, 1)])
    equal(told["groups"][1]["left_out"], "only one run of it keeps the quality")
    refused(["there is no such command"], out, "--quality", "/nowhere/check", "<= 0.1")
    refused(["ended with status 1", "no run of it keeps the quality"], out, "--quality", "false", "<= 0.1")
    refused(["--quality"], out, "--quality", "x", "about 3", status=2)
    refused(["--quality"], out, "--quality", "x", status=2)


def test_outliers(place):
    """Runs far from the others are named and kept, or dropped where that is asked."""
    rows = [("a", 10 + d / 10, 100 + d) for d in (-2, -1, 0, 1, 2)] + [("a", 10, 500)] + [("b", 10 + d / 10, 100 + d) for d in (-2, -1, 0, 1, 2)]
    path = table(place, "t.csv", "g,duration_s,energy_j", rows)
    kept = tell(path, "--group", "g")
    equal((kept["outliers"], kept["groups"][0]["runs"], kept["groups"][0]["far_off"]), ("keep", 6, ["line 7"]))
    near(kept["groups"][0]["mean"], 1000 / 6, 1e-9, "all of a")
    dropped = tell(path, "--group", "g", "--outliers", "drop")
    equal((dropped["groups"][0]["runs"], dropped["groups"][0]["far_off"]), (5, ["line 7"]))
    near(dropped["groups"][0]["mean"], 100, 1e-9, "the others")
    text = call("compare", path, "--group", "g").stdout
    expect("1 run is far from the others of its group: line 7 (a); kept" in text, text)


def test_joules_of_different_sorts(place):
    """Kinds and nodes that differ are said aloud; Holm's rule is looked at where there are many groups."""
    rows = [(g, 10 + d / 100, e + d, k, n) for g, e, k, n in (("a", 100, "measured", "n1"), ("b", 110, "integrated", "n2")) for d in (-1, 0, 1)]
    told = tell(table(place, "t.csv", "g,duration_s,energy_j,kind,node", rows), "--group", "g")
    expect("kinds" in codes(told) and "nodes" in codes(told), told["remarks"])
    rows = [(f"g{i:02}", 10, 100 + (i == 5) * 1.6 + d) for i in range(20) for d in (-1, 0, 1, -0.5, 0.5)]
    told = tell(table(place, "many.csv", "g,duration_s,energy_j", rows), "--group", "g")
    found = [c for c in told["comparisons"] if c["verdict"] in ("more", "less")]
    equal([c["name"] for c in found], ["g05"])
    expect(found[0]["p"] < 0.05 < found[0]["p_holm"], found)
    expect("many" in codes(told), told["remarks"])


def test_names(place):
    """Groups are named after their files, by the shortest way that tells them apart."""
    for folder in ("before", "after"):
        os.mkdir(os.path.join(place, folder))
    source = table(place, "x.csv", "duration_s,energy_j", [(1, 2), (1.1, 2.1)])
    for name in ("before/A-1.csv", "before/A-2.csv", "after/A-1.csv", "B-1.csv", "C-gcc-1.csv", "C-clang-1.csv"):
        shutil.copy(source, os.path.join(place, name))

    def names(*args):
        return [g["name"] for g in tell(*(a if a.startswith("--") else os.path.join(place, a) for a in args))["groups"]]
    equal(names("before/A-1.csv", "before/A-2.csv", "--vs", "B-1.csv"), ["A", "B"])
    equal(names("before/A-1.csv", "before/A-2.csv", "--vs", "after/A-1.csv"), ["before/A", "after/A-1.csv"])
    equal(names("before/A-1.csv", "--vs", "B-1.csv", "--vs", "C-gcc-1.csv", "C-clang-1.csv"), ["A", "B", "C"])
    equal(names("before/A-1.csv", "--vs", "before/A-1.csv"), ["group 1", "group 2"])
    equal([n.replace(place, "") for n in names("before/A-1.csv", "before/A-2.csv", "after/A-1.csv")], ["A", "/after/A"])
    equal(len(tell(os.path.join(place, "B-1.csv"), f"--vs={source}")["groups"]), 2)
    one = tell(os.path.join(place, "B-1.csv"))
    equal((one["verdict"], one["change"], one["comparisons"], [g["name"] for g in one["groups"]]), (None, None, [], ["B"]))


def test_bad_input(place):
    """What is wrong with a table is told with file, line and column; nothing is guessed."""
    good = [("a", 1, 2), ("a", 1.1, 2.1), ("b", 1, 3), ("b", 1, 3.1)]
    path = table(place, "t.csv", "g,time_s,energy_j", good)
    refused(["no column 'grp'"], path, "--group", "grp", "--time", "time_s")
    refused(["no column 'tim_s' (--time)", "did you mean 'time_s'?"], path, "--group", "g", "--time", "tim_s")
    refused(["same column"], path, "--group", "g", "--time", "time_s", "--energy", "time_s")
    refused(["there is no such group", "'a'"], path, "--group", "g", "--reference", "aa")
    refused(["is a table: it has no regions"], path, "--group", "g", "--region", "x")
    for row, words in ((("a", 0, 2), "is not above 0"), (("a", 1, -2), "is not above 0"), (("a", "nan", 2), "is no measurement"),
                       (("a", 1, "inf"), "is no measurement"), (("a", "1e999", 2), "is out of range"), (("", 1, 2), "is empty")):
        refused([":6: column", words], table(place, "bad.csv", "g,time_s,energy_j", good + [row]), "--group", "g", "--time", "time_s")
    cut = table(place, "cut.csv", "g,time_s,energy_j", good + [("a", 1), ("a", "x", 3)])
    done = call("compare", cut, "--group", "g", "--time", "time_s", "--json")
    equal((done.returncode, json.loads(done.stdout)["lines_left_out"]), (0, 2), done.stderr)
    expect(":6: 2 fields where the header has 3" in done.stderr and ":7: column 'time_s': 'x' is no number" in done.stderr, done.stderr)
    refused(["--strict"], cut, "--group", "g", "--time", "time_s", "--strict")
    refused(["is empty"], make(place, "none.csv", ""), "--group", "g")
    refused(["has no rows"], table(place, "head.csv", "g,duration_s,energy_j", []), "--group", "g")
    refused(["neither a column 'duration_s' nor 'energy_j'"], table(place, "x.csv", "a,b", [(1, 2)]))
    refused(["No such file"], os.path.join(place, "nothing.esr"))
    refused([""], make(place, "x.esr", "hello"))
    refused([""], make(place, "x.json", "{}"))
    os.mkdir(os.path.join(place, "void"))
    refused([""], os.path.join(place, "void"))
    for args in (["--metric", "power"], ["--margin", "0"], ["--margin", "x"], ["--not-slower", "-1%"], ["--outliers", "hide"], ["--seed", "x"],
                 ["--region", "a", "--regions"], ["--metric", "above", "--region", "a"], ["--json", "--csv", "-"], ["--vs"]):
        refused([""], path, *args, status=1 if args == ["--vs"] else 2)
    refused(["--vs"], "--vs", path)
    refused(["a FILE is missing"], status=2)
    refused(["--group and --vs"], path, "--vs", path, "--group", "g")


def make(place, name, text):
    path = os.path.join(place, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def test_deterministic(place):
    """The same input and seed give the same output, byte for byte; resampled ends of means move a little with the seed, changes not at all."""
    rows = [(g, 10 + (i * 7919 % 13) / 50, e * (1 + (i * 104729 % 17) / 100)) for i in range(14) for g, e in (("a", 100), ("b", 107))]
    path = table(place, "t.csv", "g,duration_s,energy_j", rows)
    first = call("compare", path, "--group", "g", "--json").stdout
    equal(first, call("compare", path, "--group", "g", "--json").stdout)
    one, two = json.loads(first), tell(path, "--group", "g", "--seed", "5")
    equal(one["groups"][0]["energy_j"]["interval"], "BCa")
    ci, other = (told["groups"][0]["energy_j"]["ci"] for told in (one, two))
    expect(ci != other, "seed")
    near(ci[0], other[0], 1, "low")
    equal(one["change_ci"], two["change_ci"])


def test_runs_of_other_tools(place):
    """Readings that another tool left are runs as well, and their conversion leaves nothing behind."""
    tmp = os.path.join(place, "tmp")
    os.mkdir(tmp)
    for name, watts in (("A-1", 100), ("A-2", 102), ("A-3", 101), ("B-1", 80), ("B-2", 81), ("B-3", 79)):
        table(place, name + ".csv", "time,domain,power_w", [(t, "node", watts) for t in range(11)])
    files = [os.path.join(place, f"{name}-{i}.csv") for name in "AB" for i in (1, 2, 3)]
    told = tell(*files, env={"TMPDIR": tmp})
    equal([(g["name"], g["runs"]) for g in told["groups"]], [("A", 3), ("B", 3)])
    near(told["groups"][0]["energy_j"]["mean"], 1010, 0.01, "100, 102 and 101 W for 10 s")
    near(told["change"], 80 / 101 - 1, 1e-5, "change")
    equal((told["metric"], told["verdict"], os.listdir(tmp)), ("energy", "less", []))
    refused(["cannot make a temporary folder"], *files, env={"TMPDIR": os.path.join(place, "nowhere")})


def test_runs_of_the_original_tool(place):
    """A run of Energy Scope and its own profile of it agree to a part in a thousand; their joules are of two kinds."""
    folder = os.path.join(DATA, "energyscope", "cpu_run_12_0")
    if not os.path.exists(os.path.join(folder, "eprofile.json.gz")):
        raise Skip(f"no {folder}")
    profile = os.path.join(place, "profile.json")
    with gzip.open(os.path.join(folder, "eprofile.json.gz"), "rb") as packed, open(profile, "wb") as file:
        shutil.copyfileobj(packed, file)
    told = tell(folder, "--vs", profile)
    near(told["change"], 0, 0.001, "change")
    equal(told["verdict"], "undecided")
    expect({"kinds", "single_runs"} <= set(codes(told)), told["remarks"])


def test_published_measurements(place):
    """Zeus' power limits on an A40: single runs are shown with their changes, and nothing is decided."""
    path = os.path.join(DATA, "zeus", "profile_A40+resnet50+gpu0.csv")
    if not os.path.exists(path):
        raise Skip(f"no {path}")
    told = tell(path, "--group", "window_name", "--time", "elapsed_time", "--energy", "gpu0_energy")
    at = {c["name"].rsplit("_", 1)[1]: c for c in told["comparisons"]}
    near(at["250"]["energy"]["change"], -0.0497, 0.00005, "energy at 250 W")
    near(at["250"]["duration"]["change"], 0.0063, 0.00005, "time at 250 W")
    near(at["175"]["energy"]["change"], -0.2181, 0.00005, "energy at 175 W")
    equal({c["verdict"] for c in told["comparisons"]}, {"undecided"})
    expect("single_runs" in codes(told), told["remarks"])


if __name__ == "__main__":
    sys.exit(main(sys.modules[__name__]))
