/*
 * program.c - what a simulated program does: a workload file of phases
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/parse.h"
#include "twin/node.h"
#include "twin/phase.h"

#define BLANKS " \t\r"

void es_twin_program_finish(struct es_twin_program *program)
{
	free(program->phases);
	*program = (struct es_twin_program){ .phases = NULL };
}

int64_t es_twin_program_reference_ns(const struct es_twin_program *program)
{
	es_u128 sum_ns = 0;

	for (size_t i = 0; i < program->n; i++)
		sum_ns += (uint64_t)es_twin_phase_reference_ns(&program->phases[i]);
	sum_ns *= program->repeats;
	return sum_ns > (es_u128)ES_TIME_MAX_NS ? ES_TIME_MAX_NS : (int64_t)sum_ns;
}

/* 1: the line says so; 0: it is something else. */
static int take_repeats(const char *line, struct es_twin_program *program, bool *is_said,
			struct es_error *err)
{
	char text[ES_TWIN_PHASE_TEXT_BYTES], *rest = text;
	const char *word, *number, *more;
	uint64_t repeats;

	memcpy(text, line, strlen(line) + 1); /* its length was checked */
	word = strtok_r(rest, BLANKS, &rest);
	if (!word || strcmp(word, "repeat") != 0)
		return 0;
	if (program->n > 0)
		return es_error_say(
			err, -EBADMSG,
			"'repeat' stands before the first phase: all of them are repeated");
	if (*is_said)
		return es_error_say(err, -EBADMSG, "'repeat' is said twice");
	number = strtok_r(rest, BLANKS, &rest);
	more = strtok_r(rest, BLANKS, &rest);
	if (!number || (more && *more != '#') || es_parse_u64(number, &repeats) < 0 ||
	    repeats == 0 || repeats > ES_TWIN_REPEATS_MAX)
		return es_error_say(err, -EBADMSG, "'repeat N': a number from 1 to %u is wanted",
				    ES_TWIN_REPEATS_MAX);
	program->repeats = repeats;
	*is_said = true;
	return 1;
}

static int add_phase(struct es_twin_program *program, size_t *cap, const char *line,
		     struct es_error *err)
{
	struct es_twin_phase phase, *grown;
	int r;

	if (program->n == ES_TWIN_PHASES_MAX)
		return es_error_say(err, -E2BIG, "there are more than %u phases",
				    ES_TWIN_PHASES_MAX);
	r = es_twin_phase_parse(line, &phase, err);
	if (r < 0)
		return r;
	if (program->n == *cap) {
		size_t more = *cap ? *cap * 2 : 16;

		grown = reallocarray(program->phases, more, sizeof(*grown));
		if (!grown)
			return es_error_set(err, -ENOMEM, "phases");
		program->phases = grown;
		*cap = more;
	}
	program->phases[program->n++] = phase;
	return 0;
}

static int take_line(struct es_twin_program *program, size_t *cap, bool *is_repeat_said,
		     const char *line, size_t n, struct es_error *err)
{
	char text[ES_TWIN_PHASE_TEXT_BYTES];
	size_t blank = 0;
	int r;

	if (memchr(line, '\0', n))
		return es_error_say(err, -EBADMSG, "a NUL byte: this is no text");
	/* A comment may be as long as it likes. */
	while (blank < n && strchr(BLANKS, line[blank]))
		blank++;
	if (blank == n || line[blank] == '#')
		return 0;
	if (n >= sizeof(text))
		return es_error_say(err, -EBADMSG, "it is longer than %zu bytes", sizeof(text) - 1);
	memcpy(text, line, n);
	text[n] = '\0';
	r = take_repeats(text, program, is_repeat_said, err);
	return r != 0 ? r : add_phase(program, cap, text, err);
}

static int check_program(const struct es_twin_program *program, struct es_error *err)
{
	if (program->n == 0)
		return es_error_say(
			err, -EBADMSG,
			"there is no phase in it: lines NAME LENGTH PART=SHARE… are wanted");
	if (es_twin_program_reference_ns(program) >= ES_TIME_MAX_NS)
		return es_error_say(err, -E2BIG, "all repeats together take longer than 146 years");
	return 0;
}

int es_twin_program_parse(const char *text, size_t n, struct es_twin_program *ret,
			  struct es_error *err)
{
	struct es_twin_program program = { .repeats = 1 };
	struct es_error why = { .code = 0 };
	size_t at = 0, number = 0, cap = 0;
	bool is_repeat_said = false;
	int r = 0;

	while (r >= 0 && at < n) {
		const char *end = memchr(text + at, '\n', n - at);
		size_t length = end ? (size_t)(end - text) - at : n - at;

		number++;
		r = take_line(&program, &cap, &is_repeat_said, text + at, length, &why);
		at += length + (end != NULL);
	}
	if (r < 0)
		(void)es_error_say(err, r, "line %zu: %.900s", number, why.text);
	else
		r = check_program(&program, err);
	if (r < 0) {
		es_twin_program_finish(&program);
		return r;
	}
	*ret = program;
	return 0;
}
