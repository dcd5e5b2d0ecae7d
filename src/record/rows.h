/*
 * rows.h - sweeps of readings on their way into and out of blocks
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_RECORD_ROWS_H
#define ES_RECORD_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "core/domain.h"

struct es_block_column;

/* Cells of a table: a block that claims more is refused, so that a small file cannot ask for all memory. */
#define ES_ROWS_CELLS_MAX (1U << 22)

/**
 * struct es_rows - a table of sweeps (rows) by domains, all memory taken at the start
 *
 * Times are kept to the microsecond: far below what any meter refreshes in, and a fraction of the bytes.
 */
struct es_rows {
	size_t n_domains, n_rows, cap_rows;
	const struct es_domain *domains; /* borrowed */
	int64_t *sweep_ns; /* [row] */
	int64_t *values, *offsets_ns, *activities_ns; /* [domain * cap_rows + row] */
	uint8_t *present; /* likewise */
	uint8_t *scratch; /* [row], while decoding */
	struct es_block_column *columns; /* while encoding: taken at the start like all memory here */
};

/** es_rows_init - room for @cap_rows sweeps over @domains; 0, -ENOMEM or -EINVAL; free with es_rows_finish() */
int es_rows_init(struct es_rows *rows, const struct es_domain *domains, size_t n_domains,
		 size_t cap_rows);
void es_rows_finish(struct es_rows *rows);

/** es_rows_add - begin a sweep at @t_ns; false when the table is full (encode and clear it first) */
bool es_rows_add(struct es_rows *rows, int64_t t_ns);
/**
 * es_rows_set - a reading of the sweep begun last
 * @t_ns: when it was taken; @activity_ns: CPU time of the machine, for domains that carry it, else 0
 */
void es_rows_set(struct es_rows *rows, size_t domain, int64_t t_ns, uint64_t value,
		 int64_t activity_ns);
void es_rows_clear(struct es_rows *rows);

/** es_rows_encode - append the rows as one block to @out, nothing where there is no row; -ERANGE: a time no clock shows */
int es_rows_encode(const struct es_rows *rows, struct es_buf *out);
/** es_rows_decode - replace the rows by those of a block of @n bytes; 0, -EBADMSG, or -ENOMEM */
int es_rows_decode(struct es_rows *rows, const void *data, size_t n);

#endif
