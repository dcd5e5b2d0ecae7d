/*
 * source/perf.c - RAPL counters through the kernel's perf events "power" and "power_core"
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hot.h"
#include "source/source.h"
#include "sys/perf.h"

#define DEVICES "sys/bus/event_source/devices/"
#define EVENTS_MAX 5
#define CPUS_MAX 4096
/*
 * The kernel adds up differences of a 32-bit counter, by a timer set for 200 W: above 400 W per package it loses whole
 * wraps unless somebody reads. Every 10 s is a quarter of the shortest wrap (65.5 kJ, AMD) at 1500 W.
 * Source: Linux arch/x86/events/rapl.c, 6.12.
 */
#define HEARTBEAT_NS (10 * ES_NS_PER_S)
#define RETRY_FIRST_NS (50 * ES_NS_PER_MS) /* twice as long after each time in vain */
#define RETRY_LAST_NS (10 * ES_NS_PER_S)
#define LEAP_UJ UINT64_C(1000000000000000) /* a gigajoule */

/** struct event - one row of a PMU's directory "events" */
struct event {
	enum es_domain_type type;
	uint64_t config;
	struct es_perf_scale scale;
	char problem[ES_NAME_MAX_BYTES]; /* not to be opened; "": none */
};

/** struct group - the events of one CPU, read by one call */
struct group {
	int leader; /* -1: none could be opened */
	unsigned cpu;
	uint32_t type; /* of the PMU */
	int64_t retry_ns, pause_ns; /* not to be opened again before; how long it was not */
	bool is_unwanted;
	size_t first_domain, n_domains;
};

/** struct counter - how one event counts */
struct counter {
	struct es_perf_scale scale;
	uint64_t config;
	uint64_t base_uj, last_uj; /* where it was opened last, what it showed last */
};

struct perf {
	struct es_source source;
	struct es_root root; /* a descriptor of its own */
	struct group *groups;
	size_t n_groups;
	/* For each domain: */
	int *fds; /* -1: not open */
	int *errors; /* why not */
	struct counter *counters;
	size_t room;
};

struct pmu {
	const char *name;
	uint32_t type;
	struct event events[EVENTS_MAX];
	size_t n_events;
	unsigned *cpus;
	size_t n_cpus;
	bool is_per_core;
};

static const struct {
	const char *name;
	enum es_domain_type type;
} known_events[EVENTS_MAX] = {
	{ "energy-pkg", ES_DOMAIN_PACKAGE }, { "energy-cores", ES_DOMAIN_CORE },
	{ "energy-gpu", ES_DOMAIN_UNCORE },  { "energy-ram", ES_DOMAIN_DRAM },
	{ "energy-psys", ES_DOMAIN_PSYS },
};

static ssize_t read_attr(const struct es_root *root, const char *pmu, const char *attr,
			 const char *suffix, char *text, size_t size)
{
	char path[160];

	(void)snprintf(path, sizeof(path), DEVICES "%s/%s%s", pmu, attr, suffix);
	return es_root_read_line(root, path, text, size);
}

/* Returns 1, or 0 where the PMU has no such event. */
static int read_event(const struct es_root *root, const char *pmu, const char *name,
		      struct event *event)
{
	char attr[64], text[ES_NAME_MAX_BYTES];
	ssize_t n;

	(void)snprintf(attr, sizeof(attr), "events/%s", name);
	if (read_attr(root, pmu, attr, "", text, sizeof(text)) < 0)
		return 0;
	event->problem[0] = '\0';
	if (es_perf_parse_event(text, &event->config) < 0)
		(void)snprintf(event->problem, sizeof(event->problem),
			       "its event is described as '%.100s'", text);
	n = read_attr(root, pmu, attr, ".unit", text, sizeof(text));
	if (n < 0 || strcmp(text, "Joules") != 0)
		(void)snprintf(event->problem, sizeof(event->problem),
			       "its unit is '%.100s', not Joules", n < 0 ? "" : text);
	n = read_attr(root, pmu, attr, ".scale", text, sizeof(text));
	if (n < 0 || es_perf_parse_scale(text, &event->scale) < 0)
		(void)snprintf(event->problem, sizeof(event->problem), "its scale is '%.100s'",
			       n < 0 ? "" : text);
	return 1;
}

