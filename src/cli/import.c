/*
 * import.c - energyscopium import: runs of other tools become recordings and eprofiles
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/parse.h"
#include "cli/command.h"
#include "cli/output.h"
#include "format/import.h"

struct import {
	const char *out, *name, *cpus;
	bool may_replace, is_json;
	struct es_chain chain;
	struct es_text_list recordings, eprofiles, warnings; /* texts owned: strdup() */
};

static int keep(struct es_text_list *list, const char *text)
{
	const char **texts = reallocarray(list->texts, list->n + 1, sizeof(*texts));

	if (!texts)
		return -ENOMEM;
	list->texts = texts;
	texts[list->n] = strdup(text);
	return texts[list->n] ? (list->n++, 0) : -ENOMEM;
}

static void drop(struct es_text_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free((void *)(uintptr_t)list->texts[i]);
	es_text_list_finish(list);
}

/* DIR/JOB.esr -> DIR/JOB.eprofile.json */
static int write_eprofile(struct import *import, const char *recording, struct es_error *err)
{
	const struct es_profile_options options = { .is_full = false };
	char path[ES_PATH_MAX_BYTES];
	struct es_outcome outcome;
	size_t stem = strlen(recording) - strlen(".esr");
	int r = es_outcome_open(recording, NULL, &import->chain, &outcome, err);

	if (r < 0)
		return r;
	if (snprintf(path, sizeof(path), "%.*s.eprofile.json", (int)stem, recording) >=
	    (int)sizeof(path))
		r = es_error_set(err, -ENAMETOOLONG, "eprofile of '%.200s…'", recording);
	else
		r = es_write_eprofile(&outcome, &options, path, import->may_replace, err);
	es_outcome_finish(&outcome);
	return r < 0 ? r : keep(&import->eprofiles, path);
}

/* Recordings of @n paths that belong together, each with its eprofile. */
static int import_together(struct import *import, char *const *paths, size_t n, uint32_t n_cpus,
			   struct es_error *err)
{
	const struct es_import_options options = {
		.out_dir = import->chain.settings.out,
		.may_replace = import->may_replace,
		.name = import->name,
		.n_cpus = n_cpus,
	};
	struct es_import_result result = { .n = 0 };
	int r = es_import_paths((const char *const *)paths, n, &options, &result, err), kept = 0;

	for (size_t i = 0; kept == 0 && i < result.n_warnings; i++)
		kept = keep(&import->warnings, result.warnings[i]);
	for (size_t i = 0; kept == 0 && i < result.n; i++) {
		kept = keep(&import->recordings, result.recordings[i]);
		if (kept == 0)
			kept = write_eprofile(import, result.recordings[i], err);
	}
	es_import_result_finish(&result);
	return r < 0 ? r : kept;
}

/* Files given one by one may be the parts of one run: those that a shell's * makes of its folder. */
static bool are_files(char *const *paths, int n)
{
	struct stat st;

	for (int i = 0; i < n; i++)
		if (stat(paths[i], &st) < 0 || !S_ISREG(st.st_mode))
			return false;
	return n > 1;
}

static void put_list(struct es_json *json, const char *key, const struct es_text_list *list)
{
	es_json_array(json, key);
	for (size_t i = 0; i < list->n; i++)
		es_json_string(json, NULL, list->texts[i]);
	es_json_array_end(json);
}

static int show(const struct import *import)
{
	struct es_json json;
	struct es_buf out;
	int status;

	es_buf_init(&out, 8U << 20);
	if (import->is_json) {
		es_json_init(&json, es_json_sink_buf, &out, true);
		es_json_object(&json, NULL);
		es_json_string(&json, "schema", "energyscopium.import/1");
		put_list(&json, "recordings", &import->recordings);
		put_list(&json, "eprofiles", &import->eprofiles);
		put_list(&json, "warnings", &import->warnings);
		es_json_object_end(&json);
		out.error = es_json_end(&json);
	} else {
		for (size_t i = 0; i < import->recordings.n; i++)
			(void)es_buf_printf(&out, "recording  %s\n", import->recordings.texts[i]);
		for (size_t i = 0; i < import->eprofiles.n; i++)
			(void)es_buf_printf(&out, "profile    %s\n", import->eprofiles.texts[i]);
	}
	status = es_put_out("import", &out);
	es_buf_finish(&out);
	return status;
}

static int import_all(struct import *import, char **paths, int n)
{
	struct es_error err = { .code = 0 };
	uint64_t n_cpus = 0;
	int status = ES_EXIT_OK;

	if (import->cpus && (es_parse_u64(import->cpus, &n_cpus) < 0 || n_cpus > UINT32_MAX))
		return es_complain("import", ES_EXIT_USAGE, "--ncpus '%s': a number is wanted",
				   import->cpus);
	if (es_chain_load(&import->chain, &err) < 0 ||
	    (import->out &&
	     es_settings_option(&import->chain.settings, "out", import->out, &err) < 0))
		return es_complain("import", ES_EXIT_USAGE, "%s", err.text);
	if (es_make_directories(import->chain.settings.out, &err) < 0)
		return es_complain("import", ES_EXIT_FAILURE, "%s", err.text);
	if (are_files(paths, n)) {
		if (import_together(import, paths, (size_t)n, (uint32_t)n_cpus, &err) < 0)
			status = es_complain("import", ES_EXIT_FAILURE, "%s", err.text);
		n = 0;
	}
	/* One that cannot be read does not keep the others back. */
	for (int i = 0; i < n; i++)
		if (import_together(import, &paths[i], 1, (uint32_t)n_cpus, &err) < 0)
			status = es_complain("import", ES_EXIT_FAILURE, "%s", err.text);
	if (!import->is_json)
		for (size_t i = 0; i < import->warnings.n; i++)
			(void)es_complain("import", 0, "warning: %s", import->warnings.texts[i]);
	n = show(import);
	return status ? status : n;
}

int es_cmd_import(int argc, char **argv)
{
	struct import import = { .out = NULL };
	const struct es_option options[] = {
		{ "out", "DIR", "folder for recordings and eprofiles\n(default energyscopium-out)",
		  ES_OPTION_TEXT, &import.out },
		{ "name", "JOB", "name of the job (default: the one in the data)", ES_OPTION_TEXT,
		  &import.name },
		{ "ncpus", "N", "CPUs of the job, where the data do not say", ES_OPTION_TEXT,
		  &import.cpus },
		{ "force", NULL, "replace existing ones", ES_OPTION_FLAG, &import.may_replace },
		{ "json", NULL, "as JSON", ES_OPTION_FLAG, &import.is_json },
	};
	const struct es_usage usage = {
		.command = "import",
		.synopsis = "[OPTION]… PATH…",
		.text = "Recognises by content and converts to a recording and an eprofile: a run of Energy Scope\n"
			"2022 (tarball or folder: raw dump with discovery, or finished eprofile), a job archive of\n"
			"ClusterCockpit, an eprofile of this program, a CSV with time, domain, and power_w or energy_j.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
	};
	int first, status = es_options_parse(&usage, argc, argv, &first);

	if (status < 0 && first >= argc)
		status = es_complain("import", ES_EXIT_USAGE,
				     "a PATH is missing; see 'energyscopium import --help'");
	if (status < 0)
		status = import_all(&import, argv + first, argc - first);
	drop(&import.recordings);
	drop(&import.eprofiles);
	drop(&import.warnings);
	return status;
}
