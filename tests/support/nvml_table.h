/*
 * nvml_table.h - machines with NVIDIA GPUs: what the stub of the library shows, and what moves in it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TESTS_SUPPORT_NVML_TABLE_H
#define ES_TESTS_SUPPORT_NVML_TABLE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define NVML_GPUS_MAX 16
#define NVML_MIGS_MAX 7
#define NVML_WITHOUT_MAX 8
#define NVML_PROCESSES_MAX 8
#define NVML_NOT_TOLD UINT32_MAX
#define NVML_TABLE "nvml.table"
#define NVML_STATE "nvml.state"
#define NVML_DEVICE "nvml.device"
#define NVML_FOLDER "usr/lib/x86_64-linux-gnu" /* of the library in a tree, and of both files */

/** struct nvml_gpu - a line "gpu key=value …" of a table; blanks in values are underscores */
struct nvml_gpu {
	char name[96], uuid[64], bus[24]; /* name= uuid= bus=0000:17:00.0 */
	unsigned device_id, arch; /* device=20b2 (hexadecimal) arch=7 */
	bool has_field, has_call, has_instant,
		has_usage; /* counter=field|call|none instant=0|1 usage=0|1 */
	bool has_module; /* module=1 */
	unsigned limit_w; /* limit=400 */
	int numa; /* numa=0 */
	bool is_mig; /* mig=1g.5gb+3g.20gb, mig=none: on, without instances */
	char migs[NVML_MIGS_MAX][16];
	unsigned n_migs;
	unsigned long long energy_mj, power_mw; /* energy= power= at the start */
	/* What is told beside energy; NVML_NOT_TOLD without its key. sm_mhz= mem_mhz= busy= mem_busy= temp= mem_temp= reasons= (hexadecimal) */
	unsigned sm_mhz, memory_mhz, busy, memory_busy, temp_c, memory_temp_c, reasons;
	bool has_policies; /* policies=1: how long power and heat held clocks down */
	bool has_gpm; /* gpm=1 */
	unsigned slices[NVML_MIGS_MAX]; /* of an instance: from its name, 3g.20gb */
	int open_return; /* open=4: what getting a handle says */
};

/** struct nvml_table - a machine: lines "driver V", "init RETURN", "init_ms N", "without FUNCTION", "gpu …", "# …" */
struct nvml_table {
	char driver[32];
	int init_return;
	unsigned init_ms;
	char without[NVML_WITHOUT_MAX][64];
	unsigned n_without;
	struct nvml_gpu gpus[NVML_GPUS_MAX];
	unsigned n;
};

/** struct nvml_moving - what changes of a GPU; in a file that the stub, the player and tests have in common */
struct nvml_moving {
	_Atomic uint64_t energy_mj;
	_Atomic uint32_t power_mw, module_mw;
	_Atomic int32_t error; /* what every call for it returns */
	_Atomic uint32_t delay_us; /* how long a reading takes */
};

/** struct nvml_telling - what is told beside energy */
struct nvml_telling {
	_Atomic uint32_t sm_mhz, memory_mhz, busy, memory_busy, temp_c, memory_temp_c, reasons;
	_Atomic uint32_t limit_mw;
	_Atomic uint64_t power_limited_ns, heat_limited_ns;
	_Atomic uint32_t sm_percent, tensor_percent,
		dram_percent; /* activity between any two samples */
	_Atomic uint32_t is_profiled; /* a profiler holds what activity is counted with */
	/* Who computes there; the busy ones are told of once, as of when that was set. */
	_Atomic uint32_t n_processes, pids[NVML_PROCESSES_MAX], instances[NVML_PROCESSES_MAX],
		use[NVML_PROCESSES_MAX];
	_Atomic uint64_t use_us;
	_Atomic uint32_t
		hides_whole; /* processes are told of instances only: who asks has no rights */
	_Atomic int32_t n_samples; /* of activity, that were made and not given back */
};

struct nvml_state {
	_Atomic uint32_t epoch; /* handles of another one are lost */
	_Atomic int32_t init_return;
	_Atomic uint32_t n_reads; /* calls that read a meter, of all GPUs */
	_Atomic uint32_t n_inits;
	struct nvml_moving gpus[NVML_GPUS_MAX];
	struct nvml_telling told[NVML_GPUS_MAX];
};

/** nvml_table_read - 0 or negative errno; -EBADMSG: a line that is none */
int nvml_table_read(const char *path, struct nvml_table *ret);
/** nvml_state_map - the file @dir/nvml.state, made and filled from @table where it is missing; NULL: it cannot be */
struct nvml_state *nvml_state_map(const char *dir, const struct nvml_table *table);
void nvml_state_unmap(struct nvml_state *state);

/** nvml_tree_make - put the library @stub, a table and its GPUs' places on the bus into the tree @root; 0 or negative errno */
int nvml_tree_make(const char *root, const char *table_path, const char *stub);
/** nvml_tree_open - the state of a tree, and its table; NULL: it has none. nvml_state_unmap() it. */
struct nvml_state *nvml_tree_open(const char *root, struct nvml_table *ret_table);

#endif
