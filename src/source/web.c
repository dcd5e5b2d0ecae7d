/*
 * source/web.c - what meters behind a web server share: whom to trust, who we are, what a refusal means
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/web.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/parse.h"

#define DIGEST_BYTES 32

static int hex(char c)
{
	return isdigit((unsigned char)c) ? c - '0'
	       : c >= 'a' && c <= 'f'	 ? c - 'a' + 10
	       : c >= 'A' && c <= 'F'	 ? c - 'A' + 10
					 : -1;
}

/* "AB:CD:…" or "abcd…", the digest of a public key. */
static int take_digest(const char *text, unsigned char digest[static DIGEST_BYTES])
{
	size_t n = 0;

	while (*text && n < DIGEST_BYTES) {
		int high = hex(text[0]), low = high < 0 ? -1 : hex(text[1]);

		if (low < 0)
			return -EINVAL;
		digest[n++] = (unsigned char)(high * 16 + low);
		text += 2;
		text += *text == ':' && text[1];
	}
	return n == DIGEST_BYTES && !*text ? 0 : -EINVAL;
}

int es_web_pin(const char *text, char ret[static 64])
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned char digest[DIGEST_BYTES + 1] = { 0 }; /* a NUL fills the last group of three */
	char *p = ret;

	if (strncmp(text, "sha256:", 7) != 0 || take_digest(text + 7, digest) < 0)
		return -EINVAL;
	p += sprintf(p, "sha256//");
	for (size_t i = 0; i < sizeof(digest); i += 3) {
		unsigned group = (unsigned)digest[i] << 16 | (unsigned)digest[i + 1] << 8 |
				 (unsigned)digest[i + 2];

		for (unsigned shift = 18; shift <= 18; shift -= 6)
			*p++ = digits[group >> shift & 63];
	}
	p[-1] = '=';
	*p = '\0';
	return 0;
}

static int refuse(const struct es_meter_url *url, struct es_error *err, const char *why)
{
	return es_error_say(err, -EINVAL, "meter '%.200s': %s", url->text, why);
}

static int take_trust(struct es_web *web, const struct es_meter_url *url, struct es_error *err)
{
	const char *verify = es_meter_url_param(url, "verify"), *ca = es_meter_url_param(url, "ca"),
		   *fingerprint = es_meter_url_param(url, "fingerprint");

	if (!web->is_https && (verify || ca || fingerprint))
		return refuse(url, err, "verify=, ca= and fingerprint= are for https");
	if (verify && strcmp(verify, "no") != 0 && strcmp(verify, "yes") != 0)
		return refuse(url, err, "verify= is yes or no");
	web->is_unverified = verify && strcmp(verify, "no") == 0;
	if (!!ca + !!fingerprint + web->is_unverified > 1)
		return refuse(url, err, "one of ca=, fingerprint= and verify=no is enough");
	if (ca && (*ca != '/' || strlen(ca) >= sizeof(web->ca)))
		return refuse(url, err, "ca= is the path of a file, from the root");
	if (ca)
		memcpy(web->ca, ca, strlen(ca) + 1);
	if (fingerprint && es_web_pin(fingerprint, web->pin) < 0)
		return refuse(url, err, "fingerprint= is sha256: and 64 hexadecimal digits");
	return 0;
}

int es_web_init(struct es_web *web, const struct es_meter_url *url, bool is_https, uint16_t port,
		int64_t stale_ns, struct es_error *err)
{
	const char *stale = es_meter_url_param(url, "stale");
	bool is_v6 = strchr(url->host, ':');
	int r;

	if (!url->host[0])
		return refuse(url, err, "it names no host");
	web->is_https = is_https;
	web->timeout_ns = url->timeout_ns;
	web->stale_ns = stale_ns;
	if (stale && (es_parse_duration_ns(stale, &web->stale_ns) < 0 || web->stale_ns < 0))
		return refuse(url, err, "stale= is a time with its unit, like 2min, or 0");
	(void)snprintf(web->host, sizeof(web->host), "%s%s%s:%u", is_v6 ? "[" : "", url->host,
		       is_v6 ? "]" : "", (unsigned)(url->port ? url->port : port));
	(void)snprintf(web->base, sizeof(web->base), "http%s://%s", is_https ? "s" : "", web->host);
	r = take_trust(web, url, err);
	if (r == 0)
		r = es_http_library_open(NULL, &web->library, err);
	return r == 0 ? es_http_library_keep(web->library) : r;
}

