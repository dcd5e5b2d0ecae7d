/*
 * block.c - bytes and time for each sample in a block, beside entropy, memcpy and zstd
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Promises (design section 8): at most 1.1 times the entropy of second differences; at most 0.7 bytes for each
 * sample at 1 J units. Exits with 1 where one is broken. Data are made by a fixed seed: counters of 16 parts over
 * 18 h at 1 Hz whose power wanders (an AR(1) process) and flickers, as in recordings of busy servers.
 */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef HAS_ZSTD
#include <zstd.h>
#endif

#include "base/cleanup.h"
#include "base/clock.h"
#include "block/block.h"

#define N_SERIES 16U
#define N_ROWS 65536U
#define N_SAMPLES ((size_t)N_SERIES * N_ROWS)
#define RATIO_MAX 1.1
#define BYTES_MAX_AT_1_J 0.7
#define N_REPEATS 5

struct scenario {
	const char *name;
	uint32_t unit_nj;
	double mean_w, wander_w, flicker_w;
	unsigned stale_rows; /* the meter refreshes every so many rows */
	bool is_power; /* readings in mW of whole watts instead of a counter */
	bool is_1_j;
	bool is_perf; /* 2^-14 J exactly, and no unit said */
};

static const struct scenario scenarios[] = {
	{ "package, 61.035 uJ, 250 W", 61035, 250, 10, 2, 1, false, false, false },
	{ "package by perf, 250 W", 61035, 250, 10, 2, 1, false, false, true },
	{ "dram, 15.258 uJ, 25 W", 15258, 25, 2, 0.5, 1, false, false, false },
	{ "package, 61.035 uJ, idle 40 W", 61035, 40, 0.3, 0.1, 1, false, false, false },
	{ "gpu counter, 1 mJ, 300 W", 1000000, 300, 15, 5, 1, false, false, false },
	{ "gpu counter, 1 J, 300 W", 1000000000, 300, 15, 5, 1, false, true, false },
	{ "package at 1 J, 250 W", 1000000000, 250, 10, 2, 1, false, true, false },
	{ "package at 1 J, idle 40 W", 1000000000, 40, 0.3, 0.1, 1, false, true, false },
	{ "bmc counter, 1 J, every 5 s", 1000000000, 350, 10, 2, 5, false, true, false },
	{ "bmc power, 1 W", 1000000, 350, 10, 2, 1, true, true, false },
	{ "bmc power, 1 W, every 30 s", 1000000, 350, 10, 2, 30, true, true, false },
};

static uint64_t random_u64(uint64_t *state)
{
	/* xorshift64*, Vigna 2016 */
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717);
}

/* A standard normal, by the central limit of twelve. */
static double random_normal(uint64_t *state)
{
	double sum = -6;

	for (int i = 0; i < 12; i++)
		sum += (double)(random_u64(state) >> 11) / 9007199254740992.0;
	return sum;
}

static void fill_series(const struct scenario *s, uint64_t *seed, int64_t *values)
{
	double wander_w = 0, energy_nj = (double)(random_u64(seed) % UINT32_MAX) * s->unit_nj,
	       shown = energy_nj;

	for (size_t row = 0; row < N_ROWS; row++) {
		double power_w;

		wander_w = 0.9 * wander_w + sqrt(1 - 0.81) * s->wander_w * random_normal(seed);
		power_w = s->mean_w + wander_w + s->flicker_w * random_normal(seed);
		energy_nj += power_w * 1e9;
		if (row % s->stale_rows == 0)
			shown = s->is_power ? power_w * 1e9 : energy_nj;
		/* As the kernel shows it: raw steps times the unit, in whole µJ (or mW). */
		values[row] = (int64_t)floor(shown / s->unit_nj) * s->unit_nj / 1000;
		if (s->is_power)
			values[row] = (int64_t)floor(shown / 1e9) * 1000;
		if (s->is_perf)
			values[row] = (int64_t)floor(shown / s->unit_nj) * 15625 / 256;
	}
}

