/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_otlp_json: any request that passes the border gives a JSON document.
 *
 * What the walk takes, made canonical where it is unusual, is written as JSON;
 * a strict reader goes over the result.  Bytes that the walk refuses are
 * written too: the encoder must not run out of them, whatever they are.  The
 * first byte chooses the signal.
 */
#include <stdlib.h>
#include <string.h>
#include <weir/kit/otlp_json.h>

#include "data/batch.h"
#include "base/str.h"
#include "data/walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* --- A strict reader: RFC 8259, no blanks ------------------------------- */

struct reader {
	const char *p, *end;
};

static bool eat(struct reader *r, char c)
{
	if (r->p == r->end || *r->p != c)
		return false;
	r->p++;
	return true;
}

static void need(bool yes)
{
	if (!yes)
		abort();
}

static void digits(struct reader *r)
{
	const char *first = r->p;

	while (r->p < r->end && *r->p >= '0' && *r->p <= '9')
		r->p++;
	need(r->p > first);
}

static void number(struct reader *r)
{
	const char *first;

	eat(r, '-');
	first = r->p;
	digits(r);
	need(*first != '0' || r->p == first + 1);
	if (eat(r, '.'))
		digits(r);
	if (eat(r, 'e')) {
		need(eat(r, '-') || eat(r, '+'));
		digits(r);
	}
}

static void string(struct reader *r)
{
	need(eat(r, '"'));
	while (!eat(r, '"')) {
		need(r->p < r->end && (unsigned char)*r->p >= 0x20);
		if (*r->p++ != '\\')
			continue;
		need(r->p < r->end);
		if (*r->p++ != 'u') {
			need(strchr("\"\\nrt", r->p[-1]) != NULL);
			continue;
		}
		need(r->end - r->p >= 4 && !memcmp(r->p, "00", 2));
		r->p += 4;
	}
}

static void value(struct reader *r)
{
	static const char *const words[] = { "true", "false" };
	char close = eat(r, '{') ? '}' : eat(r, '[') ? ']' : 0;

	if (close) {
		if (eat(r, close))
			return;
		do {
			if (close == '}') {
				string(r);
				need(eat(r, ':'));
			}
			value(r);
		} while (eat(r, ','));
		need(eat(r, close));
		return;
	}
	need(r->p < r->end);
	if (*r->p == '"') {
		string(r);
		return;
	}
	for (size_t i = 0; i < 2; i++) {
		size_t n = strlen(words[i]);

		if ((size_t)(r->end - r->p) >= n &&
		    !memcmp(r->p, words[i], n)) {
			r->p += n;
			return;
		}
	}
	number(r);
}

/* --- The target --------------------------------------------------------- */

static void write_json(enum weir_signal signal, const uint8_t *ptr, size_t len,
		       struct weir_text *out)
{
	struct weir_slice slice = { ptr, len };
	struct weir_batch batch = { .signal = signal, .n = 1,
				    .slices = &slice };

	weir_text_clear(out);
	weir_otlp_json_write(&batch, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum weir_signal signal;
	struct walk_result result;
	struct weir_text out = { 0 };
	struct buf canon = { 0 };
	struct reader r;
	uint8_t *bytes;
	size_t len;

	if (!size)
		return 0;
	signal = (enum weir_signal)(data[0] % WEIR_SIGNAL_COUNT);
	len = size - 1;
	bytes = xcalloc(1, len + PAYLOAD_SLACK);
	memcpy(bytes, data + 1, len);
	write_json(signal, bytes, len, &out);
	result = walk_request(signal, bytes, len, NULL, NULL);
	if (result.verdict == WALK_UNUSUAL) {
		need(canon_request(signal, bytes, len, &canon));
		write_json(signal, canon.ptr, canon.len, &out);
	}
	if (result.verdict != WALK_MALFORMED) {
		r = (struct reader){ out.ptr, out.ptr + out.len };
		value(&r);
		need(r.p == r.end);
	}
	weir_text_release(&out);
	buf_release(&canon);
	free(bytes);
	return 0;
}
