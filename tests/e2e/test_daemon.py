#!/usr/bin/env python3
# test_daemon.py - energyscopiumd: what it shows against the truth, and what it does with hostile readers and bad days
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import contextlib
import glob
import os
import random
import resource
import signal
import socket
import struct
import subprocess
import sys
import time

import daemons
import faulty
import harness
import twins
from harness import PLAYER, TREE, Skip, equal, expect, near

USER, OTHER = 64211, 64212
JOB_PENDING = 1 << 6  # of a job whose files are being written
SET_CLOCK = os.environ.get("ES_SET_CLOCK_MODULE", "")


def domains(connection):
    return [daemons.domain_of(body) for _, body in connection.ask_list(daemons.DOMAINS)]


def tree_of(place, model="skx2s"):
    root = os.path.join(place, "tree")
    subprocess.run([TREE, root, model], check=True)
    return root


@contextlib.contextmanager
def moving(root, duration="60s"):
    """A tree's counters, moved."""
    with subprocess.Popen([PLAYER, root, "--random", "5", "--duration", duration], stdout=subprocess.DEVNULL) as player:
        try:
            yield
        finally:
            player.kill()


def as_user(uid, function):
    """What a function says as another user, in a child: it must be a text."""
    if os.geteuid() != 0:
        raise Skip("needs root, to be two users")
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            said = function()
        except BaseException as why:  # the parent is to know
            said = f"failed: {type(why).__name__}: {why}"
        os.write(writer, str(said).encode())
        os._exit(0)
    os.close(writer)
    said = b""
    while part := os.read(reader, 65536):
        said += part
    os.close(reader)
    os.waitpid(pid, 0)
    expect(not said.startswith(b"failed:"), said.decode())
    return said.decode()


def welcome_of(connection):
    """(least period in ns, view, job, words)"""
    kind, body = connection.ask(daemons.HELLO, daemons.text_body("test"))
    equal(kind, daemons.WELCOME, "the answer to HELLO")
    at, texts = 0, []
    for _ in range(3):
        n, = struct.unpack_from("<H", body, at)
        texts.append(body[at + 2:at + 2 + n].decode())
        at += 2 + n
    least_ns, view = struct.unpack_from("<qB", body, at)
    at += 9
    for _ in range(2):
        n, = struct.unpack_from("<H", body, at)
        texts.append(body[at + 2:at + 2 + n].decode())
        at += 2 + n
    return least_ns, view, texts[3], texts[4]


def begin(daemon, job, uid, **more):
    kind, body = daemon.ask(daemons.JOB_BEGIN, daemons.job_body(job, uid=uid, **more))
    equal((kind, daemons.take_answer(body)[0]), (daemons.ANSWER, daemons.OK), f"JOB_BEGIN {daemons.take_answer(body)}")


def end(daemon, job):
    kind, body = daemon.ask(daemons.JOB_END, daemons.end_body(job))
    equal((kind, daemons.take_answer(body)[0]), (daemons.ANSWER, daemons.OK), f"JOB_END {daemons.take_answer(body)}")


def test_page_against_truth(place):
    """The page's energies between two sweeps are the twin's, for each domain and the node"""
    with twins.up(place, "skx2s", "--seed", "7") as twin, daemons.up(place, root=twin.mount) as daemon, \
            daemon.connect() as connection:
        names = domains(connection)
        page = connection.watch(100_000_000)
        equal(page.n, len(names), "domains of the page")
        first = page.next()
        time.sleep(1.2)
        last = page.next(first["sequence"] + 10)
        n_compared = 0
        for i, domain in enumerate(names):
            a, b = first["values"][i], last["values"][i]
            if not domain["id"].startswith(("powercap/package", "powercap/dram")):
                continue
            truth = twin.energy_uj(a["t_ns"], b["t_ns"])[domain["name"]]
            # Its counter moves once in a millisecond.
            near(b["energy_uj"] - a["energy_uj"], truth, 0.02 * truth + 1_000_000, domain["id"])
            n_compared += 1
        expect(n_compared >= 2, f"domains of {names}")
        expect(last["node_uj"] > first["node_uj"], "the node's energy grows")
        page.close()


