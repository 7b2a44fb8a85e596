#include "common/base.h"

#include "agent/collect/collect.h"
#include "agent/collect/netjson.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

static const struct nd_numname state_rows[] = {
	{NUD_INCOMPLETE, "INCOMPLETE"}, {NUD_REACHABLE, "REACHABLE"}, {NUD_STALE, "STALE"},
	{NUD_DELAY, "DELAY"},		{NUD_PROBE, "PROBE"},	      {NUD_FAILED, "FAILED"},
	{NUD_NOARP, "NOARP"},		{NUD_PERMANENT, "PERMANENT"},
};

static bool is_multicast(struct nd_ip ip)
{
	return ip.family == 4 ? (ip.bytes[0] & 0xf0) == 0xe0 : ip.bytes[0] == 0xff;
}

static void one_write(const struct nd_netjson *j, const struct nlmsghdr *msg)
{
	const struct ndmsg *head = NLMSG_DATA(msg);
	struct nd_attr attrs[NDA_LLADDR + 1];
	struct nd_ip ip;
	char text[ND_IP_TEXT];

	if (msg->nlmsg_type != RTM_NEWNEIGH ||
	    !nd_nl_attrs(msg, sizeof(*head), attrs, NDA_LLADDR) ||
	    !nd_netjson_ip_get(&ip, head->ndm_family, attrs[NDA_DST]))
		return;
	/* Every interface has entries for groups; ip leaves them out as well. */
	if (head->ndm_state == NUD_NONE || (head->ndm_state == NUD_NOARP && is_multicast(ip)))
		return;
	nd_jsonw_begin(j->w, NULL, '{');
	nd_jsonw_str(j->w, "dst", nd_ip_text(ip, text));
	nd_netjson_dev(j, "dev", (uint32_t)head->ndm_ifindex);
	nd_netjson_mac(j->w, "lladdr", attrs[NDA_LLADDR]);
	nd_netjson_bits(j->w, "state", head->ndm_state, state_rows, ND_ARRAY_LEN(state_rows));
	nd_jsonw_str(j->w, "family", nd_netjson_family(head->ndm_family));
	nd_jsonw_end(j->w, '}');
}

int nd_neigh_write(const struct nd_netjson *j, const char *key, struct nd_err *err)
{
	struct ndmsg head = {.ndm_family = AF_UNSPEC};
	struct nd_nl_iter it;
	const struct nlmsghdr *msg;

	if (nd_nl_dump(j->nl, RTM_GETNEIGH, &head, sizeof(head), j->raw, err) < 0)
		return -1;
	nd_jsonw_begin(j->w, key, '[');
	it = nd_nl_iter(j->raw);
	while ((msg = nd_nl_next(&it)))
		one_write(j, msg);
	nd_jsonw_end(j->w, ']');
	return 0;
}

static int run(struct nd_agent *agent, struct nd_buf *out, struct nd_err *err)
{
	return nd_netjson_run(agent, out, nd_neigh_write, err);
}

const struct nd_collector nd_collector_neigh = {.name = "neigh", .run = run};
