#!/usr/bin/env python3
# test_import.py - energyscopium import: real runs of other tools, and our own files back again
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import gzip
import io
import json
import os
import shutil
import sys
import tarfile

import harness
from harness import SOURCE_ROOT, Skip, call, equal, expect, near

DATA = os.path.join(SOURCE_ROOT, "..", "shared", "data")


def data(*parts):
    path = os.path.join(DATA, *parts)
    if not os.path.exists(path):
        raise Skip(f"shared/data/{'/'.join(parts)} is not here")
    return path


def do_import(place, *args, status=0):
    done = call("import", "--json", "--out", os.path.join(place, "out"), *args)
    equal(done.returncode, status, done.stderr)
    return json.loads(done.stdout), done


def report(path, *args):
    done = call("report", "--json", path, *args)
    equal(done.returncode, 0, done.stderr)
    return json.loads(done.stdout)


def check_published(path):
    """The figures of the published run."""
    told = report(path, "--zone", "FR")
    joules = {d["domain"]: d["energy_j"] for d in told["energy"]["by_domain"]}
    near(joules["package-0"], 40379.55, 1, "package-0")
    near(joules["package-1"], 38997.58, 1, "package-1")
    near(joules["dram-0"], 8413.62, 1, "dram-0")
    near(joules["dram-1"], 8618.85, 1, "dram-1")
    near(told["energy"]["node_j"], 96409.6, 0.5, "total")
    near(told["job"]["duration_s"], 514.10, 0.01, "duration")
    near(told["energy"]["load"], 0.5719, 0.00005, "load")
    equal(told["energy"]["kind"], "measured")
    old = report(path, "--zone", "FR", "--model", "joule_model_202203", "--carbon", "carbon_model_202203")
    equal(old["energy"]["measured_j"], 96407)
    equal(old["energy"]["node_j"], 127247)
    near(old["carbon"]["gco2"], 1.789, 0.0005, "gCO2 as published")


def test_energy_scope_folder(place):
    """A run of Energy Scope 2022 in a folder gives the published joules and grams."""
    told, _ = do_import(place, data("energyscope", "cpu_run_12_0"))
    equal(told["schema"], "energyscopium.import/1")
    equal(len(told["recordings"]), 1)
    check_published(told["recordings"][0])
    tags = json.load(open(told["eprofiles"][0]))["tags"]
    expect({"es_total", "es_appli_total"} <= tags.keys(), tags.keys())
    near(tags["es_appli_total"]["joule(J)"], 95392, 30, "es_appli_total")


def test_energy_scope_files(place):
    """The files of one run, named one by one, are one run."""
    folder = data("energyscope", "cpu_run_12_0")
    told, _ = do_import(place, *(os.path.join(folder, name) for name in sorted(os.listdir(folder))))
    equal(len(told["recordings"]), 1)
    check_published(told["recordings"][0])


def test_energy_scope_tarball(place):
    """The same run as a tarball, under the names it had, gives the same."""
    folder = data("energyscope", "cpu_run_12_0")
    names = {"cmd.txt": "energy_scope_cmd_20221108030822", "discover.json": "es_discover_result_20221108030822_gemini-1.txt",
             "raw_msr.json.gz": "es_read_rt_result_20221108030822_gemini-1.txt", "es_config.json": "es_config.json"}
    path = os.path.join(place, "energy_scope_20221108030822.tar.gz")
    with tarfile.open(path, "w:gz") as tar:
        for old, new in names.items():
            content = open(os.path.join(folder, old), "rb").read()
            content = gzip.decompress(content) if old.endswith(".gz") else content
            info = tarfile.TarInfo("tmp_energy_scope_20221108030822/" + new)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    told, _ = do_import(place, path)
    check_published(told["recordings"][0])


def test_cluster_cockpit(place):
    """A ClusterCockpit job: 32 nodes, one day, and its missing values stay missing."""
    told, _ = do_import(place, data("clustercockpit"))
    got = report(told["recordings"][0], "--zone", "DE")
    equal(len(got["job"]["nodes"]), 32)
    near(got["energy"]["node_j"] / got["job"]["duration_s"] / 32, 228.07, 0.5, "mean power of a node, by the site's own statistics")
    expect(got["energy"]["time_coverage"] < 0.9 and got["quality"]["gaps_total"] > 100, "gaps are not told")
    equal(got["energy"]["kind"], "mixed")


def test_own_eprofile(place):
    """An eprofile we wrote reads back to the same numbers."""
    out = os.path.join(place, "first")
    done = call("run", "--out", out, "--name", "mine", "--period", "20ms", "--", "sleep", "0.5")
    equal(done.returncode, 0, done.stderr)
    told, _ = do_import(place, os.path.join(out, "mine.eprofile.json"))
    first, again = (json.load(open(p)) for p in (os.path.join(out, "mine.eprofile.json"), told["eprofiles"][0]))
    for key in ("eprofile_period(ms)", "nb_sample", "kind", "etotal(W)", "ecpu(W)", "devices"):
        equal(again[key], first[key], key)
    equal({n: t["joule(J)"] for n, t in again["tags"].items() if n == "es_total"},
          {n: t["joule(J)"] for n, t in first["tags"].items() if n == "es_total"}, "tags")
    one, two = (report(p) for p in (os.path.join(out, "mine.esr"), told["recordings"][0]))
    equal(two["energy"]["node_j"], one["energy"]["node_j"], "energy")
    near(two["job"]["duration_s"], one["job"]["duration_s"], 1e-6, "duration")


