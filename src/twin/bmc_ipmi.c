/*
 * bmc_ipmi.c - IPMI and DCMI of a simulated node: OpenIPMI's ipmi_sim as a child, with a module of ours
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * A thread of its own starts the child and lives as long: the kernel ends a child when the thread that made it ends
 * (PR_SET_PDEATHSIG), so that none is left when the twin is killed. It also stops the child while the controller is to be silent.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "twin/bmc_private.h"

#define PROGRAM "ipmi_sim"
#define PACKAGE "openipmi"
#define UP_NS (5 * ES_NS_PER_S) /* to answer the first time */
#define END_NS (2 * ES_NS_PER_S)
#define LOOK_NS (100 * ES_NS_PER_MS)
#define PING_MS 50
#define STATE "state"

static const char *const files[] = { "lan.conf", "sim.emu", "log" };

/* Where programs lie, sbin too: ordinary users have no sbin in their PATH. */
static int find_program(char *ret, size_t size)
{
	static const char *const more[] = { "/usr/bin", "/usr/sbin", "/usr/local/bin", "/bin" };
	const char *path = getenv("PATH");

	while (path && *path) {
		size_t n = strcspn(path, ":");

		if (n > 0 && *path == '/' &&
		    snprintf(ret, size, "%.*s/" PROGRAM, (int)n, path) < (int)size &&
		    access(ret, X_OK) == 0)
			return 0;
		path += n + (path[n] == ':');
	}
	for (size_t i = 0; i < ES_ARRAY_SIZE(more); i++) {
		(void)snprintf(ret, size, "%s/" PROGRAM, more[i]);
		if (access(ret, X_OK) == 0)
			return 0;
	}
	return -ENOENT;
}

/* A port that nobody has now; whether the simulator got it is seen when it answers. */
static int free_port(uint16_t *ret)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr = { .s_addr = htonl(INADDR_LOOPBACK) } };
	socklen_t n = sizeof(address);
	es_cleanup(es_closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, n) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &n) < 0)
		return -errno;
	*ret = ntohs(address.sin_port);
	return 0;
}

static FILE *new_file(const struct es_twin_bmc *bmc, const char *name)
{
	char path[ES_PATH_MAX_BYTES + 32];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", bmc->folder, name);
	/* The password is in one of them. */
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? NULL : fdopen(fd, "w");
}

static int write_lan(const struct es_twin_bmc *bmc, const struct es_twin_bmc_options *options)
{
	es_cleanup(es_fclosep) FILE *file = new_file(bmc, files[0]);

	if (!file)
		return -errno;
	(void)fprintf(file, "name \"bmc\"\nloadlib \"%s\" \"%s/" ES_TWIN_BMC_FOLDER "/dcmi\"\n",
		      options->module, options->mount);
	(void)fprintf(file,
		      "set_working_mc 0x20\n"
		      "  startlan 1\n"
		      "    addr 127.0.0.1 %u\n"
		      "    priv_limit admin\n"
		      "    allowed_auths_callback md5\n"
		      "    allowed_auths_user md5\n"
		      "    allowed_auths_operator md5\n"
		      "    allowed_auths_admin md5\n"
		      "    guid a123456789abcdefa123456789abcdef\n"
		      "  endlan\n"
		      "  user 1 false \"\" \"\" user 10 md5\n"
		      "  user 2 true \"%s\" \"%s\" admin 10 md5\n",
		      bmc->dcmi_port, ES_TWIN_BMC_USER, bmc->password);
	return fflush(file) == 0 ? 0 : -errno;
}

