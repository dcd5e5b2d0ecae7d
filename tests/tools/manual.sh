#!/bin/sh
# manual.sh - tools/check-man finds what the manual and --help do not both say
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
set -u
# shellcheck source=tests/tools/tap.sh
. "$(dirname "$0")/tap.sh"
command -v mandoc >/dev/null || { echo "1..0 # SKIP no mandoc"; exit 0; }
tree=$scratch/tree
program=$tree/build/bin/energyscopium
mkdir -p "$tree/build/bin" "$tree/doc/man"

cat >"$program" <<'END'
#!/bin/sh
case "$1" in
run) printf 'usage: energyscopium run\n\n  -p, --period TIME   how often\n      --help          this\n' ;;
*) printf 'usage: energyscopium COMMAND\n\n  run     measure a command\n' ;;
esac
END
chmod +x "$program"

page() { # COMMAND ENTRY...
	{
		printf '.Dd January 1, 2026\n.Dt ENERGYSCOPIUM 1\n.Os\n.Sh NAME\n'
		printf '.Nm energyscopium\n.Nd measure run\n.Sh DESCRIPTION\nThe options of run:\n'
		printf '.Bl -tag -width Ds\n'
		shift
		for entry; do printf '.It %s\nText about --other-options.\n' "$entry"; done
		printf '.El\n'
	} >"$tree/doc/man/$name"
}

check() {
	"$tools/check-man" --root "$tree"
}

name=energyscopium.1
printf '.Dd January 1, 2026\n.Dt ENERGYSCOPIUM 1\n.Os\n.Sh NAME\n.Nm energyscopium\n' \
	>"$tree/doc/man/$name"
printf '.Nd commands\n.Sh COMMANDS\nThere is run.\n' >>"$tree/doc/man/$name"
name=energyscopium-run.1
page run 'Fl p , Fl -period Ar TIME'
expect_ok "a manual that says what --help says passes" check
page run 'Fl -period Ar TIME'
expect_failure "an option without an entry is found" "run.1:1: 'run' has -p, and" check
page run 'Fl p , Fl -period Ar TIME' 'Fl -gone'
expect_failure "an entry without an option is found" "run.1:12: entry --gone" check
page run 'Fl p , Fl -period Ar TIME' '.Fl -broken'
printf '.Nonesuch\n' >>"$tree/doc/man/$name"
expect_failure "what the linter says is passed on" "run.1:.*skipping unknown macro" check
page run 'Fl p , Fl -period Ar TIME'
cp "$tree/doc/man/$name" "$tree/doc/man/energyscopium-attic.1"
expect_failure "a page of no command is found" "attic.1:1: .*no command 'attic'" check
rm "$tree/doc/man/energyscopium-attic.1" "$tree/doc/man/$name"
name=energyscopium.1
page run 'Fl p , Fl -period Ar TIME'
expect_ok "one page for all commands will do" check
tap_end
