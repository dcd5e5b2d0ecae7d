#!/usr/bin/env python3
# field.py - what meters outside of a node speak: an SNMP agent, a Modbus/TCP device, an MQTT broker, moved by a test
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import contextlib
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time

import harness

SLOW_S = 3


def find(program):
    """A daemon of the system: they lie in sbin, which not everybody's PATH has."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin:/usr/local/sbin")
    if not found:
        raise harness.Skip(f"{program} is not installed")
    return found


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_until(condition, what, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"no {what} within {seconds} s")
        time.sleep(0.02)


class Driven:
    """A node's power that a test sets, its energy since the start, and both as the meters show them."""

    def __init__(self, power_w=0.0):
        self.lock = threading.Lock()
        self.power_w = power_w
        self.energy_j = 0.0
        self.t = time.monotonic()

    def set(self, power_w):
        with self.lock:
            self.move()
            self.power_w = power_w

    def move(self):
        now = time.monotonic()
        self.energy_j += self.power_w * (now - self.t)
        self.t = now

    def joules(self):
        with self.lock:
            self.move()
            return self.energy_j


AGENT = r'''
import json, sys, time
path = sys.argv[1]
for line in iter(sys.stdin.readline, ""):
    if line.strip() == "PING":
        print("PONG", flush=True)
        continue
    oid = sys.stdin.readline().strip()
    with open(path) as file:
        told = json.load(file)
    time.sleep(told["delay_s"])
    value = told["values"].get(oid)
    if line.strip() == "get" and value:
        print(oid, *value, sep="\n", flush=True)
    else:
        print("NONE", flush=True)
'''

BASE = ".1.3.6.1.4.1.99999.1"


