/*
 * parse.c - numbers and quantities with units, exactly, in the C locale
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "base/parse.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/hot.h"

/* Digits at *p into *ret; false where there is none; sticks at -ERANGE. */
es_hot static int take_u64(const char **p, const char *end, uint64_t *ret)
{
	uint64_t v = 0;
	const char *start = *p;

	for (; *p < end && **p >= '0' && **p <= '9'; (*p)++) {
		unsigned digit = (unsigned)(**p - '0');

		if (v > (UINT64_MAX - digit) / 10)
			return -ERANGE;
		v = v * 10 + digit;
	}
	if (*p == start)
		return -EBADMSG;
	*ret = v;
	return 0;
}

int es_parse_u64(const char *text, uint64_t *ret)
{
	const char *p = text, *end = text + strlen(text);
	uint64_t v;
	int r = take_u64(&p, end, &v);

	if (r < 0)
		return r;
	if (p != end)
		return -EBADMSG;
	*ret = v;
	return 0;
}

int es_parse_i64(const char *text, int64_t *ret)
{
	bool is_negative = text[0] == '-';
	uint64_t v;
	int r = es_parse_u64(text + is_negative, &v);

	if (r < 0)
		return r;
	if (v > (uint64_t)INT64_MAX + is_negative)
		return -ERANGE;
	*ret = (int64_t)(is_negative ? 0 - v : v);
	return 0;
}

es_hot int es_parse_u64_sysfs(const char *text, size_t n, uint64_t *ret)
{
	const char *p = text, *end = text + n;
	uint64_t v;
	int r;

	if (n == 0 || text[0] == '\n')
		return -ENODATA;
	r = take_u64(&p, end, &v);
	if (r < 0)
		return r;
	/*
	 * A number without its newline may be the start of a longer one. Only the first line counts: the test player
	 * shortens a value in two steps, the kernel never shows two lines.
	 */
	if (p == end || *p != '\n')
		return -EBADMSG;
	*ret = v;
	return 0;
}

int es_parse_double(const char *text, double *ret)
{
	char *end;
	double v;

	/* Whole text, decimal only: strtod would take hexadecimal, spaces, inf and nan. */
	if (text[0] == '\0' || strspn(text, "0123456789+-.eE") != strlen(text))
		return -EBADMSG;
	errno = 0;
	v = strtod(text, &end);
	if (*end != '\0' || end == text)
		return -EBADMSG;
	if (!isfinite(v))
		return -ERANGE;
	*ret = v;
	return 0;
}

/* A decimal number being read: digits that count, and the power of ten behind them. */
struct decimal {
	uint64_t digits;
	int64_t exponent;
	size_t n; /* digits seen at all */
	bool is_negative;
};

#define DECIMAL_DIGITS_LIMIT ((UINT64_MAX - 9) / 10)

static const char *take_digits(struct decimal *decimal, const char *p, const char *end,
			       bool is_fraction)
{
	for (; p < end && *p >= '0' && *p <= '9'; p++, decimal->n++) {
		/* More digits than these are below what is returned, or it does not fit anyway. */
		if (decimal->digits > DECIMAL_DIGITS_LIMIT) {
			decimal->exponent += !is_fraction;
			continue;
		}
		decimal->digits = decimal->digits * 10 + (unsigned)(*p - '0');
		decimal->exponent -= is_fraction;
	}
	return p;
}

/* An exponent counts only where digits follow: in "12 eV" there is none, nor in "12e". */
static const char *take_exponent(struct decimal *decimal, const char *p, const char *end)
{
	const char *digit = p + 1;
	bool is_negative = false;
	int64_t exponent = 0;

	if (p == end || (*p != 'e' && *p != 'E'))
		return p;
	if (digit < end && (*digit == '+' || *digit == '-'))
		is_negative = *digit++ == '-';
	if (digit == end || *digit < '0' || *digit > '9')
		return p;
	for (; digit < end && *digit >= '0' && *digit <= '9'; digit++)
		exponent = exponent < 100000 ? exponent * 10 + (*digit - '0') : exponent;
	decimal->exponent += is_negative ? -exponent : exponent;
	return digit;
}

