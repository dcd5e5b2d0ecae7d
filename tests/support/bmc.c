/*
 * bmc.c - a management controller that answers what it is told to, for tests
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/bmc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DCMI 0xDC

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

static int take_sensor(struct bmc *bmc, const char *text)
{
	struct bmc_sensor *sensor = &bmc->sensors[bmc->n_sensors];
	unsigned number, entity, instance, raw;

	if (bmc->n_sensors == BMC_SENSORS_MAX)
		return -E2BIG;
	*sensor = (struct bmc_sensor){ .owner = 0x20, .unit = 6, .name_type = 3, .flags = 0x40 };
	if (sscanf(text, "%u %u %u %d %u %31[^\n]", &number, &entity, &instance, &sensor->m, &raw,
		   sensor->name) != 6)
		return -EBADMSG;
	sensor->number = (uint8_t)number;
	sensor->entity = (uint8_t)entity;
	sensor->instance = (uint8_t)instance;
	sensor->raw = (uint8_t)raw;
	bmc->n_sensors++;
	return 0;
}

static int take_line(struct bmc *bmc, const char *line)
{
	const struct {
		const char *name;
		unsigned *number;
		bool *flag;
	} keys[] = {
		{ "watts", &bmc->watts, NULL },
		{ "mean", &bmc->mean_w, NULL },
		{ "time", &bmc->t_s, NULL },
		{ "period", &bmc->period_ms, NULL },
		{ "inactive", NULL, &bmc->is_inactive },
		{ "no-power", NULL, &bmc->has_no_power },
		{ "no-dcmi", NULL, &bmc->has_no_dcmi },
		{ "code", &bmc->code, NULL },
		{ "delay", &bmc->delay_ms, NULL },
		{ "cut", &bmc->cut, NULL },
		{ "noise", &bmc->noise, NULL },
		{ "mute", NULL, &bmc->is_mute },
		{ "part", &bmc->part_bytes, NULL },
	};
	size_t length = strcspn(line, " \n");
	unsigned long value = strtoul(line + length, NULL, 0);

	if (strncmp(line, "sensor ", 7) == 0)
		return take_sensor(bmc, line + 7);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strlen(keys[i].name) != length || strncmp(keys[i].name, line, length) != 0)
			continue;
		if (keys[i].number)
			*keys[i].number = (unsigned)value;
		else
			*keys[i].flag = value != 0;
		return 0;
	}
	return length == 0 ? 0 : -EBADMSG;
}

int bmc_load(struct bmc *bmc, const char *path)
{
	struct bmc loaded = { .n_averages = 3,
			      .averages = { 0x05, 0x1E, 0x41 },
			      .n_asked = bmc->n_asked,
			      .reservation = bmc->reservation };
	FILE *file = fopen(path, "re");
	char line[256];
	int r = 0;

	if (!file)
		return -errno;
	while (r == 0 && fgets(line, sizeof(line), file))
		r = take_line(&loaded, line);
	(void)fclose(file);
	if (r == 0)
		*bmc = loaded;
	return r;
}

static size_t answer_dcmi(const struct bmc *bmc, uint8_t command, const uint8_t *data, size_t n,
			  uint8_t *ret)
{
	bool is_average = n > 2 && data[1] == 2;

	memset(ret, 0, 64);
	if (bmc->has_no_dcmi || n < 2 || data[0] != DCMI || command < 1 || command > 2) {
		ret[0] = 0xC1;
		return 1;
	}
	ret[1] = DCMI;
	if (command == 2) {
		ret[0] = (uint8_t)bmc->code;
		put_u16(ret + 2, bmc->watts);
		put_u16(ret + 4, bmc->watts / 2);
		put_u16(ret + 6, bmc->watts * 2);
		put_u16(ret + 8, is_average ? bmc->mean_w : bmc->watts);
		put_u32(ret + 10, bmc->t_s);
		put_u32(ret + 14, bmc->period_ms);
		ret[18] = bmc->is_inactive ? 0 : 0x40;
		return bmc->code ? 1 : 19;
	}
	ret[2] = 1;
	ret[3] = 5;
	ret[4] = 2;
	if (data[1] == 1) {
		ret[6] = bmc->has_no_power ? 0 : 1;
		ret[7] = 7;
		return 8;
	}
	if (data[1] == 5) {
		ret[5] = (uint8_t)bmc->n_averages;
		memcpy(ret + 6, bmc->averages, bmc->n_averages);
		return 6 + bmc->n_averages;
	}
	ret[0] = 0xCC;
	return 1;
}

size_t bmc_put_record(const struct bmc_sensor *sensor, uint16_t id,
		      uint8_t ret[static BMC_ANSWER_BYTES])
{
	size_t length = strlen(sensor->name);

	memset(ret, 0, BMC_ANSWER_BYTES);
	put_u16(ret, id);
	ret[2] = 0x51;
	ret[3] = 1;
	ret[4] = (uint8_t)(43 + length);
	ret[5] = sensor->owner;
	ret[7] = sensor->number;
	ret[8] = sensor->entity;
	ret[9] = sensor->instance;
	ret[12] = 0x0B;
	ret[13] = 1;
	ret[20] = sensor->units1;
	ret[21] = sensor->unit;
	ret[23] = sensor->linearization;
	ret[24] = (uint8_t)sensor->m;
	ret[25] = (uint8_t)((unsigned)sensor->m >> 2 & 0xC0);
	ret[26] = (uint8_t)sensor->b;
	ret[27] = (uint8_t)(((unsigned)sensor->b >> 2 & 0xC0) | (sensor->accuracy & 0x3F));
	ret[28] = (uint8_t)(sensor->accuracy >> 6 << 4);
	ret[29] = (uint8_t)(((unsigned)sensor->r_exponent & 15) << 4 |
			    ((unsigned)sensor->b_exponent & 15));
	ret[47] = (uint8_t)((size_t)sensor->name_type << 6 | length);
	memcpy(ret + 48, sensor->name, length);
	return 48 + length;
}

static size_t answer_record(struct bmc *bmc, const uint8_t *data, size_t n, uint8_t *ret)
{
	uint8_t record[BMC_ANSWER_BYTES];
	size_t i, length, wanted, left;

	if (n != 6) {
		ret[0] = 0xC7;
		return 1;
	}
	if (bmc->n_cancelled > 0) {
		bmc->n_cancelled--;
		ret[0] = 0xC5;
		return 1;
	}
	i = data[2] + 256U * data[3];
	if (i >= bmc->n_sensors) {
		ret[0] = 0xCB;
		return 1;
	}
	length = bmc_put_record(&bmc->sensors[i], (uint16_t)i, record);
	left = data[4] < length ? length - data[4] : 0;
	wanted = data[5] == 0xFF || data[5] > left ? left : data[5];
	if (bmc->part_bytes > 0 && wanted > bmc->part_bytes) {
		ret[0] = 0xCA;
		return 1;
	}
	ret[0] = 0;
	put_u16(ret + 1, i + 1 < bmc->n_sensors ? (unsigned)i + 1 : bmc->is_endless ? 0 : 0xFFFF);
	memcpy(ret + 3, record + data[4], wanted);
	return 3 + wanted;
}

static size_t answer_storage(struct bmc *bmc, uint8_t command, const uint8_t *data, size_t n,
			     uint8_t *ret)
{
	memset(ret, 0, 16);
	switch (command) {
	case 0x20:
		ret[1] = 0x51;
		put_u16(ret + 2, (unsigned)bmc->n_sensors);
		put_u32(ret + 6, bmc->added_t_s);
		return 15;
	case 0x22:
		put_u16(ret + 1, ++bmc->reservation);
		return 3;
	case 0x23:
		return answer_record(bmc, data, n, ret);
	default:
		ret[0] = 0xC1;
		return 1;
	}
}

static size_t answer_reading(const struct bmc *bmc, const uint8_t *data, size_t n, uint8_t *ret)
{
	for (size_t i = 0; n == 1 && i < bmc->n_sensors; i++) {
		if (bmc->sensors[i].number != data[0])
			continue;
		ret[0] = (uint8_t)bmc->code;
		ret[1] = bmc->sensors[i].raw;
		ret[2] = bmc->sensors[i].flags;
		ret[3] = 0xC0;
		return bmc->code ? 1 : 4;
	}
	ret[0] = 0xCB;
	return 1;
}

size_t bmc_answer(struct bmc *bmc, uint8_t netfn, uint8_t command, const uint8_t *data, size_t n,
		  uint8_t ret[static BMC_ANSWER_BYTES])
{
	size_t length = 1;

	bmc->n_asked++;
	ret[0] = 0xC1;
	if (bmc->is_mute)
		return 0;
	if (netfn == 0x2C)
		length = answer_dcmi(bmc, command, data, n, ret);
	else if (netfn == 0x0A)
		length = answer_storage(bmc, command, data, n, ret);
	else if (netfn == 0x04 && command == 0x2D)
		length = answer_reading(bmc, data, n, ret);
	if (bmc->noise > 0 && length > 1)
		memset(ret + 1, (int)bmc->noise, length - 1);
	return bmc->cut < length ? length - bmc->cut : 0;
}
