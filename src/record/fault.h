/*
 * fault.h - what went wrong with the readings of a domain, added up
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_RECORD_FAULT_H
#define ES_RECORD_FAULT_H

#include <stddef.h>
#include <stdint.h>

#include "record/event.h"

#define ES_FAULT_CODE_BYTES 16U
#define ES_FAULT_OTHER "OTHER" /* the code of failures of too many kinds to be told apart */
#define ES_FAULT_SLOW "SLOW" /* the code of reads that took too long: they succeeded */

/**
 * struct es_fault - failures of one kind of one domain, from the first to the last
 *
 * In an event: t_ns is the last one, value the domain's index, the text "CODE count=N first_ns=T longest_ns=T WORDS".
 * Each event has the sums since the start of the recording: the last one of a domain and code counts.
 */
struct es_fault {
	size_t domain;
	char code[ES_FAULT_CODE_BYTES]; /* EIO, ENODATA, …, SLOW, OTHER */
	uint64_t n;
	int64_t first_ns, last_ns; /* boot clock */
	int64_t longest_ns; /* of slow reads: how long the slowest took */
};

/** es_fault_code - "EIO" for -EIO or EIO; "E999" where the number has no name here; returns @ret */
const char *es_fault_code(int error, char ret[static ES_FAULT_CODE_BYTES]);
/** es_fault_words - what a code says, in English: "Input/output error"; never NULL */
const char *es_fault_words(const char *code);

/** es_fault_put - as an event */
void es_fault_put(const struct es_fault *fault, struct es_event *ret);
/** es_fault_get - from an event; 0 or -EBADMSG. The domain's index is not checked against any recording. */
int es_fault_get(const struct es_event *event, struct es_fault *ret);

#endif
