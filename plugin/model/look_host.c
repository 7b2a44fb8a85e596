#include "common/base.h"

#include "plugin/model/iptables_rule.h"
#include "plugin/model/look.h"

const struct nd_host *nd_look_host(const struct nd_cluster *cluster, const char *node)
{
	size_t low = 0, high = cluster->nhosts;

	while (node && low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(cluster->hosts[middle].node, node);

		if (order == 0)
			return &cluster->hosts[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const char *nd_look_sysctl(const struct nd_host *host, const char *key)
{
	size_t low = 0, high = host ? host->nsysctls : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(host->sysctls[middle].key, key);

		if (order == 0)
			return host->sysctls[middle].value;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct nd_link *nd_look_link(const struct nd_host *host, const char *name)
{
	for (size_t i = 0; host && i < host->nlinks; i++)
		if (nd_eq(host->links[i].name, name))
			return &host->links[i];
	return NULL;
}

const char *nd_look_file(const struct nd_host *host, const char *path)
{
	for (size_t i = 0; host && i < host->nfiles; i++)
		if (nd_eq(host->files[i].path, path))
			return host->files[i].content;
	return NULL;
}

const struct nd_unit *nd_look_unit(const struct nd_host *host, const char *name)
{
	for (size_t i = 0; host && i < host->nunits; i++)
		if (nd_eq(host->units[i].name, name))
			return &host->units[i];
	return NULL;
}

const struct nd_podns *nd_look_podns(const struct nd_host *host, const char *pod_uid)
{
	for (size_t i = 0; host && i < host->npodns; i++)
		for (size_t j = 0; j < host->podns[i].nuids; j++)
			if (nd_eq(host->podns[i].uids[j], pod_uid))
				return &host->podns[i];
	return NULL;
}

const struct nd_pod *nd_look_pod_by_netns(const struct nd_cluster *cluster,
					  const struct nd_host *host, uint64_t inode)
{
	const struct nd_podns *ns = NULL;

	for (size_t i = 0; host && i < host->npodns && !ns; i++)
		if (host->podns[i].inode == inode)
			ns = &host->podns[i];
	for (size_t i = 0; ns && i < ns->nuids; i++)
		for (size_t j = 0; j < cluster->npods; j++)
			if (nd_eq(cluster->pods[j].meta.uid, ns->uids[i]))
				return &cluster->pods[j];
	return NULL;
}

static bool is_better(const struct nd_route *a, const struct nd_route *b)
{
	if (a->dst.len != b->dst.len)
		return a->dst.len > b->dst.len;
	return a->metric < b->metric;
}

static const struct nd_route *best_route(const struct nd_host *host, const char *table,
					 struct nd_ip ip)
{
	const struct nd_route *best = NULL;

	for (size_t i = 0; i < host->nroutes; i++) {
		const struct nd_route *route = &host->routes[i];

		if (!nd_eq(route->table, table) || !nd_prefix_has(route->dst, ip))
			continue;
		/* A throw route ends the table's search without an answer. */
		if (!best || is_better(route, best))
			best = route;
	}
	return best && nd_eq(best->type, "throw") ? NULL : best;
}

const struct nd_route *nd_look_route(const struct nd_host *host, struct nd_ip ip)
{
	const struct nd_route *route;

	if (!host || !ip.family)
		return NULL;
	route = best_route(host, "main", ip);
	return route ? route : best_route(host, "default", ip);
}

const struct nd_ipt_table *nd_look_ipt_table(const struct nd_ipt *ipt, const char *table)
{
	for (size_t i = 0; ipt && i < ipt->ntables; i++)
		if (nd_eq(ipt->tables[i].name, table))
			return &ipt->tables[i];
	return NULL;
}

const struct nd_ipt_chain *nd_look_ipt_chain(const struct nd_ipt *ipt, const char *table,
					     const char *chain)
{
	return nd_ipt_table_chain(nd_look_ipt_table(ipt, table), chain);
}

const struct nd_nft_table *nd_look_nft_table(const struct nd_host *host, const char *family,
					     const char *name)
{
	for (size_t i = 0; host && i < host->nnft; i++)
		if (nd_eq(host->nft[i].family, family) && nd_eq(host->nft[i].name, name))
			return &host->nft[i];
	return NULL;
}

const struct nd_nft_chain *nd_look_nft_chain(const struct nd_nft_table *table, const char *chain)
{
	for (size_t i = 0; table && i < table->nchains; i++)
		if (nd_eq(table->chains[i].name, chain))
			return &table->chains[i];
	return NULL;
}

const struct nd_nft_set *nd_look_nft_set(const struct nd_nft_table *table, const char *name)
{
	for (size_t i = 0; table && i < table->nsets + table->nmaps; i++)
		if (nd_eq(table->sets[i].name, name))
			return &table->sets[i];
	return NULL;
}
