#!/usr/bin/env python3
# test_pictures.py - profile and report as pictures, pages, sheets and in the terminal
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
"""Environment: ES_PROGRAM, ES_DEMO (makes recordings of made-up jobs), ES_SOURCE_ROOT. Prints TAP."""
import base64
import ctypes
import fcntl
import hashlib
import html.parser
import json
import os
import pty
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import termios
import xml.parsers.expat

from harness import (PROGRAM, SOURCE_ROOT, Skip, call, clean_environment, equal, expect, main, near)

DEMO = os.environ.get("ES_DEMO", "")
HOSTILE = ["<script>alert(1)</script>", "\"&'><svg onload=alert(2)>", "]]>--><!--"]


def record(place, name):
    path = os.path.join(place, name + ".esr")
    if not os.path.exists(path):
        subprocess.run([DEMO, name, path], check=True)
    return path


def draw(place, name, *options, **kwargs):
    done = call("profile", *options, record(place, name), **kwargs)
    equal(done.returncode, 0, f"profile {options}: {done.stderr}")
    return done


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def need_cairo():
    try:
        ctypes.CDLL("libcairo.so.2")
    except OSError as why:
        raise Skip("libcairo2 is not installed") from why


def well_formed(text):
    """Names of all elements, and the words in them."""
    parser, names, words = xml.parsers.expat.ParserCreate(), [], []
    parser.StartElementHandler = lambda name, attributes: names.append((name, attributes))
    parser.CharacterDataHandler = words.append
    parser.Parse(text.encode(), True)
    return names, "".join(words)


class Page(html.parser.HTMLParser):
    """Tags with their attributes, and what is within scripts."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.scripts, self.words, self.inside = [], [], [], None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.inside = dict(attrs) if tag == "script" else None

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        if self.inside is not None:
            self.scripts.append((self.inside, data))
        else:
            self.words.append(data)

    def numbers(self):
        return next(json.loads(data) for attrs, data in self.scripts if attrs.get("id") == "numbers")


def safe_page(text):
    """A page that loads nothing, and runs no script but the one its policy names."""
    page = Page(text)
    code = [data for attrs, data in page.scripts if "type" not in attrs]
    equal(len(code), 1, "scripts")
    equal(sum(tag == "script" for tag, _ in page.tags), 2, "elements named script")
    policy = next(a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    digest = base64.b64encode(hashlib.sha256(code[0].encode()).digest()).decode()
    expect(f"script-src 'sha256-{digest}'" in policy, f"the digest of the script is in '{policy}'")
    expect(policy.startswith("default-src 'none'"), policy)
    for tag, attributes in page.tags:
        expect(tag not in ("img", "link", "iframe", "b", "a", "object"), f"no element <{tag}>")
        for name, value in attributes.items():
            expect(not name.startswith("on"), f"no {name} in <{tag}>")
            if name in ("href", "src"):
                raise AssertionError(f"<{tag} {name}={value}> would load something")
    return page


def test_svg_is_xml_and_has_all_it_should(place):
    """SVG is well-formed, with curves, regions, axes, limit, sums and the program's name"""
    draw(place, "solver", "--svg", place + "/p.svg")
    names, words = well_formed(read(place, "p.svg"))
    equal(names[0][1]["viewBox"], "0 0 960 540", "size")
    for word in ("solver", "node01", "package-0", "dram-1", "solve", "limit of 2 packages", "kWh", "gCO₂e", "sum",
                 "time (s)", "measured (powercap)", "energyscopium"):
        expect(word in words, f"'{word}' is in the picture")
    expect(not re.search(r"NaN|inf", words), "every number is one")


def test_png_and_pdf_have_their_size(place):
    """PNG has two pixels for each point asked for, PDF one page of that size"""
    need_cairo()
    draw(place, "solver", "--png", place + "/p.png", "--pdf", place + "/p.pdf", "--width", 800, "--height", 400)
    with open(place + "/p.png", "rb") as file:
        png = file.read()
    equal(png[:8], b"\x89PNG\r\n\x1a\n", "magic of PNG")
    equal(struct.unpack(">II", png[16:24]), (1600, 800), "pixels")
    equal(png[-8:-4], b"IEND", "its end")
    with open(place + "/p.pdf", "rb") as file:
        pdf = file.read()
    draw(place, "solver", "--svg", place + "/s.svg", "--width", 400, "--height", 225)
    names, words = well_formed(read(place, "s.svg"))
    equal(names[0][1]["viewBox"], "0 0 400 225", "a small one")
    expect("package-0" in words and "22.6 kJ" in words, "has its words, smaller")
    equal(pdf[:5], b"%PDF-", "magic of PDF")
    expect(pdf.rstrip().endswith(b"%%EOF"), "its end")
    expect(re.search(rb"/MediaBox \[ ?0 0 800 400 ?\]", pdf), "its size")


