/*
 * simulate_places.c - which processors a job has, for pictures: a schedule knows only how many
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/simulate_places.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

struct run {
	uint32_t first, n;
};

/* What a running job has: a list of pieces in the pool. */
struct piece {
	struct run run;
	uint32_t next;
};

struct ending {
	int64_t end_s;
	uint32_t piece; /* the first */
};

struct places {
	struct run *free; /* in order, no two of them touch */
	size_t n_free, cap_free;
	struct piece *pieces;
	size_t n_pieces, cap_pieces;
	uint32_t spare; /* of the pool */
	struct ending *endings; /* a heap, the earliest on top */
	size_t n_endings, cap_endings;
	es_simulate_piece_fn tell;
	void *arg;
};

/* The first free run that ends behind @first. */
static size_t find_free(const struct places *places, uint32_t first)
{
	size_t low = 0, high = places->n_free;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (places->free[mid].first + places->free[mid].n <= first)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int insert_free(struct places *places, size_t at, struct run run)
{
	struct run *free =
		es_simulate_room(places->free, places->n_free, &places->cap_free, sizeof(*free));

	if (!free)
		return -ENOMEM;
	places->free = free;
	memmove(&places->free[at + 1], &places->free[at],
		(places->n_free - at) * sizeof(struct run));
	places->free[at] = run;
	places->n_free++;
	return 0;
}

static void remove_free(struct places *places, size_t at)
{
	places->n_free--;
	memmove(&places->free[at], &places->free[at + 1],
		(places->n_free - at) * sizeof(struct run));
}

static int give_back(struct places *places, struct run run)
{
	size_t at = find_free(places, run.first);
	struct run *next = at < places->n_free ? &places->free[at] : NULL;
	struct run *before = at > 0 ? &places->free[at - 1] : NULL;

	if (before && before->first + before->n == run.first) {
		before->n += run.n;
		if (next && run.first + run.n == next->first) {
			before->n += next->n;
			remove_free(places, at);
		}
		return 0;
	}
	if (next && run.first + run.n == next->first) {
		next->first = run.first;
		next->n += run.n;
		return 0;
	}
	return insert_free(places, at, run);
}

/* Takes @run out of the free run at @at, which holds all of it. */
static int cut_out(struct places *places, size_t at, struct run run)
{
	struct run *from = &places->free[at];
	struct run behind = { .first = run.first + run.n,
			      .n = from->first + from->n - run.first - run.n };

	from->n = run.first - from->first;
	if (from->n == 0 && behind.n == 0) {
		remove_free(places, at);
		return 0;
	}
	if (from->n == 0) {
		*from = behind;
		return 0;
	}
	return behind.n > 0 ? insert_free(places, at + 1, behind) : 0;
}

static int keep_piece(struct places *places, struct run run, uint32_t *head)
{
	uint32_t at = places->spare;

	if (at != NONE) {
		places->spare = places->pieces[at].next;
	} else {
		struct piece *pieces = es_simulate_room(places->pieces, places->n_pieces,
							&places->cap_pieces, sizeof(*pieces));

		if (!pieces || places->n_pieces == NONE)
			return -ENOMEM;
		places->pieces = pieces;
		at = (uint32_t)places->n_pieces++;
	}
	places->pieces[at] = (struct piece){ .run = run, .next = *head };
	*head = at;
	return 0;
}

/* The part of a free run that a job may have. */
static struct run usable(const struct run *free, const struct es_simulate_start *job)
{
	uint32_t first = free->first > job->low ? free->first : job->low;
	uint32_t end = free->first + free->n < job->high ? free->first + free->n : job->high;

	return (struct run){ .first = first, .n = end > first ? end - first : 0 };
}

static int take(struct places *places, const struct es_simulate_start *job, size_t at,
		struct run run, uint32_t *head)
{
	int r = cut_out(places, at, run);

	if (r == 0)
		r = keep_piece(places, run, head);
	if (r == 0)
		places->tell(places->arg, job, run.first, run.n);
	return r;
}

static int place(struct places *places, const struct es_simulate_start *job, uint32_t *head)
{
	uint32_t left = job->procs;
	int r = 0;

	for (size_t i = find_free(places, job->low); i < places->n_free; i++) {
		struct run run = usable(&places->free[i], job);

		if (run.n < left)
			continue;
		run.n = left;
		return take(places, job, i, run, head);
	}
	while (r == 0 && left > 0) {
		size_t i = find_free(places, job->low);
		struct run run;

		if (i == places->n_free)
			return -ERANGE;
		run = usable(&places->free[i], job);
		if (run.n == 0)
			return -ERANGE;
		run.n = run.n < left ? run.n : left;
		left -= run.n;
		r = take(places, job, i, run, head);
	}
	return r;
}

static int push_ending(struct places *places, struct ending ending)
{
	size_t i = places->n_endings;
	struct ending *endings =
		es_simulate_room(places->endings, i, &places->cap_endings, sizeof(*endings));

	if (!endings)
		return -ENOMEM;
	places->endings = endings;
	for (; i > 0 && places->endings[(i - 1) / 2].end_s > ending.end_s; i = (i - 1) / 2)
		places->endings[i] = places->endings[(i - 1) / 2];
	places->endings[i] = ending;
	places->n_endings++;
	return 0;
}

static struct ending pop_ending(struct places *places)
{
	struct ending top = places->endings[0], last = places->endings[--places->n_endings];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < places->n_endings) {
		if (child + 1 < places->n_endings &&
		    places->endings[child + 1].end_s < places->endings[child].end_s)
			child++;
		if (last.end_s <= places->endings[child].end_s)
			break;
		places->endings[i] = places->endings[child];
		i = child;
	}
	places->endings[i] = last;
	return top;
}

static int end_one(struct places *places)
{
	uint32_t at = pop_ending(places).piece;
	int r = 0;

	while (r == 0 && at != NONE) {
		uint32_t next = places->pieces[at].next;

		r = give_back(places, places->pieces[at].run);
		places->pieces[at].next = places->spare;
		places->spare = at;
		at = next;
	}
	return r;
}

static int place_all(struct places *places, const struct es_simulate_course *course)
{
	uint32_t high = 0;
	int r;

	for (size_t i = 0; i < course->n_starts; i++)
		high = course->starts[i].high > high ? course->starts[i].high : high;
	r = insert_free(places, 0, (struct run){ .first = 0, .n = high });
	for (size_t i = 0; r == 0 && i < course->n_starts; i++) {
		const struct es_simulate_start *job = &course->starts[i];
		uint32_t head = NONE;

		while (r == 0 && places->n_endings > 0 && places->endings[0].end_s <= job->start_s)
			r = end_one(places);
		if (r < 0 || job->end_s == job->start_s)
			continue;
		r = place(places, job, &head);
		if (r == 0)
			r = push_ending(places,
					(struct ending){ .end_s = job->end_s, .piece = head });
	}
	return r;
}

int es_simulate_places(const struct es_simulate_course *course, es_simulate_piece_fn piece,
		       void *arg)
{
	struct places places = { .spare = NONE, .tell = piece, .arg = arg };
	int r = place_all(&places, course);

	free(places.free);
	free(places.pieces);
	free(places.endings);
	return r;
}
