/*
 * twin_kinds.c - energyscopium twin kinds: the nodes that can be simulated, and where their figures are from
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "base/cleanup.h"
#include "base/json.h"
#include "cli/twin.h"
#include "twin/kind.h"

static void put_json(const struct es_twin_kind *const *kinds, size_t n, struct es_buf *out)
{
	struct es_json json;

	es_json_init(&json, es_json_sink_buf, out, true);
	es_json_object(&json, NULL);
	es_json_string(&json, "schema", "energyscopium.twin-kinds/1");
	es_json_array(&json, "kinds");
	for (size_t i = 0; i < n; i++) {
		const struct es_twin_kind *kind = kinds[i];

		es_json_object(&json, NULL);
		es_json_string(&json, "name", kind->name);
		es_json_string(&json, "help", kind->help);
		es_json_u64(&json, "packages", kind->n_packages);
		es_json_string(&json, "package_model", kind->cpu.model);
		es_json_u64(&json, "cores", (uint64_t)kind->n_packages * kind->cpu.n_cores);
		es_json_u64(&json, "gpus", kind->n_gpus);
		es_json_string(&json, "gpu_model", kind->n_gpus ? kind->gpu.name : NULL);
		es_json_array(&json, "sources");
		for (size_t k = 0; k < ES_TWIN_SOURCES_MAX && kind->sources[k]; k++)
			es_json_string(&json, NULL, kind->sources[k]);
		es_json_array_end(&json);
		es_json_object_end(&json);
	}
	es_json_array_end(&json);
	es_json_object_end(&json);
	out->error = es_json_end(&json);
}

static void put_words(const struct es_twin_kind *const *kinds, size_t n, struct es_buf *out)
{
	for (size_t i = 0; i < n; i++) {
		const struct es_twin_kind *kind = kinds[i];

		(void)es_buf_printf(out, "%s%s\n    %s\n", i ? "\n" : "", kind->name, kind->help);
		for (size_t k = 0; k < ES_TWIN_SOURCES_MAX && kind->sources[k]; k++)
			(void)es_buf_printf(out, "    from: %s\n", kind->sources[k]);
	}
}

int es_twin_cmd_kinds(int argc, char **argv)
{
	bool wants_json = false;
	const struct es_option options[] = {
		{ "json", NULL, "print energyscopium.twin-kinds/1", ES_OPTION_FLAG, &wants_json },
	};
	const struct es_usage usage = {
		.command = "twin kinds",
		.synopsis = "[--json]",
		.text = "Lists the kinds of nodes that can be simulated, each with where its figures are from.",
		.options = options,
		.n_options = ES_ARRAY_SIZE(options),
	};
	const struct es_twin_kind *const *kinds;
	struct es_buf out;
	size_t n;
	int first, status = es_options_parse(&usage, argc, argv, &first);

	if (status >= 0)
		return status;
	if (first < argc)
		return es_complain("twin kinds", ES_EXIT_USAGE, "'%s' is one too many",
				   argv[first]);
	kinds = es_twin_kinds(&n);
	es_buf_init(&out, 1U << 20);
	if (wants_json)
		put_json(kinds, n, &out);
	else
		put_words(kinds, n, &out);
	status = es_put_out("twin kinds", &out);
	es_buf_finish(&out);
	return status;
}
