#!/usr/bin/env python3
# test_repeat.py - run --repeat: commands by turns, judged against the first; warm-up, outliers, an end by precision
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import glob
import json
import os
import re
import signal
import sys
import time

import harness
import twins
from harness import PROGRAM, equal, expect, last_json, main, near

# Where no meter is used, so that every machine says the same of energy.
ESTIMATE = ["--domain", "estimate/node"]


def run(place, *args, timeout=60):
    return harness.call("run", "--out", os.path.join(place, "out"), "--name", "j", "--json", "--force", *args,
                        timeout=timeout, cwd=place)


def repeated(place, *args, status=0):
    """run --repeat without baseline: what it said, and its JSON."""
    done = run(place, *ESTIMATE, "--baseline", "0", *args)
    equal(done.returncode, status, done.stderr)
    return done.stderr, last_json(done.stderr)


def recordings(place):
    return sorted(os.path.basename(path) for path in glob.glob(os.path.join(place, "out", "*.esr")))


def log(place, name="log"):
    with open(os.path.join(place, name)) as file:
        return file.read().split()


def comparison(told, name):
    found = [c for c in told["comparisons"] if c["name"] == name]
    equal(len(found), 1, told["comparisons"])
    return found[0]


def test_two_commands(place):
    """Two commands run by turns; the slower one is found, by how much and how surely, and no verdict is made of an estimate."""
    said, told = repeated(place, "--repeat", "4", "--called", "fast", "--vs", "slow=sleep 0.4", "--not-slower", "5%", "--",
                          "sleep", "0.1")
    equal(recordings(place), sorted(f"j-{name}-{i}.esr" for name in ("fast", "slow") for i in (1, 2, 3, 4)))
    equal([r["group"] for r in told["runs"]], ["fast", "slow", "slow", "fast", "slow", "fast", "fast", "slow"])
    equal([r["round"] for r in told["runs"]], [1, 1, 2, 2, 3, 3, 4, 4])
    equal([r["job"]["id"] for r in told["runs"]][:3], ["j-fast-1", "j-slow-1", "j-slow-2"])
    fast, slow = told["groups"]
    equal((fast["name"], slow["name"], fast["runs"], slow["runs"], fast["metric"], fast["unit"]),
          ("fast", "slow", 4, 4, "time", "s"))
    near(fast["mean"], fast["duration_s"]["mean"], 1e-12)
    expect(fast["ci"][0] < fast["mean"] < fast["ci"][1], fast)
    change = comparison(told, "slow")
    near(change["change"], slow["mean"] / fast["mean"] - 1, 1e-9)
    expect(change["change_ci"][0] < change["change"] < change["change_ci"][1] and change["change"] > 1, change)
    equal((change["verdict"], change["not_slower"]["result"], change["not_slower"]["limit"]), ("slower", "broken", 0.05))
    expect(change["p"] < 0.01, change)
    equal([told[key] for key in ("metric", "verdict", "change", "p")], ["time", "slower", change["change"], change["p"]])
    equal((change["energy"], change["above_baseline"], fast["energy_j"], slow["energy_j"]), (None, None, None, None))
    expect("energy: no meter here can see this difference" in said, said)
    expect(re.search(r"^  order +fast slow, slow fast, slow fast, fast slow: balanced over 2 rounds$", said, re.M), said)
    expect(re.search(r"^\* time +slower +\+\d+\.\d\d %  \[", said, re.M) and "not slower by more than 5.00 %: broken" in said, said)
    expect("run 1 of 8: fast, round 1 of 4\n" in said and re.search(r"run 8 of 8: slow, round 4 of 4, about .* left", said), said)
    expect("energy_j" not in told["summary"], "a mean over different commands")


def test_shell_is_said(place):
    """Where a shell's start is more than the margin of so short a command it is said, and what to write instead."""
    said, _ = repeated(place, "--repeat", "2", "--vs", "true", "--", "sleep", "0.01")
    expect(re.search(r"^  a shell    starts all but a: about a millisecond, \d\S* % of its time; give it as sh -c too$", said, re.M), said)
    for command in (["sh", "-c", "sleep 0.01"], ["sleep", "0.15"]):
        said, _ = repeated(place, "--repeat", "2", "--vs", "true", "--", *command)
        expect("a shell  " not in said, said)


