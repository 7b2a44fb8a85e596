/* ask.c: what the agents see, into the model; what their probes find. */
#include "common/base.h"

#include "common/wire.h"
#include "plugin/evidence/bundle.h"
#include "plugin/model/json.h"
#include "tests/ways/ways.h"

const char *save_path;

struct feeding {
	const struct nd_sink *sink;
	const char *node;
};

static int take_frame(void *ctx, const struct nd_wire_frame *frame, struct nd_err *err)
{
	struct feeding *f = ctx;
	struct nd_item item = {.kind = ND_ITEM_SECTION,
			       .node = f->node,
			       .name = frame->name,
			       .bytes = frame->bytes,
			       .len = frame->len};

	if (frame->is_gap) {
		fprintf(stderr, "ways: gap %s: %.*s\n", frame->name, (int)frame->len, frame->bytes);
		return 0;
	}
	return nd_sink_item(f->sink, &item, err);
}

static void feed_list(const struct nd_sink *sink, const char *name, struct nd_buf *text)
{
	struct nd_err err = {0};
	struct nd_item item = {
		.kind = ND_ITEM_API, .name = name, .bytes = text->data, .len = text->len};

	if (nd_sink_item(sink, &item, &err) < 0)
		fprintf(stderr, "ways: %s: %s\n", name, err.text);
}

static void list_begin(struct nd_buf *text, const char *kind)
{
	text->len = 0;
	nd_buf_printf(text,
		      "{\"kind\":\"%sList\",\"apiVersion\":\"v1\",\"metadata\":{"
		      "\"resourceVersion\":\"1\"},\"items\":[",
		      kind);
}

static void put_ips(struct lab *lab, struct nd_buf *text, const char *key, int at,
		    const char *(*get)(struct lab *lab, int at, bool is_six))
{
	nd_buf_printf(text, "\"%ss\":[", key);
	for (int six = 0; six < 2; six++)
		if (lab->has[six])
			nd_buf_printf(text, nd_eq(key, "podIP") ? "%s{\"ip\":\"%s\"}" : "%s\"%s\"",
				      six && lab->has[0] ? "," : "", get(lab, at, six));
	nd_buf_printf(text, "],\"%s\":\"%s\"", key, get(lab, at, !lab->has[0]));
}

/* The objects that an API server would have. */
static void feed_api(struct lab *lab, const struct nd_sink *sink)
{
	nd_auto_buf struct nd_buf text = {0};

	list_begin(&text, "Node");
	for (int n = 0; n < lab->nnodes; n++) {
		nd_buf_printf(&text,
			      "%s{\"metadata\":{\"name\":\"n%d\",\"uid\":\"n%d\"},\"spec\":{",
			      n ? "," : "", n + 1, n + 1);
		put_ips(lab, &text, "podCIDR", n, cidr_text);
		nd_buf_puts(&text, "},\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":"
				   "\"True\"}],\"addresses\":[");
		for (int six = 0; six < 2; six++)
			if (lab->has[six])
				nd_buf_printf(
					&text, "%s{\"type\":\"InternalIP\",\"address\":\"%s\"}",
					six && lab->has[0] ? "," : "", node_text(lab, n, six, 0));
		nd_buf_puts(&text, "]}}");
	}
	nd_buf_puts(&text, "]}");
	feed_list(sink, "nodes", &text);
	list_begin(&text, "Pod");
	for (int p = 0; p < lab->npods; p++) {
		nd_buf_printf(&text,
			      "%s{\"metadata\":{\"name\":\"p%d\",\"namespace\":\"lab\",\"uid\":"
			      "\"00000000-0000-4000-8000-%012d\"},"
			      "\"spec\":{\"nodeName\":\"n%d\"},\"status\":{\"phase\":\"Running\",",
			      p ? "," : "", p, p, lab->pods[p].node + 1);
		put_ips(lab, &text, "podIP", p, pod_text);
		nd_buf_puts(&text, "}}");
	}
	nd_buf_puts(&text, "]}");
	feed_list(sink, "pods", &text);
	list_begin(&text, "Service");
	for (int s = 0; s < lab->nservices; s++) {
		nd_buf_printf(&text,
			      "%s{\"metadata\":{\"name\":\"s%d\",\"namespace\":\"lab\",\"uid\":\"s%"
			      "d\"},\"spec\":{\"type\":"
			      "\"ClusterIP\",\"ports\":[{\"port\":%d,\"targetPort\":%d,"
			      "\"protocol\":\"%s\"}],",
			      s ? "," : "", s, s, SERVICE_PORT, OPEN_PORT,
			      lab->services[s].is_udp ? "UDP" : "TCP");
		put_ips(lab, &text, "clusterIP", s, service_text);
		nd_buf_puts(&text, "}}");
	}
	nd_buf_puts(&text, "]}");
	feed_list(sink, "services", &text);
}

static const char collect_all[] =
	"netdoctor 1\ncollect host\ncollect links\ncollect addrs\ncollect routes\ncollect rules\n"
	"collect neigh\ncollect fdb\ncollect sysctls\ncollect iptables\ncollect nft\n"
	"collect conntrack\ncollect sockets\ncollect pods\ngo\n";

