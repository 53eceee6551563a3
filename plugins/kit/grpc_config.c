/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc_config.c: the keys of a gRPC server and of a gRPC client, and what
 * their rows cannot say.  Holds nothing.  Must never let a client send without
 * TLS unless its user asked for that in so many words.
 */
#include "config_check.h"
#include "grpc_config.h"

#include <ctype.h>
#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static int check_buffers(int64_t read, int64_t write, const char *path,
			 struct weir_error *error)
{
	char text[80];
	bool bad_read = read < 0;

	if (read >= 0 && write >= 0)
		return 0;
	snprintf(text, sizeof(text), "invalid %s value: %lld",
		 bad_read ? "read_buffer_size" : "write_buffer_size",
		 (long long)(bad_read ? read : write));
	return fail_at(error, path, "", text);
}

/* --- Server ------------------------------------------------------------- */

static const struct weir_field params_fields[] = {
	WEIR_FIELD(struct weir_grpc_keepalive_params, max_connection_idle, "0s",
		   "Close a connection that had no call for so long; 0: never."),
	WEIR_FIELD(struct weir_grpc_keepalive_params, max_connection_age, "0s",
		   "Ask a client to come back on a new connection after this; 0: never."),
	WEIR_FIELD(struct weir_grpc_keepalive_params, max_connection_age_grace,
		   "0s", "Time for its calls to end after that; 0: no limit."),
	WEIR_FIELD(struct weir_grpc_keepalive_params, time, "0s",
		   "Ping a client that was silent for so long; 0: 2h."),
	WEIR_FIELD(struct weir_grpc_keepalive_params, timeout, "0s",
		   "Close when a ping is not answered in this time; 0: 20s."),
	WEIR_END
};

static const struct weir_field policy_fields[] = {
	WEIR_FIELD(struct weir_grpc_keepalive_policy, min_time, "0s",
		   "A client that pings more often is sent away; 0: 5m."),
	WEIR_FIELD(struct weir_grpc_keepalive_policy, permit_without_stream,
		   "false", "Let clients ping while they have no call."),
	WEIR_END
};

static const struct weir_field server_keepalive_fields[] = {
	WEIR_BLOCK(struct weir_grpc_server_keepalive, server_parameters,
		   params_fields, "Life of a connection, and our own pings."),
	WEIR_BLOCK(struct weir_grpc_server_keepalive, enforcement_policy,
		   policy_fields, "How often a client may ping."),
	WEIR_END
};

const struct weir_field weir_grpc_server_fields[] = {
	WEIR_FIELD(struct weir_grpc_server_config, endpoint, "localhost:4317",
		   "Address to listen on: host:port, :port, or a socket's path."),
	WEIR_FIELD(struct weir_grpc_server_config, transport, "tcp",
		   "Kind of socket.", .choices = "tcp tcp4 tcp6 unix"),
	WEIR_FIELD_IGNORED("dialer", "A server does not dial."),
	WEIR_FIELD(struct weir_grpc_server_config, max_recv_msg_size_mib, "0",
		   "Largest message in MiB, compressed and inflated; 0: 4."),
	WEIR_FIELD(struct weir_grpc_server_config, max_concurrent_streams, "0",
		   "Calls at once on one connection; 0: 100."),
	WEIR_FIELD(struct weir_grpc_server_config, max_connections_per_address,
		   "0", "Connections at once of one address; 0: three quarters "
		   "of all that the process may have.", .flags = WEIR_OURS),
	WEIR_FIELD(struct weir_grpc_server_config, read_buffer_size, "524288",
		   "Accepted; the worker's own buffer is used."),
	WEIR_FIELD(struct weir_grpc_server_config, write_buffer_size, "0",
		   "Accepted; answers are written once a turn."),
	WEIR_OPTIONAL(struct weir_grpc_server_config, keepalive,
		      server_keepalive_fields, WEIR_BLOCK_NONE,
		      "Pings and the life of connections."),
	WEIR_FIELD(struct weir_grpc_server_config, include_metadata, "false",
		   "Keep the metadata of calls for processors and exporters."),
	WEIR_FIELD(struct weir_grpc_server_config, tls, NULL,
		   "Not available yet: refused."),
	WEIR_FIELD(struct weir_grpc_server_config, auth, NULL,
		   "Not available yet: refused."),
	WEIR_FIELD(struct weir_grpc_server_config, middlewares, NULL,
		   "Not available yet: refused."),
	WEIR_END
};

