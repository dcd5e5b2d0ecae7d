/*
 * source/redfish_parse.c - what the documents of a Redfish service say about power
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "source/json.h"
#include "source/redfish.h"

#define V1 "/redfish/v1/"
#define J_PER_KWH 3.6e6

/* What makers have beside the standard, where they lack it: Fujitsu's iRMC. */
static const char *const oem_watts[] = {
	"/Oem/ts_fujitsu/ChassisPowerConsumption/CurrentPowerConsumptionW",
};

/* Only this server's own resources: a link must not lead a password elsewhere. */
const char *es_redfish_link(json_t *of, const char *key)
{
	const char *link =
		es_json_text(json_object_get(key ? json_object_get(of, key) : of, "@odata.id"));

	if (!link || strncmp(link, V1, sizeof(V1) - 1) != 0 ||
	    !isalnum((unsigned char)link[sizeof(V1) - 1]) ||
	    strlen(link) >= ES_REDFISH_LINK_BYTES || strstr(link, ".."))
		return NULL;
	for (const char *p = link; *p; p++)
		if (!isgraph((unsigned char)*p) || strchr("?\\\"<>", *p))
			return NULL;
	return link;
}

bool es_redfish_is_out(json_t *of)
{
	static const char *const out[] = { "Absent", "Disabled", "StandbyOffline",
					   "UnavailableOffline" };
	const char *state = es_json_text(json_object_get(json_object_get(of, "Status"), "State"));

	for (size_t i = 0; state && i < ES_ARRAY_SIZE(out); i++)
		if (strcmp(out[i], state) == 0)
			return true;
	return false;
}

/* 0 is what controllers show that cannot know: nothing that answers draws nothing. */
int es_redfish_reading(json_t *of, const char *key, double *ret)
{
	json_t *at = json_object_get(of, key);
	double v = 0;
	int r;

	if (json_is_object(at) && es_redfish_is_out(at))
		return -ENODATA;
	r = es_json_number(json_is_object(at) ? json_object_get(at, "Reading") : at, &v);
	if (r < 0)
		return r;
	if (!(v > 0))
		return v < 0 ? -ERANGE : -ENODATA;
	*ret = v;
	return 0;
}

void es_redfish_name(const char *text, char ret[static ES_REDFISH_NAME_BYTES])
{
	size_t n = 0;

	text = *text ? text : "unnamed";
	for (; *text && n + 1 < ES_REDFISH_NAME_BYTES; text++)
		ret[n++] = isalnum((unsigned char)*text) || strchr(".-_", *text) ? *text : '-';
	ret[n] = '\0';
}

static bool has_power(json_t *control)
{
	double watts;

	return !es_redfish_is_out(control) &&
	       es_redfish_reading(control, "PowerConsumedWatts", &watts) == 0;
}

/* By what it is related to: the chassis itself, or a system. */
static bool is_about(json_t *control, const char *chassis)
{
	json_t *items = json_object_get(control, "RelatedItem");

	for (size_t i = 0; i < json_array_size(items); i++) {
		const char *link = es_redfish_link(json_array_get(items, i), NULL);
		const char *system = link ? strstr(link, "/Systems/") : NULL;

		if (link && (strcmp(link, chassis) == 0 || (system && !strchr(system + 9, '/'))))
			return true;
	}
	return false;
}

static bool is_of_chassis(json_t *control, const char *chassis)
{
	const char *context = es_json_text(json_object_get(control, "PhysicalContext"));

	(void)chassis;
	return context && strcmp(context, "Chassis") == 0;
}

static bool is_called_so(json_t *control, const char *chassis)
{
	static const char *const names[] = { "System Power", "Server Power", "Chassis Power",
					     "Total" };
	const char *name = es_json_text(json_object_get(control, "Name"));

	(void)chassis;
	for (size_t i = 0; name && i < ES_ARRAY_SIZE(names); i++)
		if (strcasestr(name, names[i]))
			return true;
	return false;
}

/* A processor's or the memory's, however alone it stands. */
static bool is_part(json_t *control)
{
	static const char *const parts[] = { "CPU", "Memory",	     "GPU",
					     "Fan", "StorageDevice", "NetworkingDevice" };
	const char *context = es_json_text(json_object_get(control, "PhysicalContext"));

	for (size_t i = 0; context && i < ES_ARRAY_SIZE(parts); i++)
		if (strcmp(parts[i], context) == 0)
			return true;
	return false;
}

static int find_wanted(json_t *controls, const char *wanted, size_t *ret, struct es_error *err)
{
	for (size_t i = 0; i < json_array_size(controls); i++) {
		json_t *control = json_array_get(controls, i);
		const char *id = es_json_text(json_object_get(control, "MemberId"));
		const char *name = es_json_text(json_object_get(control, "Name"));

		if ((!id || strcmp(id, wanted) != 0) && (!name || strcmp(name, wanted) != 0))
			continue;
		*ret = i;
		return has_power(control)
			       ? 0
			       : es_error_say(err, -ENODATA, "PowerControl '%.60s' shows no power",
					      wanted);
	}
	return es_error_say(err, -ENOENT, "it has no PowerControl '%.60s'", wanted);
}

