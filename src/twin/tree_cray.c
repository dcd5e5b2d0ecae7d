/*
 * tree_cray.c - the pm_counters of a simulated Cray node
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * The blade's controller writes all files together, ten times a second, and counts that in freshness. Made after Cray's documents
 * (docs-csm: "User Access to Compute Node Power Data").
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "twin/host.h"
#include "twin/sysfs.h"

#define DIRECTORY "sys/cray/pm_counters"
#define SCAN_HZ 10
#define SCAN_NS (ES_NS_PER_S / SCAN_HZ)
#define FJ_PER_J UINT64_C(1000000000000000)
#define UW_PER_W UINT64_C(1000000)
#define PACKAGES_MAX 8U
#define CLOCK_SLACK_NS ES_NS_PER_MS

/** struct part - one energy and one power: all packages of the node are one; the tree's */
struct part {
	struct cray *cray;
	struct es_twin_meter *meter; /* of the first of them; its faults are those of all */
	struct es_twin_meter more[PACKAGES_MAX - 1]; /* of the others */
	size_t n_more;
	es_u128 zero_fj; /* as the meter had it: another one means that it was reset */
};

#define PARTS_MAX (3 + 16)

/** struct cray - the controller; the tree's */
struct cray {
	struct part parts[PARTS_MAX];
	size_t n_parts;
	int64_t start_ns; /* when it began, boot clock */
	int64_t wall_ns; /* how far the wall clock is ahead of the boot clock */
	uint64_t caps_w[PARTS_MAX]; /* as they were seen last */
	uint64_t generation;
};

static int64_t wall_ns(struct cray *cray, const struct es_twin_host *host, int64_t t_ns)
{
	int64_t ahead_ns = es_clock_unix_ns() - es_clock_boot_ns();

	/* The two are not read at once: what shows the same time must show it alike. */
	if (ahead_ns - cray->wall_ns > CLOCK_SLACK_NS || cray->wall_ns - ahead_ns > CLOCK_SLACK_NS)
		cray->wall_ns = ahead_ns;
	return t_ns + cray->wall_ns + host->wall_step_ns;
}

/* A controller that began anew counts everything anew. */
static void follow_resets(struct cray *cray, const struct es_twin_host *host, int64_t t_ns)
{
	struct part *node = &cray->parts[0];

	if (node->meter->zero_fj != node->zero_fj) {
		cray->start_ns = t_ns;
		for (size_t i = 1; i < cray->n_parts; i++)
			es_twin_meter_fault(cray->parts[i].meter, host->node, ES_TWIN_FAULT_RESET,
					    true, t_ns);
	}
	for (size_t i = 0; i < cray->n_parts; i++) {
		struct part *part = &cray->parts[i];

		if (part->meter->zero_fj == part->zero_fj)
			continue;
		part->zero_fj = part->meter->zero_fj;
		for (size_t j = 0; j < part->n_more; j++)
			es_twin_meter_fault(&part->more[j], host->node, ES_TWIN_FAULT_RESET, true,
					    t_ns);
	}
}

static uint64_t cap_w(const struct es_twin_host *host, size_t i)
{
	struct es_twin_gpu_state state;
	struct es_twin_limit limit;

	if (i == 0)
		return es_twin_limit(host->node, ES_TWIN_BOARD, 0, 0, &limit) == 0 &&
				       limit.is_enabled
			       ? limit.power_uw / UW_PER_W
			       : 0;
	es_twin_gpu_state(host->node, (unsigned)(i - 3), &state);
	return state.limit_mw / 1000;
}

static void follow_caps(struct cray *cray, const struct es_twin_host *host)
{
	bool has_changed = false;

	for (size_t i = 0; i < cray->n_parts; i++) {
		uint64_t w = i == 1 || i == 2 ? 0 : cap_w(host, i);

		has_changed |= w != cray->caps_w[i];
		cray->caps_w[i] = w;
	}
	cray->generation += has_changed;
}

/* "N UNIT TIME us" */
static int put_value(const struct es_twin_file *file, struct part *part, int64_t t_ns,
		     uint64_t value, char unit, struct es_buf *out)
{
	int64_t at_ns = es_twin_meter_time_ns(part->meter, t_ns);

	return es_buf_printf(out, "%llu %c %lld us\n", (unsigned long long)value, unit,
			     (long long)(wall_ns(part->cray, file->host, at_ns) / 1000));
}

