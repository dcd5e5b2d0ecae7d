/*
 * source/gpu.h - what the sources of GPUs share: which one it is, and whether it sleeps
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_GPU_H
#define ES_SOURCE_GPU_H

#include <stdbool.h>
#include <stdint.h>

#include "core/domain.h"
#include "source/kept.h"
#include "sys/root.h"

/** es_gpu_is_address - whether @text is a PCI address as the kernel writes it: 0000:17:00.0 */
bool es_gpu_is_address(const char *text);

/**
 * es_gpu_place - @domain is what the meter of the device at @address shows: its type, number, name and device
 * @source: whose domain; the id is made anew
 * @is_apu: its power is that of a processor with its graphics: a module that contains the package
 * @chip: tile or chip of the card; -1: the whole card
 *
 * GPUs are numbered in the order of their addresses, as es_pci_find_gpus() has them.
 */
void es_gpu_place(const struct es_root *root, const char *source, const char *address, bool is_apu,
		  int32_t chip, struct es_domain *domain);

/** es_gpu_is_apu - whether the device of AMD at @address is graphics and processor in one package */
bool es_gpu_is_apu(const struct es_root *root, const char *address);

/**
 * es_gpu_is_second_chip - whether AMD's driver shows nothing of the chip at @address since the first one of its module shows all
 *
 * Of MI250X power, energy and limit are the module's, and of the second chip 0 (aldebaran_ppt.c of the kernel): that is no
 * measured zero. A chip that sleeps is not asked.
 */
bool es_gpu_is_second_chip(const struct es_root *root, const char *address);
/** es_gpu_say_second_chip - make @domain one that has no meter, and say why */
void es_gpu_say_second_chip(struct es_domain *domain);

/** es_gpu_open_status - the file that says whether the device at @address sleeps; es_kept_close() it */
void es_gpu_open_status(const struct es_root *root, const char *address, struct es_kept *ret);
/** es_gpu_is_asleep - whether a read would wake it; what cannot be known does not */
bool es_gpu_is_asleep(const struct es_root *root, struct es_kept *status, int64_t now_ns);

#endif
