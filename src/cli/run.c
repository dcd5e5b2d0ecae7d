/*
 * run.c - energyscopium run: measure a command from start to end
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/parse.h"
#include "cli/background.h"
#include "cli/chain.h"
#include "cli/child.h"
#include "cli/command.h"
#include "cli/daemonlink.h"
#include "cli/job.h"
#include "cli/measure.h"
#include "cli/output.h"
#include "cli/run.h"

static int complain(const struct es_error *err)
{
	return es_complain("run", ES_EXIT_OWN, "%s", err->text);
}

void es_run_init(struct es_run *run)
{
	*run = (struct es_run){
		.tree = { .fd = -1 },
		.ranks = { .folder_fd = -1, .lock_fd = -1, .list_fd = -1, .hook = { .fd = -1 } }
	};
}

int es_run_check(struct es_run *run, struct es_error *err)
{
	int r;

	run->chain.footprint.is_told = run->chain.footprint.is_later = true;
	r = es_chain_load(&run->chain, err);
	if (r == 0 && run->period)
		r = es_settings_option(&run->chain.settings, "period", run->period, err);
	if (r == 0 && run->out)
		r = es_settings_option(&run->chain.settings, "out", run->out, err);
	if (r < 0)
		return r;
	run->period_ns = run->chain.settings.period_ns;
	run->no_activity = run->no_activity || run->chain.settings.has_no_activity;
	run->as_uid = -1;
	if (run->as && (es_parse_i64(run->as, &run->as_uid) < 0 || run->as_uid < 0 ||
			run->as_uid > UINT32_MAX))
		return es_error_say(err, -EINVAL, "--as '%s': not a user's number", run->as);
	if (run->require && strcmp(run->require, "measured") != 0 &&
	    strcmp(run->require, "any") != 0)
		return es_error_say(err, -EINVAL, "--require '%s': there are 'measured' and 'any'",
				    run->require);
	r = run->name ? es_job_check_name(run->name, err) : 0;
	if (r == 0)
		r = es_meters_gather(&run->chain.settings, &run->meters, run->root, &run->named,
				     err);
	return r;
}

static bool is_named(const struct es_text_list *names, const struct es_domain *domain)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->texts[i], domain->name) == 0 ||
		    strcmp(names->texts[i], domain->id) == 0)
			return true;
	return false;
}

/* Only the domains asked for; each must be there and readable. */
static int choose_domains(struct es_run *run, struct es_error *err)
{
	size_t n;
	struct es_domain *domains = es_sampler_domains(run->sampler, &n);

	for (size_t j = 0; j < run->domains.n; j++) {
		const struct es_text_list one = { .texts = &run->domains.texts[j], .n = 1 };
		const struct es_domain *found = NULL;

		for (size_t i = 0; i < n; i++)
			if (is_named(&one, &domains[i]) &&
			    (!found || es_sampler_can_read(&domains[i])))
				found = &domains[i];
		if (!found)
			return es_error_say(
				err, -ENOENT,
				"--domain '%s': there is none; 'energyscopium sources' lists them",
				run->domains.texts[j]);
		if (!es_sampler_can_read(found))
			return es_error_say(err, -EACCES, "--domain '%s': %s; fix: %s",
					    run->domains.texts[j], found->reason,
					    found->fix[0] ? found->fix : "none known");
	}
	for (size_t i = 0; run->domains.n && i < n; i++) {
		domains[i].is_asked = is_named(&run->domains, &domains[i]);
		if (domains[i].is_asked)
			continue;
		domains[i].is_there = false;
		domains[i].state = ES_STATE_ABSENT;
		(void)snprintf(domains[i].reason, sizeof(domains[i].reason),
			       "not asked for (--domain)");
	}
	return 0;
}

static bool has_meter(const struct es_domain *domains, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (es_sampler_is_recorded(&domains[i]) && domains[i].kind != ES_KIND_ESTIMATED)
			return true;
	return false;
}

/* Those that the job was given, else those that are measured. */
static void count_gpus(struct es_run *run, const struct es_domain *domains, size_t n)
{
	int64_t n_ours = es_job_gpus();
	uint32_t n_measured = 0;

	for (size_t i = 0; i < n; i++) {
		bool is_twin = false;

		for (size_t j = 0; j < i && !is_twin; j++)
			is_twin = es_sampler_is_recorded(&domains[j]) &&
				  es_domain_is_twin(&domains[j], &domains[i]);
		n_measured += domains[i].type == ES_DOMAIN_GPU && !is_twin &&
			      es_sampler_is_recorded(&domains[i]);
	}
	run->meta.n_gpus = n_ours >= 0 ? (uint32_t)n_ours : n_measured;
}

