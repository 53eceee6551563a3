/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mail.h: the node of a worker's mailbox.  What is sent embeds it, so sending
 * needs no memory and cannot fail.
 */
#ifndef CORE_MAIL_H
#define CORE_MAIL_H

struct mail {
	struct mail *next;
	void (*deliver)(struct mail *mail);
};

#endif
