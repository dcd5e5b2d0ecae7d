/*
 * sys/grouptrees.c - the hierarchies of cgroups of a machine: where they are, what jobs are in them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "sys/cgroup.h"
#include "sys/cpus.h"
#include "sys/grouptime_private.h"
#include "sys/perf.h"
#include "sys/process.h"

#define TEXT_BYTES (1U << 20) /* /proc/stat and usage_percpu of the largest machines */
#define MOUNTINFO_MAX_BYTES (1U << 20)
#define WALK_DEPTH 8U
#define USER_DEPTH 6U
#define USER_PIDS_MAX 64U

/* Where they are nearly everywhere; else mountinfo is asked. cpuacct may share its place with cpu. */
static const struct {
	const char *mount, *controller, *proof;
} usual[] = {
	{ "sys/fs/cgroup/cpuacct", "cpuacct", "cpuacct.usage_percpu" },
	{ "sys/fs/cgroup/cpu,cpuacct", "cpuacct", "cpuacct.usage_percpu" },
	{ "sys/fs/cgroup/cpuset", "cpuset", "cpuset.cpus" },
	{ "sys/fs/cgroup/freezer", "freezer", NULL },
	{ "sys/fs/cgroup/cpu", "cpu", "cpu.shares" },
	{ "sys/fs/cgroup/memory", "memory", NULL },
	{ "sys/fs/cgroup/devices", "devices", NULL },
	{ "sys/fs/cgroup", "", "cgroup.controllers" },
	{ "sys/fs/cgroup/unified", "", "cgroup.controllers" },
};

bool es_group_file(const struct es_group_tree *tree, const char *path, const char *file, char *ret,
		   size_t size)
{
	return snprintf(ret, size, "%s%s%s%s", tree->mount, strcmp(path, "/") == 0 ? "" : path,
			*file ? "/" : "", file) < (int)size;
}

static void name_controllers(const struct es_root *root, struct es_group_tree *tree,
			     const char *controller)
{
	char path[ES_PATH_MAX_BYTES];

	tree->is_v2 = *controller == '\0';
	tree->has_time = strcmp(controller, "cpuacct") == 0;
	tree->has_cpuset = strcmp(controller, "cpuset") == 0;
	tree->has_freezer = strcmp(controller, "freezer") == 0;
	tree->has_weight =
		strcmp(controller, "cpu") == 0 ||
		(tree->has_time && es_group_file(tree, "", "cpu.shares", path, sizeof(path)) &&
		 es_root_exists(root, path));
}

static bool is_same_folder(const struct es_root *root, const char *a, const char *b)
{
	es_cleanup(es_closep) int one = es_root_openat(root, a, O_PATH | O_DIRECTORY);
	es_cleanup(es_closep) int two = es_root_openat(root, b, O_PATH | O_DIRECTORY);
	struct stat left, right;

	return one >= 0 && two >= 0 && fstat(one, &left) == 0 && fstat(two, &right) == 0 &&
	       left.st_dev == right.st_dev && left.st_ino == right.st_ino;
}

static void add_tree(struct es_groups *groups, const char *mount, const char *controller)
{
	struct es_group_tree tree = { .is_v2 = false };

	if (groups->n == ES_GROUP_TREES_MAX || strlen(mount) >= sizeof(tree.mount))
		return;
	/* cpuacct is often a link to cpu,cpuacct. */
	for (size_t i = 0; i < groups->n; i++)
		if (is_same_folder(groups->root, groups->tree[i].mount, mount))
			return;
	(void)snprintf(tree.mount, sizeof(tree.mount), "%s", mount);
	name_controllers(groups->root, &tree, controller);
	groups->tree[groups->n++] = tree;
}

static void find_trees(struct es_groups *groups)
{
	es_cleanup(es_freep) char *mounts = NULL;
	char path[ES_PATH_MAX_BYTES];

	for (size_t i = 0; i < ES_ARRAY_SIZE(usual); i++) {
		(void)snprintf(path, sizeof(path), "%s%s%s", usual[i].mount,
			       usual[i].proof ? "/" : "", usual[i].proof ? usual[i].proof : "");
		if (es_root_exists(groups->root, path))
			add_tree(groups, usual[i].mount, usual[i].controller);
	}
	if (groups->n > 0 || es_root_read_file(groups->root, "proc/self/mountinfo",
					       MOUNTINFO_MAX_BYTES, &mounts) < 0)
		return;
	for (size_t i = 0; i < ES_ARRAY_SIZE(usual); i++)
		if (es_cgroup_mount(mounts, usual[i].controller, "/", path, sizeof(path)) == 0)
			add_tree(groups, path, usual[i].controller);
}

