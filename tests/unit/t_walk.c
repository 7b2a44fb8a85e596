/*
 * The way of packets through real clusters, recorded in tests/cases: on healthy ones everything
 * arrives and is answered, on broken ones it ends where the fault is.
 */
#include "common/base.h"
#include "plugin/evidence/bundle.h"
#include "plugin/walk/walk.h"
#include "tests/unit/model.h"

struct world {
	struct nd_model *model;
	const struct nd_cluster *cluster;
	struct nd_arena arena;
	struct nd_world *walk;
	size_t n, nbad, nunknown;
	bool is_loud;
};

static void world_read(struct world *w, const char *name)
{
	char path[200];
	struct nd_err err = {0};

	*w = (struct world){.model = nd_model_new()};
	snprintf(path, sizeof(path), "tests/cases/%s/bundle.tar.gz", name);
	struct nd_sink sink = nd_model_sink(w->model);
	if (nd_bundle_read(path, &sink, &err) < 0)
		fail_msg("%s: %s", path, err.text);
	w->cluster = nd_model_finish(w->model);
	w->walk = nd_world_new(&w->arena, w->cluster);
}

static void world_free(struct world *w)
{
	nd_arena_free(&w->arena);
	nd_model_free(w->model);
}

static void show(const struct nd_walk_path *path, const char *from)
{
	const struct nd_pkt *pkt = path->nways ? &path->ways[0].packet : NULL;
	char dst[ND_IP_TEXT];

	printf("  %s -> %s:%u %u: %s: %s%s%s\n", from, pkt ? nd_ip_text(pkt->t.dst, dst) : "",
	       pkt ? pkt->t.dport : 0, pkt ? pkt->proto : 0, nd_walk_verdict_name(path->verdict),
	       path->reason ? path->reason : "", path->nback ? "; answer: " : "",
	       path->nback && path->back_reason ? path->back_reason : "");
	if (!getenv("ND_WALK_LOUD"))
		return;
	for (size_t i = 0; i < path->nways + path->nback; i++) {
		const struct nd_way *way =
			i < path->nways ? &path->ways[i] : &path->back[i - path->nways];
		char src[ND_IP_TEXT];
		printf("    %-40s %s  [%s:%u > %s:%u]\n", way->where ? way->where : "", way->text,
		       nd_ip_text(way->packet.t.src, src), way->packet.t.sport,
		       nd_ip_text(way->packet.t.dst, dst), way->packet.t.dport);
	}
}

/* All alternatives arrive and are answered; else it says what became of the first that is not. */
static void expect_arrives(struct world *w, const struct nd_walk_ask *ask, const char *from)
{
	struct nd_walk walk;
	double share = 0;

	nd_walk_run(w->walk, ask, &walk);
	assert_true(walk.npaths > 0);
	w->n++;
	bool is_bad = false, is_unknown = false;
	for (size_t i = 0; i < walk.npaths; i++) {
		const struct nd_walk_path *path = &walk.paths[i];

		share += path->share;
		if (path->verdict == ND_WALK_DELIVERED && path->back_verdict == ND_WALK_DELIVERED)
			continue;
		if (!is_bad && !is_unknown)
			show(path, from);
		if (path->verdict == ND_WALK_UNKNOWN || path->back_verdict == ND_WALK_UNKNOWN)
			is_unknown = true;
		else
			is_bad = true;
	}
	w->nbad += is_bad;
	w->nunknown += is_unknown && !is_bad;
	if (!walk.is_cut)
		assert_true(share > 0.999 && share < 1.001);
}

struct source {
	const struct nd_host *host;
	uint64_t inode;
	const char *name;
};

