/*
 * source/hwmon_find.c - the devices that hwmon shows, by where they are, not by their number
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "source/hwmon_drivers.h"

#define CLASS "sys/class/hwmon"
#define CHIPS_MAX 256
#define INPUTS_MAX 1024

/** struct chip - one hwmonN */
struct chip {
	unsigned number;
	char driver[32];
	char device[ES_NAME_MAX_BYTES];
};

static bool take_number(const char *text, const char *before, const char *after, unsigned *ret)
{
	size_t n = strlen(before);
	unsigned long v;
	char *end;

	if (strncmp(text, before, n) != 0 || !isdigit((unsigned char)text[n]))
		return false;
	v = strtoul(text + n, &end, 10);
	if (v > 99999 || strcmp(end, after) != 0)
		return false;
	*ret = (unsigned)v;
	return true;
}

/* "../../devices/platform/amd_energy.0/hwmon/hwmon3" -> "platform/amd_energy.0" */
static void find_device(const struct es_root *root, struct chip *chip)
{
	char path[64], target[512];
	es_cleanup(es_closep) int fd = es_root_openat(root, CLASS, O_PATH | O_DIRECTORY);
	const char *start;
	char *end;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "hwmon%u", chip->number);
	n = fd < 0 ? -1 : readlinkat(fd, path, target, sizeof(target) - 1);
	if (n <= 0)
		return;
	target[n] = '\0';
	start = strstr(target, "/devices/");
	end = strstr(target, "/hwmon/hwmon");
	if (!start || !end || end < start)
		return;
	*end = '\0';
	(void)snprintf(chip->device, sizeof(chip->device), "%.255s", start + strlen("/devices/"));
}

