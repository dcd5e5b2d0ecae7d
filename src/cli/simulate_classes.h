/*
 * simulate_classes.h - classes of servers of the machine on which a trace is replayed, from a table
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_SIMULATE_CLASSES_H
#define ES_CLI_SIMULATE_CLASSES_H

#include <stddef.h>

#include "base/error.h"
#include "cli/simulate_machine.h"

/**
 * es_simulate_classes_parse - the table of @n bytes and the NUL behind them, which are changed
 *
 * Returns 0; -EBADMSG with the line or column; -EEXIST: a name stands there twice; -ENODATA: no class; -E2BIG: too many of
 * them, or of processors.
 */
int es_simulate_classes_parse(struct es_simulate_machine *machine, char *text, size_t n,
			      struct es_error *err);
/** es_simulate_classes_read - the table of a file, packed or not; as above */
int es_simulate_classes_read(struct es_simulate_machine *machine, const char *path,
			     struct es_error *err);
/** es_simulate_classes_offer - an es_sim_offer_fn of a struct es_simulate: what a job is on a class */
int es_simulate_classes_offer(void *arg, unsigned class, struct es_sim_job *job);

#endif
