#include "common/base.h"
#include "plugin/checks/facts.h"
#include "plugin/checks/kubelet_dns.h"

static void take(struct nd_kubelet_dns *out, struct nd_str word)
{
	char text[ND_IP_TEXT];
	while (word.n && strchr("-[]\"', \t", word.p[0])) {
		word.p++;
		word.n--;
	}
	while (word.n && strchr("]\"', \t\r", word.p[word.n - 1]))
		word.n--;
	if (!word.n || word.n >= sizeof(text) || out->n == ND_ARRAY_LEN(out->ips))
		return;
	memcpy(text, word.p, word.n);
	text[word.n] = '\0';
	if (nd_ip_parse(text, &out->ips[out->n]))
		out->n++;
}

/*
 * Only the top-level key clusterDNS, as a block list (what kubeadm writes) or on one line. Anything
 * else leaves is_known false.
 */
void nd_kubelet_dns_read(const struct nd_host *host, struct nd_kubelet_dns *out)
{
	const char *text = nd_look_file(host, "/var/lib/kubelet/config.yaml");
	const char *flags = nd_look_file(host, "/var/lib/kubelet/kubeadm-flags.env");
	struct nd_str rest = nd_str(text), line;
	bool inside = false;
	memset(out, 0, sizeof(*out));
	if (!text || (flags && strstr(flags, "--cluster-dns")))
		return;
	while (nd_str_line(&rest, &line)) {
		if (nd_str_starts(line, "clusterDNS:")) {
			line.p += strlen("clusterDNS:");
			line.n -= strlen("clusterDNS:");
			out->is_known = inside = true;
			for (struct nd_str word; line.n; line = word) { /* "[a, b]" */
				const char *comma = memchr(line.p, ',', line.n);
				size_t n = comma ? (size_t)(comma - line.p) : line.n;
				take(out, (struct nd_str){line.p, n});
				word = comma ? (struct nd_str){comma + 1, line.n - n - 1}
					     : (struct nd_str){line.p, 0};
			}
		} else if (inside && nd_str_starts(nd_str_trim(line), "-")) {
			take(out, nd_str_trim(line));
		} else {
			inside = false;
		}
	}
}

bool nd_kubelet_dns_is_served(const struct nd_cluster *cluster, struct nd_ip ip)
{
	return nd_look_is_service_ip(cluster, ip) ||
	       (ip.family == 4 && ip.bytes[0] == 169 && ip.bytes[1] == 254);
}

static bool is_right(const struct nd_cluster *cluster, const struct nd_kubelet_dns *dns)
{
	for (size_t i = 0; i < dns->n; i++)
		if (nd_kubelet_dns_is_served(cluster, dns->ips[i]))
			return true;
	return false;
}

/* Where all nodes agree on an address that is no service's, the service is what is wrong. */
static bool some_node_is_right(const struct nd_cluster *cluster)
{
	size_t nknown = 0;
	for (size_t i = 0; i < cluster->nhosts; i++) {
		struct nd_kubelet_dns dns;
		nd_kubelet_dns_read(&cluster->hosts[i], &dns);
		nknown += dns.is_known;
		if (dns.is_known && is_right(cluster, &dns))
			return true;
	}
	return nknown == 1 && cluster->nhosts == 1;
}

static void run(struct nd_check_run *run)
{
	const struct nd_cluster *cluster = run->cluster;
	const struct nd_service *service = nd_look_service(cluster, "kube-system", "kube-dns");
	if (!nd_look_has_list(cluster, "services") || !service || !service->cluster_ip.family ||
	    !some_node_is_right(cluster))
		return;
	for (size_t i = 0; i < cluster->nhosts; i++) {
		const struct nd_host *host = &cluster->hosts[i];
		struct nd_kubelet_dns dns;
		char is[ND_IP_TEXT], want[ND_IP_TEXT];
		nd_kubelet_dns_read(host, &dns);
		if (!nd_host_has(host, ND_SECTION_files) || !dns.is_known ||
		    is_right(cluster, &dns))
			continue;
		struct nd_finding *f = nd_find(run, "node/%s", host->node);
		f->title = nd_check_text(run,
					 "Names don't resolve in new pods on %s: its kubelet gives "
					 "them a wrong DNS address",
					 host->node);
		nd_prove(run, f, nd_check_text(run, "%s: /var/lib/kubelet/config.yaml", host->node),
			 "clusterDNS is %s (wanted %s, the address of service kube-dns)",
			 dns.n ? nd_ip_text(dns.ips[0], is) : "empty",
			 nd_ip_text(service->cluster_ip, want));
	}
}

const struct nd_check nd_check_dns_kubelet_clusterdns = {
	.id = "dns-kubelet-clusterdns",
	.layer = ND_LAYER_DNS,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "The kubelet gives pods a wrong DNS address",
	.why = "The kubelet writes clusterDNS of its configuration into each pod's resolv.conf. It "
	       "is not the address of the DNS service, so pods made on this node since then "
	       "resolve nothing; older ones still do.",
	.fix = "on NODE: set clusterDNS in /var/lib/kubelet/config.yaml, systemctl restart "
	       "kubelet, recreate the pods made since",
	.source =
		"kubelet: pkg/kubelet/network/dns/dns.go; KubeletConfiguration v1beta1 clusterDNS",
	.explains = {{"svc-pods-not-ready", ND_SAME_NODE}},
	.run = run,
};
