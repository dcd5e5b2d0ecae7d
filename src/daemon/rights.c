/*
 * daemon/rights.c - who asks, and what that may see
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "daemon/rights.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

#define GROUPS_MAX 65536U /* NGROUPS_MAX of Linux */
#define OVERFLOW_UID \
	65534U /* what a user namespace shows of users that it does not have, unless set otherwise */

/* Where we are in a user namespace ourselves: "0 0 4294967295" is the first one, which has all users. */
static bool has_all_users(void)
{
	es_cleanup(es_fclosep) FILE *file = fopen("/proc/self/uid_map", "re");
	unsigned long inside, outside, n;

	return !file || fscanf(file, "%lu %lu %lu", &inside, &outside, &n) != 3 ||
	       n == 4294967295UL;
}

static bool is_in_group(int fd, gid_t group)
{
	socklen_t size = 64 * sizeof(gid_t);
	es_cleanup(es_freep) gid_t *groups = malloc(size);
	int r = groups ? getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) : -1;

	if (groups && r < 0 && errno == ERANGE && size <= GROUPS_MAX * sizeof(gid_t)) {
		free(groups);
		groups = malloc(size);
		r = groups ? getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) : -1;
	}
	/* Before Linux 4.13 nobody tells: then there is nothing in the room for them. */
	for (size_t i = 0; r == 0 && i < size / sizeof(gid_t); i++)
		if (groups[i] == group)
			return true;
	return false;
}

int es_peer_know(int fd, gid_t group, struct es_peer *ret)
{
	struct ucred cred;
	socklen_t size = sizeof(cred);
	struct es_peer peer;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0)
		return -errno;
	peer = (struct es_peer){ .pid = cred.pid, .uid = cred.uid };
	peer.has_uid = cred.uid != (uid_t)-1 && (cred.uid != OVERFLOW_UID || has_all_users());
	peer.is_admin = peer.has_uid &&
			(cred.uid == 0 || cred.uid == geteuid() ||
			 (group != (gid_t)-1 && (cred.gid == group || is_in_group(fd, group))));
	*ret = peer;
	return 0;
}

/* Since Linux 6.5; its number then stands for this process while the descriptor shows no end. */
static bool has_left(int fd)
{
	int pid_fd = -1;
	socklen_t size = sizeof(pid_fd);
	struct pollfd pollfd = { .events = POLLIN };
	bool is_over;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pid_fd, &size) < 0)
		return errno == ESRCH || errno == EINVAL; /* else the kernel does not know that */
	pollfd.fd = pid_fd;
	is_over = poll(&pollfd, 1, 0) != 0;
	(void)close(pid_fd);
	return is_over;
}

void es_peer_pin(int fd, const struct es_jobs *jobs, struct es_peer *peer)
{
	if (!jobs || peer->pid <= 0)
		return;
	peer->start_ticks = es_jobs_start_of_pid(jobs, peer->pid);
	/* Behind the look at its number: what is still there was there then. */
	if (has_left(fd))
		peer->pid = 0;
}

/* The job whose cgroup the peer is in. Its number may be another process' by now: looked at last, it was the same one. */
static struct es_job *job_of_process(const struct es_peer *peer, const struct es_jobs *jobs)
{
	struct es_job *job = es_jobs_of_pid(jobs, peer->pid);

	return job && es_jobs_start_of_pid(jobs, peer->pid) == peer->start_ticks ? job : NULL;
}

struct es_job *es_rights_job(const struct es_peer *peer, const struct es_jobs *jobs)
{
	/* Who is in a job's cgroup was put there by the system, whatever user its container made of it. */
	struct es_job *job = jobs && peer->pid > 0 ? job_of_process(peer, jobs) : NULL;

	for (size_t i = 0; !job && jobs && peer->has_uid && peer->uid != 0; i++) {
		struct es_job *other = es_jobs_at(jobs, i);

		if (!other)
			break;
		if (other->about.has_uid && other->about.uid == peer->uid)
			job = other;
	}
	return job;
}

void es_rights_judge(const struct es_peer *peer, const struct es_jobs *jobs,
		     const struct es_daemon_config *config, struct es_rights *ret)
{
	const struct es_job *job = es_rights_job(peer, jobs);
	struct es_rights rights = { .view = ES_LOCAL_VIEW_NOTHING, .words = "" };

	if (job) {
		rights.job_serial = job->serial;
		(void)snprintf(rights.job, sizeof(rights.job), "%s", job->about.id);
	}
	if (peer->is_admin) {
		rights.view = ES_LOCAL_VIEW_NODE;
		rights.least_period_ns = ES_PERIOD_MIN_NS;
	} else if ((job && es_jobs_is_exclusive(jobs, job)) ||
		   config->serve == ES_SERVE_EVERYBODY) {
		rights.view = ES_LOCAL_VIEW_NODE;
		rights.least_period_ns = ES_RIGHTS_EXCLUSIVE_NS;
		rights.words = "10 readings a second at most (fast_readings)";
	} else if (job) {
		rights.view = ES_LOCAL_VIEW_SHARE;
		rights.least_period_ns = ES_RIGHTS_SHARED_NS;
		rights.words = "others share this node: your job's part of it, once a second";
	} else {
		rights.least_period_ns = ES_RIGHTS_SHARED_NS;
		rights.words = "no job of yours runs on this node";
	}
	if (config->has_fast_readings && rights.view != ES_LOCAL_VIEW_NOTHING && !peer->is_admin) {
		rights.least_period_ns = ES_PERIOD_MIN_NS;
		if (rights.view == ES_LOCAL_VIEW_NODE)
			rights.words = "";
	}
	*ret = rights;
}
