/*
 * demo.c - recordings of made-up jobs, the same each time: for pictures in documents, tests of them, and benchmarks
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * usage: es-demo NAME FILE.esr     es-demo --list
 */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "record/recorder.h"

#define START_NS (1000 * ES_NS_PER_S)
#define START_UNIX_NS (1773403200 * ES_NS_PER_S) /* 2026-03-13T12:00:00Z */
#define ROWS_A_FRAME_MAX 100 /* frames of a second, as run writes them */
#define DOMAINS_MAX 256
#define EVENTS_MAX 20000

/* One call of a region, or many: every @every_s from @start_s to @stop_s, @len_s each. */
struct tag {
	const char *name;
	double start_s, stop_s, every_s, len_s;
};

struct phase {
	double until_s, cpu, gpu; /* load from 0 to 1 */
};

struct demo {
	const char *name, *command;
	double dur_s, period_s;
	unsigned n_nodes, n_packages, n_gpus; /* of a node */
	bool has_dram, is_estimate, has_psys, is_zero, has_no_rows;
	double gap_from_s, gap_to_s, reset_s, peak_s; /* 0: none */
	const struct phase *phases; /* until_s 0: the end */
	const struct tag *tags; /* name NULL: the end */
};

static const struct phase solver[] = {
	{ 6, 0.15, 0 },	   { 14, 0.55, 0.1 }, { 26, 0.95, 0.2 }, { 29, 0.3, 0 },
	{ 41, 0.95, 0.2 }, { 44, 0.3, 0 },    { 54, 0.8, 0.1 },	 { 0, 0.2, 0 },
};
static const struct tag solver_tags[] = {
	{ "read mesh", 1, 6, 0, 0 },
	{ "assemble", 6, 14, 0, 0 },
	{ "solve", 14, 44, 0, 0 },
	{ "write", 44, 54, 0, 0 },
	{ "step 1", 14.5, 28.5, 0, 0 },
	{ "step 2", 29, 43.5, 0, 0 },
	{ "halo exchange", 15, 43, 0.14, 0.04 },
	{ NULL, 0, 0, 0, 0 },
};
static const struct phase training[] = {
	{ 40, 0.6, 0.05 },  { 160, 0.3, 0.92 }, { 175, 0.7, 0.15 },
	{ 295, 0.3, 0.94 }, { 310, 0.7, 0.15 }, { 430, 0.3, 0.93 },
	{ 445, 0.7, 0.15 }, { 565, 0.3, 0.94 }, { 0, 0.4, 0.05 },
};
static const struct tag training_tags[] = {
	{ "load data", 2, 40, 0, 0 },	  { "epoch 1", 40, 160, 0, 0 },
	{ "validate", 160, 175, 0, 0 },	  { "epoch 2", 175, 295, 0, 0 },
	{ "validate", 295, 310, 0, 0 },	  { "epoch 3", 310, 430, 0, 0 },
	{ "validate", 430, 445, 0, 0 },	  { "epoch 4", 445, 565, 0, 0 },
	{ "checkpoint", 565, 590, 0, 0 }, { NULL, 0, 0, 0, 0 },
};
static const struct tag many_tags[] = {
	{ "initialise", 0.5, 3, 0, 0 },
	{ "step", 3, 56, 2.2, 2.0 },
	{ "force", 3, 56, 2.2, 1.1 },
	{ "pair list", 3.1, 56, 2.2, 0.3 },
	{ "fft", 4.2, 56, 2.2, 0.4 },
	{ "exchange", 3, 56, 0.05, 0.015 },
	{ "reduce", 3, 56, 0.11, 0.02 },
	{ "output", 12, 56, 11, 0.8 },
	{ "finalise", 56.5, 59.5, 0, 0 },
	{ "a long name that does not fit its band", 57, 57.6, 0, 0 },
	{ "poll", 0.1, 59.9, 0.02, 0.004 },
	{ NULL, 0, 0, 0, 0 },
};
static const struct tag hostile_tags[] = {
	{ "<script>alert(1)</script>", 1, 3, 0, 0 }, { "\"&'><svg onload=alert(2)>", 3, 5, 0, 0 },
	{ "\033[31mred\033[0m\n\r\a", 5, 7, 0, 0 },  { "]]>--><!--", 7, 8, 0, 0 },
	{ "\xff\xfe not UTF-8", 8, 9, 0, 0 },	     { NULL, 0, 0, 0, 0 },
};
static const struct phase steady[] = { { 0, 0.6, 0.5 } };
static const struct phase day[] = {
	{ 7200, 0.2, 0 },  { 28800, 0.85, 0 }, { 32400, 0.1, 0 },
	{ 68400, 0.9, 0 }, { 75600, 0.4, 0 },  { 0, 0.1, 0 },
};
static const struct tag no_tags[] = { { NULL, 0, 0, 0, 0 } };

