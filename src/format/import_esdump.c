/*
 * import_esdump.c - the lists of registers that the original tool leaves: es_discover_result, es_read_rt_result
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/import_esdump.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "format/jsonscan.h"

/* One row as it stands in the file. */
struct row {
	char phy[32], cpu[32], address[32];
	uint64_t value, index;
	bool has_phy, has_cpu, has_address, has_value, has_index;
};

struct reading {
	struct es_scan scan;
	struct es_dump *dump;
	uint64_t index; /* of the row before */
	bool has_index;
	bool has_sweep;
};

/* A short text or a number in its place: some versions write "phy": 0. */
static bool take_text(struct reading *reading, int token, char ret[static 32])
{
	if (token != ES_SCAN_STRING && token != ES_SCAN_NUMBER)
		return false;
	return es_scan_copy(&reading->scan, ret, 32) == 0;
}

static bool take_u64(struct reading *reading, int token, uint64_t *ret)
{
	return token == ES_SCAN_NUMBER && es_scan_u64(&reading->scan, ret) == 0;
}

/* The members of a row, whose brace has been read; 0 or an error of the scanner */
static int take_row(struct reading *reading, struct row *ret)
{
	struct es_scan *scan = &reading->scan;
	int token;

	*ret = (struct row){ .index = 0 };
	while ((token = es_scan_next(scan)) == ES_SCAN_KEY) {
		struct es_scan key = *scan;
		int r;

		token = es_scan_next(scan);
		if (token < 0)
			return token;
		if (es_scan_is(&key, "adr_str"))
			ret->has_address = take_text(reading, token, ret->address);
		else if (es_scan_is(&key, "raw_value"))
			ret->has_value = take_u64(reading, token, &ret->value);
		else if (es_scan_is(&key, "phy"))
			ret->has_phy = take_text(reading, token, ret->phy);
		else if (es_scan_is(&key, "cpu"))
			ret->has_cpu = take_text(reading, token, ret->cpu);
		else if (es_scan_is(&key, "index"))
			ret->has_index = take_u64(reading, token, &ret->index);
		r = es_scan_skip(scan, token);
		if (r < 0)
			return r;
	}
	return token < 0 ? token : 0;
}

static int find_register(const char *address, enum es_register *ret)
{
	static const struct {
		unsigned long address;
		enum es_register reg;
	} known[] = {
		{ 0x010, ES_REG_TSC },
		{ 0x0ce, ES_REG_PLATFORM_INFO },
		{ 0x606, ES_REG_UNIT },
		{ 0x611, ES_REG_PACKAGE_ENERGY },
		{ 0x614, ES_REG_PACKAGE_INFO },
		{ 0x619, ES_REG_DRAM_ENERGY },
		{ 0x639, ES_REG_CORE_ENERGY },
		{ 0x641, ES_REG_UNCORE_ENERGY },
		{ 0xc0010064, ES_REG_PSTATE_0 },
		{ 0xc0010299, ES_REG_UNIT },
		{ 0xc001029b, ES_REG_AMD_PACKAGE_ENERGY },
	};
	unsigned long long v;
	char *end;

	if (strcmp(address, "gpu-nvidia-mjoule") == 0) {
		*ret = ES_REG_GPU_ENERGY;
		return 0;
	}
	if (address[0] != '0' || (address[1] != 'x' && address[1] != 'X'))
		return -ENOENT;
	v = strtoull(address, &end, 16);
	for (size_t i = 0; *end == '\0' && i < ES_ARRAY_SIZE(known); i++) {
		if (v == known[i].address) {
			*ret = known[i].reg;
			return 0;
		}
	}
	return -ENOENT;
}

/* Index of the package or GPU called @name; -E2BIG, -ENOMEM */
static int find_phy(struct es_dump *dump, const char *name, uint32_t *ret)
{
	struct es_dump_phy *phys;

	for (size_t i = 0; i < dump->n_phys; i++) {
		if (strcmp(dump->phys[i].name, name) == 0) {
			*ret = (uint32_t)i;
			return 0;
		}
	}
	if (dump->n_phys >= ES_DUMP_PHYS_MAX)
		return -E2BIG;
	phys = reallocarray(dump->phys, dump->n_phys + 1, sizeof(*phys));
	if (!phys)
		return -ENOMEM;
	dump->phys = phys;
	phys[dump->n_phys] = (struct es_dump_phy){ .last_stamp = ES_DUMP_NO_TSC };
	memcpy(phys[dump->n_phys].name, name, strlen(name) + 1);
	*ret = (uint32_t)dump->n_phys++;
	return 0;
}