def test_balanced(place):
    """Of three commands each is in each place and behind each other one equally often; settings come by the environment."""
    _, told = repeated(place, "--repeat", "6", "--vs", "echo b >> log", "--vs", "env=WORD=third sh -c 'echo $WORD >> log'", "--",
                       "sh", "-c", "echo a >> log")
    ran = log(place)
    equal([{"env": "third"}.get(r["group"], r["group"]) for r in told["runs"]], ran)
    rounds = [ran[i:i + 3] for i in range(0, 18, 3)]
    places = [(name, i) for one in rounds for i, name in enumerate(one)]
    behind = [pair for one in rounds for pair in zip(one, one[1:])]
    for name in ("a", "b", "third"):
        equal([places.count((name, i)) for i in range(3)], [2, 2, 2], f"places of {name}")
        equal([behind.count((name, other)) for other in ("a", "b", "third") if other != name], [2, 2], f"behind {name}")
    equal([g["name"] for g in told["groups"]], ["a", "b", "env"])


def test_warmup(place):
    """Rounds of warming up leave no recording, are in no mean, and their failure is said and no more."""
    script = "echo {0} >> log; [ $(grep -c {0} log) -gt 2 ] || exit 3"
    said, told = repeated(place, "--repeat", "3", "--warmup", "2", "--vs", script.format("b"), "--", "sh", "-c", script.format("a"))
    equal(sorted(log(place)), ["a"] * 5 + ["b"] * 5)
    equal(len(recordings(place)), 6)
    equal((told["summary"]["warmup_rounds"], told["summary"]["runs"], told["summary"]["failed"]), (2, 6, 0))
    equal([g["runs"] for g in told["groups"]], [3, 3])
    expect("warm-up 1 of 2: a ended with status 3" in said and "2 rounds before, not measured" in said, said)
    done = run(place, "--repeat", "3", "--warmup", "1", "--", "/no/such/command")
    equal(done.returncode, 127, done.stderr)
    expect("command not found" in done.stderr and "run 1 of 3" not in done.stderr, done.stderr)


def test_failing_run(place):
    """A run that fails is in no mean of its command; the others go on, and its status is that of the series."""
    said, told = repeated(place, "--repeat", "3", "--vs", "echo >> ran; [ $(wc -l < ran) != 2 ] || exit 9", "--", "true", status=9)
    equal([r["exit_status"] for r in told["runs"] if r["group"] == "b"], [0, 9, 0])
    equal([r["counts"] for r in told["runs"] if r["group"] == "b"], [True, False, True])
    equal([(g["runs"], g["failed"], g["duration_s"]["runs"]) for g in told["groups"]], [(3, 0, 3), (2, 1, 2)])
    expect("j-b-2: status 9: in no mean" in said and "6 of 6 runs, 1 failed" in said, said)


def test_input(place):
    """Each run, and each warm-up, reads standard input from where the series found it; of a pipe it is said that it cannot."""
    path = os.path.join(place, "input")
    with open(path, "w") as file:
        file.write("skipped\nkept\n")
    args = ["run", "--out", os.path.join(place, "out"), "--name", "j", "--force", *ESTIMATE, "--repeat", "2", "--baseline", "0",
            "--warmup", "1", "--vs", "cat", "--", "cat"]
    with open(path) as file:
        os.lseek(file.fileno(), len("skipped\n"), os.SEEK_SET)
        done = harness.call(*args, cwd=place, stdin=file)
    equal((done.returncode, done.stdout), (0, "kept\n" * 6), done.stderr)
    expect("is a pipe" not in done.stderr, done.stderr)
    end, begin = os.pipe()
    os.write(begin, b"once\n")
    os.close(begin)
    with os.fdopen(end) as pipe:
        done = harness.call(*args, cwd=place, stdin=pipe)
    equal((done.returncode, done.stdout), (0, "once\n"), done.stderr)
    equal(done.stderr.count("standard input is a pipe"), 1)


