/*
 * work_count.c - an amount of work that grows, from the values that somebody prints
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/work_count.h"

#include <errno.h>

static int64_t first_base(const struct es_work_count *count, int64_t value_micro)
{
	switch (count->from) {
	case ES_WORK_FROM_FIRST:
		return value_micro;
	case ES_WORK_FROM_GIVEN:
		return count->from_micro;
	case ES_WORK_FROM_ZERO:
		break;
	}
	return 0;
}

int es_work_count_add(struct es_work_count *count, int64_t value_micro)
{
	int64_t base = count->has_value ? count->last_micro : first_base(count, value_micro);
	bool is_restart = value_micro < base, is_first = !count->has_value;
	int64_t step = is_restart ? value_micro : value_micro - base, sum;

	if (value_micro < 0 || __builtin_add_overflow(count->sum_micro, step, &sum))
		return -ERANGE;
	count->sum_micro = sum;
	count->last_micro = value_micro;
	count->has_value = true;
	count->n_values++;
	count->n_restarts += is_restart;
	return step > 0 || is_first;
}
