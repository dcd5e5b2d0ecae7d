/*
 * source/activity_memory.c - traffic between processors and memory, by controllers or by caches
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/activity_memory.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hot.h"
#include "sys/perf.h"

#define CPUS_MAX 64U /* of a PMU's mask: one for each package or die */
#define LINE_BYTES 64.0

/** struct kind - a kind of PMU that counts at the controllers */
struct kind {
	const char *prefix;
	const char *not_prefix; /* NULL: none */
	struct {
		const char *name; /* as the kernel names it; NULL: it does not */
		const char *terms; /* then */
		bool is_write;
	} events[6]; /* those that are there count */
};

/*
 * In the order of trying. Free-running counters come first: they are always on and take none from a profiler.
 * Sources: Linux arch/x86/events/intel/uncore_snb.c, uncore_snbep.c; for AMD (a CAS command moves 64 bytes; its events
 * have no names in sysfs) arch/x86/events/amd/uncore.c, tools/perf/pmu-events/arch/x86/amdzen4/memory-controller.json.
 */
static const struct kind kinds[] = {
	{ "uncore_imc_free_running",
	  NULL,
	  { { "data_read", NULL, false },
	    { "data_write", NULL, true },
	    { "read", NULL, false },
	    { "write", NULL, true } } },
	{ "uncore_imc",
	  "uncore_imc_free_running",
	  { { "cas_count_read", NULL, false },
	    { "cas_count_write", NULL, true },
	    { "cas_count_read_sch0", NULL, false },
	    { "cas_count_read_sch1", NULL, false },
	    { "cas_count_write_sch0", NULL, true },
	    { "cas_count_write_sch1", NULL, true } } },
	{ "uncore_imc",
	  "uncore_imc_free_running",
	  { { "data_reads", NULL, false }, { "data_writes", NULL, true } } },
	{ "amd_umc",
	  NULL,
	  { { NULL, "event=0x0a,rdwrmask=0x1", false },
	    { NULL, "event=0x0a,rdwrmask=0x2", true } } },
};

/* What one count is; 0: it is in no unit of bytes. */
static double bytes_of(const struct es_pmu_event *event)
{
	static const struct {
		const char *unit;
		double bytes;
	} units[] = {
		{ "MiB", 0x1p20 }, { "KiB", 0x1p10 }, { "Bytes", 1 }, { "B", 1 }, { "MB", 1e6 }
	};

	if (!event->has_scale)
		return event->unit[0] == '\0' ? LINE_BYTES : 0;
	for (size_t i = 0; i < ES_ARRAY_SIZE(units); i++)
		if (strcmp(event->unit, units[i].unit) == 0)
			return event->scale.factor * units[i].bytes;
	return 0;
}

static int32_t package_of(const struct es_root *root, unsigned cpu)
{
	char path[96];
	uint64_t v;

	(void)snprintf(path, sizeof(path),
		       "sys/devices/system/cpu/cpu%u/topology/physical_package_id", cpu);
	return es_root_read_u64(root, path, &v) == 0 && v <= 65535 ? (int32_t)v : 0;
}

static int find_place(struct es_memory *memory, int32_t number, size_t *ret)
{
	for (size_t i = 0; i < memory->n_places; i++)
		if (memory->places[i].number == number) {
			*ret = i;
			return 0;
		}
	if (memory->n_places == ES_MEMORY_PLACES_MAX)
		return -E2BIG;
	*ret = memory->n_places;
	memory->places[memory->n_places++] = (struct es_memory_place){ .number = number };
	return 0;
}

static void close_controller(struct es_memory_controller *controller)
{
	for (size_t i = 0; i < controller->n; i++)
		es_closep(&controller->fds[i]);
	controller->n = 0;
}

static int open_event(const struct es_root *root, const struct es_pmu_event *event, unsigned cpu,
		      int leader)
{
	const struct es_perf_target target = { .pid = -1, .cgroup_fd = -1, .cpu = (int)cpu };
	struct perf_event_attr attr = {
		.type = event->type,
		.size = sizeof(attr),
		.config = event->config[0],
		.config1 = event->config[1],
		.config2 = event->config[2],
		.read_format = PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED |
			       PERF_FORMAT_TOTAL_TIME_RUNNING,
	};

	if (root->judges_rights && root->uid != 0 && es_perf_paranoid(root) > 0)
		return -EACCES;
	return es_perf_open_on(root, &attr, &target, leader);
}

