/*
 * test_twin_redfish.c - a simulated Redfish service: its documents, who may ask, limits, and how it fails
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/fetch.h"
#include "twin/bmc_docs.h"

#define V1 "/redfish/v1"
#define EVERY_TOP                                                                              \
	V1 "/Systems", V1 "/Systems/1", V1 "/Chassis", V1 "/Chassis/1", V1 "/Chassis/1/Power", \
		V1 "/Chassis/1/Thermal", V1 "/Chassis/1/EnvironmentMetrics",                   \
		V1 "/Chassis/1/PowerSubsystem", V1 "/Chassis/1/PowerSubsystem/PowerSupplies",  \
		V1 "/Chassis/1/PowerSubsystem/PowerSupplies/PSU1",                             \
		V1 "/Chassis/1/PowerSubsystem/PowerSupplies/PSU2/Metrics", V1 "/Managers",     \
		V1 "/Managers/1", V1 "/SessionService", V1 "/SessionService/Sessions"

struct fixture {
	struct es_twin_kind kind;
	struct es_twin_host *host;
	struct es_twin_bmc *bmc;
	struct es_http_library *library;
	struct es_fetch *fetch;
	char base[64], token[128], place[256];
	json_t *body; /* of the last answer; NULL: none, or no JSON */
};

static void start(struct fixture *f)
{
	const struct es_twin_options options = { .seed = 7, .start_ns = es_clock_boot_ns() };
	/* DCMI needs the files to be mounted. */
	const struct es_twin_bmc_options more = { .mount = "/nonexistent/a b", .folder = "" };
	struct es_error err = { .code = 0 };
	const char *url;

	if (es_twin_host_create(&f->kind, &options, "n1", "/nonexistent", &f->host, &err) < 0)
		fail_msg("%s", err.text);
	if (es_twin_bmc_start(f->host, &more, &f->bmc, &err) < 0)
		fail_msg("%s", err.text);
	assert_non_null(strstr(err.text, "no DCMI: "));
	assert_string_equal(es_twin_bmc_dcmi_url(f->bmc), "");
	url = es_twin_bmc_redfish_url(f->bmc);
	assert_non_null(strstr(url, "?scheme=http&accuracy=1%25&credentials="
				    "/nonexistent/a%20b/.twin/bmc/"));
	assert_int_equal(sscanf(url, "redfish:%63[^?]", f->base + 5), 1);
	memcpy(f->base, "http:", 5);
}

static int set_up(void **state)
{
	const struct es_http_options options = { .connect_timeout_ms = 20000,
						 .timeout_ms = 20000,
						 .max_bytes = 100000,
						 .accept = "application/json" };
	struct fixture *f = calloc(1, sizeof(*f));
	const struct es_twin_kind *kind = es_twin_kind_find("skx2s", NULL);

	assert_non_null(f);
	assert_non_null(kind);
	f->kind = *kind;
	f->kind.meters.psys = ES_TWIN_PSYS_ONE;
	f->kind.meters.psys_nj = 1000000000;
	assert_int_equal(es_http_library_open(NULL, &f->library, NULL), 0);
	assert_int_equal(es_http_library_keep(f->library), 0);
	assert_int_equal(es_fetch_create(f->library, &options, &f->fetch, NULL), 0);
	start(f);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	json_decref(f->body);
	es_fetch_destroy(f->fetch);
	es_http_library_close(f->library);
	es_twin_bmc_stop(f->bmc);
	assert_null(f->host->bmc);
	es_twin_host_destroy(f->host);
	free(f);
	return 0;
}

/* Its status. */
static int ask_as(struct fixture *f, const char *method, const char *path, const char *body,
		  const char *user, const char *password)
{
	struct es_fetch_header wanted[] = { { .name = "X-Auth-Token" }, { .name = "Location" } };
	const char *const headers[] = { "Content-Type: application/json", f->token };
	char url[512];
	struct es_http_request request = { .method = method,
					   .url = url,
					   .headers = headers,
					   .n_headers = f->token[0] ? 2 : 1,
					   .body = body,
					   .user = user,
					   .password = password };
	struct es_error err = { .code = 0 };
	size_t n;
	const char *text;
	int r;

	(void)snprintf(url, sizeof(url), "%s%s", f->base, path);
	r = es_fetch(f->fetch, &request, wanted, 2, &err);
	if (r < 0)
		fail_msg("%s: %s", path, err.text);
	json_decref(f->body);
	text = es_fetch_body(f->fetch, &n);
	f->body = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
	if (wanted[0].value[0])
		(void)snprintf(f->token, sizeof(f->token), "X-Auth-Token: %.100s", wanted[0].value);
	if (wanted[1].value[0])
		(void)snprintf(f->place, sizeof(f->place), "%.255s", wanted[1].value);
	return r;
}

