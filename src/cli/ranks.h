/*
 * ranks.h - one of the ranks on a node measures, the others only become their command
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_RANKS_H
#define ES_CLI_RANKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "cli/launch.h"
#include "cli/measure.h"

/*
 * How it works. Two files in a folder that only this user may enter, named by a hash of launcher and launch. The
 * one that gets the lock of the first measures, and keeps it to its end. Each other rank appends to the second who
 * it is (rank, process, when that started) and becomes its command: the process stays the same, so the one that
 * measures knows when all have ended, whatever they leave behind. Ranks may be late: the list outlives the lock, and
 * one that is not in it yet belongs to the launch that was measured, so it starts no second recording.
 */

/** struct es_rank_entry - a rank as the list holds it */
struct es_rank_entry {
	int64_t rank;
	int64_t pid;
	uint64_t start_ticks;
	uint64_t pid_namespace;
	uint64_t measures; /* enum es_rank_state of the one that measures; 0: of the others */
};

enum es_rank_state {
	ES_RANK_STARTS = 1,
	ES_RANK_HAS_STARTED, /* its first readings are taken: commands that start now are measured from their start */
};

enum es_rank_role {
	ES_RANK_MEASURES,
	ES_RANK_ONLY_RUNS,
};

/** struct es_ranks - our part in it; init with es_ranks_join(), free with es_ranks_leave() */
struct es_ranks {
	enum es_rank_role role;
	struct es_error
		problem; /* code 0: none; else why the ranks could not be told apart by a lock: the first of the node measures */
	char folder[64]; /* where the files are */
	uint64_t hash, pid_namespace;
	int folder_fd, lock_fd, list_fd;
	int64_t rank, local_ranks, patience_ns;
	/* While waiting for the others. */
	struct es_rank_entry *entries; /* owned */
	size_t n_entries, n_ended, n_other_ranks;
	int64_t since_ns; /* monotonic: the last news of a rank */
	size_t n_named; /* entries that were named to who follows them */
	bool is_waiting;
	struct es_measure_hook hook;
	struct es_measure_wait wait;
};

#define ES_RANKS_MAX 65536U

/**
 * es_ranks_join - find out whether we are the one that measures
 * @folders: where the private folder may lie, tried in turn; NULL-terminated. es_ranks_folders() gives the usual.
 * One that only runs waits for the first readings of the one that measures: some milliseconds, at most two seconds
 * and @patience_ns, which is what the one that measures takes for other things first.
 */
void es_ranks_join(const struct es_launch *launch, const char *const *folders, int64_t patience_ns,
		   struct es_ranks *ret);
const char *const *es_ranks_folders(void);

/**
 * es_ranks_tell_socket - where the one that measures hears tags, told before the others become their commands
 * es_ranks_find_socket - for one that only runs: 0, or -ENOENT: nobody hears tags; @ret has @size bytes
 */
void es_ranks_tell_socket(const struct es_ranks *ranks, const char *path);
int es_ranks_find_socket(const struct es_ranks *ranks, char *ret, size_t size);

/** es_ranks_leave - give up the lock; the next launch begins anew */
void es_ranks_leave(struct es_ranks *ranks);

/** es_ranks_wait - what a measurement needs to go on until the other ranks of the node have ended: ranks->hook and ranks->wait */
void es_ranks_wait(struct es_ranks *ranks);

#endif
