/*
 * main.c - energyscopium-twin: the process that is a simulated node, started by energyscopium twin up
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Two processes: a server with the node and its mount, and above it a guard that takes the mount away when the server dies.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <glob.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "twin/bmc.h"
#include "twin/guard.h"
#include "twin/host.h"
#include "twin/mount.h"
#include "twin/place.h"

#define TICK_NS (50 * ES_NS_PER_MS) /* lives on so often though nobody looks */
#define SOON_NS ES_NS_PER_MS /* while the mount begins */
#define LIBRARIES "libes-twin-*.so" /* look-alikes of vendors' libraries, made with this program */

struct twin {
	const struct es_twin_kind *kind;
	const char *mount, *name;
	struct es_twin_options options;
	bool allows_others, stays_in_foreground, has_bmc;
	int ready_fd; /* who waits is told here; -1: nobody */
	struct es_twin_place place;
	int up_fd; /* of the server: a byte for the guard */
	char folder[64]; /* for files of the management controller; "" none */
};

/* The server, while it is up. */
struct server {
	struct es_twin_host *host;
	struct es_twin_mount *mount;
	const struct twin *twin;
	pthread_t main;
	pthread_mutex_t lock; /* guards the two below */
	bool is_served; /* files can be read */
	bool is_over; /* nothing is served any more */
	struct es_twin_bmc *bmc;
	char libraries[ES_PATH_MAX_BYTES]; /* their folder */
	int status; /* to end with */
};

static int complain(int status, const char *text)
{
	(void)fprintf(stderr, "energyscopium-twin: %s\n", text);
	return status;
}

static int usage(void)
{
	(void)fputs(
		"usage: energyscopium-twin KIND --mount DIR [--name NAME] [--seed N] [--quiet]\n"
		"                          [--bmc] [--allow-other] [--foreground] [--ready-fd N]\n\n"
		"The process behind 'energyscopium twin up', which starts it; see energyscopium-twin(1).\n",
		stderr);
	return 2;
}

static int find_kind(const char *name, struct twin *ret)
{
	const char *nearest = NULL;
	char text[ES_TEXT_MAX_BYTES];

	ret->kind = es_twin_kind_find(name, &nearest);
	if (ret->kind)
		return 0;
	if (nearest)
		(void)snprintf(text, sizeof(text), "'%.100s' is no kind; did you mean '%s'?", name,
			       nearest);
	else
		(void)snprintf(text, sizeof(text),
			       "'%.100s' is no kind; 'energyscopium twin kinds' lists them", name);
	return complain(2, text);
}

/* It goes into texts of many files. */
static bool is_name(const char *text)
{
	for (const char *p = text; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("._-", *p))
			return false;
	return *text && strlen(text) < 64;
}

static int take(struct twin *twin, int option)
{
	uint64_t number;

	switch (option) {
	case 'm':
		twin->mount = optarg;
		return 0;
	case 'n':
		twin->name = optarg;
		return is_name(optarg)
			       ? 0
			       : complain(2, "--name: up to 63 letters, digits, '.', '_' and '-'");
	case 's':
		if (es_parse_u64(optarg, &twin->options.seed) < 0)
			return complain(2, "--seed: a whole number");
		return 0;
	case 'r':
		if (es_parse_u64(optarg, &number) < 0 || number > INT32_MAX)
			return usage();
		twin->ready_fd = (int)number;
		return 0;
	case 'q':
		twin->options.is_quiet = true;
		return 0;
	case 'a':
		twin->allows_others = true;
		return 0;
	case 'b':
		twin->has_bmc = true;
		return 0;
	case 'f':
		twin->stays_in_foreground = true;
		return 0;
	default:
		return usage();
	}
}