static int read_cpumask(const struct es_root *root, struct pmu *pmu)
{
	char text[ES_SYSFS_FILE_MAX_BYTES];
	const char *list = text;
	unsigned left = 0, cpu = 0;
	size_t room = 0;
	ssize_t n = read_attr(root, pmu->name, "cpumask", "", text, sizeof(text));
	int r;

	if (n < 0)
		return (int)n;
	while ((r = es_perf_next_cpu(&list, &left, &cpu)) > 0) {
		if (pmu->n_cpus == room) {
			unsigned *grown;

			if (room >= CPUS_MAX)
				return -E2BIG;
			room = room ? room * 2 : 16;
			grown = reallocarray(pmu->cpus, room, sizeof(*grown));
			if (!grown)
				return -ENOMEM;
			pmu->cpus = grown;
		}
		pmu->cpus[pmu->n_cpus++] = cpu;
	}
	return r;
}

static int32_t read_topology(const struct es_root *root, unsigned cpu, const char *what,
			     int32_t otherwise)
{
	char path[128];
	uint64_t v;

	(void)snprintf(path, sizeof(path), "sys/devices/system/cpu/cpu%u/topology/%s", cpu, what);
	return es_root_read_u64(root, path, &v) == 0 && v <= 65535 ? (int32_t)v : otherwise;
}

/* Whether the PMU counts dies: several of its CPUs are in one package. */
static bool counts_dies(const struct es_root *root, const struct pmu *pmu, size_t cpu,
			int32_t package)
{
	for (size_t i = 0; i < pmu->n_cpus && !pmu->is_per_core; i++)
		if (i != cpu &&
		    read_topology(root, pmu->cpus[i], "physical_package_id", 0) == package)
			return true;
	return false;
}

static void describe(const struct es_root *root, const struct pmu *pmu, size_t cpu,
		     const struct event *event, struct es_domain *domain)
{
	int32_t package = read_topology(root, pmu->cpus[cpu], "physical_package_id", 0), die = -1;
	enum es_domain_type type = event->type;

	if (counts_dies(root, pmu, cpu, package))
		die = read_topology(root, pmu->cpus[cpu], "die_id", (int32_t)cpu);
	if (type == ES_DOMAIN_PACKAGE && die >= 0)
		type = ES_DOMAIN_DIE;
	if (type == ES_DOMAIN_PSYS) {
		es_domain_init(domain, es_source_perf.name, type, -1, -1);
		/* The names that powercap gives them, so that the same meter is known as the same. */
		if (package > 0)
			(void)snprintf(domain->name, sizeof(domain->name), "psys-%d", package);
	} else {
		es_domain_init(domain, es_source_perf.name, type, package, die);
	}
	if (pmu->is_per_core) {
		domain->core =
			read_topology(root, pmu->cpus[cpu], "core_id", (int32_t)pmu->cpus[cpu]);
		domain->is_partial = true;
		(void)snprintf(domain->name, sizeof(domain->name), "core-%d-cpu-%u", package,
			       pmu->cpus[cpu]);
		(void)snprintf(domain->reason, sizeof(domain->reason),
			       "one core only, not the cores of the package");
	}
	(void)snprintf(domain->id, sizeof(domain->id), "perf/%.200s", domain->name);
	domain->kind = ES_KIND_MEASURED;
	domain->update_period_ns = ES_NS_PER_MS;
}

static void say_denied(const struct es_root *root, struct es_domain *domain)
{
	uid_t uid = root->judges_rights ? root->uid : geteuid();
	int64_t paranoid = es_perf_paranoid(root);

	domain->state = ES_STATE_DENIED;
	if (paranoid > 0 && paranoid < INT64_MAX)
		(void)snprintf(domain->reason, sizeof(domain->reason),
			       "kernel.perf_event_paranoid is %lld", (long long)paranoid);
	else
		(void)snprintf(domain->reason, sizeof(domain->reason),
			       "refused by a container or a security module");
	(void)snprintf(domain->fix, sizeof(domain->fix), "%ssysctl kernel.perf_event_paranoid=0",
		       uid == 0 ? "on the host, not in the container: " : "sudo ");
}

