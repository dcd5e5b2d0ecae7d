/*
 * http.c - HTTP requests beside other things: by descriptor and timer, never waiting
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "net/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/dl.h"

#define PACKAGE "libcurl3-gnutls"

/*
 * What we call of libcurl, declared here so that building needs no header of it. The numbers are part of its ABI
 * (curl/curl.h, curl/multi.h) and do not change within libcurl.so.4.
 */
typedef void CURL;
typedef void CURLM;
struct curl_slist;
enum {
	CURL_GLOBAL_DEFAULT = 3,
	CURLE_COULDNT_RESOLVE_HOST = 6,
	CURLE_COULDNT_CONNECT = 7,
	CURLE_WRITE_ERROR = 23,
	CURLE_OPERATION_TIMEDOUT = 28,
	CURLE_FILESIZE_EXCEEDED = 63,
	CURLOPT_NOPROGRESS = 43,
	CURLOPT_FOLLOWLOCATION = 52,
	CURLOPT_HTTPGET = 80,
	CURLOPT_NOSIGNAL = 99,
	CURLOPT_TIMEOUT_MS = 155,
	CURLOPT_CONNECTTIMEOUT_MS = 156,
	CURLOPT_PROTOCOLS = 181,
	CURLOPT_QUICK_EXIT = 322,
	CURLOPT_WRITEDATA = 10001,
	CURLOPT_URL = 10002,
	CURLOPT_PROXY = 10004,
	CURLOPT_ERRORBUFFER = 10010,
	CURLOPT_USERAGENT = 10018,
	CURLOPT_HTTPHEADER = 10023,
	CURLOPT_WRITEFUNCTION = 20011,
	CURLOPT_MAXFILESIZE_LARGE = 30117,
	CURLPROTO_HTTP = 1,
	CURLPROTO_HTTPS = 2,
	CURLMOPT_SOCKETDATA = 10002,
	CURLMOPT_TIMERDATA = 10005,
	CURLMOPT_SOCKETFUNCTION = 20001,
	CURLMOPT_TIMERFUNCTION = 20004,
	CURLINFO_RESPONSE_CODE = 0x200002,
	CURLMSG_DONE = 1,
	CURL_POLL_IN = 1,
	CURL_POLL_OUT = 2,
	CURL_POLL_REMOVE = 4,
	CURL_CSELECT_IN = 1,
	CURL_CSELECT_OUT = 2,
	CURL_CSELECT_ERR = 4,
	CURL_SOCKET_TIMEOUT = -1,
	CURL_ERROR_BYTES = 256,
};
struct curl_message {
	int what;
	CURL *easy;
	union {
		void *whatever;
		int result;
	} data;
};

struct es_http_library {
	struct es_dl dl;
	bool is_begun;
	int (*global_init)(long);
	void (*global_cleanup)(void);
	CURL *(*easy_init)(void);
	void (*easy_cleanup)(CURL *);
	int (*easy_setopt)(CURL *, int, ...);
	int (*easy_getinfo)(CURL *, int, ...);
	const char *(*easy_strerror)(int);
	CURLM *(*multi_init)(void);
	int (*multi_cleanup)(CURLM *);
	int (*multi_setopt)(CURLM *, int, ...);
	int (*multi_add_handle)(CURLM *, CURL *);
	int (*multi_remove_handle)(CURLM *, CURL *);
	int (*multi_socket_action)(CURLM *, int, int, int *);
	struct curl_message *(*multi_info_read)(CURLM *, int *);
	struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
	void (*slist_free_all)(struct curl_slist *);
};

struct es_http {
	const struct es_http_library *lib; /* borrowed */
	struct es_http_options options;
	CURLM *multi;
	CURL *easy;
	struct curl_slist *headers;
	int epoll_fd;
	int64_t next_ns;
	bool is_busy, is_too_large;
	uint64_t n_bytes;
	es_http_data_fn on_data;
	es_http_done_fn on_done;
	void *arg;
	char why[CURL_ERROR_BYTES];
};

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
	if (library && library->is_begun)
		library->global_cleanup();
	if (library)
		es_dl_close(&library->dl);
	free(library);
}

