/*
 * sys/dcmi.c - what a BMC says of the node's power by DCMI (Data Center Manageability Interface)
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Source: DCMI specification 1.5 rev. 1.0, sections 6.1.1 and 6.6.1.
 */
#include "sys/dcmi.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define GROUP 0xDCU /* DCMI's number among the groups that extend IPMI */
#define COMMAND_ABILITIES 0x01U
#define COMMAND_POWER 0x02U
#define PARAMETER_SUPPORTED 1U
#define PARAMETER_AVERAGES 5U
#define MODE_NOW 1U
#define MODE_AVERAGE 2U
#define POWER_BYTES 18U
#define IS_ACTIVE 0x40U

/* BMCs refresh their power every second to every minute. */
#define TICKING_STALE_NS (120 * ES_NS_PER_S)
#define STALE_NS (600 * ES_NS_PER_S) /* where the time never moved since we look */
#define SAME_MIN 3U /* readings that are the same, however far apart they are */

static uint16_t get_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static uint32_t get_u32(const uint8_t *p)
{
	return get_u16(p) | (uint32_t)get_u16(p + 2) << 16;
}

int es_dcmi_parse_power(const uint8_t *data, size_t n, struct es_dcmi_power *ret)
{
	if (n < POWER_BYTES || data[0] != GROUP)
		return -EBADMSG;
	*ret = (struct es_dcmi_power){
		.now_w = get_u16(data + 1),
		.least_w = get_u16(data + 3),
		.most_w = get_u16(data + 5),
		.mean_w = get_u16(data + 7),
		.t_s = get_u32(data + 9),
		.period_ms = get_u32(data + 13),
		.is_active = (data[17] & IS_ACTIVE) != 0,
	};
	return 0;
}

int es_dcmi_parse_abilities(const uint8_t *data, size_t n, struct es_dcmi_abilities *ret)
{
	if (n < 6 || data[0] != GROUP)
		return -EBADMSG;
	ret->major = data[1];
	ret->minor = data[2];
	ret->has_power = (data[5] & 1U) != 0;
	return 0;
}

static int64_t average_ns(uint8_t code)
{
	static const int64_t units_s[] = { 1, 60, 3600, 86400 };

	return (code & 0x3F) * units_s[code >> 6] * ES_NS_PER_S;
}

int es_dcmi_parse_averages(const uint8_t *data, size_t n, struct es_dcmi_abilities *ret)
{
	size_t n_codes, n_kept = 0;

	if (n < 5 || data[0] != GROUP)
		return -EBADMSG;
	n_codes = data[4];
	if (n_codes > ES_DCMI_AVERAGES_MAX || n_codes > n - 5)
		return -EBADMSG;
	for (size_t i = 0; i < n_codes; i++) {
		uint8_t code = data[5 + i];

		/* Nothing is averaged over no time: that is the power now. */
		if (average_ns(code) == 0)
			continue;
		ret->average_codes[n_kept] = code;
		ret->average_ns[n_kept++] = average_ns(code);
	}
	ret->n_averages = n_kept;
	return 0;
}

static ssize_t ask(struct es_ipmi *ipmi, uint8_t command, const uint8_t *data, size_t n_data,
		   uint8_t *ret, size_t size, struct es_error *err)
{
	const struct es_ipmi_request request = {
		.netfn = ES_IPMI_NETFN_GROUP,
		.command = command,
		.data = data,
		.n = n_data,
	};

	return es_ipmi_ask(ipmi, &request, ret, size, err);
}

int es_dcmi_ask_abilities(struct es_ipmi *ipmi, struct es_dcmi_abilities *ret, struct es_error *err)
{
	static const uint8_t supported[] = { GROUP, PARAMETER_SUPPORTED };
	static const uint8_t averages[] = { GROUP, PARAMETER_AVERAGES };
	struct es_dcmi_abilities abilities = { .has_power = false };
	uint8_t answer[ES_IPMI_DATA_MAX_BYTES];
	ssize_t n = ask(ipmi, COMMAND_ABILITIES, supported, sizeof(supported), answer,
			sizeof(answer), err);
	int r;

	if (n < 0)
		return (int)n;
	r = es_dcmi_parse_abilities(answer, (size_t)n, &abilities);
	if (r < 0)
		return es_error_say(err, r, "the BMC's answer about DCMI is malformed");
	if (!abilities.has_power)
		return es_error_say(err, -EOPNOTSUPP,
				    "the BMC has DCMI %u.%u without power management",
				    abilities.major, abilities.minor);
	/* Optional, and unknown to older ones: without it there are none. */
	n = ask(ipmi, COMMAND_ABILITIES, averages, sizeof(averages), answer, sizeof(answer), NULL);
	if (n == -ENOTCONN || n == -ETIMEDOUT)
		return es_error_set(err, (int)n, "the BMC does not tell its averages");
	if (n > 0)
		(void)es_dcmi_parse_averages(answer, (size_t)n, &abilities);
	*ret = abilities;
	return 0;
}

int es_dcmi_ask_power(struct es_ipmi *ipmi, uint8_t average_code, struct es_dcmi_power *ret,
		      struct es_error *err)
{
	const uint8_t data[] = { GROUP, average_code ? MODE_AVERAGE : MODE_NOW, average_code, 0 };
	uint8_t answer[ES_IPMI_DATA_MAX_BYTES];
	ssize_t n = ask(ipmi, COMMAND_POWER, data, sizeof(data), answer, sizeof(answer), err);
	int r;

	if (n < 0)
		return (int)n;
	r = es_dcmi_parse_power(answer, (size_t)n, ret);
	if (r < 0)
		return es_error_say(err, r, "the BMC's power reading is malformed");
	return 0;
}

int es_dcmi_judge_power(const struct es_dcmi_power *power, bool is_average, uint64_t *ret_mw)
{
	uint16_t shown_w = is_average ? power->mean_w : power->now_w;
	/* OpenBMC measures, and leaves all but the watts at 0, the state too (openbmc/openbmc#3257, phosphor-host-ipmid#167). */
	bool is_bare = power->t_s == 0 && power->period_ms == 0;

	if (shown_w == 0 || (!power->is_active && !is_bare))
		return -ENODATA;
	if (shown_w == UINT16_MAX)
		return -ERANGE;
	*ret_mw = shown_w * UINT64_C(1000);
	return 0;
}

bool es_dcmi_is_stale(struct es_dcmi_watch *watch, uint16_t shown_w, uint32_t t_s, int64_t t_ns)
{
	bool has_ticked = t_s != watch->last_t_s, has_moved = shown_w != watch->last_w;

	if (!watch->has_any || has_ticked || has_moved) {
		watch->is_untimed = watch->has_any && !watch->has_ticked && !has_ticked &&
				    (watch->is_untimed || has_moved);
		watch->has_ticked = watch->has_any && (watch->has_ticked || has_ticked);
		watch->has_any = true;
		watch->last_w = shown_w;
		watch->last_t_s = t_s;
		watch->n_same = 0;
		watch->since_ns = t_ns;
		return false;
	}
	if (watch->n_same < SAME_MIN)
		watch->n_same++;
	/* A clock that was never set tells nothing. */
	if (watch->n_same < SAME_MIN || watch->is_untimed || t_s == 0 || t_s == UINT32_MAX)
		return false;
	return t_ns - watch->since_ns > (watch->has_ticked ? TICKING_STALE_NS : STALE_NS);
}
