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

#include <assert.h>
#include <stdio.h>
#include <time.h>
#include <weir/kit/text.h>

#define PLAIN "text/plain; charset=utf-8"
#define PROTOBUF "application/x-protobuf"
#define JSON "application/json"
#define MAX_TEXT sizeof(((struct weir_outcome *)NULL)->text)
#define MAX_BODY (2 * MAX_TEXT + 64)	/* all of it escaped */
#define MAX_LINES (HTTP_REDIRECT + 320)	/* what a refusal adds to a head */

const char *http_phrase(int status)
{
	static const struct { int status; const char *text; } phrases[] = {
		{ 200, "OK" }, { 204, "No Content" },
		{ 307, "Temporary Redirect" },
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

static void put_protobuf(struct weir_put *out,
			 const struct weir_outcome *outcome)
{
	if (outcome->status) {
		weir_puts(out, "\x08");
		weir_put_varint(out, (uint64_t)outcome->status);
	}
	if (outcome->text[0]) {
		weir_puts(out, "\x12");
		weir_put_varint(out, strlen(outcome->text));
		weir_puts(out, outcome->text);
	}
}

static void put_json(struct weir_put *out, const struct weir_outcome *outcome)
{
	weir_puts(out, "{\"code\":");
	weir_put_number(out, (uint64_t)outcome->status);
	weir_puts(out, ",\"message\":");
	weir_put_json(out, outcome->text);
	weir_puts(out, "}");
}

static void put_plain(struct weir_put *out, const struct weir_outcome *outcome)
{
	weir_puts(out, outcome->text);
	weir_puts(out, "\n");
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
	struct weir_put out = WEIR_PUT(body);
	struct http_reply reply = { .status = status, .extra = extra };

	if (!has_status_body(x)) {
		reply.content_type = PLAIN;
		put_plain(&out, outcome);
	} else if (weir_str_eq(weir_http_content_type(x),
			       WEIR_STR(PROTOBUF))) {
		reply.content_type = PROTOBUF;
		put_protobuf(&out, outcome);
	} else {
		reply.content_type = JSON;
		put_json(&out, outcome);
	}
	assert(!out.full);
	reply.body = (weir_str){ body, out.len };
	http_answer(x, &reply);
}

/* --- refusals ------------------------------------------------------------- */

static void put_allow(struct weir_put *out, uint32_t methods)
{
	static const char *const names[] = { "GET, HEAD", "POST", "PUT",
					     "DELETE" };
	const char *between = "Allow: ";

	for (size_t i = 0; i < 4; i++)
		if (methods & 1u << i) {
			weir_puts(out, between);
			weir_puts(out, names[i]);
			between = ", ";
		}
	weir_puts(out, "\r\n");
}

/* Whole seconds, rounded up. */
static void put_retry_after(struct weir_put *out,
			    const struct weir_outcome *outcome)
{
	uint64_t ns = outcome->retry_after.ns > 0 ?
		      (uint64_t)outcome->retry_after.ns : HTTP_SECOND;

	weir_puts(out, "Retry-After: ");
	weir_put_number(out, (ns + HTTP_SECOND - 1) / HTTP_SECOND);
	weir_puts(out, "\r\n");
}

static bool may_retry(int status, const struct weir_outcome *outcome)
{
	return (status == 503 || status == 429) &&
	       weir_outcome_retryable(outcome);
}

void http_answer_refusal(struct weir_http_exchange *x)
{
	char lines[MAX_LINES];
	struct weir_put extra = WEIR_PUT(lines);

	if (x->verdict == 307) {
		weir_puts(&extra, "Location: ");
		weir_put(&extra, x->route->path);
		weir_puts(&extra, "\r\n");
	}
	if (x->refusal.status == WEIR_OK) {	/* told, and not refused */
		http_answer(x, &(struct http_reply){
			.status = x->verdict, .extra = weir_put_end(&extra) });
		return;
	}
	if (x->verdict == 405)
		put_allow(&extra, x->route->methods);
	if (x->verdict == 415 && x->refusal.reason == WEIR_REASON_COMPRESSION)
		weir_puts(&extra, x->conn->server->encodings);
	if (may_retry(x->verdict, &x->refusal))
		put_retry_after(&extra, &x->refusal);
	if (!has_status_body(x))
		weir_puts(&extra, "X-Content-Type-Options: nosniff\r\n");
	assert(!extra.full);
	answer_outcome(x, x->verdict, weir_put_end(&extra), &x->refusal);
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
	char line[64];
	struct weir_put extra = WEIR_PUT(line);

	x->held = false;
	if (may_retry(status, outcome))
		put_retry_after(&extra, outcome);
	if (!x->conn->server) {
		http_exchange_let_go(x);
		return;
	}
	answer_outcome(x, status, weir_put_end(&extra), outcome);
}
