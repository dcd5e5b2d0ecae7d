/*
 * test_cli_scatter.c - pictures of energy against time
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "cli/dots.h"
#include "cli/scatter.h"
#include "cli/scatter_private.h"
#include "support/random.h"

#define MANY 400U

static double uniform(uint64_t *seed)
{
	return ((double)(test_random(seed) >> 11) + 0.5) / 0x1p53;
}

struct picture {
	struct es_scatter_point points[MANY];
	char names[MANY][24];
	size_t front[MANY];
	struct es_scatter_line line;
	struct es_scatter scatter;
};

/* A cloud above a falling curve, with its true front. */
static void make(struct picture *picture, size_t n, double factor)
{
	struct es_opt_point at[MANY];
	uint64_t seed = n;

	*picture = (struct picture){ .scatter = { .title = "cloud",
						  .x_name = "time (s)",
						  .y_name = "energy (J)",
						  .mark_name = "knee" } };
	for (size_t i = 0; i < n; i++) {
		double x = uniform(&seed);

		at[i] = (struct es_opt_point){ pow(factor, x),
					       3000 / (1 + x) * (1 + uniform(&seed)) };
		(void)snprintf(picture->names[i], sizeof(picture->names[i]), "setting %zu", i);
		picture->points[i] =
			(struct es_scatter_point){ .at = at[i], .name = picture->names[i] };
	}
	assert_int_equal(es_opt_front(at, n, picture->front, &picture->line.n), 0);
	for (size_t i = 0; i < picture->line.n; i++)
		picture->points[picture->front[i]].is_front = true;
	picture->points[picture->front[0]].is_marked = true;
	picture->line.points = picture->front;
	picture->scatter.points = picture->points;
	picture->scatter.n = n;
	picture->scatter.lines = &picture->line;
	picture->scatter.n_lines = 1;
}

static const char *text_of(const struct es_scene *scene, const struct es_mark *mark)
{
	return (const char *)scene->texts.data + mark->text;
}

/* Names: the texts with a halo. Each as its rectangle. */
static size_t names_of(const struct es_scene *scene, double ret[][4])
{
	size_t n = 0;

	for (size_t i = 0; i < scene->n_marks; i++) {
		const struct es_mark *mark = &scene->marks[i];
		const struct es_point *at = &scene->points[mark->first_point];

		if (mark->type != ES_MARK_TEXT || !mark->font.has_halo)
			continue;
		ret[n][0] = at->x;
		ret[n][1] = at->y - mark->font.size_pt * 0.8;
		ret[n][2] = at->x + es_text_width(text_of(scene, mark), &mark->font);
		ret[n++][3] = at->y;
	}
	return n;
}

static void names_lie_apart_and_within(void **state)
{
	static const size_t sizes[] = { 1, 2, 4, 40, MANY };
	static struct picture picture;
	static double boxes[MANY][4];

	(void)state;
	for (size_t k = 0; k < ES_ARRAY_SIZE(sizes); k++) {
		struct es_scene scene;
		size_t n;

		make(&picture, sizes[k], 3);
		assert_int_equal(es_scatter_scene(&picture.scatter, &scene), 0);
		n = names_of(&scene, boxes);
		assert_true(n >= 1 && n <= sizes[k]);
		for (size_t i = 0; i < n; i++) {
			assert_true(boxes[i][0] >= 0 && boxes[i][2] <= scene.width_pt);
			assert_true(boxes[i][1] >= 0 && boxes[i][3] <= scene.height_pt);
			for (size_t j = 0; j < i; j++)
				assert_true(
					boxes[i][2] <= boxes[j][0] || boxes[j][2] <= boxes[i][0] ||
					boxes[i][3] <= boxes[j][1] || boxes[j][3] <= boxes[i][1]);
		}
		es_scene_finish(&scene);
	}
}

static bool has_text(const struct es_scene *scene, const char *words)
{
	for (size_t i = 0; i < scene->n_marks; i++)
		if (scene->marks[i].type == ES_MARK_TEXT &&
		    strstr(text_of(scene, &scene->marks[i]), words))
			return true;
	return false;
}

