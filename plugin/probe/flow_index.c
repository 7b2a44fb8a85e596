#include "common/base.h"
#include "plugin/model/look.h"
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

static void add_outsides(struct nd_arena *arena, struct nd_flow_index *out, size_t number)
{
	const struct nd_service *s = &out->cluster->services[number];

	for (size_t i = 0; i < s->nexternal_ips; i++)
		ND_ARENA_PUSH(arena, out->outsides, out->noutsides) =
			(struct nd_flow_address){s->external_ips[i], (uint32_t)number};
	for (size_t i = 0; i < s->nlb_ips; i++)
		ND_ARENA_PUSH(arena, out->outsides, out->noutsides) =
			(struct nd_flow_address){s->lb_ips[i], (uint32_t)number};
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
		add_outsides(arena, out, i);
	}
	for (size_t i = 0; i < c->nnodes; i++) {
		out->nnodes = add(out->nodes, out->nnodes, c->nodes[i].internal_ip, i);
		out->nnodes = add(out->nodes, out->nnodes, c->nodes[i].internal_ip6, i);
	}
	qsort(out->services, out->nservices, sizeof(*out->services), by_address);
	qsort(out->nodes, out->nnodes, sizeof(*out->nodes), by_address);
	if (out->noutsides)
		qsort(out->outsides, out->noutsides, sizeof(*out->outsides), by_address);
	if (out->nports)
		qsort(out->ports, out->nports, sizeof(*out->ports), by_node_port);
}

static size_t lower_bound(const struct nd_flow_address *items, size_t n, struct nd_ip ip)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_ip(items[middle].ip, ip) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int64_t nd_flow_address_find(const struct nd_flow_address *items, size_t n, struct nd_ip ip)
{
	size_t at = lower_bound(items, n, ip);

	if (at == n || !ip.family || compare_ip(items[at].ip, ip) != 0)
		return -1;
	return items[at].number;
}

const struct nd_service *nd_flow_outside_find(const struct nd_flow_index *index, struct nd_ip ip,
					      uint16_t port)
{
	const struct nd_service *first = NULL;

	if (!index->services)
		return nd_look_service_outside(index->cluster, ip, port);
	for (size_t i = lower_bound(index->outsides, index->noutsides, ip);
	     ip.family && i < index->noutsides && compare_ip(index->outsides[i].ip, ip) == 0; i++) {
		const struct nd_service *s = &index->cluster->services[index->outsides[i].number];

		first = first ? first : s;
		for (size_t k = 0; k < s->nports; k++)
			if (!port || s->ports[k].port == port)
				return s;
	}
	return first;
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
