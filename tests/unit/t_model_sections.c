#include "common/base.h"

#include "tests/unit/model.h"

/* As ip -j -d -s link of iproute2 6.1 wrote it, cut down to what is looked at. */
static const char links[] =
	"[{\"ifindex\":2,\"link_index\":3,\"ifname\":\"veth1\",\"flags\":[\"BROADCAST\",\"UP\","
	"\"LOWER_UP\"],\"mtu\":1500,\"master\":\"br0\",\"operstate\":\"UP\",\"link_netnsid\":0,"
	"\"address\":\"5a:ad:2d:33:ac:94\",\"linkinfo\":{\"info_kind\":\"veth\","
	"\"info_slave_kind\":\"bridge\",\"info_slave_data\":{\"hairpin\":true}},"
	"\"stats64\":{\"rx\":{\"packets\":1,\"dropped\":7},\"tx\":{\"packets\":4}}},"
	"{\"ifindex\":5,\"link\":\"eth0\",\"ifname\":\"flannel.1\",\"flags\":[\"UP\"],\"mtu\":1450,"
	"\"operstate\":\"UNKNOWN\",\"linkinfo\":{\"info_kind\":\"vxlan\",\"info_data\":{\"id\":1,"
	"\"local\":\"172.18.0.3\",\"port\":8472,\"learning\":false}}},"
	"{\"ifindex\":9,\"ifname\":\"eth0\",\"flags\":[],\"mtu\":-1}]";

static void reads_links(void **state)
{
	struct nd_model *model = nd_model_new();
	char text[ND_IP_TEXT];

	(void)state;
	feed_section(model, "links", links);
	const struct nd_host *host = host_of(model);
	const struct nd_link *veth = nd_look_link(host, "veth1");
	const struct nd_link *vxlan = nd_look_link(host, "flannel.1");
	const struct nd_link *eth = nd_look_link(host, "eth0");

	assert_true(nd_host_has(host, ND_SECTION_links));
	assert_int_equal(host->nlinks, 3);
	assert_true(veth->is_up && veth->is_lower_up && veth->has_hairpin && veth->is_hairpin);
	assert_string_equal(veth->kind, "veth");
	assert_string_equal(veth->master, "br0");
	assert_int_equal(veth->link_ifindex, 3);
	assert_int_equal(veth->link_netnsid, 0);
	assert_int_equal(veth->rx_dropped, 7);
	assert_int_equal(veth->tx_packets, 4);
	assert_int_equal(vxlan->vxlan_id, 1);
	assert_int_equal(vxlan->vxlan_port, 8472);
	assert_string_equal(nd_ip_text(vxlan->vxlan_local, text), "172.18.0.3");
	/* The lower device is listed later, and by name. */
	assert_int_equal(vxlan->link_ifindex, 9);
	assert_int_equal(vxlan->link_netnsid, -1);
	assert_false(eth->is_up);
	assert_int_equal(eth->mtu_bytes, 0);
	nd_model_free(model);
}

static const char routes[] =
	"[{\"dst\":\"default\",\"gateway\":\"10.244.1.254\",\"dev\":\"veth0\",\"flags\":[]},"
	"{\"dst\":\"10.9.0.0/16\",\"flags\":[],\"nexthops\":[{\"gateway\":\"10.244.1.2\","
	"\"dev\":\"veth0\",\"weight\":1,\"flags\":[]},{\"gateway\":\"10.244.1.3\",\"dev\":"
	"\"veth0\","
	"\"weight\":2,\"flags\":[\"dead\"]}]},"
	"{\"dst\":\"10.244.2.0/24\",\"gateway\":\"10.244.1.2\",\"dev\":\"veth0\",\"metric\":100,"
	"\"flags\":[\"onlink\"]},"
	"{\"dst\":\"10.244.2.0/24\",\"gateway\":\"10.244.1.9\",\"dev\":\"veth1\",\"metric\":5,"
	"\"flags\":[]},"
	"{\"type\":\"blackhole\",\"dst\":\"10.244.3.0/24\",\"flags\":[]},"
	"{\"type\":\"throw\",\"dst\":\"10.244.4.0/24\",\"flags\":[]},"
	"{\"type\":\"local\",\"dst\":\"10.244.1.1\",\"dev\":\"veth0\",\"table\":\"local\","
	"\"scope\":\"host\",\"prefsrc\":\"10.244.1.1\",\"flags\":[]},"
	"{\"dst\":\"default\",\"gateway\":\"fe80::1\",\"dev\":\"veth0\",\"family\":\"inet6\"},"
	"{\"dst\":\"0.0.0.0/0\",\"gateway\":\"9.9.9.9\",\"table\":\"default\",\"flags\":[]}]";

