/* vxlan.c: VXLAN: whom a frame is for, where that one sits, and who opens it there. */
#include "common/base.h"

#include "plugin/walk/run.h"

#include <strings.h>

#define OVERHEAD 50	  /* IPv4, UDP, VXLAN, Ethernet; RFC 7348 */
#define SOURCE_PORT 49152 /* a hash of the flow; any of the range does */

static const char zero_mac[] = "00:00:00:00:00:00";

static const struct nd_fdb *fdb_find(const struct nd_host *host, const char *dev, const char *mac)
{
	for (size_t i = 0; i < host->nfdb; i++)
		if (nd_eq(host->fdb[i].dev, dev) && host->fdb[i].dst.family &&
		    strcasecmp(host->fdb[i].mac, mac) == 0)
			return &host->fdb[i];
	return NULL;
}

/* The MAC address of the next hop; NULL: none, the run has ended. */
static const char *mac_of_hop(struct nd_run *run)
{
	const struct nd_host *host = run->net->host;
	const struct nd_neigh *neigh = nd_neigh_find(host, run->dev, run->hop);
	const char *where = nd_run_where(run, "ip neigh"), *hop = nd_run_ip(run, run->hop);

	if (!nd_host_has(host, ND_SECTION_neigh) || !nd_host_has(host, ND_SECTION_fdb)) {
		nd_run_end(run, ND_WALK_UNKNOWN, where, "the neighbours of %s are not known",
			   run->net->label);
		return NULL;
	}
	if (neigh && neigh->mac && !neigh->is_failed)
		return neigh->mac;
	/* Frames for everybody go somewhere: its ARP question may be answered. */
	if (fdb_find(host, run->dev, zero_mac))
		nd_run_end(run, ND_WALK_UNKNOWN, where, "who answers for %s on %s is not known",
			   hop, run->dev);
	else
		nd_run_end(run, ND_WALK_LOST, where, "%s has no neighbour entry for %s", run->dev,
			   hop);
	return NULL;
}

static void encapsulate(struct nd_run *run, const struct nd_link *link, const char *mac,
			struct nd_ip to)
{
	struct nd_inner *inner = &run->inner[run->ninner];

	run->ninner++;
	*inner = (struct nd_inner){.pkt = run->pkt,
				   .vni = link->vxlan_id,
				   .mac = mac,
				   .dev = link->name,
				   .from = run->net->label};
	/* The mark stays (kernel: iptunnel_xmit, skb_scrub_packet in the same namespace). */
	run->pkt = (struct nd_pkt){.family = to.family,
				   .proto = ND_PROTO_UDP,
				   .t = {.src = link->vxlan_local,
					 .dst = to,
					 .sport = SOURCE_PORT,
					 .dport = link->vxlan_port},
				   .ttl = 64,
				   .length = (uint16_t)(inner->pkt.length + OVERHEAD),
				   .mark = inner->pkt.mark};
	nd_run_way(run, ND_WAY_ENCAP, nd_run_where(run, "bridge fdb"),
		   "out of %s: VXLAN %u for %s, to %s", link->name, link->vxlan_id, mac,
		   nd_run_ip(run, to));
	run->next = nd_way_output;
}

/*
 * kernel: ip_route_output_key_hash_rcu(): IPv4 leaves with an own address only; of IPv6 nobody
 * asks.
 */
static bool may_send_from(struct nd_run *run, const struct nd_link *link, uint8_t family)
{
	struct nd_ip local = link->vxlan_local;

	if (family != 4 || local.family != 4 ||
	    nd_space_addr_type(&run->net->space, local, NULL) == 2)
		return true;
	nd_run_end(run, ND_WALK_LOST, nd_run_where(run, "ip link"),
		   "%s sends from %s, which is no address of %s", link->name, nd_run_ip(run, local),
		   run->net->label);
	return false;
}

