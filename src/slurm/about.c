/*
 * about.c - what Slurm tells a plug-in of a job, as the daemon wants to know it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "slurm/about.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"

/* As slurm.h numbers them; here without it, so that this file needs no header of a site. */
#define STEP_PENDING 0xfffffffdU
#define STEP_EXTERN 0xfffffffcU
#define STEP_BATCH 0xfffffffbU
#define STEP_INTERACTIVE 0xfffffffaU

static void get_number(es_slurm_get_fn get, void *arg, const char *name, uint32_t *ret)
{
	char text[32];
	uint64_t value;

	if (get(arg, name, text, sizeof(text)) == 0 && es_parse_u64(text, &value) == 0 &&
	    value <= UINT32_MAX)
		*ret = (uint32_t)value;
}

/* What is too long, or could be read as more than one thing, is not known. */
static void get_text(es_slurm_get_fn get, void *arg, const char *name, char *ret, size_t size)
{
	if (get(arg, name, ret, size) < 0)
		ret[0] = '\0';
	for (const char *c = ret; *c; c++) {
		if ((unsigned char)*c < 0x20 || *c == 0x7f) {
			ret[0] = '\0';
			return;
		}
	}
}

static void get_id(es_slurm_get_fn get, void *arg, const char *name, char *ret, size_t size)
{
	get_text(get, arg, name, ret, size);
	if (ret[0] && es_local_id_problem(ret))
		ret[0] = '\0';
}

void es_slurm_about_job(es_slurm_get_fn get, void *arg, bool is_sure, struct es_local_job *ret)
{
	get_number(get, arg, "SLURM_JOB_NUM_NODES", &ret->n_nodes);
	get_text(get, arg, "SLURM_JOB_NODELIST", ret->nodes, sizeof(ret->nodes));
	if (!ret->nodes[0])
		get_text(get, arg, "SLURM_NODELIST", ret->nodes, sizeof(ret->nodes));
	get_text(get, arg, "SLURM_JOB_NAME", ret->name, sizeof(ret->name));
	get_text(get, arg, "SLURM_CLUSTER_NAME", ret->cluster, sizeof(ret->cluster));
	get_id(get, arg, "SLURM_JOB_ACCOUNT", ret->account, sizeof(ret->account));
	get_id(get, arg, "SLURM_JOB_PARTITION", ret->partition, sizeof(ret->partition));
	if (!is_sure)
		return;
	get_number(get, arg, "SLURM_JOB_RESTART_COUNT", &ret->restarts);
	get_text(get, arg, "SLURM_JOB_GPUS", ret->gpus, sizeof(ret->gpus));
	ret->has_gpus = ret->gpus[0] != '\0';
}

uint32_t es_slurm_cpus_at(const char *list, uint32_t index)
{
	uint64_t at = 0;

	while (*list) {
		unsigned cpus, times = 1;
		int n = 0, n_times = 0;

		if (*list < '0' || *list > '9' || sscanf(list, "%8u%n", &cpus, &n) != 1)
			return 0;
		list += n;
		if (list[0] == '(') {
			if (sscanf(list, "(x%8u)%n", &times, &n_times) != 1 || n_times == 0)
				return 0;
			list += n_times;
		}
		at += times;
		if (index < at)
			return cpus;
		if (*list == ',')
			list++;
		else if (*list)
			return 0;
	}
	return 0;
}

int es_slurm_cgroup_of(const char *text, uint32_t job, char *ret, size_t size)
{
	char part[32];
	int n_part = snprintf(part, sizeof(part), "/job_%" PRIu32, job);

	for (const char *line = text; *line;) {
		const char *end = strchrnul(line, '\n');
		const char *path = memchr(line, '/', (size_t)(end - line));
		const char *found = path ? strstr(path, part) : NULL;

		/* /job_7 is not the beginning of /job_71 */
		while (found && found < end && found[n_part] != '/' && found + n_part != end)
			found = strstr(found + 1, part);
		if (found && found < end) {
			size_t n = (size_t)(found - path) + (size_t)n_part;

			if (n >= size)
				return -ENOENT;
			memcpy(ret, path, n);
			ret[n] = '\0';
			return 0;
		}
		line = *end ? end + 1 : end;
	}
	return -ENOENT;
}

void es_slurm_step_name(uint32_t step, char *ret, size_t size)
{
	static const struct {
		uint32_t step;
		const char *name;
	} names[] = {
		{ STEP_PENDING, "pending" },
		{ STEP_EXTERN, "extern" },
		{ STEP_BATCH, "batch" },
		{ STEP_INTERACTIVE, "interactive" },
	};

	for (size_t i = 0; i < ES_ARRAY_SIZE(names); i++) {
		if (names[i].step == step) {
			(void)snprintf(ret, size, "%s", names[i].name);
			return;
		}
	}
	(void)snprintf(ret, size, "%" PRIu32, step);
}

size_t es_slurm_parts_of(es_slurm_get_fn get, void *arg, uint32_t *ret, size_t max)
{
	uint32_t n = 0;

	get_number(get, arg, "SLURM_HET_SIZE", &n);
	if (n > max)
		return 0;
	for (uint32_t i = 0; i < n; i++) {
		char name[48];

		(void)snprintf(name, sizeof(name), "SLURM_JOB_ID_HET_GROUP_%" PRIu32, i);
		ret[i] = 0;
		get_number(get, arg, name, &ret[i]);
		if (ret[i] == 0)
			return 0;
	}
	return n;
}
