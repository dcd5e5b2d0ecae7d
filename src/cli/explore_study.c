/*
 * explore_study.c - what a study has to do: its configurations, builds and places
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli/explore.h"
#include "cli/output.h"

static const char *const result_names[] = {
	[ES_EXPLORE_NOT_RUN] = "not run",	    [ES_EXPLORE_OK] = "ok",
	[ES_EXPLORE_BUILD_FAILED] = "build failed", [ES_EXPLORE_FAILED] = "failed",
	[ES_EXPLORE_TIMED_OUT] = "timed out",	    [ES_EXPLORE_NO_OUTPUT] = "no output",
	[ES_EXPLORE_DIFFERS] = "result differs",    [ES_EXPLORE_QUALITY_MISSED] = "quality missed",
	[ES_EXPLORE_NOT_COMPARED] = "not compared",
};

const char *es_explore_result_name(enum es_explore_result result)
{
	return result_names[result];
}

static int read_file(struct es_explore *study, size_t *ret_n, struct es_error *err)
{
	es_cleanup(es_closep) int fd = open(study->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	size_t used = 0;
	ssize_t n = 1;

	if (fd < 0 || fstat(fd, &st) < 0)
		return es_error_set(err, -errno, "cannot read '%.1000s'", study->path);
	if (!S_ISREG(st.st_mode))
		return es_error_say(err, -EINVAL, "'%.1000s' is no file", study->path);
	study->text = malloc(ES_YAML_FILE_MAX_BYTES + 2);
	if (!study->text)
		return es_error_set(err, -ENOMEM, "cannot read '%.1000s'", study->path);
	while (n > 0 && used <= ES_YAML_FILE_MAX_BYTES) {
		n = read(fd, study->text + used, ES_YAML_FILE_MAX_BYTES + 1 - used);
		if (n < 0)
			return es_error_set(err, -errno, "cannot read '%.1000s'", study->path);
		used += (size_t)n;
	}
	*ret_n = used;
	return 0;
}

/* Each problem is a line of its own on stderr. */
static void complain_all(const struct es_problems *problems)
{
	const char *at = (const char *)problems->lines.data;
	const char *end = at ? at + problems->lines.len : at;

	while (at && at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		int n = newline ? (int)(newline - at) : (int)(end - at);

		(void)es_complain(ES_EXPLORE_COMMAND, 0, "%.*s", n, at);
		at = newline ? newline + 1 : end;
	}
	if (problems->n_hidden)
		(void)es_complain(ES_EXPLORE_COMMAND, 0, "and %zu more", problems->n_hidden);
}

static int read_spec(struct es_explore *study, struct es_explore_configuration **ret_grid,
		     struct es_error *err)
{
	struct es_problems problems;
	size_t n = 0;
	int r = read_file(study, &n, err);

	if (r < 0)
		return r;
	es_problems_init(&problems, study->path);
	r = es_explore_spec_parse(study->text, n, &problems, &study->spec);
	if (r == 0)
		r = es_explore_grid(&study->spec, &problems, ret_grid, &study->n);
	complain_all(&problems);
	es_problems_finish(&problems);
	return r == -ENOMEM ? es_error_set(err, r, "cannot read '%.1000s'", study->path) : r;
}

/* Paths are put into lines for a shell as they are. */
static int check_path(const char *path, struct es_error *err)
{
	for (const char *p = path; *p; p++)
		if (strchr(" \t\n'\"\\$`&|;<>()*?[]{}!#~", *p) || (unsigned char)*p < ' ')
			return es_error_say(
				err, -EINVAL,
				"--out '%.1000s' has a '%c' in it, which a shell would take apart in ${build_dir}: "
				"choose another folder",
				path, (unsigned char)*p < ' ' ? '?' : *p);
	return 0;
}

