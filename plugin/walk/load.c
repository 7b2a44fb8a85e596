#include "common/base.h"

#include "plugin/walk/eval_run.h"

#define IFNAME_BYTES 16

static void put32(struct nd_value *out, uint32_t v)
{
	out->n = 4;
	out->bytes[0] = (uint8_t)(v >> 24);
	out->bytes[1] = (uint8_t)(v >> 16);
	out->bytes[2] = (uint8_t)(v >> 8);
	out->bytes[3] = (uint8_t)v;
}

static void put16(struct nd_value *out, uint16_t v)
{
	out->n = 2;
	out->bytes[0] = (uint8_t)(v >> 8);
	out->bytes[1] = (uint8_t)v;
}

static void put8(struct nd_value *out, uint8_t v)
{
	out->n = 1;
	out->bytes[0] = v;
}

/* No device: an empty name, as xt_in() and nft_meta have it; "! -i eth0" holds in OUTPUT. */
static void put_name(struct nd_value *out, const char *name)
{
	out->n = IFNAME_BYTES;
	memset(out->bytes, 0, IFNAME_BYTES);
	if (name)
		memcpy(out->bytes, name, strnlen(name, IFNAME_BYTES - 1));
}

static bool put_ip(struct nd_value *out, struct nd_ip ip, uint8_t family)
{
	if (ip.family == 0 || (family && ip.family != family))
		return false;
	out->n = ip.family == 4 ? 4 : 16;
	memcpy(out->bytes, ip.bytes, out->n);
	return true;
}

static enum nd_tri perhaps(struct nd_eval_run *run, const char *why)
{
	run->why = why;
	return ND_PERHAPS;
}

/* nf_hook_state has only the device that is known at the hook. */
const char *nd_eval_iif(const struct nd_eval_run *run)
{
	return run->hook == ND_OUTPUT ? NULL : run->packet->iif;
}

const char *nd_eval_oif(const struct nd_eval_run *run)
{
	return run->hook == ND_PREROUTING || run->hook == ND_INPUT ? NULL : run->packet->oif;
}

static bool has_ports(uint8_t proto)
{
	return proto == ND_PROTO_TCP || proto == ND_PROTO_UDP || proto == ND_PROTO_SCTP ||
	       proto == 33 /* DCCP */ || proto == 136 /* UDP-Lite */;
}

/* Kernel: nft_ct_get_eval(), conntrack_mt(): without a connection only the state is there. */
static uint32_t ct_state(const struct nd_eval_run *run, bool has_nat)
{
	const struct nd_ct *ct = &run->packet->ct;

	if (run->has_ct && has_nat)
		return ct->state | (ct->status & ND_CTS_SNAT ? ND_CT_SNAT : 0) |
		       (ct->status & ND_CTS_DNAT ? ND_CT_DNAT : 0);
	if (run->has_ct)
		return ct->state;
	return run->packet->ct.state == ND_CT_UNTRACKED ? ND_CT_UNTRACKED : ND_CT_INVALID;
}

static enum nd_tri load_ct(struct nd_eval_run *run, const struct nd_load *load,
			   struct nd_value *out)
{
	const struct nd_ct *ct = &run->packet->ct;
	const struct nd_tuple *tuple = load->arg & 1 ? &ct->reply : &ct->orig;

	if (run->is_ct_unsure)
		return perhaps(run, ND_CT_UNSURE);
	if (load->field == ND_F_CT_STATE) {
		put32(out, ct_state(run, load->arg & 1));
		return ND_YES;
	}
	if (!run->has_ct)
		return ND_NO;
	switch (load->field) {
	case ND_F_CT_STATUS:
		put32(out, ct->status);
		return ND_YES;
	case ND_F_CT_MARK:
		put32(out, ct->mark);
		return ND_YES;
	case ND_F_CT_DIR:
		put8(out, ct->is_reply);
		return ND_YES;
	case ND_F_CT_SADDR:
		return put_ip(out, tuple->src, load->family) ? ND_YES : ND_NO;
	case ND_F_CT_DADDR:
		return put_ip(out, tuple->dst, load->family) ? ND_YES : ND_NO;
	case ND_F_CT_SPORT:
		put16(out, tuple->sport);
		return ND_YES;
	case ND_F_CT_DPORT:
		put16(out, tuple->dport);
		return ND_YES;
	default:
		put8(out, run->packet->proto);
		return ND_YES;
	}
}

