/*
 * import_holes.h - where an imported job has no readings
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_IMPORT_HOLES_H
#define ES_FORMAT_IMPORT_HOLES_H

#include "format/import_job.h"

/**
 * es_import_warn_holes - warn of the holes in the readings of domains from @first_domain on (those of one node)
 *
 * A hole is more than 2.5 planned periods without a reading of some domain; holes that overlap are one; GPUs count
 * where the node has nothing else. The longest
 * are named with their places, all are counted. 0 or -ENOMEM.
 */
int es_import_warn_holes(struct es_import_job *job, size_t first_domain);

#endif
