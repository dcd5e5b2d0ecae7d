/*
 * conf.h - configuration files read against one table
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_BASE_CONF_H
#define ES_BASE_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

#define ES_CONF_DEPTH_MAX 8U /* groups within groups */
#define ES_CONF_ORIGIN_FILE "configuration " /* how the origin of a value from a file begins */
#define ES_CONF_PROBLEMS_MAX_BYTES 65536U /* text of all that is wrong; more is only counted */

enum es_conf_type {
	ES_CONF_TEXT, /* range: its length in bytes; hi 0: below ES_NAME_MAX_BYTES */
	ES_CONF_BOOL, /* true, false, yes, no */
	ES_CONF_INTEGER,
	ES_CONF_NUMBER, /* decimal; its range is whole */
	ES_CONF_DURATION, /* with a unit; value and range in ns */
	ES_CONF_POWER, /* with a unit; value and range in mW */
	ES_CONF_SHARE, /* 5% or 0.05; value and range in ppm */
	ES_CONF_CHOICE, /* one of choices; value: its index */
	ES_CONF_LIST, /* texts, in a sequence or one alone; kept with a newline between; range: bytes of each */
};

/** struct es_conf_key - one row of a schema: a key, what it takes, and its help */
struct es_conf_key {
	const char *key; /* "zone"; groups by dots: "limits.period" */
	enum es_conf_type type;
	int64_t lo, hi; /* both 0: any value of the type */
	const char *default_text; /* as it would be written; NULL: none */
	const char *default_words; /* for help, where the default is found out at run time; or NULL */
	const char *doc; /* one sentence */
	const char *const *choices; /* ends with NULL */
	/* Of a text, or of each one of a list: what its type does not know. 0, or -EINVAL with what is wrong. NULL: nothing */
	int (*check)(const char *text, struct es_error *err);
};

/** struct es_conf_value - a value as its key's type says; the text as written is kept beside */
struct es_conf_value {
	union {
		bool is_true;
		int64_t integer; /* also ns, mW, ppm, index of a choice */
		double number;
	};
};

/**
 * es_conf_check - the value that @text stands for
 *
 * Returns 0; -EINVAL with what is wrong: "'period' is 0.1 ms, must be 1 ms to 1 h".
 */
int es_conf_check(const struct es_conf_key *key, const char *text, struct es_conf_value *ret,
		  struct es_error *err);

/**
 * struct es_conf - the values of one schema from defaults, files and other texts
 *
 * Files are read by libyaml's events: they alone show anchors, aliases and tags (all refused: one line, one value)
 * and give each line number. libcyaml, which would check types by itself, stops at the first mistake; here all
 * mistakes of all files are gathered, each with its line and the nearest known key.
 */
struct es_conf;

/** es_conf_create - the defaults of @schema (borrowed); @ret: owned by caller, es_conf_destroy() it; 0, -ENOMEM, -EINVAL */
int es_conf_create(const struct es_conf_key *schema, size_t n_keys, struct es_conf **ret);
void es_conf_destroy(struct es_conf *conf);

/**
 * es_conf_load - read @n bytes of YAML; values win over those from before
 * @name: file name for messages and origins
 *
 * Returns 0; -EINVAL: something is wrong, nothing was taken, see es_conf_fail(); -ENOMEM.
 */
int es_conf_load(struct es_conf *conf, const char *name, const void *data, size_t n);
/** es_conf_load_file - likewise for a file; -ENOENT (or -ENOTDIR) is no problem of the configuration, all else is */
int es_conf_load_file(struct es_conf *conf, const char *path);
/** es_conf_set - one value from elsewhere; @origin: "environment NAME"; 0, -EINVAL as above, -ENOENT: no such key, -ENOMEM */
int es_conf_set(struct es_conf *conf, const char *key, const char *text, const char *origin);

/** es_conf_problem - add what else is wrong with a value; its line begins with the origin of @key (NULL: with nothing); -EINVAL */
int es_conf_problem(struct es_conf *conf, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), nonnull(3)));
size_t es_conf_n_problems(const struct es_conf *conf);
/** es_conf_problems - all of them, a line each without the last newline; borrowed; "" where there is none */
const char *es_conf_problems(const struct es_conf *conf);
/** es_conf_fail - as many of them as an error's text holds, then how many more; returns -EINVAL, 0 where there is none */
int es_conf_fail(const struct es_conf *conf, struct es_error *err);

/*
 * Values by key: 0; -ENODATA: neither given nor a default; -EINVAL: the schema has no such key of that type.
 */
int es_conf_text(const struct es_conf *conf, const char *key,
		 const char **ret); /* any type, as written; borrowed */
int es_conf_bool(const struct es_conf *conf, const char *key, bool *ret);
int es_conf_integer(const struct es_conf *conf, const char *key,
		    int64_t *ret); /* also duration, power, share, choice */
int es_conf_number(const struct es_conf *conf, const char *key, double *ret);
/** es_conf_origin - "configuration FILE:LINE", what es_conf_set() was told, "default", or NULL without a value; borrowed */
const char *es_conf_origin(const struct es_conf *conf, const char *key);

/** es_conf_describe - the schema for help: key, what it takes, default, meaning */
int es_conf_describe(const struct es_conf_key *schema, size_t n_keys, struct es_buf *out);
/** es_conf_describe_man - the same as items (.TP) of a manual page */
int es_conf_describe_man(const struct es_conf_key *schema, size_t n_keys, struct es_buf *out);

#endif
