/*
 * player.c - es-player: move the counters of a tree as a machine at work would, and say by how much
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * It is meant to be run as the measured command itself: counters stand still before it starts and after it ends, so
 * that what it says at the end is exactly what a meter must have seen.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/parse.h"
#include "support/player_gpus.h"
#include "support/tree.h"

__extension__ typedef unsigned __int128 es_u128;

#define PHASES_MAX 256
#define REST ES_TREE_ZONES_MAX /* what a board draws beside its packages and memory */

/** struct phase - a stretch of constant powers */
struct phase {
	int64_t dur_ns;
	uint64_t power_mw[ES_TREE_ZONES_MAX + 1];
	uint64_t gpu_mw[NVML_GPUS_MAX];
};

struct player {
	struct es_tree tree;
	struct player_gpus gpus;
	struct phase phases[PHASES_MAX];
	size_t n_phases;
	es_u128 energy_pj[ES_TREE_ZONES_MAX];
	uint32_t start_raw[ES_TREE_ZONES_MAX];
	int64_t dur_ns;
	int64_t at_ns; /* all at once, at this time by the meters' clock; 0: as time passes */
	FILE *log; /* NULL: none */
};

static int usage(void)
{
	(void)fputs(
		"usage: es-player TREE [--script FILE | --random SEED] [--duration 3s] [--period 2ms] [--truth FILE] [--log FILE]\n"
		"                 [--at-once TIME]\n"
		"A script has a line for each phase: its length, then DOMAIN=WATTS ... (500ms package-0=200 dram=20 rest=30);\n"
		"The log has a line for each step: wall clock before and after it (ns), then the energy of each zone so far (uJ).\n"
		"--at-once moves them in one step, without waiting, as if it were TIME (s) by the meters' clocks.\n"
		"package, dram, core, uncore and gpu mean every such domain; what is not named goes on as before.\n",
		stderr);
	return 2;
}

static bool is_like(const char *key, const char *word)
{
	size_t n = strlen(word);

	return strncmp(key, word, n) == 0 && (key[n] == '\0' || key[n] == '-');
}

static void set_power(const struct player *player, struct phase *phase, const char *word,
		      uint64_t power_mw)
{
	for (unsigned i = 0; i < player->gpus.table.n; i++) {
		char key[16];

		(void)snprintf(key, sizeof(key), "gpu-%u", i);
		if (strcmp(word, "gpu") == 0 || strcmp(word, key) == 0)
			phase->gpu_mw[i] = power_mw;
	}
	if (strcmp(word, "rest") == 0)
		phase->power_mw[REST] = power_mw;
	for (size_t i = 0; i < player->tree.n; i++)
		if (strcmp(player->tree.zones[i].key, word) == 0 ||
		    (!strchr(word, '-') && is_like(player->tree.zones[i].key, word)))
			phase->power_mw[i] = power_mw;
}

static void set_defaults(const struct player *player, struct phase *phase, int64_t dur_ns)
{
	*phase = (struct phase){ .dur_ns = dur_ns };
	set_power(player, phase, "package", 150000);
	set_power(player, phase, "dram", 20000);
	set_power(player, phase, "core", 90000);
	set_power(player, phase, "uncore", 8000);
	set_power(player, phase, "gpu", 250000);
	set_power(player, phase, "module", 400000);
	set_power(player, phase, "node", 600000);
	set_power(player, phase, "other", 40000);
	set_power(player, phase, "rest", 35000);
}

static int read_script(struct player *player, const char *path)
{
	FILE *file = fopen(path, "re");
	char line[2048];
	int r = 0;

	if (!file)
		return -errno;
	while (r == 0 && fgets(line, sizeof(line), file)) {
		struct phase *phase = &player->phases[player->n_phases];
		char *rest = line, *word;

		line[strcspn(line, "#\n")] = '\0';
		word = strtok_r(rest, " \t", &rest);
		if (!word)
			continue;
		if (player->n_phases >= PHASES_MAX) {
			r = -E2BIG;
			break;
		}
		if (player->n_phases == 0)
			set_defaults(player, phase, 0);
		else
			*phase = player->phases[player->n_phases - 1];
		r = es_parse_duration_ns(word, &phase->dur_ns);
		player->n_phases++;
		while (r == 0 && (word = strtok_r(NULL, " \t", &rest))) {
			char *value = strchr(word, '=');
			double watts;

			r = value ? es_parse_double(value + 1, &watts) : -EBADMSG;
			if (r < 0 || watts < 0 || watts > 1e7)
				r = -EBADMSG;
			if (r < 0)
				break;
			*value = '\0';
			set_power(player, phase, word, (uint64_t)(watts * 1000));
		}
	}
	(void)fclose(file);
	return r;
}

