/*
 * net/httpd_request.c - an HTTP/1.1 server: a request comes in, a route answers it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "net/httpd_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"

#define SLOWEST_BYTES_PER_S 16384 /* who takes an answer more slowly is cut off */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t es_httpd_unescape(void *arg, struct MHD_Connection *connection, char *text)
{
	char *to = text;

	(void)arg;
	(void)connection;
	for (const char *p = text; *p; p++) {
		int high = *p == '%' ? hex_digit(p[1]) : -1;
		int low = high >= 0 ? hex_digit(p[2]) : -1;
		int c = high * 16 + low;

		/* A NUL would hide what follows it, and a slash is not the one of a path. */
		if (low < 0 || c < 0x20 || c == 0x7F || c == '/') {
			*to++ = *p;
			continue;
		}
		*to++ = (char)c;
		p += 2;
	}
	*to = '\0';
	return (size_t)(to - text);
}

const char *es_httpd_header(const struct es_httpd_request *request, const char *name)
{
	const struct es_httpd_exchange *exchange = request->exchange;

	return exchange->httpd->lib->lookup_connection_value(exchange->connection, MHD_HEADER_KIND,
							     name);
}

const char *es_httpd_param(const struct es_httpd_request *request, const char *name)
{
	const struct es_httpd_exchange *exchange = request->exchange;

	return exchange->httpd->lib->lookup_connection_value(exchange->connection,
							     MHD_GET_ARGUMENT_KIND, name);
}

static int base64_digit(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *p = c ? strchr(digits, c) : NULL;

	return p ? (int)(p - digits) : -1;
}

/* The text of base64 @header, of @size bytes with its NUL. */
static int decode(const char *header, char *ret, size_t size)
{
	size_t n = 0;
	unsigned bits = 0, n_bits = 0;

	for (; *header && *header != '='; header++) {
		int digit = base64_digit(*header);

		if (digit < 0)
			return -EBADMSG;
		bits = (bits << 6 | (unsigned)digit) & 0xFFFFFF;
		n_bits += 6;
		if (n_bits < 8)
			continue;
		n_bits -= 8;
		ret[n] = (char)(bits >> n_bits);
		if (!ret[n] || ++n == size)
			return -EBADMSG;
	}
	ret[n] = '\0';
	return strspn(header, "=") == strlen(header) ? 0 : -EBADMSG;
}

int es_httpd_basic(const char *header, struct es_httpd_login *ret)
{
	char text[2 * ES_HTTPD_WORD_BYTES];
	char *password;
	int r;

	if (!header || strncasecmp(header, "Basic ", 6) != 0)
		return -ENOENT;
	r = decode(header + 6 + strspn(header + 6, " "), text, sizeof(text));
	password = r == 0 ? strchr(text, ':') : NULL;
	if (password)
		*password++ = '\0';
	if (password && strlen(text) < ES_HTTPD_WORD_BYTES &&
	    strlen(password) < ES_HTTPD_WORD_BYTES) {
		memset(ret, 0, sizeof(*ret));
		memcpy(ret->user, text, strlen(text));
		memcpy(ret->password, password, strlen(password));
	} else {
		r = -EBADMSG;
	}
	/* It may hold a password also where something else is wrong with it. */
	explicit_bzero(text, sizeof(text));
	return r;
}

bool es_httpd_is_same(const char *secret, const char *given)
{
	size_t n = strlen(secret), n_given = strlen(given);
	unsigned differs = n != n_given;

	for (size_t i = 0; i < n_given; i++)
		differs |= (unsigned)(unsigned char)given[i] ^ (unsigned char)secret[n ? i % n : 0];
	return differs == 0;
}

void es_httpd_add_header(struct es_httpd_answer *answer, const char *name, const char *fmt, ...)
{
	size_t i = answer->n_headers;
	va_list args;
	int n;

	if (i == ES_HTTPD_HEADERS_MAX || strlen(name) >= sizeof(answer->headers[0].name)) {
		answer->error = -E2BIG;
		return;
	}
	va_start(args, fmt);
	n = vsnprintf(answer->headers[i].value, sizeof(answer->headers[0].value), fmt, args);
	va_end(args);
	(void)snprintf(answer->headers[i].name, sizeof(answer->headers[0].name), "%s", name);
	if (n < 0 || (size_t)n >= sizeof(answer->headers[0].value) ||
	    strpbrk(answer->headers[i].value, "\r\n"))
		answer->error = -EINVAL;
	else
		answer->n_headers++;
}

