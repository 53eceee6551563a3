/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP client's URLs and settings.  A server that answers: tests/e2e. */
#include <check.h>
#include <weir/kit/http_client.h>

/* --- URLs ----------------------------------------------------------------- */

static const struct {
	const char *text, *scheme, *host, *port, *path;
} urls[] = {
	{ "http://h", "http", "h", "", "" },
	{ "http://h:4318", "http", "h", "4318", "" },
	{ "https://h:1/v1/traces", "https", "h", "1", "/v1/traces" },
	{ "HTTP://h/?a=b", "http", "h", "", "/" },
	{ "http://h?a=b:c", "http", "h", "", "" },
	{ "http://[::1]:4318/x#y", "http", "::1", "4318", "/x" },
	{ "http://[::1]/x", "http", "::1", "", "/x" },
	{ "http://user:pw@h:1/", "http", "h", "1", "/" },
	{ "http://h:", "http", "h", "", "" },
	/* refused */
	{ "", NULL, NULL, NULL, NULL },
	{ "h:4318", NULL, NULL, NULL, NULL },
	{ "ftp://h", NULL, NULL, NULL, NULL },
	{ "file:///etc/passwd", NULL, NULL, NULL, NULL },
	{ "http://", NULL, NULL, NULL, NULL },
	{ "http:///x", NULL, NULL, NULL, NULL },
	{ "http://:1", NULL, NULL, NULL, NULL },
	{ "http://h:x", NULL, NULL, NULL, NULL },
	{ "http://h:65536", NULL, NULL, NULL, NULL },
	{ "http://h:1/a b", NULL, NULL, NULL, NULL },
	{ "http://h/\r\nX: y", NULL, NULL, NULL, NULL },
	{ "http://user@", NULL, NULL, NULL, NULL },
};

START_TEST(a_url_has_these_parts)
{
	struct weir_http_url url;
	struct weir_error error;
	int got = weir_http_url_parse(weir_str_of(urls[_i].text), &url,
				      &error);

	ck_assert_msg(got == (urls[_i].host ? 0 : -1), "%s", urls[_i].text);
	if (got)
		return;
	ck_assert(weir_str_eq(url.scheme, weir_str_of(urls[_i].scheme)));
	ck_assert(weir_str_eq(url.host, weir_str_of(urls[_i].host)));
	ck_assert(weir_str_eq(url.port, weir_str_of(urls[_i].port)));
	ck_assert(weir_str_eq(url.path, weir_str_of(urls[_i].path)));
}
END_TEST

static const struct {
	const char *url, *shown;
} hidden[] = {
	{ "", "" },
	{ "http://h:1/v1/traces", "http://h:1/v1/traces" },
	{ "http://user:pw@h:1/a@b", "http://***@h:1/a@b" },
	{ "https://user:p@w@h", "https://***@h" },
	{ "foo://user:pw@h?", "foo://***@h?***" },
	{ "http://h/x?token=1#2", "http://h/x?***" },
	{ "http://h?a=b@c", "http://h?***" },
	{ "user:pw@h", "***@h" },
	{ "http://a-host-of-many-letters.example/", "http://a-host-of-many-l" },
};

START_TEST(secrets_of_a_url_are_not_shown)
{
	char out[24];

	ck_assert_str_eq(weir_http_url_shown(weir_str_of(hidden[_i].url), out,
					     sizeof(out)), hidden[_i].shown);
}
END_TEST

/* --- Settings ------------------------------------------------------------- */

static const struct {
	const char *compression;
	int64_t level;
	const char *text;	/* NULL: fine */
} levels[] = {
	{ "", 0, NULL }, { "none", 0, NULL }, { "none", 5, NULL },
	{ "gzip", -2, NULL }, { "gzip", 9, NULL }, { "zlib", -1, NULL },
	{ "deflate", 1, NULL }, { "zstd", -100, NULL }, { "zstd", 99, NULL },
	{ "snappy", 0, NULL }, { "x-snappy-framed", 0, NULL },
	{ "lz4", 0, NULL },
	{ "gzip", 10, "unsupported parameters {Level:10} for compression type "
	  "\"gzip\"" },
	{ "deflate", -3, "unsupported parameters {Level:-3} for compression "
	  "type \"deflate\"" },
	{ "snappy", 5, "unsupported parameters {Level:5} for compression type "
	  "\"snappy\"" },
	{ "lz4", 1, "unsupported parameters {Level:1} for compression type "
	  "\"lz4\"" },
	{ "foo", 0, "unsupported compression type \"foo\"" },
	{ "identity", 0, "unsupported compression type \"identity\"" },
	{ "GZIP", 0, "unsupported compression type \"GZIP\"" },
};

