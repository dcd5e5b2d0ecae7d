/*
 * explore_show.c - a study in words: what it will do, and what came of it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "base/text.h"
#include "cli/compare.h"
#include "cli/dots.h"
#include "cli/explore.h"
#include "core/rounds.h"
#include "format/letters.h"

#define PERCENT 100.0
#define LABEL_MAX 56U
#define LABEL_MIN 13U
#define RIVALS_SHOWN 8U
#define ORDER_SHOWN 40U /* configurations of a round, in --dry-run */

static const char *plural(size_t n)
{
	return n == 1 ? "" : "s";
}

static unsigned label_columns(const struct es_explore *study)
{
	size_t widest = LABEL_MIN;

	for (size_t i = 0; i < study->n; i++)
		if (strlen(study->members[i].label) > widest)
			widest = strlen(study->members[i].label);
	return widest > LABEL_MAX ? LABEL_MAX : (unsigned)widest;
}

static size_t count(const struct es_explore *study, bool is_failed)
{
	size_t n = 0;

	for (size_t i = 0; i < study->n * study->n_rounds; i++)
		n += study->runs[i].is_done &&
		     (!is_failed || study->runs[i].result != ES_EXPLORE_OK);
	return n;
}

/* Mean and half width, and the change against the reference in words. */
static void put_metric(const struct es_judgement *judgement, bool is_known, bool is_reference,
		       bool is_time, struct es_buf *out)
{
	const struct es_interval *own = &judgement->b;
	double half;
	int decimals;

	if (!is_known) {
		(void)es_buf_printf(out, " %11s %9s %-19s", "n/a", "", "");
		return;
	}
	half = (own->high - own->low) / 2;
	if (own->method == ES_INTERVAL_NONE || !(half > 0)) {
		(void)es_buf_printf(out, " %11.5g %9s", own->mean,
				    own->method == ES_INTERVAL_NONE ? "n/a" : "0");
	} else {
		/* Two digits of what is not sure: more of the mean mean nothing. */
		decimals = (int)fmin(fmax(1 - floor(log10(half)), 0), 9);
		(void)es_buf_printf(out, " %11.*f %9.*f", decimals, own->mean, decimals, half);
	}
	if (is_reference)
		(void)es_buf_printf(out, " %-19s", "");
	else if (judgement->has_change)
		(void)es_buf_printf(out, " %+7.2f %% %-9s", PERCENT * judgement->change,
				    es_compare_word(is_time ? ES_TRIAL_TIME : ES_TRIAL_ENERGY,
						    judgement->verdict));
	else
		(void)es_buf_printf(out, " %-19s", "n/a");
}

static bool is_on_front(const struct es_explore *study, size_t i)
{
	for (size_t k = 0; k < study->n_front; k++)
		if (study->front[k] == i)
			return true;
	return false;
}

static void put_row(const struct es_explore *study, size_t i, unsigned columns, struct es_buf *out)
{
	const struct es_explore_member *member = &study->members[i];
	bool is_reference = i == study->reference;

	(void)es_buf_printf(out, "  %-5s", member->id);
	es_letters_cell(out, member->label, columns, true);
	(void)es_buf_printf(out, " %5zu", member->n_ok);
	put_metric(&member->time, member->has_time, is_reference, true, out);
	if (!study->no_energy)
		put_metric(&member->energy, member->has_energy, is_reference, false, out);
	(void)es_buf_printf(out, " %s", es_explore_result_name(member->result));
	if (is_reference)
		(void)es_buf_str(out, ", reference");
	if (is_on_front(study, i))
		(void)es_buf_str(out, i == study->knee ? ", front, knee" : ", front");
	(void)es_buf_u8(out, '\n');
}

static void put_far_off(const struct es_explore *study, const struct es_explore_member *member,
			struct es_buf *out)
{
	const char *comma = "";

	for (size_t i = 0; i < study->n_rounds; i++) {
		if (!member->runs[i].is_far_off)
			continue;
		(void)es_buf_printf(out, *comma ? "%s%zu" : "%s: far from its other rounds: %zu",
				    *comma ? comma : member->id, i + 1);
		comma = ", ";
	}
	(void)es_buf_str(out, *comma ? " (kept)\n" : "");
}

static void put_table(const struct es_explore *study, struct es_buf *out)
{
	unsigned columns = label_columns(study);

	(void)es_buf_printf(out, "  %-5s%-*s %5s %11s %10s %-19s", "", (int)columns,
			    "configuration", "runs", "time (s)", "±", "change");
	if (!study->no_energy)
		(void)es_buf_printf(out, " %11s %10s %-19s", "energy (J)", "±", "change");
	(void)es_buf_str(out, " result\n");
	for (size_t i = 0; i < study->n; i++)
		put_row(study, i, columns, out);
	for (size_t i = 0; i < study->n; i++)
		if (study->members[i].reason[0])
			(void)es_buf_printf(out, "%s: %s (%s): excluded\n", study->members[i].id,
					    es_explore_result_name(study->members[i].result),
					    study->members[i].reason);
	for (size_t i = 0; i < study->n; i++)
		put_far_off(study, &study->members[i], out);
}

