/*
 * net/httpd_library.c - libmicrohttpd, opened when it is used
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "net/httpd_library.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "net/httpd.h"

#define LIBRARY "libmicrohttpd.so.12"
#define PACKAGE "libmicrohttpd12"

int es_httpd_library_open(const char *name, struct es_httpd_library **ret, struct es_error *err)
{
	struct es_httpd_library *l = calloc(1, sizeof(*l));
	struct es_error why = { .code = 0 };
	int r;

	if (!l)
		return es_error_set(err, -ENOMEM, "libmicrohttpd");
	const struct es_dl_symbol symbols[] = {
		{ "MHD_start_daemon", &l->start_daemon, true },
		{ "MHD_stop_daemon", &l->stop_daemon, true },
		{ "MHD_quiesce_daemon", &l->quiesce_daemon, true },
		{ "MHD_get_connection_info", &l->get_connection_info, true },
		{ "MHD_lookup_connection_value", &l->lookup_connection_value, true },
		{ "MHD_create_response_from_buffer", &l->create_response_from_buffer, true },
		{ "MHD_destroy_response", &l->destroy_response, true },
		{ "MHD_add_response_header", &l->add_response_header, true },
		{ "MHD_queue_response", &l->queue_response, true },
		{ "MHD_is_feature_supported", &l->is_feature_supported, true },
	};
	r = es_dl_open(&l->dl, name ? name : LIBRARY, symbols, ES_ARRAY_SIZE(symbols), &why);
	if (r < 0) {
		free(l);
		return es_error_say(err, r, "%s; install the package " PACKAGE, why.text);
	}
	*ret = l;
	return 0;
}

void es_httpd_library_close(struct es_httpd_library *library)
{
	if (!library)
		return;
	es_dl_close(&library->dl);
	free(library);
}
