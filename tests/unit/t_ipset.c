/* t_ipset.c: the section `ipsets`, and what rules with -m set make of it. */
#include "common/base.h"

#include "common/buf.h"
#include "plugin/walk/eval.h"
#include "plugin/walk/ipset.h"
#include "plugin/walk/ipt_compile.h"
#include "tests/unit/model.h"

/* ---- the decoder ---- */

/* One set: how many elements, or why it is not known (a part of that). */
static const struct {
	const char *text;
	size_t nelements;
	const char *unknown;
} sets[] = {
	{"create a hash:ip family inet hashsize 1024 maxelem 65536 timeout 300 counters comment skbinfo "
	 "bucketsize 12 initval 0xcd513074\n"
	 "add a 10.0.0.3 timeout 299 packets 0 bytes 0 comment \"he nomatch llo\"\n"
	 "add a 10.0.0.2 timeout 0 skbmark 0x1/0xff skbprio 1:2 skbqueue 3\n", 2, NULL},
	{"create a hash:ip family inet netmask 24\nadd a 10.1.2.0\n", 1, NULL},
	{"create a hash:ip family inet bitmask 255.0.255.0\nadd a 10.0.2.0\n", 1, NULL},
	{"create a hash:ip family inet bitmask 255.0.255.0/179\nadd a 10.0.2.0\n", 1, NULL},
	{"create a hash:net family inet6\nadd a fd00::/64 nomatch\nadd a fd00::1\nadd a ::/0\n", 3, NULL},
	{"create a hash:ip,port family inet\nadd a 10.0.0.1,vrrp:0\nadd a 10.0.0.1,icmp:echo-request\n"
	 "add a 10.0.0.1,icmp:100/3\nadd a 10.0.0.1,200:0\nadd a 10.0.0.1,tcp:65535\n", 5, NULL},
	{"create a hash:ip,port family inet6\nadd a fd00::1,ipv6-icmp:echo-request\n", 1, NULL},
	{"create a hash:ip,port,ip family inet\nadd a 10.0.0.1,tcp:80,10.0.0.2\n", 1, NULL},
	{"create a hash:net,port,net family inet6\nadd a fd00::/64,tcp:80,fd01::/64 nomatch\n", 1, NULL},
	{"create a hash:net,iface family inet\nadd a 0.0.0.0/0,eth wildcard\nadd a 10.0.0.0/8,eth0 nomatch wildcard\n",
	 2, NULL},
	{"create a hash:ip,mark family inet markmask 0x0000ff00\nadd a 10.0.0.1,0x00000001\n", 1, NULL},
	{"create a bitmap:ip range 10.0.0.0-10.0.255.255 netmask 24 timeout 30\nadd a 10.0.1.0 timeout 29\n", 1, NULL},
	{"create a bitmap:ip,mac range 10.0.0.0-10.0.0.255\nadd a 10.0.0.5,00:11:22:33:44:55\n"
	 "add a 10.0.0.6\n", 2, NULL},
	{"create a bitmap:port range 0-1024\nadd a 80\nadd a 0\n", 2, NULL},
	{"create a hash:mac\nadd a 00:11:22:33:44:55\n", 1, NULL},
	{"create a list:set size 8\nadd a b\nadd a c\n", 0, NULL},
	/* not understood: the set, not the section */
	{"create a hash:new,thing family inet\nadd a what\n", 0, "type is not known: hash:new,thing"},
	{"create a hash:ip family inet9\n", 0, "an option of it is not known: family"},
	{"create a hash:ip family\n", 0, "an option of it is not known: family"},
	{"create a hash:ip family inet new 1\n", 0, "an option of it is not known: new"},
	{"create a hash:net,net family inet netmask 24\n", 0, "netmask"},
	{"create a hash:ip family inet netmask 33\n", 0, "netmask"},
	{"create a hash:ip family inet\nadd a\n", 0, "element"},
	{"create a hash:ip family inet\nadd a fd00::1\n", 0, "element of it is not known: fd00::1"},
	{"create a hash:ip family inet\nadd a 10.0.0.1-10.0.0.9\n", 0, "element"},
	{"create a hash:ip family inet\nadd a 10.0.0.1 later\n", 0, "element"},
	{"create a hash:ip family inet\nadd a 10.0.0.1 comment \"open\n", 0, "element"},
	{"create a hash:ip family inet\nadd a \xff\xfe\n", 0, "element"},
	{"create a hash:net family inet\nadd a 10.0.0.1/8\n", 0, "element"},
	{"create a hash:net family inet\nadd a 10.0.0.0/33\n", 0, "element"},
	{"create a hash:net family inet\nadd a 10.0.0.0/\n", 0, "element"},
	{"create a hash:ip,port family inet\nadd a 10.0.0.1\n", 0, "element"},
	{"create a hash:ip,port family inet\nadd a 10.0.0.1,\n", 0, "element"},
	{"create a hash:ip,port family inet\nadd a 10.0.0.1,tcp\n", 0, "element"},
	{"create a hash:ip,port family inet\nadd a 10.0.0.1,tcp:\n", 0, "element"},
	{"create a hash:ip,port family inet\nadd a 10.0.0.1,tcp:65536\n", 0, "element"},
	{"create a hash:ip,port family inet\nadd a 10.0.0.1,256:0\n", 0, "element"},
	{"create a hash:ip,port family inet\nadd a 10.0.0.1,icmp:8\n", 0, "element"},
	{"create a hash:ip,port family inet\nadd a 10.0.0.1,tcp:80,10.0.0.2\n", 0, "element"},
	{"create a hash:net,iface family inet\nadd a 10.0.0.0/8,sixteen-bytes-xx\n", 0, "element"},
	{"create a hash:net,iface family inet\nadd a 10.0.0.0/8,fifteen-bytes-x\n", 1, NULL},
	{"create a hash:net,iface family inet\nadd a 10.0.0.0/8,physdev:eth0\n", 0, "element"},
	{"create a hash:mac\nadd a 00:11:22:33:44:5\n", 0, "element"},
	{"create a hash:mac\nadd a 00:11:22:33:44:555\n", 0, "element"},
	{"create a hash:mac\nadd a 00-11-22-33-44-55\n", 0, "element"},
	{"create a hash:ip family inet\nadd a 10.0.0.1\n# netdoctor cut a\n", 1, "more elements than are read"},
};

