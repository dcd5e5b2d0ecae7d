#!/usr/bin/env python3
# test_explore.py - energyscopium explore: grids of builds and settings, interrupted and gone on with
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import csv
import glob
import io
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time

import harness
import twins
from harness import PROGRAM, Skip, call, equal, expect, near, start

KERNEL = """
#include <stdio.h>
#include <stdlib.h>
int main(int argc, char **argv)
{
	unsigned long n = strtoul(argv[1], NULL, 10) * 10000;
	unsigned x = 1;

	for (unsigned long i = 0; i < n; i++)
		x = x * 1664525u + 1013904223u + (unsigned)OFFSET;
	printf("%u of %d\\n", x, argc);
	return 0;
}
"""
BUILT = """
name: built
repeat: 2
axes:
  flags: ["-O0 -DOFFSET=0", "-O2 -DOFFSET=0"]
  threads: [1, 2]
build: echo "${flags}" >> builds.txt; cc ${flags} -o ${build_dir}/kernel kernel.c
environment: {THREADS: "${threads}"}
run: echo ${configuration}.${round}.$THREADS >> runs.txt; ${build_dir}/kernel 500
outputs: ["${out}"]
"""
QUICK = """
name: quick
repeat: 3
warmup: 0
axes: {pause: [0.01, 0.02, 0.03]}
run: echo ${configuration}-${round} >> runs.txt; sleep ${pause}
"""


# There is time to end it in the middle, also on a busy machine.
SLOW = QUICK.replace("0.01, 0.02, 0.03", "0.1, 0.2, 0.3")


