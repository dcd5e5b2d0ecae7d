# tap.sh - the few lines that the tests of tools/ share: numbered results, a scratch tree
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
#
# A test sources it, calls expect_ok and expect_offence, and ends with tap_end.
# shellcheck shell=sh

tools=$(cd "$(dirname "$0")/../../tools" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tap_count=0
tap_status=0

tap_result() { # STATUS NAME
	tap_count=$((tap_count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tap_count - $2"
	else
		echo "not ok $tap_count - $2"
		sed 's/^/# /' "$scratch/.said"
		tap_status=1
	fi
}

# COMMAND ends with 0.
expect_ok() { # NAME COMMAND...
	tap_name=$1
	shift
	"$@" >"$scratch/.said" 2>&1
	tap_result $? "$tap_name"
}

# COMMAND fails and says TEXT (a basic regular expression).
expect_failure() { # NAME TEXT COMMAND...
	tap_name=$1
	tap_text=$2
	shift 2
	if "$@" >"$scratch/.said" 2>&1; then
		tap_result 1 "$tap_name"
	else
		grep -q "$tap_text" "$scratch/.said"
		tap_result $? "$tap_name"
	fi
}

tap_end() {
	echo "1..$tap_count"
	exit $tap_status
}
