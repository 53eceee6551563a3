/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_regex.c: the syntax of patterns, read before RE2 does.
 *
 * Input: a pattern up to the first newline, then a text.  What needs no engine
 * is matched; the required literal must be a part of the pattern's characters.
 */
#include <stdlib.h>

#include "data/pattern.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
	size_t len = end ? (size_t)(end - data) : size;
	weir_str text = { (const char *)data + len, size - len };
	struct pattern pattern = { 0 };
	struct weir_error error;

	if (!pattern_parse(&pattern, (weir_str){ (const char *)data, len },
			   &error)) {
		if (pattern.literal.len > len || pattern.n_groups > len)
			abort();
		if (pattern.kind == PATTERN_WORDS) {
			pattern_has_word(&pattern, text);
			for (size_t i = 0; i < pattern.n_words; i++)
				if (!pattern_has_word(&pattern,
						      pattern.words[i]))
					abort();
		}
	}
	pattern_release(&pattern);
	return 0;
}
