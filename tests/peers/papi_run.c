/*
 * papi_run.c - a command measured by PAPI's component powercap, as its users would: start, run, stop
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * usage: papi_run COMMAND. Prints "EVENT µJ" for each zone. Built by tools/peers against a PAPI that has the component.
 */
#include <papi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_MAX 64

int main(int argc, char **argv)
{
	char names[EVENTS_MAX][PAPI_MAX_STR_LEN];
	long long values[EVENTS_MAX];
	int set = PAPI_NULL, n = 0, code = PAPI_NATIVE_MASK, component;

	if (argc != 2 || PAPI_library_init(PAPI_VER_CURRENT) != PAPI_VER_CURRENT)
		return 2;
	component = PAPI_get_component_index("powercap");
	if (component < 0 || PAPI_create_eventset(&set) != PAPI_OK)
		return 3;
	for (int r = PAPI_enum_cmp_event(&code, PAPI_ENUM_FIRST, component);
	     r == PAPI_OK && n < EVENTS_MAX;
	     r = PAPI_enum_cmp_event(&code, PAPI_ENUM_EVENTS, component)) {
		PAPI_event_code_to_name(code, names[n]);
		if (strstr(names[n], ":::ENERGY_UJ:") && PAPI_add_event(set, code) == PAPI_OK)
			n++;
	}
	if (n == 0 || PAPI_start(set) != PAPI_OK)
		return 4;
	if (system(argv[1]) != 0)
		return 5;
	if (PAPI_stop(set, values) != PAPI_OK)
		return 6;
	for (int i = 0; i < n; i++)
		printf("%s %lld\n", names[i], values[i]);
	return 0;
}
