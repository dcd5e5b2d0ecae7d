/*
 * phase.c - what a simulated program does: a phase as a line, read strictly, written so that it reads back alike
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "twin/phase.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/parse.h"
#include "base/text.h"
#include "twin/node.h"

#define WHOLE_PPM INT64_C(1000000)
#define MICRO 1e6
#define CORES_MAX 65536U
#define GPUS_MAX 1024U
#define WORDS_MAX 20U /* a line that says everything once has 17 */

/* The parts of a phase in the order in which their times are laid out. */
enum part {
	CPU,
	MEMORY,
	GPU,
	GPU_MEMORY,
	COMMUNICATION,
	IDLE,
	N_PARTS,
};

enum key {
	MODEL = N_PARTS,
	ACTIVITY,
	CPU_ACTIVITY,
	MEMORY_ACTIVITY,
	GPU_ACTIVITY,
	GPU_MEMORY_ACTIVITY,
	CORES,
	GPUS,
	INSTANCE,
	N_KEYS,
};

static const char *const keys[N_KEYS] = {
	[CPU] = "cpu",
	[MEMORY] = "memory",
	[GPU] = "gpu",
	[GPU_MEMORY] = "gpu-memory",
	[COMMUNICATION] = "communication",
	[IDLE] = "idle",
	[MODEL] = "model",
	[ACTIVITY] = "activity",
	[CPU_ACTIVITY] = "cpu-activity",
	[MEMORY_ACTIVITY] = "memory-activity",
	[GPU_ACTIVITY] = "gpu-activity",
	[GPU_MEMORY_ACTIVITY] = "gpu-memory-activity",
	[CORES] = "cores",
	[GPUS] = "gpus",
	[INSTANCE] = "instance",
};

static const char *const models[] = {
	[ES_TWIN_ADDITIVE] = "additive",
	[ES_TWIN_OVERLAPPING] = "overlapping",
};

/* Lines that mean something else in a workload file, or to who plays it. */
static const char *const reserved[] = { "repeat", "go", "edges" };

/* What the words of a line have said so far. */
struct draft {
	struct es_twin_phase phase;
	int64_t shares_ppm[N_PARTS];
	double activity, activities[4]; /* negative: not said */
	bool is_said[N_KEYS];
};

void es_twin_phase_init(struct es_twin_phase *phase)
{
	*phase = (struct es_twin_phase){
		.cpu_activity = 1,
		.memory_activity = 1,
		.gpu_activity = 1,
		.gpu_memory_activity = 1,
	};
}

static void part_times(const struct es_twin_phase *phase, int64_t ret[static N_PARTS])
{
	ret[CPU] = phase->cpu_ns;
	ret[MEMORY] = phase->memory_ns;
	ret[GPU] = phase->gpu_ns;
	ret[GPU_MEMORY] = phase->gpu_memory_ns;
	ret[COMMUNICATION] = phase->communication_ns;
	ret[IDLE] = phase->idle_ns;
}

int64_t es_twin_phase_reference_ns(const struct es_twin_phase *phase)
{
	int64_t times_ns[N_PARTS], sum_ns = 0, longest_ns = 0;

	part_times(phase, times_ns);
	for (unsigned i = 0; i < N_PARTS; i++) {
		sum_ns += times_ns[i];
		if (times_ns[i] > longest_ns)
			longest_ns = times_ns[i];
	}
	return phase->time == ES_TWIN_OVERLAPPING ? longest_ns : sum_ns;
}

/*
 * The words of a line, in place. A '#' in front of a word makes the rest a comment. A carriage return is white space, so that files
 * from elsewhere are read.
 */
static int split(char *line, char *words[static WORDS_MAX], size_t *ret_n, struct es_error *err)
{
	char *rest = line, *word;
	size_t n = 0;

	while ((word = strtok_r(rest, " \t\r", &rest)) != NULL && word[0] != '#') {
		if (n == WORDS_MAX)
			return es_error_say(err, -EBADMSG, "'%.40s': more words than a phase has",
					    word);
		words[n++] = word;
	}
	*ret_n = n;
	return 0;
}

