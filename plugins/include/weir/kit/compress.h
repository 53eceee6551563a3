/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compress.h: encodings of request bodies, with caps before and after.
 *
 * Inflating never allocates more than the cap plus a constant and charges the
 * process's byte budget first; a size that a message states is compared with
 * the cap before anything is allocated.  Pure but for that; c's thread.
 *
 * snappy and lz4 lie in libweircodecs.so, which the first use opens (once a
 * process, about a millisecond) and nothing closes.  Our servers have it opened
 * on the thread pool, and the request waits.
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
	WEIR_ENCODING_IDENTITY,
	WEIR_ENCODING_GZIP,		/* RFC 1952 */
	WEIR_ENCODING_ZSTD,		/* RFC 8878 */
	WEIR_ENCODING_ZLIB,		/* RFC 1950; also called deflate */
	WEIR_ENCODING_SNAPPY,		/* one block */
	WEIR_ENCODING_SNAPPY_FRAMED,	/* a stream of chunks; gRPC's snappy */
	WEIR_ENCODING_LZ4,		/* frames */
	WEIR_ENCODING_UNKNOWN
};
/* The names of Content-Encoding: "gzip", "zstd", "zlib", "deflate" (a zlib
 * stream as well), "snappy", "x-snappy-framed", "lz4", "identity" and "":
 * exact lower case; else UNKNOWN. */
WEIR_API enum weir_encoding weir_encoding_parse(weir_str name);
WEIR_API const char *weir_encoding_name(enum weir_encoding encoding);
/* The names of grpc-encoding: "gzip", "zstd", "snappy" (which is framed there),
 * "identity" and "". */
WEIR_API enum weir_encoding weir_grpc_encoding_parse(weir_str name);
WEIR_API const char *weir_grpc_encoding_name(enum weir_encoding encoding);

/* Opens the library that an encoding needs, if it needs one and that is not
 * open yet; -1 and a sentence when it cannot be opened.  Blocks: for set-up and
 * for the thread pool.  Any thread. */
WEIR_API int weir_encoding_open(enum weir_encoding encoding,
				struct weir_error *error);

/* Inflates in[0..len) whole into a payload of its own, at most max bytes; *out
 * gets its used length.  NULL and an outcome: broken data INTERNAL/COMPRESSION,
 * over max RESOURCE_EXHAUSTED/TOO_BIG, no memory UNAVAILABLE/MEMORY, no library
 * UNIMPLEMENTED/MEDIA_TYPE.  Everywhere: checksums checked; what is cut short,
 * bytes behind the end and frames that need a dictionary refused.
 *	gzip		all members
 *	zstd, lz4	all frames; skippable ones refused, and a zstd window
 *			over 8 MiB (RFC 9659) as broken
 *	snappy		a block, or the framed form if it begins like that
 * Nothing at all is an empty message in zstd, lz4 and x-snappy-framed. */
WEIR_API struct weir_payload *weir_decompress(struct weir_component *c,
	enum weir_encoding encoding, const uint8_t *in, size_t len, size_t max,
	size_t *out, struct weir_outcome *refused);

/* A compressor keeps its state between calls; one per component. */
struct weir_compressor;
/* level: 0 is the default, which is the fastest; else, after the Collector,
 * gzip and zlib -2 (Huffman only), -1 (default) and 1 to 9, zstd 1 to 11, any
 * other number the nearest of these; without meaning for the others.  NULL: no
 * memory, or weir_encoding_open would fail. */
WEIR_API struct weir_compressor *weir_compressor_new(
	enum weir_encoding encoding, int64_t level);
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
