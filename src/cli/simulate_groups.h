/*
 * simulate_groups.h - waits of a replayed trace by user or queue
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_SIMULATE_GROUPS_H
#define ES_CLI_SIMULATE_GROUPS_H

#include "cli/simulate.h"

#define ES_SIMULATE_GROUPS_SHOWN 20U /* for people; JSON has all */

/** es_simulate_groups_members - member "by" of an open object; nothing where it is not asked for; 0 or -ENOMEM */
int es_simulate_groups_members(const struct es_simulate *sim, struct es_json *json);
/** es_simulate_groups_put_rows - the same for people; 0 or -ENOMEM */
int es_simulate_groups_put_rows(const struct es_simulate *sim, struct es_buf *out);

#endif
