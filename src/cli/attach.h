/*
 * attach.h - a process that runs already, followed to its end
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_ATTACH_H
#define ES_CLI_ATTACH_H

#include <sys/types.h>

#include "base/error.h"
#include "cli/measure.h"

struct es_attach;

/** es_attach_parse - the number of a process as a user wrote it; -EINVAL: it is none */
int es_attach_parse(const char *text, pid_t *ret, struct es_error *err);

/**
 * es_attach_create - find a process by what a user wrote as its number
 * @ret: owned by caller, es_attach_destroy() it
 *
 * Any process that can be seen will do, whoever's it is: what is measured is the machine while it runs. Returns 0;
 * -EINVAL: no number, a thread, this process, or 1, which outlives us; -ESRCH: there is none; -EACCES: it is hidden.
 */
int es_attach_create(const char *text, struct es_attach **ret, struct es_error *err);
void es_attach_destroy(struct es_attach *attach);

pid_t es_attach_pid(const struct es_attach *attach);

/** es_attach_command - its argument list, or its name alone where that cannot be read; borrowed */
char *const *es_attach_command(const struct es_attach *attach);

/** es_attach_hook - for the measuring loop; borrowed. It is over when the process ends. */
struct es_measure_hook *es_attach_hook(struct es_attach *attach);

#endif
