/*
 * core/gpu_board.h - the most that a GPU can draw, where no meter says what it does
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CORE_GPU_BOARD_H
#define ES_CORE_GPU_BOARD_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A card of PCI Express takes at most that much: 75 W from its slot, 75 W from a plug of 6 pins and 150 W from one of 8
 * (PCI Express Card Electromechanical Specification 3.0, 1.1). What takes more is a module, or named in the table.
 */
#define ES_GPU_BOARD_CARD_W 300U

/**
 * es_gpu_board_w - maximum board power of a GPU in watts
 * @model: in words that end with its numbers on the bus, "NVIDIA 10de:2330"; "" or others: not known
 * @ret_is_known: the table has it, from its maker's data sheet; else it is ES_GPU_BOARD_CARD_W
 */
uint32_t es_gpu_board_w(const char *model, bool *ret_is_known);

#endif