static void one_set(void **state)
{
	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(sets); i++) {
		struct nd_model *model = nd_model_new();
		const struct nd_host *host;

		feed_section(model, "ipsets", sets[i].text);
		host = host_of(model);
		if (!nd_host_has(host, ND_SECTION_ipsets) || host->nipsets != 1 ||
		    host->ipsets[0].nelements != sets[i].nelements ||
		    (sets[i].unknown ? !host->ipsets[0].unknown || !strstr(host->ipsets[0].unknown, sets[i].unknown)
				     : host->ipsets[0].unknown != NULL))
			fail_msg("%s: %zu sets, %zu elements, %s", sets[i].text, host->nipsets,
				 host->nipsets ? host->ipsets[0].nelements : 0,
				 host->nipsets && host->ipsets[0].unknown ? host->ipsets[0].unknown : "known");
		nd_model_free(model);
	}
}

static void sections(void **state)
{
	static const struct {
		const char *text;
		size_t nsets;
		bool is_whole;
	} rows[] = {
		{"", 0, true},
		{"\n", 0, true},
		{"# a remark\n# netdoctor cut a\n", 0, true},
		{"create a hash:ip family inet\ncreate b hash:ip family inet\nadd b 10.0.0.1\n", 2, true},
		{"create a hash:ip family inet\ncreate b hash:ip family inet\nadd a 10.0.0.1\n", 2, false},
		{"add a 10.0.0.1\n", 0, false},
		{"add\n", 0, false},
		{"create\n", 0, false},
		{"create a\n", 0, false},
		{"create a hash:ip family inet\nadd a 10.0.0.1", 0, false},
		{"create a23456789012345678901234567890b hash:ip\n", 0, true},
		{"create a234567890123456789012345678901b hash:ip\n", 0, false},
		{"destroy a\n", 0, false},
		{"{\"sets\": []}\n", 0, false},
	};

	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(rows); i++) {
		struct nd_model *model = nd_model_new();
		const struct nd_host *host;

		feed_section(model, "ipsets", rows[i].text);
		host = host_of(model);
		if (nd_host_has(host, ND_SECTION_ipsets) != rows[i].is_whole)
			fail_msg("%s: %s", rows[i].text, rows[i].is_whole ? "not whole" : "whole");
		if (rows[i].nsets)
			assert_int_equal(host->nipsets, rows[i].nsets);
		nd_model_free(model);
	}
}

