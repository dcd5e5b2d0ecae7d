/*
 * core/gpu_board.c - the most that a GPU can draw, where no meter says what it does
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/gpu_board.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

/* Board power of its maker's data sheet (TDP, TBP, or "max power"); numbers by pci.ids. */
static const struct board {
	unsigned vendor, device;
	uint32_t power_w;
} boards[] = {
	{ 0x10de, 0x102d, 150 }, /* K80, each of two */
	{ 0x10de, 0x15f8, 250 }, /* P100 PCIe */
	{ 0x10de, 0x15f9, 300 }, /* P100 SXM2 */
	{ 0x10de, 0x1db1, 300 }, /* V100 SXM2 16 GB */
	{ 0x10de, 0x1db4, 250 }, /* V100 PCIe 16 GB */
	{ 0x10de, 0x1db5, 300 }, /* V100 SXM2 32 GB */
	{ 0x10de, 0x1db6, 250 }, /* V100 PCIe 32 GB */
	{ 0x10de, 0x1eb8, 70 }, /* T4 */
	{ 0x10de, 0x20b0, 400 }, /* A100 SXM4 40 GB */
	{ 0x10de, 0x20b2, 400 }, /* A100 SXM4 80 GB */
	{ 0x10de, 0x20b5, 300 }, /* A100 PCIe 80 GB */
	{ 0x10de, 0x20b7, 165 }, /* A30 */
	{ 0x10de, 0x20f1, 250 }, /* A100 PCIe 40 GB */
	{ 0x10de, 0x2235, 300 }, /* A40 */
	{ 0x10de, 0x2236, 150 }, /* A10 */
	{ 0x10de, 0x2330, 700 }, /* H100 SXM5 */
	{ 0x10de, 0x2331, 350 }, /* H100 PCIe */
	{ 0x10de, 0x2335, 700 }, /* H200 SXM */
	{ 0x10de, 0x26b5, 300 }, /* L40 */
	{ 0x10de, 0x26b9, 350 }, /* L40S */
	{ 0x10de, 0x27b8, 72 }, /* L4 */
	{ 0x10de, 0x2901, 1000 }, /* B200 */
	{ 0x1002, 0x66a1, 300 }, /* MI60, MI50 */
	{ 0x1002, 0x738c, 300 }, /* MI100 */
	{ 0x1002, 0x7408, 560 }, /* MI250X, either half may have all of it */
	{ 0x1002, 0x740c, 560 }, /* MI250X, MI250 */
	{ 0x1002, 0x740f, 300 }, /* MI210 */
	{ 0x1002, 0x74a0, 760 }, /* MI300A, liquid cooled */
	{ 0x1002, 0x74a1, 750 }, /* MI300X */
	{ 0x1002, 0x74a5, 1000 }, /* MI325X */
	{ 0x8086, 0x0bd5, 600 }, /* Max 1550 */
	{ 0x8086, 0x0bda, 300 }, /* Max 1100 */
	{ 0x8086, 0x56c0, 150 }, /* Flex 170 */
	{ 0x8086, 0x56c1, 75 }, /* Flex 140 */
};

uint32_t es_gpu_board_w(const char *model, bool *ret_is_known)
{
	const char *numbers = strrchr(model, ' ');
	unsigned vendor, device;

	*ret_is_known = false;
	if (sscanf(numbers ? numbers + 1 : model, "%4x:%4x", &vendor, &device) != 2)
		return ES_GPU_BOARD_CARD_W;
	for (size_t i = 0; i < ES_ARRAY_SIZE(boards); i++)
		if (boards[i].vendor == vendor && boards[i].device == device) {
			*ret_is_known = true;
			return boards[i].power_w;
		}
	return ES_GPU_BOARD_CARD_W;
}
