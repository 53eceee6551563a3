/* SPDX-License-Identifier: Apache-2.0 */
/* The answer of a backend: whatever it says, a number and a clean text. */
#include "../../exporters/otlp_grpc/reply.c"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct weir_outcome outcome = { .status = WEIR_OK };
	weir_str host, port, whole = { (const char *)data, size };

	otlp_partial_success(data, size, &outcome);
	if (outcome.rejected > INT64_MAX || outcome.status != WEIR_OK)
		abort();
	for (const char *p = outcome.text; *p; p++)
		if ((unsigned char)*p < ' ')
			abort();
	otlp_error_text(&outcome);
	if (!memchr(outcome.text, '\0', sizeof(outcome.text)))
		abort();
	otlp_host_port(whole, &host, &port);
	if (host.len > size || port.len > size)
		abort();
	return 0;
}
