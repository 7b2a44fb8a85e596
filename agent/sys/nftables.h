/*
 * nftables.h: which nf_tables tables there are, and whether iptables-nft-save can show one of them
 * whole. Over netlink, in the namespace of the socket; wants CAP_NET_ADMIN.
 *
 *	struct nd_nl nl = {.fd = -1};
 *	struct nd_nftables tables;
 *	if (nd_nl_open(&nl, NETLINK_NETFILTER, err) < 0 || nd_nftables_list(&nl, &tables, err) < 0)
 *		return -1;
 */
#ifndef ND_AGENT_SYS_NFTABLES_H
#define ND_AGENT_SYS_NFTABLES_H

#include "common/base.h"

#include "agent/sys/netlink.h"

enum { ND_NFTABLES_MAX = 64, ND_NFTABLES_NAME_MAX = 128 };

struct nd_nftables_table {
	const char *family; /* "ip", "inet", ... as nft says it; NULL: one we do not know */
	uint8_t nfproto;
	char name[ND_NFTABLES_NAME_MAX + 1]; /* "": too long, or not to be put on a command line */
	uint32_t use;			     /* chains, sets and objects in it */
};

struct nd_nftables {
	struct nd_nftables_table tables[ND_NFTABLES_MAX];
	size_t n;
};

/* ND_E_IO as nd_nl_visit; ND_E_LIMIT: more tables than there is room for. */
int nd_nftables_list(struct nd_nl *nl, struct nd_nftables *out, struct nd_err *err) ND_MUST_USE;

/* A table of the name and family that iptables (ip6tables) uses. */
bool nd_nftables_is_iptables(const struct nd_nftables_table *table);

/*
 * Whether iptables-nft-save shows all of such a table: its base chains are those of iptables, and
 * its rules are made of what iptables-nft makes rules of. False also when that cannot be read.
 */
bool nd_nftables_is_plain(struct nd_nl *nl, const struct nd_nftables_table *table);

#endif
