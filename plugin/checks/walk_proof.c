/* walk_proof.c: a walk that ends at what a check found is one more proof of it. */
#include "common/base.h"
#include "plugin/checks/walks.h"

/*
 * What a check found, in the words of the walk (plugin/walk/). Rules that drop are not here: their
 * checks were told of them by the walk itself.
 */
static const struct kin {
	const char *id, *reason;
} kin[] = {
	{"ip-forward-off", "ip_forward = 0"},
	{"ip-forward-off", ".forwarding = 0"},
	{"rp-filter-drop", "rp_filter = "},
	{"arp-ignore-ptp", "arp_ignore = "},
	{"cni0-down", "cni0 is down"},
	{"cni0-wrong-ip", "nobody behind cni0 has "},
	{"vxlan-dev-missing", "has no VXLAN device"},
	{"vxlan-dev-missing", "has no device flannel."},
	{"vxlan-fdb-wrong", " sends frames for "},
	{"vxlan-fdb-wrong", "has no forwarding entry for "},
	{"hairpin-off", "hairpin mode is off"},
	{"route-blackhole", " swallows packets to "},
	{"route-blackhole", " refuses packets to "},
	{"route-default-missing", "has no route to "},
	{"route-pod-cidr-missing", "is in the range of pods, but "},
	{"route-pod-cidr-wrong-gw", "is in the range of pods, but "},
	{"route-pod-cidr-wrong-gw", "nobody answers for "},
	{"ipt-kube-jumps-missing", " sent it to an endpoint"},
	{"ipt-kube-chains-flushed", " sent it to an endpoint"},
	{"kp-not-running", " sent it to an endpoint"},
	{"masq-missing", "(martian source)"},
	{"masq-missing", "the answer comes from "},
};

static bool is_of(const struct nd_finding *f, const struct nd_walk_loss *loss)
{
	if (loss->base || loss->is_too_big || !nd_eq(f->node, loss->host->node))
		return false;
	for (size_t i = 0; i < ND_ARRAY_LEN(kin); i++)
		if (nd_eq(kin[i].id, f->check->id) && strstr(loss->reason, kin[i].reason))
			return true;
	return false;
}

/* Connections of pods are what people know; answers and echo requests are for want of those. */
static int worth(const struct nd_walk_loss *loss)
{
	return 16 * !loss->is_later + 8 * !loss->is_back + 4 * (loss->ask.netns_inode != 0) +
	       2 * (loss->ask.dport != 0) + (loss->ask.proto == ND_PROTO_TCP);
}

static bool has_kin(const struct nd_finding *f)
{
	for (size_t i = 0; i < ND_ARRAY_LEN(kin); i++)
		if (nd_eq(kin[i].id, f->check->id))
			return true;
	return false;
}

void nd_walks_prove(struct nd_check_run *run)
{
	for (size_t i = 0; i < run->nfindings; i++) {
		struct nd_finding *f = run->findings[i];
		const struct nd_walk_loss *best = NULL;

		if (f->kind != ND_CAUSE || !f->node || !has_kin(f))
			continue;
		const struct nd_walks *walks = nd_walks_get(run);

		for (size_t k = 0; k < walks->n; k++)
			if (is_of(f, &walks->items[k]) &&
			    (!best || worth(&walks->items[k]) > worth(best)))
				best = &walks->items[k];
		if (best)
			nd_prove(run, f, best->where, "%s ends here: %s",
				 nd_walk_loss_text(run, best), best->reason);
	}
}
