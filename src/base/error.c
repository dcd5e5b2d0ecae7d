/*
 * error.c - an error's code and text, owned by the caller
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

const char *es_strerror(int code)
{
	/* strerrordesc_np() needs no locale and no buffer; it came with glibc 2.32, our floor is 2.28. */
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 32)
	const char *words = strerrordesc_np(abs(code));
#else
	const char *words = strerror(abs(code));
#endif

	return words ? words : "unknown error";
}

__attribute__((format(printf, 3, 0))) static void set_text(struct es_error *err, int code,
							   const char *fmt, va_list args)
{
	int n = vsnprintf(err->text, sizeof(err->text), fmt, args);

	err->code = code;
	if (n < 0)
		err->text[0] = '\0';
	es_text_make_safe(err->text, true);
}

int es_error_set(struct es_error *err, int code, const char *fmt, ...)
{
	va_list args;
	size_t len;

	if (!err)
		return code;
	va_start(args, fmt);
	set_text(err, code, fmt, args);
	va_end(args);
	len = strlen(err->text);
	(void)snprintf(err->text + len, sizeof(err->text) - len, ": %s", es_strerror(code));
	return code;
}

int es_error_say(struct es_error *err, int code, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return code;
	va_start(args, fmt);
	set_text(err, code, fmt, args);
	va_end(args);
	return code;
}
