/*
 * fuzz_work.c - any bytes as a command's output and as a file's content
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * The input: the size of the pieces, then the stream. Lines are the same whole and in pieces.
 */
#include "cli/work_lines.h"
#include "cli/work_number.h"
#include "fuzz/target.h"

/* What was told: how much, and a hash of it (FNV-1a). */
struct told {
	uint64_t n_lines, hash;
};

static void on_line(void *arg, const char *line, size_t n)
{
	struct told *told = arg;

	fuzz_require(n > 0 && n <= ES_WORK_LINE_MAX_BYTES);
	told->n_lines++;
	for (size_t i = 0; i < n; i++)
		told->hash = (told->hash ^ (unsigned char)line[i]) * UINT64_C(1099511628211);
	told->hash = (told->hash ^ 256) * UINT64_C(1099511628211);
}

static struct told read_in_pieces(const char *text, size_t n, size_t piece)
{
	struct es_work_lines *lines = calloc(1, sizeof(*lines));
	struct told told = { .n_lines = 0 };

	if (!lines)
		return told;
	lines->tell = on_line;
	lines->arg = &told;
	for (size_t at = 0; at < n; at += piece)
		es_work_lines_feed(lines, text + at, n - at < piece ? n - at : piece);
	es_work_lines_end(lines);
	free(lines);
	return told;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *text = (const char *)data + 1;
	struct told whole, pieces;
	int64_t micro = -1;

	if (n < 2)
		return 0;
	whole = read_in_pieces(text, n - 1, n);
	pieces = read_in_pieces(text, n - 1, 1 + data[0]);
	fuzz_require(whole.n_lines == pieces.n_lines && whole.hash == pieces.hash);
	fuzz_require((es_work_number(text, n - 1, data[0] & 1, &micro) == 0) == (micro >= 0));
	return 0;
}