def test_peaks_are_kept(place):
    """A second at 1600 W in 24 hours is in the numbers of the page and in the picture's axis"""
    draw(place, "day", "--html", place + "/p.html", "--svg", place + "/p.svg")
    numbers = Page(read(place, "p.html")).numbers()
    near(max(v for v in numbers["most"] if v), 1600000, 20000, "the most of all columns")
    expect(max(sum(layer["mw"][i] for layer in numbers["layers"]) for i in range(numbers["columns"])) < 700000,
           "which no mean shows")
    _, words = well_formed(read(place, "p.svg"))
    expect("1500" in words, "the axis reaches that far")


def test_page_adds_up(place):
    """The columns of a page times their length are the report's energy"""
    draw(place, "solver", "--html", place + "/p.html")
    numbers = Page(read(place, "p.html")).numbers()
    energy_j = sum(mw for layer in numbers["layers"] for mw in layer["mw"]) / 1e3 * numbers["column"]
    report = json.loads(call("report", "--json", record(place, "solver")).stdout)
    near(energy_j, report["energy"]["measured_j"], 1, "joules")


def test_gaps_are_hatched_and_never_drawn_through(place):
    """Where the eprofile has null the picture is hatched"""
    draw(place, "gaps", "--svg", place + "/p.svg", "--html", place + "/p.html")
    names, words = well_formed(read(place, "p.svg"))
    expect(any(a.get("id", "").startswith("h") for n, a in names if n == "pattern"), "a pattern to hatch with")
    expect("no readings" in words, "which the key explains")
    numbers = Page(read(place, "p.html")).numbers()
    gap = max(numbers["gaps"], key=lambda g: g[1] - g[0])
    near(gap[0], 20, 0.3, "from")
    near(gap[1], 28, 0.3, "to")
    equal(gap[2], False, "its mean")
    run = max(numbers["unknown"], key=lambda r: r[1] - r[0])
    near(run[0] * numbers["column"], 20, 0.3, "columns without a value, from")
    near(run[1] * numbers["column"], 28, 0.3, "to")


def test_hostile_names_are_only_words(place):
    """Names with tags, quotes, escapes and bytes that are no text do nothing in SVG, pages and the terminal"""
    draw(place, "hostile", "--svg", place + "/p.svg", "--html", place + "/p.html")
    names, words = well_formed(read(place, "p.svg"))
    expect(not {n for n, _ in names} - {"svg", "defs", "pattern", "path", "rect", "text", "title", "g"},
           "no element of theirs")
    expect("</title><b>&job" in words, "the job's name is a word")
    page = safe_page(read(place, "p.html"))
    for name in HOSTILE:
        expect(name in [region["name"] for region in page.numbers()["regions"]], f"'{name}' is there as it was")
    done = call("report", "--html", place + "/r.html", record(place, "hostile"))
    equal(done.returncode, 0, done.stderr)
    safe_page(read(place, "r.html"))
    shown = draw(place, "hostile", "--term", env={"TERM": "dumb", "LC_ALL": "C.UTF-8"}).stdout
    expect("\033" not in shown and "\a" not in shown, "no terminal obeys them")


def test_estimates_are_told_apart(place):
    """An estimate is hatched in its colour and called so"""
    draw(place, "laptop", "--svg", place + "/p.svg")
    text = read(place, "p.svg")
    expect("· estimated</text>" in text and "url(#h" in text, "hatched, with the word")
    equal(call("report", "--html", place + "/r.html", record(place, "laptop")).returncode, 0, "status")
    words = safe_page(read(place, "r.html")).words
    expect("estimated" in words, "the chain begins with an estimate")
    expect("measured" not in words, "and nothing on the page is said to be measured")


def test_many_domains_are_drawn_by_type(place):
    """64 domains become 12 layers, which is said, and a zero stays a zero"""
    draw(place, "domains", "--svg", place + "/p.svg")
    _, words = well_formed(read(place, "p.svg"))
    expect("64 domains are drawn" in words, "said")
    expect("node04 gpu (8)" in words, "with their number")
    draw(place, "zero", "--svg", place + "/z.svg")
    _, words = well_formed(read(place, "z.svg"))
    expect("0 W · 0 J · integrated" in words, "zero watts")


