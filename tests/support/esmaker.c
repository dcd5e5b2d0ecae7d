/*
 * esmaker.c - runs of the original tool, made up: a node whose true powers are known, read as that tool reads
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/esmaker.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/random.h"

#define PERIOD_S 0.5
#define IDLE_S 0.49 /* what the tool sleeps between sweeps */
#define READ_S 0.0015 /* one rdmsr */
#define GPU_READ_S 0.004

struct clockwork {
	struct es_maker *maker;
	double t_s, whole_s;
	uint64_t random;
	bool is_first;
	uint64_t gpu_mj[16];
};

/* Energy of a part with low power in the first and the last quarter of the run, high power between. */
static double energy_j(const struct clockwork *work, double t_s, double low_w, double high_w)
{
	double a_s = work->whole_s / 4, b_s = work->whole_s * 3 / 4;
	double high_s = t_s < a_s ? 0 : t_s < b_s ? t_s - a_s : b_s - a_s;

	return low_w * (t_s - high_s) + high_w * high_s;
}

static void stall(struct clockwork *work, uint32_t sweep, enum es_maker_place place)
{
	for (unsigned i = 0; i < work->maker->n_stalls; i++)
		if (work->maker->stalls[i].sweep == sweep && work->maker->stalls[i].place == place)
			work->t_s += work->maker->stalls[i].dur_s;
}

static void put_row(struct clockwork *work, uint32_t sweep, const char *phy, unsigned cpu,
		    const char *address, uint64_t value)
{
	(void)es_buf_printf(
		&work->maker->raw,
		"%s{\"index\": %u, \"phy\": \"%s\", \"cpu\": \"%u\", \"adr_str\": \"%s\", \"raw_value\": %llu}",
		work->is_first ? "" : ", ", sweep, phy, cpu, address, (unsigned long long)value);
	work->is_first = false;
}

static uint64_t counter(const struct es_maker *maker, double j, double unit_j)
{
	return (maker->start_raw + (uint64_t)floor(j / unit_j)) & UINT32_MAX;
}

/* True energy between the first sweep and the last one. */
static void keep(double *slot, double j, uint32_t sweep, const struct es_maker *maker)
{
	if (sweep == 0)
		*slot = -j;
	if (sweep + 1 == maker->n_sweeps)
		*slot += j;
}

static void read_package(struct clockwork *work, uint32_t sweep, unsigned p)
{
	struct es_maker *maker = work->maker;
	double j, unit_j = 1.0 / (maker->is_amd ? 65536 : 16384);
	char phy[16];

	(void)snprintf(phy, sizeof(phy), "%u", p);
	if (p == 1)
		stall(work, sweep, ES_MAKER_BETWEEN_PACKAGES);
	work->t_s += READ_S;
	put_row(work, sweep, phy, p * 20, "0x010", (uint64_t)(1e13 + work->t_s * ES_MAKER_TSC_HZ));
	if (p == 0)
		stall(work, sweep, ES_MAKER_AFTER_STAMP);
	work->t_s += READ_S;
	j = energy_j(work, work->t_s, maker->low_w / 2, maker->high_w / 2);
	keep(&maker->package_j[p], j, sweep, maker);
	put_row(work, sweep, phy, p * 20, maker->is_amd ? "0xC001029B" : "0x611",
		counter(maker, j, unit_j));
	if (maker->is_amd)
		return;
	work->t_s += READ_S;
	j = work->t_s * ES_MAKER_DRAM_W;
	keep(&maker->dram_j[p], j, sweep, maker);
	put_row(work, sweep, phy, p * 20, "0x619", counter(maker, j, 1 / 65359.0));
	put_row(work, sweep, phy, p * 20, "0x639", 0);
}

static void read_gpus(struct clockwork *work, uint32_t sweep)
{
	struct es_maker *maker = work->maker;

	stall(work, sweep, ES_MAKER_BEFORE_GPUS);
	for (unsigned g = 0; g < maker->n_gpus; g++) {
		double j;

		if (g == maker->n_gpus / 2)
			stall(work, sweep, ES_MAKER_BETWEEN_GPUS);
		work->t_s += GPU_READ_S;
		j = energy_j(work, work->t_s, maker->low_w, maker->high_w);
		keep(&maker->gpu_j[g], j, sweep, maker);
		work->gpu_mj[g] = (uint64_t)(j * 1e3) + 123456789;
	}
}

static void write_gpus(struct clockwork *work, uint32_t sweep)
{
	struct es_maker *maker = work->maker;

	for (unsigned g = 0; g < maker->n_gpus; g++) {
		bool was_reset = maker->reset_at && sweep >= maker->reset_at;
		char phy[32];

		(void)snprintf(phy, sizeof(phy), "gpu-nvidia-%u", g);
		put_row(work, sweep, phy, 1000 + g, "gpu-nvidia-mjoule",
			was_reset ? work->gpu_mj[g] - 123456789 : work->gpu_mj[g]);
	}
}

