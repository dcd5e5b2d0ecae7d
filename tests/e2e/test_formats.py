#!/usr/bin/env python3
# test_formats.py - a reader made after doc/formats.md alone gets from a recording what the program does
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
"""
Records a short run, reads the recording's bytes as doc/formats.md describes them, and compares with
the report of the program: each domain's last value less its first is its energy.
Environment: ES_PROGRAM. Prints TAP.
"""

import json
import os
import struct
import subprocess
import sys
import tempfile

UNITS = {0: (1, 1), 1: (1000, 1), 2: (61035, 1000), 3: (15258, 1000), 4: (1000000, 1),
         5: (15625, 256), 6: (15625, 1024)}


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def frames(data):
    assert data[:7] == b"ESREC\r\n" and data[7] == 1, "the file's header"
    at, expected = 8, 0
    while at < len(data):
        magic, kind, length, number = struct.unpack_from("<4sIII", data, at)
        end = at + 16 + length
        assert magic == b"ESFM" and number == expected, "a frame's header"
        assert struct.unpack_from("<I", data, end)[0] == crc32c(data[at:end]), "a checksum"
        yield kind, data[at + 16 : end]
        at, expected = end + 4, expected + 1


class Bits:
    def __init__(self, data):
        self.value, self.at, self.size = int.from_bytes(data, "little"), 0, 8 * len(data)

    def get(self, n):
        bits = self.value >> self.at & ((1 << n) - 1)
        self.at += n
        assert self.at <= self.size, "more bits than there are"
        return bits

    def ones(self, most):
        n = 0
        while n < most and self.get(1):
            n += 1
        return n


def varint(data, at):
    value, shift = 0, 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def unzigzag(v):
    return v >> 1 ^ -(v & 1)


def rice(bits, n):
    values = []
    while len(values) < n:
        run, p = min(64, n - len(values)), bits.get(7)
        for _ in range(run):
            if p == 64:
                values.append(0)
                continue
            quotient = bits.ones(20)
            values.append(bits.get(64) if quotient == 20 else quotient << p | bits.get(p))
    return values


def gamma(bits):
    n = bits.ones(64)
    return 1 << n | bits.get(n)


def ans_states(bits):
    log, last = bits.get(4), bits.get(8)
    frequency = [gamma(bits) - 1 for _ in range(last + 1)]
    size = 1 << log
    assert sum(frequency) == size, "the frequencies"
    symbols, at = [0] * size, 0
    for symbol, f in enumerate(frequency):
        for _ in range(f):
            symbols[at] = symbol
            at = (at + size // 2 + size // 8 + 3) % size
    states, following = [], list(frequency)
    for symbol in symbols:
        x = following[symbol]
        following[symbol] += 1
        n_bits = log - (x.bit_length() - 1)
        states.append((symbol, n_bits, (x << n_bits) - size))
    return log, states


def ans(bits, n):
    values = []
    log, states = ans_states(bits)
    while len(values) < n:
        state = bits.get(log)
        for _ in range(min(1024, n - len(values))):
            symbol, n_bits, base = states[state]
            value = symbol
            if symbol >= 16:
                octave = 4 + (symbol - 16) // 4
                value = (4 + symbol % 4) << (octave - 2) | bits.get(octave - 2)
            values.append(value)
            state = base + bits.get(n_bits)
    return values


def sum_up(heads, left, order):
    values = [unzigzag(v) for v in heads + left]
    step = 0
    for i in range(1, len(values) if order else 0):
        step = values[i] + (step if order == 2 else 0)
        values[i] = values[i - 1] + step
    return values


def columns(block):
    """Yield (id, values of the rows that have one)."""
    assert block[0] == 1, "the version of a block"
    n_rows, at = varint(block, 1)
    n_columns, at = varint(block, at)
    for _ in range(n_columns):
        identity, at = varint(block, at)
        flags, unit, n = block[at], block[at] >> 3 & 7, n_rows
        at += 1
        if unit == 7:
            numerator, at = varint(block, at)
            denominator, at = varint(block, at)
        else:
            numerator, denominator = UNITS[unit]
        if flags & 0x80:
            n = bin(int.from_bytes(block[at : at + (n_rows + 7) // 8], "little")).count("1")
            at += (n_rows + 7) // 8
        length, at = varint(block, at)
        payload, heads, start = block[at : at + length], [], 0
        at += length
        for _ in range(min(flags & 3, n)):
            head, start = varint(payload, start)
            heads.append(head)
        left = (ans if flags & 4 else rice)(Bits(payload[start:]), n - len(heads))
        yield identity, [
            v * numerator // denominator for v in sum_up(heads, left, flags & 3)
        ]
    assert at == len(block), "bytes behind the last column"


def check(folder):
    program = os.environ["ES_PROGRAM"]
    common = ["--out", folder, "--name", "job", "--period", "10ms", "--json=" + folder + "/job.json"]
    work = [program, "workload", "--duration", "1500ms", "--processes", "1"]
    subprocess.run(
        [program, "run", *common, "--", *work],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    with open(folder + "/job.esr", "rb") as file:
        data = file.read()
    with open(folder + "/job.json", encoding="utf-8") as file:
        report = json.load(file)
    meta, kinds, series = None, [], {}
    for kind, payload in frames(data):
        kinds.append(kind)
        if kind == 1:
            meta = json.loads(payload)
        elif kind == 2:
            for identity, values in columns(payload):
                series.setdefault(identity, []).extend(values)
    assert kinds[0] == 1 and kinds[-1] == 5, "the first frame describes, the last one ends"
    assert meta["schema"] == "energyscopium.recording/1"
    assert series[0] == sorted(series[0]) and len(series[0]) > 50, "times of sweeps"
    n_compared = 0
    for i, domain in enumerate(meta["domains"]):
        values, told = series.get(1 + 3 * i, []), report["energy"]["by_domain"][i]
        if told["energy_j"] is None or "filled_j" in told or domain["is_power"]:
            continue
        assert told["id"] == domain["id"], "the order of domains"
        # A wrap would need the range as well: the modulus is in the description.
        energy = values[-1] - values[0]
        if energy < 0:
            energy += domain["modulus_nj"] // 1000
        assert abs(energy / 1e6 - told["energy_j"]) < 1e-6, f"{energy} µJ is not {told['energy_j']} J"
        n_compared += 1
    assert n_compared or report["energy"]["node_j"] is None, "nothing could be compared"
    return n_compared


def main():
    print("1..1")
    with tempfile.TemporaryDirectory(prefix="es-formats-") as folder:
        try:
            print(f"# {check(folder)} domains compared")
        except (AssertionError, LookupError, ValueError, struct.error) as error:
            print(f"not ok 1 - the recording is as doc/formats.md says\n# {error!r}")
            return 1
    print("ok 1 - the recording is as doc/formats.md says")
    return 0


if __name__ == "__main__":
    sys.exit(main())
