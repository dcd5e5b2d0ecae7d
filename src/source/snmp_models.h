/*
 * source/snmp_models.h - which objects show the power and the energy of an outlet, by make of the unit
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_SNMP_MODELS_H
#define ES_SOURCE_SNMP_MODELS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "net/snmp.h"

/** struct es_snmp_model - one make of power distribution units */
struct es_snmp_model {
	const char *name;
	/* What stands before an outlet's number where nothing else is said: the first unit of a chain, its first cord. */
	const char *first;
	size_t n_index; /* numbers that an outlet is known by */
	struct {
		const char *oid; /* followed by the outlet's numbers, then by @tail */
		const char *
			digits; /* how many digits of the value stand behind its point; "": none do */
		const char *tail;
		double unit; /* of the value: mW, or µJ */
	} power, energy;
};

/** es_snmp_model_find - by name; NULL, with the known ones in @err */
const struct es_snmp_model *es_snmp_model_find(const char *name, struct es_error *err);

/** struct es_snmp_outlets - what to ask for, and what one of it is */
struct es_snmp_outlets {
	struct es_snmp_oid values[ES_SNMP_VALUES_MAX], digits[ES_SNMP_VALUES_MAX];
	size_t n;
	bool has_digits;
	double unit; /* mW, or µJ */
};

/**
 * es_snmp_model_outlets - the objects of @outlets: numbers with '+' between them, 7+8 or 1.2.7
 * Returns 0, or -EINVAL with what is wrong.
 */
int es_snmp_model_outlets(const struct es_snmp_model *model, const char *outlets, bool is_energy,
			  struct es_snmp_outlets *ret, struct es_error *err);

#endif
