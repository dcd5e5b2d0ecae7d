# Makefile - the front door; meson does the work, tools/ holds the scripts
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors

# The text of CMD and PREFIX as it was typed: a $ in CMD is the command's, not make's.
override CMD := $(value CMD)
override PREFIX := $(value PREFIX)
export CMD DESTDIR PREFIX

all: ## build the programs into build/bin/ (the default)
	@tools/build programs

run: ## measure a command: make run CMD='sleep 3' (without CMD: a built-in workload)
	@tools/build programs
	@tools/run-command

test: ## run the test suite: unit, machines, e2e
	@tools/run-tests

check: ## format, layers, second compiler, sanitizers, analyzers, short fuzz, valgrind
	@tools/check

fresh-check: ## prove make run and make test in a Debian 12 made from nothing (needs root)
	@tools/fresh-check

pictures: ## make the pictures of README and documents anew
	@tools/pictures

install: ## install; PREFIX= and DESTDIR= are honoured
	@tools/install-programs

clean: ## remove everything that was built
	rm -rf build build-*

help: ## this list
	@tools/make-help Makefile

.PHONY: all run test check fresh-check pictures install clean help