static int find_channel(struct es_dump *dump, uint32_t phy, enum es_register reg, const char *cpu,
			struct es_dump_channel **ret)
{
	struct es_dump_channel *channels;

	for (size_t i = 0; i < dump->n_channels; i++) {
		if (dump->channels[i].phy == phy && dump->channels[i].reg == reg) {
			*ret = &dump->channels[i];
			return 0;
		}
	}
	channels = reallocarray(dump->channels, dump->n_channels + 1, sizeof(*channels));
	if (!channels)
		return -ENOMEM;
	dump->channels = channels;
	*ret = &channels[dump->n_channels++];
	**ret = (struct es_dump_channel){ .phy = phy, .reg = reg };
	memcpy((*ret)->cpu, cpu, strlen(cpu) + 1);
	return 0;
}

static int add_value(struct es_dump *dump, uint32_t phy, enum es_register reg,
		     const struct row *row)
{
	struct es_dump_channel *channel;
	int r = find_channel(dump, phy, reg, row->cpu, &channel);

	if (r < 0)
		return r;
	if (strcmp(channel->cpu, row->cpu) != 0)
		return 0;
	if (channel->n == channel->cap) {
		size_t cap = channel->cap ? channel->cap * 2 : 256;
		struct es_dump_row *rows = reallocarray(channel->rows, cap, sizeof(*rows));

		if (!rows)
			return -ENOMEM;
		channel->rows = rows;
		channel->cap = cap;
	}
	channel->rows[channel->n++] = (struct es_dump_row){
		.value = row->value,
		.sweep = dump->n_sweeps - 1,
		.n_stamps = (uint32_t)dump->n_stamps,
	};
	return 0;
}

static int add_stamp(struct es_dump *dump, uint32_t phy, uint64_t tsc)
{
	if (dump->n_stamps == dump->cap_stamps) {
		size_t cap = dump->cap_stamps ? dump->cap_stamps * 2 : 256;
		struct es_dump_stamp *stamps = reallocarray(dump->stamps, cap, sizeof(*stamps));

		if (!stamps)
			return -ENOMEM;
		dump->stamps = stamps;
		dump->cap_stamps = cap;
	}
	dump->phys[phy].last_stamp = (uint32_t)dump->n_stamps;
	dump->stamps[dump->n_stamps++] =
		(struct es_dump_stamp){ .tsc = tsc, .phy = phy, .sweep = dump->n_sweeps - 1 };
	return 0;
}

/* A sweep ends where the index changes; where indices repeat, at the next time stamp of a package that has one already. */
static void mind_sweep(struct reading *reading, const struct row *row, uint32_t phy,
		       enum es_register reg)
{
	struct es_dump *dump = reading->dump;
	const struct es_dump_phy *p = &dump->phys[phy];
	bool is_new = !reading->has_sweep;

	if (row->has_index && reading->has_index && row->index != reading->index)
		is_new = true;
	if (reg == ES_REG_TSC && p->last_stamp != ES_DUMP_NO_TSC &&
	    dump->stamps[p->last_stamp].sweep + 1 == dump->n_sweeps)
		is_new = true;
	if (row->has_index) {
		reading->index = row->index;
		reading->has_index = true;
	}
	reading->has_sweep = true;
	dump->n_sweeps += is_new;
}

static void set_once(bool *has, uint64_t *slot, uint64_t value)
{
	if (*has)
		return;
	*has = true;
	*slot = value;
}

