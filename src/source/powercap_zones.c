/*
 * source/powercap_zones.c - which powercap zones a machine has, how they nest, and what they measure
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/powercap_zones.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define TREE "sys/devices/virtual/powercap"
#define FLAT "sys/class/powercap"
#define ENTRIES_MAX 1024
#define DEPTH_MAX 4

typedef char entry_name[64];

/* Hexadecimal indices without leading zeros: the longer one is the larger one. */
static int compare_names(const void *a, const void *b)
{
	const char *x = a, *y = b;
	size_t nx = strlen(x), ny = strlen(y);
	bool is_x_first = strcmp(x, "intel-rapl") == 0, is_y_first = strcmp(y, "intel-rapl") == 0;

	/* Of twins the one read through MSRs or TPMI comes first: it has all domains. */
	if (is_x_first != is_y_first)
		return is_x_first ? -1 : 1;
	return nx != ny ? (nx < ny ? -1 : 1) : strcmp(x, y);
}

/* "intel-rapl:1:a" is a zone in "intel-rapl:1"; an index is 1 to 8 hexadecimal digits. */
static bool is_zone_in(const char *name, const char *parent)
{
	size_t n_parent = strlen(parent), n;

	if (strncmp(name, parent, n_parent) != 0 || name[n_parent] != ':')
		return false;
	name += n_parent + 1;
	n = strspn(name, "0123456789abcdef");
	return n > 0 && n <= 8 && name[n] == '\0';
}

/*
 * Names in a directory in a stable order, owned by caller: of the zones in @parent, or (NULL) those without a ':', the
 * control types. Links are followed in the flat view only: there they are all there is.
 */
static ssize_t list(const struct es_root *root, const char *path, const char *parent,
		    bool follows_links, entry_name **ret)
{
	es_cleanup(es_freep) entry_name *names = NULL;
	size_t n = 0, room = 0;
	int r = 0;
	es_cleanup(es_closedirp) DIR *dir = es_root_opendir(root, path, &r);

	if (!dir)
		return r;
	for (struct dirent *entry; (entry = readdir(dir));) {
		const char *name = entry->d_name;
		bool is_dir = entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN ||
			      (follows_links && entry->d_type == DT_LNK);

		if (!is_dir || name[0] == '.' || strlen(name) >= sizeof(entry_name))
			continue;
		if (parent ? !is_zone_in(name, parent) : strchr(name, ':') != NULL)
			continue;
		if (n == room) {
			entry_name *grown;

			if (room >= ENTRIES_MAX)
				return -E2BIG;
			room = room ? room * 2 : 16;
			grown = reallocarray(names, room, sizeof(*names));
			if (!grown)
				return -ENOMEM;
			names = grown;
		}
		memcpy(names[n++], name, strlen(name) + 1);
	}
	if (n > 1)
		qsort(names, n, sizeof(*names), compare_names);
	*ret = es_steal_ptr(names);
	return (ssize_t)n;
}

/* "package-3" after the word: the number, and where it ends. */
static bool take_number(const char **p, const char *word, int32_t *ret)
{
	size_t n = strlen(word);
	unsigned long v;
	char *end;

	if (strncmp(*p, word, n) != 0 || !isdigit((unsigned char)(*p)[n]))
		return false;
	v = strtoul(*p + n, &end, 10);
	if (v > 65535)
		return false;
	*ret = (int32_t)v;
	*p = end;
	return true;
}

static void place(struct es_powercap_zone *zone, const struct es_powercap_zone *parent)
{
	static const struct {
		const char *name;
		enum es_domain_type type;
	} parts[] = {
		{ "core", ES_DOMAIN_CORE },
		{ "uncore", ES_DOMAIN_UNCORE },
		{ "dram", ES_DOMAIN_DRAM },
	};
	int32_t package = -1, die = -1, psys;
	const char *p = zone->name;

	zone->type = ES_DOMAIN_OTHER;
	zone->package = parent ? parent->package : -1;
	zone->die = parent ? parent->die : -1;
	if (take_number(&p, "package-", &package)) {
		bool has_die = take_number(&p, "-die-", &die);

		if (*p != '\0')
			return;
		zone->type = has_die ? ES_DOMAIN_DIE : ES_DOMAIN_PACKAGE;
		zone->package = package;
		zone->die = has_die ? die : -1;
		return;
	}
	if (strcmp(p, "psys") == 0 || (take_number(&p, "psys-", &psys) && *p == '\0')) {
		zone->type = ES_DOMAIN_PSYS;
		zone->package = zone->die = -1;
		return;
	}
	for (size_t i = 0; i < ES_ARRAY_SIZE(parts); i++)
		if (strcmp(zone->name, parts[i].name) == 0)
			zone->type = parts[i].type;
}

