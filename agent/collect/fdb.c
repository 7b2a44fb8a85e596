#include "common/base.h"

#include "agent/collect/collect.h"
#include "agent/collect/netjson.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#define MAC_BYTES 6

static const struct nd_numname flag_rows[] = {
	{NTF_SELF, "self"},	    {NTF_ROUTER, "router"}, {NTF_EXT_LEARNED, "extern_learn"},
	{NTF_OFFLOADED, "offload"}, {NTF_MASTER, "master"}, {NTF_STICKY, "sticky"},
};

static const char *state_name(uint16_t state)
{
	if (state & NUD_PERMANENT)
		return "permanent";
	if (state & NUD_NOARP)
		return "static";
	return state & NUD_STALE ? "stale" : NULL;
}

/*
 * The groups an interface listens to stand in the same list, some of them for every interface
 * of the node; they say nothing about where frames go.
 */
static bool is_group_filter(const struct nd_attr *attrs)
{
	const uint8_t *mac = attrs[NDA_LLADDR].p;

	return (mac[0] & 1) && !attrs[NDA_DST].p && !attrs[NDA_MASTER].p;
}

static void entry_write(const struct nd_netjson *j, const struct nlmsghdr *msg)
{
	const struct ndmsg *head = NLMSG_DATA(msg);
	struct nd_attr attrs[NDA_MASTER + 1], dst;
	const char *state;
	uint32_t number;

	if (msg->nlmsg_type != RTM_NEWNEIGH ||
	    !nd_nl_attrs(msg, sizeof(*head), attrs, NDA_MASTER) || head->ndm_family != AF_BRIDGE ||
	    attrs[NDA_LLADDR].len != MAC_BYTES || is_group_filter(attrs))
		return;
	nd_jsonw_begin(j->w, NULL, '{');
	nd_netjson_mac(j->w, "mac", attrs[NDA_LLADDR]);
	nd_netjson_dev(j, "ifname", (uint32_t)head->ndm_ifindex);
	dst = attrs[NDA_DST]; /* its family is told by its length only */
	if (dst.p)
		nd_netjson_ip(j->w, "dst", dst.len == 16 ? AF_INET6 : AF_INET, dst);
	number = nd_attr_u16_or(attrs[NDA_VLAN], 0);
	if (number)
		nd_jsonw_uint(j->w, "vlan", number);
	if (nd_attr_u32(attrs[NDA_MASTER], &number))
		nd_netjson_dev(j, "master", number);
	nd_netjson_bits(j->w, "flags", head->ndm_flags, flag_rows, ND_ARRAY_LEN(flag_rows));
	state = state_name(head->ndm_state);
	if (state)
		nd_jsonw_str(j->w, "state", state);
	nd_jsonw_end(j->w, '}');
}

int nd_fdb_write(const struct nd_netjson *j, const char *key, struct nd_err *err)
{
	/* Not an ndmsg: the kernel has taken this longer header since before 4.12 and still does.
	 */
	struct ifinfomsg head = {.ifi_family = AF_BRIDGE};
	struct nd_nl_iter it;
	const struct nlmsghdr *msg;

	if (nd_nl_dump(j->nl, RTM_GETNEIGH, &head, sizeof(head), j->raw, err) < 0)
		return -1;
	nd_jsonw_begin(j->w, key, '[');
	it = nd_nl_iter(j->raw);
	while ((msg = nd_nl_next(&it)))
		entry_write(j, msg);
	nd_jsonw_end(j->w, ']');
	return 0;
}

static int run(struct nd_agent *agent, struct nd_buf *out, struct nd_err *err)
{
	return nd_netjson_run(agent, out, nd_fdb_write, err);
}

const struct nd_collector nd_collector_fdb = {.name = "fdb", .run = run};
