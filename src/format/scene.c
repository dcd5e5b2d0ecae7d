/*
 * scene.c - a picture as a list of marks, before anybody draws it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/scene.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define MARKS_MAX (1U << 20)
#define POINTS_MAX (1U << 22)
#define TEXTS_MAX_BYTES (16U << 20)
#define ELLIPSIS "…"

void es_scene_init(struct es_scene *scene, double width_pt, double height_pt)
{
	*scene = (struct es_scene){ .width_pt = width_pt, .height_pt = height_pt };
	es_buf_init(&scene->texts, TEXTS_MAX_BYTES);
}

void es_scene_finish(struct es_scene *scene)
{
	free(scene->marks);
	free(scene->points);
	es_buf_finish(&scene->texts);
	*scene = (struct es_scene){ .width_pt = 0 };
}

/* Room for one more; doubles. */
static bool make_room(struct es_scene *scene, void **items, size_t n, size_t *cap, size_t max,
		      size_t size)
{
	size_t want = *cap ? *cap * 2 : 256;
	void *more;

	if (scene->error < 0)
		return false;
	if (n < *cap)
		return true;
	if (n >= max) {
		scene->error = -E2BIG;
		return false;
	}
	more = reallocarray(*items, want, size);
	if (!more) {
		scene->error = -ENOMEM;
		return false;
	}
	*items = more;
	*cap = want;
	return true;
}

static struct es_mark *add_mark(struct es_scene *scene, enum es_mark_type type)
{
	struct es_mark *mark;

	if (!make_room(scene, (void **)&scene->marks, scene->n_marks, &scene->cap_marks, MARKS_MAX,
		       sizeof(*scene->marks)))
		return NULL;
	mark = &scene->marks[scene->n_marks++];
	*mark = (struct es_mark){ .type = type, .first_point = scene->n_points, .hint = SIZE_MAX };
	return mark;
}

/* A text's bytes, safe to show: what is no UTF-8 and what a terminal or XML may not hold becomes '?'. */
static size_t add_text(struct es_scene *scene, const char *text, size_t n)
{
	size_t at = scene->texts.len;
	char *copy;

	for (size_t i = 0; i < n;) {
		size_t bytes = es_utf8_length(text + i, n - i);

		/* U+FFFE and U+FFFF are no characters of XML. */
		if (bytes == 0 || (bytes == 3 && memcmp(text + i, "\xef\xbf\xbe", 2) == 0 &&
				   (unsigned char)text[i + 2] >= 0xbe))
			(void)es_buf_u8(&scene->texts, '?');
		else
			(void)es_buf_append(&scene->texts, text + i, bytes);
		i += bytes ? bytes : 1;
	}
	(void)es_buf_u8(&scene->texts, 0);
	if (scene->texts.error < 0) {
		scene->error = scene->texts.error;
		return SIZE_MAX;
	}
	copy = (char *)scene->texts.data + at;
	es_text_make_safe(copy, false);
	return at;
}

void es_scene_rect(struct es_scene *scene, double x, double y, double width, double height,
		   const struct es_style *style)
{
	es_scene_begin(scene, ES_MARK_RECT, style);
	es_scene_point(scene, x, y);
	es_scene_point(scene, x + width, y + height);
}

void es_scene_hint(struct es_scene *scene, const char *text)
{
	if (scene->error == 0 && scene->n_marks > 0)
		scene->marks[scene->n_marks - 1].hint = add_text(scene, text, strlen(text));
}

void es_scene_begin(struct es_scene *scene, enum es_mark_type type, const struct es_style *style)
{
	struct es_mark *mark = add_mark(scene, type);

	if (mark)
		mark->style = *style;
}

void es_scene_point(struct es_scene *scene, double x, double y)
{
	if (!make_room(scene, (void **)&scene->points, scene->n_points, &scene->cap_points,
		       POINTS_MAX, sizeof(*scene->points)))
		return;
	scene->points[scene->n_points++] = (struct es_point){ x, y };
	scene->marks[scene->n_marks - 1].n_points++;
}

void es_scene_line(struct es_scene *scene, double x0, double y0, double x1, double y1,
		   const struct es_style *style)
{
	es_scene_begin(scene, ES_MARK_LINE, style);
	es_scene_point(scene, x0, y0);
	es_scene_point(scene, x1, y1);
}

static void put_text(struct es_scene *scene, double x, double y, const struct es_font *font,
		     const char *text, size_t n)
{
	struct es_mark *mark = add_mark(scene, ES_MARK_TEXT);
	size_t at;

	if (!mark)
		return;
	mark->font = *font;
	at = add_text(scene, text, n);
	scene->marks[scene->n_marks - 1].text = at;
	es_scene_point(scene, x, y);
}

