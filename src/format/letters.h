/*
 * letters.h - texts as terminals show them: how many columns a letter takes, and which are not let through
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_LETTERS_H
#define ES_FORMAT_LETTERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/**
 * es_letter_next - the next letter of a text as it is shown
 * Control characters, bidirectional marks and what is no UTF-8 become '?'; without Unicode all but ASCII does, or its
 * nearest letter. @ret_columns: 0 to 2. Returns how many bytes of @text it stands for.
 */
size_t es_letter_next(const char *text, bool has_unicode, char letter[static 5],
		      unsigned *ret_columns);

/** es_letters_cell - a text in a cell of a table: cut with an ellipsis to @columns (1 or more), filled up with spaces */
void es_letters_cell(struct es_buf *out, const char *text, unsigned columns, bool is_filled);

#endif
