/*
 * host.h: what only the node knows, as its agent reported it, decoded; kept by cluster.h. Strings
 * and arrays live in the cluster's arena; NULL means "the field was not there".
 */
#ifndef ND_PLUGIN_MODEL_HOST_H
#define ND_PLUGIN_MODEL_HOST_H

#include "common/addr.h"
#include "common/probe.h"
#include "common/text.h"

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
	bool is_onlink, is_dead; /* nobody takes it; linkdown is not dead */
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

/*
 * ipset save: one struct a set. An element is stride bytes: its flags, then its parts side by side:
 * addresses of 4 or 16 bytes (of a network its length in bits before it), protocol and port (1 and
 * 2 bytes; bitmap:port: protocol 0), mark (4), interface (16, filled up with NUL), hardware address
 * (6, zero: any). Numbers in network order. Of list:set it is the place of the name in members.
 */
enum nd_ipset_part {
	ND_IPSET_NONE,
	ND_IPSET_IP,
	ND_IPSET_NET,
	ND_IPSET_PORT,
	ND_IPSET_IFACE,
	ND_IPSET_MARK,
	ND_IPSET_MAC,
	ND_IPSET_SET
};
enum { ND_IPSET_NOMATCH = 1, ND_IPSET_WILDCARD = 2 }; /* flags; wildcard: of the interface */
#define ND_IPSET_MAX_PARTS 3
#define ND_IPSET_MAX_STRIDE 40
struct nd_ipset {
	const char *name, *type;
	uint8_t family; /* 4, 6; 0: for packets of both (bitmap:port, hash:mac, list:set) */
	uint8_t parts[ND_IPSET_MAX_PARTS], nparts; /* enum nd_ipset_part; 0: type not known */
	bool is_bitmap;
	bool has_mask; /* netmask, bitmask: of the first address of a packet */
	uint8_t mask[16];
	uint32_t mark_mask;
	uint8_t stride;
	uint8_t *elements; /* nelements * stride bytes */
	size_t nelements;
	const char **members; /* nmembers: names, of list:set */
	size_t nmembers;
	const char *unknown; /* why nobody knows what is in it, or NULL */
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
	struct nd_ipset *ipsets; /* nipsets, as ipset save prints them */
	size_t nipsets;
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

#endif
