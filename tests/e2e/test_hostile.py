#!/usr/bin/env python3
# test_hostile.py - users who ask the daemon for more than they may have, at the cost of others
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import array
import contextlib
import os
import signal
import socket
import struct
import sys
import time

import daemons
import harness
from harness import Skip, equal, expect
from test_daemon import OTHER, USER, as_user, begin, tree_of

OLD_KERNEL = os.environ.get("ES_OLD_KERNEL_MODULE", "")


def verdict(answer):
    return daemons.take_answer(answer[1])[0]


def sweeps_of(daemon, function):
    """(sweeps, seconds) while a user does something."""
    before = daemon.state()
    as_user(USER, function)
    after = daemon.state()
    return after["sampling"]["sweeps"] - before["sampling"]["sweeps"], after["uptime_s"] - before["uptime_s"]


def test_sweeps_out_of_turn(place):
    """No user has the meters read out of turn more often than it may see them, by whatever it tells of jobs"""
    root = tree_of(place)

    def end_others():
        with contextlib.ExitStack() as stack:
            connections = [stack.enter_context(daemons.Connection(daemon.socket)) for _ in range(4)]
            for _ in range(40):
                for connection in connections:
                    equal(verdict(connection.ask(daemons.JOB_END, daemons.end_body("8"))), daemons.DENIED, "another user's job")
                    equal(verdict(connection.ask(daemons.JOB_END, daemons.end_body("none"))), daemons.NOT_OPEN, "no job")
        return ""

    def steps():
        with daemons.Connection(daemon.socket) as connection:
            equal(verdict(connection.ask(daemons.JOB_BEGIN, daemons.job_body("mine"))), daemons.OK, "a job of its own")
            for i in range(100):
                connection.ask(daemons.JOB_BEGIN, daemons.job_body("mine", step=f"s{i}"))
            equal(verdict(connection.ask(daemons.JOB_END, daemons.end_body("mine"))), daemons.OK, "its end")
        return ""

    with daemons.up(place, root=root) as daemon:
        begin(daemon, "8", OTHER)
        for name, function in (("ends of others' jobs", end_others), ("steps", steps)):
            n, seconds = sweeps_of(daemon, function)
            expect(n <= 2 * seconds + 6, f"{name}: {n} sweeps in {seconds:.1f} s")
        n = daemon.state()["sampling"]["sweeps"]
        equal(verdict(daemon.ask(daemons.JOB_END, daemons.end_body("8"))), daemons.OK, "the system's word")
        if os.geteuid() == 0:
            expect(daemon.state()["sampling"]["sweeps"] > n, "it is waited for with a sweep")


def test_log_that_nobody_takes(place):
    """A journal that hangs holds up nobody; when it is back it is told that lines are missing"""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"." * 4096)
    os.set_blocking(writer, True)
    with daemons.up(place, root=tree_of(place), preexec=lambda: os.dup2(writer, 2)) as daemon:
        begin(daemon, "7", os.geteuid())
        before = daemon.state()["sampling"]["sweeps"]
        os.read(reader, 1 << 20)
        begin(daemon, "8", os.geteuid())
        said = b""
        while b"job 8 begins" not in said:
            said += os.read(reader, 1 << 20)
        expect(b"lines before were not taken" in said, said)
        expect(daemon.state()["sampling"]["sweeps"] >= before, "sweeps go on")
    os.close(reader)
    os.close(writer)


