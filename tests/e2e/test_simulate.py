#!/usr/bin/env python3
# test_simulate.py - replayed traces: known sums, schedules that can be true, and the same bytes again
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
"""Nothing here is timed: all of it is simulated time."""
import csv
import datetime
import gzip
import json
import os
import random
import re
import sys

import harness
from harness import Skip, call, expect

NASA = os.path.join(harness.SOURCE_ROOT, "../shared/data/workloads/NASA-iPSC-1993-3.1-cln.swf.gz")


def simulate(*args, status=0):
    result = call("simulate", *args)
    expect(result.returncode == status, f"status {status}: {result.returncode} {result.stderr}")
    return result


def sums(*args):
    return json.loads(simulate("--json", *args).stdout)


def swf(jobs, head="; Computer: made up\n"):
    """Jobs of (number, submit, run, procs, requested time)."""
    return head + "".join(f"{number} {submit} -1 {run} {procs} -1 -1 {procs} {requested} -1 1 -1 -1 -1 -1 -1 -1 -1\n"
                          for number, submit, run, procs, requested in jobs)


def write(place, jobs, name="a.swf"):
    path = f"{place}/{name}"
    with open(path, "w", encoding="ascii") as file:
        file.write(jobs if isinstance(jobs, str) else swf(jobs))
    return path


FIVE = [(11, 0, 100, 6, 100), (12, 10, 50, 8, 50), (13, 20, 80, 2, 80), (14, 30, 71, 2, 71), (15, 40, 500, 1, 500)]


def test_a_small_trace_by_hand(place):
    """Of five jobs on ten processors two overtake, each when it can, and the sums are those of the starts"""
    trace = write(place, FIVE)
    easy = sums(trace, "--procs", 10, "--schedule", f"{place}/s.csv")
    with open(f"{place}/s.csv", encoding="ascii", newline="") as file:
        rows = list(csv.DictReader(file))
    starts = {int(row["job"]): int(row["start_s"]) for row in rows}
    expect(starts == {11: 0, 12: 100, 13: 20, 14: 30, 15: 101}, starts)
    expect([row["job"] for row in rows] == ["11", "13", "14", "12", "15"], rows)
    expect(all(int(row["wait_s"]) == int(row["start_s"]) - int(row["submit_s"]) for row in rows), rows)
    expect(easy["jobs"] == 5 and easy["mean_wait_s"] == (90 + 61) / 5, easy)
    expect(easy["makespan_s"] == 601 and easy["overtaking"] == 2, easy)
    expect(abs(easy["utilisation"] - 1802 / 6010) < 1e-12, easy)
    expect(abs(easy["mean_bounded_slowdown"] - (1 + 140 / 50 + 1 + 1 + 561 / 500) / 5) < 1e-12, easy)
    expect(easy["energy_kwh"] is None and easy["gco2"] is None and easy["peak_w"] is None, easy)
    fcfs = sums(trace, "--procs", 10, "--policy", "fcfs")
    expect(fcfs["mean_wait_s"] == 80 and fcfs["overtaking"] == 0, fcfs)
    text = simulate(trace, "--procs", 10).stdout
    expect("mean wait                30.200 s" in text and "601 s" in text, text)


def test_estimates_are_what_was_requested_or_what_it_took(place):
    """A job that asked for more than it took cannot overtake, unless actual times are believed"""
    jobs = [(1, 0, 100, 6, 100), (2, 10, 50, 10, 50), (3, 20, 50, 4, 500)]
    trace = write(place, jobs)
    expect(sums(trace, "--procs", 10)["overtaking"] == 0, "overtook")
    expect(sums(trace, "--procs", 10, "--runtime-estimates", "actual")["overtaking"] == 1, "did not overtake")
    late = write(place, [(1, 0, 100, 6, 50), (2, 10, 50, 10, 50)], "late.swf")
    expect(sums(late, "--procs", 10)["outlasting"] == 1, "not counted")
    open_ = write(place, [(1, 0, 100, 6, -1), (2, 10, 50, 10, 50)], "open.swf")
    expect("1 job does not tell" in simulate(open_, "--procs", 10).stderr, "not said")
    expect(simulate(open_, "--procs", 10, "--runtime-estimates", "actual").stderr == "", "said")


def random_jobs(seed, n, procs):
    roll = random.Random(seed)
    now, jobs = 0, []
    for number in range(1, n + 1):
        now += roll.randrange(30)
        run = int(2 ** roll.uniform(0, 10))
        jobs.append((number, now, run, min(procs, int(2 ** roll.uniform(0, 6))), run * roll.randint(1, 4)))
    return jobs


