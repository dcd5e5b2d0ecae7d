/*
 * survey.h - opening all meters, watching them, and settling what can be trusted
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CLI_SURVEY_H
#define ES_CLI_SURVEY_H

#include <stdbool.h>

#include "base/error.h"
#include "cli/hidden.h"
#include "cli/meters.h"
#include "cli/through.h"
#include "core/cover.h"
#include "sampler/sampler.h"
#include "sys/machine.h"
#include "sys/root.h"

/** struct es_unmeasured - a part of the machine that no chosen domain covers */
struct es_unmeasured {
	char what[ES_NAME_MAX_BYTES], reason[ES_NAME_MAX_BYTES], fix[ES_NAME_MAX_BYTES];
};

#define ES_UNMEASURED_MAX 64U

/** struct es_survey_failures - reads of a domain while it was watched */
struct es_survey_failures {
	unsigned n_reads, n;
	int last; /* negative errno */
	int64_t slowest_ns;
	int64_t seen_ns; /* time of the last one */
	uint64_t n_rejected, n_resets; /* values that fitted nothing; counters that began anew */
};

/** struct es_survey - the meters of a machine with states and covers settled; es_survey_finish() it */
struct es_survey {
	struct es_root root;
	struct es_machine machine;
	struct es_hidden hidden; /* by the container's runtime */
	struct es_sampler *sampler;
	struct es_through through; /* its daemon, where it is read */
	struct es_domain *domains; /* of the sampler */
	size_t n_domains;
	struct es_evidence *evidence; /* owned; NULL without a probe */
	struct es_survey_failures *failures; /* [n_domains], likewise */
	struct es_unmeasured *unmeasured; /* owned */
	size_t n_unmeasured;
};

/** struct es_survey_options */
struct es_survey_options {
	const char *root; /* NULL: this machine */
	int64_t as_uid; /* -1: nobody else */
	const struct es_meters *meters; /* that the user named; borrowed; NULL: none */
	const char *daemon; /* --daemon; NULL: where it is needed */
	bool is_unwatched; /* do not keep the packages busy for a second */
	enum es_psys_policy psys;
};

/** es_survey_is_twin - the tree is a simulated node, which is no copy of a machine */
bool es_survey_is_twin(const struct es_root *root);
/** es_survey_make - 0 or negative errno with @err */
int es_survey_make(const struct es_survey_options *options, struct es_survey *ret,
		   struct es_error *err);
void es_survey_finish(struct es_survey *survey);

/** es_survey_source_state - a source's state: its best domain's, absent without one */
enum es_domain_state es_survey_source_state(const struct es_survey *survey,
					    const struct es_sampler_source *source);

#endif