static void long_names_lose_their_middle(void **state)
{
	static struct picture picture;
	static const char name[] =
		"gcc -O3 -march=native -funroll-loops -ffast-math and ever so much more threads=16";
	struct es_scene scene;

	(void)state;
	make(&picture, 1, 3);
	picture.points[0].name = name;
	assert_int_equal(es_scatter_scene(&picture.scatter, &scene), 0);
	assert_false(has_text(&scene, name));
	assert_true(has_text(&scene, "gcc -O3"));
	assert_true(has_text(&scene, "threads=16"));
	assert_true(has_text(&scene, "…"));
	es_scene_finish(&scene);
}

static void far_values_have_a_logarithmic_axis(void **state)
{
	static struct picture picture;
	struct es_scatter_axis x, y;
	struct es_scene scene;

	(void)state;
	make(&picture, 40, 10);
	assert_int_equal(es_scatter_axes(&picture.scatter, 8, 8, &x, &y), 0);
	assert_false(x.is_log);
	picture.points[0].at.time = 0.01;
	assert_int_equal(es_scatter_axes(&picture.scatter, 8, 8, &x, &y), 0);
	assert_true(x.is_log);
	assert_false(y.is_log);
	assert_true(x.n_ticks >= 3);
	for (size_t i = 1; i < x.n_ticks; i++)
		assert_true(x.ticks[i] > x.ticks[i - 1]);
	assert_true(fabs(es_scatter_share(&x, sqrt(x.low * x.high)) - 0.5) < 1e-9);
	assert_true(es_scatter_share(&x, 0) == 0 && es_scatter_share(&x, 1e9) == 1);
	assert_int_equal(es_scatter_scene(&picture.scatter, &scene), 0);
	assert_true(has_text(&scene, "time (s), logarithmic"));
	assert_false(has_text(&scene, "energy (J), logarithmic"));
	es_scene_finish(&scene);
}

static void intervals_are_boxes_that_widen_the_axes(void **state)
{
	static struct picture picture;
	struct es_scatter_axis x, y;
	struct es_scene scene;
	bool is_seen = false;

	(void)state;
	make(&picture, 4, 1.1);
	picture.points[2].has_box = true;
	picture.points[2].time_low = picture.points[2].at.time * 0.7;
	picture.points[2].time_high = picture.points[2].at.time * 1.3;
	/* Student's interval of two runs is wide: it may not hide the others. */
	picture.points[2].energy_low = -1e9;
	picture.points[2].energy_high = 1e9;
	assert_int_equal(es_scatter_axes(&picture.scatter, 8, 8, &x, &y), 0);
	assert_true(x.low < picture.points[2].time_low && x.high > picture.points[2].time_high);
	assert_true(y.high < 60000 && y.high > picture.points[2].at.energy);
	assert_int_equal(es_scatter_scene(&picture.scatter, &scene), 0);
	assert_true(has_text(&scene, "95 % intervals"));
	for (size_t i = 0; i < scene.n_marks; i++) {
		const struct es_mark *mark = &scene.marks[i];
		const struct es_point *at = &scene.points[mark->first_point];

		is_seen |= mark->type == ES_MARK_RECT && mark->style.opacity_percent > 0 &&
			   fabs(at[1].x - at[0].x) > 100 && fabs(at[1].y - at[0].y) > 100;
		if (mark->type == ES_MARK_RECT)
			assert_true(fmax(at[0].x, at[1].x) <= scene.width_pt &&
				    fmax(at[0].y, at[1].y) <= scene.height_pt);
	}
	assert_true(is_seen);
	es_scene_finish(&scene);
}

