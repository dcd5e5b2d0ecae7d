/*
 * sys/pmu.c - what sysfs says of the kernel's PMUs and of the events that they name
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "sys/pmu.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/limits.h"

#define DEVICES "sys/bus/event_source/devices"

static int take_bit(const char **p, unsigned *ret)
{
	unsigned v = 0;

	if (!isdigit((unsigned char)**p))
		return -EBADMSG;
	for (; isdigit((unsigned char)**p); (*p)++) {
		v = v * 10 + (unsigned)(**p - '0');
		if (v > 63)
			return -EBADMSG;
	}
	*ret = v;
	return 0;
}

int es_pmu_parse_format(const char *text, struct es_pmu_format *ret)
{
	struct es_pmu_format format = { .n_ranges = 0 };
	uint64_t seen = 0;

	if (strncmp(text, "config", 6) != 0)
		return -EBADMSG;
	text += 6;
	if (*text == '1' || *text == '2')
		format.word = (unsigned)(*text++ - '0');
	if (*text++ != ':')
		return -EBADMSG;
	for (;;) {
		unsigned first, last;
		uint64_t bits;

		if (format.n_ranges == ES_PMU_RANGES_MAX || take_bit(&text, &first) < 0)
			return -EBADMSG;
		last = first;
		if (*text == '-' && (text++, take_bit(&text, &last) < 0 || last < first))
			return -EBADMSG;
		bits = (last - first == 63 ? UINT64_MAX : (UINT64_C(1) << (last - first + 1)) - 1)
		       << first;
		if (seen & bits)
			return -EBADMSG;
		seen |= bits;
		format.ranges[format.n_ranges].first = first;
		format.ranges[format.n_ranges++].n = last - first + 1;
		if (*text == '\0')
			break;
		if (*text++ != ',')
			return -EBADMSG;
	}
	*ret = format;
	return 0;
}

int es_pmu_put(const struct es_pmu_format *format, uint64_t value, uint64_t words[static 3])
{
	uint64_t word = words[format->word];

	for (size_t i = 0; i < format->n_ranges; i++) {
		unsigned first = format->ranges[i].first, n = format->ranges[i].n;
		uint64_t mask = n == 64 ? UINT64_MAX : (UINT64_C(1) << n) - 1;

		word = (word & ~(mask << first)) | (value & mask) << first;
		value = n == 64 ? 0 : value >> n;
	}
	if (value)
		return -ERANGE;
	words[format->word] = word;
	return 0;
}

int es_pmu_next_term(const char **text, struct es_pmu_term *ret)
{
	struct es_pmu_term term = { .value = 1 };
	const char *p = *text;
	size_t n = 0;

	if (*p == '\0')
		return 0;
	for (; isalnum((unsigned char)*p) || *p == '_'; p++) {
		if (n == sizeof(term.name) - 1)
			return -EBADMSG;
		term.name[n++] = *p;
	}
	if (n == 0)
		return -EBADMSG;
	if (*p == '=') {
		char *end;

		if (!isdigit((unsigned char)p[1]))
			return -EBADMSG;
		errno = 0;
		term.value = strtoull(p + 1, &end, 0);
		if (errno)
			return -EBADMSG;
		p = end;
	}
	if (*p == ',' && p[1] != '\0')
		p++;
	else if (*p != '\0')
		return -EBADMSG;
	*text = p;
	*ret = term;
	return 1;
}

static ssize_t read_attr(const struct es_root *root, const char *pmu, const char *folder,
			 const char *attr, const char *suffix, char *text, size_t size)
{
	char path[256];

	if (snprintf(path, sizeof(path), DEVICES "/%s/%s%s%s", pmu, folder, attr, suffix) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	return es_root_read_line(root, path, text, size);
}

static int read_type(const struct es_root *root, const char *pmu, uint32_t *ret)
{
	char path[160];
	uint64_t type;
	int r;

	(void)snprintf(path, sizeof(path), DEVICES "/%s/type", pmu);
	r = es_root_read_u64(root, path, &type);
	if (r < 0)
		return r;
	if (type > UINT32_MAX)
		return -EBADMSG;
	*ret = (uint32_t)type;
	return 0;
}

/* "config", "config1" and "config2" are terms of every PMU. */
static int put_term(const struct es_root *root, const char *pmu, const struct es_pmu_term *term,
		    uint64_t words[static 3])
{
	static const char *const whole[] = { "config", "config1", "config2" };
	struct es_pmu_format format;
	char text[64];
	ssize_t n;
	int r;

	for (size_t i = 0; i < ES_ARRAY_SIZE(whole); i++)
		if (strcmp(term->name, whole[i]) == 0) {
			words[i] = term->value;
			return 0;
		}
	n = read_attr(root, pmu, "format/", term->name, "", text, sizeof(text));
	if (n < 0)
		return (int)n;
	r = es_pmu_parse_format(text, &format);
	return r < 0 ? r : es_pmu_put(&format, term->value, words);
}