/* All events of a controller or none: half of the traffic is no traffic. Returns how many, or negative errno. */
static int open_controller(struct es_memory *memory, const struct kind *kind, const char *pmu,
			   unsigned cpu)
{
	struct es_memory_controller controller = { .n = 0 };
	int r = 0;

	for (size_t i = 0; i < ES_ARRAY_SIZE(kind->events) && r >= 0; i++) {
		const char *name = kind->events[i].name, *terms = kind->events[i].terms;
		struct es_pmu_event event;
		double bytes;

		if (!name && !terms)
			break;
		r = name ? es_pmu_event(&memory->root, pmu, name, &event)
			 : es_pmu_encode(&memory->root, pmu, terms, &event);
		if (r == -ENOENT && name) {
			r = 0;
			continue;
		}
		bytes = r == 0 ? bytes_of(&event) : 0;
		if (r == 0 && (bytes <= 0 || controller.n == ES_MEMORY_EVENTS_MAX))
			r = -EBADMSG;
		if (r == 0)
			r = open_event(&memory->root, &event, cpu,
				       controller.n ? controller.fds[0] : -1);
		if (r < 0)
			break;
		controller.fds[controller.n] = r;
		controller.is_write[controller.n] = kind->events[i].is_write;
		controller.bytes_per_count[controller.n++] = bytes;
	}
	if (r >= 0 && controller.n)
		r = find_place(memory, package_of(&memory->root, cpu), &controller.place);
	if (r < 0) {
		close_controller(&controller);
		return r;
	}
	if (controller.n)
		memory->controllers[memory->n_controllers++] = controller;
	return (int)controller.n;
}

static void close_controllers(struct es_memory *memory)
{
	for (size_t i = 0; i < memory->n_controllers; i++)
		close_controller(&memory->controllers[i]);
	memory->n_controllers = 0;
	memory->n_places = 0;
}

/* Returns how many controllers count; or why one of them does not: then none is taken. */
static int try_kind(struct es_memory *memory, const struct kind *kind)
{
	es_cleanup(es_freep) char(*names)[ES_PMU_NAME_BYTES] = calloc(ES_PMUS_MAX, sizeof(*names));
	int n = names ? es_pmu_list(&memory->root, kind->prefix, names, ES_PMUS_MAX) : -ENOMEM;

	for (int i = 0; i < n; i++) {
		unsigned cpus[CPUS_MAX];
		int n_cpus, r = 0;

		if (kind->not_prefix &&
		    strncmp(names[i], kind->not_prefix, strlen(kind->not_prefix)) == 0)
			continue;
		n_cpus = es_pmu_cpus(&memory->root, names[i], cpus, CPUS_MAX);
		for (int j = 0; j < n_cpus && r >= 0; j++)
			r = memory->n_controllers < ES_MEMORY_COUNTERS_MAX
				    ? open_controller(memory, kind, names[i], cpus[j])
				    : -E2BIG;
		r = n_cpus < 0 ? n_cpus : r;
		if (r < 0) {
			close_controllers(memory);
			return r;
		}
	}
	return n < 0 ? n : (int)memory->n_controllers;
}

static int try_resctrl(struct es_memory *memory, struct es_error *err)
{
	int r = es_resctrl_open(&memory->root, &memory->resctrl, err);

	if (r < 0)
		return r;
	memory->n_places = es_resctrl_n_domains(memory->resctrl);
	for (size_t i = 0; i < memory->n_places; i++)
		memory->places[i] = (struct es_memory_place){ .number = (int32_t)es_resctrl_domain(
								      memory->resctrl, i) };
	return 0;
}

static bool has_flag(const struct es_root *root, const char *flag)
{
	es_cleanup(es_freep) char *text = NULL;
	ssize_t n = es_root_read_file(root, "proc/cpuinfo", ES_PROC_FILE_MAX_BYTES, &text);

	return n > 0 && strstr(text, flag);
}

/* @denied: controllers are there and may not be used; else there are none. */
static void explain(struct es_memory *memory, const struct es_machine *machine, int denied,
		    const struct es_error *resctrl)
{
	int64_t paranoid = es_perf_paranoid(&memory->root);

	if (denied == -EACCES || denied == -EPERM) {
		(void)snprintf(
			memory->reason, sizeof(memory->reason),
			paranoid > 0 && paranoid < INT64_MAX
				? "events of memory controllers need kernel.perf_event_paranoid 0 or less"
				: "events of memory controllers are refused by a container or a security module");
		(void)snprintf(memory->fix, sizeof(memory->fix),
			       paranoid > 0 && paranoid < INT64_MAX
				       ? "sudo sysctl kernel.perf_event_paranoid=0"
				       : "");
	} else if (has_flag(&memory->root, " cqm_mbm_total")) {
		(void)snprintf(memory->reason, sizeof(memory->reason), "%.140s", resctrl->text);
		(void)snprintf(memory->fix, sizeof(memory->fix),
			       es_root_exists(&memory->root, "sys/fs/resctrl/info")
				       ? ""
				       : "sudo mount -t resctrl resctrl /sys/fs/resctrl");
	} else {
		(void)snprintf(
			memory->reason, sizeof(memory->reason), "%s",
			machine->is_vm
				? "this VM is shown no memory controllers that count"
				: "neither memory controllers nor caches count their traffic here");
	}
}

