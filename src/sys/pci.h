/*
 * sys/pci.h - devices for computing on the PCI bus
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SYS_PCI_H
#define ES_SYS_PCI_H

#include <stdint.h>

#include "sys/root.h"

/** struct es_pci_gpu - a GPU that the bus shows, whether or not a driver does */
struct es_pci_gpu {
	char address[16]; /* 0000:17:00.0 */
	char model[64]; /* "NVIDIA 10de:2330", vendor and numbers as on the bus */
	char driver[32]; /* bound kernel driver; "": none */
};

#define ES_PCI_GPUS_MAX 64U

/**
 * es_pci_find_gpus - GPUs and other accelerators of NVIDIA, AMD and Intel, in order of their addresses
 *
 * Class 0x03 (display) and 0x12 (processing accelerators), without what is inside the processor package and in its
 * energy already (Intel's 00:02.0; AMD's boot display beside an AMD processor), without virtual functions, and
 * without the plain display chips of management controllers.
 * @ret: room for ES_PCI_GPUS_MAX. Returns how many there are, 0 where there is no PCI bus to look at.
 */
uint32_t es_pci_find_gpus(const struct es_root *root, struct es_pci_gpu *ret);

#endif
