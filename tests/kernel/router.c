/* router.c: the walk through R: what R's tools say of it into the model, packets through that. */
#include "common/base.h"

#include "plugin/model/json.h"
#include "plugin/model/look.h"
#include "plugin/walk/run.h"
#include "tests/kernel/kernel.h"

#define MAX_ALTERNATIVES 1024

static void feed(struct nd_model *model, const char *name, const char *bytes, size_t n)
{
	struct nd_sink sink = nd_model_sink(model);
	struct nd_err err = {0};
	struct nd_item item = {
		.kind = ND_ITEM_SECTION, .node = "R", .name = name, .bytes = bytes, .len = n};

	if (nd_sink_item(&sink, &item, &err) < 0) {
		fprintf(stderr, "kernel: section %s: %s\n", name, err.text);
		exit(2);
	}
}

/* `ip -j`, both families; says of each element which, as the agent does. */
static cJSON *ip_json(const char *const *argv4, const char *const *argv6)
{
	cJSON *all = cJSON_CreateArray();

	for (int six = 0; six < 2; six++) {
		nd_auto_buf struct nd_buf out = {0};
		const char *const *argv = six ? argv6 : argv4;
		cJSON *list;

		if (!argv)
			continue;
		child_run(argv, NULL, 0, &out);
		list = cJSON_ParseWithLength(out.data ? out.data : "[]", out.data ? out.len : 2);
		while (cJSON_GetArraySize(list) > 0) {
			cJSON *one = cJSON_DetachItemFromArray(list, 0);

			if (argv6)
				cJSON_AddStringToObject(one, "family", six ? "inet6" : "inet");
			cJSON_AddItemToArray(all, one);
		}
		cJSON_Delete(list);
	}
	return all;
}

static void feed_json(struct nd_model *model, const char *name, cJSON *json)
{
	char *text = cJSON_PrintUnformatted(json);

	feed(model, name, text, strlen(text));
	free(text);
	cJSON_Delete(json);
}

static void feed_net(struct nd_model *model)
{
	static const char *const links[] = {"ip", "-d", "-j", "link", NULL};
	static const char *const addrs[] = {"ip", "-j", "addr", NULL};
	static const char *const routes[2][9] = {
		{"ip", "-4", "-d", "-j", "route", "show", "table", "all", NULL},
		{"ip", "-6", "-d", "-j", "route", "show", "table", "all", NULL}};
	static const char *const rules[2][5] = {{"ip", "-4", "-j", "rule", NULL},
						{"ip", "-6", "-j", "rule", NULL}};

	feed_json(model, "links", ip_json(links, NULL));
	feed_json(model, "addrs", ip_json(addrs, NULL));
	feed_json(model, "routes", ip_json(routes[0], routes[1]));
	feed_json(model, "rules", ip_json(rules[0], rules[1]));
}

static void feed_sysctls(struct nd_model *model, bool is_strict)
{
	nd_auto_buf struct nd_buf text = {0};

	nd_buf_printf(&text,
		      "net.ipv4.conf.all.rp_filter = %d\nnet.ipv4.conf.ra.rp_filter = %d\n"
		      "net.ipv4.conf.rb.rp_filter = %d\nnet.ipv4.ip_forward = 1\n"
		      "net.ipv6.conf.all.forwarding = 1\n",
		      is_strict, is_strict, is_strict);
	feed(model, "sysctls", text.data, text.len);
}

/* For the test that a difference is seen: another text in the place of one that is there. */
static void tell_lie(const char *const lie[2], struct nd_buf *text)
{
	const char *hit = lie[0] && text->len
				  ? memmem(text->data, text->len, lie[0], strlen(lie[0]))
				  : NULL;
	nd_auto_buf struct nd_buf was = *text;
	size_t n = hit ? (size_t)(hit - text->data) : 0;

	if (!hit) {
		was = (struct nd_buf){0};
		return;
	}
	*text = (struct nd_buf){0};
	nd_buf_add(text, was.data, n);
	nd_buf_puts(text, lie[1]);
	n += strlen(lie[0]);
	nd_buf_add(text, was.data + n, was.len - n);
}

static void feed_rules(struct nd_model *model, const struct scenario *s,
		       const struct counters *counters)
{
	static const char *const heads[3] = {"# netdoctor backend=nft family=4\n",
					     "# netdoctor backend=nft family=6\n",
					     "# netdoctor backend=legacy family=4\n"};
	nd_auto_buf struct nd_buf text = {0};

	for (size_t i = 0; i < 3; i++) {
		if (!counters->save[i].len)
			continue;
		nd_buf_puts(&text, heads[i]);
		nd_buf_add(&text, counters->save[i].data, counters->save[i].len);
	}
	tell_lie(s->lie, &text);
	feed(model, "iptables", text.data ? text.data : "", text.len);
	if (counters->list.len)
		feed(model, "nft", counters->list.data, counters->list.len);
	else
		feed(model, "nft", "{\"nftables\": []}", 16);
}

