/*
 * output.c - which file a batch job writes to, and with whose rights
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * The text has a line per number, then the path to its very end (paths may hold newlines):
 *
 *     energyscopium-slurm 1
 *     uid 1000
 *     gid 1000
 *     group 27            as often as there are groups
 *     job 4711            as often as the job has parts
 *     file 64768 1234567  device and inode
 *     /home/ada/slurm-4711.out
 */
#include "slurm/output.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/parse.h"

#define HEAD "energyscopium-slurm 1\n"
#define LINE_MAX_BYTES 64U

int es_slurm_output_of(int fd, struct es_slurm_output *ret)
{
	char link[64];
	struct stat status;
	ssize_t n;
	int n_groups;

	if (fstat(fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode) || status.st_nlink == 0)
		return -ENOTSUP;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, ret->path, sizeof(ret->path));
	if (n < 0)
		return -errno;
	if ((size_t)n >= sizeof(ret->path) || ret->path[0] != '/')
		return -ENOTSUP;
	ret->path[n] = '\0';
	n_groups = getgroups((int)ES_SLURM_GROUPS_MAX, ret->groups);
	if (n_groups < 0)
		return -errno;
	ret->n_groups = (size_t)n_groups;
	ret->uid = geteuid();
	ret->gid = getegid();
	ret->device = (uint64_t)status.st_dev;
	ret->inode = (uint64_t)status.st_ino;
	return 0;
}

int es_slurm_output_put(const struct es_slurm_output *output, char *ret, size_t size)
{
	struct es_buf buf;
	int r;

	es_buf_init(&buf, size);
	es_buf_printf(&buf, HEAD "uid %" PRIu32 "\ngid %" PRIu32 "\n", (uint32_t)output->uid,
		      (uint32_t)output->gid);
	for (size_t i = 0; i < output->n_groups; i++)
		es_buf_printf(&buf, "group %" PRIu32 "\n", (uint32_t)output->groups[i]);
	for (size_t i = 0; i < output->n_jobs; i++)
		es_buf_printf(&buf, "job %" PRIu32 "\n", output->jobs[i]);
	es_buf_printf(&buf, "file %" PRIu64 " %" PRIu64 "\n%s", output->device, output->inode,
		      output->path);
	r = buf.error;
	if (r == 0) {
		memcpy(ret, buf.data, buf.len);
		r = (int)buf.len;
	}
	es_buf_finish(&buf);
	return r;
}

/* The next line without its newline; -EBADMSG: none, or longer than any of ours. */
static int next_line(const char **text, size_t *n, char ret[static LINE_MAX_BYTES])
{
	const char *end = memchr(*text, '\n', *n);
	size_t n_line;

	if (!end)
		return -EBADMSG;
	n_line = (size_t)(end - *text);
	if (n_line >= LINE_MAX_BYTES || memchr(*text, '\0', n_line))
		return -EBADMSG;
	memcpy(ret, *text, n_line);
	ret[n_line] = '\0';
	*text += n_line + 1;
	*n -= n_line + 1;
	return 0;
}

/* -ENOENT: a line of another name. */
static int read_number(const char *line, const char *name, uint32_t *ret)
{
	size_t n = strlen(name);
	uint64_t value;

	if (strncmp(line, name, n) != 0 || line[n] != ' ')
		return -ENOENT;
	if (es_parse_u64(line + n + 1, &value) < 0 || value > UINT32_MAX)
		return -EBADMSG;
	*ret = (uint32_t)value;
	return 0;
}

static int read_file(const char *line, struct es_slurm_output *output)
{
	char device[LINE_MAX_BYTES];
	const char *gap;
	size_t n;

	if (strncmp(line, "file ", 5) != 0)
		return -ENOENT;
	gap = strchr(line + 5, ' ');
	if (!gap)
		return -EBADMSG;
	n = (size_t)(gap - line) - 5;
	memcpy(device, line + 5, n);
	device[n] = '\0';
	if (es_parse_u64(device, &output->device) < 0 || es_parse_u64(gap + 1, &output->inode) < 0)
		return -EBADMSG;
	return 0;
}

