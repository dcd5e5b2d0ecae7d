/*
 * carbon_scan.c - carbon intensities in JSON: RTE éCO2mix, Electricity Maps, carbonintensity.org.uk, WattTime
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "format/carbon_parse.h"
#include "format/jsonscan.h"

#define LEVELS 10U /* objects in objects; what lies deeper is none of ours */
#define MINUTE_NS (60 * ES_NS_PER_S)
#define G_PER_KWH_OF_LB_PER_MWH 0.45359237

enum shape {
	SHAPE_UNKNOWN,
	SHAPE_RTE,
	SHAPE_MAPS,
	SHAPE_UK,
	SHAPE_WATTTIME,
};

/* What each hands out. Source: reference of the services themselves; doc/formats.md says what is taken from where. */
static const struct es_carbon_nature natures[] = {
	[SHAPE_UNKNOWN] = { .zone = "" },
	/* taux_co2 counts combustion of the production in France alone. A quarter of an hour, older data half of one. */
	[SHAPE_RTE] = { .zone = "FR",
			.source = "RTE eCO2mix",
			.kind = ES_FACTOR_AVERAGE,
			.scope = ES_FACTOR_DIRECT,
			.longest_ns = 30 * MINUTE_NS,
			.alone_ns = 15 * MINUTE_NS },
	[SHAPE_MAPS] = { .source = "Electricity Maps",
			 .kind = ES_FACTOR_AVERAGE,
			 .longest_ns = 60 * MINUTE_NS,
			 .alone_ns = 60 * MINUTE_NS },
	[SHAPE_UK] = { .zone = "GB",
		       .source = "carbonintensity.org.uk",
		       .kind = ES_FACTOR_AVERAGE,
		       .scope = ES_FACTOR_DIRECT },
	[SHAPE_WATTTIME] = { .source = "WattTime",
			     .kind = ES_FACTOR_MARGINAL,
			     .scope = ES_FACTOR_DIRECT,
			     .longest_ns = 60 * MINUTE_NS,
			     .alone_ns = 5 * MINUTE_NS },
};

/* What the first look over the file finds. */
struct facts {
	bool has_taux, has_date_heure, has_intensity_number, has_from, has_to, has_intensity;
	bool has_point_time, has_region, is_no_data, is_generated;
	char zone[32], signal[32], units[32];
};

/* An object on the way in: what of a figure it holds. */
struct entry {
	char start[64], stop[64], zone[32], factor[32];
	bool has_value, has_forecast, is_estimated;
	double value, forecast;
};

struct reading {
	struct es_carbon_file *file;
	struct es_error *err;
	struct es_scan scan;
	const char *counted; /* up to here lines have been counted */
	size_t line, n_entries;
	enum shape shape;
	struct es_carbon_nature nature;
	struct facts facts;
};

static size_t line_of(struct reading *reading)
{
	while (reading->counted < reading->scan.p) {
		reading->line += *reading->counted == '\n';
		reading->counted++;
	}
	return reading->line;
}

static int broken(struct reading *reading, int code)
{
	return es_carbon_bad(reading->file, -EBADMSG, "line", line_of(reading), reading->err, "%s",
			     code == -ENODATA ? "the JSON breaks off" : "this is not JSON");
}

static int bad(struct reading *reading, const char *what, const char *text)
{
	return es_carbon_bad(reading->file, -EBADMSG, "line", line_of(reading), reading->err,
			     "entry %zu: %s '%.60s'", reading->n_entries + 1, what, text);
}

