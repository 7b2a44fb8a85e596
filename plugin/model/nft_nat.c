#include "common/base.h"

#include "plugin/model/nft_parts.h"

/* ---- marks: every expression that nft allows is (mark & mark_mask) ^ (ct & ct_mask) ^ bits ----
 */
struct mix {
	uint32_t mark_mask, ct_mask, bits;
};

static bool mix_of(const cJSON *expr, int depth, struct mix *out);

static bool is_constant(const struct mix *mix)
{
	return !mix->mark_mask && !mix->ct_mask;
}

static bool combine(char op, struct mix *a, struct mix b)
{
	if (op != '^' && is_constant(a) && !is_constant(&b)) {
		struct mix swap = *a;

		*a = b;
		b = swap;
	}
	if (op == '&') {
		*a = (struct mix){a->mark_mask & b.bits, a->ct_mask & b.bits, a->bits & b.bits};
		return is_constant(&b);
	}
	if (op == '|' && is_constant(&b)) {
		*a = (struct mix){a->mark_mask & ~b.bits, a->ct_mask & ~b.bits, a->bits | b.bits};
		return true;
	}
	/* Bits that only one side can have: "or" is the same as "xor". */
	if (op == '|' &&
	    ((a->mark_mask | a->ct_mask | a->bits) & (b.mark_mask | b.ct_mask | b.bits)))
		return false;
	*a = (struct mix){a->mark_mask ^ b.mark_mask, a->ct_mask ^ b.ct_mask, a->bits ^ b.bits};
	return true;
}

static bool mix_operator(const cJSON *operands, char op, int depth, struct mix *out)
{
	if (!cJSON_IsArray(operands) || !operands->child ||
	    !mix_of(operands->child, depth + 1, out))
		return false;
	for (const cJSON *item = operands->child->next; item; item = item->next) {
		struct mix next;

		if (!mix_of(item, depth + 1, &next) || !combine(op, out, next))
			return false;
	}
	return true;
}

static bool mix_of(const cJSON *expr, int depth, struct mix *out)
{
	const cJSON *value = cJSON_IsObject(expr) ? expr->child : NULL;
	const char *name = value && value->string ? value->string : "";
	uint8_t bytes[4];

	*out = (struct mix){0};
	if (depth == ND_NFT_MAX_DEPTH)
		return false;
	if (name[0] && !name[1] && strchr("&|^", name[0]))
		return mix_operator(value, name[0], depth, out);
	if (nd_eq(name, "meta") && nd_eq(nd_json_str(value, "key"), "mark")) {
		out->mark_mask = UINT32_MAX;
		return true;
	}
	if (nd_eq(name, "ct") && nd_eq(nd_json_str(value, "key"), "mark")) {
		out->ct_mask = UINT32_MAX;
		return true;
	}
	if (value || !nd_nft_constant(nd_nft_kind(ND_NFT_K_MARK), expr, bytes))
		return false;
	out->bits = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
		    bytes[3];
	return true;
}

static void set_mark(struct nd_nft_build *build, bool is_ct, const struct mix *mix)
{
	const enum nd_step_kind own = is_ct ? ND_DO_CT_MARK : ND_DO_MARK;
	uint32_t kept = is_ct ? mix->ct_mask : mix->mark_mask;
	uint32_t taken = is_ct ? mix->mark_mask : mix->ct_mask;
	struct nd_rstep *step;

	if (mix->ct_mask)
		nd_nft_need_connection(build);
	if (taken) {
		step = nd_nft_step(build, is_ct ? ND_DO_CT_SAVE : ND_DO_CT_RESTORE);
		step->mask = taken;
		step->mask2 = ~kept;
		if (!mix->bits)
			return;
		kept = UINT32_MAX;
	}
	step = nd_nft_step(build, own);
	step->mask = ~kept;
	step->value = mix->bits;
}

/* Rewriting that no rule, route or filter looks at. */
static bool is_harmless(const cJSON *key)
{
	static const char *const meta[] = {"nftrace", "priority"};
	static const char *const ct[] = {"event", "label"};
	const char *meta_key = nd_json_str(nd_json_get(key, "meta"), "key");
	const char *ct_key = nd_json_str(nd_json_get(key, "ct"), "key");

	for (size_t i = 0; i < ND_ARRAY_LEN(meta); i++)
		if (nd_eq(meta_key, meta[i]) || nd_eq(ct_key, ct[i]))
			return true;
	return nd_json_get(key, "tcp option") != NULL;
}

bool nd_nft_do_mangle(struct nd_nft_build *build, const cJSON *value)
{
	const cJSON *key = nd_json_get(value, "key");
	bool is_mark = nd_eq(nd_json_str(nd_json_get(key, "meta"), "key"), "mark");
	bool is_ct = nd_eq(nd_json_str(nd_json_get(key, "ct"), "key"), "mark");
	struct mix mix;

	if (is_harmless(key)) {
		nd_nft_step(build, ND_DO_NOTHING);
		return true;
	}
	if ((!is_mark && !is_ct) || !mix_of(nd_json_get(value, "value"), 0, &mix))
		return false;
	set_mark(build, is_ct, &mix);
	return true;
}

