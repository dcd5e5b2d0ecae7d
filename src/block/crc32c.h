/*
 * crc32c.h - the checksum of frames and blocks
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_BLOCK_CRC32C_H
#define ES_BLOCK_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/**
 * es_crc32c - CRC-32C (Castagnoli, reflected 0x82F63B78) of @n bytes
 * @crc: 0 to begin, else the value so far
 *
 * Source: RFC 3720 appendix B.4 (its vectors are in the unit test).
 */
uint32_t es_crc32c(uint32_t crc, const void *data, size_t n);

#endif
