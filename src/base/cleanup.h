/*
 * cleanup.h - locals that clean up after themselves
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_BASE_CLEANUP_H
#define ES_BASE_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* es_cleanup(es_closep) int fd = open(...): closed when fd leaves its scope. */
#define es_cleanup(fn) __attribute__((cleanup(fn)))

static inline void es_closep(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static inline void es_freep(void *p)
{
	free(*(void **)p);
}

static inline void es_fclosep(FILE **f)
{
	if (*f)
		(void)fclose(*f);
}

static inline void es_closedirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

/** es_steal_fd - hand over a descriptor: the local that held it will not close it */
static inline int es_steal_fd(int *fd)
{
	int stolen = *fd;

	*fd = -1;
	return stolen;
}

/* es_steal_ptr(p): hand over a pointer: the local that held it will not free it */
#define es_steal_ptr(p)                        \
	(__extension__({                       \
		__typeof__(p) es_stolen = (p); \
		(p) = NULL;                    \
		es_stolen;                     \
	}))

#define ES_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif
