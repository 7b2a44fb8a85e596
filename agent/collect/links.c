#include "common/base.h"

#include "agent/collect/collect.h"
#include "agent/collect/netjson.h"
#include "agent/sys/offload.h"
#include "common/text.h"

#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#define NATTRS 64 /* covers IFLA_LINK_NETNSID (37) and all older ones we read */
#define KIND_SIZE 32

/* As ip -j orders them. */
static const struct nd_numname flag_rows[] = {
	{IFF_LOOPBACK, "LOOPBACK"},
	{IFF_BROADCAST, "BROADCAST"},
	{IFF_POINTOPOINT, "POINTOPOINT"},
	{IFF_MULTICAST, "MULTICAST"},
	{IFF_NOARP, "NOARP"},
	{IFF_ALLMULTI, "ALLMULTI"},
	{IFF_PROMISC, "PROMISC"},
	{IFF_MASTER, "MASTER"},
	{IFF_SLAVE, "SLAVE"},
	{IFF_DEBUG, "DEBUG"},
	{IFF_DYNAMIC, "DYNAMIC"},
	{IFF_AUTOMEDIA, "AUTOMEDIA"},
	{IFF_PORTSEL, "PORTSEL"},
	{IFF_NOTRAILERS, "NOTRAILERS"},
	{IFF_UP, "UP"},
	{IFF_LOWER_UP, "LOWER_UP"},
	{IFF_DORMANT, "DORMANT"},
	{IFF_ECHO, "ECHO"},
};

static const struct nd_numname type_rows[] = {
	{ARPHRD_ETHER, "ether"},     {ARPHRD_LOOPBACK, "loopback"}, {ARPHRD_NONE, "none"},
	{ARPHRD_TUNNEL, "ipip"},     {ARPHRD_TUNNEL6, "tunnel6"},   {ARPHRD_SIT, "sit"},
	{ARPHRD_IPGRE, "gre"},	     {ARPHRD_IP6GRE, "gre6"},	    {ARPHRD_PPP, "ppp"},
	{ARPHRD_INFINIBAND, "infiniband"},
};

static const struct nd_numname operstate_rows[] = {
	{IF_OPER_UNKNOWN, "UNKNOWN"}, {IF_OPER_NOTPRESENT, "NOTPRESENT"},
	{IF_OPER_DOWN, "DOWN"},	      {IF_OPER_LOWERLAYERDOWN, "LOWERLAYERDOWN"},
	{IF_OPER_TESTING, "TESTING"}, {IF_OPER_DORMANT, "DORMANT"},
	{IF_OPER_UP, "UP"},
};

static const struct nd_numname port_state_rows[] = {
	{BR_STATE_DISABLED, "disabled"},     {BR_STATE_LISTENING, "listening"},
	{BR_STATE_LEARNING, "learning"},     {BR_STATE_FORWARDING, "forwarding"},
	{BR_STATE_BLOCKING, "blocking"},
};

static void flags_write(struct nd_jsonw *w, uint32_t flags)
{
	nd_jsonw_begin(w, "flags", '[');
	if ((flags & IFF_UP) && !(flags & IFF_RUNNING))
		nd_jsonw_str(w, NULL, "NO-CARRIER");
	for (size_t i = 0; i < ND_ARRAY_LEN(flag_rows); i++)
		if (flags & flag_rows[i].number)
			nd_jsonw_str(w, NULL, flag_rows[i].name);
	nd_jsonw_end(w, ']');
}

/* The other end: by name here, by number and namespace id elsewhere. */
static void peer_write(const struct nd_netjson *j, const struct nd_attr *attrs)
{
	uint32_t peer = nd_attr_u32_or(attrs[IFLA_LINK], 0);

	if (attrs[IFLA_LINK_NETNSID].p) {
		nd_jsonw_uint(j->w, "link_index", peer);
		nd_jsonw_int(j->w, "link_netnsid",
			     (int32_t)nd_attr_u32_or(attrs[IFLA_LINK_NETNSID], 0));
	} else if (peer) {
		nd_netjson_dev(j, "link", peer);
	}
}

/* Tunnels have the address of their own end here, four bytes of IPv4 or 16 of IPv6. */
static void address_write(struct nd_jsonw *w, uint16_t type, struct nd_attr attr)
{
	if (attr.len == 4 && (type == ARPHRD_TUNNEL || type == ARPHRD_SIT || type == ARPHRD_IPGRE))
		nd_netjson_ip(w, "address", AF_INET, attr);
	else if (attr.len == 16 && (type == ARPHRD_TUNNEL6 || type == ARPHRD_IP6GRE))
		nd_netjson_ip(w, "address", AF_INET6, attr);
	else
		nd_netjson_mac(w, "address", attr);
}