def write(place, name, text):
    path = os.path.join(place, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def lines(place, name):
    path = os.path.join(place, name)
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


def explore(place, spec, *args, status=0, name="spec.yaml"):
    write(place, name, spec)
    done = call("explore", *args, name, cwd=place)
    equal(done.returncode, status, done.stderr)
    return done


def told(place, spec, *args, **kwargs):
    report = json.loads(explore(place, spec, "--json", *args, **kwargs).stdout)
    equal(report["schema"], "energyscopium.explore/1")
    return report, {one["name"]: one for one in report["configurations"]}


def refused(place, spec, *words, status=1, args=()):
    done = explore(place, spec, *args, status=status)
    equal(done.stdout, "")
    for word in words:
        expect(word in done.stderr, f"'{word}' is not in: {done.stderr}")
    return done


def test_builds_and_runs(place):
    """Each distinct build is made once, each configuration runs once a round after its warm-up, and results are the same"""
    if not shutil.which("cc"):
        raise Skip("no C compiler here")
    write(place, "kernel.c", KERNEL)
    report, by_name = told(place, BUILT)
    equal(sorted(lines(place, "builds.txt")), ["-O0 -DOFFSET=0", "-O2 -DOFFSET=0"])
    runs = lines(place, "runs.txt")
    equal(sorted(runs), sorted(f"c{c:02}.{r}.{1 + (c - 1) % 2}" for c in range(1, 5) for r in range(3)))
    measured = [run for run in runs if run.split(".")[1] != "0"]
    equal([run.split(".")[1] for run in measured], ["1"] * 4 + ["2"] * 4, "rounds")
    equal([run[:3] for run in measured[4:]], [run[:3] for run in measured[3::-1]], "a round, and it backwards")
    equal(list(by_name), [f"flags={f} -DOFFSET=0, threads={t}" for f in ("-O0", "-O2") for t in (1, 2)])
    for one in by_name.values():
        equal((one["result"], one["runs"], one["failed"]), ("ok", 2, 0))
        expect(one["time_s"]["mean"] > 0, one)
        expect(one["run"].endswith("/kernel 500") and os.path.exists(one["run"].split()[-2]), one["run"])
        equal(one["environment"], {"THREADS": one["values"]["threads"]})
        equal(len(one["recordings"]), 2)
        for path in one["recordings"]:
            equal(call("report", path).returncode, 0)
    equal(report["reference"], "c01")
    equal(report["runs_left"], 0)
    again, _ = told(place, BUILT)
    equal(again, report, "nothing changes by asking again")
    equal(len(lines(place, "runs.txt")), len(runs), "nothing was run again")


def test_estimates_choose_nothing(place):
    """Without a meter the energies are estimates: configurations are compared, and drawn, by time alone"""
    report, by_name = told(place, QUICK)
    if any(one["energy_j"] for one in by_name.values()):
        raise Skip("this machine has a meter")
    expect("CPU time" in report["no_energy"], report["no_energy"])
    equal((report["front"], report["knee"], report["best"]["energy"]), ([], None, None))
    equal(report["best"]["time"], min(by_name.values(), key=lambda one: one["time_s"]["mean"])["id"])
    done = explore(place, QUICK)
    expect("energy: no meter here can see this difference" in done.stdout, done.stdout)
    expect("energy (J)" not in done.stdout, done.stdout)
    explore(place, QUICK, "--report", "--svg", "x.svg")
    with open(os.path.join(place, "x.svg"), encoding="utf-8") as file:
        picture = file.read()
    expect("pause=0.03" in picture and "95 % interval" in picture and "energy" not in picture, picture[:300])
    rows = list(csv.DictReader(io.StringIO(explore(place, QUICK, "--report", "--csv", "-").stdout)))
    equal(len(rows), 9)
    equal(sorted({(row["configuration"], row["pause"]) for row in rows}),
          [("c01", "0.01"), ("c02", "0.02"), ("c03", "0.03")])
    for row in rows:
        near(float(row["duration_s"]), float(row["pause"]), 5, "time")
        equal((row["result"], row["exit_status"]), ("ok", "0"))


def killed_in_the_middle(place, number):
    """The runs that were complete when it ended."""
    write(place, "spec.yaml", SLOW)
    child = start("explore", "spec.yaml", cwd=place)
    until = time.monotonic() + 30
    journal = os.path.join(place, "explore-quick", "explore.jsonl")
    while not os.path.exists(journal) or len(lines(place, journal)) < 4:
        expect(time.monotonic() < until, "nothing was measured")
        time.sleep(0.002)
    child.send_signal(number)
    out, err = child.communicate(timeout=30)
    with open(journal, encoding="utf-8") as file:
        complete = [line for line in file.read().split("\n")[:-1] if '"event":"run"' in line]
    return child.returncode, out, err, [json.loads(line) for line in complete]


def test_killed(place):
    """Killed in the middle it goes on where it was: what was complete is not run again"""
    status, _, _, complete = killed_in_the_middle(place, signal.SIGKILL)
    equal(status, -signal.SIGKILL)
    with open(os.path.join(place, "explore-quick", "explore.jsonl"), "a", encoding="utf-8") as file:
        file.write('{"event":"run","configuration":1,"rou')  # as a cut in the middle of a line leaves it
    report, by_name = told(place, SLOW)
    equal([one["runs"] for one in by_name.values()], [3, 3, 3])
    equal(report["runs_left"], 0)
    runs = lines(place, "runs.txt")
    for run in complete:
        equal(runs.count(f"c{run['configuration']:02}-{run['round']}"), 1, "a complete run was run again")
    equal(len(set(runs)), 9)
    expect(len(runs) <= 10, f"more than the run under way was run again: {runs}")


def test_killed_run_ends(place):
    """What a killed explore was measuring ends too: it would disturb the next measurement"""
    write(place, "spec.yaml", QUICK.replace("[0.01, 0.02, 0.03]", "[60, 61]").replace("sleep", "echo $$ > pid; exec sleep"))
    child = start("explore", "spec.yaml", cwd=place)
    until = time.monotonic() + 20
    while not lines(place, "pid"):
        expect(time.monotonic() < until, "nothing was begun")
        time.sleep(0.01)
    child.kill()
    child.communicate()
    pid = int(lines(place, "pid")[0])
    while os.path.exists(f"/proc/{pid}"):
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            if file.read().rsplit(")", 1)[1].split()[0] == "Z":
                break
        expect(time.monotonic() < until, "the measured command goes on")
        time.sleep(0.01)


def test_nothing_is_left(place):
    """What a run leaves behind in a session of its own ends with it, too"""
    if not os.path.exists("/proc/thread-self/children"):
        raise Skip("this kernel does not tell a process's children")
    explore(place, "axes: {n: [1]}\nrepeat: 1\nwarmup: 0\nbaseline: 0\n"
            "run: setsid sh -c 'echo $$ > pid; exec sleep ${n}00' & while [ ! -s pid ]; do sleep 0.01; done\n")
    expect(not os.path.exists(f"/proc/{int(lines(place, 'pid')[0])}"), "it goes on")


def test_children_of_others(place):
    """What somebody else started before explore took his place goes on"""
    write(place, "spec.yaml", "axes: {n: [1]}\nrepeat: 1\nwarmup: 0\nbaseline: 0\nrun: echo ${n}\n")
    done = subprocess.run(["sh", "-c", 'sleep 60 >/dev/null 2>&1 & echo $! > pid; exec "$0" explore spec.yaml', PROGRAM],
                          cwd=place, capture_output=True, text=True, check=False, timeout=60)
    equal(done.returncode, 0, done.stderr)
    os.kill(int(lines(place, "pid")[0]), signal.SIGTERM)


def test_waits_for_the_killed(place):
    """Gone on with, it waits for what a killed explore had begun: two runs never overlap"""
    spec = QUICK.replace("sleep ${pause}", "trap '' TERM; echo begin >> turns.txt; sleep 0.5; echo end >> turns.txt"
                         "; sleep ${pause}").replace("repeat: 3", "repeat: 1").replace("0.01, 0.02, 0.03", "0, 0.01")
    write(place, "spec.yaml", spec)
    child = start("explore", "spec.yaml", cwd=place)
    until = time.monotonic() + 20
    while not lines(place, "turns.txt"):
        expect(time.monotonic() < until, "nothing was begun")
        time.sleep(0.01)
    child.kill()
    done = explore(place, spec)
    child.communicate()
    expect("begun by an explore that was killed" in done.stderr, done.stderr)
    equal(lines(place, "turns.txt"), ["begin", "end"] * 3)


def test_interrupted(place):
    """Interrupted it ends its run, shows what is known and how to go on"""
    status, out, err, complete = killed_in_the_middle(place, signal.SIGINT)
    equal(status, 128 + signal.SIGINT, err)
    expect("interrupted: what is known is above; to go on: energyscopium explore spec.yaml" in err, err)
    n_runs = f"{len(complete)} run{'' if len(complete) == 1 else 's'}"
    expect(f"{n_runs}, 0 failed, {9 - len(complete)} left" in out, out)
    told_now, _ = told(place, SLOW)
    equal(told_now["runs_left"], 0)
    expect(len(lines(place, "runs.txt")) <= 10, "more than the run under way was run again")


def test_changed(place):
    """A changed specification is refused, a larger repeat goes on, a smaller one is refused, --force begins anew"""
    explore(place, QUICK)
    other = QUICK.replace("0.03]", "0.04]")
    refused(place, other, "holds runs of another specification", "--force")
    refused(place, QUICK.replace("sleep ${", "sleep  ${"), "holds runs of another specification")
    refused(place, QUICK.replace("repeat: 3", "repeat: 2"), "round 3", "it may only grow")
    refused(place, QUICK, "of other meters", args=("--domain", "x"))
    report, _ = told(place, QUICK.replace("repeat: 3", "repeat: 4") + "slowdown: 5%\n# a remark\n")
    equal((report["rounds"], report["runs_left"], report["slowdown"]), (4, 0, 0.05))
    equal(len(lines(place, "runs.txt")), 12)
    _, by_name = told(place, other, "--force")
    equal(list(by_name), ["pause=0.01", "pause=0.02", "pause=0.04"])
    equal(len(lines(place, "runs.txt")), 21)
    journal = os.path.join(place, "explore-quick", "explore.jsonl")
    with open(journal, encoding="utf-8") as file:
        head, rest = file.read().split("\n", 1)
    with open(journal, "w", encoding="utf-8") as file:
        file.write(json.dumps(json.loads(head) | {"node": "elsewhere"}) + "\n" + rest)
    refused(place, other, "node 'elsewhere'", "two machines are not mixed")


def test_rivals(place):
    """What may be as fast as the fastest is named beside it"""
    spec = ("name: rivals\nrepeat: 4\nwarmup: 0\naxes: {s: [0.3, 0.05, 0.05000, 0.3000]}\nrun: sleep ${s}\n")
    shown = explore(place, spec).stdout
    expect("hardly told apart from it: c0" in shown and "(their intervals overlap)" in shown, shown)
    expect("from it: c01" not in shown and "c04 (" not in shown, shown)


def test_lost_recording(place):
    """A run whose recording is gone is measured again"""
    explore(place, QUICK)
    os.unlink(os.path.join(place, "explore-quick", "recordings", "c02-2.esr"))
    _, by_name = told(place, QUICK)
    equal([one["runs"] for one in by_name.values()], [3, 3, 3])
    equal(lines(place, "runs.txt").count("c02-2"), 2)
    equal(len(lines(place, "runs.txt")), 10)


def test_spoilt_recording(place):
    """A run whose recording cannot be read is left out, and measured by the next call, as it says"""
    explore(place, QUICK)
    write(place, os.path.join("explore-quick", "recordings", "c02-2.esr"), "no recording")
    done = explore(place, QUICK)
    expect("c02-2.esr' is no recording of energyscopium, left out: explore again measures it" in done.stderr, done.stderr)
    report, by_name = told(place, QUICK)
    equal([one["runs"] for one in by_name.values()], [3, 3, 3])
    equal(report["runs_left"], 0)
    equal(lines(place, "runs.txt").count("c02-2"), 2)


def test_forged_journal(place):
    """What a journal says reaches no terminal as it is, and no number in it is believed beyond reason"""
    explore(place, QUICK)
    journal = os.path.join(place, "explore-quick", "explore.jsonl")
    told_by_it = [json.loads(line) for line in lines(place, journal)]
    for line in told_by_it:
        if line.get("event") == "run":
            line |= {"wall_s": 1e300} | ({"result": "failed", "reason": "\x1b[31m\n\x07"} if line["configuration"] == 2 else {})
    write(place, journal, "".join(json.dumps(line) + "\n" for line in told_by_it[:-1]))
    done = explore(place, QUICK, "--report")
    expect("c02: failed (round 1: ?[31m??): excluded" in done.stdout, done.stdout)
    plan = explore(place, QUICK, "--dry-run").stdout.splitlines()[-1]
    expect(plan.startswith("left: 1 of 9 runs, about ") and "µs" not in plan, plan)


RESULTS = """
name: results
repeat: 2
warmup: 0
axes: {how: [good, other, bad, stale, wrong, long, poor]}
run: >-
  case ${how} in
  bad) exit 3;;
  stale) exit 0;;
  other) echo 2 > result;;
  long) sleep 60;;
  *) echo 1 > result;;
  esac; sleep 0.01
outputs: [result]
check: test ${how} != wrong
quality: {command: 'test ${how} = poor && echo 0.1 || echo accuracy 0.95', limit: ">= 0.943"}
timeout: 3s
"""


def test_results(place):
    """What fails, differs or misses its quality is named, run no more, and never chosen"""
    report, by_name = told(place, RESULTS)
    by_name = {name.split("=")[1]: one for name, one in by_name.items()}
    for name, result, reason, runs in (("good", "ok", None, 2), ("other", "result differs", "not those of the reference", 1),
                                       ("bad", "failed", "status 3", 0), ("stale", "no output", "was not written by this run", 0),
                                       ("wrong", "result differs", "the check ended with status 1", 0),
                                       ("long", "timed out", "ended after 3 s", 0), ("poor", "quality missed", "round 1: quality 0.1", 1)):
        one = by_name[name]
        equal((one["result"], one["runs"]), (result, runs), name)
        expect(reason in one["reason"] if reason else one["reason"] is None, one)
    equal(report["best"]["time"], by_name["good"]["id"], "the only one that may be chosen")
    near(by_name["good"]["quality"], 0.95, 1e-12, "quality")
    shown = explore(place, RESULTS, "--report")
    expect("result differs" in shown.stdout and "excluded" in shown.stdout, shown.stdout)
    # A limit is only what is said of the runs; a retry runs what failed, and nothing else.
    explore(place, RESULTS.replace("0.943", "0.05"), "--retry")
    _, by_name = told(place, RESULTS.replace("0.943", "0.05"), "--report")
    equal((by_name["how=poor"]["result"], by_name["how=poor"]["runs"]), ("ok", 2), "a limit that it keeps")
    equal(by_name["how=bad"]["result"], "failed")


def test_last_words(place):
    """What a command, its check or its warm-up said last is shown, not the report of the measurement around it"""
    spec = """
name: words
repeat: 1
warmup: 0
axes: {how: [good, bad, mute, wrong]}
run: case ${how} in good) ;; bad) printf 'a\\nthe reason\\n' >&2; exit 3;; mute) echo on stdout; exit 4;; wrong) echo told >&2;; esac
check: test ${how} != wrong || { echo residual 0.3; exit 1; }
"""
    done = explore(place, spec)
    expect("(status 3): it is left out" in done.stderr and "\na\nthe reason\n(" in done.stderr, done.stderr)
    expect("\non stdout\n(" in done.stderr and "\ntold\nresidual 0.3\n(" in done.stderr, done.stderr)
    for words in ("coverage", "own cost", "jobid<"):
        expect(words not in done.stderr, done.stderr)
    done = explore(place, spec.replace("name: words", "name: cold").replace("warmup: 0", "warmup: 1"))
    expect("(warm-up: status 3)" in done.stderr and "the reason\n(" in done.stderr and "c02-warmup/log" in done.stderr, done.stderr)


def test_full_disk(place):
    """Where no recording can be written nothing is said to have failed: the next call goes on"""
    if os.geteuid() != 0:
        raise Skip("mounting needs root")
    disk = os.path.join(place, "disk")
    os.mkdir(disk)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", disk], capture_output=True, check=False).returncode:
        raise Skip("nothing can be mounted here")
    try:
        write(disk, "ballast", "x" * (2 * 1048576 - 8192))
        done = explore(place, QUICK, "--out", os.path.join(disk, "out"), status=1)
        expect("could not be measured" in done.stderr and "it is left out" not in done.stderr, done.stderr)
        os.unlink(os.path.join(disk, "ballast"))
        _, by_name = told(place, QUICK, "--out", os.path.join(disk, "out"))
        equal([one["runs"] for one in by_name.values()], [3, 3, 3])
    finally:
        subprocess.run(["umount", disk], check=False)


def test_all_fail(place):
    """Where every configuration fails nothing is chosen, and no meter is blamed"""
    spec = "name: none\nrepeat: 1\nwarmup: 0\naxes: {how: [1, 2]}\nrun: exit ${how}\n"
    done = explore(place, spec)
    expect("nothing to choose from" in done.stdout and "energy:" not in done.stdout, done.stdout)


def test_failed_build(place):
    """A build that fails leaves out its configurations alone, with the end of what it said"""
    spec = ("name: half\nrepeat: 1\nwarmup: 0\naxes: {how: [right, left]}\n"
            "build: echo doing ${how} in ${build_dir}; test ${how} = right\nrun: test ${how} = right\n")
    done = explore(place, spec)
    expect("doing left in" in done.stderr and "its configurations are not run" in done.stderr, done.stderr)
    _, by_name = told(place, spec, "--report")
    equal([one["result"] for one in by_name.values()], ["ok", "build failed"])
    equal([one["runs"] for one in by_name.values()], [1, 0])


def test_plan(place):
    """--dry-run shows builds, configurations and order, and does nothing"""
    spec = ("name: plan\naxes: {flags: [a, b], n: [1, 2]}\nexclude: [{flags: b, n: 2}]\nreference: {flags: b}\n"
            "build: make ${flags} D=${build_dir}\nrun: ./x ${n} $HOME $${HOME:-x}\n")
    done = explore(place, spec, "--dry-run")
    for words in ("3 configurations, 3 rounds", "make a D=", "c03: flags=b, n=1 (reference)", "./x 2 $HOME ${HOME:-x}",
                  "round 3: ", "left: 9 of 9 runs"):
        expect(words in done.stdout, f"'{words}' is not in: {done.stdout}")
    equal(os.listdir(place), ["spec.yaml"])
    refused(place, spec, "nothing was measured yet", args=("--report",))


def test_mistakes(place):
    """All mistakes of a specification are told at once, with their lines and the nearest names"""
    spec = "nam: x\nrepeat: 0\naxes:\n  threads: [1, 2, 1]\nrun: ./x ${thread} ${\nreference: {thread: 1}\ntimeout: 5\n"
    done = refused(place, spec, "spec.yaml:1: key 'nam' is not known; did you mean 'name'?",
                   "spec.yaml:2: 'repeat' is '0', must be a number from 1 to 1000", "spec.yaml:4: axis 'threads' has the value '1' twice",
                   "spec.yaml:5: variable '${thread}' is not known; did you mean '${threads}'?", "spec.yaml:5: '${' without a name",
                   "spec.yaml:6: reference: there is no axis 'thread'; did you mean 'threads'?", "spec.yaml:7: 'timeout' is '5'")
    equal(len(done.stderr.splitlines()), 7, done.stderr)
    for text, words in (("", "nothing in it"), ("run: x\n", "'axes' is missing"), ("axes: {a: [1]}\n", "'run' is missing"),
                        ("axes: {a: [1]}\nrun: x\n", "axis 'a' changes nothing"),
                        ("axes: {a: [1, 2]}\nrun: x ${a}\nbuild: cc ${a}\n", "'build' does not use ${build_dir}"),
                        ("axes: {a: [1, 2]}\nrun: ${build_dir}/x ${a}\n", "there is no 'build'"),
                        ("axes: {a: {x: {v: 1}, y: {w: 1}}}\nrun: x ${v}\n", "all values of an axis set the same"),
                        ("axes: {a: [1], b: {x: {a: 1}}}\nrun: x ${a}\n", "is set by the axes 'a' and 'b'"),
                        ("axes: {a: [1]}\nrun: x ${a}\nexclude: [{a: 1}]\n", "all 1 configurations are excluded"),
                        ("axes: &x {a: [1]}\nrun: x ${a}\n", "anchors (&)"), ("a: [\n", "spec.yaml:2: "),
                        ("axes: {a: [1]}\nrun: x ${a}\naxes: {b: [1]}\n", "key 'axes' was given on line 1 already"),
                        (f"axes: {{a: {list(range(40))}, b: {list(range(40))}}}\nrun: x ${{a}} ${{b}}\n",
                         "the grid has 1600 configurations in 3 rounds: at most 1000")):
        refused(place, text, words)
    with open(os.path.join(place, "spec.yaml"), "wb") as file:
        file.write(b"axes: {a: [\xff]}\n")
    expect("not UTF-8" in call("explore", "spec.yaml", cwd=place).stderr, "bytes that are no text")
    for args, words, status in (([], "a specification is missing", 2), (["none.yaml"], "cannot read 'none.yaml'", 1),
                                ([place], "is no file", 1), (["a", "b"], "one specification", 2),
                                (["--slowdown", "x", "spec.yaml"], "--slowdown 'x'", 2),
                                (["--slowdown", "5", "spec.yaml"], "--slowdown '5'", 2)):
        write(place, "spec.yaml", QUICK)
        done = call("explore", *args, cwd=place)
        equal((done.returncode, done.stdout), (status, ""), done.stderr)
        expect(words in done.stderr, done.stderr)
    refused(place, QUICK, "a shell would take apart", args=("--out", "a b"))
    equal(glob.glob(os.path.join(place, "*")), [os.path.join(place, "spec.yaml")])


def test_two_at_once(place):
    """Two of them in one folder would measure each other: the second is refused"""
    write(place, "spec.yaml", QUICK.replace("0.03]", "30]"))
    child = start("explore", "spec.yaml", cwd=place)
    until = time.monotonic() + 20
    while not os.path.exists(os.path.join(place, "explore-quick", "runs")):
        expect(time.monotonic() < until, "nothing was begun")
        time.sleep(0.01)
    done = call("explore", "spec.yaml", cwd=place)
    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=30)
    equal(done.returncode, 1, done.stdout)
    expect("another explore is at work" in done.stderr, done.stderr)