def test_whole_seconds(place):
    """Sweeps begin on whole seconds of the wall clock, faster while somebody watches, and then slowly again"""
    root = tree_of(place)
    with moving(root), daemons.up(place, root=root) as daemon:
        with daemon.connect() as connection:
            page = connection.watch(10_000_000_000)
            ahead_ns = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)
            into_ns, sequence = [], 0
            with daemon.connect() as slow:
                each = slow.watch(1_000_000_000)
                for _ in range(3):
                    now = each.next(sequence)
                    sequence = now["sequence"]
                    into_ns.append((now["sweep_ns"] + ahead_ns) % 1_000_000_000)
            # The first may be the one of the start; a busy machine makes others late, never early.
            expect(min(into_ns[1:]) < 200_000_000, f"sweeps begin {into_ns} ns into their second")
            equal(daemon.state()["sampling"]["period_ms"], 1000, "without a fast reader")
            connection.watch(2_000_000)
            until = time.monotonic() + 10
            while daemon.state()["sampling"]["period_ms"] != 2 and time.monotonic() < until:
                time.sleep(0.02)
            equal(daemon.state()["sampling"]["period_ms"], 2, "with a fast reader")
            before = page.next()["sequence"]
            page.next(before + 40)
        until = time.monotonic() + 10
        while daemon.state()["sampling"]["period_ms"] != 1000 and time.monotonic() < until:
            time.sleep(0.02)
        equal(daemon.state()["sampling"]["period_ms"], 1000, "when it has left")


def test_hostile_packets(place):
    """What is no message is answered as such, and the connection closed; the daemon goes on for others"""
    cases = {
        "no magic": (b"\0" * 16, daemons.BAD_MESSAGE),
        "short": (daemons.packet(daemons.STATE)[:9], daemons.BAD_MESSAGE),
        "another version": (daemons.packet(daemons.STATE, version=9), daemons.BAD_VERSION),
        "length too long": (daemons.HEAD.pack(daemons.MAGIC, 1, daemons.STATE, 100, 1), daemons.BAD_MESSAGE),
        "length too short": (daemons.HEAD.pack(daemons.MAGIC, 1, daemons.STATE, 0, 1) + b"more", daemons.BAD_MESSAGE),
        "length of 4 GB": (daemons.HEAD.pack(daemons.MAGIC, 1, daemons.STATE, 0xffffffff, 1), daemons.BAD_MESSAGE),
        "unknown type": (daemons.packet(99), daemons.BAD_TYPE),
        "an answer": (daemons.packet(daemons.ANSWER, daemons.message_body()), daemons.BAD_TYPE),
        "no body": (daemons.packet(daemons.WATCH), daemons.BAD_MESSAGE),
        "id of another shape": (daemons.packet(daemons.JOB_BEGIN, daemons.job_body("../../etc")), daemons.BAD_MESSAGE),
        "cut off": (daemons.packet(daemons.JOB_BEGIN, daemons.job_body("7")[:30]), daemons.BAD_MESSAGE),
        "control characters": (daemons.packet(daemons.HELLO, daemons.text_body("\x1b[2J")), daemons.BAD_MESSAGE),
        "too long": (b"x" * 9000, daemons.BAD_MESSAGE),
    }
    root = tree_of(place)
    with daemons.up(place, root=root) as daemon:
        for name, (packet, verdict) in cases.items():
            with daemon.connect() as connection:
                connection.socket.send(packet)
                answer = connection.receive()
                expect(answer is not None, f"{name}: no answer")
                equal((answer[0], daemons.take_answer(answer[2])[0]), (daemons.ANSWER, verdict), name)
                equal(connection.receive(), None, f"{name}: the connection")
        with daemon.connect() as connection:  # an empty packet looks like the end
            connection.socket.send(b"")
            equal(connection.receive(), None, "an empty packet")
        with daemon.connect() as connection:  # descriptors that nobody asked for
            with open(os.devnull, "rb") as file:
                with contextlib.suppress(OSError):  # a newer kernel refuses them by itself
                    socket.send_fds(connection.socket, [daemons.packet(daemons.STATE)], [file.fileno()] * 3)
        rng = random.Random(3)
        for _ in range(300):
            packet = bytearray(daemons.packet(rng.choice(list(range(16, 27)) + [1, 2, 3, 5]), rng.randbytes(rng.randrange(200))))
            packet[rng.randrange(len(packet))] ^= rng.randrange(256)
            with daemon.connect() as connection:
                connection.socket.send(packet)
        state = daemon.state()
        equal((state["clients"]["connected"], daemon.process.poll()), (1, None), "who is left")
        fds = os.listdir(f"/proc/{daemon.process.pid}/fd")
        expect(len(fds) < 60, f"descriptors left open: {len(fds)}")


def flood(path, seconds):
    with daemons.Connection(path) as connection:
        connection.socket.setblocking(False)
        n_sent, until = 0, time.monotonic() + seconds
        packet = daemons.packet(daemons.HELLO, daemons.text_body("flood"))
        while time.monotonic() < until:
            try:
                connection.socket.send(packet)
                n_sent += 1
                while connection.socket.recv(8192):
                    pass
            except BlockingIOError:
                time.sleep(0.0005)
        return n_sent


