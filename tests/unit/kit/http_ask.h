/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_ask.h: one request in either protocol, and its answer in one form.
 */
#ifndef TESTS_HTTP_ASK_H
#define TESTS_HTTP_ASK_H

#include "http_peer.h"

#include <ctype.h>
#include <nghttp2/nghttp2.h>

struct ask {
	const char *method, *path;
	const char *headers;		/* "name: value\n", or NULL */
	const char *body;		/* NULL: no body, no length */
	size_t len;			/* 0: body is a string */
	bool open;			/* HTTP/2: without END_STREAM */
};

struct answer {
	int status;			/* 0: none yet */
	char headers[4096];		/* "name: value\n", lower-case names */
	char body[1 << 16];
	size_t len;
	bool continued, closed;		/* 100 came; the stream ended */
	uint32_t error;			/* of the stream */
};

static inline void add_line(struct answer *a, const char *name, size_t n,
			    const char *value, size_t len)
{
	size_t at = strlen(a->headers);

	ck_assert_uint_lt(at + n + len + 4, sizeof(a->headers));
	for (size_t i = 0; i < n; i++)
		a->headers[at++] = (char)tolower((unsigned char)name[i]);
	sprintf(a->headers + at, ": %.*s\n", (int)len, value);
}

static inline bool has_line(const struct answer *a, const char *line)
{
	return strstr(a->headers, line) != NULL;
}

/* --- HTTP/1.1 ------------------------------------------------------------- */

static inline void parse_h1(struct answer *a, const char *text, size_t len)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	const char *end = text + len, *at;

	*a = (struct answer){ 0 };
	if (len > sizeof(go_on) && !memcmp(text, go_on, sizeof(go_on) - 1)) {
		a->continued = true;
		text += sizeof(go_on) - 1;
	}
	if (text == end)
		return;
	ck_assert_int_eq(sscanf(text, "HTTP/1.1 %d ", &a->status), 1);
	at = strstr(text, "\r\n") + 2;
	while (memcmp(at, "\r\n", 2)) {
		const char *colon = strchr(at, ':');
		const char *stop = strstr(at, "\r\n");

		add_line(a, at, (size_t)(colon - at), colon + 2,
			 (size_t)(stop - colon - 2));
		at = stop + 2;
	}
	at += 2;
	a->len = (size_t)(end - at);
	ck_assert_uint_lt(a->len, sizeof(a->body));
	memcpy(a->body, at, a->len);
	a->body[a->len] = '\0';
}

static inline void ask_h1(const struct ask *ask, struct answer *a)
{
	size_t len = ask->len || !ask->body ? ask->len : strlen(ask->body);
	static char text[1 << 17];
	int n = sprintf(text, "%s %s HTTP/1.1\r\nHost: h\r\n", ask->method,
			ask->path);

	for (const char *at = ask->headers; at && *at; at++)
		n += sprintf(text + n, *at == '\n' ? "\r\n" : "%c", *at);
	if (ask->body)
		n += sprintf(text + n, "Content-Length: %zu\r\n", len);
	n += sprintf(text + n, "\r\n");
	if (len)
		memcpy(text + n, ask->body, len);
	connect_peer();
	say_bytes(text, (size_t)n + len);
	parse_h1(a, heard(), peer.n);
}

/* --- HTTP/2 --------------------------------------------------------------- */

#define MAX_ANSWERS 256

static struct h2_peer {
	nghttp2_session *session;
	size_t at;			/* of what the server wrote: read */
	struct answer *answers[MAX_ANSWERS];
	uint32_t goaway;		/* error of a GOAWAY; -1: none */
	int32_t last_id;
	unsigned goaways;
} h2;

static inline struct answer *answer_of(int32_t id)
{
	struct answer **a = &h2.answers[(id - 1) / 2 % MAX_ANSWERS];

	if (!*a)
		*a = calloc(1, sizeof(**a));
	return *a;
}

static inline int h2_header(nghttp2_session *session,
			    const nghttp2_frame *frame, const uint8_t *name,
			    size_t name_len, const uint8_t *value,
			    size_t value_len, uint8_t flags, void *arg)
{
	struct answer *a = answer_of(frame->hd.stream_id);

	(void)session, (void)flags, (void)arg;
	if (name_len != 7 || memcmp(name, ":status", 7))
		add_line(a, (const char *)name, name_len, (const char *)value,
			 value_len);
	else if (!memcmp(value, "100", 3))
		a->continued = true;
	else
		a->status = atoi((const char *)value);
	return 0;
}

static inline int h2_body(nghttp2_session *session, uint8_t flags, int32_t id,
			  const uint8_t *data, size_t len, void *arg)
{
	struct answer *a = answer_of(id);

	(void)session, (void)flags, (void)arg;
	ck_assert_uint_lt(a->len + len, sizeof(a->body));
	memcpy(a->body + a->len, data, len);
	a->len += len;
	return 0;
}

static inline int h2_closed(nghttp2_session *session, int32_t id,
			    uint32_t error, void *arg)
{
	(void)session, (void)arg;
	answer_of(id)->closed = true;
	answer_of(id)->error = error;
	return 0;
}

static inline int h2_frame(nghttp2_session *session,
			   const nghttp2_frame *frame, void *arg)
{
	(void)session, (void)arg;
	if (frame->hd.type == NGHTTP2_GOAWAY) {
		h2.goaways++;
		h2.goaway = frame->goaway.error_code;
		h2.last_id = frame->goaway.last_stream_id;
	}
	return 0;
}

