#include "common/base.h"
#include "plugin/probe/flow.h"

static int compare_ip(struct nd_ip a, struct nd_ip b)
{
	return a.family != b.family ? a.family - b.family
				    : memcmp(a.bytes, b.bytes, sizeof(a.bytes));
}

static int by_address(const void *pa, const void *pb)
{
	const struct nd_flow_address *a = pa, *b = pb;
	int order = compare_ip(a->ip, b->ip);

	return order ? order : (a->number > b->number) - (a->number < b->number);
}

static int by_node_port(const void *pa, const void *pb)
{
	const struct nd_flow_node_port *a = pa, *b = pb;

	if (a->node_port != b->node_port)
		return a->node_port - b->node_port;
	if (a->service != b->service)
		return a->service < b->service ? -1 : 1;
	return (a->port > b->port) - (a->port < b->port);
}

static size_t add(struct nd_flow_address *items, size_t n, struct nd_ip ip, size_t number)
{
	if (!ip.family)
		return n;
	items[n] = (struct nd_flow_address){ip, (uint32_t)number};
	return n + 1;
}

static void add_node_ports(struct nd_arena *arena, struct nd_flow_index *out, size_t number)
{
	const struct nd_service *service = &out->cluster->services[number];

	for (size_t i = 0; i < service->nports; i++) {
		struct nd_flow_node_port port = {service->ports[i].node_port, (uint32_t)number,
						 (uint32_t)i};

		if (port.node_port)
			ND_ARENA_PUSH(arena, out->ports, out->nports) = port;
	}
}

void nd_flow_index_build(struct nd_arena *arena, const struct nd_cluster *c,
			 struct nd_flow_index *out)
{
	*out = (struct nd_flow_index){.cluster = c};
	out->services = nd_arena_array(arena, c->nservices * 2 + 1, sizeof(*out->services));
	out->nodes = nd_arena_array(arena, c->nnodes * 2 + 1, sizeof(*out->nodes));
	for (size_t i = 0; i < c->nservices; i++) {
		const struct nd_service *s = &c->services[i];

		out->nservices = add(out->services, out->nservices, s->cluster_ip, i);
		out->nservices = add(out->services, out->nservices, s->cluster_ip6, i);
		add_node_ports(arena, out, i);
	}
	for (size_t i = 0; i < c->nnodes; i++) {
		out->nnodes = add(out->nodes, out->nnodes, c->nodes[i].internal_ip, i);
		out->nnodes = add(out->nodes, out->nnodes, c->nodes[i].internal_ip6, i);
	}
	qsort(out->services, out->nservices, sizeof(*out->services), by_address);
	qsort(out->nodes, out->nnodes, sizeof(*out->nodes), by_address);
	if (out->nports)
		qsort(out->ports, out->nports, sizeof(*out->ports), by_node_port);
}

int64_t nd_flow_address_find(const struct nd_flow_address *items, size_t n, struct nd_ip ip)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_ip(items[middle].ip, ip) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == n || !ip.family || compare_ip(items[low].ip, ip) != 0)
		return -1;
	return items[low].number;
}

size_t nd_flow_port_find(const struct nd_flow_index *index, uint16_t node_port)
{
	size_t low = 0, high = index->nports;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (index->ports[middle].node_port < node_port)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