static int ask(struct fixture *f, const char *method, const char *path, const char *body)
{
	return ask_as(f, method, path, body, "admin", f->bmc->password);
}

static int get(struct fixture *f, const char *path)
{
	return ask(f, "GET", path, NULL);
}

static int ask_nobody(struct fixture *f, const char *method, const char *path, const char *body)
{
	return ask_as(f, method, path, body, NULL, NULL);
}

static json_t *at(struct fixture *f, const char *key, const char *inner)
{
	json_t *value = json_object_get(f->body, key);

	if (json_is_array(value))
		value = json_array_get(value, 0);
	return inner ? json_object_get(value, inner) : value;
}

/* Each link of @value leads to a document that names itself so. */
static void follow(struct fixture *f, json_t *value, unsigned depth)
{
	const char *key;
	json_t *member;
	size_t i;

	if (depth > 8)
		return;
	json_array_foreach(value, i, member) follow(f, member, depth + 1);
	json_object_foreach(value, key, member)
	{
		if (strcmp(key, "@odata.id") == 0) {
			const char *path = json_string_value(member);
			json_t *kept = f->body;

			if (strchr(path, '#'))
				continue;
			f->body = NULL;
			assert_int_equal(get(f, path), 200);
			assert_string_equal(
				json_string_value(json_object_get(f->body, "@odata.id")), path);
			json_decref(f->body);
			f->body = kept;
		}
		follow(f, member, depth + 1);
	}
}

static void all_links_lead_somewhere(void **state)
{
	static const char *const paths[] = { "/redfish", V1, V1 "/", EVERY_TOP };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		json_t *document;

		assert_int_equal(get(f, paths[i]), 200);
		assert_true(json_is_object(f->body));
		document = json_incref(f->body);
		follow(f, document, 0);
		json_decref(document);
	}
	assert_int_equal(get(f, V1 "/Nothing"), 404);
	assert_int_equal(get(f, V1 "/Chassis/2"), 404);
}

static void only_the_root_is_open_to_all(void **state)
{
	static const char *const paths[] = { EVERY_TOP };
	struct fixture *f = *state;

	assert_int_equal(ask_nobody(f, "GET", "/redfish", NULL), 200);
	assert_int_equal(ask_nobody(f, "GET", V1, NULL), 200);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		assert_int_equal(ask_nobody(f, "GET", paths[i], NULL), 401);
		assert_int_equal(ask_as(f, "GET", paths[i], NULL, "admin", "wrong"), 401);
		assert_int_equal(ask_as(f, "GET", paths[i], NULL, "root", f->bmc->password), 401);
		assert_non_null(at(f, "error", "message"));
	}
	/* Nor does who is not let in learn what there is. */
	assert_int_equal(ask_nobody(f, "GET", V1 "/Nothing", NULL), 401);
	assert_int_equal(ask_nobody(f, "PATCH", V1 "/Chassis/1/Power", "{}"), 401);
}

static void log_in(struct fixture *f)
{
	char body[128];

	f->token[0] = '\0';
	(void)snprintf(body, sizeof(body), "{\"UserName\": \"admin\", \"Password\": \"%s\"}",
		       f->bmc->password);
	assert_int_equal(ask_nobody(f, "POST", V1 "/SessionService/Sessions", body), 201);
	assert_true(f->token[0]);
}

static void sessions_are_opened_and_ended(void **state)
{
	struct fixture *f = *state;
	char first[128], place[256];

	log_in(f);
	memcpy(first, f->token, sizeof(first));
	memcpy(place, f->place, sizeof(place));
	assert_int_equal(ask_nobody(f, "GET", V1 "/Chassis", NULL), 200);
	assert_int_equal(ask_nobody(f, "GET", V1 "/SessionService/Sessions", NULL), 200);
	assert_int_equal(json_integer_value(at(f, "Members@odata.count", NULL)), 1);
	assert_int_equal(ask_nobody(f, "GET", place, NULL), 200);
	assert_null(strstr(es_fetch_body(f->fetch, NULL), first + 14));
	for (unsigned i = 1; i < ES_TWIN_BMC_SESSIONS; i++)
		log_in(f);
	f->token[0] = '\0';
	assert_int_equal(ask_nobody(f, "POST", V1 "/SessionService/Sessions",
				    "{\"UserName\": \"admin\", \"Password\": \"wrong\"}"),
			 401);
	assert_int_equal(ask_nobody(f, "POST", V1 "/SessionService/Sessions", "{\"UserName\": 1}"),
			 400);
	memcpy(f->token, first, sizeof(first));
	assert_int_equal(ask_nobody(f, "DELETE", place, NULL), 204);
	assert_int_equal(ask_nobody(f, "DELETE", place, NULL), 401);
	assert_int_equal(ask_nobody(f, "GET", V1 "/Chassis", NULL), 401);
	log_in(f);
	f->token[0] = '\0';
	/* All are taken. */
	{
		char body[128];

		(void)snprintf(body, sizeof(body),
			       "{\"UserName\": \"admin\", \"Password\": \"%s\"}", f->bmc->password);
		assert_int_equal(ask_nobody(f, "POST", V1 "/SessionService/Sessions", body), 503);
	}
	(void)snprintf(f->token, sizeof(f->token),
		       "X-Auth-Token: 00000000000000000000000000000000");
	assert_int_equal(ask_nobody(f, "GET", V1 "/Chassis", NULL), 401);
}

