#!/usr/bin/env python3
# test_simulate_power.py - replayed traces on nodes that go off when idle, and on classes of servers
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
"""Nothing here is timed: all of it is simulated time."""
import csv
import json
import os
import random
import sys

import harness
from harness import Skip, call, expect

NASA = os.path.join(harness.SOURCE_ROOT, "../shared/data/workloads/NASA-iPSC-1993-3.1-cln.swf.gz")
STATES = ("off", "booting", "idle", "busy", "stopping")
# A node of the Taurus cluster.
TAURUS = ["--watts-idle", "95W", "--watts-off", "9.75W", "--boot", "151.5s,125.2W", "--stop", "6.1s,101W"]


def simulate(*args, status=0):
    result = call("simulate", *args)
    expect(result.returncode == status, f"status {status}: {result.returncode} {result.stderr}")
    return result


def sums(*args):
    return json.loads(simulate("--json", *args).stdout)


def write(place, text, name="a.swf"):
    path = f"{place}/{name}"
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
    return path


def write_jobs(place, jobs, head=""):
    """Jobs of (number, submit, run, procs, requested time)."""
    return write(place, head + "".join(
        f"{number} {submit} -1 {run} {procs} -1 -1 {procs} {requested} -1 1 -1 -1 -1 -1 -1 -1 -1\n"
        for number, submit, run, procs, requested in jobs))


def read_schedule(place):
    with open(f"{place}/s.csv", encoding="ascii", newline="") as file:
        return list(csv.DictReader(file))


def random_jobs(seed, n, procs):
    """Busy hours and quiet ones."""
    roll = random.Random(seed)
    now, jobs = 0, []
    for number in range(1, n + 1):
        now += roll.randrange(3000 if roll.random() < 0.1 else 30)
        run = int(2 ** roll.uniform(0, 9))
        jobs.append((number, now, run, min(procs, int(2 ** roll.uniform(0, 6))), run * roll.randint(1, 4)))
    return jobs


