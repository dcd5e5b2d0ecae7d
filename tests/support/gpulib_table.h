/*
 * gpulib_table.h - machines with GPUs of AMD and Intel: what stubs of their libraries show, and what moves in it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TESTS_SUPPORT_GPULIB_TABLE_H
#define ES_TESTS_SUPPORT_GPULIB_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define GPULIB_GPUS_MAX 16
#define GPULIB_PARTS_MAX 8
#define GPULIB_WITHOUT_MAX 8
#define GPULIB_TABLE "gpulib.table"
#define GPULIB_STATE "gpulib.state"
#define GPULIB_FOLDER "usr/lib/x86_64-linux-gnu" /* of the libraries in a tree, and of both files */

/** struct gpulib_gpu - a line "gpu key=value …" of a table; blanks in values are underscores */
struct gpulib_gpu {
	char name[96], uuid[64], bus[24]; /* name= uuid= bus=0000:c1:00.0 */
	unsigned vendor, device_id, class; /* vendor=1002 device=740c class=120000, hexadecimal */
	bool has_counter, has_power; /* counter=0 power=0: not supported; else power in mW */
	bool is_absent_from_bus; /* bus_has=0: a partition, which only the library shows */
	unsigned limit_w; /* limit=560 */
	unsigned long long energy,
		power_mw; /* energy= at the start: steps of 2^-16 J (AMD), µJ (Intel) */
	char parts[GPULIB_PARTS_MAX][16]; /* parts=card+pkg+tile0+tile1 (Intel) */
	unsigned n_parts;
	char status[16]; /* status=suspended: what runtime_status of the bus says */
};

/** struct gpulib_table - a machine: lines "init STATUS", "without FUNCTION", "words 24|25" (layout of powers), "gpu …", "# …" */
struct gpulib_table {
	unsigned init_status;
	unsigned words;
	char without[GPULIB_WITHOUT_MAX][64];
	unsigned n_without;
	struct gpulib_gpu gpus[GPULIB_GPUS_MAX];
	unsigned n;
};

/** struct gpulib_moving - what changes of a GPU; in a file that stubs and tests have in common */
struct gpulib_moving {
	_Atomic uint64_t energy[GPULIB_PARTS_MAX];
	_Atomic uint32_t power_mw;
	_Atomic uint32_t status; /* what every call for it returns */
	_Atomic uint32_t
		is_cached; /* counter and time stay as they were when the library was started */
	_Atomic uint32_t has_no_time;
};

struct gpulib_state {
	_Atomic uint32_t init_status;
	_Atomic uint32_t n_inits, n_reads;
	_Atomic uint32_t
		has_sysman; /* Level Zero was started with its environment variable, or by zesInit */
	struct gpulib_moving gpus[GPULIB_GPUS_MAX];
};

/** gpulib_table_read - 0 or negative errno; -EBADMSG: a line that is none */
int gpulib_table_read(const char *path, struct gpulib_table *ret);
/** gpulib_state_map - the file @dir/gpulib.state, made and filled from @table where it is missing; NULL: it cannot be */
struct gpulib_state *gpulib_state_map(const char *dir, const struct gpulib_table *table);
void gpulib_state_unmap(struct gpulib_state *state);

/** gpulib_tree_make - put a table and its GPUs' places on the bus into the tree @root; 0 or negative errno */
int gpulib_tree_make(const char *root, const char *table_path);
/** gpulib_tree_add - put the library @stub under the name that programs look for; 0 or negative errno */
int gpulib_tree_add(const char *root, const char *stub, const char *name);
/** gpulib_tree_open - the state of a tree, and its table; NULL: it has none. gpulib_state_unmap() it. */
struct gpulib_state *gpulib_tree_open(const char *root, struct gpulib_table *ret_table);

/** gpulib_stub_start - what the stubs share: find the table beside this library's own file; 0 or -1 */
int gpulib_stub_start(struct gpulib_table *ret_table, struct gpulib_state **ret_state);

#endif