/* 0.0.0.0 to the broadcast address or a local multicast group: DHCP. */
static bool is_dhcp(const struct nd_tuple *t)
{
	static const uint8_t all[4] = {255, 255, 255, 255}, group[3] = {224, 0, 0};

	return t->src.family == 4 && t->src.bytes[0] == 0 &&
	       (memcmp(t->dst.bytes, all, 4) == 0 || memcmp(t->dst.bytes, group, 3) == 0);
}

/* fib saddr [. iif] oif: the device that an answer would take. */
static uint32_t reverse_device(const struct nd_eval_run *run, const struct nd_load *load)
{
	const struct nd_fib_ask *fib = run->eval->fib;
	const struct nd_pkt *packet = run->packet;
	const char *iif = nd_eval_iif(run), *dev;
	bool is_bound = load->arg & 1;

	/* nft_fib4_eval(), rpfilter_mt(): what comes over lo is not looked up. */
	if (iif && (strcmp(iif, "lo") == 0 || is_dhcp(&packet->t)))
		dev = iif;
	else
		dev = fib->oif(fib->ctx, packet->t.src, packet->t.dst,
			       load->arg & 4 ? packet->mark : 0,
			       is_bound ? iif : NULL);
	if (!dev || (is_bound && iif && strcmp(dev, iif) != 0))
		return 0;
	if (!fib->ifindex || fib->ifindex(fib->ctx, dev) == 0)
		return UINT32_MAX; /* there, but its number is not known */
	return fib->ifindex(fib->ctx, dev);
}

static enum nd_tri load_fib(struct nd_eval_run *run, const struct nd_load *load,
			    struct nd_value *out)
{
	const struct nd_fib_ask *fib = run->eval->fib;
	const struct nd_pkt *packet = run->packet;
	const char *dev = load->arg & 1	  ? nd_eval_iif(run)
			  : load->arg & 2 ? nd_eval_oif(run)
					  : NULL;

	if (!fib || !fib->addr_type || !fib->oif)
		return perhaps(run, "a test of routes, which are not known");
	if (load->field == ND_F_FIB_SADDR_OIF)
		put32(out, reverse_device(run, load));
	else
		put32(out, fib->addr_type(fib->ctx,
					  load->field == ND_F_FIB_SADDR_TYPE ? packet->t.src
									     : packet->t.dst,
					  dev));
	return ND_YES;
}

/*
 * nft's "th" reads the bytes where ports would be, whatever the protocol: of ICMP its type and code
 * and its checksum, which nobody knows: taken for a port that no rule names.
 */
static enum nd_tri load_port(const struct nd_eval_run *run, bool is_src, struct nd_value *out)
{
	const struct nd_pkt *packet = run->packet;
	bool is_icmp = packet->proto == ND_PROTO_ICMP || packet->proto == ND_PROTO_ICMP6;

	if (has_ports(packet->proto)) {
		put16(out, is_src ? packet->t.sport : packet->t.dport);
		return ND_YES;
	}
	put16(out, is_src ? (uint16_t)(packet->icmp_type << 8 | packet->icmp_code) : 0);
	return is_icmp && run->base && run->base->table->backend == ND_RULES_NFT ? ND_YES : ND_NO;
}

static enum nd_tri load_transport(const struct nd_eval_run *run, const struct nd_load *load,
				  struct nd_value *out)
{
	const struct nd_pkt *packet = run->packet;
	bool is_icmp = packet->proto == ND_PROTO_ICMP || packet->proto == ND_PROTO_ICMP6;

	switch (load->field) {
	case ND_F_SPORT:
	case ND_F_DPORT:
		return load_port(run, load->field == ND_F_SPORT, out);
	case ND_F_TCP_FLAGS:
		put8(out, packet->tcp_flags);
		return packet->proto == ND_PROTO_TCP ? ND_YES : ND_NO;
	case ND_F_ICMP_TYPE:
		put8(out, packet->icmp_type);
		return is_icmp ? ND_YES : ND_NO;
	default:
		put8(out, packet->icmp_code);
		return is_icmp ? ND_YES : ND_NO;
	}
}

