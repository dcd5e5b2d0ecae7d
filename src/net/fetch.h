/*
 * net/fetch.h - HTTP requests one after the other, for a thread that may wait
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_NET_FETCH_H
#define ES_NET_FETCH_H

#include <stddef.h>

#include "base/error.h"
#include "net/http.h"

/** struct es_fetch_header - a header of the answer that is wanted */
struct es_fetch_header {
	const char *name;
	char value[512]; /* "": there was none, or a longer one */
};

/** struct es_fetch - a client whose connection is kept between requests; one thread */
struct es_fetch;

int es_fetch_create(struct es_http_library *library, const struct es_http_options *options,
		    struct es_fetch **ret, struct es_error *err);
void es_fetch_destroy(struct es_fetch *fetch);

/**
 * es_fetch - make a request and wait for its answer, no longer than the options' timeout
 * @request: its on_header is not used
 * @headers: [n_headers], filled in
 *
 * Returns the status of HTTP, whatever it is; an error of struct es_http_answer, with @err.
 */
int es_fetch(struct es_fetch *fetch, const struct es_http_request *request,
	     struct es_fetch_header *headers, size_t n_headers, struct es_error *err);
/** es_fetch_body - the last answer's body, NUL-terminated; borrowed until the next request */
const char *es_fetch_body(const struct es_fetch *fetch, size_t *ret_n);

#endif
