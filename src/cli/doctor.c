/*
 * doctor.c - energyscopium doctor: what is wrong on this machine, each with its fix
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/parse.h"
#include "cli/activity_show.h"
#include "cli/command.h"
#include "cli/daemonlink.h"
#include "cli/doctor.h"
#include "cli/doctor_daemon.h"
#include "cli/doctor_slurm.h"
#include "cli/settings.h"
#include "cli/survey.h"
#include "core/grid.h"
#include "sys/ipmi.h"

static const char *const verdict_names[] = {
	[ES_VERDICT_OK] = "ok", [ES_VERDICT_NOTE] = "note", [ES_VERDICT_PROBLEM] = "problem"
};

#define START_LONG_NS \
	ES_NS_PER_S /* the driver forgets GPUs that nobody uses and sets them up again */

struct doctor {
	const char *root, *as, *daemon;
	struct es_text_list meters;
	bool is_json;
	struct es_survey survey;
	struct es_settings settings;
	struct es_findings findings;
};

void es_find(struct es_findings *findings, const char *what, enum es_verdict verdict,
	     const char *fix, const char *fmt, ...)
{
	struct es_finding *finding = &findings->items[findings->n];
	va_list args;

	if (findings->n == ES_FINDINGS_MAX)
		return;
	findings->n++;
	*finding = (struct es_finding){ .what = what, .verdict = verdict };
	va_start(args, fmt);
	(void)vsnprintf(finding->text, sizeof(finding->text), fmt, args);
	va_end(args);
	(void)snprintf(finding->fix, sizeof(finding->fix), "%s", fix);
}

static void check_machine(struct doctor *doctor)
{
	const struct es_machine *machine = &doctor->survey.machine;
	const char *kind = machine->is_container  ? "container"
			   : machine->is_vm	  ? "VM"
			   : machine->has_battery ? "machine with a battery"
						  : "machine";

	es_find(&doctor->findings, "machine", ES_VERDICT_OK, "",
		"%s %s: %s, %u hardware threads, %u package%s, Linux %s", kind, machine->hostname,
		machine->cpu_model[0] ? machine->cpu_model : "processor unknown", machine->n_cpus,
		machine->n_packages, machine->n_packages == 1 ? "" : "s", machine->kernel);
}

/* What the container's runtime keeps from us, and whose root we are. */
static void check_container(struct doctor *doctor)
{
	const struct es_survey *survey = &doctor->survey;
	const struct es_hidden *hidden = &survey->hidden;
	bool is_denied = false;

	for (size_t i = 0; i < survey->n_domains; i++)
		is_denied = is_denied || survey->domains[i].state == ES_STATE_DENIED;
	if (hidden->how != ES_HIDDEN_NOT)
		es_find(&doctor->findings, "container", ES_VERDICT_NOTE, hidden->fix, "%s",
			hidden->reason);
	else if (hidden->runtime != ES_RUNTIME_NONE)
		es_find(&doctor->findings, "container", ES_VERDICT_OK, "",
			"%s hides no meter that could be told", es_runtime_name(hidden->runtime));
	if (hidden->is_user_namespace && is_denied)
		es_find(&doctor->findings, "container", ES_VERDICT_NOTE, "",
			"a user namespace: root in here is not root of the machine, rights are given on the host");
}

/* The first of the domains that are denied for one reason, with how many more there are. */
static void find_denied(struct doctor *doctor, size_t first)
{
	const struct es_domain *domains = doctor->survey.domains, *domain = &domains[first];
	unsigned n_more = 0;

	for (size_t i = 0; i < doctor->survey.n_domains; i++) {
		if (i == first || domains[i].state != ES_STATE_DENIED ||
		    strcmp(domains[i].fix, domain->fix) != 0)
			continue;
		if (i < first)
			return;
		n_more++;
	}
	if (n_more)
		es_find(&doctor->findings, "rights", ES_VERDICT_PROBLEM, domain->fix,
			"%s and %u more: %s", domain->id, n_more, domain->reason);
	else
		es_find(&doctor->findings, "rights", ES_VERDICT_PROBLEM, domain->fix, "%s: %s",
			domain->id, domain->reason);
}