static enum nd_tri load_meta(struct nd_eval_run *run, const struct nd_load *load,
			     struct nd_value *out)
{
	const struct nd_pkt *packet = run->packet;

	switch (load->field) {
	case ND_F_L4PROTO:
		put8(out, packet->proto);
		return ND_YES;
	case ND_F_NFPROTO:
		put8(out, packet->family == 6 ? 10 : 2);
		return ND_YES;
	case ND_F_IIFNAME:
		put_name(out, nd_eval_iif(run));
		return ND_YES;
	case ND_F_OIFNAME:
		put_name(out, nd_eval_oif(run));
		return ND_YES;
	case ND_F_PHYSIN:
		put_name(out, packet->physin);
		return ND_YES;
	case ND_F_PHYSOUT:
		put_name(out, packet->physout);
		return ND_YES;
	case ND_F_MARK:
		put32(out, packet->mark);
		return ND_YES;
	case ND_F_RANDOM:
	case ND_F_COUNTER:
		put32(out, run->chance);
		return ND_YES;
	case ND_F_PKTTYPE:
		put8(out, packet->pkttype);
		return ND_YES;
	case ND_F_LENGTH:
		put16(out, packet->length);
		return ND_YES;
	case ND_F_TTL:
		put8(out, packet->ttl);
		return ND_YES;
	case ND_F_DSCP:
		put8(out, packet->dscp);
		return ND_YES;
	case ND_F_FRAG_OFFSET:
		put16(out, 0); /* whole packets: conntrack puts them together at -400 */
		return ND_YES;
	case ND_F_OWNER:
		put32(out, 0);
		/* In INPUT it may be the receiver (early demultiplexing). */
		if (packet->iif && run->hook != ND_INPUT)
			return ND_NO;
		if (run->eval->is_root && run->hook != ND_INPUT)
			return ND_YES;
		return perhaps(run, "the user whose program sends, who is not known");
	default:
		return perhaps(run, "a field that is not known");
	}
}

static enum nd_tri load_one(struct nd_eval_run *run, const struct nd_load *load,
			    struct nd_value *out)
{
	if (load->family && load->family != run->packet->family)
		return ND_NO;
	switch (load->field) {
	case ND_F_SADDR:
		return put_ip(out, run->packet->t.src, load->family) ? ND_YES : ND_NO;
	case ND_F_DADDR:
		return put_ip(out, run->packet->t.dst, load->family) ? ND_YES : ND_NO;
	case ND_F_SPORT:
	case ND_F_DPORT:
	case ND_F_TCP_FLAGS:
	case ND_F_ICMP_TYPE:
	case ND_F_ICMP_CODE:
		return load_transport(run, load, out);
	case ND_F_CT_STATE:
	case ND_F_CT_STATUS:
	case ND_F_CT_MARK:
	case ND_F_CT_DIR:
	case ND_F_CT_SADDR:
	case ND_F_CT_DADDR:
	case ND_F_CT_SPORT:
	case ND_F_CT_DPORT:
	case ND_F_CT_PROTO:
		return load_ct(run, load, out);
	case ND_F_FIB_SADDR_TYPE:
	case ND_F_FIB_DADDR_TYPE:
	case ND_F_FIB_SADDR_OIF:
		return load_fib(run, load, out);
	default:
		return load_meta(run, load, out);
	}
}

enum nd_tri nd_load_values(struct nd_eval_run *run, const struct nd_rstep *step,
			   struct nd_value *out)
{
	enum nd_tri all = ND_YES;

	out->n = 0;
	if (step->nloads == 0 || step->nloads > ND_MAX_LOADS)
		return perhaps(run, "a test of nothing");
	for (size_t i = 0; i < step->nloads; i++) {
		const struct nd_load *load = &step->loads[i];
		struct nd_value one;
		enum nd_tri got = load_one(run, load, &one);

		if (got == ND_NO)
			return ND_NO;
		if (got == ND_PERHAPS) {
			all = ND_PERHAPS;
			continue;
		}
		for (size_t k = 0; load->has_mask && k < one.n; k++)
			one.bytes[k] = (uint8_t)((one.bytes[k] & load->mask[k]) ^ load->xor_[k]);
		memcpy(out->bytes + out->n, one.bytes, one.n); /* 4 times 16 at most */
		out->n = (uint8_t)(out->n + one.n);
	}
	return all;
}