static int place_cpus(struct es_groups *groups, const struct es_cpus *cpus)
{
	uint32_t greatest = 0;
	size_t n_packages = 1;

	for (size_t i = 0; i < cpus->n; i++) {
		if (cpus->cpu[i].cpu > greatest)
			greatest = cpus->cpu[i].cpu;
		if ((size_t)cpus->cpu[i].package + 1 > n_packages)
			n_packages = (size_t)cpus->cpu[i].package + 1;
	}
	/* Numbers beyond all sense (some firmware): one package then. */
	if (n_packages > ES_GROUP_PACKAGES_MAX)
		n_packages = 1;
	groups->n_packages = n_packages;
	groups->n_numbers = cpus->n ? greatest + 1 : 0;
	groups->n_cpus = (uint32_t)cpus->n;
	groups->cpus_in = calloc(n_packages, sizeof(*groups->cpus_in));
	groups->package_of = calloc(groups->n_numbers + 1, sizeof(*groups->package_of));
	if (!groups->cpus_in || !groups->package_of)
		return -ENOMEM;
	for (size_t i = 0; i < cpus->n; i++) {
		size_t package = n_packages > 1 ? (size_t)cpus->cpu[i].package : 0;

		groups->package_of[cpus->cpu[i].cpu] = (uint16_t)package;
		groups->cpus_in[package]++;
	}
	return 0;
}

static void open_busy(struct es_groups *groups)
{
	char path[ES_PATH_MAX_BYTES];

	groups->busy_fd = -1;
	for (size_t i = 0; i < groups->n && groups->busy_fd < 0; i++) {
		if (!groups->tree[i].has_time ||
		    !es_group_file(&groups->tree[i], "", "cpuacct.usage_percpu", path,
				   sizeof(path)))
			continue;
		groups->busy_fd = es_root_openat(groups->root, path, O_RDONLY);
		groups->busy_is_v1 = groups->busy_fd >= 0;
	}
	if (groups->busy_fd < 0)
		groups->busy_fd = es_root_openat(groups->root, "proc/stat", O_RDONLY);
}

int es_groups_open(const struct es_root *root, struct es_groups **ret)
{
	struct es_groups *groups = calloc(1, sizeof(*groups));
	struct es_cpus cpus = { .n = 0 };
	int r;

	if (!groups)
		return -ENOMEM;
	groups->root = root;
	groups->busy_fd = -1;
	groups->text_bytes = TEXT_BYTES;
	groups->text = malloc(TEXT_BYTES);
	r = es_cpus_read(root, false, &cpus);
	if (r != -ENOMEM)
		r = place_cpus(groups, &cpus);
	es_cpus_finish(&cpus);
	if (!groups->text || r < 0) {
		es_groups_close(groups);
		return -ENOMEM;
	}
	find_trees(groups);
	open_busy(groups);
	*ret = groups;
	return 0;
}

void es_groups_close(struct es_groups *groups)
{
	if (!groups)
		return;
	es_closep(&groups->busy_fd);
	free(groups->cpus_in);
	free(groups->package_of);
	free(groups->text);
	free(groups);
}

size_t es_groups_n_packages(const struct es_groups *groups)
{
	return groups->n_packages;
}

uint32_t es_groups_cpus_in(const struct es_groups *groups, size_t package)
{
	return package < groups->n_packages ? groups->cpus_in[package] : 0;
}

uint32_t es_groups_n_cpus(const struct es_groups *groups)
{
	return groups->n_cpus;
}

int es_groups_count_cpus(const struct es_groups *groups, const char *list, uint32_t *ret)
{
	unsigned left = 0, cpu = 0;
	uint32_t counts[ES_GROUP_PACKAGES_MAX] = { 0 };
	int n = 0, r;

	while ((r = es_perf_next_cpu(&list, &left, &cpu)) > 0) {
		if (n == (int)ES_CPUS_MAX)
			return -EBADMSG;
		/* What is offline, or was never there, is no part of a package. */
		if (cpu >= groups->n_numbers && groups->n_numbers > 0)
			continue;
		counts[groups->n_numbers ? groups->package_of[cpu] : 0]++;
		n++;
	}
	if (r < 0)
		return -EBADMSG;
	memcpy(ret, counts, groups->n_packages * sizeof(*ret));
	return n;
}

/* Names of a cgroup that are folders: jobs of which we look for. */
static bool is_folder(const struct dirent *entry)
{
	return entry->d_type == DT_DIR && entry->d_name[0] != '.';
}

struct walk {
	struct es_groups *groups;
	const struct es_group_tree *tree;
	es_group_seen_fn seen;
	void *arg;
};

static int walk_below(const struct walk *walk, const char *path, unsigned depth);

static int walk_into(const struct walk *walk, const char *path, const struct dirent *entry,
		     unsigned depth)
{
	char below[ES_GROUP_PATH_MAX_BYTES];
	struct es_jobgroup about;

	if (snprintf(below, sizeof(below), "%s/%s", path, entry->d_name) >= (int)sizeof(below))
		return 0;
	if (es_jobgroup_parse(below, &about))
		return walk->seen(walk->arg, below, &about, (uint64_t)entry->d_ino);
	return depth > 0 && es_jobgroup_may_hold(below) ? walk_below(walk, below, depth - 1) : 0;
}

