/*
 * source/cray.h - the text of Cray's pm_counters
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_SOURCE_CRAY_H
#define ES_SOURCE_CRAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** struct es_cray_value - what one file shows */
struct es_cray_value {
	uint64_t number; /* J or W, as the file says */
	char unit; /* 'J', 'W', or 0: none is shown */
	bool has_time;
	int64_t t_us; /* of the meter's own clock, since 1970 */
};

/**
 * es_cray_parse - "12345 J 1734094386462336 us\n", "85 W\n" of older software, or a bare number; padded with NULs or not
 *
 * Returns 0; -ENODATA: nothing there; -EBADMSG: something else, or cut off; -ERANGE: a number that does not fit.
 * Source: Cray-HPE/docs-csm, User_Access_to_Compute_Node_Power_Data.md; reference/hardware.md A.9.
 */
int es_cray_parse(const char *text, size_t n, struct es_cray_value *ret);

#endif
