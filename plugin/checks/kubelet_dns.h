/*
 * kubelet_dns.h: which DNS addresses a node's kubelet gives to pods.
 */
#ifndef ND_PLUGIN_CHECKS_KUBELET_DNS_H
#define ND_PLUGIN_CHECKS_KUBELET_DNS_H

#include "plugin/checks/check.h"

struct nd_kubelet_dns {
	struct nd_ip ips[4];
	size_t n;
	bool is_known; /* the configuration was read and has the list, maybe empty */
};

void nd_kubelet_dns_read(const struct nd_host *host, struct nd_kubelet_dns *out);
/* A service of the cluster, or NodeLocal DNSCache's link-local address? */
bool nd_kubelet_dns_is_served(const struct nd_cluster *cluster, struct nd_ip ip);

#endif
