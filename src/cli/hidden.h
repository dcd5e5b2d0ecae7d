/*
 * hidden.h - meters that a container's runtime hides, and what would show them
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_HIDDEN_H
#define ES_CLI_HIDDEN_H

#include <stdbool.h>

#include "base/limits.h"
#include "sys/root.h"

enum es_runtime {
	ES_RUNTIME_NONE,
	ES_RUNTIME_DOCKER,
	ES_RUNTIME_PODMAN,
	ES_RUNTIME_KUBERNETES,
	ES_RUNTIME_APPTAINER,
	ES_RUNTIME_OTHER, /* a container of some other runtime */
	ES_RUNTIMES,
};

enum es_hidden_how {
	ES_HIDDEN_NOT, /* what the kernel has can be seen, as far as can be told */
	ES_HIDDEN_MASKED, /* the class of powercap zones is there, the zones are not */
	ES_HIDDEN_NO_SYS, /* no sysfs at all */
};

/** struct es_hidden - what is hidden from us; texts "" where there is nothing to say */
struct es_hidden {
	enum es_runtime runtime;
	enum es_hidden_how how;
	bool is_user_namespace; /* root in here is not root of the machine: rights are given on the host */
	char reason[ES_NAME_MAX_BYTES], fix[ES_NAME_MAX_BYTES];
};

/** es_hidden_find - look at the container we are in, if we are in one; never fails */
void es_hidden_find(const struct es_root *root, struct es_hidden *ret);

/** es_runtime_name - "docker"; NULL for none */
const char *es_runtime_name(enum es_runtime runtime);

#endif
