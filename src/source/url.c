/*
 * source/url.c - a meter that a user names: redfish://bmc-17?credentials=FILE
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/url.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "base/text.h"

#define TIMEOUT_NS (5 * ES_NS_PER_S)
#define TIMEOUT_MAX_NS (60 * ES_NS_PER_S)
#define PERIOD_MAX_NS (3600 * ES_NS_PER_S)
#define VALUE_MAX 4e18 /* µJ: a GW for an hour */
#define POWER_MAX_MW 1e12 /* a GW */

struct unit {
	const char *name;
	bool is_energy;
	double factor; /* mW or µJ */
};

static const struct unit units[] = {
	{ "W", false, 1e3 },   { "mW", false, 1 },	{ "kW", false, 1e6 },
	{ "MW", false, 1e9 },  { "J", true, 1e6 },	{ "mJ", true, 1e3 },
	{ "uJ", true, 1 },     { "kJ", true, 1e9 },	{ "MJ", true, 1e12 },
	{ "Wh", true, 3.6e9 }, { "kWh", true, 3.6e12 }, { "MWh", true, 3.6e15 },
};

static const char *const shared[] = {
	"domain", "name",    "unit",  "scale",	  "period",
	"window", "timeout", "range", "accuracy", "credentials",
};

static int refuse(const struct es_meter_url *url, struct es_error *err, const char *why)
{
	return es_error_say(err, -EINVAL, "meter '%.200s': %s", url->text, why);
}

static int hex(char c)
{
	return isdigit((unsigned char)c) ? c - '0'
	       : c >= 'a' && c <= 'f'	 ? c - 'a' + 10
	       : c >= 'A' && c <= 'F'	 ? c - 'A' + 10
					 : -1;
}

/* @n bytes of @from without their percent signs; 0, -EINVAL or -ENAMETOOLONG. No control characters come through. */
static int decode(const char *from, size_t n, char *to, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < n; i++) {
		char c = from[i];

		if (c == '%') {
			if (i + 2 >= n || hex(from[i + 1]) < 0 || hex(from[i + 2]) < 0)
				return -EINVAL;
			c = (char)(hex(from[i + 1]) * 16 + hex(from[i + 2]));
			i += 2;
		}
		if ((unsigned char)c < 0x20 || c == 0x7f)
			return -EINVAL;
		if (used + 1 >= size)
			return -ENAMETOOLONG;
		to[used++] = c;
	}
	to[used] = '\0';
	return 0;
}

/* The text with the node's name in place of {host}. */
static int fill_in(const char *text, const char *host_name, struct es_meter_url *url,
		   struct es_error *err)
{
	static const char mark[] = "{host}";
	size_t used = 0;

	for (const char *p = text; *p;) {
		bool is_mark = strncmp(p, mark, sizeof(mark) - 1) == 0;
		size_t n = is_mark ? strlen(host_name) : 1;

		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return es_error_say(err, -EINVAL,
					    "meter '%.64s': it has a control character in it",
					    text);
		if (used + n >= sizeof(url->text))
			return es_error_say(err, -EINVAL, "meter '%.64s…' is longer than %u bytes",
					    text, ES_METER_URL_MAX_BYTES - 1);
		memcpy(url->text + used, is_mark ? host_name : p, n);
		used += n;
		p += is_mark ? sizeof(mark) - 1 : 1;
	}
	url->text[used] = '\0';
	return 0;
}

static int take_port(struct es_meter_url *url, const char *text, size_t n, struct es_error *err)
{
	char digits[8];
	uint64_t port;

	if (n == 0 || n >= sizeof(digits))
		return refuse(url, err, "its port is no number of 1 to 65535");
	memcpy(digits, text, n);
	digits[n] = '\0';
	if (es_parse_u64(digits, &port) < 0 || port == 0 || port > 65535)
		return refuse(url, err, "its port is no number of 1 to 65535");
	url->port = (uint16_t)port;
	return 0;
}

/* HOST[:PORT], or [ADDRESS][:PORT] of IPv6. */
static int take_host(struct es_meter_url *url, const char *text, size_t n, struct es_error *err)
{
	bool is_v6 = n > 0 && text[0] == '[';
	const char *end = is_v6 ? memchr(text, ']', n) : memchr(text, ':', n);
	size_t n_host = end ? (size_t)(end - text) : n;
	size_t after = n_host + (is_v6 ? 1 : 0);

	if (is_v6 && !end)
		return refuse(url, err, "its address has no ']'");
	if (memchr(text, '@', n))
		return refuse(url, err,
			      "user and password belong into a file: credentials=FILE, for "
			      "command lines are seen by all");
	if (n_host - (is_v6 ? 1 : 0) >= sizeof(url->host) ||
	    decode(text + (is_v6 ? 1 : 0), n_host - (is_v6 ? 1 : 0), url->host, sizeof(url->host)) <
		    0)
		return refuse(url, err, "its host is not a name");
	for (const char *p = url->host; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr(is_v6 ? ":.%" : ".-_", *p))
			return refuse(url, err, "its host is not a name");
	if (after == n)
		return 0;
	if (text[after] != ':')
		return refuse(url, err, "something stands between its host and its path");
	return take_port(url, text + after + 1, n - after - 1, err);
}

