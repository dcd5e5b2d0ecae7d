/*
 * test_format_carbon_file.c - files with carbon intensities: each shape, what is chosen of it, and what is refused
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * All values are made up.
 */
#include "support/test.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "format/carbon_file.h"

struct fixture {
	struct es_carbon_file file;
	const struct es_intensity *location, *market;
	struct es_error err;
};

static int set_up(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	assert_non_null(*state);
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_carbon_file_finish(&f->file);
	free(f);
	return 0;
}

static int parse(struct fixture *f, const char *name, const char *text)
{
	char *copy = strdup(text);
	int r;

	assert_non_null(copy);
	r = es_carbon_file_parse(&f->file, name, copy, strlen(copy), &f->err);
	free(copy);
	return r == 0 ? es_carbon_file_prepare(&f->file, &f->err) : r;
}

static void parse_well(struct fixture *f, const char *text)
{
	int r = parse(f, "folder/some.file", text);

	if (r != 0)
		fail_msg("%d: %s", r, f->err.text);
}

static void choose(struct fixture *f, const struct es_carbon_wish *wish)
{
	if (es_carbon_file_choose(&f->file, "F", wish, &f->location, &f->market, &f->err) < 0)
		fail_msg("%s", f->err.text);
}

static void choose_any(struct fixture *f)
{
	const struct es_carbon_wish wish = { .zone = NULL };

	choose(f, &wish);
}

static void refuse_choice(struct fixture *f, const struct es_carbon_wish *wish, int code,
			  const char *word)
{
	int r = es_carbon_file_choose(&f->file, "F", wish, &f->location, &f->market, &f->err);

	assert_int_equal(r, code);
	if (!strstr(f->err.text, word))
		fail_msg("'%s' does not say '%s'", f->err.text, word);
}

static int64_t at(const char *text)
{
	int64_t t_ns;

	assert_int_equal(es_time_parse(text, &t_ns), 0);
	return t_ns;
}

static void assert_slot(const struct es_intensity *s, size_t i, const char *start, const char *stop,
			double g, enum es_slot_basis basis)
{
	assert_non_null(s);
	assert_true(i < s->n);
	assert_int_equal(s->slots[i].start_ns, at(start));
	assert_int_equal(s->slots[i].stop_ns, at(stop));
	if (fabs(s->slots[i].g_per_kwh - g) > 1e-9)
		fail_msg("%.12g is not %.12g", s->slots[i].g_per_kwh, g);
	assert_int_equal(s->slots[i].basis, basis);
}

static void csv_says_all_in_its_columns(void **state)
{
	struct fixture *f = *state;
	const struct es_carbon_wish wish = { .zone = "de" };

	parse_well(f,
		   "# made up\n# source: A table\n"
		   "start,stop,g_per_kwh,zone,kind,scope,basis\n"
		   "2026-03-01T01:00:00+01:00,2026-03-01T01:30:00+01:00,40.5,FR,average,direct,\n"
		   "2026-03-01T00:30Z,2026-03-01T01:00Z,41,France,average,direct,forecast\n"
		   "2026-03-01T00:00Z,2026-03-01T01:00Z,400,DEU,average,life cycle,actual\n");
	choose(f, &wish);
	assert_string_equal(f->location->zone, "DE");
	assert_string_equal(f->location->source, "A table");
	assert_int_equal(f->location->scope, ES_FACTOR_LIFECYCLE);
	assert_int_equal(f->location->n, 1);
	choose(f, &(struct es_carbon_wish){ .zone = "FR", .is_zone_given = true });
	assert_int_equal(f->location->kind, ES_FACTOR_AVERAGE);
	assert_int_equal(f->location->scope, ES_FACTOR_DIRECT);
	assert_slot(f->location, 0, "2026-03-01T00:00:00Z", "2026-03-01T00:30:00Z", 40.5,
		    ES_SLOT_ACTUAL);
	assert_slot(f->location, 1, "2026-03-01T00:30:00Z", "2026-03-01T01:00:00Z", 41,
		    ES_SLOT_FORECAST);
	refuse_choice(f, &(struct es_carbon_wish){ .zone = "BE", .is_zone_given = true }, -ENOENT,
		      "FR, DE");
	refuse_choice(f, &(struct es_carbon_wish){ .zone = "BE" }, -ENOENT, "--zone");
}

