/*
 * offload.h: which offloads of an interface are on, by ethtool's ioctl: one call an interface,
 * and two at the start for the names of the bits, which differ between kernels.
 */
#ifndef ND_AGENT_SYS_OFFLOAD_H
#define ND_AGENT_SYS_OFFLOAD_H

#include "common/base.h"

#include "common/jsonw.h"

#define ND_OFFLOAD_NKEYS 6
#define ND_OFFLOAD_MAX_BITS 256

struct nd_offload {
	uint32_t nbits;				 /* 0: the kernel does not say */
	uint8_t keys[ND_OFFLOAD_MAX_BITS];	 /* bit -> 1 + index of the key it counts for */
};

/* ifname: any interface of the namespace of fd. */
void nd_offload_init(struct nd_offload *offload, int fd, const char *ifname);
/* "features": {...}; nothing when the interface does not answer. */
void nd_offload_write(const struct nd_offload *offload, int fd, const char *ifname,
		      struct nd_jsonw *w);

#endif