/* A full sensor record (IPMI 2.0, table 43-1). */
static void put_record(FILE *file, unsigned number, const struct es_twin_sensor *sensor)
{
	uint8_t record[64] = { (uint8_t)number,
			       0,
			       0x51,
			       0x01,
			       0,
			       0x20,
			       0,
			       (uint8_t)number,
			       sensor->entity,
			       sensor->instance,
			       0x67,
			       0x48,
			       sensor->type,
			       0x01 };
	size_t n_name = strlen(sensor->name), n = 48 + n_name;

	record[4] = (uint8_t)(n - 5);
	record[21] = sensor->unit;
	record[24] = sensor->m;
	record[31] = 0x07; /* nominal, lowest and highest reading are given */
	record[32] = 0x40;
	record[33] = 0xff;
	record[35] = 0xff;
	record[47] = (uint8_t)(0xc0 | n_name);
	memcpy(record + 48, sensor->name, n_name);
	(void)fprintf(file, "main_sdr_add 0x20");
	for (size_t i = 0; i < n; i++)
		(void)fprintf(file, " 0x%02x", record[i]);
	(void)fprintf(file, "\n");
}

static int write_machine(const struct es_twin_bmc *bmc, const char *mount)
{
	es_cleanup(es_fclosep) FILE *file = new_file(bmc, files[1]);
	struct es_twin_sensor sensor;

	if (!file)
		return -errno;
	(void)fprintf(file, "mc_setbmc 0x20\n"
			    "mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02 persist_sdr\n"
			    "sel_enable 0x20 1000 0x0a\n");
	for (unsigned i = 1; es_twin_view_sensor(bmc->host, i - 1, &sensor); i++) {
		(void)fprintf(file,
			      "sensor_add 0x20 0 %u 0x%02x 0x01 poll 1000 file \"%s/" //
			      ES_TWIN_BMC_FOLDER "/sensor-%u\" div=%u\n",
			      i, sensor.type, mount, i, sensor.m);
		(void)fprintf(file,
			      "sensor_set_event_support 0x20 0 %u enable scanning per-state "
			      "000000000000000 000000000000000 000000000000000 000000000000000\n",
			      i);
		put_record(file, i, &sensor);
	}
	(void)fprintf(file, "mc_enable 0x20\n");
	return fflush(file) == 0 ? 0 : -errno;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
	(void)status;
	(void)type;
	(void)where;
	(void)remove(path);
	return 0;
}

void es_twin_bmc_remove(const char *folder)
{
	(void)nftw(folder, remove_one, 4, FTW_DEPTH | FTW_PHYS);
}

/* What was put there, not more. */
static void remove_files(const struct es_twin_bmc *bmc)
{
	char path[ES_PATH_MAX_BYTES + 32];

	for (size_t i = 0; i < ES_ARRAY_SIZE(files); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", bmc->folder, files[i]);
		(void)unlink(path);
	}
	(void)snprintf(path, sizeof(path), "%s/" STATE, bmc->folder);
	es_twin_bmc_remove(path);
	(void)rmdir(bmc->folder);
}

/* In the child, between fork and exec: nothing but system calls. */
static _Noreturn void become(char *const *argv, int log_fd, pid_t parent)
{
	int null_fd = open("/dev/null", O_RDWR);
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent || null_fd < 0 || dup2(null_fd, 0) < 0 || dup2(log_fd, 1) < 0 ||
	    dup2(log_fd, 2) < 0)
		_exit(126);
	(void)execv(argv[0], argv);
	_exit(127);
}

static int spawn(struct es_twin_bmc *bmc)
{
	char program[ES_PATH_MAX_BYTES], lan[ES_PATH_MAX_BYTES + 32],
		machine[ES_PATH_MAX_BYTES + 32], state[ES_PATH_MAX_BYTES + 32];
	char *argv[] = { program,
			 (char[]){ "-c" },
			 lan,
			 (char[]){ "-f" },
			 machine,
			 (char[]){ "-s" },
			 state,
			 (char[]){ "-n" },
			 (char[]){ "-p" },
			 NULL };
	es_cleanup(es_fclosep) FILE *log = new_file(bmc, files[2]);
	pid_t parent = getpid(), pid;
	int r = find_program(program, sizeof(program));

	if (r < 0 || !log)
		return r < 0 ? r : -errno;
	(void)snprintf(lan, sizeof(lan), "%s/%s", bmc->folder, files[0]);
	(void)snprintf(machine, sizeof(machine), "%s/%s", bmc->folder, files[1]);
	(void)snprintf(state, sizeof(state), "%s/" STATE, bmc->folder);
	pid = fork();
	if (pid == 0)
		become(argv, fileno(log), parent);
	if (pid < 0)
		return -errno;
	pthread_mutex_lock(&bmc->lock);
	bmc->pid = pid;
	pthread_mutex_unlock(&bmc->lock);
	return 0;
}

