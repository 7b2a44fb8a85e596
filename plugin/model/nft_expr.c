#include "common/base.h"

#include "plugin/model/nft_parts.h"

/* ---- tests that a header implies: nft leaves them out where it names the header ---- */
static void add_test(struct nd_nft_build *build, enum nd_field field, bool is_masked, uint8_t value)
{
	struct nd_rstep *step = nd_nft_step(build, ND_DO_TEST);
	struct nd_load load;

	/* Also between its fields: loads are compared as bytes. */
	memset(&load, 0, sizeof(load));
	load.field = field;
	load.has_mask = is_masked;
	step->op = ND_EQ;
	step->nloads = 1;
	step->loads = nd_nft_loads_once(build->compiler, &load, 1);
	step->lo = (struct nd_value){.n = 1, .bytes = {value}};
}

/* Fails like every look at a connection that is not there; says nothing more. */
void nd_nft_need_connection(struct nd_nft_build *build)
{
	add_test(build, ND_F_CT_DIR, true, 0);
}

void nd_nft_need_family(struct nd_nft_build *build, uint8_t family)
{
	const uint8_t nfproto = family == 4 ? 2 : 10;

	if (build->nfproto == nfproto)
		return;
	add_test(build, ND_F_NFPROTO, false, nfproto);
	build->nfproto = nfproto;
}

void nd_nft_need_proto(struct nd_nft_build *build, uint8_t proto)
{
	if (build->l4proto == proto)
		return;
	add_test(build, ND_F_L4PROTO, false, proto);
	build->l4proto = proto;
}

/* ---- payload ---- */
static const struct header {
	const char *name;
	uint8_t family, proto; /* 0: any */
} headers[] = {
	{"ip", 4, 0},	  {"ip6", 6, 0},    {"tcp", 0, 6},  {"udp", 0, 17},    {"udplite", 0, 136},
	{"sctp", 0, 132}, {"dccp", 0, 33},  {"icmp", 4, 1}, {"icmpv6", 6, 58}, {"esp", 0, 50},
	{"ah", 0, 51},	  {"comp", 0, 108}, {"th", 0, 0},
};

static const struct payload_field {
	const char *header, *name; /* header NULL: every one with ports */
	enum nd_field field;
	uint8_t family;
	enum nd_nft_kind_id kind;
} payload_fields[] = {
	{"ip", "saddr", ND_F_SADDR, 4, ND_NFT_K_ADDR4},
	{"ip", "daddr", ND_F_DADDR, 4, ND_NFT_K_ADDR4},
	{"ip", "protocol", ND_F_L4PROTO, 0, ND_NFT_K_PROTO},
	{"ip", "ttl", ND_F_TTL, 0, ND_NFT_K_U8},
	{"ip", "dscp", ND_F_DSCP, 0, ND_NFT_K_DSCP},
	{"ip", "length", ND_F_LENGTH, 0, ND_NFT_K_U16},
	{"ip", "frag-off", ND_F_FRAG_OFFSET, 0, ND_NFT_K_FRAG},
	{"ip6", "saddr", ND_F_SADDR, 6, ND_NFT_K_ADDR6},
	{"ip6", "daddr", ND_F_DADDR, 6, ND_NFT_K_ADDR6},
	/* The walk's packets have no extension headers. */
	{"ip6", "nexthdr", ND_F_L4PROTO, 0, ND_NFT_K_PROTO},
	{"ip6", "hoplimit", ND_F_TTL, 0, ND_NFT_K_U8},
	{"ip6", "dscp", ND_F_DSCP, 0, ND_NFT_K_DSCP},
	{"tcp", "flags", ND_F_TCP_FLAGS, 0, ND_NFT_K_TCP_FLAGS},
	{"icmp", "type", ND_F_ICMP_TYPE, 0, ND_NFT_K_ICMP_TYPE},
	{"icmp", "code", ND_F_ICMP_CODE, 0, ND_NFT_K_ICMP_CODE},
	{"icmpv6", "type", ND_F_ICMP_TYPE, 0, ND_NFT_K_ICMP6_TYPE},
	{"icmpv6", "code", ND_F_ICMP_CODE, 0, ND_NFT_K_ICMP6_CODE},
	{NULL, "sport", ND_F_SPORT, 0, ND_NFT_K_PORT},
	{NULL, "dport", ND_F_DPORT, 0, ND_NFT_K_PORT},
};