/* What the server wrote is read. */
static inline void h2_read(void)
{
	while (h2.at < peer.n) {
		ssize_t n = nghttp2_session_mem_recv(h2.session,
			(const uint8_t *)peer.wrote + h2.at, peer.n - h2.at);

		ck_assert_int_gt(n, 0);
		h2.at += (size_t)n;
	}
}

/* All that the client has to say, without listening; true if any. */
static inline bool h2_send(void)
{
	const uint8_t *bytes;
	ssize_t n;
	bool any = false;

	while ((n = nghttp2_session_mem_send(h2.session, &bytes)) > 0) {
		any = true;
		if (!peer.closing && !peer.paused)
			say_bytes((const char *)bytes, (size_t)n);
	}
	ck_assert_int_eq(n, 0);
	return any;
}

/* Moves bytes both ways until nobody has any. */
static inline void h2_pump(void)
{
	do {
		h2_read();
	} while (h2_send());
}

/* The error code of the first GOAWAY that the server wrote; -1: none. */
static inline uint32_t raw_goaway(void)
{
	const uint8_t *at = (const uint8_t *)peer.wrote, *end = at + peer.n;

	while (end - at >= 9) {
		size_t len = (size_t)at[0] << 16 | (size_t)at[1] << 8 | at[2];

		if (at[3] == NGHTTP2_GOAWAY)
			return (uint32_t)at[13] << 24 | at[14] << 16 |
			       at[15] << 8 | at[16];
		at += 9 + len;
	}
	return (uint32_t)-1;
}

static inline void h2_forget(void)
{
	nghttp2_session_del(h2.session);
	for (size_t i = 0; i < MAX_ANSWERS; i++)
		free(h2.answers[i]);
	memset(&h2, 0, sizeof(h2));
	h2.goaway = (uint32_t)-1;
}

static inline void h2_connect(void)
{
	nghttp2_session_callbacks *cb;
	nghttp2_option *option;

	h2_forget();
	connect_peer();
	nghttp2_session_callbacks_new(&cb);
	nghttp2_option_new(&option);
	/* The test says what no client would. */
	nghttp2_option_set_no_http_messaging(option, 1);
	nghttp2_option_set_peer_max_concurrent_streams(option, 1000);
	nghttp2_session_callbacks_set_on_header_callback(cb, h2_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, h2_body);
	nghttp2_session_callbacks_set_on_stream_close_callback(cb, h2_closed);
	nghttp2_session_callbacks_set_on_frame_recv_callback(cb, h2_frame);
	nghttp2_session_client_new2(&h2.session, cb, NULL, option);
	nghttp2_option_del(option);
	nghttp2_session_callbacks_del(cb);
	nghttp2_submit_settings(h2.session, 0, NULL, 0);
}

static inline ssize_t h2_give(nghttp2_session *session, int32_t id,
			      uint8_t *out, size_t room, uint32_t *flags,
			      nghttp2_data_source *source, void *arg)
{
	struct ask *ask = source->ptr;
	size_t n = ask->len < room ? ask->len : room;

	(void)session, (void)id, (void)arg;
	if (!n && ask->open)
		return NGHTTP2_ERR_DEFERRED;
	if (n)
		memcpy(out, ask->body, n);
	ask->body += n;
	ask->len -= n;
	if (!ask->len && !ask->open)
		*flags = NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)n;
}

static inline size_t h2_headers(const char *text, char *copy, nghttp2_nv *nv)
{
	size_t n = 0;

	strcpy(copy, text ? text : "");
	for (char *at = copy; *at; n++) {
		char *colon = strchr(at, ':'), *end = strchr(at, '\n');

		for (char *p = at; p < colon; p++)
			*p = (char)tolower((unsigned char)*p);
		nv[n] = (nghttp2_nv){ (uint8_t *)at, (uint8_t *)colon + 2,
				      (size_t)(colon - at),
				      (size_t)(end - colon - 2), 0 };
		at = end + 1;
	}
	return n;
}

#define NV(name, value)							\
	(nghttp2_nv){ (uint8_t *)(name), (uint8_t *)(value),		\
		      strlen(name), strlen(value), 0 }

/* ask must live until its body is gone.  Nothing moves before h2_pump. */
static inline struct answer *h2_submit(struct ask *ask)
{
	const nghttp2_data_provider body = { { .ptr = ask }, h2_give };
	static char copy[1 << 16];
	char length[24];
	nghttp2_nv nv[200];
	size_t n = 0;
	int32_t id;

	if (ask->body && !ask->len)
		ask->len = strlen(ask->body);
	nv[n++] = NV(":method", ask->method);
	nv[n++] = NV(":scheme", "http");
	nv[n++] = NV(":authority", "h");
	nv[n++] = NV(":path", ask->path);
	n += h2_headers(ask->headers, copy, nv + n);
	sprintf(length, "%zu", ask->len);
	if (ask->body && !ask->open)
		nv[n++] = NV("content-length", length);
	id = nghttp2_submit_request(h2.session, NULL, nv, n,
				    ask->body || ask->open ? &body : NULL,
				    NULL);
	ck_assert_int_gt(id, 0);
	return answer_of(id);
}

static inline void ask_h2(const struct ask *ask, struct answer *a)
{
	struct ask copy = *ask;
	struct answer *got;

	h2_connect();
	got = h2_submit(&copy);
	h2_pump();
	*a = *got;
}

static inline void ask_in(int protocol, const struct ask *ask,
			  struct answer *a)
{
	if (protocol)
		ask_h2(ask, a);
	else
		ask_h1(ask, a);
}

#endif
