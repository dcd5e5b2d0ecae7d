#!/bin/sh
# totals.sh - tools/test-total counts what ran, what was skipped, and what crashed
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
set -u
# shellcheck source=tests/tools/tap.sh
. "$(dirname "$0")/tap.sh"
log=$scratch/log.json

run_of() { # NAME RESULT RETURNCODE STDOUT, a line of meson's log
	printf '{"name": "%s", "result": "%s", "returncode": %s, "stdout": "%s"}\n' "$@"
}

total() {
	env REQUIRE_DATA="${data-}" "$tools/test-total" "$log" >"$scratch/total"
	status=$?
	cat "$scratch/total"
	return $status
}

last_is() { # TEXT
	total
	[ "$(tail -n 1 "$scratch/total")" = "$1" ]
}

run_of a OK 0 '1..2\nok 1 - x\nok 2 - y\n' >"$log"
run_of b OK 0 'some text' >>"$log"
expect_ok "subtests and plain tests count one each" last_is "3 passed, 0 failed"
expect_ok "nothing failed: status 0" total

run_of c SKIP 0 '1..0 # SKIP no ../shared/data here\n' >>"$log"
expect_ok "a skipped program is neither" last_is "3 passed, 0 failed"
data=1
expect_ok "unless the data are required" last_is "3 passed, 1 failed"
data=

run_of d ERROR -11 '1..2\nok 1 - x\nok 2 - y\n' >>"$log"
expect_ok "a crash after the last good subtest is a failure" last_is "5 passed, 1 failed"
expect_failure "and named, with its status" "failed: d (error, exit status -11)" total

run_of e FAIL 1 '1..2\nok 1 - x\nnot ok 2 - y\n' >"$log"
expect_ok "a failed subtest is not counted twice" last_is "1 passed, 1 failed"

: >"$log"
expect_failure "nothing ran: that is no success" "0 passed, 0 failed" total
rm "$log"
expect_failure "nor is a log that is not there" "0 passed, 1 failed" total
tap_end
