#include "common/base.h"

#include "plugin/kube/base64.h"

static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool nd_base64_decode(struct nd_arena *arena, struct nd_str text, struct nd_str *out)
{
	unsigned char *dst = nd_arena_alloc(arena, text.n / 4 * 3 + 4);
	uint32_t bits = 0;
	size_t n = 0, nchars = 0, npad = 0;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '\n' || c == '\r')
			continue;
		const char *at = c ? strchr(ALPHABET, c) : NULL;
		if (c == '=' && nchars % 4 >= 2)
			npad++;
		else if (!at || npad > 0)
			return false;
		bits = bits << 6 | (at ? (uint32_t)(at - ALPHABET) : 0);
		if (++nchars % 4 != 0)
			continue;
		dst[n++] = (unsigned char)(bits >> 16);
		dst[n++] = (unsigned char)(bits >> 8);
		dst[n++] = (unsigned char)bits;
	}
	if (nchars % 4 != 0 || npad > 2)
		return false;
	n -= npad;
	dst[n] = '\0';
	*out = (struct nd_str){(const char *)dst, n};
	return true;
}

char *nd_base64_encode(struct nd_arena *arena, struct nd_str bytes)
{
	const unsigned char *p = (const unsigned char *)bytes.p;
	char *dst = nd_arena_alloc(arena, (bytes.n + 2) / 3 * 4 + 1), *at = dst;

	for (size_t i = 0; i < bytes.n; i += 3) {
		size_t left = bytes.n - i;
		uint32_t bits = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
				(left > 2 ? p[i + 2] : 0);

		*at++ = ALPHABET[bits >> 18];
		*at++ = ALPHABET[bits >> 12 & 63];
		*at++ = left > 1 ? ALPHABET[bits >> 6 & 63] : '=';
		*at++ = left > 2 ? ALPHABET[bits & 63] : '=';
	}
	return dst;
}
