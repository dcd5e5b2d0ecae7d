/*
 * daemon/node.c - the meters of this node: what is read, and what each of it is worth
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "daemon/node.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define LOOK_NS (50 * ES_NS_PER_MS)
#define SETTLE_NS ES_NS_PER_S /* a live counter moves in that time even where nothing runs */
#define FIRST_JUDGE_NS (60 * ES_NS_PER_S)
#define STRETCH_NS (600 * ES_NS_PER_S)

/* Which of the sampler's domains are read, with parents among themselves. */
static int list_domains(struct es_node *node)
{
	size_t n;
	const struct es_domain *all = es_sampler_domains(node->sampler, &n);
	es_cleanup(es_freep) int32_t *as = calloc(n + 1, sizeof(*as));

	node->plain = calloc(n + 1, sizeof(*node->plain));
	node->domains = calloc(n + 1, sizeof(*node->domains));
	node->of_sampler = calloc(n + 1, sizeof(*node->of_sampler));
	node->evidence = calloc(n + 1, sizeof(*node->evidence));
	node->seen_ns = calloc(n + 1, sizeof(*node->seen_ns));
	node->errors = calloc(n + 1, sizeof(*node->errors));
	node->least_ns = calloc(n + 1, sizeof(*node->least_ns));
	if (!as || !node->plain || !node->domains || !node->of_sampler || !node->evidence ||
	    !node->seen_ns || !node->errors || !node->least_ns)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		as[i] = es_sampler_is_listed(node->sampler, i) ? (int32_t)node->n : -1;
		if (as[i] < 0)
			continue;
		node->of_sampler[node->n] = i;
		node->plain[node->n++] = all[i];
	}
	for (size_t i = 0; i < node->n; i++) {
		struct es_domain *domain = &node->plain[i];

		domain->parent = domain->parent >= 0 ? as[domain->parent] : -1;
		domain->duplicate_of = domain->duplicate_of >= 0 ? as[domain->duplicate_of] : -1;
		domain->node = 0;
	}
	memcpy(node->domains, node->plain, node->n * sizeof(*node->domains));
	return 0;
}

static void take_reading(struct es_node *node, size_t i, const struct es_reading *reading)
{
	if (reading->error == -ECANCELED || (reading->t_ns && reading->t_ns == node->seen_ns[i]))
		return;
	node->seen_ns[i] = reading->t_ns;
	node->errors[i] = reading->error;
	if (reading->error)
		es_track_fail(&node->watch.tracks[i]);
	else
		es_watch_reading(&node->watch, i, reading->t_ns, reading->value,
				 reading->activity_ns);
}

static bool have_all_moved(const struct es_node *node)
{
	for (size_t i = 0; i < node->n; i++)
		if (es_sampler_can_read(&node->plain[i]) && !node->plain[i].is_power &&
		    node->plain[i].kind != ES_KIND_ESTIMATED && !node->watch.tracks[i].has_moved)
			return false;
	return true;
}

static int begin_stretch(struct es_node *node, int64_t now_boot_ns, int64_t judge_ns,
			 int64_t period_ns)
{
	es_watch_finish(&node->watch);
	node->watched_ns = now_boot_ns;
	node->judge_ns = now_boot_ns + judge_ns;
	memset(node->seen_ns, 0, node->n * sizeof(*node->seen_ns));
	return es_watch_init(&node->watch, node->plain, node->n, period_ns);
}

/* States and covers by the evidence, into @ret [n]. */
static void judge(struct es_node *node, enum es_psys_policy psys, struct es_domain *ret)
{
	es_watch_evidence(&node->watch, node->machine.n_cpus, node->machine.n_packages, false,
			  node->evidence);
	memcpy(ret, node->plain, node->n * sizeof(*ret));
	for (size_t i = 0; i < node->n; i++) {
		const struct es_track *track = &node->watch.tracks[i];

		/* What stands still is still what would be chosen; what is proven dead is not. */
		node->evidence[i].is_unknown = false;
		/* One that could be opened and was never read is not there. */
		if (track->n_readings || !track->n_failed || !es_sampler_can_read(&ret[i]))
			continue;
		ret[i].state = ES_STATE_ABSENT;
		(void)snprintf(ret[i].reason, sizeof(ret[i].reason), "cannot be read: %s",
			       es_strerror(node->errors[i]));
	}
	es_cover_judge(ret, node->n, node->evidence);
	es_cover_choose(ret, node->n, node->evidence, psys);
}

/* Watched as 'energyscopium sources --no-probe' watches them, and for no longer than it takes. */
static int settle(struct es_node *node, enum es_psys_policy psys)
{
	size_t n;
	es_cleanup(es_freep) struct es_reading *readings = NULL;
	int64_t until_ns = es_clock_mono_ns() + SETTLE_NS;
	int r;

	(void)es_sampler_domains(node->sampler, &n);
	readings = calloc(n + 1, sizeof(*readings));
	r = readings ? begin_stretch(node, es_clock_boot_ns(), 0, LOOK_NS) : -ENOMEM;
	if (r < 0)
		return r;
	for (;;) {
		const struct timespec pause = { .tv_nsec = LOOK_NS };

		es_sampler_read(node->sampler, readings);
		for (size_t i = 0; i < node->n; i++)
			take_reading(node, i, &readings[node->of_sampler[i]]);
		es_watch_row(&node->watch);
		if (es_clock_mono_ns() >= until_ns || have_all_moved(node))
			break;
		(void)nanosleep(&pause, NULL);
	}
	judge(node, psys, node->domains);
	return 0;
}

