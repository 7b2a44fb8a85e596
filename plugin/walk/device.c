/* device.c: out of a device: to the other end of a wire, or into what the device stands for. */
#include "common/base.h"

#include "plugin/walk/run.h"

#include <strings.h>

/* kernel: ndisc_solicit(): the packet's source when the device has it, else that of the link. */
static struct nd_ip asker6(const struct nd_run *run, const char *dev)
{
	const struct nd_space *space = &run->net->space;

	if (nd_space_has_addr(space, run->pkt.t.src, dev))
		return run->pkt.t.src;
	for (size_t i = 0; i < space->naddrs; i++)
		if (nd_ip_is_link_local(space->addrs[i].prefix.ip) &&
		    nd_eq(space->addrs[i].dev, dev))
			return space->addrs[i].prefix.ip;
	return nd_space_source(space, dev, run->hop, "link");
}

struct nd_ip nd_run_asker(const struct nd_run *run, const char *dev)
{
	if (run->hop.family == 6)
		return asker6(run, dev);
	if (nd_space_addr_type(&run->net->space, run->pkt.t.src, NULL) == 2)
		return run->pkt.t.src;
	return nd_space_source(&run->net->space, dev, run->hop, "link");
}

/* An entry that somebody wrote down beats every answer. */
static bool is_entry_wrong(struct nd_run *run, const char *dev, const char *mac)
{
	const struct nd_neigh *neigh =
		run->net->inode ? NULL : nd_neigh_find(run->net->host, dev, run->hop);

	if (!neigh || !neigh->is_permanent || !neigh->mac || !mac ||
	    strcasecmp(neigh->mac, mac) == 0)
		return false;
	nd_run_end(run, ND_WALK_LOST, nd_run_where(run, "ip neigh"),
		   "%s dev %s lladdr %s is permanent, but its address is %s",
		   nd_run_ip(run, run->hop), dev, neigh->mac, mac);
	return true;
}

void nd_run_cross(struct nd_run *run, const struct nd_link *link, struct nd_net *there,
		  const struct nd_link *peer, bool is_bridged)
{
	enum nd_arp answer = ND_ARP_YES;
	const char *why = NULL;
	struct nd_ip src = is_bridged ? run->pkt.t.src : nd_run_asker(run, run->dev);

	nd_run_way(run, ND_WAY_DEVICE, nd_run_where(run, "ip link"), "out of %s, into %s of %s",
		   link->name, peer->name, there->label);
	if (!peer->is_up) {
		nd_run_end(run, ND_WALK_LOST, nd_run_where(run, "ip link"), "%s of %s is down",
			   peer->name, there->label);
		return;
	}
	if (!peer->master) {
		if (!is_bridged && is_entry_wrong(run, run->dev, peer->mac))
			return;
		answer = nd_net_answers(run, there, peer->name, run->hop, src, &why);
	}
	if (answer != ND_ARP_YES) {
		nd_run_end(run, answer == ND_ARP_NO ? ND_WALK_LOST : ND_WALK_UNKNOWN,
			   nd_run_where(run, "ip neigh"), "%s", why);
		return;
	}
	if (!peer->master && !is_bridged &&
	    !nd_run_ndisc(run, run->net, run->dev, there, peer->name, src))
		return;
	nd_run_scrub(run);
	run->net = there;
	run->dev = peer->name;
	run->next = peer->master ? nd_way_bridge_in : nd_way_receive;
}

/* Kinds of devices that carry frames as they are. */
static bool is_plain(const struct nd_link *link)
{
	static const char *const kinds[] = {"veth", "vlan", "bond", "macvlan", "team"};

	if (!link->kind)
		return true;
	for (size_t i = 0; i < ND_ARRAY_LEN(kinds); i++)
		if (nd_eq(link->kind, kinds[i]))
			return true;
	return false;
}

static bool is_usable(struct nd_run *run, const struct nd_link *link)
{
	const char *where = nd_run_where(run, "ip link");

	if (!run->net->space.has_ifaces)
		nd_run_end(run, ND_WALK_UNKNOWN, where, "the devices of %s are not known",
			   run->net->label);
	else if (!link)
		nd_run_end(run, ND_WALK_LOST, where, "%s has no device %s", run->net->label,
			   run->dev);
	else if (!link->is_up)
		nd_run_end(run, ND_WALK_LOST, where, "%s is down", link->name);
	else if (nd_eq(link->operstate, "DOWN") || nd_eq(link->operstate, "LOWERLAYERDOWN"))
		nd_run_end(run, ND_WALK_LOST, where, "%s has no carrier", link->name);
	else
		return true;
	return false;
}

/* What comes in by the port of a bridge is the bridge's (kernel: br_handle_frame). */
static bool is_deaf_port(const struct nd_run *run, const struct nd_link *link)
{
	const struct nd_neigh *neigh =
		run->net->inode ? NULL : nd_neigh_find(run->net->host, link->name, run->hop);

	return link->master && !(neigh && neigh->is_permanent && neigh->mac);
}

void nd_way_transmit(struct nd_run *run)
{
	const struct nd_link *link = nd_space_link(&run->net->space, run->dev), *peer;
	struct nd_net *there;

	if (!is_usable(run, link))
		return;
	if (nd_eq(link->name, "lo")) {
		run->next = nd_way_receive;
	} else if (nd_eq(link->kind, "vxlan")) {
		run->next = nd_way_vxlan;
	} else if (nd_eq(link->kind, "bridge")) {
		run->next = nd_way_bridge_out;
	} else if (is_deaf_port(run, link)) {
		nd_run_end(run, ND_WALK_LOST, nd_run_where(run, "ip neigh"),
			   "%s is a port of %s, where answers to what it asks come in: %s is never "
			   "found",
			   link->name, link->master, nd_run_ip(run, run->hop));
	} else if ((there = nd_world_peer(run->world, run->net, link, &peer)) != NULL) {
		nd_run_cross(run, link, there, peer, false);
	} else if (nd_eq(link->kind, "dummy")) {
		nd_run_end(run, ND_WALK_LOST, nd_run_where(run, "ip link"),
			   "%s is a dummy: what goes there is gone", link->name);
	} else if (!is_plain(link)) {
		nd_run_end(run, ND_WALK_UNKNOWN, nd_run_where(run, "ip link"),
			   "devices of kind %s (%s) are not modelled", link->kind, link->name);
	} else if (run->net->inode) {
		nd_run_end(run, ND_WALK_UNKNOWN, nd_run_where(run, "ip link"),
			   "the other end of %s in %s is not known", link->name, run->net->label);
	} else {
		run->next = nd_way_underlay;
	}
}
