/*
 * check.h: one question a file. A check looks at the model and reports findings, each with direct
 * proof. A check that cannot look (a section is missing) reports nothing: the gap is already known.
 *
 *	static void run(struct nd_check_run *run)
 *	{
 *		for (size_t i = 0; i < run->cluster->nhosts; i++) {
 *			const struct nd_host *host = &run->cluster->hosts[i];
 *			const char *value = nd_look_sysctl(host, "net.ipv4.ip_forward");
 *			if (!nd_eq(value, "0"))
 *				continue;
 *			struct nd_finding *f = nd_find(run, "node/%s", host->node);
 *			nd_prove(run, f, "sysctl", "net.ipv4.ip_forward = 0 (wanted 1)");
 *		}
 *	}
 */
#ifndef ND_PLUGIN_CHECKS_CHECK_H
#define ND_PLUGIN_CHECKS_CHECK_H

#include "plugin/model/cluster.h"
#include "plugin/model/look.h"

/* In the order of the search (docs: host first, external last); the lower layer wins. */
enum nd_layer {
	ND_LAYER_HOST,
	ND_LAYER_NODE,
	ND_LAYER_KERNEL,
	ND_LAYER_IPTABLES,
	ND_LAYER_CNI,
	ND_LAYER_ROUTES,
	ND_LAYER_PROXY,
	ND_LAYER_SERVICE,
	ND_LAYER_DNS,
	ND_LAYER_POLICY,
	ND_LAYER_IMAGE,
	ND_LAYER_EXTERNAL,
	ND_LAYER_EFFECT, /* what probes and the API show; never a root cause */
};
enum nd_kind { ND_CAUSE, ND_EFFECT, ND_HAZARD };
enum nd_severity { ND_INFO, ND_WARNING, ND_ERROR };

struct nd_evidence_line {
	const char *text;  /* "net.ipv4.ip_forward = 0 (wanted 1)" */
	const char *where; /* "dev-cluster-worker2: sysctl", "node/w1 iptables-nft filter FORWARD
			      rule 3" */
};

struct nd_finding {
	const struct nd_check *check;
	const char *subject; /* node/NAME, pod/NS/NAME, service/NS/NAME, networkpolicy/NS/NAME,
				cluster */
	const char *node;    /* the node it is about, or NULL */
	const char **nodes;  /* nnodes; all its packets touch, when it is not about one */
	size_t nnodes;
	const char *title;   /* a sentence for this finding, or NULL: check->title */
	enum nd_kind
		kind; /* check->kind unless the check knows better (a hazard here, a cause there) */
	enum nd_severity severity;
	bool is_likely; /* confidence "likely" instead of "proved" */
	struct nd_evidence_line *proof;
	size_t nproof;
	/* filled by diagnose/ */
	const struct nd_finding *explained_by; /* NULL: nobody */
};

struct nd_failures;
struct nd_walks;
struct nd_world;
struct nd_closed_list;
struct nd_expected;
struct nd_check_run {
	const struct nd_cluster *cluster;
	struct nd_arena *arena; /* of the findings */
	const struct nd_failures *failures; /* checks/failures.h: of the probes */
	struct nd_walks *walks; /* checks/walks.h: ask nd_walks_get() */
	const struct nd_expected *expected; /* model/programmed.h: ask nd_fact_expected() */
	struct nd_world *world;		    /* of all walks: ask nd_walks_world() */
	struct nd_closed_list *closed;	    /* checks/policies.h: ask nd_closed_get() */
	size_t npolicy_walks;		    /* made so far by checks/policies.c, */
	size_t npolicy_looks;		    /* and pods compared with selectors */
	const struct nd_check *check;
	struct nd_finding **findings; /* nfindings */
	size_t nfindings;
};

/* Where an explaining cause must be, seen from what it explains. */
enum nd_reach {
	ND_REACH_NONE,
	ND_SAME_NODE,
	ND_SAME_SUBJECT,
	ND_OF_DNS, /* as SAME_NODE, if the cause is about service/kube-system/kube-dns */
	ND_ANYWHERE
};
struct nd_explains {
	const char *id; /* the finding that becomes an effect of this one; NULL ends the list */
	/* SAME_NODE: the cause's node is one of the effect's, or the effect has none */
	enum nd_reach reach;
};
/* What fails when a node handles service addresses wrongly. */
#define ND_EXPLAINS_SERVICES(reach)                                                                \
	{"eff-clusterip-fail", reach}, {"eff-api-vip-unreachable", reach},                         \
		{"eff-dns-cluster-fail", reach}, {"eff-app-fail", reach},                          \
		{"eff-external-access-fail", reach}, {"eff-coredns-crashloop", reach},             \
		{"eff-cni-crashloop", reach}
/* What fails when packets of pods get lost on a node or on the way to it. */
#define ND_EXPLAINS_PODS(reach)                                                                    \
	ND_EXPLAINS_SERVICES(reach), {"eff-pod-pod-same-node-fail", reach},                        \
		{"eff-pod-pod-cross-node-fail", reach}, {"eff-node-pod-fail", reach},              \
		{"eff-egress-fail", reach}, {"eff-large-transfer-stall", reach},                   \
		{"eff-intermittent-timeout", reach}
/* What fails when the node itself is cut off or down. */
#define ND_EXPLAINS_NODE(reach)                                                                    \
	ND_EXPLAINS_PODS(reach), {"eff-node-node-fail", reach}, {"eff-node-notready", reach},      \
		{"eff-kubeproxy-crashloop", reach}, {"eff-pod-sandbox-fail", reach}

struct nd_check {
	const char *id; /* permanent; the file name with '-' for '_' */
	enum nd_layer layer;
	enum nd_kind kind;
	enum nd_severity severity;
	const char *title; /* a short sentence, no full stop: "The node does not forward packets" */
	const char *why;   /* two or three sentences: what it breaks and how it comes about */
	const char *fix;   /* what to do, one line; "%s" never: plain text, `NODE` stands for the
			      node's name */
	const char *source; /* where the rule comes from: document and section, or source file */
	struct nd_explains explains[32];
	void (*run)(struct nd_check_run *run);
};

struct nd_finding *nd_find(struct nd_check_run *run, const char *subject_fmt, ...) ND_PRINTF(2, 3);
/* Same, and says which node it is about when the subject is not a node. */
void nd_prove(struct nd_check_run *run, struct nd_finding *finding, const char *where,
	      const char *text_fmt, ...) ND_PRINTF(4, 5);
const char *nd_check_text(struct nd_check_run *run, const char *fmt, ...)
	ND_PRINTF(2, 3); /* in the arena */

extern const struct nd_check
	*const nd_checks[]; /* checks.def order: by layer, then id; nd_nchecks */
extern const size_t nd_nchecks;
const struct nd_check *nd_check_find(const char *id);

#endif
