/*
 * net/curl.c - libcurl, opened when it is used
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "net/curl.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "net/http.h"

#define PACKAGE "libcurl3-gnutls"

int es_http_library_open(const char *name, struct es_http_library **ret, struct es_error *err)
{
	static const char *const names[] = { "libcurl-gnutls.so.4", "libcurl.so.4" };
	struct es_http_library *l = calloc(1, sizeof(*l));
	int r = -ENOENT;

	if (!l)
		return es_error_set(err, -ENOMEM, "libcurl");
	for (size_t i = 0; i < (name ? 1 : ES_ARRAY_SIZE(names)) && r < 0; i++) {
		const struct es_dl_symbol symbols[] = {
			{ "curl_global_init", &l->global_init, true },
			{ "curl_global_cleanup", &l->global_cleanup, true },
			{ "curl_easy_init", &l->easy_init, true },
			{ "curl_easy_cleanup", &l->easy_cleanup, true },
			{ "curl_easy_setopt", &l->easy_setopt, true },
			{ "curl_easy_getinfo", &l->easy_getinfo, true },
			{ "curl_easy_strerror", &l->easy_strerror, true },
			{ "curl_multi_init", &l->multi_init, true },
			{ "curl_multi_cleanup", &l->multi_cleanup, true },
			{ "curl_multi_setopt", &l->multi_setopt, true },
			{ "curl_multi_add_handle", &l->multi_add_handle, true },
			{ "curl_multi_remove_handle", &l->multi_remove_handle, true },
			{ "curl_multi_socket_action", &l->multi_socket_action, true },
			{ "curl_multi_info_read", &l->multi_info_read, true },
			{ "curl_slist_append", &l->slist_append, true },
			{ "curl_slist_free_all", &l->slist_free_all, true },
		};
		struct es_error why = { .code = 0 };

		r = es_dl_open(&l->dl, name ? name : names[i], symbols, ES_ARRAY_SIZE(symbols),
			       &why);
		if (r < 0)
			(void)es_error_say(err, r, "%s; install the package " PACKAGE, why.text);
	}
	if (r < 0) {
		free(l);
		return r;
	}
	*ret = l;
	return 0;
}

void es_http_library_close(struct es_http_library *library)
{
	if (!library)
		return;
	if (library->is_begun && !library->is_kept)
		library->global_cleanup();
	if (!library->is_kept)
		es_dl_close(&library->dl);
	free(library);
}

int es_http_library_keep(struct es_http_library *library)
{
	if (!library->is_begun)
		library->is_begun = library->global_init(CURL_GLOBAL_DEFAULT) == 0;
	library->is_kept = library->is_begun;
	return library->is_begun ? 0 : -ENOSYS;
}