static void csv_without_header_or_with_comments_for_all_lines(void **state)
{
	struct fixture *f = *state;

	parse_well(f, "# zone: GB\n# kind: marginal\n# scope: lifecycle\n# timezone: UTC\n"
		      "2026-03-01 00:00,10\n# a remark: 5\n2026-03-01 00:30,20\n"
		      "2026-03-01 01:00,\n2026-03-01 01:30,40\n");
	choose_any(f);
	assert_string_equal(f->location->zone, "GB");
	assert_string_equal(f->location->source, "some");
	assert_int_equal(f->location->kind, ES_FACTOR_MARGINAL);
	assert_int_equal(f->location->n, 3);
	assert_slot(f->location, 1, "2026-03-01T00:30:00Z", "2026-03-01T01:00:00Z", 20,
		    ES_SLOT_ACTUAL);
	assert_slot(f->location, 2, "2026-03-01T01:30:00Z", "2026-03-01T02:00:00Z", 40,
		    ES_SLOT_ACTUAL);
}

static void csv_of_electricity_maps_has_both_scopes_and_neither_by_itself(void **state)
{
	struct fixture *f = *state;

	parse_well(f,
		   "Datetime (UTC),Country,Zone name,Zone id,Carbon intensity gCO₂eq/kWh (direct),"
		   "Carbon intensity gCO₂eq/kWh (Life cycle),Data source,Data estimated\n"
		   "2026-03-01 00:00:00,France,France,FR,20.5,35.25,x,false\n"
		   "2026-03-01 01:00:00,France,France,FR,21,36,x,true\n");
	refuse_choice(f, &(struct es_carbon_wish){ .zone = "FR" }, -EINVAL,
		      "--carbon-scope lifecycle|direct");
	choose(f, &(struct es_carbon_wish){ .zone = "FR", .scope = ES_FACTOR_LIFECYCLE });
	assert_slot(f->location, 0, "2026-03-01T00:00:00Z", "2026-03-01T01:00:00Z", 35.25,
		    ES_SLOT_ACTUAL);
	assert_slot(f->location, 1, "2026-03-01T01:00:00Z", "2026-03-01T02:00:00Z", 36,
		    ES_SLOT_ESTIMATED);
	choose(f, &(struct es_carbon_wish){ .zone = "FR", .scope = ES_FACTOR_DIRECT });
	assert_slot(f->location, 0, "2026-03-01T00:00:00Z", "2026-03-01T01:00:00Z", 20.5,
		    ES_SLOT_ACTUAL);
}

static void kinds_are_never_mixed_and_market_stands_apart(void **state)
{
	struct fixture *f = *state;

	parse_well(
		f,
		"start,g_per_kwh,kind,scope\n"
		"2026-03-01T00:00Z,10,average,lifecycle\n2026-03-01T01:00Z,11,average,lifecycle\n"
		"2026-03-01T00:00Z,90,marginal,lifecycle\n2026-03-01T01:00Z,91,marginal,lifecycle\n"
		"2026-03-01T00:00Z,5,market,\n2026-03-01T01:00Z,6,market,\n");
	refuse_choice(f, &(struct es_carbon_wish){ .zone = NULL }, -EINVAL,
		      "--carbon-kind average|marginal");
	refuse_choice(f, &(struct es_carbon_wish){ .scope = ES_FACTOR_DIRECT }, -ENOENT,
		      "no figures of kind any and scope direct");
	choose(f, &(struct es_carbon_wish){ .kind = ES_FACTOR_MARGINAL });
	assert_slot(f->location, 0, "2026-03-01T00:00:00Z", "2026-03-01T01:00:00Z", 90,
		    ES_SLOT_ACTUAL);
	assert_slot(f->market, 1, "2026-03-01T01:00:00Z", "2026-03-01T02:00:00Z", 6,
		    ES_SLOT_ACTUAL);
}

static void what_a_file_leaves_open_the_wish_states(void **state)
{
	struct fixture *f = *state;

	parse_well(f, "start,g_per_kwh\n2026-03-01T00:00Z,10\n2026-03-01T01:00Z,11\n");
	choose(f, &(struct es_carbon_wish){ .zone = "FR",
					    .is_zone_given = true,
					    .scope = ES_FACTOR_DIRECT,
					    .kind = ES_FACTOR_MARGINAL });
	assert_int_equal(f->location->scope, ES_FACTOR_SCOPE_UNKNOWN);
}