/* ---- NAT ---- */
/* 4, 6, or 0: not said, as with a port alone. */
static uint8_t family_of(const struct nd_nft_build *build, const cJSON *nat)
{
	const char *family = nd_json_str(nat, "family");
	const cJSON *addr = nd_json_get(nat, "addr");
	struct nd_ip ip;

	if (!family)
		family = build->family;
	if (nd_eq(family, "ip") || nd_eq(family, "ip6"))
		return nd_eq(family, "ip") ? 4 : 6;
	if (nd_json_text(addr) && nd_ip_parse(nd_json_text(addr), &ip))
		return ip.family;
	return 0;
}

static void copy_ip(uint8_t family, const uint8_t *bytes, struct nd_ip *out)
{
	*out = (struct nd_ip){.family = family};
	memcpy(out->bytes, bytes, family == 4 ? 4 : 16);
}

static bool read_map(struct nd_nft_build *build, const cJSON *map, uint8_t family,
		     struct nd_rstep *step)
{
	struct nd_nft_def like = {
		.is_map = true,
		.data = {{nd_nft_kind(family == 4 ? ND_NFT_K_ADDR4 : ND_NFT_K_ADDR6),
			  nd_nft_kind(ND_NFT_K_PORT)},
			 2}};
	const struct nd_nft_def *def;
	struct nd_nft_left left;

	if (!nd_nft_left(build, nd_json_get(map, "key"), &left) || !nd_nft_is_whole(&left))
		return false;
	def = nd_nft_set_of(build, nd_json_get(map, "data"), &left.kinds, &like);
	if (!def || def->data.n < 1 || def->data.n > 2 || def->data.at[0]->form != ND_NFT_ADDR ||
	    def->data.at[0]->width != (family == 4 ? 4 : 16) ||
	    (def->data.n == 2 && def->data.at[1] != nd_nft_kind(ND_NFT_K_PORT)))
		return false;
	nd_nft_use(build, step, &left);
	step->nat.map = def->set;
	step->nat.map_addr_n = def->data.at[0]->width;
	step->nat.map_port_n = def->data.n == 2 ? 2 : 0;
	return true;
}

static bool read_addr(struct nd_nft_build *build, const cJSON *nat, uint8_t family,
		      struct nd_rstep *step)
{
	const cJSON *addr = nd_json_get(nat, "addr"), *map = nd_json_get(addr, "map");
	uint8_t lo[16], hi[16];

	if (!addr)
		return true;
	if (!family)
		return false;
	nd_nft_need_family(build, family);
	if (map)
		return read_map(build, map, family, step);
	if (!nd_nft_span(nd_nft_kind(family == 4 ? ND_NFT_K_ADDR4 : ND_NFT_K_ADDR6), addr, lo, hi))
		return false;
	copy_ip(family, lo, &step->nat.lo);
	copy_ip(family, hi, &step->nat.hi);
	return true;
}

static bool read_port(const cJSON *nat, struct nd_rstep *step)
{
	const cJSON *port = nd_json_get(nat, "port");
	uint8_t lo[2], hi[2];

	if (!port)
		return true;
	if (!nd_nft_span(nd_nft_kind(ND_NFT_K_PORT), port, lo, hi))
		return false;
	step->nat.port_lo = (uint16_t)(lo[0] << 8 | lo[1]);
	step->nat.port_hi = (uint16_t)(hi[0] << 8 | hi[1]);
	return true;
}

static bool has_word(const cJSON *words, const char *word)
{
	return nd_eq(nd_json_text(words), word) || nd_json_has(words, word);
}

bool nd_nft_do_nat(struct nd_nft_build *build, const char *name, const cJSON *value)
{
	const cJSON *flags = nd_json_get(value, "flags");
	struct nd_rstep step = {.kind = nd_eq(name, "dnat")	    ? ND_DO_DNAT
					: nd_eq(name, "snat")	    ? ND_DO_SNAT
					: nd_eq(name, "masquerade") ? ND_DO_MASQUERADE
								    : ND_DO_REDIRECT};

	if (step.kind <= ND_DO_SNAT && !nd_json_get(value, "addr") && !nd_json_get(value, "port"))
		return false;
	/* netmap keeps the host part of the address. */
	if (has_word(flags, "netmap") || has_word(nd_json_get(value, "type_flags"), "prefix") ||
	    !read_addr(build, value, family_of(build, value), &step) || !read_port(value, &step))
		return false;
	step.nat.is_random = has_word(flags, "random") || has_word(flags, "fully-random");
	step.nat.is_persistent = has_word(flags, "persistent");
	*nd_nft_step(build, step.kind) = step;
	return true;
}
