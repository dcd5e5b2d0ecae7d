#!/usr/bin/env python3
# test_work.py - energyscopium run --work: output that stays the user's, and amounts that are right
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
import errno
import fcntl
import http.server
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time

import harness
from harness import PROGRAM, call, clean_environment, equal, expect, last_json, near

STEPS = "import sys,time\nfor i in range(1, 11):\n    print('Step', i, flush=True); time.sleep(0.03)\n"


def out_of(place):
    return os.path.join(place, "out")


def command(place, *args):
    return [PROGRAM, "run", "--out", out_of(place), "--force", "--name", "j", *args]


def run(place, *args, **kwargs):
    return call("run", "--out", out_of(place), "--force", "--name", "j", "--json", *args, **kwargs)


def run_bytes(place, *args, **kwargs):
    kwargs.setdefault("stdout", subprocess.PIPE)
    kwargs.setdefault("stderr", subprocess.PIPE)
    return subprocess.run(command(place, *args), env=clean_environment(), check=False, timeout=60, **kwargs)


def work_of(done):
    return last_json(done.stderr)["work"]


def one_work(done):
    works = work_of(done)
    equal(len(works), 1, "works")
    return works[0]


def wait_for(condition, what, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        expect(time.monotonic() < end, what)
        time.sleep(0.01)


def test_lines_are_counted(place):
    """The amount is what the pattern's group says last; joules per unit are those of the node."""
    done = run(place, "--work", r"steps=regex:^Step +(\d+)", "--", sys.executable, "-c", STEPS)
    equal(done.returncode, 0, done.stderr)
    equal(done.stdout, "".join(f"Step {i}\n" for i in range(1, 11)))
    told = last_json(done.stderr)
    work = told["work"][0]
    equal((work["amount"], work["unit"], work["remark"]), (10, "steps", None))
    near(work["j_per_unit"], told["energy"]["node_j"] / 10, 1e-9, "J per step")
    expect(re.search(r"^  work +10 steps, .* per step$", done.stderr, re.M), done.stderr)
    regions = {r["name"]: r["work"] for r in told["regions"]}
    equal(regions["es_appli_total"]["amount"], 10)
    again = json.loads(call("report", "--json", told["recording"]).stdout)
    equal(again["work"], told["work"])
    equal(again["regions"], told["regions"])


def test_units_apart(place):
    """Several works, on both streams, are kept apart; decimals, exponents and progress bars are read."""
    script = ("import sys\nprint('loss 3 tokens 1.5e3'); print('Epoch 2')\n"
              "sys.stderr.write('\\r10/40 \\r20.5/40 \\r40/40 '); print('loss 2 tokens 2500.25')\n")
    done = run_bytes(place, "--json", "--work", r"tokens=regex:tokens (\S+)", "--work", r"epochs=regex:Epoch (\d+)",
               "--work", r"items=regex@stderr:^([\d.]+)/40", "--work", r"none=regex:nothing (\d+)", "--",
               sys.executable, "-c", script)
    expect(b"\r10/40 \r20.5/40 \r40/40 " in done.stderr, done.stderr)
    done.stderr = done.stderr.decode()
    works = {w["unit"]: w for w in work_of(done)}
    equal({u: w["amount"] for u, w in works.items()}, {"tokens": 2500.25, "epochs": 2, "items": 40, "none": None})
    equal(works["none"]["remark"], "the pattern matched no line")
    equal(works["none"]["j_per_unit"], None)
    expect("work       none: the pattern matched no line" in done.stderr, done.stderr)
    region = last_json(done.stderr)["regions"][0]
    equal(len(region["works"]), 4)


def test_bytes_pass_unchanged(place):
    """Binary output, NULs and lines without end arrive as they were written, in order."""
    script = ("import os, random\nrandom.seed(7)\n"
              "for i in range(300): os.write(1, random.randbytes(random.randrange(1, 9000)))\n"
              "os.write(1, b'x' * 100000 + b'\\nStep 7\\n' + b'\\0\\0 Step 8')\n")
    want = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, check=True).stdout
    done = run_bytes(place, "--json", "--work", r"regex:^Step (\d+)", "--", sys.executable, "-c", script)
    equal(done.stdout == want, True, "output")
    equal(last_json(done.stderr.decode())["work"][0]["amount"], 7)


def test_much_output_is_fast(place):
    """200 MB of short lines pass, and all of them."""
    begun = time.monotonic()
    with subprocess.Popen(command(place, "--work", r"regex:^Step (\d+)", "--", "sh", "-c", "yes | head -c 200M"),
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=clean_environment()) as child:
        n, wrong = 0, 0
        while piece := child.stdout.read(1 << 20):
            wrong += piece.strip(b"y\n") != b""
            n += len(piece)
    equal((n, wrong, child.returncode), (200 << 20, 0, 0))
    expect(time.monotonic() - begun < 30, "it took half a minute")


