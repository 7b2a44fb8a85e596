#include "common/base.h"
#include "plugin/checks/drops.h"
#include "plugin/checks/facts.h"
#include "plugin/checks/flows.h"

#include <strings.h>

#define MAX_DEPTH 24 /* of jumps; the kernel allows no loops, a hostile dump may show one */
#define MAX_STEPS 200000 /* rules looked at for one packet */
#define MAX_WISHES 256

/* One rule, whatever the backend. */
struct view {
	struct nd_flow_wish wish;
	bool in_not, out_not, proto_not, has_other;
	const char *ctstate; /* comma list, or NULL */
	const char *text, *target; /* target: ACCEPT DROP REJECT RETURN QUEUE, a chain, NULL */
	bool is_jump, is_goto;
	uint64_t packets;
};
struct ruleset {
	const struct nd_ipt *ipt; /* with table_name; or */
	const char *table_name;
	const struct nd_nft_table *nft;
};
struct chain {
	const char *name, *policy;
	const struct nd_ipt_rule *ipt;
	const struct nd_nft_rule *nft;
	size_t n;
	bool is_system;
};

static bool find_chain(const struct ruleset *rs, const char *name, struct chain *out)
{
	*out = (struct chain){.name = name};
	if (rs->nft) {
		const struct nd_nft_chain *c = nd_look_nft_chain(rs->nft, name);
		if (!c)
			return false;
		out->policy = c->policy;
		out->nft = c->rules;
		out->n = c->nrules;
		return true;
	}
	const struct nd_ipt_chain *c = nd_look_ipt_chain(rs->ipt, rs->table_name, name);
	if (!c)
		return false;
	out->policy = c->policy;
	out->ipt = c->rules;
	out->n = c->nrules;
	/* KUBE-FIREWALL is only allowed to drop what is for 127.0.0.0/8; anything else in it is a
	 * stray. */
	out->is_system = nd_fact_is_system_chain(name) && !nd_eq(name, "KUBE-FIREWALL");
	return true;
}

/* The ports of "-m multiport --dports 53,80" when that is all the rule says besides the common
 * fields. */
static const char *only_multiport(const char *text)
{
	static const char *const more[] = {"! --dports", "--sport", "--ports", "--tcp-flags",
					   "--syn",      "--icmp",  "-f "};
	static const char *const plain[] = {"comment",   "tcp",   "udp",
					    "conntrack", "state", "multiport"};
	const char *dports = text ? strstr(text, "--dports ") : NULL;
	for (size_t i = 0; dports && i < ND_ARRAY_LEN(more); i++)
		if (strstr(text, more[i]))
			return NULL;
	for (const char *m = dports ? strstr(text, "-m ") : NULL; m; m = strstr(m + 3, "-m ")) {
		bool is_plain = false;
		for (size_t i = 0; i < ND_ARRAY_LEN(plain); i++)
			is_plain = is_plain ||
				   (nd_starts(m + 3, plain[i]) && m[3 + strlen(plain[i])] == ' ');
		if (!is_plain)
			return NULL;
	}
	return dports ? dports + strlen("--dports ") : NULL;
}

/* Only said by nft's text; NULL: no state, or too involved to tell. */
static const char *nft_ctstate(const char *text)
{
	const char *state = text ? strstr(text, "ct state ") : NULL;
	if (!state || nd_starts(state, "ct state vmap") || nd_starts(state, "ct state !") ||
	    strstr(state, "new"))
		return NULL;
	return state + strlen("ct state ");
}

static struct view view_nft(const struct nd_nft_rule *r)
{
	struct view v = {.wish = {.src = r->src,
				  .dst = r->dst,
				  .src_not = r->src_not,
				  .dst_not = r->dst_not,
				  .in = r->in,
				  .out = r->out,
				  .proto = r->proto,
				  .dport_min = r->dport_min,
				  .dport_max = r->dport_max},
			 .has_other = r->has_other_match,
			 .text = r->text,
			 .packets = r->packets,
			 .ctstate = nft_ctstate(r->text),
			 .target = r->verdict};
	if (nd_eq(r->verdict, "accept") || nd_eq(r->verdict, "queue"))
		v.target = "ACCEPT";
	else if (nd_eq(r->verdict, "drop") || nd_eq(r->verdict, "reject"))
		v.target = "DROP";
	else if (nd_eq(r->verdict, "return"))
		v.target = "RETURN";
	else if (nd_starts(r->verdict, "jump ") || nd_starts(r->verdict, "goto ")) {
		v.is_jump = true;
		v.is_goto = r->verdict[0] == 'g';
		v.target = r->verdict + strlen("jump ");
	}
	return v;
}

