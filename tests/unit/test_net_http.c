/*
 * test_net_http.c - requests beside other things: answered, refused, too slow, too large
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/http.h"

/* A server that says one thing to everybody, in a process of its own. */
struct server {
	pid_t pid;
	char url[64];
};

struct fixture {
	struct es_http_library *library;
	struct es_http *http;
	struct server server;
	char body[4096];
	size_t n_body;
	unsigned n_done;
	struct es_http_answer answer;
};

static _Noreturn void serve(int listener, const char *answer)
{
	char request[4096];

	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			_exit(0);
		if (read(fd, request, sizeof(request)) > 0 && answer &&
		    write(fd, answer, strlen(answer)) < 0)
			_exit(1);
		if (!answer)
			(void)pause();
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
	(void)snprintf(f->server.url, sizeof(f->server.url), "http://127.0.0.1:%d/metrics",
		       ntohs(address.sin_port));
	f->server.pid = fork();
	assert_true(f->server.pid >= 0);
	if (f->server.pid == 0)
		serve(listener, answer);
	(void)close(listener);
}

static void stop_server(struct fixture *f)
{
	if (f->server.pid > 0) {
		(void)kill(f->server.pid, SIGKILL);
		(void)waitpid(f->server.pid, NULL, 0);
	}
	f->server.pid = 0;
}

