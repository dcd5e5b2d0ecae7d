/*
 * import_ours.c - our own eprofile, read back
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/import_ours.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "format/import_json.h"
#include "format/import_powers.h"

#define SCHEMA "energyscopium.eprofile/1"
#define SCHEMA_STEM "energyscopium.eprofile/"

struct ours {
	struct es_import_job *job;
	const char *name;
	json_t *block, *about;
	int64_t period_ns, stop_ns; /* of the profile: spacing, and end on its own clock */
};

bool es_import_is_ours(const json_t *object)
{
	return strncmp(es_import_text(object, "schema"), SCHEMA_STEM, strlen(SCHEMA_STEM)) == 0;
}

/* A member that is a whole number from @lo to @hi, exactly; else @otherwise. */
static int64_t integer(const json_t *object, const char *key, int64_t lo, int64_t hi,
		       int64_t otherwise)
{
	const json_t *member = json_object_get(object, key);

	if (!json_is_integer(member) || json_integer_value(member) < lo ||
	    json_integer_value(member) > hi)
		return otherwise;
	return json_integer_value(member);
}

static void get_name(const json_t *object, const char *key, char *ret, size_t size)
{
	const char *text = es_import_text(object, key);

	if (*text && strlen(text) < size)
		es_import_set_text(ret, size, text);
}

/* What is said of a device; "NODE/DOMAIN" alone tells the node, and by our names the type and the place. */
static int describe(struct ours *ours, const char *device, const json_t *about,
		    struct es_domain *ret)
{
	const char *slash = strchr(device, '/');
	char node[ES_NAME_MAX_BYTES];
	int r;

	if (!slash || (size_t)(slash - device) >= sizeof(node) ||
	    strlen(slash + 1) >= sizeof(ret->name))
		return -EBADMSG;
	memcpy(node, device, (size_t)(slash - device));
	node[slash - device] = '\0';
	r = es_import_job_node(ours->job, node);
	if (r < 0)
		return r;
	es_import_domain_from_name(ret, "eprofile", slash + 1);
	ret->node = (uint32_t)r;
	ret->kind = ES_KIND_INTEGRATED;
	(void)es_domain_type_from_name(es_import_text(about, "type"), &ret->type);
	(void)es_kind_from_name(es_import_text(about, "kind"), &ret->kind);
	get_name(about, "source", ret->source, sizeof(ret->source));
	get_name(about, "name", ret->name, sizeof(ret->name));
	get_name(about, "id", ret->id, sizeof(ret->id));
	get_name(about, "limit_kind", ret->limit_kind, sizeof(ret->limit_kind));
	ret->package = (int32_t)integer(about, "package", -1, INT32_MAX, ret->package);
	ret->die = (int32_t)integer(about, "die", -1, INT32_MAX, ret->die);
	ret->limit_mw = (uint64_t)integer(about, "limit_mw", 0, INT64_MAX, 0);
	ret->spread_ppm = (uint32_t)integer(about, "spread_ppm", 0, UINT32_MAX, 0);
	ret->accuracy_ppm = (uint32_t)integer(about, "accuracy_ppm", 0, UINT32_MAX, 0);
	ret->idle_mw = (uint64_t)integer(about, "idle_mw", 0, INT64_MAX, 0);
	ret->full_mw = (uint64_t)integer(about, "full_mw", 0, INT64_MAX, 0);
	ret->idle_spread_ppm = (uint32_t)integer(about, "idle_spread_ppm", 0, UINT32_MAX, 0);
	ret->is_partial = json_is_true(json_object_get(about, "is_partial"));
	ret->peak_mw = es_peak_default_mw(ret->type);
	ret->range.unit_nj = 1000;
	return 0;
}

/* The entry of "energyscopium"."domains" about a device; NULL: none. */
static const json_t *find_about(const struct ours *ours, const char *device)
{
	json_t *domains = json_object_get(ours->about, "domains"), *domain;
	size_t i;

	json_array_foreach(domains, i, domain)
	{
		if (strcmp(es_import_text(domain, "device"), device) == 0)
			return domain;
	}
	return NULL;
}

