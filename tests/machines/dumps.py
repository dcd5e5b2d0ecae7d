# dumps.py - machines as tools/gather-machine packed them: unpacking, and moving their counters again
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
"""The format is described at the top of tools/gather-machine.

As a program: dumps.py --move TREE DUMP [BROKEN VARIANT] shows in TREE, one after the other, what the counters showed
later, or would have shown if they had been broken so. It is meant to be the command that is measured.
"""
import os
import re
import shutil
import sys
import tarfile
import time

from broken import variants

STEP_S = 0.2  # between two reads of a dump that has no times
STEP_MOST_S = 1.5
REST_S = 0.15  # at the end: counters stand, clocks go on
TICK_S = 0.01
COUNTER = re.compile(r"/(energy_uj|energy\d+_input|gpu_metrics|([a-z0-9]+_)?energy)$")
LARGEST = 1 << 24
NVML_FOLDER = "usr/lib/x86_64-linux-gnu"


def is_below(path):
    parts = path.split("/")
    return bool(path) and not path.startswith("/") and ".." not in parts and "" not in parts


def text_of(value):
    """The bytes that "file TAB value" stands for."""
    out, escapes = [], {"n": "\n", "t": "\t", "\\": "\\"}
    rest = iter(value)
    for c in rest:
        out.append(escapes[next(rest)] if c == "\\" else c)
    return "".join(out).encode()


def bytes_of(kind, value):
    return bytes.fromhex(value) if kind == "data" else text_of(value)


class Dump:
    """What one tarball holds: origin (dict of lists), files (lines split), motion ({number: lines}), others."""

    def __init__(self, path):
        self.path, self.origin, self.files, self.motion, self.others = path, {}, [], {}, {}
        with tarfile.open(path) as tar:
            for member in tar:
                if not member.isfile() or not is_below(member.name) or member.size > LARGEST:
                    raise ValueError(f"{path}: '{member.name}' is no file that belongs here")
                name = member.name.split("/", 1)[1]
                self.others[name] = tar.extractfile(member).read()
        for line in self.others.pop("ORIGIN").decode().splitlines():
            key, _, value = line.partition(": ")
            self.origin.setdefault(key, []).append(value)
        self.files = [tuple(line.split("\t")) for line in self.others.pop("files").decode().splitlines()]
        for line in self.others.pop("motion").decode().splitlines():
            number, *rest = line.split("\t")
            self.motion.setdefault(int(number), []).append(tuple(rest))
        for _, _, file, _ in self.files:
            if not is_below(file):
                raise ValueError(f"{path}: '{file}' is no path below a machine's root")

    def errors(self):
        """(path, errno) of what could not be read, other than for rights."""
        return [(path, value) for kind, _, path, value in self.files if kind == "error" and value not in ("EACCES", "EPERM")]

    def unpack(self, root, stub=None):
        """Make the tree. NVIDIA's library is the stub where the dump has a table for it."""
        for kind, mode, path, value in self.files:
            where = os.path.join(root, path)
            os.makedirs(where if kind == "dir" else os.path.dirname(where), exist_ok=True)
            if kind == "link":
                os.symlink(value, where)
            elif kind == "msr":
                put_register(where, value, int(mode, 8))
            elif kind in ("file", "data", "error") or (kind == "node" and not path.startswith("dev/cpu/")):
                with open(where, "wb") as file:
                    file.write(bytes_of(kind, value) if kind in ("file", "data") else b"")
                os.chmod(where, 0 if value in ("EACCES", "EPERM") and kind == "error" else int(mode, 8))
        for name in ("sys", "proc"):
            os.makedirs(os.path.join(root, name), exist_ok=True)
        if "nvml.table" in self.others:
            folder = os.path.join(root, NVML_FOLDER)
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, "nvml.table"), "wb") as file:
                file.write(self.others["nvml.table"])
        if stub and os.path.exists(os.path.join(root, NVML_FOLDER, "nvml.table")):
            shutil.copy(stub, os.path.join(root, NVML_FOLDER, "libnvidia-ml.so.1"))
            os.chmod(os.path.join(root, NVML_FOLDER, "libnvidia-ml.so.1"), 0o755)

    def moves(self):
        """{path: (first, last)} of the numbers that files showed at the first and the last read."""
        first = {path: number_of(path, kind, value) for kind, _, path, value in self.files}
        last = {path: number_of(path, kind, value) for number in sorted(self.motion) for kind, path, value in self.motion[number]}
        return {path: (first[path], value) for path, value in last.items() if value is not None and first.get(path) is not None}


# Where the tables of AMD's GPUs have their energy in 2^-16 J, and two clocks in ns and in 10 ns: kgd_pp_interface.h; 0: nowhere.
TABLES = {(1, 0): (36, 8, 0), (1, 1): (24, 32, 0), (1, 2): (24, 32, 96), (1, 3): (24, 32, 96), (1, 4): (24, 32, 232), (1, 5): (88, 96, 304)}


def with_number(path, data, number, steps=None):
    """The same file with another number in it; @steps: what a table's energy counts."""
    energy = table_of(path, data)[0]
    if energy:
        return data[:energy] + steps.to_bytes(8, "little") + data[energy + 8:]
    return re.sub(rb"^\d+", b"%d" % number, data)


def steps_of(path, data):
    energy = table_of(path, data)[0]
    return int.from_bytes(data[energy:energy + 8], "little") if energy else 0


def lowered(row, before):
    """A row of motion as a counter shows it that began again at 0 after @before."""
    kind, path, value = row
    data, former = bytes_of(kind, value), bytes_of(before[0], before[2])
    number = number_of(*row_of(row)) - number_of(*row_of(before))
    return "data", path, with_number(path, data, number, steps_of(path, data) - steps_of(path, former)).hex()