static int parse(struct twin *twin, int argc, char **argv)
{
	static const struct option options[] = {
		{ "mount", required_argument, NULL, 'm' },
		{ "name", required_argument, NULL, 'n' },
		{ "seed", required_argument, NULL, 's' },
		{ "ready-fd", required_argument, NULL, 'r' },
		{ "bmc", no_argument, NULL, 'b' },
		{ "quiet", no_argument, NULL, 'q' },
		{ "allow-other", no_argument, NULL, 'a' },
		{ "foreground", no_argument, NULL, 'f' },
		{ NULL, 0, NULL, 0 },
	};
	int status = 0;

	opterr = 0;
	for (int c; status == 0 && (c = getopt_long(argc, argv, "", options, NULL)) != -1;)
		status = take(twin, c);
	if (status)
		return status;
	if (optind + 1 != argc || !twin->mount)
		return usage();
	return find_kind(argv[optind], twin);
}

/* Beside this program, or where the build puts them; "" where there are none. */
static void find_libraries(char ret[static ES_PATH_MAX_BYTES])
{
	static const char *const places[] = { ".", "../src/twin", "../libexec/energyscopium" };
	char self[ES_PATH_MAX_BYTES], pattern[2 * ES_PATH_MAX_BYTES];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	ret[0] = '\0';
	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	if (!slash)
		return;
	*slash = '\0';
	for (size_t i = 0; i < ES_ARRAY_SIZE(places) && !ret[0]; i++) {
		glob_t found;

		(void)snprintf(pattern, sizeof(pattern), "%s/%s/" LIBRARIES, self, places[i]);
		if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0) {
			(void)snprintf(pattern, sizeof(pattern), "%s/%s", self, places[i]);
			if (!realpath(pattern, ret))
				ret[0] = '\0';
			globfree(&found);
		}
	}
}

static void note_served(void *arg)
{
	struct server *server = arg;

	(void)pthread_mutex_lock(&server->lock);
	server->is_served = true;
	(void)pthread_mutex_unlock(&server->lock);
}

/* Its programs read the mount. Returns false where it was asked for and cannot be. */
static bool start_bmc(struct server *server)
{
	char module[ES_PATH_MAX_BYTES + 32];
	struct es_twin_bmc_options options = {
		.mount = server->twin->place.path,
		.folder = server->twin->folder,
	};
	struct es_error err = { .code = 0 };

	(void)snprintf(module, sizeof(module), "%s/libes-twin-dcmi.so", server->libraries);
	if (access(module, R_OK) == 0)
		options.module = module;
	if (es_twin_bmc_start(server->host, &options, &server->bmc, &err) < 0) {
		server->status = complain(1, err.text);
		return false;
	}
	if (err.text[0])
		(void)complain(0, err.text);
	return true;
}

static void tell_up(const struct server *server)
{
	/* Whoever started us waits for the end of what is said, and listens no longer. */
	if (!server->twin->stays_in_foreground)
		es_twin_be_silent();
	(void)!write(server->twin->up_fd, "u", 1);
	(void)close(server->twin->up_fd);
}

static void ignore(int number)
{
	(void)number;
}

static bool is_true(struct server *server, const bool *what)
{
	bool is;

	(void)pthread_mutex_lock(&server->lock);
	is = *what;
	(void)pthread_mutex_unlock(&server->lock);
	return is;
}

/* Lives on though nobody looks, and hears who asks it to end. */
static void *live(void *arg)
{
	struct server *server = arg;
	const struct timespec tick = { .tv_nsec = TICK_NS }, soon = { .tv_nsec = SOON_NS };
	bool is_ending = false, is_up = false;
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	while (!is_true(server, &server->is_over)) {
		if (!is_up && !is_ending && is_true(server, &server->is_served)) {
			is_up = !server->twin->has_bmc || start_bmc(server);
			is_ending = !is_up;
			if (is_up)
				tell_up(server);
		}
		if (sigtimedwait(&set, NULL, is_up || is_ending ? &tick : &soon) > 0)
			is_ending = true;
		if (is_ending)
			es_twin_mount_stop(server->mount, server->main);
		(void)es_twin_host_lock(server->host);
		es_twin_host_unlock(server->host);
	}
	return NULL;
}

