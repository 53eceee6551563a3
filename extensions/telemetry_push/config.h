/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.h: the block of a periodic reader, and where it says to send to.
 */
#ifndef TELEMETRY_PUSH_CONFIG_H
#define TELEMETRY_PUSH_CONFIG_H

#include <weir/kit/grpc.h>
#include <weir/kit/http_client.h>

#include "encode.h"

struct push_otlp {
	bool enabled;
	weir_str protocol, endpoint, headers_list;
	struct weir_pairs headers;
	bool insecure;
	weir_str compression;
	int64_t timeout;		/* ms */
	weir_str temporality_preference;
	weir_str certificate, client_key, client_certificate;
};

struct push_exporter {
	struct push_otlp otlp;
	const struct weir_node *console;
};

struct push_config {			/* rows: push_fields */
	int64_t interval, timeout;	/* ms */
	struct push_exporter exporter;
};
extern const struct weir_field push_fields[];

enum push_kind { PUSH_CONSOLE, PUSH_GRPC, PUSH_HTTP };

/* What the block means; texts are the block's, but for the URL. */
struct push_target {
	enum push_kind kind;
	weir_duration interval, timeout;	/* of one export */
	enum preference preference;
	struct weir_grpc_client_config grpc;
	struct weir_http_client_config http;
	struct weir_text url;		/* HTTP; freed by push_target_release */
};

/* Fills *target.  -1 and a sentence where the block makes no sense; release is
 * due all the same. */
int push_target_read(const struct push_config *config,
		     struct push_target *target, struct weir_error *error);
void push_target_release(struct push_target *target);

#endif
