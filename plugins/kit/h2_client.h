/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2_client.h: the client's side of one HTTP/2 connection, without I/O.
 *
 * Bytes in (h2_client_recv), callbacks, pieces out (h2_client_pieces): bodies
 * are never copied, their slices stand among the frames' own bytes.
 */
#ifndef KIT_H2_CLIENT_H
#define KIT_H2_CLIENT_H

#include <nghttp2/nghttp2.h>
#include <weir/batch.h>
#include <weir/net.h>

/* A request, in its owner's struct.  Its body is a head and slices behind it:
 * the owner fills head, slices, n and left (bytes in all). */
struct h2_request {
	struct weir_slice head;
	const struct weir_slice *slices;
	size_t n;
	size_t left;
	size_t at, done;	/* piece that is next (0: head), bytes of it */
	uint64_t round;		/* the last gather that has some of it */
	int32_t id;
};

struct h2_client_ops {
	/* Of one request; error is HTTP/2's.  closed is the last. */
	void (*header)(struct h2_request *request, weir_str name,
		       weir_str value);
	void (*data)(struct h2_request *request, const uint8_t *data,
		     size_t len);
	void (*closed)(struct h2_request *request, uint32_t error);
	/* Of the connection. */
	void (*ready)(void *arg);	/* the server's SETTINGS came */
	void (*leaving)(void *arg, weir_str debug);	/* GOAWAY */
};

struct h2_client;

/* mem serves the session, NULL: malloc.  NULL: out of memory. */
struct h2_client *h2_client_new(const struct h2_client_ops *ops, void *arg,
				nghttp2_mem *mem);
/* Calls nothing: requests that are left are the owner's.  Leaves NULL. */
void h2_client_free(struct h2_client **h2);

/* request and its body must stay until closed.  -1 when this connection takes
 * no more. */
int h2_client_submit(struct h2_client *h2, const nghttp2_nv *nv, size_t n,
		     struct h2_request *request);
/* RST_STREAM(CANCEL); closed is not called, request and body may go. */
void h2_client_cancel(struct h2_client *h2, struct h2_request *request);
void h2_client_ping(struct h2_client *h2);

/* false: close the connection. */
bool h2_client_recv(struct h2_client *h2, const uint8_t *data, size_t len);
/* What is to be written next, in order, about `most` bytes; *n 0: nothing.
 * The same until h2_client_wrote has said how many bytes of it are gone. */
const struct weir_iovec *h2_client_pieces(struct h2_client *h2, size_t most,
					   size_t *n);
void h2_client_wrote(struct h2_client *h2, size_t bytes);
/* Nothing more to read or write, or out of memory: close. */
bool h2_client_is_done(const struct h2_client *h2);
/* Bytes of bodies that are not in the pieces yet. */
size_t h2_client_owes(const struct h2_client *h2);
/* There may be pieces. */
bool h2_client_wants_write(const struct h2_client *h2);

#endif
