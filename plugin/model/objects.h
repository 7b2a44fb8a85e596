/*
 * objects.h: Kubernetes objects as cluster.h keeps them. Strings and arrays live in the cluster's
 * arena; NULL means "the field was not there".
 */
#ifndef ND_PLUGIN_MODEL_OBJECTS_H
#define ND_PLUGIN_MODEL_OBJECTS_H

#include "common/addr.h"

/* ---- what an object has in common ---- */
struct nd_label {
	const char *key, *value;
};
struct nd_labels {
	struct nd_label *items;
	size_t n;
};
struct nd_meta {
	const char *ns;	  /* NULL for cluster-scoped objects */
	const char *name, *uid;
	struct nd_labels labels;
	const char *owner_kind, *owner_name; /* the controller, or NULL */
	bool is_deleting;		     /* metadata.deletionTimestamp is set */
};

/* ---- API objects ---- */
struct nd_node {
	struct nd_meta meta;
	const char *provider_id; /* "kind://docker/dev-cluster/dev-cluster-worker" */
	struct nd_ip internal_ip, internal_ip6;
	struct nd_prefix pod_cidrs[2]; /* npod_cidrs; spec.podCIDRs */
	size_t npod_cidrs;
	bool is_ready;			/* condition Ready == True */
	const char *ready_status;	/* "True", "False", "Unknown", NULL */
	const char *ready_reason, *ready_message;
	bool is_unschedulable, is_network_unavailable;
	bool is_control_plane;		/* label node-role.kubernetes.io/control-plane */
	struct nd_labels annotations;	/* those under flannel.alpha.coreos.com */
	const char *kubelet_version;
};

struct nd_container_port {
	const char *name;     /* or NULL */
	uint16_t port;	      /* containerPort */
	const char *protocol; /* "TCP", "UDP", "SCTP" */
	uint16_t host_port;   /* 0: none */
};
struct nd_container {
	const char *name, *image;
	struct nd_container_port *ports;
	size_t nports;
	bool is_init, is_ready;
	int32_t restarts;
	const char *waiting_reason, *waiting_message;	    /* state.waiting, or NULL */
	/* state.terminated or lastState.terminated */
	const char *terminated_reason, *terminated_message;
	int32_t exit_code;
	const char *args; /* command and args joined by a blank, or NULL */
};
struct nd_pod {
	struct nd_meta meta;
	const char *node;  /* spec.nodeName or NULL */
	const char *phase; /* "Running", ... */
	struct nd_ip ip, ip6; /* status.podIPs */
	bool is_host_network, is_ready;
	const char *not_ready_reason, *not_ready_message; /* of Ready or PodScheduled, not True */
	const char *dns_policy;
	struct nd_container *containers; /* ncontainers; init containers first, as listed */
	size_t ncontainers;
};

struct nd_service_port {
	const char *name; /* or NULL */
	const char *protocol;
	uint16_t port, node_port;	   /* node_port 0: none */
	uint16_t target_port;		   /* number, or 0 when named */
	const char *target_name;	   /* named targetPort, or NULL */
};
struct nd_service {
	struct nd_meta meta;
	const char *type; /* "ClusterIP", "NodePort", "LoadBalancer", "ExternalName" */
	struct nd_ip cluster_ip, cluster_ip6; /* none for headless and ExternalName */
	bool is_headless;
	struct nd_labels selector;
	bool has_selector;
	struct nd_service_port *ports;
	size_t nports;
	const char *external_policy, *internal_policy; /* "Cluster", "Local", NULL */
	/* Where it is reached from outside; LoadBalancer addresses of ipMode Proxy are not kept. */
	struct nd_ip *external_ips, *lb_ips; /* nexternal_ips, nlb_ips */
	size_t nexternal_ips, nlb_ips;
	struct nd_prefix *source_ranges; /* loadBalancerSourceRanges; none: everybody */
	size_t nsource_ranges;
	bool publish_not_ready;
	const char *proxy_name; /* label service-proxy-name: kube-proxy ignores it, or NULL */
	int64_t created_unix_s; /* metadata.creationTimestamp; 0: unknown */
};

struct nd_endpoint {
	struct nd_ip ip; /* the first address */
	const char *node;
	bool is_ready, is_serving, is_terminating; /* missing ready counts as true */
	bool has_hints;				   /* kube-proxy may leave it to some zones */
	const char *pod_ns, *pod_name;		   /* targetRef of kind Pod */
};
struct nd_slice_port {
	const char *name, *protocol;
	uint16_t port;
};
struct nd_slice {
	struct nd_meta meta;
	const char *service; /* label kubernetes.io/service-name */
	const char *managed_by;
	uint8_t family; /* 4, 6, 0 for FQDN */
	struct nd_endpoint *endpoints;
	size_t nendpoints;
	struct nd_slice_port *ports;
	size_t nports;
};

/* DaemonSets and Deployments: what is wanted and what is there. */
struct nd_workload {
	struct nd_meta meta;
	const char *kind; /* "DaemonSet", "Deployment" */
	int32_t wanted, ready, available;
	struct nd_labels selector, node_selector, template_labels;
	const char **images; /* nimages */
	size_t nimages;
};

struct nd_event {
	const char *kind, *ns, *name, *uid; /* involvedObject */
	const char *reason, *message, *node;
	int64_t last_unix_s; /* 0: unknown */
};
struct nd_configmap {
	struct nd_meta meta;
	struct nd_labels data; /* key -> text */
};
/* ---- NetworkPolicy; networking.k8s.io/v1. Evaluated by model/netpol.h ---- */
enum nd_selector_op { ND_SELECT_IN, ND_SELECT_NOT_IN, ND_SELECT_EXISTS, ND_SELECT_NOT_EXISTS };
struct nd_selector_term {
	const char *key;
	enum nd_selector_op op;
	const char **values; /* nvalues */
	size_t nvalues;
};
/* All labels and all terms must hold; none of both selects everything. */
struct nd_selector {
	struct nd_labels labels;
	struct nd_selector_term *terms; /* nterms */
	size_t nterms;
	const char *unknown; /* there is more in it, that is not understood; or NULL */
};
struct nd_policy_port {
	const char *protocol;	 /* "TCP", "UDP", "SCTP" */
	uint16_t port, end_port; /* the range, both ends in it; 0: any port, or named */
	const char *name;	 /* of a container's port, or NULL */
};
/* Of ipBlock or the selectors; nothing of both matches nobody. */
struct nd_policy_peer {
	const struct nd_selector *pods, *namespaces; /* or NULL: not there */
	struct nd_prefix block;			     /* family 0: none */
	struct nd_prefix *except;		     /* nexcept */
	size_t nexcept;
	const char *unknown;
};
/* Any of the ports (none: all) and any of the peers (none: everybody). */
struct nd_policy_rule {
	struct nd_policy_port *ports; /* nports */
	size_t nports;
	struct nd_policy_peer *peers; /* npeers; "from" or "to" */
	size_t npeers;
	const char *unknown; /* a port or peer that is not understood; or NULL */
};
struct nd_policy {
	struct nd_meta meta;
	struct nd_selector selector;
	bool is_ingress, is_egress; /* policyTypes; by default as the API server sets them */
	struct nd_policy_rule *ingress, *egress; /* ningress, negress */
	size_t ningress, negress;
	const char *unknown; /* rules that are not kept; or NULL */
};
struct nd_namespace {
	struct nd_meta meta; /* with the label kubernetes.io/metadata.name */
};

#endif
