/*
 * lib_gpu.h - what look-alikes of GPU libraries have in common: the simulated node that they lie in, and its GPUs' texts
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * They run in whatever program opens them: libc only, nothing at load, nothing printed.
 */
#ifndef ES_TWIN_LIB_GPU_H
#define ES_TWIN_LIB_GPU_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define ES_LIB_EXPORT __attribute__((visibility("default")))
#define ES_LIB_GPUS_MAX 64U
#define ES_LIB_TEXT_BYTES 96U
#define ES_LIB_INSTANCES_MAX 7U

/** enum es_lib_error - why a GPU cannot be asked */
enum es_lib_error {
	ES_LIB_NONE,
	ES_LIB_GONE, /* fell off the bus */
	ES_LIB_LOADING, /* its driver is being loaded */
	ES_LIB_UNREADABLE, /* the meter answers with an error */
	ES_LIB_BROKEN, /* the node itself does not answer */
};

/** struct es_lib_gpu - a text of twin/gpus.h, parsed */
struct es_lib_gpu {
	char vendor[ES_LIB_TEXT_BYTES], name[ES_LIB_TEXT_BYTES], uuid[ES_LIB_TEXT_BYTES],
		bus[ES_LIB_TEXT_BYTES], error_word[ES_LIB_TEXT_BYTES];
	enum es_lib_error error;
	uint64_t number, vendor_id, device_id; /* written in hexadecimal */
	uint64_t architecture, is_ga100, is_passive, is_primary;
	uint64_t min_mhz, top_mhz, step_mhz, memory_top_mhz;
	uint64_t limit_min_mw, limit_max_mw, limit_default_mw, hottest_mc, memory_bytes;
	uint64_t n_instances, slices;
	uint64_t loads, delay_ms;
	uint64_t t_ns, value_ns, wall_us, value_wall_us;
	uint64_t energy; /* mJ; of AMD 2^-16 J */
	uint64_t power_mw, instant_mw, has_mean;
	uint64_t module_mw, module_instant_mw; /* 0: none */
	uint64_t clock_mhz, memory_mhz, busy_ppm, memory_busy_ppm;
	uint64_t temperature_mc, memory_temperature_mc, fan_percent;
	uint64_t limit_mw, lock_min_mhz, lock_max_mhz;
	uint64_t is_idle, is_by_power, is_by_heat, is_by_clock;
	uint64_t power_limited_ns, heat_limited_ns, busy_ns, memory_busy_ns;
	uint64_t instance_busy_ppm[ES_LIB_INSTANCES_MAX];
};

/** es_lib_start - find the node around this library, once; each start needs an es_lib_stop(); 0, or -ENOENT: it lies in none */
int es_lib_start(void);
/** es_lib_stop - 0, or -ENOTCONN: it was not started */
int es_lib_stop(void);
/** es_lib_count - GPUs that the node had at the start; -ENOTCONN: not started */
int es_lib_count(void);
/** es_lib_read - all about one, now; a slow meter makes it slow. 0, -EINVAL: no such GPU; -ENOTCONN: not started; @ret->error says the rest */
int es_lib_read(unsigned gpu, struct es_lib_gpu *ret);
/** es_lib_write - turn a knob of one by a line of text; 0 or the negative errno that the node answers with */
int es_lib_write(unsigned gpu, const char *line);
/** es_lib_samples - the text of latest powers of one; its length or negative errno */
ssize_t es_lib_samples(unsigned gpu, char *ret, size_t size);

/** es_lib_processes - the text of those who compute on one; likewise */
ssize_t es_lib_processes(unsigned gpu, char *ret, size_t size);

#endif
