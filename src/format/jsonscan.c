/*
 * jsonscan.c - reading JSON token by token, in place
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "format/jsonscan.h"

#include <errno.h>
#include <string.h>

void es_scan_init(struct es_scan *scan, const char *text, size_t n)
{
	*scan = (struct es_scan){ .begin = text, .p = text, .end = text + n };
	if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		scan->p += 3;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static void skip_space(struct es_scan *scan)
{
	while (scan->p < scan->end &&
	       (*scan->p == ' ' || *scan->p == '\n' || *scan->p == '\t' || *scan->p == '\r'))
		scan->p++;
}

static int take_string(struct es_scan *scan)
{
	const char *p = scan->p + 1, *begin = p;

	for (; p < scan->end && *p != '"'; p++) {
		if ((unsigned char)*p < 0x20)
			return -EBADMSG;
		if (*p == '\\' && ++p == scan->end)
			return -ENODATA;
	}
	if (p >= scan->end)
		return -ENODATA;
	scan->text = begin;
	scan->n_text = (size_t)(p - begin);
	scan->p = p + 1;
	return 0;
}

static bool take_digits(const char **p, const char *end)
{
	const char *begin = *p;

	while (*p < end && is_digit(**p))
		(*p)++;
	return *p > begin;
}

static int take_number(struct es_scan *scan)
{
	const char *p = scan->p, *end = scan->end;
	bool is_right = true;

	p += *p == '-';
	is_right = take_digits(&p, end);
	if (is_right && p < end && *p == '.') {
		p++;
		is_right = take_digits(&p, end);
	}
	if (is_right && p < end && (*p == 'e' || *p == 'E')) {
		p++;
		p += p < end && (*p == '+' || *p == '-');
		is_right = take_digits(&p, end);
	}
	/* At the very end one cannot know whether more digits were to come, unless the number is the whole text. */
	if (p == end && scan->depth > 0)
		return -ENODATA;
	if (!is_right)
		return -EBADMSG;
	scan->text = scan->p;
	scan->n_text = (size_t)(p - scan->p);
	scan->p = p;
	return ES_SCAN_NUMBER;
}

static int take_word(struct es_scan *scan)
{
	static const struct {
		const char *word;
		enum es_scan_token token;
	} words[] = {
		{ "true", ES_SCAN_TRUE },
		{ "false", ES_SCAN_FALSE },
		{ "null", ES_SCAN_NULL },
	};
	size_t left = (size_t)(scan->end - scan->p);

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t n = strlen(words[i].word);

		if (memcmp(scan->p, words[i].word, n < left ? n : left) != 0)
			continue;
		if (left < n)
			return -ENODATA;
		scan->p += n;
		return (int)words[i].token;
	}
	return -EBADMSG;
}

static int open_level(struct es_scan *scan, bool is_object)
{
	if (scan->depth >= ES_SCAN_DEPTH_MAX)
		return -EBADMSG;
	scan->p++;
	scan->depth++;
	scan->is_object = scan->is_object << 1 | is_object;
	scan->wants_key = is_object;
	scan->wants_comma = false;
	return is_object ? ES_SCAN_OBJECT : ES_SCAN_ARRAY;
}

static void value_is_read(struct es_scan *scan)
{
	scan->wants_comma = true;
	scan->wants_key = scan->depth > 0 && (scan->is_object & 1);
	scan->is_done = scan->depth == 0;
}

static int close_level(struct es_scan *scan, bool is_object)
{
	if (scan->depth == 0 || (bool)(scan->is_object & 1) != is_object)
		return -EBADMSG;
	scan->p++;
	scan->depth--;
	scan->is_object >>= 1;
	value_is_read(scan);
	return is_object ? ES_SCAN_OBJECT_END : ES_SCAN_ARRAY_END;
}

static int take_key(struct es_scan *scan)
{
	int r;

	if (*scan->p != '"')
		return -EBADMSG;
	r = take_string(scan);
	if (r < 0)
		return r;
	skip_space(scan);
	if (scan->p >= scan->end)
		return -ENODATA;
	if (*scan->p != ':')
		return -EBADMSG;
	scan->p++;
	scan->wants_key = false;
	scan->wants_comma = false;
	return ES_SCAN_KEY;
}

static int take_value(struct es_scan *scan)
{
	int token;

	switch (*scan->p) {
	case '{':
		return open_level(scan, true);
	case '[':
		return open_level(scan, false);
	case '"':
		token = take_string(scan);
		token = token < 0 ? token : ES_SCAN_STRING;
		break;
	default:
		token = *scan->p == '-' || is_digit(*scan->p) ? take_number(scan) : take_word(scan);
	}
	if (token >= 0)
		value_is_read(scan);
	return token;
}

static int next(struct es_scan *scan)
{
	skip_space(scan);
	if (scan->is_done)
		return scan->p < scan->end ? -EBADMSG : ES_SCAN_END;
	if (scan->p >= scan->end)
		return -ENODATA;
	/* Right behind an opening bracket, or where a comma could stand. */
	if (*scan->p == '}' && (scan->wants_comma || scan->wants_key))
		return close_level(scan, true);
	if (*scan->p == ']' && (scan->wants_comma || !scan->wants_key))
		return close_level(scan, false);
	if (scan->wants_comma) {
		if (*scan->p != ',')
			return -EBADMSG;
		scan->p++;
		skip_space(scan);
		if (scan->p >= scan->end)
			return -ENODATA;
		if (*scan->p == ']' || *scan->p == '}')
			return -EBADMSG;
	}
	return scan->wants_key ? take_key(scan) : take_value(scan);
}

