/*
 * carbon_entsoe.c - generation by type as ENTSO-E's transparency platform gives it (XML), into intensities
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/dl.h"
#include "base/parse.h"
#include "format/carbon_mix.h"

#define LIBRARY "libexpat.so.1"
#define PACKAGE "libexpat1"
#define DEPTH_MAX 16U
#define NAME_MAX_BYTES 64U
#define TEXT_MAX_BYTES 128U
#define CHUNK_BYTES 65536U
#define AREAS_MAX 64U
#define POINTS_MAX 1000000 /* of one period */
#define MW_MAX 10e6 /* of one type: more than a continent has */

/* What we call of expat, declared here so that building needs no header of it. */
typedef void (*start_fn)(void *arg, const char *name, const char **attributes);
typedef void (*end_fn)(void *arg, const char *name);
typedef void (*text_fn)(void *arg, const char *text, int n);
typedef void (*doctype_fn)(void *arg, const char *name, const char *system, const char *public,
			   int has_subset);

struct library {
	struct es_dl dl;
	void *(*create)(const char *encoding);
	void (*free)(void *parser);
	void (*set_arg)(void *parser, void *arg);
	void (*set_elements)(void *parser, start_fn start, end_fn end);
	void (*set_text)(void *parser, text_fn text);
	void (*set_doctype)(void *parser, doctype_fn doctype);
	int (*parse)(void *parser, const char *text, int n, int is_last);
	int (*stop)(void *parser, unsigned char is_resumable);
	int (*error)(void *parser);
	const char *(*error_text)(int error);
	unsigned long (*line)(void *parser);
};

/* The period being read: its points come one after the other. */
struct period {
	char start[64], end[64], resolution[16];
	int64_t start_ns, end_ns, step_ns, n_points, last;
	bool is_open; /* its times are known */
};

struct reading {
	struct es_carbon_file *file;
	struct es_error *err;
	struct library library;
	void *parser;
	int error; /* ours; expat's are told when it ends */
	char path[DEPTH_MAX][NAME_MAX_BYTES];
	unsigned depth;
	char text[TEXT_MAX_BYTES];
	size_t n_text;
	bool is_generation, is_answer; /* the document it is; an answer: in place of data */
	struct es_mix mixes[AREAS_MAX];
	size_t n_mixes;
	/* The series being read */
	char psr[8], area[32];
	bool is_consumption, has_blocks; /* blocks: curveType A03, a point holds up to the next */
	struct es_mix_interval *intervals;
	size_t n, cap;
	struct period period;
	int64_t position;
	double quantity; /* megawatts */
	bool has_quantity;
};

static int open_library(struct library *l, const char *name, const char *library,
			struct es_error *err)
{
	const struct es_dl_symbol symbols[] = {
		{ "XML_ParserCreate", &l->create, true },
		{ "XML_ParserFree", &l->free, true },
		{ "XML_SetUserData", &l->set_arg, true },
		{ "XML_SetElementHandler", &l->set_elements, true },
		{ "XML_SetCharacterDataHandler", &l->set_text, true },
		{ "XML_SetStartDoctypeDeclHandler", &l->set_doctype, true },
		{ "XML_Parse", &l->parse, true },
		{ "XML_StopParser", &l->stop, true },
		{ "XML_GetErrorCode", &l->error, true },
		{ "XML_ErrorString", &l->error_text, true },
		{ "XML_GetCurrentLineNumber", &l->line, true },
	};
	struct es_error why = { .code = 0 };
	int r = es_dl_open(&l->dl, library ? library : LIBRARY, symbols, ES_ARRAY_SIZE(symbols),
			   &why);

	if (r < 0)
		return es_error_say(err, r,
				    "cannot read XML '%s': %s; install the package " PACKAGE, name,
				    why.text);
	return 0;
}

static uint32_t line_of(const struct reading *reading)
{
	return (uint32_t)reading->library.line(reading->parser);
}

/* What is wrong here; nothing more is read. */
static void refuse(struct reading *reading, int code, const char *what, const char *text)
{
	if (reading->error)
		return;
	reading->error = es_carbon_bad(reading->file, code, NULL, line_of(reading), reading->err,
				       "%s%s%.80s%s", what, text[0] ? " '" : "", text,
				       text[0] ? "'" : "");
	(void)reading->library.stop(reading->parser, 0);
}

/* Names without their prefix: the same elements come as ns:Point elsewhere. */
static const char *local_name(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon ? colon + 1 : name;
}

static bool is_at(const struct reading *reading, unsigned above, const char *name)
{
	return reading->depth > above &&
	       strcmp(reading->path[reading->depth - 1 - above], name) == 0;
}

