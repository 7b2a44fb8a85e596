/*
 * case.c: a scenario as a file that is read again: what is loaded and sent, not the seed that made
 * it, so that it stays the same when the generators change. Lines of fields, a tab between them:
 *
 *	# words for people
 *	strict						rp_filter 1; without it: 0
 *	layer	ipt					ipt, legacy, nft: loaded, also when it is
 *empty route	route add default via 10.2.0.2 dev rb proto 99
 *	ipset	create s hash:ip			or "add s 10.0.0.1"; of ipset restore
 *	decl	ipt	ip	filter	:FORWARD DROP	layer, family, table, text
 *	rule	ipt	ip	mangle	PREROUTING	-p tcp	-j TTL --ttl-set 5 matches, target
 *	packet	from=A proto=6 src=10.1.0.2 dst=10.2.0.3 sport=20000 dport=80 flags=0x2
 *	packet	follows=0 reply=1 flags=0x12		of that connection
 *	expect	0	fate=sent dev=rb ttl=4		of the kernel, and so of the walk
 *	lie	--ttl-set 5	--ttl-set 9		told to the walk: for the test of this test
 *
 * Read from committed files and from what shrink.c kept.
 */
#include "common/base.h"

#include "tests/kernel/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>

#define MAX_BYTES (1u << 20)
#define MAX_LINES 4096 /* of one kind */
#define MAX_FIELDS (5 + MAX_PARTS + 1)

static const char *const layer_names[LAYERS] = {"ipt", "legacy", "nft"};
static const char side_names[] = "ABR";

/* ---- writing ---- */

static const char *or_dash(const char *text)
{
	return text && *text ? text : "-";
}

/* One that follows has the addresses and the protocol of the first, or of what became of that. */
static void write_packet(const struct test_packet *p, int follows, struct nd_buf *out)
{
	char src[ND_IP_TEXT], dst[ND_IP_TEXT];

	if (follows >= 0)
		nd_buf_printf(out, "packet\tfollows=%d reply=%d", follows, p->is_reply);
	else
		nd_buf_printf(out, "packet\tfrom=%c proto=%u src=%s dst=%s sport=%u dport=%u",
			      side_names[p->from], p->proto, nd_ip_text(p->t.src, src),
			      nd_ip_text(p->t.dst, dst), p->t.sport, p->t.dport);
	nd_buf_printf(out, " flags=0x%x type=%u code=%u ttl=%u dscp=%u payload=%u mark=0x%x\n",
		      p->tcp_flags, p->icmp_type, p->icmp_code, p->ttl, p->dscp, p->payload,
		      p->mark);
}

static void write_rule(const struct test_rule *r, struct nd_buf *out)
{
	nd_buf_printf(out, "rule\t%s\t%s\t%s\t%s", layer_names[r->layer], or_dash(r->family),
		      or_dash(r->table), r->chain);
	for (size_t k = 0; k < r->nparts; k++)
		nd_buf_printf(out, "\t%s", r->parts[k]);
	nd_buf_printf(out, "\t%s\n", r->target);
}

void case_write(const struct scenario *s, struct nd_buf *out)
{
	int place[MAX_PACKETS], n = 0;

	nd_buf_printf(out, "# level %u seed %llu\n", s->level, (unsigned long long)s->seed);
	if (s->is_strict)
		nd_buf_puts(out, "strict\n");
	for (int i = 0; i < LAYERS; i++)
		if (s->has[i])
			nd_buf_printf(out, "layer\t%s\n", layer_names[i]);
	for (size_t i = 0; i < s->nroutes; i++)
		if (!s->routes[i].is_off)
			nd_buf_printf(out, "route\t%s\n", s->routes[i].text);
	for (size_t i = 0; i < s->nsets; i++)
		if (!s->sets[i].is_off)
			nd_buf_printf(out, "ipset\t%s\n", s->sets[i].text);
	for (size_t i = 0; i < s->ndecls; i++)
		if (!s->decls[i].is_off)
			nd_buf_printf(out, "decl\t%s\t%s\t%s\t%s\n", layer_names[s->decls[i].layer],
				      or_dash(s->decls[i].family), or_dash(s->decls[i].table),
				      s->decls[i].text);
	for (size_t i = 0; i < s->nrules; i++)
		if (!s->rules[i].is_off)
			write_rule(&s->rules[i], out);
	for (size_t i = 0; i < s->npackets; i++) {
		const struct test_packet *p = &s->packets[i];

		place[i] = p->is_off ? -1 : n++;
		if (!p->is_off)
			write_packet(p, p->follows < 0 ? -1 : place[p->follows], out);
	}
}

/* ---- reading ---- */

struct reading {
	struct scenario *s;
	struct nd_err *err;
	const char *path;
	size_t line;
	const char *fields[MAX_FIELDS]; /* nfields */
	size_t nfields;
};

