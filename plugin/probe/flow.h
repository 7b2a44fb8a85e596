/*
 * flow.h: what a probe was for, told from its addresses alone, so that recorded results say it too.
 *
 *	struct nd_flow flow;
 *	nd_flow_of(cluster, host, &host->probes[i], &flow);
 *	if (flow.kind == ND_FLOW_CLUSTERIP) ... flow.service is what it asked
 */
#ifndef ND_PLUGIN_PROBE_FLOW_H
#define ND_PLUGIN_PROBE_FLOW_H

#include "common/arena.h"
#include "plugin/model/cluster.h"

enum nd_flow_kind {
	ND_FLOW_POD_SAME_NODE,
	ND_FLOW_POD_CROSS_NODE,
	ND_FLOW_NODE_POD_LOCAL,
	ND_FLOW_NODE_POD_REMOTE,
	ND_FLOW_CLUSTERIP,
	ND_FLOW_API_VIP,      /* default/kubernetes by its ClusterIP */
	ND_FLOW_API_ENDPOINT, /* an API server by its own address */
	ND_FLOW_DNS_VIP,      /* kube-system/kube-dns by its ClusterIP, port 53 */
	ND_FLOW_DNS_POD,      /* a DNS question to a pod behind it */
	ND_FLOW_SELF,	      /* a pod asks itself: does the application answer at all? */
	ND_FLOW_HAIRPIN,      /* the only endpoint of a service asks that service */
	ND_FLOW_NODEPORT,
	ND_FLOW_SERVICE_OUTSIDE, /* a service by its external or load balancer address */
	ND_FLOW_EXTERNAL, /* no address of this cluster that the model knows */
	ND_FLOW_OTHER,	  /* of the cluster, or of the machine itself, but none of the above */
	ND_FLOW_KINDS
};

struct nd_flow {
	enum nd_flow_kind kind;
	const struct nd_pod *source_pod; /* NULL: the node's own namespace, or a pod unknown */
	const struct nd_pod *target_pod; /* that owns the address; NULL: none */
	const char *source_node;	 /* whose agent sent it */
	const char *target_node;	 /* of the pod or the address; NULL: unknown or a service */
	/* CLUSTERIP, API_*, DNS_*, HAIRPIN, NODEPORT, SERVICE_OUTSIDE; or NULL */
	const struct nd_service *service;
	const struct nd_service_port *service_port; /* or NULL */
};

void nd_flow_of(const struct nd_cluster *cluster, const struct nd_host *host,
		const struct nd_probe_result *result, struct nd_flow *out);

/*
 * For many results of a big cluster: addresses and node ports sorted once, the same answers.
 *	struct nd_flow_index index;
 *	nd_flow_index_build(&arena, cluster, &index);
 *	nd_flow_find(&index, host, result, &flow);
 */
struct nd_flow_address {
	struct nd_ip ip;
	uint32_t number; /* of the service or node */
};
struct nd_flow_node_port {
	uint16_t node_port;
	uint32_t service, port; /* numbers */
};
struct nd_flow_index {
	const struct nd_cluster *cluster;
	struct nd_flow_address *services, *nodes; /* nservices, nnodes; by address, number */
	size_t nservices, nnodes;
	struct nd_flow_node_port *ports; /* nports; by node port, service, port */
	size_t nports;
	struct nd_flow_address *outsides; /* noutsides; external and load balancer addresses */
	size_t noutsides;
};
void nd_flow_index_build(struct nd_arena *arena, const struct nd_cluster *cluster,
			 struct nd_flow_index *out);
void nd_flow_find(const struct nd_flow_index *index, const struct nd_host *host,
		  const struct nd_probe_result *result, struct nd_flow *out);
/* The first service or node that has the address, -1: none; private to probe/. */
int64_t nd_flow_address_find(const struct nd_flow_address *items, size_t n, struct nd_ip ip);
/* As nd_look_service_outside(); private to probe/. */
const struct nd_service *nd_flow_outside_find(const struct nd_flow_index *index, struct nd_ip ip,
					      uint16_t port);
/* Index of the first of the node port, or nports; private to probe/. */
size_t nd_flow_port_find(const struct nd_flow_index *index, uint16_t node_port);
/* An order of the probes of one host; 0: the same probe, sent again. */
int nd_probe_result_order(const struct nd_probe_result *a, const struct nd_probe_result *b);

#endif