def test_flood(place):
    """Somebody who asks without end is heard at a pace of ours, and others are answered meanwhile"""
    root = tree_of(place)
    with daemons.up(place, root=root) as daemon:
        before = daemon.state()
        pids = []
        for _ in range(3):
            pid = os.fork()
            if pid == 0:
                with contextlib.suppress(BaseException):
                    if os.geteuid() == 0:
                        os.setresuid(USER, USER, USER)
                    flood(daemon.socket, 3)
                os._exit(0)
            pids.append(pid)
        time.sleep(0.3)
        for _ in range(5):
            asked = time.monotonic()
            daemon.state()
            expect(time.monotonic() - asked < 5, "an answer to somebody else")
        for pid in pids:
            os.waitpid(pid, 0)
        after = daemon.state()
        heard = after["clients"]["messages"] - before["clients"]["messages"]
        seconds = after["uptime_s"] - before["uptime_s"]
        if os.geteuid() == 0:  # who is the daemon's own user may ask more often
            expect(heard < 3 * (400 + 200 * (seconds + 2)) + 10, f"{heard} messages were heard in {seconds} s")
        expect(after["sampling"]["sweeps"] > before["sampling"]["sweeps"], "sweeps go on")


def test_slow_reader(place):
    """Who asks and reads nothing is dropped, and costs one answer's memory until then"""
    root = tree_of(place)
    with daemons.up(place, root=root) as daemon, daemon.connect() as connection:
        connection.socket.settimeout(0.2)
        with contextlib.suppress(OSError):  # its buffer is full
            while True:
                connection.send(daemons.STATE)
        until = time.monotonic() + 30
        while daemon.state()["clients"]["dropped"] == 0 and time.monotonic() < until:
            time.sleep(0.2)
        equal(daemon.state()["clients"]["dropped"], 1, "readers dropped")
        daemon.wait_log("takes no answers")


def test_thousand_connections(place):
    """A user has a few dozen connections at most, root a thousand; who comes later is told so"""
    root = tree_of(place)

    def many():
        kept, n_refused = [], 0
        for _ in range(200):
            connection = daemons.Connection(daemon.socket)
            with contextlib.suppress(BrokenPipeError):  # turned away, and the answer says why
                connection.send(daemons.HELLO, daemons.text_body("many"))
            kind, _, body = connection.receive()
            if kind == daemons.ANSWER:
                equal(daemons.take_answer(body)[0], daemons.TOO_MANY, "why")
                n_refused += 1
                connection.close()
            else:
                kept.append(connection)
        return f"{len(kept)} {n_refused}"

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2048:
        raise Skip("no room for 1,000 descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (2048, hard))
    try:
        with daemons.up(place, root=root) as daemon:
            begun = daemon.state()
            if os.geteuid() == 0:
                equal(as_user(USER, many), "64 136", "an ordinary user's connections")
            kept = [daemon.connect() for _ in range(1000)]
            for connection in kept[::37]:
                equal(connection.ask(daemons.STATE)[0], daemons.STATE_IS, "one of a thousand")
            state = daemon.state()
            expect(state["clients"]["connected"] >= 1001, state["clients"])
            grown = state["rss_bytes"] - begun["rss_bytes"]
            expect(grown < 16_000_000, f"a thousand connections cost {grown} bytes")
            for connection in kept:
                connection.close()
            daemon.state()
            until = time.monotonic() + 10
            while daemon.state()["clients"]["connected"] > 1 and time.monotonic() < until:
                time.sleep(0.05)
            equal(daemon.state()["clients"]["connected"], 1, "when they have left")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_no_descriptors(place):
    """Without a free descriptor others are turned away, and let in when there is one again"""
    root = tree_of(place)
    with daemons.up(place, root=root, preexec=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48))) as daemon:
        kept, refused = [], 0
        for _ in range(100):
            connection = daemon.connect()
            with contextlib.suppress(BrokenPipeError):
                connection.send(daemons.HELLO, daemons.text_body("many"))
            answer = connection.receive()
            refused += answer is None or answer[0] == daemons.ANSWER
            kept.append(connection)
        expect(refused > 20, f"{refused} of 100 were turned away with 48 descriptors")
        daemon.wait_log("no descriptor is left")
        n_sweeps = 0
        for connection in kept:
            connection.close()
        time.sleep(0.2)
        n_sweeps = daemon.state()["sampling"]["sweeps"]
        with daemon.connect() as connection:
            page = connection.watch(100_000_000)
            page.next(page.next()["sequence"])
        expect(daemon.state()["sampling"]["sweeps"] > n_sweeps, "sweeps go on")


def watch_if_let(connection, period_ns):
    """A page; None: nobody is given that many."""
    connection.send(daemons.WATCH, struct.pack("<q", period_ns))
    kind, _, body = connection.receive()
    if kind == daemons.ANSWER and daemons.take_answer(body)[0] == daemons.TOO_MANY:
        return None
    equal(kind, daemons.PAGE, "the answer to WATCH")
    epoch, n, granted_ns = struct.unpack_from("<QIq", body)
    return daemons.Page(connection.fds.pop(), epoch, n, granted_ns)


