/*
 * bmc_docs.c - the documents of a simulated Redfish service
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * Made after DMTF's schemas (DSP8010): those of before 2020 (Power, Thermal) and those since (PowerSubsystem, EnvironmentMetrics).
 */
#include "twin/bmc_docs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define CHASSIS ES_TWIN_V1 "/Chassis/1"
#define SYSTEM ES_TWIN_V1 "/Systems/1"
#define MANAGER ES_TWIN_V1 "/Managers/1"
#define SUPPLIES CHASSIS "/PowerSubsystem/PowerSupplies"
#define TEXT_BYTES 128U

static void put_link(struct es_json *json, const char *key, const char *path)
{
	es_json_object(json, key);
	es_json_string(json, "@odata.id", path);
	es_json_object_end(json);
}

static void put_one_link(struct es_json *json, const char *key, const char *path)
{
	es_json_array(json, key);
	put_link(json, NULL, path);
	es_json_array_end(json);
}

static void put_members(struct es_json *json, const char *const *paths, size_t n)
{
	es_json_array(json, "Members");
	for (size_t i = 0; i < n; i++)
		put_link(json, NULL, paths[i]);
	es_json_array_end(json);
	es_json_u64(json, "Members@odata.count", n);
}

static void put_status(const struct es_twin_seen *seen, struct es_json *json)
{
	es_json_object(json, "Status");
	es_json_string(json, "State", seen->is_off ? "StandbyOffline" : "Enabled");
	es_json_string(json, "Health", "OK");
	es_json_object_end(json);
}

/* @watts, or null where the meter fails. */
static void put_watts(const struct es_twin_seen *seen, const char *key, uint64_t watts,
		      struct es_json *json)
{
	if (seen->error)
		es_json_null(json, key);
	else
		es_json_u64(json, key, watts);
}

static void put_reading(const struct es_twin_seen *seen, const char *key, uint64_t watts,
			struct es_json *json)
{
	es_json_object(json, key);
	put_watts(seen, "Reading", watts, json);
	es_json_object_end(json);
}

static void put_time(const char *key, int64_t t_unix_ns, struct es_json *json)
{
	char text[ES_TIME_TEXT_BYTES];
	size_t n;

	/* Whole seconds, as controllers keep them. */
	(void)es_time_rfc3339_utc(t_unix_ns, text);
	n = strcspn(text, ".");
	if (text[n])
		(void)snprintf(text + n, sizeof(text) - n, "Z");
	es_json_string(json, key, text);
}

static void write_versions(const struct es_twin_seen *seen, unsigned number, struct es_json *json)
{
	(void)seen;
	(void)number;
	es_json_string(json, "v1", ES_TWIN_V1 "/");
}

static void write_root(const struct es_twin_seen *seen, unsigned number, struct es_json *json)
{
	(void)number;
	es_json_string(json, "RedfishVersion", "1.15.0");
	es_json_string(json, "Product", "Simulated management controller");
	es_json_string(json, "Vendor", "EnergyScopium");
	es_json_string(json, "Id", "RootService");
	put_link(json, "Systems", ES_TWIN_V1 "/Systems");
	put_link(json, "Chassis", ES_TWIN_V1 "/Chassis");
	put_link(json, "Managers", ES_TWIN_V1 "/Managers");
	put_link(json, "SessionService", ES_TWIN_V1 "/SessionService");
	es_json_object(json, "Links");
	put_link(json, "Sessions", ES_TWIN_SESSIONS);
	es_json_object_end(json);
	(void)seen;
}

static void write_systems(const struct es_twin_seen *seen, unsigned number, struct es_json *json)
{
	(void)seen;
	(void)number;
	put_members(json, (const char *const[]){ SYSTEM }, 1);
}

