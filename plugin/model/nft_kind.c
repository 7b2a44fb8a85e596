#include "common/base.h"

#include "plugin/model/nft_parts.h"

/* ---- words; source: nftables src/datatype.c, ct.c, fib.c, meta.c, proto.c ---- */
static const struct nd_nft_word protos[] = {
	{"icmp", 1},	   {"igmp", 2},	    {"ipencap", 4}, {"tcp", 6},	   {"udp", 17},
	{"ipv6", 41},	   {"gre", 47},	    {"esp", 50},    {"ah", 51},	   {"icmpv6", 58},
	{"ipv6-icmp", 58}, {"dccp", 33},    {"ospf", 89},   {"ipip", 94},  {"vrrp", 112},
	{"comp", 108},	   {"ipcomp", 108}, {"pim", 103},   {"l2tp", 115}, {"sctp", 132},
	{"udplite", 136},  {"hopopt", 0},   {"ip", 0},	    {NULL, 0}};
static const struct nd_nft_word ct_states[] = {
	{"invalid", ND_CT_INVALID}, {"established", ND_CT_ESTABLISHED}, {"related", ND_CT_RELATED},
	{"new", ND_CT_NEW},	    {"untracked", ND_CT_UNTRACKED},	{NULL, 0}};
static const struct nd_nft_word ct_statuses[] = {
	{"expected", 1}, {"seen-reply", 2}, {"assured", 4},   {"confirmed", 8},
	{"snat", 0x10},	 {"dnat", 0x20},    {"dying", 0x200}, {NULL, 0}};
static const struct nd_nft_word ct_dirs[] = {{"original", 0}, {"reply", 1}, {NULL, 0}};
static const struct nd_nft_word icmp_types[] = {
	{"echo-reply", 0},	     {"destination-unreachable", 3},
	{"source-quench", 4},	     {"redirect", 5},
	{"echo-request", 8},	     {"router-advertisement", 9},
	{"router-solicitation", 10}, {"time-exceeded", 11},
	{"parameter-problem", 12},   {"timestamp-request", 13},
	{"timestamp-reply", 14},     {"info-request", 15},
	{"info-reply", 16},	     {"address-mask-request", 17},
	{"address-mask-reply", 18},  {NULL, 0}};
static const struct nd_nft_word icmp_codes[] = {
	{"net-unreachable", 0},	 {"host-unreachable", 1},  {"prot-unreachable", 2},
	{"port-unreachable", 3}, {"frag-needed", 4},	   {"net-prohibited", 9},
	{"host-prohibited", 10}, {"admin-prohibited", 13}, {NULL, 0}};
static const struct nd_nft_word icmp6_types[] = {
	{"destination-unreachable", 1}, {"packet-too-big", 2},
	{"time-exceeded", 3},		{"parameter-problem", 4},
	{"echo-request", 128},		{"echo-reply", 129},
	{"mld-listener-query", 130},	{"mld-listener-report", 131},
	{"mld-listener-done", 132},	{"mld-listener-reduction", 132},
	{"nd-router-solicit", 133},	{"nd-router-advert", 134},
	{"nd-neighbor-solicit", 135},	{"nd-neighbor-advert", 136},
	{"nd-redirect", 137},		{"router-renumbering", 138},
	{"ind-neighbor-solicit", 141},	{"ind-neighbor-advert", 142},
	{"mld2-listener-report", 143},	{NULL, 0}};
static const struct nd_nft_word icmp6_codes[] = {{"no-route", 0},
						 {"admin-prohibited", 1},
						 {"addr-unreachable", 3},
						 {"port-unreachable", 4},
						 {"policy-fail", 5},
						 {"reject-route", 6},
						 {NULL, 0}};
static const struct nd_nft_word tcp_flags[] = {{"fin", 1},  {"syn", 2},	  {"rst", 4},
					       {"psh", 8},  {"ack", 16},  {"urg", 32},
					       {"ecn", 64}, {"cwr", 128}, {NULL, 0}};