static void legends_name_groups(void **state)
{
	static struct picture picture;
	static const char *const legend[] = { "V100", "RTX8000" };
	static const char *many[MANY];
	struct es_scene scene;

	(void)state;
	make(&picture, 40, 3);
	picture.scatter.legend = legend;
	picture.scatter.n_legend = 2;
	assert_int_equal(es_scatter_scene(&picture.scatter, &scene), 0);
	assert_true(has_text(&scene, "V100") && has_text(&scene, "RTX8000"));
	es_scene_finish(&scene);
	/* Of many the first are named; what the marks mean stays to be seen. */
	for (size_t i = 0; i < MANY; i++)
		many[i] = "kernel 07 on V100";
	picture.scatter.legend = many;
	picture.scatter.n_legend = MANY;
	assert_int_equal(es_scatter_scene(&picture.scatter, &scene), 0);
	assert_true(has_text(&scene, "knee") && has_text(&scene, "dominated"));
	assert_true(has_text(&scene, "and 379 more") || has_text(&scene, "and 382 more"));
	es_scene_finish(&scene);
	for (unsigned a = 0; a < 16; a++)
		for (unsigned b = 0; b < a; b++)
			assert_int_not_equal(es_scatter_ink(a), es_scatter_ink(b));
}

static void numbers_at_ticks_are_short(void **state)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = { { 0, "0" },	  { 0.30000000000000004, "0.3" },
		      { 1500, "1500" },	  { 6224886, "6224886" },
		      { 2.5e9, "2.5e9" }, { 2e-5, "2e-5" },
		      { 1e12, "1e12" },	  { -40, "-40" } };
	char text[ES_SCATTER_TICK_BYTES];

	(void)state;
	for (size_t i = 0; i < ES_ARRAY_SIZE(cases); i++)
		assert_string_equal(es_scatter_tick(cases[i].value, text), cases[i].text);
}

static const char *letters(const struct es_scatter *scatter, const struct es_terminal *terminal,
			   struct es_buf *out)
{
	es_buf_reset(out);
	assert_int_equal(es_scatter_text(scatter, terminal, out), 0);
	assert_int_equal(es_buf_u8(out, 0), 0);
	return (const char *)out->data;
}

static void terminals_get_letters(void **state)
{
	static struct picture picture;
	static const char *const legend[] = { "V100", "RTX8000" };
	struct es_terminal terminal = { .columns = 80, .lines = 23 };
	const char *text;
	struct es_buf out;
	size_t n_lines = 0;

	(void)state;
	es_buf_init(&out, 1 << 20);
	make(&picture, 10, 3);
	text = letters(&picture.scatter, &terminal, &out);
	for (const char *p = text; *p; p++) {
		assert_true((unsigned char)*p < 0x80);
		n_lines += *p == '\n';
	}
	assert_int_equal(n_lines, 23);
	assert_non_null(strstr(text, "energy (J) against time (s)"));
	assert_non_null(strstr(text, "@ knee"));
	assert_non_null(strstr(text, "* on the front"));
	assert_non_null(strstr(text, "setting "));
	terminal.has_unicode = true;
	text = letters(&picture.scatter, &terminal, &out);
	assert_non_null(strstr(text, "◆"));
	assert_non_null(strstr(text, "○"));
	assert_null(strstr(text, "\x1b["));
	picture.scatter.legend = legend;
	picture.scatter.n_legend = 2;
	picture.points[0].colour = 1;
	terminal.n_colours = 256;
	text = letters(&picture.scatter, &terminal, &out);
	assert_non_null(strstr(text, "\x1b["));
	assert_non_null(strstr(text, "RTX8000"));
	es_buf_finish(&out);
}

/* The letter of a point stands where its values say. */
static void letters_stand_where_values_are(void **state)
{
	const struct es_scatter_point points[] = {
		{ .at = { 1, 200 }, .is_front = true },
		{ .at = { 2, 100 }, .is_front = true },
		{ .at = { 2, 200 } },
	};
	const struct es_scatter scatter = {
		.title = "t", .x_name = "x", .y_name = "y", .points = points, .n = 3
	};
	const struct es_terminal terminal = { .columns = 60, .lines = 20 };
	const char *first, *second, *line_end;
	struct es_buf out;

	(void)state;
	es_buf_init(&out, 1 << 16);
	first = strchr(letters(&scatter, &terminal, &out), '*');
	assert_non_null(first);
	line_end = strchr(first, '\n');
	assert_non_null(memchr(first, 'o', (size_t)(line_end - first)));
	second = strchr(first + 1, '*');
	assert_non_null(second);
	assert_true(second > line_end);
	es_buf_finish(&out);
}

