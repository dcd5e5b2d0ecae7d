/*
 * source/redfish.c - what a node draws, by its management controller's Redfish service
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/redfish.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "source/fresh.h"
#include "source/json.h"
#include "source/redfish_session.h"
#include "source/remote.h"
#include "source/source.h"

#define PERIOD_NS (5 * ES_NS_PER_S) /* an answer costs a controller up to a second of its CPU */
#define PERIOD_MIN_NS ES_NS_PER_S
#define STALE_NS (600 * ES_NS_PER_S)
#define MORE_NS ES_NS_PER_S /* for the search, beside timeout= */
#define SILENT_MAX 3U /* sweeps without any number, then what to read is looked for anew */
#define W_MW 1e3
#define J_UJ 1e6
#define ENERGY_MAX_UJ 9e18
#define POWER_MAX_MW 1e12

struct redfish {
	struct es_redfish_session session;
	struct es_redfish_wish wish;
	char path[ES_REDFISH_LINK_BYTES], control[64];
	struct es_fresh fresh;
	struct es_redfish_part *parts; /* [ES_REDFISH_PARTS_MAX] */
	size_t n_parts;
	size_t n_settled; /* domains; 0: nothing is settled yet */
	bool is_counter; /* the first of them */
	unsigned n_silent;
};

static int add_domain(struct redfish *redfish, struct es_remote *remote,
		      const struct es_redfish_part *part)
{
	const char *warning = es_web_warn(&redfish->session.web);
	struct es_domain domain;

	es_meter_domain(es_remote_url(remote), es_source_redfish.name, &domain);
	if (!part->is_node) {
		es_domain_init(&domain, es_source_redfish.name, ES_DOMAIN_OTHER, -1, -1);
		(void)snprintf(domain.name, sizeof(domain.name), "%s", part->name);
		(void)snprintf(domain.id, sizeof(domain.id), "%s/%s", es_source_redfish.name,
			       part->name);
		domain.is_partial = true;
	}
	domain.is_power = !es_redfish_is_counter(part);
	domain.kind = domain.is_power ? ES_KIND_INTEGRATED : ES_KIND_MEASURED;
	domain.range.unit_nj =
		part->how == ES_REDFISH_KWH ? UINT64_C(3600000000000) /* 1 Wh */ : UINT64_C(1000000000);
	if (part->limit_w > 0 && part->limit_w < 1e6) {
		domain.limit_mw = (uint64_t)(part->limit_w * W_MW);
		(void)snprintf(domain.limit_kind, sizeof(domain.limit_kind), "power_limit");
	}
	(void)snprintf(domain.reason, sizeof(domain.reason), "%.160s%s%.90s", part->reason,
		       *warning ? "; " : "", warning);
	return es_remote_add(remote, &domain);
}

static bool is_taken(const struct es_redfish_part *parts, size_t i, const char *node)
{
	for (size_t j = 0; j < i; j++)
		if (strcmp(parts[i].name, parts[j].is_node ? node : parts[j].name) == 0)
			return true;
	return false;
}

/* A name twice would be one domain. */
static void tell_apart(struct es_redfish_part *parts, size_t n, const char *node)
{
	for (size_t i = 1; i < n; i++)
		if (is_taken(parts, i, node)) {
			char name[ES_REDFISH_NAME_BYTES];

			(void)snprintf(name, sizeof(name), "%.36s-%u", parts[i].name, (unsigned)i);
			memcpy(parts[i].name, name, sizeof(name));
		}
}

/* Later the domains are those of the first time: what is found must be the same. */
static int settle(struct redfish *redfish, struct es_remote *remote, size_t n, struct es_error *err)
{
	int r = 0;

	redfish->n_parts = n;
	if (redfish->n_settled > 0) {
		if (n < redfish->n_settled ||
		    es_redfish_is_counter(&redfish->parts[0]) != redfish->is_counter)
			return es_error_say(err, -ENODEV, "it no longer shows what it did");
		redfish->n_parts = redfish->n_settled;
		return 0;
	}
	tell_apart(redfish->parts, n, es_remote_url(remote)->name);
	for (size_t i = 0; i < n && r == 0; i++)
		r = add_domain(redfish, remote, &redfish->parts[i]);
	if (r < 0)
		return es_error_set(err, r, "redfish");
	redfish->n_settled = n;
	redfish->is_counter = es_redfish_is_counter(&redfish->parts[0]);
	return 0;
}

