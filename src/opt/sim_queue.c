/*
 * sim_queue.c - jobs that wait, in their order, and the next of them that fits
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Jobs stand in blocks of 64. Each block knows the fewest processors, the least power, and for each size class the
 * shortest estimate of the jobs up to that class: where those do not fit, none of its jobs does, and it is passed over.
 */
#include "opt/sim_queue.h"

#include <errno.h>
#include <stdlib.h>

#define BLOCK 64U
#define CLASSES \
	64U /* four for each power of two, up to 131,071 processors; larger ones share the last */

struct es_sim_block {
	uint64_t is_there; /* a bit for each */
	int64_t least_mw;
	int64_t shortest_s[CLASSES]; /* of the jobs in this class and those below */
	uint32_t fewest;
	struct es_sim_waiting jobs[BLOCK];
};

static unsigned class_of(uint32_t procs)
{
	unsigned bits, class;

	if (procs < 4)
		return procs;
	bits = 31U - (unsigned)__builtin_clz(procs);
	class = 4 * (bits - 1) + ((procs >> (bits - 2)) & 3U);
	return class < CLASSES ? class : CLASSES - 1;
}

static void clear(struct es_sim_block *block)
{
	block->is_there = 0;
	block->least_mw = INT64_MAX;
	block->fewest = UINT32_MAX;
	for (unsigned i = 0; i < CLASSES; i++)
		block->shortest_s[i] = INT64_MAX;
}

static void count_in(struct es_sim_block *block, const struct es_sim_waiting *job)
{
	if (job->extra_mw < block->least_mw)
		block->least_mw = job->extra_mw;
	if (job->procs < block->fewest)
		block->fewest = job->procs;
	for (unsigned i = class_of(job->procs);
	     i < CLASSES && job->estimate_s < block->shortest_s[i]; i++)
		block->shortest_s[i] = job->estimate_s;
}

static void put(struct es_sim_queue *queue, size_t place, const struct es_sim_waiting *job)
{
	struct es_sim_block *block = &queue->blocks[place / BLOCK];

	if (place % BLOCK == 0)
		clear(block);
	block->jobs[place % BLOCK] = *job;
	block->is_there |= UINT64_C(1) << place % BLOCK;
	count_in(block, job);
}

int es_sim_queue_push(struct es_sim_queue *queue, const struct es_sim_waiting *waiting)
{
	if (queue->end / BLOCK == queue->cap) {
		size_t cap = queue->cap ? queue->cap * 2 : 4;
		struct es_sim_block *blocks = reallocarray(queue->blocks, cap, sizeof(*blocks));

		if (!blocks)
			return -ENOMEM;
		queue->blocks = blocks;
		queue->cap = cap;
	}
	put(queue, queue->end++, waiting);
	queue->n++;
	return 0;
}

struct es_sim_waiting es_sim_queue_at(const struct es_sim_queue *queue, size_t place)
{
	return queue->blocks[place / BLOCK].jobs[place % BLOCK];
}

static size_t next_place(const struct es_sim_queue *queue, size_t place)
{
	while (place < queue->end) {
		uint64_t left = queue->blocks[place / BLOCK].is_there >> place % BLOCK;

		if (left != 0)
			return place + (unsigned)__builtin_ctzll(left);
		place = (place / BLOCK + 1) * BLOCK;
	}
	return queue->end;
}

void es_sim_queue_take(struct es_sim_queue *queue, size_t place)
{
	struct es_sim_block *block = &queue->blocks[place / BLOCK];
	uint64_t left = block->is_there & ~(UINT64_C(1) << place % BLOCK);

	clear(block);
	block->is_there = left;
	for (; left != 0; left &= left - 1)
		count_in(block, &block->jobs[__builtin_ctzll(left)]);
	queue->n--;
	if (place == queue->head)
		queue->head = next_place(queue, place);
}

static bool fits(const struct es_sim_waiting *job, const struct es_sim_room *room)
{
	return job->procs <= room->free && job->extra_mw <= room->free_mw &&
	       (job->estimate_s <= room->window_s ||
		(job->procs <= room->spare && job->extra_mw <= room->spare_mw));
}

/* Whether one of a block's jobs could fit; false: none does. */
static bool may_fit(const struct es_sim_block *block, const struct es_sim_room *room,
		    unsigned class)
{
	if (block->fewest > room->free || block->least_mw > room->free_mw)
		return false;
	return block->shortest_s[class] <= room->window_s ||
	       (block->fewest <= room->spare && block->least_mw <= room->spare_mw);
}

size_t es_sim_queue_find(const struct es_sim_queue *queue, size_t place,
			 const struct es_sim_room *room, bool is_plain)
{
	unsigned class = class_of(room->free);

	while (place < queue->end) {
		const struct es_sim_block *block = &queue->blocks[place / BLOCK];
		size_t first = place / BLOCK * BLOCK;
		uint64_t left = block->is_there & (~UINT64_C(0) << place % BLOCK);

		if (!is_plain && !may_fit(block, room, class))
			left = 0;
		for (; left != 0; left &= left - 1) {
			unsigned i = (unsigned)__builtin_ctzll(left);

			if (fits(&block->jobs[i], room))
				return first + i;
		}
		place = first + BLOCK;
	}
	return ES_SIM_NOWHERE;
}

void es_sim_queue_tidy(struct es_sim_queue *queue)
{
	struct es_sim_waiting *jobs;
	size_t n = 0;

	if (queue->end < 2 * queue->n + 4 * BLOCK)
		return;
	jobs = reallocarray(NULL, queue->n + 1, sizeof(*jobs));
	if (!jobs) /* it only stays longer than it need be */
		return;
	for (size_t at = queue->head; n < queue->n; at = next_place(queue, at + 1))
		jobs[n++] = es_sim_queue_at(queue, at);
	queue->head = 0;
	queue->end = n;
	for (size_t i = 0; i < n; i++)
		put(queue, i, &jobs[i]);
	free(jobs);
}

void es_sim_queue_finish(struct es_sim_queue *queue)
{
	free(queue->blocks);
	*queue = (struct es_sim_queue){ .n = 0 };
}
