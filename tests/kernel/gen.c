/* gen.c: what scenarios are made of: addresses, ports, marks, packets. */
#include "common/base.h"

#include "tests/kernel/kernel.h"

/* Networks: 1 is A's, 2 is B's, 3 lies behind B, 9 is R's own, 96 has virtual addresses. */
static struct nd_ip ip_of(uint8_t family, uint32_t net, uint32_t host)
{
	struct nd_ip ip = {.family = family};

	if (family == 4) {
		ip.bytes[0] = 10;
		ip.bytes[1] = (uint8_t)net;
		ip.bytes[3] = (uint8_t)host;
	} else {
		char text[ND_IP_TEXT];

		snprintf(text, sizeof(text), "fd00:%u::%x", net, host);
		nd_ip_parse(text, &ip);
	}
	return ip;
}

static struct nd_ip own_ip(struct gen *gen)
{
	static const uint8_t nets[] = {1, 2, 9};

	return ip_of(gen->ip, nets[rng_pick(&gen->rng, 3)], 1);
}

static struct nd_ip host_ip(struct gen *gen, uint32_t net)
{
	return ip_of(gen->ip, net, 2 + rng_pick(&gen->rng, 4));
}

static const char *text_of(struct gen *gen, struct nd_ip ip)
{
	char text[ND_IP_TEXT];

	return nd_arena_printf(gen->arena, "%s", nd_ip_text(ip, text));
}

static struct nd_ip any_ip(struct gen *gen)
{
	static const uint8_t nets[] = {1, 2, 2, 3, 96, 96};
	uint32_t n = rng_pick(&gen->rng, 8);

	return n < 6 ? host_ip(gen, nets[n]) : own_ip(gen);
}

static struct nd_ip near_ip(struct gen *gen, bool is_src)
{
	const struct nd_tuple *t = &gen->focus->t;

	return rng_chance(&gen->rng, 60) ? (is_src ? t->src : t->dst) : any_ip(gen);
}

const char *gen_ip(struct gen *gen, bool is_src)
{
	return text_of(gen, near_ip(gen, is_src));
}

