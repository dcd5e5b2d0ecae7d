/*
 * format/wattmeter.h - what a wattmeter wrote: CSV of times and powers or energies
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_WATTMETER_H
#define ES_FORMAT_WATTMETER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "core/course.h"

#define ES_WATTMETER_MAX_BYTES (256U << 20)
#define ES_WATTMETER_READINGS_MAX (1U << 24)

/** struct es_wattmeter - its readings in order of time; zero-initialise, es_wattmeter_finish() it */
struct es_wattmeter {
	struct es_wattmeter_reading {
		int64_t t_unix_ns;
		uint64_t value; /* mW, or µJ */
	} * readings; /* [n] owned */
	size_t n, cap;
	bool is_energy; /* a counter that grows; else powers */
	size_t n_bad, first_bad_line; /* lines that were left out */
};

/**
 * es_wattmeter_parse - of @n bytes and the NUL behind them, which are changed
 *
 * The first line names the columns: time (RFC 3339 and the like, without a zone local; or seconds since 1970) and
 * power_w or energy_j; others are passed over. Returns 0; -EBADMSG with what is wrong: no such columns, no readings, or
 * more than a tenth of the lines without them; -E2BIG; -ENOMEM.
 */
int es_wattmeter_parse(char *text, size_t n, struct es_wattmeter *ret, struct es_error *err);
void es_wattmeter_finish(struct es_wattmeter *meter);

/**
 * es_wattmeter_course - its energy over a stretch, with times of another clock
 * @shift_ns: is added to each time. Powers further apart than four times their usual distance leave a gap.
 */
int es_wattmeter_course(const struct es_wattmeter *meter, int64_t from_unix_ns, int64_t to_unix_ns,
			int64_t shift_ns, struct es_course *ret);

#endif
