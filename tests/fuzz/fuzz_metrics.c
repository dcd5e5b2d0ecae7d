/*
 * fuzz_metrics.c - any bytes as a query and the text it is asked of
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * The input: the query up to the first newline, then the text. Given whole and in pieces it says the same.
 */
#include <string.h>

#include "fuzz/target.h"
#include "net/metrics.h"

static int read_in_pieces(struct es_metrics *metrics, const struct es_metrics_query *query,
			  const char *text, size_t n, size_t piece, int64_t *ret)
{
	es_metrics_begin(metrics, query);
	for (size_t at = 0; at < n; at += piece)
		es_metrics_feed(metrics, text + at, n - at < piece ? n - at : piece);
	return es_metrics_end(metrics, ret);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const uint8_t *newline = n ? memchr(data, '\n', n) : NULL;
	struct es_metrics_query query;
	struct es_error err = { .code = 0 };
	struct es_metrics *whole, *pieces;
	char text[2048];
	size_t n_query = newline ? (size_t)(newline - data) : n;

	if (n_query >= sizeof(text))
		return 0;
	if (n_query)
		memcpy(text, data, n_query);
	text[n_query] = '\0';
	if (es_metrics_query_parse(text, &query, &err) < 0) {
		fuzz_require(err.code < 0 && err.text[0] != '\0');
		return 0;
	}
	fuzz_require(query.name[0] != '\0' && query.n_labels <= ES_METRICS_LABELS_MAX);
	whole = malloc(sizeof(*whole));
	pieces = malloc(sizeof(*pieces));
	if (newline && whole && pieces) {
		const char *rest = (const char *)newline + 1;
		size_t n_rest = n - n_query - 1;
		int64_t a = -1, b = -1;
		int r = read_in_pieces(whole, &query, rest, n_rest, n_rest + 1, &a);

		fuzz_require(read_in_pieces(pieces, &query, rest, n_rest, 3, &b) == r && a == b);
		fuzz_require((r == 0) == (a >= 0));
		fuzz_require(whole->n_found == pieces->n_found && whole->n_long == pieces->n_long);
	}
	free(whole);
	free(pieces);
	return 0;
}