def test_files_take_it_all(place):
    """A file has the whole output when the run has ended."""
    path = os.path.join(place, "o")
    with open(path, "wb") as file:
        done = run_bytes(place, "--work", r"regex:(\d+)", "--json", "--", "seq", "1", "300000", stdout=file)
    text = open(path, encoding="ascii").read()
    equal(len(text.splitlines()), 300000)
    expect(text.endswith("300000\n"), text[-20:])
    equal(last_json(done.stderr.decode())["work"][0]["amount"], 300000)


def test_closed_reader_reaches_the_command(place):
    """A reader that goes away ends the command as it would without us."""
    for tail in ("yes", "while :; do echo y; done"):
        with subprocess.Popen(command(place, "--work", r"regex:(\d+)", "--", "sh", "-c", f"trap 'exit 9' PIPE; {tail}"),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment()) as child:
            child.stdout.read(10)
            child.stdout.close()
            err = child.stderr.read().decode()
        expect(child.returncode in (1, 9, 141), f"{child.returncode} {err}")
        expect("jobid<j>" in err, err)


def test_slow_reader(place):
    """A reader that takes nothing holds the command up and not the sweeps; the end does not wait for it."""
    child = subprocess.Popen(command(place, "--period", "10ms", "--json", "--work", r"regex:(\d+)", "--", "sh", "-c",
                                     "seq 1 20000; sleep 0.5"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             env=clean_environment())
    err = child.stderr.read().decode()
    equal(child.wait(timeout=30), 0)
    told = last_json(err)
    equal(told["work"][0]["amount"], 20000)
    # All of it is there afterwards, from who holds it.
    out = child.stdout.read()
    child.stdout.close()
    child.stderr.close()
    equal(len(out.splitlines()), 20000)


def test_survivors_still_write(place):
    """What outlives the command writes to where it wrote before; it is named, and our own process is not."""
    flag = os.path.join(place, "go")
    child = subprocess.Popen(command(place, "--json", "--work", r"regex:Step (\d+)", "--", "sh", "-c",
                                     f"echo Step 1; (while [ ! -e {flag} ]; do sleep 0.05; done; echo late) & exit 0"),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environment())
    equal(child.wait(timeout=30), 0)
    open(flag, "w").close()
    equal(child.stdout.read(), "Step 1\nlate\n")
    err = child.stderr.read()
    child.stdout.close()
    child.stderr.close()
    equal(last_json(err)["work"][0]["amount"], 1)
    expect("es-work" not in err and "still runs" in err, err)


def test_kill_of_the_tool(place):
    """After kill -9 of the tool the command goes on, and so does its output."""
    flag = os.path.join(place, "go")
    child = subprocess.Popen(command(place, "--work", r"regex:Step (\d+)", "--", "sh", "-c",
                                     f"echo Step 1; while [ ! -e {flag} ]; do sleep 0.05; done; echo Step 2"),
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=clean_environment())
    equal(child.stdout.readline(), "Step 1\n")
    child.kill()
    child.wait(timeout=10)
    open(flag, "w").close()
    equal(child.stdout.read(), "Step 2\n")
    child.stdout.close()


def test_restarts(place):
    """A smaller number is a beginning anew: both parts count, and it is said."""
    done = run(place, "--work", r"n=regex:^(\S+)$", "--", "printf", "10\\n20\\n-5\\n5\\n8\\nx\\n")
    work = one_work(done)
    equal(work["amount"], 28)
    equal(work["remark"], "begun anew 1 time; 1 match without a number")


def test_from(place):
    """A count that does not begin at 0 has its beginning told, or taken from the first line."""
    for given, want in ((None, 130), ("100", 30), ("first", 20)):
        extra = ["--work-from", given] if given else []
        done = run(place, "--work", r"regex:(\d+)", *extra, "--", "printf", "110\\n120\\n130\\n")
        equal(one_work(done)["amount"], want, given)


def test_wrong_options(place):
    """Wrong patterns, names and numbers are told before anything runs."""
    flag = os.path.join(place, "ran")
    cases = [
        (["--work", "regex:a(\\d+"], "character"),
        (["--work", r"regex:a\d+"], "0 groups"),
        (["--work", r"regex:(a)(\d+)"], "2 groups"),
        (["--work", r"regex:(*UTF)(\d+)"], "pattern"),
        (["--work", "steps"], "regex:PATTERN"),
        (["--work", "steps=tcp:1"], "regex:PATTERN"),
        (["--work", "=regex:(.)"], "unit"),
        (["--work", "regex:"], "behind the colon"),
        (["--work", "url:http://localhost/metrics"], "metric"),
        (["--work", "url:file:///etc/passwd#a"], "http://"),
        (["--work", "url:http://localhost/#a{b}"], "metric"),
        (["--work", "regex:(1)", "--work", "file:x"], "units"),
        (["--work-total", "5"], "no --work"),
        (["--work", "regex:(1)", "--work-total", "x"], "number"),
        (["--work", "a=regex:(1)", "--work-total", "b=5"], "UNIT=NUMBER"),
        (["--work", "regex:(1)", "--work-from", "-1"], "number"),
        (["--work", "a=regex:(1)"] + 4 * ["--work", "file:x"], "at most"),
    ]
    for args, word in cases:
        done = run(place, *args, "--", "touch", flag)
        equal(done.returncode, 2, f"{args}: {done.stderr}")
        expect(word in done.stderr, f"{args}: {done.stderr}")
    done = subprocess.run(["sh", "-c", f'"{PROGRAM}" run --out {out_of(place)} --work "regex:(1)" -- touch {flag} >&-'],
                          env=clean_environment(), capture_output=True, text=True, check=False)
    equal(done.returncode, 125, done.stderr)
    expect("closed" in done.stderr, done.stderr)
    expect(not os.path.exists(flag), "the command ran")


def test_hard_patterns(place):
    """A pattern that would search for ages is given up, line by line, and that is said."""
    line = "a" * 2000
    done = run(place, "--work", r"n=regex:^(?:a+)+[bc](\d)", "--", "printf", f"{line}1\\n{line}1\\n")
    equal(done.stdout, f"{line}1\n{line}1\n")
    equal(one_work(done)["amount"], None)
    equal(one_work(done)["remark"], "the pattern was given up on 2 lines")


def test_file(place):
    """A file may come late, hold one number or grow as a log; what stood there before does not count."""
    path = os.path.join(place, "n")
    for before, script, want in (
            (None, f"sleep 0.2; echo 40 >{path}; sleep 0.3; echo 50 >{path}", 50),
            ("500\n", f"sleep 0.2; echo 540 >{path}", 40),
            ("500\n", f"rm {path}; sleep 0.3; printf 30 >{path}.new; mv {path}.new {path}; sleep 0.2", 30),
            (None, f"for i in 1 2 3; do echo \"$i,x\" >>{path}; sleep 0.15; done; printf 77 >>{path}", 3)):
        if os.path.exists(path):
            os.unlink(path)
        if before:
            with open(path, "w", encoding="ascii") as file:
                file.write(before)
        done = run(place, "--work", f"n=file:{path}", "--", "sh", "-c", script)
        equal(done.returncode, 0, done.stderr)
        equal(one_work(done)["amount"], want, script)


def test_file_that_never_comes(place):
    """A file without a number is told, and no amount is made up."""
    path = os.path.join(place, "missing")
    work = one_work(run(place, "--work", f"n=file:{path}", "--", "true"))
    equal((work["amount"], work["remark"]), (None, f"'{path}': {os.strerror(errno.ENOENT)}"))
    with open(path, "w", encoding="ascii") as file:
        file.write("none here\n")
    work = one_work(run(place, "--work", f"n=file:{path}", "--", "true"))
    equal((work["amount"], work["remark"]), (None, f"no number was in '{path}'"))
    work = one_work(run(place, "--work", f"n=file:{place}", "--", "true"))
    expect("no regular file" in work["remark"], work)


def test_pipe_in_place_of_a_file_is_left_alone(place):
    """Who writes to it waits for its reader, as without us."""
    path = os.path.join(place, "pipe")
    os.mkfifo(path)
    done = run(place, "--work", f"n=file:{path}", "--", "timeout", "0.5", "sh", "-c", f"echo 1 >{path}")
    equal(done.returncode, 124, done.stderr)
    expect("no regular file" in one_work(done)["remark"], done.stderr)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, answer):
        self.answer, self.n_asked = answer, 0
        # Who asked may be gone; the harness lets that end a program.
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_port}/metrics"


    def handle_error(self, request, client_address):
        pass  # who asked did not wait for the answer


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.n_asked += 1
        status, body = self.server.answer(self.server)
        body = body.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def metrics(value):
    return f'# TYPE tokens counter\ntokens_total{{model="a"}} {value}\ntokens_total{{model="b"}} 7\n# EOF\n'


