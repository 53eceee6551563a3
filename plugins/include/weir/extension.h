/* SPDX-License-Identifier: Apache-2.0 */
/*
 * extension.h: what an extension can do for other components.
 *
 * A capability is a table of functions in the extension's descriptor.  A
 * component names an extension in its own configuration and asks core for the
 * capability in `start` (weir_extension_*): NULL and a sentence when there is
 * no such extension or it cannot do that.  Calls on the asking component's
 * thread, with the extension's instance of the same worker.
 */
#ifndef WEIR_EXTENSION_H
#define WEIR_EXTENSION_H

#include <weir/base.h>
#include <weir/batch.h>
#include <weir/config.h>
#include <weir/status.h>

#ifdef __cplusplus
extern "C" {
#endif

struct weir_component;

/* Looks up a request header, lower-case name; false past the last value. */
struct weir_headers {
	bool (*get)(void *arg, weir_str name, size_t i, weir_str *value);
	void *arg;
};

/* Server authenticator: headers and peer in, verdict and auth data out, before
 * a body is read. */
struct weir_server_auth {
	/* Calls done exactly once, now or later; OK puts auth attributes into
	 * context (weir_context_add_auth), anything else is the answer. */
	void (*authenticate)(struct weir_component *extension,
			     const struct weir_headers *headers,
			     struct weir_context *context,
			     void (*done)(void *arg,
					  const struct weir_outcome *verdict),
			     void *arg);
};

/* Client authenticator: headers to add to a request. */
struct weir_client_auth {
	/* Calls done exactly once, now or later; pairs die with the call. */
	void (*headers)(struct weir_component *extension,
			const struct weir_batch *batch,
			void (*done)(void *arg, const struct weir_pairs *headers,
				     const struct weir_outcome *outcome),
			void *arg);
};

/* Storage: a directory of its own for each component and signal. */
struct weir_storage {
	/* Opens (makes) the place for `name` ("exporter_otlp_grpc_traces"):
	 * a directory that no other component gets.  path: PATH_MAX bytes.
	 * 0, or -1 and a sentence. */
	int (*open)(struct weir_component *extension, weir_str name,
		    char *path, struct weir_error *error);
};

struct weir_capabilities {
	const struct weir_server_auth *server_auth;
	const struct weir_client_auth *client_auth;
	const struct weir_storage *storage;
};

/* The extension of that id and its capabilities, from `start`.  *extension gets
 * the instance to call them with. */
WEIR_API const struct weir_capabilities *weir_extension_find(
	struct weir_component *c, weir_str id,
	struct weir_component **extension, struct weir_error *error);

#ifdef __cplusplus
}
#endif
#endif
