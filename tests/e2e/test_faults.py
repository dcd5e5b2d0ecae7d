#!/usr/bin/env python3
# test_faults.py - run and sources where meters fail: no crash, no hang, no wrong joule, and each fault named
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import json
import os
import sys
import time

import harness
from faulty import Faulty, by_name, finish
from harness import call, equal, expect, near

ONE = "*/intel-rapl:0/energy_uj"
ALL = "*/energy_uj"
PARTS = ("package-0", "dram-0", "package-1", "dram-1")
AT_ONCE = 11  # runs side by side: they mostly wait
PRESETS = ("all=2000000000",)  # far from 0: a counter that shows 0 all of a sudden is seen to be wrong

# What goes wrong, and by which word it is told. Times are from the first read on.
FAULTS = {
    "input/output error now and then": ("EIO p=0.3", {"read_failed"}),
    "invalid argument for a while": ("EINVAL from=300ms to=700ms", {"read_failed"}),
    "busy now and then": ("EBUSY every=3", {"read_failed"}),
    "no data to the end": ("ENODATA from=600ms", {"no_data"}),
    "refused for a while": ("EACCES from=200ms to=400ms", {"denied"}),
    "interrupted": ("EINTR p=0.2", {"read_failed"}),
    "numbers cut off": ("short=4 p=0.3", {"garbage"}),
    "numbers cut off for a while": ("short=7 from=300ms to=600ms", {"garbage"}),
    "nothing to read": ("short=0 p=0.3", {"no_data"}),
    "rubbish": ("text=rubbish\\n p=0.3", {"garbage"}),
    "bytes that are no text": ("text=\\01\\0\\n p=0.3", {"garbage"}),
    "a huge text": ("huge=60000 p=0.3", {"out_of_range"}),
    "negative numbers": ("text=-5\\n p=0.3", {"garbage"}),
    "the largest number": ("text=18446744073709551615\\n p=0.2", {"out_of_range"}),
    "beyond its range": ("add=262143328850 p=0.2", {"rejected"}),
    "zeros": ("text=0\\n p=0.2", {"rejected"}),
    "slow answers": ("delay=30ms", {"slow"}),
    "very slow answers": ("delay=120ms every=5", {"slow"}),
    "gone and back": ("gone from=300ms to=600ms", {"vanished"}),
    "gone for good": ("gone from=500ms", {"vanished"}),
    "coming and going": ("gone from=100ms to=200ms cycle=250ms", {"vanished"}),
    "closed while open": ("deny from=200ms to=400ms", set()),
    "closed and gone and back": ("gone from=300ms to=400ms\n{glob} deny from=400ms to=600ms", {"vanished"}),
    "frozen for a while": ("freeze from=300ms to=600ms", {"stood_still"}),
    "frozen to the end": ("freeze from=400ms", {"stood_still"}),
    "begun anew": ("reset from=500ms", {"reset"}),
    "begun anew after a hole": ("gone from=300ms to=500ms\n{glob} reset from=400ms", {"vanished", "reset"}),
    "leaping by half its range": ("jump=131071664425 from=500ms", {"reset"}),
    "leaping there and back": ("jump=131071664425 every=5", {"rejected"}),
    "a little too high now and then": ("add=10000000 every=4 after=6", {"rejected"}),
    "a little too low now and then": ("add=-10000000 every=4 after=6", {"rejected"}),
}


def check_domain(what, domain, zone):
    """Within what is stated, or unknown."""
    if domain["energy_j"] is None:
        expect(domain["reason"] or domain["state"] != "ok", f"{what}: {domain['domain']} unknown without a reason")
        return
    near(domain["energy_j"], zone["energy_uj"] / 1e6, domain["uncertainty_j"] + zone["unit_nj"] / 1e9 + 2e-6,
         f"{what}: {domain['domain']}")


