/*
 * netjson.h: what netlink says, written as ip -j and bridge -j would. Each function asks one
 * socket, so the same code serves the node's namespace and every pod's. raw is scratch; names
 * are of the same namespace. Nothing is written when -1 is returned.
 */
#ifndef ND_AGENT_COLLECT_NETJSON_H
#define ND_AGENT_COLLECT_NETJSON_H

#include "common/base.h"

#include "agent/agent.h"
#include "common/addr.h"
#include "common/jsonw.h"

/* Whom to ask, and where to write. */
struct nd_netjson {
	struct nd_nl *nl;
	struct nd_buf *raw;
	struct nd_ifnames *names;
	struct nd_jsonw *w;
	int ioctl_fd; /* -1: do not ask for offload features */
};

/* Also loads names. */
int nd_links_write(const struct nd_netjson *j, const char *key, struct nd_err *err) ND_MUST_USE;
int nd_addrs_write(const struct nd_netjson *j, const char *key, struct nd_err *err) ND_MUST_USE;
int nd_routes_write(const struct nd_netjson *j, const char *key, struct nd_err *err) ND_MUST_USE;
int nd_rules_write(const struct nd_netjson *j, const char *key, struct nd_err *err) ND_MUST_USE;
int nd_neigh_write(const struct nd_netjson *j, const char *key, struct nd_err *err) ND_MUST_USE;
int nd_fdb_write(const struct nd_netjson *j, const char *key, struct nd_err *err) ND_MUST_USE;

/* Run one of them for the node's namespace, with names loaded: the body of a collector. */
int nd_netjson_run(struct nd_agent *agent, struct nd_buf *out,
		   int (*write)(const struct nd_netjson *j, const char *key, struct nd_err *err),
		   struct nd_err *err) ND_MUST_USE;

/* "dev": name, or the number as text for an interface that is not in names. */
void nd_netjson_dev(const struct nd_netjson *j, const char *key, uint32_t index);
/* An address of this family (AF_INET, AF_INET6); nothing when missing or too short. */
void nd_netjson_ip(struct nd_jsonw *w, const char *key, int family, struct nd_attr attr);
bool nd_netjson_ip_get(struct nd_ip *ip, int family, struct nd_attr attr);
/* A hardware address as aa:bb:cc:dd:ee:ff. */
void nd_netjson_mac(struct nd_jsonw *w, const char *key, struct nd_attr attr);
/* The name of a number, or the number as text. */
struct nd_numname {
	uint32_t number;
	const char *name;
};
void nd_netjson_num(struct nd_jsonw *w, const char *key, uint32_t number,
		    const struct nd_numname *rows, size_t nrows);
/* An array of the names of the bits that are set; nothing when none is. */
void nd_netjson_bits(struct nd_jsonw *w, const char *key, uint32_t bits,
		     const struct nd_numname *rows, size_t nrows);
/* The name of a routing table, and of a scope. */
void nd_netjson_table(struct nd_jsonw *w, const char *key, uint32_t table);
void nd_netjson_scope(struct nd_jsonw *w, const char *key, uint32_t scope);
const char *nd_netjson_family(int family); /* "inet", "inet6", NULL */

#endif
