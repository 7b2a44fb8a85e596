#include "common/base.h"
#include "plugin/checks/facts.h"
#include "plugin/model/programmed.h"

#include <cjson/cJSON.h>
#include <ctype.h>

const char *nd_fact_where(struct nd_check_run *run, const struct nd_host *host, const char *what)
{
	return nd_check_text(run, "%s: %s", host->node, what);
}

const char *nd_fact_uplink(const struct nd_cluster *cluster, const struct nd_host *host)
{
	const struct nd_node *node = nd_look_node(cluster, host->node);
	if (!node || !nd_host_has(host, ND_SECTION_addrs))
		return NULL;
	for (size_t i = 0; i < host->naddrs; i++)
		if ((node->internal_ip.family &&
		     nd_ip_eq(host->addrs[i].prefix.ip, node->internal_ip)) ||
		    (node->internal_ip6.family &&
		     nd_ip_eq(host->addrs[i].prefix.ip, node->internal_ip6)))
			return host->addrs[i].dev;
	return NULL;
}

const struct nd_prefix *nd_fact_pod_cidr(const struct nd_node *node, uint8_t family)
{
	for (size_t i = 0; node && i < node->npod_cidrs; i++)
		if (node->pod_cidrs[i].ip.family == family)
			return &node->pod_cidrs[i];
	return NULL;
}

bool nd_fact_has_family(const struct nd_node *node, uint8_t family)
{
	return nd_fact_pod_cidr(node, family) != NULL;
}

bool nd_fact_is_system_chain(const char *chain)
{
	static const char *const owned[] = {"KUBE-",    "CNI-",    "FLANNEL-",   "DOCKER",
					    "cali-",    "CILIUM",  "OLD_CILIUM", "KIND-",
					    "WEAVE",    "ANTREA-", "LIBVIRT_",   "f2b-",
					    "NETAVARK", "ISTIO_",  "PROXY_INIT_"};
	for (size_t i = 0; i < ND_ARRAY_LEN(owned); i++)
		if (nd_starts(chain, owned[i]))
			return true;
	return false;
}

static size_t hints(const struct nd_ipt *ipt)
{
	if (!ipt->is_present)
		return 0;
	const struct nd_ipt_chain *services = nd_look_ipt_chain(ipt, "nat", "KUBE-SERVICES");
	return (nd_look_ipt_chain(ipt, "mangle", "KUBE-IPTABLES-HINT") != NULL) +
	       (nd_look_ipt_chain(ipt, "mangle", "KUBE-KUBELET-CANARY") != NULL) +
	       (nd_look_ipt_chain(ipt, "mangle", "KUBE-PROXY-CANARY") != NULL) +
	       (services && services->nrules ? 2 : 0);
}

/* As iptables-wrappers decides (nft first); the alternative of the node only when nobody left a
 * hint. */
enum nd_ipt_backend nd_fact_kube_backend(const struct nd_host *host)
{
	size_t nft = hints(&host->ipt[ND_IPT_NFT]) + hints(&host->ipt6[ND_IPT_NFT]);
	size_t legacy = hints(&host->ipt[ND_IPT_LEGACY]) + hints(&host->ipt6[ND_IPT_LEGACY]);
	if (nft || legacy)
		return legacy > nft ? ND_IPT_LEGACY : ND_IPT_NFT;
	return nd_eq(host->iptables_mode, "legacy") ? ND_IPT_LEGACY : ND_IPT_NFT;
}

bool nd_fact_says_no_cni(const struct nd_node *node)
{
	return node && !node->is_ready && node->ready_message &&
	       (strstr(node->ready_message, "NetworkPluginNotReady") ||
		strstr(node->ready_message, "cni plugin not initialized") ||
		strstr(node->ready_message, "cni config uninitialized"));
}

const struct nd_cni_file *nd_fact_cni_file(const struct nd_host *host, size_t n)
{
	for (size_t i = 0; i < host->cni.nconf; i++)
		if (host->cni.conf[i].content && n-- == 0)
			return &host->cni.conf[i];
	return NULL;
}