static int set_up(void **state)
{
	const struct es_http_options options = { .connect_timeout_ms = 2000,
						 .timeout_ms = 4000,
						 .max_bytes = 2000 };
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(es_http_library_open(NULL, &f->library, NULL), 0);
	assert_int_equal(es_http_create(f->library, &options, &f->http, NULL), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	stop_server(f);
	es_http_destroy(f->http);
	es_http_library_close(f->library);
	free(f);
	return 0;
}

static void on_data(void *arg, const char *data, size_t n)
{
	struct fixture *f = arg;

	assert_true(n <= sizeof(f->body) - f->n_body);
	memcpy(f->body + f->n_body, data, n);
	f->n_body += n;
}

static void on_done(void *arg, const struct es_http_answer *answer)
{
	struct fixture *f = arg;

	f->n_done++;
	f->answer = *answer;
}

static void get(struct fixture *f, const char *url)
{
	f->n_done = 0;
	f->n_body = 0;
	assert_int_equal(es_http_get(f->http, url, on_data, on_done, f), 0);
	while (f->n_done == 0) {
		struct pollfd pollfd = { .fd = es_http_fd(f->http), .events = POLLIN };
		int64_t wait_ns = es_http_next_ns(f->http) - es_clock_mono_ns();
		int wait_ms = wait_ns > ES_NS_PER_S ? 1000 : (int)(wait_ns / ES_NS_PER_MS) + 1;

		(void)poll(&pollfd, 1, wait_ms > 0 ? wait_ms : 0);
		es_http_handle(f->http);
	}
	assert_int_equal(f->n_done, 1);
}

static void an_answer_comes_whole(void **state)
{
	struct fixture *f = *state;

	start_server(f, "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsteps 5\n");
	for (unsigned i = 0; i < 2; i++) {
		get(f, f->server.url);
		assert_int_equal(f->answer.error, 0);
		assert_int_equal(f->answer.status, 200);
		assert_int_equal(f->n_body, 8);
		assert_memory_equal(f->body, "steps 5\n", 8);
	}
}

static void redirects_are_not_followed(void **state)
{
	struct fixture *f = *state;

	start_server(f, "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n"
			"Content-Length: 0\r\n\r\n");
	get(f, f->server.url);
	assert_int_equal(f->answer.error, 0);
	assert_int_equal(f->answer.status, 302);
	assert_int_equal(f->n_body, 0);
}

static void proxies_of_the_environment_are_not_used(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1/", 1), 0);
	start_server(f, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	get(f, f->server.url);
	(void)unsetenv("http_proxy");
	assert_int_equal(f->answer.error, 0);
	assert_int_equal(f->answer.status, 200);
}

static void what_is_too_large_is_broken_off(void **state)
{
	struct fixture *f = *state;
	char answer[8000] = "HTTP/1.0 200 OK\r\n\r\n";

	memset(answer + strlen(answer), 'x', sizeof(answer) - strlen(answer) - 1);
	answer[sizeof(answer) - 1] = '\0';
	start_server(f, answer);
	get(f, f->server.url);
	assert_int_equal(f->answer.error, -EFBIG);
	assert_non_null(strstr(f->answer.text, "2000 bytes"));
	assert_true(f->n_body <= 2000);
}

static void a_server_that_is_not_there_is_told(void **state)
{
	struct fixture *f = *state;

	start_server(f, "");
	stop_server(f);
	get(f, f->server.url);
	assert_int_equal(f->answer.error, -ECONNREFUSED);
	assert_true(f->answer.text[0] != '\0');
}

static void a_server_that_says_nothing_runs_out_of_time(void **state)
{
	const struct es_http_options options = { .connect_timeout_ms = 100,
						 .timeout_ms = 100,
						 .max_bytes = 2000 };
	struct fixture *f = *state;

	es_http_destroy(f->http);
	f->http = NULL;
	assert_int_equal(es_http_create(f->library, &options, &f->http, NULL), 0);
	start_server(f, NULL);
	get(f, f->server.url);
	assert_int_equal(f->answer.error, -ETIMEDOUT);
}

static void one_request_at_a_time_and_it_can_be_forgotten(void **state)
{
	struct fixture *f = *state;

	start_server(f, NULL);
	assert_int_equal(es_http_get(f->http, f->server.url, on_data, on_done, f), 0);
	assert_int_equal(es_http_get(f->http, f->server.url, on_data, on_done, f), -EBUSY);
	es_http_cancel(f->http);
	stop_server(f);
	start_server(f, "HTTP/1.1 204 No Content\r\n\r\n");
	get(f, f->server.url);
	assert_int_equal(f->answer.status, 204);
}

static void urls_are_checked(void **state)
{
	static const char *const bad[] = { "",
					   "x",
					   "file:///etc/passwd",
					   "http://",
					   "http:///x",
					   "https://:80/",
					   "http://a b/",
					   "http://a/\n",
					   "HTTP//a",
					   "gopher://a/" };
	struct es_error err = { .code = 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(es_http_check_url(bad[i], &err), -EINVAL);
	assert_int_equal(es_http_check_url("http://localhost:9090/metrics", &err), 0);
	assert_int_equal(es_http_check_url("https://[::1]/metrics", &err), 0);
}

static void a_missing_library_is_named_with_its_package(void **state)
{
	struct es_http_library *library;
	struct es_error err = { .code = 0 };

	(void)state;
	assert_int_equal(es_http_library_open("libnowhere.so.7", &library, &err), -ENOENT);
	assert_non_null(strstr(err.text, "libnowhere.so.7"));
	assert_non_null(strstr(err.text, "libcurl3-gnutls"));
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(an_answer_comes_whole),
		TEST(redirects_are_not_followed),
		TEST(proxies_of_the_environment_are_not_used),
		TEST(what_is_too_large_is_broken_off),
		TEST(a_server_that_is_not_there_is_told),
		TEST(a_server_that_says_nothing_runs_out_of_time),
		TEST(one_request_at_a_time_and_it_can_be_forgotten),
		cmocka_unit_test(urls_are_checked),
		cmocka_unit_test(a_missing_library_is_named_with_its_package),
	};
	struct es_http_library *library;

	if (es_http_library_open(NULL, &library, NULL) < 0) {
		printf("1..0 # SKIP libcurl is not here\n");
		return 0;
	}
	es_http_library_close(library);
	return cmocka_run_group_tests_name("net/http", tests, NULL, NULL);
}
