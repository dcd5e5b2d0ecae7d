/*
 * sys/pmu.h - what sysfs says of the kernel's PMUs and of the events that they name
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SYS_PMU_H
#define ES_SYS_PMU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sys/perf.h"
#include "sys/root.h"

#define ES_PMU_NAME_BYTES 64U
#define ES_PMUS_MAX 256U /* of one kind: controllers of a node times their channels */
#define ES_PMU_TERMS_MAX 16U
#define ES_PMU_RANGES_MAX 4U

/** struct es_pmu_format - where the bits of a term such as "umask" go */
struct es_pmu_format {
	unsigned word; /* 0: config, 1: config1, 2: config2 */
	struct {
		unsigned first, n;
	} ranges[ES_PMU_RANGES_MAX]; /* the lowest bits of the value first */
	size_t n_ranges;
};

/** es_pmu_parse_format - "config:0-7,32-35", "config1:0-63"; 0 or -EBADMSG */
int es_pmu_parse_format(const char *text, struct es_pmu_format *ret);
/** es_pmu_put - the bits of @value into @words; 0, or -ERANGE: it has more */
int es_pmu_put(const struct es_pmu_format *format, uint64_t value, uint64_t words[static 3]);

/** struct es_pmu_term - "umask=0x0f"; a name alone means 1 */
struct es_pmu_term {
	char name[32];
	uint64_t value;
};

/** es_pmu_next_term - the next of "event=0x04,umask=0x0f"; 1, 0 at its end, -EBADMSG. @text starts as the text */
int es_pmu_next_term(const char **text, struct es_pmu_term *ret);

/** struct es_pmu_event - an event as perf_event_open() wants it */
struct es_pmu_event {
	uint32_t type;
	uint64_t config[3];
	bool has_scale;
	struct es_perf_scale scale;
	char unit[16]; /* "MiB"; "": none is told */
};

/** es_pmu_event - the event that the PMU @pmu calls @name; 0, -ENOENT: it names no such, -EBADMSG, errors of reading */
int es_pmu_event(const struct es_root *root, const char *pmu, const char *name,
		 struct es_pmu_event *ret);
/** es_pmu_encode - an event by its terms, where the kernel has no name for it; 0, -ENOENT: no PMU or term of that name, -EBADMSG */
int es_pmu_encode(const struct es_root *root, const char *pmu, const char *terms,
		  struct es_pmu_event *ret);

/** es_pmu_list - names of PMUs that are @prefix, or @prefix and "_N…", sorted; their number, at most ES_PMUS_MAX, or negative errno */
int es_pmu_list(const struct es_root *root, const char *prefix, char (*ret)[ES_PMU_NAME_BYTES],
		size_t n);

/** es_pmu_cpus - CPUs on which its events are to be opened, one for each package or die; their number or negative errno */
int es_pmu_cpus(const struct es_root *root, const char *pmu, unsigned *ret, size_t n);

#endif
