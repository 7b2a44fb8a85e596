#include "common/base.h"

#include "common/text.h"
#include "common/wire.h"

#include <errno.h>
#include <inttypes.h>

/* The longest header, "section NAME LENGTH" or "end COUNT DIGEST", and some room to quote it. */
#define MAX_HEADER 128
/* How much of foreign text an error repeats. */
#define MAX_QUOTE 60

static bool is_name(struct nd_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
		      c == '-'))
			return false;
	}
	return s.n > 0 && s.n <= ND_WIRE_MAX_NAME;
}

/* Writing. */

static int write_all(int fd, const char *p, size_t n, struct nd_err *err)
{
	while (n) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return nd_err_sys(err, ND_E_IO, errno, "write the reply");
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

static int write_hashed(struct nd_wire_out *out, const char *p, size_t n, struct nd_err *err)
{
	nd_sha256_add(&out->hash, p, n);
	return write_all(out->fd, p, n, err);
}

int nd_wire_out_start(struct nd_wire_out *out, int fd, struct nd_err *err)
{
	*out = (struct nd_wire_out){.fd = fd};
	nd_sha256_init(&out->hash);
	return write_all(fd, ND_WIRE_HELLO, strlen(ND_WIRE_HELLO), err);
}

int nd_wire_out_frame(struct nd_wire_out *out, bool is_gap, const char *name, const void *p,
		      size_t n, struct nd_err *err)
{
	char header[MAX_HEADER];
	int len;

	/* Refused before a byte is out, so that the reply stays whole. */
	if (!is_name(nd_str(name)))
		return nd_err_set(err, ND_E_INPUT, "write a frame: \"%.*s\" is not a section name",
				  MAX_QUOTE, name);
	if (n > ND_WIRE_MAX_SECTION)
		return nd_err_set(err, ND_E_LIMIT, "write section %s: %zu bytes, %u at most", name,
				  n, ND_WIRE_MAX_SECTION);
	len = snprintf(header, sizeof(header), "%s %s %zu\n", is_gap ? "gap" : "section", name, n);
	if (write_hashed(out, header, (size_t)len, err) < 0 ||
	    write_hashed(out, p, n, err) < 0 || write_hashed(out, "\n", 1, err) < 0)
		return -1;
	out->nframes++;
	return 0;
}

int nd_wire_out_end(struct nd_wire_out *out, struct nd_err *err)
{
	char trailer[MAX_HEADER], hex[65];
	uint8_t digest[32];
	int len;

	nd_sha256_end(&out->hash, digest);
	nd_sha256_text(digest, hex);
	len = snprintf(trailer, sizeof(trailer), "end %" PRIu32 " %s\n", out->nframes, hex);
	return write_all(out->fd, trailer, (size_t)len, err);
}

/* Reading. */

struct reader {
	const char *p;
	size_t len; /* bytes at p */
	size_t at;  /* byte that comes next */
	size_t first; /* byte the first frame starts at */
	uint32_t nframes;
	struct nd_err *err;
};

/* The first line at byte `at`, made short, for an error; without control characters. */
static const char *quote(const struct reader *r, size_t at, char dst[MAX_QUOTE + 1])
{
	char raw[4 * MAX_QUOTE + 1];
	size_t n = 0;

	while (n < sizeof(raw) - 1 && at + n < r->len && r->p[at + n] != '\n') {
		raw[n] = r->p[at + n] ? r->p[at + n] : '\x01'; /* a NUL must not end the text */
		n++;
	}
	if (n && n < sizeof(raw) - 1 && raw[n - 1] == '\r')
		n--;
	raw[n] = '\0';
	return nd_text_safe(dst, MAX_QUOTE + 1, raw);
}

/* Where a line that is exactly the hello starts, or len. */
static size_t find_hello(const struct reader *r)
{
	const size_t n = strlen(ND_WIRE_HELLO);
	size_t at = 0;

	while (at < r->len) {
		const char *end = memchr(r->p + at, '\n', r->len - at);

		if (r->len - at >= n && memcmp(r->p + at, ND_WIRE_HELLO, n) == 0)
			return at;
		if (!end)
			break;
		at = (size_t)(end - r->p) + 1;
	}
	return r->len;
}

static int read_hello(struct reader *r)
{
	static const char name[] = "netdoctor-agent ";
	const size_t n = strlen(ND_WIRE_HELLO), nname = sizeof(name) - 1;
	char said[MAX_QUOTE + 1];
	size_t at;

	if (r->len >= n && memcmp(r->p, ND_WIRE_HELLO, n) == 0) {
		r->at = r->first = n;
		return 0;
	}
	if (r->len == 0)
		return nd_err_set(r->err, ND_E_INPUT, "agent reply is empty: cut at byte 0");
	if (r->len < n && memcmp(r->p, ND_WIRE_HELLO, r->len) == 0)
		return nd_err_set(r->err, ND_E_INPUT, "agent reply cut at byte %zu, in its hello",
				  r->len);
	quote(r, 0, said);
	if (r->len > n && memcmp(r->p, ND_WIRE_HELLO, n - 1) == 0 && r->p[n - 1] == '\r')
		return nd_err_set(r->err, ND_E_INPUT,
				  "agent reply at byte %zu: line ends were changed to CR LF "
				  "(a terminal on the way?)",
				  n - 1);
	if (r->len >= nname && memcmp(r->p, name, nname) == 0)
		return nd_err_set(r->err, ND_E_INPUT,
				  "agent reply at byte %zu: another version of the agent: \"%s\"",
				  nname, said);
	at = find_hello(r);
	if (at < r->len)
		return nd_err_set(r->err, ND_E_INPUT,
				  "agent reply at byte 0: %zu bytes that do not belong there "
				  "before the hello: \"%s\"",
				  at, said);
	return nd_err_set(r->err, ND_E_INPUT,
			  "agent reply at byte 0: not from netdoctor's agent: \"%s\"", said);
}

/* The header line at r->at, without its line end; moves past it. */
static int read_header(struct reader *r, struct nd_str *line)
{
	size_t left = r->len - r->at, n = left < MAX_HEADER ? left : MAX_HEADER;
	const char *end = n ? memchr(r->p + r->at, '\n', n) : NULL;
	char said[MAX_QUOTE + 1];

	if (end) {
		*line = (struct nd_str){r->p + r->at, (size_t)(end - r->p) - r->at};
		r->at += line->n + 1;
		return 0;
	}
	if (left >= MAX_HEADER)
		return nd_err_set(r->err, ND_E_INPUT,
				  "agent reply at byte %zu: wanted a frame, got \"%s\"", r->at,
				  quote(r, r->at, said));
	return nd_err_set(r->err, ND_E_INPUT,
			  "agent reply cut at byte %zu, %s %" PRIu32 " whole frames: no trailer",
			  r->len, left ? "in the header after" : "after", r->nframes);
}

/* Cut what stands before the next blank off; false if there is no blank. */
static bool cut_field(struct nd_str *rest, struct nd_str *field)
{
	const char *blank = rest->n ? memchr(rest->p, ' ', rest->n) : NULL;

	if (!blank)
		return false;
	*field = (struct nd_str){rest->p, (size_t)(blank - rest->p)};
	rest->n -= field->n + 1;
	rest->p = blank + 1;
	return true;
}

/* "NAME LENGTH": line is what follows "section " or "gap " and starts at byte `at`. */
static int read_frame(struct reader *r, struct nd_str line, struct nd_wire_frame *frame)
{
	size_t at = (size_t)(line.p - r->p), left;
	char said[MAX_QUOTE + 1];
	struct nd_str name;
	uint64_t n;

	quote(r, at, said);
	if (!cut_field(&line, &name) || !is_name(name))
		return nd_err_set(r->err, ND_E_INPUT,
				  "agent reply at byte %zu: bad section name in \"%s\"", at, said);
	memcpy(frame->name, name.p, name.n);
	frame->name[name.n] = '\0';
	at = (size_t)(line.p - r->p);
	if (!nd_parse_u64(line, UINT64_MAX, &n))
		return nd_err_set(r->err, ND_E_INPUT,
				  "agent reply at byte %zu: bad length of section %s: \"%s\"", at,
				  frame->name, quote(r, at, said));
	if (n > ND_WIRE_MAX_SECTION)
		return nd_err_set(r->err, ND_E_INPUT,
				  "agent reply at byte %zu: section %s claims %" PRIu64
				  " bytes, %u at most",
				  at, frame->name, n, ND_WIRE_MAX_SECTION);
	left = r->len - r->at;
	if (left <= n)
		return nd_err_set(r->err, ND_E_INPUT,
				  "agent reply cut at byte %zu: %zu of %" PRIu64
				  " bytes of section %s came%s",
				  r->len, left, n, frame->name,
				  left == n ? ", without the line end" : "");
	if (r->p[r->at + n] != '\n')
		return nd_err_set(r->err, ND_E_INPUT,
				  "agent reply at byte %zu: section %s does not end after %" PRIu64
				  " bytes",
				  r->at + (size_t)n, frame->name, n);
	frame->bytes = r->p + r->at;
	frame->len = (size_t)n;
	r->at += frame->len + 1;
	return 0;
}

/* "COUNT SHA256": line is what follows "end "; the trailer starts at byte `at`. */
static int read_trailer(struct reader *r, size_t at, struct nd_str line)
{
	struct nd_str count;
	char hex[65], said[MAX_QUOTE + 1];
	uint64_t n;

	if (!cut_field(&line, &count) || !nd_parse_u64(count, UINT32_MAX, &n) || line.n != 64)
		return nd_err_set(r->err, ND_E_INPUT, "agent reply at byte %zu: bad trailer \"%s\"",
				  at, quote(r, at, said));
	if (n != r->nframes)
		return nd_err_set(r->err, ND_E_INPUT,
				  "agent reply at byte %zu: trailer counts %" PRIu64
				  " frames, %" PRIu32 " came",
				  at, n, r->nframes);
	nd_sha256_hex(r->p + r->first, at - r->first, hex);
	if (!nd_str_eq(line, hex))
		return nd_err_set(r->err, ND_E_INPUT,
				  "agent reply at byte %zu: bytes %zu to %zu were changed on the "
				  "way: their digest is %s",
				  at, r->first, at, hex);
	if (r->at < r->len)
		return nd_err_set(r->err, ND_E_INPUT,
				  "agent reply at byte %zu: %zu bytes behind the trailer: \"%s\"",
				  r->at, r->len - r->at, quote(r, r->at, said));
	return 0;
}

/* Cut a keyword off the front of line. */
static bool cut_keyword(struct nd_str *line, const char *keyword)
{
	size_t n = strlen(keyword);

	if (!nd_str_starts(*line, keyword))
		return false;
	*line = (struct nd_str){line->p + n, line->n - n};
	return true;
}

int nd_wire_parse(const char *p, size_t len,
		  int (*frame)(void *ctx, const struct nd_wire_frame *frame, struct nd_err *err),
		  void *ctx, struct nd_err *err)
{
	struct reader r = {.p = p, .len = len, .err = err};
	char said[MAX_QUOTE + 1];

	if (read_hello(&r) < 0)
		return -1;
	for (;;) {
		struct nd_wire_frame one = {0};
		size_t at = r.at;
		struct nd_str line;

		if (read_header(&r, &line) < 0)
			return -1;
		if (cut_keyword(&line, "end "))
			return read_trailer(&r, at, line);
		one.is_gap = cut_keyword(&line, "gap ");
		if (!one.is_gap && !cut_keyword(&line, "section "))
			return nd_err_set(err, ND_E_INPUT,
					  "agent reply at byte %zu: wanted a frame, got \"%s\"", at,
					  quote(&r, at, said));
		if (read_frame(&r, line, &one) < 0)
			return -1;
		if (r.nframes == UINT32_MAX)
			return nd_err_set(err, ND_E_LIMIT, "agent reply has too many frames");
		r.nframes++;
		if (frame(ctx, &one, err) < 0)
			return -1;
	}
}
