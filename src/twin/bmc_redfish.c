/*
 * bmc_redfish.c - a simulated Redfish service: who may ask, sessions, limits, and how it fails
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "twin/bmc_docs.h"
#include "twin/fault.h"

#define PERIOD_MIN 1U
#define SILENT_NS (60 * ES_NS_PER_S) /* then the connection is given up */
#define STEP_NS (50 * ES_NS_PER_MS)
#define PATH_BYTES 256U
#define BASE "Base.1.13.0."
#define CORRECTION_MS 1000U
#define EXCEPTION_LOG 0x11

static inline void es_json_decrefp(json_t **json)
{
	json_decref(*json);
}

/* An error as DSP0266 has it: of the registry Base, with words for people. */
static void refuse(struct es_httpd_answer *answer, unsigned status, const char *message,
		   const char *text)
{
	struct es_json json;

	es_buf_reset(&answer->body);
	answer->status = status;
	answer->type = "application/json";
	es_json_init(&json, es_json_sink_buf, &answer->body, false);
	es_json_object(&json, NULL);
	es_json_object(&json, "error");
	es_json_string(&json, "code", message);
	es_json_string(&json, "message", text);
	es_json_array(&json, "@Message.ExtendedInfo");
	es_json_object(&json, NULL);
	es_json_string(&json, "MessageId", message);
	es_json_string(&json, "Message", text);
	es_json_object_end(&json);
	es_json_array_end(&json);
	es_json_object_end(&json);
	es_json_object_end(&json);
	(void)es_json_end(&json);
}

/* How long the controller takes, and whether it says anything at all. */
static int take_its_time(struct es_twin_bmc *bmc, const struct es_httpd_request *request)
{
	struct es_twin_host *host = bmc->host;
	int64_t begin_ns = es_clock_mono_ns(), delay_ns;
	int error;

	do {
		(void)es_twin_host_lock(host);
		error = host->bmc_error;
		delay_ns = host->bmc_delay_ns + (host->view->meter->is_slow ? ES_TWIN_SLOW_NS : 0);
		es_twin_host_unlock(host);
		if (error != -ETIMEDOUT && es_clock_mono_ns() - begin_ns >= delay_ns)
			return error;
		if (es_httpd_wait(request, STEP_NS) < 0)
			return -ECANCELED;
	} while (es_clock_mono_ns() - begin_ns < SILENT_NS);
	return -ETIMEDOUT;
}

static void look(struct es_twin_bmc *bmc, struct es_twin_seen *ret)
{
	struct es_twin_host *host = bmc->host;
	int64_t t_ns = es_twin_host_lock(host);
	struct es_twin_seen seen = { .kind = host->kind,
				     .name = host->name,
				     .is_off = host->is_powered_off,
				     .cap = host->view->cap,
				     .period_min = PERIOD_MIN };

	seen.error = es_twin_view_watts(host, t_ns, &seen.watts);
	seen.output_w = es_twin_view_part_watts(host, ES_TWIN_BOARD, t_ns);
	seen.period = es_twin_view_period(host, t_ns, PERIOD_MIN * 60 * ES_NS_PER_S);
	seen.inlet_mc = es_twin_temperature_mc(host->node, ES_TWIN_NODE, 0);
	for (; seen.n_packages < host->kind->n_packages && seen.n_packages < ES_TWIN_BMC_PACKAGES;
	     seen.n_packages++)
		seen.package_mc[seen.n_packages] =
			es_twin_temperature_mc(host->node, ES_TWIN_PACKAGE, seen.n_packages);
	seen.fan_rpm = es_twin_fan_rpm(host->node);
	seen.n_fans = es_twin_view_n_fans(host);
	seen.has_limit = es_twin_view_limits(host, &seen.limit_min_w, &seen.limit_max_w);
	seen.t_unix_ns = es_clock_unix_ns() + host->wall_step_ns;
	es_twin_host_unlock(host);
	pthread_mutex_lock(&bmc->lock);
	for (size_t i = 0; i < ES_TWIN_BMC_SESSIONS; i++)
		if (bmc->sessions[i].token[0])
			seen.sessions[seen.n_sessions++] = bmc->sessions[i].number;
	pthread_mutex_unlock(&bmc->lock);
	*ret = seen;
}

