/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credits.h: the process's pools, as core makes and frees them.
 */
#ifndef CORE_CREDITS_H
#define CORE_CREDITS_H

#include <weir/credits.h>

/* Frees every pool; no component is left. */
void credits_release(void);

#endif
