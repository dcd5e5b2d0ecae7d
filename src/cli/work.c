/*
 * work.c - energyscopium run --work: units of work beside joules
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/work.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "cli/progress.h"
#include "cli/work_regex.h"
#include "cli/work_spec.h"
#include "cli/work_watch.h"
#include "net/http.h"

/* A file that was there before the command must be looked at before it: for so long at most. */
#define START_NS (500 * ES_NS_PER_MS)
/* How long the end waits for the last count, and for the output to be with who reads it. */
#define COUNT_NS (2 * ES_NS_PER_S)
#define READER_NS ES_NS_PER_S
#define FILE_NS (60 * ES_NS_PER_S)

/* What is known of one work. */
struct known {
	struct es_work_news news;
	bool has_base; /* its first event is written */
};

struct es_works {
	struct es_work_specs specs;
	bool has_progress;
	struct es_work_regex *regexes[ES_WORKS_MAX]; /* [spec] */
	struct es_http_library *http;
	struct known known[ES_WORKS_MAX]; /* [spec] */
	struct es_work_process processes[ES_WORKS_MAX];
	bool is_written[ES_WORKS_MAX]; /* [process] */
	pid_t pids[ES_WORKS_MAX];
	size_t n_processes;
	int64_t start_ns;
	int64_t stop_ns; /* of the command; INT64_MAX: it runs */
	bool is_declared;
	int epoll_fd;
	struct es_child_options child;
	struct es_measure_hook hook;
	struct es_progress *progress;
	struct es_progress_screen
		*screen; /* shared with the watchers of streams; NULL: there is none */
};

void es_work_options_finish(struct es_work_options *options)
{
	es_text_list_finish(&options->works);
	es_text_list_finish(&options->totals);
	es_text_list_finish(&options->froms);
}

static int open_needs(struct es_works *works, bool has_no_output, struct es_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < works->specs.n; i++) {
		const struct es_work_spec *spec = &works->specs.specs[i];

		if (spec->kind != ES_WORK_FILE && spec->kind != ES_WORK_URL && has_no_output)
			r = es_error_say(
				err, -EINVAL,
				"--work 'regex:%s': the output of a process that runs already cannot be read; file: and url: can",
				spec->pattern);
		else if (spec->kind == ES_WORK_STDOUT || spec->kind == ES_WORK_STDERR)
			r = es_work_regex_create(spec->pattern, NULL, &works->regexes[i], err);
		else if (spec->kind == ES_WORK_URL && !works->http)
			r = es_http_library_open(NULL, &works->http, err);
	}
	return r;
}

int es_works_create(const struct es_work_options *options, struct es_works **ret,
		    struct es_error *err)
{
	struct es_works *works = calloc(1, sizeof(*works));
	int r;

	if (!works)
		return es_error_set(err, -ENOMEM, "--work");
	works->epoll_fd = -1;
	r = es_work_specs_parse(&options->works, &options->totals, &options->froms, &works->specs,
				err);
	if (r == 0)
		r = open_needs(works, options->has_no_output, err);
	works->has_progress = works->specs.n && !options->wants_no_progress &&
			      (options->wants_progress || isatty(STDERR_FILENO));
	if (r < 0 || works->specs.n == 0) {
		es_works_destroy(works);
		works = NULL;
	}
	if (r == 0)
		*ret = works;
	return r;
}

void es_works_destroy(struct es_works *works)
{
	if (!works)
		return;
	es_works_stop(works);
	for (size_t i = 0; i < ES_WORKS_MAX; i++)
		es_work_regex_destroy(works->regexes[i]);
	es_http_library_close(works->http);
	free(works);
}

const struct es_child_options *es_works_child(const struct es_works *works)
{
	return &works->child;
}

struct es_measure_hook *es_works_hook(struct es_works *works)
{
	return &works->hook;
}

static void put_event(struct es_works *works, struct es_recorder *recorder, size_t i, int64_t t_ns,
		      int64_t micro, const char *remark)
{
	struct es_event event = { .type = ES_EVENT_WORK, .t_ns = t_ns, .value = micro };

	(void)snprintf(event.text, sizeof(event.text), "%s%s%s", works->specs.specs[i].unit,
		       remark[0] ? "\t" : "", remark);
	(void)es_recorder_event(recorder, &event);
}

static void declare(struct es_works *works, struct es_recorder *recorder)
{
	for (size_t i = 0; i < works->specs.n && !works->is_declared; i++)
		put_event(works, recorder, i, works->start_ns, ES_EVENT_WORK_NONE, "");
	works->is_declared = true;
}