void es_httpd_say(struct es_httpd_answer *answer, unsigned status, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	answer->status = status;
	answer->type = "text/plain; charset=utf-8";
	es_buf_reset(&answer->body);
	(void)es_buf_printf(&answer->body, "%s\n", text);
}

static bool is_method(const struct es_httpd_route *route, const char *method)
{
	return !route->method || strcmp(route->method, method) == 0 ||
	       (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);
}

static bool is_path(const struct es_httpd_route *route, const char *path)
{
	size_t n = strlen(route->path);

	if (n > 0 && route->path[n - 1] == '*')
		return strncmp(route->path, path, n - 1) == 0;
	return strcmp(route->path, path) == 0;
}

/* "/a/../b" and "/./a": nobody who means well asks so. */
static bool has_dots(const char *path)
{
	for (const char *p = strchr(path, '/'); p; p = strchr(p + 1, '/')) {
		size_t n = strcspn(p + 1, "/");

		if ((n == 1 && p[1] == '.') || (n == 2 && p[1] == '.' && p[2] == '.'))
			return true;
	}
	return false;
}

static void call_route(const struct es_httpd *httpd, const struct es_httpd_request *request,
		       struct es_httpd_answer *answer)
{
	char allowed[128] = "";
	size_t n = 0;

	if (request->path[0] != '/' || has_dots(request->path)) {
		es_httpd_say(answer, 400, "a path like this is not answered");
		return;
	}
	for (size_t i = 0; i < httpd->options.n_routes; i++) {
		const struct es_httpd_route *route = &httpd->options.routes[i];

		if (!is_path(route, request->path))
			continue;
		if (is_method(route, request->method)) {
			route->answer(httpd->options.arg, request, answer);
			return;
		}
		n += (size_t)snprintf(allowed + n, sizeof(allowed) - n, "%s%.16s", n ? ", " : "",
				      route->method);
		if (n >= sizeof(allowed))
			n = sizeof(allowed) - 1;
	}
	if (n == 0) {
		es_httpd_say(answer, 404, "there is nothing of this name");
		return;
	}
	es_httpd_say(answer, 405, "only by %s", allowed);
	es_httpd_add_header(answer, "Allow", "%s", allowed);
}

/* The bytes go to libmicrohttpd, which frees them. */
static int send_answer(struct es_httpd_exchange *exchange, struct es_httpd_answer *answer)
{
	struct es_httpd *httpd = exchange->httpd;
	const struct es_httpd_library *lib = httpd->lib;
	struct MHD_Response *response;
	size_t n_body;
	int r = MHD_YES;

	if (answer->error || answer->body.error || answer->status < 200 || answer->status > 599) {
		answer->n_headers = 0;
		es_httpd_say(answer, 500, "no answer could be made");
	}
	n_body = answer->body.error ? 0 : answer->body.len;
	response = lib->create_response_from_buffer(n_body, n_body ? answer->body.data : NULL,
						    n_body ? MHD_RESPMEM_MUST_FREE
							   : MHD_RESPMEM_PERSISTENT);
	if (!response)
		return MHD_NO;
	if (n_body)
		answer->body.data = NULL;
	if (answer->type)
		r &= lib->add_response_header(response, "Content-Type", answer->type);
	r &= lib->add_response_header(response, "X-Content-Type-Options", "nosniff");
	for (size_t i = 0; i < answer->n_headers; i++)
		r &= lib->add_response_header(response, answer->headers[i].name,
					      answer->headers[i].value);
	es_httpd_set_deadline(httpd, exchange->entry,
			      httpd->options.timeout_ms * ES_NS_PER_MS +
				      (int64_t)(n_body / SLOWEST_BYTES_PER_S) * ES_NS_PER_S);
	r = r == MHD_YES ? lib->queue_response(exchange->connection, answer->status, response)
			 : MHD_NO;
	lib->destroy_response(response);
	return r;
}

