/*
 * net/httpd.c - an HTTP/1.1 server: listening, connections and their deadlines, the end
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * libmicrohttpd's own time-out starts anew with every byte, so that who sends one byte every few seconds stays for ever. Here a
 * request has a deadline as a whole; a thread closes the connections that are past theirs.
 */
#include "net/httpd_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define THREADS 4U
#define CONNECTIONS 256U
#define TIMEOUT_MS 10000U
#define BODY_MAX_BYTES (64U << 10)
#define ANSWER_MAX_BYTES (16U << 20)
#define HEAD_MAX_BYTES (16U << 10) /* what a connection keeps: the request's head among it */
#define PEM_MAX_BYTES (256U << 10)
#define BACKLOG 511
#define WATCH_NS (200 * ES_NS_PER_MS)
#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

void es_httpd_set_deadline(struct es_httpd *httpd, struct es_httpd_connection *entry,
			   int64_t dur_ns)
{
	int64_t now_ns = es_clock_mono_ns();

	if (!entry)
		return;
	pthread_mutex_lock(&httpd->lock);
	entry->deadline_ns = dur_ns > INT64_MAX - now_ns ? INT64_MAX : now_ns + dur_ns;
	pthread_mutex_unlock(&httpd->lock);
}

/* libmicrohttpd accepted a connection, or is about to close its descriptor. */
static void note_connection(void *arg, struct MHD_Connection *connection, void **context, int what)
{
	struct es_httpd *httpd = arg;
	struct es_httpd_connection *entry = *context;

	if (what != MHD_CONNECTION_NOTIFY_STARTED) {
		*context = NULL;
		if (!entry)
			return;
		pthread_mutex_lock(&httpd->lock);
		entry->prev->next = entry->next;
		entry->next->prev = entry->prev;
		pthread_mutex_unlock(&httpd->lock);
		free(entry);
		return;
	}
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return; /* its first request is refused: es_httpd_handle() */
	entry->fd =
		httpd->lib->get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->fd;
	entry->deadline_ns = es_clock_mono_ns() + httpd->options.timeout_ms * ES_NS_PER_MS;
	pthread_mutex_lock(&httpd->lock);
	entry->next = &httpd->connections;
	entry->prev = httpd->connections.prev;
	entry->prev->next = entry;
	httpd->connections.prev = entry;
	pthread_mutex_unlock(&httpd->lock);
	*context = entry;
}

static void timed_wait(struct es_httpd *httpd, int64_t until_ns)
{
	const struct timespec until = { .tv_sec = until_ns / ES_NS_PER_S,
					.tv_nsec = until_ns % ES_NS_PER_S };

	(void)pthread_cond_timedwait(&httpd->changed, &httpd->lock, &until);
}

static void *watch(void *arg)
{
	struct es_httpd *httpd = arg;

	pthread_mutex_lock(&httpd->lock);
	while (!httpd->is_stopping) {
		int64_t now_ns = es_clock_mono_ns();

		for (struct es_httpd_connection *c = httpd->connections.next;
		     c != &httpd->connections; c = c->next) {
			if (c->deadline_ns > now_ns)
				continue;
			/* libmicrohttpd sees its end, and closes it. */
			(void)shutdown(c->fd, SHUT_RDWR);
			c->deadline_ns = INT64_MAX;
		}
		timed_wait(httpd, now_ns + WATCH_NS);
	}
	pthread_mutex_unlock(&httpd->lock);
	return NULL;
}

int es_httpd_wait(const struct es_httpd_request *request, int64_t dur_ns)
{
	struct es_httpd *httpd = request->exchange->httpd;
	int64_t until_ns = es_clock_mono_ns() + dur_ns;
	bool is_stopping;

	pthread_mutex_lock(&httpd->lock);
	while (!httpd->is_stopping && es_clock_mono_ns() < until_ns)
		timed_wait(httpd, until_ns);
	is_stopping = httpd->is_stopping;
	pthread_mutex_unlock(&httpd->lock);
	return is_stopping ? -ECANCELED : 0;
}

