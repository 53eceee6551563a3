/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2_client.c: the client's side of one HTTP/2 connection, on nghttp2.
 *
 * Holds the session and one *gather*: frames of the session's own, copied into
 * its text, and slices of bodies, by pointer, in the order of the wire.
 *
 *	text  [HEADERS][DATA: 9 bytes]            [DATA: 9 bytes]
 *	iov    ------------------------|slice|slice|--------------|slice|...
 *
 * A gather is written whole before the next is made.  When a body goes while
 * parts of it still wait there, what waits is copied.  Must never do I/O, and
 * never trust a reply more than a request.
 */
#include "h2_client.h"

#include <stdlib.h>

#define STREAM_WINDOW (4 << 20)
#define CONNECTION_WINDOW (8 << 20)
#define HEADER_LIST (16 << 10)
#define HEADER_FLOOD (64 << 10)
#define CONTINUATIONS 8
#define QUEUED_ACKS 1000
#define SETTINGS_ENTRIES 32

#define FRAME_MOST (256 << 10)		/* bytes of DATA in one frame */
#define FRAME_PIECES 128		/* slices in one frame */
#define IOV_ROOM (3 * FRAME_PIECES)
#define TEXT_ROOM (64 << 10)
#define TEXT_FRAME (18 << 10)		/* no frame of the session is larger */
#define GATHER_MOST (1 << 20)

struct h2_client {
	nghttp2_session *session;
	const struct h2_client_ops *ops;
	void *arg;
	bool ready, broken;
	size_t header_bytes;
	int32_t id;			/* the stream looked up last */
	struct h2_request *request;

	struct weir_iovec iov[IOV_ROOM];
	size_t first, n;		/* iov[first..n) waits */
	size_t owed;			/* of bodies, not gathered yet */
	size_t bytes, most;		/* gathered in this round */
	size_t text_len;
	uint64_t round;			/* the gather's number */
	uint8_t *kept;			/* copy of a gather, or NULL */
	uint8_t text[TEXT_ROOM];
};

/* --- The gather --------------------------------------------------------- */

static void add_piece(struct h2_client *h2, const uint8_t *ptr, size_t len)
{
	struct weir_iovec *last = &h2->iov[h2->n - (h2->n > h2->first)];

	h2->bytes += len;
	if (h2->n > h2->first && (const uint8_t *)last->ptr + last->len == ptr)
		last->len += len;
	else
		h2->iov[h2->n++] = (struct weir_iovec){ ptr, len };
}

static void add_text(struct h2_client *h2, const uint8_t *bytes, size_t len)
{
	memcpy(h2->text + h2->text_len, bytes, len);
	add_piece(h2, h2->text + h2->text_len, len);
	h2->text_len += len;
}

/* One more frame of any kind fits. */
static bool has_room(const struct h2_client *h2)
{
	return h2->bytes < h2->most &&
	       TEXT_ROOM - h2->text_len >= TEXT_FRAME &&
	       IOV_ROOM - h2->n > FRAME_PIECES + 1;
}

static struct weir_slice piece_of(const struct h2_request *r, size_t at)
{
	return at ? r->slices[at - 1] : r->head;
}

/* Moves len bytes of the body into the gather. */
static void add_body(struct h2_client *h2, struct h2_request *r, size_t len)
{
	r->round = h2->round;
	h2->owed -= len;
	while (len) {
		struct weir_slice piece = piece_of(r, r->at);
		size_t n = piece.len - r->done;

		if (n > len)
			n = len;
		if (n)
			add_piece(h2, piece.ptr + r->done, n);
		r->done += n;
		r->left -= n;
		len -= n;
		if (r->done == piece.len) {
			r->at++;
			r->done = 0;
		}
	}
}

/* The request goes: if parts of it wait, copies all that waits. */
static void keep(struct h2_client *h2, const struct h2_request *r)
{
	size_t len = 0;
	uint8_t *copy;

	if (r->round != h2->round)
		return;
	h2->round++;		/* from here on, nobody's */
	for (size_t i = h2->first; i < h2->n; i++)
		len += h2->iov[i].len;
	if (!len)
		return;
	copy = malloc(len);
	if (!copy) {
		h2->broken = true;
		h2->first = h2->n = 0;
		return;
	}
	len = 0;
	for (size_t i = h2->first; i < h2->n; i++) {
		memcpy(copy + len, h2->iov[i].ptr, h2->iov[i].len);
		len += h2->iov[i].len;
	}
	free(h2->kept);
	h2->kept = copy;
	h2->iov[0] = (struct weir_iovec){ copy, len };
	h2->first = 0;
	h2->n = 1;
}

