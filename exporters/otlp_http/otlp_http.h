/* SPDX-License-Identifier: Apache-2.0 */
/* otlp_http.h: what can be said without a connection.  All pure. */
#ifndef OTLP_HTTP_H
#define OTLP_HTTP_H

#include <weir/kit/http_client.h>

/* What an answer from that URL means: OK (with rejected and text for partial
 * success), or why not, and when to try again.  wall: now, as weir_wall_now()
 * has it, for a Retry-After that is a date. */
void otlp_http_outcome(const struct weir_http_reply *reply, weir_str url,
		       uint64_t wall, struct weir_outcome *outcome);

/* Retry-After: seconds or an HTTP-date; what is past or no such value is 0.
 * RFC 9110 10.2.3 */
weir_duration otlp_http_retry_after(weir_str value, uint64_t wall);

/* The partial success in a JSON response; false when it is none.  At most
 * OTLP_HTTP_BODY bytes. */
bool otlp_http_json_partial(const uint8_t *body, size_t len,
			    struct weir_outcome *outcome);
/* The `message` of a JSON Status into text (NUL-terminated, cut). */
bool otlp_http_json_message(const uint8_t *body, size_t len, char *text,
			    size_t room);
#define OTLP_HTTP_BODY (64u << 10)	/* read of a body, as the Collector */

#endif