/* Whether something answers an RMCP ping (ASF presence) there. */
static bool answers(uint16_t port)
{
	static const unsigned char ping[] = { 6, 0, 0xff, 6, 0, 0, 0x11, 0xbe, 0x80, 1, 0, 0 };
	const struct sockaddr_in address = { .sin_family = AF_INET,
					     .sin_port = htons(port),
					     .sin_addr = { .s_addr = htonl(INADDR_LOOPBACK) } };
	es_cleanup(es_closep) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	char answer[64];

	return fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
	       send(fd, ping, sizeof(ping), MSG_NOSIGNAL) == sizeof(ping) &&
	       poll(&wait, 1, PING_MS) == 1 && recv(fd, answer, sizeof(answer), 0) > 0;
}

static bool is_stopping(struct es_twin_bmc *bmc)
{
	bool is;

	pthread_mutex_lock(&bmc->lock);
	is = bmc->is_stopping;
	pthread_mutex_unlock(&bmc->lock);
	return is;
}

static void settle(struct es_twin_bmc *bmc, int result)
{
	pthread_mutex_lock(&bmc->lock);
	bmc->ipmi_result = result;
	pthread_cond_broadcast(&bmc->changed);
	pthread_mutex_unlock(&bmc->lock);
}

static void pause_for(struct es_twin_bmc *bmc, int64_t dur_ns)
{
	int64_t until_ns = es_clock_mono_ns() + dur_ns;
	const struct timespec until = { .tv_sec = until_ns / ES_NS_PER_S,
					.tv_nsec = until_ns % ES_NS_PER_S };

	pthread_mutex_lock(&bmc->lock);
	if (!bmc->is_stopping)
		(void)pthread_cond_timedwait(&bmc->changed, &bmc->lock, &until);
	pthread_mutex_unlock(&bmc->lock);
}

static bool has_ended(struct es_twin_bmc *bmc)
{
	int status;

	if (waitpid(bmc->pid, &status, WNOHANG) != bmc->pid)
		return false;
	pthread_mutex_lock(&bmc->lock);
	bmc->pid = 0;
	pthread_mutex_unlock(&bmc->lock);
	return true;
}

/* Silence cannot be had from the simulator; standing still can. */
static bool is_silent(struct es_twin_host *host)
{
	bool is;

	pthread_mutex_lock(&host->lock);
	is = host->bmc_error != 0;
	pthread_mutex_unlock(&host->lock);
	return is;
}

static void live(struct es_twin_bmc *bmc)
{
	bool was_silent = false;

	while (!is_stopping(bmc) && !has_ended(bmc)) {
		bool silent = is_silent(bmc->host);

		if (silent != was_silent)
			(void)kill(bmc->pid, silent ? SIGSTOP : SIGCONT);
		was_silent = silent;
		pause_for(bmc, LOOK_NS);
	}
}

/* It may hang in a file of the mount that nobody serves any more: then it goes with that. */
static void end(struct es_twin_bmc *bmc)
{
	int64_t until_ns = es_clock_mono_ns() + END_NS;
	const struct timespec step = { .tv_nsec = ES_NS_PER_MS };

	if (bmc->pid <= 0)
		return;
	(void)kill(bmc->pid, SIGKILL);
	while (!has_ended(bmc) && es_clock_mono_ns() < until_ns)
		(void)nanosleep(&step, NULL);
	bmc->pid = 0;
}