static void powers_are_those_of_the_meter(void **state)
{
	struct fixture *f = *state;
	long w, supplies = 0;

	assert_int_equal(get(f, V1 "/Chassis/1/Power"), 200);
	w = (long)json_integer_value(at(f, "PowerControl", "PowerConsumedWatts"));
	assert_in_range(w, 50, 1100);
	assert_true(json_integer_value(json_object_get(at(f, "PowerControl", "PowerMetrics"),
						       "AverageConsumedWatts")) > 50);
	for (size_t i = 0; i < ES_TWIN_BMC_SUPPLIES; i++)
		supplies += (long)json_integer_value(json_object_get(
			json_array_get(json_object_get(f->body, "PowerSupplies"), i),
			"PowerInputWatts"));
	assert_int_equal(supplies, w);
	assert_int_equal(get(f, V1 "/Chassis/1/EnvironmentMetrics"), 200);
	assert_in_range(json_integer_value(at(f, "PowerWatts", "Reading")), 50, 1100);
	assert_int_equal(get(f, V1 "/Systems/1"), 200);
	assert_string_equal(json_string_value(at(f, "PowerState", NULL)), "On");
}

static void a_meter_that_fails_shows_null(void **state)
{
	struct fixture *f = *state;

	f->host->view->meter->error = -EIO;
	assert_int_equal(get(f, V1 "/Chassis/1/Power"), 200);
	assert_true(json_is_null(at(f, "PowerControl", "PowerConsumedWatts")));
	assert_int_equal(get(f, V1 "/Chassis/1/EnvironmentMetrics"), 200);
	assert_true(json_is_null(at(f, "PowerWatts", "Reading")));
	f->host->view->meter->error = 0;
	f->host->view->meter->is_gone = true;
	assert_int_equal(get(f, V1 "/Chassis/1/Power"), 404);
	assert_int_equal(get(f, V1 "/Chassis/1"), 200);
	f->host->view->meter->is_gone = false;
	f->host->bmc_error = -EIO;
	assert_int_equal(get(f, V1 "/Chassis/1/Power"), 503);
	f->host->bmc_error = 0;
	f->host->is_powered_off = true;
	assert_int_equal(get(f, V1 "/Systems/1"), 200);
	assert_string_equal(json_string_value(at(f, "PowerState", NULL)), "Off");
}

static void its_clock_can_be_wrong(void **state)
{
	struct fixture *f = *state;
	int64_t t_ns = 0;

	f->host->wall_step_ns = -86400 * ES_NS_PER_S;
	assert_int_equal(get(f, V1 "/Managers/1"), 200);
	assert_int_equal(es_time_parse(json_string_value(at(f, "DateTime", NULL)), &t_ns), 0);
	assert_int_equal(t_ns % ES_NS_PER_S, 0);
	assert_in_range(es_clock_unix_ns() - t_ns, 86400 * ES_NS_PER_S, 86460 * ES_NS_PER_S);
}

