/*
 * daemon/parting.h - connections that are closed aside, because that can take long
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * What a client sent along with a packet is closed by who takes the packet, or closes the connection: a socket may linger for as long as
 * its owner likes, and a file may be in a file system that hangs. A thread of its own does that, one after the other.
 */
#ifndef ES_DAEMON_PARTING_H
#define ES_DAEMON_PARTING_H

#include <stddef.h>
#include <sys/types.h>

struct es_worker;
struct es_parting;

/** struct es_partings - zeroed: none */
struct es_partings {
	struct es_worker *worker; /* owned; NULL: it was not needed yet */
	struct es_parting *list; /* owned by the worker, each until it is taken back */
	size_t n;
};

/** es_partings_hang_up - close the connection @fd of @uid, which is taken over; never waits. What it still sends is taken and forgotten */
void es_partings_hang_up(struct es_partings *partings, int fd, uid_t uid);
/** es_partings_tick - those that are closed count no more */
void es_partings_tick(struct es_partings *partings);
/** es_partings_of - how many of @uid are not closed yet */
size_t es_partings_of(const struct es_partings *partings, uid_t uid);
/** es_partings_finish - what is not closed yet is left to the end of the process */
void es_partings_finish(struct es_partings *partings);

#endif
