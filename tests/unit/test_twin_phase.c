/*
 * test_twin_phase.c - phases and workload files: what is read, what is refused in which words, and that what is written reads back alike
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/limits.h"
#include "support/random.h"
#include "twin/phase.h"

static void parse(const char *line, struct es_twin_phase *ret)
{
	struct es_error err = { .code = 0 };

	if (es_twin_phase_parse(line, ret, &err) < 0)
		fail_msg("'%s': %s", line, err.text);
}

static void a_line_is_a_phase(void **state)
{
	struct es_twin_phase phase;

	(void)state;
	parse("solve 5s cpu=40% memory=0.6 cores=32 activity=1.2 cpu-activity=0.5 # why", &phase);

	assert_string_equal(phase.name, "solve");
	assert_int_equal(phase.time, ES_TWIN_ADDITIVE);
	assert_int_equal(phase.cpu_ns, 2 * ES_NS_PER_S);
	assert_int_equal(phase.memory_ns, 3 * ES_NS_PER_S);
	assert_int_equal(
		phase.gpu_ns + phase.gpu_memory_ns + phase.communication_ns + phase.idle_ns, 0);
	assert_int_equal(phase.n_cores, 32);
	assert_float_equal(phase.cpu_activity, 0.5, 0);
	assert_float_equal(phase.memory_activity, 1.2, 0);
	assert_int_equal(es_twin_phase_reference_ns(&phase), 5 * ES_NS_PER_S);
}

static void parts_may_overlap(void **state)
{
	struct es_twin_phase phase;

	(void)state;
	parse("- 1500ms model=overlapping gpu=100% gpu-memory=20% cpu=5% gpus=2\r", &phase);

	assert_string_equal(phase.name, "");
	assert_int_equal(phase.time, ES_TWIN_OVERLAPPING);
	assert_int_equal(phase.gpu_ns, 1500 * ES_NS_PER_MS);
	assert_int_equal(phase.gpu_memory_ns, 300 * ES_NS_PER_MS);
	assert_int_equal(phase.cpu_ns, 75 * ES_NS_PER_MS);
	assert_int_equal(phase.n_gpus, 2);
	assert_int_equal(es_twin_phase_reference_ns(&phase), 1500 * ES_NS_PER_MS);
}

static void mistakes_are_told(void **state)
{
	static const struct {
		const char *line, *words;
	} vectors[] = {
		{ "", "there is no phase" },
		{ "# only a comment", "there is no phase" },
		{ "a", "length and its parts are missing" },
		{ "a 5s", "parts are missing" },
		{ "a 5 cpu=100%", "'5': no length; it has a unit" },
		{ "a 5W cpu=100%", "'5W': no length" },
		{ "a -5s cpu=100%", "'-5s': no length" },
		{ "a 5.0000000001s cpu=100%", "whole nanoseconds" },
		{ "a 99us cpu=100%", "at least 100us" },
		{ "a 366d cpu=100%", "at most a year" },
		{ "a 99999999999999999999d cpu=100%", "at most a year" },
		{ "cpu=100% 5s", "begins with its name" },
		{ "a cpu=100% 5s", "length is missing" },
		{ "5s cpu=100% memory=0%", "the length is missing" },
		{ "a 5s cpu", "'cpu': PART=SHARE" },
		{ "a 5s cpu=", "'cpu=': a share" },
		{ "a 5s cpu=40", "a share of the length is wanted: cpu=40%" },
		{ "a 5s cpu=140%", "'cpu=140%' is more than 100 %" },
		{ "a 5s cpu=-40%", "not negative" },
		{ "a 5s cpu=40W", "a share of the length" },
		{ "a 5s cpu=33.33333%", "four digits" },
		{ "a 5s cpu=40% memory=50%", "add up to 90 %, not to 100 %" },
		{ "a 5s cpu=40% memory=60.5%", "add up to 100.5 %" },
		{ "a 5s cpu=0%", "no part of it works" },
		{ "a 5s cores=3", "no part of it works" },
		{ "a 5s cpu=90% model=overlapping", "largest share is 90 %" },
		{ "a 5s cpu=50% cpu=50%", "'cpu' is said twice" },
		{ "a 5s cpu=100% mdoel=additive", "'model' is near it" },
		{ "a 5s memroy=100%", "'memory' is near it" },
		{ "a 5s zzzzzzzzzzzz=100%", "no part of a phase (cpu, memory" },
		{ "a 5s cpu=100% model=roofline", "'additive' and 'overlapping'" },
		{ "a 5s cpu=100% activity=5", "from 0 to 4" },
		{ "a 5s cpu=100% activity=-1", "from 0 to 4" },
		{ "a 5s cpu=100% activity=nan", "from 0 to 4" },
		{ "a 5s cpu=100% activity=1W", "from 0 to 4" },
		{ "a 5s cpu=100% cores=0", "from 1 to 65536" },
		{ "a 5s gpu=100% gpus=x", "from 1 to 1024" },
		{ "a 5s gpu=100% instance=8", "from 1 to 7" },
		{ "a 5s gpu=100% instance=1 gpus=1", "exclude each other" },
		{ "repeat 5s cpu=100%", "cannot be the name" },
		{ "go 5s cpu=100%", "cannot be the name" },
		{ "a\x1b[2J 5s cpu=100%", "without control characters" },
		{ "a\xc2\x9b 5s cpu=100%", "without control characters" },
		{ "a\xff 5s cpu=100%", "UTF-8" },
		{ "a 5s cpu=100%\nb 5s cpu=100%", "one line" },
		{ "0123456789012345678901234567890123456789012345678901234567890123 5s cpu=100%",
		  "at most 63 bytes" },
		{ "a 5s a b c d e f g h i j k l m n o p q r s t", "more words" },
	};

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		struct es_error err = { .code = 0 };
		struct es_twin_phase phase = { .n_cores = 77 };

		assert_int_equal(es_twin_phase_parse(vectors[i].line, &phase, &err), -EBADMSG);
		assert_int_equal(phase.n_cores, 77);
		if (!strstr(err.text, vectors[i].words))
			fail_msg("'%s': '%s' does not say '%s'", vectors[i].line, err.text,
				 vectors[i].words);
		assert_int_equal(es_twin_phase_parse(vectors[i].line, &phase, NULL), -EBADMSG);
	}
}

static void a_long_line_is_refused(void **state)
{
	char line[ES_TWIN_PHASE_TEXT_BYTES + 1];
	struct es_twin_phase phase;
	struct es_error err = { .code = 0 };

	(void)state;
	memset(line, ' ', sizeof(line));
	memcpy(line, "a 5s cpu=100%", 13);
	line[ES_TWIN_PHASE_TEXT_BYTES] = '\0';
	assert_int_equal(es_twin_phase_parse(line, &phase, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "longer than 511 bytes"));
	line[ES_TWIN_PHASE_TEXT_BYTES - 1] = '\0';
	assert_int_equal(es_twin_phase_parse(line, &phase, &err), 0);
}

/* A line with random shares, lengths and keys; @line has room for 512 bytes. */
static void make_line(uint64_t *seed, char *line)
{
	static const char *const parts[] = { "cpu",	   "memory",	    "gpu",
					     "gpu-memory", "communication", "idle" };
	bool overlaps = test_random_below(seed, 2) != 0;
	uint64_t left_ppm = 1000000;
	int n = sprintf(
		line, "r%u %lluns", (unsigned)test_random_below(seed, 100),
		(unsigned long long)(100000 + test_random_below(seed, test_random_below(seed, 2)
									      ? 1000000
									      : 90000000000ULL)));

	if (overlaps)
		n += sprintf(line + n, " model=overlapping");
	for (size_t i = 0; i < 6; i++) {
		uint64_t ppm = i == 5 ? left_ppm : test_random_below(seed, left_ppm + 1);

		if (overlaps)
			ppm = i == 3 ? 1000000 : test_random_below(seed, 1000001);
		left_ppm -= overlaps ? 0 : ppm;
		n += sprintf(line + n, " %s=0.%06u", parts[i], (unsigned)(ppm % 1000000));
		if (ppm == 1000000)
			n += sprintf(line + n - 8, "1.000000") - 8;
	}
	if (test_random_below(seed, 2))
		n += sprintf(line + n, " activity=%u.%06u", (unsigned)test_random_below(seed, 4),
			     (unsigned)test_random_below(seed, 1000000));
	if (test_random_below(seed, 2))
		n += sprintf(line + n, " gpu-memory-activity=%u.%u",
			     (unsigned)test_random_below(seed, 4),
			     (unsigned)test_random_below(seed, 1000000));
	if (test_random_below(seed, 2))
		(void)sprintf(line + n, " cores=%u gpus=%u",
			      1 + (unsigned)test_random_below(seed, 65536),
			      1 + (unsigned)test_random_below(seed, 1024));
}

