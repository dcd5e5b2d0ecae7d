/*
 * profile.h - power over time, as an eprofile and as CSV
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_PROFILE_H
#define ES_FORMAT_PROFILE_H

#include <stdbool.h>

#include "base/json.h"
#include "core/series.h"
#include "format/report.h"

/** struct es_profile_options - what part of the recording, and how fine */
struct es_profile_options {
	bool is_full; /* a point for each planned period, however many; else at most ES_PROFILE_POINTS_MAX, averaged */
	bool has_layout_2022; /* the profile nested under data.data, as the original tool wrote it */
	const char *const *domains; /* names or ids to show; NULL: all */
	size_t n_domains;
	int64_t from_ns, to_ns; /* boot clock; 0: all */
};

/** struct es_profile - binned energies of a recording's domains; es_profile_finish() it */
struct es_profile {
	const struct es_report *report; /* borrowed */
	int64_t start_ns, stop_ns, bin_ns;
	size_t n_bins;
	struct es_series *series; /* [domain]; n_bins 0 for those not shown */
	struct es_series *
		temps; /* [signal] of temperatures, in thousandths of a degree; NULL: none was recorded */
	bool are_borrowed; /* the report gathered the bins, and keeps them */
};

/** es_profile_build - bin a recording whose report was made; 0, -ENODATA: no readings there, -ENOMEM, read errors */
int es_profile_build(struct es_recording *recording, const struct es_report *report,
		     const struct es_profile_options *options, struct es_profile *ret,
		     struct es_error *err);
void es_profile_finish(struct es_profile *profile);

/** es_profile_shows - whether the options select a domain */
bool es_profile_shows(const struct es_profile_options *options, const struct es_report *report,
		      size_t domain);

/**
 * es_eprofile_write - the eprofile JSON (doc/formats.md) to a sink
 *
 * Powers have three decimals; what is not known is null. Energies of tags and domains are exact, so that importing
 * the file gives the same numbers. Returns 0 or the sink's error.
 */
int es_eprofile_write(const struct es_profile *profile, const struct es_profile_options *options,
		      es_json_sink_fn write, void *sink);

/** es_csv_put_field - quoted where it must be: names come from outside */
void es_csv_put_field(struct es_buf *out, const char *text);

/** es_profile_csv - every sample at full resolution: time,node,domain,power_w,energy_j (cumulative), streamed to @fd */
int es_profile_csv(struct es_recording *recording, const struct es_report *report,
		   const struct es_profile_options *options, int fd);

#endif
