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
    expect(f"cost                     {found['cost']:.2f} USD" in simulate(*options).stdout, "not shown")
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
    for text, words in [("time,price\n", "no column 'price_eur_per_mwh' (--price-file)"),
                        (f"time,price_per_mwh\n{line},5\n", "did you mean 'price_per_mwh'"),
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


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
