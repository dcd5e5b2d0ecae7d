/*
 * parse.h - numbers and quantities with units, exactly, in the C locale
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_BASE_PARSE_H
#define ES_BASE_PARSE_H

#include <stddef.h>
#include <stdint.h>

/** es_parse_u64 - a whole decimal number, nothing before or behind; 0, -EBADMSG, or -ERANGE */
int es_parse_u64(const char *text, uint64_t *ret);
int es_parse_i64(const char *text, int64_t *ret);
/** es_parse_u64_sysfs - a decimal number as sysfs shows it, with its newline; 0, -ENODATA where empty, -EBADMSG (cut off, too), -ERANGE */
int es_parse_u64_sysfs(const char *text, size_t n, uint64_t *ret);
/**
 * es_parse_micro - the decimal number that @n bytes begin with, in millionths
 * @ret_used: how many bytes it takes
 *
 * Sign, fraction and exponent are allowed ("-1.5e+06"); what is below a millionth is rounded to nearest.
 * Returns 0; -EBADMSG: they begin with no number; -ERANGE: it does not fit.
 */
int es_parse_micro(const char *text, size_t n, int64_t *ret, size_t *ret_used);
/** es_parse_double - a finite decimal number (C locale); 0, -EBADMSG or -ERANGE */
int es_parse_double(const char *text, double *ret);

/*
 * Quantities carry a unit: "100ms", "2s", "350W", "2.4GHz", "5%". Zero needs no unit. Fractions are exact to the unit
 * returned; more digits than it holds are -ERANGE, as are values that do not fit. -EBADMSG: no number, no unit, or
 * a unit of something else.
 */
int es_parse_duration_ns(const char *text, int64_t *ret_ns); /* ns us µs ms s m min h d */
int es_parse_power_mw(const char *text, uint64_t *ret_mw); /* mW W kW MW */
int es_parse_freq_khz(const char *text, uint64_t *ret_khz); /* Hz kHz MHz GHz */
/* % or a bare fraction: 5% = 0.05 = 50000. 5 is -EBADMSG: who writes it means 5%. */
int es_parse_share_ppm(const char *text, int64_t *ret_ppm);
int es_parse_size_bytes(const char *text, uint64_t *ret_bytes); /* B kB KiB MB MiB GB GiB */

/* The only places where integers of energy and time become doubles. */
static inline double es_j_from_uj(uint64_t energy_uj)
{
	return (double)energy_uj / 1e6;
}
static inline double es_w_from_mw(uint64_t power_mw)
{
	return (double)power_mw / 1e3;
}
static inline double es_s_from_ns(int64_t dur_ns)
{
	return (double)dur_ns / 1e9;
}
#define ES_J_PER_KWH 3600000.0

#define ES_QUANTITY_TEXT_BYTES 32U

/** es_duration_text - a duration for people: 100 ms, 2.5 s, 22 min 30 s; returns @text */
char *es_duration_text(int64_t dur_ns, char text[static ES_QUANTITY_TEXT_BYTES]);

/**
 * es_number_text - @value with max(2, 2 - floor(log10 @value)) decimals, as the job line prints numbers
 *
 * 0 prints 0.00; what is not finite prints n/a. Returns @text.
 */
char *es_number_text(double value, char text[static ES_QUANTITY_TEXT_BYTES]);

#endif
