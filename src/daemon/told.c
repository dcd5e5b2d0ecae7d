/*
 * daemon/told.c - what is told of running jobs, no faster than who asks may see
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "daemon/told.h"

#include <errno.h>
#include <stdlib.h>

struct es_told_job {
	uint64_t serial;
	int64_t dur_ns;
	uint64_t energy_uj, uncertainty_uj;
	uint32_t covered_ppm, n_parts;
	bool has_energy;
	struct {
		uint64_t dynamic_uj, idle_uj;
	} parts[ES_LOCAL_PARTS_MAX];
};

void es_told_forget(struct es_told *told)
{
	told->n = 0;
}

int es_told_keep(struct es_told *told, uint64_t serial, const struct es_local_job_is *is)
{
	struct es_told_job *job;

	if (told->n == told->room) {
		size_t room = told->room ? 2 * told->room : 4;

		job = reallocarray(told->jobs, room, sizeof(*job));
		if (!job)
			return -ENOMEM;
		told->jobs = job;
		told->room = room;
	}
	job = &told->jobs[told->n++];
	*job = (struct es_told_job){
		.serial = serial,
		.dur_ns = is->dur_ns,
		.energy_uj = is->energy_uj,
		.uncertainty_uj = is->uncertainty_uj,
		.covered_ppm = is->covered_ppm,
		.n_parts = is->n_parts,
		.has_energy = is->has_energy,
	};
	for (uint32_t i = 0; i < is->n_parts; i++) {
		job->parts[i].dynamic_uj = is->parts[i].dynamic_uj;
		job->parts[i].idle_uj = is->parts[i].idle_uj;
	}
	return 0;
}

void es_told_limit(const struct es_told *told, uint64_t serial, struct es_local_job_is *is)
{
	static const struct es_told_job unknown;
	const struct es_told_job *job = &unknown;

	for (size_t i = 0; i < told->n; i++)
		if (told->jobs[i].serial == serial)
			job = &told->jobs[i];
	if (job != &unknown)
		is->dur_ns = job->dur_ns;
	is->has_energy = job->has_energy;
	is->energy_uj = job->energy_uj;
	is->uncertainty_uj = job->uncertainty_uj;
	is->covered_ppm = job->covered_ppm;
	/* Parts keep their order while the meters are the same. */
	if (is->n_parts > job->n_parts)
		is->n_parts = job->n_parts;
	for (uint32_t i = 0; i < is->n_parts; i++) {
		is->parts[i].dynamic_uj = job->parts[i].dynamic_uj;
		is->parts[i].idle_uj = job->parts[i].idle_uj;
	}
}

void es_told_finish(struct es_told *told)
{
	free(told->jobs);
	*told = (struct es_told){ .jobs = NULL };
}
