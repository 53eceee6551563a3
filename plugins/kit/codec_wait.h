/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec_wait.h: requests that wait for the library of their encoding.
 *
 * A peer chooses the encoding, so the first message of one may need a library
 * that is not open yet.  Opening blocks: it goes to the thread pool, and who
 * asked goes on in a later turn.  All calls on the component's thread.
 */
#ifndef KIT_CODEC_WAIT_H
#define KIT_CODEC_WAIT_H

#include <weir/kit/compress.h>
#include <weir/plugin.h>

struct codec_waiter {		/* embedded in who waits, and not moved */
	struct codec_waiter *next;
	/* Once; the library is open, or cannot be. */
	void (*go_on)(struct codec_waiter *waiter, bool open);
};

struct codec_wait {		/* all zero: nobody waits */
	enum weir_encoding encoding;	/* whose library is being opened */
	struct codec_waiter *first, **last;
	bool open;			/* the pool's, until it is done */
};

/* true: go on at once.  false: go_on will be called, before c is destroyed. */
bool codec_wait(struct codec_wait *wait, struct weir_component *c,
		enum weir_encoding encoding, struct codec_waiter *waiter);

#endif
