/*
 * source/redfish_find.c - which documents of a Redfish service tell what this node draws
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * A controller may know many chassis: the node's own, the boards in it, the enclosure that it shares with others. Their
 * powers are never added up: each contains, or is contained in, another.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "source/json.h"
#include "source/redfish.h"

#define ROOT "/redfish/v1"

struct find {
	es_redfish_get_fn get;
	void *arg;
	const struct es_redfish_wish *wish;
	struct es_error *err;
};

struct links {
	size_t n;
	char paths[ES_REDFISH_CHASSIS_MAX][ES_REDFISH_LINK_BYTES];
};

/* A chassis that shows a power. */
struct chassis {
	char path[ES_REDFISH_LINK_BYTES], outer[ES_REDFISH_LINK_BYTES];
	size_t n_systems;
	int n_parts;
	struct es_redfish_part parts[ES_REDFISH_PARTS_MAX];
};

struct candidates {
	size_t n;
	struct chassis all[ES_REDFISH_CHASSIS_MAX];
};

static void copy_link(const char *link, char ret[static ES_REDFISH_LINK_BYTES])
{
	size_t n = strlen(link);

	while (n > 1 && link[n - 1] == '/')
		n--;
	memcpy(ret, link, n);
	ret[n] = '\0';
}

static const char *last_word(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int take_links(json_t *list, struct links *ret, struct es_error *err)
{
	ret->n = 0;
	if (json_array_size(list) > ES_ARRAY_SIZE(ret->paths))
		return es_error_say(err, -E2BIG, "it lists %zu of what should be a few",
				    json_array_size(list));
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *link = es_redfish_link(json_array_get(list, i), NULL);

		if (link)
			copy_link(link, ret->paths[ret->n++]);
	}
	return 0;
}

/* 0: @ret has a document, or NULL where there is none. */
static int get_if_there(const struct find *find, const char *path, json_t **ret)
{
	struct es_error why = { .code = 0 };
	int r = path ? find->get(find->arg, path, ret, &why) : -ENOENT;

	if (r == 0)
		return 0;
	*ret = NULL;
	/* What a controller lists and does not have, or fails to make, is not there: some answer 500. */
	if (r == -ENOENT || r == -EIO || r == -EBADMSG)
		return 0;
	return es_error_say(find->err, r, "%s", why.text);
}

static void set_part(struct es_redfish_part *part, enum es_redfish_how how, const char *path,
		     const char *chassis, const char *what)
{
	*part = (struct es_redfish_part){ .how = how };
	es_redfish_name(last_word(chassis), part->name);
	(void)snprintf(part->path, sizeof(part->path), "%s", path);
	(void)snprintf(part->reason, sizeof(part->reason), "chassis %.60s: %.120s",
		       last_word(chassis), what);
}

static double limit_of_metrics(json_t *metrics)
{
	json_t *limit = json_object_get(metrics, "PowerLimitWatts");
	const char *mode = es_json_text(json_object_get(limit, "ControlMode"));
	double watts = 0;

	if (mode && strcmp(mode, "Disabled") == 0)
		return 0;
	return es_json_number(json_object_get(limit, "SetPoint"), &watts) == 0 && watts > 0 ? watts
											    : 0;
}

/* PowerWatts and its like, as EnvironmentMetrics, outlets and PDUs have them. 1, or 0 where it has none. */
static int take_metrics(const struct find *find, json_t *doc, const char *link, const char *path,
			struct es_redfish_part *ret)
{
	static const struct {
		const char *key;
		enum es_redfish_how how;
	} rows[] = { { "EnergyJoules", ES_REDFISH_JOULES },
		     { "PowerWatts", ES_REDFISH_WATTS },
		     { "EnergykWh", ES_REDFISH_KWH } };
	const struct es_redfish_wish *wish = find->wish;

	for (size_t i = 0; i < ES_ARRAY_SIZE(rows); i++) {
		bool is_energy = rows[i].how != ES_REDFISH_WATTS;
		char what[80];
		double v;

		if ((is_energy && (wish->is_settled || wish->wants_power)) ||
		    (!is_energy && wish->wants_energy) ||
		    es_redfish_reading(doc, rows[i].key, &v) < 0)
			continue;
		(void)snprintf(what, sizeof(what), "%.40s, %s", last_word(link), rows[i].key);
		set_part(ret, rows[i].how, link, path, what);
		ret->limit_w = limit_of_metrics(doc);
		return 1;
	}
	return 0;
}

static int find_metrics(const struct find *find, json_t *chassis, const char *path,
			struct es_redfish_part *ret)
{
	es_cleanup(es_json_decrefp) json_t *doc = NULL;
	const char *link = es_redfish_link(chassis, "EnvironmentMetrics");
	int r = get_if_there(find, link, &doc);

	return r < 0 || !doc ? r : take_metrics(find, doc, link, path, ret);
}

