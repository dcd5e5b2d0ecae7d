/*
 * import_eprofile.c - finished profiles of the original tool
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/import_eprofile.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"
#include "format/import_esrun.h"
#include "format/import_holes.h"
#include "format/import_json.h"
#include "format/import_ours.h"
#include "format/import_powers.h"

#define TOOL "Energy Scope 2022 (eprofile)"
#define SOURCE "eprofile"

/* A profile being imported. */
struct profile {
	struct es_import_job *job;
	const char *name;
	json_t *top, *block; /* the object with the lists */
	int64_t period_ns;
};

/*
 * Powers that no part of the machines this tool was made for draws (2022 to 2025: 700 W GPUs, 400 W packages); of
 * whole nodes nothing is known.
 */
static uint64_t peak_of(enum es_domain_type type)
{
	return type == ES_DOMAIN_GPU	   ? 800000
	       : type == ES_DOMAIN_DRAM	   ? 200000
	       : type == ES_DOMAIN_PACKAGE ? 600000
					   : 50000000;
}

static int warn_tamed(struct profile *profile, const struct es_domain *domain, size_t n_tamed)
{
	if (n_tamed == 0)
		return 0;
	return es_import_warn(
		profile->job->result,
		"%s/%s: %zu samples of '%s' are powers that cannot be true, as its holes make them; spread over the low ones before",
		profile->job->meta.nodes[domain->node].name, domain->name, n_tamed, profile->name);
}

static int put_domain(struct profile *profile, struct es_domain *domain, const json_t *watts,
		      bool is_whole)
{
	struct es_powers powers;
	size_t n_tamed;
	int r = es_powers_read(&powers, watts, profile->period_ns, 0);

	if (r == 0) {
		n_tamed = es_powers_tame(&powers,
					 is_whole ? UINT64_MAX / 1000 : peak_of(domain->type));
		domain->kind = ES_KIND_INTEGRATED;
		domain->range.unit_nj = 1000;
		r = warn_tamed(profile, domain, n_tamed);
	}
	if (r == 0)
		r = es_import_job_domain(profile->job, domain);
	if (r >= 0)
		r = es_powers_put(&powers, &profile->job->series[r], NULL);
	es_powers_finish(&powers);
	return r == -ENODATA ? 0 : r;
}

/* "0" or "gpu-nvidia-0" with its lists; GPUs have theirs under ecpu as well. */
static int put_phy(struct profile *profile, uint32_t node, const char *phy, json_t *data)
{
	bool is_gpu = strncmp(phy, "gpu", 3) == 0;
	const char *digits = phy + strlen(phy);
	struct es_domain domain;
	uint64_t number;
	int r;

	while (digits > phy && digits[-1] >= '0' && digits[-1] <= '9')
		digits--;
	if (es_parse_u64(digits, &number) < 0 || number > 99999)
		return es_import_warn(profile->job->result,
				      "'%s': '%.40s' is no package or GPU: left out", profile->name,
				      phy);
	es_domain_init(&domain, SOURCE, is_gpu ? ES_DOMAIN_GPU : ES_DOMAIN_PACKAGE, (int32_t)number,
		       -1);
	domain.node = node;
	r = put_domain(profile, &domain, json_object_get(data, "ecpu(W)"), false);
	if (r < 0 || is_gpu)
		return r;
	es_domain_init(&domain, SOURCE, ES_DOMAIN_DRAM, (int32_t)number, -1);
	domain.node = node;
	return put_domain(profile, &domain, json_object_get(data, "edram(W)"), false);
}

static int put_nodes(struct profile *profile, json_t *nodes)
{
	struct es_meta *meta = &profile->job->meta;
	const char *name, *phy_name;
	json_t *node, *phy;
	int r = 0;

	json_object_foreach(nodes, name, node)
	{
		uint32_t index;

		r = es_import_job_node(profile->job, name);
		if (r < 0)
			return r;
		index = (uint32_t)r;
		json_object_foreach(json_object_get(node, "arch"), phy_name, phy)
		{
			uint32_t n_cpus = (uint32_t)json_object_size(json_object_get(phy, "arch"));
			bool is_gpu = strncmp(phy_name, "gpu", 3) == 0;

			r = put_phy(profile, index, phy_name, json_object_get(phy, "data"));
			if (r < 0)
				return r;
			meta->n_gpus += is_gpu;
			meta->nodes[index].n_packages += !is_gpu;
			meta->nodes[index].n_cpus += is_gpu ? 0 : n_cpus;
			meta->n_cpus += is_gpu ? 0 : n_cpus;
		}
	}
	return 0;
}

static int put_total(struct profile *profile, enum es_domain_type type, const char *name,
		     const char *key)
{
	struct es_domain domain;

	es_domain_init(&domain, SOURCE, type, -1, -1);
	(void)snprintf(domain.name, sizeof(domain.name), "%s", name);
	(void)snprintf(domain.id, sizeof(domain.id), SOURCE "/%s", name);
	return put_domain(profile, &domain, json_object_get(profile->block, key), true);
}

