#include "common/base.h"
#include "plugin/checks/drops.h"
#include "plugin/checks/facts.h"
#include "plugin/checks/walks.h"

/* ---- who talks to whom, seen from the node where it ended ---- */

enum role { POD_HERE, POD_THERE, SELF, PEER, SERVICE, OUTSIDE };

static bool has_address(const struct nd_host *host, struct nd_ip ip)
{
	for (size_t i = 0; i < host->naddrs; i++)
		if (nd_ip_eq(host->addrs[i].prefix.ip, ip))
			return true;
	return false;
}

static enum role role_of(const struct nd_cluster *cluster, const struct nd_host *host,
			 struct nd_ip ip)
{
	const struct nd_pod *pod = nd_look_pod_by_ip(cluster, ip);

	if (pod)
		return nd_eq(pod->node, host->node) ? POD_HERE : POD_THERE;
	if (has_address(host, ip))
		return SELF;
	for (size_t i = 0; i < cluster->nnodes; i++)
		if (nd_ip_eq(cluster->nodes[i].internal_ip, ip) ||
		    nd_ip_eq(cluster->nodes[i].internal_ip6, ip))
			return PEER;
	if (nd_look_is_service_ip(cluster, ip))
		return SERVICE;
	if (!nd_look_is_pod_ip(cluster, ip))
		return OUTSIDE;
	for (size_t i = 0; i < cluster->nhosts; i++) /* the address of its tunnel */
		if (has_address(&cluster->hosts[i], ip))
			return PEER;
	return POD_THERE;
}

/* The one that is told when a rule drops several; what is not here comes last. */
static const struct pair {
	enum role src, dst;
	const char *what;
} pairs[] = {
	{POD_HERE, POD_THERE, "from its pods to pods on other nodes"},
	{POD_THERE, POD_HERE, "from pods on other nodes to its pods"},
	{POD_HERE, SERVICE, "from its pods to services"},
	{POD_HERE, POD_HERE, "between its pods"},
	{POD_HERE, PEER, "from its pods to other nodes"},
	{PEER, POD_HERE, "from other nodes to its pods"},
	{PEER, SELF, "from other nodes to this one"},
	{POD_HERE, SELF, "from its pods to the node itself"},
	{POD_THERE, SELF, "from pods on other nodes to this one"},
	{SELF, POD_HERE, "from the node to its pods"},
	{SELF, PEER, "from the node to other nodes"},
	{SELF, POD_THERE, "from the node to pods on other nodes"},
	{SELF, SERVICE, "from the node to services"},
	{SELF, SELF, "from the node to itself"},
	{OUTSIDE, POD_HERE, "from outside to its pods"},
	{POD_HERE, OUTSIDE, "from its pods to outside"},
};

static size_t pair_of(const struct nd_cluster *cluster, const struct nd_walk_loss *loss)
{
	enum role src = role_of(cluster, loss->host, loss->packet.t.src),
		  dst = role_of(cluster, loss->host, loss->packet.t.dst);
	size_t i = 0;

	while (i < ND_ARRAY_LEN(pairs) && (pairs[i].src != src || pairs[i].dst != dst))
		i++;
	return i;
}

/* ---- each rule once ---- */

struct found {
	const struct nd_walk_loss *loss;
	size_t pair;
	bool is_too_big; /* all that it drops is */
	bool is_later;	 /* the same */
};
struct collect {
	struct nd_arena arena;
	struct found *items; /* n */
	size_t n;
};

static void collect(const struct nd_cluster *cluster, struct collect *c,
		    const struct nd_walk_loss *loss)
{
	for (size_t i = 0; i < c->n; i++) {
		struct found *f = &c->items[i];

		if (f->loss->chain != loss->chain || f->loss->rule != loss->rule)
			continue;
		if (f->is_too_big == loss->is_too_big || f->is_too_big) {
			size_t pair = pair_of(cluster, loss);

			/* A flow says more than an error message about one. */
			if (pair < f->pair || (f->is_too_big && !loss->is_too_big))
				f->pair = pair;
		}
		f->is_too_big = f->is_too_big && loss->is_too_big;
		f->is_later = f->is_later && loss->is_later;
		return;
	}
	ND_ARENA_PUSH(&c->arena, c->items, c->n) =
		(struct found){loss, pair_of(cluster, loss), loss->is_too_big, loss->is_later};
}

static int table_rank(const struct nd_walk_loss *loss)
{
	static const char *const order[] = {"raw", "mangle", "nat", "filter", "security"};

	if (loss->table->backend == ND_RULES_NFT)
		return (int)loss->table->position;
	for (size_t i = 0; i < ND_ARRAY_LEN(order); i++)
		if (nd_eq(loss->table->name, order[i]))
			return (int)i;
	return ND_ARRAY_LEN(order);
}

static int order(const void *a, const void *b)
{
	const struct nd_walk_loss *x = ((const struct found *)a)->loss,
				  *y = ((const struct found *)b)->loss;
	int by_family = strcmp(x->table->family, y->table->family),
	    by_table = table_rank(x) - table_rank(y), by_chain;

	if (by_family || by_table)
		return by_family ? by_family : by_table;
	if (x->hook != y->hook)
		return x->hook < y->hook ? -1 : 1;
	/* The chain itself before those it jumps to; its policy is last. */
	if (x->chain->is_base != y->chain->is_base)
		return x->chain->is_base ? -1 : 1;
	by_chain = strcmp(x->chain->name, y->chain->name);
	if (by_chain)
		return by_chain;
	if (!x->rule || !y->rule)
		return (y->rule != NULL) - (x->rule != NULL);
	return x->rule->number < y->rule->number ? -1 : x->rule->number > y->rule->number;
}

