/*
 * clock.c - the clocks, and times in words
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "base/clock.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hot.h"

es_hot static int64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	/* Cannot fail: all three clocks exist since Linux 2.6.39. */
	(void)clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * ES_NS_PER_S + ts.tv_nsec;
}

es_hot int64_t es_clock_boot_ns(void)
{
	return clock_ns(CLOCK_BOOTTIME);
}

es_hot int64_t es_clock_mono_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

es_hot int64_t es_clock_unix_ns(void)
{
	return clock_ns(CLOCK_REALTIME);
}

static time_t floor_seconds(int64_t t_ns, int64_t *ret_rest_ns)
{
	int64_t s = t_ns / ES_NS_PER_S, rest_ns = t_ns % ES_NS_PER_S;

	if (rest_ns < 0) {
		rest_ns += ES_NS_PER_S;
		s--;
	}
	*ret_rest_ns = rest_ns;
	return (time_t)s;
}

static char *local_text(int64_t t_unix_ns, bool has_us, char text[static ES_TIME_TEXT_BYTES])
{
	int64_t rest_ns;
	time_t s = floor_seconds(t_unix_ns, &rest_ns);
	struct tm tm;
	char date[32];
	long offset_min;

	if (!localtime_r(&s, &tm) || strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm) == 0) {
		text[0] = '\0';
		return text;
	}
	offset_min = tm.tm_gmtoff / 60;
	(void)snprintf(text, ES_TIME_TEXT_BYTES, "%s.%0*d%c%02ld:%02ld", date, has_us ? 6 : 3,
		       (int)(rest_ns / (has_us ? ES_NS_PER_US : ES_NS_PER_MS)),
		       offset_min < 0 ? '-' : '+', labs(offset_min) / 60, labs(offset_min) % 60);
	return text;
}

char *es_time_rfc3339(int64_t t_unix_ns, char text[static ES_TIME_TEXT_BYTES])
{
	return local_text(t_unix_ns, false, text);
}

char *es_time_rfc3339_us(int64_t t_unix_ns, char text[static ES_TIME_TEXT_BYTES])
{
	return local_text(t_unix_ns, true, text);
}

char *es_time_rfc3339_utc(int64_t t_unix_ns, char text[static ES_TIME_TEXT_BYTES])
{
	int64_t rest_ns;
	time_t s = floor_seconds(t_unix_ns, &rest_ns);
	struct tm tm;
	char date[32];

	if (!gmtime_r(&s, &tm) || strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm) == 0) {
		text[0] = '\0';
		return text;
	}
	(void)snprintf(text, ES_TIME_TEXT_BYTES, "%s.%03dZ", date, (int)(rest_ns / ES_NS_PER_MS));
	return text;
}

char *es_time_local_seconds(int64_t t_unix_ns, char text[static ES_TIME_TEXT_BYTES])
{
	int64_t rest_ns;
	time_t s = floor_seconds(t_unix_ns, &rest_ns);
	struct tm tm;

	if (!localtime_r(&s, &tm) ||
	    strftime(text, ES_TIME_TEXT_BYTES, "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		text[0] = '\0';
	return text;
}

/* Exactly @n_digits digits at *p, within [lo, hi]. */
static bool take_digits(const char **p, int n_digits, int lo, int hi, int *ret)
{
	int v = 0;

	for (int i = 0; i < n_digits; i++) {
		if (!isdigit((unsigned char)(*p)[i]))
			return false;
		v = v * 10 + ((*p)[i] - '0');
	}
	if (v < lo || v > hi)
		return false;
	*p += n_digits;
	*ret = v;
	return true;
}

static bool take_char(const char **p, const char *any_of)
{
	if (**p == '\0' || !strchr(any_of, **p))
		return false;
	(*p)++;
	return true;
}

static bool take_fraction(const char **p, int64_t *ret_ns)
{
	int64_t scale = ES_NS_PER_S / 10, ns = 0;

	if (!take_char(p, ".,")) {
		*ret_ns = 0;
		return true;
	}
	if (!isdigit((unsigned char)**p))
		return false;
	for (; isdigit((unsigned char)**p); (*p)++, scale /= 10)
		ns += (**p - '0') * scale;
	*ret_ns = ns;
	return true;
}

/* Z, +hh:mm, +hhmm, +hh; nothing: has_zone false. */
static bool take_zone(const char **p, bool *ret_has_zone, int *ret_offset_s)
{
	int hours, minutes = 0, sign;

	*ret_has_zone = false;
	*ret_offset_s = 0;
	if (**p == '\0')
		return true;
	*ret_has_zone = true;
	if (take_char(p, "Zz"))
		return true;
	sign = **p == '-' ? -1 : 1;
	if (!take_char(p, "+-") || !take_digits(p, 2, 0, 23, &hours))
		return false;
	(void)take_char(p, ":");
	if (**p != '\0' && !take_digits(p, 2, 0, 59, &minutes))
		return false;
	*ret_offset_s = sign * (hours * 3600 + minutes * 60);
	return true;
}

static int parse_at_seconds(const char *p, int64_t *ret_unix_ns)
{
	int64_t s = 0, ns;

	if (!isdigit((unsigned char)*p))
		return -EBADMSG;
	for (; isdigit((unsigned char)*p); p++) {
		if (s > INT64_MAX / ES_NS_PER_S / 10 - 1)
			return -EBADMSG;
		s = s * 10 + (*p - '0');
	}
	if (!take_fraction(&p, &ns) || *p != '\0')
		return -EBADMSG;
	*ret_unix_ns = s * ES_NS_PER_S + ns;
	return 0;
}

static bool is_day_of_month(const struct tm *tm)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year = tm->tm_year, month = tm->tm_mon;
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return tm->tm_mday <= days[month - 1] + (month == 2 && is_leap);
}

int es_time_parse(const char *text, int64_t *ret_unix_ns)
{
	struct tm tm = { .tm_isdst = -1 };
	const char *p = text;
	int64_t ns;
	bool has_zone;
	int offset_s;
	time_t s;

	if (take_char(&p, "@"))
		return parse_at_seconds(p, ret_unix_ns);
	if (!take_digits(&p, 4, 1900, 2260, &tm.tm_year) || !take_char(&p, "-/") ||
	    !take_digits(&p, 2, 1, 12, &tm.tm_mon) || !take_char(&p, "-/") ||
	    !take_digits(&p, 2, 1, 31, &tm.tm_mday) || !take_char(&p, "Tt ") ||
	    !take_digits(&p, 2, 0, 24, &tm.tm_hour) || !take_char(&p, ":") ||
	    !take_digits(&p, 2, 0, 59, &tm.tm_min) || !take_char(&p, ":") ||
	    !take_digits(&p, 2, 0, 60, &tm.tm_sec) || !take_fraction(&p, &ns) ||
	    !take_zone(&p, &has_zone, &offset_s) || *p != '\0')
		return -EBADMSG;
	/* timegm() would go on into the next month or day; midnight may be written as 24:00:00 (ISO 8601). */
	if (!is_day_of_month(&tm) || (tm.tm_hour == 24 && (tm.tm_min || tm.tm_sec || ns)))
		return -EBADMSG;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	s = has_zone ? timegm(&tm) - offset_s : mktime(&tm);
	*ret_unix_ns = (int64_t)s * ES_NS_PER_S + ns;
	return 0;
}
