/*
 * fuzz_pmu.c - any bytes as what sysfs says of events, resource control of traffic, and the kernel of mounts
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <string.h>

#include "fuzz/target.h"
#include "sys/cgroup.h"
#include "sys/pmu.h"
#include "sys/resctrl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char text[4096], path[256];
	const char *p = text;
	struct es_pmu_format format;
	struct es_pmu_term term;
	uint64_t words[3] = { 0 }, value;
	size_t n_terms = 0;

	if (n >= sizeof(text))
		return 0;
	memcpy(text, data, n);
	text[n] = '\0';
	(void)es_resctrl_parse(text, n, &value);
	if (es_pmu_parse_format(text, &format) == 0) {
		uint64_t bits = 0;

		fuzz_require(format.word < 3 && format.n_ranges > 0);
		for (size_t i = 0; i < format.n_ranges; i++) {
			fuzz_require(format.ranges[i].first + format.ranges[i].n <= 64);
			bits += format.ranges[i].n;
		}
		/* As many ones as there are bits fit, one more does not. */
		value = bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
		fuzz_require(es_pmu_put(&format, value, words) == 0);
		fuzz_require((uint64_t)__builtin_popcountll(words[format.word]) == bits);
		fuzz_require(bits == 64 || es_pmu_put(&format, value + 1, words) < 0);
	}
	while (es_pmu_next_term(&p, &term) > 0) {
		fuzz_require(term.name[0] != '\0' && strlen(term.name) < sizeof(term.name));
		fuzz_require(p <= text + n && ++n_terms <= n);
	}
	if (es_cgroup_mount(text, "", "/a/b", path, sizeof(path)) == 0)
		fuzz_require(strlen(path) < sizeof(path));
	(void)es_cgroup_mount(text, "perf_event", "/", path, sizeof(path));
	if (es_cgroup_find(text, "perf_event", path, sizeof(path)))
		fuzz_require(strchr(path, '\n') == NULL);
	return 0;
}