static void what_is_written_reads_back_alike(void **state)
{
	uint64_t seed = 4711;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		char line[512], text[ES_TWIN_PHASE_TEXT_BYTES];
		struct es_twin_phase phase, again;

		make_line(&seed, line);
		memset(&phase, 0, sizeof(phase));
		memset(&again, 0, sizeof(again));
		parse(line, &phase);
		parse(es_twin_phase_print(&phase, text, sizeof(text)), &again);
		if (memcmp(&phase, &again, sizeof(phase)) != 0)
			fail_msg("'%s' became '%s'", line, text);
	}
}

static void additive_parts_are_the_length_to_the_ns(void **state)
{
	struct es_twin_phase phase;

	(void)state;
	parse("a 100001ns cpu=33.3333% memory=33.3333% idle=33.3334%", &phase);
	assert_int_equal(es_twin_phase_reference_ns(&phase), 100001);
	parse("a 365d cpu=33.3333% memory=33.3333% idle=33.3334%", &phase);
	assert_int_equal(es_twin_phase_reference_ns(&phase), ES_TWIN_PHASE_MAX_NS);
}

static int parse_file(const char *text, size_t n, struct es_twin_program *ret, struct es_error *err)
{
	/* Of just its size: a sanitizer sees what is read behind it. */
	es_cleanup(es_freep) char *copy = malloc(n + 1);

	assert_non_null(copy);
	memcpy(copy, text, n);
	return es_twin_program_parse(copy, n, ret, err);
}

