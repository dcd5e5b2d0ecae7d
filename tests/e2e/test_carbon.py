#!/usr/bin/env python3
# test_carbon.py - carbon over time: files of figures, contracts, machines, price, as users meet them
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import datetime
import gzip
import hashlib
import json
import os
import sys
import time
import xml.etree.ElementTree

import harness
from harness import SOURCE_ROOT, Skip, call, equal, expect, last_json, near

DATA = os.path.join(SOURCE_ROOT, "..", "shared", "data")
UTC = datetime.timezone.utc
J_PER_KWH = 3.6e6
PUE = 1.2


def data(*parts):
    path = os.path.join(DATA, *parts)
    if not os.path.exists(path):
        raise Skip(f"shared/data/{'/'.join(parts)} is not here")
    return path


def moment(text):
    return datetime.datetime.fromisoformat(text).astimezone(UTC)


def watts(second):
    """The job: a slow wave and a step, so that no two quarters of an hour are alike."""
    return 200 + 37 * (second // 300 % 7) + (300 if second % 1800 > 900 else 0)


def joules(start, stop):
    """Energy of (start, stop] in seconds: a reading each second holds until the next."""
    return sum(watts(s) for s in range(start, stop))


def make_job(place, start, dur_s, name="job"):
    """A recording of dur_s seconds with a counter that grows by watts(second) each second."""
    path = os.path.join(place, f"{name}.csv")
    total = 0
    with open(path, "w", encoding="utf-8") as file:
        file.write("time,domain,energy_j\n")
        for s in range(dur_s + 1):
            t = (start + datetime.timedelta(seconds=s)).strftime("%Y-%m-%dT%H:%M:%SZ")
            file.write(f"{t},package-0,{total}\n")
            total += watts(s)
    done = call("import", "--json", "--out", place, path)
    equal(done.returncode, 0, done.stderr)
    return json.loads(done.stdout)["recordings"][0]


def report(recording, *args, status=0, env=None):
    done = call("report", "--json", recording, "--pue", str(PUE), *args, env=env)
    equal(done.returncode, status, done.stderr)
    return json.loads(done.stdout)["carbon"] if status == 0 else done.stderr


def check(carbon, figures, start, dur_s, step_s):
    """Against {moment: g/kWh}: each slot's joules and grams, and their sums."""
    stop = start + datetime.timedelta(seconds=dur_s)
    grams = 0
    at = start
    for slot in carbon["slots"]:
        equal(moment(slot["start"]), at, "slots follow each other")
        since = datetime.timedelta(seconds=(at - datetime.datetime.fromtimestamp(0, UTC)).total_seconds() % step_s)
        end = min(at - since + datetime.timedelta(seconds=step_s), stop)
        equal(moment(slot["stop"]), end, "a slot ends on the grid")
        first, last = int((at - start).total_seconds()), int((end - start).total_seconds())
        near(slot["energy_j"], joules(first, last), 1e-6, "joules of a slot")
        equal(slot["g_per_kwh"], figures[at - since], "figure of a slot")
        near(slot["gco2"], slot["energy_j"] / J_PER_KWH * PUE * slot["g_per_kwh"], 1e-9, "grams of a slot")
        grams += joules(first, last) / J_PER_KWH * PUE * figures[at - since]
        at = end
    equal(at, stop, "slots cover the job")
    near(sum(s["energy_j"] for s in carbon["slots"]), joules(0, dur_s), 1e-5, "sum of joules")
    near(carbon["gco2"], grams, 1e-9, "grams")
    near(carbon["g_per_kwh"], grams / (joules(0, dur_s) / J_PER_KWH * PUE), 1e-9, "mean weighted by energy")
    equal(carbon["time_coverage"], 1)


def eco2mix(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        records = json.load(file)["records"]
    return {moment(r["fields"]["date_heure"]): r["fields"]["taux_co2"] for r in records if "taux_co2" in r["fields"]}


def test_real_eco2mix(place):
    """Grams of a job in France are those of RTE's quarters of an hour."""
    path = data("carbon", "odre_eco2mix_fr_2023-09-21_v1.json.gz")
    start = datetime.datetime(2023, 9, 21, 15, 37, 11, tzinfo=UTC)
    recording = make_job(place, start, 7300)
    before = hashlib.sha256(open(recording, "rb").read()).hexdigest()
    carbon = report(recording, "--carbon-file", path)
    check(carbon, eco2mix(path), start, 7300, 900)
    equal((carbon["zone"], carbon["kind"], carbon["scope"], carbon["year"]), ("FR", "average", "direct", 2023))
    equal(carbon["factor_id"], "RTE-eCO2mix-FR-average-direct-2023")
    equal(hashlib.sha256(open(recording, "rb").read()).hexdigest(), before, "the recording is as it was")


def test_made_up_eco2mix(place):
    """The same with made-up figures in the same shape, as they are and packed."""
    start = datetime.datetime(2026, 3, 1, 10, 7, 3, tzinfo=UTC)
    grid = datetime.datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
    figures = {grid + datetime.timedelta(minutes=15 * i): 10 + (i * 7) % 23 for i in range(30)}
    paris = datetime.timezone(datetime.timedelta(hours=1))
    records = [{"fields": {"date_heure": t.astimezone(paris).isoformat(), "taux_co2": g, "nature": "x"}}
               for t, g in sorted(figures.items(), key=lambda item: item[1])]
    text = json.dumps({"nhits": 30, "records": records}, indent=1)
    plain, packed = os.path.join(place, "f.json"), os.path.join(place, "f.json.gz")
    open(plain, "w", encoding="utf-8").write(text)
    gzip.open(packed, "wt", encoding="utf-8").write(text)
    recording = make_job(place, start, 4000)
    check(report(recording, "--carbon-file", plain), figures, start, 4000, 900)
    check(report(recording, "--carbon-file", packed), figures, start, 4000, 900)


def test_real_entsoe(place):
    """Generation by type times the IPCC's medians, as computed by hand."""
    path = data("carbon", "entsoe_generation_be.xml")
    factor = {"B01": 230, "B04": 490, "B06": 840, "B11": 24, "B14": 12, "B16": 48, "B18": 12, "B19": 11}
    ns = {"g": "urn:iec62325.351:tc57wg16:451-6:generationloaddocument:3:0"}
    mix = [[0, 0], [0, 0]]
    for series in xml.etree.ElementTree.parse(path).getroot().findall("g:TimeSeries", ns):
        psr = series.find("g:MktPSRType/g:psrType", ns).text
        if psr not in factor or series.find("g:inBiddingZone_Domain.mRID", ns) is None:
            continue
        for point in series.findall("g:Period/g:Point", ns):
            i = int(point.find("g:position", ns).text) - 1
            mix[i][0] += float(point.find("g:quantity", ns).text)
            mix[i][1] += float(point.find("g:quantity", ns).text) * factor[psr]
    start = datetime.datetime(2024, 1, 1, 0, 20, tzinfo=UTC)
    carbon = report(make_job(place, start, 3600), "--carbon-file", path)
    equal((carbon["zone"], carbon["kind"], carbon["scope"]), ("BE", "average", "lifecycle"))
    for slot, (power, grams) in zip(carbon["slots"], mix):
        near(slot["g_per_kwh"], grams / power, 1e-9, "the mix of an hour")
    equal([s["stop"][11:16] for s in carbon["slots"]], ["01:00", "01:20"])
    expect("Other" in carbon["note"], carbon["note"])


def write(place, name, text):
    path = os.path.join(place, name)
    open(path, "w", encoding="utf-8").write(text)
    return path


START = datetime.datetime(2026, 3, 1, 0, 0, tzinfo=UTC)


def test_choices(place):
    """Zones, scopes and kinds are never mixed: the choice is offered, and the job's zone is taken."""
    rows = ["start,stop,g_per_kwh,zone,kind,scope"]
    for zone, scale in (("FR", 1), ("DE", 10)):
        for scope, more in (("lifecycle", 2), ("direct", 1)):
            rows.append(f"2026-03-01T00:00Z,2026-03-02T00:00Z,{20 * scale * more},{zone},average,{scope}")
    path = write(place, "table.csv", "\n".join(rows) + "\n")
    recording = make_job(place, START, 60)
    said = report(recording, "--carbon-file", path, "--zone", "FR", status=2)
    expect("--carbon-scope lifecycle|direct" in said, said)
    said = report(recording, "--carbon-file", path, "--zone", "BE", status=1)
    expect("FR, DE" in said, said)
    for zone, scope, g in (("FR", "lifecycle", 40), ("DE", "direct", 200)):
        carbon = report(recording, "--carbon-file", path, "--zone", zone, "--carbon-scope", scope)
        equal((carbon["g_per_kwh"], carbon["scope"]), (g, scope))
        equal(carbon["factor_id"], f"table-{zone}-average-{scope}-2026")
    said = report(recording, "--carbon-file", path, "--carbon", "carbon_model_2024", status=2)
    expect("not both" in said, said)
    said = report(recording, "--carbon-scope", "direct", status=2)
    expect("--carbon-file" in said, said)


def test_zones_of_files(place):
    """A zone that only the file knows can be asked for; without a word from the user the file's only zone is taken."""
    recording = make_job(place, START, 60)
    day = "2026-03-01T00:00Z,2026-03-02T00:00Z"
    path = write(place, "f.csv", f"start,stop,g_per_kwh,zone\n{day},100,US-XY\n{day},200,US-XZ\n")
    done = call("report", recording, "--carbon-file", path, "--zone", "us-xz", "--line")
    expect("(gCO2 in US-XZ)<" in done.stdout, done.stdout + done.stderr)
    carbon = report(recording, "--carbon-file", path, "--zone", "US-XY")
    equal((carbon["zone"], carbon["zone_source"], carbon["g_per_kwh"]), ("US-XY", "option --zone", 100))
    said = report(recording, "--carbon-file", path, "--zone", "US-NO", status=1)
    expect("US-XY, US-XZ" in said, said)
    said = report(recording, "--carbon-file", path, status=1)
    expect("several zones" in said and "--zone" in said, said)
    one = write(place, "one.csv", f"start,stop,g_per_kwh,zone\n{day},100,US-XY\n")
    carbon = report(recording, "--carbon-file", one)
    equal((carbon["zone"], carbon["zone_source"]), ("US-XY", f"file {one}"))
    bare = write(place, "bare.csv", f"start,stop,g_per_kwh\n{day},100\n")
    for zone in ("FR", "MY-GRID"):
        equal(report(recording, "--carbon-file", bare, "--zone", zone)["zone"], zone)
    folder = os.path.join(place, "folder")
    os.mkdir(folder)
    write(folder, "a.csv", "# source: s\nstart,stop,g_per_kwh\n2026-03-01T00:00Z,2026-03-01T00:00:30Z,100\n")
    write(folder, "b.csv", "# source: s\nstart,stop,g_per_kwh\n2026-03-01T00:00:30Z,2026-03-01T00:01Z,200\n")
    carbon = report(recording, "--carbon-file", folder)
    equal([s["g_per_kwh"] for s in carbon["slots"]], [100, 200])


def test_line_and_table(place):
    """Job line and table use the file and say what they leave open."""
    path = write(place, "f.csv", "start,stop,g_per_kwh\n2026-03-01T00:00Z,2026-03-01T00:00:45Z,100\n")
    recording = make_job(place, START, 60)
    done = call("report", recording, "--zone", "FR", "--pue", "1", "--carbon-file", path, "--market", "5",
                "--embodied", "1000:4", "--price", "0.25:EUR:night")
    equal(done.returncode, 0, done.stderr)
    want = joules(0, 60) / J_PER_KWH * 100
    found = harness.LINE.search(done.stdout)
    near(float(found.group(4)), want, 0.01 * want, "grams of the line")
    expect("(gCO2 in FR)" in found.group(0), found.group(0))
    for words in ("in FR, kind not stated, scope not stated, f 2026", "75.0 % of the time", "by contract: 5 g/kWh",
                  "1000 kg over 4 years", "gCO2e per job (SCI", "EUR: 0.25 EUR/kWh, night (option --price)"):
        expect(words in done.stdout, f"{words!r} in\n{done.stdout}")
    carbon = report(recording, "--zone", "FR", "--carbon-file", path)
    equal((carbon["kind"], carbon["scope"]), (None, None))
    expect(carbon["uncertainty_g"] is None, "one figure has no spread")
    short = write(place, "s.csv", "start,stop,g_per_kwh\n2026-03-01T00:00Z,2026-03-01T00:00:29Z,100\n")
    done = call("report", recording, "--zone", "FR", "--carbon-file", short)
    expect("(gCO2 in FR)<n/a>" in done.stdout, done.stdout)


def test_configuration(place):
    """The keys of the configuration do what the options do, and options win."""
    path = write(place, "f.csv", "start,stop,g_per_kwh,kind\n2026-03-01T00:00Z,2026-03-02T00:00Z,100,average\n"
                                 "2026-03-01T00:00Z,2026-03-02T00:00Z,7,market\n")
    conf = write(place, "c.yaml", f"carbon_file: {path}\ncarbon_scope: direct\nembodied_kg: 1000\nlifetime_years: 8\n"
                                  "price: 0.1:CHF\nzone: CH\n")
    env = {"ENERGYSCOPIUM_CONFIG": conf}
    recording = make_job(place, START, 3600)
    carbon = report(recording, env=env)
    equal((carbon["g_per_kwh"], carbon["zone"], carbon["scope"]), (100, "CH", "direct"))
    near(carbon["embodied_g"], 1e6 / (8 * 365 * 24), 1e-9, "embodied")
    near(carbon["market_gco2"], joules(0, 3600) / J_PER_KWH * PUE * 7, 1e-9, "market of the file")
    near(carbon["sci"]["g_per_unit"], carbon["gco2"] + carbon["embodied_g"], 1e-9, "SCI")
    carbon = report(recording, "--market", "9", "--carbon", "carbon_model_2024", "--zone", "FR", env=env)
    equal((carbon["g_per_kwh"], carbon["market_g_per_kwh"], carbon["slots"]), (50, 9, None))
    bad = write(place, "b.yaml", "lifetime_years: 0\nmarket_g_per_kwh: -1\ncarbon_kind: both\n")
    said = report(recording, env={"ENERGYSCOPIUM_CONFIG": bad}, status=2)
    for words in ("lifetime_years", "market_g_per_kwh", "carbon_kind"):
        expect(words in said, said)
    for price in ("cheap", "1", "1:euro", "-1:EUR", "1:EURO"):
        bad = write(place, "b.yaml", f"price: {price}\n")
        expect(f"price '{price}'" in report(recording, env={"ENERGYSCOPIUM_CONFIG": bad}, status=2), price)
        expect("--price" in report(recording, "--price", price, status=2), price)


def test_run(place):
    """A file is checked before a command starts, and read when it has ended."""
    now = int(time.time())
    text = "start,stop,g_per_kwh,zone,scope\n@%d,@%d,40,FR,lifecycle\n"
    path = write(place, "f.csv", text % (now - 3600, now - 1800))
    update = write(place, "g.csv", text % (now - 3600, now + 3600))
    done = call("run", "--out", place, "--name", "a", "--json", "--carbon-file", path, "--", "mv", update, path)
    equal(done.returncode, 0, done.stderr)
    carbon = last_json(done.stderr)["carbon"]
    equal((carbon["g_per_kwh"], carbon["time_coverage"], carbon["zone"]), (40, 1, "FR"))
    done = call("run", "--out", place, "--name", "b", "--json", "--carbon-file", path, "--", "rm", path)
    equal(done.returncode, 0, done.stderr)
    carbon = last_json(done.stderr)["carbon"]
    equal(carbon["gco2"], None)
    expect("f.csv" in carbon["note"], carbon["note"])
    expect(harness.LINE.search(done.stderr.replace("gCO2 in n/a", "gCO2 in na")), done.stderr)
    done = call("run", "--out", place, "--name", "c", "--carbon-file", path, "--", "touch", os.path.join(place, "ran"))
    equal(done.returncode, 125, done.stderr)
    expect(not os.path.exists(os.path.join(place, "ran")), "the command did not start")


def test_sci_per_unit_of_work(place):
    """Where work was counted, SCI is per unit of it."""
    done = call("run", "--out", place, "--name", "w", "--json", "--zone", "FR", "--embodied", "1000:4",
                "--work", "steps=regex:^Step +([0-9]+)", "--", "sh", "-c", "for i in 1 2 3 4 5; do echo Step $i; done")
    equal(done.returncode, 0, done.stderr)
    told = last_json(done.stderr)
    sci, work = told["carbon"]["sci"], told["work"][0]
    equal(sci["unit"], work["unit"])
    near(sci["g_per_unit"] * work["amount"], told["carbon"]["gco2"] + told["carbon"]["embodied_g"], 1e-12, "SCI")


def test_hostile_names(place):
    """What a file says ends harmless in terminals and ids."""
    path = write(place, "f.csv", "# source: a\x1b[31m; rm -rf /\nstart,stop,g_per_kwh,zone\n"
                                 "2026-03-01T00:00Z,2026-03-02T00:00Z,100,\x1b[2J\n")
    recording = make_job(place, START, 60)
    done = call("report", recording, "--carbon-file", path)
    equal(done.returncode, 0, done.stderr)
    expect("\x1b" not in done.stdout, done.stdout)
    carbon = report(recording, "--carbon-file", path)
    expect(all(c.isalnum() or c in "-." for c in carbon["factor_id"]), carbon["factor_id"])


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