START_TEST(a_compression_may_have_these_levels)
{
	struct weir_http_client_config config = {
		.compression = weir_str_of(levels[_i].compression),
		.compression_params.level = levels[_i].level
	};
	struct weir_error error;
	int got = weir_http_client_validate(&config, &error);

	if (!levels[_i].text) {
		ck_assert_msg(!got, "%s: %s", levels[_i].compression,
			      error.text);
		return;
	}
	ck_assert_int_eq(got, -1);
	ck_assert_str_eq(error.text, levels[_i].text);
}
END_TEST

static const struct {
	const char *name, *value;
	bool good;
} headers[] = {
	{ "X-Scope-OrgID", "a b\tc", true }, { "host", "", true },
	{ "a_b!", "\xc3\xa9", true },
	{ "", "x", false }, { "a b", "x", false }, { "a:", "x", false },
	{ "a\r\nb", "x", false }, { "a", "x\r\nInjected: y", false },
	{ "a", "x\ny", false }, { "a", "\x7f", false },
};

START_TEST(a_header_stays_in_its_line)
{
	struct weir_pair pair = { weir_str_of(headers[_i].name),
				  { weir_str_of(headers[_i].value) } };
	struct weir_http_client_config config = { .headers = { &pair, 1 } };
	struct weir_error error;

	ck_assert_int_eq(weir_http_client_validate(&config, &error),
			 headers[_i].good ? 0 : -1);
}
END_TEST

START_TEST(there_are_at_most_100_headers)
{
	struct weir_pair pairs[101];
	struct weir_http_client_config config = { .headers = { pairs, 101 } };
	struct weir_error error;

	for (int i = 0; i < 101; i++)
		pairs[i] = (struct weir_pair){ WEIR_STR("a"),
					       { WEIR_STR("b") } };
	ck_assert_int_eq(weir_http_client_validate(&config, &error), -1);
	config.headers.len = 100;
	ck_assert_int_eq(weir_http_client_validate(&config, &error), 0);
}
END_TEST

static const struct {
	const char *url;
	bool good;
} proxies[] = {
	{ "", true }, { "http://proxy:3128", true },
	{ "https://user:pw@proxy", true }, { "socks5://proxy:1080", true },
	{ "proxy:3128", false }, { "ftp://proxy", false },
	{ "http://", false },
};

START_TEST(a_proxy_is_a_url)
{
	struct weir_http_client_config config = {
		.proxy_url = weir_str_of(proxies[_i].url) };
	struct weir_error error;

	ck_assert_int_eq(weir_http_client_validate(&config, &error),
			 proxies[_i].good ? 0 : -1);
}
END_TEST

START_TEST(headers_of_a_reply_are_found_by_name)
{
	const struct weir_http_header list[] = {
		{ WEIR_STR("retry-after"), WEIR_STR("1") },
		{ WEIR_STR("retry-after"), WEIR_STR("2") }
	};
	const struct weir_http_reply reply = { .headers = list,
					       .n_headers = 2 };
	weir_str value;

	ck_assert(weir_http_reply_header(&reply, WEIR_STR("retry-after"),
					 &value));
	ck_assert(weir_str_eq(value, WEIR_STR("1")));
	ck_assert(!weir_http_reply_header(&reply, WEIR_STR("x"), &value));
}
END_TEST

#define EACH(tc, test, rows) \
	tcase_add_loop_test(tc, test, 0, sizeof(rows) / sizeof(*(rows)))

int main(void)
{
	Suite *suite = suite_create("http_client");
	TCase *tc = tcase_create("settings");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tc);
	EACH(tc, a_url_has_these_parts, urls);
	EACH(tc, secrets_of_a_url_are_not_shown, hidden);
	EACH(tc, a_compression_may_have_these_levels, levels);
	EACH(tc, a_header_stays_in_its_line, headers);
	tcase_add_test(tc, there_are_at_most_100_headers);
	EACH(tc, a_proxy_is_a_url, proxies);
	tcase_add_test(tc, headers_of_a_reply_are_found_by_name);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
