/*
 * slurm_conf.h - what of a site's slurm.conf and plugstack.conf concerns us
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_SLURM_CONF_H
#define ES_CLI_SLURM_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "sys/root.h"

/** es_slurm_pair_fn - a pair of a line, or an included file with the key "Include"; negative errno ends the parse with it */
typedef int (*es_slurm_pair_fn)(void *arg, const char *key, const char *value);

#define ES_SLURM_KEY_MAX_BYTES 64U /* longer keys are none that we know, and passed over */
#define ES_SLURM_VALUE_MAX_BYTES 4096U /* so are longer values: lists of nodes, of partitions */

/**
 * es_slurm_conf_parse - the pairs of a slurm.conf
 * Comments, continued lines, quotes and several pairs on a line are as in slurm.conf(5). Never reads past @n.
 * Returns 0, -ENOMEM, or what @tell returned.
 */
int es_slurm_conf_parse(const char *text, size_t n, es_slurm_pair_fn tell, void *arg);

enum es_slurm_key {
	ES_SLURM_CLUSTER_NAME,
	ES_SLURM_PLUGIN_DIR,
	ES_SLURM_PLUG_STACK_CONFIG,
	ES_SLURM_PROLOG_FLAGS,
	ES_SLURM_PROCTRACK_TYPE,
	ES_SLURM_ENERGY_TYPE,
	ES_SLURM_ENERGY_NODE_FREQ,
	ES_SLURM_GATHER_TYPE,
	ES_SLURM_GATHER_FREQ,
	ES_SLURM_N_KEYS,
};

/** struct es_slurm_conf - "": not set; es_slurm_conf_finish() it */
struct es_slurm_conf {
	char path[ES_PATH_MAX_BYTES]; /* of slurm.conf, absolute, as on the machine */
	unsigned n_files; /* read, with included ones */
	char *values[ES_SLURM_N_KEYS]; /* owned; NULL: not set. What comes last counts, as in Slurm */
};

#define ES_SLURM_FILES_MAX 64U
#define ES_SLURM_DEPTH_MAX 8U /* of included files */

/** es_slurm_conf_read - @path and all that it includes. 0; -E2BIG, -ELOOP: more files, or deeper, than Slurm's people write; errors of read */
int es_slurm_conf_read(const struct es_root *root, const char *path, struct es_slurm_conf *ret,
		       struct es_error *err);
void es_slurm_conf_finish(struct es_slurm_conf *conf);

/** es_slurm_conf_get - a value, "" where it is not set */
const char *es_slurm_conf_get(const struct es_slurm_conf *conf, enum es_slurm_key key);
/** es_slurm_conf_lists - whether a list with commas has @word, in any case */
bool es_slurm_conf_lists(const char *list, const char *word);

/** struct es_slurm_stack - the line of plugstack.conf that names a plug-in */
struct es_slurm_stack {
	bool is_named, is_required;
	unsigned n_times;
	char plugin[ES_PATH_MAX_BYTES]; /* as it stands there */
	unsigned n_files;
};

/**
 * es_slurm_stack_parse - a plugstack.conf: whether it names a plug-in whose file is @name
 * @ret: added to; @tell: called with key "Include" for each included file or pattern
 */
int es_slurm_stack_parse(const char *text, size_t n, const char *name, struct es_slurm_stack *ret,
			 es_slurm_pair_fn tell, void *arg);
/** es_slurm_stack_read - @path and what it includes, patterns in their last part too */
int es_slurm_stack_read(const struct es_root *root, const char *path, const char *name,
			struct es_slurm_stack *ret, struct es_error *err);

#endif
