#!/usr/bin/env python3
# test_run.py - energyscopium run as its users meet it: status, signals, files, bad input
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import errno
import json
import os
import shutil
import re
import resource
import signal
import stat
import subprocess
import sys
import time

import harness
from harness import LINE, PROGRAM, Skip, call, equal, expect, last_json, near, start


def out_of(place):
    return os.path.join(place, "out")


def run(place, *args, **kwargs):
    return call("run", "--out", out_of(place), "--name", "j", *args, **kwargs)


def wait_for(path, seconds=10):
    end = time.monotonic() + seconds
    while not os.path.exists(path):
        expect(time.monotonic() < end, f"{path} did not appear")
        time.sleep(0.01)


def test_line_and_files(place):
    """A run prints the job line and leaves a recording and an eprofile that only its user can read."""
    done = run(place, "--", "sleep", "0.3")
    equal(done.returncode, 0, done.stderr)
    expect(LINE.search(done.stderr), done.stderr)
    equal(done.stdout, "")
    for name in ("j.esr", "j.eprofile.json"):
        mode = os.stat(os.path.join(out_of(place), name)).st_mode
        equal(stat.S_IMODE(mode), 0o600, name)
    equal(sorted(os.listdir(out_of(place))), ["j.eprofile.json", "j.esr"])


def test_stdout_is_the_commands(place):
    """Standard output and input are the command's alone."""
    done = run(place, "--", "sh", "-c", "cat; echo out; echo err >&2", input="in\n")
    equal(done.stdout, "in\nout\n")
    expect("err\n" in done.stderr, done.stderr)


def test_status(place):
    """The exit status is the command's; 128 + signal as a shell says it."""
    equal(run(place, "--", "sh", "-c", "exit 7").returncode, 7)
    done = call("run", "--out", out_of(place), "--name", "k", "--", "sh", "-c", "kill -9 $$")
    equal(done.returncode, 137, done.stderr)
    done = call("run", "--out", out_of(place), "--name", "t", "--", "sh", "-c", "kill -TERM $$")
    equal(done.returncode, 143, done.stderr)


def test_not_found(place):
    """A command that does not exist gives 127, one that cannot be executed 126; nothing is left behind."""
    done = run(place, "--", "/no/such/command")
    equal(done.returncode, 127, done.stderr)
    expect("command not found" in done.stderr, done.stderr)
    done = run(place, "--", "/etc/passwd")
    equal(done.returncode, 126, done.stderr)
    equal(os.listdir(out_of(place)), [])


def test_usage(place):
    """Wrong options are named, with status 2 and nothing measured."""
    cases = [
        (["run"], "command is missing"),
        (["run", "--nonsense", "--", "true"], "--nonsense"),
        (["run", "--period", "0", "--", "true"], "period"),
        (["run", "--period", "10", "--", "true"], "period"),
        (["run", "--period", "100W", "--", "true"], "period"),
        (["run", "--period", "2h", "--", "true"], "period"),
        (["run", "--pue", "0.5", "--", "true"], "pue"),
        (["run", "--zone", "Farnce", "--", "true"], "France"),
        (["run", "--name", "a/b", "--", "true"], "a/b"),
        (["run", "--require", "gold", "--", "true"], "gold"),
        (["run", "--model", "m", "--", "true"], "joule_model_202203"),
        (["run", "--carbon", "c", "--", "true"], "carbon_model_2024"),
        (["run", "--help=all"], "no argument goes with '--help=all'"),
        (["rnu"], "did you mean 'run'"),
        (["report"], "FILE"),
        (["report", "--html", "-", "--json", "x"], "standard output"),
        (["report", "--html", "-", "--pdf", "-", "x"], "standard output"),
        (["profile", "--svg", "-", "--csv", "-", "x"], "standard output"),
        (["profile", "--term", "--json", "x"], "standard output"),
        (["profile", "--layout", "1999", "x"], None),
    ]
    for args, word in cases:
        done = call(*args, cwd=place)
        expect(done.returncode in (1, 2) if word is None else done.returncode == 2, f"{args}: {done.returncode} {done.stderr}")
        expect(word is None or word in done.stderr, f"{args}: {done.stderr}")
        expect(done.stderr.startswith("energyscopium"), done.stderr)
        equal(done.stdout, "")
    equal(os.listdir(place), [])


