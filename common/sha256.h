/* sha256.h: FIPS 180-4; the agent has no crypto library, and kube-proxy's chain names need it. */
#ifndef ND_COMMON_SHA256_H
#define ND_COMMON_SHA256_H

#include "common/base.h"

struct nd_sha256 {
	uint32_t state[8];
	uint64_t total_bytes;
	uint8_t block[64];
};

void nd_sha256_init(struct nd_sha256 *h);
void nd_sha256_add(struct nd_sha256 *h, const void *p, size_t n);
void nd_sha256_end(struct nd_sha256 *h, uint8_t digest[32]);
/* 64 lower-case hex digits and NUL. */
void nd_sha256_hex(const void *p, size_t n, char hex[65]);
void nd_sha256_text(const uint8_t digest[32], char hex[65]);

#endif
