/*
 * lib_nvml.h - the look-alike of NVIDIA's library: its numbers, its structs, and how a handle is read
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Names, numbers and layouts as in nvml.h, version 12 (https://docs.nvidia.com/deploy/nvml-api); sys/nvml.h has those that we use ourselves.
 */
#ifndef ES_TWIN_LIB_NVML_H
#define ES_TWIN_LIB_NVML_H

#include "sys/nvml.h"
#include "twin/lib_gpu.h"

#define ES_NVML_ALREADY_INITIALIZED 5
#define ES_NVML_INSUFFICIENT_SIZE 7
#define ES_NVML_ARGUMENT_VERSION_MISMATCH 25

/** es_lib_nvml_find - whose handle this is, and its state; @ret_instance: -1: a whole GPU. ES_NVML_OK, or what a call with it returns (GPU and instance are set anyway) */
int es_lib_nvml_find(const struct es_nvml_device *device, struct es_lib_gpu *ret, unsigned *ret_gpu,
		     int *ret_instance);
/** es_lib_nvml_gpu - the same for what only a whole GPU can be asked */
int es_lib_nvml_gpu(const struct es_nvml_device *device, struct es_lib_gpu *ret, unsigned *ret_gpu);
/** es_lib_nvml_handle - of a GPU or an instance of it */
struct es_nvml_device *es_lib_nvml_handle(unsigned gpu, int instance, uint64_t loads);
/** es_lib_nvml_gpu_instance - the number by which an instance is known */
int es_lib_nvml_gpu_instance(struct es_nvml_device *mig, unsigned *id);
/** es_lib_nvml_error - negative errno of a knob as the library says it */
int es_lib_nvml_error(int r);
/** es_lib_nvml_text - copy what fits */
int es_lib_nvml_text(const char *text, char *ret, unsigned size);
/** es_lib_nvml_profile - 3g.20gb; and the memory that comes with it, of which of 8 slices */
void es_lib_nvml_profile(const struct es_lib_gpu *gpu, char ret[static 24]);
uint64_t es_lib_nvml_instance_bytes(const struct es_lib_gpu *gpu);

#endif