/* An outlet, a circuit or the metrics of a PDU: what was named is what is meant. */
static int find_equipment(const struct find *find, const char *path, struct es_redfish_part *ret)
{
	es_cleanup(es_json_decrefp) json_t *doc = NULL;
	int r = find->get(find->arg, path, &doc, find->err);

	if (r < 0)
		return r;
	if (es_redfish_is_out(doc) || take_metrics(find, doc, path, path, ret) == 0)
		return es_error_say(find->err, -ENODATA, "%.120s shows no power", path);
	(void)snprintf(ret->reason, sizeof(ret->reason), "%.120s", path);
	ret->is_node = true;
	return 1;
}

/* 1: it adds its metrics; 0: it is out, or tells nothing (*ret_all becomes false). */
static int add_supply(const struct find *find, const char *path, struct es_redfish_part *part,
		      bool *ret_all)
{
	es_cleanup(es_json_decrefp) json_t *supply = NULL;
	es_cleanup(es_json_decrefp) json_t *metrics = NULL;
	const char *link;
	double watts;
	int r = get_if_there(find, path, &supply);

	if (r < 0 || (supply && es_redfish_is_out(supply)))
		return r;
	link = es_redfish_link(supply, "Metrics");
	r = get_if_there(find, link, &metrics);
	if (r < 0)
		return r;
	if (!metrics || es_redfish_reading(metrics, "InputPowerWatts", &watts) < 0) {
		*ret_all = false;
		return 0;
	}
	(void)snprintf(part->supplies[part->n_supplies++], sizeof(part->supplies[0]), "%s", link);
	return 1;
}

static int find_supplies(const struct find *find, json_t *chassis, const char *path,
			 struct es_redfish_part *ret)
{
	es_cleanup(es_json_decrefp) json_t *subsystem = NULL;
	es_cleanup(es_json_decrefp) json_t *list = NULL;
	struct links links = { .n = 0 };
	bool has_all = true;
	char what[80];
	int r = get_if_there(find, es_redfish_link(chassis, "PowerSubsystem"), &subsystem);

	if (r == 0 && subsystem && !es_redfish_is_out(subsystem))
		r = get_if_there(find, es_redfish_link(subsystem, "PowerSupplies"), &list);
	if (r == 0 && list)
		r = take_links(json_object_get(list, "Members"), &links, find->err);
	if (r < 0 || !list)
		return r;
	set_part(ret, ES_REDFISH_METRICS, "", path, "");
	for (size_t i = 0; i < links.n && has_all; i++) {
		r = add_supply(find, links.paths[i], ret, &has_all);
		if (r < 0)
			return r;
	}
	if (!has_all || ret->n_supplies == 0)
		return 0;
	(void)snprintf(what, sizeof(what), "PowerSubsystem, the input of %zu power suppl%s",
		       ret->n_supplies, ret->n_supplies == 1 ? "y" : "ies");
	(void)snprintf(ret->path, sizeof(ret->path), "%s", ret->supplies[0]);
	(void)snprintf(ret->reason, sizeof(ret->reason), "chassis %.60s: %.120s", last_word(path),
		       what);
	return 1;
}

static double limit_of_control(json_t *control)
{
	double watts = 0;
	json_t *limit = json_object_get(control, "PowerLimit");

	return es_json_number(json_object_get(limit, "LimitInWatts"), &watts) == 0 && watts > 0
		       ? watts
		       : 0;
}

static void set_control(struct es_redfish_part *part, json_t *power, size_t i, const char *link,
			const char *path, bool is_whole)
{
	json_t *control = json_array_get(json_object_get(power, "PowerControl"), i);
	const char *name = es_json_text(json_object_get(control, "Name"));
	const char *context = es_json_text(json_object_get(control, "PhysicalContext"));
	char what[160];

	(void)snprintf(what, sizeof(what), "PowerControl '%.60s'%s%.20s%s%s", name ? name : "?",
		       context ? " (" : "", context ? context : "", context ? ")" : "",
		       is_whole ? "" : ", a part or unknown");
	set_part(part, ES_REDFISH_CONTROL, link, path, what);
	part->control = i;
	es_redfish_control_id(control, part->control_id, sizeof(part->control_id));
	part->limit_w = limit_of_control(control);
	if (!is_whole)
		es_redfish_name(name ? name : "control", part->name);
}

/* The one of the whole first, then the others, which are parts of it. Without the one, all of them. */
static int add_controls(const struct find *find, json_t *power, const char *link, const char *path,
			int whole, struct es_redfish_part *ret)
{
	json_t *controls = json_object_get(power, "PowerControl");
	size_t n = 0;
	double watts;

	if (whole >= 0)
		set_control(&ret[n++], power, (size_t)whole, link, path, true);
	for (size_t i = 0; i < json_array_size(controls) && !find->wish->is_settled; i++) {
		json_t *control = json_array_get(controls, i);

		if ((int)i == whole || es_redfish_is_out(control) ||
		    es_redfish_reading(control, "PowerConsumedWatts", &watts) < 0 ||
		    n == ES_REDFISH_PARTS_MAX)
			continue;
		set_control(&ret[n++], power, i, link, path, false);
	}
	return (int)n;
}

