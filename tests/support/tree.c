/*
 * tree.c - trees of files that look like a machine's sysfs, with energy counters that can be moved
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/tree.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "support/tree_write.h"

__extension__ typedef unsigned __int128 es_u128;

uint64_t es_tree_shown_uj(const struct es_tree_zone *zone)
{
	return (uint64_t)((es_u128)zone->raw * zone->num / zone->den);
}

uint64_t es_tree_energy_uj(const struct es_tree_zone *zone, uint64_t n_steps)
{
	return (uint64_t)(((es_u128)n_steps * zone->num + zone->den / 2) / zone->den);
}

int es_tree_find(const struct es_tree *tree, const char *key)
{
	for (size_t i = 0; i < tree->n; i++)
		if (strcmp(tree->zones[i].key, key) == 0 || strcmp(tree->zones[i].zone, key) == 0)
			return (int)i;
	return -1;
}

static int64_t now_ns(const struct es_tree *tree, clockid_t clock)
{
	struct timespec now;

	if (tree->fixed_ns)
		return tree->fixed_ns;
	(void)clock_gettime(clock, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

/* A line of text in place of the former one; what is longer than one is filled up with NULs. */
static int show_line(struct es_tree_zone *zone, const char *text, unsigned n)
{
	if (pwrite(zone->fd, text, n, 0) != (ssize_t)n)
		return -errno;
	if (n < zone->n_shown && ftruncate(zone->fd, n) < 0)
		return -errno;
	zone->n_shown = n;
	return 0;
}

/* The whole file at once, so that no reader sees an energy beside the time of another. */
static int show_metrics(const struct es_tree *tree, struct es_tree_zone *zone)
{
	unsigned char data[512];
	ssize_t n = pread(zone->fd, data, sizeof(data), 0);
	uint64_t raw = htole64(zone->raw), t_ns = htole64((uint64_t)now_ns(tree, CLOCK_BOOTTIME)),
		 firmware = htole64((uint64_t)now_ns(tree, CLOCK_BOOTTIME) / 10 + 123456789);
	size_t size = es_tree_metrics_put(data, n > 0 ? (size_t)n : 0, raw, t_ns, firmware);

	return pwrite(zone->fd, data, size, 0) == (ssize_t)size ? 0 : -errno;
}

/* The two stand side by side: one write shows both. */
static int show_hsmp_table(const struct es_tree *tree, struct es_tree_zone *zone)
{
	uint64_t data[2] = { htole64((uint64_t)now_ns(tree, CLOCK_BOOTTIME) / 10 + 987654321),
			     htole64(zone->raw) };

	return pwrite(zone->fd, data, sizeof(data), (off_t)zone->offset - 8) ==
			       (ssize_t)sizeof(data)
		       ? 0
		       : -errno;
}

/*
 * One pwrite replaces the whole line, so that a reader sees the old value or the new one. A shorter line leaves the
 * tail of the old one behind its newline for a moment: readers take the first line.
 */
static int show(const struct es_tree *tree, struct es_tree_zone *zone)
{
	unsigned long long shown = es_tree_shown_uj(zone);
	uint64_t value = htole64(zone->raw);
	char text[4096] = "";
	int n = 0;

	switch (zone->form) {
	case ES_TREE_REGISTER:
		return pwrite(zone->fd, &value, sizeof(value), (off_t)zone->offset) ==
				       (ssize_t)sizeof(value)
			       ? 0
			       : -errno;
	case ES_TREE_METRICS:
		return show_metrics(tree, zone);
	case ES_TREE_HSMP_TABLE:
		return show_hsmp_table(tree, zone);
	case ES_TREE_ZONE:
	case ES_TREE_FILE:
		n = snprintf(text, sizeof(text), "%llu\n", shown);
		break;
	case ES_TREE_POWER:
		n = snprintf(text, sizeof(text), "%llu\n",
			     (unsigned long long)zone->power_mw * 1000);
		break;
	case ES_TREE_JOULES:
		n = snprintf(text, sizeof(text), "%llu J %lld us\n", shown / 1000000,
			     (long long)now_ns(tree, CLOCK_REALTIME) / 1000);
		break;
	case ES_TREE_OLD_JOULES:
		(void)snprintf(text, sizeof(text), "%llu J\n", shown / 1000000);
		n = sizeof(text);
		break;
	}
	return show_line(zone, text, (unsigned)n);
}

int es_tree_set_power(struct es_tree *tree, size_t zone, uint64_t power_mw)
{
	if (tree->zones[zone].power_mw == power_mw)
		return 0;
	tree->zones[zone].power_mw = power_mw;
	return show(tree, &tree->zones[zone]);
}

int es_tree_set(struct es_tree *tree, size_t zone, uint32_t raw)
{
	tree->zones[zone].raw = raw;
	return show(tree, &tree->zones[zone]);
}