static const struct nd_nft_word nfprotos[] = {{"ipv4", 2}, {"ipv6", 10}, {NULL, 0}};
static const struct nd_nft_word ethertypes[] = {
	{"ip", 2}, {"ip6", 10}, {"arp", 0}, {"vlan", 0}, {"8021q", 0}, {"8021ad", 0}, {NULL, 0}};
static const struct nd_nft_word pkttypes[] = {{"host", 0},	{"unicast", 0}, {"broadcast", 1},
					      {"multicast", 2}, {"other", 3},	{NULL, 0}};
static const struct nd_nft_word dscps[] = {
	{"cs0", 0},	{"cs1", 0x08},	{"cs2", 0x10},	{"cs3", 0x18},	{"cs4", 0x20},
	{"cs5", 0x28},	{"cs6", 0x30},	{"cs7", 0x38},	{"df", 0},	{"be", 0},
	{"lephb", 1},	{"af11", 0x0a}, {"af12", 0x0c}, {"af13", 0x0e}, {"af21", 0x12},
	{"af22", 0x14}, {"af23", 0x16}, {"af31", 0x1a}, {"af32", 0x1c}, {"af33", 0x1e},
	{"af41", 0x22}, {"af42", 0x24}, {"af43", 0x26}, {"va", 0x2c},	{"ef", 0x2e},
	{NULL, 0}};
static const struct nd_nft_word fib_types[] = {
	{"unspec", 0},	  {"unicast", 1},   {"local", 2},	{"broadcast", 3}, {"anycast", 4},
	{"multicast", 5}, {"blackhole", 6}, {"unreachable", 7}, {"prohibit", 8},  {NULL, 0}};

static const struct nd_nft_word users[] = {{"root", 0}, {NULL, 0}};

static const struct nd_nft_kind kinds[ND_NFT_KINDS] = {
	[ND_NFT_K_ADDR4] = {.type = "ipv4_addr", .form = ND_NFT_ADDR, .width = 4},
	[ND_NFT_K_ADDR6] = {.type = "ipv6_addr", .form = ND_NFT_ADDR, .width = 16},
	[ND_NFT_K_PROTO] = {.type = "inet_proto", .width = 1, .words = protos},
	[ND_NFT_K_PORT] = {.type = "inet_service", .width = 2},
	[ND_NFT_K_MARK] = {.type = "mark", .width = 4},
	[ND_NFT_K_IFNAME] = {.type = "ifname", .form = ND_NFT_IFNAME, .width = 16},
	[ND_NFT_K_IFINDEX] = {.type = "iface_index", .form = ND_NFT_IFNAME, .width = 16},
	[ND_NFT_K_CT_STATE] = {.type = "ct_state", .is_bits = true, .width = 4, .words = ct_states},
	/* ASSURED, DYING and the *_NAT_DONE bits are not followed by the walk. */
	[ND_NFT_K_CT_STATUS] = {.type = "ct_status",
				.width = 4,
				.is_bits = true,
				.known_bits = 0x3b,
				.words = ct_statuses},
	[ND_NFT_K_CT_DIR] = {.type = "ct_dir", .width = 1, .words = ct_dirs},
	[ND_NFT_K_ICMP_TYPE] = {.type = "icmp_type", .width = 1, .words = icmp_types},
	[ND_NFT_K_ICMP_CODE] = {.type = "icmp_code", .width = 1, .words = icmp_codes},
	[ND_NFT_K_ICMP6_TYPE] = {.type = "icmpv6_type", .width = 1, .words = icmp6_types},
	[ND_NFT_K_ICMP6_CODE] = {.type = "icmpv6_code", .width = 1, .words = icmp6_codes},
	[ND_NFT_K_TCP_FLAGS] = {.type = "tcp_flag",
				.is_bits = true,
				.width = 1,
				.words = tcp_flags},
	[ND_NFT_K_NFPROTO] = {.type = "nf_proto", .width = 1, .words = nfprotos},
	[ND_NFT_K_ETHERTYPE] = {.type = "ether_type",
				.form = ND_NFT_ETHERTYPE,
				.width = 1,
				.words = ethertypes},
	[ND_NFT_K_PKTTYPE] = {.type = "pkt_type", .width = 1, .words = pkttypes},
	[ND_NFT_K_DSCP] = {.type = "dscp", .width = 1, .words = dscps},
	[ND_NFT_K_FIB_TYPE] = {.type = "fib_addrtype", .width = 4, .words = fib_types},
	[ND_NFT_K_FIB_OIF] = {.form = ND_NFT_PRESENCE, .width = 4},
	/* The "don't fragment" bit is not followed. */
	[ND_NFT_K_FRAG] = {.width = 2, .known_bits = 0x3fff},
	[ND_NFT_K_UID] = {.type = "uid", .width = 4, .words = users},
	[ND_NFT_K_GID] = {.type = "gid", .width = 4, .words = users},
	[ND_NFT_K_U8] = {.width = 1},
	[ND_NFT_K_U16] = {.width = 2},
	[ND_NFT_K_U32] = {.width = 4},
};

