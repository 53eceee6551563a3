/* SPDX-License-Identifier: Apache-2.0 */
/* notes.c: the list of notes gives its memory back.  The walk fills it. */
#include "notes.h"

#include <stdlib.h>

void notes_release(struct notes *notes)
{
	free(notes->v);
	*notes = (struct notes){ 0 };
}