int es_http_check_url(const char *url, struct es_error *err)
{
	static const char *const schemes[] = { "http://", "https://" };

	for (size_t i = 0; i < ES_ARRAY_SIZE(schemes); i++) {
		size_t n = strlen(schemes[i]);

		if (strncmp(url, schemes[i], n) != 0)
			continue;
		if (strcspn(url + n, "/?#:") == 0)
			break;
		for (const char *p = url; *p; p++)
			if ((unsigned char)*p <= ' ' || *p == 0x7f)
				return es_error_say(err, -EINVAL,
						    "URL '%s': blanks have no place in it", url);
		return 0;
	}
	return es_error_say(err, -EINVAL, "URL '%s': it begins with http://HOST or https://HOST",
			    url);
}

/* libcurl tells which sockets to wait for. */
static int on_socket(CURL *easy, int fd, int what, void *arg, void *known)
{
	struct es_http *http = arg;
	struct epoll_event event = { .data = { .fd = fd } };

	(void)easy;
	(void)known;
	if (what == CURL_POLL_REMOVE) {
		(void)epoll_ctl(http->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
		return 0;
	}
	event.events = (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0) |
		       (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0);
	if (epoll_ctl(http->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0 && errno == EEXIST)
		(void)epoll_ctl(http->epoll_fd, EPOLL_CTL_MOD, fd, &event);
	return 0;
}

static int on_timer(CURLM *multi, long timeout_ms, void *arg)
{
	struct es_http *http = arg;

	(void)multi;
	http->next_ns = timeout_ms < 0 ? INT64_MAX : es_clock_mono_ns() + timeout_ms * ES_NS_PER_MS;
	return 0;
}

static size_t on_write(char *data, size_t size, size_t n, void *arg)
{
	struct es_http *http = arg;
	size_t n_bytes = size * n;

	if (n_bytes > http->options.max_bytes - http->n_bytes) {
		http->is_too_large = true;
		return 0;
	}
	http->n_bytes += n_bytes;
	http->on_data(http->arg, data, n_bytes);
	return n_bytes;
}

/* No word of the environment changes where a request goes, and no answer sends it elsewhere. */
static int set_options(struct es_http *http)
{
	const struct es_http_library *l = http->lib;
	CURL *easy = http->easy;
	int e = 0;

	/* Since 7.87: do not wait for a name server when a request is given up. */
	(void)l->easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	e |= l->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	e |= l->easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
	e |= l->easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	e |= l->easy_setopt(easy, CURLOPT_HTTPGET, 1L);
	e |= l->easy_setopt(easy, CURLOPT_PROXY, "");
	e |= l->easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
	e |= l->easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)http->options.timeout_ms);
	e |= l->easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
			    (long)http->options.connect_timeout_ms);
	e |= l->easy_setopt(easy, CURLOPT_USERAGENT, "energyscopium/" ES_VERSION);
	e |= l->easy_setopt(easy, CURLOPT_HTTPHEADER, http->headers);
	e |= l->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
	e |= l->easy_setopt(easy, CURLOPT_WRITEDATA, http);
	e |= l->easy_setopt(easy, CURLOPT_ERRORBUFFER, http->why);
	e |= l->multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	e |= l->multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	e |= l->multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	e |= l->multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
	return e ? -ENOSYS : 0;
}

int es_http_create(struct es_http_library *library, const struct es_http_options *options,
		   struct es_http **ret, struct es_error *err)
{
	struct es_http *http = calloc(1, sizeof(*http));
	int r = -ENOMEM;