static void report(struct nd_check_run *run, struct collect *c, struct nd_drops *out)
{
	if (c->n)
		qsort(c->items, c->n, sizeof(*c->items), order);
	for (size_t i = 0; i < c->n; i++) {
		const struct nd_walk_loss *loss = c->items[i].loss;
		const struct nd_rtable *table = loss->table;
		bool is_nft = table->backend == ND_RULES_NFT;
		struct nd_drop d = {
			.program = is_nft ? "nft"
					  : nd_check_text(run, "%s-%s",
							  nd_eq(table->family, "ip6") ? "ip6tables"
										      : "iptables",
							  table->backend == ND_RULES_IPT_NFT
								  ? "nft"
								  : "legacy"),
			.table = is_nft ? nd_check_text(run, "%s %s", table->family, table->name)
					: table->name,
			.base = loss->base ? loss->base->name : loss->chain->name,
			.chain = loss->chain->name,
			.text = nd_check_text(run, "policy %s", is_nft ? "drop" : "DROP"),
			.what = c->items[i].pair < ND_ARRAY_LEN(pairs)
					? pairs[c->items[i].pair].what
					: "that the cluster needs",
			.is_policy = !loss->rule,
			.is_too_big = c->items[i].is_too_big,
			.is_later = c->items[i].is_later,
			.packets = loss->chain->policy_packets};

		if (loss->rule) {
			d.text = loss->rule->text;
			d.number = loss->rule->number;
			d.packets = loss->rule->packets;
		}
		ND_ARENA_PUSH(run->arena, out->items, out->n) = d;
	}
	nd_arena_free(&c->arena);
}

const char *nd_drop_packets(const struct nd_drop *drop)
{
	return drop->is_later ? "packets of established connections" : "packets";
}

/* ---- whose rule is it? ---- */

static bool starts_with_any(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (nd_starts(name, list[i]))
			return true;
	return false;
}

/* NetworkPolicies that are no business of ours: the engine's own kinds are not in the model. */
static bool is_policy_chain(const char *name)
{
	static const char *const engines[] = {"cali-",	     "CILIUM",	   "OLD_CILIUM",
					      "WEAVE",	     "ANTREA-",	   "KUBE-ROUTER",
					      "KUBE-NWPLCY", "KUBE-POD-FW"};

	return starts_with_any(name, engines, ND_ARRAY_LEN(engines));
}

/*
 * kube-proxy refuses what has no endpoints or comes from the wrong place; packets marked 0x8000 are
 * such ones. In KUBE-FORWARD and KUBE-FIREWALL only what nobody else made counts: kube-proxy's own
 * rules there ask for a state or an address that packets of the cluster do not have.
 */
static bool is_for_a_reason(const struct nd_walk_loss *loss)
{
	const char *chain = loss->chain->name;

	if (!nd_starts(chain, "KUBE-"))
		return false;
	if (!nd_eq(chain, "KUBE-FIREWALL") && !nd_eq(chain, "KUBE-FORWARD"))
		return true;
	return loss->rule && loss->rule->text &&
	       (strstr(loss->rule->text, "0x8000/0x8000") || strstr(loss->rule->text, "INVALID"));
}

/* A packet of no known connection is one whose beginning went another way: look there. */
static bool is_stray(const struct nd_walk_loss *loss)
{
	return loss->packet.ct.state != ND_CT_INVALID && !is_policy_chain(loss->chain->name);
}

void nd_drops_ipt(struct nd_check_run *run, const struct nd_host *host, enum nd_ipt_backend backend,
		  struct nd_drops *out)
{
	enum nd_rules_backend want = backend == ND_IPT_NFT ? ND_RULES_IPT_NFT : ND_RULES_IPT_LEGACY;
	bool is_kept = backend == nd_fact_kube_backend(host);
	const struct nd_walks *walks = nd_walks_get(run);
	struct collect found = {0};

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < walks->n; i++) {
		const struct nd_walk_loss *loss = &walks->items[i];

		if (loss->host == host && loss->base && loss->table->backend == want &&
		    is_stray(loss) && !(is_kept && is_for_a_reason(loss)))
			collect(run->cluster, &found, loss);
	}
	report(run, &found, out);
}

static bool is_system_table(const struct nd_rtable *table)
{
	static const char *const owned[] = {"kube-",  "kindnet", "flannel-", "cni_",	"docker",
					    "calico", "cali-",	 "cilium",   "libvirt", "netavark",
					    "podman", "antrea",	 "lxc",	     "lxd",	"incus"};

	return starts_with_any(table->name, owned, ND_ARRAY_LEN(owned));
}

void nd_drops_nft(struct nd_check_run *run, const struct nd_host *host, struct nd_drops *out)
{
	const struct nd_walks *walks = nd_walks_get(run);
	struct collect found = {0};

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < walks->n; i++) {
		const struct nd_walk_loss *loss = &walks->items[i];

		if (loss->host == host && loss->base && loss->table->backend == ND_RULES_NFT &&
		    is_stray(loss) && !is_system_table(loss->table))
			collect(run->cluster, &found, loss);
	}
	report(run, &found, out);
}