def test_existing_job(place):
    """An existing job is refused before anything is measured, and replaced with --force."""
    equal(run(place, "--", "true").returncode, 0)
    before = open(os.path.join(out_of(place), "j.esr"), "rb").read()
    done = run(place, "--", "touch", os.path.join(place, "ran"))
    equal(done.returncode, 125, done.stderr)
    expect("exists already" in done.stderr and "--force" in done.stderr, done.stderr)
    expect(not os.path.exists(os.path.join(place, "ran")), "the command ran")
    equal(open(os.path.join(out_of(place), "j.esr"), "rb").read(), before)
    equal(run(place, "--force", "--", "true").returncode, 0)


def test_out_not_writable(place):
    """A folder that cannot be written to is told before the command runs."""
    target = os.path.join(place, "file")
    open(target, "w").close()
    done = call("run", "--out", target, "--", "touch", os.path.join(place, "ran"))
    equal(done.returncode, 125, done.stderr)
    expect(target in done.stderr, done.stderr)
    done = call("run", "--out", os.path.join(target, "deeper"), "--", "true")
    equal(done.returncode, 125, done.stderr)
    os.mkdir(out_of(place))
    for path in (os.path.join(place, "none", "r.json"), os.path.join(target, "r.json"), place):
        done = run(place, "--json=" + path, "--", "touch", os.path.join(place, "ran"))
        equal(done.returncode, 125, done.stderr)
        expect(f"cannot write JSON to '{path}'" in done.stderr, done.stderr)
    os.rmdir(out_of(place))
    done = run(place, "--json=" + os.path.join(out_of(place), "r.json"), "--", "true")
    equal(done.returncode, 0, "a file in the folder that is still to be made")
    expect(os.path.exists(os.path.join(out_of(place), "r.json")), done.stderr)
    expect(not os.path.exists(os.path.join(place, "ran")), "the command ran")


def test_json(place):
    """--json is the last line of stderr, --json=FILE a file; report gives the same numbers later."""
    done = run(place, "--json", "--", "sleep", "0.4")
    told = last_json(done.stderr)
    equal(told["schema"], "energyscopium.run/1")
    equal(told["exit_status"], 0)
    equal(told["job"]["id"], "j")
    equal(told["job"]["command"], "sleep")
    near(told["job"]["duration_s"], 0.4, 0.2, "duration")
    again = json.loads(call("report", "--json", told["recording"]).stdout)
    equal(again["schema"], "energyscopium.report/1")
    for key in ("job", "energy", "carbon", "pue", "model", "regions", "insights", "quality", "overhead"):
        equal(again[key], told[key], key)
    path = os.path.join(place, "r.json")
    run(place, "--force", f"--json={path}", "--", "false")
    equal(json.load(open(path))["exit_status"], 1)
    equal({t["name"] for t in told["regions"]}, {"es_total", "es_appli_total"})


def test_args_kept_only_on_request(place):
    """Only the command's name is recorded, unless --keep-args."""
    run(place, "--", "sh", "-c", "true secret-word")
    expect(b"secret-word" not in open(os.path.join(out_of(place), "j.esr"), "rb").read(), "arguments were recorded")
    run(place, "--force", "--keep-args", "--", "sh", "-c", "true secret-word")
    expect(b"secret-word" in open(os.path.join(out_of(place), "j.esr"), "rb").read(), "arguments were not recorded")


def test_signals_are_passed_on(place):
    """SIGTERM and SIGINT sent to the tool reach the command, whose end is still measured."""
    for number in (signal.SIGTERM, signal.SIGINT):
        name = f"s{number}"
        flag = os.path.join(place, name)
        child = start("run", "--out", out_of(place), "--name", name, "--", sys.executable, "-c",
                      f"import signal,time,sys\nsignal.signal({int(number)}, lambda *a: sys.exit(42))\n"
                      f"open({flag!r}, 'w').close()\ntime.sleep(30)")
        wait_for(flag)
        child.send_signal(number)
        _, err = child.communicate(timeout=20)
        equal(child.returncode, 42, err)
        expect(LINE.search(err), err)
        told = json.loads(call("report", "--json", os.path.join(out_of(place), name + ".esr")).stdout)
        equal(told["quality"]["whole"], True)


