/*
 * msr.c - what a sweep over energy registers costs, beside a bare loop of the same calls
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Promise (design section 8): a sweep costs at most 1.15 times a bare loop of the same calls. The registers are those of
 * eight packages (package, dram, psys) in files of a tree; msr-safe's batch is a function here that fills in values, so
 * that what is seen is our own bookkeeping. Both loops run hot: this is the strictest way to compare them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "source/source.h"
#include "support/figures.h"
#include "support/scratch.h"
#include "sys/msr.h"

#define MODEL "spr8s-msr"
#define RATIO_MAX 1.15
#define METERS_MAX 64
#define ROUNDS 15
#define SWEEPS 4000

struct bench {
	struct es_scratch scratch;
	struct es_tree tree;
	struct es_root root;
	struct es_source *source;
	struct es_reading readings[METERS_MAX];
	/* The bare loop's own. */
	int fds[METERS_MAX];
	off_t offsets[METERS_MAX];
	size_t n;
	struct es_msr_op ops[METERS_MAX];
	uint64_t sum; /* so that no read is left out */
};

static int fake_open(void *arg, const char *path)
{
	struct es_root *tree = arg;
	int fd = es_root_openat(tree, strstr(path, "msr_batch") ? "proc/cpuinfo" : path, O_RDONLY);

	return fd;
}

static int fake_read(void *arg, int fd, uint32_t reg, uint64_t *ret)
{
	(void)arg;
	return pread(fd, ret, sizeof(*ret), (off_t)reg * 8) == (ssize_t)sizeof(*ret) ? 0 : -EIO;
}

static int fake_batch(void *arg, int fd, struct es_msr_batch *batch)
{
	(void)arg;
	(void)fd;
	for (uint32_t i = 0; i < batch->n; i++) {
		batch->ops[i].error = 0;
		batch->ops[i].value = 1000 + i;
	}
	return 0;
}

static int open_all(struct bench *bench, struct es_root *tree, bool is_batch, double *ret_ms)
{
	struct es_error err = { .code = 0 };
	int64_t t0_ns;
	int r = es_root_open(bench->tree.root, -1, &bench->root, &err);

	if (is_batch) {
		bench->root.msr_open = fake_open;
		bench->root.msr_read = fake_read;
		bench->root.msr_batch = fake_batch;
		bench->root.msr_arg = tree;
	}
	t0_ns = es_clock_mono_ns();
	if (r == 0)
		r = es_source_msr.open(&bench->root, &bench->source, &err);
	*ret_ms = (double)(es_clock_mono_ns() - t0_ns) / 1e6;
	if (r < 0)
		(void)fprintf(stderr, "msr: %s\n", err.text);
	return r;
}

/* The registers that were opened, on kept descriptors of the bare loop's own. */
static int open_bare(struct bench *bench)
{
	bench->n = 0;
	for (size_t i = 0; i < bench->tree.n && bench->n < METERS_MAX; i++) {
		const struct es_tree_zone *zone = &bench->tree.zones[i];
		char path[8192];

		if (zone->role == ES_TREE_FOLLOWER)
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", bench->tree.root, zone->path);
		bench->fds[bench->n] = open(path, O_RDONLY | O_CLOEXEC);
		if (bench->fds[bench->n] < 0)
			return -1;
		bench->offsets[bench->n++] = (off_t)zone->offset;
	}
	return bench->n == bench->source->n_domains ? 0 : -1;
}

static void sweep_bare(struct bench *bench)
{
	bench->sum += (uint64_t)es_clock_boot_ns();
	for (size_t i = 0; i < bench->n; i++) {
		uint64_t value = 0;

		(void)!pread(bench->fds[i], &value, sizeof(value), bench->offsets[i]);
		bench->sum += value + (uint64_t)es_clock_boot_ns();
	}
}

