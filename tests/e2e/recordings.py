# recordings.py - recordings whose clocks are changed: what another machine would have written
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
"""
    recordings.change(path, ahead_s=3.7, kept_ns=-1, meta=lambda meta: meta["job"].update(nodes=4))

Frames are taken apart here by hand (doc/formats.md), so that a mistake in our own reader shows.
"""
import json
import struct

MAGIC = b"ESFM"
META, EVENT, CLOCK = 1, 3, 4
WALL_CLOCK = 21


def _table():
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
        table.append(crc)
    return table


TABLE = _table()


def crc32c(data):
    crc = 0xffffffff
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xff]
    return crc ^ 0xffffffff


def frames(data):
    """[(type, number, payload)]"""
    at, found = 8, []
    while at < len(data):
        assert data[at:at + 4] == MAGIC, f"no frame at byte {at}"
        kind, length, number = struct.unpack_from("<III", data, at + 4)
        end = at + 16 + length
        assert struct.unpack_from("<I", data, end)[0] == crc32c(data[at:end]), f"a wrong checksum at byte {at}"
        found.append((kind, number, data[at + 16:end]))
        at = end + 4
    return found


def frame(kind, number, payload):
    head = MAGIC + struct.pack("<III", kind, len(payload), number) + payload
    return head + struct.pack("<I", crc32c(head))


def change(path, ahead_s=0.0, kept_ns=None, meta=None):
    """Its wall clock was ahead by ahead_s; kept_ns: what it says of who keeps it; meta: called with the description."""
    ahead_ns = round(ahead_s * 1e9)
    with open(path, "rb") as file:
        data = file.read()
    out = data[:8]
    for kind, number, payload in frames(data):
        if kind == META:
            told = json.loads(payload)
            told["start_unix_ns"] += ahead_ns
            if meta:
                meta(told)
            payload = json.dumps(told).encode()
        elif kind == CLOCK:
            boot, mono, unix = struct.unpack("<qqq", payload)
            payload = struct.pack("<qqq", boot, mono, unix + ahead_ns)
        elif kind == EVENT and kept_ns is not None and struct.unpack_from("<I", payload)[0] == WALL_CLOCK:
            event, t_ns, _ = struct.unpack_from("<Iqq", payload)
            payload = struct.pack("<Iqq", event, t_ns, kept_ns) + payload[20:]
        out += frame(kind, number, payload)
    with open(path, "wb") as file:
        file.write(out)