bool nd_fact_vtep(const struct nd_node *node, struct nd_vtep *out)
{
	memset(out, 0, sizeof(*out));
	if (!node ||
	    !nd_eq(nd_labels_get(&node->annotations, "flannel.alpha.coreos.com/backend-type"),
		   "vxlan"))
		return false;
	const char *text =
		nd_labels_get(&node->annotations, "flannel.alpha.coreos.com/backend-data");
	const char *ip = nd_labels_get(&node->annotations, "flannel.alpha.coreos.com/public-ip");
	cJSON *data = text ? cJSON_Parse(text) : NULL;
	const cJSON *mac = cJSON_GetObjectItemCaseSensitive(data, "VtepMAC");
	const cJSON *vni = cJSON_GetObjectItemCaseSensitive(data, "VNI");
	out->vni = cJSON_IsNumber(vni) && vni->valueint > 0 ? (uint32_t)vni->valueint : 1;
	snprintf(out->dev, sizeof(out->dev), "flannel.%u", out->vni);
	if (cJSON_IsString(mac) && strlen(mac->valuestring) < sizeof(out->mac))
		for (size_t i = 0; mac->valuestring[i]; i++)
			out->mac[i] = (char)tolower((unsigned char)mac->valuestring[i]);
	if (ip && !nd_ip_parse(ip, &out->public_ip))
		out->public_ip = (struct nd_ip){0};
	cJSON_Delete(data);
	return true;
}

bool nd_fact_pod_ended(const struct nd_pod *pod)
{
	return nd_eq(pod->phase, "Succeeded") || nd_eq(pod->phase, "Failed");
}

const struct nd_pod *nd_fact_some_pod(const struct nd_cluster *cluster, const char *node)
{
	for (size_t i = 0; i < cluster->npods; i++) {
		const struct nd_pod *pod = &cluster->pods[i];
		if (nd_eq(pod->node, node) && !pod->is_host_network && pod->ip.family == 4 &&
		    !nd_fact_pod_ended(pod))
			return pod;
	}
	return NULL;
}

const struct nd_workload *nd_fact_cni_daemonset(const struct nd_cluster *cluster)
{
	static const char *const known[] = {
		"kindnet",     "flannel",  "calico", "canal",    "cilium",   "weave",     "antrea",
		"kube-router", "aws-node", "ovn",    "azure-cn", "multus",   "cni",       "netd",
		"kube-ovn",    "terway",   "romana", "contiv",   "tungsten", "spiderpool"};
	for (size_t i = 0; i < cluster->nworkloads; i++) {
		const struct nd_workload *w = &cluster->workloads[i];
		if (!nd_eq(w->kind, "DaemonSet") || !w->meta.name)
			continue;
		for (size_t k = 0; k < ND_ARRAY_LEN(known); k++) {
			if (strstr(w->meta.name, known[k]))
				return w;
			for (size_t m = 0; m < w->nimages; m++)
				if (w->images[m] && strstr(w->images[m], known[k]))
					return w;
		}
	}
	return NULL;
}

/* Pods are sorted by namespace. */
size_t nd_fact_first_pod_of(const struct nd_cluster *cluster, const char *ns)
{
	size_t low = 0, high = cluster->npods;
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		if (strcmp(cluster->pods[mid].meta.ns ? cluster->pods[mid].meta.ns : "", ns) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct nd_pod *nd_fact_kube_proxy_pod(const struct nd_cluster *cluster, const char *node)
{
	for (size_t i = nd_fact_first_pod_of(cluster, "kube-system"); i < cluster->npods; i++) {
		const struct nd_pod *pod = &cluster->pods[i];
		if (!nd_eq(pod->meta.ns, "kube-system"))
			return NULL;
		if (nd_eq(pod->node, node) && !nd_fact_pod_ended(pod) &&
		    (nd_eq(nd_labels_get(&pod->meta.labels, "k8s-app"), "kube-proxy") ||
		     nd_starts(pod->meta.name, "kube-proxy")))
			return pod;
	}
	return NULL;
}

const char *nd_fact_not_running(const struct nd_pod *pod)
{
	for (size_t i = 0; i < pod->ncontainers; i++) {
		const struct nd_container *c = &pod->containers[i];
		if (c->is_init)
			continue;
		if (c->waiting_reason && !nd_eq(c->waiting_reason, "ContainerCreating") &&
		    !nd_eq(c->waiting_reason, "PodInitializing"))
			return c->waiting_reason;
		if (!c->is_ready && !c->waiting_reason && c->restarts > 0 && c->terminated_reason)
			return c->terminated_reason;
	}
	return NULL;
}

const struct nd_expected *nd_fact_expected(struct nd_check_run *run)
{
	if (!run->expected)
		run->expected = nd_expected_new(run->arena, run->cluster);
	return run->expected;
}
