/*
 * plot_scene.h - what the parts of a scene that shows a plot share
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_PLOT_SCENE_H
#define ES_FORMAT_PLOT_SCENE_H

#include "format/axis.h"
#include "format/plot.h"

#define ES_PLOT_PEAK_PERCENT 30U /* opacity of what lies between the least and the most */

/** struct drawing - a scene in the making */
struct drawing {
	const struct es_plot *plot;
	struct es_scene *scene;
	struct es_plot_words words;
	struct es_plot_frame frame;
	struct es_power_axis power;
	struct es_time_axis time;
	int64_t offset_ns; /* what the time axis begins with */
	struct es_bands bands;
	bool is_named[ES_PLOT_NAMED_MAX]; /* [region]: its whole name stands in its band */
	double keys_x, keys_width;
};

/** es_plot_curve_style - how a layer is filled: estimates are hatched */
struct es_style es_plot_curve_style(const struct es_plot_curve *curve);
/** es_plot_region_ink - the colour of a region's bands */
enum es_ink es_plot_region_ink(const struct es_plot_frame *frame, size_t region);
/** es_plot_draw_keys - what the colours mean, with means and energies */
void es_plot_draw_keys(struct drawing *d);
/** es_plot_draw_foot - small print, and who made the picture */
void es_plot_draw_foot(struct drawing *d);

#endif
