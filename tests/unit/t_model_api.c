#include "common/base.h"

#include "tests/unit/model.h"

static void reads_nodes(void **state)
{
	struct nd_model *model = nd_model_new();
	char text[ND_PREFIX_TEXT];

	(void)state;
	feed_api(model, "nodes",
		 "{\"kind\":\"NodeList\",\"metadata\":{\"resourceVersion\":\"1\"},\"items\":["
		 "{\"metadata\":{\"name\":\"w2\",\"labels\":{\"a\":\"b\"}}},"
		 "{\"metadata\":{\"name\":\"w1\",\"labels\":{\"node-role.kubernetes.io/"
		 "control-plane\":"
		 "\"\"},\"annotations\":{\"flannel.alpha.coreos.com/public-ip\":\"1.2.3.4\","
		 "\"other\":\"x\"}},\"spec\":{\"podCIDRs\":[\"10.244.1.0/24\",\"fd00:1::/64\"],"
		 "\"providerID\":\"kind://docker/c/w1\",\"unschedulable\":true},\"status\":{"
		 "\"addresses\":[{\"type\":\"Hostname\",\"address\":\"w1\"},{\"type\":"
		 "\"InternalIP\","
		 "\"address\":\"172.18.0.3\"},{\"type\":\"InternalIP\",\"address\":\"fc00::3\"}],"
		 "\"conditions\":[{\"type\":\"Ready\",\"status\":\"Unknown\",\"reason\":"
		 "\"NodeStatusUnknown\",\"message\":\"Kubelet stopped\"}],\"nodeInfo\":{"
		 "\"kubeletVersion\":\"v1.31.4\"}}}]}");
	const struct nd_cluster *cluster = nd_model_finish(model);
	const struct nd_node *node = nd_look_node(cluster, "w1");

	assert_true(cluster->has_api);
	assert_true(nd_look_has_list(cluster, "nodes"));
	assert_false(nd_look_has_list(cluster, "pods"));
	assert_false(nd_look_has_list(cluster, "nothing"));
	assert_ptr_equal(node, &cluster->nodes[0]);
	assert_true(node->is_control_plane && node->is_unschedulable && !node->is_ready);
	assert_string_equal(node->ready_status, "Unknown");
	assert_string_equal(node->ready_reason, "NodeStatusUnknown");
	assert_string_equal(nd_ip_text(node->internal_ip, text), "172.18.0.3");
	assert_string_equal(nd_ip_text(node->internal_ip6, text), "fc00::3");
	assert_int_equal(node->npod_cidrs, 2);
	assert_string_equal(nd_prefix_text(node->pod_cidrs[0], text), "10.244.1.0/24");
	assert_int_equal(node->annotations.n, 1);
	assert_string_equal(node->provider_id, "kind://docker/c/w1");
	assert_null(nd_look_node(cluster, "w2")->ready_status);
	assert_null(nd_look_node(cluster, "w3"));
	nd_model_free(model);
}