static void one_sweep(struct clockwork *work, uint32_t sweep)
{
	struct es_maker *maker = work->maker;

	stall(work, sweep, ES_MAKER_BEFORE_SWEEP);
	if (maker->has_gpus_first)
		read_gpus(work, sweep);
	for (unsigned p = 0; p < maker->n_packages; p++)
		read_package(work, sweep, p);
	if (!maker->has_gpus_first)
		read_gpus(work, sweep);
	work->t_s += 10 * READ_S; /* temperatures, a few of them written */
	put_row(work, sweep, "0", 0, "0x19c", 2285568000);
	write_gpus(work, sweep);
	work->t_s +=
		IDLE_S + maker->jitter_s * (double)test_random_below(&work->random, 1000) / 1000;
}

static void put_discovery(struct es_maker *maker)
{
	const char *vendor = maker->is_amd ? "AuthenticAMD" : "GenuineIntel";
	const char *model = maker->is_amd ? "AMDEPYC0000MadeUpProcessor"
					  : "Intel(R)Xeon(R)CPUE5-0000v0@2.20GHz";
	const char *rows =
		maker->is_amd
			? "{\"index\": 0, \"phy\": \"0\", \"cpu\": \"0\", \"adr_str\": \"0xC0010064\", \"raw_value\": 9223372036854777944}, "
			  "{\"index\": 0, \"phy\": \"0\", \"cpu\": \"0\", \"adr_str\": \"0xC0010299\", \"raw_value\": 659459}"
			: "{\"index\": 0, \"phy\": \"0\", \"cpu\": \"0\", \"adr_str\": \"0x0ce\", \"raw_value\": 11531480297493304832}, "
			  "{\"index\": 0, \"phy\": \"0\", \"cpu\": \"0\", \"adr_str\": \"0x606\", \"raw_value\": 658947}, "
			  "{\"index\": 0, \"phy\": \"0\", \"cpu\": \"0\", \"adr_str\": \"0x614\", \"raw_value\": 1600}";

	es_buf_init(&maker->discovery, 1 << 20);
	(void)es_buf_printf(
		&maker->discovery,
		"{\"date\": \"2022/11/08 03:08:22\", \"pgm\": \"es_discover.py@inria\", \"job\": \"%s\", \"node\": \"%s\", ",
		maker->job, maker->node);
	if (maker->gpu_text)
		(void)es_buf_printf(&maker->discovery, "\"gpu\": %s, ", maker->gpu_text);
	else
		(void)es_buf_printf(
			&maker->discovery,
			"\"gpu\": {\"nvidia\": {\"driver\": \"470.1\", \"device_count\": %u}}, ",
			maker->n_gpus);
	(void)es_buf_printf(&maker->discovery, "\"msr_access_method\": \"rdmsr\", \"arch\": {");
	for (unsigned p = 0; p < maker->n_packages; p++)
		(void)es_buf_printf(
			&maker->discovery,
			"%s\"%u\": {\"vendor_id\": \"%s\", \"modelname\": \"%s\", \"model\": \"%s\", \"cpufamily\": \"%s\", "
			"\"coreid\": {\"0\": [\"%u\"], \"1\": [\"%u\"]}}",
			p ? ", " : "", p, vendor, model, maker->is_amd ? "49" : "79",
			maker->is_amd ? "23" : "6", p * 20, p * 20 + 1);
	for (unsigned g = 0; g < maker->n_gpus; g++)
		(void)es_buf_printf(
			&maker->discovery,
			", \"gpu-nvidia-%u\": {\"vendor_id\": \"nvidia\", \"modelname\": \"MadeUp\", \"coreid\": {\"1000\": [\"1000\"]}}",
			g);
	(void)es_buf_printf(&maker->discovery, "}, \"data\": [%s]}",
			    maker->discovery_rows ? maker->discovery_rows : rows);
}

void es_maker_run(struct es_maker *maker)
{
	struct clockwork work = { .maker = maker, .random = 12345, .is_first = true };

	maker->node = maker->node ? maker->node : "made-1";
	maker->job = maker->job ? maker->job : "20221108030822";
	maker->low_w = maker->high_w > 0 ? maker->low_w : 60;
	maker->high_w = maker->high_w > 0 ? maker->high_w : 300;
	work.whole_s = maker->n_sweeps * (PERIOD_S + maker->jitter_s / 2);
	for (unsigned i = 0; i < maker->n_stalls; i++)
		work.whole_s += maker->stalls[i].dur_s;
	es_buf_init(&maker->raw, 256 << 20);
	(void)es_buf_printf(
		&maker->raw,
		"{\"date\": \"2022/11/08 03:08:22\", \"timestamp\": \"" ES_MAKER_DATE
		"\", \"pgm\": \"es_read_rt.py@inria\", "
		"\"msr_access_method\": \"rdmsr\", \"eprofile_period(ms)\": 500, \"synchro\": [], \"data\": [");
	for (uint32_t sweep = 0; sweep < maker->n_sweeps; sweep++)
		one_sweep(&work, sweep);
	(void)es_buf_printf(&maker->raw, "]}");
	maker->end_s = work.t_s;
	put_discovery(maker);
}
