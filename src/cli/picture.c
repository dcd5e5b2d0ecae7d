/*
 * picture.c - options of commands that draw, and the files they write
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/picture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/parse.h"
#include "cli/terminal.h"
#include "format/paper.h"

#define COLUMNS_FILE 1440U /* of a picture on paper: two for each of its points */
#define COLUMNS_PAGE 2880U /* of a page, where one can look closer */
#define SHEET_ROWS_MAX 16U /* of a table, so that two sheets do */
#define PAGE_ROWS_MAX 1000U
#define PIXELS_PER_PT 2.0
#define WIDTH_PT 960.0
#define HEIGHT_PT 540.0
#define LAID_OUT_MIN_PT 760.0 /* what letters of full size need */
#define LAID_OUT_HIGH_MIN_PT 420.0
#define SIDE_MIN_PT 100.0
#define SIDE_MAX_PT 8000.0
#define PICTURE_MAX_BYTES (256U << 20)

bool es_pictures_are_asked(const struct es_pictures *pictures)
{
	return pictures->svg || pictures->png || pictures->pdf || pictures->html;
}

static int take_side(const char *option, const char *text, double *ret_pt, struct es_error *err)
{
	uint64_t side;

	if (!text)
		return 0;
	if (es_parse_u64(text, &side) < 0 || (double)side > SIDE_MAX_PT || side == 0)
		return es_error_say(err, -EINVAL, "--%s '%s': a whole number up to %.0f is wanted",
				    option, text, SIDE_MAX_PT);
	*ret_pt = (double)side;
	return 0;
}

int es_pictures_check(struct es_pictures *pictures, struct es_error *err)
{
	int r = take_side("width", pictures->width, &pictures->width_pt, err);

	if (r == 0)
		r = take_side("height", pictures->height, &pictures->height_pt, err);
	if (r < 0)
		return r;
	if (es_pictures_are_asked(pictures) &&
	    ((pictures->width && pictures->width_pt < 2 * SIDE_MIN_PT) ||
	     (pictures->height && pictures->height_pt < SIDE_MIN_PT)))
		return es_error_say(err, -EINVAL, "a picture is at least %.0f wide and %.0f high",
				    2 * SIDE_MIN_PT, SIDE_MIN_PT);
	if (pictures->theme) {
		pictures->is_dark = strcmp(pictures->theme, "dark") == 0;
		if (!pictures->is_dark && strcmp(pictures->theme, "light") != 0)
			return es_error_say(err, -EINVAL,
					    "--theme '%s': there are 'light' and 'dark'",
					    pictures->theme);
	}
	return 0;
}

static int write_as_is(int fd, const char *path, const struct es_buf *buf, struct es_error *err)
{
	int r = es_write_all(fd, buf->data, buf->len);

	return r < 0 ? es_error_set(err, r, "cannot write '%s'", path) : 0;
}

static int write_beside(const char *path, const struct es_buf *buf, struct es_error *err)
{
	char temporary[ES_PATH_MAX_BYTES];
	es_cleanup(es_closep) int fd = -1;
	int r;

	if (snprintf(temporary, sizeof(temporary), "%s.%d.tmp", path, (int)getpid()) >=
	    (int)sizeof(temporary))
		return es_error_set(err, -ENAMETOOLONG, "cannot write '%.200s…'", path);
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (fd < 0)
		return es_error_set(err, -errno, "cannot write '%s'", path);
	r = es_write_all(fd, buf->data, buf->len);
	if (r == 0 && close(es_steal_fd(&fd)) < 0)
		r = -errno;
	if (r == 0 && rename(temporary, path) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlink(temporary);
		return es_error_set(err, r, "cannot write '%s'", path);
	}
	return 0;
}

int es_write_whole(const char *path, const struct es_buf *buf, struct es_error *err)
{
	struct stat st;

	if (buf->error < 0)
		return es_error_set(err, buf->error, "cannot make '%s'", path);
	if (strcmp(path, "-") == 0)
		return write_as_is(STDOUT_FILENO, "standard output", buf, err);
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		es_cleanup(es_closep) int fd = open(path, O_WRONLY | O_CLOEXEC);

		if (fd < 0)
			return es_error_set(err, -errno, "cannot write '%s'", path);
		return write_as_is(fd, path, buf, err);
	}
	return write_beside(path, buf, err);
}