static void reads_pods(void **state)
{
	struct nd_model *model = nd_model_new();
	struct nd_ip ip;

	(void)state;
	feed_api(model, "pods",
		 "{\"metadata\":{\"continue\":\"token\"},\"items\":[{\"metadata\":{\"namespace\":"
		 "\"b\","
		 "\"name\":\"web-1\",\"uid\":\"u-1\",\"deletionTimestamp\":\"x\","
		 "\"ownerReferences\":["
		 "{\"kind\":\"Other\",\"name\":\"o\"},{\"kind\":\"ReplicaSet\",\"name\":\"web\","
		 "\"controller\":true}]},\"spec\":{\"nodeName\":\"w1\",\"initContainers\":[{"
		 "\"name\":"
		 "\"i\"}],\"containers\":[{\"name\":\"c\",\"image\":\"img\",\"command\":[\"sh\"],"
		 "\"args\":[\"-c\",\"x y\"],\"ports\":[{\"name\":\"http\",\"containerPort\":8080},"
		 "{\"containerPort\":70000,\"hostPort\":99,\"protocol\":\"UDP\"}]}]},\"status\":{"
		 "\"phase\":\"Running\",\"podIP\":\"10.244.1.5\",\"podIPs\":[{\"ip\":\"10.244.1."
		 "5\"},"
		 "{\"ip\":\"fd00::5\"}],\"conditions\":[{\"type\":\"Ready\",\"status\":\"False\","
		 "\"reason\":\"ContainersNotReady\"}],\"containerStatuses\":[{\"name\":\"c\","
		 "\"restartCount\":3,\"state\":{\"waiting\":{\"reason\":\"ImagePullBackOff\"}},"
		 "\"lastState\":{\"terminated\":{\"reason\":\"Error\",\"exitCode\":137}}}]}}]}");
	feed_api(model, "pods",
		 "{\"metadata\":{},\"items\":[{\"metadata\":{\"namespace\":\"a\",\"name\":\"z\"},"
		 "\"spec\":{\"hostNetwork\":true},\"status\":{\"podIP\":\"10.244.1.5\"}}]}");
	const struct nd_cluster *cluster = nd_model_finish(model);
	const struct nd_pod *pod = nd_look_pod(cluster, "b", "web-1");

	assert_true(nd_look_has_list(cluster, "pods"));
	assert_ptr_equal(pod, &cluster->pods[1]);
	assert_string_equal(pod->meta.owner_name, "web");
	assert_true(pod->meta.is_deleting);
	assert_string_equal(pod->not_ready_reason, "ContainersNotReady");
	assert_int_equal(pod->ncontainers, 2);
	assert_true(pod->containers[0].is_init);
	assert_string_equal(pod->containers[1].args, "sh -c x y");
	assert_int_equal(pod->containers[1].ports[0].port, 8080);
	assert_int_equal(pod->containers[1].ports[1].port, 0);
	assert_int_equal(pod->containers[1].ports[1].host_port, 99);
	assert_int_equal(pod->containers[1].restarts, 3);
	assert_string_equal(pod->containers[1].waiting_reason, "ImagePullBackOff");
	assert_int_equal(pod->containers[1].exit_code, 137);
	assert_true(nd_ip_parse("10.244.1.5", &ip));
	assert_ptr_equal(nd_look_pod_by_ip(cluster, ip), pod);
	assert_true(nd_ip_parse("fd00::5", &ip));
	assert_ptr_equal(nd_look_pod_by_ip(cluster, ip), pod);
	assert_true(nd_ip_parse("10.244.1.6", &ip));
	assert_null(nd_look_pod_by_ip(cluster, ip));
	nd_model_free(model);
}