/* A domain that can be read and shows the same; NULL: there is none. */
static const struct es_domain *find_twin(const struct doctor *doctor,
					 const struct es_domain *domain)
{
	for (size_t i = 0; i < doctor->survey.n_domains; i++)
		if (es_domain_is_usable(&doctor->survey.domains[i]) &&
		    es_domain_is_twin(&doctor->survey.domains[i], domain))
			return &doctor->survey.domains[i];
	return NULL;
}

/* What is denied in one source and read in another one is no problem; said once for the source. */
static void find_spare(struct doctor *doctor, size_t i, const struct es_domain *twin)
{
	const struct es_domain *domain = &doctor->survey.domains[i];

	if (i > 0 && strcmp(domain[-1].source, domain->source) == 0)
		return;
	es_find(&doctor->findings, "rights", ES_VERDICT_OK, "",
		"%s may not be read, and need not be: %s can", domain->id, twin->id);
}

/* Whether a finding with this fix stands there already. */
static bool is_said(const struct doctor *doctor, const char *fix)
{
	for (size_t i = 0; i < doctor->findings.n; i++)
		if (fix[0] && strcmp(doctor->findings.items[i].fix, fix) == 0)
			return true;
	return false;
}

static void check_meters(struct doctor *doctor)
{
	const struct es_survey *survey = &doctor->survey;
	unsigned n_chosen = 0, n_estimated = 0;

	for (size_t i = 0; i < survey->n_domains; i++) {
		const struct es_domain *domain = &survey->domains[i];

		n_chosen += domain->is_chosen_total && domain->kind != ES_KIND_ESTIMATED;
		n_estimated += domain->is_chosen_total && domain->kind == ES_KIND_ESTIMATED;
		if (domain->state == ES_STATE_DENIED) {
			const struct es_domain *twin = find_twin(doctor, domain);

			if (twin)
				find_spare(doctor, i, twin);
			else
				find_denied(doctor, i);
		}
		if (domain->state == ES_STATE_DEAD)
			es_find(&doctor->findings, "meter", ES_VERDICT_NOTE, "", "%s: %s",
				domain->id, domain->reason);
	}
	if (n_chosen)
		es_find(&doctor->findings, "meters", ES_VERDICT_OK, "",
			"%u domain%s stand%s for the node", n_chosen, n_chosen == 1 ? "" : "s",
			n_chosen == 1 ? "s" : "");
	else if (n_estimated)
		es_find(&doctor->findings, "meters", ES_VERDICT_NOTE, "",
			"none: energy is estimated from CPU time; it can be added up, never compared");
	else
		es_find(&doctor->findings, "meters", ES_VERDICT_PROBLEM, "",
			"none, and CPU time cannot be read either: nothing can be said about energy");
	for (size_t i = 0; i < survey->n_unmeasured; i++)
		if (!is_said(doctor, survey->unmeasured[i].fix))
			es_find(&doctor->findings, "unmeasured", ES_VERDICT_NOTE,
				survey->unmeasured[i].fix, "%s: %s", survey->unmeasured[i].what,
				survey->unmeasured[i].reason);
}

/* Meters that somebody named are wanted: each that does not answer is a problem. */
static void check_named(struct doctor *doctor)
{
	const struct es_domain *domain;

	for (size_t i = 0; (domain = es_meters_silent(doctor->survey.sampler, i)); i++)
		if (domain->state != ES_STATE_DENIED)
			es_find(&doctor->findings, "meter", ES_VERDICT_PROBLEM, domain->fix,
				"%s: %s", domain->id, domain->reason);
}