static int describe_signals(struct es_run *run, struct es_error *err)
{
	size_t n;
	const struct es_signal *signals = es_sampler_signals(run->sampler, &n);
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = es_meta_add_signal(&run->meta, &signals[i]);
	return r < 0 ? es_error_set(err, r, "signals") : 0;
}

/* The domains that can be read go into the description; parents are theirs among those. */
static int describe(struct es_run *run, struct es_error *err)
{
	size_t n;
	const struct es_domain *domains = es_sampler_domains(run->sampler, &n);
	es_cleanup(es_freep) int32_t *as = calloc(n + 1, sizeof(*as));
	int r = as ? es_job_describe(&run->tree, es_run_job_name(run), run->command,
				     run->keeps_args, &run->meta, err)
		   : -ENOMEM;

	if (r < 0)
		return r;
	es_run_note_launch(run);
	r = describe_signals(run, err);
	if (r < 0)
		return r;
	run->meta.period_ns = run->period_ns;
	es_sampler_plan(run->sampler, run->period_ns);
	for (size_t i = 0; i < n; i++)
		as[i] = es_sampler_is_listed(run->sampler, i) ? (int32_t)run->meta.n_domains++ : -1;
	run->meta.n_domains = 0;
	count_gpus(run, domains, n);
	for (size_t i = 0; i < n; i++) {
		struct es_domain domain = domains[i];

		if (as[i] < 0)
			continue;
		domain.parent = domain.parent >= 0 ? as[domain.parent] : -1;
		r = es_meta_add_domain(&run->meta, &domain);
		if (r < 0)
			return es_error_set(err, r, "domain '%s'", domain.id);
	}
	return 0;
}

static int open_meters(struct es_run *run, struct es_error *err)
{
	size_t n;
	const struct es_domain *domains;
	const struct es_sampler_options options = { .wants_spares = run->domains.n > 0,
						    .meters = run->named.urls,
						    .n_meters = run->named.n };
	int r = es_root_open(run->root, run->as_uid, &run->tree, err);

	if (r == 0)
		r = es_sampler_create(&run->tree, &options, &run->sampler, err);
	if (r == 0)
		r = es_through_open(run->command ? "run" : "record", run->daemon, run->root,
				    run->period_ns, run->sampler, &run->through, err);
	if (r == 0)
		r = choose_domains(run, err);
	if (r == 0 && run->no_activity)
		es_sampler_spare_profilers(run->sampler);
	else if (r == 0)
		r = es_run_activity_open(&run->tree,
					 run->attach	? ES_ACTIVITY_TREE
					 : run->command ? ES_ACTIVITY_COMMAND
							: ES_ACTIVITY_CGROUP,
					 run->sampler, &run->activity, err);
	if (r < 0)
		return r;
	es_meters_tell(run->command ? "run" : "record", run->sampler);
	es_through_tell(run->command ? "run" : "record", &run->through);
	domains = es_sampler_domains(run->sampler, &n);
	if (run->require && strcmp(run->require, "measured") == 0 && !has_meter(domains, n))
		return es_error_say(
			err, -ENODATA,
			"--require measured: no meter here can be read; 'energyscopium sources' tells why");
	return 0;
}

static int open_recording(struct es_run *run, struct es_error *err)
{
	const char *out = run->chain.settings.out;
	int r = es_make_directories(out, err);

	if (r < 0)
		return r;
	if (snprintf(run->recording_path, sizeof(run->recording_path), "%s/%s.esr", out,
		     run->stem) >= (int)sizeof(run->recording_path) ||
	    snprintf(run->eprofile_path, sizeof(run->eprofile_path), "%s/%s.eprofile.json", out,
		     run->stem) >= (int)sizeof(run->eprofile_path))
		return es_error_set(err, -ENAMETOOLONG, "recording in '%.200s…'", out);
	if (!run->may_replace && access(run->eprofile_path, F_OK) == 0)
		return es_error_say(
			err, -EEXIST,
			"job '%s' exists already in '%s'; give --name, or --force to replace it",
			run->meta.job, out);
	r = es_recorder_create(run->recording_path, run->may_replace, &run->meta, &run->recorder,
			       err);
	if (r == -EEXIST)
		return es_error_say(
			err, r,
			"job '%s' exists already in '%s'; give --name, or --force to replace it",
			run->meta.job, out);
	if (r < 0)
		return r;
	run->activity.has_ranks = run->ranks.list_fd >= 0;
	run->activity.n_ranks = run->ranks.local_ranks;
	r = es_run_record_launch(run);
	if (r == 0)
		r = es_through_record(&run->through, run->recorder);
	if (r == 0)
		r = es_run_activity_tell(&run->activity, run->recorder);
	if (r < 0)
		(void)unlink(run->recording_path); /* nothing was measured */
	return r < 0 ? es_error_set(err, r, "recording '%s'", run->recording_path) : 0;
}