def check(what, report, truth):
    domains = by_name(report)
    for name in PARTS:
        expect(name in domains, f"{what}: {name} is not even named")
        check_domain(what, domains[name], truth[name])
    lacks = report["quality"]["lacks"]
    true_j = sum(truth[name]["energy_uj"] for name in PARTS if name not in lacks) / 1e6
    if report["energy"]["kind"] not in ("estimated", None):
        near(report["energy"]["node_j"], true_j, report["energy"]["uncertainty_j"] + 1e-3, f"{what}: node")
    for fault in report["quality"]["faults"]:
        expect(fault["count"] > 0 and fault["first"] <= fault["last"] and fault["text"], f"{what}: {fault}")
    expect(len(report["quality"]["faults"]) <= report["quality"]["faults_total"], what)


def is_of_load(fault):
    """A player that had no CPU for a while moves its counters in one leap, which no package could."""
    return fault["fault"] in ("stood_still", "slow") or (fault["fault"] == "rejected" and fault["count"] <= 2)


def check_told(what, report, text, glob, names):
    told = {(f["domain"], f["fault"]) for f in report["quality"]["faults"]}
    domains = PARTS if glob == ALL else PARTS[:1]
    for name in names:
        expect(any((domain, name) in told for domain in domains), f"{what}: not told as '{name}': {told}")
    if glob == ONE:
        expect(all(f["domain"] == "package-0" or is_of_load(f) for f in report["quality"]["faults"]),
               f"{what}: {report['quality']['faults']}")
    if names:
        expect("failed" in text and "powercap/" in text, f"{what}: the table has no word of it: {text}")


def run_cases(place, cases):
    """cases: (name, glob, rules, names told). A handful at once, each on a tree of its own."""
    machines = []
    try:
        for number in range(min(AT_ONCE, len(cases))):
            machines.append(Faulty(place, f"m{number}", presets=PRESETS, seed=number))
        for first in range(0, len(cases), AT_ONCE):
            group = list(zip(cases[first:first + AT_ONCE], machines))
            for (_, glob, rules, _), fs in group:
                fs.tell(f"{glob} {rules.format(glob=glob)}\n")
                fs.start()
            for (name, glob, _, names), fs in group:
                report, text = finish(fs.child)
                check(name, report, fs.truth())
                # On a machine so busy that the fault's time passed without a read there is nothing to tell.
                if fs.hits():
                    check_told(name, report, text, glob, names)
    finally:
        for fs in machines:
            fs.close()


def test_one_package_fails(place):
    """Whatever goes wrong with one package's counter: the others are exact, it is within its bound, the fault is named"""
    run_cases(place, [(f"one: {name}", ONE, rules, told) for name, (rules, told) in FAULTS.items()])


def test_all_domains_fail(place):
    """Whatever goes wrong with all counters at once: within the bound, and named"""
    run_cases(place, [(f"all: {name}", ALL, rules, told) for name, (rules, told) in FAULTS.items()])


def test_never_readable(place):
    """A package that can never be read is lacking from the node by name; where none can be read there is an estimate."""
    with Faulty(place, "one") as one, Faulty(place, "all") as all_, Faulty(place, "denied") as denied:
        one.tell(f"{ONE} EIO\n")
        all_.tell(f"{ALL} EINVAL\n")
        denied.tell(f"{ONE} deny\n")
        first, second, third = one.start(), all_.start(), denied.start()
        report, text = finish(third)
        equal(report["quality"]["lacks"], ["package-0"], text)
        equal({(f["domain"], f["fault"]) for f in report["quality"]["faults"]} - {("package-0", "slow")}, {("package-0", "denied")})
        check("denied", report, denied.truth())
        report, text = finish(first)
        equal(report["quality"]["lacks"], ["package-0"])
        expect("lacks" in text, text)
        equal(by_name(report)["package-0"]["energy_j"], None)
        check("one", report, one.truth())
        report, text = finish(second)
        equal(report["energy"]["kind"], "estimated", text)
        equal(report["quality"]["lacks"], [])
        equal({f["errno"] for f in report["quality"]["faults"]}, {"EINVAL"})