static const struct demo demos[] = {
	{ .name = "solver",
	  .command = "heat3d",
	  .dur_s = 60,
	  .period_s = 0.1,
	  .n_nodes = 1,
	  .n_packages = 2,
	  .has_dram = true,
	  .phases = solver,
	  .tags = solver_tags },
	{ .name = "training",
	  .command = "python3",
	  .dur_s = 600,
	  .period_s = 0.5,
	  .n_nodes = 1,
	  .n_packages = 2,
	  .n_gpus = 4,
	  .has_dram = true,
	  .phases = training,
	  .tags = training_tags },
	{ .name = "regions",
	  .command = "md",
	  .dur_s = 60,
	  .period_s = 0.05,
	  .n_nodes = 1,
	  .n_packages = 1,
	  .has_dram = true,
	  .phases = solver,
	  .tags = many_tags },
	{ .name = "gaps",
	  .command = "heat3d",
	  .dur_s = 60,
	  .period_s = 0.1,
	  .n_nodes = 1,
	  .n_packages = 2,
	  .n_gpus = 1,
	  .has_dram = true,
	  .gap_from_s = 20,
	  .gap_to_s = 28,
	  .reset_s = 45,
	  .phases = solver,
	  .tags = solver_tags },
	{ .name = "laptop",
	  .command = "make",
	  .dur_s = 95,
	  .period_s = 0.1,
	  .n_nodes = 1,
	  .n_packages = 1,
	  .is_estimate = true,
	  .phases = solver,
	  .tags = no_tags },
	{ .name = "whole",
	  .command = "hpl",
	  .dur_s = 120,
	  .period_s = 0.2,
	  .n_nodes = 1,
	  .n_packages = 2,
	  .has_dram = true,
	  .has_psys = true,
	  .phases = solver,
	  .tags = no_tags },
	{ .name = "day",
	  .command = "climate",
	  .dur_s = 86400,
	  .period_s = 1,
	  .n_nodes = 1,
	  .n_packages = 2,
	  .has_dram = true,
	  .peak_s = 50000,
	  .phases = day,
	  .tags = no_tags },
	{ .name = "second",
	  .command = "sleep",
	  .dur_s = 1,
	  .period_s = 0.1,
	  .n_nodes = 1,
	  .n_packages = 1,
	  .has_dram = true,
	  .phases = steady,
	  .tags = no_tags },
	{ .name = "nodes",
	  .command = "lammps",
	  .dur_s = 300,
	  .period_s = 0.5,
	  .n_nodes = 4,
	  .n_packages = 2,
	  .has_dram = true,
	  .phases = training,
	  .tags = training_tags },
	{ .name = "domains",
	  .command = "gromacs",
	  .dur_s = 120,
	  .period_s = 0.5,
	  .n_nodes = 4,
	  .n_packages = 4,
	  .n_gpus = 8,
	  .has_dram = true,
	  .phases = training,
	  .tags = no_tags },
	{ .name = "zero",
	  .command = "idle",
	  .dur_s = 10,
	  .period_s = 0.1,
	  .n_nodes = 1,
	  .n_packages = 1,
	  .n_gpus = 1,
	  .is_zero = true,
	  .phases = steady,
	  .tags = no_tags },
	{ .name = "empty",
	  .command = "true",
	  .dur_s = 0,
	  .period_s = 0.1,
	  .n_nodes = 1,
	  .n_packages = 1,
	  .has_no_rows = true,
	  .phases = steady,
	  .tags = no_tags },
	{ .name = "hostile",
	  .command = "<img src=x onerror=alert(3)>",
	  .dur_s = 10,
	  .period_s = 0.1,
	  .n_nodes = 1,
	  .n_packages = 1,
	  .has_dram = true,
	  .phases = steady,
	  .tags = hostile_tags },
	{ .name = "fast",
	  .command = "bench",
	  .dur_s = 600,
	  .period_s = 0.01,
	  .n_nodes = 1,
	  .n_packages = 4,
	  .has_dram = true,
	  .phases = training,
	  .tags = training_tags },
	{ .name = "long",
	  .command = "bench",
	  .dur_s = 86400,
	  .period_s = 0.1,
	  .n_nodes = 1,
	  .n_packages = 4,
	  .has_dram = true,
	  .phases = day,
	  .tags = no_tags },
};

