/* SPDX-License-Identifier: Apache-2.0 */
/* Row 106: how many connections there may be, in all and from one address. */
#include <check.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>

#include "net/net.h"

static const int here, there;		/* two listeners */

static union address address(const char *text)
{
	union address a = { 0 };
	void *raw = &a.storage;
	struct sockaddr_in *v4 = raw;
	struct sockaddr_in6 *v6 = raw;

	a.any.sa_family = AF_UNIX;
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		a.any.sa_family = AF_INET;
	} else if (*text && *text != '/') {
		ck_assert_int_eq(inet_pton(AF_INET6, text, &v6->sin6_addr), 1);
		a.any.sa_family = AF_INET6;
	}
	return a;
}

/* Of 0 descriptors: those there are. */
static void allow(rlim_t descriptors)
{
	const struct rlimit limit = { descriptors, descriptors };

	if (descriptors)
		ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	admit_begin();
}

static bool takes(const void *listener, const char *peer, uint32_t most,
		  uint32_t *seat)
{
	union address a = address(peer);

	return admit_take(listener, &a, most, seat);
}

static const struct {
	const char *why;
	const char *first, *second;
	bool same;
} pairs[] = {
	{ "itself", "192.0.2.1", "192.0.2.1", true },
	{ "another", "192.0.2.1", "192.0.2.2", false },
	{ "the same on a socket for both", "192.0.2.1", "::ffff:192.0.2.1",
	  true },
	{ "the same network", "2001:db8::1", "2001:db8::ffff:1", true },
	{ "another network", "2001:db8:0:1::1", "2001:db8:0:2::1", false },
};

START_TEST(one_address_has_its_number_and_no_more)
{
	uint32_t seats[3], seat;

	allow(0);
	for (int i = 0; i < 3; i++)
		ck_assert(takes(&here, pairs[_i].first, 3, &seats[i]));
	ck_assert_msg(takes(&here, pairs[_i].second, 3, &seat) ==
		      !pairs[_i].same, "%s", pairs[_i].why);
	ck_assert_uint_eq(admit_refused(ADMIT_ADDRESS), pairs[_i].same);
	ck_assert(takes(&there, pairs[_i].first, 3, &seat));
	admit_give(seats[0]);
	ck_assert(takes(&here, pairs[_i].first, 3, &seat));
}
END_TEST

/* 1128 descriptors are 1000 connections: 750 for the first, 250 are left. */
START_TEST(one_address_cannot_lock_the_others_out)
{
	uint32_t seat;

	allow(1128);
	for (int i = 0; i < 750; i++)
		ck_assert(takes(&here, "192.0.2.1", 0, &seat));
	ck_assert(!takes(&here, "192.0.2.1", 0, &seat));
	ck_assert(!takes(&here, "192.0.2.1", 100000, &seat));
	for (int i = 0; i < 250; i++)
		ck_assert(takes(&here, "192.0.2.2", 0, &seat));
	ck_assert_uint_eq(admit_refused(ADMIT_TOTAL), 0);
	ck_assert(!takes(&here, "192.0.2.3", 0, &seat));
	ck_assert_uint_eq(admit_refused(ADMIT_TOTAL), 1);
}
END_TEST

START_TEST(a_unix_socket_has_no_address)
{
	uint32_t seat;

	allow(1128);
	for (int i = 0; i < 1000; i++)
		ck_assert(takes(&here, "", 1, &seat));
	ck_assert(!takes(&here, "", 1, &seat));
	ck_assert_uint_eq(admit_refused(ADMIT_TOTAL), 1);
}
END_TEST

START_TEST(descriptors_that_may_be_had_are_taken)
{
	const struct rlimit low = { 64, 1128 };
	struct rlimit now;

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	admit_begin();
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &now), 0);
	ck_assert_uint_eq(now.rlim_cur, 1128);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("admit");
	TCase *tc = tcase_create("admit");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tc, one_address_has_its_number_and_no_more, 0,
			    sizeof(pairs) / sizeof(*pairs));
	tcase_add_test(tc, one_address_cannot_lock_the_others_out);
	tcase_add_test(tc, a_unix_socket_has_no_address);
	tcase_add_test(tc, descriptors_that_may_be_had_are_taken);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
