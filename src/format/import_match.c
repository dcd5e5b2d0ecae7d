/*
 * import_match.c - which files belong together
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/import_match.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* How strong a sign is; what only excludes is below zero. */
enum {
	SIGN_NAME = 8,
	SIGN_FOLDER = 4,
	SIGN_DATE = 2,
	SIGN_OTHER_DAY = -100,
};

#define NEAR_NS (120 * ES_NS_PER_S)
#define FAR_NS (86400 * ES_NS_PER_S)

/* What is left of a file's name without the word that tells its kind, and without its ending. */
static bool rest_of(const char *name, const char *word, const char **ret, size_t *ret_n)
{
	const char *base = es_import_base_name(name), *found = strstr(base, word), *dot;

	if (!found)
		return false;
	*ret = found + strlen(word);
	dot = strrchr(*ret, '.');
	*ret_n = dot ? (size_t)(dot - *ret) : strlen(*ret);
	return *ret_n > 0;
}

static bool have_one_rest(const char *a, const char *word_a, const char *b, const char *word_b)
{
	const char *rest_a, *rest_b;
	size_t n_a, n_b;

	return rest_of(a, word_a, &rest_a, &n_a) && rest_of(b, word_b, &rest_b, &n_b) &&
	       n_a == n_b && memcmp(rest_a, rest_b, n_a) == 0;
}

static bool has_word(const char *name, const char *word)
{
	return *word && strstr(es_import_base_name(name), word);
}

static int date_sign(const struct es_dump *a, const struct es_dump *b)
{
	int64_t a_ns, b_ns, apart_ns;

	if ((es_time_parse(a->timestamp, &a_ns) < 0 && es_time_parse(a->date, &a_ns) < 0) ||
	    es_time_parse(b->date, &b_ns) < 0)
		return 0;
	apart_ns = a_ns > b_ns ? a_ns - b_ns : b_ns - a_ns;
	return apart_ns <= NEAR_NS ? SIGN_DATE : apart_ns > FAR_NS ? SIGN_OTHER_DAY : 0;
}

static int discovery_sign(const struct es_import_file *raw, const struct es_import_file *discovery)
{
	int sign = date_sign(&raw->dump, &discovery->dump);

	if (have_one_rest(raw->name, "es_read_rt_result", discovery->name, "es_discover_result") ||
	    has_word(raw->name, discovery->dump.node))
		sign += SIGN_NAME;
	if (es_import_same_folder(raw->name, discovery->name))
		sign += SIGN_FOLDER;
	return sign;
}

static bool is_taken(const struct es_import_files *files, const size_t *matches, size_t discovery)
{
	for (size_t i = 0; i < files->n; i++)
		if (matches[i] == discovery)
			return true;
	return false;
}

static void match_all(const struct es_import_files *files, int at_least, size_t *ret)
{
	for (size_t raw = 0; raw < files->n; raw++) {
		int best = at_least - 1;

		if (files->files[raw].kind != ES_IMPORT_RAW || ret[raw] != ES_IMPORT_NO_FILE)
			continue;
		for (size_t i = 0; i < files->n; i++) {
			int sign;

			if (files->files[i].kind != ES_IMPORT_DISCOVERY || is_taken(files, ret, i))
				continue;
			sign = discovery_sign(&files->files[raw], &files->files[i]);
			if (sign > best) {
				best = sign;
				ret[raw] = i;
			}
		}
	}
}

void es_import_match_discoveries(const struct es_import_files *files, size_t *ret)
{
	for (size_t i = 0; i < files->n; i++)
		ret[i] = ES_IMPORT_NO_FILE;
	/* Those that carry it in their names first, so that no other takes theirs. */
	match_all(files, SIGN_NAME, ret);
	match_all(files, SIGN_DATE, ret);
}

size_t es_import_match_cmd(const struct es_import_files *files, size_t raw, const char *job)
{
	size_t found = ES_IMPORT_NO_FILE;
	int best = 0;

	for (size_t i = 0; i < files->n; i++) {
		int sign = 0;

		if (files->files[i].kind != ES_IMPORT_CMD)
			continue;
		sign += has_word(files->files[i].name, job) ? SIGN_NAME : 0;
		sign += es_import_same_folder(files->files[i].name, files->files[raw].name)
				? SIGN_FOLDER
				: 0;
		if (sign > best) {
			best = sign;
			found = i;
		}
	}
	return found;
}

size_t es_import_match_info(const struct es_import_files *files, size_t raw, const char *job)
{
	size_t found = ES_IMPORT_NO_FILE;
	int best = 1;

	for (size_t i = 0; i < files->n; i++) {
		const struct es_import_file *file = &files->files[i];
		int sign = 0;

		if (file->kind != ES_IMPORT_SUMMARY && file->kind != ES_IMPORT_EPROFILE)
			continue;
		if (*file->job && strcmp(file->job, job) != 0)
			continue;
		sign += *file->job ? SIGN_NAME : 0;
		sign += es_import_same_folder(file->name, files->files[raw].name) ? SIGN_FOLDER : 0;
		sign += file->has_tags;
		if (sign > best) {
			best = sign;
			found = i;
		}
	}
	return found;
}

size_t es_import_match_clustercockpit(const struct es_import_files *files, size_t meta)
{
	const char *name = files->files[meta].name;
	size_t found = ES_IMPORT_NO_FILE, n = 0;
	int best = 0;

	for (size_t i = 0; i < files->n; i++) {
		const struct es_import_file *file = &files->files[i];
		const char *a = strstr(es_import_base_name(name), "meta"),
			   *b = strstr(es_import_base_name(file->name), "data");
		int sign = 1;

		if (file->kind != ES_IMPORT_CC_DATA || file->is_used)
			continue;
		n++;
		sign += es_import_same_folder(name, file->name) ? SIGN_FOLDER : 0;
		/* "X.meta.json" and "X.data.json" */
		if (a && b &&
		    a - es_import_base_name(name) == b - es_import_base_name(file->name) &&
		    memcmp(es_import_base_name(name), es_import_base_name(file->name),
			   (size_t)(a - es_import_base_name(name))) == 0)
			sign += SIGN_NAME;
		if (sign > best) {
			best = sign;
			found = i;
		}
	}
	return best > 1 || n == 1 ? found : ES_IMPORT_NO_FILE;
}

bool es_import_is_covered(const struct es_import_files *files, size_t index,
			  const size_t *discoveries)
{
	const struct es_import_file *profile = &files->files[index];

	for (size_t i = 0; i < files->n; i++) {
		const char *job;

		if (files->files[i].kind != ES_IMPORT_RAW || discoveries[i] == ES_IMPORT_NO_FILE)
			continue;
		job = files->files[discoveries[i]].dump.job;
		/* "0" is every job of its record mode. */
		if (*profile->job && strcmp(profile->job, job) == 0 && strcmp(job, "0") != 0)
			return true;
		if ((*profile->job == '\0' || strcmp(profile->job, job) == 0) &&
		    es_import_same_folder(profile->name, files->files[i].name))
			return true;
	}
	return false;
}
