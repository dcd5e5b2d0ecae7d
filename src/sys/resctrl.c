/*
 * sys/resctrl.c - memory traffic as the kernel's resource control counts it for each L3 cache
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "sys/resctrl.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"

/*
 * Every task is in one group of control: the top folder, or one below it; their mon_data holds the sums of the groups
 * of monitoring within. So the sum over groups of control is the whole.
 * Source: Linux Documentation/filesystems/resctrl.rst.
 */
#define TOP "sys/fs/resctrl"
#define FILE_NAME "mbm_total_bytes"
#define RESCAN_NS (10 * ES_NS_PER_S)
#define GROUP_NAME_BYTES 128U

/** struct counter - one cache as one group sees it */
struct counter {
	int fd; /* -1: not open */
	unsigned domain; /* index */
	bool has_last;
	uint64_t last;
};

struct group {
	char name[GROUP_NAME_BYTES]; /* "": the top */
	struct counter counters[ES_RESCTRL_DOMAINS_MAX]; /* [n_domains] */
	bool is_seen; /* while groups are looked for */
};

struct es_resctrl {
	struct es_root root;
	unsigned domains[ES_RESCTRL_DOMAINS_MAX];
	size_t n_domains;
	struct group *groups; /* [ES_RESCTRL_GROUPS_MAX], owned */
	size_t n_groups;
	uint64_t bytes[ES_RESCTRL_DOMAINS_MAX];
	int64_t scanned_ns;
};

int es_resctrl_parse(const char *text, size_t n, uint64_t *ret)
{
	static const struct {
		const char *text;
		int error;
	} words[] = { { "Unavailable\n", -ENODATA },
		      { "Unassigned\n", -ENOLINK },
		      { "Error\n", -EIO } };

	for (size_t i = 0; i < ES_ARRAY_SIZE(words); i++)
		if (n == strlen(words[i].text) && memcmp(text, words[i].text, n) == 0)
			return words[i].error;
	return es_parse_u64_sysfs(text, n, ret) < 0 ? -EBADMSG : 0;
}

static int read_counter(const struct es_root *root, int fd, uint64_t *ret)
{
	char text[64];
	ssize_t n = es_root_pread(root, fd, text, sizeof(text));

	if (n < 0)
		return (int)n;
	return n == 0 || (size_t)n == sizeof(text) ? -EBADMSG
						   : es_resctrl_parse(text, (size_t)n, ret);
}

