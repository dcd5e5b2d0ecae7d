/*
 * settings.h - what a user set for this machine: zone, PUE, period, and where each was said
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_SETTINGS_H
#define ES_CLI_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/conf.h"
#include "base/error.h"
#include "base/limits.h"
#include "cli/footprint.h"
#include "core/cover.h"

#define ES_ORIGIN_MAX_BYTES (ES_PATH_MAX_BYTES + 64U)
#define ES_METERS_TEXT_MAX_BYTES 8192U

/**
 * struct es_settings - values, each with its origin in words
 *
 * Origins: "option --zone", "environment ENERGYSCOPIUM_ZONE", "configuration FILE:LINE", "default". A zone or PUE
 * that nobody set is found out from the machine, by who knows it.
 */
struct es_settings {
	char zone[ES_NAME_MAX_BYTES]; /* code as in the table of grid intensities; "": not set */
	bool has_pue;
	double pue;
	int64_t period_ns;
	char out[ES_PATH_MAX_BYTES];
	enum es_psys_policy psys;
	bool has_no_activity; /* counters of processor and memory are left alone */
	char meters[ES_METERS_TEXT_MAX_BYTES]; /* URLs, a line each */
	char daemon[128]; /* path of its socket, "none"; "": not set */
	char zone_origin[ES_ORIGIN_MAX_BYTES], pue_origin[ES_ORIGIN_MAX_BYTES];
	char period_origin[ES_ORIGIN_MAX_BYTES], out_origin[ES_ORIGIN_MAX_BYTES];
	char activity_origin[ES_ORIGIN_MAX_BYTES], daemon_origin[ES_ORIGIN_MAX_BYTES];
	char psys_origin[ES_ORIGIN_MAX_BYTES], meters_origin[ES_ORIGIN_MAX_BYTES];
	struct es_footprint_settings footprint;
};

/**
 * es_settings_load - the user's settings: environment, over the user's file, over the machine's, over defaults
 *
 * Files: ENERGYSCOPIUM_CONFIG if set (it alone, and it must exist), else $XDG_CONFIG_HOME/energyscopium/
 * energyscopium.yaml (or ~/.config/…) over /etc/energyscopium/energyscopium.yaml. ENERGYSCOPIUM_ZONE,
 * ENERGYSCOPIUM_PUE and ENERGYSCOPIUM_DAEMON win over them.
 *
 * Returns 0; -EINVAL: all that is wrong, a line each; -ENOMEM.
 */
int es_settings_load(struct es_settings *ret, struct es_error *err);

/** struct es_settings_places - where settings are looked for; NULL: nowhere */
struct es_settings_places {
	const char *config; /* must exist; then @system and @user are not read */
	const char *system, *user; /* files that may be absent */
	const char *zone, *pue, *daemon; /* of the environment */
};

/** es_settings_load_from - likewise, from these places */
int es_settings_load_from(const struct es_settings_places *places, struct es_settings *ret,
			  struct es_error *err);

/** es_settings_option - set one by its key, as "option --KEY" on the command line; 0 or -EINVAL with why */
int es_settings_option(struct es_settings *settings, const char *key, const char *text,
		       struct es_error *err);

/** es_settings_schema - the table of keys, for help and manual page; borrowed */
const struct es_conf_key *es_settings_schema(size_t *ret_n_keys);

#endif
