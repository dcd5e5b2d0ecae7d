/*
 * twin_truth.c - energyscopium twin truth: the exact energies of a twin
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/parse.h"
#include "base/text.h"
#include "cli/twin.h"

#define ANSWER_BYTES 65536U
#define PARTS_MAX 256U

struct ask {
	const char *mount, *from_text, *to_text;
	bool wants_json;
};

/* The parts of a node, and their energies at two times. */
struct truth {
	char answer[ANSWER_BYTES];
	char kind[ES_NAME_MAX_BYTES];
	const char *parts[PARTS_MAX]; /* within the answer */
	size_t n;
	int64_t t_ns[2];
	uint64_t energy_uj[2][PARTS_MAX];
};

/* 12.5, 12.5s: seconds; 12500000000: ns, as t_ns has them everywhere. Of the boot clock. */
static int parse_time(const char *text, int64_t *ret_ns)
{
	int64_t micro;
	size_t used;

	if (es_parse_i64(text, ret_ns) == 0)
		return *ret_ns < 0 ? -EBADMSG : 0;
	if (es_parse_duration_ns(text, ret_ns) == 0)
		return 0;
	if (es_parse_micro(text, strlen(text), &micro, &used) < 0 || text[used] || micro < 0 ||
	    micro > INT64_MAX / 1000)
		return -EBADMSG;
	*ret_ns = micro * 1000;
	return 0;
}

/* The next word of a line of CSV; NULL at its end. */
static char *next_word(char **rest)
{
	char *word = *rest, *end;

	if (!word)
		return NULL;
	end = strchr(word, ',');
	*rest = end ? end + 1 : NULL;
	if (end)
		*end = '\0';
	return word;
}

static int parse_row(struct truth *truth, char *line, size_t which)
{
	char *word = next_word(&line);

	if (!word || es_parse_i64(word, &truth->t_ns[which]) < 0)
		return -EBADMSG;
	for (size_t i = 0; i < truth->n; i++) {
		word = next_word(&line);
		if (!word || es_parse_u64(word, &truth->energy_uj[which][i]) < 0)
			return -EBADMSG;
	}
	return line ? -EBADMSG : 0;
}

static int parse(struct truth *truth, bool has_from)
{
	char *rest = truth->answer, *head = strsep(&rest, "\n"), *row;

	es_text_make_safe(head, false);
	if (!next_word(&head))
		return -EBADMSG;
	for (char *word; (word = next_word(&head)) && truth->n < PARTS_MAX;)
		truth->parts[truth->n++] = word;
	for (size_t i = has_from ? 0 : 1; i < 2; i++) {
		row = strsep(&rest, "\n");
		if (!row || parse_row(truth, row, i) < 0)
			return -EBADMSG;
	}
	return truth->n ? 0 : -EBADMSG;
}

/*
 * The file .twin/energy answers for the times that were written into it. @has_from: @from_ns is asked for; else it is when all
 * energies were 0.
 */
static int fetch(const char *mount, bool has_from, int64_t from_ns, int64_t to_ns,
		 struct truth *ret)
{
	char path[ES_PATH_MAX_BYTES + 16], question[64];
	es_cleanup(es_closep) int fd = -1;
	size_t len = 0;
	ssize_t n = 1;

	(void)snprintf(path, sizeof(path), "%s/.twin/energy", mount);
	if (has_from)
		(void)snprintf(question, sizeof(question), "%" PRId64 " %" PRId64 "\n", from_ns,
			       to_ns);
	else
		(void)snprintf(question, sizeof(question), "%" PRId64 "\n", to_ns);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0 || write(fd, question, strlen(question)) < 0)
		return -errno;
	while (n > 0 && len + 1 < sizeof(ret->answer)) {
		n = pread(fd, ret->answer + len, sizeof(ret->answer) - 1 - len, (off_t)len);
		if (n > 0)
			len += (size_t)n;
	}
	if (n < 0)
		return -errno;
	ret->answer[len] = '\0';
	ret->t_ns[0] = from_ns;
	return parse(ret, has_from);
}

