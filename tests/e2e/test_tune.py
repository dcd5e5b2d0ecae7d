#!/usr/bin/env python3
# test_tune.py - energyscopium pareto and tune: fronts and settings from tables of measurements
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
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


def test_bad_values(place):
    """Values that no measurement has, duplicates and references that are not there are refused with their lines."""
    for value in ("0", "-3", "nan", "inf", "-NaN", "1e999"):
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


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
