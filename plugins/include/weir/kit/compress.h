/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compress.h: encodings of request bodies, with caps before and after.
 *
 * Inflating never allocates more than the cap plus a constant and charges the
 * process's byte budget first.  Pure but for that; c's thread.
 */
#ifndef WEIR_KIT_COMPRESS_H
#define WEIR_KIT_COMPRESS_H

#include <weir/batch.h>
#include <weir/net.h>
#include <weir/status.h>

#ifdef __cplusplus
extern "C" {
#endif

enum weir_encoding {
	WEIR_ENCODING_IDENTITY, WEIR_ENCODING_GZIP, WEIR_ENCODING_ZSTD,
	WEIR_ENCODING_UNKNOWN
};
/* "gzip", "zstd", "identity", "": exact lower case; else UNKNOWN. */
WEIR_API enum weir_encoding weir_encoding_parse(weir_str name);
WEIR_API const char *weir_encoding_name(enum weir_encoding encoding);

/* Inflates in[0..len) whole into a payload of its own, at most max bytes; *out
 * gets its used length.  NULL and an outcome: broken data INTERNAL/COMPRESSION,
 * over max RESOURCE_EXHAUSTED/TOO_BIG, no memory UNAVAILABLE/MEMORY.  gzip:
 * all members, CRC and length checked, trailing bytes refused.  zstd: window
 * at most the smallest power of two >= max, 8 MiB the least. */
WEIR_API struct weir_payload *weir_decompress(struct weir_component *c,
	enum weir_encoding encoding, const uint8_t *in, size_t len, size_t max,
	size_t *out, struct weir_outcome *refused);

/* A compressor keeps its state between calls; one per component. */
struct weir_compressor;
WEIR_API struct weir_compressor *weir_compressor_new(
	enum weir_encoding encoding);
WEIR_API void weir_compressor_free(struct weir_compressor **compressor);
/* Compresses the pieces as one stream, after `head` bytes left free at the
 * front for a frame.  The result belongs to the caller: free() it.  NULL: out
 * of memory. */
WEIR_API uint8_t *weir_compress(struct weir_compressor *compressor,
	const struct weir_iovec *in, size_t n, size_t head, size_t *out);

#ifdef __cplusplus
}
#endif
#endif