static struct view view_ipt(const struct nd_ipt_rule *r)
{
	struct view v = {.wish = {.src = r->src,
				  .dst = r->dst,
				  .src_not = r->src_not,
				  .dst_not = r->dst_not,
				  .in = r->in,
				  .out = r->out,
				  .proto = r->proto,
				  .dport_min = r->dport_min,
				  .dport_max = r->dport_max},
			 .in_not = r->in_not,
			 .out_not = r->out_not,
			 .proto_not = r->proto_not,
			 .has_other = r->has_other_match,
			 .text = r->text,
			 .packets = r->packets,
			 .ctstate = r->ctstate,
			 .target = r->target,
			 .is_goto = r->is_goto};
	if (nd_eq(r->target, "REJECT"))
		v.target = "DROP";
	else if (nd_eq(r->target, "NFQUEUE") || nd_eq(r->target, "QUEUE"))
		v.target = "ACCEPT";
	v.is_jump = v.target && !nd_eq(v.target, "DROP") && !nd_eq(v.target, "ACCEPT") &&
		    !nd_eq(v.target, "RETURN");
	if (v.has_other && (v.wish.dports = only_multiport(r->text)))
		v.has_other = false;
	if (v.proto_not)
		v.wish.proto = NULL;
	return v;
}

static struct view view_at(const struct chain *c, size_t i)
{
	return c->nft ? view_nft(&c->nft[i]) : view_ipt(&c->ipt[i]);
}

/* ---- does a rule match a packet? ---- */
enum match { NO, MAYBE, YES };

static enum match match_device(const char *want, bool is_not, const char *dev)
{
	size_t n = want ? strlen(want) : 0;
	if (!want)
		return YES;
	if (!dev)
		return is_not ? YES : NO;
	if (nd_eq(dev, "?"))
		return MAYBE;
	bool is_pattern = n && (want[n - 1] == '+' || want[n - 1] == '*');
	bool same = is_pattern ? strncmp(want, dev, n - 1) == 0 : nd_eq(want, dev);
	return same != is_not ? YES : NO;
}

static bool match_state(const char *list, bool is_new)
{
	return !list || strcasestr(list, is_new ? "NEW" : "ESTABLISHED") != NULL;
}

static bool match_proto(const char *want, const char *proto)
{
	return !want || nd_eq(want, proto) || (nd_eq(want, "6") && nd_eq(proto, "tcp")) ||
	       (nd_eq(want, "17") && nd_eq(proto, "udp")) ||
	       (nd_eq(want, "1") && nd_eq(proto, "icmp"));
}

static bool match_prefix(struct nd_prefix want, bool is_not, struct nd_ip ip)
{
	return !want.ip.family || nd_prefix_has(want, ip) != is_not;
}

static enum match match_other(const struct view *v, const struct nd_packet *flow, bool is_system)
{
	if (!v->has_other)
		return YES;
	if (nd_eq(flow->proto, "icmp") && v->text)
		return strstr(v->text, "icmp-type 3/4") || strstr(v->text, "fragmentation-needed")
			       ? YES
			       : NO;
	/* The system's own rules ask for its marks, which an ordinary packet does not carry. */
	return is_system ? NO : MAYBE;
}

static enum match match(const struct view *v, const struct nd_packet *flow, bool is_system)
{
	const struct nd_flow_wish *w = &v->wish;
	enum match in = match_device(w->in, v->in_not, flow->in),
		   out = match_device(w->out, v->out_not, flow->out);
	if (in == NO || out == NO || !match_proto(w->proto, flow->proto) ||
	    !match_prefix(w->src, w->src_not, flow->src) ||
	    !match_prefix(w->dst, w->dst_not, flow->dst) ||
	    !match_state(v->ctstate, flow->is_new) ||
	    (w->dport_max && (flow->dport < w->dport_min || flow->dport > w->dport_max)) ||
	    (w->dports && !nd_flow_in_ports(w->dports, flow->dport)))
		return NO;
	/* For nft a state is an "other match" that was just answered, when it is the only one. */
	enum match other = match_other(v, flow, is_system);
	if (v->proto_not)
		other = other == YES ? MAYBE : other;
	return other < in ? (other < out ? other : out) : (in < out ? in : out);
}

/* ---- a packet's way through a chain ---- */
enum fate { GOES_ON, ACCEPTED, DROPPED, UNSURE };

