/* ipset.c: the section `ipsets`, which is what `ipset save` prints. */
#include "common/base.h"

#include "plugin/model/ipset_parts.h"

#define MAX_NAME 31 /* bytes; kernel: IPSET_MAXNAMELEN with its NUL */

enum { IP = ND_IPSET_IP, NET = ND_IPSET_NET, PORT = ND_IPSET_PORT, MAC = ND_IPSET_MAC };

static const struct type {
	const char *name;
	uint8_t parts[ND_IPSET_MAX_PARTS];
	bool has_family;
} types[] = {
	{"hash:ip", {IP}, true},
	{"hash:net", {NET}, true},
	{"hash:ip,port", {IP, PORT}, true},
	{"hash:ip,port,ip", {IP, PORT, IP}, true},
	{"hash:ip,port,net", {IP, PORT, NET}, true},
	{"hash:net,port", {NET, PORT}, true},
	{"hash:net,net", {NET, NET}, true},
	{"hash:net,port,net", {NET, PORT, NET}, true},
	{"hash:net,iface", {NET, ND_IPSET_IFACE}, true},
	{"hash:ip,mark", {IP, ND_IPSET_MARK}, true},
	{"hash:ip,mac", {IP, MAC}, true},
	{"hash:mac", {MAC}, false},
	{"bitmap:ip", {IP}, true},
	{"bitmap:ip,mac", {IP, MAC}, true},
	{"bitmap:port", {PORT}, false},
	{"list:set", {ND_IPSET_SET}, false},
};

static uint8_t part_bytes(const struct nd_ipset *set, uint8_t part)
{
	uint8_t width = set->family == 6 ? 16 : 4;
	const uint8_t bytes[] = {
		[ND_IPSET_IP] = width, [ND_IPSET_NET] = (uint8_t)(width + 1),
		[ND_IPSET_PORT] = 3,   [ND_IPSET_IFACE] = 16,
		[ND_IPSET_MARK] = 4,   [ND_IPSET_MAC] = 6,
		[ND_IPSET_SET] = 0,
	};

	return bytes[part];
}

static void set_unknown(struct nd_model *m, struct nd_ipset *set, const char *why,
			struct nd_str words)
{
	char safe[128], text[96];

	if (set->unknown)
		return;
	snprintf(text, sizeof(text), "%.*s", (int)(words.n < 90 ? words.n : 90), words.p);
	nd_text_safe(safe, sizeof(safe), text);
	set->unknown = nd_arena_printf(&m->cluster.arena, "%s: %s", why, safe);
}

/* ---- create ---- */

static void set_type(struct nd_model *m, struct nd_ipset *set, struct nd_str name)
{
	set->type = nd_model_textn(m, name);
	for (size_t i = 0; i < ND_ARRAY_LEN(types); i++) {
		if (!nd_str_eq(name, types[i].name))
			continue;
		set->is_bitmap = nd_starts(types[i].name, "bitmap:");
		set->family = types[i].has_family ? 4 : 0;
		memcpy(set->parts, types[i].parts, sizeof(set->parts));
		while (set->nparts < ND_IPSET_MAX_PARTS && set->parts[set->nparts])
			set->nparts++;
		return;
	}
	set_unknown(m, set, "its type is not known", name);
}

/* "24", "255.255.255.0" */
static bool set_mask(struct nd_ipset *set, struct nd_str value, bool is_bits)
{
	uint64_t bits;

	/* hash:net,net may have one for both networks; that was not compared with a kernel. */
	if (set->nparts == 0 || set->parts[0] != ND_IPSET_IP || set->has_mask)
		return false;
	set->has_mask = true;
	if (is_bits) {
		/* ipset 7.17 prints a length behind it that is left over from the set before. */
		const char *slash = memchr(value.p, '/', value.n);

		if (slash)
			value.n = (size_t)(slash - value.p);
		return nd_ipset_ip(set, value, set->mask);
	}
	if (!nd_parse_u64(value, set->family == 6 ? 128 : 32, &bits))
		return false;
	for (size_t i = 0; i < bits; i++)
		set->mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
	return true;
}

static bool set_option(struct nd_ipset *set, struct nd_str word, struct nd_str *rest)
{
	/* They change how a set grows, ages or counts, not what is in it now. */
	static const char *const with_value[] = {"hashsize", "maxelem", "bucketsize",
						 "initval",  "timeout", "size",
						 "range",    "probes",	"resize"};
	static const char *const alone[] = {"counters", "comment", "skbinfo", "forceadd"};
	struct nd_str value;
	uint64_t mark;

	for (size_t i = 0; i < ND_ARRAY_LEN(alone); i++)
		if (nd_str_eq(word, alone[i]))
			return true;
	if (!nd_str_word(rest, &value))
		return false;
	for (size_t i = 0; i < ND_ARRAY_LEN(with_value); i++)
		if (nd_str_eq(word, with_value[i]))
			return true;
	if (nd_str_eq(word, "family")) {
		set->family = nd_str_eq(value, "inet6") ? 6 : set->family;
		return nd_str_eq(value, "inet") || nd_str_eq(value, "inet6");
	}
	if (nd_str_eq(word, "netmask") || nd_str_eq(word, "bitmask"))
		return set_mask(set, value, nd_str_eq(word, "bitmask"));
	if (!nd_str_eq(word, "markmask") || !nd_parse_hex(value, UINT32_MAX, &mark))
		return false;
	set->mark_mask = (uint32_t)mark;
	return true;
}

