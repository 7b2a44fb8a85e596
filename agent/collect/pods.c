#include "common/base.h"

#include "agent/collect/collect.h"
#include "agent/collect/netjson.h"

static int inside_write(struct nd_agent *agent, struct nd_podns *ns, struct nd_ifnames *names,
			struct nd_jsonw *w, struct nd_err *err)
{
	struct nd_netjson j = {
		.nl = &ns->nl, .raw = &agent->raw, .names = names, .w = w, .ioctl_fd = -1};

	if (nd_links_write(&j, "links", err) < 0 || nd_addrs_write(&j, "addrs", err) < 0 ||
	    nd_routes_write(&j, "routes", err) < 0 || nd_neigh_write(&j, "neigh", err) < 0)
		return -1;
	return nd_socksrc_write(&ns->socks, &agent->raw, w, "sockets", err);
}

/* What a namespace has is written aside first: one that fails half-way has only its error. */
static void inside_or_error(struct nd_agent *agent, struct nd_podns *ns, struct nd_ifnames *names,
			    struct nd_jsonw *w)
{
	struct nd_jsonw before = *w;
	size_t len = w->out->len;
	struct nd_err err = {0};

	if (ns->is_host_network)
		return; /* the node's own sections have it */
	if (ns->error) {
		nd_jsonw_str(w, "error", ns->error);
		return;
	}
	if (inside_write(agent, ns, names, w, &err) == 0)
		return;
	w->out->len = len;
	*w = before;
	nd_jsonw_str(w, "error", err.text);
}

static void pod_write(struct nd_agent *agent, struct nd_podns *ns, struct nd_ifnames *names,
		      struct nd_jsonw *w)
{
	nd_jsonw_begin(w, NULL, '{');
	nd_jsonw_begin(w, "uids", '[');
	for (size_t i = 0; i < ns->nuids; i++)
		nd_jsonw_str(w, NULL, ns->uids[i]);
	nd_jsonw_end(w, ']');
	nd_jsonw_uint(w, "netns_inode", ns->inode);
	nd_jsonw_int(w, "pid", ns->pid);
	nd_jsonw_bool(w, "is_host_network", ns->is_host_network);
	inside_or_error(agent, ns, names, w);
	nd_jsonw_end(w, '}');
}

static int run(struct nd_agent *agent, struct nd_buf *out, struct nd_err *err)
{
	struct nd_jsonw w = {.out = out};
	struct nd_ifnames names = {0};

	if (agent->pods_err.code != ND_E_NONE) {
		*err = agent->pods_err;
		return -1;
	}
	if (agent->pods.is_cut)
		return nd_err_set(err, ND_E_LIMIT, "more than %d network namespaces of pods",
				  ND_PODNS_MAX);
	nd_jsonw_begin(&w, NULL, '[');
	for (size_t i = 0; i < agent->pods.nitems && !out->is_over; i++)
		pod_write(agent, &agent->pods.items[i], &names, &w);
	nd_jsonw_end(&w, ']');
	nd_ifnames_free(&names);
	return 0;
}

const struct nd_collector nd_collector_pods = {.name = "pods", .run = run};