static void a_limit_acts_on_the_node(void **state)
{
	struct fixture *f = *state;
	struct es_twin_limit limit;

	assert_int_equal(ask(f, "PATCH", V1 "/Chassis/1/Power",
			     "{\"PowerControl\": [{\"PowerLimit\": {\"LimitInWatts\": 600, "
			     "\"CorrectionInMs\": 2000}}]}"),
			 204);
	assert_int_equal(es_twin_limit(f->host->node, ES_TWIN_BOARD, 0, 0, &limit), 0);
	assert_true(limit.is_enabled);
	assert_int_equal(limit.power_uw, 600000000);
	assert_int_equal(get(f, V1 "/Chassis/1/Power"), 200);
	assert_int_equal(json_integer_value(json_object_get(at(f, "PowerControl", "PowerLimit"),
							    "LimitInWatts")),
			 600);
	assert_int_equal(ask(f, "PATCH", V1 "/Chassis/1/EnvironmentMetrics",
			     "{\"PowerLimitWatts\": {\"ControlMode\": \"Disabled\"}}"),
			 204);
	assert_int_equal(es_twin_limit(f->host->node, ES_TWIN_BOARD, 0, 0, &limit), 0);
	assert_false(limit.is_enabled);
	assert_int_equal(ask(f, "PATCH", V1 "/Chassis/1/EnvironmentMetrics",
			     "{\"PowerLimitWatts\": {\"SetPoint\": 500}}"),
			 204);
	assert_int_equal(es_twin_limit(f->host->node, ES_TWIN_BOARD, 0, 0, &limit), 0);
	assert_int_equal(limit.power_uw, 500000000);
	assert_int_equal(ask(f, "PATCH", V1 "/Chassis/1/Power",
			     "{\"PowerControl\": [{\"PowerLimit\": {\"LimitInWatts\": null}}]}"),
			 204);
	assert_int_equal(es_twin_limit(f->host->node, ES_TWIN_BOARD, 0, 0, &limit), 0);
	assert_false(limit.is_enabled);
}

static void wrong_limits_are_refused(void **state)
{
	static const char *const bodies[] = {
		"",
		"[]",
		"{",
		"{}",
		"{\"PowerControl\": 1}",
		"{\"PowerControl\": [{\"PowerLimit\": {\"LimitInWatts\": \"600\"}}]}",
		"{\"PowerControl\": [{\"PowerLimit\": {\"LimitInWatts\": -5}}]}",
		"{\"PowerControl\": [{\"PowerLimit\": {\"LimitInWatts\": 1}}]}",
		"{\"PowerControl\": [{\"PowerLimit\": {\"LimitInWatts\": 1e9}}]}",
		("{\"PowerControl\": [{\"PowerLimit\": {\"LimitInWatts\": 600, "
		 "\"CorrectionInMs\": -1}}]}"),
		"{\"PowerLimitWatts\": {\"ControlMode\": \"Perhaps\"}}",
	};
	struct fixture *f = *state;
	struct es_twin_limit limit;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		assert_int_equal(ask(f, "PATCH", V1 "/Chassis/1/Power", bodies[i]), 400);
		assert_non_null(at(f, "error", "code"));
	}
	assert_int_equal(es_twin_limit(f->host->node, ES_TWIN_BOARD, 0, 0, &limit), 0);
	assert_false(limit.is_enabled);
	assert_int_equal(ask(f, "PATCH", V1 "/Chassis/1", "{}"), 405);
	assert_int_equal(ask(f, "DELETE", V1 "/Chassis/1/Power", NULL), 405);
	f->host->kind = es_twin_kind_find("skx2s", NULL);
	assert_int_equal(ask(f, "POST", V1 "/Systems", "{}"), 405);
}

static void a_kind_without_a_controller_says_so(void **state)
{
	struct fixture *f = *state;
	struct es_twin_kind kind = f->kind;
	const struct es_twin_options options = { .start_ns = 1 };
	struct es_twin_host *host = NULL;
	struct es_twin_bmc *bmc = NULL;
	struct es_error err = { .code = 0 };

	kind.meters.has_bmc = false;
	assert_int_equal(es_twin_host_create(&kind, &options, "n2", "", &host, &err), 0);
	assert_int_equal(es_twin_bmc_start(host, &(struct es_twin_bmc_options){ .mount = "/a" },
					   &bmc, &err),
			 -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "no management controller"));
	assert_null(bmc);
	es_twin_host_destroy(host);
}

int main(void)
{
#define SERVED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		SERVED(all_links_lead_somewhere),
		SERVED(only_the_root_is_open_to_all),
		SERVED(sessions_are_opened_and_ended),
		SERVED(powers_are_those_of_the_meter),
		SERVED(a_meter_that_fails_shows_null),
		SERVED(its_clock_can_be_wrong),
		SERVED(a_limit_acts_on_the_node),
		SERVED(wrong_limits_are_refused),
		SERVED(a_kind_without_a_controller_says_so),
	};
	struct es_httpd_library *server = NULL;
	struct es_http_library *client = NULL;

	if (es_httpd_library_open(NULL, &server, NULL) < 0 ||
	    es_http_library_open(NULL, &client, NULL) < 0) {
		(void)printf("1..0 # SKIP no libmicrohttpd or libcurl\n");
		es_httpd_library_close(server);
		return 0;
	}
	es_httpd_library_close(server);
	es_http_library_close(client);
	return cmocka_run_group_tests_name("twin/redfish", tests, NULL, NULL);
}
