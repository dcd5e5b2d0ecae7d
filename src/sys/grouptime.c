/*
 * sys/grouptime.c - CPU time of cgroups, per package of the node
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Source: Linux Documentation/admin-guide/cgroup-v1/cpuacct.rst, cgroup-v1/freezer-subsystem.rst, cgroup-v2.rst. Only v1 lets a cgroup be
 * renamed, and only within its folder (kernel/cgroup/cgroup-v1.c, cgroup1_rename).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "sys/grouptime_private.h"

#define SHARES_A_CPU 1024U
#define NS_PER_TICK_HZ 100

enum from {
	FROM_NOWHERE,
	FROM_PERCPU,
	FROM_STAT,
};

struct es_grouptime {
	struct es_groups *groups;
	char path[ES_GROUP_PATH_MAX_BYTES];
	const struct es_group_tree *place; /* by which it is known to be there */
	uint64_t ino, dev;
	const struct es_group_tree *counter;
	uint64_t counter_ino; /* of the folder that it was read in */
	enum from from;
	int fd; /* -1: opened for each read, where there are too many */
	uint32_t *in; /* [n_packages] CPUs it may use: how v2's sum is shared out */
	uint32_t n_in;
	char *text; /* the groups' own: one reader at a time */
	size_t text_bytes;
};

static bool take_u64(const char **p, uint64_t *ret)
{
	uint64_t v = 0;
	const char *digit = *p + strspn(*p, " ");

	if (*digit < '0' || *digit > '9')
		return false;
	for (; *digit >= '0' && *digit <= '9'; digit++)
		if (__builtin_mul_overflow(v, 10U, &v) ||
		    __builtin_add_overflow(v, (unsigned)(*digit - '0'), &v))
			return false;
	*p = digit;
	*ret = v;
	return true;
}

int es_groups_sum_percpu(const struct es_groups *groups, const char *text, int64_t *ret_ns)
{
	int64_t sums[ES_GROUP_PACKAGES_MAX] = { 0 };
	uint64_t v;
	size_t cpu = 0;

	for (; take_u64(&text, &v); cpu++) {
		size_t package = cpu < groups->n_numbers ? groups->package_of[cpu] : 0;

		if (v > INT64_MAX ||
		    __builtin_add_overflow(sums[package], (int64_t)v, &sums[package]))
			return -EBADMSG;
	}
	text += strspn(text, " ");
	if (cpu == 0 || (*text != '\n' && *text != '\0'))
		return -EBADMSG;
	memcpy(ret_ns, sums, groups->n_packages * sizeof(*ret_ns));
	return 0;
}

static ssize_t read_fd(const struct es_root *root, int fd, char *text, size_t size)
{
	ssize_t n = es_root_pread(root, fd, text, size - 1);

	if (n >= 0)
		text[n] = '\0';
	return n == 0 ? -ENODATA : n;
}

/* "cpu0 user nice system idle iowait irq softirq …": neither idle nor stolen. */
static int sum_stat(const struct es_groups *groups, const char *text, int64_t *ret_ns)
{
	static const bool is_busy[] = { true, true, true, false, false, true, true };
	int64_t sums[ES_GROUP_PACKAGES_MAX] = { 0 };
	long hz = sysconf(_SC_CLK_TCK);
	int64_t tick_ns = ES_NS_PER_S / (hz > 0 ? hz : NS_PER_TICK_HZ);
	bool is_any = false;

	for (const char *line = text; line && strncmp(line, "cpu", 3) == 0;
	     line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
		const char *p = line + 3;
		uint64_t cpu, v;

		if (*p == ' ' || !take_u64(&p, &cpu))
			continue; /* the sum of all */
		for (size_t i = 0; i < ES_ARRAY_SIZE(is_busy) && take_u64(&p, &v); i++)
			if (is_busy[i] && v < (uint64_t)(INT64_MAX / 16 / tick_ns))
				sums[cpu < groups->n_numbers ? groups->package_of[cpu] : 0] +=
					(int64_t)v * tick_ns;
		is_any = true;
	}
	if (!is_any)
		return -EBADMSG;
	memcpy(ret_ns, sums, groups->n_packages * sizeof(*ret_ns));
	return 0;
}

int es_groups_busy(struct es_groups *groups, int64_t *ret_ns)
{
	ssize_t n;

	if (groups->busy_fd < 0)
		return groups->busy_fd;
	n = read_fd(groups->root, groups->busy_fd, groups->text, groups->text_bytes);
	if (n < 0)
		return (int)n;
	return groups->busy_is_v1 ? es_groups_sum_percpu(groups, groups->text, ret_ns)
				  : sum_stat(groups, groups->text, ret_ns);
}

