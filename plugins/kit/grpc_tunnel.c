/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc_tunnel.c: a connection's first words, when they go to a proxy.
 *
 * Holds, in the link, how much of the CONNECT is written and the proxy's reply
 * so far, at most GRPC_PROXY_REPLY_MAX bytes.
 */
#include "grpc_client.h"

#include <stdio.h>

/* The CONNECT goes out alone: what follows is the server's. */
void grpc_tunnel_write(struct link *link)
{
	const struct weir_text *request = &link->client->proxy.request;
	struct weir_iovec rest = { request->ptr + link->told,
				   request->len - link->told };
	int64_t wrote;

	if (!rest.len)
		return;
	wrote = weir_stream_writev(link->stream, &rest, 1);
	if (wrote < 0)
		return;
	link->told += (size_t)wrote;
	if (link->told < request->len)
		weir_stream_want_write(link->stream);
}

size_t grpc_tunnel_hear(struct link *link, const uint8_t *data, size_t len)
{
	struct weir_text *reply = &link->reply;
	size_t before = reply->len, room = GRPC_PROXY_REPLY_MAX - before;
	int head;

	weir_text_add(reply, (weir_str){ (const char *)data,
					 len < room ? len : room });
	head = grpc_proxy_reply(reply->ptr, reply->len);
	if (!head)
		return len;
	link->tunnel = false;
	if (head < 0) {
		link->refused = true;
		weir_stream_close(link->stream);
		return len;
	}
	weir_stream_flush_later(link->stream);
	return (size_t)head - before;
}

void grpc_tunnel_refusal(const struct link *link, char *out, size_t size)
{
	const struct weir_text *reply = &link->reply;
	int n = 0;

	while (n < 60 && (size_t)n < reply->len && reply->ptr[n] >= ' ' &&
	       reply->ptr[n] < 0x7f)
		n++;
	snprintf(out, size, "failed to do connect handshake, response: "
		 "\"%.*s\"", n, reply->ptr);
}
