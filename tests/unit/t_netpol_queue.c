/* kindnet's NetworkPolicy queue: what its engine says, and when it cannot be known. */
#include "common/base.h"
#include "tests/unit/netpol_world.h"

#include "plugin/walk/netpol_queue.h"

#define SET(name, image)                                                                                               \
	"{'metadata':{'namespace':'kube-system','name':'" name "'},'spec':{'template':{'spec':{'containers':[{"        \
	"'image':'" image "'}]}}}}"
#define ENGINE_POD(name, phase, ready)                                                                                 \
	"{'metadata':{'namespace':'kube-system','name':'engine','uid':'e','ownerReferences':[{'kind':'DaemonSet',"     \
	"'name':'" name "','controller':true}]},'spec':{'nodeName':'w1','hostNetwork':true},'status':{'phase':'" phase \
	"','conditions':[{'type':'Ready','status':'" ready "'}]}}"
#define DENY                                                                                                           \
	"{'metadata':{'namespace':'app','name':'deny'},'spec':{'podSelector':{},'policyTypes':['Ingress'],'ingress':[" \
	"{'ports':[{'port':8080}]}]}}"

struct row {
	const char *name, *set, *pod, *src;
	uint16_t queue, dport;
	bool has_bypass, no_pods;
	uint32_t ct_state;
	enum nd_hook_result want;
};

#define KINDNET SET("kindnet", "kindnetd")
#define RUNS ENGINE_POD("kindnet", "Running", "True")

static const struct row rows[] = {
	{"allowed", KINDNET, RUNS, CLIENT, 101, 8080, true, false, ND_CT_NEW, ND_HOOK_PASS},
	{"denied", KINDNET, RUNS, CLIENT, 101, 8081, true, false, ND_CT_NEW, ND_HOOK_DROP},
	{"denied, the node itself", KINDNET, RUNS, HOST, 101, 8081, true, false, ND_CT_NEW, ND_HOOK_DROP},
	{"answers pass", KINDNET, RUNS, CLIENT, 101, 8081, true, false, ND_CT_ESTABLISHED, ND_HOOK_PASS},
	{"not running, bypass", KINDNET, "", CLIENT, 101, 8081, true, false, ND_CT_NEW, ND_HOOK_PASS},
	{"not running, no bypass", KINDNET, "", CLIENT, 101, 8080, false, false, ND_CT_NEW, ND_HOOK_DROP},
	{"failed", KINDNET, ENGINE_POD("kindnet", "Failed", "False"), CLIENT, 101, 8081, true, false, ND_CT_NEW,
	 ND_HOOK_PASS},
	{"not ready", KINDNET, ENGINE_POD("kindnet", "Running", "False"), CLIENT, 101, 8081, true, false, ND_CT_NEW,
	 ND_HOOK_UNKNOWN},
	{"no list of pods", KINDNET, RUNS, CLIENT, 101, 8080, true, true, ND_CT_NEW, ND_HOOK_UNKNOWN},
	{"another queue", KINDNET, RUNS, CLIENT, 0, 8080, true, false, ND_CT_NEW, ND_HOOK_UNKNOWN},
	{"no kindnet", SET("flannel", "f"), RUNS, CLIENT, 101, 8080, true, false, ND_CT_NEW, ND_HOOK_UNKNOWN},
	{"the engine alone", SET("kube-network-policies", "k"), ENGINE_POD("kube-network-policies", "Running", "True"),
	 CLIENT, 100, 8081, true, false, ND_CT_NEW, ND_HOOK_DROP},
};

static void check(const struct row *row)
{
	struct nd_model *model = nd_model_new();
	struct nd_arena arena = {0};
	struct nd_eval eval = {.arena = &arena};
	struct nd_pkt packet = {.family = 4, .proto = ND_PROTO_TCP, .ct = {.state = row->ct_state}};
	struct nd_verdict verdict = {.kind = ND_V_QUEUE, .queue = row->queue, .has_bypass = row->has_bypass};
	char *all = NULL;

	feed_list(model, "nodes", nodes);
	feed_list(model, "namespaces", namespaces);
	assert_true(asprintf(&all, "%s%s%s", pods, row->pod[0] ? "," : "", row->pod) > 0);
	if (!row->no_pods)
		feed_list(model, "pods", all);
	free(all);
	feed_list(model, "daemonsets", row->set);
	feed_list(model, "networkpolicies", DENY);
	struct nd_netpol_queue queue = {.cluster = nd_model_finish(model), .node = "w1"};

	packet.t.dport = row->dport;
	assert_true(nd_ip_parse(row->src, &packet.t.src) && nd_ip_parse(WEB, &packet.t.dst));
	enum nd_hook_result got = nd_netpol_queue_ask(&queue, &eval, &packet, &verdict);

	if (got != row->want || (got == ND_HOOK_UNKNOWN) != (eval.unknown != NULL))
		fail_msg("%s: got %d: %s, %s", row->name, got, queue.answer.why, eval.unknown);
	assert_true(queue.answer.is_allowed == (got == ND_HOOK_PASS));
	nd_arena_free(&arena);
	nd_model_free(model);
}

static void answers_as_the_engine(void **state)
{
	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(rows); i++)
		check(&rows[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(answers_as_the_engine)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
