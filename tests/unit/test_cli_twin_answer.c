/*
 * test_cli_twin_answer.c - what a twin says of a load and of its energies: what is believed, and what is not
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/twin_answer.h"

static void states_are_read(void **state)
{
	struct es_twin_play_state told;

	(void)state;
	assert_int_equal(es_twin_answer_state("running 3 0.25 1000 7\nedge 0 1\n", &told), 0);
	assert_false(told.is_done);
	assert_int_equal(told.phase, 3);
	assert_int_equal(told.share_ppm, 250000);
	assert_int_equal(told.end_ns, 1000);
	assert_int_equal(told.n_done, 7);
	assert_int_equal(es_twin_answer_state("done 500 1000 9\n", &told), 0);
	assert_true(told.is_done);
	assert_int_equal(told.begin_ns, 500);
	assert_int_equal(told.end_ns, 1000);
	assert_int_equal(told.n_done, 9);
}

static void other_states_are_not_believed(void **state)
{
	static const char *const texts[] = {
		"",
		"ready\n",
		"error no\n",
		"running\n",
		"running 3 1.25 1000 7\n",
		"running 3 -0.25 1000 7\n",
		"running 3 0.25x 1000 7\n",
		"running -3 0.25 1000 7\n",
		"running 3 0.25 -1000 7\n",
		"running 3 0.25 9223372036854775807 7\n",
		"running 3 0.25 1000\n",
		"done 1 x 9\n",
		"done 1 2\n",
	};
	struct es_twin_play_state told = { .n_done = 77 };

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(texts); i++)
		if (es_twin_answer_state(texts[i], &told) != -EBADMSG || told.n_done != 77)
			fail_msg("'%s' was believed", texts[i]);
}

static void edges_are_read_as_far_as_they_go(void **state)
{
	int64_t t_ns[ES_TWIN_TIMES_MAX];
	char many[20000] = "done 1 2 3\n";
	size_t at = strlen(many);

	(void)state;
	assert_int_equal(es_twin_answer_edges("done 1 2 3\n", t_ns), 0);
	assert_int_equal(es_twin_answer_edges("done 1 2 3\nedge 4 lost\nedge 5 17\nedge 6 "
					      "9223372036854775807\nwhat 7 18\nedge 8 19\n",
					      t_ns),
			 3);
	assert_int_equal(t_ns[0], INT64_MIN);
	assert_int_equal(t_ns[1], 17);
	assert_int_equal(t_ns[2], INT64_MIN);
	for (unsigned i = 0; i < 1000; i++)
		at += (size_t)sprintf(many + at, "edge %u %u\n", i, 1000 + i);
	assert_int_equal(es_twin_answer_edges(many, t_ns), ES_TWIN_TIMES_MAX);
	assert_int_equal(t_ns[ES_TWIN_TIMES_MAX - 1], 1000 + ES_TWIN_TIMES_MAX - 1);
}

static void energies_are_read(void **state)
{
	static char names[ES_TWIN_COLUMNS_MAX][ES_TWIN_COLUMN_BYTES];
	char head[] = "t_ns,node,gpu-chip-0\n10,5,3\n";
	char text[] = "t_ns,node,gpu-chip-0\n10,5,3\n20,18446744073709551615,4\n";
	const int64_t t_ns[] = { 10, 20 };
	uint64_t energies_uj[4];
	size_t n;

	(void)state;
	assert_int_equal(es_twin_answer_names(head, names, &n), 0);
	assert_int_equal(n, 2);
	assert_string_equal(names[0], "node");
	assert_string_equal(names[1], "gpu-chip-0");
	assert_int_equal(es_twin_answer_rows(text, t_ns, 2, n, energies_uj), 0);
	assert_int_equal(energies_uj[0], 5);
	assert_int_equal(energies_uj[1], 3);
	assert_true(energies_uj[2] == UINT64_MAX);
	assert_int_equal(energies_uj[3], 4);
}

static void other_energies_are_not_believed(void **state)
{
	static const struct {
		const char *text;
		int names, rows;
	} vectors[] = {
		{ "", -EBADMSG, -EBADMSG },
		{ "t_ns\n", -EBADMSG, -EBADMSG },
		{ "node,t_ns\n1,2\n", -EBADMSG, -EBADMSG },
		{ "t_ns,node,\x1b[2J\n", -EBADMSG, -EBADMSG },
		{ "t_ns,node,a-name-that-is-longer-than-any-part-has\n", -E2BIG, -EBADMSG },
		{ "t_ns,node,board\n", 0, -EBADMSG },
		{ "t_ns,node,board\n10,1\n", 0, -EBADMSG },
		{ "t_ns,node,board\n10,1,2,3\n", 0, -EBADMSG },
		{ "t_ns,node,board\n11,1,2\n", 0, -EBADMSG },
		{ "t_ns,node,board\n10,1,-2\n", 0, -EBADMSG },
		{ "t_ns,node,board\n10,1,2", 0, 0 },
	};
	static char names[ES_TWIN_COLUMNS_MAX][ES_TWIN_COLUMN_BYTES];
	const int64_t t_ns = 10;

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		char head[128], text[128];
		uint64_t energies_uj[2];
		size_t n;

		(void)snprintf(head, sizeof(head), "%s", vectors[i].text);
		(void)snprintf(text, sizeof(text), "%s", vectors[i].text);
		if (es_twin_answer_names(head, names, &n) != vectors[i].names ||
		    es_twin_answer_rows(text, &t_ns, 1, 2, energies_uj) != vectors[i].rows)
			fail_msg("'%s' is judged wrongly", vectors[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(states_are_read),
		cmocka_unit_test(other_states_are_not_believed),
		cmocka_unit_test(edges_are_read_as_far_as_they_go),
		cmocka_unit_test(energies_are_read),
		cmocka_unit_test(other_energies_are_not_believed),
	};

	return cmocka_run_group_tests_name("cli/twin_answer", tests, NULL, NULL);
}
