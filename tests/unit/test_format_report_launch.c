/*
 * test_format_report_launch.c - what a recording says of its launch, told again
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <string.h>

#include "format/report_launch.h"

static void what_was_noted_reads_back(void **state)
{
	const struct es_report_launch launch = { .how = ES_LAUNCH_UNDER,
						 .by = "Open MPI",
						 .rank = 0,
						 .ranks = 64,
						 .local_ranks = 32,
						 .nodes = 2 };
	struct es_report_launch again = ES_REPORT_LAUNCH_UNKNOWN;
	char text[ES_NAME_MAX_BYTES];

	(void)state;
	assert_int_equal(es_report_launch_text(&launch, text, sizeof(text)), 0);
	es_report_launch_parse(text, launch.ranks, &again);
	assert_int_equal(again.how, ES_LAUNCH_UNDER);
	assert_string_equal(again.by, "Open MPI");
	assert_int_equal(again.rank, 0);
	assert_int_equal(again.ranks, 64);
	assert_int_equal(again.local_ranks, 32);
	assert_int_equal(again.nodes, 2);
	assert_int_equal(es_report_launch_text(&launch, text, 20), -ENAMETOOLONG);
}

static void other_texts_say_nothing(void **state)
{
	static const char *const texts[] = { "",	  "under",	 "under rank=1",
					     "none by=x", "beside by=x", "underneath rank=1 by=x" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct es_report_launch launch = ES_REPORT_LAUNCH_UNKNOWN;

		es_report_launch_parse(texts[i], 4, &launch);
		assert_int_equal(launch.how, ES_LAUNCH_NONE);
		assert_int_equal(launch.ranks, -1);
	}
}

static void numbers_that_make_no_sense_are_not_known(void **state)
{
	struct es_report_launch launch = ES_REPORT_LAUNCH_UNKNOWN;

	(void)state;
	es_report_launch_parse("under rank=-7 local=99999999999999999999999 nodes=2x by=m",
			       INT64_MIN, &launch);
	assert_int_equal(launch.how, ES_LAUNCH_UNDER);
	assert_int_equal(launch.rank, -1);
	assert_int_equal(launch.local_ranks, -1);
	assert_int_equal(launch.nodes, -1);
	assert_int_equal(launch.ranks, -1);
}

static void the_table_says_who_measured(void **state)
{
	struct es_report_launch launch = { .how = ES_LAUNCH_UNDER,
					   .by = "Slurm",
					   .rank = 3,
					   .ranks = 64,
					   .local_ranks = 32,
					   .nodes = 2 };
	struct es_buf out;

	(void)state;
	es_buf_init(&out, 4096);
	es_report_launch_rows(&launch, &out);
	assert_int_equal(es_buf_u8(&out, 0), 0);
	assert_string_equal((const char *)out.data,
			    "  ranks      rank 3 of 64 measured this node for its 32 (Slurm)\n"
			    "  nodes      1 of 2 measured here; each has a recording of its own\n");
	es_buf_reset(&out);
	launch.how = ES_LAUNCH_NONE;
	es_report_launch_rows(&launch, &out);
	assert_int_equal(out.len, 0);
	es_buf_finish(&out);
}

static void the_table_says_what_ran_elsewhere(void **state)
{
	static const struct {
		enum es_launch_how how;
		int64_t nodes;
		const char *row;
	} vectors[] = {
		{ ES_LAUNCH_AROUND, 4, "1 of 4 nodes measured: mpirun" },
		{ ES_LAUNCH_AROUND, -1, "some work ran elsewhere: mpirun" },
		{ ES_LAUNCH_AROUND, 1, NULL },
		{ ES_LAUNCH_ELSEWHERE, 2, "0 of 2 nodes measured: mpirun" },
		{ ES_LAUNCH_ELSEWHERE, -1, "some work ran elsewhere: mpirun" },
		{ ES_LAUNCH_DAEMON, 1, "on this machine, by the daemon of mpirun" },
	};
	struct es_buf out;

	(void)state;
	es_buf_init(&out, 4096);
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct es_report_launch launch = ES_REPORT_LAUNCH_UNKNOWN, again = launch;
		char text[ES_NAME_MAX_BYTES];

		launch.how = vectors[i].how;
		launch.nodes = vectors[i].nodes;
		memcpy(launch.by, "mpirun", sizeof("mpirun"));
		assert_int_equal(es_report_launch_text(&launch, text, sizeof(text)), 0);
		es_report_launch_parse(text, -1, &again);
		assert_int_equal(again.how, launch.how);
		assert_int_equal(again.nodes, launch.nodes);
		es_buf_reset(&out);
		es_report_launch_rows(&again, &out);
		assert_int_equal(es_buf_u8(&out, 0), 0);
		if (vectors[i].row)
			assert_non_null(strstr((const char *)out.data, vectors[i].row));
		else
			assert_int_equal(out.len, 1);
	}
	es_buf_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_noted_reads_back),
		cmocka_unit_test(other_texts_say_nothing),
		cmocka_unit_test(numbers_that_make_no_sense_are_not_known),
		cmocka_unit_test(the_table_says_who_measured),
		cmocka_unit_test(the_table_says_what_ran_elsewhere),
	};

	return cmocka_run_group_tests_name("format/report_launch", tests, NULL, NULL);
}
