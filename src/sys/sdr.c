/*
 * sys/sdr.c - the sensors of a BMC that show watts, from its sensor data records
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Source: IPMI specification 2.0 rev. 1.1, sections 33 (repository), 35.14 (reading), 36.3 (conversion), 43.1 and 43.15
 * (full sensor record, names).
 */
#include "sys/sdr.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define COMMAND_STATE 0x20U
#define COMMAND_RESERVE 0x22U
#define COMMAND_RECORD 0x23U
#define COMMAND_READING 0x2DU

#define HEADER_BYTES 5U
#define FULL_BYTES 48U /* of a full sensor record before its name */
#define RECORD_MAX_BYTES (HEADER_BYTES + 255U)
#define TYPE_FULL 1U
#define UNIT_WATTS 6U
#define FORMAT_NONE 3U
#define LINEARIZATION_MAX 11U
#define LAST_RECORD 0xFFFFU
#define RECORDS_MAX 4096
#define WHOLE 0xFFU /* all that is left of a record in one answer */
#define PART_BYTES 16U /* what every BMC gives at once */
#define TRIES \
	12 /* others may take the reservation away, again and again where they read the table, too */
#define TRY_AGAIN_NS (4 * ES_NS_PER_MS)
#define WATTS_MAX 1e6

#define IS_UNAVAILABLE 0x20U
#define IS_SCANNED 0x40U

static uint16_t get_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

/* The low @n_bits of @value as two's complement. */
static int16_t sign_extend(uint32_t value, unsigned n_bits)
{
	uint32_t sign = UINT32_C(1) << (n_bits - 1);

	return (int16_t)((int32_t)((value ^ sign) & (2 * sign - 1)) - (int32_t)sign);
}

/* A character that may be shown; what controls terminals may not. @size counts the NUL too. */
static void put_char(unsigned c, char *ret, size_t size, size_t *at)
{
	if (c < 0x20 || (c >= 0x7F && c < 0xA0))
		c = '?';
	if (*at + 3 > size)
		return;
	if (c < 0x80) {
		ret[(*at)++] = (char)c;
	} else {
		ret[(*at)++] = (char)(0xC0 | c >> 6);
		ret[(*at)++] = (char)(0x80 | (c & 0x3F));
	}
}

/* Characters of six bits each, the first in the lowest bits. */
static void unpack(const uint8_t *p, size_t n, char *ret, size_t size, size_t *at)
{
	for (size_t bit = 0; bit + 6 <= 8 * n; bit += 6) {
		unsigned next = bit / 8 + 1 < n ? p[bit / 8 + 1] : 0;

		put_char(0x20 + (((p[bit / 8] | next << 8) >> bit % 8) & 0x3F), ret, size, at);
	}
}

/* Type and length, then the characters: section 43.15. */
static int parse_name(const uint8_t *p, size_t n, char ret[static ES_SDR_NAME_BYTES])
{
	static const char bcd_plus[] = "0123456789 -.:,_";
	size_t length = p[0] & 0x1FU, at = 0;
	unsigned type = p[0] >> 6;

	if (length > n - 1)
		return -EBADMSG;
	if (type == 2)
		unpack(p + 1, length, ret, ES_SDR_NAME_BYTES, &at);
	for (size_t i = 1; type != 2 && i <= length; i++) {
		if (type != 1) {
			put_char(p[i], ret, ES_SDR_NAME_BYTES, &at);
			continue;
		}
		put_char((unsigned char)bcd_plus[p[i] >> 4], ret, ES_SDR_NAME_BYTES, &at);
		put_char((unsigned char)bcd_plus[p[i] & 15], ret, ES_SDR_NAME_BYTES, &at);
	}
	while (at > 0 && (ret[at - 1] == ' ' || ret[at - 1] == '\0'))
		at--;
	ret[at] = '\0';
	return 0;
}

/* Ten bits in hundredths of a percent, times a power of ten. */
static uint32_t accuracy_ppm(const uint8_t *record)
{
	uint32_t accuracy = (record[27] & 0x3FU) | (uint32_t)(record[28] >> 4) << 6;

	for (unsigned i = 0; i < (record[28] >> 2 & 3U); i++)
		accuracy *= 10;
	return accuracy * 100;
}

