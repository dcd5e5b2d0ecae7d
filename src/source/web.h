/*
 * source/web.h - what meters behind a web server share: whom to trust, who we are, what a refusal means
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_WEB_H
#define ES_SOURCE_WEB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "net/fetch.h"
#include "source/remote.h"
#include "source/url.h"

/* Parameters of such meters, for es_meter_url_check(). */
#define ES_WEB_PARAMS "verify", "ca", "fingerprint", "stale"

#define ES_WEB_URL_BYTES 4096U

/** struct es_web - one server; zero-initialise */
struct es_web {
	struct es_http_library *library;
	struct es_fetch *fetch; /* NULL: not connected */
	char base[320]; /* https://HOST:PORT */
	char host[280]; /* HOST:PORT */
	bool is_https, is_unverified;
	char ca[512]; /* "": the system's */
	char pin[64]; /* "": none */
	int64_t timeout_ns, stale_ns;
	int64_t until_ns; /* boot clock: all requests that have no time of their own are answered by then; es_web_hurry() */
	struct es_credentials credentials;
	bool has_user, has_token; /* a password without a user is a token */
	char token[ES_SECRET_MAX_BYTES + 32]; /* a header */
};

/**
 * es_web_init - what @url says of its server; on the first thread
 * @stale_ns: where it has no stale=
 * Returns 0; -EINVAL: a parameter is wrong; -ENOENT: no libcurl. es_web_finish() it in any case.
 */
int es_web_init(struct es_web *web, const struct es_meter_url *url, bool is_https, uint16_t port,
		int64_t stale_ns, struct es_error *err);
void es_web_finish(struct es_web *web);

/** es_web_connect - read the credentials and make a client; 0, -EACCES, -EPERM, -EBADMSG, -ENOMEM */
int es_web_connect(struct es_web *web, const struct es_meter_url *url, struct es_error *err);
void es_web_disconnect(struct es_web *web);
/** es_web_hurry - what is asked from now on has the URL's timeout together; es_web_connect() says so, too */
void es_web_hurry(struct es_web *web);

/**
 * es_web_ask - one request to this server, whose answer is JSON
 * @request: its url is a path; user, password or token are added unless it has headers of its own
 * Returns the status, or an error with what is wrong; what would mend it is told to @remote (may be NULL).
 */
int es_web_ask(struct es_web *web, struct es_http_request request, struct es_fetch_header *headers,
	       size_t n_headers, struct es_remote *remote, struct es_error *err);
/** es_web_refused - the error of a status that is no success, with the fix as above */
int es_web_refused(const struct es_web *web, int status, struct es_remote *remote,
		   struct es_error *err);
/** es_web_get - ask for @path and want success; 0 or the error; the body is es_fetch_body() */
int es_web_get(struct es_web *web, const char *path, struct es_remote *remote,
	       struct es_error *err);

/** es_web_warn - what is said of a domain whose way to us is not safe; "" where it is */
const char *es_web_warn(const struct es_web *web);

/** es_web_encode - @text for a query, appended to @url; -E2BIG */
int es_web_encode(const char *text, char *url, size_t size);

/** es_web_pin - "sha256:" and 64 hexadecimal digits (':' between them allowed) or base64 as libcurl has it; 0 or -EINVAL */
int es_web_pin(const char *text, char ret[static 64]);

#endif
