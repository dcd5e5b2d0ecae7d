/*
 * test_daemon_config.c - what a site sets for the daemon: all mistakes at once, and a manual that knows every key
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "daemon/config.h"
#include "daemon/housekeeping.h"
#include "support/failing_malloc.h"

#define FILE_MAX_BYTES 65536

static int parse(const char *text, struct es_daemon_config *ret, char **ret_problems)
{
	return es_daemon_config_parse("f.yaml", text, strlen(text), ret, ret_problems, NULL);
}

static void nothing_needs_to_be_set(void **state)
{
	struct es_daemon_config config;

	(void)state;
	assert_int_equal(parse("", &config, NULL), 0);
	assert_int_equal(config.period_ns, ES_NS_PER_S);
	assert_string_equal(config.socket, "/run/energyscopium/socket");
	assert_string_equal(config.group, "energyscopium");
	assert_int_equal(config.serve, ES_SERVE_JOBS);
	assert_false(config.has_fast_readings);
	assert_int_equal(config.quota_bytes, 1000000000);
	assert_int_equal(config.keep_ns, 0);
	assert_int_equal(config.idle_mw, 0);
	assert_int_equal(config.scan_period_ns, 5 * ES_NS_PER_S);
	assert_int_equal(config.housekeeping_cpu, ES_HOUSEKEEPING_AUTO);
	assert_int_equal(config.log_level, ES_LOG_INFO);
	assert_int_equal(config.n_meters, 0);
	es_daemon_config_finish(&config);
}

static void every_key_is_taken(void **state)
{
	static const char text[] =
		"cluster: big\nfast_readings: yes\ngroup: wheel\n"
		"housekeeping_cpu: 3\nidle_power: 95.5W\nkeep: 90d\n"
		"log_level: debug\nmeters:\n  - \"dcmi:\"\n  - \"file:/x?unit=W\"\n"
		"node: n1\nnode_recording: yes\nperiod: 100ms\npsys: trust\n"
		"quota: 2.5GB\nscan_period: 0\nserve: everybody\n"
		"shared: /shared\nsocket: /tmp/s\nspool: /var/x\n";
	struct es_daemon_config config;
	char *problems = NULL;

	(void)state;
	assert_int_equal(parse(text, &config, &problems), 0);
	assert_null(problems);
	assert_string_equal(config.cluster, "big");
	assert_true(config.has_fast_readings);
	assert_string_equal(config.group, "wheel");
	assert_int_equal(config.housekeeping_cpu, 3);
	assert_int_equal(config.idle_mw, 95500);
	assert_int_equal(config.keep_ns, 90 * 86400 * ES_NS_PER_S);
	assert_int_equal(config.log_level, ES_LOG_DEBUG);
	assert_int_equal(config.n_meters, 2);
	assert_string_equal(config.meters[0].scheme, "dcmi");
	assert_string_equal(config.meters[1].scheme, "file");
	assert_string_equal(config.node_name, "n1");
	assert_true(config.keeps_node);
	assert_int_equal(config.period_ns, 100 * ES_NS_PER_MS);
	assert_int_equal(config.psys, ES_PSYS_TRUST);
	assert_int_equal(config.quota_bytes, 2500000000);
	assert_int_equal(config.scan_period_ns, 0);
	assert_int_equal(config.serve, ES_SERVE_EVERYBODY);
	assert_string_equal(config.shared, "/shared");
	assert_string_equal(config.socket, "/tmp/s");
	assert_string_equal(config.spool, "/var/x");
	es_daemon_config_finish(&config);
}

static void all_mistakes_are_told_with_their_lines(void **state)
{
	static const char text[] = "period: 0\nsokcet: /x\nquota: 5\nhousekeeping_cpu: many\n"
				   "spool: here\nmeters:\n  - \"dcmi:\"\n  - \"nosuch://x\"\n"
				   "  - nonsense\nserve: nobody\nspool: /again\n";
	static const char *const said[] = {
		"f.yaml:1: 'period'",
		"f.yaml:2: key 'sokcet' is not known; did you mean 'socket'?",
		"f.yaml:3: 'quota' is '5'",
		"f.yaml:4: 'housekeeping_cpu' is 'many'",
		"f.yaml:5: 'here' must be a path",
		"f.yaml:8: meter 'nosuch://x'",
		"f.yaml:9: ",
		"f.yaml:10: 'serve' is 'nobody'",
		"f.yaml:11: key 'spool' was given on line 5 already",
	};
	struct es_daemon_config config = { .period_ns = 7 };
	es_cleanup(es_freep) char *problems = NULL;

	(void)state;
	assert_int_equal(parse(text, &config, &problems), -EINVAL);
	assert_non_null(problems);
	for (size_t i = 0; i < ES_ARRAY_SIZE(said); i++)
		if (!strstr(problems, said[i]))
			fail_msg("'%s' is not in\n%s", said[i], problems);
	assert_int_equal(config.period_ns, 7); /* nothing is set */
}

