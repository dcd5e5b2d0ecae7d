#!/usr/bin/env python3
# test_examples.py - the examples do what their pages say, in a copy of their folder
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
"""
Runs the ```sh blocks of examples/*/README.md as test_docs.py does those of the tutorials.
Environment: ES_PROGRAM, ES_SOURCE_ROOT. Prints TAP.
"""

import glob
import os
import sys

import test_docs


def main():
    root = os.environ["ES_SOURCE_ROOT"]
    pages = sorted(glob.glob(os.path.join(root, "examples/*/README.md")))
    tap = test_docs.Tap()
    for page in pages:
        test_docs.try_document(tap, root, os.path.relpath(page, root))
    tap.say(len(pages) >= 2, "there are examples")
    return tap.close()


if __name__ == "__main__":
    sys.exit(main())
