/*
 * facts.h: small questions that several checks ask. Pure, like model/look.h; knows nothing of
 * findings but how a place is written in a proof.
 */
#ifndef ND_PLUGIN_CHECKS_FACTS_H
#define ND_PLUGIN_CHECKS_FACTS_H

#include "plugin/checks/check.h"

/* "w1: sysctl", for the `where` of a proof. */
const char *nd_fact_where(struct nd_check_run *run, const struct nd_host *host, const char *what);
/* The device that holds the node's InternalIP, or NULL: not known, or the node lost its address. */
const char *nd_fact_uplink(const struct nd_cluster *cluster, const struct nd_host *host);
/* Has the node pods of this IP family (spec.podCIDRs)? False when it has no podCIDR at all. */
bool nd_fact_has_family(const struct nd_node *node, uint8_t family);
/* The pod range of the node and family, or NULL. */
const struct nd_prefix *nd_fact_pod_cidr(const struct nd_node *node, uint8_t family);
/* Was a chain of iptables made by Kubernetes, a CNI, Docker or libvirt? */
bool nd_fact_is_system_chain(const char *chain);
/* The backend that kube-proxy and the kubelet write to on this node (their hint chains say so). */
enum nd_ipt_backend nd_fact_kube_backend(const struct nd_host *host);
/* Does the message of the Ready condition say that the runtime has no CNI configuration? */
bool nd_fact_says_no_cni(const struct nd_node *node);
/* Files the runtime would look at, in the order it does: the n-th, or NULL. */
const struct nd_cni_file *nd_fact_cni_file(const struct nd_host *host, size_t n);

/* What flannel wrote on its node. */
struct nd_vtep {
	uint32_t vni;
	char mac[24]; /* lower case */
	char dev[32]; /* "flannel.1" */
	struct nd_ip public_ip;
};
/* False: not a flannel node, not vxlan, or the annotations are not there. */
bool nd_fact_vtep(const struct nd_node *node, struct nd_vtep *out);

/* A pod on a node, not hostNetwork, with an address, that has not ended; NULL: none. */
const struct nd_pod *nd_fact_some_pod(const struct nd_cluster *cluster, const char *node);
/* Where the pods of a namespace begin, in the order of the model. */
size_t nd_fact_first_pod_of(const struct nd_cluster *cluster, const char *ns);
bool nd_fact_pod_ended(const struct nd_pod *pod);
/* Labels of a DaemonSet or Deployment of some network add-on: "kindnet", "kube-flannel-ds"... or
 * NULL. */
const struct nd_workload *nd_fact_cni_daemonset(const struct nd_cluster *cluster);
/* The kube-proxy pod of a node, or NULL. */
const struct nd_pod *nd_fact_kube_proxy_pod(const struct nd_cluster *cluster, const char *node);
/* What kube-proxy must have programmed; made when first asked for, the same for all checks. */
const struct nd_expected *nd_fact_expected(struct nd_check_run *run);
/* Why the pod's first failing container does not run ("CrashLoopBackOff"), or NULL: it runs. */
const char *nd_fact_not_running(const struct nd_pod *pod);

#endif
