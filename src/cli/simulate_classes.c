/*
 * simulate_classes.c - classes of servers of the machine on which a trace is replayed, from a table
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/simulate_classes.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"
#include "base/text.h"
#include "cli/onefile.h"
#include "cli/simulate.h"
#include "cli/twin.h"
#include "format/csvread.h"

#define PROCS_MAX (UINT64_C(1) << 30) /* of the machine */
#define WATTS_MAX 1e6 /* of a processor or a node */
#define SWITCH_MAX_S 86400.0

enum column {
	NAME,
	PROCS,
	PROCS_PER_NODE,
	SPEED,
	IDLE,
	BUSY,
	STATIC,
	LINEAR,
	CUBIC,
	CLOCK,
	OFF,
	BOOT_S,
	BOOT_W,
	STOP_S,
	STOP_W,
	N_COLUMNS
};

static const struct {
	const char *name;
	double most;
} columns[N_COLUMNS] = {
	[NAME] = { "name", 0 },
	[PROCS] = { "procs", (double)PROCS_MAX },
	[PROCS_PER_NODE] = { "procs_per_node", (double)PROCS_MAX },
	[SPEED] = { "speed", 1e6 },
	[IDLE] = { "watts_idle", WATTS_MAX },
	[BUSY] = { "watts_busy", WATTS_MAX },
	[STATIC] = { "watts_static", WATTS_MAX },
	[LINEAR] = { "watts_per_ghz", WATTS_MAX },
	[CUBIC] = { "watts_per_ghz3", WATTS_MAX },
	[CLOCK] = { "clock_ghz", 1e3 },
	[OFF] = { "watts_off", WATTS_MAX },
	[BOOT_S] = { "boot_s", SWITCH_MAX_S },
	[BOOT_W] = { "boot_watts", WATTS_MAX },
	[STOP_S] = { "stop_s", SWITCH_MAX_S },
	[STOP_W] = { "stop_watts", WATTS_MAX },
};

/* A line: what is not given is not there. */
struct row {
	size_t line;
	const char *name;
	double values[N_COLUMNS];
	bool has[N_COLUMNS];
};

static int name_unknown(const char *field, struct es_error *err)
{
	const char *names[N_COLUMNS], *nearest;

	for (int c = 0; c < N_COLUMNS; c++)
		names[c] = columns[c].name;
	nearest = es_twin_nearest(field, names, N_COLUMNS);
	if (nearest)
		return es_error_say(err, -EBADMSG,
				    "line 1: column '%.60s' is not known; is '%s' meant?", field,
				    nearest);
	return es_error_say(err, -EBADMSG, "line 1: column '%.60s' is not known", field);
}

static int find_columns(char *const *fields, int n, enum column *ret_of, struct es_error *err)
{
	bool has[N_COLUMNS] = { false };

	for (int i = 0; i < n; i++) {
		int c = 0;

		while (c < N_COLUMNS && strcmp(fields[i], columns[c].name) != 0)
			c++;
		if (c == N_COLUMNS)
			return name_unknown(fields[i], err);
		if (has[c])
			return es_error_say(err, -EBADMSG, "line 1: column %s stands there twice",
					    columns[c].name);
		has[c] = true;
		ret_of[i] = (enum column)c;
	}
	if (!has[NAME] || !has[PROCS])
		return es_error_say(err, -EBADMSG, "line 1: there is no column %s",
				    has[NAME] ? "procs" : "name");
	return 0;
}

/* It stands in tables on terminals. */
static bool is_name(const char *text)
{
	char safe[ES_NAME_MAX_BYTES];

	(void)snprintf(safe, sizeof(safe), "%s", text);
	es_text_make_safe(safe, false);
	return strcmp(safe, text) == 0;
}

