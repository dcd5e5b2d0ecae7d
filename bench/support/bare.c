/*
 * bare.c - the least that a loop of the same system calls and the same timer can cost
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/bare.h"

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "support/tree.h"

#define ROWS_MAX 256 /* of a block, as in the sampler */
#define BLOCK_BYTES_OF_METER 16
#define BLOCK_BYTES_OF_READING 2

struct bare {
	struct es_tree tree;
	int fds[ES_TREE_ZONES_MAX];
	int cpu_fd, out_fd, event_fd;
	int64_t period_ns, next_ns, next_second_ns;
	uint64_t n_deadlines, n_missed;
	unsigned n_rows;
	int64_t stamps; /* so that no read of a clock is left out */
};

static int open_all(struct bare *bare, const char *root, const char *out_path)
{
	char path[8192];

	if (es_tree_open(root, &bare->tree) < 0)
		return -1;
	for (size_t i = 0; i < bare->tree.n; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s/energy_uj", root,
			       bare->tree.zones[i].path);
		bare->fds[i] = open(path, O_RDONLY | O_CLOEXEC);
		if (bare->fds[i] < 0)
			return -1;
	}
	(void)snprintf(path, sizeof(path), "%s/proc/stat", root);
	bare->cpu_fd = open(path, O_RDONLY | O_CLOEXEC);
	bare->out_fd = open(out_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bare->event_fd = eventfd(0, EFD_CLOEXEC);
	return bare->cpu_fd < 0 || bare->out_fd < 0 || bare->event_fd < 0 ? -1 : 0;
}

static int wait_for(const struct bare *bare)
{
	struct pollfd pollfd = { .fd = bare->event_fd, .events = POLLIN };
	int64_t wait_ns = bare->next_ns - es_clock_mono_ns();
	struct timespec wait = { .tv_sec = 0 };

	if (wait_ns > 0)
		wait = (struct timespec){ .tv_sec = wait_ns / ES_NS_PER_S,
					  .tv_nsec = wait_ns % ES_NS_PER_S };
	return ppoll(&pollfd, 1, &wait, NULL);
}

static void write_block(struct bare *bare)
{
	static const char block[ROWS_MAX * ES_TREE_ZONES_MAX * BLOCK_BYTES_OF_READING +
				ES_TREE_ZONES_MAX * BLOCK_BYTES_OF_METER];
	size_t n = bare->tree.n *
		   (BLOCK_BYTES_OF_METER + (size_t)BLOCK_BYTES_OF_READING * bare->n_rows);

	bare->n_rows = 0;
	bare->stamps += es_clock_boot_ns() + es_clock_mono_ns() + es_clock_unix_ns();
	(void)!write(bare->out_fd, block, n);
}

static void sweep(struct bare *bare, int64_t now_ns)
{
	char text[512];
	int64_t missed = (now_ns - bare->next_ns) / bare->period_ns;

	bare->stamps += es_clock_boot_ns();
	for (size_t i = 0; i < bare->tree.n; i++) {
		(void)!pread(bare->fds[i], text, 64, 0);
		bare->stamps += es_clock_boot_ns();
	}
	if (now_ns >= bare->next_second_ns) {
		(void)!pread(bare->cpu_fd, text, 511, 0);
		bare->stamps += es_clock_boot_ns();
	}
	bare->stamps += es_clock_boot_ns();
	bare->n_rows++;
	bare->n_deadlines += (uint64_t)missed + 1;
	bare->n_missed += (uint64_t)missed;
	bare->next_ns += (missed + 1) * bare->period_ns;
	if (now_ns >= bare->next_second_ns || bare->n_rows == ROWS_MAX)
		write_block(bare);
	while (now_ns >= bare->next_second_ns)
		bare->next_second_ns += ES_NS_PER_S;
}

int es_bare_loop(const char *tree, const char *out_path, int64_t period_ns, int64_t dur_ns)
{
	struct bare bare = { .n_rows = 0 };
	int64_t start_ns, now_ns;

	if (open_all(&bare, tree, out_path) < 0)
		return 1;
	(void)prctl(PR_SET_TIMERSLACK, 1UL);
	start_ns = es_clock_mono_ns();
	bare.period_ns = period_ns;
	bare.next_ns = start_ns + period_ns;
	bare.next_second_ns = start_ns + ES_NS_PER_S;
	do {
		if (wait_for(&bare) < 0)
			return 1;
		now_ns = es_clock_mono_ns();
		if (now_ns >= bare.next_ns)
			sweep(&bare, now_ns);
	} while (now_ns - start_ns < dur_ns);
	(void)printf("%" PRIu64 " %" PRIu64 " %" PRId64 "\n", bare.n_deadlines, bare.n_missed,
		     bare.stamps);
	return 0;
}
