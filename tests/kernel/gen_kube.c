/* gen_kube.c: what kube-proxy programs, in both of its modes, with some rules of others around it.
 */
#include "common/base.h"

#include "tests/kernel/kernel.h"

#define TEXT(...) nd_arena_printf(gen->arena, __VA_ARGS__)
#define MAX_ENDPOINTS 6

struct service {
	const char *vip;
	uint16_t port, target, node_port;
	const char *proto;
	const char *endpoints[MAX_ENDPOINTS];
	uint32_t nendpoints;
};

static struct service make_service(struct gen *gen, uint32_t i)
{
	struct service s = {.vip = TEXT("10.96.%u.%u", i / 200, 2 + i % 200),
			    .port = i < 8 ? gen_port(gen) : (uint16_t)(80 + i % 7),
			    .target = gen_port(gen),
			    .proto = rng_chance(&gen->rng, 70) ? "tcp" : "udp",
			    .nendpoints = rng_pick(&gen->rng, MAX_ENDPOINTS + 1)};

	if (rng_chance(&gen->rng, 30))
		s.node_port = i == 0 ? 30080 : (uint16_t)(30081 + i);
	for (uint32_t k = 0; k < s.nendpoints; k++)
		s.endpoints[k] = TEXT("10.%u.0.%u", rng_chance(&gen->rng, 80) ? 2 : 1, 2 + k);
	return s;
}

/* ---- iptables ---- */
static void rule(struct gen *gen, const char *chain, const char *match, const char *target)
{
	struct test_rule *r;

	gen->chain = chain;
	r = gen_rule(gen);
	if (*match)
		r->parts[r->nparts++] = match;
	r->target = target;
}

static void ipt_service(struct gen *gen, const struct service *s, uint32_t i)
{
	const char *svc = TEXT("KUBE-SVC-%u", i);
	const char *to =
		TEXT("-d %s/32 -p %s -m comment --comment \"ns/s%u cluster IP\" -m %s --dport %u",
		     s->vip, s->proto, i, s->proto, s->port);

	if (s->nendpoints == 0)
		return;
	gen_decl(gen, ":%s -", svc);
	rule(gen, "KUBE-SERVICES", to, TEXT("-j %s", svc));
	rule(gen, svc, TEXT("! -s 10.1.0.0/24 %s", to), "-j KUBE-MARK-MASQ");
	if (s->node_port) {
		gen_decl(gen, ":KUBE-EXT-%u -", i);
		rule(gen, "KUBE-NODEPORTS",
		     TEXT("-p %s -m %s --dport %u", s->proto, s->proto, s->node_port),
		     TEXT("-j KUBE-EXT-%u", i));
		rule(gen, TEXT("KUBE-EXT-%u", i), "", "-j KUBE-MARK-MASQ");
		rule(gen, TEXT("KUBE-EXT-%u", i), "", TEXT("-j %s", svc));
	}
	for (uint32_t k = 0; k < s->nendpoints; k++) {
		const char *sep = TEXT("KUBE-SEP-%u-%u", i, k);
		uint32_t left = s->nendpoints - k;

		gen_decl(gen, ":%s -", sep);
		rule(gen, svc,
		     left == 1 ? ""
			       : TEXT("-m statistic --mode random --probability %0.10f",
				      1.0 / (double)left),
		     TEXT("-j %s", sep));
		rule(gen, sep, TEXT("-s %s/32", s->endpoints[k]), "-j KUBE-MARK-MASQ");
		rule(gen, sep, TEXT("-p %s -m %s", s->proto, s->proto),
		     TEXT("-j DNAT --to-destination %s:%u", s->endpoints[k], s->target));
	}
}