/* A refusal (@why), or what a route says. */
static int answer_it(struct es_httpd_exchange *exchange, const char *url, const char *method,
		     unsigned refusal, const char *why)
{
	struct es_httpd_answer answer = { .status = 200 };
	const struct es_httpd_request request = {
		.method = method,
		.path = url,
		.body = exchange->body.len ? (const char *)exchange->body.data : "",
		.n_body = exchange->body.len ? exchange->body.len - 1 : 0,
		.client = exchange->client,
		.is_tls = exchange->httpd->is_tls,
		.exchange = exchange,
	};
	int r;

	es_buf_init(&answer.body, exchange->httpd->options.answer_max_bytes);
	if (refusal) {
		es_httpd_say(&answer, refusal, "%s", why);
		es_httpd_add_header(&answer, "Connection", "close");
	} else {
		es_httpd_set_deadline(exchange->httpd, exchange->entry, INT64_MAX);
		call_route(exchange->httpd, &request, &answer);
	}
	r = send_answer(exchange, &answer);
	es_buf_finish(&answer.body);
	return r;
}

static void take_client(struct es_httpd_exchange *exchange)
{
	const union MHD_ConnectionInfo *info = exchange->httpd->lib->get_connection_info(
		exchange->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *address = info ? info->address : NULL;
	const void *where = NULL;

	if (address && address->sa_family == AF_INET)
		where = &((const struct sockaddr_in *)info->address)->sin_addr;
	else if (address && address->sa_family == AF_INET6)
		where = &((const struct sockaddr_in6 *)info->address)->sin6_addr;
	if (!where ||
	    !inet_ntop(address->sa_family, where, exchange->client, sizeof(exchange->client)))
		exchange->client[0] = '\0';
}

/* The head is here; the body is not. */
static int begin(struct es_httpd *httpd, struct MHD_Connection *connection, const char *url,
		 const char *method, void **ret_exchange)
{
	const union MHD_ConnectionInfo *info =
		httpd->lib->get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct es_httpd_exchange *exchange;
	const char *length =
		httpd->lib->lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
	uint64_t n_body = 0;
	bool is_stopping;

	if (!info || !info->context)
		return MHD_NO;
	exchange = calloc(1, sizeof(*exchange));
	if (!exchange)
		return MHD_NO;
	exchange->httpd = httpd;
	exchange->connection = connection;
	exchange->entry = info->context;
	/* Behind its last byte there is a NUL. */
	es_buf_init(&exchange->body, httpd->options.body_max_bytes + 1);
	take_client(exchange);
	*ret_exchange = exchange;
	pthread_mutex_lock(&httpd->lock);
	httpd->n_exchanges++;
	is_stopping = httpd->is_stopping;
	pthread_mutex_unlock(&httpd->lock);
	if (is_stopping)
		return answer_it(exchange, url, method, 503, "this server is stopping");
	if (length && es_parse_u64(length, &n_body) < 0)
		return answer_it(exchange, url, method, 400, "that is no length");
	if (n_body > httpd->options.body_max_bytes)
		return answer_it(exchange, url, method, 413, "that is too long");
	return MHD_YES;
}

int es_httpd_handle(void *arg, struct MHD_Connection *connection, const char *url,
		    const char *method, const char *version, const char *data, size_t *n,
		    void **ret_exchange)
{
	struct es_httpd_exchange *exchange = *ret_exchange;

	(void)version;
	if (!exchange)
		return begin(arg, connection, url, method, ret_exchange);
	if (*n > 0) {
		/* It cannot be refused in the middle; its deadline bounds how long it goes on. */
		if (exchange->body.len + *n > exchange->httpd->options.body_max_bytes)
			exchange->is_too_large = true;
		else
			(void)es_buf_append(&exchange->body, data, *n);
		*n = 0;
		return MHD_YES;
	}
	if (exchange->is_too_large)
		return answer_it(exchange, url, method, 413, "that is too long");
	if (exchange->body.len > 0)
		(void)es_buf_u8(&exchange->body, 0);
	if (exchange->body.error)
		return answer_it(exchange, url, method, 503, "out of memory");
	return answer_it(exchange, url, method, 0, NULL);
}

void es_httpd_end(void *arg, struct MHD_Connection *connection, void **exchange, int how)
{
	struct es_httpd *httpd = arg;
	struct es_httpd_exchange *ended = *exchange;

	(void)connection;
	(void)how;
	*exchange = NULL;
	if (!ended)
		return;
	es_httpd_set_deadline(httpd, ended->entry, httpd->options.timeout_ms * ES_NS_PER_MS);
	es_buf_finish(&ended->body);
	free(ended);
	pthread_mutex_lock(&httpd->lock);
	httpd->n_exchanges--;
	pthread_cond_broadcast(&httpd->changed);
	pthread_mutex_unlock(&httpd->lock);
}
