#include "common/base.h"

#include "plugin/model/json.h"
#include "plugin/model/look.h"

/* ---- which CNI ---- */
static const struct cni_name {
	const char *text; /* start of a DaemonSet's name, and part of a CNI file's name */
	enum nd_cni_kind kind;
} cni_names[] = {
	{"kindnet", ND_CNI_KINDNET},
	{"kube-flannel", ND_CNI_FLANNEL},
	{"flannel", ND_CNI_FLANNEL},
	{"calico-node", ND_CNI_CALICO},
	{"calico", ND_CNI_CALICO},
	{"canal", ND_CNI_CALICO},
	{"cilium", ND_CNI_CILIUM},
	{"weave-net", ND_CNI_OTHER},
	{"antrea-agent", ND_CNI_OTHER},
	{"kube-router", ND_CNI_OTHER},
	{"ovnkube-node", ND_CNI_OTHER},
	{"aws-node", ND_CNI_OTHER},
	{"azure-cni", ND_CNI_OTHER},
};

static enum nd_cni_kind cni_of_daemonsets(const struct nd_cluster *cluster)
{
	for (size_t i = 0; i < ND_ARRAY_LEN(cni_names); i++)
		for (size_t j = 0; j < cluster->nworkloads; j++)
			if (nd_eq(cluster->workloads[j].kind, "DaemonSet") &&
			    nd_starts(cluster->workloads[j].meta.name, cni_names[i].text))
				return cni_names[i].kind;
	return ND_CNI_UNKNOWN;
}

static enum nd_cni_kind cni_of_files(const struct nd_host *host)
{
	bool has_conf = false;

	for (size_t i = 0; i < host->cni.nconf; i++) {
		const struct nd_cni_file *file = &host->cni.conf[i];

		if (!file->content)
			continue;
		has_conf = true;
		for (size_t j = 0; j < ND_ARRAY_LEN(cni_names); j++)
			if (strstr(file->name, cni_names[j].text) ||
			    strstr(file->content, cni_names[j].text))
				return cni_names[j].kind;
	}
	return has_conf ? ND_CNI_OTHER : ND_CNI_UNKNOWN;
}

static enum nd_cni_kind cni_of_links(const struct nd_host *host)
{
	for (size_t i = 0; i < host->nlinks; i++) {
		const char *name = host->links[i].name;

		if (nd_starts(name, "flannel."))
			return ND_CNI_FLANNEL;
		if (nd_starts(name, "cali") || nd_eq(name, "vxlan.calico"))
			return ND_CNI_CALICO;
		if (nd_starts(name, "cilium_"))
			return ND_CNI_CILIUM;
	}
	return ND_CNI_UNKNOWN;
}

/* No DaemonSet, no file and no link says so: then there is none, if all of that was looked at. */
static bool was_all_seen(const struct nd_cluster *cluster)
{
	if (!nd_look_has_list(cluster, "daemonsets") || cluster->nhosts == 0)
		return false;
	for (size_t i = 0; i < cluster->nhosts; i++)
		if (!nd_host_has(&cluster->hosts[i], ND_SECTION_cni) ||
		    !nd_host_has(&cluster->hosts[i], ND_SECTION_links))
			return false;
	return true;
}

enum nd_cni_kind nd_look_cni(const struct nd_cluster *cluster)
{
	enum nd_cni_kind kind = cni_of_daemonsets(cluster);

	for (size_t i = 0; kind == ND_CNI_UNKNOWN && i < cluster->nhosts; i++)
		kind = cni_of_files(&cluster->hosts[i]);
	for (size_t i = 0; kind == ND_CNI_UNKNOWN && i < cluster->nhosts; i++)
		kind = cni_of_links(&cluster->hosts[i]);
	if (kind == ND_CNI_UNKNOWN && was_all_seen(cluster))
		return ND_CNI_NONE;
	return kind;
}

/* ---- kube-proxy ---- */
static const char *proxy_config(const struct nd_cluster *cluster)
{
	const struct nd_configmap *map = nd_look_configmap(cluster, "kube-system", "kube-proxy");

	return map ? nd_labels_get(&map->data, "config.conf") : NULL;
}

