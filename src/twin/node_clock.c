/*
 * node_clock.c - clocks that the cores of a simulated node are asked for
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "twin/node_private.h"

enum {
	PERFORMANCE,
	POWERSAVE,
	USERSPACE,
	ONDEMAND,
	CONSERVATIVE,
	SCHEDUTIL,
};

static const char *const governors[] = {
	[PERFORMANCE] = "performance", [POWERSAVE] = "powersave",	[USERSPACE] = "userspace",
	[ONDEMAND] = "ondemand",       [CONSERVATIVE] = "conservative", [SCHEDUTIL] = "schedutil",
};

static bool has_word(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = words; at && *at;) {
		size_t length = strcspn(at, " ");

		if (length == n && !strncmp(at, word, n))
			return true;
		at += length;
		at += strspn(at, " ");
	}
	return false;
}

static bool is_acpi(const struct es_twin_kind *kind)
{
	return kind->meters.cpufreq_driver && !strcmp(kind->meters.cpufreq_driver, "acpi-cpufreq");
}

/* As a distribution leaves it: what keeps clocks high under load. */
static uint8_t first_governor(const struct es_twin_kind *kind)
{
	if (is_acpi(kind) && has_word(kind->governors, governors[SCHEDUTIL]))
		return SCHEDUTIL;
	return kind->governors && has_word(kind->governors, governors[POWERSAVE]) && !is_acpi(kind)
		       ? POWERSAVE
		       : PERFORMANCE;
}

void es_twin_threads_init(struct es_twin_node *node)
{
	uint8_t governor = first_governor(node->kind);

	for (unsigned cpu = 0; cpu < es_twin_n_cpus(node->kind); cpu++)
		node->threads[cpu] = (struct es_twin_thread){
			.min_khz = (uint64_t)node->kind->cpu.min_mhz * 1000,
			.max_khz = es_twin_cpu_max_khz(node->kind),
			.speed_khz = (uint64_t)node->kind->cpu.base_mhz * 1000,
			.governor = governor,
		};
}

/* Highest clock of a package with so many cores awake. */
static double top_mhz(const struct es_twin_node *node, unsigned n_active)
{
	const struct es_twin_cpu *cpu = &node->kind->cpu;

	if (node->is_turbo_off)
		return cpu->base_mhz;
	for (size_t i = 0; i < cpu->n_turbos; i++) {
		if (n_active <= cpu->turbos[i].n_cores)
			return cpu->turbos[i].mhz;
	}
	return es_twin_cpu_reference_mhz(cpu);
}

/* What thread @cpu is asked for while it works, in a package that could do @top_mhz. */
static double asked_mhz(const struct es_twin_node *node, unsigned cpu, double top)
{
	const struct es_twin_thread *thread = &node->threads[cpu];
	const struct es_twin_cpu *model = &node->kind->cpu;
	uint64_t min_khz, max_khz, khz;
	double mhz;

	es_twin_core_range(node, cpu, &min_khz, &max_khz);
	khz = max_khz;
	if (thread->governor == USERSPACE)
		khz = thread->speed_khz < min_khz   ? min_khz
		      : thread->speed_khz > max_khz ? max_khz
						    : thread->speed_khz;
	else if (thread->governor == POWERSAVE && is_acpi(node->kind))
		khz = min_khz;
	if (is_acpi(node->kind) && khz >= es_twin_cpu_max_khz(node->kind))
		return top;
	khz -= khz % (model->step_mhz * 1000ULL);
	mhz = (double)khz / 1000;
	return es_twin_least(top, es_twin_most(mhz, model->min_mhz));
}

void es_twin_classes_flush(struct es_twin_node *node)
{
	unsigned n_all = node->kind->n_packages * node->kind->cpu.n_cores;

	for (unsigned core = 0; core < n_all; core++) {
		const struct es_twin_class *class = &node->classes[node->cores[core].class];

		node->cores[core].busy_ns += class->busy_ns;
		node->cores[core].cycles_a += class->cycles_a;
		node->cores[core].cycles_m += class->cycles_m;
	}
}

static uint32_t loads_on(const struct es_twin_node *node, unsigned core)
{
	uint32_t loads = 0;

	for (uint32_t left = node->active; left; left &= left - 1) {
		unsigned i = (unsigned)__builtin_ctz(left);

		if ((node->loads[i].cores[core / 64] >> (core % 64)) & 1)
			loads |= UINT32_C(1) << i;
	}
	return loads;
}

/* Cores awake for the sake of turbo: a load that only waits for GPUs keeps one of each package awake. */
static unsigned n_active(const struct es_twin_node *node, unsigned package)
{
	unsigned n = 0;

	for (uint32_t left = node->active; left; left &= left - 1) {
		const struct es_twin_load *load = &node->loads[__builtin_ctz(left)];
		const struct es_twin_phase *phase = es_twin_load_phase(load);

		if (phase->cpu_ns || phase->memory_ns || phase->communication_ns)
			n += load->n_cores_of[package];
		else
			n += load->n_cores_of[package] ? 1 : 0;
	}
	return n < node->kind->cpu.n_cores ? n : node->kind->cpu.n_cores;
}

