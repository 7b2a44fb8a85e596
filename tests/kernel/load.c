/* load.c: a scenario as text for the tools that load it, one call each. */
#include "common/base.h"

#include "tests/kernel/kernel.h"

static void nft_text(const struct scenario *s, struct nd_buf *out)
{
	/* A statement that breaks off without a connection, after the counter: only with one. */
	static const char guard[] = "ct state { new, established } ";

	for (size_t i = 0; i < s->ndecls; i++)
		if (s->decls[i].layer == LAYER_NFT && !s->decls[i].is_off)
			nd_buf_printf(out, "%s\n", s->decls[i].text);
	for (size_t i = 0; i < s->nrules; i++) {
		const struct test_rule *r = &s->rules[i];

		if (r->layer != LAYER_NFT || r->is_off)
			continue;
		nd_buf_printf(out, "add rule %s %s %s", r->family, r->table, r->chain);
		for (size_t k = 0; k < r->nparts; k++)
			nd_buf_printf(out, " %s", r->parts[k]);
		if (strncmp(r->target, guard, strlen(guard)) == 0)
			nd_buf_printf(out, " %scounter %s\n", guard, r->target + strlen(guard));
		else
			nd_buf_printf(out, " counter %s\n", r->target);
	}
}

static const char *const ipt_tables[] = {"raw", "mangle", "nat", "filter"};
/* Policies stay as they were when nobody sets them. */
static const char *const ipt_policies[] = {
	":PREROUTING ACCEPT\n:OUTPUT ACCEPT\n",
	":PREROUTING ACCEPT\n:INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\n:POSTROUTING ACCEPT\n",
	":PREROUTING ACCEPT\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n:POSTROUTING ACCEPT\n",
	":INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\n"};

/* Empty tables too: they flush what was there. */
static void ipt_text(const struct scenario *s, enum layer layer, struct nd_buf *out)
{
	for (size_t t = 0; t < ND_ARRAY_LEN(ipt_tables); t++) {
		nd_buf_printf(out, "*%s\n%s", ipt_tables[t],
			      layer == LAYER_LEGACY ? ipt_policies[t] : "");
		for (size_t i = 0; i < s->ndecls; i++) {
			const struct test_decl *d = &s->decls[i];

			if (d->layer == layer && !d->is_off && nd_eq(d->table, ipt_tables[t]))
				nd_buf_printf(out, "%s [0:0]\n", d->text);
		}
		for (size_t i = 0; i < s->nrules; i++) {
			const struct test_rule *r = &s->rules[i];

			if (r->layer != layer || r->is_off || !nd_eq(r->table, ipt_tables[t]))
				continue;
			nd_buf_printf(out, "-A %s", r->chain);
			for (size_t k = 0; k < r->nparts; k++)
				nd_buf_printf(out, " %s", r->parts[k]);
			nd_buf_printf(out, " %s\n", r->target);
		}
		nd_buf_printf(out, "COMMIT\n");
	}
}

static void set_text(const struct scenario *s, struct nd_buf *out)
{
	for (size_t i = 0; i < s->nsets; i++)
		if (!s->sets[i].is_off)
			nd_buf_printf(out, "%s\n", s->sets[i].text);
}

void scenario_text(const struct scenario *s, struct nd_buf *out)
{
	static const char *const sides[] = {"A", "B", "R"};
	char src[ND_IP_TEXT], dst[ND_IP_TEXT];

	nd_buf_printf(out, "# seed %llu level %u rp_filter %d\n", (unsigned long long)s->seed,
		      s->level, s->is_strict);
	for (size_t i = 0; i < s->nroutes; i++)
		if (!s->routes[i].is_off)
			nd_buf_printf(out, "# ip %s\n", s->routes[i].text);
	for (size_t i = 0; i < s->npackets; i++) {
		const struct test_packet *p = &s->packets[i];

		if (p->is_off)
			continue;
		nd_buf_printf(
			out,
			"# packet %zu from %s%s%s: proto %u %s:%u > %s:%u flags 0x%x icmp %u/%u "
			"ttl %u dscp %u payload %u mark 0x%x\n",
			i, sides[p->from], p->follows < 0 ? "" : " follows",
			p->is_reply ? " as reply" : "", p->proto, nd_ip_text(p->t.src, src),
			p->t.sport, nd_ip_text(p->t.dst, dst), p->t.dport, p->tcp_flags,
			p->icmp_type, p->icmp_code, p->ttl, p->dscp, p->payload, p->mark);
	}
	if (s->nsets) {
		nd_buf_printf(out, "# ---- ipset -exist restore\n");
		set_text(s, out);
	}
	if (s->has[LAYER_NFT]) {
		nd_buf_printf(out, "# ---- nft -f\n");
		nft_text(s, out);
	}
	for (enum layer layer = LAYER_IPT; layer <= LAYER_LEGACY; layer++) {
		if (!s->has[layer])
			continue;
		nd_buf_printf(out, "# ---- iptables-%s-restore\n",
			      layer == LAYER_IPT ? "nft" : "legacy");
		ipt_text(s, layer, out);
	}
}

static bool run(const char *const *argv, const struct nd_buf *text, struct nd_buf *errors)
{
	if (child_run(argv, text->data, text->len, errors) == 0)
		return true;
	nd_buf_printf(errors, "%s failed\n", argv[0]);
	return false;
}