def sweeps_seen(path, seconds, n_connections, period_ns):
    """(distinct sweeps seen, time) of a user who tries all: many connections, new ones, sweeps out of turn."""
    seen = set()
    connections = [daemons.Connection(path) for _ in range(n_connections)]
    pages, until = [], time.monotonic() + daemons.WAIT_S
    while len(pages) < n_connections:
        page = watch_if_let(connections[len(pages)], period_ns)
        pages += [page] if page else []
        expect(time.monotonic() < until, "no page is to be had")
        time.sleep(0.02)
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        for connection in connections:
            connection.send(daemons.SWEEP)
        with daemons.Connection(path) as another:
            page = watch_if_let(another, period_ns)
            now = page.read() if page else None
            if now:
                seen.add(now["sweep_ns"])
            if page:
                page.close()
        for page in pages:
            now = page.read()
            if now:
                seen.add(now["sweep_ns"])
        for connection in connections:
            connection.receive()
        time.sleep(0.05)  # who comes faster is turned away
    return f"{len(seen)} {time.monotonic() - began}"


def test_rights(place):
    """Users see what their jobs own, no faster than they may, however many connections they have"""
    root = tree_of(place)

    def look():
        with daemons.Connection(daemon.socket) as connection:
            least_ns, view, job, words = welcome_of(connection)
            answers = connection.ask_list(daemons.DOMAINS)
            kinds = sorted({daemons.domain_of(body)["kind"] for kind, body in answers if kind == daemons.DOMAIN})
            jobs = [daemons.job_of(body)["id"] for _, body in connection.ask_list(daemons.JOBS)]
            return repr((least_ns, view, job, bool(words), kinds, jobs))

    with moving(root), daemons.up(place, root=root) as daemon, daemon.connect() as fast:
        fast.watch(1_000_000).next()  # an administrator has the meters read at 1 kHz
        with daemon.connect() as connection:
            equal(welcome_of(connection)[:2], (1_000_000, daemons.VIEW_NODE), "an administrator's view")
        equal(as_user(USER, look), repr((1_000_000_000, daemons.VIEW_NOTHING, "", True, [], [])), "without a job")
        begin(daemon, "7", USER, flags=1)
        equal(as_user(USER, look), repr((100_000_000, daemons.VIEW_NODE, "7", True, ["estimated", "measured"], ["7"])), "a job alone")
        equal(as_user(OTHER, look), repr((1_000_000_000, daemons.VIEW_NOTHING, "", True, [], [])), "another user")
        n, seconds = map(float, as_user(USER, lambda: sweeps_seen(daemon.socket, 2, 5, 1_000_000)).split())
        expect(2 <= n <= seconds * 10 * 4 / 3 + 2, f"a job alone saw {n} sweeps in {seconds} s")
        end(daemon, "7")
        begin(daemon, "8", USER, flags=2)
        begin(daemon, "9", OTHER, flags=2)
        equal(as_user(USER, look), repr((1_000_000_000, daemons.VIEW_SHARE, "8", True, ["attributed"], ["8"])), "a job that shares")
        n, seconds = map(float, as_user(USER, lambda: sweeps_seen(daemon.socket, 3, 5, 1_000_000)).split())
        expect(1 <= n <= seconds * 4 / 3 + 2, f"a job that shares saw {n} sweeps in {seconds} s")

        def steal():
            with daemons.Connection(daemon.socket) as connection:
                verdicts = [daemons.take_answer(connection.ask(kind, body)[1])[0] for kind, body in (
                    (daemons.JOB_STATUS, daemons.text_body("9")), (daemons.JOB_OPEN, daemons.text_body("9")),
                    (daemons.JOB_END, daemons.end_body("9")), (daemons.JOB_BEGIN, daemons.job_body("9", uid=OTHER)),
                    (daemons.JOB_BEGIN, daemons.job_body("10", uid=USER, flags=1)),
                    (daemons.RELEASE, daemons.message_body("gpu")), (daemons.END, daemons.message_body()))]
                return repr(verdicts)

        equal(as_user(USER, steal), repr([daemons.NOT_OPEN, daemons.NOT_OPEN, daemons.DENIED, daemons.DENIED, daemons.DENIED,
                                          daemons.DENIED, daemons.DENIED]), "another user's job")