int weir_grpc_server_validate(const struct weir_grpc_server_config *config,
			      const char *path, struct weir_error *error)
{
	struct weir_error why;
	char text[128];

	if (config->max_recv_msg_size_mib < 0 ||
	    config->max_recv_msg_size_mib > 8796093022207) {
		snprintf(text, sizeof(text), "invalid max_recv_msg_size_mib "
			 "value, must be between 1 and 8796093022207: %lld",
			 (long long)config->max_recv_msg_size_mib);
		return fail_at(error, path, "", text);
	}
	if (check_buffers(config->read_buffer_size, config->write_buffer_size,
			  path, error))
		return -1;
	if (weir_listen_check(config->endpoint, config->transport, &why))
		return fail_at(error, path, "endpoint", why.text);
	if (weir_node_kind(config->tls) != WEIR_NODE_NULL)
		return fail_at(error, path, "tls", "TLS is not available yet: "
			       "take the block out, or put a proxy in front");
	if (weir_node_kind(config->auth) != WEIR_NODE_NULL)
		return fail_at(error, path, "auth", "authentication is not "
			       "available yet: take the block out");
	if (is_given(config->middlewares))
		return fail_at(error, path, "middlewares",
			       "middlewares are not available");
	return 0;
}

/* --- Client ------------------------------------------------------------- */

static const struct weir_field client_keepalive_fields[] = {
	WEIR_FIELD(struct weir_grpc_client_keepalive, time, "10s",
		   "Ping a server that was silent for so long."),
	WEIR_FIELD(struct weir_grpc_client_keepalive, timeout, "10s",
		   "Reconnect when a ping is not answered in this time."),
	WEIR_FIELD(struct weir_grpc_client_keepalive, permit_without_stream,
		   "false", "Ping also while there is no call."),
	WEIR_END
};

const struct weir_field weir_grpc_client_fields[] = {
	WEIR_FIELD(struct weir_grpc_client_config, endpoint, NULL,
		   "The server: host:port, dns:///host:port or unix:///path."),
	WEIR_FIELD(struct weir_grpc_client_config, compression, "",
		   "Of requests: gzip, zstd, snappy or none."),
	WEIR_FIELD(struct weir_grpc_client_config, tls, NULL,
		   "{insecure: true} sends in plain text; TLS is not available yet."),
	WEIR_OPTIONAL(struct weir_grpc_client_config, keepalive,
		      client_keepalive_fields, WEIR_BLOCK_NONE,
		      "Pings that find out about a dead connection."),
	WEIR_FIELD(struct weir_grpc_client_config, read_buffer_size, "0",
		   "Accepted; the worker's own buffer is used."),
	WEIR_FIELD(struct weir_grpc_client_config, write_buffer_size, "0",
		   "Accepted; requests are written without a copy."),
	WEIR_FIELD(struct weir_grpc_client_config, wait_for_ready, "false",
		   "Wait for a connection instead of failing while there is none."),
	WEIR_FIELD(struct weir_grpc_client_config, headers, NULL,
		   "Metadata to send with every call."),
	WEIR_FIELD(struct weir_grpc_client_config, balancer_name, "round_robin",
		   "round_robin: over all addresses of the name; pick_first: the "
		   "first that answers."),
	WEIR_FIELD(struct weir_grpc_client_config, authority, "",
		   "The :authority to send instead of the endpoint."),
	WEIR_FIELD(struct weir_grpc_client_config, user_agent, "",
		   "The user-agent to send instead of Weir's."),
	WEIR_FIELD(struct weir_grpc_client_config, auth, NULL,
		   "Not available yet: refused."),
	WEIR_FIELD(struct weir_grpc_client_config, middlewares, NULL,
		   "Not available yet: refused."),
	WEIR_END
};

