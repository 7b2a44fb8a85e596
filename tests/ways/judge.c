/* judge.c: which packets are sent, what the walk says of them, and whether the probe agrees. */
#include "common/base.h"

#include "plugin/report/trace_live.h"
#include "tests/ways/ways.h"

/* A router tells one sender of refusing routes six times at once, then once a second. */
#define MAX_TOLD 4

static void pair_add(struct pair *pairs, size_t *n, size_t max, int space, enum pair_kind kind,
		     const char *ip, uint16_t port)
{
	struct pair *pair = &pairs[*n];

	if (*n == max)
		return;
	*pair = (struct pair){.space = space, .kind = kind, .port = kind == PAIR_ICMP ? 0 : port};
	if (nd_ip_parse(ip, &pair->dst))
		++*n;
}

static void add_host(struct pair *pairs, size_t *n, size_t max, int space, const char *ip)
{
	pair_add(pairs, n, max, space, PAIR_TCP, ip, OPEN_PORT);
	pair_add(pairs, n, max, space, PAIR_UDP, ip, OPEN_PORT);
	pair_add(pairs, n, max, space, PAIR_TCP, ip, CLOSED_PORT);
	pair_add(pairs, n, max, space, PAIR_UDP, ip, CLOSED_PORT);
	pair_add(pairs, n, max, space, PAIR_ICMP, ip, 0);
}

static void add_source(struct lab *lab, struct pair *pairs, size_t *n, size_t max, int space)
{
	for (int six = 0; six < 2; six++) {
		if (!lab->has[six])
			continue;
		for (int p = 0; p < lab->npods; p++)
			add_host(pairs, n, max, space, pod_text(lab, p, six));
		for (int k = 0; k < lab->nnodes; k++)
			add_host(pairs, n, max, space,
				 node_text(lab, k, six, lab->has_second && k % 2));
		for (int s = 0; s < lab->nservices; s++) {
			pair_add(pairs, n, max, space, PAIR_TCP, service_text(lab, s, six),
				 SERVICE_PORT);
			pair_add(pairs, n, max, space, PAIR_UDP, service_text(lab, s, six),
				 SERVICE_PORT);
		}
		add_host(pairs, n, max, space, gateway_text(lab, 0, six));
		pair_add(pairs, n, max, space, PAIR_TCP, six ? "fd30::1" : "172.30.0.1", OPEN_PORT);
		pair_add(pairs, n, max, space, PAIR_ICMP, six ? "fd30::1" : "172.30.0.1", 0);
	}
}

/* Some of all there are, always the same for a seed. */
size_t pairs_make(struct lab *lab, struct pair *pairs, size_t max)
{
	static struct pair all[4096];
	struct rng rng = {lab->seed ^ 0x77617973};
	size_t n = 0;

	for (int s = 1; s < lab->nspaces; s++)
		add_source(lab, all, &n, ND_ARRAY_LEN(all), s);
	for (size_t i = 0; i < n && i < max; i++) {
		size_t other = i + rng_pick(&rng, (uint32_t)(n - i));

		pairs[i] = all[other];
		all[other] = all[i];
	}
	return n < max ? n : max;
}

static const struct nd_host *host_of(const struct lab *lab, const struct nd_cluster *cluster,
				     int space)
{
	for (int p = 0; p < lab->npods; p++)
		if (lab->pods[p].space == space)
			return nd_look_host(cluster,
					    lab->spaces[lab->nodes[lab->pods[p].node].space].name);
	return nd_look_host(cluster, lab->spaces[space].name);
}

static struct nd_walk_ask ask_of(struct lab *lab, const struct nd_cluster *cluster,
				 const struct pair *pair)
{
	static const uint8_t protos[] = {ND_PROTO_TCP, ND_PROTO_UDP, ND_PROTO_ICMP};
	bool is_pod = pair->space >= lab->pods[0].space;

	return (struct nd_walk_ask){.arena = &lab->arena,
				    .host = host_of(lab, cluster, pair->space),
				    .netns_inode = is_pod ? lab->spaces[pair->space].inode : 0,
				    .dst = pair->dst,
				    .dport = pair->port,
				    .proto = pair->kind == PAIR_ICMP && pair->dst.family == 6
						     ? ND_PROTO_ICMP6
						     : protos[pair->kind]};
}