static size_t class_of(struct es_twin_node *node, unsigned package, uint32_t loads, double mhz)
{
	size_t i;

	for (i = node->packages[package].class_begin; i < node->n_classes; i++) {
		if (node->classes[i].loads == loads &&
		    !(node->classes[i].asked_mhz < mhz || node->classes[i].asked_mhz > mhz))
			return i;
	}
	node->classes[node->n_classes++] = (struct es_twin_class){
		.package = package,
		.loads = loads,
		.asked_mhz = mhz,
		.mhz = mhz,
	};
	return i;
}

void es_twin_classes_arrange(struct es_twin_node *node)
{
	unsigned n = node->kind->cpu.n_cores;

	es_twin_classes_flush(node);
	node->n_classes = 0;
	for (unsigned p = 0; p < node->kind->n_packages; p++) {
		struct es_twin_package *package = &node->packages[p];
		double top;

		package->n_active = n_active(node, p);
		top = top_mhz(node, package->n_active);
		package->class_begin = node->n_classes;
		for (unsigned c = 0; c < n; c++) {
			unsigned core = p * n + c;
			uint32_t loads = loads_on(node, core);
			double mhz = loads ? asked_mhz(node, core, top) : node->kind->cpu.min_mhz;
			size_t i = class_of(node, p, loads, mhz);

			node->cores[core].class = (uint16_t)i;
			node->classes[i].n++;
		}
		package->class_end = node->n_classes;
	}
}

static int check_cpu(const struct es_twin_node *node, unsigned cpu)
{
	if (!node->kind->meters.has_cpufreq)
		return -EOPNOTSUPP;
	return cpu < es_twin_n_cpus(node->kind) ? 0 : -ENODEV;
}

static uint64_t clamp_khz(uint64_t khz, uint64_t min_khz, uint64_t max_khz)
{
	return khz < min_khz ? min_khz : khz > max_khz ? max_khz : khz;
}

int es_twin_set_core_range(struct es_twin_node *node, unsigned cpu, uint64_t min_khz,
			   uint64_t max_khz)
{
	int r = check_cpu(node, cpu);

	if (r < 0)
		return r;
	node->threads[cpu].min_khz = min_khz;
	node->threads[cpu].max_khz = max_khz;
	node->needs_arrange = true;
	es_twin_replan(node);
	return 0;
}

/* cpufreq_verify_within_limits() of the kernel: clamps, and the lower end gives way. */
void es_twin_core_range(const struct es_twin_node *node, unsigned cpu, uint64_t *ret_min_khz,
			uint64_t *ret_max_khz)
{
	const struct es_twin_thread *thread = &node->threads[cpu];
	uint64_t low_khz = (uint64_t)node->kind->cpu.min_mhz * 1000;
	uint64_t high_khz = es_twin_cpu_max_khz(node->kind);
	uint64_t max_khz = clamp_khz(thread->max_khz, low_khz, high_khz);

	*ret_max_khz = max_khz;
	*ret_min_khz = clamp_khz(thread->min_khz, low_khz, max_khz);
}

int es_twin_set_governor(struct es_twin_node *node, unsigned cpu, const char *governor)
{
	int r = check_cpu(node, cpu);

	if (r < 0)
		return r;
	if (!has_word(node->kind->governors, governor))
		return -EINVAL;
	for (size_t i = 0; i < ES_ARRAY_SIZE(governors); i++) {
		if (!strcmp(governors[i], governor)) {
			node->threads[cpu].governor = (uint8_t)i;
			node->needs_arrange = true;
			es_twin_replan(node);
			return 0;
		}
	}
	return -EINVAL;
}

const char *es_twin_governor(const struct es_twin_node *node, unsigned cpu)
{
	return governors[node->threads[cpu].governor];
}

int es_twin_set_speed(struct es_twin_node *node, unsigned cpu, uint64_t khz)
{
	int r = check_cpu(node, cpu);

	if (r < 0)
		return r;
	if (node->threads[cpu].governor != USERSPACE)
		return -EINVAL;
	node->threads[cpu].speed_khz = khz;
	node->needs_arrange = true;
	es_twin_replan(node);
	return 0;
}

int es_twin_set_turbo(struct es_twin_node *node, bool is_on)
{
	if (!node->kind->meters.has_cpufreq)
		return -EOPNOTSUPP;
	node->is_turbo_off = !is_on;
	node->needs_arrange = true;
	es_twin_replan(node);
	return 0;
}

bool es_twin_turbo(const struct es_twin_node *node)
{
	return !node->is_turbo_off;
}

/* What a core at rest shows: a governor that never steps down keeps its clock. */
static double resting_mhz(const struct es_twin_node *node, unsigned cpu)
{
	uint8_t governor = node->threads[cpu].governor;

	if (governor == PERFORMANCE || governor == USERSPACE)
		return asked_mhz(node, cpu, top_mhz(node, 1));
	return es_twin_most(node->kind->cpu.min_mhz, 0);
}

uint64_t es_twin_core_khz(const struct es_twin_node *node, unsigned cpu)
{
	const struct es_twin_kind *kind = node->kind;
	unsigned core = cpu % (kind->n_packages * kind->cpu.n_cores);
	const struct es_twin_class *class = &node->classes[node->cores[core].class];
	const struct es_twin_package *package = &node->packages[core / kind->cpu.n_cores];
	double mhz = class->loads ? class->mhz : resting_mhz(node, cpu);

	return (uint64_t)(es_twin_least(mhz,
					es_twin_most(package->ceiling_mhz, kind->cpu.min_mhz)) *
				  1000 +
			  0.5);
}
