/*
 * source/amdgpu.c - energy of AMD GPUs from their table gpu_metrics
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Reading the table of a GPU that sleeps wakes it: such a one is left alone.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hot.h"
#include "source/amdgpu_metrics.h"
#include "source/amdgpu_signals.h"
#include "source/gpu.h"
#include "source/kept.h"
#include "source/source.h"

__extension__ typedef unsigned __int128 es_u128;

#define DEVICES "sys/bus/pci/devices"
#define TABLE_BYTES 4096 /* a page: what an attribute has at most */
#define GPUS_MAX 64
#define STEPS_PER_J 65536
#define UNIT_NJ 15259 /* 2^-16 J, rounded */
#define PERIOD_NS (10 * ES_NS_PER_MS) /* each read asks the GPU's firmware */
#define STALE_NS (3 * ES_NS_PER_S) /* as long with one time in it: the firmware has stopped */

struct gpu {
	char address[32];
	struct es_kept table, status;
	struct es_stamps stamps;
	int64_t new_t_ns; /* when it last had something new */
	bool is_wanted;
	struct es_amdgpu_told told;
};

struct amdgpu {
	struct es_source source;
	struct es_root root; /* a descriptor of its own */
	struct es_domain domains[GPUS_MAX];
	struct gpu gpus[GPUS_MAX];
	struct es_signal *signals; /* of all */
};

es_hot static int read_table(struct amdgpu *amdgpu, size_t i, int64_t now_ns,
			     struct es_amdgpu_metrics *ret)
{
	char data[TABLE_BYTES + 1];
	ssize_t n = es_kept_read(&amdgpu->root, &amdgpu->gpus[i].table, now_ns, data, sizeof(data));

	return n < 0 ? (int)n : es_amdgpu_metrics_parse((const uint8_t *)data, (size_t)n, ret);
}

/* The cap in force, from the hwmon of the same device. */
static void find_limit(const struct amdgpu *amdgpu, const char *address, struct es_domain *domain)
{
	char path[160];
	const struct dirent *entry;
	int r = 0;
	es_cleanup(es_closedirp) DIR *dir = NULL;

	(void)snprintf(path, sizeof(path), DEVICES "/%.31s/hwmon", address);
	dir = es_root_opendir(&amdgpu->root, path, &r);
	while (dir && !domain->limit_mw && (entry = readdir(dir))) {
		uint64_t cap_uw;

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), DEVICES "/%.31s/hwmon/%.63s/power1_cap", address,
			       entry->d_name);
		if (es_root_read_u64(&amdgpu->root, path, &cap_uw) < 0 || cap_uw < 1000 ||
		    cap_uw > INT64_MAX)
			continue;
		domain->limit_mw = cap_uw / 1000;
		(void)snprintf(domain->limit_kind, sizeof(domain->limit_kind), "cap");
	}
}

static void say_absent(struct es_domain *domain, const struct es_amdgpu_metrics *metrics,
		       const char *why)
{
	domain->state = ES_STATE_ABSENT;
	(void)snprintf(domain->reason, sizeof(domain->reason), "gpu_metrics %u.%u: %s",
		       (unsigned)metrics->format, (unsigned)metrics->content, why);
}

static void describe(struct amdgpu *amdgpu, size_t i, const struct es_amdgpu_metrics *metrics)
{
	struct es_domain *domain = &amdgpu->domains[i];

	if (metrics->is_apu && domain->type != ES_DOMAIN_MODULE)
		es_gpu_place(&amdgpu->root, es_source_amdgpu.name, amdgpu->gpus[i].address, true,
			     -1, domain);
	domain->kind = ES_KIND_MEASURED;
	domain->range.unit_nj = UNIT_NJ;
	domain->update_period_ns = ES_NS_PER_MS;
	if (metrics->is_apu) {
		say_absent(domain, metrics, "tables of processors with graphics have no energy");
	} else if (!metrics->has_energy && !metrics->has_power) {
		say_absent(domain, metrics, "this GPU shows neither energy nor power in it");
	} else if (!metrics->has_energy) {
		domain->is_power = true;
		domain->kind = ES_KIND_INTEGRATED;
		domain->range.unit_nj = 0;
		(void)snprintf(domain->reason, sizeof(domain->reason),
			       "its power is added up: gpu_metrics %u.%u shows no energy here",
			       (unsigned)metrics->format, (unsigned)metrics->content);
	} else if (metrics->is_32_bits) {
		domain->range.modulus_nj = (UINT64_C(1) << 32) / STEPS_PER_J * 1000000000;
	}
	if (domain->type == ES_DOMAIN_MODULE && domain->reason[0] == '\0')
		(void)snprintf(domain->reason, sizeof(domain->reason),
			       "the processor with its graphics: contains the package");
}