struct making {
	const struct demo *demo;
	struct es_meta meta;
	struct es_recorder *recorder;
	struct es_rows rows;
	size_t rows_a_frame;
	double energy_j[DOMAINS_MAX], wander[DOMAINS_MAX];
	struct es_event *events; /* sorted by time */
	size_t n_events, at_event;
	uint64_t seed;
};

/* xorshift64*, Vigna 2016: from -1 to 1. */
static double noise(struct making *making)
{
	making->seed ^= making->seed >> 12;
	making->seed ^= making->seed << 25;
	making->seed ^= making->seed >> 27;
	return (double)(making->seed * UINT64_C(2685821657736338717) >> 11) / 4503599627370496.0 -
	       1.0;
}

static int add(struct making *making, const char *source, enum es_domain_type type, int package)
{
	struct es_domain domain;

	es_domain_init(&domain, source, type, package, -1);
	domain.node = (uint32_t)making->meta.n_nodes - 1;
	domain.update_period_ns = ES_NS_PER_MS;
	domain.range.unit_nj = 61035;
	domain.range.modulus_nj = UINT64_C(61035) << 32;
	if (type == ES_DOMAIN_PACKAGE) {
		domain.limit_mw = 280000;
		(void)snprintf(domain.limit_kind, sizeof(domain.limit_kind), "long_term");
	}
	if (type == ES_DOMAIN_GPU) {
		domain.kind = ES_KIND_INTEGRATED;
		domain.is_power = true;
		domain.limit_mw = 400000;
		(void)snprintf(domain.limit_kind, sizeof(domain.limit_kind), "tdp");
	}
	if (type == ES_DOMAIN_NODE) {
		domain.kind = ES_KIND_ESTIMATED;
		domain.range.unit_nj = 1000;
		domain.range.modulus_nj = 0;
		domain.idle_mw = 9000;
		domain.full_mw = 62000;
		domain.idle_spread_ppm = 500000;
		domain.spread_ppm = 400000;
	}
	return es_meta_add_domain(&making->meta, &domain);
}

static int add_node(struct making *making, unsigned number)
{
	const struct demo *demo = making->demo;
	const char *job = strcmp(demo->name, "hostile") == 0 ? "</title><b>&job" : demo->name;
	char name[48];
	int r;

	(void)snprintf(name, sizeof(name), "node%02u", number + 1);
	(void)snprintf(making->meta.job, sizeof(making->meta.job), "%s", job);
	r = es_meta_add_node(&making->meta, demo->is_estimate ? "laptop" : name);
	if (r == 0 && demo->is_estimate)
		return add(making, "estimate", ES_DOMAIN_NODE, -1);
	for (unsigned i = 0; r == 0 && i < demo->n_packages; i++) {
		r = add(making, "powercap", ES_DOMAIN_PACKAGE, (int)i);
		if (r == 0 && demo->has_dram)
			r = add(making, "powercap", ES_DOMAIN_DRAM, (int)i);
	}
	for (unsigned i = 0; r == 0 && i < demo->n_gpus; i++)
		r = add(making, "nvml", ES_DOMAIN_GPU, (int)i);
	if (r == 0 && demo->has_psys)
		r = add(making, "powercap", ES_DOMAIN_PSYS, -1);
	return r;
}

