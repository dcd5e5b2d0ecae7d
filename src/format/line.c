/*
 * line.c - the job line, byte for byte
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "base/parse.h"
#include "base/text.h"
#include "format/report.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLD_ABOVE 64U /* nodes; fewer are listed one by one even in the short line */

static void put_quoted(struct es_buf *out, const char *name)
{
	(void)es_buf_u8(out, '\'');
	for (const char *p = name; *p; p++) {
		/* As Python writes a string; names come from outside and end in a terminal. */
		if (*p == '\'' || *p == '\\')
			(void)es_buf_u8(out, '\\');
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			(void)es_buf_printf(out, "\\x%02x", (unsigned)(unsigned char)*p);
		else
			(void)es_buf_u8(out, (uint8_t)*p);
	}
	(void)es_buf_u8(out, '\'');
}

/* "n001" -> stem of 1 byte, number 1 of 3 digits; no digits at the end: false. */
static bool split_name(const char *name, size_t *ret_stem, unsigned long *ret_number,
		       size_t *ret_digits)
{
	size_t n = strlen(name), stem = n;

	while (stem > 0 && isdigit((unsigned char)name[stem - 1]))
		stem--;
	if (stem == n || n - stem > 9)
		return false;
	*ret_stem = stem;
	*ret_digits = n - stem;
	*ret_number = strtoul(name + stem, NULL, 10);
	return true;
}

/* How many names from @i on are one stem with numbers that follow each other. */
static size_t run_length(const struct es_node_info *nodes, size_t n, size_t i)
{
	size_t stem, digits, other_stem, other_digits, length = 1;
	unsigned long number, other;

	if (!split_name(nodes[i].name, &stem, &number, &digits))
		return 1;
	while (i + length < n &&
	       split_name(nodes[i + length].name, &other_stem, &other, &other_digits) &&
	       other_stem == stem && other_digits == digits && other == number + length &&
	       strncmp(nodes[i].name, nodes[i + length].name, stem) == 0)
		length++;
	return length;
}

static void put_nodes(struct es_buf *out, const struct es_meta *meta, bool is_folded)
{
	(void)es_buf_u8(out, '[');
	for (size_t i = 0; i < meta->n_nodes;) {
		size_t length = is_folded ? run_length(meta->nodes, meta->n_nodes, i) : 1, stem,
		       digits;
		unsigned long number;

		if (i > 0)
			(void)es_buf_str(out, ", ");
		if (length > 2 && split_name(meta->nodes[i].name, &stem, &number, &digits)) {
			char folded[ES_NAME_MAX_BYTES + 32];

			(void)snprintf(folded, sizeof(folded), "%.*s[%s-%s]", (int)stem,
				       meta->nodes[i].name, meta->nodes[i].name + stem,
				       meta->nodes[i + length - 1].name + stem);
			put_quoted(out, folded);
		} else {
			length = 1;
			put_quoted(out, meta->nodes[i].name);
		}
		i += length;
	}
	(void)es_buf_u8(out, ']');
}

int es_report_line(const struct es_report *report, bool is_short, struct es_buf *out)
{
	const struct es_meta *meta = report->meta;
	double hours = es_s_from_ns(report->stop_ns - report->start_ns) / 3600.0;
	double unknown = (double)NAN;
	char job[ES_NAME_MAX_BYTES];
	char duration[ES_QUANTITY_TEXT_BYTES], node_kwh[ES_QUANTITY_TEXT_BYTES],
		facility_kwh[ES_QUANTITY_TEXT_BYTES], gco2[ES_QUANTITY_TEXT_BYTES];
	const char *zone = report->options.carbon.zone ? report->options.carbon.zone : "n/a";

	(void)es_number_text(report->has_start ? hours : unknown, duration);
	(void)es_number_text(report->has_energy ? report->node_j / ES_J_PER_KWH : unknown,
			     node_kwh);
	(void)es_number_text(report->has_energy ? report->facility_j / ES_J_PER_KWH : unknown,
			     facility_kwh);
	(void)es_number_text(report->has_energy && report->has_carbon ? report->gco2 : unknown,
			     gco2);
	(void)snprintf(job, sizeof(job), "%s", meta->job);
	es_text_make_safe(job, false);
	(void)es_buf_printf(out, "energyscopium jobid<%s> nodes<", job);
	put_nodes(out, meta, is_short && meta->n_nodes > FOLD_ABOVE);
	(void)es_buf_str(out, "> ncpus <");
	if (meta->n_cpus)
		(void)es_buf_printf(out, "%u", meta->n_cpus);
	else
		(void)es_buf_str(out, "n/a");
	return es_buf_printf(
		out,
		"> duration(hour)<%s> estimated energy(kWh)<%s> with adding cooling (PUE=%g): (kWh)<%s> and (gCO2 in %s)<%s>",
		duration, node_kwh, report->options.pue, facility_kwh, zone, gco2);
}