#define RTE(time, taux) \
	"{\"fields\": {\"date_heure\": \"2026-10-25T" time "\", \"taux_co2\": " taux "}}"

static void rte_in_its_three_versions_and_over_the_end_of_summer_time(void **state)
{
	struct fixture *f = *state;

	/* 02:45 comes twice that night; a null is a time that is not known. */
	parse_well(
		f,
		"{\"nhits\": 5, \"parameters\": {\"timezone\": \"Europe/Paris\"}, \"records\": [" RTE(
			"02:45:00+02:00",
			"31") "," RTE("02:00:00+01:00",
				      "32") "," RTE("02:30:00+02:00",
						    "30") "," RTE("02:15:00+01:00",
								  "33") "," RTE("02:30:00+01:00",
										"null") "]}");
	choose_any(f);
	assert_string_equal(f->location->zone, "FR");
	assert_int_equal(f->location->kind, ES_FACTOR_AVERAGE);
	assert_int_equal(f->location->scope, ES_FACTOR_DIRECT);
	assert_int_equal(f->location->n, 4);
	assert_slot(f->location, 0, "2026-10-25T00:30:00Z", "2026-10-25T00:45:00Z", 30,
		    ES_SLOT_ACTUAL);
	assert_slot(f->location, 2, "2026-10-25T01:00:00Z", "2026-10-25T01:15:00Z", 32,
		    ES_SLOT_ACTUAL);
	assert_slot(f->location, 3, "2026-10-25T01:15:00Z", "2026-10-25T01:30:00Z", 33,
		    ES_SLOT_ACTUAL);

	es_carbon_file_finish(&f->file);
	parse_well(f, "{\"total_count\":1,\"results\":[{\"date_heure\":"
		      "\"2026-03-01T02:45:00+02:00\",\"taux_co2\":13}]}");
	assert_int_equal(f->file.n_slots, 1);
	es_carbon_file_finish(&f->file);
	parse_well(f, "{\"records\":[{\"record\":{\"fields\":{\"taux_co2\":\"13\",\"date_heure\":"
		      "\"2026-03-01T02:45:00+02:00\"}}}]}");
	assert_int_equal(f->file.n_slots, 1);
	es_carbon_file_finish(&f->file);
	parse_well(f, "[{\"taux_co2\":13,\"date_heure\":\"2026-03-01T02:45:00+02:00\"},\n"
		      " {\"taux_co2\":14,\"date_heure\":\"2026-03-01T03:00:00+02:00\"}]");
	assert_int_equal(f->file.n_slots, 2);
}

static void electricity_maps_latest_history_forecast_and_the_old_form(void **state)
{
	struct fixture *f = *state;

	parse_well(
		f,
		"{\"zone\":\"US-XY\",\"history\":["
		"{\"zone\":\"US-XY\",\"carbonIntensity\":216,\"datetime\":\"2026-03-01T00:00:00.000Z\","
		"\"emissionFactorType\":\"lifecycle\",\"isEstimated\":false,\"estimationMethod\":null},"
		"{\"zone\":\"US-XY\",\"carbonIntensity\":217,\"datetime\":\"2026-03-01T01:00:00.000Z\","
		"\"emissionFactorType\":\"lifecycle\",\"isEstimated\":true}]}");
	choose(f, &(struct es_carbon_wish){ .zone = "US-XY", .is_zone_given = true });
	assert_int_equal(f->location->scope, ES_FACTOR_LIFECYCLE);
	assert_slot(f->location, 0, "2026-03-01T00:00:00Z", "2026-03-01T01:00:00Z", 216,
		    ES_SLOT_ACTUAL);
	assert_slot(f->location, 1, "2026-03-01T01:00:00Z", "2026-03-01T02:00:00Z", 217,
		    ES_SLOT_ESTIMATED);

	/* The forecast of the same zone says no scope: it is another series. */
	es_carbon_file_finish(&f->file);
	parse_well(
		f,
		"{\"forecast\":[{\"carbonIntensity\":300,\"datetime\":\"2026-03-01T02:00:00.000Z\"}],"
		"\"zone\":\"FR\",\"updatedAt\":\"2026-03-01T00:00:00.000Z\"}");
	choose_any(f);
	assert_string_equal(f->location->zone, "FR");
	assert_slot(f->location, 0, "2026-03-01T02:00:00Z", "2026-03-01T03:00:00Z", 300,
		    ES_SLOT_FORECAST);

	es_carbon_file_finish(&f->file);
	parse_well(f,
		   "{\"status\":\"ok\",\"data\":{\"datetime\":\"2026-03-01T02:00:00.000Z\","
		   "\"carbonIntensity\":474,\"fossilFuelPercentage\":42.2},\"countryCode\":\"FR\","
		   "\"units\":{\"carbonIntensity\":\"gCO2eq/kWh\"}}");
	choose_any(f);
	assert_string_equal(f->location->zone, "FR");
	assert_int_equal(f->location->n, 1);

	es_carbon_file_finish(&f->file);
	assert_int_equal(parse(f, "x", "{\"status\":\"no-data\",\"data\":{}}"), -ENODATA);
	assert_non_null(strstr(f->err.text, "no data"));
}

