# daemons.py - energyscopiumd in end-to-end tests: up on a tree or twin, asked in raw packets, killed and brought up again
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
"""
    with daemons.up(place, root=twin.mount, config={"serve": "everybody"}) as daemon:
        harness.call("run", "--", "sleep", "1", env=daemon.env)
        daemon.state()["sampling"]["sweeps"]
        head, body = daemon.ask(daemons.STATE)

Packets and pages are taken apart here by hand, so that a mistake in our own library shows.
"""
import array
import contextlib
import json
import mmap
import os
import signal
import socket
import struct
import subprocess
import tempfile
import time

import harness

PROGRAM = os.path.join(os.path.dirname(harness.PROGRAM), "energyscopiumd")
MAGIC, VERSION = 0x50495345, 1
HEAD = struct.Struct("<IHHII")
TAG_START, TAG_STOP, STATUS, END, RELEASE, TAKE = 1, 2, 3, 4, 5, 6
HELLO, DOMAINS, WATCH, SWEEP, JOB_BEGIN, JOB_END, JOB_STATUS, JOBS, JOB_OPEN, STATE, JOB_TOTAL = range(16, 27)
ANSWER, STATUS_IS = 128, 129
WELCOME, DOMAIN, LAST, PAGE, JOB, FILE, STATE_IS = range(144, 151)
OK, MOVED, NOT_OPEN, BAD_NAME, TOO_MANY, LOST, BAD_VERSION, BAD_TYPE, BAD_MESSAGE, DENIED, PENDING = range(11)
VIEW_NOTHING, VIEW_NODE, VIEW_SHARE = 0, 1, 2
WAIT_S = 20  # for a busy machine


def text(value):
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<H", len(data)) + data


def packet(kind, body=b"", number=1, version=VERSION):
    return HEAD.pack(MAGIC, version, kind, len(body), number) + body


def text_body(value, number=0):
    """Of HELLO, JOB_STATUS, JOB_OPEN, JOB_TOTAL: a text and a number."""
    return text(value) + struct.pack("<I", number)


def message_body(name="", said="", t_ns=0, value=0):
    """Of the messages of ipc/message.h."""
    name, said = name.encode(), said.encode()
    return struct.pack("<qqHH", t_ns, value, len(name), len(said)) + name + said


def take_answer(body):
    """(verdict, words, time) of an ANSWER."""
    t_ns, value, n_name, n_text = struct.unpack_from("<qqHH", body)
    return value, body[20 + n_name:20 + n_name + n_text].decode(), t_ns


JOB_FIELDS = (("id", "s"), ("step", "s"), ("scheduler", "s"), ("uid", "I"), ("has_uid", "B"), ("flags", "I"), ("n_cpus", "I"),
              ("cpus", "s"), ("has_gpus", "B"), ("gpus", "s"), ("cgroup", "s"), ("pid", "q"), ("n_nodes", "I"),
              ("node_index", "I"), ("nodes", "s"), ("name", "s"), ("cluster", "s"), ("account", "s"), ("partition", "s"),
              ("restarts", "I"), ("t_ns", "q"))
JOB_IS_FIELDS = (("node", "s"), ("start_unix_ns", "q"), ("stop_unix_ns", "q"), ("dur_ns", "q"), ("has_energy", "B"),
                 ("energy_uj", "Q"), ("uncertainty_uj", "Q"), ("kind", "s"), ("idle_method", "s"), ("covered_ppm", "I"))


def job_body(job, uid=None, **more):
    """Of JOB_BEGIN, by the fields of struct es_local_job."""
    values = {"id": job, "uid": uid or 0, "has_uid": uid is not None, "scheduler": "script", **more}
    return b"".join(text(values.get(name, "")) if kind == "s" else struct.pack("<" + kind, values.get(name, 0))
                    for name, kind in JOB_FIELDS)


def job_of(body):
    """The fields of a JOB, as far as the sums."""
    at, values = 0, {}
    for name, kind in JOB_FIELDS + JOB_IS_FIELDS:
        if kind == "s":
            n, = struct.unpack_from("<H", body, at)
            values[name] = body[at + 2:at + 2 + n].decode()
            at += 2 + n
        else:
            values[name], = struct.unpack_from("<" + kind, body, at)
            at += struct.calcsize("<" + kind)
    return values


def end_body(job, step="", status=None, t_ns=0):
    """Of JOB_END."""
    return text(job) + text(step) + struct.pack("<Biq", status is not None, status or 0, t_ns)


DOMAIN_FIELDS = (("id", "s"), ("name", "s"), ("source", "s"), ("type", "s"), ("kind", "s"), ("state", "s"))


def domain_of(body):
    """The texts of a DOMAIN that come first."""
    at, values = 0, {}
    for name, _ in DOMAIN_FIELDS:
        n, = struct.unpack_from("<H", body, at)
        values[name] = body[at + 2:at + 2 + n].decode()
        at += 2 + n
    return values


