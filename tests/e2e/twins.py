# twins.py - simulated nodes in end-to-end tests: up, their exact energies, and down again whatever happens
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
"""
    with twins.up(place, "skx2s", "--seed", "7") as twin:
        harness.call("run", "--root", twin.mount, "--", "sleep", "1")
        twin.energy_uj(from_ns, to_ns)["package-0"]
"""
import contextlib
import os
import shutil
import subprocess

import harness


class Twin:
    def __init__(self, mount):
        self.mount = mount

    def path(self, name):
        return os.path.join(self.mount, name)

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def write(self, name, text):
        """As echo does: OSError with what the kernel would say."""
        fd = os.open(self.path(name), os.O_WRONLY)
        try:
            os.write(fd, text.encode())
        finally:
            os.close(fd)

    def at(self, *times_ns):
        """Exact energies since the start at each time: {column: µJ}."""
        fd = os.open(self.path(".twin/energy"), os.O_RDWR)
        try:
            os.write(fd, " ".join(str(t) for t in times_ns).encode())
            text, part = b"", True
            while part:
                part = os.pread(fd, 65536, len(text))
                text += part
        finally:
            os.close(fd)
        head, *rows = text.decode().strip().splitlines()
        return [dict(zip(head.split(","), map(int, row.split(",")))) for row in rows]

    def energy_uj(self, from_ns, to_ns):
        """Exact energy of each part between two times of the boot clock."""
        first, last = self.at(from_ns, to_ns)
        return {part: last[part] - first[part] for part in first if part != "t_ns"}

    def call(self, subcommand, *args, **kwargs):
        return harness.call("twin", subcommand, "--mount", self.mount, *args, **kwargs)


@contextlib.contextmanager
def up(place, kind, *options, env=None):
    """A twin of a kind below a test's folder."""
    if not os.access("/dev/fuse", os.R_OK | os.W_OK) or not shutil.which("fusermount3"):
        raise harness.Skip("no FUSE here")
    mount = os.path.join(place, "twin-" + kind)
    done = harness.call("twin", "up", kind, "--mount", mount, *options, env=env)
    if done.returncode != 0 and ("ermission" in done.stderr or "not permitted" in done.stderr):
        raise harness.Skip(f"no right to mount here: {done.stderr.strip()}")
    harness.equal(done.returncode, 0, f"twin up {kind}: {done.stderr}")
    try:
        yield Twin(mount)
    finally:
        harness.call("twin", "down", "--mount", mount, env=env)
        if os.path.ismount(mount):
            subprocess.run(["fusermount3", "-u", "-z", mount], check=False, capture_output=True)
