/*
 * calibrate.c - energyscopium calibrate: a node's watts from its measured parts, found once and kept
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/parse.h"
#include "base/text.h"
#include "cli/calibrate_gather.h"
#include "cli/calibrations.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/settings.h"
#include "format/calibrate_fit.h"

#define WINDOW_LEAST_NS 500000000LL
#define WINDOW_MOST_NS 3600000000000LL

struct calibrate {
	const char *meter, *class, *out, *window, *show, *remove;
	bool is_json, is_system, may_replace, lists, tries;
	struct es_calibrate_options options;
	char path[ES_PATH_MAX_BYTES];
	struct es_calibration made;
};

static int fail(const struct es_error *err)
{
	return es_complain("calibrate", ES_EXIT_FAILURE, "%s", err->text);
}

static void put_line(const struct es_calibration *c, struct es_buf *out)
{
	(void)es_buf_printf(out, "  %-11s %.4f ± %.4f\n", "slope", c->slope, c->slope_bound);
	(void)es_buf_printf(out, "  %-11s %.1f ± %.1f W\n", "offset", c->offset_w,
			    c->offset_bound_w);
	(void)es_buf_printf(
		out,
		"  %-11s %.1f W about the line, R2 %.4f; %llu windows of %g s, worth %.0f independent ones\n",
		"residual", c->residual_w, c->r2, (unsigned long long)c->n_windows, c->window_s,
		c->n_effective);
	if (c->has_left_out)
		(void)es_buf_printf(
			out,
			"  %-11s %.1f W, of each recording's mean power by a line through the others\n",
			"left out", c->left_out_w);
	else
		(void)es_buf_printf(out, "  %-11s not known: that takes two recordings or more\n",
				    "left out");
	(void)es_buf_printf(out, "  %-11s parts from %.1f to %.1f W", "valid", c->lowest_w,
			    c->highest_w);
	if (c->has_load)
		(void)es_buf_printf(out, ", %.0f to %.0f %% of what their limits allow",
				    100 * c->lowest_load, 100 * c->highest_load);
	(void)es_buf_str(out, "\n");
	if (c->has_lag)
		(void)es_buf_printf(out, "  %-11s the meter is %.2f ± %.2f s %s\n", "lag",
				    fabs(c->lag_s), c->lag_bound_s,
				    c->lag_s < 0 ? "early" : "late");
	else
		(void)es_buf_printf(out, "  %-11s not known\n", "lag");
}

static void put_class(const struct es_node_class *class, struct es_buf *out)
{
	(void)es_buf_printf(out, "  %-11s %s", "node", class->cpu_model);
	if (class->n_packages)
		(void)es_buf_printf(out, ", %u packages", class->n_packages);
	if (class->n_gpus)
		(void)es_buf_printf(out, ", %u GPUs (%s)", class->n_gpus, class->gpu_model);
	if (class->memory_gib)
		(void)es_buf_printf(out, ", %u GiB", class->memory_gib);
	(void)es_buf_str(out, "\n");
}

static void put_table(const struct es_calibration *c, const char *path, struct es_buf *out)
{
	char when[ES_TIME_TEXT_BYTES];
	size_t from = out->len;

	(void)es_buf_printf(out, "calibration %s\n", c->name);
	if (c->class.cpu_model[0])
		put_class(&c->class, out);
	else
		(void)es_buf_printf(
			out,
			"  %-11s its recordings do not say what it is: used with --model calibrated:%s only\n",
			"node", c->name);
	(void)es_buf_printf(out, "  %-11s", "parts");
	for (size_t i = 0; i < c->n_parts; i++)
		(void)es_buf_printf(out, "%s %s", i ? " +" : "", c->parts[i]);
	(void)es_buf_printf(out, "\n  %-11s %s", "meter", c->meter);
	if (c->meter_accuracy_ppm)
		(void)es_buf_printf(out, ", rated ±%g %%", c->meter_accuracy_ppm / 1e4);
	(void)es_buf_str(out, "\n");
	put_line(c, out);
	(void)es_buf_printf(out, "  %-11s %s by %s, %s; %zu recording%s\n", "made",
			    es_time_rfc3339(c->t_unix_ns, when), c->who, c->tool, c->n_sources,
			    c->n_sources == 1 ? "" : "s");
	if (path[0])
		(void)es_buf_printf(out, "  %-11s %s\n", "file", path);
	if (es_buf_u8(out, 0) == 0) {
		es_text_make_safe((char *)out->data + from, true);
		out->len--;
	}
}

static int put_one(const struct calibrate *calibrate, const struct es_calibration *c,
		   const char *path)
{
	struct es_json json;
	struct es_buf out;
	int status;

	es_buf_init(&out, ES_CALIBRATION_MAX_BYTES);
	if (calibrate->is_json) {
		es_json_init(&json, es_json_sink_buf, &out, true);
		es_json_object(&json, NULL);
		es_json_string(&json, "schema", "energyscopium.calibrate/1");
		es_json_string(&json, "file", path[0] ? path : NULL);
		es_calibration_members(c, &json);
		es_json_object_end(&json);
		out.error = es_json_end(&json);
	} else {
		put_table(c, path, &out);
	}
	status = es_put_out("calibrate", &out);
	es_buf_finish(&out);
	return status;
}

static int put_list(const struct calibrate *calibrate, const struct es_calibrations *all)
{
	struct es_json json;
	struct es_buf out;
	int status;

	es_buf_init(&out, 64U << 20);
	es_json_init(&json, es_json_sink_buf, &out, true);
	if (calibrate->is_json) {
		es_json_object(&json, NULL);
		es_json_string(&json, "schema", "energyscopium.calibrate/1");
		es_json_array(&json, "calibrations");
	} else {
		(void)es_buf_printf(&out, "  %-40s %8s %11s %9s  %-20s %s\n", "class", "slope",
				    "offset (W)", "± (W)", "meter", "file");
	}
	for (size_t i = 0; i < all->n; i++) {
		const struct es_calibration *c = &all->list[i];

		if (calibrate->is_json) {
			es_json_object(&json, NULL);
			es_json_string(&json, "file", c->path);
			es_calibration_members(c, &json);
			es_json_object_end(&json);
		} else {
			(void)es_buf_printf(&out, "  %-40s %8.4f %11.1f %9.1f  %-20s %s\n", c->name,
					    c->slope, c->offset_w,
					    es_calibration_bound_w(c, c->mean_w), c->meter,
					    c->path);
		}
	}
	if (calibrate->is_json) {
		es_json_array_end(&json);
		es_json_object_end(&json);
		out.error = es_json_end(&json);
	} else if (es_buf_u8(&out, 0) == 0) {
		es_text_make_safe((char *)out.data, true);
		out.len--;
	}
	status = es_put_out("calibrate", &out);
	es_buf_finish(&out);
	return status;
}

/* --list, --show and --remove: what is there. */
static int look(const struct calibrate *calibrate)
{
	const char *name = calibrate->show ? calibrate->show : calibrate->remove;
	struct es_calibrations all = { .n = 0 };
	const struct es_calibration *found;
	struct es_error err = { .code = 0 };
	int status;

	if (es_calibrations_load("calibrate", &all, &err) < 0)
		return fail(&err);
	found = name ? es_calibrations_find(&all, name) : NULL;
	if (calibrate->lists)
		status = put_list(calibrate, &all);
	else if (!found)
		status = es_complain("calibrate", ES_EXIT_FAILURE,
				     "'%s': there is no such calibration; --list shows them", name);
	else if (calibrate->show)
		status = put_one(calibrate, found, found->path);
	else if (unlink(found->path) < 0)
		status = es_complain("calibrate", ES_EXIT_FAILURE, "cannot remove '%s': %s",
				     found->path, es_strerror(-errno));
	else
		status = ES_EXIT_OK;
	es_calibrations_finish(&all);
	return status;
}