static bool is_in_watts(const uint8_t *record)
{
	/* Neither a percentage, nor a rate, nor with a second unit. */
	return record[20] >> 6 != FORMAT_NONE && (record[20] & 0x3FU) == 0 &&
	       record[21] == UNIT_WATTS;
}

int es_sdr_parse(const uint8_t *record, size_t n, struct es_sdr_sensor *ret)
{
	struct es_sdr_sensor sensor = { .owner = 0 };
	int r;

	if (n < HEADER_BYTES || n > RECORD_MAX_BYTES)
		return -EBADMSG;
	if (record[3] != TYPE_FULL)
		return -ENOENT;
	if (n < FULL_BYTES)
		return -EBADMSG;
	if (!is_in_watts(record))
		return -ENOENT;
	r = parse_name(record + 47, n - 47, sensor.name);
	if (r < 0)
		return r;
	sensor.owner = record[5];
	sensor.lun = record[6] & 3U;
	sensor.number = record[7];
	sensor.entity = record[8];
	sensor.instance = record[9] & 0x7FU;
	sensor.format = record[20] >> 6;
	sensor.linearization = record[23] & 0x7FU;
	sensor.m = sign_extend(record[24] | (record[25] & 0xC0U) << 2, 10);
	sensor.b = sign_extend(record[26] | (record[27] & 0xC0U) << 2, 10);
	sensor.r_exponent = (int8_t)sign_extend(record[29] >> 4, 4);
	sensor.b_exponent = (int8_t)sign_extend(record[29] & 15U, 4);
	sensor.accuracy_ppm = accuracy_ppm(record);
	*ret = sensor;
	return sensor.linearization > LINEARIZATION_MAX ? -EOPNOTSUPP : 0;
}

int es_sdr_parse_reading(const uint8_t *data, size_t n, uint8_t *ret_raw)
{
	if (n < 2)
		return -EBADMSG;
	if ((data[1] & IS_UNAVAILABLE) || !(data[1] & IS_SCANNED))
		return -ENODATA;
	*ret_raw = data[0];
	return 0;
}

static double linearize(uint8_t linearization, double x)
{
	switch (linearization) {
	case 1:
		return log(x);
	case 2:
		return log10(x);
	case 3:
		return log2(x);
	case 4:
		return exp(x);
	case 5:
		return pow(10, x);
	case 6:
		return exp2(x);
	case 7:
		return 1 / x;
	case 8:
		return x * x;
	case 9:
		return x * x * x;
	case 10:
		return sqrt(x);
	case 11:
		return cbrt(x);
	default:
		return x;
	}
}

int es_sdr_convert(const struct es_sdr_sensor *sensor, uint8_t raw, double *ret_w)
{
	int value = raw;
	double watts;

	if (sensor->linearization > LINEARIZATION_MAX)
		return -EOPNOTSUPP;
	if (sensor->format == 1 && (raw & 0x80U))
		value = -(int)(0xFFU - raw);
	else if (sensor->format == 2)
		value = sign_extend(raw, 8);
	watts = (sensor->m * value + sensor->b * pow(10, sensor->b_exponent)) *
		pow(10, sensor->r_exponent);
	watts = linearize(sensor->linearization, watts);
	if (!(watts >= 0 && watts <= WATTS_MAX))
		return -ERANGE;
	*ret_w = watts;
	return 0;
}

/* How far one is in reading a BMC's records. */
struct walk {
	struct es_ipmi *ipmi;
	uint16_t reservation;
	uint8_t part_bytes; /* asked for at once */
	int64_t until_ns; /* monotonic clock */
};

static ssize_t ask(struct es_ipmi *ipmi, uint8_t command, const uint8_t *data, size_t n_data,
		   uint8_t *ret, size_t size, struct es_error *err)
{
	const struct es_ipmi_request request = {
		.netfn = ES_IPMI_NETFN_STORAGE,
		.command = command,
		.data = data,
		.n = n_data,
	};

	return es_ipmi_ask(ipmi, &request, ret, size, err);
}

