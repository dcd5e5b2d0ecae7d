/*
 * source/activity_clock.c - clocks that processors really ran at, by their registers APERF and MPERF
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/activity_clock.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/hot.h"
#include "base/parse.h"
#include "sys/cpus.h"
#include "sys/perf.h"

/*
 * Both count only while a CPU is not halted: MPERF at the base clock, APERF at the clock of the moment. scaling_cur_freq
 * is not that: it is what was asked for, or a look back over some milliseconds of an idle CPU.
 * Source: Intel SDM vol. 3B, 15.2; AMD PPR, MSR0000_00E7, 00E8.
 */
#define MSR_MPERF 0xe7U
#define MSR_APERF 0xe8U
#define KHZ_MIN 100000U
#define KHZ_MAX 20000000U

uint64_t es_clock_named_khz(const char *cpu_model)
{
	const char *at = strstr(cpu_model, "@ ");
	double ghz;
	char *end;

	if (!at)
		return 0;
	ghz = strtod(at + 2, &end);
	if (strncmp(end, "GHz", 3) != 0 || !(ghz >= 0.1 && ghz <= 20))
		return 0;
	return (uint64_t)(ghz * 1e6 + 0.5);
}

uint64_t es_clock_base_khz(const struct es_root *root, const char *cpu_model)
{
	static const struct {
		const char *path;
		unsigned khz;
	} files[] = { { "sys/devices/system/cpu/cpu0/cpufreq/base_frequency", 1 },
		      { "sys/devices/system/cpu/cpu0/acpi_cppc/nominal_freq", 1000 } };

	for (size_t i = 0; i < ES_ARRAY_SIZE(files); i++) {
		uint64_t v;

		if (es_root_read_u64(root, files[i].path, &v) == 0 && v <= KHZ_MAX &&
		    v * files[i].khz >= KHZ_MIN && v * files[i].khz <= KHZ_MAX)
			return v * files[i].khz;
	}
	return es_clock_named_khz(cpu_model);
}

static int open_msr(const struct es_root *root, uint32_t cpu, struct es_msr *ret)
{
	int r = -ENODEV;

	for (int device = 0; device < ES_N_MSR_DEVICES && r < 0; device++) {
		uint64_t aperf, mperf;
		int other;

		if (!es_msr_exists(root, (enum es_msr_device)device, cpu))
			continue;
		other = es_msr_open(root, (enum es_msr_device)device, cpu, ret);
		if (other == 0) {
			other = es_msr_read(root, ret, MSR_APERF, &aperf);
			other = other < 0 ? other : es_msr_read(root, ret, MSR_MPERF, &mperf);
			/* A file that holds neither shows nothing but zeros. */
			other = other < 0 ? other : aperf || mperf ? 0 : -ENODATA;
			if (other < 0)
				es_msr_close(ret);
		}
		r = other;
	}
	return r;
}

static void explain(struct es_clock *clock, int error)
{
	bool is_denied = error == -EACCES || error == -EPERM;

	(void)snprintf(clock->reason, sizeof(clock->reason), "%s",
		       is_denied ? "registers of the processor (MSR) may not be read"
		       : error == -ENODEV
			       ? "registers of the processor (MSR) are not shown"
			       : "this processor, or its VM, has no registers APERF and MPERF");
	(void)snprintf(clock->fix, sizeof(clock->fix), "%s",
		       is_denied ? "run as root, or sudo setcap cap_sys_rawio=ep …" : "");
}

/* Places in the order of packages; *ret_n is how many CPUs there are in each. */
static size_t count_places(const struct es_cpus *cpus, size_t ret_n[ES_CLOCK_PLACES_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < cpus->n; i++) {
		if (i == 0 || cpus->cpu[i].package != cpus->cpu[i - 1].package) {
			if (n == ES_CLOCK_PLACES_MAX)
				return n;
			ret_n[n++] = 0;
		}
		ret_n[n - 1]++;
	}
	return n;
}

