#!/usr/bin/env python3
# test_matrix.py - every source x every way its meter fails: no crash, no wrong joule, each fault named
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
"""A source is a row below: a machine whose counters are moved, and which of its files fail. A new source that can be
served from a tree is one more row. Where the meter is no file but a library or a device it says itself what a failure is.
(perf events belong to the running kernel: tests/unit/test_source_perf.c fails them through a seam.)

The table that is printed says for each cell what was told of the fault in the report, or why there is nothing to tell.
"""
import json
import os
import subprocess
import sys
import threading
import time

import harness
from faulty import Faulty, finish
from harness import PLAYER, PROGRAM, SOURCE_ROOT, TREE, Skip, clean_environment, expect, last_json

STRANGER = "54321"
AT_ONCE = 12
NVML_FOLDER = "usr/lib/x86_64-linux-gnu"

# What a file does, and by which word it is told. Times are from the first read on.
CONDITIONS = {
    "healthy": (None, None),
    "denied": ("deny", {"denied"}),
    "vanishing": ("gone from=300ms to=600ms", {"vanished"}),
    "frozen": ("freeze from=400ms", {"stood_still", "no_data"}),
    "resetting": ("reset from=500ms", {"reset"}),
    "wrapping": (None, None),
    "garbage": ("text=rubbish\\n p=0.3", {"garbage", "out_of_range", "rejected"}),
}
NO_WRAP = "its counter is wider than any run"
MAY_REST = "what it measures may rest"
STEADY = "a steady power looks the same"
NO_COUNTER = "a power has no counter"
SHORT = "1200ms package=150 dram=20 gpu=200 core=60 node=500 module=300\n"
LONG = "4800ms package=150 dram=20 gpu=200 core=60 node=500 module=300\n"