static void put_filled(const struct es_explore *study, const struct es_explore_member *member,
		       const struct es_explore_places *places, const char *what, const char *text,
		       struct es_buf *out)
{
	struct es_buf line;

	es_buf_init(&line, ES_EXPLORE_LINE_MAX_BYTES);
	if (es_explore_fill(&study->spec, &member->at, places, text, &line) == 0) {
		es_text_make_safe((char *)line.data, false);
		(void)es_buf_printf(out, "    %s%s\n", what, (const char *)line.data);
	}
	es_buf_finish(&line);
}

/* What to do to have it. */
static void put_recipe(const struct es_explore *study, size_t i, struct es_buf *out)
{
	const struct es_explore_spec *spec = &study->spec;
	const struct es_explore_member *member = &study->members[i];
	struct es_explore_room room = { .round = "" };

	if (es_explore_places_of(study, i, 1, &room) < 0)
		return;
	room.places.run_dir = room.places.out = room.places.round = NULL;
	if (spec->build.text)
		put_filled(study, member, &room.places, "build        ", spec->build.text, out);
	for (size_t k = 0; k < spec->n_environment; k++) {
		char what[ES_NAME_MAX_BYTES + 32];

		(void)snprintf(what, sizeof(what), "environment  %s=", spec->environment[k].name);
		put_filled(study, member, &room.places, what, spec->environment[k].text, out);
	}
	put_filled(study, member, &room.places, "run          ", spec->run.text, out);
}

static void put_certainty(const struct es_judgement *judgement, const char *what,
			  struct es_buf *out)
{
	if (!judgement->has_change || judgement->verdict != ES_VERDICT_UNDECIDED)
		return;
	(void)es_buf_printf(out, "    the change in %s is undecided: it may be chance", what);
	if (judgement->runs_needed)
		(void)es_buf_printf(out, "; about %zu runs of each would tell (repeat: %zu)",
				    judgement->runs_needed, judgement->runs_needed);
	(void)es_buf_u8(out, '\n');
}

/* Whose interval of what was chosen by meets that of the choice: the first of them by luck, perhaps. */
static void put_rivals(const struct es_explore *study, size_t best, bool is_time,
		       struct es_buf *out)
{
	const struct es_explore_member *chosen = &study->members[best];
	const struct es_interval *own = is_time ? &chosen->time.b : &chosen->energy.b;
	size_t n = 0;

	for (size_t i = 0; i < study->n && own->method != ES_INTERVAL_NONE; i++) {
		const struct es_explore_member *member = &study->members[i];
		const struct es_interval *of = is_time ? &member->time.b : &member->energy.b;

		if (i == best || member->result != ES_EXPLORE_OK ||
		    !(is_time ? member->has_time : member->has_energy) ||
		    of->method == ES_INTERVAL_NONE || of->low > own->high || n++ >= RIVALS_SHOWN)
			continue;
		(void)es_buf_printf(out, "%s %s", n == 1 ? "    hardly told apart from it:" : ",",
				    member->id);
	}
	if (n > RIVALS_SHOWN)
		(void)es_buf_printf(out, " and %zu more", n - RIVALS_SHOWN);
	(void)es_buf_str(out, n ? " (their intervals overlap)\n" : "");
}

static void put_best(const struct es_explore *study, const char *what, size_t i, bool has_recipe,
		     struct es_buf *out)
{
	const struct es_explore_member *member = &study->members[i];

	(void)es_buf_printf(out, "%s: %s, ", what, member->id);
	es_letters_cell(out, member->label, 200, false);
	if (i == study->reference)
		(void)es_buf_str(out, ", the reference");
	else if (member->time.has_change)
		(void)es_buf_printf(out, ": time %+.2f %%", PERCENT * member->time.change);
	if (i != study->reference && member->energy.has_change)
		(void)es_buf_printf(out, ", energy %+.2f %%", PERCENT * member->energy.change);
	(void)es_buf_u8(out, '\n');
	if (!has_recipe)
		return;
	if (i != study->reference) {
		put_certainty(&member->time, "time", out);
		put_certainty(&member->energy, "energy", out);
	}
	if (i == study->within && i != study->reference && member->time.limit == ES_LIMIT_OPEN)
		(void)es_buf_str(out,
				 "    that it is not slower by more than that is not shown yet\n");
	put_recipe(study, i, out);
}