	if (!http)
		return es_error_set(err, r, "HTTP client");
	http->lib = library;
	http->options = *options;
	http->next_ns = INT64_MAX;
	http->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!library->is_begun)
		library->is_begun = library->global_init(CURL_GLOBAL_DEFAULT) == 0;
	if (http->epoll_fd >= 0 && library->is_begun) {
		http->multi = library->multi_init();
		http->easy = library->easy_init();
		http->headers = library->slist_append(
			NULL,
			"Accept: application/openmetrics-text;q=0.9,text/plain;q=0.8,*/*;q=0.1");
	}
	if (http->multi && http->easy && http->headers)
		r = set_options(http);
	if (r < 0) {
		es_http_destroy(http);
		return es_error_set(err, r, "HTTP client");
	}
	*ret = http;
	return 0;
}

void es_http_destroy(struct es_http *http)
{
	if (!http)
		return;
	es_http_cancel(http);
	if (http->easy)
		http->lib->easy_cleanup(http->easy);
	if (http->multi)
		(void)http->lib->multi_cleanup(http->multi);
	http->lib->slist_free_all(http->headers);
	es_closep(&http->epoll_fd);
	free(http);
}

int es_http_get(struct es_http *http, const char *url, es_http_data_fn on_data,
		es_http_done_fn on_done, void *arg)
{
	if (http->is_busy)
		return -EBUSY;
	http->on_data = on_data;
	http->on_done = on_done;
	http->arg = arg;
	http->n_bytes = 0;
	http->is_too_large = false;
	http->why[0] = '\0';
	if (http->lib->easy_setopt(http->easy, CURLOPT_URL, url) != 0 ||
	    http->lib->multi_add_handle(http->multi, http->easy) != 0)
		return -EIO;
	http->is_busy = true;
	return 0;
}

void es_http_cancel(struct es_http *http)
{
	if (http->is_busy)
		(void)http->lib->multi_remove_handle(http->multi, http->easy);
	http->is_busy = false;
}

int es_http_fd(const struct es_http *http)
{
	return http->epoll_fd;
}

int64_t es_http_next_ns(const struct es_http *http)
{
	return http->next_ns;
}

static int errno_of(const struct es_http *http, int result)
{
	switch (result) {
	case 0:
		return 0;
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	case CURLE_COULDNT_RESOLVE_HOST:
		return -EHOSTUNREACH;
	case CURLE_COULDNT_CONNECT:
		return -ECONNREFUSED;
	case CURLE_WRITE_ERROR:
		return http->is_too_large ? -EFBIG : -EIO;
	case CURLE_FILESIZE_EXCEEDED:
		return -EFBIG;
	default:
		return -EIO;
	}
}

static void tell_ends(struct es_http *http)
{
	struct curl_message *message;
	int n_left;

	while ((message = http->lib->multi_info_read(http->multi, &n_left))) {
		struct es_http_answer answer = { .error = 0 };
		int result = message->data.result;

		if (message->what != CURLMSG_DONE)
			continue;
		(void)http->lib->easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &answer.status);
		answer.error = errno_of(http, result);
		if (answer.error == -EFBIG)
			(void)snprintf(answer.text, sizeof(answer.text),
				       "the answer is longer than %llu bytes",
				       (unsigned long long)http->options.max_bytes);
		else if (answer.error)
			(void)snprintf(answer.text, sizeof(answer.text), "%.250s",
				       http->why[0] ? http->why : http->lib->easy_strerror(result));
		es_http_cancel(http);
		http->on_done(http->arg, &answer);
	}
}

void es_http_handle(struct es_http *http)
{
	struct epoll_event events[16];
	int n_running, n = epoll_wait(http->epoll_fd, events, ES_ARRAY_SIZE(events), 0);

	for (int i = 0; i < n; i++) {
		int how = (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0) |
			  (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
			  (events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);

		(void)http->lib->multi_socket_action(http->multi, events[i].data.fd, how,
						     &n_running);
	}
	if (http->next_ns <= es_clock_mono_ns()) {
		http->next_ns = INT64_MAX;
		(void)http->lib->multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0,
						     &n_running);
	}
	tell_ends(http);
}