def test_number_of_anothers_job(place):
    """A user who takes the number of another's job that is over neither reads its recordings nor hides them from their owner"""
    root = tree_of(place)
    own = f"/user.slice/user-{USER}.slice/own"
    os.makedirs(f"{root}/sys/fs/cgroup{own}")
    for name, text in (("cgroup.controllers", "\n"), (f"{own[1:]}/cpu.stat", "usage_usec 1000\n")):
        with open(f"{root}/sys/fs/cgroup/{name}", "w", encoding="ascii") as file:
            file.write(text)
    group = f"/user.slice/user-{USER}.slice/job"
    for folder in ("", group):  # what it uses must be known for a recording
        path = os.path.join(root, "sys/fs/cgroup/cpuacct" + folder)
        os.makedirs(path, exist_ok=True)
        with open(os.path.join(path, "cpuacct.usage_percpu"), "w", encoding="ascii") as file:
            file.write("0 0\n")

    def recordings():
        answers = []
        with daemons.Connection(daemon.socket) as connection:
            for which in range(3):
                kind, body = connection.ask(daemons.JOB_OPEN, daemons.text_body("9", which))
                if kind != daemons.FILE:
                    break
                answers.append(kind)
            kind, _ = connection.ask(daemons.JOB_STATUS, daemons.text_body("9"))
        return repr((len(answers), kind == daemons.JOB))

    def settled():
        kind, body = daemon.ask(daemons.JOB_STATUS, daemons.text_body("9"))
        return kind == daemons.JOB and not daemons.job_of(body)["flags"] & JOB_PENDING

    def until(condition, what):
        deadline = time.monotonic() + daemons.WAIT_S
        while not condition():
            expect(time.monotonic() < deadline, what)
            time.sleep(0.05)

    with moving(root), daemons.up(place, root=root) as daemon:
        begin(daemon, "9", OTHER, flags=1)
        until(lambda: as_user(OTHER, recordings) == repr((1, True)), "the job's recording")
        end(daemon, "9")
        until(settled, "the summary")

        def take():
            with daemons.Connection(daemon.socket) as connection:
                return repr(daemons.take_answer(connection.ask(daemons.JOB_BEGIN, daemons.job_body("9", cgroup=group))[1])[0])

        equal(as_user(USER, take), repr(daemons.OK), "a job of the same number")
        until(lambda: as_user(USER, recordings) != repr((0, True)), "the user's own recording")
        equal(as_user(USER, recordings), repr((1, True)), "what the user has: its own alone")
        equal(as_user(OTHER, recordings), repr((1, True)), "what the owner of the other one has")


def test_requeued_at_once(place):
    """The end of a job is not that of its next run, which begins before the last sweep of the first one"""
    root = tree_of(place)
    with moving(root), daemons.up(place, root=root) as daemon, daemon.connect() as connection:
        if os.geteuid() != 0:
            raise Skip("needs root, whose word counts")
        begin(daemon, "7", USER)
        for _ in range(5):
            connection.send(daemons.JOB_END, daemons.end_body("7"))
            ended = connection.number
            restarts = daemons.job_of(daemon.ask(daemons.JOB_STATUS, daemons.text_body("7"))[1])["restarts"]
            connection.send(daemons.JOB_BEGIN, daemons.job_body("7", uid=USER, restarts=restarts + 1))
            verdicts = dict((number, daemons.take_answer(body)[0]) for _, number, body in (connection.receive() for _ in range(2)))
            expect(verdicts[ended] in (daemons.OK, daemons.NOT_OPEN), f"the end: {verdicts}")
            jobs = [daemons.job_of(body) for _, body in daemon.connect().ask_list(daemons.JOBS)]
            equal([(j["id"], j["restarts"]) for j in jobs], [("7", restarts + 1)], "the next run goes on")


def test_page_ends_with_the_job(place):
    """Nothing more is written to the page of a job that has ended"""
    root = tree_of(place)
    with moving(root), daemons.up(place, root=root) as daemon:
        if os.geteuid() != 0:
            raise Skip("needs root, to be two users")
        begin(daemon, "7", USER, flags=1)
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.setresuid(USER, USER, USER)
            with daemons.Connection(daemon.socket) as connection:
                page = connection.watch(100_000_000)
                page.next()
                os.write(writer, b"watching")
                try:
                    for _ in range(2000):
                        page.read()
                        time.sleep(0.01)
                    os._exit(1)
                except BrokenPipeError:
                    os._exit(0)
        equal(os.read(reader, 8), b"watching", "the reader")
        end(daemon, "7")
        equal(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0, "the page of the ended job ends")