static void put_choices(const struct es_explore *study, struct es_buf *out)
{
	struct {
		const char *what;
		size_t who;
	} choices[5] = {
		{ "fastest", study->fastest },
		{ "least energy", study->best[ES_OPT_ENERGY] },
		{ "least energy times time", study->best[ES_OPT_EDP] },
		{ "least energy times time squared", study->best[ES_OPT_ED2P] },
	};
	char within[80];

	(void)snprintf(within, sizeof(within), "least energy within %g %% more time",
		       PERCENT * study->slowdown_share);
	choices[4].what = within;
	choices[4].who = study->within;
	for (size_t i = 0; i < ES_ARRAY_SIZE(choices); i++) {
		bool is_known = false;

		for (size_t k = 0; k < i; k++)
			is_known |= choices[k].who == choices[i].who;
		if (choices[i].who != ES_EXPLORE_NONE)
			put_best(study, choices[i].what, choices[i].who, !is_known, out);
		if (choices[i].who != ES_EXPLORE_NONE && i < 2)
			put_rivals(study, choices[i].who, i == 0, out);
	}
	if (isfinite(study->slowdown_share) && study->within == ES_EXPLORE_NONE &&
	    !study->no_energy)
		(void)es_buf_str(
			out,
			"within the slowdown: the reference has no time to hold others against\n");
}

void es_explore_text(const struct es_explore *study, struct es_buf *out)
{
	double left_s;
	size_t n_left = es_explore_left(study, &left_s);

	(void)es_buf_printf(
		out,
		"energyscopium explore %s: %zu configuration%s, %zu round%s, %zu run%s, "
		"%zu failed",
		study->spec.name, study->n, plural(study->n), study->n_rounds,
		plural(study->n_rounds), count(study, false), plural(count(study, false)),
		count(study, true));
	if (n_left)
		(void)es_buf_printf(out, ", %zu left", n_left);
	(void)es_buf_u8(out, '\n');
	put_table(study, out);
	if (study->no_energy && study->fastest != ES_EXPLORE_NONE)
		(void)es_buf_printf(out, "energy: no meter here can see this difference (%s)\n",
				    study->no_energy);
	put_choices(study, out);
	if (study->fastest == ES_EXPLORE_NONE)
		(void)es_buf_str(out, "nothing to choose from\n");
}

static void put_order(const struct es_explore *study, struct es_buf *out)
{
	es_cleanup(es_freep) size_t *order = calloc(study->n, sizeof(*order));

	for (size_t round = 1; order && round <= study->n_rounds; round++) {
		es_rounds_order(study->n, round - 1, order);
		(void)es_buf_printf(out, "round %zu:", round);
		for (size_t i = 0; i < study->n && i < ORDER_SHOWN; i++)
			(void)es_buf_printf(
				out, " %s%s", study->members[order[i]].id,
				study->members[order[i]].runs[round - 1].is_done ? "(done)" : "");
		(void)es_buf_str(out, study->n > ORDER_SHOWN ? " …\n" : "\n");
	}
}

void es_explore_plan_text(const struct es_explore *study, struct es_buf *out)
{
	char duration[ES_QUANTITY_TEXT_BYTES];
	struct es_explore_room room = { .round = "" };
	double left_s;
	size_t n_left = es_explore_left(study, &left_s);

	(void)es_buf_printf(out, "energyscopium explore %s: %zu configuration%s, %zu round%s, %s\n",
			    study->spec.name, study->n, plural(study->n), study->n_rounds,
			    plural(study->n_rounds), study->dir);
	for (size_t i = 0; i < study->n_builds; i++) {
		const struct es_explore_build *build = &study->builds[i];

		(void)es_buf_printf(out, "build %s%s\n", build->id,
				    build->is_failed ? ": failed"
				    : build->is_done ? ": done"
						     : "");
		if (es_explore_places_of(study, build->configuration, 1, &room) == 0)
			put_filled(study, &study->members[build->configuration], &room.places, "",
				   study->spec.build.text, out);
	}
	for (size_t i = 0; i < study->n; i++) {
		const struct es_explore_member *member = &study->members[i];

		(void)es_buf_printf(out, "%s: %s%s\n", member->id, member->label,
				    i == study->reference ? " (reference)" : "");
		if (es_explore_places_of(study, i, 1, &room) == 0)
			put_filled(study, member, &room.places, "", study->spec.run.text, out);
	}
	put_order(study, out);
	(void)es_buf_printf(out, "left: %zu of %zu runs", n_left, study->n * study->n_rounds);
	if (n_left == 0)
		(void)es_buf_u8(out, '\n');
	else if (left_s >= 0)
		(void)es_buf_printf(out, ", about %s\n",
				    es_duration_text((int64_t)ceil(left_s) * ES_NS_PER_S,
						     duration));
	else
		(void)es_buf_printf(
			out,
			"; how long they take is known after the first; %llu warm-ups each, baseline %s\n",
			(unsigned long long)study->spec.n_warmups,
			study->spec.baseline_ns ? study->spec.baseline : "none");
}

