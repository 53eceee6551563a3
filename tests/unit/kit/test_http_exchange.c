/* SPDX-License-Identifier: Apache-2.0 */
/* One request over HTTP/1.1 and over HTTP/2: the same answer.  Numbers are rows
 * of the catalogue of attacks. */
#include "http_ask.h"

#include <weir/kit/compress.h>

#define ASK(method_, path_, headers_, body_)				\
	{ .method = method_, .path = path_, .headers = headers_,	\
	  .body = body_ }
#define N(table) (int)(sizeof(table) / sizeof((table)[0]))
#define JSON "Content-Type: application/json\n"
#define PROTOBUF "Content-Type: application/x-protobuf\n"
#define X8(s) s s s s s s s s
#define X64(s) X8(X8(s))

static struct weir_http_server *server;
static struct weir_http_server_config config;
static struct weir_outcome outcome, refusal;
static unsigned handled, refused;
static char metadata[256];

/* --- a server ------------------------------------------------------------- */

/* Says what it got. */
static void echo(struct weir_component *who, struct weir_http_exchange *x,
		 void *arg)
{
	weir_str type = weir_http_content_type(x), value;
	char text[64];
	size_t len;
	struct weir_payload *body;

	(void)who, (void)arg;
	handled++;
	snprintf(text, sizeof(text), "%.*s", WEIR_STR_FMT(type));
	if (weir_context_metadata(weir_http_context(x), WEIR_STR("x-tenant"),
				  0, &value))
		snprintf(metadata, sizeof(metadata), "%.*s",
			 WEIR_STR_FMT(value));
	if (weir_context_metadata(weir_http_context(x), WEIR_STR("host"), 0,
				  &value))
		strncat(metadata, value.ptr, value.len);
	body = weir_http_take_body(x, &len);
	ck_assert_ptr_null(weir_http_take_body(x, &(size_t){ 0 }));
	weir_http_respond(x, 200, text, "X-Ours: 1\r\n",
			  (weir_str){ body ? (char *)weir_payload_bytes(body)
					   : "", len });
	if (body)
		weir_payload_free(&body);
}

static void say_no(struct weir_component *who, struct weir_http_exchange *x,
		 void *arg)
{
	(void)who, (void)arg;
	weir_http_fail(x, &outcome);
}

static void on_refused(struct weir_component *who,
		       const struct weir_outcome *why, void *arg)
{
	(void)who, (void)arg;
	refused++;
	refusal = *why;
}

static const struct weir_http_route routes[] = {
	{ .path = { "/v1/traces", 10 }, .methods = WEIR_HTTP_POST,
	  .content_types = "application/json application/x-protobuf",
	  .status_bodies = true, .handle = echo, .refused = on_refused },
	{ .path = { "/get", 4 }, .methods = WEIR_HTTP_GET, .handle = echo },
	{ .path = { "/fail", 5 }, .methods = WEIR_HTTP_POST,
	  .content_types = "application/json application/x-protobuf",
	  .status_bodies = true, .handle = say_no },
};

static void set_up(void)
{
	weir_http_server_defaults(&config);
	config.endpoint = WEIR_STR("h:1");
	config.max_request_body_size = 1000;
}

static void serve(void)
{
	struct weir_error error;

	server = weir_http_server_start(&c, &config, routes, N(routes),
					&error);
	ck_assert_ptr_nonnull(server);
}

static void tear_down(void)
{
	h2_forget();
	weir_http_server_free(&server);
	turn();
	ck_assert_uint_eq(weir_budget_used(), 0);
}

/* --- what is asked -------------------------------------------------------- */

