/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which keys say that what stands behind them is a secret: those and no others,
 * because every attribute with such a key is decoded.
 */
#include "detect_corpus.h"

#include "../../support/seeds.h"

#define N(table) (int)(sizeof(table) / sizeof(*table))
#define KEYS SEEDS_OF(20000)

/* --- By hand ---------------------------------------------------------------------- */

static const char *const ordinary[] = {
	"index", "key", "token.count", "db.cached",
	"db.response.returned_rows",
	"http.response.status_code", "http.request.method", "http.route",
	"http.status_code", "http.request.body.size", "http.method",
	"http.request.header.content-type", "http.request.header.accept",
	"http.request.resend_count", "url.path", "url.full", "url.query",
	"server.address", "server.port", "client.address",
	"user_agent.original",
	"network.protocol.version", "network.peer.port", "tls.cipher",
	"db.system.name", "db.query.text", "db.namespace", "db.operation.name",
	"db.operation.batch.size", "db.collection.name",
	"db.redis.database_index",
	"gen_ai.request.model", "gen_ai.request.temperature",
	"gen_ai.request.max_tokens", "gen_ai.usage.input_tokens",
	"gen_ai.usage.output_tokens", "gen_ai.usage.cache_read.input_tokens",
	"gen_ai.response.id", "gen_ai.response.finish_reasons",
	"gen_ai.operation.name", "gen_ai.system", "gen_ai.prompt",
	"gen_ai.completion", "gen_ai.token.type", "gen_ai.tool.call.id",
	"llm.token_count.prompt", "llm.usage.total_tokens",
	"rpc.system", "rpc.service", "rpc.method", "rpc.grpc.status_code",
	"messaging.system", "messaging.destination.name",
	"messaging.message.body.size", "messaging.kafka.message.key",
	"messaging.rabbitmq.destination.routing_key",
	"messaging.consumer.group.name", "messaging.batch.message_count",
	"k8s.pod.name", "k8s.namespace.name", "k8s.node.uid",
	"k8s.deployment.name", "k8s.container.restart_count",
	"service.name", "service.version", "service.instance.id",
	"telemetry.sdk.language", "deployment.environment.name", "host.name",
	"process.pid", "process.command_line", "container.image.name",
	"cloud.region", "aws.request_id", "faas.invocation_id", "thread.name",
	"code.function.name", "code.line.number", "exception.message",
	"session.id", "enduser.id", "error.type", "app.cache_hit",
	/* words that only begin or end as such names do */
	"keyboard", "monkey", "primary_key", "tokens", "tokenizer",
	"max_tokens", "passenger", "compass", "bypass", "passed", "author",
	"authority", "oauth", "secretary", "cookies", "passwordless",
	"secret.name", "password_changed_at", "api_key_count", "design",
	"signatures", "credentials.kind", "token_type", "",
};

START_TEST(ordinary_keys_say_nothing)
{
	struct detectors d = detectors_of(NULL);

	for (int i = 0; i < N(ordinary); i++)
		ck_assert_msg(!detect_name(&d, weir_str_of(ordinary[i])),
			      "\"%s\"", ordinary[i]);
}
END_TEST

static const char *const secret[] = {
	"db.password", "password", "PASSWORD", "userPassword", "password1",
	"db.passwd", "ssh.passphrase", "PWD", "DB_PASS", "dbPass",
	"http.request.header.authorization", "Authorization",
	"http.request.header.proxy-authorization", "x-api-key", "api key",
	"http.request.header.x-api-key", "OPENAI_API_KEY", "API_KEY_2",
	"apiKey", "ANTHROPIC_KEY", "client_secret", "clientSecret", "secret",
	"auth_token", "access_token", "csrf-token", "token", "session.token",
	"aws_secret_access_key", "AccountKey", "private_key", "encryption_key",
	"private_key_id", "credential", "gcp.credentials", "service.auth",
	"http.request.header.cookie", "http.response.header.set-cookie",
	"X-Amz-Signature", "sig", "password\\",
};

START_TEST(names_of_secrets_speak)
{
	struct detectors d = detectors_of(NULL);

	for (int i = 0; i < N(secret); i++)
		ck_assert_msg(detect_name(&d, weir_str_of(secret[i])),
			      "\"%s\"", secret[i]);
}
END_TEST