static int compare_i64(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/*
 * Entropy of second differences in units, bits for each sample. Where there are more values than samples could
 * tell apart, the distribution is smooth: it is taken in bins of 2^k units, and k bits are added.
 */
static double entropy_bits(const int64_t *values, uint32_t unit_nj, bool is_power)
{
	es_cleanup(es_freep) int64_t *d = malloc(N_SAMPLES * sizeof(*d));
	size_t n = 0, n_run = 0, n_bins = 0;
	unsigned k = 0;
	double spread = 0, bits = 0;

	if (!d)
		return NAN;
	for (size_t i = 0; i < N_SERIES; i++)
		for (size_t row = 2; row < N_ROWS; row++) {
			const int64_t *v = values + i * N_ROWS + row;
			int64_t dd = v[0] - 2 * v[-1] + v[-2];

			d[n] = (int64_t)llround((double)dd * 1000.0 / (is_power ? 1e6 : unit_nj));
			spread += fabs((double)d[n++]);
		}
	while (spread / (double)n / (double)(UINT64_C(1) << k) > 64)
		k++;
	for (size_t i = 0; i < n; i++)
		d[i] >>= k;
	qsort(d, n, sizeof(*d), compare_i64);
	for (size_t i = 0; i < n; i++) {
		n_run++;
		if (i + 1 == n || d[i] != d[i + 1]) {
			double p = (double)n_run / (double)n;

			bits -= p * log2(p);
			n_run = 0;
			n_bins++;
		}
	}
	return bits + k + (double)(n_bins - 1) / (2 * (double)n * log(2));
}

static void fill_columns(const struct scenario *s, const int64_t *values, size_t row,
			 struct es_block_column *columns)
{
	for (uint32_t i = 0; i < N_SERIES; i++)
		columns[i] = (struct es_block_column){
			.id = i,
			.unit_num = s->is_power	 ? 1000
				    : s->is_perf ? 0
						 : s->unit_nj,
			.unit_den = s->is_power ? 1 : 1000,
			.values = values + i * N_ROWS + row,
		};
}

static bool decode_all(const struct es_buf *out, int64_t *values, uint8_t *present)
{
	struct es_cursor cursor;

	es_cursor_init(&cursor, out->data, out->len);
	for (size_t row = 0; es_cursor_left(&cursor) > 0;) {
		size_t n = es_cursor_le32(&cursor);
		struct es_block_info info;
		struct es_block block;

		if (es_block_open(&block, es_cursor_bytes(&cursor, n), n) < 0)
			return false;
		while (es_block_next(&block, &info) > 0)
			if (es_block_decode(&block, &info, values + info.id * N_ROWS + row,
					    present) < 0)
				return false;
		row += block.n_rows;
	}
	return true;
}

/* Blocks of @n_rows, each behind its length. */
static void encode_all(const struct scenario *s, const int64_t *values, size_t n_rows,
		       struct es_buf *out)
{
	struct es_block_column columns[N_SERIES];

	es_buf_reset(out);
	for (size_t row = 0; row < N_ROWS; row += n_rows) {
		size_t at = out->len, n;

		fill_columns(s, values, row, columns);
		(void)es_buf_le32(out, 0);
		(void)es_block_encode(columns, N_SERIES,
				      n_rows < N_ROWS - row ? n_rows : N_ROWS - row, out);
		n = out->len - at - 4;
		for (unsigned i = 0; i < 4; i++)
			out->data[at + i] = (uint8_t)(n >> (8 * i));
	}
}

struct speed {
	double encode, decode; /* M samples/s, the best of some */
};

static double m_per_s(int64_t dur_ns)
{
	return (double)N_SAMPLES * 1e3 / (double)(dur_ns > 0 ? dur_ns : 1);
}

static void keep_best(double *best, int64_t start_ns)
{
	double now = m_per_s(es_clock_mono_ns() - start_ns);

	if (now > *best)
		*best = now;
}

static bool measure_block(const struct scenario *s, const int64_t *values, size_t n_rows,
			  int64_t *back, struct es_buf *out, struct speed *ret)
{
	es_cleanup(es_freep) uint8_t *present = malloc(N_ROWS);

	*ret = (struct speed){ .encode = 0 };
	for (int i = 0; present && i < N_REPEATS; i++) {
		int64_t start_ns = es_clock_mono_ns();

		encode_all(s, values, n_rows, out);
		keep_best(&ret->encode, start_ns);
		start_ns = es_clock_mono_ns();
		if (!decode_all(out, back, present))
			return false;
		keep_best(&ret->decode, start_ns);
	}
	return present && !out->error && memcmp(values, back, N_SAMPLES * sizeof(*values)) == 0;
}

static double measure_memcpy(const int64_t *values, int64_t *back)
{
	double best = 0;

	for (int i = 0; i < N_REPEATS; i++) {
		int64_t start_ns = es_clock_mono_ns();

		memcpy(back, values, N_SAMPLES * sizeof(*values));
		/* Seen by nobody, a copy may be left out. */
		__asm__ volatile("" : : "r"(back) : "memory");
		keep_best(&best, start_ns);
	}
	return best;
}

/* zstd -1 over the raw columns, in pieces as large as our blocks; its bytes for each sample, or NAN. */
static double measure_zstd(const int64_t *values, int64_t *back, struct speed *ret)
{
	*ret = (struct speed){ .encode = NAN, .decode = NAN };
#ifdef HAS_ZSTD
	const size_t n = N_SAMPLES * sizeof(*values), cap = ZSTD_compressBound(n);
	es_cleanup(es_freep) void *packed = malloc(cap);
	size_t n_packed = 0;

	*ret = (struct speed){ .encode = 0 };
	for (int i = 0; packed && i < N_REPEATS; i++) {
		int64_t start_ns = es_clock_mono_ns();

		n_packed = ZSTD_compress(packed, cap, values, n, 1);
		if (ZSTD_isError(n_packed))
			return NAN;
		keep_best(&ret->encode, start_ns);
		start_ns = es_clock_mono_ns();
		if (ZSTD_isError(ZSTD_decompress(back, n, packed, n_packed)))
			return NAN;
		keep_best(&ret->decode, start_ns);
	}
	return (double)n_packed / (double)N_SAMPLES;
#else
	(void)values;
	(void)back;
	return NAN;
#endif
}

static bool run_scenario(const struct scenario *s, int64_t *values, int64_t *back,
			 struct es_buf *out)
{
	double entropy_bytes, bytes, zstd_bytes;
	struct speed ours, zstd;
	uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);
	bool is_kept;

	for (size_t i = 0; i < N_SERIES; i++)
		fill_series(s, &seed, values + i * N_ROWS);
	entropy_bytes = entropy_bits(values, s->unit_nj, s->is_power) / 8;
	if (!measure_block(s, values, 4096, back, out, &ours)) {
		printf("%-30s does not come back as it was\n", s->name);
		return false;
	}
	bytes = (double)out->len / (double)N_SAMPLES;
	zstd_bytes = measure_zstd(values, back, &zstd);
	is_kept = bytes <= RATIO_MAX * entropy_bytes && (!s->is_1_j || bytes <= BYTES_MAX_AT_1_J);
	printf("%-30s %7.3f %7.3f %6.3f %7.0f %7.0f %8.3f %7.0f %7.0f  %s\n", s->name, bytes,
	       entropy_bytes, bytes / entropy_bytes, ours.encode, ours.decode, zstd_bytes,
	       zstd.encode, zstd.decode, is_kept ? "kept" : "BROKEN");
	printf("%-30s", "  in blocks of 10, 60, 600 rows");
	for (size_t n_rows = 10; n_rows <= 600; n_rows *= n_rows == 10 ? 6 : 10) {
		if (!measure_block(s, values, n_rows, back, out, &ours))
			return false;
		printf(" %7.3f", (double)out->len / (double)N_SAMPLES);
	}
	printf("\n");
	return is_kept;
}

