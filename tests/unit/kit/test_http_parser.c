/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP/1.1 parser: what it reads, and what it refuses.  Numbers are rows of
 * the catalogue of attacks. */
#include <check.h>
#include <stdio.h>

#include "http_parser.h"

#define HOST "Host: h\r\n"
#define POST "POST /v1 HTTP/1.1\r\n" HOST
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"

#define X8(s) s s s s s s s s
#define X64(s) X8(X8(s))

struct result {
	struct http_parser parser;
	struct http_head head;
	char body[4096];
	size_t len;
	unsigned heads, dones;
	bool failed;
};

/* Feeds the text in steps of `step` bytes until one request is read. */
static size_t feed(struct result *r, const char *text, size_t len, size_t step)
{
	size_t at = 0;

	while (at < len && !r->dones && !r->failed) {
		size_t end = len - at < step ? len : at + step;

		while (at < end && !r->dones && !r->failed) {
			struct http_event event;

			at += http_parser_feed(&r->parser,
					       (const uint8_t *)text + at,
					       end - at, &event);
			r->heads += event.type == HTTP_HEAD;
			r->failed = event.type == HTTP_FAIL;
			if (event.type == HTTP_BODY) {
				ck_assert_uint_le(r->len + event.len,
						  sizeof(r->body));
				memcpy(r->body + r->len, event.data,
				       event.len);
				r->len += event.len;
			}
			http_parser_feed(&r->parser, NULL, 0, &event);
			r->dones += event.type == HTTP_DONE;
		}
	}
	return at;
}

static void read_one(struct result *r, const char *text, size_t step)
{
	*r = (struct result){ 0 };
	http_parser_begin(&r->parser, &r->head, 1000);
	feed(r, text, strlen(text), step);
}

static const struct {
	const char *why, *text, *method, *path, *query, *body;
	bool keep_alive;
} good[] = {
	{ "a plain request", "GET /metrics HTTP/1.1\r\n" HOST "\r\n",
	  "GET", "/metrics", "", "", true },
	{ "a query", "GET /a?b=c?d HTTP/1.1\r\n" HOST "\r\n",
	  "GET", "/a", "b=c?d", "", true },
	{ "an empty query", "GET /a? HTTP/1.1\r\n" HOST "\r\n",
	  "GET", "/a", "", "", true },
	{ "HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n",
	  "GET", "/", "", "", false },
	{ "HTTP/1.0 that asks to stay",
	  "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
	  "GET", "/", "", "", true },
	{ "close among others",
	  "GET / HTTP/1.1\r\n" HOST "Connection: x , Close\r\n\r\n",
	  "GET", "/", "", "", false },
	{ "a later minor version", "GET / HTTP/1.9\r\n" HOST "\r\n",
	  "GET", "/", "", "", true },
	{ "45: absolute form", "GET http://h:1/x?y HTTP/1.1\r\n" HOST "\r\n",
	  "GET", "/x", "y", "", true },
	{ "45: absolute form without path",
	  "GET http://h HTTP/1.1\r\n" HOST "\r\n", "GET", "/", "", "", true },
	{ "45: absolute form, query only",
	  "GET https://h?q HTTP/1.1\r\n" HOST "\r\n",
	  "GET", "/", "q", "", true },
	{ "51: CONNECT", "CONNECT h:443 HTTP/1.1\r\n" HOST "\r\n",
	  "CONNECT", "h:443", "", "", true },
	{ "asterisk form", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n",
	  "OPTIONS", "*", "", "", true },
	{ "one empty line in front", "\r\nGET / HTTP/1.1\r\n" HOST "\r\n",
	  "GET", "/", "", "", true },
	{ "a body", POST "Content-Length: 5\r\n\r\nhello",
	  "POST", "/v1", "", "hello", true },
	{ "50: an empty body", POST "Content-Length: 0\r\n\r\n",
	  "POST", "/v1", "", "", true },
	{ "chunks", CHUNKED "5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n",
	  "POST", "/v1", "", "hello!", true },
	{ "an extension and a trailer",
	  CHUNKED "3;a=\"b\"\r\nabc\r\n0;x\r\nCheck: 1\r\n\r\n",
	  "POST", "/v1", "", "abc", true },
	{ "a size with zeros in front",
	  CHUNKED "0000000000000003\r\nabc\r\n0\r\n\r\n",
	  "POST", "/v1", "", "abc", true },
	{ "upper case hex and Chunked", POST "transfer-encoding: Chunked\r\n"
	  "\r\nA\r\n0123456789\r\n0\r\n\r\n",
	  "POST", "/v1", "", "0123456789", true },
	{ "51: an upgrade is only a header",
	  "GET / HTTP/1.1\r\n" HOST "Upgrade: h2c\r\n\r\n",
	  "GET", "/", "", "", true },
};

