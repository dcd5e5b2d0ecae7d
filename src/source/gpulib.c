/*
 * source/gpulib.c - GPUs by a vendor's library, where the kernel's own files do not show their energy
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * To start such a library opens the devices of all GPUs, which wakes those that sleep: as long as one does it is not
 * started.
 */
#include "source/gpulib.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "source/aside.h"
#include "source/gpu.h"
#include "source/kept.h"
#include "sys/pci.h"

#define START_MAX_NS (30 * ES_NS_PER_S)
#define PERIOD_NS (100 * ES_NS_PER_MS)
#define MEND_FIRST_NS (100 * ES_NS_PER_MS)
#define MEND_LAST_NS (10 * ES_NS_PER_S)
#define STALE_NS (3 * ES_NS_PER_S) /* as long with one time in it: what is shown is a copy */
#define STILL_NS (2 * ES_NS_PER_S) /* far longer than any counter stands */
#define STILL_MW 2000 /* a power from which on it must count */

struct meter {
	struct es_gpulib_meter now; /* its handle is NULL while it cannot be asked */
	struct es_kept status; /* whether its GPU sleeps */
	struct es_stamps stamps;
	bool has_read;
	uint64_t last_uj; /* of the counter, and when it was last seen to move */
	int64_t moved_ns;
	int64_t new_ns; /* when it last had a new time */
};

struct gpulib {
	struct es_aside_work work;
	const struct es_gpulib_ops *ops;
	struct es_root root; /* a descriptor of its own */
	void *library; /* NULL: not started */
	struct meter *meters; /* in the order of the domains */
	bool needs_mending;
	int64_t retry_ns,
		pause_ns; /* not before, boot clock; twice as long after each time in vain */
};

static uint32_t find_gpus(const struct es_root *root, const char *vendor, struct es_pci_gpu *ret)
{
	uint32_t n = es_pci_find_gpus(root, ret), n_kept = 0;

	for (uint32_t i = 0; i < n; i++)
		if (strncmp(ret[i].model, vendor, strlen(vendor)) == 0)
			ret[n_kept++] = ret[i];
	return n_kept;
}

bool es_gpulib_is_needed(const struct es_root *root, const char *vendor,
			 const struct es_domain *domains, size_t n)
{
	struct es_pci_gpu gpus[ES_PCI_GPUS_MAX];
	uint32_t n_gpus = find_gpus(root, vendor, gpus);

	for (uint32_t i = 0; i < n_gpus; i++) {
		bool is_read = false;

		for (size_t j = 0; j < n && !is_read; j++)
			is_read = domains[j].state != ES_STATE_DENIED &&
				  domains[j].state != ES_STATE_ABSENT && !domains[j].is_partial &&
				  strcmp(domains[j].pci, gpus[i].address) == 0;
		if (!is_read && !es_gpu_is_second_chip(root, gpus[i].address))
			return true;
	}
	return false;
}

void es_gpulib_text(const char *text, size_t n, char *ret, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < n && text[i] && used + 1 < size; i++) {
		unsigned char c = (unsigned char)text[i];

		ret[used++] = c < 0x20 || c >= 0x7f ? '?' : (char)c;
	}
	ret[used] = '\0';
}

void es_gpulib_address(uint64_t domain, unsigned bus, unsigned device, unsigned function,
		       char ret[static 24])
{
	(void)snprintf(ret, 24, "%04x:%02x:%02x.%x", (unsigned)domain, bus & 0xff, device & 0x1f,
		       function & 7);
}

static void describe(const struct gpulib *gpulib, const struct es_gpulib_meter *meter,
		     struct es_domain *ret)
{
	const char *name = gpulib->ops->source->name;
	bool is_apu = es_gpu_is_apu(&gpulib->root, meter->address);
	size_t n;

