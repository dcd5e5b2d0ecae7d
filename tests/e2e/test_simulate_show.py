#!/usr/bin/env python3
# test_simulate_show.py - replayed traces: what they cost, what is drawn of them, and the same bytes again
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
"""Nothing here is timed: all of it is simulated time."""
import csv
import datetime
import json
import os
import random
import re
import sys

import harness
from harness import Skip, call, expect

NASA = os.path.join(harness.SOURCE_ROOT, "../shared/data/workloads/NASA-iPSC-1993-3.1-cln.swf.gz")
EPOCH = 1767571200  # 2026-01-05T00:00:00Z
HEAD = f"; UnixStartTime: {EPOCH}\n"
POWER = ["--watts-idle", "10W", "--watts-busy", "100W"]


def simulate(*args, status=0):
    result = call("simulate", *args)
    expect(result.returncode == status, f"status {status}: {result.returncode} {result.stderr}")
    return result


def sums(*args):
    return json.loads(simulate("--json", *args).stdout)


def swf(jobs, head=HEAD):
    """Jobs of (number, submit, run, procs, requested time)."""
    return head + "".join(f"{number} {submit} -1 {run} {procs} -1 -1 {procs} {requested} -1 1 {number % 5} -1 -1 "
                          f"{number % 3} -1 -1 -1\n" for number, submit, run, procs, requested in jobs)


def write(place, text, name="a.swf"):
    path = f"{place}/{name}"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def random_jobs(seed, n, procs, pause=30):
    roll = random.Random(seed)
    now, jobs = 0, []
    for number in range(1, n + 1):
        now += roll.randrange(pause)
        run = int(2 ** roll.uniform(0, 10))
        jobs.append((number, now, run, min(procs, int(2 ** roll.uniform(0, 6))), run * roll.randint(1, 4)))
    return jobs


def clock(second):
    return (datetime.datetime(2026, 1, 5) + datetime.timedelta(seconds=second)).isoformat() + "Z"


def write_prices(place, figures, minutes, header="time,price_eur_per_mwh"):
    rows = "".join(f"{clock(60 * minutes * i)},{value}\n" for i, value in enumerate(figures))
    return write(place, f"{header}\n{rows}", "p.csv")


def test_cost_by_hand(place):
    """Idle and busy power by the price of each time, for MWh and kWh and by other names, below 0 too; unknown is null"""
    trace = write(place, swf([(1, 0, 100, 6, 100), (2, 100, 60, 10, 60)]))
    # 0 to 60 s at 200, then at -100 EUR/MWh; 6 of 10 processors busy for 100 s, then all.
    joules = (60 * (6 * 100 + 4 * 10), 40 * (6 * 100 + 4 * 10) + 60 * 1000)
    expected = (joules[0] * 0.2 - joules[1] * 0.1) / 3.6e6
    for header, figures in [("time,price_eur_per_mwh", [200, -100, -100]), ("datetime,EUR/kWh", [.2, -.1, -.1]),
                            ("Start,Price (EUR/MWhe)", [200, -100, -100])]:
        found = sums(trace, "--procs", 10, *POWER, "--price-file", write_prices(place, figures, 1, header))
        expect(abs(found["cost"] - expected) < 1e-12 and found["currency"] == "EUR" and found["gco2"] is None,
               (header, found, expected))
    utc = write(place, "Country;Datetime (UTC);Price (USD/MWh)\n" +
                "".join(f"FR;2026-01-05 00:0{i}:00;100\n" for i in range(5)), "u.csv")
    options = [trace, "--procs", 10, *POWER, "--price-file", utc]
    found = sums(*options)
    expect(abs(found["cost"] - found["energy_kwh"] * .1) < 1e-12 and found["currency"] == "USD", found)
    expect(f"cost                     {found['cost']:.4f} USD" in simulate(*options).stdout, "not shown")
    late = simulate(*options, "--start", "2026-01-05T00:04:00Z", "--json")
    expect(json.loads(late.stdout)["cost"] is None and "cost is not known" in late.stderr, late)
    expect("n/a" in simulate(*options, "--start", "2026-01-05T00:04:00Z").stdout, "not said")


