/*
 * report.h - what a recording says, in numbers ready to be shown
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_FORMAT_REPORT_H
#define ES_FORMAT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "core/cover.h"
#include "core/model.h"
#include "core/series.h"
#include "core/watch.h"
#include "format/carbon.h"
#include "format/report_activity.h"
#include "format/report_baseline.h"
#include "format/report_daemon.h"
#include "format/report_launch.h"
#include "format/report_model.h"
#include "format/report_releases.h"
#include "format/report_share.h"
#include "format/report_shared.h"
#include "format/report_signals.h"
#include "format/report_unseen.h"
#include "record/recording.h"

struct es_merge;
struct es_tagfile;

/** struct es_report_window - when a node was measured, boot clock */
struct es_report_window {
	bool is_known;
	int64_t start_ns, stop_ns;
};

/** struct es_report_options - what a report needs beside the recording; texts borrowed */
struct es_report_options {
	double pue;
	const char *pue_source; /* "option --pue", "default: in a VM" */
	struct es_carbon_factor carbon; /* zone NULL: carbon is not known */
	const char *zone_source;
	struct es_carbon_options footprint;
	const struct es_node_model *model;
	const struct es_report_calibrations *calibrations; /* with the model "none"; NULL: none */
	enum es_psys_policy psys;
	int64_t from_ns, to_ns; /* restrict to this part, boot clock; 0: all */
	bool is_live; /* its job runs: the recording has no end yet */
	bool has_profile; /* a profile of the whole follows: its bins are gathered while the report is */
	const struct es_merge *merge; /* of a recording that was joined; NULL: it was not */
	const struct es_tagfile *tags; /* tags beside the recording's own; NULL: none */
};

#define ES_PROFILE_POINTS_MAX 10000U

/** struct es_report_domain - one domain over the job */
struct es_report_domain {
	const struct es_domain *domain; /* of the report, its state settled */
	bool is_known; /* else nothing valid was read, or it should have moved and did not */
	uint64_t energy_uj; /* with what was filled in over gaps */
	uint64_t filled_uj; /* of that: mean power times the time of gaps; estimated, but for @held_uj */
	uint64_t held_uj; /* of that: a power held from its last reading to the end, or to its first one; integrated */
	double uncertainty_j;
	double accuracy_j; /* of that, what the meter's rated accuracy allows: the same way all the time */
	double unknown_j; /* of that, what gaps, standing counters and slow reads leave open */
	/* Where the counter stood still though it never does, boot clock: still_ns in all. Of lost_ns not even the sum is known. */
	int64_t still_from_ns, still_to_ns, still_ns, lost_ns;
	double still_w; /* the most it may have drawn meanwhile; times lost_ns it is in uncertainty_j */
	uint64_t mean_mw, max_mw;
	int64_t covered_ns;
	int64_t gap_ns; /* over which filled_uj is spread */
	int64_t silent_ns[2]; /* of that, at the start and at the end */
	int64_t held_ns; /* of that: shorter than a hole */
	bool is_lacking; /* a part of the node that nothing stands for: the total is without it */
};

/** struct es_work - units of work done in a stretch of time */
struct es_work {
	bool is_known; /* else nothing was counted; unit may be set all the same */
	char unit[64];
	double amount;
	double amount_bound; /* the most it can be wrong by */
	bool has_j_per_unit; /* energy is known and the amount is not 0 */
	double j_per_unit, uncertainty_j_per_unit;
};

/** struct es_report_work - one unit over the whole and by region; the whole has the node's energy */
struct es_report_work {
	struct es_work total;
	char remark[ES_NAME_MAX_BYTES]; /* why nothing was counted, or what the count lacks; "": nothing */
	struct es_work *by_region; /* [n_regions] owned */
};

/** enum es_region_method - how the energy of a region came about (doc/regions.md) */
enum es_region_method {
	ES_REGION_INTERPOLATED, /* cumulative energy at its edges */
	ES_REGION_FITTED, /* many short calls: from how its share of the time varies between readings */
	ES_REGION_INSEPARABLE, /* its share does not vary: only the sum with others is known */
};

#define ES_REPORT_NO_GROUP SIZE_MAX