	es_gpu_place(&gpulib->root, name, meter->address, is_apu, meter->die, ret);
	n = strlen(ret->name);
	if (meter->part[0])
		(void)snprintf(ret->name + n, sizeof(ret->name) - n, "-%s", meter->part);
	(void)snprintf(ret->id, sizeof(ret->id), "%.31s/%.200s", name, ret->name);
	ret->is_power = meter->is_power;
	ret->kind = meter->is_power ? ES_KIND_INTEGRATED : ES_KIND_MEASURED;
	/* 64 bits since the driver was loaded: no wrap, and a step back is a driver loaded again. */
	ret->range = (struct es_counter_range){ .unit_nj = meter->is_power ? 0 : meter->unit_nj };
	ret->update_period_ns = PERIOD_NS;
	ret->limit_mw = meter->limit_mw;
	if (meter->limit_mw)
		(void)snprintf(ret->limit_kind, sizeof(ret->limit_kind), "cap");
	(void)snprintf(ret->model, sizeof(ret->model), "%s", meter->model);
	(void)snprintf(ret->uuid, sizeof(ret->uuid), "%s", meter->uuid);
	if (is_apu)
		(void)snprintf(ret->reason, sizeof(ret->reason),
			       "the processor with its graphics: contains the package");
	/* Graphics in the processor's package, which the bus does not count among its GPUs. */
	if (meter->is_unclear || ret->package < 0) {
		ret->type = ES_DOMAIN_OTHER;
		ret->is_partial = true;
		(void)snprintf(ret->reason, sizeof(ret->reason), "%s",
			       ret->package < 0 ? "in the package's energy already"
						: "a part of the card: in no sum");
	}
	if (meter->error < 0) {
		ret->state = meter->error == -EACCES ? ES_STATE_DENIED : ES_STATE_ABSENT;
		ret->is_there = meter->error != -EOPNOTSUPP;
		(void)snprintf(ret->reason, sizeof(ret->reason),
			       meter->error == -EOPNOTSUPP
				       ? "this GPU shows neither energy nor power to the library"
				       : "the library cannot read it: %.160s",
			       es_strerror(meter->error));
		if (meter->error == -EACCES)
			(void)snprintf(ret->fix, sizeof(ret->fix), "%s", gpulib->ops->fix);
	} else if (es_gpu_is_second_chip(&gpulib->root, meter->address)) {
		es_gpu_say_second_chip(ret);
	}
}

/* A meter and its domain; both arrays have room. The one that contains it comes before it. */
static void add(struct gpulib *gpulib, const struct es_gpulib_meter *now)
{
	size_t i = gpulib->work.n_domains++;
	struct es_domain *domains = gpulib->work.domains;
	struct meter *meter = &gpulib->meters[i];

	meter->now = *now;
	es_gpu_open_status(&gpulib->root, now->address, &meter->status);
	describe(gpulib, now, &domains[i]);
	for (size_t j = 0; j < i; j++)
		if (strcmp(domains[j].pci, domains[i].pci) == 0 && domains[j].die < 0 &&
		    !domains[j].is_partial && (domains[i].die >= 0 || domains[i].is_partial))
			domains[i].parent = (int32_t)j;
}

static int list(struct gpulib *gpulib, struct es_gpulib_meter **ret, struct es_error *err)
{
	es_cleanup(es_freep) struct es_gpulib_meter *meters =
		calloc(ES_GPULIB_METERS_MAX, sizeof(*meters));
	int n = meters ? gpulib->ops->list(gpulib->library, &gpulib->root, meters, err)
		       : es_error_set(err, -ENOMEM, "%s", gpulib->ops->source->name);

	if (n >= 0)
		*ret = es_steal_ptr(meters);
	return n;
}

static void stop(struct gpulib *gpulib)
{
	if (gpulib->library)
		gpulib->ops->close(gpulib->library);
	gpulib->library = NULL;
}

static bool has_sleeper(struct gpulib *gpulib, const struct es_pci_gpu *gpus, uint32_t n)
{
	bool sleeps = false;

	for (uint32_t i = 0; i < n && !sleeps; i++) {
		struct es_kept status;

		es_gpu_open_status(&gpulib->root, gpus[i].address, &status);
		sleeps = es_gpu_is_asleep(&gpulib->root, &status, 0);
		es_kept_close(&status);
	}
	return sleeps;
}

