#include "common/base.h"
#include "plugin/checks/cni_conf.h"
#include "plugin/checks/facts.h"

static void run(struct nd_check_run *run)
{
	for (size_t i = 0; i < run->cluster->nhosts; i++) {
		const struct nd_host *host = &run->cluster->hosts[i];
		const struct nd_unit *crio = nd_look_unit(host, "crio");
		struct nd_cni_conf conf;
		/* CRI-O passes over a broken file, containerd does not. */
		if (!nd_host_has(host, ND_SECTION_cni) || (crio && crio->is_running) ||
		    !nd_cni_conf_read(run, host, &conf) || !conf.error)
			continue;
		struct nd_finding *f = nd_find(run, "node/%s", host->node);
		f->title = nd_check_text(run,
					 "%s can't start pods: the CNI configuration %s is broken",
					 host->node, conf.file);
		nd_prove(run, f, nd_fact_where(run, host, "cni"), "%s/%s comes first, and %s",
			 host->cni.conf_dir ? host->cni.conf_dir : "/etc/cni/net.d", conf.file,
			 conf.error);
		const struct nd_node *node = nd_look_node(run->cluster, host->node);
		if (nd_fact_says_no_cni(node))
			nd_prove(run, f, nd_check_text(run, "node/%s", host->node), "%s",
				 node->ready_message);
		if (nd_fact_cni_file(host, 1))
			nd_prove(run, f, nd_fact_where(run, host, "cni"),
				 "%s would come next, containerd does not try it",
				 nd_fact_cni_file(host, 1)->name);
	}
}

const struct nd_check nd_check_cni_conf_invalid = {
	.id = "cni-conf-invalid",
	.layer = ND_LAYER_CNI,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "The first CNI configuration file is broken",
	.why = "containerd loads the first file in byte order of the names and nothing else: if "
	       "that one can't be read, the node has no network plugin, becomes NotReady and "
	       "starts no pods. Those that run go on.",
	.fix = "on NODE: move the broken file out of /etc/cni/net.d",
	.source = "containerd/go-cni: opts.go (max_conf_num 1); libcni: conf.go",
	.explains = {{"cni-conf-missing", ND_SAME_NODE},
		     {"cni-bin-missing", ND_SAME_NODE},
		     {"svc-pods-not-ready", ND_SAME_NODE},
		     {"dns-no-replicas", ND_SAME_NODE},
		     {"eff-node-notready", ND_SAME_NODE},
		     {"eff-pod-sandbox-fail", ND_SAME_NODE}},
	.run = run,
};