/* What it tells beside energy; @metrics: NULL: it sleeps, and may tell anything later. */
static void describe_signals(struct amdgpu *amdgpu, size_t i,
			     const struct es_amdgpu_metrics *metrics)
{
	struct es_source *source = &amdgpu->source;

	source->n_signals = es_amdgpu_signals_describe(metrics, amdgpu->domains[i].name,
						       amdgpu->signals, source->n_signals,
						       &amdgpu->gpus[i].told);
}

static void open_gpu(struct amdgpu *amdgpu, const char *address)
{
	struct es_amdgpu_metrics metrics = { .has_energy = true };
	size_t i = amdgpu->source.n_domains++;
	struct gpu *gpu = &amdgpu->gpus[i];
	struct es_domain *domain = &amdgpu->domains[i];
	char path[128];
	int r;

	(void)snprintf(gpu->address, sizeof(gpu->address), "%.31s", address);
	gpu->is_wanted = true;
	es_gpu_place(&amdgpu->root, es_source_amdgpu.name, address,
		     es_gpu_is_apu(&amdgpu->root, address), -1, domain);
	es_gpu_open_status(&amdgpu->root, address, &gpu->status);
	(void)snprintf(path, sizeof(path), DEVICES "/%.31s/gpu_metrics", address);
	r = es_kept_open(&amdgpu->root, path, &gpu->table);
	if (r == 0 && es_gpu_is_asleep(&amdgpu->root, &gpu->status, 0)) {
		describe(amdgpu, i, &metrics);
		describe_signals(amdgpu, i, NULL);
		(void)snprintf(domain->reason, sizeof(domain->reason),
			       "asleep: not read, since that would wake it");
		return;
	}
	for (int tries = 0; r == 0; tries++) {
		r = read_table(amdgpu, i, 0, &metrics);
		if (es_kept_gives_up(r, tries))
			break;
		r = 0;
	}
	if (r == 0 || r == -EOPNOTSUPP)
		describe(amdgpu, i, &metrics);
	if (r == 0)
		describe_signals(amdgpu, i, &metrics);
	if (r == -EOPNOTSUPP)
		say_absent(domain, &metrics, "this version is not known");
	else if (r < 0)
		es_kept_explain(&amdgpu->root, &gpu->table, r, domain);
	if (!domain->is_power && domain->range.unit_nj == 0)
		domain->range.unit_nj = UNIT_NJ;
	find_limit(amdgpu, address, domain);
	if (r == 0 && metrics.energy_steps == 0 && es_gpu_is_second_chip(&amdgpu->root, address))
		es_gpu_say_second_chip(domain);
}

