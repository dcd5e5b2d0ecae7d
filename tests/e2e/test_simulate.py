#!/usr/bin/env python3
# test_simulate.py - replayed traces: known sums, schedules that can be true, and the same bytes again
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
"""Nothing here is timed: all of it is simulated time."""
import csv
import gzip
import json
import os
import random
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
    """A job that asked for more than it took cannot overtake, unless actual times are believed; unknown requests are said"""
    jobs = [(1, 0, 100, 6, 100), (2, 10, 50, 10, 50), (3, 20, 50, 4, 500)]
    trace = write(place, jobs)
    expect(sums(trace, "--procs", 10)["overtaking"] == 0, "overtook")
    expect(sums(trace, "--procs", 10, "--runtime-estimates", "actual")["overtaking"] == 1, "did not overtake")
    late = write(place, [(1, 0, 100, 6, 50), (2, 10, 50, 10, 50)], "late.swf")
    expect(sums(late, "--procs", 10)["outlasting"] == 1, "not counted")
    open_ = write(place, [(1, 0, 100, 6, -1), (2, 10, 50, 10, 50)], "open.swf")
    expect("1 jobs do not tell" in simulate(open_, "--procs", 10).stderr, "not said")
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
    expect("1 jobs are larger than the machine's 7 processors; the first is job 12 with 8" in result.stderr,
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
                           ([trace, "--procs", "10", "extra"], "'extra'")]:
        result = simulate(*options, status=2)
        expect(words in result.stderr and len(result.stderr.splitlines()) == 1, f"{options}: {result.stderr}")


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