static bool put(struct nd_nft_left *out, enum nd_field field, uint8_t family,
		enum nd_nft_kind_id kind)
{
	if (out->kinds.n == ND_NFT_MAX_PARTS)
		return false;
	out->loads[out->kinds.n].field = field;
	out->loads[out->kinds.n].family = family;
	out->kinds.at[out->kinds.n++] = nd_nft_kind(kind);
	return true;
}

static bool put_payload(struct nd_nft_build *build, const cJSON *payload, struct nd_nft_left *out)
{
	const char *name = nd_json_str(payload, "protocol"), *field = nd_json_str(payload, "field");
	const struct header *header = NULL;

	for (size_t i = 0; i < ND_ARRAY_LEN(headers); i++)
		if (nd_eq(headers[i].name, name))
			header = &headers[i];
	if (!header)
		return false;
	if (header->family)
		nd_nft_need_family(build, header->family);
	if (header->proto)
		nd_nft_need_proto(build, header->proto);
	for (size_t i = 0; i < ND_ARRAY_LEN(payload_fields); i++) {
		const struct payload_field *known = &payload_fields[i];

		/* Only those two of the headers without a family of their own have ports. */
		if (nd_eq(known->name, field) &&
		    (known->header ? nd_eq(known->header, name) : !header->family))
			return put(out, known->field, known->family, known->kind);
	}
	return false;
}

/* ---- meta, ct, fib, numgen ---- */
static const struct key_field {
	const char *key;
	enum nd_field field;
	uint8_t family;
	enum nd_nft_kind_id kind;
} meta_fields[] = {
	{"l4proto", ND_F_L4PROTO, 0, ND_NFT_K_PROTO},
	{"nfproto", ND_F_NFPROTO, 0, ND_NFT_K_NFPROTO},
	{"protocol", ND_F_NFPROTO, 0, ND_NFT_K_ETHERTYPE},
	{"iif", ND_F_IIFNAME, 0, ND_NFT_K_IFINDEX},
	{"oif", ND_F_OIFNAME, 0, ND_NFT_K_IFINDEX},
	{"iifname", ND_F_IIFNAME, 0, ND_NFT_K_IFNAME},
	{"oifname", ND_F_OIFNAME, 0, ND_NFT_K_IFNAME},
	{"mark", ND_F_MARK, 0, ND_NFT_K_MARK},
	{"pkttype", ND_F_PKTTYPE, 0, ND_NFT_K_PKTTYPE},
	{"length", ND_F_LENGTH, 0, ND_NFT_K_U16},
	{"skuid", ND_F_OWNER, 0, ND_NFT_K_UID},
	{"skgid", ND_F_OWNER, 0, ND_NFT_K_GID},
};
static const struct key_field ct_fields[] = {
	{"state", ND_F_CT_STATE, 0, ND_NFT_K_CT_STATE},
	{"status", ND_F_CT_STATUS, 0, ND_NFT_K_CT_STATUS},
	{"mark", ND_F_CT_MARK, 0, ND_NFT_K_MARK},
	{"direction", ND_F_CT_DIR, 0, ND_NFT_K_CT_DIR},
	{"protocol", ND_F_CT_PROTO, 0, ND_NFT_K_PROTO},
	{"ip saddr", ND_F_CT_SADDR, 4, ND_NFT_K_ADDR4},
	{"ip daddr", ND_F_CT_DADDR, 4, ND_NFT_K_ADDR4},
	{"ip6 saddr", ND_F_CT_SADDR, 6, ND_NFT_K_ADDR6},
	{"ip6 daddr", ND_F_CT_DADDR, 6, ND_NFT_K_ADDR6},
	{"proto-src", ND_F_CT_SPORT, 0, ND_NFT_K_PORT},
	{"proto-dst", ND_F_CT_DPORT, 0, ND_NFT_K_PORT},
};

static bool put_key(const struct key_field *fields, size_t nfields, const char *key,
		    struct nd_nft_left *out)
{
	for (size_t i = 0; i < nfields; i++)
		if (nd_eq(fields[i].key, key))
			return put(out, fields[i].field, fields[i].family, fields[i].kind);
	return false;
}