/* A profile without parts: GPUs are counted under ecpu there, so it is not just the packages. */
static int put_totals(struct profile *profile)
{
	size_t n = profile->job->meta.n_domains;
	int r = profile->job->meta.n_nodes == 0 ? es_import_job_node(profile->job, "node") : 0;

	if (r >= 0)
		r = put_total(profile, ES_DOMAIN_PACKAGE, "packages", "ecpu(W)");
	if (r >= 0)
		r = put_total(profile, ES_DOMAIN_DRAM, "dram", "edram(W)");
	if (r >= 0 && profile->job->meta.n_domains == n)
		r = put_total(profile, ES_DOMAIN_OTHER, "total", "etotal(W)");
	if (r >= 0)
		r = es_import_warn(
			profile->job->result,
			"'%s' tells totals only: parts and nodes are not told apart, GPUs are counted with the packages",
			profile->name);
	return r;
}

/* When it began: es_total's start, else another tag's less its distance, else the date of the file. */
static int64_t find_start(const struct profile *profile)
{
	json_t *tags = json_object_get(profile->block, "tags"), *tag;
	const char *name;
	int64_t t_unix_ns;
	double after_s;

	if (es_time_parse(es_import_text(json_object_get(tags, "es_total"), "start"), &t_unix_ns) ==
	    0)
		return t_unix_ns;
	json_object_foreach(tags, name, tag)
	{
		if (es_time_parse(es_import_text(tag, "start"), &t_unix_ns) == 0 &&
		    es_import_number(tag, "start(sec)", &after_s) && fabs(after_s) < 1e9)
			return t_unix_ns - (int64_t)(after_s * 1e9);
	}
	return es_time_parse(es_import_text(profile->top, "date"), &t_unix_ns) == 0 ? t_unix_ns : 0;
}

static int put_tags(struct profile *profile)
{
	json_t *tags = json_object_get(profile->block, "tags"), *tag;
	const char *name;
	int r = 0;

	json_object_foreach(tags, name, tag)
	{
		const char *start = es_import_text(tag, "start"),
			   *stop = es_import_text(tag, "stop");

		if (r == 0 && *start)
			r = es_import_estag(profile->job, name, true, start);
		if (r == 0 && *stop)
			r = es_import_estag(profile->job, name, false, stop);
	}
	return r;
}

static int import_original(struct profile *profile, const char *text, size_t n)
{
	struct es_meta *meta = &profile->job->meta;
	json_t *nodes = json_object_get(json_object_get(profile->top, "data"), "arch");
	int r;

	(void)snprintf(meta->tool, sizeof(meta->tool), "%s", TOOL);
	meta->period_ns = profile->period_ns;
	meta->start_unix_ns = find_start(profile);
	r = es_import_esinfo(profile->job, text, n, false);
	nodes = json_object_size(nodes) ? nodes : json_object_get(profile->top, "arch");
	nodes = json_object_size(nodes) ? nodes : json_object_get(profile->block, "arch");
	if (r == 0)
		r = put_nodes(profile, nodes);
	if (r == 0 && meta->n_domains == 0)
		r = put_totals(profile);
	if (r >= 0)
		r = put_tags(profile);
	if (r == 0)
		r = es_import_warn(
			profile->job->result,
			"'%s': its times have no zone, they are taken for local time here",
			profile->name);
	return r;
}

static int import(struct profile *profile, const char *text, size_t n, struct es_error *err)
{
	double period_ms;
	int r;

	if (!es_import_number(profile->block, "eprofile_period(ms)", &period_ms) ||
	    !(period_ms > 0) || period_ms > (double)ES_PERIOD_MAX_NS / 1e6)
		return es_error_say(err, -EBADMSG,
				    "'%s' has no 'eprofile_period(ms)' that makes sense",
				    profile->name);
	profile->period_ns = (int64_t)(period_ms * 1e6 + 0.5);
	if (profile->period_ns < 1000)
		return es_error_say(err, -EBADMSG, "'%s': a period of %g ms", profile->name,
				    period_ms);
	r = import_original(profile, text, n);
	if (r < 0)
		return es_error_set(err, r, "cannot import '%s'", profile->name);
	for (size_t i = 0; i < profile->job->meta.n_domains; i++)
		if (profile->job->series[i].n > 0)
			return 0;
	return es_error_say(err, -ENODATA,
			    "'%s' has no list of powers (\"etotal(W)\" or those of packages)",
			    profile->name);
}

int es_import_eprofile(struct es_import_job *job, const char *name, const char *text, size_t n,
		       struct es_error *err)
{
	struct profile profile = { .job = job, .name = name, .top = es_import_json(text, n) };
	json_t *inner = json_object_get(json_object_get(profile.top, "data"), "data");
	int r;

	profile.block = json_object_get(inner, "eprofile_period(ms)") ? inner : profile.top;
	if (!profile.top)
		r = es_error_say(err, -EBADMSG, "'%s' is broken JSON, or it breaks off", name);
	else if (es_import_is_ours(profile.top) || es_import_is_ours(profile.block))
		r = es_import_ours(job, name, text, n, err);
	else
		r = import(&profile, text, n, err);
	json_decref(profile.top);
	return r;
}
