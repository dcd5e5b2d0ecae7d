/*
 * sys/msr.c - model-specific registers of a root's CPUs: the kernel's device, msr-safe, and files of a tree
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "sys/msr.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <linux/ioctl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/hot.h"

#define BATCH_PATH "dev/cpu/msr_batch"
#define MSR_RAPL_POWER_UNIT 0x606U
#define TREE_SHIFT 3U
#define UNREAD \
	UINT64_MAX /* no energy register shows this: 32 of its bits are reserved, or it counts for ages */

/* msr-safe's msr_safe.h: X86_IOC_MSR_BATCH */
#define IOC_MSR_BATCH _IOWR('c', 0xA2, struct es_msr_batch)

static_assert(sizeof(struct es_msr_op) == 32, "msr-safe's struct msr_batch_op");
static_assert(sizeof(void *) != 8 || sizeof(struct es_msr_batch) == 16,
	      "msr-safe's struct msr_batch_array");

static void put_path(enum es_msr_device device, uint32_t cpu, char path[static 64])
{
	(void)snprintf(path, 64, "dev/cpu/%u/%s", cpu, device == ES_MSR_SAFE ? "msr_safe" : "msr");
}

bool es_msr_exists(const struct es_root *root, enum es_msr_device device, uint32_t cpu)
{
	char path[64];

	put_path(device, cpu, path);
	if (root->msr_open) {
		int fd = root->msr_open(root->msr_arg, path);

		if (fd >= 0)
			(void)close(fd);
		return fd != -ENOENT;
	}
	return es_root_exists(root, path);
}

/* Which of the two layouts a file has: in the wide one the unit register lies beyond the end of a packed one. */
static void find_layout(struct es_msr *msr)
{
	uint64_t wide = 0, packed = 0;
	ssize_t n_wide = pread(msr->fd, &wide, sizeof(wide), MSR_RAPL_POWER_UNIT << TREE_SHIFT);
	ssize_t n_packed = pread(msr->fd, &packed, sizeof(packed), MSR_RAPL_POWER_UNIT);

	msr->shift = TREE_SHIFT;
	if ((n_wide < (ssize_t)sizeof(wide) || wide == 0) && n_packed == (ssize_t)sizeof(packed) &&
	    packed != 0) {
		msr->shift = 0;
		msr->is_packed = true;
	}
}

int es_msr_open(const struct es_root *root, enum es_msr_device device, uint32_t cpu,
		struct es_msr *ret)
{
	es_cleanup(es_closep) int fd = -1;
	struct es_msr msr = { .shift = 0 };
	struct stat st;
	char path[64];

	put_path(device, cpu, path);
	if (root->msr_open) {
		fd = root->msr_open(root->msr_arg, path);
		if (fd < 0)
			return fd;
		msr.fd = es_steal_fd(&fd);
		*ret = msr;
		return 0;
	}
	fd = es_root_openat(root, path, O_RDONLY);
	if (fd < 0)
		return fd;
	/* The kernel's own asks for a capability, whatever the mode of the file; root has it. */
	if (device == ES_MSR_KERNEL && root->judges_rights && root->uid != 0)
		return -EPERM;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISCHR(st.st_mode) && (root->is_machine || !S_ISREG(st.st_mode)))
		return -ENODEV;
	msr.fd = fd;
	if (S_ISREG(st.st_mode))
		find_layout(&msr);
	msr.fd = es_steal_fd(&fd);
	*ret = msr;
	return 0;
}

void es_msr_close(struct es_msr *msr)
{
	es_closep(&msr->fd);
	msr->fd = -1;
}

/* A tree's file that ends before the register has none of it; one that was emptied was a CPU's that went away. */
static int judge_short(const struct es_msr *msr)
{
	struct stat st;

	if (fstat(msr->fd, &st) < 0)
		return -errno;
	return st.st_size == 0 ? -ENXIO : -EIO;
}

es_hot int es_msr_read(const struct es_root *root, const struct es_msr *msr, uint32_t reg,
		       uint64_t *ret)
{
	uint64_t value;
	ssize_t n;

	if (root->msr_read)
		return root->msr_read(root->msr_arg, msr->fd, reg, ret);
	n = pread(msr->fd, &value, sizeof(value), (off_t)reg << msr->shift);
	if (n < 0)
		return -errno;
	if (n != (ssize_t)sizeof(value))
		return judge_short(msr);
	*ret = le64toh(value);
	return 0;
}

int es_msr_batch_open(const struct es_root *root)
{
	es_cleanup(es_closep) int fd = -1;
	struct stat st;

	if (root->msr_open)
		return root->msr_batch ? root->msr_open(root->msr_arg, BATCH_PATH) : -ENOENT;
	fd = es_root_openat(root, BATCH_PATH, O_RDONLY);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISCHR(st.st_mode) ? es_steal_fd(&fd) : -ENODEV;
}

es_hot int es_msr_batch_read(const struct es_root *root, int fd, struct es_msr_op *ops, size_t n)
{
	struct es_msr_batch batch = { .n = (uint32_t)n, .ops = ops };
	bool has_error = false;
	int r;

	if (n == 0 || n > UINT32_MAX)
		return -EINVAL;
	for (size_t i = 0; i < n; i++) {
		ops[i].is_read = 1;
		ops[i].error = 0;
		ops[i].value = UNREAD;
		ops[i].write_mask = 0;
	}
	if (root->msr_batch)
		r = root->msr_batch(root->msr_arg, fd, &batch);
	else
		r = ioctl(fd, IOC_MSR_BATCH, &batch) < 0 ? -errno : 0;
	for (size_t i = 0; i < n; i++) {
		if (ops[i].error > 0)
			ops[i].error = -EIO;
		has_error = has_error || ops[i].error < 0;
	}
	for (size_t i = 0; i < n; i++)
		if (ops[i].error == 0 && ops[i].value == UNREAD)
			ops[i].error = r < 0 && !has_error ? r : -EAGAIN;
	for (size_t i = 0; i < n && r == 0; i++)
		r = ops[i].error;
	return r;
}