static int take_param(struct es_meter_url *url, size_t *used, const char *text, size_t n,
		      struct es_error *err)
{
	const char *equal = memchr(text, '=', n);
	char *key = url->params + *used;
	size_t n_key = equal ? (size_t)(equal - text) : n;
	int r;

	if (n == 0)
		return 0;
	if (!equal || n_key == 0)
		return refuse(url, err, "a parameter is not KEY=VALUE");
	if (url->n_params == ES_METER_PARAMS_MAX)
		return refuse(url, err, "it has too many parameters");
	r = decode(text, n_key, key, sizeof(url->params) - *used);
	if (r < 0)
		return refuse(url, err, "the key of a parameter is not text");
	if (es_meter_url_param(url, key))
		return es_error_say(err, -EINVAL, "meter '%.200s': '%.32s' is given twice",
				    url->text, key);
	*used += strlen(key) + 1;
	r = *used < sizeof(url->params) ? decode(equal + 1, n - n_key - 1, url->params + *used,
						 sizeof(url->params) - *used)
					: -EINVAL;
	if (r < 0)
		return es_error_say(err, -EINVAL,
				    "meter '%.200s': the value of '%.32s' is not text", url->text,
				    key);
	*used += strlen(url->params + *used) + 1;
	url->n_params++;
	return 0;
}

static int take_params(struct es_meter_url *url, const char *text, size_t n, struct es_error *err)
{
	size_t used = 0;

	while (n > 0) {
		const char *end = memchr(text, '&', n);
		size_t n_one = end ? (size_t)(end - text) : n;
		int r = take_param(url, &used, text, n_one, err);

		if (r < 0)
			return r;
		text += n_one + (end ? 1 : 0);
		n -= n_one + (end ? 1 : 0);
	}
	return 0;
}

/* "?…" and "#…", in either order. */
static int take_tail(struct es_meter_url *url, const char *text, struct es_error *err)
{
	bool has_query = false, has_fragment = false;

	while (*text) {
		char kind = *text++;
		size_t n = strcspn(text, kind == '?' ? "#" : "?#");
		bool *has = kind == '?' ? &has_query : &has_fragment;
		int r;

		if (*has)
			return refuse(url, err,
				      "a second '?' or '#': write %3F or %23 within a value");
		*has = true;
		r = kind == '?' ? take_params(url, text, n, err)
				: decode(text, n, url->fragment, sizeof(url->fragment));
		if (r < 0)
			return kind == '?' ? r : refuse(url, err, "what follows '#' is not text");
		text += n;
	}
	return 0;
}

static int split(struct es_meter_url *url, struct es_error *err)
{
	const char *p = url->text;
	size_t n = strcspn(p, ":"), n_host;
	int r = 0;

	if (p[n] != ':' || n == 0 || n >= sizeof(url->scheme))
		return refuse(url, err, "no SCHEME: at its start, as in redfish://bmc-17");
	for (size_t i = 0; i < n; i++) {
		if (!islower((unsigned char)p[i]) && !isdigit((unsigned char)p[i]) && p[i] != '-')
			return refuse(url, err, "no SCHEME: at its start, as in redfish://bmc-17");
		url->scheme[i] = p[i];
	}
	p += n + 1;
	if (p[0] == '/' && p[1] == '/') {
		p += 2;
		n_host = strcspn(p, "/?#");
		r = take_host(url, p, n_host, err);
		p += n_host;
	}
	if (r < 0)
		return r;
	n = strcspn(p, "?#");
	if (decode(p, n, url->path, sizeof(url->path)) < 0)
		return refuse(url, err, "its path is not text, or too long");
	return take_tail(url, p + n, err);
}

const char *es_meter_url_param(const struct es_meter_url *url, const char *key)
{
	const char *p = url->params;

	for (size_t i = 0; i < url->n_params; i++) {
		const char *value = p + strlen(p) + 1;

		if (strcmp(p, key) == 0)
			return value;
		p = value + strlen(value) + 1;
	}
	return NULL;
}

