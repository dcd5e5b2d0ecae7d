/*
 * picture.h - options of commands that draw, and the files they write
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_PICTURE_H
#define ES_CLI_PICTURE_H

#include "cli/output.h"
#include "format/plot.h"

/** struct es_pictures - which pictures are wanted and how they look; texts borrowed from the command line */
struct es_pictures {
	const char *svg, *png, *pdf, *html; /* files; "-": stdout */
	bool is_term;
	const char *width, *height, *title, *theme;
	/* Of those, once es_pictures_check() took them. */
	double width_pt, height_pt;
	bool is_dark;
};

/** es_pictures_are_asked - one of the files is */
bool es_pictures_are_asked(const struct es_pictures *pictures);
/** es_pictures_check - width, height and theme; 0 or -EINVAL with what is wrong */
int es_pictures_check(struct es_pictures *pictures, struct es_error *err);
/** es_pictures_write - all that are asked for, each file whole or not at all; 0 or negative errno */
int es_pictures_write(const struct es_pictures *pictures, const struct es_outcome *outcome,
		      const struct es_profile_options *options, struct es_error *err);
/** es_picture_in_terminal - drawn on stdout, as large as the terminal is, or as --width and --height say */
int es_picture_in_terminal(const struct es_pictures *pictures, const struct es_outcome *outcome,
			   const struct es_profile_options *options, struct es_error *err);

/** es_report_write - the report as a page of HTML and on sheets of PDF; NULL: not wanted; 0 or negative errno */
int es_report_write(const struct es_outcome *outcome, const char *html, const char *pdf,
		    struct es_error *err);

/**
 * es_write_whole - a buffer to a file: beside its place first, then moved there
 * @path: "-": stdout; what is there and no regular file (a pipe, a device) is written to as it is
 * Returns 0, or negative errno with the file named; nothing half-written is left.
 */
int es_write_whole(const char *path, const struct es_buf *buf, struct es_error *err);

#endif