/* One line of those that may come in any order; 1: it was the last one, that of the file. */
static int read_line(const char *line, struct es_slurm_output *output, unsigned *has)
{
	uint32_t value;

	if (read_number(line, "uid", &value) == 0) {
		output->uid = (uid_t)value;
		*has |= 1;
		return 0;
	}
	if (read_number(line, "gid", &value) == 0) {
		output->gid = (gid_t)value;
		*has |= 2;
		return 0;
	}
	if (output->n_groups < ES_SLURM_GROUPS_MAX && read_number(line, "group", &value) == 0) {
		output->groups[output->n_groups++] = (gid_t)value;
		return 0;
	}
	if (output->n_jobs < ES_SLURM_PARTS_MAX && read_number(line, "job", &value) == 0) {
		output->jobs[output->n_jobs++] = value;
		return 0;
	}
	return read_file(line, output) == 0 ? 1 : -EBADMSG;
}

int es_slurm_output_get(const char *text, size_t n, struct es_slurm_output *ret)
{
	struct es_slurm_output output = { .n_jobs = 0 };
	unsigned has = 0;
	int r = 0;

	if (n < strlen(HEAD) || memcmp(text, HEAD, strlen(HEAD)) != 0)
		return -EBADMSG;
	text += strlen(HEAD);
	n -= strlen(HEAD);
	while (r == 0) {
		char line[LINE_MAX_BYTES];

		r = next_line(&text, &n, line);
		if (r == 0)
			r = read_line(line, &output, &has);
	}
	if (r < 0 || has != 3 || output.n_jobs == 0)
		return -EBADMSG;
	if (n == 0 || n >= sizeof(output.path) || text[0] != '/' || memchr(text, '\0', n))
		return -EBADMSG;
	memcpy(output.path, text, n);
	output.path[n] = '\0';
	*ret = output;
	return 0;
}

/*
 * Never through a link that somebody put in its place, and never waiting for who reads a pipe. Reading is only for whether the job's
 * last line is complete.
 */
static int open_output(const struct es_slurm_output *output, bool *ret_can_read)
{
	const int flags = O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = open(output->path, O_RDWR | flags);

	*ret_can_read = fd >= 0;
	if (fd < 0 && errno == EACCES)
		fd = open(output->path, O_WRONLY | flags);
	return fd < 0 ? -errno : fd;
}

int es_slurm_output_append(const struct es_slurm_output *output, const char *line, size_t n,
			   struct es_error *err)
{
	bool can_read;
	es_cleanup(es_closep) int fd = open_output(output, &can_read);
	struct stat status;
	struct es_buf buf;
	char last = '\n';
	ssize_t written;

	if (fd < 0)
		return es_error_set(err, fd, "cannot open '%s'", output->path);
	if (fstat(fd, &status) < 0)
		return es_error_set(err, -errno, "cannot look at '%s'", output->path);
	if (!S_ISREG(status.st_mode) || (uint64_t)status.st_dev != output->device ||
	    (uint64_t)status.st_ino != output->inode)
		return es_error_say(err, -ESTALE, "'%s' is not the file that the job wrote to",
				    output->path);
	if (can_read && status.st_size > 0)
		(void)pread(fd, &last, 1, status.st_size - 1);
	es_buf_init(&buf, n + 1);
	if (last != '\n')
		es_buf_u8(&buf, '\n');
	es_buf_append(&buf, line, n);
	/* In one call: whoever else appends is before it or behind it. */
	written = buf.error ? -1 : write(fd, buf.data, buf.len);
	if (buf.error)
		es_error_set(err, buf.error, "no memory for a line");
	else if (written < 0)
		es_error_set(err, -errno, "cannot write to '%s'", output->path);
	else if ((size_t)written != buf.len)
		es_error_say(err, -EIO, "'%s' took only a part of the line", output->path);
	n = buf.len;
	es_buf_finish(&buf);
	return written >= 0 && (size_t)written == n ? 0 : -EIO;
}