struct walk {
	const struct ruleset *rs;
	const struct nd_packet *flow;
	size_t steps;
	bool may_be_gone; /* something before may have accepted it */
	struct chain at; /* of the drop */
	size_t index;
};

static enum fate walk_chain(struct walk *w, const struct chain *c, int depth);

static enum fate walk_jump(struct walk *w, const char *target, enum match m, int depth)
{
	struct chain next;
	struct walk before = *w;
	if (!find_chain(w->rs, target, &next))
		return GOES_ON; /* a target such as LOG or MARK */
	enum fate fate = walk_chain(w, &next, depth + 1);
	if (m == YES || fate == UNSURE)
		return fate;
	size_t steps = w->steps;
	bool may_be_gone = w->may_be_gone || fate == ACCEPTED;
	*w = before;
	w->steps = steps;
	w->may_be_gone = may_be_gone;
	return GOES_ON;
}

static enum fate walk_chain(struct walk *w, const struct chain *c, int depth)
{
	bool may_return = false, was_gone = w->may_be_gone;
	for (size_t i = 0; i < c->n; i++) {
		struct view v = view_at(c, i);
		enum match m = v.target ? match(&v, w->flow, c->is_system) : NO;
		if (++w->steps > MAX_STEPS || depth > MAX_DEPTH)
			return UNSURE;
		if (m == NO)
			continue;
		if (nd_eq(v.target, "ACCEPT") && !v.is_jump) {
			if (m == YES)
				return ACCEPTED;
			was_gone = w->may_be_gone = true;
		} else if (nd_eq(v.target, "RETURN") && !v.is_jump) {
			if (m == YES)
				break;
			may_return = true;
			w->may_be_gone = true;
		} else if (nd_eq(v.target, "DROP") && !v.is_jump) {
			if (m != YES)
				continue;
			w->at = *c;
			w->index = i;
			return w->may_be_gone || c->is_system ? UNSURE : DROPPED;
		} else {
			bool gone = w->may_be_gone;
			enum fate fate = walk_jump(w, v.target, m, depth);
			if (fate != GOES_ON)
				return fate;
			was_gone = was_gone || (!gone && w->may_be_gone);
			if (v.is_goto && m == YES)
				break;
		}
	}
	/* What may have returned from here is back in the caller's chain, so only this chain was in
	 * doubt. */
	if (may_return)
		w->may_be_gone = was_gone;
	return GOES_ON;
}

/* ---- which packets to try ---- */
struct wishes {
	struct nd_flow_wish items[MAX_WISHES];
	size_t n;
	size_t steps;
};

static void narrow(struct nd_flow_wish *w, const struct nd_flow_wish *outer)
{
	if (!w->src.ip.family) {
		w->src = outer->src;
		w->src_not = outer->src_not;
	}
	if (!w->dst.ip.family) {
		w->dst = outer->dst;
		w->dst_not = outer->dst_not;
	}
	if (!w->proto)
		w->proto = outer->proto;
	if (!w->dport_max && !w->dports) {
		w->dport_min = outer->dport_min;
		w->dport_max = outer->dport_max;
		w->dports = outer->dports;
	}
	w->wants_established = w->wants_established || outer->wants_established;
}

static void collect(const struct ruleset *rs, const struct chain *c,
		    const struct nd_flow_wish *outer, int depth, struct wishes *out)
{
	for (size_t i = 0; i < c->n && depth < MAX_DEPTH && ++out->steps < MAX_STEPS; i++) {
		struct view v = view_at(c, i);
		struct chain next;
		v.wish.wants_established = v.ctstate && !match_state(v.ctstate, true);
		narrow(&v.wish, outer);
		if (nd_eq(v.target, "DROP") && !v.is_jump && out->n < MAX_WISHES)
			out->items[out->n++] = v.wish;
		else if (v.is_jump && find_chain(rs, v.target, &next) && !next.is_system)
			collect(rs, &next, &v.wish, depth + 1, out);
	}
}