static int open_file(const struct es_grouptime *time, const struct es_group_tree *tree,
		     const char *file)
{
	char path[ES_PATH_MAX_BYTES];

	if (!es_group_file(tree, time->path, file, path, sizeof(path)))
		return -ENAMETOOLONG;
	return es_root_openat(time->groups->root, path, O_RDONLY);
}

static ssize_t read_file(const struct es_grouptime *time, const struct es_group_tree *tree,
			 const char *file, char *text, size_t size)
{
	char path[ES_PATH_MAX_BYTES];

	if (!es_group_file(tree, time->path, file, path, sizeof(path)))
		return -ENAMETOOLONG;
	return es_root_read(time->groups->root, path, text, size);
}

static const char *counter_file(const struct es_grouptime *time)
{
	return time->from == FROM_PERCPU ? "cpuacct.usage_percpu" : "cpu.stat";
}

/* Where it is seen at all, and where its CPU time is counted: v1 first, which tells it by CPU. */
static int find_place(struct es_grouptime *time)
{
	const struct es_groups *groups = time->groups;
	char path[ES_PATH_MAX_BYTES];
	struct stat st;

	for (size_t i = 0; i < groups->n; i++) {
		const struct es_group_tree *tree = &groups->tree[i];
		es_cleanup(es_closep) int fd = -1;

		if (!es_group_file(tree, time->path, "", path, sizeof(path)))
			return -ENAMETOOLONG;
		fd = es_root_openat(groups->root, path, O_PATH | O_DIRECTORY);
		if (fd < 0 || fstat(fd, &st) < 0)
			continue;
		if (!time->place) {
			time->place = tree;
			time->ino = (uint64_t)st.st_ino;
			time->dev = (uint64_t)st.st_dev;
		}
		if (!time->counter && (tree->has_time || tree->is_v2)) {
			time->counter = tree;
			time->counter_ino = (uint64_t)st.st_ino;
			time->from = tree->is_v2 ? FROM_STAT : FROM_PERCPU;
		}
	}
	return time->place ? 0 : -ENOENT;
}

/* For v2: the packages its CPUs are in; all of the node's where nobody confined it. */
bool es_grouptime_learn(struct es_grouptime *time)
{
	const struct es_groups *groups = time->groups;
	size_t n_bytes = groups->n_packages * sizeof(*time->in);
	uint32_t in[ES_GROUP_PACKAGES_MAX];
	bool is_all = false, is_same;

	if (es_grouptime_cpus(time, in, &is_all) < 0)
		memcpy(in, groups->cpus_in, n_bytes);
	is_same = memcmp(in, time->in, n_bytes) == 0;
	memcpy(time->in, in, n_bytes);
	time->n_in = 0;
	for (size_t i = 0; i < groups->n_packages; i++)
		time->n_in += time->in[i];
	return !is_same && time->from == FROM_STAT;
}

static bool leads_up(const char *path)
{
	size_t n = strlen(path);

	return strstr(path, "/../") || (n >= 3 && strcmp(path + n - 3, "/..") == 0);
}

/* A file that is not there: that hierarchy does not count for this cgroup. */
static void keep_counter(struct es_grouptime *time)
{
	int fd = time->from == FROM_NOWHERE ? -ENOENT
					    : open_file(time, time->counter, counter_file(time));

	if (fd == -EMFILE || fd == -ENFILE)
		return;
	if (fd < 0) {
		time->from = FROM_NOWHERE;
	} else if (time->groups->n_kept < ES_GROUP_KEPT_MAX) {
		time->groups->n_kept++;
		time->fd = fd;
	} else {
		(void)close(fd);
	}
}

int es_grouptime_open(struct es_groups *groups, const char *path, struct es_grouptime **ret)
{
	struct es_grouptime *time;
	int r;

	if (path[0] != '/' || strlen(path) >= sizeof(time->path) || leads_up(path))
		return -ENOENT;
	time = calloc(1, sizeof(*time));
	if (!time)
		return -ENOMEM;
	time->groups = groups;
	time->fd = -1;
	time->text = groups->text;
	time->text_bytes = groups->text_bytes;
	time->in = calloc(groups->n_packages, sizeof(*time->in));
	(void)snprintf(time->path, sizeof(time->path), "%s", path);
	r = time->in ? find_place(time) : -ENOMEM;
	if (r < 0) {
		es_grouptime_close(time);
		return r;
	}
	keep_counter(time);
	(void)es_grouptime_learn(time);
	*ret = time;
	return 0;
}

