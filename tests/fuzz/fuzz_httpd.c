/*
 * fuzz_httpd.c - any bytes as a header of basic authentication, and as part of a URL
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <string.h>

#include "fuzz/target.h"
#include "net/httpd_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char text[4096];
	struct es_httpd_login login;
	size_t length;

	if (n >= sizeof(text))
		return 0;
	if (n > 0)
		memcpy(text, data, n);
	text[n] = '\0';
	if (es_httpd_basic(text, &login) == 0) {
		fuzz_require(strlen(login.user) < sizeof(login.user));
		fuzz_require(strlen(login.password) < sizeof(login.password));
		fuzz_require(!strchr(login.user, ':'));
	}
	n = strlen(text);
	length = es_httpd_unescape(NULL, NULL, text);
	fuzz_require(length == strlen(text) && length <= n);
	return 0;
}