/* First look: which of the shapes it is, and what holds for all of it, wherever it stands. */
static void note_key(struct reading *reading, const struct es_scan *key, int token)
{
	struct facts *facts = &reading->facts;
	const struct {
		const char *key;
		bool *flag;
		int token; /* what the value must be; -1: anything */
	} flags[] = {
		{ "taux_co2", &facts->has_taux, -1 },
		{ "date_heure", &facts->has_date_heure, -1 },
		{ "carbonIntensity", &facts->has_intensity_number, ES_SCAN_NUMBER },
		{ "from", &facts->has_from, ES_SCAN_STRING },
		{ "to", &facts->has_to, ES_SCAN_STRING },
		{ "intensity", &facts->has_intensity, ES_SCAN_OBJECT },
		{ "point_time", &facts->has_point_time, ES_SCAN_STRING },
		{ "regionid", &facts->has_region, ES_SCAN_NUMBER },
		{ "generated_at", &facts->is_generated, ES_SCAN_STRING },
	};
	const struct {
		const char *key;
		char *text;
	} texts[] = {
		{ "zone", facts->zone },   { "countryCode", facts->zone },
		{ "region", facts->zone }, { "signal_type", facts->signal },
		{ "units", facts->units }, { "carbonIntensity", facts->units },
	};

	for (size_t i = 0; i < ES_ARRAY_SIZE(flags); i++)
		if (es_scan_is(key, flags[i].key) &&
		    (flags[i].token < 0 || flags[i].token == token))
			*flags[i].flag = true;
	if (token != ES_SCAN_STRING)
		return;
	if (es_scan_is(key, "status") && es_scan_is(&reading->scan, "no-data"))
		facts->is_no_data = true;
	for (size_t i = 0; i < ES_ARRAY_SIZE(texts); i++)
		if (es_scan_is(key, texts[i].key) && texts[i].text[0] == '\0')
			(void)es_scan_copy(&reading->scan, texts[i].text, 32);
}

static int look_over(struct reading *reading)
{
	int token;

	while ((token = es_scan_next(&reading->scan)) > 0) {
		struct es_scan key = reading->scan;

		if (token != ES_SCAN_KEY)
			continue;
		token = es_scan_next(&reading->scan);
		if (token < 0)
			return token;
		note_key(reading, &key, token);
	}
	return token;
}

static enum shape shape_of(const struct facts *facts)
{
	if (facts->has_taux && facts->has_date_heure)
		return SHAPE_RTE;
	if (facts->has_intensity_number)
		return SHAPE_MAPS;
	if (facts->has_point_time)
		return SHAPE_WATTTIME;
	return facts->has_from && facts->has_to && facts->has_intensity ? SHAPE_UK : SHAPE_UNKNOWN;
}

/* A figure: number, text that holds one, or null (not there yet, not known). */
static int take_number(struct reading *reading, int token, bool *ret_has, double *ret)
{
	char text[64] = "";

	if (token == ES_SCAN_NULL)
		return 0;
	if ((token != ES_SCAN_NUMBER && token != ES_SCAN_STRING) ||
	    es_scan_copy(&reading->scan, text, sizeof(text)) < 0 || es_parse_double(text, ret) < 0)
		return bad(reading, "no number:", text);
	*ret_has = true;
	return 0;
}

static int take_text(struct reading *reading, int token, char *ret, size_t size)
{
	if (token == ES_SCAN_NULL)
		return 0;
	if (token != ES_SCAN_STRING || es_scan_copy(&reading->scan, ret, size) < 0)
		return bad(reading, "a text is wanted, at most 63 bytes, not", ret);
	return 0;
}

/* A national grid's region: "GB-13". */
static int take_region(struct reading *reading, int token, struct entry *entry)
{
	uint64_t id;

	if (token != ES_SCAN_NUMBER || es_scan_u64(&reading->scan, &id) < 0 || id > 99)
		return bad(reading, "no number of a region:", "regionid");
	(void)snprintf(entry->zone, sizeof(entry->zone), "GB-%u", (unsigned)id);
	return 0;
}

static int take_member(struct reading *reading, const struct es_scan *key, int token,
		       struct entry *entry)
{
	const struct {
		enum shape shape;
		const char *key;
		char *text;
		size_t size;
		bool *has;
		double *number;
	} members[] = {
		{ SHAPE_RTE, "date_heure", entry->start, 64, NULL, NULL },
		{ SHAPE_RTE, "taux_co2", NULL, 0, &entry->has_value, &entry->value },
		{ SHAPE_MAPS, "datetime", entry->start, 64, NULL, NULL },
		{ SHAPE_MAPS, "zone", entry->zone, 32, NULL, NULL },
		{ SHAPE_MAPS, "emissionFactorType", entry->factor, 32, NULL, NULL },
		{ SHAPE_MAPS, "carbonIntensity", NULL, 0, &entry->has_value, &entry->value },
		{ SHAPE_UK, "from", entry->start, 64, NULL, NULL },
		{ SHAPE_UK, "to", entry->stop, 64, NULL, NULL },
		{ SHAPE_UK, "actual", NULL, 0, &entry->has_value, &entry->value },
		{ SHAPE_UK, "forecast", NULL, 0, &entry->has_forecast, &entry->forecast },
		{ SHAPE_WATTTIME, "point_time", entry->start, 64, NULL, NULL },
		{ SHAPE_WATTTIME, "value", NULL, 0, &entry->has_value, &entry->value },
	};