int main(void)
{
	es_cleanup(es_freep) int64_t *values = malloc(N_SAMPLES * sizeof(*values));
	es_cleanup(es_freep) int64_t *back = malloc(N_SAMPLES * sizeof(*back));
	struct es_buf out;
	bool is_kept = true;

	if (!values || !back)
		return 1;
	memset(values, 1, N_SAMPLES * sizeof(*values));
	es_buf_init(&out, 1U << 30);
	printf("%u series of %u samples, blocks of 4096 rows; bytes for each sample, M samples/s on one core\n",
	       N_SERIES, N_ROWS);
	printf("%-30s %7s %7s %6s %7s %7s %8s %7s %7s\n", "", "bytes", "entropy", "ratio", "encode",
	       "decode", "zstd -1", "encode", "decode");
	for (size_t i = 0; i < ES_ARRAY_SIZE(scenarios); i++)
		is_kept &= run_scenario(&scenarios[i], values, back, &out);
	printf("%-30s %39.0f\n", "memcpy of the raw columns", measure_memcpy(values, back));
	es_buf_finish(&out);
	printf("promise: ratio at most %.1f, at most %.1f bytes at 1 J units: %s\n", RATIO_MAX,
	       BYTES_MAX_AT_1_J, is_kept ? "kept" : "BROKEN");
	return is_kept ? 0 : 1;
}
