/*
 * dcmi.c - what a simulated management controller answers to DCMI, apart from the simulator that asks
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "twin/dcmi.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GROUP 0xDC
#define NS_PER_S INT64_C(1000000000)

enum command {
	CAPABILITIES = 0x01,
	POWER_READING = 0x02,
	GET_LIMIT = 0x03,
	SET_LIMIT = 0x04,
	ACTIVATE_LIMIT = 0x05,
};

enum completion {
	DONE = 0x00,
	NO_LIMIT = 0x80, /* of get limit: none is active */
	LIMIT_OUT_OF_RANGE = 0x84,
	CORRECTION_OUT_OF_RANGE = 0x85,
	NOT_SUPPORTED = 0xC1,
	WRONG_LENGTH = 0xC7,
	OUT_OF_RANGE = 0xC9,
	WRONG_FIELD = 0xCC,
	NOT_NOW = 0xD5,
	UNSPECIFIED = 0xFF,
};

static const struct {
	uint8_t code;
	uint8_t s;
} averages[ES_TWIN_DCMI_AVERAGES] = { { 0x05, 5 }, { 0x1E, 30 }, { 0x41, 60 } };

uint8_t es_twin_dcmi_average(size_t i)
{
	return averages[i].code;
}

int64_t es_twin_dcmi_average_ns(size_t i)
{
	return averages[i].s * NS_PER_S;
}

size_t es_twin_dcmi_print(const struct es_twin_dcmi *dcmi,
			  char text[static ES_TWIN_DCMI_TEXT_BYTES])
{
	int n = snprintf(text, ES_TWIN_DCMI_TEXT_BYTES, "watts %u\nperiod %u %u %u %u\ntime %u\n",
			 dcmi->watts, dcmi->period_ms, dcmi->period.mean_w, dcmi->period.min_w,
			 dcmi->period.max_w, dcmi->t_s);

	for (size_t i = 0; i < ES_TWIN_DCMI_AVERAGES; i++)
		n += snprintf(text + n, ES_TWIN_DCMI_TEXT_BYTES - (size_t)n,
			      "average %zu %u %u %u\n", i, dcmi->averages[i].mean_w,
			      dcmi->averages[i].min_w, dcmi->averages[i].max_w);
	if (dcmi->has_limit)
		n += snprintf(text + n, ES_TWIN_DCMI_TEXT_BYTES - (size_t)n, "limits %u %u\n",
			      dcmi->limit_min_w, dcmi->limit_max_w);
	if (dcmi->cap.is_set)
		n += snprintf(text + n, ES_TWIN_DCMI_TEXT_BYTES - (size_t)n,
			      "limit %u %u %u %u\n%s", dcmi->cap.watts, dcmi->cap.correction_ms,
			      dcmi->cap.sampling_s, dcmi->cap.exception,
			      dcmi->cap.is_active ? "active\n" : "");
	return (size_t)n;
}

/* @n numbers, each up to its maximum, and nothing behind them. */
static int take_numbers(const char *text, const uint32_t *max, size_t n, uint32_t *ret)
{
	for (size_t i = 0; i < n; i++) {
		unsigned long long value;
		char *end;

		if (*text++ != ' ' || *text < '0' || *text > '9')
			return -EBADMSG;
		value = strtoull(text, &end, 10);
		if (value > max[i])
			return -EBADMSG;
		ret[i] = (uint32_t)value;
		text = end;
	}
	return *text == '\0' ? 0 : -EBADMSG;
}

static int take_watts(const char *text, uint32_t first_max, uint32_t *ret_first,
		      struct es_twin_watts *ret)
{
	const uint32_t max[] = { first_max, UINT16_MAX, UINT16_MAX, UINT16_MAX };
	uint32_t v[4];

	if (take_numbers(text, max, 4, v) < 0)
		return -EBADMSG;
	*ret_first = v[0];
	*ret = (struct es_twin_watts){ (uint16_t)v[1], (uint16_t)v[2], (uint16_t)v[3] };
	return 0;
}

static int take_cap(const char *text, struct es_twin_cap *ret)
{
	const uint32_t max[] = { UINT16_MAX, UINT32_MAX, UINT16_MAX, UINT8_MAX };
	uint32_t v[4];

	if (take_numbers(text, max, 4, v) < 0)
		return -EBADMSG;
	ret->is_set = true;
	ret->watts = (uint16_t)v[0];
	ret->correction_ms = v[1];
	ret->sampling_s = (uint16_t)v[2];
	ret->exception = (uint8_t)v[3];
	return 0;
}

