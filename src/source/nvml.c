/*
 * source/nvml.c - energy counters of NVIDIA's GPUs through the driver's library
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "source/nvml_gpus.h"
#include "source/slow.h"
#include "source/source.h"
#include "sys/pci.h"

#define START_MAX_NS (30 * ES_NS_PER_S) /* eight GPUs that were asleep take ten seconds and more */
#define QUICK_NS (10 * ES_NS_PER_MS) /* half of the shortest time in which anything changes */
#define AGAIN_NS ES_NS_PER_S

struct nvml {
	struct es_source source;
	struct es_slow *slow; /* NULL: only what is not there is listed */
	struct es_nvml_gpus *gpus; /* the thread's; only what may be set by others is touched */
	struct es_reading *latest; /* of domains and signals */
	int error; /* then: why */
	int64_t sweep_ns; /* what the library takes for all GPUs */
};

static const struct es_slow_ops slow_ops = {
	.name = "es-nvml",
	.begin = es_nvml_gpus_begin,
	.read = es_nvml_gpus_read,
	.release = es_nvml_gpus_release,
	.take = es_nvml_gpus_take,
	.end = es_nvml_gpus_end,
};

/* What would make the library answer. */
static void say_fix(const struct es_pci_gpu *gpu, int error, struct es_domain *domain)
{
	const char *fix = "";

	if (error == -EACCES) {
		domain->state = ES_STATE_DENIED;
		fix = "sudo usermod -aG \"$(stat -c %G /dev/nvidiactl)\" \"$USER\"";
	} else if (error == -ENODEV && strcmp(gpu->driver, "nvidia") != 0) {
		fix = "sudo modprobe nvidia";
	} else if (error == -ENOENT) {
		fix = "install the driver's libnvidia-ml.so.1 (Debian: sudo apt-get install libnvidia-ml1)";
	} else if (error == -EPROTO) {
		fix = "sudo reboot";
	} else if (error == -ENOSYS) {
		fix = "install a driver of 2018 or later (410)";
	}
	(void)snprintf(domain->fix, sizeof(domain->fix), "%s", fix);
}

/* The bus shows GPUs that the library does not: each with the reason. @error stays where the bus shows none. */
static int list_unread(const struct es_root *root, struct nvml *nvml, int error,
		       struct es_error *err)
{
	struct es_pci_gpu gpus[ES_PCI_GPUS_MAX];
	uint32_t n = es_pci_find_gpus(root, gpus);
	struct es_domain *domains = calloc(n + 1, sizeof(*domains));
	size_t n_domains = 0;

	if (!domains)
		return es_error_set(err, -ENOMEM, "nvml");
	for (uint32_t i = 0; i < n; i++) {
		struct es_domain *domain = &domains[n_domains];

		if (strncmp(gpus[i].model, "NVIDIA", 6) != 0)
			continue;
		es_domain_init(domain, es_source_nvml.name, ES_DOMAIN_GPU, (int32_t)n_domains++,
			       -1);
		domain->kind = ES_KIND_MEASURED;
		domain->state = ES_STATE_ABSENT;
		(void)snprintf(domain->pci, sizeof(domain->pci), "%.15s", gpus[i].address);
		(void)snprintf(domain->model, sizeof(domain->model), "%.63s", gpus[i].model);
		(void)snprintf(domain->reason, sizeof(domain->reason), "%.200s", err->text);
		if (error == -ENODEV && gpus[i].driver[0] && strcmp(gpus[i].driver, "nvidia") != 0)
			(void)snprintf(domain->reason, sizeof(domain->reason),
				       "its driver is %.31s, which tells no energy; %.150s",
				       gpus[i].driver, err->text);
		say_fix(&gpus[i], error, domain);
	}
	if (n_domains == 0) {
		free(domains);
		return error;
	}
	nvml->source.domains = domains;
	nvml->source.n_domains = n_domains;
	nvml->error = error;
	return 0;
}

/* Without right to the driver's device the library would only say that it found nothing. */
static int check_rights(const struct es_root *root, struct es_error *err)
{
	es_cleanup(es_closep) int fd =
		root->judges_rights ? es_root_openat(root, "dev/nvidiactl", O_RDONLY) : -ENOENT;

	return fd == -EACCES
		       ? es_error_say(err, fd, "/dev/nvidiactl may be opened by its group only")
		       : 0;
}

/* What the library took for the newest sweep. */
static int64_t sum_widths(const struct nvml *nvml)
{
	int64_t sum_ns = 0;

	es_slow_latest(nvml->slow, nvml->latest);
	for (size_t i = 0; i < nvml->source.n_domains; i++)
		if (nvml->source.domains[i].type == ES_DOMAIN_GPU)
			sum_ns += nvml->latest[i].width_ns;
	return sum_ns;
}

/* The better of two sweeps, where the first one, which was taken at the start, was not quick: it may have lost its CPU. */
static int find_sweep(struct nvml *nvml)
{
	int64_t again_ns;

	nvml->latest =
		calloc(nvml->source.n_domains + nvml->source.n_signals, sizeof(*nvml->latest));
	if (!nvml->latest)
		return -ENOMEM;
	nvml->sweep_ns = sum_widths(nvml);
	if (nvml->sweep_ns > QUICK_NS) {
		es_slow_ask(nvml->slow);
		if (es_slow_wait(nvml->slow, AGAIN_NS) == 0) {
			again_ns = sum_widths(nvml);
			nvml->sweep_ns = again_ns < nvml->sweep_ns ? again_ns : nvml->sweep_ns;
		}
	}
	return 0;
}