class Agent:
    """snmpd with objects that the test moves: self.put({"1": ("gauge", 100)}) is BASE.1."""

    def __init__(self, place, base=BASE):
        self.place = os.path.join(place, "snmp")
        os.makedirs(self.place, exist_ok=True)
        self.port = free_port(socket.SOCK_DGRAM)
        self.base = base
        self.told = {"delay_s": 0, "values": {}}
        script = os.path.join(self.place, "agent.py")
        with open(script, "w", encoding="utf-8") as file:
            file.write(AGENT)
        with open(os.path.join(self.place, "snmpd.conf"), "w", encoding="utf-8") as file:
            file.write(f"agentaddress udp:127.0.0.1:{self.port}\nrocommunity public\n"
                       'createUser monitor SHA-256 "a long password" AES "another secret"\nrouser monitor priv\n'
                       f"pass_persist {base} {sys.executable} {script} {self.place}/values\n")
        self.put({})
        self.process = None
        self.start()

    def put(self, values=None, delay_s=None):
        if values is not None:
            self.told["values"] = {f"{self.base}.{k}": [kind, str(value)] for k, (kind, value) in values.items()}
        if delay_s is not None:
            self.told["delay_s"] = delay_s
        path = os.path.join(self.place, "values")
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(self.told, file)
        os.rename(path + ".new", path)

    def start(self):
        env = {**os.environ, "SNMP_PERSISTENT_DIR": os.path.join(self.place, "state"), "MIBS": ""}
        log = os.path.join(self.place, "log")
        self.process = subprocess.Popen(
            [find("snmpd"), "-f", "-C", "-c", os.path.join(self.place, "snmpd.conf"), "-Lf", log,
             "-I", "-smux,mteTrigger,mteTriggerConf", "-p", os.path.join(self.place, "pid")],
            env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def is_up():
            if self.process.poll() is not None:
                with open(log, encoding="utf-8", errors="replace") as file:
                    raise AssertionError("snmpd ended: " + file.read()[-500:])
            # Discovery of version 3: whoever answers is there.
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
                s.settimeout(0.1)
                s.connect(("127.0.0.1", self.port))
                with contextlib.suppress(OSError):
                    s.send(bytes.fromhex("303e020103301102044553455302030 0ffe30401040201030410300e0400020100020100"
                                         "0400040004003014040004 00a00e020445534553020100020100 3000".replace(" ", "")))
                    return bool(s.recv(2000))
            return False

        wait_until(is_up, "snmpd")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def url(self, objects, **params):
        return url(f"snmp://127.0.0.1:{self.port}/{objects}", params)


def url(head, params):
    return head + ("?" + "&".join(f"{k}={v}" for k, v in params.items()) if params else "")


def oid(*numbers):
    return "+".join(f"{BASE[1:]}.{n}" for n in numbers)


class Device:
    """A Modbus/TCP device of ours, beside libmodbus: self.registers[function][address] are its registers."""

    def __init__(self):
        self.registers = {3: {}, 4: {}}
        self.unit = 1
        self.delay_s = 0
        self.answers = None  # bytes sent in place of an answer
        self.requests = []
        self.listener = None
        self.connections = []
        self.port = None
        self.start()

    def put(self, address, data, function=3):
        """Bytes as they come over the wire, two in each register."""
        for i in range(0, len(data), 2):
            self.registers[function][address + i // 2] = data[i:i + 2]

    def start(self):
        self.listener = socket.create_server(("127.0.0.1", self.port or 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.listen, args=(self.listener,), daemon=True).start()

    def stop(self):
        """As after a power cut: connections end, nobody listens."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.connections = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self.stop()

    def listen(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as requests:
            while True:
                header = requests.read(7)
                if len(header) < 7:
                    return
                number, _, n, unit = struct.unpack(">HHHB", header)
                body = self.answer(unit, requests.read(n - 1))
                time.sleep(self.delay_s)
                connection.sendall(self.answers or struct.pack(">HHHB", number, 0, len(body) + 1, unit) + body, socket.MSG_NOSIGNAL)

    def answer(self, unit, request):
        function, address, n = struct.unpack(">BHH", request)
        self.requests.append((function, address, n))
        if unit != self.unit:
            return bytes([function | 0x80, 0x0b])
        if function not in self.registers:
            return bytes([function | 0x80, 0x01])
        words = [self.registers[function].get(address + i) for i in range(n)]
        if None in words:
            return bytes([function | 0x80, 0x02])
        return bytes([function, 2 * n]) + b"".join(words)

    def url(self, **params):
        return url(f"modbus://127.0.0.1:{self.port}/{self.unit}", params)


def certificate(place, name, host):
    """A key and a certificate that vouches for itself."""
    key, crt = (os.path.join(place, f"{name}.{end}") for end in ("key", "crt"))
    subprocess.run([find("openssl"), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                    "-nodes", "-keyout", key, "-out", crt, "-days", "2", "-subj", f"/CN={host}",
                    "-addext", f"subjectAltName=DNS:{host}" + (",IP:127.0.0.1" if host == "localhost" else "")],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.chmod(key, 0o644)  # mosquitto gives up root's rights before it reads it
    return key, crt


class Broker:
    """mosquitto, and who publishes."""

    def __init__(self, place, password=None, tls=None):
        self.place = os.path.join(place, "mqtt")
        os.makedirs(self.place, exist_ok=True)
        os.chmod(place, 0o755)
        self.port = free_port()
        lines = [f"listener {self.port} 127.0.0.1", "persistence false",
                 f"log_dest file {self.place}/log", f"user {'root' if os.getuid() == 0 else 'nobody'}"]
        if password:
            users = os.path.join(self.place, "users")
            subprocess.run([find("mosquitto_passwd"), "-c", "-b", users, *password], check=True, capture_output=True)
            acl = os.path.join(self.place, "acl")
            with open(acl, "w", encoding="utf-8") as file:
                file.write(f"user {password[0]}\ntopic readwrite plugs/#\n")
            os.chmod(acl, 0o700)
            lines += ["allow_anonymous false", f"password_file {users}", f"acl_file {acl}"]
        else:
            lines += ["allow_anonymous true"]
        if tls:
            lines += [f"keyfile {tls[0]}", f"certfile {tls[1]}"]
        self.conf = os.path.join(self.place, "conf")
        with open(self.conf, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen([find("mosquitto"), "-c", self.conf], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def is_up():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return True
            return False

        wait_until(is_up, "mosquitto")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def url(self, topic, scheme="mqtt", host="127.0.0.1", **params):
        return url(f"{scheme}://{host}:{self.port}/{topic}", params)


class Publisher:
    """MQTT 3.1.1, as much as it takes to publish at QoS 0; connects anew when it has to."""

    def __init__(self, broker, user=None, password=None):
        self.broker, self.user, self.password = broker, user, password
        self.socket = None

    @staticmethod
    def text(value):
        data = value if isinstance(value, bytes) else value.encode()
        return struct.pack(">H", len(data)) + data

    @staticmethod
    def packet(first, body):
        n, length = len(body), b""
        while True:
            length += bytes([n % 128 | (0x80 if n > 127 else 0)])
            n //= 128
            if not n:
                return bytes([first]) + length + body

    def connect(self):
        self.socket = socket.create_connection(("127.0.0.1", self.broker.port), 5)
        flags = 2 | (0xc0 if self.user else 0)
        body = self.text("MQTT") + bytes([4, flags]) + struct.pack(">H", 0) + self.text(f"test-{time.monotonic_ns()}")
        if self.user:
            body += self.text(self.user) + self.text(self.password)
        self.socket.sendall(self.packet(0x10, body))
        if self.socket.recv(4)[3:] != b"\0":
            raise AssertionError("the broker refuses the publisher")

    def send(self, topic, payload, retain=False):
        data = payload if isinstance(payload, bytes) else str(payload).encode()
        with contextlib.suppress(OSError):
            if not self.socket:
                self.connect()
            self.socket.sendall(self.packet(0x31 if retain else 0x30, self.text(topic) + data), socket.MSG_NOSIGNAL)
            return True
        self.socket = None
        return False


class Every:
    """Calls a function every so often on a thread, until it leaves the block."""

    def __init__(self, seconds, function):
        self.seconds, self.function = seconds, function
        self.ends = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while not self.ends.is_set():
            self.function()
            self.ends.wait(self.seconds)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ends.set()
        self.thread.join(10)
