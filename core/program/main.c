/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c: the program is in libweir; this starts it.
 *
 * Here, because it is the process's: what the allocator gives back.  glibc
 * raises its thresholds with every large block that is freed, and then keeps
 * tens of MiB after a burst; fixed ones let RSS follow the byte budget.
 */
#include "cli.h"

#include <malloc.h>

#define GIVE_BACK_FROM (32 << 20)

int main(int argc, char **argv)
{
	mallopt(M_MMAP_THRESHOLD, GIVE_BACK_FROM);
	mallopt(M_TRIM_THRESHOLD, GIVE_BACK_FROM);
	return weir_main(argc, argv);
}