/* A run begins later by what a vendor's library takes to start. */
static void check_starts(struct doctor *doctor)
{
	size_t n;
	const struct es_sampler_source *sources = es_sampler_sources(doctor->survey.sampler, &n);

	for (size_t i = 0; i < n; i++) {
		int64_t start_ns = sources[i].source ? sources[i].source->start_ns : 0;
		bool is_long = start_ns > START_LONG_NS;
		char text[ES_QUANTITY_TEXT_BYTES];

		if (start_ns == 0)
			continue;
		es_find(&doctor->findings, "start", is_long ? ES_VERDICT_NOTE : ES_VERDICT_OK,
			is_long && strcmp(sources[i].ops->name, "nvml") == 0
				? "sudo systemctl enable --now nvidia-persistenced"
				: "",
			"%s: its library took %s to start: each run begins that much later",
			sources[i].ops->name, es_duration_text(start_ns, text));
	}
}

static bool names_bmc(const struct es_text_list *meters)
{
	for (size_t i = 0; i < meters->n; i++)
		if (strncmp(meters->texts[i], "dcmi:", 5) == 0 ||
		    strncmp(meters->texts[i], "ipmi-sensor:", 12) == 0)
			return true;
	return false;
}

/* Asking a BMC costs the machine time, so nothing is asked here: whether it could be is all that is said. */
static void check_bmc(struct doctor *doctor)
{
	const struct es_root *root = &doctor->survey.root;
	const char *path = es_ipmi_device_path(root);

	if (names_bmc(&doctor->meters))
		return; /* the survey has found out */
	if (path && root->is_machine && faccessat(root->fd, path, R_OK | W_OK, AT_EACCESS) < 0)
		es_find(&doctor->findings, "bmc", ES_VERDICT_NOTE,
			"sudo chgrp energyscopium /dev/ipmi0; sudo chmod 0660 /dev/ipmi0",
			"a BMC is there, but /%s may not be used; its power of the whole node would be "
			"read by --meter dcmi:",
			path);
	else if (path)
		es_find(&doctor->findings, "bmc", ES_VERDICT_OK, "",
			"a BMC is at /%s: --meter dcmi: reads the power of the whole node, every 30 s",
			path);
	else if (es_root_exists(root, "sys/firmware/acpi/tables/SPMI") ||
		 es_root_exists(root, "sys/firmware/dmi/entries/38-0") ||
		 es_root_exists(root, "sys/class/ipmi/ipmi0"))
		es_find(&doctor->findings, "bmc", ES_VERDICT_NOTE,
			"sudo modprobe -a ipmi_si ipmi_devintf",
			"the firmware tells of a BMC, and there is no /dev/ipmi0");
}

/* What a job does beside drawing power: less evidence, never a wrong joule. */
static void check_activity(struct doctor *doctor)
{
	struct es_activity_view view;

	if (doctor->settings.has_no_activity) {
		es_find(&doctor->findings, "activity", ES_VERDICT_OK, "", "switched off (%s)",
			doctor->settings.activity_origin);
		return;
	}
	if (es_activity_look(&doctor->survey.root, &view) < 0)
		return;
	for (unsigned i = 0; i < ES_N_ACTIVITY_KEYS; i++) {
		const struct es_activity_state *state = &view.states[i];
		char what[ES_ACTIVITY_WORDS_BYTES];

		if (!es_activity_alike(&view, (enum es_activity_key)i, what))
			continue;
		if (state->is_there)
			es_find(&doctor->findings, "activity", ES_VERDICT_OK, state->fix,
				"%s can be counted%s%s", what, state->reason[0] ? ": " : "",
				state->reason);
		else
			es_find(&doctor->findings, "activity", ES_VERDICT_NOTE, state->fix,
				"no %s: %s", what, state->reason);
	}
}

static void check_clock(struct doctor *doctor)
{
	struct timex timex = { .modes = 0 };
	int state = adjtimex(&timex);

	if (!doctor->survey.root.is_machine)
		return;
	if (state == TIME_ERROR || (timex.status & STA_UNSYNC))
		es_find(&doctor->findings, "clock", ES_VERDICT_NOTE,
			"sudo timedatectl set-ntp true",
			"not synchronised: one machine is right all the same, several cannot be aligned");
	else
		es_find(&doctor->findings, "clock", ES_VERDICT_OK, "",
			"synchronised, %.3f ms off, error below %.1f ms",
			(double)timex.offset / (timex.status & STA_NANO ? 1e6 : 1e3),
			(double)timex.maxerror / 1e3);
}