static int serve(struct server *server)
{
	const struct sigaction action = { .sa_handler = ignore };
	pthread_t living;
	int r;

	(void)sigaction(SIGUSR1, &action, NULL);
	server->main = pthread_self();
	r = pthread_create(&living, NULL, live, server);
	if (r != 0)
		return -r;
	r = es_twin_mount_serve(server->mount);
	(void)pthread_mutex_lock(&server->lock);
	server->is_over = true;
	(void)pthread_mutex_unlock(&server->lock);
	(void)pthread_join(living, NULL);
	es_twin_bmc_stop(server->bmc);
	return r;
}

static int be_server(struct twin *twin)
{
	struct server server = { .twin = twin, .lock = PTHREAD_MUTEX_INITIALIZER };
	const struct es_twin_mount_options options = {
		.path = twin->place.path,
		.allows_others = twin->allows_others || geteuid() == 0,
		.ready = note_served,
		.arg = &server,
	};
	struct es_error err = { .code = 0 };
	int r;

	find_libraries(server.libraries);
	twin->options.start_ns = es_clock_boot_ns();
	r = es_twin_host_create(twin->kind, &twin->options,
				twin->name ? twin->name : twin->kind->name, server.libraries,
				&server.host, &err);
	if (r == 0)
		r = es_twin_mount_open(server.host, &options, &server.mount, &err);
	if (r == 0)
		r = serve(&server);
	es_twin_mount_close(server.mount);
	es_twin_host_destroy(server.host);
	if (r < 0)
		return complain(1, err.code ? err.text : es_strerror(r));
	return server.status;
}

/* In the child: signals to end come to us from the guard, and when there is none any more. */
static int become_server(struct twin *twin, pid_t guard)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != guard)
		return 1;
	if (twin->ready_fd >= 0)
		(void)close(twin->ready_fd);
	/* The lock is the guard's: it is the last to go. */
	es_closep(&twin->place.fd);
	return be_server(twin);
}

static int make_folder(struct twin *twin)
{
	const char *above = getenv("TMPDIR");

	if (!twin->has_bmc)
		return 0;
	/* Names in a socket's or a library's path are short. */
	if (!above || *above != '/' ||
	    snprintf(twin->folder, sizeof(twin->folder), "%s/es-twin-XXXXXX", above) >=
		    (int)sizeof(twin->folder))
		(void)snprintf(twin->folder, sizeof(twin->folder), "/tmp/es-twin-XXXXXX");
	return mkdtemp(twin->folder) ? 0 : complain(1, "cannot make a folder in /tmp");
}

static int start(struct twin *twin)
{
	struct es_twin_guard guard = {
		.path = twin->place.path,
		.ready_fd = twin->ready_fd,
		.stays_in_foreground = twin->stays_in_foreground,
	};
	pid_t self = getpid();
	int up[2];

	if (pipe2(up, O_CLOEXEC) < 0)
		return complain(1, es_strerror(errno));
	es_twin_guard_signals();
	guard.server = fork();
	if (guard.server < 0)
		return complain(1, es_strerror(errno));
	if (guard.server == 0) {
		(void)close(up[0]);
		twin->up_fd = up[1];
		return become_server(twin, self);
	}
	(void)close(up[1]);
	guard.up_fd = up[0];
	return es_twin_guard(&guard);
}

int main(int argc, char **argv)
{
	struct twin twin = { .ready_fd = -1, .up_fd = -1, .place.fd = -1 };
	struct es_error err = { .code = 0 };
	int status;

	/* Without --seed no two twins are alike. */
	if (getrandom(&twin.options.seed, sizeof(twin.options.seed), GRND_NONBLOCK) < 0)
		twin.options.seed = (uint64_t)es_clock_boot_ns();
	status = parse(&twin, argc, argv);
	if (status)
		return status;
	if (twin.stays_in_foreground)
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	else
		(void)setsid();
	if (es_twin_fuse_check(twin.allows_others, &err) < 0 ||
	    es_twin_place_open(twin.mount, &twin.place, &err) < 0)
		return complain(1, err.text);
	if (chdir("/") < 0)
		return complain(1, es_strerror(errno));
	status = make_folder(&twin);
	if (status == 0)
		status = start(&twin);
	/* A server that was killed could not do it. */
	if (twin.folder[0])
		es_twin_bmc_remove(twin.folder);
	es_twin_place_close(&twin.place);
	return status;
}
