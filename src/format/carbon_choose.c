/*
 * carbon_choose.c - which of a file's series is meant: zone, kind, scope, never two at once
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "format/carbon_file.h"
#include "format/carbon_parse.h"

#define LISTED_MAX_BYTES 400

/* What remains of the series as the choice goes on. */
struct choice {
	const struct es_carbon_file *file;
	const struct es_intensity *left[ES_CARBON_SERIES_MAX];
	size_t n;
};

bool es_carbon_file_has_zone(const struct es_carbon_file *file, const char *zone)
{
	char code[32];

	if (es_carbon_zone(zone, code) < 0)
		return false;
	for (size_t i = 0; i < file->n; i++)
		if (strcasecmp(file->series[i].zone, code) == 0)
			return true;
	return false;
}

static void append(char *text, const char *word)
{
	size_t n = strlen(text);

	(void)snprintf(text + n, LISTED_MAX_BYTES - n, "%s%s", n ? ", " : "", word);
}

/* "BE, DE, FR" */
static void list_zones(const struct choice *choice, char text[static LISTED_MAX_BYTES])
{
	text[0] = '\0';
	for (size_t i = 0; i < choice->n; i++) {
		bool is_new = true;

		for (size_t j = 0; j < i && is_new; j++)
			is_new = strcasecmp(choice->left[i]->zone, choice->left[j]->zone) != 0;
		if (is_new && strlen(text) < LISTED_MAX_BYTES - 40)
			append(text, choice->left[i]->zone[0] ? choice->left[i]->zone
							      : "one that is not named");
		else if (is_new && strcmp(text + strlen(text) - 3, "…") != 0)
			append(text, "…");
	}
}

static const char *or_unstated(const char *name)
{
	return name ? name : "not stated";
}

/* "average and lifecycle; average and direct", with sources where these are what differs. */
static void list_natures(const struct choice *choice, char text[static LISTED_MAX_BYTES])
{
	text[0] = '\0';
	for (size_t i = 0; i < choice->n && strlen(text) < LISTED_MAX_BYTES - 120; i++) {
		const struct es_intensity *s = choice->left[i];
		char word[160];

		(void)snprintf(word, sizeof(word), "(kind %s, scope %s, source %.60s)",
			       or_unstated(es_factor_kind_name(s->kind)),
			       or_unstated(es_factor_scope_name(s->scope)),
			       s->source[0] ? s->source : "not stated");
		append(text, word);
	}
}

static bool is_market(const struct es_intensity *series)
{
	return series->kind == ES_FACTOR_MARKET;
}

/* Those of one zone. */
static int choose_zone(struct choice *choice, const char *path, const struct es_carbon_wish *wish,
		       struct es_error *err)
{
	char zones[LISTED_MAX_BYTES], wanted[32] = "";
	size_t n = 0;

	if (wish->zone && es_carbon_zone(wish->zone, wanted) < 0)
		wanted[0] = '\0';
	for (size_t i = 0; wanted[0] && i < choice->n; i++)
		if (strcasecmp(choice->left[i]->zone, wanted) == 0)
			choice->left[n++] = choice->left[i];
	if (n > 0) {
		choice->n = n;
		return 0;
	}
	/* Figures without a zone are for whoever names the file. */
	for (size_t i = 0; i < choice->n; i++)
		if (choice->left[i]->zone[0] == '\0')
			choice->left[n++] = choice->left[i];
	if (n > 0) {
		choice->n = n;
		return 0;
	}
	list_zones(choice, zones);
	if (wish->is_zone_given)
		return es_error_say(err, -ENOENT,
				    "'%.300s' has no figures for zone %s; it has those for: %s",
				    path, wish->zone, zones);
	for (size_t i = 1; i < choice->n; i++)
		if (strcasecmp(choice->left[i]->zone, choice->left[0]->zone) != 0)
			return es_error_say(
				err, -ENOENT,
				"'%.300s' has figures of several zones and none for %s; choose with --zone: %s",
				path, wanted[0] ? wanted : "the job's, which is not known", zones);
	return 0;
}

