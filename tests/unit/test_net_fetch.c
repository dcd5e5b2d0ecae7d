/*
 * test_net_fetch.c - requests that are waited for: methods, heads, bodies, and who is refused
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/curl.h"
#include "net/fetch.h"

struct fixture {
	struct es_http_library *library;
	struct es_fetch *fetch;
	pid_t pid;
	char url[64];
	struct es_error err;
};

/* Says what it was asked, as the body; or always the same. */
static _Noreturn void serve(int listener, const char *answer)
{
	for (;;) {
		char request[4096], head[128];
		int fd = accept(listener, NULL, NULL);
		ssize_t n = fd < 0 ? -1 : read(fd, request, sizeof(request));
		int n_head;

		if (fd < 0)
			_exit(0);
		n = n < 0 ? 0 : n;
		n_head = snprintf(head, sizeof(head),
				  "HTTP/1.1 201 Created\r\nX-Auth-Token:  t0ken \r\n"
				  "Content-Length: %zd\r\n\r\n",
				  n);
		if (answer) {
			if (write(fd, answer, strlen(answer)) < 0)
				_exit(1);
		} else if (write(fd, head, (size_t)n_head) < 0 ||
			   write(fd, request, (size_t)n) < 0) {
			_exit(1);
		}
		(void)close(fd);
	}
}

static void start_server(struct fixture *f, const char *answer)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr = { .s_addr = htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(listener >= 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, n), 0);
	assert_int_equal(listen(listener, 8), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &n), 0);
	(void)snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%d/a", ntohs(address.sin_port));
	f->pid = fork();
	assert_true(f->pid >= 0);
	if (f->pid == 0)
		serve(listener, answer);
	(void)close(listener);
}

