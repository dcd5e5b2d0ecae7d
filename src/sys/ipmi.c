/*
 * sys/ipmi.c - commands to a management controller (BMC): the one of this machine, and those across a network
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "sys/ipmi.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"

/* IPMI 2.0 specification, table 5-2 */
static const struct {
	uint8_t code;
	int error;
	const char *words;
} codes[] = {
	{ 0xC0, EBUSY, "it is busy" },
	{ 0xC1, EOPNOTSUPP, "it has no such command" },
	{ 0xC2, EOPNOTSUPP, "it has no such command on this unit" },
	{ 0xC3, ETIMEDOUT, "it ran out of time" },
	{ 0xC4, EBUSY, "it is out of space" },
	{ 0xC5, EAGAIN, "the reservation is gone" },
	{ 0xC6, EINVAL, "the request is too long or short" },
	{ 0xC7, EINVAL, "the request is too long or short" },
	{ 0xC8, EMSGSIZE, "more bytes were asked for than it gives at once" },
	{ 0xC9, EINVAL, "a number in the request is out of range" },
	{ 0xCA, EMSGSIZE, "it cannot give so many bytes at once" },
	{ 0xCB, ENOENT, "it has no such sensor or record" },
	{ 0xCC, EINVAL, "a field of the request is invalid" },
	{ 0xCD, EOPNOTSUPP, "not for this sensor or record" },
	{ 0xCE, ENODATA, "it has no answer now" },
	{ 0xCF, EBUSY, "it takes the request for a repeated one" },
	{ 0xD0, EBUSY, "its table of sensors is being updated" },
	{ 0xD1, EBUSY, "its firmware is being updated" },
	{ 0xD2, EBUSY, "it is starting" },
	{ 0xD3, ENODATA, "the controller behind it cannot be reached" },
	{ 0xD4, EACCES, "the user's privilege level does not suffice" },
	{ 0xD5, ENODATA, "not in its present state" },
	{ 0xD6, EACCES, "the command is switched off in its firmware" },
	{ 0xFF, EIO, "an error that it does not explain" },
};

int es_ipmi_judge(uint8_t code)
{
	if (code == 0)
		return 0;
	for (size_t i = 0; i < ES_ARRAY_SIZE(codes); i++)
		if (codes[i].code == code)
			return -codes[i].error;
	return -EIO;
}

const char *es_ipmi_words(uint8_t code)
{
	for (size_t i = 0; i < ES_ARRAY_SIZE(codes); i++)
		if (codes[i].code == code)
			return codes[i].words;
	return code == 0 ? "success" : "an error of its maker's own";
}

ssize_t es_ipmi_ask(struct es_ipmi *ipmi, const struct es_ipmi_request *request, uint8_t *ret,
		    size_t size, struct es_error *err)
{
	uint8_t answer[ES_IPMI_DATA_MAX_BYTES];
	ssize_t n = ipmi->ops->ask(ipmi, request, answer, sizeof(answer), err);

	if (n < 0)
		return n;
	if (n == 0 || (size_t)n > sizeof(answer))
		return es_error_say(err, -EBADMSG, "the BMC's answer is empty");
	if (answer[0] != 0)
		return es_error_say(err, es_ipmi_judge(answer[0]),
				    "the BMC refuses: %s (completion code 0x%02X)",
				    es_ipmi_words(answer[0]), answer[0]);
	if ((size_t)n - 1 > size)
		return es_error_say(err, -EBADMSG, "the BMC's answer is too long");
	memcpy(ret, answer + 1, (size_t)n - 1);
	return n - 1;
}

void es_ipmi_close(struct es_ipmi *ipmi)
{
	if (ipmi)
		ipmi->ops->close(ipmi);
}