/* The schema of before 2020. Returns how many parts; *ret_whole: whether the first is the whole. */
static int find_legacy(const struct find *find, json_t *chassis, const char *path,
		       struct es_redfish_part *ret, bool *ret_whole)
{
	es_cleanup(es_json_decrefp) json_t *power = NULL;
	const char *link = es_redfish_link(chassis, "Power");
	struct es_error why = { .code = 0 };
	size_t whole = 0;
	double watts;
	int r = get_if_there(find, link, &power);

	if (r < 0 || !power)
		return r;
	r = es_redfish_control(power, find->wish->control, path, &whole, &why);
	*ret_whole = r == 0;
	if (r == 0)
		return add_controls(find, power, link, path, (int)whole, ret);
	if (find->wish->control || (r == -EMLINK && find->wish->is_settled))
		return es_error_say(find->err, r, "%s", why.text);
	if (r == -EMLINK)
		return add_controls(find, power, link, path, -1, ret);
	*ret_whole = true;
	set_part(ret, ES_REDFISH_SUPPLIES, link, path, "Power, the input of all PowerSupplies");
	if (es_redfish_value(ret, power, &watts) == 0)
		return 1;
	set_part(ret, ES_REDFISH_OEM, link, path, "Power, Oem");
	return es_redfish_value(ret, power, &watts) == 0 ? 1 : 0;
}

int es_redfish_find_power(es_redfish_get_fn get, void *arg, const struct es_redfish_wish *wish,
			  json_t *chassis, const char *path, struct es_redfish_part *ret,
			  struct es_error *err)
{
	const struct find find = { .get = get, .arg = arg, .wish = wish, .err = err };
	bool is_whole = true;
	int r = wish->control ? 0 : find_metrics(&find, chassis, path, ret);

	if (r == 0 && !wish->control && !wish->wants_energy)
		r = find_supplies(&find, chassis, path, ret);
	if (r == 0 && !wish->wants_energy)
		r = find_legacy(&find, chassis, path, ret, &is_whole);
	if (r > 0)
		ret[0].is_node = is_whole;
	return r;
}

static int look_at(const struct find *find, const char *path, struct candidates *ret)
{
	es_cleanup(es_json_decrefp) json_t *doc = NULL;
	struct chassis *one = &ret->all[ret->n];
	json_t *links;
	const char *outer;
	int r = get_if_there(find, path, &doc);

	if (r < 0 || !doc)
		return r;
	*one = (struct chassis){ .n_parts = 0 };
	copy_link(path, one->path);
	links = json_object_get(doc, "Links");
	one->n_systems = json_array_size(json_object_get(links, "ComputerSystems"));
	outer = es_redfish_link(links, "ContainedBy");
	if (outer)
		copy_link(outer, one->outer);
	r = es_redfish_find_power(find->get, find->arg, find->wish, doc, one->path, one->parts,
				  find->err);
	if (r < 0)
		return r;
	one->n_parts = r;
	ret->n += r > 0;
	return 0;
}

/* The chassis of all systems, or all there are. */
static int list_chassis(const struct find *find, struct links *ret)
{
	es_cleanup(es_json_decrefp) json_t *list = NULL;
	int r = find->get(find->arg, ROOT "/Chassis", &list, find->err);

	return r < 0 ? r : take_links(json_object_get(list, "Members"), ret, find->err);
}

static int chassis_of(const struct find *find, const char *path, struct links *ret)
{
	es_cleanup(es_json_decrefp) json_t *system = NULL;
	int r = get_if_there(find, path, &system);

	if (r < 0)
		return r;
	r = take_links(json_object_get(json_object_get(system, "Links"), "Chassis"), ret,
		       find->err);
	return r == 0 && ret->n == 0 ? list_chassis(find, ret) : r;
}

/* The system's chassis. Boards with GPUs are shown as systems of their own, HGX_…, inside the node. */
static int find_chassis(const struct find *find, struct links *ret, size_t *ret_systems)
{
	es_cleanup(es_json_decrefp) json_t *list = NULL;
	struct links systems = { .n = 0 };
	size_t only = 0, n = 0;
	int r = get_if_there(find, ROOT "/Systems", &list);

	if (r == 0)
		r = take_links(json_object_get(list, "Members"), &systems, find->err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < systems.n; i++)
		if (systems.n == 1 || strncmp(last_word(systems.paths[i]), "HGX_", 4) != 0) {
			only = i;
			n++;
		}
	*ret_systems = n;
	return n == 1 ? chassis_of(find, systems.paths[only], ret) : list_chassis(find, ret);
}