/* Output is read a little after it was written: what comes behind the command's end is of the command. */
static int64_t seen_ns(const struct es_works *works, uint32_t work, int64_t t_ns)
{
	return works->specs.specs[work].kind != ES_WORK_URL && t_ns > works->stop_ns
		       ? works->stop_ns
		       : t_ns;
}

static void take_news(struct es_works *works, struct es_recorder *recorder,
		      const struct es_work_news *news)
{
	struct known *known = &works->known[news->work];
	bool has_changed = !known->has_base || news->sum_micro != known->news.sum_micro;

	known->news = *news;
	if (!news->has_value || !has_changed)
		return;
	/* What there was before the first value: nothing, or nobody knows. */
	if (!known->has_base)
		put_event(works, recorder, news->work,
			  news->counts_from_start || news->is_start
				  ? works->start_ns
				  : seen_ns(works, news->work, news->first_ns),
			  0, "");
	known->has_base = true;
	put_event(works, recorder, news->work, seen_ns(works, news->work, news->t_ns),
		  news->sum_micro, "");
}

/* All messages of one process that are there; false when it has ended. */
static bool read_news(struct es_works *works, struct es_recorder *recorder, size_t process)
{
	union {
		struct es_work_news news;
		char byte;
	} message;
	ssize_t n;

	for (;;) {
		n = recv(works->processes[process].fd, &message, sizeof(message), MSG_DONTWAIT);
		/* It ended without having read all that we said; what it said before is still to come. */
		if (n < 0 && errno == ECONNRESET)
			continue;
		if (n <= 0)
			break;
		if (n == 1)
			works->is_written[process] = message.byte == ES_WORK_WRITTEN;
		else if (n == sizeof(message.news) && message.news.work < works->specs.n)
			take_news(works, recorder, &message.news);
	}
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static void close_process(struct es_works *works, size_t process)
{
	es_closep(&works->processes[process].fd);
	works->processes[process].fd = -1;
}

static void read_all_news(struct es_works *works, struct es_recorder *recorder)
{
	for (size_t i = 0; i < works->n_processes; i++)
		if (works->processes[i].fd >= 0 && !read_news(works, recorder, i))
			close_process(works, i);
}

static void tell_progress(struct es_works *works)
{
	struct es_progress_work seen[ES_WORKS_MAX];

	for (size_t i = 0; i < works->specs.n; i++) {
		const struct es_work_spec *spec = &works->specs.specs[i];
		const struct es_work_news *news = &works->known[i].news;

		seen[i] = (struct es_progress_work){
			.unit = spec->unit,
			.is_known = news->has_value,
			.sum_micro = news->sum_micro,
			.at_micro = news->n_restarts ? news->sum_micro : news->last_micro,
			.has_total = spec->has_total,
			.total_micro = spec->total_micro,
		};
	}
	es_progress_tell(works->progress, es_clock_boot_ns(), seen, works->specs.n);
}

static void handle(struct es_measure_hook *hook, struct es_recorder *recorder, short revents)
{
	struct es_works *works = hook->arg;
	int64_t now_ns = es_clock_mono_ns();

	declare(works, recorder);
	if (revents)
		read_all_news(works, recorder);
	if (hook->next_ns > now_ns)
		return;
	hook->next_ns = INT64_MAX;
	if (works->progress) {
		tell_progress(works);
		hook->next_ns = now_ns + ES_NS_PER_S;
	}
}

static bool is_final(const struct es_works *works, size_t process)
{
	const struct es_work_watch *watch = &works->processes[process].watch;

	for (size_t i = 0; i < watch->n; i++)
		if (!works->known[watch->tellers[i].work].news.is_final)
			return false;
	return true;
}

static bool is_stream(const struct es_work_process *process)
{
	return process->watch.kind == ES_WORK_STDOUT || process->watch.kind == ES_WORK_STDERR;
}

/* For how long the end waits for a process: a file takes all that is written to it, other readers have their time. */
static int64_t patience_ns(const struct es_works *works, size_t process)
{
	const struct es_work_process *p = &works->processes[process];
	struct stat st;

	if (p->fd < 0)
		return 0;
	if (!is_final(works, process))
		return COUNT_NS;
	if (!is_stream(p) || works->is_written[process])
		return 0;
	return fstat(p->watch.out_fd, &st) == 0 && S_ISREG(st.st_mode) ? FILE_NS : READER_NS;
}

static void wait_for_ends(struct es_works *works, struct es_recorder *recorder)
{
	int64_t begun_ns = es_clock_mono_ns();

	for (;;) {
		struct pollfd pollfd = { .fd = works->epoll_fd, .events = POLLIN };
		int64_t wait_ns = 0, left_ns;

		for (size_t i = 0; i < works->n_processes; i++) {
			left_ns = patience_ns(works, i);
			wait_ns = left_ns > wait_ns ? left_ns : wait_ns;
		}
		left_ns = begun_ns + wait_ns - es_clock_mono_ns();
		if (left_ns <= 0)
			return;
		(void)poll(&pollfd, 1, (int)(left_ns / ES_NS_PER_MS) + 1);
		read_all_news(works, recorder);
	}
}

/* What the count may lack. */
static void put_remark(const struct known *known, char *text, size_t size)
{
	size_t at = 0;

	text[0] = '\0';
	if (known->news.n_restarts)
		at = (size_t)snprintf(text, size, "begun anew %llu time%s",
				      (unsigned long long)known->news.n_restarts,
				      known->news.n_restarts == 1 ? "" : "s");
	if (!known->news.is_final)
		(void)snprintf(text + at, size - at, "%sthe last count did not come in time",
			       at ? "; " : "");
	else if (known->news.remark[0])
		(void)snprintf(text + at, size - at, "%s%s", at ? "; " : "", known->news.remark);
}

static void put_last_events(struct es_works *works, struct es_recorder *recorder, int64_t stop_ns)
{
	for (size_t i = 0; i < works->specs.n; i++) {
		const struct known *known = &works->known[i];
		int64_t t_ns = known->news.t_ns;
		char remark[ES_NAME_MAX_BYTES - ES_WORK_UNIT_MAX_BYTES - 1];

		put_remark(known, remark, sizeof(remark));
		/* Output and file were followed to the end; a server was asked when it was asked. */
		if (works->specs.specs[i].kind != ES_WORK_URL)
			t_ns = stop_ns;
		if (known->has_base)
			put_event(works, recorder, i, t_ns, known->news.sum_micro, remark);
		else
			put_event(works, recorder, i, stop_ns, ES_EVENT_WORK_NONE, remark);
	}
}

static void close_command_ends(struct es_works *works)
{
	for (size_t i = 0; i < works->n_processes; i++) {
		es_closep(&works->processes[i].command_fd);
		works->processes[i].command_fd = -1;
	}
}

static void finish(struct es_measure_hook *hook, struct es_recorder *recorder, int64_t stop_ns)
{
	struct es_works *works = hook->arg;
	const char end = ES_WORK_END;

	works->stop_ns = stop_ns;
	declare(works, recorder);
	es_progress_erase(works->progress);
	/* As long as we could write to a stream ourselves, nobody would see its end. */
	close_command_ends(works);
	for (size_t i = 0; i < works->n_processes; i++)
		if (works->processes[i].fd >= 0)
			(void)send(works->processes[i].fd, &end, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	wait_for_ends(works, recorder);
	put_last_events(works, recorder, stop_ns);
	for (size_t i = 0; i < works->n_processes; i++)
		hook->cpu_ns += works->known[works->processes[i].watch.tellers[0].work].news.cpu_ns;
}

/* The process of a spec: streams share one. */
static struct es_work_process *process_of(struct es_works *works, enum es_work_kind kind)
{
	struct es_work_process *process;

	for (size_t i = 0; i < works->n_processes; i++)
		if (works->processes[i].watch.kind == kind && is_stream(&works->processes[i]))
			return &works->processes[i];
	process = &works->processes[works->n_processes++];
	*process =
		(struct es_work_process){ .fd = -1, .command_fd = -1, .watch = { .kind = kind } };
	return process;
}

/* Whether a stream goes to the terminal that the progress line is on. */
static bool shares_screen(enum es_work_kind kind)
{
	struct stat line, stream;

	return (kind == ES_WORK_STDOUT || kind == ES_WORK_STDERR) &&
	       fstat(STDERR_FILENO, &line) == 0 && S_ISCHR(line.st_mode) &&
	       fstat(kind == ES_WORK_STDOUT ? STDOUT_FILENO : STDERR_FILENO, &stream) == 0 &&
	       S_ISCHR(stream.st_mode) && stream.st_rdev == line.st_rdev;
}

static int share_screen(struct es_works *works, struct es_error *err)
{
	bool is_shared = false;

	for (size_t i = 0; i < works->n_processes; i++)
		is_shared = is_shared || shares_screen(works->processes[i].watch.kind);
	if (!is_shared || !works->has_progress || !isatty(STDERR_FILENO))
		return 0;
	works->screen = mmap(NULL, sizeof(*works->screen), PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (works->screen == MAP_FAILED) {
		works->screen = NULL;
		return es_error_set(err, -errno, "--work: progress");
	}
	for (size_t i = 0; i < works->n_processes; i++)
		if (shares_screen(works->processes[i].watch.kind))
			works->processes[i].watch.screen = works->screen;
	return 0;
}

static void plan_processes(struct es_works *works)
{
	works->n_processes = 0;
	for (size_t i = 0; i < works->specs.n; i++) {
		const struct es_work_spec *spec = &works->specs.specs[i];
		struct es_work_watch *watch = &process_of(works, spec->kind)->watch;
		struct es_work_teller *teller = &watch->tellers[watch->n];

		watch->specs[watch->n] = spec;
		watch->regexes[watch->n] = works->regexes[i];
		watch->http = works->http;
		watch->n++;
		*teller = (struct es_work_teller){ .fd = -1, .work = (uint32_t)i };
		teller->count.from = spec->has_from		 ? spec->from
				     : spec->kind == ES_WORK_URL ? ES_WORK_FROM_FIRST
								 : ES_WORK_FROM_ZERO;
		teller->count.from_micro = spec->from_micro;
		works->known[i] = (struct known){ .has_base = false };
	}
}

static int start_process(struct es_works *works, size_t i, struct es_error *err)
{
	struct es_work_process *process = &works->processes[i];
	struct epoll_event event = { .events = EPOLLIN };
	int r = es_work_process_start(process, err);

	if (r < 0)
		return r;
	works->is_written[i] = false;
	works->pids[i] = process->pid;
	if (process->watch.kind == ES_WORK_STDOUT)
		works->child.stdout_fd = process->command_fd;
	if (process->watch.kind == ES_WORK_STDERR)
		works->child.stderr_fd = process->command_fd;
	if (epoll_ctl(works->epoll_fd, EPOLL_CTL_ADD, process->fd, &event) < 0)
		return es_error_set(err, -errno, "--work");
	return 0;
}

/* What stands in the files before the command starts is known then; a file that does not answer is not waited for long. */
static void wait_for_files(struct es_works *works)
{
	int64_t end_ns = es_clock_mono_ns() + START_NS;

	for (size_t i = 0; i < works->n_processes; i++) {
		struct pollfd pollfd = { .fd = works->processes[i].fd, .events = POLLIN };
		int64_t left_ns = end_ns - es_clock_mono_ns();

		if (works->processes[i].watch.kind == ES_WORK_FILE)
			(void)poll(&pollfd, 1, left_ns > 0 ? (int)(left_ns / ES_NS_PER_MS) : 0);
	}
}

int es_works_start(struct es_works *works, const struct es_sampler *sampler, struct es_error *err)
{
	int r = 0;

	works->child = (struct es_child_options){ .stdout_fd = -1, .stderr_fd = -1 };
	works->is_declared = false;
	works->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (works->epoll_fd < 0)
		return es_error_set(err, -errno, "--work");
	plan_processes(works);
	r = share_screen(works, err);
	for (size_t i = 0; r == 0 && i < works->n_processes; i++)
		r = start_process(works, i, err);
	if (r == 0 && works->has_progress)
		r = es_progress_create(sampler, STDERR_FILENO, works->screen, &works->progress,
				       err);
	if (r < 0) {
		es_works_stop(works);
		return r;
	}
	wait_for_files(works);
	works->start_ns = es_clock_boot_ns();
	works->stop_ns = INT64_MAX;
	works->hook = (struct es_measure_hook){ .fd = works->epoll_fd,
						.events = POLLIN,
						.next_ns = 0,
						.handle = handle,
						.finish = finish,
						.arg = works,
						.pids = works->pids,
						.n_pids = works->n_processes };
	return 0;
}

void es_works_stop(struct es_works *works)
{
	es_progress_destroy(works->progress);
	works->progress = NULL;
	if (works->screen)
		(void)munmap(works->screen, sizeof(*works->screen));
	works->screen = NULL;
	close_command_ends(works);
	for (size_t i = 0; i < works->n_processes; i++)
		close_process(works, i);
	works->n_processes = 0;
	es_closep(&works->epoll_fd);
	works->epoll_fd = -1;
}
