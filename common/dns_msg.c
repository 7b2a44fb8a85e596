#include "common/base.h"

#include "common/dns_msg.h"

enum { HEADER = 12, QUESTION_END = 4, RECORD_HEAD = 10, MAX_LABEL = 63, CLASS_IN = 1 };
/* Bits of the second 16 bits of the header. */
enum { QR = 0x8000, OPCODE = 0x7800, TC = 0x0200, RD = 0x0100, RCODE = 0x000f };

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, unsigned value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

/* The label at s without its dot: its length, 0: none. */
static size_t label_len(const char *s)
{
	size_t n = 0;

	while (is_name_char(s[n]))
		n++;
	return n <= MAX_LABEL && (s[n] == '.' || s[n] == '\0') ? n : 0;
}

bool nd_dns_name_ok(const char *name)
{
	size_t len = strlen(name);

	if (strcmp(name, ".") == 0)
		return true;
	if (len && name[len - 1] == '.')
		len--;
	if (len == 0 || len > ND_DNS_MAX_NAME)
		return false;
	for (const char *s = name; *s;) {
		size_t n = label_len(s);

		if (n == 0)
			return false;
		s += n + (s[n] == '.');
	}
	return true;
}

size_t nd_dns_query_build(uint8_t msg[ND_DNS_MAX_QUERY], uint16_t id, const char *name,
			  uint16_t type)
{
	size_t at = HEADER;

	if (!nd_dns_name_ok(name))
		return 0;
	memset(msg, 0, HEADER);
	put16(msg, id);
	put16(msg + 2, RD);
	put16(msg + 4, 1);
	for (const char *s = name; *s && *s != '.';) {
		size_t n = label_len(s);

		msg[at++] = (uint8_t)n;
		memcpy(msg + at, s, n);
		at += n;
		s += n + (s[n] == '.');
	}
	msg[at++] = 0;
	put16(msg + at, type);
	put16(msg + at + 2, CLASS_IN);
	return at + QUESTION_END;
}

static uint8_t lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/*
 * Label lengths are below 'A', so that folding the case of all bytes changes only letters; type
 * and class are compared as they are.
 */
static bool same_question(const uint8_t *a, const uint8_t *b, size_t n)
{
	for (size_t i = 0; i + QUESTION_END < n; i++)
		if (lower(a[i]) != lower(b[i]))
			return false;
	return memcmp(a + n - QUESTION_END, b + n - QUESTION_END, QUESTION_END) == 0;
}

/* What follows the name at *at: a pointer ends it, and need not be followed. */
static bool skip_name(const uint8_t *p, size_t n, size_t *at)
{
	while (*at < n) {
		uint8_t len = p[*at];

		if (len == 0) {
			(*at)++;
			return true;
		}
		if ((len & 0xc0) == 0xc0) {
			*at += 2;
			return *at <= n;
		}
		if (len > MAX_LABEL)
			return false;
		*at += 1u + len;
	}
	return false;
}

/* False: the records end before their count does. */
static bool count_answers(const uint8_t *p, size_t n, size_t at, uint16_t type, uint16_t *count)
{
	for (unsigned left = get16(p + 6); left > 0; left--) {
		const uint8_t *record;
		size_t len;

		if (!skip_name(p, n, &at) || n - at < RECORD_HEAD)
			return false;
		record = p + at;
		len = get16(record + 8);
		at += RECORD_HEAD;
		if (n - at < len)
			return false;
		at += len;
		if (get16(record) == type && get16(record + 2) == CLASS_IN &&
		    len == (type == ND_DNS_A ? 4u : 16u))
			(*count)++;
	}
	return true;
}

bool nd_dns_reply_parse(const uint8_t *p, size_t n, const uint8_t *query, size_t nquery,
			struct nd_dns_reply *out)
{
	struct nd_dns_reply reply = {0};
	unsigned flags, questions;

	if (n < HEADER || nquery < HEADER + 1 + QUESTION_END || get16(p) != get16(query))
		return false;
	flags = get16(p + 2);
	questions = get16(p + 4);
	if (!(flags & QR) || (flags & OPCODE) || questions > 1)
		return false;
	reply.rcode = flags & RCODE;
	reply.is_truncated = flags & TC;
	if (questions == 0) {
		if (reply.rcode == ND_DNS_NOERROR)
			return false;
	} else if (n < nquery || !same_question(p + HEADER, query + HEADER, nquery - HEADER)) {
		return false;
	} else if (!count_answers(p, n, nquery, get16(query + nquery - QUESTION_END),
				  &reply.answers) &&
		   !reply.is_truncated) {
		return false;
	}
	*out = reply;
	return true;
}