/* With the lock held. Those that were not used for long are over. */
static void forget_sessions(struct es_twin_bmc *bmc)
{
	int64_t now_ns = es_clock_mono_ns();

	for (size_t i = 0; i < ES_TWIN_BMC_SESSIONS; i++)
		if (now_ns - bmc->sessions[i].used_ns > ES_TWIN_BMC_IDLE_S * ES_NS_PER_S)
			bmc->sessions[i].token[0] = '\0';
}

static bool has_session(struct es_twin_bmc *bmc, const char *token)
{
	bool has = false;

	if (!token || !*token)
		return false;
	pthread_mutex_lock(&bmc->lock);
	forget_sessions(bmc);
	for (size_t i = 0; i < ES_TWIN_BMC_SESSIONS; i++) {
		struct es_twin_session *session = &bmc->sessions[i];

		if (!session->token[0] || !es_httpd_is_same(session->token, token))
			continue;
		session->used_ns = es_clock_mono_ns();
		has = true;
	}
	pthread_mutex_unlock(&bmc->lock);
	return has;
}

static bool may_enter(const struct es_twin_bmc *bmc, const char *user, const char *password)
{
	bool is_user = es_httpd_is_same(ES_TWIN_BMC_USER, user);

	return es_httpd_is_same(bmc->password, password) && is_user;
}

static bool is_known(struct es_twin_bmc *bmc, const struct es_httpd_request *request)
{
	struct es_httpd_login login;

	if (has_session(bmc, es_httpd_header(request, "X-Auth-Token")))
		return true;
	return es_httpd_basic(es_httpd_header(request, "Authorization"), &login) == 0 &&
	       may_enter(bmc, login.user, login.password);
}

static json_t *body_of(const struct es_httpd_request *request)
{
	return json_loadb(request->body, request->n_body, JSON_REJECT_DUPLICATES, NULL);
}

static void put_session(struct es_httpd_answer *answer, const struct es_twin_session *session)
{
	struct es_json json;
	char path[PATH_BYTES], id[16];

	(void)snprintf(path, sizeof(path), ES_TWIN_SESSIONS "/%u", session->number);
	(void)snprintf(id, sizeof(id), "%u", session->number);
	answer->type = "application/json";
	es_json_init(&json, es_json_sink_buf, &answer->body, false);
	es_json_object(&json, NULL);
	es_json_string(&json, "@odata.type", "#Session.v1_4_0.Session");
	es_json_string(&json, "@odata.id", path);
	es_json_string(&json, "Id", id);
	es_json_string(&json, "Name", "User Session");
	es_json_string(&json, "UserName", ES_TWIN_BMC_USER);
	es_json_object_end(&json);
	(void)es_json_end(&json);
	es_httpd_add_header(answer, "Location", "%s", path);
}

static void open_session(struct es_twin_bmc *bmc, const struct es_httpd_request *request,
			 struct es_httpd_answer *answer)
{
	es_cleanup(es_json_decrefp) json_t *body = body_of(request);
	const char *user = json_string_value(json_object_get(body, "UserName"));
	const char *password = json_string_value(json_object_get(body, "Password"));
	struct es_twin_session session = { .used_ns = es_clock_mono_ns() };
	bool has_place = false;

