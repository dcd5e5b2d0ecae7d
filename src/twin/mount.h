/*
 * mount.h - the files of a node that is up, shown through FUSE
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TWIN_MOUNT_H
#define ES_TWIN_MOUNT_H

#include "twin/host.h"

struct es_twin_mount;

/** struct es_twin_mount_options - borrowed for es_twin_mount_open() */
struct es_twin_mount_options {
	const char *path; /* absolute */
	bool allows_others; /* users other than who mounts it */
	void (*ready)(
		void *arg); /* called once, by a thread of its own, when files can be read; may be NULL */
	void *arg;
};

/** es_twin_mount_open - mount the tree of @host; 0, or a negative errno with what the kernel or libfuse said */
int es_twin_mount_open(struct es_twin_host *host, const struct es_twin_mount_options *options,
		       struct es_twin_mount **ret, struct es_error *err);
/** es_twin_mount_serve - answer until it is unmounted, or es_twin_mount_stop(); 0 or negative errno */
int es_twin_mount_serve(struct es_twin_mount *mount);
/**
 * es_twin_mount_stop - end es_twin_mount_serve(), from another thread: at once, though some wait for an answer
 *
 * It interrupts @server, the thread that serves, with SIGUSR1, which the program has to have a handler for. Again until it returns: a
 * signal may come just before it waits.
 */
void es_twin_mount_stop(struct es_twin_mount *mount, pthread_t server);
/** es_twin_mount_close - unmount, where that has not been done yet, and forget it; NULL is fine */
void es_twin_mount_close(struct es_twin_mount *mount);

#endif
