/*
 * fault.h - what goes wrong on a simulated node when it is told to
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TWIN_FAULT_H
#define ES_TWIN_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/json.h"
#include "twin/meter.h"

struct es_twin_host;

#define ES_TWIN_FAULTS_MAX 256U
#define ES_TWIN_SLOW_NS INT64_C(3000000000) /* how long a meter with fault "slow" takes to answer */
#define ES_TWIN_RELOAD_NS INT64_C(2000000000) /* how long a driver is away that is loaded anew */

/** enum es_twin_fault_aim - what a fault is aimed at */
enum es_twin_fault_aim {
	ES_TWIN_AIM_METER, /* its name; * and ? stand for any letters */
	ES_TWIN_AIM_CLOCK, /* by how much: 1h, -90s */
	ES_TWIN_AIM_NODE, /* nothing */
	ES_TWIN_AIM_PACKAGE, /* package-N, heat, or nothing: all packages */
};

/** struct es_twin_fault_kind - a fault that can be asked for */
struct es_twin_fault_kind {
	const char *name, *help; /* one line */
	enum es_twin_fault_aim aim;
	enum es_twin_fault fault; /* of a meter */
	bool is_over_at_once; /* lasts no time */
};

/** es_twin_fault_kinds - all of them, sorted by name */
const struct es_twin_fault_kind *es_twin_fault_kinds(size_t *ret_n);

/** struct es_twin_trouble - a fault in force */
struct es_twin_trouble {
	const struct es_twin_fault_kind *kind;
	struct es_twin_meter *meter; /* NULL: of the node */
	unsigned package; /* of throttle; */
	bool is_heat;
	int64_t step_ns; /* of clock-step */
	int64_t until_ns; /* 0: until it is cleared */
};

/** struct es_twin_faults - those of a host; zeroed: none */
struct es_twin_faults {
	struct es_twin_trouble list[ES_TWIN_FAULTS_MAX];
	size_t n;
	char refused[ES_TEXT_MAX_BYTES]; /* why the last order was; "" it was not */
};

/*
 * All of them with the host's lock held and its node advanced to @t_ns.
 */

/**
 * es_twin_fault_order - "FAULT [TARGET] [for DURATION]", or "clear": all are over
 *
 * Returns 0; -EINVAL: no such fault, target or duration; -E2BIG: too many at once. @host keeps why, and shows it.
 */
int es_twin_fault_order(struct es_twin_host *host, int64_t t_ns, const char *text);
/** es_twin_fault_tick - end those whose time is over */
void es_twin_fault_tick(struct es_twin_host *host, int64_t t_ns);
/** es_twin_fault_show - a line each, as they could be ordered; then "refused: " and why the last order was */
int es_twin_fault_show(const struct es_twin_host *host, int64_t t_ns, struct es_buf *out);
/** es_twin_fault_json - the same as members of the array that is open */
void es_twin_fault_json(const struct es_twin_host *host, int64_t t_ns, struct es_json *json);

#endif