static void set_box(const struct es_explore_member *member, struct es_scatter_point *ret)
{
	const struct es_interval *time = &member->time.b, *energy = &member->energy.b;

	ret->has_box = time->method != ES_INTERVAL_NONE && energy->method != ES_INTERVAL_NONE;
	if (!ret->has_box)
		return;
	ret->time_low = time->low;
	ret->time_high = time->high;
	ret->energy_low = energy->low;
	ret->energy_high = energy->high;
}

/* Energy against time of all that may be chosen; 1: there is nothing to draw. */
static int with_scatter(const struct es_explore *study, const struct es_terminal *terminal,
			struct es_buf *out, struct es_error *err)
{
	es_cleanup(es_freep) struct es_scatter_point *points = calloc(study->n, sizeof(*points));
	es_cleanup(es_freep) size_t *front = calloc(study->n, sizeof(*front));
	es_cleanup(es_freep) size_t *at = calloc(study->n, sizeof(*at));
	const struct es_scatter_line line = { front, study->n_front, 0 };
	struct es_scatter scatter = { .title = study->spec.name,
				      .x_name = "time (s)",
				      .y_name = "energy (J)",
				      .mark_name = "knee",
				      .points = points,
				      .lines = &line,
				      .n_lines = 1 };

	if (!points || !front || !at)
		return es_error_set(err, -ENOMEM, "cannot draw");
	for (size_t i = 0; i < study->n; i++) {
		const struct es_explore_member *member = &study->members[i];

		if (member->result != ES_EXPLORE_OK || !member->has_time || !member->has_energy)
			continue;
		at[i] = scatter.n;
		points[scatter.n] = (struct es_scatter_point){
			.at = { member->time.b.mean, member->energy.b.mean },
			.is_front = is_on_front(study, i),
			.is_marked = i == study->knee,
			.name = member->label,
		};
		set_box(member, &points[scatter.n++]);
	}
	for (size_t i = 0; i < study->n_front; i++)
		front[i] = at[study->front[i]];
	if (scatter.n == 0)
		return 1;
	if (terminal)
		return es_scatter_text(&scatter, terminal, out);
	return es_scatter_write(&scatter, &study->drawing, err);
}

/* The same without energies: those here tell nothing. */
static int with_dots(const struct es_explore *study, const struct es_terminal *terminal,
		     struct es_buf *out, struct es_error *err)
{
	es_cleanup(es_freep) struct es_scatter_point *points = calloc(study->n, sizeof(*points));
	char title[ES_NAME_MAX_BYTES + 80];
	struct es_scatter scatter = {
		.title = title, .x_name = "time (s)", .mark_name = "reference", .points = points
	};

	if (!points)
		return es_error_set(err, -ENOMEM, "cannot draw");
	(void)snprintf(title, sizeof(title), "%.200s: time", study->spec.name);
	for (size_t i = 0; i < study->n; i++) {
		const struct es_explore_member *member = &study->members[i];
		const struct es_interval *time = &member->time.b;

		if (member->result != ES_EXPLORE_OK || !member->has_time)
			continue;
		points[scatter.n++] = (struct es_scatter_point){
			.at = { .time = time->mean },
			.is_marked = i == study->reference,
			.has_box = time->method != ES_INTERVAL_NONE,
			.time_low = time->low,
			.time_high = time->high,
			.name = member->label,
		};
	}
	if (scatter.n == 0)
		return 1;
	if (terminal)
		return es_dots_text(&scatter, terminal, out);
	return es_dots_write(&scatter, &study->drawing, err);
}

static int with_picture(const struct es_explore *study, const struct es_terminal *terminal,
			struct es_buf *out, struct es_error *err)
{
	return study->no_energy ? with_dots(study, terminal, out, err)
				: with_scatter(study, terminal, out, err);
}

int es_explore_draw(const struct es_explore *study, struct es_error *err)
{
	int r = with_picture(study, NULL, NULL, err);

	return r == 1 ? es_error_say(err, -ENODATA, "no picture: there is nothing to choose from")
		      : r;
}

void es_explore_draw_text(const struct es_explore *study, const struct es_terminal *terminal,
			  struct es_buf *out)
{
	struct es_error err = { .code = 0 };

	(void)es_buf_u8(out, '\n');
	(void)with_picture(study, terminal, out, &err);
}
