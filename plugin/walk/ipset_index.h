/*
 * ipset_index.h: what walk/ipset_book.c makes and walk/ipset.c looks at. Private to them.
 */
#ifndef ND_PLUGIN_WALK_IPSET_INDEX_H
#define ND_PLUGIN_WALK_IPSET_INDEX_H

#include "plugin/walk/eval_run.h"
#include "plugin/walk/ipset.h"

#define ND_IPSET_MAX_NETS 129 /* lengths of networks: 0..128 */

/*
 * Elements by what they have in common: all parts but interface and hardware address. Those that
 * share it are linked by next.
 */
struct nd_ipset_index {
	const struct nd_ipset *set;
	size_t key_bytes; /* behind the flags */
	uint32_t *slots;  /* nslots, a power of two: element + 1, 0 free */
	size_t nslots;
	uint32_t *next;			    /* of each element: another + 1 with its key, or 0 */
	uint8_t nets[2][ND_IPSET_MAX_NETS]; /* lengths of the first and second network, longest
					       first */
	size_t nnets[2];
	const struct nd_ipset_index **members; /* set->nmembers, of list:set; NULL: not known */
	bool is_ready;
};

/* The first element with this key + 1, or 0. */
uint32_t nd_ipset_first(const struct nd_ipset_index *index, const uint8_t *key);

#endif
