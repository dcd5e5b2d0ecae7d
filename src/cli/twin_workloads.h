/*
 * twin_workloads.h - what is played on a twin: from a file, from standard input, or by the name of a built-in one
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_TWIN_WORKLOADS_H
#define ES_CLI_TWIN_WORKLOADS_H

#include "base/buf.h"
#include "base/error.h"
#include "twin/phase.h"

/** es_twin_workloads_put - a table of the built-in ones, for people */
int es_twin_workloads_put(struct es_buf *out);
/**
 * es_twin_workload_read - @what: a built-in one's name, "-", or a path
 *
 * Returns 0 or negative errno with words; es_twin_program_finish() @ret.
 */
int es_twin_workload_read(const char *what, struct es_twin_program *ret, struct es_error *err);

#endif
