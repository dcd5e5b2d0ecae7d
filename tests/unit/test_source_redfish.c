/*
 * test_source_redfish.c - which number of a Redfish service is the node's, on the shapes that controllers have
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Synthetic: the documents have the members of real ones that matter here, and made-up numbers.
 */
#include "support/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "source/json.h"
#include "source/redfish.h"

#define V1 "/redfish/v1"
#define LINK(path) "{\"@odata.id\": \"" path "\"}"
#define MEMBERS(links) "{\"Members\": [" links "]}"

struct document {
	const char *path, *text;
};

/* A service: its documents until one without a path. */
static int get(void *arg, const char *path, json_t **ret, struct es_error *err)
{
	const struct document *d = arg;

	for (; d->path; d++)
		if (strcmp(d->path, path) == 0)
			return es_json_load(d->text, strlen(d->text), ret, err);
	return es_error_say(err, -ENOENT, "no '%s'", path);
}

static struct es_redfish_part parts[ES_REDFISH_PARTS_MAX];

static int find(const struct document *documents, struct es_redfish_wish wish)
{
	struct es_error err = { .code = 0 };
	int r;

	wish.path = wish.path ? wish.path : "";
	memset(parts, 0, sizeof(parts));
	r = es_redfish_find(get, (void *)(uintptr_t)documents, &wish, parts, &err);
	assert_true((r < 0) == (err.text[0] != '\0'));
	return r;
}

static double value_of(const struct document *documents, size_t i)
{
	double sum = 0, v;
	size_t n = parts[i].how == ES_REDFISH_METRICS ? parts[i].n_supplies : 1;

	for (size_t j = 0; j < n; j++) {
		json_t *doc = NULL;

		assert_int_equal(get((void *)(uintptr_t)documents,
				     parts[i].n_supplies ? parts[i].supplies[j] : parts[i].path,
				     &doc, NULL),
				 0);
		assert_int_equal(es_redfish_value(&parts[i], doc, &v), 0);
		json_decref(doc);
		sum += v;
	}
	return sum;
}

static void is_node(const struct document *documents, enum es_redfish_how how, double watts)
{
	double shown;

	assert_true(parts[0].is_node);
	assert_int_equal(parts[0].how, how);
	shown = value_of(documents, 0);
	assert_true(shown > watts - 0.01 && shown < watts + 0.01);
}

#define ONE_SYSTEM                                                                         \
	{ V1 "/Systems", MEMBERS(LINK(V1 "/Systems/1")) },                                 \
	{                                                                                  \
		V1 "/Systems/1", "{\"Links\": {\"Chassis\": [" LINK(V1 "/Chassis/1") "]}}" \
	}
#define CHASSIS_POWER                                                           \
	{                                                                       \
		V1 "/Chassis/1", "{\"Power\": " LINK(V1 "/Chassis/1/Power") "}" \
	}

/* iDRAC: no Status, RelatedItem to both; its power supplies show their rating. */
static void idrac(void **state)
{
	static const struct document documents[] = {
		{ V1 "/Systems", MEMBERS(LINK(V1 "/Systems/System.Embedded.1")) },
		{ V1 "/Systems/System.Embedded.1",
		  "{\"Links\": {\"Chassis\": [" LINK(V1 "/Chassis/System.Embedded.1") "]}}" },
		{ V1 "/Chassis/System.Embedded.1",
		  "{\"Power\": " LINK(V1 "/Chassis/System.Embedded.1/Power") "}" },
		{ V1 "/Chassis/System.Embedded.1/Power",
		  "{\"PowerControl\": [{\"MemberId\": \"PowerControl\", \"Name\": \"System Power "
		  "Control\", \"PowerConsumedWatts\": 464, \"PowerLimit\": {\"LimitInWatts\": 700}, "
		  "\"PowerMetrics\": {\"AverageConsumedWatts\": 450, \"IntervalInMin\": 1}, "
		  "\"RelatedItem\": [" LINK(V1 "/Chassis/System.Embedded.1") "," LINK(
			  V1
			  "/Systems/System.Embedded.1") "]}], "
							"\"PowerSupplies\": [{\"PowerInputWatts\": "
							"900}, {\"PowerInputWatts\": 900}]}" },
		{ NULL, NULL },
	};

	(void)state;
	assert_int_equal(find(documents, (struct es_redfish_wish){ .path = NULL }), 1);
	is_node(documents, ES_REDFISH_CONTROL, 464);
	assert_true(parts[0].limit_w > 699 && parts[0].limit_w < 701);
}

