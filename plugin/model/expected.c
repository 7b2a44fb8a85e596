#include "common/base.h"

#include "plugin/model/programmed_parts.h"

int nd_backend_compare(const void *a, const void *b)
{
	const struct nd_backend *x = a, *y = b;
	int order = memcmp(&x->ip, &y->ip, sizeof(x->ip));

	return order ? order : (int)x->port - (int)y->port;
}

static int compare_ends(const void *a, const void *b)
{
	const struct nd_expected_end *x = a, *y = b;

	return nd_backend_compare(&x->backend, &y->backend);
}

static bool is_same_text(const char *a, const char *b)
{
	return nd_eq(a ? a : "", b ? b : "");
}

static void add_ends(struct nd_arena *arena, const struct nd_slice *slice, uint16_t number,
		     struct nd_expected_port *port)
{
	for (size_t i = 0; i < slice->nendpoints; i++) {
		const struct nd_endpoint *e = &slice->endpoints[i];

		if (e->ip.family != port->vip.family)
			continue;
		port->has_hints |= e->has_hints;
		ND_ARENA_PUSH(arena, port->ends, port->nends) =
			(struct nd_expected_end){.backend = {e->ip, number, e->is_terminating},
						 .node = e->node,
						 .is_ready = e->is_ready,
						 .is_serving = e->is_serving,
						 .is_leaving = e->is_terminating};
	}
}

/* An endpoint may stand in two slices while it moves from one to the other. */
static void drop_doubles(struct nd_expected_port *port)
{
	size_t n = 0;

	for (size_t i = 0; i < port->nends; i++) {
		struct nd_expected_end *last = n ? &port->ends[n - 1] : NULL;

		if (last && compare_ends(last, &port->ends[i]) == 0) {
			last->is_ready |= port->ends[i].is_ready;
			last->is_serving |= port->ends[i].is_serving;
			continue;
		}
		port->ends[n++] = port->ends[i];
	}
	port->nends = n;
}

/* Endpoints that are ready, else those that end but still serve; node NULL: anywhere. */
static struct nd_backend *usable(struct nd_arena *arena, const struct nd_expected_port *port,
				 const char *node, size_t *n)
{
	struct nd_backend *list = nd_arena_array(arena, port->nends, sizeof(*list));

	*n = 0;
	for (int is_fallback = 0; is_fallback < 2 && *n == 0; is_fallback++)
		for (size_t i = 0; i < port->nends; i++) {
			const struct nd_expected_end *e = &port->ends[i];

			if ((!node || nd_eq(e->node, node)) &&
			    (is_fallback ? e->is_serving && e->is_leaving : e->is_ready))
				list[(*n)++] = e->backend;
		}
	return list;
}

struct nd_backend *nd_expected_local(struct nd_arena *arena, const struct nd_expected_port *port,
				     const char *node, size_t *n)
{
	return usable(arena, port, node, n);
}

static void add_port(struct nd_arena *arena, struct nd_expected *expected,
		     const struct nd_service *service, const struct nd_service_port *port,
		     struct nd_ip vip)
{
	struct nd_expected_port out = {.service = service, .port = port, .vip = vip};
	size_t nslices;
	const struct nd_slice *slices = nd_look_slices(expected->cluster, service, &nslices);

	for (size_t i = 0; i < nslices; i++)
		for (size_t k = 0; k < slices[i].nports && slices[i].family == vip.family; k++) {
			const struct nd_slice_port *sp = &slices[i].ports[k];

			if (sp->port && is_same_text(sp->name, port->name) &&
			    nd_eq(sp->protocol, port->protocol))
				add_ends(arena, &slices[i], sp->port, &out);
		}
	if (out.nends)
		qsort(out.ends, out.nends, sizeof(*out.ends), compare_ends);
	drop_doubles(&out);
	out.cluster = usable(arena, &out, NULL, &out.ncluster);
	ND_ARENA_PUSH(arena, expected->ports, expected->nports) = out;
}

/* serviceport.go, ShouldSkipService */
static bool is_proxied(const struct nd_service *service)
{
	return !service->is_headless && !service->proxy_name &&
	       !nd_eq(service->type, "ExternalName");
}

static void index_addresses(struct nd_arena *arena, struct nd_expected *expected)
{
	for (size_t i = 0; i < expected->cluster->nslices; i++) {
		const struct nd_slice *slice = &expected->cluster->slices[i];

		for (size_t k = 0; k < slice->nendpoints; k++) {
			const struct nd_ip *ip = &slice->endpoints[k].ip;
			struct nd_str key = {(const char *)ip, sizeof(*ip)};

			if (ip->family && !nd_index_slot(&expected->addresses, key))
				nd_index_put(&expected->addresses, arena, key, 0);
		}
	}
}

const struct nd_expected *nd_expected_new(struct nd_arena *arena, const struct nd_cluster *cluster)
{
	struct nd_expected *expected = nd_arena_alloc(arena, sizeof(*expected));

	expected->cluster = cluster;
	expected->is_known = nd_look_has_list(cluster, "services") &&
			     nd_look_has_list(cluster, "endpointslices");
	expected->has_node_ports = !nd_look_has_node_port_addresses(cluster);
	for (size_t i = 0; i < cluster->nservices; i++) {
		const struct nd_service *s = &cluster->services[i];

		for (size_t k = 0; k < s->nports && is_proxied(s); k++) {
			if (s->cluster_ip.family)
				add_port(arena, expected, s, &s->ports[k], s->cluster_ip);
			if (s->cluster_ip6.family)
				add_port(arena, expected, s, &s->ports[k], s->cluster_ip6);
		}
	}
	index_addresses(arena, expected);
	return expected;
}

bool nd_expected_has_address(const struct nd_expected *expected, struct nd_ip ip)
{
	return nd_index_slot(&expected->addresses, (struct nd_str){(const char *)&ip, sizeof(ip)});
}
