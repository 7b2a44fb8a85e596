#include "common/base.h"
#include "plugin/cli/progress.h"
#include "plugin/cmd/cmd.h"
#include "plugin/gather.h"
#include "plugin/report/trace.h"
#include "plugin/report/trace_live.h"

struct tracing {
	const struct nd_args *args;
	struct nd_arena arena;
	const char *proto;
	uint8_t proto_number;
	struct nd_gathering before, after; /* after: only with --live */
	struct nd_place from, to;
	struct nd_walk_ask ask;
};

static int pick_proto(struct tracing *t, struct nd_err *err)
{
	const struct nd_args *a = t->args;
	if (a->tcp + a->udp + a->icmp > 1)
		return nd_err_set(err, ND_E_USAGE, "--tcp, --udp and --icmp exclude each other");
	t->proto = a->udp ? "udp" : a->icmp ? "icmp" : "tcp";
	t->proto_number = a->udp ? ND_PROTO_UDP : a->icmp ? ND_PROTO_ICMP : ND_PROTO_TCP;
	return 0;
}

static bool is_path(const char *text)
{
	return text[0] == '/' && nd_probe_name_is_ok(text);
}

static int check(const struct nd_args *a, struct nd_err *err)
{
	const char *o = a->output ? a->output : "text";
	if (!nd_eq(o, "text") && !nd_eq(o, "wide") && !nd_eq(o, "json"))
		return nd_err_set(err, ND_E_USAGE, "-o %s: wanted one of text, wide, json", o);
	if (a->nwords != 2)
		return nd_err_set(err, ND_E_USAGE,
				  "trace wants a source and a destination: trace shop/web-1 "
				  "svc/shop/db:5432");
	if (a->nhttp && (!a->live || a->udp || a->icmp || a->nhttp > 1 || !is_path(a->http[0])))
		return nd_err_set(err, ND_E_USAGE,
				  "trace --http wants one path, and --live over TCP: --live --http "
				  "/healthz");
	if (a->from && (a->save || a->live))
		return nd_err_set(err, ND_E_USAGE, "--from excludes --save and --live");
	if (a->no_agent || (a->live && (a->no_probe || nd_eq(a->probe, "none"))))
		return nd_err_set(err, ND_E_USAGE,
				  "--no-agent and --no-probe leave trace nothing to look at");
	return 0;
}

/* Where from, where to, once the cluster is known. */
static int find_ends(struct tracing *t, const struct nd_cluster *cluster, struct nd_err *err)
{
	const char *const *words = t->args->words;
	if (nd_place_find(&t->arena, cluster, words[0], t->proto, &t->from, err) < 0 ||
	    nd_place_is_source(&t->from, err) < 0 ||
	    nd_place_find(&t->arena, cluster, words[1], t->proto, &t->to, err) < 0)
		return -1;
	bool is_v6 = !t->to.ip.family || !t->from.ip.family;
	if (is_v6 && (!t->to.ip6.family || !t->from.ip6.family))
		return nd_err_set(err, ND_E_USAGE, "%s and %s have no address family in common",
				  words[0], words[1]);
	if (!t->to.port && t->proto_number != ND_PROTO_ICMP)
		return nd_err_set(err, ND_E_USAGE, "%s: a port is wanted behind ':'", words[1]);
	if (t->args->live && t->to.is_outside && !t->args->external)
		return nd_err_set(err, ND_E_USAGE,
				  "%s: no pod, service or node of this cluster has that address "
				  "(--external allows to send there)",
				  words[1]);
	t->ask = (struct nd_walk_ask){.host = t->from.host,
				      .netns_inode = t->from.netns_inode,
				      .dst = is_v6 ? t->to.ip6 : t->to.ip,
				      .proto = t->proto_number,
				      .dport = t->proto_number == ND_PROTO_ICMP ? 0 : t->to.port,
				      .has_turns = true};
	if (t->proto_number == ND_PROTO_ICMP) {
		t->ask.proto = is_v6 ? ND_PROTO_ICMP6 : ND_PROTO_ICMP;
		t->ask.icmp_type = is_v6 ? 128 : 8;
	}
	return 0;
}