static int use_row(struct reading *reading, const struct row *row)
{
	struct es_dump *dump = reading->dump;
	enum es_register reg;
	uint32_t phy;
	int r;

	if (!row->has_address || !row->has_phy) {
		dump->n_bad_rows++;
		return 0;
	}
	if (find_register(row->address, &reg) < 0)
		return 0;
	/* A register that could not be read: null, or a text in its place; a time stamp counter never shows 0. */
	if (!row->has_value || (reg == ES_REG_TSC && row->value == 0)) {
		dump->n_bad_rows++;
		return 0;
	}
	r = find_phy(dump, row->phy, &phy);
	if (r == -E2BIG)
		dump->n_bad_rows++;
	if (r < 0)
		return r == -E2BIG ? 0 : r;
	mind_sweep(reading, row, phy, reg);
	switch (reg) {
	case ES_REG_TSC:
		return add_stamp(dump, phy, row->value);
	case ES_REG_PLATFORM_INFO:
		set_once(&dump->phys[phy].has_platform_info, &dump->phys[phy].platform_info,
			 row->value);
		return 0;
	case ES_REG_UNIT:
		set_once(&dump->phys[phy].has_unit, &dump->phys[phy].unit, row->value);
		return 0;
	case ES_REG_PACKAGE_INFO:
		set_once(&dump->phys[phy].has_package_info, &dump->phys[phy].package_info,
			 row->value);
		return 0;
	case ES_REG_PSTATE_0:
		set_once(&dump->phys[phy].has_pstate, &dump->phys[phy].pstate, row->value);
		return 0;
	case ES_REG_PACKAGE_ENERGY:
	case ES_REG_DRAM_ENERGY:
	case ES_REG_CORE_ENERGY:
	case ES_REG_UNCORE_ENERGY:
	case ES_REG_AMD_PACKAGE_ENERGY:
	case ES_REG_GPU_ENERGY:
		return add_value(dump, phy, reg, row);
	}
	return 0;
}

/* "data": a list of rows. 0, -ENOMEM, or an error of the scanner */
static int take_data(struct reading *reading, int token)
{
	struct es_scan *scan = &reading->scan;

	if (token != ES_SCAN_ARRAY)
		return es_scan_skip(scan, token);
	while ((token = es_scan_next(scan)) >= 0 && token != ES_SCAN_ARRAY_END) {
		struct row row;
		int r;

		reading->dump->n_rows++;
		if (token != ES_SCAN_OBJECT) {
			reading->dump->n_bad_rows++;
			r = es_scan_skip(scan, token);
		} else {
			r = take_row(reading, &row);
			if (r == 0)
				r = use_row(reading, &row);
		}
		if (r < 0)
			return r;
	}
	return token < 0 ? token : 0;
}

static void take_member(struct reading *reading, const struct es_scan *key, int token)
{
	struct es_scan *scan = &reading->scan;
	struct es_dump *dump = reading->dump;
	char pgm[64] = "";

	if (es_scan_is(key, "eprofile_period(ms)") && token == ES_SCAN_NUMBER)
		(void)es_scan_u64(scan, &dump->period_ms);
	if (token != ES_SCAN_STRING)
		return;
	if (es_scan_is(key, "pgm") && es_scan_copy(scan, pgm, sizeof(pgm)) == 0) {
		dump->is_raw = strncmp(pgm, "es_read_rt", 10) == 0;
		dump->is_discovery = strncmp(pgm, "es_discover", 11) == 0;
	} else if (es_scan_is(key, "date")) {
		(void)es_scan_copy(scan, dump->date, sizeof(dump->date));
	} else if (es_scan_is(key, "timestamp")) {
		(void)es_scan_copy(scan, dump->timestamp, sizeof(dump->timestamp));
	} else if (es_scan_is(key, "job")) {
		(void)es_scan_copy(scan, dump->job, sizeof(dump->job));
	} else if (es_scan_is(key, "node")) {
		(void)es_scan_copy(scan, dump->node, sizeof(dump->node));
	}
}

static int take_members(struct reading *reading)
{
	struct es_scan *scan = &reading->scan;
	int token = es_scan_next(scan);

	if (token != ES_SCAN_OBJECT)
		return token < 0 ? token : -EBADMSG;
	while ((token = es_scan_next(scan)) == ES_SCAN_KEY) {
		struct es_scan key = *scan;
		int r;

		token = es_scan_next(scan);
		if (token < 0)
			return token;
		take_member(reading, &key, token);
		r = es_scan_is(&key, "data") ? take_data(reading, token)
					     : es_scan_skip(scan, token);
		if (r < 0)
			return r;
	}
	return token < 0 ? token : 0;
}

int es_dump_read(struct es_dump *dump, const char *text, size_t n)
{
	struct reading reading = { .dump = dump };
	int r;

	es_scan_init(&reading.scan, text, n);
	r = take_members(&reading);
	if (r == -ENOMEM)
		return r;
	dump->is_cut = r < 0;
	dump->cut_at = (size_t)(reading.scan.p - reading.scan.begin);
	return 0;
}

void es_dump_finish(struct es_dump *dump)
{
	for (size_t i = 0; i < dump->n_channels; i++)
		free(dump->channels[i].rows);
	free(dump->channels);
	free(dump->phys);
	free(dump->stamps);
	*dump = (struct es_dump){ .n_phys = 0 };
}