static void put_json(const struct truth *truth, struct es_buf *out)
{
	int64_t dur_ns = truth->t_ns[1] - truth->t_ns[0];
	struct es_json json;

	es_json_init(&json, es_json_sink_buf, out, true);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", "energyscopium.twin-truth/1");
	es_json_string(&json, "kind", truth->kind);
	es_json_i64(&json, "from_ns", truth->t_ns[0]);
	es_json_i64(&json, "t_ns", truth->t_ns[1]);
	es_json_array(&json, "parts");
	for (size_t i = 0; i < truth->n; i++) {
		uint64_t energy_uj = truth->energy_uj[1][i] - truth->energy_uj[0][i], number = 0;
		const char *part = truth->parts[i], *dash = strrchr(part, '-');
		char name[ES_NAME_MAX_BYTES];

		if (dash && es_parse_u64(dash + 1, &number) < 0)
			dash = NULL;
		(void)snprintf(name, sizeof(name), "%.*s",
			       dash ? (int)(dash - part) : (int)strlen(part), part);
		es_json_object(&json, NULL);
		es_json_string(&json, "part", name);
		es_json_u64(&json, "number", number);
		es_json_u64(&json, "energy_uj", energy_uj);
		if (dur_ns > 0)
			es_json_u64(&json, "power_uw",
				    (uint64_t)((double)energy_uj * 1e9 / (double)dur_ns + 0.5));
		else
			es_json_null(&json, "power_uw");
		es_json_object_end(&json);
	}
	es_json_array_end(&json);
	es_json_object_end(&json);
	out->error = es_json_end(&json);
}

static void put_words(const struct truth *truth, struct es_buf *out)
{
	int64_t dur_ns = truth->t_ns[1] - truth->t_ns[0];

	(void)es_buf_printf(out, "%-12s %16s %12s\n", "part", "energy (J)", "mean (W)");
	for (size_t i = 0; i < truth->n; i++) {
		uint64_t energy_uj = truth->energy_uj[1][i] - truth->energy_uj[0][i];

		(void)es_buf_printf(out, "%-12s %9" PRIu64 ".%06" PRIu64, truth->parts[i],
				    energy_uj / 1000000, energy_uj % 1000000);
		if (dur_ns > 0)
			(void)es_buf_printf(out, " %12.3f\n",
					    (double)energy_uj * 1e3 / (double)dur_ns);
		else
			(void)es_buf_printf(out, " %12s\n", "n/a");
	}
}

static int tell_error(const char *mount, int error)
{
	if (error == -ENODATA)
		return es_complain(
			"twin truth", ES_EXIT_FAILURE,
			"too long ago: the twin remembers only its last stretch (the first line of '%s/.twin/history')",
			mount);
	if (error == -ERANGE)
		return es_complain("twin truth", ES_EXIT_FAILURE,
				   "--to is not yet: the boot clock shows %" PRId64 " ns now",
				   es_clock_boot_ns());
	if (error == -EBADMSG)
		return es_complain("twin truth", ES_EXIT_FAILURE,
				   "'%s/.twin/energy' is not what a twin of this version says",
				   mount);
	return es_complain("twin truth", ES_EXIT_FAILURE, "'%s/.twin/energy': %s", mount,
			   es_strerror(error));
}

/* When it was switched on: what energies are counted from. */
static int ask_start(const char *mount, int64_t *ret_ns, struct es_error *err)
{
	static const char key[] = "\"start_ns\": ";
	struct es_buf status;
	const char *at;
	int r = es_twin_read(mount, "status", &status, err);

	if (r == 0) {
		at = strstr((const char *)status.data, key);
		if (at)
			*ret_ns = strtoll(at + sizeof(key) - 1, NULL, 10);
		else
			r = es_error_say(err, -EBADMSG, "'%s/.twin/status' does not tell its start",
					 mount);
	}
	es_buf_finish(&status);
	return r;
}