static const struct {
	const char *why;
	struct ask ask;
	int status;
	const char *line, *body;	/* of the answer */
} rows[] = {
	{ "a body comes back", ASK("POST", "/v1/traces", JSON, "hello"),
	  200, "content-type: application/json\n", "hello" },
	{ "its type without case and parameters",
	  ASK("POST", "/v1/traces",
		"content-type: Application/X-Protobuf ; q=1\n", "hello"),
	  200, "content-type: application/x-protobuf\n", "hello" },
	{ "the handler's lines", ASK("GET", "/get", NULL, NULL), 200,
	  "x-ours: 1\n", "" },
	{ "a query", ASK("GET", "/get?x=/y", NULL, NULL), 200,
	  "content-length: 0\n", "" },
	{ "50: an empty body", ASK("POST", "/v1/traces", PROTOBUF, ""),
	  200, "content-length: 0\n", "" },
	{ "no body at all", ASK("POST", "/v1/traces", PROTOBUF, NULL), 200,
	  "content-length: 0\n", "" },
	{ "46: another path", ASK("POST", "/v1/secret", JSON, "hello"),
	  404, "content-type: application/json\n",
	  "{\"code\":12,\"message\":\"404 page not found\"}" },
	{ "46: a path below", ASK("POST", "/v1/traces/", PROTOBUF, "hello"),
	  404, "content-type: application/x-protobuf\n",
	  "\x08\x0c\x12\x12" "404 page not found" },
	{ "two slashes", ASK("POST", "//v1/traces", JSON, "hello"),
	  307, "location: /v1/traces\n", "" },
	{ "steps", ASK("POST", "/v1/../x/.././v1/traces", JSON, "hello"),
	  307, "location: /v1/traces\n", "" },
	{ "steps to nowhere", ASK("POST", "/v1/../../traces", JSON, "hello"),
	  404, "", "" },
	{ "113: only our own path is said", ASK("POST", "//evil//", JSON, "x"),
	  404, "", "" },
	{ "an escaped letter", ASK("POST", "/%761/%74race%73", JSON, "hello"),
	  200, "", "hello" },
	{ "an escaped slash is none", ASK("POST", "/v1%2Ftraces", JSON, "x"),
	  404, "", "" },
	{ "nor is an escaped dot a step", ASK("POST", "/v1/%2e/traces", JSON,
	  "x"), 404, "", "" },
	{ "an escaped byte more", ASK("POST", "/v1/traces%20", JSON, "x"), 404,
	  "", "" },
	{ "an escaped NUL", ASK("POST", "/v1/traces%00", JSON, "x"), 404, "",
	  "" },
	{ "half an escape", ASK("POST", "/v1/traces%2", JSON, "hello"), 400,
	  "content-type: application/json\n",
	  "{\"code\":3,\"message\":\"malformed target\"}" },
	{ "an escape that is none", ASK("POST", "/v1/%zz", JSON, "hello"), 400,
	  "", "" },
	{ "46: GET of an escaped path", ASK("GET", "/v1/%74races", NULL, NULL),
	  405, "allow: POST\n", "" },
	{ "46: GET", ASK("GET", "/v1/traces", NULL, NULL), 405,
	  "allow: POST\n", "{\"code\":12,\"message\":"
	  "\"405 method not allowed, supported: [POST]\"}" },
	{ "46: another method", ASK("BREW", "/v1/traces", PROTOBUF, "x"),
	  405, "allow: POST\n", "\x08\x0c\x12\x29" "405 method not allowed" },
	{ "46: a lower-case method", ASK("post", "/v1/traces", JSON, "x"),
	  405, "allow: POST\n", "" },
	{ "46: POST where GET is", ASK("POST", "/get", JSON, "x"), 405,
	  "allow: GET, HEAD\n", "405 method not allowed, supported: [GET]\n" },
	{ "46: no sniffing of texts", ASK("POST", "/get", JSON, "x"), 405,
	  "x-content-type-options: nosniff\n", "" },
	{ "OPTIONS without CORS", ASK("OPTIONS", "/v1/traces", NULL, NULL), 405,
	  "allow: POST\n", "" },
	{ "47: no type", ASK("POST", "/v1/traces", NULL, "hello"), 415,
	  "content-type: application/json\n",
	  "{\"code\":3,\"message\":\"415 unsupported media type, supported: "
	  "[application/json, application/x-protobuf]\"}" },
	{ "47: text", ASK("POST", "/v1/traces", "content-type: text/plain\n",
	  "hello"), 415, "content-type: application/json\n", "" },
	{ "47: two types", ASK("POST", "/v1/traces", JSON JSON, "hello"), 415,
	  "", "" },
	{ "9: stacked in one header", ASK("POST", "/v1/traces",
	  PROTOBUF "content-encoding: gzip, gzip\n", "hello"), 415,
	  "accept-encoding: gzip, zstd, zlib, snappy, deflate, lz4, "
	  "x-snappy-framed\n", "\x08\x03\x12\x1c" "unsupported" },
	{ "9: stacked in two", ASK("POST", "/v1/traces",
	  JSON "content-encoding: gzip\ncontent-encoding: gzip\n", "hello"),
	  415, "accept-encoding: gzip", "" },
	{ "10: unknown", ASK("POST", "/v1/traces",
	  JSON "content-encoding: br\n", "hello"), 415,
	  "accept-encoding: gzip", "" },
	{ "10: in upper case", ASK("POST", "/v1/traces",
	  JSON "content-encoding: GZIP\n", "hello"), 415,
	  "accept-encoding: gzip", "" },
	{ "10: identity", ASK("POST", "/v1/traces",
	  JSON "content-encoding: identity\n", "hello"), 415,
	  "accept-encoding: gzip", "" },
	{ "8: broken", ASK("POST", "/v1/traces",
	  JSON "content-encoding: gzip\n", "hello"), 400,
	  "content-type: application/json\n", "{\"code\":3,\"message\":" },
	{ "8: nothing is no gzip", ASK("POST", "/v1/traces",
	  JSON "content-encoding: gzip\n", ""), 400, "", "" },
	{ "just under the cap", ASK("POST", "/v1/traces", JSON,
	  X8(X8("0123456789") "0123456789" "0123456789" "0123456789"
	     "01234") X8("0123456789")), 200,
	  "content-length: 1000\n", "0123456789" },
	{ "1: over the cap", ASK("POST", "/v1/traces", JSON,
	  X64("0123456789abcdef")), 413,
	  "content-type: application/json\n",
	  "{\"code\":8,\"message\":\"request body too large\"}" },
	{ "51: TRACE", ASK("TRACE", "/get", NULL, NULL), 501, "", "" },
};

