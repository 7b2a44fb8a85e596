#include "common/base.h"

#include "plugin/walk/eval_run.h"

#include <arpa/inet.h>

/*
 * Kernel: net/netfilter/nf_nat_core.c. A connection has two tuples; NAT is the difference between
 * the original one and the inverse of the reply. nd_nat_set() is nf_nat_setup_info(),
 * nd_nat_apply() is nf_nat_packet().
 */
struct target {
	struct nd_ip lo, hi; /* family 0: the address stays */
	uint16_t port_lo, port_hi;
};

bool nd_nat_is_dst(enum nd_hook hook)
{
	return hook == ND_PREROUTING || hook == ND_OUTPUT;
}

static bool is_icmp(uint8_t proto)
{
	return proto == ND_PROTO_ICMP || proto == ND_PROTO_ICMP6;
}

struct nd_tuple nd_tuple_invert(const struct nd_tuple *tuple, uint8_t proto)
{
	struct nd_tuple out = {tuple->dst, tuple->src, tuple->dport, tuple->sport};

	if (is_icmp(proto)) { /* the id is the same both ways */
		out.sport = tuple->sport;
		out.dport = tuple->dport;
	}
	return out;
}

static enum nd_nat_done unknown(struct nd_eval_run *run, const char *why)
{
	run->why = why;
	return ND_NAT_UNKNOWN;
}

/* dnat to ... map: address, port, or both. */
static enum nd_nat_done map_target(struct nd_eval_run *run, const struct nd_rstep *step,
				   struct target *out)
{
	const struct nd_nat *nat = &step->nat;
	const struct nd_set_item *item;
	enum nd_tri got = nd_lookup_run(run, step, nat->map, &item);
	size_t n = nat->map_addr_n;

	if (got == ND_PERHAPS)
		return ND_NAT_UNKNOWN;
	if (got == ND_NO)
		return ND_NAT_SKIP;
	if (!item || (n != 0 && n != 4 && n != 16) ||
	    (nat->map_port_n != 0 && nat->map_port_n != 2) || item->data.n != n + nat->map_port_n)
		return unknown(run, "a map of NAT targets that is not understood");
	if (n) {
		out->lo = (struct nd_ip){.family = n == 4 ? 4 : 6};
		memcpy(out->lo.bytes, item->data.bytes, n);
		out->hi = out->lo;
	}
	if (nat->map_port_n)
		out->port_lo = out->port_hi =
			(uint16_t)(item->data.bytes[n] << 8 | item->data.bytes[n + 1]);
	return ND_NAT_SET;
}

/* Kernel: nf_nat_redirect.c; without an address the packet is dropped. */
static enum nd_nat_done redirect_target(struct nd_eval_run *run, struct target *out)
{
	const struct nd_fib_ask *fib = run->eval->fib;
	uint8_t family = run->packet->family;

	if (run->hook == ND_OUTPUT) {
		nd_ip_parse(family == 4 ? "127.0.0.1" : "::1", &out->lo);
	} else {
		if (!fib || !fib->address_of)
			return unknown(run, "the address of the device is not known");
		if (run->packet->iif)
			out->lo = fib->address_of(fib->ctx, run->packet->iif, family);
		if (out->lo.family != family)
			return ND_NAT_DROP;
	}
	out->hi = out->lo;
	return ND_NAT_SET;
}

/* Kernel: nf_nat_masquerade.c. */
static enum nd_nat_done masquerade_target(struct nd_eval_run *run, struct target *out)
{
	const struct nd_fib_ask *fib = run->eval->fib;

	if (!fib || !fib->source_for)
		return unknown(run, "the address to masquerade with is not known");
	if (run->packet->oif)
		out->lo = fib->source_for(fib->ctx, run->packet->oif, run->packet->t.dst);
	run->packet->ct.masquerade_dev = run->packet->oif;
	if (out->lo.family != run->packet->family)
		return ND_NAT_DROP;
	out->hi = out->lo;
	return ND_NAT_SET;
}

static enum nd_nat_done find_target(struct nd_eval_run *run, const struct nd_rstep *step,
				    struct target *out)
{
	const struct nd_nat *nat = &step->nat;
	bool is_dst = step->kind == ND_DO_DNAT || step->kind == ND_DO_REDIRECT;

