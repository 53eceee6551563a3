/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2_server.c: the server's side of one HTTP/2 connection, on nghttp2.
 *
 * Holds the session, what the session has framed and nobody fetched yet, and
 * three budgets against floods: streams that were reset (by either side),
 * frames that carry nothing, and pings.  Must never do I/O, and never let a
 * client make it keep more than its limits say.
 */
#include "h2_server.h"

#include <stdlib.h>

/* Flow control: a whole message fits, so that WINDOW_UPDATE is rare. */
#define STREAM_WINDOW (8 << 20)
#define CONNECTION_WINDOW (16 << 20)
#define FRAME_SIZE (1 << 20)
#define HEADER_FRAME (16 << 10)		/* one of these may have */
#define HEADER_LIST (16 << 10)		/* advertised; over it the call fails */
#define HEADER_FLOOD (64 << 10)		/* over it the connection ends */
#define CONTINUATIONS 8
#define QUEUED_ACKS 1000
#define SETTINGS_ENTRIES 32
#define SETTINGS_FRAME 64		/* room for our one SETTINGS frame */
#define FIRST_UNKNOWN 0x0a		/* type of a frame */
#define RESETS 100			/* a minute */
#define EMPTY_FRAMES 1000		/* a minute; useful ones pay back */
#define PING_STRIKES 2
#define REMEMBERED 32		/* ids that nghttp2 surely still knows */
#define MINUTE 60000000000
#define IDLE_PING (120 * MINUTE)	/* without a stream, not permitted */

/* Tokens that come back evenly over a minute. */
struct budget {
	uint64_t at;		/* when the last whole token came back */
	uint32_t used;
};

struct h2_server {
	nghttp2_session *session;
	const struct h2_server_ops *ops;
	void *arg;
	struct h2_server_limits limits;
	uint64_t now;		/* of the bytes being read */

	int32_t highest;	/* id that the client has used */
	int32_t id;		/* the stream looked up last, and what it is */
	void *stream;
	size_t header_bytes;	/* decoded, of the block being read */

	const uint8_t *framed;	/* session's, valid until it frames the next */
	size_t framed_len;
	uint8_t greeting[SETTINGS_FRAME];	/* the first frame */
	bool greeted;

	struct budget resets, empties;
	uint64_t pinged;	/* when the client did last */
	uint32_t strikes;
	uint32_t streams;	/* open ones that have an owner */
	bool ready, finished, broken;
};

static bool spend(struct budget *b, uint64_t now, uint32_t a_minute)
{
	uint64_t each = MINUTE / a_minute, back = (now - b->at) / each;

	if (back >= b->used) {
		b->used = 0;
		b->at = now;
	} else {
		b->used -= (uint32_t)back;
		b->at += back * each;
	}
	return ++b->used <= a_minute;
}

void h2_server_finish(struct h2_server *h2, uint32_t error, const char *debug)
{
	int32_t last = nghttp2_session_get_last_proc_stream_id(h2->session);

	if (h2->finished)
		return;
	h2->finished = true;
	nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE, last, error,
			      (const uint8_t *)debug, strlen(debug));
}

/* The result of a callback that ends the connection. */
static int give_up(struct h2_server *h2, uint32_t error, const char *debug)
{
	h2_server_finish(h2, error, debug);
	return NGHTTP2_ERR_CALLBACK_FAILURE;
}

/* ... that has seen enough of this client. */
static int punish(struct h2_server *h2, const char *debug)
{
	return give_up(h2, NGHTTP2_ENHANCE_YOUR_CALM, debug);
}

/* --- nghttp2's callbacks ------------------------------------------------ */

/* Frames of one stream come in a row: remember the last look-up. */
static void *find(struct h2_server *h2, int32_t id)
{
	if (h2->id != id) {
		h2->stream = nghttp2_session_get_stream_user_data(h2->session,
								  id);
		h2->id = id;
	}
	return h2->stream;
}

/* What nghttp2 would let pass.  Our frame size is for bodies: a block of
 * headers that large breaks the limit on their list.  An id that was passed
 * over cannot be used any more (RFC 9113 5.1.1); one that was used long ago may
 * still come from a client that has not heard of a reset. */