static void write_system(const struct es_twin_seen *seen, unsigned number, struct es_json *json)
{
	(void)number;
	es_json_string(json, "Id", "1");
	es_json_string(json, "HostName", seen->name);
	es_json_string(json, "SystemType", "Physical");
	es_json_string(json, "Model", seen->kind->help);
	es_json_string(json, "PowerState", seen->is_off ? "Off" : "On");
	es_json_object(json, "ProcessorSummary");
	es_json_u64(json, "Count", seen->kind->n_packages);
	es_json_string(json, "Model", seen->kind->cpu.model);
	es_json_object_end(json);
	es_json_object(json, "MemorySummary");
	es_json_u64(json, "TotalSystemMemoryGiB", seen->kind->memory_bytes >> 30);
	es_json_object_end(json);
	put_status(seen, json);
	es_json_object(json, "Links");
	put_one_link(json, "Chassis", CHASSIS);
	put_one_link(json, "ManagedBy", MANAGER);
	es_json_object_end(json);
}

static void write_chassis_list(const struct es_twin_seen *seen, unsigned number,
			       struct es_json *json)
{
	(void)seen;
	(void)number;
	put_members(json, (const char *const[]){ CHASSIS }, 1);
}

static void write_chassis(const struct es_twin_seen *seen, unsigned number, struct es_json *json)
{
	(void)number;
	es_json_string(json, "Id", "1");
	es_json_string(json, "ChassisType", "RackMount");
	es_json_string(json, "PowerState", seen->is_off ? "Off" : "On");
	put_status(seen, json);
	put_link(json, "Power", CHASSIS "/Power");
	put_link(json, "Thermal", CHASSIS "/Thermal");
	put_link(json, "PowerSubsystem", CHASSIS "/PowerSubsystem");
	put_link(json, "EnvironmentMetrics", CHASSIS "/EnvironmentMetrics");
	es_json_object(json, "Links");
	put_one_link(json, "ComputerSystems", SYSTEM);
	put_one_link(json, "ManagedBy", MANAGER);
	es_json_object_end(json);
}

/* As LimitException has it; DCMI's number. */
static const char *exception_word(uint8_t exception)
{
	return exception == 0 ? "NoAction" : exception == 1 ? "HardPowerOff" : "LogEventOnly";
}

static void put_control(const struct es_twin_seen *seen, struct es_json *json)
{
	es_json_array(json, "PowerControl");
	es_json_object(json, NULL);
	es_json_string(json, "@odata.id", CHASSIS "/Power#/PowerControl/0");
	es_json_string(json, "MemberId", "0");
	es_json_string(json, "Name", "Server Power Control");
	es_json_string(json, "PhysicalContext", "Chassis");
	put_watts(seen, "PowerConsumedWatts", seen->watts, json);
	es_json_u64(json, "PowerCapacityWatts", (uint64_t)seen->kind->supply_w);
	es_json_object(json, "PowerMetrics");
	es_json_u64(json, "IntervalInMin", seen->period_min);
	put_watts(seen, "MinConsumedWatts", seen->period.min_w, json);
	put_watts(seen, "MaxConsumedWatts", seen->period.max_w, json);
	put_watts(seen, "AverageConsumedWatts", seen->period.mean_w, json);
	es_json_object_end(json);
	if (seen->has_limit) {
		es_json_object(json, "PowerLimit");
		if (seen->cap.is_active)
			es_json_u64(json, "LimitInWatts", seen->cap.watts);
		else
			es_json_null(json, "LimitInWatts");
		es_json_string(json, "LimitException", exception_word(seen->cap.exception));
		es_json_u64(json, "CorrectionInMs", seen->cap.correction_ms);
		es_json_object_end(json);
	}
	put_status(seen, json);
	es_json_object_end(json);
	es_json_array_end(json);
}

static uint16_t share(uint16_t watts, unsigned number)
{
	return (uint16_t)((watts + ES_TWIN_BMC_SUPPLIES - number) / ES_TWIN_BMC_SUPPLIES);
}

