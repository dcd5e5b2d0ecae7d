/*
 * import_clustercockpit.h - a job archive of ClusterCockpit
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_IMPORT_CLUSTERCOCKPIT_H
#define ES_FORMAT_IMPORT_CLUSTERCOCKPIT_H

#include "format/import_job.h"

/** struct es_clustercockpit - the two files of a job; borrowed */
struct es_clustercockpit {
	const char *meta_name, *meta, *data_name, *data;
	size_t n_meta, n_data;
};

/** es_import_clustercockpit - fill @job; 0, -ENODATA (no metric of power), -EBADMSG, -E2BIG or -ENOMEM */
int es_import_clustercockpit(struct es_import_job *job, const struct es_clustercockpit *files,
			     struct es_error *err);

#endif