static int start(const struct es_root *root, struct nvml *nvml, struct es_error *err)
{
	struct es_nvml_gpus *gpus = calloc(1, sizeof(*gpus));
	int r = gpus ? es_root_dup(root, &gpus->root) : -ENOMEM;

	if (r < 0) {
		free(gpus);
		return es_error_set(err, r, "nvml");
	}
	r = es_slow_start(&slow_ops, gpus, START_MAX_NS, &nvml->slow, &nvml->source.start_ns, err);
	if (r == -ETIMEDOUT)
		return es_error_say(err, r, "the library did not start within %lld s",
				    (long long)(START_MAX_NS / ES_NS_PER_S));
	if (r < 0)
		return r;
	nvml->source.domains = gpus->domains;
	nvml->source.n_domains = gpus->n_domains;
	gpus->domains = NULL;
	nvml->source.signals = gpus->signals;
	nvml->source.n_signals = gpus->n_signals;
	gpus->signals = NULL;
	nvml->gpus = gpus;
	return find_sweep(nvml);
}

static void nvml_close(struct es_source *source)
{
	struct nvml *nvml = (struct nvml *)source;

	if (!nvml)
		return;
	es_slow_stop(nvml->slow);
	free(source->domains);
	free(source->signals);
	free(nvml->latest);
	free(nvml);
}

static int nvml_open(const struct es_root *root, struct es_source **ret, struct es_error *err)
{
	struct es_error why = { .code = 0 };
	struct nvml *nvml;
	int r;

	/* The library starts helpers of its own, which may load drivers: it is asked only where it has something to say. */
	if (!es_nvml_may_be_here(root))
		return es_error_say(err, -ENODEV, "no NVIDIA GPU here");
	nvml = calloc(1, sizeof(*nvml));
	if (!nvml)
		return es_error_set(err, -ENOMEM, "nvml");
	nvml->source.ops = &es_source_nvml;
	r = check_rights(root, &why);
	if (r == 0)
		r = start(root, nvml, &why);
	if (r < 0 && r != -ENOMEM)
		r = list_unread(root, nvml, r, &why);
	if (r < 0) {
		if (err)
			*err = why;
		nvml_close(&nvml->source);
		return r;
	}
	*ret = &nvml->source;
	return 0;
}

static int nvml_plan(const struct es_source *source, struct es_plan *ret)
{
	struct es_plan plan = { .at_least_ns = INT64_MAX, .at_most_ns = INT64_MAX };
	int64_t busy_ns = 2 * ((const struct nvml *)source)->sweep_ns;

	for (size_t i = 0; i < source->n_domains; i++) {
		int64_t update_ns = source->domains[i].update_period_ns;

		/* A mean over a second is shown anew ten times in it. */
		if (source->domains[i].is_power && update_ns == ES_NS_PER_S)
			update_ns /= 10;
		if (update_ns > 0 && update_ns < plan.at_most_ns)
			plan.at_most_ns = update_ns;
	}
	plan.at_most_ns = plan.at_most_ns == INT64_MAX ? 0 : plan.at_most_ns;
	/* A library that is slower than its GPUs is not kept busy for more than half of the time. */
	plan.at_most_ns = busy_ns > plan.at_most_ns ? busy_ns : plan.at_most_ns;
	*ret = plan;
	return 0;
}

static void nvml_ask(struct es_source *source)
{
	struct nvml *nvml = (struct nvml *)source;

	if (nvml->slow)
		es_slow_ask(nvml->slow);
}

static int nvml_wait(struct es_source *source, int64_t wait_ns)
{
	struct nvml *nvml = (struct nvml *)source;

	return nvml->slow ? es_slow_wait(nvml->slow, wait_ns) : 0;
}

static int nvml_read(struct es_source *source, struct es_reading *ret, size_t n)
{
	struct nvml *nvml = (struct nvml *)source;

	if (n < source->n_domains)
		return -EINVAL;
	if (!nvml->slow)
		return nvml->error;
	es_slow_latest(nvml->slow, nvml->latest);
	memcpy(ret, nvml->latest, source->n_domains * sizeof(*ret));
	return 0;
}

/* Of the sweep that was taken last: they are read in it once a second. */
static int nvml_read_signals(struct es_source *source, struct es_reading *ret, size_t n)
{
	struct nvml *nvml = (struct nvml *)source;

	if (n < source->n_signals)
		return -EINVAL;
	if (!nvml->slow)
		return nvml->error;
	memcpy(ret, nvml->latest + source->n_domains, source->n_signals * sizeof(*ret));
	return 0;
}

static void nvml_spare_profilers(struct es_source *source)
{
	struct nvml *nvml = (struct nvml *)source;

	if (nvml->slow)
		atomic_store(&nvml->gpus->spares_profilers, true);
}

static int nvml_users(struct es_source *source, struct es_gpu_user *ret, size_t max)
{
	struct nvml *nvml = (struct nvml *)source;

	return nvml->slow ? es_nvml_users_latest(&nvml->gpus->users, ret, max) : nvml->error;
}

static int nvml_release(struct es_source *source)
{
	struct nvml *nvml = (struct nvml *)source;

	/* A library that did not start in time is still at it, and may hold what it opened. */
	if (!nvml->slow)
		return nvml->error == -ETIMEDOUT ? -EBUSY : 0;
	return es_slow_release(nvml->slow);
}

static void nvml_take(struct es_source *source)
{
	struct nvml *nvml = (struct nvml *)source;

	if (nvml->slow)
		es_slow_take(nvml->slow);
}

const struct es_source_ops es_source_nvml = {
	.name = "nvml",
	.open = nvml_open,
	.plan = nvml_plan,
	.read = nvml_read,
	.read_signals = nvml_read_signals,
	.spare_profilers = nvml_spare_profilers,
	.users = nvml_users,
	.release = nvml_release,
	.take = nvml_take,
	.ask = nvml_ask,
	.wait = nvml_wait,
	.close = nvml_close,
};