/** struct es_report_region - a tag; es_total and es_appli_total among them */
struct es_report_region {
	char name[ES_NAME_MAX_BYTES];
	int64_t start_ns, stop_ns; /* boot clock, first start and last stop */
	int64_t dur_ns; /* sum over its calls */
	uint32_t n_calls;
	enum es_region_method method;
	bool is_known; /* its energy; false also where it is inseparable */
	uint64_t energy_uj; /* of the fine cover, all that ran inside included */
	double uncertainty_j; /* half width of a 95 % interval */
	uint64_t *by_domain_uj; /* [meta->n_domains] of energy_uj, 0 outside of the fine cover; NULL: not known. Owned */

	/* Of energy_uj, what no region inside took; of the automatic ones it is not asked. */
	bool has_exclusive;
	int64_t exclusive_ns;
	uint64_t exclusive_uj;
	size_t group; /* in report->groups, whose sum is all that is known of it; ES_REPORT_NO_GROUP: exclusive_uj is */
	struct es_work work; /* of the first unit counted */
};

/** struct es_report_group - exclusive regions that no reading tells apart */
struct es_report_group {
	size_t *regions; /* [n_regions] indices, owned */
	size_t n_regions;
	bool has_untagged; /* what no region took is one of them */
	int64_t dur_ns;
	uint64_t energy_uj;
	double uncertainty_j;
};

/** struct es_report_call - one call of a region; nested calls of one name are one */
struct es_report_call {
	size_t region; /* in report->regions */
	int64_t start_ns, stop_ns; /* boot clock */
};

#define ES_REPORT_CALLS_KEPT_MAX (1U << 17)

/** struct es_report_untagged - what no region took */
struct es_report_untagged {
	bool is_known; /* else it is in a group */
	int64_t dur_ns;
	uint64_t energy_uj;
};

/** struct es_report_gap - an interval without valid readings, or between readings too far apart */
struct es_report_gap {
	uint32_t node;
	int64_t start_ns, stop_ns;
	bool has_energy; /* a counter went on: only the profile is unknown in it, not the sum */
};

/** struct es_report_fault - one thing that went wrong with the readings of a domain, from first to last */
struct es_report_fault {
	size_t domain;
	const char *name; /* "read_failed", "vanished", "rejected", "stood_still" … */
	char code[16]; /* of a failed read: "EIO"; "" where the readings themselves tell */
	uint64_t n;
	int64_t first_ns, last_ns; /* boot clock */
	int64_t longest_ns; /* of slow reads */
	char text[128];
};

/** struct es_report_cpus - hardware threads online, where that changed meanwhile */
struct es_report_cpus {
	unsigned n_changes;
	uint32_t first, last, least, most;
};

struct es_insight;

#define ES_REPORT_FAULTS_MAX 128U /* likewise */
#define ES_REPORT_GAPS_MAX 256U /* shown one by one; all are counted */

/** struct es_report - owned by its user, es_report_finish() it; borrows the recording and the options' texts */
struct es_report {
	const struct es_meta *meta;
	struct es_report_options options;
	struct es_domain *domains; /* [meta->n_domains], states settled, covers chosen */
	struct es_evidence *evidence;
	struct es_report_domain *by_domain; /* [meta->n_domains] */
	struct es_report_region *regions;
	size_t n_regions;
	struct es_report_call *
		calls; /* of all regions but the automatic ones, sorted by start; the first ES_REPORT_CALLS_KEPT_MAX */
	size_t n_calls;
	bool calls_are_cut; /* there are more */
	struct es_report_group *groups;
	size_t n_groups;
	struct es_report_untagged
		untagged; /* exclusive energies, groups and this are fine_uj, to one unit */
	struct es_work
		work; /* of the command, with the energy of the node; of the first unit counted */
	struct es_report_work *works; /* format/work.h; all units counted, or asked for */
	size_t n_works;
	struct es_insight *insights; /* format/insights.h */
	size_t n_insights;
	struct es_series *series; /* [meta->n_domains] bins of a profile; NULL: not gathered */
	int64_t bin_ns; /* of those */
	struct es_report_gap *gaps; /* the longest ones, in order of time */
	size_t n_gaps, n_gaps_kept;
	struct es_report_release releases[ES_REPORT_RELEASES_MAX];
	size_t n_releases; /* all, also those that are not told */
	struct es_report_gap last_gap; /* while they are gathered */
	bool has_last_gap;
	int64_t shortest_gap_ns; /* likewise: no shorter one is kept any more */
	bool has_lost_energy; /* one of them is a gap in what is known of the energy */
	int64_t gap_ns; /* sum */
	struct es_report_fault *faults;
	size_t n_faults, n_faults_total;
	bool lacks_part; /* a domain is_lacking */
	struct es_report_cpus cpus;

