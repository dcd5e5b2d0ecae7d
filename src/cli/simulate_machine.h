/*
 * simulate_machine.h - nodes and classes of the machine on which a trace is replayed
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_SIMULATE_MACHINE_H
#define ES_CLI_SIMULATE_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/limits.h"
#include "opt/sim.h"

struct es_simulate;

/** struct es_simulate_machine - zero-initialise; holds nothing to be freed */
struct es_simulate_machine {
	unsigned n; /* classes; 0: processors, all alike */
	bool is_named; /* they are of a file */
	bool has_idle; /* and their powers known */
	struct es_sim_class classes[ES_SIM_CLASSES_MAX];
	char names[ES_SIM_CLASSES_MAX][ES_NAME_MAX_BYTES];
	double idle_w[ES_SIM_CLASSES_MAX], busy_w[ES_SIM_CLASSES_MAX]; /* of a processor */
	double speed[ES_SIM_CLASSES_MAX]; /* of that which the trace's run times are of */
	bool has_busy[ES_SIM_CLASSES_MAX];
	bool has_switch[ES_SIM_CLASSES_MAX]; /* what going off and on takes is known */
	/* What a replay came to. */
	double jobs_j[ES_SIM_CLASSES_MAX], extra_j[ES_SIM_CLASSES_MAX];
	bool is_told; /* what nodes draw, from then on; before they are idle */
	int64_t told_from_ms;
};

/** es_simulate_machine_read - the options about nodes; -1, or complains and returns the status to end with */
int es_simulate_machine_read(struct es_simulate *sim);
/** es_simulate_machine_drew - an es_sim_drew_fn: what nodes draw other than idle, into the sums */
void es_simulate_machine_drew(void *arg, int64_t from_ms, int64_t to_ms, int64_t mw);
/** es_simulate_machine_idle_w - a processor of a class, and es_simulate_machine_all_idle_w all of them, when idle */
double es_simulate_machine_idle_w(const struct es_simulate *sim, unsigned class);
double es_simulate_machine_all_idle_w(const struct es_simulate *sim);
/** es_simulate_machine_before - how many processors the classes before this one have */
uint32_t es_simulate_machine_before(const struct es_simulate *sim, unsigned class);
/** es_simulate_machine_most - the processors of the largest class */
uint32_t es_simulate_machine_most(const struct es_simulate *sim);
/** es_simulate_machine_has_nodes - whether nodes are counted */
bool es_simulate_machine_has_nodes(const struct es_simulate *sim);
/** es_simulate_machine_members - what nodes did, into an open object; nothing where there are none */
void es_simulate_machine_members(const struct es_simulate *sim, struct es_json *json);
/** es_simulate_machine_put_rows - the same for people */
void es_simulate_machine_put_rows(const struct es_simulate *sim, struct es_buf *out);

#endif
