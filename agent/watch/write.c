#include "common/base.h"

#include "agent/watch/watch.h"
#include "common/jsonw.h"

#include <inttypes.h>

static const char *source_text(const struct nd_watcher *w, char text[24])
{
	if (w->netns_inode == 0)
		return "node";
	snprintf(text, 24, "%" PRIu64, w->netns_inode);
	return text;
}

static void write_ip(struct nd_jsonw *w, const char *key, struct nd_ip ip)
{
	char text[ND_IP_TEXT];

	if (ip.family)
		nd_jsonw_str(w, key, nd_ip_text(ip, text));
}

static void write_packet(const struct nd_packet *packet, struct nd_jsonw *w)
{
	nd_jsonw_str(w, "what", nd_packet_what_name(packet->what));
	write_ip(w, "src", packet->src);
	nd_jsonw_uint(w, "sport", packet->sport);
	write_ip(w, "dst", packet->dst);
	nd_jsonw_uint(w, "dport", packet->dport);
	if (packet->icmp_from.family) {
		write_ip(w, "from", packet->icmp_from);
		nd_jsonw_uint(w, "icmp_type", packet->icmp_type);
		nd_jsonw_uint(w, "icmp_code", packet->icmp_code);
	}
	write_ip(w, "vxlan_src", packet->vxlan_src);
	write_ip(w, "vxlan_dst", packet->vxlan_dst);
}

static void write_one(const struct nd_watch *watch, const struct nd_watch_seen *seen,
		      struct nd_jsonw *w)
{
	const struct nd_watcher *watcher = &watch->items[seen->key.watcher];
	const char *name = nd_ifnames_find(&watcher->names, seen->key.ifindex);
	char text[24], later[24];

	/* An interface that came after the names were asked for. */
	snprintf(later, sizeof(later), "if%" PRIu32, seen->key.ifindex);
	nd_jsonw_begin(w, NULL, '{');
	nd_jsonw_str(w, "source", source_text(watcher, text));
	nd_jsonw_str(w, "ifname", name ? name : later);
	nd_jsonw_str(w, "direction", seen->key.is_out ? "out" : "in");
	write_packet(&seen->key.packet, w);
	nd_jsonw_uint(w, "count", seen->count);
	nd_jsonw_int(w, "us", seen->us);
	nd_jsonw_end(w, '}');
}

static int first_order(const void *a, const void *b)
{
	const struct nd_watch_seen *x = *(const struct nd_watch_seen *const *)a;
	const struct nd_watch_seen *y = *(const struct nd_watch_seen *const *)b;

	if (x->us != y->us)
		return x->us < y->us ? -1 : 1;
	return x < y ? -1 : x > y;
}

void nd_watch_write(const struct nd_watch *watch, struct nd_buf *out)
{
	const struct nd_watch_seen **order =
		nd_arena_array(watch->arena, watch->nseen, sizeof(*order));
	struct nd_jsonw w = {.out = out};

	for (size_t i = 0; i < watch->nseen; i++)
		order[i] = &watch->seen[i];
	qsort(order, watch->nseen, sizeof(*order), first_order);
	nd_jsonw_begin(&w, NULL, '[');
	for (size_t i = 0; i < watch->nseen && !out->is_over; i++)
		write_one(watch, order[i], &w);
	nd_jsonw_end(&w, ']');
}

void nd_watch_gaps(const struct nd_watch *watch, struct nd_buf *out)
{
	char text[24];

	for (size_t i = 0; i < watch->nitems; i++)
		if (watch->items[i].why.code)
			nd_buf_printf(out, "; %s: %s", source_text(&watch->items[i], text),
				      watch->items[i].why.text);
	if (watch->nlost)
		nd_buf_printf(out, "; %" PRIu64 " packets were lost: they came too fast",
			      watch->nlost);
	if (watch->is_full)
		nd_buf_printf(out, "; more than %d different packets", ND_WATCH_MAX_SEEN);
	if (watch->is_cut)
		nd_buf_puts(out, "; the agent's deadline passed while it looked");
	if (watch->read_errno)
		nd_buf_printf(out, "; read packets: %s", strerror(watch->read_errno));
	if (out->len >= 2) { /* the first separator */
		memmove(out->data, out->data + 2, out->len - 1);
		out->len -= 2;
	}
}