class Row:
    """A source whose meter is a file: behind a file system that fails as it is told."""

    def __init__(self, name, model, files, domain, key, options=(), untold=None, stale=False, all_files=None, more=None):
        self.name, self.model, self.files, self.domain, self.key = name, model, files, domain, key  # key: of the truth, or watts
        self.options, self.untold, self.stale = options, untold or {}, stale
        self.more = more or {}  # {path: text} of files beside the model's
        self.all_files = all_files or files  # what stands still or is denied together

    def cell(self, place, condition, number):
        rule, _ = CONDITIONS[condition]
        presets = ("all=near",) if condition == "wrapping" else ("all=2000000000",)
        if self.model in ("no-meter", "cray-ex-amd", "grace"):
            presets = ()
        fs = Faulty(place, f"{self.name}-{condition}", model=self.model, presets=presets, seed=number)
        for path, text in self.more.items():
            os.makedirs(os.path.dirname(os.path.join(fs.tree, path)), exist_ok=True)
            with open(os.path.join(fs.tree, path), "w", encoding="utf-8") as file:
                file.write(text)
        fs.ends = threading.Event()
        if self.more:
            threading.Thread(target=self.keep_writing, args=(fs,), daemon=True).start()
        fs.rule = f"{self.all_files if condition in ('denied', 'frozen') else self.files} {rule}\n" if rule else ""
        fs.tell(fs.rule)
        # What only its own clock tells to be old is believed for three seconds.
        fs.script = LONG if condition == "frozen" and self.stale else SHORT
        return fs

    def keep_writing(self, fs):
        """As whoever writes such a file does: it is known to be new by its time."""
        while not fs.ends.wait(0.02):
            for path in self.more:
                os.utime(os.path.join(fs.tree, path))

    def start(self, fs, _condition):
        fs.start(*self.options, script=fs.script)

    def finish(self, fs):
        report, _ = finish(fs.child)
        if isinstance(self.key, float):
            return report, self.key * report["job"]["duration_s"]
        return report, None if self.key is None else fs.truth()[self.key]["energy_uj"] / 1e6

    def ask(self, fs, _condition):
        """Start sources, the counters being moved meanwhile."""
        fs.tell("")
        fs.tell(fs.rule)
        fs.player = subprocess.Popen([PLAYER, fs.tree, "--duration", "2500ms"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return harness.start("sources", "--json", "--root", fs.mount, *self.options)

    def told(self, fs, process):
        out, err = process.communicate(timeout=60)
        fs.player.kill()
        fs.player.wait()
        expect(process.returncode == 0, err)
        return json.loads(out)

    def close(self, fs):
        fs.ends.set()
        fs.close()


class Moved:
    """A machine in a tree, whose meter a thread moves and breaks while it is measured."""

    def __init__(self, folder):
        self.folder, self.child, self.thread, self.true_j, self.ends = folder, None, None, 0.0, False


class Stub:
    """A source whose meter is no plain file: what each condition does to it is its own business."""

    options, untold = (), {}

    def cell(self, place, condition, _number):
        moved = Moved(os.path.join(place, f"{self.name}-{condition}"))
        self.make(moved, condition)
        return moved

    def run(self, moved, condition, *command):
        moved.ends = False
        moved.child = subprocess.Popen([PROGRAM, *command], env=clean_environment(), text=True, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE)
        moved.thread = threading.Thread(target=self.move, args=(moved, condition))
        moved.thread.start()

    def start(self, moved, condition):
        rights = ("--as", STRANGER) if condition == "denied" else ()
        self.run(moved, condition, "run", "--root", moved.folder, *rights, "--out", moved.folder + ".out", "--name", "j", "--json",
                 "--period", "50ms", "--domain", self.domain, "--", "sleep", "2")

    def finish(self, moved):
        _, err = moved.child.communicate(timeout=60)
        moved.thread.join()
        # A domain that is asked for and cannot be measured is a failure, with its report.
        expect(moved.child.returncode in (0, 125), f"{moved.child.returncode}: {err}")
        return (last_json(err) if moved.child.returncode == 0 else None), moved.true_j

    def ask(self, moved, condition):
        rights = ("--as", STRANGER) if condition == "denied" else ()
        self.run(moved, condition, "sources", "--json", "--root", moved.folder, *rights)
        return moved.child

    def told(self, moved, process):
        out, err = process.communicate(timeout=60)
        moved.thread.join()
        expect(process.returncode == 0, err)
        return json.loads(out)

    def close(self, moved):
        if moved.child and moved.child.poll() is None:
            moved.child.kill()
            moved.child.communicate()

    def move(self, moved, condition):
        """150 J in a second, from a little after the start on."""
        time.sleep(0.4)
        shown_j = 0.0
        for step in range(100):
            time.sleep(0.01)
            shown_j += 1.5
            moved.true_j += 1.5
            if condition == "resetting" and step == 50:
                shown_j = 0.0
                self.reset(moved)
            if condition in ("vanishing", "garbage") and 30 <= step < 60:
                self.fail(moved, condition)
                continue
            if condition == "frozen" and step >= 40:
                continue
            self.show(moved, shown_j)


class Nvml(Stub):
    """NVIDIA's library: a stub of it, whose state is a file (struct nvml_state of tests/support/nvml_table.h)."""

    name, domain = "nvml", "nvml/gpu-0"
    # Its counter is in mJ, 64 bits wide; a GPU may draw next to nothing.
    untold = {"wrapping": NO_WRAP, "frozen": MAY_REST}

    def make(self, moved, condition):
        os.makedirs(moved.folder)
        table = os.path.join(SOURCE_ROOT, "tests", "machines", "nvml", "v100x2.table")
        subprocess.run([TREE, moved.folder, "skx2s", "nvml=" + table], check=True)
        self.start_mj = int.from_bytes(self.state(moved, 0, 8), "little")
        if condition == "denied":
            self.put(moved, 16, 4, 4)  # NVML_ERROR_NO_PERMISSION

    def state(self, moved, offset, size):
        with open(os.path.join(moved.folder, NVML_FOLDER, "nvml.state"), "rb") as file:
            file.seek(16 + offset)
            return file.read(size)

    def put(self, moved, offset, number, size):
        with open(os.path.join(moved.folder, NVML_FOLDER, "nvml.state"), "r+b") as file:
            file.seek(16 + offset)
            file.write(number.to_bytes(size, "little"))

    def show(self, moved, shown_j):
        base = getattr(moved, "base_mj", None)
        if base is None:
            base = moved.base_mj = int.from_bytes(self.state(moved, 0, 8), "little")
        self.put(moved, 16, 0 if not getattr(moved, "is_denied", False) else 4, 4)
        self.put(moved, 0, base + int(shown_j * 1000), 8)

    def move(self, moved, condition):
        moved.is_denied = condition == "denied"
        super().move(moved, condition)

    def reset(self, moved):
        moved.base_mj = 0

    def fail(self, moved, condition):
        if condition == "vanishing":
            self.put(moved, 16, 15, 4)  # NVML_ERROR_GPU_IS_LOST
        else:
            self.put(moved, 0, (1 << 64) - 1, 8)


class Msr(Stub):
    """Registers: files of them, one for each CPU."""

    name, domain = "msr", "msr/package-0"
    UNIT_J = 1 / 16384

    def make(self, moved, condition):
        os.makedirs(moved.folder)
        subprocess.run([TREE, moved.folder, "skx2s-msr", *(("all=near",) if condition == "wrapping" else ("all=1000000000",))], check=True)

    def register(self, moved, number=None):
        """Read or show the package's energy in all files of package 0: two files stand for its CPUs."""
        value = 0
        for cpu in (0, 1):
            where = os.path.join(moved.folder, "dev/cpu", str(cpu), "msr")
            fd = os.open(where, os.O_RDWR)
            if number is None:
                value = int.from_bytes(os.pread(fd, 8, 8 * 0x611), "little")
            else:
                os.pwrite(fd, number.to_bytes(8, "little"), 8 * 0x611)
            os.close(fd)
        return value

    def show(self, moved, shown_j):
        if not hasattr(moved, "base"):
            moved.base = self.register(moved)
        if not getattr(moved, "is_gone", False):
            self.register(moved, (moved.base + int(shown_j / self.UNIT_J)) % (1 << 32))

    def reset(self, moved):
        moved.base = 0

    def fail(self, moved, condition):
        if condition == "garbage":
            self.register(moved, (1 << 64) - 1)
            return
        # A CPU that went away: its file is empty, whoever has it open.
        for cpu in (0, 1):
            os.truncate(os.path.join(moved.folder, "dev/cpu", str(cpu), "msr"), 0)
        moved.is_gone = True


ROWS = (
    Row("powercap", "skx2s", "*/intel-rapl:0/energy_uj", "powercap/package-0", "package-0"),
    Row("hwmon energy", "amd-energy", "*/energy9_input", "hwmon/amd_energy:package-0", "package-0", untold={"wrapping": NO_WRAP}),
    Row("hwmon power", "grace", "*/ACPI000D:01/power1_average", "hwmon/power_meter:package-0", "package-0",
        untold={"wrapping": NO_COUNTER, "resetting": NO_COUNTER, "frozen": STEADY}),
    Row("hwmon GPU", "xe-gpu", "*/0000:4d:00.0/*/energy1_input", "hwmon/xe:gpu-0", "gpu-0",
        untold={"wrapping": NO_WRAP, "frozen": MAY_REST}),
    Row("amdgpu", "mi250x", "*/0000:c1:00.0/gpu_metrics", "amdgpu/gpu-0", "gpu-0", untold={"wrapping": NO_WRAP}, stale=True),
    Row("cray", "cray-ex-amd", "*/pm_counters/energy", "cray/node", "node", untold={"wrapping": NO_WRAP}, stale=True,
        all_files="*/pm_counters/*"),
    Row("hsmp", "genoa-hsmp", "dev/hsmp", "hsmp/package-0", "package-0",
        untold={"wrapping": NO_WRAP, "frozen": "the driver answers, or fails", "resetting": "as long as the machine is up it counts",
                "garbage": "the driver answers, or fails"}),
    Row("estimate", "no-meter", "proc/stat", "estimate/node", None,
        untold={"wrapping": NO_WRAP, "frozen": "a CPU may be idle", "resetting": "it is no meter's", "denied": "not even an estimate"}),
    Row("file", "no-meter", "run/meter.json", "file/node", 120.5, options=("--meter", "file:/run/meter.json#/watts?unit=W&period=50ms"),
        untold={"wrapping": NO_COUNTER, "resetting": NO_COUNTER, "frozen": STEADY}, more={"run/meter.json": '{"watts": 120.5}\n'}),
    Nvml(),
    Msr(),
)


def row_of(report, domain):
    return next((d for d in report["energy"]["by_domain"] if d["id"] == domain), None) if report else None


def judge_run(row, condition, report, true_j):
    """(what the table says, what is wrong)"""
    seen = row_of(report, row.domain)
    told = {fault["fault"] for fault in report["quality"]["faults"] if fault["id"] == row.domain} if report else {"refused"}
    expected = CONDITIONS[condition][1]
    wrong = []
    if seen and seen["energy_j"] is not None and true_j is not None:
        bound = (seen["uncertainty_j"] or 0) + 1e-3 + (1 if row.name == "cray" else 0)
        over = seen["energy_j"] - true_j
        # What a meter at rest did not show nobody can know; it may not be more than there was.
        if over > bound or (-over > bound and condition not in row.untold and "stood_still" not in told):
            wrong.append(f"{seen['energy_j']} J, true are {true_j} J, bound {bound} J")
    if condition in row.untold:
        return f"- {row.untold[condition]}", wrong
    if expected is None:
        if not seen or seen["energy_j"] is None:
            wrong.append(f"nothing was measured: {seen}")
        return "exact" if not wrong else "WRONG", wrong
    if report is None or not seen or seen["state"] in ("denied", "absent"):
        text = "refused, as it was asked for" if report is None else seen["state"] if seen else "others stand for it"
        return text, wrong if condition == "denied" else [*wrong, f"{seen}"]
    if not told & expected:
        wrong.append(f"told are {told}, not {expected}")
    return ", ".join(sorted(told & expected)), wrong


def judge_sources(row, condition, answer):
    domain = next((d for s in answer["sources"] for d in s["domains"] if d["id"] == row.domain), None)
    if domain is None:
        return "not listed", [] if row.name == "estimate" else [f"sources does not list {row.domain}"]
    wrong = []
    if condition == "denied" and condition not in row.untold and domain["state"] != "denied":
        wrong.append(f"sources: {domain['state']}, {domain['reason']}")
    words = {"vanishing": ("reads failed",), "garbage": ("reads failed", "fitted nothing", "began anew"), "resetting": ("began anew",)}.get(condition)
    if words and condition not in row.untold and domain["state"] in ("ok", "unproven") and \
            not any(word in (domain["reason"] or "") for word in words):
        wrong.append(f"sources: {domain['state']}, {domain['reason']}")
    if condition in ("healthy", "wrapping") and row.name != "estimate" and domain["state"] != "ok":
        wrong.append(f"sources: {domain['state']}, {domain['reason']}")
    return domain["state"], wrong


def run_group(place, group):
    """[(row, condition, cell text, what is wrong)] for a handful of cells, side by side."""
    cells, results = [], []
    try:
        for number, (row, condition) in enumerate(group):
            cells.append((row, condition, row.cell(place, condition, number)))
        for row, condition, cell in cells:
            row.start(cell, condition)
        ends = []
        for row, condition, cell in cells:
            report, true_j = row.finish(cell)
            ends.append(judge_run(row, condition, report, true_j))
        asked = [row.ask(cell, condition) for row, condition, cell in cells]
        for (row, condition, cell), process, (text, wrong) in zip(cells, asked, ends):
            state, more = judge_sources(row, condition, row.told(cell, process))
            results.append((row, condition, f"{text} / {state}", wrong + more))
    finally:
        for row, _, cell in cells:
            row.close(cell)
    return results


def print_table(results):
    print("# source: condition: told in the report / state in sources")
    for row in ROWS:
        for condition in CONDITIONS:
            text = next((t for r, c, t, _ in results if r is row and c == condition), "not run")
            print(f"# {row.name + ':':14} {condition + ':':11} {text}")


def test_every_source_in_every_condition(place):
    """Every source, healthy, denied, vanishing, frozen, resetting, wrapping and with garbage: no joule is wrong, faults are named"""
    if not os.environ.get("ES_FAULTY") or not os.path.exists("/dev/fuse"):
        raise Skip("no libfuse or no /dev/fuse here")
    pairs = [(row, condition) for row in ROWS for condition in CONDITIONS]
    pairs.sort(key=lambda pair: (pair[1] == "frozen" and getattr(pair[0], "stale", False)))
    results = []
    for first in range(0, len(pairs), AT_ONCE):
        results += run_group(place, pairs[first:first + AT_ONCE])
    # On a machine so busy that a fault's time passed between two reads there was nothing to tell: once more, alone.
    for attempt in range(2):
        for i, (row, condition, _, wrong) in enumerate(results):
            if wrong:
                again = os.path.join(place, f"again-{attempt}-{i}")
                os.mkdir(again)
                results[i] = run_group(again, [(row, condition)])[0]
    print_table(results)
    wrong = [f"{row.name}, {condition}: {line}" for row, condition, _, lines in results for line in lines]
    expect(not wrong, "\n".join(wrong))


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