static const char *gateway(const struct nd_host *host, const char *to, char text[ND_IP_TEXT])
{
	const struct nd_route *route;
	struct nd_ip ip;

	assert_true(nd_ip_parse(to, &ip));
	route = nd_look_route(host, ip);
	return route ? nd_ip_text(route->gateway, text) : "none";
}

static void reads_and_looks_up_routes(void **state)
{
	struct nd_model *model = nd_model_new();
	char text[ND_IP_TEXT];
	struct nd_ip ip;

	(void)state;
	feed_section(model, "routes", routes);
	const struct nd_host *host = host_of(model);

	assert_true(nd_host_has(host, ND_SECTION_routes));
	assert_int_equal(host->nroutes, 10);
	assert_string_equal(host->routes[0].type, "unicast");
	assert_string_equal(host->routes[0].table, "main");
	assert_true(host->routes[2].is_dead);
	assert_true(host->routes[3].is_onlink);
	assert_int_equal(host->routes[8].family, 6);
	assert_string_equal(gateway(host, "8.8.8.8", text), "10.244.1.254");
	assert_string_equal(gateway(host, "10.9.1.1", text), "10.244.1.2");
	assert_string_equal(gateway(host, "10.244.2.7", text), "10.244.1.9");
	assert_string_equal(gateway(host, "2001:db8::1", text), "fe80::1");
	assert_true(nd_ip_parse("10.244.3.1", &ip));
	assert_string_equal(nd_look_route(host, ip)->type, "blackhole");
	/* throw: the main table has no answer, the default table is asked. */
	assert_string_equal(gateway(host, "10.244.4.1", text), "9.9.9.9");
	nd_model_free(model);
}

static void reads_rules(void **state)
{
	struct nd_model *model = nd_model_new();

	(void)state;
	feed_section(model, "rules",
		     "[{\"priority\":0,\"src\":\"all\",\"table\":\"local\"},"
		     "{\"not\":null,\"priority\":9,\"src\":\"all\",\"dst\":\"10.2.0.0\","
		     "\"dstlen\":16,\"table\":\"100\"},"
		     "{\"priority\":10,\"src\":\"10.1.0.0\",\"srclen\":16,\"fwmark\":\"0x4000\","
		     "\"fwmask\":\"0x4000\",\"action\":\"prohibit\",\"not\":false}]");
	const struct nd_rule *rules = host_of(model)->rules;
	char text[ND_PREFIX_TEXT];

	assert_int_equal(rules[0].src.ip.family, 0);
	assert_string_equal(rules[0].action, "lookup");
	assert_true(rules[1].is_not);
	assert_string_equal(nd_prefix_text(rules[1].dst, text), "10.2.0.0/16");
	assert_int_equal(rules[2].fwmark, 0x4000);
	assert_int_equal(rules[2].fwmask, 0x4000);
	assert_string_equal(rules[2].action, "prohibit");
	assert_false(rules[2].is_not);
	nd_model_free(model);
}

static void reads_neighbours(void **state)
{
	struct nd_model *model = nd_model_new();

	(void)state;
	feed_section(model, "neigh",
		     "[{\"dst\":\"10.244.1.2\",\"dev\":\"e\",\"lladdr\":\"02:00:00:00:00:02\","
		     "\"state\":[\"PERMANENT\"]},{\"dst\":\"10.244.1.3\",\"dev\":\"e\","
		     "\"state\":[\"FAILED\"]}]");
	feed_section(
		model, "fdb",
		"[{\"mac\":\"00:00:00:00:00:00\",\"ifname\":\"flannel.1\",\"dst\":\"10.0.0.9\","
		"\"flags\":[\"self\"],\"state\":\"permanent\"}]");
	const struct nd_host *host = host_of(model);
	char text[ND_IP_TEXT];

	assert_true(host->neigh[0].is_permanent);
	assert_string_equal(host->neigh[0].mac, "02:00:00:00:00:02");
	assert_true(host->neigh[1].is_failed);
	assert_null(host->neigh[1].mac);
	assert_string_equal(nd_ip_text(host->fdb[0].dst, text), "10.0.0.9");
	assert_true(host->fdb[0].is_permanent && host->fdb[0].is_self);
	nd_model_free(model);
}

