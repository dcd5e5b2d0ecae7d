/*
 * fuzz_redfish.c - any bytes as all documents of a Redfish service
 *
 * SPDX-License-Identifier: GPL-3.0-or-later
 * Copyright (C) 2026 the EnergyScopium authors
 *
 * The input: one letter that says what the user wants, then an object whose keys are paths.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "fuzz/target.h"
#include "source/json.h"
#include "source/redfish.h"

static int get(void *arg, const char *path, json_t **ret, struct es_error *err)
{
	json_t *document = json_object_get(arg, path);

	fuzz_require(strncmp(path, "/redfish/v1/", 12) == 0 &&
		     strlen(path) < ES_REDFISH_LINK_BYTES);
	if (!document)
		return es_error_say(err, -ENOENT, "none");
	*ret = json_incref(document);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char how = n ? (char)data[0] : '\0';
	struct es_redfish_wish wish = { .path = how == 'c'   ? "/redfish/v1/Chassis/1"
						: how == 'o' ? ES_REDFISH_EQUIPMENT "1"
							     : "",
					.control = how == 'w' ? "0" : NULL,
					.wants_energy = how == 'e',
					.wants_power = how == 'p',
					.is_settled = how == 's' };
	struct es_redfish_part *parts = calloc(ES_REDFISH_PARTS_MAX, sizeof(*parts));
	struct es_error err = { .code = 0 };
	json_t *json = NULL;
	int r;

	if (parts && n > 0 && es_json_load((const char *)data + 1, n - 1, &json, NULL) == 0) {
		r = es_redfish_find(get, json, &wish, parts, &err);
		fuzz_require(r <= (int)ES_REDFISH_PARTS_MAX && (r >= 0 || err.code == r));
		for (int i = 0; i < r; i++) {
			double v = 1;

			fuzz_require(parts[i].path[0] == '/' && parts[i].name[0] &&
				     (!parts[i].is_node || i == 0) &&
				     (!wish.is_settled || !es_redfish_is_counter(&parts[i])));
			/* Whatever document is read in its place later. */
			(void)es_redfish_value(&parts[i], json, &v);
			fuzz_require(isfinite(v) && v > 0);
		}
	}
	json_decref(json);
	free(parts);
	return 0;
}
