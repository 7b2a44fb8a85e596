/*
 * way_bench: walks through a recorded cluster, as it is and with the rules of SERVICES (10,000) more
 * services on every node: pod to ClusterIP, pod to pod on another node, node to pod. What one costs
 * in time and memory, and by how much more services make it dearer.
 *
 *	way_bench BUNDLE [SERVICES [WALKS]]
 */
#include "common/base.h"

#include "plugin/evidence/bundle.h"
#include "plugin/model/build.h"
#include "plugin/model/look.h"
#include "plugin/walk/walk.h"
#include "tests/bench/rules.h"

#include <malloc.h>
#include <sys/resource.h>
#include <time.h>

/* The best of so many: other work on the machine only ever adds. */
#define ROUNDS 5

struct many_sink {
	struct nd_sink model;
	uint32_t services;
};

/* Of this process: other work on the machine is not ours. */
static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static const char *find(const char *from, const char *end, const char *what)
{
	const char *hit = memmem(from, (size_t)(end - from), what, strlen(what));

	return hit ? hit : end;
}

static const char *copy_to(struct nd_buf *out, const char *from, const char *to)
{
	nd_buf_add(out, from, (size_t)(to - from));
	return to;
}

/* Into the first nat table, where kube-proxy puts them: its rule for node ports stays the last. */
static void add_services(struct nd_buf *out, const char *p, const char *end, uint32_t n)
{
	const char *at = find(p, end, "\n*nat\n"), *line;

	at = find(at, end, ":KUBE-SERVICES");
	p = copy_to(out, p, at);
	if (p < end)
		save_chains(out, n);
	at = find(p, end, "-A KUBE-SERVICES");
	for (line = at; line > p && line[-1] != '\n'; line--)
		;
	p = copy_to(out, p, line);
	if (p < end)
		save_cluster_ips(out, n);
	at = find(p, end, "COMMIT\n");
	p = copy_to(out, p, at);
	if (p < end)
		save_services(out, n);
	copy_to(out, p, end);
}

static int many_item(void *ctx, const struct nd_item *item, struct nd_err *err)
{
	const struct many_sink *sink = ctx;
	struct nd_item copy = *item;
	struct nd_buf out = {0};
	int got;

	if (!sink->services || item->kind != ND_ITEM_SECTION || !nd_eq(item->name, "iptables"))
		return nd_sink_item(&sink->model, item, err);
	add_services(&out, item->bytes, item->bytes + item->len, sink->services);
	copy.bytes = out.data;
	copy.len = out.len;
	got = nd_sink_item(&sink->model, &copy, err);
	nd_buf_free(&out);
	return got;
}

static int many_gap(void *ctx, const struct nd_gap *gap, struct nd_err *err)
{
	const struct many_sink *sink = ctx;

	return sink->model.gap(sink->model.ctx, gap, err);
}

static void die(const char *what)
{
	fprintf(stderr, "way_bench: %s\n", what);
	exit(1);
}

/* ---- what is walked ---- */

struct flow {
	const char *name;
	struct nd_walk_ask ask;
};

/* A pod with a TCP socket for all, on this node or, is_other, on another one. */
static const struct nd_pod *find_pod(const struct nd_cluster *cluster, const char *node, bool is_other, uint16_t *port)
{
	for (size_t i = 0; i < cluster->npods; i++) {
		const struct nd_pod *pod = &cluster->pods[i];
		const struct nd_podns *ns = nd_look_podns(nd_look_host(cluster, pod->node), pod->meta.uid);

		if (pod->is_host_network || !pod->is_ready || !ns || nd_eq(pod->meta.ns, "locked") ||
		    nd_eq(pod->node, node) == is_other)
			continue;
		for (size_t k = 0; k < ns->nsockets; k++)
			if (!ns->sockets[k].is_udp && ns->sockets[k].ip.bytes[0] != 127) {
				*port = ns->sockets[k].port;
				return pod;
			}
	}
	return NULL;
}

static const struct nd_service *find_service(const struct nd_cluster *cluster, size_t nready)
{
	for (size_t i = 0; i < cluster->nservices; i++) {
		const struct nd_service *s = &cluster->services[i];
		size_t total;

		if (s->cluster_ip.family && s->nports == 1 && nd_eq(s->ports[0].protocol, "TCP") &&
		    !nd_eq(s->meta.ns, "locked") && nd_look_ready_endpoints(cluster, s, &total) == nready)
			return s;
	}
	return NULL;
}

