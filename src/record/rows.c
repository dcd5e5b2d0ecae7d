/*
 * rows.c - sweeps of readings on their way into and out of blocks
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "record/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hot.h"
#include "base/limits.h"
#include "block/block.h"

#define NS_PER_US 1000
#define OFFSET_MAX_NS (ES_TIME_MAX_NS / 4)
#define SWEEP_MAX_NS (ES_TIME_MAX_NS - OFFSET_MAX_NS) /* with its offset a time is still one */

/* Column 0 holds the sweeps' times; a domain has three: its values, when they were read after the sweep's time, and the CPU time. */
enum column_of_domain {
	COLUMN_VALUE,
	COLUMN_OFFSET,
	COLUMN_ACTIVITY,
	N_COLUMNS_OF_DOMAIN,
};

es_hot static uint32_t column_id(size_t domain, enum column_of_domain what)
{
	return (uint32_t)(1 + domain * N_COLUMNS_OF_DOMAIN + what);
}

/* To the nearest microsecond; times that no clock shows are all the same. */
es_hot static int64_t to_us(int64_t t_ns)
{
	const int64_t last_ns = ES_TIME_MAX_NS - NS_PER_US;
	int64_t rest;

	t_ns = t_ns > last_ns ? last_ns : t_ns;
	t_ns = t_ns < -last_ns ? -last_ns : t_ns;
	rest = t_ns % NS_PER_US;
	if (rest < 0)
		rest += NS_PER_US;
	return t_ns - rest + (rest >= NS_PER_US / 2 ? NS_PER_US : 0);
}

int es_rows_init(struct es_rows *rows, const struct es_domain *domains, size_t n_domains,
		 size_t cap_rows)
{
	size_t n_cells = n_domains * cap_rows;

	*rows = (struct es_rows){ .n_domains = n_domains,
				  .cap_rows = cap_rows,
				  .domains = domains };
	if (n_domains > ES_DOMAINS_MAX || cap_rows == 0 || cap_rows > ES_BLOCK_ROWS_MAX ||
	    n_cells > ES_ROWS_CELLS_MAX)
		return -EINVAL;
	rows->sweep_ns = calloc(cap_rows, sizeof(*rows->sweep_ns));
	rows->scratch = calloc(cap_rows, 1);
	rows->columns = calloc(1 + n_domains * N_COLUMNS_OF_DOMAIN, sizeof(*rows->columns));
	rows->values = calloc(n_cells + 1, sizeof(*rows->values));
	rows->offsets_ns = calloc(n_cells + 1, sizeof(*rows->offsets_ns));
	rows->activities_ns = calloc(n_cells + 1, sizeof(*rows->activities_ns));
	rows->present = calloc(n_cells + 1, 1);
	if (!rows->sweep_ns || !rows->scratch || !rows->columns || !rows->values ||
	    !rows->offsets_ns || !rows->activities_ns || !rows->present) {
		es_rows_finish(rows);
		return -ENOMEM;
	}
	return 0;
}

void es_rows_finish(struct es_rows *rows)
{
	free(rows->sweep_ns);
	free(rows->scratch);
	free(rows->columns);
	free(rows->values);
	free(rows->offsets_ns);
	free(rows->activities_ns);
	free(rows->present);
	*rows = (struct es_rows){ .n_domains = 0 };
}

es_hot bool es_rows_add(struct es_rows *rows, int64_t t_ns)
{
	if (rows->n_rows == rows->cap_rows)
		return false;
	for (size_t i = 0; i < rows->n_domains; i++)
		rows->present[i * rows->cap_rows + rows->n_rows] = 0;
	rows->sweep_ns[rows->n_rows++] = to_us(t_ns);
	return true;
}

es_hot void es_rows_set(struct es_rows *rows, size_t domain, int64_t t_ns, uint64_t value,
			int64_t activity_ns)
{
	size_t row = rows->n_rows - 1, cell = domain * rows->cap_rows + row;
	int64_t offset_ns = to_us(t_ns) - rows->sweep_ns[row];

	/* No meter's value reaches 2^63: µJ for 290,000 years at a megawatt. What a reader would refuse is left out. */
	if (value > (uint64_t)INT64_MAX || offset_ns < -OFFSET_MAX_NS ||
	    offset_ns > OFFSET_MAX_NS || activity_ns < 0)
		return;
	rows->present[cell] = 1;
	rows->values[cell] = (int64_t)value;
	rows->offsets_ns[cell] = offset_ns;
	rows->activities_ns[cell] = activity_ns;
}

es_hot void es_rows_clear(struct es_rows *rows)
{
	rows->n_rows = 0;
}

/* All that come in one column lie within [@lo, @hi]. */
es_hot static bool are_within(const int64_t *values, size_t n, int64_t lo, int64_t hi)
{
	for (size_t i = 0; i < n; i++)
		if (values[i] < lo || values[i] > hi)
			return false;
	return true;
}

es_hot static bool has_any(const struct es_rows *rows, size_t domain)
{
	return memchr(rows->present + domain * rows->cap_rows, 1, rows->n_rows) != NULL;
}

es_hot static bool has_offsets(const struct es_rows *rows, size_t domain)
{
	size_t cell = domain * rows->cap_rows;

	for (size_t i = 0; i < rows->n_rows; i++)
		if (rows->present[cell + i] && rows->offsets_ns[cell + i] != 0)
			return true;
	return false;
}

