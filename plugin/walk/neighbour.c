/* neighbour.c: who answers for an address on a link. */
#include "common/base.h"

#include "plugin/walk/run.h"

const struct nd_neigh *nd_neigh_find(const struct nd_host *host, const char *dev, struct nd_ip ip)
{
	for (size_t i = 0; host && i < host->nneigh; i++)
		if (nd_ip_eq(host->neigh[i].ip, ip) && nd_eq(host->neigh[i].dev, dev))
			return &host->neigh[i];
	return NULL;
}

static int64_t max_conf(const struct nd_net *net, const char *dev, const char *name)
{
	int64_t all = nd_net_conf(net, "all", name, 0), own = nd_net_conf(net, dev, name, 0);

	return all > own ? all : own;
}

/* kernel: net/ipv4/arp.c, arp_ignore() */
static bool is_ignored(const struct nd_space *space, const char *dev, struct nd_ip ip,
		       struct nd_ip src, int64_t level)
{
	if (level <= 0)
		return false;
	if (level == 8)
		return true;
	for (size_t i = 0; i < space->naddrs; i++) {
		const struct nd_address *addr = &space->addrs[i];

		if (!nd_ip_eq(addr->prefix.ip, ip))
			continue;
		if (level == 3 && !nd_eq(addr->scope, "host"))
			return false;
		if (level <= 2 && nd_eq(addr->dev, dev) &&
		    (level == 1 || nd_prefix_has(addr->prefix, src)))
			return false;
	}
	return true;
}

static enum nd_arp proxy(const struct nd_run *run, const struct nd_net *net, const char *dev,
			 struct nd_ip ip, const char **why)
{
	struct nd_fib_key key = {.dst = ip, .src = run->pkt.t.src, .iif = dev};
	int64_t own = nd_net_conf(net, dev, "proxy_arp", -1);
	int64_t all = nd_net_conf(net, "all", "proxy_arp", -1), value = own > all ? own : all;
	struct nd_fib fib;

	/* kernel: arp_process(): only who forwards stands in for others */
	if (value == 0 || net->inode || nd_net_conf(net, dev, "forwarding", 1) == 0) {
		*why = nd_arena_printf(run->arena, "nobody behind %s has %s", dev,
				       nd_run_ip(run, ip));
		return ND_ARP_NO;
	}
	nd_space_route(&net->space, &key, &fib);
	if (fib.kind != ND_FIB_UNICAST || nd_eq(fib.dev, dev)) {
		*why = nd_arena_printf(run->arena, "%s has not %s and no other way to it",
				       net->label, nd_run_ip(run, ip));
		return ND_ARP_NO;
	}
	*why = nd_arena_printf(run->arena,
			       "whether %s answers for %s on %s (proxy_arp) is not known",
			       net->label, nd_run_ip(run, ip), dev);
	return value > 0 ? ND_ARP_YES : ND_ARP_UNKNOWN;
}

static bool has_on(const struct nd_net *net, struct nd_ip ip, const char *dev)
{
	uint32_t type = nd_space_addr_type(&net->space, ip, dev);

	return type == 2 || type == 4; /* RTN_LOCAL, RTN_ANYCAST */
}

/* kernel: arp_process() asks ip_route_input(): whom a packet may not come from is not answered. */
static const char *why_invalid(const struct nd_run *run, struct nd_net *net, const char *dev,
			       struct nd_ip ip, struct nd_ip src)
{
	struct nd_run question = *run;

	if (ip.family != 4 || src.family != 4 || net->inode)
		return NULL;
	question.ways = NULL;
	question.nways = 0;
	question.kept = NULL;
	question.net = net;
	question.dev = dev;
	question.pkt = (struct nd_pkt){.family = 4, .t = {.src = src, .dst = ip}};
	return nd_run_source_valid(&question, NULL) ? NULL : question.reason;
}

enum nd_arp nd_net_answers(const struct nd_run *run, struct nd_net *net, const char *dev,
			   struct nd_ip ip, struct nd_ip src, const char **why)
{
	int64_t level;

	if (!net->is_known) {
		*why = nd_arena_printf(run->arena, "the addresses of %s are not known", net->label);
		return ND_ARP_UNKNOWN;
	}
	if (nd_space_addr_type(&net->space, ip, NULL) != 2 && ip.family == 4)
		return proxy(run, net, dev, ip, why);
	/* kernel: ndisc_recv_ns(): only for addresses of that very device */
	if (ip.family == 6 && !has_on(net, ip, dev)) {
		*why = nd_arena_printf(run->arena, "nobody behind %s has %s", dev,
				       nd_run_ip(run, ip));
		return ND_ARP_NO;
	}
	level = ip.family == 4 ? max_conf(net, dev, "arp_ignore") : 0;
	if (!is_ignored(&net->space, dev, ip, src, level)) {
		const char *reason = why_invalid(run, net, dev, ip, src);

		if (reason)
			*why = nd_arena_printf(run->arena,
					       "%s does not answer ARP for %s on %s: %s",
					       net->label, nd_run_ip(run, ip), dev, reason);
		return reason ? ND_ARP_NO : ND_ARP_YES;
	}
	*why = nd_arena_printf(run->arena,
			       "%s does not answer ARP for %s on %s (arp_ignore = %d), once the "
			       "asker's entry has aged",
			       net->label, nd_run_ip(run, ip), dev, (int)level);
	return ND_ARP_NO;
}
