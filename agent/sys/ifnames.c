#include "common/base.h"

#include "agent/sys/ifnames.h"
#include "agent/sys/netlink.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>

static int by_index(const void *a, const void *b)
{
	const struct nd_ifname *x = a, *y = b;

	return (x->index > y->index) - (x->index < y->index);
}

static void room_make(struct nd_ifnames *names)
{
	size_t cap = names->cap ? names->cap * 2 : 32;
	size_t size = cap * sizeof(*names->items); /* a dump is below ND_NL_MAX_DUMP: no overflow */

	if (names->nitems < names->cap)
		return;
	names->items = realloc(names->items, size);
	if (!names->items)
		nd_out_of_memory(size);
	names->cap = cap;
}

void nd_ifnames_load(struct nd_ifnames *names, const struct nd_buf *raw)
{
	struct nd_nl_iter it = nd_nl_iter(raw);
	const struct nlmsghdr *msg;
	struct nd_attr attrs[IFLA_IFNAME + 1];
	bool is_sorted = true;

	names->nitems = 0;
	while ((msg = nd_nl_next(&it))) {
		const struct ifinfomsg *head = NLMSG_DATA(msg);
		struct nd_ifname *name;

		if (msg->nlmsg_type != RTM_NEWLINK ||
		    !nd_nl_attrs(msg, sizeof(*head), attrs, IFLA_IFNAME))
			continue;
		room_make(names);
		name = &names->items[names->nitems++];
		name->index = (uint32_t)head->ifi_index;
		nd_attr_text(attrs[IFLA_IFNAME], name->name, sizeof(name->name));
		if (names->nitems > 1 && name[-1].index > name->index)
			is_sorted = false;
	}
	if (!is_sorted) /* kernels before 6.8 go by hash bucket */
		qsort(names->items, names->nitems, sizeof(*names->items), by_index);
}

const char *nd_ifnames_find(const struct nd_ifnames *names, uint32_t index)
{
	struct nd_ifname key = {.index = index}, *found = NULL;

	if (names->nitems)
		found = bsearch(&key, names->items, names->nitems, sizeof(key), by_index);
	return found ? found->name : NULL;
}

void nd_ifnames_free(struct nd_ifnames *names)
{
	free(names->items);
	*names = (struct nd_ifnames){0};
}
