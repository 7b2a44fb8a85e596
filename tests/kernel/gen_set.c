/* gen_set.c: random ipsets, made when a rule wants one, and the matches that look at them. */
#include "common/base.h"

#include "tests/kernel/gen_ipt.h"

#define MAX_SETS 7
#define TEXT(...) nd_arena_printf(gen->arena, __VA_ARGS__)

static const struct type {
	const char *name;
	const char *options; /* for both families, behind "family" */
	uint8_t family;	     /* 0: both */
	uint8_t ndims, weight;
	const char *try; /* an element, of IPv4 */
} types[] = {
	{"hash:ip", "", 0, 1, 10, "10.0.0.1"},
	{"hash:ip", "netmask 24", 4, 1, 3, "10.0.0.1"},
	{"hash:ip", "netmask 64", 6, 1, 3, NULL},
	{"hash:ip", "bitmask 255.0.0.255", 4, 1, 3, "10.0.0.1"},
	{"hash:net", "", 0, 1, 20, "10.0.0.0/8"},
	{"hash:ip,port", "", 0, 2, 14, "10.0.0.1,tcp:80"},
	{"hash:ip,port", "netmask 24", 4, 2, 3, "10.0.0.1,tcp:80"},
	{"hash:ip,port,ip", "", 0, 3, 8, "10.0.0.1,tcp:80,10.0.0.2"},
	{"hash:ip,port,net", "", 0, 3, 12, "10.0.0.1,tcp:80,10.0.0.0/8"},
	{"hash:net,port", "", 0, 2, 12, "10.0.0.0/8,tcp:80"},
	{"hash:net,net", "", 0, 2, 12, "10.0.0.0/8,10.0.0.0/8"},
	{"hash:net,port,net", "", 0, 3, 12, "10.0.0.0/8,tcp:80,10.0.0.0/8"},
	{"hash:net,iface", "", 0, 2, 14, "10.0.0.0/8,ra"},
	{"hash:ip,mark", "", 0, 2, 8, "10.0.0.1,1"},
	{"hash:ip,mark", "markmask 0xf000", 0, 2, 4, "10.0.0.1,0x1000"},
	{"bitmap:ip", "range 10.2.0.0/16", 4, 1, 5, "10.2.0.1"},
	{"bitmap:ip", "range 10.0.0.0/8 netmask 24", 4, 1, 4, "10.2.0.1"},
	{"bitmap:port", "range 20-40000", 0, 1, 8, "80"},
	{"list:set", "", 0, 3, 12, NULL},
};
static bool has_type[ND_ARRAY_LEN(types)];
static bool has_sets;

/* ---- what this kernel has ---- */
static bool ipset(const char *text)
{
	static const char *const argv[] = {"ipset", "-exist", "restore", NULL};
	nd_auto_buf struct nd_buf out = {0};

	return child_run(argv, text, strlen(text), &out) == 0;
}

static bool can_make(const struct type *type)
{
	char text[256];
	bool is_hash = nd_starts(type->name, "hash:");

	snprintf(text, sizeof(text), "create try %s %s %s\n", type->name,
		 !is_hash	     ? ""
		 : type->family == 6 ? "family inet6"
				     : "family inet",
		 type->options);
	if (!ipset(text))
		return false;
	if (type->try)
		snprintf(text, sizeof(text), "add try %s\n", type->try);
	bool is_good = !type->try || ipset(text);
	return ipset("destroy try\n") && is_good;
}

void gen_sets_probe(void)
{
	for (size_t i = 0; i < ND_ARRAY_LEN(types); i++) {
		has_type[i] = can_make(&types[i]);
		has_sets = has_sets || has_type[i];
	}
	if (!has_sets) {
		fprintf(stderr, "kernel: NO IPSETS: no program ipset, or no ip_set in this kernel; "
				"-m set and -j SET are left out\n");
		return;
	}
	for (size_t i = 0; i < ND_ARRAY_LEN(types); i++)
		if (!has_type[i])
			printf("not generated, this kernel refuses it: %s %s\n", types[i].name,
			       types[i].options);
}

bool gen_has_sets(void)
{
	return has_sets;
}

