/*
 * text.h - words from outside: valid, harmless, nearly right
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_BASE_TEXT_H
#define ES_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/** es_utf8_length - bytes (1..4) of the character at the start of @n bytes, 0 where it is no valid UTF-8 */
size_t es_utf8_length(const char *text, size_t n);

/** es_text_make_safe - each control character (C0, DEL, C1 as UTF-8) becomes '?', so that no terminal obeys it */
void es_text_make_safe(char *text, bool keeps_lines);

#define ES_WORD_MAX_BYTES 64U /* longer words are near nothing */

/** es_text_distance - letters to add, drop, change or swap to get from @a to @b; SIZE_MAX where one is too long */
size_t es_text_distance(const char *a, const char *b);

/** es_text_is_near - true where @distance letters are few enough for @word to be meant */
static inline bool es_text_is_near(size_t distance, size_t word_bytes)
{
	return distance < word_bytes / 3 + 2 && distance < word_bytes;
}

#endif