/* digits * 10^exponent as an integer, rounded to nearest. */
static int scale(const struct decimal *decimal, int64_t *ret)
{
	uint64_t v = decimal->digits;
	int64_t exponent = decimal->exponent;
	bool rounds_up = false;

	for (; v && exponent > 0; exponent--) {
		if (v > INT64_MAX / 10)
			return -ERANGE;
		v *= 10;
	}
	for (; v && exponent < 0; exponent++) {
		rounds_up = v % 10 >= 5;
		v /= 10;
	}
	v += rounds_up && exponent == 0;
	if (v > INT64_MAX)
		return -ERANGE;
	*ret = decimal->is_negative ? -(int64_t)v : (int64_t)v;
	return 0;
}

int es_parse_micro(const char *text, size_t n, int64_t *ret, size_t *ret_used)
{
	const char *p = text, *end = text + n;
	struct decimal decimal = { .exponent = 6 };
	int64_t v;
	int r;

	if (p < end && (*p == '-' || *p == '+'))
		decimal.is_negative = *p++ == '-';
	p = take_digits(&decimal, p, end, false);
	if (p < end && *p == '.')
		p = take_digits(&decimal, p + 1, end, true);
	if (decimal.n == 0)
		return -EBADMSG;
	p = take_exponent(&decimal, p, end);
	r = scale(&decimal, &v);
	if (r < 0)
		return r;
	*ret = v;
	*ret_used = (size_t)(p - text);
	return 0;
}

struct unit {
	const char *name;
	uint64_t factor;
};

#define FRACTION_DIGITS_MAX 19U /* 10^19 fits 64 bits */

__extension__ typedef unsigned __int128 es_u128;

/* value = (whole + fraction) * factor, exactly; a fraction that leaves a rest is -ERANGE. */
static int scale_decimal(uint64_t whole, const char *fraction, size_t n_digits, uint64_t factor,
			 uint64_t *ret)
{
	uint64_t digits = 0, ten_to_n = 1;
	es_u128 v;

	if (n_digits > FRACTION_DIGITS_MAX)
		return -ERANGE;
	for (size_t i = 0; i < n_digits; i++) {
		digits = digits * 10 + (uint64_t)(fraction[i] - '0');
		ten_to_n *= 10;
	}
	v = (es_u128)digits * factor;
	if (v % ten_to_n != 0)
		return -ERANGE;
	v = v / ten_to_n + (es_u128)whole * factor;
	if (v > UINT64_MAX)
		return -ERANGE;
	*ret = (uint64_t)v;
	return 0;
}

static int parse_quantity(const char *text, const struct unit *units, size_t n_units, uint64_t *ret)
{
	const char *p = text, *end = text + strlen(text), *fraction;
	uint64_t whole = 0;
	size_t n_digits = 0;
	int r = 0;

	if (*p != '.')
		r = take_u64(&p, end, &whole);
	if (r < 0)
		return r;
	fraction = p;
	if (*p == '.') {
		fraction = ++p;
		while (isdigit((unsigned char)*p))
			p++;
		n_digits = (size_t)(p - fraction);
		if (n_digits == 0)
			return -EBADMSG;
		while (n_digits > 0 && fraction[n_digits - 1] == '0')
			n_digits--;
	}
	if (*p == ' ')
		p++;
	if (*p == '\0' && whole == 0 && n_digits == 0) {
		*ret = 0;
		return 0;
	}
	for (size_t i = 0; i < n_units; i++)
		if (strcmp(p, units[i].name) == 0)
			return scale_decimal(whole, fraction, n_digits, units[i].factor, ret);
	return -EBADMSG;
}

int es_parse_duration_ns(const char *text, int64_t *ret_ns)
{
	static const struct unit units[] = {
		{ "ns", 1 },
		{ "us", 1000 },
		{ "µs", 1000 },
		{ "µs", 1000 },
		{ "ms", 1000000 },
		{ "s", 1000000000 },
		{ "m", 60000000000 },
		{ "min", 60000000000 },
		{ "h", 3600000000000 },
		{ "d", 86400000000000 },
	};
	uint64_t v;
	int r = parse_quantity(text, units, ES_ARRAY_SIZE(units), &v);

	if (r < 0)
		return r;
	if (v > (uint64_t)INT64_MAX)
		return -ERANGE;
	*ret_ns = (int64_t)v;
	return 0;
}

