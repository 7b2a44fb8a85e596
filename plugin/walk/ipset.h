/*
 * ipset.h: the ipsets of one host, to be asked what the kernel would be. An index of a set is made
 * when the first rule names it: a node may have sets that no rule looks at.
 *
 *	struct nd_ipset_book *book = nd_ipset_book_new(&arena, host);
 *	use->set = nd_ipset_book_find(book, "KUBE-CLUSTER-IP");
 */
#ifndef ND_PLUGIN_WALK_IPSET_H
#define ND_PLUGIN_WALK_IPSET_H

#include "plugin/model/cluster.h"
#include "plugin/model/ruleset.h"

struct nd_ipset_book;
/* NULL: the host's section is not there, so nobody knows. */
struct nd_ipset_book *nd_ipset_book_new(struct nd_arena *arena, const struct nd_host *host);
/* NULL: there is no such set. */
const struct nd_ipset_index *nd_ipset_book_find(struct nd_ipset_book *book, const char *name);
/* Does some rule of iptables of the host look at the set, itself or in a list? */
bool nd_ipset_book_is_matched(struct nd_ipset_book *book, const char *name);

#endif
