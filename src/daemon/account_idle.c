/*
 * account_idle.c - the node's book: how much of a part's power is idle
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "base/clock.h"
#include "daemon/account_private.h"

__extension__ typedef unsigned __int128 u128;

#define SETTLE_NS (60 * ES_NS_PER_S)
#define QUIET_PARTS 20U /* a CPU is quiet that is busy for less than a twentieth of the time */

uint64_t es_account_idle(const struct es_account_line *line)
{
	u128 uj = (u128)line->part.idle_mw * (uint64_t)line->open_ns / 1000000;

	return uj > UINT64_MAX ? UINT64_MAX : (uint64_t)uj;
}

/*
 * Whether nothing ran that would draw more than idle power, over the window. What GPUs do is known by whose they are; a node with GPUs
 * is only quiet without any job.
 */
static bool was_quiet(const struct es_account *account, const struct es_account_line *line)
{
	uint64_t n_cpus = account->options.n_cpus;

	if (line->scope == ES_SCOPE_GPU)
		return !line->is_window_held;
	if (line->scope == ES_SCOPE_PACKAGE && account->n_packages)
		n_cpus /= account->n_packages;
	if (line->scope != ES_SCOPE_PACKAGE && account->has_gpu_parts && line->is_window_held)
		return false;
	if (line->is_window_unknown || n_cpus == 0)
		return !line->is_window_held;
	return line->window_busy_ns / n_cpus < (uint64_t)line->window_ns / QUIET_PARTS;
}

void es_account_watch_idle(const struct es_account *account, struct es_account_line *line,
			   uint64_t energy_uj)
{
	int64_t settle_ns = account->options.settle_ns ? account->options.settle_ns : SETTLE_NS;
	uint64_t mean_mw;

	line->window_ns += line->open_ns;
	line->window_uj += energy_uj;
	line->window_busy_ns += line->busy_ns;
	line->is_window_held |= line->was_held;
	line->is_window_unknown |= line->is_busy_unknown;
	if (line->window_ns < settle_ns)
		return;
	mean_mw = es_mean_power_mw(line->window_uj, line->window_ns);
	if (was_quiet(account, line) && (!line->has_quiet || mean_mw < line->quiet_mw)) {
		line->has_quiet = true;
		line->quiet_mw = mean_mw;
	}
	es_account_forget_window(line);
}

void es_account_forget_window(struct es_account_line *line)
{
	line->window_ns = 0;
	line->window_uj = line->window_busy_ns = 0;
	line->is_window_held = line->is_window_unknown = false;
}

/* The site's figure is the node's: each part has as much of it as it draws at the quietest, or as long as that is not known, on the whole. */
static void spread_configured(struct es_account *account)
{
	bool has_all = true;
	uint64_t sum = 0;

	for (size_t i = 0; i < account->n_parts; i++)
		has_all = has_all && account->lines[i].has_quiet;
	for (size_t i = 0; i < account->n_parts; i++)
		sum += has_all ? account->lines[i].quiet_mw : account->lines[i].part.energy_uj;
	for (size_t i = 0; i < account->n_parts; i++) {
		struct es_account_line *line = &account->lines[i];

		line->part.idle_method = sum ? ES_IDLE_CONFIGURED : ES_IDLE_NONE;
		line->part.idle_mw = es_part_of(account->options.idle_mw,
						has_all ? line->quiet_mw : line->part.energy_uj,
						sum);
	}
}

void es_account_settle_idle(struct es_account *account)
{
	if (account->options.idle_mw) {
		spread_configured(account);
		return;
	}
	for (size_t i = 0; i < account->n_parts; i++) {
		struct es_account_line *line = &account->lines[i];

		line->part.idle_method = line->has_quiet ? ES_IDLE_SEEN : ES_IDLE_NONE;
		line->part.idle_mw = line->has_quiet ? line->quiet_mw : 0;
	}
}
