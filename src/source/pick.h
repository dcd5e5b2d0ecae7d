/*
 * source/pick.h - the one number that is meant, out of what a file or a web server shows
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_PICK_H
#define ES_SOURCE_PICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define ES_PICK_WHERE_MAX 8U

enum es_pick_how {
	ES_PICK_NUMBER, /* nothing but the number */
	ES_PICK_JSON, /* by pointer */
	ES_PICK_COLUMN, /* of the last line of a table */
	ES_PICK_KEY, /* of the last line that begins with it */
};

/** struct es_pick - which number; es_pick_init() it */
struct es_pick {
	enum es_pick_how how;
	char what[256]; /* pointer, column or key */
	char time[256]; /* the same of its time; "": there is none */
	bool has_list; /* JSON: the newest of those elements of a list that have all of @where; @what is within one */
	char list[256];
	size_t n_where;
	struct {
		char key[64], value[128];
	} where[ES_PICK_WHERE_MAX];
};

/** struct es_pick_words - what the user wrote; NULL: nothing */
struct es_pick_words {
	const char *fragment; /* what follows '#'; "": nothing */
	const char *column, *key, *time, *list, *where;
};

/** struct es_picked - the number, and when it was taken */
struct es_picked {
	double value;
	bool has_time;
	int64_t t_unix_ns;
};

/** es_pick_init - 0, or -EINVAL with what does not go together */
int es_pick_init(const struct es_pick_words *words, struct es_pick *ret, struct es_error *err);

/**
 * es_pick - find the number in @n bytes of text
 *
 * A last line without its end is being written and does not count, unless the text is nothing but a number. Returns 0;
 * -ENODATA: it is not there, or null; -EBADMSG: no such text, or more than one number could be meant; -EFBIG.
 */
int es_pick(const struct es_pick *pick, const char *text, size_t n, struct es_picked *ret,
	    struct es_error *err);

/** es_pick_time - seconds since 1970 (or ms, µs, ns, by their size), or a date; 0 or -EBADMSG */
int es_pick_time(const char *text, int64_t *ret_unix_ns);

#endif
