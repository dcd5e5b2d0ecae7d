/*
 * fuzz_report.c - any recording as a report: table, JSON, profile, pictures, page
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "format/paper.h"
#include "format/plot.h"
#include "format/profile.h"
#include "format/report.h"
#include "format/scene.h"
#include "format/tagfile.h"
#include "fuzz/recording.h"
#include "fuzz/target.h"

#define OUT_MAX_BYTES (64U << 20)
#define SLOT_NS INT64_C(100000000)

/* Whatever names a recording has: no control character reaches a terminal. */
static void require_safe(const struct es_buf *out)
{
	for (size_t i = 0; i < out->len; i++)
		fuzz_require(out->data[i] >= 0x20 || out->data[i] == '\n');
}

static void tell(const struct es_report *report)
{
	struct es_json json;
	struct es_buf out;

	es_buf_init(&out, OUT_MAX_BYTES);
	(void)es_report_line(report, false, &out);
	(void)es_buf_u8(&out, '\n');
	(void)es_report_table(report, &out);
	require_safe(&out);
	es_buf_reset(&out);
	es_json_init(&json, es_json_sink_buf, &out, true);
	es_json_object(&json, NULL);
	es_report_members(report, &json);
	es_json_object_end(&json);
	(void)es_json_end(&json);
	es_buf_finish(&out);
}

static void write_profile(struct es_recording *recording, const struct es_report *report)
{
	const struct es_profile_options options = { .is_full = false };
	struct es_profile profile;
	struct es_buf out;

	if (es_profile_build(recording, report, &options, &profile, NULL) < 0)
		return;
	es_buf_init(&out, OUT_MAX_BYTES);
	(void)es_eprofile_write(&profile, &options, es_json_sink_buf, &out);
	es_buf_finish(&out);
	es_profile_finish(&profile);
}

static void draw(struct es_plot *plot, struct es_buf *out)
{
	static const struct es_terminal terminal = {
		.columns = 60, .lines = 20, .n_colours = 256, .has_unicode = true
	};
	const struct es_plot_look look = { .width_pt = 0 };
	const struct es_report_paper_options options = { .n_rows_max = 16 };
	struct es_paper paper;
	struct es_scene scene;

	(void)es_plot_terminal(plot, &terminal, NULL, out);
	es_buf_reset(out);
	if (es_plot_scene(plot, &look, &scene, NULL) == 0)
		(void)es_scene_svg(&scene, false, out);
	es_scene_finish(&scene);
	es_buf_reset(out);
	if (es_report_paper(plot->report, &options, &paper) == 0)
		(void)es_paper_html(&paper, plot, out);
	es_paper_finish(&paper);
}

static void picture(struct es_recording *recording, const struct es_report *report)
{
	const struct es_profile_options options = { .is_full = false };
	struct es_plot plot;
	struct es_buf out;

	if (es_plot_build(recording, report, &options, 200, &plot, NULL) < 0)
		return;
	es_buf_init(&out, OUT_MAX_BYTES);
	draw(&plot, &out);
	es_buf_finish(&out);
	es_plot_finish(&plot);
}

/* Figures about the recording's time, one missing. */
static const struct es_intensity *make_slots(const struct es_meta *meta, struct es_intensity *slots)
{
	struct es_slot clash[2];

	*slots = (struct es_intensity){ .zone = "FR", .kind = ES_FACTOR_AVERAGE };
	for (int64_t i = -2; i < 8; i++) {
		struct es_slot slot = { .start_ns = meta->start_unix_ns + i * SLOT_NS,
					.stop_ns = meta->start_unix_ns + (i + 1) * SLOT_NS,
					.g_per_kwh = 100 + (double)i };

		if (i != 3 && es_intensity_add(slots, &slot) < 0)
			return NULL;
	}
	return es_intensity_prepare(slots, clash) == 0 ? slots : NULL;
}

static void look_at(struct es_recording *recording, const struct es_report_options *options)
{
	struct es_report report;

	if (es_report_build(recording, options, &report, NULL) < 0)
		return;
	tell(&report);
	write_profile(recording, &report);
	picture(recording, &report);
	es_report_finish(&report);
}

/* @fd: as it is; then with all that may come beside a recording. */
static void read_file(int fd)
{
	struct es_report_options options = {
		.pue = 1.3,
		.pue_source = "option --pue",
		.carbon = { .zone = "FR", .g_per_kwh = 50, .kind = "average" },
		.zone_source = "option --zone",
		.model = es_node_model_find("none"),
		.has_profile = true,
	};
	static const char tags_text[] = "t,+0,+0.2\nu,+0.1,+0.3\nt,+0.15,+0.18\n";
	struct es_tagfile tags = { .n_rows = 0 };
	struct es_recording *recording;
	struct es_intensity slots;
	char path[64];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (es_recording_open(path, NULL, &recording, NULL) < 0)
		return;
	look_at(recording, &options);
	options.footprint = (struct es_carbon_options){
		.intensity = make_slots(es_recording_meta(recording), &slots),
		.has_embodied = true,
		.embodied_kg = 1000,
		.lifetime_years = 4,
		.embodied_source = "option --embodied",
		.has_price = true,
		.price_micro_per_kwh = 250000,
		.currency = "EUR",
		.price_source = "option --price",
	};
	if (es_tagfile_parse(&tags, "tags", strdup(tags_text), strlen(tags_text), NULL) == 0)
		options.tags = &tags;
	look_at(recording, &options);
	es_tagfile_finish(&tags);
	es_intensity_finish(&slots);
	es_recording_close(recording);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint64_t size;
	es_cleanup(es_closep) int fd = fuzz_recording_open(data, n, &size);

	if (fd >= 0)
		read_file(fd);
	return 0;
}