/* ---- elements ---- */
static void line(struct gen *gen, const char *text)
{
	struct scenario *s = gen->s;

	ND_ARENA_PUSH(gen->arena, s->sets, s->nsets) = (struct test_decl){.text = text};
}

static const char *proto_port(struct gen *gen)
{
	const struct test_packet *p = gen->focus;
	uint16_t port = rng_chance(&gen->rng, 30) ? p->t.sport : gen_port(gen);

	if (rng_chance(&gen->rng, 10))
		return TEXT("%s", rng_chance(&gen->rng, 50) ? "gre:0" : "sctp:80");
	if (rng_chance(&gen->rng, 80)) {
		if (p->proto == ND_PROTO_ICMP)
			return TEXT("icmp:%u/0", p->icmp_type);
		if (p->proto == ND_PROTO_ICMP6)
			return TEXT("icmpv6:%u/%u", p->icmp_type, p->icmp_code);
		return TEXT("%s:%u", p->proto == ND_PROTO_TCP ? "tcp" : "udp", port);
	}
	return TEXT("%s:%u", rng_chance(&gen->rng, 50) ? "tcp" : "udp", port);
}

static const char *port(struct gen *gen)
{
	uint16_t number = rng_chance(&gen->rng, 30) ? gen->focus->t.sport : gen_port(gen);

	return TEXT("%u", number < 20 || number > 40000 ? 80 : number);
}

/* A wildcard and a nomatch of one network: which of them the kernel meets first is chance. */
static bool has_wildcards(const char *name)
{
	return name[1] % 2;
}

static const char *iface(struct gen *gen, const char *set)
{
	static const char *const names[] = {"ra", "rb", "lo", "ra", "rb", "eth0"};

	if (has_wildcards(set) && rng_chance(&gen->rng, 25))
		return "r wildcard";

	return names[rng_pick(&gen->rng, ND_ARRAY_LEN(names))];
}

static const char *net(struct gen *gen, bool may_be_all)
{
	if (may_be_all && rng_chance(&gen->rng, 10))
		return gen->ip == 6 ? "::/0" : "0.0.0.0/0";
	return gen_prefix(gen, rng_chance(&gen->rng, 50));
}

/* bitmap:ip has a range. */
static const char *ranged_ip(struct gen *gen, const struct type *type)
{
	const char *ip = gen_ip(gen, rng_chance(&gen->rng, 50));

	return strstr(type->options, "10.2.") && !nd_starts(ip, "10.2.") ? "10.2.0.3" : ip;
}

static const char *part(struct gen *gen, const struct type *type, const char *set, const char *name,
			size_t n)
{
	bool may_be_all = strstr(type->name, ",net") || strstr(type->name, "iface");

	if (n == 2 && strncmp(name, "ip", 2) == 0)
		return nd_starts(type->name, "bitmap:") ? ranged_ip(gen, type)
							: gen_ip(gen, rng_chance(&gen->rng, 50));
	if (n == 3 && strncmp(name, "net", 3) == 0)
		return net(gen, may_be_all && !nd_starts(type->name, "hash:ip,"));
	if (n == 4 && strncmp(name, "port", 4) == 0)
		return nd_starts(type->name, "bitmap:") ? port(gen) : proto_port(gen);
	if (n == 5)
		return iface(gen, set);
	return TEXT("0x%x", gen_mark(gen));
}

static void add_element(struct gen *gen, const struct type *type, const char *name)
{
	const char *at = strchr(type->name, ':') + 1, *text = "", *end = "";

	for (;;) {
		size_t n = strcspn(at, ",");

		text = TEXT("%s%s%s", text, *text ? "," : "", part(gen, type, name, at, n));
		if (!at[n])
			break;
		at += n + 1;
	}
	if (strstr(type->name, "net") && rng_chance(&gen->rng, 25) &&
	    !(strstr(type->name, "iface") && has_wildcards(name)))
		end = " nomatch";
	line(gen, TEXT("add %s %s%s", name, text, end));
}