static void *run(void *arg)
{
	struct es_twin_bmc *bmc = arg;
	int64_t until_ns = es_clock_mono_ns() + UP_NS;
	int r = spawn(bmc);

	while (r == 0 && !answers(bmc->dcmi_port)) {
		if (has_ended(bmc))
			r = -ECHILD;
		else if (es_clock_mono_ns() > until_ns || is_stopping(bmc))
			r = -ETIMEDOUT;
		else
			pause_for(bmc, LOOK_NS / 4);
	}
	settle(bmc, r);
	if (r == 0)
		live(bmc);
	/* Whoever ended the simulator: nothing answers there any more. */
	if (r == 0 && bmc->pid == 0) {
		pthread_mutex_lock(&bmc->host->lock);
		bmc->dcmi_url[0] = '\0';
		pthread_mutex_unlock(&bmc->host->lock);
	}
	end(bmc);
	return NULL;
}

static int make_folder(struct es_twin_bmc *bmc, const struct es_twin_bmc_options *options)
{
	char path[ES_PATH_MAX_BYTES + 32];

	/* Both become words between quotes. */
	if (strpbrk(options->mount, "\"\\\n") || strpbrk(options->module, "\"\\\n"))
		return -EINVAL;
	if (snprintf(bmc->folder, sizeof(bmc->folder), "%s", options->folder) >=
	    (int)sizeof(bmc->folder)) {
		bmc->folder[0] = '\0';
		return -ENAMETOOLONG;
	}
	if (mkdir(bmc->folder, 0700) < 0 && errno != EEXIST) {
		bmc->folder[0] = '\0';
		return -errno;
	}
	(void)snprintf(path, sizeof(path), "%s/" STATE, bmc->folder);
	return mkdir(path, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int start_thread(struct es_twin_bmc *bmc)
{
	sigset_t all, before;
	int r;

	bmc->ipmi_result = 1;
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_BLOCK, &all, &before);
	r = -pthread_create(&bmc->watch, NULL, run, bmc);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r < 0)
		return r;
	bmc->has_watch = true;
	pthread_mutex_lock(&bmc->lock);
	while (bmc->ipmi_result > 0)
		(void)pthread_cond_wait(&bmc->changed, &bmc->lock);
	r = bmc->ipmi_result;
	pthread_mutex_unlock(&bmc->lock);
	return r;
}

int es_twin_ipmi_start(struct es_twin_bmc *bmc, const struct es_twin_bmc_options *options,
		       struct es_error *err)
{
	char program[ES_PATH_MAX_BYTES];
	int r;

	if (!options->module)
		return es_error_say(err, -EOPNOTSUPP,
				    "this build has no module for " PROGRAM
				    "; it needs libopenipmi-dev to be built");
	if (find_program(program, sizeof(program)) < 0)
		return es_error_say(err, -ENOENT,
				    "no " PROGRAM " here; install the package " PACKAGE);
	bmc->dcmi_port = options->dcmi_port;
	r = bmc->dcmi_port ? 0 : free_port(&bmc->dcmi_port);
	if (r == 0)
		r = make_folder(bmc, options);
	if (r == 0)
		r = write_lan(bmc, options);
	if (r == 0)
		r = write_machine(bmc, options->mount);
	if (r == 0)
		r = start_thread(bmc);
	if (r == 0)
		return 0;
	if (r == -ECHILD || r == -ETIMEDOUT)
		return es_error_say(err, r, "%s, port %u: it %s", program, bmc->dcmi_port,
				    r == -ECHILD ? "ended at once" : "does not answer");
	return es_error_set(err, r, PROGRAM);
}

void es_twin_ipmi_stop(struct es_twin_bmc *bmc)
{
	if (bmc->has_watch) {
		pthread_mutex_lock(&bmc->lock);
		bmc->is_stopping = true;
		pthread_cond_broadcast(&bmc->changed);
		pthread_mutex_unlock(&bmc->lock);
		(void)pthread_join(bmc->watch, NULL);
	}
	if (bmc->folder[0])
		remove_files(bmc);
}
