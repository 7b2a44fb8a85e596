/*
 * f_stage.c: hostile sections "watch" and "probe-2" of two nodes, and what is told of each probe.
 * The parts are divided by a byte 0: w1's packets, w2's packets, w1's results.
 */
#include "common/base.h"
#include "plugin/model/build.h"
#include "plugin/model/look.h"
#include "plugin/probe/stage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void push(struct nd_model *model, enum nd_item_kind kind, const char *node, const char *name,
		 const void *p, size_t n)
{
	struct nd_sink sink = nd_model_sink(model);
	struct nd_err err = {0};
	struct nd_item item = {.kind = kind, .node = node, .name = name, .bytes = p, .len = n};

	if (nd_sink_item(&sink, &item, &err) < 0)
		abort();
}

static void push_cluster(struct nd_model *model)
{
	static const char nodes[] =
		"{\"items\":[{\"metadata\":{\"name\":\"w1\"},\"status\":{\"addresses\":[{\"type\":"
		"\"InternalIP\",\"address\":\"172.18.0.1\"}]}},{\"metadata\":{\"name\":\"w2\"},"
		"\"status\":{\"addresses\":[{\"type\":\"InternalIP\",\"address\":\"172.18.0.2\"}]}"
		"}]}";
	static const char pods[] =
		"{\"items\":[{\"metadata\":{\"namespace\":\"app\",\"name\":\"a\",\"uid\":\"a\"},"
		"\"spec\":{\"nodeName\":\"w1\"},\"status\":{\"podIPs\":[{\"ip\":\"10.244.1.5\"}]}},"
		"{\"metadata\":{\"namespace\":\"app\",\"name\":\"b\",\"uid\":\"b\"},\"spec\":{"
		"\"nodeName\":\"w2\"},\"status\":{\"podIPs\":[{\"ip\":\"10.244.2.7\"}]}}]}";
	static const char links[] =
		"[{\"ifindex\":3,\"ifname\":\"cni0\",\"linkinfo\":{\"info_kind\":\"bridge\"}},"
		"{\"ifindex\":4,\"ifname\":\"flannel.1\",\"linkinfo\":{\"info_kind\":\"vxlan\","
		"\"info_data\":{\"id\":1,\"port\":8472}}}]";

	push(model, ND_ITEM_API, NULL, "nodes", nodes, sizeof(nodes) - 1);
	push(model, ND_ITEM_API, NULL, "pods", pods, sizeof(pods) - 1);
	push(model, ND_ITEM_SECTION, "w1", "links", links, sizeof(links) - 1);
}

static void tell(const struct nd_cluster *cluster, const struct nd_host *host)
{
	struct nd_arena arena = {0};
	struct nd_stage stage;

	for (size_t i = 0; i < host->nprobes && i < 64; i++) {
		if (!nd_stage_of(&arena, cluster, host, &host->probes[i], &stage))
			continue;
		if (!nd_stage_text(&arena, &stage)[0])
			abort();
		if (stage.end == ND_STAGE_BETWEEN && (!stage.lost_node || !stage.lost_next))
			abort();
	}
	nd_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct {
		const char *node, *section;
	} parts[] = {{"w1", "watch-2"}, {"w2", "watch-2"}, {"w1", "probe-2"}};
	struct nd_model *model = nd_model_new();

	push_cluster(model);
	for (size_t i = 0; i < ND_ARRAY_LEN(parts); i++) {
		const uint8_t *end = size ? memchr(data, 0, size) : NULL;
		size_t n = end ? (size_t)(end - data) : size;

		push(model, ND_ITEM_SECTION, parts[i].node, parts[i].section, data, n);
		data += n + (end != NULL);
		size -= n + (end != NULL);
	}
	const struct nd_cluster *cluster = nd_model_finish(model);
	for (size_t i = 0; i < cluster->nhosts; i++)
		tell(cluster, &cluster->hosts[i]);
	nd_model_free(model);
	return 0;
}