static int find(struct redfish *redfish, struct es_remote *remote, struct es_error *err)
{
	int r = es_redfish_login(&redfish->session, es_remote_url(remote), err);

	if (r < 0)
		return r;
	redfish->wish.is_settled = redfish->n_settled > 0 && !redfish->is_counter &&
				   redfish->n_settled == 1;
	redfish->wish.wants_energy = redfish->wish.wants_energy && !redfish->wish.is_settled;
	memset(redfish->parts, 0, ES_REDFISH_PARTS_MAX * sizeof(*redfish->parts));
	r = es_redfish_find(es_redfish_get, &redfish->session, &redfish->wish, redfish->parts, err);
	if (r == 0)
		return es_error_say(err, -ENODATA, "it shows no power");
	return r < 0 ? r : settle(redfish, remote, (size_t)r, err);
}

static int redfish_connect(void *arg, struct es_remote *remote, struct es_error *err)
{
	struct redfish *redfish = arg;
	int r;

	redfish->session.remote = remote;
	redfish->session.until_ns = es_clock_boot_ns() + redfish->session.web.timeout_ns + MORE_NS;
	redfish->n_silent = 0;
	r = find(redfish, remote, err);
	/* The one domain that is listed now has a power. */
	if (r < 0 && redfish->n_settled == 0)
		redfish->n_settled = 1;
	return r;
}

static int convert(const struct es_redfish_part *part, double v, uint64_t *ret)
{
	double scaled = v * (es_redfish_is_counter(part) ? J_UJ : W_MW);

	if (!isfinite(scaled))
		return -EBADMSG;
	if (scaled < 0 || scaled > (es_redfish_is_counter(part) ? ENERGY_MAX_UJ : POWER_MAX_MW))
		return -ERANGE;
	*ret = (uint64_t)(scaled + 0.5);
	return 0;
}

/* The document of the part, or all documents of its metrics. */
static int read_part(struct redfish *redfish, const struct es_redfish_part *part, const char **held,
		     json_t **doc, struct es_reading *ret, struct es_error *err)
{
	double sum = 0, v;
	size_t n = part->how == ES_REDFISH_METRICS ? part->n_supplies : 1;

	ret->error = 0;
	for (size_t i = 0; i < n; i++) {
		const char *path = part->how == ES_REDFISH_METRICS ? part->supplies[i] : part->path;
		int r = 0;

		if (!*held || strcmp(*held, path) != 0) {
			json_decref(*doc);
			*doc = NULL;
			*held = NULL;
			r = es_redfish_get(&redfish->session, path, doc, err);
			if (r == -EBADMSG || r == -EBUSY || r == -EIO) {
				ret->error = r;
				return 0;
			}
			if (r < 0)
				return r;
			*held = path;
		}
		r = es_redfish_value(part, *doc, &v);
		if (r < 0) {
			ret->error = r;
			return 0;
		}
		sum += v;
	}
	ret->error = convert(part, sum, &ret->value);
	return 0;
}

static int redfish_read(void *arg, struct es_remote *remote, struct es_reading *ret, size_t n)
{
	struct redfish *redfish = arg;
	es_cleanup(es_json_decrefp) json_t *doc = NULL;
	const char *held = NULL;
	size_t n_good = 0;
	int r = 0, stands;

	redfish->session.remote = remote;
	redfish->session.until_ns = es_clock_boot_ns() + redfish->session.web.timeout_ns;
	redfish->session.mark = ES_MARK_BEGIN;
	for (size_t i = 0; i < n && i < redfish->n_parts && r == 0; i++) {
		int64_t t0_ns = es_clock_boot_ns(), t1_ns;

		r = read_part(redfish, &redfish->parts[i], &held, &doc, &ret[i], NULL);
		t1_ns = es_clock_boot_ns();
		ret[i].t_ns = t0_ns + (t1_ns - t0_ns) / 2;
		ret[i].width_ns = t1_ns - t0_ns;
		n_good += ret[i].error == 0;
	}
	if (r < 0)
		return r;
	for (size_t i = redfish->n_parts; i < n; i++)
		ret[i].error = -ENODEV;
	redfish->n_silent = n_good ? 0 : redfish->n_silent + 1;
	if (redfish->n_silent >= SILENT_MAX)
		return -ENODATA;
	stands = es_fresh_stands(&redfish->fresh, redfish->session.mark, es_clock_boot_ns());
	for (size_t i = 0; i < n && stands < 0; i++)
		if (ret[i].error == 0)
			ret[i].error = stands;
	return 0;
}

