/*
 * chain.c - zone, PUE, factor and model of a report, from options, environment, configuration, machine
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/chain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/grid.h"

#define PUE_DEFAULT 1.3

/* Those of the node's class by themselves; one by its name whatever the node is; none beside a named model. */
static int load_calibrations(struct es_chain *chain, struct es_error *err)
{
	static const char prefix[] = "calibrated";
	const char *name = NULL;
	int r;

	if (chain->model && strncmp(chain->model, prefix, strlen(prefix)) != 0)
		return 0;
	if (chain->model && chain->model[strlen(prefix)] == ':')
		name = chain->model + strlen(prefix) + 1;
	r = es_calibrations_load(chain->command ? chain->command : "report", &chain->calibrations,
				 err);
	if (r < 0)
		return r;
	chain->usable = (struct es_report_calibrations){ .list = chain->calibrations.list,
							 .n = chain->calibrations.n };
	if (!name)
		return 0;
	chain->usable.list = es_calibrations_find(&chain->calibrations, name);
	chain->usable.n = 1;
	chain->usable.is_forced = true;
	return chain->usable.list
		       ? 0
		       : es_error_say(
				 err, -EINVAL,
				 "--model '%s': there is no such calibration; 'energyscopium calibrate --list' shows them",
				 chain->model);
}

static bool is_model(const char *name)
{
	return es_node_model_find(name) || strcmp(name, "calibrated") == 0 ||
	       strncmp(name, "calibrated:", strlen("calibrated:")) == 0;
}

int es_chain_load(struct es_chain *chain, struct es_error *err)
{
	struct es_carbon_factor factor;
	int r = es_settings_load(&chain->settings, err);

	if (r == 0)
		r = es_footprint_load(&chain->footprint, &chain->settings, chain->carbon,
				      chain->zone, err);
	if (r == 0 && chain->tags)
		r = es_tagfile_read(&chain->tagfile, chain->tags, err);
	if (r == 0 && chain->pue)
		r = es_settings_option(&chain->settings, "pue", chain->pue, err);
	if (r < 0)
		return r;
	if (chain->model && !is_model(chain->model))
		return es_error_say(
			err, -EINVAL,
			"--model '%s': not known; there are 'none', 'calibrated', 'calibrated:CLASS' and 'joule_model_202203'",
			chain->model);
	r = load_calibrations(chain, err);
	if (r < 0)
		return r;
	if (chain->carbon && es_carbon_factor_named(chain->carbon, "FR", &factor) == -ENOENT)
		return es_error_say(
			err, -EINVAL,
			"--carbon '%s': not known; there are 'carbon_model_202203' and 'carbon_model_2024'",
			chain->carbon);
	return 0;
}

static void choose_pue(struct es_chain *chain, const struct es_meta *meta,
		       struct es_report_options *ret)
{
	const char *why = "default";

	ret->pue_source = chain->pue_source;
	if (chain->settings.has_pue) {
		ret->pue = chain->settings.pue;
		(void)snprintf(chain->pue_source, sizeof(chain->pue_source), "%s",
			       chain->settings.pue_origin);
		return;
	}
	ret->pue = PUE_DEFAULT;
	if (meta->has_battery)
		why = "default: a machine with a battery";
	else if (meta->virt == ES_VIRT_CONTAINER)
		why = "default: in a container";
	else if (meta->virt == ES_VIRT_VM)
		why = "default: in a VM";
	if (strcmp(why, "default") != 0)
		ret->pue = 1.0;
	(void)snprintf(chain->pue_source, sizeof(chain->pue_source), "%s", why);
}

/* The zone's row of the shipped table, and in words where the zone comes from. */
static const struct es_grid_factor *choose_zone(struct es_chain *chain, const struct es_meta *meta)
{
	const struct es_grid_factor *row;

	if (chain->settings.zone[0]) {
		(void)snprintf(chain->zone_source, sizeof(chain->zone_source), "%s",
			       chain->settings.zone_origin);
		return es_grid_find(chain->settings.zone);
	}
	row = meta->country[0] ? es_grid_find(meta->country) : NULL;
	if (row) {
		(void)snprintf(chain->zone_source, sizeof(chain->zone_source),
			       "default: time zone %s", meta->timezone);
		return row;
	}
	if (meta->country[0])
		(void)snprintf(chain->zone_source, sizeof(chain->zone_source),
			       "default: no figure for %s, country of time zone %s", meta->country,
			       meta->timezone);
	else
		(void)snprintf(chain->zone_source, sizeof(chain->zone_source),
			       "default: time zone %s is of no country",
			       meta->timezone[0] ? meta->timezone : "unknown");
	return es_grid_find("WORLD");
}

int es_chain_options(struct es_chain *chain, const struct es_meta *meta,
		     struct es_report_options *ret, struct es_error *err)
{
	struct es_report_options options = { .psys = chain->settings.psys,
					     .has_profile = chain->has_profile,
					     .tags = chain->tags ? &chain->tagfile : NULL };
	const struct es_grid_factor *row = choose_zone(chain, meta);
	int r;

	choose_pue(chain, meta, &options);
	options.zone_source = chain->zone_source;
	options.model = es_node_model_find(chain->model ? chain->model : "none");
	if (!options.model)
		options.model = es_node_model_find("none");
	options.calibrations = chain->usable.n ? &chain->usable : NULL;
	if (chain->carbon) {
		r = es_carbon_factor_named(chain->carbon, row ? row->zone : "", &options.carbon);
		if (r < 0)
			return es_error_say(
				err, -EINVAL,
				"--carbon %s: it has no factor for zone %s (%s); give --zone FR",
				chain->carbon, row ? row->zone : "n/a", chain->zone_source);
	} else if (row) {
		(void)snprintf(chain->factor_id, sizeof(chain->factor_id), "ember-%s-%d", row->zone,
			       row->year);
		options.carbon = (struct es_carbon_factor){
			.g_per_kwh = row->mg_per_kwh / 1000.0,
			.zone = row->zone,
			.kind = "average",
			.scope = "lifecycle",
			.factor_id = chain->factor_id,
			.source = row->source,
			.year = row->year,
		};
	}
	r = es_footprint_apply(&chain->footprint, &chain->settings, meta->start_unix_ns, &options,
			       err);
	if (r == 0)
		*ret = options;
	return r;
}

void es_chain_finish(struct es_chain *chain)
{
	es_footprint_finish(&chain->footprint);
	es_tagfile_finish(&chain->tagfile);
	es_calibrations_finish(&chain->calibrations);
	chain->usable = (struct es_report_calibrations){ .n = 0 };
}
