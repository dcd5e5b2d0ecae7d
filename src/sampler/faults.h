/*
 * faults.h - failures of readings, counted by domain and kind and told now and then
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SAMPLER_FAULTS_H
#define ES_SAMPLER_FAULTS_H

#include "record/fault.h"
#include "record/recorder.h"

/** struct es_faults - kinds of failures seen so far; memory is taken at the start, what does not fit is counted with the last */
struct es_faults {
	struct es_faults_entry *entries; /* owned */
	size_t n, cap;
	bool has_news;
};

/** es_faults_init - room for a few kinds of each of @n_domains; 0 or -ENOMEM; es_faults_finish() it */
int es_faults_init(struct es_faults *faults, size_t n_domains);
void es_faults_finish(struct es_faults *faults);

/** es_faults_failed - a reading of @domain failed with @error */
void es_faults_failed(struct es_faults *faults, size_t domain, int error, int64_t t_ns);
/** es_faults_slow - a reading of @domain took @width_ns */
void es_faults_slow(struct es_faults *faults, size_t domain, int64_t width_ns, int64_t t_ns);

/**
 * es_faults_tell - write what is new
 * A kind is told when it begins, whenever its count has doubled, once a minute while it goes on, and (@is_end) at last.
 */
int es_faults_tell(struct es_faults *faults, struct es_recorder *recorder, int64_t now_ns,
		   bool is_end);

#endif