/* node, gpu-1, psu-0 …; what is no part of a node that we know is "other". */
static int take_domain(struct es_meter_url *url, struct es_error *err)
{
	const char *text = es_meter_url_param(url, "domain");
	const char *name = es_meter_url_param(url, "name");
	static const char *const parts[] = { "package", "dram", "gpu", "module", "feed", "psu" };
	size_t n;

	url->type = ES_DOMAIN_NODE;
	url->number = -1;
	text = text ? text : "node";
	n = strcspn(text, "-");
	if (strcmp(text, "other") == 0) {
		url->type = ES_DOMAIN_OTHER;
	} else if (strcmp(text, "node") != 0) {
		uint64_t number;
		bool is_known = false;

		for (size_t i = 0; i < ES_ARRAY_SIZE(parts); i++)
			is_known = is_known || (strncmp(parts[i], text, n) == 0 && !parts[i][n]);
		if (!is_known || text[n] != '-' || es_parse_u64(text + n + 1, &number) < 0 ||
		    number > 255)
			return refuse(
				url, err,
				"domain= is node, feed-N, package-N, dram-N, gpu-N, module-N, psu-N or "
				"other");
		url->number = (int32_t)number;
		url->type = ES_DOMAIN_OTHER;
		for (int i = 0; i < ES_N_DOMAIN_TYPES; i++) {
			const char *word = es_domain_type_name((enum es_domain_type)i);

			if (strncmp(word, text, n) == 0 && !word[n])
				url->type = (enum es_domain_type)i;
		}
		if (strncmp(text, "feed-", 5) == 0)
			url->type = ES_DOMAIN_NODE;
	}
	text = name ? name : text;
	if (strlen(text) >= sizeof(url->name) || !*text || strpbrk(text, "/\"\\"))
		return refuse(url, err, "its name is empty, too long, or has a '/' or quote in it");
	memcpy(url->name, text, strlen(text) + 1);
	return 0;
}

static int take_unit(struct es_meter_url *url, struct es_error *err)
{
	const char *name = es_meter_url_param(url, "unit");
	const char *scale = es_meter_url_param(url, "scale");
	double factor = 1;

	if (scale && (es_parse_double(scale, &factor) < 0 || !(factor > 0)))
		return refuse(url, err, "scale= is a number above 0");
	if (scale && !name)
		return refuse(url, err, "scale= needs unit= beside it");
	if (!name)
		return 0;
	for (size_t i = 0; i < ES_ARRAY_SIZE(units); i++)
		if (strcmp(units[i].name, name) == 0) {
			url->has_unit = true;
			url->is_energy = units[i].is_energy;
			url->unit = units[i].factor * factor;
			return 0;
		}
	return refuse(
		url, err,
		"unit= is W, mW, kW or MW, or of a counter J, mJ, uJ, kJ, MJ, Wh, kWh or MWh");
}

static int take_duration(const struct es_meter_url *url, const char *key, int64_t max_ns,
			 int64_t *ret_ns, struct es_error *err)
{
	const char *text = es_meter_url_param(url, key);
	char max[ES_QUANTITY_TEXT_BYTES];
	int64_t dur_ns;

	if (!text)
		return 0;
	if (es_parse_duration_ns(text, &dur_ns) < 0 || dur_ns <= 0 || dur_ns > max_ns)
		return es_error_say(
			err, -EINVAL,
			"meter '%.200s': %s= is a time with its unit, like 5s, up to %s", url->text,
			key, es_duration_text(max_ns, max));
	*ret_ns = dur_ns;
	return 0;
}

static int take_shared(struct es_meter_url *url, struct es_error *err)
{
	const char *accuracy = es_meter_url_param(url, "accuracy");
	const char *range = es_meter_url_param(url, "range");
	int64_t ppm;
	double most;
	int r = take_domain(url, err);

	url->timeout_ns = TIMEOUT_NS;
	if (r == 0)
		r = take_unit(url, err);
	if (r == 0)
		r = take_duration(url, "period", PERIOD_MAX_NS, &url->period_ns, err);
	if (r == 0)
		r = take_duration(url, "window", PERIOD_MAX_NS, &url->window_ns, err);
	if (r == 0)
		r = take_duration(url, "timeout", TIMEOUT_MAX_NS, &url->timeout_ns, err);
	if (r < 0)
		return r;
	if (accuracy && (es_parse_share_ppm(accuracy, &ppm) < 0 || ppm <= 0 || ppm > 1000000))
		return refuse(url, err, "accuracy= is a share, like 2%, written 2%25");
	if (accuracy)
		url->accuracy_ppm = (uint32_t)ppm;
	if (range && (!url->is_energy || es_parse_double(range, &most) < 0 ||
		      es_meter_value(url, most, 0, &url->range_uj) < 0 || url->range_uj == 0))
		return refuse(
			url, err,
			"range= is the largest value of a counter, in the unit= given beside it");
	return 0;
}

