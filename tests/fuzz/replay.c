/*
 * replay.c - give a fuzz target its kept inputs, and simple changes of each, without libFuzzer
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * usage: fuzz_NAME NAME DIR: each file of DIR as it is, cut off at many lengths, and with bytes changed.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "fuzz/target.h"
#include "support/random.h"

#define INPUT_MAX_BYTES (1U << 20)
#define N_CUTS 200U
#define N_CHANGES 300U

/* In memory of just its size, so that sanitizers and valgrind see each byte read behind it. */
static void give(const uint8_t *data, size_t n)
{
	uint8_t *copy = malloc(n + 1);

	if (!copy)
		return;
	memcpy(copy + 1, data, n);
	(void)LLVMFuzzerTestOneInput(copy + 1, n);
	free(copy);
}

static unsigned replay(uint8_t *data, size_t n)
{
	uint64_t seed = 73;

	give(data, n);
	for (size_t i = 0; i < N_CUTS && i < n; i++)
		give(data, n <= N_CUTS ? i : test_random_below(&seed, n));
	for (unsigned i = 0; n > 0 && i < N_CHANGES; i++) {
		size_t at = test_random_below(&seed, n);
		uint8_t kept = data[at];

		data[at] = (uint8_t)(i % 2 ? test_random(&seed) : kept ^ 1U << i % 8);
		give(data, n);
		data[at] = kept;
	}
	return 1;
}

static unsigned replay_file(const char *path)
{
	es_cleanup(es_fclosep) FILE *file = fopen(path, "rb");
	uint8_t *data = malloc(INPUT_MAX_BYTES);
	unsigned n = 0;

	if (file && data)
		n = replay(data, fread(data, 1, INPUT_MAX_BYTES, file));
	free(data);
	return n;
}

int main(int argc, char **argv)
{
	es_cleanup(es_closedirp) DIR *dir = argc == 3 ? opendir(argv[2]) : NULL;
	const struct dirent *entry;
	uint8_t none[1] = { 0 };
	unsigned n_files = 0;

	if (argc != 3) {
		fprintf(stderr, "usage: %s NAME DIR\n", argv[0]);
		return 2;
	}
	printf("1..1\n");
	(void)replay(none, 0);
	while (dir && (entry = readdir(dir))) {
		char path[4096];

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%.3800s/%.250s", argv[2], entry->d_name);
		n_files += replay_file(path);
	}
	printf("ok 1 - %s takes its %u kept inputs and changes of them\n", argv[1], n_files);
	return 0;
}
