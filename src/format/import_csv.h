/*
 * import_csv.h - readings in CSV: time, domain, power_w or energy_j
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_IMPORT_CSV_H
#define ES_FORMAT_IMPORT_CSV_H

#include "format/import_job.h"

/** es_import_csv_is_it - the first line of @n bytes is a header with "time", "domain" and "power_w" or "energy_j" */
bool es_import_csv_is_it(const char *text, size_t n);

/**
 * es_import_csv - fill @job from a CSV file, whose bytes are changed on the way
 *
 * time: RFC 3339 (without a zone local time), or seconds (since 1970, or since the start where they are small);
 * domain: by our names (package-0, dram-1, gpu-2, psys, node, …), NODE/DOMAIN for several nodes; power_w: readings of
 * power; energy_j: a counter. Columns of other names are passed over. Lines that cannot be read are counted, the
 * first five are named.
 *
 * Returns 0; -EBADMSG: not one line can be read; -E2BIG; -ENOMEM.
 */
int es_import_csv(struct es_import_job *job, const char *name, char *text, size_t n,
		  struct es_error *err);

#endif
