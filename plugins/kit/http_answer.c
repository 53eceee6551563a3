/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_answer.c: what a request is answered with.
 *
 * The lines of the head are written once, for both protocols: the handler's,
 * CORS, what the configuration adds to every answer, the date.  A refusal of an
 * OTLP route is a google.rpc.Status in the request's content type.  Holds
 * nothing.  Must never put into a body what a peer has sent.
 */
#include "http_conn.h"

#include <stdio.h>
#include <time.h>

#define PLAIN "text/plain; charset=utf-8"
#define PROTOBUF "application/x-protobuf"
#define JSON "application/json"
#define MAX_TEXT 192		/* of an outcome */
#define MAX_BODY (2 * MAX_TEXT + 64)

const char *http_phrase(int status)
{
	static const struct { int status; const char *text; } phrases[] = {
		{ 200, "OK" }, { 204, "No Content" },
		{ 400, "Bad Request" }, { 401, "Unauthorized" },
		{ 403, "Forbidden" }, { 404, "Not Found" },
		{ 405, "Method Not Allowed" }, { 408, "Request Timeout" },
		{ 413, "Content Too Large" }, { 414, "URI Too Long" },
		{ 415, "Unsupported Media Type" },
		{ 417, "Expectation Failed" }, { 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" },
		{ 500, "Internal Server Error" }, { 501, "Not Implemented" },
		{ 502, "Bad Gateway" }, { 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" },
		{ 505, "HTTP Version Not Supported" },
	};

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].text;
	return "Unknown";
}

/* --- lines ---------------------------------------------------------------- */

/* RFC 9110 5.6.7, made once a second; not strftime, which speaks the locale. */
static const char *date_line(struct weir_http_server *server)
{
	static const char days[] = "SunMonTueWedThuFriSat";
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	uint64_t now = weir_wall_now() / HTTP_SECOND;
	time_t seconds = (time_t)now;
	struct tm tm;

	if (server->date[0] && server->date_at == now)
		return server->date;
	gmtime_r(&seconds, &tm);
	snprintf(server->date, sizeof(server->date),
		 "Date: %.3s, %02d %.3s %04d %02d:%02d:%02d GMT\r\n",
		 days + 3 * tm.tm_wday, tm.tm_mday, months + 3 * tm.tm_mon,
		 tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
	server->date_at = now;
	return server->date;
}

static bool write_lines(struct weir_http_exchange *x,
			const struct http_reply *reply, struct http_buf *lines)
{
	struct weir_http_server *server = x->conn->server;

	http_buf_clear(lines);
	if (reply->content_type &&
	    !(http_buf_puts(lines, "Content-Type: ") &&
	      http_buf_puts(lines, reply->content_type) &&
	      http_buf_puts(lines, "\r\n")))
		return false;
	return (!reply->extra || http_buf_puts(lines, reply->extra)) &&
	       http_cors_add(x, lines) &&
	       http_buf_add(lines, server->fixed.ptr, server->fixed.len) &&
	       http_buf_puts(lines, date_line(server));
}

void http_answer(struct weir_http_exchange *x, const struct http_reply *reply)
{
	struct http_conn *conn = x->conn;
	struct http_buf *lines;

	if (!conn->server || !conn->stream || !x->open) {
		http_exchange_let_go(x);
		return;
	}
	lines = &conn->server->lines;
	if (!write_lines(x, reply, lines)) {
		http_conn_drop(conn);
		http_exchange_let_go(x);
		return;
	}
	if (conn->mode == HTTP_2)
		http_h2_answer(x, reply, lines);
	else
		http_h1_answer(x, reply, lines);
}

bool http_has_body(const struct weir_http_exchange *x,
		   const struct http_reply *reply)
{
	return reply->status != 204 &&	/* RFC 9110 8.6, 9.3.2 */
	       !weir_str_eq(weir_http_method(x), WEIR_STR("HEAD"));
}

/* --- google.rpc.Status { code = 1, message = 2 } -------------------------- */

static size_t put_protobuf(char *out, const struct weir_outcome *outcome)
{
	size_t len = strlen(outcome->text), n = 0;

	if (outcome->status) {
		out[n++] = 0x08;
		out[n++] = (char)outcome->status;
	}
	if (len) {
		out[n++] = 0x12;
		if (len > 0x7f)
			out[n++] = (char)(len | 0x80);
		out[n++] = (char)(len > 0x7f ? len >> 7 : len);
		memcpy(out + n, outcome->text, len);
		n += len;
	}
	return n;
}

/* The text of an outcome is printable: only two characters matter. */
static size_t put_json(char *out, const struct weir_outcome *outcome)
{
	int n = sprintf(out, "{\"code\":%d,\"message\":\"",
			(int)outcome->status);
	char *at = out + n;

	for (const char *p = outcome->text; *p; p++) {
		if (*p == '"' || *p == '\\')
			*at++ = '\\';
		*at++ = *p;
	}
	*at++ = '"';
	*at++ = '}';
	return (size_t)(at - out);
}

static size_t put_plain(char *out, const struct weir_outcome *outcome)
{
	return (size_t)sprintf(out, "%s\n", outcome->text);
}

static bool has_status_body(const struct weir_http_exchange *x)
{
	return x->route ? x->route->status_bodies
			: x->conn->server->status_bodies;
}

static void answer_outcome(struct weir_http_exchange *x, int status,
			   const char *extra,
			   const struct weir_outcome *outcome)
{
	char body[MAX_BODY];
	struct http_reply reply = { .status = status, .extra = extra };
	size_t len;

	if (!has_status_body(x)) {
		reply.content_type = PLAIN;
		len = put_plain(body, outcome);
	} else if (weir_str_eq(weir_http_content_type(x),
			       WEIR_STR(PROTOBUF))) {
		reply.content_type = PROTOBUF;
		len = put_protobuf(body, outcome);
	} else {
		reply.content_type = JSON;
		len = put_json(body, outcome);
	}
	reply.body = (weir_str){ body, len };
	http_answer(x, &reply);
}

/* --- refusals ------------------------------------------------------------- */

static size_t put_allow(char *out, uint32_t methods)
{
	static const char *const names[] = { "GET, HEAD", "POST", "PUT",
					     "DELETE" };
	char *at = out + sprintf(out, "Allow: ");
	const char *between = "";

	for (size_t i = 0; i < 4; i++)
		if (methods & 1u << i) {
			at += sprintf(at, "%s%s", between, names[i]);
			between = ", ";
		}
	return (size_t)(at + sprintf(at, "\r\n") - out);
}

/* Whole seconds, rounded up. */
static size_t put_retry_after(char *out, const struct weir_outcome *outcome)
{
	uint64_t ns = outcome->retry_after.ns > 0 ?
		      (uint64_t)outcome->retry_after.ns : HTTP_SECOND;

	return (size_t)sprintf(out, "Retry-After: %llu\r\n",
		(unsigned long long)((ns + HTTP_SECOND - 1) / HTTP_SECOND));
}

static bool may_retry(int status, const struct weir_outcome *outcome)
{
	return (status == 503 || status == 429) &&
	       weir_outcome_retryable(outcome);
}

void http_answer_refusal(struct weir_http_exchange *x)
{
	char extra[320] = "";
	size_t n = 0;

	if (x->preflight) {
		http_answer(x, &(struct http_reply){ .status = x->verdict });
		return;
	}
	if (x->verdict == 405)
		n += put_allow(extra, x->route->methods);
	if (x->verdict == 415 && x->refusal.reason == WEIR_REASON_COMPRESSION)
		n += (size_t)sprintf(extra, "%s", x->conn->server->encodings);
	if (may_retry(x->verdict, &x->refusal))
		n += put_retry_after(extra, &x->refusal);
	if (!has_status_body(x))
		strcpy(extra + n, "X-Content-Type-Options: nosniff\r\n");
	answer_outcome(x, x->verdict, extra, &x->refusal);
}

void http_refuse(struct weir_http_exchange *x, int status,
		 enum weir_status code, enum weir_reason reason,
		 const char *why)
{
	x->verdict = status;
	weir_outcome_set(&x->refusal, code, reason, "%s", why);
	if (x->body)
		weir_payload_free(&x->body);
	x->body_len = 0;
	if (code != WEIR_OK && x->route && x->route->refused)
		x->route->refused(x->conn->server->c, &x->refusal,
				  x->route->arg);
	if (x->conn->mode == HTTP_2 ? http_h2_may_go_on(x)
				    : http_h1_may_go_on(x->conn))
		return;
	http_answer_refusal(x);
}

/* --- the contract --------------------------------------------------------- */

void weir_http_respond(struct weir_http_exchange *x, int status,
		       const char *content_type, const char *extra,
		       weir_str body)
{
	const struct http_reply reply = {
		.status = status, .content_type = content_type,
		.extra = extra, .body = body,
	};

	x->held = false;
	http_answer(x, &reply);
}

void weir_http_fail(struct weir_http_exchange *x,
		    const struct weir_outcome *outcome)
{
	int status = weir_outcome_http(outcome);
	char extra[64] = "";

	x->held = false;
	if (may_retry(status, outcome))
		put_retry_after(extra, outcome);
	if (!x->conn->server) {
		http_exchange_let_go(x);
		return;
	}
	answer_outcome(x, status, extra, outcome);
}