const struct nd_nft_kind *nd_nft_kind(enum nd_nft_kind_id id)
{
	return &kinds[id];
}

const struct nd_nft_kind *nd_nft_kind_of_type(const char *type)
{
	for (size_t i = 0; type && i < ND_NFT_KINDS; i++)
		if (nd_eq(kinds[i].type, type))
			return &kinds[i];
	return NULL;
}

bool nd_nft_kinds_eq(const struct nd_nft_kinds *a, const struct nd_nft_kinds *b)
{
	if (a->n != b->n)
		return false;
	for (uint8_t i = 0; i < a->n; i++)
		if (a->at[i]->width != b->at[i]->width || a->at[i]->form != b->at[i]->form)
			return false;
	return true;
}

void nd_nft_number(uint32_t number, uint8_t width, uint8_t *out)
{
	for (uint8_t i = 0; i < width; i++)
		out[i] = (uint8_t)(number >> (8 * (width - 1 - i)));
}

static bool word_value(const struct nd_nft_kind *kind, const char *text, uint64_t max,
		       uint64_t *out)
{
	for (const struct nd_nft_word *word = kind->words; word && word->text; word++) {
		if (strcmp(word->text, text) == 0) {
			*out = word->value;
			return true;
		}
	}
	if (nd_starts(text, "0x"))
		return nd_parse_hex(nd_str(text), max, out);
	return nd_parse_u64(nd_str(text), max, out);
}

/* A number, a word, or several of them that are or'ed: ["syn", "ack"], {"|": ["syn", "ack"]}. */
static bool number_value(const struct nd_nft_kind *kind, const cJSON *value, int depth,
			 uint64_t *out)
{
	const uint64_t max =
		kind->form == ND_NFT_ETHERTYPE ? UINT16_MAX : UINT64_MAX >> (64 - 8 * kind->width);
	const cJSON *list = kind->is_bits && cJSON_IsArray(value) ? value : nd_json_get(value, "|");
	const cJSON *item;
	const char *text = nd_json_text(value);
	int64_t number;
	uint64_t all = 0;

	if (text)
		return word_value(kind, text, max, out) && *out <= max;
	if (nd_json_number(value, 0, (int64_t)max, &number)) {
		*out = (uint64_t)number;
		return true;
	}
	if (!cJSON_IsArray(list) || !list->child || depth == ND_NFT_MAX_DEPTH)
		return false;
	cJSON_ArrayForEach(item, list)
	{
		if (!number_value(kind, item, depth + 1, out))
			return false;
		all |= *out;
	}
	*out = all;
	return true;
}

static bool address_value(uint8_t width, const char *text, uint8_t *out)
{
	struct nd_ip ip;

	if (!text || !nd_ip_parse(text, &ip) || ip.family != (width == 4 ? 4 : 6))
		return false;
	memcpy(out, ip.bytes, width);
	return true;
}

