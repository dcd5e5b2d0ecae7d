/*
 * fault.c - what went wrong with the readings of a domain, added up
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "record/fault.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"

static const struct {
	const char *code;
	int error;
} codes[] = {
	{ "EACCES", EACCES },
	{ "EAGAIN", EAGAIN },
	{ "EBADF", EBADF },
	{ "EBADMSG", EBADMSG },
	{ "EBUSY", EBUSY },
	{ "EFAULT", EFAULT },
	{ "EINTR", EINTR },
	{ "EINVAL", EINVAL },
	{ "EIO", EIO },
	{ "EISDIR", EISDIR },
	{ "ELOOP", ELOOP },
	{ "EMFILE", EMFILE },
	{ "ENFILE", ENFILE },
	{ "ENODATA", ENODATA },
	{ "ENODEV", ENODEV },
	{ "ENOENT", ENOENT },
	{ "ENOMEM", ENOMEM },
	{ "ENOTCONN", ENOTCONN },
	{ "ENXIO", ENXIO },
	{ "EOPNOTSUPP", EOPNOTSUPP },
	{ "EPERM", EPERM },
	{ "ERANGE", ERANGE },
	{ "ESTALE", ESTALE },
	{ "ETIMEDOUT", ETIMEDOUT },
	{ "ECONNREFUSED", ECONNREFUSED },
	{ "ECONNRESET", ECONNRESET },
	{ "EFBIG", EFBIG },
	{ "EHOSTUNREACH", EHOSTUNREACH },
	{ "EKEYREJECTED", EKEYREJECTED },
	{ "EPROTO", EPROTO },
	{ "EREMCHG", EREMCHG },
};

const char *es_fault_code(int error, char ret[static ES_FAULT_CODE_BYTES])
{
	int positive = error < 0 ? -error : error;

	(void)snprintf(ret, ES_FAULT_CODE_BYTES, "E%d", positive);
	for (size_t i = 0; i < ES_ARRAY_SIZE(codes); i++)
		if (codes[i].error == positive)
			(void)snprintf(ret, ES_FAULT_CODE_BYTES, "%s", codes[i].code);
	return ret;
}

const char *es_fault_words(const char *code)
{
	if (strcmp(code, ES_FAULT_SLOW) == 0)
		return "reads took too long";
	if (strcmp(code, ES_FAULT_OTHER) == 0)
		return "failures of further kinds";
	if (strcmp(code, "EBADMSG") == 0)
		return "what was read is no whole number";
	if (strcmp(code, "ERANGE") == 0)
		return "the number read is larger than any counter's";
	if (strcmp(code, "ESTALE") == 0)
		return "what it shows stood still and is old";
	if (strcmp(code, "EKEYREJECTED") == 0)
		return "the certificate of the server is not trusted";
	if (strcmp(code, "EREMCHG") == 0)
		return "the server sends us elsewhere";
	for (size_t i = 0; i < ES_ARRAY_SIZE(codes); i++)
		if (strcmp(codes[i].code, code) == 0)
			return es_strerror(codes[i].error);
	return code[0] == 'E' && isdigit((unsigned char)code[1]) ? es_strerror(atoi(code + 1))
								 : "unknown failure";
}

void es_fault_put(const struct es_fault *fault, struct es_event *ret)
{
	*ret = (struct es_event){ .type = ES_EVENT_FAULT,
				  .t_ns = fault->last_ns,
				  .value = (int64_t)fault->domain };
	(void)snprintf(ret->text, sizeof(ret->text),
		       "%s count=%llu first_ns=%lld longest_ns=%lld %.120s", fault->code,
		       (unsigned long long)fault->n, (long long)fault->first_ns,
		       (long long)fault->longest_ns, es_fault_words(fault->code));
}

/* " NAME=NUMBER" at *p; false where there is something else. */
static bool take(const char **p, const char *name, int64_t *ret)
{
	size_t n = strlen(name);
	long long v;
	char *end;

	if (strncmp(*p, name, n) != 0 || !isdigit((unsigned char)(*p)[n]))
		return false;
	errno = 0;
	v = strtoll(*p + n, &end, 10);
	if (errno || (*end != ' ' && *end != '\0'))
		return false;
	*ret = v;
	*p = end;
	return true;
}

int es_fault_get(const struct es_event *event, struct es_fault *ret)
{
	struct es_fault fault = { .last_ns = event->t_ns };
	const char *p = event->text;
	size_t n_code = strcspn(p, " ");
	int64_t n = 0;

	if (event->type != ES_EVENT_FAULT || event->value < 0 || n_code == 0 ||
	    n_code >= sizeof(fault.code))
		return -EBADMSG;
	for (size_t i = 0; i < n_code; i++)
		if (!isupper((unsigned char)p[i]) && !isdigit((unsigned char)p[i]))
			return -EBADMSG;
	memcpy(fault.code, p, n_code);
	p += n_code;
	if (!take(&p, " count=", &n) || !take(&p, " first_ns=", &fault.first_ns) ||
	    !take(&p, " longest_ns=", &fault.longest_ns) || n == 0 ||
	    fault.first_ns > fault.last_ns || fault.longest_ns > ES_TIME_MAX_NS)
		return -EBADMSG;
	fault.domain = (size_t)event->value;
	fault.n = (uint64_t)n;
	*ret = fault;
	return 0;
}
