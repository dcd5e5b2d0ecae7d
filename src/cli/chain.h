/*
 * chain.h - zone, PUE, factor and model of a report, from options, environment, configuration, machine
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_CHAIN_H
#define ES_CLI_CHAIN_H

#include "base/error.h"
#include "cli/calibrations.h"
#include "cli/footprint.h"
#include "cli/settings.h"
#include "format/report.h"
#include "format/tagfile.h"
#include "record/meta.h"

/** struct es_chain - the settings and the texts that report options borrow from; zero-initialise, es_chain_finish() it */
struct es_chain {
	struct es_settings settings;
	/* Given on the command line; NULL: not */
	const char *zone, *pue, *model, *carbon, *tags;
	struct es_footprint footprint;
	struct es_tagfile tagfile; /* what is in the file @tags */
	struct es_calibrations calibrations;
	struct es_report_calibrations usable; /* of those */
	const char *command; /* for messages; NULL: "report" */
	bool has_profile; /* an eprofile of the whole follows the report */
	char zone_source[ES_ORIGIN_MAX_BYTES + 64], pue_source[ES_ORIGIN_MAX_BYTES + 64],
		factor_id[64], zone_code[16];
};

/**
 * es_chain_load - read settings and check what the command line gave, before anything is measured
 * Returns 0, or -EINVAL with what is wrong.
 */
int es_chain_load(struct es_chain *chain, struct es_error *err);

/**
 * es_chain_options - the report options for a recording
 *
 * Zone: option > environment > configuration > the country of the recording's time zone > WORLD. PUE likewise; by
 * default 1 on battery machines, in VMs and containers, 1.3 elsewhere. @chain must outlive @ret.
 * Returns 0; -EINVAL: a named carbon model has no factor for the zone.
 */
int es_chain_options(struct es_chain *chain, const struct es_meta *meta,
		     struct es_report_options *ret, struct es_error *err);
void es_chain_finish(struct es_chain *chain);

#endif
