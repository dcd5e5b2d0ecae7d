/*
 * tree_write.c - makes the files of a machine as its kernel would
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Layout, names, modes and values after Linux 6.12: drivers/powercap/powercap_sys.c, intel_rapl_common.c,
 * arch/x86/events/rapl.c, drivers/base/topology.c.
 */
#include "support/tree_write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/tree.h"
#include "support/tree_models.h"

__extension__ typedef unsigned __int128 es_u128;

#define POWERCAP "sys/devices/virtual/powercap"
#define RAW_MAX UINT64_C(0xffffffff)

/** struct maker - one tree being made; the first failure sticks */
struct maker {
	const struct es_tree_model *model;
	struct es_tree tree;
	int error;
};

static int make_dirs(const char *root, const char *path, bool is_file)
{
	char full[5120];
	size_t n_root = strlen(root);

	if (snprintf(full, sizeof(full), "%s/%s/", root, path) >= (int)sizeof(full))
		return -ENAMETOOLONG;
	if (mkdir(root, 0755) < 0 && errno != EEXIST)
		return -errno;
	if (is_file) {
		full[strlen(full) - 1] = '\0';
		*(strrchr(full, '/') + 1) = '\0';
	}
	for (char *p = strchr(full + n_root + 1, '/'); p; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(full, 0755) < 0 && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	return 0;
}

int es_tree_write(const char *root, const char *path, const char *text, unsigned mode)
{
	char full[5120];
	size_t n = strlen(text);
	int fd, r;

	if (snprintf(full, sizeof(full), "%s/%s", root, path) >= (int)sizeof(full))
		return -ENAMETOOLONG;
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 && errno == ENOENT) {
		r = make_dirs(root, path, true);
		if (r < 0)
			return r;
		fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	}
	if (fd < 0 && errno == EACCES && chmod(full, 0600) == 0)
		fd = open(full, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = write(fd, text, n) == (ssize_t)n && fchmod(fd, mode) == 0 ? 0 : -errno;
	(void)close(fd);
	return r;
}

static void put(struct maker *maker, unsigned mode, const char *dir, const char *name,
		const char *fmt, ...) __attribute__((format(printf, 5, 6)));

static void put(struct maker *maker, unsigned mode, const char *dir, const char *name,
		const char *fmt, ...)
{
	char path[1024], text[8192];
	va_list args;

	if (maker->error)
		return;
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	maker->error = es_tree_write(maker->tree.root, path, text, mode);
}

int es_tree_put_link(const char *root, const char *path, const char *target)
{
	size_t common = 0;
	char full[5120], to[1024] = "";
	int r = make_dirs(root, path, true);

	for (size_t i = 0; path[i] == target[i] && path[i] != '\0'; i++)
		if (path[i] == '/')
			common = i + 1;
	for (const char *p = strchr(path + common, '/'); p; p = strchr(p + 1, '/'))
		(void)strcat(to, "../");
	(void)strcat(to, target + common);
	(void)snprintf(full, sizeof(full), "%s/%s", root, path);
	return r < 0 ? r : symlink(to, full) < 0 ? -errno : 0;
}

static void put_link(struct maker *maker, const char *path, const char *target)
{
	if (!maker->error)
		maker->error = es_tree_put_link(maker->tree.root, path, target);
}

/* What every device has; tools that slurp directories stumble over autosuspend_delay_ms, which cannot be read. */
static void put_device(struct maker *maker, const char *dir, bool is_enabled)
{
	char path[512];

	put(maker, 0644, dir, "uevent", "%s", "");
	put(maker, 0644, dir, "enabled", "%d\n", is_enabled);
	put(maker, 0644, dir, "power/control", "auto\n");
	put(maker, 0644, dir, "power/autosuspend_delay_ms", "%s", "");
	put(maker, 0444, dir, "power/runtime_active_time", "0\n");
	put(maker, 0444, dir, "power/runtime_status", "unsupported\n");
	put(maker, 0444, dir, "power/runtime_suspended_time", "0\n");
	(void)snprintf(path, sizeof(path), "%s/subsystem", dir);
	put_link(maker, path, "sys/class/powercap");
}

static void put_control(struct maker *maker, const char *control)
{
	char dir[128], path[128];

	(void)snprintf(dir, sizeof(dir), POWERCAP "/%s", control);
	put_device(maker, dir, true);
	(void)snprintf(path, sizeof(path), "sys/class/powercap/%s", control);
	put_link(maker, path, dir);
}

/* What reads as ENODATA in the kernel is an empty file here: the nearest that plain files can do. */
static void put_number(struct maker *maker, unsigned mode, const char *dir, const char *name,
		       unsigned long long v)
{
	if (v)
		put(maker, mode, dir, name, "%llu\n", v);
	else
		put(maker, mode, dir, name, "%s", "");
}

static void put_constraint(struct maker *maker, const char *dir, unsigned i, const char *name,
			   unsigned long long limit_uw, unsigned long long window_us,
			   unsigned long long max_uw)
{
	char attr[64];

	(void)snprintf(attr, sizeof(attr), "constraint_%u_name", i);
	put(maker, 0444, dir, attr, "%s\n", name);
	(void)snprintf(attr, sizeof(attr), "constraint_%u_power_limit_uw", i);
	put(maker, 0644, dir, attr, "%llu\n", limit_uw);
	(void)snprintf(attr, sizeof(attr), "constraint_%u_time_window_us", i);
	put_number(maker, 0644, dir, attr, window_us);
	(void)snprintf(attr, sizeof(attr), "constraint_%u_max_power_uw", i);
	put_number(maker, 0444, dir, attr, max_uw);
}

static void put_constraints(struct maker *maker, const char *dir, const char *name)
{
	unsigned long long tdp_uw = maker->model->tdp_w * 1000000ULL;
	bool is_whole = strncmp(name, "package", 7) == 0 || strncmp(name, "psys", 4) == 0;

	if (tdp_uw == 0)
		return;
	if (!is_whole) {
		put_constraint(maker, dir, 0, "long_term", 0, 976,
			       strcmp(name, "dram") == 0 ? 41250000 : 0);
		return;
	}
	put_constraint(maker, dir, 0, "long_term", tdp_uw, 999424, tdp_uw);
	put_constraint(maker, dir, 1, "short_term", tdp_uw * 6 / 5, 7808, tdp_uw * 2);
	if (maker->model->has_mmio && name[1] == 'a')
		put_constraint(maker, dir, 2, "peak_power", tdp_uw * 4, 0, 0);
}

/* Largest raw step of the pre-integer kernels: 10^6 / 2^14 µJ. */
static void set_unit(const struct maker *maker, struct es_tree_zone *zone, unsigned unit_nj)
{
	bool is_fraction = maker->model->is_old && unit_nj == 61035;

	zone->num = is_fraction ? 1000000 : unit_nj;
	zone->den = is_fraction ? 16384 : 1000;
}

/* A zone as powercap_register_zone() makes it: "%s:%x" of parent and id. Returns its index. */
static int put_zone(struct maker *maker, const char *control, int parent, unsigned id,
		    const char *name, const char *key, unsigned unit_nj)
{
	struct es_tree_zone zone = { .leader = -1,
				     .fd = -1,
				     .raw = (uint32_t)(1000000 + 7919 * maker->tree.n) };
	char above[256], path[512];

	if (parent >= 0)
		(void)snprintf(above, sizeof(above), "%s", maker->tree.zones[parent].path);
	else
		(void)snprintf(above, sizeof(above), POWERCAP "/%s", control);
	(void)snprintf(zone.key, sizeof(zone.key), "%s", key);
	(void)snprintf(zone.zone, sizeof(zone.zone), "%.50s:%x",
		       parent >= 0 ? maker->tree.zones[parent].zone : control, id);
	(void)snprintf(zone.path, sizeof(zone.path), "%.180s/%s", above, zone.zone);
	set_unit(maker, &zone, unit_nj);
	put_device(maker, zone.path, parent < 0 && maker->model->tdp_w > 0);
	put(maker, 0444, zone.path, "name", "%s\n", name);
	put(maker, 0444, zone.path, "max_energy_range_uj", "%llu\n",
	    (unsigned long long)((es_u128)RAW_MAX * zone.num / zone.den));
	put_constraints(maker, zone.path, name);
	(void)snprintf(path, sizeof(path), "%s/device", zone.path);
	put_link(maker, path, above);
	(void)snprintf(path, sizeof(path), "sys/class/powercap/%s", zone.zone);
	put_link(maker, path, zone.path);
	maker->tree.zones[maker->tree.n] = zone;
	return (int)maker->tree.n++;
}

static void put_part(struct maker *maker, int parent, unsigned *id, const char *name,
		     const char *place, unsigned unit_nj, int leader)
{
	char key[64];
	int i;

	(void)snprintf(key, sizeof(key), "%s-%s", name, place);
	i = put_zone(maker, NULL, parent, (*id)++, name, key, unit_nj);
	if (leader >= 0) {
		maker->tree.zones[i].role = ES_TREE_FOLLOWER;
		maker->tree.zones[i].leader = leader;
	}
}

/* One package or die with what is in it. */
static void put_package(struct maker *maker, unsigned *id, unsigned package, unsigned die,
			int *first_die)
{
	const struct es_tree_model *model = maker->model;
	char name[64], place[32];
	unsigned child = 0;
	int zone;

	if (model->has_zone_per_die)
		(void)snprintf(place, sizeof(place), "%u-die-%u", package, die);
	else
		(void)snprintf(place, sizeof(place), "%u", package);
	(void)snprintf(name, sizeof(name), "package-%s", place);
	zone = put_zone(maker, "intel-rapl", -1, (*id)++, name, name, model->unit_nj);
	if (die == 0)
		*first_die = zone;
	else if (model->is_mirrored) {
		/* One counter shown by every die: the same value too. */
		maker->tree.zones[zone].role = ES_TREE_FOLLOWER;
		maker->tree.zones[zone].leader = *first_die;
		maker->tree.zones[zone].raw = maker->tree.zones[*first_die].raw;
	}
	if (model->has_core)
		put_part(maker, zone, &child, "core", place, model->unit_nj, -1);
	if (model->has_uncore)
		put_part(maker, zone, &child, "uncore", place, model->unit_nj, -1);
	if (model->dram_nj)
		put_part(maker, zone, &child, "dram", place, model->dram_nj, -1);
}

static void put_psys(struct maker *maker, unsigned *id, unsigned package)
{
	char name[32] = "psys";
	int zone;

	if (package > 0)
		(void)snprintf(name, sizeof(name), "psys-%u", package);
	zone = put_zone(maker, "intel-rapl", -1, (*id)++, name, name, maker->model->psys_nj);
	maker->tree.zones[zone].role = maker->model->psys == ES_TREE_PSYS_ONLY ? ES_TREE_DEAD
									       : ES_TREE_PSYS;
	if (maker->model->psys == ES_TREE_PSYS_ONLY)
		maker->tree.zones[zone].raw = 0;
}

static void put_powercap(struct maker *maker)
{
	const struct es_tree_model *model = maker->model;
	unsigned id = 0;

	maker->error = make_dirs(maker->tree.root, "sys/class/powercap", false);
	if (model->unit_nj || model->psys_nj)
		put_control(maker, "intel-rapl");
	for (unsigned package = 0; package < model->n_packages; package++) {
		int first_die = -1;

		for (unsigned die = 0;
		     model->unit_nj && die < (model->has_zone_per_die ? model->n_dies : 1); die++)
			put_package(maker, &id, package, die, &first_die);
		if (model->psys == ES_TREE_PSYS_EACH ||
		    (model->psys != ES_TREE_NO_PSYS && package == 0))
			put_psys(maker, &id, package);
	}
	if (model->has_mmio) {
		int zone;

		put_control(maker, "intel-rapl-mmio");
		zone = put_zone(maker, "intel-rapl-mmio", -1, 0, "package-0", "mmio:package-0",
				model->unit_nj);
		maker->tree.zones[zone].role = ES_TREE_FOLLOWER;
		maker->tree.zones[zone].leader = 0;
		maker->tree.zones[zone].raw = maker->tree.zones[0].raw;
	}
	/* Last, for followers show what their leader shows. */
	for (size_t i = 0; i < maker->tree.n; i++)
		put(maker, model->is_old ? 0444 : 0400, maker->tree.zones[i].path, "energy_uj",
		    "%llu\n", (unsigned long long)es_tree_shown_uj(&maker->tree.zones[i]));
}

static void put_event(struct maker *maker, const char *pmu, const char *name, unsigned config)
{
	char dir[128], attr[64];

	(void)snprintf(dir, sizeof(dir), "sys/devices/%s/events", pmu);
	put(maker, 0444, dir, name, "event=0x%02x\n", config);
	(void)snprintf(attr, sizeof(attr), "%s.scale", name);
	put(maker, 0444, dir, attr, "2.3283064365386962890625e-10\n");
	(void)snprintf(attr, sizeof(attr), "%s.unit", name);
	put(maker, 0444, dir, attr, "Joules\n");
}

/* The first CPU of each package (or die): CPUs are numbered by thread, package, core. */
static void put_cpumask(struct maker *maker, const char *pmu, unsigned n_per_package)
{
	const struct es_tree_model *model = maker->model;
	char dir[64], mask[4096] = "";
	size_t n = 0;

	for (unsigned i = 0; i < model->n_packages * n_per_package; i++)
		n += (size_t)snprintf(mask + n, sizeof(mask) - n, "%s%u", i ? "," : "",
				      i * (model->n_cores / n_per_package));
	(void)snprintf(dir, sizeof(dir), "sys/devices/%s", pmu);
	put(maker, 0444, dir, "cpumask", "%s\n", mask);
}

static void put_perf(struct maker *maker)
{
	static const struct {
		unsigned flag, config;
		const char *name;
	} events[] = {
		{ ES_TREE_CORES, 1, "energy-cores" }, { ES_TREE_PKG, 2, "energy-pkg" },
		{ ES_TREE_RAM, 3, "energy-ram" },     { ES_TREE_GPU, 4, "energy-gpu" },
		{ ES_TREE_SYS, 5, "energy-psys" },
	};
	const struct es_tree_model *model = maker->model;

	if (model->events) {
		put(maker, 0444, "sys/devices/power", "type", "9\n");
		put(maker, 0644, "sys/devices/power", "perf_event_mux_interval_ms", "4\n");
		put(maker, 0444, "sys/devices/power/format", "event", "config:0-7\n");
		put_cpumask(maker, "power",
			    model->has_zone_per_die && model->tdp_w ? model->n_dies : 1);
		put_link(maker, "sys/bus/event_source/devices/power", "sys/devices/power");
	}
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (model->events & events[i].flag)
			put_event(maker, "power", events[i].name, events[i].config);
	if (!model->has_power_core)
		return;
	put(maker, 0444, "sys/devices/power_core", "type", "10\n");
	put_cpumask(maker, "power_core", model->n_cores);
	put_event(maker, "power_core", "energy-core", 1);
	put_link(maker, "sys/bus/event_source/devices/power_core", "sys/devices/power_core");
}

/* The CPUs of a package, or of one of its dies: a run of cores for each thread. */
static void put_siblings(struct maker *maker, const char *dir, const char *attr,
			 unsigned first_core, unsigned n_cores)
{
	const struct es_tree_model *model = maker->model;
	char list[512] = "";
	size_t n = 0;

	for (unsigned thread = 0; thread < model->n_threads; thread++) {
		unsigned first = thread * model->n_packages * model->n_cores + first_core;

		n += (size_t)snprintf(list + n, sizeof(list) - n, n_cores > 1 ? "%s%u-%u" : "%s%u",
				      thread ? "," : "", first, first + n_cores - 1);
	}
	put(maker, 0444, dir, attr, "%s\n", list);
}

static void put_cpus(struct maker *maker)
{
	const struct es_tree_model *model = maker->model;
	unsigned n_per_thread = model->n_packages * model->n_cores,
		 n = n_per_thread * model->n_threads, n_in_die = model->n_cores / model->n_dies;

	for (unsigned cpu = 0; cpu < n; cpu++) {
		unsigned rest = cpu % n_per_thread, core = rest % model->n_cores;
		char dir[128];

		(void)snprintf(dir, sizeof(dir), "sys/devices/system/cpu/cpu%u/topology", cpu);
		put(maker, 0444, dir, "physical_package_id", "%u\n", rest / model->n_cores);
		put_siblings(maker, dir, "core_siblings_list", rest - core, model->n_cores);
		put_siblings(maker, dir, "die_cpus_list", rest - rest % n_in_die, n_in_die);
		put(maker, 0444, dir, "die_id", "%u\n", core / (model->n_cores / model->n_dies));
		put(maker, 0444, dir, "core_id", "%u\n", core);
	}
	put(maker, 0444, "sys/devices/system/cpu", "online", n > 1 ? "0-%u\n" : "%u\n", n - 1);
	put(maker, 0444, "sys/devices/system/cpu", "present", n > 1 ? "0-%u\n" : "%u\n", n - 1);
	put(maker, 0444, "sys/devices/system/cpu", "possible", n > 1 ? "0-%u\n" : "%u\n", n - 1);
}

static void put_proc(struct maker *maker)
{
	const struct es_tree_model *model = maker->model;

	put(maker, 0444, "proc", "cpuinfo",
	    "processor\t: 0\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\nmodel name\t: %s\nstepping\t: %u\n"
	    "physical id\t: 0\nsiblings\t: %u\ncore id\t\t: 0\ncpu cores\t: %u\nflags\t\t: fpu vme de pse tsc msr%s\n\n",
	    model->vendor, model->family, model->model, model->cpu, model->stepping,
	    model->n_cores * model->n_threads, model->n_cores, model->is_vm ? " hypervisor" : "");
	put(maker, 0444, "proc", "stat",
	    "cpu  1000 20 300 4000000 50 6 7 0 0 0\ncpu0 1000 20 300 4000000 50 6 7 0 0 0\nintr 0\nctxt 0\nbtime 1700000000\n");
	put(maker, 0644, "proc/sys/kernel", "hostname", "%s\n", model->name);
	put(maker, 0444, "proc/sys/kernel", "osrelease", "%s\n",
	    model->is_old ? "3.10.0-957.el7.x86_64" : "6.12.0-tree");
	put(maker, 0644, "proc/sys/kernel", "perf_event_paranoid", "2\n");
	put(maker, 0444, "proc/sys/kernel/random", "boot_id",
	    "5f3c2b1a-0000-4000-8000-00000000e5e5\n");
}

static void put_list(struct maker *maker)
{
	char text[ES_TREE_ZONES_MAX * 512];
	size_t n = 0;

	for (size_t i = 0; i < maker->tree.n; i++) {
		const struct es_tree_zone *zone = &maker->tree.zones[i];

		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      "%s %s %s %llu %llu %d %d %d %llu\n", zone->key, zone->zone,
				      zone->path, (unsigned long long)zone->num,
				      (unsigned long long)zone->den, (int)zone->role, zone->leader,
				      (int)zone->form, (unsigned long long)zone->offset);
		if (n >= sizeof(text)) {
			maker->error = -EMSGSIZE;
			return;
		}
	}
	text[n] = '\0';
	if (!maker->error)
		maker->error = es_tree_write(maker->tree.root, ES_TREE_LIST, text, 0644);
}

int es_tree_create(const char *root, const char *model, struct es_tree *ret)
{
	static const char *const former[] = { "sys", "proc", "dev", ES_TREE_LIST };
	struct maker maker = { .model = es_tree_model_find(model) };

	if (!maker.model)
		return -ENOENT;
	if (snprintf(maker.tree.root, sizeof(maker.tree.root), "%s", root) >=
	    (int)sizeof(maker.tree.root))
		return -ENAMETOOLONG;
	for (size_t i = 0; i < sizeof(former) / sizeof(former[0]); i++) {
		char path[5120];

		(void)snprintf(path, sizeof(path), "%s/%s", root, former[i]);
		es_tree_remove(path);
	}
	if (maker.model->msr != ES_TREE_MSR_ONLY)
		put_powercap(&maker);
	put_perf(&maker);
	put_cpus(&maker);
	put_proc(&maker);
	if (!maker.error)
		maker.error = es_tree_put_registers(maker.model, &maker.tree);
	if (!maker.error)
		maker.error = es_tree_put_meters(maker.model, &maker.tree);
	put_list(&maker);
	return maker.error ? maker.error : es_tree_open(root, ret);
}
