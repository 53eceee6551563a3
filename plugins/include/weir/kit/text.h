/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.h: small values as people read them.
 */
#ifndef WEIR_KIT_TEXT_H
#define WEIR_KIT_TEXT_H

#include <weir/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_DURATION_TEXT 48	/* bytes that hold any duration */

/* "1h2m3.5s", "983.075947ms", "0s": as Go writes a duration.  Returns out. */
WEIR_API const char *weir_duration_text(weir_duration duration,
					char out[WEIR_DURATION_TEXT]);

#ifdef __cplusplus
}
#endif
#endif