/* XCC: the server's first, then its parts. */
static void xcc(void **state)
{
	static const struct document documents[] = {
		ONE_SYSTEM,
		CHASSIS_POWER,
		{ V1 "/Chassis/1/Power",
		  "{\"PowerControl\": ["
		  "{\"MemberId\": \"0\", \"Name\": \"Server Power Control\", \"PowerConsumedWatts\": 300, "
		  "\"RelatedItem\": [" LINK(
			  V1
			  "/Systems/1") "]},"
					"{\"MemberId\": \"1\", \"Name\": \"CPU Sub-system Power\", \"PowerConsumedWatts\": 120, "
					"\"PhysicalContext\": \"CPU\"},"
					"{\"MemberId\": \"2\", \"Name\": \"Memory Sub-system Power\", \"PowerConsumedWatts\": 30, "
					"\"RelatedItem\": [" LINK(V1 "/Systems/1/Memory") "]}]}" },
		{ NULL, NULL },
	};

	(void)state;
	assert_int_equal(find(documents, (struct es_redfish_wish){ .path = NULL }), 3);
	is_node(documents, ES_REDFISH_CONTROL, 300);
	assert_false(parts[1].is_node);
	assert_false(parts[2].is_node);
	assert_string_equal(parts[2].name, "Memory-Sub-system-Power");
	assert_int_equal(find(documents, (struct es_redfish_wish){ .control = "1" }), 3);
	is_node(documents, ES_REDFISH_CONTROL, 120);
	assert_int_equal(find(documents, (struct es_redfish_wish){ .control = "7" }), -ENOENT);
}

/* The next answer may have them in another order, or without it. */
static void a_control_is_known_by_its_id(void **state)
{
	static const struct {
		const char *text;
		int error;
	} rows[] = {
		{ "{\"PowerControl\": [{\"MemberId\": \"1\", \"PowerConsumedWatts\": 9}, "
		  "{\"MemberId\": \"0\", \"PowerConsumedWatts\": 5}]}",
		  0 },
		{ "{\"PowerControl\": [{\"MemberId\": \"1\", \"PowerConsumedWatts\": 9}]}",
		  -ENODATA },
		{ "{\"PowerControl\": {}}", -ENODATA },
	};
	const struct es_redfish_part part = { .how = ES_REDFISH_CONTROL, .control_id = "0" };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *json = NULL;
		double v = 5;

		assert_int_equal(es_json_load(rows[i].text, strlen(rows[i].text), &json, NULL), 0);
		assert_int_equal(es_redfish_value(&part, json, &v), rows[i].error);
		assert_true(v > 4.9 && v < 5.1);
		json_decref(json);
	}
}

/* Two that could be it: none is taken, each is shown. */
static void which_one_cannot_be_told(void **state)
{
	static const struct document documents[] = {
		ONE_SYSTEM,
		CHASSIS_POWER,
		{ V1 "/Chassis/1/Power", "{\"PowerControl\": ["
					 "{\"Name\": \"A\", \"PowerConsumedWatts\": 300},"
					 "{\"Name\": \"B\", \"PowerConsumedWatts\": 310}]}" },
		{ NULL, NULL },
	};

	(void)state;
	assert_int_equal(find(documents, (struct es_redfish_wish){ .path = NULL }), 2);
	assert_false(parts[0].is_node);
	assert_false(parts[1].is_node);
	/* Where one power is what is listed already, there is no guess. */
	assert_int_equal(find(documents, (struct es_redfish_wish){ .is_settled = true }), -EMLINK);
}

