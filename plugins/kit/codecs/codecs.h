/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codecs.h: libsnappy and liblz4 behind a table of their own functions.
 *
 * libweircodecs.so exports this table and nothing else; the kit opens it when
 * a message comes or goes that needs it, so that nobody else loads libsnappy's
 * C++ runtime.  This header is all that the two share.
 */
#ifndef WEIR_KIT_CODECS_H
#define WEIR_KIT_CODECS_H

#include <lz4frame.h>
#include <snappy-c.h>
#include <stdint.h>

#define WEIRCODECS_VERSION 1
#define WEIRCODECS_SYMBOL "weircodecs"

struct weircodecs {
	uint32_t version;
	__typeof__(&snappy_compress) snappy_compress;
	__typeof__(&snappy_uncompress) snappy_uncompress;
	__typeof__(&snappy_max_compressed_length) snappy_bound;
	__typeof__(&snappy_uncompressed_length) snappy_length;
	__typeof__(&LZ4F_isError) lz4_failed;
	__typeof__(&LZ4F_createDecompressionContext) lz4_new_decoder;
	__typeof__(&LZ4F_freeDecompressionContext) lz4_free_decoder;
	__typeof__(&LZ4F_decompress) lz4_decompress;
	__typeof__(&LZ4F_createCompressionContext) lz4_new_encoder;
	__typeof__(&LZ4F_freeCompressionContext) lz4_free_encoder;
	__typeof__(&LZ4F_compressBound) lz4_bound;
	__typeof__(&LZ4F_compressBegin) lz4_begin;
	__typeof__(&LZ4F_compressUpdate) lz4_update;
	__typeof__(&LZ4F_compressEnd) lz4_end;
};

#endif