int es_scan_next(struct es_scan *scan)
{
	struct es_scan before = *scan;
	int token = next(scan);

	if (token < 0)
		*scan = before;
	return token;
}

int es_scan_skip(struct es_scan *scan, int token)
{
	unsigned depth = scan->depth;

	if (token != ES_SCAN_OBJECT && token != ES_SCAN_ARRAY)
		return 0;
	while (scan->depth >= depth) {
		int r = es_scan_next(scan);

		if (r < 0)
			return r;
	}
	return 0;
}

int es_scan_skip_value(struct es_scan *scan)
{
	int token = es_scan_next(scan);

	return token < 0 ? token : es_scan_skip(scan, token);
}

bool es_scan_is(const struct es_scan *scan, const char *text)
{
	return strlen(text) == scan->n_text && memcmp(text, scan->text, scan->n_text) == 0;
}

static int hex4(const char *p, const char *end, uint32_t *ret)
{
	uint32_t v = 0;

	if (end - p < 4)
		return -EBADMSG;
	for (int i = 0; i < 4; i++) {
		char c = p[i];

		v <<= 4;
		if (is_digit(c))
			v |= (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v |= (uint32_t)(c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			v |= (uint32_t)(c - 'A' + 10);
		else
			return -EBADMSG;
	}
	*ret = v;
	return 0;
}

/* The code point behind "\u", a surrogate pair included; 0 is refused: our texts end with it. */
static int take_code_point(const char **p, const char *end, uint32_t *ret)
{
	uint32_t v, low;

	if (hex4(*p, end, &v) < 0 || v == 0 || (v >= 0xdc00 && v <= 0xdfff))
		return -EBADMSG;
	*p += 4;
	if (v >= 0xd800 && v <= 0xdbff) {
		if (end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u' ||
		    hex4(*p + 2, end, &low) < 0 || low < 0xdc00 || low > 0xdfff)
			return -EBADMSG;
		*p += 6;
		v = 0x10000 + ((v - 0xd800) << 10) + (low - 0xdc00);
	}
	*ret = v;
	return 0;
}

static size_t put_utf8(uint32_t v, char text[static 4])
{
	if (v < 0x80) {
		text[0] = (char)v;
		return 1;
	}
	if (v < 0x800) {
		text[0] = (char)(0xc0 | v >> 6);
		text[1] = (char)(0x80 | (v & 0x3f));
		return 2;
	}
	if (v < 0x10000) {
		text[0] = (char)(0xe0 | v >> 12);
		text[1] = (char)(0x80 | (v >> 6 & 0x3f));
		text[2] = (char)(0x80 | (v & 0x3f));
		return 3;
	}
	text[0] = (char)(0xf0 | v >> 18);
	text[1] = (char)(0x80 | (v >> 12 & 0x3f));
	text[2] = (char)(0x80 | (v >> 6 & 0x3f));
	text[3] = (char)(0x80 | (v & 0x3f));
	return 4;
}

static int take_escape(const char **p, const char *end, char text[static 4], size_t *ret_n)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at;
	uint32_t v;
	int r;

	if (*p >= end)
		return -EBADMSG;
	if (**p == 'u') {
		(*p)++;
		r = take_code_point(p, end, &v);
		if (r == 0)
			*ret_n = put_utf8(v, text);
		return r;
	}
	at = **p ? strchr(from, **p) : NULL;
	if (!at)
		return -EBADMSG;
	(*p)++;
	text[0] = to[at - from];
	*ret_n = 1;
	return 0;
}

static int copy_text(const struct es_scan *scan, char *ret, size_t size)
{
	const char *p = scan->text, *end = scan->text + scan->n_text;
	size_t n = 0;

	while (p < end) {
		char text[4] = { *p };
		size_t n_text = 1;

		if (*p++ == '\\') {
			int r = take_escape(&p, end, text, &n_text);

			if (r < 0)
				return r;
		}
		if (text[0] == '\0')
			return -EBADMSG;
		if (n + n_text >= size)
			return -E2BIG;
		memcpy(ret + n, text, n_text);
		n += n_text;
	}
	ret[n] = '\0';
	return 0;
}

int es_scan_copy(const struct es_scan *scan, char *ret, size_t size)
{
	int r = copy_text(scan, ret, size);

	if (r < 0)
		ret[0] = '\0';
	return r;
}

int es_scan_u64(const struct es_scan *scan, uint64_t *ret)
{
	uint64_t v = 0;

	if (scan->n_text == 0)
		return -EBADMSG;
	for (size_t i = 0; i < scan->n_text; i++) {
		unsigned digit;

		if (!is_digit(scan->text[i]))
			return -EBADMSG;
		digit = (unsigned)(scan->text[i] - '0');
		if (v > (UINT64_MAX - digit) / 10)
			return -ERANGE;
		v = v * 10 + digit;
	}
	*ret = v;
	return 0;
}
