/*
 * text.h: slices of text, whole-string number parsing, and names made safe for a terminal.
 */
#ifndef ND_COMMON_TEXT_H
#define ND_COMMON_TEXT_H

#include "common/base.h"

/* A slice: n bytes at p, not ended by NUL, not owned. */
struct nd_str {
	const char *p;
	size_t n;
};

#define ND_STR(literal) ((struct nd_str){(literal), sizeof(literal) - 1})
static inline struct nd_str nd_str(const char *s)
{
	return (struct nd_str){s, s ? strlen(s) : 0};
}
bool nd_str_eq(struct nd_str s, const char *literal);
bool nd_str_starts(struct nd_str s, const char *literal);
struct nd_str nd_str_trim(struct nd_str s); /* blanks and line ends off both sides */
/* Cut the next line (without its end) or blank-separated word off *rest; false at the end. */
bool nd_str_line(struct nd_str *rest, struct nd_str *line);
bool nd_str_word(struct nd_str *rest, struct nd_str *word);

static inline bool nd_eq(const char *a, const char *b)
{
	return a && b && (a == b || (*a == *b && strcmp(a, b) == 0));
}
static inline bool nd_starts(const char *s, const char *prefix)
{
	return s && strncmp(s, prefix, strlen(prefix)) == 0;
}
static inline bool nd_ends(const char *s, const char *suffix)
{
	size_t n = s ? strlen(s) : 0, m = strlen(suffix);
	return s && n >= m && strcmp(s + n - m, suffix) == 0;
}

/* The whole slice must be a number in [min, max]; base 10, or 16 for _hex (0x may stand before). */
bool nd_parse_u64(struct nd_str s, uint64_t max, uint64_t *out);
bool nd_parse_i64(struct nd_str s, int64_t min, int64_t max, int64_t *out);
bool nd_parse_hex(struct nd_str s, uint64_t max, uint64_t *out); /* false: *out is untouched */

/* The character at p, n bytes left: its length in bytes (1..4), or 0 where it is not UTF-8. */
size_t nd_utf8_next(const char *p, size_t n, uint32_t *codepoint);
/* Control characters, DEL, C1, bidi marks and overrides, line and paragraph separators. */
bool nd_utf8_is_unsafe(uint32_t codepoint);

/*
 * Copy src into dst (size bytes with NUL) so that a terminal cannot be driven by it: control
 * characters, DEL, C1, bidi overrides and bytes that are not UTF-8 become '?'. Cut with "...".
 */
const char *nd_text_safe(char *dst, size_t size, const char *src);

#endif
