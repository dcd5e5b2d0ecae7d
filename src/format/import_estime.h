/*
 * import_estime.h - when the rows of a raw dump were read
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_IMPORT_ESTIME_H
#define ES_FORMAT_IMPORT_ESTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/import_esdump.h"
#include "format/import_place.h"

#define ES_ESTIME_NONE INT64_MIN

/** struct es_estime_sweep - one pass of the original tool over its registers */
struct es_estime_sweep {
	int64_t first_ns, last_ns; /* of its stamps; ES_ESTIME_NONE: it has none */
};

/**
 * struct es_estime - the time line of a node; zero-initialise, free with es_estime_finish()
 *
 * Its zero is the earliest first stamp of all packages. The counters of packages run in step; where one is off by
 * more than 10 s in all sweeps it is taken for one that started at another time, and put in step.
 */
struct es_estime {
	const struct es_dump *dump; /* borrowed */
	int64_t *stamp_ns; /* of each stamp of the dump; ES_ESTIME_NONE: not believable. Owned */
	struct es_estime_sweep *sweeps; /* owned */
	int64_t period_ns; /* planned */
	int64_t usual_ns; /* median distance of sweeps */
	uint32_t n_out_of_step; /* packages whose counter was put in step */
	bool is_planned; /* there are no stamps at all: sweeps are put where they were planned */
};

/** es_estime_init - @khz: what each package's counter runs at (by index of dump->phys); 0, -EINVAL (@period_ns), -ENOMEM */
int es_estime_init(struct es_estime *time, const struct es_dump *dump, const uint64_t *khz,
		   int64_t period_ns);
void es_estime_finish(struct es_estime *time);

/**
 * es_estime_readings - the readings of a channel with their times
 * @ret: room for channel->n
 *
 * A package's energy is read after its own stamp and before the next stamp in the file: where that is later than
 * usual, the reading is unsure by as much. GPU rows have no stamp and nobody says when in the sweep they are read:
 * they get the stamp nearest before them in their sweep, and are unsure by what the time from the last stamp of the
 * sweep before to the first of the next one is longer than usual. So whatever their true place is, it is a constant
 * one when nothing was delayed, and not relied on when something was.
 *
 * Returns how many there are: rows of sweeps without a stamp are left out.
 */
size_t es_estime_readings(const struct es_estime *time, const struct es_dump_channel *channel,
			  struct es_place_reading *ret);

#endif