/*
 * Reads that all memory together can give, by the firmware (ACPI HMAT), in MB/s. Nodes of the processors' own memory
 * have it under access0 or access1: by the best initiator.
 */
static uint64_t read_peak(const struct es_root *root)
{
	char online[ES_SYSFS_FILE_MAX_BYTES];
	const char *list = online;
	unsigned left = 0, node = 0;
	uint64_t sum = 0;

	if (es_root_read_line(root, "sys/devices/system/node/has_memory", online, sizeof(online)) <=
	    0)
		return 0;
	while (es_perf_next_cpu(&list, &left, &node) > 0) {
		char path[128];
		uint64_t mb_per_s;

		(void)snprintf(path, sizeof(path),
			       "sys/devices/system/node/node%u/access0/initiators/read_bandwidth",
			       node);
		if (es_root_read_u64(root, path, &mb_per_s) < 0 || mb_per_s == 0 ||
		    mb_per_s > 100000000)
			return 0;
		sum += mb_per_s * 1000000;
	}
	return sum;
}

int es_memory_open(const struct es_root *root, const struct es_machine *machine,
		   struct es_memory *ret)
{
	struct es_memory memory = { .root = *root };
	struct es_error err = { .code = 0 };
	int r = 0, denied = 0;

	memory.controllers = calloc(ES_MEMORY_COUNTERS_MAX, sizeof(*memory.controllers));
	if (!memory.controllers)
		return -ENOMEM;
	for (size_t i = 0; i < ES_ARRAY_SIZE(kinds) && r <= 0; i++) {
		r = try_kind(&memory, &kinds[i]);
		if (r == -EACCES || r == -EPERM)
			denied = r;
	}
	memory.is_split = r > 0;
	if (r <= 0 && try_resctrl(&memory, &err) < 0)
		explain(&memory, machine, denied, &err);
	memory.peak_bytes_per_s = read_peak(root);
	*ret = memory;
	return 0;
}

void es_memory_close(struct es_memory *memory)
{
	if (memory->controllers)
		close_controllers(memory);
	free(memory->controllers);
	es_resctrl_close(memory->resctrl);
	memory->controllers = NULL;
	memory->resctrl = NULL;
}

/* A read is @n counts behind three numbers: how many, time enabled, time running. */
es_hot static int read_controller(const struct es_memory *memory,
				  struct es_memory_controller *controller,
				  struct es_memory_place *place)
{
	uint64_t data[3 + ES_MEMORY_EVENTS_MAX];
	ssize_t n = es_perf_read(&memory->root, controller->fds[0], data, sizeof(data));

	if (n < 0)
		return (int)n;
	if (n == 0)
		return -ENODATA;
	if ((size_t)n != (3 + controller->n) * sizeof(*data) || data[0] != controller->n)
		return -EBADMSG;
	if (es_perf_took_turns(data[1], data[2]))
		return -EBUSY;
	for (size_t i = 0; i < controller->n; i++) {
		uint64_t count = data[3 + i], step = count - controller->last[i];
		uint64_t bytes = (uint64_t)((double)step * controller->bytes_per_count[i]);

		if (count < controller->last[i])
			return -ESTALE;
		controller->last[i] = count;
		if (controller->is_write[i])
			place->write_bytes += bytes;
		else
			place->read_bytes += bytes;
	}
	return 0;
}

static void read_resctrl(struct es_memory *memory, int64_t now_ns)
{
	uint64_t bytes[ES_RESCTRL_DOMAINS_MAX];
	int errors[ES_RESCTRL_DOMAINS_MAX];

	es_resctrl_read(memory->resctrl, now_ns, bytes, errors);
	for (size_t i = 0; i < memory->n_places; i++) {
		memory->places[i].read_bytes = bytes[i];
		memory->places[i].error = errors[i];
	}
}

static const char *why_not(int error)
{
	return error == -EBUSY ? "others use the counters of the memory controllers too"
			       : "the counters of the memory controllers began anew, or failed";
}

void es_memory_read(struct es_memory *memory, int64_t now_ns)
{
	if (memory->resctrl) {
		read_resctrl(memory, now_ns);
		return;
	}
	for (size_t i = 0; i < memory->n_controllers; i++) {
		struct es_memory_controller *controller = &memory->controllers[i];
		struct es_memory_place *place = &memory->places[controller->place];
		int r;

		/* Traffic that lacks a controller, or a part of the time, is none: it stays unknown. */
		if (place->error)
			continue;
		r = read_controller(memory, controller, place);
		if (r < 0) {
			place->error = r;
			(void)snprintf(memory->reason, sizeof(memory->reason), "%s", why_not(r));
		}
	}
}
