/*
 * settings_footprint.c - the settings' keys for carbon over time, contracts, machines and price
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "cli/footprint.h"

const char *const es_footprint_kinds[] = { "average", "marginal", NULL };
const char *const es_footprint_scopes[] = { "lifecycle", "direct", NULL };

static const char *const keys[ES_N_FOOTPRINT_KEYS] = {
	[ES_FOOTPRINT_FILE] = "carbon_file",
	[ES_FOOTPRINT_KIND] = "carbon_kind",
	[ES_FOOTPRINT_SCOPE] = "carbon_scope",
	[ES_FOOTPRINT_EMBODIED] = "embodied_kg",
	[ES_FOOTPRINT_LIFETIME] = "lifetime_years",
	[ES_FOOTPRINT_MARKET] = "market_g_per_kwh",
	[ES_FOOTPRINT_PRICE] = "price",
};

static size_t number_of(const char *key)
{
	size_t i = 0;

	while (i < ES_N_FOOTPRINT_KEYS && strcmp(keys[i], key) != 0)
		i++;
	return i;
}

char *es_footprint_origin(struct es_footprint_settings *settings, const char *key)
{
	size_t i = number_of(key);

	return i < ES_N_FOOTPRINT_KEYS ? settings->origins[i] : NULL;
}

/* "0.25:EUR", "0.25:EUR:night" */
static int put_price(struct es_footprint_settings *settings, const char *text, struct es_error *err)
{
	size_t n = 0;
	int64_t micro;
	const char *code;

	if (es_parse_micro(text, strlen(text), &micro, &n) < 0 || micro < 0 ||
	    micro > 1000000 * INT64_C(1000000) || text[n] != ':')
		return es_error_say(err, -EINVAL,
				    "price '%.64s': an amount for a kWh and its currency are "
				    "wanted, like 0.25:EUR",
				    text);
	code = text + n + 1;
	if (strspn(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3 || (code[3] && code[3] != ':'))
		return es_error_say(err, -EINVAL,
				    "price '%.64s': the currency is a code of ISO 4217 like EUR",
				    text);
	if (code[3] && strlen(code + 4) >= sizeof(settings->tariff))
		return es_error_say(err, -EINVAL, "price '%.64s…': the tariff's name is too long",
				    text);
	settings->has_price = true;
	settings->price_micro_per_kwh = (uint64_t)micro;
	(void)snprintf(settings->currency, sizeof(settings->currency), "%.3s", code);
	(void)snprintf(settings->tariff, sizeof(settings->tariff), "%s", code[3] ? code + 4 : "");
	return 0;
}

int es_footprint_put(struct es_footprint_settings *settings, const char *key, const char *text,
		     const struct es_conf_value *value, struct es_error *err)
{
	switch ((enum es_footprint_key)number_of(key)) {
	case ES_FOOTPRINT_FILE:
		(void)snprintf(settings->file, sizeof(settings->file), "%s", text);
		break;
	case ES_FOOTPRINT_KIND:
		settings->kind = value->integer == 0 ? ES_FACTOR_AVERAGE : ES_FACTOR_MARGINAL;
		break;
	case ES_FOOTPRINT_SCOPE:
		settings->scope = value->integer == 0 ? ES_FACTOR_LIFECYCLE : ES_FACTOR_DIRECT;
		break;
	case ES_FOOTPRINT_EMBODIED:
		settings->has_embodied = true;
		settings->embodied_kg = value->number;
		break;
	case ES_FOOTPRINT_LIFETIME:
		settings->lifetime_years = value->number;
		break;
	case ES_FOOTPRINT_MARKET:
		settings->has_market = true;
		settings->market_g_per_kwh = value->number;
		break;
	case ES_FOOTPRINT_PRICE:
		return put_price(settings, text, err);
	case ES_N_FOOTPRINT_KEYS:
		return es_error_say(err, -EINVAL, "there is no setting '%s'", key);
	}
	return 0;
}