/* What is known of GPUs without their library: one counter each. */
static void add_sleepers(struct gpulib *gpulib, const struct es_pci_gpu *gpus, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		struct es_gpulib_meter meter = { .die = -1, .unit_nj = 1000 };
		struct es_domain *domain = &gpulib->work.domains[gpulib->work.n_domains];

		(void)snprintf(meter.address, sizeof(meter.address), "%.15s", gpus[i].address);
		(void)snprintf(meter.model, sizeof(meter.model), "%.63s", gpus[i].model);
		add(gpulib, &meter);
		(void)snprintf(
			domain->reason, sizeof(domain->reason),
			"a GPU sleeps: the library is not started, since that would wake it");
	}
	gpulib->needs_mending = true;
}

static int gpulib_begin(void *arg, struct es_error *err)
{
	struct gpulib *gpulib = arg;
	es_cleanup(es_freep) struct es_gpulib_meter *meters = NULL;
	struct es_pci_gpu gpus[ES_PCI_GPUS_MAX];
	uint32_t n_gpus = find_gpus(&gpulib->root, gpulib->ops->vendor, gpus);
	int n;

	gpulib->work.domains = calloc(ES_GPULIB_METERS_MAX, sizeof(*gpulib->work.domains));
	gpulib->meters = calloc(ES_GPULIB_METERS_MAX, sizeof(*gpulib->meters));
	if (!gpulib->work.domains || !gpulib->meters)
		return es_error_set(err, -ENOMEM, "%s", gpulib->ops->source->name);
	if (has_sleeper(gpulib, gpus, n_gpus)) {
		n = gpulib->ops->find(&gpulib->root, err);
		if (n < 0)
			return n;
		add_sleepers(gpulib, gpus, n_gpus);
		return (int)gpulib->work.n_domains;
	}
	n = gpulib->ops->open(&gpulib->root, &gpulib->library, err);
	if (n == 0)
		n = list(gpulib, &meters, err);
	for (int i = 0; i < n; i++)
		add(gpulib, &meters[i]);
	if (n == 0)
		return es_error_say(err, -ENXIO, "the library shows no GPU");
	return n;
}

static bool is_same(const struct es_gpulib_meter *a, const struct es_gpulib_meter *b)
{
	return strcmp(a->address, b->address) == 0 && a->die == b->die &&
	       strcmp(a->part, b->part) == 0;
}

/*
 * After a reset of a GPU or of its driver old handles lead nowhere, and some libraries show what they read first for
 * ever: it is started anew, and each meter is known by its place. Returns whether all are there again.
 */
static bool mend(struct gpulib *gpulib)
{
	es_cleanup(es_freep) struct es_gpulib_meter *meters = NULL;
	bool has_all = true;
	int n;

	if (!gpulib->ops->is_kept)
		stop(gpulib);
	n = gpulib->library ? 0 : gpulib->ops->open(&gpulib->root, &gpulib->library, NULL);
	if (n == 0)
		n = list(gpulib, &meters, NULL);
	for (size_t i = 0; gpulib->meters && i < gpulib->work.n_domains; i++) {
		struct es_gpulib_meter *now = &gpulib->meters[i].now;
		bool is_power = now->is_power;

		now->handle = NULL;
		now->error = n < 0 ? n : -ENODEV;
		for (int j = 0; meters && j < n; j++)
			if (is_same(now, &meters[j]) && !now->handle)
				*now = meters[j];
		/* It was described as the other one. */
		if (now->handle && now->is_power != is_power) {
			now->handle = NULL;
			now->is_power = is_power;
			now->error = -EOPNOTSUPP;
		}
		has_all = has_all && now->handle;
	}
	return has_all;
}

