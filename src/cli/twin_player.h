/*
 * twin_player.h - a program played on a twin, and exact energies, through its files
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_TWIN_PLAYER_H
#define ES_CLI_TWIN_PLAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "cli/twin_answer.h"
#include "twin/phase.h"

/**
 * struct es_twin_player - one load of a twin; es_twin_player_close() ends it
 *
 * Errors of all its functions: negative errno with words; where the twin has ended meanwhile they say so.
 */
struct es_twin_player {
	int fd; /* -1: none */
	const char *mount; /* borrowed */
	struct es_buf text; /* what it answered last */
};

/** es_twin_player_begin - play @program from now on */
int es_twin_player_begin(const char *mount, const struct es_twin_program *program,
			 struct es_twin_player *ret, struct es_error *err);
void es_twin_player_close(struct es_twin_player *player);
int es_twin_player_ask(struct es_twin_player *player, struct es_twin_play_state *ret,
		       struct es_error *err);
/**
 * es_twin_player_wait - sleep until it may be done, and ask
 * @watch_fd: readable ends the sleep; -1: none
 * @until_ns: boot clock, likewise; however long it takes, it wakes once a second: the pace may change
 */
int es_twin_player_wait(struct es_twin_player *player, int watch_fd, int64_t until_ns,
			struct es_twin_play_state *state, struct es_error *err);
/**
 * es_twin_player_edges - when phases began, from the @from-th of all repeats on; one more than phases: the last one's end
 * @ret: [ES_TWIN_TIMES_MAX]; INT64_MIN: not known any more
 */
int es_twin_player_edges(struct es_twin_player *player, uint64_t from, int64_t *ret, size_t *ret_n,
			 struct es_error *err);

/** struct es_twin_truth - exact energies of a twin's parts, at any time; es_twin_truth_close() it */
struct es_twin_truth {
	int fd;
	const char *mount; /* borrowed */
	size_t n; /* parts */
	char names[ES_TWIN_COLUMNS_MAX][ES_TWIN_COLUMN_BYTES]; /* node, package-0 … */
	struct es_buf text;
};

int es_twin_truth_open(const char *mount, struct es_twin_truth *ret, struct es_error *err);
void es_twin_truth_close(struct es_twin_truth *truth);
/**
 * es_twin_truth_at - energies since the twin was switched on
 * @n: at most ES_TWIN_TIMES_MAX; @ret_uj: [@n][truth->n]
 *
 * Returns 0; -ENODATA: a time lies before what the twin remembers (no words, it is no failure of it).
 */
int es_twin_truth_at(struct es_twin_truth *truth, const int64_t *t_ns, size_t n, uint64_t *ret_uj,
		     struct es_error *err);

#endif
