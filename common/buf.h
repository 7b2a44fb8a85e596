/*
 * buf.h: bytes that grow, up to a maximum named where the buffer is made.
 *
 *	struct nd_buf out = {.max_bytes = 1 << 20};
 *	if (nd_buf_add(&out, p, n) < 0) ...	the maximum was passed; out is unchanged
 *	nd_buf_free(&out);
 */
#ifndef ND_COMMON_BUF_H
#define ND_COMMON_BUF_H

#include "common/base.h"

struct nd_buf {
	char *data;	  /* len bytes and a NUL behind; NULL while empty; owned */
	size_t len;	  /* bytes */
	size_t cap;	  /* bytes */
	size_t max_bytes; /* 0: no limit (only for what we write ourselves) */
	bool is_over;	  /* an add was refused since the start */
};

int nd_buf_add(struct nd_buf *buf, const void *p, size_t n); /* 0 or -1 */
int nd_buf_puts(struct nd_buf *buf, const char *s);
int nd_buf_printf(struct nd_buf *buf, const char *fmt, ...) ND_PRINTF(2, 3);
/* At least n bytes of room at data + len; NULL when that passes the maximum. Then len += read. */
char *nd_buf_room(struct nd_buf *buf, size_t n);
void nd_buf_free(struct nd_buf *buf);
#define nd_auto_buf ND_CLEANUP(nd_buf_free)

#endif