const char *gen_prefix(struct gen *gen, bool is_src)
{
	static const uint8_t lens[2][6] = {{32, 31, 29, 24, 16, 8}, {128, 127, 125, 64, 32, 16}};
	uint8_t len = lens[gen->ip == 6][rng_pick(&gen->rng, 6)];
	struct nd_ip ip = near_ip(gen, is_src);

	for (unsigned bit = len; bit < (gen->ip == 6 ? 128u : 32u); bit++)
		ip.bytes[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
	return nd_arena_printf(gen->arena, "%s/%u", text_of(gen, ip), len);
}

const char *gen_nat_ip(struct gen *gen, bool is_src)
{
	uint32_t n = rng_pick(&gen->rng, 10);

	if (is_src)
		return text_of(gen, n < 6 ? own_ip(gen) : ip_of(gen->ip, 7, 2 + n));
	return text_of(gen, n < 6   ? host_ip(gen, 2)
			    : n < 7 ? host_ip(gen, 1)
			    : n < 9 ? own_ip(gen)
				    : host_ip(gen, 3));
}

uint16_t gen_port(struct gen *gen)
{
	size_t n = 0;

	if (rng_chance(&gen->rng, 50) && gen->focus && gen->focus->t.dport)
		return gen->focus->t.dport;
	while (box_ports[n])
		n++;
	return box_ports[rng_pick(&gen->rng, (uint32_t)n)];
}

uint32_t gen_mark(struct gen *gen)
{
	static const uint32_t marks[] = {0, 1, 2, 0x10, 0x4000, 0x8000, 0xc000, 0xffffffff};

	return marks[rng_pick(&gen->rng, ND_ARRAY_LEN(marks))];
}

struct test_rule *gen_rule(struct gen *gen)
{
	struct scenario *s = gen->s;

	ND_ARENA_PUSH(gen->arena, s->rules, s->nrules) = (struct test_rule){.layer = gen->layer,
									    .family = gen->family,
									    .table = gen->table,
									    .chain = gen->chain,
									    .target = ""};
	gen->proto = 0;
	return &s->rules[s->nrules - 1];
}

void gen_decl(struct gen *gen, const char *fmt, ...)
{
	struct scenario *s = gen->s;
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ND_ARENA_PUSH(gen->arena, s->decls, s->ndecls) =
		(struct test_decl){.layer = gen->layer,
				   .family = gen->family,
				   .table = gen->table,
				   .text = nd_arena_strdup(gen->arena, text, strlen(text))};
}

/* ---- packets ---- */
static void choose_ends(struct gen *gen, struct test_packet *p)
{
	uint32_t from = rng_pick(&gen->rng, 100), to = rng_pick(&gen->rng, 100);

	p->from = from < 60 ? SIDE_A : from < 75 ? SIDE_B : SIDE_R;
	p->t.src = p->from == SIDE_R ? own_ip(gen) : host_ip(gen, p->from == SIDE_A ? 1 : 2);
	if (p->from != SIDE_R && rng_chance(&gen->rng, 6))
		p->t.src = any_ip(gen);
	if (to < 40)
		p->t.dst = host_ip(gen, p->from == SIDE_B ? 1 : 2);
	else if (to < 65)
		p->t.dst = host_ip(gen, 96);
	else if (to < 85)
		p->t.dst = own_ip(gen);
	else
		p->t.dst = host_ip(gen, to < 95 ? 3 : p->from == SIDE_A ? 1 : 2);
}

static void choose_proto(struct gen *gen, struct test_packet *p)
{
	static const uint8_t odd[] = {16, 24, 18, 4, 20, 17, 0xc2};
	uint32_t n = rng_pick(&gen->rng, 100);

	p->proto = n < 50	  ? ND_PROTO_TCP
		   : n < 80	  ? ND_PROTO_UDP
		   : gen->ip == 6 ? ND_PROTO_ICMP6
				  : ND_PROTO_ICMP;
	p->t.sport = (uint16_t)(20000 + rng_pick(&gen->rng, 2000) * 8 + gen->s->npackets);
	if (p->proto == ND_PROTO_TCP)
		p->tcp_flags =
			rng_chance(&gen->rng, 88) ? 2 : odd[rng_pick(&gen->rng, ND_ARRAY_LEN(odd))];
	if (n < 80)
		p->t.dport = gen_port(gen);
	else
		p->icmp_type = (uint8_t)((gen->ip == 6 ? 128 : 8) +
					 (rng_chance(&gen->rng, 8) ? gen->ip == 6 ? 1 : -8 : 0));
}

static struct test_packet *push_packet(struct gen *gen)
{
	struct test_packet *p = &gen->s->packets[gen->s->npackets];

	*p = (struct test_packet){.follows = -1, .family = gen->ip, .ttl = 64};
	if (rng_chance(&gen->rng, 10))
		p->ttl = (uint8_t)(1 + rng_pick(&gen->rng, 3));
	if (rng_chance(&gen->rng, 15))
		p->dscp = (uint8_t)rng_pick(&gen->rng, 64);
	if (rng_chance(&gen->rng, 30))
		p->payload = (uint16_t)rng_pick(&gen->rng, 200);
	return p;
}

/* Behind the answer: an ACK, or data. */
static void choose_data(struct gen *gen, struct test_packet *p)
{
	p->tcp_flags = rng_chance(&gen->rng, 50) ? 16 : 24;
	if (p->tcp_flags == 24)
		p->payload = (uint16_t)(1 + rng_pick(&gen->rng, MAX_PAYLOAD));
}

/* A reply, and one or two more. */
static void push_followers(struct gen *gen, int first)
{
	const struct test_packet *root = &gen->s->packets[first];
	uint32_t n = 1 + rng_pick(&gen->rng, 3);

	for (uint32_t i = 0; i < n && gen->s->npackets < MAX_PACKETS; i++) {
		struct test_packet *p = push_packet(gen);

		p->follows = first;
		p->is_reply = i % 2 == 0;
		p->ttl = 64;
		if (root->proto == ND_PROTO_TCP && i == 0)
			p->tcp_flags = 18;
		else if (root->proto == ND_PROTO_TCP)
			choose_data(gen, p);
		p->icmp_type = p->is_reply ? (gen->ip == 6 ? 129 : 0) : root->icmp_type;
		if (root->proto == ND_PROTO_UDP || root->proto == ND_PROTO_TCP)
			p->icmp_type = 0;
		gen->s->npackets++;
	}
}

void gen_packets(struct gen *gen)
{
	struct scenario *s = gen->s;

	while (s->npackets < MAX_PACKETS) {
		int first = (int)s->npackets;
		struct test_packet *p = push_packet(gen);

		gen->focus = NULL;
		choose_ends(gen, p);
		choose_proto(gen, p);
		if (p->from == SIDE_R && rng_chance(&gen->rng, 40))
			p->mark = gen_mark(gen);
		s->npackets++;
		if (rng_chance(&gen->rng, 45) && (p->proto != ND_PROTO_TCP || p->tcp_flags == 2) &&
		    (p->proto == ND_PROTO_TCP || p->proto == ND_PROTO_UDP || p->icmp_type == 8 ||
		     p->icmp_type == 128))
			push_followers(gen, first);
	}
	gen->focus = &s->packets[0];
}

/* ---- routes ---- */
static void route(struct gen *gen, const char *fmt, ...) ND_PRINTF(2, 3);
static void route(struct gen *gen, const char *fmt, ...)
{
	struct scenario *s = gen->s;
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ND_ARENA_PUSH(gen->arena, s->routes, s->nroutes) =
		(struct test_decl){.text = nd_arena_strdup(gen->arena, text, strlen(text))};
}

static void extra_route(struct gen *gen, const char *table)
{
	static const char *const types[] = {"blackhole", "unreachable", "prohibit", "throw"};
	uint32_t n = rng_pick(&gen->rng, 10);
	uint32_t metric = rng_pick(&gen->rng, 1000) + 1;
	const char *dst = rng_chance(&gen->rng, 30) ? "default" : gen_prefix(gen, false);

	if (n < 3)
		route(gen, "route add %s %s table %s proto 99 metric %u",
		      types[rng_pick(&gen->rng, 4)], dst, table, metric);
	else
		route(gen, "route add %s via %s dev %s table %s proto 99 metric %u", dst,
		      text_of(gen, ip_of(gen->ip, n < 7 ? 2 : 1, 2 + rng_pick(&gen->rng, 6))),
		      n < 7 ? "rb" : "ra", table, metric);
}

static void policy_rule(struct gen *gen, uint32_t pref)
{
	uint32_t n = rng_pick(&gen->rng, 6), mark = gen_mark(gen);
	const char *not = rng_chance(&gen->rng, 15) ? "not " : "";
	const char *action = rng_chance(&gen->rng, 85)	 ? "lookup 100"
			     : rng_chance(&gen->rng, 50) ? "blackhole"
							 : "prohibit";

	if (n < 2)
		route(gen, "rule add %sfwmark 0x%x/0x%x pref %u %s", not, mark, mark | 1, pref,
		      action);
	else if (n == 2)
		route(gen, "rule add %sfrom %s pref %u %s", not, gen_prefix(gen, true), pref,
		      action);
	else if (n == 3)
		route(gen, "rule add %sto %s pref %u %s", not, gen_prefix(gen, false), pref,
		      action);
	else
		route(gen, "rule add %siif %s pref %u %s", not,
		      n == 4			  ? "ra"
		      : rng_chance(&gen->rng, 50) ? "rb"
						  : "lo",
		      pref, action);
}

void gen_routes(struct gen *gen)
{
	if (rng_chance(&gen->rng, 90))
		route(gen, "route add default via %s dev rb proto 99",
		      text_of(gen, ip_of(gen->ip, 2, 2)));
	route(gen, "route add %s via %s dev rb proto 99",
	      gen->ip == 6 ? "fd00:3::/64" : "10.3.0.0/24", text_of(gen, ip_of(gen->ip, 2, 3)));
	route(gen, "route add %s via %s dev ra proto 99",
	      gen->ip == 6 ? "fd00:7::/64" : "10.7.0.0/24", text_of(gen, ip_of(gen->ip, 1, 3)));
	if (rng_chance(&gen->rng, gen->s->level == 4 ? 20 : 60))
		return;
	for (uint32_t n = rng_pick(&gen->rng, 3); n > 0; n--)
		extra_route(gen, "main");
	for (uint32_t n = rng_pick(&gen->rng, 3); n > 0; n--)
		extra_route(gen, "100");
	for (uint32_t n = rng_pick(&gen->rng, 3); n > 0; n--)
		policy_rule(gen, 1000 + n);
}

void gen_scenario(struct scenario *s, uint64_t seed, uint32_t level)
{
	struct gen gen = {.rng = {seed}, .s = s, .arena = &s->arena, .ip = 4};

	*s = (struct scenario){.seed = seed, .level = level};
	rng_next(&gen.rng);
	if ((level == 1 || level == 3) && rng_chance(&gen.rng, 20))
		gen.ip = 6;
	s->is_strict = rng_chance(&gen.rng, 30);
	gen_packets(&gen);
	gen_routes(&gen);
	if (level == 1 || (level == 2 && rng_chance(&gen.rng, 50)))
		gen_iptables(&gen, LAYER_IPT);
	if (level == 2)
		gen_iptables(&gen, LAYER_LEGACY);
	if (level == 3) {
		gen_nft(&gen);
		if (rng_chance(&gen.rng, 40))
			gen_iptables(&gen, LAYER_IPT);
		if (gen.ip == 4 && rng_chance(&gen.rng, 15))
			gen_iptables(&gen, LAYER_LEGACY);
	}
	if (level == 4)
		gen_kube(&gen);
}