START_TEST(says_the_same_in_both)
{
	static struct answer a;
	const char *why = rows[_i / 2].why;
	size_t len = strlen(rows[_i / 2].body);

	serve();
	ask_in(_i % 2, &rows[_i / 2].ask, &a);
	ck_assert_msg(a.status == rows[_i / 2].status, "%s: %d", why,
		      a.status);
	ck_assert_msg(has_line(&a, rows[_i / 2].line), "%s: %s", why,
		      a.headers);
	ck_assert_msg(a.len >= len && !memcmp(a.body, rows[_i / 2].body, len),
		      "%s: %s", why, a.body);
	ck_assert_uint_eq(handled, a.status == 200);
	ck_assert_msg(has_line(&a, "date: Sun, 06 Nov 1994 08:49:37 GMT\n"),
		      "%s: %s", why, a.headers);
	/* R2: short, and nothing of what was sent. */
	if (a.status != 200) {
		ck_assert_uint_le(a.len, 256);
		ck_assert(!memmem(a.body, a.len, "secret", 6));
		ck_assert(!memmem(a.body, a.len, "hello", 5));
	}
}
END_TEST

/* RFC 9110 9.3.7 */
START_TEST(a_star_asks_about_the_server)
{
	static const struct ask ask = ASK("OPTIONS", "*", NULL, NULL);
	static const struct ask odd = ASK("GET", "*", NULL, NULL);
	static struct answer a;

	serve();
	ask_in(_i, &ask, &a);
	ck_assert_int_eq(a.status, 200);
	ck_assert(has_line(&a, "content-length: 0\n"));
	ck_assert_uint_eq(handled + refused, 0);
	ask_in(0, &odd, &a);
	ck_assert_int_eq(a.status, 400);
}
END_TEST

START_TEST(who_owns_a_route_hears_of_refusals)
{
	static struct answer a;

	serve();
	ask_in(_i, &rows[N(rows) - 2].ask, &a);
	ck_assert_uint_eq(refused, 1);
	ck_assert_int_eq(refusal.reason, WEIR_REASON_TOO_BIG);
	ask_in(_i, &(struct ask)ASK("POST", "/nowhere", JSON, "x"), &a);
	ck_assert_uint_eq(refused, 1);
}
END_TEST

START_TEST(head_has_the_length_and_not_the_body)
{
	static struct answer a;

	serve();
	ask_in(_i, &(struct ask)ASK("HEAD", "/nowhere", NULL, NULL), &a);
	ck_assert_int_eq(a.status, 404);
	ck_assert(has_line(&a, "content-length: 42\n"));
	ck_assert_uint_eq(a.len, 0);
}
END_TEST