static void feed_sets(struct nd_model *model, const struct scenario *s)
{
	static const char *const argv[] = {"ipset", "save", NULL};
	nd_auto_buf struct nd_buf text = {0};

	if (s->nsets && child_run(argv, NULL, 0, &text) != 0) {
		fprintf(stderr, "kernel: ipset save failed\n");
		exit(2);
	}
	feed(model, "ipsets", text.data ? text.data : "", text.len);
}

static void feed_sockets(struct nd_model *model)
{
	nd_auto_buf struct nd_buf text = {0};

	nd_buf_puts(&text, "[");
	for (size_t i = 0; box_ports[i]; i++)
		nd_buf_printf(&text,
			      "%s{\"proto\":\"tcp6\",\"addr\":\"::\",\"port\":%u},"
			      "{\"proto\":\"udp6\",\"addr\":\"::\",\"port\":%u}",
			      i ? "," : "", box_ports[i], box_ports[i]);
	nd_buf_puts(&text, "]");
	feed(model, "sockets", text.data, text.len);
}

void router_make(struct router *router, const struct scenario *s, const struct counters *counters)
{
	const struct nd_cluster *cluster;

	*router = (struct router){.model = nd_model_new(), .counters = counters};
	feed_net(router->model);
	feed_sysctls(router->model, s->is_strict);
	feed_rules(router->model, s, counters);
	feed_sets(router->model, s);
	feed_sockets(router->model);
	cluster = nd_model_finish(router->model);
	for (size_t i = 0; i < cluster->ngaps; i++)
		fprintf(stderr, "kernel: gap: %s: %s\n", cluster->gaps[i].what,
			cluster->gaps[i].why);
	router->world = nd_world_new(&router->arena, cluster);
	router->net = nd_world_net(router->world, nd_look_host(cluster, "R"), 0);
	router->rules = nd_net_rules(router->world, router->net);
	if (!router->rules)
		fprintf(stderr, "kernel: no rules: %s\n", router->net->no_rules);
}

void router_free(struct router *router)
{
	nd_arena_free(&router->arena);
	nd_model_free(router->model);
}

/* ---- one way ---- */
static struct nd_pkt to_pkt(const struct test_packet *p)
{
	size_t head = p->proto == ND_PROTO_TCP ? 20 : 8;

	return (struct nd_pkt){
		.family = p->family,
		.proto = p->proto,
		.t = p->t,
		.tcp_flags = p->tcp_flags,
		.icmp_type = p->icmp_type,
		.icmp_code = p->icmp_code,
		.ttl = p->ttl,
		.dscp = p->dscp,
		.length = (uint16_t)((p->family == 4 ? 20 : 40) + head + p->payload),
		.mark = p->from == SIDE_R ? p->mark : 0,
	};
}

static enum layer layer_of(const struct nd_rtable *table)
{
	return table->backend == ND_RULES_IPT_NFT      ? LAYER_IPT
	       : table->backend == ND_RULES_IPT_LEGACY ? LAYER_LEGACY
						       : LAYER_NFT;
}

static void count_hit(const struct counters *counters, const struct nd_rule_event *ev,
		      uint32_t *hits)
{
	for (size_t i = 0; i < counters->nrows; i++) {
		const struct counter_row *row = &counters->rows[i];

		if (row->number == ev->rule->number && row->layer == layer_of(ev->table) &&
		    nd_eq(row->chain, ev->chain->name) && nd_eq(row->table, ev->table->name) &&
		    nd_eq(row->family, ev->table->family)) {
			hits[i]++;
			return;
		}
	}
	fprintf(stderr, "kernel: the walk met a rule that is not listed: %s\n", ev->rule->text);
}

static void count_hits(const struct counters *counters, const struct nd_run *run, uint32_t *hits,
		       bool *is_port_free)
{
	for (size_t w = 0; w < run->nways; w++) {
		const struct nd_rrule *last = NULL;

		for (size_t i = 0; i < run->ways[w].nevents; i++) {
			const struct nd_rule_event *ev = &run->ways[w].events[i];

			if (ev->what && strstr(ev->what, "the kernel picks"))
				*is_port_free = true;
			/* One rule may do several things. */
			if (ev->rule && ev->rule != last)
				count_hit(counters, ev, hits);
			last = ev->rule;
		}
	}
}

