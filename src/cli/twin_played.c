/*
 * twin_played.c - what a workload took on a twin, for people and programs
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/twin_played.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/parse.h"
#include "base/text.h"
#include "cli/command.h"

#define COMMAND "twin play"
#define OUT_MAX (16U << 20)

static const char *const shown[] = { "node", "package", "dram", "gpu" };

/* "gpu-0" is one of "gpu", "gpu-chip-0" is not. */
static bool is_of(const char *column, const char *name)
{
	size_t n = strlen(name);

	if (strncmp(column, name, n) != 0)
		return false;
	return column[n] == '\0' ||
	       (column[n] == '-' && column[n + 1] >= '0' && column[n + 1] <= '9');
}

uint64_t es_twin_truth_sum(const struct es_twin_truth *truth, const uint64_t *energies_uj,
			   const char *name, bool *ret_has)
{
	uint64_t sum_uj = 0;
	bool has = false;

	for (size_t i = 0; i < truth->n; i++) {
		if (!is_of(truth->names[i], name))
			continue;
		sum_uj += energies_uj[i];
		has = true;
	}
	if (ret_has)
		*ret_has = has;
	return sum_uj;
}

void es_twin_truth_put(struct es_json *json, const struct es_twin_truth *truth,
		       const uint64_t *energies_uj)
{
	es_json_object(json, "energy_j");
	for (size_t i = 0; i < truth->n; i++)
		es_json_decimal(json, truth->names[i], (int64_t)energies_uj[i], 6);
	es_json_object_end(json);
}

static const char *ending(const struct es_twin_played *played)
{
	return played->is_done ? "done" : played->signal ? "signal" : "time";
}

static void put_phase(struct es_json *json, const struct es_twin_played *played, size_t i)
{
	const struct es_twin_played_phase *phase = &played->phases[i];
	char line[ES_TWIN_PHASE_TEXT_BYTES];

	es_json_object(json, NULL);
	es_json_string(json, "name", played->program->phases[i].name);
	es_json_string(json, "phase",
		       es_twin_phase_print(&played->program->phases[i], line, sizeof(line)));
	es_json_u64(json, "calls", phase->n_calls);
	es_json_u64(json, "known_calls", phase->n_known);
	if (phase->n_known || phase->n_calls == 0) {
		es_json_decimal(json, "planned_s", phase->planned_ns, 9);
		es_json_decimal(json, "duration_s", phase->dur_ns, 9);
		es_twin_truth_put(json, &played->truth, phase->energies_uj);
	} else {
		es_json_null(json, "planned_s");
		es_json_null(json, "duration_s");
		es_json_null(json, "energy_j");
	}
	es_json_object_end(json);
}

static void put_json(const struct es_twin_played *played, struct es_buf *out)
{
	struct es_json json;
	int r;

	es_json_init(&json, es_json_sink_buf, out, true);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", "energyscopium.twin-play/1");
	es_json_string(&json, "mount", played->mount);
	es_json_string(&json, "workload", played->workload);
	es_json_u64(&json, "repeats", played->program->repeats);
	es_json_string(&json, "ended_by", ending(played));
	es_json_i64(&json, "begin_ns", played->begin_ns);
	es_json_i64(&json, "end_ns", played->end_ns);
	es_json_array(&json, "phases");
	for (size_t i = 0; i < played->program->n; i++)
		put_phase(&json, played, i);
	es_json_array_end(&json);
	es_json_object_end(&json);
	r = es_json_end(&json);
	if (r < 0 && !out->error)
		out->error = r;
}

/* @phase: not called at all: nothing is what it took; called too long ago: nobody knows. */
static void put_number(struct es_buf *out, const struct es_twin_played_phase *phase, double value)
{
	char text[ES_QUANTITY_TEXT_BYTES];

	(void)es_buf_printf(out, " %12s",
			    phase->n_known   ? es_number_text(value, text)
			    : phase->n_calls ? "n/a"
					     : "-");
}

/* 20 characters wide, however many bytes they have. */
static void put_name(struct es_buf *out, const char *name)
{
	size_t n = strlen(name), length, n_chars = 0;

	for (size_t i = 0; i < n; i += length ? length : 1, n_chars++)
		length = es_utf8_length(name + i, n - i);
	(void)es_buf_printf(out, "%s%*s", name, n_chars < 20 ? (int)(20 - n_chars) : 0, "");
}

static void put_row(struct es_buf *out, const struct es_twin_truth *truth, const char *name,
		    const struct es_twin_played_phase *phase)
{
	put_name(out, name[0] ? name : "-");
	(void)es_buf_printf(out, " %8" PRIu64, phase->n_calls);
	put_number(out, phase, es_s_from_ns(phase->planned_ns));
	put_number(out, phase, es_s_from_ns(phase->dur_ns));
	for (size_t i = 0; i < ES_ARRAY_SIZE(shown); i++) {
		bool has;
		uint64_t energy_uj = es_twin_truth_sum(truth, phase->energies_uj, shown[i], &has);

		if (has)
			put_number(out, phase, es_j_from_uj(energy_uj));
	}
	(void)es_buf_str(out, "\n");
}

static void put_head(struct es_buf *out, const struct es_twin_played *played)
{
	(void)es_buf_printf(out, "%-20s %8s %12s %12s", "phase", "calls", "planned s", "took s");
	for (size_t i = 0; i < ES_ARRAY_SIZE(shown); i++) {
		char head[16];
		bool has;

		(void)es_twin_truth_sum(&played->truth, played->phases[0].energies_uj, shown[i],
					&has);
		(void)snprintf(head, sizeof(head), "%s J", shown[i]);
		if (has)
			(void)es_buf_printf(out, " %12s", head);
	}
	(void)es_buf_str(out, "\n");
}

static void put_table(const struct es_twin_played *played, struct es_buf *out)
{
	uint64_t n_unknown = 0;

	put_head(out, played);
	for (size_t i = 0; i < played->program->n; i++) {
		const struct es_twin_played_phase *phase = &played->phases[i];

		put_row(out, &played->truth, played->program->phases[i].name, phase);
		n_unknown += phase->n_calls - phase->n_known;
	}
	if (n_unknown)
		(void)es_buf_printf(
			out,
			"%" PRIu64
			" calls are too long ago for the twin: times and energies are without them\n",
			n_unknown);
	if (played->signal)
		(void)es_buf_str(out, "ended by a signal, before the workload was done\n");
	else if (!played->is_done)
		(void)es_buf_str(out, "ended by --for, in the middle of the workload\n");
}

int es_twin_played_show(const struct es_twin_played *played, bool wants_json)
{
	struct es_buf out;
	int status;

	es_buf_init(&out, OUT_MAX);
	if (wants_json)
		put_json(played, &out);
	else
		put_table(played, &out);
	status = es_put_out(COMMAND, &out);
	es_buf_finish(&out);
	return status;
}
