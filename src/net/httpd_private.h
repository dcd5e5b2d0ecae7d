/*
 * net/httpd_private.h - what the files of the HTTP server share
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_NET_HTTPD_PRIVATE_H
#define ES_NET_HTTPD_PRIVATE_H

#include <netinet/in.h>
#include <pthread.h>

#include "net/httpd.h"
#include "net/httpd_library.h"

/** struct es_httpd_connection - from accept to close; in the server's list */
struct es_httpd_connection {
	struct es_httpd_connection *next, *prev;
	int fd;
	int64_t deadline_ns; /* monotonic; INT64_MAX: it is being answered */
};

/** struct es_httpd_exchange - a request and its answer */
struct es_httpd_exchange {
	struct es_httpd *httpd;
	struct MHD_Connection *connection;
	struct es_httpd_connection *entry;
	struct es_buf body;
	bool is_too_large;
	char client[INET6_ADDRSTRLEN];
};

struct es_httpd {
	const struct es_httpd_library *lib;
	struct MHD_Daemon *daemon;
	struct es_httpd_options options; /* the numbers of it, the routes, and arg */
	int listener;
	uint16_t port;
	bool is_tls;
	char *cert, *key;
	pthread_t watch;
	bool has_watch, has_lock;
	/* Guards what follows. */
	pthread_mutex_t lock;
	pthread_cond_t changed; /* monotonic: is_stopping, n_exchanges */
	bool is_stopping;
	size_t n_exchanges;
	struct es_httpd_connection connections; /* head of a ring */
};

/** es_httpd_handle - libmicrohttpd's handler */
int es_httpd_handle(void *arg, struct MHD_Connection *connection, const char *url,
		    const char *method, const char *version, const char *data, size_t *n,
		    void **ret_exchange);
/** es_httpd_end - libmicrohttpd's call at the end of each request, whatever became of it */
void es_httpd_end(void *arg, struct MHD_Connection *connection, void **exchange, int how);
/** es_httpd_unescape - libmicrohttpd's call for parts of a URL, in place; returns the new length */
size_t es_httpd_unescape(void *arg, struct MHD_Connection *connection, char *text);

/** es_httpd_set_deadline - of @entry, @dur_ns from now; INT64_MAX: none */
void es_httpd_set_deadline(struct es_httpd *httpd, struct es_httpd_connection *entry,
			   int64_t dur_ns);

#endif