def test_late_start(place):
    """A counter that cannot be read at first and can later is counted from then on, and its start is a gap with its bound."""
    with Faulty(place, "late", presets=PRESETS) as fs:
        fs.tell(f"{ONE} EIO to=200ms\n")
        report, _ = finish(fs.start())
        check("late", report, fs.truth())
        expect(by_name(report)["package-0"]["energy_j"], "nothing of it was counted")
        equal(report["quality"]["lacks"], [])


def test_energy_over_a_hole(place):
    """A file that vanished and came back is opened again, soon and not all the time; the hole's energy is kept."""
    with Faulty(place, "hole", presets=PRESETS) as fs:
        fs.tell(f"{ONE} gone from=300ms to=600ms\n")
        report, _ = finish(fs.start(period="10ms"))
        truth = fs.truth()
        near(by_name(report)["package-0"]["energy_j"], truth["package-0"]["energy_uj"] / 1e6, 0.001, "package-0")
        gaps = [gap for gap in report["quality"]["gaps"] if gap["energy_known"]]
        expect(gaps, report["quality"]["gaps"])
        equal(report["quality"]["resets"], 0)
        expect(report["quality"]["faults"][0]["count"] >= 10, report["quality"]["faults"])


def test_descriptions_fail(place):
    """Names, ranges, limits and the CPU's description that cannot be read do not stop a run, nor make a joule wrong."""
    cases = {
        "range": ("*/max_energy_range_uj", "EIO"), "range_text": ("*/max_energy_range_uj", "text=many\\n"),
        "range_cut": ("*/max_energy_range_uj", "short=3"), "range_zero": ("*/max_energy_range_uj", "text=0\\n"),
        "range_huge": ("*/max_energy_range_uj", "text=18446744073709551615\\n"), "range_negative": ("*/max_energy_range_uj", "text=-1\\n"),
        "limit": ("*/constraint_*", "ENODATA"), "limit_text": ("*/constraint_*", "huge=60000"),
        "stat": ("proc/stat", "EIO"), "stat_text": ("proc/stat", "text=cpu\\n"), "stat_huge": ("proc/stat", "huge=60000"),
        "online": ("*/cpu/online", "text=0-99999999\\n"), "cpuinfo": ("proc/cpuinfo", "huge=60000"),
        "topology": ("*/topology/*", "EIO"), "everything": ("proc/*", "EIO p=0.5"),
    }
    group = []
    try:
        for name, (glob, rule) in cases.items():
            fs = Faulty(place, name, presets=PRESETS, seed=len(group))
            group.append((fs, name))
            fs.tell(f"{glob} {rule}\n")
            fs.start()
        for fs, name in group:
            report, _ = finish(fs.child)
            check(name, report, fs.truth())
    finally:
        for fs, _ in group:
            fs.close()


def test_names_fail(place):
    """Zones whose names cannot be read are no packages; nothing crashes, and nothing is counted as what it is not"""
    with Faulty(place, "names", presets=PRESETS) as fs:
        for rule in ("EIO", "huge=60000", "text=\\0\\0\\n", "short=0", "text=package-0\\n"):
            fs.tell(f"*/name {rule}\n")
            told = json.loads(call("sources", "--json", "--no-probe", "--root", fs.mount).stdout)
            ids = [d["id"] for s in told["sources"] for d in s["domains"]]
            equal(len(set(ids)), len(ids), rule)
            finish(fs.start(command=["true"]))


def test_package_unplugged(place):
    """A package whose processors go offline with its counters is a gap, and their number is recorded."""
    with Faulty(place, "unplug", presets=PRESETS) as fs:
        fs.tell("*/intel-rapl:1* gone from=400ms\n*/cpu/online text=0-17,36-53\\n from=400ms\n")
        report, text = finish(fs.start(script="1800ms package=150 dram=20\n"))
        check("unplug", report, fs.truth())
        equal(report["quality"]["cpus_online"], {"first": 72, "last": 36, "min": 36, "max": 72, "changes": 1}, text)
        equal({(f["domain"], f["fault"]) for f in report["quality"]["faults"] if f["fault"] != "slow"},
              {("package-1", "vanished"), ("dram-1", "vanished")}, report["quality"]["faults"])
        expect([gap for gap in report["quality"]["gaps"] if not gap["energy_known"]], "no gap")
        expect("hardware threads online" in text, text)