static int64_t parse_step(const char *text)
{
	char unit[8];
	char number[8];
	uint64_t n;

	if (strcmp(text, "P1D") == 0)
		return 86400 * ES_NS_PER_S;
	if (sscanf(text, "PT%4[0-9]%1[MH]", number, unit) != 2 || strlen(text) > 7 ||
	    es_parse_u64(number, &n) < 0 || n == 0)
		return 0;
	return (int64_t)n * (unit[0] == 'M' ? 60 : 3600) * ES_NS_PER_S;
}

/* Before the first point of a period: its times. */
static bool open_period(struct reading *reading)
{
	struct period *p = &reading->period;

	if (p->is_open)
		return true;
	p->step_ns = parse_step(p->resolution);
	if (p->step_ns == 0)
		refuse(reading, -EBADMSG, "no resolution like PT15M or PT60M:", p->resolution);
	else if (es_carbon_time(p->start, false, &p->start_ns) < 0)
		refuse(reading, -EBADMSG, "no time with its zone:", p->start);
	else if (es_carbon_time(p->end, false, &p->end_ns) < 0)
		refuse(reading, -EBADMSG, "no time with its zone:", p->end);
	else if (p->end_ns <= p->start_ns || (p->end_ns - p->start_ns) % p->step_ns != 0 ||
		 (p->end_ns - p->start_ns) / p->step_ns > POINTS_MAX)
		refuse(reading, -EBADMSG,
		       "the period is no multiple of its resolution:", p->resolution);
	if (reading->error || p->step_ns <= 0)
		return false;
	p->n_points = (p->end_ns - p->start_ns) / p->step_ns;
	p->is_open = true;
	return true;
}

static void add_interval(struct reading *reading, const struct es_mix_interval *interval)
{
	size_t cap = reading->cap ? 2 * reading->cap : 64;
	struct es_mix_interval *larger;

	if (reading->n == reading->cap) {
		larger = cap > ES_MIX_INTERVALS_MAX
				 ? NULL
				 : reallocarray(reading->intervals, cap, sizeof(*larger));
		if (!larger) {
			refuse(reading, cap > ES_MIX_INTERVALS_MAX ? -E2BIG : -ENOMEM,
			       "too many points", "");
			return;
		}
		reading->intervals = larger;
		reading->cap = cap;
	}
	reading->intervals[reading->n++] = *interval;
}

static void end_point(struct reading *reading)
{
	struct period *p = &reading->period;
	struct es_mix_interval interval = { .line = line_of(reading) };

	if (!open_period(reading))
		return;
	if (reading->position <= p->last || reading->position > p->n_points) {
		refuse(reading, -EBADMSG, "a point that is not in its place in the period", "");
		return;
	}
	if (!reading->has_quantity) {
		refuse(reading, -EBADMSG, "a point without quantity", "");
		return;
	}
	interval.start_ns = p->start_ns + (reading->position - 1) * p->step_ns;
	interval.stop_ns = interval.start_ns + p->step_ns;
	interval.power_mw = (uint64_t)(reading->quantity * 1e9 + 0.5);
	if (reading->has_blocks && p->last > 0)
		reading->intervals[reading->n - 1].stop_ns = interval.start_ns;
	p->last = reading->position;
	add_interval(reading, &interval);
}

static void end_period(struct reading *reading)
{
	struct period *p = &reading->period;

	if (reading->has_blocks && p->is_open && p->last > 0)
		reading->intervals[reading->n - 1].stop_ns = p->end_ns;
	*p = (struct period){ .last = 0 };
}

static struct es_mix *mix_of(struct reading *reading, const char *zone)
{
	for (size_t i = 0; i < reading->n_mixes; i++)
		if (strcmp(reading->mixes[i].zone, zone) == 0)
			return &reading->mixes[i];
	if (reading->n_mixes == AREAS_MAX)
		return NULL;
	(void)snprintf(reading->mixes[reading->n_mixes].zone, 32, "%s", zone);
	return &reading->mixes[reading->n_mixes++];
}

/* A series is whole: its type and area are known now, wherever they stood. */
static void end_series(struct reading *reading)
{
	const struct es_generation *generation = es_generation_find(reading->psr);
	const char *zone = es_eic_zone(reading->area);
	struct es_mix *mix;
	int type, r = 0;

	if (reading->is_consumption)
		goto done;
	if (!generation) {
		refuse(reading, -EBADMSG, "no type of generation that is known:",
		       reading->psr[0] ? reading->psr : "(none)");
		goto done;
	}
	if (generation->role == ES_GENERATION_STORAGE)
		goto done;
	if (!reading->area[0]) {
		refuse(reading, -EBADMSG, "a series of no area", "");
		goto done;
	}
	mix = mix_of(reading, zone ? zone : reading->area);
	type = mix ? es_mix_type(mix, generation) : -E2BIG;
	for (size_t i = 0; type >= 0 && r == 0 && i < reading->n; i++) {
		reading->intervals[i].type = (uint8_t)type;
		r = es_mix_add(mix, &reading->intervals[i]);
	}
	if (type < 0 || r < 0)
		refuse(reading, -E2BIG, "too many areas, types or points", "");
done:
	reading->n = 0;
	reading->psr[0] = reading->area[0] = '\0';
	reading->is_consumption = reading->has_blocks = false;
}

