/*
 * core/model.c - from measured joules to the node's, and from kWh to grams
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "core/model.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/parse.h"

static const struct es_node_model node_models[] = {
	{ .name = "none", .text = "node not calibrated", .slope = 1.0 },
	{
		.name = "joule_model_202203",
		.text = "60 W per node and 50 W per GPU added, as Energy Scope did in 2022",
		.slope = 1.0,
		.offset_node_w = 60.0,
		.offset_gpu_w = 50.0,
		.truncates = true,
	},
};

const struct es_node_model *es_node_model_find(const char *name)
{
	for (size_t i = 0; i < ES_ARRAY_SIZE(node_models); i++)
		if (strcmp(node_models[i].name, name) == 0)
			return &node_models[i];
	return NULL;
}

double es_node_model_offset_w(const struct es_node_model *model, size_t n_nodes, uint32_t n_gpus)
{
	return model->offset_node_w * (double)n_nodes + model->offset_gpu_w * (double)n_gpus;
}

struct named_factor {
	const char *model;
	struct es_carbon_factor factor;
};

static const struct named_factor named_factors[] = {
	{ "carbon_model_202203",
	  { .g_per_kwh = 51.1,
	    .zone = "FR",
	    .kind = "average",
	    .factor_id = "carbon_model_202203-FR",
	    .source = "Energy Scope",
	    .year = 2022,
	    .rounds_to_wh = true } },
	{ "carbon_model_2024",
	  { .g_per_kwh = 50.0,
	    .zone = "FR",
	    .kind = "average",
	    .factor_id = "carbon_model_2024-FR",
	    .source = "EnergyScopium",
	    .year = 2024 } },
	{ "carbon_model_2024",
	  { .g_per_kwh = 369.0,
	    .zone = "US",
	    .kind = "average",
	    .factor_id = "carbon_model_2024-US",
	    .source = "EnergyScopium",
	    .year = 2024 } },
};

int es_carbon_factor_named(const char *name, const char *zone, struct es_carbon_factor *ret)
{
	bool is_model = false;

	for (size_t i = 0; i < ES_ARRAY_SIZE(named_factors); i++) {
		if (strcmp(named_factors[i].model, name) != 0)
			continue;
		is_model = true;
		if (strcmp(named_factors[i].factor.zone, zone) == 0) {
			*ret = named_factors[i].factor;
			return 0;
		}
	}
	return is_model ? -ENODATA : -ENOENT;
}

double es_carbon_g(const struct es_carbon_factor *factor, double node_j, double facility_j)
{
	if (factor->rounds_to_wh)
		return round(node_j / ES_J_PER_KWH * 1000.0) / 1000.0 * factor->g_per_kwh;
	return facility_j / ES_J_PER_KWH * factor->g_per_kwh;
}
