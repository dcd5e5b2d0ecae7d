/*
 * cluster_apps.c - the programs that jobs of a simulated cluster run
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Made up, in the manner of what runs on clusters: how the shares of processor, memory, GPUs and network change over time is what
 * loads meters and schedulers, not what is computed.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "twin/cluster_private.h"

#define PHASES_OF_APP_MAX 6U

/* Shares of a phase in percent. */
struct stretch {
	const char *name;
	int32_t s; /* 0: no more */
	uint8_t cpu, memory, gpu, gpu_memory, communication, idle;
	uint8_t cores_percent; /* 0: all of them */
	bool is_overlapping;
	double activity; /* 0: 1 */
};

struct app {
	struct es_cluster_app_info info;
	struct stretch stretches[PHASES_OF_APP_MAX];
};

static const struct app apps[] = {
	{ .info = { "linear-algebra", false, 2 },
	  .stretches = { { .name = "factor",
			   .s = 55,
			   .cpu = 92,
			   .communication = 8,
			   .activity = 1.1 },
			 { .name = "exchange", .s = 5, .communication = 70, .memory = 30 } } },
	{ .info = { "stencil", false, 4 },
	  .stretches = { { .name = "sweep",
			   .s = 80,
			   .cpu = 60,
			   .memory = 100,
			   .is_overlapping = true,
			   .activity = 0.8 },
			 { .name = "halo", .s = 6, .communication = 100 },
			 { .name = "checkpoint", .s = 14, .cpu = 5, .idle = 95 } } },
	{ .info = { "fluids", false, 5 },
	  .stretches = { { .name = "assemble", .s = 20, .cpu = 80, .memory = 20, .activity = 0.9 },
			 { .name = "solve",
			   .s = 60,
			   .cpu = 30,
			   .memory = 55,
			   .communication = 15,
			   .activity = 0.85 },
			 { .name = "write", .s = 10, .communication = 60, .idle = 40 } } },
	{ .info = { "molecules", false, 4 },
	  .stretches = { { .name = "forces", .s = 90, .cpu = 85, .memory = 5, .communication = 10 },
			 { .name = "neighbours", .s = 10, .cpu = 50, .memory = 50 } } },
	{ .info = { "spectral", false, 3 },
	  .stretches = { { .name = "transform", .s = 25, .cpu = 45, .memory = 55 },
			 { .name = "transpose", .s = 20, .communication = 80, .memory = 20 } } },
	{ .info = { "climate", false, 3 },
	  .stretches = { { .name = "dynamics",
			   .s = 50,
			   .cpu = 50,
			   .memory = 35,
			   .communication = 15 },
			 { .name = "physics",
			   .s = 30,
			   .cpu = 95,
			   .communication = 5,
			   .activity = 0.9 },
			 { .name = "output", .s = 12, .idle = 80, .communication = 20 } } },
	{ .info = { "post-process", false, 2 },
	  .stretches = { { .name = "read", .s = 20, .idle = 70, .communication = 30 },
			 { .name = "reduce",
			   .s = 30,
			   .cpu = 70,
			   .memory = 30,
			   .cores_percent = 15,
			   .activity = 0.7 } } },
	{ .info = { "train", true, 5 },
	  .stretches = { { .name = "load", .s = 6, .cpu = 60, .idle = 40, .cores_percent = 30 },
			 { .name = "step",
			   .s = 110,
			   .cpu = 15,
			   .gpu = 100,
			   .gpu_memory = 60,
			   .communication = 8,
			   .is_overlapping = true },
			 { .name = "validate",
			   .s = 20,
			   .cpu = 10,
			   .gpu = 60,
			   .gpu_memory = 20,
			   .idle = 10,
			   .activity = 0.8 },
			 { .name = "checkpoint", .s = 9, .idle = 90, .cpu = 10 } } },
	{ .info = { "inference", true, 2 },
	  .stretches = { { .name = "batch",
			   .s = 25,
			   .cpu = 10,
			   .gpu = 30,
			   .gpu_memory = 100,
			   .is_overlapping = true,
			   .activity = 0.8 },
			 { .name = "wait", .s = 8, .idle = 100 } } },
	{ .info = { "gpu-molecules", true, 3 },
	  .stretches = { { .name = "forces",
			   .s = 95,
			   .cpu = 20,
			   .gpu = 85,
			   .gpu_memory = 40,
			   .communication = 10,
			   .is_overlapping = true,
			   .activity = 0.9 },
			 { .name = "output", .s = 5, .cpu = 20, .idle = 80 } } },
};

