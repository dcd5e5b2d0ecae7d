/*
 * daemon/tell.h - what the log says of the meters that were opened
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_DAEMON_TELL_H
#define ES_DAEMON_TELL_H

#include <stddef.h>

#include "daemon/log.h"
#include "daemon/node.h"

/** es_tell_count - how many of the node's meters are read */
size_t es_tell_count(const struct es_node *node);
/** es_tell_meters - what whoever looks after this node should know: named meters that cannot be read, those that are denied, and where nothing is measured */
void es_tell_meters(struct es_log *log, const struct es_node *node);

#endif
