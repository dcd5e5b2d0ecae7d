/*
 * recording.h - reading a recording, as far as it is whole
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_RECORD_RECORDING_H
#define ES_RECORD_RECORDING_H

#include <stdbool.h>

#include "base/error.h"
#include "record/event.h"
#include "record/meta.h"

struct es_recording;

/** struct es_visitor - who is told what is in a recording; NULL members are left out; a negative return stops the walk */
struct es_visitor {
	/* One reading: when it was taken, its value (µJ, or mW where the domain reports power); CPU time where it has one. */
	int (*reading)(void *arg, size_t domain, int64_t t_ns, uint64_t value, int64_t activity_ns);
	int (*sweep)(void *arg, int64_t t_ns); /* before its readings */
	int (*event)(void *arg,
		     const struct es_event *event); /* the end of the recording among them */
	/* One value of a signal. They come after the readings of the second before them: by their times, not by their place. */
	int (*signal)(void *arg, size_t signal, int64_t t_ns, uint64_t value);
	int (*clock)(void *arg, int64_t boot_ns, int64_t mono_ns, int64_t unix_ns);
};

/**
 * es_recording_open - open a recording and read what it says about itself
 * @kept: frames that follow those of the file (of a recorder whose disk is full); NULL: none. Borrowed.
 * @ret: owned by caller, es_recording_close() it
 *
 * Returns 0; -EBADMSG: no recording, or its first frame is broken; -ENOTSUP: written by a newer version; errors of open.
 */
int es_recording_open(const char *path, const struct es_buf *kept, struct es_recording **ret,
		      struct es_error *err);
/** es_recording_open_fd - likewise, of an open file; @fd: taken over, closed also on failure; @name: for what is said */
int es_recording_open_fd(int fd, const char *name, const struct es_buf *kept,
			 struct es_recording **ret, struct es_error *err);
/** es_recording_open_bytes - likewise, of a whole recording in memory, which must outlive it */
int es_recording_open_bytes(const struct es_buf *bytes, const char *name, struct es_recording **ret,
			    struct es_error *err);
/**
 * es_recording_join - recordings of one job on several nodes as one: nodes, domains and signals one after the other
 * @parts: [@n] open, of different nodes; owned by the joined one from now on, with 0 only
 * @shift_ns: [@n] what is added to the times of each, so that all are on the boot clock of the first
 *
 * Its walk visits what happened in the order of time. Of events that are about one machine those that readers would take for all
 * are left out: its suspends, its launcher, its idle power, its processors online; work is that of the first that counted any. Returns 0,
 * -ENOMEM, or -E2BIG: too many nodes, domains or signals.
 */
int es_recording_join(struct es_recording *const *parts, const int64_t *shift_ns, size_t n,
		      struct es_recording **ret);
/** es_recording_n_parts - of a joined one; else 1 */
size_t es_recording_n_parts(const struct es_recording *recording);
void es_recording_close(struct es_recording *recording);

/** es_recording_meta - borrowed, lives as long as @recording */
const struct es_meta *es_recording_meta(const struct es_recording *recording);

/**
 * es_recording_walk - all frames in order, from the start; may be called again
 *
 * Memory does not grow with the recording. Returns 0 (also where the recording breaks off: es_recording_is_whole()
 * tells), a visitor's negative return, -ENOMEM, or a read error.
 */
int es_recording_walk(struct es_recording *recording, const struct es_visitor *visitor, void *arg);

/** es_recording_is_whole - after a walk: its last frame was the one that ends a recording */
bool es_recording_is_whole(const struct es_recording *recording);
/** es_recording_lost_bytes - after a walk: bytes behind the last valid frame */
uint64_t es_recording_lost_bytes(const struct es_recording *recording);
/** es_recording_valid - after a walk: how many frames are valid, and where the last one ends */
uint32_t es_recording_valid(const struct es_recording *recording, uint64_t *ret_bytes);

#endif