static int put(const struct ask *ask, const struct truth *truth)
{
	struct es_buf out;
	int status;

	es_buf_init(&out, 1U << 20);
	if (ask->wants_json)
		put_json(truth, &out);
	else
		put_words(truth, &out);
	status = es_put_out("twin truth", &out);
	es_buf_finish(&out);
	return status;
}

static int tell(const struct ask *ask, const char *mount, int64_t from_ns, int64_t to_ns)
{
	struct es_error err = { .code = 0 };
	struct truth *truth = calloc(1, sizeof(*truth));
	struct es_buf kind;
	int r, status;

	if (!truth)
		return es_complain("twin truth", ES_EXIT_FAILURE, "out of memory");
	if (es_twin_read(mount, "kind", &kind, &err) == 0)
		(void)snprintf(truth->kind, sizeof(truth->kind), "%.*s",
			       (int)strcspn((const char *)kind.data, "\n"),
			       (const char *)kind.data);
	es_buf_finish(&kind);
	r = fetch(mount, ask->from_text != NULL, from_ns, to_ns, truth);
	status = r < 0 ? tell_error(mount, r) : put(ask, truth);
	free(truth);
	return status;
}

static int act(const struct ask *ask)
{
	char mount[ES_PATH_MAX_BYTES];
	struct es_error err = { .code = 0 };
	int64_t from_ns = 0, to_ns = 0, start_ns = 0;
	int status;

	if ((ask->from_text && parse_time(ask->from_text, &from_ns) < 0) ||
	    (ask->to_text && parse_time(ask->to_text, &to_ns) < 0))
		return es_complain(
			"twin truth", ES_EXIT_USAGE,
			"--from and --to: times of the boot clock, in seconds (512.25) or ns (512250000000)");
	status = es_twin_find("twin truth", ask->mount, mount);
	if (status != ES_EXIT_OK)
		return status;
	if (ask_start(mount, &start_ns, &err) < 0)
		return es_complain("twin truth", ES_EXIT_FAILURE, "%s", err.text);
	if (!ask->from_text)
		from_ns = start_ns;
	else if (from_ns < start_ns)
		return es_complain(
			"twin truth", ES_EXIT_FAILURE,
			"--from is before the twin was switched on, at %.3f s of this machine's boot clock",
			es_s_from_ns(start_ns));
	if (!ask->to_text)
		to_ns = es_clock_boot_ns();
	if (to_ns < from_ns)
		return es_complain("twin truth", ES_EXIT_USAGE, "--to is before %s",
				   ask->from_text ? "--from" : "the twin was switched on");
	return tell(ask, mount, from_ns, to_ns);
}

int es_twin_cmd_truth(int argc, char **argv)
{
	struct ask ask = { .mount = NULL };
	const struct es_option options[] = {
		ES_TWIN_MOUNT_OPTION(&ask.mount),
		{ "from", "T",
		  "begin here: boot clock, in seconds (512.25) or ns (default:\nwhen it was switched on)",
		  ES_OPTION_TEXT, &ask.from_text },
		{ "to", "T", "end here, likewise (default: now)", ES_OPTION_TEXT, &ask.to_text },
		{ "json", NULL, "print energyscopium.twin-truth/1", ES_OPTION_FLAG,
		  &ask.wants_json },
	};
	const struct es_usage usage = {
		.command = "twin truth",
		.synopsis = "[--mount DIR] [--from T] [--to T] [--json]",
		.text = "Tells the exact energy of each part of a twin: the integral of its model, not what its\n"
			"meters show.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
	};
	int first, status = es_options_parse(&usage, argc, argv, &first);

	if (status >= 0)
		return status;
	if (first < argc)
		return es_complain("twin truth", ES_EXIT_USAGE, "'%s' is one too many",
				   argv[first]);
	return act(&ask);
}
