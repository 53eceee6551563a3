/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_parser.c: a strict push parser for HTTP/1.1 requests (RFC 9112).
 *
 * Between calls it holds the lines of the head (at most HTTP_MAX_HEAD and
 * HTTP_MAX_TRAILER) and a state; never bytes of the body.  It must never let
 * pass what another parser might frame differently: bare LF, obs-fold, blank
 * before a colon, two lengths, a length beside chunked.
 */
#include <weir/digits.h>
#include "http_parser.h"

/* --- words ---------------------------------------------------------------- */

/* RFC 9110 5.6.2: token characters. */
static bool is_token(uint8_t ch)
{
	static const char marks[] = "!#$%&'*+-.^_`|~";

	return (ch >= '0' && ch <= '9') || (ch >= 'a' && ch <= 'z') ||
	       (ch >= 'A' && ch <= 'Z') || (ch && strchr(marks, ch));
}

static char lower(char ch)
{
	return ch >= 'A' && ch <= 'Z' ? (char)(ch + ('a' - 'A')) : ch;
}

static struct http_text text_of(const struct http_parser *p, const char *from,
				const char *to)
{
	return (struct http_text){ (uint16_t)(from - p->head->text),
				   (uint16_t)(to - from) };
}

static int fail(struct http_parser *p, int status, const char *reason)
{
	p->status = status;
	p->reason = reason;
	p->state = HTTP_ON_FAILURE;
	return -1;
}

/* --- request line --------------------------------------------------------- */

/* RFC 9112 2.3. */
static int parse_version(struct http_parser *p, const char *from,
			 const char *end)
{
	weir_str method = http_head_text(p->head, p->head->method);

	if (end - from < 5 ||
	    !http_same_word((weir_str){ from, 5 }, "http/"))
		return fail(p, HTTP_NOT_HTTP, "not HTTP");
	if (end - from != 8 || memcmp(from, "HTTP/", 5) != 0 ||
	    from[5] < '0' || from[5] > '9' || from[6] != '.' ||
	    from[7] < '0' || from[7] > '9')
		return fail(p, 400, "malformed HTTP version");
	/* RFC 9113 3.4: a preface that went wrong. */
	if (from[5] == '2' && weir_str_eq(method, WEIR_STR("PRI")))
		return fail(p, HTTP_NOT_HTTP, "not a preface");
	if (from[5] != '1')
		return fail(p, 505, "unsupported HTTP version");
	p->minor = from[7] > '0';
	return 0;
}

/* The path of "http://host/path" begins behind the authority; an absent one is
 * "/", which the blank behind the target is overwritten with. */
static char *skip_authority(char *from, char *end)
{
	size_t scheme = end - from >= 7 && !memcmp(from, "http://", 7) ? 7
		      : end - from >= 8 && !memcmp(from, "https://", 8) ? 8
		      : 0;
	char *at = from + scheme;

	if (!scheme)
		return NULL;
	while (at < end && *at != '/' && *at != '?')
		at++;
	return at == from + scheme ? NULL : at;
}

/* RFC 9112 3.2: origin, absolute, authority (CONNECT) and asterisk form. */
static int parse_target(struct http_parser *p, char *from, char *end)
{
	weir_str method = http_head_text(p->head, p->head->method);
	char *path = from;

	for (char *at = from; at < end; at++)
		if (*at <= ' ' || *at > '~' || *at == '#')
			return fail(p, 400, "invalid character in target");
	if (*from != '/' && !http_same_word(method, "connect") &&
	    !(end - from == 1 && *from == '*' &&
	      http_same_word(method, "options")))
		path = skip_authority(from, end);
	if (!path)
		return fail(p, 400, "malformed target");
	http_head_target(p->head, text_of(p, path, end));
	if (!p->head->path.len) {
		*--path = '/';		/* the last byte of the authority */
		p->head->path = text_of(p, path, path + 1);
	}
	return 0;
}

