/*
 * twin_fit.h - what energyscopium twin fit found, and how it is shown
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_TWIN_FIT_H
#define ES_CLI_TWIN_FIT_H

#include "base/buf.h"
#include "cli/twin_table.h"

#define ES_TWIN_FIT_AT_MAX 64U

/** struct es_twin_fitted - one program: its rows are those of the table */
struct es_twin_fitted {
	struct es_twin_fit fit;
	struct es_twin_outcome *outcomes; /* [n of its rows] owned */
	size_t n_within; /* rows whose time and energy are near enough */
	struct es_twin_outcome *what_if; /* [n_at of all] owned */
	int error; /* 0, or why there is no fit */
	char why[ES_TEXT_MAX_BYTES];
};

struct es_twin_fitting {
	const struct es_twin_kind *kind;
	struct es_twin_table table;
	struct es_twin_fitted *fitted; /* [table.n] owned */
	double at[ES_TWIN_FIT_AT_MAX]; /* settings that nobody measured */
	size_t n_at;
	double within; /* relative error up to which a row fits */
	double idle_w; /* of the kind, where the table has one */
};

/** es_twin_fit_is_near - @outcome is near enough to what was measured */
bool es_twin_fit_is_near(const struct es_twin_fitting *fitting, const struct es_twin_row *row,
			 const struct es_twin_outcome *outcome);
void es_twin_fit_text(const struct es_twin_fitting *fitting, bool is_brief, struct es_buf *out);
void es_twin_fit_csv(const struct es_twin_fitting *fitting, struct es_buf *out);
int es_twin_fit_json(const struct es_twin_fitting *fitting, struct es_buf *out);

#endif
