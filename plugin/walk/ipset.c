/*
 * ipset.c: is a packet in an ipset? As ip_set_test() answers it; compared with 6.18. See the
 * kernel's net/netfilter/ipset: ip_set_core.c, ip_set_hash_gen.h, ip_set_hash_*.c,
 * ip_set_bitmap_*.c, ip_set_list_set.c, ip_set_getport.c.
 */
#include "common/base.h"

#include "plugin/walk/ipset_index.h"

/* NOMATCH: the element that decides says it is not in (the kernel's -ENOTEMPTY). */
enum answer { OUT, IN, NOMATCH, PERHAPS };

struct ask {
	struct nd_eval_run *run;
	const struct nd_ipset_use *use;
	const struct nd_ipset_index *index;
	uint8_t key[ND_IPSET_MAX_STRIDE];
	size_t net_at[2]; /* of the length of a network in key */
	size_t nnets;
	struct nd_ip net_ip[2];
	const char *dev; /* hash:net,iface */
};

static enum answer perhaps(struct nd_eval_run *run, const struct nd_ipset_use *use, const char *why)
{
	run->why = nd_arena_printf(run->eval->arena, "the ipset %s: %s", use->name, why);
	return PERHAPS;
}

static void mask_ip(const struct nd_ip *ip, size_t bits, uint8_t *out)
{
	size_t width = ip->family == 6 ? 16 : 4;

	memset(out, 0, width);
	memcpy(out, ip->bytes, bits / 8);
	if (bits % 8)
		out[bits / 8] = (uint8_t)(ip->bytes[bits / 8] & (0xff00 >> bits % 8));
}

/* ---- the parts of a packet ---- */

/* ip_set_get_ip4_port(): type and code of ICMP, 0 of what has no ports. False: none to be had. */
static bool put_port(const struct ask *ask, bool is_src, uint8_t *out)
{
	const struct nd_pkt *packet = ask->run->packet;
	uint16_t port = 0;

	switch (packet->proto) {
	case ND_PROTO_TCP:
	case ND_PROTO_UDP:
	case ND_PROTO_SCTP:
	case 136: /* UDP-Lite */
		port = is_src ? packet->t.sport : packet->t.dport;
		break;
	case ND_PROTO_ICMP:
	case ND_PROTO_ICMP6:
		port = (uint16_t)(packet->icmp_type << 8 | packet->icmp_code);
		break;
	default:
		break;
	}
	out[0] = packet->proto;
	out[1] = (uint8_t)(port >> 8);
	out[2] = (uint8_t)port;
	if (!ask->index->set->is_bitmap)
		return true;
	out[0] = 0;
	return packet->proto == ND_PROTO_TCP || packet->proto == ND_PROTO_UDP;
}

static void put_mark(const struct ask *ask, uint8_t *out)
{
	uint32_t mark = ask->run->packet->mark & ask->index->set->mark_mask;

	for (size_t i = 4; i-- > 0; mark >>= 8)
		out[i] = (uint8_t)mark;
}

static void put_ip(const struct ask *ask, size_t i, const struct nd_ip *ip, uint8_t *out)
{
	const struct nd_ipset *set = ask->index->set;
	size_t width = set->family == 6 ? 16 : 4;

	memcpy(out, ip->bytes, width);
	for (size_t k = 0; i == 0 && set->has_mask && k < width; k++)
		out[k] &= set->mask[k];
}

/* One part into key + at; its bytes, -1: the packet has none, so it is in no such set. */
static int put_part(struct ask *ask, size_t i, size_t at)
{
	const struct nd_ipset *set = ask->index->set;
	const struct nd_tuple *t = &ask->run->packet->t;
	bool is_src = ask->use->is_src[i];
	int width = set->family == 6 ? 16 : 4;

	switch (set->parts[i]) {
	case ND_IPSET_IP:
		put_ip(ask, i, is_src ? &t->src : &t->dst, ask->key + at);
		return width;
	case ND_IPSET_NET:
		ask->net_at[ask->nnets] = at;
		ask->net_ip[ask->nnets++] = is_src ? t->src : t->dst;
		return width + 1;
	case ND_IPSET_PORT:
		return put_port(ask, is_src, ask->key + at) ? 3 : -1;
	case ND_IPSET_MARK:
		put_mark(ask, ask->key + at);
		return 4;
	case ND_IPSET_IFACE:
		ask->dev = is_src ? nd_eval_iif(ask->run) : nd_eval_oif(ask->run);
		return ask->dev && *ask->dev ? 0 : -1;
	default: /* hardware address */
		return 0;
	}
}

/* ---- elements ---- */

static bool has_iface(const uint8_t *element, size_t stride, const char *dev)
{
	const char *name = (const char *)element + stride - 16;
	size_t n = strnlen(name, 15);

	return element[0] & ND_IPSET_WILDCARD ? strncmp(name, dev, n) == 0
					      : strnlen(dev, 16) == n && memcmp(name, dev, n) == 0;
}