int es_run_open(struct es_run *run, struct es_error *err)
{
	int r = open_meters(run, err);

	if (r == 0)
		r = describe(run, err);
	return r < 0 ? r : open_recording(run, err);
}

static int refuse_command(struct es_run *run)
{
	bool is_absent = run->measured.exec_error == -ENOENT;

	/* Nothing was measured: a recording of nothing would only be in the way. */
	(void)unlink(run->recording_path);
	return es_complain("run", is_absent ? ES_EXIT_NOT_FOUND : ES_EXIT_NOT_EXECUTABLE,
			   "'%s': %s: nothing was measured", run->command[0],
			   is_absent ? "command not found" : es_strerror(run->measured.exec_error));
}

/* A command finds us by its environment; for what runs already we are where recordings in the background are. */
static int hear_tags(struct es_run *run, struct es_background *background, struct es_error *err)
{
	return run->attach ? es_background_open(run, background, err)
			   : es_background_open_for_command(run, background, err);
}

/* @background: left open only where what is measured is no command: somebody may wait for the files. */
static int measure(struct es_run *run, struct es_background *background, struct es_error *err)
{
	struct es_measure_hook *hooks[ES_MEASURE_HOOKS_MAX];
	struct es_measure_options options = { .period_ns = run->period_ns,
					      .command = run->command,
					      .inherited = &run->inherited,
					      .hooks = hooks };
	struct es_error unheard = { .code = 0 };
	int r;

	options.activity = run->activity.source;
	hooks[options.n_hooks++] = es_run_activity_hook(&run->activity);
	if (run->attach) {
		options.command = NULL;
		options.activity_pid = es_attach_pid(run->attach);
		hooks[options.n_hooks++] = es_attach_hook(run->attach);
	}
	if (run->ranks.list_fd >= 0) {
		es_ranks_wait(&run->ranks);
		options.wait = &run->ranks.wait;
		hooks[options.n_hooks++] = &run->ranks.hook;
	}
	if (run->baseline_ns) {
		r = es_run_begin_baseline(run);
		if (r < 0)
			return es_error_set(err, r, "baseline");
	}
	if (hear_tags(run, background, &unheard) == 0) {
		hooks[options.n_hooks++] = es_tags_hook(background->tags);
		hooks[options.n_hooks++] = &background->release.hook;
		if (options.wait)
			es_ranks_tell_socket(&run->ranks, getenv(ES_IPC_VARIABLE));
	} else {
		(void)es_complain("run", 0, "%s: no tags are heard, measuring on", unheard.text);
	}
	r = run->works ? es_works_start(run->works, run->sampler, err) : 0;
	if (r == 0 && run->works) {
		options.child = es_works_child(run->works);
		hooks[options.n_hooks++] = es_works_hook(run->works);
	}
	/* The last: the others end with the command, this one takes its time. */
	if (run->baseline_ns) {
		run->baseline_hook = (struct es_measure_hook){
			.fd = -1, .next_ns = INT64_MAX, .finish = es_run_finish_baseline, .arg = run
		};
		hooks[options.n_hooks++] = &run->baseline_hook;
	}
	if (r == 0)
		r = es_measure(run->sampler, run->recorder, &options, &run->measured, err);
	if (run->works)
		es_works_stop(run->works);
	if (r < 0 || !run->attach)
		es_background_close(background);
	return r;
}