static void reads_sysctls(void **state)
{
	struct nd_model *model = nd_model_new(), *bad = nd_model_new();

	(void)state;
	feed_section(model, "sysctls",
		     "net.ipv4.ip_forward = 1\nnet.ipv4.conf.eth0/1.rp_filter=2\n\n"
		     "# text\na = \nnet.ipv4.ip_local_port_range = 32768\t60999\n");
	const struct nd_host *host = host_of(model);

	assert_true(nd_host_has(host, ND_SECTION_sysctls));
	assert_string_equal(nd_look_sysctl(host, "net.ipv4.ip_forward"), "1");
	assert_string_equal(nd_look_sysctl(host, "net.ipv4.conf.eth0/1.rp_filter"), "2");
	assert_string_equal(nd_look_sysctl(host, "net.ipv4.ip_local_port_range"), "32768\t60999");
	assert_string_equal(nd_look_sysctl(host, "a"), "");
	assert_null(nd_look_sysctl(host, "net.ipv4"));
	assert_null(nd_look_sysctl(NULL, "a"));
	feed_section(bad, "sysctls", "a = 1\nno sign here\n");
	host = host_of(bad);
	assert_false(nd_host_has(host, ND_SECTION_sysctls));
	assert_string_equal(nd_look_sysctl(host, "a"), "1");
	nd_model_free(model);
	nd_model_free(bad);
}

static void reads_files_and_units(void **state)
{
	struct nd_model *model = nd_model_new();

	(void)state;
	feed_section(
		model, "cni",
		"{\"conf_dir\":\"/etc/cni/net.d\",\"conf_dir_exists\":true,\"conf\":[{\"name\":"
		"\"20-b.conf\"},{\"name\":\"10-a.conflist\",\"content\":\"{}\"}],\"bin_dir\":"
		"\"/opt/cni/bin\",\"bin_dir_exists\":true,\"bin\":[{\"name\":\"ptp\",\"mode\":"
		"\"0755\",\"size\":12,\"elf_machine\":62,\"is_script\":false},{\"name\":\"x\","
		"\"mode\":\"79\",\"elf_machine\":65536}]}");
	feed_section(model, "files",
		     "[{\"path\":\"/a\",\"content\":\"x\"},"
		     "{\"path\":\"/b\",\"error\":\"no\"}]");
	feed_section(model, "units",
		     "[{\"unit\":\"kubelet\",\"pids\":[7],\"is_installed\":true,"
		     "\"uptime_s\":60},{\"unit\":\"crio\",\"pids\":[]}]");
	feed_section(model, "host", "{\"hostname\":\"w1\",\"iptables_mode\":\"nft\"}");
	feed_section(model, "conntrack", "{\"count\":12,\"max\":-1}");
	const struct nd_host *host = host_of(model);

	assert_string_equal(host->cni.conf[0].name, "10-a.conflist");
	assert_null(host->cni.conf[1].content);
	assert_int_equal(host->cni.bin[0].mode, 0755);
	assert_int_equal(host->cni.bin[0].elf_machine, 62);
	assert_int_equal(host->cni.bin[1].mode, 0);
	assert_int_equal(host->cni.bin[1].elf_machine, 0);
	assert_string_equal(nd_look_file(host, "/a"), "x");
	assert_null(nd_look_file(host, "/b"));
	assert_true(nd_look_unit(host, "kubelet")->is_running);
	assert_false(nd_look_unit(host, "crio")->is_running);
	assert_null(nd_look_unit(host, "docker"));
	assert_string_equal(host->iptables_mode, "nft");
	assert_int_equal(host->conntrack_count, 12);
	assert_int_equal(host->conntrack_max, 0);
	nd_model_free(model);
}