static void the_british_grid_gives_what_came_true_or_what_was_foreseen(void **state)
{
	struct fixture *f = *state;

	parse_well(f, "{\"data\":[{\"from\":\"2026-01-26T00:00Z\",\"to\":\"2026-01-26T00:30Z\","
		      "\"intensity\":{\"forecast\":158,\"actual\":152,\"index\":\"moderate\"}},"
		      "{\"from\":\"2026-01-26T00:30Z\",\"to\":\"2026-01-26T01:00Z\","
		      "\"intensity\":{\"forecast\":160,\"actual\":null,\"index\":\"moderate\"}},"
		      "{\"from\":\"2026-01-26T01:00Z\",\"to\":\"2026-01-26T01:30Z\","
		      "\"intensity\":{\"forecast\":null,\"actual\":null}}]}");
	choose_any(f);
	assert_string_equal(f->location->zone, "GB");
	assert_int_equal(f->location->scope, ES_FACTOR_DIRECT);
	assert_int_equal(f->location->n, 2);
	assert_slot(f->location, 0, "2026-01-26T00:00:00Z", "2026-01-26T00:30:00Z", 152,
		    ES_SLOT_ACTUAL);
	assert_slot(f->location, 1, "2026-01-26T00:30:00Z", "2026-01-26T01:00:00Z", 160,
		    ES_SLOT_FORECAST);

	/* A region is another grid. */
	es_carbon_file_finish(&f->file);
	parse_well(f, "{\"data\":{\"regionid\":13,\"shortname\":\"London\",\"data\":["
		      "{\"from\":\"2026-01-26T00:00Z\",\"to\":\"2026-01-26T00:30Z\","
		      "\"intensity\":{\"forecast\":99,\"index\":\"low\"}}]}}");
	choose_any(f);
	assert_string_equal(f->location->zone, "GB-13");
}

static void watttime_is_marginal_and_in_pounds(void **state)
{
	struct fixture *f = *state;
	static const char good[] =
		"{\"data\":[{\"point_time\":\"2026-04-01T00:00:00+00:00\",\"value\":1000.0},"
		"{\"point_time\":\"2026-04-01T00:05:00+00:00\",\"value\":500}],"
		"\"meta\":{\"region\":\"SOME_NORTH\",\"signal_type\":\"co2_moer\","
		"\"units\":\"lbs_co2_per_mwh\"}}";

	parse_well(f, good);
	choose_any(f);
	assert_string_equal(f->location->zone, "SOME_NORTH");
	assert_int_equal(f->location->kind, ES_FACTOR_MARGINAL);
	assert_slot(f->location, 0, "2026-04-01T00:00:00Z", "2026-04-01T00:05:00Z", 453.59237,
		    ES_SLOT_ACTUAL);

	es_carbon_file_finish(&f->file);
	assert_true(parse(f, "x",
			  "{\"data\":[{\"point_time\":\"2026-04-01T00:00:00Z\",\"value\":1}],"
			  "\"meta\":{\"signal_type\":\"health_damage\",\"units\":"
			  "\"lbs_co2_per_mwh\"}}") < 0);
	assert_non_null(strstr(f->err.text, "health_damage"));
}

#define SERIES(in, area, psr, curve, step, points)                                             \
	"<TimeSeries><" in "BiddingZone_Domain.mRID codingScheme='A01'>" area "</" in          \
	"BiddingZone_Domain.mRID><quantity_Measure_Unit.name>MAW</quantity_Measure_Unit.name>" \
	"<curveType>" curve "</curveType><MktPSRType><psrType>" psr "</psrType></MktPSRType>"  \
	"<Period><timeInterval><start>2026-01-01T00:00Z</start><end>2026-01-01T02:00Z</end>"   \
	"</timeInterval><resolution>" step "</resolution>" points "</Period></TimeSeries>\n"
