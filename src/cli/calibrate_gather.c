/*
 * cli/calibrate_gather.c - a node's meter and its parts out of recordings
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/calibrate_gather.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "cli/wholefile.h"
#include "format/report_model.h"

#define AROUND_NS \
	120000000000LL /* readings of a file so far from a recording are looked at: it may be late */

void es_calibrate_data_finish(struct es_calibrate_data *data)
{
	for (size_t i = 0; data->recordings && i < data->n_recordings; i++)
		es_courses_finish(&data->recordings[i]);
	for (size_t i = 0; data->meters && i < data->n_recordings; i++)
		es_course_finish(&data->meters[i]);
	free(data->recordings);
	free(data->meters);
	free(data->sources);
	free(data->parts);
	es_wattmeter_finish(&data->wattmeter);
	*data = (struct es_calibrate_data){ .n_sources = 0 };
}

static int digest(const char *path, char sha256[static ES_SHA256_TEXT_BYTES], struct es_error *err)
{
	es_cleanup(es_closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct es_sha256 sha;
	char part[65536];
	ssize_t got;

	es_sha256_init(&sha);
	while (fd >= 0 && (got = read(fd, part, sizeof(part))) != 0) {
		if (got < 0 && errno != EINTR)
			break;
		es_sha256_add(&sha, part, got > 0 ? (size_t)got : 0);
	}
	if (fd < 0 || got < 0)
		return es_error_set(err, -errno, "cannot read '%.300s'", path);
	(void)es_sha256_text(&sha, sha256);
	return 0;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Of several the one that a report would take, else the first that can be read. */
static const struct es_domain *find_meter(const struct es_courses *courses, uint32_t node,
					  const char *meter)
{
	const struct es_domain *found = NULL;
	bool is_bmc = strcmp(meter, "bmc") == 0;

	for (size_t i = 0; i < courses->n; i++) {
		const struct es_domain *domain = &courses->domains[i];
		bool is_it = is_bmc ? domain->type == ES_DOMAIN_NODE
				    : strcmp(domain->id, meter) == 0 ||
					      strcmp(domain->name, meter) == 0;

		if (domain->node != node || !is_it || courses->courses[i].n < 2 ||
		    domain->kind == ES_KIND_ESTIMATED || domain->kind == ES_KIND_ATTRIBUTED)
			continue;
		if (!found || (domain->is_chosen_total && !found->is_chosen_total))
			found = domain;
	}
	return found;
}

static bool is_part(const struct es_courses *courses, size_t i, uint32_t node,
		    const struct es_domain *meter)
{
	const struct es_domain *domain = &courses->domains[i];

	return domain != meter && domain->node == node && domain->is_chosen &&
	       domain->type != ES_DOMAIN_NODE && domain->type != ES_DOMAIN_PSYS &&
	       domain->kind != ES_KIND_ESTIMATED && courses->courses[i].n >= 2;
}

static double limit_of(const struct es_courses *courses, uint32_t node)
{
	double limit_w = 0;

	for (size_t i = 0; i < courses->n; i++) {
		const struct es_domain *domain = &courses->domains[i];

		if (domain->node != node || !domain->is_chosen)
			continue;
		if (domain->type == ES_DOMAIN_PACKAGE || domain->type == ES_DOMAIN_DIE ||
		    domain->type == ES_DOMAIN_GPU) {
			if (domain->limit_mw == 0)
				return 0;
			limit_w += es_w_from_mw(domain->limit_mw);
		}
	}
	return limit_w;
}

static bool has_part(const struct es_calibration *calibration, const char *name)
{
	for (size_t i = 0; i < calibration->n_parts; i++)
		if (strcmp(calibration->parts[i], name) == 0)
			return true;
	return false;
}

/* The first node says which parts there are; the others must have the same. */
static int add_parts(struct es_calibrate_data *data, const struct es_courses *courses,
		     uint32_t node, const struct es_domain *meter, struct es_calibration *ret,
		     struct es_error *err)
{
	bool is_first = data->n_sources == 0;
	const struct es_course **parts;
	size_t n = 0;

	parts = reallocarray(data->parts, data->n_parts + courses->n + 1, sizeof(void *));
	if (!parts)
		return es_error_set(err, -ENOMEM, "cannot hold the parts");
	data->parts = parts;
	for (size_t i = 0; i < courses->n; i++) {
		const struct es_domain *domain = &courses->domains[i];
		int r = 0;

		if (!is_part(courses, i, node, meter))
			continue;
		if (is_first)
			r = es_calibration_add_part(ret, domain->name);
		else if (!has_part(ret, domain->name))
			r = -EINVAL;
		if (r < 0)
			return es_error_say(
				err, r, "'%.64s' of node %.64s is not measured in all recordings",
				domain->name, courses->nodes[node].name);
		parts[data->n_parts + n++] = &courses->courses[i];
	}
	if (n == 0)
		return es_error_say(err, -EINVAL,
				    "node %.64s has no measured parts beside its meter",
				    courses->nodes[node].name);
	if (n != ret->n_parts)
		return es_error_say(err, -EINVAL,
				    "node %.64s has %zu measured parts, others have %zu",
				    courses->nodes[node].name, n, ret->n_parts);
	data->n_parts += n;
	if (is_first)
		data->limit_w = limit_of(courses, node);
	return 0;
}

static int check_class(const struct es_calibrate_data *data, const struct es_node_info *info,
		       struct es_calibration *ret, struct es_error *err)
{
	struct es_node_class class = es_report_node_class(info);

	if (data->n_sources == 0) {
		ret->class = class;
		return 0;
	}
	/* Where nothing says what they are it is the user who says that they are alike. */
	if ((class.cpu_model[0] || ret->class.cpu_model[0]) &&
	    !es_node_class_is_same(&class, &ret->class))
		return es_error_say(
			err, -EINVAL,
			"node %.64s is built otherwise than the first one: calibrate each class by itself",
			info->name);
	return 0;
}

static int add_source(struct es_calibrate_data *data, const struct es_course *meter, size_t n_x)
{
	struct es_pair_source *sources =
		reallocarray(data->sources, data->n_sources + 1, sizeof(*sources));

	if (!sources)
		return -ENOMEM;
	data->sources = sources;
	sources[data->n_sources++] = (struct es_pair_source){ .n_x = n_x, .y = meter };
	return 0;
}

/* A node of a recording; one without that meter is left out. */
static int add_node(struct es_calibrate_data *data, size_t recording, uint32_t node,
		    const char *meter, struct es_calibration *ret, struct es_error *err)
{
	const struct es_courses *courses = &data->recordings[recording];
	bool is_file = data->wattmeter.n > 0;
	const struct es_domain *domain = is_file ? NULL : find_meter(courses, node, meter);
	const struct es_course *course = &data->meters[recording];
	int r;

	if (!is_file && !domain)
		return 0;
	if (domain)
		course = &courses->courses[domain - courses->domains];
	r = check_class(data, &courses->nodes[node], ret, err);
	if (r == 0)
		r = add_parts(data, courses, node, domain, ret, err);
	if (r < 0)
		return r;
	if (domain && data->n_sources == 0) {
		(void)snprintf(ret->meter, sizeof(ret->meter), "%s", domain->id);
		ret->meter_accuracy_ppm = domain->accuracy_ppm;
	}
	r = add_source(data, course, ret->n_parts);
	return r < 0 ? es_error_set(err, r, "cannot hold the nodes") : 0;
}

static int add_recording(struct es_calibrate_data *data, const char *path, const char *meter,
			 struct es_calibration *ret, struct es_error *err)
{
	size_t at = data->n_recordings, before = data->n_sources;
	struct es_courses *courses = &data->recordings[at];
	char sha256[ES_SHA256_TEXT_BYTES];
	int r = es_courses_read(path, courses, err);

	if (r < 0)
		return r;
	data->n_recordings++;
	if (data->wattmeter.n && courses->n_nodes > 1)
		return es_error_say(
			err, -EINVAL,
			"'%.300s' has %zu nodes: which of them the file's meter is of is not known",
			path, courses->n_nodes);
	if (data->wattmeter.n) {
		int64_t span_ns = es_courses_span_ns(courses) + AROUND_NS;

		r = es_wattmeter_course(&data->wattmeter, courses->start_unix_ns - AROUND_NS,
					courses->start_unix_ns + span_ns,
					courses->start_boot_ns - courses->start_unix_ns,
					&data->meters[at]);
		if (r < 0)
			return es_error_set(err, r, "cannot hold the meter's readings");
		if (data->meters[at].n < 2)
			return es_error_say(
				err, -EINVAL,
				"the meter's file has no readings at the time of '%.300s'", path);
	}
	for (uint32_t node = 0; node < courses->n_nodes; node++) {
		r = add_node(data, at, node, meter, ret, err);
		if (r < 0)
			return r;
	}
	if (data->n_sources == before)
		return es_error_say(
			err, -EINVAL,
			strcmp(meter, "bmc") == 0
				? "'%.300s' has no meter of a node in it; record with --meter URL, or give a wattmeter's file"
				: "'%.300s' has no readings of that meter, which is no file either",
			path);
	r = digest(path, sha256, err);
	if (r < 0)
		return r;
	r = es_calibration_add_source(ret, base_name(path), sha256);
	return r < 0 ? es_error_set(err, r, "'%.300s'", path) : 0;
}

/* The parts' array has moved while it grew: only now do its members stay where they are. */
static void point(struct es_calibrate_data *data)
{
	size_t at = 0;

	for (size_t i = 0; i < data->n_sources; i++) {
		data->sources[i].x = data->parts + at;
		at += data->sources[i].n_x;
	}
}

int es_calibrate_gather(const char *meter, char *const *paths, size_t n_paths,
			struct es_calibrate_data *data, struct es_calibration *ret,
			struct es_error *err)
{
	int r = 0;

	*data = (struct es_calibrate_data){ .n_sources = 0 };
	data->recordings = calloc(n_paths + 1, sizeof(*data->recordings));
	data->meters = calloc(n_paths + 1, sizeof(*data->meters));
	if (!data->recordings || !data->meters)
		r = es_error_set(err, -ENOMEM, "cannot hold the recordings");
	if (r == 0 && strcmp(meter, "bmc") != 0 && access(meter, F_OK) == 0) {
		es_cleanup(es_freep) char *text = NULL;
		struct es_error why = { .code = 0 };
		size_t n = 0;

		r = es_file_read(meter, ES_WATTMETER_MAX_BYTES, &text, &n, err);
		if (r == 0) {
			r = es_wattmeter_parse(text, n, &data->wattmeter, &why);
			if (r < 0)
				(void)es_error_say(err, r, "'%.300s': %s", meter, why.text);
		}
		(void)snprintf(ret->meter, sizeof(ret->meter), "%.200s", base_name(meter));
	}
	for (size_t i = 0; i < n_paths && r == 0; i++)
		r = add_recording(data, paths[i], meter, ret, err);
	if (r < 0)
		es_calibrate_data_finish(data);
	else
		point(data);
	return r;
}
