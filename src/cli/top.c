/*
 * top.c - energyscopium top: what this machine draws now
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/parse.h"
#include "cli/command.h"
#include "cli/daemonlink.h"
#include "cli/settings.h"
#include "cli/top_meter.h"

#define DEFAULT_NS ES_NS_PER_S
#define SHORTEST_NS (100 * ES_NS_PER_MS)
#define LONGEST_NS (60 * ES_NS_PER_S)
#define ONCE_READINGS 8 /* of --once: enough for a small history */
#define PLAIN_WIDTH 100U

struct top {
	const char *period, *root, *as, *daemon;
	struct es_text_list meters;
	bool is_once, is_json, shows_all;
	struct es_top_options options;
	struct es_top_meter *meter;
	struct termios old;
	int signal_fd;
	bool is_paused, has_old;
};

static bool has_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < ES_ARRAY_SIZE(names); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return strcasestr(value, "UTF-8") || strcasestr(value, "utf8");
	}
	return false;
}

static struct es_top_style terminal_style(void)
{
	struct es_top_style style = { .width = PLAIN_WIDTH, .has_utf8 = has_utf8() };
	const char *term = getenv("TERM"), *columns = getenv("COLUMNS"),
		   *no_colour = getenv("NO_COLOR");
	bool is_terminal = isatty(STDOUT_FILENO);
	struct winsize size;
	uint64_t n;

	if (is_terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
		style.width = size.ws_col;
		style.height = size.ws_row;
	} else if (columns && es_parse_u64(columns, &n) == 0 && n >= 40 && n <= 1000) {
		style.width = (unsigned)n;
	}
	style.has_colour = is_terminal && !(no_colour && *no_colour) && term &&
			   strcmp(term, "dumb") != 0;
	return style;
}

static void pause_ns(int64_t dur_ns)
{
	const struct timespec pause = { .tv_sec = dur_ns / ES_NS_PER_S,
					.tv_nsec = dur_ns % ES_NS_PER_S };

	(void)nanosleep(&pause, NULL);
}

static int show_once(struct top *top)
{
	struct es_top_style style = terminal_style();
	struct es_top_frame frame;
	struct es_buf out;
	int status;

	for (int i = 0; i < ONCE_READINGS; i++) {
		pause_ns(top->options.period_ns / ONCE_READINGS);
		es_top_meter_read(top->meter);
	}
	es_top_meter_frame(top->meter, &frame);
	es_buf_init(&out, 1U << 20);
	style.height = 0;
	if (top->is_json)
		out.error = es_top_json(&frame, &out);
	else
		es_top_draw(&frame, &style, &out);
	status = es_put_out("top", &out);
	es_buf_finish(&out);
	return status;
}

/* Keys one by one and unseen, the alternate screen, no cursor. */
static int enter_screen(struct top *top)
{
	static const char enter[] = "\033[?1049h\033[?25l";
	struct termios raw;
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGWINCH);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	(void)signal(SIGTSTP, SIG_IGN);
	top->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (top->signal_fd < 0)
		return -errno;
	if (tcgetattr(STDIN_FILENO, &top->old) == 0) {
		raw = top->old;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		top->has_old = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
	}
	return es_write_all(STDOUT_FILENO, enter, sizeof(enter) - 1);
}

static void leave_screen(struct top *top)
{
	static const char leave[] = "\033[?25h\033[?1049l";

	(void)es_write_all(STDOUT_FILENO, leave, sizeof(leave) - 1);
	if (top->has_old)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &top->old);
	es_closep(&top->signal_fd);
}

/* Each line is cleared behind its end, and what is below the last one: nothing flickers. */
static int paint(const struct es_top_frame *frame)
{
	struct es_top_style style = terminal_style();
	struct es_buf lines, out;
	int r;

	if (style.height > 1)
		style.height--;
	es_buf_init(&lines, 1U << 20);
	es_buf_init(&out, 1U << 20);
	es_top_draw(frame, &style, &lines);
	(void)es_buf_printf(&out, "\033[H");
	for (size_t i = 0; i < lines.len; i++) {
		if (lines.data[i] == '\n')
			(void)es_buf_printf(&out, "\033[K");
		(void)es_buf_u8(&out, lines.data[i]);
	}
	(void)es_buf_printf(&out, "\033[K%.*s\033[J", (int)style.width,
			    "q quit   space pause   a all domains   + slower   - faster");
	r = out.error ? out.error : es_write_all(STDOUT_FILENO, out.data, out.len);
	es_buf_finish(&lines);
	es_buf_finish(&out);
	return r;
}

/* True: the user wants to leave. */
static bool obey(struct top *top, char key)
{
	switch (key) {
	case 'q':
	case 'Q':
		return true;
	case ' ':
		top->is_paused = !top->is_paused;
		break;
	case 'a':
		top->shows_all = !top->shows_all;
		es_top_meter_show_all(top->meter, top->shows_all);
		break;
	case '+':
		if (top->options.period_ns * 2 <= LONGEST_NS)
			top->options.period_ns *= 2;
		break;
	case '-':
		if (top->options.period_ns / 2 >= SHORTEST_NS)
			top->options.period_ns /= 2;
		break;
	default:
		break;
	}
	return false;
}

