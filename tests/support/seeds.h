/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seeds.h: how many generated messages a test tries.
 *
 * All of them, plain and under AddressSanitizer.  ThreadSanitizer looks for
 * races, of which a test with one thread has none: there a few will do.
 */
#ifndef TESTS_SEEDS_H
#define TESTS_SEEDS_H

#ifdef __SANITIZE_THREAD__
#define SEEDS_OF(n) ((n) / 20)
#else
#define SEEDS_OF(n) (n)
#endif

#endif