static int compare_addresses(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Every device on the bus that has the table: only AMD's driver makes it. */
static size_t find_gpus(const struct es_root *root, char addresses[GPUS_MAX][32])
{
	const struct dirent *entry;
	size_t n = 0;
	int r = 0;
	es_cleanup(es_closedirp) DIR *dir = es_root_opendir(root, DEVICES, &r);

	while (dir && n < GPUS_MAX && (entry = readdir(dir))) {
		char path[128];

		if (!es_gpu_is_address(entry->d_name))
			continue;
		(void)snprintf(path, sizeof(path), DEVICES "/%.31s/gpu_metrics", entry->d_name);
		if (es_root_exists(root, path))
			(void)snprintf(addresses[n++], 32, "%.31s", entry->d_name);
	}
	qsort(addresses, n, 32, compare_addresses);
	return n;
}

static void amdgpu_close(struct es_source *source)
{
	struct amdgpu *amdgpu = (struct amdgpu *)source;

	if (!amdgpu)
		return;
	for (size_t i = 0; i < source->n_domains; i++) {
		es_kept_close(&amdgpu->gpus[i].table);
		es_kept_close(&amdgpu->gpus[i].status);
	}
	es_root_close(&amdgpu->root);
	free(amdgpu->signals);
	free(amdgpu);
}

static int amdgpu_open(const struct es_root *root, struct es_source **ret, struct es_error *err)
{
	char addresses[GPUS_MAX][32];
	size_t n = find_gpus(root, addresses);
	struct amdgpu *amdgpu;
	int r;

	if (n == 0)
		return es_error_say(err, -ENODEV, "no GPU here has a table gpu_metrics");
	amdgpu = calloc(1, sizeof(*amdgpu));
	if (amdgpu)
		amdgpu->signals = calloc(n * ES_N_AMDGPU_SIGNALS, sizeof(*amdgpu->signals));
	r = amdgpu && amdgpu->signals ? es_root_dup(root, &amdgpu->root) : -ENOMEM;
	if (r < 0) {
		if (amdgpu)
			free(amdgpu->signals);
		free(amdgpu);
		return es_error_set(err, r, "amdgpu");
	}
	amdgpu->source = (struct es_source){ .ops = &es_source_amdgpu, .domains = amdgpu->domains };
	for (size_t i = 0; i < n; i++)
		open_gpu(amdgpu, addresses[i]);
	amdgpu->source.signals = amdgpu->signals;
	*ret = &amdgpu->source;
	return 0;
}

static int amdgpu_plan(const struct es_source *source, struct es_plan *ret)
{
	struct es_plan plan = { .at_least_ns = INT64_MAX, .at_most_ns = PERIOD_NS };

	for (size_t i = 0; i < source->n_domains; i++) {
		int64_t wrap_ns =
			es_counter_wrap_ns(&source->domains[i].range, source->domains[i].peak_mw);

		if (wrap_ns < INT64_MAX && wrap_ns / 4 < plan.at_least_ns)
			plan.at_least_ns = wrap_ns / 4;
	}
	*ret = plan;
	return 0;
}

static void amdgpu_want(struct es_source *source, const bool *wanted)
{
	struct amdgpu *amdgpu = (struct amdgpu *)source;

	for (size_t i = 0; i < source->n_domains; i++)
		amdgpu->gpus[i].is_wanted = wanted[i];
}

/* The value that @domain is of, and the time of it where the table tells one (else @ret_t_ns stays). */
es_hot static int take_value(struct gpu *gpu, const struct es_domain *domain,
			     const struct es_amdgpu_metrics *metrics, int64_t t_ns,
			     struct es_reading *ret)
{
	bool has_time = metrics->has_firmware || metrics->has_clock;
	es_u128 energy_uj = (es_u128)metrics->energy_steps * 1000000 / STEPS_PER_J;
	int64_t placed_ns = t_ns;

	if (domain->is_power ? !metrics->has_power : !metrics->has_energy)
		return -EOPNOTSUPP;
	if (!domain->is_power && energy_uj > INT64_MAX)
		return -ERANGE;
	if (has_time)
		placed_ns = es_stamps_place(&gpu->stamps,
					    (int64_t)(metrics->has_firmware ? metrics->firmware_ns
									    : metrics->clock_ns),
					    t_ns);
	if (placed_ns < 0)
		return t_ns - gpu->new_t_ns > STALE_NS ? -ENODATA : -ECANCELED;
	gpu->new_t_ns = t_ns;
	ret->t_ns = placed_ns;
	ret->value = domain->is_power ? metrics->power_mw : (uint64_t)energy_uj;
	return 0;
}

es_hot static int amdgpu_read(struct es_source *source, struct es_reading *ret, size_t n)
{
	struct amdgpu *amdgpu = (struct amdgpu *)source;

	if (n < source->n_domains)
		return -EINVAL;
	for (size_t i = 0; i < source->n_domains; i++) {
		struct gpu *gpu = &amdgpu->gpus[i];
		struct es_amdgpu_metrics metrics;
		int64_t t0_ns = es_clock_boot_ns(), t1_ns;
		int r;

		ret[i] = (struct es_reading){ .t_ns = t0_ns, .error = -ECANCELED };
		/* What sleeps draws next to nothing: a gap, not a failure. */
		if (!gpu->is_wanted || es_gpu_is_asleep(&amdgpu->root, &gpu->status, t0_ns))
			continue;
		r = read_table(amdgpu, i, t0_ns, &metrics);
		t1_ns = es_clock_boot_ns();
		ret[i].t_ns = t0_ns + (t1_ns - t0_ns) / 2;
		ret[i].width_ns = t1_ns - t0_ns;
		if (r == 0) {
			gpu->told.metrics = metrics;
			gpu->told.t_ns = ret[i].t_ns;
		}
		if (r == 0)
			r = take_value(gpu, &source->domains[i], &metrics, ret[i].t_ns, &ret[i]);
		ret[i].error = r;
	}
	return 0;
}

/* From the tables of the last sweep: nothing is read, and nobody woken. */
static int amdgpu_read_signals(struct es_source *source, struct es_reading *ret, size_t n)
{
	struct amdgpu *amdgpu = (struct amdgpu *)source;

	if (n < source->n_signals)
		return -EINVAL;
	for (size_t i = 0; i < source->n_domains; i++)
		es_amdgpu_signals_take(&amdgpu->gpus[i].told, ret);
	return 0;
}

const struct es_source_ops es_source_amdgpu = {
	.name = "amdgpu",
	.open = amdgpu_open,
	.plan = amdgpu_plan,
	.want = amdgpu_want,
	.read = amdgpu_read,
	.read_signals = amdgpu_read_signals,
	.close = amdgpu_close,
};
