/*
 * test_net_httpd.c - the HTTP server: routes and bodies, who is refused, who is cut off, and its end
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "net/fetch.h"
#include "net/httpd.h"

#define SHORT_MS 300 /* a time-out that tests wait for */

struct fixture {
	struct es_httpd_library *library;
	struct es_httpd *httpd;
	atomic_int n_waiting;
	int waited; /* what es_httpd_wait() said */
	char answer[65536];
};

static void say_hello(void *arg, const struct es_httpd_request *request,
		      struct es_httpd_answer *answer)
{
	const char *word = es_httpd_param(request, "word"),
		   *own = es_httpd_header(request, "X-Own");

	(void)arg;
	answer->type = "text/plain";
	(void)es_buf_printf(&answer->body, "%s %s from %s, word %s, own %s", request->method,
			    request->path, request->client, word ? word : "none",
			    own ? own : "none");
	es_httpd_add_header(answer, "X-Mark", "%d", 42);
}

static void say_back(void *arg, const struct es_httpd_request *request,
		     struct es_httpd_answer *answer)
{
	(void)arg;
	assert_int_equal(strlen(request->body), request->n_body);
	answer->status = 201;
	(void)es_buf_append(&answer->body, request->body, request->n_body);
}

static void split_head(void *arg, const struct es_httpd_request *request,
		       struct es_httpd_answer *answer)
{
	(void)arg;
	es_httpd_add_header(answer, "X-Word", "%s", request->body);
	(void)es_buf_str(&answer->body, "never seen");
}

static void say_much(void *arg, const struct es_httpd_request *request,
		     struct es_httpd_answer *answer)
{
	char line[1024];

	(void)arg;
	(void)request;
	memset(line, 'x', sizeof(line));
	for (int i = 0; i < 64; i++)
		(void)es_buf_append(&answer->body, line, sizeof(line));
}

static void take_long(void *arg, const struct es_httpd_request *request,
		      struct es_httpd_answer *answer)
{
	struct fixture *f = arg;

	atomic_fetch_add(&f->n_waiting, 1);
	f->waited = es_httpd_wait(request, 600 * ES_NS_PER_S);
	(void)es_buf_str(&answer->body, "at last");
}

static const struct es_httpd_route routes[] = {
	{ "GET", "/hello", say_hello },	 { "POST", "/back", say_back },
	{ "PUT", "/back", say_back },	 { "POST", "/head", split_head },
	{ "GET", "/much", say_much },	 { "GET", "/long", take_long },
	{ NULL, "/below/*", say_hello },
};