static int open_package(struct es_clock *clock, const struct es_cpu *cpus, size_t n)
{
	size_t n_looked_at = n < ES_CLOCK_CPUS_MAX ? n : ES_CLOCK_CPUS_MAX, place = clock->n_places;

	for (size_t i = 0; i < n_looked_at; i++) {
		struct es_clock_cpu *cpu = &clock->cpus[clock->n_cpus];
		int r;

		*cpu = (struct es_clock_cpu){ .place = place };
		/* Evenly over the package. */
		r = open_msr(&clock->root, cpus[i * n / n_looked_at].cpu, &cpu->msr);
		if (r < 0)
			return r;
		clock->n_cpus++;
	}
	clock->places[clock->n_places++] = (struct es_clock_place){ .package = cpus[0].package };
	return 0;
}

/* Looking at a thousand CPUs takes longer than a run may take to start: not where there is nothing to open. */
static bool has_registers(const struct es_root *root)
{
	char online[ES_SYSFS_FILE_MAX_BYTES];
	const char *list = online;
	unsigned left = 0, cpu = 0;

	if (es_root_read_line(root, "sys/devices/system/cpu/online", online, sizeof(online)) <= 0 ||
	    es_perf_next_cpu(&list, &left, &cpu) <= 0)
		return false;
	return es_msr_exists(root, ES_MSR_KERNEL, cpu) || es_msr_exists(root, ES_MSR_SAFE, cpu);
}

int es_clock_open(const struct es_root *root, struct es_clock *ret)
{
	struct es_clock clock = { .root = *root };
	size_t n_in[ES_CLOCK_PLACES_MAX], n_places, first = 0;
	struct es_cpus cpus;
	int r = has_registers(root) ? es_cpus_read(root, false, &cpus) : -ENODEV;

	if (r < 0) {
		explain(&clock, -ENODEV);
		*ret = clock;
		return r == -ENOMEM ? r : 0;
	}
	clock.n_all_cpus = cpus.n;
	clock.cpus = calloc(ES_CLOCK_PLACES_MAX * ES_CLOCK_CPUS_MAX, sizeof(*clock.cpus));
	n_places = clock.cpus ? count_places(&cpus, n_in) : 0;
	for (size_t i = 0; i < n_places && r == 0; i++) {
		r = open_package(&clock, cpus.cpu + first, n_in[i]);
		first += n_in[i];
	}
	es_cpus_finish(&cpus);
	if (!clock.cpus)
		return -ENOMEM;
	if (r < 0) {
		es_clock_finish(&clock);
		clock.n_places = 0;
		explain(&clock, r);
	}
	*ret = clock;
	return 0;
}

void es_clock_finish(struct es_clock *clock)
{
	for (size_t i = 0; i < clock->n_cpus; i++)
		es_msr_close(&clock->cpus[i].msr);
	free(clock->cpus);
	clock->cpus = NULL;
	clock->n_cpus = 0;
}

/* A CPU that is offline adds nothing; when it is back its registers begin anew. */
es_hot static void read_cpu(struct es_clock *clock, struct es_clock_cpu *cpu)
{
	struct es_clock_place *place = &clock->places[cpu->place];
	uint64_t aperf = 0, mperf = 0;
	int r = es_msr_read(&clock->root, &cpu->msr, MSR_MPERF, &mperf);

	if (r == 0)
		r = es_msr_read(&clock->root, &cpu->msr, MSR_APERF, &aperf);
	if (r == -ENXIO) {
		cpu->has_last = false;
		return;
	}
	if (r < 0) {
		place->error = r;
		return;
	}
	if (cpu->has_last && aperf >= cpu->aperf && mperf >= cpu->mperf) {
		place->aperf += aperf - cpu->aperf;
		place->mperf += mperf - cpu->mperf;
	}
	cpu->has_last = true;
	cpu->aperf = aperf;
	cpu->mperf = mperf;
}

void es_clock_read(struct es_clock *clock)
{
	for (size_t i = 0; i < clock->n_places; i++)
		clock->places[i].error = 0;
	for (size_t i = 0; i < clock->n_cpus; i++)
		read_cpu(clock, &clock->cpus[i]);
}