const struct weir_iovec *h2_client_pieces(struct h2_client *h2,
					   size_t most, size_t *n)
{
	const uint8_t *frame;

	if (h2->first == h2->n) {
		h2->first = h2->n = h2->bytes = h2->text_len = 0;
		h2->most = most < GATHER_MOST ? most : GATHER_MOST;
		h2->round++;
		free(h2->kept);
		h2->kept = NULL;
		while (has_room(h2) && !h2->broken) {
			ssize_t len = nghttp2_session_mem_send(h2->session,
							       &frame);

			h2->broken |= len < 0;
			if (len <= 0)
				break;
			add_text(h2, frame, (size_t)len);
		}
	}
	*n = h2->n - h2->first;
	return h2->iov + h2->first;
}

void h2_client_wrote(struct h2_client *h2, size_t bytes)
{
	while (bytes) {
		struct weir_iovec *iov = &h2->iov[h2->first];
		size_t n = bytes < iov->len ? bytes : iov->len;

		iov->ptr = (const uint8_t *)iov->ptr + n;
		iov->len -= n;
		bytes -= n;
		if (!iov->len)
			h2->first++;
	}
}

/* --- nghttp2's callbacks ------------------------------------------------ */

static struct h2_request *find(struct h2_client *h2, int32_t id)
{
	if (h2->id != id) {
		h2->request = nghttp2_session_get_stream_user_data(h2->session,
								   id);
		h2->id = id;
	}
	return h2->request;
}

/* As much as goes into one frame, in not too many pieces. */
static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *out,
			 size_t room, uint32_t *flags,
			 nghttp2_data_source *source, void *arg)
{
	const struct h2_request *r = source->ptr;
	size_t len = 0, skip = r->done;

	(void)session, (void)id, (void)out, (void)arg;
	for (size_t i = r->at; len < room && i <= r->n &&
	     i - r->at < FRAME_PIECES; i++) {
		len += piece_of(r, i).len - skip;
		skip = 0;
	}
	if (len > room)
		len = room;
	*flags = NGHTTP2_DATA_FLAG_NO_COPY;
	if (len == r->left)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)len;
}

static ssize_t read_length(nghttp2_session *session, uint8_t type, int32_t id,
			   int32_t session_window, int32_t stream_window,
			   uint32_t max_frame, void *arg)
{
	(void)session, (void)type, (void)id, (void)arg;
	(void)session_window, (void)stream_window;
	return max_frame < FRAME_MOST ? max_frame : FRAME_MOST;
}

/* One call of mem_send may bring many DATA frames, so room is looked for here
 * too; a frame that finds none comes again. */
static int send_data(nghttp2_session *session, nghttp2_frame *frame,
		     const uint8_t *head, size_t len,
		     nghttp2_data_source *source, void *arg)
{
	struct h2_client *h2 = arg;

	(void)session, (void)frame;
	if (!has_room(h2))
		return NGHTTP2_ERR_WOULDBLOCK;
	add_text(h2, head, 9);		/* never padded */
	add_body(h2, source->ptr, len);
	return 0;
}

static int on_begin_headers(nghttp2_session *session,
			    const nghttp2_frame *frame, void *arg)
{
	struct h2_client *h2 = arg;

	(void)session, (void)frame;
	h2->header_bytes = 0;
	return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame,
		     const uint8_t *name, size_t name_len, const uint8_t *value,
		     size_t value_len, uint8_t flags, void *arg)
{
	struct h2_client *h2 = arg;
	struct h2_request *request = find(h2, frame->hd.stream_id);

	(void)session, (void)flags;
	h2->header_bytes += name_len + value_len + 32;
	if (h2->header_bytes > HEADER_FLOOD)
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	if (request && h2->header_bytes <= HEADER_LIST)
		h2->ops->header(request,
				(weir_str){ (const char *)name, name_len },
				(weir_str){ (const char *)value, value_len });
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id,
		   const uint8_t *data, size_t len, void *arg)
{
	struct h2_client *h2 = arg;
	struct h2_request *request = find(h2, id);

	(void)session, (void)flags;
	if (request)
		h2->ops->data(request, data, len);
	return 0;
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame,
			 void *arg)
{
	struct h2_client *h2 = arg;

	(void)session;
	if (frame->hd.type == NGHTTP2_SETTINGS && !h2->ready) {
		h2->ready = true;
		h2->ops->ready(h2->arg);
	} else if (frame->hd.type == NGHTTP2_GOAWAY) {
		h2->ops->leaving(h2->arg, (weir_str){
			(const char *)frame->goaway.opaque_data,
			frame->goaway.opaque_data_len });
	}
	return 0;
}

