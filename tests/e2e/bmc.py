# bmc.py - simulated management controllers: OpenIPMI's ipmi_sim with DCMI, and the kernel's device preloaded
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
"""What they say is in a file that tests rewrite at any time: tests/support/bmc.h names its words."""
import os
import shutil
import socket
import subprocess
import time

import harness

MODULE = os.environ.get("ES_BMC_DCMI", "")
DEVICE = os.environ.get("ES_IPMI_DEVICE", "")
SIMULATOR = shutil.which("ipmi_sim")
USER, PASSWORD = "monitor", "secret"


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def answer(path, watts=412, **more):
    """Let the BMC say so from now on; its clock goes unless time= is given."""
    words = {"time": int(time.time()), "period": 1000, **more, "watts": watts}
    with open(path + ".new", "w") as file:
        file.writelines(f"{key.replace('_', '-')} {int(value)}\n" for key, value in words.items())
    os.rename(path + ".new", path)


def sensor_record(number, name, m, entity, instance):
    """A full sensor record (IPMI 2.0, table 43-1) of a sensor in watts, as the simulator takes it."""
    text = name.encode()
    body = bytes([0x20, 0, number, entity, instance, 0x67, 0x48, 0x0b, 0x01]) + bytes(6)
    body += bytes([0, 6, 0, 0, m, 0, 0, 0, 0, 0, 0x07, 0x40, 0xff, 0, 0xff, 0]) + bytes(11)
    body += bytes([0xc0 | len(text)]) + text
    return bytes([number, 0, 0x51, 0x01, len(body)]) + body


class Simulator:
    """One BMC on a port of its own; sensors: (name, watts per step, entity, instance), each with a file for its watts."""

    def __init__(self, place, sensors=(), name="bmc", port=None, user=USER, password=PASSWORD):
        if not SIMULATOR or not MODULE:
            raise harness.Skip("no ipmi_sim" if not SIMULATOR else "no headers of OpenIPMI's simulator")
        self.dir = os.path.join(place, name)
        self.port = port or free_port()
        self.file = os.path.join(self.dir, "dcmi")
        os.makedirs(os.path.join(self.dir, "state"))
        answer(self.file)
        with open(os.path.join(self.dir, "lan.conf"), "w") as file:
            file.write(f'''name "{name}"
loadlib "{MODULE}" "{self.file}"
set_working_mc 0x20
  startlan 1
    addr 127.0.0.1 {self.port}
    priv_limit admin
    allowed_auths_callback md5
    allowed_auths_user md5
    allowed_auths_operator md5
    allowed_auths_admin md5
    guid a123456789abcdefa123456789abcdef
  endlan
  user 1 true "" "test" user 10 md5
  user 2 true "{user}" "{password}" admin 10 md5
  user 3 true "guest" "{password}" user 10 md5
''')
        with open(os.path.join(self.dir, "sim.emu"), "w") as file:
            file.write("mc_setbmc 0x20\nmc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr\n"
                       "sel_enable 0x20 1000 0x0a\n")
            for number, (sensor, m, entity, instance) in enumerate(sensors, 1):
                self.show(number, 0)
                file.write(f'sensor_add 0x20 0 {number} 0x0b 0x01 poll 100 file "{self.sensor(number)}" div={m}\n'
                           f"sensor_set_event_support 0x20 0 {number} enable scanning per-state "
                           + " ".join(["000000000000000"] * 4) + "\nmain_sdr_add 0x20 "
                           + " ".join(f"0x{b:02x}" for b in sensor_record(number, sensor, m, entity, instance)) + "\n")
            file.write("mc_enable 0x20\n")
        self.process = None
        self.start()

    def sensor(self, number):
        return os.path.join(self.dir, f"sensor-{number}")

    def show(self, number, watts):
        with open(self.sensor(number) + ".new", "w") as file:
            file.write(f"{watts}\n")
        os.rename(self.sensor(number) + ".new", self.sensor(number))

    def start(self):
        # Kept state would double the sensors of a simulator that is started again.
        shutil.rmtree(os.path.join(self.dir, "state"))
        os.mkdir(os.path.join(self.dir, "state"))
        with open(os.path.join(self.dir, "log"), "a") as log:
            self.process = subprocess.Popen(
                [SIMULATOR, "-c", os.path.join(self.dir, "lan.conf"), "-f", os.path.join(self.dir, "sim.emu"),
                 "-s", os.path.join(self.dir, "state"), "-n"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.wait()

    def wait(self):
        """Until it answers an RMCP ping (ASF presence), or has ended."""
        ping = bytes.fromhex("0600ff06000011be80010000")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.2)
            s.connect(("127.0.0.1", self.port))
            for _ in range(100):
                if self.process.poll() is not None:
                    with open(os.path.join(self.dir, "log")) as log:
                        raise AssertionError("ipmi_sim ended: " + log.read())
                try:
                    s.send(ping)
                    s.recv(64)
                    return
                except (TimeoutError, ConnectionError):
                    time.sleep(0.02)
        raise AssertionError("ipmi_sim does not answer")

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
        self.process = None

    def answer(self, watts=412, **more):
        answer(self.file, watts, **more)

    def url(self, scheme="dcmi", path="", **params):
        text = "&".join(f"{key}={value}" for key, value in params.items())
        return f"{scheme}://127.0.0.1:{self.port}{path}" + ("?" + text if text else "")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def credentials(place, user=USER, password=PASSWORD, name="credentials"):
    path = os.path.join(place, name)
    with open(path, "w") as file:
        file.write(f"user: {user}\npassword: {password}\n")
    os.chmod(path, 0o600)
    return path


def device_environment(place, watts=412, **more):
    """The kernel's device, for one program: environment and the file that says what it answers."""
    if not DEVICE:
        raise harness.Skip("no preloaded device was built")
    path = os.path.join(place, "device")
    answer(path, watts, **more)
    # A program with the address sanitizer wants that first; the device does not mind.
    asan = ":".join(filter(None, (os.environ.get("ASAN_OPTIONS"), "verify_asan_link_order=0")))
    return {"LD_PRELOAD": DEVICE, "ES_BMC": path, "ASAN_OPTIONS": asan}, path
