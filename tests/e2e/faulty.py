# faulty.py - trees behind a file system that fails as it is told, and the player's truth beside what was reported
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

from harness import PLAYER, PROGRAM, TREE, Skip, clean_environment, expect, last_json

FAULTY = os.environ.get("ES_FAULTY", "")
SCRIPT = "200ms package=150 dram=20\n300ms package=190 dram=26\n250ms package=120 dram=16\n250ms package=160 dram=22\n"


class Faulty:
    """A tree, and a mount that shows it with faults; counters are moved below it."""

    def __init__(self, place, name, model="skx2s", presets=(), seed=1):
        if not FAULTY or not os.path.exists("/dev/fuse"):
            raise Skip("no libfuse or no /dev/fuse here")
        self.child = None
        self.place = os.path.join(place, name)
        # Hundreds of files, which a disk's journal would all see.
        self.memory = tempfile.mkdtemp(prefix="es-e2e-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
        self.tree = os.path.join(self.memory, "tree")
        self.mount = os.path.join(self.place, "mount")
        os.makedirs(self.mount)
        subprocess.run([TREE, self.tree, model, *presets], check=True)
        self.daemon = subprocess.Popen([FAULTY, self.tree, self.mount, str(seed)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                       text=True)
        end = time.monotonic() + 10
        while not os.path.exists(os.path.join(self.mount, ".faults")):
            if self.daemon.poll() is not None:
                shutil.rmtree(self.memory, ignore_errors=True)
                raise Skip(f"cannot mount: {self.daemon.stderr.read().strip()}")
            expect(time.monotonic() < end, "the mount did not come")
            time.sleep(0.01)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Unmount; a run that is still going on is ended."""
        if self.child and self.child.poll() is None:
            self.child.kill()
            self.child.communicate()
        self.daemon.send_signal(signal.SIGTERM)
        try:
            self.daemon.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.daemon.kill()
            self.daemon.wait()
        self.daemon.stderr.close()
        # A mount whose daemon was killed is there and cannot be looked at: no need to ask.
        for unmount in (["umount", "-l"], ["fusermount3", "-u", "-z"]):
            try:
                subprocess.run([*unmount, self.mount], capture_output=True, check=False)
            except FileNotFoundError:
                pass
        shutil.rmtree(self.memory, ignore_errors=True)

    def tell(self, rules):
        with open(os.path.join(self.mount, ".faults"), "w") as file:
            file.write(rules)

    def hits(self):
        with open(os.path.join(self.mount, ".faults")) as file:
            return sum(int(line.rsplit("=", 1)[1]) for line in file)

    def start(self, *args, command=None, period="50ms", script=SCRIPT, preexec=None):
        """run on the mount, the player (below it) being the command."""
        with open(os.path.join(self.place, "script"), "w") as file:
            file.write(script)
        truth = os.path.join(self.place, "truth.json")
        command = command or [PLAYER, self.tree, "--script", os.path.join(self.place, "script"), "--truth", truth]
        self.child = subprocess.Popen([PROGRAM, "run", "--root", self.mount, "--out", os.path.join(self.place, "out"), "--name", "j",
                                 "--force", "--json", "--period", period, *args, "--", *command], env=clean_environment(),
                                      text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=preexec)
        return self.child

    def truth(self):
        with open(os.path.join(self.place, "truth.json")) as file:
            return {zone["key"]: zone for zone in json.load(file)["zones"]}


def finish(child, timeout=60):
    """What a started run said at its end: the report, and all of its text."""
    _, err = child.communicate(timeout=timeout)
    expect(child.returncode == 0, f"status {child.returncode}: {err}")
    return last_json(err), err


def by_name(report):
    """Domains of powercap by name."""
    return {d["domain"]: d for d in report["energy"]["by_domain"] if d["source"] == "powercap"}