/* Supermicro X14: a PowerSubsystem that is not there, beside the old schema. */
static void an_absent_subsystem(void **state)
{
	static const struct document documents[] = {
		ONE_SYSTEM,
		{ V1 "/Chassis/1",
		  "{\"PowerSubsystem\": " LINK(V1 "/Chassis/1/PowerSubsystem") ", \"Power\": " LINK(
			  V1 "/Chassis/1/Power") "}" },
		{ V1 "/Chassis/1/PowerSubsystem",
		  "{\"CapacityWatts\": 0, \"Status\": {\"State\": \"Absent\"}, \"PowerSupplies\": " LINK(
			  V1 "/Chassis/1/PowerSubsystem/PowerSupplies") "}" },
		{ V1 "/Chassis/1/PowerSubsystem/PowerSupplies", MEMBERS("") },
		{ V1 "/Chassis/1/Power", "{\"PowerControl\": [{\"PowerConsumedWatts\": 255}]}" },
		{ NULL, NULL },
	};

	(void)state;
	assert_int_equal(find(documents, (struct es_redfish_wish){ .path = NULL }), 1);
	is_node(documents, ES_REDFISH_CONTROL, 255);
}

/* Fujitsu iRMC: only in its own place. */
static void irmc(void **state)
{
	static const struct document documents[] = {
		ONE_SYSTEM,
		CHASSIS_POWER,
		{ V1 "/Chassis/1/Power", "{\"Oem\": {\"ts_fujitsu\": {\"ChassisPowerConsumption\": "
					 "{\"CurrentPowerConsumptionW\": 150}}}}" },
		{ NULL, NULL },
	};

	(void)state;
	assert_int_equal(find(documents, (struct es_redfish_wish){ .path = NULL }), 1);
	is_node(documents, ES_REDFISH_OEM, 150);
}

#define METRICS(numbers)                                                                           \
	ONE_SYSTEM,                                                                                \
		{ V1 "/Chassis/1",                                                                 \
		  "{\"EnvironmentMetrics\": " LINK(                                                \
			  V1 "/Chassis/1/E") ", "                                                  \
					     "\"PowerSubsystem\": " LINK(V1 "/Chassis/1/P") "}" }, \
		{ V1 "/Chassis/1/E", numbers },                                                    \
		{ V1 "/Chassis/1/P", "{\"PowerSupplies\": " LINK(V1 "/Chassis/1/P/S") "}" },       \
		{ V1 "/Chassis/1/P/S",                                                             \
		  MEMBERS(LINK(V1 "/Chassis/1/P/S/0") "," LINK(V1 "/Chassis/1/P/S/1")) },          \
		{ V1 "/Chassis/1/P/S/0", "{\"Metrics\": " LINK(V1 "/Chassis/1/P/S/0/M") "}" },     \
	{                                                                                          \
		V1 "/Chassis/1/P/S/0/M", "{\"InputPowerWatts\": {\"Reading\": 201.5}}"             \
	}

static void the_newer_schema(void **state)
{
	static const struct document joules[] = {
		METRICS("{\"PowerWatts\": {\"Reading\": 400.5}, \"EnergykWh\": {\"Reading\": 12.5}, "
			"\"EnergyJoules\": {\"Reading\": 45000000}, \"PowerLimitWatts\": {\"SetPoint\": "
			"800, \"ControlMode\": \"Automatic\"}}"),
		{ NULL, NULL },
	};
	static const struct document coarse[] = {
		METRICS("{\"PowerWatts\": {\"Reading\": 400.5}, \"EnergykWh\": {\"Reading\": 12.5}, "
			"\"PowerLimitWatts\": {\"SetPoint\": 800, \"ControlMode\": \"Disabled\"}}"),
		{ NULL, NULL },
	};

	(void)state;
	assert_int_equal(find(joules, (struct es_redfish_wish){ .path = NULL }), 1);
	is_node(joules, ES_REDFISH_JOULES, 45000000);
	assert_true(parts[0].limit_w > 799);
	assert_int_equal(find(joules, (struct es_redfish_wish){ .wants_power = true }), 1);
	is_node(joules, ES_REDFISH_WATTS, 400.5);
	assert_int_equal(find(joules, (struct es_redfish_wish){ .is_settled = true }), 1);
	is_node(joules, ES_REDFISH_WATTS, 400.5);
	/* A counter of tenths of a kWh would show nothing of a short job. */
	assert_int_equal(find(coarse, (struct es_redfish_wish){ .path = NULL }), 1);
	is_node(coarse, ES_REDFISH_WATTS, 400.5);
	assert_true(parts[0].limit_w < 1);
	assert_int_equal(find(coarse, (struct es_redfish_wish){ .wants_energy = true }), 1);
	is_node(coarse, ES_REDFISH_KWH, 45000000);
}

