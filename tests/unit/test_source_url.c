/*
 * test_source_url.c - meters named by an URL, and the files with their secrets
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "source/url.h"
#include "support/tree.h"

static void is_split_into_its_parts(void **state)
{
	struct es_meter_url url;

	(void)state;
	assert_int_equal(es_meter_url_parse("redfish://bmc-{host}:8443/redfish/v1/Chassis/Self%201"
					    "?credentials=/etc/bmc&verify=no#/a~1b",
					    "n17", &url, NULL),
			 0);

	assert_string_equal(url.scheme, "redfish");
	assert_string_equal(url.host, "bmc-n17");
	assert_int_equal(url.port, 8443);
	assert_string_equal(url.path, "/redfish/v1/Chassis/Self 1");
	assert_string_equal(url.fragment, "/a~1b");
	assert_string_equal(es_meter_url_param(&url, "credentials"), "/etc/bmc");
	assert_string_equal(es_meter_url_param(&url, "verify"), "no");
	assert_null(es_meter_url_param(&url, "no"));
	assert_int_equal(url.type, ES_DOMAIN_NODE);
	assert_string_equal(url.name, "node");
	assert_false(url.has_unit);
}

static void may_have_its_pointer_first_and_no_host(void **state)
{
	struct es_meter_url url;

	(void)state;
	assert_int_equal(es_meter_url_parse("file:/run/w.json#/watts?unit=W&scale=0.1&accuracy=2%25"
					    "&period=2s&window=500ms&domain=psu-1",
					    "n17", &url, NULL),
			 0);

	assert_string_equal(url.host, "");
	assert_string_equal(url.path, "/run/w.json");
	assert_string_equal(url.fragment, "/watts");
	assert_int_equal(url.accuracy_ppm, 20000);
	assert_int_equal(url.period_ns, 2000000000);
	assert_int_equal(url.window_ns, 500000000);
	assert_int_equal(url.type, ES_DOMAIN_OTHER);
	assert_string_equal(url.name, "psu-1");
	assert_true(url.unit > 99.9 && url.unit < 100.1);

	assert_int_equal(es_meter_url_parse("x:?domain=feed-1", "n17", &url, NULL), 0);
	assert_int_equal(url.type, ES_DOMAIN_NODE);
	assert_int_equal(url.number, 1);
	assert_string_equal(url.name, "feed-1");

	assert_int_equal(es_meter_url_parse("dcmi:", "n17", &url, NULL), 0);
	assert_string_equal(url.host, "");
	assert_string_equal(url.path, "");
	assert_int_equal(es_meter_url_parse("snmp://[fe80::1]:161/1.3", "n17", &url, NULL), 0);
	assert_string_equal(url.host, "fe80::1");
	assert_int_equal(url.port, 161);
}

static void refuses_what_it_cannot_mean(void **state)
{
	static const struct {
		const char *text, *words;
	} vectors[] = {
		{ "bmc-17", "no SCHEME:" },
		{ "://x", "no SCHEME:" },
		{ "RED://x", "no SCHEME:" },
		{ "redfish://root:calvin@bmc", "credentials=FILE" },
		{ "redfish://bmc:0", "port" },
		{ "redfish://bmc:70000", "port" },
		{ "redfish://bmc:", "port" },
		{ "redfish://b c", "host" },
		{ "redfish://[::1", "']'" },
		{ "redfish://bmc/%zz", "path" },
		{ "redfish://bmc/a%00b", "path" },
		{ "redfish://bmc?x", "KEY=VALUE" },
		{ "redfish://bmc?x=1&x=2", "'x' is given twice" },
		{ "redfish://bmc#a?b=1#c", "second '?'" },
		{ "redfish://bmc#a#b", "second '?' or '#'" },
		{ "redfish://bmc?unit=F", "unit=" },
		{ "redfish://bmc?scale=0.1", "needs unit=" },
		{ "redfish://bmc?unit=W&scale=-1", "scale=" },
		{ "redfish://bmc?period=5", "period=" },
		{ "redfish://bmc?timeout=2min", "timeout=" },
		{ "redfish://bmc?accuracy=0%25", "accuracy=" },
		{ "redfish://bmc?domain=socket-1", "domain=" },
		{ "redfish://bmc?domain=gpu", "domain=" },
		{ "redfish://bmc?domain=gpu-999", "domain=" },
		{ "redfish://bmc?name=a/b", "name" },
		{ "redfish://bmc?unit=W&range=5", "range=" },
		{ "redfish://bmc\n", "control character" },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		struct es_error err = { .code = 0 };
		struct es_meter_url url;

		if (es_meter_url_parse(vectors[i].text, "n17", &url, &err) != -EINVAL ||
		    !strstr(err.text, vectors[i].words))
			fail_msg("'%s': '%s', expected '%s'", vectors[i].text, err.text,
				 vectors[i].words);
	}
}

static void refuses_what_is_too_long(void **state)
{
	char text[4000], host[300];
	struct es_meter_url url;

	(void)state;
	memset(host, 'h', sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	(void)snprintf(text, sizeof(text), "file:/%01200d", 0);
	assert_int_equal(es_meter_url_parse(text, "n", &url, NULL), -EINVAL);
	(void)snprintf(text, sizeof(text), "file:/%0600d", 0);
	assert_int_equal(es_meter_url_parse(text, "n", &url, NULL), -EINVAL);
	assert_int_equal(es_meter_url_parse("redfish://{host}", host, &url, NULL), -EINVAL);
	assert_int_equal(es_meter_url_parse("file:/{host}{host}{host}{host}", host, &url, NULL),
			 -EINVAL);
}

static void names_the_parameter_that_may_have_been_meant(void **state)
{
	static const char *const known[] = { "query", "register", NULL };
	struct es_error err = { .code = 0 };
	struct es_meter_url url;

	(void)state;
	assert_int_equal(es_meter_url_parse("x:?qeury=1", "n", &url, NULL), 0);
	assert_int_equal(es_meter_url_check(&url, known, &err), -EINVAL);
	assert_non_null(strstr(err.text, "'qeury' is not known; did you mean 'query'?"));
	assert_int_equal(es_meter_url_parse("x:?priod=1", "n", &url, NULL), 0);
	assert_int_equal(es_meter_url_check(&url, known, &err), -EINVAL);
	assert_non_null(strstr(err.text, "did you mean 'period'?"));
	assert_int_equal(es_meter_url_parse("x:?query=1&period=1s", "n", &url, NULL), 0);
	assert_int_equal(es_meter_url_check(&url, known, &err), 0);
}

static void gives_values_in_its_unit(void **state)
{
	struct es_meter_url url;
	struct es_domain domain;
	uint64_t v;

	(void)state;
	assert_int_equal(es_meter_url_parse("x:", "n", &url, NULL), 0);
	assert_int_equal(es_meter_value(&url, 412.5, 1000, &v), 0);
	assert_int_equal(v, 412500);
	assert_int_equal(es_meter_value(&url, -1, 1000, &v), -ERANGE);
	assert_int_equal(es_meter_value(&url, 1e12, 1000, &v), -ERANGE);
	assert_int_equal(es_meter_value(&url, (double)NAN, 1000, &v), -EBADMSG);
	assert_int_equal(es_meter_value(&url, (double)INFINITY, 1000, &v), -EBADMSG);
	es_meter_domain(&url, "kind", &domain);
	assert_string_equal(domain.id, "kind/node");
	assert_true(domain.is_power);
	assert_int_equal(domain.kind, ES_KIND_INTEGRATED);

	assert_int_equal(es_meter_url_parse("x:?unit=kWh&scale=0.1&range=9999&accuracy=1%25", "n",
					    &url, NULL),
			 0);
	assert_int_equal(es_meter_value(&url, 3, 0, &v), 0);
	assert_int_equal(v, 1080000000000);
	es_meter_domain(&url, "kind", &domain);
	assert_false(domain.is_power);
	assert_int_equal(domain.kind, ES_KIND_MEASURED);
	assert_int_equal(domain.accuracy_ppm, 10000);
	assert_int_equal(domain.range.unit_nj, 360000000000000);
	assert_int_equal(domain.range.modulus_nj, 3600000000000000000);
}

static int read_secrets(const char *dir, const char *text, mode_t mode, struct es_credentials *ret,
			struct es_error *err)
{
	char path[200], name[300];
	struct es_meter_url url;
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/secrets", dir);
	(void)snprintf(name, sizeof(name), "x:?credentials=%s", path);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, mode), 0);
	assert_int_equal(es_meter_url_parse(name, "n", &url, NULL), 0);
	return es_meter_url_credentials(&url, ret, err);
}

static void reads_secrets_that_nobody_else_can_read(void **state)
{
	struct es_credentials secrets;
	struct es_error err = { .code = 0 };
	struct es_meter_url url;
	char dir[64];

	(void)state;
	assert_int_equal(es_tree_temp(dir), 0);
	assert_int_equal(read_secrets(dir, "# bmc\nuser: root\r\npassword: a: b \nprivacy: c\n",
				      0600, &secrets, &err),
			 0);
	assert_string_equal(secrets.user, "root");
	assert_string_equal(secrets.password, "a: b ");
	assert_string_equal(secrets.more, "c");
	es_credentials_finish(&secrets);
	assert_string_equal(secrets.password, "");

	assert_int_equal(read_secrets(dir, "user: root\n", 0644, &secrets, &err), -EPERM);
	assert_non_null(strstr(err.text, "chmod 600"));
	assert_int_equal(read_secrets(dir, "user root\n", 0600, &secrets, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "line 1"));
	assert_int_equal(read_secrets(dir, "user: a\nuser: b\n", 0600, &secrets, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "line 2"));
	assert_int_equal(es_meter_url_parse("x:?credentials=/nowhere/at/all", "n", &url, NULL), 0);
	assert_int_equal(es_meter_url_credentials(&url, &secrets, &err), -EACCES);
	assert_int_equal(es_meter_url_parse("x:", "n", &url, NULL), 0);
	assert_int_equal(es_meter_url_credentials(&url, &secrets, &err), -ENOENT);
	es_tree_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_split_into_its_parts),
		cmocka_unit_test(may_have_its_pointer_first_and_no_host),
		cmocka_unit_test(refuses_what_it_cannot_mean),
		cmocka_unit_test(refuses_what_is_too_long),
		cmocka_unit_test(names_the_parameter_that_may_have_been_meant),
		cmocka_unit_test(gives_values_in_its_unit),
		cmocka_unit_test(reads_secrets_that_nobody_else_can_read),
	};

	return cmocka_run_group_tests_name("source/url", tests, NULL, NULL);
}
