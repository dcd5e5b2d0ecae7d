#!/bin/sh
# commands.sh - make run CMD='…' hands the command over as it was typed; make install brings the daemon where it may
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
set -u
# shellcheck source=tests/tools/tap.sh
. "$(dirname "$0")/tap.sh"
command -v make >/dev/null || { echo "1..0 # SKIP no make"; exit 0; }

# A copy of the front door whose program shows what it was called with.
door=$scratch/door
mkdir -p "$door/tools" "$door/build/bin"
cp "$tools/../Makefile" "$door/"
cp "$tools/run-command" "$door/tools/"
printf '#!/bin/sh\n' >"$door/tools/build"
printf '#!/bin/sh\nfor a; do printf "[%%s]" "$a"; done\n' >"$door/build/bin/energyscopium"
chmod +x "$door/tools/build" "$door/build/bin/energyscopium"

typed() { # WANTED [MAKE ARGUMENT...]
	wanted=$1
	shift
	got=$(env -u MAKEFLAGS -u MAKELEVEL make -s -C "$door" --no-print-directory run "$@")
	echo "wanted $wanted, got $got"
	[ "$got" = "$wanted" ]
}

expect_ok "without a command the workload is measured" \
	typed '[run][--][build/bin/energyscopium][workload]'
expect_ok "a plain command is started as it stands" \
	typed '[run][--][sleep][3]' CMD='sleep 3'
expect_ok "blanks around it do not matter" typed '[run][--][sleep][3]' CMD='  sleep   3 '
expect_ok "quotes and pipes go to a shell" \
	typed '[run][--][sh][-c][echo "a b" | wc -c]' CMD='echo "a b" | wc -c'
expect_ok "a dollar is the command's, not make's" \
	typed '[run][--][sh][-c][echo $HOME $$]' CMD='echo $HOME $$'
expect_ok "so is an apostrophe" \
	typed "[run][--][sh][-c][echo 'it is']" CMD="echo 'it is'"
expect_ok "a shell's own command goes to a shell" typed '[run][--][sh][-c][cd /]' CMD='cd /'
expect_ok "the built programs are found by name" \
	typed '[run][--][energyscopium][sources]' CMD='energyscopium sources'
expect_ok "an assignment does" typed '[run][--][sh][-c][A=1 sleep 3]' CMD='A=1 sleep 3'

# make install: its packages are asked for, and where they cannot be had it goes on.
cp "$tools/build" "$tools/install-programs" "$door/tools/"
for name in tools/install-dependencies tools/build-targets bin/meson bin/ninja; do
	mkdir -p "$door/${name%/*}"
	printf '#!/bin/sh\necho "${0##*/} $*" >>"%s/said"\n' "$door" >"$door/$name"
	chmod +x "$door/$name"
done
echo '[ "$*" = run ]' >>"$door/tools/install-dependencies"
installs() {
	PATH=$door/bin:$PATH env -u MAKEFLAGS -u MAKELEVEL make -s -C "$door" --no-print-directory install
}
expect_ok "make install goes on where packages of the daemon cannot be had" installs
expect_ok "and asks for them" grep -qx 'install-dependencies install' "$door/said"
expect_ok "and installs" grep -q '^meson install -C build' "$door/said"
sed -i '$s/.*/exit 1/' "$door/tools/install-dependencies"
expect_failure "without a compiler it does not" '' installs
tap_end
