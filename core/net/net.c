/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net.c: the network of one worker: what happens to all of its streams.
 *
 * Holds the shared read buffer and the lists of streams, of those to flush at
 * the end of the turn, and of connects under way.
 */
#include "net.h"
#include "base/str.h"

#include <stdlib.h>

void net_init(struct worker *worker)
{
	worker->net = xcalloc(1, sizeof(*worker->net));
	worker->net->worker = worker;
}

/* The streams' memory goes when the loop has turned once more. */
void net_release(struct worker *worker)
{
	struct net *net = worker->net;

	if (!net)
		return;
	listen_release(worker);
	connect_forget(net, NULL);
	watch_forget(net, NULL);
	while (net->streams)
		stream_forget(net->streams);
	free(net->buffer);
	free(net);
	worker->net = NULL;
}

/* One by one: a flush may close others, ask for another, or forget streams. */
bool net_flush(struct worker *worker)
{
	struct net *net = worker->net;
	struct weir_stream *stream;

	if (!net || !net->flushes)
		return false;
	while ((stream = net->flushes)) {
		net->flushes = stream->next_flush;
		stream->wants_flush = false;
		if (!stream->closing && stream->ops && stream->ops->flush)
			stream->ops->flush(stream, stream->arg);
	}
	return true;
}

void net_forget(struct weir_component *c)
{
	struct worker *worker = worker_current();
	struct net *net = (worker ? worker : &workers[c->worker])->net;
	struct weir_stream *stream;

	weir_unlisten(c);
	connect_forget(net, c);
	watch_forget(net, c);
	/* `closed` may close others, so look from the start each time. */
	do {
		stream = net->streams;
		while (stream && stream->c != c)
			stream = stream->next;
		if (stream)
			stream_forget(stream);
	} while (stream);
}

size_t net_streams(const struct weir_component *c)
{
	size_t n = 0;

	for (struct weir_stream *s = worker_current()->net->streams; s;
	     s = s->next)
		n += s->c == c && s->accepted && !s->closing;
	return n;
}

void net_pause_all(struct worker *worker, bool paused)
{
	struct net *net = worker->net;

	if (net->paused == paused)
		return;
	net->paused = paused;
	for (struct weir_stream *s = net->streams; s; s = s->next)
		if (s->ops)
			stream_arm(s);
}