static void try_to_mend(struct gpulib *gpulib)
{
	int64_t now_ns = es_clock_boot_ns();

	if (!gpulib->needs_mending || now_ns < gpulib->retry_ns)
		return;
	for (size_t i = 0; i < gpulib->work.n_domains; i++)
		if (es_gpu_is_asleep(&gpulib->root, &gpulib->meters[i].status, now_ns))
			return;
	gpulib->needs_mending = !mend(gpulib);
	gpulib->pause_ns = gpulib->pause_ns ? 2 * gpulib->pause_ns : MEND_FIRST_NS;
	gpulib->pause_ns = gpulib->pause_ns < MEND_LAST_NS ? gpulib->pause_ns : MEND_LAST_NS;
	gpulib->retry_ns = es_clock_boot_ns() + gpulib->pause_ns;
}

/* Whether a counter stands while power flows (MI100, ROCm/amdsmi#38): what it shows is no longer the energy. */
static bool is_stuck(struct gpulib *gpulib, const struct meter *meter, int64_t t_ns)
{
	uint64_t power_mw = 0;

	return !meter->now.is_power && t_ns - meter->moved_ns > STILL_NS && gpulib->ops->power &&
	       gpulib->ops->power(gpulib->library, &meter->now, &power_mw) == 0 &&
	       power_mw >= STILL_MW;
}

/* Whether what was read is new, and moves as far as its GPU works. */
static int judge(struct gpulib *gpulib, struct meter *meter, const struct es_gpulib_value *value,
		 int64_t t_ns, struct es_reading *ret)
{
	int64_t placed_ns = t_ns;

	if (value->value > INT64_MAX)
		return -ERANGE;
	if (value->has_time)
		placed_ns = es_stamps_place(&meter->stamps, value->meter_ns, t_ns);
	if (placed_ns < 0) {
		if (t_ns - meter->new_ns <= STALE_NS)
			return -ECANCELED;
		/* ROCm/rocm_smi_lib#180: started anew it shows something else. */
		gpulib->needs_mending = true;
		return -ESTALE;
	}
	meter->new_ns = t_ns;
	if (!meter->has_read || value->value != meter->last_uj)
		meter->moved_ns = t_ns;
	meter->has_read = true;
	meter->last_uj = value->value;
	if (is_stuck(gpulib, meter, t_ns))
		return -ESTALE;
	ret->t_ns = placed_ns;
	ret->value = value->value;
	return 0;
}

static void gpulib_read(void *arg, struct es_reading *ret, size_t n)
{
	struct gpulib *gpulib = arg;

	try_to_mend(gpulib);
	for (size_t i = 0; i < n; i++) {
		struct meter *meter = &gpulib->meters[i];
		struct es_gpulib_value value = { .value = 0 };
		int64_t t0_ns = es_clock_boot_ns(), t1_ns, t_ns;
		int r;

		ret[i] = (struct es_reading){ .t_ns = t0_ns, .error = -ECANCELED };
		/* What sleeps draws next to nothing: a gap, not a failure. */
		if (es_gpu_is_asleep(&gpulib->root, &meter->status, t0_ns))
			continue;
		if (!meter->now.handle || meter->now.error < 0) {
			ret[i].error = meter->now.error < 0 ? meter->now.error : -ENODEV;
			continue;
		}
		r = gpulib->ops->read(gpulib->library, &meter->now, &value);
		t1_ns = es_clock_boot_ns();
		t_ns = t0_ns + (t1_ns - t0_ns) / 2;
		ret[i].t_ns = t_ns;
		ret[i].width_ns = t1_ns - t0_ns;
		ret[i].error = r < 0 ? r : judge(gpulib, meter, &value, t_ns, &ret[i]);
		if (r == -ENODEV || r == -ENOTCONN)
			gpulib->needs_mending = true;
	}
	if (!gpulib->needs_mending)
		gpulib->pause_ns = 0;
}

static void gpulib_end(void *arg)
{
	struct gpulib *gpulib = arg;

	stop(gpulib);
	for (size_t i = 0; gpulib->meters && i < gpulib->work.n_domains; i++)
		es_kept_close(&gpulib->meters[i].status);
	es_root_close(&gpulib->root);
	free(gpulib->meters);
	free(gpulib->work.domains);
	free(gpulib);
}

