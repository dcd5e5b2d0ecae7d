# checks.py - what the check-* scripts share: the tree's files, the built objects, the report
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
"""
Every check takes --root (the source tree, default: the one the script lies in) and, where it looks
at objects, --build (default: build/ in that tree). It prints each offence as FILE:LINE: WHAT and a
closing line that says how much was looked at, and exits 1 where there was an offence.
"""

import argparse
import json
import os
import re
import subprocess
import sys

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


class Check:
    def __init__(self, name, doc):
        parser = argparse.ArgumentParser(prog=name, description=doc.strip().splitlines()[0])
        parser.add_argument("--root", default=os.path.join(os.path.dirname(__file__), ".."))
        parser.add_argument("--build", help="build directory (default: build in the source tree)")
        args = parser.parse_args()
        self.name = name
        self.root = os.path.realpath(args.root)
        self.build = os.path.realpath(args.build or os.path.join(self.root, "build"))
        self.offences = []

    def offence(self, path, line, text):
        self.offences.append((path, line, text))

    def close(self, summary):
        """Print the offences and the summary; the exit status."""
        for path, line, text in sorted(set(self.offences)):
            print(f"{path}:{line}: {text}")
        count = len(set(self.offences))
        print(f"{self.name}: {summary}: " + (f"{count} offences" if count else "ok"))
        return 1 if count else 0

    def read(self, path):
        with open(os.path.join(self.root, path), encoding="utf-8", errors="replace") as file:
            return file.read()

    def files(self):
        """The tree's own files: what git tracks and what is new and not ignored."""
        command = ["git", "-c", "safe.directory=*", "-C", self.root, "ls-files", "-z", "--cached"]
        command += ["--others", "--exclude-standard"]
        try:
            listing = subprocess.run(command, capture_output=True, check=True).stdout.decode()
            paths = [path for path in listing.split("\0") if path]
        except (OSError, subprocess.CalledProcessError):
            paths = list(self._walk())
        return sorted(p for p in paths if os.path.isfile(os.path.join(self.root, p)))

    def _walk(self):
        for folder, folders, names in os.walk(self.root):
            folders[:] = [f for f in folders if not f.startswith((".git", "build"))]
            for name in names:
                yield os.path.relpath(os.path.join(folder, name), self.root)

    def objects(self):
        """Yield (source path below the root, object path) of each built file of src/."""
        try:
            with open(os.path.join(self.build, "compile_commands.json"), encoding="utf-8") as file:
                commands = json.load(file)
        except OSError:
            return
        for command in commands:
            source = os.path.realpath(os.path.join(command["directory"], command["file"]))
            source = os.path.relpath(source, self.root)
            built = os.path.join(command["directory"], command["output"])
            if source.startswith("src/") and os.path.exists(built):
                yield source, built

    def line_of(self, path, symbol):
        """The first line of a source that has the symbol as a word, 1 where there is none."""
        word = re.compile(rf"\b{re.escape(symbol)}\b")
        for number, line in enumerate(self.read(path).splitlines(), 1):
            if word.search(line):
                return number
        return 1


def room_of(path):
    """src/core/counter.c lies in core; None where it lies in no room."""
    parts = path.split("/")
    return parts[1] if len(parts) > 2 and parts[0] == "src" else None


def includes(text):
    """Yield (line number, "<" or '"', name) of each #include."""
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1), match.group(2)


def nm(*args):
    """The lines that nm prints; nm's own complaint about an empty object is not ours."""
    try:
        done = subprocess.run(["nm", *args], capture_output=True, text=True, check=False)
    except OSError as error:
        sys.exit(f"cannot run nm: {error.strerror}")
    return done.stdout.splitlines()


def object_symbols(path):
    """Yield (name, class letter, section) of each symbol of an object file."""
    for line in nm("-f", "sysv", path):
        fields = [field.strip() for field in line.split("|")]
        if len(fields) == 7 and fields[0] not in ("", "Name"):
            yield fields[0], fields[2], fields[6]