static void say_absent(struct es_domain *domain, const char *reason)
{
	domain->state = ES_STATE_ABSENT;
	(void)snprintf(domain->reason, sizeof(domain->reason), "%s", reason);
}

static int open_event(const struct es_root *root, uint32_t type, uint64_t config, unsigned cpu,
		      int leader)
{
	struct perf_event_attr attr = {
		.type = type,
		.size = sizeof(attr),
		.config = config,
		.read_format = PERF_FORMAT_GROUP,
	};

	/* Rights of another user cannot be tried, only judged; CAP_PERFMON is root's here. */
	if (root->judges_rights && root->uid != 0 && es_perf_paranoid(root) > 0)
		return -EACCES;
	return es_perf_open(root, &attr, (int)cpu, leader);
}

static void open_domain(struct perf *perf, const struct pmu *pmu, size_t cpu,
			const struct event *event, struct group *group)
{
	size_t i = perf->source.n_domains++;
	struct es_domain *domain = &perf->source.domains[i];
	int fd = -ENODEV;

	describe(&perf->root, pmu, cpu, event, domain);
	perf->counters[i] = (struct counter){ .scale = event->scale, .config = event->config };
	if (event->problem[0] != '\0')
		say_absent(domain, event->problem);
	else
		fd = open_event(&perf->root, pmu->type, event->config, pmu->cpus[cpu],
				group->leader);
	if (fd == -EACCES || fd == -EPERM)
		say_denied(&perf->root, domain);
	else if (fd < 0 && event->problem[0] == '\0')
		say_absent(domain, fd == -EINVAL ? "listed, but this processor does not have it"
						 : es_strerror(fd));
	perf->fds[i] = fd < 0 ? -1 : fd;
	perf->errors[i] = fd < 0 ? fd : 0;
	if (fd >= 0 && group->leader < 0)
		group->leader = fd;
	group->n_domains++;
}

static int make_room(struct perf *perf, size_t n, size_t n_groups)
{
	size_t room = perf->room + n;
	struct es_domain *domains = reallocarray(perf->source.domains, room, sizeof(*domains));
	struct counter *counters;
	struct group *groups;
	int *fds, *errors;

	if (!domains)
		return -ENOMEM;
	perf->source.domains = domains;
	fds = reallocarray(perf->fds, room, sizeof(*fds));
	if (!fds)
		return -ENOMEM;
	perf->fds = fds;
	errors = reallocarray(perf->errors, room, sizeof(*errors));
	if (!errors)
		return -ENOMEM;
	perf->errors = errors;
	counters = reallocarray(perf->counters, room, sizeof(*counters));
	if (!counters)
		return -ENOMEM;
	perf->counters = counters;
	groups = reallocarray(perf->groups, perf->n_groups + n_groups, sizeof(*groups));
	if (!groups)
		return -ENOMEM;
	perf->groups = groups;
	perf->room = room;
	return 0;
}

/* Events of a package that measure parts of it point to it. */
static void set_parents(struct perf *perf, const struct group *group)
{
	for (size_t i = 0; i < group->n_domains; i++)
		for (size_t j = 0; j < group->n_domains; j++) {
			struct es_domain *inner = &perf->source.domains[group->first_domain + i];
			size_t outer = group->first_domain + j;

			if (perf->source.domains[outer].type != ES_DOMAIN_PSYS &&
			    es_domain_contains(&perf->source.domains[outer], inner))
				inner->parent = (int32_t)outer;
		}
}