static int take_line(const char *line, struct es_twin_dcmi *dcmi)
{
	const uint32_t one[] = { UINT16_MAX }, clock[] = { UINT32_MAX },
		       two[] = { UINT16_MAX, UINT16_MAX };
	size_t n = strcspn(line, " ");
	struct es_twin_watts watts;
	uint32_t v[2];

	if (strncmp(line, "watts ", 6) == 0) {
		if (take_numbers(line + n, one, 1, v) < 0)
			return -EBADMSG;
		dcmi->watts = (uint16_t)v[0];
	} else if (strncmp(line, "time ", 5) == 0) {
		return take_numbers(line + n, clock, 1, &dcmi->t_s);
	} else if (strncmp(line, "period ", 7) == 0) {
		return take_watts(line + n, UINT32_MAX, &dcmi->period_ms, &dcmi->period);
	} else if (strncmp(line, "average ", 8) == 0) {
		if (take_watts(line + n, ES_TWIN_DCMI_AVERAGES - 1, &v[0], &watts) < 0)
			return -EBADMSG;
		dcmi->averages[v[0]] = watts;
	} else if (strncmp(line, "limits ", 7) == 0) {
		if (take_numbers(line + n, two, 2, v) < 0)
			return -EBADMSG;
		dcmi->has_limit = true;
		dcmi->limit_min_w = (uint16_t)v[0];
		dcmi->limit_max_w = (uint16_t)v[1];
	} else if (strncmp(line, "limit ", 6) == 0) {
		return take_cap(line + n, &dcmi->cap);
	} else if (strcmp(line, "active") == 0 && dcmi->cap.is_set) {
		dcmi->cap.is_active = true;
	} else {
		return -EBADMSG;
	}
	return 0;
}

int es_twin_dcmi_parse(const char *text, struct es_twin_dcmi *ret)
{
	struct es_twin_dcmi dcmi = { .watts = 0 };
	char line[128];
	bool has_watts = false;

	while (*text) {
		size_t n = strcspn(text, "\n");

		/* Cut off: half a number is a wrong one. */
		if (n >= sizeof(line) || text[n] != '\n')
			return -EBADMSG;
		memcpy(line, text, n);
		line[n] = '\0';
		if (take_line(line, &dcmi) < 0)
			return -EBADMSG;
		has_watts |= strncmp(line, "watts", 5) == 0;
		text += n + 1;
	}
	if (!has_watts)
		return -EBADMSG;
	*ret = dcmi;
	return 0;
}

int es_twin_dcmi_parse_order(const char *text, struct es_twin_cap *ret)
{
	struct es_twin_cap cap = *ret;
	bool activates = strcmp(text, "activate") == 0;

	if (strncmp(text, "limit ", 6) == 0) {
		if (take_cap(text + 5, &cap) < 0)
			return -EBADMSG;
	} else if (activates || strcmp(text, "deactivate") == 0) {
		if (!cap.is_set)
			return -ENODATA;
		cap.is_active = activates;
	} else {
		return -EBADMSG;
	}
	*ret = cap;
	return 0;
}

static void put_u16(uint8_t *p, unsigned value)
{
	p[0] = (uint8_t)value;
	p[1] = (uint8_t)(value >> 8);
}

static void put_u32(uint8_t *p, uint32_t value)
{
	put_u16(p, value & 0xFFFF);
	put_u16(p + 2, value >> 16);
}

static unsigned u16_of(const uint8_t *p)
{
	return p[0] | (unsigned)p[1] << 8;
}

static uint32_t u32_of(const uint8_t *p)
{
	return u16_of(p) | (uint32_t)u16_of(p + 2) << 16;
}

static size_t fail(uint8_t *ret, enum completion code)
{
	ret[0] = (uint8_t)code;
	ret[1] = GROUP;
	return 2;
}

static size_t answer_capabilities(const uint8_t *data, size_t n, uint8_t *ret)
{
	if (n != 2)
		return fail(ret, WRONG_LENGTH);
	ret[2] = 1; /* DCMI 1.5, revision 2 of its parameters */
	ret[3] = 5;
	ret[4] = 2;
	switch (data[1]) {
	case 1:
		ret[6] = 1; /* power management */
		ret[7] = 7; /* by its own channel, by LAN, by serial line */
		return 8;
	case 5:
		ret[5] = ES_TWIN_DCMI_AVERAGES;
		for (size_t i = 0; i < ES_TWIN_DCMI_AVERAGES; i++)
			ret[6 + i] = averages[i].code;
		return 6 + ES_TWIN_DCMI_AVERAGES;
	default:
		return fail(ret, WRONG_FIELD);
	}
}