/* Of the base chain that led to the event. */
static int32_t base_priority(const struct nd_run *run, const struct nd_rule_event *last)
{
	int32_t priority = 0;

	for (size_t w = 0; w < run->nways; w++)
		for (size_t i = 0; i < run->ways[w].nevents; i++) {
			const struct nd_rule_event *ev = &run->ways[w].events[i];

			if (ev->kind == ND_EV_HOOK && ev->chain)
				priority = ev->chain->priority;
			if (ev == last)
				return priority;
		}
	return priority;
}

/* In a chain before -200 of the hook in which it began. */
static bool is_before_ct(const struct nd_run *run, const struct outcome *outcome)
{
	size_t nhooks = 0;
	const struct nd_rule_event *last = NULL;

	if (outcome->fate == FATE_SENT || outcome->fate == FATE_LOCAL)
		return false;
	for (size_t w = 0; w < run->nways; w++) {
		if (run->ways[w].kind != ND_WAY_HOOK || !run->ways[w].nevents)
			continue;
		nhooks++;
		last = &run->ways[w].events[run->ways[w].nevents - 1];
	}
	if (!last || !last->what ||
	    !(nd_starts(last->what, "drop") || nd_starts(last->what, "reject") ||
	      nd_eq(last->what, "policy drop")))
		return false;
	return nhooks == 1 && last->chain &&
	       (last->hook == ND_PREROUTING || last->hook == ND_OUTPUT) &&
	       base_priority(run, last) < -200;
}

static void settle(struct router *router, const struct nd_run *run, struct outcome *out)
{
	out->t = run->pkt.t;
	out->mark = run->pkt.mark;
	out->ttl = run->pkt.ttl;
	out->dscp = run->pkt.dscp;
	out->why = run->reason;
	out->error = run->error;
	out->ct = run->pkt.ct;
	if (!run->is_over && run->next == nd_way_transmit) {
		out->fate = FATE_SENT;
		out->dev = run->dev;
	} else if (run->verdict == ND_WALK_DELIVERED || run->verdict == ND_WALK_REFUSED) {
		out->fate = FATE_LOCAL;
	} else if (run->verdict == ND_WALK_REJECTED) {
		out->fate = FATE_REJECTED;
	} else {
		out->fate = run->verdict == ND_WALK_DROPPED ? FATE_GONE : FATE_UNKNOWN;
	}
	out->is_before_ct = is_before_ct(run, out);
	out->hits = nd_arena_array(&router->arena, router->counters->nrows, sizeof(*out->hits));
	count_hits(router->counters, run, out->hits, &out->is_port_free);
}

static void go(struct nd_run *run)
{
	while (run->next && !run->is_over && run->nways < ND_WALK_MAX_WAYS) {
		void (*step)(struct nd_run *) = run->next;

		if (step == nd_way_transmit && !nd_eq(run->dev, "lo"))
			return;
		run->next = NULL;
		step(run);
	}
}

static void walk_once(struct router *router, const struct test_packet *packet,
		      const struct nd_ct *ct, struct nd_choices *choices, struct outcome *out)
{
	static const char *const devs[] = {"ra", "rb"};
	struct nd_walk_ask ask = {.host = router->net->host,
				  .src = packet->t.src,
				  .dst = packet->t.dst,
				  .proto = packet->proto,
				  .has_all_rules = true};
	struct nd_run run = {.world = router->world,
			     .arena = &router->arena,
			     .choices = choices,
			     .ask = &ask,
			     .net = router->net,
			     .pkt = to_pkt(packet)};

	if (ct && ct->orig.src.family)
		ND_ARENA_PUSH(run.arena, run.conns, run.nconns) =
			(struct nd_conn){.net = run.net, .proto = packet->proto, .ct = *ct};
	/* kernel: tcp_new(), icmp_new() */
	else if ((packet->proto == ND_PROTO_TCP && (packet->tcp_flags & 23) != 2 &&
		  (packet->tcp_flags & 23) != 16) ||
		 packet->icmp_type == 129 ||
		 (packet->proto == ND_PROTO_ICMP && packet->icmp_type == 0))
		ask.ct_state = ND_CT_INVALID;
	if (packet->from == SIDE_R) {
		run.home = run.net;
		run.next = nd_way_output;
	} else {
		run.dev = devs[packet->from];
		run.next = nd_way_receive;
	}
	go(&run);
	settle(router, &run, out);
}

size_t router_walk(struct router *router, const struct test_packet *packet, const struct nd_ct *ct,
		   struct outcome **out)
{
	struct nd_choices choices = {0};
	size_t n = 0;

	*out = NULL;
	do {
		struct outcome one = {0};

		nd_choices_rewind(&choices);
		walk_once(router, packet, ct, &choices, &one);
		one.share = nd_choices_share(&choices);
		ND_ARENA_PUSH(&router->arena, *out, n) = one;
	} while (n < MAX_ALTERNATIVES && nd_choices_next(&choices));
	return n;
}
