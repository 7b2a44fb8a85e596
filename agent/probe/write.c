#include "common/base.h"

#include "agent/probe/probe.h"
#include "common/jsonw.h"

#include <inttypes.h>

static void write_asked(const struct nd_probe_ask *ask, struct nd_jsonw *w)
{
	char text[ND_IP_TEXT] = "node";

	nd_jsonw_uint(w, "id", ask->id);
	nd_jsonw_str(w, "kind", nd_probe_kind_name(ask->kind));
	if (ask->netns_inode)
		snprintf(text, sizeof(text), "%" PRIu64, ask->netns_inode);
	nd_jsonw_str(w, "source", text);
	nd_jsonw_str(w, "addr", nd_ip_text(ask->ip, text));
	nd_jsonw_uint(w, "port", ask->port);
	if (ask->name)
		nd_jsonw_str(w, "name", ask->name);
	if (ask->is_aaaa)
		nd_jsonw_str(w, "type", "AAAA");
}

static void write_one(const struct nd_probe *p, struct nd_jsonw *w)
{
	char ip[ND_IP_TEXT];

	nd_jsonw_begin(w, NULL, '{');
	write_asked(p->ask, w);
	nd_jsonw_str(w, "outcome", nd_probe_outcome_name(p->outcome));
	nd_jsonw_int(w, "us", p->us);
	if (p->sys_errno)
		nd_jsonw_int(w, "errno", p->sys_errno);
	if (p->status)
		nd_jsonw_uint(w, "status", p->status);
	if (p->has_rcode) {
		nd_jsonw_uint(w, "rcode", p->rcode);
		nd_jsonw_uint(w, "answers", p->answers);
		nd_jsonw_bool(w, "is_truncated", p->is_truncated);
	}
	if (p->bytes >= 0)
		nd_jsonw_int(w, "bytes", p->bytes);
	if (p->pmtu.passed)
		nd_jsonw_uint(w, "mtu", p->pmtu.passed);
	if (p->hop.family)
		nd_jsonw_str(w, "hop", nd_ip_text(p->hop, ip));
	nd_jsonw_end(w, '}');
}

void nd_probes_write(const struct nd_probes *all, struct nd_buf *out)
{
	struct nd_jsonw w = {.out = out};

	nd_jsonw_begin(&w, NULL, '[');
	for (size_t i = 0; i < all->nitems && !out->is_over; i++)
		write_one(&all->items[i], &w);
	nd_jsonw_end(&w, ']');
}