#define POINT(position, quantity) \
	"<Point><position>" position "</position><quantity>" quantity "</quantity></Point>"
#define DOCUMENT(series)                                                                 \
	"<?xml version='1.0' encoding='UTF-8'?>\n"                                       \
	"<GL_MarketDocument xmlns='urn:x'><mRID>made-up</mRID><type>A75</type>\n" series \
	"</GL_MarketDocument>\n"
#define FR "10YFR-RTE------C"

static void entsoe_mixes_generation_with_the_factors_of_its_types(void **state)
{
	struct fixture *f = *state;

	/* Nuclear by the hour, gas in blocks, solar by the half hour; pumping, storage and waste beside. */
	parse_well(f,
		   DOCUMENT(
			   SERIES("in", FR, "B14", "A01", "PT60M",
				  POINT("1", "3000") POINT(
					  "2", "2000")) SERIES("in", FR, "B04", "A03", "PT30M",
							       POINT("1", "1000") POINT("4", "500"))
				   SERIES("in", FR, "B16", "A01", "PT30M",
					  POINT("1", "0") POINT("2", "0") POINT("3", "1000")
						  POINT("4", "1000"))
					   SERIES("in", FR, "B17", "A01", "PT60M",
						  POINT("1", "100") POINT("2", "100"))
						   SERIES("in", FR, "B10", "A01", "PT60M",
							  POINT("1", "900") POINT("2", "900"))
							   SERIES("out", FR, "B10", "A01", "PT60M",
								  POINT("1", "400")
									  POINT("2", "400"))));
	choose_any(f);
	assert_string_equal(f->location->zone, "FR");
	assert_int_equal(f->location->scope, ES_FACTOR_LIFECYCLE);
	assert_int_equal(f->location->kind, ES_FACTOR_AVERAGE);
	assert_int_equal(f->location->n, 4);
	assert_slot(f->location, 0, "2026-01-01T00:00:00Z", "2026-01-01T00:30:00Z",
		    (3000 * 12 + 1000 * 490) / 4000.0, ES_SLOT_ACTUAL);
	assert_slot(f->location, 2, "2026-01-01T01:00:00Z", "2026-01-01T01:30:00Z",
		    (2000 * 12 + 1000 * 490 + 1000 * 48) / 4000.0, ES_SLOT_ACTUAL);
	assert_slot(f->location, 3, "2026-01-01T01:30:00Z", "2026-01-01T02:00:00Z",
		    (2000 * 12 + 500 * 490 + 1000 * 48) / 3500.0, ES_SLOT_ACTUAL);
	assert_non_null(strstr(f->file.note, "Waste"));
}

static void entsoe_says_nothing_of_a_time_that_it_knows_in_part(void **state)
{
	struct fixture *f = *state;

	parse_well(f,
		   DOCUMENT(SERIES("in", FR, "B14", "A01", "PT60M",
				   POINT("1", "3000") POINT("2", "2000"))
				    SERIES("in", FR, "B04", "A01", "PT60M", POINT("2", "1000"))));
	choose_any(f);
	assert_int_equal(f->location->n, 1);
	assert_slot(f->location, 0, "2026-01-01T01:00:00Z", "2026-01-01T02:00:00Z",
		    (2000 * 12 + 1000 * 490) / 3000.0, ES_SLOT_ACTUAL);

	/* More than a tenth without a factor: no figure, and the note says so. */
	es_carbon_file_finish(&f->file);
	parse_well(f, DOCUMENT(SERIES("in", FR, "B14", "A01", "PT60M",
				      POINT("1", "3000") POINT("2", "2000"))
				       SERIES("in", FR, "B20", "A01", "PT60M",
					      POINT("1", "100") POINT("2", "1000"))));
	assert_int_equal(f->file.n_slots, 1);
	assert_non_null(strstr(f->file.note, "1 of 2 figures left out"));
}

