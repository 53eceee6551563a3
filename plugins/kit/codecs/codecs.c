/* SPDX-License-Identifier: Apache-2.0 */
/* codecs.c: the table of codecs.h.  Holds nothing. */
#include "codecs.h"

#include <weir/base.h>

WEIR_API extern const struct weircodecs weircodecs;

const struct weircodecs weircodecs = {
	.version = WEIRCODECS_VERSION,
	.snappy_compress = snappy_compress,
	.snappy_uncompress = snappy_uncompress,
	.snappy_bound = snappy_max_compressed_length,
	.snappy_length = snappy_uncompressed_length,
	.lz4_failed = LZ4F_isError,
	.lz4_new_decoder = LZ4F_createDecompressionContext,
	.lz4_free_decoder = LZ4F_freeDecompressionContext,
	.lz4_decompress = LZ4F_decompress,
	.lz4_new_encoder = LZ4F_createCompressionContext,
	.lz4_free_encoder = LZ4F_freeCompressionContext,
	.lz4_bound = LZ4F_compressBound,
	.lz4_begin = LZ4F_compressBegin,
	.lz4_update = LZ4F_compressUpdate,
	.lz4_end = LZ4F_compressEnd,
};