/* Who told us to end reads the recording where it was meant to be. */
static void end_background(const struct es_run *run, struct es_background *background)
{
	bool is_there = es_recorder_problem(run->recorder) == 0 && run->measured.lost == 0;

	if (background->tags)
		(void)es_tags_tell_end(background->tags, is_there ? ES_IPC_OK : ES_IPC_LOST,
				       is_there
					       ? background->recording
					       : "the disk took not all: 'run --attach' says more");
	es_background_close(background);
}

int es_run_once(struct es_run *run)
{
	struct es_background background;
	struct es_error err = { .code = 0 };

	if (run->attach_pid && es_attach_create(run->attach_pid, &run->attach, &err) < 0)
		return complain(&err);
	if (run->attach)
		run->command = es_attach_command(run->attach);
	es_inherited_take(&run->inherited);
	if (es_run_open(run, &err) < 0)
		return complain(&err);
	if (measure(run, &background, &err) < 0) {
		(void)unlink(run->recording_path);
		return complain(&err);
	}
	if (run->measured.exec_error < 0)
		return refuse_command(run);
	run->has_ended = true;
	/* The status of an attached process is only its parent's to know. */
	run->exit_status = run->attach ? 0 : es_child_exit_status(run->measured.status);
	es_run_tell(run);
	if (run->attach)
		end_background(run, &background);
	return run->exit_status;
}

void es_run_finish(struct es_run *run)
{
	es_ranks_leave(&run->ranks);
	es_attach_destroy(run->attach);
	es_recorder_close(run->recorder);
	es_sampler_destroy(run->sampler);
	es_meters_finish(&run->named);
	es_inherited_finish(&run->inherited);
	es_meta_finish(&run->meta);
	es_root_close(&run->tree);
}

/* Before the command runs for hours: where the report is to go. The folder may be @out, which is made later. */
static int check_json(const char *path, const char *out, struct es_error *err)
{
	char folder[ES_PATH_MAX_BYTES];
	struct stat st;
	int r = 0;

	if (!path)
		return 0;
	if (!*path || snprintf(folder, sizeof(folder), "%s", path) >= (int)sizeof(folder))
		return es_error_say(err, -EINVAL, "--json='%.100s': not the name of a file", path);
	if (stat(path, &st) == 0)
		r = S_ISDIR(st.st_mode)				      ? -EISDIR
		    : faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0 ? -errno
								      : 0;
	else if (faccessat(AT_FDCWD, dirname(folder), W_OK | X_OK, AT_EACCESS) < 0)
		r = -errno;
	if (r == -ENOENT && stat(out, &st) < 0)
		return 0;
	return r < 0 ? es_error_set(err, r, "cannot write JSON to '%.1000s'", path) : 0;
}

static int run_all(struct es_run *run)
{
	struct es_error err = { .code = 0 };
	int status;

	if (es_run_check(run, &err) < 0 || es_repeat_check(run, &err) < 0 ||
	    check_json(run->json.text, run->chain.settings.out, &err) < 0)
		return es_complain("run", err.code == -EINVAL ? ES_EXIT_USAGE : ES_EXIT_OWN, "%s",
				   err.text);
	run->work.has_no_output = run->attach_pid;
	status = es_works_create(&run->work, &run->works, &err);
	if (status < 0)
		return es_complain(
			"run", status == -EINVAL || status == -E2BIG ? ES_EXIT_USAGE : ES_EXIT_OWN,
			"%s", err.text);
	es_launch_find(environ, &run->launch);
	if (run->series.repeat && run->launch.launcher && run->launch.ranks != 1)
		return es_complain(
			"run", ES_EXIT_USAGE,
			"--repeat: each rank would repeat on its own; repeat the launcher");
	if (!run->attach_pid) {
		status = es_run_join(run);
		if (status >= 0)
			return status;
	}
	return run->series.repeat ? es_run_series(run) : es_run_once(run);
}

