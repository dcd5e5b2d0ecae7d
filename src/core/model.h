/*
 * core/model.h - from measured joules to the node's, and from kWh to grams
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 */
#ifndef ES_CORE_MODEL_H
#define ES_CORE_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** struct es_node_model - node energy = slope * measured + offset power * time */
struct es_node_model {
	const char *name;
	const char *text; /* for people */
	double slope;
	double offset_node_w, offset_gpu_w; /* watts per node and per GPU */
	bool truncates; /* each domain to whole joules, time to whole seconds, as the original tool does */
};

/**
 * es_node_model_find - a model by name
 *
 * "none": slope 1, offset 0. "joule_model_202203": the original tool's, J + t * (60 W * nodes + 50 W * GPUs), on
 * domains truncated to whole joules and whole seconds (reference: its 45 published runs). NULL: not known.
 */
const struct es_node_model *es_node_model_find(const char *name);

/** es_node_model_offset_w - the constant power that a model adds */
double es_node_model_offset_w(const struct es_node_model *model, size_t n_nodes, uint32_t n_gpus);

/** struct es_carbon_factor - grams per kWh, and where they come from; texts borrowed */
struct es_carbon_factor {
	double g_per_kwh;
	const char *zone;
	const char *kind; /* "average" or "marginal" */
	const char *scope; /* "lifecycle" or "direct"; NULL: not stated */
	const char *factor_id; /* "ember-FR-2024", "carbon_model_2024-FR" */
	const char *source;
	int year; /* 0: not stated */
	bool rounds_to_wh; /* kWh are rounded to three decimals first, and PUE is not part of it: the 2022 model */
};

/**
 * es_carbon_factor_named - the factor of a named model for a zone
 *
 * "carbon_model_202203": FR 51.1 g/kWh; "carbon_model_2024": FR 50, US 369 g/kWh (both as the original tool published).
 * Returns 0; -ENOENT: no such model; -ENODATA: the model has no factor for @zone.
 */
int es_carbon_factor_named(const char *name, const char *zone, struct es_carbon_factor *ret);

/** es_carbon_g - grams for @node_j and @facility_j joules */
double es_carbon_g(const struct es_carbon_factor *factor, double node_j, double facility_j);

#endif