static int on_begin_frame(nghttp2_session *session,
			  const nghttp2_frame_hd *hd, void *arg)
{
	struct h2_server *h2 = arg;

	/* Those for streams that are gone get no further callback. */
	if ((hd->type == NGHTTP2_PRIORITY ||
	     hd->type == NGHTTP2_WINDOW_UPDATE ||
	     (hd->type == NGHTTP2_HEADERS && hd->stream_id <= h2->highest)) &&
	    !spend(&h2->empties, h2->now, EMPTY_FRAMES))
		return punish(h2, "too_many_frames");
	if (hd->type != NGHTTP2_HEADERS && hd->type != NGHTTP2_CONTINUATION)
		return 0;
	if (hd->length > HEADER_FRAME)
		return give_up(h2, NGHTTP2_FRAME_SIZE_ERROR,
			       "too many headers in a frame");
	if (hd->stream_id < h2->highest &&
	    hd->stream_id > h2->highest - REMEMBERED &&
	    !nghttp2_session_find_stream(session, hd->stream_id))
		return give_up(h2, NGHTTP2_PROTOCOL_ERROR,
			       "stream id goes back");
	return 0;
}

/* A frame of a type that we do not know has no payload for us, but counts. */
static int unpack_unknown(nghttp2_session *session, void **payload,
			  const nghttp2_frame_hd *hd, void *arg)
{
	(void)session, (void)payload, (void)hd, (void)arg;
	return 0;
}

static int on_begin_headers(nghttp2_session *session,
			    const nghttp2_frame *frame, void *arg)
{
	struct h2_server *h2 = arg;
	int32_t id = frame->hd.stream_id;

	h2->header_bytes = 0;
	if (frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	h2->id = h2->highest = id;
	h2->stream = h2->ops->begin(h2->arg, id);
	if (!h2->stream) {
		h2_server_reset(h2, id, NGHTTP2_REFUSED_STREAM);
		return 0;
	}
	h2->streams++;
	nghttp2_session_set_stream_user_data(session, id, h2->stream);
	return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame,
		     const uint8_t *name, size_t name_len, const uint8_t *value,
		     size_t value_len, uint8_t flags, void *arg)
{
	struct h2_server *h2 = arg;
	void *stream = find(h2, frame->hd.stream_id);

	(void)session, (void)flags;
	h2->header_bytes += name_len + value_len + 32;	/* RFC 9113 6.5.2 */
	if (h2->header_bytes > HEADER_FLOOD)
		return punish(h2, "too_many_headers");
	if (stream && frame->headers.cat == NGHTTP2_HCAT_REQUEST &&
	    h2->header_bytes <= HEADER_LIST)
		h2->ops->header(h2->arg, stream,
				(weir_str){ (const char *)name, name_len },
				(weir_str){ (const char *)value, value_len });
	return 0;
}

/* More than two pings that come too early, and none of ours between. */
static int on_ping(struct h2_server *h2)
{
	bool quiet = !h2->streams && !h2->limits.ping_without_stream;
	uint64_t least = quiet ? IDLE_PING : (uint64_t)h2->limits.min_ping.ns;

	if (h2->pinged && h2->now - h2->pinged < least &&
	    ++h2->strikes > PING_STRIKES)
		return punish(h2, "too_many_pings");
	h2->pinged = h2->now;
	return 0;
}

static int on_request_frame(struct h2_server *h2, const nghttp2_frame *frame)
{
	void *stream = find(h2, frame->hd.stream_id);
	bool end = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;

	if (stream && frame->hd.type == NGHTTP2_HEADERS &&
	    frame->headers.cat == NGHTTP2_HCAT_REQUEST)
		h2->ops->headers(h2->arg, stream, h2->header_bytes);
	/* What refused the request may have taken the stream away. */
	if (end && find(h2, frame->hd.stream_id))
		h2->ops->end(h2->arg, h2->stream);
	if (end || frame->hd.length)
		h2->empties.used -= h2->empties.used != 0;
	else if (!spend(&h2->empties, h2->now, EMPTY_FRAMES))
		return punish(h2, "too_many_frames");
	return 0;
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame,
			 void *arg)
{
	struct h2_server *h2 = arg;

	(void)session;
	switch (frame->hd.type) {
	case NGHTTP2_DATA:
	case NGHTTP2_HEADERS:
		return on_request_frame(h2, frame);
	case NGHTTP2_RST_STREAM:
		if (!spend(&h2->resets, h2->now, RESETS))
			return punish(h2, "too_many_resets");
		return 0;
	case NGHTTP2_PING:
		if (frame->hd.flags & NGHTTP2_FLAG_ACK)
			h2->ops->pong(h2->arg);
		else if (on_ping(h2))
			return NGHTTP2_ERR_CALLBACK_FAILURE;
		break;
	case NGHTTP2_SETTINGS:
		h2->ready = true;
		break;
	case NGHTTP2_PRIORITY:
	case NGHTTP2_WINDOW_UPDATE:
		return 0;		/* on_begin_frame has counted them */
	}
	if (!spend(&h2->empties, h2->now, EMPTY_FRAMES))
		return punish(h2, "too_many_frames");
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id,
		   const uint8_t *data, size_t len, void *arg)
{
	struct h2_server *h2 = arg;
	void *stream = find(h2, id);

	(void)session, (void)flags;
	if (stream)
		h2->ops->data(h2->arg, stream, data, len);
	return 0;
}

/* An answer before the request has ended: tell the client to stop sending
 * (RFC 9113 8.1).  Only now: a reset that is queued would overtake it. */
static void after_answer(struct h2_server *h2, const nghttp2_frame *frame)
{
	int32_t id = frame->hd.stream_id;

	if (frame->hd.flags & NGHTTP2_FLAG_END_STREAM &&
	    !nghttp2_session_get_stream_remote_close(h2->session, id))
		h2_server_reset(h2, id, NGHTTP2_NO_ERROR);
}

/* "MadeYouReset": resets that a client provokes count like its own.  Not
 * those after an early answer (NO_ERROR). */
static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame,
			 void *arg)
{
	struct h2_server *h2 = arg;

	(void)session;
	if (frame->hd.type == NGHTTP2_DATA ||
	    frame->hd.type == NGHTTP2_HEADERS) {
		h2->strikes = 0, h2->pinged = 0;
		if (frame->hd.type == NGHTTP2_HEADERS || !h2->limits.patient)
			after_answer(h2, frame);
	} else if (frame->hd.type == NGHTTP2_RST_STREAM &&
		   frame->rst_stream.error_code != NGHTTP2_NO_ERROR &&
		   !spend(&h2->resets, h2->now, RESETS))
		h2_server_finish(h2, NGHTTP2_ENHANCE_YOUR_CALM,
				 "too_many_resets");
	return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id,
			   uint32_t error, void *arg)
{
	struct h2_server *h2 = arg;
	void *stream = find(h2, id);

	(void)session, (void)error;
	if (stream) {
		h2->streams--;
		h2->stream = NULL;
		h2->ops->closed(h2->arg, stream);
	}
	h2->id = 0;
	return 0;
}

