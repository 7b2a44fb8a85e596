/*
 * service.h: what the service checks share: who is behind a service, and what could have been
 * meant.
 */
#ifndef ND_PLUGIN_CHECKS_SERVICE_H
#define ND_PLUGIN_CHECKS_SERVICE_H

#include "plugin/checks/check.h"

struct nd_backends {
	size_t npods; /* that the selector matches, without those that ended */
	size_t nready; /* of them */
	const struct nd_pod *first; /* one that is not ready, or NULL */
	const char *node; /* where all that are not ready live, or NULL */
	const struct nd_workload *workload; /* whose pods would match, or NULL */
};

/* Has the service a selector that something should match (no ExternalName, no headless oddities)?
 */
bool nd_service_wants_pods(const struct nd_service *service);
bool nd_service_is_dns(const struct nd_service *service); /* kube-system/kube-dns */
void nd_service_backends(const struct nd_cluster *cluster, const struct nd_service *service,
			 struct nd_backends *out);
/* Were all lists read that say who is behind a service? */
bool nd_service_can_tell(const struct nd_cluster *cluster);

/* The label that is nearly right: "app=web (pods have app=webb)". */
struct nd_near_miss {
	const char *key, *wanted, *has; /* has NULL: nothing is near */
	const char *who; /* a pod or workload that has it */
};
bool nd_service_near_miss(const struct nd_cluster *cluster, const struct nd_service *service,
			  struct nd_near_miss *out);

/* Do all these labels but one hold, and that one by a slip? who is left alone. */
bool nd_labels_near_miss(const struct nd_labels *wanted, const struct nd_labels *labels,
			 struct nd_near_miss *out);

#endif