static void ask_pods(struct world *w, const struct source *from)
{
	for (size_t i = 0; i < w->cluster->npods; i++) {
		const struct nd_pod *pod = &w->cluster->pods[i];
		const struct nd_host *host = nd_look_host(w->cluster, pod->node);
		const struct nd_podns *ns = nd_look_podns(host, pod->meta.uid);

		if (pod->is_host_network || !pod->is_ready || !ns || nd_eq(pod->meta.ns, "locked"))
			continue;
		struct nd_walk_ask ask = {.host = from->host,
					  .netns_inode = from->inode,
					  .dst = pod->ip,
					  .proto = ND_PROTO_ICMP};
		expect_arrives(w, &ask, from->name);
		for (size_t k = 0; k < ns->nsockets; k++) {
			if (ns->sockets[k].ip.bytes[0] == 127)
				continue;
			ask.proto = ns->sockets[k].is_udp ? ND_PROTO_UDP : ND_PROTO_TCP;
			ask.dport = ns->sockets[k].port;
			expect_arrives(w, &ask, from->name);
		}
	}
}

static void ask_services(struct world *w, const struct source *from)
{
	for (size_t i = 0; i < w->cluster->nservices; i++) {
		const struct nd_service *s = &w->cluster->services[i];
		size_t total, ready = nd_look_ready_endpoints(w->cluster, s, &total);

		if (!s->cluster_ip.family || !ready || nd_eq(s->meta.ns, "locked"))
			continue;
		for (size_t k = 0; k < s->nports; k++) {
			struct nd_walk_ask ask = {.host = from->host,
						  .netns_inode = from->inode,
						  .dst = s->cluster_ip,
						  .dport = s->ports[k].port,
						  .proto = nd_eq(s->ports[k].protocol, "UDP")
								   ? ND_PROTO_UDP
								   : ND_PROTO_TCP};
			expect_arrives(w, &ask, from->name);
			for (size_t n = 0; s->ports[k].node_port && n < w->cluster->nnodes; n++) {
				ask.dst = w->cluster->nodes[n].internal_ip;
				ask.dport = s->ports[k].node_port;
				expect_arrives(w, &ask, from->name);
			}
		}
	}
}

static void ask_nodes(struct world *w, const struct source *from)
{
	for (size_t n = 0; n < w->cluster->nnodes; n++) {
		struct nd_walk_ask ask = {.host = from->host,
					  .netns_inode = from->inode,
					  .dst = w->cluster->nodes[n].internal_ip,
					  .proto = ND_PROTO_TCP,
					  .dport = 10250};
		expect_arrives(w, &ask, from->name);
	}
}

static void ask_everything(struct world *w, const char *name)
{
	world_read(w, name);
	for (size_t i = 0; i < w->cluster->nhosts; i++) {
		const struct nd_host *host = &w->cluster->hosts[i];
		struct source from = {.host = host, .name = host->node};

		ask_pods(w, &from);
		ask_services(w, &from);
		ask_nodes(w, &from);
		for (size_t k = 0; k < host->npodns; k++) {
			const struct nd_pod *pod =
				nd_look_pod_by_netns(w->cluster, host, host->podns[k].inode);

			if (host->podns[k].is_host_network || host->podns[k].error || !pod)
				continue;
			from.inode = host->podns[k].inode;
			from.name = pod->meta.name;
			ask_pods(w, &from);
			ask_services(w, &from);
			ask_nodes(w, &from);
		}
	}
	printf("%s: %zu walks, %zu bad, %zu unknown, %zu KiB\n", name, w->n, w->nbad, w->nunknown,
	       w->arena.used_bytes >> 10);
}

static void healthy(void **state)
{
	static const char *const names[] = {"healthy-nd-kindnet", "healthy-nd-flannel",
					    "healthy-nd-nft"};

	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(names); i++) {
		struct world w;

		ask_everything(&w, names[i]);
		assert_true(w.n > 500);
		assert_int_equal(w.nbad, 0);
		assert_int_equal(w.nunknown, 0);
		world_free(&w);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(healthy),
	};
	if (argc > 1) {
		struct world w;
		ask_everything(&w, argv[1]);
		world_free(&w);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