static void ipt_nat(struct gen *gen, const struct service *services, uint32_t n)
{
	static const char *const chains[] = {
		"PREROUTING ACCEPT", "INPUT ACCEPT",	 "OUTPUT ACCEPT",      "POSTROUTING ACCEPT",
		"KUBE-SERVICES -",   "KUBE-NODEPORTS -", "KUBE-POSTROUTING -", "KUBE-MARK-MASQ -"};

	gen->table = "nat";
	for (size_t i = 0; i < ND_ARRAY_LEN(chains); i++)
		gen_decl(gen, ":%s", chains[i]);
	rule(gen, "PREROUTING", "-m comment --comment \"kubernetes service portals\"",
	     "-j KUBE-SERVICES");
	rule(gen, "OUTPUT", "-m comment --comment \"kubernetes service portals\"",
	     "-j KUBE-SERVICES");
	rule(gen, "POSTROUTING", "-m comment --comment \"kubernetes postrouting rules\"",
	     "-j KUBE-POSTROUTING");
	rule(gen, "KUBE-MARK-MASQ", "", "-j MARK --set-xmark 0x4000/0x4000");
	rule(gen, "KUBE-POSTROUTING", "-m mark ! --mark 0x4000/0x4000", "-j RETURN");
	rule(gen, "KUBE-POSTROUTING", "", "-j MARK --set-xmark 0x4000/0x0");
	rule(gen, "KUBE-POSTROUTING", "",
	     rng_chance(&gen->rng, 50) ? "-j MASQUERADE --random-fully" : "-j MASQUERADE");
	for (uint32_t i = 0; i < n; i++)
		ipt_service(gen, &services[i], i);
	rule(gen, "KUBE-SERVICES", "-m addrtype --dst-type LOCAL", "-j KUBE-NODEPORTS");
	if (rng_chance(&gen->rng, 40))
		rule(gen, "POSTROUTING", TEXT("-s %s ! -d 10.0.0.0/8", gen_prefix(gen, true)),
		     "-j MASQUERADE");
}

static void ipt_filter(struct gen *gen, const struct service *services, uint32_t n)
{
	static const char *const chains[] = {"INPUT ACCEPT",   "FORWARD ACCEPT",
					     "OUTPUT ACCEPT",  "KUBE-SERVICES -",
					     "KUBE-FORWARD -", "KUBE-FIREWALL -"};

	gen->table = "filter";
	for (size_t i = 0; i < ND_ARRAY_LEN(chains); i++)
		gen_decl(gen, ":%s", chains[i]);
	rule(gen, "INPUT", "", "-j KUBE-FIREWALL");
	rule(gen, "OUTPUT", "", "-j KUBE-FIREWALL");
	rule(gen, "FORWARD", "", "-j KUBE-FORWARD");
	rule(gen, "FORWARD", "-m conntrack --ctstate NEW", "-j KUBE-SERVICES");
	rule(gen, "OUTPUT", "-m conntrack --ctstate NEW", "-j KUBE-SERVICES");
	rule(gen, "KUBE-FIREWALL",
	     "! -s 127.0.0.0/8 -d 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT",
	     "-j DROP");
	rule(gen, "KUBE-FORWARD", "-m conntrack --ctstate INVALID", "-j DROP");
	rule(gen, "KUBE-FORWARD", "-m mark --mark 0x4000/0x4000", "-j ACCEPT");
	rule(gen, "KUBE-FORWARD", "-m conntrack --ctstate RELATED,ESTABLISHED", "-j ACCEPT");
	for (uint32_t i = 0; i < n; i++)
		if (services[i].nendpoints == 0)
			rule(gen, "KUBE-SERVICES",
			     TEXT("-d %s/32 -p %s -m %s --dport %u", services[i].vip,
				  services[i].proto, services[i].proto, services[i].port),
			     "-j REJECT --reject-with icmp-port-unreachable");
	if (rng_chance(&gen->rng, 15))
		rule(gen, "FORWARD", TEXT("-d %s", gen_prefix(gen, false)), "-j DROP");
}

/* ---- nft, as kube-proxy 1.31 names and orders it ---- */
static void nft_service(struct gen *gen, const struct service *s, uint32_t i)
{
	nd_auto_buf struct nd_buf map = {0};
	const char *chain = TEXT("service-%u", i);

	if (s->nendpoints == 0) {
		gen_decl(gen,
			 "add element ip t0 no-endpoint-services { %s . %s . %u : goto "
			 "reject-chain }",
			 s->vip, s->proto, s->port);
		return;
	}
	gen_decl(gen, "add chain ip t0 %s", chain);
	gen_decl(gen, "add element ip t0 service-ips { %s . %s . %u : goto %s }", s->vip, s->proto,
		 s->port, chain);
	if (s->node_port) {
		gen_decl(gen, "add chain ip t0 external-%u", i);
		gen_decl(gen, "add element ip t0 service-nodeports { %s . %u : goto external-%u }",
			 s->proto, s->node_port, i);
		rule(gen, TEXT("external-%u", i), "", "jump mark-for-masquerade");
		rule(gen, TEXT("external-%u", i), "", TEXT("goto %s", chain));
	}
	rule(gen, chain,
	     TEXT("ip daddr %s %s dport %u ip saddr != 10.1.0.0/24", s->vip, s->proto, s->port),
	     "jump mark-for-masquerade");
	for (uint32_t k = 0; k < s->nendpoints; k++) {
		const char *endpoint = TEXT("endpoint-%u-%u", i, k);

		gen_decl(gen, "add chain ip t0 %s", endpoint);
		nd_buf_printf(&map, "%s%u : goto %s", k ? ", " : "", k, endpoint);
		rule(gen, endpoint, TEXT("ip saddr %s", s->endpoints[k]),
		     "jump mark-for-masquerade");
		rule(gen, endpoint, TEXT("meta l4proto %s", s->proto),
		     TEXT("dnat to %s:%u", s->endpoints[k], s->target));
	}
	rule(gen, chain, "", TEXT("numgen random mod %u vmap { %s }", s->nendpoints, map.data));
}