def test_url(place):
    """A server's counter is followed; what it had before the command does not count."""
    flag = os.path.join(place, "asked")

    def answer(server):
        if server.n_asked >= 2:
            open(flag, "w").close()
        return 200, metrics(1000 + 20 * server.n_asked)
    server = Server(answer)
    try:
        done = run(place, "--work", f'tokens=url:{server.url}#tokens_total{{model="a"}}', "--", "sh", "-c",
                   f"while [ ! -e {flag} ]; do sleep 0.05; done; sleep 0.1", env={"http_proxy": "http://127.0.0.1:1"})
        equal(done.returncode, 0, done.stderr)
        work = one_work(done)
        # The first answer is the base; of the last one, asked behind the command's end, a part is its.
        expect(20 <= work["amount"] <= 20 * (server.n_asked - 1), f"{work} {server.n_asked}")
        equal(work["remark"], None)
    finally:
        server.shutdown()
        server.server_close()


def test_url_that_fails(place):
    """A server that is slow, wrong or gone costs the run nothing and is named."""
    slow = Server(lambda server: (time.sleep(9), (200, metrics(1)))[1])
    wrong = Server(lambda server: (404, "no"))
    other = Server(lambda server: (200, "other 5\n"))
    gone = Server(lambda server: (200, ""))
    gone.shutdown()
    gone.server_close()
    try:
        for server, word in ((slow, "did not answer"), (wrong, "status 404"), (other, "no metric"), (gone, "connect")):
            begun = time.monotonic()
            done = run(place, "--period", "10ms", "--work", f"url:{server.url}#tokens_total", "--", "sleep", "0.3")
            equal(done.returncode, 0, done.stderr)
            expect(time.monotonic() - begun < 6, f"{server.url} was waited for")
            work = one_work(done)
            equal(work["amount"], None)
            expect(word in work["remark"], work)
    finally:
        for server in (slow, wrong, other):
            server.shutdown()
            server.server_close()


