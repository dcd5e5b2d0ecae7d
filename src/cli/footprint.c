/*
 * footprint.c - carbon over time, by contract, of the machines; price: what a user asked for, and the file it comes from
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/footprint.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/settings.h"
#include "core/grid.h"

/* One setting by an option whose name is another than the key. */
static int put_option(struct es_settings *settings, const char *key, const char *option,
		      const char *text, struct es_error *err)
{
	struct es_error why = { .code = 0 };

	if (es_settings_option(settings, key, text, &why) < 0)
		return es_error_say(err, -EINVAL, "--%s: %s", option, why.text);
	(void)snprintf(es_footprint_origin(&settings->footprint, key), ES_ORIGIN_MAX_BYTES,
		       "option --%s", option);
	return 0;
}

/* KG or KG:YEARS */
static int put_embodied(struct es_settings *settings, const char *text, struct es_error *err)
{
	const char *colon = strchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : strlen(text);
	char kg[32];
	int r;

	if (n >= sizeof(kg))
		return es_error_say(err, -EINVAL, "--embodied '%.64s': KG or KG:YEARS is wanted",
				    text);
	(void)snprintf(kg, sizeof(kg), "%.*s", (int)n, text);
	r = put_option(settings, "embodied_kg", "embodied", kg, err);
	if (r == 0 && colon)
		r = put_option(settings, "lifetime_years", "embodied", colon + 1, err);
	return r;
}

static int put_options(const struct es_footprint *footprint, struct es_settings *settings,
		       struct es_error *err)
{
	const struct {
		const char *key, *option, *text;
	} options[] = {
		{ "carbon_file", "carbon-file", footprint->file },
		{ "carbon_scope", "carbon-scope", footprint->scope },
		{ "carbon_kind", "carbon-kind", footprint->kind },
		{ "market_g_per_kwh", "market", footprint->market },
		{ "price", "price", footprint->price },
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ES_ARRAY_SIZE(options); i++)
		if (options[i].text)
			r = put_option(settings, options[i].key, options[i].option, options[i].text,
				       err);
	if (r == 0 && footprint->embodied)
		r = put_embodied(settings, footprint->embodied, err);
	return r;
}

static struct es_carbon_wish wish_of(const struct es_settings *settings, const char *zone)
{
	return (struct es_carbon_wish){ .zone = zone && *zone ? zone : NULL,
					.is_zone_given = settings->zone[0] != '\0',
					.kind = settings->footprint.kind,
					.scope = settings->footprint.scope };
}

static bool has_one_zone(const struct es_carbon_file *file)
{
	for (size_t i = 1; i < file->n; i++)
		if (strcmp(file->series[i].zone, file->series[0].zone) != 0)
			return false;
	return true;
}

static void forget_file(struct es_footprint *footprint)
{
	es_carbon_file_finish(&footprint->figures);
	footprint->has_figures = false;
}

static int read_file(struct es_footprint *footprint, const struct es_settings *settings,
		     struct es_error *err)
{
	int r;

	forget_file(footprint);
	r = es_carbon_file_read(&footprint->figures, settings->footprint.file, err);
	footprint->has_figures = r == 0;
	return r;
}

/* A zone that no country's table has may be one of the file's; where there is no file it is refused as ever. */
static int put_zone(const struct es_footprint *footprint, struct es_settings *settings,
		    const char *zone, struct es_error *err)
{
	if (!footprint->has_figures || es_grid_find(zone))
		return es_settings_option(settings, "zone", zone, err);
	(void)snprintf(settings->zone, sizeof(settings->zone), "%.64s", zone);
	(void)snprintf(settings->zone_origin, sizeof(settings->zone_origin), "option --zone");
	return 0;
}

/* What can be told to be wrong before the job's zone is known. */
static int check_file(const struct es_footprint *footprint, const struct es_settings *settings,
		      struct es_error *err)
{
	const struct es_intensity *location, *market;
	const struct es_carbon_wish wish = wish_of(settings, settings->zone);

	if (!wish.is_zone_given && !has_one_zone(&footprint->figures))
		return 0;
	return es_carbon_file_choose(&footprint->figures, settings->footprint.file, &wish,
				     &location, &market, err);
}

int es_footprint_load(struct es_footprint *footprint, struct es_settings *settings,
		      const char *carbon, const char *zone, struct es_error *err)
{
	struct es_footprint_settings *mine = &settings->footprint;
	int r;

	if (carbon && footprint->file)
		return es_error_say(
			err, -EINVAL,
			"--carbon and --carbon-file: one factor for all time, or a file; not both");
	r = put_options(footprint, settings, err);
	if (r < 0)
		return r;
	if (carbon)
		mine->file[0] = '\0';
	if (!mine->file[0] && (footprint->scope || footprint->kind))
		return es_error_say(err, -EINVAL,
				    "--carbon-%s chooses from a file: give --carbon-file",
				    footprint->scope ? "scope" : "kind");
	if (footprint->is_told && mine->file[0])
		r = read_file(footprint, settings, err);
	if (r == 0 && zone)
		r = put_zone(footprint, settings, zone, err);
	if (r == 0 && footprint->has_figures)
		r = check_file(footprint, settings, err);
	/* While the job runs it has no use for them, and afterwards there may be more. */
	if (footprint->is_later)
		forget_file(footprint);
	return r;
}

/* Letters as they are, digits, '-' and '.': what may stand in an id. */
static void slug(const char *text, char *ret, size_t size)
{
	size_t n = 0;

	for (; *text && n + 1 < size; text++) {
		if (isalnum((unsigned char)*text) || *text == '.')
			ret[n++] = *text;
		else if (n > 0 && ret[n - 1] != '-')
			ret[n++] = '-';
	}
	while (n > 0 && ret[n - 1] == '-')
		n--;
	ret[n] = '\0';
}

