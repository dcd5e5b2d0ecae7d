/*
 * source/hwmon.c - energy counters and power meters that drivers show through hwmon
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
#include "base/hot.h"
#include "source/gpu.h"
#include "source/hwmon_drivers.h"
#include "source/kept.h"
#include "source/source.h"

#define PULSE_NS (60 * ES_NS_PER_S) /* Intel's GPUs add up their 32 bits only when they are read */
#define INTERVAL_MAX_MS 3600000

struct meter {
	struct es_hwmon_input input;
	struct es_kept file;
	struct es_kept status; /* of a device that reading would wake; fd -1: none */
	bool is_wanted;
};

struct hwmon {
	struct es_source source;
	struct es_root root; /* a descriptor of its own */
	struct meter *meters; /* in the order of the domains */
};

static int path_of(const struct es_hwmon_input *input, const char *file, char ret[static 256])
{
	int n = snprintf(ret, 256, "sys/class/hwmon/%s/%s", input->folder, file);

	return n >= 256 ? -ENAMETOOLONG : 0;
}

static int read_attr(const struct hwmon *hwmon, const struct meter *meter, const char *attr,
		     uint64_t *ret)
{
	char path[256], file[64];

	(void)snprintf(file, sizeof(file), "power%u_%s", meter->input.index, attr);
	return path_of(&meter->input, file, path) < 0 ? -ENAMETOOLONG
						      : es_root_read_u64(&hwmon->root, path, ret);
}

/* The cap in force, or the largest power the maker states; and how long a power is averaged. */
static void find_limits(const struct hwmon *hwmon, const struct meter *meter,
			struct es_domain *domain)
{
	static const char *const attrs[] = { "cap", "max", "rated_max" };
	uint64_t v;

	for (size_t i = 0; i < ES_ARRAY_SIZE(attrs) && !domain->limit_mw; i++) {
		if (read_attr(hwmon, meter, attrs[i], &v) < 0 || v < 1000 || v > INT64_MAX)
			continue;
		domain->limit_mw = v / 1000;
		(void)snprintf(domain->limit_kind, sizeof(domain->limit_kind), "%s", attrs[i]);
	}
	if (domain->is_power && read_attr(hwmon, meter, "average_interval", &v) == 0 && v > 0 &&
	    v <= INTERVAL_MAX_MS)
		domain->update_period_ns = (int64_t)v * ES_NS_PER_MS;
}

/*
 * "99.5%" of ACPI's _PMC, which the kernel prints as whole per cent, a point, and thousandths without leading zeros.
 * The specification calls it the accuracy; boards are seen to give 99 for an error of 1 %, and the error itself.
 * Nothing, and all, are no statements.
 */
static void find_accuracy(const struct hwmon *hwmon, const struct meter *meter,
			  struct es_domain *domain)
{
	char path[256], file[64], text[32];
	unsigned percent, thousandths;

	(void)snprintf(file, sizeof(file), "power%u_accuracy", meter->input.index);
	if (!domain->is_power || path_of(&meter->input, file, path) < 0 ||
	    es_root_read_line(&hwmon->root, path, text, sizeof(text)) <= 0 ||
	    sscanf(text, "%3u.%3u%%", &percent, &thousandths) != 2 || percent >= 100)
		return;
	thousandths += 1000 * percent;
	domain->accuracy_ppm = 10 * (thousandths < 50000 ? thousandths : 100000 - thousandths);
}

es_hot static int read_meter(const struct hwmon *hwmon, struct meter *meter, int64_t now_ns,
			     uint64_t *ret)
{
	uint64_t v;
	int r = es_kept_read_u64(&hwmon->root, &meter->file, now_ns, &v);

	if (r == 0)
		*ret = meter->input.is_energy ? v : v / 1000 + (v % 1000 >= 500);
	return r;
}

static void open_meter(struct hwmon *hwmon, size_t i)
{
	struct es_domain *domain = &hwmon->source.domains[i];
	struct meter *meter = &hwmon->meters[i];
	char path[256];
	uint64_t v = 0;
	int r;

	meter->file.fd = meter->status.fd = -1;
	meter->is_wanted = true;
	if (es_hwmon_wakes(&meter->input))
		es_gpu_open_status(&hwmon->root, meter->input.address, &meter->status);
	r = path_of(&meter->input, meter->input.file, path);
	if (r == 0)
		r = es_kept_open(&hwmon->root, path, &meter->file);
	if (r == 0 && es_gpu_is_asleep(&hwmon->root, &meter->status, 0)) {
		(void)snprintf(domain->reason, sizeof(domain->reason),
			       "asleep: not read, since that would wake it");
		return;
	}
	find_limits(hwmon, meter, domain);
	find_accuracy(hwmon, meter, domain);
	for (int tries = 0; r == 0; tries++) {
		r = read_meter(hwmon, meter, 0, &v);
		if (es_kept_gives_up(r, tries))
			break;
		r = 0;
	}
	if (r < 0)
		es_kept_explain(&hwmon->root, &meter->file, r, domain);
	else if (v == 0 && es_hwmon_wakes(&meter->input) &&
		 es_gpu_is_second_chip(&hwmon->root, meter->input.address))
		es_gpu_say_second_chip(domain);
}

