/*
 * source/ipmi_names.c - what the sensors of a management controller measure, as their names and records tell
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/ipmi_names.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/*
 * Names of makers, as public output of ipmitool and ipmi-sensors shows them, in small letters and digits only: Lenovo and
 * Intel, Gigabyte and ASRock, Dell, HPE, Supermicro, Huawei, Quanta. Those in front are of the whole node without doubt.
 */
static const char *const totals[] = {
	"systempower",	    "syspower",
	"systotalpower",    "systempowerconsumption",
	"totalsystempower", "totalpower",
	"pwrconsumption",   "pwconsumption",
	"powerconsumption", "powermeter",
	"nodepower",	    "serverpower",
	"sysinputpower",    "systeminputpower",
	"totalinputpower",  "psutotalpower",
	"totalpsupower",    "chassispower",
	"platformpower",    "syspwr",
	"systempwr",	    "totalpwr",
	"nodepwr",	    "hscinputpower",
	"inputpower",	    "power",
};

/* Letters and digits, small. */
static void fold(const char *name, char ret[static ES_SDR_NAME_BYTES])
{
	size_t at = 0;

	for (; *name && at + 1 < ES_SDR_NAME_BYTES; name++)
		if (isalnum((unsigned char)*name) && (unsigned char)*name < 0x80)
			ret[at++] = (char)tolower((unsigned char)*name);
	ret[at] = '\0';
}

unsigned es_ipmi_total_rank(const char *name)
{
	char folded[ES_SDR_NAME_BYTES];

	fold(name, folded);
	for (size_t i = 0; i < ES_ARRAY_SIZE(totals); i++)
		if (strcmp(totals[i], folded) == 0)
			return (unsigned)i + 1;
	return 0;
}

/* "ps1…", "psu 1 …", "powersupply1…": the digits behind; NULL: none of these. */
static const char *behind_supply(const char *folded)
{
	static const char *const words[] = { "powersupply", "psu", "ps" };

	for (size_t i = 0; i < ES_ARRAY_SIZE(words); i++) {
		size_t n = strlen(words[i]);

		if (strncmp(folded, words[i], n) == 0 && isdigit((unsigned char)folded[n]))
			return folded + n;
	}
	return NULL;
}

int es_ipmi_supply(const struct es_sdr_sensor *sensor)
{
	char folded[ES_SDR_NAME_BYTES];
	const char *number;

	fold(sensor->name, folded);
	number = behind_supply(folded);
	if (!number && sensor->entity != ES_SDR_ENTITY_POWER_SUPPLY)
		return -1;
	/* What it gives is less than what it takes. */
	if (strstr(folded, "out") || es_ipmi_total_rank(sensor->name))
		return -1;
	return number ? atoi(number) % 256 : sensor->instance;
}

static size_t choose_total(const struct es_sdr_sensor *all, size_t n, size_t *ret)
{
	unsigned best = 0;

	for (size_t i = 0; i < n; i++) {
		unsigned rank = es_ipmi_total_rank(all[i].name);

		if (rank == 0 || (best > 0 && rank >= best))
			continue;
		best = rank;
		ret[0] = i;
	}
	return best > 0;
}

size_t es_ipmi_choose(const struct es_sdr_sensor *all, size_t n, const char *pattern, size_t *ret)
{
	size_t n_chosen = 0;

	if (pattern[0] == '\0')
		return choose_total(all, n, ret);
	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].name, pattern) == 0)
			ret[n_chosen++] = i;
	for (size_t i = 0; n_chosen == 0 && i < n; i++)
		if (strcasecmp(all[i].name, pattern) == 0)
			ret[n_chosen++] = i;
	if (n_chosen > 0)
		return n_chosen;
	for (size_t i = 0; i < n; i++)
		if (fnmatch(pattern, all[i].name, FNM_CASEFOLD) == 0)
			ret[n_chosen++] = i;
	return n_chosen;
}

static bool is_among(const struct es_sdr_sensor *chosen, const bool *is_gone, size_t n,
		     const struct es_sdr_sensor *one)
{
	for (size_t i = 0; i < n; i++)
		if (!is_gone[i] && chosen[i].number == one->number && chosen[i].lun == one->lun &&
		    chosen[i].owner == one->owner)
			return true;
	return false;
}

void es_ipmi_find_again(struct es_sdr_sensor *chosen, bool *is_gone, size_t n_chosen,
			const struct es_sdr_sensor *all, size_t n)
{
	for (size_t i = 0; i < n_chosen; i++) {
		is_gone[i] = true;
		/* Some makers give two supplies one name: each is taken once. */
		for (size_t j = 0; j < n && is_gone[i]; j++) {
			if (strcmp(all[j].name, chosen[i].name) != 0 ||
			    is_among(chosen, is_gone, i, &all[j]))
				continue;
			chosen[i] = all[j];
			is_gone[i] = false;
		}
	}
}

/* A name that may be one of a domain: small letters, digits and dashes. */
static void slug(const struct es_sdr_sensor *sensor, char ret[static ES_SDR_NAME_BYTES])
{
	size_t at = 0;

	for (const char *p = sensor->name; *p && at + 1 < ES_SDR_NAME_BYTES; p++) {
		unsigned char c = (unsigned char)*p;

		if (c < 0x80 && isalnum(c))
			ret[at++] = (char)tolower(c);
		else if (at > 0 && ret[at - 1] != '-')
			ret[at++] = '-';
	}
	while (at > 0 && ret[at - 1] == '-')
		at--;
	ret[at] = '\0';
}

static void name_by_sensor(const struct es_sdr_sensor *chosen, size_t i, struct es_domain *domain)
{
	char name[ES_SDR_NAME_BYTES], other[ES_SDR_NAME_BYTES];
	bool is_taken;

	slug(&chosen[i], name);
	is_taken = name[0] == '\0' || strcmp(name, "node") == 0 || strncmp(name, "psu-", 4) == 0;
	for (size_t j = 0; j < i && !is_taken; j++) {
		slug(&chosen[j], other);
		is_taken = strcmp(name, other) == 0;
	}
	if (is_taken)
		(void)snprintf(domain->name, sizeof(domain->name), "%s%ssensor-%u-%u", name,
			       name[0] ? "-" : "", chosen[i].lun, chosen[i].number);
	else
		(void)snprintf(domain->name, sizeof(domain->name), "%s", name);
}

static bool is_first_supply(const struct es_sdr_sensor *chosen, size_t i, int number)
{
	for (size_t j = 0; j < i; j++)
		if (es_ipmi_supply(&chosen[j]) == number)
			return false;
	return true;
}

void es_ipmi_place(const struct es_sdr_sensor *chosen, size_t n, size_t i, const char *source,
		   struct es_domain *domain)
{
	int supply = es_ipmi_supply(&chosen[i]);
	struct es_domain placed;
	size_t total = 0;

	if (choose_total(chosen, n, &total) == 1 && total == i)
		return; /* the URL's own domain: the node */
	es_domain_init(&placed, source, ES_DOMAIN_OTHER, supply, -1);
	if (supply >= 0 && is_first_supply(chosen, i, supply))
		(void)snprintf(placed.name, sizeof(placed.name), "psu-%d", supply);
	else
		name_by_sensor(chosen, i, &placed);
	domain->type = ES_DOMAIN_OTHER;
	domain->package = supply;
	domain->peak_mw = placed.peak_mw;
	domain->is_asked = domain->is_partial = true; /* recorded, and in no sum */
	memcpy(domain->name, placed.name, sizeof(placed.name));
	(void)snprintf(domain->id, sizeof(domain->id), "%.31s/%.200s", source, domain->name);
}