static void sign(struct es_calibration *made)
{
	const char *user = getenv("USER");
	char host[128] = "";

	(void)gethostname(host, sizeof(host) - 1);
	if (user && *user)
		(void)snprintf(made->who, sizeof(made->who), "%.100s@%.100s", user, host);
	else
		(void)snprintf(made->who, sizeof(made->who), "%u@%.100s", (unsigned)getuid(), host);
	(void)snprintf(made->tool, sizeof(made->tool), "energyscopium %s", ES_VERSION);
	made->t_unix_ns = es_clock_unix_ns();
}

static int name_it(struct calibrate *calibrate, struct es_error *err)
{
	struct es_calibration *made = &calibrate->made;

	if (calibrate->class)
		(void)snprintf(made->name, sizeof(made->name), "%s", calibrate->class);
	else if (made->class.cpu_model[0] == '\0')
		return es_error_say(
			err, -EINVAL,
			"the recordings do not say what processor the node has: name its class by --class");
	else
		(void)es_node_class_name(&made->class, made->name);
	if (calibrate->out) {
		if (strlen(calibrate->out) >= sizeof(calibrate->path))
			return es_error_set(err, -ENAMETOOLONG, "--out");
		(void)snprintf(calibrate->path, sizeof(calibrate->path), "%s", calibrate->out);
		return 0;
	}
	return es_calibrations_path(made->name, calibrate->is_system, calibrate->path, err);
}

/* The files that are meant by files or names of jobs; @ret: room for @n, each owned by the caller. */
static int find_recordings(char *const *operands, size_t n, char **ret, struct es_error *err)
{
	struct es_settings settings;
	int r = es_settings_load(&settings, err);

	for (size_t i = 0; i < n && r == 0; i++) {
		char path[ES_PATH_MAX_BYTES];

		r = es_find_recording(operands[i], &settings, path, err);
		if (r == 0 && !(ret[i] = strdup(path)))
			r = es_error_set(err, -ENOMEM, "cannot hold the names");
	}
	return r;
}