static bool has_id(const struct hwmon *hwmon, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(hwmon->source.domains[i].id, id) == 0)
			return true;
	return false;
}

/* What another domain is called already is told by its device, which stays the same over a reboot. */
static void make_unique(struct hwmon *hwmon, size_t i)
{
	struct es_domain *domain = &hwmon->source.domains[i];
	const struct es_hwmon_input *input = &hwmon->meters[i].input;
	char id[ES_NAME_MAX_BYTES];

	if (!has_id(hwmon, i, domain->id))
		return;
	(void)snprintf(id, sizeof(id), "%.180s@%.31s", domain->id, input->address);
	if (input->address[0] == '\0' || has_id(hwmon, i, id))
		(void)snprintf(id, sizeof(id), "%.150s@%.50s-%.31s", domain->id, input->folder,
			       input->file);
	(void)snprintf(domain->id, sizeof(domain->id), "%s", id);
	/* Two unknown meters of one name are no twins. */
	if (domain->type == ES_DOMAIN_OTHER)
		(void)snprintf(domain->name, sizeof(domain->name), "%s", strchr(id, ':') + 1);
}

static void find_parent(struct hwmon *hwmon, size_t i)
{
	struct es_domain *domains = hwmon->source.domains;
	int32_t best = -1;

	/* The nearest: what contains it and is itself in the one found so far. */
	for (size_t j = 0; j < hwmon->source.n_domains; j++)
		if (es_domain_contains(&domains[j], &domains[i]) &&
		    (best < 0 || es_domain_contains(&domains[best], &domains[j])))
			best = (int32_t)j;
	domains[i].parent = best;
}

/* An ACPI meter that says of no part measures the machine, if it is the only one and no battery. */
static void place_acpi(struct hwmon *hwmon)
{
	size_t n = 0, found = 0;
	struct es_domain *domain;
	char path[256];
	uint64_t is_battery = 0;

	for (size_t i = 0; i < hwmon->source.n_domains; i++) {
		if (strcmp(hwmon->meters[i].input.driver, "power_meter") != 0)
			continue;
		n++;
		found = i;
	}
	domain = &hwmon->source.domains[found];
	if (n != 1 || domain->type != ES_DOMAIN_OTHER)
		return;
	if (path_of(&hwmon->meters[found].input, "power1_is_battery", path) == 0)
		(void)es_root_read_u64(&hwmon->root, path, &is_battery);
	if (is_battery)
		return;
	domain->type = ES_DOMAIN_NODE;
	domain->is_partial = false;
	domain->peak_mw = es_peak_default_mw(ES_DOMAIN_NODE);
	domain->reason[0] = '\0';
	(void)snprintf(domain->name, sizeof(domain->name), "node");
	(void)snprintf(domain->id, sizeof(domain->id), "hwmon/power_meter:node");
}

static void hwmon_close(struct es_source *source)
{
	struct hwmon *hwmon = (struct hwmon *)source;

	if (!hwmon)
		return;
	for (size_t i = 0; hwmon->meters && i < source->n_domains; i++) {
		es_kept_close(&hwmon->meters[i].file);
		es_kept_close(&hwmon->meters[i].status);
	}
	free(hwmon->meters);
	free(source->domains);
	es_root_close(&hwmon->root);
	free(hwmon);
}

static int set_up(struct hwmon *hwmon, const struct es_hwmon_inputs *inputs, struct es_error *err)
{
	hwmon->source.domains = calloc(inputs->n, sizeof(*hwmon->source.domains));
	hwmon->meters = calloc(inputs->n, sizeof(*hwmon->meters));
	if (!hwmon->source.domains || !hwmon->meters)
		return es_error_set(err, -ENOMEM, "hwmon");
	for (size_t i = 0; i < inputs->n; i++) {
		hwmon->meters[i] = (struct meter){ .input = inputs->input[i],
						   .file = { .fd = -1 },
						   .status = { .fd = -1 } };
		es_hwmon_place(&hwmon->root, &inputs->input[i], &hwmon->source.domains[i]);
		make_unique(hwmon, i);
	}
	hwmon->source.n_domains = inputs->n;
	place_acpi(hwmon);
	for (size_t i = 0; i < inputs->n; i++) {
		find_parent(hwmon, i);
		open_meter(hwmon, i);
	}
	return 0;
}