static void start(struct fixture *f, const struct es_httpd_options *more)
{
	struct es_httpd_options options = *more;
	struct es_error err = { .code = 0 };

	options.routes = routes;
	options.n_routes = ES_ARRAY_SIZE(routes);
	options.arg = f;
	if (es_httpd_start(f->library, &options, &f->httpd, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_not_equal(es_httpd_port(f->httpd), 0);
}

static int dial(const struct fixture *f)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
					     .sin_port = htons(es_httpd_port(f->httpd)),
					     .sin_addr = { .s_addr = htonl(INADDR_LOOPBACK) } };
	const struct timeval patience = { .tv_sec = 60 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void put(int fd, const char *text, size_t n)
{
	/* A server that has had enough may be gone. */
	while (n > 0) {
		ssize_t r = send(fd, text, n, MSG_NOSIGNAL);

		if (r < 0)
			return;
		text += r;
		n -= (size_t)r;
	}
}

/* All there is until it hangs up; fails where it does not. */
static const char *rest_of(struct fixture *f, int fd)
{
	size_t n = 0;
	ssize_t r;

	while ((r = recv(fd, f->answer + n, sizeof(f->answer) - 1 - n, 0)) > 0)
		n += (size_t)r;
	if (r < 0 && errno != ECONNRESET)
		fail_msg("still there: %s", strerror(errno));
	f->answer[n] = '\0';
	return f->answer;
}

static const char *asked(struct fixture *f, const char *text, size_t n)
{
	int fd = dial(f);
	const char *answer;

	put(fd, text, n);
	answer = rest_of(f, fd);
	(void)close(fd);
	return answer;
}

/* @head without its end; the connection is to be closed. */
static const char *ask(struct fixture *f, const char *head, const char *body)
{
	char text[8192];
	int n = snprintf(text, sizeof(text),
			 "%s\r\nHost: a\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
			 head, strlen(body), body);

	assert_true(n > 0 && (size_t)n < sizeof(text));
	return asked(f, text, (size_t)n);
}

static void assert_has(const char *answer, const char *words)
{
	if (!strstr(answer, words))
		fail_msg("no '%s' in: %.300s", words, answer);
}

static void restart(struct fixture *f, const struct es_httpd_options *options)
{
	es_httpd_stop(f->httpd, 0);
	f->httpd = NULL;
	start(f, options);
}

static void requests_reach_their_route(void **state)
{
	struct fixture *f = *state;
	const char *answer = ask(f, "GET /hello?word=a%20b%26c&x HTTP/1.1\r\nX-Own: mine", "");

	assert_has(answer, "HTTP/1.1 200 OK\r\n");
	assert_has(answer, "GET /hello from 127.0.0.1, word a b&c, own mine");
	assert_has(answer, "X-Mark: 42\r\n");
	assert_has(answer, "X-Content-Type-Options: nosniff\r\n");
	assert_has(ask(f, "GET /hel%6Co HTTP/1.1", ""), "GET /hello from");
	assert_has(ask(f, "PATCH /below/a/b HTTP/1.1", ""), "PATCH /below/a/b from");
	answer = ask(f, "HEAD /hello HTTP/1.1", "");
	assert_has(answer, "200 OK");
	assert_null(strstr(answer, "from"));
}

static void bodies_arrive_whole(void **state)
{
	struct fixture *f = *state;
	static const char chunks[] =
		"POST /back HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
		"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";

	assert_has(ask(f, "POST /back HTTP/1.1", "{\"a\": 1}"), "\r\n\r\n{\"a\": 1}");
	assert_has(ask(f, "PUT /back HTTP/1.1", ""), "201 Created");
	assert_has(asked(f, chunks, sizeof(chunks) - 1), "\r\n\r\nabcde");
}

static void connections_are_kept(void **state)
{
	struct fixture *f = *state;
	static const char two[] =
		"GET /hello?word=one HTTP/1.1\r\nHost: a\r\n\r\n"
		"GET /hello?word=two HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
	const char *answer = asked(f, two, sizeof(two) - 1);

	assert_has(answer, "word one");
	assert_has(answer, "word two");
}

static void what_is_not_there_is_said(void **state)
{
	struct fixture *f = *state;

	assert_has(ask(f, "GET /nothing HTTP/1.1", ""), " 404 ");
	assert_has(ask(f, "GET /hello/ HTTP/1.1", ""), " 404 ");
	assert_has(ask(f, "GET /below HTTP/1.1", ""), " 404 ");
	assert_has(ask(f, "DELETE /hello HTTP/1.1", ""), " 405 ");
	assert_has(ask(f, "GET /back HTTP/1.1", ""), "Allow: POST, PUT\r\n");
}

static void hostile_requests_are_refused(void **state)
{
	static const struct {
		const char *text, *status;
	} rows[] = {
		{ "GET /hello%00 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", " 404 " },
		{ "GET /below%2Fhello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", " 404 " },
		{ "GET /below/../hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", " 400 " },
		{ "GET /below/%2e%2e/hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
		  " 400 " },
		{ "GET hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", " 400 " },
		{ "GET /hello HTTP/1.1\r\nConnection: close\r\n\r\n", " 400 " },
		{ "POST /back HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
		  "Content-Length: -1\r\n\r\n",
		  " 400 " },
		{ "POST /back HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
		  "Content-Length: 99999999999999999999999\r\n\r\n",
		  " 413 " },
		{ "POST /back HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
		  "Content-Length: 1000000\r\n\r\n",
		  " 413 " },
		{ "POST /back HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
		  "Expect: 100-continue\r\nContent-Length: 1000000\r\n\r\n",
		  " 413 " },
		{ "POST /back HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
		  "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
		  "" },
		{ "\r\n\r\n\r\n", "" },
		{ "GARBAGE\x01\x02\xff\r\n\r\n", "" },
		{ "GET /hello SMTP/9.9\r\n\r\n", "" },
	};
	struct fixture *f = *state;

	restart(f, &(struct es_httpd_options){ .timeout_ms = SHORT_MS });
	for (size_t i = 0; i < ES_ARRAY_SIZE(rows); i++) {
		const char *answer = asked(f, rows[i].text, strlen(rows[i].text));

		assert_has(answer, rows[i].status);
		assert_null(strstr(answer, "from 127"));
		assert_null(strstr(answer, " 201 "));
	}
	assert_has(ask(f, "POST /head HTTP/1.1", "a\r\nSet-Cookie: b"), " 500 ");
	assert_null(strstr(f->answer, "Set-Cookie"));
	assert_has(ask(f, "GET /hello HTTP/1.1", ""), "200 OK");
}

static void too_much_is_refused(void **state)
{
	struct fixture *f = *state;
	size_t n = 100000;
	es_cleanup(es_freep) char *text = calloc(1, n + 64);
	int n_head;

	assert_non_null(text);
	n_head = snprintf(text, 64, "GET /hello?word=");
	memset(text + n_head, 'a', n);
	memcpy(text + n, " HTTP/1.1\r\nHost: a\r\n\r\n", 22);
	assert_null(strstr(asked(f, text, n + 22), "200 OK"));
	n_head = snprintf(text, 128,
			  "POST /back HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
			  "Transfer-Encoding: chunked\r\n\r\n%x\r\n",
			  50000);
	memset(text + n_head, 'b', 50000);
	memcpy(text + n_head + 50000, "\r\n0\r\n\r\n", 7);
	assert_has(asked(f, text, (size_t)n_head + 50007), " 413 ");
	assert_has(ask(f, "GET /much HTTP/1.1", ""), " 500 ");
}

static void who_dawdles_is_cut_off(void **state)
{
	struct fixture *f = *state;
	static const char head[] = "POST /back HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc";
	int fds[3];

	restart(f, &(struct es_httpd_options){ .timeout_ms = SHORT_MS });
	for (size_t i = 0; i < ES_ARRAY_SIZE(fds); i++)
		fds[i] = dial(f);
	put(fds[1], "GET /hello HTTP/1.1\r\nHos", 24);
	put(fds[2], head, sizeof(head) - 1);
	for (size_t i = 0; i < ES_ARRAY_SIZE(fds); i++) {
		assert_null(strstr(rest_of(f, fds[i]), " 20"));
		(void)close(fds[i]);
	}
	/* One byte after the other, each in time: the whole is not. */
	fds[0] = dial(f);
	for (int i = 0; i < 200; i++) {
		char c;

		put(fds[0], i == 0 ? "G" : "E", 1);
		if (recv(fds[0], &c, 1, MSG_DONTWAIT) == 0)
			break;
		(void)usleep(20000);
		assert_int_not_equal(i, 199);
	}
	(void)close(fds[0]);
	assert_has(ask(f, "GET /hello HTTP/1.1", ""), "200 OK");
}

static void idle_connections_keep_nobody_out(void **state)
{
	struct fixture *f = *state;
	int fds[12];

	restart(f, &(struct es_httpd_options){
			   .n_threads = 2, .n_connections = 8, .timeout_ms = SHORT_MS });
	for (size_t i = 0; i < ES_ARRAY_SIZE(fds); i++)
		fds[i] = dial(f);
	assert_has(ask(f, "GET /hello HTTP/1.1", ""), "200 OK");
	for (size_t i = 0; i < ES_ARRAY_SIZE(fds); i++)
		(void)close(fds[i]);
}

static void a_slow_answer_holds_up_no_other(void **state)
{
	struct fixture *f = *state;
	int fd = dial(f), n = 0;

	put(fd, "GET /long HTTP/1.1\r\nHost: a\r\n\r\n", 31);
	while (atomic_load(&f->n_waiting) == 0)
		(void)usleep(1000);
	/* Which thread takes a connection is not ours to say: that of the slow one may. */
	for (int i = 0; i < 8; i++) {
		int other = dial(f);
		const struct timeval patience = { .tv_usec = 500000 };
		char c;

		assert_int_equal(
			setsockopt(other, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
		put(other, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", 32);
		n += recv(other, &c, 1, 0) == 1;
		(void)close(other);
	}
	assert_true(n > 0);
	es_httpd_stop(f->httpd, 10000);
	f->httpd = NULL;
	assert_has(rest_of(f, fd), "at last");
	assert_int_equal(f->waited, -ECANCELED);
	(void)close(fd);
}

static void start_says_what_is_wrong(void **state)
{
	struct fixture *f = *state;
	static const struct {
		struct es_httpd_options options;
		int code;
	} rows[] = {
		{ { .address = "localhost" }, -EINVAL },
		{ { .address = "192.0.2.1" }, -EADDRNOTAVAIL },
		{ { .cert_file = "/dev/null" }, -EINVAL },
		{ { .cert_file = "/dev/null", .key_file = "/dev/null" }, -ENOKEY },
		{ { .cert_file = "/nonexistent/a", .key_file = "/nonexistent/b" }, -ENOKEY },
	};
	struct es_httpd_options taken = { .port = es_httpd_port(f->httpd) };
	struct es_httpd *other = NULL;
	struct es_error err = { .code = 0 };

	for (size_t i = 0; i < ES_ARRAY_SIZE(rows); i++)
		assert_int_equal(es_httpd_start(f->library, &rows[i].options, &other, &err),
				 rows[i].code);
	assert_int_equal(es_httpd_start(f->library, &taken, &other, &err), -EADDRINUSE);
	assert_null(other);
}

static void a_wrong_key_is_refused(void **state)
{
	struct fixture *f = *state;
	char path[] = "/tmp/es-httpd-XXXXXX";
	static const char pem[] = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
	int fd = mkstemp(path);
	struct es_httpd_options options = { .cert_file = path, .key_file = path };
	struct es_httpd *other = NULL;
	struct es_error err = { .code = 0 };

	assert_true(fd >= 0);
	assert_int_equal(write(fd, pem, sizeof(pem) - 1), sizeof(pem) - 1);
	(void)close(fd);
	assert_int_equal(es_httpd_start(f->library, &options, &other, &err), -ENOKEY);
	(void)unlink(path);
	assert_null(other);
}

static void tls_is_spoken(void **state)
{
	struct fixture *f = *state;
	char dir[] = "/tmp/es-httpd-XXXXXX", cert[64], key[64], command[512], url[64];
	const struct es_http_options options = { .connect_timeout_ms = 20000,
						 .timeout_ms = 20000,
						 .max_bytes = 100000,
						 .ca_file = cert };
	const struct es_http_request request = { .url = url };
	struct es_http_library *library = NULL;
	struct es_fetch *fetch = NULL;
	struct es_error err = { .code = 0 };
	int fd;

	if (es_http_library_open(NULL, &library, NULL) < 0) {
		(void)printf("# no libcurl: TLS is not tried\n");
		return;
	}
	assert_non_null(mkdtemp(dir));
	(void)snprintf(cert, sizeof(cert), "%s/cert.pem", dir);
	(void)snprintf(key, sizeof(key), "%s/key.pem", dir);
	(void)snprintf(command, sizeof(command),
		       "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 "
		       "-addext subjectAltName=IP:127.0.0.1 -keyout %s -out %s 2>/dev/null",
		       key, cert);
	/* Of nobody's making but ours. */
	if (system(command) == 0) { // NOLINT(cert-env33-c)
		restart(f, &(struct es_httpd_options){ .cert_file = cert, .key_file = key });
		(void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/hello?word=tls",
			       es_httpd_port(f->httpd));
		assert_int_equal(es_fetch_create(library, &options, &fetch, NULL), 0);
		if (es_fetch(fetch, &request, NULL, 0, &err) != 200)
			fail_msg("%s", err.text);
		assert_has(es_fetch_body(fetch, NULL), "word tls");
		/* Plain text to it is no request. */
		fd = dial(f);
		put(fd, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n", 32);
		assert_null(strstr(rest_of(f, fd), "200 OK"));
		(void)close(fd);
		es_fetch_destroy(fetch);
	} else {
		(void)printf("# no openssl: TLS is not tried\n");
	}
	(void)unlink(cert);
	(void)unlink(key);
	(void)rmdir(dir);
	es_http_library_close(library);
}

static void a_missing_library_is_named_with_its_package(void **state)
{
	struct es_httpd_library *library = NULL;
	struct es_error err = { .code = 0 };

	(void)state;
	assert_int_equal(es_httpd_library_open("libno-such-httpd.so.9", &library, &err), -ENOENT);
	assert_non_null(strstr(err.text, "libmicrohttpd12"));
	assert_null(library);
}

static void basic_authentication_is_read(void **state)
{
	static const struct {
		const char *header, *user, *password;
		int code;
	} rows[] = {
		{ "Basic bW9uaXRvcjpzZWNyZXQ=", "monitor", "secret", 0 },
		{ "basic  YTpiOmM=", "a", "b:c", 0 },
		{ "Basic YTo=", "a", "", 0 },
		{ "Basic YWI=", NULL, NULL, -EBADMSG }, /* no colon */
		{ "Basic YQA6Yg==", NULL, NULL, -EBADMSG }, /* a NUL in it */
		{ "Basic YTp=i", NULL, NULL, -EBADMSG },
		{ "Basic Y\x80p", NULL, NULL, -EBADMSG },
		{ "Bearer abc", NULL, NULL, -ENOENT },
		{ NULL, NULL, NULL, -ENOENT },
	};
	char longest[2048] = "Basic ";

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(rows); i++) {
		struct es_httpd_login login;

		assert_int_equal(es_httpd_basic(rows[i].header, &login), rows[i].code);
		if (rows[i].code == 0) {
			assert_string_equal(login.user, rows[i].user);
			assert_string_equal(login.password, rows[i].password);
		}
	}
	memset(longest + 6, 'Y', sizeof(longest) - 7);
	assert_int_equal(es_httpd_basic(longest, &(struct es_httpd_login){ .user = "" }), -EBADMSG);
	assert_true(es_httpd_is_same("secret", "secret"));
	assert_false(es_httpd_is_same("secret", "secretsecret"));
	assert_false(es_httpd_is_same("secret", ""));
	assert_false(es_httpd_is_same("", "a"));
	assert_true(es_httpd_is_same("", ""));
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || es_httpd_library_open(NULL, &f->library, NULL) < 0) {
		free(f);
		return -1;
	}
	start(f, &(struct es_httpd_options){ .body_max_bytes = 32768, .answer_max_bytes = 32768 });
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	es_httpd_stop(f->httpd, 0);
	es_httpd_library_close(f->library);
	free(f);
	return 0;
}

int main(void)
{
#define SERVED(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		SERVED(requests_reach_their_route),
		SERVED(bodies_arrive_whole),
		SERVED(connections_are_kept),
		SERVED(what_is_not_there_is_said),
		SERVED(hostile_requests_are_refused),
		SERVED(too_much_is_refused),
		SERVED(who_dawdles_is_cut_off),
		SERVED(idle_connections_keep_nobody_out),
		SERVED(a_slow_answer_holds_up_no_other),
		SERVED(start_says_what_is_wrong),
		SERVED(a_wrong_key_is_refused),
		SERVED(tls_is_spoken),
		cmocka_unit_test(a_missing_library_is_named_with_its_package),
		cmocka_unit_test(basic_authentication_is_read),
	};
	struct es_httpd_library *library = NULL;

	if (es_httpd_library_open(NULL, &library, NULL) < 0) {
		(void)printf("1..0 # SKIP no libmicrohttpd\n");
		return 0;
	}
	es_httpd_library_close(library);
	return cmocka_run_group_tests_name("net/httpd", tests, NULL, NULL);
}
