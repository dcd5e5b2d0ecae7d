/*
 * test_format_wattmeter.c - a wattmeter's CSV, and a published BMC held against its wattmeter
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

#include "base/buf.h"
#include "core/crosscheck.h"
#include "format/wattmeter.h"

#define S 1000000000LL
#define T0 1773403200LL

static void assert_near(double value, double expected, double tolerance)
{
	if (!(fabs(value - expected) <= tolerance))
		fail_msg("%.12g is not %.12g within %g", value, expected, tolerance);
}

static int parse(const char *text, struct es_wattmeter *ret, struct es_error *err)
{
	char copy[4096];

	*ret = (struct es_wattmeter){ .n = 0 };
	(void)snprintf(copy, sizeof(copy), "%s", text);
	return es_wattmeter_parse(copy, strlen(copy), ret, err);
}

static void times_and_powers_are_read_and_put_in_order(void **state)
{
	struct es_wattmeter meter;
	struct es_course course;
	double w;

	(void)state;
	assert_int_equal(parse("note,time,power_w\nx,2026-03-13T12:00:02Z,300\n,1773403200,100.5\n"
			       ",1773403201.5,200\n",
			       &meter, NULL),
			 0);
	assert_int_equal(meter.n, 3);
	assert_false(meter.is_energy);
	assert_int_equal(meter.readings[0].t_unix_ns, T0 * S);
	assert_int_equal(meter.readings[0].value, 100500);
	assert_int_equal(meter.readings[1].t_unix_ns, T0 * S + 3 * S / 2);
	assert_int_equal(meter.readings[2].value, 300000);
	assert_int_equal(es_wattmeter_course(&meter, 0, INT64_MAX, -T0 * S, &course), 0);
	assert_true(es_course_power_w(&course, 0, 3 * S / 2, &w));
	assert_near(w, 150.25, 0.01);
	es_course_finish(&course);
	es_wattmeter_finish(&meter);
}

static void energies_are_a_counter(void **state)
{
	struct es_wattmeter meter;
	struct es_course course;
	double w;

	(void)state;
	assert_int_equal(parse("time,energy_j\n1773403200,1000\n1773403210,1500\n1773403220,2500\n",
			       &meter, NULL),
			 0);
	assert_true(meter.is_energy);
	assert_int_equal(es_wattmeter_course(&meter, 0, INT64_MAX, 0, &course), 0);
	assert_true(es_course_power_w(&course, (T0 + 10) * S, (T0 + 20) * S, &w));
	assert_near(w, 100, 1e-9);
	es_course_finish(&course);
	es_wattmeter_finish(&meter);
}

static void what_is_no_wattmeters_file_is_refused_with_the_reason(void **state)
{
	static const char *const texts[] = {
		"",
		"time\n1,2\n",
		"power_w\n1\n",
		"time,power_w\n",
		"time,power_w\n1773403200,1\n",
		"time,power_w\n1773403200,x\n1773403201,y\n1773403202,3\n1773403203,3\n",
		"time,power_w\nyesterday,1\ntoday,2\n",
		"time,power_w\n1773403200,-5\n1773403201,-5\n",
		"time,power_w\n12,5\n13,5\n",
		"time,power_w\n1773403200,nan\n1773403201,inf\n",
		"\"time,power_w\n",
	};
	struct es_wattmeter meter;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct es_error err = { .code = 0 };

		assert_int_equal(parse(texts[i], &meter, &err), -EBADMSG);
		assert_true(err.text[0] != '\0');
	}
}

/* A minute without readings is a gap, not a straight line. */
static void a_long_silence_is_a_gap(void **state)
{
	struct es_wattmeter meter;
	struct es_course course;
	struct es_buf text;
	double w;

	(void)state;
	es_buf_init(&text, 1U << 20);
	(void)es_buf_str(&text, "time,power_w\n");
	for (unsigned i = 0; i < 300; i++)
		if (i < 100 || i > 160)
			(void)es_buf_printf(&text, "%lld,250\n", T0 + i);
	(void)es_buf_u8(&text, 0);
	assert_int_equal(es_wattmeter_parse((char *)text.data, text.len - 1, &meter, NULL), 0);
	assert_int_equal(es_wattmeter_course(&meter, 0, INT64_MAX, -T0 * S, &course), 0);
	assert_true(es_course_power_w(&course, 10 * S, 90 * S, &w));
	assert_false(es_course_power_w(&course, 90 * S, 170 * S, &w));
	assert_true(es_course_power_w(&course, 170 * S, 290 * S, &w));
	es_course_finish(&course);
	es_wattmeter_finish(&meter);
	es_buf_finish(&text);
}