def test_twin(place):
    """On a node with meters the front is the true one, and the energies are what the node drew"""
    with twins.up(place, "skx2s", "--seed", "3") as twin:
        spec = f"""
name: twin
repeat: 2
warmup: 0
axes:
  load:
    busy: {{phase: "a 200ms cpu=100%"}}
    idle: {{phase: "a 500ms idle=100%"}}
    both: {{phase: "a 700ms cpu=100%"}}
run: {PROGRAM} twin app --mount {twin.mount} --no-tags --iterations 1 --truth ${{run_dir}}/truth --phase '${{phase}}'
slowdown: 20%
"""
        report, by_name = told(place, spec, "--root", twin.mount, "--svg", "front.svg")
        equal(report["no_energy"], None)
        equal([report["front"], report["best"]["time"], report["best"]["energy"], report["best"]["within_slowdown"]],
              [["c01", "c02"], "c01", "c02", "c01"])
        for name, change, verdict in (("load=idle", -1, "less"), ("load=both", 1, "more")):
            expect(by_name[name]["energy_j"]["change"] * change > 0.2, by_name[name]["energy_j"])
            expect(by_name[name]["energy_j"]["verdict"] in (verdict, "undecided"), by_name[name]["energy_j"])
        with open(os.path.join(place, "front.svg"), encoding="utf-8") as file:
            picture = file.read()
        expect("load=idle" in picture and "energy (J)" in picture, picture[:300])
        refused(place, spec, "of other meters")
        rows = list(csv.DictReader(io.StringIO(explore(place, spec, "--report", "--csv", "-", "--root", twin.mount).stdout)))
        equal(len(rows), 6)
        for row in rows:
            with open(os.path.join(place, "explore-twin", "runs", f"{row['configuration']}-{row['round']}", "truth"),
                      encoding="utf-8") as file:
                phase = json.load(file)["calls"][0]
            truth = sum(phase["energy_j"][part] for part in ("package-0", "package-1", "dram-0", "dram-1"))
            # The command is longer than its phase by its own start and end, at 150 W at most.
            around_s = float(row["duration_s"]) - (phase["end_ns"] - phase["begin_ns"]) / 1e9
            near(float(row["energy_j"]), truth, 0.03 * truth + 150 * (around_s + 0.03), f"joules of {row['recording']}")
        for name in ("busy", "idle", "both"):
            mean = statistics.mean(float(row["energy_j"]) for row in rows if row["load"] == name)
            near(by_name[f"load={name}"]["energy_j"]["mean"], mean, 1e-6 * mean, "mean of the runs")
        done = call("compare", "explore-twin/recordings", "--json", cwd=place)
        equal(done.returncode, 0, done.stderr)
        equal([group["name"] for group in json.loads(done.stdout)["groups"]], ["c01", "c02", "c03"])


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
