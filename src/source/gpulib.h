/*
 * source/gpulib.h - GPUs by a vendor's library, where the kernel's own files do not show their energy
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_GPULIB_H
#define ES_SOURCE_GPULIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "core/domain.h"
#include "source/source.h"
#include "sys/root.h"

#define ES_GPULIB_METERS_MAX 128U

/** struct es_gpulib_meter - one counter or power of one GPU, as a library lists it */
struct es_gpulib_meter {
	void *handle; /* the library's */
	char address[24]; /* of its GPU on the bus: 0000:c1:00.0 */
	int32_t die; /* tile or chip of the card; -1: the whole card */
	char part[16]; /* what of the card it is, for its name; "": all */
	bool is_power; /* mW instead of µJ */
	bool is_unclear; /* what it measures is not known: listed, in no sum */
	uint64_t unit_nj; /* one step of the counter */
	uint64_t limit_mw; /* 0: not known */
	char model[64], uuid[64];
	int error; /* negative errno: it cannot be read now */
};

/** struct es_gpulib_value - one reading */
struct es_gpulib_value {
	uint64_t value; /* µJ or mW */
	bool has_time;
	int64_t meter_ns; /* when the meter says that it was, on a clock of its own */
};

/** struct es_gpulib_ops - a library; all of it is called by one thread, one call after the other */
struct es_gpulib_ops {
	const struct es_source_ops *source;
	const char *vendor; /* of its GPUs, as es_pci_gpu.model begins */
	const char *fix; /* the command that lets a user ask it, where that is refused */
	bool is_kept; /* it cannot be started anew in one process: after a loss its devices are only listed again */
	/* Whether there is a library, without starting it: 0 or -ENOENT */
	int (*find)(const struct es_root *root, struct es_error *err);
	/* Open the library and start it. -ENOENT: there is none here. */
	int (*open)(const struct es_root *root, void **ret, struct es_error *err);
	/* What it can read; room for ES_GPULIB_METERS_MAX. Returns how many, or negative errno. */
	int (*list)(void *library, const struct es_root *root, struct es_gpulib_meter *meters,
		    struct es_error *err);
	/* 0 or negative errno; -ENODEV: handles lead nowhere any more, the library is started anew. */
	int (*read)(void *library, const struct es_gpulib_meter *meter,
		    struct es_gpulib_value *ret);
	/* Its power in mW now, beside a counter: asked where that one stands. NULL: it cannot be told. */
	int (*power)(void *library, const struct es_gpulib_meter *meter, uint64_t *ret_mw);
	void (*close)(void *library);
};

/**
 * es_gpulib_open - the open of a source of @ops
 * Returns 0; -ENODEV: no GPU of this vendor; -ENOENT: no library. Else why it cannot be asked is told for each GPU.
 */
int es_gpulib_open(const struct es_gpulib_ops *ops, const struct es_root *root,
		   struct es_source **ret, struct es_error *err);

/** es_gpulib_is_needed - whether a GPU of @vendor has no meter among @domains that can be read */
bool es_gpulib_is_needed(const struct es_root *root, const char *vendor,
			 const struct es_domain *domains, size_t n);

/** es_gpulib_text - what a vendor's library gave as a text, as text of ASCII without control characters */
void es_gpulib_text(const char *text, size_t n, char *ret, size_t size);

/** es_gpulib_address - where the bus has a device with these numbers, as the kernel writes it */
void es_gpulib_address(uint64_t domain, unsigned bus, unsigned device, unsigned function,
		       char ret[static 24]);

#endif
