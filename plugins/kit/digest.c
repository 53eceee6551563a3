/* SPDX-License-Identifier: Apache-2.0 */
/*
 * digest.c: hashes by OpenSSL's libcrypto (weir/kit/digest.h).
 *
 * Holds the library once somebody has needed it; it is never closed.  The
 * mutex guards that one moment.  A digest keeps its context, so hashing
 * allocates nothing.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/params.h>
#include <weir/kit/digest.h>

/* What is used of libcrypto: found by name, so that nothing links it. */
#define CALLS(XX)							\
	XX(EVP_MD_fetch) XX(EVP_MD_free) XX(EVP_MD_CTX_new)		\
	XX(EVP_MD_CTX_free) XX(EVP_DigestInit_ex)			\
	XX(EVP_DigestUpdate) XX(EVP_DigestFinal_ex)			\
	XX(EVP_MAC_fetch) XX(EVP_MAC_free) XX(EVP_MAC_CTX_new)		\
	XX(EVP_MAC_CTX_free) XX(EVP_MAC_init) XX(EVP_MAC_update)	\
	XX(EVP_MAC_final) XX(OSSL_PARAM_construct_utf8_string)		\
	XX(OSSL_PARAM_construct_end)

static struct {
	void *handle;
#define XX(name) __typeof__(&name) name;
	CALLS(XX)
#undef XX
} crypto;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct weir_digest {
	EVP_MD *md;		/* plain ones */
	EVP_MD_CTX *md_ctx;
	EVP_MAC *mac;		/* HMACs; the context keeps the key */
	EVP_MAC_CTX *mac_ctx;
};

static const struct {
	const char *name;
	bool hmac;
} kinds[] = {
	[WEIR_DIGEST_MD5] = { "MD5", false },
	[WEIR_DIGEST_SHA1] = { "SHA1", false },
	[WEIR_DIGEST_SHA256] = { "SHA256", false },
	[WEIR_DIGEST_SHA3_256] = { "SHA3-256", false },
	[WEIR_DIGEST_HMAC_SHA256] = { "SHA256", true },
	[WEIR_DIGEST_HMAC_SHA512] = { "SHA512", true },
};

static int open_crypto(struct weir_error *error)
{
	void *handle = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);
	bool all = handle != NULL;

	if (!handle)
		return weir_fail(error, NULL, "hashing needs libcrypto.so.3: "
				 "%s", dlerror());
#define XX(name)							\
	*(void **)(void *)&crypto.name = dlsym(handle, #name);		\
	all = all && crypto.name;
	CALLS(XX)
#undef XX
	if (!all) {
		dlclose(handle);
		return weir_fail(error, NULL, "hashing needs OpenSSL 3's "
				 "libcrypto.so.3, this one lacks a function");
	}
	crypto.handle = handle;
	return 0;
}

static int need_crypto(struct weir_error *error)
{
	int failed = 0;

	pthread_mutex_lock(&lock);
	if (!crypto.handle)
		failed = open_crypto(error);
	pthread_mutex_unlock(&lock);
	return failed;
}

static bool make_hmac(struct weir_digest *d, const char *name, weir_str key)
{
	char copy[16];
	OSSL_PARAM params[2];

	snprintf(copy, sizeof(copy), "%s", name);
	params[0] = crypto.OSSL_PARAM_construct_utf8_string("digest", copy, 0);
	params[1] = crypto.OSSL_PARAM_construct_end();
	d->mac = crypto.EVP_MAC_fetch(NULL, "HMAC", NULL);
	d->mac_ctx = d->mac ? crypto.EVP_MAC_CTX_new(d->mac) : NULL;
	return d->mac_ctx &&
		crypto.EVP_MAC_init(d->mac_ctx, (const uint8_t *)key.ptr,
				    key.len, params) == 1;
}

static bool make_plain(struct weir_digest *d, const char *name)
{
	d->md = crypto.EVP_MD_fetch(NULL, name, NULL);
	d->md_ctx = d->md ? crypto.EVP_MD_CTX_new() : NULL;
	return d->md_ctx &&
		crypto.EVP_DigestInit_ex(d->md_ctx, d->md, NULL) == 1;
}

struct weir_digest *weir_digest_new(enum weir_digest_kind kind, weir_str key,
				    struct weir_error *error)
{
	struct weir_digest *d;

	if (need_crypto(error))
		return NULL;
	d = calloc(1, sizeof(*d));
	if (!d)
		abort();
	if (kinds[kind].hmac ? make_hmac(d, kinds[kind].name, key) :
	    make_plain(d, kinds[kind].name))
		return d;
	weir_digest_free(&d);
	weir_fail(error, NULL, "OpenSSL does not offer %s%s here",
		  kinds[kind].hmac ? "HMAC with " : "", kinds[kind].name);
	return NULL;
}

void weir_digest_free(struct weir_digest **digest)
{
	struct weir_digest *d = *digest;

	if (!d)
		return;
	crypto.EVP_MD_CTX_free(d->md_ctx);
	crypto.EVP_MD_free(d->md);
	crypto.EVP_MAC_CTX_free(d->mac_ctx);
	crypto.EVP_MAC_free(d->mac);
	free(d);
	*digest = NULL;
}

void weir_digest_hex(struct weir_digest *d, weir_str bytes,
		     struct weir_text *out)
{
	uint8_t sum[EVP_MAX_MD_SIZE];
	unsigned int md_len = 0;
	size_t len = 0;
	bool ok;

	if (d->mac_ctx) {	/* no key given: the one it has */
		ok = crypto.EVP_MAC_init(d->mac_ctx, NULL, 0, NULL) == 1 &&
			crypto.EVP_MAC_update(d->mac_ctx,
				(const uint8_t *)bytes.ptr, bytes.len) == 1 &&
			crypto.EVP_MAC_final(d->mac_ctx, sum, &len,
					     sizeof(sum)) == 1;
	} else {
		ok = crypto.EVP_DigestInit_ex(d->md_ctx, NULL, NULL) == 1 &&
			crypto.EVP_DigestUpdate(d->md_ctx, bytes.ptr,
						bytes.len) == 1 &&
			crypto.EVP_DigestFinal_ex(d->md_ctx, sum,
						  &md_len) == 1;
		len = md_len;
	}
	if (ok)
		weir_text_add_hex(out, (weir_str){ (const char *)sum, len });
}
