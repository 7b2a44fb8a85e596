/* bridge.c: Linux bridges: to which port, may it go back, and does netfilter see it? */
#include "common/base.h"

#include "plugin/walk/run.h"

#include <strings.h>

/* The port behind which a pod has the address; *there is the pod's namespace. */
static const struct nd_link *port_of(struct nd_run *run, const char *bridge, struct nd_ip ip,
				     struct nd_net **there, const struct nd_link **peer)
{
	size_t n;
	const struct nd_owner *owners = nd_world_owners(run->world, ip, &n);

	for (size_t i = 0; i < n; i++) {
		struct nd_net *net, *back;
		const struct nd_link *link, *port;

		if (owners[i].host != run->net->host || !owners[i].inode)
			continue;
		net = nd_world_net(run->world, owners[i].host, owners[i].inode);
		link = nd_space_link(&net->space, owners[i].dev);
		back = link ? nd_world_peer(run->world, net, link, &port) : NULL;
		if (back == run->net && nd_eq(port->master, bridge)) {
			*there = net;
			*peer = link;
			return port;
		}
	}
	return NULL;
}

/* A port that leads out of the node. */
static bool has_uplink(struct nd_run *run, const char *bridge)
{
	const struct nd_space *space = &run->net->space;
	const struct nd_link *peer;

	for (size_t i = 0; i < space->nlinks; i++)
		if (nd_eq(space->links[i].master, bridge) && space->links[i].is_up &&
		    !nd_world_peer(run->world, run->net, &space->links[i], &peer))
			return true;
	return false;
}

/* The port where the bridge learned the neighbour's address. */
static const char *learned_port(const struct nd_run *run, const char *bridge)
{
	const struct nd_host *host = run->net->host;
	const struct nd_neigh *neigh = nd_neigh_find(host, bridge, run->hop);

	for (size_t i = 0; neigh && neigh->mac && i < host->nfdb; i++) {
		const struct nd_link *port = nd_look_link(host, host->fdb[i].dev);

		if (port && nd_eq(port->master, bridge) &&
		    strcasecmp(host->fdb[i].mac, neigh->mac) == 0)
			return port->name;
	}
	return NULL;
}

static void end_nobody(struct nd_run *run, const char *bridge)
{
	const char *port = learned_port(run, bridge), *hop = nd_run_ip(run, run->hop);
	const char *where = nd_run_where(run, "bridge");

	if (has_uplink(run, bridge)) {
		run->dev = bridge;
		run->next = nd_way_underlay;
	} else if (port) {
		nd_run_end(run, ND_WALK_UNKNOWN, where,
			   "%s is behind %s, whose other end is not known", hop, port);
	} else if (!nd_world_sees_pods(run->net->host)) {
		nd_run_end(run, ND_WALK_UNKNOWN, where,
			   "who on %s has %s is not known: not all pods of %s could be seen",
			   bridge, hop, run->net->host->node);
	} else {
		nd_run_end(run, ND_WALK_LOST, where, "nobody on %s has %s", bridge, hop);
	}
}

static bool is_seen_by_ip(const struct nd_run *run)
{
	return nd_run_sysctl(run,
			     run->pkt.family == 6 ? "net.bridge.bridge-nf-call-ip6tables"
						  : "net.bridge.bridge-nf-call-iptables",
			     0) > 0;
}

/* in: the port it came by, or NULL; is_asked_there: who asks for the neighbour is behind it. */
static void out_of_port(struct nd_run *run, const struct nd_link *port, const struct nd_link *in,
			bool is_asked_there, struct nd_net *there, const struct nd_link *peer)
{
	const char *where = nd_run_where(run, "bridge");

	if (port == in && !port->is_hairpin) {
		nd_run_end(run, port->has_hairpin ? ND_WALK_LOST : ND_WALK_UNKNOWN, where,
			   port->has_hairpin
				   ? "%s came in by port %s, hairpin mode is off"
				   : "%s came in by port %s; its hairpin mode is not known",
			   nd_run_ip(run, run->pkt.t.src), port->name);
	} else if (!port->is_up) {
		nd_run_end(run, ND_WALK_LOST, where, "port %s of %s is down", port->name,
			   port->master);
	} else {
		nd_run_cross(run, port, there, peer, is_asked_there);
	}
}

void nd_way_bridge_out(struct nd_run *run)
{
	const char *bridge = run->dev;
	const struct nd_link *port, *peer;
	struct nd_net *there;

	port = port_of(run, bridge, run->hop, &there, &peer);
	if (!port)
		end_nobody(run, bridge);
	else
		out_of_port(run, port, NULL, false, there, peer);
}

/*
 * From port to port, to run->hop. With br_netfilter the packet passes the IP hooks and both ports
 * are known; nothing is routed and its time to live stays.
 */
