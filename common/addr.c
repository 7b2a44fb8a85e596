#include "common/base.h"

#include "common/addr.h"
#include "common/text.h"

#include <arpa/inet.h>

static uint8_t bits_of(uint8_t family)
{
	return family == 4 ? 32 : family == 6 ? 128 : 0;
}

/* The first len bits are the same; len past the end of an address means all. */
static bool same_bits(struct nd_ip a, struct nd_ip b, uint8_t len)
{
	size_t whole, rest;

	if (a.family != b.family)
		return false;
	if (a.family == 4) { /* nearly all, and asked for all the time */
		uint32_t x, y;

		memcpy(&x, a.bytes, sizeof(x));
		memcpy(&y, b.bytes, sizeof(y));
		return x == y || len == 0 || (len < 32 && ntohl(x ^ y) >> (32 - len) == 0);
	}
	if (len > bits_of(a.family))
		len = bits_of(a.family);
	whole = len / 8;
	rest = len % 8;
	if (memcmp(a.bytes, b.bytes, whole) != 0)
		return false;
	return rest == 0 || ((a.bytes[whole] ^ b.bytes[whole]) >> (8 - rest)) == 0;
}

bool nd_ip_parse(const char *text, struct nd_ip *out)
{
	struct nd_ip ip = {.family = 4};

	if (!text)
		return false;
	if (inet_pton(AF_INET, text, ip.bytes) != 1) {
		ip = (struct nd_ip){.family = 6};
		if (inet_pton(AF_INET6, text, ip.bytes) != 1)
			return false;
	}
	*out = ip;
	return true;
}

bool nd_prefix_parse(const char *text, struct nd_prefix *out)
{
	struct nd_prefix prefix = {0};
	const char *slash = text ? strchr(text, '/') : NULL;
	char ip[ND_IP_TEXT];
	uint64_t len;

	if (!slash) {
		if (!nd_ip_parse(text, &prefix.ip))
			return false;
		prefix.len = bits_of(prefix.ip.family);
		*out = prefix;
		return true;
	}
	if ((size_t)(slash - text) >= sizeof(ip))
		return false;
	memcpy(ip, text, (size_t)(slash - text));
	ip[slash - text] = '\0';
	/* As Go's netip.ParsePrefix: no "/08". */
	if (!nd_ip_parse(ip, &prefix.ip) || (slash[1] == '0' && slash[2]) ||
	    !nd_parse_u64(nd_str(slash + 1), bits_of(prefix.ip.family), &len))
		return false;
	prefix.len = (uint8_t)len;
	*out = prefix;
	return true;
}

static void text4(const uint8_t bytes[4], char *dst)
{
	for (size_t i = 0; i < 4; i++) {
		uint8_t b = bytes[i];

		if (b >= 100)
			*dst++ = (char)('0' + b / 100);
		if (b >= 10)
			*dst++ = (char)('0' + b / 10 % 10);
		*dst++ = (char)('0' + b % 10);
		*dst++ = i < 3 ? '.' : '\0';
	}
}

const char *nd_ip_text(struct nd_ip ip, char dst[ND_IP_TEXT])
{
	dst[0] = '\0';
	if (ip.family == 4) /* inet_ntop() takes five times as long */
		text4(ip.bytes, dst);
	else if (bits_of(ip.family) && !inet_ntop(AF_INET6, ip.bytes, dst, ND_IP_TEXT))
		ND_BUG("an address longer than ND_IP_TEXT");
	return dst;
}

const char *nd_prefix_text(struct nd_prefix prefix, char dst[ND_PREFIX_TEXT])
{
	char ip[ND_IP_TEXT];

	dst[0] = '\0';
	if (bits_of(prefix.ip.family))
		snprintf(dst, ND_PREFIX_TEXT, "%s/%u", nd_ip_text(prefix.ip, ip), prefix.len);
	return dst;
}

bool nd_ip_eq(struct nd_ip a, struct nd_ip b)
{
	return same_bits(a, b, 128);
}

bool nd_prefix_has(struct nd_prefix prefix, struct nd_ip ip)
{
	return bits_of(ip.family) && same_bits(prefix.ip, ip, prefix.len);
}

bool nd_prefix_covers(struct nd_prefix outer, struct nd_prefix inner)
{
	return outer.len <= inner.len && nd_prefix_has(outer, inner.ip);
}

bool nd_prefix_overlaps(struct nd_prefix a, struct nd_prefix b)
{
	return nd_prefix_covers(a, b) || nd_prefix_covers(b, a);
}

bool nd_prefix_eq(struct nd_prefix a, struct nd_prefix b)
{
	return a.len == b.len && same_bits(a.ip, b.ip, a.len);
}

struct nd_ip nd_prefix_at(struct nd_prefix prefix, uint32_t n)
{
	struct nd_ip ip = prefix.ip;
	unsigned bits = bits_of(ip.family);
	unsigned host_bits = prefix.len < bits ? bits - prefix.len : 0;

	if (bits == 0 || (host_bits < 32 && n >> host_bits))
		return (struct nd_ip){0};
	for (unsigned bit = bits - host_bits; bit < bits; bit++)
		ip.bytes[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
	/* The host bits are clear and n fits into them: no carry can leave the four bytes. */
	for (unsigned i = 0; i < 4; i++)
		ip.bytes[bits / 8 - 1 - i] |= (uint8_t)(n >> 8 * i);
	return ip;
}