static void vxlan_write(const struct nd_netjson *j, struct nd_attr data)
{
	struct nd_attr attrs[IFLA_VXLAN_LOCAL6 + 1];
	uint32_t number;

	nd_attr_index(data.p, data.p ? data.len : 0, attrs, IFLA_VXLAN_LOCAL6);
	nd_jsonw_begin(j->w, "info_data", '{');
	if (nd_attr_u32(attrs[IFLA_VXLAN_ID], &number))
		nd_jsonw_uint(j->w, "id", number);
	if (nd_attr_u32_or(attrs[IFLA_VXLAN_GROUP], 0))
		nd_netjson_ip(j->w, "remote", AF_INET, attrs[IFLA_VXLAN_GROUP]);
	if (nd_attr_u32_or(attrs[IFLA_VXLAN_LOCAL], 0))
		nd_netjson_ip(j->w, "local", AF_INET, attrs[IFLA_VXLAN_LOCAL]);
	else
		nd_netjson_ip(j->w, "local", AF_INET6, attrs[IFLA_VXLAN_LOCAL6]);
	number = nd_attr_u32_or(attrs[IFLA_VXLAN_LINK], 0);
	if (number)
		nd_netjson_dev(j, "link", number);
	if (attrs[IFLA_VXLAN_PORT].p) {
		/* network order, unlike its neighbours */
		uint16_t port = nd_attr_u16_or(attrs[IFLA_VXLAN_PORT], 0);

		nd_jsonw_uint(j->w, "port", (uint16_t)(port << 8 | port >> 8));
	}
	if (attrs[IFLA_VXLAN_LEARNING].p)
		nd_jsonw_bool(j->w, "learning", nd_attr_u8_or(attrs[IFLA_VXLAN_LEARNING], 0));
	nd_jsonw_end(j->w, '}');
}

static void bridge_write(struct nd_jsonw *w, struct nd_attr data)
{
	struct nd_attr attrs[IFLA_BR_VLAN_FILTERING + 1];

	nd_attr_index(data.p, data.p ? data.len : 0, attrs, IFLA_BR_VLAN_FILTERING);
	nd_jsonw_begin(w, "info_data", '{');
	if (attrs[IFLA_BR_VLAN_FILTERING].p)
		nd_jsonw_uint(w, "vlan_filtering",
			      nd_attr_u8_or(attrs[IFLA_BR_VLAN_FILTERING], 0));
	nd_jsonw_end(w, '}');
}

static void port_write(struct nd_jsonw *w, struct nd_attr data)
{
	struct nd_attr attrs[IFLA_BRPORT_MODE + 1];

	nd_attr_index(data.p, data.p ? data.len : 0, attrs, IFLA_BRPORT_MODE);
	nd_jsonw_begin(w, "info_slave_data", '{');
	if (attrs[IFLA_BRPORT_STATE].p)
		nd_netjson_num(w, "state", nd_attr_u8_or(attrs[IFLA_BRPORT_STATE], 0),
			       port_state_rows, ND_ARRAY_LEN(port_state_rows));
	if (attrs[IFLA_BRPORT_MODE].p)
		nd_jsonw_bool(w, "hairpin", nd_attr_u8_or(attrs[IFLA_BRPORT_MODE], 0));
	nd_jsonw_end(w, '}');
}

/* kind gets the kind of the interface, "" for none. */
static void linkinfo_write(const struct nd_netjson *j, struct nd_attr info, char kind[KIND_SIZE])
{
	struct nd_attr attrs[IFLA_INFO_SLAVE_DATA + 1];
	char slave_kind[KIND_SIZE];

	nd_attr_index(info.p, info.p ? info.len : 0, attrs, IFLA_INFO_SLAVE_DATA);
	nd_attr_text(attrs[IFLA_INFO_KIND], kind, KIND_SIZE);
	nd_attr_text(attrs[IFLA_INFO_SLAVE_KIND], slave_kind, sizeof(slave_kind));
	if (!kind[0] && !slave_kind[0])
		return;
	nd_jsonw_begin(j->w, "linkinfo", '{');
	if (kind[0])
		nd_jsonw_str(j->w, "info_kind", kind);
	if (nd_eq(kind, "vxlan"))
		vxlan_write(j, attrs[IFLA_INFO_DATA]);
	else if (nd_eq(kind, "bridge"))
		bridge_write(j->w, attrs[IFLA_INFO_DATA]);
	if (slave_kind[0])
		nd_jsonw_str(j->w, "info_slave_kind", slave_kind);
	if (nd_eq(slave_kind, "bridge"))
		port_write(j->w, attrs[IFLA_INFO_SLAVE_DATA]);
	nd_jsonw_end(j->w, '}');
}

