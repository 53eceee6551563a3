/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compress_thread.c: a thread's decoders.
 *
 * They are large and have no message of their own between two calls, so the
 * components of a thread share them.  Holds them until the thread ends.
 */
#include "codec.h"

#include <libdeflate.h>
#include <pthread.h>
#include <zstd.h>

static pthread_key_t key;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;

static void free_decoders(void *arg)
{
	struct decoders *decoders = arg;

	if (decoders->deflate)
		libdeflate_free_decompressor(decoders->deflate);
	ZSTD_freeDCtx(decoders->zstd);
	free(decoders);
}

static void make_key(void)
{
	pthread_key_create(&key, free_decoders);
}

/* The main thread ends without destructors. */
__attribute__((destructor)) static void free_last(void)
{
	pthread_once(&key_once, make_key);
	struct decoders *decoders = pthread_getspecific(key);

	pthread_setspecific(key, NULL);
	if (decoders)
		free_decoders(decoders);
}

struct decoders *decoders_get(void)
{
	struct decoders *decoders;

	pthread_once(&key_once, make_key);
	decoders = pthread_getspecific(key);
	if (!decoders) {
		decoders = calloc(1, sizeof(*decoders));
		if (decoders && pthread_setspecific(key, decoders)) {
			free(decoders);
			decoders = NULL;
		}
	}
	return decoders;
}