/* A series that ends in the midst of another one's period took the points away that the period went on writing to. */
static void entsoe_elements_out_of_place_are_refused(void **state)
{
	struct fixture *f = *state;
	static const char period[] =
		"<Period><timeInterval><start>2026-01-01T00:00Z</start><end>2026-01-01T02:00Z"
		"</end></timeInterval><resolution>PT60M</resolution>" POINT("1", "1");
	char text[2048];

	(void)snprintf(text, sizeof(text),
		       "<GL_MarketDocument><TimeSeries>%s<TimeSeries>"
		       "<outBiddingZone_Domain.mRID>x</outBiddingZone_Domain.mRID></TimeSeries>"
		       "<TimeSeries><curveType>A03</curveType>" POINT(
			       "2", "1") "</TimeSeries></Period></TimeSeries></GL_MarketDocument>",
		       period);
	assert_int_equal(parse(f, "x", text), -EBADMSG);
	assert_non_null(strstr(f->err.text, "TimeSeries"));

	es_carbon_file_finish(&f->file);
	(void)snprintf(text, sizeof(text),
		       "<GL_MarketDocument>" POINT("1", "1") "</GL_MarketDocument>");
	assert_int_equal(parse(f, "x", text), -EBADMSG);
	assert_non_null(strstr(f->err.text, "Point"));

	/* Of other documents nothing is read. */
	es_carbon_file_finish(&f->file);
	(void)snprintf(text, sizeof(text),
		       "<Another><TimeSeries>%s</Period></TimeSeries></Another>", period);
	assert_int_equal(parse(f, "x", text), 1);
}

static void hostile_and_broken_files_are_refused_with_their_place(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *text, *words;
	} files[] = {
		{ "start,g_per_kwh\n2026-03-01T00:00Z,10\n2026-03-01T01:00,11\n",
		  "line 3: end it with Z" },
		{ "start,g_per_kwh\n2026-03-01T00:00Z,ten\n", "line 2: no number: 'ten'" },
		{ "start,g_per_kwh\n2026-03-01T00:00Z,-1\n", "line 2: -1 g/kWh is no intensity" },
		{ "start,g_per_kwh\n2026-03-01T00:00Z,450000\n", "no intensity" },
		{ "start,g_per_kwh\n2026-13-01T00:00Z,1\n", "line 2: no time" },
		{ "start,g_per_kwh\n2026-03-01T00:00Z\n", "line 2: only 1 fields" },
		{ "start,g_per_kwh\n2026-03-01T00:00Z,1\n", "give a stop" },
		{ "start,stop,g_per_kwh\n2026-03-01T01:00Z,2026-03-01T00:00Z,1\n", "stops before" },
		{ "start,g_per_kwh,kind\n2026-03-01T00:00Z,1,mean\n",
		  "average, marginal or market" },
		{ "start,g_per_kwh,scope\n2026-03-01T00:00Z,1,2\n", "lifecycle or direct" },
		{ "# timezone: Europe/Paris\nstart,g_per_kwh\n", "line 1: timezone is UTC" },
		{ "start,g_per_kwh\n\"2026-03-01T00:00Z,1\n", "line 2: quotes" },
		{ "start,stop,g_per_kwh\n2026-03-01T00:00Z,2026-03-01T01:00Z,1\n"
		  "2026-03-01T00:30Z,2026-03-01T01:30Z,1\n",
		  "line 3: the time from" },
		{ "{\"results\":[\n{\"date_heure\":\"2026-03-01T02:45:00+02:00\",\"taux_co2\":13}",
		  "line 2: the JSON breaks off" },
		{ "{\"results\":[{\"date_heure\":\"2026-03-01T02:45:00\",\"taux_co2\":13}]}",
		  "entry 1: a time without zone" },
		{ "{\"results\":[{\"date_heure\":\"yesterday\",\"taux_co2\":13}]}", "no time" },
		{ "{\"results\":[{\"date_heure\":5,\"taux_co2\":13}]}", "a text is wanted" },
		{ "{\"zone\":\"FR\",\"carbonIntensity\":1,\"datetime\":\"2026-03-01T02:45:00Z\","
		  "\"emissionFactorType\":\"both\"}",
		  "emissionFactorType" },
		{ "{,}", "this is not JSON" },
		{ "<!DOCTYPE a [<!ENTITY b \"bbbb\">]><GL_MarketDocument>&b;</GL_MarketDocument>",
		  "document type declaration" },
		{ "<GL_MarketDocument><type>A75</type>", "this is no XML" },
		{ "<GL_MarketDocument><type>A69</type></GL_MarketDocument>", "not A75" },
		{ "<Acknowledgement_MarketDocument><Reason><code>999</code><text>No matching data"
		  "</text></Reason></Acknowledgement_MarketDocument>",
		  "No matching data" },
		{ DOCUMENT(SERIES("in", FR, "B99", "A01", "PT60M", POINT("1", "1"))), "B99" },
		{ DOCUMENT(SERIES("in", FR, "B14", "A07", "PT60M", POINT("1", "1"))), "curveType" },
		{ DOCUMENT(SERIES("in", FR, "B14", "A01", "PT7M", POINT("1", "1"))), "multiple" },
		{ DOCUMENT(SERIES("in", FR, "B14", "A01", "P1Y", POINT("1", "1"))), "resolution" },
		{ DOCUMENT(SERIES("in", FR, "B14", "A01", "PT60M", POINT("3", "1"))),
		  "in its place" },
		{ DOCUMENT(SERIES("in", FR, "B14", "A01", "PT60M", POINT("1", "-5"))), "quantity" },
		{ DOCUMENT(SERIES("in", FR, "B14", "A01", "PT60M", POINT("1", "5"))
				   SERIES("in", FR, "B14", "A01", "PT60M", POINT("1", "6"))),
		  "twice for one time" },
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		int r = parse(f, "dir/x", files[i].text);

		if (r >= 0 || !strstr(f->err.text, files[i].words))
			fail_msg("%zu: %d '%s' does not say '%s'", i, r, f->err.text,
				 files[i].words);
		assert_non_null(strstr(f->err.text, "'dir/x'"));
		es_carbon_file_finish(&f->file);
	}
}