/* Elsewhere they would end what is still being read: a series in a period, a point in no period. */
static bool is_out_of_place(const struct reading *reading, const char *local)
{
	static const struct {
		const char *name;
		unsigned depth;
		const char *parent;
	} places[] = {
		{ "TimeSeries", 2, "GL_MarketDocument" },
		{ "Period", 3, "TimeSeries" },
		{ "Point", 4, "Period" },
	};

	for (size_t i = 0; i < ES_ARRAY_SIZE(places); i++)
		if (strcmp(local, places[i].name) == 0)
			return reading->depth != places[i].depth ||
			       !is_at(reading, 1, places[i].parent);
	return false;
}

static void on_start(void *arg, const char *name, const char **attributes)
{
	struct reading *reading = arg;
	const char *local = local_name(name);

	(void)attributes;
	if (reading->error)
		return;
	if (reading->depth >= DEPTH_MAX) {
		refuse(reading, -EBADMSG, "nested too deep", "");
		return;
	}
	(void)snprintf(reading->path[reading->depth++], NAME_MAX_BYTES, "%.63s", local);
	reading->n_text = 0;
	if (reading->depth == 1) {
		reading->is_generation = strcmp(local, "GL_MarketDocument") == 0;
		reading->is_answer = strcmp(local, "Acknowledgement_MarketDocument") == 0;
	}
	if (reading->is_generation && is_out_of_place(reading, local))
		refuse(reading, -EBADMSG, "an element that has no place there:", local);
	if (strcmp(local, "Point") == 0) {
		reading->position = 0;
		reading->has_quantity = false;
	}
}

static void on_text(void *arg, const char *text, int n)
{
	struct reading *reading = arg;
	size_t room = sizeof(reading->text) - 1 - reading->n_text, more = n > 0 ? (size_t)n : 0;

	/* Longer texts are remarks: what is read here is short, and refused where it is not. */
	memcpy(reading->text + reading->n_text, text, more < room ? more : room);
	reading->n_text += more < room ? more : room;
}

/* Entities are how a small file becomes a large one; these documents have none. */
static void on_doctype(void *arg, const char *name, const char *system, const char *public,
		       int has_subset)
{
	(void)name;
	(void)system;
	(void)public;
	(void)has_subset;
	refuse(arg, -EBADMSG, "a document type declaration: not taken from anybody", "");
}

/* Into @to where this is its element; too long is wrong. */
static bool take_text(struct reading *reading, const char *parent, const char *name, char *to,
		      size_t size)
{
	if (!is_at(reading, 0, name) || !is_at(reading, 1, parent))
		return false;
	if (reading->n_text >= size)
		refuse(reading, -EBADMSG, "too long a text:", reading->text);
	else
		memcpy(to, reading->text, reading->n_text + 1);
	return true;
}

static void take_value(struct reading *reading)
{
	struct period *p = &reading->period;
	char text[TEXT_MAX_BYTES] = "";

	if (take_text(reading, "Point", "position", text, sizeof(text))) {
		if (es_parse_i64(text, &reading->position) < 0 || reading->position < 1)
			refuse(reading, -EBADMSG, "no position:", text);
	} else if (take_text(reading, "Point", "quantity", text, sizeof(text))) {
		reading->has_quantity = es_parse_double(text, &reading->quantity) == 0 &&
					reading->quantity >= 0 && reading->quantity <= MW_MAX;
		if (!reading->has_quantity)
			refuse(reading, -EBADMSG, "no quantity in MW:", text);
	} else if (take_text(reading, "timeInterval", "start", text, sizeof(p->start))) {
		memcpy(p->start, text, sizeof(p->start));
	} else if (take_text(reading, "timeInterval", "end", text, sizeof(p->end))) {
		memcpy(p->end, text, sizeof(p->end));
	} else if (take_text(reading, "Period", "resolution", text, sizeof(p->resolution))) {
		memcpy(p->resolution, text, sizeof(p->resolution));
	}
}