/* Keep what fits the wish; what is not stated fits where nothing stated does: then the wish states it. */
static void narrow(struct choice *choice, const struct es_carbon_wish *wish)
{
	for (int round = 0; round < 2; round++) {
		const bool takes_unstated = round == 1;
		const struct es_intensity *left[ES_CARBON_SERIES_MAX];
		size_t n = 0;

		for (size_t i = 0; i < choice->n; i++) {
			const struct es_intensity *s = choice->left[i];
			bool fits_kind = !wish->kind || s->kind == wish->kind ||
					 (takes_unstated && !s->kind),
			     fits_scope = !wish->scope || s->scope == wish->scope ||
					  (takes_unstated && !s->scope);

			if (fits_kind && fits_scope)
				left[n++] = s;
		}
		if (n == 0 && round == 0)
			continue;
		for (choice->n = 0; choice->n < n; choice->n++)
			choice->left[choice->n] = left[choice->n];
		return;
	}
}

/* How to say which is meant: by what differs. */
static const char *advice(const struct choice *choice)
{
	bool kinds = false, scopes = false;

	for (size_t i = 1; i < choice->n; i++) {
		kinds = kinds || choice->left[i]->kind != choice->left[0]->kind;
		scopes = scopes || choice->left[i]->scope != choice->left[0]->scope;
	}
	if (kinds && scopes)
		return "choose with --carbon-kind average|marginal and --carbon-scope lifecycle|direct";
	if (kinds)
		return "choose with --carbon-kind average|marginal";
	if (scopes)
		return "choose with --carbon-scope lifecycle|direct";
	return "give a file of one source";
}

static int choose_one(struct choice *choice, const char *path, const struct es_carbon_wish *wish,
		      const struct es_intensity **ret, struct es_error *err)
{
	char natures[LISTED_MAX_BYTES];
	int r = choose_zone(choice, path, wish, err);

	if (r < 0)
		return r;
	list_natures(choice, natures);
	narrow(choice, wish);
	if (choice->n == 0)
		return es_error_say(err, -ENOENT,
				    "'%.300s' has no figures of kind %s and scope %s; it has: %s",
				    path, wish->kind ? es_factor_kind_name(wish->kind) : "any",
				    wish->scope ? es_factor_scope_name(wish->scope) : "any",
				    natures);
	if (choice->n > 1) {
		list_natures(choice, natures);
		return es_error_say(err, -EINVAL,
				    "'%.200s' has figures that must not be mixed: %s; %s", path,
				    natures, advice(choice));
	}
	*ret = choice->left[0];
	return 0;
}

static void gather(struct choice *choice, const struct es_carbon_file *file, bool wants_market)
{
	choice->n = 0;
	for (size_t i = 0; i < file->n; i++)
		if (is_market(&file->series[i]) == wants_market)
			choice->left[choice->n++] = &file->series[i];
}

int es_carbon_file_choose(const struct es_carbon_file *file, const char *path,
			  const struct es_carbon_wish *wish,
			  const struct es_intensity **ret_location,
			  const struct es_intensity **ret_market, struct es_error *err)
{
	const struct es_carbon_wish market_wish = { .zone = wish->zone,
						    .is_zone_given = wish->is_zone_given };
	const struct es_intensity *location = NULL, *market = NULL;
	struct choice choice = { .file = file };
	int r = 0;

	gather(&choice, file, false);
	if (choice.n > 0)
		r = choose_one(&choice, path, wish, &location, err);
	gather(&choice, file, true);
	if (r == 0 && choice.n > 0)
		r = choose_one(&choice, path, &market_wish, &market, err);
	if (r < 0)
		return r;
	*ret_location = location;
	*ret_market = market;
	return 0;
}
