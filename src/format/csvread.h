/*
 * csvread.h - reading CSV, line by line, in place
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_CSVREAD_H
#define ES_FORMAT_CSVREAD_H

#include <stddef.h>

#define ES_CSV_FIELDS_MAX 64U

/** struct es_csv - where the reading is */
struct es_csv {
	char *p, *end;
	char separator; /* ',' unless changed after es_csv_init() */
	size_t line; /* of the record read last, from 1 */
	size_t next_line;
};

/** es_csv_init - read @n bytes and the NUL behind them, which are changed on the way; a byte order mark is passed over */
void es_csv_init(struct es_csv *csv, char *text, size_t n);

/**
 * es_csv_next - the next record (RFC 4180: fields by @separator, quotes where needed, CRLF or LF)
 * @fields: borrowed; spaces around fields without quotes are taken off
 *
 * Blank lines are passed over. Returns the number of fields; 0 at the end; -EBADMSG: a quote where none may be, or one
 * that is not closed; -E2BIG: too many fields. After an error the next call goes on behind the line.
 */
int es_csv_next(struct es_csv *csv, char *fields[static ES_CSV_FIELDS_MAX]);

#endif