void es_grouptime_close(struct es_grouptime *time)
{
	if (!time)
		return;
	if (time->fd >= 0)
		time->groups->n_kept--;
	es_closep(&time->fd);
	free(time->in);
	free(time);
}

/* "usage_usec 1234": all of it in whole ns, what rounding leaves to the last package that has CPUs. */
static int share_stat(const struct es_grouptime *time, const char *text, int64_t *ret_ns)
{
	static const char key[] = "usage_usec ";
	const struct es_groups *groups = time->groups;
	const char *p = strstr(text, key);
	uint64_t us;
	int64_t total_ns, left_ns;

	if (!p || (p != text && p[-1] != '\n'))
		return -EBADMSG;
	p += sizeof(key) - 1;
	if (!take_u64(&p, &us) || us > INT64_MAX / ES_NS_PER_US)
		return -EBADMSG;
	total_ns = left_ns = (int64_t)us * ES_NS_PER_US;
	for (size_t i = 0; i < groups->n_packages; i++) {
		__extension__ typedef __int128 wide;
		int64_t part_ns = time->n_in ? (int64_t)((wide)total_ns * time->in[i] / time->n_in)
					     : 0;

		ret_ns[i] = part_ns;
		left_ns -= part_ns;
	}
	for (size_t i = groups->n_packages; left_ns > 0 && i-- > 0;)
		if (time->in[i] > 0 || (time->n_in == 0 && i == 0)) {
			ret_ns[i] += left_ns;
			left_ns = 0;
		}
	return 0;
}

int es_grouptime_read(struct es_grouptime *time, int64_t *ret_ns)
{
	es_cleanup(es_closep) int own = -1;
	int fd = time->fd;
	ssize_t n;

	if (time->from == FROM_NOWHERE)
		return -ENODATA;
	if (fd < 0) {
		own = open_file(time, time->counter, counter_file(time));
		if (own < 0)
			return own == -ENOENT ? -ENODEV : own;
		fd = own;
	}
	n = read_fd(time->groups->root, fd, time->text, time->text_bytes);
	if (n < 0)
		return (int)n;
	return time->from == FROM_PERCPU ? es_groups_sum_percpu(time->groups, time->text, ret_ns)
					 : share_stat(time, time->text, ret_ns);
}

bool es_grouptime_is_exact(const struct es_grouptime *time)
{
	return time->from == FROM_PERCPU;
}

/* The name that the folder with our number has now, beside where it was. */
static bool find_renamed(struct es_grouptime *time)
{
	char folder[ES_PATH_MAX_BYTES], above[ES_GROUP_PATH_MAX_BYTES];
	char *slash;
	es_cleanup(es_closedirp) DIR *dir = NULL;
	const struct dirent *entry;
	int r = 0;

	if (time->place->is_v2)
		return false;
	(void)snprintf(above, sizeof(above), "%s", time->path);
	slash = strrchr(above, '/');
	if (!slash)
		return false;
	*slash = '\0';
	if (!es_group_file(time->place, above, "", folder, sizeof(folder)))
		return false;
	dir = es_root_opendir(time->groups->root, folder, &r);
	while (dir && (entry = readdir(dir)))
		if (entry->d_type == DT_DIR && (uint64_t)entry->d_ino == time->ino &&
		    strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    strlen(above) + strlen(entry->d_name) + 2 <= sizeof(time->path)) {
			(void)snprintf(time->path, sizeof(time->path), "%.*s/%s",
				       (int)(slash - above), above, entry->d_name);
			return true;
		}
	return false;
}

/*
 * Hierarchies of v1 are filled one after the other: Slurm's freezer is there from a job's begin on, its cpuacct may come with
 * the first task, and go and come again with each step.
 */
static bool has_other_counter(const struct es_grouptime *time)
{
	const struct es_groups *groups = time->groups;
	char path[ES_PATH_MAX_BYTES];
	struct stat st;

	for (size_t i = 0; i < groups->n; i++) {
		const struct es_group_tree *tree = &groups->tree[i];
		bool is_known = time->from != FROM_NOWHERE;
		const char *file = tree->is_v2 ? "cpu.stat" : "cpuacct.usage_percpu";
		es_cleanup(es_closep) int fd = -1;

		if (!(tree->has_time || tree->is_v2) || (is_known && tree != time->counter) ||
		    !es_group_file(tree, time->path, file, path, sizeof(path)) ||
		    !es_root_exists(groups->root, path))
			continue;
		if (!is_known)
			return true;
		if (!es_group_file(tree, time->path, "", path, sizeof(path)))
			continue;
		fd = es_root_openat(groups->root, path, O_PATH | O_DIRECTORY);
		return fd >= 0 && fstat(fd, &st) == 0 && (uint64_t)st.st_ino != time->counter_ino;
	}
	return false;
}

