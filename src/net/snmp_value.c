/*
 * snmp_value.c - object identifiers as text, and what agents answer as numbers
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"
#include "net/snmp.h"

#define ID_MAX_BYTES 16U

/* Numbers between dots in @n bytes. */
static int parse(const char *text, size_t n, struct es_snmp_oid *ret)
{
	struct es_snmp_oid oid = { .n = 0 };
	size_t at = n > 0 && text[0] == '.' ? 1 : 0;

	while (true) {
		char digits[ID_MAX_BYTES];
		size_t used = 0;
		uint64_t id;
		int r;

		while (at < n && text[at] != '.' && used + 1 < sizeof(digits))
			digits[used++] = text[at++];
		digits[used] = '\0';
		r = es_parse_u64(digits, &id);
		if (r < 0)
			return r;
		if (id > UINT32_MAX)
			return -ERANGE;
		if (oid.n == ES_SNMP_OID_MAX)
			return -E2BIG;
		oid.ids[oid.n++] = (uint32_t)id;
		if (at == n)
			break;
		if (text[at++] != '.')
			return -EBADMSG;
	}
	/* The first two go into one byte: 0 to 2, and below 40 under the first two of these. */
	if (oid.n < 2 || oid.ids[0] > 2 || (oid.ids[0] < 2 && oid.ids[1] > 39))
		return -EBADMSG;
	*ret = oid;
	return 0;
}

int es_snmp_oid_parse(const char *text, struct es_snmp_oid *ret)
{
	return parse(text, strlen(text), ret);
}

int es_snmp_oids_parse(const char *text, struct es_snmp_oid *ret, size_t max)
{
	size_t n_oids = 0;

	while (true) {
		size_t n = strcspn(text, "+");
		int r;

		if (n_oids == max)
			return -E2BIG;
		r = parse(text, n, &ret[n_oids++]);
		if (r < 0)
			return r;
		if (!text[n])
			return (int)n_oids;
		text += n + 1;
	}
}

char *es_snmp_oid_text(const struct es_snmp_oid *oid, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < oid->n && used < size; i++) {
		int n = snprintf(text + used, size - used, i > 0 ? ".%u" : "%u", oid->ids[i]);

		used += n > 0 ? (size_t)n : 0;
	}
	return text;
}

/* "123.4" or " 123.4 W": agents that know no fractions write text, some with a unit behind it. */
static int number_from_text(const char *text, double *ret)
{
	char digits[ES_SNMP_TEXT_BYTES];
	size_t n;

	text += strspn(text, " ");
	n = strspn(text, "+-.0123456789eE");
	if (n == 0 || n >= sizeof(digits) || (text[n] && text[n] != ' '))
		return -EBADMSG;
	memcpy(digits, text, n);
	digits[n] = '\0';
	return es_parse_double(digits, ret);
}

int es_snmp_number(const struct es_snmp_value *value, double *ret)
{
	if (value->error)
		return value->error;
	switch (value->type) {
	case ES_SNMP_INTEGER:
		*ret = (double)value->integer;
		return 0;
	case ES_SNMP_UNSIGNED:
		*ret = (double)value->natural;
		return 0;
	case ES_SNMP_REAL:
		*ret = value->real;
		return 0;
	case ES_SNMP_TEXT:
		return number_from_text(value->text, ret);
	}
	return -EBADMSG;
}
