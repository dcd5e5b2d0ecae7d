/*
 * phase.h - what a simulated program does: stretches of work of one kind
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_TWIN_PHASE_H
#define ES_TWIN_PHASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/** enum es_twin_time - how the parts of a phase share its time (science: additive "beta" model, or roofline) */
enum es_twin_time {
	ES_TWIN_ADDITIVE, /* one after the other: T = cpu·f0/f + memory + gpu·g0/g + communication + idle */
	ES_TWIN_OVERLAPPING, /* all at once: T = the longest of them */
};

/**
 * struct es_twin_phase - work whose length is known at the reference: all its cores at their all-core turbo clock, uncore,
 * memory and GPUs at their top clocks, no limit in force
 *
 * The five parts are times at the reference. Slower core clocks stretch cpu_ns, slower uncore memory_ns, slower GPU clocks
 * gpu_ns and slower GPU memory gpu_memory_ns; communication and idle take what they take.
 */
struct es_twin_phase {
	char name[64]; /* of the region it is; "" none */
	enum es_twin_time time;
	int64_t cpu_ns, memory_ns, gpu_ns, gpu_memory_ns, communication_ns, idle_ns;
	/* How hard each part works while it works: 1 is what the kind's power at full load was measured with. Above 1: AVX-512. */
	double cpu_activity, memory_activity, gpu_activity, gpu_memory_activity;
	unsigned n_cores; /* taken evenly from all packages; 0: all */
	unsigned n_gpus; /* 0: all */
	unsigned gpu_instance; /* of MIG: this instance of the first GPU only, from 1 on; 0: whole GPUs */
};

/** struct es_twin_program - phases one behind the other, @repeats times; es_twin_program_finish() it */
struct es_twin_program {
	struct es_twin_phase *phases; /* owned */
	size_t n;
	uint64_t repeats; /* at least 1 */
};

void es_twin_phase_init(struct es_twin_phase *phase);
/**
 * es_twin_phase_parse - one line: NAME DURATION PART=SHARE… [KEY=VALUE…]; the name "-": none
 *
 *	solve 5s cpu=40% memory=60% model=overlapping activity=1.2 cores=32
 *	train 3s gpu=90% gpu-memory=10% gpus=2
 *	exchange 500ms communication=100%
 *
 * The shares of one phase add up to 100 % (additive), or the largest is 100 % (overlapping). Keys: model, activity (of all parts
 * that work), cpu-activity, memory-activity, gpu-activity, gpu-memory-activity, cores, gpus, instance.
 * Returns 0 or -EBADMSG with the word that is wrong and what would be right.
 */
int es_twin_phase_parse(const char *line, struct es_twin_phase *ret, struct es_error *err);
/** es_twin_phase_print - the line that es_twin_phase_parse() reads; returns @text */
char *es_twin_phase_print(const struct es_twin_phase *phase, char *text, size_t size);
/**
 * es_twin_program_parse - a workload file: one phase a line, "# comment", and "repeat N" as its first line of all
 *
 * Returns 0, -EBADMSG with the line's number, -E2BIG, -ENOMEM.
 */
int es_twin_program_parse(const char *text, size_t n, struct es_twin_program *ret,
			  struct es_error *err);
void es_twin_program_finish(struct es_twin_program *program);
/** es_twin_phase_reference_ns - how long it takes at the reference */
int64_t es_twin_phase_reference_ns(const struct es_twin_phase *phase);
/** es_twin_program_reference_ns - the same of all phases and repeats; at most ES_TIME_MAX_NS */
int64_t es_twin_program_reference_ns(const struct es_twin_program *program);

#define ES_TWIN_PHASES_MAX 4096U
#define ES_TWIN_PHASE_TEXT_BYTES 512U
#define ES_TWIN_REPEATS_MAX 1000000000U
/* Shorter ones would keep who simulates them busier than who plays them. */
#define ES_TWIN_PHASE_MIN_NS INT64_C(100000)
#define ES_TWIN_PHASE_MAX_NS INT64_C(31536000000000000)
#define ES_TWIN_ACTIVITY_MAX 4.0

#endif