static int describe(struct making *making)
{
	const struct demo *demo = making->demo;
	struct es_meta *meta = &making->meta;
	int r = 0;

	es_meta_init(meta);
	(void)snprintf(meta->tool, sizeof(meta->tool), "es-demo");
	(void)snprintf(meta->command, sizeof(meta->command), "%s", demo->command);
	(void)snprintf(meta->country, sizeof(meta->country), "FR");
	(void)snprintf(meta->timezone, sizeof(meta->timezone), "Europe/Paris");
	meta->period_ns = (int64_t)(demo->period_s * 1e9);
	meta->start_boot_ns = meta->start_mono_ns = START_NS;
	meta->start_unix_ns = START_UNIX_NS;
	meta->n_cpus = 64 * demo->n_nodes;
	meta->n_gpus = demo->n_gpus * demo->n_nodes;
	for (unsigned i = 0; r == 0 && i < demo->n_nodes; i++)
		r = add_node(making, i);
	return r;
}

static const struct phase *phase_at(const struct demo *demo, double t_s)
{
	const struct phase *phase = demo->phases;

	while (phase->until_s > 0 && t_s >= phase->until_s)
		phase++;
	return phase;
}

static double power_w(struct making *making, size_t i, double t_s)
{
	const struct demo *demo = making->demo;
	const struct es_domain *domain = &making->meta.domains[i];
	const struct phase *phase = phase_at(demo, t_s - 0.3 * domain->node);
	double load, *wander = &making->wander[i];

	*wander = 0.95 * *wander + 0.05 * noise(making);
	load = 1 + *wander + 0.03 * noise(making);
	if (demo->is_zero)
		return 0;
	if (demo->peak_s > 0 && fabs(t_s - demo->peak_s) < 0.6)
		return 400;
	if (domain->type == ES_DOMAIN_PACKAGE)
		return (45 + 190 * phase->cpu * (1 - 0.08 * domain->package)) * load;
	if (domain->type == ES_DOMAIN_DRAM)
		return (7 + 26 * phase->cpu) * load;
	if (domain->type == ES_DOMAIN_GPU)
		return (55 + 330 * phase->gpu) * load;
	if (domain->type == ES_DOMAIN_PSYS)
		return 160 + 620 * phase->cpu * load;
	return (9 + 53 * phase->cpu) * load;
}

static uint64_t value_of(struct making *making, size_t i, double t_s, double dt_s)
{
	const struct es_domain *domain = &making->meta.domains[i];
	double watts = power_w(making, i, t_s);
	uint64_t energy_nj;

	if (domain->is_power)
		return (uint64_t)(watts * 1e3);
	/* A reset: a counter begins anew, as after a driver was loaded again. */
	if (making->demo->reset_s > 0 && t_s >= making->demo->reset_s &&
	    t_s - dt_s < making->demo->reset_s)
		making->energy_j[i] = 0;
	making->energy_j[i] += watts * dt_s;
	energy_nj = (uint64_t)(making->energy_j[i] * 1e9);
	if (domain->range.modulus_nj)
		energy_nj %= domain->range.modulus_nj;
	return energy_nj / domain->range.unit_nj * domain->range.unit_nj / 1000;
}

static int flush(struct making *making)
{
	int r = es_recorder_rows(making->recorder, &making->rows);

	es_rows_clear(&making->rows);
	return r;
}

static int put_events(struct making *making, int64_t until_ns)
{
	int r = 0;

	while (r == 0 && making->at_event < making->n_events &&
	       making->events[making->at_event].t_ns <= until_ns) {
		r = flush(making);
		if (r == 0)
			r = es_recorder_event(making->recorder,
					      &making->events[making->at_event++]);
	}
	return r;
}

static int sweep(struct making *making, double t_s, double dt_s)
{
	const struct demo *demo = making->demo;
	int64_t t_ns = START_NS + (int64_t)(t_s * 1e9);
	bool is_gap = t_s > demo->gap_from_s && t_s < demo->gap_to_s;
	int r = put_events(making, t_ns);

	if (r == 0 && making->rows.n_rows >= making->rows_a_frame)
		r = flush(making);
	if (r == 0 && !is_gap)
		(void)es_rows_add(&making->rows, t_ns);
	for (size_t i = 0; r == 0 && i < making->meta.n_domains; i++) {
		uint64_t value = value_of(making, i, t_s, dt_s);

		if (!is_gap)
			es_rows_set(&making->rows, i, t_ns + (int64_t)i * 2000, value, 0);
	}
	return r;
}

