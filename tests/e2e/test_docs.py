#!/usr/bin/env python3
# test_docs.py - what README and tutorials tell people to type works, and prints what they say
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
"""
Runs the ```sh blocks of README.md and doc/tutorial/*.md (test_examples.py: of examples/*/README.md), each
file in a folder of its own, its blocks one after the other; a command that fails ends its block. Text behind "# expect:" must be in
the output of the block. Lines with "make" are not run: they would build the tree from within its tests.

Looks also at the configuration's manual page: its keys are those of the table in the source.
Environment: ES_PROGRAM, ES_SOURCE_ROOT. Prints TAP.
"""

import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

FENCE = re.compile(r"^```(\w*)\s*$")
EXPECT = re.compile(r"#\s*expect:\s*(.*?)\s*$")
MAKE = re.compile(r"^\s*make\b")
SECONDS = re.compile(r"^<!-- seconds: (\d+) -->$", re.M)  # for a block, where that is more than usual
NEEDS = re.compile(r"^<!-- needs: (\S+) -->$", re.M)
BLOCK_S = 60
# What a scheduler or a user has set would change names and numbers.
FOREIGN = re.compile(r"^(ENERGYSCOPIUM_|SLURM_|PBS_|OAR_|LSB_|FLUX_|XDG_CONFIG_HOME|TZ$)")


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = 0

    def say(self, is_ok, name, details=""):
        self.count += 1
        self.failed += not is_ok
        print(f"{'ok' if is_ok else 'not ok'} {self.count} - {name}")
        if not is_ok:
            for line in details.splitlines():
                print(f"# {line}")

    def close(self):
        print(f"1..{self.count}")
        return 1 if self.failed else 0


def blocks_of(text):
    """Yield (line number, lines) of each block marked sh."""
    inside, language, lines, start = False, "", [], 0
    for number, line in enumerate(text.splitlines(), 1):
        fence = FENCE.match(line)
        if not fence:
            if inside:
                lines.append(line)
            continue
        if inside and language == "sh":
            yield start, lines
        inside, language, lines, start = not inside, fence.group(1), [], number + 1


def environment(home):
    env = {key: value for key, value in os.environ.items() if not FOREIGN.match(key)}
    env["PATH"] = os.path.dirname(os.environ["ES_PROGRAM"]) + os.pathsep + env["PATH"]
    env["HOME"] = home
    # Open MPI runs nothing for root unless told twice.
    env["OMPI_ALLOW_RUN_AS_ROOT"] = env["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    env["ENERGYSCOPIUM_RUNTIME_DIR"] = os.path.join(home, "runtime")  # no recording of anybody else
    return env


def run_block(lines, folder, env, limit_s):
    """What is wrong, "" where nothing is."""
    script = "set -e\n" + "\n".join(lines) + "\n"
    try:
        done = subprocess.run(
            ["sh", "-c", script], cwd=folder, env=env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=limit_s, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"did not end within {limit_s} s"
    output = done.stdout.decode("utf-8", "replace")
    wrong = [f"ended with status {done.returncode}"] if done.returncode else []
    for line in lines:
        expected = EXPECT.search(line)
        if expected and expected.group(1) not in output:
            wrong.append(f"'{expected.group(1)}' is not in the output")
    return "\n".join([*wrong, "the output was:", output]) if wrong else ""


def may_mount():
    """Whether a twin can come up here."""
    with tempfile.TemporaryDirectory(prefix="es-docs-") as folder:
        mount = [os.environ["ES_PROGRAM"], "twin", "up", "skx2s", "--mount", os.path.join(folder, "twin")]
        done = subprocess.run(mount, capture_output=True, check=False, timeout=BLOCK_S)
        if done.returncode != 0:
            print(f"# no twin comes up here: {done.stderr.decode('utf-8', 'replace').strip()}")
            return os.access("/dev/fuse", os.R_OK | os.W_OK) and shutil.which("fusermount3") is not None
        mount[2:4] = ["down"]
        subprocess.run(mount, capture_output=True, check=True, timeout=BLOCK_S)
    return True


def has_avx512():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return re.search(r"^flags\s*:.*\bavx512f\b.*\bavx512vl\b", file.read(), re.M) is not None


# What a page may need beside the program, and whether it is here.
NEEDED = {
    "avx512": has_avx512,
    "daemon": lambda: os.access(os.path.join(os.path.dirname(os.environ["ES_PROGRAM"]), "energyscopiumd"), os.X_OK),
    "fuse": may_mount,
    "hpcc": lambda: bool(shutil.which("hpcc") and shutil.which("mpirun")),
}


def try_document(tap, root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        text = file.read()
    n_blocks = 0
    limit_s = max([BLOCK_S, *map(int, SECONDS.findall(text))])
    for need in NEEDS.findall(text):
        if not NEEDED[need]():
            tap.say(True, f"{path}: its commands work # SKIP no {need} here")
            return
    with tempfile.TemporaryDirectory(prefix="es-docs-") as home:
        env = environment(home)
        folder = home
        if path.startswith("examples/"):
            folder = os.path.join(home, "example")
            shutil.copytree(os.path.dirname(os.path.join(root, path)), folder)
        for number, lines in blocks_of(text):
            for line in lines:
                if MAKE.match(line):
                    print(f"# {path}: not run: '{line.strip()}' (builds the tree)")
            lines = [line for line in lines if not MAKE.match(line)]
            if not any(line.strip() for line in lines):
                continue
            n_blocks += 1
            wrong = run_block(lines, folder, env, limit_s)
            tap.say(not wrong, f"{path}:{number}: its commands work", wrong)
    if n_blocks == 0:
        tap.say(False, f"{path}: has commands to run", "there is no block marked sh")


def try_keys(tap, root):
    """The page of the configuration and the table of keys name the same ones."""
    with open(os.path.join(root, "src/cli/settings.c"), encoding="utf-8") as file:
        in_table = set(re.findall(r'^\s*\.key = "([^"]+)"', file.read(), re.M))
    with open(os.path.join(root, "doc/man/energyscopium.yaml.5"), encoding="utf-8") as file:
        in_page = set(re.findall(r"^\.It Ic (\S+)", file.read(), re.M))
    tap.say(
        in_table == in_page and bool(in_table),
        "the page of the configuration has the keys that there are",
        f"only in the table: {sorted(in_table - in_page)}\n"
        f"only in the page: {sorted(in_page - in_table)}",
    )


def main():
    root = os.environ["ES_SOURCE_ROOT"]
    if not os.access(os.environ["ES_PROGRAM"], os.X_OK):
        sys.exit(f"test_docs: no program '{os.environ['ES_PROGRAM']}'")
    tap = Tap()
    pages = sorted(glob.glob(os.path.join(root, "doc/tutorial/*.md")))
    for path in ["README.md", *(os.path.relpath(page, root) for page in pages)]:
        try_document(tap, root, path)
    try_keys(tap, root)
    return tap.close()


if __name__ == "__main__":
    sys.exit(main())