static int set_up(void **state)
{
	const struct es_http_options options = { .connect_timeout_ms = 5000,
						 .timeout_ms = 5000,
						 .max_bytes = 2000,
						 .accept = "application/json" };
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(es_http_library_open(NULL, &f->library, NULL), 0);
	assert_int_equal(es_http_library_keep(f->library), 0);
	assert_int_equal(es_fetch_create(f->library, &options, &f->fetch, NULL), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	if (f->pid > 0) {
		(void)kill(f->pid, SIGKILL);
		(void)waitpid(f->pid, NULL, 0);
	}
	es_fetch_destroy(f->fetch);
	es_http_library_close(f->library);
	free(f);
	return 0;
}

static int ask(struct fixture *f, struct es_http_request request)
{
	request.url = f->url;
	return es_fetch(f->fetch, &request, NULL, 0, &f->err);
}

static void a_post_carries_body_headers_and_password(void **state)
{
	static const char *const headers[] = { "Content-Type: application/json", "X-More: 1" };
	struct fixture *f = *state;
	struct es_fetch_header wanted[] = { { .name = "x-auth-token" }, { .name = "location" } };
	const char *body;
	size_t n;

	start_server(f, NULL);
	assert_int_equal(es_fetch(f->fetch,
				  &(struct es_http_request){ .url = f->url,
							     .body = "{\"a\":1}",
							     .headers = headers,
							     .n_headers = 2,
							     .user = "me",
							     .password = "se:cret" },
				  wanted, 2, &f->err),
			 201);
	body = es_fetch_body(f->fetch, &n);
	assert_int_equal(strlen(body), n);
	assert_int_equal(strncmp(body, "POST /a HTTP/1.1\r\n", 18), 0);
	assert_non_null(strstr(body, "\r\nContent-Type: application/json\r\n"));
	assert_non_null(strstr(body, "\r\nX-More: 1\r\n"));
	assert_non_null(strstr(body, "\r\nAccept: application/json\r\n"));
	assert_non_null(strstr(body, "\r\nAuthorization: Basic bWU6c2U6Y3JldA==\r\n"));
	assert_non_null(strstr(body, "\r\n\r\n{\"a\":1}"));
	assert_null(strstr(body, "Expect"));
	assert_string_equal(wanted[0].value, "t0ken");
	assert_string_equal(wanted[1].value, "");
}

static void nothing_of_a_request_stays_for_the_next(void **state)
{
	struct fixture *f = *state;
	const char *body;

	start_server(f, NULL);
	assert_int_equal(
		ask(f, (struct es_http_request){ .body = "x", .user = "me", .password = "p" }),
		201);
	assert_int_equal(ask(f, (struct es_http_request){ .method = "DELETE" }), 201);
	body = es_fetch_body(f->fetch, NULL);
	assert_int_equal(strncmp(body, "DELETE /a HTTP/1.1\r\n", 20), 0);
	assert_null(strstr(body, "Authorization"));
	assert_int_equal(ask(f, (struct es_http_request){ .url = NULL }), 201);
	body = es_fetch_body(f->fetch, NULL);
	assert_int_equal(strncmp(body, "GET /a HTTP/1.1\r\n", 17), 0);
	assert_null(strstr(body, "Content-"));
}

static void a_header_with_a_line_break_is_refused(void **state)
{
	static const char *const headers[] = { "X-Auth-Token: a\r\nX-Evil: 1" };
	struct fixture *f = *state;

	start_server(f, NULL);
	assert_int_equal(ask(f, (struct es_http_request){ .headers = headers, .n_headers = 1 }),
			 -EINVAL);
}

static void a_refusal_whose_page_breaks_off_is_a_refusal(void **state)
{
	struct fixture *f = *state;

	start_server(f, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 999\r\n\r\nhalf a pa");
	assert_int_equal(ask(f, (struct es_http_request){ .url = NULL }), 401);
}

static void an_answer_that_breaks_off_is_none(void **state)
{
	struct fixture *f = *state;

	start_server(f, "HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{\"watts\": 3");
	assert_int_equal(ask(f, (struct es_http_request){ .url = NULL }), -EIO);
	assert_true(f->err.text[0] != '\0');
}

static void a_long_answer_is_broken_off(void **state)
{
	struct fixture *f = *state;
	char answer[4000] = "HTTP/1.0 200 OK\r\n\r\n";

	memset(answer + strlen(answer), 'x', sizeof(answer) - strlen(answer) - 1);
	answer[sizeof(answer) - 1] = '\0';
	start_server(f, answer);
	assert_int_equal(ask(f, (struct es_http_request){ .url = NULL }), -EFBIG);
}

/* Headers are no part of the body, and libcurl keeps them all. */
static void an_endless_head_is_broken_off(void **state)
{
	static const char line[] = "X-More: 0123456789012345678901234567890123456789\r\n";
	const size_t size = 400000;
	struct fixture *f = *state;
	char *answer = malloc(size), *end;

	assert_non_null(answer);
	end = stpcpy(answer, "HTTP/1.0 200 OK\r\n");
	while ((size_t)(end - answer) + sizeof(line) + 8 < size)
		end = stpcpy(end, line);
	(void)stpcpy(end, "\r\n{}");
	start_server(f, answer);
	assert_int_equal(ask(f, (struct es_http_request){ .url = NULL }), -EFBIG);
	assert_non_null(strstr(f->err.text, "head"));
	free(answer);
}

/* What a libcurl was told, in place of one. */
struct told {
	bool has_ca_path;
	const char *ca_path, *ca_file;
	long verifies_peer, verifies_host;
};

static int note_option(CURL *easy, int option, ...)
{
	struct told *told = easy;
	va_list args;

	va_start(args, option);
	if (option == CURLOPT_CAPATH) {
		told->has_ca_path = true;
		told->ca_path = va_arg(args, const char *);
	} else if (option == CURLOPT_CAINFO) {
		told->ca_file = va_arg(args, const char *);
	} else if (option == CURLOPT_SSL_VERIFYPEER) {
		told->verifies_peer = va_arg(args, long);
	} else if (option == CURLOPT_SSL_VERIFYHOST) {
		told->verifies_host = va_arg(args, long);
	}
	va_end(args);
	return 0;
}

static int take_option(CURLM *multi, int option, ...)
{
	(void)multi;
	(void)option;
	return 0;
}

static int begin(long flags)
{
	return flags == CURL_GLOBAL_DEFAULT ? 0 : -1;
}

static CURL *make_easy(void)
{
	return calloc(1, sizeof(struct told));
}

static CURLM *make_multi(void)
{
	return calloc(1, 1);
}

static struct told kept;

static void forget_easy(CURL *easy)
{
	kept = *(struct told *)easy;
	free(easy);
}

static int forget_multi(CURLM *multi)
{
	free(multi);
	return 0;
}

static void forget_list(struct curl_slist *list)
{
	assert_null(list);
}

static struct told trust_of(const struct es_http_options *options)
{
	struct es_http_library library = {
		.global_init = begin,
		.easy_init = make_easy,
		.easy_cleanup = forget_easy,
		.easy_setopt = note_option,
		.multi_init = make_multi,
		.multi_cleanup = forget_multi,
		.multi_setopt = take_option,
		.slist_free_all = forget_list,
	};
	struct es_http *http = NULL;

	kept = (struct told){ .ca_path = "the system's" };
	assert_int_equal(es_http_create(&library, options, &http, NULL), 0);
	es_http_destroy(http);
	return kept;
}

/* libcurl reads a folder of the system's authorities beside the file: any of those could vouch for the server. */
static void who_names_a_file_trusts_nobody_else(void **state)
{
	struct told told = trust_of(&(struct es_http_options){ .timeout_ms = 1 });

	(void)state;
	assert_int_equal(told.verifies_peer, 1);
	assert_int_equal(told.verifies_host, 2);
	assert_false(told.has_ca_path);
	told = trust_of(&(struct es_http_options){ .timeout_ms = 1, .ca_file = "/site.pem" });
	assert_string_equal(told.ca_file, "/site.pem");
	assert_true(told.has_ca_path);
	assert_null(told.ca_path);
	assert_int_equal(told.verifies_peer, 1);
	assert_int_equal(told.verifies_host, 2);
}

static void nobody_there(void **state)
{
	struct fixture *f = *state;

	start_server(f, "");
	(void)kill(f->pid, SIGKILL);
	(void)waitpid(f->pid, NULL, 0);
	f->pid = 0;
	assert_int_equal(ask(f, (struct es_http_request){ .url = NULL }), -ECONNREFUSED);
}

static void tls_where_there_is_none_is_told(void **state)
{
	struct fixture *f = *state;
	char url[80];

	start_server(f, "HTTP/1.1 400 Bad Request\r\n\r\n");
	(void)snprintf(url, sizeof(url), "https%s", f->url + 4);
	(void)snprintf(f->url, sizeof(f->url), "%.60s", url);
	assert_int_equal(ask(f, (struct es_http_request){ .url = NULL }), -EPROTO);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_post_carries_body_headers_and_password),
		TEST(nothing_of_a_request_stays_for_the_next),
		TEST(a_header_with_a_line_break_is_refused),
		TEST(a_refusal_whose_page_breaks_off_is_a_refusal),
		TEST(an_answer_that_breaks_off_is_none),
		TEST(a_long_answer_is_broken_off),
		TEST(an_endless_head_is_broken_off),
		cmocka_unit_test(who_names_a_file_trusts_nobody_else),
		TEST(nobody_there),
		TEST(tls_where_there_is_none_is_told),
	};
	struct es_http_library *library;

	if (es_http_library_open(NULL, &library, NULL) < 0) {
		printf("1..0 # SKIP libcurl is not here\n");
		return 0;
	}
	es_http_library_close(library);
	return cmocka_run_group_tests_name("net/fetch", tests, NULL, NULL);
}
