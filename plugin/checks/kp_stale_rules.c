#include "common/base.h"
#include "plugin/checks/facts.h"
#include "plugin/model/programmed.h"

#define MAX_PROOFS 6
#define MAX_NAMES 4
#define MAX_MISSING 64 /* of a node, that are looked at */
/* kube-proxy writes a new service within a second or two; so much older than that is proof. */
#define MIN_AGE_S 60

/* A service port that the node's rules do not know at all. */
struct missing {
	struct nd_programmed_port port; /* its lists are gone with the diff */
	uint8_t family;
	bool is_empty; /* the node's rules know no service */
	size_t at;     /* its place in the diff, the same on all nodes */
};
struct place {
	const struct nd_host *host;
	bool is_proxy_down, is_ready;
	struct nd_finding *f;
	struct missing *missing; /* nmissing */
	size_t nmissing;
	const char *lacks; /* "lacks 3 of 812 services: ...", or NULL */
};
struct look {
	struct nd_check_run *run;
	struct nd_arena *scratch;
	const struct nd_expected *expected;
	struct place *places; /* nplaces */
	size_t nplaces;
	/* How many nodes have a rule for the n-th port: [0] IPv4, [1] IPv6. */
	uint32_t *have[2];
	size_t nhave[2];
};

/* A pod address that no pod and no slice has any more. */
static bool is_gone(const struct look *look, struct nd_ip ip)
{
	const struct nd_cluster *cluster = look->run->cluster;
	struct nd_prefix pods = nd_look_cluster_cidr(cluster);
	bool is_pods = nd_look_is_pod_ip(cluster, ip) ||
		       (pods.ip.family == ip.family && nd_prefix_has(pods, ip));
	return ip.family && is_pods && !nd_look_pod_by_ip(cluster, ip) &&
	       !nd_expected_has_address(look->expected, ip);
}

static const char *port_name(struct nd_check_run *run, const struct nd_programmed_port *port)
{
	const struct nd_meta *meta = &port->service->meta;
	return nd_check_text(run, "%s/%s:%u", meta->ns, meta->name, port->port->port);
}

/* One service once: "shop/db:5432, shop/web:80, ..." */
static const char *lacks_text(struct nd_check_run *run, const struct nd_programmed *diff)
{
	const struct nd_service *last = NULL;
	const char *names = "";
	size_t n = 0;
	for (size_t i = 0; i < diff->nports; i++) {
		const struct nd_programmed_port *port = &diff->ports[i];
		if (!port->nlacking || port->service == last)
			continue;
		last = port->service;
		if (n++ < MAX_NAMES)
			names = nd_check_text(run, "%s%s%s", names, n > 1 ? ", " : ": ",
					      port_name(run, port));
	}
	return n ? nd_check_text(run, "lacks endpoints of %zu of %zu services%s%s", n,
				 diff->summary.nservices, names, n > MAX_NAMES ? ", ..." : "")
		 : NULL;
}

/* ---- addresses that are gone ---- */
static void report_stale(struct look *look, struct place *place,
			 const struct nd_programmed_port *port, const struct nd_backend *backend)
{
	struct nd_check_run *run = look->run;
	const struct nd_meta *meta = &port->service->meta;
	char text[ND_IP_TEXT];
	if (!place->f) {
		place->f = nd_find(run, "node/%s", place->host->node);
		place->f->is_likely = !place->is_proxy_down;
		place->f->title =
			nd_check_text(run, "Service %s/%s on %s still leads to pods that are gone",
				      meta->ns, meta->name, place->host->node);
	}
	if (place->f->nproof < MAX_PROOFS)
		nd_prove(run, place->f,
			 nd_check_text(run, "%s: %s", place->host->node, port->chain),
			 "%s/%s leads to %s:%u, which no pod has", meta->ns, meta->name,
			 nd_ip_text(backend->ip, text), backend->port);
}

/*
 * A rollout takes kube-proxy a second or two, and the rules were not read at the instant the API
 * was. Late by more than that is who knows the dead but not the living: new pods become ready
 * before old ones end.
 */
static void look_at_port(struct look *look, struct place *place,
			 const struct nd_programmed_port *port)
{
	if (!port->service || port->kind != ND_PROGRAMMED_CLUSTER_IP ||
	    (!place->is_proxy_down && !port->nlacking_live))
		return;
	for (size_t i = 0; i < port->nprogrammed && port->nstale; i++)
		if (!nd_programmed_expects(port, &port->programmed[i]) &&
		    is_gone(look, port->programmed[i].ip))
			report_stale(look, place, port, &port->programmed[i]);
}

/* ---- services that are not there at all ---- */
static void note_missing(struct look *look, struct place *place, const struct nd_programmed *diff,
			 uint8_t family)
{
	size_t which = family == 6, n = 0;
	while (n < diff->nports && diff->ports[n].service)
		n++;
	if (!look->have[which]) {
		look->have[which] = nd_arena_array(look->scratch, n, sizeof(uint32_t));
		look->nhave[which] = n;
	}
	for (size_t i = 0; i < n && i < look->nhave[which]; i++) {
		const struct nd_programmed_port *port = &diff->ports[i];
		look->have[which][i] += port->chain != NULL;
		if (port->verdict != ND_PROGRAMMED_MISSING || place->nmissing == MAX_MISSING)
			continue;
		ND_ARENA_PUSH(look->scratch, place->missing, place->nmissing) =
			(struct missing){*port, family, diff->is_empty, i};
	}
}

/*
 * Not for what is young, nor for what kube-proxy rejects: there it knows the service, and its
 * endpoint may just have become ready. A service that all nodes lack has just been deleted, unless
 * they lack everything.
 */
