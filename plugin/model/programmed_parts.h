/* programmed_parts.h: what the files of programmed.h share. Private to model/. */
#ifndef ND_PLUGIN_MODEL_PROGRAMMED_PARTS_H
#define ND_PLUGIN_MODEL_PROGRAMMED_PARTS_H

#include "plugin/model/index.h"
#include "plugin/model/programmed.h"
#include "plugin/model/ruleset.h"

/* ---- expected.c ---- */
struct nd_expected_end {
	struct nd_backend backend;
	const char *node;
	bool is_ready, is_serving, is_leaving;
};
struct nd_expected_port {
	const struct nd_service *service;
	const struct nd_service_port *port;
	struct nd_ip vip;
	struct nd_expected_end *ends; /* nends, sorted by address and port */
	size_t nends;
	struct nd_backend *cluster; /* ncluster: for senders anywhere; sorted */
	size_t ncluster;
	bool has_hints; /* some slice leaves its endpoints to zones */
};
struct nd_expected {
	const struct nd_cluster *cluster;
	struct nd_expected_port *ports; /* nports, in the order of the services */
	size_t nports;
	struct nd_index addresses; /* of all endpoints, by the bytes of struct nd_ip */
	bool is_known;		   /* services and slices came whole */
	bool has_node_ports;	   /* not limited to some addresses by nodePortAddresses */
};
int nd_backend_compare(const void *a, const void *b);
/* Those of the node: ready ones, else the serving that terminate. Sorted; *n of them. */
struct nd_backend *nd_expected_local(struct nd_arena *arena, const struct nd_expected_port *port,
				     const char *node, size_t *n);

/* ---- programmed_senders.c: who may send to a load balancer address ---- */
struct nd_sender {
	struct nd_ip lo, hi; /* both in it */
};
struct nd_senders {
	struct nd_sender *items; /* nitems */
	size_t nitems;
	bool is_unknown; /* they are told in a way that is not understood */
};
void nd_senders_add(struct nd_arena *arena, struct nd_senders *senders, struct nd_ip lo,
		    struct nd_ip hi);
void nd_senders_add_prefix(struct nd_arena *arena, struct nd_senders *senders,
			   struct nd_prefix prefix);
/* The same addresses? Both are sorted by it. */
bool nd_senders_are_same(struct nd_senders *a, struct nd_senders *b);

/* ---- what rules say: an entry for each address, port and protocol ---- */
struct nd_entry {
	const char *chain;	    /* or NULL; behind a firewall chain: the one that it leads to */
	struct nd_senders *senders; /* that a firewall chain lets in; NULL: there is none */
	bool is_guarded;	    /* what it does not let in is dropped */
	bool is_rejected;
	bool is_service; /* made for an address of a service: nobody else has such chains */
	bool is_used;
	enum nd_programmed_kind kind; /* CLUSTER_IP: any address; or NODE_PORT */
	struct nd_ip vip;
	uint16_t number;
	uint8_t proto; /* number of the protocol */
};
struct nd_backends_list {
	struct nd_backend *items; /* nitems */
	size_t nitems;
};
struct nd_entries {
	struct nd_arena *arena;
	struct nd_index index;
	struct nd_entry *items; /* nitems */
	size_t nitems;
	size_t nsteps;		       /* rules that may still be looked at */
	const struct nd_ipt *ipt;      /* iptables */
	const struct nd_rtable *table; /* nftables; NULL: there is none */
	struct nd_index chains;	       /* of table, by name */
};
#define ND_ENTRIES_MAX_STEPS 20000000 /* 150,000 rules are a large cluster's */
#define ND_ENTRIES_MAX_DEPTH 6	      /* EXT, SVC, SEP, and some more */

/* Takes n steps; false: there are none left, and what the rules say is not known. */
bool nd_entries_may_look(struct nd_entries *entries, size_t n);
/* The entry of the key in *like; added when there is none. */
struct nd_entry *nd_entries_get(struct nd_entries *entries, const struct nd_entry *like);
struct nd_entry *nd_entries_find(const struct nd_entries *entries, const struct nd_entry *like);
uint8_t nd_entries_proto(const char *name); /* "tcp", "TCP", "6"; 0: none that a service has */
void nd_entries_add_backend(struct nd_entries *entries, struct nd_backends_list *list,
			    struct nd_ip ip, uint16_t port);

/* programmed_ipt.c, programmed_nft.c: false: the rules are not known. */
bool nd_entries_of_ipt(struct nd_entries *entries, const struct nd_ipt *ipt, uint8_t family);
bool nd_entries_of_nft(struct nd_entries *entries, const struct nd_host *host, uint8_t family);
/* All that the chain leads to. */
void nd_entries_follow_ipt(struct nd_entries *entries, const char *chain,
			   struct nd_backends_list *list);
void nd_entries_follow_nft(struct nd_entries *entries, const char *chain,
			   struct nd_backends_list *list);

#endif
