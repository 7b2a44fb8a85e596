/* model.h: a hostile item through the model's sink, then every question asked of what came out. */
#ifndef ND_TESTS_FUZZ_MODEL_H
#define ND_TESTS_FUZZ_MODEL_H

#include "plugin/model/build.h"
#include "plugin/model/look.h"
#include "plugin/model/netpol.h"

static inline void ask_ipt(const struct nd_ipt *ipt)
{
	for (size_t i = 0; i < ipt->ntables; i++) {
		const struct nd_ipt_table *table = &ipt->tables[i];

		for (size_t j = 0; j < table->nchains; j++) {
			const struct nd_ipt_chain *chain = &table->chains[j];

			if (nd_look_ipt_chain(ipt, table->name, chain->name) != chain)
				abort();
			for (size_t k = 0; k < chain->nrules; k++)
				if (chain->rules[k].number != k + 1 || !chain->rules[k].text ||
				    chain->rules[k].dport_min > chain->rules[k].dport_max)
					abort();
		}
	}
}

static inline void ask_host(const struct nd_cluster *cluster, const struct nd_host *host)
{
	struct nd_ip ip;

	if (nd_look_host(cluster, host->node) != host)
		abort();
	for (size_t i = 0; i < ND_IPT_BACKENDS; i++) {
		ask_ipt(&host->ipt[i]);
		ask_ipt(&host->ipt6[i]);
	}
	for (size_t i = 0; i < host->nsysctls; i++)
		if (!nd_look_sysctl(host, host->sysctls[i].key))
			abort();
	for (size_t i = 0; i < host->nnft; i++)
		for (size_t j = 0; j < host->nft[i].nchains; j++)
			if (!nd_look_nft_chain(&host->nft[i], host->nft[i].chains[j].name))
				abort();
	if (nd_ip_parse("10.244.1.1", &ip))
		nd_look_route(host, ip);
}

/* Every policy is asked from every side: by an invented pod of its namespace, with its labels. */
static inline void ask_policies(const struct nd_cluster *cluster)
{
	for (size_t i = 0; i < cluster->npolicies && i < 8; i++) {
		const struct nd_policy *policy = &cluster->policies[i];
		struct nd_pod pods[2] = {{.meta = {.ns = policy->meta.ns, .name = "a"}},
					 {.meta = {.ns = policy->meta.ns, .name = "b"}}};
		struct nd_pod_ip ips[2] = {{.pod = &pods[0]}, {.pod = &pods[1]}};
		struct nd_cluster with = *cluster;
		struct nd_arena arena = {0};
		struct nd_netpol_flow flow = {.proto = 6, .dport = 8080};
		struct nd_netpol_answer words, silent;

		pods[0].meta.labels = policy->selector.labels;
		nd_ip_parse("10.244.1.5", &ips[0].ip);
		nd_ip_parse("10.244.1.6", &ips[1].ip);
		with.pods = pods;
		with.npods = 2;
		with.pod_ips = ips;
		with.npod_ips = 2;
		with.have_resources = UINT32_MAX;
		flow.src = ips[1].ip;
		flow.dst = ips[0].ip;
		nd_netpol_check(&arena, &with, &flow, &words);
		nd_netpol_check(NULL, &with, &flow, &silent);
		if (words.is_allowed != silent.is_allowed || !words.why ||
		    (words.is_allowed && words.is_unknown))
			abort();
		flow.src = ips[0].ip;
		flow.dst.bytes[0] = 192;
		nd_netpol_check(&arena, &with, &flow, &words);
		nd_netpol_isolates(&with, &pods[0], true);
		nd_arena_free(&arena);
	}
}

static inline void ask_api(const struct nd_cluster *cluster)
{
	for (size_t i = 0; i < cluster->npods; i++) {
		const struct nd_pod *pod = &cluster->pods[i];

		if (!nd_look_pod(cluster, pod->meta.ns, pod->meta.name))
			abort();
		if (!pod->is_host_network && pod->ip.family && !nd_look_pod_by_ip(cluster, pod->ip))
			abort();
	}
	for (size_t i = 0; i < cluster->nservices; i++) {
		size_t ntotal;

		if (nd_look_ready_endpoints(cluster, &cluster->services[i], &ntotal) > ntotal)
			abort();
	}
	ask_policies(cluster);
	nd_look_cni(cluster);
	nd_look_proxy_mode(cluster);
	nd_look_prefix_touches_cluster(cluster, nd_look_cluster_cidr(cluster));
}

static inline void push_and_ask(enum nd_item_kind kind, const char *name, const uint8_t *data,
				size_t size)
{
	struct nd_model *model = nd_model_new();
	struct nd_sink sink = nd_model_sink(model);
	struct nd_err err = {0};
	struct nd_item item = {.kind = kind,
			       .node = kind == ND_ITEM_SECTION ? "w1" : NULL,
			       .name = name,
			       .bytes = (const char *)data,
			       .len = size};

	if (nd_sink_item(&sink, &item, &err) < 0)
		abort();
	const struct nd_cluster *cluster = nd_model_finish(model);

	ask_api(cluster);
	for (size_t i = 0; i < cluster->nhosts; i++)
		ask_host(cluster, &cluster->hosts[i]);
	nd_model_free(model);
}

#endif