static int listen_at(struct es_httpd *httpd, const char *address, struct es_error *err)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(httpd->options.port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
				   .sin6_port = htons(httpd->options.port) };
	bool is_v6 = strchr(address, ':') != NULL;
	struct sockaddr *where = is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
	socklen_t n = is_v6 ? sizeof(v6) : sizeof(v4);
	const int one = 1;
	int fd;

	if (inet_pton(where->sa_family, address,
		      is_v6 ? (void *)&v6.sin6_addr : (void *)&v4.sin_addr) != 1)
		return es_error_say(err, -EINVAL, "'%.60s' is no numeric address to listen at",
				    address);
	fd = socket(where->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	httpd->listener = fd;
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, where, n) < 0 || listen(fd, BACKLOG) < 0 || getsockname(fd, where, &n) < 0)
		return es_error_set(err, -errno, "cannot listen at %s, port %u", address,
				    httpd->options.port);
	httpd->port = ntohs(is_v6 ? v6.sin6_port : v4.sin_port);
	return 0;
}

static int read_pem(const char *path, char **ret, struct es_error *err)
{
	es_cleanup(es_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat status;
	ssize_t n;
	char *text;

	if (fd < 0 || fstat(fd, &status) < 0)
		return es_error_say(err, -ENOKEY, "cannot read '%.500s': %s", path,
				    es_strerror(errno));
	if (!S_ISREG(status.st_mode) || status.st_size <= 0 || status.st_size > PEM_MAX_BYTES)
		return es_error_say(err, -ENOKEY, "'%.500s' is no certificate or key", path);
	text = calloc(1, (size_t)status.st_size + 1);
	if (!text)
		return es_error_set(err, -ENOMEM, "TLS");
	n = read(fd, text, (size_t)status.st_size);
	if (n <= 0 || !strstr(text, "-----BEGIN ")) {
		explicit_bzero(text, (size_t)status.st_size);
		free(text);
		return es_error_say(err, -ENOKEY, "'%.500s' is no certificate or key in PEM", path);
	}
	*ret = text;
	return 0;
}

static int take_keys(struct es_httpd *httpd, const struct es_httpd_options *options,
		     struct es_error *err)
{
	int r;

	if (!options->cert_file != !options->key_file)
		return es_error_say(err, -EINVAL,
				    "TLS needs the certificate and the key, and one is missing");
	httpd->is_tls = options->cert_file != NULL;
	if (!httpd->is_tls)
		return 0;
	if (httpd->lib->is_feature_supported(MHD_FEATURE_SSL) != MHD_YES)
		return es_error_say(err, -EOPNOTSUPP, "libmicrohttpd was built without TLS here");
	r = read_pem(options->cert_file, &httpd->cert, err);
	return r < 0 ? r : read_pem(options->key_file, &httpd->key, err);
}

/* With all signals blocked: they are the main thread's. */
static int start_threads(struct es_httpd *httpd)
{
	const struct es_httpd_options *o = &httpd->options;
	unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_USE_ITC |
			 (httpd->is_tls ? MHD_USE_TLS : 0);
	const struct MHD_OptionItem tls[] = {
		{ MHD_OPTION_HTTPS_MEM_CERT, 0, httpd->cert },
		{ MHD_OPTION_HTTPS_MEM_KEY, 0, httpd->key },
		{ MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)PRIORITIES },
		{ MHD_OPTION_END, 0, NULL },
	};
	sigset_t all, before;
	int r;

	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &before);
	httpd->daemon = httpd->lib->start_daemon(
		flags, 0, NULL, NULL, es_httpd_handle, httpd, MHD_OPTION_LISTEN_SOCKET,
		httpd->listener, MHD_OPTION_THREAD_POOL_SIZE, o->n_threads,
		MHD_OPTION_CONNECTION_LIMIT, o->n_connections, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		o->n_connections_each, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_MAX_BYTES,
		MHD_OPTION_NOTIFY_COMPLETED, es_httpd_end, httpd, MHD_OPTION_NOTIFY_CONNECTION,
		note_connection, httpd, MHD_OPTION_UNESCAPE_CALLBACK, es_httpd_unescape, httpd,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_ARRAY,
		httpd->is_tls ? &tls[0] : &tls[3], MHD_OPTION_END);
	r = httpd->daemon ? -pthread_create(&httpd->watch, NULL, watch, httpd) : -EIO;
	httpd->has_watch = httpd->daemon && r == 0;
	/* It closes the listener where it fails. */
	if (!httpd->daemon)
		httpd->listener = -1;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	return r;
}