static void is(struct http_parser *p, struct http_text text, const char *want)
{
	ck_assert(weir_str_eq(http_head_text(p->head, text),
			      weir_str_of(want)));
}

START_TEST(reads_in_pieces_of_any_size)
{
	static const size_t steps[] = { 1, 2, 3, 7, 100000 };

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct result r;

		read_one(&r, good[_i].text, steps[i]);
		ck_assert_msg(r.dones == 1 && r.heads == 1, "%s: %s",
			      good[_i].why, r.parser.reason);
		is(&r.parser, r.head.method, good[_i].method);
		is(&r.parser, r.head.path, good[_i].path);
		is(&r.parser, r.head.query, good[_i].query);
		ck_assert_uint_eq(r.len, strlen(good[_i].body));
		ck_assert_mem_eq(r.body, good[_i].body, r.len);
		ck_assert_msg(r.parser.keep_alive == good[_i].keep_alive,
			      "%s", good[_i].why);
		http_head_release(&r.head);
	}
}
END_TEST

static const struct {
	const char *text;
	int status;
} bad[] = {
	/* 43: framing that two parsers could read in two ways */
	{ POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
	{ POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400 },
	{ POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 400 },
	{ POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400 },
	{ POST "Content-Length: +5\r\n\r\n", 400 },
	{ POST "Content-Length: 5,5\r\n\r\n", 400 },
	{ POST "Content-Length: -1\r\n\r\n", 400 },
	{ POST "Content-Length: 0x5\r\n\r\n", 400 },
	{ POST "Content-Length: 5 5\r\n\r\n", 400 },
	{ POST "Content-Length:\r\n\r\n", 400 },
	{ POST "Content-Length: 18446744073709551616\r\n\r\n", 400 },
	{ POST "Content-Length: 9223372036854775808\r\n\r\n", 400 },
	{ POST "Transfer-Encoding: xchunked\r\n\r\n", 400 },
	{ POST "Transfer-Encoding: chunked, identity\r\n\r\n", 400 },
	{ POST "Transfer-Encoding: identity\r\n\r\n", 400 },
	{ POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"
	  "\r\n", 400 },
	{ "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
	{ POST "X: a\r\n b\r\n\r\n", 400 },
	{ POST " X: a\r\n\r\n", 400 },
	{ POST "Content-Length : 5\r\n\r\n", 400 },
	{ POST "X\t: 5\r\n\r\n", 400 },
	{ POST ": 5\r\n\r\n", 400 },
	{ POST "nothing\r\n\r\n", 400 },
	{ POST "X: a\rb\r\n\r\n", 400 },
	{ POST "X: a\x01\r\n\r\n", 400 },
	{ POST "X: a\n\r\n", 400 },
	{ "GET / HTTP/1.1\n" HOST "\n", 400 },
	{ "\n", 400 },
	{ "\r\n\r\nGET / HTTP/1.1\r\n", 400 },
	{ "GET / HTTP/1.1\r\n\r\n", 400 },
	{ "GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400 },
	/* 44: chunks */
	{ CHUNKED "FFFFFFFFFFFFFFED\r\n", 400 },
	{ CHUNKED "00000000000000003\r\nabc\r\n", 400 },
	{ CHUNKED "+3\r\nabc\r\n", 400 },
	{ CHUNKED "-3\r\nabc\r\n", 400 },
	{ CHUNKED "0x3\r\nabc\r\n", 400 },
	{ CHUNKED " 3\r\nabc\r\n", 400 },
	{ CHUNKED "3 \r\nabc\r\n", 400 },
	{ CHUNKED "\r\n", 400 },
	{ CHUNKED ";x\r\n", 400 },
	{ CHUNKED "3\nabc\r\n", 400 },
	{ CHUNKED "3\rabc\r\n", 400 },
	{ CHUNKED "3\r\nabcd\r\n", 400 },
	{ CHUNKED "3\r\nabc\n", 400 },
	{ CHUNKED "3;a\nabc\r\n", 400 },
	{ CHUNKED "0\r\nbad trailer\r\n\r\n", 400 },
	{ CHUNKED "0\r\n folded: 1\r\n\r\n", 400 },
	{ CHUNKED "0\r\nX: 1\n\r\n", 400 },
	{ CHUNKED "3;" X64(X64("e")) "e\r\n", 400 },
	{ CHUNKED "0\r\n" X64("T: " X64("t") "\r\n") "\r\n", 400 },
	/* 45: request lines */
	{ "GET  / HTTP/1.1\r\n", 400 },
	{ "GET /\rx HTTP/1.1\r\n", 400 },
	{ "GET /\x01 HTTP/1.1\r\n", 400 },
	{ "GET /\xc3\xa9 HTTP/1.1\r\n", 400 },
	{ "GET /#x HTTP/1.1\r\n", 400 },
	{ "GET x HTTP/1.1\r\n", 400 },
	{ "GET * HTTP/1.1\r\n", 400 },
	{ "GET http:// HTTP/1.1\r\n", 400 },
	{ "GET / http/1.1\r\n", 400 },
	{ "GET / HTTP/1.1 \r\n", 400 },
	{ "GET / HTTP/11\r\n", 400 },
	{ " GET / HTTP/1.1\r\n", 400 },
	{ "G{T / HTTP/1.1\r\n", 400 },
	{ "GET / HTTP/9.9\r\n", 505 },
	{ "GET / HTTP/2.0\r\n", 505 },
	{ "GET / HTTP/0.9\r\n", 505 },
	{ "GET /\r\n", 0 },
	/* 53: neither HTTP/1 nor the preface of HTTP/2 */
	{ "GET / HTTX/1.1\r\n", HTTP_NOT_HTTP },
	{ "INVALID CONNECTION PREFACE\r\n", HTTP_NOT_HTTP },
	{ "PRI * HTTP/2.0\r\n", HTTP_NOT_HTTP },
	{ "GET /" X64(X64("0123456789abcdef")), 414 },
	/* 42: too much of everything */
	{ POST X64("a:\r\n") X8("b:\r\n") X8("b:\r\n") X8("b:\r\n") X8("b:\r\n")
	  X8("b:\r\n") "\r\n", 431 },
	{ POST "X: " X64(X64("ab")) "\r\n", 431 },
	{ POST "X: " X64(X64("a")) "\r\nY: " X64(X64("a")) "\r\nZ: "
	  X64(X64("a")) "\r\nA: " X64(X64("a")) "\r\n\r\n", 431 },
	/* over the limit of the body, which is 1000 here */
	{ POST "Content-Length: 1001\r\n\r\n", 413 },
	{ POST "Expect: 100-continue\r\nContent-Length: 1001\r\n\r\n", 413 },
	{ CHUNKED "3e9\r\n", 413 },
	{ CHUNKED "3\r\nabc\r\n3e6\r\n", 413 },
	{ POST "Expect: wonders\r\n\r\n", 417 },
};

START_TEST(refuses_what_is_not_strictly_right)
{
	static const size_t steps[] = { 1, 5, 1000000 };

	for (size_t i = 0; i < 3; i++) {
		struct http_event event;
		struct result r;

		read_one(&r, bad[_i].text, steps[i]);
		ck_assert_msg(r.failed && !r.dones, "row %d was let in", _i);
		ck_assert_msg(r.parser.status == bad[_i].status,
			      "row %d: %d %s", _i, r.parser.status,
			      r.parser.reason);
		/* Nothing more is read. */
		ck_assert_uint_eq(http_parser_feed(&r.parser,
			(const uint8_t *)"GET", 3, &event), 0);
		ck_assert_int_eq(event.type, HTTP_FAIL);
		http_head_release(&r.head);
	}
}
END_TEST

START_TEST(a_nul_byte_is_refused_in_every_line)
{
	static const char request[] = "GET /\0x HTTP/1.1\r\n";
	static const char header[] = "GET / HTTP/1.1\r\nX: a\0b\r\n";
	struct result r = { 0 };

	http_parser_begin(&r.parser, &r.head, 0);
	feed(&r, request, sizeof(request) - 1, 100);
	ck_assert_int_eq(r.parser.status, 400);
	http_head_release(&r.head);
	r = (struct result){ 0 };
	http_parser_begin(&r.parser, &r.head, 0);
	feed(&r, header, sizeof(header) - 1, 100);
	ck_assert_int_eq(r.parser.status, 400);
	http_head_release(&r.head);
}
END_TEST

START_TEST(stops_behind_a_request_so_that_the_next_can_wait)
{
	static const char text[] = "GET /1 HTTP/1.1\r\n" HOST "\r\n"
				   "GET /2 HTTP/1.1\r\n" HOST "\r\n";
	struct result r = { 0 };
	size_t half = (sizeof(text) - 1) / 2;

	http_parser_begin(&r.parser, &r.head, 0);
	ck_assert(!http_parser_has_head(&r.parser));
	ck_assert_uint_eq(feed(&r, text, sizeof(text) - 1, 1000), half);
	ck_assert(http_parser_has_head(&r.parser));
	http_head_clear(&r.head);
	http_parser_begin(&r.parser, &r.head, 0);
	ck_assert(!http_parser_has_head(&r.parser));
	r.dones = 0;
	ck_assert_uint_eq(feed(&r, text + half, half, 1000), half);
	is(&r.parser, r.head.path, "/2");
	http_head_release(&r.head);
}
END_TEST

START_TEST(headers_are_found_by_lower_case_name_and_trimmed)
{
	struct result r;
	weir_str value;

	read_one(&r, "GET / HTTP/1.1\r\n" HOST "X-A: \t one \t\r\nx-a:two\r\n"
		 "Empty:\r\nUtf: \xc3\xa9\r\n\r\n", 9);
	ck_assert(http_head_find(&r.head, WEIR_STR("x-a"), 0, &value));
	ck_assert(weir_str_eq(value, WEIR_STR("one")));
	ck_assert(http_head_find(&r.head, WEIR_STR("x-a"), 1, &value));
	ck_assert(weir_str_eq(value, WEIR_STR("two")));
	ck_assert(!http_head_find(&r.head, WEIR_STR("x-a"), 2, &value));
	ck_assert(http_head_find(&r.head, WEIR_STR("empty"), 0, &value));
	ck_assert_uint_eq(value.len, 0);
	ck_assert(http_head_find(&r.head, WEIR_STR("utf"), 0, &value));
	ck_assert_uint_eq(value.len, 2);
	http_head_release(&r.head);
}
END_TEST

START_TEST(an_expectation_is_reported_but_not_of_http_1_0)
{
	struct result r;

	read_one(&r, POST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\n",
		 1000);
	ck_assert_uint_eq(r.heads, 1);
	ck_assert(r.parser.expects_continue);
	http_head_release(&r.head);
	read_one(&r, "POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", 1000);
	ck_assert_uint_eq(r.dones, 1);
	ck_assert(!r.parser.expects_continue);
	http_head_release(&r.head);
}
END_TEST

START_TEST(exactly_a_hundred_headers_and_the_whole_body_are_let_in)
{
	static char text[4096];
	struct result r = { 0 };
	int n = snprintf(text, sizeof(text), POST);

	for (int i = 0; i < 98; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "h%d: v\r\n",
			      i);
	n += snprintf(text + n, sizeof(text) - (size_t)n,
		      "Content-Length: 1000\r\n\r\n");
	memset(text + n, 'x', 1000);
	http_parser_begin(&r.parser, &r.head, 1000);
	feed(&r, text, (size_t)n + 1000, 33);
	ck_assert_uint_eq(r.dones, 1);
	ck_assert_uint_eq(r.len, 1000);
	ck_assert_uint_eq(r.head.n, 100);
	http_head_release(&r.head);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("http_parser");
	TCase *tc = tcase_create("http_parser");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tc, reads_in_pieces_of_any_size, 0,
			    sizeof(good) / sizeof(good[0]));
	tcase_add_loop_test(tc, refuses_what_is_not_strictly_right, 0,
			    sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(tc, a_nul_byte_is_refused_in_every_line);
	tcase_add_test(tc,
		stops_behind_a_request_so_that_the_next_can_wait);
	tcase_add_test(tc,
		headers_are_found_by_lower_case_name_and_trimmed);
	tcase_add_test(tc, an_expectation_is_reported_but_not_of_http_1_0);
	tcase_add_test(tc,
		exactly_a_hundred_headers_and_the_whole_body_are_let_in);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
