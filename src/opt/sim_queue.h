/*
 * sim_queue.h - jobs that wait, in their order, and the next of them that fits
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_OPT_SIM_QUEUE_H
#define ES_OPT_SIM_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ES_SIM_NOWHERE SIZE_MAX

/** struct es_sim_waiting - what a scheduler looks at */
struct es_sim_waiting {
	int64_t estimate_s, extra_mw;
	uint32_t procs, slot;
};

/** struct es_sim_room - what there is for a job that may not delay the first one */
struct es_sim_room {
	int64_t window_s; /* until the first one starts */
	int64_t free_mw, spare_mw; /* spare: also free when the first one runs */
	uint32_t free, spare; /* processors */
};

struct es_sim_block;

/** struct es_sim_queue - zero-initialise, es_sim_queue_finish() it */
struct es_sim_queue {
	struct es_sim_block *blocks; /* [cap] owned */
	size_t cap;
	size_t head, end; /* places */
	size_t n; /* waiting */
};

int es_sim_queue_push(struct es_sim_queue *queue, const struct es_sim_waiting *waiting);
/** es_sim_queue_at - who waits at a place that es_sim_queue_find() or @head gave */
struct es_sim_waiting es_sim_queue_at(const struct es_sim_queue *queue, size_t place);
/** es_sim_queue_take - out of the queue; other places stay as they are */
void es_sim_queue_take(struct es_sim_queue *queue, size_t place);
/** es_sim_queue_find - the first from @place on that fits; ES_SIM_NOWHERE: none; @is_plain: look at each */
size_t es_sim_queue_find(const struct es_sim_queue *queue, size_t place,
			 const struct es_sim_room *room, bool is_plain);
/** es_sim_queue_tidy - give back room of those that left; places change */
void es_sim_queue_tidy(struct es_sim_queue *queue);
void es_sim_queue_finish(struct es_sim_queue *queue);

#endif
