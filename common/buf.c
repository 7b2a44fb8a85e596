#include "common/base.h"

#include "common/buf.h"

#include <stdarg.h>

#define FIRST_BYTES ((size_t)256)

/* Make cap at least wanted, at least doubled, at most what the maximum can ever need. */
static void grow(struct nd_buf *buf, size_t wanted)
{
	size_t cap = buf->cap ? buf->cap : FIRST_BYTES;
	char *data;

	if (!nd_size_mul(cap, buf->cap ? 2 : 1, &cap))
		cap = wanted;
	if (buf->max_bytes && buf->max_bytes < SIZE_MAX && cap > buf->max_bytes + 1)
		cap = buf->max_bytes + 1;
	if (cap < wanted)
		cap = wanted;
	data = realloc(buf->data, cap);
	if (!data)
		nd_out_of_memory(cap);
	buf->data = data;
	buf->cap = cap;
}

/* Room for n bytes and a NUL, not cleared; NULL when that passes the maximum. */
static char *reserve(struct nd_buf *buf, size_t n)
{
	size_t len, wanted;

	if (!nd_size_add(buf->len, n, &len) || !nd_size_add(len, 1, &wanted) ||
	    (buf->max_bytes && len > buf->max_bytes)) {
		buf->is_over = true;
		return NULL;
	}
	if (wanted > buf->cap)
		grow(buf, wanted);
	return buf->data + buf->len;
}

int nd_buf_add(struct nd_buf *buf, const void *p, size_t n)
{
	char *dst;

	if (n == 0)
		return 0;
	dst = reserve(buf, n);
	if (!dst)
		return -1;
	memcpy(dst, p, n);
	dst[n] = '\0';
	buf->len += n;
	return 0;
}

int nd_buf_puts(struct nd_buf *buf, const char *s)
{
	return nd_buf_add(buf, s, strlen(s));
}

int nd_buf_printf(struct nd_buf *buf, const char *fmt, ...)
{
	va_list args;
	char *dst;
	int n;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (n < 0)
		ND_BUG("a format that cannot be printed");
	if (n == 0)
		return 0;
	dst = reserve(buf, (size_t)n);
	if (!dst)
		return -1;
	va_start(args, fmt);
	vsnprintf(dst, (size_t)n + 1, fmt, args);
	va_end(args);
	buf->len += (size_t)n;
	return 0;
}

char *nd_buf_room(struct nd_buf *buf, size_t n)
{
	char *dst = reserve(buf, n);

	/* Cleared, so that a NUL stands behind however little the caller fills in. */
	if (dst)
		memset(dst, 0, n + 1);
	return dst;
}

void nd_buf_free(struct nd_buf *buf)
{
	size_t max_bytes = buf->max_bytes;

	free(buf->data);
	*buf = (struct nd_buf){.max_bytes = max_bytes};
}