static int bad(struct reading *r, const char *what)
{
	return nd_err_set(r->err, ND_E_INPUT, "%s:%zu: %s", r->path, r->line, what);
}

/* At tabs; only what a terminal shows. */
static int split(struct reading *r, struct nd_str line)
{
	const char *p = line.p, *end = line.p + line.n;

	for (const char *c = p; c < end; c++)
		if (*c != '\t' && (*c < ' ' || *c > '~'))
			return bad(r, "a byte that is not printable ASCII");
	for (r->nfields = 0;;) {
		const char *tab = memchr(p, '\t', (size_t)(end - p)), *stop = tab ? tab : end;

		if (r->nfields == MAX_FIELDS)
			return bad(r, "too many fields");
		r->fields[r->nfields++] = nd_arena_strdup(&r->s->arena, p, (size_t)(stop - p));
		if (!tab)
			return 0;
		p = tab + 1;
	}
}

static bool find_layer(const char *name, enum layer *layer)
{
	for (int i = 0; i < LAYERS; i++)
		if (nd_eq(name, layer_names[i])) {
			*layer = (enum layer)i;
			return true;
		}
	return false;
}

static bool find_family(const char *name, const char **family)
{
	static const char *const names[] = {"ip", "ip6", "inet"};

	for (size_t i = 0; i < ND_ARRAY_LEN(names); i++)
		if (nd_eq(name, names[i]))
			*family = names[i];
	return *family != NULL;
}

static int read_layer(struct reading *r)
{
	enum layer layer;

	if (r->nfields != 2 || !find_layer(r->fields[1], &layer))
		return bad(r, "wanted: layer, and ipt, legacy or nft");
	r->s->has[layer] = true;
	return 0;
}

static int read_route(struct reading *r)
{
	struct scenario *s = r->s;

	if (r->nfields != 2 ||
	    (!nd_starts(r->fields[1], "route add ") && !nd_starts(r->fields[1], "rule add ")))
		return bad(r, "wanted: route, and \"route add ...\" or \"rule add ...\"");
	if (s->nroutes == MAX_LINES)
		return bad(r, "too many routes");
	ND_ARENA_PUSH(&s->arena, s->routes, s->nroutes) = (struct test_decl){.text = r->fields[1]};
	return 0;
}

static int read_ipset(struct reading *r)
{
	struct scenario *s = r->s;

	if (r->nfields != 2 ||
	    (!nd_starts(r->fields[1], "create ") && !nd_starts(r->fields[1], "add ")))
		return bad(r, "wanted: ipset, and \"create ...\" or \"add ...\"");
	if (s->nsets == MAX_LINES)
		return bad(r, "too many lines of ipsets");
	ND_ARENA_PUSH(&s->arena, s->sets, s->nsets) = (struct test_decl){.text = r->fields[1]};
	return 0;
}

static int read_decl(struct reading *r)
{
	struct scenario *s = r->s;
	struct test_decl d = {0};

	if (r->nfields != 5 || !find_layer(r->fields[1], &d.layer))
		return bad(r, "wanted: decl, layer, family, table, text");
	if (!nd_eq(r->fields[2], "-") && !find_family(r->fields[2], &d.family))
		return bad(r, "a family is ip, ip6, inet or -");
	d.table = nd_eq(r->fields[3], "-") ? NULL : r->fields[3];
	d.text = r->fields[4];
	if (d.layer == LAYER_NFT ? !nd_starts(d.text, "add ") : d.text[0] != ':')
		return bad(r, "a declaration is \"add ...\" for nft, \":CHAIN POLICY\" for others");
	if (s->ndecls == MAX_LINES)
		return bad(r, "too many declarations");
	s->has[d.layer] = true;
	ND_ARENA_PUSH(&s->arena, s->decls, s->ndecls) = d;
	return 0;
}

static int read_rule(struct reading *r)
{
	struct scenario *s = r->s;
	struct test_rule rule = {0};

	if (r->nfields < 6 || !find_layer(r->fields[1], &rule.layer) ||
	    !find_family(r->fields[2], &rule.family))
		return bad(r, "wanted: rule, layer, family, table, chain, matches, target");
	rule.table = r->fields[3];
	rule.chain = r->fields[4];
	for (size_t i = 5; i + 1 < r->nfields; i++)
		rule.parts[rule.nparts++] = r->fields[i];
	rule.target = r->fields[r->nfields - 1];
	/* counters.c knows ours by that name */
	if (rule.layer == LAYER_NFT &&
	    (rule.table[0] != 't' || rule.table[1] < '0' || rule.table[1] > '9'))
		return bad(r, "tables of nft are called t0, t1, ...");
	if (s->nrules == MAX_LINES)
		return bad(r, "too many rules");
	s->has[rule.layer] = true;
	ND_ARENA_PUSH(&s->arena, s->rules, s->nrules) = rule;
	return 0;
}