void nd_way_vxlan(struct nd_run *run)
{
	const struct nd_link *link = nd_space_link(&run->net->space, run->dev);
	const char *where = nd_run_where(run, "bridge fdb"), *mac;
	const struct nd_fdb *fdb;

	if (run->ninner == ND_RUN_MAX_DEPTH || run->net->inode || !link->vxlan_port) {
		nd_run_end(run, ND_WALK_UNKNOWN, nd_run_where(run, "ip link"),
			   "this tunnel (%s) is not modelled", link->name);
		return;
	}
	mac = mac_of_hop(run);
	if (!mac)
		return;
	fdb = fdb_find(run->net->host, link->name, mac);
	if (!fdb)
		fdb = fdb_find(run->net->host, link->name, zero_mac);
	if (!fdb) {
		nd_run_end(run, ND_WALK_LOST, where, "%s has no forwarding entry for %s (%s)",
			   link->name, mac, nd_run_ip(run, run->hop));
		return;
	}
	if (nd_space_addr_type(&run->net->space, fdb->dst, NULL) == 2) {
		nd_run_end(run, ND_WALK_LOST, where, "%s dev %s dst %s is %s itself", mac,
			   link->name, nd_run_ip(run, fdb->dst), run->net->label);
		return;
	}
	if (may_send_from(run, link, fdb->dst.family))
		encapsulate(run, link, mac, fdb->dst);
}

/* Each family has sockets of its own: two devices may share number and port. */
static bool is_of_family(const struct nd_link *link, uint8_t family)
{
	return link->vxlan_local.family ? link->vxlan_local.family == family : family == 4;
}

static const struct nd_link *device_for(const struct nd_run *run, const struct nd_inner *inner,
					bool *has_port)
{
	const struct nd_space *space = &run->net->space;

	*has_port = false;
	for (size_t i = 0; i < space->nlinks; i++) {
		const struct nd_link *link = &space->links[i];

		if (!nd_eq(link->kind, "vxlan") || !link->is_up ||
		    link->vxlan_port != run->pkt.t.dport ||
		    !is_of_family(link, run->pkt.family))
			continue;
		*has_port = true;
		if (link->vxlan_id == inner->vni)
			return link;
	}
	return NULL;
}

bool nd_way_decap(struct nd_run *run)
{
	const struct nd_inner *inner = &run->inner[run->ninner - 1];
	const char *where = nd_run_where(run, "ip link"), *dev;
	uint32_t mark = run->pkt.mark;
	const struct nd_link *link;
	bool has_port;

	link = device_for(run, inner, &has_port);
	if (!run->net->space.has_ifaces)
		nd_run_end(run, ND_WALK_UNKNOWN, where, "the devices of %s are not known",
			   run->net->label);
	else if (!link && has_port)
		nd_run_end(run, ND_WALK_LOST, where, "%s has no VXLAN %u at port %u",
			   run->net->label, inner->vni, run->pkt.t.dport);
	else if (!link)
		nd_run_end(run, ND_WALK_LOST, where, "%s has no VXLAN device at port %u",
			   run->net->label, run->pkt.t.dport);
	else if (link->mac && strcasecmp(link->mac, inner->mac) != 0)
		nd_run_end(run, ND_WALK_LOST, where, "%s of %s is %s, the frame is for %s",
			   link->name, run->net->label, link->mac, inner->mac);
	else if (link->master)
		nd_run_end(run, ND_WALK_UNKNOWN, where, "a tunnel in a bridge is not modelled");
	if (run->is_over)
		return false;
	dev = link->name;
	run->pkt = inner->pkt;
	run->ninner--;
	nd_run_scrub(run);
	/* Out of the tunnel it comes with the outer packet's (skb_scrub_packet: same namespace). */
	run->pkt.mark = mark;
	run->dev = dev;
	nd_run_way(run, ND_WAY_DECAP, where, "into %s of %s", dev, run->net->label);
	run->next = nd_way_receive;
	return true;
}
