/*
 * sweep.h - one reading of all meters, on its way from the thread that reads to the one that serves
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_DAEMON_SWEEP_H
#define ES_DAEMON_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "source/source.h"

/** struct es_sweep - raw readings, in the order of the node's domains */
struct es_sweep {
	uint64_t sequence; /* 1, 2, …: one that is missing was dropped because nobody took it in time; counters go on */
	int64_t boot_ns, mono_ns, unix_ns; /* when it began, on the three clocks */
	int64_t period_ns; /* planned time to the next */
	const struct es_reading *readings; /* [n] borrowed */
	size_t n;
};

/** struct es_node_domains - what is read: fixed for one epoch */
struct es_node_domains {
	uint64_t epoch;
	const struct es_domain *domains; /* [n] borrowed; states settled, the two covers chosen */
	size_t n;
};

#endif
