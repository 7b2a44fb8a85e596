#include "common/base.h"

#include "agent/collect/collect.h"
#include "agent/collect/netjson.h"

#include <linux/rtnetlink.h>
#include <sys/socket.h>

static const struct nd_numname type_rows[] = {
	{RTN_UNSPEC, "none"},		{RTN_UNICAST, "unicast"},
	{RTN_LOCAL, "local"},		{RTN_BROADCAST, "broadcast"},
	{RTN_ANYCAST, "anycast"},	{RTN_MULTICAST, "multicast"},
	{RTN_BLACKHOLE, "blackhole"},	{RTN_UNREACHABLE, "unreachable"},
	{RTN_PROHIBIT, "prohibit"},	{RTN_THROW, "throw"},
	{RTN_NAT, "nat"},		{RTN_XRESOLVE, "xresolve"},
};

/* iproute2: etc/iproute2/rt_protos */
static const struct nd_numname protocol_rows[] = {
	{RTPROT_UNSPEC, "unspec"},   {RTPROT_REDIRECT, "redirect"}, {RTPROT_KERNEL, "kernel"},
	{RTPROT_BOOT, "boot"},	     {RTPROT_STATIC, "static"},	    {RTPROT_GATED, "gated"},
	{RTPROT_RA, "ra"},	     {RTPROT_MRT, "mrt"},	    {RTPROT_ZEBRA, "zebra"},
	{RTPROT_BIRD, "bird"},	     {RTPROT_XORP, "xorp"},	    {RTPROT_NTK, "ntk"},
	{RTPROT_DHCP, "dhcp"},	     {18, "keepalived"},	    {RTPROT_BABEL, "babel"},
	{RTPROT_BGP, "bgp"},	     {RTPROT_ISIS, "isis"},	    {RTPROT_OSPF, "ospf"},
	{RTPROT_RIP, "rip"},	     {RTPROT_EIGRP, "eigrp"},
};

static const struct nd_numname flag_rows[] = {
	{RTNH_F_DEAD, "dead"},	       {RTNH_F_ONLINK, "onlink"},
	{RTNH_F_PERVASIVE, "pervasive"}, {RTNH_F_LINKDOWN, "linkdown"},
};

/* A route of one family may have a gateway of the other (RTA_VIA): family, then its bytes. */
static void gateway_write(struct nd_jsonw *w, int family, struct nd_attr gateway,
			  struct nd_attr via)
{
	struct nd_attr bytes = {0};
	uint16_t via_family = nd_attr_u16_or(via, 0);

	if (gateway.p) {
		nd_netjson_ip(w, "gateway", family, gateway);
		return;
	}
	if (!via.p || via.len <= sizeof(via_family))
		return;
	bytes.p = (const char *)via.p + sizeof(via_family);
	bytes.len = via.len - sizeof(via_family);
	nd_netjson_ip(w, "gateway", via_family, bytes);
}

/* "default", an address when it is whole, else a prefix; as ip does. */
static void dst_write(struct nd_jsonw *w, const struct rtmsg *head, struct nd_attr dst)
{
	uint8_t full = head->rtm_family == AF_INET ? 32 : 128;
	char address[ND_IP_TEXT], text[ND_PREFIX_TEXT];
	struct nd_ip ip = {.family = head->rtm_family == AF_INET ? 4 : 6};

	if (head->rtm_dst_len == 0) {
		nd_jsonw_str(w, "dst", "default");
		return;
	}
	(void)nd_netjson_ip_get(&ip, head->rtm_family, dst);
	if (ip.family == 0)
		return;
	nd_ip_text(ip, address);
	if (head->rtm_dst_len < full)
		snprintf(text, sizeof(text), "%s/%u", address, head->rtm_dst_len);
	else
		snprintf(text, sizeof(text), "%s", address);
	nd_jsonw_str(w, "dst", text);
}

