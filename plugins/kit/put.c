/* SPDX-License-Identifier: Apache-2.0 */
/*
 * put.c: writing into an array, never past its end (weir/kit/text.h).  Pure.
 */
#include <weir/kit/text.h>

void weir_put(struct weir_put *out, weir_str bytes)
{
	if (bytes.len > out->room - out->len)
		out->full = true;
	if (out->full || !bytes.len)
		return;
	memcpy(out->ptr + out->len, bytes.ptr, bytes.len);
	out->len += bytes.len;
}

void weir_puts(struct weir_put *out, const char *text)
{
	weir_put(out, weir_str_of(text));
}

void weir_put_varint(struct weir_put *out, uint64_t value)
{
	char bytes[10];
	size_t n = 0;

	for (; value > 0x7f; value >>= 7)
		bytes[n++] = (char)(value | 0x80);
	bytes[n++] = (char)value;
	weir_put(out, (weir_str){ bytes, n });
}

void weir_put_number(struct weir_put *out, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	weir_put(out, (weir_str){ digits + at, sizeof(digits) - at });
}

void weir_put_json(struct weir_put *out, const char *text)
{
	weir_puts(out, "\"");
	while (*text) {
		size_t plain = strcspn(text, "\"\\");

		weir_put(out, (weir_str){ text, plain });
		text += plain;
		if (*text) {
			weir_puts(out, "\\");
			weir_put(out, (weir_str){ text++, 1 });
		}
	}
	weir_puts(out, "\"");
}

const char *weir_put_end(struct weir_put *out)
{
	if (out->len == out->room)
		out->len--;
	out->ptr[out->len] = '\0';
	return out->ptr;
}