int es_sdr_ask_state(struct es_ipmi *ipmi, struct es_sdr_state *ret, struct es_error *err)
{
	uint8_t answer[ES_IPMI_DATA_MAX_BYTES];
	ssize_t n = ask(ipmi, COMMAND_STATE, NULL, 0, answer, sizeof(answer), err);

	if (n < 0)
		return (int)n;
	if (n < 13)
		return es_error_say(err, -EBADMSG,
				    "the BMC's answer about its sensors is malformed");
	*ret = (struct es_sdr_state){
		.n_records = get_u16(answer + 1),
		.added_t_s = get_u16(answer + 5) | (uint32_t)get_u16(answer + 7) << 16,
		.erased_t_s = get_u16(answer + 9) | (uint32_t)get_u16(answer + 11) << 16,
	};
	return 0;
}

static int reserve(struct walk *walk, struct es_error *err)
{
	uint8_t answer[ES_IPMI_DATA_MAX_BYTES];
	ssize_t n = ask(walk->ipmi, COMMAND_RESERVE, NULL, 0, answer, sizeof(answer), err);

	if (n < 0)
		return (int)n;
	if (n < 2)
		return es_error_say(err, -EBADMSG, "the BMC's reservation is malformed");
	walk->reservation = get_u16(answer);
	return 0;
}

/* @n_wanted bytes of a record from @offset on, or all: their number. */
static ssize_t ask_part(struct walk *walk, uint16_t id, size_t offset, uint8_t n_wanted,
			uint8_t *ret, size_t size, uint16_t *ret_next, struct es_error *err)
{
	const uint8_t data[] = { (uint8_t)walk->reservation,
				 (uint8_t)(walk->reservation >> 8),
				 (uint8_t)id,
				 (uint8_t)(id >> 8),
				 (uint8_t)offset,
				 n_wanted };
	uint8_t answer[ES_IPMI_DATA_MAX_BYTES];
	ssize_t n =
		ask(walk->ipmi, COMMAND_RECORD, data, sizeof(data), answer, sizeof(answer), err);

	if (n < 0)
		return n;
	if (n < 3 || (size_t)n - 2 > size || (n_wanted != WHOLE && n - 2 > n_wanted))
		return es_error_say(err, -EBADMSG, "the BMC's record of a sensor is malformed");
	*ret_next = get_u16(answer);
	memcpy(ret, answer + 2, (size_t)n - 2);
	return n - 2;
}

static int say_late(struct es_error *err)
{
	return es_error_say(err, -ETIMEDOUT,
			    "the BMC's table of sensors takes too long; "
			    "a longer timeout= waits for it");
}

static ssize_t ask_in_parts(struct walk *walk, uint16_t id, uint8_t *ret, uint16_t *ret_next,
			    struct es_error *err)
{
	size_t at = 0, n_all = HEADER_BYTES;

	while (at < n_all) {
		size_t left = n_all - at;
		ssize_t n = ask_part(walk, id, at,
				     (uint8_t)(left < walk->part_bytes ? left : walk->part_bytes),
				     ret + at, RECORD_MAX_BYTES - at, ret_next, err);

		if (n < 0)
			return n;
		if (es_clock_mono_ns() > walk->until_ns)
			return say_late(err);
		at += (size_t)n;
		if (at >= HEADER_BYTES)
			n_all = HEADER_BYTES + ret[4];
	}
	return (ssize_t)n_all;
}

/* Whoever takes the reservation from us reads on meanwhile: each waits longer each time, and not as long as the other. */
static void let_others_read(int tries)
{
	int64_t wait_ns = tries * (TRY_AGAIN_NS + es_clock_mono_ns() % (2 * TRY_AGAIN_NS));
	const struct timespec wait = { .tv_sec = 0, .tv_nsec = wait_ns };

	(void)nanosleep(&wait, NULL);
}