static void write_power(const struct es_twin_seen *seen, unsigned number, struct es_json *json)
{
	char text[TEXT_BYTES];

	(void)number;
	es_json_string(json, "Id", "Power");
	put_control(seen, json);
	es_json_array(json, "PowerSupplies");
	for (unsigned i = 1; i <= ES_TWIN_BMC_SUPPLIES; i++) {
		es_json_object(json, NULL);
		(void)snprintf(text, sizeof(text), CHASSIS "/Power#/PowerSupplies/%u", i - 1);
		es_json_string(json, "@odata.id", text);
		(void)snprintf(text, sizeof(text), "%u", i - 1);
		es_json_string(json, "MemberId", text);
		(void)snprintf(text, sizeof(text), "PSU%u", i);
		es_json_string(json, "Name", text);
		put_watts(seen, "PowerInputWatts", share(seen->watts, i), json);
		put_watts(seen, "PowerOutputWatts", share(seen->output_w, i), json);
		es_json_u64(json, "PowerCapacityWatts",
			    (uint64_t)seen->kind->supply_w / ES_TWIN_BMC_SUPPLIES);
		put_status(seen, json);
		es_json_object_end(json);
	}
	es_json_array_end(json);
}

static void put_temperature(const char *name, const char *context, int64_t mc, struct es_json *json)
{
	es_json_object(json, NULL);
	es_json_string(json, "Name", name);
	es_json_string(json, "PhysicalContext", context);
	es_json_i64(json, "ReadingCelsius", (mc + (mc < 0 ? -500 : 500)) / 1000);
	es_json_object_end(json);
}

static void write_thermal(const struct es_twin_seen *seen, unsigned number, struct es_json *json)
{
	char text[TEXT_BYTES];

	(void)number;
	es_json_string(json, "Id", "Thermal");
	es_json_array(json, "Temperatures");
	put_temperature("Inlet", "Intake", seen->inlet_mc, json);
	for (unsigned i = 0; i < seen->n_packages; i++) {
		(void)snprintf(text, sizeof(text), "CPU%u", i + 1);
		put_temperature(text, "CPU", seen->package_mc[i], json);
	}
	es_json_array_end(json);
	es_json_array(json, "Fans");
	for (unsigned i = 1; i <= seen->n_fans; i++) {
		es_json_object(json, NULL);
		(void)snprintf(text, sizeof(text), "Fan%u", i);
		es_json_string(json, "Name", text);
		es_json_u64(json, "Reading", seen->fan_rpm);
		es_json_string(json, "ReadingUnits", "RPM");
		put_status(seen, json);
		es_json_object_end(json);
	}
	es_json_array_end(json);
}

static void write_subsystem(const struct es_twin_seen *seen, unsigned number, struct es_json *json)
{
	(void)number;
	es_json_string(json, "Id", "PowerSubsystem");
	es_json_u64(json, "CapacityWatts", (uint64_t)seen->kind->supply_w);
	put_link(json, "PowerSupplies", SUPPLIES);
	put_status(seen, json);
}

static void write_supplies(const struct es_twin_seen *seen, unsigned number, struct es_json *json)
{
	(void)seen;
	(void)number;
	put_members(json, (const char *const[]){ SUPPLIES "/PSU1", SUPPLIES "/PSU2" },
		    ES_TWIN_BMC_SUPPLIES);
}

static void write_supply(const struct es_twin_seen *seen, unsigned number, struct es_json *json)
{
	char text[TEXT_BYTES];

	(void)snprintf(text, sizeof(text), "PSU%u", number);
	es_json_string(json, "Id", text);
	es_json_string(json, "PowerSupplyType", "AC");
	es_json_u64(json, "PowerCapacityWatts",
		    (uint64_t)seen->kind->supply_w / ES_TWIN_BMC_SUPPLIES);
	(void)snprintf(text, sizeof(text), SUPPLIES "/PSU%u/Metrics", number);
	put_link(json, "Metrics", text);
	put_status(seen, json);
}

