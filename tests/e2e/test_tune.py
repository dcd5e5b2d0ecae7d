#!/usr/bin/env python3
# test_tune.py - energyscopium pareto and tune: fronts and settings from tables of measurements
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import csv
import json
import os
import sys

import harness
from harness import SOURCE_ROOT, Skip, call, equal, expect, near

DATA = os.path.join(SOURCE_ROOT, "..", "shared", "data")
# Made up: limits in W with seconds and joules whose changes are round numbers.
LIMITS = [("w_300", 100, 20000), ("w_250", 101, 19000), ("w_200", 104, 16000), ("w_150", 120, 15000),
          ("w_100", 200, 18000)]
COLUMNS = ("--setting", "window", "--time", "time_s", "--energy", "energy_j")


def data(*parts):
    path = os.path.join(DATA, *parts)
    if not os.path.exists(path):
        raise Skip(f"shared/data/{'/'.join(parts)} is not here")
    return path


def write(place, name, text):
    path = os.path.join(place, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def limits(place, rows=None, extra=""):
    lines = [",".join(map(str, row)) for row in (rows or LIMITS)]
    return write(place, "limits.csv", "window,time_s,energy_j\n" + "\n".join(lines) + "\n" + extra)


def tell(command, *args):
    done = call(command, *args, "--json")
    equal(done.returncode, 0, done.stderr)
    told = json.loads(done.stdout)
    equal(told["schema"], f"energyscopium.{command}/1")
    return told


def tune(path, *args):
    return tell("tune", "--table", path, *(args if "--setting" in args else (*COLUMNS, *args)))


def refused(words, command, *args, status=1):
    done = call(command, *args)
    equal(done.returncode, status, done.stderr)
    equal(done.stdout, "")
    for word in words:
        expect(word in done.stderr, f"'{word}' is not in: {done.stderr}")
    return done


def refused_tune(words, path, *args, **kwargs):
    return refused(words, "tune", "--table", path, *COLUMNS, *args, **kwargs)


def test_pareto_rows(place):
    """The front is the rows as the table has them, in order of time, with the knee and the number dominated."""
    path = write(place, "rows.csv", "name,t,e,note\na,1,10,x\nb,2,5,\nc,3,6,y\nd,4,4,z\ne,9,3,\nf,9,8,\n")
    told = tell("pareto", path, "--time", "t", "--energy", "e")
    equal([row["name"] for row in told["front"]], ["a", "b", "d", "e"])
    equal(told["front"][1], {"name": "b", "t": 2, "e": 5, "note": None})
    equal(told["dominated"], 2)
    equal(told["knee"]["name"], "b")
    text = call("pareto", path, "--time", "t", "--energy", "e").stdout
    expect("front: 4 of 6 rows, 2 dominated" in text, text)
    equal([line for line in text.splitlines() if line.startswith("* ")][0].split()[1:], ["2", "5", "b"])


def test_pareto_digits(place):
    """Long fractions are shown with seven digits; JSON has them as they are."""
    path = write(place, "rows.csv", "name,t,e\na,10.924999999999999,160.70821307975328\n")
    text = call("pareto", path, "--time", "t", "--energy", "e").stdout
    expect("10.925" in text and "160.7082" in text and "160.70821" not in text, text)
    equal(tell("pareto", path, "--time", "t", "--energy", "e")["front"][0]["e"], 160.70821307975328)


def test_pareto_groups(place):
    """With --group there is a front of each value of it beside that of all."""
    path = write(place, "rows.csv", "gpu;t;e\nv;1;10\nv;2;5\nv;3;5\nr;2;4\nr;5;1\nr;6;1.5\n")
    told = tell("pareto", path, "--time", "t", "--energy", "e", "--group", "gpu")
    equal([(g["group"], len(g["front"]), g["dominated"]) for g in told["groups"]], [("r", 2, 1), ("v", 2, 1)])
    equal([(row["t"], row["e"]) for row in told["front"]], [(1, 10), (2, 4), (5, 1)])
    equal(told["dominated"], 3)


def test_pictures(place):
    """Pictures show each row and are whole files; names from the table cannot leave their place in them."""
    path = write(place, "rows.csv", "name,t,e\n<script>,1,10\nb,2,5\nc,3,6\n")
    svg, png = os.path.join(place, "p.svg"), os.path.join(place, "p.png")
    tell("pareto", path, "--time", "t", "--energy", "e", "--svg", svg)
    with open(svg, encoding="utf-8") as file:
        text = file.read()
    expect(text.startswith("<svg") or text.startswith("<?xml"), text[:80])
    expect("<script" not in text and "&lt;script" in text, "a name became markup")
    done = call("pareto", path, "--time", "t", "--energy", "e", "--png", png)
    if done.returncode == 0:
        with open(png, "rb") as file:
            equal(file.read(8), b"\x89PNG\r\n\x1a\n")
    else:
        expect("cairo" in done.stderr, done.stderr)
    tell("tune", "--table", path, "--setting", "name", "--time", "t", "--energy", "e", "--svg", svg)


def test_choice(place):
    """The cheapest within the limit is chosen, with changes as signed fractions of the reference."""
    path = limits(place)
    for limit, want, time, energy in (("0%", 300, 0, 0), ("1%", 250, 0.01, -0.05), ("5%", 200, 0.04, -0.2),
                                      (None, 150, 0.2, -0.25)):
        told = tune(path, "--reference", "300", *(("--slowdown", limit) if limit else ()))
        equal(told["chosen"]["setting"], want, limit)
        near(told["chosen"]["time_change"], time, 1e-9, limit)
        near(told["chosen"]["energy_change"], energy, 1e-9, limit)
        equal(told["saving"], want != 300)
        equal(told["reference"]["setting"], 300)
    equal([row["setting"] for row in told["front"]], [300, 250, 200, 150])
    equal({k: v["setting"] for k, v in told["best"].items()}, {"energy": 150, "edp": 200, "ed2p": 200})
    equal(tune(path, "--objective", "edp")["chosen"]["setting"], 200)
    text = call("tune", "--table", path, *COLUMNS, "--reference", "w_300", "--slowdown", "5%").stdout
    expect("chosen: w_200, least energy within 5 % more time: time +4.00 %, energy -20.00 % against w_300" in text, text)


def test_no_saving(place):
    """Where no setting within the limit is cheaper, that is said, and the reference is kept."""
    path = limits(place)
    text = call("tune", "--table", path, *COLUMNS, "--reference", "300", "--slowdown", "0.5%").stdout
    expect("no saving within 0.5 % more time: left at w_300" in text, text)
    told = tune(path, "--reference", "150")
    equal((told["saving"], told["chosen"]["setting"], told["chosen"]["energy_change"]), (False, 150, 0))


def test_words(place):
    """Settings may be words; then they are told as words."""
    path = limits(place, [("performance", 10, 100), ("powersave", 12, 80)])
    told = tune(path)
    equal((told["chosen"]["setting"], told["reference"]["setting"]), ("powersave", "performance"))


def test_groups(place):
    """Each group has an answer and a fastest row of its own."""
    path = write(place, "kernels.csv", "k,mhz,time_ms,energy_J\na,1000,2,10\na,500,4,8\nb,1000,3,10\nb,500,6,11\n")
    told = tell("tune", "--table", path, "--group", "k", "--setting", "mhz", "--time", "time_ms", "--energy", "energy_J")
    equal([(g["group"], g["chosen"]["setting"], g["saving"]) for g in told["groups"]], [("a", 500, True), ("b", 1000, False)])
    near(told["groups"][0]["chosen"]["time_s"], 0.004, 1e-12, "milliseconds")


def test_units(place):
    """Units at the end of a column's name are taken, and powers and speeds instead of energies and times."""
    path = write(place, "u.csv", "n;Time[min];Energy[Wh]\n1;2;1\n2;1;0.5\n")
    told = tell("tune", "--table", path, "--setting", "n", "--time", "Time[min]", "--energy", "Energy[Wh]")
    equal((told["chosen"]["time_s"], told["chosen"]["energy_j"]), (60, 1800))
    path = write(place, "s.csv", "pstate,speed_pct,watts\n0,100,190\n1,50,125\n")
    told = tell("tune", "--table", path, "--setting", "pstate", "--speed", "speed_pct", "--power", "watts")
    equal((told["chosen"]["setting"], told["saving"]), (0, False))
    near(told["front"][0]["energy_relative"], 1.9, 1e-12)


def test_clipped(place):
    """A setting that was not reached is named with what was reached."""
    path = write(place, "c.csv", "requested_MHz,core_MHz,time_s,energy_j\n1000,1000,3,10\n2000,1990,2,20\n2500,2010,2.01,20\n")
    told = tune(path, "--setting", "requested_MHz", "--time", "time_s", "--energy", "energy_j")
    equal([(row["setting"], row["reached"]) for row in told["clipped"]], [(2500, 2010)])
    path = write(place, "d.csv", "requested_MHz,core_MHz,time_s,energy_j\n1000,1000,3,10\n1900,1750,2,400\n2000,1740,2.01,402\n")
    text = call("tune", "--table", path, "--setting", "requested_MHz", "--time", "time_s", "--energy", "energy_j").stdout
    expect("power stands at 200 there: a limit on it, or on clocks" in text, text)


def test_bad_lines(place):
    """Lines that are no rows are counted, the first five told with their numbers, and refused by --strict."""
    bad = "".join(f"x{i},1\n" for i in range(4)) + "y,abc,3\n" + 'z,"1,2\nq,1,2,3\n'
    path = limits(place, extra=bad + "w_90,300,19000\n")
    done = call("tune", "--table", path, *COLUMNS, "--json")
    equal(done.returncode, 0, done.stderr)
    told = json.loads(done.stdout)
    equal(told["lines_left_out"], 7, done.stderr)
    equal(told["rows"], 6)
    for line in (7, 8, 9, 10, 11):
        expect(f"limits.csv':{line}: " in done.stderr, f"{line}: {done.stderr}")
    expect("':12:" not in done.stderr and "7 lines are no rows, left out" in done.stderr, done.stderr)
    refused_tune(["--strict", "':11: column 'time_s': 'abc' is no number"], path, "--strict")
    refused(["--strict"], "pareto", path, "--time", "time_s", "--energy", "energy_j", "--strict")


def test_single_runs(place):
    """A saving as small as runs of one setting differ by is said to be perhaps chance; clocks in GHz keep their digits."""
    words = "one run of each: less than 1 % may be chance"
    done = call("tune", "--table", limits(place, [("w_300", 10, 1000), ("w_250", 10, 998)]), *COLUMNS, "--reference", "300")
    expect("chosen: w_250" in done.stdout and words in done.stdout, done.stdout)
    done = call("tune", "--table", limits(place, [("w_300", 10, 1000), ("w_250", 10, 980)]), *COLUMNS, "--reference", "300")
    expect("chosen: w_250" in done.stdout and words not in done.stdout, done.stdout)
    rows = [f"{f / 10},{240 / f:.4f},{240 / f * (20 + 90 * (f / 24) ** 3):.4f}" for f in range(12, 25, 2)]
    path = write(place, "ghz.csv", "freq_ghz,time_s,energy_j\n" + "\n".join(rows) + "\n")
    text = call("tune", "--table", path, "--setting", "freq_ghz", "--time", "time_s", "--energy", "energy_j").stdout
    expect("least energy by the model at 1.20, measured at 1.2; least EDP by it at 1.83" in text, text)


def test_empty_settings(place):
    """A row without its setting is no row: it is not a setting that is named by nothing."""
    done = call("tune", "--table", limits(place, extra=",30,100\n"), *COLUMNS)
    equal(done.returncode, 0, done.stderr)
    expect("':7: column 'window' is empty" in done.stderr and "1 line is no row" in done.stderr, done.stderr)
    expect("least energy at w_" in done.stdout, done.stdout)
    refused_tune(["no rows that can be used"], write(place, "none.csv", "window,time_s,energy_j\n,1,2\n"))


def test_bad_values(place):
    """Values that no measurement has, duplicates and references that are not there are refused with their lines."""
    for value in ("0", "-3", "nan", "inf", "-NaN", "1e999", "1e200", "1e-200"):
        path = limits(place, extra=f"w_90,{value},5\n")
        refused_tune(["':7: column 'time_s'", f"'{value}'"], path)
        path = limits(place, extra=f"w_90,5,{value}\n")
        refused(["':7: column 'energy_j'"], "pareto", path, "--time", "time_s", "--energy", "energy_j")
    refused_tune(["lines 2 and 7 are both for setting 'w_300'", "--group"], limits(place, extra="w_300,1,2\n"))
    refused_tune(["lines 2 and 7 are both"], limits(place, extra="limit_300.0,1,2\n"))
    refused_tune(["--reference '299' is not in column 'window'", "w_300, w_250"], limits(place), "--reference", "299")
    refused_tune(["no rows"], write(place, "empty.csv", "window,time_s,energy_j\n"))
    refused_tune(["no rows that can be used"], write(place, "bad.csv", "window,time_s,energy_j\n1,2\n"))
    refused_tune(["is empty"], write(place, "nothing.csv", ""))
    refused_tune(["two columns are named 'time_s'"], write(place, "twice.csv", "window,time_s,time_s,energy_j\n1,2,3,4\n"))
    refused_tune(["No such file"], os.path.join(place, "none.csv"))
    refused_tune(["no regular file"], place)


def test_bad_columns(place):
    """A column that is not there is named with the nearest one that is."""
    path = limits(place)
    done = refused(["no column 'time' (--time)"], "pareto", path, "--time", "time", "--energy", "energy_j")
    expect("did you mean 'time_s'?" in done.stderr, done.stderr)
    done = refused(["no column 'joules'", "it has window, time_s, energy_j"], "pareto", path, "--time", "time_s", "--energy", "joules")
    refused(["same column"], "pareto", path, "--time", "time_s", "--energy", "time_s")


def test_usage(place):
    """What is missing or wrong on the command line ends with 2."""
    path = limits(place)
    refused(["--setting"], "tune", "--table", path, status=2)
    refused(["--table"], "tune", status=2)
    refused(["--time COL and --speed"], "tune", "--table", path, "--setting", "window", "--energy", "energy_j", status=2)
    refused_tune(["--slowdown '-5%'"], path, "--slowdown=-5%", status=2)
    refused_tune(["--slowdown 'much'"], path, "--slowdown", "much", status=2)
    refused_tune(["energy, edp, ed2p … ed9p"], path, "--objective", "time", status=2)
    refused(["--energy COL is missing"], "pareto", path, "--time", "time_s", status=2)
    refused(["--time COL --energy COL"], "pareto", path)
    refused(["one FILE.csv"], "pareto", "--time", "time_s", "--energy", "energy_j", status=2)


def test_zeus(_place):
    """ResNet-50 on an A40: the published profile gives 250 W within 2 %, 200 W within 5 %, 175 W without a limit."""
    path = data("zeus", "profile_A40+resnet50+gpu0.csv")
    columns = ("--setting", "window_name", "--time", "elapsed_time", "--energy", "gpu0_energy", "--reference", "300")
    for limit, watts, time, energy in (("2%", 250, 0.0063, -0.0497), ("5%", 200, 0.0489, -0.1940),
                                       (None, 175, 0.1636, -0.2181)):
        told = tune(path, *columns, *(("--slowdown", limit) if limit else ()))
        equal(told["chosen"]["setting"], watts)
        near(told["chosen"]["time_change"], time, 5e-5, limit)
        near(told["chosen"]["energy_change"], energy, 5e-5, limit)
        near(told["reference"]["time_s"], 24.0116, 5e-5)
        near(told["reference"]["energy_j"], 6224.886, 5e-4)
    equal(tune(path, *columns, "--objective", "edp")["chosen"]["setting"], 200)


def test_taurus(_place):
    """By the watts of the whole node the top clock is best."""
    path = data("servers", "batsim_taurus_pstates.csv") if os.path.exists(
        os.path.join(DATA, "servers", "batsim_taurus_pstates.csv")) else data("workloads", "batsim_taurus_pstates.csv")
    for energy in (("--power", "full_W"), ("--energy", "energy_per_work")):
        told = tune(path, "--setting", "pstate", "--speed", "relative_speed_pct", *energy)
        equal((told["chosen"]["setting"], told["saving"]), (0, False))
        equal((len(told["front"]), told["top_clock"]), (1, True))
    expect("run at the top clock" in call("tune", "--table", path, "--setting", "pstate", "--speed", "relative_speed_pct",
                                          "--power", "full_W").stdout, "what to do is not said")


def test_kernel_tuner(_place):
    """An RTX A4000 does not reach the clocks above 1750 MHz that it was asked for."""
    path = data("kerneltuner", "rtx_a4000_freq_time_power.csv")
    told = tune(path, "--setting", "requested_MHz", "--time", "time_ms", "--energy", "energy_J")
    equal([row["setting"] for row in told["clipped"]], [1905, 2100])
    equal(told["chosen"]["setting"], 1335)
    equal(told["clipped"][0]["reached_inferred"], False)
    near(told["ridge"]["clock"], 1350, 0.05 * 1350, "ridge")
    equal(told["model"]["measured"], 1335)


def test_inferred(place):
    """Without a column of reached clocks they are seen by times and powers that no longer change."""
    lines = [f"{mhz},{1e5 / min(mhz, 1750):.6f},{1e5 / min(mhz, 1750) * (30 + min(mhz, 1750) ** 3 / 5e7):.6f}"
             for mhz in (600, 800, 900, 1000, 1200, 1400, 1600, 1900, 2100)]
    path = write(place, "c.csv", "gpu_mhz,time_s,energy_j\n" + "\n".join(lines) + "\n")
    told = tune(path, "--setting", "gpu_mhz", "--time", "time_s", "--energy", "energy_j")
    equal([(row["setting"], round(row["reached"]), row["reached_inferred"]) for row in told["clipped"]],
          [(1900, 1750, True), (2100, 1750, True)])
    near(told["model"]["optimum"], max(875, (30 * 5e7 / 2) ** (1 / 3)), 1, "(Ps / 2c)^(1/3)")
    text = call("tune", "--table", path, "--setting", "gpu_mhz", "--time", "time_s", "--energy", "energy_j").stdout
    expect("clipped, not what was asked for: 1900 (was at about 1750), 2100 (was at about 1750)" in text, text)


def test_repeats(place):
    """With --repeats rows of one setting are its runs: means decide, and intervals tell how sure the saving is."""
    rows = [("w_300", 100, 20000), ("w_250", 101, 18000), ("w_300", 102, 20200), ("w_250", 101.5, 18100), ("w_300", 101, 20100)]
    path = limits(place, rows)
    refused_tune(["lines 2 and 4 are both for setting 'w_300'", "--repeats"], path)
    told = tune(path, "--repeats", "--reference", "300")
    equal((told["reference"]["runs"], told["chosen"]["runs"], told["chosen"]["setting"]), (3, 2, 250))
    near(told["reference"]["time_s"], 101, 1e-9)
    near(told["chosen"]["energy_j"], 18050, 1e-9)
    low, high = told["energy_change_ci"]
    expect(low < told["chosen"]["energy_change"] < high < 0, (low, high))
    text = call("tune", "--table", path, *COLUMNS, "--repeats").stdout
    expect("95 %: time " in text, text)
    equal(tune(limits(place))["energy_change_ci"], None)


def test_quality(place):
    """Settings that miss the quality are left out, counted and named; so are those of which it is not known."""
    path = write(place, "q.csv", "n,t,e,acc\n1,10,100,0.95\n2,11,80,0.94\n3,12,60,0.90\n4,13,50,\n")
    columns = ("--setting", "n", "--time", "t", "--energy", "e")
    told = tune(path, *columns, "--quality", "acc", ">= 0.94")
    equal(told["chosen"]["setting"], 2)
    equal(told["misses_quality"], [{"setting": 3, "cell": "3", "quality": 0.9}, {"setting": 4, "cell": "4", "quality": None}])
    text = call("tune", "--table", path, *columns, "--quality", "acc", ">= 0.94").stdout
    expect("left out, 2 that miss acc >= 0.94: 3 (0.9), 4 (not known)" in text, text)
    refused(["--reference '3' misses the quality"], "tune", "--table", path, *columns, "--quality", "acc", ">=0.94", "--reference", "3")
    refused(["no setting has acc > 1"], "tune", "--table", path, *columns, "--quality", "acc", "> 1")
    refused(["did you mean 'acc'"], "tune", "--table", path, *columns, "--quality", "ac", "> 1")
    refused(["'acc'", "a limit such as"], "tune", "--table", path, *columns, "--quality", "acc", status=2)
    refused(["a limit such as"], "tune", "--table", path, *columns, "--quality", "acc", ">= much", status=2)
    bad = write(place, "b.csv", "n,t,e,acc\n1,10,100,high\n")
    refused(["':2: column 'acc': 'high' is no number"], "tune", "--table", bad, *columns, "--quality", "acc", "> 1")
    group = write(place, "g.csv", "g,n,t,e,acc\na,1,10,100,0.9\nb,1,10,100,0.5\nb,2,9,90,0.5\n")
    told = tune(group, *columns, "--group", "g", "--quality", "acc", ">= 0.9")
    equal(([g["group"] for g in told["groups"]], told["groups_without_quality"]), (["a"], ["b"]))


def test_objectives(place):
    """Energy times time to any power: the higher it is, the faster the choice."""
    path = limits(place)
    last = 0
    for n, name in enumerate(("energy", "edp", "ed2p", "ed3p", "ed4p", "ed9p")):
        told = tune(path, "--objective", name, "--reference", "300")
        expect(told["chosen"]["setting"] >= last, name)
        last = told["chosen"]["setting"]
        equal(told["objective"], name)
    equal(tune(path, "--objective", "ed1p")["objective"], "edp")
    text = call("tune", "--table", path, *COLUMNS, "--objective", "ed3p", "--reference", "150").stdout
    expect("energy times time to the power of 3" in text, text)


def test_summary(place):
    """Groups together: how many save, how much on average and at most; several columns, and several tables."""
    path = write(place, "k.csv", "gpu,kernel,mhz,t,e\nv,fft,1000,2,10\nv,fft,500,2.1,8\nv,sort,1000,2,10\nv,sort,500,4,8\n"
                 "r,fft,1000,1,10\nr,fft,500,1.02,6\n")
    columns = ("--setting", "mhz", "--time", "t", "--energy", "e", "--slowdown", "5%")
    told = tune(path, *columns, "--group", "gpu,kernel")
    equal([(g["group"], g["saving"]) for g in told["groups"]], [("r / fft", True), ("v / fft", True), ("v / sort", False)])
    summary = told["summary"]
    equal((summary["groups"], summary["saving"], summary["best_group"]), (3, 2, "r / fft"))
    near(summary["mean_energy_change"], -0.2, 1e-9)
    near(summary["mean_energy_change_saving"], -0.3, 1e-9)
    near(summary["best_energy_change"], -0.4, 1e-9)
    text = call("tune", "--table", path, *columns, "--group", "gpu", "--group", "kernel", "--summary").stdout
    expect("2 of 3 groups save within 5 % more time: energy -30.00 % on average" in text, text)
    expect("v / sort  1000" in text and "no saving" in text and "whatever the time" not in text, text)
    refused(["--summary is of groups"], "tune", "--table", path, *columns, "--summary", status=2)
    one, two = limits(place), write(place, "other.csv", "window,time_s,energy_j\n300,10,100\n200,11,90\n")
    for args in (("--table", one, two), ("--table", one, "--table", two)):
        told = tell("tune", *args, *COLUMNS)
        equal([(g["group"], g["chosen"]["setting"]) for g in told["groups"]], [("limits", 150), ("other", 200)])


def test_ends(place):
    """The references max and min are the settings with the largest and the smallest number."""
    path = write(place, "n.csv", "threads,t,e\n1,100,1000\n8,20,400\n10,18,300\n16,15,360\n")
    columns = ("--setting", "threads", "--time", "t", "--energy", "e")
    told = tune(path, *columns, "--reference", "max")
    equal((told["reference"]["setting"], told["chosen"]["setting"]), (16, 10))
    near(told["reference_cost"]["energy_change"], 0.2, 1e-9)
    near(told["reference_cost"]["time_change"], 15 / 18 - 1, 1e-9)
    equal(tune(path, *columns, "--reference", "min")["reference"]["setting"], 1)
    text = call("tune", "--table", path, *columns, "--reference", "max").stdout
    expect("using 16 instead: time -16.67 %, energy +20.00 %" in text, text)
    words = write(place, "w.csv", "g,t,e\nmax,5,5\nlow,6,6\n")
    equal(tune(words, "--setting", "g", "--time", "t", "--energy", "e", "--reference", "max")["reference"]["cell"], "max")
    refused(["'min' is not in column 'g'"], "tune", "--table", words, "--setting", "g", "--time", "t", "--energy", "e", "--reference", "min")


def test_caps(place):
    """Power limits that the power does not reach are named, and those that are not kept."""
    rows = [(300, 100, 25000), (260, 100, 24900), (200, 110, 21800), (150, 130, 19400), (100, 200, 24000)]
    path = write(place, "c.csv", "power_limit,t,e\n" + "".join(",".join(map(str, row)) + "\n" for row in rows))
    told = tune(path, "--setting", "power_limit", "--time", "t", "--energy", "e")
    equal([row["setting"] for row in told["caps"]["unreached"]], [300])
    equal([row["setting"] for row in told["caps"]["exceeded"]], [100])
    text = call("tune", "--table", path, "--setting", "power_limit", "--time", "t", "--energy", "e").stdout
    expect("does not reach, they bind in peaks at most: 300 (250 W)" in text and "not kept, the mean power is above: 100 (120 W)" in text, text)
    equal(tune(limits(place))["caps"], None, "nothing says that a window is a power limit")


def test_steps(place):
    """A meter that counts in coarse steps hides small differences: that is said."""
    rows = "".join(f"{n},{20 - n},{e}\n" for n, e in ((1, 0.14), (2, 0.12), (3, 0.11), (4, 0.12), (5, 0.13)))
    path = write(place, "s.csv", "n,t,Energy[Wh]\n" + rows)
    told = tune(path, "--setting", "n", "--time", "t", "--energy", "Energy[Wh]")
    near(told["energy_step_j"], 36, 1e-6)
    equal(tune(limits(place, [(1, 1, 10000), (2, 2, 9990.3), (3, 3, 9821.7), (4, 4, 9543.1)]))["energy_step_j"], None)


def test_plan(place):
    """A plan replays golden section on the table: fewer settings than all, the best of them without noise, the same for the same seed."""
    lines = [f"{mhz},{1000 / mhz + 0.5},{(1000 / mhz + 0.5) * (60 + 100 * (mhz / 2000) ** 3)}" for mhz in range(1000, 2001, 100)]
    path = write(place, "p.csv", "mhz,t,e\n" + "\n".join(lines) + "\n")
    columns = ("--setting", "mhz", "--time", "t", "--energy", "e", "--plan")
    plan = tune(path, *columns)["plan"]
    equal((plan["loss"], plan["found"], plan["replays"], plan["settings"]), (0, 1, 1, 11))
    expect(plan["settings_measured"] < 8, plan)
    noisy = tune(path, *columns, "--noise", "1%")["plan"]
    expect(noisy["replays"] == 1000 and 0 <= noisy["loss"] < 0.003 and noisy["loss"] <= noisy["loss_max"], noisy)
    expect(tune(path, *columns, "--noise", "3%")["plan"]["loss"] < 0.012, "3 % noise")
    equal(tune(path, *columns, "--noise", "1%", "--seed", "1")["plan"], noisy)
    expect(tune(path, *columns, "--noise", "1%", "--seed", "2")["plan"] != noisy, "the seed changes nothing")
    limited = tune(path, *columns, "--slowdown", "3%", "--noise", "3%")["plan"]
    expect(limited["loss_max"] < 0.2, f"a setting beyond the limit was taken: {limited}")
    text = call("tune", "--table", path, *columns, "--noise", "1%").stdout
    expect("plan: golden section measures" in text and "at 1 % noise" in text, text)
    refused(["--noise is of --plan"], "tune", "--table", path, *columns[:-1], "--noise", "1%", status=2)
    refused(["from 0 to 50%"], "tune", "--table", path, *columns, "--noise", "60%", status=2)
    refused(["--seed 'x'"], "tune", "--table", path, *columns, "--seed", "x", status=2)


def test_plan_on_zeus(_place):
    """Over real power limits whose energies fall, then rise, the search loses nothing without noise, little with it."""
    for gpu, keys in (("a40", 20), ("v100", 30)):
        path = data("zeus", f"summary_power_{gpu}.csv")
        tables = {}
        with open(path, encoding="utf-8") as file:
            for row in csv.DictReader(file):
                name = " / ".join(row[k] for k in ("dataset", "network", "batch_size", "optimizer"))
                tables.setdefault(name, []).append((float(row["power_limit"]), float(row["time_per_epoch"]) * float(row["average_power"])))
        falls_then_rises = set()
        for name, rows in tables.items():
            energies = [energy for _, energy in sorted(rows)]
            least = energies.index(min(energies))
            if sorted(energies[:least + 1], reverse=True) == energies[:least + 1] and sorted(energies[least:]) == energies[least:]:
                falls_then_rises.add(name)
        expect(len(falls_then_rises) >= keys, gpu)
        for noise, most in (("0%", 1e-12), ("1%", 0.002), ("3%", 0.012)):
            told = tune(path, "--setting", "power_limit", "--time", "time_per_epoch", "--power", "average_power", "--reference", "max",
                        "--group", "dataset,network,batch_size,optimizer", "--plan", "--noise", noise)
            losses = [group["plan"]["loss"] for group in told["groups"] if group["group"] in falls_then_rises]
            equal(len(losses), len(falls_then_rises))
            expect(sum(losses) / len(losses) <= most, (gpu, noise, sum(losses) / len(losses)))


def test_zeus_groups(_place):
    """Trainings by network and batch size, 53 of them on an A40: nearly all save within 5 %."""
    path = data("zeus", "summary_power_a40.csv")
    columns = ("--setting", "power_limit", "--time", "time_per_epoch", "--power", "average_power", "--reference", "300")
    told = tune(path, *columns, "--group", "dataset,network,batch_size,optimizer", "--slowdown", "5%")
    equal((told["summary"]["groups"], told["summary"]["saving"]), (53, 52))
    near(told["summary"]["mean_energy_change"], -0.1199, 5e-4)
    for group in told["groups"]:
        expect(group["chosen"]["time_change"] <= 0.05 + 1e-9, group["group"])
    # 100 W is less than the board can be held to.
    exceeded = [g for g in told["groups"] if 100 in [row["setting"] for row in g["caps"]["exceeded"]]]
    expect(len(exceeded) > 20, len(exceeded))
    refused(["are both for setting '100'", "--group"], "tune", "--table", path, *columns)


def test_loghin(_place):
    """Ten programs on 20 cores, by a wall meter: the best number of threads of each, against all of them."""
    names = ("bs", "bt", "cl", "ep", "fe", "gh", "km", "lv", "pf", "sp")
    paths = [data("loghin", f"xeon-{name}.csv") for name in names]
    told = tell("tune", "--table", *paths, "--setting", "Cores", "--time", "Time[s]", "--energy", "Energy[J]", "--reference", "max")
    best = {group["group"]: group for group in told["groups"]}
    equal([best[f"xeon-{name}"]["chosen"]["setting"] for name in ("bs", "bt", "cl", "ep", "sp")], [20, 20, 9, 20, 7])
    equal({group["reference"]["setting"] for group in told["groups"]}, {20})
    cost = best["xeon-sp"]["reference_cost"]
    near(cost["energy_change"], 0.3161, 5e-4)
    near(cost["time_change"], 0.2149, 5e-4)
    near(best["xeon-pf"]["energy_step_j"], 36, 1e-6)
    equal(told["summary"]["saving"], 4)


def test_settings_with_units(place):
    """Settings may carry a unit, if it is the same for all; powers may be in mW or kW by their column's name."""
    path = write(place, "f.csv", "clock;time (ms);power [mW]\n2.20GHz;2000;100000\n1.8GHz;2100;80000\n")
    columns = ("--setting", "clock", "--time", "time (ms)", "--power", "power [mW]")
    told = tune(path, *columns, "--reference", "2.2")
    equal((told["reference"]["setting"], told["chosen"]["setting"]), (2.2, 1.8))
    near(told["reference"]["energy_j"], 200, 1e-9)
    equal(tune(path, *columns, "--reference", "2.20 GHz")["reference"]["setting"], 2.2)
    equal(tune(path, *columns, "--reference", "max")["reference"]["setting"], 2.2)
    mixed = write(place, "m.csv", "clock;time (ms);power [mW]\n1.2GHz;2000;100000\n900MHz;2100;80000\n")
    equal(tune(mixed, *columns)["chosen"]["setting"], "900MHz", "words, as the units differ")


def test_kernels_on_two_gpus(place):
    """Twenty kernels on two GPUs by clock: each saves what its law says, and memory-bound ones more."""
    lines = []
    for gpu, base in (("V100", 60), ("RTX 8000", 50)):
        for k in range(20):
            share = k / 20  # of the time that the clock changes
            for mhz in range(700, 1401, 100):
                x = mhz / 1400
                time = 10 * (1 - share + share / x)
                lines.append(f"{gpu},kernel {k},{mhz},{time:.6f},{base + 200 * x ** 3:.6f}")
    path = write(place, "k.csv", "GPU,kernel,core clock (MHz),time (ms),power (W)\n" + "\n".join(lines) + "\n")
    columns = ("--table", path, "--setting", "core clock (MHz)", "--time", "time (ms)", "--power", "power (W)", "--group", "GPU,kernel",
               "--reference", "max")
    told = tell("tune", *columns, "--slowdown", "5%")
    equal(told["summary"]["groups"], 40)
    saving = {group["group"]: group["chosen"]["energy_change"] for group in told["groups"]}
    expect(saving["V100 / kernel 0"] < -0.5 and saving["V100 / kernel 0"] < saving["V100 / kernel 3"] < saving["V100 / kernel 10"] <= 0, saving)
    equal([group["saving"] for group in told["groups"] if group["group"] == "V100 / kernel 19"], [False])
    for group in told["groups"]:
        expect(group["chosen"]["time_change"] <= 0.05 + 1e-9, group["group"])
        expect(group["model"]["time"]["shape"] in ("additive", "overlapping"), group["group"])
    text = call("tune", *columns, "--slowdown", "2%", "--summary").stdout
    expect("no saving" in text and "of 40 groups save within 2 % more time" in text, text)


def test_estimates(place):
    """Joules estimated from CPU time are never compared between settings; measured ones are."""
    text = "n,t,e,kind\n1,10,100,measured\n2,9,80,{}\n"
    columns = ("--setting", "n", "--time", "t", "--energy", "e")
    words = ["no meter here can see this difference", "':3 is an estimate"]
    path = write(place, "e.csv", text.format("estimated"))
    refused(words, "tune", "--table", path, *columns)
    refused(words, "pareto", path, "--time", "t", "--energy", "e")
    equal(tune(write(place, "m.csv", text.format("measured")), *columns)["chosen"]["setting"], 2)


def test_pictures_of_groups(place):
    """Groups have colours and a legend of their own; intervals of repeated runs are boxes; --term draws in letters."""
    path = write(place, "k.csv", "gpu,mhz,t,e\nv,1000,2,10\nv,500,2.1,8\nr,1000,1,10\nr,500,1.02,6\n")
    columns = ("--table", path, "--setting", "mhz", "--time", "t", "--energy", "e", "--group", "gpu")
    svg = os.path.join(place, "g.svg")
    equal(call("tune", *columns, "--svg", svg).returncode, 0)
    with open(svg, encoding="utf-8") as file:
        text = file.read()
    expect(">v<" in text and ">r<" in text and "chosen" in text, "no legend")
    text = call("tune", *columns, "--term", env={"LC_ALL": "C"}).stdout
    expect("energy (J) against time (s)" in text and "A r" in text and "B v" in text, text)
    rows = [("w_300", 100, 20000), ("w_300", 102, 20200), ("w_250", 101, 18000), ("w_250", 101.5, 18100)]
    equal(call("tune", "--table", limits(place, rows), *COLUMNS, "--repeats", "--svg", svg).returncode, 0)
    with open(svg, encoding="utf-8") as file:
        expect("95 % intervals" in file.read(), "no boxes")


def test_truncated(place):
    """The last line of a table that was cut off is no row."""
    path = limits(place, extra="w_90,300")
    done = call("tune", "--table", path, *COLUMNS, "--json")
    equal((done.returncode, json.loads(done.stdout)["lines_left_out"]), (0, 1), done.stderr)
    expect("':7: 2 fields where the header has 3" in done.stderr, done.stderr)
    refused_tune(["--strict"], path, "--strict")
    refused_tune(["':7: column 'energy_j': '' is no number"], limits(place, extra="w_90,300,"), "--strict")


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
