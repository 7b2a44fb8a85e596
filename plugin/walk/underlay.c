/* underlay.c: from node to node over the network between them, and out of the cluster. */
#include "common/base.h"

#include "plugin/walk/eval_run.h"
#include "plugin/walk/run.h"

#include <strings.h>

/* The device of another node that is on the network of our device. */
static const struct nd_address *common_network(const struct nd_space *space, const char *dev,
					       const struct nd_host *other, uint8_t family)
{
	for (size_t i = 0; i < space->naddrs; i++) {
		const struct nd_address *own = &space->addrs[i];

		if (!nd_eq(own->dev, dev) || own->prefix.ip.family != family)
			continue;
		for (size_t k = 0; k < other->naddrs; k++) {
			const struct nd_address *addr = &other->addrs[k];

			if (!nd_eq(addr->dev, "lo") && addr->prefix.ip.family == family &&
			    !nd_ip_is_link_local(addr->prefix.ip) &&
			    !nd_ip_eq(addr->prefix.ip, own->prefix.ip) &&
			    nd_prefix_eq(addr->prefix, own->prefix))
				return addr;
		}
	}
	return NULL;
}

static void arrive(struct nd_run *run, struct nd_net *there, const char *dev)
{
	const struct nd_link *link = nd_space_link(&there->space, dev);
	const struct nd_neigh *neigh = nd_neigh_find(run->net->host, run->dev, run->hop);
	const char *why, *where = nd_run_where(run, "ip neigh");
	struct nd_ip src = nd_run_asker(run, run->dev);
	enum nd_arp answer;

	nd_run_way(run, ND_WAY_DEVICE, nd_run_where(run, "ip link"), "out of %s, into %s of %s",
		   run->dev, dev, there->label);
	if (link && !link->is_up) {
		nd_run_end(run, ND_WALK_LOST, nd_run_where(run, "ip link"), "%s of %s is down", dev,
			   there->label);
		return;
	}
	if (neigh && neigh->is_permanent && neigh->mac && link && link->mac &&
	    strcasecmp(neigh->mac, link->mac) != 0) {
		nd_run_end(run, ND_WALK_LOST, where,
			   "%s dev %s lladdr %s is permanent, but its address is %s",
			   nd_run_ip(run, run->hop), run->dev, neigh->mac, link->mac);
		return;
	}
	answer = nd_net_answers(run, there, dev, run->hop, src, &why);
	if (answer != ND_ARP_YES) {
		nd_run_end(run, answer == ND_ARP_NO ? ND_WALK_LOST : ND_WALK_UNKNOWN, where, "%s",
			   why);
		return;
	}
	if (!nd_run_ndisc(run, run->net, run->dev, there, dev, src))
		return;
	nd_run_scrub(run);
	run->net = there;
	run->dev = dev;
	run->next = nd_way_receive;
}

/* An answer to somebody outside is where it belongs when it leaves as it was asked for. */
static void end_outside_answer(struct nd_run *run)
{
	struct nd_tuple want = nd_tuple_invert(&run->sent, run->pkt.proto);

	if (!run->is_error &&
	    (!nd_ip_eq(want.src, run->pkt.t.src) || want.sport != run->pkt.t.sport)) {
		nd_run_end(run, ND_WALK_LOST, nd_run_where(run, "netfilter"),
			   "the answer leaves as %s port %u, %s port %u was asked",
			   nd_run_ip(run, run->pkt.t.src), run->pkt.t.sport,
			   nd_run_ip(run, want.src), want.sport);
		return;
	}
	nd_run_way(run, ND_WAY_DEVICE, nd_run_where(run, "ip link"), "out of %s, to who asked",
		   run->dev);
	run->verdict = ND_WALK_DELIVERED;
	run->reason = "the answer leaves the cluster as it was asked for";
	run->is_over = true;
}

/* Nobody whom we know has the address of the next hop. */
static void leave(struct nd_run *run)
{
	const struct nd_cluster *cluster = run->world->cluster;
	const struct nd_neigh *neigh = nd_neigh_find(run->net->host, run->dev, run->hop);
	const char *hop = nd_run_ip(run, run->hop), *dst = nd_run_ip(run, run->pkt.t.dst);
	const char *where = nd_run_where(run, "ip route");
	bool is_direct = nd_ip_eq(run->hop, run->pkt.t.dst);

	if (neigh && neigh->is_failed)
		nd_run_end(run, ND_WALK_LOST, nd_run_where(run, "ip neigh"),
			   "nobody answers for %s on %s", hop, run->dev);
	else if (run->ninner)
		nd_run_end(run, ND_WALK_LOST, nd_run_where(run, "bridge fdb"),
			   "%s sends frames for %s to %s, which is no node's address",
			   run->inner[run->ninner - 1].dev, run->inner[run->ninner - 1].mac, dst);
	else if (run->is_answer && !run->home && nd_ip_eq(run->pkt.t.dst, run->sent.src))
		end_outside_answer(run);
	else if (nd_look_is_service_ip(cluster, run->pkt.t.dst))
		nd_run_end(run, ND_WALK_LOST, where,
			   "%s is a service, but the packet leaves by %s as it is: no rule of %s "
			   "sent it to an endpoint",
			   dst, run->dev, run->net->label);
	else if (nd_look_is_pod_ip(cluster, run->pkt.t.dst))
		nd_run_end(run, ND_WALK_OUTSIDE, where,
			   "%s is in the range of pods, but the packet leaves the cluster by %s to "
			   "%s",
			   dst, run->dev, hop);
	else
		nd_run_end(run, ND_WALK_OUTSIDE, where, "leaves the cluster by %s%s%s", run->dev,
			   is_direct ? "" : " to ", is_direct ? "" : hop);
}

void nd_way_underlay(struct nd_run *run)
{
	const struct nd_node *node;
	size_t n;
	const struct nd_owner *owners = nd_world_owners(run->world, run->hop, &n);
	const char *where = nd_run_where(run, "ip route"), *unclear = NULL;

	for (size_t i = 0; i < n; i++) {
		const struct nd_address *addr;

		if (owners[i].host == run->net->host)
			continue;
		addr = common_network(&run->net->space, run->dev, owners[i].host, run->hop.family);
		/* The wire is one for both. */
		if (!addr)
			addr = common_network(&run->net->space, run->dev, owners[i].host,
					      run->hop.family == 6 ? 4 : 6);
		if (addr) {
			arrive(run, nd_world_net(run->world, owners[i].host, 0), addr->dev);
			return;
		}
		unclear = owners[i].host->node;
	}
	node = nd_world_node_by_ip(run->world, run->hop);
	if (node && !nd_look_host(run->world->cluster, node->meta.name))
		nd_run_end(run, ND_WALK_UNKNOWN, where, "there is no report of node %s",
			   node->meta.name);
	else if (node &&
		 !nd_host_has(nd_look_host(run->world->cluster, node->meta.name), ND_SECTION_addrs))
		nd_run_end(run, ND_WALK_UNKNOWN, where, "the addresses of node %s are not known",
			   node->meta.name);
	else if (unclear)
		nd_run_end(run, ND_WALK_UNKNOWN, where,
			   "%s belongs to %s, but no network of %s leads there by %s",
			   nd_run_ip(run, run->hop), unclear, run->net->label, run->dev);
	else
		leave(run);
}
