/*
 * spool_node.c - the recording of the node itself, one a day
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "daemon/spool_private.h"

#define DAY_NS (86400 * ES_NS_PER_S)
#define NAMES_MAX 32U /* of one day: it was booted, or its meters changed, that often */

static int name_day(const struct es_spool *spool, unsigned number, char *stem, size_t size)
{
	time_t t = (time_t)(spool->node_day * 86400);
	char date[32];
	struct tm tm;

	if (!gmtime_r(&t, &tm) || strftime(date, sizeof(date), "%Y-%m-%d", &tm) == 0)
		return -EINVAL;
	if (number)
		(void)snprintf(stem, size, "%s.%u", date, number + 1);
	else
		(void)snprintf(stem, size, "%s", date);
	return 0;
}

static int begin(struct es_spool *spool, const struct es_sweep *sweep)
{
	char path[ES_PATH_MAX_BYTES];
	struct es_meta meta;
	int r = -ESTALE;

	for (unsigned i = 0; i < NAMES_MAX && r < 0; i++) {
		r = name_day(spool, i, spool->node_stem, sizeof(spool->node_stem));
		if (r == 0)
			r = es_spool_raw_meta(spool, &meta);
		if (r < 0)
			return r;
		meta.period_ns = sweep->period_ns;
		meta.start_boot_ns = sweep->boot_ns;
		meta.start_mono_ns = sweep->mono_ns;
		meta.start_unix_ns = sweep->unix_ns;
		(void)snprintf(path, sizeof(path), "%.3500s/node/%.200s.esr", spool->folder,
			       spool->node_stem);
		r = es_spool_file_open(&spool->node, path, &meta, NULL);
		if (r < 0)
			es_spool_file_finish(&spool->node);
	}
	spool->has_node_file = r == 0;
	if (r == 0)
		es_spool_adopt(spool, spool->node_stem);
	return r;
}

void es_spool_node_end(struct es_spool *spool)
{
	struct es_spool_entry *entry;

	if (!spool->has_node_file)
		return;
	(void)es_spool_file_end(&spool->node, es_clock_boot_ns());
	entry = es_spool_add(spool, spool->node_stem, true);
	if (entry) {
		entry->stop_unix_ns = es_clock_unix_ns();
		entry->has_recording = true;
		entry->size_bytes = spool->node.recorder ? es_recorder_bytes(spool->node.recorder)
							 : 0;
	}
	es_spool_file_finish(&spool->node);
	spool->has_node_file = false;
}

int es_spool_node_feed(struct es_spool *spool, const struct es_sweep *sweep)
{
	int64_t day = sweep->unix_ns / DAY_NS;
	int r;

	/* The sweep at midnight is the last of one and the first of the other: no joule is between them. */
	if (spool->has_node_file && day != spool->node_day) {
		es_spool_raw_row(&spool->node, sweep);
		es_spool_node_end(spool);
	}
	spool->node_day = day;
	if (!spool->has_node_file) {
		r = begin(spool, sweep);
		if (r < 0)
			return r;
	}
	es_spool_raw_row(&spool->node, sweep);
	return es_spool_file_flush(&spool->node, sweep->boot_ns, false);
}
