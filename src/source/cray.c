/*
 * source/cray.c - node, CPUs, memory and accelerators of a Cray through its pm_counters
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * The blade's controller refreshes all files together, ten times a second. The file freshness counts these times: where
 * it is the same before and after the others were read, they belong together.
 */
#include "source/cray.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hot.h"
#include "base/parse.h"
#include "source/kept.h"
#include "source/source.h"

#define DIRECTORY "sys/cray/pm_counters"
#define FILE_BYTES 4097 /* older software fills a page with NULs */
#define ACCELERATORS_MAX 16
#define PARTS_MAX (4 + ACCELERATORS_MAX)
#define TRIES 3 /* a refresh takes far less than the tenth of a second between two */
#define SCAN_HZ 10
#define STALE_NS (3 * ES_NS_PER_S) /* no refresh for so long: nobody writes the files any more */
#define UJ_PER_J UINT64_C(1000000)

struct part {
	struct es_kept file;
	struct es_stamps stamps;
	uint64_t base_uj; /* shown less this: so a restart of the counter is seen as a step back */
	uint64_t last_uj; /* as the file showed it */
	int64_t new_t_ns; /* when it last had something new */
	/* Of the sweep being made: */
	int error;
	uint64_t value; /* µJ or mW */
	struct es_cray_value text;
	uint64_t former; /* the value of the sweep before */
};

struct cray {
	struct es_source source;
	struct es_root root; /* a descriptor of its own */
	struct es_domain domains[PARTS_MAX];
	struct part parts[PARTS_MAX];
	struct es_kept freshness, startup;
	uint64_t last_startup;
	bool has_startup, has_restarted[PARTS_MAX];
	uint64_t last_freshness;
	int64_t fresh_t_ns; /* when that was new; 0: not read yet */
	int64_t period_ns;
};

