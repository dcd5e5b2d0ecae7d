/*
 * place.c - a folder for a twin to be mounted at, and whether this machine lets it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "twin/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "twin/mounts.h"

#define DEVICE "/dev/fuse"
#define CONF "/etc/fuse.conf"
#define CONF_MAX 65536U
#define LOCK_TRIES 200U
#define LOCK_AGAIN_US 10000

/* Like mkdir -p. */
static int make_folder(const char *path)
{
	es_cleanup(es_freep) char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	for (char *p = copy + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return mkdir(copy, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

/* First line of a file of a twin that is up; "" where it does not answer. */
static void ask(const char *mount, const char *name, char ret[static 64])
{
	char path[ES_PATH_MAX_BYTES];
	es_cleanup(es_closep) int fd = -1;
	ssize_t n = -1;

	if (snprintf(path, sizeof(path), "%s/.twin/%s", mount, name) < (int)sizeof(path))
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		n = read(fd, ret, 63);
	ret[n > 0 ? n : 0] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
}

static int refuse_twin(const char *path, struct es_error *err)
{
	char kind[64], pid[64];

	ask(path, "kind", kind);
	ask(path, "pid", pid);
	return es_error_say(
		err, -EEXIST,
		"'%s': a twin is up here already%s%s%s%s%s; end it with 'energyscopium twin down', or take another folder",
		path, *kind ? " (" : "", kind, *pid ? ", process " : "", pid, *kind ? ")" : "");
}

/* 0: nothing is mounted there, any more. */
static int clear_mounts(const char *path, struct es_error *err)
{
	struct es_twin_mounted mounted;
	struct stat st;
	int r = es_twin_mounted(path, &mounted);

	if (r < 0)
		return es_error_set(err, r, "cannot tell what is mounted at '%s'", path);
	if (!mounted.is_mount)
		return 0;
	if (!mounted.is_twin)
		return es_error_say(
			err, -EBUSY,
			"'%s': a file system of type %s is mounted here; take another folder, or unmount it",
			path, mounted.type);
	if (stat(path, &st) == 0)
		return refuse_twin(path, err);
	if (errno == EACCES)
		return es_error_say(
			err, -EEXIST,
			"'%s': the twin of another user (uid %u) is up here; take another folder",
			path, (unsigned)mounted.owner);
	r = es_twin_unmount(path);
	if (r < 0)
		return es_error_set(err, r,
				    "'%s': a dead twin left its mount, which cannot be taken away",
				    path);
	return 0;
}

static int check_empty(const char *path, struct es_error *err)
{
	es_cleanup(es_closedirp) DIR *dir = opendir(path);

	if (!dir && errno == ENOTDIR)
		return es_error_say(err, -ENOTDIR, "'%s' is no folder", path);
	if (!dir)
		return es_error_set(err, -errno, "cannot look into '%s'", path);
	for (const struct dirent *entry; (entry = readdir(dir));)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			return es_error_say(
				err, -ENOTEMPTY,
				"'%s' is not empty: '%s' and all else in it would be hidden; take an empty folder",
				path, entry->d_name);
	return 0;
}

/* One that is just ending lets go soon. A file system without locks is taken at its word. */
static bool is_locked(int fd)
{
	for (unsigned i = 0; i < LOCK_TRIES; i++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
			return false;
		(void)usleep(LOCK_AGAIN_US);
	}
	return true;
}

static int have(struct es_twin_place *place, struct es_error *err)
{
	place->fd = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (place->fd < 0)
		return es_error_set(err, -errno, "cannot open '%s'", place->path);
	if (is_locked(place->fd))
		return es_error_say(
			err, -EBUSY,
			"'%s': another twin begins or ends here just now; try again, or take another folder",
			place->path);
	if (access(place->path, W_OK) < 0)
		return es_error_set(err, -errno, "'%s': users can mount only where they may write",
				    place->path);
	return 0;
}

int es_twin_place_open(const char *path, struct es_twin_place *ret, struct es_error *err)
{
	struct es_twin_place place = { .fd = -1 };
	int r = es_twin_mount_resolve(path, place.path);

	if (r == -ENOENT) {
		r = make_folder(path);
		if (r < 0)
			return es_error_set(err, r, "cannot make folder '%s'", path);
		r = es_twin_mount_resolve(path, place.path);
	}
	if (r < 0)
		return es_error_set(err, r, "'%s'", path);
	r = clear_mounts(place.path, err);
	if (r == 0)
		r = check_empty(place.path, err);
	if (r == 0)
		r = have(&place, err);
	/* Another one may have been quicker. */
	if (r == 0)
		r = clear_mounts(place.path, err);
	if (r < 0) {
		es_twin_place_close(&place);
		return r;
	}
	*ret = place;
	return 0;
}

void es_twin_place_close(struct es_twin_place *place)
{
	es_closep(&place->fd);
	place->fd = -1;
}

bool es_twin_fuse_allows_others(const char *conf)
{
	static const char key[] = "user_allow_other";

	for (;;) {
		size_t n = strcspn(conf, "\n"), from = strspn(conf, " \t"), to = n;

		while (to > from && strchr(" \t\r", conf[to - 1]))
			to--;
		if (to > from && to - from == sizeof(key) - 1 &&
		    memcmp(conf + from, key, to - from) == 0)
			return true;
		if (conf[n] == '\0')
			return false;
		conf += n + 1;
	}
}

static int check_device(struct es_error *err)
{
	es_cleanup(es_closep) int fd = open(DEVICE, O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return 0;
	if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
		return es_error_say(
			err, -errno,
			"FUSE is not there (" DEVICE
			"): 'modprobe fuse' as root; a container has to be started with --device " DEVICE
			" --cap-add SYS_ADMIN");
	if (errno == EPERM)
		return es_error_say(err, -EPERM,
				    DEVICE
				    " is closed to this container: start it with --device " DEVICE
				    " --cap-add SYS_ADMIN");
	return es_error_set(err, -errno,
			    "cannot open " DEVICE ": 'chmod 666 " DEVICE
			    "' as root lets users mount through it");
}

static bool is_installed(const char *program)
{
	const char *path = getenv("PATH");
	char full[ES_PATH_MAX_BYTES];

	for (const char *p = path ? path : "/usr/bin:/bin"; *p;) {
		size_t n = strcspn(p, ":");

		if (snprintf(full, sizeof(full), "%.*s/%s", (int)n, p, program) <
			    (int)sizeof(full) &&
		    access(full, X_OK) == 0)
			return true;
		p += n + (p[n] == ':');
	}
	return false;
}

static int check_user(bool allows_others, struct es_error *err)
{
	es_cleanup(es_closep) int fd = -1;
	char conf[CONF_MAX] = "";
	ssize_t n = 0;

	if (!is_installed("fusermount3"))
		return es_error_say(
			err, -ENOENT,
			"fusermount3 is missing, by which users mount: 'apt-get install fuse3' as root");
	if (!allows_others)
		return 0;
	fd = open(CONF, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		n = read(fd, conf, sizeof(conf) - 1);
	conf[n > 0 ? n : 0] = '\0';
	if (es_twin_fuse_allows_others(conf))
		return 0;
	return es_error_say(err, -EPERM,
			    "--allow-other: " CONF
			    " lets only root; with the line user_allow_other in it all users may");
}

int es_twin_fuse_check(bool allows_others, struct es_error *err)
{
	int r = check_device(err);

	return r < 0 || geteuid() == 0 ? r : check_user(allows_others, err);
}
