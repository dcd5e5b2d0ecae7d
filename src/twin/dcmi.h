/*
 * dcmi.h - what a simulated management controller answers to DCMI, apart from the simulator that asks
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Its state goes as text, "KEY VALUE" a line, from the twin through .twin/bmc/dcmi to the module in ipmi_sim; orders go back
 * the same way. Made after the DCMI specification 1.5, section 6.6.
 */
#ifndef ES_TWIN_DCMI_H
#define ES_TWIN_DCMI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ES_TWIN_DCMI_ANSWER_BYTES 64U
#define ES_TWIN_DCMI_TEXT_BYTES 1024U
#define ES_TWIN_DCMI_AVERAGES 3U /* 5 s, 30 s, 1 min */

/** struct es_twin_cap - a power limit as a controller keeps it */
struct es_twin_cap {
	bool is_set, is_active;
	uint8_t exception; /* what is done where it cannot be held: 0 nothing, 1 power off, 0x11 log */
	uint16_t watts;
	uint32_t correction_ms;
	uint16_t sampling_s;
};

/** struct es_twin_watts - a mean with its extremes */
struct es_twin_watts {
	uint16_t mean_w, min_w, max_w;
};

/** struct es_twin_dcmi - what there is to answer with */
struct es_twin_dcmi {
	uint16_t watts; /* now */
	struct es_twin_watts period; /* of the reporting period */
	struct es_twin_watts averages[ES_TWIN_DCMI_AVERAGES];
	uint32_t t_s; /* its clock, since 1970 */
	uint32_t period_ms;
	bool has_limit; /* the node can be limited */
	uint16_t limit_min_w, limit_max_w;
	struct es_twin_cap cap;
};

/** es_twin_dcmi_average - how long average @i is, as DCMI writes it: unit in the upper two bits (0 s, 1 min) */
uint8_t es_twin_dcmi_average(size_t i);
int64_t es_twin_dcmi_average_ns(size_t i);

/** es_twin_dcmi_print - as text; its length */
size_t es_twin_dcmi_print(const struct es_twin_dcmi *dcmi,
			  char text[static ES_TWIN_DCMI_TEXT_BYTES]);
/** es_twin_dcmi_parse - that text; 0 or -EBADMSG. What it does not name is 0. */
int es_twin_dcmi_parse(const char *text, struct es_twin_dcmi *ret);
/** es_twin_dcmi_parse_order - "limit WATTS CORRECTION_MS SAMPLING_S EXCEPTION", "activate" or "deactivate": @ret becomes so; 0, -EBADMSG, -ENODATA (no limit is set) */
int es_twin_dcmi_parse_order(const char *text, struct es_twin_cap *ret);

/** es_twin_dcmi_order_fn - hand an order on; 0 or negative errno: -ERANGE, -EOPNOTSUPP, … */
typedef int (*es_twin_dcmi_order_fn)(void *arg, const char *order);
/**
 * es_twin_dcmi_answer - to command @command of group 0xDC with @n bytes of @data, the group's among them
 *
 * Returns how many bytes @ret has, its completion code the first.
 */
size_t es_twin_dcmi_answer(const struct es_twin_dcmi *dcmi, uint8_t command, const uint8_t *data,
			   size_t n, es_twin_dcmi_order_fn order, void *arg,
			   uint8_t ret[static ES_TWIN_DCMI_ANSWER_BYTES]);

#endif