static void write_supply_metrics(const struct es_twin_seen *seen, unsigned number,
				 struct es_json *json)
{
	es_json_string(json, "Id", "Metrics");
	put_reading(seen, "InputPowerWatts", share(seen->watts, number), json);
	put_reading(seen, "OutputPowerWatts", share(seen->output_w, number), json);
	put_status(seen, json);
}

static void write_environment(const struct es_twin_seen *seen, unsigned number,
			      struct es_json *json)
{
	(void)number;
	es_json_string(json, "Id", "EnvironmentMetrics");
	put_reading(seen, "PowerWatts", seen->watts, json);
	es_json_object(json, "TemperatureCelsius");
	es_json_decimal(json, "Reading", seen->inlet_mc, 3);
	es_json_object_end(json);
	if (!seen->has_limit)
		return;
	es_json_object(json, "PowerLimitWatts");
	if (seen->cap.is_set)
		es_json_u64(json, "SetPoint", seen->cap.watts);
	else
		es_json_null(json, "SetPoint");
	es_json_string(json, "ControlMode", seen->cap.is_active ? "Automatic" : "Disabled");
	es_json_u64(json, "AllowableMin", seen->limit_min_w);
	es_json_u64(json, "AllowableMax", seen->limit_max_w);
	es_json_object_end(json);
}

static void write_managers(const struct es_twin_seen *seen, unsigned number, struct es_json *json)
{
	(void)seen;
	(void)number;
	put_members(json, (const char *const[]){ MANAGER }, 1);
}

static void write_manager(const struct es_twin_seen *seen, unsigned number, struct es_json *json)
{
	(void)number;
	es_json_string(json, "Id", "1");
	es_json_string(json, "ManagerType", "BMC");
	es_json_string(json, "Model", "Simulated management controller");
	put_time("DateTime", seen->t_unix_ns, json);
	es_json_string(json, "DateTimeLocalOffset", "+00:00");
	es_json_object(json, "Status");
	es_json_string(json, "State", "Enabled");
	es_json_string(json, "Health", "OK");
	es_json_object_end(json);
	es_json_object(json, "Links");
	put_one_link(json, "ManagerForServers", SYSTEM);
	put_one_link(json, "ManagerForChassis", CHASSIS);
	es_json_object_end(json);
}

static void write_session_service(const struct es_twin_seen *seen, unsigned number,
				  struct es_json *json)
{
	(void)seen;
	(void)number;
	es_json_string(json, "Id", "SessionService");
	es_json_bool(json, "ServiceEnabled", true);
	es_json_u64(json, "SessionTimeout", ES_TWIN_BMC_IDLE_S);
	put_link(json, "Sessions", ES_TWIN_SESSIONS);
}

static void write_sessions(const struct es_twin_seen *seen, unsigned number, struct es_json *json)
{
	char text[TEXT_BYTES];

	(void)number;
	es_json_array(json, "Members");
	for (size_t i = 0; i < seen->n_sessions; i++) {
		(void)snprintf(text, sizeof(text), ES_TWIN_SESSIONS "/%u", seen->sessions[i]);
		put_link(json, NULL, text);
	}
	es_json_array_end(json);
	es_json_u64(json, "Members@odata.count", seen->n_sessions);
}

