/*
 * daemon/state.c - how the daemon is, as JSON
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "daemon/daemon.h"

#define METERS_MAX_BYTES 4000U /* an answer is one packet: what does not fit is counted */
#define REFUSED_MAX 3U
#define ROOM_BYTES 400U /* of one meter */

static int64_t cpu_ns(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) < 0)
		return 0;
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * ES_NS_PER_S +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * ES_NS_PER_US;
}

static uint64_t rss_bytes(void)
{
	es_cleanup(es_fclosep) FILE *file = fopen("/proc/self/statm", "re");
	unsigned long size, resident;

	if (!file || fscanf(file, "%lu %lu", &size, &resident) != 2)
		return 0;
	return (uint64_t)resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void put_sampling(struct es_daemon *daemon, struct es_json *json)
{
	struct es_sampling_stats stats;

	es_sampling_stats(daemon->sampling, &stats);
	es_json_object(json, "sampling");
	es_json_decimal(json, "configured_period_ms", daemon->config.period_ns, 6);
	es_json_decimal(json, "period_ms", stats.period_ns, 6);
	es_json_u64(json, "sweeps", stats.n_sweeps);
	es_json_u64(json, "missed", stats.n_missed);
	es_json_u64(json, "dropped", stats.n_dropped);
	es_json_decimal(json, "worst_late_ms", stats.worst_late_ns, 6);
	es_json_decimal(json, "worst_sweep_ms", stats.worst_sweep_ns, 6);
	es_json_decimal(json, "cpu_s", stats.cpu_ns, 9);
	es_json_bool(json, "released", daemon->released_until_ns != 0);
	es_json_object_end(json);
}

static void put_clients(const struct es_daemon *daemon, struct es_json *json)
{
	const struct es_server *server = &daemon->server;

	es_json_object(json, "clients");
	es_json_u64(json, "connected", server->n_clients);
	es_json_u64(json, "watching", es_server_n_watching(server));
	es_json_u64(json, "served", server->n_served);
	es_json_u64(json, "messages", server->n_messages);
	es_json_u64(json, "refused", server->n_refused);
	es_json_u64(json, "dropped", server->n_dropped);
	es_json_object_end(json);
}

static void put_meters(const struct es_daemon *daemon, const struct es_buf *out,
		       struct es_json *json)
{
	const struct es_node *node = daemon->node;
	size_t begin = out->len, i;

	es_json_array(json, "meters");
	for (i = 0; i < node->n && out->len - begin + json->used + ROOM_BYTES < METERS_MAX_BYTES;
	     i++) {
		const struct es_domain *domain = &node->domains[i];

		es_json_object(json, NULL);
		es_json_string(json, "id", domain->id);
		es_json_string(json, "kind", es_kind_name(domain->kind));
		es_json_string(json, "state", es_state_name(domain->state));
		es_json_string(json, "cover",
			       domain->is_chosen && domain->is_chosen_total ? "fine, total"
			       : domain->is_chosen			    ? "fine"
			       : domain->is_chosen_total		    ? "total"
									    : NULL);
		es_json_string(json, "error",
			       node->errors[i] ? es_strerror(node->errors[i]) : NULL);
		es_json_object_end(json);
	}
	es_json_array_end(json);
	es_json_u64(json, "meters_left_out", node->n - i);
}

/* Meters that are there and may not be read by the daemon's user, each fix once: what doctor tells. */
static void put_refused(const struct es_daemon *daemon, struct es_json *json)
{
	size_t n, n_told = 0, n_all = 0;
	const struct es_domain *domains = es_sampler_domains(daemon->node->sampler, &n);
	const char *last = "";

	es_json_array(json, "refused");
	for (size_t i = 0; i < n; i++) {
		if (domains[i].state != ES_STATE_DENIED)
			continue;
		n_all++;
		if (n_told == REFUSED_MAX || (n_told && strcmp(last, domains[i].fix) == 0))
			continue;
		last = domains[i].fix;
		n_told++;
		es_json_object(json, NULL);
		es_json_string(json, "id", domains[i].id);
		es_json_string(json, "reason", domains[i].reason);
		es_json_string(json, "fix", last[0] ? last : NULL);
		es_json_object_end(json);
	}
	es_json_array_end(json);
	es_json_u64(json, "refused_total", n_all);
}

static void put_spool(const struct es_daemon *daemon, struct es_json *json)
{
	if (!daemon->config.spool[0]) {
		es_json_null(json, "spool");
		return;
	}
	es_json_object(json, "spool");
	es_json_string(json, "folder", daemon->config.spool);
	es_json_bool(json, "records", daemon->chain.spool != NULL);
	es_json_bool(json, "outlives_restart", daemon->chain.state.is_open);
	es_json_string(json, "shared", daemon->config.shared[0] ? daemon->config.shared : NULL);
	es_json_object_end(json);
}

/* Sums since the epoch, exact: node = jobs + idle + unattributed. */
static void put_book(const struct es_daemon *daemon, struct es_json *json)
{
	struct es_account_sums sums;

	es_account_sum(daemon->chain.account, &sums);
	es_json_object(json, "book");
	es_json_decimal(json, "node_j", (int64_t)sums.node_uj, 6);
	es_json_decimal(json, "jobs_j", (int64_t)sums.jobs_uj, 6);
	es_json_decimal(json, "idle_j", (int64_t)sums.idle_uj, 6);
	es_json_decimal(json, "unattributed_j", (int64_t)sums.unattributed_uj, 6);
	es_json_decimal(json, "residual_j", (int64_t)sums.residual_uj, 6);
	es_json_u64(json, "parts", es_account_n_parts(daemon->chain.account));
	es_json_u64(json, "parts_idle_known", sums.n_idle_known);
	es_json_decimal(json, "idle_w", (int64_t)sums.idle_mw, 3);
	es_json_object_end(json);
}

int es_state_write(struct es_daemon *daemon, bool has_book, struct es_buf *out)
{
	int64_t now_ns = es_clock_boot_ns();
	struct es_json json;

	es_json_init(&json, es_json_sink_buf, out, false);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", "energyscopium.daemon/1");
	es_json_string(&json, "version", ES_VERSION);
	es_json_string(&json, "node", daemon->node->name);
	es_json_string(&json, "boot_id", daemon->node->machine.boot_id);
	es_json_i64(&json, "pid", getpid());
	es_json_u64(&json, "epoch", es_account_epoch(daemon->chain.account));
	es_json_string(&json, "gpu_owners", es_account_gpus_words(daemon->chain.account));
	es_json_decimal(&json, "uptime_s", now_ns - daemon->start_boot_ns, 9);
	put_sampling(daemon, &json);
	es_json_u64(&json, "lost_sweeps", daemon->n_lost);
	put_clients(daemon, &json);
	es_json_u64(&json, "jobs", es_chain_count_jobs(&daemon->chain));
	es_json_string(&json, "serve",
		       daemon->config.serve == ES_SERVE_EVERYBODY ? "everybody" : "jobs");
	es_json_bool(&json, "fast_readings", daemon->config.has_fast_readings);
	put_spool(daemon, &json);
	if (has_book)
		put_book(daemon, &json);
	es_json_decimal(&json, "cpu_s", cpu_ns(), 9);
	es_json_u64(&json, "rss_bytes", rss_bytes());
	es_json_u64(&json, "errors", daemon->log.n_said[ES_LOG_ERROR]);
	es_json_u64(&json, "warnings", daemon->log.n_said[ES_LOG_WARNING]);
	put_refused(daemon, &json);
	put_meters(daemon, out, &json);
	es_json_object_end(&json);
	return es_json_end(&json);
}