def test_ignored_sigchld(place):
    """Started by somebody who ignores the end of children, a command, a series and a recording end as always."""
    def ignore():
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)

    equal(run(place, "--", "sh", "-c", "exit 4", preexec_fn=ignore).returncode, 4)
    equal(call("run", "--out", out_of(place), "--name", "r", "--repeat", "2", "--", "true", preexec_fn=ignore).returncode, 0)
    equal(call("tag", "run", "x", "--", "sh", "-c", "exit 5", preexec_fn=ignore,
               env={"ENERGYSCOPIUM_RUNTIME_DIR": "/nonexistent"}).returncode, 5)
    done = call("record", "start", "--domain", "none", preexec_fn=ignore, cwd=place, env={"ENERGYSCOPIUM_RUNTIME_DIR": place})
    equal(done.returncode, 1)
    expect("'none'" in done.stderr, done.stderr)


def test_kill_of_the_tool(place):
    """After kill -9 of the tool the command goes on, and the recording holds all but the last second."""
    flag, end = os.path.join(place, "begun"), os.path.join(place, "ended")
    child = start("run", "--out", out_of(place), "--name", "j", "--period", "50ms", "--", "sh", "-c",
                  f"touch {flag}; sleep 3.5; touch {end}")
    wait_for(flag)
    begun = time.monotonic()
    time.sleep(2.5)
    child.kill()
    child.wait(timeout=10)
    lived = time.monotonic() - begun
    child.stdout.close()
    child.stderr.close()
    done = call("report", "--json", os.path.join(out_of(place), "j.esr"))
    equal(done.returncode, 0, done.stderr)
    told = json.loads(done.stdout)
    equal(told["quality"]["whole"], False)
    equal(told["job"]["state"], "broken off")
    expect(lived - told["job"]["duration_s"] <= 1.3, f"{lived} s lived, {told['job']['duration_s']} s kept")
    wait_for(end)


def test_survivors_are_named(place):
    """A process that outlives the command is named; the run ends with the command."""
    begun = time.monotonic()
    done = run(place, "--", "sh", "-c", "setsid sleep 4 >/dev/null 2>&1 </dev/null & sleep 0.3")
    expect(time.monotonic() - begun < 3, "it waited for the survivor")
    equal(done.returncode, 0, done.stderr)
    expect(re.search(r"still runs\s+sleep \(\d+\)", done.stderr), done.stderr)


def test_closed_descriptors(place):
    """A command that closes all its descriptors, or that gets closed ones, is measured like any other."""
    done = run(place, "--", sys.executable, "-c", "import os\nos.closerange(0, 1000)\n")
    equal(done.returncode, 0, done.stderr)
    expect(LINE.search(done.stderr), done.stderr)
    done = subprocess.run(["sh", "-c", f'"{PROGRAM}" run --out {out_of(place)} --name closed -- true <&- >&-'],
                          env=harness.clean_environment(), stderr=subprocess.PIPE, text=True, check=False)
    equal(done.returncode, 0, done.stderr)
    expect(LINE.search(done.stderr), done.stderr)
    subprocess.run(["sh", "-c", f'"{PROGRAM}" run --out {out_of(place)} --name mute -- true <&- >&- 2>&-'],
                   env=harness.clean_environment(), check=True)
    told = json.loads(call("report", "--json", os.path.join(out_of(place), "mute.esr")).stdout)
    equal(told["quality"]["whole"], True)


def small_disk(place):
    mount = os.path.join(place, "small")
    os.mkdir(mount)
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", mount],
                                           capture_output=True, check=False).returncode:
        raise Skip("a small file system cannot be mounted here")
    return mount


def test_full_disk(place):
    """On a disk that fills up the command goes on, and the whole recording is saved elsewhere."""
    mount = small_disk(place)
    spare = os.path.join(place, "spare")
    os.mkdir(spare)
    try:
        with open(os.path.join(mount, "ballast"), "wb") as ballast:
            ballast.write(b"x" * 12288)
        # The description takes most of the page that is left, so that the readings of a second fill it.
        done = call("run", "--out", mount, "--name", "j", "--period", "10ms", "--json", "--keep-args", "--", "sh", "-c",
                    "sleep 2.5", "x" * 2400, env={"TMPDIR": spare})
        equal(done.returncode, 0, done.stderr)
        expect(os.strerror(errno.ENOSPC) in done.stderr, done.stderr)
        told = last_json(done.stderr)
        near(told["job"]["duration_s"], 2.5, 0.4, "the report covers the whole run")
        on_disk = json.loads(call("report", "--json", os.path.join(mount, "j.esr")).stdout)
        expect(on_disk["job"]["duration_s"] < told["job"]["duration_s"], "the disk was never full")
        equal(os.path.dirname(told["recording"]), spare)
        saved = json.loads(call("report", "--json", told["recording"]).stdout)
        equal(saved["energy"], told["energy"], "what was saved elsewhere is whole")
        equal(stat.S_IMODE(os.stat(told["recording"]).st_mode), 0o600)
        expect(told["recording"] in done.stderr, done.stderr)
        equal(os.path.dirname(told["eprofile"]), spare)
    finally:
        subprocess.run(["umount", mount], check=False)


