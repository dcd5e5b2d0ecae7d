/*
 * import_escmd.c - what the original tool says about the application: command, user, tags
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "format/import_esrun.h"
#include "format/import_json.h"

#define APPLICATION_TAG "es_appli_total" /* from just before the command to its end */
#define WHOLE_TAG "es_total" /* the whole acquisition: follows from the readings */

int es_import_estag(struct es_import_job *job, const char *name, bool is_start, const char *when)
{
	char safe[ES_NAME_MAX_BYTES];
	int64_t t_unix_ns;
	uint32_t type;
	int r;

	if (strcmp(name, WHOLE_TAG) == 0)
		return 0;
	es_import_set_text(safe, sizeof(safe), name);
	if (es_time_parse(when, &t_unix_ns) < 0)
		return es_import_warn(job->result,
				      "tag '%s' has no time that can be read ('%.40s'): left out",
				      safe, when);
	if (strcmp(name, APPLICATION_TAG) == 0)
		type = is_start ? ES_EVENT_COMMAND_START : ES_EVENT_COMMAND_STOP;
	else
		type = is_start ? ES_EVENT_TAG_START : ES_EVENT_TAG_STOP;
	r = es_import_job_event(job, type, t_unix_ns - job->meta.start_unix_ns,
				strcmp(name, APPLICATION_TAG) == 0 ? "" : safe);
	if (r == -E2BIG)
		return es_import_warn(job->result, "too many tags: '%s' and more are left out",
				      safe);
	return r;
}

/* The next word of a line, its end marked; NULL where there is none. */
static char *take_word(char **p)
{
	char *word = *p + strspn(*p, " \t");

	if (*word == '\0')
		return NULL;
	*p = word + strcspn(word, " \t");
	if (**p)
		*(*p)++ = '\0';
	return word;
}

/* "energy_scope_tags NAME start|stop  WHEN"; the name may hold spaces, and the time one between its date and its hours. */
static int take_tag(struct es_import_job *job, char *line)
{
	static const char *const verbs[] = { " start ", " stop " };

	for (int v = 0; v < 2; v++) {
		char *at = NULL;

		for (char *p = strstr(line, verbs[v]); p; p = strstr(p + 1, verbs[v]))
			at = p;
		if (!at)
			continue;
		*at = '\0';
		line += strspn(line, " \t");
		at += strlen(verbs[v]);
		return es_import_estag(job, line, v == 0, at + strspn(at, " \t"));
	}
	return es_import_warn(job->result, "a line of tags that cannot be read: '%.80s'", line);
}

static int take_line(struct es_import_job *job, char *line)
{
	size_t n = strlen(line);
	char *verb;

	while (n > 0 && strchr(" \t\r", line[n - 1]))
		line[--n] = '\0';
	verb = take_word(&line);
	if (!verb)
		return 0;
	if (strcmp(verb, "energy_scope_tags") == 0)
		return take_tag(job, line);
	if (strcmp(verb, "energy_scope_cmd") == 0)
		es_import_set_text(job->meta.command, sizeof(job->meta.command),
				   line + strspn(line, " \t"));
	return 0;
}

int es_import_escmd(struct es_import_job *job, const char *text)
{
	char line[ES_PATH_MAX_BYTES + 64];
	int r = 0;

	while (r == 0 && *text) {
		size_t n = strcspn(text, "\n");
		size_t n_kept = n < sizeof(line) ? n : sizeof(line) - 1;

		memcpy(line, text, n_kept);
		line[n_kept] = '\0';
		r = take_line(job, line);
		text += n + (text[n] == '\n');
	}
	return r;
}

static int take_tags(struct es_import_job *job, json_t *tags)
{
	const char *name;
	json_t *tag;

	json_object_foreach(tags, name, tag)
	{
		const char *start = es_import_text(tag, "start"),
			   *stop = es_import_text(tag, "stop");

		if (*start && es_import_estag(job, name, true, start) < 0)
			return -ENOMEM;
		if (*stop && es_import_estag(job, name, false, stop) < 0)
			return -ENOMEM;
	}
	return 0;
}

int es_import_esinfo(struct es_import_job *job, const char *text, size_t n, bool has_tags)
{
	json_t *top = es_import_json(text, n), *from = json_object_get(top, "from_appli");
	struct es_meta *meta = &job->meta;
	int r = 0;

	if (meta->user[0] == '\0')
		es_import_set_text(meta->user, sizeof(meta->user), es_import_text(from, "user"));
	if (meta->command[0] == '\0')
		es_import_set_text(meta->command, sizeof(meta->command),
				   es_import_text(from, "command"));
	if (meta->comment[0] == '\0')
		es_import_set_text(meta->comment, sizeof(meta->comment),
				   es_import_text(from, "comment"));
	if (meta->job[0] == '\0')
		es_import_set_text(meta->job, sizeof(meta->job), es_import_text(from, "jobid"));
	if (has_tags) {
		json_t *tags = json_object_get(from, "tags");

		r = take_tags(job,
			      tags ? tags
				   : json_object_get(json_object_get(json_object_get(top, "data"),
								     "data"),
						     "tags"));
	}
	json_decref(top);
	return r;
}