	if (!user || !password) {
		refuse(answer, 400, BASE "PropertyMissing",
		       "UserName and Password are needed, both as text");
		return;
	}
	if (!may_enter(bmc, user, password)) {
		refuse(answer, 401, BASE "ResourceAtUriUnauthorized",
		       "this user or this password is wrong");
		return;
	}
	if (es_twin_bmc_random(session.token, sizeof(session.token)) < 0) {
		refuse(answer, 500, BASE "InternalError", "no token could be made");
		return;
	}
	pthread_mutex_lock(&bmc->lock);
	forget_sessions(bmc);
	for (size_t i = 0; i < ES_TWIN_BMC_SESSIONS && !has_place; i++)
		if (!bmc->sessions[i].token[0]) {
			has_place = true;
			session.number = ++bmc->n_sessions;
			bmc->sessions[i] = session;
		}
	pthread_mutex_unlock(&bmc->lock);
	if (!has_place) {
		refuse(answer, 503, BASE "SessionLimitExceeded", "all sessions are taken");
		return;
	}
	answer->status = 201;
	es_httpd_add_header(answer, "X-Auth-Token", "%s", session.token);
	put_session(answer, &session);
}

/* GET or DELETE of one. */
static void answer_session(struct es_twin_bmc *bmc, const struct es_httpd_request *request,
			   const char *number, struct es_httpd_answer *answer)
{
	struct es_twin_session found = { .number = 0 };
	bool ends = strcmp(request->method, "DELETE") == 0;
	uint64_t n;

	if (!ends && strcmp(request->method, "GET") != 0) {
		refuse(answer, 405, BASE "ActionNotSupported", "a session is read or deleted");
		return;
	}
	pthread_mutex_lock(&bmc->lock);
	for (size_t i = 0; es_parse_u64(number, &n) == 0 && i < ES_TWIN_BMC_SESSIONS; i++) {
		struct es_twin_session *session = &bmc->sessions[i];

		if (!session->token[0] || session->number != n)
			continue;
		found = *session;
		if (ends)
			session->token[0] = '\0';
	}
	pthread_mutex_unlock(&bmc->lock);
	if (!found.token[0])
		refuse(answer, 404, BASE "ResourceMissingAtURI", "there is no such session");
	else if (ends)
		answer->status = 204;
	else
		put_session(answer, &found);
}

/* What a PATCH wants: PowerControl/0 of Power, or PowerLimitWatts of EnvironmentMetrics. 0, or -EBADMSG. */
static int wanted_cap(json_t *body, struct es_twin_cap *cap)
{
	json_t *control = json_array_get(json_object_get(body, "PowerControl"), 0);
	json_t *limit = json_object_get(control, "PowerLimit");
	json_t *watts = json_object_get(limit, "LimitInWatts"), *ms;
	const char *mode;

	if (!limit) {
		limit = json_object_get(body, "PowerLimitWatts");
		watts = json_object_get(limit, "SetPoint");
		mode = json_string_value(json_object_get(limit, "ControlMode"));
		if (mode && strcmp(mode, "Disabled") == 0)
			cap->is_active = false;
		else if (mode && strcmp(mode, "Automatic") == 0)
			cap->is_active = true;
		else if (mode)
			return -EBADMSG;
		if (mode && !watts)
			return 0;
	}
	if (json_is_null(watts)) {
		cap->is_set = cap->is_active = false;
		return 0;
	}
	if (!json_is_number(watts) || json_number_value(watts) < 0 ||
	    json_number_value(watts) > UINT16_MAX)
		return -EBADMSG;
	cap->watts = (uint16_t)json_number_value(watts);
	cap->is_set = cap->is_active = true;
	cap->exception = EXCEPTION_LOG;
	ms = json_object_get(limit, "CorrectionInMs");
	if (ms && (!json_is_integer(ms) || json_integer_value(ms) < 1 ||
		   json_integer_value(ms) > 3600000))
		return -EBADMSG;
	cap->correction_ms = ms ? (uint32_t)json_integer_value(ms) : CORRECTION_MS;
	return 0;
}

static void set_limit(struct es_twin_bmc *bmc, const struct es_httpd_request *request,
		      struct es_httpd_answer *answer)
{
	es_cleanup(es_json_decrefp) json_t *body = body_of(request);
	struct es_twin_cap cap;
	int r;