static void what_is_something_else_is_told_from_what_is_broken(void **state)
{
	struct fixture *f = *state;
	static const char *const others[] = { "a,b,c\n1,2,3\n", "{\"a\": 5}", "[]", "<a/>",
					      "hello\n" };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_int_equal(parse(f, "x", others[i]), 1);
		es_carbon_file_finish(&f->file);
	}
}

static void without_the_library_it_says_which_package(void **state)
{
	struct fixture *f = *state;

	f->file.xml_library = "libnothing.so.0";
	assert_int_equal(parse(f, "x", "<GL_MarketDocument/>"), -ENOENT);
	assert_non_null(strstr(f->err.text, "libexpat1"));
}

static void a_file_that_is_not_there_or_not_text(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(es_carbon_file_read(&f->file, "/nonexistent/f", &f->err), -ENOENT);
	assert_true(es_carbon_file_read(&f->file, "/bin/sh", &f->err) < 0);
	assert_non_null(strstr(f->err.text, "no carbon intensities"));
}

static void random_damage_is_survived(void **state)
{
	struct fixture *f = *state;
	static const char text[] = DOCUMENT(
		SERIES("in", FR, "B14", "A03", "PT60M", POINT("1", "3000") POINT("2", "2000")));
	unsigned seed = 5;

	for (int i = 0; i < 300; i++) {
		char copy[sizeof(text)];

		memcpy(copy, text, sizeof(text));
		for (int k = 0; k < 4; k++)
			copy[(unsigned)rand_r(&seed) % (sizeof(text) - 1)] =
				(char)(32 + rand_r(&seed) % 95);
		if (parse(f, "x", copy) < 0)
			assert_true(f->err.text[0] != '\0');
		es_carbon_file_finish(&f->file);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(csv_says_all_in_its_columns),
		TEST(csv_without_header_or_with_comments_for_all_lines),
		TEST(csv_of_electricity_maps_has_both_scopes_and_neither_by_itself),
		TEST(kinds_are_never_mixed_and_market_stands_apart),
		TEST(what_a_file_leaves_open_the_wish_states),
		TEST(rte_in_its_three_versions_and_over_the_end_of_summer_time),
		TEST(electricity_maps_latest_history_forecast_and_the_old_form),
		TEST(the_british_grid_gives_what_came_true_or_what_was_foreseen),
		TEST(watttime_is_marginal_and_in_pounds),
		TEST(entsoe_mixes_generation_with_the_factors_of_its_types),
		TEST(entsoe_says_nothing_of_a_time_that_it_knows_in_part),
		TEST(entsoe_elements_out_of_place_are_refused),
		TEST(hostile_and_broken_files_are_refused_with_their_place),
		TEST(what_is_something_else_is_told_from_what_is_broken),
		TEST(without_the_library_it_says_which_package),
		TEST(a_file_that_is_not_there_or_not_text),
		TEST(random_damage_is_survived),
	};

	return cmocka_run_group_tests_name("format/carbon_file", tests, NULL, NULL);
}
