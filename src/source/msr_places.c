/*
 * source/msr_places.c - the parts of a machine whose registers any of several CPUs can read
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/msr_places.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hot.h"

#define RETRY_NS ES_NS_PER_S
#define NO_DEVICE_MAX 4 /* CPUs of a place that are asked for a device that the first one lacks */
#define LOOKED_AT_MAX 64

enum depth {
	DEPTH_PACKAGE,
	DEPTH_DIE,
	DEPTH_CORE,
};

static bool is_together(const struct es_cpu *a, const struct es_cpu *b, enum depth depth)
{
	return a->package == b->package && (depth < DEPTH_DIE || a->die == b->die) &&
	       (depth < DEPTH_CORE || a->core == b->core);
}

/* CPUs are in the order of their places: each place is a run of them. Returns how many begin at @first. */
static size_t run_length(const struct es_cpus *cpus, size_t first, enum depth depth)
{
	size_t n = 1;

	while (first + n < cpus->n && is_together(&cpus->cpu[first], &cpus->cpu[first + n], depth))
		n++;
	return n;
}

static bool has_several_dies(const struct es_cpus *cpus, size_t first)
{
	return run_length(cpus, first, DEPTH_PACKAGE) > run_length(cpus, first, DEPTH_DIE);
}

static void add_places(struct es_msr_places *places, enum depth depth, bool has_dies)
{
	const struct es_cpus *cpus = &places->cpus;
	bool is_divided = false;
	size_t n;

	for (size_t i = 0; i < cpus->n; i += n) {
		const struct es_cpu *cpu = &cpus->cpu[i];
		enum depth here = depth;

		if (i == 0 || cpu->package != cpus->cpu[i - 1].package)
			is_divided = has_dies && has_several_dies(cpus, i);
		if (depth == DEPTH_PACKAGE && is_divided)
			here = DEPTH_DIE;
		n = run_length(cpus, i, here);
		places->place[places->n++] = (struct es_msr_place){
			.package = cpu->package,
			.die = here == DEPTH_DIE ? cpu->die : -1,
			.core = here == DEPTH_CORE ? cpu->core : -1,
			.cpus = cpu,
			.n_cpus = n,
			.msr.fd = -1,
			.is_kept = here != DEPTH_CORE,
		};
	}
}

static bool has_device(const struct es_root *root, uint32_t cpu)
{
	for (unsigned i = 0; i < ES_N_MSR_DEVICES; i++)
		if (es_msr_exists(root, (enum es_msr_device)i, cpu))
			return true;
	return false;
}

bool es_msr_places_exist(const struct es_root *root)
{
	int r;
	es_cleanup(es_closedirp) DIR *dir = NULL;

	if (has_device(root, 0))
		return true;
	dir = es_root_opendir(root, "dev/cpu", &r);
	for (unsigned n = 0; dir && n < LOOKED_AT_MAX; n++) {
		const struct dirent *entry = readdir(dir);
		unsigned long cpu;
		char *end;

		if (!entry)
			break;
		cpu = strtoul(entry->d_name, &end, 10);
		if (end != entry->d_name && *end == '\0' && cpu < ES_CPUS_MAX &&
		    has_device(root, (uint32_t)cpu))
			return true;
	}
	return false;
}

int es_msr_places_find(const struct es_root *root, const struct es_msr_processor *processor,
		       struct es_msr_places *ret)
{
	struct es_msr_places places = { .n = 0 };
	bool has_cores = false;
	int r;

	for (size_t i = 0; i < processor->n_registers; i++)
		has_cores = has_cores || processor->registers[i].is_per_core;
	r = es_cpus_read(root, has_cores, &places.cpus);
	if (r < 0)
		return r;
	/* No more packages and no more cores than CPUs. */
	places.place = calloc(places.cpus.n * 2, sizeof(*places.place));
	if (!places.place) {
		es_cpus_finish(&places.cpus);
		return -ENOMEM;
	}
	add_places(&places, DEPTH_PACKAGE, processor->has_dies);
	if (has_cores)
		add_places(&places, DEPTH_CORE, false);
	*ret = places;
	return 0;
}