def test_region_chooses_its_time(place):
    """--region shows from its first start to its last stop; one that is not there is an error with the names"""
    draw(place, "solver", "--html", place + "/p.html", "--region", "write")
    numbers = Page(read(place, "p.html")).numbers()
    near(numbers["duration"], 10, 0.01, "as long as the region")
    near(numbers["offset"], 44, 0.01, "and where it is")
    done = call("profile", "--svg", place + "/no.svg", "--region", "wirte", record(place, "solver"))
    equal(done.returncode, 1, "status")
    expect("'wirte'" in done.stderr and "write" in done.stderr, done.stderr)
    expect(not os.path.exists(place + "/no.svg"), "no file")


def in_terminal(path, columns, lines, env):
    """What profile writes to a terminal of that size."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    with subprocess.Popen([PROGRAM, "profile", path], stdin=child, stdout=child, stderr=child,
                          env=clean_environment(env)) as process:
        os.close(child)
        output = b""
        while True:
            try:
                data = os.read(parent, 65536)
            except OSError:
                break
            if not data:
                break
            output += data
        equal(process.wait(), 0, "status")
    os.close(parent)
    return output.decode()


def test_it_is_drawn_where_stdout_is_a_terminal(place):
    """In a terminal it is drawn to its size, with the colours it has; in a pipe the eprofile comes"""
    path = record(place, "solver")
    for columns, lines in ((60, 20), (80, 24), (200, 50)):
        text = in_terminal(path, columns, lines, {"TERM": "xterm", "LC_ALL": "C.UTF-8", "NO_COLOR": "1"})
        rows = text.replace("\r", "").rstrip("\n").split("\n")
        expect(max(map(len, rows)) <= columns and len(rows) < lines, f"fits {columns} x {lines}")
        expect(columns - max(map(len, rows)) <= 2, "and fills it")
        expect("█" in text and "\033" not in text, "blocks, no colours")
    text = in_terminal(path, 80, 24, {"TERM": "xterm", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"})
    expect("\033[0;38;2;0;114;178" in text, "colours")
    text = in_terminal(path, 80, 24, {"TERM": "dumb", "LC_ALL": "C"})
    expect(text.isascii() and "\033" not in text and "#" in text, "letters of ASCII")
    done = call("profile", path)
    equal(json.loads(done.stdout)["schema"], "energyscopium.eprofile/1", "in a pipe")


def test_a_strip_at_the_end_has_its_name(place):
    """In the terminal the name of many short calls near the end stands before them, whole"""
    with open(place + "/tags.csv", "w") as file:
        for i in range(40):
            file.write(f"halo swap,+{59.5 + i / 100:.3f},+{59.505 + i / 100:.3f}\n")
    done = call("profile", "--term", "--tags", place + "/tags.csv", "--region", "es_total", record(place, "solver"),
                env={"COLUMNS": "80", "LC_ALL": "C.UTF-8"})
    equal(done.returncode, 0, done.stderr)
    rows = [row for row in done.stdout.splitlines() if "halo swap" in row]
    expect(any(re.search("halo swap ×40 [░▒▓█]", row) for row in rows), done.stdout)


def test_files_are_whole_or_not_there(place):
    """A full disk and a folder that is not there give an error with the name, nothing half-written, and what was there stays"""
    path, target = record(place, "solver"), place + "/p.svg"
    with open(target, "w", encoding="utf-8") as file:
        file.write("as it was")

    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))

    before = sorted(os.listdir(place))
    for option in ("--svg", "--html"):
        done = call("profile", option, target, path, preexec_fn=small_files)
        equal(done.returncode, 1, f"{option}: {done.stderr}")
        expect(target in done.stderr, done.stderr)
    equal(read(target), "as it was", "what was there")
    equal(sorted(os.listdir(place)), before, "files")
    done = call("profile", "--svg", place + "/none/p.svg", path)
    equal(done.returncode, 1, "status")
    expect("none/p.svg" in done.stderr, done.stderr)
    done = call("profile", "--svg", "/dev/full", path)
    equal(done.returncode, 1, "status")
    expect("No space left" in done.stderr, done.stderr)
    equal(call("profile", "--svg", "-", path).stdout[:5], "<?xml", "on stdout")


def test_without_cairo_the_rest_works(place):
    """Where cairo cannot be opened PNG and PDF name the package; SVG and pages are made"""
    libraries = place + "/lib"
    os.mkdir(libraries)
    with open(libraries + "/libcairo.so.2", "w", encoding="utf-8") as file:
        file.write("no library")
    path, env = record(place, "solver"), {"LD_LIBRARY_PATH": libraries}
    for option in ("--png", "--pdf"):
        done = call("profile", option, place + "/p", path, env=env)
        equal(done.returncode, 1, option)
        expect("libcairo2" in done.stderr, done.stderr)
        expect(not os.path.exists(place + "/p"), "no file")
    draw(place, "solver", "--svg", place + "/p.svg", "--html", place + "/p.html", env=env)
    draw(place, "solver", "--term", env=env)


def test_wrong_options_are_usage(place):
    """Sizes and themes that are none, and no readings in the time asked for, are told"""
    path = record(place, "solver")
    for options in (["--width", "0"], ["--width", "10"], ["--height", "x"], ["--theme", "pink"]):
        done = call("profile", "--svg", place + "/p.svg", *options, path)
        equal(done.returncode, 2, f"{options}: {done.stderr}")
    done = call("profile", "--svg", place + "/p.svg", "--from", "+90s", path)
    equal(done.returncode, 1, "status")
    expect("no readings in that time" in done.stderr, done.stderr)
    done = call("profile", "--svg", place + "/p.svg", record(place, "empty"))
    equal(done.returncode, 1, "an empty recording")
    expect(not os.path.exists(place + "/p.svg"), "no file")


def test_report_is_a_page(place):
    """report --html has line, chain, picture, regions by energy and quality; also of an empty recording"""
    path = record(place, "gaps")
    equal(call("report", "--html", place + "/r.html", path).returncode, 0, "status")
    page = safe_page(read(place, "r.html"))
    words = "".join(page.words)
    expect(call("report", "--line", path).stdout.strip() in words, "the job line")
    for word in ("from joules to grams", "facility", "Regions", "How well it was measured", "sampling", "gap at"):
        expect(word in words, f"'{word}' is on the page")
    report = json.loads(call("report", "--json", path).stdout)
    regions = sorted((r for r in report["regions"] if not r["name"].startswith("es_")),
                     key=lambda r: -r["energy_j"])
    cells = re.findall(r'<tr><td class="name">([^<]*)</td><td class="n">\d+</td>', read(place, "r.html"))
    equal(cells, [r["name"] for r in regions], "regions, those that take most first")
    equal(call("report", "--html", place + "/e.html", record(place, "empty")).returncode, 0, "empty")
    expect("no readings" in read(place, "e.html"), "said in the picture")


def test_report_is_one_or_two_sheets(place):
    """report --pdf has one or two pages, however many regions there are"""
    need_cairo()
    for name in ("solver", "regions", "domains", "empty"):
        equal(call("report", "--pdf", place + "/r.pdf", record(place, name)).returncode, 0, name)
        with open(place + "/r.pdf", "rb") as file:
            pages = re.findall(rb"/Type /Page\b", file.read())
        expect(len(pages) in (1, 2), f"{name}: {len(pages)} pages")


def test_script_of_a_page_runs(place):
    """Chromium runs the script under the page's own policy"""
    browser = shutil.which("chromium")
    if not browser:
        raise Skip("chromium is not installed; it is too large to install for this alone")
    for name in ("gaps", "hostile"):
        draw(place, name, "--html", f"{place}/{name}.html")
        done = subprocess.run(
            [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={place}/profile",
             "--virtual-time-budget=3000", "--dump-dom", f"file://{place}/{name}.html"],
            text=True, capture_output=True, timeout=60, check=False)
        expect('data-ready="yes"' in done.stdout, f"{name}: the script came to its end: {done.stderr[-500:]}")
        expect("Click on a name" in done.stdout, "and said what can be done")


def test_pictures_of_the_documents_are_up_to_date(place):
    """make pictures gives the pictures that the documents show"""
    done = subprocess.run([os.path.join(SOURCE_ROOT, "tools/pictures"), place + "/new"], text=True, capture_output=True,
                          env={**os.environ, "ES_PROGRAM": PROGRAM, "ES_DEMO": DEMO}, timeout=60, check=False)
    equal(done.returncode, 0, done.stderr)
    kept = os.path.join(SOURCE_ROOT, "doc/pictures")
    equal(sorted(os.listdir(place + "/new")), sorted(os.listdir(kept)), "files")
    for name in os.listdir(kept):
        expect(read(place, "new", name) == read(kept, name), f"'{name}' is as make pictures makes it: run it")
    expect(read(kept, "terminal.txt").strip() in read(SOURCE_ROOT, "README.md"), "README shows the terminal")


if __name__ == "__main__":
    sys.exit(main(sys.modules[__name__]))