static bool is_inside(const struct candidates *of, const struct chassis *one)
{
	for (size_t i = 0; i < of->n; i++)
		if (of->all[i].n_systems <= 1 && of->all[i].parts[0].is_node &&
		    strcmp(of->all[i].path, one->outer) == 0)
			return true;
	return false;
}

/* The outermost that powers this system alone. SIZE_MAX: there is none, or more than one. */
static size_t choose(const struct candidates *of)
{
	size_t found = SIZE_MAX;

	for (size_t i = 0; i < of->n; i++) {
		const struct chassis *one = &of->all[i];

		if (one->n_systems > 1 || !one->parts[0].is_node || is_inside(of, one))
			continue;
		if (found != SIZE_MAX)
			return SIZE_MAX;
		found = i;
	}
	return found;
}

/* None is the node's for sure: each is shown, and none stands for the node. */
static int list_all(const struct candidates *of, size_t n_systems, struct es_redfish_part *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < of->n && n < ES_REDFISH_PARTS_MAX; i++, n++) {
		const struct chassis *one = &of->all[i];

		ret[n] = one->parts[0];
		ret[n].is_node = false;
		if (one->n_systems > 1)
			(void)snprintf(ret[n].reason, sizeof(ret[n].reason),
				       "chassis %.60s powers %zu systems, not this one alone",
				       last_word(one->path), one->n_systems);
		else if (one->parts[0].is_node)
			(void)snprintf(
				ret[n].reason, sizeof(ret[n].reason),
				"one of %zu chassis, for %zu systems: name the node's by %.120s "
				"in the URL",
				of->n, n_systems, one->path);
	}
	return (int)n;
}

static int find_named(const struct find *find, const char *path, struct es_redfish_part *ret)
{
	es_cleanup(es_freep) struct candidates *of = calloc(1, sizeof(*of));
	int r = of ? look_at(find, path, of) : -ENOMEM;

	if (r < 0)
		return r;
	if (of->n == 0)
		return es_error_say(find->err, -ENODATA, "%.120s is not there, or shows no power",
				    path);
	memcpy(ret, of->all[0].parts, sizeof(of->all[0].parts));
	if (of->all[0].n_systems > 1) {
		size_t n = strlen(ret->reason);

		(void)snprintf(ret->reason + n, sizeof(ret->reason) - n, "; it powers %zu systems",
			       of->all[0].n_systems);
	}
	return of->all[0].n_parts;
}

/* Look at all of them, and take the node's. */
static int find_among(const struct find *find, const struct links *links, size_t n_systems,
		      struct es_redfish_part *ret)
{
	es_cleanup(es_freep) struct candidates *of = calloc(1, sizeof(*of));
	size_t chosen;
	int r = of ? 0 : -ENOMEM;

	for (size_t i = 0; i < links->n && r == 0; i++)
		r = look_at(find, links->paths[i], of);
	if (r < 0)
		return r;
	if (of->n == 0)
		return es_error_say(find->err, -ENODATA, "none of its %zu chassis shows a power",
				    links->n);
	chosen = n_systems <= 1 ? choose(of) : SIZE_MAX;
	/* One chassis, whose numbers are parts or unknown: they are shown as such. */
	if (chosen == SIZE_MAX && of->n == 1 && n_systems <= 1 && of->all[0].n_systems <= 1)
		chosen = 0;
	if (chosen != SIZE_MAX) {
		memcpy(ret, of->all[chosen].parts, sizeof(of->all[chosen].parts));
		return of->all[chosen].n_parts;
	}
	if (find->wish->is_settled)
		return es_error_say(find->err, -EMLINK,
				    "%zu chassis show a power: name the node's in the URL", of->n);
	return list_all(of, n_systems, ret);
}

int es_redfish_find(es_redfish_get_fn get, void *arg, const struct es_redfish_wish *wish,
		    struct es_redfish_part *ret, struct es_error *err)
{
	const struct find find = { .get = get, .arg = arg, .wish = wish, .err = err };
	struct links links = { .n = 0 };
	size_t n_systems = 1;
	int r;

	if (strncmp(wish->path, ROOT "/Chassis/", sizeof(ROOT "/Chassis/") - 1) == 0)
		return find_named(&find, wish->path, ret);
	if (strncmp(wish->path, ES_REDFISH_EQUIPMENT, sizeof(ES_REDFISH_EQUIPMENT) - 1) == 0)
		return find_equipment(&find, wish->path, ret);
	r = wish->path[0] ? chassis_of(&find, wish->path, &links)
			  : find_chassis(&find, &links, &n_systems);
	return r < 0 ? r : find_among(&find, &links, n_systems, ret);
}