int nd_nft_wildcard(const cJSON *value)
{
	const char *text = nd_json_text(value);
	size_t n = text ? strlen(text) : 0;

	if (n == 0 || n > 16 || text[n - 1] != '*' || (n > 1 && text[n - 2] == '\\'))
		return -1;
	return (int)n - 1;
}

/* "eth\*" is the name "eth*". */
static bool ifname_value(const char *text, uint8_t out[16])
{
	size_t n = text ? strlen(text) : 0;
	bool is_escaped = n >= 2 && text[n - 1] == '*' && text[n - 2] == '\\';

	if (n == 0 || n - is_escaped > 15)
		return false;
	memset(out, 0, 16);
	memcpy(out, text, n - is_escaped);
	if (is_escaped)
		out[n - 2] = '*';
	return true;
}

static bool ethertype_value(const struct nd_nft_kind *kind, const cJSON *value, uint8_t *out)
{
	uint64_t number = 0;

	if (!number_value(kind, value, ND_NFT_MAX_DEPTH, &number))
		return false;
	if (cJSON_IsNumber(value))
		number = number == 0x0800 ? 2 : number == 0x86dd ? 10 : 0;
	*out = (uint8_t)number;
	return number <= UINT8_MAX;
}

bool nd_nft_constant(const struct nd_nft_kind *kind, const cJSON *value, uint8_t *out)
{
	uint64_t number = 0;

	switch (kind->form) {
	case ND_NFT_ADDR:
		return address_value(kind->width, nd_json_text(value), out);
	case ND_NFT_IFNAME:
		return nd_nft_wildcard(value) < 0 && ifname_value(nd_json_text(value), out);
	case ND_NFT_ETHERTYPE:
		return ethertype_value(kind, value, out);
	case ND_NFT_PRESENCE:
		if (!number_value(kind, value, ND_NFT_MAX_DEPTH, &number) || number)
			return false;
		break;
	case ND_NFT_NUMBER:
		if (!number_value(kind, value, 0, &number))
			return false;
		break;
	}
	nd_nft_number((uint32_t)number, kind->width, out);
	return true;
}

static bool prefix_span(const struct nd_nft_kind *kind, const cJSON *prefix, uint8_t *lo,
			uint8_t *hi)
{
	int64_t len = nd_json_int(prefix, "len", 0, kind->width * 8, -1);

	if (kind->form != ND_NFT_ADDR || len < 0 ||
	    !nd_nft_constant(kind, nd_json_get(prefix, "addr"), lo))
		return false;
	for (uint8_t i = 0; i < kind->width; i++) {
		int64_t bits = len - 8 * i;
		uint8_t mask = bits >= 8 ? 0xff : bits <= 0 ? 0 : (uint8_t)(0xff << (8 - bits));

		lo[i] &= mask;
		hi[i] = (uint8_t)(lo[i] | (uint8_t)~mask);
	}
	return true;
}

bool nd_nft_span(const struct nd_nft_kind *kind, const cJSON *value, uint8_t *lo, uint8_t *hi)
{
	const cJSON *range = nd_json_get(value, "range"), *prefix = nd_json_get(value, "prefix");
	int wildcard = kind->form == ND_NFT_IFNAME ? nd_nft_wildcard(value) : -1;

	if (prefix)
		return prefix_span(kind, prefix, lo, hi);
	if (range)
		return cJSON_IsArray(range) && range->child && range->child->next &&
		       nd_nft_constant(kind, range->child, lo) &&
		       nd_nft_constant(kind, range->child->next, hi) &&
		       memcmp(lo, hi, kind->width) <= 0;
	if (wildcard >= 0) {
		memset(lo, 0, kind->width);
		memset(hi, 0xff, kind->width);
		memcpy(lo, nd_json_text(value), (size_t)wildcard);
		memcpy(hi, nd_json_text(value), (size_t)wildcard);
		return true;
	}
	if (!nd_nft_constant(kind, value, lo))
		return false;
	memcpy(hi, lo, kind->width);
	return true;
}
