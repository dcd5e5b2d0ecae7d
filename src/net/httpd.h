/*
 * httpd.h - an HTTP/1.1 server: routes, bounded bodies, bounded time, bounded threads
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_NET_HTTPD_H
#define ES_NET_HTTPD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"

/** struct es_httpd_library - libmicrohttpd, opened when it is used; es_httpd_library_close() it, once its servers have stopped */
struct es_httpd_library;
/**
 * es_httpd_library_open - open libmicrohttpd
 * @name: NULL: the usual one. Returns 0, or -ENOENT with the package to install in @err.
 */
int es_httpd_library_open(const char *name, struct es_httpd_library **ret, struct es_error *err);
void es_httpd_library_close(struct es_httpd_library *library);

/** struct es_httpd_request - who asks for what; valid while it is being answered */
struct es_httpd_request {
	const char *method; /* as it was sent: GET, HEAD, … */
	const char *
		path; /* unescaped, but for what would not be text (%00, %2F and control characters stay as they were sent) */
	const char *body; /* NUL-terminated beyond its @n_body bytes; "" where there is none */
	size_t n_body;
	const char *client; /* its address, without the port */
	bool is_tls;
	struct es_httpd_exchange *exchange; /* for the functions below */
};

/** es_httpd_header - the first header of that name; NULL: there is none */
const char *es_httpd_header(const struct es_httpd_request *request, const char *name);
/** es_httpd_param - what follows NAME= in the URL's query, unescaped; NULL: it is not there; "" without a value */
const char *es_httpd_param(const struct es_httpd_request *request, const char *name);
/** es_httpd_wait - do nothing for @dur_ns; 0, or -ECANCELED at once when the server is to stop */
int es_httpd_wait(const struct es_httpd_request *request, int64_t dur_ns);

#define ES_HTTPD_WORD_BYTES 256U

/** struct es_httpd_login - who somebody says to be */
struct es_httpd_login {
	char user[ES_HTTPD_WORD_BYTES], password[ES_HTTPD_WORD_BYTES];
};
/** es_httpd_basic - basic authentication (RFC 7617) in "Authorization: …" @header; 0, -ENOENT: none, or another; -EBADMSG */
int es_httpd_basic(const char *header, struct es_httpd_login *ret);
/** es_httpd_is_same - compare secrets in a time that depends on the length of @given only */
bool es_httpd_is_same(const char *secret, const char *given);

#define ES_HTTPD_HEADERS_MAX 12U

/** struct es_httpd_answer - filled in by who answers; as it is given: 200, no type, nothing in it */
struct es_httpd_answer {
	unsigned status;
	const char *type; /* Content-Type; a constant */
	struct es_buf body; /* its error makes the answer a 500 */
	struct {
		char name[64], value[1024];
	} headers[ES_HTTPD_HEADERS_MAX];
	size_t n_headers;
	int error; /* likewise */
};
/** es_httpd_add_header - one more; what does not fit, or would break the head, makes the answer a 500 */
void es_httpd_add_header(struct es_httpd_answer *answer, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** es_httpd_say - a short text, in place of what was there */
void es_httpd_say(struct es_httpd_answer *answer, unsigned status, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** es_httpd_answer_fn - called on a thread of the server, several at a time; may es_httpd_wait(), must return */
typedef void (*es_httpd_answer_fn)(void *arg, const struct es_httpd_request *request,
				   struct es_httpd_answer *answer);

/** struct es_httpd_route - the first that fits answers; HEAD asks for what GET answers */
struct es_httpd_route {
	const char *method; /* NULL: all */
	const char *path; /* the whole of it, or up to the '*' at its end */
	es_httpd_answer_fn answer;
};

/** struct es_httpd_options - zeroed members: the default; borrowed for the start, but @routes and @arg as long as it runs */
struct es_httpd_options {
	const char *address; /* numeric; default 127.0.0.1 */
	uint16_t port; /* default: one that is free */
	const char *cert_file, *key_file; /* PEM: TLS 1.2 and 1.3; both or none */
	const struct es_httpd_route *routes;
	size_t n_routes;
	void *arg; /* given to all of them */
	unsigned n_threads; /* that answer; default 4 */
	unsigned n_connections; /* at a time; default 256; more wait */
	unsigned n_connections_each; /* of one address; default: all */
	unsigned timeout_ms; /* for a request to come in whole, for a kept connection to be used again; default 10 s */
	size_t body_max_bytes; /* of a request; default 64 KiB */
	size_t answer_max_bytes; /* of an answer; default 16 MiB */
};

struct es_httpd;

/**
 * es_httpd_start - listen and answer
 *
 * Requests without a route get 404 or 405, too long ones 413 or 431, broken ones 400. Returns 0; -EADDRINUSE, -EACCES,
 * -EADDRNOTAVAIL; -EINVAL: the options; -ENOKEY: certificate or key; -EOPNOTSUPP: this libmicrohttpd has no TLS; -ENOMEM.
 */
int es_httpd_start(struct es_httpd_library *library, const struct es_httpd_options *options,
		   struct es_httpd **ret, struct es_error *err);
uint16_t es_httpd_port(const struct es_httpd *httpd);
/** es_httpd_stop - no new requests; those that are being answered have @grace_ms to end, then all connections are closed */
void es_httpd_stop(struct es_httpd *httpd, unsigned grace_ms);

#endif