static bool take_prefix(weir_str *text, weir_str prefix)
{
	if (text->len < prefix.len ||
	    memcmp(text->ptr, prefix.ptr, prefix.len))
		return false;
	text->ptr += prefix.len;
	text->len -= prefix.len;
	return true;
}

void grpc_target_parse(weir_str endpoint, struct grpc_target *target)
{
	*target = (struct grpc_target){ .address = endpoint };
	if (take_prefix(&target->address, WEIR_STR("https://")))
		target->https = true;
	else if (take_prefix(&target->address, WEIR_STR("http://")))
		return;
	else if (take_prefix(&target->address, WEIR_STR("unix:")))
		target->is_unix = true;
	else if (take_prefix(&target->address, WEIR_STR("dns:///")) ||
		 take_prefix(&target->address, WEIR_STR("passthrough:///")))
		return;
	/* unix:///path is the path from the third slash on */
	if (target->is_unix && target->address.len >= 2 &&
	    !memcmp(target->address.ptr, "//", 2)) {
		target->address.ptr += 2;
		target->address.len -= 2;
	}
}

static int check_port(weir_str address, const char *path,
		      struct weir_error *error)
{
	const char *colon = memrchr(address.ptr, ':', address.len);
	const char *bracket = memrchr(address.ptr, ']', address.len);
	weir_str port;
	char text[300];
	unsigned int n = 0;

	if (!colon || (bracket && bracket > colon)) {
		snprintf(text, sizeof(text), "address %.*s: missing port in "
			 "address", (int)(address.len < 200 ? address.len : 200),
			 address.ptr);
		return fail_at(error, path, "endpoint", text);
	}
	if (!bracket && !memchr(address.ptr, '/', address.len) &&
	    memchr(address.ptr, ':', (size_t)(colon - address.ptr))) {
		snprintf(text, sizeof(text), "address %.*s: too many colons in "
			 "address", (int)(address.len < 200 ? address.len : 200),
			 address.ptr);
		return fail_at(error, path, "endpoint", text);
	}
	port.ptr = colon + 1;
	port.len = (size_t)(address.ptr + address.len - port.ptr);
	for (size_t i = 0; i < port.len && n < 65536; i++)
		n = port.ptr[i] >= '0' && port.ptr[i] <= '9' ?
			n * 10 + (unsigned int)(port.ptr[i] - '0') : 65536;
	if (port.len && n && n < 65536)
		return 0;
	snprintf(text, sizeof(text), "invalid port \"%.*s\"",
		 (int)(port.len < 200 ? port.len : 200), port.ptr);
	return fail_at(error, path, "endpoint", text);
}

static int check_endpoint(const struct weir_grpc_client_config *config,
			  const char *path, struct weir_error *error)
{
	struct grpc_target target;

	grpc_target_parse(config->endpoint, &target);
	if (target.is_unix && !target.address.len)
		return fail_at(error, path, "endpoint",
			       "unix socket path cannot be empty");
	if (!target.address.len)
		return fail_at(error, path, "",
			       "requires a non-empty \"endpoint\"");
	if (target.https)
		return fail_at(error, path, "endpoint", "https:// asks for "
			       "TLS, which is not available yet");
	return target.is_unix ? 0 : check_port(target.address, path, error);
}

/* Secrets leave in plain text only when the user said so. */
static int check_tls(const struct weir_node *tls, const char *path,
		     struct weir_error *error)
{
	const struct weir_node *insecure =
		weir_node_get(tls, WEIR_STR("insecure"));