static void sweep_bare_batch(struct bench *bench)
{
	struct es_msr_batch batch = { .n = (uint32_t)bench->n, .ops = bench->ops };

	bench->sum += (uint64_t)es_clock_boot_ns();
	(void)fake_batch(NULL, -1, &batch);
	bench->sum += bench->ops[0].value + (uint64_t)es_clock_boot_ns();
}

static void sweep_ours(struct bench *bench)
{
	(void)es_source_msr.read(bench->source, bench->readings, METERS_MAX);
	bench->sum += bench->readings[0].value;
}

static double time_of(struct bench *bench, void (*sweep)(struct bench *), unsigned n)
{
	int64_t t0_ns = es_clock_mono_ns();

	for (unsigned i = 0; i < n; i++)
		sweep(bench);
	return (double)(es_clock_mono_ns() - t0_ns) / n;
}

static void compare(struct bench *bench, bool is_batch, unsigned n_rounds, double open_ms)
{
	void (*bare)(struct bench *) = is_batch ? sweep_bare_batch : sweep_bare;
	struct es_bench_figures ours_ns = { .n = 0 }, bare_ns = { .n = 0 }, ratios = { .n = 0 };

	for (unsigned round = 0; round < n_rounds; round++) {
		double first = time_of(bench, round % 2 ? sweep_ours : bare, SWEEPS),
		       second = time_of(bench, round % 2 ? bare : sweep_ours, SWEEPS);

		es_bench_add(&ours_ns, round % 2 ? first : second);
		es_bench_add(&bare_ns, round % 2 ? second : first);
		es_bench_add(&ratios, ours_ns.values[round] / bare_ns.values[round]);
	}
	(void)printf("%-6s %8zu  %8.0f %8.0f  ", is_batch ? "batch" : "files", bench->n,
		     es_bench_quantile(&ours_ns, 0.5), es_bench_quantile(&bare_ns, 0.5));
	if (is_batch)
		(void)printf("%.0f ns a register of our own",
			     (es_bench_quantile(&ours_ns, 0.5) - es_bench_quantile(&bare_ns, 0.5)) /
				     (double)bench->n);
	else
		(void)printf("%.3f %.2f-%.2f  %s", es_bench_quantile(&ratios, 0.5),
			     es_bench_quantile(&ratios, 0), es_bench_quantile(&ratios, 1),
			     es_bench_verdict(es_bench_quantile(&ratios, 0.5) <= RATIO_MAX));
	(void)printf("; opened in %.1f ms\n", open_ms);
}

static int run_once(struct bench *bench, bool is_batch, unsigned n_rounds)
{
	struct es_root tree = { .fd = -1 };
	double open_ms = 0;
	int r = es_root_open(bench->tree.root, -1, &tree, NULL);

	if (r == 0)
		r = open_all(bench, &tree, is_batch, &open_ms);
	if (r == 0)
		r = open_bare(bench);
	if (r == 0)
		compare(bench, is_batch, n_rounds, open_ms);
	for (size_t i = 0; i < bench->n; i++)
		es_closep(&bench->fds[i]);
	es_source_msr.close(bench->source);
	bench->source = NULL;
	es_root_close(&bench->root);
	es_root_close(&tree);
	return r;
}

int main(int argc, char **argv)
{
	unsigned n_rounds = argc > 1 && strcmp(argv[1], "--quick") == 0 ? 3 : ROUNDS;
	static struct bench bench;
	int r = es_scratch_init(&bench.scratch);

	if (r == 0)
		r = es_tree_create(bench.scratch.path, MODEL, &bench.tree);
	if (r == 0) {
		(void)printf("                  ns a sweep          ours : bare\n"
			     "        registers    ours     bare  median all rounds\n");
		r = run_once(&bench, false, n_rounds);
	}
	if (r == 0)
		r = run_once(&bench, true, n_rounds);
	es_tree_close(&bench.tree);
	es_scratch_finish(&bench.scratch);
	return r == 0 && bench.sum != 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
