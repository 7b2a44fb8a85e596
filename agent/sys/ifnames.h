/*
 * ifnames.h: the names of the interfaces of one namespace, by index, for routes and neighbours
 * that say only the index.
 */
#ifndef ND_AGENT_SYS_IFNAMES_H
#define ND_AGENT_SYS_IFNAMES_H

#include "common/base.h"

#include "common/buf.h"

struct nd_ifname {
	uint32_t index;
	char name[16]; /* ends with NUL; kernel: IFNAMSIZ */
};

struct nd_ifnames {
	struct nd_ifname *items; /* items[nitems], sorted by index; owned */
	size_t nitems;
	size_t cap;
};

/* From a dump of RTM_GETLINK; what was there before is forgotten. */
void nd_ifnames_load(struct nd_ifnames *names, const struct nd_buf *raw);
const char *nd_ifnames_find(const struct nd_ifnames *names, uint32_t index); /* may be NULL */
void nd_ifnames_free(struct nd_ifnames *names);

#endif