def validate(rows, procs, per_node=1):
    """None before its submission, and never more nodes than there are; a job that waits for a boot has its nodes already."""
    events = []
    for row in rows:
        start, end = int(row["start_s"]), int(row["end_s"])
        expect(start >= int(row["submit_s"]) and int(row["wait_s"]) == start - int(row["submit_s"]), row)
        nodes = -(-int(row["procs"]) // per_node)
        events += [(start, 1, nodes), (end, 0, -nodes)]
    busy = 0
    for _, _, nodes in sorted(events):
        busy += nodes
        expect(0 <= busy <= procs // per_node, busy)


def close(found, rows, idle_w, extra_j):
    """States fill the time of all nodes, and their energies sum up to the machine's."""
    nodes = found["nodes"]
    expect(abs(sum(nodes["node_s"].values()) - nodes["count"] * found["makespan_s"]) < 1e-3, nodes)
    busy = sum(int(row["end_s"]) - int(row["start_s"]) for row in rows for _ in
               range(-(-int(row["procs"]) // nodes["procs_per_node"])))
    expect(nodes["node_s"]["busy"] == busy, (nodes, busy))
    watts = {"off": 9.75, "booting": 125.2, "idle": idle_w, "busy": idle_w, "stopping": 101}
    for state in STATES:
        joules = watts[state] * nodes["node_s"][state] + (extra_j if state == "busy" else 0)
        expect(abs(nodes["energy_kwh"][state] * 3.6e6 - joules) <= 1e-9 * joules, (state, nodes, joules))
    expect(abs(sum(nodes["energy_kwh"].values()) - found["energy_kwh"]) < 1e-9 * found["energy_kwh"], found)


def test_one_waits_for_nodes_to_boot(place):
    """Of two nodes one job finds both off: it starts 152 s later, and each second of each node is accounted for"""
    trace = write_jobs(place, [(1, 0, 100, 1, 100), (2, 1000, 10, 2, 10)], "; UnixStartTime: 1767571200\n")
    grams = write(place, "start,stop,g_per_kwh,zone\n2026-01-05T00:00:00Z,2026-01-05T01:00:00Z,100,FR\n", "c.csv")
    options = [trace, "--procs", 2, "--policy", "shutdown", *TAURUS, "--watts-busy", "203W", "--carbon-file", grams,
               "--schedule", f"{place}/s.csv"]
    found = sums(*options)
    rows = read_schedule(place)
    expect([row["start_s"] for row in rows] == ["0", "1152"] and found["mean_wait_s"] == 76, rows)
    expect(found["nodes"]["node_s"] == {"off": 1463.8, "booting": 303, "idle": 425, "busy": 120, "stopping": 12.2}, found)
    expect(found["nodes"]["boots"] == found["nodes"]["stops"] == 2, found)
    expect(abs(found["nodes"]["break_even_s"] - 211.6985) < 1e-3 and found["nodes"]["idle_timeout_s"] == 212, found)
    close(found, rows, 95, 108 * 120)
    expect(found["peak_w"] == 406 and found["makespan_s"] == 1162, found)
    expect(abs(found["gco2"] - 100 * found["energy_kwh"]) < 1e-9, found)
    text = simulate(*options).stdout
    expect("off breaks even          after 212 s of idleness" in text and "2 stops, 2 boots" in text, text)
    never = sums(*options, "--idle-timeout", "never")
    expect(never["nodes"]["stops"] == 0 and never["nodes"]["idle_timeout_s"] is None, never)
    expect(never["energy_kwh"] > found["energy_kwh"] and never["mean_wait_s"] == 0, never)
    soon = sums(*options, "--idle-timeout", "1min")
    expect(soon["nodes"]["idle_timeout_s"] == 60 and soon["nodes"]["node_s"]["idle"] == 121, soon)


def test_random_traces_close(place):
    """Whatever is submitted: schedules that can be true, a closed book, the same bytes again, all policies alike"""
    for seed, per_node in ((1, 1), (2, 4), (3, 8)):
        trace = write_jobs(place, random_jobs(seed, 300, 32))
        options = [trace, "--procs", 64, "--procs-per-node", per_node, "--watts-busy", "300W", *TAURUS, "--schedule",
                   f"{place}/s.csv"]
        for policy in (["easy"], ["shutdown"], ["fcfs", "--idle-timeout", "breakeven"],
                       ["easy-power", "--idle-timeout", "30s", "--power-cap", "14kW"]):
            text = simulate("--json", *options, "--policy", *policy).stdout
            found, rows = json.loads(text), read_schedule(place)
            validate(rows, 64, per_node)
            extra = sum((int(row["end_s"]) - int(row["start_s"])) * int(row["procs"]) * 205 for row in rows)
            close(found, rows, 95 * per_node, extra)
            expect(simulate("--json", *options, "--policy", *policy).stdout == text, "not the same again")
            expect((found["nodes"]["stops"] > 0) == (policy != ["easy"]), (policy, found))
            expect("--power-cap" not in policy or found["peak_w"] <= 14000, found)


def test_off_pays_on_the_log_of_a_machine(place):
    """With nodes that go off NASA's log takes less energy and waits longer; all else is as before"""
    if not os.path.exists(NASA):
        raise Skip("no ../shared/data beside the source")
    options = [NASA, "--procs", 128, "--runtime-estimates", "actual", "--watts-busy", "203W", *TAURUS]
    found = sums(*options, "--compare", "easy,shutdown")
    easy, off = found["policies"]
    expect(f"{easy['mean_wait_s']:.3f}" == "4.028" and easy["nodes"]["stops"] == 0, easy)
    expect(off["energy_kwh"] < easy["energy_kwh"] and off["mean_wait_s"] > easy["mean_wait_s"], off)
    expect(off["jobs_kwh"] == easy["jobs_kwh"], (easy, off))
    plain = sums(NASA, "--procs", 128, "--runtime-estimates", "actual", "--watts-busy", "203W", "--watts-idle", "95W")
    expect(abs(plain["energy_kwh"] - easy["energy_kwh"]) < 1e-9 * plain["energy_kwh"] and "nodes" not in plain, plain)


def test_wrong_nodes_are_told(place):
    """Each with the option, what was given, and what is wanted"""
    trace = write_jobs(place, [(1, 0, 100, 1, 100)])
    base = [trace, "--procs", "12", "--watts-busy", "300W"]
    for options, words in [(["--policy", "shutdown"], "--watts-idle W is missing"),
                           (["--policy", "shutdown", "--watts-idle", "95W"], "--watts-off W is missing"),
                           (["--idle-timeout", "5s", *TAURUS[:4]], "--boot TIME,W is missing"),
                           ([*TAURUS[:6]], "--stop TIME,W is missing"),
                           ([*TAURUS, "--boot", "151.5s"], "--boot '151.5s'"),
                           ([*TAURUS, "--boot", "151.5,125W"], "--boot '151.5,125W': a time"),
                           ([*TAURUS, "--boot", "2d,125W"], "at most 1d"),
                           ([*TAURUS, "--stop", "6s,nan"], "behind the comma"),
                           ([*TAURUS, "--stop", "-6s,5W"], "--stop '-6s,5W'"),
                           ([*TAURUS, "--watts-off", "-1W"], "--watts-off '-1W'"),
                           ([*TAURUS, "--idle-timeout", "soon"], "--idle-timeout 'soon'"),
                           ([*TAURUS, "--procs-per-node", "5"], "not whole nodes"),
                           ([*TAURUS, "--procs-per-node", "24"], "from 1 to that of --procs"),
                           ([*TAURUS, "--procs-per-node", "0"], "--procs-per-node '0'")]:
        result = simulate(*base, *options, status=2)
        expect(words in result.stderr and len(result.stderr.splitlines()) == 1, f"{options}: {result.stderr}")
    result = simulate(*base, *TAURUS, "--policy", "easy-power", "--idle-timeout", "5s", "--power-cap", "1.4kW", status=1)
    expect("less than nodes draw that boot or stop" in result.stderr, result.stderr)
    result = simulate(*base, *TAURUS, "--watts-off", "95W", "--policy", "shutdown", "--json")
    nodes = json.loads(result.stdout)["nodes"]
    expect(nodes["break_even_s"] is None and nodes["idle_timeout_s"] is None and nodes["stops"] == 0, nodes)


CLASSES = """name,procs,procs_per_node,speed,watts_idle,watts_busy,watts_off,boot_s,boot_watts,stop_s,stop_watts
slow,32,4,1,10,25,,,,,
fast,16,1,2,30,90,3,60,50,5,40
"""


def test_classes_by_hand(place):
    """Each job runs where it is told to be best of what is free: first, energy, EDP, or what it makes the machine draw more"""
    trace = write_jobs(place, [(1, 0, 100, 4, 100), (2, 0, 51, 16, 60), (3, 10, 40, 20, 40), (4, 600, 100, 4, 100)])
    classes = write(place, CLASSES, "c.csv")
    options = [trace, "--classes", classes, "--schedule", f"{place}/s.csv"]

    def run(choose, *more):
        found = sums(*options, "--choose", choose, *more)
        return found, {int(row["job"]): (row["class"], int(row["start_s"]), int(row["end_s"]), float(row["energy_j"]))
                       for row in read_schedule(place)}

    found, rows = run("first")
    expect(rows == {1: ("slow", 0, 100, 10000), 2: ("slow", 0, 51, 20400), 3: ("slow", 51, 91, 20000),
                    4: ("slow", 600, 700, 10000)}, rows)
    expect([of["jobs"] for of in found["by_class"]] == [4, 0] and found["choose"] == "first", found)
    # Of 4 x 25 W for 100 s and 4 x 90 W for 50 s the first takes less, by EDP the second does.
    _, rows = run("energy")
    expect([rows[job][0] for job in (1, 2, 4)] == ["slow"] * 3, rows)
    found, rows = run("edp")
    expect(rows[1] == ("fast", 0, 50, 18000) and rows[2] == ("slow", 0, 51, 20400), rows)
    expect(rows[3] == ("slow", 51, 91, 20000), rows)  # 20 are larger than the fast class
    # Beyond idle 6,000 J on slow, 12,000 J on fast; after 210 s fast ones are off, and waking costs more.
    found, rows = run("marginal", "--policy", "shutdown")
    expect({job: row[0] for job, row in rows.items()} == {1: "slow", 2: "slow", 3: "slow", 4: "slow"}, rows)
    expect(found["by_class"][1]["nodes"]["stops"] == 16 and found["by_class"][0]["nodes"]["stops"] == 0, found)
    expect(abs(found["by_class"][1]["nodes"]["break_even_s"] - (3200 - 195) / 27) < 1e-9, found)
    expect(abs(sum(of["energy_kwh"] for of in found["by_class"]) - found["energy_kwh"]) < 1e-12, found)
    expect(found["procs"] == 48 and found["jobs_kwh"] == sum(of["jobs_kwh"] for of in found["by_class"]), found)
    text = simulate(*options, "--choose", "edp").stdout
    expect("class fast               2 jobs on 16 processors" in text, text)


def test_a_table_tells_jobs_on_classes(place):
    """Times and energies of each job on each class come from a table; where it has no line, and no power, a job does not go"""
    trace = write_jobs(place, [(1, 0, 100, 4, 200), (2, 0, 100, 4, 200), (3, 0, 100, 4, 200)])
    classes = write(place, "name,procs,watts_idle,watts_busy\ncpu,8,10,\ngpu,8,10,50\n", "c.csv")
    table = write(place, "class,job,time_s,energy_j\ncpu,1,100,9000\ngpu,1,10,5000\ncpu,2,50.5,5000\ngpu,2,60,6000\n", "e.csv")
    options = [trace, "--classes", classes, "--energy", table, "--schedule", f"{place}/s.csv"]
    sums(*options, "--choose", "energy")
    rows = {int(row["job"]): row for row in read_schedule(place)}
    expect([rows[job]["class"] for job in (1, 2, 3)] == ["gpu", "cpu", "gpu"], rows)
    expect([int(rows[job]["end_s"]) for job in (1, 2, 3)] == [10, 51, 100], rows)
    expect([float(rows[job]["energy_j"]) for job in (1, 2, 3)] == [5000, 5000, 20000], rows)
    bare = write(place, "name,procs,watts_idle\ncpu,8,10\ngpu,8,10\n", "b.csv")
    result = simulate(trace, "--classes", bare, "--energy", table, status=1)
    expect("job 3 asks for 4 processors; no class is for it" in result.stderr, result.stderr)
    for text, words in [("job,energy_j\n1,5\n", "no column class"), ("job,class,energy_j\n1,tpu,5\n", "no class 'tpu'"),
                        ("job,class,energy_j,time_s\n1,cpu,5,-1\n", "time_s '-1'"),
                        ("job,class,energy_j,time_s\n1,cpu,5,1e12\n", "too long"),
                        ("job,class,energy_j\n1,cpu,9000\n1,cpu,5\n", "line 3: job 1 stands in line 2"),
                        ("job,class,power_w\n1,cpu,39\n", "draws 39.000 W; its 4 processors draw 40.000 W when idle (cpu)")]:
        result = simulate(trace, "--classes", classes, "--energy", write(place, text, "w.csv"), status=1)
        expect(words in result.stderr and len(result.stderr.splitlines()) == 1, f"{text}: {result.stderr}")


def test_wrong_lines_of_energies_are_left_out(place):
    """Counted, the first five told with their lines; --strict refuses"""
    trace = write_jobs(place, [(1, 0, 100, 4, 100), (2, 0, 100, 4, 100)])
    bad = "x,5\n2\n2,nan\n2,-1\n2,inf\n\"2,5\n"
    table = write(place, f"job,energy_j\n1,9000\n{bad}", "e.csv")
    options = [trace, "--procs", 8, "--watts-idle", "10W", "--watts-busy", "20W", "--energy", table]
    result = simulate(*options, "--json")
    expect(abs(json.loads(result.stdout)["jobs_kwh"] * 3.6e6 - 17000) < 1e-6, result.stdout)
    told = result.stderr.splitlines()
    expect(len(told) == 6 and "line 3: job 'x' is no number; left out" in told[0], told)
    expect("6 lines are wrong in all" in told[5], told)
    result = simulate(*options, "--strict", status=1)
    expect("line 3: job 'x' is no number (6 lines are wrong)" in result.stderr, result.stderr)


def test_random_schedules_on_classes_can_be_true(place):
    """No class has more jobs than nodes, the cap is kept at each event, and the books of classes close"""
    classes = write(place, CLASSES, "c.csv")
    for seed, choose in ((1, "energy"), (2, "edp"), (3, "marginal"), (4, "first")):
        trace = write_jobs(place, random_jobs(seed, 300, 32))
        options = [trace, "--classes", classes, "--choose", choose, "--schedule", f"{place}/s.csv"]
        for policy in (["easy"], ["shutdown"], ["easy-power", "--power-cap", "1.7kW", "--idle-timeout", "20s"]):
            text = simulate("--json", *options, "--policy", *policy).stdout
            expect(simulate("--json", *options, "--policy", *policy).stdout == text, "not the same again")
            found, rows = json.loads(text), read_schedule(place)
            expect(len(rows) == 300, len(rows))
            expect("--power-cap" not in policy or found["peak_w"] <= 1700, found)
            events = []
            for of, procs, per_node, extra in ((found["by_class"][0], 32, 4, 15), (found["by_class"][1], 16, 1, 60)):
                mine = [row for row in rows if row["class"] == of["name"]]
                expect(len(mine) == of["jobs"], of)
                validate(mine, procs, per_node)
                nodes = of["nodes"]
                expect(abs(sum(nodes["node_s"].values()) - nodes["count"] * found["makespan_s"]) < 1e-3, nodes)
                expect(abs(sum(nodes["energy_kwh"].values()) - of["energy_kwh"]) < 1e-9 * of["energy_kwh"], of)
                for row in mine:
                    watts = int(row["procs"]) * extra
                    events += [(int(row["start_s"]), 1, watts), (int(row["end_s"]), 0, -watts)]
            drawn = 0
            for _, _, watts in sorted(events):
                drawn += watts
                expect("--power-cap" not in policy or drawn <= 1700 - 32 * 10, drawn)


def test_wrong_classes_are_told(place):
    """Each by its line and column, and nothing is guessed"""
    trace = write_jobs(place, [(1, 0, 100, 1, 100), (2, 0, 100, 9, 100)])
    for text, words in [("name,procs\na,0\n", "line 2: procs '0'"), ("name,procs\na,2.5\n", "procs '2.5'"),
                        ("name,procs\na,nan\n", "procs 'nan'"), ("name\na\n", "no column procs"),
                        ("name,proc\na,5\n", "column 'proc' is not known; is 'procs' meant?"),
                        ("name,procs,procs\na,5,5\n", "procs stands there twice"),
                        ("name,procs\na,8\na,8\n", "line 3: class 'a' stands there already"),
                        ("name,procs\n,8\n", "a name is wanted"), ("name,procs\na\n", "1 fields instead of 2"),
                        ("name,procs\na\x1b[31m,8\n", "line 2: a name is wanted, without control characters"),
                        ("name,procs\n", "no line with a class"), ("", "no text in it"),
                        ("name,procs,procs_per_node\na,8,3\n", "not whole nodes"),
                        ("name,procs,speed\na,8,0\n", "speed: more than 0"), ("name,procs,speed\na,8,-1\n", "speed '-1'"),
                        ("name,procs,watts_idle\na,8,5\n", "what jobs draw on 'a' is missing"),
                        ("name,procs,watts_busy\na,8,5\n", "watts_idle is missing"),
                        ("name,procs,watts_idle,watts_busy\na,8,5,4\n", "less than an idle one"),
                        ("name,procs,watts_idle,watts_busy\na,8,5,9\nb,8,,\n", "of all classes or of none"),
                        ("name,procs,watts_idle,watts_static\na,8,5,9\n", "takes watts_static and clock_ghz"),
                        ("name,procs,watts_idle,watts_busy,watts_static,clock_ghz\na,8,5,9,9,1\n", "which counts"),
                        ("name,procs,watts_idle,watts_busy,watts_off\na,8,5,9,1\n", "boot_s is missing"),
                        ("name,procs\na,8\n", "1 job is larger than the largest class's 8 processors; the first is job 2")]:
        result = simulate(trace, "--classes", write(place, text, "c.csv"), status=1)
        expect(words in result.stderr and len(result.stderr.splitlines()) == 1, f"{text}: {result.stderr}")
    plain = write(place, "name,procs\na,16\n", "p.csv")
    expect(sums(trace, "--classes", plain)["energy_kwh"] is None, "powers from nowhere")
    for options, words, status in [(["--classes", plain, "--procs", "5"], "give one of them", 2),
                                   (["--classes", plain, "--watts-idle", "5W"], "stands in the file of --classes", 2),
                                   (["--procs", "16", "--choose", "edp"], "--choose is for --classes", 2),
                                   (["--classes", plain, "--choose", "best"], "--choose 'best'", 2),
                                   (["--classes", plain, "--choose", "edp"], "watts_idle is missing", 1),
                                   (["--classes", plain, "--policy", "shutdown"], "no class that could be off", 1)]:
        result = simulate(trace, *options, status=status)
        expect(words in result.stderr and len(result.stderr.splitlines()) == 1, f"{options}: {result.stderr}")


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