static bool read_chip(const struct es_root *root, unsigned number, struct chip *ret)
{
	static const char *const places[] = { "", "/device" };
	struct chip chip = { .number = number };

	for (size_t i = 0; i < ES_ARRAY_SIZE(places) && chip.driver[0] == '\0'; i++) {
		char path[96];

		(void)snprintf(path, sizeof(path), CLASS "/hwmon%u%s/name", number, places[i]);
		if (es_root_read_line(root, path, chip.driver, sizeof(chip.driver)) < 0)
			chip.driver[0] = '\0';
	}
	/* It becomes part of an id. */
	for (const char *p = chip.driver; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-_.", *p))
			return false;
	if (chip.driver[0] == '\0')
		return false;
	find_device(root, &chip);
	*ret = chip;
	return true;
}

static int compare_chips(const void *a, const void *b)
{
	const struct chip *x = a, *y = b;
	int r = strcmp(x->device, y->device);

	if (r == 0)
		r = strcmp(x->driver, y->driver);
	return r ? r : (x->number > y->number) - (x->number < y->number);
}

static ssize_t list_chips(const struct es_root *root, struct chip **ret)
{
	es_cleanup(es_freep) struct chip *chips = NULL;
	const struct dirent *entry;
	size_t n = 0;
	int r = 0;
	es_cleanup(es_closedirp) DIR *dir = es_root_opendir(root, CLASS, &r);

	if (!dir)
		return r;
	chips = calloc(CHIPS_MAX, sizeof(*chips));
	if (!chips)
		return -ENOMEM;
	while (n < CHIPS_MAX && (entry = readdir(dir))) {
		unsigned number;

		if (take_number(entry->d_name, "hwmon", "", &number))
			n += read_chip(root, number, &chips[n]);
	}
	qsort(chips, n, sizeof(*chips), compare_chips);
	*ret = es_steal_ptr(chips);
	return (ssize_t)n;
}

static int add(struct es_hwmon_inputs *inputs, const struct es_hwmon_input *input)
{
	if (inputs->n == inputs->room) {
		size_t room = inputs->room ? inputs->room * 2 : 16;
		struct es_hwmon_input *grown;

		if (room > INPUTS_MAX)
			return -E2BIG;
		grown = reallocarray(inputs->input, room, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		inputs->input = grown;
		inputs->room = room;
	}
	inputs->input[inputs->n++] = *input;
	return 0;
}

static bool take_file(const char *name, struct es_hwmon_input *input)
{
	input->is_energy = take_number(name, "energy", "_input", &input->index);
	if (!input->is_energy && !take_number(name, "power", "_average", &input->index) &&
	    !take_number(name, "power", "_input", &input->index))
		return false;
	(void)snprintf(input->file, sizeof(input->file), "%.31s", name);
	return true;
}

static void read_label(const struct es_root *root, struct es_hwmon_input *input)
{
	static const char *const files[] = { "label", "oem_info" };

	for (size_t i = 0; i < ES_ARRAY_SIZE(files); i++) {
		char path[160];
		ssize_t n;

		(void)snprintf(path, sizeof(path), CLASS "/%.63s/%s%u_%s", input->folder,
			       input->is_energy ? "energy" : "power", input->index, files[i]);
		n = es_root_read_line(root, path, input->label, sizeof(input->label));
		/* Firmware pads its strings. */
		while (n > 0 && input->label[n - 1] == ' ')
			input->label[--n] = '\0';
		if (n > 0 && strlen(input->label) == (size_t)n)
			return;
		input->label[0] = '\0';
	}
}

static int compare_inputs(const void *a, const void *b)
{
	const struct es_hwmon_input *x = a, *y = b;

	if (x->is_energy != y->is_energy)
		return x->is_energy ? -1 : 1;
	if (x->index != y->index)
		return x->index < y->index ? -1 : 1;
	return strcmp(x->file, y->file); /* the average before what is shown at an instant */
}

/* The files of one folder; returns how many there are. */
static int look_into(const struct es_root *root, const struct chip *chip, unsigned ordinal,
		     const char *folder, struct es_hwmon_inputs *inputs)
{
	const char *slash = strrchr(chip->device, '/');
	size_t first = inputs->n, kept;
	const struct dirent *entry;
	char path[96];
	int r = 0;
	es_cleanup(es_closedirp) DIR *dir = NULL;

	(void)snprintf(path, sizeof(path), CLASS "/%s", folder);
	dir = es_root_opendir(root, path, &r);
	while (dir && r == 0 && (entry = readdir(dir))) {
		struct es_hwmon_input input = { .ordinal = ordinal };

		if (!take_file(entry->d_name, &input))
			continue;
		(void)snprintf(input.driver, sizeof(input.driver), "%s", chip->driver);
		(void)snprintf(input.device, sizeof(input.device), "%s", chip->device);
		(void)snprintf(input.address, sizeof(input.address), "%.31s",
			       slash ? slash + 1 : chip->device);
		(void)snprintf(input.folder, sizeof(input.folder), "%.63s", folder);
		r = add(inputs, &input);
	}
	if (!dir || r < 0)
		return dir ? r : 0;
	if (inputs->n > first)
		qsort(inputs->input + first, inputs->n - first, sizeof(*inputs->input),
		      compare_inputs);
	/* powerN_average and powerN_input are one meter. */
	kept = first;
	for (size_t i = first; i < inputs->n; i++) {
		struct es_hwmon_input *input = &inputs->input[i];

		if (kept > first && inputs->input[kept - 1].index == input->index &&
		    inputs->input[kept - 1].is_energy == input->is_energy)
			continue;
		read_label(root, input);
		inputs->input[kept++] = *input;
	}
	inputs->n = kept;
	return (int)(kept - first);
}

int es_hwmon_find(const struct es_root *root, struct es_hwmon_inputs *ret)
{
	es_cleanup(es_freep) struct chip *chips = NULL;
	struct es_hwmon_inputs inputs = { .n = 0 };
	ssize_t n = list_chips(root, &chips);
	int r = n < 0 && n != -ENOENT ? (int)n : 0;

	for (ssize_t i = 0; i < n && r >= 0; i++) {
		unsigned ordinal = 0;
		char folder[64];

		for (ssize_t j = 0; j < i; j++)
			ordinal += strcmp(chips[j].driver, chips[i].driver) == 0;
		(void)snprintf(folder, sizeof(folder), "hwmon%u", chips[i].number);
		r = look_into(root, &chips[i], ordinal, folder, &inputs);
		if (r != 0)
			continue;
		(void)snprintf(folder, sizeof(folder), "hwmon%u/device", chips[i].number);
		r = look_into(root, &chips[i], ordinal, folder, &inputs);
	}
	if (r < 0) {
		es_hwmon_inputs_finish(&inputs);
		return r;
	}
	*ret = inputs;
	return 0;
}

void es_hwmon_inputs_finish(struct es_hwmon_inputs *inputs)
{
	free(inputs->input);
	*inputs = (struct es_hwmon_inputs){ .n = 0 };
}

int es_hwmon_find_folder(const struct es_root *root, const struct es_hwmon_input *input,
			 char ret[static 64])
{
	es_cleanup(es_freep) struct chip *chips = NULL;
	/* One of several that nothing tells apart may be another one. */
	ssize_t n = input->device[0] ? list_chips(root, &chips) : 0;

	for (ssize_t i = 0; i < n; i++) {
		unsigned n_before = 0, n_same = 0;

		if (strcmp(chips[i].driver, input->driver) != 0 ||
		    strcmp(chips[i].device, input->device) != 0)
			continue;
		/* Several of one device and driver, one for each socket, are told apart by their order. */
		for (ssize_t j = 0; j < n; j++) {
			bool is_of_driver = strcmp(chips[j].driver, input->driver) == 0;

			n_before += j < i && is_of_driver;
			n_same += is_of_driver && strcmp(chips[j].device, input->device) == 0;
		}
		if (n_same > 1 && n_before != input->ordinal)
			continue;
		(void)snprintf(ret, 64, "hwmon%u%s", chips[i].number,
			       strchr(input->folder, '/') ? "/device" : "");
		return 0;
	}
	return -ENODEV;
}
