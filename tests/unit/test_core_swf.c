/*
 * test_core_swf.c - traces of jobs: what is read, what is refused, and the words for it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/swf.h"
#include "format/archive.h"

#define TAIL " -1 -1 -1 -1 -1 1 7 3 2 0 1 -1 -1\n"

static const char sample[] =
	"; Version: 2.2\n"
	"; Computer: a machine of our own\n"
	"; MaxNodes: 4\n"
	"; MaxProcs: 8 (two each)\n"
	"; UnixStartTime: 749458803\n"
	"; TimeZoneString: Europe/Paris\n"
	"; Note: one\n"
	";       and more of it\n"
	"; Note: two\n"
	"\n"
	"    1        0     -1   1451  128     -1    -1   -1     -1    -1 -1   1   1  -1 -1 -1 -1 -1\r\n"
	"  2  1460  5  3726  -1  12.5 2048.25 64  7200 4096 5  21  22  23 24 25 1 10\n";

static void a_trace_is_read_with_its_header(void **state)
{
	struct es_swf swf;

	(void)state;
	assert_int_equal(es_swf_parse(sample, strlen(sample), true, &swf, NULL), 0);

	assert_int_equal(swf.n, 2);
	assert_int_equal(swf.n_faults, 0);
	assert_int_equal(swf.max_nodes, 4);
	assert_int_equal(swf.max_procs, 8);
	assert_int_equal(swf.max_jobs, ES_SWF_UNKNOWN);
	assert_int_equal(swf.unix_start_s, 749458803);
	assert_string_equal(swf.computer, "a machine of our own");
	assert_string_equal(swf.timezone, "Europe/Paris");
	assert_int_equal(swf.n_notes, 2);
	es_swf_finish(&swf);
}

static void each_of_the_18_numbers_is_in_its_place(void **state)
{
	const struct es_swf_job *job;
	struct es_swf swf;

	(void)state;
	assert_int_equal(es_swf_parse(sample, strlen(sample), true, &swf, NULL), 0);

	job = &swf.jobs[1];
	assert_int_equal(job->number, 2);
	assert_int_equal(job->submit_s, 1460);
	assert_int_equal(job->wait_s, 5);
	assert_int_equal(job->run_s, 3726);
	assert_int_equal(job->procs, ES_SWF_UNKNOWN);
	assert_int_equal(job->cpu_ms, 12500);
	assert_int_equal(job->memory_kb, 2048);
	assert_int_equal(job->requested_procs, 64);
	assert_int_equal(job->requested_s, 7200);
	assert_int_equal(job->requested_memory_kb, 4096);
	assert_int_equal(job->status, ES_SWF_CANCELLED);
	assert_int_equal(job->user, 21);
	assert_int_equal(job->group, 22);
	assert_int_equal(job->app, 23);
	assert_int_equal(job->queue, 24);
	assert_int_equal(job->partition, 25);
	assert_int_equal(job->preceding, 1);
	assert_int_equal(job->think_s, 10);
	assert_int_equal(es_swf_procs(job), 64);
	assert_int_equal(es_swf_procs(&swf.jobs[0]), 128);
	assert_int_equal(swf.jobs[0].wait_s, ES_SWF_UNKNOWN);
	es_swf_finish(&swf);
}

static void a_wrong_line_is_counted_and_its_reason_kept(void **state)
{
	static const struct {
		const char *line, *reason;
	} wrong[] = {
		{ "1 0 -1 10 4\n", "5 numbers instead of 18" },
		{ "1 0 -1 10 4 -1 -1 -1 -1 -1 1 1 1 1 1 1 -1 -1 7\n", "more than 18 numbers" },
		{ "1 -5 -1 10 4" TAIL, "submit time (number 2) '-5': below 0" },
		{ "1 5 -2 10 4" TAIL,
		  "wait time (number 3) '-2': below 0, and not -1 for not known" },
		{ "1 0 x 10 4" TAIL, "wait time (number 3) 'x': no number" },
		{ "1 0 1 10s 4" TAIL, "run time (number 4) '10s': no number" },
		{ "1 0 1 1.5 4" TAIL, "run time (number 4) '1.5': no whole number" },
		{ "1 0 1 10 99999999999999999999999" TAIL,
		  "processors (number 5) '99999999999999999999999': too large" },
		{ "1 0 1 10 - 4" TAIL, "processors (number 5) '-': no number" },
		{ "1 0 1 10 4 -1 -1 -1 -1 -1 6 7 3 2 0 1 -1 -1\n",
		  "status (number 11) '6': too large" },
		{ "1 0 1 \033[2J 4" TAIL, "run time (number 4) '?[2J': no number" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct es_error err = { .code = 0 };
		struct es_swf swf;
		char text[512];

		(void)snprintf(text, sizeof(text), "; x\n1 0 -1 10 4" TAIL "%s", wrong[i].line);
		assert_int_equal(es_swf_parse(text, strlen(text), false, &swf, &err), 0);
		assert_int_equal(swf.n, 1);
		assert_int_equal(swf.n_faults, 1);
		assert_int_equal(swf.faults[0].line, 3);
		assert_string_equal(swf.faults[0].reason, wrong[i].reason);
		es_swf_finish(&swf);

		assert_int_equal(es_swf_parse(text, strlen(text), true, &swf, &err), -EBADMSG);
		assert_non_null(strstr(err.text, "line 3"));
		assert_non_null(strstr(err.text, wrong[i].reason));
		es_swf_finish(&swf);
	}
}

static void of_many_faults_the_first_five_are_kept(void **state)
{
	char text[1024] = "1 0 -1 10 4" TAIL;
	struct es_swf swf;

	(void)state;
	for (int i = 0; i < 9; i++)
		(void)strcat(text, "bad\n");
	assert_int_equal(es_swf_parse(text, strlen(text), false, &swf, NULL), 0);

	assert_int_equal(swf.n_faults, 9);
	assert_int_equal(swf.faults[0].line, 2);
	assert_int_equal(swf.faults[4].line, 6);
	es_swf_finish(&swf);
}

static void what_has_no_job_is_refused(void **state)
{
	static const char *const texts[] = { "", "; Version: 2\n", "\n\n", "job,energy\n1,2\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct es_error err = { .code = 0 };
		struct es_swf swf;

		assert_int_equal(es_swf_parse(texts[i], strlen(texts[i]), false, &swf, &err),
				 -EBADMSG);
		assert_true(err.text[0] != '\0');
		es_swf_finish(&swf);
	}
}

static void jobs_come_in_the_order_of_their_submission(void **state)
{
	static const int64_t submits[] = { 50, 10, 50, 30, 10, 90, 0, 30 };
	static const int64_t expected[] = { 7, 2, 5, 4, 8, 1, 3, 6 };
	char text[1024] = "";
	struct es_swf swf;

	(void)state;
	for (int i = 0; i < 8; i++)
		(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
			       "%d %d -1 10 4" TAIL, i + 1, (int)submits[i]);
	assert_int_equal(es_swf_parse(text, strlen(text), true, &swf, NULL), 0);

	assert_int_equal(swf.n, 8);
	for (size_t i = 0; i < swf.n; i++)
		assert_int_equal(swf.jobs[i].number, expected[i]);
	assert_int_equal(swf.n_unordered, 4);
	es_swf_finish(&swf);
}

static int parse_file(void *arg, struct es_archive_file *file)
{
	return es_swf_parse(file->data, file->n, true, arg, NULL);
}

/* The log of NASA's iPSC/860, where it lies beside the source; counts of its own header and of the archive's page. */
static void a_trace_of_the_archive_is_read_whole(void **state)
{
	const char *root = getenv("ES_SOURCE_ROOT");
	struct es_error err = { .code = 0 };
	struct es_swf swf = { .n = 0 };
	char path[4096];
	int64_t busy_s = 0;

	(void)state;
	(void)snprintf(path, sizeof(path),
		       "%s/../shared/data/workloads/NASA-iPSC-1993-3.1-cln.swf.gz",
		       root ? root : ".");
	if (access(path, R_OK) < 0) {
		(void)fprintf(stderr, "not tried: there is no %s\n", path);
		return;
	}
	if (es_archive_walk(path, NULL, parse_file, &swf, &err) < 0) {
		(void)fprintf(stderr, "not tried: %s\n", err.text);
		return;
	}

	assert_int_equal(swf.n, 18239);
	assert_int_equal(swf.n_faults, 0);
	assert_int_equal(swf.max_procs, 128);
	assert_int_equal(swf.unix_start_s, 749458803);
	assert_string_equal(swf.computer, "Intel iPSC/860");
	for (size_t i = 0; i < swf.n; i++) {
		assert_in_range(swf.jobs[i].procs, 1, 128);
		busy_s += (int64_t)swf.jobs[i].procs * swf.jobs[i].run_s;
	}
	/* Utilisation 0.47 of 128 processors over the log's 92 days. */
	assert_in_range(busy_s * 1000 / (128 * INT64_C(7949000)), 460, 475);
	es_swf_finish(&swf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_trace_is_read_with_its_header),
		cmocka_unit_test(each_of_the_18_numbers_is_in_its_place),
		cmocka_unit_test(a_wrong_line_is_counted_and_its_reason_kept),
		cmocka_unit_test(of_many_faults_the_first_five_are_kept),
		cmocka_unit_test(what_has_no_job_is_refused),
		cmocka_unit_test(jobs_come_in_the_order_of_their_submission),
		cmocka_unit_test(a_trace_of_the_archive_is_read_whole),
	};

	return cmocka_run_group_tests_name("core/swf", tests, NULL, NULL);
}