/* How often that router told that sender already. */
static size_t times_told(struct lab *lab, const struct pair *pair, const struct nd_walk_path *path)
{
	char src[ND_IP_TEXT];
	const char *key;

	if (pair->dst.family != 4 || path->verdict != ND_WALK_REJECTED || !path->end ||
	    !path->end->where || !strstr(path->end->where, "ip route") || !path->end->packet)
		return 0;
	key = nd_arena_printf(&lab->arena, "%s %s", path->end->where,
			      nd_ip_text(path->end->packet->t.src, src));
	for (size_t i = 0; i < lab->ntold; i++)
		if (nd_eq(lab->told[i].key, key))
			return ++lab->told[i].n;
	if (lab->ntold == ND_ARRAY_LEN(lab->told))
		return MAX_TOLD + 1;
	lab->told[lab->ntold].key = key;
	lab->told[lab->ntold++].n = 1;
	return 1;
}

void pair_walk(struct lab *lab, struct nd_world *world, const struct nd_cluster *cluster,
	       struct pair *pair)
{
	struct nd_walk_ask ask = ask_of(lab, cluster, pair);
	struct nd_walk *walk = nd_arena_alloc(&lab->arena, sizeof(*walk));

	nd_walk_run(world, &ask, walk);
	pair->walk = walk;
	pair->judgement = JUDGE_SAME;
	for (size_t i = 0; i < walk->npaths; i++)
		if (times_told(lab, pair, &walk->paths[i]) > MAX_TOLD)
			pair->judgement = JUDGE_LIMITED;
}

static const char *why_unknown(const struct nd_walk *walk)
{
	if (walk->is_cut)
		return "too many ways";
	for (size_t i = 0; i < walk->npaths; i++) {
		const struct nd_walk_path *path = &walk->paths[i];

		if (path->verdict == ND_WALK_UNKNOWN)
			return path->reason;
		if (path->verdict == ND_WALK_DELIVERED && path->nback &&
		    path->back_verdict == ND_WALK_UNKNOWN)
			return path->back_reason;
	}
	return NULL;
}

static bool is_underlay(struct nd_ip ip)
{
	return ip.family == 4 ? ip.bytes[0] == 172
			      : ip.bytes[0] == 0xfd && (ip.bytes[1] & 0xf0) == 0x30;
}

/*
 * What leaves the cluster ends in u, which forwards nothing and knows no way to pods. To u itself
 * from a node's address it is answered; the answer's way is not walked: JUDGE_OUTSIDE.
 */
static void judge_outside(struct pair *pair, const struct nd_walk_path *path)
{
	static const char *const us[] = {"172.30.0.1", "172.31.0.1", "fd30::1", "fd31::1"};
	const struct nd_pkt *packet = path->end->packet;
	bool is_u = false;
	struct nd_ip ip;

	for (size_t i = 0; i < ND_ARRAY_LEN(us); i++)
		is_u |= nd_ip_parse(us[i], &ip) && nd_ip_eq(ip, packet->t.dst);
	if (is_u && is_underlay(packet->t.src)) {
		pair->judgement = JUDGE_OUTSIDE;
		return;
	}
	pair->expected = "TIMEOUT (it leaves the cluster)";
	pair->judgement = pair->result.outcome == ND_OUTCOME_timeout ? JUDGE_SAME : JUDGE_DIFFERS;
}

/*
 * The walk tells what becomes of packets when entries of neighbours have aged: each is asked for.
 * In a new network the question has taught whom it came from, and the answer needs none.
 */
static bool is_learned(const struct pair *pair)
{
	for (size_t i = 0; i < pair->walk->npaths; i++) {
		const struct nd_walk_path *path = &pair->walk->paths[i];

		if (path->nback && path->back_verdict == ND_WALK_LOST &&
		    strstr(path->back[path->nback - 1].text, "neighbour ") != NULL)
			return true;
		if (path->nback && path->back_verdict == ND_WALK_LOST &&
		    strstr(path->back_reason, "does not answer ARP"))
			return true;
	}
	return false;
}