	if (reading->shape == SHAPE_UK && es_scan_is(key, "regionid"))
		return take_region(reading, token, entry);
	if (reading->shape == SHAPE_MAPS && es_scan_is(key, "isEstimated"))
		entry->is_estimated = token == ES_SCAN_TRUE;
	for (size_t i = 0; i < ES_ARRAY_SIZE(members); i++) {
		if (members[i].shape != reading->shape || !es_scan_is(key, members[i].key))
			continue;
		if (members[i].text)
			return take_text(reading, token, members[i].text, members[i].size);
		return take_number(reading, token, members[i].has, members[i].number);
	}
	return es_scan_skip(&reading->scan, token) < 0 ? broken(reading, -EBADMSG) : 0;
}

static int take_time(struct reading *reading, const char *text, int64_t *ret)
{
	int r = es_carbon_time(text, false, ret);

	if (r < 0)
		return bad(reading, r == -EINVAL ? "a time without zone:" : "no time:", text);
	return 0;
}

/* What the object said of its zone and scope, over what the file says. */
static int describe(struct reading *reading, const struct entry *entry,
		    struct es_carbon_nature *ret)
{
	*ret = reading->nature;
	if (entry->zone[0] && es_carbon_zone(entry->zone, ret->zone) < 0)
		return bad(reading, "no zone has such a name:", entry->zone);
	if (reading->shape == SHAPE_UK && reading->facts.has_region && !entry->zone[0])
		return bad(reading, "a region's figure before the region's number:", entry->start);
	if (entry->factor[0] && es_factor_scope_parse(entry->factor, &ret->scope) < 0)
		return bad(reading, "emissionFactorType is lifecycle or direct, not",
			   entry->factor);
	return 0;
}

static int put_entry(struct reading *reading, const struct entry *entry, bool is_forecast)
{
	struct es_slot slot = { .stop_ns = ES_SLOT_OPEN };
	struct es_carbon_nature nature;
	int r = describe(reading, entry, &nature);

	if (r == 0)
		r = take_time(reading, entry->start, &slot.start_ns);
	if (r == 0 && entry->stop[0])
		r = take_time(reading, entry->stop, &slot.stop_ns);
	if (r < 0)
		return r;
	reading->n_entries++;
	slot.place = (uint32_t)reading->n_entries;
	slot.g_per_kwh = entry->has_value ? entry->value : entry->forecast;
	if (reading->shape == SHAPE_WATTTIME)
		slot.g_per_kwh *= G_PER_KWH_OF_LB_PER_MWH;
	slot.basis = entry->is_estimated ? ES_SLOT_ESTIMATED : ES_SLOT_ACTUAL;
	if (is_forecast || !entry->has_value ||
	    (reading->shape == SHAPE_WATTTIME && reading->facts.is_generated))
		slot.basis = ES_SLOT_FORECAST;
	return es_carbon_put(reading->file, &nature, &slot, reading->err);
}

/* What an object inside said is said of the one around it: intensity {forecast, actual} of from and to. */
static void merge(struct entry *outer, const struct entry *inner)
{
	if (inner->has_value && !outer->has_value) {
		outer->has_value = true;
		outer->value = inner->value;
	}
	if (inner->has_forecast && !outer->has_forecast) {
		outer->has_forecast = true;
		outer->forecast = inner->forecast;
	}
}

static int read_object(struct reading *reading, unsigned level, bool is_forecast,
		       struct entry *entry);

/* The objects of an array; a forecast's figures say so by the array's key only. */
static int read_array(struct reading *reading, unsigned level, bool is_forecast,
		      const struct entry *outer)
{
	int token, r = 0;

	while (r == 0 && (token = es_scan_next(&reading->scan)) != ES_SCAN_ARRAY_END) {
		struct entry entry = { .start = "" };

		if (token < 0)
			return broken(reading, token);
		memcpy(entry.zone, outer->zone, sizeof(entry.zone));
		if (token == ES_SCAN_OBJECT && level < LEVELS)
			r = read_object(reading, level + 1, is_forecast, &entry);
		else if (token == ES_SCAN_ARRAY && level < LEVELS)
			r = read_array(reading, level + 1, is_forecast, outer);
		else if (es_scan_skip(&reading->scan, token) < 0)
			r = broken(reading, -EBADMSG);
	}
	return r;
}

