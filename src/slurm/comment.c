/*
 * comment.c - a job's energy in few words, for a comment field that others write to as well
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "slurm/comment.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define WORD "energyscopium:"
#define MEMBER "\"energyscopium\":{"
#define BETWEEN "; "

void es_slurm_sum_add(struct es_slurm_sum *sum, const struct es_local_job_is *node)
{
	sum->n_heard++;
	if (node->job.flags & ES_LOCAL_ENDED)
		sum->n_ended++;
	if (node->job.n_nodes > sum->n_nodes)
		sum->n_nodes = node->job.n_nodes;
	if (sum->n_heard > sum->n_nodes)
		sum->n_nodes = sum->n_heard;
	if (!node->has_energy) {
		sum->n_unknown++;
		return;
	}
	sum->energy_uj += node->energy_uj;
	sum->uncertainty_uj += node->uncertainty_uj;
	if (!sum->kind[0])
		(void)snprintf(sum->kind, sizeof(sum->kind), "%s", node->kind);
	else if (strcmp(sum->kind, node->kind) != 0)
		(void)snprintf(sum->kind, sizeof(sum->kind), "mixed");
}

/* Quotes and backslashes would have to be escaped for SQL, which not every slurmdbd does. */
static bool is_safe(const char *text)
{
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\' || (unsigned char)*text < 0x20)
			return false;
	}
	return true;
}

static bool is_object(const char *text)
{
	const size_t n = strlen(text);

	return n >= 2 && text[0] == '{' && text[n - 1] == '}';
}

/* Take out @n bytes at @from, and @between where it then stands at the beginning or the end of all, or twice. */
static void cut(char *text, char *from, size_t n, const char *between)
{
	const size_t n_between = strlen(between);
	char *to = from + n;

	if (!strncmp(to, between, n_between))
		to += n_between;
	else if ((size_t)(from - text) >= n_between &&
		 !strncmp(from - n_between, between, n_between))
		from -= n_between;
	memmove(from, to, strlen(to) + 1);
}

static void cut_member(char *text)
{
	char *from = strstr(text, MEMBER), *to = from ? strchr(from, '}') : NULL;

	if (to)
		cut(text, from, (size_t)(to - from) + 1, ",");
}

static void cut_words(char *text)
{
	char *from = text;

	while ((from = strstr(from, WORD)) != NULL) {
		if (from == text || (from - text >= 2 && !strncmp(from - 2, BETWEEN, 2))) {
			cut(text, from, strcspn(from, ";"), BETWEEN);
			return;
		}
		from++;
	}
}

static void put_joules(uint64_t energy_uj, char text[static 32])
{
	(void)snprintf(text, 32, "%" PRIu64 ".%03" PRIu64, energy_uj / 1000000,
		       energy_uj / 1000 % 1000);
}

int es_slurm_comment_merge(const char *old, const struct es_slurm_sum *sum, char *ret, size_t size)
{
	char kept[ES_SLURM_COMMENT_MAX_BYTES], joules[32], bound[32];
	int n;

	if (sum->n_heard == sum->n_unknown)
		return -ENODATA;
	if (!is_safe(old))
		return -EILSEQ;
	if ((size_t)snprintf(kept, sizeof(kept), "%s", old) >= sizeof(kept))
		return -EMSGSIZE;
	put_joules(sum->energy_uj, joules);
	put_joules(sum->uncertainty_uj, bound);
	if (is_object(kept)) {
		cut_member(kept);
		kept[strlen(kept) - 1] = '\0';
		n = snprintf(ret, size,
			     "%s%s" MEMBER "\"energy_j\":%s,\"uncertainty_j\":%s,\"kind\":\"%s\","
			     "\"nodes\":%" PRIu32 ",\"nodes_total\":%" PRIu32 "}}",
			     kept, kept[1] ? "," : "", joules, bound, sum->kind,
			     sum->n_heard - sum->n_unknown, sum->n_nodes);
	} else {
		cut_words(kept);
		n = snprintf(ret, size,
			     "%s%s" WORD "energy_j=%s,uncertainty_j=%s,kind=%s,nodes=%" PRIu32
			     "/%" PRIu32,
			     kept, kept[0] ? BETWEEN : "", joules, bound, sum->kind,
			     sum->n_heard - sum->n_unknown, sum->n_nodes);
	}
	return (size_t)n < size ? 0 : -EMSGSIZE;
}
