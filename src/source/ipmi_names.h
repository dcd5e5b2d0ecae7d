/*
 * source/ipmi_names.h - what the sensors of a management controller measure, as their names and records tell
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_IPMI_NAMES_H
#define ES_SOURCE_IPMI_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "core/domain.h"
#include "sys/sdr.h"

/** es_ipmi_total_rank - how sure a name means the whole node: 1 is the surest; 0: it does not */
unsigned es_ipmi_total_rank(const char *name);

/** es_ipmi_supply - the number of the power supply whose input this sensor measures; -1: none */
int es_ipmi_supply(const struct es_sdr_sensor *sensor);

/**
 * es_ipmi_choose - the sensors that @pattern names, in their order
 * @pattern: a name, or a pattern as for fnmatch(3) where no sensor has that name, letters of either case; "": the one
 *	that most surely is the whole node
 * @ret: indices into @all, room for @n of them. Returns how many.
 */
size_t es_ipmi_choose(const struct es_sdr_sensor *all, size_t n, const char *pattern, size_t *ret);

/**
 * es_ipmi_find_again - the chosen sensors in a table that was changed: those of their names, each of which is one
 * @is_gone: [n_chosen], set for what is there no more
 */
void es_ipmi_find_again(struct es_sdr_sensor *chosen, bool *is_gone, size_t n_chosen,
			const struct es_sdr_sensor *all, size_t n);

/**
 * es_ipmi_place - which domain the @i-th of the chosen sensors is: type, number, name, id
 *
 * The surest of those that look like the whole node is it; the input of a power supply is psu-N. All others are parts
 * that only a person can tell: recorded by their names, in no sum.
 */
void es_ipmi_place(const struct es_sdr_sensor *chosen, size_t n, size_t i, const char *source,
		   struct es_domain *domain);

#endif