void es_web_finish(struct es_web *web)
{
	es_web_disconnect(web);
	es_http_library_close(web->library);
	web->library = NULL;
}

static int take_credentials(struct es_web *web, const struct es_meter_url *url,
			    struct es_error *err)
{
	int r = es_meter_url_credentials(url, &web->credentials, err);

	if (r < 0 && es_meter_url_param(url, "credentials"))
		return r;
	web->has_user = r == 0 && web->credentials.user[0];
	web->has_token = r == 0 && !web->has_user && web->credentials.password[0];
	if (web->has_token)
		(void)snprintf(web->token, sizeof(web->token), "Authorization: Bearer %s",
			       web->credentials.password);
	if (err)
		*err = (struct es_error){ .code = 0 };
	return 0;
}

int es_web_connect(struct es_web *web, const struct es_meter_url *url, struct es_error *err)
{
	const struct es_http_options options = {
		.connect_timeout_ms = (unsigned)(web->timeout_ns / ES_NS_PER_MS),
		.timeout_ms = (unsigned)(web->timeout_ns / ES_NS_PER_MS),
		.max_bytes = ES_ANSWER_MAX_BYTES,
		.accept = "application/json, text/plain;q=0.9, */*;q=0.1",
		.ca_file = web->ca[0] ? web->ca : NULL,
		.pin = web->pin[0] ? web->pin : NULL,
		.is_unverified = web->is_unverified,
	};
	int r;

	es_web_disconnect(web);
	es_web_hurry(web);
	r = take_credentials(web, url, err);
	return r < 0 ? r : es_fetch_create(web->library, &options, &web->fetch, err);
}

void es_web_disconnect(struct es_web *web)
{
	es_fetch_destroy(web->fetch);
	web->fetch = NULL;
	es_credentials_finish(&web->credentials);
	explicit_bzero(web->token, sizeof(web->token));
	web->has_user = web->has_token = false;
}

void es_web_hurry(struct es_web *web)
{
	web->until_ns = es_clock_boot_ns() + web->timeout_ns;
}

static void say_fix(struct es_remote *remote, const char *fix)
{
	if (remote)
		es_remote_say_fix(remote, fix);
}

/* The certificate is not one that we may believe: how the user can make it so. */
static void fix_trust(const struct es_web *web, struct es_remote *remote)
{
	char fix[ES_NAME_MAX_BYTES];

	(void)snprintf(
		fix, sizeof(fix),
		"add ca=FILE, or fingerprint=sha256:… as printed by: openssl s_client -connect "
		"%.64s </dev/null | openssl x509 -pubkey -noout | openssl pkey -pubin -outform "
		"der | sha256sum",
		web->host);
	say_fix(remote, fix);
}

static int explain(const struct es_web *web, int error, struct es_remote *remote,
		   struct es_error *err)
{
	char why[256];

	(void)snprintf(why, sizeof(why), "%.250s", err ? err->text : "");
	if (error == -EKEYREJECTED) {
		fix_trust(web, remote);
		if (web->pin[0])
			return es_error_say(err, error,
					    "its certificate's key is not the one of fingerprint=");
		return es_error_say(err, error, "its certificate is not trusted (%.160s)", why);
	}
	if (error == -ENOKEY) {
		say_fix(remote, "name a file of certificates (PEM) by ca=FILE");
		return es_error_say(err, error, "the certificates of ca=%.120s cannot be read",
				    web->ca);
	}
	if (error == -EPROTO)
		return es_error_say(err, error, "no TLS could be agreed on (%.160s)", why);
	return es_error_say(err, error, "%.200s", why[0] ? why : es_strerror(error));
}