/* What is there on a machine whose administrator did nothing. */
static const char *const base_routes[2] = {
	"route flush table all proto 99\nrule flush\nrule add pref 32766 lookup main\n"
	"rule add pref 32767 lookup default\n",
	"route flush table all proto 99\nrule flush\nrule add pref 32766 lookup main\n"};

static bool load_routes(const struct scenario *s, struct nd_buf *errors)
{
	static const char *const argv[2][6] = {{"ip", "-4", "-force", "-batch", "-", NULL},
					       {"ip", "-6", "-force", "-batch", "-", NULL}};
	static struct nd_buf lasts[2];
	size_t six = s->packets[0].family == 6;
	struct nd_buf *last = &lasts[six];
	nd_auto_buf struct nd_buf text = {0};
	bool is_good;

	nd_buf_puts(&text, base_routes[six]);
	for (size_t i = 0; i < s->nroutes; i++)
		if (!s->routes[i].is_off)
			nd_buf_printf(&text, "%s\n", s->routes[i].text);
	if (last->data && last->len == text.len && memcmp(last->data, text.data, text.len) == 0)
		return true;
	is_good = run(argv[six], &text, errors);
	nd_buf_free(last);
	*last = text;
	text = (struct nd_buf){0};
	return is_good;
}

static bool load_nft(const struct scenario *s, struct nd_buf *errors)
{
	static const char *const argv[] = {"nft", "-f", "-", NULL};
	/*
	 * Which is called first, a filter chain at the priority of NAT or the NAT core, depends on
	 * which was made first: NAT, as the walk takes it to be. In IPv4 the legacy tables do that.
	 */
	static const char nat[] = "add table ip6 nat_is_older\nadd chain ip6 nat_is_older c "
				  "{ type nat hook prerouting priority -100; }\n";
	static bool is_dirty, has_nat;
	nd_auto_buf struct nd_buf text = {0};

	if (!is_dirty && !s->has[LAYER_NFT] && !s->has[LAYER_IPT])
		return true;
	is_dirty = s->has[LAYER_NFT] || s->has[LAYER_IPT];
	if (!has_nat) {
		has_nat = true;
		nd_buf_puts(&text, nat);
		if (!run(argv, &text, errors))
			return false;
		text.len = 0;
	}
	nd_buf_printf(&text, "flush ruleset\n%s", nat);
	if (s->has[LAYER_NFT])
		nft_text(s, &text);
	return run(argv, &text, errors);
}

static bool load_ipt(const struct scenario *s, enum layer layer, struct nd_buf *errors)
{
	static const char *const nft4[] = {"iptables-nft-restore", NULL};
	static const char *const nft6[] = {"ip6tables-nft-restore", NULL};
	static const char *const legacy[] = {"iptables-legacy-restore", NULL};
	static bool is_dirty = true;
	nd_auto_buf struct nd_buf text = {0};

	if (!s->has[layer] && !(layer == LAYER_LEGACY && is_dirty))
		return true;
	if (layer == LAYER_LEGACY)
		is_dirty = s->has[layer];
	ipt_text(s, layer, &text);
	return run(layer == LAYER_LEGACY       ? legacy
		   : s->packets[0].family == 6 ? nft6
					       : nft4,
		   &text, errors);
}

/* Rules hold their sets, those of nft until the kernel's worker has ended them. */
static bool destroy_sets(struct nd_buf *errors)
{
	/* A list holds its members. */
	static const char *const flush[] = {"ipset", "flush", NULL};
	static const char *const destroy[] = {"ipset", "destroy", NULL};
	static const char *const nft[] = {"nft", "flush", "ruleset", NULL};
	struct scenario none = {.packets = {{.family = 4}}, .has = {[LAYER_LEGACY] = true}};

	if (!load_ipt(&none, LAYER_LEGACY, errors) || child_run(nft, NULL, 0, NULL) != 0 ||
	    child_run(flush, NULL, 0, NULL) != 0)
		return false;
	for (int i = 0; i < 200; i++) {
		if (child_run(destroy, NULL, 0, NULL) == 0)
			return true;
		usleep(5000);
	}
	nd_buf_printf(errors, "ipset destroy: sets stay in use\n");
	return false;
}

static bool load_sets(const struct scenario *s, struct nd_buf *errors)
{
	static const char *const argv[] = {"ipset", "-exist", "restore", NULL};
	static bool is_dirty;
	nd_auto_buf struct nd_buf text = {0};

	if (is_dirty && !destroy_sets(errors))
		return false;
	is_dirty = s->nsets > 0;
	if (!is_dirty)
		return true;
	set_text(s, &text);
	return !text.len || run(argv, &text, errors);
}

bool scenario_load(struct box *box, const struct scenario *s, struct nd_buf *errors)
{
	static const char *const paths[] = {"/proc/sys/net/ipv4/conf/all/rp_filter",
					    "/proc/sys/net/ipv4/conf/ra/rp_filter",
					    "/proc/sys/net/ipv4/conf/rb/rp_filter"};

	for (size_t i = 0; i < ND_ARRAY_LEN(paths); i++)
		(void)box_write(paths[i], s->is_strict ? "1" : "0");
	/*
	 * The kernel calls the hook of a priority that was made last first. The legacy tables come
	 * before all others, as the walk takes them to; no tool can show it otherwise.
	 */
	if (!load_sets(s, errors) || !load_ipt(s, LAYER_LEGACY, errors) || !load_nft(s, errors) ||
	    !load_ipt(s, LAYER_IPT, errors) || !load_routes(s, errors))
		return false;
	box_flush_conntrack(box);
	return true;
}