static uint64_t next_random(uint64_t *state)
{
	/* splitmix64 */
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static void make_random(struct player *player, uint64_t seed, int64_t dur_ns)
{
	int64_t sum_ns = 0;

	while (player->n_phases < PHASES_MAX && sum_ns < dur_ns) {
		struct phase *phase = &player->phases[player->n_phases++];

		set_defaults(player, phase,
			     ES_NS_PER_MS * (int64_t)(50 + next_random(&seed) % 450));
		for (size_t i = 0; i <= REST; i++)
			phase->power_mw[i] =
				phase->power_mw[i] * (100 + next_random(&seed) % 1900) / 1000;
		for (unsigned i = 0; i < NVML_GPUS_MAX; i++)
			phase->gpu_mw[i] =
				phase->gpu_mw[i] * (100 + next_random(&seed) % 1900) / 1000;
		sum_ns += phase->dur_ns;
	}
	if (sum_ns < dur_ns)
		player->phases[player->n_phases - 1].dur_ns += dur_ns - sum_ns;
}

static bool is_on_board(const struct es_tree_zone *zone)
{
	return zone->role == ES_TREE_PART &&
	       (is_like(zone->key, "package") || is_like(zone->key, "dram") ||
		is_like(zone->key, "gpu"));
}

/* @dur_ns more at the powers of @phase; mW * ns = pJ, and a step is num / den µJ. */
static int advance(struct player *player, const struct phase *phase, int64_t dur_ns)
{
	uint64_t board_mw = phase->power_mw[REST], cpus_mw = 0;

	player_gpus_advance(&player->gpus, phase->gpu_mw, dur_ns);
	for (size_t i = 0; i < player->tree.n; i++) {
		if (!is_on_board(&player->tree.zones[i]))
			continue;
		board_mw += phase->power_mw[i];
		if (is_like(player->tree.zones[i].key, "package"))
			cpus_mw += phase->power_mw[i];
	}
	for (size_t i = 0; i < player->tree.n; i++) {
		const struct es_tree_zone *zone = &player->tree.zones[i];
		uint64_t steps, power_mw = zone->role == ES_TREE_PSYS	? board_mw
					   : zone->role == ES_TREE_CPUS ? cpus_mw
									: phase->power_mw[i];
		int r;

		if (zone->role == ES_TREE_FOLLOWER || zone->role == ES_TREE_DEAD)
			continue;
		player->energy_pj[i] += (es_u128)power_mw * (uint64_t)dur_ns;
		if (zone->form == ES_TREE_POWER) {
			r = es_tree_set_power(&player->tree, i, power_mw);
			if (r < 0)
				return r;
		}
		steps = (uint64_t)(player->energy_pj[i] * zone->den /
				   ((es_u128)zone->num * 1000000));
		if (steps == zone->n_steps)
			continue;
		r = es_tree_advance(&player->tree, i, steps - zone->n_steps);
		if (r < 0)
			return r;
	}
	return 0;
}

/* One more stretch of time, and a line of the log. */
static int step(struct player *player, const struct phase *phase, int64_t dur_ns)
{
	int64_t before_ns = es_clock_unix_ns();
	int r = advance(player, phase, dur_ns);

	if (r < 0 || !player->log)
		return r;
	(void)fprintf(player->log, "%lld %lld", (long long)before_ns,
		      (long long)es_clock_unix_ns());
	for (size_t i = 0; i < player->tree.n; i++)
		(void)fprintf(player->log, " %llu",
			      (unsigned long long)es_tree_energy_uj(&player->tree.zones[i],
								    player->tree.zones[i].n_steps));
	return fputc('\n', player->log) < 0 ? -EIO : 0;
}

static int play(struct player *player, int64_t period_ns, int64_t most_ns)
{
	int64_t start_ns = es_clock_mono_ns(), last_ns = start_ns, phase_end_ns = start_ns,
		next_ns = start_ns;

	for (size_t i = 0; i < player->tree.n; i++)
		player->start_raw[i] = player->tree.zones[i].raw;
	for (size_t i = 0; i < player->n_phases; i++) {
		phase_end_ns += player->phases[i].dur_ns;
		if (phase_end_ns > start_ns + most_ns)
			phase_end_ns = start_ns + most_ns;
		while (last_ns < phase_end_ns) {
			struct timespec at;
			int64_t now_ns;
			int r;

			next_ns = next_ns + period_ns < phase_end_ns ? next_ns + period_ns
								     : phase_end_ns;
			at = (struct timespec){ .tv_sec = next_ns / ES_NS_PER_S,
						.tv_nsec = next_ns % ES_NS_PER_S };
			while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
				;
			now_ns = es_clock_mono_ns();
			now_ns = now_ns < phase_end_ns ? now_ns : phase_end_ns;
			r = step(player, &player->phases[i], now_ns - last_ns);
			if (r < 0)
				return r;
			last_ns = now_ns;
		}
	}
	player->dur_ns = last_ns - start_ns;
	return 0;
}

static int play_at_once(struct player *player)
{
	player->tree.fixed_ns = player->at_ns;
	for (size_t i = 0; i < player->tree.n; i++)
		player->start_raw[i] = player->tree.zones[i].raw;
	for (size_t i = 0; i < player->n_phases; i++) {
		int r = step(player, &player->phases[i], player->phases[i].dur_ns);

		if (r < 0)
			return r;
		player->dur_ns += player->phases[i].dur_ns;
	}
	return 0;
}

static int write_truth(const struct player *player, const char *path)
{
	FILE *file = fopen(path, "we");

	if (!file)
		return -errno;
	(void)fprintf(file, "{\"duration_ns\": %lld, \"zones\": [", (long long)player->dur_ns);
	for (size_t i = 0; i < player->tree.n; i++) {
		const struct es_tree_zone *zone = &player->tree.zones[i];

		(void)fprintf(
			file,
			"%s\n  {\"key\": \"%s\", \"zone\": \"%s\", \"steps\": %llu, \"energy_uj\": %llu, \"unit_nj\": %llu, "
			"\"start_raw\": %lu, \"wraps\": %llu}",
			i ? "," : "", zone->key, zone->zone, (unsigned long long)zone->n_steps,
			(unsigned long long)es_tree_energy_uj(zone, zone->n_steps),
			(unsigned long long)(zone->num * 1000 / zone->den),
			(unsigned long)player->start_raw[i],
			(unsigned long long)(zone->n_steps + player->start_raw[i]) >> 32);
	}
	(void)fputs("\n]", file);
	player_gpus_write(&player->gpus, file);
	(void)fputs("}\n", file);
	return fclose(file) == 0 ? 0 : -errno;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "script", required_argument, NULL, 's' },
		{ "random", required_argument, NULL, 'r' },
		{ "duration", required_argument, NULL, 'd' },
		{ "period", required_argument, NULL, 'p' },
		{ "truth", required_argument, NULL, 't' },
		{ "log", required_argument, NULL, 'l' },
		{ "at-once", required_argument, NULL, 'a' },
		{ NULL, 0, NULL, 0 },
	};
	const char *script = NULL, *random = NULL, *truth = NULL, *log = NULL;
	int64_t dur_ns = 3 * ES_NS_PER_S, period_ns = 2 * ES_NS_PER_MS;
	bool has_dur = false;
	static struct player player;
	uint64_t seed = 0;
	int r = 0;

	for (int c; r == 0 && (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (c == 's')
			script = optarg;
		else if (c == 'r')
			random = optarg;
		else if (c == 't')
			truth = optarg;
		else if (c == 'l')
			log = optarg;
		else if (c == 'd' || c == 'p' || c == 'a')
			r = es_parse_duration_ns(optarg, c == 'd'   ? &dur_ns
							 : c == 'p' ? &period_ns
								    : &player.at_ns);
		else
			return usage();
		has_dur = has_dur || c == 'd';
	}
	if (r < 0 || optind != argc - 1 || period_ns <= 0 ||
	    (random && es_parse_u64(random, &seed) < 0))
		return usage();
	r = es_tree_open(argv[optind], &player.tree);
	player_gpus_open(argv[optind], &player.gpus);
	if (r == 0 && script)
		r = read_script(&player, script);
	else if (r == 0 && random)
		make_random(&player, seed, dur_ns);
	else if (r == 0)
		set_defaults(&player, &player.phases[player.n_phases++], dur_ns);
	if (r == 0 && player.at_ns)
		r = play_at_once(&player);
	if (r == 0 && log) {
		player.log = fopen(log, "we");
		r = player.log ? 0 : -errno;
		if (player.log)
			setlinebuf(player.log); /* it may be ended at any time */
	}
	if (r == 0 && !player.at_ns)
		r = play(&player, period_ns, script && !has_dur ? INT64_MAX / 4 : dur_ns);
	player_gpus_rest(&player.gpus);
	if (r == 0 && truth)
		r = write_truth(&player, truth);
	if (player.log && fclose(player.log) < 0 && r == 0)
		r = -errno;
	es_tree_close(&player.tree);
	player_gpus_close(&player.gpus);
	if (r < 0)
		(void)fprintf(stderr, "es-player: '%s': %s\n", argv[optind], strerror(-r));
	return r < 0;
}