/* Until @next_ns: keys and signals. True: leave. */
static bool wait_until(struct top *top, int64_t next_ns)
{
	for (;;) {
		struct pollfd pollfds[] = { { .fd = top->signal_fd, .events = POLLIN },
					    { .fd = STDIN_FILENO, .events = POLLIN } };
		int64_t wait_ns = next_ns - es_clock_mono_ns();
		struct timespec wait = { .tv_sec = 0 };
		struct signalfd_siginfo info;
		char key;
		int n;

		if (wait_ns <= 0)
			return false;
		wait = (struct timespec){ .tv_sec = wait_ns / ES_NS_PER_S,
					  .tv_nsec = wait_ns % ES_NS_PER_S };
		n = ppoll(pollfds, 2, &wait, NULL);
		if (n <= 0)
			continue;
		if (pollfds[1].revents) {
			if (read(STDIN_FILENO, &key, 1) != 1 || obey(top, key))
				return true;
			return false;
		}
		if (read(top->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
			return info.ssi_signo != SIGWINCH;
	}
}

static int show_live(struct top *top)
{
	struct es_top_frame frame;
	bool has_frame = false, is_hurried = false;
	int64_t read_ns = es_clock_mono_ns();
	int r = enter_screen(top);

	while (r == 0) {
		int64_t wait_ns = is_hurried ? SHORTEST_NS : top->options.period_ns;
		bool is_over = wait_until(top, read_ns + wait_ns);

		if (is_over)
			break;
		/* A key or a new size is answered at once; but in so short a time meters do not move. */
		is_hurried = es_clock_mono_ns() - read_ns < SHORTEST_NS;
		if (!is_hurried) {
			es_top_meter_read(top->meter);
			read_ns = es_clock_mono_ns();
		}
		if (top->is_paused || (is_hurried && !has_frame))
			continue;
		if (!is_hurried)
			es_top_meter_frame(top->meter, &frame);
		has_frame = true;
		r = paint(&frame);
	}
	leave_screen(top);
	return r < 0 ? es_complain("top", ES_EXIT_FAILURE, "cannot draw: %s", es_strerror(r))
		     : ES_EXIT_OK;
}

static int check_options(struct top *top, struct es_error *err)
{
	struct es_settings settings;
	int r = es_settings_load(&settings, err);

	if (r < 0)
		return r;
	top->options = (struct es_top_options){ .root = top->root,
						.as_uid = -1,
						.daemon = top->daemon,
						.period_ns = DEFAULT_NS,
						.psys = settings.psys,
						.shows_all = top->shows_all };
	if (top->period &&
	    (es_parse_duration_ns(top->period, &top->options.period_ns) < 0 ||
	     top->options.period_ns < SHORTEST_NS || top->options.period_ns > LONGEST_NS))
		return es_error_say(err, -EINVAL, "--period '%s': give 100ms to 1min", top->period);
	if (top->as && (es_parse_i64(top->as, &top->options.as_uid) < 0 ||
			top->options.as_uid < 0 || top->options.as_uid > UINT32_MAX))
		return es_error_say(err, -EINVAL, "--as '%s': not a user's number", top->as);
	return es_meters_gather(&settings, &top->meters, top->root, &top->options.meters, err);
}

static int run_top(struct top *top)
{
	struct es_error err = { .code = 0 };
	int status;

	if (check_options(top, &err) < 0)
		return es_complain("top", ES_EXIT_USAGE, "%s", err.text);
	if (es_top_meter_create(&top->options, &top->meter, &err) < 0)
		return es_complain("top", ES_EXIT_FAILURE, "%s", err.text);
	if (top->is_once || top->is_json || !isatty(STDOUT_FILENO))
		status = show_once(top);
	else
		status = show_live(top);
	es_top_meter_destroy(top->meter);
	return status;
}

int es_cmd_top(int argc, char **argv)
{
	struct top top = { .signal_fd = -1 };
	const struct es_option options[] = {
		{ "once", NULL, "one frame, and end (as when stdout is no terminal)",
		  ES_OPTION_FLAG, &top.is_once },
		{ "period", "TIME", "time between frames, 100ms to 1min (default 1s)",
		  ES_OPTION_TEXT, &top.period },
		{ "all", NULL, "every domain that can be read, not only the covers", ES_OPTION_FLAG,
		  &top.shows_all },
		{ "json", NULL, "one frame as a JSON object", ES_OPTION_FLAG, &top.is_json },
		ES_METER_OPTION(&top.meters),
		ES_DAEMON_OPTION(&top.daemon),
		{ "root", "DIR", "a tree with sys/, proc/ that stands for the machine",
		  ES_OPTION_TEXT, &top.root },
		{ "as", "UID", "judge rights below --root for this user", ES_OPTION_TEXT, &top.as },
	};
	const struct es_usage usage = {
		.command = "top",
		.synopsis = "[OPTION]…",
		.text = "Shows what this machine draws now: each domain with its limit and its last minute, and\n"
			"the busiest processes with their share of the power by CPU time.\n"
			"Keys: q quit, space pause, a all domains, + slower, - faster.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
	};
	int first, status = es_options_parse(&usage, argc, argv, &first);

	if (status < 0 && first != argc)
		status = es_complain("top", ES_EXIT_USAGE, "'%s': nothing more is wanted",
				     argv[first]);
	if (status < 0)
		status = run_top(&top);
	es_meters_finish(&top.options.meters);
	es_text_list_finish(&top.meters);
	return status;
}