static int year_of(int64_t t_unix_ns)
{
	time_t s = (time_t)(t_unix_ns / ES_NS_PER_S);
	struct tm tm;

	return gmtime_r(&s, &tm) ? tm.tm_year + 1900 : 0;
}

/* Which series it is, for good: source, zone, kind, scope, year. */
static void name_factor(struct es_footprint *footprint, const struct es_carbon_factor *factor)
{
	char source[100], zone[64];

	slug(factor->source, source, sizeof(source));
	slug(factor->zone, zone, sizeof(zone));
	(void)snprintf(footprint->factor_id, sizeof(footprint->factor_id), "%s-%s-%s-%s-%d",
		       source[0] ? source : "unnamed", zone,
		       factor->kind ? factor->kind : "unstated",
		       factor->scope ? factor->scope : "unstated", factor->year);
}

static void use_location(struct es_footprint *footprint, const struct es_settings *settings,
			 const struct es_intensity *location, int64_t start_unix_ns,
			 struct es_report_options *options)
{
	const struct es_footprint_settings *mine = &settings->footprint;
	/* A zone that no table has may still be the user's word for figures without one. */
	const char *job_zone = options->carbon.zone ? options->carbon.zone : settings->zone;
	struct es_carbon_factor factor = {
		.zone = location->zone[0] ? location->zone : job_zone,
		/* What the file leaves open the user has stated, or nobody. */
		.kind = es_factor_kind_name(location->kind ? location->kind : mine->kind),
		.scope = es_factor_scope_name(location->scope ? location->scope : mine->scope),
		.factor_id = footprint->factor_id,
		.source = location->source,
		.year = year_of(start_unix_ns),
	};

	if (location->zone[0] && strcasecmp(location->zone, job_zone) != 0) {
		(void)snprintf(footprint->zone_source, sizeof(footprint->zone_source), "file %s",
			       mine->file);
		options->zone_source = footprint->zone_source;
	}
	name_factor(footprint, &factor);
	options->carbon = factor;
	options->footprint.intensity = location;
}

static void use_market(struct es_footprint *footprint, const struct es_settings *settings,
		       const struct es_intensity *market, struct es_report_options *options)
{
	const struct es_footprint_settings *mine = &settings->footprint;

	options->footprint.market_source = footprint->market_source;
	if (mine->has_market) {
		options->footprint.has_market = true;
		options->footprint.market_g_per_kwh = mine->market_g_per_kwh;
		(void)snprintf(footprint->market_source, sizeof(footprint->market_source), "%s",
			       mine->origins[ES_FOOTPRINT_MARKET]);
	} else if (market) {
		options->footprint.market = market;
		(void)snprintf(footprint->market_source, sizeof(footprint->market_source),
			       "%s, file %s", market->source, mine->file);
	} else {
		options->footprint.market_source = NULL;
	}
}

static void use_settings(const struct es_settings *settings, struct es_report_options *options)
{
	const struct es_footprint_settings *mine = &settings->footprint;
	struct es_carbon_options *to = &options->footprint;

	to->has_embodied = mine->has_embodied;
	to->embodied_kg = mine->embodied_kg;
	to->lifetime_years = mine->lifetime_years > 0 ? mine->lifetime_years
						      : ES_LIFETIME_YEARS_DEFAULT;
	to->embodied_source = mine->origins[ES_FOOTPRINT_EMBODIED];
	to->has_price = mine->has_price;
	to->price_micro_per_kwh = mine->price_micro_per_kwh;
	to->currency = mine->currency;
	to->tariff = mine->tariff[0] ? mine->tariff : NULL;
	to->price_source = mine->origins[ES_FOOTPRINT_PRICE];
}

static int find_series(struct es_footprint *footprint, const struct es_settings *settings,
		       const char *zone, const struct es_intensity **ret_location,
		       const struct es_intensity **ret_market, struct es_error *err)
{
	const struct es_carbon_wish wish = wish_of(settings, zone);
	int r = 0;

	if (footprint->is_later)
		r = read_file(footprint, settings, err);
	if (r == 0)
		r = es_carbon_file_choose(&footprint->figures, settings->footprint.file, &wish,
					  ret_location, ret_market, err);
	return r;
}

int es_footprint_apply(struct es_footprint *footprint, const struct es_settings *settings,
		       int64_t start_unix_ns, struct es_report_options *options,
		       struct es_error *err)
{
	const struct es_intensity *location = NULL, *market = NULL;
	const char *zone = settings->zone[0] ? settings->zone : options->carbon.zone;
	struct es_error why = { .code = 0 };
	int r = 0;

	use_settings(settings, options);
	if (footprint->is_told && settings->footprint.file[0])
		r = find_series(footprint, settings, zone, &location, &market, &why);
	if (r < 0 && !footprint->is_later)
		return es_error_say(err, -EINVAL, "%s", why.text);
	if (r < 0) {
		/* The job is over: its figures come first, and report can be asked again. */
		(void)snprintf(footprint->note, sizeof(footprint->note), "%s", why.text);
		options->footprint.note = footprint->note;
		options->carbon.zone = NULL;
	} else if (footprint->figures.note[0]) {
		options->footprint.note = footprint->figures.note;
	}
	if (location)
		use_location(footprint, settings, location, start_unix_ns, options);
	use_market(footprint, settings, market, options);
	return 0;
}

void es_footprint_finish(struct es_footprint *footprint)
{
	forget_file(footprint);
}
