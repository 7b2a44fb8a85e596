/*
 * netlink.h: ask the kernel for lists over netlink, read only. Knows nothing of what is in them.
 *
 *	struct nd_nl nl = {.fd = -1};
 *	if (nd_nl_open(&nl, NETLINK_ROUTE, err) < 0 ||
 *	    nd_nl_dump(&nl, RTM_GETADDR, &req, sizeof(req), &raw, err) < 0)
 *		return -1;
 *	struct nd_nl_iter it = nd_nl_iter(&raw);
 *	const struct nlmsghdr *msg;
 *	while ((msg = nd_nl_next(&it)))
 *		nd_nl_attrs(msg, sizeof(struct ifaddrmsg), attrs, IFA_MAX);
 *
 * A dump is taken whole before anybody looks at it, so that one the kernel calls inconsistent
 * (NLM_F_DUMP_INTR) is taken again without a trace in the output. A socket stays in the network
 * namespace it was opened in, so one process can ask many namespaces without entering them again.
 */
#ifndef ND_AGENT_SYS_NETLINK_H
#define ND_AGENT_SYS_NETLINK_H

#include "common/base.h"

#include "common/buf.h"
#include "common/err.h"

#include <linux/netlink.h>

#define ND_NL_MAX_DUMP (48u << 20) /* bytes of one dump; more is ND_E_LIMIT */

struct nd_nl {
	int fd; /* -1: not open */
	uint32_t seq;
};

/* In the namespace the process is in now. ND_E_IO. */
int nd_nl_open(struct nd_nl *nl, int protocol, struct nd_err *err) ND_MUST_USE;
void nd_nl_close(struct nd_nl *nl);

/*
 * Send a dump request of this type with n bytes of header and take the whole answer into raw
 * (emptied first; its maximum is set here). ND_E_IO with the kernel's errno, ND_E_LIMIT,
 * ND_E_TIMEOUT when the kernel says nothing for 5 s, ND_E_INPUT.
 */
int nd_nl_dump(struct nd_nl *nl, uint16_t type, const void *request, size_t n, struct nd_buf *raw,
	       struct nd_err *err) ND_MUST_USE;

/*
 * The same for dumps that are not worth keeping: visit is called for each data message as it comes
 * and may end it by returning -1 with err set. A dump that changes while being read is ND_E_IO.
 */
int nd_nl_visit(struct nd_nl *nl, uint16_t type, const void *request, size_t n,
		int (*visit)(void *ctx, const struct nlmsghdr *msg, struct nd_err *err), void *ctx,
		struct nd_err *err) ND_MUST_USE;

/* Walk what nd_nl_dump left: data messages only, each wholly inside raw. */
struct nd_nl_iter {
	const char *p;
	size_t n; /* bytes left */
};
struct nd_nl_iter nd_nl_iter(const struct nd_buf *raw);
const struct nlmsghdr *nd_nl_next(struct nd_nl_iter *it); /* NULL at the end */

/* One attribute: len bytes at p; p is NULL when it was not there. */
struct nd_attr {
	const void *p;
	size_t len;
};
/*
 * Index the attributes behind a header of header_len bytes by type; attrs has max + 1 elements,
 * unknown types are passed over, of double ones the last counts. False: shorter than the header.
 */
bool nd_nl_attrs(const struct nlmsghdr *msg, size_t header_len, struct nd_attr *attrs, size_t max);
/* The same for n bytes of nested attributes. */
void nd_attr_index(const void *p, size_t n, struct nd_attr *attrs, size_t max);

/* Take the first attribute off a list of nested ones, whatever its type; false at the end. */
bool nd_attr_next(struct nd_attr *list, struct nd_attr *out);

/* Values; false or 0 when the attribute is missing or too short. */
bool nd_attr_u32(struct nd_attr attr, uint32_t *out);
uint32_t nd_attr_u32_or(struct nd_attr attr, uint32_t otherwise);
uint16_t nd_attr_u16_or(struct nd_attr attr, uint16_t otherwise);
uint8_t nd_attr_u8_or(struct nd_attr attr, uint8_t otherwise);
/* Text up to the first NUL, at most size - 1 bytes; returns dst, "" when missing. */
const char *nd_attr_text(struct nd_attr attr, char *dst, size_t size);

#endif