static int parse_request(struct http_parser *p, char *line, char *end)
{
	char *at = line, *target, *blank;

	while (at < end && is_token((uint8_t)*at))
		at++;
	if (at == line || at == end || *at != ' ')
		return fail(p, 400, "malformed request line");
	p->head->method = text_of(p, line, at);
	target = at + 1;
	blank = memchr(target, ' ', (size_t)(end - target));
	if (target == end || blank == target)
		return fail(p, 400, "malformed request line");
	if (!blank)
		return fail(p, 0, "HTTP/0.9");
	if (parse_version(p, blank + 1, end))
		return -1;
	return parse_target(p, target, blank);
}

/* --- headers -------------------------------------------------------------- */

/* RFC 9110 8.6: digits only, and one of them. */
static int parse_length(struct http_parser *p, weir_str value)
{
	uint64_t length = 0;

	if (p->has_length)
		return fail(p, 400, "more than one Content-Length");
	if (!value.len || value.len > 19)
		return fail(p, 400, "malformed Content-Length");
	for (size_t i = 0; i < value.len; i++) {
		if (value.ptr[i] < '0' || value.ptr[i] > '9')
			return fail(p, 400, "malformed Content-Length");
		length = length * 10 + (uint64_t)(value.ptr[i] - '0');
	}
	if (length > INT64_MAX)
		return fail(p, 400, "malformed Content-Length");
	p->has_length = true;
	p->length = length;
	return 0;
}

/* Tokens between commas. */
static void parse_connection(struct http_parser *p, weir_str value)
{
	const char *at = value.ptr, *end = at + value.len;

	while (at < end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		const char *stop = comma ? comma : end;
		weir_str word;

		while (at < stop && (*at == ' ' || *at == '\t'))
			at++;
		word = (weir_str){ at, (size_t)(stop - at) };
		while (word.len && (word.ptr[word.len - 1] == ' ' ||
				    word.ptr[word.len - 1] == '\t'))
			word.len--;
		if (http_same_word(word, "close"))
			p->keep_alive = false;
		else if (http_same_word(word, "keep-alive") && p->minor == 0)
			p->keep_alive = true;
		at = comma ? comma + 1 : end;
	}
}

/* The few that frame the message or change the conversation. */
static int heed(struct http_parser *p, weir_str name, weir_str value)
{
	if (http_same_word(name, "content-length"))
		return parse_length(p, value);
	if (http_same_word(name, "transfer-encoding")) {
		if (p->chunked || !http_same_word(value, "chunked"))
			return fail(p, 400, "unsupported Transfer-Encoding");
		p->chunked = true;
	} else if (http_same_word(name, "connection")) {
		parse_connection(p, value);
	} else if (http_same_word(name, "host")) {
		p->n_hosts++;
	} else if (http_same_word(name, "expect")) {
		if (!http_same_word(value, "100-continue"))
			return fail(p, 417, "unknown expectation");
		p->expects_continue = p->minor > 0;
	}
	return 0;
}

/* Splits "name: value" and checks every byte.  Names become lower case. */
static int split_field(struct http_parser *p, char *line, char *end,
		       struct http_text *name, struct http_text *value)
{
	char *at = line;

	if (*line == ' ' || *line == '\t')
		return fail(p, 400, "folded header");
	for (; at < end && is_token((uint8_t)*at); at++)
		*at = lower(*at);
	if (at == line || at == end || *at != ':')
		return fail(p, 400, "malformed header name");
	*name = text_of(p, line, at);
	for (line = ++at; at < end; at++)
		if (((uint8_t)*at < ' ' && *at != '\t') || *at == 0x7f)
			return fail(p, 400, "invalid character in header");
	while (line < end && (*line == ' ' || *line == '\t'))
		line++;
	while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	*value = text_of(p, line, end);
	return 0;
}

static int parse_header(struct http_parser *p, char *line, char *end)
{
	struct http_head *head = p->head;
	struct http_text name, value;

	if (head->n == HTTP_MAX_HEADERS)
		return fail(p, 431, "too many headers");
	if (split_field(p, line, end, &name, &value))
		return -1;
	head->headers[head->n].name = name;
	head->headers[head->n++].value = value;
	return heed(p, http_head_text(head, name), http_head_text(head, value));
}