static int open_pmu(struct perf *perf, struct pmu *pmu)
{
	char text[32];
	int r;

	if (read_attr(&perf->root, pmu->name, "type", "", text, sizeof(text)) <= 0)
		return 0;
	pmu->type = (uint32_t)strtoul(text, NULL, 10);
	for (size_t i = 0; i < EVENTS_MAX; i++) {
		struct event *event = &pmu->events[pmu->n_events];

		event->type = known_events[i].type;
		if (pmu->is_per_core && event->type != ES_DOMAIN_CORE)
			continue;
		pmu->n_events += (size_t)read_event(
			&perf->root, pmu->name,
			pmu->is_per_core ? "energy-core" : known_events[i].name, event);
	}
	r = read_cpumask(&perf->root, pmu);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (pmu->n_events == 0 || pmu->n_cpus == 0)
		return 0;
	r = make_room(perf, pmu->n_cpus * pmu->n_events, pmu->n_cpus);
	if (r < 0)
		return r;
	for (size_t cpu = 0; cpu < pmu->n_cpus; cpu++) {
		struct group *group = &perf->groups[perf->n_groups++];

		*group = (struct group){ .leader = -1,
					 .cpu = pmu->cpus[cpu],
					 .type = pmu->type,
					 .first_domain = perf->source.n_domains };
		for (size_t i = 0; i < pmu->n_events; i++)
			open_domain(perf, pmu, cpu, &pmu->events[i], group);
		set_parents(perf, group);
	}
	return 0;
}

static void perf_close(struct es_source *source)
{
	struct perf *perf = (struct perf *)source;

	if (!perf)
		return;
	for (size_t i = 0; i < source->n_domains; i++)
		es_closep(&perf->fds[i]);
	free(perf->fds);
	free(perf->errors);
	free(perf->counters);
	free(perf->groups);
	free(source->domains);
	es_root_close(&perf->root);
	free(perf);
}

static int perf_open(const struct es_root *root, struct es_source **ret, struct es_error *err)
{
	static const struct {
		const char *name;
		bool is_per_core;
	} pmus[] = { { "power", false }, { "power_core", true } };
	struct perf *perf;
	int r;

	if (!es_perf_is_here(root))
		return es_error_say(
			err, -ENODEV,
			"perf events belong to the running kernel, not to a tree of files");
	perf = calloc(1, sizeof(*perf));
	if (!perf)
		return es_error_set(err, -ENOMEM, "perf");
	perf->source.ops = &es_source_perf;
	r = es_root_dup(root, &perf->root);
	if (r < 0) {
		free(perf);
		return es_error_set(err, r, "perf");
	}
	for (size_t i = 0; i < ES_ARRAY_SIZE(pmus) && r == 0; i++) {
		struct pmu pmu = { .name = pmus[i].name, .is_per_core = pmus[i].is_per_core };

		r = open_pmu(perf, &pmu);
		if (r < 0)
			(void)es_error_set(err, r, "perf: PMU '%s'", pmus[i].name);
		free(pmu.cpus);
	}
	if (r == 0 && perf->source.n_domains == 0)
		r = es_error_say(err, -ENODEV,
				 "this kernel has no perf events of energy (PMU 'power')");
	if (r < 0) {
		perf_close(&perf->source);
		return r;
	}
	*ret = &perf->source;
	return 0;
}

static int perf_plan(const struct es_source *source, struct es_plan *ret)
{
	struct es_plan plan = { .at_least_ns = INT64_MAX, .at_most_ns = ES_NS_PER_MS };
	const struct perf *perf = (const struct perf *)source;

	for (size_t i = 0; i < source->n_domains; i++)
		if (perf->fds[i] >= 0)
			plan.at_least_ns = HEARTBEAT_NS;
	*ret = plan;
	return 0;
}

/* All events of one CPU: the number of those that are open, then their counts in the order of opening. */
es_hot static int read_group(const struct perf *perf, const struct group *group,
			     uint64_t data[static 1 + EVENTS_MAX])
{
	size_t n_open = 0;
	ssize_t n;

	for (size_t i = 0; i < group->n_domains; i++)
		n_open += perf->fds[group->first_domain + i] >= 0;
	n = es_perf_read(&perf->root, group->leader, data, (1 + EVENTS_MAX) * sizeof(*data));
	if (n < 0)
		return (int)n;
	/* The kernel says "end of file" of an event it had to give up. */
	if (n == 0)
		return -ENODATA;
	return (size_t)n == (1 + n_open) * sizeof(*data) && data[0] == n_open ? 0 : -EBADMSG;
}

