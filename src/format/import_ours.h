/*
 * import_ours.h - our own eprofile, read back
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_IMPORT_OURS_H
#define ES_FORMAT_IMPORT_OURS_H

#include <jansson.h>

#include "format/import_job.h"

/** es_import_is_ours - the object carries our schema */
bool es_import_is_ours(const json_t *object);
/** es_import_ours - fill @job; see es_import_eprofile() */
int es_import_ours(struct es_import_job *job, const char *name, const char *text, size_t n,
		   struct es_error *err);

#endif