es_hot static size_t fill_columns(const struct es_rows *rows)
{
	struct es_block_column *columns = rows->columns;
	size_t n = 0;

	columns[n++] = (struct es_block_column){
		.id = 0, .unit_num = NS_PER_US, .unit_den = 1, .values = rows->sweep_ns
	};
	for (size_t i = 0; i < rows->n_domains; i++) {
		const struct es_domain *domain = &rows->domains[i];
		size_t cell = i * rows->cap_rows;
		bool has_unit = !domain->is_power && domain->range.unit_nj > 0 &&
				domain->range.unit_nj <= UINT32_MAX;

		if (!has_any(rows, i))
			continue;
		columns[n++] = (struct es_block_column){
			.id = column_id(i, COLUMN_VALUE),
			.unit_num = has_unit ? (uint32_t)domain->range.unit_nj : 1,
			.unit_den = has_unit ? 1000 : 1,
			.values = rows->values + cell,
			.present = rows->present + cell,
		};
		/* Who leaves them out means 0: read at the very time of the sweep, as simulated meters are. */
		if (has_offsets(rows, i))
			columns[n++] = (struct es_block_column){
				.id = column_id(i, COLUMN_OFFSET),
				.unit_num = NS_PER_US,
				.unit_den = 1,
				.values = rows->offsets_ns + cell,
				.present = rows->present + cell,
			};
		if (domain->has_activity)
			columns[n++] = (struct es_block_column){
				.id = column_id(i, COLUMN_ACTIVITY),
				.values = rows->activities_ns + cell,
				.present = rows->present + cell,
			};
	}
	return n;
}

es_hot int es_rows_encode(const struct es_rows *rows, struct es_buf *out)
{
	if (rows->n_rows == 0)
		return 0;
	if (!are_within(rows->sweep_ns, rows->n_rows, -SWEEP_MAX_NS, SWEEP_MAX_NS))
		return -ERANGE;
	return es_block_encode(rows->columns, fill_columns(rows), rows->n_rows, out);
}

static int grow(struct es_rows *rows, size_t n_rows)
{
	struct es_rows larger;
	int r;

	if (n_rows <= rows->cap_rows)
		return 0;
	r = es_rows_init(&larger, rows->domains, rows->n_domains, n_rows);
	if (r < 0)
		return r == -EINVAL ? -EBADMSG : r;
	es_rows_finish(rows);
	*rows = larger;
	return 0;
}

/* Values of missing rows are 0, which is within all these bounds. */
static int decode_values(struct es_rows *rows, const struct es_block *block,
			 const struct es_block_info *info, size_t cell)
{
	int64_t *values = rows->values + cell;
	int r = es_block_decode(block, info, values, rows->present + cell);

	if (r == 0 && !are_within(values, block->n_rows, 0, INT64_MAX))
		r = -EBADMSG;
	return r;
}

/* What goes with the values: there for the same sweeps. */
static int decode_beside(struct es_rows *rows, const struct es_block *block,
			 const struct es_block_info *info, size_t cell, int64_t *values, int64_t lo,
			 int64_t hi)
{
	int r = es_block_decode(block, info, values + cell, rows->scratch);

	if (r == 0 && (memcmp(rows->scratch, rows->present + cell, block->n_rows) != 0 ||
		       !are_within(values + cell, block->n_rows, lo, hi)))
		r = -EBADMSG;
	return r;
}

static int decode_column(struct es_rows *rows, const struct es_block *block,
			 const struct es_block_info *info)
{
	size_t domain, cell;
	int r;

	if (info->id == 0) {
		r = es_block_decode(block, info, rows->sweep_ns, rows->scratch);
		if (r == 0 &&
		    (info->n_present < block->n_rows ||
		     !are_within(rows->sweep_ns, block->n_rows, -SWEEP_MAX_NS, SWEEP_MAX_NS)))
			r = -EBADMSG;
		return r;
	}
	domain = (info->id - 1) / N_COLUMNS_OF_DOMAIN;
	if (domain >= rows->n_domains)
		return -EBADMSG;
	cell = domain * rows->cap_rows;
	switch ((enum column_of_domain)((info->id - 1) % N_COLUMNS_OF_DOMAIN)) {
	case COLUMN_VALUE:
		return decode_values(rows, block, info, cell);
	case COLUMN_OFFSET:
		return decode_beside(rows, block, info, cell, rows->offsets_ns, -OFFSET_MAX_NS,
				     OFFSET_MAX_NS);
	case COLUMN_ACTIVITY:
		return decode_beside(rows, block, info, cell, rows->activities_ns, 0, INT64_MAX);
	case N_COLUMNS_OF_DOMAIN:
		break;
	}
	return -EBADMSG;
}

int es_rows_decode(struct es_rows *rows, const void *data, size_t n)
{
	struct es_block_info info;
	struct es_block block;
	bool has_times = false;
	int r;

	r = es_block_open(&block, data, n);
	if (r < 0)
		return r;
	r = grow(rows, block.n_rows);
	if (r < 0)
		return r;
	rows->n_rows = block.n_rows;
	memset(rows->present, 0, rows->n_domains * rows->cap_rows);
	memset(rows->offsets_ns, 0, rows->n_domains * rows->cap_rows * sizeof(*rows->offsets_ns));
	memset(rows->activities_ns, 0,
	       rows->n_domains * rows->cap_rows * sizeof(*rows->activities_ns));
	while ((r = es_block_next(&block, &info)) > 0) {
		has_times = has_times || info.id == 0;
		r = decode_column(rows, &block, &info);
		if (r < 0)
			break;
	}
	if (r == 0 && !has_times)
		r = -EBADMSG;
	if (r < 0)
		rows->n_rows = 0;
	return r;
}
