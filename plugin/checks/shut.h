/*
 * shut.h: whom kube-proxy shuts out of a service because the service asks for it: policy Local
 * where the node has no endpoint, and loadBalancerSourceRanges. By design, so whether it hurts
 * somebody is for the checks to tell.
 *
 *	nd_shuts_each(run, ND_SHUT_INTERNAL, report);	report is called once for a service
 */
#ifndef ND_PLUGIN_CHECKS_SHUT_H
#define ND_PLUGIN_CHECKS_SHUT_H

#include "plugin/checks/walks.h"

enum nd_shut_kind {
	ND_SHUT_INTERNAL, /* ClusterIP, internalTrafficPolicy Local */
	ND_SHUT_EXTERNAL, /* node port or outside address, externalTrafficPolicy Local */
	ND_SHUT_RANGES	  /* load balancer address, loadBalancerSourceRanges */
};
/* A packet for a service that ended at kube-proxy's rule against it. */
struct nd_shut {
	const struct nd_service *service;
	const struct nd_walk_loss *loss;
	bool is_probed; /* it was really sent, each time in vain */
};
/* For each service that such packets were for; probed ones, then those that counted, come first. */
void nd_shuts_each(struct nd_check_run *run, enum nd_shut_kind kind,
		   void (*report)(struct nd_check_run *run, const struct nd_shut *shuts, size_t n));
/* What all of them say together. */
struct nd_shut_sum {
	bool is_probed;	   /* of some */
	uint64_t packets;  /* that the rules have counted since kube-proxy wrote them */
	const char *nodes; /* where they ended: "w1, w2" */
	const char *node;  /* the one, or NULL */
};
void nd_shuts_sum(struct nd_check_run *run, const struct nd_shut *shuts, size_t n,
		  struct nd_shut_sum *out);
/* A line of proof for each, up to a few: the rule and the packet that ended at it. */
void nd_shuts_prove(struct nd_check_run *run, struct nd_finding *f, const struct nd_shut *shuts,
		    size_t n);

/* kube-proxy sends to ready endpoints, and to those that end but still serve (topology.go). */
bool nd_shut_is_usable(const struct nd_endpoint *endpoint);
/* Has some node an endpoint that kube-proxy sends to (of the port and family)? node NULL: any. */
bool nd_shut_has_endpoint(const struct nd_cluster *cluster, const struct nd_service *service,
			  const struct nd_service_port *port, uint8_t family, const char *node);
/* The nodes that have ready endpoints: "w1, w2". */
const char *nd_shut_endpoint_nodes(struct nd_check_run *run, const struct nd_service *service);
/* All ready endpoints are pods of DaemonSets: which nodes have one was somebody's choice. */
bool nd_shut_is_by_node(const struct nd_cluster *cluster, const struct nd_service *service);

/* Packets that meet such rules: for the list of walks. Private to walks. */
void nd_shut_walks(struct nd_arena *arena, const struct nd_cluster *cluster,
		   struct nd_walk_list *out);

#endif