static void add(struct nd_check_run *run, struct nd_drops *out, const struct walk *w,
		const char *base, bool is_policy, const char *table, uint64_t policy_packets)
{
	struct nd_drop d = {.table = table,
			    .base = base,
			    .chain = is_policy ? base : w->at.name,
			    .text = nd_check_text(run, "policy %s", w->rs->nft ? "drop" : "DROP"),
			    .what = w->flow->what,
			    .is_policy = is_policy,
			    .packets = policy_packets,
			    .is_too_big = nd_eq(w->flow->proto, "icmp")};
	if (!is_policy) {
		struct view v = view_at(&w->at, w->index);
		d.text = v.text;
		d.packets = v.packets;
		d.number = (uint32_t)w->index + 1;
	}
	for (size_t i = 0; i < out->n; i++)
		if (nd_eq(out->items[i].table, table) && nd_eq(out->items[i].chain, d.chain) &&
		    out->items[i].number == d.number)
			return;
	ND_ARENA_PUSH(run->arena, out->items, out->n) = d;
}

static void try_base(struct nd_check_run *run, const struct nd_host *host, const struct ruleset *rs,
		     const char *name, enum nd_hook hook, bool is_before_nat, const char *table,
		     uint64_t policy_packets, struct nd_drops *out)
{
	struct chain base;
	struct nd_flow_wish any = {0};
	if (!find_chain(rs, name, &base))
		return;
	bool drops = base.policy && strcasecmp(base.policy, "DROP") == 0;
	struct wishes wishes;
	wishes.n = wishes.steps = 0;
	collect(rs, &base, &any, 0, &wishes);
	if (drops && wishes.n < MAX_WISHES)
		wishes.items[wishes.n++] = any;
	for (size_t i = 0; i < wishes.n; i++) {
		struct nd_flows flows;
		nd_flows_pick(run->cluster, host, hook, is_before_nat, &wishes.items[i], &flows);
		for (size_t k = 0; k < flows.n; k++) {
			struct walk w = {.rs = rs, .flow = &flows.items[k]};
			enum fate fate = walk_chain(&w, &base, 0);
			bool by_policy = fate == GOES_ON && drops && !w.may_be_gone;
			if (fate == DROPPED || by_policy)
				add(run, out, &w, name, by_policy, table, policy_packets);
		}
	}
}

static const char *const hook_names[ND_HOOKS] = {"PREROUTING", "INPUT", "FORWARD", "OUTPUT",
						 "POSTROUTING"};

void nd_drops_ipt(struct nd_check_run *run, const struct nd_host *host, const struct nd_ipt *ipt,
		  struct nd_drops *out)
{
	static const char *const tables[] = {"raw", "mangle", "filter", "security"};
	memset(out, 0, sizeof(*out));
	if (!nd_host_has(host, ND_SECTION_iptables) || !ipt->is_present)
		return;
	for (size_t t = 0; t < ND_ARRAY_LEN(tables); t++) {
		struct ruleset rs = {.ipt = ipt, .table_name = tables[t]};
		bool is_before_nat = t < 2;
		for (size_t h = 0; h < ND_HOOKS; h++) {
			const struct nd_ipt_chain *base =
				nd_look_ipt_chain(ipt, tables[t], hook_names[h]);
			if (base && base->policy)
				try_base(run, host, &rs, hook_names[h], (enum nd_hook)h,
					 is_before_nat, tables[t], base->packets, out);
		}
	}
}

static bool is_system_table(const struct nd_nft_table *table)
{
	static const char *const owned[] = {"kube-",  "kindnet", "flannel-", "cni_",    "docker",
					    "calico", "cali-",   "cilium",   "libvirt", "netavark",
					    "podman", "antrea",  "lxc",      "lxd",     "incus"};
	for (size_t i = 0; i < ND_ARRAY_LEN(owned); i++)
		if (nd_starts(table->name, owned[i]))
			return true;
	return table->is_iptables || (!nd_eq(table->family, "ip") && !nd_eq(table->family, "inet"));
}

void nd_drops_nft(struct nd_check_run *run, const struct nd_host *host, struct nd_drops *out)
{
	memset(out, 0, sizeof(*out));
	for (size_t t = 0; nd_host_has(host, ND_SECTION_nft) && t < host->nnft; t++) {
		const struct nd_nft_table *table = &host->nft[t];
		struct ruleset rs = {.nft = table};
		const char *name =
			is_system_table(table)
				? NULL
				: nd_check_text(run, "%s %s", table->family, table->name);
		for (size_t c = 0; name && c < table->nchains; c++) {
			const struct nd_nft_chain *chain = &table->chains[c];
			for (size_t h = 0; chain->hook && h < ND_HOOKS; h++)
				if (strcasecmp(chain->hook, hook_names[h]) == 0)
					try_base(run, host, &rs, chain->name, (enum nd_hook)h,
						 chain->priority < -100, name, 0, out);
		}
	}
}