	if (is_dst != nd_nat_is_dst(run->hook) || run->base->chain->type != ND_CHAIN_NAT)
		return unknown(run, "NAT where the kernel has none of its kind");
	*out = (struct target){.port_lo = nat->port_lo, .port_hi = nat->port_hi};
	if (out->port_hi < out->port_lo)
		out->port_hi = out->port_lo;
	if (step->kind == ND_DO_REDIRECT || step->kind == ND_DO_MASQUERADE) {
		if (nat->map) { /* redirect to :port by map */
			enum nd_nat_done done = map_target(run, step, out);

			if (done != ND_NAT_SET)
				return done;
		}
		return step->kind == ND_DO_REDIRECT ? redirect_target(run, out)
						    : masquerade_target(run, out);
	}
	if (nat->map)
		return map_target(run, step, out);
	out->lo = nat->lo;
	out->hi = nat->hi.family ? nat->hi : nat->lo;
	return ND_NAT_SET;
}

static bool in_range(const struct target *target, struct nd_ip ip, uint16_t port)
{
	if (target->lo.family && (memcmp(ip.bytes, target->lo.bytes, 16) < 0 ||
				  memcmp(ip.bytes, target->hi.bytes, 16) > 0))
		return false;
	return target->port_lo == 0 || (port >= target->port_lo && port <= target->port_hi);
}

/* include/linux/jhash.h: jhash2() of four words. */
static uint32_t hash_words(const uint32_t k[4], uint32_t seed)
{
	uint32_t a = 0xdeadbeef + 16 + seed, b = a, c = a;
#define ROL(x, n) ((x) << (n) | (x) >> (32 - (n)))
	a += k[0], b += k[1], c += k[2];
	a -= c, a ^= ROL(c, 4), c += b;
	b -= a, b ^= ROL(a, 6), a += c;
	c -= b, c ^= ROL(b, 8), b += a;
	a -= c, a ^= ROL(c, 16), c += b;
	b -= a, b ^= ROL(a, 19), a += c;
	c -= b, c ^= ROL(b, 4), b += a;
	a += k[3];
	c ^= b, c -= ROL(b, 14);
	a ^= c, a -= ROL(c, 11);
	b ^= a, b -= ROL(a, 25);
	c ^= b, c -= ROL(b, 16);
	a ^= c, a -= ROL(c, 4);
	b ^= a, b -= ROL(a, 14);
	c ^= b, c -= ROL(b, 24);
#undef ROL
	return c;
}

/*
 * find_best_ips_proto(): which address of a range is no chance, the kernel hashes source and
 * destination without a secret. Words are as a little-endian machine loads them (x86, arm64).
 */
static void pick_address(const struct target *target, bool is_persistent,
			 const struct nd_tuple *tuple, struct nd_ip *ip)
{
	size_t nwords = ip->family == 4 ? 1 : 4;
	uint32_t src[4] = {0}, dst[4] = {0}, out[4] = {0}, lo[4], hi[4], hash;
	bool is_same = ip == &tuple->dst, is_free = false;

	memcpy(src, tuple->src.bytes, 4 * nwords);
	memcpy(dst, tuple->dst.bytes, 4 * nwords);
	memcpy(lo, target->lo.bytes, sizeof(lo));
	memcpy(hi, target->hi.bytes, sizeof(hi));
	hash = hash_words(src, is_persistent ? 0 : dst[nwords - 1]);
	for (size_t i = 0; i < nwords; i++) {
		uint32_t first = is_free ? 0 : ntohl(lo[i]);
		uint32_t n = is_free ? UINT32_MAX : ntohl(hi[i]) - first + 1;

		out[i] = htonl(first + (uint32_t)((uint64_t)hash * n >> 32));
		is_free = is_free || out[i] != hi[i];
		if (!is_persistent) /* the kernel writes a destination in place */
			hash ^= is_same ? out[i] : dst[i];
	}
	memcpy(ip->bytes, out, 4 * nwords);
}