static void nexthops_write(const struct nd_netjson *j, int family, struct nd_attr list)
{
	const char *p = list.p;
	size_t n = list.p ? list.len : 0;

	nd_jsonw_begin(j->w, "nexthops", '[');
	while (n >= sizeof(struct rtnexthop)) {
		struct nd_attr attrs[RTA_VIA + 1];
		struct rtnexthop hop;
		size_t step;

		memcpy(&hop, p, sizeof(hop));
		if (hop.rtnh_len < sizeof(hop) || hop.rtnh_len > n)
			break;
		nd_attr_index(p + sizeof(hop), hop.rtnh_len - sizeof(hop), attrs, RTA_VIA);
		nd_jsonw_begin(j->w, NULL, '{');
		gateway_write(j->w, family, attrs[RTA_GATEWAY], attrs[RTA_VIA]);
		nd_netjson_dev(j, "dev", (uint32_t)hop.rtnh_ifindex);
		nd_jsonw_uint(j->w, "weight", (uint64_t)hop.rtnh_hops + 1);
		nd_netjson_bits(j->w, "flags", hop.rtnh_flags, flag_rows, ND_ARRAY_LEN(flag_rows));
		nd_jsonw_end(j->w, '}');
		step = RTNH_ALIGN((size_t)hop.rtnh_len);
		if (step > n)
			break;
		p += step;
		n -= step;
	}
	nd_jsonw_end(j->w, ']');
}

static void route_write(const struct nd_netjson *j, const struct nlmsghdr *msg, int family)
{
	const struct rtmsg *head = NLMSG_DATA(msg);
	struct nd_attr attrs[RTA_VIA + 1];
	uint32_t number;

	if (msg->nlmsg_type != RTM_NEWROUTE || !nd_nl_attrs(msg, sizeof(*head), attrs, RTA_VIA))
		return;
	if (head->rtm_family != family || (head->rtm_flags & RTM_F_CLONED))
		return;
	nd_jsonw_begin(j->w, NULL, '{');
	nd_netjson_num(j->w, "type", head->rtm_type, type_rows, ND_ARRAY_LEN(type_rows));
	dst_write(j->w, head, attrs[RTA_DST]);
	gateway_write(j->w, family, attrs[RTA_GATEWAY], attrs[RTA_VIA]);
	if (nd_attr_u32(attrs[RTA_OIF], &number))
		nd_netjson_dev(j, "dev", number);
	nd_netjson_table(j->w, "table", nd_attr_u32_or(attrs[RTA_TABLE], head->rtm_table));
	nd_netjson_num(j->w, "protocol", head->rtm_protocol, protocol_rows,
		       ND_ARRAY_LEN(protocol_rows));
	nd_netjson_scope(j->w, "scope", head->rtm_scope);
	nd_netjson_ip(j->w, "prefsrc", family, attrs[RTA_PREFSRC]);
	if (nd_attr_u32(attrs[RTA_PRIORITY], &number))
		nd_jsonw_uint(j->w, "metric", number);
	nd_netjson_bits(j->w, "flags", head->rtm_flags, flag_rows, ND_ARRAY_LEN(flag_rows));
	nd_jsonw_str(j->w, "family", nd_netjson_family(family));
	if (attrs[RTA_MULTIPATH].p)
		nexthops_write(j, family, attrs[RTA_MULTIPATH]);
	nd_jsonw_end(j->w, '}');
}

int nd_routes_write(const struct nd_netjson *j, const char *key, struct nd_err *err)
{
	static const int families[] = {AF_INET, AF_INET6};
	struct rtmsg head = {.rtm_family = AF_UNSPEC};
	const struct nlmsghdr *msg;

	/* One dump gives both families; the multicast ones (128, 129) are left out. */
	if (nd_nl_dump(j->nl, RTM_GETROUTE, &head, sizeof(head), j->raw, err) < 0)
		return -1;
	nd_jsonw_begin(j->w, key, '[');
	for (size_t i = 0; i < ND_ARRAY_LEN(families); i++) {
		struct nd_nl_iter it = nd_nl_iter(j->raw);

		while ((msg = nd_nl_next(&it)))
			route_write(j, msg, families[i]);
	}
	nd_jsonw_end(j->w, ']');
	return 0;
}

static int run(struct nd_agent *agent, struct nd_buf *out, struct nd_err *err)
{
	return nd_netjson_run(agent, out, nd_routes_write, err);
}

const struct nd_collector nd_collector_routes = {.name = "routes", .run = run};
