/*
 * source/snmp_models.c - which objects show the power and the energy of an outlet, by make of the unit
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "source/snmp_models.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

#define MW_PER_W 1e3
#define UJ_PER_WH 3.6e9

/*
 * From the makers' public MIBs:
 * apc-rpdu2: PowerNet-MIB, rPDU2OutletMeteredStatusPower (W) and -Energy (tenths of kWh, resettable), by
 *   rPDU2OutletMeteredStatusIndex.
 * eaton-epdu: EATON-EPDU-MIB, outletWatts and outletWh (resettable), by strappingIndex (0: the first of a chain), outletIndex;
 *   negative: not available.
 * raritan-px2 (PX2, PX3, PXC): PDU2-MIB, measurementsOutletSensorValue by pduId, outletId and sensor: activePower (5, W),
 *   activeEnergy (8, Wh), with outletSensorDecimalDigits of the same index.
 * servertech-sentry4: Sentry4-MIB, st4OutletActivePower (W) and st4OutletEnergy (Wh), by st4UnitIndex, st4InputCordIndex,
 *   st4OutletIndex; negative: not available.
 */
static const struct es_snmp_model models[] = {
	{ "apc-rpdu2",
	  "",
	  1,
	  { "1.3.6.1.4.1.318.1.1.26.9.4.3.1.7", "", "", MW_PER_W },
	  { "1.3.6.1.4.1.318.1.1.26.9.4.3.1.11", "", "", 100 * UJ_PER_WH } },
	{ "eaton-epdu",
	  "0.",
	  2,
	  { "1.3.6.1.4.1.534.6.6.7.6.5.1.3", "", "", MW_PER_W },
	  { "1.3.6.1.4.1.534.6.6.7.6.5.1.4", "", "", UJ_PER_WH } },
	{ "raritan-px2",
	  "1.",
	  2,
	  { "1.3.6.1.4.1.13742.6.5.4.3.1.4", "1.3.6.1.4.1.13742.6.3.5.4.1.7", ".5", MW_PER_W },
	  { "1.3.6.1.4.1.13742.6.5.4.3.1.4", "1.3.6.1.4.1.13742.6.3.5.4.1.7", ".8", UJ_PER_WH } },
	{ "servertech-sentry4",
	  "1.1.",
	  3,
	  { "1.3.6.1.4.1.1718.4.1.8.3.1.7", "", "", MW_PER_W },
	  { "1.3.6.1.4.1.1718.4.1.8.3.1.14", "", "", UJ_PER_WH } },
};

const struct es_snmp_model *es_snmp_model_find(const char *name, struct es_error *err)
{
	char known[128] = "";
	size_t used = 0;

	for (size_t i = 0; i < ES_ARRAY_SIZE(models); i++) {
		if (strcmp(models[i].name, name) == 0)
			return &models[i];
		used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
					 i > 0 ? ", " : "", models[i].name);
	}
	(void)es_error_say(err, -EINVAL, "model '%.32s' is none of %s", name, known);
	return NULL;
}

static size_t count_dots(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == '.';
	return n;
}

/* "7" is the seventh of the first unit; "1.2.7" says all. */
static int add(const struct es_snmp_model *model, const char *outlet, bool is_energy,
	       struct es_snmp_outlets *outlets, struct es_error *err)
{
	const char *oid = is_energy ? model->energy.oid : model->power.oid;
	const char *digits = is_energy ? model->energy.digits : model->power.digits;
	const char *tail = is_energy ? model->energy.tail : model->power.tail;
	const char *first = strchr(outlet, '.') ? "" : model->first;
	char text[128];
	int r;

	if (count_dots(first) + count_dots(outlet) + 1 != model->n_index || !outlet[0])
		return es_error_say(err, -EINVAL, "outlet '%s' is not NUMBER%s", outlet,
				    model->n_index == 1	  ? ""
				    : model->n_index == 2 ? " or UNIT.NUMBER"
							  : " or UNIT.CORD.NUMBER");
	if (outlets->n == ES_SNMP_VALUES_MAX)
		return es_error_say(err, -EINVAL, "more than %u outlets", ES_SNMP_VALUES_MAX);
	(void)snprintf(text, sizeof(text), "%s.%s%s%s", oid, first, outlet, tail);
	r = es_snmp_oid_parse(text, &outlets->values[outlets->n]);
	if (r == 0 && digits[0]) {
		(void)snprintf(text, sizeof(text), "%s.%s%s%s", digits, first, outlet, tail);
		r = es_snmp_oid_parse(text, &outlets->digits[outlets->n]);
	}
	if (r < 0)
		return es_error_say(err, -EINVAL, "outlet '%s' is no number", outlet);
	outlets->n++;
	return 0;
}

int es_snmp_model_outlets(const struct es_snmp_model *model, const char *outlets, bool is_energy,
			  struct es_snmp_outlets *ret, struct es_error *err)
{
	ret->n = 0;
	ret->has_digits = (is_energy ? model->energy.digits : model->power.digits)[0] != '\0';
	ret->unit = is_energy ? model->energy.unit : model->power.unit;
	while (true) {
		size_t n = strcspn(outlets, "+");
		char one[32];
		int r;

		if (n >= sizeof(one))
			return es_error_say(err, -EINVAL, "outlet '%.31s…' is no number", outlets);
		memcpy(one, outlets, n);
		one[n] = '\0';
		r = add(model, one, is_energy, ret, err);
		if (r < 0 || !outlets[n])
			return r;
		outlets += n + 1;
	}
}
