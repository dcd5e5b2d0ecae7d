/*
 * fake_msr.h - registers and devices that a test makes, in the place of a machine's
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TESTS_SUPPORT_FAKE_MSR_H
#define ES_TESTS_SUPPORT_FAKE_MSR_H

#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "source/source.h"
#include "support/tree.h"
#include "sys/msr.h"

#define CELLS_MAX 64
#define FDS_MAX 1024
#define READINGS_MAX 128
#define CPUS_MAX 128
#define BATCH_FD_CPU 9999

/** struct cell - one register of one package, or of one CPU */
struct cell {
	int package, cpu; /* -1: any */
	uint32_t reg;
	uint64_t value;
	int error;
	bool is_unlisted; /* not in msr-safe's allow-list */
};

struct fixture {
	char dir[64];
	struct es_tree tree;
	struct es_root root;
	struct es_source *source;
	struct es_reading readings[READINGS_MAX];
	struct cell cells[CELLS_MAX];
	size_t n_cells;
	unsigned n_cores; /* of a package: CPUs count through packages, then threads */
	unsigned n_packages;
	bool is_offline[CPUS_MAX];
	int safe_error, kernel_error; /* of opening; 0: it opens */
	bool has_batch;
	int cpu_of[FDS_MAX]; /* [descriptor] */
	bool is_safe[FDS_MAX];
	unsigned n_opens, n_reads, n_batches, n_ops;
	int vanishing_cpu; /* goes offline between msr-safe's check and its reading; -1: none */
};

static inline int package_of(const struct fixture *f, int cpu)
{
	return cpu / (int)f->n_cores % (int)f->n_packages;
}

static inline struct cell *cell_at(struct fixture *f, int cpu, uint32_t reg)
{
	struct cell *found = NULL;

	for (size_t i = 0; i < f->n_cells; i++)
		if (f->cells[i].reg == reg && (f->cells[i].cpu < 0 || f->cells[i].cpu == cpu) &&
		    (f->cells[i].package < 0 || f->cells[i].package == package_of(f, cpu)))
			found = &f->cells[i];
	return found;
}

static inline int fake_open(void *arg, const char *path)
{
	struct fixture *f = arg;
	bool is_safe = strstr(path, "msr_safe") != NULL;
	unsigned cpu = BATCH_FD_CPU;
	int error, fd;

	f->n_opens++;
	if (strcmp(path, "dev/cpu/msr_batch") == 0) {
		if (!f->has_batch)
			return -ENOENT;
	} else {
		assert_int_equal(sscanf(path, "dev/cpu/%u/msr", &cpu), 1);
		assert_true(cpu < CPUS_MAX);
		error = is_safe ? f->safe_error : f->kernel_error;
		if (error)
			return error;
		if (f->is_offline[cpu])
			return -ENXIO;
	}
	fd = dup(0);
	assert_true(fd >= 0 && fd < FDS_MAX);
	f->cpu_of[fd] = (int)cpu;
	f->is_safe[fd] = is_safe;
	return fd;
}

static inline int read_cell(struct fixture *f, int cpu, uint32_t reg, bool is_safe, uint64_t *ret)
{
	const struct cell *cell = cell_at(f, cpu, reg);

	if (f->is_offline[cpu])
		return -ENXIO;
	if (is_safe && cell && cell->is_unlisted)
		return -EACCES;
	if (!cell)
		return -EIO;
	if (cell->error == 0)
		*ret = cell->value;
	return cell->error;
}

static inline int fake_read(void *arg, int fd, uint32_t reg, uint64_t *ret)
{
	struct fixture *f = arg;

	f->n_reads++;
	return read_cell(f, f->cpu_of[fd], reg, f->is_safe[fd], ret);
}

/* As msr-safe: one bad CPU or register refuses all before any is read. */
static inline int fake_batch(void *arg, int fd, struct es_msr_batch *batch)
{
	struct fixture *f = arg;
	int r = 0;

	f->n_batches++;
	f->n_ops = batch->n;
	assert_int_equal(f->cpu_of[fd], BATCH_FD_CPU);
	for (uint32_t i = 0; i < batch->n; i++) {
		const struct cell *cell = cell_at(f, batch->ops[i].cpu, batch->ops[i].reg);

		if (f->is_offline[batch->ops[i].cpu])
			batch->ops[i].error = r = -ENXIO;
		else if (cell && cell->is_unlisted)
			batch->ops[i].error = r = -EACCES;
	}
	for (uint32_t i = 0; i < batch->n && r == 0; i++) {
		struct es_msr_op *op = &batch->ops[i];

		if (op->cpu != f->vanishing_cpu)
			op->error = read_cell(f, op->cpu, op->reg, true, &op->value);
	}
	for (uint32_t i = 0; i < batch->n && r == 0; i++)
		r = batch->ops[i].error;
	return r;
}