static int compare_events(const void *a, const void *b)
{
	const struct es_event *x = a, *y = b;

	/* A stop before the start of what follows it at once. */
	if (x->t_ns != y->t_ns)
		return x->t_ns < y->t_ns ? -1 : 1;
	return x->type == y->type ? 0 : x->type > y->type ? -1 : 1;
}

static void add_event(struct making *making, uint32_t type, double t_s, const char *text)
{
	struct es_event *event = &making->events[making->n_events];

	if (making->n_events == EVENTS_MAX)
		return;
	making->n_events++;
	*event = (struct es_event){ .type = type, .t_ns = START_NS + (int64_t)(t_s * 1e9) };
	(void)snprintf(event->text, sizeof(event->text), "%s", text);
}

static int plan_events(struct making *making)
{
	const struct demo *demo = making->demo;

	making->events = calloc(EVENTS_MAX, sizeof(*making->events));
	if (!making->events)
		return -ENOMEM;
	for (const struct tag *tag = demo->tags; tag->name; tag++) {
		double every_s = tag->every_s > 0 ? tag->every_s : tag->stop_s - tag->start_s;
		double len_s = tag->every_s > 0 ? tag->len_s : tag->stop_s - tag->start_s;

		for (double t_s = tag->start_s; t_s < tag->stop_s - 1e-9; t_s += every_s) {
			add_event(making, ES_EVENT_TAG_START, t_s, tag->name);
			add_event(making, ES_EVENT_TAG_STOP, t_s + len_s, tag->name);
		}
	}
	qsort(making->events, making->n_events, sizeof(*making->events), compare_events);
	return 0;
}

static int record(struct making *making)
{
	const struct demo *demo = making->demo;
	int64_t end_ns = START_NS + (int64_t)(demo->dur_s * 1e9);
	struct es_event event = { .type = ES_EVENT_COMMAND_START, .t_ns = START_NS, .value = 1 };
	unsigned n = (unsigned)(demo->dur_s / demo->period_s + 0.5);
	int r = es_recorder_event(making->recorder, &event);

	for (unsigned i = 0; r == 0 && !demo->has_no_rows && i <= n; i++)
		r = sweep(making, i * demo->period_s, i ? demo->period_s : 0);
	if (r == 0)
		r = put_events(making, end_ns);
	if (r == 0)
		r = flush(making);
	event = (struct es_event){ .type = ES_EVENT_COMMAND_STOP, .t_ns = end_ns };
	if (r == 0)
		r = es_recorder_event(making->recorder, &event);
	event = (struct es_event){ .type = ES_EVENT_END, .t_ns = end_ns, .value = 5000000 };
	return r < 0 ? r : es_recorder_event(making->recorder, &event);
}

static int make(const struct demo *demo, const char *path)
{
	struct making making = { .demo = demo, .seed = 0x9e3779b97f4a7c15 };
	int r = describe(&making);

	making.rows_a_frame = demo->period_s < 1 ? (size_t)(1 / demo->period_s + 0.5) : 1;
	if (making.rows_a_frame > ROWS_A_FRAME_MAX)
		making.rows_a_frame = ROWS_A_FRAME_MAX;

	if (r == 0)
		r = plan_events(&making);
	if (r == 0)
		r = es_recorder_create(path, true, &making.meta, &making.recorder, NULL);
	if (r == 0)
		r = es_rows_init(&making.rows, making.meta.domains, making.meta.n_domains,
				 ROWS_A_FRAME_MAX);
	if (r == 0)
		r = record(&making);
	if (r == 0)
		r = es_recorder_problem(making.recorder);
	es_recorder_close(making.recorder);
	es_rows_finish(&making.rows);
	es_meta_finish(&making.meta);
	free(making.events);
	return r;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--list") == 0) {
		for (size_t i = 0; i < ES_ARRAY_SIZE(demos); i++)
			(void)printf("%s\n", demos[i].name);
		return 0;
	}
	for (size_t i = 0; argc == 3 && i < ES_ARRAY_SIZE(demos); i++) {
		int r;

		if (strcmp(argv[1], demos[i].name) != 0)
			continue;
		r = make(&demos[i], argv[2]);
		if (r < 0)
			(void)fprintf(stderr, "es-demo: '%s': %s\n", argv[2], es_strerror(r));
		return r < 0;
	}
	(void)fprintf(stderr, "usage: es-demo NAME FILE.esr; es-demo --list\n");
	return 2;
}