	for (size_t i = 0; i < weir_node_len(tls); i++)
		if (!weir_str_eq(weir_node_key(tls, i), WEIR_STR("insecure")))
			return fail_at(error, path, "tls", "TLS is not "
				       "available yet: only `insecure: true` "
				       "is understood here");
	if (weir_node_kind(insecure) == WEIR_NODE_BOOL &&
	    weir_node_bool(insecure))
		return 0;
	return fail_at(error, path, "tls", "TLS is not available yet: set "
		       "`insecure: true` to send in plain text");
}

static int check_compression(weir_str name, const char *path,
			     struct weir_error *error)
{
	static const char *const http_only[] = { "zlib", "deflate", "lz4",
		"x-snappy-framed" };
	char text[160];

	if (weir_str_eq(name, WEIR_STR("none")) ||
	    (weir_grpc_encoding_parse(name) != WEIR_ENCODING_UNKNOWN &&
	     !weir_str_eq(name, WEIR_STR("identity"))))
		return 0;
	for (size_t i = 0; i < sizeof(http_only) / sizeof(*http_only); i++)
		if (weir_str_eq(name, weir_str_of(http_only[i])))
			return fail_at(error, path, "compression", "this "
				       "compression is for HTTP only: use "
				       "gzip, zstd, snappy or none");
	snprintf(text, sizeof(text), "unsupported compression type \"%.*s\"",
		 (int)(name.len < 100 ? name.len : 100), name.ptr);
	return fail_at(error, path, "compression", text);
}

/* What HTTP/2 would refuse to carry is said here, not at every call. */
static int check_headers(const struct weir_pairs *pairs, const char *path,
			 struct weir_error *error)
{
	for (size_t i = 0; i < pairs->len; i++) {
		weir_str name = pairs->items[i].name;
		weir_str value = pairs->items[i].value.text;
		bool good = name.len && name.ptr[0] != ':';

		for (size_t j = 0; j < name.len; j++)
			good = good && (isalnum((unsigned char)name.ptr[j]) ||
					memchr("-_.", name.ptr[j], 3));
		if (!good || (name.len >= 5 &&
			      !strncasecmp(name.ptr, "grpc-", 5)))
			return fail_at(error, path, "headers", "a name holds "
				       "only letters, digits, - _ and . and "
				       "does not begin with grpc-");
		if (!nghttp2_check_header_value((const uint8_t *)value.ptr,
						value.len))
			return fail_at(error, path, "headers", "a value holds "
				       "a control character");
	}
	return 0;
}

int weir_grpc_client_validate(const struct weir_grpc_client_config *config,
			      const char *path, struct weir_error *error)
{
	if (check_endpoint(config, path, error) ||
	    check_tls(config->tls, path, error))
		return -1;
	return weir_grpc_client_validate_plain(config, path, error);
}

int weir_grpc_client_validate_plain(
	const struct weir_grpc_client_config *config, const char *path,
	struct weir_error *error)
{
	weir_str balancer = config->balancer_name;
	char text[160];

	if (check_endpoint(config, path, error) ||
	    check_compression(config->compression, path, error) ||
	    check_headers(&config->headers, path, error) ||
	    check_buffers(config->read_buffer_size, config->write_buffer_size,
			  path, error))
		return -1;
	if (balancer.len && !weir_str_eq(balancer, WEIR_STR("round_robin")) &&
	    !weir_str_eq(balancer, WEIR_STR("pick_first"))) {
		snprintf(text, sizeof(text), "invalid balancer_name: %.*s",
			 (int)(balancer.len < 100 ? balancer.len : 100),
			 balancer.ptr);
		return fail_at(error, path, "", text);
	}
	if (is_given(config->auth))
		return fail_at(error, path, "auth", "authentication is not "
			       "available yet: take the block out");
	if (is_given(config->middlewares))
		return fail_at(error, path, "middlewares",
			       "middlewares are not available");
	return 0;
}
