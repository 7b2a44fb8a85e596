#include "common/base.h"

#include "common/text.h"

bool nd_str_eq(struct nd_str s, const char *literal)
{
	size_t n = strlen(literal);

	return s.n == n && (n == 0 || memcmp(s.p, literal, n) == 0);
}

bool nd_str_starts(struct nd_str s, const char *literal)
{
	size_t n = strlen(literal);

	return s.n >= n && (n == 0 || memcmp(s.p, literal, n) == 0);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct nd_str skip(struct nd_str s, size_t n)
{
	/* n == 0 also keeps a NULL p out of the arithmetic. */
	return n ? (struct nd_str){s.p + n, s.n - n} : s;
}

static struct nd_str skip_blanks(struct nd_str s)
{
	size_t i = 0;

	while (i < s.n && is_blank(s.p[i]))
		i++;
	return skip(s, i);
}

struct nd_str nd_str_trim(struct nd_str s)
{
	s = skip_blanks(s);
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool nd_str_line(struct nd_str *rest, struct nd_str *line)
{
	const char *end;
	size_t n;

	if (rest->n == 0)
		return false;
	end = memchr(rest->p, '\n', rest->n);
	n = end ? (size_t)(end - rest->p) : rest->n;
	*line = (struct nd_str){rest->p, n};
	if (end && n && line->p[n - 1] == '\r')
		line->n--;
	*rest = skip(*rest, end ? n + 1 : n);
	return true;
}

bool nd_str_word(struct nd_str *rest, struct nd_str *word)
{
	size_t n = 0;

	*rest = skip_blanks(*rest);
	if (rest->n == 0)
		return false;
	while (n < rest->n && !is_blank(rest->p[n]))
		n++;
	*word = (struct nd_str){rest->p, n};
	*rest = skip(*rest, n);
	return true;
}

/* The value of a digit, or 16. */
static unsigned digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return 16;
}

static bool parse_digits(struct nd_str s, unsigned base, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned digit = digit_value(s.p[i]);

		if (digit >= base || __builtin_mul_overflow(value, (uint64_t)base, &value) ||
		    __builtin_add_overflow(value, (uint64_t)digit, &value) || value > max)
			return false;
	}
	*out = value;
	return true;
}

bool nd_parse_u64(struct nd_str s, uint64_t max, uint64_t *out)
{
	return parse_digits(s, 10, max, out);
}

bool nd_parse_i64(struct nd_str s, int64_t min, int64_t max, int64_t *out)
{
	bool is_negative = s.n && s.p[0] == '-';
	uint64_t size;
	int64_t value;

	if (!parse_digits(skip(s, is_negative), 10, (uint64_t)INT64_MAX + is_negative, &size))
		return false;
	/* Negated as unsigned: INT64_MIN has no positive counterpart. */
	value = (int64_t)(is_negative ? 0 - size : size);
	if (value < min || value > max)
		return false;
	*out = value;
	return true;
}

bool nd_parse_hex(struct nd_str s, uint64_t max, uint64_t *out)
{
	if (nd_str_starts(s, "0x") || nd_str_starts(s, "0X"))
		s = skip(s, 2);
	return parse_digits(s, 16, max, out);
}

size_t nd_utf8_next(const char *p, size_t n, uint32_t *codepoint)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t first = n ? (uint8_t)p[0] : 0xff;
	size_t len = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	uint32_t value;

	if (len == 0 || len > n || first > 0xf4)
		return 0;
	value = len == 1 ? first : first & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if (((uint8_t)p[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | ((uint8_t)p[i] & 0x3f);
	}
	/* Longer than needed, a surrogate, or past the last one: RFC 3629 section 3. */
	if (value < least[len] || (value >= 0xd800 && value <= 0xdfff) || value > 0x10ffff)
		return 0;
	*codepoint = value;
	return len;
}

bool nd_utf8_is_unsafe(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x61c || c == 0x200e || c == 0x200f ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

const char *nd_text_safe(char *dst, size_t size, const char *src)
{
	size_t left = src ? strlen(src) : 0, n = 0, cut = 0;

	if (size == 0)
		return "";
	while (left) {
		uint32_t c;
		size_t len = nd_utf8_next(src, left, &c);
		bool is_good = len && !nd_utf8_is_unsafe(c);
		size_t put = is_good ? len : 1;

		if (n + put > size - 1) {
			/* cut: the last place where the dots still fit behind a whole character */
			memset(dst + cut, '.', size - 1 - cut < 3 ? size - 1 - cut : 3);
			n = size - 1 - cut < 3 ? size - 1 : cut + 3;
			break;
		}
		if (is_good)
			memcpy(dst + n, src, len);
		else
			dst[n] = '?';
		n += put;
		if (n + 3 <= size - 1)
			cut = n;
		src += len ? len : 1;
		left -= len ? len : 1;
	}
	dst[n] = '\0';
	return dst;
}