def test_kill_and_restart(place):
    """A killed daemon goes on with its energies, its socket and its journal; the gap has its energy"""
    with twins.up(place, "skx2s", "--seed", "7") as twin, daemons.up(place, root=twin.mount) as daemon:
        with daemon.connect() as connection:
            names = domains(connection)
            page = connection.watch(100_000_000)
            epoch, first = page.epoch, page.next()
            time.sleep(1.2)  # it is saved once a second
            daemon.kill()
            page.close()
        time.sleep(0.5)
        daemon.start()
        with daemon.connect() as connection:
            page = connection.watch(100_000_000)
            equal(page.epoch, epoch, "the epoch goes on")
            last = page.next(page.next()["sequence"])
        for i, domain in enumerate(names):
            if not domain["id"].startswith("powercap/package"):
                continue
            a, b = first["values"][i], last["values"][i]
            truth = twin.energy_uj(a["t_ns"], b["t_ns"])[domain["name"]]
            near(b["energy_uj"] - a["energy_uj"], truth, 0.02 * truth + 1_000_000, domain["id"])
        equal(daemon.restart().state()["errors"], 0, "errors after a stop and a start")


def test_one_socket(place):
    """A second daemon at the same socket is refused; what a killed one left is not in the way, another file is"""
    root = tree_of(place)
    with daemons.up(place, root=root) as daemon:
        second = subprocess.run([daemons.PROGRAM, "--config", daemon.config_path, "--root", root], capture_output=True, text=True,
                                timeout=30, check=False)
        equal(second.returncode, 1, second.stderr)
        expect("another daemon listens there" in second.stderr, second.stderr)
        equal(os.stat(daemon.socket).st_mode & 0o777, 0o666, "mode of the socket")
        second = subprocess.run([daemons.PROGRAM, "--config", daemon.config_path, "--root", root, "--socket", daemon.socket + "2"],
                                capture_output=True, text=True, timeout=30, check=False)
        equal(second.returncode, 1, second.stderr)
        expect("another daemon has its journal" in second.stderr and "busy" not in second.stderr, second.stderr)
        daemon.kill()
        daemon.start()
        equal(daemon.stop(), 0, "status")
        expect(not os.path.exists(daemon.socket), "the socket's path is gone")
        with open(daemon.socket, "w", encoding="utf-8") as file:
            file.write("mine")
        second = subprocess.run([daemons.PROGRAM, "--config", daemon.config_path, "--root", root], capture_output=True, text=True,
                                timeout=30, check=False)
        equal(second.returncode, 1, second.stderr)
        with open(daemon.socket, encoding="utf-8") as file:
            equal(file.read(), "mine", "a file that is no socket")
        os.unlink(daemon.socket)


def test_meters_in_vain(place):
    """The log names configured meters that cannot be read, and says where a node is only estimated; not where all is well"""
    root = tree_of(place)
    with daemons.up(place, root=root, config={"meters": ["dcmi:"]}) as daemon:
        daemon.wait_log("the meter 'dcmi/node' of the configuration: ")
        expect("estimated from CPU time" not in daemon.log(), daemon.log())
        expect("powercap" not in daemon.log(), daemon.log())
    for path in glob.glob(os.path.join(root, "sys/class/powercap/*/energy_uj")) + \
            glob.glob(os.path.join(root, "sys/class/powercap/*/*/energy_uj")):
        os.chmod(path, 0o600)
        with open(path, "w", encoding="utf-8") as file:
            file.write("none\n")
    with daemons.up(place, root=root) as daemon:
        daemon.wait_log("its energy is estimated from CPU time")


WRONG = """period: 5
sokcet: /tmp/x
serve: nobody
psys: maybe
quota: many
meters:
  - nonsense
"""


def test_configuration(place):
    """All mistakes of a configuration are told at once, with lines and the nearest keys; while running the old one goes on"""
    root = tree_of(place)
    wrong = ["energyscopiumd.yaml:1", "energyscopiumd.yaml:2", "'socket'", "energyscopiumd.yaml:3", "energyscopiumd.yaml:4",
             "energyscopiumd.yaml:5", "energyscopiumd.yaml:7"]
    with daemons.up(place, root=root) as daemon:
        daemon.write_config(raw=WRONG)
        checked = subprocess.run([daemons.PROGRAM, "--config", daemon.config_path, "--check-config"], capture_output=True, text=True,
                                 timeout=30, check=False)
        equal(checked.returncode, 1, checked.stderr)
        for words in wrong:
            expect(words in checked.stderr, f"{words!r} in\n{checked.stderr}")
        daemon.reload()
        for words in wrong:
            expect(words in daemon.log(), f"{words!r} in\n{daemon.log()}")
        daemon.wait_log("the configuration goes on as it was")
        equal(daemon.state()["sampling"]["configured_period_ms"], 1000, "the period")
        daemon.write_config({"period": "100ms", "serve": "everybody", "quota": "2GB"})
        checked = subprocess.run([daemons.PROGRAM, "--config", daemon.config_path, "--check-config"], capture_output=True, text=True,
                                 timeout=30, check=False)
        equal((checked.returncode, checked.stderr), (0, ""), "a right configuration")
        daemon.reload()
        until = time.monotonic() + 10
        while daemon.state()["sampling"]["period_ms"] != 100 and time.monotonic() < until:
            time.sleep(0.02)
        state = daemon.state()
        equal((state["sampling"]["period_ms"], state["serve"]), (100, "everybody"), "what was reloaded")
        daemon.wait_log("'quota' takes effect with the next start")
        expect("once no job runs" not in daemon.log(), "no other meters were named")
        begin(daemon, "1", 0)
        daemon.write_config({"meters": ["dcmi:"]})
        daemon.reload()
        daemon.wait_log("other meters are opened once no job runs")
        end(daemon, "1")
        daemon.reload()  # else after half a minute
        daemon.wait_log("the meter 'dcmi/node' of the configuration")