/* --- bodies --------------------------------------------------------------- */

static const char *const encodings[] = { "gzip", "zstd" };

static size_t deflate(const char *name, const void *in, size_t len, void *out,
		      size_t room)
{
	struct weir_compressor *z = weir_compressor_new(
		weir_encoding_parse(weir_str_of(name)), 0);
	struct weir_iovec piece = { in, len };
	uint8_t *bytes = weir_compress(z, &piece, 1, 0, &len);

	ck_assert_uint_le(len, room);
	memcpy(out, bytes, len);
	free(bytes);
	weir_compressor_free(&z);
	return len;
}

START_TEST(row_4_inflated_under_the_same_cap)
{
	static struct answer a;
	static char plain[100000], packed[2000], headers[128];
	const char *name = encodings[_i / 2];
	struct ask ask = ASK("POST", "/v1/traces", headers, packed);

	serve();
	sprintf(headers, JSON "content-encoding: %s\n", name);
	memset(plain, 'x', sizeof(plain));
	ask.len = deflate(name, plain, 1000, packed, sizeof(packed));
	ask_in(_i % 2, &ask, &a);
	ck_assert_int_eq(a.status, 200);
	ck_assert_uint_eq(a.len, 1000);
	ck_assert(!memcmp(a.body, plain, 1000));
	ask.len = deflate(name, plain, 1001, packed, sizeof(packed));
	ask_in(_i % 2, &ask, &a);
	ck_assert_int_eq(a.status, 413);
	ask.len = deflate(name, plain, sizeof(plain), packed, sizeof(packed));
	ask_in(_i % 2, &ask, &a);
	ck_assert_int_eq(a.status, 413);
	/* Half of it is nothing. */
	ask.len = deflate(name, plain, 1000, packed, sizeof(packed)) / 2;
	ask_in(_i % 2, &ask, &a);
	ck_assert_int_eq(a.status, 400);
}
END_TEST

START_TEST(without_the_empty_name_bodies_must_be_encoded)
{
	static const weir_str only[] = { { "gzip", 4 } };
	static struct answer a;
	char packed[100];
	struct ask ask = ASK("POST", "/v1/traces",
		JSON "content-encoding: gzip\n", packed);

	config.compression_algorithms = (struct weir_strs){ only, 1 };
	serve();
	ask.len = deflate("gzip", "hello", 5, packed, sizeof(packed));
	ask_in(_i, &ask, &a);
	ck_assert_int_eq(a.status, 200);
	ask_in(_i, &(struct ask)ASK("POST", "/v1/traces", JSON, "hello"), &a);
	ck_assert_int_eq(a.status, 415);
	ck_assert(has_line(&a, "accept-encoding: gzip\n"));
	ask.headers = JSON "content-encoding: zstd\n";
	ask_in(_i, &ask, &a);
	ck_assert_int_eq(a.status, 415);
}
END_TEST

START_TEST(with_no_algorithm_bodies_pass_as_they_are)
{
	static struct answer a;

	config.compression_algorithms.len = 0;
	serve();
	ask_in(_i, &(struct ask)ASK("POST", "/v1/traces",
		JSON "content-encoding: gzip\n", "hello"), &a);
	ck_assert_int_eq(a.status, 200);
	ck_assert_str_eq(a.body, "hello");
}
END_TEST

START_TEST(row_12_no_memory_is_a_passing_state)
{
	static struct answer a;

	serve();
	weir_budget_limit(1, 1);
	ask_in(_i, &(struct ask)ASK("POST", "/v1/traces", PROTOBUF, "hello"),
	       &a);
	weir_budget_limit(1 << 30, 1 << 30);
	ck_assert_int_eq(a.status, 503);
	ck_assert(has_line(&a, "retry-after: 1\n"));
	ck_assert_int_eq(a.body[1], WEIR_UNAVAILABLE);
	ck_assert_int_eq(refusal.reason, WEIR_REASON_MEMORY);
	ck_assert_uint_eq(handled, 0);
}
END_TEST

