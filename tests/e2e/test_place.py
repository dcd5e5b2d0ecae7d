#!/usr/bin/env python3
# test_place.py - configurations on classes of servers: the least energy, limits, and what is said where it cannot be
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import itertools
import json
import os
import random
import subprocess
import sys

import harness
from harness import call, equal, expect, near

ENERGY = """configuration,A40,V100,A100
resnet,1.2,1.5,1.0
bert,2.0,2.6,1.9
gpt,,5,3.5
vit,0.8,0.9,0.75
"""
TIME = """class,V100,A100,A40
vit,7,90min,6
gpt,30,15,
resnet,12,7,10
bert,22,11,20
"""


def write(place, name, text):
    path = os.path.join(place, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def ask(*args, status=0):
    done = call("place", *args)
    equal(done.returncode, status, f"{args}: {done.stderr}")
    return done


def answer(*args):
    return json.loads(ask("--json", *args).stdout)


def refuse(words, *args, status=1):
    done = ask(*args, status=status)
    expect(words in done.stderr and done.stdout == "", f"{args}: wanted {words!r}: {done.stderr}")
    expect(done.stderr.startswith("energyscopium place: ") and len(done.stderr.splitlines()) == 1, done.stderr)


def test_rooms_by_number(place):
    """The least energy that rooms allow, what each in turn would have taken, and sums by class"""
    got = answer(write(place, "e.csv", ENERGY), "--capacity", "A100=1", "--capacity", "V100=1")
    equal(got["schema"], "energyscopium.place/1")
    equal(got["assignment"], {"resnet": "A40", "bert": "A40", "gpt": "A100", "vit": "A40"})
    equal((got["energy_kwh"], got["bound_kwh"], got["gap"], got["method"]), (7.5, 7.5, 0, "min-cost flow"))
    equal((got["bound_by"], got["linear_program"]["state"]), ("exact", "not needed"))
    equal((got["greedy_kwh"], got["regret_kwh"]), (8.8, 1.3))
    near(got["regret"], 1.3 / 7.5, 1e-12)
    equal(got["by_class"]["A40"], {"configurations": 3, "energy_kwh": 4, "node_hours": None, "capacity": None,
                                   "capacity_node_hours": None})
    equal(got["by_class"]["V100"]["configurations"], 0)
    text = ask(f"{place}/e.csv", "--capacity", "A100=1").stdout
    expect("energy (kWh)" in text and "the least there is" in text, text)


def test_rooms_of_node_hours(place):
    """Times are found by name; what fills a class's nodes over the horizon is their sum"""
    tables = (write(place, "e.csv", ENERGY), "--time", write(place, "t.csv", TIME))
    got = answer(*tables, "--horizon", "24h", "--capacity", "A100=1", "--capacity", "A40=1")
    equal(got["assignment"], {"resnet": "A100", "bert": "A40", "gpt": "A100", "vit": "A100"})
    equal((got["energy_kwh"], got["gap"], got["method"]), (7.25, 0, "branch and bound"))
    a100 = got["by_class"]["A100"]
    equal((a100["configurations"], a100["node_hours"], a100["capacity"], a100["capacity_node_hours"]), (3, 23.5, 1, 24))
    # Without a horizon the same numbers are places.
    equal(answer(*tables, "--capacity", "A100=3")["by_class"]["A100"]["configurations"], 3)
    done = ask(*tables, "--horizon", "5h", "--capacity", "A100=9")
    expect("'resnet' first" in done.stderr and "longer" in done.stderr, done.stderr)


def test_limits(place):
    """Deadlines, slowdown against the best time, and forbidden pairs keep configurations out"""
    tables = (write(place, "e.csv", ENERGY.replace("vit,0.8", "vit,0.7").replace("bert,2.0", "bert,1.8")), "--time",
              write(place, "t.csv", TIME))
    equal(answer(*tables)["assignment"], {"resnet": "A100", "bert": "A40", "gpt": "A100", "vit": "A40"})
    equal(answer(*tables, "--slowdown", "90%")["assignment"]["vit"], "A100")
    equal(answer(*tables, "--slowdown", "90%")["assignment"]["bert"], "A40")
    equal(answer(*tables, "--slowdown", "5%")["assignment"]["bert"], "A100")
    equal(answer(*tables, "--deadline", "bert=20h")["assignment"]["bert"], "A40")
    equal(answer(*tables, "--deadline", "bert=19h")["assignment"]["bert"], "A100")
    equal(answer(*tables, "--forbid", "gpt:A100")["assignment"]["gpt"], "V100")
    colon = write(place, "c.csv", "x,a:b,c\nm:1,1,2\n")
    equal(answer(colon, "--forbid", "m:1:a:b")["assignment"], {"m:1": "c"})


def test_no_placement(place):
    """It is said which class or which configuration is in the way"""
    e, t = write(place, "e.csv", ENERGY), write(place, "t.csv", TIME)
    alone = write(place, "b.csv", "x,A,B\n" + "".join(f"c{i},,1\n" for i in range(5)) + "d,1,1\n")
    refuse("class 'B' has room for 3 of the 5 configurations that can only run there", alone, "--capacity", "B=3")
    both = write(place, "d.csv", "x,A,B,C\nc,1,2,\nd,1,,\ne,,1,\nf,1,1,1\n")
    refuse("classes 'A' and 'B' together have room for 2 of the 3", both, "--capacity", "A=1", "--capacity", "B=1")
    refuse("class 'A100' has 24 node-hours, and the 4 configurations that can only run there take at least 34.5",
           e, "--time", t, "--horizon", "24h", "--slowdown", "5%", "--capacity", "A100=1")
    refuse("'gpt' can run nowhere: A40 has no energy; V100 is forbidden; A100 takes 15 h, after the deadline of 3 h",
           e, "--time", t, "--forbid", "gpt:V100", "--deadline", "gpt=3h")
    refuse("A100 takes 15 of its 10 node-hours", e, "--time", t, "--horizon", "10h", "--capacity", "A100=1",
           "--capacity", "V100=1")


def test_pictures(place):
    """A map of the matrix: each cell above the row's best, closed ones with why, what was chosen, what is as good"""
    tables = (write(place, "e.csv", ENERGY), "--time", write(place, "t.csv", TIME), "--slowdown", "120%", "--forbid", "vit:V100",
              "--capacity", "A100=1")
    svg = ask(*tables, "--svg", "-").stdout
    expect(svg.startswith("<?xml") or svg.startswith("<svg"), svg[:80])
    for words in ["4 configurations on 3 classes of servers", "resnet", "A100", "chosen", "forbidden", "no energy known",
                  "gpt in V100: 5 kWh, chosen", "vit in V100: forbidden", "gpt in A40: no energy known", "vit in A40: too slow"]:
        expect(words in svg, f"{words}: {svg[:3000]}")
    expect("configuration " not in svg, "nothing else goes there")
    rows = ask(write(place, "rows.csv", ROWS), "--configuration", "job", "--class", "class", "--energy", "energy_kwh", "--term").stdout
    line = next(line for line in rows.splitlines() if line.startswith("c "))
    expect("[" in line and "+0.0]" in line and "+3.2" in line and "~" in line, rows)
    expect("as good, within the noise" in rows and "configuration " in rows, rows)
    term = ask(*tables, "--term").stdout
    gpt = next(line for line in term.splitlines() if line.startswith("gpt"))
    equal(gpt.split()[1], "-")
    expect("f forbidden" in term and "- no energy known" in term, term)
    many = "x,a,b\n" + "".join(f"row{i},{1 + i / 100},{2}\n" for i in range(70))
    svg = ask(write(place, "many.csv", many), "--capacity", "a=40", "--svg", "-").stdout
    expect("the 40 that take most above their own best; 30 others not" in svg, svg[:2000])
    # Those that cost least to move are moved: the last rows, and the first of the rest is shown before.
    expect("row40 in b" in svg and "row39 in b" not in svg, "largest regrets")
    refuse("one picture at most can go to stdout", *tables, "--svg", "-", "--png", "-", status=2)
    refuse("", *tables, "--svg", f"{place}/nowhere/x.svg")
    ask(*tables, "--svg", f"{place}/m.svg")
    expect(os.path.getsize(f"{place}/m.svg") > 1000, "a file")
    done = call("place", *tables, "--png", f"{place}/m.png", "--pdf", f"{place}/m.pdf")
    if "libcairo" in done.stderr:
        raise harness.Skip("libcairo2 is not installed")
    equal(done.returncode, 0, done.stderr)
    with open(f"{place}/m.png", "rb") as png, open(f"{place}/m.pdf", "rb") as pdf:
        expect(png.read(8) == b"\x89PNG\r\n\x1a\n" and pdf.read(5) == b"%PDF-", "magic")


def test_random_tables_against_all_placements(place):
    """What the program prints is what trying all of them gives, both kinds of room"""
    roll = random.Random(6)
    for turn in range(20):
        rows, columns = [f"r{i}" for i in range(roll.randint(1, 5))], ["a", "b", "c"]
        e = {(r, c): roll.choice([None, *range(1, 9)]) for r in rows for c in columns}
        t = {key: roll.randint(1, 6) for key in e}
        rooms = {c: roll.randint(0, 3) for c in columns}
        hours = turn % 2 == 1

        def table(values):
            return "x,a,b,c\n" + "".join(f"{r},{','.join(str(values[r, c] or '') for c in columns)}\n" for r in rows)

        def fits(chosen):
            return all(e[r, c] for r, c in zip(rows, chosen)) and all(
                sum(t[r, d] if hours else 1 for r, d in zip(rows, chosen) if d == c) <= rooms[c] * (4 if hours else 1)
                for c in columns)

        sums = [sum(e[r, c] for r, c in zip(rows, chosen)) for chosen in itertools.product(columns, repeat=len(rows))
                if fits(chosen)]
        args = [write(place, "e.csv", table(e))] + [f"--capacity={c}={n}" for c, n in rooms.items()]
        if hours:
            args += ["--time", write(place, "t.csv", table(t)), "--horizon", "4h"]
        if sums:
            equal(answer(*args)["energy_kwh"], min(sums), f"turn {turn}")
        else:
            ask(*args, status=1)


def test_many(place):
    """500 configurations on 10 classes, nearly full: a placement within its bound, the same again"""
    roll = random.Random(7)
    sizes = [roll.uniform(0.2, 4) for _ in range(500)]
    head = "x," + ",".join(f"c{j}" for j in range(10)) + "\n"
    e = head + "".join(f"r{i}," + ",".join(f"{s * (3 + j * 0.4 + roll.random() * 3):.3f}" for j in range(10)) + "\n"
                       for i, s in enumerate(sizes))
    t = head + "".join(f"r{i}," + ",".join(f"{s * roll.uniform(0.8, 1.4):.3f}" for j in range(10)) + "\n"
                       for i, s in enumerate(sizes))
    args = (write(place, "e.csv", e), "--time", write(place, "t.csv", t), "--horizon", "24h",
            *[f"--capacity=c{j}=5" for j in range(10)])
    got = answer(*args)
    expect(0 <= got["gap"] < 0.005, got["gap"])
    expect(got["bound_kwh"] <= got["energy_kwh"], got)
    near(got["gap"], got["energy_kwh"] / got["bound_kwh"] - 1, 1e-9)
    expect(all(of["node_hours"] <= 120.000001 for of in got["by_class"].values()), got["by_class"])
    equal(ask("--json", *args).stdout, ask("--json", *args).stdout)

    write(place, "libglpk.so.40", "no library\n")
    done = call("place", "--json", *args, env={"LD_LIBRARY_PATH": place})
    equal(done.returncode, 0, done.stderr)
    without = json.loads(done.stdout)
    equal((without["bound_by"], without["linear_program"]["state"]), ("prices", "not solved"))
    expect("GLPK is not installed: apt install libglpk40" in without["linear_program"]["reason"], without)
    text = call("place", *args, env={"LD_LIBRARY_PATH": place}).stdout
    expect("prices (GLPK is not installed: apt install libglpk40" in text, text[-600:])
    if got["linear_program"]["state"] == "not solved":
        raise harness.Skip("libglpk40 is not installed")
    equal(got["linear_program"]["state"], "solved")
    expect(got["bound_kwh"] >= without["bound_kwh"] and got["energy_kwh"] <= without["energy_kwh"], (got, without))
    expect("bound    " in ask(*args).stdout and "gap      " in ask(*args).stdout, "bound and gap")


def test_bad_tables(place):
    """Each with the file, the line and the column; nothing is guessed"""
    for text, words in [("", "is empty"), ("x,a\n", "no row below"), ("x\n1\n", "no column of a server class"),
                        ("x,a\nr,nan\n", "line 2: column 'a' of 'r': 'nan' is no measurement"),
                        ("x,a\nr,-inf\n", "no measurement"), ("x,a\nr,-1\n", "'-1' is not above zero"),
                        ("x,a\nr,0\n", "'0' is not above zero"), ("x,a\nr,1e300\n", "more than 400000 kWh"),
                        ("x,a\nr,1e-12\n", "less than"), ("x,a\nr,1\nr,2\n", "'r' has more than one row"),
                        ("x,a,a\nr,1,2\n", "two columns are named 'a'"), ("x,a\n,1\n", "is empty"),
                        ("x,,b\nr,1,1\n", "is empty"), ("x,a\nr,\n", "'r' can run nowhere: a has no energy"),
                        ("x,a\nr\x1b,1\n", "control characters"),
                        ("x,a\nr\x9b31m,1\n", "control characters"),
                        ("x," + ",".join(f"c{i}" for i in range(70)) + "\n", "more than 63"),
                        ("x,a\nr\0,1\n", "is no text")]:
        refuse(words, write(place, "bad.csv", text))
    refuse("cannot read", f"{place}/nowhere.csv")
    refuse("no regular file", place)
    e = write(place, "e.csv", ENERGY)
    for text, words in [(TIME.replace("V100", "V10"), "no column 'V100'; did you mean 'V10'?"),
                        (TIME.replace("bert", "brt"), "no row 'bert'; did you mean 'brt'?"),
                        (TIME.replace("30,15", "30,"), "no time of 'gpt' in 'A100'")]:
        refuse(words, e, "--time", write(place, "t.csv", text))
    done = ask(e, "--time", write(place, "t.csv", TIME.replace("90min", "90kWh")), status=1)
    expect("'90kWh' is no time" in done.stderr and "no row 'vit'" in done.stderr, done.stderr)


def test_bad_lines(place):
    """What is no row is counted and left out, the first five with their lines; --strict does nothing then"""
    text = "# a remark, and more\nx,a,b\nr1,1,2\nr2,1\nr3,1,2,3\n\"r4,1,2\n# another\nr5,one,2\nr6,1,zwei\nr7,,x\nr8,2,1\n"
    bad = write(place, "bad.csv", text)
    done = ask("--json", bad)
    lines = done.stderr.splitlines()
    equal(json.loads(done.stdout)["assignment"], {"r1": "a", "r8": "b"})
    equal(len(lines), 6, done.stderr)
    for line, words in zip(lines, [":4: 2 fields", ":5: 4 fields", ":6: a quote", ":8: column 'a' of 'r5': 'one' is no number",
                                   ":9: column 'b' of 'r6'", "6 lines are no rows, left out"]):
        expect(words in line, f"{words!r}: {line}")
    done = ask("--strict", bad, status=1)
    expect("nothing is done (--strict)" in done.stderr and done.stdout == "", done.stderr)
    done = ask(write(place, "none.csv", "x,a\nr,one\n"), status=1)
    expect("no row below the header that can be used" in done.stderr, done.stderr)
    done = ask(write(place, "comma.csv", "x;a\nr;4,1\n"), status=1)
    expect("'4,1' is no number: decimals follow a point" in done.stderr, done.stderr)


def test_regret(place):
    """What each takes above its own best class, and all of them above that"""
    path = write(place, "e.csv", ENERGY)
    got = answer(path, "--capacity", "A100=1")
    bert = got["configurations"]["bert"]
    equal((bert["class"], bert["best_class"], bert["above_best_kwh"]), ("A40", "A100", 0.1))
    near(bert["above_best"], 0.1 / 1.9, 1e-12)
    gpt = got["configurations"]["gpt"]
    equal((gpt["best_class"], gpt["above_best_kwh"], gpt["runs"], gpt["energy_ci_kwh"]), ("A100", 0, None, None))
    equal((got["alone_kwh"], got["above_alone_kwh"]), (7.15, 0.35))
    near(got["above_alone"], 0.35 / 7.15, 1e-12)
    # Where it may not run it is not at its best either.
    equal(answer(path, "--forbid", "bert:A100")["configurations"]["bert"]["best_class"], "A40")
    text = ask(path, "--capacity", "A100=1").stdout
    expect("above best (kWh)" in text and "alone    7.15 kWh" in text, text)
    row = next(line for line in text.splitlines() if line.startswith("bert"))
    equal(row.split(), ["bert", "A40", "2", "0.1", "5.26", "A100"])


ROWS = """job,class,limit,energy_kwh,time_h
a,X,250,1.0,2
a,X,250,1.2,2.1
a,X,300,1.5,1.5
a,Y,300,1.15,1.6
a,Y,300,1.10,1.7
b,X,250,2,2
b,Y,250,2.2,3
c,X,,3.0,1
c,X,,3.2,1
c,Y,,3.1,1
c,Y,,3.3,1
"""


def test_rows_of_runs(place):
    """A row for each run: means with intervals, and of each class the setting of least energy within the limits"""
    columns = ("--configuration", "job", "--class", "class", "--energy", "energy_kwh")
    path = write(place, "rows.csv", ROWS)
    got = answer(path, *columns)["configurations"]
    equal((got["a"]["class"], got["a"]["runs"], got["a"]["setting"], got["a"]["time_h"]), ("Y", 2, None, None))
    near(got["a"]["energy_kwh"], 1.125, 1e-9)
    near(got["a"]["energy_ci_kwh"][1], 1.125 + 12.7062 * 0.025, 1e-4)
    equal(got["b"]["energy_ci_kwh"], None)
    best = answer(path, *columns, "--time", "time_h", "--setting", "limit")["configurations"]
    equal((best["a"]["class"], best["a"]["setting"], best["c"]["setting"]), ("X", "250", None))
    near(best["a"]["energy_kwh"], 1.1, 1e-9)
    # X at 250 takes 2.05 h where X at 300 takes 1.5: over 20 %; Y is within.
    quick = answer(path, *columns, "--time", "time_h", "--setting", "limit", "--slowdown", "20%")["configurations"]
    equal((quick["a"]["class"], quick["a"]["setting"]), ("Y", "300"))
    # The best time is that of a setting that is not the best: nothing but it is left.
    quick = answer(path, *columns, "--time", "time_h", "--setting", "limit", "--slowdown", "0%")["configurations"]
    equal((quick["a"]["class"], quick["a"]["setting"], quick["a"]["time_h"]), ("X", "300", 1.5))
    late = answer(path, *columns, "--time", "time_h", "--setting", "limit", "--deadline", "a=100min")["configurations"]
    equal((late["a"]["class"], late["a"]["setting"]), ("Y", "300"))
    refuse("'a' can run nowhere: X is forbidden; Y is too slow (1.65 h, --slowdown 0%)", path, *columns, "--time", "time_h",
           "--setting", "limit", "--slowdown", "0%", "--forbid", "a:X")
    for args, words, status in [((*columns[:5], "energy"), "did you mean", 1),
                                ((*columns, "--time", "hours"), "no column 'hours' (--time)", 1),
                                ((*columns, "--setting", "class"), "are the same column", 1),
                                ((*columns, "--slowdown", "5%"), "--time COL is missing", 2),
                                (columns[:4], "needs --configuration, --class and --energy", 2),
                                (columns[2:4], "needs --configuration", 2), (("--by", "node"), "--by is of --runs", 2)]:
        refuse(words, path, *args, status=status)
    for text, words in [(ROWS.replace("1.15", "nan"), "'nan' is no measurement"), (ROWS.replace("1.15", "-1"), "not above 0"),
                        (ROWS.replace("b,X", ",X"), "line 7: configuration '' is empty"),
                        (ROWS.replace("b,X", "b,"), "line 7: server class '' is empty"),
                        (ROWS.replace("1.15", "1e9"), "line 5: an energy of more than 400000 kWh")]:
        refuse(words, write(place, "bad.csv", text), *columns)
    done = ask(write(place, "bad.csv", ROWS.replace("1.15", "much")), *columns)
    expect(":5: " in done.stderr and "1 line is no row, left out" in done.stderr, done.stderr)
    ask("--strict", f"{place}/bad.csv", *columns, status=1)


def test_noise(place):
    """Choices that the measurements cannot tell apart are named, by one that moves or two that change places"""
    columns = ("--configuration", "job", "--class", "class", "--energy", "energy_kwh")
    got = answer(write(place, "rows.csv", ROWS), *columns)
    equal([(tie["configuration"], tie["class"], tie["other_class"], tie["exchanged_with"]) for tie in got["within_noise"]],
          [("a", "Y", "X", None), ("c", "X", "Y", None)])
    near(got["within_noise"][1]["more_kwh"], 0.1, 1e-9)
    near(got["within_noise"][1]["uncertainty_kwh"], 12.7062 * 0.1 * 2 ** 0.5, 1e-3)
    full = answer(f"{place}/rows.csv", *columns, "--capacity", "X=2", "--capacity", "Y=1")["within_noise"]
    equal([(tie["configuration"], tie["exchanged_with"]) for tie in full], [("a", "c")])
    expect("within the noise: 'c' in 'Y' instead of 'X': +0.1 ± 1.8 kWh" in ask(f"{place}/rows.csv", *columns).stdout, "words")
    sure = ROWS.replace("3.1,1", "9.1,1").replace("3.3,1", "9.1,1").replace("1.10,1.7", "1.15,1.7").replace("a,X", "a,Z")
    equal([tie["configuration"] for tie in answer(write(place, "sure.csv", sure), *columns)["within_noise"]], ["a"])
    equal(answer(write(place, "e.csv", ENERGY))["within_noise"], None)


def test_recordings(place):
    """Runs of two kinds of nodes: classes by what nodes are built like, settings behind '@', estimates refused"""
    reports = {}
    for model in ("skx2s", "spr2s"):
        root, out = os.path.join(place, model), os.path.join(place, f"out-{model}")
        subprocess.run([harness.TREE, root, model], check=True)
        for name in ("lu@slow-1", "lu@slow-2", "lu@fast-1", "cg-1"):
            done = call("run", "--root", root, "--out", out, "--name", name, "--period", "20ms", "--json", "--", harness.PLAYER,
                        root, "--random", "1", "--duration", "150ms")
            equal(done.returncode, 0, done.stderr)
            reports[model, name] = harness.last_json(done.stderr)["energy"]["node_j"] / 3.6e6
    got = answer("--runs", f"{place}/out-skx2s", f"{place}/out-spr2s", "--forbid", "lu:xeon-gold-6150-2p")
    equal(sorted(got["by_class"]), ["xeon-gold-6150-2p", "xeon-platinum-8480-2p"])
    lu = got["configurations"]["lu"]
    slow, fast = (reports["spr2s", "lu@slow-1"] + reports["spr2s", "lu@slow-2"]) / 2, reports["spr2s", "lu@fast-1"]
    equal((lu["class"], lu["setting"], lu["runs"]),
          ("xeon-platinum-8480-2p",) + (("slow", 2) if slow < fast else ("fast", 1)))
    near(lu["energy_kwh"], min(slow, fast), 2e-9)
    near(got["configurations"]["cg"]["energy_kwh"], min(reports[model, "cg-1"] for model in ("skx2s", "spr2s")), 2e-9)
    equal(sorted(answer("--runs", f"{place}/out-skx2s/cg-1.esr", "--by", "node")["by_class"]), ["skx2s"])

    done = call("run", "--out", f"{place}/failed", "--root", f"{place}/skx2s", "--name", "cg-9", "--", "false")
    equal(done.returncode, 1, done.stderr)
    done = ask("--runs", f"{place}/out-skx2s", f"{place}/failed")
    expect("left out: 1 runs failed" in done.stderr, done.stderr)
    refuse("nothing is placed (--strict)", "--strict", "--runs", f"{place}/out-skx2s", f"{place}/failed")
    refuse("no run is left", "--runs", f"{place}/failed")

    subprocess.run([harness.TREE, f"{place}/ps", "client-psys"], check=True)
    done = call("run", "--root", f"{place}/ps", "--out", f"{place}/out-ps", "--name", "cg-1", "--period", "20ms", "--",
                harness.PLAYER, f"{place}/ps", "--random", "1", "--duration", "150ms")
    equal(done.returncode, 0, done.stderr)
    done = ask("--runs", f"{place}/out-skx2s", f"{place}/out-ps")
    expect("they are compared as if they were of the same parts" in done.stderr and "psys" in done.stderr, done.stderr)

    subprocess.run([harness.TREE, f"{place}/bare", "no-meter"], check=True)
    done = call("run", "--root", f"{place}/bare", "--out", f"{place}/bare-out", "--name", "cg-1", "--", "true")
    equal(done.returncode, 0, done.stderr)
    refuse("is an estimate from CPU time", "--runs", f"{place}/out-skx2s", f"{place}/bare-out")
    refuse("is a table, no recording", "--runs", write(place, "t.csv", "duration_s,energy_j\n1,2\n"))
    refuse("recordings are missing", "--runs", status=2)
    refuse("--time is of tables", "--runs", "--time", "x", place, status=2)
    refuse("class or node is wanted", "--runs", "--by", "rack", place, status=2)


def test_wrong_options(place):
    """Unknown names fail with the nearest; wrong usage is told in one line"""
    e, t = write(place, "e.csv", ENERGY), write(place, "t.csv", TIME)
    refuse("no server class 'A1000' in the table; did you mean 'A100'?", e, "--capacity", "A1000=1")
    refuse("no server class 'quantum' in the table; there are 'A40', 'V100', 'A100'", e, "--capacity", "quantum=1")
    refuse("no configuration 'bort' in the table; did you mean 'bert'?", e, "--forbid", "bort:A40")
    refuse("did you mean 'V100'?", e, "--forbid", "bert:V10")
    refuse("did you mean 'gpt'?", e, "--time", t, "--deadline", "gtp=1h")
    for args in [("--capacity", "A40"), ("--capacity", "A40=-1"), ("--capacity", "A40=x"), ("--capacity", "=1"),
                 ("--capacity", "A40=1", "--capacity", "A40=2"), ("--forbid", "gpt"), ("--time", t, "--deadline", "gpt=3"),
                 ("--time", t, "--horizon", "24"), ("--time", t, "--slowdown", "-5%"), ("--time", t, "--slowdown", "x"),
                 ("--horizon", "24h"), ("--slowdown", "5%"), ("--deadline", "gpt=3h"), ("extra",)]:
        refuse("", e, *args, status=2)
    refuse("a table is missing", status=2)


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