static void power_supplies_are_summed_if_all_tell(void **state)
{
#define SUPPLIES(status, reading)                                                   \
	{                                                                           \
		METRICS("{\"PowerWatts\": {\"Reading\": null}}"),                   \
			{ V1 "/Chassis/1/P/S/1",                                    \
			  "{\"Status\": {\"State\": \"" status                      \
			  "\"}, \"Metrics\": " LINK(V1 "/Chassis/1/P/S/1/M") "}" }, \
			{ V1 "/Chassis/1/P/S/1/M",                                  \
			  "{\"InputPowerWatts\": {\"Reading\": " reading "}}" },    \
		{                                                                   \
			NULL, NULL                                                  \
		}                                                                   \
	}
	static const struct document both[] = SUPPLIES("Enabled", "198.5");
	static const struct document one[] = SUPPLIES("Absent", "null");
	static const struct document silent[] = SUPPLIES("Enabled", "null");
	static const struct document zero[] = SUPPLIES("Enabled", "0");

	(void)state;
	assert_int_equal(find(both, (struct es_redfish_wish){ .path = NULL }), 1);
	is_node(both, ES_REDFISH_METRICS, 400);
	assert_int_equal(find(one, (struct es_redfish_wish){ .path = NULL }), 1);
	is_node(one, ES_REDFISH_METRICS, 201.5);
	assert_int_equal(find(silent, (struct es_redfish_wish){ .path = NULL }), -ENODATA);
	assert_int_equal(find(zero, (struct es_redfish_wish){ .path = NULL }), -ENODATA);
}

#define POWER_OF(id, watts)                                                         \
	{                                                                           \
		V1 "/Chassis/" id "/Power",                                         \
			"{\"PowerControl\": [{\"PowerConsumedWatts\": " watts "}]}" \
	}
#define CHASSIS(id, links)                                                                      \
	{                                                                                       \
		V1 "/Chassis/" id, "{\"Power\": " LINK(V1 "/Chassis/" id                        \
							  "/Power") ", \"Links\": {" links "}}" \
	}
#define SYSTEM1 "\"ComputerSystems\": [" LINK(V1 "/Systems/1") "]"

/* The board is inside the node, the node inside an enclosure with others. */
static void the_outermost_that_is_this_systems_alone(void **state)
{
	static const struct document documents[] = {
		{ V1 "/Systems",
		  MEMBERS(LINK(V1 "/Systems/1") "," LINK(V1 "/Systems/HGX_Baseboard_0")) },
		{ V1 "/Systems/1",
		  "{\"Links\": {\"Chassis\": [" LINK(V1 "/Chassis/Board") "," LINK(
			  V1 "/Chassis/Node") "," LINK(V1 "/Chassis/Enclosure") "]}}" },
		CHASSIS("Board", SYSTEM1 ", \"ContainedBy\": " LINK(V1 "/Chassis/Node")),
		CHASSIS("Node", SYSTEM1 ", \"ContainedBy\": " LINK(V1 "/Chassis/Enclosure")),
		CHASSIS("Enclosure", "\"ComputerSystems\": [" LINK(V1 "/Systems/1") "," LINK(
					     V1 "/Systems/2") "]"),
		POWER_OF("Board", "210"),
		POWER_OF("Node", "320"),
		POWER_OF("Enclosure", "1400"),
		{ NULL, NULL },
	};

	(void)state;
	assert_int_equal(find(documents, (struct es_redfish_wish){ .path = NULL }), 1);
	is_node(documents, ES_REDFISH_CONTROL, 320);
	assert_non_null(strstr(parts[0].reason, "Node"));
	assert_int_equal(
		find(documents, (struct es_redfish_wish){ .path = V1 "/Chassis/Enclosure" }), 1);
	is_node(documents, ES_REDFISH_CONTROL, 1400);
	assert_non_null(strstr(parts[0].reason, "2 systems"));
	assert_int_equal(find(documents, (struct es_redfish_wish){ .path = V1 "/Chassis/X" }),
			 -ENODATA);
	assert_int_equal(find(documents, (struct es_redfish_wish){ .path = V1 "/Systems/1" }), 1);
	is_node(documents, ES_REDFISH_CONTROL, 320);
}

