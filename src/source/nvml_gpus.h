/*
 * source/nvml_gpus.h - the GPUs that NVIDIA's library shows, and their readings
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_NVML_GPUS_H
#define ES_SOURCE_NVML_GPUS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/domain.h"
#include "source/nvml_signals.h"
#include "source/nvml_users.h"
#include "source/source.h"
#include "sys/nvml.h"

#define ES_NVML_GPUS_MAX 64U
#define ES_NVML_NO_MODULE SIZE_MAX

/** enum es_nvml_meter - what a GPU's readings are */
enum es_nvml_meter {
	ES_NVML_NO_METER, /* it has none, or it is not known since the GPU could not be asked */
	ES_NVML_COUNTER_FIELD, /* mJ, with powers in one call */
	ES_NVML_COUNTER_CALL, /* mJ */
	ES_NVML_INSTANT_FIELD, /* mW */
	ES_NVML_POWER_CALL, /* mW, on many chips the mean over the last second */
};

/** struct es_nvml_gpu - one GPU as the library shows it */
struct es_nvml_gpu {
	struct es_nvml_device *device; /* NULL: it cannot be asked now */
	int why; /* enum es_nvml_return, where it cannot */
	char uuid[64]; /* how it is known again; "": never asked */
	char pci[24], model[64];
	unsigned architecture, device_id;
	enum es_nvml_meter meter;
	bool has_instant; /* its field of instant power is there */
	bool has_module; /* and the one of the module it sits on */
	size_t domain,
		module_domain; /* indices of its readings; ES_NVML_NO_MODULE: not the one that reads it */
	struct es_nvml_gpu_signals signals;
	unsigned long long uses_us; /* newest time of what its processes kept busy */
	uint64_t last_mj; /* of the counter, and when it was last seen to move */
	int64_t moved_ns;
};

/** struct es_nvml_gpus - the library and its GPUs, used by one thread */
struct es_nvml_gpus {
	struct es_root root; /* a descriptor of its own */
	struct es_nvml nvml;
	bool is_open, is_started;
	struct es_nvml_gpu *gpus;
	unsigned n;
	struct es_domain *domains; /* made by begin, then the source's */
	size_t n_domains;
	struct es_signal *signals; /* likewise */
	size_t n_signals;
	struct es_reading *signal_readings; /* [n_signals] the newest */
	int64_t signals_read_ns; /* when, boot clock; 0: never */
	struct es_nvml_gpm_metrics *metrics; /* scratch */
	atomic_bool spares_profilers; /* set by others: what they may want is left alone */
	struct es_nvml_users users;
	bool needs_mending; /* a GPU is lost: handles are got anew */
	int64_t retry_ns,
		pause_ns; /* not before, boot clock; twice as long after each time in vain */
};

/** es_nvml_gpus_begin - open and start the library, find its GPUs, their domains and signals; how many of both, or negative errno */
int es_nvml_gpus_begin(void *arg, struct es_error *err);
/** es_nvml_gpus_read - each domain once, then the signals, which are read anew once a second */
void es_nvml_gpus_read(void *arg, struct es_reading *ret, size_t n);
/**
 * es_nvml_gpus_release - shut the library down and close it: nothing of the driver stays open or mapped
 * es_nvml_gpus_take - have it again; each GPU is known by its UUID, and tried again where it cannot be had yet
 */
void es_nvml_gpus_release(void *arg);
void es_nvml_gpus_take(void *arg);
/** es_nvml_gpus_end - everything is given back, @arg too */
void es_nvml_gpus_end(void *arg);

/** es_nvml_ask_uuid - a device's own number, or an instance's; "" where it is not told */
void es_nvml_ask_uuid(const struct es_nvml *nvml, struct es_nvml_device *device,
		      char ret[static 64]);

/** es_nvml_describe - make the domains of all GPUs; 0 or -ENOMEM */
int es_nvml_describe(struct es_nvml_gpus *gpus);
/** es_nvml_update_ns - how often the values of this chip are refreshed */
int64_t es_nvml_update_ns(const struct es_nvml_gpu *gpu);

#endif
