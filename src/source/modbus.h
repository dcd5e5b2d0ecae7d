/*
 * source/modbus.h - which registers a Modbus meter's URL names
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_MODBUS_H
#define ES_SOURCE_MODBUS_H

#include <stddef.h>
#include <stdint.h>

#define ES_MODBUS_VALUES_MAX 32U /* summed up to one reading */

/**
 * es_modbus_registers_parse - "40", "40+42+44": where values of @width registers begin
 *
 * Returns how many, in rising order; -EBADMSG: no numbers; -ERANGE: beyond 65535; -E2BIG; -EINVAL: they overlap.
 */
int es_modbus_registers_parse(const char *text, size_t width, uint16_t *ret, size_t max);

/** es_modbus_block - how many of the first values follow each other without a hole, so that one request has them all */
size_t es_modbus_block(const uint16_t *registers, size_t n, size_t width);

#endif
