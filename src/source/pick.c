/*
 * source/pick.c - the one number that is meant, out of what a file or a web server shows
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/pick.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/parse.h"
#include "source/json.h"
#include "source/pick_lines.h"

/* A date of today: as seconds 1.7e9, ms 1.7e12, µs 1.7e15, ns 1.7e18. */
static int time_of_number(double t, int64_t *ret_unix_ns)
{
	double factor = t < 1e11 ? 1e9 : t < 1e14 ? 1e6 : t < 1e17 ? 1e3 : 1;

	if (!isfinite(t) || !(t >= 0) || t * factor >= (double)ES_TIME_MAX_NS)
		return -EBADMSG;
	*ret_unix_ns = (int64_t)(t * factor);
	return 0;
}

int es_pick_time(const char *text, int64_t *ret_unix_ns)
{
	int64_t t_ns;
	double t;

	if (es_parse_double(text, &t) == 0)
		return time_of_number(t, ret_unix_ns);
	if (es_time_parse(text, &t_ns) < 0 || t_ns < 0 || t_ns >= ES_TIME_MAX_NS)
		return -EBADMSG;
	*ret_unix_ns = t_ns;
	return 0;
}

static int refuse(struct es_error *err, const char *why)
{
	return es_error_say(err, -EINVAL, "%s", why);
}

static int keep(const char *text, size_t n, char *to, size_t size)
{
	if (n >= size)
		return -EINVAL;
	memcpy(to, text, n);
	to[n] = '\0';
	return 0;
}

/* KEY:VALUE[,KEY:VALUE]… */
static int take_where(const char *text, struct es_pick *pick, struct es_error *err)
{
	while (*text) {
		size_t n = strcspn(text, ","), n_key = strcspn(text, ":,");

		if (n_key == 0 || n_key >= n || pick->n_where == ES_PICK_WHERE_MAX ||
		    keep(text, n_key, pick->where[pick->n_where].key, sizeof(pick->where[0].key)) <
			    0 ||
		    keep(text + n_key + 1, n - n_key - 1, pick->where[pick->n_where].value,
			 sizeof(pick->where[0].value)) < 0)
			return refuse(err,
				      "where= is KEY:VALUE, or several of them with ',' between");
		pick->n_where++;
		text += n + (text[n] == ',');
	}
	return 0;
}

static int take_json(const struct es_pick_words *words, struct es_pick *pick, struct es_error *err)
{
	pick->has_list = words->where || words->list;
	if ((words->time && *words->time != '/') ||
	    (words->list && *words->list && *words->list != '/'))
		return refuse(err,
			      "time= and list= are pointers, like /time, as what follows '#' is");
	if (words->list &&
	    keep(words->list, strlen(words->list), pick->list, sizeof(pick->list)) < 0)
		return refuse(err, "list= is too long");
	return words->where ? take_where(words->where, pick, err) : 0;
}

int es_pick_init(const struct es_pick_words *words, struct es_pick *ret, struct es_error *err)
{
	bool has_pointer = words->fragment && *words->fragment;
	const char *what = has_pointer	   ? words->fragment
			   : words->column ? words->column
			   : words->key	   ? words->key
					   : "";
	struct es_pick pick = { .how = has_pointer     ? ES_PICK_JSON
				       : words->column ? ES_PICK_COLUMN
				       : words->key    ? ES_PICK_KEY
						       : ES_PICK_NUMBER };
	int r = 0;

	if (has_pointer + !!words->column + !!words->key > 1)
		return refuse(err, "one of #/POINTER, column= and key= is enough");
	if (has_pointer && *words->fragment != '/')
		return refuse(err, "what follows '#' is a pointer into JSON and begins with '/'");
	if (!has_pointer && (words->where || words->list))
		return refuse(err,
			      "where= and list= are for JSON: #/POINTER leads into an element");
	if (pick.how == ES_PICK_NUMBER && words->time)
		return refuse(err, "time= needs #/POINTER, column= or key= beside it");
	if (has_pointer)
		r = take_json(words, &pick, err);
	if (r == 0 && (keep(what, strlen(what), pick.what, sizeof(pick.what)) < 0 ||
		       (words->time &&
			keep(words->time, strlen(words->time), pick.time, sizeof(pick.time)) < 0)))
		r = refuse(err, "a pointer, column or key is too long");
	if (r == 0)
		*ret = pick;
	return r;
}

static int json_time(json_t *json, const char *pointer, int64_t *ret_unix_ns)
{
	const json_t *at = es_json_at(json, pointer);

	if (!at || json_is_null(at))
		return -ENODATA;
	if (json_is_number(at))
		return time_of_number(json_number_value(at), ret_unix_ns);
	return json_is_string(at) ? es_pick_time(json_string_value(at), ret_unix_ns) : -EBADMSG;
}