/* The exact energy, where it is told and the powers agree with it but for their rounding. */
static const uint64_t *exact_energy(struct ours *ours, const char *device, const json_t *about,
				    const struct es_powers *powers, uint64_t *energy_uj)
{
	int64_t told_uj = integer(about, "energy_uj", 0, INT64_MAX / 2, -1), covered_ns, apart_uj,
		tolerated_uj;
	uint64_t sum_uj = es_powers_energy_uj(powers, &covered_ns);

	if (told_uj < 0)
		return NULL;
	apart_uj = told_uj - (int64_t)sum_uj;
	/* 10 mW over the whole time, or 1 %. */
	tolerated_uj = covered_ns / 100000 > told_uj / 100 ? covered_ns / 100000 : told_uj / 100;
	if (apart_uj > tolerated_uj || apart_uj < -tolerated_uj) {
		(void)es_import_warn(
			ours->job->result,
			"'%s': the energy of '%.200s' does not go with its powers: the powers are believed",
			ours->name, device);
		return NULL;
	}
	*energy_uj = (uint64_t)told_uj;
	return energy_uj;
}

static int put_device(struct ours *ours, const char *device, const json_t *watts)
{
	const json_t *about = find_about(ours, device);
	struct es_powers powers;
	struct es_domain domain;
	uint64_t energy_uj;
	int r = describe(ours, device, about, &domain);

	if (r == -EBADMSG)
		return es_import_warn(ours->job->result,
				      "'%s': device '%.200s' is no NODE/DOMAIN: left out",
				      ours->name, device);
	if (r < 0)
		return r;
	if (es_import_job_find(ours->job, domain.node, domain.name) >= 0)
		(void)es_import_warn(ours->job->result, "'%s': '%.200s' is told twice", ours->name,
				     device);
	r = es_powers_read(&powers, watts, ours->period_ns, ours->stop_ns);
	if (r == 0)
		es_powers_shorten(&powers, integer(about, "covered_ns", 1, INT64_MAX, 0));
	if (r == 0)
		r = es_import_job_domain(ours->job, &domain);
	if (r >= 0)
		r = es_powers_put(&powers, &ours->job->series[r],
				  exact_energy(ours, device, about, &powers, &energy_uj));
	es_powers_finish(&powers);
	return r == -ENODATA ? 0 : r;
}

/* One end of a tag: by its distance from the start, which is exact in our files. */
static int put_tag(struct ours *ours, const char *name, const json_t *tag, const char *key,
		   bool is_start)
{
	bool is_command = strcmp(name, "es_appli_total") == 0;
	char safe[ES_NAME_MAX_BYTES];
	uint32_t type;
	double after_s;

	if (strcmp(name, "es_total") == 0 || !es_import_number(tag, key, &after_s) ||
	    fabs(after_s) > 1e9)
		return 0;
	es_import_set_text(safe, sizeof(safe), is_command ? "" : name);
	if (is_start)
		type = is_command ? ES_EVENT_COMMAND_START : ES_EVENT_TAG_START;
	else
		type = is_command ? ES_EVENT_COMMAND_STOP : ES_EVENT_TAG_STOP;
	return es_import_job_event(ours->job, type, llround(after_s * 1e9), safe);
}

static int put_tags(struct ours *ours)
{
	json_t *tag;
	const char *name;
	int r = 0;

	json_object_foreach(json_object_get(ours->block, "tags"), name, tag)
	{
		r = r < 0 ? r : put_tag(ours, name, tag, "start(sec)", true);
		r = r < 0 ? r : put_tag(ours, name, tag, "stop(sec)", false);
	}
	return r;
}

