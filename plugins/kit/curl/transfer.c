/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transfer.c: one request.
 *
 * Holds its place in the caller's body, which libcurl reads piece by piece into
 * its own buffer.  Must never follow a redirect to another origin, nor speak to
 * a server whose certificate does not hold.
 */
#include "pool.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <weir/kit/text.h>

#define SECOND INT64_C(1000000000)
#define CONNECT_SECONDS 30L		/* Go's dialer */
#define USER_TIMEOUT_MS 20000		/* attacks.md 122 */
#define NEVER 1000000000L

/* --- The body ------------------------------------------------------------- */

static uint64_t body_size(const struct curl_call *call)
{
	uint64_t total = 0;

	for (size_t i = 0; i < call->n; i++)
		total += call->body[i].len;
	return total;
}

static size_t read_body(char *to, size_t size, size_t n, void *arg)
{
	struct curl_transfer *t = arg;
	size_t room = size * n, done = 0;

	while (done < room && t->piece < t->call.n) {
		const struct weir_slice *piece = &t->call.body[t->piece];
		size_t left = piece->len - t->offset;
		size_t take = left < room - done ? left : room - done;

		if (take)
			memcpy(to + done, piece->ptr + t->offset, take);
		done += take;
		t->offset += take;
		if (t->offset == piece->len) {
			t->piece++;
			t->offset = 0;
		}
	}
	return done;
}

/* A connection that died idle: once more from the start. */
static int seek_body(void *arg, curl_off_t offset, int origin)
{
	struct curl_transfer *t = arg;

	if (origin != SEEK_SET || offset != 0)
		return CURL_SEEKFUNC_CANTSEEK;
	t->piece = t->offset = 0;
	return CURL_SEEKFUNC_OK;
}

/* --- Options -------------------------------------------------------------- */

static int tune(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	int timeout = USER_TIMEOUT_MS;

	(void)arg;
	(void)purpose;
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout,
		   sizeof(timeout));
	return CURL_SOCKOPT_OK;
}

static long clamp(int64_t value, int64_t least, int64_t most)
{
	return (long)(value < least ? least : value > most ? most : value);
}

/* Whom to believe: the system's authorities, or those that the environment
 * names, as for the Collector and everything else that is written in Go. */
static void set_trust(CURL *easy)
{
	const char *file = getenv("SSL_CERT_FILE");
	const char *directories = getenv("SSL_CERT_DIR");

	curl_easy_setopt(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	if (file && *file)
		curl_easy_setopt(easy, CURLOPT_CAINFO, file);
	if (directories && *directories)
		curl_easy_setopt(easy, CURLOPT_CAPATH, directories);
}

static void set_connection(struct curl_transfer *t)
{
	const struct weir_http_client_config *config = t->pool->config;
	int64_t idle = config->idle_conn_timeout.ns;
	CURL *easy = t->easy;

	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	set_trust(easy);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION,
			 config->force_attempt_http2 ? CURL_HTTP_VERSION_2TLS
						     : CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* Or a cancelled request would wait for its resolver's thread. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, CONNECT_SECONDS);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 15L);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, tune);
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN,
			 idle > 0 ? clamp((idle + SECOND - 1) / SECOND, 1,
					  NEVER) : NEVER);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE,
			 (long)config->disable_keep_alives);
	if (config->read_buffer_size > 0)
		curl_easy_setopt(easy, CURLOPT_BUFFERSIZE,
				 clamp(config->read_buffer_size, 16384,
				       CURL_MAX_READ_SIZE));
	if (config->write_buffer_size > 0)
		curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE,
				 clamp(config->write_buffer_size, 16384,
				       2 << 20));
	if (t->pool->cookies) {
		curl_easy_setopt(easy, CURLOPT_SHARE, t->pool->cookies);
		curl_easy_setopt(easy, CURLOPT_COOKIEFILE, "");
	}
}

/* Negative numbers of milliseconds are none, and so is a 0. */
static void set_timeout(struct curl_transfer *t)
{
	int64_t ns = t->call.timeout.ns;

	if (ns > 0)
		curl_easy_setopt(t->easy, CURLOPT_TIMEOUT_MS,
				 clamp((ns + 999999) / 1000000, 1,
				       INT32_MAX));
}

static int set_headers(struct curl_transfer *t)
{
	for (size_t i = 0; i < t->call.n_headers; i++) {
		struct curl_slist *more =
			curl_slist_append(t->headers, t->call.headers[i]);

		if (!more)
			return -1;
		t->headers = more;
	}
	curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
	return 0;
}

static int set_url(struct curl_transfer *t, weir_str url)
{
	char *text = malloc(url.len + 1);
	CURLcode code;

	if (!text)
		return -1;
	memcpy(text, url.ptr, url.len);
	text[url.len] = '\0';
	code = curl_easy_setopt(t->easy, CURLOPT_URL, text);
	free(text);
	return code == CURLE_OK ? 0 : -1;
}