static bool feed(struct lab *lab, const struct nd_sink *sink)
{
	struct job jobs[MAX_NODES];
	bool ok = true;

	feed_api(lab, sink);
	for (int n = 0; n < lab->nnodes; n++)
		ok &= agent_start(lab, n, collect_all, &jobs[n]);
	for (int n = 0; n < lab->nnodes && ok; n++) {
		nd_auto_buf struct nd_buf reply = {0};
		struct feeding f = {sink, lab->spaces[lab->nodes[n].space].name};
		struct nd_err err = {0};

		ok = agent_end(&jobs[n], &reply) &&
		     nd_wire_parse(reply.data, reply.len, take_frame, &f, &err) == 0;
		if (!ok)
			fprintf(stderr, "ways: the agent of node %d: %s\n", n + 1, err.text);
	}
	return ok;
}

/* The first one also goes into a bundle, when asked for. */
struct nd_model *lab_model(struct lab *lab)
{
	struct nd_model *model = nd_model_new();
	struct nd_sink decoder = nd_model_sink(model), saver, both;
	struct nd_sink_pair pair = {&decoder, &saver};
	struct nd_err err = {0};
	struct nd_bundle *bundle = save_path ? nd_bundle_create(save_path, &err) : NULL;
	bool ok;

	if (bundle) {
		saver = nd_bundle_sink(bundle);
		both = nd_sink_tee(&pair);
		save_path = NULL;
	}
	ok = feed(lab, bundle ? &both : &decoder);
	if (bundle && (!ok || nd_bundle_finish(bundle, &err) < 0))
		fprintf(stderr, "ways: %s\n", err.text);
	if (bundle)
		nd_bundle_free(bundle);
	if (ok)
		return model;
	nd_model_free(model);
	return NULL;
}

/* ---- probes ---- */

static int node_of(const struct lab *lab, int space)
{
	for (int p = 0; p < lab->npods; p++)
		if (lab->pods[p].space == space)
			return lab->pods[p].node;
	return space - lab->nodes[0].space;
}

static void write_request(const struct lab *lab, const struct pair *pairs, size_t n, int node,
			  int timeout_ms, struct nd_buf *out)
{
	static const char *const kinds[] = {"tcp", "udp", "icmp"};

	nd_buf_printf(out, "netdoctor 1\nprobe-timeout-ms %d\n", timeout_ms);
	for (size_t i = 0; i < n; i++) {
		const struct pair *p = &pairs[i];
		char ip[ND_IP_TEXT], source[32] = "node";

		if (node_of(lab, p->space) != node || p->judgement == JUDGE_LIMITED)
			continue;
		if (p->space != lab->nodes[node].space)
			snprintf(source, sizeof(source), "%llu",
				 (unsigned long long)lab->spaces[p->space].inode);
		nd_buf_printf(out, "probe %zu %s %s %s %u\n", i + 1, kinds[p->kind], source,
			      nd_ip_text(p->dst, ip), p->port);
	}
	nd_buf_puts(out, "go\n");
}

struct results {
	struct pair *pairs;
	size_t n;
};

static void take_result(struct results *r, const cJSON *one)
{
	size_t id = (size_t)nd_json_int(one, "id", 1, 65535, 0);
	struct pair *pair = id && id <= r->n ? &r->pairs[id - 1] : NULL;
	const char *outcome = nd_json_str(one, "outcome");

	if (!pair || !outcome || !nd_probe_outcome_find(nd_str(outcome), &pair->result.outcome))
		return;
	pair->has_result = true;
	pair->result.ip = pair->dst;
	pair->result.port = pair->port;
	pair->result.hop = nd_json_ip(one, "hop");
	pair->result.err_number = (int32_t)nd_json_int(one, "errno", 0, INT32_MAX, 0);
}

static int take_results(void *ctx, const struct nd_wire_frame *frame, struct nd_err *err)
{
	cJSON *list, *one;

	(void)err;
	if (frame->is_gap || !nd_eq(frame->name, "probe"))
		return 0;
	list = cJSON_ParseWithLength(frame->bytes, frame->len);
	cJSON_ArrayForEach(one, list) take_result(ctx, one);
	cJSON_Delete(list);
	return 0;
}

bool lab_probe(struct lab *lab, struct pair *pairs, size_t n, int timeout_ms)
{
	struct job jobs[MAX_NODES];
	struct results results = {pairs, n};
	bool is_asked[MAX_NODES] = {0}, ok = true;

	for (size_t i = 0; i < n; i++) {
		pairs[i].has_result = false;
		is_asked[node_of(lab, pairs[i].space)] = true;
	}
	for (int node = 0; node < lab->nnodes; node++) {
		nd_auto_buf struct nd_buf request = {0};

		if (!is_asked[node])
			continue;
		write_request(lab, pairs, n, node, timeout_ms, &request);
		ok &= agent_start(lab, node, request.data, &jobs[node]);
	}
	for (int node = 0; node < lab->nnodes; node++) {
		nd_auto_buf struct nd_buf reply = {0};
		struct nd_err err = {0};

		if (is_asked[node])
			ok &= agent_end(&jobs[node], &reply) &&
			      nd_wire_parse(reply.data, reply.len, take_results, &results, &err) ==
				      0;
	}
	return ok;
}
