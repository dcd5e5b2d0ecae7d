/*
 * bare.h - the least that a loop of the same system calls and the same timer can cost
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_BENCH_SUPPORT_BARE_H
#define ES_BENCH_SUPPORT_BARE_H

#include <stdint.h>

/**
 * es_bare_loop - read the meters of a tree at absolute deadlines, and keep nothing
 *
 * The calls are those of a measured command: ppoll, the clocks, one pread for each meter on a kept descriptor, once
 * a second one of the file with the CPU time, and once a second (at the latest after as many sweeps as go into one
 * block) one write of as many bytes as a block takes. Nothing is parsed, kept, packed or looked at.
 * Prints how many deadlines there were and how many were missed (passed by a period or more) as two numbers.
 *
 * Returns an exit status.
 */
int es_bare_loop(const char *tree, const char *out_path, int64_t period_ns, int64_t dur_ns);

#endif
