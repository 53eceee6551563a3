/* SPDX-License-Identifier: Apache-2.0 */
/*
 * console.c: lines on stdout, whose reader may have stopped to read.
 *
 * Holds the line that is being written, and no lock.  It must never let a loop
 * wait: the thread pool writes, as much at a time as a ready pipe takes.
 */
#include "console.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>
#include <weir/kit/otlp_json.h>

/* ms.  The end of the process waits, too. */
#define LONGEST_WAIT INT64_C(2000)

struct print {
	struct weir_text text;
	int patience;			/* ms */
	int failure;			/* errno; 0: written */
	void (*done)(struct weir_component *c, const char *failure);
};

/* On a thread of the pool. */
static int write_all(const char *ptr, size_t len, int patience)
{
	struct pollfd fd = { .fd = STDOUT_FILENO, .events = POLLOUT };

	while (len) {
		int ready = poll(&fd, 1, patience);
		ssize_t n;

		if (!ready)
			return ETIMEDOUT;
		n = ready < 0 ? -1 : write(fd.fd, ptr,
					   len < PIPE_BUF ? len : PIPE_BUF);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return errno;
		if (n > 0) {
			ptr += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

static void print(void *arg)
{
	struct print *print = arg;

	print->failure = write_all(print->text.ptr, print->text.len,
				   print->patience);
}

static void printed(struct weir_component *c, void *arg)
{
	struct print *print = arg;
	int failure = print->failure;
	void (*done)(struct weir_component *, const char *) = print->done;

	weir_text_release(&print->text);
	free(print);
	done(c, failure ? strerror(failure) : NULL);
}

void console_print(struct weir_component *c, const struct weir_slice *request,
		   weir_duration patience,
		   void (*done)(struct weir_component *c, const char *failure))
{
	struct print *work = calloc(1, sizeof(*work));

	if (!work) {
		done(c, strerror(ENOMEM));
		return;
	}
	patience.ns /= 1000000;
	work->patience = (int)(patience.ns < LONGEST_WAIT ? patience.ns
							  : LONGEST_WAIT);
	work->done = done;
	weir_otlp_json_write_slices(WEIR_SIGNAL_METRICS, request, 1,
				    &work->text);
	weir_text_add(&work->text, WEIR_STR("\n"));
	if (!weir_work(c, print, printed, work))
		return;
	weir_text_release(&work->text);
	free(work);
	done(c, "too much else to do");
}
