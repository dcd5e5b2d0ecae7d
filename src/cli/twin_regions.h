/*
 * twin_regions.h - regions that a program tags without ever waiting for who measures it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_TWIN_REGIONS_H
#define ES_CLI_TWIN_REGIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/** struct es_twin_regions - a connection to who measures; es_twin_regions_close() it */
struct es_twin_regions {
	int fd; /* -1: nobody hears, and all below does nothing */
	uint32_t n_said, n_heard;
	struct es_error problem; /* the first; text "": none */
};

/** es_twin_regions_open - with why nobody hears in ret->problem */
void es_twin_regions_open(struct es_twin_regions *ret);
/** es_twin_regions_mark - an edge of @name at @t_ns, boot clock; of the length and letters that tags may have */
void es_twin_regions_mark(struct es_twin_regions *regions, const char *name, bool is_start,
			  int64_t t_ns);
/** es_twin_regions_close - the last answers are waited for, for a second at most; @problem tells what was not recorded */
void es_twin_regions_close(struct es_twin_regions *regions);

#endif