void pair_judge(struct lab *lab, const struct nd_cluster *cluster, struct pair *pair)
{
	struct nd_walk_ask ask = ask_of(lab, cluster, pair);
	const struct nd_walk *walk = pair->walk;
	struct nd_trace_live live;
	struct nd_host host;

	pair->why = why_unknown(walk);
	pair->judgement = JUDGE_UNKNOWN;
	if (pair->why || !ask.host || !pair->has_result)
		return;
	/* trace --live looks for the probe among those of the host. */
	host = *ask.host;
	host.probes = &pair->result;
	host.nprobes = 1;
	pair->result.netns_inode = ask.netns_inode;
	ask.host = &host;
	nd_trace_live_find(&lab->arena, &ask, walk, cluster, &live);
	pair->expected = live.expected;
	pair->judgement = live.is_same ? JUDGE_SAME : JUDGE_DIFFERS;
	for (size_t i = 0; i < walk->npaths; i++)
		if (walk->paths[i].verdict == ND_WALK_OUTSIDE && walk->npaths > 1)
			pair->judgement = JUDGE_OUTSIDE;
	if (pair->judgement == JUDGE_DIFFERS && is_learned(pair))
		pair->judgement = JUDGE_LEARNED;
	if (walk->npaths == 1 && walk->paths[0].verdict == ND_WALK_OUTSIDE)
		judge_outside(pair, &walk->paths[0]);
}

/* ---- for people ---- */

static void ways_text(const struct nd_way *ways, size_t n, struct nd_buf *out)
{
	for (size_t i = 0; i < n; i++) {
		char src[ND_IP_TEXT], dst[ND_IP_TEXT];
		const struct nd_pkt *p = ways[i].packet;

		nd_buf_printf(out, "      %-28s %s", ways[i].where ? ways[i].where : "",
			      ways[i].text);
		if (p)
			nd_buf_printf(out, "   [%s:%u > %s:%u]", nd_ip_text(p->t.src, src),
				      p->t.sport, nd_ip_text(p->t.dst, dst), p->t.dport);
		nd_buf_puts(out, "\n");
		for (size_t k = 0; k < ways[i].nevents; k++)
			if (ways[i].events[k].rule)
				nd_buf_printf(out, "          %s\n", ways[i].events[k].rule->text);
	}
}

void pair_text(struct lab *lab, const struct pair *pair, struct nd_buf *out)
{
	static const char *const kinds[] = {"tcp", "udp", "icmp"};
	char ip[ND_IP_TEXT];

	nd_buf_printf(out, "  %s %s -> %s port %u: the kernel says %s (errno %d), expected %s\n",
		      lab->spaces[pair->space].name, kinds[pair->kind], nd_ip_text(pair->dst, ip),
		      pair->port,
		      pair->has_result ? nd_probe_outcome_name(pair->result.outcome) : "nothing",
		      pair->result.err_number, pair->expected ? pair->expected : "?");
	for (size_t i = 0; i < pair->walk->npaths && i < 4; i++) {
		const struct nd_walk_path *path = &pair->walk->paths[i];

		nd_buf_printf(out, "    share %.2f: %s (%s)\n", path->share,
			      nd_walk_verdict_name(path->verdict), path->reason);
		ways_text(path->ways, path->nways, out);
		if (!path->nback)
			continue;
		nd_buf_printf(out, "    the answer: %s (%s)\n",
			      nd_walk_verdict_name(path->back_verdict), path->back_reason);
		ways_text(path->back, path->nback, out);
	}
}

void lab_text(struct lab *lab, struct nd_buf *out)
{
	static const char *const tools[] = {
		"sysctl",	   "ip",  "bridge",	   "iptables", "ip6tables",
		"iptables-legacy", "nft", "nobody listens"};

	nd_buf_printf(out, "  seed %llu:%s%s%s%s", (unsigned long long)lab->seed,
		      lab->has[0] ? " IPv4" : "", lab->has[1] ? " IPv6" : "",
		      lab->is_six_in_four ? ", IPv6 in the IPv4 tunnel" : "",
		      lab->has_second ? ", two networks" : "");
	for (int n = 0; n < lab->nnodes; n++)
		nd_buf_printf(out, "; n%d %s", n + 1,
			      lab->nodes[n].is_flannel ? "flannel" : "kindnet");
	for (int p = 0; p < lab->npods; p++)
		nd_buf_printf(out, ", p%d on n%d", p, lab->pods[p].node + 1);
	nd_buf_puts(out, "\n");
	for (size_t i = 0; i < lab->nmutations; i++)
		for (size_t k = 0; k < lab->mutations[i].nsteps && !lab->mutations[i].is_off; k++) {
			const struct step *step = &lab->mutations[i].steps[k];

			nd_buf_printf(out, "  change %zu, %s, %s: %s\n", i,
				      lab->spaces[step->space].name, tools[step->tool], step->text);
		}
}
