/*
 * import_files.h - what kind of file each one is, by its content
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_IMPORT_FILES_H
#define ES_FORMAT_IMPORT_FILES_H

#include "format/archive.h"
#include "format/import_esdump.h"

enum es_import_kind {
	ES_IMPORT_UNKNOWN,
	ES_IMPORT_RAW, /* es_read_rt_result */
	ES_IMPORT_DISCOVERY, /* es_discover_result */
	ES_IMPORT_CMD, /* energy_scope_cmd */
	ES_IMPORT_SUMMARY, /* einfo, estat, enode: totals and who ran what */
	ES_IMPORT_CONFIG, /* es_config.json */
	ES_IMPORT_EPROFILE,
	ES_IMPORT_CC_META,
	ES_IMPORT_CC_DATA,
	ES_IMPORT_CSV,
};

/** struct es_import_file - one file of an import */
struct es_import_file {
	enum es_import_kind kind;
	char *name; /* owned */
	char *data; /* owned; NULL for a raw dump, of which only what was read from it is kept */
	size_t n;
	struct es_dump dump; /* of raw dumps and discoveries */
	char job[ES_NAME_MAX_BYTES]; /* that it says it is of; "": none */
	bool has_tags;
	bool is_used;
};

struct es_import_files {
	struct es_import_file *files; /* owned */
	size_t n;
	size_t n_seen; /* recognised or not */
	bool is_cut; /* an archive broke off */
};

/** es_import_files_add - recognise a file and keep it where it is of use; an es_archive_fn, @arg is the list. 0 or -ENOMEM */
int es_import_files_add(void *arg, struct es_archive_file *from);
void es_import_files_finish(struct es_import_files *files);

/** es_import_same_folder - both names have the same folder */
bool es_import_same_folder(const char *a, const char *b);
/** es_import_base_name - what follows the folder (borrowed) */
const char *es_import_base_name(const char *name);

#endif
