/*
 * dns_msg.h: one DNS question and its answer (RFC 1035), as bytes. Knows no sockets.
 *
 *	uint8_t msg[ND_DNS_MAX_QUERY];
 *	size_t n = nd_dns_query_build(msg, id, "kubernetes.default.svc.cluster.local.", ND_DNS_A);
 *	...send, receive into reply...
 *	struct nd_dns_reply reply;
 *	if (nd_dns_reply_parse(p, len, msg, n, &reply)) ...reply.rcode, reply.answers...
 */
#ifndef ND_COMMON_DNS_MSG_H
#define ND_COMMON_DNS_MSG_H

#include "common/base.h"

#define ND_DNS_MAX_NAME 253  /* characters without the last dot; RFC 1035 2.3.4 */
#define ND_DNS_MAX_QUERY 271 /* header 12, name 255, type 2, class 2 */
#define ND_DNS_MAX_MSG 65535 /* over TCP */

enum { ND_DNS_A = 1, ND_DNS_AAAA = 28 };
enum {
	ND_DNS_NOERROR,
	ND_DNS_FORMERR,
	ND_DNS_SERVFAIL,
	ND_DNS_NXDOMAIN,
	ND_DNS_NOTIMP,
	ND_DNS_REFUSED
};

struct nd_dns_reply {
	uint8_t rcode;	   /* 0..15 */
	bool is_truncated; /* TC: ask again over TCP */
	uint16_t answers;  /* records of the type asked for, of class IN */
};

/*
 * Labels of letters, digits, '-' and '_', each of 1..63; a last dot may be there; "." is the
 * root.
 */
bool nd_dns_name_ok(const char *name);
/* A standard query, recursion desired. Bytes written, 0: not a name. */
size_t nd_dns_query_build(uint8_t msg[ND_DNS_MAX_QUERY], uint16_t id, const char *name,
			  uint16_t type);
/*
 * Is p[n] a whole answer to that query (same id, same question but for the case of letters)?
 * False: it is none, or it is broken; *out is untouched. An answer without a question is taken
 * only with an rcode (servers that refuse leave it out), a cut list of records only with TC.
 */
bool nd_dns_reply_parse(const uint8_t *p, size_t n, const uint8_t *query, size_t nquery,
			struct nd_dns_reply *out);

#endif
