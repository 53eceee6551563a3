/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sanitizers of the redaction processor, on any text: none reads past its
 * end, and what they made once they leave alone where that can be promised.
 *
 * The first byte chooses.  The plugin's files are read in here, because their
 * functions are the plugin's own; where two have a static of the same name the
 * second is renamed.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "../../processors/redaction/commands.c"
#include "../../processors/redaction/letters.c"
#define skip_blanks json_skip_blanks
#include "../../processors/redaction/json.c"
#include "../../processors/redaction/url.c"
#define at sql_at
#define take_word sql_take_word
#define take_number sql_take_number
#define take_string sql_take_string
#include "../../processors/redaction/sql.c"

static struct weir_text once, twice;

static weir_str made(const struct weir_text *text)
{
	return (weir_str){ text->len ? text->ptr : "", text->len };
}

static void check_json(weir_str text)
{
	if (!sanitize_json(text, &once)) {
		assert(!once.len);
		return;
	}
	assert(sanitize_json(made(&once), &twice));
	assert(weir_str_eq(made(&once), made(&twice)));
}

static void check_url(weir_str text)
{
	sanitize_url(text, &once);
	assert(once.len <= text.len);
	for (size_t i = 0; i < once.len; i++)
		assert(!is_end(once.ptr[i]));
}

static void check_memcached(weir_str text)
{
	sanitize_memcached(text, &once);
	sanitize_memcached(made(&once), &twice);
	assert(weir_str_eq(made(&once), made(&twice)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	weir_str text;
	char *copy;

	if (!size)
		return 0;
	copy = malloc(size);		/* its end is the sanitizer's */
	memcpy(copy, data + 1, size - 1);
	text = (weir_str){ copy, size - 1 };
	weir_text_clear(&once);
	weir_text_clear(&twice);
	switch (data[0] % 6) {
	case 0: check_json(text); break;
	case 1: check_url(text); break;
	case 2: check_memcached(text); break;
	case 3: sanitize_redis(text, &once); break;
	default: sanitize_sql(text, data[0] & 1, &once);
	}
	free(copy);
	return 0;
}