/* Four nodes behind one controller: none is the node, and nothing is added up. */
static void several_systems(void **state)
{
	static const struct document documents[] = {
		{ V1 "/Systems", MEMBERS(LINK(V1 "/Systems/1") "," LINK(V1 "/Systems/2")) },
		{ V1 "/Chassis", MEMBERS(LINK(V1 "/Chassis/1") "," LINK(V1 "/Chassis/2") "," LINK(
					 V1 "/Chassis/All")) },
		{ V1 "/Systems/2", "{\"Links\": {\"Chassis\": [" LINK(V1 "/Chassis/2") "]}}" },
		CHASSIS("1", SYSTEM1),
		CHASSIS("2", "\"ComputerSystems\": [" LINK(V1 "/Systems/2") "]"),
		CHASSIS("All", "\"ComputerSystems\": [" LINK(V1 "/Systems/1") "," LINK(
				       V1 "/Systems/2") "]"),
		POWER_OF("1", "300"),
		POWER_OF("2", "400"),
		POWER_OF("All", "750"),
		{ NULL, NULL },
	};

	(void)state;
	assert_int_equal(find(documents, (struct es_redfish_wish){ .path = NULL }), 3);
	for (size_t i = 0; i < 3; i++)
		assert_false(parts[i].is_node);
	assert_non_null(strstr(parts[0].reason, V1 "/Chassis/1"));
	assert_non_null(strstr(parts[2].reason, "powers 2 systems"));
	assert_int_equal(find(documents, (struct es_redfish_wish){ .path = V1 "/Systems/2" }), 1);
	is_node(documents, ES_REDFISH_CONTROL, 400);
}

/* AMI's: one number, of the board, beside supplies that tell a little more; what it is of is said. */
static void a_board(void **state)
{
	static const struct document documents[] = {
		ONE_SYSTEM,
		CHASSIS_POWER,
		{ V1 "/Chassis/1/Power",
		  "{\"PowerControl\": [{\"MemberId\": \"0\", \"Name\": \"ADM1278\", "
		  "\"PhysicalContext\": \"SystemBoard\", \"PowerConsumedWatts\": 152}], "
		  "\"PowerSupplies\": [{\"PowerInputWatts\": 168}]}" },
		{ NULL, NULL },
	};

	(void)state;
	assert_int_equal(find(documents, (struct es_redfish_wish){ .path = NULL }), 1);
	is_node(documents, ES_REDFISH_CONTROL, 152);
	assert_non_null(strstr(parts[0].reason, "SystemBoard"));
}

/* Cisco's enclosure: blades without a power of their own, of whose numbers none is the standard's. */
static void an_enclosure_without_numbers(void **state)
{
	static const struct document documents[] = {
		ONE_SYSTEM,
		CHASSIS_POWER,
		{ V1 "/Chassis/1/Power",
		  "{\"PowerControl\": [{\"MemberId\": \"Blade1\", \"Status\": {\"State\": \"Absent\"}}, "
		  "{\"MemberId\": \"Blade2\", \"Oem\": {\"Cisco\": {\"PowerMetrics\": "
		  "{\"CurrentConsumedWatts\": 260}}}}], \"PowerSupplies\": [{\"Name\": \"1\"}]}" },
		{ NULL, NULL },
	};

	(void)state;
	assert_int_equal(find(documents, (struct es_redfish_wish){ .path = NULL }), -ENODATA);
}

