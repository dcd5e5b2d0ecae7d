#!/bin/sh
# checks.sh - tools/check-layers, -globals, -exports and -licences find what they are for
# SPDX-License-Identifier: GPL-3.0-or-later
# Copyright (C) 2026 the EnergyScopium authors
set -u
# shellcheck source=tests/tools/tap.sh
. "$(dirname "$0")/tap.sh"
tree=$scratch/tree

# A tree of two rooms with a build directory that has their objects.
fresh_tree() {
	rm -rf "$tree"
	mkdir -p "$tree/src/base" "$tree/src/core" "$tree/src/sys" "$tree/LICENSES" "$tree/build"
	touch "$tree/LICENSES/GPL-3.0-or-later.txt" "$tree/LICENSES/BSD-3-Clause.txt"
	source_file base/error.h BSD-3-Clause 'int es_error(void);'
	source_file core/counter.c GPL-3.0-or-later '#include "base/error.h"' \
		'static const char *const names[] = { "a", "b" };' \
		'const char *es_counter_name(int i);' \
		'const char *es_counter_name(int i) { return names[i & 1]; }'
}

source_file() { # PATH LICENCE LINE...
	path=$tree/src/$1
	{
		printf '/*\n * %s - for a test\n * SPDX-License-Identifier: %s\n */\n' "${1##*/}" "$2"
		shift 2
		printf '%s\n' "$@"
	} >"$path"
}

compile() { # PATH...
	{
		echo '['
		separator=
		for path; do
			object=$(echo "$path" | tr / _).o
			cc -fPIC -O1 -I "$tree/src" -c "$tree/src/$path" -o "$tree/build/$object" || exit 1
			printf '%s{"directory": "%s/build", "file": "../src/%s", "output": "%s"}\n' \
				"$separator" "$tree" "$path" "$object"
			separator=,
		done
		echo ']'
	} >"$tree/build/compile_commands.json"
}

check() { # NAME
	"$tools/check-$1" --root "$tree"
}

fresh_tree
compile core/counter.c
expect_ok "a clean tree passes check-layers" check layers
expect_ok "a clean tree passes check-globals, tables of pointers included" check globals
expect_ok "a clean tree passes check-exports" check exports
expect_ok "a clean tree passes check-licences" check licences

fresh_tree
source_file sys/read.h GPL-3.0-or-later 'int es_read(void);'
source_file core/bad.c GPL-3.0-or-later '#include "sys/read.h"'
expect_failure "a room that includes one above it is found" \
	"^src/core/bad.c:5: room 'core' may not include 'sys'" check layers

source_file core/bad.c GPL-3.0-or-later '#include <pthread.h>'
expect_failure "threads in a pure room are found" "bad.c:5: .*<pthread.h>" check layers

source_file core/bad.c GPL-3.0-or-later '#include <time.h>' 'long es_now(void);' \
	'long es_now(void) {' ' struct timespec t;' \
	' return clock_gettime(CLOCK_REALTIME, &t) ? 0 : t.tv_sec; }'
compile core/bad.c
expect_failure "a clock in a pure room is found" "bad.c:9: .*no clock_gettime" check layers

source_file core/bad.c GPL-3.0-or-later '#include "energyscopium/energyscopium.h"'
expect_failure "the public header inside a room is found" "bad.c:5: .*public header" check layers

fresh_tree
mkdir "$tree/src/attic"
source_file attic/old.c GPL-3.0-or-later 'int es_old;'
expect_failure "a folder that is no room is found" "old.c:1: .*not a room" check layers

fresh_tree
source_file core/bad.c GPL-3.0-or-later 'int es_count(void);' \
	'int es_count(void) {' ' static int n_calls;' ' return ++n_calls; }'
compile core/bad.c
expect_failure "a static variable inside a function is found" "bad.c:7: 'n_calls'" check globals

source_file core/bad.c GPL-3.0-or-later 'const char *es_names[] = { "a" };'
compile core/bad.c
expect_failure "a table whose pointers can change is found" "bad.c:5: 'es_names'" check globals

source_file core/bad.c GPL-3.0-or-later 'int helper(void);' 'int helper(void) { return 1; }'
compile core/bad.c
expect_failure "a function without our prefix is found" "bad.c:5: 'helper'" check exports

fresh_tree
source_file core/bad.c GPL-3.0-or-later 'int es_leak(void);' \
	'int es_leak(void) { return 1; }'
compile core/bad.c
cc -shared -o "$tree/build/libother.so" "$tree/build/core_bad.c.o"
expect_failure "an export that nobody granted is found" "exports 'es_leak'" check exports

fresh_tree
source_file base/bad.c GPL-3.0-or-later 'int es_x;'
expect_failure "the wrong licence for a room is found" "bad.c:3: is GPL.* BSD" check licences

source_file core/counter.h GPL-3.0-or-later 'int es_counter(void);'
source_file base/bad.c BSD-3-Clause '#include "core/counter.h"'
expect_failure "a BSD room that includes a GPL one is found" "bad.c:5: is BSD" check licences

source_file base/bad.c BSD-3-Clause 'const char *es_counter_name(int);' \
	'const char *es_bad(void);' 'const char *es_bad(void) { return es_counter_name(0); }'
compile core/counter.c base/bad.c
expect_failure "a BSD room that calls a GPL one is found" \
	"bad.c:5: is BSD.* uses 'es_counter_name'" check licences

fresh_tree
echo 'int es_bare;' >"$tree/src/core/bare.c"
expect_failure "a file without a head is found" "bare.c:1: no SPDX" check licences
source_file core/counter.h Nonesuch-1.0 'int es_x;'
expect_failure "a licence without its text is found" "no text 'LICENSES/Nonesuch" check licences
tap_end