/* Ten times a second, as the blade's controller does. */
static int refresh(struct es_tree *tree)
{
	int64_t t_ns = now_ns(tree, CLOCK_MONOTONIC);
	char text[32];

	if (t_ns - tree->fresh_ns < INT64_C(100000000))
		return 0;
	tree->fresh_ns = t_ns;
	(void)snprintf(text, sizeof(text), "%lld\n", (long long)t_ns);
	return es_tree_write(tree->root, "sys/cray/pm_counters/freshness", text, 0444);
}

int es_tree_advance(struct es_tree *tree, size_t zone, uint64_t raw_steps)
{
	for (size_t i = 0; i < tree->n; i++) {
		int r;

		if (i != zone &&
		    (tree->zones[i].role != ES_TREE_FOLLOWER || tree->zones[i].leader != (int)zone))
			continue;
		tree->zones[i].raw += (uint32_t)raw_steps;
		tree->zones[i].n_steps += raw_steps;
		r = show(tree, &tree->zones[i]);
		if (r == 0 && (tree->zones[i].form == ES_TREE_JOULES ||
			       tree->zones[i].form == ES_TREE_OLD_JOULES))
			r = refresh(tree);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Counters are 0400: an ordinary user can write its own only after a chmod. */
static int open_zone(const struct es_tree *tree, struct es_tree_zone *zone)
{
	char path[sizeof(tree->root) + sizeof(zone->path) + 16];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s%s", tree->root, zone->path,
		       zone->form == ES_TREE_ZONE ? "/energy_uj" : "");
	zone->fd = open(path, O_RDWR | O_CLOEXEC);
	if (zone->fd < 0 && errno == EACCES && stat(path, &st) == 0 && chmod(path, 0600) == 0) {
		zone->fd = open(path, O_RDWR | O_CLOEXEC);
		(void)chmod(path, st.st_mode & 07777);
	}
	return zone->fd < 0 ? -errno : 0;
}

/* Where the counter stands follows from what is shown: a step is worth more than a µJ. */
static int recover_raw(struct es_tree_zone *zone)
{
	char text[4097];
	unsigned long long shown_uj;
	uint64_t value;
	ssize_t n;

	if (zone->form == ES_TREE_REGISTER || zone->form == ES_TREE_METRICS ||
	    zone->form == ES_TREE_HSMP_TABLE) {
		n = pread(zone->fd, &value, sizeof(value), (off_t)zone->offset);
		zone->raw = (uint32_t)le64toh(value);
		return n == (ssize_t)sizeof(value) ? 0 : -ENODATA;
	}
	n = pread(zone->fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return n < 0 ? -errno : -ENODATA;
	text[n] = '\0';
	zone->n_shown = (unsigned)n;
	shown_uj = strtoull(text, NULL, 10);
	if (zone->form == ES_TREE_POWER) {
		zone->power_mw = shown_uj / 1000;
		return 0;
	}
	if (zone->form == ES_TREE_JOULES || zone->form == ES_TREE_OLD_JOULES)
		shown_uj *= 1000000;
	zone->raw = (uint32_t)(((es_u128)shown_uj * zone->den + zone->num - 1) / zone->num);
	return 0;
}

int es_tree_open(const char *root, struct es_tree *ret)
{
	char path[sizeof(ret->root) + sizeof(ES_TREE_LIST) + 1], line[512];
	struct es_tree tree = { .n = 0 };
	FILE *list;
	int r = 0;

	if (snprintf(tree.root, sizeof(tree.root), "%s", root) >= (int)sizeof(tree.root))
		return -ENAMETOOLONG;
	(void)snprintf(path, sizeof(path), "%s/" ES_TREE_LIST, root);
	list = fopen(path, "re");
	if (!list)
		return -errno;
	while (r == 0 && fgets(line, sizeof(line), list)) {
		struct es_tree_zone *zone = &tree.zones[tree.n];
		unsigned long long num, den, offset;
		int role, form;

		if (tree.n >= ES_TREE_ZONES_MAX ||
		    sscanf(line, "%63s %63s %255s %llu %llu %d %d %d %llu", zone->key, zone->zone,
			   zone->path, &num, &den, &role, &zone->leader, &form, &offset) != 9) {
			r = -EBADMSG;
			break;
		}
		zone->num = num;
		zone->den = den;
		zone->form = (enum es_tree_form)form;
		zone->offset = offset;
		zone->role = (enum es_tree_role)role;
		r = open_zone(&tree, zone);
		if (r < 0)
			break;
		tree.n++;
		r = recover_raw(zone);
	}
	(void)fclose(list);
	if (r < 0) {
		es_tree_close(&tree);
		return r;
	}
	*ret = tree;
	return 0;
}

void es_tree_close(struct es_tree *tree)
{
	for (size_t i = 0; i < tree->n; i++)
		(void)close(tree->zones[i].fd);
	tree->n = 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void es_tree_remove(const char *root)
{
	(void)nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int es_tree_temp(char dir[static 64])
{
	static const char *const places[] = { "/dev/shm", "/tmp" };

	/* A large machine has thousands of files, which a disk's journal would all see. */
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		(void)snprintf(dir, 64, "%s/es-tree-XXXXXX", places[i]);
		if (mkdtemp(dir))
			return 0;
	}
	return -errno;
}