static void set_defaults(struct es_httpd_options *o)
{
	o->n_threads = o->n_threads ? o->n_threads : THREADS;
	o->n_connections = o->n_connections ? o->n_connections : CONNECTIONS;
	/* Each thread has its share of them. */
	if (o->n_threads > o->n_connections)
		o->n_threads = o->n_connections;
	o->timeout_ms = o->timeout_ms ? o->timeout_ms : TIMEOUT_MS;
	o->body_max_bytes = o->body_max_bytes ? o->body_max_bytes : BODY_MAX_BYTES;
	o->answer_max_bytes = o->answer_max_bytes ? o->answer_max_bytes : ANSWER_MAX_BYTES;
	/* The pool of libmicrohttpd is of two threads at least. */
	if (o->n_threads < 2)
		o->n_threads = 0;
}

static int init_lock(struct es_httpd *httpd)
{
	pthread_condattr_t attributes;

	if (pthread_condattr_init(&attributes) != 0)
		return -ENOMEM;
	(void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	(void)pthread_mutex_init(&httpd->lock, NULL);
	(void)pthread_cond_init(&httpd->changed, &attributes);
	(void)pthread_condattr_destroy(&attributes);
	httpd->has_lock = true;
	return 0;
}

int es_httpd_start(struct es_httpd_library *library, const struct es_httpd_options *options,
		   struct es_httpd **ret, struct es_error *err)
{
	struct es_httpd *httpd = calloc(1, sizeof(*httpd));
	int r;

	if (!httpd)
		return es_error_set(err, -ENOMEM, "server");
	httpd->lib = library;
	httpd->listener = -1;
	httpd->connections.next = httpd->connections.prev = &httpd->connections;
	httpd->options = *options;
	set_defaults(&httpd->options);
	r = init_lock(httpd);
	if (r == 0 && library->is_feature_supported(MHD_FEATURE_EPOLL) != MHD_YES)
		r = es_error_say(err, -EOPNOTSUPP, "libmicrohttpd was built without epoll here");
	if (r == 0)
		r = take_keys(httpd, options, err);
	if (r == 0)
		r = listen_at(httpd, options->address ? options->address : "127.0.0.1", err);
	if (r == 0) {
		r = start_threads(httpd);
		/* It says no reason; of what it is given, only these can be wrong. */
		if (r < 0 && !httpd->daemon && httpd->is_tls)
			r = es_error_say(err, -ENOKEY,
					 "certificate '%.300s' and key '%.300s' do not work",
					 options->cert_file, options->key_file);
		else if (r < 0)
			r = es_error_set(err, r, "cannot start the threads of the server");
	}
	if (r < 0) {
		es_httpd_stop(httpd, 0);
		return r;
	}
	*ret = httpd;
	return 0;
}

uint16_t es_httpd_port(const struct es_httpd *httpd)
{
	return httpd->port;
}

static void erase(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

void es_httpd_stop(struct es_httpd *httpd, unsigned grace_ms)
{
	int64_t until_ns = es_clock_mono_ns() + grace_ms * ES_NS_PER_MS;

	if (!httpd)
		return;
	/* The listener is ours again; else it is closed with the daemon. */
	if (httpd->daemon && httpd->lib->quiesce_daemon(httpd->daemon) != httpd->listener)
		httpd->listener = -1;
	if (httpd->has_lock) {
		pthread_mutex_lock(&httpd->lock);
		httpd->is_stopping = true;
		pthread_cond_broadcast(&httpd->changed);
		while (httpd->n_exchanges > 0 && es_clock_mono_ns() < until_ns)
			timed_wait(httpd, until_ns);
		pthread_mutex_unlock(&httpd->lock);
	}
	if (httpd->has_watch)
		(void)pthread_join(httpd->watch, NULL);
	if (httpd->daemon)
		httpd->lib->stop_daemon(httpd->daemon);
	if (httpd->listener >= 0)
		(void)close(httpd->listener);
	if (httpd->has_lock) {
		(void)pthread_cond_destroy(&httpd->changed);
		(void)pthread_mutex_destroy(&httpd->lock);
	}
	erase(&httpd->cert);
	erase(&httpd->key);
	free(httpd);
}