enum es_group_state es_grouptime_look(struct es_grouptime *time)
{
	char path[ES_PATH_MAX_BYTES];
	es_cleanup(es_closep) int fd = -1;
	struct stat st;

	if (!es_group_file(time->place, time->path, "", path, sizeof(path)))
		return ES_GROUP_GONE;
	fd = es_root_openat(time->groups->root, path, O_PATH | O_DIRECTORY);
	/* Without a descriptor to spare nothing is known: as before. */
	if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM)
		return ES_GROUP_THERE;
	if (fd < 0 || fstat(fd, &st) < 0)
		return find_renamed(time) ? ES_GROUP_RENAMED : ES_GROUP_GONE;
	if ((uint64_t)st.st_ino != time->ino || (uint64_t)st.st_dev != time->dev)
		return ES_GROUP_REPLACED;
	return has_other_counter(time) ? ES_GROUP_REPLACED : ES_GROUP_THERE;
}

const char *es_grouptime_path(const struct es_grouptime *time)
{
	return time->path;
}

uint64_t es_grouptime_ino(const struct es_grouptime *time)
{
	return time->ino;
}

bool es_grouptime_is_frozen(const struct es_grouptime *time)
{
	char text[256];

	for (size_t i = 0; i < time->groups->n; i++) {
		const struct es_group_tree *tree = &time->groups->tree[i];

		if (tree->has_freezer &&
		    read_file(time, tree, "freezer.state", text, sizeof(text)) > 0)
			return strncmp(text, "THAWED", 6) != 0;
		if (tree->is_v2 && read_file(time, tree, "cgroup.events", text, sizeof(text)) > 0)
			return strstr(text, "frozen 1") != NULL;
	}
	return false;
}

int es_grouptime_cpus(struct es_grouptime *time, uint32_t *ret, bool *ret_is_all)
{
	static const char *const v1[] = { "cpuset.cpus" }, *const v2[] = { "cpuset.cpus.effective",
									   "cpuset.cpus" };

	for (size_t i = 0; i < time->groups->n; i++) {
		const struct es_group_tree *tree = &time->groups->tree[i];
		const char *const *files = tree->is_v2 ? v2 : v1;
		size_t n_files = tree->is_v2 ? 2 : tree->has_cpuset ? 1 : 0;

		for (size_t k = 0; k < n_files; k++) {
			ssize_t n = read_file(time, tree, files[k], time->text, time->text_bytes);
			int n_cpus;

			if (n <= 1)
				continue; /* a bare newline: not set */
			time->text[strcspn(time->text, "\n")] = '\0';
			n_cpus = es_groups_count_cpus(time->groups, time->text, ret);
			if (n_cpus <= 0)
				continue;
			*ret_is_all = (uint32_t)n_cpus >= time->groups->n_cpus;
			return 0;
		}
	}
	return -ENODATA;
}

/* v2's weight 1 to 10000 stands for v1's shares 2 to 262144. Source: Kubernetes KEP-2254. */
static uint32_t shares_from_weight(uint64_t weight)
{
	return weight < 1 || weight > 10000 ? 0
					    : (uint32_t)(2 + ((weight - 1) * 262142 + 4999) / 9999);
}

uint32_t es_grouptime_asked_mcpu(const struct es_grouptime *time)
{
	char text[64];

	for (size_t i = 0; i < time->groups->n; i++) {
		const struct es_group_tree *tree = &time->groups->tree[i];
		const char *file = tree->is_v2 ? "cpu.weight" : "cpu.shares", *p = text;
		uint64_t v;

		if ((!tree->is_v2 && !tree->has_weight) ||
		    read_file(time, tree, file, text, sizeof(text)) <= 0 || !take_u64(&p, &v) ||
		    v > 262144)
			continue;
		v = tree->is_v2 ? shares_from_weight(v) : v;
		/* 2 is what asks for nothing. */
		return v <= 2 ? 0 : (uint32_t)(v * 1000 / SHARES_A_CPU);
	}
	return 0;
}