def lingering():
    """A connection whose end is not taken, and which waits for that when it is closed; and the other side."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        near = socket.socket()
        near.connect(listener.getsockname())
        far, _ = listener.accept()
    near.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            near.send(bytes(65536))
    near.setblocking(True)
    near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 3600))
    return near, far


def send_along(connection, fd):
    data = daemons.packet(daemons.HELLO, daemons.text_body("x"))
    connection.socket.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd]))])


def test_descriptors_sent_along(place):
    """What is slow to close costs nobody time: not taken with a packet, not left in a connection that ends"""
    if not OLD_KERNEL:
        raise Skip("ES_OLD_KERNEL_MODULE is not set")
    env = {"LD_PRELOAD": OLD_KERNEL, "ASAN_OPTIONS": "verify_asan_link_order=0"}
    with daemons.up(place, root=tree_of(place), env=env) as daemon, contextlib.ExitStack() as stack:
        for is_read in (True, False):
            near, far = lingering()
            stack.enter_context(far)
            connection = stack.enter_context(daemon.connect())
            daemon.process.send_signal(signal.SIGSTOP)
            if not is_read:  # behind a packet after which the daemon hangs up
                connection.send(200, b"")
            send_along(connection, near.fileno())
            near.close()
            daemon.process.send_signal(signal.SIGCONT)
            answers = []
            while None not in answers:
                with contextlib.suppress(ConnectionResetError):  # not all of it was read; what was said comes behind
                    answers.append(connection.receive())
            equal([answer and answer[0] for answer in answers], [daemons.ANSWER, None], "it is told why, and no more")
        before = daemon.state()["sampling"]["sweeps"]
        until = time.monotonic() + daemons.WAIT_S
        while daemon.state()["sampling"]["sweeps"] == before and time.monotonic() < until:
            time.sleep(0.05)
        expect(daemon.state()["sampling"]["sweeps"] > before, "sweeps go on")


def test_descriptors_refused(place):
    """Where the kernel can refuse them (Linux 6.16) it does so before the daemon has seen the connection"""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
        try:
            probe.setsockopt(socket.SOL_SOCKET, 83, 0)
        except OSError:
            raise Skip("this kernel refuses no descriptors") from None
    with daemons.up(place, root=tree_of(place)) as daemon:
        daemon.process.send_signal(signal.SIGSTOP)
        with daemon.connect() as connection:
            try:
                send_along(connection, 0)
                was_sent = True
            except PermissionError:
                was_sent = False
            finally:
                daemon.process.send_signal(signal.SIGCONT)
        expect(not was_sent, "a descriptor is on its way to the daemon")


def test_coming_and_going(place):
    """Who connects and leaves all the time is let in at a pace of ours, and so is who asks for pages and keeps them"""

    def come(seconds=1.5):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as one:
                one.connect(daemon.socket)
        return ""

    def hoard(seconds=1.5):
        pages, start = [], time.monotonic()
        while time.monotonic() < start + seconds:
            with contextlib.suppress(OSError), daemons.Connection(daemon.socket) as connection:
                connection.send(daemons.WATCH, struct.pack("<q", 10**9))
                if connection.receive()[0] == daemons.PAGE:
                    pages.append(connection.fds.pop())
        return f"{len(pages)} {time.monotonic() - start}"

    with daemons.up(place, root=tree_of(place), config={"serve": "everybody"}) as daemon:
        if os.geteuid() != 0:
            raise Skip("needs root, to be another user")
        before = daemon.state()
        as_user(USER, come)
        equal(daemon.ask(daemons.HELLO, daemons.text_body("root"))[0], daemons.WELCOME, "another user")
        after = daemon.state()
        n, seconds = after["clients"]["served"] - before["clients"]["served"], after["uptime_s"] - before["uptime_s"]
        expect(n <= 140 + 50 * seconds, f"{n} connections of one user were let in in {seconds:.1f} s")
        n, seconds = map(float, as_user(OTHER, hoard).split())
        expect(1 <= n <= 68 + 10 * seconds, f"{n:.0f} pages of one user in {seconds:.1f} s")


def test_jobs_without_end(place):
    """A user begins so many jobs at once and then one a second; nobody else has to wait for that"""
    root = tree_of(place)

    def many():
        verdicts, start = [], time.monotonic()
        with daemons.Connection(daemon.socket) as connection:
            for i in range(3):
                names = [f"mine{i}.{k}" for k in range(30)]
                verdicts += [verdict(connection.ask(daemons.JOB_BEGIN, daemons.job_body(name))) for name in names]
                for name in names:
                    connection.send(daemons.JOB_END, daemons.end_body(name))
                for _ in names:
                    connection.receive()
        n, seconds = verdicts.count(daemons.OK), time.monotonic() - start
        expect(30 <= n <= 34 + seconds, f"{n} jobs in {seconds:.1f} s")
        return repr(sorted(set(verdicts)))

    with daemons.up(place, root=root) as daemon:
        if os.geteuid() != 0:
            raise Skip("needs root, to be two users")
        equal(as_user(USER, many), repr([daemons.OK, daemons.TOO_MANY]), "one user")
        equal(as_user(OTHER, lambda: str(verdict(daemon.ask(daemons.JOB_BEGIN, daemons.job_body("other"))))),
              str(daemons.OK), "another one")
        for i in range(60):
            begin(daemon, f"root{i}", USER)


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
