# listeners.py - who hears what a plug-in for Slurm tells the daemon of a node: for tests of the plug-in alone
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
"""
    with Listener(path) as listener:
        …
        listener.heard  # [{"type": "begin", "id": "7", "step": "batch", "uid": 1000, …}, …]
"""
import socket
import struct
import threading

MAGIC, HEADER = 0x50495345, struct.Struct("<IHHII")
TYPES = {20: "begin", 21: "end"}
FIELDS = {
    "begin": (("id", "s"), ("step", "s"), ("scheduler", "s"), ("uid", "I"), ("has_uid", "B"), ("flags", "I"), ("n_cpus", "I"),
              ("cpus", "s"), ("has_gpus", "B"), ("gpus", "s"), ("cgroup", "s"), ("pid", "q"), ("n_nodes", "I"),
              ("node_index", "I"), ("nodes", "s"), ("name", "s"), ("cluster", "s"), ("account", "s"), ("partition", "s"),
              ("restarts", "I"), ("t_ns", "q")),
    "end": (("id", "s"), ("step", "s"), ("has_status", "B"), ("status", "i"), ("t_ns", "q")),
}


def unpack(body, fields):
    at, values = 0, {}
    for name, kind in fields:
        if kind == "s":
            n, = struct.unpack_from("<H", body, at)
            values[name] = body[at + 2:at + 2 + n].decode()
            at += 2 + n
        else:
            values[name], = struct.unpack_from("<" + kind, body, at)
            at += struct.calcsize("<" + kind)
    return values


class Listener:
    """answer: what it says to each packet, b"" nothing."""

    def __init__(self, path, answer=b""):
        self.path, self.answer, self.heard, self.is_over = path, answer, [], False
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.bind(path)
        self.socket.listen(64)
        self.threads = [threading.Thread(target=self.listen, daemon=True)]

    def listen(self):
        while True:
            peer, _ = self.socket.accept()
            if self.is_over:
                return
            uid = struct.unpack("iII", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1]
            packet = peer.recv(16384)
            while packet:
                self.hear(packet, uid)
                try:
                    if self.answer:
                        peer.send(self.answer)
                    packet = peer.recv(16384)
                except OSError:
                    break
            peer.close()

    def hear(self, packet, uid):
        magic, _, kind, length, _ = HEADER.unpack_from(packet)
        if magic != MAGIC or length != len(packet) - HEADER.size:
            raise AssertionError(f"no packet of ours: {packet!r}")
        kind = TYPES.get(kind, str(kind))
        self.heard.append({"type": kind, "peer": uid, **unpack(packet[HEADER.size:], FIELDS.get(kind, ()))})

    def of(self, kind, **wanted):
        return [h for h in self.heard if h["type"] == kind and all(h[k] == v for k, v in wanted.items())]

    def __enter__(self):
        self.threads[0].start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as last:
            last.connect(self.path)
        self.threads[0].join()
        self.socket.close()
