/*
 * work_watch.c - what the watchers of work have in common: how they say what they found
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/work_watch.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "base/clock.h"

static int64_t own_cpu_ns(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) < 0)
		return 0;
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * ES_NS_PER_S +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * ES_NS_PER_US;
}

int es_work_teller_value(struct es_work_teller *teller, int64_t value_micro, int64_t t_ns)
{
	bool is_first = !teller->count.has_value;
	int r = es_work_count_add(&teller->count, value_micro);

	if (r <= 0)
		return r;
	if (is_first)
		teller->first_ns = t_ns;
	teller->t_ns = t_ns;
	teller->is_pending = true;
	return 0;
}

int es_work_teller_say(struct es_work_teller *teller, bool is_start, bool is_final,
		       const char *remark)
{
	struct es_work_news news = {
		.work = teller->work,
		.has_value = teller->count.has_value,
		.is_start = is_start,
		.is_final = is_final,
		.counts_from_start = teller->count.from != ES_WORK_FROM_FIRST,
		.first_ns = teller->first_ns,
		.t_ns = teller->t_ns,
		.sum_micro = teller->count.sum_micro,
		.last_micro = teller->count.last_micro,
		.n_restarts = teller->count.n_restarts,
		.cpu_ns = own_cpu_ns(),
	};

	(void)snprintf(news.remark, sizeof(news.remark), "%s", remark ? remark : "");
	/* The final word is waited for; others are said again where there was no room. */
	if (send(teller->fd, &news, sizeof(news), MSG_NOSIGNAL | (is_final ? 0 : MSG_DONTWAIT)) < 0)
		return -errno;
	teller->is_pending = false;
	return 0;
}

int64_t es_work_teller_flush(struct es_work_teller *teller, int64_t now_mono_ns)
{
	if (!teller->is_pending)
		return INT64_MAX;
	if (now_mono_ns >= teller->next_ns) {
		teller->next_ns = now_mono_ns + ES_WORK_NEWS_PERIOD_NS;
		if (es_work_teller_say(teller, false, false, NULL) == 0)
			return INT64_MAX;
	}
	return teller->next_ns;
}

bool es_work_watch_wait(const struct es_work_watch *watch, int wait_ms)
{
	struct pollfd pollfd = { .fd = watch->report_fd, .events = POLLIN };
	char byte;

	if (poll(&pollfd, 1, wait_ms) <= 0)
		return false;
	/* What is not read when we end would stand in the way of our last word. */
	(void)recv(watch->report_fd, &byte, 1, MSG_DONTWAIT);
	return true;
}
