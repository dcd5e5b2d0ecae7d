/*
 * doctor_daemon.c - the daemon of this node, as doctor sees it
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/doctor_daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "base/text.h"
#include "cli/daemonlink.h"
#include "ipc/address.h"

#define PROGRAM "energyscopiumd"
#define PATIENCE_NS (2 * ES_NS_PER_S)
#define FAILED_MAX 4U /* told one by one */
#define START "sudo systemctl enable --now " PROGRAM
#define RESTART "sudo systemctl restart " PROGRAM
#define WHAT "daemon"

/* The program of the daemon, where it is installed or beside ours; false: nowhere. */
static bool find_program(char *ret, size_t size)
{
	static const char *const folders[] = { "/usr/sbin", "/usr/local/sbin", "/usr/bin",
					       "/usr/local/bin" };
	char self[ES_PATH_MAX_BYTES];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	for (size_t i = 0; i < ES_ARRAY_SIZE(folders); i++) {
		(void)snprintf(ret, size, "%s/" PROGRAM, folders[i]);
		if (access(ret, X_OK) == 0)
			return true;
	}
	if (n <= 0)
		return false;
	self[n] = '\0';
	return snprintf(ret, size, "%s/" PROGRAM, dirname(self)) < (int)size &&
	       access(ret, X_OK) == 0;
}

/* Nobody listens: that is a problem only where somebody counts on it. */
static void say_none(const struct es_doctor_daemon *about, const char *path, bool is_chosen,
		     bool has_socket, struct es_findings *findings)
{
	char program[ES_PATH_MAX_BYTES];
	bool has_program = find_program(program, sizeof(program));

	if (has_socket)
		es_find(findings, WHAT, ES_VERDICT_PROBLEM, RESTART "; journalctl -u " PROGRAM,
			"nobody listens at '%s' any more: it was killed, or could not start again",
			path);
	else if (is_chosen)
		es_find(findings, WHAT, ES_VERDICT_PROBLEM, START,
			"none listens at '%s', where it is said to be", path);
	else if (about->is_needed && has_program)
		es_find(findings, WHAT, ES_VERDICT_NOTE, START,
			"installed (%s) and not running; through it this user would see meters",
			program);
	else if (about->is_needed)
		es_find(findings, WHAT, ES_VERDICT_NOTE, "",
			"none runs here; " PROGRAM
			"(8) would show this user the meters without opening them to all");
	else
		es_find(findings, WHAT, ES_VERDICT_OK, "",
			"none runs here, and none is needed: this user reads the meters");
}

static void say_failed(const char *path, int r, const char *why, struct es_findings *findings)
{
	char fix[ES_NAME_MAX_BYTES] = RESTART "; journalctl -u " PROGRAM;
	struct stat st;

	if (r == -EACCES && lstat(path, &st) == 0)
		(void)snprintf(fix, sizeof(fix), "sudo chmod 0666 %.200s", path);
	es_find(findings, WHAT, ES_VERDICT_PROBLEM, r == -EPERM ? "" : fix, "%s", why);
}

/* Others must be able to speak with it, and nobody must be able to take its place. */
static void check_socket(const char *path, struct es_findings *findings)
{
	char folder[ES_IPC_PATH_MAX_BYTES], fix[ES_NAME_MAX_BYTES];
	struct stat socket, above;

	(void)snprintf(folder, sizeof(folder), "%s", path);
	if (lstat(path, &socket) < 0 || stat(dirname(folder), &above) < 0)
		return;
	(void)snprintf(folder, sizeof(folder), "%s", path);
	if ((above.st_mode & S_IWOTH) && !(above.st_mode & S_ISVTX)) {
		(void)snprintf(fix, sizeof(fix), "sudo chmod 0755 %.200s", dirname(folder));
		es_find(findings, "socket", ES_VERDICT_PROBLEM, fix,
			"anybody may put another one in the place of '%s'", path);
	} else if ((socket.st_mode & 0222) != 0222) {
		(void)snprintf(fix, sizeof(fix), "sudo chmod 0666 %.200s", path);
		es_find(findings, "socket", ES_VERDICT_NOTE, fix,
			"'%s' has mode %04o: not every user's job can speak with the daemon; rights "
			"are judged by who asks, not by this mode",
			path, (unsigned)(socket.st_mode & 07777));
	} else {
		es_find(findings, "socket", ES_VERDICT_OK, "", "'%s', open to all users", path);
	}
}