static int take_name(const char *word, struct es_twin_phase *phase, struct es_error *err)
{
	size_t n = strlen(word), at = 0, length = 1;

	if (strchr(word, '='))
		return es_error_say(
			err, -EBADMSG,
			"'%.80s': a phase begins with its name and its length: solve 5s cpu=100%%",
			word);
	if (n >= sizeof(phase->name))
		return es_error_say(err, -EBADMSG, "'%.80s': a name has at most %zu bytes", word,
				    sizeof(phase->name) - 1);
	for (size_t i = 0; i < ES_ARRAY_SIZE(reserved); i++)
		if (strcmp(word, reserved[i]) == 0)
			return es_error_say(err, -EBADMSG, "'%s' cannot be the name of a phase",
					    word);
	for (; at < n && length > 0; at += length) {
		unsigned char c = (unsigned char)word[at];

		length = c < 0x20 || c == 0x7f ? 0 : es_utf8_length(word + at, n - at);
		/* C1: control characters that are two bytes in UTF-8. */
		if (length == 2 && c == 0xc2 && (unsigned char)word[at + 1] < 0xa0)
			length = 0;
	}
	if (length == 0)
		return es_error_say(err, -EBADMSG,
				    "'%.80s': a name is UTF-8 without control characters", word);
	if (strcmp(word, "-") != 0)
		memcpy(phase->name, word, n + 1);
	return 0;
}

static int take_length(const char *word, int64_t *ret_ns, struct es_error *err)
{
	int64_t dur_ns;
	int r;

	if (strchr(word, '='))
		return es_error_say(err, -EBADMSG,
				    "'%.80s': the length is missing before it: 5s, 500ms, 2min",
				    word);
	r = es_parse_duration_ns(word, &dur_ns);
	if (r == -ERANGE)
		return es_error_say(err, -EBADMSG,
				    "'%.80s': lengths are whole nanoseconds, at most a year", word);
	if (r < 0)
		return es_error_say(err, -EBADMSG,
				    "'%.80s': no length; it has a unit: 5s, 500ms, 2min", word);
	if (dur_ns < ES_TWIN_PHASE_MIN_NS)
		return es_error_say(err, -EBADMSG, "'%.80s': a phase lasts at least 100us", word);
	if (dur_ns > ES_TWIN_PHASE_MAX_NS)
		return es_error_say(err, -EBADMSG, "'%.80s': a phase lasts at most a year", word);
	*ret_ns = dur_ns;
	return 0;
}

static int unknown_key(const char *key, struct es_error *err)
{
	size_t least = SIZE_MAX, nearest = 0;

	for (size_t i = 0; i < N_KEYS; i++) {
		size_t distance = es_text_distance(key, keys[i]);

		if (distance >= least)
			continue;
		least = distance;
		nearest = i;
	}
	if (least != SIZE_MAX && es_text_is_near(least, strlen(keys[nearest])))
		return es_error_say(err, -EBADMSG,
				    "'%.80s' is no part of a phase and no key; '%s' is near it",
				    key, keys[nearest]);
	return es_error_say(
		err, -EBADMSG,
		"'%.80s' is no part of a phase (cpu, memory, gpu, gpu-memory, communication, idle) "
		"and no key (model, activity, cpu-activity …, cores, gpus, instance)",
		key);
}

static int take_share(struct draft *draft, enum key key, const char *value, struct es_error *err)
{
	int64_t share_ppm;
	int r = es_parse_share_ppm(value, &share_ppm);

	if (r == -ERANGE && strchr(value, '.'))
		return es_error_say(err, -EBADMSG,
				    "'%s=%.80s': shares have at most four digits behind the point",
				    keys[key], value);
	if (r == -EBADMSG)
		return es_error_say(err, -EBADMSG,
				    "'%s=%.80s': a share of the length is wanted: %s=40%%",
				    keys[key], value, keys[key]);
	if (r < 0 || share_ppm > WHOLE_PPM)
		return es_error_say(
			err, -EBADMSG,
			"'%s=%.80s' is more than 100 %%: shares are such as 40%% or 0.4", keys[key],
			value);
	if (share_ppm < 0)
		return es_error_say(err, -EBADMSG, "'%s=%.80s': a share is not negative", keys[key],
				    value);
	draft->shares_ppm[key] = share_ppm;
	return 0;
}

