/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash.c: a hash that a peer cannot aim at: SipHash-1-3 under a key of this
 * process.  Holds the key.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include <weir/base.h>

static uint64_t key[2];
static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static _Atomic bool has_key;	/* saves most calls pthread_once */

static void make_key(void)
{
	key[0] = weir_random();
	key[1] = weir_random();
	atomic_store_explicit(&has_key, true, memory_order_release);
}

static inline uint64_t rotate(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

struct sip {
	uint64_t a, b, c, d;
};

static inline void sip_round(struct sip *s)
{
	s->a += s->b, s->b = rotate(s->b, 13) ^ s->a, s->a = rotate(s->a, 32);
	s->c += s->d, s->d = rotate(s->d, 16) ^ s->c;
	s->a += s->d, s->d = rotate(s->d, 21) ^ s->a;
	s->c += s->b, s->b = rotate(s->b, 17) ^ s->c, s->c = rotate(s->c, 32);
}

static inline void sip_word(struct sip *s, uint64_t word)
{
	s->d ^= word;
	sip_round(s);
	s->a ^= word;
}

uint64_t weir_hash(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint64_t word, last = (uint64_t)len << 56;
	struct sip s;

	if (!atomic_load_explicit(&has_key, memory_order_acquire))
		pthread_once(&key_once, make_key);
	s = (struct sip){ key[0] ^ UINT64_C(0x736f6d6570736575),
			  key[1] ^ UINT64_C(0x646f72616e646f6d),
			  key[0] ^ UINT64_C(0x6c7967656e657261),
			  key[1] ^ UINT64_C(0x7465646279746573) };
	for (; len >= 8; len -= 8, p += 8) {
		memcpy(&word, p, 8);
		sip_word(&s, word);
	}
	for (size_t i = 0; i < len; i++)
		last |= (uint64_t)p[i] << 8 * i;
	sip_word(&s, last);
	s.c ^= 0xff;
	sip_round(&s);
	sip_round(&s);
	sip_round(&s);
	return s.a ^ s.b ^ s.c ^ s.d;
}