size_t es_cluster_n_apps(void)
{
	return ES_ARRAY_SIZE(apps);
}

const struct es_cluster_app_info *es_cluster_app(unsigned app)
{
	return &apps[app].info;
}

const char *es_cluster_app_name(unsigned app)
{
	return app < ES_ARRAY_SIZE(apps) ? apps[app].info.name : "?";
}

/* Who has a node with GPUs wants them; some do not. */
static double weight_on(const struct app *app, const struct es_twin_kind *kind)
{
	if (kind->n_gpus == 0)
		return app->info.needs_gpu ? 0 : app->info.weight;
	return app->info.needs_gpu ? app->info.weight : app->info.weight / 12;
}

unsigned es_cluster_app_choose(const struct es_twin_kind *kind, struct es_cluster_random *random)
{
	double sum = 0, at;

	for (size_t i = 0; i < ES_ARRAY_SIZE(apps); i++)
		sum += weight_on(&apps[i], kind);
	at = es_cluster_uniform(random) * sum;
	for (size_t i = 0; i < ES_ARRAY_SIZE(apps); i++) {
		at -= weight_on(&apps[i], kind);
		if (at < 0)
			return (unsigned)i;
	}
	return 0;
}

static int64_t share_ns(int64_t dur_ns, uint8_t percent)
{
	return dur_ns / 100 * percent;
}

static void make_phase(const struct stretch *stretch, const struct es_twin_kind *kind,
		       double longer, double harder, struct es_twin_phase *ret)
{
	int64_t dur_ns = (int64_t)(stretch->s * 1000 * longer) * ES_NS_PER_MS;
	unsigned n_cores = kind->n_packages * kind->cpu.n_cores * stretch->cores_percent / 100;
	double activity = (stretch->activity > 0 ? stretch->activity : 1) * harder;

	es_twin_phase_init(ret);
	(void)snprintf(ret->name, sizeof(ret->name), "%s", stretch->name);
	ret->time = stretch->is_overlapping ? ES_TWIN_OVERLAPPING : ES_TWIN_ADDITIVE;
	ret->cpu_ns = share_ns(dur_ns, stretch->cpu);
	ret->memory_ns = share_ns(dur_ns, stretch->memory);
	ret->gpu_ns = share_ns(dur_ns, stretch->gpu);
	ret->gpu_memory_ns = share_ns(dur_ns, stretch->gpu_memory);
	ret->communication_ns = share_ns(dur_ns, stretch->communication);
	ret->idle_ns = share_ns(dur_ns, stretch->idle);
	ret->cpu_activity = ret->memory_activity = activity;
	ret->gpu_activity = ret->gpu_memory_activity = activity;
	ret->n_cores = stretch->cores_percent > 0 && n_cores == 0 ? 1 : n_cores;
}

int es_cluster_program(unsigned app, const struct es_twin_kind *kind, uint64_t seed,
		       struct es_twin_program *ret)
{
	struct es_cluster_random random = es_cluster_stream(seed, ES_CLUSTER_STREAM_PROGRAM, app);
	/* Each job has inputs of its own: its steps are longer or shorter, and work it a little harder or less. */
	double longer = exp(0.35 * es_cluster_normal(&random));
	double harder = 0.9 + 0.15 * es_cluster_uniform(&random);
	const struct app *of = &apps[app];

	longer = longer < 0.3 ? 0.3 : longer > 4 ? 4 : longer;
	*ret = (struct es_twin_program){ .repeats = UINT32_MAX };
	ret->phases = calloc(PHASES_OF_APP_MAX, sizeof(*ret->phases));
	if (!ret->phases)
		return -ENOMEM;
	while (ret->n < PHASES_OF_APP_MAX && of->stretches[ret->n].s > 0) {
		make_phase(&of->stretches[ret->n], kind, longer, harder, &ret->phases[ret->n]);
		ret->n++;
	}
	return 0;
}
