/*
 * cluster.h: the only decoded form of the evidence; const once built. Only plugin/model/ decodes.
 * Everything right of it (checks, diagnose, report) is a pure function of this: no I/O, no clock.
 *
 * All strings live in the cluster's arena; NULL means "the field was not there". Arrays are
 * pointer + count (pods[npods]); the order is said at each.
 */
#ifndef ND_PLUGIN_MODEL_CLUSTER_H
#define ND_PLUGIN_MODEL_CLUSTER_H

#include "common/arena.h"
#include "plugin/model/host.h"
#include "plugin/model/objects.h"

/* A node container, from `docker ps -a`. */
struct nd_node_container {
	/* state "running", "paused", "exited"; role: kind's label */
	const char *name, *state, *status, *role;
};

/* Pods by address, for nd_look_pod_by_ip; hostNetwork pods are not in it. */
struct nd_pod_ip {
	struct nd_ip ip;
	const struct nd_pod *pod;
};

struct nd_known_gap {
	const char *what, *where, *why;
};

struct nd_cluster {
	struct nd_arena arena; /* everything below */
	const char *version;   /* gitVersion of the API server, or NULL */
	const char *context;
	bool has_api; /* at least the nodes list came */
	uint32_t have_resources; /* bit i: row i of resources.def came whole */
	struct nd_node *nodes; /* by name */
	size_t nnodes;
	struct nd_pod *pods; /* by namespace, name */
	size_t npods;
	struct nd_service *services; /* by namespace, name */
	size_t nservices;
	struct nd_slice *slices; /* by namespace, service, name */
	size_t nslices;
	struct nd_workload *workloads; /* by kind, namespace, name */
	size_t nworkloads;
	struct nd_policy *policies; /* by namespace, name */
	size_t npolicies;
	struct nd_namespace *namespaces; /* by name */
	size_t nnamespaces;
	struct nd_event *events;
	size_t nevents;
	struct nd_configmap *configmaps;
	size_t nconfigmaps;
	struct nd_host *hosts; /* by node name */
	size_t nhosts;
	struct nd_node_container *containers; /* by name */
	size_t ncontainers;
	struct nd_pod_ip *pod_ips; /* npod_ips, by address; private to model/ */
	size_t npod_ips;
	struct nd_known_gap *gaps; /* in the order they came */
	size_t ngaps;
};

#endif