static void check_place(struct doctor *doctor)
{
	const struct es_machine *machine = &doctor->survey.machine;
	const struct es_grid_factor *row = es_grid_find(doctor->settings.zone[0]
								? doctor->settings.zone
							: machine->country[0] ? machine->country
									      : "WORLD");

	if (doctor->settings.zone[0] && row)
		es_find(&doctor->findings, "zone", ES_VERDICT_OK, "", "%s, %g g/kWh (%s)",
			row->zone, row->mg_per_kwh / 1000.0, doctor->settings.zone_origin);
	else if (row && machine->country[0])
		es_find(&doctor->findings, "zone", ES_VERDICT_OK, "",
			"%s, %g g/kWh (country of time zone %s)", row->zone,
			row->mg_per_kwh / 1000.0, machine->timezone);
	else
		es_find(&doctor->findings, "zone", ES_VERDICT_NOTE, "export ENERGYSCOPIUM_ZONE=FR",
			"not known (time zone %s): the world's average is taken",
			machine->timezone[0] ? machine->timezone : "unknown");
	if (doctor->settings.has_pue)
		es_find(&doctor->findings, "pue", ES_VERDICT_OK, "", "%g (%s)",
			doctor->settings.pue, doctor->settings.pue_origin);
	else
		es_find(&doctor->findings, "pue", ES_VERDICT_NOTE, "export ENERGYSCOPIUM_PUE=1.3",
			"not set: %s by default",
			machine->is_vm || machine->is_container || machine->has_battery ? "1"
											: "1.3");
}

static void check_folder(struct doctor *doctor)
{
	const char *out = doctor->settings.out;
	struct stat st;

	if (!doctor->survey.root.is_machine)
		return;
	if (stat(out, &st) < 0)
		es_find(&doctor->findings, "folder", ES_VERDICT_OK, "",
			"'%s' is made by the first run", out);
	else if (!S_ISDIR(st.st_mode) || access(out, W_OK | X_OK) < 0)
		es_find(&doctor->findings, "folder", ES_VERDICT_PROBLEM,
			"energyscopium run --out DIR …", "'%s' cannot be written into", out);
	else
		es_find(&doctor->findings, "folder", ES_VERDICT_OK, "", "'%s' can be written into",
			out);
}

/* Who may read a chosen meter needs none. */
static void check_daemon(struct doctor *doctor)
{
	struct es_doctor_daemon about = { .named = doctor->daemon,
					  .has_root = doctor->root,
					  .is_needed = true };

	for (size_t i = 0; i < doctor->survey.n_domains; i++)
		if (doctor->survey.domains[i].is_chosen_total &&
		    doctor->survey.domains[i].kind != ES_KIND_ESTIMATED)
			about.is_needed = false;
	es_doctor_check_daemon(&about, &doctor->findings);
}

static int put_json(const struct doctor *doctor, bool has_problem, struct es_buf *out)
{
	struct es_json json;

	es_json_init(&json, es_json_sink_buf, out, true);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", "energyscopium.doctor/1");
	es_json_bool(&json, "healthy", !has_problem);
	es_json_array(&json, "findings");
	for (size_t i = 0; i < doctor->findings.n; i++) {
		es_json_object(&json, NULL);
		es_json_string(&json, "what", doctor->findings.items[i].what);
		es_json_string(&json, "verdict", verdict_names[doctor->findings.items[i].verdict]);
		es_json_string(&json, "text", doctor->findings.items[i].text);
		es_json_string(&json, "fix",
			       doctor->findings.items[i].fix[0] ? doctor->findings.items[i].fix
								: NULL);
		es_json_object_end(&json);
	}
	es_json_array_end(&json);
	es_json_object_end(&json);
	return es_json_end(&json);
}