static int read_inner(struct reading *reading, unsigned level, bool is_forecast,
		      struct entry *entry)
{
	struct entry inner = { .start = "" };
	int r;

	memcpy(inner.zone, entry->zone, sizeof(inner.zone));
	r = read_object(reading, level + 1, is_forecast, &inner);
	if (r == 0 && inner.start[0] == '\0')
		merge(entry, &inner);
	return r;
}

/* An object whose brace has been read, up to its end; a figure with its time is put into the file. */
static int read_object(struct reading *reading, unsigned level, bool is_forecast,
		       struct entry *entry)
{
	int token, r = 0;

	while (r == 0 && (token = es_scan_next(&reading->scan)) == ES_SCAN_KEY) {
		const struct es_scan key = reading->scan;

		token = es_scan_next(&reading->scan);
		if (token < 0)
			break;
		/* "units": {"carbonIntensity": "gCO2eq/kWh"} is no figure. */
		if (token == ES_SCAN_OBJECT && level < LEVELS && !es_scan_is(&key, "units"))
			r = read_inner(reading, level, is_forecast, entry);
		else if (token == ES_SCAN_ARRAY && level < LEVELS)
			r = read_array(reading, level + 1,
				       is_forecast || es_scan_is(&key, "forecast"), entry);
		else
			r = take_member(reading, &key, token, entry);
	}
	if (r == 0 && token < 0)
		return broken(reading, token);
	if (r == 0 && entry->start[0] && (entry->has_value || entry->has_forecast))
		r = put_entry(reading, entry, is_forecast);
	return r;
}

/* What the file says about all its figures. */
static int take_facts(struct reading *reading)
{
	const struct facts *facts = &reading->facts;

	reading->nature = natures[reading->shape];
	if ((reading->shape == SHAPE_MAPS || reading->shape == SHAPE_WATTTIME) && facts->zone[0] &&
	    es_carbon_zone(facts->zone, reading->nature.zone) < 0)
		return bad(reading, "no zone has such a name:", facts->zone);
	if (reading->shape == SHAPE_MAPS && facts->units[0] && !strstr(facts->units, "/kWh"))
		return bad(reading, "the unit is not gCO2eq/kWh:", facts->units);
	if (reading->shape != SHAPE_WATTTIME)
		return 0;
	if (strcmp(facts->units, "lbs_co2_per_mwh") != 0)
		return bad(reading, "the unit is not lbs_co2_per_mwh:", facts->units);
	if (strcmp(facts->signal, "co2_aoer") == 0)
		reading->nature.kind = ES_FACTOR_AVERAGE;
	else if (strcmp(facts->signal, "co2_moer") != 0)
		return bad(reading, "the signal is neither co2_moer nor co2_aoer:", facts->signal);
	return 0;
}

static int rewind_scan(struct reading *reading, const char *data, size_t n)
{
	es_scan_init(&reading->scan, data, n);
	reading->counted = data;
	reading->line = 1;
	return es_scan_next(&reading->scan);
}

int es_carbon_read_json(struct es_carbon_file *file, const char *data, size_t n,
			struct es_error *err)
{
	struct reading reading = { .file = file, .err = err };
	struct entry top = { .start = "" };
	int r, token;

	es_scan_init(&reading.scan, data, n);
	reading.counted = data;
	reading.line = 1;
	file->parts[file->n_parts - 1].unit = "entry";
	r = look_over(&reading);
	reading.shape = shape_of(&reading.facts);
	if (reading.facts.is_no_data)
		return es_carbon_bad(file, -ENODATA, "line", line_of(&reading), err,
				     "it says that there is no data (status no-data)");
	if (r < 0)
		return broken(&reading, r);
	if (reading.shape == SHAPE_UNKNOWN)
		return 1;
	r = take_facts(&reading);
	if (r < 0)
		return r;
	token = rewind_scan(&reading, data, n);
	if (token == ES_SCAN_OBJECT)
		return read_object(&reading, 0, false, &top);
	return token == ES_SCAN_ARRAY ? read_array(&reading, 0, false, &top) : 1;
}
