/*
 * daemon/rights.h - who asks, and what that may see
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_DAEMON_RIGHTS_H
#define ES_DAEMON_RIGHTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon/config.h"
#include "daemon/jobs.h"
#include "wire/local.h"

#define ES_RIGHTS_EXCLUSIVE_NS \
	100000000LL /* CVE-2020-8694: what others compute shows in fast readings */
#define ES_RIGHTS_SHARED_NS 1000000000LL

/** struct es_peer - who is at the other end of a socket, as the kernel knows it */
struct es_peer {
	pid_t pid; /* 0: of a namespace that is not below ours, or gone before it was looked at */
	uint64_t start_ticks; /* of that process, after boot; 0: not known. With the number it names one for good */
	uid_t uid;
	bool has_uid; /* else the kernel has no number for it here */
	bool is_admin; /* root, the daemon's own user, or of its group */
};

/** struct es_rights - plain data; not longer true when a job begins or ends */
struct es_rights {
	enum es_local_view view;
	int64_t least_period_ns;
	uint64_t job_serial; /* of the peer's job; 0: it has none */
	char job[ES_LOCAL_ID_MAX_BYTES];
	const char *words; /* why no more; "": it sees all */
};

/** es_peer_know - who is at the other end of @fd; @group: -1: nobody's. 0 or negative errno */
int es_peer_know(int fd, gid_t group, struct es_peer *ret);
/** es_peer_pin - so that another process which gets its number has none of its rights; once, when it comes */
void es_peer_pin(int fd, const struct es_jobs *jobs, struct es_peer *peer);

/** es_rights_judge - what @peer may see now; @jobs: NULL: there are none */
void es_rights_judge(const struct es_peer *peer, const struct es_jobs *jobs,
		     const struct es_daemon_config *config, struct es_rights *ret);

/** es_rights_job - the peer's job, by its cgroup, else by its user; NULL: none */
struct es_job *es_rights_job(const struct es_peer *peer, const struct es_jobs *jobs);

#endif
