/*
 * walk_bench: kube-proxy's iptables rules for 16 and for SERVICES (10,000) services with four
 * endpoints each: how long parse, compile and index take, what they need, and what a packet to a
 * ClusterIP costs in PREROUTING and POSTROUTING.
 *
 *	walk_bench [SERVICES [WALKS]]		walk_bench --save SERVICES	the rules, for other programs
 */
#include "common/base.h"

#include "plugin/model/build.h"
#include "plugin/model/look.h"
#include "plugin/walk/eval.h"
#include "plugin/walk/ipt_compile.h"
#include "tests/bench/rules.h"

#include <malloc.h>
#include <sys/resource.h>
#include <time.h>

/* Services that the packets go to: as many with 10,000 as the caches hold with few. */
#define SPREAD 16u

/* Of this process: other work on the machine is not ours. */
static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* As iptables-save prints what kube-proxy makes. */
static void save(struct nd_buf *out, uint32_t n)
{
	nd_buf_puts(out, "*nat\n:PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
			 ":POSTROUTING ACCEPT [0:0]\n:KUBE-SERVICES - [0:0]\n:KUBE-MARK-MASQ - [0:0]\n"
			 ":KUBE-POSTROUTING - [0:0]\n");
	save_chains(out, n);
	nd_buf_puts(out, "-A PREROUTING -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES\n"
			 "-A OUTPUT -m comment --comment \"kubernetes service portals\" -j KUBE-SERVICES\n"
			 "-A POSTROUTING -m comment --comment \"kubernetes postrouting rules\" -j KUBE-POSTROUTING\n"
			 "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000\n"
			 "-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN\n"
			 "-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0\n"
			 "-A KUBE-POSTROUTING -j MASQUERADE --random-fully\n");
	save_cluster_ips(out, n);
	save_services(out, n);
	nd_buf_puts(out, "COMMIT\n");
}

static double walks(const struct nd_rules *rules, uint32_t services, uint32_t n)
{
	struct nd_arena arena = {0};
	double start = now_s();
	uint32_t translated = 0;

	for (uint32_t i = 0; i < n; i++) {
		uint32_t s = i % SPREAD * (services / SPREAD);
		struct nd_choices choices = {0};
		struct nd_eval eval = {.arena = &arena, .rules = rules, .choices = &choices};
		struct nd_pkt p = {.family = 4, .proto = ND_PROTO_TCP, .iif = "veth1"};

		p.t.src = (struct nd_ip){.family = 4, .bytes = {10, 100, 9, 9}};
		p.t.dst = (struct nd_ip){.family = 4,
					 .bytes = {10, (uint8_t)(112 + (s >> 16)), (uint8_t)(s >> 8), (uint8_t)s}};
		p.t.sport = 40000;
		p.t.dport = 80;
		if (nd_eval_hook(&eval, ND_PREROUTING, &p) == ND_HOOK_PASS &&
		    nd_eval_hook(&eval, ND_POSTROUTING, &p) == ND_HOOK_PASS)
			translated += p.t.dport == 8080;
		if (i % 256 == 0)
			nd_arena_free(&arena);
	}
	nd_arena_free(&arena);
	if (translated != n) {
		fprintf(stderr, "walk_bench: %u of %u packets were translated\n", translated, n);
		exit(1);
	}
	return (now_s() - start) / n;
}

static double bench(uint32_t services, uint32_t n)
{
	struct nd_buf text = {0};
	struct nd_err err = {0};
	struct nd_model *model = nd_model_new();
	struct nd_sink sink = nd_model_sink(model);
	struct nd_arena arena = {0};
	struct nd_rules rules;
	struct nd_rtable *tables;
	size_t ntables, nrules = 0;
	double start, parsed, compiled, built, each;
	struct rusage usage;

	nd_buf_puts(&text, "# netdoctor backend=nft family=4\n");
	save(&text, services);
	start = now_s();
	struct nd_item item = {
		.kind = ND_ITEM_SECTION, .node = "w1", .name = "iptables", .bytes = text.data, .len = text.len};
	if (nd_sink_item(&sink, &item, &err) != 0) {
		fprintf(stderr, "walk_bench: %s\n", err.text);
		exit(1);
	}
	const struct nd_host *host = nd_look_host(nd_model_finish(model), "w1");
	parsed = now_s();
	tables = nd_ipt_compile(&arena, &host->ipt[ND_IPT_NFT], ND_RULES_IPT_NFT, 4, NULL, &ntables);
	compiled = now_s();
	nd_rules_build(&arena, tables, ntables, &rules);
	built = now_s();
	for (size_t i = 0; i < ntables; i++)
		for (size_t k = 0; k < tables[i].nchains; k++)
			nrules += tables[i].chains[k].nrules;
	walks(&rules, services, n / 4); /* caches and heap as they are in the middle of the work */
	each = walks(&rules, services, n);
	getrusage(RUSAGE_SELF, &usage);
	printf("%u services: %zu rules, %.1f MB; parse %.3f s, compile %.3f s, index %.3f s, together %.3f s;"
	       " compiled %.0f MB, process %ld MB; a walk %.2f us, %.0f walks/s\n",
	       services, nrules, (double)text.len / 1e6, parsed - start, compiled - parsed, built - compiled,
	       built - start, (double)arena.used_bytes / 1e6, usage.ru_maxrss / 1024, each * 1e6, 1 / each);
	nd_buf_free(&text);
	nd_arena_free(&arena);
	nd_model_free(model);
	return each;
}

int main(int argc, char **argv)
{
	uint32_t services = 10000, n = 200000;
	double one, many;

	if (argc > 2 && strcmp(argv[1], "--save") == 0) {
		struct nd_buf text = {0};

		save(&text, (uint32_t)strtoul(argv[2], NULL, 10));
		fwrite(text.data, 1, text.len, stdout);
		nd_buf_free(&text);
		return 0;
	}
	if (argc > 1)
		services = (uint32_t)strtoul(argv[1], NULL, 10);
	if (argc > 2)
		n = (uint32_t)strtoul(argv[2], NULL, 10);
	if (services < SPREAD || services > 100000 || n == 0)
		return 2;
	/* Else the time is that of the kernel which gives and takes the pages of freed arenas. */
	mallopt(M_TRIM_THRESHOLD, 256 << 20);
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
	one = bench(SPREAD, n);
	many = bench(services, n);
	printf("a walk with %u services costs %.2f times a walk with %u\n", services, many / one, SPREAD);
	return 0;
}