/* How much larger a small picture is laid out than it will be: its letters shrink with it, so that all has its place. */
static double enlargement(const struct es_pictures *pictures)
{
	double k = 1;

	if (pictures->width_pt > 0 && LAID_OUT_MIN_PT > k * pictures->width_pt)
		k = LAID_OUT_MIN_PT / pictures->width_pt;
	if (pictures->height_pt > 0 && LAID_OUT_HIGH_MIN_PT > k * pictures->height_pt)
		k = LAID_OUT_HIGH_MIN_PT / pictures->height_pt;
	return k;
}

static struct es_plot_look look_of(const struct es_pictures *pictures)
{
	double k = enlargement(pictures);

	return (struct es_plot_look){
		.width_pt = k * (pictures->width_pt > 0 ? pictures->width_pt : WIDTH_PT),
		.height_pt = k * (pictures->height_pt > 0 ? pictures->height_pt : HEIGHT_PT),
		.title = pictures->title,
	};
}

/* The picture as large as it was asked for. */
static int make_scene(const struct es_pictures *pictures, const struct es_plot *plot,
		      struct es_scene *ret)
{
	const struct es_plot_look look = look_of(pictures);
	double k = enlargement(pictures);
	struct es_scene scene;
	int r = es_plot_scene(plot, &look, &scene, NULL);

	if (r == 0 && k > 1) {
		es_scene_init(ret, look.width_pt / k, look.height_pt / k);
		es_scene_place(ret, &scene, 0, 0, 1 / k);
		es_scene_finish(&scene);
		return ret->error;
	}
	*ret = scene;
	return r;
}

static int write_svg(const struct es_pictures *pictures, const struct es_scene *scene,
		     struct es_buf *out, struct es_error *err)
{
	int r = es_scene_svg(scene, pictures->is_dark, out);

	return r < 0 ? es_error_set(err, r, "cannot make '%s'", pictures->svg)
		     : es_write_whole(pictures->svg, out, err);
}

/* The pictures that need a scene. */
static int write_scene(const struct es_pictures *pictures, const struct es_plot *plot,
		       struct es_buf *out, struct es_error *err)
{
	struct es_scene scene;
	const struct es_pages pages = { .scenes = &scene,
					.n = 1,
					.is_dark = pictures->is_dark,
					.title = plot->report->meta->job };
	int r = make_scene(pictures, plot, &scene);

	if (r < 0)
		(void)es_error_set(err, r, "cannot make the picture");
	if (r == 0 && pictures->svg)
		r = write_svg(pictures, &scene, out, err);
	es_buf_reset(out);
	if (r == 0 && pictures->png)
		r = es_scene_png(&pages, PIXELS_PER_PT, out, err);
	if (r == 0 && pictures->png)
		r = es_write_whole(pictures->png, out, err);
	es_buf_reset(out);
	if (r == 0 && pictures->pdf)
		r = es_scenes_pdf(&pages, out, err);
	if (r == 0 && pictures->pdf)
		r = es_write_whole(pictures->pdf, out, err);
	es_scene_finish(&scene);
	return r;
}

/* As for an eprofile: nothing there is no success. */
static int check_plot(struct es_plot *plot, struct es_error *err)
{
	if (plot->n_columns > 0)
		return 0;
	es_plot_finish(plot);
	return es_error_say(err, -ENODATA, "no readings in that time");
}

int es_pictures_write(const struct es_pictures *pictures, const struct es_outcome *outcome,
		      const struct es_profile_options *options, struct es_error *err)
{
	const struct es_plot_look look = look_of(pictures);
	struct es_plot plot;
	struct es_buf out;
	int r = es_plot_build(outcome->recording, &outcome->report, options,
			      pictures->html ? COLUMNS_PAGE : COLUMNS_FILE, &plot, err);

	if (r == 0)
		r = check_plot(&plot, err);
	if (r < 0)
		return r;
	es_buf_init(&out, PICTURE_MAX_BYTES);
	if (pictures->html) {
		r = es_plot_page(&plot, &look, &out);
		r = r < 0 ? es_error_set(err, r, "cannot make '%s'", pictures->html)
			  : es_write_whole(pictures->html, &out, err);
		es_buf_reset(&out);
	}
	while (plot.n_columns > COLUMNS_FILE)
		es_plot_halve(&plot);
	if (r == 0 && (pictures->svg || pictures->png || pictures->pdf))
		r = write_scene(pictures, &plot, &out, err);
	es_buf_finish(&out);
	es_plot_finish(&plot);
	return r;
}

