/*
 * cluster.h: the only decoded form of the evidence; const once built. Only plugin/model/ decodes.
 * Everything right of it (checks, diagnose, report) is a pure function of this: no I/O, no clock.
 *
 * All strings live in the cluster's arena; NULL means "the field was not there". Arrays are
 * pointer + count (pods[npods]); the order is said at each.
 */
#ifndef ND_PLUGIN_MODEL_CLUSTER_H
#define ND_PLUGIN_MODEL_CLUSTER_H

#include "common/addr.h"
#include "common/arena.h"
#include "common/probe.h"
#include "common/text.h"

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

/* ---- what only the node knows ---- */
struct nd_link {
	uint32_t ifindex;
	const char *name, *kind, *slave_kind; /* kind: linkinfo.info_kind or NULL */
	const char *master;		      /* or NULL */
	const char *mac, *operstate;
	bool is_up, is_lower_up; /* IFF_UP, IFF_LOWER_UP */
	uint32_t mtu_bytes;
	uint32_t link_ifindex;	  /* peer or lower device, 0: none */
	int32_t link_netnsid;	  /* -1: none */
	uint32_t vxlan_id;	  /* VNI */
	struct nd_ip vxlan_local;
	uint16_t vxlan_port;
	bool has_hairpin, is_hairpin; /* bridge port */
	uint64_t rx_packets, tx_packets, rx_dropped, tx_dropped, rx_errors, tx_errors;
};
struct nd_address {
	uint32_t ifindex;
	const char *dev;
	struct nd_prefix prefix;
	const char *scope;
};
struct nd_route {
	uint8_t family;
	/* "unicast", "local", "broadcast", "blackhole", "unreachable", "prohibit", ... */
	const char *type;
	struct nd_prefix dst; /* 0.0.0.0/0 or ::/0 for default */
	struct nd_ip gateway, prefsrc;
	const char *dev, *table, *protocol, *scope;
	uint32_t metric;
	bool is_onlink, is_dead; /* dead or linkdown */
};
struct nd_rule {
	uint8_t family;
	uint32_t priority, fwmark, fwmask;
	struct nd_prefix src, dst; /* family 0: all */
	const char *iif, *oif, *table, *action; /* action "lookup" when a table */
	bool is_not;
};
struct nd_neigh {
	struct nd_ip ip;
	const char *dev, *mac; /* mac NULL: unresolved */
	bool is_failed, is_permanent;
};
struct nd_fdb {
	const char *mac, *dev;
	struct nd_ip dst;
	bool is_permanent, is_self;
};
struct nd_sysctl {
	const char *key, *value;
};
struct nd_socket {
	bool is_udp;
	uint8_t family;
	struct nd_ip ip; /* 0.0.0.0 or :: for any */
	uint16_t port;
};

/* iptables-save, one struct a backend and family. */
enum nd_ipt_backend { ND_IPT_NFT, ND_IPT_LEGACY, ND_IPT_BACKENDS };
struct nd_ipt_rule {
	const char *text; /* "-A FORWARD -s 10.0.0.0/8 -j DROP" as saved, without counters */
	uint64_t packets, bytes;
	uint32_t number;   /* 1.. in its chain */
	const char *target; /* -j or -g; NULL: none */
	bool is_goto;
	/* the matches that checks look at; *_not: with "!" */
	struct nd_prefix src, dst; /* family 0: any */
	bool src_not, dst_not;
	const char *in, *out; /* -i, -o or NULL */
	bool in_not, out_not;
	const char *proto; /* -p or NULL */
	bool proto_not;
	uint16_t dport_min, dport_max; /* --dport; 0,0: none */
	const char *ctstate;   /* --ctstate list or NULL */
	const char *comment;
	struct nd_ip to_ip;    /* DNAT --to-destination */
	uint16_t to_port;
	const char *reject_with;
	bool has_other_match; /* some match that is not among the fields above (see text) */
};
struct nd_ipt_chain {
	const char *name;
	const char *policy; /* "ACCEPT", "DROP" for built-in chains; NULL for user chains */
	uint64_t packets, bytes; /* of the policy */
	struct nd_ipt_rule *rules;
	size_t nrules;
};
struct nd_ipt_table {
	const char *name; /* "filter", "nat", "mangle", "raw", "security" */
	struct nd_ipt_chain *chains; /* nchains, in the order of iptables-save */
	size_t nchains;
	struct nd_ipt_index *index; /* chain name -> chain; private to model/iptables.c */
};
struct nd_ipt {
	bool is_present;
	const char *error; /* the program failed: why; or NULL */
	struct nd_ipt_table *tables;
	size_t ntables;
};

/* nft -j list ruleset: native tables only need what the checks ask. */
struct nd_nft_rule {
	const char *text; /* our own one-line rendering, close to `nft list ruleset` */
	/* "accept", "drop", "reject", "return", "jump X", "goto X", "queue", NULL: none/other */
	const char *verdict;
	uint64_t handle, packets;
	bool has_counter;
	struct nd_prefix src, dst; /* family 0: any or not a plain prefix */
	bool src_not, dst_not;
	const char *in, *out, *proto; /* meta iifname/oifname, l4proto; NULL: any */
	uint16_t dport_min, dport_max;
	bool has_other_match;
};
struct nd_nft_chain {
	const char *name, *type, *hook, *policy; /* hook NULL: regular chain */
	int32_t priority;
	struct nd_nft_rule *rules;
	size_t nrules;
};
struct nd_nft_table {
	const char *family, *name; /* "ip", "ip6", "inet", "bridge", "netdev", "arp" */
	const struct nd_rtable *program; /* its rules for the walk (model/ruleset.h); NULL: none */
	bool is_iptables;	   /* made by iptables-nft: its rules are seen through nd_ipt */
	struct nd_nft_chain *chains;
	size_t nchains;
	size_t nsets, nmaps;
	/* elements of verdict maps and sets that kube-proxy uses, rendered: map "service-ips" */
	struct nd_nft_set *sets;
};
struct nd_nft_set {
	const char *name;
	bool is_map;
	const char **elements; /* nelements; "10.96.0.1 . tcp . 443 : goto service-..." */
	size_t nelements;
};