static void a_file_is_a_program(void **state)
{
	static const char text[] = "# heat\n\n  repeat 3 # times\r\nsolve 2s cpu=100%\n"
				   "\twrite 500ms idle=100%  # last, without a newline";
	struct es_twin_program program;
	struct es_error err = { .code = 0 };

	(void)state;
	if (parse_file(text, sizeof(text) - 1, &program, &err) < 0)
		fail_msg("%s", err.text);

	assert_int_equal(program.n, 2);
	assert_int_equal(program.repeats, 3);
	assert_string_equal(program.phases[1].name, "write");
	assert_int_equal(es_twin_program_reference_ns(&program), 7500 * ES_NS_PER_MS);
	es_twin_program_finish(&program);
	assert_null(program.phases);
}

static void mistakes_in_a_file_have_their_line(void **state)
{
	static const struct {
		const char *text, *words;
		int code;
	} vectors[] = {
		{ "", "no phase in it", -EBADMSG },
		{ "repeat 3\n# nothing\n", "no phase in it", -EBADMSG },
		{ "a 1s cpu=100%\nb 1x cpu=100%\n", "line 2: '1x': no length", -EBADMSG },
		{ "a 1s cpu=100%\n\nrepeat 3\n", "line 3: 'repeat' stands before", -EBADMSG },
		{ "repeat 3\nrepeat 3\na 1s cpu=100%\n", "line 2: 'repeat' is said twice",
		  -EBADMSG },
		{ "repeat\na 1s cpu=100%\n", "line 1: 'repeat N'", -EBADMSG },
		{ "repeat 0\na 1s cpu=100%\n", "line 1: 'repeat N'", -EBADMSG },
		{ "repeat 3x\na 1s cpu=100%\n", "line 1: 'repeat N'", -EBADMSG },
		{ "repeat 3 4\na 1s cpu=100%\n", "line 1: 'repeat N'", -EBADMSG },
		{ "repeat 1000000001\na 1s cpu=100%\n", "line 1: 'repeat N'", -EBADMSG },
		{ "repeat 1000000000\na 1d cpu=100%\n", "longer than 146 years", -E2BIG },
	};
	struct es_twin_program program = { .n = 77 };

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(vectors); i++) {
		struct es_error err = { .code = 0 };

		assert_int_equal(parse_file(vectors[i].text, strlen(vectors[i].text), &program,
					    &err),
				 vectors[i].code);
		if (!strstr(err.text, vectors[i].words))
			fail_msg("'%s' does not say '%s'", err.text, vectors[i].words);
		assert_int_equal(program.n, 77);
	}
}

static void what_is_no_text_is_refused(void **state)
{
	static const char text[] = "a 1s cpu=100%\nb\0 1s cpu=100%\n";
	struct es_twin_program program;
	struct es_error err = { .code = 0 };

	(void)state;
	assert_int_equal(parse_file(text, sizeof(text) - 1, &program, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "line 2: a NUL byte"));
}

static void phases_are_counted(void **state)
{
	static const char line[] = "a 1s cpu=100%\n";
	size_t n = sizeof(line) - 1;
	es_cleanup(es_freep) char *text = malloc(n * (ES_TWIN_PHASES_MAX + 1));
	struct es_twin_program program;
	struct es_error err = { .code = 0 };

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i <= ES_TWIN_PHASES_MAX; i++)
		memcpy(text + i * n, line, n);
	assert_int_equal(parse_file(text, n * (ES_TWIN_PHASES_MAX + 1), &program, &err), -E2BIG);
	assert_non_null(strstr(err.text, "line 4097: there are more than 4096 phases"));
	assert_int_equal(parse_file(text, n * ES_TWIN_PHASES_MAX, &program, &err), 0);
	assert_int_equal(program.n, ES_TWIN_PHASES_MAX);
	es_twin_program_finish(&program);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_a_phase),
		cmocka_unit_test(parts_may_overlap),
		cmocka_unit_test(mistakes_are_told),
		cmocka_unit_test(a_long_line_is_refused),
		cmocka_unit_test(what_is_written_reads_back_alike),
		cmocka_unit_test(additive_parts_are_the_length_to_the_ns),
		cmocka_unit_test(a_file_is_a_program),
		cmocka_unit_test(mistakes_in_a_file_have_their_line),
		cmocka_unit_test(what_is_no_text_is_refused),
		cmocka_unit_test(phases_are_counted),
	};

	return cmocka_run_group_tests_name("twin/phase", tests, NULL, NULL);
}
