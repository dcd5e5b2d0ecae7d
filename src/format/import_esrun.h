/*
 * import_esrun.h - a run of the original tool from its raw dumps
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_IMPORT_ESRUN_H
#define ES_FORMAT_IMPORT_ESRUN_H

#include "format/import_esdump.h"
#include "format/import_job.h"

/** struct es_esrun_node - the two files of one node; borrowed */
struct es_esrun_node {
	const char *name; /* of the raw file, for messages */
	const struct es_dump *raw, *discovery;
	const char *text; /* of the discovery */
	size_t n_text;
};

/** struct es_esrun - what is known of a run; borrowed */
struct es_esrun {
	const struct es_esrun_node *nodes;
	size_t n_nodes;
	const char *cmd; /* text of energy_scope_cmd; NULL: none */
	const char *info; /* JSON with "from_appli": einfo, eprofile or estat; NULL: none */
	size_t n_info;
	uint64_t period_ms; /* by es_config, where the dump does not say */
};

/**
 * es_import_esrun - fill @job from the raw counters of a run
 *
 * Returns 0; -ENODATA: there is no energy in it; -EBADMSG; -ENOMEM.
 */
int es_import_esrun(struct es_import_job *job, const struct es_esrun *run, struct es_error *err);

/** es_import_escmd - command and tags of an energy_scope_cmd file; times need job->meta.start_unix_ns. 0 or -ENOMEM */
int es_import_escmd(struct es_import_job *job, const char *text);
/** es_import_esinfo - user, command, job and (where @has_tags) tags from the header of an eprofile, estat or einfo */
int es_import_esinfo(struct es_import_job *job, const char *text, size_t n, bool has_tags);
/** es_import_estag - one end of a tag at a time as the original writes it; 0 or -ENOMEM; what is no time is warned of */
int es_import_estag(struct es_import_job *job, const char *name, bool is_start, const char *when);

#endif