static void reads_services(void **state)
{
	struct nd_model *model = nd_model_new();
	size_t ntotal;

	(void)state;
	feed_api(
		model, "services",
		"{\"items\":[{\"metadata\":{\"namespace\":\"n\",\"name\":\"web\"},\"spec\":{"
		"\"type\":"
		"\"NodePort\",\"clusterIP\":\"10.96.0.7\",\"selector\":{\"app\":\"web\"},\"ports\":"
		"["
		"{\"name\":\"http\",\"port\":80,\"targetPort\":\"web\",\"nodePort\":30080},"
		"{\"port\":53,\"protocol\":\"UDP\"}]}},{\"metadata\":{\"namespace\":\"n\",\"name\":"
		"\"none\"},\"spec\":{\"clusterIP\":\"None\"}}]}");
	feed_api(
		model, "endpointslices",
		"{\"items\":[{\"addressType\":\"IPv4\",\"metadata\":{\"namespace\":\"n\",\"name\":"
		"\"web-2\",\"labels\":{\"kubernetes.io/service-name\":\"web\"}},\"endpoints\":["
		"{\"addresses\":[\"10.244.1.5\"],\"conditions\":{\"ready\":false,\"serving\":true}}"
		"]},"
		"{\"addressType\":\"IPv4\",\"metadata\":{\"namespace\":\"n\",\"name\":\"web-1\","
		"\"labels\":{\"kubernetes.io/"
		"service-name\":\"web\"}},\"endpoints\":[{\"addresses\":["
		"\"10.244.1.6\"],\"targetRef\":{\"kind\":\"Pod\",\"namespace\":\"n\",\"name\":"
		"\"p\"}}],"
		"\"ports\":[{\"name\":\"http\",\"port\":8080}]},{\"metadata\":{\"namespace\":\"m\","
		"\"name\":\"x\"},\"endpoints\":null,\"ports\":null}]}");
	const struct nd_cluster *cluster = nd_model_finish(model);
	const struct nd_service *web = nd_look_service(cluster, "n", "web");

	assert_string_equal(web->ports[0].target_name, "web");
	assert_int_equal(web->ports[0].target_port, 0);
	assert_int_equal(web->ports[0].node_port, 30080);
	assert_int_equal(web->ports[1].target_port, 53);
	assert_true(web->has_selector && !web->is_headless);
	assert_true(nd_look_service(cluster, "n", "none")->is_headless);
	assert_true(nd_look_is_service_ip(cluster, web->cluster_ip));
	assert_int_equal(nd_look_ready_endpoints(cluster, web, &ntotal), 1);
	assert_int_equal(ntotal, 2);
	assert_string_equal(cluster->slices[1].meta.name, "web-1");
	assert_string_equal(cluster->slices[1].endpoints[0].pod_name, "p");
	assert_true(cluster->slices[2].endpoints[0].is_serving);
	nd_model_free(model);
}

static void reads_the_rest(void **state)
{
	struct nd_model *model = nd_model_new();

	(void)state;
	feed_api(model, "daemonsets",
		 "{\"items\":[{\"metadata\":{\"namespace\":\"kube-system\",\"name\":\"kindnet\"},"
		 "\"spec\":"
		 "{\"selector\":{\"matchLabels\":{\"app\":\"kindnet\"}},\"template\":{\"spec\":{"
		 "\"containers\":[{\"image\":\"i\"}]}}},\"status\":{\"desiredNumberScheduled\":3,"
		 "\"numberReady\":2}}]}");
	feed_api(model, "deployments",
		 "{\"items\":[{\"metadata\":{\"namespace\":\"kube-system\",\"name\":\"coredns\"},"
		 "\"spec\":{\"replicas\":0}}]}");
	feed_api(model, "networkpolicies",
		 "{\"items\":[{\"metadata\":{\"namespace\":\"n\",\"name\":\"deny\"},\"spec\":{"
		 "\"podSelector\":{\"matchExpressions\":[{}]},\"policyTypes\":[\"Egress\"],"
		 "\"egress\":["
		 "{},{}]}}]}");
	feed_api(model, "events",
		 "{\"items\":[{\"involvedObject\":{\"kind\":\"Pod\",\"name\":\"p\",\"namespace\":"
		 "\"n\"},"
		 "\"reason\":\"Failed\",\"lastTimestamp\":null,\"eventTime\":"
		 "\"2026-11-21T14:00:00.123456Z\"}]}");
	feed_api(
		model, "configmap-kube-proxy",
		"{\"items\":[{\"metadata\":{\"namespace\":\"kube-system\",\"name\":\"kube-proxy\"},"
		"\"data\":{\"config.conf\":\"a: 1\\nclusterCIDR: \\\"fd00::/48,10.0.0.0/9\\\"\\n"
		"mode: nftables\\n\"}}]}");
	const struct nd_cluster *cluster = nd_model_finish(model);
	const struct nd_workload *kindnet =
		nd_look_workload(cluster, "DaemonSet", "kube-system", "kindnet");
	char text[ND_PREFIX_TEXT];

	assert_int_equal(kindnet->wanted, 3);
	assert_int_equal(kindnet->ready, 2);
	assert_int_equal(nd_look_workload(cluster, "Deployment", "kube-system", "coredns")->wanted,
			 0);
	assert_true(cluster->policies[0].selector.unknown && cluster->policies[0].is_egress);
	assert_false(cluster->policies[0].is_ingress);
	assert_int_equal(cluster->policies[0].negress, 2);
	assert_int_equal(cluster->events[0].last_unix_s, 1795269600);
	assert_int_equal(nd_look_cni(cluster), ND_CNI_KINDNET);
	assert_int_equal(nd_look_proxy_mode(cluster), ND_PROXY_NFTABLES);
	assert_string_equal(nd_prefix_text(nd_look_cluster_cidr(cluster), text), "fd00::/48");
	nd_model_free(model);
}