/* The one probe of --live; nothing else is sent. */
static int prepare(void *ctx, const struct nd_cluster *cluster, struct nd_probe_options *plan,
		   struct nd_err *err)
{
	struct tracing *t = ctx;
	if (find_ends(t, cluster, err) < 0)
		return -1;
	struct nd_probe *probe = nd_arena_alloc(&t->arena, sizeof(*probe));
	*probe = (struct nd_probe){.node = t->ask.host->node,
				   .netns_inode = t->ask.netns_inode,
				   .kind = t->args->nhttp	    ? ND_PROBE_http
					   : nd_eq(t->proto, "tcp") ? ND_PROBE_tcp
					   : nd_eq(t->proto, "udp") ? ND_PROBE_udp
								    : ND_PROBE_icmp,
				   .ip = t->ask.dst,
				   .port = t->ask.dport,
				   .name = t->args->nhttp ? t->args->http[0] : NULL};
	plan->exactly = probe;
	return 0;
}

static int gather(struct tracing *t, struct nd_err *err)
{
	struct nd_args args = *t->args;
	args.no_probe = !args.live;
	t->before.arena = &t->arena;
	t->before.rounds = (struct nd_round_options){.prepare = prepare, .prepare_ctx = t};
	if (nd_gather(&t->before, &args, err) < 0)
		return -1;
	if (!args.live)
		return 0;
	args.no_probe = true; /* once more: which counters rose? */
	args.save = NULL;
	t->after.arena = &t->arena;
	return nd_gather(&t->after, &args, err);
}

/* A path that ends well, badly, or somewhere that is not known. */
static int exit_code(const struct nd_walk *walk)
{
	bool is_unknown = walk->is_cut || walk->npaths == 0;
	for (size_t i = 0; i < walk->npaths; i++) {
		enum nd_walk_verdict v = nd_walk_path_verdict(&walk->paths[i]);
		if (v == ND_WALK_UNKNOWN)
			is_unknown = true;
		else if (v != ND_WALK_DELIVERED && v != ND_WALK_OUTSIDE)
			return ND_EXIT_PROBLEMS;
	}
	return is_unknown ? ND_EXIT_INCOMPLETE : ND_EXIT_OK;
}

static int trace(struct tracing *t, struct nd_buf *out, struct nd_err *err)
{
	struct nd_walk walk;
	struct nd_trace_live live;
	if (check(t->args, err) < 0 || pick_proto(t, err) < 0 || gather(t, err) < 0 ||
	    find_ends(t, t->before.cluster, err) < 0)
		return -1;
	nd_walk_run(nd_world_new(&t->arena, t->before.cluster), &t->ask, &walk);
	struct nd_trace answer = {.from = &t->from,
				  .to = &t->to,
				  .proto = t->proto,
				  .dport = t->ask.dport,
				  .walk = &walk};
	if (t->args->live) {
		nd_trace_live_find(&t->arena, &t->ask, &walk, t->after.cluster, &live);
		answer.live = &live;
	}
	struct nd_style style = {.has_colour = nd_terminal_has_colour(STDOUT_FILENO),
				 .is_wide = nd_eq(t->args->output, "wide")};
	if (nd_eq(t->args->output, "json"))
		nd_trace_print_json(&answer, out);
	else
		nd_trace_print_text(&answer, &style, out);
	return exit_code(&walk);
}

static int run(const struct nd_args *args, struct nd_buf *out, struct nd_err *err)
{
	struct tracing t = {.args = args};
	int rc = trace(&t, out, err);
	nd_gathering_free(&t.before);
	nd_gathering_free(&t.after);
	nd_arena_free(&t.arena);
	return rc;
}

const struct nd_cmd nd_cmd_trace = {
	.name = "trace",
	.usage = "trace SOURCE DESTINATION[:PORT] [--tcp|--udp|--icmp] [--live [--http PATH]]",
	.help = "the way of a packet: every route and rule that it meets",
	.run = run,
};