def test_jobs_are_held_back_for_the_least_cost(place):
    """On an empty machine each job starts at the best second of its window, also where prices are below 0"""
    roll = random.Random(5)
    figures = [roll.choice([-30, -5, 0, 40, 90]) for _ in range(60)]
    prices = write_prices(place, figures, 20)
    jobs = sorted([(i + 1, roll.randrange(20000), roll.choice([30, 600, 1200, 1500, 5000]), 1, 5000)
                   for i in range(25)], key=lambda job: job[1])
    trace = write(place, swf(jobs))
    options = [trace, "--procs", 100, "--watts-idle", "0W", "--watts-busy", "100W", "--price-file", prices,
               "--runtime-estimates", "actual", "--schedule", f"{place}/s.csv"]
    total = [0]
    for second in range(72000):
        total.append(total[-1] + figures[second // 1200])
    found = sums(*options, "--policy", "price", "--window", "3h")
    with open(f"{place}/s.csv", encoding="ascii", newline="") as file:
        starts = {int(row["job"]): int(row["start_s"]) for row in csv.DictReader(file)}
    expected = 0
    for number, submit, run, _, _ in jobs:
        best = min(range(submit, submit + 10801), key=lambda start: (total[start + run] - total[start], start))
        expect(starts[number] == best, (number, submit, run, starts[number], best))
        expected += .1 / 3.6e6 * (total[best + run] - total[best])
    expect(abs(found["cost"] - expected) < 1e-9, (found, expected))
    easy = sums(*options)
    expect(easy["cost"] > found["cost"] and easy["mean_hold_s"] == 0 < found["mean_hold_s"], (easy, found))
    wrong = [simulate("--json", *options, "--policy", "price", "--window", "3h", "--forecast-error", "50%", *more).stdout
             for more in ([], ["--seed", 1], ["--seed", 2])]
    expect(wrong[0] == wrong[1] != wrong[2], wrong)
    expect(all(found["cost"] < json.loads(text)["cost"] for text in wrong), wrong)


def test_grams_and_cost_at_once(place):
    """Whatever the policy holds back by, both are told, and each policy is the best at its own"""
    jobs = random_jobs(11, 200, 64, 300)
    trace = write(place, swf(jobs))
    roll = random.Random(8)
    prices = write_prices(place, [roll.choice([20, 50, 200]) for _ in range(48)], 60)
    carbon = write(place, "start,g_per_kwh\n" + "".join(f"{clock(3600 * i)},{roll.choice([30, 60, 400])}\n"
                                                        for i in range(48)), "c.csv")
    options = [trace, "--procs", 640, *POWER, "--price-file", prices, "--carbon-file", carbon]
    options[4] = "0W"
    green = sums(*options, "--policy", "carbon", "--window", "6h")
    cheap = sums(*options, "--policy", "price", "--window", "6h")
    easy = sums(*options)
    expect(green["gco2"] < min(easy["gco2"], cheap["gco2"]), (easy, green, cheap))
    expect(cheap["cost"] < min(easy["cost"], green["cost"]), (easy, green, cheap))


def test_bad_prices_are_told(place):
    """A table is refused by line, and what is missing is named with what comes nearest"""
    trace = write(place, swf([(1, 0, 100, 6, 100)]))
    line = "2026-01-05T00:00:00Z"
    for text, words in [("time,price\n", "column 'price' does not name its currency"),
                        (f"time,price_per_mwh\n{line},5\n", "column 'price_per_mwh' does not name its currency"),
                        (f"time,eur_per_mw\n{line},5\n", "no column 'price_eur_per_mwh' (--price-file)"),
                        (f"tme,eur/mwh\n{line},5\n", "did you mean 'tme'"),
                        (f"time,eur/mwh,eur/kwh\n{line},5,6\n", "'eur/mwh' and 'eur/kwh' are both prices"),
                        (f"time,eur/mwh\n{line},nan\n", "line 2: eur/mwh 'nan': no price"),
                        (f"time,eur/mwh\n{line},5x\n", "line 2: eur/mwh '5x': no price"),
                        (f"time,eur/mwh\n{line},1e12\n", "line 2: eur/mwh '1e12': no price"),
                        ("time,eur/mwh\n2026-01-05T00:00:00,5\n", "a time without zone"),
                        ("time,eur/mwh\nnoon,5\n", "line 2: time 'noon': no time"),
                        (f"time,eur/mwh\n{line},5\n{line},6\n", "lines 2 and 3 have two prices for one time"),
                        (f"time,eur/mwh\n{line},5\n", "until when"),
                        (f"time,stop,eur/mwh\n{line},{line},5\n", "not after its start"),
                        ("time,eur/mwh\n", "no line with a price"), ("", "is empty")]:
        result = simulate(trace, "--procs", 10, *POWER, "--price-file", write(place, text, "p.csv"), status=1)
        expect(words in result.stderr and len(result.stderr.splitlines()) == 1, f"{text}: {result.stderr}")
    short = write(place, f"time,eur/mwh\n{line},5\n2026-01-05T01:00:00Z\n2026-01-05T02:00:00Z,5\n", "p.csv")
    options = [trace, "--procs", 10, *POWER, "--price-file", short]
    expect("':3: 1 fields where the header has 2" in simulate(*options).stderr, "not told")
    expect("--strict" in simulate(*options, "--strict", status=1).stderr, "not refused")
    expect("nowhere.csv" in simulate(*options[:-1], f"{place}/nowhere.csv", status=1).stderr, "not told")


def read(path, mode="rb"):
    with open(path, mode) as file:
        return file.read()


def rows_of(path):
    with open(path, encoding="ascii", newline="") as file:
        return list(csv.DictReader(file))


def test_power_over_time(place):
    """The rows add up to the energy, the processors in use and the waits that are told, and end with nothing"""
    trace = write(place, swf(random_jobs(4, 500, 64, 12)))
    found = sums(trace, "--procs", 64, *POWER, "--power-csv", f"{place}/p.csv", "--schedule", f"{place}/s.csv")
    rows = rows_of(f"{place}/p.csv")
    joules = busy = waited = most = 0
    for row, after in zip(rows, rows[1:]):
        seconds = int(after["time_s"]) - int(row["time_s"])
        expect(seconds > 0 and row["held_jobs"] == "0", row)
        expect(float(row["power_w"]) == 640 + 90 * int(row["busy_procs"]), row)
        joules += seconds * float(row["power_w"])
        busy += seconds * int(row["busy_procs"])
        waited += seconds * int(row["waiting_jobs"])
        most = max(most, float(row["power_w"]))
    expect(abs(joules / 3.6e6 - found["energy_kwh"]) < 1e-9 and most == found["peak_w"], found)
    expect(abs(busy / (64 * found["makespan_s"]) - found["utilisation"]) < 1e-12, found)
    expect(abs(waited / 500 - found["mean_wait_s"]) < 1e-9 and found["mean_wait_s"] > 0, found)
    expect([*rows[-1].values()][1:] == ["0", "0", "0", "0.000"], rows[-1])
    simulate(trace, "--procs", 64, "--power-csv", f"{place}/n.csv")
    expect(all(row["power_w"] == "" for row in rows_of(f"{place}/n.csv")), "a power")
    waits = sorted(int(row["wait_s"]) for row in rows_of(f"{place}/s.csv"))
    expect((found["median_wait_s"], found["p95_wait_s"], found["max_wait_s"]) == (waits[249], waits[474], waits[-1]),
           found)
    expect(f"half of the jobs {waits[249]} s at most, 95 % {waits[474]} s, all {waits[-1]} s" in
           simulate(trace, "--procs", 64).stdout, "not shown")


def test_pictures_of_a_schedule(place):
    """Each job is in the picture with its words; many are cells; what is known besides has its part; a time can be chosen"""
    jobs = random_jobs(6, 300, 64)
    trace = write(place, swf(jobs))
    picture = f"{place}/a.svg"
    simulate(trace, "--procs", 64, "--svg", picture)
    text = read(picture, "r")
    expect(all(f"job {job[0]}: {job[3]} processor{'s' * (job[3] > 1)}, waited" in text for job in jobs), "a job is missing")
    expect("processors in use" in text and "a.swf under easy, 64 processors" in text, text[:2000])
    expect("300 jobs" in text and "UTC, from 2026-01-05 00:00 on" in text and "shown" not in text, text[:2000])
    prices = write_prices(place, [50, -20, 80], 60)
    simulate(trace, "--procs", 64, *POWER, "--policy", "easy-power", "--power-cap", "6.4kW", "--price-file", prices,
             "--svg", picture)
    text = read(picture, "r")
    expect(">power, " in text and "cap 6400 W" in text and "price, EUR/kWh" in text, text[:3000])
    simulate(trace, "--procs", 64, "--svg", picture, "--from", "+20min", "--to", "2026-01-05T00:40:00Z")
    part = read(picture, "r")
    seen = part.count(">job ")
    expect(0 < seen < 300 and "2026-01-05 00:20 to 2026-01-05 00:40" in part, seen)
    many = write(place, swf(random_jobs(7, 5000, 64)), "many.swf")
    simulate(many, "--procs", 64, "--svg", picture)
    text = read(picture, "r")
    expect(">job " not in text and "idle; pale: in part" in text and len(text) < 3e6, len(text))
    for what, words in [("wait", "waited 1 min at most"), ("user", "user 4"), ("queue", "queue 2"),
                        ("size", "jobs of 1")]:
        simulate(many, "--procs", 64, "--svg", picture, "--colour-by", what)
        expect(words in read(picture, "r"), what)
    bare = write(place, swf(jobs, "; none\n"), "bare.swf")
    simulate(bare, "--procs", 64, "--svg", picture, "--from", "+5min")
    expect("since the trace begins" in read(picture, "r") and "second 300 to" in read(picture, "r"), "no seconds")
    days = write(place, swf([(1, 0, 4 * 86400, 6, 4 * 86400)], "; UnixStartTime: 1767571200\n"), "days.swf")
    simulate(days, "--procs", 64, "--svg", picture, "--to", "+3d")
    x, name = re.findall(r'<text x="([0-9.]+)"[^>]* text-anchor="middle" font-weight="bold">([^<]*)<', read(picture, "r"))[-1]
    expect(name.endswith("08 Jan") and float(x) + len(name) * 12 * .3 <= 1140, f"{name} at {x} leaves the picture")


def test_pictures_of_nodes_and_classes(place):
    """Classes have their names and their own processors, nodes that go off are said to; the rows add up to the energy"""
    trace = write(place, swf(random_jobs(6, 300, 32)))
    classes = write(place, "name,procs,speed,watts_idle,watts_busy\nfast,32,2,30,90\nslow,32,1,10,25\n", "k.csv")
    files = ["--svg", f"{place}/a.svg", "--power-csv", f"{place}/w.csv"]
    nodes = ["--procs", 64, "--procs-per-node", 4, *POWER, "--watts-off", "9W", "--boot", "151.5s,125W", "--stop",
             "6.1s,101W"]
    for options, words, never in [(["--classes", classes, "--choose", "energy"], [">fast<", ">slow<", ">idle<"], "or off"),
                                  ([*nodes, "--policy", "shutdown"], [">idle or off<"], ">idle<")]:
        found = sums(trace, *options, *files)
        text, rows = read(files[1], "r"), rows_of(files[3])
        expect(all(word in text for word in words) and never not in text, words)
        joules = sum(float(row["power_w"]) * (float(after["time_s"]) - float(row["time_s"]))
                     for row, after in zip(rows, rows[1:]))
        expect(abs(joules / 3.6e6 - found["energy_kwh"]) < 1e-6, (joules / 3.6e6, found))
        expect(abs(max(float(row["power_w"]) for row in rows) - found["peak_w"]) < 1e-3, found)
    quiet = write(place, swf(random_jobs(6, 60, 32, 4000)), "quiet.swf")
    differ, = sums(quiet, *nodes, "--compare", "easy,shutdown")["comparisons"]
    expect(differ["kwh_per_week"]["change"] < 0 < differ["mean_wait_s"]["change"], differ)


def test_pictures_in_a_terminal(place):
    """Letters, lines and colours are those the terminal has; the table follows"""
    trace = write(place, swf(random_jobs(6, 300, 64)))
    result = call("simulate", trace, "--procs", "64", *POWER, "--term", env={"COLUMNS": "100", "LINES": "40"})
    lines = result.stdout.splitlines()
    expect(result.returncode == 0 and lines[0].startswith("a.swf under easy"), result.stdout)
    expect("power, W: with jobs, all others" in result.stdout and "jobs waiting, the most" in result.stdout, lines)
    expect(any(line.startswith("mean wait") for line in lines) and max(map(len, lines[:30])) <= 100, lines)
    expect("\x1b" not in result.stdout, "colours where there is no terminal")
    plain = simulate(trace, "--procs", "64").stdout
    expect(plain.startswith("policy "), "drawn where there is no terminal")


def test_what_goes_to_stdout_stands_there_alone(place):
    """A picture or a table there is whole, without the summary; two are refused; so is a picture of nothing"""
    trace = write(place, swf(random_jobs(6, 30, 64)))
    for option, start in [("--svg", "<?xml"), ("--power-csv", "time_s"), ("--schedule", "job,")]:
        text = simulate(trace, "--procs", 64, option, "-").stdout
        expect(text.startswith(start) and "mean wait  " not in text, text[:200])
        for more in (["--json"], ["--term"], ["--pdf", "-"]):
            words = simulate(trace, "--procs", 64, option, "-", *more, status=2).stderr
            expect("one thing at most" in words, words)
    for options, words, status in [(["--from", "7d"], "--from '7d'", 2), (["--to", "+x"], "--to '+x'", 2),
                                   (["--colour-by", "age"], "--colour-by 'age'", 2),
                                   (["--from", "+9d"], "nothing to draw", 1),
                                   (["--from", "+9s", "--to", "+9s"], "nothing to draw", 1)]:
        result = simulate(trace, "--procs", 64, "--svg", f"{place}/n.svg", *options, status=status)
        expect(words in result.stderr and len(result.stderr.splitlines()) == 1, result.stderr)
        expect(not os.path.exists(f"{place}/n.svg"), "written")
    expect("are for --svg" in simulate(trace, "--procs", 64, "--json", "--from", "+1s", status=2).stderr, "not told")
    bare = write(place, swf(random_jobs(6, 30, 64), "; none\n"), "bare.swf")
    result = simulate(bare, "--procs", 64, "--svg", f"{place}/n.svg", "--from", "2026-01-05T00:00:00Z", status=1)
    expect("does not tell when it begins" in result.stderr, result.stderr)


def test_the_same_bytes_again(place):
    """Each file and each picture, by each policy, whatever the locale, the time zone and the environment"""
    trace = write(place, swf(random_jobs(9, 900, 64, 120)))
    prices = write_prices(place, [50, -20, 80, 10] * 12, 60)
    carbon = write(place, "start,g_per_kwh\n" + "".join(f"{clock(3600 * i)},{30 + i % 7 * 11}\n" for i in range(48)),
                   "c.csv")
    base = [trace, "--procs", 64, *POWER, "--price-file", prices, "--carbon-file", carbon]
    for policy in (["--policy", "fcfs"], ["--policy", "easy"], ["--policy", "easy-power", "--power-cap", "6.4kW"],
                   ["--policy", "carbon", "--window", "2h", "--forecast-error", "20%"],
                   ["--policy", "price", "--window", "2h", "--forecast-error", "20%", "--seed", "5"]):
        seen = []
        for env in ({"TZ": "Asia/Kolkata"}, {"TZ": "America/Los_Angeles", "LC_ALL": "C.UTF-8", "MALLOC_PERTURB_": "170"}):
            files = [f"{place}/{name}" for name in ("s.csv", "w.csv", "a.svg", "a.png", "a.pdf")]
            options = [word for pair in zip(("--schedule", "--power-csv", "--svg", "--png", "--pdf"), files)
                       for word in pair]
            result = call("simulate", *map(str, base), *policy, "--json", *options, env=env)
            if "libcairo" in result.stderr:
                raise Skip("no libcairo2 here")
            expect(result.returncode == 0, result.stderr)
            seen.append([result.stdout, *map(read, files)])
            for file in files:
                os.remove(file)
        expect(seen[0] == seen[1], f"{policy}: not the same")


def test_the_log_of_a_machine_drawn(place):
    """NASA's iPSC/860: three months as cells, a week as jobs, both small enough to be looked at"""
    if not os.path.exists(NASA):
        raise Skip("no ../shared/data beside the source")
    simulate(NASA, "--procs", 128, *POWER, "--svg", f"{place}/all.svg")
    expect(1e5 < os.path.getsize(f"{place}/all.svg") < 2e6, os.path.getsize(f"{place}/all.svg"))
    simulate(NASA, "--procs", 128, *POWER, "--svg", f"{place}/week.svg", "--from", "+14d", "--to", "+21d")
    expect(read(f"{place}/week.svg").count(b">job ") > 1000, "no jobs")


def weekly(rows, weeks):
    """Energy in kWh and the highest power of each week, by the rows of --power-csv."""
    kwh, peak = [0.0] * weeks, [0.0] * weeks
    for row, after in zip(rows, rows[1:]):
        at, until = int(row["time_s"]), int(after["time_s"])
        while at < until:
            week = at // 604800
            to = min(until, (week + 1) * 604800)
            kwh[week] += float(row["power_w"]) * (to - at) / 3.6e6
            peak[week] = max(peak[week], float(row["power_w"]))
            at = to
    return kwh, peak


def test_policies_are_compared_week_by_week(place):
    """Energy, grams, cost and peaks of weeks are those of the replays; what is less or more says so; few weeks are said"""
    jobs = []
    for week in range(7):
        jobs += [(len(jobs) + i, week * 604800 + submit, run, procs, requested)
                 for i, (_, submit, run, procs, requested) in enumerate(random_jobs(week, 150, 64), 1)]
    trace = write(place, swf(jobs))
    prices = write_prices(place, [50, -20, 80, 10] * (42 * 7), 60)
    carbon = write(place, "start,g_per_kwh\n" + "".join(f"{clock(3600 * i)},{240 - i % 24 * 9}\n"
                                                        for i in range(24 * 49)), "c.csv")
    # Nothing when idle: else that of the hours by which a policy ends later would be in the last week.
    options = [trace, "--procs", 80, "--watts-idle", "0W", "--watts-busy", "100W", "--price-file", prices,
               "--carbon-file", carbon]
    own = {"easy": [], "easy-power": ["--power-cap", "7kW"], "carbon": ["--window", "6h"], "price": ["--window", "6h"]}
    every = [*options, "--power-cap", "7kW", "--window", "6h", "--compare", ",".join(own)]
    found = sums(*every)
    expect([policy["policy"] for policy in found["policies"]] == list(own) and found["weeks"] == 7, found)
    singles = {}
    for name, more in own.items():
        singles[name] = sums(*options, "--policy", name, *more, "--power-csv", f"{place}/{name}.csv")
    weeks = {name: weekly(rows_of(f"{place}/{name}.csv"), 7) for name in own}
    end = max(single["makespan_s"] for single in singles.values()) + jobs[0][1]
    share = end / 604800
    expect(6 < share < 7 and len(found["comparisons"]) == 3, found)
    for one in found["comparisons"]:
        name = one["policy"]
        for key, total in [("kwh_per_week", "energy_kwh"), ("gco2_per_week", "gco2"), ("cost_per_week", "cost")]:
            change = (singles[name][total] - singles["easy"][total]) / share
            expect(abs(one[key]["value"] * share - singles[name][total]) < 1e-2 * abs(singles[name][total]), (one, key))
            expect(abs(one[key]["change"] - change) < 1e-2 * abs(singles["easy"][total]) and
                   one[key]["ci"][0] <= one[key]["change"] <= one[key]["ci"][1], (one, key, change))
        peaks = [sum(weeks[policy][1]) / 7 for policy in ("easy", name)]
        expect(abs(one["mean_weekly_peak_w"]["reference"] - peaks[0]) < 1e-6 and
               abs(one["mean_weekly_peak_w"]["value"] - peaks[1]) < 1e-6, (one, peaks))
    capped, green, cheap = found["comparisons"]
    expect(capped["mean_weekly_peak_w"]["verdict"] == "less" == green["gco2_per_week"]["verdict"], found)
    expect(cheap["cost_per_week"]["verdict"] == "less" and cheap["mean_wait_s"]["verdict"] == "more", found)
    expect(-1 <= green["gco2_per_week"]["relative_ci"][0] <= green["gco2_per_week"]["relative"] < 0, green)
    text = simulate(*every, "--svg", f"{place}/c.svg").stdout
    expect("carbon less easy, over 7 weeks" in text and "cost, EUR per week" in text and ": less" in text, text)
    picture = read(f"{place}/c.svg")
    expect(b"jobs that wait longer than" in picture and b"change against easy" in picture, "no picture")
    expect(simulate(*every, "--svg", f"{place}/c.svg").stdout == text and read(f"{place}/c.svg") == picture, "not again")
    short = write(place, swf(jobs[:150]), "short.swf")
    few = simulate(short, "--procs", 64, *POWER, "--compare", "fcfs,easy", "--svg", f"{place}/c.svg").stdout
    expect("no interval: that takes 5 weeks" in few and b"too few weeks" in read(f"{place}/c.svg"), few)
    same = sums(trace, "--procs", 6400, *POWER, "--compare", "fcfs,easy")["comparisons"][0]
    expect(same["mean_wait_s"]["verdict"] == same["kwh_per_week"]["verdict"] == "the same", same)
    expect(same["gco2_per_week"] is None and same["cost_per_week"] is None, same)


def test_waits_by_user_and_queue(place):
    """Of each the jobs, the processors x time and the waits, as the schedule has them; few of many in the table"""
    jobs = random_jobs(12, 400, 64, 12)
    trace = write(place, swf(jobs))
    plain = sums(trace, "--procs", 64, "--schedule", f"{place}/s.csv")
    rows = rows_of(f"{place}/s.csv")
    for key, number in [("user", 5), ("queue", 3)]:
        found = sums(trace, "--procs", 64, "--by", key)
        by = found.pop("by")
        expect(found == plain and by["key"] == key and len(by["groups"]) == number, by)
        hours = [group["proc_hours"] for group in by["groups"]]
        expect(hours == sorted(hours, reverse=True), hours)
        for group in by["groups"]:
            own = [row for row in rows if int(row["job"]) % number == group["number"]]
            waits = sorted(int(row["wait_s"]) for row in own)
            times = [int(row["procs"]) * (int(row["end_s"]) - int(row["start_s"])) for row in own]
            expect(group["jobs"] == len(own) and abs(group["proc_hours"] - sum(times) / 3600) < 1e-6, group)
            expect(abs(group["mean_wait_s"] - sum(waits) / len(own)) < 1e-6 and group["max_wait_s"] == waits[-1], group)
            expect(group["median_wait_s"] == waits[-(-len(own) // 2) - 1], group)
    text = simulate(trace, "--procs", 64, "--by", "queue").stdout
    expect("proc hours" in text and len(text.splitlines()) == len(simulate(trace, "--procs", 64).stdout.splitlines()) + 5,
           text)
    bare = write(place, "".join(f"{i} {i} -1 9 2 -1 -1 2 9 -1 1 {i if i > 9 else -1} -1 -1 -1 -1 -1 -1\n"
                                for i in range(1, 40)), "bare.swf")
    text = simulate(bare, "--procs", 64, "--by", "user").stdout
    expect("not known          9" in text and "and 11 more" in text, text)
    expect(sums(bare, "--procs", 64, "--by", "queue")["by"]["groups"][0]["number"] is None, "a number")
    expect("--by 'age'" in simulate(trace, "--procs", 64, "--by", "age", status=2).stderr, "not told")


def test_what_cannot_be_compared_is_told(place):
    """Wrong lists of policies, and options of one replay"""
    trace = write(place, swf(random_jobs(1, 10, 64)))
    for options, words in [(["--compare", "easy,"], "two policies or more"), (["--compare", ",easy"], "two policies"),
                           (["--compare", "fcfs,easy,fcfs"], "the same policy twice"),
                           (["--compare", "a,b,c,d,e,f,g"], "six policies at most"),
                           (["--compare", "fcfs,easy", "--from", "+1d"], "not for --compare"),
                           (["--compare", "fcfs,easy", "--power-csv", "x"], "not for --compare"),
                           (["--compare", "fcfs,easy", "--svg", "-", "--json"], "one thing at most")]:
        result = simulate(trace, "--procs", 64, *options, status=2)
        expect(words in result.stderr and len(result.stderr.splitlines()) == 1, f"{options}: {result.stderr}")


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