static int open_counter(const struct es_root *root, const char *group, unsigned domain)
{
	char path[512];

	if (snprintf(path, sizeof(path), TOP "/%s%smon_data/mon_L3_%02u/" FILE_NAME, group,
		     *group ? "/" : "", domain) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return es_root_openat(root, path, O_RDONLY);
}

static void close_group(struct es_resctrl *resctrl, struct group *group)
{
	for (size_t i = 0; i < resctrl->n_domains; i++)
		es_closep(&group->counters[i].fd);
}

/* What a counter showed before we came is not ours. One that is made while we look on begins at 0. */
static void open_group(struct es_resctrl *resctrl, const char *name, bool is_new)
{
	struct group *group;

	if (resctrl->n_groups == ES_RESCTRL_GROUPS_MAX)
		return;
	group = &resctrl->groups[resctrl->n_groups++];
	memset(group, 0, sizeof(*group));
	(void)snprintf(group->name, sizeof(group->name), "%s", name);
	group->is_seen = true;
	for (size_t i = 0; i < resctrl->n_domains; i++) {
		int fd = open_counter(&resctrl->root, name, resctrl->domains[i]);

		group->counters[i] = (struct counter){ .fd = fd < 0 ? -1 : fd, .has_last = is_new };
	}
}

static struct group *find_group(struct es_resctrl *resctrl, const char *name)
{
	for (size_t i = 0; i < resctrl->n_groups; i++)
		if (strcmp(resctrl->groups[i].name, name) == 0)
			return &resctrl->groups[i];
	return NULL;
}

static bool is_group(const char *name)
{
	return name[0] != '.' && strlen(name) < GROUP_NAME_BYTES && strcmp(name, "info") != 0 &&
	       strcmp(name, "mon_data") != 0 && strcmp(name, "mon_groups") != 0;
}

static void forget_gone(struct es_resctrl *resctrl)
{
	size_t n = 0;

	for (size_t i = 0; i < resctrl->n_groups; i++) {
		if (!resctrl->groups[i].is_seen) {
			close_group(resctrl, &resctrl->groups[i]);
			continue;
		}
		if (n != i)
			resctrl->groups[n] = resctrl->groups[i];
		n++;
	}
	resctrl->n_groups = n;
}

static void scan_groups(struct es_resctrl *resctrl, bool is_first)
{
	struct dirent *entry;
	int r;
	DIR *dir = es_root_opendir(&resctrl->root, TOP, &r);

	if (!dir)
		return;
	for (size_t i = 0; i < resctrl->n_groups; i++)
		resctrl->groups[i].is_seen = resctrl->groups[i].name[0] == '\0';
	while ((entry = readdir(dir))) {
		struct group *group;
		char path[512];

		if (!is_group(entry->d_name) || snprintf(path, sizeof(path), TOP "/%s/mon_data",
							 entry->d_name) >= (int)sizeof(path))
			continue;
		group = find_group(resctrl, entry->d_name);
		if (group)
			group->is_seen = true;
		else if (es_root_exists(&resctrl->root, path))
			open_group(resctrl, entry->d_name, !is_first);
	}
	(void)closedir(dir);
	forget_gone(resctrl);
}

static int by_number(const void *a, const void *b)
{
	const unsigned *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int find_domains(struct es_resctrl *resctrl, struct es_error *err)
{
	struct dirent *entry;
	int r;
	DIR *dir = es_root_opendir(&resctrl->root, TOP "/mon_data", &r);

	if (!dir && r != -ENOENT && r != -ENOTDIR)
		return es_error_set(err, r, "'%s'", "/" TOP "/mon_data");
	if (!dir)
		return es_error_say(err, -ENODEV,
				    es_root_exists(&resctrl->root, TOP "/info")
					    ? "this processor does not count the traffic of caches"
					    : "resource control (resctrl) is not mounted");
	while ((entry = readdir(dir)) && resctrl->n_domains < ES_RESCTRL_DOMAINS_MAX) {
		unsigned number;
		int end = 0, fd;

		/* mon_sub_L3_… of a cache that is split among NUMA nodes lies within these. */
		if (sscanf(entry->d_name, "mon_L3_%4u%n", &number, &end) != 1 ||
		    entry->d_name[end] != '\0')
			continue;
		fd = open_counter(&resctrl->root, "", number);
		if (fd >= 0)
			resctrl->domains[resctrl->n_domains++] = number;
		es_closep(&fd);
		r = fd;
	}
	(void)closedir(dir);
	qsort(resctrl->domains, resctrl->n_domains, sizeof(*resctrl->domains), by_number);
	if (resctrl->n_domains)
		return 0;
	if (r == -EACCES)
		return es_error_say(err, r, "'/" TOP "' may not be read");
	return es_error_say(err, -ENODEV, "this processor does not count the traffic of caches");
}

void es_resctrl_close(struct es_resctrl *resctrl)
{
	if (!resctrl)
		return;
	for (size_t i = 0; i < resctrl->n_groups; i++)
		close_group(resctrl, &resctrl->groups[i]);
	free(resctrl->groups);
	es_root_close(&resctrl->root);
	free(resctrl);
}

/* Counters that are all without a value are as good as none, unless that is the first answer only. */
static int prove(struct es_resctrl *resctrl, struct es_error *err)
{
	uint64_t bytes[ES_RESCTRL_DOMAINS_MAX];
	int errors[ES_RESCTRL_DOMAINS_MAX];

	for (int i = 0; i < 2; i++) {
		es_resctrl_read(resctrl, resctrl->scanned_ns, bytes, errors);
		for (size_t j = 0; j < resctrl->n_domains; j++)
			if (errors[j] == 0)
				return 0;
	}
	if (errors[0] == -ENOLINK)
		return es_error_say(err, -ENODEV,
				    "no counter of resource control is assigned to memory traffic");
	return es_error_say(err, -ENODEV, "the counters of resource control are unavailable");
}

int es_resctrl_open(const struct es_root *root, struct es_resctrl **ret, struct es_error *err)
{
	struct es_resctrl *resctrl = calloc(1, sizeof(*resctrl));
	int r = resctrl ? es_root_dup(root, &resctrl->root) : -ENOMEM;

	if (r < 0) {
		free(resctrl);
		return es_error_set(err, r, "resctrl");
	}
	r = find_domains(resctrl, err);
	if (r == 0) {
		resctrl->groups = calloc(ES_RESCTRL_GROUPS_MAX, sizeof(*resctrl->groups));
		r = resctrl->groups ? 0 : es_error_set(err, -ENOMEM, "resctrl");
	}
	if (r == 0) {
		resctrl->scanned_ns = es_clock_boot_ns();
		open_group(resctrl, "", false);
		scan_groups(resctrl, true);
		r = prove(resctrl, err);
	}
	if (r < 0) {
		es_resctrl_close(resctrl);
		return r;
	}
	*ret = resctrl;
	return 0;
}

size_t es_resctrl_n_domains(const struct es_resctrl *resctrl)
{
	return resctrl->n_domains;
}

unsigned es_resctrl_domain(const struct es_resctrl *resctrl, size_t i)
{
	return resctrl->domains[i];
}

void es_resctrl_read(struct es_resctrl *resctrl, int64_t now_ns, uint64_t *ret_bytes,
		     int *ret_errors)
{
	if (now_ns - resctrl->scanned_ns >= RESCAN_NS) {
		resctrl->scanned_ns = now_ns;
		scan_groups(resctrl, false);
	}
	for (size_t i = 0; i < resctrl->n_domains; i++)
		ret_errors[i] = 0;
	for (size_t g = 0; g < resctrl->n_groups; g++)
		for (size_t i = 0; i < resctrl->n_domains; i++) {
			struct counter *counter = &resctrl->groups[g].counters[i];
			uint64_t value = 0;
			int r = counter->fd < 0 ? -ENODATA
						: read_counter(&resctrl->root, counter->fd, &value);

			/* A sum that lacks one of its groups would be too low. */
			if (r < 0) {
				ret_errors[i] = r;
				if (r == -ENODEV)
					resctrl->scanned_ns = INT64_MIN / 2; /* the group is gone */
				continue;
			}
			if (counter->has_last && value >= counter->last)
				resctrl->bytes[i] += value - counter->last;
			counter->has_last = true;
			counter->last = value;
		}
	for (size_t i = 0; i < resctrl->n_domains; i++)
		ret_bytes[i] = resctrl->bytes[i];
}
