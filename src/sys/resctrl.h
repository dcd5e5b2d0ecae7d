/*
 * sys/resctrl.h - memory traffic as the kernel's resource control counts it for each L3 cache
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SYS_RESCTRL_H
#define ES_SYS_RESCTRL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "sys/root.h"

#define ES_RESCTRL_DOMAINS_MAX \
	64U /* L3 caches of a node: one for each package, or for each core complex */
#define ES_RESCTRL_GROUPS_MAX 64U /* groups of control; more have no counters of their own */

struct es_resctrl;

/**
 * es_resctrl_open - find the counters below sys/fs/resctrl
 * @ret: owned by caller, es_resctrl_close() it
 * Returns 0; -ENODEV with why, and in @err what would help: it is not mounted, this processor does not count, or its
 * counters are "Unavailable"; -EACCES; -ENOMEM.
 */
int es_resctrl_open(const struct es_root *root, struct es_resctrl **ret, struct es_error *err);
void es_resctrl_close(struct es_resctrl *resctrl);

/** es_resctrl_n_domains, es_resctrl_domain - its L3 caches, by their number in the kernel's names "mon_L3_NN" */
size_t es_resctrl_n_domains(const struct es_resctrl *resctrl);
unsigned es_resctrl_domain(const struct es_resctrl *resctrl, size_t i);

/**
 * es_resctrl_read - bytes that went between each L3 cache and memory since the open, of all groups together
 * @now_ns: boot clock. New groups are looked for every ten seconds.
 * @ret_bytes, @ret_errors: [n domains]; an error is negative, 0: none
 *
 * The kernel makes 64 bits of what the hardware counts (24 to 44 bits), so that a step back is no wrap: a group was
 * made anew, or its counter was given to another and back. It counts from there.
 */
void es_resctrl_read(struct es_resctrl *resctrl, int64_t now_ns, uint64_t *ret_bytes,
		     int *ret_errors);

/** es_resctrl_parse - the text of such a counter; 0, -ENODATA: "Unavailable" now, -ENOLINK: "Unassigned", -EIO: "Error", -EBADMSG */
int es_resctrl_parse(const char *text, size_t n, uint64_t *ret);

#endif