struct nd_cni_file {
	const char *name, *content; /* content NULL: not a candidate */
};
struct nd_cni_bin {
	const char *name;
	uint32_t mode; /* permission bits */
	uint64_t size_bytes;
	uint16_t elf_machine; /* 0: not ELF */
	bool is_script;
};
struct nd_cni {
	const char *conf_dir, *bin_dir;
	bool conf_dir_exists, bin_dir_exists;
	struct nd_cni_file *conf; /* nconf, byte order of names */
	size_t nconf;
	struct nd_cni_bin *bin; /* nbin */
	size_t nbin;
};
struct nd_file {
	const char *path, *content, *error; /* one of the last two */
};
struct nd_unit {
	const char *name; /* "kubelet", "containerd", "crio", "docker" */
	bool is_running, is_installed;
	int64_t uptime_s;
};
struct nd_podns {
	const char **uids; /* nuids */
	size_t nuids;
	uint64_t inode;
	bool is_host_network;
	const char *error; /* could not be entered: why */
	struct nd_link *links;
	size_t nlinks;
	struct nd_address *addrs;
	size_t naddrs;
	struct nd_route *routes;
	size_t nroutes;
	struct nd_socket *sockets;
	size_t nsockets;
};

/* What became of one probe that this node's agent sent; docs/wire.md, section "probe". */
struct nd_probe_result {
	enum nd_probe_kind kind;
	enum nd_probe_outcome outcome;
	uint64_t netns_inode; /* where it started; 0: the node's own namespace */
	struct nd_ip ip;      /* target */
	uint16_t port;
	const char *name; /* DNS name or path asked for, or NULL */
	bool is_aaaa;
	int64_t us;	    /* until the outcome */
	int32_t err_number; /* errno, 0: none */
	int32_t status, rcode, answers; /* HTTP; DNS */
	int64_t bytes;			/* bulk */
	uint32_t mtu_bytes;		/* pmtu */
	struct nd_ip hop; /* that sent the ICMP error it ended with; family 0: none */
	bool is_second;		/* of the second round, while packets were watched */
};

/* Packets that passed while probes ran; docs/wire.md, section "watch". */
enum nd_sighting_what { ND_SEEN_SYN, ND_SEEN_SYN_ACK, ND_SEEN_RST, ND_SEEN_UDP, ND_SEEN_ICMP };
struct nd_sighting {
	uint64_t netns_inode; /* where; 0: the node's own namespace */
	const char *dev;
	bool is_out;
	enum nd_sighting_what what;
	struct nd_ip src, dst; /* of an ICMP error: of the packet it is about */
	uint16_t sport, dport;
	struct nd_ip icmp_from; /* who sent the error; family 0: no ICMP */
	uint8_t icmp_type, icmp_code;
	struct nd_ip vxlan_src, vxlan_dst; /* family 0: not encapsulated */
	uint32_t count;
	int64_t us; /* of the first, since the agent began to look */
};

/* Which sections of a node's report we have: bit 1 << ND_SECTION_x. Ask nd_host_has(). */
enum nd_section_id {
#define ND_SECTION(id, name, what) ND_SECTION_##id,
#include "common/sections.def"
#undef ND_SECTION
	ND_SECTIONS
};
struct nd_host {
	const char *node; /* Kubernetes node name */
	uint32_t have;	  /* bits of ND_SECTION_* */
	const char *hostname, *kernel, *arch, *iptables_mode;
	int64_t uptime_s, time_unix_s;
	struct nd_link *links;
	size_t nlinks;
	struct nd_address *addrs;
	size_t naddrs;
	struct nd_route *routes;
	size_t nroutes;
	struct nd_rule *rules;
	size_t nrules;
	struct nd_neigh *neigh;
	size_t nneigh;
	struct nd_fdb *fdb;
	size_t nfdb;
	struct nd_sysctl *sysctls; /* sorted by key */
	size_t nsysctls;
	struct nd_ipt ipt[ND_IPT_BACKENDS], ipt6[ND_IPT_BACKENDS];
	struct nd_nft_table *nft;
	size_t nnft;
	uint64_t conntrack_count, conntrack_max;
	struct nd_socket *sockets;
	size_t nsockets;
	struct nd_cni cni;
	struct nd_file *files;
	size_t nfiles;
	struct nd_unit *units;
	size_t nunits;
	struct nd_podns *podns;
	size_t npodns;
	/* In the order they were sent. The same probe twice: it was sent again. */
	struct nd_probe_result *probes;
	size_t nprobes;
	struct nd_sighting *sightings; /* nsightings, as they were first seen */
	size_t nsightings;
	bool has_watched; /* the section came whole: what is not in it did not pass */
};

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