/* The library is there and does not answer: each GPU that the bus shows, with the reason. */
static int list_unread(const struct es_gpulib_ops *ops, const struct es_root *root, int error,
		       const struct es_error *why, struct es_source **ret, struct es_error *err)
{
	struct es_pci_gpu gpus[ES_PCI_GPUS_MAX];
	uint32_t n = find_gpus(root, ops->vendor, gpus);
	es_cleanup(es_freep) struct es_domain *domains = calloc(n + 1, sizeof(*domains));
	int r = domains ? 0 : -ENOMEM;

	for (uint32_t i = 0; r == 0 && i < n; i++) {
		bool is_denied = error == -EACCES || error == -EPERM;

		es_gpu_place(root, ops->source->name, gpus[i].address,
			     es_gpu_is_apu(root, gpus[i].address), -1, &domains[i]);
		domains[i].kind = ES_KIND_MEASURED;
		domains[i].state = is_denied ? ES_STATE_DENIED : ES_STATE_ABSENT;
		(void)snprintf(domains[i].model, sizeof(domains[i].model), "%.63s", gpus[i].model);
		(void)snprintf(domains[i].reason, sizeof(domains[i].reason), "%.200s", why->text);
		if (error == -EACCES)
			(void)snprintf(domains[i].fix, sizeof(domains[i].fix), "%s", ops->fix);
	}
	if (r == 0)
		r = es_aside_list(ops->source, domains, n, error, ret, err);
	if (r == 0)
		(void)es_steal_ptr(domains);
	return r;
}

static void gpulib_release(void *arg)
{
	struct gpulib *gpulib = arg;

	stop(gpulib);
	for (size_t i = 0; i < gpulib->work.n_domains; i++) {
		gpulib->meters[i].now.handle = NULL;
		gpulib->meters[i].now.error = -ENODEV;
	}
}

static void gpulib_take(void *arg)
{
	struct gpulib *gpulib = arg;

	gpulib->needs_mending = true;
	gpulib->retry_ns = 0;
	gpulib->pause_ns = 0;
}

static const struct es_slow_ops slow_ops = {
	.name = "es-gpulib",
	.begin = gpulib_begin,
	.read = gpulib_read,
	.release = gpulib_release,
	.take = gpulib_take,
	.end = gpulib_end,
};

/* Of a library that cannot be started anew in one process. */
static const struct es_slow_ops kept_slow_ops = {
	.name = "es-gpulib",
	.begin = gpulib_begin,
	.read = gpulib_read,
	.end = gpulib_end,
};

int es_gpulib_open(const struct es_gpulib_ops *ops, const struct es_root *root,
		   struct es_source **ret, struct es_error *err)
{
	struct es_error why = { .code = 0 };
	struct es_pci_gpu gpus[ES_PCI_GPUS_MAX];
	struct gpulib *gpulib;
	int r;

	if (find_gpus(root, ops->vendor, gpus) == 0)
		return es_error_say(err, -ENODEV, "no GPU of %s here", ops->vendor);
	gpulib = calloc(1, sizeof(*gpulib));
	r = gpulib ? es_root_dup(root, &gpulib->root) : -ENOMEM;
	if (r < 0) {
		free(gpulib);
		return es_error_set(err, r, "%s", ops->source->name);
	}
	gpulib->ops = ops;
	r = es_aside_open(ops->source, ops->is_kept ? &kept_slow_ops : &slow_ops, &gpulib->work,
			  START_MAX_NS, PERIOD_NS, ret, &why);
	if (r == -ETIMEDOUT)
		(void)es_error_say(&why, r, "the library did not start within %lld s",
				   (long long)(START_MAX_NS / ES_NS_PER_S));
	if (r < 0 && r != -ENOMEM && r != -ENOENT)
		return list_unread(ops, root, r, &why, ret, err);
	if (r < 0 && err)
		*err = why;
	return r;
}
