/* SPDX-License-Identifier: Apache-2.0 */
/*
 * digest.h: hashes, for processors that put one in place of a value.
 *
 * OpenSSL's, opened when the first one is made: a sidecar that hashes nothing
 * does not carry libcrypto.  Set-up: new, free; then one thread an object.
 */
#ifndef WEIR_KIT_DIGEST_H
#define WEIR_KIT_DIGEST_H

#include <weir/base.h>
#include <weir/status.h>
#include <weir/value.h>

#ifdef __cplusplus
extern "C" {
#endif

enum weir_digest_kind {
	WEIR_DIGEST_MD5, WEIR_DIGEST_SHA1, WEIR_DIGEST_SHA256,
	WEIR_DIGEST_SHA3_256, WEIR_DIGEST_HMAC_SHA256, WEIR_DIGEST_HMAC_SHA512
};

struct weir_digest;

/* key: of the two HMACs, copied.  NULL and a sentence when libcrypto cannot be
 * opened or does not offer the algorithm. */
WEIR_API struct weir_digest *weir_digest_new(enum weir_digest_kind kind,
					     weir_str key,
					     struct weir_error *error);
WEIR_API void weir_digest_free(struct weir_digest **digest);
/* Appends the lower-case hex digest of bytes to out; nothing, should OpenSSL
 * fail. */
WEIR_API void weir_digest_hex(struct weir_digest *digest, weir_str bytes,
			      struct weir_text *out);

#ifdef __cplusplus
}
#endif
#endif