int es_cmd_run(int argc, char **argv)
{
	struct es_run run;
	const struct es_option options[] = {
		{ "period", "TIME", "sampling period, 1ms to 1h (default 100ms)", ES_OPTION_TEXT,
		  &run.period },
		{ "out", "DIR", "folder for recording and eprofile\n(default energyscopium-out)",
		  ES_OPTION_TEXT, &run.out },
		{ "name", "JOB",
		  "name of the job (default: the scheduler's id,\nelse date, time and process number)",
		  ES_OPTION_TEXT, &run.name },
		{ "force", NULL, "replace an existing JOB", ES_OPTION_FLAG, &run.may_replace },
		{ "keep-args", NULL, "record the command with its arguments", ES_OPTION_FLAG,
		  &run.keeps_args },
		{ "attach", "PID", "measure the process PID, which runs already, to its end",
		  ES_OPTION_TEXT, &run.attach_pid },
		ES_REPEAT_OPTIONS(&run.series),
		{ "domain", "NAME", "measure only this domain; may be repeated", ES_OPTION_LIST,
		  &run.domains },
		{ "no-activity", NULL,
		  "count no events of processor and memory: leave their\ncounters to a profiler",
		  ES_OPTION_FLAG, &run.no_activity },
		{ "require", "KIND",
		  "'measured': fail rather than estimate;\n'any' (default): estimate where nothing measures",
		  ES_OPTION_TEXT, &run.require },
		ES_METER_OPTION(&run.meters),
		ES_DAEMON_OPTION(&run.daemon),
		{ "work", "WORK",
		  "count work: [UNIT=]regex:PATTERN of the output (or\nregex@stderr:), file:PATH, url:URL#METRIC; repeatable",
		  ES_OPTION_LIST, &run.work.works },
		{ "work-total", "N", "[UNIT=]N: how much there is to do", ES_OPTION_LIST,
		  &run.work.totals },
		{ "work-from", "N", "[UNIT=]N or [UNIT=]first: where the count begins",
		  ES_OPTION_LIST, &run.work.froms },
		{ "progress", NULL,
		  "a line each second on how it stands (default with\n--work on a terminal)",
		  ES_OPTION_FLAG, &run.work.wants_progress },
		{ "no-progress", NULL, "no such line", ES_OPTION_FLAG,
		  &run.work.wants_no_progress },
		{ "zone", "ZONE", "where the electricity comes from (FR, US, WORLD …)",
		  ES_OPTION_TEXT, &run.chain.zone },
		{ "pue", "NUMBER", "power usage effectiveness of the site, 1 or more",
		  ES_OPTION_TEXT, &run.chain.pue },
		{ "model", "NAME",
		  "node model: calibrated[:CLASS] (the default where the node\nhas one), none, joule_model_202203",
		  ES_OPTION_TEXT, &run.chain.model },
		{ "carbon", "NAME", "carbon model: carbon_model_202203, carbon_model_2024",
		  ES_OPTION_TEXT, &run.chain.carbon },
		ES_FOOTPRINT_OPTIONS(&run.chain.footprint),
		{ "json", "FILE", "the report as JSON: last line of stderr, or to FILE",
		  ES_OPTION_OPTIONAL, &run.json },
		{ "root", "DIR", "a tree with sys/, proc/ that stands for the machine",
		  ES_OPTION_TEXT, &run.root },
		{ "as", "UID", "judge rights below --root for this user", ES_OPTION_TEXT, &run.as },
	};
	const struct es_usage usage = {
		.command = "run",
		.synopsis = "[OPTION]… -- COMMAND [ARGUMENT]… | [OPTION]… --attach PID",
		.text = "Measures COMMAND from just before its start to its end, with all it starts, and\n"
			"ends with its exit status (125: own failure, 126: not executable, 127: not found).\n"
			"Writes DIR/JOB.esr and DIR/JOB.eprofile.json; says the rest on stderr.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
		.stops_at_operand = true,
	};
	struct es_error err = { .code = 0 };
	int first, status;
	pid_t pid;

	es_run_init(&run);
	status = es_options_parse(&usage, argc, argv, &first);
	if (status < 0 && run.attach_pid && first < argc)
		status = es_complain("run", ES_EXIT_USAGE,
				     "either --attach or a command: '%s' is one too many",
				     argv[first]);
	if (status < 0 && run.attach_pid && es_attach_parse(run.attach_pid, &pid, &err) < 0)
		status = es_complain("run", ES_EXIT_USAGE, "%s", err.text);
	if (status < 0 && !run.attach_pid && first >= argc)
		status = es_complain("run", ES_EXIT_USAGE,
				     "a command is missing; see 'energyscopium run --help'");
	if (status < 0) {
		run.command = argv + first;
		status = run_all(&run);
	}
	es_run_finish(&run);
	es_text_list_finish(&run.domains);
	es_text_list_finish(&run.meters);
	es_works_destroy(run.works);
	es_work_options_finish(&run.work);
	es_repeat_options_finish(&run.series);
	es_chain_finish(&run.chain);
	return status;
}