def test_csv(place):
    """A CSV of powers or of counters, several nodes: the energy worked out by hand."""
    path = os.path.join(place, "x.csv")
    with open(path, "w") as file:
        file.write("time,domain,power_w\n")
        for i in range(11):
            file.write(f"2026-03-01T10:00:{i:02d}Z,n1/package-0,{100 + 10 * i}\n")
            file.write(f"2026-03-01T10:00:{i:02d}Z,n2/package-0,50\n")
    told, _ = do_import(place, "--name", "powers", "--ncpus", "64", path)
    got = report(told["recordings"][0], "--pue", "1.3", "--zone", "FR", "--carbon", "carbon_model_2024")
    near(got["energy"]["node_j"], 1500 + 500, 1e-6, "trapezoids")
    equal(got["job"]["nodes"], ["n1", "n2"])
    equal(got["job"]["ncpus"], 64)
    with open(path, "w") as file:
        file.write("time,domain,energy_j\n0,package-0,1000\n1,package-0,1100.5\n2,package-0,1300\n")
    told, _ = do_import(place, "--name", "counters", path)
    near(report(told["recordings"][0])["energy"]["node_j"], 300, 1e-6, "counter")


def test_golden_line(place):
    """The job line of interfaces, from two imported nodes at 10.5812 kWh over 81,036 s."""
    path = os.path.join(place, "golden.csv")
    watts = 10.5812 * 3.6e6 / 81036 / 2
    with open(path, "w") as file:
        file.write("time,domain,power_w\n")
        for second in range(0, 81037, 4):
            for node in ("n231", "n313"):
                file.write(f"{1750000000 + second},{node}/node,{watts:.9f}\n")
    told, _ = do_import(place, "--name", "10166268", "--ncpus", "64", path)
    done = call("report", "--line", "--pue", "1.3", "--zone", "FR", "--carbon", "carbon_model_2024", told["recordings"][0])
    equal(done.stdout, "energyscopium jobid<10166268> nodes<['n231', 'n313']> ncpus <64> duration(hour)<22.51> "
          "estimated energy(kWh)<10.58> with adding cooling (PUE=1.3): (kWh)<13.76> and (gCO2 in FR)<687.78>\n")


def test_csv_round_trip(place):
    """What profile writes as CSV comes back with the same energy."""
    out = os.path.join(place, "first")
    call("run", "--out", out, "--name", "mine", "--period", "20ms", "--", "sleep", "0.4")
    path = os.path.join(place, "mine.csv")
    equal(call("profile", "--csv", path, os.path.join(out, "mine.esr")).returncode, 0)
    told, _ = do_import(place, "--name", "back", path)
    one, two = (report(p) for p in (os.path.join(out, "mine.esr"), told["recordings"][0]))
    near(two["energy"]["node_j"], one["energy"]["node_j"], 2e-6, "energy")
    equal(two["job"]["nodes"], one["job"]["nodes"])
    near(two["job"]["duration_s"], one["job"]["duration_s"], 1e-5, "duration")


def test_bad_imports(place):
    """What cannot be imported is named with what could be, and does not keep the others back."""
    cases = {"empty.json": b"", "text.txt": b"hello\n", "cut.json": b'{"pgm": "es_read_rt.py@inria", "data": [{"index": 0,',
             "other.json": b'{"a": 1}', "header.csv": b"a,b,c\n1,2,3\n", "bad.csv": b"time,domain,power_w\nx,y,z\n",
             "cut.tar.gz": gzip.compress(b"x" * 700)[:60]}
    for name, content in cases.items():
        path = os.path.join(place, name)
        with open(path, "wb") as file:
            file.write(content)
        done = call("import", "--out", os.path.join(place, "out"), path)
        equal(done.returncode, 1, f"{name}: {done.stdout}")
        expect(name in done.stderr and done.stderr.startswith("energyscopium import:"), f"{name}: {done.stderr}")
    done = call("import", "--out", os.path.join(place, "out"), "/no/such/run")
    expect(done.returncode == 1 and "/no/such/run" in done.stderr, done.stderr)
    good = os.path.join(place, "good.csv")
    with open(good, "w") as file:
        file.write("time,domain,power_w\n0,package-0,10\n1,package-0,10\n")
    told, _ = do_import(place, os.path.join(place, "text.txt"), good)
    equal(len(told["recordings"]), 1)
    expect(any("text.txt" in warning for warning in told["warnings"]), told["warnings"])
    told, _ = do_import(place, "--force", place, os.path.join(place, "cut.tar.gz"), "/no/such/run", status=1)
    expect(told["recordings"], "a path that is not there kept the others back")
    done = call("import", "--out", os.path.join(place, "out"), good)
    equal(done.returncode, 1)
    expect("exists" in done.stderr, done.stderr)
    shutil.rmtree(os.path.join(place, "out"))
    equal(call("import").returncode, 2)


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
