/*
 * plot.h - what a picture of a recording shows, in columns; drawn as a scene or in a terminal
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_PLOT_H
#define ES_FORMAT_PLOT_H

#include <stdbool.h>

#include "format/bands.h"
#include "format/ink.h"
#include "format/profile.h"
#include "format/scene.h"

#define ES_PLOT_LAYERS_MAX 12U /* more domains than that are drawn by type */
#define ES_PLOT_LINES_MAX 4U
#define ES_PLOT_COLUMNS_MAX 8192U
#define ES_PLOT_NAMED_MAX 256U /* regions with a colour and a place in the key of their own */

/** struct es_plot_curve - one part of the stack, or one line */
struct es_plot_curve {
	char name[2 * ES_NAME_MAX_BYTES];
	enum es_ink ink;
	enum es_domain_type type;
	unsigned kinds; /* 1 << enum es_kind of each domain in it */
	size_t n_domains;
	uint64_t energy_uj, mean_mw; /* of the time shown */
	uint64_t *power_mw; /* [column], mean; owned */
};

/** struct es_plot_gap - columns that are hatched */
struct es_plot_gap {
	int64_t start_ns, stop_ns;
	bool has_mean; /* a counter went on: the mean is known, the course is not */
};

/** struct es_plot - es_plot_finish() it; borrows the report */
struct es_plot {
	const struct es_report *report;
	int64_t start_ns, stop_ns; /* boot clock, of what is shown */
	int64_t column_ns;
	size_t n_columns; /* 0: there are no readings */
	bool is_part; /* of the time, or of the domains */
	struct es_plot_curve layers[ES_PLOT_LAYERS_MAX]; /* from the bottom up */
	size_t n_layers,
		n_aggregated; /* the latter: domains drawn together by type; 0: each alone */
	struct es_plot_curve lines
		[ES_PLOT_LINES_MAX]; /* not stacked: meters of the whole, and what was asked for beside the cover */
	size_t n_lines;
	bool *is_known; /* [column]: all layers are, or with several nodes more than half of the power is; owned */
	uint64_t *filled_mw; /* [column]: of the stack, mean powers in place of nodes without readings; owned */
	bool has_filled_columns; /* of those that are known */
	bool *is_line_known; /* [column]: all lines are; owned */
	bool has_peaks; /* columns hold several readings */
	uint64_t *least_mw, *most_mw; /* [column] of the sum of layers, reading by reading; owned */
	uint64_t stack_uj; /* of all layers */
	bool has_filled; /* energies hold what was filled in over gaps */
	uint64_t limit_mw; /* of the layers from the bottom up that have one; 0: not known */
	char limit_text[96];
	struct es_plot_gap *gaps; /* owned */
	size_t n_gaps;
	const struct es_band_call *calls; /* sorted by start; owned */
	size_t n_calls;
	bool are_calls_cut; /* there were more than are kept */
};

/**
 * es_plot_build - walk the recording and gather what a picture shows
 * @options: domains, from and to
 * @n_columns_max: at most so many means over time; 1 to ES_PLOT_COLUMNS_MAX
 *
 * A column is the mean of its time, and beside it the least and the most of the readings in it, so that no peak is
 * lost. A recording without readings gives a plot without columns. Returns 0, -ENOMEM, or read errors.
 */
int es_plot_build(struct es_recording *recording, const struct es_report *report,
		  const struct es_profile_options *options, size_t n_columns_max,
		  struct es_plot *ret, struct es_error *err);
void es_plot_finish(struct es_plot *plot);

/** es_plot_halve - two columns become one: their mean, the least and the most of both; known where one of both is */
void es_plot_halve(struct es_plot *plot);
/** es_plot_top_mw - the most that is to be seen of the curves */
uint64_t es_plot_top_mw(const struct es_plot *plot);
/** es_plot_shows_limit - the limit is near enough to be drawn */
bool es_plot_shows_limit(const struct es_plot *plot);

/* What plot.c leaves to others. */

/** es_plot_take_calls - the calls of the report's regions but those named es_… */
int es_plot_take_calls(struct es_plot *plot);
/** es_plot_settle_filled - what is filled in must be the smaller part of a column, else it is not known */
void es_plot_settle_filled(struct es_plot *plot);
/** es_plot_find_gaps - runs of columns that are not known, and the report's holes in between */
int es_plot_find_gaps(struct es_plot *plot);

/** struct es_plot_words - texts around a picture */
struct es_plot_words {
	char title[ES_NAME_MAX_BYTES + 160];
	char below[2 * ES_NAME_MAX_BYTES + 320]; /* the title */
	char foot[ES_TEXT_MAX_BYTES];
	char clock[96]; /* what day and zone the wall clock is of */
};
void es_plot_say(const struct es_plot *plot, struct es_plot_words *ret);
/** es_plot_curve_note - what is to be said of a curve beside its name: its kind where it is not measured, or "" */
void es_plot_curve_note(const struct es_plot_curve *curve, char *text, size_t size);

/** struct es_plot_look - how the scene is made */
struct es_plot_look {
	double width_pt, height_pt; /* 0: 960 by 540 */
	const char *title; /* NULL: the job's */
	bool is_bare; /* a part of a page that has said the rest: no title, no foot */
};

/** struct es_plot_frame - where the curves are drawn; for a page's script */
struct es_plot_frame {
	double x, y, width, height, bands_y, row_height;
	unsigned n_rows;
	unsigned char colours[ES_PLOT_NAMED_MAX]; /* [region] 1 + its number; 0: none */
	uint64_t top_mw;
	int64_t time_unit_ns;
};

/** es_plot_scene - the picture; @ret is es_scene_init()ed here and owned by the caller also on failure; @ret_frame may be NULL */
int es_plot_scene(const struct es_plot *plot, const struct es_plot_look *look, struct es_scene *ret,
		  struct es_plot_frame *ret_frame);

/** struct es_terminal - what a terminal can show */
struct es_terminal {
	unsigned columns, lines;
	unsigned n_colours; /* 0: none, 16, 256, or 1 << 24 */
	bool has_unicode;
};

/** es_plot_terminal - the picture in letters, at most @terminal->lines of them; appended to @out */
int es_plot_terminal(const struct es_plot *plot, const struct es_terminal *terminal,
		     const char *title, struct es_buf *out);
/** es_plot_terminal_columns - how many columns a plot for that terminal is to have */
size_t es_plot_terminal_columns(const struct es_terminal *terminal);

/** es_plot_page - a page of HTML that holds all it needs: picture, numbers, and a script to look closer; @plot is made coarser */
int es_plot_page(struct es_plot *plot, const struct es_plot_look *look, struct es_buf *out);
/** es_plot_page_head, es_plot_page_body - the parts of it for a page of somebody else: policy and style; picture and script */
int es_plot_page_head(struct es_buf *out);
int es_plot_page_body(struct es_plot *plot, const struct es_plot_look *look, struct es_buf *out);

#endif