def test_service_manager(place):
    """It says when it is ready, alive and stopping, and writes levels where the journal reads"""
    root = tree_of(place)
    with daemons.up(place, root=root, env={"WATCHDOG_USEC": "1500000"}) as daemon:
        expect(any(line.startswith("STATUS=") for line in daemon.notes), daemon.notes)
        daemon.wait_for("WATCHDOG=1")
        daemon.wait_for("WATCHDOG=1")
        daemon.process.terminate()
        daemon.wait_for("STOPPING=1")
        equal(daemon.process.wait(20), 0, daemon.log())
        expect("<5>" not in daemon.log(), "a plain file is not the journal")
        st = os.stat(daemon.log_path)
        daemon.extra_env["JOURNAL_STREAM"] = f"{st.st_dev}:{st.st_ino}"
        daemon.start()
        daemon.wait_log("<5>version")


def test_stuck_meter(place):
    """A meter that never returns costs the watchdog's mark: the service manager starts the daemon anew"""
    with faulty.Faulty(place, "f") as fs:
        with daemons.up(place, root=fs.mount, env={"WATCHDOG_USEC": "2000000"}) as daemon:
            daemon.wait_for("WATCHDOG=1")
            fs.tell("*/energy_uj delay=60s\n")
            daemon.wait_log("does not return from being read", 30)
            daemon.notify.setblocking(False)
            with contextlib.suppress(BlockingIOError):  # what was said before
                while daemon.notify.recv(4096):
                    pass
            daemon.notes = []
            with contextlib.suppress(AssertionError):
                daemon.wait_for("WATCHDOG=1", 2)
            equal([note for note in daemon.notes if note == "WATCHDOG=1"], [], "marks while it is stuck")
            equal(daemon.ask(daemons.HELLO, daemons.text_body("still there"))[0], daemons.WELCOME, "readers are answered")
            daemon.process.kill()
            fs.close()  # it waits in the kernel until then
            daemon.kill()


def test_meters_vanish(place):
    """A package that is unplugged is an error, not a zero; plugged in again nothing is lost; a new one is found on reload"""
    with faulty.Faulty(place, "f") as fs, daemons.up(place, root=fs.mount) as daemon, daemon.connect() as connection:
        names = [domain["id"] for domain in domains(connection)]
        i = names.index("powercap/package-1")
        page = connection.watch(100_000_000)
        before = page.next()["values"][i]["energy_uj"]
        fs.tell("*intel-rapl:1/* ENODEV\n")
        until = time.monotonic() + 10
        while page.read()["values"][i]["error"] == 0 and time.monotonic() < until:
            time.sleep(0.02)
        value = page.read()["values"][i]
        expect(value["error"] < 0, f"{value} of a meter that is gone")
        equal(value["energy_uj"], before, "its energy stays")
        fs.tell("\n")
        until = time.monotonic() + 20
        while page.read()["values"][i]["error"] != 0 and time.monotonic() < until:
            time.sleep(0.02)
        equal(page.read()["values"][i]["error"], 0, "when it is back")
        equal(daemon.state()["sampling"]["dropped"], 0, "sweeps")


def test_new_meters(place):
    """A meter that was not there at the start is taken on reload: a new epoch, and pages of the old one end"""
    root = tree_of(place)
    zones = os.path.join(root, "sys/class/powercap")
    away = os.path.join(place, "away")
    entries = [name for name in os.listdir(zones) if name.startswith("intel-rapl:1")]
    os.makedirs(away)
    for name in entries:
        os.rename(os.path.join(zones, name), os.path.join(away, name))
    real = os.path.join(root, "sys/devices/virtual/powercap/intel-rapl/intel-rapl:1")
    os.rename(real, os.path.join(away, "real"))
    with daemons.up(place, root=root) as daemon, daemon.connect() as connection:
        names = [domain["id"] for domain in domains(connection)]
        expect("powercap/package-1" not in names, names)
        page = connection.watch(100_000_000)
        page.next()
        os.rename(os.path.join(away, "real"), real)
        for name in entries:
            os.rename(os.path.join(away, name), os.path.join(zones, name))
        daemon.reload()
        daemon.wait_log("meters are read anew")
        try:
            page.read()
            raise AssertionError("the old page has not ended")
        except BrokenPipeError:
            pass
        again = connection.watch(100_000_000)
        expect(again is not None and again.epoch != page.epoch, "another page")
        expect("powercap/package-1" in [domain["id"] for domain in domains(connection)], "the new meter")
        again.next(again.next()["sequence"])


