/*
 * twin_status.c - energyscopium twin status: what a twin is and does
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "base/text.h"
#include "cli/twin.h"

static double number_of(const json_t *object, const char *key)
{
	return json_number_value(json_object_get(object, key));
}

static const char *string_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "?";
}

static const char *held_by(const json_t *object)
{
	if (json_is_true(json_object_get(object, "is_held_by_heat")))
		return "  held down by heat";
	if (json_is_true(json_object_get(object, "is_held_by_power")))
		return "  held down by its power limit";
	return "";
}

static void put_parts(const json_t *status, struct es_buf *out)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(status, "packages"), i, item)(void)
		es_buf_printf(out, "package-%-4.0f %9.2f W %6.0f MHz %5.1f °C%s\n",
			      number_of(item, "number"), number_of(item, "power_uw") / 1e6,
			      number_of(item, "core_khz") / 1e3,
			      number_of(item, "temperature_mc") / 1e3, held_by(item));
	json_array_foreach(json_object_get(status, "gpus"), i, item)(void)
		es_buf_printf(out, "gpu-%-8.0f %9.2f W %6.0f MHz %5.1f °C %3.0f %% busy%s\n",
			      number_of(item, "number"), number_of(item, "power_uw") / 1e6,
			      number_of(item, "clock_mhz"), number_of(item, "temperature_mc") / 1e3,
			      number_of(item, "busy_ppm") / 1e4, held_by(item));
}

static void put_controllers(const json_t *status, struct es_buf *out)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(status, "controllers"), i, item)(void)
		es_buf_printf(out, "its controller: --meter '%s'\n",
			      json_is_string(item) ? json_string_value(item) : "?");
}

static void put_faults(const json_t *status, struct es_buf *out)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(status, "faults"), i, item)
	{
		const json_t *left = json_object_get(item, "left_s"),
			     *target = json_object_get(item, "target");

		(void)es_buf_printf(out, "fault: %s%s%s", string_of(item, "fault"),
				    json_is_string(target) ? " " : "",
				    json_is_string(target) ? json_string_value(target) : "");
		if (json_is_number(left))
			(void)es_buf_printf(out, " for another %.1f s\n", json_number_value(left));
		else
			(void)es_buf_str(out, " until it is cleared\n");
	}
}

static int put_words(const char *mount, const struct es_buf *text, struct es_buf *out)
{
	json_t *status = json_loadb((const char *)text->data, text->len, 0, NULL);
	char up[ES_QUANTITY_TEXT_BYTES];

	if (!json_is_object(status)) {
		json_decref(status);
		return -EBADMSG;
	}
	(void)es_duration_text((int64_t)(number_of(status, "t_ns") - number_of(status, "start_ns")),
			       up);
	(void)es_buf_printf(out, "%s, a node of kind %s, up for %s at %s (process %.0f)\n",
			    string_of(status, "name"), string_of(status, "kind"), up, mount,
			    number_of(status, "pid"));
	(void)es_buf_printf(
		out,
		"%-12s %9.2f W  %.3f kJ since the start, fans %.0f rpm, workloads playing: %zu\n",
		"node", number_of(status, "power_uw") / 1e6, number_of(status, "energy_uj") / 1e9,
		number_of(status, "fans_rpm"), json_array_size(json_object_get(status, "loads")));
	put_parts(status, out);
	put_controllers(status, out);
	put_faults(status, out);
	json_decref(status);
	if (es_buf_u8(out, 0) == 0) {
		es_text_make_safe((char *)out->data, true);
		out->len--;
	}
	return out->error;
}

/* Any user can mount what looks like a twin: nothing but JSON goes on, which has no bytes that steer a terminal. */
static int check_json(const struct es_buf *text)
{
	json_t *status = json_loadb((const char *)text->data, text->len, 0, NULL);
	int r = json_is_object(status) ? 0 : -EBADMSG;

	json_decref(status);
	return r;
}

static int tell(const char *mount, bool wants_json)
{
	struct es_error err = { .code = 0 };
	struct es_buf text, out;
	int r = es_twin_read(mount, "status", &text, &err), status;

	es_buf_init(&out, 1U << 20);
	if (r == 0 && (wants_json ? check_json(&text) : put_words(mount, &text, &out)) < 0)
		r = es_error_say(&err, -EBADMSG,
				 "'%s/.twin/status' is not what a twin of this version says",
				 mount);
	status = r < 0 ? es_complain("twin status", ES_EXIT_FAILURE, "%s", err.text)
		       : es_put_out("twin status", wants_json ? &text : &out);
	es_buf_finish(&text);
	es_buf_finish(&out);
	return status;
}

int es_twin_cmd_status(int argc, char **argv)
{
	const char *given = NULL;
	bool wants_json = false;
	const struct es_option options[] = {
		ES_TWIN_MOUNT_OPTION(&given),
		{ "json", NULL, "print energyscopium.twin/1", ES_OPTION_FLAG, &wants_json },
	};
	const struct es_usage usage = {
		.command = "twin status",
		.synopsis = "[--mount DIR] [--json]",
		.text = "Tells what a twin is and does: kind, process, power, temperature, faults in force. Ends\n"
			"with status 1 where none is up.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
	};
	char mount[ES_PATH_MAX_BYTES];
	int first, status = es_options_parse(&usage, argc, argv, &first);

	if (status >= 0)
		return status;
	if (first < argc)
		return es_complain("twin status", ES_EXIT_USAGE, "'%s' is one too many",
				   argv[first]);
	status = es_twin_find("twin status", given, mount);
	return status != ES_EXIT_OK ? status : tell(mount, wants_json);
}