static int take_model(struct draft *draft, const char *value, struct es_error *err)
{
	for (unsigned i = 0; i < ES_ARRAY_SIZE(models); i++) {
		if (strcmp(value, models[i]) != 0)
			continue;
		draft->phase.time = (enum es_twin_time)i;
		return 0;
	}
	return es_error_say(err, -EBADMSG, "'model=%.80s': there are 'additive' and 'overlapping'",
			    value);
}

/* In millionths, so that what is written reads back as the same double. */
static int take_activity(enum key key, const char *value, double *ret, struct es_error *err)
{
	size_t n = strlen(value), used;
	int64_t micro;

	if (es_parse_micro(value, n, &micro, &used) < 0 || used != n || micro < 0 ||
	    micro > (int64_t)(ES_TWIN_ACTIVITY_MAX * MICRO))
		return es_error_say(err, -EBADMSG,
				    "'%s=%.80s': a number from 0 to %g is wanted; 1 is full load",
				    keys[key], value, ES_TWIN_ACTIVITY_MAX);
	*ret = (double)micro / MICRO;
	return 0;
}

static int take_count(enum key key, const char *value, unsigned max, unsigned *ret,
		      struct es_error *err)
{
	uint64_t v;

	if (es_parse_u64(value, &v) < 0 || v == 0 || v > max)
		return es_error_say(err, -EBADMSG, "'%s=%.80s': a number from 1 to %u is wanted",
				    keys[key], value, max);
	*ret = (unsigned)v;
	return 0;
}

static int take_value(struct draft *draft, enum key key, const char *value, struct es_error *err)
{
	switch (key) {
	case MODEL:
		return take_model(draft, value, err);
	case ACTIVITY:
		return take_activity(key, value, &draft->activity, err);
	case CPU_ACTIVITY:
	case MEMORY_ACTIVITY:
	case GPU_ACTIVITY:
	case GPU_MEMORY_ACTIVITY:
		return take_activity(key, value, &draft->activities[key - CPU_ACTIVITY], err);
	case CORES:
		return take_count(key, value, CORES_MAX, &draft->phase.n_cores, err);
	case GPUS:
		return take_count(key, value, GPUS_MAX, &draft->phase.n_gpus, err);
	case INSTANCE:
		return take_count(key, value, ES_TWIN_INSTANCES_MAX, &draft->phase.gpu_instance,
				  err);
	case N_KEYS:
		break;
	}
	return take_share(draft, key, value, err);
}

static int take_word(struct draft *draft, char *word, struct es_error *err)
{
	char *value = strchr(word, '=');
	unsigned key = 0;

	if (!value)
		return es_error_say(err, -EBADMSG, "'%.80s': PART=SHARE or KEY=VALUE is wanted",
				    word);
	*value++ = '\0';
	while (key < N_KEYS && strcmp(word, keys[key]) != 0)
		key++;
	if (key == N_KEYS)
		return unknown_key(word, err);
	if (draft->is_said[key])
		return es_error_say(err, -EBADMSG, "'%s' is said twice", word);
	draft->is_said[key] = true;
	return take_value(draft, (enum key)key, value, err);
}

static int check_shares(const struct draft *draft, struct es_error *err)
{
	int64_t sum_ppm = 0, largest_ppm = 0;
	bool overlaps = draft->phase.time == ES_TWIN_OVERLAPPING;
	char text[48];

	for (unsigned i = 0; i < N_PARTS; i++) {
		sum_ppm += draft->shares_ppm[i];
		if (draft->shares_ppm[i] > largest_ppm)
			largest_ppm = draft->shares_ppm[i];
	}
	if (sum_ppm == 0)
		return es_error_say(err, -EBADMSG,
				    "no part of it works: a share such as cpu=100%% is missing");
	text[es_decimal_text(overlaps ? largest_ppm : sum_ppm, 4, text)] = '\0';
	if (!overlaps && sum_ppm != WHOLE_PPM)
		return es_error_say(err, -EBADMSG, "its shares add up to %s %%, not to 100 %%",
				    text);
	if (overlaps && largest_ppm != WHOLE_PPM)
		return es_error_say(err, -EBADMSG,
				    "its largest share is %s %%; where parts overlap it is 100 %%",
				    text);
	if (draft->phase.gpu_instance && draft->phase.n_gpus)
		return es_error_say(err, -EBADMSG, "'gpus' and 'instance' exclude each other");
	return 0;
}

