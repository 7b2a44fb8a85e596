#include "common/base.h"
#include "plugin/checks/cni_conf.h"
#include "plugin/checks/facts.h"

static const struct nd_cni_bin *find_bin(const struct nd_host *host, const char *name)
{
	for (size_t i = 0; i < host->cni.nbin; i++)
		if (nd_eq(host->cni.bin[i].name, name))
			return &host->cni.bin[i];
	return NULL;
}

/*
 * Why the plugin can't be run, or NULL. Only exec bits and size are sure: an unknown machine number
 * may be a wrapper script.
 */
static const char *trouble(struct nd_check_run *run, const struct nd_cni_bin *bin)
{
	if (!bin)
		return "is not there";
	if (!(bin->mode & 0111))
		return nd_check_text(run, "is not executable (mode %04o)", bin->mode);
	if (bin->size_bytes == 0)
		return "is empty";
	return NULL;
}

/* CRI-O also looks in other directories, so there a peer must have it in this one. */
static bool is_sure(const struct nd_cluster *cluster, const struct nd_host *host, const char *type)
{
	const struct nd_unit *containerd = nd_look_unit(host, "containerd");
	if (find_bin(host, type) || (containerd && containerd->is_installed && host->cni.nbin))
		return true;
	for (size_t i = 0; i < cluster->nhosts; i++)
		if (&cluster->hosts[i] != host && find_bin(&cluster->hosts[i], type))
			return true;
	return false;
}

static void look_at(struct nd_check_run *run, const struct nd_host *host,
		    const struct nd_cni_conf *conf)
{
	struct nd_finding *f = NULL;
	const char *dir = host->cni.bin_dir ? host->cni.bin_dir : "/opt/cni/bin";
	for (size_t i = 0; i < conf->ntypes; i++) {
		const char *type = conf->types[i], *why = trouble(run, find_bin(host, type));
		if (!why || !is_sure(run->cluster, host, type))
			continue;
		if (!f) {
			f = nd_find(run, "node/%s", host->node);
			f->title = nd_check_text(run, "%s can't start pods: the CNI plugin %s %s",
						 host->node, type, why);
		}
		nd_prove(run, f, nd_fact_where(run, host, "cni"), "%s/%s %s; %s calls it", dir,
			 type, why, conf->file);
	}
}

static void run(struct nd_check_run *run)
{
	for (size_t i = 0; i < run->cluster->nhosts; i++) {
		const struct nd_host *host = &run->cluster->hosts[i];
		struct nd_cni_conf conf;
		if (nd_host_has(host, ND_SECTION_cni) && host->cni.bin_dir_exists &&
		    nd_cni_conf_read(run, host, &conf) && !conf.error)
			look_at(run, host, &conf);
	}
}

const struct nd_check nd_check_cni_bin_missing = {
	.id = "cni-bin-missing",
	.layer = ND_LAYER_CNI,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "A CNI plugin is missing or can't be run",
	.why = "The CNI configuration calls programs by name. If one is not there or not "
	       "executable, no new pod gets a network and none starts (FailedCreatePodSandBox); "
	       "pods that run go on.",
	.fix = "on NODE: chmod 755 the plugin, or copy it from a node of the same version",
	.source = "containernetworking/cni: pkg/invoke/find.go; kind: images/base/Dockerfile",
	.explains = {{"svc-pods-not-ready", ND_SAME_NODE},
		     {"dns-no-replicas", ND_SAME_NODE},
		     {"eff-node-notready", ND_SAME_NODE},
		     {"eff-pod-sandbox-fail", ND_SAME_NODE}},
	.run = run,
};
