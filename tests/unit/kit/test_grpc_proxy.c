/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which proxy the environment names for a gRPC target, what it is asked, and
 * what its answer means.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "grpc_proxy.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof(*(a))))

static const struct {
	const char *list, *host, *port;
	bool exempt;
	const char *why;
} exempts[] = {
	{ NULL, "a.example.com", "1", false, "no list" },
	{ "", "a.example.com", "1", false, "an empty one" },
	{ NULL, "localhost", "1", true, "this host" },
	{ NULL, "LocalHost", "1", true, "in any case" },
	{ NULL, "127.8.9.1", "1", true, "all of 127/8" },
	{ NULL, "::1", "1", true, "loopback of IPv6" },
	{ NULL, "localhost.example", "1", false, "only begins like it" },
	{ "*", "a.example.com", "1", true, "all" },
	{ "example.com", "example.com", "1", true, "itself" },
	{ "example.com", "a.EXAMPLE.com", "1", true, "below, any case" },
	{ "example.com", "notexample.com", "1", false, "another" },
	{ ".example.com", "example.com", "1", false, "not itself" },
	{ ".example.com", "a.example.com", "1", true, "only below" },
	{ "*.example.com", "a.b.example.com", "1", true, "with a star" },
	{ "*.example.com", "example.com", "1", false, "with a star, itself" },
	{ "x, , example.com ,y", "a.example.com", "1", true, "blanks" },
	{ "example.com:4317", "example.com", "4317", true, "that port" },
	{ "example.com:4317", "example.com", "4318", false, "another port" },
	{ "10.1.2.3", "10.1.2.3", "1", true, "an address" },
	{ "10.1.2.3", "10.1.2.4", "1", false, "another address" },
	{ "10.1.2.3:5", "10.1.2.3", "6", false, "address, another port" },
	{ "10.0.0.0/8", "10.200.0.1", "1", true, "a range" },
	{ "10.0.0.0/8", "11.0.0.1", "1", false, "out of it" },
	{ "10.1.0.0/15", "10.2.0.1", "1", false, "out of it by a bit" },
	{ "0.0.0.0/0", "192.0.2.1", "1", true, "all of IPv4" },
	{ "0.0.0.0/0", "2001:db8::1", "1", false, "not IPv6" },
	{ "2001:db8::/32", "2001:db8:1::2", "1", true, "a range of IPv6" },
	{ "10.0.0.0/33", "10.0.0.1", "1", false, "no range" },
	{ "10.0.0.0/x", "10.0.0.1", "1", false, "no range" },
	{ "10.0.0.0/", "10.0.0.1", "1", false, "no range" },
	{ "[2001:db8::1]:5", "2001:db8::1", "5", true, "in brackets" },
	{ "10.0.0.0/8", "ten.example", "1", false, "names are not looked up" },
};

START_TEST(no_proxy_means_what_it_does_in_go)
{
	ck_assert_msg(grpc_proxy_exempt(exempts[_i].list,
					weir_str_of(exempts[_i].host),
					weir_str_of(exempts[_i].port)) ==
		      exempts[_i].exempt, "%s", exempts[_i].why);
}
END_TEST

#define REQUEST(target, more)						\
	"CONNECT " target " HTTP/1.1\r\nHost: " target "\r\n"		\
	"User-Agent: Weir\r\n" more "\r\n"

static const struct {
	const char *upper, *lower, *target, *address, *request;
} found[] = {
	{ NULL, NULL, "b.test:4317", NULL, NULL },
	{ "http://proxy:3128", NULL, "b.test:4317", "proxy:3128",
	  REQUEST("b.test:4317", "") },
	{ "", "http://lower:1/", "b.test:4317", "lower:1",
	  REQUEST("b.test:4317", "") },
	{ "http://upper:1", "http://lower:1", "b.test:4317", "upper:1",
	  REQUEST("b.test:4317", "") },
	{ "proxy", NULL, "b.test:1", "proxy:443", REQUEST("b.test:1", "") },
	{ "http://[::1]:8", NULL, "[2001:db8::1]:1", "[::1]:8",
	  REQUEST("[2001:db8::1]:1", "") },
	{ "http://ann:p%40ss@proxy:1", NULL, "b.test:1", "proxy:1",
	  REQUEST("b.test:1", "Proxy-Authorization: Basic YW5uOnBAc3M=\r\n") },
	{ "http://ann@proxy:1", NULL, "b.test:1", "proxy:1",
	  REQUEST("b.test:1", "Proxy-Authorization: Basic YW5uOg==\r\n") },
	{ "http://proxy:1", NULL, "localhost:4317", NULL, NULL },
	{ "http://proxy:1", NULL, "127.0.0.1:4317", NULL, NULL },
	{ "http://proxy:1", NULL, "exempt.test:4317", NULL, NULL },
	{ "http://", NULL, "b.test:1", NULL, NULL },
	{ "http://proxy:1", NULL, "b.test\r\nX: y:1", NULL, NULL },
};

static void set(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

START_TEST(the_environment_names_a_proxy)
{
	struct grpc_proxy proxy = { 0 };
	bool used;

	set("HTTPS_PROXY", found[_i].upper);
	set("https_proxy", found[_i].lower);
	set("NO_PROXY", "exempt.test");
	used = grpc_proxy_find(weir_str_of(found[_i].target), &proxy);
	ck_assert_int_eq(used, found[_i].address != NULL);
	if (used) {
		ck_assert(weir_str_eq((weir_str){ proxy.address.ptr,
						  proxy.address.len },
				      weir_str_of(found[_i].address)));
		ck_assert(weir_str_eq((weir_str){ proxy.request.ptr,
						  proxy.request.len },
				      weir_str_of(found[_i].request)));
	}
	grpc_proxy_release(&proxy);
}
END_TEST

static const struct {
	const char *reply;
	int head;
} replies[] = {
	{ "", 0 },
	{ "HTT", 0 },
	{ "HTTP/1.1 200 OK\r\n", 0 },
	{ "HTTP/1.1 200 OK\r\n\r\n", 19 },
	{ "HTTP/1.0 200\r\n\r\n", 16 },
	{ "HTTP/1.1 200 OK\r\nA: b\r\n\r\nrest", 25 },
	{ "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", -1 },
	{ "HTTP/1.1 2000 OK\r\n\r\n", -1 },
	{ "HTTP/1.\r\n\r\n", -1 },
	{ "SSH-2.0-x\r\n", -1 },
	{ "x", -1 },
};

START_TEST(only_200_opens_the_tunnel)
{
	ck_assert_int_eq(grpc_proxy_reply(replies[_i].reply,
					  strlen(replies[_i].reply)),
			 replies[_i].head);
}
END_TEST

START_TEST(a_head_without_end_is_not_waited_for)
{
	static char reply[GRPC_PROXY_REPLY_MAX];

	memset(reply, 'x', sizeof(reply));
	memcpy(reply, "HTTP/1.1 200 OK\r\nX: ", 20);
	ck_assert_int_eq(grpc_proxy_reply(reply, sizeof(reply) - 1), 0);
	ck_assert_int_eq(grpc_proxy_reply(reply, sizeof(reply)), -1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("grpc_proxy");
	TCase *tc = tcase_create("proxy");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tc, no_proxy_means_what_it_does_in_go, 0,
			    COUNT(exempts));
	tcase_add_loop_test(tc, the_environment_names_a_proxy, 0,
			    COUNT(found));
	tcase_add_loop_test(tc, only_200_opens_the_tunnel, 0, COUNT(replies));
	tcase_add_test(tc, a_head_without_end_is_not_waited_for);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
