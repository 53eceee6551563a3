/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_http_server: any bytes on the HTTP server's port, either protocol.
 *
 * A real stream on one end of a socket pair, a worker and a clock of the test.
 * The first bytes: what stands before the input (nothing, the preface of
 * HTTP/2, a request of it), how the server is configured, where the bytes are
 * cut, whether answers come late, whether the peer goes, whether the server is
 * stopped.  Every exchange that a handler got is answered; nothing stays charged.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http_conn.h"
#include "net/net.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_BODY 4096
#define MAX_HELD 1024

enum { FLAG_H2 = 1, FLAG_CALL = 2, FLAG_METADATA = 4, FLAG_CORS = 8,
       FLAG_LATE = 16, FLAG_GONE = 32, FLAG_STOP = 64, FLAG_RAW = 128 };

static const uint8_t preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	"\0\0\0\4\0\0\0\0\0";

/* :method POST, :scheme http, :path /x, :authority x, content-encoding gzip,
 * origin a; stream 1. */
static const uint8_t call[] = "\0\0\x1c\1\4\0\0\0\1\x83\x86\x04\x02/x\x01\x01x"
	"\x0f\x0b\x04gzip" "\x00\x06origin\x01" "a";

static struct worker worker;
static struct weir_component c = { .id = "x" };
static struct weir_http_exchange *held[MAX_HELD];
static size_t n_held;
static bool late;

static void answer(struct weir_http_exchange *x, bool good)
{
	struct weir_outcome no;

	weir_outcome_set(&no, WEIR_UNAVAILABLE, WEIR_REASON_FULL, "\"x\"");
	if (good)
		weir_http_respond(x, 200, "text/plain", "X-Y: z\r\n",
				  weir_http_body(x));
	else
		weir_http_fail(x, &no);
}

static void handle(struct weir_component *who, struct weir_http_exchange *x,
		   void *arg)
{
	weir_str value;

	(void)who, (void)arg;
	if (weir_http_body(x).len > MAX_BODY)
		abort();
	if (weir_http_path(x).ptr[0] != '/' && weir_http_path(x).ptr[0] != '*')
		abort();
	weir_context_metadata(weir_http_context(x), WEIR_STR("host"), 0,
			      &value);
	if (!late) {
		answer(x, weir_http_query(x).len);
		return;
	}
	if (n_held == MAX_HELD)
		abort();	/* more than streams can be open */
	held[n_held++] = x;
}

static const struct weir_http_route routes[] = {
	{ .path = { "/x", 2 }, .methods = WEIR_HTTP_POST,
	  .content_types = "application/json", .status_bodies = true,
	  .handle = handle },
	{ .handle = handle },
};

static void answer_all(void)
{
	worker_enter(&worker);
	for (size_t i = 0; i < n_held; i++)
		answer(held[i], i & 1);
	n_held = 0;
	worker_leave(&worker);
}

static void turn(int peer)
{
	static uint8_t sink[1 << 16];

	while (worker_turn(&worker))
		while (read(peer, sink, sizeof(sink)) > 0)
			;
}

static void feed(int peer, const uint8_t *data, size_t len)
{
	if (len && write(peer, data, len) != (ssize_t)len)
		return;			/* the server has hung up */
	turn(peer);
}

static void open_connection(struct weir_http_server *server, int fd)
{
	struct http_conn *conn = malloc(sizeof(*conn));

	worker_enter(&worker);
	http_conn_open(conn, server, stream_new(&worker, &c, fd, "peer"));
	worker_leave(&worker);
}

/* The codecs' library lies one folder above the target; once open, it is found
 * by its name, and no request waits for it. */
static void open_codecs(const char *self)
{
	const char *slash = strrchr(self, '/');
	struct weir_error error;
	char path[4096];

	snprintf(path, sizeof(path), "%.*s../libweircodecs.so",
		 slash ? (int)(slash + 1 - self) : 0, self);
	if (!dlopen(path, RTLD_NOW | RTLD_LOCAL) ||
	    weir_encoding_open(WEIR_ENCODING_SNAPPY, &error))
		abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	open_codecs((*argv)[0]);
	signal(SIGPIPE, SIG_IGN);
	clock_manual(1000000000, 1700000000000000000, 42);
	worker_init(&worker, 0, true);
	worker_be(&worker);
	return 0;
}

static void configure(struct weir_http_server_config *config, uint8_t flags)
{
	static const weir_str all[] = { { "*", 1 } };

	weir_http_server_defaults(config);
	config->max_request_body_size = MAX_BODY;
	config->include_metadata = flags & FLAG_METADATA;
	config->cors.enabled = flags & FLAG_CORS;
	config->cors.allowed_origins = (struct weir_strs){ all, 1 };
	if (flags & FLAG_RAW)
		config->compression_algorithms.len = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct weir_http_server_config config;
	struct weir_http_server *server;
	uint8_t flags;
	size_t cut;
	int pair[2];

	if (size < 3 || size > 65536)
		return 0;
	flags = data[0];
	late = flags & FLAG_LATE;
	configure(&config, flags);
	server = http_server_new(&c, &config, routes, 2);
	if (!server || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK |
				  SOCK_CLOEXEC, 0, pair))
		abort();
	open_connection(server, pair[0]);
	if (flags & FLAG_H2)
		feed(pair[1], preface, sizeof(preface) - 1);
	if ((flags & FLAG_H2) && (flags & FLAG_CALL))
		feed(pair[1], call, sizeof(call) - 1);
	cut = 2 + data[1] % (size - 2);
	feed(pair[1], data + 2, cut - 2);
	if (flags & FLAG_GONE)
		shutdown(pair[1], SHUT_WR);
	else
		feed(pair[1], data + cut, size - cut);
	clock_advance((uint64_t)data[1] << 28);	/* up to a minute */
	timers_run(&worker);
	turn(pair[1]);
	if (flags & FLAG_STOP) {
		weir_http_server_stop(server);
		answer_all();
	}
	turn(pair[1]);
	weir_http_server_free(&server);
	close(pair[1]);
	turn(pair[1]);
	answer_all();
	turn(pair[1]);
	if (weir_budget_used() || worker.net->streams)
		abort();
	return 0;
}