	if (!json_is_object(body)) {
		refuse(answer, 400, BASE "MalformedJSON", "that is no JSON object");
		return;
	}
	(void)es_twin_host_lock(bmc->host);
	cap = bmc->host->view->cap;
	r = wanted_cap(body, &cap);
	if (r == 0)
		r = es_twin_view_set_cap(bmc->host, &cap);
	es_twin_host_unlock(bmc->host);
	if (r == 0)
		answer->status = 204;
	else if (r == -EOPNOTSUPP)
		refuse(answer, 400, BASE "PropertyNotWritable",
		       "the power of this node cannot be limited");
	else if (r == -EBADMSG)
		refuse(answer, 400, BASE "PropertyValueTypeError",
		       "a limit is a number of watts, or null; its mode Automatic or Disabled");
	else
		refuse(answer, 400, BASE "PropertyValueOutOfRange",
		       "this node cannot be held to so many watts");
}

static void answer_doc(struct es_twin_bmc *bmc, const struct es_httpd_request *request,
		       const struct es_twin_doc *doc, struct es_httpd_answer *answer)
{
	struct es_twin_seen seen;
	bool is_patch = strcmp(request->method, "PATCH") == 0;

	if (is_patch && doc->has_power && doc->number == 0) {
		set_limit(bmc, request, answer);
		return;
	}
	if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0) {
		refuse(answer, 405, BASE "ActionNotSupported", "this is read only");
		es_httpd_add_header(answer, "Allow", "GET, HEAD");
		return;
	}
	look(bmc, &seen);
	if (doc->has_power && seen.error == -ENOENT) {
		refuse(answer, 404, BASE "ResourceMissingAtURI", "there is no such resource");
		return;
	}
	answer->type = "application/json";
	answer->error = es_twin_doc_write(doc, &seen, &answer->body);
}

static void answer_any(void *arg, const struct es_httpd_request *request,
		       struct es_httpd_answer *answer)
{
	static const char sessions[] = ES_TWIN_SESSIONS "/";
	struct es_twin_bmc *bmc = arg;
	char path[PATH_BYTES];
	const struct es_twin_doc *doc;
	size_t n = strlen(request->path);

	es_httpd_add_header(answer, "OData-Version", "4.0");
	es_httpd_add_header(answer, "Cache-Control", "no-cache");
	if (take_its_time(bmc, request) < 0) {
		refuse(answer, 503, BASE "ServiceTemporarilyUnavailable",
		       "the controller is not ready");
		return;
	}
	while (n > 1 && request->path[n - 1] == '/')
		n--;
	if (n >= sizeof(path))
		n = 0;
	memcpy(path, request->path, n);
	path[n] = '\0';
	if (strcmp(path, ES_TWIN_SESSIONS) == 0 && strcmp(request->method, "POST") == 0) {
		open_session(bmc, request, answer);
		return;
	}
	doc = es_twin_doc_find(path);
	if (!(doc && doc->is_open) && !is_known(bmc, request)) {
		refuse(answer, 401, BASE "ResourceAtUriUnauthorized", "log in first");
		es_httpd_add_header(answer, "WWW-Authenticate", "Basic realm=\"Redfish\"");
	} else if (doc) {
		answer_doc(bmc, request, doc, answer);
	} else if (strncmp(path, sessions, sizeof(sessions) - 1) == 0) {
		answer_session(bmc, request, path + sizeof(sessions) - 1, answer);
	} else {
		refuse(answer, 404, BASE "ResourceMissingAtURI", "there is no such resource");
	}
}

const struct es_httpd_route *es_twin_redfish_routes(size_t *ret_n)
{
	static const struct es_httpd_route routes[] = { { NULL, "/redfish", answer_any },
							{ NULL, "/redfish/*", answer_any } };

	*ret_n = ES_ARRAY_SIZE(routes);
	return routes;
}