static void put_table(const struct doctor *doctor, struct es_buf *out)
{
	for (size_t i = 0; i < doctor->findings.n; i++) {
		const struct es_finding *finding = &doctor->findings.items[i];

		(void)es_buf_printf(out, "%-8s %-11s %s\n", verdict_names[finding->verdict],
				    finding->what, finding->text);
		if (finding->fix[0])
			(void)es_buf_printf(out, "%-8s %-11s fix: %s\n", "", "", finding->fix);
	}
}

static int examine(struct doctor *doctor)
{
	struct es_survey_options options = { .root = doctor->root,
					     .as_uid = -1,
					     .daemon = ES_DAEMONLINK_NONE };
	struct es_error err = { .code = 0 };
	struct es_meters meters;
	bool has_problem = false;
	struct es_buf out;
	int status;

	if (doctor->as && (es_parse_i64(doctor->as, &options.as_uid) < 0 || options.as_uid < 0 ||
			   options.as_uid > UINT32_MAX))
		return es_complain("doctor", ES_EXIT_USAGE, "--as '%s': not a user's number",
				   doctor->as);
	if (es_settings_load(&doctor->settings, &err) < 0)
		return es_complain("doctor", ES_EXIT_FAILURE, "%s", err.text);
	options.psys = doctor->settings.psys;
	if (es_meters_gather(&doctor->settings, &doctor->meters, doctor->root, &meters, &err) < 0)
		return es_complain("doctor", ES_EXIT_USAGE, "%s", err.text);
	options.meters = &meters;
	status = es_survey_make(&options, &doctor->survey, &err);
	es_meters_finish(&meters);
	if (status < 0)
		return es_complain("doctor", ES_EXIT_FAILURE, "%s", err.text);
	check_machine(doctor);
	check_container(doctor);
	check_meters(doctor);
	check_named(doctor);
	check_daemon(doctor);
	check_starts(doctor);
	check_bmc(doctor);
	check_activity(doctor);
	check_clock(doctor);
	check_place(doctor);
	check_folder(doctor);
	es_doctor_slurm(&doctor->survey.root, &doctor->findings);
	for (size_t i = 0; i < doctor->findings.n; i++)
		has_problem = has_problem ||
			      doctor->findings.items[i].verdict == ES_VERDICT_PROBLEM;
	es_buf_init(&out, 4U << 20);
	if (doctor->is_json)
		out.error = put_json(doctor, has_problem, &out);
	else
		put_table(doctor, &out);
	status = es_put_out("doctor", &out);
	es_buf_finish(&out);
	es_survey_finish(&doctor->survey);
	return status ? status : has_problem ? ES_EXIT_FAILURE : ES_EXIT_OK;
}

int es_cmd_doctor(int argc, char **argv)
{
	es_cleanup(es_freep) struct doctor *doctor = calloc(1, sizeof(*doctor));
	int first, status;

	if (!doctor)
		return es_complain("doctor", ES_EXIT_FAILURE, "%s", es_strerror(-ENOMEM));
	const struct es_option options[] = {
		ES_METER_OPTION(&doctor->meters),
		ES_DAEMON_OPTION(&doctor->daemon),
		{ "json", NULL, "as JSON", ES_OPTION_FLAG, &doctor->is_json },
		{ "root", "DIR", "a tree with sys/, proc/ that stands for the machine",
		  ES_OPTION_TEXT, &doctor->root },
		{ "as", "UID", "judge rights for this user, by mode bits", ES_OPTION_TEXT,
		  &doctor->as },
	};
	const struct es_usage usage = {
		.command = "doctor",
		.synopsis = "[OPTION]…",
		.text = "Checks what measuring on this machine needs; ends with 1 where something is a problem.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
	};

	status = es_options_parse(&usage, argc, argv, &first);
	if (status < 0)
		status = first < argc ? es_complain("doctor", ES_EXIT_USAGE,
						    "'%s': no operand is taken", argv[first])
				      : examine(doctor);
	es_text_list_finish(&doctor->meters);
	return status;
}
