/*
 * import_eprofile.h - finished profiles: those of the original tool, and our own
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_IMPORT_EPROFILE_H
#define ES_FORMAT_IMPORT_EPROFILE_H

#include "format/import_job.h"

/**
 * es_import_eprofile - fill @job from an eprofile of @n bytes
 * @name: of the file, for messages
 *
 * Both layouts of the original are read (nested under data.data, and flat), and ours.
 *
 * Returns 0; -ENODATA: no power over time in it; -EBADMSG; -ENOTSUP: ours, but of a later version; -ENOMEM.
 */
int es_import_eprofile(struct es_import_job *job, const char *name, const char *text, size_t n,
		       struct es_error *err);

#endif
