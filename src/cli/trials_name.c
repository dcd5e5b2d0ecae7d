/*
 * trials_name.c - which group a run is of, by the name of its file
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cli/trials_private.h"

/* The longer one first where one ends with another. */
static const char *const endings[] = {
	".eprofile.json.gz",
	".eprofile.json",
	".eprofile",
	".json.gz",
	".json",
	".esr",
	".csv",
	".tsv",
	".tar.gz",
	".tar.xz",
	".tar.zst",
	".tar.bz2",
	".tar",
	".tgz",
	".txt",
};

static size_t without_ending(const char *name, size_t n)
{
	for (size_t i = 0; i < ES_ARRAY_SIZE(endings); i++) {
		size_t m = strlen(endings[i]);

		if (n > m && strncasecmp(name + n - m, endings[i], m) == 0)
			return n - m;
	}
	return n;
}

/* A-12, A_12 and A.12 are A; a name that is all number keeps it. */
static size_t without_number(const char *name, size_t n)
{
	size_t at = n;

	while (at > 0 && isdigit((unsigned char)name[at - 1]))
		at--;
	return at < n && at > 1 && strchr("-_.", name[at - 1]) ? at - 1 : n;
}

/* Where the last part of a path begins and ends; a slash behind it is not of it. */
static size_t base_of(const char *path, size_t *ret_n)
{
	size_t end = strlen(path), start;

	while (end > 1 && path[end - 1] == '/')
		end--;
	for (start = end; start > 0 && path[start - 1] != '/';)
		start--;
	*ret_n = end - start;
	return start;
}

int es_trials_stem(const char *path, char *ret)
{
	size_t n, start = base_of(path, &n);

	n = without_number(path + start, without_ending(path + start, n));
	if (n >= ES_NAME_MAX_BYTES)
		return -ENAMETOOLONG;
	(void)snprintf(ret, ES_NAME_MAX_BYTES, "%.*s", (int)n, path + start);
	es_text_make_safe(ret, false);
	return 0;
}

/* "out/A-1.esr" and "A" make "out/A". */
static int with_folder(const char *folder, const char *stem, char *ret)
{
	return snprintf(ret, ES_NAME_MAX_BYTES, "%s/%s", folder, stem) < (int)ES_NAME_MAX_BYTES
		       ? 0
		       : -ENAMETOOLONG;
}

/* The one of that name and folder; where another folder has the name it is named by both. */
static int group_by_file(struct es_trials *trials, const char *folder, const char *stem)
{
	char name[ES_NAME_MAX_BYTES];
	int r;

	(void)snprintf(name, sizeof(name), "%s", stem);
	for (int attempt = 0; attempt < 2; attempt++) {
		r = es_trials_group(trials, name);
		if (r < 0)
			return r;
		if (!trials->folders[r])
			trials->folders[r] = strdup(folder);
		if (!trials->folders[r])
			return -ENOMEM;
		if (strcmp(trials->folders[r], folder) == 0 || with_folder(folder, stem, name) < 0)
			return r;
	}
	return r;
}

int es_trials_group_of(const struct es_trials_reading *reading, const char *path,
		       struct es_error *err)
{
	char stem[ES_NAME_MAX_BYTES];
	size_t n, start = base_of(path, &n);
	es_cleanup(es_freep) char *folder = strndup(path, start > 1 ? start - 1 : start);
	int r = folder ? es_trials_stem(path, stem) : -ENOMEM;

	if (r == 0 && reading->group)
		r = es_trials_group(reading->trials, reading->group);
	else if (r == 0)
		r = group_by_file(reading->trials, folder, stem);
	if (r == -E2BIG)
		return es_error_say(err, r, "'%.300s': more than %u groups", path,
				    ES_TRIAL_GROUPS_MAX);
	return r < 0 ? es_error_set(err, r, "cannot take '%.300s'", path) : r;
}
