/*
 * dl.c - libraries that are opened when they are used
 *
 * SPDX-License-Identifier: BSD-3-Clause
 * Copyright (C) 2026 the EnergyScopium authors
 */
#include "base/dl.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

int es_dl_open(struct es_dl *dl, const char *library, const struct es_dl_symbol *symbols, size_t n,
	       struct es_error *err)
{
	void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);

	if (!handle) {
		const char *why = dlerror();

		return es_error_say(err, -ENOENT, "cannot open library '%s': %s", library,
				    why ? why : "not found");
	}
	for (size_t i = 0; i < n; i++) {
		void *address = dlsym(handle, symbols[i].name);

		if (!address && symbols[i].is_required) {
			(void)dlclose(handle);
			return es_error_say(err, -ENOSYS, "library '%s' has no %s()", library,
					    symbols[i].name);
		}
		/* ISO C has no cast from an object's address to a function's; POSIX says that they have one representation. */
		memcpy(symbols[i].slot, &address, sizeof(address));
	}
	dl->handle = handle;
	return 0;
}

void es_dl_close(struct es_dl *dl)
{
	if (dl->handle)
		(void)dlclose(dl->handle);
	dl->handle = NULL;
}