/* A file of the source; an empty text where it is not there. */
static char *read_source(const char *name)
{
	char path[4096];
	char *text = calloc(1, FILE_MAX_BYTES);
	const char *root = getenv("ES_SOURCE_ROOT");
	es_cleanup(es_fclosep) FILE *file = NULL;

	assert_non_null(text);
	(void)snprintf(path, sizeof(path), "%s/%s", root ? root : ".", name);
	file = fopen(path, "re");
	if (file)
		(void)fread(text, 1, FILE_MAX_BYTES - 1, file);
	assert_true(text[0] != '\0');
	return text;
}

static void the_manual_has_every_key(void **state)
{
	es_cleanup(es_freep) char *page = read_source("doc/man/energyscopiumd.yaml.5");
	size_t n, n_entries = 0;
	const struct es_conf_key *schema = es_daemon_schema(&n);

	(void)state;
	for (size_t i = 0; i < n; i++) {
		char entry[80];
		const char *at;

		(void)snprintf(entry, sizeof(entry), "\n.It Ic %s", schema[i].key);
		at = strstr(page, entry);
		if (!at || (at[strlen(entry)] != '\n' && at[strlen(entry)] != ' '))
			fail_msg("the manual has no '%s'", schema[i].key);
	}
	for (const char *p = page; (p = strstr(p, "\n.It Ic ")); p++)
		n_entries++;
	assert_int_equal(n_entries, n);
}

/* Also with all that it only shows. */
static void the_example_is_right(void **state)
{
	es_cleanup(es_freep) char *text = read_source("etc/energyscopiumd.yaml");
	struct es_daemon_config config;
	es_cleanup(es_freep) char *problems = NULL;

	(void)state;
	assert_int_equal(parse(text, &config, NULL), 0);
	es_daemon_config_finish(&config);
	for (char *p = strchr(text, '\n'); p && p[1]; p = strchr(p + 1, '\n'))
		if (p[1] == '#' && p[2] != ' ' && p[2] != '\n')
			memmove(p + 1, p + 2, strlen(p + 2) + 1);
		else if (p[1] == '#' && p[2] == ' ' && p[3] == ' ' && p[4] == '-')
			p[1] = ' ';
	if (parse(text, &config, &problems) != 0)
		fail_msg("%s\n%s", problems, text);
	assert_int_equal(config.n_meters, 1);
	es_daemon_config_finish(&config);
}

static void a_named_file_must_be_there(void **state)
{
	struct es_daemon_config config;
	struct es_error err = { .code = 0 };

	(void)state;
	assert_int_equal(es_daemon_config_load("/no/such/file.yaml", &config, NULL, &err), -EINVAL);
	assert_non_null(strstr(err.text, "'/no/such/file.yaml' is not there"));
}

static void without_memory_nothing_is_taken(void **state)
{
	static const char text[] = "period: 2s\nmeters:\n  - \"dcmi:\"\nquota: x\n";
	static const char right[] = "period: 2s\nmeters:\n  - \"dcmi:\"\n";

	(void)state;
	if (!failing_malloc_works())
		return;
	for (unsigned long i = 1;; i++) {
		long before = failing_malloc_live();
		struct es_daemon_config config;
		char *problems = NULL;
		bool was_hit;
		int r;

		failing_malloc_at(i);
		r = parse(i % 2 ? text : right, &config, &problems);
		was_hit = failing_malloc_hit();
		failing_malloc_at(0);
		if (r == 0)
			es_daemon_config_finish(&config);
		free(problems);
		assert_true(r == 0 || r == -ENOMEM || r == -EINVAL);
		assert_int_equal(failing_malloc_live(), before);
		if (!was_hit && i % 2 == 0)
			break;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_needs_to_be_set),
		cmocka_unit_test(every_key_is_taken),
		cmocka_unit_test(all_mistakes_are_told_with_their_lines),
		cmocka_unit_test(the_manual_has_every_key),
		cmocka_unit_test(the_example_is_right),
		cmocka_unit_test(a_named_file_must_be_there),
		cmocka_unit_test(without_memory_nothing_is_taken),
	};

	return cmocka_run_group_tests_name("daemon/config", tests, NULL, NULL);
}