static const char pods[] =
	"[{\"uids\":[\"u-1\",\"u-2\"],\"netns_inode\":4026532189,\"pid\":7,\"is_host_network\":"
	"false,"
	"\"links\":[{\"ifname\":\"eth0\",\"ifindex\":2,\"flags\":[\"UP\"],\"mtu\":1450}],\"addrs\":"
	"[{\"ifindex\":2,\"ifname\":\"eth0\",\"addr_info\":[{\"local\":\"10.244.1.5\","
	"\"prefixlen\":24,\"scope\":\"global\"}]}],\"routes\":[{\"dst\":\"default\",\"gateway\":"
	"\"10.244.1.1\",\"dev\":\"eth0\"}],\"neigh\":[],\"sockets\":[{\"proto\":\"tcp6\",\"addr\":"
	"\"::\",\"port\":8080},{\"proto\":\"udp\",\"addr\":\"0.0.0.0\",\"port\":53}]},"
	"{\"uids\":[\"u-3\"],\"netns_inode\":1,\"error\":\"no such process\"}]";

static void reads_pod_namespaces(void **state)
{
	struct nd_model *model = nd_model_new();

	(void)state;
	feed_section(model, "pods", pods);
	const struct nd_host *host = host_of(model);
	const struct nd_podns *pod = nd_look_podns(host, "u-2");

	assert_true(nd_host_has(host, ND_SECTION_pods));
	assert_int_equal(pod->inode, 4026532189u);
	assert_int_equal(pod->links[0].mtu_bytes, 1450);
	assert_int_equal(pod->addrs[0].prefix.len, 24);
	assert_string_equal(pod->routes[0].dev, "eth0");
	assert_int_equal(pod->nsockets, 2);
	assert_int_equal(pod->sockets[0].family, 6);
	assert_true(pod->sockets[1].is_udp);
	assert_string_equal(nd_look_podns(host, "u-3")->error, "no such process");
	assert_null(nd_look_podns(host, "u-4"));
	nd_model_free(model);
}

static void survives_every_cut(void **state)
{
	(void)state;
	check_cuts("links", ND_SECTION_links, links);
	check_cuts("routes", ND_SECTION_routes, routes);
	check_cuts("pods", ND_SECTION_pods, pods);
	check_cuts("host", ND_SECTION_host, "{\"hostname\":\"w1\"}");
}

/* One element that cannot be read: the others are kept, the section is not whole. */
static void names_bad_elements(void **state)
{
	static const struct {
		const char *section, *text;
	} bad[] = {
		{"links", "[{\"ifname\":\"a\"},{}]"},
		{"addrs", "[{\"ifname\":\"a\",\"addr_info\":[{\"local\":\"1.2.3.4\","
			  "\"prefixlen\":33}]}]"},
		{"routes", "[{\"dst\":\"10.0.0.0/33\"}]"},
		{"rules", "[{\"src\":\"what\"}]"},
		{"neigh", "[{\"dst\":\"\xff\"}]"},
		{"fdb", "[{}]"},
		{"sockets", "[{\"proto\":\"tcp\",\"addr\":\"0.0.0.0\",\"port\":65536}]"},
		{"cni", "{\"conf\":[{}]}"},
		{"files", "[{\"content\":\"x\"}]"},
		{"units", "[7]"},
		{"pods", "[{\"routes\":[{}]}]"},
		{"conntrack", "[]"},
		{"sysctls", ""},
		{"no-such-section", "[]"},
	};

	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(bad); i++) {
		struct nd_model *model = nd_model_new();

		feed_section(model, bad[i].section, bad[i].text);
		const struct nd_cluster *cluster = nd_model_finish(model);
		const struct nd_host *host = nd_look_host(cluster, "w1");

		assert_int_equal(cluster->ngaps, 1);
		assert_string_equal(cluster->gaps[0].what, bad[i].section);
		assert_string_equal(cluster->gaps[0].where, "node/w1");
		assert_true(!host || host->have == 0);
		nd_model_free(model);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_links),
		cmocka_unit_test(reads_rules),
		cmocka_unit_test(reads_and_looks_up_routes),
		cmocka_unit_test(reads_neighbours),
		cmocka_unit_test(reads_sysctls),
		cmocka_unit_test(reads_files_and_units),
		cmocka_unit_test(reads_pod_namespaces),
		cmocka_unit_test(survives_every_cut),
		cmocka_unit_test(names_bad_elements),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