static void what_cannot_be_drawn_is_said(void **state)
{
	const struct es_scatter none = { .title = "t", .x_name = "x", .y_name = "y" };
	const struct es_terminal tiny = { .columns = 1, .lines = 1 };
	static struct picture picture;
	struct es_scene scene;
	struct es_buf out;

	(void)state;
	es_buf_init(&out, 1 << 20);
	assert_int_equal(es_scatter_scene(&none, &scene), -ENODATA);
	es_scene_finish(&scene);
	assert_int_equal(es_scatter_text(&none, &tiny, &out), -ENODATA);
	make(&picture, MANY, 1000);
	assert_int_equal(es_scatter_text(&picture.scatter, &tiny, &out), 0);
	picture.scatter.n = ES_SCATTER_POINTS_MAX + 1;
	assert_int_equal(es_scatter_text(&picture.scatter, &tiny, &out), -E2BIG);
	es_buf_finish(&out);
}

/* Times alone: of too many the least, and the reference wherever it is; each interval about its dot. */
static void times_alone_are_dots(void **state)
{
	const struct es_terminal narrow = { .columns = 50, .lines = 12 };
	const struct es_scatter none = { .title = "none", .x_name = "time (s)" };
	static struct es_scatter_point chosen[ES_DOTS_MAX];
	static struct picture picture;
	struct es_scene scene;
	struct es_buf out;
	size_t n_dots = 0;

	(void)state;
	assert_int_equal(es_dots_scene(&none, &scene), -ENODATA);
	es_scene_finish(&scene);
	make(&picture, MANY, 2);
	for (size_t i = 0; i < MANY; i++) {
		struct es_scatter_point *point = &picture.points[i];

		*point = (struct es_scatter_point){ .at = { .time = (double)(1 + i) },
						    .is_marked = i == MANY - 1,
						    .has_box = true,
						    .time_low = 0.9 * (double)(1 + i),
						    .time_high = 1.1 * (double)(1 + i),
						    .name = picture.names[i] };
	}
	assert_int_equal(es_dots_choose(&picture.scatter, ES_DOTS_MAX, chosen), ES_DOTS_MAX);
	assert_true(chosen[0].at.time == 1 && chosen[ES_DOTS_MAX - 2].at.time == ES_DOTS_MAX - 1);
	assert_true(chosen[ES_DOTS_MAX - 1].is_marked);
	assert_int_equal(es_dots_scene(&picture.scatter, &scene), 0);
	for (size_t i = 0; i < scene.n_marks; i++)
		n_dots += scene.marks[i].hint != SIZE_MAX;
	assert_int_equal(n_dots, ES_DOTS_MAX);
	es_scene_finish(&scene);
	es_buf_init(&out, 1 << 20);
	picture.scatter.n = 3;
	picture.points[1].is_marked = true;
	assert_int_equal(es_dots_text(&picture.scatter, &narrow, &out), 0);
	assert_int_equal(es_buf_u8(&out, 0), 0);
	assert_non_null(strstr((const char *)out.data, "setting 0 |"));
	assert_non_null(strstr((const char *)out.data, "-@-"));
	assert_non_null(strstr((const char *)out.data, "* mean  --- 95 % interval  @ knee"));
	es_buf_finish(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_lie_apart_and_within),
		cmocka_unit_test(long_names_lose_their_middle),
		cmocka_unit_test(far_values_have_a_logarithmic_axis),
		cmocka_unit_test(intervals_are_boxes_that_widen_the_axes),
		cmocka_unit_test(legends_name_groups),
		cmocka_unit_test(numbers_at_ticks_are_short),
		cmocka_unit_test(terminals_get_letters),
		cmocka_unit_test(letters_stand_where_values_are),
		cmocka_unit_test(what_cannot_be_drawn_is_said),
		cmocka_unit_test(times_alone_are_dots),
	};

	return cmocka_run_group_tests_name("cli/scatter", tests, NULL, NULL);
}
