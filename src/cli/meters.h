/*
 * meters.h - the meters that the user named: by --meter, and in the configuration
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_METERS_H
#define ES_CLI_METERS_H

#include <stddef.h>

#include "base/error.h"
#include "cli/command.h"
#include "cli/settings.h"
#include "sampler/sampler.h"
#include "source/url.h"

#define ES_METER_OPTION(list)                                                                                  \
	{                                                                                                      \
		"meter", "URL",                                                                                \
			"read this meter too (energyscopium-meters(7));\nmay be repeated; none: those of the " \
			"configuration not",                                                                   \
			ES_OPTION_LIST, list                                                                   \
	}

/** struct es_meters - zero-initialise; es_meters_finish() it */
struct es_meters {
	struct es_meter_url *urls; /* owned */
	size_t n;
};

/**
 * es_meters_gather - those of the configuration, then those of --meter
 * @root: as --root; not NULL: it stands for the machine, the configuration's meters are another's
 *
 * Returns 0; -EINVAL with what is wrong with one; -E2BIG: more than ES_METERS_MAX; -ENOMEM.
 */
int es_meters_gather(const struct es_settings *settings, const struct es_text_list *named,
		     const char *root, struct es_meters *ret, struct es_error *err);
void es_meters_finish(struct es_meters *meters);

/** es_meters_silent - the @at-th domain of named meters that does not answer; NULL: there are no more; borrowed */
const struct es_domain *es_meters_silent(const struct es_sampler *sampler, size_t at);

/** es_meters_tell - one line on stderr for each named meter that does not answer: why, and what happens now */
void es_meters_tell(const char *command, const struct es_sampler *sampler);

/** es_meters_check - whether each line of @text (as the configuration has it) names a meter; 0 or -EINVAL */
int es_meters_check(const char *text, struct es_error *err);

#endif