def test_never_found(place):
    """A line in which the shell finds no command ends the series at once, not after all rounds of the others."""
    for line, status, words in (("no-such-command -x", 127, "command not found"), ("./notes", 126, "cannot be executed")):
        with open(os.path.join(place, "notes"), "w") as file:
            file.write("no program\n")
        said, told = repeated(place, "--repeat", "50", "--vs", line, "--", "true", status=status)
        equal((told["summary"]["ended_by"], told["summary"]["runs"]), ("failure", 2))
        expect(words in said and "no use in going on" in said and "run 3 of" not in said, said)
        done = run(place, *ESTIMATE, "--repeat", "50", "--baseline", "0", "--warmup", "1", "--vs", line, "--", "true")
        equal(done.returncode, status, done.stderr)
        expect(words in done.stderr and "run 1 of" not in done.stderr, done.stderr)
    script = "echo >> log; [ $(wc -l < log) = 2 ] && exit 127; exit 0"
    said, told = repeated(place, "--repeat", "3", "--vs", script, "--", "true", status=127)
    equal((told["summary"]["ended_by"], told["summary"]["runs"], told["summary"]["failed"]), ("repeat", 6, 1))


def test_interrupted(place):
    """SIGINT ends the series: what was done is summed up, the run that was cut short is in no mean."""
    ready = os.path.join(place, "ready")
    script = f'echo >> log; [ $(wc -l < log) -lt 4 ] && exit 0; echo > {ready}; exec sleep 60'
    running = harness.start("run", "--out", os.path.join(place, "out"), "--name", "j", "--repeat", "5", "--baseline", "0",
                            f"--json={place}/told", "--vs", script, "--", "sh", "-c", script, cwd=place)
    end = time.monotonic() + 20
    while not os.path.exists(ready):
        expect(time.monotonic() < end, "the command did not start")
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    said = running.communicate(timeout=20)[1]
    equal(running.returncode, 130, said)
    with open(os.path.join(place, "told")) as file:
        told = json.load(file)
    summary = told["summary"]
    equal((summary["runs_planned"], summary["runs"], summary["failed"], summary["cut_short"], summary["ended_by"]),
          (10, 4, 0, 1, "signal"))
    equal([r["counts"] for r in told["runs"]], [True, True, True, False])
    equal([g["runs"] for g in told["groups"]], [1, 2])
    expect("4 of 10 runs, 0 failed, 1 cut short" in said and "run 5 of 10" not in said, said)
    expect("undecided" in said and "one run shows no spread" in said, said)


def test_interrupted_while_idle(place):
    """SIGINT while the idle power behind a command is measured: that run is whole, and there is no other."""
    done = os.path.join(place, "done")
    running = harness.start("run", "--out", os.path.join(place, "out"), "--name", "j", "--repeat", "5", "--baseline", "2s",
                            f"--json={place}/told", "--", "sh", "-c", f"sleep 0.2; echo > {done}", cwd=place)
    end = time.monotonic() + 20
    while not os.path.exists(done):
        expect(time.monotonic() < end, "the command did not end")
        time.sleep(0.01)
    time.sleep(0.7)  # of two seconds
    running.send_signal(signal.SIGINT)
    said = running.communicate(timeout=20)[1]
    equal(running.returncode, 130, said)
    with open(os.path.join(place, "told")) as file:
        told = json.load(file)
    expect(told["runs"][0]["counts"] and told["summary"]["runs"] < 5, told["summary"])
    equal(told["summary"]["ended_by"], "signal")
    expect("ended      early, by signal 2" in said, said)


def test_many_runs(place):
    """Below ten runs the interval is Student's, from there on it is resampled, and the same runs give the same one."""
    for n, method in ((9, "t"), (10, "BCa")):
        _, told = repeated(place, "--repeat", str(n), "--", "true")
        stats = told["summary"]["duration_s"]
        equal((stats["runs"], stats["method"]), (n, method))
        expect(stats["ci"][0] <= stats["mean"] <= stats["ci"][1], stats)
        near(stats["uncertainty"], (stats["ci"][1] - stats["ci"][0]) / 2, 1e-12)
        again = harness.call("compare", "--json", *[r["recording"] for r in told["runs"]], cwd=place)
        group = json.loads(again.stdout)["groups"][0]
        equal((group["mean"], group["ci"]), (told["groups"][0]["mean"], told["groups"][0]["ci"]), "compare says the same")