static bool has_energy(const struct es_root *root, const struct es_powercap_zone *zone)
{
	char path[ES_NAME_MAX_BYTES * 2];

	(void)snprintf(path, sizeof(path), "%s/energy_uj", zone->path);
	return es_root_exists(root, path);
}

static void read_name(const struct es_root *root, struct es_powercap_zone *zone)
{
	char path[ES_NAME_MAX_BYTES * 2];
	bool is_plain;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "%s/name", zone->path);
	n = es_root_read_line(root, path, zone->name, sizeof(zone->name));
	is_plain = n > 0 && strlen(zone->name) == (size_t)n;
	/* It becomes part of an id. */
	for (const char *p = zone->name; is_plain && *p; p++)
		is_plain = isalnum((unsigned char)*p) || strchr("-_.:", *p);
	if (!is_plain)
		(void)snprintf(zone->name, sizeof(zone->name), "%s", zone->zone);
}

static int add(const struct es_root *root, struct es_powercap_zones *zones,
	       struct es_powercap_zone *zone)
{
	read_name(root, zone);
	place(zone, zone->parent >= 0 ? &zones->zone[zone->parent] : NULL);
	/* Other control types (dtpm, arm_scmi) have zones that only limit. */
	if (!zone->is_rapl && !has_energy(root, zone))
		return 0;
	if (zones->n == zones->room) {
		size_t room = zones->room ? zones->room * 2 : 16;
		struct es_powercap_zone *grown;

		if (room > ES_DOMAINS_MAX)
			return -E2BIG;
		grown = reallocarray(zones->zone, room, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		zones->zone = grown;
		zones->room = room;
	}
	zones->zone[zones->n++] = *zone;
	return 1;
}

/* The zones of @parent_zone, whose directory is @dir; in the flat view all stand side by side. */
static int walk(const struct es_root *root, struct es_powercap_zones *zones, const char *control,
		const char *dir, const char *parent_zone, int32_t parent, bool is_flat,
		unsigned depth)
{
	es_cleanup(es_freep) entry_name *names = NULL;
	ssize_t n = list(root, is_flat ? FLAT : dir, parent_zone, is_flat, &names);

	if (n < 0)
		return n == -ENOENT || n == -EACCES ? 0 : (int)n;
	for (ssize_t i = 0; i < n; i++) {
		struct es_powercap_zone zone = { .parent = parent };
		int r;

		/* Deeper or longer names than the kernel makes are none of its zones. */
		if (snprintf(zone.path, sizeof(zone.path), "%s/%s", is_flat ? FLAT : dir,
			     names[i]) >= (int)sizeof(zone.path))
			continue;
		(void)snprintf(zone.zone, sizeof(zone.zone), "%s", names[i]);
		(void)snprintf(zone.control, sizeof(zone.control), "%s", control);
		zone.is_rapl = strncmp(control, "intel-rapl", strlen("intel-rapl")) == 0;
		r = add(root, zones, &zone);
		if (r < 0)
			return r;
		r = depth >= DEPTH_MAX
			    ? 0
			    : walk(root, zones, control, zone.path, zone.zone,
				   r > 0 ? (int32_t)zones->n - 1 : parent, is_flat, depth + 1);
		if (r < 0)
			return r;
	}
	return 0;
}

static int explain_none(const struct es_root *root, struct es_error *err)
{
	es_cleanup(es_freep) entry_name *names = NULL;

	if (list(root, FLAT, NULL, true, &names) > 0)
		return es_error_say(
			err, -ENODEV,
			"powercap is there but shows no zones: hidden from this container, or its drivers are not loaded");
	return es_error_say(
		err, -ENODEV,
		"this machine shows no powercap zones (a VM, or the driver intel_rapl_msr is not loaded)");
}

int es_powercap_zones_find(const struct es_root *root, struct es_powercap_zones *ret,
			   struct es_error *err)
{
	es_cleanup(es_freep) entry_name *controls = NULL;
	struct es_powercap_zones zones = { .n = 0 };
	bool is_flat = !es_root_exists(root, TREE);
	ssize_t n = list(root, is_flat ? FLAT : TREE, NULL, is_flat, &controls);
	int r = 0;

	for (ssize_t i = 0; i < n && r == 0; i++) {
		char dir[ES_NAME_MAX_BYTES];

		(void)snprintf(dir, sizeof(dir), "%s/%s", is_flat ? FLAT : TREE, controls[i]);
		r = walk(root, &zones, controls[i], dir, controls[i], -1, is_flat, 0);
	}
	if (r == 0 && n < 0 && n != -ENOENT)
		r = (int)n;
	if (r < 0) {
		es_powercap_zones_finish(&zones);
		return es_error_set(err, r, "powercap: cannot look through its zones");
	}
	if (zones.n == 0)
		return explain_none(root, err);
	*ret = zones;
	return 0;
}

void es_powercap_zones_finish(struct es_powercap_zones *zones)
{
	free(zones->zone);
	*zones = (struct es_powercap_zones){ .n = 0 };
}