static int walk_below(const struct walk *walk, const char *path, unsigned depth)
{
	char folder[ES_PATH_MAX_BYTES];
	es_cleanup(es_closedirp) DIR *dir = NULL;
	const struct dirent *entry;
	int r = 0;

	if (!es_group_file(walk->tree, path, "", folder, sizeof(folder)))
		return 0;
	dir = es_root_opendir(walk->groups->root, folder, &r);
	r = 0;
	while (dir && r == 0 && (entry = readdir(dir)))
		if (is_folder(entry))
			r = walk_into(walk, path, entry, depth);
	return r;
}

int es_groups_walk(struct es_groups *groups, es_group_seen_fn seen, void *arg)
{
	struct walk walk = { .groups = groups, .seen = seen, .arg = arg };
	int r = 0;

	for (size_t i = 0; i < groups->n && r == 0; i++) {
		walk.tree = &groups->tree[i];
		r = walk_below(&walk, "", WALK_DEPTH);
	}
	return r;
}

static int stat_group(const struct es_groups *groups, const char *path, struct stat *ret)
{
	char folder[ES_PATH_MAX_BYTES];

	for (size_t i = 0; i < groups->n; i++) {
		es_cleanup(es_closep) int fd = -1;

		if (!es_group_file(&groups->tree[i], path, "", folder, sizeof(folder)))
			continue;
		fd = es_root_openat(groups->root, folder, O_PATH | O_DIRECTORY);
		if (fd >= 0 && fstat(fd, ret) == 0)
			return 0;
	}
	return -ENOENT;
}

uint64_t es_groups_ino(const struct es_groups *groups, const char *path)
{
	struct stat st;

	return stat_group(groups, path, &st) == 0 ? (uint64_t)st.st_ino : 0;
}

int es_groups_owner(const struct es_groups *groups, const char *path, uid_t *ret)
{
	struct stat st;
	int r = stat_group(groups, path, &st);

	if (r == 0)
		*ret = st.st_uid;
	return r;
}

/* Whoever runs there and is not root: a step's own processes of the scheduler are root's. */
static int user_in(const struct es_groups *groups, const struct es_group_tree *tree,
		   const char *path, unsigned *left, uid_t *ret)
{
	char file[ES_PATH_MAX_BYTES], text[4096], *p = text;
	ssize_t n;

	if (!es_group_file(tree, path, "cgroup.procs", file, sizeof(file)))
		return -ENOENT;
	n = es_root_read(groups->root, file, text, sizeof(text));
	if (n <= 0)
		return -ENOENT;
	for (char *line = strsep(&p, "\n"); line && *line && *left > 0;
	     line = strsep(&p, "\n"), (*left)--) {
		struct es_process process;
		uint64_t pid;

		if (es_parse_u64(line, &pid) == 0 && pid > 0 && pid < INT32_MAX &&
		    es_process_read(groups->root, (pid_t)pid, &process) == 0 && process.uid != 0) {
			*ret = process.uid;
			return 0;
		}
	}
	return -ENOENT;
}

static int user_below(const struct es_groups *groups, const struct es_group_tree *tree,
		      const char *path, unsigned depth, unsigned *left, uid_t *ret)
{
	char folder[ES_PATH_MAX_BYTES], below[ES_GROUP_PATH_MAX_BYTES];
	es_cleanup(es_closedirp) DIR *dir = NULL;
	const struct dirent *entry;
	int r = user_in(groups, tree, path, left, ret), r_dir = 0;

	if (r == 0 || depth == 0 || !es_group_file(tree, path, "", folder, sizeof(folder)))
		return r;
	dir = es_root_opendir(groups->root, folder, &r_dir);
	while (dir && r < 0 && *left > 0 && (entry = readdir(dir)))
		if (is_folder(entry) && snprintf(below, sizeof(below), "%s/%s", path,
						 entry->d_name) < (int)sizeof(below))
			r = user_below(groups, tree, below, depth - 1, left, ret);
	return r;
}

int es_groups_user(const struct es_groups *groups, const char *path, uid_t *ret)
{
	unsigned left = USER_PIDS_MAX;
	int r = -ENOENT;

	for (size_t i = 0; i < groups->n && r < 0 && left > 0; i++)
		r = user_below(groups, &groups->tree[i], path, USER_DEPTH, &left, ret);
	return r;
}

ssize_t es_groups_of_pid(const struct es_groups *groups, pid_t pid, char *ret, size_t size)
{
	char file[64];
	ssize_t n;

	if (pid <= 0)
		return -ESRCH; /* of a PID namespace that does not show it here */
	(void)snprintf(file, sizeof(file), "proc/%d/cgroup", (int)pid);
	n = es_root_read(groups->root, file, ret, size);
	return n == -ENOENT ? -ESRCH : n;
}
