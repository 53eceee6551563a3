/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec_wait.c: see codec_wait.h.
 *
 * There is one such library, so all who wait do so for the same.  Holds them,
 * in the order in which they came.
 */
#include "codec_wait.h"

#include "codec.h"

static void open_library(void *arg)
{
	struct codec_wait *wait = arg;
	struct weir_error error;

	wait->open = !weir_encoding_open(wait->encoding, &error);
}

static void opened(struct weir_component *c, void *arg)
{
	struct codec_wait *wait = arg;
	struct codec_waiter *next, *waiter = wait->first;
	bool open = wait->open;

	(void)c;
	wait->first = NULL;	/* who goes on may bring others */
	for (; waiter; waiter = next) {
		next = waiter->next;
		waiter->go_on(waiter, open);
	}
}

bool codec_wait(struct codec_wait *wait, struct weir_component *c,
		enum weir_encoding encoding, struct codec_waiter *waiter)
{
	if (codec_is_open(encoding))
		return true;
	waiter->next = NULL;
	if (wait->first) {
		*wait->last = waiter;
		wait->last = &waiter->next;
		return false;
	}
	wait->encoding = encoding;
	wait->first = waiter;
	wait->last = &waiter->next;
	if (!weir_work(c, open_library, opened, wait))
		return false;
	wait->first = NULL;	/* the pool is full: here, then */
	return true;
}