def test_limit_of_file_size(place):
    """A limit to the size of files is told of, and ends neither the measurement nor the command."""
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    script = "sleep 1; grep SigIgn: /proc/self/status; exit 7"
    # As above: the description takes most of what may be written.
    got = call("run", "--name", "j", "--period", "10ms", "--keep-args", "--", "sh", "-c", script, "x" * 2400, cwd=place,
               preexec_fn=limit)
    equal(got.returncode, 7, got.stderr)
    expect(LINE.search(got.stderr), got.stderr)
    expect("File too large" in got.stderr, got.stderr)
    ignored = int(got.stdout.split()[1], 16)
    expect(not ignored >> (signal.SIGXFSZ - 1) & 1, "the command must meet the limit as it would alone")


def test_broken_recordings(place):
    """What is no recording, cut off, damaged or newer is refused in words, or used as far as it is whole."""
    run(place, "--period", "20ms", "--", "sleep", "1.6")
    whole = open(os.path.join(out_of(place), "j.esr"), "rb").read()

    def report(data):
        path = os.path.join(place, "x.esr")
        with open(path, "wb") as file:
            file.write(data)
        return call("report", "--json", path)

    for data, word in ((b"", "no recording"), (b"hello world", "no recording"), (whole[:40], "breaks off"),
                       (whole[:7] + b"\x09" + whole[8:], "newer")):
        done = report(data)
        equal(done.returncode, 1, done.stdout)
        expect(word in done.stderr, done.stderr)
    cut = report(whole[:-40])
    equal(cut.returncode, 0, cut.stderr)
    equal(json.loads(cut.stdout)["quality"]["whole"], False)
    flipped = bytearray(whole)
    flipped[len(whole) * 3 // 4] ^= 0x55
    done = report(bytes(flipped))
    equal(done.returncode, 0, done.stderr)
    equal(json.loads(done.stdout)["quality"]["whole"], False)
    folder = os.path.join(place, "folder")
    os.mkdir(folder)
    for path in (folder, "/no/such/file.esr"):
        done = call("report", path)
        equal(done.returncode, 1, done.stdout)
        expect(path in done.stderr, done.stderr)

    # Of a folder the same as of the file in it.
    only = os.path.join(folder, "only.esr")
    shutil.copy(os.path.join(place, "x.esr"), only)
    done = call("report", folder)
    equal(done.returncode, 0, done.stderr)
    expect("bytes lost" in done.stdout, done.stdout)
    with open(only, "wb") as file:
        file.write(whole[:40])
    done = call("report", folder)
    equal(done.returncode, 1, done.stdout)
    expect(only in done.stderr and "breaks off" in done.stderr, done.stderr)


def test_zone_and_pue(place):
    """Zone and PUE: option over environment over configuration over what the machine says, and the source is told."""
    conf = os.path.join(place, "conf.yaml")
    with open(conf, "w") as file:
        file.write("zone: DE\npue: 1.2\n")
    run(place, "--", "true")
    path = os.path.join(out_of(place), "j.esr")

    def told(*args, **env):
        report = json.loads(call("report", "--json", path, *args, env=env).stdout)
        return report["carbon"]["zone"], report["pue"]["value"], report["pue"]["source"]

    equal(told()[0], "WORLD")
    equal(told(ENERGYSCOPIUM_CONFIG=conf)[:2], ("DE", 1.2))
    equal(told(ENERGYSCOPIUM_CONFIG=conf, ENERGYSCOPIUM_ZONE="PL")[:2], ("PL", 1.2))
    got = told("--zone", "FR", "--pue", "1.5", ENERGYSCOPIUM_CONFIG=conf, ENERGYSCOPIUM_ZONE="PL")
    equal(got, ("FR", 1.5, "option --pue"))
    report = json.loads(call("report", "--json", path, "--zone", "FR").stdout)
    near(report["carbon"]["g_per_kwh"], 44.18, 0.001, "FR")
    done = call("report", path, env={"ENERGYSCOPIUM_CONFIG": "/no/such.yaml"})
    expect(done.returncode != 0 and "/no/such.yaml" in done.stderr, done.stderr)
    with open(conf, "w") as file:
        file.write("zonne: DE\npue: much\n")
    done = call("report", path, env={"ENERGYSCOPIUM_CONFIG": conf})
    expect(done.returncode != 0 and "zonne" in done.stderr and "zone" in done.stderr and "pue" in done.stderr, done.stderr)


def test_time_zone_country(place):
    """The default zone is the country of the time zone."""
    done = run(place, "--json", "--", "true", env={"TZ": "Europe/Paris"})
    equal(last_json(done.stderr)["carbon"]["zone"], "FR")


def test_schedulers_name_the_job(place):
    """The scheduler's id names the job, and its CPUs are counted."""
    done = call("run", "--out", out_of(place), "--json", "--", "true",
                env={"SLURM_JOB_ID": "10166268", "SLURM_STEP_ID": "3", "SLURM_CPUS_ON_NODE": "64", "SLURM_JOB_PARTITION": "gpu"})
    told = last_json(done.stderr)
    equal((told["job"]["id"], told["job"]["step"], told["job"]["ncpus"], told["job"]["partition"]), ("10166268.3", "3", 64, "gpu"))
    expect(os.path.exists(os.path.join(out_of(place), "10166268.3.esr")), "named file")
    done = call("run", "--out", out_of(place), "--json", "--", "true")
    expect(re.fullmatch(r"\d{14}-\d+", last_json(done.stderr)["job"]["id"]), done.stderr)


def test_report_finds_jobs_by_name(place):
    """report and profile take a job's name where its recording lies in the usual folder."""
    equal(call("run", "--name", "mine", "--", "true", cwd=place).returncode, 0)
    done = call("report", "--line", "mine", cwd=place)
    expect(LINE.fullmatch(done.stdout.rstrip("\n")), done.stdout + done.stderr)
    equal(call("profile", "mine", cwd=place).returncode, 0)
    done = call("report", "yours", cwd=place)
    equal(done.returncode, 1)
    expect("yours" in done.stderr and "energyscopium-out" in done.stderr, done.stderr)


def test_profile_of_a_part(place):
    """profile cuts out a part, writes CSV and eprofile, and names a domain it has not."""
    run(place, "--period", "20ms", "--", "sleep", "1")
    path = os.path.join(out_of(place), "j.esr")
    whole = json.loads(call("profile", path).stdout)
    equal(whole["schema"], "energyscopium.eprofile/1")
    equal(whole["nb_sample"], len(whole["etotal(W)"]))
    equal(whole["etotal(W)"][0], whole["etotal(W)"][1])
    part = json.loads(call("profile", "--from", "+300ms", "--to", "+700ms", path).stdout)
    near(part["nb_sample"], 21, 1, "samples of the part")
    nested = json.loads(call("profile", "--layout", "2022", path).stdout)
    equal(nested["data"]["data"]["tags"].keys(), whole["tags"].keys())
    done = call("profile", "--csv", "-", path)
    equal(done.stdout.splitlines()[0], "time,node,domain,power_w,energy_j")
    expect(len(done.stdout.splitlines()) > 20, done.stdout)
    done = call("profile", "--domain", "gpu-7", path)
    equal(done.returncode, 1)
    expect("gpu-7" in done.stderr, done.stderr)


def test_full_stdout(place):
    """A full standard output is an error, not a shorter report."""
    run(place, "--", "true")
    with open("/dev/full", "w") as full:
        done = subprocess.run([PROGRAM, "report", os.path.join(out_of(place), "j.esr")], stdout=full,
                              stderr=subprocess.PIPE, text=True, env=harness.clean_environment(), check=False)
    equal(done.returncode, 1)
    expect("cannot write" in done.stderr, done.stderr)


def test_long_period(place):
    """With a period longer than the command there are still a first and a last reading."""
    done = run(place, "--period", "1h", "--json", "--", "sleep", "0.5")
    told = last_json(done.stderr)
    near(told["job"]["duration_s"], 0.5, 0.2, "duration")
    expect(told["energy"]["node_j"] is not None, "energy is known")


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
