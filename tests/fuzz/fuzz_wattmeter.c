/*
 * fuzz_wattmeter.c - any bytes as a wattmeter's file, and as a calibration
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <math.h>
#include <string.h>

#include "format/calibration.h"
#include "format/wattmeter.h"
#include "fuzz/target.h"

static void read_calibration(const char *text, size_t n)
{
	struct es_calibration calibration;
	struct es_error err = { .code = 0 };

	if (es_calibration_read(text, n, &calibration, &err) < 0) {
		fuzz_require(err.text[0] != '\0');
		return;
	}
	fuzz_require(calibration.slope > 0 && calibration.n_parts > 0 &&
		     calibration.lowest_w <= calibration.highest_w);
	fuzz_require(isfinite(es_calibration_bound_w(&calibration, 100)));
	es_calibration_finish(&calibration);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct es_wattmeter meter = { .n = 0 };
	struct es_error err = { .code = 0 };
	struct es_course course;
	char *text = malloc(n + 1);

	if (!text)
		return 0;
	if (n)
		memcpy(text, data, n);
	text[n] = '\0';
	read_calibration(text, n);
	if (es_wattmeter_parse(text, n, &meter, &err) < 0) {
		fuzz_require(err.text[0] != '\0');
	} else {
		fuzz_require(meter.n >= 2);
		for (size_t i = 1; i < meter.n; i++)
			fuzz_require(meter.readings[i - 1].t_unix_ns <=
				     meter.readings[i].t_unix_ns);
		if (es_wattmeter_course(&meter, INT64_MIN / 2, INT64_MAX / 2, 0, &course) == 0)
			es_course_finish(&course);
		es_wattmeter_finish(&meter);
	}
	free(text);
	return 0;
}
