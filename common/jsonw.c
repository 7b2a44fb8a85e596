#include "common/base.h"

#include "common/jsonw.h"
#include "common/text.h"

#include <inttypes.h>

static void add(struct nd_jsonw *w, const char *p, size_t n)
{
	/* After one refused piece nothing more goes out: the caller sees out->is_over. */
	if (!w->out->is_over)
		(void)nd_buf_add(w->out, p, n);
}

static void newline(struct nd_jsonw *w)
{
	static const char blanks[] = "                ";
	size_t left = (size_t)w->indent * (size_t)w->depth;

	add(w, "\n", 1);
	while (left) {
		size_t n = left < sizeof(blanks) - 1 ? left : sizeof(blanks) - 1;

		add(w, blanks, n);
		left -= n;
	}
}

/*
 * Unsafe characters are escaped although JSON would allow some of them as they are: the result
 * may be printed on a terminal. All of them are in the first plane.
 */
static void add_escape(struct nd_jsonw *w, uint32_t c)
{
	char text[8] = {'\\', 0};
	const char *short_form = c ? strchr("\"\"\\\\\nn\tt\rr\bb\ff", (int)c) : NULL;

	if (c < 0x80 && short_form) {
		text[1] = short_form[1];
		add(w, text, 2);
		return;
	}
	snprintf(text, sizeof(text), "\\u%04x", (unsigned)(c & 0xffff));
	add(w, text, 6);
}

static void add_string(struct nd_jsonw *w, const char *p, size_t n)
{
	size_t start = 0, i = 0;

	add(w, "\"", 1);
	while (i < n) {
		uint32_t c;
		size_t len = nd_utf8_next(p + i, n - i, &c);

		if (len && c != '"' && c != '\\' && !nd_utf8_is_unsafe(c)) {
			i += len;
			continue;
		}
		add(w, p + start, i - start);
		if (len)
			add_escape(w, c);
		else
			add(w, "\xef\xbf\xbd", 3);
		i += len ? len : 1;
		start = i;
	}
	if (n > start)
		add(w, p + start, n - start);
	add(w, "\"", 1);
}

/* What stands before a value. */
static void lead(struct nd_jsonw *w, const char *key)
{
	if (w->depth > 0 && w->has_items)
		add(w, ",", 1);
	if (w->depth > 0 && w->indent > 0)
		newline(w);
	if (key) {
		add_string(w, key, strlen(key));
		add(w, ": ", w->indent > 0 ? 2 : 1);
	}
	w->has_items = true;
}

void nd_jsonw_begin(struct nd_jsonw *w, const char *key, char bracket)
{
	lead(w, key);
	add(w, &bracket, 1);
	w->depth++;
	w->has_items = false;
}

void nd_jsonw_end(struct nd_jsonw *w, char bracket)
{
	if (w->depth == 0)
		ND_BUG("nd_jsonw_end without nd_jsonw_begin");
	w->depth--;
	if (w->has_items && w->indent > 0)
		newline(w);
	add(w, &bracket, 1);
	w->has_items = true;
}

void nd_jsonw_str(struct nd_jsonw *w, const char *key, const char *value)
{
	nd_jsonw_strn(w, key, value, value ? strlen(value) : 0);
}

void nd_jsonw_strn(struct nd_jsonw *w, const char *key, const char *p, size_t n)
{
	if (!p && n == 0) {
		nd_jsonw_raw(w, key, "null", 4);
		return;
	}
	lead(w, key);
	add_string(w, p, n);
}

void nd_jsonw_int(struct nd_jsonw *w, const char *key, int64_t value)
{
	char text[24];

	nd_jsonw_raw(w, key, text, (size_t)snprintf(text, sizeof(text), "%" PRId64, value));
}

void nd_jsonw_uint(struct nd_jsonw *w, const char *key, uint64_t value)
{
	char text[24];

	nd_jsonw_raw(w, key, text, (size_t)snprintf(text, sizeof(text), "%" PRIu64, value));
}

void nd_jsonw_bool(struct nd_jsonw *w, const char *key, bool value)
{
	nd_jsonw_raw(w, key, value ? "true" : "false", value ? 4 : 5);
}

void nd_jsonw_raw(struct nd_jsonw *w, const char *key, const char *json, size_t n)
{
	lead(w, key);
	add(w, json, n);
}