static void stats_half_write(struct nd_jsonw *w, const char *key, uint64_t bytes, uint64_t packets,
			     uint64_t errors, uint64_t dropped)
{
	nd_jsonw_begin(w, key, '{');
	nd_jsonw_uint(w, "bytes", bytes);
	nd_jsonw_uint(w, "packets", packets);
	nd_jsonw_uint(w, "errors", errors);
	nd_jsonw_uint(w, "dropped", dropped);
	nd_jsonw_end(w, '}');
}

static void stats_write(struct nd_jsonw *w, struct nd_attr attr)
{
	struct rtnl_link_stats64 s = {0};

	/* Newer kernels append fields, older ones have fewer: the first eight are always there. */
	if (!attr.p || attr.len < offsetof(struct rtnl_link_stats64, multicast))
		return;
	memcpy(&s, attr.p, attr.len < sizeof(s) ? attr.len : sizeof(s));
	nd_jsonw_begin(w, "stats64", '{');
	stats_half_write(w, "rx", s.rx_bytes, s.rx_packets, s.rx_errors, s.rx_dropped);
	stats_half_write(w, "tx", s.tx_bytes, s.tx_packets, s.tx_errors, s.tx_dropped);
	nd_jsonw_end(w, '}');
}

/* Asked only where a wrong offload is a known fault: hardware, and what carries pods. */
static bool has_telling_offload(uint16_t type, const char *kind)
{
	if (!kind[0])
		return type == ARPHRD_ETHER;
	return nd_eq(kind, "vxlan") || nd_eq(kind, "bridge") || nd_eq(kind, "veth");
}

static void link_write(const struct nd_netjson *j, const struct nlmsghdr *msg,
		       const struct nd_offload *offload)
{
	const struct ifinfomsg *head = NLMSG_DATA(msg);
	struct nd_attr attrs[NATTRS + 1];
	char name[IFNAMSIZ], kind[KIND_SIZE] = "";
	uint32_t master;

	if (msg->nlmsg_type != RTM_NEWLINK || !nd_nl_attrs(msg, sizeof(*head), attrs, NATTRS))
		return;
	nd_attr_text(attrs[IFLA_IFNAME], name, sizeof(name));
	nd_jsonw_begin(j->w, NULL, '{');
	nd_jsonw_int(j->w, "ifindex", head->ifi_index);
	peer_write(j, attrs);
	nd_jsonw_str(j->w, "ifname", name);
	flags_write(j->w, head->ifi_flags);
	nd_jsonw_uint(j->w, "mtu", nd_attr_u32_or(attrs[IFLA_MTU], 0));
	master = nd_attr_u32_or(attrs[IFLA_MASTER], 0);
	if (master)
		nd_netjson_dev(j, "master", master);
	nd_netjson_num(j->w, "operstate", nd_attr_u8_or(attrs[IFLA_OPERSTATE], IF_OPER_UNKNOWN),
		       operstate_rows, ND_ARRAY_LEN(operstate_rows));
	nd_netjson_num(j->w, "link_type", head->ifi_type, type_rows, ND_ARRAY_LEN(type_rows));
	address_write(j->w, head->ifi_type, attrs[IFLA_ADDRESS]);
	linkinfo_write(j, attrs[IFLA_LINKINFO], kind);
	stats_write(j->w, attrs[IFLA_STATS64]);
	if (offload->nbits && has_telling_offload(head->ifi_type, kind))
		nd_offload_write(offload, j->ioctl_fd, name, j->w);
	nd_jsonw_end(j->w, '}');
}

int nd_links_write(const struct nd_netjson *j, const char *key, struct nd_err *err)
{
	struct ifinfomsg head = {.ifi_family = AF_UNSPEC};
	struct nd_offload offload = {0};
	struct nd_nl_iter it;
	const struct nlmsghdr *msg;

	if (nd_nl_dump(j->nl, RTM_GETLINK, &head, sizeof(head), j->raw, err) < 0)
		return -1;
	nd_ifnames_load(j->names, j->raw);
	if (j->ioctl_fd >= 0 && j->names->nitems)
		nd_offload_init(&offload, j->ioctl_fd, j->names->items[0].name);
	nd_jsonw_begin(j->w, key, '[');
	it = nd_nl_iter(j->raw);
	while ((msg = nd_nl_next(&it)))
		link_write(j, msg, &offload);
	nd_jsonw_end(j->w, ']');
	return 0;
}

static int run(struct nd_agent *agent, struct nd_buf *out, struct nd_err *err)
{
	agent->has_names = true; /* loaded on the way; spares a second dump */
	if (nd_netjson_run(agent, out, nd_links_write, err) < 0) {
		agent->has_names = false;
		return -1;
	}
	return 0;
}

const struct nd_collector nd_collector_links = {.name = "links", .run = run};
