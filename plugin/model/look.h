/*
 * look.h: the questions checks ask of the model. All pure; NULL or false may mean "not there".
 */
#ifndef ND_PLUGIN_MODEL_LOOK_H
#define ND_PLUGIN_MODEL_LOOK_H

#include "plugin/model/cluster.h"

static inline bool nd_host_has(const struct nd_host *host, enum nd_section_id section)
{
	return host && (host->have & (1u << section));
}

const struct nd_node *nd_look_node(const struct nd_cluster *cluster, const char *name);
const struct nd_host *nd_look_host(const struct nd_cluster *cluster, const char *node);
const struct nd_pod *nd_look_pod(const struct nd_cluster *cluster, const char *ns,
				 const char *name);
/* not hostNetwork */
const struct nd_pod *nd_look_pod_by_ip(const struct nd_cluster *cluster, struct nd_ip ip);
const struct nd_service *nd_look_service(const struct nd_cluster *cluster, const char *ns,
					 const char *name);
const struct nd_workload *nd_look_workload(const struct nd_cluster *cluster, const char *kind,
					   const char *ns, const char *name);
const struct nd_configmap *nd_look_configmap(const struct nd_cluster *cluster, const char *ns,
					     const char *name);
/* The EndpointSlices of a service, *n of them side by side; NULL: none. */
const struct nd_slice *nd_look_slices(const struct nd_cluster *cluster,
				      const struct nd_service *service, size_t *n);
const char *nd_labels_get(const struct nd_labels *labels, const char *key); /* NULL: not there */
/* Every label of selector is in labels; an empty selector selects everything. */
bool nd_labels_match(const struct nd_labels *selector, const struct nd_labels *labels);
/* Was a list of resources.def read whole? "Not there" is only a fact when it was. */
bool nd_look_has_list(const struct nd_cluster *cluster, const char *resource);

/* Node facts. */
const char *nd_look_sysctl(const struct nd_host *host, const char *key); /* NULL: not there */
const struct nd_link *nd_look_link(const struct nd_host *host, const char *name);
const char *nd_look_file(const struct nd_host *host, const char *path); /* content or NULL */
const struct nd_unit *nd_look_unit(const struct nd_host *host, const char *name);
const struct nd_podns *nd_look_podns(const struct nd_host *host, const char *pod_uid);
/* The pod whose network namespace has this inode on that node; NULL: none that the API knows. */
const struct nd_pod *nd_look_pod_by_netns(const struct nd_cluster *cluster,
					  const struct nd_host *host, uint64_t inode);
/* The route that the main table (then default) gives for ip; longest prefix, then lowest metric. */
const struct nd_route *nd_look_route(const struct nd_host *host, struct nd_ip ip);
const struct nd_ipt_table *nd_look_ipt_table(const struct nd_ipt *ipt, const char *table);
const struct nd_ipt_chain *nd_look_ipt_chain(const struct nd_ipt *ipt, const char *table,
					     const char *chain);
const struct nd_nft_table *nd_look_nft_table(const struct nd_host *host, const char *family,
					     const char *name);
const struct nd_nft_chain *nd_look_nft_chain(const struct nd_nft_table *table, const char *chain);
const struct nd_nft_set *nd_look_nft_set(const struct nd_nft_table *table, const char *name);

/* Cluster facts. */
enum nd_cni_kind {
	ND_CNI_UNKNOWN,
	ND_CNI_NONE,
	ND_CNI_KINDNET,
	ND_CNI_FLANNEL,
	ND_CNI_CALICO,
	ND_CNI_CILIUM,
	ND_CNI_OTHER
};
/* from DaemonSets, then CNI files, then links */
enum nd_cni_kind nd_look_cni(const struct nd_cluster *cluster);
enum nd_proxy_mode {
	ND_PROXY_UNKNOWN,
	ND_PROXY_IPTABLES,
	ND_PROXY_NFTABLES,
	ND_PROXY_IPVS,
	ND_PROXY_NONE
};
/* kube-proxy ConfigMap: mode "" is iptables */
enum nd_proxy_mode nd_look_proxy_mode(const struct nd_cluster *cluster);
/* Does kube-proxy's nodePortAddresses limit where node ports are? */
bool nd_look_has_node_port_addresses(const struct nd_cluster *cluster);
/*
 * The prefix that covers all podCIDRs: clusterCIDR of kube-proxy, net-conf of flannel, else the
 * cover of the podCIDRs. family 0: unknown.
 */
struct nd_prefix nd_look_cluster_cidr(const struct nd_cluster *cluster);
/* in some node's podCIDR */
bool nd_look_is_pod_ip(const struct nd_cluster *cluster, struct nd_ip ip);
/* some service's ClusterIP */
bool nd_look_is_service_ip(const struct nd_cluster *cluster, struct nd_ip ip);
/* Is it an external or load balancer address of the service? */
bool nd_look_is_outside_ip(const struct nd_service *service, struct nd_ip ip);
/*
 * The service that has it as an external or load balancer address; several may share one: that with
 * the port (0: any), else the first. NULL: none.
 */
const struct nd_service *nd_look_service_outside(const struct nd_cluster *cluster, struct nd_ip ip,
						 uint16_t port);
/*
 * May a packet between pods, or between pods and services, nodes and pods, match this prefix?
 * (family 0 = any)
 */
bool nd_look_prefix_touches_cluster(const struct nd_cluster *cluster, struct nd_prefix prefix);
/* Ready endpoints of a service over all its slices; *ntotal gets all. */
size_t nd_look_ready_endpoints(const struct nd_cluster *cluster,
			       const struct nd_service *service, size_t *ntotal);

/* Names kube-proxy gives its chains (iptables mode): "KUBE-SVC-" + hash; dst needs 32 bytes. */
void nd_kubeproxy_chain(char dst[32], const char *prefix, const char *ns, const char *service,
			const char *port_name, const char *protocol, const char *ip_port);

#endif