void es_scene_text(struct es_scene *scene, double x, double y, const struct es_font *font,
		   const char *text)
{
	put_text(scene, x, y, font, text, strlen(text));
}

void es_scene_text_within(struct es_scene *scene, double x, double y, double width,
			  const struct es_font *font, const char *text)
{
	char cut[ES_TEXT_MAX_BYTES];
	size_t n = 0, keep = 0, len = strnlen(text, sizeof(cut) - sizeof(ELLIPSIS));

	if (es_text_width(text, font) <= width) {
		es_scene_text(scene, x, y, font, text);
		return;
	}
	while (n < len) {
		size_t bytes = es_utf8_length(text + n, len - n);

		n += bytes ? bytes : 1;
		memcpy(cut, text, n);
		memcpy(cut + n, ELLIPSIS, sizeof(ELLIPSIS));
		if (es_text_width(cut, font) > width)
			break;
		keep = n;
	}
	if (keep == 0)
		return;
	memcpy(cut, text, keep);
	memcpy(cut + keep, ELLIPSIS, sizeof(ELLIPSIS));
	es_scene_text(scene, x, y, font, cut);
}

void es_scene_group(struct es_scene *scene, const char *name)
{
	if (add_mark(scene, ES_MARK_GROUP)) {
		size_t at = add_text(scene, name, strlen(name));

		scene->marks[scene->n_marks - 1].text = at;
	}
}

void es_scene_group_end(struct es_scene *scene)
{
	(void)add_mark(scene, ES_MARK_GROUP_END);
}

static void place_mark(struct es_scene *scene, const struct es_scene *other,
		       const struct es_mark *mark, double x, double y, double scale)
{
	const char *texts = (const char *)other->texts.data;
	struct es_mark *copy = add_mark(scene, mark->type);
	size_t text = 0, hint = SIZE_MAX;

	if (!copy)
		return;
	copy->style = mark->style;
	copy->style.stroke_pt *= scale;
	copy->style.radius_pt *= scale;
	copy->font = mark->font;
	copy->font.size_pt *= scale;
	if (mark->type == ES_MARK_TEXT || mark->type == ES_MARK_GROUP)
		text = add_text(scene, texts + mark->text, strlen(texts + mark->text));
	if (mark->hint != SIZE_MAX)
		hint = add_text(scene, texts + mark->hint, strlen(texts + mark->hint));
	scene->marks[scene->n_marks - 1].text = text;
	scene->marks[scene->n_marks - 1].hint = hint;
	for (size_t i = 0; i < mark->n_points; i++) {
		const struct es_point *point = &other->points[mark->first_point + i];

		es_scene_point(scene, x + point->x * scale, y + point->y * scale);
	}
}

void es_scene_place(struct es_scene *scene, const struct es_scene *other, double x, double y,
		    double scale)
{
	if (other->error < 0)
		scene->error = other->error;
	for (size_t i = 0; i < other->n_marks && scene->error == 0; i++)
		place_mark(scene, other, &other->marks[i], x, y, scale);
}

/* Widths of DejaVu Sans in 1/100 of its size, by kind of letter; it is wider than Arial, Helvetica and Liberation. */
static unsigned letter_width(const char *letter, size_t bytes)
{
	char c = letter[0];

	if (bytes > 2)
		return 100; /* most likely CJK or a symbol; U+2026, U+2082 are narrower */
	if (bytes == 2)
		return 64;
	if (strchr("iljI|'.,:;!()[]{}/ \\", c))
		return c == ' ' || strchr("lji|'.,:;!I", c) ? 34 : 40;
	if (strchr("mwMW%@", c))
		return c == '%' || c == '@' ? 100 : 93;
	if (strchr("frt-\"*", c))
		return 44;
	if (c >= '0' && c <= '9')
		return 64;
	if ((c >= 'A' && c <= 'Z') || strchr("+<=>~#", c))
		return 75;
	return 62;
}

double es_text_width(const char *text, const struct es_font *font)
{
	size_t len = strlen(text), hundredths = 0;

	for (size_t i = 0; i < len;) {
		size_t bytes = es_utf8_length(text + i, len - i);

		hundredths += letter_width(text + i, bytes ? bytes : 1);
		i += bytes ? bytes : 1;
	}
	return font->size_pt * (double)hundredths / 100.0 * (font->is_bold ? 1.1 : 1.0);
}