static bool put_meta(struct nd_nft_build *build, const cJSON *meta, struct nd_nft_left *out)
{
	const char *key = nd_json_str(meta, "key");

	/* There it is the number of the family itself, never that of IPv4 or IPv6. */
	if (nd_eq(key, "nfproto") &&
	    (nd_eq(build->family, "bridge") || nd_eq(build->family, "netdev")))
		return false;
	return put_key(meta_fields, ND_ARRAY_LEN(meta_fields), key, out);
}

/* "saddr" with its family beside it, in the name of the table, or before it: "ip saddr". */
static const char *tuple_key(const struct nd_nft_build *build, const cJSON *ct, const char *key)
{
	const char *family = nd_json_str(ct, "family");
	bool is_src = nd_eq(key, "saddr");

	if (!is_src && !nd_eq(key, "daddr"))
		return key;
	if (!family)
		family = build->family;
	if (nd_eq(family, "ip"))
		return is_src ? "ip saddr" : "ip daddr";
	if (nd_eq(family, "ip6"))
		return is_src ? "ip6 saddr" : "ip6 daddr";
	return NULL;
}

static bool put_ct(struct nd_nft_build *build, const cJSON *ct, struct nd_nft_left *out)
{
	const char *key = tuple_key(build, ct, nd_json_str(ct, "key"));
	const char *dir = nd_json_str(ct, "dir");

	if (nd_eq(key, "l3proto")) {
		nd_nft_need_connection(build);
		return put(out, ND_F_NFPROTO, 0, ND_NFT_K_NFPROTO);
	}
	if (!put_key(ct_fields, ND_ARRAY_LEN(ct_fields), key, out))
		return false;
	struct nd_load *load = &out->loads[out->kinds.n - 1];

	load->arg =
		nd_eq(dir, "reply") && load->field >= ND_F_CT_SADDR && load->field <= ND_F_CT_DPORT;
	return true;
}

static bool has_flag(const cJSON *flags, const char *name)
{
	return nd_eq(nd_json_text(flags), name) || nd_json_has(flags, name);
}

static bool put_fib(struct nd_nft_build *build, const cJSON *fib, struct nd_nft_left *out)
{
	const char *result = nd_json_str(fib, "result");
	const cJSON *flags = nd_json_get(fib, "flags");
	bool is_src = has_flag(flags, "saddr"), is_type = nd_eq(result, "type");
	uint32_t arg = has_flag(flags, "iif") | (uint32_t)has_flag(flags, "oif") << 1;

	(void)build;
	if (is_src == has_flag(flags, "daddr"))
		return false;
	if (nd_eq(result, "oif")) {
		if (!is_src || !put(out, ND_F_FIB_SADDR_OIF, 0, ND_NFT_K_FIB_OIF))
			return false;
		arg |= (uint32_t)has_flag(flags, "mark") << 2;
	} else if (!is_type || !put(out, is_src ? ND_F_FIB_SADDR_TYPE : ND_F_FIB_DADDR_TYPE, 0,
				    ND_NFT_K_FIB_TYPE)) {
		return false;
	}
	out->loads[out->kinds.n - 1].arg = arg;
	return true;
}

static bool put_numgen(struct nd_nft_build *build, const cJSON *numgen, struct nd_nft_left *out)
{
	const char *mode = nd_json_str(numgen, "mode");
	int64_t mod = nd_json_int(numgen, "mod", 1, UINT32_MAX, 0);
	int64_t offset = nd_json_int(numgen, "offset", 0, UINT32_MAX, 0);
	bool is_random = nd_eq(mode, "random");

	(void)build;
	if (!mod || mod + offset > UINT32_MAX || (!is_random && !nd_eq(mode, "inc")) ||
	    !put(out, is_random ? ND_F_RANDOM : ND_F_COUNTER, 0, ND_NFT_K_U32))
		return false;
	out->loads[out->kinds.n - 1].arg = (uint32_t)mod;
	out->loads[out->kinds.n - 1].arg2 = (uint32_t)offset;
	return true;
}