/* Readings of one metric as time,power_w; false: the published file is not here. */
static bool read_published(const char *metric, struct es_wattmeter *ret)
{
	const char *root = getenv("ES_SOURCE_ROOT");
	char path[4096], line[1024];
	struct es_buf text;
	FILE *file;

	(void)snprintf(path, sizeof(path),
		       "%s/../shared/data/energyscope/kwollect-energyscope_energyscope.csv",
		       root ? root : ".");
	file = fopen(path, "re");
	if (!file)
		return false;
	es_buf_init(&text, 1U << 24);
	(void)es_buf_str(&text, "time,power_w\n");
	while (fgets(line, sizeof(line), file)) {
		char time[64], name[64], value[32];

		if (sscanf(line, "%*[^,],%63[^,],%*[^,],%63[^,],%31[^,]", time, name, value) != 3 ||
		    strcmp(name, metric) != 0)
			continue;
		(void)es_buf_printf(&text, "%sZ,%s\n", time, value);
	}
	(void)fclose(file);
	(void)es_buf_u8(&text, 0);
	assert_int_equal(es_wattmeter_parse((char *)text.data, text.len - 1, ret, NULL), 0);
	es_buf_finish(&text);
	return true;
}

static void check_bmc(const struct es_wattmeter *wall, const struct es_wattmeter *bmc)
{
	struct es_domain domains[2];
	struct es_course courses[2];
	struct es_cross cross;
	const struct es_cross_pair *pair;

	es_domain_init(&domains[0], "wattmeter", ES_DOMAIN_NODE, -1, -1);
	es_domain_init(&domains[1], "bmc", ES_DOMAIN_NODE, -1, -1);
	for (size_t i = 0; i < 2; i++) {
		domains[i].is_power = true;
		domains[i].kind = ES_KIND_INTEGRATED;
		domains[i].state = ES_STATE_OK;
		assert_int_equal(es_wattmeter_course(i ? bmc : wall, INT64_MIN / 2, INT64_MAX / 2,
						     0, &courses[i]),
				 0);
	}
	assert_int_equal(es_cross_check(domains, courses, 2, &cross), 0);
	assert_int_equal(cross.n, 1);
	pair = &cross.pairs[0];
	if (pair->code != ES_CROSS_DIFFER)
		fail_msg("%s: %s", es_cross_code_name(pair->code), pair->text);
	assert_near(pair->fit.ratio, 0.892, 0.006);
	assert_true(fabs(pair->fit.ratio - 0.892) < pair->fit.ratio_bound + 0.003);
	assert_true(pair->fit.ratio_bound < 0.03);
	es_cross_finish(&cross);
	es_course_finish(&courses[0]);
	es_course_finish(&courses[1]);
}

/* 0.890 to 0.895 of the wattmeter, as computed from the same file by other means. */
static void the_published_bmc_reads_eleven_percent_less_than_its_wattmeter(void **state)
{
	struct es_wattmeter wall, bmc;

	(void)state;
	if (!read_published("wattmetre_power_watt", &wall)) {
		print_message(
			"# the published measurements are not here: only made-up ones were checked\n");
		return;
	}
	assert_true(read_published("bmc_node_power_watt", &bmc));
	assert_int_equal(wall.n, 610);
	assert_int_equal(bmc.n, 122);
	check_bmc(&wall, &bmc);
	es_wattmeter_finish(&wall);
	es_wattmeter_finish(&bmc);
}

/* The same with a made-up node: steps between 1165 and 1270 W, and a controller that shows 12 W at a time, each 5 s. */
static void a_made_up_bmc_reads_eleven_percent_less(void **state)
{
	struct es_wattmeter wall = { .n = 0 }, bmc = { .n = 0 };
	struct es_buf texts[2];

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		es_buf_init(&texts[k], 1U << 20);
		(void)es_buf_str(&texts[k], "time,power_w\n");
		for (unsigned i = 0; i < 600; i += k ? 5 : 1) {
			double w = 1165 + 35 * (i / 50 % 4);

			(void)es_buf_printf(&texts[k], "%lld,%.3f\n", T0 + i,
					    k ? 12 * round(0.892 * w / 12) : w);
		}
		(void)es_buf_u8(&texts[k], 0);
		assert_int_equal(es_wattmeter_parse((char *)texts[k].data, texts[k].len - 1,
						    k ? &bmc : &wall, NULL),
				 0);
		es_buf_finish(&texts[k]);
	}
	check_bmc(&wall, &bmc);
	es_wattmeter_finish(&wall);
	es_wattmeter_finish(&bmc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_and_powers_are_read_and_put_in_order),
		cmocka_unit_test(energies_are_a_counter),
		cmocka_unit_test(what_is_no_wattmeters_file_is_refused_with_the_reason),
		cmocka_unit_test(a_long_silence_is_a_gap),
		cmocka_unit_test(a_made_up_bmc_reads_eleven_percent_less),
		cmocka_unit_test(the_published_bmc_reads_eleven_percent_less_than_its_wattmeter),
	};

	return cmocka_run_group_tests_name("format/wattmeter", tests, NULL, NULL);
}