def test_url_that_dies(place):
    """A server that goes away leaves what it last said, and that questions were not answered."""
    flag = os.path.join(place, "dead")
    server = Server(lambda server: (200, metrics(100 * server.n_asked)) if server.n_asked <= 2 else (500, ""))

    def end():
        wait_for(lambda: server.n_asked >= 2, "the server was not asked twice")
        server.shutdown()
        server.socket.close()
        open(flag, "w").close()
    thread = threading.Thread(target=end)
    thread.start()
    done = run(place, "--work", f'url:{server.url}#tokens_total{{model="a"}}', "--", "sh", "-c",
               f"while [ ! -e {flag} ]; do sleep 0.05; done")
    thread.join()
    work = one_work(done)
    equal(work["amount"], 100)
    expect("without an answer" in work["remark"], work)


def test_terminal(place):
    """On a terminal the command has one too, of the same size, and its bytes are not changed."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
    resized = os.path.join(place, "resized")
    script = ("import fcntl, os, signal, struct, sys, termios, time\n"
              "def size():\n    return struct.unpack('HHHH', fcntl.ioctl(1, termios.TIOCGWINSZ, b'\\0' * 8))[:2]\n"
              "print(sys.stdout.isatty(), *size()); print('Step 3')\n"
              f"sys.stdout.flush(); open({resized!r}, 'w').close()\n"
              "end = time.monotonic() + 20\n"
              "while size() != (44, 88) and time.monotonic() < end: time.sleep(0.02)\nprint(*size())\n")
    child = subprocess.Popen(command(place, "--json", "--work", r"regex:Step (\d+)", "--", sys.executable, "-c", script),
                             stdout=slave, stderr=subprocess.PIPE, env=clean_environment(), start_new_session=True,
                             preexec_fn=lambda: fcntl.ioctl(1, termios.TIOCSCTTY, 0))
    os.close(slave)
    wait_for(lambda: os.path.exists(resized), "the command did not start")
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 44, 88, 0, 0))
    text = b""
    while True:
        ready = select.select([master], [], [], 20)[0]
        try:
            piece = os.read(master, 4096) if ready else b""
        except OSError:
            piece = b""
        if not piece:
            break
        text += piece
    err = child.stderr.read().decode()
    equal(child.wait(timeout=20), 0, err)
    child.stderr.close()
    os.close(master)
    equal(text, b"True 33 77\r\nStep 3\r\n44 88\r\n")
    equal(last_json(err)["work"][0]["amount"], 3)


# The first one comes at once, whatever was counted by then.
LINE_THEN = re.compile(rb"no steps yet|250 of 1,000")


def test_progress(place):
    """The line says how it stands and is taken away at the end; --no-progress keeps it away."""
    def args(seconds):
        return ["--work", r"steps=regex:Step (\d+)", "--work-total", "1000", "--", "sh", "-c",
                f"echo Step 250; sleep {seconds}"]
    done = run_bytes(place, "--progress", *args(1.2))
    expect(re.search(rb"^250 of 1,000 steps \(25.0 %\), ", done.stderr, re.M), done.stderr.decode())
    done = run_bytes(place, *args(0.1))
    expect(not LINE_THEN.search(done.stderr), done.stderr.decode())
    for extra, is_there in (([], True), (["--no-progress"], False)):
        master, slave = pty.openpty()
        child = subprocess.Popen(command(place, *extra, *args(0.1)), stdout=subprocess.DEVNULL, stderr=slave,
                                 env=clean_environment())
        os.close(slave)
        text = b""
        while True:
            try:
                piece = os.read(master, 4096)
            except OSError:
                break
            text += piece
        child.wait(timeout=20)
        os.close(master)
        equal(bool(LINE_THEN.search(text)), is_there, text.decode())
        equal(b"\r\x1b[Kenergyscopium jobid<j>" in text, is_there, text.decode())


def test_progress_and_output_on_one_terminal(place):
    """What the command writes takes the place of the progress line, which waits for the end of a line."""
    master, slave = pty.openpty()
    child = subprocess.Popen(command(place, "--work", r"steps=regex:Step (\d+)", "--", "sh", "-c",
                                     "echo Step 1; sleep 1.1; printf 'Step 2'; sleep 1.1; echo; sleep 1.1; echo end"),
                             stdout=slave, stderr=slave, env=clean_environment())
    os.close(slave)
    text = b""
    while True:
        try:
            piece = os.read(master, 4096)
        except OSError:
            break
        text += piece
    equal(child.wait(timeout=20), 0, text.decode())
    os.close(master)
    # An emulation of one line: what is left of it when the next begins.
    shown, line, at = [], [], 0
    for token in re.findall(rb"\x1b\[K|\r\n|\r|[^\r\n\x1b]", text):
        if token == b"\x1b[K":
            del line[at:]
        elif token == b"\r\n":
            shown.append(b"".join(line))
            line, at = [], 0
        elif token == b"\r":
            at = 0
        else:
            line[at:at + 1] = [token]
            at += 1
    equal(shown[:3], [b"Step 1", b"Step 2", b"end"])
    expect(shown[3].startswith(b"energyscopium jobid<j>"), shown)
    # There was a line, and between "Step 2" and the end of that one nothing of ours was written.
    expect(b" steps" in text and b"Step 2\r\n" in text, text)


def test_regions(place):
    """A region has the work that was done in it, with a bound."""
    script = (f'for i in 1 2 3 4; do echo Step $i; sleep 0.1; done; "{PROGRAM}" tag start late; '
              f'for i in 5 6 7 8; do echo Step $i; sleep 0.1; done; "{PROGRAM}" tag stop late')
    done = run(place, "--work", r"steps=regex:Step (\d+)", "--", "sh", "-c", script)
    told = last_json(done.stderr)
    equal(told["work"][0]["amount"], 8)
    late = {r["name"]: r for r in told["regions"]}["late"]["work"]
    expect(abs(late["amount"] - 4) <= late["uncertainty_amount"] + 1e-9, late)
    expect(0 < late["uncertainty_amount"] <= 4, late)
    expect(re.search(r"^ +in late: ", done.stderr, re.M), done.stderr)


def test_broken_off(place):
    """A recording that breaks off says that nothing, or what, had been counted."""
    flag = os.path.join(place, "go")
    child = subprocess.Popen(command(place, "--work", r"steps=regex:Step (\d+)", "--", "sh", "-c",
                                     f"echo begun; while [ ! -e {flag} ]; do sleep 0.05; done; echo Step 5; sleep 60"),
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=clean_environment(),
                             start_new_session=True)
    path = os.path.join(out_of(place), "j.esr")

    def told():
        return json.loads(call("report", "--json", path).stdout)["work"]
    equal(child.stdout.readline(), "begun\n")
    wait_for(told, "no work was declared")
    equal(told()[0]["amount"], None)
    expect("steps: nothing was counted" in call("report", path).stdout, "it is said")
    open(flag, "w").close()
    wait_for(lambda: told()[0]["amount"] == 5, "the step was not counted")
    child.kill()
    child.wait(timeout=10)
    equal(told()[0]["amount"], 5)
    os.killpg(child.pid, signal.SIGKILL)
    child.stdout.close()


if __name__ == "__main__":
    sys.exit(harness.main(sys.modules[__name__]))