int es_pmu_encode(const struct es_root *root, const char *pmu, const char *terms,
		  struct es_pmu_event *ret)
{
	struct es_pmu_event event = { .has_scale = false };
	struct es_pmu_term term;
	int r = read_type(root, pmu, &event.type);

	for (size_t i = 0; r >= 0; i++) {
		r = i < ES_PMU_TERMS_MAX ? es_pmu_next_term(&terms, &term) : -EBADMSG;
		if (r == 0)
			break;
		if (r > 0)
			r = put_term(root, pmu, &term, event.config);
	}
	if (r == 0)
		*ret = event;
	return r;
}

int es_pmu_event(const struct es_root *root, const char *pmu, const char *name,
		 struct es_pmu_event *ret)
{
	struct es_pmu_event event;
	char text[256];
	ssize_t n = read_attr(root, pmu, "events/", name, "", text, sizeof(text));
	int r = n < 0 ? (int)n : es_pmu_encode(root, pmu, text, &event);

	if (r < 0)
		return r;
	n = read_attr(root, pmu, "events/", name, ".scale", text, sizeof(text));
	if (n >= 0) {
		r = es_perf_parse_scale(text, &event.scale);
		if (r < 0)
			return -EBADMSG;
		event.has_scale = true;
	}
	n = read_attr(root, pmu, "events/", name, ".unit", text, sizeof(text));
	if (n >= (ssize_t)sizeof(event.unit))
		return -EBADMSG;
	if (n > 0)
		memcpy(event.unit, text, (size_t)n + 1);
	*ret = event;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strverscmp(a, b);
}

int es_pmu_list(const struct es_root *root, const char *prefix, char (*ret)[ES_PMU_NAME_BYTES],
		size_t n)
{
	size_t length = strlen(prefix), found = 0;
	struct dirent *entry;
	int r = 0;
	DIR *dir = es_root_opendir(root, DEVICES, &r);

	if (!dir)
		return r == -ENOENT ? 0 : r;
	while (found < n && found < ES_PMUS_MAX && (entry = readdir(dir))) {
		const char *name = entry->d_name;

		if (strncmp(name, prefix, length) != 0 ||
		    (name[length] != '\0' && name[length] != '_') ||
		    strlen(name) >= ES_PMU_NAME_BYTES)
			continue;
		memcpy(ret[found++], name, strlen(name) + 1);
	}
	(void)closedir(dir);
	qsort(ret, found, sizeof(*ret), by_name);
	return (int)found;
}

int es_pmu_cpus(const struct es_root *root, const char *pmu, unsigned *ret, size_t n)
{
	char text[ES_SYSFS_FILE_MAX_BYTES];
	const char *list = text;
	unsigned left = 0, cpu = 0;
	size_t found = 0;
	ssize_t length = read_attr(root, pmu, "cpumask", "", "", text, sizeof(text));
	int r;

	if (length < 0)
		return (int)length;
	while ((r = es_perf_next_cpu(&list, &left, &cpu)) > 0) {
		if (found == n)
			return -E2BIG;
		ret[found++] = cpu;
	}
	return r < 0 ? r : (int)found;
}