/* RFC 9112 3.2, 6.1, 6.3: what the headers must agree on. */
static int check_head(struct http_parser *p)
{
	if (p->n_hosts > 1 || (p->minor > 0 && !p->n_hosts))
		return fail(p, 400, "missing or repeated Host");
	if (p->chunked && (p->has_length || p->minor == 0))
		return fail(p, 400, "Transfer-Encoding beside a length");
	if (p->has_length && p->length > p->max_body)
		return fail(p, 413, "request body too large");
	return 0;
}

/* --- lines ---------------------------------------------------------------- */

static int line_too_long(struct http_parser *p)
{
	if (p->state == HTTP_ON_REQUEST)
		return fail(p, 414, "request line too long");
	return fail(p, p->state == HTTP_ON_TRAILER ? 400 : 431,
		    "headers too large");
}

static int keep(struct http_parser *p, const uint8_t *data, size_t len)
{
	struct http_head *head = p->head;
	size_t limit = p->state == HTTP_ON_TRAILER
		? (size_t)p->trailer + HTTP_MAX_TRAILER : HTTP_MAX_HEAD;

	if (len > HTTP_MAX_LINE - (head->used - p->line))
		return line_too_long(p);
	if (len > limit - head->used)
		return fail(p, p->state == HTTP_ON_TRAILER ? 400 : 431,
			    "headers too large");
	if (!http_head_room(head, len))
		return fail(p, 503, "out of memory");
	memcpy(head->text + head->used, data, len);
	head->used += (uint32_t)len;
	return 0;
}

/* An empty line ends the head. */
static enum http_event_type end_of_head(struct http_parser *p)
{
	if (check_head(p))
		return HTTP_FAIL;
	p->left = p->length;
	if (p->chunked)
		p->state = HTTP_ON_SIZE;
	else
		p->state = p->left ? HTTP_ON_LENGTH : HTTP_ON_END;
	return HTTP_HEAD;
}

/* Trailers are checked like headers and thrown away. */
static int parse_trailer(struct http_parser *p, char *line, char *end)
{
	struct http_text name, value;

	if (++p->n_trailers > HTTP_MAX_HEADERS)
		return fail(p, 400, "too many trailers");
	return split_field(p, line, end, &name, &value);
}

/* One whole line without its CRLF. */
static enum http_event_type on_line(struct http_parser *p, char *line,
				    char *end)
{
	int rc = 0;

	switch (p->state) {
	case HTTP_ON_REQUEST:
		if (line == end && !p->blank) {	/* RFC 9112 2.2: one may */
			p->blank = true;
			p->head->used = p->line = 0;
			return HTTP_MORE;
		}
		rc = parse_request(p, line, end);
		p->keep_alive = p->minor > 0;
		if (!rc)
			p->state = HTTP_ON_HEADER;
		break;
	case HTTP_ON_HEADER:
		if (line == end)
			return end_of_head(p);
		rc = parse_header(p, line, end);
		break;
	default:
		if (line == end) {
			p->state = HTTP_ON_END;
			return HTTP_MORE;
		}
		rc = parse_trailer(p, line, end);
	}
	p->line = p->head->used;
	return rc ? HTTP_FAIL : HTTP_MORE;
}

/* Eats up to and with the next LF. */
static size_t feed_line(struct http_parser *p, const uint8_t *data, size_t len,
			struct http_event *event)
{
	const uint8_t *lf = memchr(data, '\n', len);
	size_t n = lf ? (size_t)(lf - data) + 1 : len, size;
	char *line;

	event->type = HTTP_FAIL;
	if (keep(p, data, n))
		return n;
	event->type = HTTP_MORE;
	if (!lf)
		return n;
	line = p->head->text + p->line;
	size = p->head->used - p->line;
	/* The only CR is the one before the LF. */
	if (size < 2 || memchr(line, '\r', size) != line + size - 2 ||
	    memchr(line, '\0', size)) {
		fail(p, 400, "malformed line");
		event->type = HTTP_FAIL;
		return n;
	}
	event->type = on_line(p, line, line + size - 2);
	return n;
}

/* --- bodies --------------------------------------------------------------- */

static size_t feed_piece(struct http_parser *p, const uint8_t *data, size_t len,
			 struct http_event *event)
{
	size_t n = len < p->left ? len : (size_t)p->left;

