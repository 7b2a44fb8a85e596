#include "common/base.h"

#include "agent/collect/collect.h"
#include "agent/collect/netjson.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

/* Where an address message stands, to bring those of one interface together. */
struct place {
	uint32_t ifindex;
	uint32_t order;
	const struct nlmsghdr *msg;
};

static int by_ifindex(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->ifindex != y->ifindex)
		return x->ifindex < y->ifindex ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

/* places[*n], sorted; NULL when there is none. */
static struct place *places_build(const struct nd_buf *raw, size_t *n)
{
	struct nd_nl_iter it = nd_nl_iter(raw);
	const struct nlmsghdr *msg;
	struct place *places;
	size_t max = 0;

	*n = 0;
	while (nd_nl_next(&it))
		max++;
	places = max ? calloc(max, sizeof(*places)) : NULL;
	if (!max)
		return NULL;
	if (!places)
		nd_out_of_memory(max * sizeof(*places));
	it = nd_nl_iter(raw);
	while ((msg = nd_nl_next(&it)) && *n < max) {
		const struct ifaddrmsg *head = NLMSG_DATA(msg);

		if (msg->nlmsg_type != RTM_NEWADDR ||
		    msg->nlmsg_len < NLMSG_LENGTH(sizeof(*head)) ||
		    !nd_netjson_family(head->ifa_family))
			continue;
		places[*n] = (struct place){head->ifa_index, (uint32_t)*n, msg};
		++*n;
	}
	qsort(places, *n, sizeof(*places), by_ifindex);
	return places;
}

static void addr_write(struct nd_jsonw *w, const struct nlmsghdr *msg)
{
	const struct ifaddrmsg *head = NLMSG_DATA(msg);
	struct nd_attr attrs[IFA_MAX + 1];

	nd_nl_attrs(msg, sizeof(*head), attrs, IFA_MAX);
	nd_jsonw_begin(w, NULL, '{');
	nd_jsonw_str(w, "family", nd_netjson_family(head->ifa_family));
	nd_netjson_ip(w, "local", head->ifa_family,
		      attrs[IFA_LOCAL].p ? attrs[IFA_LOCAL] : attrs[IFA_ADDRESS]);
	nd_jsonw_uint(w, "prefixlen", head->ifa_prefixlen);
	nd_netjson_scope(w, "scope", head->ifa_scope);
	nd_jsonw_end(w, '}');
}

int nd_addrs_write(const struct nd_netjson *j, const char *key, struct nd_err *err)
{
	struct ifaddrmsg head = {.ifa_family = AF_UNSPEC};
	nd_auto_free struct place *places = NULL;
	size_t nplaces, at = 0;

	if (nd_nl_dump(j->nl, RTM_GETADDR, &head, sizeof(head), j->raw, err) < 0)
		return -1;
	places = places_build(j->raw, &nplaces);
	nd_jsonw_begin(j->w, key, '[');
	for (size_t i = 0; i < j->names->nitems; i++) {
		const struct nd_ifname *name = &j->names->items[i];

		nd_jsonw_begin(j->w, NULL, '{');
		nd_jsonw_uint(j->w, "ifindex", name->index);
		nd_jsonw_str(j->w, "ifname", name->name);
		nd_jsonw_begin(j->w, "addr_info", '[');
		while (at < nplaces && places[at].ifindex < name->index)
			at++; /* of an interface that came after the names were read */
		while (at < nplaces && places[at].ifindex == name->index)
			addr_write(j->w, places[at++].msg);
		nd_jsonw_end(j->w, ']');
		nd_jsonw_end(j->w, '}');
	}
	nd_jsonw_end(j->w, ']');
	return 0;
}

static int run(struct nd_agent *agent, struct nd_buf *out, struct nd_err *err)
{
	return nd_netjson_run(agent, out, nd_addrs_write, err);
}

const struct nd_collector nd_collector_addrs = {.name = "addrs", .run = run};
