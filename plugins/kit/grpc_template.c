/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc_template.c: the headers that all calls of a client have.
 *
 * Made once from the configuration: names and values are never copied again.
 * Must never hold a name that HTTP/2 would not carry: validation refused it.
 */
#include "grpc_client.h"

#include <ctype.h>
#include <stdlib.h>

#define FIXED_HEADERS 9

#if defined(__x86_64__)
#define ARCH "amd64"
#elif defined(__aarch64__)
#define ARCH "arm64"
#else
#define ARCH "unknown"
#endif

#define FIXED (NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE)

static void add_nv(struct weir_grpc_client *client, weir_str name,
		   weir_str value)
{
	client->nv[client->n_nv++] = (nghttp2_nv){
		(uint8_t *)name.ptr, (uint8_t *)value.ptr, name.len, value.len,
		FIXED };
}

static bool is_binary(weir_str name)
{
	return name.len > 4 && !memcmp(name.ptr + name.len - 4, "-bin", 4);
}

/* Lower-case names, -bin values in base64, into client->texts at *at. */
static void add_header(struct weir_grpc_client *client,
		       const struct weir_pair *pair, char **at)
{
	weir_str name = { *at, pair->name.len };
	weir_str value = pair->value.text;

	for (size_t i = 0; i < name.len; i++)
		*(*at)++ = (char)tolower((unsigned char)pair->name.ptr[i]);
	if (is_binary(name)) {
		size_t len = grpc_base64_encode(*at,
			(const uint8_t *)value.ptr, value.len);

		value = (weir_str){ *at, len };
		*at += len;
	}
	add_nv(client, name, value);
}

static weir_str or_else(weir_str given, weir_str otherwise)
{
	return given.len ? given : otherwise;
}

int grpc_template_make(struct weir_grpc_client *client)
{
	const struct weir_grpc_client_config *config = client->config;
	const struct weir_pairs *pairs = &config->headers;
	enum weir_encoding encoding =
		weir_grpc_encoding_parse(config->compression);
	weir_str host = client->target.is_unix ? WEIR_STR("localhost") :
						 client->target.address;
	size_t room = 1;
	char *at;

	for (size_t i = 0; i < pairs->len; i++)
		room += pairs->items[i].name.len +
			pairs->items[i].value.text.len * 2 + 2;
	client->nv = calloc(FIXED_HEADERS + pairs->len + 1,
			    sizeof(*client->nv));
	client->texts = at = malloc(room);
	if (!client->nv || !at)
		return -1;
	add_nv(client, WEIR_STR(":method"), WEIR_STR("POST"));
	add_nv(client, WEIR_STR(":scheme"), WEIR_STR("http"));
	add_nv(client, WEIR_STR(":path"), WEIR_STR(""));
	add_nv(client, WEIR_STR(":authority"),
	       or_else(config->authority, host));
	add_nv(client, WEIR_STR("content-type"), WEIR_STR("application/grpc"));
	add_nv(client, WEIR_STR("user-agent"),
	       or_else(config->user_agent,
		       WEIR_STR("Weir/" WEIR_VERSION " (linux/" ARCH ")")));
	add_nv(client, WEIR_STR("te"), WEIR_STR("trailers"));
	add_nv(client, WEIR_STR("grpc-accept-encoding"),
	       WEIR_STR("identity,gzip,zstd,snappy"));
	if (client->compressor)
		add_nv(client, WEIR_STR("grpc-encoding"),
		       weir_str_of(weir_grpc_encoding_name(encoding)));
	for (size_t i = 0; i < pairs->len; i++)
		add_header(client, &pairs->items[i], &at);
	/* One more behind them, for calls that have a deadline. */
	client->nv[client->n_nv].name = (uint8_t *)"grpc-timeout";
	client->nv[client->n_nv].namelen = strlen("grpc-timeout");
	client->nv[client->n_nv].flags = NGHTTP2_NV_FLAG_NO_COPY_NAME;
	return 0;
}