static bool has_all(const struct es_pick *pick, json_t *json)
{
	for (size_t i = 0; i < pick->n_where; i++) {
		const json_t *at = json_object_get(json, pick->where[i].key);
		double wanted, shown;
		bool is_same = json_is_string(at) &&
			       strcmp(json_string_value(at), pick->where[i].value) == 0;

		if (json_is_number(at) && es_parse_double(pick->where[i].value, &wanted) == 0) {
			shown = json_number_value(at);
			is_same = shown <= wanted && shown >= wanted;
		}
		if (!is_same)
			return false;
	}
	return true;
}

/* The newest element that is meant. Without times there may be one only. */
static int choose(const struct es_pick *pick, json_t *list, json_t **ret, struct es_error *err)
{
	int64_t newest_ns = INT64_MIN, t_ns;
	size_t n_found = 0;
	json_t *found = NULL;

	if (!json_is_array(list))
		return es_error_say(err, -EBADMSG, "there is no list at '%.100s'", pick->list);
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *one = json_array_get(list, i);

		if (!has_all(pick, one))
			continue;
		n_found++;
		if (!pick->time[0]) {
			found = one;
			continue;
		}
		if (json_time(one, pick->time, &t_ns) < 0)
			return es_error_say(err, -EBADMSG, "an element has no time at '%.100s'",
					    pick->time);
		if (t_ns > newest_ns) {
			newest_ns = t_ns;
			found = one;
		}
	}
	if (n_found == 0)
		return es_error_say(err, -ENODATA, "no element of %zu is the one of where=",
				    json_array_size(list));
	if (n_found > 1 && !pick->time[0])
		return es_error_say(
			err, -EBADMSG,
			"%zu elements could be meant: narrow where=, or name their time= "
			"to have the newest",
			n_found);
	*ret = found;
	return 0;
}

static int pick_json(const struct es_pick *pick, const char *text, size_t n, struct es_picked *ret,
		     struct es_error *err)
{
	es_cleanup(es_json_decrefp) json_t *json = NULL;
	json_t *of;
	int r = es_json_load(text, n, &json, err);

	if (r < 0)
		return r;
	of = json;
	if (pick->has_list)
		r = choose(pick, es_json_at(json, pick->list), &of, err);
	if (r < 0)
		return r;
	r = es_json_number(es_json_at(of, pick->what), &ret->value);
	if (r < 0)
		return es_error_say(err, r, "%s at '%.200s'",
				    r == -ENODATA ? "nothing" : "no number", pick->what);
	if (!pick->time[0])
		return 0;
	r = json_time(of, pick->time, &ret->t_unix_ns);
	ret->has_time = true;
	return r < 0 ? es_error_say(err, r, "no time at '%.200s'", pick->time) : 0;
}

static int pick_number(const char *text, size_t n, struct es_picked *ret, struct es_error *err)
{
	char number[64];
	size_t begin = 0;

	while (begin < n && isspace((unsigned char)text[begin]))
		begin++;
	while (n > begin && isspace((unsigned char)text[n - 1]))
		n--;
	if (n == begin)
		return es_error_say(err, -ENODATA, "it is empty");
	if (keep(text + begin, n - begin, number, sizeof(number)) < 0 ||
	    es_parse_double(number, &ret->value) < 0)
		return es_error_say(err, -EBADMSG,
				    "it is not just a number: name #/POINTER, column= or key=");
	return 0;
}

int es_pick(const struct es_pick *pick, const char *text, size_t n, struct es_picked *ret,
	    struct es_error *err)
{
	struct es_picked picked = { .has_time = false };
	char value[ES_PICK_CELL_BYTES], time[ES_PICK_CELL_BYTES];
	int r;

	if (n > ES_ANSWER_MAX_BYTES)
		return es_error_say(err, -EFBIG, "longer than %u bytes", ES_ANSWER_MAX_BYTES);
	if (pick->how == ES_PICK_JSON || pick->how == ES_PICK_NUMBER) {
		r = pick->how == ES_PICK_JSON ? pick_json(pick, text, n, &picked, err)
					      : pick_number(text, n, &picked, err);
		if (r == 0)
			*ret = picked;
		return r;
	}
	r = pick->how == ES_PICK_COLUMN
		    ? es_pick_cells(text, n, pick->what, pick->time, value, time, err)
		    : es_pick_keys(text, n, pick->what, pick->time, value, time, err);
	if (r < 0)
		return r;
	if (!value[0])
		return es_error_say(err, -ENODATA, "'%.100s' is empty", pick->what);
	if (es_parse_double(value, &picked.value) < 0)
		return es_error_say(err, -EBADMSG, "'%.100s' is no number", pick->what);
	picked.has_time = pick->time[0];
	if (picked.has_time && es_pick_time(time, &picked.t_unix_ns) < 0)
		return es_error_say(err, -EBADMSG, "'%.100s' is no time", pick->time);
	*ret = picked;
	return 0;
}