/* HPACK makes a large head of a few bytes, and many of them. */
START_TEST(row_57_a_large_head_is_charged)
{
	static char headers[4096] = "content-type: application/json\nx: ";
	static struct answer a;
	size_t at = strlen(headers);

	memset(headers + at, 'v', 3000);
	strcpy(headers + at + 3000, "\n");
	serve();
	weir_budget_limit(1, 1);
	ask_in(_i, &(struct ask)ASK("POST", "/v1/traces", headers, ""), &a);
	weir_budget_limit(1 << 30, 1 << 30);
	ck_assert_int_eq(a.status, 503);
	ck_assert(has_line(&a, "retry-after: 1\n"));
	ck_assert_uint_eq(handled, 0);
	ask_in(_i, &(struct ask)ASK("POST", "/v1/traces", headers, ""), &a);
	ck_assert_int_eq(a.status, 200);
	ck_assert_uint_eq(weir_budget_used(), 0);
}
END_TEST

/* --- outcomes ------------------------------------------------------------- */

static const struct {
	enum weir_status code;
	enum weir_reason reason;
	int64_t after;
	int status;
	const char *retry, *body;
} outcomes[] = {
	{ WEIR_INVALID_ARGUMENT, WEIR_REASON_MALFORMED, 0, 400, NULL,
	  "{\"code\":3,\"message\":\"a \\\"b\\\\c\\\"\"}" },
	{ WEIR_UNAVAILABLE, WEIR_REASON_FULL, 0, 503, "retry-after: 1\n", "" },
	{ WEIR_UNAVAILABLE, WEIR_REASON_DRAINING, 1, 503, "retry-after: 1\n",
	  "" },
	{ WEIR_UNAVAILABLE, WEIR_REASON_QUOTA, 2000000001, 429,
	  "retry-after: 3\n", "" },
	{ WEIR_RESOURCE_EXHAUSTED, WEIR_REASON_NONE, 30000000000, 429,
	  "retry-after: 30\n", "" },
	{ WEIR_RESOURCE_EXHAUSTED, WEIR_REASON_TOO_BIG, 0, 413, NULL, "" },
	{ WEIR_INTERNAL, WEIR_REASON_NONE, 0, 500, NULL, "{\"code\":13," },
	{ WEIR_PERMISSION_DENIED, WEIR_REASON_BACKEND, 0, 403, NULL, "" },
	{ WEIR_UNAUTHENTICATED, WEIR_REASON_BACKEND, 0, 401, NULL, "" },
};

START_TEST(an_outcome_becomes_a_status)
{
	static struct answer a;

	serve();
	weir_outcome_set(&outcome, outcomes[_i / 2].code,
			 outcomes[_i / 2].reason, "a \"b\\c\"");
	outcome.retry_after.ns = outcomes[_i / 2].after;
	ask_in(_i % 2, &(struct ask)ASK("POST", "/fail", JSON, "{}"), &a);
	ck_assert_int_eq(a.status, outcomes[_i / 2].status);
	if (outcomes[_i / 2].retry)
		ck_assert(has_line(&a, outcomes[_i / 2].retry));
	else
		ck_assert(!has_line(&a, "retry-after"));
	ck_assert(has_line(&a, "content-type: application/json\n"));
	ck_assert(!strncmp(a.body, outcomes[_i / 2].body,
			   strlen(outcomes[_i / 2].body)));
}
END_TEST

START_TEST(a_long_text_fits_into_protobuf)
{
	static struct answer a;

	serve();
	weir_outcome_set(&outcome, WEIR_INTERNAL, WEIR_REASON_NONE,
			 X64("abcdef"));
	ask_in(_i, &(struct ask)ASK("POST", "/fail", PROTOBUF, "x"), &a);
	/* code 13; a length of two bytes */
	ck_assert_int_eq(a.len, 2 + 3 + 191);
	ck_assert(!memcmp(a.body, "\x08\x0d\x12\xbf\x01" "abc", 8));
}
END_TEST

/* --- headers of all answers ----------------------------------------------- */