static int refuse_many(json_t *controls, struct es_error *err)
{
	char names[400] = "";

	for (size_t i = 0; i < json_array_size(controls); i++) {
		const char *name =
			es_json_text(json_object_get(json_array_get(controls, i), "Name"));
		size_t n = strlen(names);

		(void)snprintf(names + n, sizeof(names) - n, "%s'%.60s'", n ? ", " : "",
			       name ? name : "?");
	}
	return es_error_say(
		err, -EMLINK,
		"which PowerControl is the whole cannot be told; name one by control=: %s", names);
}

int es_redfish_control(json_t *power, const char *wanted, const char *chassis, size_t *ret,
		       struct es_error *err)
{
	static bool (*const signs[])(json_t *, const char *) = { is_about, is_of_chassis,
								 is_called_so };
	json_t *controls = json_object_get(power, "PowerControl");
	size_t n_usable = 0, usable = 0;

	if (wanted)
		return find_wanted(controls, wanted, ret, err);
	for (size_t i = 0; i < json_array_size(controls); i++)
		if (has_power(json_array_get(controls, i)) &&
		    !is_part(json_array_get(controls, i))) {
			usable = i;
			n_usable++;
		}
	if (n_usable == 0)
		return es_error_say(err, -ENODATA, "no PowerControl shows a power");
	for (size_t j = 0; n_usable > 1 && j < ES_ARRAY_SIZE(signs); j++) {
		size_t n = 0;

		for (size_t i = 0; i < json_array_size(controls); i++) {
			json_t *control = json_array_get(controls, i);

			if (has_power(control) && !is_part(control) && signs[j](control, chassis)) {
				usable = i;
				n++;
			}
		}
		if (n == 1)
			n_usable = 1;
	}
	if (n_usable > 1)
		return refuse_many(controls, err);
	*ret = usable;
	return 0;
}

/* All that are there must tell: the sum of some is not the power of all. */
static int sum_supplies(json_t *supplies, double *ret)
{
	double sum = 0, watts;
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(supplies); i++) {
		json_t *supply = json_array_get(supplies, i);
		int r;

		if (es_redfish_is_out(supply))
			continue;
		r = es_redfish_reading(supply, "PowerInputWatts", &watts);
		if (r < 0)
			return r;
		sum += watts;
		n++;
	}
	*ret = sum;
	return n > 0 ? 0 : -ENODATA;
}

static int oem_value(json_t *doc, double *ret)
{
	int r = -ENODATA;

	for (size_t i = 0; i < ES_ARRAY_SIZE(oem_watts) && r < 0; i++) {
		double watts;

		r = es_json_number(es_json_at(doc, oem_watts[i]), &watts);
		if (r == 0 && !(watts > 0))
			r = watts < 0 ? -ERANGE : -ENODATA;
		if (r == 0)
			*ret = watts;
	}
	return r;
}

static const char *id_of(json_t *control)
{
	const char *id = es_json_text(json_object_get(control, "MemberId"));

	return id ? id : es_json_text(json_object_get(control, "Name"));
}

void es_redfish_control_id(json_t *control, char *ret, size_t size)
{
	const char *id = id_of(control);

	(void)snprintf(ret, size, "%s", id && strlen(id) < size ? id : "");
}

/* Where it was, or wherever it is now. */
static json_t *find_control(const struct es_redfish_part *part, json_t *doc)
{
	json_t *controls = json_object_get(doc, "PowerControl");
	json_t *control = json_array_get(controls, part->control);
	const char *id = id_of(control);

	if (!part->control_id[0] || (id && strcmp(id, part->control_id) == 0))
		return control;
	for (size_t i = 0; i < json_array_size(controls); i++) {
		control = json_array_get(controls, i);
		id = id_of(control);
		if (id && strcmp(id, part->control_id) == 0)
			return control;
	}
	return NULL;
}

int es_redfish_value(const struct es_redfish_part *part, json_t *doc, double *ret)
{
	json_t *control;
	double v = 0;
	int r = -EBADMSG;

	switch (part->how) {
	case ES_REDFISH_JOULES:
		r = es_redfish_reading(doc, "EnergyJoules", &v);
		break;
	case ES_REDFISH_KWH:
		r = es_redfish_reading(doc, "EnergykWh", &v);
		v *= J_PER_KWH;
		break;
	case ES_REDFISH_WATTS:
		r = es_redfish_reading(doc, "PowerWatts", &v);
		break;
	case ES_REDFISH_METRICS:
		r = es_redfish_reading(doc, "InputPowerWatts", &v);
		break;
	case ES_REDFISH_CONTROL:
		control = find_control(part, doc);
		r = es_redfish_is_out(control)
			    ? -ENODATA
			    : es_redfish_reading(control, "PowerConsumedWatts", &v);
		break;
	case ES_REDFISH_SUPPLIES:
		r = sum_supplies(json_object_get(doc, "PowerSupplies"), &v);
		break;
	case ES_REDFISH_OEM:
		r = oem_value(doc, &v);
		break;
	}
	if (r == 0)
		*ret = v;
	return r;
}
