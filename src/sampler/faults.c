/*
 * faults.c - failures of readings, counted by domain and kind and told now and then
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "sampler/faults.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hot.h"

#define KINDS_PER_DOMAIN 4
#define TELL_NS (60 * ES_NS_PER_S)
#define ERROR_SLOW 0
#define ERROR_OTHER INT_MAX /* the kinds that find no entry of their own */

struct es_faults_entry {
	struct es_fault fault;
	int error; /* ERROR_SLOW: it succeeded late; ERROR_OTHER */
	uint64_t n_told;
	int64_t told_ns;
};

int es_faults_init(struct es_faults *faults, size_t n_domains)
{
	*faults = (struct es_faults){ .cap = KINDS_PER_DOMAIN * (n_domains + 1) };
	faults->entries = calloc(faults->cap, sizeof(*faults->entries));
	return faults->entries ? 0 : -ENOMEM;
}

void es_faults_finish(struct es_faults *faults)
{
	free(faults->entries);
	*faults = (struct es_faults){ .n = 0 };
}

static const char *name_kind(int error, char code[static ES_FAULT_CODE_BYTES])
{
	if (error != ERROR_SLOW && error != ERROR_OTHER)
		return es_fault_code(error, code);
	(void)snprintf(code, ES_FAULT_CODE_BYTES, "%s",
		       error == ERROR_SLOW ? ES_FAULT_SLOW : ES_FAULT_OTHER);
	return code;
}

/* The domain's entry of this kind; where it has had many kinds, that of all others together; NULL: no room at all. */
static struct es_faults_entry *find(struct es_faults *faults, size_t domain, int error)
{
	struct es_faults_entry *entry;
	size_t n_kinds = 0;

	for (size_t i = 0; i < faults->n; i++) {
		entry = &faults->entries[i];
		if (entry->fault.domain != domain)
			continue;
		if (entry->error == error || entry->error == ERROR_OTHER)
			return entry;
		n_kinds++;
	}
	if (faults->n == faults->cap)
		return NULL;
	entry = &faults->entries[faults->n++];
	*entry = (struct es_faults_entry){
		.error = n_kinds + 1 < KINDS_PER_DOMAIN ? error : ERROR_OTHER,
		.fault = { .domain = domain },
	};
	(void)name_kind(entry->error, entry->fault.code);
	return entry;
}

static struct es_fault *note(struct es_faults *faults, size_t domain, int error, int64_t t_ns)
{
	struct es_faults_entry *entry = find(faults, domain, error);

	if (!entry)
		return NULL;
	if (entry->fault.n++ == 0)
		entry->fault.first_ns = t_ns;
	entry->fault.last_ns = t_ns > entry->fault.last_ns ? t_ns : entry->fault.last_ns;
	faults->has_news = true;
	return &entry->fault;
}

void es_faults_failed(struct es_faults *faults, size_t domain, int error, int64_t t_ns)
{
	(void)note(faults, domain, error, t_ns);
}

void es_faults_slow(struct es_faults *faults, size_t domain, int64_t width_ns, int64_t t_ns)
{
	struct es_fault *fault = note(faults, domain, ERROR_SLOW, t_ns);

	if (fault && width_ns > fault->longest_ns)
		fault->longest_ns = width_ns;
}

es_hot int es_faults_tell(struct es_faults *faults, struct es_recorder *recorder, int64_t now_ns,
			  bool is_end)
{
	int r = 0;

	if (!faults->has_news)
		return 0;
	faults->has_news = false;
	for (size_t i = 0; r == 0 && i < faults->n; i++) {
		struct es_faults_entry *entry = &faults->entries[i];
		struct es_event event;

		if (entry->fault.n == entry->n_told)
			continue;
		if (!is_end && entry->fault.n < 2 * entry->n_told &&
		    now_ns - entry->told_ns < TELL_NS) {
			faults->has_news = true;
			continue;
		}
		es_fault_put(&entry->fault, &event);
		r = es_recorder_event(recorder, &event);
		entry->n_told = entry->fault.n;
		entry->told_ns = now_ns;
	}
	return r;
}