static int find_places(struct es_explore *study, struct es_error *err)
{
	char copy[ES_PATH_MAX_BYTES], here[ES_PATH_MAX_BYTES], resolved[ES_PATH_MAX_BYTES];
	char given[ES_PATH_MAX_BYTES];
	ssize_t n = readlink("/proc/self/exe", study->self, sizeof(study->self) - 1);
	struct utsname name;

	if (n <= 0 || !getcwd(here, sizeof(here)) || uname(&name) < 0)
		return es_error_set(err, -errno, "cannot find out where we are");
	study->self[n] = '\0';
	(void)snprintf(study->node, sizeof(study->node), "%s", name.nodename);
	if (!realpath(study->path, resolved))
		return es_error_set(err, -errno, "'%.1000s'", study->path);
	(void)snprintf(copy, sizeof(copy), "%s", resolved);
	(void)snprintf(study->spec_dir, sizeof(study->spec_dir), "%s", dirname(copy));
	if (study->out)
		(void)snprintf(given, sizeof(given), "%s", study->out);
	else
		(void)snprintf(given, sizeof(given), "explore-%s", study->spec.name);
	if (given[0] == '/' ? snprintf(study->dir, sizeof(study->dir), "%s", given) >=
				      (int)sizeof(study->dir) - 256
			    : snprintf(study->dir, sizeof(study->dir), "%s/%s", here, given) >=
				      (int)sizeof(study->dir) - 256)
		return es_error_set(err, -ENAMETOOLONG, "--out '%.200s…'", given);
	return check_path(study->dir, err);
}

static int find_build(struct es_explore *study, size_t i, struct es_error *err)
{
	static const struct es_explore_places none = { .build_dir = NULL };
	struct es_explore_member *member = &study->members[i];
	char digest[ES_SHA256_TEXT_BYTES];
	struct es_sha256 sha;
	struct es_buf line;
	int r;

	member->build = ES_EXPLORE_NONE;
	if (!study->spec.build.text)
		return 0;
	es_buf_init(&line, ES_EXPLORE_LINE_MAX_BYTES);
	r = es_explore_fill(&study->spec, &member->at, &none, study->spec.build.text, &line);
	if (r == 0) {
		es_sha256_init(&sha);
		es_sha256_add(&sha, line.data, line.len);
		digest[0] = '\0';
		(void)es_sha256_text(&sha, digest);
		digest[ES_EXPLORE_ID_BYTES - 1] = '\0';
		for (size_t k = 0; k < study->n_builds; k++)
			if (strcmp(study->builds[k].id, digest) == 0)
				member->build = k;
		if (member->build == ES_EXPLORE_NONE) {
			member->build = study->n_builds++;
			study->builds[member->build].configuration = i;
			memcpy(study->builds[member->build].id, digest, ES_EXPLORE_ID_BYTES);
		}
	}
	es_buf_finish(&line);
	return r < 0 ? es_error_set(err, r, "build of %s", member->label) : 0;
}

