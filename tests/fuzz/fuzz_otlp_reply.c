/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_otlp_reply: any bytes as what a backend answers, over gRPC and HTTP.
 *
 * Whatever it says: an outcome with a clean text, a number that is none below
 * 0, a wait that is none.  HTTP: the first two bytes choose status and type,
 * what stands before a newline is Retry-After.
 */
#include "../../exporters/otlp_grpc/reply.c"
#include "../../exporters/otlp_http/json.c"
#include "../../exporters/otlp_http/reply.c"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct weir_outcome *outcome)
{
	if (outcome->rejected > INT64_MAX || outcome->retry_after.ns < 0 ||
	    !memchr(outcome->text, '\0', sizeof(outcome->text)))
		abort();
	for (const char *p = outcome->text; *p; p++)
		if ((unsigned char)*p < ' ')
			abort();
}

static void grpc(const uint8_t *data, size_t size)
{
	struct weir_outcome outcome = { .status = WEIR_OK };
	weir_str host, port, whole = { (const char *)data, size };

	weir_otlp_partial_success(data, size, &outcome);
	if (outcome.status != WEIR_OK)
		abort();
	check(&outcome);
	weir_otlp_error_text(&outcome, WEIR_UNAVAILABLE);
	check(&outcome);
	otlp_host_port(whole, &host, &port);
	if (host.len > size || port.len > size)
		abort();
}

static void http(const uint8_t *data, size_t size)
{
	static const uint16_t statuses[] = { 0, 200, 202, 307, 400, 413, 429,
		500, 503, 599 };
	struct weir_http_header headers[2];
	struct weir_http_reply reply = { .headers = headers, .n_headers = 2 };
	struct weir_outcome outcome;
	const uint8_t *line;

	if (size < 2)
		return;
	reply.status = statuses[data[0] % 10];
	if (!reply.status)
		weir_outcome_set(&reply.outcome, WEIR_UNAVAILABLE,
				 WEIR_REASON_BACKEND, "EOF");
	headers[0].name = WEIR_STR("content-type");
	headers[0].value = data[1] & 1 ? json : protobuf;
	data += 2;
	size -= 2;
	line = memchr(data, '\n', size);
	headers[1].name = WEIR_STR("retry-after");
	headers[1].value = (weir_str){ (const char *)data,
				       line ? (size_t)(line - data) : 0 };
	reply.body = line ? line + 1 : data;
	reply.len = size - (size_t)(reply.body - data);
	otlp_http_outcome(&reply, WEIR_STR("http://h/v1/traces"),
			  UINT64_C(1700000000000000000), &outcome);
	check(&outcome);
	if (outcome.status == WEIR_OK &&
	    (reply.status < 200 || reply.status > 299))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	grpc(data, size);
	http(data, size);
	return 0;
}