START_TEST(configured_headers_are_on_every_answer)
{
	static const struct weir_pair pairs[] = {
		{ { "Content-Length", 14 }, { { "7", 1 } } },
		{ { "X-Frame-Options", 15 }, { { "DENY", 4 } } },
		{ { "connection", 10 }, { { "close", 5 } } },
	};
	static const weir_str all[] = { { "*", 1 } };
	static const struct ask asks[] = {
		ASK("POST", "/v1/traces", JSON, "x"), ASK("GET", "/nowhere",
			NULL, NULL),
		ASK("GET", "/v1/traces", NULL, NULL),
		ASK("OPTIONS", "/v1/traces",
			"access-control-request-method: POST\norigin: http://a\n",
			NULL),
	};
	static struct answer a;

	config.response_headers = (struct weir_pairs){ pairs, 3 };
	config.cors.enabled = true;
	config.cors.allowed_origins = (struct weir_strs){ all, 1 };
	serve();
	ask_in(_i % 2, &asks[_i / 2], &a);
	ck_assert(has_line(&a, "x-frame-options: DENY\n"));
	ck_assert(!has_line(&a, "content-length: 7\n"));
	ck_assert(!has_line(&a, "connection:"));
}
END_TEST

START_TEST(metadata_is_kept_when_it_is_wanted)
{
	static struct answer a;
	static char none[4];

	config.include_metadata = _i / 2;
	serve();
	ask_in(_i % 2, &(struct ask)ASK("POST", "/v1/traces",
		JSON "X-Tenant: one\n", "x"), &a);
	ck_assert_int_eq(a.status, 200);
	ck_assert_str_eq(metadata, _i / 2 ? "oneh" : none);
}
END_TEST

/* --- CORS ----------------------------------------------------------------- */

#define PREFLIGHT "access-control-request-method: POST\n"
#define ASKED "access-control-request-headers: "
#define VARY_3 "vary: Origin, Access-Control-Request-Method, " \
	       "Access-Control-Request-Headers\n"

