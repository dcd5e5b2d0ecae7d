/*
 * error.h - an error's code and text, owned by the caller
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_BASE_ERROR_H
#define ES_BASE_ERROR_H

#include "base/limits.h"

/** struct es_error - what failed, why, and what happens now; zero-initialise, give to a callee, print once. Control characters become '?'. */
struct es_error {
	int code; /* negative errno */
	char text[ES_TEXT_MAX_BYTES];
};

/**
 * es_error_set - fill an error and return its code
 * @err: may be NULL: then only the code is returned
 * @code: negative errno; its words are appended after ": "
 */
int es_error_set(struct es_error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** es_error_say - like es_error_set(), but the text stands alone: no words of errno are added */
int es_error_say(struct es_error *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** es_strerror - words for a negative or positive errno, thread-safe, in English and never NULL */
const char *es_strerror(int code);

#endif
