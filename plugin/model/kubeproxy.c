#include "common/base.h"

#include "common/sha256.h"
#include "plugin/model/look.h"

#include <ctype.h>

#define HASH_CHARS 16

/* The first 16 characters of RFC 4648 base32: 10 bytes of the digest. */
static void base32_16(const uint8_t digest[32], char out[HASH_CHARS + 1])
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

	for (size_t i = 0; i < HASH_CHARS; i++) {
		size_t bit = i * 5, byte = bit / 8;
		unsigned pair = (unsigned)digest[byte] << 8 | digest[byte + 1];

		out[i] = alphabet[pair >> (11 - bit % 8) & 31];
	}
	out[HASH_CHARS] = '\0';
}

static void add(struct nd_sha256 *hash, const char *text)
{
	if (text)
		nd_sha256_add(hash, text, strlen(text));
}

/*
 * kubernetes pkg/proxy/iptables/proxier.go, portProtoHash and servicePortEndpointChainName:
 * sha256 of "ns/name[:port]" + lower-case protocol [+ "ip:port" of the endpoint].
 */
void nd_kubeproxy_chain(char dst[32], const char *prefix, const char *ns, const char *service,
			const char *port_name, const char *protocol, const char *ip_port)
{
	struct nd_sha256 hash;
	uint8_t digest[32];
	char text[HASH_CHARS + 1];

	nd_sha256_init(&hash);
	add(&hash, ns);
	add(&hash, "/");
	add(&hash, service);
	if (port_name && port_name[0]) {
		add(&hash, ":");
		add(&hash, port_name);
	}
	for (const char *c = protocol ? protocol : ""; *c; c++) {
		char lower = (char)tolower((unsigned char)*c);

		nd_sha256_add(&hash, &lower, 1);
	}
	add(&hash, ip_port);
	nd_sha256_end(&hash, digest);
	base32_16(digest, text);
	snprintf(dst, 32, "%.15s%s", prefix, text);
}