static const struct {
	const char *why;
	const char *origins, *allowed;	/* one each, or NULL */
	struct ask ask;
	int status;
	const char *line, *without;
} cors[] = {
	{ "any origin", "*", NULL,
	  ASK("POST", "/v1/traces", JSON "origin: http://a\n", "x"), 200,
	  "access-control-allow-origin: *\n", "never" },
	{ "varies", "*", NULL, ASK("POST", "/v1/traces", JSON, "x"), 200,
	  "vary: Origin\n", "access-control" },
	{ "credentials", "http://A", NULL,
	  ASK("POST", "/v1/traces", JSON "origin: http://a\n", "x"), 200,
	  "access-control-allow-credentials: true\n", "never" },
	{ "exposes", "http://a", NULL,
	  ASK("POST", "/v1/traces", JSON "origin: http://a\n", "x"), 200,
	  "access-control-expose-headers: X-Ours\n", "max-age" },
	{ "an origin is echoed as it came", "http://*.x.org", NULL,
	  ASK("POST", "/v1/traces", JSON "origin: http://B.X.org\n", "x"), 200,
	  "access-control-allow-origin: http://B.X.org\n", "never" },
	{ "another origin is served, not allowed", "http://*.x.org", NULL,
	  ASK("POST", "/v1/traces", JSON "origin: http://x.org\n", "x"), 200,
	  "vary: Origin\n", "access-control" },
	{ "errors too", "*", NULL,
	  ASK("POST", "/nowhere", JSON "origin: http://a\n", "x"), 404,
	  "access-control-allow-origin: *\n", "never" },
	{ "not for other methods", "*", NULL,
	  ASK("PUT", "/v1/traces", JSON "origin: http://a\n", "x"), 405,
	  "vary: Origin\n", "access-control" },
	{ "a preflight", "http://a", NULL,
	  ASK("OPTIONS", "/v1/traces", PREFLIGHT "origin: http://a\n"
	    ASKED "accept,content-type\n", NULL), 204,
	  "access-control-allow-headers: accept,content-type\n",
	  "content-length" },
	{ "its method", "http://a", NULL,
	  ASK("OPTIONS", "/v1/traces", PREFLIGHT "origin: http://a\n", NULL),
		204,
	  "access-control-allow-methods: POST\n", "allow-headers" },
	{ "its age", "http://a", NULL,
	  ASK("OPTIONS", "/v1/traces", PREFLIGHT "origin: http://a\n", NULL),
		204,
	  "access-control-max-age: 7200\n", "expose" },
	{ "it varies", "http://a", NULL,
	  ASK("OPTIONS", "/v1/traces", PREFLIGHT, NULL), 204, VARY_3,
	  "access-control-" },
	{ "any path", "*", NULL,
	  ASK("OPTIONS", "/nowhere", PREFLIGHT "origin: http://a\n", NULL), 204,
	  "access-control-allow-origin: *\n", "never" },
	{ "from elsewhere", "http://a", NULL,
	  ASK("OPTIONS", "/v1/traces", PREFLIGHT "origin: http://b\n", NULL),
		204,
	  VARY_3, "access-control-allow" },
	{ "for PUT", "*", NULL,
	  ASK("OPTIONS", "/v1/traces",
		"access-control-request-method: PUT\norigin: http://a\n", NULL),
		204,
	  VARY_3, "access-control-allow" },
	{ "with a header nobody allowed", "*", NULL,
	  ASK("OPTIONS", "/v1/traces", PREFLIGHT "origin: http://a\n"
	    ASKED "x-other\n", NULL), 204, VARY_3, "access-control-allow" },
	{ "with one that was", "*", "X-Other",
	  ASK("OPTIONS", "/v1/traces", PREFLIGHT "origin: http://a\n"
	    ASKED "x-other\n", NULL), 204,
	  "access-control-allow-headers: x-other\n", "never" },
	{ "then the usual ones are not", "*", "X-Other",
	  ASK("OPTIONS", "/v1/traces", PREFLIGHT "origin: http://a\n"
	    ASKED "accept\n", NULL), 204, VARY_3, "access-control-allow" },
	{ "any header", "*", "*",
	  ASK("OPTIONS", "/v1/traces", PREFLIGHT "origin: http://a\n"
	    ASKED "X-B, x-a\n", NULL), 204,
	  "access-control-allow-headers: X-B, x-a\n", "never" },
	{ "out of order", "*", NULL,
	  ASK("OPTIONS", "/v1/traces", PREFLIGHT "origin: http://a\n"
	    ASKED "content-type,accept\n", NULL), 204, VARY_3,
	  "access-control-allow" },
	{ "in upper case", "*", NULL,
	  ASK("OPTIONS", "/v1/traces", PREFLIGHT "origin: http://a\n"
	    ASKED "Accept\n", NULL), 204, VARY_3, "access-control-allow" },
	{ "OPTIONS that is no preflight", "*", NULL,
	  ASK("OPTIONS", "/v1/traces", "origin: http://a\n", NULL), 405,
	  "vary: Origin\n", "never" },
	{ "without origins it is off", NULL, "x",
	  ASK("OPTIONS", "/v1/traces", PREFLIGHT "origin: http://a\n", NULL),
		405,
	  "allow: POST\n", "vary" },
};

START_TEST(cors_says_who_may_read)
{
	static const weir_str exposed[] = { { "X-Ours", 6 } };
	static struct answer a;
	weir_str origin = weir_str_of(cors[_i / 2].origins);
	weir_str allowed = weir_str_of(cors[_i / 2].allowed);
	const char *why = cors[_i / 2].why;

	config.cors = (struct weir_http_cors_config){
		.enabled = true, .max_age = 7200,
		.allowed_origins = { &origin, origin.len > 0 },
		.allowed_headers = { &allowed, allowed.len > 0 },
		.exposed_headers = { exposed, 1 },
	};
	serve();
	ask_in(_i % 2, &cors[_i / 2].ask, &a);
	ck_assert_msg(a.status == cors[_i / 2].status, "%s: %d", why,
		      a.status);
	ck_assert_msg(has_line(&a, cors[_i / 2].line), "%s: %s", why,
		      a.headers);
	ck_assert_msg(!has_line(&a, cors[_i / 2].without), "%s: %s", why,
		      a.headers);
}
END_TEST

/* --- configuration -------------------------------------------------------- */