static const struct es_twin_doc docs[] = {
	{ .path = "/redfish", .write = write_versions, .is_open = true },
	{ .path = ES_TWIN_V1,
	  .type = "#ServiceRoot.v1_14_0.ServiceRoot",
	  .name = "Root Service",
	  .write = write_root,
	  .is_open = true },
	{ .path = ES_TWIN_V1 "/Systems",
	  .type = "#ComputerSystemCollection.ComputerSystemCollection",
	  .name = "Systems",
	  .write = write_systems },
	{ .path = SYSTEM,
	  .type = "#ComputerSystem.v1_20_0.ComputerSystem",
	  .name = "System",
	  .write = write_system },
	{ .path = ES_TWIN_V1 "/Chassis",
	  .type = "#ChassisCollection.ChassisCollection",
	  .name = "Chassis",
	  .write = write_chassis_list },
	{ .path = CHASSIS,
	  .type = "#Chassis.v1_21_0.Chassis",
	  .name = "Chassis",
	  .write = write_chassis },
	{ .path = CHASSIS "/Power",
	  .type = "#Power.v1_7_1.Power",
	  .name = "Power",
	  .write = write_power,
	  .has_power = true },
	{ .path = CHASSIS "/Thermal",
	  .type = "#Thermal.v1_7_1.Thermal",
	  .name = "Thermal",
	  .write = write_thermal },
	{ .path = CHASSIS "/EnvironmentMetrics",
	  .type = "#EnvironmentMetrics.v1_3_0.EnvironmentMetrics",
	  .name = "Environment Metrics",
	  .write = write_environment,
	  .has_power = true },
	{ .path = CHASSIS "/PowerSubsystem",
	  .type = "#PowerSubsystem.v1_1_0.PowerSubsystem",
	  .name = "Power Subsystem",
	  .write = write_subsystem },
	{ .path = SUPPLIES,
	  .type = "#PowerSupplyCollection.PowerSupplyCollection",
	  .name = "Power Supplies",
	  .write = write_supplies },
	{ .path = SUPPLIES "/PSU1",
	  .type = "#PowerSupply.v1_5_0.PowerSupply",
	  .name = "Power Supply 1",
	  .write = write_supply,
	  .number = 1 },
	{ .path = SUPPLIES "/PSU2",
	  .type = "#PowerSupply.v1_5_0.PowerSupply",
	  .name = "Power Supply 2",
	  .write = write_supply,
	  .number = 2 },
	{ .path = SUPPLIES "/PSU1/Metrics",
	  .type = "#PowerSupplyMetrics.v1_0_1.PowerSupplyMetrics",
	  .name = "Metrics of Power Supply 1",
	  .write = write_supply_metrics,
	  .number = 1,
	  .has_power = true },
	{ .path = SUPPLIES "/PSU2/Metrics",
	  .type = "#PowerSupplyMetrics.v1_0_1.PowerSupplyMetrics",
	  .name = "Metrics of Power Supply 2",
	  .write = write_supply_metrics,
	  .number = 2,
	  .has_power = true },
	{ .path = ES_TWIN_V1 "/Managers",
	  .type = "#ManagerCollection.ManagerCollection",
	  .name = "Managers",
	  .write = write_managers },
	{ .path = MANAGER,
	  .type = "#Manager.v1_15_0.Manager",
	  .name = "Manager",
	  .write = write_manager },
	{ .path = ES_TWIN_V1 "/SessionService",
	  .type = "#SessionService.v1_1_8.SessionService",
	  .name = "Session Service",
	  .write = write_session_service },
	{ .path = ES_TWIN_SESSIONS,
	  .type = "#SessionCollection.SessionCollection",
	  .name = "Sessions",
	  .write = write_sessions },
};

const struct es_twin_doc *es_twin_doc_find(const char *path)
{
	for (size_t i = 0; i < ES_ARRAY_SIZE(docs); i++)
		if (strcmp(docs[i].path, path) == 0)
			return &docs[i];
	return NULL;
}

int es_twin_doc_write(const struct es_twin_doc *doc, const struct es_twin_seen *seen,
		      struct es_buf *ret)
{
	struct es_json json;

	es_json_init(&json, es_json_sink_buf, ret, false);
	es_json_object(&json, NULL);
	if (doc->type) {
		es_json_string(&json, "@odata.type", doc->type);
		es_json_string(&json, "@odata.id", doc->path);
		es_json_string(&json, "Name", doc->name);
	}
	doc->write(seen, doc->number, &json);
	es_json_object_end(&json);
	return es_json_end(&json);
}
