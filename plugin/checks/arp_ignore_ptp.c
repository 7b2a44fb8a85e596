#include "common/base.h"
#include "plugin/checks/facts.h"

/* Pods hang on point-to-point links: the gateway they ask for lives on a /32 of the host's veth. */
static bool uses_ptp(const struct nd_cluster *cluster, const struct nd_host *host)
{
	if (nd_host_has(host, ND_SECTION_cni)) {
		const struct nd_cni_file *file = nd_fact_cni_file(host, 0);
		if (file)
			return strstr(file->content, "\"ptp\"") != NULL;
	}
	return nd_look_cni(cluster) == ND_CNI_KINDNET;
}

static void run(struct nd_check_run *run)
{
	for (size_t i = 0; i < run->cluster->nhosts; i++) {
		const struct nd_host *host = &run->cluster->hosts[i];
		const char *value = nd_look_sysctl(host, "net.ipv4.conf.all.arp_ignore");
		uint64_t n;
		if (!nd_host_has(host, ND_SECTION_sysctls) || !value ||
		    !nd_parse_u64(nd_str(value), 8, &n) || n < 2 || !uses_ptp(run->cluster, host))
			continue;
		struct nd_finding *f = nd_find(run, "node/%s", host->node);
		f->title = nd_check_text(run,
					 "Pods on %s can't reach anything: the node does not "
					 "answer their ARP requests for the gateway",
					 host->node);
		nd_prove(run, f, nd_fact_where(run, host, "sysctl"),
			 "net.ipv4.conf.all.arp_ignore = %s (wanted 0 or 1)", value);
	}
}

const struct nd_check nd_check_arp_ignore_ptp = {
	.id = "arp-ignore-ptp",
	.layer = ND_LAYER_KERNEL,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "The node does not answer ARP requests of its pods",
	.why = "With kindnet (ptp) the pods' gateway is a /32 address on the host's end of the "
	       "link. From 2 on, arp_ignore makes the kernel answer only askers of the same "
	       "subnet, and no pod is in a /32's: they get no route to host as soon as their ARP "
	       "entry has aged.",
	.fix = "on NODE: sysctl -w net.ipv4.conf.all.arp_ignore=0 (1 when kube-proxy runs in ipvs "
	       "mode)",
	.source = "kernel: Documentation/networking/ip-sysctl.rst, arp_ignore; kind issue 3880",
	.explains = {{"svc-pods-not-ready", ND_SAME_NODE},
		     {"dns-no-replicas", ND_SAME_NODE},
		     ND_EXPLAINS_PODS(ND_SAME_NODE)},
	.run = run,
};