static const struct {
	const char *endpoint, *transport, *path, *text;	/* NULL: good */
} endpoints[] = {
	{ "localhost:4318", "tcp", NULL, NULL }, { ":0", "tcp", NULL, NULL },
	{ "[::1]:4318", "tcp6", NULL, NULL }, { "h:http", "tcp", NULL, NULL },
	{ "/tmp/x", "unix", NULL, NULL }, { "", "tcp", NULL, NULL },
	{ "localhost", "tcp", "protocols.http.endpoint",
	  "listen tcp: address localhost: missing port in address" },
	{ "[::1]", "tcp", "protocols.http.endpoint",
	  "listen tcp: address [::1]: missing port in address" },
	{ "::1:4318", "tcp", "protocols.http.endpoint",
	  "listen tcp: address ::1:4318: too many colons in address" },
	{ "h:65536", "tcp4", "protocols.http.endpoint",
	  "listen tcp4: address h:65536: invalid port" },
	{ "h:4294967297", "tcp", "protocols.http.endpoint",
	  "listen tcp: address h:4294967297: invalid port" },
	{ "", "unix", "protocols.http.endpoint",
	  "listen unix: unix socket path cannot be empty" },
};

START_TEST(an_endpoint_is_checked_before_the_start)
{
	struct weir_error error = { 0 };
	int rc;

	config.endpoint = weir_str_of(endpoints[_i].endpoint);
	config.transport = weir_str_of(endpoints[_i].transport);
	rc = weir_http_server_validate(&config, "protocols.http", &error);
	ck_assert_int_eq(rc, endpoints[_i].text ? -1 : 0);
	if (endpoints[_i].text) {
		ck_assert_str_eq(error.path, endpoints[_i].path);
		ck_assert_str_eq(error.text, endpoints[_i].text);
	}
}
END_TEST

static const struct {
	struct weir_pair pair;
	const char *text;
} headers[] = {
	{ { { "X-A", 3 }, { { "b c", 3 } } }, NULL },
	{ { { "", 0 }, { { "b", 1 } } }, "a name is not one of a header" },
	{ { { "X A", 3 }, { { "b", 1 } } }, "a name is not one of a header" },
	{ { { "X:", 2 }, { { "b", 1 } } }, "a name is not one of a header" },
	{ { { "X", 1 }, { { "b\r\nY: 1", 7 } } },
	  "a value holds a control character" },
};

START_TEST(a_header_that_would_break_an_answer_is_refused)
{
	struct weir_error error = { 0 };

	config.response_headers = (struct weir_pairs){ &headers[_i].pair, 1 };
	ck_assert_int_eq(weir_http_server_validate(&config, "", &error),
			 headers[_i].text ? -1 : 0);
	if (headers[_i].text) {
		ck_assert_str_eq(error.path, "response_headers");
		ck_assert_str_eq(error.text, headers[_i].text);
	}
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http_exchange");
	TCase *tc = tcase_create("http_exchange");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, says_the_same_in_both, 0, 2 * N(rows));
	tcase_add_loop_test(tc, a_star_asks_about_the_server, 0, 2 * 1);
	tcase_add_loop_test(tc, who_owns_a_route_hears_of_refusals, 0, 2 * 1);
	tcase_add_loop_test(tc, head_has_the_length_and_not_the_body, 0, 2 * 1);
	tcase_add_loop_test(tc, row_4_inflated_under_the_same_cap,
			    0, 2 * N(encodings));
	tcase_add_loop_test(tc, without_the_empty_name_bodies_must_be_encoded,
			    0, 2 * 1);
	tcase_add_loop_test(tc, with_no_algorithm_bodies_pass_as_they_are,
			    0, 2 * 1);
	tcase_add_loop_test(tc, row_12_no_memory_is_a_passing_state, 0, 2 * 1);
	tcase_add_loop_test(tc, row_57_a_large_head_is_charged, 0, 2 * 1);
	tcase_add_loop_test(tc, an_outcome_becomes_a_status,
			    0, 2 * N(outcomes));
	tcase_add_loop_test(tc, a_long_text_fits_into_protobuf, 0, 2 * 1);
	tcase_add_loop_test(tc, configured_headers_are_on_every_answer,
			    0, 2 * 4);
	tcase_add_loop_test(tc, metadata_is_kept_when_it_is_wanted, 0, 2 * 2);
	tcase_add_loop_test(tc, cors_says_who_may_read, 0, 2 * N(cors));
	tcase_add_loop_test(tc, an_endpoint_is_checked_before_the_start, 0,
			    N(endpoints));
	tcase_add_loop_test(tc,
		a_header_that_would_break_an_answer_is_refused, 0, N(headers));
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