int es_web_ask(struct es_web *web, struct es_http_request request, struct es_fetch_header *headers,
	       size_t n_headers, struct es_remote *remote, struct es_error *err)
{
	const char *const token[] = { web->token };
	char url[ES_WEB_URL_BYTES];
	struct es_error why = { .code = 0 };
	int r;

	if ((size_t)snprintf(url, sizeof(url), "%s%s", web->base, request.url) >= sizeof(url))
		return es_error_say(err, -E2BIG, "its URL is longer than %zu bytes",
				    sizeof(url) - 1);
	request.url = url;
	if (request.timeout_ms == 0) {
		int64_t left_ns = web->until_ns - es_clock_boot_ns();

		if (left_ns < ES_NS_PER_MS)
			return es_error_say(err, -ETIMEDOUT,
					    "it answers too slowly; timeout= gives it more time");
		request.timeout_ms = (unsigned)(left_ns / ES_NS_PER_MS);
	}
	if (request.n_headers == 0 && !request.body && web->has_user) {
		request.user = web->credentials.user;
		request.password = web->credentials.password;
	} else if (request.n_headers == 0 && web->has_token) {
		request.headers = token;
		request.n_headers = 1;
	}
	r = es_fetch(web->fetch, &request, headers, n_headers, &why);
	if (r >= 0)
		return r;
	r = explain(web, r, remote, &why);
	return es_error_say(err, r, "%s", why.text);
}

int es_web_refused(const struct es_web *web, int status, struct es_remote *remote,
		   struct es_error *err)
{
	if (status == 401 || status == 403) {
		say_fix(remote,
			web->has_user || web->has_token
				? "set user and password in the file of credentials="
				: "add credentials=FILE with the lines user: NAME and password: SECRET");
		return es_error_say(err, -EACCES, "%s (HTTP %d)",
				    web->has_user || web->has_token
					    ? "user or password are refused, or may not read this"
					    : "it wants a user and a password",
				    status);
	}
	if (status >= 300 && status < 400)
		return es_error_say(
			err, -EREMCHG,
			"it sends us elsewhere (HTTP %d), where we do not follow: name that "
			"place, or https",
			status);
	if (status == 404 || status == 410)
		return es_error_say(err, -ENOENT, "it has no such page (HTTP %d)", status);
	if (status == 429 || status == 503)
		return es_error_say(err, -EBUSY, "it is too busy (HTTP %d)", status);
	return es_error_say(err, -EIO, "it answers HTTP %d", status);
}

int es_web_get(struct es_web *web, const char *path, struct es_remote *remote, struct es_error *err)
{
	const struct es_http_request request = { .url = path };
	int r = es_web_ask(web, request, NULL, 0, remote, err);

	if (r < 0)
		return r;
	return r == 200 ? 0 : es_web_refused(web, r, remote, err);
}

const char *es_web_warn(const struct es_web *web)
{
	if (web->is_https)
		return web->is_unverified
			       ? "its certificate is not checked (verify=no): anybody may pose as it"
			       : "";
	return web->has_user || web->has_token
		       ? "its password goes over the network in clear (http)"
		       : "";
}

int es_web_encode(const char *text, char *url, size_t size)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t n = strlen(url);

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		bool is_plain = isalnum(c) || strchr("-._~", c);

		if (n + (is_plain ? 1 : 3) >= size)
			return -E2BIG;
		if (is_plain) {
			url[n++] = (char)c;
		} else {
			url[n++] = '%';
			url[n++] = digits[c >> 4];
			url[n++] = digits[c & 15];
		}
	}
	url[n] = '\0';
	return 0;
}