/* The value of a top-level "key: value" line of YAML, without quotes; p NULL: no such line. */
static struct nd_str yaml_value(const char *yaml, const char *key)
{
	struct nd_str rest = nd_str(yaml), line;
	size_t n = strlen(key);

	while (nd_str_line(&rest, &line)) {
		if (line.n <= n || !nd_str_starts(line, key) || line.p[n] != ':')
			continue;
		line = nd_str_trim((struct nd_str){line.p + n + 1, line.n - n - 1});
		if (line.n >= 2 && (line.p[0] == '"' || line.p[0] == '\'') &&
		    line.p[line.n - 1] == line.p[0])
			line = (struct nd_str){line.p + 1, line.n - 2};
		return line;
	}
	return (struct nd_str){0};
}

static bool has_proxy_pods(const struct nd_cluster *cluster)
{
	for (size_t i = 0; i < cluster->nworkloads; i++)
		if (nd_starts(cluster->workloads[i].meta.name, "kube-proxy"))
			return true;
	return false;
}

enum nd_proxy_mode nd_look_proxy_mode(const struct nd_cluster *cluster)
{
	const char *config = proxy_config(cluster);
	struct nd_str mode;

	if (!config)
		return nd_look_has_list(cluster, "configmap-kube-proxy") &&
				       nd_look_has_list(cluster, "daemonsets") &&
				       !has_proxy_pods(cluster)
			       ? ND_PROXY_NONE
			       : ND_PROXY_UNKNOWN;
	mode = yaml_value(config, "mode");
	if (!mode.p || mode.n == 0 || nd_str_eq(mode, "iptables"))
		return ND_PROXY_IPTABLES;
	if (nd_str_eq(mode, "nftables"))
		return ND_PROXY_NFTABLES;
	return nd_str_eq(mode, "ipvs") ? ND_PROXY_IPVS : ND_PROXY_UNKNOWN;
}

bool nd_look_has_node_port_addresses(const struct nd_cluster *cluster)
{
	const char *config = proxy_config(cluster);
	struct nd_str value = {0};

	if (config)
		value = yaml_value(config, "nodePortAddresses");
	/* A list that begins on the next line leaves nothing here. */
	return value.p && !nd_str_eq(value, "null") && !nd_str_eq(value, "[]");
}

/* ---- the cluster's addresses ---- */
static bool parse_prefix(struct nd_str text, struct nd_prefix *out)
{
	char copy[ND_PREFIX_TEXT];
	struct nd_prefix prefix;

	if (!text.p || text.n == 0 || text.n >= sizeof(copy))
		return false;
	memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	if (!nd_prefix_parse(copy, &prefix))
		return false;
	*out = prefix;
	return true;
}

static bool cidr_of_proxy(const struct nd_cluster *cluster, struct nd_prefix *out)
{
	struct nd_str list = {0};
	const char *config = proxy_config(cluster);

	if (config)
		list = yaml_value(config, "clusterCIDR");
	/* Dual stack: "v4,v6" in the order of preference. */
	while (list.p && list.n) {
		const char *comma = memchr(list.p, ',', list.n);
		size_t n = comma ? (size_t)(comma - list.p) : list.n;
		struct nd_prefix prefix;

		if (parse_prefix(nd_str_trim((struct nd_str){list.p, n}), &prefix)) {
			*out = prefix;
			return true;
		}
		list.p += n + (comma != NULL);
		list.n -= n + (comma != NULL);
	}
	return false;
}

static bool cidr_of_flannel(const struct nd_cluster *cluster, struct nd_prefix *out)
{
	for (size_t i = 0; i < cluster->nconfigmaps; i++) {
		const struct nd_configmap *map = &cluster->configmaps[i];
		const char *conf = nd_labels_get(&map->data, "net-conf.json");

		if (!nd_eq(map->meta.name, "kube-flannel-cfg") || !conf)
			continue;
		nd_auto_json cJSON *json = nd_json_parse(nd_str(conf));
		const char *network = nd_json_str(json, "Network");

		if (network && parse_prefix(nd_str(network), out))
			return true;
	}
	return false;
}

