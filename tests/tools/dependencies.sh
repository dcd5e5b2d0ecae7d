#!/bin/sh
# dependencies.sh - tools/install-dependencies asks first, and says clearly what it cannot do
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
set -u
# shellcheck source=tests/tools/tap.sh
. "$(dirname "$0")/tap.sh"

# A copy with a list of its own, and a PATH that holds only what the test puts there.
door=$scratch/door
mkdir -p "$door/bin"
cp "$tools/install-dependencies" "$door/"
printf 'run\tthere\tcmd:there\twhy\nrun\tgone|gone2\tcmd:gone\twhy\n' >"$door/dependencies"
for program in sh dirname cat tr wc env; do
	ln -s "$(command -v $program)" "$door/bin/$program"
done
ln -s /bin/true "$door/bin/true"

program() { # NAME LINE...
	made=$door/bin/$1
	shift
	{
		echo '#!/bin/sh'
		printf '%s\n' "$@"
	} >"$made"
	chmod +x "$made"
}

ask() {
	PATH=$door/bin "$door/install-dependencies" "$@" </dev/null
}

expect_failure "a group that is not listed is refused" "no group 'nonesuch'" ask nonesuch
program there ''
expect_failure "without apt the packages are named" "no apt.* gone$" ask run
program gone ''
expect_ok "without apt programs that are there will do" ask run

rm "$door/bin/gone"
program apt-get "echo apt-get \"\$@\" >>'$door/said'"
program apt-cache 'exit 0'
program dpkg-query 'echo "installed:there "'
program id 'echo 1000'
expect_failure "without rights the command is named" "apt-get install .* gone$" ask run
program sudo '[ "$1" = -n ] && shift' 'exec "$@"'
expect_ok "with sudo it is installed" ask run
expect_ok "only what is missing, the first of two" grep -q 'install.*-recommends gone$' "$door/said"
program id 'echo 0'
rm "$door/bin/sudo"
expect_ok "root needs no sudo" ask run
program dpkg-query 'echo "installed:there installed:gone2 "'
rm "$door/said"
expect_ok "either of two packages will do" ask run
expect_failure "and then apt is not called" "No such file" cat "$door/said"
tap_end