static int make(struct calibrate *calibrate, char *const *operands, size_t n)
{
	es_cleanup(es_freep) char **paths = calloc(n, sizeof(*paths));
	struct es_calibrate_data data = { .n_sources = 0 };
	struct es_error err = { .code = 0 };
	int status = ES_EXIT_FAILURE, r;

	r = paths ? find_recordings(operands, n, paths, &err)
		  : es_error_set(&err, -ENOMEM, "cannot hold the names");
	if (r == 0)
		r = es_calibrate_gather(calibrate->meter, paths, n, &data, &calibrate->made, &err);
	if (r == 0)
		r = name_it(calibrate, &err);
	if (r == 0) {
		calibrate->options.limit_w = data.limit_w;
		r = es_calibrate_fit(data.sources, data.n_sources, &calibrate->options,
				     &calibrate->made, &err);
		if (r == -EDOM) {
			struct es_error why = err;

			(void)es_error_say(&err, r, "no calibration was made: %s", why.text);
		}
	}
	if (r == 0) {
		sign(&calibrate->made);
		if (calibrate->tries)
			calibrate->path[0] = '\0';
		else
			r = es_calibrations_save(&calibrate->made, calibrate->path,
						 calibrate->may_replace, &err);
	}
	status = r < 0 ? fail(&err) : put_one(calibrate, &calibrate->made, calibrate->path);
	es_calibrate_data_finish(&data);
	for (size_t i = 0; paths && i < n; i++)
		free(paths[i]);
	es_calibration_finish(&calibrate->made);
	return status;
}

static int start(struct calibrate *calibrate, char *const *operands, size_t n)
{
	unsigned n_looks = (unsigned)calibrate->lists + (calibrate->show != NULL) +
			   (calibrate->remove != NULL);

	if (n_looks > 1 || (n_looks && (calibrate->meter || n)))
		return es_complain("calibrate", ES_EXIT_USAGE,
				   "--list, --show and --remove go alone");
	if (n_looks)
		return look(calibrate);
	if (!calibrate->meter || n == 0)
		return es_complain(
			"calibrate", ES_EXIT_USAGE,
			"--meter bmc|FILE.csv|DOMAIN and a recording are wanted; see 'energyscopium calibrate --help'");
	if (calibrate->class && !es_node_class_check(calibrate->class))
		return es_complain("calibrate", ES_EXIT_USAGE,
				   "--class '%s': letters, digits, '-', '_' and '.' are possible",
				   calibrate->class);
	if (calibrate->window &&
	    (es_parse_duration_ns(calibrate->window, &calibrate->options.window_ns) < 0 ||
	     calibrate->options.window_ns < WINDOW_LEAST_NS ||
	     calibrate->options.window_ns > WINDOW_MOST_NS))
		return es_complain("calibrate", ES_EXIT_USAGE,
				   "--window '%s': from 500ms to 1h are possible",
				   calibrate->window);
	return make(calibrate, operands, n);
}

int es_cmd_calibrate(int argc, char **argv)
{
	struct calibrate calibrate = { .meter = NULL };
	const struct es_option options[] = {
		{ "meter", "bmc|FILE|DOMAIN",
		  "the node's meter: bmc: the one in the recordings; a CSV\nfile of time,power_w; or a domain of the recordings",
		  ES_OPTION_TEXT, &calibrate.meter },
		{ "class", "NAME", "name of the node's class (made from what the node is)",
		  ES_OPTION_TEXT, &calibrate.class },
		{ "window", "TIME", "length of the means that are compared (5s, or five readings)",
		  ES_OPTION_TEXT, &calibrate.window },
		{ "out", "FILE", "write it there", ES_OPTION_TEXT, &calibrate.out },
		{ "system", NULL, "write it for all users, below /etc/energyscopium",
		  ES_OPTION_FLAG, &calibrate.is_system },
		{ "force", NULL, "replace a calibration of this class", ES_OPTION_FLAG,
		  &calibrate.may_replace },
		{ "dry-run", NULL, "write nothing", ES_OPTION_FLAG, &calibrate.tries },
		{ "list", NULL, "show the calibrations that there are", ES_OPTION_FLAG,
		  &calibrate.lists },
		{ "show", "CLASS", "show one of them", ES_OPTION_TEXT, &calibrate.show },
		{ "remove", "CLASS", "remove one of them", ES_OPTION_TEXT, &calibrate.remove },
		{ "json", NULL, "as JSON", ES_OPTION_FLAG, &calibrate.is_json },
	};
	const struct es_usage usage = {
		.command = "calibrate",
		.synopsis = "--meter bmc|FILE|DOMAIN [OPTION]… FILE|JOB…",
		.text = "Fits the watts of a node to those of its measured parts, from recordings that have both,\n"
			"and keeps slope, offset, error and range for nodes of its class; 'report' and 'run' use it.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
	};
	int first, status = es_options_parse(&usage, argc, argv, &first);

	if (status >= 0)
		return status;
	return start(&calibrate, argv + first, (size_t)(argc - first));
}