/* The shortest prefix that covers the nodes' podCIDRs of the first family seen. */
static struct nd_prefix cidr_of_nodes(const struct nd_cluster *cluster)
{
	struct nd_prefix cover = {0};

	for (size_t i = 0; i < cluster->nnodes; i++) {
		const struct nd_node *node = &cluster->nodes[i];

		for (size_t j = 0; j < node->npod_cidrs; j++) {
			struct nd_prefix cidr = node->pod_cidrs[j];

			if (!cover.ip.family)
				cover = cidr;
			if (cidr.ip.family != cover.ip.family)
				continue;
			while (cover.len > 0 && !nd_prefix_covers(cover, cidr))
				cover.len--;
		}
	}
	return cover;
}

struct nd_prefix nd_look_cluster_cidr(const struct nd_cluster *cluster)
{
	struct nd_prefix prefix;

	if (cidr_of_proxy(cluster, &prefix) || cidr_of_flannel(cluster, &prefix))
		return prefix;
	return cidr_of_nodes(cluster);
}

bool nd_look_is_pod_ip(const struct nd_cluster *cluster, struct nd_ip ip)
{
	for (size_t i = 0; ip.family && i < cluster->nnodes; i++)
		for (size_t j = 0; j < cluster->nodes[i].npod_cidrs; j++)
			if (nd_prefix_has(cluster->nodes[i].pod_cidrs[j], ip))
				return true;
	return false;
}

bool nd_look_is_service_ip(const struct nd_cluster *cluster, struct nd_ip ip)
{
	for (size_t i = 0; ip.family && i < cluster->nservices; i++)
		if (nd_ip_eq(cluster->services[i].cluster_ip, ip) ||
		    nd_ip_eq(cluster->services[i].cluster_ip6, ip))
			return true;
	return false;
}

bool nd_look_is_outside_ip(const struct nd_service *service, struct nd_ip ip)
{
	for (size_t i = 0; i < service->nexternal_ips; i++)
		if (nd_ip_eq(service->external_ips[i], ip))
			return true;
	for (size_t i = 0; i < service->nlb_ips; i++)
		if (nd_ip_eq(service->lb_ips[i], ip))
			return true;
	return false;
}

const struct nd_service *nd_look_service_outside(const struct nd_cluster *cluster, struct nd_ip ip,
						 uint16_t port)
{
	const struct nd_service *first = NULL;

	for (size_t i = 0; ip.family && i < cluster->nservices; i++) {
		const struct nd_service *s = &cluster->services[i];

		if (!nd_look_is_outside_ip(s, ip))
			continue;
		first = first ? first : s;
		for (size_t k = 0; k < s->nports; k++)
			if (!port || s->ports[k].port == port)
				return s;
	}
	return first;
}

static bool touches_node(const struct nd_node *node, struct nd_prefix prefix)
{
	for (size_t i = 0; i < node->npod_cidrs; i++)
		if (nd_prefix_overlaps(node->pod_cidrs[i], prefix))
			return true;
	return (node->internal_ip.family && nd_prefix_has(prefix, node->internal_ip)) ||
	       (node->internal_ip6.family && nd_prefix_has(prefix, node->internal_ip6));
}

bool nd_look_prefix_touches_cluster(const struct nd_cluster *cluster, struct nd_prefix prefix)
{
	if (!prefix.ip.family)
		return true;
	struct nd_prefix cidr = nd_look_cluster_cidr(cluster);

	if (cidr.ip.family && nd_prefix_overlaps(cidr, prefix))
		return true;
	for (size_t i = 0; i < cluster->nnodes; i++)
		if (touches_node(&cluster->nodes[i], prefix))
			return true;
	for (size_t i = 0; i < cluster->nservices; i++) {
		const struct nd_service *service = &cluster->services[i];

		if ((service->cluster_ip.family && nd_prefix_has(prefix, service->cluster_ip)) ||
		    (service->cluster_ip6.family && nd_prefix_has(prefix, service->cluster_ip6)))
			return true;
	}
	return false;
}
