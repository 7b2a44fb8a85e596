#include "common/base.h"
#include "plugin/walk/place.h"

#include <strings.h>

#define MAX_PLACE 600

/* "a/b" of n characters into two names; false: not two. */
static bool split_names(struct nd_arena *arena, struct nd_str s, const char **ns, const char **name)
{
	const char *slash = s.n ? memchr(s.p, '/', s.n) : NULL;
	if (!slash || slash == s.p || slash + 1 == s.p + s.n)
		return false;
	*ns = nd_arena_strdup(arena, s.p, (size_t)(slash - s.p));
	*name = nd_arena_strdup(arena, slash + 1, (size_t)(s.p + s.n - slash - 1));
	return !strchr(*name, '/');
}

/* Takes ":PORT" off the end; an IPv6 address with a port stands in brackets. */
static int take_port(const char *text, struct nd_str *rest, uint16_t *port, struct nd_err *err)
{
	const char *colon = strrchr(text, ':');
	struct nd_ip ip;
	uint64_t n;
	*rest = nd_str(text);
	*port = 0;
	if (!colon || nd_ip_parse(text, &ip))
		return 0;
	if (!nd_parse_u64(nd_str(colon + 1), 65535, &n) || n == 0)
		return nd_err_set(err, ND_E_USAGE, "%.200s: wanted a port, 1 to 65535, behind ':'",
				  text);
	rest->n = (size_t)(colon - text);
	*port = (uint16_t)n;
	if (rest->n >= 2 && rest->p[0] == '[' && rest->p[rest->n - 1] == ']')
		*rest = (struct nd_str){rest->p + 1, rest->n - 2};
	return 0;
}

static void put_pod(struct nd_arena *arena, const struct nd_cluster *c, const struct nd_pod *pod,
		    struct nd_place *out)
{
	char ip[ND_IP_TEXT];
	out->pod = pod;
	out->ip = pod->ip;
	out->ip6 = pod->ip6;
	out->host = pod->node ? nd_look_host(c, pod->node) : NULL;
	const struct nd_podns *ns =
		pod->is_host_network ? NULL : nd_look_podns(out->host, pod->meta.uid);
	if (ns)
		out->netns_inode = ns->inode;
	else if (!pod->is_host_network)
		out->host = NULL; /* its namespace was not found: nothing starts there */
	out->text = nd_arena_printf(arena, "pod %s/%s (%s on %s)", pod->meta.ns, pod->meta.name,
				    nd_ip_text(pod->ip.family ? pod->ip : pod->ip6, ip),
				    pod->node ? pod->node : "no node");
}

static void put_node(struct nd_arena *arena, const struct nd_cluster *c, const struct nd_node *node,
		     struct nd_place *out)
{
	char ip[ND_IP_TEXT];
	out->ip = node->internal_ip;
	out->ip6 = node->internal_ip6;
	out->host = nd_look_host(c, node->meta.name);
	out->text = nd_arena_printf(arena, "node %s (%s)", node->meta.name,
				    nd_ip_text(out->ip.family ? out->ip : out->ip6, ip));
}

static void put_service(struct nd_arena *arena, const struct nd_service *s, const char *proto,
			struct nd_place *out)
{
	char ip[ND_IP_TEXT];
	out->service = s;
	out->ip = s->cluster_ip;
	out->ip6 = s->cluster_ip6;
	for (size_t i = 0; i < s->nports && !out->port; i++)
		if (strcasecmp(s->ports[i].protocol ? s->ports[i].protocol : "tcp", proto) == 0)
			out->port = s->ports[i].port;
	out->text = nd_arena_printf(arena, "service %s/%s (%s)", s->meta.ns, s->meta.name,
				    nd_ip_text(out->ip.family ? out->ip : out->ip6, ip));
}

/* By one of its addresses for the outside: the packet is sent to that one. */
static void put_outside(struct nd_arena *arena, const struct nd_service *s, struct nd_ip ip,
			const char *proto, struct nd_place *out)
{
	char text[ND_IP_TEXT];
	put_service(arena, s, proto, out);
	out->ip = ip.family == 4 ? ip : (struct nd_ip){0};
	out->ip6 = ip.family == 6 ? ip : (struct nd_ip){0};
	out->text = nd_arena_printf(arena, "service %s/%s (%s)", s->meta.ns, s->meta.name,
				    nd_ip_text(ip, text));
}