static void take_series_value(struct reading *reading)
{
	char text[TEXT_MAX_BYTES] = "";

	if (take_text(reading, "MktPSRType", "psrType", text, sizeof(reading->psr))) {
		memcpy(reading->psr, text, sizeof(reading->psr));
	} else if (take_text(reading, "TimeSeries", "inBiddingZone_Domain.mRID", text,
			     sizeof(reading->area))) {
		memcpy(reading->area, text, sizeof(reading->area));
	} else if (take_text(reading, "TimeSeries", "outBiddingZone_Domain.mRID", text,
			     sizeof(text))) {
		reading->is_consumption = true;
	} else if (take_text(reading, "TimeSeries", "curveType", text, sizeof(text))) {
		reading->has_blocks = strcmp(text, "A03") == 0;
		if (!reading->has_blocks && strcmp(text, "A01") != 0)
			refuse(reading, -EBADMSG, "curveType is A01 or A03, not", text);
	} else if (take_text(reading, "TimeSeries", "quantity_Measure_Unit.name", text,
			     sizeof(text))) {
		if (strcmp(text, "MAW") != 0)
			refuse(reading, -EBADMSG, "the unit is not MAW (megawatt):", text);
	} else if (take_text(reading, "GL_MarketDocument", "type", text, sizeof(text))) {
		if (strcmp(text, "A75") != 0)
			refuse(reading, -EBADMSG,
			       "the document is not A75 (actual generation per type):", text);
	}
}

static void take_answer(struct reading *reading)
{
	char text[TEXT_MAX_BYTES] = "";

	if (take_text(reading, "Reason", "text", text, sizeof(text)))
		refuse(reading, -ENODATA, "an answer without data:", text);
}

static void take_element(struct reading *reading, const char *local)
{
	take_value(reading);
	if (reading->error == 0)
		take_series_value(reading);
	if (reading->error)
		return;
	if (strcmp(local, "Point") == 0)
		end_point(reading);
	else if (strcmp(local, "Period") == 0)
		end_period(reading);
	else if (strcmp(local, "TimeSeries") == 0)
		end_series(reading);
}

static void on_end(void *arg, const char *name)
{
	struct reading *reading = arg;

	if (reading->error)
		return;
	while (reading->n_text > 0 && (unsigned char)reading->text[reading->n_text - 1] <= ' ')
		reading->n_text--;
	reading->text[reading->n_text] = '\0';
	if (reading->is_generation)
		take_element(reading, local_name(name));
	else if (reading->is_answer)
		take_answer(reading);
	reading->depth--;
	reading->n_text = 0;
}

static int parse(struct reading *reading, const char *data, size_t n)
{
	struct library *l = &reading->library;

	l->set_arg(reading->parser, reading);
	l->set_elements(reading->parser, on_start, on_end);
	l->set_text(reading->parser, on_text);
	l->set_doctype(reading->parser, on_doctype);
	for (size_t at = 0; at < n;) {
		size_t part = n - at < CHUNK_BYTES ? n - at : CHUNK_BYTES;
		int is_right = l->parse(reading->parser, data + at, (int)part, at + part == n);

		if (reading->error)
			return reading->error;
		if (is_right != 1) {
			const char *why = l->error_text(l->error(reading->parser));

			return es_carbon_bad(reading->file, -EBADMSG, NULL, line_of(reading),
					     reading->err, "this is no XML: %s",
					     why ? why : "unreadable");
		}
		at += part;
	}
	return reading->is_generation ? 0 : 1;
}

static int put_mixes(struct reading *reading)
{
	struct es_carbon_nature nature = { .source = "ENTSO-E x IPCC AR5 medians",
					   .kind = ES_FACTOR_AVERAGE,
					   .scope = ES_FACTOR_LIFECYCLE };
	int r = 0;

	for (size_t i = 0; r == 0 && i < reading->n_mixes; i++) {
		memcpy(nature.zone, reading->mixes[i].zone, sizeof(nature.zone));
		r = es_mix_put(&reading->mixes[i], reading->file, &nature, reading->err);
	}
	return r;
}

int es_carbon_read_entsoe(struct es_carbon_file *file, const char *data, size_t n,
			  struct es_error *err)
{
	struct reading *reading = calloc(1, sizeof(*reading));
	int r;

	if (!reading)
		return es_error_set(err, -ENOMEM, "cannot read XML");
	reading->file = file;
	reading->err = err;
	r = open_library(&reading->library, file->parts[file->n_parts - 1].name, file->xml_library,
			 err);
	if (r == 0) {
		reading->parser = reading->library.create(NULL);
		r = reading->parser ? parse(reading, data, n)
				    : es_error_set(err, -ENOMEM, "cannot read XML");
	}
	if (r == 0)
		r = put_mixes(reading);
	if (reading->parser)
		reading->library.free(reading->parser);
	es_dl_close(&reading->library.dl);
	for (size_t i = 0; i < reading->n_mixes; i++)
		es_mix_finish(&reading->mixes[i]);
	free(reading->intervals);
	free(reading);
	return r;
}