/* Of elements with this key. *is_there: there is one, though perhaps of another interface. */
static enum answer find_key(struct ask *ask, bool *is_there)
{
	const struct nd_ipset_index *index = ask->index;
	const struct nd_ipset *set = index->set;
	uint32_t at = nd_ipset_first(index, ask->key);
	enum answer all = OUT;

	*is_there = at != 0;
	for (; at; at = index->next[at - 1]) {
		const uint8_t *element = set->elements + (size_t)(at - 1) * set->stride;
		enum answer one = element[0] & ND_IPSET_NOMATCH ? NOMATCH : IN;

		if (ask->dev && !has_iface(element, set->stride, ask->dev))
			continue;
		/* The kernel takes the one that its hash has first. */
		if (all != OUT && all != one)
			return perhaps(ask->run, ask->use,
				       "two elements, one of them nomatch, are as good");
		all = one;
	}
	if (set->parts[set->nparts - 1] == ND_IPSET_MAC && all != OUT)
		return perhaps(ask->run, ask->use, "hardware addresses of packets are not known");
	return all;
}

static void put_net(struct ask *ask, size_t k, size_t i)
{
	uint8_t bits = ask->index->nets[k][i], *out = ask->key + ask->net_at[k];

	out[0] = bits;
	mask_ip(&ask->net_ip[k], bits, out + 1);
}

/*
 * mtype_test_cidrs(): the lengths of the first network, longest first, and for each those of the
 * second. With interfaces the search ends at the first network that is there, also when none of its
 * interfaces is the one (hash_netiface4_data_equal() counts in *multi what ends the loop).
 */
static enum answer find_nets(struct ask *ask)
{
	const struct nd_ipset_index *index = ask->index;
	size_t nsecond = ask->nnets > 1 ? index->nnets[1] : 1;

	for (size_t i = 0; i < index->nnets[0]; i++) {
		put_net(ask, 0, i);
		for (size_t k = 0; k < nsecond; k++) {
			enum answer got;
			bool is_there;

			if (ask->nnets > 1)
				put_net(ask, 1, k);
			got = find_key(ask, &is_there);
			if (got != OUT || (ask->dev && is_there))
				return got;
		}
	}
	return OUT;
}

/* ---- sets ---- */

static enum answer test_one(struct nd_eval_run *run, const struct nd_ipset_use *use,
			    const struct nd_ipset_index *index)
{
	const struct nd_ipset *set = index->set;
	struct ask ask = {.run = run, .use = use, .index = index};
	size_t at = 0;
	bool is_there;

	if (set->nparts == 0)
		return perhaps(run, use, set->unknown ? set->unknown : "its type is not known");
	if (use->ndirs < set->nparts || (set->family && set->family != run->packet->family))
		return OUT;
	if (set->unknown)
		return perhaps(run, use, set->unknown);
	for (size_t i = 0; i < set->nparts; i++) {
		int n = put_part(&ask, i, at);

		if (n < 0)
			return OUT;
		at += (size_t)n;
	}
	return ask.nnets ? find_nets(&ask) : find_key(&ask, &is_there);
}

/* --return-nomatch: what holds does not, and what is marked does; of sets that have such marks. */
static bool holds(const struct nd_ipset_use *use, const struct nd_ipset *set, enum answer got)
{
	bool has_nets = false;

	for (size_t i = 0; i < set->nparts; i++)
		has_nets |= set->parts[i] == ND_IPSET_NET;
	return use->returns_nomatch && has_nets ? got == NOMATCH : got == IN;
}

/* One after the other; the list as such has no flags. */
static enum nd_tri test_list(struct nd_eval_run *run, const struct nd_ipset_use *use)
{
	const struct nd_ipset_index *list = use->set;
	bool is_perhaps = list->set->unknown != NULL;

	if (is_perhaps)
		perhaps(run, use, list->set->unknown);
	for (size_t i = 0; i < list->set->nmembers; i++) {
		enum answer got = list->members[i]
					  ? test_one(run, use, list->members[i])
					  : perhaps(run, use, "one of its sets is not known");

		is_perhaps |= got == PERHAPS;
		if (got != PERHAPS && holds(use, list->members[i]->set, got))
			return ND_YES;
	}
	return is_perhaps ? ND_PERHAPS : ND_NO;
}

static enum nd_tri test_set(struct nd_eval_run *run, const struct nd_ipset_use *use)
{
	enum answer got;

	if (!use->set) {
		perhaps(run, use, "its elements are not known");
		return ND_PERHAPS;
	}
	if (use->set->set->parts[0] == ND_IPSET_SET)
		return use->ndirs ? test_list(run, use) : ND_NO;
	got = test_one(run, use, use->set);
	if (got == PERHAPS)
		return ND_PERHAPS;
	return holds(use, use->set->set, got) ? ND_YES : ND_NO;
}

enum nd_tri nd_ipset_run(struct nd_eval_run *run, const struct nd_rstep *step)
{
	enum nd_tri got = test_set(run, step->ipset);

	if (got == ND_PERHAPS)
		return got;
	return (got == ND_YES) == (step->op == ND_IN_IPSET) ? ND_YES : ND_NO;
}