void es_msr_places_finish(struct es_msr_places *places)
{
	for (size_t i = 0; i < places->n; i++)
		es_msr_close(&places->place[i].msr);
	free(places->place);
	es_cpus_finish(&places->cpus);
	places->place = NULL;
	places->n = 0;
}

static struct es_msr_failure try_device(const struct es_root *root, struct es_msr_place *place,
					enum es_msr_device device, uint32_t unit_reg,
					uint32_t energy_reg)
{
	struct es_msr_failure failure = { .device = device };
	uint64_t energy;

	failure.error = es_msr_open(root, device, es_msr_place_cpu(place), &place->msr);
	if (failure.error < 0) {
		place->msr.fd = -1;
		return failure;
	}
	failure.reg = unit_reg;
	failure.error = es_msr_read(root, &place->msr, unit_reg, &place->unit_value);
	if (failure.error == 0) {
		failure.reg = energy_reg;
		failure.error = es_msr_read(root, &place->msr, energy_reg, &energy);
	}
	if (failure.error < 0)
		es_msr_close(&place->msr);
	return failure;
}

/* What a device that is there says matters more than that another one is not. */
static bool says_more(int error, int than)
{
	return than == -ENOENT || (than == -ENXIO && error != -ENOENT);
}

void es_msr_place_try(const struct es_root *root, struct es_msr_place *place, uint32_t unit_reg,
		      uint32_t energy_reg, struct es_msr_failure *ret_failure)
{
	struct es_msr_failure worst = { .error = -ENOENT, .device = ES_MSR_KERNEL };

	for (place->at = 0; place->at < place->n_cpus; place->at++) {
		for (unsigned i = 0; i < ES_N_MSR_DEVICES; i++) {
			struct es_msr_failure failure = try_device(
				root, place, (enum es_msr_device)i, unit_reg, energy_reg);

			if (failure.error == 0) {
				place->device = failure.device;
				place->can_read = true;
				*ret_failure = failure;
				return;
			}
			if (says_more(failure.error, worst.error))
				worst = failure;
		}
		/* Another CPU helps only where this one went offline, or has no device. */
		if (worst.error != -ENXIO && (worst.error != -ENOENT || place->at >= NO_DEVICE_MAX))
			break;
	}
	place->at = 0;
	*ret_failure = worst;
}

static bool is_gone(int error)
{
	return error == -ENXIO || error == -ENODEV || error == -ENOENT;
}

void es_msr_place_leave(struct es_msr_place *place)
{
	es_msr_close(&place->msr);
	place->at = (place->at + 1) % place->n_cpus;
}

es_hot static int read_here(const struct es_root *root, struct es_msr_place *place, uint32_t reg,
			    uint64_t *ret)
{
	int r;

	if (place->msr.fd < 0) {
		r = es_msr_open(root, place->device, es_msr_place_cpu(place), &place->msr);
		if (r < 0) {
			place->msr.fd = -1;
			return r;
		}
	}
	r = es_msr_read(root, &place->msr, reg, ret);
	if (!place->is_kept)
		es_msr_close(&place->msr);
	return r;
}

es_hot int es_msr_place_read(const struct es_root *root, struct es_msr_place *place, uint32_t reg,
			     int64_t now_ns, uint64_t *ret)
{
	int r;

	if (place->error && now_ns < place->retry_ns)
		return place->error;
	r = read_here(root, place, reg, ret);
	for (size_t i = 1; is_gone(r) && i < place->n_cpus; i++) {
		es_msr_place_leave(place);
		r = read_here(root, place, reg, ret);
	}
	place->error = 0;
	if (is_gone(r)) {
		es_msr_place_leave(place);
		place->error = r;
		place->retry_ns = now_ns + RETRY_NS;
	}
	return r;
}
