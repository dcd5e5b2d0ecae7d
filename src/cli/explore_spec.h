/*
 * explore_spec.h - what a study tries: axes, their values, and the command lines made of them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_EXPLORE_SPEC_H
#define ES_CLI_EXPLORE_SPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sha256.h"
#include "base/yamltree.h"
#include "cli/quality.h"

#define ES_EXPLORE_AXES_MAX 16U
#define ES_EXPLORE_CONFIGURATIONS_MAX 1000U
#define ES_EXPLORE_GRID_MAX 1000000U /* before anything is excluded */
#define ES_EXPLORE_REPEATS_MAX 1000U
#define ES_EXPLORE_RUNS_MAX 100000U
#define ES_EXPLORE_LINE_MAX_BYTES 65536U /* a command line, filled in */

/** struct es_explore_value - one value of an axis and the variables that it sets; all texts of a spec lie in its YAML */
struct es_explore_value {
	const char *label;
	const struct es_yaml_node
		*variables; /* of named values: a group; NULL: the axis' own alone */
};

/** struct es_explore_axis - what is varied; its own variable, ${NAME}, is the value's label */
struct es_explore_axis {
	const char *name;
	size_t line;
	struct es_explore_value *values; /* [n] owned */
	size_t n;
	bool is_used;
};

/** struct es_explore_pick - a value of some axes, none (SIZE_MAX) of others */
struct es_explore_pick {
	size_t values[ES_EXPLORE_AXES_MAX];
};

/** struct es_explore_text - a text with ${variables}; text NULL: not given */
struct es_explore_text {
	const char *name; /* of an environment variable; else NULL */
	const char *text;
	size_t line;
};

/** struct es_explore_spec - zero-initialise, es_explore_spec_finish() it */
struct es_explore_spec {
	struct es_yaml *yaml; /* owned; texts borrow from it */
	const char *name;
	uint64_t n_rounds, n_warmups;
	const char *period, *baseline; /* for run; NULL: not given */
	int64_t baseline_ns, timeout_ns; /* 0: none */
	int64_t slowdown_ppm; /* -1: not given */
	struct es_explore_axis axes[ES_EXPLORE_AXES_MAX];
	size_t n_axes;
	struct es_explore_pick *excludes; /* [n_excludes] owned */
	size_t n_excludes;
	struct es_explore_pick reference;
	size_t reference_line; /* 0: not given */
	struct es_explore_text build, run, check, quality;
	struct es_explore_text *environment; /* [n_environment] owned */
	size_t n_environment;
	struct es_explore_text *outputs; /* [n_outputs] owned */
	size_t n_outputs;
	struct es_quality limit; /* what NULL: none */
};

/**
 * es_explore_spec_parse - a specification from @n bytes of YAML
 * Returns 0; -EINVAL: @problems says all that is wrong; -ENOMEM. es_explore_spec_finish() in any case.
 */
int es_explore_spec_parse(const void *data, size_t n, struct es_problems *problems,
			  struct es_explore_spec *ret);
void es_explore_spec_finish(struct es_explore_spec *spec);

/** es_explore_spec_digest - of all that makes one measurement another; not of repeat, limits and the reference */
void es_explore_spec_digest(const struct es_explore_spec *spec, struct es_sha256 *sha);

/** struct es_explore_configuration - one value of each axis */
struct es_explore_configuration {
	size_t values[ES_EXPLORE_AXES_MAX];
};

/**
 * es_explore_grid - all configurations that are not excluded, the last axis fastest
 * @ret: owned by caller, free(). Returns 0; -E2BIG; -ENODATA: all are excluded; -ENOMEM; with words in @problems.
 */
int es_explore_grid(const struct es_explore_spec *spec, struct es_problems *problems,
		    struct es_explore_configuration **ret, size_t *ret_n);
/** es_explore_picks - every axis that @pick names has its value in @configuration */
bool es_explore_picks(const struct es_explore_spec *spec, const struct es_explore_pick *pick,
		      const struct es_explore_configuration *configuration);
/** es_explore_label - "flags=-O2, threads=1"; appended to @out */
int es_explore_label(const struct es_explore_spec *spec,
		     const struct es_explore_configuration *configuration, struct es_buf *out);

/** struct es_explore_places - what the built-in variables stand for; NULL: left as written */
struct es_explore_places {
	const char *build_dir, *run_dir, *out, *configuration, *round;
};

/**
 * es_explore_fill - @text with its variables put in, and a NUL behind
 * Returns 0; -EMSGSIZE; -ENOMEM.
 */
int es_explore_fill(const struct es_explore_spec *spec,
		    const struct es_explore_configuration *configuration,
		    const struct es_explore_places *places, const char *text, struct es_buf *out);

#endif