	event->type = HTTP_BODY;
	event->data = data;
	event->len = n;
	p->left -= n;
	p->body += n;
	if (!p->left)
		p->state = p->chunked ? HTTP_ON_CHUNK_CR : HTTP_ON_END;
	return n;
}

static int on_size(struct http_parser *p, uint8_t ch)
{
	int digit = weir_digit_hex((char)ch);

	if (digit >= 0) {
		if (++p->digits > 16)
			return fail(p, 400, "chunk size too long");
		p->left = p->left << 4 | (uint64_t)digit;
		return 0;
	}
	if (!p->digits || (ch != '\r' && ch != ';'))
		return fail(p, 400, "malformed chunk size");
	p->state = ch == '\r' ? HTTP_ON_SIZE_LF : HTTP_ON_EXTENSION;
	return 0;
}

static int on_extension(struct http_parser *p, uint8_t ch)
{
	if (ch == '\r') {
		p->state = HTTP_ON_SIZE_LF;
		return 0;
	}
	if (++p->extensions > HTTP_MAX_EXTENSIONS ||
	    (ch < ' ' && ch != '\t') || ch == 0x7f)
		return fail(p, 400, "bad chunk extension");
	return 0;
}

static int on_size_lf(struct http_parser *p, uint8_t ch)
{
	if (ch != '\n' || p->left > INT64_MAX)
		return fail(p, 400, "malformed chunk size");
	if (p->left > p->max_body - p->body)
		return fail(p, 413, "request body too large");
	p->state = p->left ? HTTP_ON_CHUNK : HTTP_ON_TRAILER;
	p->line = p->trailer = p->head->used;
	return 0;
}

static int on_chunk_end(struct http_parser *p, uint8_t ch)
{
	bool cr = p->state == HTTP_ON_CHUNK_CR;

	if (ch != (cr ? '\r' : '\n'))
		return fail(p, 400, "chunk longer than its size");
	p->state = cr ? HTTP_ON_CHUNK_LF : HTTP_ON_SIZE;
	p->digits = 0;
	return 0;
}

/* The framing between chunks, byte by byte. */
static size_t feed_byte(struct http_parser *p, uint8_t ch,
			struct http_event *event)
{
	int rc;

	switch (p->state) {
	case HTTP_ON_SIZE:
		rc = on_size(p, ch);
		break;
	case HTTP_ON_EXTENSION:
		rc = on_extension(p, ch);
		break;
	case HTTP_ON_SIZE_LF:
		rc = on_size_lf(p, ch);
		break;
	default:
		rc = on_chunk_end(p, ch);
	}
	event->type = rc ? HTTP_FAIL : HTTP_MORE;
	return 1;
}

static size_t feed_some(struct http_parser *p, const uint8_t *data, size_t len,
			struct http_event *event)
{
	switch (p->state) {
	case HTTP_ON_REQUEST:
	case HTTP_ON_HEADER:
	case HTTP_ON_TRAILER:
		return feed_line(p, data, len, event);
	case HTTP_ON_LENGTH:
	case HTTP_ON_CHUNK:
		return feed_piece(p, data, len, event);
	default:
		return feed_byte(p, *data, event);
	}
}

size_t http_parser_feed(struct http_parser *p, const uint8_t *data, size_t len,
			struct http_event *event)
{
	size_t eaten = 0;

	*event = (struct http_event){ HTTP_MORE, NULL, 0 };
	for (;;) {
		if (p->state == HTTP_ON_FAILURE)
			event->type = HTTP_FAIL;
		else if (p->state == HTTP_ON_END)
			event->type = HTTP_DONE;
		if (event->type != HTTP_MORE || eaten == len)
			return eaten;
		eaten += feed_some(p, data + eaten, len - eaten, event);
		if (event->type != HTTP_MORE)
			return eaten;
	}
}

/* --- life ----------------------------------------------------------------- */

void http_parser_begin(struct http_parser *p, struct http_head *head,
		       uint64_t max_body)
{
	*p = (struct http_parser){ .max_body = max_body, .head = head };
}

bool http_parser_has_head(const struct http_parser *p)
{
	return p->state > HTTP_ON_HEADER && p->state < HTTP_ON_FAILURE;
}
