/*
 * core/node_class.c - nodes that are built alike: what one was calibrated with holds for the others
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/node_class.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"

#define GIB (1ULL << 30)
#define SLUG_BYTES 128U

uint32_t es_memory_gib(uint64_t bytes)
{
	uint64_t power = 1, step;

	if (bytes == 0 || bytes > (uint64_t)UINT32_MAX / 2 * GIB)
		return 0;
	while (power * 2 * GIB <= bytes)
		power *= 2;
	step = power >= 8 ? power / 8 * GIB : GIB;
	return (uint32_t)((bytes + step - 1) / step * step / GIB);
}

static bool is_left_out(const char *word, size_t n)
{
	static const char *const words[] = { "intel",	  "amd",	   "r", "tm", "cpu",
					     "processor", "core-processor" };

	for (size_t i = 0; i < ES_ARRAY_SIZE(words); i++)
		if (strlen(words[i]) == n && strncasecmp(word, words[i], n) == 0)
			return true;
	return false;
}

/* Words of letters and digits, by dashes; what every processor's name has, and its clock, say nothing. */
static void make_slug(const char *text, char slug[static SLUG_BYTES])
{
	size_t n = 0;

	slug[0] = '\0';
	while (*text && *text != '@') {
		size_t length = 0;

		while (isalnum((unsigned char)text[length]))
			length++;
		if (length && !is_left_out(text, length) && n + length + 2 < SLUG_BYTES) {
			if (n)
				slug[n++] = '-';
			for (size_t i = 0; i < length; i++)
				slug[n++] = (char)tolower((unsigned char)text[i]);
			slug[n] = '\0';
		}
		text += length ? length : 1;
	}
}

char *es_node_class_name(const struct es_node_class *class, char name[static ES_NAME_MAX_BYTES])
{
	char cpu[SLUG_BYTES], gpu[SLUG_BYTES], gpus[SLUG_BYTES + 16] = "", memory[16] = "",
								 packages[16] = "";
	const char *numbers = strrchr(class->gpu_model, ' ');

	make_slug(class->cpu_model, cpu);
	make_slug(numbers ? numbers : class->gpu_model, gpu);
	if (class->n_packages)
		(void)snprintf(packages, sizeof(packages), "-%up", class->n_packages);
	if (class->n_gpus)
		(void)snprintf(gpus, sizeof(gpus), "-%ux%s", class->n_gpus, gpu[0] ? gpu : "gpu");
	if (class->memory_gib)
		(void)snprintf(memory, sizeof(memory), "-%ug", class->memory_gib);
	(void)snprintf(name, ES_NAME_MAX_BYTES, "%s%s%s%s", cpu[0] ? cpu : "node", packages, gpus,
		       memory);
	return name;
}

static bool may_be_same(uint32_t a, uint32_t b)
{
	return a == b || a == 0 || b == 0;
}

bool es_node_class_is_same(const struct es_node_class *a, const struct es_node_class *b)
{
	return a->cpu_model[0] != '\0' && strcmp(a->cpu_model, b->cpu_model) == 0 &&
	       may_be_same(a->n_packages, b->n_packages) &&
	       may_be_same(a->memory_gib, b->memory_gib) && a->n_gpus == b->n_gpus &&
	       strcmp(a->gpu_model, b->gpu_model) == 0;
}

bool es_node_class_check(const char *name)
{
	size_t n = strlen(name);

	if (n == 0 || n > 128 || !isalnum((unsigned char)name[0]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("-_.", name[i]))
			return false;
	return true;
}