def test_far_off(place):
    """A run far off the others is named with how far, kept unless told otherwise, and a first one asks for a warm-up."""
    script = "echo >> log; [ $(wc -l < log) = 1 ] && sleep 2; sleep 0.1"
    said, told = repeated(place, "--repeat", "6", "--", "sh", "-c", script)
    off = told["runs"][0]["far_off"]["duration_s"]
    expect(off > 3, off)
    near(told["summary"]["duration_s"]["runs"], 6, 0)
    expect(re.search(r"far off +j-1: time 2\.\d+ s, \+\d+\.\d % of the median: kept \(--outliers drop\)", said), said)
    expect("the first round was far off: --warmup 1 leaves it out" in said, said)
    os.remove(os.path.join(place, "log"))
    said, told = repeated(place, "--repeat", "6", "--outliers", "drop", "--", "sh", "-c", script)
    expect(told["summary"]["dropped"] >= 1 and not told["runs"][0]["counts"], told["summary"])
    equal(told["summary"]["duration_s"]["runs"], 6 - told["summary"]["dropped"])
    expect(told["summary"]["duration_s"]["mean"] < 1, told["summary"])
    expect("dropped" in said.split("6 of 6 runs", 1)[1].splitlines()[0], said)


def test_estimates_are_never_far_off(place):
    """Joules that are an estimate from CPU time make no run far off: what the machine did besides would drop it."""
    script = "echo >> log; [ $(wc -l < log) != 3 ] || timeout 0.2 sh -c 'while :; do :; done'; sleep 0.05"
    said, told = repeated(place, "--repeat", "6", "--outliers", "drop", "--", "sh", "-c", script)
    expect("far off" in said and ": energy " not in said, said)
    expect("duration_s" in told["runs"][2]["far_off"], told["runs"][2])
    expect(all("energy_j" not in run["far_off"] for run in told["runs"]), [run["far_off"] for run in told["runs"]])


def test_until(place):
    """--until ends the series when its intervals are narrow, else --repeat does, and the summary says which."""
    said, told = repeated(place, "--repeat", "200", "--until", "30%", "--", "sleep", "0.2")
    stats = told["summary"]["duration_s"]
    expect(5 <= told["summary"]["runs"] < 200 and stats["uncertainty"] <= 0.3 * stats["mean"], told["summary"])
    equal((told["summary"]["ended_by"], told["summary"]["runs_planned"]), ("until", 200))
    expect(f"after {told['summary']['runs']} rounds: all intervals are within ±30 %" in said and "run 2 of at most 200" in said, said)
    said, told = repeated(place, "--repeat", "5", "--until", "0.0001%", "--", "sleep", "0.05")
    equal((told["summary"]["ended_by"], told["summary"]["runs"]), ("repeat", 5))
    expect("ended      by --repeat, before all intervals were within ±0.0001 %" in said, said)