/* The tree's memory is not constant; only what is handed around is. */
static struct part *part_of(const struct es_twin_file *file)
{
	return (struct part *)(uintptr_t)file->data;
}

/* The others are stuck where the first is. */
static void take_faults(struct part *part, const struct es_twin_node *node)
{
	const struct es_twin_meter *first = part->meter;

	for (size_t i = 0; i < part->n_more; i++) {
		struct es_twin_meter *more = &part->more[i];

		if (more->is_stuck != first->is_stuck ||
		    (first->is_stuck && more->stuck_ns != first->stuck_ns))
			es_twin_meter_fault(more, node, ES_TWIN_FAULT_STUCK, first->is_stuck,
					    first->stuck_ns);
	}
}

static int show_energy(const struct es_twin_file *file, void *handle, int64_t t_ns,
		       struct es_buf *out)
{
	struct part *part = part_of(file);
	uint64_t sum_j, j;
	int r;

	(void)handle;
	follow_resets(part->cray, file->host, t_ns);
	take_faults(part, file->host->node);
	r = es_twin_meter_raw(part->meter, file->host->node, t_ns, &sum_j);
	for (size_t i = 0; i < part->n_more && r == 0; i++) {
		r = es_twin_meter_raw(&part->more[i], file->host->node, t_ns, &j);
		sum_j += r == 0 ? j : 0;
	}
	return r < 0 ? r : put_value(file, part, t_ns, sum_j, 'J', out);
}

static int show_power(const struct es_twin_file *file, void *handle, int64_t t_ns,
		      struct es_buf *out)
{
	struct part *part = part_of(file);
	uint64_t sum_uw, uw;
	int r;

	(void)handle;
	follow_resets(part->cray, file->host, t_ns);
	take_faults(part, file->host->node);
	r = es_twin_meter_power_uw(part->meter, file->host->node, t_ns, &sum_uw);
	for (size_t i = 0; i < part->n_more && r == 0; i++) {
		r = es_twin_meter_power_uw(&part->more[i], file->host->node, t_ns, &uw);
		sum_uw += r == 0 ? uw : 0;
	}
	return r < 0 ? r
		     : put_value(file, part, t_ns, (sum_uw + UW_PER_W / 2) / UW_PER_W, 'W', out);
}

static int show_cap(const struct es_twin_file *file, void *handle, int64_t t_ns, struct es_buf *out)
{
	struct part *part = part_of(file);

	(void)handle;
	return put_value(file, part, t_ns, cap_w(file->host, (size_t)(part - part->cray->parts)),
			 'W', out);
}

static int show_temperature(const struct es_twin_file *file, void *handle, int64_t t_ns,
			    struct es_buf *out)
{
	int64_t mc = es_twin_temperature_mc(file->host->node, ES_TWIN_PACKAGE, file->a);

	(void)handle;
	return put_value(file, part_of(file), t_ns, mc > 0 ? (uint64_t)mc / 1000 : 0, 'C', out);
}

enum mark {
	FRESHNESS,
	STARTUP,
	GENERATION,
};

static int show_mark(const struct es_twin_file *file, void *handle, int64_t t_ns,
		     struct es_buf *out)
{
	struct part *node = part_of(file);
	struct cray *cray = node->cray;
	int64_t at_ns = es_twin_meter_time_ns(node->meter, t_ns), n = 0;

	(void)handle;
	follow_resets(cray, file->host, t_ns);
	switch ((enum mark)file->a) {
	case FRESHNESS:
		/* Counted on the grid that all are written on. */
		n = at_ns / SCAN_NS;
		break;
	case STARTUP:
		n = wall_ns(cray, file->host, cray->start_ns) / 1000;
		break;
	case GENERATION:
		follow_caps(cray, file->host);
		n = (int64_t)cray->generation;
		break;
	}
	return es_buf_printf(out, "%lld\n", (long long)n);
}

static void fill_meter(const struct es_twin_host *host, enum es_twin_part what, size_t i,
		       struct es_twin_meter *ret)
{
	ret->part = what;
	ret->i = i;
	ret->step_fj_num = FJ_PER_J;
	ret->step_fj_den = 1;
	ret->bits = 64;
	ret->start = 1000 + 7919 * (uint64_t)what;
	ret->update_ns = ret->window_ns = SCAN_NS;
	es_twin_meter_start(ret, host->node, es_twin_now_ns(host->node));
}