static void check_version(const struct es_local_welcome *welcome, struct es_findings *findings)
{
	if (strcmp(welcome->version, ES_VERSION) == 0)
		es_find(findings, WHAT, ES_VERDICT_OK, "", "%s runs on %s, as version %s", PROGRAM,
			welcome->node, welcome->version);
	else
		es_find(findings, WHAT, ES_VERDICT_NOTE, RESTART,
			"%s %s runs, and this program is %s: they understand each other, but what is "
			"new in one is not known to the other",
			PROGRAM, welcome->version, ES_VERSION);
}

static void check_view(const struct es_local_welcome *welcome, struct es_findings *findings)
{
	char period[ES_QUANTITY_TEXT_BYTES];
	const char *words = welcome->words;

	(void)es_duration_text(welcome->least_period_ns, period);
	switch ((enum es_local_view)welcome->view) {
	case ES_LOCAL_VIEW_NODE:
		es_find(findings, "view", ES_VERDICT_OK, "",
			"the daemon shows this user the node's meters, every %s at most%s%s%s%s",
			period, welcome->job[0] ? "; in job " : "", welcome->job,
			words[0] ? ": " : "", words);
		return;
	case ES_LOCAL_VIEW_SHARE:
		es_find(findings, "view", ES_VERDICT_OK, "",
			"the daemon shows this user what is attributed to job %s, every %s at most%s%s",
			welcome->job, period, words[0] ? ": " : "", words);
		return;
	case ES_LOCAL_VIEW_NOTHING:
	default:
		es_find(findings, "view", ES_VERDICT_NOTE,
			"in a job of yours; or 'serve: everybody' in "
			"/etc/energyscopium/energyscopiumd.yaml and " RESTART,
			"the daemon shows this user nothing%s%s", words[0] ? ": " : "", words);
		return;
	}
}

/* A job that the scheduler started, and of which nobody told the daemon. */
static void check_job(const struct es_local_welcome *welcome, struct es_findings *findings)
{
	const char *id = getenv("SLURM_JOB_ID");

	if (!id || welcome->job[0])
		return;
	es_find(findings, "job", ES_VERDICT_NOTE,
		"energyscopium-spank.so in plugstack.conf, and PrologFlags=Alloc",
		"this is in Slurm's job %.32s, and the daemon knows no job here: nobody told it, and "
		"no cgroup of the job was found",
		id);
}

static void check_boot(const struct es_local_welcome *welcome, struct es_findings *findings)
{
	char boot_id[64] = "";
	es_cleanup(es_fclosep) FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!file || !fgets(boot_id, sizeof(boot_id), file) || welcome->boot_id[0] == '\0')
		return;
	boot_id[strcspn(boot_id, "\n")] = '\0';
	if (strcmp(boot_id, welcome->boot_id) != 0)
		es_find(findings, WHAT, ES_VERDICT_PROBLEM,
			"bind-mount the folder of this machine's own socket",
			"it is of another machine, or of another boot of this one: its times do not "
			"fit this clock");
}

/* A text of an object, safe to show; "" where there is none. */
static const char *text_of(const json_t *object, const char *key, char *ret, size_t size)
{
	const char *text = json_string_value(json_object_get(object, key));

	(void)snprintf(ret, size, "%s", text ? text : "");
	es_text_make_safe(ret, false);
	return ret;
}

/* What it may not read, with the fix as its own user needs it, and what fails. */
static void check_meters(const json_t *state, struct es_findings *findings)
{
	const json_t *refused = json_object_get(state, "refused"),
		     *meters = json_object_get(state, "meters"), *one;
	char id[ES_NAME_MAX_BYTES], why[ES_NAME_MAX_BYTES], fix[ES_NAME_MAX_BYTES];
	json_int_t n_refused = json_integer_value(json_object_get(state, "refused_total"));
	size_t i, n_failed = 0;

	json_array_foreach(refused, i, one)
		es_find(findings, "reads", ES_VERDICT_PROBLEM,
			text_of(one, "fix", fix, sizeof(fix)),
			"the daemon may not read %s (%lld refused in all): %s",
			text_of(one, "id", id, sizeof(id)), (long long)n_refused,
			text_of(one, "reason", why, sizeof(why)));
	json_array_foreach(meters, i, one)
	{
		if (!json_is_string(json_object_get(one, "error")) || ++n_failed > FAILED_MAX)
			continue;
		es_find(findings, "reads", ES_VERDICT_NOTE, "",
			"the daemon's last reading of %s failed: %s",
			text_of(one, "id", id, sizeof(id)),
			text_of(one, "error", why, sizeof(why)));
	}
	if (n_refused == 0 && n_failed == 0)
		es_find(findings, "reads", ES_VERDICT_OK, "",
			"the daemon reads %zu domains, none is refused to it",
			json_array_size(meters));
}