/* ---- sets ---- */
static const struct type *pick_type(struct gen *gen)
{
	uint32_t total = 0, n;

	for (size_t i = 0; i < ND_ARRAY_LEN(types); i++)
		if (has_type[i] && (!types[i].family || types[i].family == gen->ip))
			total += types[i].weight;
	n = rng_pick(&gen->rng, total);
	for (size_t i = 0; i < ND_ARRAY_LEN(types); i++) {
		if (!has_type[i] || (types[i].family && types[i].family != gen->ip))
			continue;
		if (n < types[i].weight)
			return &types[i];
		n -= types[i].weight;
	}
	return &types[0];
}

/* The sets so far, by the number in their names. */
static size_t count_sets(const struct scenario *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->nsets; i++)
		n += nd_starts(s->sets[i].text, "create s");
	return n;
}

/* A list may have been made before; lists are not members of lists. */
static void add_members(struct gen *gen, const char *name)
{
	/* iptables takes a set of the other family only in a list: it has no packet of this one. */
	if (rng_chance(&gen->rng, 30)) {
		line(gen, gen->ip == 6 ? "create f hash:ip family inet"
				       : "create f hash:ip family inet6");
		line(gen, TEXT("add %s f", name));
	}
	for (size_t i = 0, n = gen->s->nsets; i < n; i++) {
		const char *text = gen->s->sets[i].text;

		if (nd_starts(text, "create s") && !strstr(text, "list:set") &&
		    rng_chance(&gen->rng, 60))
			line(gen, TEXT("add %s %.2s", name, text + 7));
	}
}

static size_t make_set(struct gen *gen)
{
	const struct type *type = pick_type(gen);
	size_t number = count_sets(gen->s);
	const char *name = TEXT("s%zu", number), *family = "", *extra = "";
	uint32_t nelements = rng_pick(&gen->rng, 12);

	if (nd_starts(type->name, "hash:")) {
		family = gen->ip == 6 ? "family inet6 " : "family inet ";
		extra = rng_chance(&gen->rng, 15)   ? " timeout 600"
			: rng_chance(&gen->rng, 15) ? " counters"
						    : "";
	}
	line(gen, TEXT("create %s %s %s%s%s", name, type->name, family, type->options, extra));
	if (nd_starts(type->name, "list:"))
		add_members(gen, name);
	else
		while (nelements-- > 0)
			add_element(gen, type, name);
	return number;
}

/* How many directions the set wants. */
static uint32_t dims_of(const struct scenario *s, size_t number)
{
	char head[32];

	snprintf(head, sizeof(head), "create s%zu ", number);
	for (size_t i = 0; i < s->nsets; i++) {
		const char *type = s->sets[i].text + strlen(head);
		uint32_t n = 1;

		if (!nd_starts(s->sets[i].text, head))
			continue;
		if (nd_starts(type, "list:"))
			return 3;
		for (; *type && *type != ' '; type++)
			n += *type == ',';
		return n;
	}
	return 1;
}

const char *gen_set_match(struct gen *gen)
{
	size_t nsets = count_sets(gen->s), number;
	const char *dirs = "";
	uint32_t ndims;

	number = nsets == 0 || (nsets < MAX_SETS && rng_chance(&gen->rng, 60))
			 ? make_set(gen)
			 : rng_pick(&gen->rng, (uint32_t)nsets);
	ndims = dims_of(gen->s, number);
	if (rng_chance(&gen->rng, 6))
		ndims += rng_chance(&gen->rng, 50) ? 1 : ndims > 1 ? UINT32_MAX : 0;
	for (uint32_t i = 0; i < ndims; i++)
		dirs = TEXT("%s%s%s", dirs, i ? "," : "",
			    rng_chance(&gen->rng, 50) ? "src" : "dst");
	return TEXT("s%zu %s%s%s", number, dirs,
		    rng_chance(&gen->rng, 12) ? " --return-nomatch" : "",
		    rng_chance(&gen->rng, 8) ? " ! --update-counters" : "");
}

/* Sets that no rule looks at. */
const char *gen_set_target(struct gen *gen, const char *text)
{
	size_t i = 0;

	while (i < gen->s->nsets && !nd_starts(gen->s->sets[i].text, "create t"))
		i++;
	if (i == gen->s->nsets)
		line(gen, gen->ip == 6 ? "create t hash:ip,port family inet6"
				       : "create t hash:ip,port family inet");
	return TEXT("%s t %s", text, rng_chance(&gen->rng, 50) ? "src,dst" : "dst,dst");
}