static bool read_number(const char *text, uint64_t max, uint64_t *out)
{
	return nd_starts(text, "0x") ? nd_parse_hex(nd_str(text), max, out)
				     : nd_parse_u64(nd_str(text), max, out);
}

/* The value behind "key=", or NULL. */
static const char *value_of(const char *word, const char *key)
{
	size_t n = strlen(key);

	return strncmp(word, key, n) == 0 && word[n] == '=' ? word + n + 1 : NULL;
}

struct key {
	const char *name;
	uint64_t max;
	size_t at, size; /* of the field in struct test_packet, a whole number of up to 4 bytes */
};
#define KEY(name, field, max)                                                                      \
	{                                                                                          \
		name, max, offsetof(struct test_packet, field),                                    \
			sizeof(((struct test_packet *)0)->field)                                   \
	}
static const struct key keys[] = {
	KEY("follows", follows, MAX_PACKETS - 1),
	KEY("reply", is_reply, 1),
	KEY("proto", proto, UINT8_MAX),
	KEY("sport", t.sport, UINT16_MAX),
	KEY("dport", t.dport, UINT16_MAX),
	KEY("flags", tcp_flags, UINT8_MAX),
	KEY("type", icmp_type, UINT8_MAX),
	KEY("code", icmp_code, UINT8_MAX),
	KEY("ttl", ttl, UINT8_MAX),
	KEY("dscp", dscp, 63),
	KEY("payload", payload, MAX_PAYLOAD),
	KEY("mark", mark, UINT32_MAX),
};

static bool put_number(struct test_packet *p, const struct key *key, const char *text)
{
	char *to = (char *)p + key->at;
	uint64_t n;

	if (!read_number(text, key->max, &n))
		return false;
	if (key->size == 1)
		*(uint8_t *)to = (uint8_t)n;
	else if (key->size == 2)
		*(uint16_t *)(void *)to = (uint16_t)n;
	else
		*(uint32_t *)(void *)to = (uint32_t)n;
	return true;
}

/* False: no such key, or not a value of it. */
static bool read_key(struct test_packet *p, const char *word)
{
	const char *value, *side;

	if ((value = value_of(word, "from")) != NULL) {
		side = *value && !value[1] ? strchr(side_names, *value) : NULL;
		p->from = side ? (enum side)(side - side_names) : SIDE_A;
		return side != NULL;
	}
	if ((value = value_of(word, "src")) != NULL)
		return nd_ip_parse(value, &p->t.src);
	if ((value = value_of(word, "dst")) != NULL)
		return nd_ip_parse(value, &p->t.dst);
	for (size_t i = 0; i < ND_ARRAY_LEN(keys); i++)
		if ((value = value_of(word, keys[i].name)) != NULL)
			return put_number(p, &keys[i], value);
	return false;
}

static bool is_known_proto(const struct test_packet *p)
{
	return p->proto == ND_PROTO_TCP || p->proto == ND_PROTO_UDP ||
	       p->proto == (p->family == 6 ? ND_PROTO_ICMP6 : ND_PROTO_ICMP);
}

static int read_packet(struct reading *r)
{
	struct scenario *s = r->s;
	struct test_packet p = {.follows = -1, .ttl = 64};
	struct nd_str rest = nd_str(r->nfields == 2 ? r->fields[1] : ""), word;

	if (s->npackets == MAX_PACKETS)
		return bad(r, "too many packets");
	while (nd_str_word(&rest, &word))
		if (!read_key(&p, nd_arena_strdup(&s->arena, word.p, word.n)))
			return bad(r, "a packet has no such field, or not with that value");
	if (p.follows >= (int)s->npackets)
		return bad(r, "a packet follows one above it");
	if (p.follows >= 0) {
		if (p.proto || p.t.src.family || p.t.dst.family || p.t.sport || p.t.dport)
			return bad(r, "a packet that follows has the addresses of the first");
		p.family = s->packets[0].family;
	} else {
		p.family = p.t.src.family;
		if (!p.family || p.t.dst.family != p.family || !is_known_proto(&p))
			return bad(r, "a packet wants src and dst of one family, and proto 6, 17, "
				      "1 or 58");
		if (s->npackets && p.family != s->packets[0].family)
			return bad(r, "all packets are of one family");
	}
	s->packets[s->npackets++] = p;
	return 0;
}

static int read_expect(struct reading *r)
{
	uint64_t which;

	if (r->nfields != 3 || !nd_parse_u64(nd_str(r->fields[1]), MAX_PACKETS, &which) ||
	    which >= r->s->npackets || !r->fields[2][0])
		return bad(r, "wanted: expect, number of a packet above, what becomes of it");
	r->s->packets[which].expect = r->fields[2];
	return 0;
}