def between(kind, path, former, data, share):
    """What a counter shows on its way from one read to the next; what is no counter, or begins anew, shows the former."""
    first, last = (number_of(path, "data", d.hex()) for d in (former, data))
    if not COUNTER.search(path) or first is None or last is None or last < first:
        return former
    steps = steps_of(path, former), steps_of(path, data)
    return with_number(path, former, first + int((last - first) * share), steps[0] + int((steps[1] - steps[0]) * share))


def row_of(row):
    return row[1], row[0], row[2]


def table_of(path, data):
    return TABLES.get((data[2], data[3]), (0, 0, 0)) if path.endswith("/gpu_metrics") and len(data) > 4 else (0, 0, 0)


def number_of(path, kind, value):
    """The number that a file begins with, of a table the energy in it in uJ, or None."""
    if kind not in ("file", "data"):
        return None
    data = bytes_of(kind, value)
    energy = table_of(path, data)[0]
    if energy:
        return int.from_bytes(data[energy:energy + 8], "little") * 1000000 // 65536
    number = re.match(rb"\d+", data)
    return int(number.group()) if number else None


def put_register(where, value, mode):
    """Register R is eight bytes at 8 * R, as src/sys/msr.h says of trees."""
    register, _, number = value.partition("=")
    is_new = not os.path.exists(where)
    fd = os.open(where, os.O_WRONLY | os.O_CREAT, 0o600)
    os.pwrite(fd, int(number, 16).to_bytes(8, "little"), 8 * int(register, 16))
    os.close(fd)
    if is_new:
        os.chmod(where, mode | 0o200)


def show(where, data):
    """All at once, so that a reader sees the former value or the new one; as an ordinary user, too."""
    mode = os.stat(where).st_mode & 0o777
    if not mode & 0o200:
        os.chmod(where, mode | 0o200)
    fd = os.open(where, os.O_WRONLY)
    os.pwrite(fd, data, 0)
    os.ftruncate(fd, len(data))
    os.close(fd)
    os.chmod(where, mode)


def with_time(path, data, t_ns):
    """What the meter shows with this time on its own clock, where it has one: else the same."""
    if "/pm_counters/" in path:
        if path.endswith("/freshness"):
            return b"%d\n" % (t_ns // 1000000)
        return re.sub(rb" \d+ us\n", b" %d us\n" % (t_ns // 1000), data)
    _, clock, firmware = table_of(path, data)
    data = bytearray(data)
    if clock:
        data[clock:clock + 8] = t_ns.to_bytes(8, "little")
    if firmware:
        data[firmware:firmware + 8] = (t_ns // 10).to_bytes(8, "little")
    return bytes(data)


class Mover:
    """Shows a dump's motion in its tree, counters moving evenly between two reads. Meters with a clock go on telling the
    time while their counters stand."""

    def __init__(self, root, dump):
        self.root, self.dump = root, dump
        self.shown = {path: bytes_of(kind, value) for kind, _, path, value in dump.files if kind in ("file", "data")}
        self.clocked = {path for path, data in self.shown.items() if with_time(path, data, 1) != data}
        self.registers = {(path, value.partition("=")[0]): int(value.partition("=")[2], 16) for kind, _, path, value in dump.files
                          if kind == "msr"}

    def show(self, path, data):
        where = os.path.join(self.root, path)
        if os.path.exists(where):
            show(where, with_time(path, data, time.time_ns()))

    def tell_time(self):
        for path in self.clocked:
            self.show(path, self.shown[path])

    def tick(self, rows, share):
        for kind, path, value in rows:
            if kind == "msr":
                register, _, last = value.partition("=")
                first = self.registers[path, register]
                last = int(last, 16)
                put_register(os.path.join(self.root, path), f"{register}={first + int(max(last - first, 0) * share):x}", 0o600)
            elif kind in ("file", "data") and path in self.shown:
                self.show(path, between(kind, path, self.shown[path], bytes_of(kind, value), share))
        self.tell_time_of_others(rows)

    def tell_time_of_others(self, rows):
        moving = {path for _, path, _ in rows}
        for path in self.clocked - moving:
            self.show(path, self.shown[path])

    def go(self, rows, seconds):
        start = time.monotonic()
        while seconds > 0 and (share := (time.monotonic() - start) / seconds) < 1:
            self.tick(rows, share)
            time.sleep(min(TICK_S, max(start + seconds - time.monotonic(), 0)))
        for kind, path, value in rows:
            if kind == "msr":
                register, _, last = value.partition("=")
                self.registers[path, register] = int(last, 16)
                put_register(os.path.join(self.root, path), value, 0o600)
            elif kind in ("file", "data") and path in self.shown:
                self.shown[path] = bytes_of(kind, value)
                self.show(path, self.shown[path])

    def move(self):
        before = None
        for number in sorted(self.dump.motion):
            if number % 1:  # added: what happens at once
                self.go(self.dump.motion[number], 0)
                continue
            at = next((value for kind, _, value in self.dump.motion[number] if kind == "at"), "-")
            at = None if at == "-" else float(at)
            self.go(self.dump.motion[number], STEP_S if at is None or before is None else min(max(at - before, 0.05), STEP_MOST_S))
            before = at
        self.go([], REST_S)


if __name__ == "__main__":
    if len(sys.argv) < 4 or sys.argv[1] != "--move":
        sys.exit(__doc__)
    moving = Dump(sys.argv[3])
    for way in variants(sys.argv[4]) if len(sys.argv) > 5 else ():
        if way.name == sys.argv[5]:
            way.edit_motion(moving, lowered)
    Mover(sys.argv[2], moving).move()