static void knows_what_touches_the_cluster(void **state)
{
	static const struct {
		const char *prefix;
		bool touches;
	} rows[] = {{"10.244.0.0/16", true},   {"10.244.2.128/25", true}, {"0.0.0.0/0", true},
		    {"172.18.0.3/32", true},   {"10.96.0.7/32", true},	  {"10.96.0.8/32", false},
		    {"192.168.0.0/16", false}, {"127.0.0.0/8", false}};
	struct nd_model *model = nd_model_new();
	char text[ND_PREFIX_TEXT];

	(void)state;
	feed_api(model, "nodes",
		 "{\"items\":[{\"metadata\":{\"name\":\"a\"},\"spec\":{\"podCIDR\":\"10.244.1.0/"
		 "24\"},"
		 "\"status\":{\"addresses\":[{\"type\":\"InternalIP\",\"address\":\"172.18.0.3\"}]}"
		 "},"
		 "{\"metadata\":{\"name\":\"b\"},\"spec\":{\"podCIDR\":\"10.244.2.0/24\"}}]}");
	feed_api(model, "services",
		 "{\"items\":[{\"metadata\":{\"name\":\"s\"},\"spec\":"
		 "{\"clusterIP\":\"10.96.0.7\"}}]}");
	const struct nd_cluster *cluster = nd_model_finish(model);

	assert_string_equal(nd_prefix_text(nd_look_cluster_cidr(cluster), text), "10.244.1.0/22");
	for (size_t i = 0; i < ND_ARRAY_LEN(rows); i++) {
		struct nd_prefix prefix;

		assert_true(nd_prefix_parse(rows[i].prefix, &prefix));
		assert_int_equal(nd_look_prefix_touches_cluster(cluster, prefix), rows[i].touches);
	}
	assert_true(nd_look_prefix_touches_cluster(cluster, (struct nd_prefix){0}));
	nd_model_free(model);
}

/* A list is whole only when its last page came and nothing went wrong. */
static void knows_when_a_list_is_whole(void **state)
{
	static const struct {
		const char *text;
		bool is_whole;
		size_t npods;
	} rows[] = {
		{"{\"items\":[]}", true, 0},
		{"{\"metadata\":{\"continue\":\"\"},\"items\":null}", true, 0},
		{"{\"metadata\":{\"continue\":\"t\"},\"items\":[]}", false, 0},
		{"{\"items\":[{\"metadata\":{\"name\":\"a\"}},{}]}", false, 1},
		{"{\"items\":[{\"metadata\":{\"name\":\"a\"}},7]}", false, 1},
		{"{\"items\":[{\"metadata\":{\"name\":\"a\"}}", false, 1},
		{"{\"kind\":\"Status\",\"code\":403}", false, 0},
		{"<html>", false, 0},
		{"", false, 0},
	};

	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(rows); i++) {
		struct nd_model *model = nd_model_new();

		feed_api(model, "pods", rows[i].text);
		const struct nd_cluster *cluster = nd_model_finish(model);

		assert_int_equal(nd_look_has_list(cluster, "pods"), rows[i].is_whole);
		assert_int_equal(cluster->npods, rows[i].npods);
		nd_model_free(model);
	}
}