static bool any_bit(const struct nd_value *value, const struct nd_value *bits)
{
	for (size_t i = 0; i < value->n; i++)
		if (value->bytes[i] & bits->bytes[i])
			return true;
	return false;
}

bool nd_value_holds(enum nd_test_op op, const struct nd_value *value, const struct nd_value *lo,
		    const struct nd_value *hi)
{
	int order = memcmp(value->bytes, lo->bytes, lo->n < value->n ? lo->n : value->n);
	bool is_range = op == ND_RANGE || op == ND_NOT_RANGE;
	bool is_in = is_range && order >= 0 && memcmp(value->bytes, hi->bytes, value->n) <= 0;

	switch (op) {
	case ND_EQ:
	case ND_PREFIX:
		return order == 0;
	case ND_NE:
	case ND_NOT_PREFIX:
		return order != 0;
	case ND_LT:
		return order < 0;
	case ND_LE:
		return order <= 0;
	case ND_GT:
		return order > 0;
	case ND_GE:
		return order >= 0;
	case ND_RANGE:
		return is_in;
	case ND_NOT_RANGE:
		return !is_in;
	case ND_ANY_BIT:
		return any_bit(value, lo);
	case ND_NO_BIT:
		return !any_bit(value, lo);
	default:
		return false;
	}
}

/* The test and the value are as wide as each other; a prefix may be shorter. */
static bool has_width(const struct nd_rstep *step, const struct nd_value *value)
{
	if (step->op == ND_PREFIX || step->op == ND_NOT_PREFIX)
		return step->lo.n <= value->n;
	if (step->op == ND_RANGE || step->op == ND_NOT_RANGE)
		return step->lo.n == value->n && step->hi.n == value->n;
	return step->lo.n == value->n;
}

enum nd_tri nd_lookup_run(struct nd_eval_run *run, const struct nd_rstep *step,
			  const struct nd_rset *set, const struct nd_set_item **item)
{
	struct nd_value value;
	enum nd_tri got;

	*item = NULL;
	if (!set)
		return perhaps(run, "a set that is not there");
	if (!nd_chance_take(run, step, set))
		return ND_PERHAPS;
	got = nd_load_values(run, step, &value);
	if (got != ND_YES)
		return got;
	*item = nd_rset_find(set, &value);
	if (*item)
		return ND_YES;
	if (set->unknown)
		return perhaps(run, set->unknown);
	return set->fallback ? ND_YES : ND_NO;
}

/* A field that is not there fails the test, also a negated one. */
static enum nd_tri test_set(struct nd_eval_run *run, const struct nd_rstep *step)
{
	struct nd_value value;
	const struct nd_set_item *item;
	enum nd_tri got = nd_load_values(run, step, &value);

	if (got == ND_NO)
		return ND_NO;
	got = nd_lookup_run(run, step, step->set, &item);
	if (got == ND_PERHAPS)
		return got;
	return (got == ND_YES) == (step->op == ND_IN) ? ND_YES : ND_NO;
}

enum nd_tri nd_test_run(struct nd_eval_run *run, const struct nd_rstep *step)
{
	struct nd_value value;
	enum nd_tri got;

	if (step->op == ND_IN || step->op == ND_NOT_IN)
		return test_set(run, step);
	if (step->op == ND_IN_IPSET || step->op == ND_NOT_IN_IPSET)
		return nd_ipset_run(run, step);
	if (!nd_chance_take(run, step, NULL))
		return ND_PERHAPS;
	got = nd_load_values(run, step, &value);
	if (got != ND_YES)
		return got;
	if (!has_width(step, &value))
		return perhaps(run, "a comparison of values of two widths");
	return nd_value_holds(step->op, &value, &step->lo, &step->hi) ? ND_YES : ND_NO;
}
