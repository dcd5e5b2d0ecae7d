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
#include "net/curl.h"

#define HEAD_MAX_BYTES 65536U /* libcurl keeps all of it, however long */

struct es_http {
	const struct es_http_library *lib; /* borrowed */
	struct es_http_options options;
	CURLM *multi;
	CURL *easy;
	char accept[160]; /* the header of that name */
	struct curl_slist *headers; /* of the request under way */
	int epoll_fd;
	int64_t next_ns;
	bool is_busy, is_too_large;
	uint64_t n_bytes, n_head_bytes;
	es_http_data_fn on_data;
	es_http_done_fn on_done;
	es_http_header_fn on_header;
	void *arg;
	char why[CURL_ERROR_BYTES];
};

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

static size_t on_head(char *line, size_t size, size_t n, void *arg)
{
	struct es_http *http = arg;
	const char *end = line + size * n, *colon = memchr(line, ':', size * n), *value;

	http->n_head_bytes += size * n;
	if (http->n_head_bytes > HEAD_MAX_BYTES) {
		http->is_too_large = true;
		return 0;
	}
	if (!http->on_header || !colon)
		return size * n;
	value = colon + 1;
	while (value < end && (*value == ' ' || *value == '\t'))
		value++;
	while (end > value && (unsigned char)end[-1] <= ' ')
		end--;
	http->on_header(http->arg, line, (size_t)(colon - line), value, (size_t)(end - value));
	return size * n;
}

/* Whom to believe to be the server. */
static int set_trust(const struct es_http *http)
{
	const struct es_http_options *o = &http->options;
	const struct es_http_library *l = http->lib;
	bool is_checked = !o->is_unverified && !o->pin;
	int e = 0;

	e |= l->easy_setopt(http->easy, CURLOPT_SSL_VERIFYPEER, is_checked ? 1L : 0L);
	e |= l->easy_setopt(http->easy, CURLOPT_SSL_VERIFYHOST, is_checked ? 2L : 0L);
	if (o->ca_file) {
		e |= l->easy_setopt(http->easy, CURLOPT_CAINFO, o->ca_file);
		/* Debian's has a folder built in that is trusted beside the file; other kinds of TLS know of none. */
		(void)l->easy_setopt(http->easy, CURLOPT_CAPATH, (const char *)NULL);
	}
	if (o->pin)
		e |= l->easy_setopt(http->easy, CURLOPT_PINNEDPUBLICKEY, o->pin);
	return e;
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
	e |= l->easy_setopt(easy, CURLOPT_PROXY, "");
	e |= l->easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
	e |= l->easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
			    (long)http->options.connect_timeout_ms);
	e |= l->easy_setopt(easy, CURLOPT_USERAGENT, "energyscopium/" ES_VERSION);
	e |= l->easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
	e |= l->easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head);
	e |= l->easy_setopt(easy, CURLOPT_HEADERDATA, http);
	e |= set_trust(http);
	e |= l->easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
	e |= l->easy_setopt(easy, CURLOPT_WRITEDATA, http);
	e |= l->easy_setopt(easy, CURLOPT_ERRORBUFFER, http->why);
	e |= l->multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	e |= l->multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	e |= l->multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	e |= l->multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
	return e ? -ENOSYS : 0;
}

static void forget_headers(struct es_http *http)
{
	http->lib->slist_free_all(http->headers);
	http->headers = NULL;
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
	}
	(void)snprintf(http->accept, sizeof(http->accept), "Accept: %.140s",
		       options->accept
			       ? options->accept
			       : "application/openmetrics-text;q=0.9,text/plain;q=0.8,*/*;q=0.1");
	if (http->multi && http->easy)
		r = set_options(http);
	http->options.accept = http->options.ca_file = http->options.pin = NULL;
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
	forget_headers(http);
	es_closep(&http->epoll_fd);
	free(http);
}

static bool add_header(struct es_http *http, const char *line)
{
	struct curl_slist *longer = NULL;

	/* A line break within it would begin another header. */
	if (!strpbrk(line, "\r\n"))
		longer = http->lib->slist_append(http->headers, line);
	if (longer)
		http->headers = longer;
	return longer;
}

static int set_headers(struct es_http *http, const struct es_http_request *request)
{
	forget_headers(http);
	if (!add_header(http, http->accept))
		return -ENOMEM;
	for (size_t i = 0; i < request->n_headers; i++)
		if (!add_header(http, request->headers[i]))
			return strpbrk(request->headers[i], "\r\n") ? -EINVAL : -ENOMEM;
	/* No question before a short body whether it is welcome: some servers never answer it. */
	if (request->body && !add_header(http, "Expect:"))
		return -ENOMEM;
	return 0;
}

static int set_request(struct es_http *http, const struct es_http_request *request)
{
	const struct es_http_library *l = http->lib;
	CURL *easy = http->easy;
	int e = 0;

	/* Going back to GET forgets the body of the last request. */
	e |= l->easy_setopt(easy, CURLOPT_HTTPGET, 1L);
	if (request->body) {
		e |= l->easy_setopt(easy, CURLOPT_POST, 1L);
		e |= l->easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)strlen(request->body));
		e |= l->easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
	}
	e |= l->easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
	e |= l->easy_setopt(easy, CURLOPT_USERNAME, request->user);
	e |= l->easy_setopt(easy, CURLOPT_PASSWORD, request->password);
	e |= l->easy_setopt(easy, CURLOPT_HTTPHEADER, http->headers);
	e |= l->easy_setopt(easy, CURLOPT_URL, request->url);
	e |= l->easy_setopt(easy, CURLOPT_TIMEOUT_MS,
			    (long)(request->timeout_ms ? request->timeout_ms
						       : http->options.timeout_ms));
	return e ? -EIO : 0;
}

int es_http_begin(struct es_http *http, const struct es_http_request *request,
		  es_http_data_fn on_data, es_http_done_fn on_done, void *arg)
{
	int r;

	if (http->is_busy)
		return -EBUSY;
	http->on_data = on_data;
	http->on_done = on_done;
	http->on_header = request->on_header;
	http->arg = arg;
	http->n_bytes = http->n_head_bytes = 0;
	http->is_too_large = false;
	http->why[0] = '\0';
	r = set_headers(http, request);
	if (r == 0)
		r = set_request(http, request);
	if (r < 0)
		return r;
	if (http->lib->multi_add_handle(http->multi, http->easy) != 0)
		return -EIO;
	http->is_busy = true;
	return 0;
}

int es_http_get(struct es_http *http, const char *url, es_http_data_fn on_data,
		es_http_done_fn on_done, void *arg)
{
	const struct es_http_request request = { .url = url };

	return es_http_begin(http, &request, on_data, on_done, arg);
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
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_OLD_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
		return -EKEYREJECTED;
	case CURLE_SSL_CACERT_BADFILE:
		return -ENOKEY;
	case CURLE_SSL_CONNECT_ERROR:
		return -EPROTO;
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		return -ECONNRESET;
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
				       "the %s is longer than %llu bytes",
				       http->n_head_bytes > HEAD_MAX_BYTES ? "answer's head"
									   : "answer",
				       http->n_head_bytes > HEAD_MAX_BYTES
					       ? (unsigned long long)HEAD_MAX_BYTES
					       : (unsigned long long)http->options.max_bytes);
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