def test_schedules_can_be_true_and_come_again(place):
    """Never more processors than there are, none before its submission, the same bytes again, packed or not"""
    for seed in range(3):
        jobs = random_jobs(seed, 600, 64)
        trace = write(place, jobs)
        with gzip.open(f"{place}/a.swf.gz", "wt", encoding="ascii") as file:
            file.write(swf(jobs))
        texts = []
        for path in (trace, f"{place}/a.swf.gz"):
            out = simulate(path, "--procs", 64, "--schedule", f"{place}/s.csv", "--json").stdout
            with open(f"{place}/s.csv", encoding="ascii") as file:
                texts.append((out, file.read()))
        expect(texts[0] == texts[1], "not the same")
        events, rows = [], list(csv.DictReader(texts[0][1].splitlines()))
        expect(len(rows) == 600, len(rows))
        for row in rows:
            start, end, procs = int(row["start_s"]), int(row["end_s"]), int(row["procs"])
            expect(start >= int(row["submit_s"]), row)
            events += [(start, 1, procs), (end, 0, -procs)]
        busy = 0
        for _, _, procs in sorted(events):
            busy += procs
            expect(0 <= busy <= 64, busy)


def test_the_log_of_a_machine(place):
    """NASA's iPSC/860 on 128 processors: mean waits of 8.005 s and 4.028 s, utilisation 0.4661"""
    del place
    if not os.path.exists(NASA):
        raise Skip("no ../shared/data beside the source")
    fcfs = sums(NASA, "--procs", 128, "--policy", "fcfs", "--runtime-estimates", "actual")
    easy = sums(NASA, "--procs", 128, "--policy", "easy", "--runtime-estimates", "actual")
    expect(easy["jobs"] == fcfs["jobs"] == 18239, easy)
    expect(f"{fcfs['mean_wait_s']:.3f} {easy['mean_wait_s']:.3f}" == "8.005 4.028", (fcfs, easy))
    expect(f"{easy['utilisation']:.4f}" == "0.4661", easy)


EPOCH = 1767571200  # 2026-01-05T00:00:00Z
POWER = ["--procs", 10, "--watts-idle", "10W"]


def test_energy_and_grams_by_hand(place):
    """Idle power, each job's own energy, the peak and grams by the minute are as one reckons them"""
    trace = write(place, swf(FIVE[:3], "; UnixStartTime: 1767571200\n"))
    table = write(place, "job,who,energy_j\n12,b,40000\n11,a,60000\n13,c,16000\n99,d,5\n", "e.csv")
    grams = write(place, "start,stop,g_per_kwh,zone\n2026-01-05T00:00:00Z,2026-01-05T00:01:00Z,100,FR\n"
                         "2026-01-05T00:01:00Z,2026-01-05T01:00:00Z,200,FR\n", "c.csv")
    result = simulate(trace, *POWER, "--energy", table, "--carbon-file", grams, "--json", "--schedule",
                      f"{place}/s.csv")
    expect("1 line is of a job that was not replayed" in result.stderr, result.stderr)
    found = json.loads(result.stdout)
    expect(abs(found["energy_kwh"] * 3.6e6 - (15000 + 54000 + 36000 + 14400)) < 1e-6, found)
    expect(abs(found["jobs_kwh"] * 3.6e6 - 116000) < 1e-6 and found["peak_w"] == 820, found)
    expect(abs(found["gco2"] * 3.6e6 - (45600 * 100 + 73800 * 200)) < 1e-3, found)
    with open(f"{place}/s.csv", encoding="ascii", newline="") as file:
        rows = {row["job"]: row["energy_j"] for row in csv.DictReader(file)}
    expect(rows == {"11": "60000.000", "12": "40000.000", "13": "16000.000"}, rows)
    watts = sums(trace, *POWER, "--watts-busy", "100W", "--carbon-file", grams, "--zone", "FR")
    for key in ("energy_kwh", "gco2", "peak_w"):
        expect(abs(watts[key] - found[key]) < 1e-9, (watts, found))
    powers = write(place, "power_w,job\n600,11\n800,12\n", "p.csv")
    expect(sums(trace, *POWER, "--watts-busy", "100W", "--energy", powers)["energy_kwh"] == watts["energy_kwh"],
           "not the same by powers")
    late = simulate(trace, *POWER, "--watts-busy", "100W", "--carbon-file", grams, "--start", "2026-01-05T00:59:00Z",
                    "--json")
    expect(json.loads(late.stdout)["gco2"] is None and "no figure for 2026-01-05T01:00:00" in late.stderr, late.stderr)
    shown = simulate(trace, *POWER, "--watts-busy", "100W").stdout
    expect(re.search(r"energy +0\.\d{6} kWh, ", shown) and re.search(r"peak +\d+ W\n", shown), shown)
    shown = simulate(trace, "--procs", "10", "--watts-idle", "234567W", "--watts-busy", "345678W").stdout
    expect(re.search(r"energy +\d{2,4}\.\d{3,5} kWh, ", shown), shown)
    expect("CO2e                     5.367 g in FR" in
           simulate(trace, *POWER, "--watts-busy", "100W", "--carbon-file", grams).stdout, "not shown")


