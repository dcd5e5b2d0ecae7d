/*
 * import_match.h - which files belong together
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_IMPORT_MATCH_H
#define ES_FORMAT_IMPORT_MATCH_H

#include "format/import_files.h"

#define ES_IMPORT_NO_FILE SIZE_MAX

/**
 * es_import_match_discoveries - the discovery of each raw dump
 * @ret: for each file its discovery's index, ES_IMPORT_NO_FILE where there is none (or it is no raw dump)
 *
 * By the ends of their names (…_JOB_HOST), by the host in the name of the raw file, by folder, by date, and last by
 * order: a host of a raw dump is written nowhere in it.
 */
void es_import_match_discoveries(const struct es_import_files *files, size_t *ret);

/** es_import_match_cmd - the energy_scope_cmd of a run: of the raw file at @raw, whose job is @job */
size_t es_import_match_cmd(const struct es_import_files *files, size_t raw, const char *job);
/** es_import_match_info - a file that tells user and command (and tags, if there is one) of that run */
size_t es_import_match_info(const struct es_import_files *files, size_t raw, const char *job);
/** es_import_match_clustercockpit - the data of the meta file at @meta */
size_t es_import_match_clustercockpit(const struct es_import_files *files, size_t meta);
/** es_import_is_covered - the profile at @index is of a run whose raw dumps are here as well, with their discovery */
bool es_import_is_covered(const struct es_import_files *files, size_t index,
			  const size_t *discoveries);

#endif
