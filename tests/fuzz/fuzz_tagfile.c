/*
 * fuzz_tagfile.c - any bytes as a file of tags
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <stdlib.h>
#include <string.h>

#include "format/regions.h"
#include "format/tagfile.h"
#include "fuzz/target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct es_tagfile file = { .n_rows = 0 };
	struct es_error err = { .code = 0 };
	char *text = malloc(n + 1);
	int r;

	if (!text)
		return 0;
	memcpy(text, data, n);
	text[n] = '\0';
	r = es_tagfile_parse(&file, "tags.csv", text, n, &err);
	if (r < 0) {
		fuzz_require(err.text[0] != '\0');
	} else {
		fuzz_require(file.n_rows > 0);
		for (size_t i = 0; i < file.n_rows; i++) {
			const struct es_tag_row *row = &file.rows[i];

			fuzz_require(row->name[0] && strlen(row->name) < ES_NAME_MAX_BYTES);
			fuzz_require(!es_region_is_automatic(row->name));
			fuzz_require(row->line > 0 && (i == 0 || row[-1].line < row->line));
			fuzz_require(row->start.is_relative != row->stop.is_relative ||
				     row->start.t_ns <= row->stop.t_ns);
		}
	}
	es_tagfile_finish(&file);
	return 0;
}