static void nft_base(struct gen *gen)
{
	static const char *const lines[] = {
		"add table ip t0",
		"add map ip t0 service-ips { type ipv4_addr . inet_proto . inet_service : verdict; "
		"}",
		"add map ip t0 no-endpoint-services { type ipv4_addr . inet_proto . inet_service : "
		"verdict; }",
		"add map ip t0 service-nodeports { type inet_proto . inet_service : verdict; }",
		"add set ip t0 cluster-ips { type ipv4_addr; elements = { 10.96.0.2, 10.96.0.3, "
		"10.96.0.4 }; }",
		"add chain ip t0 mark-for-masquerade",
		"add chain ip t0 reject-chain",
		"add chain ip t0 services",
		"add chain ip t0 service-endpoints-check",
		"add chain ip t0 cluster-ips-check",
		"add chain ip t0 nat-prerouting { type nat hook prerouting priority -100; }",
		"add chain ip t0 nat-output { type nat hook output priority -100; }",
		"add chain ip t0 nat-postrouting { type nat hook postrouting priority 100; }",
		"add chain ip t0 filter-input { type filter hook input priority 0; }",
		"add chain ip t0 filter-forward { type filter hook forward priority 0; }",
		"add chain ip t0 filter-output { type filter hook output priority 0; }",
	};

	for (size_t i = 0; i < ND_ARRAY_LEN(lines); i++)
		gen_decl(gen, "%s", lines[i]);
	rule(gen, "mark-for-masquerade", "", "meta mark set meta mark or 0x4000");
	rule(gen, "reject-chain", "", "reject");
	rule(gen, "services", "", "ip daddr . meta l4proto . th dport vmap @service-ips");
	rule(gen, "services", "fib daddr type local",
	     "meta l4proto . th dport vmap @service-nodeports");
	rule(gen, "nat-prerouting", "", "jump services");
	rule(gen, "nat-output", "", "jump services");
	rule(gen, "nat-postrouting", "meta mark & 0x4000 != 0x0 meta mark set meta mark ^ 0x4000",
	     rng_chance(&gen->rng, 50) ? "masquerade fully-random" : "masquerade");
	rule(gen, "service-endpoints-check", "",
	     "ip daddr . meta l4proto . th dport vmap @no-endpoint-services");
	rule(gen, "cluster-ips-check", "ip daddr @cluster-ips", "reject");
	rule(gen, "filter-input", "ct state new", "jump service-endpoints-check");
	rule(gen, "filter-forward", "ct state new", "jump service-endpoints-check");
	rule(gen, "filter-output", "ct state new", "jump service-endpoints-check");
	rule(gen, "filter-forward", "ct state new", "jump cluster-ips-check");
	rule(gen, "filter-output", "ct state new", "jump cluster-ips-check");
}

void gen_kube(struct gen *gen)
{
	static const uint32_t sizes[] = {4, 8, 20, 60};
	struct service services[60];
	uint32_t n = sizes[rng_pick(&gen->rng, ND_ARRAY_LEN(sizes))];
	bool is_nft = rng_chance(&gen->rng, 50);

	for (uint32_t i = 0; i < n; i++)
		services[i] = make_service(gen, i);
	gen->layer = is_nft ? LAYER_NFT : rng_chance(&gen->rng, 80) ? LAYER_IPT : LAYER_LEGACY;
	gen->s->has[gen->layer] = true;
	gen->family = "ip";
	if (!is_nft) {
		ipt_nat(gen, services, n);
		ipt_filter(gen, services, n);
		return;
	}
	gen->table = "t0";
	nft_base(gen);
	for (uint32_t i = 0; i < n; i++)
		nft_service(gen, &services[i], i);
	if (rng_chance(&gen->rng, 30))
		gen_iptables(gen, LAYER_IPT);
}