/* What is before its name does not matter, however long it is. */
START_TEST(a_long_key_is_known_by_its_end)
{
	struct detectors d = detectors_of(NULL);
	char key[512];

	for (size_t front = 0; front < 300; front++) {
		memset(key, 'x', front);
		strcpy(key + front, ".secret_access_key_12");
		ck_assert(detect_name(&d, weir_str_of(key)));
		strcpy(key + front, ".secret_access_key_of");
		ck_assert(!detect_name(&d, weir_str_of(key)));
		strcpy(key + front, ".primary_key");
		ck_assert(!detect_name(&d, weir_str_of(key)));
	}
}
END_TEST

static const struct {
	const char *key, *detector;
	bool speaks;
} wanted[] = {
	{ "db.password", "credentials", true },
	{ "db.password", "cloud_key", false },
	{ "db.password", "email", false },
	{ "db.password", "llm_key", false },
	{ "AccountKey", "cloud_key", true },
	{ "AccountKey", "credentials", true },
	{ "X-Amz-Signature", "cloud_key", true },
	{ "X-Amz-Signature", "credentials", false },
};

START_TEST(only_for_those_detectors_that_are_on)
{
	struct detectors d = detectors_of(wanted[_i].detector);

	ck_assert_int_eq(detect_name(&d, weir_str_of(wanted[_i].key)),
			 wanted[_i].speaks);
}
END_TEST

/* --- By chance -------------------------------------------------------------------- */

/* Is the value found because of the key, as the processor asks for it? */
static bool found_by_name(const struct detectors *d, const char *key,
			  const char *value)
{
	char text[512];
	int len = snprintf(text, sizeof(text), "\"%s\":\"%s\"", key, value);
	struct detect_walk walk;
	struct detected hit;
	size_t from = strlen(key) + 4, next = 0;

	ck_assert_int_lt(len, (int)sizeof(text));
	detect_start(&walk, d, (weir_str){ text, (size_t)len });
	walk.named = from;
	walk.named_end = from + strlen(value);
	for (; detect_next(&walk, next, &hit); next = hit.at + hit.len)
		if (hit.at + hit.len > from)
			return true;
	return false;
}

/* Nothing is found in them without a name. */
static const char *const values[] = {
	"Zk7vQ2xR9mT4bN8cWz31", "dXNlcjpwYXNzd29yZA==",
	"sid=Zk7vQ2xR9mT4bN8cWz31",
};

static const char *const parts[] = {
	"pass", "word", "password", "Password", "pwd", "secret", "access",
	"token", "Token", "key", "Key", "KEY", "api", "API", "private", "id",
	"auth", "orization", "credential", "s", "cookie", "set", "sig",
	"signature", "x", "db", "my", "account", "shared", "openai", "n",
	"_", "_", "-", "-", ".", ".", " ", "1", "2", "_3", "9999", "/", "<",
	">", "\\", "\xc3\xa9",
};

START_TEST(a_key_speaks_where_its_value_is_found_by_it)
{
	struct detectors d = detectors_of(_i ? "cloud_key" : NULL);
	struct corpus_text t = { .chance = (uint64_t)_i };
	unsigned speaking = 0;

	for (int i = 0; i < N(values); i++)
		ck_assert(!detect_any(&d, weir_str_of(values[i])));
	for (uint64_t n = 0; n < KEYS; n++) {
		char key[128] = "";
		bool found = false, speaks;

		for (uint64_t i = 1 + corpus_chance(&t) % 5; i; i--)
			strcat(key, parts[corpus_chance(&t) % N(parts)]);
		for (int i = 0; i < N(values); i++)
			found |= found_by_name(&d, key, values[i]);
		speaks = detect_name(&d, weir_str_of(key));
		ck_assert_msg(speaks == found, "\"%s\": %d, %d", key, speaks,
			      found);
		speaking += speaks;
	}
	ck_assert_uint_gt(speaking, KEYS / 50);	/* else nothing was proved */
	ck_assert_uint_lt(speaking, KEYS / 2);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("processors/redaction/detect: names");
	TCase *tests = tcase_create("names");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, ordinary_keys_say_nothing);
	tcase_add_test(tests, names_of_secrets_speak);
	tcase_add_test(tests, a_long_key_is_known_by_its_end);
	tcase_add_loop_test(tests, only_for_those_detectors_that_are_on, 0,
			    N(wanted));
	tcase_add_loop_test(tests, a_key_speaks_where_its_value_is_found_by_it,
			    0, 2);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
