/*
 * pick.h: the pods, services and addresses that may be probed. Private to probe/.
 *
 * Candidate: a pod that runs, is ready, is not ending, has an address of its own and is on a node
 * that is ready. It may send when its network namespace was found on its node. Pods that a
 * NetworkPolicy isolates are candidates when it is known what their policies allow; then each flow
 * is asked of allow.h.
 */
#ifndef ND_PLUGIN_PROBE_PICK_H
#define ND_PLUGIN_PROBE_PICK_H

#include "plugin/model/look.h"
#include "plugin/model/netpol.h"
#include "plugin/probe/plan.h"

#define ND_FAMILIES 2 /* index 0: IPv4, 1: IPv6 */

struct nd_pick_pod {
	const struct nd_pod *pod;
	const struct nd_podns *podns; /* NULL: not seen from inside */
	bool is_dns, is_isolated_out, is_isolated_in;
	uint16_t ports[ND_FAMILIES]; /* a TCP port it listens on; 0: none known */
};

struct nd_pick_node {
	const struct nd_node *node;
	const struct nd_host *host; /* NULL: no report with pods, sends nothing */
	bool is_target;		    /* ready: its pods may be targets */
	/* nsources; nopen_sources that no policy isolates first; DNS servers last of each */
	struct nd_pick_pod **sources;
	size_t nsources, nopen_sources;
	/*
	 * nopen_targets[] that no policy isolates first; of each those with a TCP listener if the
	 * node has any such pod, DNS servers first.
	 */
	struct nd_pick_pod **targets[ND_FAMILIES]; /* ntargets[] */
	size_t ntargets[ND_FAMILIES], nopen_targets[ND_FAMILIES];
	/* A source that is the one ready endpoint of a service, and that service; or NULL. */
	const struct nd_pick_pod *hairpin[ND_FAMILIES];
	const struct nd_pick_service *own[ND_FAMILIES];
};

/* One TCP port of a service that must answer. */
struct nd_pick_service {
	const struct nd_service *service;
	const struct nd_service_port *port;
	size_t nready; /* endpoints */
	bool is_deaf;  /* all of them were seen to listen on other ports only: one probe shows it */
	bool is_guarded;	      /* a policy isolates one of them */
	const struct nd_endpoint *ep; /* the first ready one */
};

/* A DNS server that must answer. */
struct nd_pick_server {
	struct nd_ip ip;
	uint16_t port; /* UDP */
};

struct nd_pick {
	struct nd_arena *arena;
	const struct nd_cluster *cluster;
	const char *only_ns;
	/* by index of cluster->pods: some policy may isolate it */
	bool *no_egress, *no_ingress;
	bool is_exact;		    /* what policies allow isolated pods is known */
	bool keeps_source;	    /* and services hide no source from them */
	struct nd_pick_node *nodes; /* nnodes, as cluster->nodes */
	size_t nnodes;
	struct nd_pick_service *services[ND_FAMILIES]; /* nservices[], as cluster->services */
	size_t nservices[ND_FAMILIES];
	const struct nd_service *dns, *api; /* kube-system/kube-dns, default/kubernetes; or NULL */
	bool is_dns_open;		    /* no policy isolates the pods behind dns */
	struct nd_pick_server
		*servers[ND_FAMILIES]; /* nservers[], behind dns; as cluster->slices */
	size_t nservers[ND_FAMILIES];
};

void nd_pick_build(struct nd_arena *arena, const struct nd_cluster *cluster,
		   const struct nd_probe_options *options, struct nd_pick *out);
/* Fills services, servers, hairpins; the last part of nd_pick_build. */
void nd_pick_services(struct nd_pick *pick);

struct nd_ip nd_pick_pod_ip(const struct nd_pod *pod, int family);
struct nd_ip nd_pick_node_ip(const struct nd_node *node, int family);
struct nd_ip nd_pick_service_ip(const struct nd_service *service, int family);
/* Some socket takes connections (or datagrams) for ip:port. */
bool nd_pick_listens(const struct nd_socket *sockets, size_t n, bool is_udp, struct nd_ip ip,
		     uint16_t port);
/*
 * Must ip:port of a ready endpoint answer, if no policy is in the way? Only addresses of pods and
 * nodes, nothing that was seen not to listen.
 */
bool nd_pick_endpoint_answers(const struct nd_pick *pick, const struct nd_endpoint *ep, bool is_udp,
			      uint16_t port);

/* The port of a slice that goes with a port of the service; NULL: it has none. */
const struct nd_slice_port *nd_slice_port_of(const struct nd_slice *slice,
					     const struct nd_service_port *port);
bool nd_service_port_is(const struct nd_service_port *port, const char *protocol);

#endif