def test_clocks(place):
    """A wall clock that is set, and a machine that slept, cost one uneven turn, and no joule"""
    if not SET_CLOCK:
        raise Skip("ES_SET_CLOCK_MODULE is not set")
    root = tree_of(place)
    clock = os.path.join(place, "clock")

    def put(set_ns, slept_ns):
        with open(clock, "r+b") as file:
            file.write(struct.pack("<qq", set_ns, slept_ns))

    with open(clock, "wb") as file:
        file.write(b"\0" * 4096)
    # A sanitizer wants to come first, and need not.
    env = {"LD_PRELOAD": SET_CLOCK, "ES_SET_CLOCK": clock, "ASAN_OPTIONS": "verify_asan_link_order=0"}
    with daemons.up(place, root=root, config={"period": "200ms"}, env=env) as daemon, daemon.connect() as connection:
        page = connection.watch(100_000_000)
        now = page.next(page.next()["sequence"] + 4)
        for set_ns, slept_ns in ((3_600_000_000_000, 0), (-7_200_000_000_000, 0), (-7_200_000_000_000, 500_000_000_000),
                                 (-7_200_000_000_000, 90_000_000_000_000)):
            before, swept = now, daemon.state()["sampling"]["sweeps"]
            put(set_ns, slept_ns)
            began = time.monotonic()
            now = page.next(before["sequence"] + 12)
            took = time.monotonic() - began
            n = daemon.state()["sampling"]["sweeps"] - swept
            expect(n <= took * 10 + 12, f"{n} sweeps in {took} s after {set_ns}, {slept_ns}")
            expect(now["sweep_ns"] > before["sweep_ns"], "the boot clock goes on")
            equal(now["node_uj"], before["node_uj"], f"energy of meters that stand still, after {set_ns}, {slept_ns}")
            equal([value["error"] for value in now["values"] if value["error"]], [], "errors")
            if set_ns > 0:  # it is said once a minute
                daemon.wait_log("the wall clock was set forward by")
        ahead_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME) + 90_000_000_000_000
        expect(abs(ahead_ns - now["sweep_ns"]) < 20_000_000_000, "sweeps are stamped with the boot clock")
        equal(daemon.state()["errors"], 0, daemon.log())


def test_cost(place):
    """At 1 Hz and 16 meters it costs next to nothing"""
    root = tree_of(place, "spr8s")
    with moving(root), daemons.up(place, root=root) as daemon:
        time.sleep(1)
        first = daemon.state()
        time.sleep(4)
        last = daemon.state()
        n = len(first["meters"]) + first["meters_left_out"]
        expect(n >= 16, f"{n} meters")
        with open(f"/proc/{daemon.process.pid}/maps", encoding="utf-8") as maps:
            libraries = maps.read()
        is_instrumented = any(name in libraries for name in ("libasan", "libtsan", "valgrind"))
        expect(is_instrumented or last["rss_bytes"] <= 12_000_000, f"{last['rss_bytes']} bytes resident")
        share = (last["cpu_s"] - first["cpu_s"]) / (last["uptime_s"] - first["uptime_s"])
        print(f"# {n} meters at 1 Hz: {share * 100:.3f} % of a core, {last['rss_bytes'] / 1e6:.1f} MB")
        # The bar is 0.1 %, by bench/daemon on a quiet machine; here others run, and a check may instrument the program.
        expect(share < 0.02, f"{share * 100:.2f} % of a core")


def test_usage(place):
    """Help, version and wrong usage"""
    for args, status, words in ((["--help"], 0, "--check-config"), (["--version"], 0, "energyscopiumd "), (["--nonsense"], 2, "--help"),
                                (["operand"], 2, "no operand"), (["--config", place + "/none"], 1, "is not there")):
        done = subprocess.run([daemons.PROGRAM, *args], capture_output=True, text=True, timeout=30, check=False)
        equal(done.returncode, status, f"{args}: {done.stderr}")
        expect(words in done.stdout + done.stderr, f"{args}: {done.stdout}{done.stderr}")


if __name__ == "__main__":
    if not os.access(daemons.PROGRAM, os.X_OK):
        print("1..0 # SKIP energyscopiumd is not built (libuv)")
        sys.exit(0)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    sys.exit(harness.main(sys.modules[__name__]))
