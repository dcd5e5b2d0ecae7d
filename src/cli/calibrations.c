/*
 * cli/calibrations.c - the calibrations of this user and of the site, each a file
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/calibrations.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/wholefile.h"

#define FOLDER "energyscopium/calibrations"
#define SUFFIX ".json"

static int folder_path(bool is_system, char path[static ES_PATH_MAX_BYTES], struct es_error *err)
{
	const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int n;

	if (is_system)
		n = snprintf(path, ES_PATH_MAX_BYTES, "/etc/" FOLDER);
	else if (base && base[0] == '/')
		n = snprintf(path, ES_PATH_MAX_BYTES, "%s/" FOLDER, base);
	else if (home && home[0] == '/')
		n = snprintf(path, ES_PATH_MAX_BYTES, "%s/.config/" FOLDER, home);
	else
		return es_error_say(
			err, -ENOENT,
			"neither XDG_CONFIG_HOME nor HOME says where your calibrations are; give --out FILE");
	return n > 0 && (size_t)n < ES_PATH_MAX_BYTES - ES_NAME_MAX_BYTES - 8
		       ? 0
		       : es_error_say(err, -ENAMETOOLONG,
				      "the path of your calibrations is too long");
}

int es_calibrations_path(const char *name, bool is_system, char path[static ES_PATH_MAX_BYTES],
			 struct es_error *err)
{
	size_t n;
	int r = folder_path(is_system, path, err);

	if (r < 0)
		return r;
	n = strlen(path);
	(void)snprintf(path + n, ES_PATH_MAX_BYTES - n, "/%.200s" SUFFIX, name);
	return 0;
}

static int read_file(int folder, const char *name, struct es_calibration *ret, struct es_error *err)
{
	es_cleanup(es_freep) char *text = NULL;
	size_t n;
	int r = es_file_read_at(folder, name, ES_CALIBRATION_MAX_BYTES, &text, &n, err);

	return r < 0 ? r : es_calibration_read(text, n, ret, err);
}

static bool is_ours(const char *name)
{
	size_t n = strlen(name);

	return name[0] != '.' && n > strlen(SUFFIX) &&
	       strcmp(name + n - strlen(SUFFIX), SUFFIX) == 0;
}

static int add(struct es_calibrations *calibrations, struct es_calibration *calibration)
{
	struct es_calibration *list;

	if (calibrations->n == ES_CALIBRATIONS_MAX) {
		es_calibration_finish(calibration);
		return 0;
	}
	list = reallocarray(calibrations->list, calibrations->n + 1, sizeof(*list));
	if (!list) {
		es_calibration_finish(calibration);
		return -ENOMEM;
	}
	calibrations->list = list;
	list[calibrations->n++] = *calibration;
	return 0;
}

static int newest_first(const void *a, const void *b)
{
	const struct es_calibration *x = a, *y = b;

	if (x->t_unix_ns != y->t_unix_ns)
		return x->t_unix_ns > y->t_unix_ns ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int load_folder(const char *command, const char *path, struct es_calibrations *calibrations)
{
	es_cleanup(es_closedirp) DIR *dir = opendir(path);
	size_t first = calibrations->n;
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		struct es_calibration calibration = { .n_parts = 0 };
		struct es_error err = { .code = 0 };
		int r;

		if (!is_ours(entry->d_name))
			continue;
		r = read_file(dirfd(dir), entry->d_name, &calibration, &err);
		if (r < 0) {
			(void)es_complain(command, 0, "calibration '%s/%s': %s; it is not used",
					  path, entry->d_name, err.text);
			continue;
		}
		(void)snprintf(calibration.path, sizeof(calibration.path), "%.3800s/%.255s", path,
			       entry->d_name);
		r = add(calibrations, &calibration);
		if (r < 0)
			return r;
	}
	if (calibrations->n > first)
		qsort(calibrations->list + first, calibrations->n - first,
		      sizeof(*calibrations->list), newest_first);
	return 0;
}

int es_calibrations_load(const char *command, struct es_calibrations *ret, struct es_error *err)
{
	struct es_calibrations calibrations = { .n = 0 };
	char path[ES_PATH_MAX_BYTES];
	int r = 0;

	if (folder_path(false, path, NULL) == 0)
		r = load_folder(command, path, &calibrations);
	if (r == 0 && folder_path(true, path, NULL) == 0)
		r = load_folder(command, path, &calibrations);
	if (r < 0) {
		es_calibrations_finish(&calibrations);
		return es_error_set(err, r, "cannot read the calibrations");
	}
	*ret = calibrations;
	return 0;
}

void es_calibrations_finish(struct es_calibrations *calibrations)
{
	for (size_t i = 0; i < calibrations->n; i++)
		es_calibration_finish(&calibrations->list[i]);
	free(calibrations->list);
	*calibrations = (struct es_calibrations){ .n = 0 };
}

const struct es_calibration *es_calibrations_find(const struct es_calibrations *calibrations,
						  const char *name)
{
	for (size_t i = 0; i < calibrations->n; i++)
		if (strcmp(calibrations->list[i].name, name) == 0)
			return &calibrations->list[i];
	return NULL;
}

static int make_folder_of(const char *path, struct es_error *err)
{
	es_cleanup(es_freep) char *folder = strdup(path);
	char *slash = folder ? strrchr(folder, '/') : NULL;

	if (!folder)
		return es_error_set(err, -ENOMEM, "cannot write '%s'", path);
	if (!slash || slash == folder)
		return 0;
	*slash = '\0';
	return es_make_directories(folder, err);
}

int es_calibrations_save(const struct es_calibration *calibration, const char *path,
			 bool may_replace, struct es_error *err)
{
	char temporary[ES_PATH_MAX_BYTES + 16];
	es_cleanup(es_closep) int fd = -1;
	struct es_buf out;
	int r;

	if (!may_replace && access(path, F_OK) == 0)
		return es_error_say(err, -EEXIST, "'%s' is there already; --force replaces it",
				    path);
	r = make_folder_of(path, err);
	if (r < 0)
		return r;
	(void)snprintf(temporary, sizeof(temporary), "%.4095s.XXXXXX", path);
	es_buf_init(&out, ES_CALIBRATION_MAX_BYTES);
	r = es_calibration_write(calibration, &out);
	if (r == 0)
		r = es_buf_u8(&out, '\n');
	fd = r == 0 ? mkostemp(temporary, O_CLOEXEC) : -1;
	if (r == 0 && fd < 0)
		r = -errno;
	else if (r == 0)
		r = es_write_all(fd, out.data, out.len);
	/* Others of the site may use it: nothing in it is secret. */
	if (r == 0 && (fchmod(fd, 0644) < 0 || fsync(fd) < 0 || rename(temporary, path) < 0))
		r = -errno;
	if (r < 0 && fd >= 0)
		(void)unlink(temporary);
	es_buf_finish(&out);
	return r < 0 ? es_error_set(err, r, "cannot write '%s'", path) : 0;
}
