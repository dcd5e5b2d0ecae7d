/*
 * terminal.c - what the terminal on stdout can show
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/terminal.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/parse.h"

static unsigned number_of(const char *variable)
{
	const char *text = getenv(variable);
	uint64_t n;

	return text && es_parse_u64(text, &n) == 0 && n < 10000 ? (unsigned)n : 0;
}

/* https://no-color.org: set and not empty means no; https://bixense.com/clicolors: forced also where there is no terminal. */
static unsigned colours(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM"), *more = getenv("COLORTERM"),
		   *force = getenv("CLICOLOR_FORCE");
	bool is_forced = force && force[0] && strcmp(force, "0") != 0;

	if ((no && no[0]) || !term || !term[0] || strcmp(term, "dumb") == 0 ||
	    (!is_forced && !isatty(STDOUT_FILENO)))
		return 0;
	if (more && (strcmp(more, "truecolor") == 0 || strcmp(more, "24bit") == 0))
		return 1U << 24;
	return strstr(term, "256color") || strstr(term, "-direct") ? 256 : 16;
}

/* Of the user's locale; the program's own stays C, so that numbers do. */
static bool has_unicode(void)
{
	locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
	bool is_utf8 = locale && strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;

	if (locale)
		freelocale(locale);
	return is_utf8;
}

bool es_terminal_is_there(void)
{
	return isatty(STDOUT_FILENO);
}

void es_terminal_look(struct es_terminal *ret)
{
	struct winsize size;

	*ret = (struct es_terminal){ .columns = number_of("COLUMNS"), .lines = number_of("LINES") };
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0) {
		ret->columns = size.ws_col;
		ret->lines = size.ws_row;
	}
	ret->columns = ret->columns ? ret->columns : 80;
	ret->lines = ret->lines ? ret->lines : 24;
	/* The prompt comes below it. */
	ret->lines -= ret->lines > 4;
	ret->has_unicode = has_unicode();
	ret->n_colours = colours();
}
