/*
 * profile_signals.h - temperatures in an eprofile, and all signals as CSV
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_PROFILE_SIGNALS_H
#define ES_FORMAT_PROFILE_SIGNALS_H

#include "format/profile.h"

/** es_profile_temperatures - bins of every temperature into @profile, whose other bins are chosen; 0, -ENOMEM, read errors */
int es_profile_temperatures(struct es_recording *recording, struct es_profile *profile);
void es_profile_temperatures_finish(struct es_profile *profile);
/** es_profile_temperatures_json - the member "temperatures(C)"; nothing where none was recorded */
void es_profile_temperatures_json(const struct es_profile *profile, struct es_json *json);

/** es_signals_csv - every value as it was recorded: time,node,device,signal,value,unit, streamed to @fd */
int es_signals_csv(struct es_recording *recording, const struct es_report *report,
		   const struct es_profile_options *options, int fd);

#endif
