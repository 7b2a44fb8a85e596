/*
 * f_ipset.c: `ipset save` of a hostile node, and a packet that is looked up in its sets a, b and c.
 * First 14 bytes: odd: IPv6; source, destination (of IPv6 the last four bytes), protocol, port,
 * mark.
 */
#include "common/base.h"

#include "plugin/model/build.h"
#include "plugin/model/look.h"
#include "plugin/walk/eval.h"
#include "plugin/walk/ipset.h"
#include "plugin/walk/ipt_compile.h"

#define HEAD 14
#define RULES(set)                                                                                 \
	"[0:0] -A FORWARD -m set --match-set " set " src -j MARK --set-xmark 0x10000/0x10000\n"    \
	"[0:0] -A FORWARD -m set ! --match-set " set " src,dst -j MARK --set-xmark 0x20000\n"      \
	"[0:0] -A FORWARD -m set --match-set " set " dst,dst,src --return-nomatch -j MARK "        \
	"--set-xmark 0x40000/0x40000\n[0:0] -A FORWARD -j SET --add-set " set "d src\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void push(struct nd_model *model, const char *name, const char *p, size_t n)
{
	struct nd_sink sink = nd_model_sink(model);
	struct nd_err err = {0};
	struct nd_item item = {
		.kind = ND_ITEM_SECTION, .node = "w1", .name = name, .bytes = p, .len = n};

	if (nd_sink_item(&sink, &item, &err) < 0)
		abort();
}

static void check_sets(const struct nd_host *host)
{
	for (size_t i = 0; i < host->nipsets; i++) {
		const struct nd_ipset *set = &host->ipsets[i];

		if (!set->name || !set->type || set->stride == 0 ||
		    set->stride > ND_IPSET_MAX_STRIDE || (!set->nparts && !set->unknown) ||
		    (set->nelements && !set->elements) || (set->nmembers && set->nelements))
			abort();
	}
}

static struct nd_pkt packet_of(const uint8_t *data)
{
	struct nd_pkt packet = {.family = data[0] & 1 ? 6 : 4, .iif = "eth0", .oif = "veth1"};
	size_t at = packet.family == 6 ? 12 : 0;

	packet.t.src.family = packet.t.dst.family = packet.family;
	if (at)
		packet.t.src.bytes[0] = packet.t.dst.bytes[0] = 0xfd;
	memcpy(packet.t.src.bytes + at, data + 1, 4);
	memcpy(packet.t.dst.bytes + at, data + 5, 4);
	packet.proto = data[9];
	packet.icmp_type = data[11];
	packet.t.sport = packet.t.dport = (uint16_t)(data[10] << 8 | data[11]);
	packet.mark = (uint32_t)(data[12] << 8 | data[13]);
	return packet;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char text[] =
		"*filter\n:FORWARD ACCEPT [0:0]\n" RULES("a") RULES("b") RULES("c") "COMMIT\n";
	char rules_text[sizeof(text) + 64];
	struct nd_arena arena = {0};
	struct nd_choices choices = {0};
	struct nd_rules rules;
	size_t n;

	if (size < HEAD)
		return 0;
	struct nd_model *model = nd_model_new();
	struct nd_pkt packet = packet_of(data);

	push(model, "ipsets", (const char *)data + HEAD, size - HEAD);
	snprintf(rules_text, sizeof(rules_text), "# netdoctor backend=nft family=%u\n%s",
		 packet.family, text);
	push(model, "iptables", rules_text, strlen(rules_text));
	const struct nd_host *host = nd_look_host(nd_model_finish(model), "w1");

	check_sets(host);
	struct nd_rtable *tables = nd_ipt_compile(
		&arena, packet.family == 6 ? &host->ipt6[ND_IPT_NFT] : &host->ipt[ND_IPT_NFT],
		ND_RULES_IPT_NFT, packet.family, nd_ipset_book_new(&arena, host), &n);
	nd_rules_build(&arena, tables, n, &rules);
	struct nd_eval eval = {.arena = &arena, .rules = &rules, .choices = &choices};

	if (nd_eval_hook(&eval, ND_FORWARD, &packet) == ND_HOOK_UNKNOWN && !eval.unknown)
		abort();
	nd_arena_free(&arena);
	nd_model_free(model);
	return 0;
}