static bool is_proved(const struct look *look, const struct place *place,
		      const struct missing *missing)
{
	int64_t now = place->host->time_unix_s, born = missing->port.service->created_unix_s;
	/* Without any rule and any kube-proxy there is nothing out of date: kp-not-running. */
	if (place->is_proxy_down)
		return !missing->is_empty;
	/* Addresses for the outside come and go while the service gets old. */
	if (missing->port.kind == ND_PROGRAMMED_EXTERNAL_IP ||
	    missing->port.kind == ND_PROGRAMMED_LB_IP)
		return false;
	return place->is_ready && !missing->port.is_rejected && now && born &&
	       now - born >= MIN_AGE_S &&
	       (missing->is_empty || look->have[missing->family == 6][missing->at] > 0);
}

static void report_missing(struct look *look, struct place *place)
{
	struct nd_check_run *run = look->run;
	for (size_t i = 0; i < place->nmissing; i++) {
		const struct nd_programmed_port *port = &place->missing[i].port;
		if (!is_proved(look, place, &place->missing[i]))
			continue;
		if (!place->f) {
			place->f = nd_find(run, "node/%s", place->host->node);
			place->f->is_likely = !place->is_proxy_down;
			place->f->title = nd_check_text(run, "%s has no rules for service %s/%s",
							place->host->node, port->service->meta.ns,
							port->service->meta.name);
		}
		if (place->f->nproof >= MAX_PROOFS)
			return;
		static const char *const kinds[] = {
			[ND_PROGRAMMED_CLUSTER_IP] = " port",
			[ND_PROGRAMMED_NODE_PORT] = " node port",
			[ND_PROGRAMMED_EXTERNAL_IP] = " external address, port",
			[ND_PROGRAMMED_LB_IP] = " load balancer address, port"};
		nd_prove(run, place->f, nd_fact_where(run, place->host, "rules of kube-proxy"),
			 "no rule for %s%s %u, which has %zu ready endpoints", port_name(run, port),
			 kinds[port->kind], port->number, port->nexpected);
	}
}

static void look_at(struct look *look, struct place *place, enum nd_proxy_mode mode, uint8_t family)
{
	struct nd_arena scratch = {0};
	struct nd_programmed_ask ask = {place->host, mode, nd_fact_kube_backend(place->host),
					family};
	struct nd_programmed diff;
	if (nd_programmed_diff(&scratch, look->expected, &ask, &diff)) {
		for (size_t i = 0; i < diff.nports; i++)
			look_at_port(look, place, &diff.ports[i]);
		if (!place->lacks)
			place->lacks = lacks_text(look->run, &diff);
		/* Of a mode that nobody knows (a typo), only what is there can be judged. iptables
		 * without any service is ipt-kube-chains-flushed. */
		if (nd_look_proxy_mode(look->run->cluster) == mode &&
		    !(diff.is_empty && mode == ND_PROXY_IPTABLES))
			note_missing(look, place, &diff, family);
	}
	nd_arena_free(&scratch);
}

static void look_at_host(struct look *look, const struct nd_host *host)
{
	const struct nd_cluster *cluster = look->run->cluster;
	enum nd_proxy_mode mode = nd_look_proxy_mode(cluster);
	const struct nd_pod *proxy = nd_fact_kube_proxy_pod(cluster, host->node);
	const struct nd_node *node = nd_look_node(cluster, host->node);
	struct place *place = &look->places[look->nplaces++];
	*place = (struct place){.host = host,
				.is_proxy_down = !proxy || nd_fact_not_running(proxy),
				.is_ready = node && node->is_ready};
	for (uint8_t family = 4; family <= 6; family += 2) {
		if (mode != ND_PROXY_NFTABLES)
			look_at(look, place, ND_PROXY_IPTABLES, family);
		if (mode != ND_PROXY_IPTABLES)
			look_at(look, place, ND_PROXY_NFTABLES, family);
	}
}

static void run(struct nd_check_run *run)
{
	const struct nd_cluster *cluster = run->cluster;
	struct nd_arena scratch = {0};
	struct look look = {.run = run, .scratch = &scratch};
	if (!cluster->nhosts || !nd_look_has_list(cluster, "pods") ||
	    !nd_look_has_list(cluster, "endpointslices") || !nd_look_has_list(cluster, "services"))
		return;
	look.expected = nd_fact_expected(run);
	look.places = nd_arena_array(&scratch, cluster->nhosts, sizeof(*look.places));
	for (size_t i = 0; i < cluster->nhosts; i++)
		look_at_host(&look, &cluster->hosts[i]);
	for (size_t i = 0; i < look.nplaces; i++) {
		struct place *place = &look.places[i];
		report_missing(&look, place);
		if (place->f && place->lacks)
			nd_prove(run, place->f,
				 nd_fact_where(run, place->host, "API and rules of kube-proxy"),
				 "%s %s", place->host->node, place->lacks);
	}
	nd_arena_free(&scratch);
}

const struct nd_check nd_check_kp_stale_rules = {
	.id = "kp-stale-rules",
	.layer = ND_LAYER_PROXY,
	.kind = ND_CAUSE,
	.severity = ND_ERROR,
	.title = "The node's service rules are out of date",
	.why = "The node sends a part of the connections to addresses that no pod has any more, or "
	       "has no rules for a service at all, so they time out. kube-proxy does not run "
	       "there, or it can't read the API or write "
	       "its rules.",
	.fix = "delete the kube-proxy pod of NODE: the new one writes all rules again; look at its "
	       "log if they age again",
	.source = "kube-proxy: pkg/proxy/iptables/proxier.go, pkg/proxy/nftables/proxier.go",
	.explains = {{"svc-pods-not-ready", ND_SAME_NODE}, ND_EXPLAINS_SERVICES(ND_SAME_NODE)},
	.run = run,
};
