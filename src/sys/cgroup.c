/*
 * sys/cgroup.c - the cgroup of a process, where perf events know it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "sys/cgroup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/limits.h"

#define MOUNTINFO_MAX_BYTES (1U << 20)
#define CONTROLLER "perf_event"

bool es_cgroup_find(const char *text, const char *controller, char *ret, size_t size)
{
	char wanted[64];

	(void)snprintf(wanted, sizeof(wanted), ",%s,", controller);
	for (const char *line = text; line && *line;
	     line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		const char *names = strchr(line, ':'),
			   *path = names ? strchr(names + 1, ':') : NULL;
		char list[256];
		size_t n;

		if (!path || (size_t)(path - names) >= sizeof(list) - 1)
			continue;
		n = (size_t)(path - names - 1);
		(void)snprintf(list, sizeof(list), ",%.*s,", (int)n, names + 1);
		if (*controller ? !strstr(list, wanted) : n != 0)
			continue;
		n = strcspn(path + 1, "\n");
		if (n >= size)
			return false;
		memcpy(ret, path + 1, n);
		ret[n] = '\0';
		return true;
	}
	return false;
}

/* Fields of a line of mountinfo are parted by blanks; the kernel writes those within one as \040. */
static void undo_escapes(char *text)
{
	char *to = text;

	for (const char *p = text; *p; to++) {
		if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' &&
		    p[3] >= '0' && p[3] <= '7') {
			*to = (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
			p += 4;
		} else {
			*to = *p++;
		}
	}
	*to = '\0';
}

static bool has_option(const char *options, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = options; p; p = strchr(p, ','), p = p ? p + 1 : NULL)
		if (strncmp(p, name, n) == 0 && (p[n] == ',' || p[n] == '\0'))
			return true;
	return false;
}

/* Whether @cgroup is at or below @top; *ret_rest is what comes behind it, "" or with a leading slash. */
static bool is_below(const char *cgroup, const char *top, const char **ret_rest)
{
	size_t n = strcmp(top, "/") == 0 ? 0 : strlen(top);

	if (strncmp(cgroup, top, n) != 0 || (cgroup[n] != '/' && cgroup[n] != '\0'))
		return false;
	*ret_rest = strcmp(cgroup + n, "/") == 0 ? "" : cgroup + n;
	return true;
}

/* "36 35 98:0 /top /mnt rw,noatime master:1 - cgroup2 name rw,options" */
static int try_line(char *line, const char *controller, const char *cgroup, char *ret, size_t size)
{
	char *tail = strstr(line, " - "), *top, *mount, *type, *options, *save = NULL;
	const char *rest;

	if (!tail)
		return -ENOENT;
	*tail = '\0';
	(void)strtok_r(line, " ", &save);
	(void)strtok_r(NULL, " ", &save);
	(void)strtok_r(NULL, " ", &save);
	top = strtok_r(NULL, " ", &save);
	mount = strtok_r(NULL, " ", &save);
	type = strtok_r(tail + 3, " ", &save);
	(void)strtok_r(NULL, " ", &save);
	options = strtok_r(NULL, " ", &save);
	if (!top || !mount || !type || !options ||
	    strcmp(type, *controller ? "cgroup" : "cgroup2") != 0 ||
	    (*controller && !has_option(options, controller)))
		return -ENOENT;
	undo_escapes(top);
	undo_escapes(mount);
	if (mount[0] != '/' || !is_below(cgroup, top, &rest))
		return -ENOENT;
	if (snprintf(ret, size, "%s%s", mount + 1, rest) >= (int)size)
		return -ENAMETOOLONG;
	return 0;
}

int es_cgroup_mount(const char *mountinfo, const char *controller, const char *cgroup, char *ret,
		    size_t size)
{
	es_cleanup(es_freep) char *copy = strdup(mountinfo);
	int r = -ENOENT;

	if (!copy)
		return -ENOMEM;
	for (char *line = copy, *next; line && r == -ENOENT; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		r = try_line(line, controller, cgroup, ret, size);
	}
	return r;
}

int es_cgroup_open_perf(const struct es_root *root, pid_t pid, char *ret, size_t size)
{
	char file[64], text[ES_SYSFS_FILE_MAX_BYTES], cgroup[ES_SYSFS_FILE_MAX_BYTES],
		path[ES_PATH_MAX_BYTES];
	es_cleanup(es_freep) char *mounts = NULL;
	const char *controller = CONTROLLER;
	ssize_t n;
	int r;

	(void)snprintf(file, sizeof(file), "proc/%d/cgroup", (int)pid);
	n = es_root_read(root, file, text, sizeof(text));
	if (n < 0)
		return n == -ENOENT ? -ESRCH : (int)n;
	n = es_root_read_file(root, "proc/self/mountinfo", MOUNTINFO_MAX_BYTES, &mounts);
	if (n < 0)
		return (int)n;
	if (!es_cgroup_find(text, controller, cgroup, sizeof(cgroup))) {
		controller = "";
		if (!es_cgroup_find(text, controller, cgroup, sizeof(cgroup)))
			return -ENOENT;
	}
	r = es_cgroup_mount(mounts, controller, cgroup, path, sizeof(path));
	if (r < 0)
		return r;
	if (snprintf(ret, size, "%s", cgroup) >= (int)size)
		return -ENAMETOOLONG;
	return es_root_openat(root, path, O_RDONLY | O_DIRECTORY);
}