static void put_address(struct nd_arena *arena, const struct nd_cluster *c, struct nd_ip ip,
			const char *proto, struct nd_place *out)
{
	char text[ND_IP_TEXT];
	const struct nd_pod *pod = nd_look_pod_by_ip(c, ip);
	if (pod) {
		put_pod(arena, c, pod, out);
		return;
	}
	for (size_t i = 0; i < c->nnodes; i++)
		if (nd_ip_eq(c->nodes[i].internal_ip, ip) ||
		    nd_ip_eq(c->nodes[i].internal_ip6, ip)) {
			put_node(arena, c, &c->nodes[i], out);
			return;
		}
	for (size_t i = 0; i < c->nservices; i++)
		if (nd_ip_eq(c->services[i].cluster_ip, ip) ||
		    nd_ip_eq(c->services[i].cluster_ip6, ip)) {
			put_service(arena, &c->services[i], proto, out);
			return;
		}
	const struct nd_service *outside = nd_look_service_outside(c, ip, out->port);
	if (outside) {
		put_outside(arena, outside, ip, proto, out);
		return;
	}
	*(ip.family == 6 ? &out->ip6 : &out->ip) = ip;
	out->is_outside = !nd_look_is_pod_ip(c, ip) && !nd_look_is_service_ip(c, ip);
	out->text = nd_arena_printf(arena, "%s", nd_ip_text(ip, text));
}

static int not_found(struct nd_err *err, const char *what, const char *text)
{
	return nd_err_set(err, ND_E_NOT_FOUND, "%.200s: there is no such %s", text, what);
}

static int find_named(struct nd_arena *arena, const struct nd_cluster *c, struct nd_str s,
		      const char *text, const char *proto, struct nd_place *out, struct nd_err *err)
{
	const char *ns, *name;
	bool is_service = nd_str_starts(s, "svc/") || nd_str_starts(s, "service/");
	if (nd_str_starts(s, "node/")) {
		const struct nd_node *node =
			nd_look_node(c, nd_arena_strdup(arena, s.p + 5, s.n - 5));
		if (!node)
			return not_found(err, "node", text);
		put_node(arena, c, node, out);
		return 0;
	}
	size_t skip = nd_str_starts(s, "svc/") || nd_str_starts(s, "pod/") ? 4 : is_service ? 8 : 0;
	if (!split_names(arena, (struct nd_str){s.p + skip, s.n - skip}, &ns, &name))
		return nd_err_set(err, ND_E_USAGE,
				  "%.200s: wanted pod/NS/NAME, svc/NS/NAME, node/NAME or an "
				  "address, and a port behind ':' where one is needed",
				  text);
	const struct nd_service *service = is_service ? nd_look_service(c, ns, name) : NULL;
	const struct nd_pod *pod = is_service ? NULL : nd_look_pod(c, ns, name);
	if (!service && !pod)
		return not_found(err, is_service ? "service" : "pod", text);
	if (service)
		put_service(arena, service, proto, out);
	else
		put_pod(arena, c, pod, out);
	return 0;
}

int nd_place_find(struct nd_arena *arena, const struct nd_cluster *cluster, const char *text,
		  const char *proto, struct nd_place *out, struct nd_err *err)
{
	struct nd_str rest;
	struct nd_ip ip;
	char address[ND_IP_TEXT];
	*out = (struct nd_place){0};
	if (strlen(text) > MAX_PLACE)
		return nd_err_set(err, ND_E_USAGE, "%.100s...: too long for a place", text);
	if (take_port(text, &rest, &out->port, err) < 0)
		return -1;
	snprintf(address, sizeof(address), "%.*s", (int)rest.n, rest.p);
	if (rest.n < sizeof(address) && nd_ip_parse(address, &ip))
		put_address(arena, cluster, ip, proto, out);
	else if (find_named(arena, cluster, rest, text, proto, out, err) < 0)
		return -1;
	if (!out->ip.family && !out->ip6.family)
		return nd_err_set(err, ND_E_NOT_FOUND, "%.200s: it has no address", text);
	return 0;
}

int nd_place_is_source(const struct nd_place *place, struct nd_err *err)
{
	if (place->service)
		return nd_err_set(err, ND_E_USAGE, "%s: nothing is sent from a service",
				  place->text);
	if (!place->host)
		return nd_err_set(err, ND_E_NOT_FOUND,
				  "%s: nothing is known of its network namespace (no report of its "
				  "node, or the pod does not run)",
				  place->text);
	return 0;
}
