#include "common/base.h"
#include "common/jsonw.h"
#include "plugin/report/trace.h"

static const char *const hook_names[] = {[ND_PREROUTING] = "prerouting",
					 [ND_INPUT] = "input",
					 [ND_FORWARD] = "forward",
					 [ND_OUTPUT] = "output",
					 [ND_POSTROUTING] = "postrouting"};
static const char *const backend_names[] = {[ND_RULES_IPT_NFT] = "iptables-nft",
					    [ND_RULES_IPT_LEGACY] = "iptables-legacy",
					    [ND_RULES_NFT] = "nft"};
static const char *const kind_names[] = {
	[ND_WAY_SOURCE] = "source", [ND_WAY_ROUTE] = "route",	[ND_WAY_HOOK] = "hook",
	[ND_WAY_DEVICE] = "device", [ND_WAY_ENCAP] = "encap",	[ND_WAY_DECAP] = "decap",
	[ND_WAY_SOCKET] = "socket", [ND_WAY_POLICY] = "policy", [ND_WAY_END] = "end"};
static const char *const event_names[] = {[ND_EV_HOOK] = "hook",
					  [ND_EV_RULE] = "rule",
					  [ND_EV_POLICY] = "policy",
					  [ND_EV_CHANGE] = "change",
					  [ND_EV_UNKNOWN] = "unknown"};

static void print_share(struct nd_jsonw *w, double share)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%.4f", share);
	nd_jsonw_raw(w, "share", text, (size_t)n);
}

static void print_event(struct nd_jsonw *w, const struct nd_rule_event *e)
{
	nd_jsonw_begin(w, NULL, '{');
	nd_jsonw_str(w, "kind", event_names[e->kind]);
	if (e->table) {
		nd_jsonw_str(w, "backend", backend_names[e->table->backend]);
		nd_jsonw_str(w, "family", e->table->family);
		nd_jsonw_str(w, "table", e->table->name);
	}
	if (e->chain)
		nd_jsonw_str(w, "chain", e->chain->name);
	if (e->rule) {
		nd_jsonw_int(w, "number", e->rule->number);
		nd_jsonw_str(w, "rule", e->rule->text);
		nd_jsonw_int(w, "packets", (int64_t)e->rule->packets);
	}
	nd_jsonw_str(w, "what", e->what);
	print_share(w, e->share);
	nd_jsonw_end(w, '}');
}

static void print_ways(struct nd_jsonw *w, const char *key, const struct nd_way *ways, size_t n)
{
	nd_jsonw_begin(w, key, '[');
	for (size_t i = 0; i < n; i++) {
		nd_jsonw_begin(w, NULL, '{');
		nd_jsonw_str(w, "kind", kind_names[ways[i].kind]);
		nd_jsonw_str(w, "node", ways[i].node);
		nd_jsonw_int(w, "netns", (int64_t)ways[i].netns_inode);
		nd_jsonw_str(w, "text", ways[i].text);
		nd_jsonw_str(w, "where", ways[i].where);
		if (ways[i].kind == ND_WAY_HOOK)
			nd_jsonw_str(w, "hook", hook_names[ways[i].hook]);
		nd_jsonw_begin(w, "events", '[');
		for (size_t k = 0; k < ways[i].nevents; k++)
			print_event(w, &ways[i].events[k]);
		nd_jsonw_end(w, ']');
		nd_jsonw_end(w, '}');
	}
	nd_jsonw_end(w, ']');
}

static void print_turn(struct nd_jsonw *w, const struct nd_walk_path *path,
		       const struct nd_walk_turn *turn)
{
	nd_jsonw_begin(w, NULL, '{');
	nd_jsonw_str(w, "name", nd_walk_turn_name(turn, path->ways[0].packet->proto));
	nd_jsonw_int(w, "length", turn->length);
	nd_jsonw_str(w, "verdict", nd_walk_verdict_name(turn->verdict));
	nd_jsonw_str(w, "reason", turn->reason);
	nd_jsonw_str(w, "error", turn->error);
	print_ways(w, "steps", turn->ways, turn->nways);
	nd_jsonw_end(w, '}');
}

static void print_path(struct nd_jsonw *w, const struct nd_walk_path *path)
{
	nd_jsonw_begin(w, NULL, '{');
	print_share(w, path->share);
	nd_jsonw_str(w, "verdict", nd_walk_verdict_name(path->verdict));
	nd_jsonw_str(w, "reason", path->reason);
	nd_jsonw_str(w, "error", path->error);
	nd_jsonw_str(w, "node", path->node);
	nd_jsonw_str(w, "pod_namespace", path->pod ? path->pod->meta.ns : NULL);
	nd_jsonw_str(w, "pod", path->pod ? path->pod->meta.name : NULL);
	print_ways(w, "steps", path->ways, path->nways);
	nd_jsonw_str(w, "back_verdict",
		     path->nback ? nd_walk_verdict_name(path->back_verdict) : NULL);
	nd_jsonw_str(w, "back_reason", path->nback ? path->back_reason : NULL);
	print_ways(w, "back", path->back, path->nback);
	nd_jsonw_begin(w, "turns", '[');
	for (size_t i = 0; i < path->nturns; i++)
		print_turn(w, path, &path->turns[i]);
	nd_jsonw_end(w, ']');
	nd_jsonw_end(w, '}');
}

static void print_texts(struct nd_jsonw *w, const char *key, const char **texts, size_t n)
{
	nd_jsonw_begin(w, key, '[');
	for (size_t i = 0; i < n; i++)
		nd_jsonw_str(w, NULL, texts[i]);
	nd_jsonw_end(w, ']');
}

static void print_live(struct nd_jsonw *w, const struct nd_trace_live *live)
{
	if (!live) {
		nd_jsonw_str(w, "live", NULL);
		return;
	}
	nd_jsonw_begin(w, "live", '{');
	nd_jsonw_str(w, "outcome",
		     live->result ? nd_probe_outcome_name(live->result->outcome) : NULL);
	nd_jsonw_str(w, "expected", live->expected);
	nd_jsonw_bool(w, "agrees", live->is_same);
	print_texts(w, "moved", live->moved, live->nmoved);
	print_texts(w, "still", live->still, live->nstill);
	nd_jsonw_end(w, '}');
}

void nd_trace_print_json(const struct nd_trace *t, struct nd_buf *out)
{
	struct nd_jsonw w = {.out = out, .indent = 2};
	nd_jsonw_begin(&w, NULL, '{');
	nd_jsonw_str(&w, "apiVersion", "netdoctor/v1alpha1");
	nd_jsonw_str(&w, "kind", "Trace");
	nd_jsonw_str(&w, "from", t->from->text);
	nd_jsonw_str(&w, "to", t->to->text);
	nd_jsonw_str(&w, "protocol", t->proto);
	nd_jsonw_int(&w, "port", t->dport);
	nd_jsonw_begin(&w, "paths", '[');
	for (size_t i = 0; i < t->walk->npaths; i++)
		print_path(&w, &t->walk->paths[i]);
	nd_jsonw_end(&w, ']');
	nd_jsonw_bool(&w, "is_cut", t->walk->is_cut);
	print_live(&w, t->live);
	nd_jsonw_end(&w, '}');
	nd_buf_puts(out, "\n");
}