/* One record, the way this BMC gives them. */
static ssize_t ask_record(struct walk *walk, uint16_t id, uint8_t ret[static RECORD_MAX_BYTES],
			  uint16_t *ret_next, struct es_error *err)
{
	ssize_t n = -EAGAIN;

	for (int tries = 0; n == -EAGAIN && tries < TRIES; tries++) {
		if (tries > 0) {
			int r;

			let_others_read(tries);
			r = reserve(walk, err);

			if (r < 0)
				return r;
		}
		if (walk->part_bytes == WHOLE) {
			n = ask_part(walk, id, 0, WHOLE, ret, RECORD_MAX_BYTES, ret_next, err);
			if (n != -EMSGSIZE && (n < 0 || (n >= (ssize_t)HEADER_BYTES &&
							 n >= (ssize_t)HEADER_BYTES + ret[4])))
				continue;
			walk->part_bytes = PART_BYTES;
		}
		n = ask_in_parts(walk, id, ret, ret_next, err);
	}
	return n;
}

/* Keep the sensor of a record, if it is one in watts. */
static int keep(const uint8_t *record, size_t n, struct es_sdr_sensor *sensors, size_t *n_sensors,
		struct es_error *err)
{
	struct es_sdr_sensor sensor;
	int r = es_sdr_parse(record, n, &sensor);

	if (r < 0 && r != -EOPNOTSUPP)
		return 0;
	if (*n_sensors == ES_SDR_SENSORS_MAX)
		return es_error_say(err, -E2BIG, "the BMC has more than %u sensors in watts",
				    ES_SDR_SENSORS_MAX);
	sensors[(*n_sensors)++] = sensor;
	return 0;
}

int es_sdr_find(struct es_ipmi *ipmi, int64_t within_ns, struct es_sdr_sensor **ret, size_t *ret_n,
		struct es_error *err)
{
	es_cleanup(es_freep) struct es_sdr_sensor *sensors =
		calloc(ES_SDR_SENSORS_MAX, sizeof(*sensors));
	struct walk walk = { .ipmi = ipmi,
			     .part_bytes = WHOLE,
			     .until_ns = es_clock_mono_ns() + within_ns };
	uint8_t record[RECORD_MAX_BYTES];
	uint16_t id = 0, next = 0;
	size_t n_sensors = 0;
	int r;

	if (!sensors)
		return es_error_set(err, -ENOMEM, "IPMI sensors");
	r = reserve(&walk, err);
	/* A BMC whose table never changes may have no reservations. */
	if (r < 0 && r != -EOPNOTSUPP)
		return r;
	/* A table that leads back to a record before this one never ends. */
	for (int i = 0; id != LAST_RECORD; i++, id = next) {
		ssize_t n = i < RECORDS_MAX ? ask_record(&walk, id, record, &next, err) : -E2BIG;

		if (es_clock_mono_ns() > walk.until_ns)
			return say_late(err);
		if (n == -ENOENT && i == 0)
			break; /* no records at all */
		if (n == -E2BIG)
			return es_error_say(err, -E2BIG, "the BMC's table of sensors has no end");
		if (n < 0)
			return (int)n;
		r = keep(record, (size_t)n, sensors, &n_sensors, err);
		if (r < 0)
			return r;
	}
	*ret = es_steal_ptr(sensors);
	*ret_n = n_sensors;
	return 0;
}

int es_sdr_ask(struct es_ipmi *ipmi, const struct es_sdr_sensor *sensor, double *ret_w,
	       struct es_error *err)
{
	const struct es_ipmi_request request = {
		.netfn = ES_IPMI_NETFN_SENSOR,
		.lun = sensor->lun,
		.command = COMMAND_READING,
		.data = &sensor->number,
		.n = 1,
	};
	uint8_t answer[ES_IPMI_DATA_MAX_BYTES], raw = 0;
	ssize_t n;
	int r;

	if (sensor->owner != ES_SDR_OWNER_BMC)
		return es_error_say(err, -EOPNOTSUPP,
				    "sensor '%s' belongs to controller 0x%02x behind the BMC",
				    sensor->name, sensor->owner);
	n = es_ipmi_ask(ipmi, &request, answer, sizeof(answer), err);
	if (n < 0)
		return (int)n;
	r = es_sdr_parse_reading(answer, (size_t)n, &raw);
	if (r == 0)
		r = es_sdr_convert(sensor, raw, ret_w);
	if (r == -ENODATA)
		return es_error_say(err, r, "sensor '%s' has no value now", sensor->name);
	if (r < 0)
		return es_error_set(err, r, "sensor '%s'", sensor->name);
	return 0;
}