/* floor(@dur_ns * @share_ppm / 10^6), without overflow. */
static int64_t part_of(int64_t dur_ns, int64_t share_ppm)
{
	return dur_ns / WHOLE_PPM * share_ppm + dur_ns % WHOLE_PPM * share_ppm / WHOLE_PPM;
}

/* The least share whose part_of() is @part_ns: both ways are exact for what was read. */
static int64_t share_of(int64_t part_ns, int64_t dur_ns)
{
	es_u128 share = (es_u128)(uint64_t)part_ns * (uint64_t)WHOLE_PPM + (uint64_t)dur_ns - 1;

	return (int64_t)(share / (uint64_t)dur_ns);
}

/* Additive parts are cut where their sums end, so that together they are the length to the ns. */
static void lay_out(struct draft *draft, int64_t dur_ns)
{
	struct es_twin_phase *phase = &draft->phase;
	int64_t *times_ns[N_PARTS] = {
		[CPU] = &phase->cpu_ns,
		[MEMORY] = &phase->memory_ns,
		[GPU] = &phase->gpu_ns,
		[GPU_MEMORY] = &phase->gpu_memory_ns,
		[COMMUNICATION] = &phase->communication_ns,
		[IDLE] = &phase->idle_ns,
	};
	int64_t sum_ppm = 0;

	for (unsigned i = 0; i < N_PARTS; i++) {
		int64_t from_ns = part_of(dur_ns, sum_ppm);

		if (phase->time == ES_TWIN_ADDITIVE)
			sum_ppm += draft->shares_ppm[i];
		*times_ns[i] = phase->time == ES_TWIN_ADDITIVE
				       ? part_of(dur_ns, sum_ppm) - from_ns
				       : part_of(dur_ns, draft->shares_ppm[i]);
	}
}

static void set_activities(struct draft *draft)
{
	double *activities[] = { &draft->phase.cpu_activity, &draft->phase.memory_activity,
				 &draft->phase.gpu_activity, &draft->phase.gpu_memory_activity };

	for (size_t i = 0; i < ES_ARRAY_SIZE(activities); i++) {
		if (draft->is_said[ACTIVITY])
			*activities[i] = draft->activity;
		if (draft->is_said[CPU_ACTIVITY + i])
			*activities[i] = draft->activities[i];
	}
}

int es_twin_phase_parse(const char *line, struct es_twin_phase *ret, struct es_error *err)
{
	char text[ES_TWIN_PHASE_TEXT_BYTES], *words[WORDS_MAX];
	struct draft draft = { .activity = 1 };
	size_t n = strlen(line);
	int64_t dur_ns = 0;
	int r;

	if (n >= sizeof(text))
		return es_error_say(err, -EBADMSG, "it is longer than %zu bytes", sizeof(text) - 1);
	if (memchr(line, '\n', n))
		return es_error_say(err, -EBADMSG, "a phase is one line");
	memcpy(text, line, n + 1);
	es_twin_phase_init(&draft.phase);
	r = split(text, words, &n, err);
	if (r == 0 && n == 0)
		return es_error_say(err, -EBADMSG,
				    "there is no phase: NAME LENGTH PART=SHARE… is wanted");
	if (r == 0)
		r = take_name(words[0], &draft.phase, err);
	if (r == 0 && n < 3)
		return es_error_say(err, -EBADMSG, "'%.80s': its %s missing: %.60s 5s cpu=100%%",
				    words[0], n == 1 ? "length and its parts are" : "parts are",
				    words[0]);
	if (r == 0)
		r = take_length(words[1], &dur_ns, err);
	for (size_t i = 2; r == 0 && i < n; i++)
		r = take_word(&draft, words[i], err);
	if (r == 0)
		r = check_shares(&draft, err);
	if (r < 0)
		return r;
	lay_out(&draft, dur_ns);
	set_activities(&draft);
	*ret = draft.phase;
	return 0;
}