/* FNV-1a, of names in any order. */
static uint64_t hash_folder(const struct es_root *root, const char *path)
{
	uint64_t sum = 0;
	int r;
	es_cleanup(es_closedirp) DIR *dir = es_root_opendir(root, path, &r);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		uint64_t hash = UINT64_C(14695981039346656037);

		for (const char *p = entry->d_name; *p; p++)
			hash = (hash ^ (uint8_t)*p) * UINT64_C(1099511628211);
		sum += hash;
	}
	return sum;
}

/* Slow meters, and those that are there in case others fail: what they are read for in the fastest recording. */
static void find_least(struct es_node *node)
{
	size_t n;
	const struct es_domain *all = es_sampler_domains(node->sampler, &n);

	es_sampler_plan(node->sampler, ES_PERIOD_MIN_NS);
	for (size_t i = 0; i < node->n; i++) {
		int64_t period_ns = all[node->of_sampler[i]].read_period_ns;

		node->least_ns[i] = period_ns > ES_PERIOD_MIN_NS ? period_ns : 0;
	}
}

static uint64_t hash_devices(const struct es_root *root)
{
	static const char *const folders[] = {
		"sys/class/powercap",		"sys/class/hwmon",	   "sys/class/drm",
		"sys/bus/event_source/devices", "proc/driver/nvidia/gpus", "sys/cray/pm_counters",
	};
	uint64_t hash = 0;

	for (size_t i = 0; i < ES_ARRAY_SIZE(folders); i++)
		hash = hash * 31 + hash_folder(root, folders[i]);
	return hash;
}

bool es_node_look(const struct es_node *node)
{
	return hash_devices(&node->root) != node->hash;
}

static void name_node(struct es_node *node, const struct es_daemon_config *config)
{
	const char *name = config->node_name[0] ? config->node_name : node->machine.hostname;

	(void)snprintf(node->name, sizeof(node->name), "%s", name[0] ? name : "localhost");
	if (!config->node_name[0])
		node->name[strcspn(node->name, ".")] = '\0';
}

int es_node_open(const struct es_daemon_config *config, const char *root, uint64_t epoch,
		 struct es_node *ret, struct es_error *err)
{
	const struct es_sampler_options options = { .meters = config->meters,
						    .n_meters = config->n_meters };
	struct es_node *node = ret;
	int r;

	*node = (struct es_node){ .root.fd = -1 };
	r = es_root_open(root, -1, &node->root, err);
	if (r < 0)
		return r;
	es_machine_read(&node->root, &node->machine);
	name_node(node, config);
	node->hash = hash_devices(&node->root);
	node->n_named = config->n_meters;
	r = es_sampler_create(&node->root, &options, &node->sampler, err);
	if (r < 0) {
		es_node_finish(node);
		return r;
	}
	r = list_domains(node);
	if (r == 0)
		r = settle(node, config->psys);
	if (r == 0)
		r = begin_stretch(node, es_clock_boot_ns(), FIRST_JUDGE_NS, config->period_ns);
	if (r < 0) {
		es_node_finish(node);
		return es_error_set(err, r, "cannot watch the meters");
	}
	find_least(node);
	node->list =
		(struct es_node_domains){ .epoch = epoch, .domains = node->domains, .n = node->n };
	return 0;
}

void es_node_finish(struct es_node *node)
{
	es_watch_finish(&node->watch);
	es_sampler_destroy(node->sampler);
	free(node->plain);
	free(node->domains);
	free(node->of_sampler);
	free(node->evidence);
	free(node->seen_ns);
	free(node->errors);
	free(node->least_ns);
	es_root_close(&node->root);
	*node = (struct es_node){ .root.fd = -1 };
}

/* The new states; a cover once chosen stays: who counts with it would lose its sum. */
static enum es_node_news take_states(struct es_node *node, const struct es_domain *judged)
{
	enum es_node_news news = ES_NODE_SAME;

	for (size_t i = 0; i < node->n; i++) {
		struct es_domain *domain = &node->domains[i];

		if (judged[i].is_chosen != domain->is_chosen ||
		    judged[i].is_chosen_total != domain->is_chosen_total)
			news = ES_NODE_COVERS;
		else if (judged[i].state != domain->state && news == ES_NODE_SAME)
			news = ES_NODE_STATES;
		domain->state = judged[i].state;
		domain->duplicate_of = judged[i].duplicate_of;
		memcpy(domain->reason, judged[i].reason, sizeof(domain->reason));
	}
	return news;
}

enum es_node_news es_node_feed(struct es_node *node, const struct es_sweep *sweep,
			       enum es_psys_policy psys)
{
	es_cleanup(es_freep) struct es_domain *judged = NULL;
	int64_t slept_ns = sweep->boot_ns - sweep->mono_ns;

	if (!node->watch.tracks)
		return ES_NODE_SAME; /* no memory for another stretch: states stay */
	/* The two clocks are read one after the other. */
	if (node->slept_ns && slept_ns - node->slept_ns > ES_NS_PER_MS)
		es_watch_sleep(&node->watch, slept_ns - node->slept_ns);
	node->slept_ns = slept_ns;
	for (size_t i = 0; i < node->n && i < sweep->n; i++)
		take_reading(node, i, &sweep->readings[i]);
	es_watch_row(&node->watch);
	if (sweep->boot_ns < node->judge_ns)
		return ES_NODE_SAME;
	judged = calloc(node->n + 1, sizeof(*judged));
	node->judge_ns = sweep->boot_ns + STRETCH_NS;
	if (!judged)
		return ES_NODE_SAME; /* next time, then */
	judge(node, psys, judged);
	if (begin_stretch(node, sweep->boot_ns, STRETCH_NS, sweep->period_ns) < 0)
		node->judge_ns = INT64_MAX;
	return take_states(node, judged);
}
