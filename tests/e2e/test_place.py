#!/usr/bin/env python3
# test_place.py - configurations on classes of servers: the least energy, limits, and what is said where it cannot be
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import itertools
import json
import os
import random
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
    for text, words in [("", "nothing in it"), ("x,a\n", "no row"), ("x\n1\n", "no column of a server class"),
                        ("x,a\nr,nan\n", "line 2: column 'a' of 'r': 'nan' is no number"),
                        ("x,a\nr,inf\n", "no number"), ("x,a\nr,-1\n", "'-1' is not above zero"),
                        ("x,a\nr,0\n", "'0' is not above zero"), ("x,a\nr,1e300\n", "more than 400000 kWh"),
                        ("x,a\nr,1e-12\n", "less than"), ("x,a,b\nr,1\n", "line 2: the line ends before column 'b'"),
                        ("x,a\nr,1,2\n", "a value without a column"), ("x,a\nr,1\nr,2\n", "'r' has more than one row"),
                        ("x,a,a\nr,1,2\n", "'a' has a column already"), ("x,a\n,1\n", "is empty"),
                        ("x,,b\nr,1,1\n", "is empty"), ("x,a\nr,\n", "'r' can run nowhere: a has no energy"),
                        ("x,a\n\"r,1\n", "quotes do not match"), ("x,a\nr\x1b,1\n", "control characters"),
                        ("x," + ",".join(f"c{i}" for i in range(70)) + "\n", "more than 63"), ("x,a\nr\0,1\n", "NUL")]:
        refuse(words, write(place, "bad.csv", text))
    refuse("cannot read", f"{place}/nowhere.csv")
    refuse("no regular file", place)
    e = write(place, "e.csv", ENERGY)
    for text, words in [(TIME.replace("V100", "V10"), "no column 'V100'; did you mean 'V10'?"),
                        (TIME.replace("bert", "brt"), "no row 'bert'; did you mean 'brt'?"),
                        (TIME.replace("30,15", "30,"), "no time of 'gpt' in 'A100'"),
                        (TIME.replace("90min", "90kWh"), "'90kWh' is no time")]:
        refuse(words, e, "--time", write(place, "t.csv", text))


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