	bool is_joined; /* it is of several recordings */
	struct es_report_window
		*windows; /* [n_nodes] of recordings that were joined; NULL: all of it. Owned */
	bool has_start; /* at least one reading */
	int64_t start_ns, stop_ns; /* of the acquisition, boot clock */
	bool has_command_start, has_command_stop;
	int64_t command_start_ns, command_stop_ns;
	int64_t command_status;
	bool is_whole; /* the recording was finished */
	uint64_t lost_bytes;

	bool has_energy; /* else nothing could be said about energy at all */
	unsigned kinds; /* 1 << enum es_kind of each part of the total */
	bool has_estimate; /* a part of the total is an estimate */
	uint64_t fine_uj, total_uj; /* the two covers */
	uint64_t metered_uj; /* of the total, from hardware meters */
	double measured_j, node_j,
		facility_j; /* the chain; measured_j is the total cover, with what is estimated of it */
	double uncertainty_j; /* of node_j */
	double accuracy_j; /* of that, what the meters' rated accuracies allow */
	double time_coverage; /* share of the time with valid readings, mean over the total cover */
	double metered_share; /* share of node_j from hardware meters */
	struct es_report_unseen unseen; /* may come on top of node_j: in uncertainty_j */
	bool has_load;
	double load; /* energy of the packages / (their limits * time) */
	bool has_carbon;
	double gco2;
	struct es_report_carbon carbon; /* what is said of it beyond one number */
	struct es_report_model model;

	uint64_t n_rows, n_missed, n_rejected, n_ambiguous, n_resets, n_wraps, n_failed;
	int64_t mean_period_ns, max_period_ns;
	int64_t own_cpu_ns, child_cpu_ns,
		busy_ns; /* CPU time of the recorder, the command, the machine; -1: not known */
	int64_t suspended_ns, clock_stepped_ns;
	char failed_text[ES_NAME_MAX_BYTES]; /* of the last failed reads */
	char survivors[ES_NAME_MAX_BYTES];
	int64_t attached_pid; /* what was measured ran already: its process; 0: no */
	char attached[64]; /* its name */
	struct es_report_baseline baseline;
	struct es_report_shared shared; /* by which rules a job has its part of a node */
	struct es_report_share share; /* of the command, beside the node's */
	struct es_report_signal *
		signals; /* [n_signals] those of the recording, in its order; format/report_signals.h */
	size_t n_signals;
	struct es_report_activity activity;
	struct es_report_launch launch; /* who started the command, as one of how many */
	struct es_report_daemon daemon; /* through whom the readings came */
};

/**
 * es_report_build - walk the recording and make its report
 * The walk is done again only where tags are too many, out of order or in a recording with gaps.
 * Returns 0, or negative errno with @err.
 */
int es_report_build(struct es_recording *recording, const struct es_report_options *options,
		    struct es_report *ret, struct es_error *err);
void es_report_finish(struct es_report *report);

/** es_report_quality - "high", "medium" or "low", by how well the plan was kept; thresholds in report.c */
const char *es_report_quality(const struct es_report *report);

/** es_report_kind - the kind of the total's joules, "mixed" where there are several, NULL where none is known */
const char *es_report_kind(const struct es_report *report);

/** es_report_is_metered - a meter gave a part of the total, be it 0 J */
bool es_report_is_metered(const struct es_report *report);

/** es_report_window - when @node was measured: each of several that were joined began and ended by itself */
struct es_report_window es_report_window(const struct es_report *report, uint32_t node);

/** es_report_unix_ns - a time on the boot clock as wall-clock time */
int64_t es_report_unix_ns(const struct es_report *report, int64_t t_boot_ns);

/** es_report_period_ns - how fine a picture its readings give */
int64_t es_report_period_ns(const struct es_report *report);
/** es_report_line - the job line (interfaces: byte for byte); @is_short folds long node lists; appended to @out without newline */
int es_report_line(const struct es_report *report, bool is_short, struct es_buf *out);
/** es_report_table - the table below it, for people; appended to @out */
int es_report_table(const struct es_report *report, struct es_buf *out);
/** es_report_quality_rows - of that table what tells how well was measured: a line "  label      text" each; appended to @out */
int es_report_quality_rows(const struct es_report *report, struct es_buf *out);

struct es_json;
/** es_report_members - the members of energyscopium.report/1 into an open object */
void es_report_members(const struct es_report *report, struct es_json *json);

#endif