/* ---- operators and concatenations ---- */
static bool put_expr(struct nd_nft_build *build, const cJSON *expr, int depth,
		     struct nd_nft_left *out);

static void apply(struct nd_load *load, uint8_t width, char op, const uint8_t *bits)
{
	if (!load->has_mask)
		memset(load->mask, 0xff, sizeof(load->mask));
	load->has_mask = true;
	for (uint8_t i = 0; i < width; i++) {
		if (op == '&') {
			load->mask[i] &= bits[i];
			load->xor_[i] &= bits[i];
		} else if (op == '|') {
			load->mask[i] &= (uint8_t)~bits[i];
			load->xor_[i] = (uint8_t)((load->xor_[i] & ~bits[i]) | bits[i]);
		} else {
			load->xor_[i] ^= bits[i];
		}
	}
}

/* {"&": [meta mark, 255]}; also with more than two operands. */
static bool put_operator(struct nd_nft_build *build, const cJSON *operands, int depth, char op,
			 struct nd_nft_left *out)
{
	const uint8_t before = out->kinds.n;
	uint8_t bits[16] = {0};

	if (!cJSON_IsArray(operands) || !put_expr(build, operands->child, depth + 1, out) ||
	    out->kinds.n != before + 1)
		return false;
	const struct nd_nft_kind *kind = out->kinds.at[before];

	if (kind->form != ND_NFT_NUMBER && kind->form != ND_NFT_ADDR)
		return false;
	for (const cJSON *item = operands->child->next; item; item = item->next) {
		if (!nd_nft_constant(kind, item, bits))
			return false;
		apply(&out->loads[before], kind->width, op, bits);
	}
	return true;
}

static bool put_concat(struct nd_nft_build *build, const cJSON *list, int depth,
		       struct nd_nft_left *out)
{
	const cJSON *item;

	if (!cJSON_IsArray(list) || !list->child)
		return false;
	cJSON_ArrayForEach(item, list)
	{
		if (!put_expr(build, item, depth + 1, out))
			return false;
	}
	return true;
}

static bool put_expr(struct nd_nft_build *build, const cJSON *expr, int depth,
		     struct nd_nft_left *out)
{
	static const struct {
		const char *name;
		bool (*put)(struct nd_nft_build *build, const cJSON *value,
			    struct nd_nft_left *out);
	} loaders[] = {{"payload", put_payload},
		       {"meta", put_meta},
		       {"ct", put_ct},
		       {"fib", put_fib},
		       {"numgen", put_numgen}};
	const cJSON *value = cJSON_IsObject(expr) ? expr->child : NULL;
	const char *name = value ? value->string : NULL;

	if (!name || depth == ND_NFT_MAX_DEPTH)
		return false;
	for (size_t i = 0; i < ND_ARRAY_LEN(loaders); i++)
		if (strcmp(loaders[i].name, name) == 0)
			return loaders[i].put(build, value, out);
	if (strcmp(name, "concat") == 0)
		return put_concat(build, value, depth, out);
	if (name[0] && !name[1] && strchr("&|^", name[0]))
		return put_operator(build, value, depth, name[0], out);
	return false;
}

bool nd_nft_left(struct nd_nft_build *build, const cJSON *expr, struct nd_nft_left *out)
{
	/* Also between the fields: loads are compared as bytes. */
	memset(out, 0, sizeof(*out));
	return put_expr(build, expr, 0, out);
}

bool nd_nft_is_whole(const struct nd_nft_left *left)
{
	for (uint8_t i = 0; i < left->kinds.n; i++) {
		const struct nd_nft_kind *kind = left->kinds.at[i];
		const struct nd_load *load = &left->loads[i];
		uint8_t known[4];

		if (!kind->known_bits)
			continue;
		nd_nft_number(kind->known_bits, kind->width, known);
		for (uint8_t j = 0; j < kind->width; j++)
			if (!load->has_mask || (load->mask[j] & ~known[j]))
				return false;
	}
	return true;
}

void nd_nft_use(struct nd_nft_build *build, struct nd_rstep *step, const struct nd_nft_left *left)
{
	step->loads = nd_nft_loads_once(build->compiler, left->loads, left->kinds.n);
	step->nloads = left->kinds.n;
}