/* get_unique_tuple(), for a port that nobody else uses. */
static void map_end(struct nd_eval_run *run, const struct nd_rstep *step,
		    const struct target *target, struct nd_tuple *tuple)
{
	bool is_dst = nd_nat_is_dst(run->hook), is_random = step->nat.is_random;
	struct nd_ip *ip = is_dst ? &tuple->dst : &tuple->src;
	uint16_t *port = is_dst ? &tuple->dport : &tuple->sport;

	if (!is_dst && !is_random && in_range(target, *ip, *port))
		return;
	if (target->lo.family && memcmp(target->lo.bytes, target->hi.bytes, 16) != 0)
		pick_address(target, step->nat.is_persistent, tuple, ip);
	else if (target->lo.family)
		*ip = target->lo;
	if (is_icmp(run->packet->proto) || target->port_lo == 0)
		return;
	/* A destination takes the lowest port, a source any: the first stands for it. */
	if (is_random || *port < target->port_lo || *port > target->port_hi)
		*port = target->port_lo;
}

static const char *done_text(struct nd_eval_run *run, const struct nd_rstep *step,
			     const struct target *target, struct nd_ip ip, uint16_t port)
{
	const char *name = step->kind == ND_DO_DNAT	  ? "DNAT"
			   : step->kind == ND_DO_SNAT	  ? "SNAT"
			   : step->kind == ND_DO_REDIRECT ? "REDIRECT"
							  : "MASQUERADE";
	bool has_port = target->port_lo && !is_icmp(run->packet->proto);
	const char *note = "";
	char text[ND_IP_TEXT];

	if (step->nat.is_random || (step->kind != ND_DO_DNAT && target->port_lo != target->port_hi))
		note = ", at a port the kernel picks";
	nd_ip_text(ip, text);
	if (!has_port)
		return nd_arena_printf(run->eval->arena, "%s to %s%s", name, text, note);
	return nd_arena_printf(run->eval->arena,
			       ip.family == 6 ? "%s to [%s]:%u%s" : "%s to %s:%u%s", name, text,
			       port, note);
}

enum nd_nat_done nd_nat_set(struct nd_eval_run *run, const struct nd_rstep *step, const char **text)
{
	struct nd_ct *ct = &run->packet->ct;
	uint8_t proto = run->packet->proto;
	struct nd_tuple tuple = nd_tuple_invert(&ct->reply, proto), was = tuple;
	bool is_dst = nd_nat_is_dst(run->hook);
	struct target target;
	enum nd_nat_done done = find_target(run, step, &target);

	if (done != ND_NAT_SET)
		return done;
	/* nft_nat_inet_eval(): a target of the other family does nothing. */
	if (target.lo.family && target.lo.family != run->packet->family)
		return ND_NAT_SKIP;
	map_end(run, step, &target, &tuple);
	/* A random source port is another one, which nobody can foresee. */
	if (!nd_ip_eq(tuple.src, was.src) || !nd_ip_eq(tuple.dst, was.dst) ||
	    tuple.sport != was.sport || tuple.dport != was.dport ||
	    (step->nat.is_random && !is_dst && !is_icmp(proto))) {
		ct->reply = nd_tuple_invert(&tuple, proto);
		ct->status |= is_dst ? ND_CTS_DNAT : ND_CTS_SNAT;
	}
	*(is_dst ? &ct->has_dst_nat : &ct->has_src_nat) = true;
	*text = done_text(run, step, &target, is_dst ? tuple.dst : tuple.src,
			  is_dst ? tuple.dport : tuple.sport);
	return ND_NAT_SET;
}

bool nd_nat_apply(struct nd_eval_run *run)
{
	struct nd_pkt *packet = run->packet;
	const struct nd_ct *ct = &packet->ct;
	bool is_dst = nd_nat_is_dst(run->hook);
	/* An answer has the opposite of what its connection has: SNAT makes its destination. */
	bool is_needed = ct->status & (is_dst != ct->is_reply ? ND_CTS_DNAT : ND_CTS_SNAT);
	struct nd_tuple want =
		nd_tuple_invert(ct->is_reply ? &ct->orig : &ct->reply, packet->proto);
	struct nd_tuple was = packet->t;

	if (!is_needed)
		return false;
	if (is_dst) {
		packet->t.dst = want.dst;
		packet->t.dport = want.dport;
	} else {
		packet->t.src = want.src;
		packet->t.sport = want.sport;
	}
	return !nd_ip_eq(was.src, packet->t.src) || !nd_ip_eq(was.dst, packet->t.dst) ||
	       was.sport != packet->t.sport || was.dport != packet->t.dport;
}