class Connection:
    """A socket to the daemon; ask() is a packet and its answer as (type, body)."""

    def __init__(self, path, timeout=WAIT_S):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(timeout)
        until = time.monotonic() + timeout
        while True:
            try:
                self.socket.connect(path)
                break
            except BlockingIOError:  # too many others are before us
                harness.expect(time.monotonic() < until, "nobody is let in")
                time.sleep(0.002)
        self.number = 0
        self.fds = []

    def send(self, kind, body=b"", **kwargs):
        self.number += 1
        self.socket.send(packet(kind, body, number=kwargs.pop("number", self.number), **kwargs))

    def receive(self):
        """(type, number, body); descriptors that come along are in self.fds. None: the daemon closed it."""
        data, ancillary, _, _ = self.socket.recvmsg(8192, socket.CMSG_SPACE(16))
        for level, kind, fds in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                self.fds.extend(array.array("i", fds[:len(fds) // 4 * 4]))
        if not data:
            return None
        magic, version, kind, length, number = HEAD.unpack_from(data)
        harness.equal((magic, version, length), (MAGIC, VERSION, len(data) - HEAD.size), "header of an answer")
        return kind, number, data[HEAD.size:]

    def ask(self, kind, body=b""):
        self.send(kind, body)
        answer = self.receive()
        harness.expect(answer is not None, f"the daemon closed the connection after a message of type {kind}")
        harness.equal(answer[1], self.number, "the number of the answer")
        return answer[0], answer[2]

    def ask_list(self, kind, body=b""):
        """All packets of a list, as [(type, body)]; a refusal is a list of one."""
        self.send(kind, body)
        answers = []
        while True:
            answer = self.receive()
            harness.expect(answer is not None, "the daemon closed the connection in the middle of a list")
            if answer[0] == LAST:
                harness.equal(struct.unpack("<I", answer[2][:4])[0], len(answers), "the count of a list")
                return answers
            answers.append((answer[0], answer[2]))
            if answer[0] == ANSWER:
                return answers

    def watch(self, period_ns):
        """The Page; again: None, the period is another one."""
        kind, body = self.ask(WATCH, struct.pack("<q", period_ns))
        if kind == ANSWER:
            raise AssertionError(f"WATCH was refused: {take_answer(body)}")
        harness.equal(kind, PAGE, "the answer to WATCH")
        epoch, n, granted_ns = struct.unpack_from("<QIq", body)
        return Page(self.fds.pop(), epoch, n, granted_ns) if self.fds else None

    def close(self):
        for fd in self.fds:
            os.close(fd)
        self.fds = []
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Page:
    """The shared page, read by its layout (ipc/page.c): words of 64 bits."""

    def __init__(self, fd, epoch, n, period_ns):
        self.epoch, self.n, self.period_ns = epoch, n, period_ns
        size = os.fstat(fd).st_size
        self.map = mmap.mmap(fd, size, mmap.MAP_SHARED, mmap.PROT_READ)
        os.close(fd)

    def words(self, at, n):
        return struct.unpack_from(f"<{n}Q", self.map, 8 * at)

    def read(self):
        """{sequence, sweep_ns, period_ns, node_uj (None: not known), node_mw, node_kind, values: [{…}]}; None: nothing yet."""
        for _ in range(100):
            newest, has_ended = self.words(4, 2)
            if has_ended:
                raise BrokenPipeError("the page has ended")
            if newest == 0:
                return None
            at = 8 + newest // 2 % 2 * (8 + 6 * self.n)
            slot = self.words(at, 8)
            values = [self.words(at + 8 + 6 * i, 6) for i in range(self.n)]
            if slot[0] == newest == self.words(at, 1)[0] == self.words(4, 1)[0]:
                break
        else:
            raise AssertionError("the page never holds still")
        signed = struct.unpack("<" + "i" * self.n, b"".join(struct.pack("<I", v[5] & 0xffffffff) for v in values))
        return {
            "sequence": slot[0], "sweep_ns": slot[1], "period_ns": slot[2],
            "node_uj": slot[4] if slot[3] else None, "node_mw": slot[5],
            "node_kind": struct.pack("<QQ", *slot[6:8]).rstrip(b"\0").decode(),
            "values": [{"t_ns": v[0], "width_ns": v[1], "energy_uj": v[2], "power_mw": v[3], "activity_ns": v[4],
                        "error": signed[i], "n_resets": v[5] >> 32} for i, v in enumerate(values)],
        }

    def next(self, after=0, seconds=WAIT_S):
        """The first sweep after a sequence."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            now = self.read()
            if now and now["sequence"] > after:
                return now
            time.sleep(0.005)
        raise AssertionError(f"nothing new on the page in {seconds} s")

    def close(self):
        self.map.close()


class Daemon:
    def __init__(self, place, root=None, jobs_root=None, config=None, options=(), env=None, preexec=None, user=None,
                 become=(), folder_of=None):
        self.place = tempfile.mkdtemp(prefix="daemon-", dir=place)
        self.socket = os.path.join(self.place, "socket")
        self.config_path = os.path.join(self.place, "energyscopiumd.yaml")
        self.log_path = os.path.join(self.place, "log")
        self.spool = os.path.join(self.place, "spool")
        self.config = {"spool": self.spool, "socket": self.socket}
        self.config.update(config or {})
        self.root, self.jobs_root, self.options = root, jobs_root, list(options)
        self.extra_env, self.preexec, self.user = env or {}, preexec, user
        self.process, self.notify, self.notes = None, None, []
        self.env = {"ENERGYSCOPIUM_DAEMON": self.socket}
        os.chmod(place, 0o755)  # other users come to the socket
        os.chmod(self.place, 0o755)
        self.become = list(become)  # what makes another user of it, setpriv …, whose folder it then is
        folder_of = user if folder_of is None else folder_of
        if folder_of is not None:
            os.chown(self.place, folder_of, folder_of)
        self.write_config()

    def write_config(self, more=None, raw=None):
        """The configuration's file anew; a value may be a list, True, False, or None: not given. reload() has it read."""
        self.config.update(more or {})
        lines = []
        for key, value in self.config.items():
            if value is None:
                continue
            if isinstance(value, (list, tuple)):
                lines += [f"{key}:"] + [f"  - {json.dumps(str(item))}" for item in value]
            elif isinstance(value, bool):
                lines.append(f"{key}: {'yes' if value else 'no'}")
            else:
                lines.append(f"{key}: {json.dumps(str(value))}")
        with open(self.config_path, "w", encoding="utf-8") as file:
            file.write(raw if raw is not None else "\n".join(lines) + "\n")

    def start(self, wait=True):
        """Start it; returns when it said READY=1 (or, wait=False, at once)."""
        notify = os.path.join(self.place, "notify")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(notify)
        self.notes = []
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(notify)
        os.chmod(notify, 0o666)
        command = [*self.become, PROGRAM, "--config", self.config_path]
        command += ["--root", self.root] if self.root else []
        command += ["--jobs-root", self.jobs_root] if self.jobs_root else []
        command += list(map(str, self.options))
        env = harness.clean_environment({"NOTIFY_SOCKET": notify, **self.extra_env})
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env,
                                            preexec_fn=self.preexec, user=self.user, cwd="/")
        if wait:
            self.wait_for("READY=1")
        return self

    def wait_for(self, note, seconds=WAIT_S):
        """Until the service manager is told something that begins with note; all that was told is in self.notes."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.notify.settimeout(0.2)
            try:
                told = self.notify.recv(4096).decode().splitlines()
            except socket.timeout:
                if self.process.poll() is not None:
                    raise AssertionError(f"the daemon ended with {self.process.returncode}:\n{self.log()}") from None
                continue
            self.notes += told
            if any(line.startswith(note) for line in told):
                return told
        raise AssertionError(f"the daemon did not say {note} in {seconds} s, but {self.notes}:\n{self.log()}")

    def connect(self, **kwargs):
        return Connection(self.socket, **kwargs)

    def ask(self, kind, body=b""):
        """A packet on a connection of its own: (type, body) of the answer."""
        with self.connect() as connection:
            return connection.ask(kind, body)

    def state(self):
        kind, body = self.ask(STATE)
        harness.equal(kind, STATE_IS, "the answer to STATE")
        length, = struct.unpack_from("<H", body)
        return json.loads(body[2:2 + length])

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_log(self, words, seconds=WAIT_S):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if words in self.log():
                return
            time.sleep(0.02)
        raise AssertionError(f"the log does not say {words!r}:\n{self.log()}")

    def reload(self):
        """SIGHUP; returns when it is ready again."""
        self.process.send_signal(signal.SIGHUP)
        self.wait_for("RELOADING=1")
        self.wait_for("READY=1")

    def kill(self):
        """kill -9, as a crash."""
        self.process.kill()
        self.process.wait()
        self.notify.close()

    def stop(self):
        """SIGTERM; its exit status (negative: it was killed)."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(WAIT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"the daemon did not end on SIGTERM:\n{self.log()}") from None
        self.notify.close()
        return self.process.returncode

    def restart(self):
        """Stop it where it runs (a killed one is only started)."""
        if self.process.poll() is None:
            harness.equal(self.stop(), 0, f"the exit status\n{self.log()}")
        return self.start()


@contextlib.contextmanager
def up(place, root=None, jobs_root=None, config=None, **kwargs):
    """A daemon below a test's folder, ready; ended at the end, and then it must have ended well."""
    if not os.access(PROGRAM, os.X_OK):
        raise harness.Skip("energyscopiumd is not built (libuv)")
    daemon = Daemon(place, root=root, jobs_root=jobs_root, config=config, **kwargs)
    try:
        yield daemon.start()
    except BaseException:
        if daemon.process:
            with contextlib.suppress(AssertionError):
                daemon.stop()
        raise
    was_killed = daemon.process.returncode is not None and daemon.process.returncode < 0
    status = daemon.stop()
    harness.expect(was_killed or status == 0, f"the daemon ended with {status}:\n{daemon.log()}")
