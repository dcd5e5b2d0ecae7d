/*
 * slurm_module.c - a plug-in's file: for which Slurm it was built, and whether it can be loaded
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "cli/slurm_module.h"

#include <dlfcn.h>
#include <elf.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/text.h"

#define SYMBOL "plugin_version"
#define PATIENCE_NS (2 * ES_NS_PER_S)

/* A file in memory; offsets in it are anybody's. */
struct image {
	const uint8_t *data;
	size_t n;
};

static bool copy_out(const struct image *image, uint64_t at, void *ret, size_t size)
{
	if (at > image->n || size > image->n - at)
		return false;
	memcpy(ret, image->data + at, size);
	return true;
}

static bool section(const struct image *image, const Elf64_Ehdr *head, size_t i, Elf64_Shdr *ret)
{
	return i < head->e_shnum && head->e_shoff <= image->n &&
	       copy_out(image, head->e_shoff + i * sizeof(*ret), ret, sizeof(*ret));
}

static bool is_symbol(const struct image *image, const Elf64_Shdr *names, uint64_t at)
{
	char name[sizeof(SYMBOL)];

	return names->sh_offset <= image->n &&
	       copy_out(image, names->sh_offset + at, name, sizeof(name)) &&
	       memcmp(name, SYMBOL, sizeof(SYMBOL)) == 0;
}

static int read_value(const struct image *image, const Elf64_Ehdr *head, const Elf64_Sym *symbol,
		      uint32_t *ret)
{
	Elf64_Shdr home;

	if (symbol->st_shndx == SHN_UNDEF)
		return -ENODATA;
	if (!section(image, head, symbol->st_shndx, &home) || home.sh_type == SHT_NOBITS ||
	    symbol->st_value < home.sh_addr || symbol->st_value - home.sh_addr > image->n ||
	    home.sh_offset > image->n ||
	    !copy_out(image, home.sh_offset + (symbol->st_value - home.sh_addr), ret, sizeof(*ret)))
		return -EBADMSG;
	return 0;
}

static int search(const struct image *image, const Elf64_Ehdr *head, const Elf64_Shdr *table,
		  uint32_t *ret)
{
	Elf64_Shdr names;
	Elf64_Sym symbol;

	if (!section(image, head, table->sh_link, &names) || table->sh_offset > image->n ||
	    table->sh_size > image->n)
		return -EBADMSG;
	for (uint64_t at = 0; at + sizeof(symbol) <= table->sh_size; at += sizeof(symbol)) {
		if (!copy_out(image, table->sh_offset + at, &symbol, sizeof(symbol)))
			return -EBADMSG;
		if (is_symbol(image, &names, symbol.st_name))
			return read_value(image, head, &symbol, ret);
	}
	return -ENODATA;
}

int es_slurm_module_version(const void *data, size_t n, uint32_t *ret)
{
	const unsigned char order = __BYTE_ORDER == __LITTLE_ENDIAN ? ELFDATA2LSB : ELFDATA2MSB;
	const struct image image = { .data = data, .n = n };
	Elf64_Ehdr head;
	Elf64_Shdr table;

	if (!copy_out(&image, 0, &head, sizeof(head)) ||
	    memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 || head.e_ident[EI_CLASS] != ELFCLASS64 ||
	    head.e_ident[EI_DATA] != order || head.e_type != ET_DYN)
		return -ENOEXEC;
	if (head.e_shentsize != sizeof(table))
		return -EBADMSG;
	for (size_t i = 0; i < head.e_shnum; i++) {
		if (!section(&image, &head, i, &table))
			return -EBADMSG;
		if (table.sh_type == SHT_DYNSYM)
			return search(&image, &head, &table, ret);
	}
	return -ENODATA;
}

char *es_slurm_version_text(uint32_t version, char text[static ES_SLURM_VERSION_TEXT_BYTES])
{
	(void)snprintf(text, ES_SLURM_VERSION_TEXT_BYTES, "%u.%02u.%u", version >> 16 & 0xff,
		       version >> 8 & 0xff, version & 0xff);
	return text;
}

int es_slurm_version_parse(const char *text, uint32_t *ret)
{
	uint32_t version = 0;

	text += strcspn(text, "0123456789");
	for (unsigned i = 0; i < 3; i++) {
		unsigned part = 0, n = 0;

		for (; *text >= '0' && *text <= '9' && n < 3; n++)
			part = part * 10 + (unsigned)(*text++ - '0');
		if (n == 0 || part > 255 || (i < 2 && *text++ != '.'))
			return -EBADMSG;
		version = version << 8 | part;
	}
	*ret = version;
	return 0;
}

