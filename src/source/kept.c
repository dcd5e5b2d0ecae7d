/*
 * source/kept.c - a file that stays open and is read anew for each reading
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/kept.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hot.h"
#include "base/parse.h"

#define RETRY_FIRST_NS (50 * ES_NS_PER_MS) /* twice as long after each time in vain */
#define RETRY_LAST_NS (10 * ES_NS_PER_S)
#define TRIES 4 /* 1, 2, 4 and 8 ms later */
#define WINDOW_NS (60 * ES_NS_PER_S)

int es_kept_open(const struct es_root *root, const char *path, struct es_kept *ret)
{
	struct es_kept kept = { .fd = -1 };

	if (snprintf(kept.path, sizeof(kept.path), "%s", path) >= (int)sizeof(kept.path)) {
		kept.path[0] = '\0';
		kept.error = -ENAMETOOLONG;
	} else {
		kept.fd = es_root_openat(root, path, O_RDONLY);
		kept.error = kept.fd < 0 ? kept.fd : 0;
	}
	*ret = kept;
	return kept.error;
}

void es_kept_close(struct es_kept *kept)
{
	es_closep(&kept->fd);
	kept->fd = -1;
}

/* Refused, not there, or too many files open: a moment later it is the same. */
bool es_kept_gives_up(int error, int tries)
{
	struct timespec pause = { .tv_nsec = ES_NS_PER_MS << (tries < TRIES ? tries : 0) };
	bool is_lasting = error == -EACCES || error == -EPERM || error == -ENOENT ||
			  error == -EMFILE || error == -ENFILE || error == -ELOOP ||
			  error == -EOPNOTSUPP;

	if (error == 0 || is_lasting || tries >= TRIES)
		return true;
	(void)nanosleep(&pause, NULL);
	return false;
}

bool es_kept_is_due(struct es_kept *kept, int64_t now_ns)
{
	if (now_ns < kept->retry_ns)
		return false;
	kept->pause_ns = kept->pause_ns ? 2 * kept->pause_ns : RETRY_FIRST_NS;
	kept->pause_ns = kept->pause_ns < RETRY_LAST_NS ? kept->pause_ns : RETRY_LAST_NS;
	kept->retry_ns = now_ns + kept->pause_ns;
	return true;
}

/* What a new descriptor may mend: the driver's own failures are the same through another one. */
static bool may_be_mended(int error)
{
	return error == -ENODEV || error == -ENOENT || error == -ENXIO || error == -ESTALE ||
	       error == -ENOTCONN || error == -EBADF;
}

es_hot ssize_t es_kept_read(const struct es_root *root, struct es_kept *kept, int64_t now_ns,
			    char *data, size_t size)
{
	ssize_t n = kept->fd >= 0 ? es_root_pread(root, kept->fd, data, size) : kept->error;

	if (n < 0 && (kept->fd < 0 || may_be_mended((int)n)) && kept->path[0] != '\0' &&
	    es_kept_is_due(kept, now_ns)) {
		int fd = es_root_openat(root, kept->path, O_RDONLY);

		if (fd >= 0) {
			es_kept_close(kept);
			kept->fd = fd;
			n = es_root_pread(root, fd, data, size);
		}
	}
	if (n >= 0 && (size_t)n >= size)
		n = -EMSGSIZE;
	if (n >= 0) {
		kept->pause_ns = 0;
		data[n] = '\0';
	}
	kept->error = n < 0 ? (int)n : 0;
	return n;
}

int es_kept_read_u64(const struct es_root *root, struct es_kept *kept, int64_t now_ns,
		     uint64_t *ret)
{
	char text[64];
	ssize_t n = es_kept_read(root, kept, now_ns, text, sizeof(text));

	if (n == -EMSGSIZE)
		return -EBADMSG;
	return n < 0 ? (int)n : es_parse_u64_sysfs(text, (size_t)n, ret);
}

void es_kept_explain(const struct es_root *root, const struct es_kept *kept, int error,
		     struct es_domain *domain)
{
	uid_t uid = root->judges_rights ? root->uid : geteuid();
	gid_t gid = root->judges_rights ? root->gid : getegid();
	const char *name = strrchr(kept->path, '/');

	name = name ? name + 1 : kept->path;
	domain->is_there = error != -ENOENT && error != -ELOOP;
	if (error != -EACCES && error != -EPERM) {
		domain->state = ES_STATE_ABSENT;
		(void)snprintf(domain->reason, sizeof(domain->reason),
			       "%.60s cannot be read: %.160s", name,
			       error == -EBADMSG ? "it does not show what it should"
						 : es_strerror(error));
		return;
	}
	domain->state = ES_STATE_DENIED;
	if (uid == 0) {
		(void)snprintf(
			domain->reason, sizeof(domain->reason),
			"%.60s is refused even to root: a container or a security module holds it back",
			name);
		return;
	}
	(void)snprintf(domain->reason, sizeof(domain->reason), "%.60s may be read by root only",
		       name);
	/* A path that does not fit is no command. */
	if (snprintf(domain->fix, sizeof(domain->fix), "sudo chgrp %u /%.180s && sudo chmod g+r $_",
		     (unsigned)gid, kept->path) >= (int)sizeof(domain->fix) ||
	    strlen(kept->path) > 180)
		domain->fix[0] = '\0';
}

es_hot int64_t es_stamps_place(struct es_stamps *stamps, int64_t meter_ns, int64_t t_ns)
{
	int64_t ahead_ns = t_ns - meter_ns, placed_ns;

	if (stamps->has_any && meter_ns == stamps->last_ns)
		return -EAGAIN;
	if (!stamps->has_any || meter_ns < stamps->last_ns) {
		stamps->has_any = true;
		stamps->ahead_ns = stamps->next_ahead_ns = ahead_ns;
		stamps->window_ns = t_ns;
	} else if (t_ns - stamps->window_ns > WINDOW_NS) {
		stamps->ahead_ns = stamps->next_ahead_ns;
		stamps->next_ahead_ns = ahead_ns;
		stamps->window_ns = t_ns;
	}
	if (ahead_ns < stamps->ahead_ns)
		stamps->ahead_ns = ahead_ns;
	if (ahead_ns < stamps->next_ahead_ns)
		stamps->next_ahead_ns = ahead_ns;
	placed_ns = meter_ns + stamps->ahead_ns;
	if (placed_ns <= stamps->last_t_ns)
		placed_ns = stamps->last_t_ns + 1;
	if (placed_ns > t_ns)
		placed_ns = t_ns;
	stamps->last_ns = meter_ns;
	stamps->last_t_ns = placed_ns;
	return placed_ns;
}
