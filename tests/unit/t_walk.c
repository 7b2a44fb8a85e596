/*
 * The way of packets through real clusters, recorded in tests/cases: on healthy ones everything
 * arrives and is answered, on broken ones it ends where the fault is.
 *
 *	t_walk BUNDLE		walks everything and says what does not arrive
 *	t_walk BUNDLE probes	compares with the probes that are in it; ND_WALK_LOUD, ND_WALK_WAYS: more
 */
#include "common/base.h"
#include "tests/unit/walk_world.h"

/* All alternatives arrive and are answered; else it says what became of the first that is not. */
static void expect_arrives(struct world *w, const struct nd_walk_ask *ask, const char *from)
{
	struct nd_walk walk;
	double share = 0;

	struct nd_walk_ask all = *ask;
	all.has_turns = true;
	nd_walk_run(w->walk, &all, &walk);
	assert_true(walk.npaths > 0);
	w->n++;
	bool is_bad = false, is_unknown = false;
	for (size_t i = 0; i < walk.npaths; i++) {
		const struct nd_walk_path *path = &walk.paths[i];

		share += path->share;
		if (nd_walk_path_verdict(path) == ND_WALK_DELIVERED)
			continue;
		if (!w->reason && !is_bad && !is_unknown)
			show(path, from);
		const struct nd_walk_turn *turn = nd_walk_bad_turn(path);
		const char *why = turn					? turn->reason
				  : path->verdict == ND_WALK_DELIVERED	? path->back_reason
									: path->reason;
		if (nd_walk_path_verdict(path) == ND_WALK_UNKNOWN)
			is_unknown = true;
		else if (w->reason && why && strstr(why, w->reason))
			w->nexpected++;
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
		struct nd_walk_ask ask = {
			.host = from->host, .netns_inode = from->inode, .dst = pod->ip, .proto = ND_PROTO_ICMP};
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
						  .proto = nd_eq(s->ports[k].protocol, "UDP") ? ND_PROTO_UDP
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

static void ask_everything(struct world *w, const char *name, const char *reason)
{
	world_read(w, name, NULL);
	w->reason = reason;
	for (size_t i = 0; i < w->cluster->nhosts; i++) {
		const struct nd_host *host = &w->cluster->hosts[i];
		struct source from = {.host = host, .name = host->node};

		ask_pods(w, &from);
		ask_services(w, &from);
		ask_nodes(w, &from);
		for (size_t k = 0; k < host->npodns; k++) {
			const struct nd_pod *pod = nd_look_pod_by_netns(w->cluster, host, host->podns[k].inode);

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
	static const char *const names[] = {"healthy-nd-kindnet", "healthy-nd-flannel", "healthy-nd-nft"};

	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(names); i++) {
		struct world w;

		ask_everything(&w, names[i], NULL);
		assert_true(w.n > 500);
		assert_int_equal(w.nbad, 0);
		assert_int_equal(w.nunknown, 0);
		world_free(&w);
	}
}

/* ---- against the probes that were really sent when the case was recorded ---- */

static bool probe_ask(const struct nd_host *host, const struct nd_probe_result *r, struct nd_walk_ask *ask)
{
	*ask = (struct nd_walk_ask){
		.host = host, .netns_inode = r->netns_inode, .dst = r->ip, .dport = r->port, .proto = ND_PROTO_TCP};
	switch (r->kind) {
	case ND_PROBE_icmp:
		ask->proto = r->ip.family == 6 ? ND_PROTO_ICMP6 : ND_PROTO_ICMP;
		return true;
	case ND_PROBE_udp:
	case ND_PROBE_dns_udp:
		ask->proto = ND_PROTO_UDP;
		return true;
	case ND_PROBE_http:
	case ND_PROBE_dns_tcp:
		ask->has_turns = true;
		return true;
	case ND_PROBE_tcp:
		return true;
	default:
		return false;
	}
}

enum said { SAYS_NOTHING, SAYS_WORKS, SAYS_REFUSED, SAYS_FAILS };

/* What all alternatives agree on. */
static enum said walk_says(const struct nd_walk *walk)
{
	enum said all = SAYS_NOTHING;

	for (size_t i = 0; i < walk->npaths; i++) {
		const struct nd_walk_path *path = &walk->paths[i];
		enum said one = SAYS_FAILS;

		enum nd_walk_verdict verdict = nd_walk_path_verdict(path);

		if (verdict == ND_WALK_DELIVERED)
			one = SAYS_WORKS;
		else if (path->verdict == ND_WALK_REFUSED)
			one = SAYS_REFUSED;
		else if (verdict == ND_WALK_UNKNOWN || verdict == ND_WALK_OUTSIDE)
			return SAYS_NOTHING;
		if (i > 0 && one != all)
			return SAYS_NOTHING;
		all = one;
	}
	return all;
}

static enum said probe_says(const struct nd_probe_result *r)
{
	switch (r->outcome) {
	case ND_OUTCOME_ok:
	case ND_OUTCOME_nxdomain:
	case ND_OUTCOME_servfail:
	case ND_OUTCOME_nodata:
	case ND_OUTCOME_dnsrefused:
	case ND_OUTCOME_bad:
	case ND_OUTCOME_reset:
		return SAYS_WORKS;
	case ND_OUTCOME_refused:
		return SAYS_REFUSED;
	case ND_OUTCOME_gone:
	case ND_OUTCOME_error:
		return SAYS_NOTHING;
	default:
		return SAYS_FAILS;
	}
}

static void compare_probes(struct world *w, const char *name)
{
	size_t n = 0, nsilent = 0, ndiffer = 0;

	world_read(w, name, NULL);
	for (size_t i = 0; i < w->cluster->nhosts; i++) {
		const struct nd_host *host = &w->cluster->hosts[i];

		for (size_t k = 0; k < host->nprobes; k++) {
			const struct nd_probe_result *r = &host->probes[k];
			enum said said, is;
			struct nd_walk_ask ask;
			struct nd_walk walk;
			char dst[ND_IP_TEXT];

			if (!probe_ask(host, r, &ask))
				continue;
			nd_walk_run(w->walk, &ask, &walk);
			said = walk_says(&walk);
			is = probe_says(r);
			n++;
			if (said == SAYS_NOTHING || is == SAYS_NOTHING) {
				nsilent++;
				if (getenv("ND_WALK_LOUD"))
					for (size_t p = 0; p < walk.npaths; p++)
						show(&walk.paths[p], nd_probe_outcome_name(r->outcome));
				continue;
			}
			if (said == is || (said == SAYS_REFUSED && is == SAYS_FAILS))
				continue;
			ndiffer++;
			printf("  %s: %s netns %lu %s %s:%u: was %s\n", name, host->node, (unsigned long)r->netns_inode,
			       nd_probe_kind_name(r->kind), nd_ip_text(r->ip, dst), r->port,
			       nd_probe_outcome_name(r->outcome));
			show(&walk.paths[0], host->node);
		}
	}
	printf("%s: %zu probes, %zu not comparable, %zu differ\n", name, n, nsilent, ndiffer);
	w->nbad = ndiffer;
}

static void probes_agree(void **state)
{
	static const char *const names[] = {"tests/api/verify/healthy.tar.gz",
					    "tests/api/verify/ip-forward-off.tar.gz",
					    "tests/cases/forward-drop-established/bundle.tar.gz"};

	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(names); i++) {
		struct world w;

		compare_probes(&w, names[i]);
		assert_int_equal(w.nbad, 0);
		world_free(&w);
	}
}

/* ---- faults: every walk that fails names the fault ---- */

static void faults_are_named(void **state)
{
	static const struct {
		const char *name, *reason;
	} faults[] = {
		{"ip-forward-off", "net.ipv4.ip_forward = 0"},
		{"nft-ip-forward-off", "net.ipv4.ip_forward = 0"},
		{"flannel-ip-forward-off", "net.ipv4.ip_forward = 0"},
		{"route-blackhole", "blackhole 10.244.1.0/25 swallows packets"},
		{"route-prohibit-services", "prohibit 10.96.0.0/12 refuses packets"},
		{"default-route-missing", "has no route to 10.96."},
		{"route-peer-missing", "in the range of pods, but the packet leaves the cluster"},
		{"route-peer-wrong-gw", "leaves the cluster by eth0 to 172.18.255.250"},
		{"forward-policy-drop", "FORWARD has the policy drop"},
		{"legacy-forward-drop", "FORWARD has the policy drop"},
		{"forward-drop-tcp", "-A FORWARD -s 10.244.0.0/16 -p tcp -j DROP"},
		{"forward-drop-established",
		 "-A FORWARD -s 10.244.0.0/16 -p tcp -m conntrack --ctstate ESTABLISHED --ctdir ORIGINAL -j DROP"},
		{"forward-reject-port", "-A FORWARD -p tcp -m tcp --dport 8181 -j REJECT"},
		{"raw-drop-pods", "-A PREROUTING -s 10.244.1.0/24 -j DROP"},
		{"mangle-drop-dns-udp", "-A PREROUTING -p udp -m udp --dport 53 -j DROP"},
		{"input-drop-from-pods", "-A INPUT -s 10.244.0.0/16 -j DROP"},
		{"nft-rule-drop", "ip saddr 10.244.0.0/16 counter drop"},
		{"nft-table-drop", "f has the policy drop"},
		{"flannel-nft-table-drop", "f has the policy drop"},
		{"arp-ignore", "(arp_ignore = 2)"},
		{"flannel-vxlan-fdb-wrong", "to 172.18.255.250, which is no node's address"},
		{"flannel-rp-filter-asymmetric", "rp_filter = 1 on flannel.1"},
		{"flannel-route-missing", "in the range of pods, but the packet leaves the cluster"},
		{"svc-target-port", "tcp port 8080"},
		{"svc-chain-flushed", "is a service, but the packet leaves by eth0"},
	};
	static const char *const harmless[] = {"ctl-netpol-allow",
					       "ctl-legacy-tables",
					       "ctl-extra-accept",
					       "flannel-ctl-extra-accept",
					       "flannel-ctl-forward-drop-with-accept",
					       "nft-ctl-extra-accept"};
	struct world w;

	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(faults); i++) {
		ask_everything(&w, faults[i].name, faults[i].reason);
		assert_true(w.nexpected > 0);
		assert_int_equal(w.nbad, 0);
		assert_int_equal(w.nunknown, 0);
		world_free(&w);
	}
	for (size_t i = 0; i < ND_ARRAY_LEN(harmless); i++) {
		ask_everything(&w, harmless[i], NULL);
		assert_int_equal(w.nbad + w.nunknown, 0);
		world_free(&w);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(healthy),
		cmocka_unit_test(probes_agree),
		cmocka_unit_test(faults_are_named),
	};
	if (argc > 1) {
		struct world w;
		if (argc > 2)
			compare_probes(&w, argv[1]);
		else
			ask_everything(&w, argv[1], NULL);
		world_free(&w);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
