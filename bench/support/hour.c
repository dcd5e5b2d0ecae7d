/*
 * hour.c - a recording as run leaves it after an hour, without the hour
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/hour.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/job.h"
#include "record/recorder.h"
#include "sampler/sampler.h"

#define PERIOD_NS (100 * ES_NS_PER_MS)
#define ROWS_A_FRAME 10
#define SWEEP_NS (20 * ES_NS_PER_US) /* from the first meter read to the last */

struct counter {
	double power_w; /* wanders */
	uint64_t energy_nj;
};

struct hour {
	struct es_root tree;
	struct es_sampler *sampler;
	struct es_meta meta;
	struct es_recorder *recorder;
	struct es_rows rows;
	struct counter *counters; /* [domain] */
	int64_t busy_ns;
	uint64_t seed;
};

static double random_share(uint64_t *state)
{
	/* xorshift64*, Vigna 2016 */
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return (double)(*state * UINT64_C(2685821657736338717) >> 11) / 9007199254740992.0;
}

static int describe(struct hour *hour, const char *tree)
{
	char *const command[] = { "hour", NULL };
	struct es_domain *domains;
	size_t n;
	int r = es_root_open(tree, -1, &hour->tree, NULL);

	if (r == 0)
		r = es_sampler_create(&hour->tree, NULL, &hour->sampler, NULL);
	if (r == 0)
		r = es_job_describe(&hour->tree, "hour", command, false, &hour->meta, NULL);
	if (r < 0)
		return r;
	hour->meta.period_ns = PERIOD_NS;
	domains = es_sampler_domains(hour->sampler, &n);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (es_sampler_is_recorded(&domains[i]))
			r = es_meta_add_domain(&hour->meta, &domains[i]);
	return r;
}

static int open_recorder(struct hour *hour, const char *path)
{
	int r = es_recorder_create(path, true, &hour->meta, &hour->recorder, NULL);

	if (r == 0)
		r = es_rows_init(&hour->rows, hour->meta.domains, hour->meta.n_domains,
				 ROWS_A_FRAME);
	if (r == 0)
		r = es_recorder_reserve(hour->recorder, &hour->rows);
	hour->counters = calloc(hour->meta.n_domains + 1, sizeof(*hour->counters));
	if (r == 0 && !hour->counters)
		r = -ENOMEM;
	for (size_t i = 0; r == 0 && i < hour->meta.n_domains; i++)
		hour->counters[i].power_w = 50 + 200 * random_share(&hour->seed);
	return r;
}

/* As the kernel shows it: whole steps, in whole µJ, below the range. */
static uint64_t shown_uj(const struct es_domain *domain, uint64_t energy_nj)
{
	uint64_t unit_nj = domain->range.unit_nj ? domain->range.unit_nj : 1000;

	if (domain->range.modulus_nj)
		energy_nj %= domain->range.modulus_nj;
	return energy_nj / unit_nj * unit_nj / 1000;
}

static void put_sweep(struct hour *hour, unsigned number, int64_t t_ns)
{
	(void)es_rows_add(&hour->rows, t_ns);
	hour->busy_ns += PERIOD_NS;
	for (size_t i = 0; i < hour->meta.n_domains; i++) {
		const struct es_domain *domain = &hour->meta.domains[i];
		struct counter *counter = &hour->counters[i];

		/* Beside meters the estimate is read once a second. */
		if (domain->kind == ES_KIND_ESTIMATED && number % 10)
			continue;
		counter->power_w += 4 * (random_share(&hour->seed) - 0.5);
		if (counter->power_w < 10 || counter->power_w > 300)
			counter->power_w = 100;
		counter->energy_nj +=
			(uint64_t)((counter->power_w + 10 * random_share(&hour->seed)) *
				   (double)PERIOD_NS);
		t_ns += (int64_t)((double)SWEEP_NS / 16 * (0.5 + random_share(&hour->seed)));
		es_rows_set(&hour->rows, i, t_ns, shown_uj(domain, counter->energy_nj),
			    hour->busy_ns);
	}
}

static int put_event(struct hour *hour, uint32_t type, int64_t t_ns, int64_t value)
{
	const struct es_event event = { .type = type, .t_ns = t_ns, .value = value };

	return es_recorder_event(hour->recorder, &event);
}

static int record(struct hour *hour, unsigned n_sweeps)
{
	int64_t start_ns = hour->meta.start_boot_ns, t_ns = start_ns;
	int r = es_recorder_clock(hour->recorder, start_ns, hour->meta.start_mono_ns,
				  hour->meta.start_unix_ns);

	if (r == 0)
		r = put_event(hour, ES_EVENT_COMMAND_START, start_ns + SWEEP_NS, 1);
	for (unsigned i = 0; r == 0 && i < n_sweeps; i++) {
		t_ns = start_ns + (int64_t)i * PERIOD_NS +
		       (int64_t)(100.0 * (double)ES_NS_PER_US * random_share(&hour->seed));
		put_sweep(hour, i, t_ns);
		if (hour->rows.n_rows < ROWS_A_FRAME && i + 1 < n_sweeps)
			continue;
		r = es_recorder_rows(hour->recorder, &hour->rows);
		es_rows_clear(&hour->rows);
	}
	if (r == 0)
		r = put_event(hour, ES_EVENT_COMMAND_STOP, t_ns, 0);
	if (r == 0)
		r = put_event(hour, ES_EVENT_CHILD_CPU, t_ns, ES_NS_PER_S);
	return r < 0 ? r : put_event(hour, ES_EVENT_END, t_ns, ES_NS_PER_S);
}

int es_hour_write(const char *tree, const char *path, unsigned n_sweeps)
{
	struct hour hour = { .tree = { .fd = -1 }, .seed = 0x9e3779b97f4a7c15 };
	int r = describe(&hour, tree);

	if (r == 0)
		r = open_recorder(&hour, path);
	if (r == 0)
		r = record(&hour, n_sweeps);
	if (r == 0)
		r = es_recorder_problem(hour.recorder);
	es_recorder_close(hour.recorder);
	es_rows_finish(&hour.rows);
	free(hour.counters);
	es_meta_finish(&hour.meta);
	es_sampler_destroy(hour.sampler);
	es_root_close(&hour.tree);
	return r;
}

int64_t es_hour_file_bytes(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? -errno : st.st_size;
}
