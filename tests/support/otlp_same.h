/* SPDX-License-Identifier: Apache-2.0 */
/*
 * otlp_same.h: do two requests say the same in OTLP/JSON's eyes?
 *
 * JSON does not tell an absent message from an empty one (but for members of
 * oneofs and elements of lists), an id of zeros from none, or two NaNs.
 */
#ifndef TESTS_OTLP_SAME_H
#define TESTS_OTLP_SAME_H

#include "otlp_gen.h"

/* The request without what JSON cannot tell apart, packed by protobuf-c; ptr
 * NULL when protobuf-c does not take the bytes.  Free it. */
struct otlp_bytes otlp_json_form(enum weir_signal signal, const uint8_t *ptr,
				 size_t len);

#endif