static size_t find_flows(const struct nd_cluster *cluster, struct flow out[8])
{
	uint16_t port, other_port;
	size_t n = 0;
	const struct nd_host *host = NULL;
	const struct nd_pod *from = NULL, *to;

	for (size_t i = 0; i < cluster->nhosts && !from; i++) {
		host = &cluster->hosts[i];
		from = find_pod(cluster, host->node, false, &port);
	}
	if (!from || !(to = find_pod(cluster, host->node, true, &other_port)))
		die("no two pods on two nodes");
	struct nd_walk_ask pod = {.host = host,
				  .netns_inode = nd_look_podns(host, from->meta.uid)->inode,
				  .dst = to->ip,
				  .dport = other_port,
				  .proto = ND_PROTO_TCP,
				  .is_terse = true}; /* as diagnose walks */
	out[n++] = (struct flow){"pod to pod on another node", pod};
	struct nd_walk_ask node = pod;
	node.netns_inode = 0;
	out[n++] = (struct flow){"node to pod on another node", node};
	for (size_t nready = 1; nready <= 3; nready++) {
		static const char *const names[] = {"pod to ClusterIP of 1", "pod to ClusterIP of 2",
						    "pod to ClusterIP of 3"};
		const struct nd_service *s = find_service(cluster, nready);

		if (!s)
			continue;
		pod.dst = s->cluster_ip;
		pod.dport = s->ports[0].port;
		out[n++] = (struct flow){names[nready - 1], pod};
	}
	pod = out[0].ask;
	pod.has_turns = true;
	out[n++] = (struct flow){"pod to pod on another node, with ACK and data", pod};
	pod = out[0].ask;
	pod.is_terse = false;
	out[n++] = (struct flow){"pod to pod on another node, with words as trace prints them", pod};
	return n;
}

/* ---- the measure ---- */

static bool is_answered(const struct nd_walk *walk)
{
	for (size_t i = 0; i < walk->npaths; i++)
		if (nd_walk_path_verdict(&walk->paths[i]) != ND_WALK_DELIVERED)
			return false;
	return walk->npaths > 0;
}

struct cost {
	double each_s;
	size_t bytes, npaths;
};

static struct cost measure(struct nd_world *world, const struct flow *flow, uint32_t n)
{
	struct nd_arena arena = {0};
	struct nd_walk_ask ask = flow->ask;
	struct nd_walk walk;
	struct cost cost = {.each_s = 1e9};

	ask.arena = &arena;
	nd_walk_run(world, &ask, &walk); /* compiles */
	if (!is_answered(&walk))
		die(flow->name);
	cost.npaths = walk.npaths;
	cost.bytes = arena.used_bytes;
	for (int round = 0; round < ROUNDS; round++) {
		double start = now_s(), each;

		for (uint32_t i = 0; i < n; i++) {
			nd_arena_reset(&arena);
			ask.sport = (uint16_t)(32768 + i % 28000);
			nd_walk_run(world, &ask, &walk);
		}
		each = (now_s() - start) / n;
		if (each < cost.each_s)
			cost.each_s = each;
	}
	nd_arena_free(&arena);
	return cost;
}

static size_t bench(const char *path, uint32_t services, uint32_t n, double out[8])
{
	struct nd_err err = {0};
	struct nd_model *model = nd_model_new();
	struct many_sink many = {.model = nd_model_sink(model), .services = services};
	struct nd_sink sink = {.ctx = &many, .item = many_item, .gap = many_gap};
	struct nd_arena arena = {0};
	struct flow flows[8];

	if (nd_bundle_read(path, &sink, &err) < 0)
		die(err.text);
	const struct nd_cluster *cluster = nd_model_finish(model);
	struct nd_world *world = nd_world_new(&arena, cluster);
	size_t nflows = find_flows(cluster, flows);

	for (size_t i = 0; i < nflows; i++) {
		struct cost cost = measure(world, &flows[i], n);

		out[i] = cost.each_s;
		printf("%u more services, %s: %.2f us, %.0f walks/s, %zu bytes; %zu ways there and back, %.0f ways/s\n",
		       services, flows[i].name, cost.each_s * 1e6, 1 / cost.each_s, cost.bytes, cost.npaths,
		       2.0 * (double)cost.npaths / cost.each_s);
	}
	nd_arena_free(&arena);
	nd_model_free(model);
	return nflows;
}

int main(int argc, char **argv)
{
	uint32_t services = 10000, n = 20000;
	double few[8], many[8], sum_few = 0, sum_many = 0;
	size_t nflows;

	if (argc < 2)
		return 2;
	if (argc > 2)
		services = (uint32_t)strtoul(argv[2], NULL, 10);
	if (argc > 3)
		n = (uint32_t)strtoul(argv[3], NULL, 10);
	if (services > 100000 || n == 0)
		return 2;
	/* Else the time is that of the kernel which gives and takes the pages of freed arenas. */
	mallopt(M_TRIM_THRESHOLD, 256 << 20);
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
	nflows = bench(argv[1], 0, n, few);
	bench(argv[1], services, n, many);
	for (size_t i = 0; i < nflows; i++) {
		sum_few += few[i];
		sum_many += many[i];
	}
	printf("a walk with %u services more costs %.2f times\n", services, sum_many / sum_few);
	return 0;
}
