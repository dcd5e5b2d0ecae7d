/*
 * test_slurm_comment.c - unit tests for slurm/comment.c
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "slurm/comment.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "support/test.h"

#define TEXT "energyscopium:energy_j=12.500,uncertainty_j=0.250,kind=measured,nodes=2/4"
#define MEMBER \
	"\"energyscopium\":{\"energy_j\":12.500,\"uncertainty_j\":0.250,\"kind\":\"measured\",\"nodes\":2,\"nodes_total\":4}"

static const struct es_slurm_sum sum = { .n_heard = 2,
					 .n_nodes = 4,
					 .energy_uj = 12500000,
					 .uncertainty_uj = 250000,
					 .kind = "measured" };

static void what_others_wrote_is_kept(void **state)
{
	static const struct {
		const char *old, *merged;
	} cases[] = {
		{ "", TEXT },
		{ "project 7", "project 7; " TEXT },
		{ "energyscopium:energy_j=1", TEXT },
		{ "a; energyscopium:energy_j=1", "a; " TEXT },
		{ "a; energyscopium:energy_j=1; b", "a; b; " TEXT },
		{ "energyscopium:energy_j=1; b", "b; " TEXT },
		{ "about energyscopium: good", "about energyscopium: good; " TEXT },
		{ "{}", "{" MEMBER "}" },
		{ "{\"a\":1}", "{\"a\":1," MEMBER "}" },
		{ "{\"energyscopium\":{\"energy_j\":1}}", "{" MEMBER "}" },
		{ "{\"a\":{\"b\":1},\"energyscopium\":{\"energy_j\":1}}",
		  "{\"a\":{\"b\":1}," MEMBER "}" },
		{ "{\"energyscopium\":{\"energy_j\":1},\"a\":1}", "{\"a\":1," MEMBER "}" },
		{ "{\"a\":1,\"energyscopium\":{\"energy_j\":1},\"b\":2}",
		  "{\"a\":1,\"b\":2," MEMBER "}" },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(cases); i++) {
		char merged[512], again[512];

		assert_int_equal(es_slurm_comment_merge(cases[i].old, &sum, merged, sizeof(merged)),
				 0);
		assert_string_equal(merged, cases[i].merged);
		assert_int_equal(es_slurm_comment_merge(merged, &sum, again, sizeof(again)), 0);
		assert_string_equal(again, merged);
	}
}

static void what_cannot_be_kept_is_left_alone(void **state)
{
	char merged[64];

	(void)state;
	assert_int_equal(es_slurm_comment_merge("it's", &sum, merged, sizeof(merged)), -EILSEQ);
	assert_int_equal(es_slurm_comment_merge("a\\b", &sum, merged, sizeof(merged)), -EILSEQ);
	assert_int_equal(es_slurm_comment_merge("", &sum, merged, sizeof(merged)), -EMSGSIZE);
}

static void nodes_add_up(void **state)
{
	static const struct es_local_job_is nodes[] = {
		{ .job = { .n_nodes = 4, .flags = ES_LOCAL_ENDED },
		  .has_energy = true,
		  .energy_uj = 10000000,
		  .uncertainty_uj = 200000,
		  .kind = "measured" },
		{ .job = { .n_nodes = 4 },
		  .has_energy = true,
		  .energy_uj = 2500000,
		  .uncertainty_uj = 50000,
		  .kind = "estimated" },
		{ .job = { .n_nodes = 4, .flags = ES_LOCAL_ENDED } },
	};
	struct es_slurm_sum got = { .n_heard = 0 };
	char merged[512];

	(void)state;
	assert_int_equal(es_slurm_comment_merge("", &got, merged, sizeof(merged)), -ENODATA);
	for (size_t i = 0; i < ES_ARRAY_SIZE(nodes); i++)
		es_slurm_sum_add(&got, &nodes[i]);
	assert_int_equal(got.n_heard, 3);
	assert_int_equal(got.n_ended, 2);
	assert_int_equal(got.n_nodes, 4);
	assert_int_equal(got.n_unknown, 1);
	assert_int_equal(es_slurm_comment_merge("", &got, merged, sizeof(merged)), 0);
	assert_string_equal(
		merged, "energyscopium:energy_j=12.500,uncertainty_j=0.250,kind=mixed,nodes=2/4");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_others_wrote_is_kept),
		cmocka_unit_test(what_cannot_be_kept_is_left_alone),
		cmocka_unit_test(nodes_add_up),
	};

	return cmocka_run_group_tests_name("slurm/comment", tests, NULL, NULL);
}
