/*
 * process.h - programs that a benchmark starts, and what they cost
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_BENCH_SUPPORT_PROCESS_H
#define ES_BENCH_SUPPORT_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define ES_BENCH_BURNERS_MAX 256

/** struct es_bench_use - what a process has used up to now */
struct es_bench_use {
	int64_t t_ns; /* when it was asked */
	int64_t cpu_ns; /* of the process alone: neither its children nor the program it waits for */
	uint64_t n_wakes; /* times it went to sleep by itself */
};

#define ES_BENCH_ANY_CPU (-1)

/**
 * es_bench_spawn - start argv[0]
 * @out_fd: where its stdout and stderr go, -1: nowhere
 * @cpu: where it runs, or ES_BENCH_ANY_CPU
 * Returns its process id or negative errno.
 */
pid_t es_bench_spawn(char *const *argv, int out_fd, int cpu);
/** es_bench_last_cpu - the last of those that we may run on */
int es_bench_last_cpu(void);
/** es_bench_use - what a running process has used; 0 or negative errno */
int es_bench_use(pid_t pid, struct es_bench_use *ret);
/** es_bench_wait - wait for its end; @ret_rss_kb (may be NULL) its largest resident set; exit status, or -1 for a signal */
int es_bench_wait(pid_t pid, int64_t *ret_rss_kb);

/** struct es_bench_burners - one process for each CPU that never rests */
struct es_bench_burners {
	pid_t pids[ES_BENCH_BURNERS_MAX];
	unsigned n;
};

void es_bench_burn(struct es_bench_burners *burners);
void es_bench_quench(struct es_bench_burners *burners);

/** es_bench_sleep - until this time of the monotonic clock */
void es_bench_sleep(int64_t until_mono_ns);

#endif
