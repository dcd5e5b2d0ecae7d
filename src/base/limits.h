/*
 * limits.h - named maxima of everything that comes from outside
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_BASE_LIMITS_H
#define ES_BASE_LIMITS_H

#include <stdint.h>

/* Over a limit is an error (-E2BIG, -ENAMETOOLONG, -EMSGSIZE), never a truncation. */
#define ES_NAME_MAX_BYTES \
	256U /* names of domains, sources, nodes, jobs, tags; with the final NUL */
#define ES_TEXT_MAX_BYTES 1024U /* an error's or reason's text; with the final NUL */
#define ES_PATH_MAX_BYTES 4096U /* a path; with the final NUL */
#define ES_SYSFS_FILE_MAX_BYTES 4096U /* a sysfs attribute is at most a page */
#define ES_PROC_FILE_MAX_BYTES \
	(16U << 20) /* /proc/cpuinfo and /proc/stat of the largest machines */
#define ES_CONF_FILE_MAX_BYTES (1U << 20) /* a configuration file */
#define ES_DOMAINS_MAX 4096U /* domains in one recording */
#define ES_SIGNALS_MAX 4096U /* signals in one recording */
#define ES_JOINED_MAX 65536U /* domains, or signals, of recordings that are joined */
#define ES_NODES_MAX 16384U /* nodes in one recording */
#define ES_IPC_TEXT_MAX_BYTES 4096U /* words or a path in a message; with the final NUL */
#define ES_IPC_MESSAGE_MAX_BYTES 8192U /* a message through a local socket */
#define ES_IPC_CLIENTS_MAX 256U /* at a time; more wait */
#define ES_TAGS_OPEN_MAX 4096U /* names of tags that are open at a time */
#define ES_ANSWER_MAX_BYTES (1U << 20) /* what a meter answers, by HTTP or in a file */
#define ES_PERIOD_MIN_NS 1000000LL /* shortest sampling period: 1 ms */
#define ES_PERIOD_MAX_NS 3600000000000LL /* longest sampling period: 1 h */
#define ES_TIME_MAX_NS \
	(INT64_MAX / 2) /* times from outside lie within +-: differences always fit */

#endif
