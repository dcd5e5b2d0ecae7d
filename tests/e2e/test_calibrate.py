#!/usr/bin/env python3
# test_calibrate.py - calibrate from recordings and a wattmeter's file, made up and published, and what report makes of it
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import csv
import json
import os
import random
import subprocess
import sys

import harness
from harness import PLAYER, SOURCE_ROOT, TREE, Skip, call, equal, expect, last_json, near

DATA = os.path.join(SOURCE_ROOT, "..", "shared", "data", "energyscope")
START = 1773403200  # seconds since 1970


def parts_w(t_s):
    """Two packages and their memory at work and at rest, in steps that do not repeat."""
    level = [0, 1, 0.3, 0.9, 0, 0.6, 0.15, 1, 0.45, 0, 0.75, 0.2][int(t_s // 11) % 12]
    return {"package-0": 40 + 90 * level, "package-1": 42 + 80 * level, "dram-0": 6 + 12 * level, "dram-1": 6 + 11 * level}


def recording(place, name, start_s, dur_s=260, extra=None):
    """A recording by way of CSV: powers of the parts each half second."""
    path = os.path.join(place, name + ".csv")
    with open(path, "w") as file:
        file.write("time,domain,power_w\n")
        for i in range(2 * dur_s + 1):
            t_s = start_s + i / 2
            for domain, power_w in {**parts_w(t_s - START), **(extra or {})}.items():
                file.write(f"{t_s},{domain},{power_w:.3f}\n")
    done = call("import", path, "--out", place, "--name", name)
    equal(done.returncode, 0, done.stderr)
    return os.path.join(place, name + ".esr")


def wattmeter(place, slope=1.2, offset_w=965.0, late_s=0.0, noise_w=2.0, from_s=-60, dur_s=2400, name="wattmeter.csv"):
    """Readings each second of a meter that shows slope * parts + offset, late."""
    rng = random.Random(4)
    path = os.path.join(place, name)
    with open(path, "w") as file:
        file.write("time,power_w\n")
        for i in range(from_s, dur_s):
            means = [sum(parts_w(i - late_s - k / 10).values()) for k in range(10)]
            file.write(f"{START + i},{offset_w + slope * sum(means) / 10 + rng.gauss(0, noise_w):.2f}\n")
    return path


def home(place):
    return {"XDG_CONFIG_HOME": os.path.join(place, "config")}


def calibrate(place, *args, status=0):
    done = call("calibrate", "--json", *args, env=home(place))
    equal(done.returncode, status, done.stderr)
    return json.loads(done.stdout) if status == 0 else done.stderr


def test_made_up_node(place):
    """Slope, offset and lag of a node whose truth is known come out, within bounds that are not idle."""
    recordings = [recording(place, f"r{i}", START + 600 * i) for i in range(3)]
    made = calibrate(place, "--meter", wattmeter(place, late_s=2.5), "--class", "lab-1", *recordings)
    near(made["slope"], 1.2, 0.03, "slope")
    # Steps each 11 s, which the meter blurs over 2 s, flatten the line by 1 %: doc/calibration.md.
    near(made["slope"], 1.2, made["slope_uncertainty"] + 0.01, "slope within its bound")
    expect(0 < made["slope_uncertainty"] < 0.05, made)
    near(made["offset_w"], 965, 6, "offset")
    near(made["lag_s"], 2.5, 1.0, "lag")
    equal(made["parts"], ["dram-0", "dram-1", "package-0", "package-1"])
    expect(made["left_out_w"] < 3 and made["r2"] > 0.98, made)
    expect(90 < made["lowest_w"] < 110 and 240 < made["highest_w"] < 290, made)
    equal([r["name"] for r in made["recordings"]], ["r0.esr", "r1.esr", "r2.esr"])
    digest = subprocess.run(["sha256sum", recordings[1]], capture_output=True, text=True, check=True).stdout.split()[0]
    equal(made["recordings"][1]["sha256"], digest)
    expect(made["who"] and made["tool"].startswith("energyscopium"), made)


def test_report_uses_it(place):
    """report carries slope, offset and error into the node's energy, says so, and leaves it out on demand."""
    recordings = [recording(place, f"r{i}", START + 600 * i) for i in range(2)]
    calibrate(place, "--meter", wattmeter(place), "--class", "lab-1", *recordings)
    listed = json.loads(call("calibrate", "--list", "--json", env=home(place)).stdout)["calibrations"]
    equal([c["class"] for c in listed], ["lab-1"])
    # The recordings do not say what they are of: nothing is applied by itself.
    plain = json.loads(call("report", "--json", recordings[0], env=home(place)).stdout)
    equal((plain["model"]["name"], plain["model"]["calibration"]), ("none", None))
    report = json.loads(call("report", "--json", "--model", "calibrated:lab-1", recordings[0], env=home(place)).stdout)
    equal(report["model"]["name"], "calibrated:lab-1")
    energy, dur_s = report["energy"], report["job"]["duration_s"]
    near(energy["node_j"], 1.2 * energy["measured_j"] + 965 * dur_s, 0.01 * energy["node_j"], "node")
    near(energy["node_j"], report["model"]["slope"] * energy["measured_j"] + report["model"]["offset_w"] * dur_s, 1, "chain")
    expect(abs(energy["node_j"] - (1.2 * energy["measured_j"] + 965 * dur_s)) < energy["uncertainty_j"], energy)
    expect(plain["energy"]["uncertainty_j"] < energy["uncertainty_j"] < 0.05 * energy["node_j"], energy)
    near(energy["facility_j"], energy["node_j"] * report["pue"]["value"], 1, "facility")
    equal(report["model"]["calibration"]["outside_range"], False)
    table = call("report", "--model", "calibrated:lab-1", recordings[0], env=home(place)).stdout
    expect("calibrated:lab-1" in table, table)
    off = json.loads(call("report", "--json", "--model", "none", recordings[0], env=home(place)).stdout)
    near(off["energy"]["node_j"], off["energy"]["measured_j"], 1e-6, "none")
    expect("node not calibrated" in call("report", recordings[0], env=home(place)).stdout, "said as before")
    wrong = call("report", "--model", "calibrated:nowhere", recordings[0], env=home(place))
    equal(wrong.returncode, 2)
    expect("--list" in wrong.stderr, wrong.stderr)


def test_other_parts_and_range(place):
    """A calibration is not applied to other parts than its own, and its error is wider outside of its range."""
    recordings = [recording(place, f"r{i}", START + 600 * i) for i in range(2)]
    calibrate(place, "--meter", wattmeter(place), "--class", "lab-1", *recordings)
    other = recording(place, "gpu", START + 1200, extra={"gpu-0": 120.0})
    report = json.loads(call("report", "--json", "--model", "calibrated:lab-1", other, env=home(place)).stdout)
    equal(report["model"]["name"], "none")
    expect("gpu-0" in report["model"]["text"], report["model"])
    path = os.path.join(place, "hot.csv")
    with open(path, "w") as file:
        file.write("time,domain,power_w\n")
        for i in range(121):
            for domain, power_w in (("package-0", 300), ("package-1", 300), ("dram-0", 30), ("dram-1", 30)):
                file.write(f"{START + i},{domain},{power_w}\n")
    equal(call("import", path, "--out", place, "--name", "hot").returncode, 0)
    hot = json.loads(call("report", "--json", "--model", "calibrated:lab-1", os.path.join(place, "hot.esr"),
                          env=home(place)).stdout)
    equal(hot["model"]["calibration"]["outside_range"], True)
    highest_w = hot["model"]["calibration"]["highest_w"]
    expect(hot["model"]["calibration"]["uncertainty_j"] > 0.5 * (660 - highest_w) * 120, hot["model"])
    expect("outside" in hot["model"]["text"], hot["model"])


def test_nonsense_is_refused(place):
    """Too little, too narrow, unrelated, falling, or less than the parts: no calibration, and the reason in words."""
    whole = recording(place, "whole", START)

    def refused(meter, *recordings):
        return calibrate(place, "--meter", meter, "--class", "x", *recordings, status=1)

    expect("too few" in refused(wattmeter(place), recording(place, "short", START, dur_s=30)), "short")
    path = os.path.join(place, "idle.csv")
    with open(path, "w") as file:
        file.write("time,domain,power_w\n")
        for i in range(241):
            file.write(f"{START + i},package-0,{100 + i % 3}\n")
    equal(call("import", path, "--out", place, "--name", "idle").returncode, 0)
    expect("range" in refused(wattmeter(place), os.path.join(place, "idle.esr")), "idle")
    expect("slope" in refused(wattmeter(place, slope=-0.5, name="falling.csv"), whole), "falling")
    said = refused(wattmeter(place, slope=0, noise_w=40, name="noise.csv"), whole)
    expect("slope" in said or "together" in said, said)
    expect("less than the parts" in refused(wattmeter(place, slope=0.8, offset_w=5, name="less.csv"), whole), "less")
    expect("no readings at the time" in refused(wattmeter(place, from_s=5000, dur_s=6000, name="later.csv"), whole), "later")
    expect("no meter of a node" in refused("bmc", whole), "bmc")
    expect("no readings of that meter" in refused("pdu-7", whole), "pdu")
    empty = os.path.join(place, "empty.csv")
    with open(empty, "w") as file:
        file.write("when,watts\n1,2\n")
    expect("time" in refused(empty, whole), "columns")
    equal(json.loads(call("calibrate", "--list", "--json", env=home(place)).stdout)["calibrations"], [])
    equal(call("calibrate", "--meter", "bmc").returncode, 2)
    equal(call("calibrate", "--meter", "bmc", "--class", "../x", whole).returncode, 2)
    equal(call("calibrate", "--list", "--show", "x").returncode, 2)


def test_kept_and_removed(place):
    """A calibration is a file that is shown, not replaced without --force, removed; a broken one is told and left out."""
    whole, meter = recording(place, "whole", START), wattmeter(place)
    calibrate(place, "--meter", meter, "--class", "lab-1", whole)
    expect("--force" in calibrate(place, "--meter", meter, "--class", "lab-1", whole, status=1), "again")
    calibrate(place, "--meter", meter, "--class", "lab-1", "--force", whole)
    shown = json.loads(call("calibrate", "--show", "lab-1", "--json", env=home(place)).stdout)
    equal(shown["class"], "lab-1")
    with open(shown["file"]) as file:
        kept = json.load(file)
    equal(kept["schema"], "energyscopium.calibration/1")
    near(kept["slope"], shown["slope"], 0, "read back")
    broken = os.path.join(os.path.dirname(shown["file"]), "broken.json")
    with open(broken, "w") as file:
        json.dump({**kept, "class": "broken", "slope": -1}, file)
    done = call("calibrate", "--list", env=home(place))
    expect("broken.json" in done.stderr and "'slope'" in done.stderr and "lab-1" in done.stdout, done.stderr)
    equal(call("calibrate", "--remove", "lab-1", env=home(place)).returncode, 0)
    equal(call("calibrate", "--remove", "lab-1", env=home(place)).returncode, 1)
    equal(os.path.exists(shown["file"]), False)
    out = os.path.join(place, "there", "c.json")
    equal(calibrate(place, "--meter", meter, "--class", "lab-1", "--out", out, whole)["file"], out)
    equal(calibrate(place, "--meter", meter, "--class", "lab-2", "--dry-run", whole)["file"], None)


def test_bmc_in_the_recording(place):
    """With the node's meter in the recordings bmc is that one; their reports take it for the node and nothing on top."""
    recordings = []
    for k in range(2):
        path = os.path.join(place, f"b{k}.csv")
        with open(path, "w") as file:
            file.write("time,domain,power_w\n")
            for i in range(521):
                t_s = START + 600 * k + i / 2
                powers = parts_w(t_s - START)
                powers["node"] = 150 + 1.3 * sum(parts_w(t_s - START - 3).values())
                file.writelines(f"{t_s},{domain},{power_w:.3f}\n" for domain, power_w in powers.items())
        equal(call("import", path, "--out", place, "--name", f"b{k}").returncode, 0)
        recordings.append(os.path.join(place, f"b{k}.esr"))
    report = json.loads(call("report", "--json", recordings[0]).stdout)
    node = next(d for d in report["energy"]["by_domain"] if d["type"] == "node")
    equal((node["chosen_total"], node["kind"], report["energy"]["kind"]), (True, "integrated", "integrated"), node)
    equal((node["update_period_ms"], node["period_ms"]), (None, 500), node)
    made = calibrate(place, "--meter", "bmc", "--class", "lab-2", *recordings)
    near(made["slope"], 1.3, 0.02, "slope")
    near(made["offset_w"], 150, 4, "offset")
    near(made["lag_s"], 3, 0.5, "lag")
    equal(made["meter"], node["id"])
    own = json.loads(call("report", "--json", "--model", "calibrated:lab-2", recordings[0], env=home(place)).stdout)
    equal(own["model"]["name"], "none")
    checks = json.loads(call("sources", "--json", "--cross-check", recordings[0]).stdout)["cross_check"]
    late = next(c for c in checks if c["y"] == node["id"])
    equal(late["verdict"], "late", late)
    near(late["lag_s"], 3, 0.7, "lag in the cross-check")


def test_run_uses_its_class(place):
    """A run on a node of the class uses its calibration by itself, exactly, unless told not to."""
    root = os.path.join(place, "skx2s")
    subprocess.run([TREE, root, "skx2s"], check=True)
    with open(os.path.join(root, "proc", "cpuinfo")) as file:
        cpu = next(line.split(":", 1)[1].strip() for line in file if line.startswith("model name"))
    kept = {"schema": "energyscopium.calibration/1", "class": "skx", "parts": ["package-0", "package-1", "dram-0", "dram-1"],
            "node": {"cpu_model": cpu, "packages": 2, "gpus": 0, "gpu_model": None, "memory_gib": None},
            "slope": 1.25, "slope_uncertainty": 0.01, "offset_w": 80, "offset_uncertainty_w": 2, "mean_w": 300,
            "mean_uncertainty_w": 1, "residual_w": 3, "left_out_w": 2, "r2": 0.99, "lowest_w": 1, "highest_w": 1000,
            "lowest_load": None, "highest_load": None, "windows": 100, "independent_windows": 80, "window_s": 5, "lag_s": None,
            "lag_uncertainty_s": None, "meter": "wattmeter.csv", "meter_accuracy_ppm": 10000, "who": "me", "tool": "t",
            "when": "2026-03-13T12:00:00Z", "recordings": []}
    folder = os.path.join(place, "config", "energyscopium", "calibrations")
    os.makedirs(folder)
    with open(os.path.join(folder, "skx.json"), "w") as file:
        json.dump(kept, file)

    def run(name, *args):
        done = call("run", "--root", root, "--out", place, "--name", name, "--json", *args, "--", PLAYER, root, "--random", "1",
                    "--duration", "2s", env=home(place))
        equal(done.returncode, 0, done.stderr)
        return last_json(done.stderr), done.stderr

    report, said = run("a")
    energy, dur_s = report["energy"], report["job"]["duration_s"]
    equal(report["model"]["name"], "calibrated:skx", said)
    near(energy["node_j"], 1.25 * energy["measured_j"] + 80 * dur_s, 1e-6 * energy["node_j"], "node")
    expect(energy["uncertainty_j"] > 0.01 * energy["node_j"], energy)
    expect("calibrated:skx" in said, said)
    report, said = run("b", "--model", "none")
    near(report["energy"]["node_j"], report["energy"]["measured_j"], 1e-6, "none")
    kept["node"]["packages"] = 4
    with open(os.path.join(folder, "skx.json"), "w") as file:
        json.dump(kept, file)
    report, said = run("c")
    equal(report["model"]["name"], "none", "another class")
    expect("node not calibrated" in said, said)


def published(place, metric, path):
    """Readings of a meter of the published run, in the order they came."""
    with open(os.path.join(DATA, "kwollect-energyscope_energyscope.csv")) as file:
        rows = [r for r in csv.DictReader(file) if r["metric_id"] == metric]
    with open(os.path.join(place, path), "w") as file:
        file.write("time,power_w\n")
        file.writelines(f"{r['timestamp'].replace(' ', 'T')}Z,{r['value']}\n" for r in rows)
    return os.path.join(place, path)


def test_published_node(place):
    """On a published node (8 GPUs, 2 processors) the wattmeter rises by 1.20 W for each W of the processors; its BMC does not do."""
    if not os.path.exists(os.path.join(DATA, "experiments.json")):
        raise Skip("the published measurements are not here: ../shared/data/energyscope")
    prefix = "data.arch.gemini-1.arch."
    columns = {"package-0": prefix + "0.data.ecpu(W)", "dram-0": prefix + "0.data.edram(W)",
               "package-1": prefix + "1.data.ecpu(W)", "dram-1": prefix + "1.data.edram(W)"}
    jobs = {}
    with open(os.path.join(DATA, "energyscope_energyscope.csv")) as file:
        for row in csv.DictReader(file):
            jobs.setdefault(row["jobid"], []).append(row)
    recordings = []
    for job, rows in jobs.items():
        path = os.path.join(place, job + ".csv")
        with open(path, "w") as file:
            file.write("time,domain,power_w\n")
            for row in rows:
                at = row["timestamp"].replace(" ", "T") + "Z"
                file.writelines(f"{at},{name},{row[column]}\n" for name, column in columns.items())
        equal(call("import", path, "--out", place, "--name", job).returncode, 0)
        recordings.append(os.path.join(place, job + ".esr"))
    wall = calibrate(place, "--meter", published(place, "wattmetre_power_watt", "wall.csv"), "--class", "gemini", *recordings)
    print("# wall", {k: wall[k] for k in ("slope", "slope_uncertainty", "offset_w", "offset_uncertainty_w", "lag_s",
                                          "lag_uncertainty_s", "residual_w", "left_out_w", "r2", "windows",
                                          "independent_windows", "lowest_w", "highest_w")})
    near(wall["slope"], 1.20, 0.05, "slope of the wattmeter")
    expect(wall["slope_uncertainty"] < 0.05, wall)
    near(wall["offset_w"], 965, 15, "what the processors do not see, idle GPUs among it")
    expect(wall["left_out_w"] < 0.01 * 1170, wall)
    # The BMC is read each 5 s and shows 10 W at a time, late: 95 W of range do not give a slope.
    said = calibrate(place, "--meter", published(place, "bmc_node_power_watt", "bmc.csv"), "--class", "gemini-bmc",
                     *recordings, status=1)
    expect("slope" in said or "too few" in said, said)


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