int es_parse_power_mw(const char *text, uint64_t *ret_mw)
{
	static const struct unit units[] = {
		{ "mW", 1 }, { "W", 1000 }, { "kW", 1000000 }, { "MW", 1000000000 }
	};

	return parse_quantity(text, units, ES_ARRAY_SIZE(units), ret_mw);
}

int es_parse_freq_khz(const char *text, uint64_t *ret_khz)
{
	static const struct unit units[] = {
		{ "Hz", 1 }, { "kHz", 1000 }, { "MHz", 1000000 }, { "GHz", 1000000000 }
	};
	uint64_t hz;
	int r = parse_quantity(text, units, ES_ARRAY_SIZE(units), &hz);

	if (r < 0)
		return r;
	if (hz % 1000)
		return -ERANGE;
	*ret_khz = hz / 1000;
	return 0;
}

int es_parse_share_ppm(const char *text, int64_t *ret_ppm)
{
	static const struct unit units[] = { { "%", 10000 }, { "", 1000000 } };
	bool is_negative = text[0] == '-';
	uint64_t v;
	int r = parse_quantity(text + is_negative, units, ES_ARRAY_SIZE(units), &v);

	if (r < 0)
		return r;
	if (v > (uint64_t)INT64_MAX)
		return -ERANGE;
	if (v > 1000000 && !strchr(text, '%'))
		return -EBADMSG;
	*ret_ppm = is_negative ? -(int64_t)v : (int64_t)v;
	return 0;
}

int es_parse_size_bytes(const char *text, uint64_t *ret_bytes)
{
	static const struct unit units[] = {
		{ "B", 1 },
		{ "kB", 1000 },
		{ "MB", 1000000 },
		{ "GB", 1000000000 },
		{ "KiB", 1024 },
		{ "MiB", 1024 * 1024 },
		{ "GiB", 1024 * 1024 * 1024 },
	};

	return parse_quantity(text, units, ES_ARRAY_SIZE(units), ret_bytes);
}

char *es_duration_text(int64_t dur_ns, char text[static ES_QUANTITY_TEXT_BYTES])
{
	int64_t s = dur_ns / ES_NS_PER_S;

	if (dur_ns < ES_NS_PER_MS)
		(void)snprintf(text, ES_QUANTITY_TEXT_BYTES, "%.3g µs", (double)dur_ns / 1e3);
	else if (dur_ns < ES_NS_PER_S)
		(void)snprintf(text, ES_QUANTITY_TEXT_BYTES, "%.4g ms", (double)dur_ns / 1e6);
	else if (s < 60)
		(void)snprintf(text, ES_QUANTITY_TEXT_BYTES, "%.4g s", (double)dur_ns / 1e9);
	else if (s < 3600)
		(void)snprintf(text, ES_QUANTITY_TEXT_BYTES, "%d min %02d s", (int)(s / 60),
			       (int)(s % 60));
	else if (s % 3600 < 60)
		(void)snprintf(text, ES_QUANTITY_TEXT_BYTES, "%lld h", (long long)(s / 3600));
	else
		(void)snprintf(text, ES_QUANTITY_TEXT_BYTES, "%lld h %02d min",
			       (long long)(s / 3600), (int)(s % 3600 / 60));
	return text;
}

char *es_number_text(double value, char text[static ES_QUANTITY_TEXT_BYTES])
{
	int decimals = 2;

	if (!isfinite(value)) {
		(void)snprintf(text, ES_QUANTITY_TEXT_BYTES, "n/a");
		return text;
	}
	if (fabs(value) >= 1e20) {
		(void)snprintf(text, ES_QUANTITY_TEXT_BYTES, "%.6g", value);
		return text;
	}
	if (value != 0.0) {
		double by_size = 2.0 - floor(log10(fabs(value)));

		/* 15 decimals: below a picowatt-hour nothing is left to show. */
		decimals = by_size < 2.0 ? 2 : by_size > 15.0 ? 15 : (int)by_size;
	}
	(void)snprintf(text, ES_QUANTITY_TEXT_BYTES, "%.*f", decimals, value);
	return text;
}