static void bytes_of_elements(void **state)
{
	static const uint8_t net6[] = {1, 64, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
	static const uint8_t three[] = {0, 10, 0, 0, 1, 17, 0, 53, 24, 10, 1, 0, 0};
	static const uint8_t bits[] = {0, 0, 0, 80};
	static const uint8_t mark[] = {0, 10, 0, 0, 1, 0, 0, 1, 2};
	struct nd_model *model = nd_model_new();
	const struct nd_host *host;

	(void)state;
	feed_section(model, "ipsets",
		     "create a hash:net family inet6\nadd a fd00::/64 nomatch\n"
		     "create b hash:ip,port,net family inet\nadd b 10.0.0.1,udp:53,10.1.0.0/24\n"
		     "create c bitmap:port range 0-99\nadd c 80\n"
		     "create d hash:ip,mark family inet\nadd d 10.0.0.1,0x00000102\n");
	host = host_of(model);
	assert_int_equal(host->ipsets[0].stride, sizeof(net6));
	assert_memory_equal(host->ipsets[0].elements, net6, sizeof(net6));
	assert_int_equal(host->ipsets[1].stride, sizeof(three));
	assert_memory_equal(host->ipsets[1].elements, three, sizeof(three));
	assert_int_equal(host->ipsets[2].stride, sizeof(bits));
	assert_memory_equal(host->ipsets[2].elements, bits, sizeof(bits));
	assert_int_equal(host->ipsets[3].stride, sizeof(mark));
	assert_memory_equal(host->ipsets[3].elements, mark, sizeof(mark));
	nd_model_free(model);
}

/* ---- rules ---- */

static uint32_t any_type(void *ctx, struct nd_ip a, const char *dev)
{
	(void)ctx;
	(void)dev;
	return a.bytes[0] == 172 ? 2 : 1; /* 172.18.0.3 is the node's own */
}

static struct nd_ip eth0_address(void *ctx, const char *dev, struct nd_ip dst)
{
	struct nd_ip a = {0};

	(void)ctx;
	(void)dev;
	(void)dst;
	assert_true(nd_ip_parse("172.18.0.3", &a));
	return a;
}

static const char *any_oif(void *ctx, struct nd_ip a, struct nd_ip src, uint32_t mark, const char *dev)
{
	(void)ctx;
	(void)a;
	(void)src;
	(void)mark;
	return dev ? dev : "eth0";
}

struct world {
	struct nd_model *model;
	struct nd_arena arena;
	struct nd_rules rules;
	struct nd_eval eval;
	struct nd_choices choices;
};

static const struct nd_fib_ask fib = {.addr_type = any_type, .source_for = eth0_address, .oif = any_oif};

static void world_make(struct world *w, const char *ipsets, const char *iptables, uint8_t family)
{
	const struct nd_host *host;
	struct nd_rtable *tables;
	size_t n;

	*w = (struct world){.model = nd_model_new()};
	if (ipsets)
		feed_section(w->model, "ipsets", ipsets);
	feed_section(w->model, "iptables", iptables);
	host = host_of(w->model);
	tables = nd_ipt_compile(&w->arena, family == 6 ? &host->ipt6[ND_IPT_NFT] : &host->ipt[ND_IPT_NFT],
				ND_RULES_IPT_NFT, family, nd_ipset_book_new(&w->arena, host), &n);
	nd_rules_build(&w->arena, tables, n, &w->rules);
	w->eval = (struct nd_eval){.arena = &w->arena, .rules = &w->rules, .fib = &fib, .choices = &w->choices};
}

static void world_free(struct world *w)
{
	nd_arena_free(&w->arena);
	nd_model_free(w->model);
}

static struct nd_pkt packet_of(const char *src, const char *dst, uint8_t proto, uint16_t dport)
{
	struct nd_pkt p = {.proto = proto, .ttl = 64, .iif = "eth0", .oif = "veth1",
			    .t = {.sport = 40000, .dport = dport}};

	assert_true(nd_ip_parse(src, &p.t.src) && nd_ip_parse(dst, &p.t.dst));
	p.family = p.t.src.family;
	if (proto == ND_PROTO_ICMP)
		p.icmp_type = 8;
	return p;
}

/* The rule drops what it matches; a packet from 10.0.0.1:40000 to 10.1.2.3:80, eth0 to veth1, mark 0x102. */
enum { NO = ND_HOOK_PASS, YES = ND_HOOK_DROP, PERHAPS = ND_HOOK_UNKNOWN };
static const struct {
	const char *ipsets, *match;
	uint8_t proto;
	int wanted;
} rules[] = {
	{"create a hash:ip family inet\nadd a 10.0.0.1\n", "--match-set a src", 6, YES},
	{"create a hash:ip family inet\nadd a 10.0.0.1\n", "--match-set a dst", 6, NO},
	{"create a hash:ip family inet\nadd a 10.0.0.1\n", "! --match-set a dst", 6, YES},
	{"create a hash:ip family inet\n", "--match-set a src", 6, NO},
	{"create a hash:ip family inet\n", "! --match-set a src", 6, YES},
	{"create a hash:ip family inet6\nadd a fd00::1\n", "! --match-set a src", 6, YES},
	{"create a hash:ip family inet netmask 24\nadd a 10.1.2.0\n", "--match-set a dst", 6, YES},
	{"create a hash:ip family inet bitmask 255.0.255.0\nadd a 10.0.2.0\n", "--match-set a dst", 6, YES},
	{"create a hash:ip family inet\nadd a 10.0.0.1\n", "--match-set b src", 6, PERHAPS},
	{"create a hash:ip family inet\nadd a 10.0.0.1\n", "! --match-set b src", 6, PERHAPS},
	{"create a hash:ip family inet\nadd a 10.0.0.1\n", "--match-set b src -m tcp --dport 81", 6, NO},
	{NULL, "--match-set a src", 6, PERHAPS},
	{"create a hash:ip family inet\nadd a 10.0.0.1\n# netdoctor cut a\n", "--match-set a src", 6, PERHAPS},
	/* the longest network decides */
	{"create a hash:net family inet\nadd a 10.0.0.0/8\n", "--match-set a src", 6, YES},
	{"create a hash:net family inet\nadd a 10.0.0.0/8\nadd a 10.0.0.0/16 nomatch\n", "--match-set a src", 6, NO},
	{"create a hash:net family inet\nadd a 10.0.0.0/8\nadd a 10.0.0.0/16 nomatch\n", "! --match-set a src", 6, YES},
	{"create a hash:net family inet\nadd a 10.0.0.0/8\nadd a 10.0.0.0/16 nomatch\nadd a 10.0.0.1\n",
	 "--match-set a src", 6, YES},
	{"create a hash:net family inet\nadd a 10.0.0.0/8\nadd a 10.0.0.0/16 nomatch\n",
	 "--match-set a src --return-nomatch", 6, YES},
	{"create a hash:net family inet\nadd a 10.0.0.0/8\n", "--match-set a src --return-nomatch", 6, NO},
	{"create a hash:ip family inet\nadd a 10.0.0.1\n", "--match-set a src --return-nomatch", 6, YES},
	/* ports: type and code of ICMP, 0 of what has none */
	{"create a hash:ip,port family inet\nadd a 10.1.2.3,tcp:80\n", "--match-set a dst,dst", 6, YES},
	{"create a hash:ip,port family inet\nadd a 10.1.2.3,tcp:80\n", "--match-set a dst,dst", 17, NO},
	{"create a hash:ip,port family inet\nadd a 10.1.2.3,tcp:80\n", "--match-set a dst", 6, NO},
	{"create a hash:ip,port family inet\nadd a 10.1.2.3,tcp:80\n", "! --match-set a dst", 6, YES},
	{"create a hash:ip,port family inet\nadd a 10.1.2.3,tcp:80\n", "--match-set a dst,dst,src", 6, YES},
	{"create a hash:ip,port family inet\nadd a 10.0.0.1,tcp:40000\n", "--match-set a src,src", 6, YES},
	{"create a hash:ip,port family inet\nadd a 10.1.2.3,icmp:echo-request\n", "--match-set a dst,dst", 1, YES},
	{"create a hash:ip,port family inet\nadd a 10.1.2.3,gre:0\n", "--match-set a dst,dst", 47, YES},
	{"create a bitmap:port range 0-99\nadd a 80\n", "--match-set a dst", 6, YES},
	{"create a bitmap:port range 0-99\nadd a 80\n", "--match-set a dst", 132, NO},
	{"create a bitmap:port range 0-99\nadd a 80\n", "! --match-set a dst", 1, YES},
	{"create a hash:ip,port,ip family inet\nadd a 10.1.2.3,tcp:80,10.0.0.1\n", "--match-set a dst,dst,src", 6, YES},
	{"create a hash:ip,port,net family inet\nadd a 10.1.2.3,tcp:80,10.0.0.0/8\n",
	 "--match-set a dst,dst,src", 6, YES},
	{"create a hash:ip,port,net family inet\nadd a 10.1.2.3,tcp:80,10.0.0.0/8\n"
	 "add a 10.1.2.3,tcp:80,10.0.0.0/24 nomatch\n",
	 "--match-set a dst,dst,src", 6, NO},
	{"create a hash:net,port family inet\nadd a 10.1.0.0/16,tcp:80\n", "--match-set a dst,dst", 6, YES},
	/* two networks: the first as long as can be, then the second */
	{"create a hash:net,net family inet\nadd a 10.0.0.0/24,10.0.0.0/8\nadd a 10.0.0.0/16,10.1.2.0/24 nomatch\n",
	 "--match-set a src,dst", 6, YES},
	{"create a hash:net,net family inet\nadd a 10.0.0.0/24,10.0.0.0/8 nomatch\nadd a 10.0.0.0/16,10.1.2.0/24\n",
	 "--match-set a src,dst", 6, NO},
	{"create a hash:net,port,net family inet\nadd a 10.0.0.0/24,tcp:80,10.0.0.0/8\n",
	 "--match-set a src,dst,dst", 6,
	 YES},
	/* interfaces: the first network that is there ends the search */
	{"create a hash:net,iface family inet\nadd a 10.0.0.0/8,eth0\n", "--match-set a src,src", 6, YES},
	{"create a hash:net,iface family inet\nadd a 10.0.0.0/8,eth0\n", "--match-set a src,dst", 6, NO},
	{"create a hash:net,iface family inet\nadd a 10.0.0.0/8,eth0\nadd a 10.0.0.0/24,eth1\n",
	 "--match-set a src,src", 6,
	 NO},
	{"create a hash:net,iface family inet\nadd a 10.0.0.0/8,ve wildcard\n", "--match-set a src,dst", 6, YES},
	{"create a hash:net,iface family inet\nadd a 10.0.0.0/8,ve\n", "--match-set a src,dst", 6, NO},
	{"create a hash:net,iface family inet\nadd a 10.0.0.0/8,ve wildcard\nadd a 10.0.0.0/8,veth1 nomatch\n",
	 "--match-set a src,dst", 6, PERHAPS},
	{"create a hash:net,iface family inet\nadd a 0.0.0.0/0,eth0\n", "--match-set a src,src", 6, YES},
	/* others */
	{"create a hash:ip,mark family inet\nadd a 10.0.0.1,0x102\n", "--match-set a src,src", 6, YES},
	{"create a hash:ip,mark family inet markmask 0xff\nadd a 10.0.0.1,0x2\n", "--match-set a src,src", 6, YES},
	{"create a hash:ip,mark family inet\nadd a 10.0.0.1,0x2\n", "--match-set a src,src", 6, NO},
	{"create a bitmap:ip range 10.0.0.0-10.0.0.255\nadd a 10.0.0.1\n", "--match-set a src", 6, YES},
	{"create a bitmap:ip range 10.0.0.0-10.255.255.255 netmask 24\nadd a 10.1.2.0\n", "--match-set a dst", 6, YES},
	{"create a bitmap:ip,mac range 10.0.0.0-10.0.0.255\nadd a 10.0.0.1,00:11:22:33:44:55\n",
	 "--match-set a src,src", 6,
	 PERHAPS},
	{"create a bitmap:ip,mac range 10.0.0.0-10.0.0.255\nadd a 10.0.0.2\n", "--match-set a src,src", 6, NO},
	{"create a hash:mac\nadd a 00:11:22:33:44:55\n", "--match-set a src", 6, PERHAPS},
	{"create a hash:mac\n", "--match-set a src", 6, NO},
	{"create a hash:new family inet\n", "--match-set a src", 6, PERHAPS},
	/* lists */
	{"create b hash:ip family inet\nadd b 10.0.0.9\ncreate c hash:ip family inet\nadd c 10.0.0.1\n"
	 "create a list:set size 8\nadd a b\nadd a c\n", "--match-set a src", 6, YES},
	{"create b hash:ip,port family inet\nadd b 10.1.2.3,tcp:80\ncreate a list:set size 8\nadd a b\n",
	 "--match-set a dst,dst", 6, YES},
	{"create b hash:ip,port family inet\nadd b 10.1.2.3,tcp:80\ncreate a list:set size 8\nadd a b\n",
	 "--match-set a dst", 6, NO},
	{"create b hash:net family inet\nadd b 10.0.0.0/8 nomatch\ncreate a list:set size 8\nadd a b\n",
	 "--match-set a src --return-nomatch", 6, YES},
	{"create b hash:ip family inet\nadd b 10.0.0.1\ncreate a list:set size 8\nadd a gone\nadd a b\n",
	 "--match-set a src", 6, YES},
	{"create a list:set size 8\nadd a gone\n", "--match-set a src", 6, PERHAPS},
	{"create a list:set size 8\nadd a a\n", "--match-set a src", 6, PERHAPS},
	{"create a list:set size 8\n", "--match-set a src", 6, NO},
};

static void one_rule(void **state)
{
	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(rules); i++) {
		struct nd_pkt p = packet_of("10.0.0.1", "10.1.2.3", rules[i].proto, rules[i].proto == 1 ? 0 : 80);
		char text[512];
		struct world w;
		int got;

		p.mark = 0x102;
		snprintf(text, sizeof(text),
			 "# netdoctor backend=nft family=4\n*filter\n:FORWARD ACCEPT [0:0]\n"
			 "[0:0] -A FORWARD%s -m set %s -j DROP\nCOMMIT\n",
			 rules[i].proto == 6 ? " -p tcp" : "", rules[i].match);
		world_make(&w, rules[i].ipsets, text, 4);
		got = (int)nd_eval_hook(&w.eval, ND_FORWARD, &p);
		if (got != rules[i].wanted)
			fail_msg("%s %s: got %d, wanted %d", rules[i].ipsets ? rules[i].ipsets : "none", rules[i].match,
				 got, rules[i].wanted);
		world_free(&w);
	}
}