static void an_outlet_of_a_pdu(void **state)
{
#define OUTLET V1 "/PowerEquipment/RackPDUs/1/Outlets/A1"
	static const struct document documents[] = {
		{ OUTLET,
		  "{\"PowerWatts\": {\"Reading\": 412.36}, \"EnergykWh\": {\"Reading\": 26880}}" },
		{ OUTLET "2", "{\"PowerWatts\": {\"Reading\": 0}}" },
		{ NULL, NULL },
	};

	(void)state;
	assert_int_equal(find(documents, (struct es_redfish_wish){ .path = OUTLET }), 1);
	is_node(documents, ES_REDFISH_WATTS, 412.36);
	assert_int_equal(find(documents, (struct es_redfish_wish){ .path = OUTLET "2" }), -ENODATA);
	assert_int_equal(find(documents, (struct es_redfish_wish){ .path = OUTLET "3" }), -ENOENT);
}

static void links_lead_nowhere_else(void **state)
{
	static const char *const bad[] = {
		"{\"@odata.id\": \"http://evil/redfish/v1\"}",
		"{\"@odata.id\": \"//evil/redfish/\"}",
		"{\"@odata.id\": \"/redfish/../etc\"}",
		"{\"@odata.id\": \"/redfish/v1/a b\"}",
		"{\"@odata.id\": \"/redfish/v1?x=1\"}",
		"{\"@odata.id\": 5}",
		"{\"@odata.id\": \"/redfish/v1\\r\\nX: 1\"}",
		"{}",
		"[]",
		"{\"@odata.id\": \"/redfish/v1/\"}",
		"{\"@odata.id\": \"/redfish/\"}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json_t *json = NULL;

		assert_int_equal(es_json_load(bad[i], strlen(bad[i]), &json, NULL), 0);
		assert_null(es_redfish_link(json, NULL));
		json_decref(json);
	}
}

static void readings_that_are_none(void **state)
{
	static const struct {
		const char *text;
		int error;
	} rows[] = {
		{ "{\"P\": {\"Reading\": null}}", -ENODATA },
		{ "{\"P\": {}}", -ENODATA },
		{ "{}", -ENODATA },
		{ "{\"P\": 0}", -ENODATA },
		{ "{\"P\": -5}", -ERANGE },
		{ "{\"P\": \"a lot\"}", -EBADMSG },
		{ "{\"P\": [1]}", -EBADMSG },
		{ "{\"P\": {\"Reading\": 5, \"Status\": {\"State\": \"Absent\"}}}", -ENODATA },
		{ "{\"P\": {\"Reading\": 5, \"Status\": {\"State\": \"Enabled\"}}}", 0 },
		{ "{\"P\": 5.5}", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *json = NULL;
		double v;

		assert_int_equal(es_json_load(rows[i].text, strlen(rows[i].text), &json, NULL), 0);
		assert_int_equal(es_redfish_reading(json, "P", &v), rows[i].error);
		json_decref(json);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(idrac),
		cmocka_unit_test(xcc),
		cmocka_unit_test(a_control_is_known_by_its_id),
		cmocka_unit_test(which_one_cannot_be_told),
		cmocka_unit_test(an_absent_subsystem),
		cmocka_unit_test(irmc),
		cmocka_unit_test(the_newer_schema),
		cmocka_unit_test(power_supplies_are_summed_if_all_tell),
		cmocka_unit_test(the_outermost_that_is_this_systems_alone),
		cmocka_unit_test(several_systems),
		cmocka_unit_test(a_board),
		cmocka_unit_test(an_enclosure_without_numbers),
		cmocka_unit_test(an_outlet_of_a_pdu),
		cmocka_unit_test(links_lead_nowhere_else),
		cmocka_unit_test(readings_that_are_none),
	};

	return cmocka_run_group_tests_name("source/redfish", tests, NULL, NULL);
}
