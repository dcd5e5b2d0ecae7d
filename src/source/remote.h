/*
 * source/remote.h - meters that a user names: reached by a thread of their own, tried again when they are lost
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_REMOTE_H
#define ES_SOURCE_REMOTE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "source/source.h"
#include "source/url.h"
#include "sys/root.h"

#define ES_REMOTE_DENIED_NS (600 * INT64_C(1000000000))

/** struct es_remote - one such meter, as its thread has it */
struct es_remote;

/**
 * struct es_remote_ops - what a kind of meter does; all of it on the meter's thread, one call after the other
 *
 * A call may take as long as the URL's timeout, not longer. Reasons are one sentence without the URL, which is told
 * beside it.
 */
struct es_remote_ops {
	const char *thread; /* its name, at most 15 bytes */
	int64_t period_ns; /* to be read no more often, where the URL has no period= */
	int64_t period_min_ns; /* nor where it has a shorter one; 0: no bound */
	/* Not tried for so long after -EACCES to what credentials= has: accounts are locked after a few tries; 0: as usual */
	int64_t denied_ns;
	/*
	 * Reach it. The first time domains may be added by es_remote_add(); without any there is the one that the URL
	 * describes. Later, after it was lost, those of the first time hold.
	 * Returns 0; -EACCES: it refuses us; other negative errno: not there.
	 */
	int (*connect)(void *arg, struct es_remote *remote, struct es_error *err);
	/*
	 * One sweep. Of each of @ret (all zero, in the order of the domains): value, or error; a time of the reading
	 * itself where the meter tells one, else 0 (then it is that of the call). -ECANCELED: there is nothing new.
	 * Returns 0; negative errno: it is lost, connect comes again after a while.
	 */
	int (*read)(void *arg, struct es_remote *remote, struct es_reading *ret, size_t n);
	/* Forget the connection, if there is one. */
	void (*disconnect)(void *arg);
	void (*destroy)(void *arg); /* free @arg */
};

/**
 * es_remote_open - begin with the meter at @url; the members of the source's table are those below
 * @ops: of the source; @arg: of the kind, taken whatever is returned
 *
 * Its domains are there after es_remote_settle(), which waits: others are begun before.
 * One that cannot be reached is no error: its domain is listed with the reason, and it is tried again, after 1 s, then
 * twice as long each time, up to a minute, until a reading succeeds. Returns 0 or -ENOMEM.
 */
int es_remote_open(const struct es_root *root, const struct es_meter_url *url,
		   const struct es_source_ops *ops, const struct es_remote_ops *remote_ops,
		   void *arg, struct es_source **ret, struct es_error *err);

/* For the table of a source, whose open is NULL. */
int es_remote_settle(struct es_source *source, struct es_error *err);
void es_remote_end(struct es_source *source);
int es_remote_plan(const struct es_source *source, struct es_plan *ret);
void es_remote_ask(struct es_source *source);
int es_remote_wait(struct es_source *source, int64_t wait_ns);
int es_remote_read(struct es_source *source, struct es_reading *ret, size_t n);
void es_remote_close(struct es_source *source);

/* For the kind, in its calls. */
const struct es_meter_url *es_remote_url(const struct es_remote *remote);
const struct es_root *es_remote_root(const struct es_remote *remote);
/** es_remote_add - a domain, copied; begin with es_meter_domain(). 0, -E2BIG, -ENOMEM; nothing happens after the first connect */
int es_remote_add(struct es_remote *remote, const struct es_domain *domain);
/** es_remote_say_fix - the command that would make it answer, beside the reason of a failure */
void es_remote_say_fix(struct es_remote *remote, const char *fix);

#endif