static inline int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(es_tree_temp(f->dir), 0);
	f->root.fd = -1;
	f->safe_error = -ENOENT;
	f->vanishing_cpu = -1;
	*state = f;
	return 0;
}

static inline int tear_down(void **state)
{
	struct fixture *f = *state;

	es_source_msr.close(f->source);
	es_tree_close(&f->tree);
	es_root_close(&f->root);
	es_tree_remove(f->dir);
	free(f);
	return 0;
}

static inline void make(struct fixture *f, const char *model, unsigned n_packages, unsigned n_cores)
{
	es_tree_close(&f->tree);
	assert_int_equal(es_tree_create(f->dir, model, &f->tree), 0);
	f->n_packages = n_packages;
	f->n_cores = n_cores;
}

static inline int open_as(struct fixture *f, int64_t uid, struct es_error *err)
{
	es_source_msr.close(f->source);
	f->source = NULL;
	es_root_close(&f->root);
	assert_int_equal(es_root_open(f->dir, uid, &f->root, NULL), 0);
	f->root.msr_open = fake_open;
	f->root.msr_read = fake_read;
	f->root.msr_batch = fake_batch;
	f->root.msr_arg = f;
	return es_source_msr.open(&f->root, &f->source, err);
}

static inline struct cell *put(struct fixture *f, int package, uint32_t reg, uint64_t value)
{
	assert_true(f->n_cells < CELLS_MAX);
	f->cells[f->n_cells] =
		(struct cell){ .package = package, .cpu = -1, .reg = reg, .value = value };
	return &f->cells[f->n_cells++];
}

/* Two packages of Skylake-SP that count. */
static inline void make_skylake(struct fixture *f)
{
	make(f, "skx2s", 2, 18);
	put(f, -1, 0x606, 0xa0e03);
	put(f, -1, 0x610, 140 * 8 | 1U << 15);
	put(f, -1, 0x614, 165 * 8 | UINT64_C(1000) * 8 << 32);
	put(f, 0, 0x611, 16384 * 100);
	put(f, 1, 0x611, 16384 * 200);
	put(f, 0, 0x619, 1000000);
	put(f, 1, 0x619, 2000000);
}

/* Milan's small sibling: two packages of eight cores. */
static inline void make_milan(struct fixture *f, unsigned model)
{
	char cpuinfo[128];

	make(f, "amd-milan-msr", 2, 8);
	(void)snprintf(cpuinfo, sizeof(cpuinfo),
		       "vendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: %u\n", model);
	assert_int_equal(es_tree_write(f->dir, "proc/cpuinfo", cpuinfo, 0444), 0);
	put(f, -1, 0xc0010299, 0xa1003);
	put(f, 0, 0xc001029b, 65536 * 10);
	put(f, 1, 0xc001029b, 65536 * 20);
	put(f, -1, 0xc001029a, 65536);
}

static inline struct es_domain *domain(const struct fixture *f, const char *id)
{
	for (size_t i = 0; i < f->source->n_domains; i++)
		if (strcmp(f->source->domains[i].id, id) == 0)
			return &f->source->domains[i];
	fail_msg("no domain '%s'", id);
	return NULL;
}

static inline bool has_domain(const struct fixture *f, const char *id)
{
	for (size_t i = 0; i < f->source->n_domains; i++)
		if (strcmp(f->source->domains[i].id, id) == 0)
			return true;
	return false;
}

static inline struct es_reading *reading(struct fixture *f, const char *id)
{
	return &f->readings[domain(f, id) - f->source->domains];
}

static inline void read_all(struct fixture *f)
{
	f->n_reads = f->n_opens = f->n_batches = 0;
	assert_int_equal(es_source_msr.read(f->source, f->readings, READINGS_MAX), 0);
}

#endif