static void check_spool(const json_t *state, struct es_findings *findings)
{
	const json_t *spool = json_object_get(state, "spool");
	char folder[ES_NAME_MAX_BYTES];

	if (!json_is_object(spool))
		return;
	(void)text_of(spool, "folder", folder, sizeof(folder));
	if (!json_is_true(json_object_get(spool, "records")) ||
	    !json_is_true(json_object_get(spool, "outlives_restart")))
		es_find(findings, "spool", ES_VERDICT_PROBLEM,
			"give it to the daemon's user, or name another one: 'spool:' of "
			"energyscopiumd.yaml(5)",
			"'%s' cannot be written: %s", folder,
			json_is_true(json_object_get(spool, "records"))
				? "what the jobs have had is lost with a restart of the daemon"
				: "no job is recorded");
	else
		es_find(findings, "spool", ES_VERDICT_OK, "", "recordings of jobs are in '%s'",
			folder);
}

/* How it is, in its own words. */
static void check_state(int fd, struct es_findings *findings)
{
	es_cleanup(es_freep) struct es_daemonlink_answer *answer = malloc(sizeof(*answer));
	es_cleanup(es_freep) char *text = malloc(ES_IPC_MESSAGE_MAX_BYTES);
	uint8_t packet[ES_IPC_HEADER_BYTES + 16];
	int n = es_local_put_empty(ES_LOCAL_STATE, 2, packet, sizeof(packet));
	struct es_error err = { .code = 0 };
	json_t *state = NULL;
	uint32_t value;
	int r = -ENOMEM;

	if (answer && text)
		r = es_daemonlink_ask(fd, packet, n, es_clock_mono_ns() + PATIENCE_NS,
				      ES_LOCAL_STATE_IS, answer, NULL, &err);
	if (r == 0)
		r = es_local_get_text(es_daemonlink_body(answer), answer->n, text,
				      ES_IPC_MESSAGE_MAX_BYTES, &value);
	if (r == 0)
		state = json_loads(text, 0, NULL);
	if (state) {
		check_meters(state, findings);
		check_spool(state, findings);
	} else {
		es_find(findings, "reads", ES_VERDICT_NOTE, RESTART,
			"the daemon does not say how it is: %s",
			err.text[0] ? err.text : es_strerror(r < 0 ? r : -EBADMSG));
	}
	json_decref(state);
}

void es_doctor_check_daemon(const struct es_doctor_daemon *about, struct es_findings *findings)
{
	es_cleanup(es_freep) struct es_local_welcome *welcome = calloc(1, sizeof(*welcome));
	es_cleanup(es_closep) int fd = -1;
	char path[ES_IPC_PATH_MAX_BYTES];
	struct es_error err = { .code = 0 };
	bool is_chosen = false;
	int r = es_daemonlink_path(about->named, path, sizeof(path), &is_chosen, &err);

	if (r == -ENOENT) {
		es_find(findings, WHAT, ES_VERDICT_OK, "", "not to be used (--daemon none)");
		return;
	}
	if (r < 0 || !welcome) {
		es_find(findings, WHAT, ES_VERDICT_PROBLEM, "", "%s", err.text);
		return;
	}
	if (about->has_root && !is_chosen)
		return;
	r = es_daemonlink_open(about->named, PATIENCE_NS, &fd, welcome, &err);
	if (r == -ENOENT || r == -ECONNREFUSED) {
		say_none(about, path, is_chosen, r == -ECONNREFUSED, findings);
		return;
	}
	if (r < 0) {
		say_failed(path, r, err.text, findings);
		return;
	}
	check_version(welcome, findings);
	check_socket(path, findings);
	if (!about->has_root)
		check_boot(welcome, findings);
	check_view(welcome, findings);
	check_job(welcome, findings);
	check_state(fd, findings);
}