static int write_sheets(const struct es_plot *plot, const char *pdf, struct es_buf *out,
			struct es_error *err)
{
	const struct es_report_paper_options options = { .n_rows_max = SHEET_ROWS_MAX };
	struct es_scene sheets[ES_PAPER_SHEETS_MAX] = { { .width_pt = 0 } };
	struct es_pages pages = { .scenes = sheets, .title = plot->report->meta->job };
	struct es_paper paper;
	int r = es_report_paper(plot->report, &options, &paper);

	if (r == 0)
		r = es_paper_sheets(&paper, plot, sheets, &pages.n);
	if (r < 0)
		(void)es_error_set(err, r, "cannot make '%s'", pdf);
	if (r == 0)
		r = es_scenes_pdf(&pages, out, err);
	if (r == 0)
		r = es_write_whole(pdf, out, err);
	for (size_t i = 0; i < ES_PAPER_SHEETS_MAX; i++)
		es_scene_finish(&sheets[i]);
	es_paper_finish(&paper);
	return r;
}

static int write_page(struct es_plot *plot, const char *html, struct es_buf *out,
		      struct es_error *err)
{
	const struct es_report_paper_options options = { .n_rows_max = PAGE_ROWS_MAX };
	struct es_paper paper;
	int r = es_report_paper(plot->report, &options, &paper);

	if (r == 0)
		r = es_paper_html(&paper, plot, out);
	es_paper_finish(&paper);
	return r < 0 ? es_error_set(err, r, "cannot make '%s'", html)
		     : es_write_whole(html, out, err);
}

int es_report_write(const struct es_outcome *outcome, const char *html, const char *pdf,
		    struct es_error *err)
{
	const struct es_profile_options all = { .is_full = false };
	struct es_plot plot;
	struct es_buf out;
	int r = es_plot_build(outcome->recording, &outcome->report, &all,
			      html ? COLUMNS_PAGE : COLUMNS_FILE, &plot, err);

	if (r < 0)
		return r;
	es_buf_init(&out, PICTURE_MAX_BYTES);
	if (html)
		r = write_page(&plot, html, &out, err);
	es_buf_reset(&out);
	while (plot.n_columns > COLUMNS_FILE)
		es_plot_halve(&plot);
	if (r == 0 && pdf)
		r = write_sheets(&plot, pdf, &out, err);
	es_buf_finish(&out);
	es_plot_finish(&plot);
	return r;
}

static void look_at_terminal(const struct es_pictures *pictures, struct es_terminal *ret)
{
	es_terminal_look(ret);
	if (pictures->width)
		ret->columns = (unsigned)pictures->width_pt;
	if (pictures->height)
		ret->lines = (unsigned)pictures->height_pt;
}

int es_picture_in_terminal(const struct es_pictures *pictures, const struct es_outcome *outcome,
			   const struct es_profile_options *options, struct es_error *err)
{
	struct es_terminal terminal;
	struct es_plot plot;
	struct es_buf out;
	int r;

	look_at_terminal(pictures, &terminal);
	r = es_plot_build(outcome->recording, &outcome->report, options,
			  es_plot_terminal_columns(&terminal), &plot, err);
	if (r == 0)
		r = check_plot(&plot, err);
	if (r < 0)
		return r;
	es_buf_init(&out, PICTURE_MAX_BYTES);
	r = es_plot_terminal(&plot, &terminal, pictures->title, &out);
	r = r < 0 ? es_error_set(err, r, "cannot draw") : es_write_whole("-", &out, err);
	es_buf_finish(&out);
	es_plot_finish(&plot);
	return r;
}
