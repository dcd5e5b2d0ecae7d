/*
 * test_format_scene.c - scenes, and what becomes of them as SVG, PNG and PDF
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "support/test.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "format/scene.h"

static const struct es_font font = { .size_pt = 10, .ink = ES_INK_TEXT };

struct fixture {
	struct es_scene scene;
	struct es_buf out;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	es_scene_init(&f->scene, 100, 50);
	es_buf_init(&f->out, 1U << 20);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	es_scene_finish(&f->scene);
	es_buf_finish(&f->out);
	free(f);
	return 0;
}

static const char *svg(struct fixture *f)
{
	es_buf_reset(&f->out);
	assert_int_equal(es_scene_svg(&f->scene, false, &f->out), 0);
	assert_int_equal(es_buf_u8(&f->out, 0), 0);
	return (const char *)f->out.data;
}

static void hostile_words_are_only_words(void **state)
{
	struct fixture *f = *state;
	const char *text;

	es_scene_text(&f->scene, 1, 2, &font, "</text><script>\"'&\033\xff\xef\xbf\xbf");
	text = svg(f);

	assert_non_null(strstr(text, "&lt;/text&gt;&lt;script&gt;&quot;&#39;&amp;???"));
	assert_null(strstr(text, "<script"));
	(void)state;
}

static void hints_are_only_words(void **state)
{
	struct fixture *f = *state;
	const struct es_style style = { .fill = ES_INK_TEXT };

	es_scene_rect(&f->scene, 0, 0, 5, 5, &style);
	es_scene_hint(&f->scene, "</title><b>");

	assert_non_null(strstr(svg(f), "<title>&lt;/title&gt;&lt;b&gt;</title>"));
}

static void paths_are_relative_and_do_not_drift(void **state)
{
	struct fixture *f = *state;
	const struct es_style style = { .stroke = ES_INK_TEXT, .stroke_pt = 1 };

	es_scene_begin(&f->scene, ES_MARK_LINE, &style);
	for (int i = 0; i < 4; i++)
		es_scene_point(&f->scene, 0.34 * i, 5);
	es_scene_point(&f->scene, 1.02, 7.5);
	es_scene_point(&f->scene, 1.02, 7.5);
	es_scene_point(&f->scene, 0, 0);

	assert_non_null(strstr(svg(f), "d=\"M0 5h.3h.4h.3v2.5l-1 -7.5\""));
}

static void a_text_is_cut_to_its_width_at_whole_letters(void **state)
{
	struct fixture *f = *state;

	es_scene_text_within(&f->scene, 0, 0, 30, &font, "ééééééééé");
	assert_non_null(strstr(svg(f), ">ééé…</text>"));
	assert_true(es_text_width("ééé…", &font) <= 30);
	es_scene_text_within(&f->scene, 0, 0, 2, &font, "none fits");
	assert_null(strstr(svg(f), ">n"));
}

static void without_cairo_the_package_is_named(void **state)
{
	struct fixture *f = *state;
	const struct es_pages pages = { .scenes = &f->scene, .n = 1, .soname = "libcairo.so.none" };
	struct es_error err = { .code = 0 };

	assert_int_equal(es_scene_png(&pages, 2, &f->out, &err), -ENOENT);
	assert_non_null(strstr(err.text, "libcairo2"));
	assert_int_equal(es_scenes_pdf(&pages, &f->out, &err), -ENOENT);
	assert_non_null(strstr(err.text, "libcairo2"));
	assert_int_equal(f->out.len, 0);
}

static unsigned be32(const uint8_t *p)
{
	return (unsigned)p[0] << 24 | (unsigned)p[1] << 16 | (unsigned)p[2] << 8 | p[3];
}

static void png_and_pdf_have_the_size_asked_for(void **state)
{
	struct fixture *f = *state;
	const struct es_pages pages = { .scenes = &f->scene, .n = 1, .title = "t" };
	const struct es_style style = { .fill = ES_INK_GAP, .hatch = ES_INK_GAP_LINE };
	struct es_error err = { .code = 0 };

	es_scene_rect(&f->scene, 0, 0, 100, 50, &style);
	es_scene_text(&f->scene, 5, 20, &font, "words");
	if (es_scene_png(&pages, 2, &f->out, &err) == -ENOENT) {
		print_message("PNG and PDF were not looked at: %s\n", err.text);
		return;
	}
	assert_int_equal(err.code, 0);
	assert_memory_equal(f->out.data, "\x89PNG\r\n\x1a\n", 8);
	assert_int_equal(be32(f->out.data + 16), 200);
	assert_int_equal(be32(f->out.data + 20), 100);
	es_buf_reset(&f->out);
	assert_int_equal(es_scenes_pdf(&pages, &f->out, &err), 0);
	assert_memory_equal(f->out.data, "%PDF-", 5);
	es_buf_reset(&f->out);
	f->out.max = 100;
	assert_int_equal(es_scene_png(&pages, 2, &f->out, &err), -EMSGSIZE);
}

static void a_picture_without_size_is_refused(void **state)
{
	struct fixture *f = *state;
	const struct es_pages pages = { .scenes = &f->scene, .n = 1 };
	struct es_error err = { .code = 0 };

	f->scene.width_pt = 0;
	assert_int_equal(es_scene_png(&pages, 2, &f->out, &err), -ERANGE);
	f->scene.width_pt = 1e9;
	assert_int_equal(es_scenes_pdf(&pages, &f->out, &err), -ERANGE);
}

static void inks_of_domains_differ_in_both_themes(void **state)
{
	for (int dark = 0; dark < 2; dark++)
		for (unsigned i = ES_INK_SERIES; i < ES_INK_TINT; i++) {
			assert_int_not_equal(es_ink_rgb((enum es_ink)i, dark),
					     es_ink_rgb(es_ink_pale((enum es_ink)i), dark));
			for (unsigned j = ES_INK_SERIES; j < i; j++)
				assert_int_not_equal(es_ink_rgb((enum es_ink)i, dark),
						     es_ink_rgb((enum es_ink)j, dark));
		}
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(hostile_words_are_only_words, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hints_are_only_words, set_up, tear_down),
		cmocka_unit_test_setup_teardown(paths_are_relative_and_do_not_drift, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_text_is_cut_to_its_width_at_whole_letters, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(without_cairo_the_package_is_named, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(png_and_pdf_have_the_size_asked_for, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_picture_without_size_is_refused, set_up,
						tear_down),
		cmocka_unit_test(inks_of_domains_differ_in_both_themes),
	};

	return cmocka_run_group_tests_name("format/scene", tests, NULL, NULL);
}