/* The files of a part: @n of what it adds up, from @first on. */
static void put_part(struct es_twin_host *host, struct cray *cray, const char *prefix,
		     const char *name, enum es_twin_part what, size_t first, size_t n)
{
	static const struct es_twin_file_ops energy = { .show = show_energy };
	static const struct es_twin_file_ops power = { .show = show_power };
	static const struct es_twin_file_ops cap = { .show = show_cap };
	struct part *part = &cray->parts[cray->n_parts];
	struct es_twin_file file = { .data = part };
	char path[128];

	part->cray = cray;
	part->meter = es_twin_host_meter(host, "cray/%s", name);
	if (!part->meter || n > PACKAGES_MAX) {
		es_twin_tree_fail(host->tree, DIRECTORY, -ENOSPC);
		return;
	}
	file.meter = part->meter;
	fill_meter(host, what, first, part->meter);
	for (size_t i = 1; i < n; i++)
		fill_meter(host, what, first + i, &part->more[part->n_more++]);
	part->zero_fj = part->meter->zero_fj;
	cray->n_parts++;
	(void)snprintf(path, sizeof(path), DIRECTORY "/%senergy", prefix);
	es_twin_tree_file(host->tree, 0444, path, &energy, &file);
	(void)snprintf(path, sizeof(path), DIRECTORY "/%spower", prefix);
	es_twin_tree_file(host->tree, 0444, path, &power, &file);
	if (what != ES_TWIN_NODE && what != ES_TWIN_GPU)
		return;
	(void)snprintf(path, sizeof(path), DIRECTORY "/%spower_cap", prefix);
	es_twin_tree_file(host->tree, 0444, path, &cap, &file);
}

static void put_marks(struct es_twin_host *host, struct cray *cray)
{
	static const struct es_twin_file_ops mark = { .show = show_mark };
	static const struct es_twin_file_ops temperature = { .show = show_temperature };
	static const char *const names[] = {
		[FRESHNESS] = "freshness", [STARTUP] = "startup", [GENERATION] = "generation"
	};
	struct es_twin_file file = { .data = &cray->parts[0] };
	char name[32];

	for (uint32_t i = 0; i < ES_ARRAY_SIZE(names); i++) {
		file.a = i;
		es_twin_put_file(host->tree, 0444, DIRECTORY, names[i], &mark, &file);
	}
	for (uint32_t i = 0; i < host->kind->n_packages; i++) {
		file.a = i;
		(void)snprintf(name, sizeof(name), "cpu%u_temp", i);
		es_twin_put_file(host->tree, 0444, DIRECTORY, name, &temperature, &file);
	}
	es_twin_put_text(host->tree, 0444, DIRECTORY, "version", "2\n");
	es_twin_put_text(host->tree, 0444, DIRECTORY, "raw_scan_hz", "%d\n", SCAN_HZ);
}

void es_twin_make_cray(struct es_twin_host *host)
{
	const struct es_twin_kind *kind = host->kind;
	struct cray *cray;
	char prefix[32], name[32];

	if (!kind->meters.has_cray)
		return;
	cray = es_twin_tree_keep(host->tree, sizeof(*cray));
	if (!cray)
		return;
	cray->start_ns = es_twin_now_ns(host->node);
	put_part(host, cray, "", "node", ES_TWIN_NODE, 0, 1);
	put_part(host, cray, "cpu_", "package", ES_TWIN_PACKAGE, 0, kind->n_packages);
	put_part(host, cray, "memory_", "dram", ES_TWIN_DRAM, 0, kind->n_packages);
	for (unsigned i = 0; i < kind->n_gpus && cray->n_parts < PARTS_MAX; i++) {
		(void)snprintf(prefix, sizeof(prefix), "accel%u_", i);
		(void)snprintf(name, sizeof(name), "gpu-%u", i);
		put_part(host, cray, prefix, name, ES_TWIN_GPU, i, 1);
	}
	if (cray->n_parts < 3)
		return;
	follow_caps(cray, host);
	cray->generation = 1;
	put_marks(host, cray);
}