/*
 * The events of a CPU that went offline with its package are dead for good; once it is back there are new ones, which
 * count from 0. What was drawn meanwhile nobody knows: they go on so far ahead that no power explains it, and whoever
 * follows sees a counter that began anew.
 */
static int open_again(struct perf *perf, struct group *group, int64_t now_ns)
{
	int fds[EVENTS_MAX], leader = -1;
	size_t first = group->first_domain, n = group->n_domains, i;

	if (now_ns < group->retry_ns)
		return -ENODATA;
	group->pause_ns = group->pause_ns ? 2 * group->pause_ns : RETRY_FIRST_NS;
	group->pause_ns = group->pause_ns < RETRY_LAST_NS ? group->pause_ns : RETRY_LAST_NS;
	group->retry_ns = now_ns + group->pause_ns;
	for (i = 0; i < n; i++) {
		fds[i] = perf->fds[first + i] < 0
				 ? -1
				 : open_event(&perf->root, group->type,
					      perf->counters[first + i].config, group->cpu, leader);
		if (fds[i] < 0 && perf->fds[first + i] >= 0)
			break;
		leader = leader < 0 ? fds[i] : leader;
	}
	if (i < n) {
		while (i-- > 0)
			es_closep(&fds[i]);
		return -ENODATA;
	}
	for (i = 0; i < n; i++) {
		struct counter *counter = &perf->counters[first + i];

		es_closep(&perf->fds[first + i]);
		perf->fds[first + i] = fds[i];
		counter->base_uj = counter->last_uj + LEAP_UJ;
	}
	group->leader = leader;
	return 0;
}

es_hot static int perf_read(struct es_source *source, struct es_reading *ret, size_t n)
{
	struct perf *perf = (struct perf *)source;
	int64_t t0_ns = es_clock_boot_ns();

	if (n < source->n_domains)
		return -EINVAL;
	for (size_t g = 0; g < perf->n_groups; g++) {
		struct group *group = &perf->groups[g];
		uint64_t data[1 + EVENTS_MAX] = { 0 };
		bool is_read = group->leader >= 0 && !group->is_unwanted;
		int r = is_read ? read_group(perf, group, data) : -ECANCELED;
		int64_t t1_ns;
		size_t next = 1;

		if (r == -ENODATA && open_again(perf, group, t0_ns) == 0)
			r = read_group(perf, group, data);
		if (r == 0)
			group->pause_ns = 0;
		t1_ns = is_read ? es_clock_boot_ns() : t0_ns;

		for (size_t i = group->first_domain; i < group->first_domain + group->n_domains;
		     i++) {
			bool is_open = perf->fds[i] >= 0;

			ret[i] = (struct es_reading){
				.t_ns = t0_ns + (t1_ns - t0_ns) / 2,
				.width_ns = t1_ns - t0_ns,
				.error = is_open ? r : perf->errors[i],
			};
			if (is_open && r == 0)
				ret[i].value = perf->counters[i].last_uj =
					perf->counters[i].base_uj +
					es_perf_scaled_micro(&perf->counters[i].scale,
							     data[next++]);
		}
		t0_ns = t1_ns;
	}
	return 0;
}

static void perf_want(struct es_source *source, const bool *wanted)
{
	const struct perf *perf = (const struct perf *)source;

	for (size_t g = 0; g < perf->n_groups; g++) {
		struct group *group = &perf->groups[g];

		group->is_unwanted = true;
		for (size_t i = 0; i < group->n_domains; i++)
			if (wanted[group->first_domain + i])
				group->is_unwanted = false;
	}
}

const struct es_source_ops es_source_perf = {
	.name = "perf",
	.open = perf_open,
	.plan = perf_plan,
	.want = perf_want,
	.read = perf_read,
	.close = perf_close,
};
