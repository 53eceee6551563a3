/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c: the program is in libweir; this starts it.
 */
#include "cli.h"

int main(int argc, char **argv)
{
	return weir_main(argc, argv);
}
