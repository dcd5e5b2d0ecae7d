/*
 * join.h - recordings of several nodes, walked as one
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_RECORD_JOIN_H
#define ES_RECORD_JOIN_H

#include "record/recording.h"

struct es_join;

/** es_join_create - es_recording_join(), with the description of all in @ret_meta; es_meta_finish() it */
int es_join_create(struct es_recording *const *parts, const int64_t *shift_ns, size_t n,
		   struct es_meta *ret_meta, struct es_join **ret);
int es_join_walk(struct es_join *join, const struct es_visitor *visitor, void *arg);
bool es_join_is_whole(const struct es_join *join);
uint64_t es_join_lost_bytes(const struct es_join *join);
size_t es_join_n(const struct es_join *join);
/** es_join_close - its recordings too; NULL is fine */
void es_join_close(struct es_join *join);

#endif