static size_t answer_reading(const struct es_twin_dcmi *dcmi, const uint8_t *data, size_t n,
			     uint8_t *ret)
{
	struct es_twin_watts watts = dcmi->period;
	uint32_t period_ms = dcmi->period_ms;

	if (n != 4)
		return fail(ret, WRONG_LENGTH);
	if (data[1] == 2) {
		size_t i = 0;

		while (i < ES_TWIN_DCMI_AVERAGES && averages[i].code != data[2])
			i++;
		if (i == ES_TWIN_DCMI_AVERAGES)
			return fail(ret, WRONG_FIELD);
		watts = dcmi->averages[i];
		period_ms = averages[i].s * 1000U;
	} else if (data[1] != 1) {
		return fail(ret, WRONG_FIELD);
	}
	put_u16(ret + 2, dcmi->watts);
	put_u16(ret + 4, watts.min_w);
	put_u16(ret + 6, watts.max_w);
	put_u16(ret + 8, watts.mean_w);
	put_u32(ret + 10, dcmi->t_s);
	put_u32(ret + 14, period_ms);
	ret[18] = 0x40; /* it is measured */
	return 19;
}

static size_t answer_limit(const struct es_twin_dcmi *dcmi, size_t n, uint8_t *ret)
{
	if (n != 3)
		return fail(ret, WRONG_LENGTH);
	/* The limit that is kept is told also where it is not active. */
	ret[0] = dcmi->cap.is_active ? DONE : NO_LIMIT;
	ret[4] = dcmi->cap.exception;
	put_u16(ret + 5, dcmi->cap.watts);
	put_u32(ret + 7, dcmi->cap.correction_ms);
	put_u16(ret + 13, dcmi->cap.sampling_s);
	return 15;
}

static enum completion completion_of(int error)
{
	switch (error) {
	case 0:
		return DONE;
	case -EINVAL:
	case -ERANGE:
		return LIMIT_OUT_OF_RANGE;
	case -EOPNOTSUPP:
		return NOT_SUPPORTED;
	case -ENODATA:
		return NOT_NOW;
	default:
		return UNSPECIFIED;
	}
}

static size_t take_limit(const struct es_twin_dcmi *dcmi, const uint8_t *data, size_t n,
			 es_twin_dcmi_order_fn order, void *arg, uint8_t *ret)
{
	char text[96];
	unsigned watts;
	uint32_t correction_ms;

	if (n != 15)
		return fail(ret, WRONG_LENGTH);
	watts = u16_of(data + 5);
	correction_ms = u32_of(data + 7);
	if (watts < dcmi->limit_min_w || watts > dcmi->limit_max_w)
		return fail(ret, LIMIT_OUT_OF_RANGE);
	if (correction_ms == 0 || correction_ms > 3600000)
		return fail(ret, CORRECTION_OUT_OF_RANGE);
	(void)snprintf(text, sizeof(text), "limit %u %u %u %u", watts, correction_ms,
		       u16_of(data + 13), data[4]);
	return fail(ret, completion_of(order(arg, text)));
}

size_t es_twin_dcmi_answer(const struct es_twin_dcmi *dcmi, uint8_t command, const uint8_t *data,
			   size_t n, es_twin_dcmi_order_fn order, void *arg,
			   uint8_t ret[static ES_TWIN_DCMI_ANSWER_BYTES])
{
	memset(ret, 0, ES_TWIN_DCMI_ANSWER_BYTES);
	ret[1] = GROUP;
	if (n < 1 || data[0] != GROUP)
		return fail(ret, WRONG_FIELD);
	switch (command) {
	case CAPABILITIES:
		return answer_capabilities(data, n, ret);
	case POWER_READING:
		return answer_reading(dcmi, data, n, ret);
	default:
		break;
	}
	if (command > ACTIVATE_LIMIT || command < CAPABILITIES || !dcmi->has_limit)
		return fail(ret, NOT_SUPPORTED);
	if (command == GET_LIMIT)
		return answer_limit(dcmi, n, ret);
	if (command == SET_LIMIT)
		return take_limit(dcmi, data, n, order, arg, ret);
	if (n != 4)
		return fail(ret, WRONG_LENGTH);
	if (data[1] > 1)
		return fail(ret, OUT_OF_RANGE);
	return fail(ret, completion_of(order(arg, data[1] ? "activate" : "deactivate")));
}