static void describe_job(struct ours *ours)
{
	struct es_meta *meta = &ours->job->meta;
	const json_t *about = ours->about;
	int64_t stop_unix_ns;

	get_name(about, "tool", meta->tool, sizeof(meta->tool));
	get_name(about, "job", meta->job, sizeof(meta->job));
	get_name(about, "user", meta->user, sizeof(meta->user));
	get_name(about, "command", meta->command, sizeof(meta->command));
	get_name(about, "cluster", meta->cluster, sizeof(meta->cluster));
	get_name(about, "account", meta->account, sizeof(meta->account));
	get_name(about, "partition", meta->partition, sizeof(meta->partition));
	get_name(about, "step", meta->step, sizeof(meta->step));
	get_name(about, "comment", meta->comment, sizeof(meta->comment));
	get_name(about, "timezone", meta->timezone, sizeof(meta->timezone));
	get_name(about, "country", meta->country, sizeof(meta->country));
	meta->n_cpus = (uint32_t)integer(about, "ncpus", 0, UINT32_MAX, 0);
	meta->n_gpus = (uint32_t)integer(about, "ngpus", 0, UINT32_MAX, 0);
	meta->start_unix_ns = integer(about, "start_unix_ns", INT64_MIN / 2, INT64_MAX / 2, 0);
	stop_unix_ns = integer(about, "stop_unix_ns", INT64_MIN / 2, INT64_MAX / 2, 0);
	if (stop_unix_ns > meta->start_unix_ns)
		ours->stop_ns = stop_unix_ns - meta->start_unix_ns;
	meta->period_ns = integer(about, "planned_period_ns", 1, ES_PERIOD_MAX_NS, ours->period_ns);
}

static int import(struct ours *ours)
{
	json_t *devices = json_object_get(ours->block, "devices"), *watts, *name;
	const char *device;
	size_t i;
	int r = 0;

	describe_job(ours);
	/* In the order they were: devices are an object, and nodes without a device are nodes all the same. */
	json_array_foreach(json_object_get(ours->about, "nodes"), i,
			   name) if (r >= 0 && json_is_string(name))
		r = es_import_job_node(ours->job, json_string_value(name));
	json_object_foreach(devices, device, watts) r = r < 0 ? r : put_device(ours, device, watts);
	return r < 0 ? r : put_tags(ours);
}

int es_import_ours(struct es_import_job *job, const char *name, const char *text, size_t n,
		   struct es_error *err)
{
	json_t *top = json_loadb(text, n, 0, NULL),
	       *inner = json_object_get(json_object_get(top, "data"), "data");
	struct ours ours = { .job = job, .name = name };
	const json_t *schema;
	double period_ms;
	int r = 0;

	ours.block = json_object_get(inner, "eprofile_period(ms)") ? inner : top;
	schema = es_import_is_ours(top) ? top : ours.block;
	ours.about = json_object_get(ours.block, "energyscopium");
	ours.about = ours.about ? ours.about : json_object_get(top, "energyscopium");
	if (!top)
		r = es_error_say(err, -EBADMSG, "'%s' is broken JSON, or it breaks off", name);
	else if (strcmp(es_import_text(schema, "schema"), SCHEMA) != 0)
		r = es_error_say(err, -ENOTSUP, "'%s' is '%.64s', this program reads '" SCHEMA "'",
				 name, es_import_text(schema, "schema"));
	if (r == 0) {
		ours.period_ns = integer(ours.about, "period_ns", 1, ES_PERIOD_MAX_NS * 1000, 0);
		if (ours.period_ns == 0 &&
		    es_import_number(ours.block, "eprofile_period(ms)", &period_ms) &&
		    period_ms > 0 && period_ms < 4e9)
			ours.period_ns = llround(period_ms * 1e6);
		r = ours.period_ns > 0 ? import(&ours) : -EBADMSG;
		if (r < 0)
			r = es_error_set(err, r, "cannot import '%s'", name);
	}
	json_decref(top);
	for (size_t i = 0; r >= 0 && i < job->meta.n_domains; i++)
		if (job->series[i].n > 0)
			return 0;
	return r < 0 ? r
		     : es_error_say(err, -ENODATA, "'%s' has no list of powers of a device", name);
}
