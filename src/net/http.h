/*
 * http.h - HTTP requests beside other things: by descriptor and timer, never waiting
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_NET_HTTP_H
#define ES_NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/** struct es_http_library - libcurl, opened when it is used; es_http_library_close() it */
struct es_http_library;
/**
 * es_http_library_open - open libcurl, of whichever TLS
 * @name: NULL: the usual ones. Returns 0, or -ENOENT with the package to install in @err.
 */
int es_http_library_open(const char *name, struct es_http_library **ret, struct es_error *err);
void es_http_library_close(struct es_http_library *library);
/**
 * es_http_library_keep - set libcurl up now, and leave it loaded when @library is closed
 *
 * Before libcurl 7.84 setting up and cleaning up are not for several threads at a time: who has clients on threads of
 * their own calls this on the first thread, for each library it opens. Returns 0 or -ENOSYS.
 */
int es_http_library_keep(struct es_http_library *library);

/** es_http_check_url - 0, or -EINVAL with @err: only http:// and https:// with a host */
int es_http_check_url(const char *url, struct es_error *err);

/** struct es_http_options - of one client */
struct es_http_options {
	unsigned connect_timeout_ms, timeout_ms; /* of a whole request */
	uint64_t max_bytes; /* of an answer's body */
	const char *
		accept; /* the header of that name; NULL: metrics as text; borrowed for es_http_create(), as what follows */
	const char *ca_file; /* certificates that are trusted; NULL: the system's */
	/*
	 * The server's key: "sha256//" and the base64 of its public key's digest. It alone counts then, no name and no
	 * signature. NULL: its certificate is checked.
	 */
	const char *pin;
	bool is_unverified; /* nothing is checked: anybody may pose as the server */
};

/** struct es_http_answer - how a request ended */
struct es_http_answer {
	/*
	 * 0: it was answered. Else why not, in @text: -ETIMEDOUT, -EFBIG, -ECONNREFUSED, -EHOSTUNREACH, -ECONNRESET,
	 * -EKEYREJECTED (its certificate), -ENOKEY (ca_file), -EPROTO (no TLS) or -EIO.
	 */
	int error;
	long status; /* of HTTP; 0: none came */
	char text[256];
};

/** es_http_data_fn - a piece of the body, in order; whatever the status is */
typedef void (*es_http_data_fn)(void *arg, const char *data, size_t n);
/** es_http_header_fn - one line of the answer's head, without its end; neither part is NUL-terminated */
typedef void (*es_http_header_fn)(void *arg, const char *name, size_t n_name, const char *value,
				  size_t n_value);
/** es_http_done_fn - the request has ended; called once, a new one may be begun in it */
typedef void (*es_http_done_fn)(void *arg, const struct es_http_answer *answer);

/**
 * struct es_http - a client with one request at a time, over a connection that is kept
 *
 * Redirects are not followed, proxies of the environment not used, nothing but http and https spoken. One thread.
 * Names are looked up as libcurl was built to: Debian's does it in a thread of its own.
 */
struct es_http;

int es_http_create(struct es_http_library *library, const struct es_http_options *options,
		   struct es_http **ret, struct es_error *err);
void es_http_destroy(struct es_http *http);

/** es_http_get - begin a request; 0, -EBUSY: one is under way, or negative errno */
int es_http_get(struct es_http *http, const char *url, es_http_data_fn on_data,
		es_http_done_fn on_done, void *arg);

/** struct es_http_request - all borrowed; headers and body until it has ended */
struct es_http_request {
	const char *method; /* NULL: GET */
	const char *url;
	const char *const *headers; /* [n_headers], "Name: value", beside Accept and User-Agent */
	size_t n_headers;
	const char *body; /* NULL: none */
	const char *user, *password; /* basic authentication; NULL: none */
	unsigned timeout_ms; /* of this request; 0: as the options say */
	es_http_header_fn on_header; /* NULL: of no interest */
};

/** es_http_begin - the same for any request; -EINVAL: a header has a line break in it; -ENOMEM */
int es_http_begin(struct es_http *http, const struct es_http_request *request,
		  es_http_data_fn on_data, es_http_done_fn on_done, void *arg);
/** es_http_cancel - forget the request; nobody is told */
void es_http_cancel(struct es_http *http);
/** es_http_fd - to be polled for POLLIN; stands for all sockets */
int es_http_fd(const struct es_http *http);
/** es_http_next_ns - when es_http_handle() is due at the latest, monotonic clock; INT64_MAX: at no time */
int64_t es_http_next_ns(const struct es_http *http);
/** es_http_handle - the descriptor is ready, or the time has come; calls back */
void es_http_handle(struct es_http *http);

#endif