/* --- Making one --------------------------------------------------------- */

static nghttp2_session_callbacks *new_callbacks(void)
{
	nghttp2_session_callbacks *cb;

	if (nghttp2_session_callbacks_new(&cb))
		return NULL;
	nghttp2_session_callbacks_set_on_begin_frame_callback(cb,
							      on_begin_frame);
	nghttp2_session_callbacks_set_unpack_extension_callback(cb,
								unpack_unknown);
	nghttp2_session_callbacks_set_on_begin_headers_callback(
		cb, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame_recv);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
	nghttp2_session_callbacks_set_on_frame_send_callback(cb, on_frame_send);
	nghttp2_session_callbacks_set_on_stream_close_callback(cb,
							       on_stream_close);
	return cb;
}

/* The library's own guards lie behind ours: they end a connection with a
 * less telling code.  It keeps the last streams after their end (as many as
 * may be open), to tell a frame that comes too late from one that must not
 * come (RFC 9113 5.1, "closed"), and heeds PRIORITY for its errors. */
static nghttp2_option *new_options(void)
{
	nghttp2_option *option;

	if (nghttp2_option_new(&option))
		return NULL;
	nghttp2_option_set_max_outbound_ack(option, QUEUED_ACKS);
	nghttp2_option_set_max_settings(option, SETTINGS_ENTRIES);
	nghttp2_option_set_max_continuations(option, CONTINUATIONS);
	nghttp2_option_set_stream_reset_rate_limit(option, 10 * RESETS, RESETS);
	for (int type = FIRST_UNKNOWN; type < 256; type++)
		nghttp2_option_set_user_recv_extension_type(option,
							    (uint8_t)type);
	return option;
}

static int submit_settings(struct h2_server *h2)
{
	const nghttp2_settings_entry settings[] = {
		/* First: greet() puts what the client gets to see here. */
		{ NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
		  h2->limits.max_streams + RESETS },
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW },
		{ NGHTTP2_SETTINGS_MAX_FRAME_SIZE, FRAME_SIZE },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HEADER_LIST },
	};

	if (nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, settings,
				    sizeof(settings) / sizeof(*settings)))
		return -1;
	return nghttp2_session_set_local_window_size(h2->session,
		NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW);
}