static const char *read_create(struct nd_model *m, struct nd_host *host, struct nd_str rest)
{
	struct nd_ipset set = {.mark_mask = UINT32_MAX};
	struct nd_str name, type, word;

	if (!nd_str_word(&rest, &name) || name.n > MAX_NAME || !nd_str_word(&rest, &type))
		return "a line of ipset is not known";
	set.name = nd_model_textn(m, name);
	set_type(m, &set, type);
	while (nd_str_word(&rest, &word))
		if (!set_option(&set, word, &rest))
			set_unknown(m, &set, "an option of it is not known", word);
	set.stride = 1;
	for (size_t i = 0; i < set.nparts; i++)
		set.stride = (uint8_t)(set.stride + part_bytes(&set, set.parts[i]));
	ND_ARENA_PUSH(&m->cluster.arena, host->ipsets, host->nipsets) = set;
	return NULL;
}

/* ---- add ---- */

/* What may stand behind an element; false: not known. */
static bool read_extras(struct nd_str rest, uint8_t *flags)
{
	static const char *const with_value[] = {"timeout", "packets", "bytes",
						 "skbmark", "skbprio", "skbqueue"};
	struct nd_str word, value;

	while (nd_str_word(&rest, &word)) {
		size_t i = 0;

		if (nd_str_eq(word, "comment")) {
			const char *from = memchr(rest.p, '"', rest.n), *to;

			to = from ? memchr(from + 1, '"', rest.n - (size_t)(from + 1 - rest.p))
				  : NULL;
			if (!to)
				return false;
			rest = (struct nd_str){to + 1, rest.n - (size_t)(to + 1 - rest.p)};
			continue;
		}
		if (nd_str_eq(word, "nomatch") || nd_str_eq(word, "wildcard")) {
			*flags |= nd_str_eq(word, "nomatch") ? ND_IPSET_NOMATCH : ND_IPSET_WILDCARD;
			continue;
		}
		while (i < ND_ARRAY_LEN(with_value) && !nd_str_eq(word, with_value[i]))
			i++;
		if (i == ND_ARRAY_LEN(with_value) || !nd_str_word(&rest, &value))
			return false;
	}
	return true;
}

static const char *read_add(struct nd_model *m, struct nd_host *host, struct nd_str rest)
{
	struct nd_ipset *set = host->nipsets ? &host->ipsets[host->nipsets - 1] : NULL;
	struct nd_arena *arena = &m->cluster.arena;
	struct nd_str name, text, whole;
	uint8_t bytes[ND_IPSET_MAX_STRIDE] = {0};

	if (!nd_str_word(&rest, &name))
		return "a line of ipset is not known";
	if (!set || !nd_str_eq(name, set->name))
		return "an element does not stand behind its set";
	if (set->unknown)
		return NULL;
	whole = nd_str_trim(rest);
	if (!nd_str_word(&rest, &text) || !read_extras(rest, bytes)) {
		set_unknown(m, set, "an element of it is not known", whole);
	} else if (set->parts[0] == ND_IPSET_SET) {
		ND_ARENA_PUSH(arena, set->members, set->nmembers) = nd_model_textn(m, text);
	} else if (!nd_ipset_element(set, text, bytes)) {
		set_unknown(m, set, "an element of it is not known", whole);
	} else {
		set->elements = nd_arena_grow(arena, set->elements, set->nelements, set->stride);
		memcpy(set->elements + set->nelements++ * set->stride, bytes, set->stride);
	}
	return NULL;
}

/* "# netdoctor cut NAME": the set before has more elements than were taken. */
static void read_remark(struct nd_model *m, struct nd_host *host, struct nd_str rest)
{
	struct nd_str word;

	if (!host->nipsets || !nd_str_word(&rest, &word) || !nd_str_eq(word, "netdoctor") ||
	    !nd_str_word(&rest, &word) || !nd_str_eq(word, "cut") || !nd_str_word(&rest, &word))
		return;
	if (nd_str_eq(word, host->ipsets[host->nipsets - 1].name))
		set_unknown(m, &host->ipsets[host->nipsets - 1],
			    "it has more elements than are read", word);
}

const char *nd_section_ipsets(struct nd_model *m, struct nd_host *host, struct nd_str text)
{
	struct nd_str line, word;

	host->ipsets = NULL;
	host->nipsets = 0;
	if (text.n && text.p[text.n - 1] != '\n')
		return "its last line does not end";
	while (nd_str_line(&text, &line)) {
		const char *why = NULL;

		if (!nd_str_word(&line, &word))
			continue;
		if (nd_str_eq(word, "#"))
			read_remark(m, host, line);
		else if (nd_str_eq(word, "create"))
			why = read_create(m, host, line);
		else if (nd_str_eq(word, "add"))
			why = read_add(m, host, line);
		else
			why = "a line of ipset is not known";
		if (why)
			return why;
	}
	return NULL;
}