static int64_t left_ms(int64_t until_ns)
{
	int64_t left_ns = until_ns - es_clock_mono_ns();

	return left_ns > 0 ? left_ns / ES_NS_PER_MS + 1 : 0;
}

/* What a process of ours writes, as far as @size, and how it ends; it is killed when it takes too long. */
static int listen_to(pid_t pid, int fd, char *ret, size_t size, int *ret_status)
{
	int64_t until_ns = es_clock_mono_ns() + PATIENCE_NS;
	size_t n = 0;
	ssize_t got = 1;
	pid_t ended = 0;

	while (got > 0 && n + 1 < size && left_ms(until_ns) > 0) {
		struct pollfd pollfd = { .fd = fd, .events = POLLIN };

		if (poll(&pollfd, 1, (int)left_ms(until_ns)) <= 0)
			continue;
		got = read(fd, ret + n, size - 1 - n);
		n += got > 0 ? (size_t)got : 0;
	}
	ret[n] = '\0';
	while (ended == 0 && left_ms(until_ns) > 0) {
		ended = waitpid(pid, ret_status, WNOHANG);
		if (ended == 0)
			(void)poll(NULL, 0, 1);
	}
	if (ended != 0)
		return ended == pid ? 0 : -errno;
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, ret_status, 0);
	return -ETIMEDOUT;
}

/* A child whose output comes through *@ret_fd; 0 in the child. */
static pid_t fork_with_pipe(int *ret_fd)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		pid = -errno;
		(void)close(fds[0]);
	} else if (pid == 0) {
		*ret_fd = fds[1];
		return 0;
	} else {
		*ret_fd = fds[0];
	}
	(void)close(fds[1]);
	return pid;
}

static int ask_version(const char *path, uint32_t *ret)
{
	es_cleanup(es_closep) int fd = -1;
	char text[128];
	int status, r;
	pid_t pid = fork_with_pipe(&fd);

	if (pid < 0)
		return pid;
	if (pid == 0) {
		(void)dup2(fd, STDOUT_FILENO);
		(void)execl(path, path, "-V", (char *)NULL);
		_exit(127);
	}
	r = listen_to(pid, fd, text, sizeof(text), &status);
	return r < 0 ? r : es_slurm_version_parse(text, ret);
}

int es_slurm_installed_version(uint32_t *ret, char *ret_path)
{
	static const char *const folders[] = { "/usr/sbin", "/usr/local/sbin", "/opt/slurm/sbin",
					       "/usr/local/slurm/sbin" };
	const char *path = getenv("PATH");

	while (path && *path) {
		size_t n = strcspn(path, ":");

		(void)snprintf(ret_path, ES_PATH_MAX_BYTES, "%.*s/slurmd", (int)n, path);
		if (n > 0 && path[0] == '/' && access(ret_path, X_OK) == 0)
			return ask_version(ret_path, ret);
		path += n + (path[n] ? 1 : 0);
	}
	for (size_t i = 0; i < ES_ARRAY_SIZE(folders); i++) {
		(void)snprintf(ret_path, ES_PATH_MAX_BYTES, "%s/slurmd", folders[i]);
		if (access(ret_path, X_OK) == 0)
			return ask_version(ret_path, ret);
	}
	return -ENOENT;
}

int es_slurm_module_load(const char *path, struct es_error *err)
{
	es_cleanup(es_closep) int fd = -1;
	char text[512];
	int status, r;
	pid_t pid = fork_with_pipe(&fd);

	if (pid < 0)
		return es_error_set(err, pid, "'%s' cannot be tried", path);
	if (pid == 0) {
		const char *why;

		/* Functions of Slurm are found when they are called: it is Slurm that calls. */
		if (dlopen(path, RTLD_LAZY | RTLD_LOCAL))
			_exit(0);
		why = dlerror();
		(void)!write(fd, why, strlen(why));
		_exit(1);
	}
	r = listen_to(pid, fd, text, sizeof(text), &status);
	if (r < 0)
		return es_error_set(err, r, "'%s' cannot be tried", path);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	es_text_make_safe(text, false);
	return es_error_say(err, -ENOEXEC, "%s", text[0] ? text : "it ends its process");
}