/* A number and the blanks behind it; NULL: there is none. *ret_r is set where it does not fit. */
static const char *take_number(const char *p, const char *end, uint64_t *ret, int *ret_r)
{
	uint64_t v = 0;
	const char *start = p;

	for (; p < end && isdigit((unsigned char)*p); p++)
		if (__builtin_mul_overflow(v, UINT64_C(10), &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			*ret_r = -ERANGE;
	if (p == start)
		return NULL;
	*ret = v;
	while (p < end && *p == ' ')
		p++;
	return p;
}

int es_cray_parse(const char *text, size_t n, struct es_cray_value *ret)
{
	struct es_cray_value value = { .unit = 0 };
	const char *p = text, *end;
	uint64_t t_us = 0;
	int r = 0;

	n = strnlen(text, n);
	end = text + n;
	if (n == 0)
		return -ENODATA;
	/* Without its newline it was cut off: half a number is a wrong one. */
	if (end[-1] != '\n')
		return -EBADMSG;
	end--;
	p = take_number(p, end, &value.number, &r);
	if (p && p < end && (*p == 'J' || *p == 'W')) {
		value.unit = *p++;
		while (p < end && *p == ' ')
			p++;
		if (p < end) {
			p = take_number(p, end, &t_us, &r);
			value.has_time = true;
			p = p && end - p == 2 && memcmp(p, "us", 2) == 0 ? end : NULL;
		}
	}
	if (!p || p != end)
		return -EBADMSG;
	if (t_us > INT64_MAX / 1000)
		r = -ERANGE;
	if (r < 0)
		return r;
	value.t_us = (int64_t)t_us;
	*ret = value;
	return 0;
}

es_hot static int read_value(struct cray *cray, struct es_kept *file, int64_t now_ns,
			     struct es_cray_value *ret)
{
	char text[FILE_BYTES + 1];
	ssize_t n = es_kept_read(&cray->root, file, now_ns, text, sizeof(text));

	return n < 0 ? (int)n : es_cray_parse(text, (size_t)n, ret);
}

/* What the file of a domain shows, in µJ or mW. */
es_hot static int read_part(struct cray *cray, size_t i, int64_t now_ns)
{
	struct part *part = &cray->parts[i];
	bool is_power = cray->domains[i].is_power;
	int r = read_value(cray, &part->file, now_ns, &part->text);

	if (r == 0 && part->text.unit && part->text.unit != (is_power ? 'W' : 'J'))
		r = -EBADMSG;
	if (r == 0 && __builtin_mul_overflow(part->text.number,
					     is_power ? UINT64_C(1000) : UJ_PER_J, &part->value))
		r = -ERANGE;
	part->error = r;
	return r;
}

static void limit_of(struct cray *cray, const char *name, struct es_domain *domain)
{
	char path[256];
	uint64_t before = 0, after = 0;

	/* A cap that is being changed has another generation behind it than before it. */
	for (int tries = 0; tries < TRIES; tries++) {
		struct es_kept file;
		struct es_cray_value cap = { .unit = 0 };
		int r;

		(void)es_root_read_u64(&cray->root, DIRECTORY "/generation", &before);
		(void)snprintf(path, sizeof(path), DIRECTORY "/%s", name);
		r = es_kept_open(&cray->root, path, &file);
		r = r < 0 ? r : read_value(cray, &file, 0, &cap);
		es_kept_close(&file);
		(void)es_root_read_u64(&cray->root, DIRECTORY "/generation", &after);
		if (r < 0 || cap.unit != 'W' || cap.number == 0 || cap.number > UINT32_MAX)
			return; /* 0 W: no cap is set */
		if (before != after)
			continue;
		domain->limit_mw = cap.number * 1000;
		(void)snprintf(domain->limit_kind, sizeof(domain->limit_kind), "power_cap");
		return;
	}
}

/* Its energy; where that cannot be read but its power can, that. */
static void open_part(struct cray *cray, const char *prefix, size_t i)
{
	static const char *const files[] = { "energy", "power" };
	struct es_domain *domain = &cray->domains[i];
	struct part *part = &cray->parts[i];
	int why = 0;

	for (size_t j = 0; j < ES_ARRAY_SIZE(files); j++) {
		char path[128];
		int r;

		(void)snprintf(path, sizeof(path), DIRECTORY "/%s%s", prefix, files[j]);
		domain->is_power = j > 0;
		domain->kind = j > 0 ? ES_KIND_INTEGRATED : ES_KIND_MEASURED;
		r = es_kept_open(&cray->root, path, &part->file);
		for (int tries = 0; r == 0; tries++) {
			r = read_part(cray, i, 0);
			if (es_kept_gives_up(r, tries))
				break;
			r = 0;
		}
		if (r == 0) {
			if (j > 0)
				(void)snprintf(
					domain->reason, sizeof(domain->reason),
					"its power is added up: %.40senergy cannot be read (%.100s)",
					prefix, es_strerror(why));
			return;
		}
		if (why == 0) {
			why = r;
			es_kept_explain(&cray->root, &part->file, r, domain);
			domain->state = ES_STATE_UNPROVEN;
		}
		es_kept_close(&part->file);
	}
	(void)snprintf(part->file.path, sizeof(part->file.path), DIRECTORY "/%senergy", prefix);
	part->file.error = why;
	domain->is_power = false;
	domain->kind = ES_KIND_MEASURED;
	es_kept_explain(&cray->root, &part->file, why, domain);
}

static void add_part(struct cray *cray, const char *prefix, enum es_domain_type type,
		     int32_t number)
{
	char path[128];
	size_t i = cray->source.n_domains;
	struct es_domain *domain = &cray->domains[i];

	(void)snprintf(path, sizeof(path), DIRECTORY "/%senergy", prefix);
	if (!es_root_exists(&cray->root, path)) {
		(void)snprintf(path, sizeof(path), DIRECTORY "/%spower", prefix);
		if (!es_root_exists(&cray->root, path))
			return;
	}
	es_domain_init(domain, es_source_cray.name, type, number, -1);
	domain->parent = i > 0 && cray->domains[0].type == ES_DOMAIN_NODE ? 0 : -1;
	domain->update_period_ns = cray->period_ns;
	open_part(cray, prefix, i);
	if (!domain->is_power)
		domain->range.unit_nj = UJ_PER_J * 1000;
	/* All processors, or all memory, of the node in one. */
	if (domain->reason[0] == '\0' && (type == ES_DOMAIN_PACKAGE || type == ES_DOMAIN_DRAM))
		(void)snprintf(domain->reason, sizeof(domain->reason), "%s of the node together",
			       type == ES_DOMAIN_PACKAGE ? "all packages" : "all memory");
	(void)snprintf(path, sizeof(path), "%spower_cap", prefix);
	limit_of(cray, path, domain);
	cray->source.n_domains++;
}

static void find_parts(struct cray *cray)
{
	add_part(cray, "", ES_DOMAIN_NODE, -1);
	add_part(cray, "cpu_", ES_DOMAIN_PACKAGE, -1);
	add_part(cray, "memory_", ES_DOMAIN_DRAM, -1);
	add_part(cray, "accel_", ES_DOMAIN_GPU, 0);
	for (int32_t i = 0; i < ACCELERATORS_MAX; i++) {
		char prefix[32];

		(void)snprintf(prefix, sizeof(prefix), "accel%d_", (int)i);
		add_part(cray, prefix, ES_DOMAIN_GPU, i);
	}
}

static void cray_close(struct es_source *source)
{
	struct cray *cray = (struct cray *)source;

	if (!cray)
		return;
	for (size_t i = 0; i < source->n_domains; i++)
		es_kept_close(&cray->parts[i].file);
	es_kept_close(&cray->freshness);
	es_kept_close(&cray->startup);
	es_root_close(&cray->root);
	free(cray);
}

static int cray_open(const struct es_root *root, struct es_source **ret, struct es_error *err)
{
	struct cray *cray = calloc(1, sizeof(*cray));
	uint64_t hz = SCAN_HZ;
	int r;

	if (!cray)
		return es_error_set(err, -ENOMEM, "cray");
	cray->source = (struct es_source){ .ops = &es_source_cray, .domains = cray->domains };
	cray->freshness.fd = cray->startup.fd = -1;
	r = es_root_dup(root, &cray->root);
	if (r < 0) {
		free(cray);
		return es_error_set(err, r, "cray");
	}
	if (es_root_read_u64(root, DIRECTORY "/raw_scan_hz", &hz) < 0 || hz == 0 || hz > 1000)
		hz = SCAN_HZ;
	cray->period_ns = ES_NS_PER_S / (int64_t)hz;
	find_parts(cray);
	if (cray->source.n_domains == 0) {
		bool is_there = es_root_exists(root, DIRECTORY);

		cray_close(&cray->source);
		return es_error_say(err, -ENODEV,
				    is_there ? "/" DIRECTORY " shows no counters"
					     : "this machine has no /" DIRECTORY);
	}
	(void)es_kept_open(root, DIRECTORY "/freshness", &cray->freshness);
	(void)es_kept_open(root, DIRECTORY "/startup", &cray->startup);
	*ret = &cray->source;
	return 0;
}

static int cray_plan(const struct es_source *source, struct es_plan *ret)
{
	const struct cray *cray = (const struct cray *)source;

	*ret = (struct es_plan){ .at_least_ns = INT64_MAX, .at_most_ns = cray->period_ns };
	return 0;
}

/* A number that goes with all the others; where there is none they are taken as they are. */
static bool read_mark(struct cray *cray, struct es_kept *file, int64_t now_ns, uint64_t *ret)
{
	struct es_cray_value value;

	if (read_value(cray, file, now_ns, &value) < 0)
		return false;
	*ret = value.number;
	return true;
}

/* A counter that began anew may already stand higher than before: taken on as it is, that would be joules nobody drew. */
static void look_for_restart(struct cray *cray, int64_t now_ns)
{
	uint64_t startup;

	if (!read_mark(cray, &cray->startup, now_ns, &startup))
		return;
	for (size_t i = 0; i < cray->source.n_domains; i++)
		cray->has_restarted[i] |= cray->has_startup && startup != cray->last_startup;
	cray->has_startup = true;
	cray->last_startup = startup;
}

static uint64_t shown_uj(struct cray *cray, size_t i, uint64_t value)
{
	struct part *part = &cray->parts[i];

	if (value < part->base_uj)
		part->base_uj = 0;
	if (cray->has_restarted[i] && value >= part->last_uj)
		part->base_uj = value;
	cray->has_restarted[i] = false;
	part->last_uj = value;
	return value - part->base_uj;
}

/* Whether nobody has refreshed the files for long: what they show is old then. */
static bool is_stale(struct cray *cray, uint64_t freshness, int64_t t_ns)
{
	if (cray->fresh_t_ns == 0 || freshness != cray->last_freshness)
		cray->fresh_t_ns = t_ns;
	cray->last_freshness = freshness;
	return t_ns - cray->fresh_t_ns > STALE_NS;
}

es_hot static void take_part(struct cray *cray, size_t i, int error, bool is_old,
			     struct es_reading *ret)
{
	struct part *part = &cray->parts[i];
	int64_t t_ns = ret->t_ns;

	error = error ? error : part->error;
	if (error == 0 && part->text.has_time) {
		t_ns = es_stamps_place(&part->stamps, part->text.t_us * 1000, t_ns);
		if (t_ns < 0)
			error = ret->t_ns - part->new_t_ns > STALE_NS ? -ENODATA : -ECANCELED;
	} else if (error == 0 && is_old && part->value == part->former) {
		error = -ENODATA;
	}
	part->former = part->value;
	ret->error = error;
	if (error)
		return;
	part->new_t_ns = ret->t_ns;
	ret->t_ns = t_ns;
	ret->value = cray->domains[i].is_power ? part->value : shown_uj(cray, i, part->value);
}

es_hot static int cray_read(struct es_source *source, struct es_reading *ret, size_t n)
{
	struct cray *cray = (struct cray *)source;
	int error = -EAGAIN; /* of all: what was read does not belong together */
	bool is_old = false;

	if (n < source->n_domains)
		return -EINVAL;
	for (int tries = 0; tries < TRIES && error == -EAGAIN; tries++) {
		uint64_t before = 0, after = 0;
		int64_t t0_ns = es_clock_boot_ns(), t1_ns;
		bool has_mark = read_mark(cray, &cray->freshness, t0_ns, &before);

		look_for_restart(cray, t0_ns);
		for (size_t i = 0; i < source->n_domains; i++) {
			(void)read_part(cray, i, t0_ns);
			t1_ns = es_clock_boot_ns();
			ret[i] = (struct es_reading){ .t_ns = t0_ns + (t1_ns - t0_ns) / 2,
						      .width_ns = t1_ns - t0_ns };
			t0_ns = t1_ns;
		}
		has_mark = has_mark && read_mark(cray, &cray->freshness, t0_ns, &after);
		if (!has_mark || before == after)
			error = 0;
		is_old = has_mark && is_stale(cray, after, t0_ns);
	}
	for (size_t i = 0; i < source->n_domains; i++)
		take_part(cray, i, error, is_old, &ret[i]);
	return 0;
}

const struct es_source_ops es_source_cray = {
	.name = "cray",
	.open = cray_open,
	.plan = cray_plan,
	.read = cray_read,
	.close = cray_close,
};