static int take_row(const enum column *of, char *const *fields, int n, struct row *row,
		    struct es_error *err)
{
	for (int i = 0; i < n; i++) {
		enum column c = of[i];

		row->has[c] = fields[i][0] != '\0';
		if (!row->has[c])
			continue;
		if (c == NAME) {
			row->name = fields[i];
			continue;
		}
		if (es_parse_double(fields[i], &row->values[c]) < 0 || !(row->values[c] >= 0) ||
		    row->values[c] > columns[c].most ||
		    ((c == PROCS || c == PROCS_PER_NODE) &&
		     (row->values[c] < 1 || floor(row->values[c]) != row->values[c])))
			return es_error_say(err, -EBADMSG, "line %zu: %s '%.60s': %s", row->line,
					    columns[c].name, fields[i],
					    c == PROCS || c == PROCS_PER_NODE
						    ? "a whole number from 1 on is wanted"
						    : "a number, 0 or more, is wanted");
	}
	if (!row->has[NAME] || !is_name(row->name))
		return es_error_say(err, -EBADMSG,
				    "line %zu: a name is wanted, without control characters",
				    row->line);
	if (!row->has[PROCS])
		return es_error_say(err, -EBADMSG, "line %zu: procs is missing", row->line);
	if (row->has[SPEED] && !(row->values[SPEED] > 1e-6))
		return es_error_say(err, -EBADMSG, "line %zu: speed: more than 0 is wanted",
				    row->line);
	return 0;
}

/* What a processor with a job draws: given, or by its clock. */
static int take_busy(struct row *row, struct es_error *err)
{
	double ghz = row->values[CLOCK];
	bool has_model = row->has[STATIC] || row->has[LINEAR] || row->has[CUBIC] || row->has[CLOCK];

	if (has_model && row->has[BUSY])
		return es_error_say(err, -EBADMSG,
				    "line %zu: both watts_busy and a power model: which counts?",
				    row->line);
	if (has_model && (!row->has[STATIC] || !row->has[CLOCK]))
		return es_error_say(err, -EBADMSG,
				    "line %zu: a power model takes watts_static and clock_ghz",
				    row->line);
	if (has_model) /* without a coefficient: 0 */
		row->values[BUSY] = row->values[STATIC] + row->values[LINEAR] * ghz +
				    row->values[CUBIC] * ghz * ghz * ghz;
	row->has[BUSY] = row->has[BUSY] || has_model;
	if (row->has[BUSY] && !row->has[IDLE])
		return es_error_say(err, -EBADMSG, "line %zu: watts_idle is missing", row->line);
	if (row->has[BUSY] && row->values[BUSY] < row->values[IDLE])
		return es_error_say(
			err, -EBADMSG,
			"line %zu: a busy processor draws %.3f W, less than an idle one", row->line,
			row->values[BUSY]);
	if (row->values[BUSY] > WATTS_MAX)
		return es_error_say(err, -EBADMSG, "line %zu: a processor draws %.3g W: none does",
				    row->line, row->values[BUSY]);
	return 0;
}

static int take_switch(const struct row *row, struct es_sim_node *node, bool *ret_has,
		       struct es_error *err)
{
	int n = 0;

	for (int c = OFF; c <= STOP_W; c++)
		n += row->has[c];
	*ret_has = n > 0;
	if (n == 0)
		return 0;
	for (int c = OFF; c <= STOP_W; c++)
		if (!row->has[c])
			return es_error_say(err, -EBADMSG,
					    "line %zu: %s is missing: what goes off has all of "
					    "watts_off, boot_s, boot_watts, stop_s and stop_watts",
					    row->line, columns[c].name);
	if (!row->has[IDLE])
		return es_error_say(err, -EBADMSG, "line %zu: watts_idle is missing", row->line);
	node->off_mw = llround(row->values[OFF] * 1e3);
	node->boot_mw = llround(row->values[BOOT_W] * 1e3);
	node->stop_mw = llround(row->values[STOP_W] * 1e3);
	node->boot_ms = llround(row->values[BOOT_S] * 1e3);
	node->stop_ms = llround(row->values[STOP_S] * 1e3);
	return 0;
}

