/*
 * drawing.c - scenes to files
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/drawing.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "cli/picture.h"

#define OUT_MAX_BYTES (256U << 20)

bool es_drawing_is_asked(const struct es_drawing *drawing)
{
	return drawing->svg || drawing->png || drawing->pdf;
}

int es_drawing_takes_stdout(const struct es_drawing *drawing, struct es_error *err)
{
	const char *const files[] = { drawing->svg, drawing->png, drawing->pdf };
	int n = 0;

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		n += files[i] && strcmp(files[i], "-") == 0;
	return n > 1 ? es_error_say(err, -EINVAL, "one picture at most can go to stdout") : n;
}

static int write_svg(const struct es_drawing *drawing, const struct es_scene *scene,
		     struct es_buf *out, struct es_error *err)
{
	int r = es_scene_svg(scene, drawing->is_dark, out);

	return r < 0 ? es_error_set(err, r, "cannot make '%s'", drawing->svg)
		     : es_write_whole(drawing->svg, out, err);
}

int es_drawing_write(const struct es_drawing *drawing, const struct es_scene *scene,
		     const char *title, struct es_error *err)
{
	const struct es_pages pages = {
		.scenes = scene, .n = 1, .is_dark = drawing->is_dark, .title = title
	};
	struct es_buf out;
	int r = 0;

	es_buf_init(&out, OUT_MAX_BYTES);
	if (drawing->svg)
		r = write_svg(drawing, scene, &out, err);
	es_buf_reset(&out);
	if (r == 0 && drawing->png)
		r = es_scene_png(&pages, 2, &out, err);
	if (r == 0 && drawing->png)
		r = es_write_whole(drawing->png, &out, err);
	es_buf_reset(&out);
	if (r == 0 && drawing->pdf)
		r = es_scenes_pdf(&pages, &out, err);
	if (r == 0 && drawing->pdf)
		r = es_write_whole(drawing->pdf, &out, err);
	es_buf_finish(&out);
	return r;
}