/* The session outlives a lost connection; libcurl makes a new one by itself. */
static void redfish_disconnect(void *arg)
{
	(void)arg;
}

static void redfish_destroy(void *arg)
{
	struct redfish *redfish = arg;

	es_redfish_logout(&redfish->session);
	es_web_finish(&redfish->session.web);
	free(redfish->parts);
	free(redfish);
}

static const struct es_remote_ops remote_ops = {
	.thread = "es-redfish",
	.period_ns = PERIOD_NS,
	.period_min_ns = PERIOD_MIN_NS,
	.connect = redfish_connect,
	.read = redfish_read,
	.disconnect = redfish_disconnect,
	.destroy = redfish_destroy,
};

static int refuse(const struct es_meter_url *url, struct es_error *err, const char *why)
{
	return es_error_say(err, -EINVAL, "meter '%.200s': %s", url->text, why);
}

static int take_wish(struct redfish *redfish, const struct es_meter_url *url, struct es_error *err)
{
	const char *control = es_meter_url_param(url, "control");
	const char *use = es_meter_url_param(url, "use");
	size_t n = strlen(url->path);

	while (n > 0 && url->path[n - 1] == '/')
		n--;
	if (n >= sizeof(redfish->path) || strstr(url->path, "..") ||
	    strpbrk(url->path, "?#% \"<>\\") ||
	    (n > 0 && strncmp(url->path, "/redfish/v1/Chassis/", 20) != 0 &&
	     strncmp(url->path, "/redfish/v1/Systems/", 20) != 0 &&
	     strncmp(url->path, ES_REDFISH_EQUIPMENT, sizeof(ES_REDFISH_EQUIPMENT) - 1) != 0 &&
	     strncmp("/redfish/v1", url->path, n) != 0))
		return refuse(url, err,
			      "its path is that of a chassis or system: /redfish/v1/Chassis/ID");
	if (n > 12)
		memcpy(redfish->path, url->path, n);
	if (control && strlen(control) >= sizeof(redfish->control))
		return refuse(url, err, "control= is too long");
	if (control)
		memcpy(redfish->control, control, strlen(control) + 1);
	if (use && strcmp(use, "energy") != 0 && strcmp(use, "power") != 0)
		return refuse(url, err, "use= is energy or power");
	if (url->has_unit)
		return refuse(url, err,
			      "unit= and scale= are not for Redfish, which states its units");
	if (url->fragment[0])
		return refuse(url, err, "nothing follows '#' here");
	redfish->wish = (struct es_redfish_wish){
		.path = redfish->path,
		.control = control ? redfish->control : NULL,
		.wants_energy = use && *use == 'e',
		.wants_power = use && *use == 'p',
	};
	return 0;
}

static int redfish_open_at(const struct es_root *root, const struct es_meter_url *url,
			   struct es_source **ret, struct es_error *err)
{
	static const char *const own[] = { ES_WEB_PARAMS, "control", "scheme", "use", NULL };
	const char *scheme = es_meter_url_param(url, "scheme");
	bool is_http = scheme && strcmp(scheme, "http") == 0;
	struct redfish *redfish;
	int r = es_meter_url_check(url, own, err);

	if (r == 0 && scheme && !is_http && strcmp(scheme, "https") != 0)
		r = refuse(url, err, "scheme= is https or http");
	if (r < 0)
		return r;
	redfish = calloc(1, sizeof(*redfish));
	if (!redfish)
		return es_error_set(err, -ENOMEM, "redfish");
	redfish->parts = calloc(ES_REDFISH_PARTS_MAX, sizeof(*redfish->parts));
	r = redfish->parts ? take_wish(redfish, url, err) : es_error_set(err, -ENOMEM, "redfish");
	if (r == 0)
		r = es_web_init(&redfish->session.web, url, !is_http, is_http ? 80 : 443, STALE_NS,
				err);
	if (r < 0) {
		redfish_destroy(redfish);
		return r;
	}
	redfish->fresh.stale_ns = redfish->session.web.stale_ns;
	return es_remote_open(root, url, &es_source_redfish, &remote_ops, redfish, ret, err);
}

const struct es_source_ops es_source_redfish = {
	.name = "redfish",
	.schemes = "redfish",
	.open_at = redfish_open_at,
	.settle = es_remote_settle,
	.end = es_remote_end,
	.plan = es_remote_plan,
	.ask = es_remote_ask,
	.wait = es_remote_wait,
	.read = es_remote_read,
	.close = es_remote_close,
};