struct h2_server *h2_server_new(const struct h2_server_limits *limits,
				const struct h2_server_ops *ops, void *arg,
				nghttp2_mem *mem)
{
	struct h2_server *h2 = calloc(1, sizeof(*h2));
	nghttp2_session_callbacks *callbacks = new_callbacks();
	nghttp2_option *option = new_options();

	if (h2 && callbacks && option) {
		*h2 = (struct h2_server){ .ops = ops, .arg = arg,
					  .limits = *limits };
		nghttp2_session_server_new3(&h2->session, callbacks, h2,
					    option, mem);
	}
	nghttp2_session_callbacks_del(callbacks);
	nghttp2_option_del(option);
	if (h2 && (!h2->session || submit_settings(h2)))
		h2_server_free(&h2);
	return h2;
}

void h2_server_free(struct h2_server **h2)
{
	if (*h2)
		nghttp2_session_del((*h2)->session);
	free(*h2);
	*h2 = NULL;
}

/* --- Bytes -------------------------------------------------------------- */

static uint32_t error_of(ssize_t rc)
{
	switch (rc) {
	case NGHTTP2_ERR_FLOODED:
	case NGHTTP2_ERR_TOO_MANY_CONTINUATIONS:
	case NGHTTP2_ERR_TOO_MANY_SETTINGS:
		return NGHTTP2_ENHANCE_YOUR_CALM;
	case NGHTTP2_ERR_NOMEM:
		return NGHTTP2_INTERNAL_ERROR;
	default:
		return NGHTTP2_PROTOCOL_ERROR;
	}
}

bool h2_server_recv(struct h2_server *h2, const uint8_t *data, size_t len,
		    uint64_t now)
{
	ssize_t n;

	h2->now = now;
	n = nghttp2_session_mem_recv(h2->session, data, len);
	if (n < 0)
		h2_server_finish(h2, error_of(n), "");
	return n >= 0;
}

/* One stream too many is to be refused (RFC 9113 5.1.2), but nghttp2 ends the
 * connection.  So the session allows some more than the client is told, and
 * the owner's begin says no. */
static void greet(struct h2_server *h2)
{
	uint8_t *value = h2->greeting + 9 + 2;
	uint32_t most = h2->limits.max_streams;

	h2->greeted = true;
	if (h2->framed_len > sizeof(h2->greeting) || h2->framed_len < 9 + 6) {
		h2->broken = true;
		return;
	}
	memcpy(h2->greeting, h2->framed, h2->framed_len);
	h2->framed = h2->greeting;
	value[0] = (uint8_t)(most >> 24);
	value[1] = (uint8_t)(most >> 16);
	value[2] = (uint8_t)(most >> 8);
	value[3] = (uint8_t)most;
}

size_t h2_server_fill(struct h2_server *h2, uint8_t *out, size_t room)
{
	size_t len = 0;

	for (;;) {
		size_t n = h2->framed_len;

		if (n > room - len)
			n = room - len;
		if (n) {
			memcpy(out + len, h2->framed, n);
			len += n;
			h2->framed += n;
			h2->framed_len -= n;
		}
		if (h2->framed_len)
			return len;
		ssize_t more = nghttp2_session_mem_send(h2->session,
							&h2->framed);
		h2->broken |= more < 0;
		if (more <= 0)
			return len;
		h2->framed_len = (size_t)more;
		if (!h2->greeted)
			greet(h2);
	}
}

bool h2_server_is_done(struct h2_server *h2)
{
	if (h2->broken)
		return true;
	return !h2->framed_len && !nghttp2_session_want_read(h2->session) &&
	       !nghttp2_session_want_write(h2->session);
}

bool h2_server_is_ready(const struct h2_server *h2)
{
	return h2->ready;
}

void h2_server_respond(struct h2_server *h2, int32_t id, const nghttp2_nv *nv,
		       size_t n, const nghttp2_data_provider *body)
{
	if (nghttp2_submit_response(h2->session, id, nv, n, body))
		h2->broken = true;
}

void h2_server_inform(struct h2_server *h2, int32_t id, const char *status)
{
	const nghttp2_nv nv = { (uint8_t *)":status", (uint8_t *)status, 7,
				strlen(status), NGHTTP2_NV_FLAG_NONE };

	if (nghttp2_submit_headers(h2->session, NGHTTP2_FLAG_NONE, id, NULL,
				   &nv, 1, NULL) < 0)
		h2->broken = true;
}

void h2_server_reset(struct h2_server *h2, int32_t id, uint32_t error)
{
	nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, id, error);
}

void h2_server_ping(struct h2_server *h2)
{
	nghttp2_submit_ping(h2->session, NGHTTP2_FLAG_NONE, NULL);
}

void h2_server_notice(struct h2_server *h2)
{
	nghttp2_submit_shutdown_notice(h2->session);
	h2_server_ping(h2);
}