static int take_members(struct es_explore *study, const struct es_explore_configuration *grid,
			struct es_error *err)
{
	study->n_rounds = (size_t)study->spec.n_rounds;
	study->members = calloc(study->n, sizeof(*study->members));
	study->builds = calloc(study->n, sizeof(*study->builds));
	study->runs = calloc(study->n * study->n_rounds, sizeof(*study->runs));
	if (!study->members || !study->builds || !study->runs)
		return es_error_set(err, -ENOMEM, "cannot keep %zu configurations", study->n);
	for (size_t i = 0; i < study->n * study->n_rounds; i++)
		study->runs[i].trial = ES_EXPLORE_NONE;
	for (size_t i = 0; i < study->n; i++) {
		struct es_explore_member *member = &study->members[i];
		struct es_buf label;
		int r;

		member->at = grid[i];
		member->runs = &study->runs[i * study->n_rounds];
		(void)snprintf(member->id, sizeof(member->id), "c%02zu", i + 1);
		es_buf_init(&label, ES_EXPLORE_LINE_MAX_BYTES);
		(void)es_explore_label(&study->spec, &member->at, &label);
		(void)es_buf_u8(&label, '\0');
		member->label = label.error ? NULL : strdup((const char *)label.data);
		es_buf_finish(&label);
		if (!member->label)
			return es_error_set(err, -ENOMEM, "cannot keep %zu configurations",
					    study->n);
		es_text_make_safe(member->label, false);
		r = find_build(study, i, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int find_reference(struct es_explore *study, struct es_error *err)
{
	size_t n_found = 0;

	if (!study->spec.reference_line)
		return 0;
	for (size_t i = study->n; i-- > 0;)
		if (es_explore_picks(&study->spec, &study->spec.reference, &study->members[i].at)) {
			study->reference = i;
			n_found++;
		}
	if (n_found == 0)
		return es_error_say(
			err, -EINVAL,
			"%.900s:%zu: no configuration that is left has the reference's values",
			study->path, study->spec.reference_line);
	return 0;
}

static void add(struct es_sha256 *sha, const char *text)
{
	es_sha256_add(sha, text ? text : "", text ? strlen(text) + 1 : 1);
}

/* Joules by other meters are not mixed either. */
static void take_digest(struct es_explore *study)
{
	char root[ES_PATH_MAX_BYTES];
	struct es_sha256 sha;

	es_sha256_init(&sha);
	es_explore_spec_digest(&study->spec, &sha);
	add(&sha, study->root && realpath(study->root, root) ? root : study->root);
	add(&sha, study->as);
	for (size_t i = 0; i < study->domains.n; i++)
		add(&sha, study->domains.texts[i]);
	add(&sha, "");
	for (size_t i = 0; i < study->meters.n; i++)
		add(&sha, study->meters.texts[i]);
	(void)es_sha256_text(&sha, study->digest);
}

int es_explore_open(struct es_explore *study, struct es_error *err)
{
	es_cleanup(es_freep) struct es_explore_configuration *grid = NULL;
	int r = read_spec(study, &grid, err);

	if (r == 0 && !study->slowdown)
		study->slowdown_share = study->spec.slowdown_ppm < 0
						? (double)INFINITY
						: (double)study->spec.slowdown_ppm / 1e6;
	if (r == 0)
		r = es_root_open(NULL, -1, &study->machine, err);
	if (r == 0)
		r = find_places(study, err);
	if (r == 0)
		r = take_members(study, grid, err);
	if (r == 0)
		r = find_reference(study, err);
	if (r == 0 && !study->is_dry && !study->is_report)
		r = es_make_directories(study->dir, err);
	if (r < 0)
		return r;
	take_digest(study);
	return es_explore_journal_open(study, !study->is_dry && !study->is_report, err);
}

void es_explore_finish(struct es_explore *study)
{
	for (size_t i = 0; study->members && i < study->n; i++)
		free(study->members[i].label);
	if (study->journal_fd >= 0)
		(void)close(study->journal_fd);
	es_root_close(&study->machine);
	free(study->members);
	free(study->builds);
	free(study->runs);
	free(study->front);
	free(study->text);
	es_trials_finish(&study->trials);
	es_explore_spec_finish(&study->spec);
}

int es_explore_places_of(const struct es_explore *study, size_t member, size_t round,
			 struct es_explore_room *ret)
{
	const struct es_explore_member *of = &study->members[member];
	int n[3] = { 0 };

	(void)snprintf(ret->round, sizeof(ret->round), "%zu", round);
	n[0] = round ? snprintf(ret->run_dir, sizeof(ret->run_dir), "%s/runs/%s-%zu", study->dir,
				of->id, round)
		     : snprintf(ret->run_dir, sizeof(ret->run_dir), "%s/runs/%s-warmup", study->dir,
				of->id);
	n[1] = snprintf(ret->out, sizeof(ret->out), "%.4000s/stdout", ret->run_dir);
	ret->build_dir[0] = '\0';
	n[2] = snprintf(ret->build_dir, sizeof(ret->build_dir), "%s/builds/%s", study->dir,
			of->build == ES_EXPLORE_NONE ? "none" : study->builds[of->build].id);
	ret->places = (struct es_explore_places){ .build_dir = ret->build_dir,
						  .run_dir = ret->run_dir,
						  .out = ret->out,
						  .configuration = of->id,
						  .round = ret->round };
	for (size_t i = 0; i < 3; i++)
		if (n[i] < 0 || n[i] >= (int)ES_PATH_MAX_BYTES - 64)
			return -ENAMETOOLONG;
	return 0;
}

int es_explore_recording(const struct es_explore *study, size_t member, size_t round,
			 char ret[static ES_PATH_MAX_BYTES])
{
	int n = snprintf(ret, ES_PATH_MAX_BYTES, "%s/recordings/%s-%zu.esr", study->dir,
			 study->members[member].id, round);

	return n < 0 || n >= (int)ES_PATH_MAX_BYTES ? -ENAMETOOLONG : 0;
}
