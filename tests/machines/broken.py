# broken.py - machines broken by a list of edits, and what must be said of them then
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
"""The lines of NAME.broken, which README.md describes."""
import fnmatch
import os

EDITS = ("remove", "text", "empty", "mode", "as")
MOTIONS = ("reset", "freeze")
EXPECTED = ("state", "fix", "cover", "unmeasured", "fault")
FROM = 4  # the read from which on a motion is broken


def variants(path):
    """The paragraphs of a file; none where there is no file."""
    found = []
    if not os.path.exists(path):
        return found
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            words = line.split()
            if not words or words[0] == "#":
                continue
            if words[0] == "==":
                found.append(Variant(line[2:].partition(":")[0].strip()))
            elif words[0] in EDITS + MOTIONS + EXPECTED and found:
                found[-1].lines.append((words[0], words[1:]))
            else:
                raise ValueError(f"{path}:{number}: {line}")
    return found


def matching(root, pattern):
    paths = [os.path.relpath(os.path.join(folder, name), root) for folder, _, names in os.walk(root) for name in names]
    return [os.path.join(root, path) for path in sorted(paths) if fnmatch.fnmatchcase(path, pattern)]


def is_said(words, text):
    return " ".join(words) in (text or "")


class Variant:
    """One way in which a machine is broken."""

    def __init__(self, name):
        self.name, self.lines = name, []

    def of(self, *kinds):
        return [(kind, words) for kind, words in self.lines if kind in kinds]

    @property
    def view(self):
        return "user" if self.of("as") else "root"

    @property
    def moves(self):
        return bool(self.of(*MOTIONS))

    def edit(self, root):
        for kind, words in self.of("remove", "text", "empty", "mode"):
            paths = matching(root, words[0])
            if not paths:
                raise ValueError(f"{self.name}: nothing to {kind} at {words[0]}")
            for path in paths:
                if kind == "remove":
                    os.unlink(path)
                elif kind == "mode":
                    os.chmod(path, int(words[1], 8))
                else:
                    mode = os.stat(path).st_mode & 0o777
                    os.chmod(path, 0o600)
                    with open(path, "w", encoding="utf-8") as file:
                        file.write(" ".join(words[1:]).replace("\\n", "\n"))
                    os.chmod(path, mode)

    def edit_motion(self, dump, lowered):
        """The motion, as a broken counter would have shown it."""
        for kind, words in self.of(*MOTIONS):
            last, anew = {}, []  # what it showed when it broke, and at once after it
            for number in sorted(dump.motion):
                for i, row in enumerate(dump.motion[number]):
                    if len(row) != 3 or not fnmatch.fnmatchcase(row[1], words[0]):
                        continue
                    if number < FROM:
                        last[row[1]] = row
                    elif kind == "freeze":
                        dump.motion[number][i] = last[row[1]]
                    elif number == FROM:
                        last[row[1]] = row
                        anew.append(lowered(row, row))
                    else:
                        dump.motion[number][i] = lowered(row, last[row[1]])
            if not last:
                raise ValueError(f"{self.name}: no counter to {kind} at {words[0]}")
            if anew:
                dump.motion[FROM + 0.5] = anew

    def judge(self, told):
        """What is wrong with the answer of sources, in words."""
        domains = {d["id"]: d for s in told["sources"] for d in s["domains"]}
        wrong = []
        for _, (name, state, *words) in self.of("state"):
            domain = domains.get(name, {"state": "not listed", "reason": ""})
            if domain["state"] != state or not is_said(words, domain["reason"]):
                wrong.append(f"{name} is {domain['state']} ({domain['reason']}), not {state} ({' '.join(words)})")
        for _, (name, *words) in self.of("fix"):
            if not is_said(words, domains[name]["fix"]):
                wrong.append(f"{name}: the fix is {domains[name]['fix']}")
        for _, names in self.of("cover"):
            if sorted(names) != sorted(told["cover"]):
                wrong.append(f"the cover is {' '.join(told['cover'])}")
        for _, words in self.of("unmeasured"):
            if not any(is_said(words, f"{entry['what']}: {entry['reason']}") for entry in told["unmeasured"]):
                wrong.append(f"unmeasured are {told['unmeasured']}")
        return wrong

    def judge_run(self, report, true_j):
        """What is wrong with a run's report, in words; @true_j: {id: energy} of the machine unbroken."""
        rows = {row["id"]: row for row in report["energy"]["by_domain"]}
        told = {(fault["id"], fault["fault"]) for fault in report["quality"]["faults"]}
        expected = {(name, fault) for _, (name, fault) in self.of("fault")}
        broken = {name for name, _ in expected}
        wrong = [f"{name} is not told to be '{fault}': {sorted(told)}" for _, (name, fault) in self.of("fault") if (name, fault) not in told]
        for name, energy_j in true_j.items():
            if name not in rows:
                wrong.append(f"{name} is not in the report")
                continue
            seen_j, bound_j = rows[name]["energy_j"], 3e-6 + (rows[name]["uncertainty_j"] or 0 if name in broken else 0)
            if (name, "stood_still") in expected:
                # What was drawn meanwhile nobody can know.
                wrong += [f"{name} has {seen_j} J, true are {energy_j} J"] if seen_j and seen_j > energy_j + 3e-6 else []
            elif seen_j is None:
                wrong += [] if name in broken else [f"{name} is unknown"]
            elif abs(seen_j - energy_j) > bound_j:
                wrong.append(f"{name} has {seen_j} J, true are {energy_j} J, bound {bound_j} J")
        return wrong