static void switch_over(struct nd_run *run, const struct nd_link *in, const char *bridge,
			bool is_asked_there)
{
	const struct nd_link *out, *peer;
	struct nd_net *there;

	out = port_of(run, bridge, run->hop, &there, &peer);
	if (!out) {
		end_nobody(run, bridge);
		return;
	}
	if (out == in && !in->is_hairpin) {
		out_of_port(run, out, in, is_asked_there, there, peer);
		return;
	}
	nd_run_way(run, ND_WAY_DEVICE, nd_run_where(run, "bridge"), "bridge %s: port %s to port %s",
		   bridge, in->name, out->name);
	if (is_seen_by_ip(run)) {
		run->pkt.oif = bridge;
		run->pkt.physout = out->name;
		if (!nd_run_hook(run, ND_FORWARD))
			return;
		run->pkt.iif = NULL;
		if (!nd_run_hook(run, ND_POSTROUTING))
			return;
		nd_conn_confirm(run);
	}
	out_of_port(run, out, in, is_asked_there, there, peer);
}

/* kernel: ip_route_input_slow(): of IPv4 no route is found where nothing is forwarded. */
static bool may_be_redirected(const struct nd_run *run, const char *bridge)
{
	int64_t all = nd_run_sysctl(run, "net.ipv4.ip_forward", 1);

	return run->pkt.family == 6 || nd_run_conf(run, bridge, "forwarding", all) != 0;
}

/*
 * kernel: net/bridge/br_netfilter_hooks.c, br_nf_pre_routing_finish(): a packet whose new
 * destination is on the same bridge is bridged, whomever its frame was for; that is why a service
 * needs hairpin mode. Any other goes up.
 */
static void redirect(struct nd_run *run, const struct nd_link *in, const char *bridge)
{
	struct nd_fib_key key = {
		.dst = run->pkt.t.dst, .src = run->pkt.t.src, .iif = bridge, .mark = run->pkt.mark};
	struct nd_fib fib;

	nd_space_route(&run->net->space, &key, &fib);
	if (fib.kind != ND_FIB_UNICAST || !nd_eq(fib.dev, bridge) ||
	    !may_be_redirected(run, bridge)) {
		run->is_routed = true;
		nd_way_route_in(run);
		run->is_routed = false;
	} else if (nd_run_source_valid(run, bridge)) {
		run->hop = nd_fib_hop(&fib, run->pkt.t.dst);
		switch_over(run, in, bridge, false); /* with the node's own entry */
	}
}

static void from_port(struct nd_run *run, const struct nd_link *in, const char *bridge,
		      bool is_for_us)
{
	struct nd_ip dst = run->pkt.t.dst;

	run->dev = bridge;
	if (!is_seen_by_ip(run)) {
		if (is_for_us)
			run->next = nd_way_receive;
		else
			switch_over(run, in, bridge, true);
		return;
	}
	run->pkt.iif = bridge;
	run->pkt.oif = NULL;
	run->pkt.physin = in->name;
	nd_conn_find(run);
	if (!nd_run_hook(run, ND_PREROUTING))
		return;
	if (!nd_ip_eq(dst, run->pkt.t.dst))
		redirect(run, in, bridge);
	else if (is_for_us)
		nd_way_route_in(run);
	else
		switch_over(run, in, bridge, true);
}

/* Does the node itself answer for the next hop? False: no, and the run has ended. */
static bool is_answered(struct nd_run *run, const char *bridge)
{
	const char *why = NULL;
	/* The asker stands behind the port. */
	enum nd_arp answer = nd_net_answers(run, run->net, bridge, run->hop, run->pkt.t.src, &why);

	if (answer == ND_ARP_YES)
		return nd_run_ndisc(run, NULL, NULL, run->net, bridge, run->pkt.t.src);
	nd_run_end(run, answer == ND_ARP_NO ? ND_WALK_LOST : ND_WALK_UNKNOWN,
		   nd_run_where(run, "ip neigh"), "%s", why);
	return false;
}

/* Somebody may be asked there; else nobody but the node itself can answer, and no frame is sent. */
static bool is_behind_port(struct nd_run *run, const char *bridge)
{
	const struct nd_link *peer;
	struct nd_net *there;

	return port_of(run, bridge, run->hop, &there, &peer) || learned_port(run, bridge) ||
	       has_uplink(run, bridge) || !nd_world_sees_pods(run->net->host);
}

void nd_way_bridge_in(struct nd_run *run)
{
	const struct nd_link *in = nd_space_link(&run->net->space, run->dev);
	const char *bridge = in ? in->master : NULL;
	const struct nd_link *link = nd_space_link(&run->net->space, bridge);

	if (!link || !nd_eq(link->kind, "bridge")) {
		nd_run_end(run, ND_WALK_UNKNOWN, nd_run_where(run, "ip link"),
			   "%s belongs to %s, which is no bridge that is known", run->dev,
			   bridge ? bridge : "nothing");
		return;
	}
	if (!link->is_up) {
		nd_run_end(run, ND_WALK_LOST, nd_run_where(run, "ip link"), "%s is down",
			   link->name);
		return;
	}
	if (!run->net->is_known) {
		nd_run_end(run, ND_WALK_UNKNOWN, nd_run_where(run, "ip route"),
			   "the addresses of %s are not known", run->net->label);
		return;
	}
	if (nd_space_addr_type(&run->net->space, run->hop, NULL) != 2 &&
	    is_behind_port(run, link->name)) {
		/* The question comes before the packet, over the same bridge. */
		if (!is_seen_by_ip(run) ||
		    nd_run_ndisc_bridged(run, link->name, run->pkt.t.src))
			from_port(run, in, link->name, false);
		return;
	}
	if (is_answered(run, link->name))
		from_port(run, in, link->name, true);
}