def test_the_cap_is_kept_at_each_moment(place):
    """Under a power cap no moment draws more, whatever is submitted, and jobs wait longer for it"""
    jobs = random_jobs(7, 500, 64)
    trace = write(place, jobs)
    roll = random.Random(7)
    watts = {number: procs * roll.uniform(20, 200 if procs < 24 else 60) for number, _, _, procs, _ in jobs}
    table = write(place, "job,power_w\n" + "".join(f"{job},{value:.3f}\n" for job, value in watts.items()), "p.csv")
    options = [trace, "--procs", 64, "--watts-idle", "20W", "--energy", table, "--schedule", f"{place}/s.csv"]
    most = max(watts[number] - 20 * procs for number, _, _, procs, _ in jobs)
    free = sums(*options, "--policy", "easy")
    over = simulate(*options, "--policy", "easy-power", "--power-cap", f"{64 * 20 + 0.9 * most:.3f}W", status=1)
    expect("could never start" in over.stderr, over.stderr)
    cap = 64 * 20 + 1.02 * most
    capped = sums(*options, "--policy", "easy-power", "--power-cap", f"{cap:.3f}W")
    expect(capped["peak_w"] <= cap + 1e-3 and free["peak_w"] > cap, (capped, free))
    expect(capped["mean_wait_s"] > free["mean_wait_s"], (capped, free))
    with open(f"{place}/s.csv", encoding="ascii", newline="") as file:
        rows = list(csv.DictReader(file))
    events = []
    for row in rows:
        extra = watts[int(row["job"])] - 20 * int(row["procs"])
        events += [(int(row["start_s"]), 1, extra), (int(row["end_s"]), 0, -extra)]
    drawn = 64 * 20
    for _, _, extra in sorted(events):
        drawn += extra
        expect(drawn <= cap + 0.5, drawn)


def write_intensities(place, figures, minutes):
    """Figures from 2026-01-05 on, one after the other."""
    def time(i):
        return (datetime.datetime(2026, 1, 5) + datetime.timedelta(minutes=minutes * i)).isoformat() + "Z"
    rows = "".join(f"{time(i)},{time(i + 1)},{value},FR\n" for i, value in enumerate(figures))
    return write(place, "start,stop,g_per_kwh,zone\n" + rows, "c.csv")


