#include "common/base.h"
#include "plugin/checks/facts.h"
#include "plugin/checks/kubelet_dns.h"
#include "plugin/checks/service.h"

/* CoreDNS as kubeadm and kind install it; other set-ups name their service as they like. */
static const struct nd_workload *coredns(const struct nd_cluster *cluster)
{
	const struct nd_workload *w =
		nd_look_workload(cluster, "Deployment", "kube-system", "coredns");
	return w && nd_eq(nd_labels_get(&w->template_labels, "k8s-app"), "kube-dns") ? w : NULL;
}

static bool has_port_53(const struct nd_service *s, const char *protocol)
{
	for (size_t i = 0; i < s->nports; i++)
		if (s->ports[i].port == 53 && nd_eq(s->ports[i].protocol, protocol))
			return true;
	return false;
}

static bool another_serves(const struct nd_cluster *cluster, const struct nd_workload *dns)
{
	for (size_t i = 0; i < cluster->nservices; i++) {
		const struct nd_service *s = &cluster->services[i];
		if (nd_eq(s->meta.ns, "kube-system") && !nd_eq(s->meta.name, "kube-dns") &&
		    s->has_selector && nd_labels_match(&s->selector, &dns->template_labels) &&
		    has_port_53(s, "UDP"))
			return true;
	}
	return false;
}

/* The address that all kubelets hand out and no service has; none: they differ, or it is served. */
static struct nd_ip orphan(const struct nd_cluster *cluster)
{
	struct nd_ip ip = {0};
	for (size_t i = 0; i < cluster->nhosts; i++) {
		struct nd_kubelet_dns dns;
		nd_kubelet_dns_read(&cluster->hosts[i], &dns);
		if (!dns.is_known)
			continue;
		if (!dns.n || nd_kubelet_dns_is_served(cluster, dns.ips[0]) ||
		    (ip.family && !nd_ip_eq(ip, dns.ips[0])))
			return (struct nd_ip){0};
		ip = dns.ips[0];
	}
	return ip;
}

static struct nd_finding *begin(struct nd_check_run *run, struct nd_finding *f, const char *why)
{
	if (f)
		return f;
	f = nd_find(run, "service/kube-system/kube-dns");
	f->title = nd_check_text(run, "Names don't resolve: %s", why);
	return f;
}

static void missing(struct nd_check_run *run)
{
	char ip[ND_IP_TEXT];
	struct nd_ip lost = orphan(run->cluster);
	const struct nd_workload *dns = coredns(run->cluster);
	if (!nd_look_has_list(run->cluster, "deployments") || !dns ||
	    another_serves(run->cluster, dns))
		return;
	struct nd_finding *f = begin(run, NULL, "the DNS service kube-dns does not exist");
	nd_prove(run, f, "services",
		 "no kube-system/kube-dns, but deployment coredns exists (%d ready)", dns->ready);
	if (lost.family)
		nd_prove(run, f, "kubelet configuration",
			 "pods are told to ask %s, which no service has", nd_ip_text(lost, ip));
}

static void look_at(struct nd_check_run *run, const struct nd_service *s)
{
	const struct nd_workload *dns = coredns(run->cluster);
	const char *where = "service/kube-system/kube-dns";
	struct nd_finding *f = NULL;
	struct nd_ip lost = orphan(run->cluster);
	char want[ND_IP_TEXT], is[ND_IP_TEXT];
	if (s->has_selector && dns && !nd_labels_match(&s->selector, &dns->template_labels)) {
		size_t total;
		if (!nd_look_ready_endpoints(run->cluster, s, &total) &&
		    nd_look_has_list(run->cluster, "endpointslices")) {
			f = begin(run, f,
				  "the selector of service kube-dns does not match the DNS pods");
			nd_prove(run, f, where,
				 "selector %s=%s does not match the pods of deployment coredns",
				 s->selector.n ? s->selector.items[0].key : "",
				 s->selector.n ? s->selector.items[0].value : "");
		}
	}
	if (!has_port_53(s, "UDP") || !has_port_53(s, "TCP")) {
		const char *protocol = has_port_53(s, "UDP") ? "TCP" : "UDP";
		f = begin(run, f,
			  nd_check_text(run, "service kube-dns has no port 53/%s", protocol));
		nd_prove(run, f, where, "no port 53/%s", protocol);
	}
	if (lost.family && s->cluster_ip.family && run->cluster->nhosts > 1) {
		f = begin(run, f,
			  "service kube-dns does not have the address that pods are told to ask");
		nd_prove(run, f, where, "its address is %s, kubelets tell pods to ask %s",
			 nd_ip_text(s->cluster_ip, is), nd_ip_text(lost, want));
	}
}

static void run(struct nd_check_run *run)
{
	const struct nd_service *s = nd_look_service(run->cluster, "kube-system", "kube-dns");
	if (!nd_look_has_list(run->cluster, "services"))
		return;
	if (s)
		look_at(run, s);
	else
		missing(run);
}

const struct nd_check nd_check_dns_service_broken = {
	.id = "dns-service-broken",
	.layer = ND_LAYER_DNS,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "The DNS service is missing or wrong",
	.why = "Pods ask one fixed address for names: that of service kube-system/kube-dns. If the "
	       "service is gone, has another address, no port 53 for UDP and TCP, or does not "
	       "select the DNS pods, all lookups fail though CoreDNS runs.",
	.fix = "create service kube-system/kube-dns with the address in the kubelets' clusterDNS "
	       "(kubeadm init phase addon coredns)",
	.source = "kubeadm: phases/addons/dns; KubeletConfiguration v1beta1 clusterDNS",
	.explains = {{"dns-no-replicas", ND_ANYWHERE},
		     {"svc-pods-not-ready", ND_ANYWHERE},
		     {"dns-kubelet-clusterdns", ND_ANYWHERE},
		     {"eff-dns-cluster-fail", ND_ANYWHERE}},
	.run = run,
};
