/*
 * status.h: what is deployed and whether it works, in numbers and in criteria that are met or not:
 * the summary that people write by hand. It names no causes; that is what diagnose is for.
 *
 *	struct nd_status *s = nd_status_build(&arena, cluster, NULL);
 *	nd_status_print_text(s, &style, &out);
 *
 * What was not looked at is said and never counts as good: a criterion without evidence is blocked,
 * a percentage without probes is none.
 */
#ifndef ND_PLUGIN_STATUS_STATUS_H
#define ND_PLUGIN_STATUS_STATUS_H

#include "common/buf.h"
#include "plugin/probe/matrix.h"

enum nd_criterion_id {
#define ND_CRITERION(id, name, text, after) ND_CRITERION_##id,
#include "plugin/status/criteria.def"
#undef ND_CRITERION
	ND_CRITERIA
};
enum nd_criterion_state { ND_MET, ND_MISSED, ND_BLOCKED };

struct nd_criterion {
	const char *name, *text; /* of criteria.def */
	enum nd_criterion_state state;
	const char *detail; /* "2 of 3"; of BLOCKED: why it could not be tested */
};

struct nd_ready {
	size_t nready, n;
};
struct nd_pod_counts {
	size_t nrunning;	  /* phase Running */
	size_t nunready;	  /* of them: the Ready condition is not True */
	size_t npending, nfailed; /* failed: also those whose node does not say */
	size_t ndone;		  /* phase Succeeded */
};
struct nd_status_ns {
	const char *name;
	struct nd_pod_counts pods;
	size_t npolicies;
};

struct nd_status {
	const struct nd_cluster *cluster;
	const char *only_ns; /* pods, services and policies of this namespace; NULL: of all */
	struct nd_matrix matrix;
	/* Were the lists read whole? Numbers of a list that was not read say nothing. */
	bool has_nodes, has_pods, has_services, has_endpoints, has_policies;
	struct nd_ready control_planes, workers;
	struct nd_pod_counts pods;
	struct nd_status_ns *namespaces; /* nnamespaces, most trouble first, then most pods */
	size_t nnamespaces;
	size_t nservices, npolicies;
	struct nd_ready endpoints;	     /* services with a selector; ready: that have one */
	size_t nservices_probed, nanswering; /* answering: no probe of it failed */
	struct nd_prefix pod_cidr;	     /* family 0: unknown */
	const char *service_cidr;	     /* "10.96.0.0/16"; NULL: unknown */
	struct nd_prefix *subnets;	     /* nsubnets, of the nodes' InternalIPs */
	size_t nsubnets;
	const char *cni, *proxy; /* words: "kindnet", "iptables"; "unknown", "none" */
	struct nd_criterion criteria[ND_CRITERIA];
	enum nd_criterion_state verdict; /* MET: all are, and there are no gaps */
};

struct nd_status *nd_status_build(struct nd_arena *arena, const struct nd_cluster *cluster,
				  const char *only_ns);
void nd_status_judge(struct nd_arena *arena, struct nd_status *status); /* part of it: criteria */

struct nd_status_style {
	bool has_colour, is_wide; /* wide: all namespaces, nothing cut */
};
void nd_status_print_text(const struct nd_status *status, const struct nd_status_style *style,
			  struct nd_buf *out);
void nd_status_print_json(const struct nd_status *status, struct nd_buf *out);

/* Why a list ("nodes") was not read, as the gap says; "not read" when none says. */
const char *nd_status_why(const struct nd_status *status, const char *list);

#endif
