/*
 * node_energy.h - the node's energy from its daemon, for programs that must not wait
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SLURM_NODE_ENERGY_H
#define ES_SLURM_NODE_ENERGY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "ipc/page.h"

#define ES_NODE_ENERGY_BUDGET_NS 50000000LL /* no call takes longer, whatever the daemon does */

/** struct es_node_energy - the side that asks; not safe for threads: the caller takes turns */
struct es_node_energy {
	char socket[108];
	int fd; /* the connection, -1: none. The daemon writes our page as long as it is open */
	uint32_t number; /* of the last question */
	struct es_page_view *view;
	struct es_page_value *values; /* room for a copy of it */
	int64_t retry_ns; /* monotonic: not asked again before */
	int64_t wait_ns; /* between tries; grows while they fail */

	bool has_base;
	uint64_t epoch, base_uj; /* of the page, and what it showed last */
	uint64_t energy_uj; /* since the first reading, over all epochs */
	uint64_t power_mw;
	int64_t first_ns, last_ns; /* boot clock: sweeps of the first and the last reading */
	uint32_t n_restarts; /* epochs that began anew: what was used between them is not known */
	char kind[16];
};

/** struct es_node_energy_now - what is known at the moment */
struct es_node_energy_now {
	bool is_known; /* there was a reading, ever */
	bool is_fresh; /* and it is of now: else of t_ns */
	uint64_t energy_uj; /* since the first reading */
	uint64_t power_mw,
		mean_mw; /* over the daemon's last interval, and since the first reading */
	int64_t t_ns; /* boot clock: when the meters were read */
};

/** es_node_energy_init - @socket: path; too long a one is said by the first read. Nothing is opened yet */
void es_node_energy_init(struct es_node_energy *energy, const char *socket);
void es_node_energy_finish(struct es_node_energy *energy);

/**
 * es_node_energy_read - have the meters read and take what they show, within ES_NODE_ENERGY_BUDGET_NS
 * @ret: always written; without a fresh value the last one
 * Returns 0; -ENOENT, -ECONNREFUSED, …: no daemon; -ETIMEDOUT, -ESTALE: it does not answer; -EAGAIN: it did not, and is not asked every time; -EACCES: it shows this user no
 * node; -ENODATA: it has no meter of the node; -EBADMSG: what it shows cannot be. All with a text.
 */
int es_node_energy_read(struct es_node_energy *energy, struct es_node_energy_now *ret,
			struct es_error *err);

#endif
