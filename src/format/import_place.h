/*
 * import_place.h - readings whose times are not sure, kept only as far as the power they imply can be believed
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_IMPORT_PLACE_H
#define ES_FORMAT_IMPORT_PLACE_H

#include <stddef.h>
#include <stdint.h>

/** struct es_place_reading - a counter's value, when it seems to have been read, and how far off that may be */
struct es_place_reading {
	int64_t t_ns;
	int64_t unsure_ns; /* it was read between t_ns and t_ns + unsure_ns, or as much earlier */
	uint64_t value; /* in steps of the counter */
};

/** struct es_place_rule - what is known of a counter */
struct es_place_rule {
	uint64_t unit_num, unit_den; /* one step in µJ */
	unsigned width_bits; /* of the counter: 32 or 64 */
	uint64_t limit_mw; /* its part's power limit; 0: not known */
	uint64_t peak_mw; /* power above which nothing can be true */
	unsigned over_percent; /* how much more than the highest sure power an unsure reading may imply */
	int64_t drop_ns; /* readings that are less sure than this are left out; 0: none are for that alone */
};

struct es_place_result {
	size_t n_unsure; /* left out because their time, or the power they would imply, cannot be believed */
	size_t n_unordered; /* left out because they are no later than one before */
	uint64_t ceiling_mw; /* 0: there was none */
};

/**
 * es_place_sift - leave out the readings whose times would make powers up
 * @readings: in the order they were taken; those that are kept move to the front
 *
 * The counters are cumulative: what a reading would have said, the next one says as well, so leaving one out costs
 * resolution, never energy. The first and the last reading always stay;
 * the last one's time is moved within what it is unsure by, if that makes its power one to believe.
 *
 * A reading is sure when its time is known to 10 % of the interval that it ends. Sure ones stay, whatever they say.
 * Of the others those stay that imply no power above a ceiling: over_percent above the highest mean power over any stretch
 * that is long enough for its own ends to be sure (and 1.2 times the limit, where that is known and higher).
 *
 * Returns how many are kept.
 */
size_t es_place_sift(struct es_place_reading *readings, size_t n, const struct es_place_rule *rule,
		     struct es_place_result *ret);

#endif