def test_slow_meter_holds_up_the_rest(place):
    """A meter that answers late makes the sweeps late, which is counted; the joules are right all the same."""
    with Faulty(place, "slow", presets=PRESETS) as fs:
        fs.tell(f"{ONE} delay=80ms\n")
        report, text = finish(fs.start(period="20ms"))
        check("slow", report, fs.truth())
        expect(report["quality"]["missed"] >= 10, report["quality"])
        slow = [f for f in report["quality"]["faults"] if f["fault"] == "slow"]
        equal({f["domain"] for f in slow}, {"package-0"})
        expect("a read took up to" in slow[0]["text"] and "slow" in text, slow)


def test_file_system_goes_away(place):
    """The file system below all meters going away for good is survived: gaps, an end, and every failure named."""
    with Faulty(place, "away", presets=PRESETS) as fs:
        child = fs.start(command=["sleep", "1.2"])
        time.sleep(0.6)
        fs.daemon.kill()
        report, _ = finish(child)
        expect({f["fault"] for f in report["quality"]["faults"]} & {"vanished", "read_failed"}, report["quality"]["faults"])


def test_everything_fails(place):
    """Where any file may fail in any way every command ends by itself, with a status of its own."""
    rules = ("* EIO p=0.2\n* short=3 p=0.1\n* text=rubbish\\n p=0.1\n* huge=60000 p=0.1\n* text=-1\\n p=0.1\n* short=0 p=0.1\n"
             "* text=99999999999999999999\\n p=0.1\n* text=\\0 p=0.1\n* gone from=50ms to=100ms cycle=150ms\n")
    commands = (["sources", "--no-probe", "--json"], ["doctor", "--json"],
                ["run", "--out", place, "--force", "--name", "e", "--period", "5ms", "--json", "--", "sleep", "0.2"])
    with Faulty(place, "any", model="client-psys", presets=PRESETS) as fs:
        for number in range(5):
            fs.tell("none EIO\n" * number + rules)  # chance goes by the number of a rule too
            for command in commands + ((["top", "--once"], ["sources"]) if number < 2 else ()):
                where = command.index("--") if "--" in command else len(command)
                done = call(*command[:where], "--root", fs.mount, *command[where:])
                expect(done.returncode in (0, 1, 125), f"{command}: {done.returncode} {done.stderr}")
                expect(done.stdout or done.stderr, f"{command}: not a word")
                if done.returncode == 0 and "--json" in command:
                    json.loads(done.stdout or done.stderr.rstrip("\n").rsplit("\n", 1)[-1])


def test_sources_name_faults(place):
    """sources names what fails and what helps."""
    cases = {"EIO": ("Input/output error", "absent"), "EINVAL every=2": ("of its reads failed", None), "text=x\\n": ("cannot be read", "absent"),
             "gone from=300ms": ("of its reads failed", None), "delay=60ms": ("take up to", None), "deny": ("refused" if os.geteuid() == 0 else "by root only", "denied")}
    group = []
    try:
        for number, rule in enumerate(cases):
            fs = Faulty(place, f"s{number}", presets=PRESETS)
            group.append((fs, rule))
            fs.tell(f"{ONE} {rule}\n")
            fs.child = harness.start("sources", "--json", "--root", fs.mount)
        for fs, rule in group:
            out, err = fs.child.communicate(timeout=60)
            equal(fs.child.returncode, 0, err)
            domain = next(d for s in json.loads(out)["sources"] for d in s["domains"] if d["id"] == "powercap/package-0")
            words, state = cases[rule]
            expect(words in domain["reason"], f"{rule}: {domain}")
            expect(state is None or domain["state"] == state, f"{rule}: {domain}")
            if state:
                expect(domain["fix"], f"{rule}: no fix: {domain}")
    finally:
        for fs, _ in group:
            fs.close()


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