/* Parts of the body may still wait: a stream can end before it is sent. */
static int on_stream_close(nghttp2_session *session, int32_t id,
			   uint32_t error, void *arg)
{
	struct h2_client *h2 = arg;
	struct h2_request *request = find(h2, id);

	(void)session;
	h2->id = 0;
	h2->request = NULL;
	if (!request)
		return 0;
	h2->owed -= request->left;
	keep(h2, request);
	h2->ops->closed(request, error);
	return 0;
}

/* --- Making one --------------------------------------------------------- */

static nghttp2_session_callbacks *new_callbacks(void)
{
	nghttp2_session_callbacks *cb;

	if (nghttp2_session_callbacks_new(&cb))
		return NULL;
	nghttp2_session_callbacks_set_on_begin_headers_callback(
		cb, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame_recv);
	nghttp2_session_callbacks_set_on_stream_close_callback(cb,
							       on_stream_close);
	nghttp2_session_callbacks_set_send_data_callback(cb, send_data);
	nghttp2_session_callbacks_set_data_source_read_length_callback(
		cb, read_length);
	return cb;
}

static nghttp2_option *new_options(void)
{
	nghttp2_option *option;

	if (nghttp2_option_new(&option))
		return NULL;
	nghttp2_option_set_no_closed_streams(option, 1);
	nghttp2_option_set_max_outbound_ack(option, QUEUED_ACKS);
	nghttp2_option_set_max_settings(option, SETTINGS_ENTRIES);
	nghttp2_option_set_max_continuations(option, CONTINUATIONS);
	return option;
}

static int submit_settings(struct h2_client *h2)
{
	const nghttp2_settings_entry settings[] = {
		{ NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HEADER_LIST },
	};

	if (nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, settings,
				    sizeof(settings) / sizeof(*settings)))
		return -1;
	return nghttp2_session_set_local_window_size(h2->session,
		NGHTTP2_FLAG_NONE, 0, CONNECTION_WINDOW);
}

struct h2_client *h2_client_new(const struct h2_client_ops *ops, void *arg,
				nghttp2_mem *mem)
{
	struct h2_client *h2 = calloc(1, sizeof(*h2));
	nghttp2_session_callbacks *callbacks = new_callbacks();
	nghttp2_option *option = new_options();

	if (h2 && callbacks && option) {
		h2->ops = ops;
		h2->arg = arg;
		h2->round = 1;
		nghttp2_session_client_new3(&h2->session, callbacks, h2,
					    option, mem);
	}
	nghttp2_session_callbacks_del(callbacks);
	nghttp2_option_del(option);
	if (h2 && (!h2->session || submit_settings(h2)))
		h2_client_free(&h2);
	return h2;
}

void h2_client_free(struct h2_client **h2)
{
	if (*h2) {
		nghttp2_session_del((*h2)->session);
		free((*h2)->kept);
	}
	free(*h2);
	*h2 = NULL;
}

/* --- Requests and bytes ------------------------------------------------- */

int h2_client_submit(struct h2_client *h2, const nghttp2_nv *nv, size_t n,
		     struct h2_request *request)
{
	const nghttp2_data_provider body = { { .ptr = request }, read_body };

	request->id = nghttp2_submit_request(h2->session, NULL, nv, n, &body,
					     request);
	if (request->id < 0)
		return -1;
	h2->owed += request->left;
	return 0;
}

void h2_client_cancel(struct h2_client *h2, struct h2_request *request)
{
	nghttp2_session_set_stream_user_data(h2->session, request->id, NULL);
	if (h2->id == request->id)
		h2->request = NULL;
	h2->owed -= request->left;
	keep(h2, request);
	if (nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE,
				      request->id, NGHTTP2_CANCEL))
		h2->broken = true;
}

void h2_client_ping(struct h2_client *h2)
{
	nghttp2_submit_ping(h2->session, NGHTTP2_FLAG_NONE, NULL);
}

bool h2_client_recv(struct h2_client *h2, const uint8_t *data, size_t len)
{
	return nghttp2_session_mem_recv(h2->session, data, len) >= 0 &&
	       !h2->broken;
}

bool h2_client_is_done(const struct h2_client *h2)
{
	if (h2->broken)
		return true;
	return h2->first == h2->n && !nghttp2_session_want_read(h2->session) &&
	       !nghttp2_session_want_write(h2->session);
}

size_t h2_client_owes(const struct h2_client *h2)
{
	return h2->owed;
}

bool h2_client_wants_write(const struct h2_client *h2)
{
	return h2->first < h2->n || nghttp2_session_want_write(h2->session);
}