int es_meter_url_parse(const char *text, const char *host_name, struct es_meter_url *ret,
		       struct es_error *err)
{
	struct es_meter_url url = { .number = -1 };
	int r = fill_in(text, host_name, &url, err);

	if (r == 0)
		r = split(&url, err);
	if (r == 0)
		r = take_shared(&url, err);
	if (r == 0)
		*ret = url;
	return r;
}

static bool is_in(const char *const *words, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(words[i], word) == 0)
			return true;
	return false;
}

static const char *nearest(const char *const *words, size_t n, const char *word, size_t *best)
{
	const char *found = NULL;

	for (size_t i = 0; i < n; i++) {
		size_t distance = es_text_distance(word, words[i]);

		if (distance < *best && es_text_is_near(distance, strlen(word))) {
			*best = distance;
			found = words[i];
		}
	}
	return found;
}

const char *es_meter_url_key(const struct es_meter_url *url, size_t i, const char **ret_value)
{
	const char *p = url->params;

	for (; i > 0; i--) {
		p += strlen(p) + 1;
		p += strlen(p) + 1;
	}
	*ret_value = p + strlen(p) + 1;
	return p;
}

const char *es_meter_url_shared(size_t i)
{
	return i < ES_ARRAY_SIZE(shared) ? shared[i] : NULL;
}

bool es_meter_url_is_shared(const char *key)
{
	return is_in(shared, ES_ARRAY_SIZE(shared), key);
}

int es_meter_url_check(const struct es_meter_url *url, const char *const *known,
		       struct es_error *err)
{
	const char *p = url->params;
	size_t n_known = 0;

	while (known[n_known])
		n_known++;
	for (size_t i = 0; i < url->n_params; i++) {
		size_t best = SIZE_MAX;
		const char *near, *nearer;

		if (!is_in(known, n_known, p) && !is_in(shared, ES_ARRAY_SIZE(shared), p)) {
			near = nearest(shared, ES_ARRAY_SIZE(shared), p, &best);
			nearer = nearest(known, n_known, p, &best);
			near = nearer ? nearer : near;
			return es_error_say(err, -EINVAL,
					    "meter '%.200s': parameter '%.32s' is not known%s%s%s",
					    url->text, p, near ? "; did you mean '" : "",
					    near ? near : "", near ? "'?" : "");
		}
		p += strlen(p) + 1;
		p += strlen(p) + 1;
	}
	return 0;
}

int es_meter_value(const struct es_meter_url *url, double value, double unit, uint64_t *ret)
{
	double v = value * (url->has_unit ? url->unit : unit);

	if (!isfinite(value) || !isfinite(v))
		return -EBADMSG;
	if (v < 0 || v > (url->is_energy ? VALUE_MAX : POWER_MAX_MW))
		return -ERANGE;
	*ret = (uint64_t)(v + 0.5);
	return 0;
}

void es_meter_domain(const struct es_meter_url *url, const char *source, struct es_domain *ret)
{
	bool is_feed = url->type == ES_DOMAIN_NODE && url->number >= 0;

	es_domain_init(ret, source, url->type, is_feed ? -1 : url->number, -1);
	ret->core = is_feed ? url->number : -1;
	(void)snprintf(ret->name, sizeof(ret->name), "%s", url->name);
	(void)snprintf(ret->id, sizeof(ret->id), "%.31s/%.200s", source, url->name);
	ret->is_power = !url->is_energy;
	ret->kind = url->is_energy ? ES_KIND_MEASURED : ES_KIND_INTEGRATED;
	/* Recorded, and in no sum: a supply or a rack is no part of this node beside the others. */
	ret->is_asked = ret->is_partial = ret->type == ES_DOMAIN_OTHER;
	ret->update_period_ns = url->window_ns;
	ret->accuracy_ppm = url->accuracy_ppm;
	if (url->is_energy) {
		double step_nj = url->unit * 1e3;

		ret->range.unit_nj = step_nj >= 1 && step_nj < 1e18 ? (uint64_t)step_nj : 1000;
		if (url->range_uj && url->range_uj < UINT64_MAX / 1000 - ret->range.unit_nj)
			ret->range.modulus_nj = url->range_uj * 1000 + ret->range.unit_nj;
	}
}