def test_jobs_are_held_back_for_the_least_carbon(place):
    """On an empty machine each job starts at the best second of its window, the first of those that are as good"""
    roll = random.Random(3)
    figures = [roll.choice([40, 60, 60, 90, 150]) for _ in range(60)]
    grams = write_intensities(place, figures, 20)
    jobs = [(i + 1, roll.randrange(20000), roll.choice([30, 600, 1200, 1500, 5000]), 1, 5000) for i in range(25)]
    trace = write(place, swf(sorted(jobs, key=lambda job: job[1]), f"; UnixStartTime: {EPOCH}\n"))
    options = [trace, "--procs", 100, "--watts-idle", "0W", "--watts-busy", "100W", "--carbon-file", grams,
               "--runtime-estimates", "actual", "--schedule", f"{place}/s.csv"]
    sums_gs = [0]
    for second in range(72000):
        sums_gs.append(sums_gs[-1] + figures[second // 1200])
    found = sums(*options, "--policy", "carbon", "--window", "3h")
    with open(f"{place}/s.csv", encoding="ascii", newline="") as file:
        rows = list(csv.DictReader(file))
    starts, expected = {int(row["job"]): int(row["start_s"]) for row in rows}, 0
    for number, submit, run, _, _ in jobs:
        best = min(range(submit, submit + 10801), key=lambda start: (sums_gs[start + run] - sums_gs[start], start))
        expect(starts[number] == best, (number, submit, run, starts[number], best))
        expected += 100 / 3.6e6 * (sums_gs[best + run] - sums_gs[best])
    expect(abs(found["gco2"] - expected) < 1e-6, (found, expected))
    expect(found["mean_hold_s"] == found["mean_wait_s"] > 0, found)
    easy = sums(*options, "--policy", "easy")
    expect(easy["gco2"] > found["gco2"] and easy["mean_hold_s"] == 0, (easy, found))
    none = sums(*options, "--policy", "carbon", "--window", "0s")
    expect({**none, "policy": "easy"} == easy, (none, easy))
    window = ["--policy", "carbon", "--window", "3h"]
    wrong = [simulate("--json", *options, *window, "--forecast-error", "30%", *more).stdout
             for more in ([], ["--seed", 1], ["--seed", 2])]
    expect(wrong[0] == wrong[1] != wrong[2], wrong)
    expect(all(found["gco2"] < json.loads(text)["gco2"] for text in wrong), wrong)


def test_two_policies_are_compared(place):
    """The differences are those of the two replays, with an interval where there are weeks enough, the same again"""
    jobs = []
    for week in range(7):
        jobs += [(len(jobs) + i, week * 604800 + submit, run, procs, requested)
                 for i, (_, submit, run, procs, requested) in enumerate(random_jobs(week, 150, 64), 1)]
    trace = write(place, jobs)
    options = [trace, "--procs", 64, "--watts-idle", "5W", "--watts-busy", "20W"]
    text = simulate(*options, "--compare", "fcfs,easy", "--json").stdout
    found = json.loads(text)
    single = [sums(*options, "--policy", policy) for policy in ("fcfs", "easy")]
    expect([{**policy, "schema": "energyscopium.simulate/1"} for policy in found["policies"]] == single, text)
    expect(found["weeks"] == 7, text)
    differences, = found["comparisons"]
    expect((differences["policy"], differences["against"]) == ("easy", "fcfs"), text)
    for key in ("mean_wait_s", "mean_bounded_slowdown"):
        change, found_one = single[1][key] - single[0][key], differences[key]
        expect(abs(found_one["change"] - change) < 1e-9 * abs(change), text)
        expect(found_one["ci"][0] <= found_one["change"] <= found_one["ci"][1] < 0, text)
        expect(found_one["verdict"] == "less", text)
    expect(simulate(*options, "--compare", "fcfs,easy", "--json").stdout == text, "not the same again")
    shown = simulate(*options, "--compare", "easy,easy-power", "--power-cap", "1.3kW").stdout
    expect("easy-power less easy, over 7 weeks" in shown and "(cap 1300 W)" in shown, shown)
    short = write(place, jobs[:150], "short.swf")
    few, = sums(short, "--procs", 64, "--compare", "easy,fcfs")["comparisons"]
    expect(few["mean_wait_s"]["ci"] is None and few["mean_wait_s"]["verdict"] is None, "an interval")
    result = simulate(short, "--procs", 7, "--compare", "easy,fcfs", status=1)
    expect("larger than the machine" in result.stderr and len(result.stderr.splitlines()) == 1, result.stderr)


def test_bad_powers_are_told(place):
    """A table is refused by line, and what is missing is named"""
    trace = write(place, swf(FIVE[:2]))
    for text, words in [("job,energy\n11,5\n", "is 'energy' meant"), ("energy_j\n5\n", "no column job"),
                        ("job,energy_j,power_w\n11,5,5\n", "which of them counts"),
                        ("job,energy_j\n11,-5\n", "line 2: energy_j '-5'"), ("job,energy_j\n11,nan\n", "'nan'"),
                        ("job,energy_j\nx,5\n", "line 2: job 'x'"), ("job,energy_j\n11\n", "1 fields instead of 2"),
                        ("job,energy_j\n11,5000\n11,5\n", "line 3: job 11 stands in line 2"),
                        ("job,energy_j\n", "no line with a job"), ("job,energy_j\n11,60000\n", "job 12 has no energy"),
                        ("job,power_w\n11,59\n12,800\n", "job 11 draws 59.000 W; its 6 processors draw 60.000 W")]:
        result = simulate(trace, *POWER, "--energy", write(place, text, "e.csv"), status=1)
        expect(words in result.stderr and len(result.stderr.splitlines()) == 1, f"{text}: {result.stderr}")
    grams = write(place, "start,stop,g_per_kwh\n2026-01-05T00:00:00Z,2026-01-05T00:01:00Z,100\n", "c.csv")
    result = simulate(trace, *POWER, "--watts-busy", "20W", "--carbon-file", grams, status=1)
    expect("does not tell when it begins" in result.stderr, result.stderr)


def test_bad_traces_are_told(place):
    """What is wrong is named with its line or job, and nothing is written"""
    wrong = write(place, swf(FIVE) + "16 50 x\n" + swf([(17, 60, -1, 4, 5)], ""), "wrong.swf")
    result = simulate(wrong, "--procs", 10, "--json")
    found = json.loads(result.stdout)
    expect(found["jobs"] == 5 and found["left_out"] == 1 and found["wrong_lines"] == 1, found)
    expect("line 7" in result.stderr, result.stderr)
    expect("1 left out" in simulate(wrong, "--procs", 10).stdout, "not said")
    expect("line 7" in simulate(wrong, "--procs", 10, "--strict", status=1).stderr, "not refused")
    result = simulate(write(place, FIVE), "--procs", 7, "--schedule", f"{place}/s.csv", status=1)
    expect("1 job is larger than the machine's 7 processors; the first is job 12 with 8" in result.stderr,
           result.stderr)
    expect(not os.path.exists(f"{place}/s.csv"), "written")
    expect("line 1" in simulate(write(place, "nothing\n", "n.swf"), "--procs", 7, status=1).stderr, "not told")
    expect("no job has both" in simulate(write(place, [(1, 0, -1, 1, 1)], "u.swf"), "--procs", 7, status=1).stderr,
           "not told")
    expect("nowhere.swf" in simulate(f"{place}/nowhere.swf", "--procs", 7, status=1).stderr, "not told")


def test_wrong_usage_is_told_in_one_line(place):
    """Each with the option, what was given, and what is wanted"""
    trace = write(place, FIVE)
    for options, words in [([trace], "--procs N is missing"), ([trace, "--procs", "0"], "--procs '0'"),
                           ([trace, "--procs", "x"], "--procs 'x'"), (["--procs", "1"], "a trace is missing"),
                           ([trace, "--procs", "10", "--policy", "best"], "--policy 'best'"),
                           ([trace, "--procs", "10", "--runtime-estimates", "none"], "--runtime-estimates 'none'"),
                           ([trace, "--procs", "10", "--watts-idle", "5W"], "what jobs draw is missing"),
                           ([trace, "--procs", "10", "--watts-busy", "5W"], "--watts-idle W is missing"),
                           ([trace, "--procs", "10", "--watts-idle", "5"], "what jobs draw is missing"),
                           ([trace, *POWER, "--watts-busy", "20"], "--watts-busy '20'"),
                           ([trace, *POWER, "--watts-busy", "9W"], "less than --watts-idle"),
                           ([trace, "--procs", "10", "--power-cap", "5kW"], "--power-cap needs powers"),
                           ([trace, "--procs", "10", "--carbon-file", "x"], "--carbon-file needs powers"),
                           ([trace, "--procs", "10", "--zone", "FR"], "--zone is for"),
                           ([trace, "--procs", "10", "--price-file", "x"], "--price-file needs powers"),
                           ([trace, "--procs", "10", "--policy", "easy-power"], "go together"),
                           ([trace, "--procs", "10", "--policy", "price"], "--window TIME go together"),
                           ([trace, "--procs", "10", "--policy", "price", "--window", "1h"], "needs --price-file"),
                           ([trace, *POWER, "--watts-busy", "20W", "--power-cap", "5kW"], "go together"),
                           ([trace, "--procs", "10", "--policy", "carbon"], "--window TIME go together"),
                           ([trace, "--procs", "10", "--window", "1h"], "--window TIME go together"),
                           ([trace, "--procs", "10", "--policy", "carbon", "--window", "1h"], "needs --carbon-file"),
                           ([trace, "--procs", "10", "--seed", "1"], "--seed is for --forecast-error"),
                           ([trace, "--procs", "10", "--forecast-error", "1%"], "is for --policy carbon"),
                           ([trace, *POWER, "--watts-busy", "20W", "--carbon-file", "x", "--policy", "carbon",
                             "--window", "1"], "--window '1'"),
                           ([trace, *POWER, "--watts-busy", "20W", "--carbon-file", "x", "--policy", "carbon",
                             "--window", "1h", "--forecast-error", "2"], "--forecast-error '2'"),
                           ([trace, "--procs", "10", "--compare", "easy"], "two policies or more are wanted"),
                           ([trace, "--procs", "10", "--compare", "easy,easy"], "the same policy twice"),
                           ([trace, "--procs", "10", "--compare", "easy,best"], "--policy 'best'"),
                           ([trace, "--procs", "10", "--compare", "easy,fcfs", "--policy", "easy"],
                            "not for --compare"),
                           ([trace, *POWER, "--watts-busy", "20W", "--compare", "easy,fcfs", "--power-cap", "1kW"],
                            "--power-cap is for easy-power"),
                           ([trace, "--procs", "10", "extra"], "'extra'")]:
        result = simulate(*options, status=2)
        expect(words in result.stderr and len(result.stderr.splitlines()) == 1, f"{options}: {result.stderr}")


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