def test_usage(place):
    """What cannot be meant is refused before anything runs, with what to write instead."""
    three = ["--repeat", "3"]
    for args, words in ((["--vs", "true"], "--repeat"),
                        (["--warmup", "1"], "--repeat"),
                        (["--until", "2%"], "--repeat"),
                        (["--repeat", "4", "--until", "2%"], "--repeat 5 at least"),
                        (["--repeat", "5", "--until", "0"], "--until '0'"),
                        (["--repeat", "5", "--until", "two"], "--until 'two'"),
                        (three + ["--margin", "1%"], "without --vs"),
                        (three + ["--not-slower", "2%"], "without --vs"),
                        (three + ["--called", "x"], "without --vs"),
                        (three + ["--vs", "true", "--called", "x/y"], "--called 'x/y'"),
                        (three + ["--vs", "true", "--not-slower", "-1%"], "--not-slower '-1%'"),
                        (three + ["--vs", "true", "--called", "b"], "two commands are called 'b'"),
                        (three + ["--vs", "x=true", "--vs", "x=false"], "two commands are called 'x'"),
                        (three + ["--vs", "OMP_NUM_THREADS=4 ./app"], "a name or a variable?"),
                        (three + ["--vs", "x= "], "no command in it"),
                        (three + ["--outliers", "hide"], "'keep' and 'drop'"),
                        (three + ["--warmup", "-1"], "--warmup '-1'"),
                        (["--repeat", "1000", *(["--vs", "true"] * 10)], "at most 10000 runs"),
                        (three + ["--vs", "true"] * 26, "at most 26 commands")):
        done = harness.call("run", "--out", os.path.join(place, "out"), *args, "--", "sh", "-c", "echo >> ran", cwd=place)
        equal(done.returncode, 2, f"{args}: {done.stderr}")
        expect(words in done.stderr, f"{args}: {done.stderr}")
    # An equals sign within a line is no name.
    _, told = repeated(place, "--repeat", "1", "--vs", "dd if=/dev/null of=/dev/null status=none", "--", "true")
    equal([g["name"] for g in told["groups"]], ["a", "b"])
    # A place that is taken is refused before anything runs.
    os.rename(os.path.join(place, "out", "j-b-1.esr"), os.path.join(place, "out", "j-b-3.esr"))
    os.remove(os.path.join(place, "out", "j-a-1.esr"))
    done = harness.call("run", "--out", "out", "--name", "j", *three, "--vs", "echo >> ran", "--", "sh", "-c", "echo >> ran", cwd=place)
    equal(done.returncode, 125, done.stderr)
    expect("j-b-3.esr' exists already" in done.stderr, done.stderr)
    expect(not os.path.exists(os.path.join(place, "ran")), "the command ran")


def true_j(place, name):
    """Mean true joules of packages and memory over the loads that told theirs in a file, one behind the other."""
    with open(os.path.join(place, name)) as file:
        text = file.read()
    told = []
    while text.strip():
        one, end = json.JSONDecoder().raw_decode(text)
        told.append(one)
        text = text[end:].lstrip()
    equal(len(told), 4, name)
    return sum(sum(p["energy_j"][part] for p in one["phases"] for part in p["energy_j"] if part.startswith(("package-", "dram-")))
               for one in told) / len(told)


def test_true_energies(place):
    """On a node whose joules are known, the difference of two loads is the true one, in energy and above idle, and called less."""
    for name, phase in (("heavy", "a 600ms cpu=100%"), ("light", "a 600ms cpu=15% idle=85%")):
        with open(os.path.join(place, name), "w") as file:
            file.write(phase + "\n")
    with twins.up(place, "skx2s") as twin:
        line = f"{PROGRAM} twin play --json --mount {twin.mount} {{0}} >> told-{{0}}"
        done = run(place, "--root", twin.mount, "--period", "20ms", "--repeat", "4", "--baseline", "300ms", "--vs",
                   "light=" + line.format("light"), "--", "sh", "-c", line.format("heavy"))
        equal(done.returncode, 0, done.stderr)
    told = last_json(done.stderr)
    want = true_j(place, "told-light") / true_j(place, "told-heavy") - 1
    change = comparison(told, "light")
    energy, above = change["energy"], change["above_baseline"]
    # The command's start and end are in the recording, beside the load.
    near(energy["change"], want, 0.05 * abs(want) + 0.02, "true change")
    # What is above idle is shown, and decides nothing on one machine.
    equal((energy["verdict"], above["verdict"], told["metric"], told["verdict"]), ("less", None, "energy", "less"))
    expect(above["change"] < energy["change"], f"{above} against {energy}")
    base = [r["energy"]["baseline"] for r in told["runs"]]
    equal([b["after_w"] for b in base[:-1]], [b["before_w"] for b in base[1:]], "between two runs there is one baseline")
    equal(told["groups"][1]["above_baseline_j"]["runs"], 4)
    expect("above idle (J)" in done.stderr, "no column of energy above idle")


if __name__ == "__main__":
    sys.exit(main(sys.modules[__name__]))
