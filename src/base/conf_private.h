/*
 * conf_private.h - what the files of the configuration reader share
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_BASE_CONF_PRIVATE_H
#define ES_BASE_CONF_PRIVATE_H

#include "base/conf.h"

struct es_conf_slot {
	struct es_conf_value value;
	char *text; /* owned; NULL: no value */
	char *origin; /* owned; NULL: the default */
	unsigned line; /* in the file being read; 0: not given there */
};

struct es_conf {
	const struct es_conf_key *schema;
	size_t n_keys;
	struct es_conf_slot *slots; /* [n_keys] */
	struct es_buf problems; /* lines; ends with NUL once there is one */
	size_t n_problems, n_hidden;
};

const struct es_conf_key *es_conf_find_key(const struct es_conf *conf, const char *name);
/** es_conf_nearest_key - what somebody who wrote @name may have meant, or NULL */
const char *es_conf_nearest_key(const struct es_conf *conf, const char *name);
/** es_conf_check_item - one text of a list; 0 or -EINVAL */
int es_conf_check_item(const struct es_conf_key *key, const char *text, struct es_error *err);
/** es_conf_add_problem - one line "@where: @text", made safe for terminals */
void es_conf_add_problem(struct es_conf *conf, const char *where, const char *text);
void es_conf_slots_destroy(struct es_conf_slot *slots, size_t n);

#endif