static void put_length(struct es_buf *out, int64_t dur_ns)
{
	if (dur_ns % ES_NS_PER_S == 0)
		(void)es_buf_printf(out, " %llds", dur_ns / ES_NS_PER_S);
	else if (dur_ns % ES_NS_PER_MS == 0)
		(void)es_buf_printf(out, " %lldms", dur_ns / ES_NS_PER_MS);
	else if (dur_ns % ES_NS_PER_US == 0)
		(void)es_buf_printf(out, " %lldus", dur_ns / ES_NS_PER_US);
	else
		(void)es_buf_printf(out, " %" PRId64 "ns", dur_ns);
}

static void put_decimal(struct es_buf *out, const char *key, int64_t value, unsigned decimals,
			const char *unit)
{
	char text[48];

	text[es_decimal_text(value, decimals, text)] = '\0';
	(void)es_buf_printf(out, " %s=%s%s", key, text, unit);
}

static void put_shares(struct es_buf *out, const struct es_twin_phase *phase, int64_t dur_ns)
{
	int64_t times_ns[N_PARTS], sum_ns = 0;

	part_times(phase, times_ns);
	for (unsigned i = 0; dur_ns > 0 && i < N_PARTS; i++) {
		int64_t share_ppm =
			share_of(sum_ns + times_ns[i], dur_ns) - share_of(sum_ns, dur_ns);

		if (phase->time == ES_TWIN_ADDITIVE)
			sum_ns += times_ns[i];
		if (share_ppm > 0)
			put_decimal(out, keys[i], share_ppm, 4, "%");
	}
}

static void put_activities(struct es_buf *out, const struct es_twin_phase *phase)
{
	int64_t micro[] = { llround(phase->cpu_activity * MICRO),
			    llround(phase->memory_activity * MICRO),
			    llround(phase->gpu_activity * MICRO),
			    llround(phase->gpu_memory_activity * MICRO) };
	bool are_alike = true;

	for (size_t i = 1; i < ES_ARRAY_SIZE(micro); i++)
		are_alike = are_alike && micro[i] == micro[0];
	if (are_alike && micro[0] != (int64_t)MICRO)
		put_decimal(out, keys[ACTIVITY], micro[0], 6, "");
	for (size_t i = 0; !are_alike && i < ES_ARRAY_SIZE(micro); i++)
		if (micro[i] != (int64_t)MICRO)
			put_decimal(out, keys[CPU_ACTIVITY + i], micro[i], 6, "");
}

char *es_twin_phase_print(const struct es_twin_phase *phase, char *text, size_t size)
{
	int64_t dur_ns = es_twin_phase_reference_ns(phase);
	struct es_buf out;

	es_buf_init(&out, ES_TWIN_PHASE_TEXT_BYTES);
	(void)es_buf_str(&out, phase->name[0] ? phase->name : "-");
	put_length(&out, dur_ns);
	put_shares(&out, phase, dur_ns);
	if (phase->time == ES_TWIN_OVERLAPPING)
		(void)es_buf_printf(&out, " %s=%s", keys[MODEL], models[ES_TWIN_OVERLAPPING]);
	put_activities(&out, phase);
	if (phase->n_cores)
		(void)es_buf_printf(&out, " %s=%u", keys[CORES], phase->n_cores);
	if (phase->n_gpus)
		(void)es_buf_printf(&out, " %s=%u", keys[GPUS], phase->n_gpus);
	if (phase->gpu_instance)
		(void)es_buf_printf(&out, " %s=%u", keys[INSTANCE], phase->gpu_instance);
	(void)snprintf(text, size, "%.*s", (int)out.len, out.error ? "" : (const char *)out.data);
	es_buf_finish(&out);
	return text;
}