/* After a 410 a list starts again from its beginning. */
static void keeps_one_of_what_came_twice(void **state)
{
	struct nd_model *model = nd_model_new();

	(void)state;
	feed_api(model, "pods",
		 "{\"metadata\":{\"continue\":\"t\"},\"items\":["
		 "{\"metadata\":{\"namespace\":\"n\",\"name\":\"b\"}},"
		 "{\"metadata\":{\"namespace\":\"n\",\"name\":\"a\"}}]}");
	feed_api(model, "pods",
		 "{\"items\":[{\"metadata\":{\"namespace\":\"n\",\"name\":\"a\"}},"
		 "{\"metadata\":{\"namespace\":\"n\",\"name\":\"b\"}},"
		 "{\"metadata\":{\"namespace\":\"m\",\"name\":\"b\"}}]}");
	const struct nd_cluster *cluster = nd_model_finish(model);

	assert_int_equal(cluster->npods, 3);
	assert_string_equal(cluster->pods[0].meta.ns, "m");
	assert_string_equal(cluster->pods[1].meta.name, "a");
	assert_string_equal(cluster->pods[2].meta.name, "b");
	nd_model_free(model);
}

static void takes_gaps(void **state)
{
	struct nd_model *model = nd_model_new();
	struct nd_sink sink = nd_model_sink(model);
	struct nd_err err = {0};

	(void)state;
	feed_api(model, "pods", "{\"items\":[]}");
	assert_int_equal(nd_sink_gap(&sink, "pods", "api", &err, "forbidden"), 0);
	for (size_t i = 0; i < 5000; i++)
		assert_int_equal(nd_sink_gap(&sink, "iptables", "node/w1", &err, "no"), 0);
	const struct nd_cluster *cluster = nd_model_finish(model);

	assert_false(nd_look_has_list(cluster, "pods"));
	assert_string_equal(cluster->gaps[0].why, "forbidden");
	assert_int_equal(cluster->ngaps, 1001);
	nd_model_free(model);
}

static void reads_containers(void **state)
{
	static const char text[] =
		"{\"Names\":\"c-worker\",\"State\":\"paused\",\"Status\":\"Up 2 minutes (Paused)\","
		"\"Labels\":\"a=b,io.x-k8s.kind.role=worker,c=d\"}\n"
		"{\"Names\":[\"c-cp\"],\"Status\":\"Exited (137) 1 hour ago\",\"Labels\":"
		"{\"io.x-k8s.kind.role\":\"control-plane\"}}\n\nnot json\n";
	struct nd_model *model = nd_model_new();

	(void)state;
	feed(model, ND_ITEM_HOST, NULL, "containers", text, sizeof(text) - 1);
	feed(model, ND_ITEM_META, NULL, "cluster", "{\"context\":\"kind-c\"}", 20);
	feed(model, ND_ITEM_META, NULL, "version", "{\"gitVersion\":\"v1.31.4\"}", 24);
	const struct nd_cluster *cluster = nd_model_finish(model);

	assert_int_equal(cluster->ncontainers, 2);
	assert_string_equal(cluster->containers[0].name, "c-cp");
	assert_string_equal(cluster->containers[0].state, "exited");
	assert_string_equal(cluster->containers[0].role, "control-plane");
	assert_string_equal(cluster->containers[1].state, "paused");
	assert_string_equal(cluster->containers[1].role, "worker");
	assert_int_equal(cluster->ngaps, 1);
	assert_string_equal(cluster->context, "kind-c");
	assert_string_equal(cluster->version, "v1.31.4");
	nd_model_free(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_nodes),
		cmocka_unit_test(reads_pods),
		cmocka_unit_test(reads_services),
		cmocka_unit_test(reads_the_rest),
		cmocka_unit_test(keeps_one_of_what_came_twice),
		cmocka_unit_test(takes_gaps),
		cmocka_unit_test(reads_containers),
		cmocka_unit_test(knows_what_touches_the_cluster),
		cmocka_unit_test(knows_when_a_list_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