static int read_lie(struct reading *r)
{
	if (r->nfields != 3 || !r->fields[1][0])
		return bad(r, "wanted: lie, a text of the rules, another");
	r->s->lie[0] = r->fields[1];
	r->s->lie[1] = r->fields[2];
	return 0;
}

static int read_strict(struct reading *r)
{
	if (r->nfields != 1)
		return bad(r, "strict has no fields");
	r->s->is_strict = true;
	return 0;
}

static int read_line(struct reading *r, struct nd_str line)
{
	static const struct {
		const char *name;
		int (*read)(struct reading *r);
	} kinds[] = {{"strict", read_strict}, {"layer", read_layer}, {"route", read_route},
		     {"decl", read_decl},     {"rule", read_rule},   {"packet", read_packet},
		     {"expect", read_expect}, {"lie", read_lie},
		     {"ipset", read_ipset}};

	r->line++;
	if (nd_str_trim(line).n == 0 || line.p[0] == '#')
		return 0;
	if (split(r, line) < 0)
		return -1;
	for (size_t i = 0; i < ND_ARRAY_LEN(kinds); i++)
		if (nd_eq(kinds[i].name, r->fields[0]))
			return kinds[i].read(r);
	return bad(r, "no such kind of line");
}

int case_parse(const char *path, struct nd_str text, struct scenario *s, struct nd_err *err)
{
	struct reading r = {.s = s, .err = err, .path = path};
	struct nd_str line;

	*s = (struct scenario){0};
	while (nd_str_line(&text, &line))
		if (read_line(&r, line) < 0)
			return -1;
	return s->npackets ? 0 : bad(&r, "no packet");
}

int case_read(const char *path, struct scenario *s, struct nd_err *err)
{
	nd_auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	nd_auto_buf struct nd_buf text = {0};
	char chunk[4096];
	ssize_t n;

	*s = (struct scenario){0};
	if (fd < 0)
		return nd_err_sys(err, ND_E_IO, errno, "open %s", path);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
		if (text.len + (size_t)n > MAX_BYTES)
			return nd_err_set(err, ND_E_LIMIT, "%s: more than 1 MiB", path);
		nd_buf_add(&text, chunk, (size_t)n);
	}
	if (n < 0)
		return nd_err_sys(err, ND_E_IO, errno, "read %s", path);
	return case_parse(path, (struct nd_str){text.data ? text.data : "", text.len}, s, err);
}

bool case_is_exact(const struct scenario *s)
{
	nd_auto_buf struct nd_buf file = {0};
	nd_auto_buf struct nd_buf was = {0};
	nd_auto_buf struct nd_buf is = {0};
	struct nd_err err = {0};
	struct scenario again;
	bool is_read;

	case_write(s, &file);
	is_read = case_parse("case", (struct nd_str){file.data, file.len}, &again, &err) == 0;
	again.seed = s->seed;
	again.level = s->level;
	scenario_text(s, &was);
	scenario_text(&again, &is);
	nd_arena_free(&again.arena);
	if (!is_read)
		printf("%s\n", err.text);
	return is_read && was.len == is.len && memcmp(was.data, is.data, is.len) == 0;
}

/* ---- what becomes of a packet ---- */

static const char *outcome_words(struct nd_arena *arena, const struct outcome *o)
{
	static const char *const fates[] = {"gone", "local", "sent", "rejected", "unknown"};
	char src[ND_IP_TEXT], dst[ND_IP_TEXT];
	const char *head = nd_arena_printf(arena, "fate=%s dev=%s error=%s", fates[o->fate],
					   or_dash(o->dev), or_dash(o->error));

	if (o->fate != FATE_SENT && o->fate != FATE_LOCAL)
		return head;
	return nd_arena_printf(arena, "%s src=%s dst=%s sport=%u dport=%u ttl=%u dscp=%u mark=0x%x",
			       head, nd_ip_text(o->t.src, src), nd_ip_text(o->t.dst, dst),
			       o->t.sport, o->t.dport, o->ttl, o->dscp, o->mark);
}

const char *case_differs(struct nd_arena *arena, const char *expect, const struct outcome *kernel)
{
	const char *is = outcome_words(arena, kernel);
	struct nd_str wanted = nd_str(expect), want, word;

	while (expect && nd_str_word(&wanted, &want)) {
		struct nd_str words = nd_str(is);
		bool is_there = false;

		while (!is_there && nd_str_word(&words, &word))
			is_there = word.n == want.n && memcmp(word.p, want.p, want.n) == 0;
		if (!is_there)
			return nd_arena_printf(arena, "expected %.*s, the kernel: %s", (int)want.n,
					       want.p, is);
	}
	return NULL;
}