/* -j SET matters where a rule looks at the set. */
static void targets(void **state)
{
	static const char head[] = "# netdoctor backend=nft family=4\n*filter\n:FORWARD DROP [0:0]\n"
				   "[0:0] -A FORWARD -j SET --add-set a src --exist --timeout 5\n";
	static const char ipsets[] = "create a hash:ip family inet\ncreate l list:set size 8\nadd l a\n";
	static const struct {
		const char *rest;
		int wanted;
	} rows[] = {
		{"", ND_HOOK_DROP},
		{"[0:0] -A FORWARD -m set --match-set b src -j ACCEPT\n", ND_HOOK_UNKNOWN},
		{"[0:0] -A FORWARD -m set ! --match-set a src -j ACCEPT\n", ND_HOOK_UNKNOWN},
		{"[0:0] -A FORWARD -m set --match-set l src -j ACCEPT\n", ND_HOOK_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < ND_ARRAY_LEN(rows); i++) {
		struct nd_pkt p = packet_of("10.0.0.1", "10.1.2.3", 6, 80);
		char text[512];
		struct world w;

		snprintf(text, sizeof(text), "%s%sCOMMIT\n", head, rows[i].rest);
		world_make(&w, ipsets, text, 4);
		assert_int_equal(nd_eval_hook(&w.eval, ND_FORWARD, &p), rows[i].wanted);
		world_free(&w);
	}
}

/* ---- kube-proxy in ipvs mode, Calico and kube-router: loaded into a real kernel once ---- */

static char *read_all(const char *path)
{
	nd_auto_file FILE *in = fopen(path, "re");
	struct nd_buf text = {0};
	char chunk[4096];
	size_t n;

	assert_non_null(in);
	while ((n = fread(chunk, 1, sizeof(chunk), in)) > 0)
		nd_buf_add(&text, chunk, n);
	return text.data;
}

static const struct {
	enum nd_hook hook;
	const char *src, *dst;
	uint8_t proto;
	uint16_t dport;
	int wanted;
	uint32_t mark;	     /* after it */
	const char *src_now; /* or NULL: as it was */
} flows[] = {
	{ND_OUTPUT, "172.18.0.3", "10.96.0.10", 17, 53, ND_HOOK_PASS, 0x4000, NULL},
	{ND_PREROUTING, "10.244.1.5", "10.96.0.10", 17, 53, ND_HOOK_PASS, 0, NULL},
	{ND_PREROUTING, "10.244.1.5", "10.96.0.10", 6, 80, ND_HOOK_PASS, 0, NULL},
	{ND_PREROUTING, "192.0.2.1", "172.18.0.3", 6, 30080, ND_HOOK_PASS, 0x4000, NULL},
	{ND_PREROUTING, "192.0.2.1", "172.18.0.3", 6, 30081, ND_HOOK_PASS, 0, NULL},
	{ND_INPUT, "10.244.1.5", "10.96.0.10", 17, 53, ND_HOOK_PASS, 0, NULL},
	{ND_INPUT, "10.244.1.5", "10.96.0.10", 6, 22, ND_HOOK_REJECT, 0, NULL},
	/* its own endpoint: hairpin */
	{ND_POSTROUTING, "10.244.1.5", "10.244.1.5", 6, 8080, ND_HOOK_PASS, 0, "172.18.0.3"},
	{ND_POSTROUTING, "10.244.1.5", "10.244.1.6", 6, 8080, ND_HOOK_PASS, 0, NULL},
	/* Calico: out of the pools */
	{ND_POSTROUTING, "10.244.1.5", "192.0.2.1", 6, 443, ND_HOOK_PASS, 0, "172.18.0.3"},
	/* kube-router: a policy */
	{ND_FORWARD, "10.244.2.7", "10.244.1.9", 6, 8080, ND_HOOK_PASS, 0, NULL},
	{ND_FORWARD, "10.244.2.8", "10.244.1.9", 6, 8080, ND_HOOK_REJECT, 0, NULL},
};

static void ipvs(void **state)
{
	char *ipsets = read_all("tests/unit/data/ipset-ipvs.save");
	char *iptables = read_all("tests/unit/data/ipset-ipvs.iptables");
	struct world w;

	(void)state;
	world_make(&w, ipsets, iptables, 4);
	for (size_t i = 0; i < ND_ARRAY_LEN(flows); i++) {
		struct nd_pkt p = packet_of(flows[i].src, flows[i].dst, flows[i].proto, flows[i].dport);
		struct nd_ip src = p.t.src;
		int got;

		if (flows[i].src_now)
			assert_true(nd_ip_parse(flows[i].src_now, &src));
		if (flows[i].hook == ND_OUTPUT)
			p.iif = NULL;
		got = (int)nd_eval_hook(&w.eval, flows[i].hook, &p);
		if (got != flows[i].wanted || p.mark != flows[i].mark || !nd_ip_eq(p.t.src, src))
			fail_msg("flow %zu: got %d, mark 0x%x, %s", i, got, p.mark,
				 w.eval.unknown ? w.eval.unknown : "");
	}
	world_free(&w);
	free(ipsets);
	free(iptables);
}

/* Many elements are found by hash; many of one network are not gone through for each new one. */
static void many(void **state)
{
	nd_auto_buf struct nd_buf text = {0};
	struct nd_pkt p = packet_of("10.0.0.1", "10.3.13.64", 6, 80);
	struct world w;

	(void)state;
	nd_buf_puts(&text, "create a hash:ip family inet\n");
	for (unsigned i = 0; i < 200000; i++)
		nd_buf_printf(&text, "add a 10.%u.%u.%u\n", i >> 16, i >> 8 & 255, i & 255);
	nd_buf_puts(&text, "create b hash:net,iface family inet\n");
	for (unsigned i = 0; i < 100000; i++)
		nd_buf_printf(&text, "add b 10.0.0.0/8,e%u\n", i);
	world_make(&w, text.data,
		   "# netdoctor backend=nft family=4\n*filter\n:FORWARD ACCEPT [0:0]\n"
		   "[0:0] -A FORWARD -m set --match-set b src,dst -j ACCEPT\n"
		   "[0:0] -A FORWARD -m set ! --match-set a dst -j ACCEPT\n"
		   "[0:0] -A FORWARD -j DROP\nCOMMIT\n", 4);
	p.t.dst.bytes[1] = 3;
	assert_int_equal(nd_eval_hook(&w.eval, ND_FORWARD, &p), ND_HOOK_PASS);
	p.t.dst.bytes[1] = 2;
	assert_int_equal(nd_eval_hook(&w.eval, ND_FORWARD, &p), ND_HOOK_DROP);
	world_free(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_set),  cmocka_unit_test(sections), cmocka_unit_test(bytes_of_elements),
		cmocka_unit_test(one_rule), cmocka_unit_test(targets),	cmocka_unit_test(ipvs),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