static int add_class(struct es_simulate_machine *machine, struct row *row, struct es_error *err)
{
	unsigned i = machine->n;
	struct es_sim_class *class = &machine->classes[i < ES_SIM_CLASSES_MAX ? i : 0];
	double of_node = row->has[PROCS_PER_NODE] ? row->values[PROCS_PER_NODE] : 1;
	double procs = row->values[PROCS];
	int r;

	if (i == ES_SIM_CLASSES_MAX)
		return es_error_say(err, -E2BIG, "line %zu: there are more than %u classes",
				    row->line, ES_SIM_CLASSES_MAX);
	for (unsigned k = 0; k < i; k++) {
		procs += machine->classes[k].procs;
		if (strcmp(machine->names[k], row->name) == 0)
			return es_error_say(err, -EEXIST,
					    "line %zu: class '%.60s' stands there already",
					    row->line, row->name);
	}
	if (procs > (double)PROCS_MAX)
		return es_error_say(err, -E2BIG,
				    "line %zu: more than %" PRIu64 " processors in all", row->line,
				    PROCS_MAX);
	if (fmod(row->values[PROCS], of_node) > 0)
		return es_error_say(err, -EBADMSG,
				    "line %zu: %.0f processors are not whole nodes of %.0f",
				    row->line, row->values[PROCS], of_node);
	if (i > 0 && row->has[IDLE] != machine->has_idle)
		return es_error_say(err, -EBADMSG,
				    "line %zu: watts_idle is wanted of all classes or of none",
				    row->line);
	r = take_busy(row, err);
	*class = (struct es_sim_class){ .procs = (uint32_t)row->values[PROCS],
					.idle_mw = llround(row->values[IDLE] * 1e3) };
	class->node.procs = (uint32_t)of_node;
	class->node.idle_mw = llround(row->values[IDLE] * 1e3 * of_node);
	class->node.timeout_s = -1;
	r = r < 0 ? r : take_switch(row, &class->node, &machine->has_switch[i], err);
	if (r < 0)
		return r;
	(void)snprintf(machine->names[i], sizeof(machine->names[i]), "%s", row->name);
	machine->has_idle = row->has[IDLE];
	machine->idle_w[i] = row->values[IDLE];
	machine->busy_w[i] = row->values[BUSY];
	machine->has_busy[i] = row->has[BUSY];
	machine->speed[i] = row->has[SPEED] ? row->values[SPEED] : 1;
	machine->n++;
	return 0;
}

int es_simulate_classes_parse(struct es_simulate_machine *machine, char *text, size_t n,
			      struct es_error *err)
{
	enum column of[ES_CSV_FIELDS_MAX] = { NAME };
	char *fields[ES_CSV_FIELDS_MAX];
	int count, n_columns = 0, r = 0;
	struct es_csv csv;

	es_csv_init(&csv, text, n);
	while (r == 0 && (count = es_csv_next(&csv, fields)) != 0) {
		struct row row = { .line = csv.line, .name = "" };

		if (count < 0) {
			r = es_error_set(err, count, "line %zu", csv.line);
		} else if (n_columns == 0) {
			n_columns = count;
			r = find_columns(fields, count, of, err);
		} else if (count != n_columns) {
			r = es_error_say(err, -EBADMSG, "line %zu: %d fields instead of %d",
					 csv.line, count, n_columns);
		} else {
			r = take_row(of, fields, count, &row, err);
			r = r < 0 ? r : add_class(machine, &row, err);
		}
	}
	if (r == 0 && machine->n == 0)
		return es_error_say(err, -ENODATA, "there is no line with a class");
	machine->is_named = r == 0;
	return r;
}

int es_simulate_classes_read(struct es_simulate_machine *machine, const char *path,
			     struct es_error *err)
{
	es_cleanup(es_freep) char *text = NULL;
	struct es_error why = { .code = 0 };
	size_t n;
	int r = es_one_file_read(path, &text, &n, err);

	if (r < 0)
		return r;
	r = es_simulate_classes_parse(machine, text, n, &why);
	return r < 0 ? es_error_say(err, r, "'%s': %.900s", path, why.text) : 0;
}

/* Whole seconds, rounded up; rounding of a quotient makes none longer. */
static int64_t scaled_s(int64_t run_s, double factor)
{
	return (int64_t)ceil((double)run_s * factor * (1 - 1e-12));
}

int es_simulate_classes_offer(void *arg, unsigned class, struct es_sim_job *job)
{
	struct es_simulate *sim = arg;
	const struct es_simulate_machine *machine = &sim->machine;
	struct es_simulate_row *row = es_simulate_power_find(&sim->power, job->id, class);
	double factor = 1 / machine->speed[class];
	int64_t run_s = job->run_s;
	int r;

	if (row && row->time_s >= 0)
		factor = run_s > 0 ? row->time_s / (double)run_s : 1;
	job->class = class;
	job->run_s = row && row->time_s >= 0 ? (int64_t)ceil(row->time_s) : scaled_s(run_s, factor);
	job->estimate_s = scaled_s(job->estimate_s, factor);
	if (!sim->power.is_known)
		return 1;
	if (!row && !machine->has_busy[class])
		return 0;
	r = es_simulate_power_on(&sim->power, row, machine->busy_w[class] * job->procs,
				 machine->idle_w[class] * job->procs, job, &job->energy_j,
				 sim->err);
	return r < 0 ? r : 1;
}
