/*
 * account_named.c - which GPU a scheduler's list or a device cgroup means
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "daemon/account_gpus.h"

#define WORD_MAX 96U
#define UUID_LEAST 8U /* "GPU-" and some of its digits */

static bool is_number(const char *text, size_t n)
{
	return n > 0 && n <= 9 && strspn(text, "0123456789") >= n;
}

static long number_of(const char *text)
{
	return strtol(text, NULL, 10);
}

/* 0000:17:00.0, 00000000:17:00.0 or 17:00.0 */
static bool is_address(const char *word, const char *pci)
{
	unsigned a[4] = { 0 }, b[4] = { 0 };
	char end;

	if (sscanf(pci, "%8x:%2x:%2x.%1x%c", &b[0], &b[1], &b[2], &b[3], &end) != 4)
		return false;
	if (sscanf(word, "%8x:%2x:%2x.%1x%c", &a[0], &a[1], &a[2], &a[3], &end) != 4) {
		a[0] = 0;
		if (sscanf(word, "%2x:%2x.%1x%c", &a[1], &a[2], &a[3], &end) != 3)
			return false;
	}
	return memcmp(a, b, sizeof(a)) == 0;
}

static bool find_instance(const struct es_domain *domain, const char *uuid, uint32_t *ret)
{
	for (uint32_t i = 0; i < domain->n_instances && i < ES_INSTANCES_MAX; i++) {
		if (!domain->instances[i].uuid[0] ||
		    strcasecmp(domain->instances[i].uuid, uuid) != 0)
			continue;
		*ret = 1U << i;
		return true;
	}
	return false;
}

/* "2", "0-3", and "1:0" or "1.0": the first instance of the second GPU. */
static bool is_by_number(const struct es_domain *domain, const char *word, uint32_t *ret_instances)
{
	size_t digits = strspn(word, "0123456789");
	long first, second;

	if (!is_number(word, digits))
		return false;
	first = number_of(word);
	if (word[digits] == '\0')
		return first == domain->package;
	if (!strchr("-:.", word[digits]) ||
	    !is_number(word + digits + 1, strlen(word + digits + 1)))
		return false;
	second = number_of(word + digits + 1);
	if (word[digits] == '-')
		return first <= domain->package && domain->package <= second;
	if (first != domain->package || second >= (long)domain->n_instances ||
	    second >= (long)ES_INSTANCES_MAX)
		return false;
	*ret_instances = 1U << second;
	return true;
}

static bool is_named(const struct es_domain *domain, const char *word, uint32_t *ret_instances)
{
	size_t n = strlen(word);

	*ret_instances = 0;
	if (strncasecmp(word, "MIG-", 4) == 0)
		return find_instance(domain, word, ret_instances);
	if (n >= UUID_LEAST && domain->uuid[0] && strncasecmp(domain->uuid, word, n) == 0)
		return true;
	if (domain->pci[0] && is_address(word, domain->pci))
		return true;
	return is_by_number(domain, word, ret_instances);
}

bool es_account_gpu_named(const struct es_domain *domain, const char *list, uint32_t *ret_instances)
{
	bool is_any = false, is_whole = false;
	uint32_t instances = 0;

	while (*list) {
		size_t n = strcspn(list, ", ");
		char word[WORD_MAX];
		uint32_t of_word;

		if (n > 0 && n < sizeof(word)) {
			memcpy(word, list, n);
			word[n] = '\0';
			if (is_named(domain, word, &of_word)) {
				is_any = true;
				is_whole |= of_word == 0;
				instances |= of_word;
			}
		}
		list += n + (list[n] != '\0');
	}
	*ret_instances = is_whole ? 0 : instances;
	return is_any;
}

/* "c 195:0 rw", "b 8:* m", "a *:* rwm" */
static int line_allows(const char *line, uint64_t major, uint64_t minor)
{
	char type, first[16], second[16], rights[8];
	uint64_t value;

	if (sscanf(line, "%c %15[0-9*]:%15[0-9*] %7[rwm]", &type, first, second, rights) != 4)
		return -EBADMSG;
	if (type == 'a')
		return -ENODATA;
	if (type != 'c' || !strchr(rights, 'r'))
		return 0;
	if (strcmp(first, "*") != 0 && (es_parse_u64(first, &value) < 0 || value != major))
		return 0;
	if (strcmp(second, "*") != 0 && (es_parse_u64(second, &value) < 0 || value != minor))
		return 0;
	return 1;
}

int es_account_devices_allow(const char *list, uint64_t major, uint64_t minor)
{
	int allowed = 0;

	while (*list) {
		size_t n = strcspn(list, "\n");
		char line[WORD_MAX];
		int r;

		if (n >= sizeof(line))
			return -EBADMSG;
		memcpy(line, list, n);
		line[n] = '\0';
		r = n ? line_allows(line, major, minor) : 0;
		if (r < 0)
			return r;
		allowed |= r;
		list += n + (list[n] != '\0');
	}
	return allowed;
}
