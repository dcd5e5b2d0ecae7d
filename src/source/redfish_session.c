/*
 * source/redfish_session.c - documents of a Redfish service, as somebody who has logged in
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/redfish_session.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "source/fresh.h"
#include "source/json.h"

#define SESSIONS "/redfish/v1/SessionService/Sessions"
#define LOGOUT_NS ES_NS_PER_S

/* One request within what is left of the time of this call. */
static int ask(struct es_redfish_session *session, struct es_http_request request,
	       struct es_fetch_header *headers, size_t n_headers, struct es_error *err)
{
	const char *const token[] = { session->token };
	int64_t left_ns = session->until_ns - es_clock_boot_ns();

	if (left_ns < ES_NS_PER_MS)
		return es_error_say(
			err, -ETIMEDOUT,
			"it answers too slowly: raise timeout=, or name the chassis in the "
			"URL to save the search");
	if (left_ns > session->web.timeout_ns)
		left_ns = session->web.timeout_ns;
	request.timeout_ms = (unsigned)(left_ns / ES_NS_PER_MS);
	if (session->token[0] && !request.headers) {
		request.headers = token;
		request.n_headers = 1;
	}
	return es_web_ask(&session->web, request, headers, n_headers, session->remote, err);
}

/* Some want a slash at the end and send us there, which is no other place. */
static bool is_same_with_slash(const struct es_redfish_session *session, const char *path,
			       const char *location)
{
	size_t n = strlen(path), n_base = strlen(session->web.base);

	if (strncmp(location, session->web.base, n_base) == 0)
		location += n_base;
	return strncmp(location, path, n) == 0 && strcmp(location + n, "/") == 0;
}

static int get_once(struct es_redfish_session *session, const char *path, struct es_error *err)
{
	struct es_fetch_header location = { .name = "Location" };
	char longer[ES_REDFISH_LINK_BYTES + 1];
	int r = ask(session, (struct es_http_request){ .url = path }, &location, 1, err);

	if ((r != 301 && r != 302 && r != 307 && r != 308) ||
	    !is_same_with_slash(session, path, location.value))
		return r;
	(void)snprintf(longer, sizeof(longer), "%s/", path);
	return ask(session, (struct es_http_request){ .url = longer }, NULL, 0, err);
}

static int deny(struct es_redfish_session *session, int status, struct es_error *err)
{
	session->denied_ns = es_clock_boot_ns() + ES_REMOTE_DENIED_NS;
	return es_web_refused(&session->web, status, session->remote, err);
}

int es_redfish_get(void *arg, const char *path, json_t **ret, struct es_error *err)
{
	struct es_redfish_session *session = arg;
	const char *body;
	size_t n;
	int r = get_once(session, path, err);

	/* The session is over: it was idle for long, or the controller was started anew. */
	if (r == 401 && session->token[0]) {
		session->token[0] = '\0';
		r = es_redfish_login(session, es_remote_url(session->remote), err);
		r = r < 0 ? r : get_once(session, path, err);
	}
	if (r == 401 && session->web.has_user)
		return deny(session, r, err);
	if (r != 200)
		return r < 0 ? r : es_web_refused(&session->web, r, session->remote, err);
	body = es_fetch_body(session->web.fetch, &n);
	session->mark = es_mark(session->mark, body, n);
	return es_json_load(body, n, ret, err);
}

static bool take_token(struct es_redfish_session *session, const struct es_fetch_header *headers)
{
	const char *place = strstr(headers[1].value, "/redfish/");

	if (!headers[0].value[0])
		return false;
	for (const char *p = headers[0].value; *p; p++)
		if (!isgraph((unsigned char)*p))
			return false;
	(void)snprintf(session->token, sizeof(session->token), "X-Auth-Token: %s",
		       headers[0].value);
	session->place[0] = '\0';
	/* What is deleted at the end is a session, wherever we were sent. */
	if (place && strstr(place, "/Sessions/") && !strstr(place, "..") &&
	    strlen(place) < sizeof(session->place))
		memcpy(session->place, place, strlen(place) + 1);
	return true;
}

/* What HPE's answer with 400 says of a wrong password. */
static bool is_about_password(const struct es_redfish_session *session)
{
	const char *body = es_fetch_body(session->web.fetch, NULL);

	return strstr(body, "Unauthorized") || strstr(body, "InvalidCred") ||
	       strstr(body, "AuthenticationFail");
}

static int open_session(struct es_redfish_session *session, struct es_error *err)
{
	static const char *const type[] = { "Content-Type: application/json" };
	struct es_fetch_header headers[] = { { .name = "X-Auth-Token" }, { .name = "Location" } };
	const struct es_credentials *credentials = &session->web.credentials;
	es_cleanup(es_json_decrefp) json_t *json = json_pack(
		"{s:s, s:s}", "UserName", credentials->user, "Password", credentials->password);
	char *body = json ? json_dumps(json, JSON_COMPACT) : NULL;
	int r;

	if (!body)
		return es_error_say(err, -EBADMSG, "user or password are not UTF-8");
	r = ask(session,
		(struct es_http_request){
			.url = SESSIONS, .body = body, .headers = type, .n_headers = 1 },
		headers, 2, err);
	explicit_bzero(body, strlen(body));
	free(body);
	if (r < 0)
		return r;
	if (r == 401 || r == 403 || (r == 400 && is_about_password(session)))
		return deny(session, r == 400 ? 401 : r, err);
	/* No sessions here, or all places are taken: the password goes with each request. */
	if (r < 200 || r >= 300 || !take_token(session, headers))
		session->has_no_sessions = r == 404 || r == 405 || r == 501;
	explicit_bzero(headers, sizeof(headers));
	return 0;
}

int es_redfish_login(struct es_redfish_session *session, const struct es_meter_url *url,
		     struct es_error *err)
{
	int r;

	if (session->denied_ns && es_clock_boot_ns() < session->denied_ns)
		return es_error_say(
			err, -EACCES,
			"user or password are refused; not tried again for 10 min, so that "
			"the account is not locked");
	session->denied_ns = 0;
	if (session->token[0] && session->web.fetch)
		return 0;
	/* Anew, for the file may have been mended. */
	r = es_web_connect(&session->web, url, err);
	if (r < 0 || session->has_no_sessions || !session->web.has_user)
		return r;
	return open_session(session, err);
}

void es_redfish_logout(struct es_redfish_session *session)
{
	if (session->token[0] && session->place[0] && session->web.fetch) {
		session->until_ns = es_clock_boot_ns() + LOGOUT_NS;
		session->remote = NULL;
		(void)ask(session,
			  (struct es_http_request){ .method = "DELETE", .url = session->place },
			  NULL, 0, NULL);
	}
	explicit_bzero(session->token, sizeof(session->token));
}