int transfer_set_up(struct curl_transfer *t)
{
	CURL *easy = t->easy;

	t->piece = t->offset = 0;
	t->redirects = 0;
	t->error[0] = '\0';
	set_connection(t);
	set_timeout(t);
	proxy_set(easy, t->pool->config->proxy_url, t->call.url);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, t->error);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, reply_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, reply_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
	if (t->call.n || !strcmp(t->call.method, "POST")) {
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t)body_size(&t->call));
		curl_easy_setopt(easy, CURLOPT_READFUNCTION, read_body);
		curl_easy_setopt(easy, CURLOPT_READDATA, t);
		curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, seek_body);
		curl_easy_setopt(easy, CURLOPT_SEEKDATA, t);
	}
	if (!strcmp(t->call.method, "HEAD"))
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	else
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, t->call.method);
	if (set_headers(t))
		return -1;
	return set_url(t, t->call.url);
}

void transfer_release(struct curl_transfer *t)
{
	/* A reset would forget, and not free, the list of files. */
	curl_easy_setopt(t->easy, CURLOPT_COOKIEFILE, NULL);
	curl_easy_reset(t->easy);
	curl_slist_free_all(t->headers);
	t->headers = NULL;
	reply_release(&t->reply);
}

/* --- Redirects ------------------------------------------------------------ */

static bool same_part(CURLU *a, CURLU *b, CURLUPart part)
{
	char *x = NULL, *y = NULL;
	bool same;

	same = !curl_url_get(a, part, &x, CURLU_DEFAULT_PORT) &&
	       !curl_url_get(b, part, &y, CURLU_DEFAULT_PORT) &&
	       curl_strequal(x, y);
	curl_free(x);
	curl_free(y);
	return same;
}

static bool same_origin(const char *a, const char *b)
{
	CURLU *x = curl_url(), *y = curl_url();
	bool same = x && y && !curl_url_set(x, CURLUPART_URL, a, 0) &&
		    !curl_url_set(y, CURLUPART_URL, b, 0) &&
		    same_part(x, y, CURLUPART_SCHEME) &&
		    same_part(x, y, CURLUPART_HOST) &&
		    same_part(x, y, CURLUPART_PORT);

	curl_url_cleanup(x);
	curl_url_cleanup(y);
	return same;
}

/* 307 and 308 keep method and body; elsewhere nothing is sent
 * (attacks.md 129). */
static bool redirect(struct curl_transfer *t, long status)
{
	char *from = NULL, *to = NULL;

	if ((status != 307 && status != 308) || t->redirects == REDIRECTS)
		return false;
	curl_easy_getinfo(t->easy, CURLINFO_EFFECTIVE_URL, &from);
	curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &to);
	if (!from || !to || !same_origin(from, to) ||
	    set_url(t, weir_str_of(to)))
		return false;
	t->redirects++;
	t->piece = t->offset = 0;
	reply_release(&t->reply);
	return curl_multi_add_handle(t->pool->multi, t->easy) == CURLM_OK;
}

/* --- The end -------------------------------------------------------------- */

/* What Go's client says, where there is such a word; the port is missing where
 * the URL has none.  libcurl repeats a proxy's URL with its password. */
static void explain(struct curl_transfer *t, CURLcode code, char *out,
		    size_t size)
{
	long error = 0;

	curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &error);
	if (code == CURLE_COULDNT_CONNECT && error == ECONNREFUSED)
		snprintf(out, size, "connect: connection refused (%s)",
			 t->error);
	else if (code == CURLE_OPERATION_TIMEDOUT)
		snprintf(out, size, "context deadline exceeded");
	else if (code == CURLE_GOT_NOTHING)
		snprintf(out, size, "EOF");
	else if (!strncmp(t->error, "Unsupported proxy", 17))
		snprintf(out, size, "the proxy's URL cannot be used");
	else
		snprintf(out, size, "%s", t->error[0] ? t->error :
			 curl_easy_strerror(code));
}

static void set_outcome(struct curl_transfer *t, CURLcode code,
			struct weir_outcome *outcome)
{
	enum weir_status status = WEIR_UNAVAILABLE;
	enum weir_reason reason = WEIR_REASON_BACKEND;
	char text[300];

	if (t->reply.too_big) {
		status = WEIR_INTERNAL;
		snprintf(text, sizeof(text), "the reply is larger than %u "
			 "bytes, or its headers are than %u", REPLY_MAX,
			 REPLY_HEADERS);
	} else if (t->reply.no_memory) {
		reason = WEIR_REASON_MEMORY;
		snprintf(text, sizeof(text), "no memory for the reply");
	} else {
		if (code == CURLE_OPERATION_TIMEDOUT) {
			status = WEIR_DEADLINE_EXCEEDED;
			reason = WEIR_REASON_DEADLINE;
		}
		explain(t, code, text, sizeof(text));
	}
	weir_outcome_set(outcome, status, reason, "%s", text);
}

void transfer_done(struct curl_transfer *t, CURLcode code)
{
	struct weir_http_reply reply = { .outcome = { .status = WEIR_OK } };
	struct curl_call call = t->call;
	long status = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_OK && redirect(t, status))
		return;
	if (code == CURLE_OK) {
		reply.status = (int)status;
		reply.headers = t->reply.headers;
		reply.n_headers = t->reply.n_headers;
		reply.len = t->reply.len;
		if (t->reply.body)
			reply.body = weir_payload_bytes(t->reply.body);
	} else {
		set_outcome(t, code, &reply.outcome);
	}
	call.done(call.arg, &reply);
	pool_retire(t);
}