static int hwmon_open(const struct es_root *root, struct es_source **ret, struct es_error *err)
{
	struct es_hwmon_inputs inputs = { .n = 0 };
	struct hwmon *hwmon;
	int r = es_hwmon_find(root, &inputs);

	if (r < 0)
		return es_error_set(err, r, "hwmon: cannot look through its devices");
	if (inputs.n == 0)
		return es_error_say(err, -ENODEV,
				    "no driver here shows energy or power through hwmon");
	hwmon = calloc(1, sizeof(*hwmon));
	r = hwmon ? es_root_dup(root, &hwmon->root) : -ENOMEM;
	if (r < 0) {
		free(hwmon);
		es_hwmon_inputs_finish(&inputs);
		return es_error_set(err, r, "hwmon");
	}
	hwmon->source.ops = &es_source_hwmon;
	r = set_up(hwmon, &inputs, err);
	es_hwmon_inputs_finish(&inputs);
	if (r < 0) {
		hwmon_close(&hwmon->source);
		return r;
	}
	*ret = &hwmon->source;
	return 0;
}

static int hwmon_plan(const struct es_source *source, struct es_plan *ret)
{
	const struct hwmon *hwmon = (const struct hwmon *)source;
	struct es_plan plan = { .at_least_ns = INT64_MAX, .at_most_ns = 100 * ES_NS_PER_MS };

	for (size_t i = 0; i < source->n_domains; i++) {
		const struct es_domain *domain = &source->domains[i];

		if (hwmon->meters[i].file.fd < 0)
			continue;
		if (es_hwmon_needs_pulse(&hwmon->meters[i].input))
			plan.at_least_ns = PULSE_NS;
		if (domain->update_period_ns < plan.at_most_ns && !domain->is_partial)
			plan.at_most_ns = domain->update_period_ns;
	}
	*ret = plan;
	return 0;
}

static void hwmon_want(struct es_source *source, const bool *wanted)
{
	struct hwmon *hwmon = (struct hwmon *)source;

	for (size_t i = 0; i < source->n_domains; i++)
		hwmon->meters[i].is_wanted = wanted[i];
}

/* A driver that was loaded again has its device under another number. */
static int find_again(struct hwmon *hwmon, struct meter *meter, int64_t now_ns, uint64_t *ret)
{
	char folder[64], path[256];
	struct es_kept file;
	int r = es_hwmon_find_folder(&hwmon->root, &meter->input, folder);

	if (r < 0 || strcmp(folder, meter->input.folder) == 0)
		return -ENODEV;
	(void)snprintf(meter->input.folder, sizeof(meter->input.folder), "%s", folder);
	r = path_of(&meter->input, meter->input.file, path);
	if (r == 0)
		r = es_kept_open(&hwmon->root, path, &file);
	if (r < 0)
		return r;
	es_kept_close(&meter->file);
	meter->file = file;
	return read_meter(hwmon, meter, now_ns, ret);
}

es_hot static int read_one(struct hwmon *hwmon, size_t i, int64_t now_ns, uint64_t *ret)
{
	struct meter *meter = &hwmon->meters[i];
	int64_t retry_ns = meter->file.retry_ns;
	int r;

	if (!meter->is_wanted)
		return -ECANCELED;
	/* What sleeps draws next to nothing: a gap, not a failure. */
	if (meter->status.fd >= 0 && es_gpu_is_asleep(&hwmon->root, &meter->status, now_ns))
		return -ECANCELED;
	r = read_meter(hwmon, meter, now_ns, ret);
	/* The same path was tried in vain just now. */
	if (r < 0 && meter->file.retry_ns != retry_ns && find_again(hwmon, meter, now_ns, ret) == 0)
		r = 0;
	return r;
}

es_hot static int hwmon_read(struct es_source *source, struct es_reading *ret, size_t n)
{
	struct hwmon *hwmon = (struct hwmon *)source;
	int64_t t0_ns = es_clock_boot_ns();

	if (n < source->n_domains)
		return -EINVAL;
	for (size_t i = 0; i < source->n_domains; i++) {
		uint64_t value = 0;
		int r = read_one(hwmon, i, t0_ns, &value);
		int64_t t1_ns = r == -ECANCELED ? t0_ns : es_clock_boot_ns();

		ret[i] = (struct es_reading){
			.t_ns = t0_ns + (t1_ns - t0_ns) / 2,
			.width_ns = t1_ns - t0_ns,
			.value = value,
			.error = r,
		};
		t0_ns = t1_ns;
	}
	return 0;
}

const struct es_source_ops es_source_hwmon = {
	.name = "hwmon",
	.open = hwmon_open,
	.plan = hwmon_plan,
	.want = hwmon_want,
	.read = hwmon_read,
	.close = hwmon_close,
};
