/* source.c: which of its addresses a namespace takes to speak. */
#include "common/base.h"

#include "plugin/walk/space.h"

/* include/uapi/linux/rtnetlink.h: RT_SCOPE_*; wider is smaller. */
static unsigned scope_number(const char *scope)
{
	uint64_t number;

	if (!scope || nd_eq(scope, "global"))
		return 0;
	if (nd_eq(scope, "site"))
		return 200;
	if (nd_eq(scope, "link"))
		return 253;
	if (nd_eq(scope, "host"))
		return 254;
	return nd_parse_u64(nd_str(scope), 255, &number) ? (unsigned)number : 255;
}

/* An earlier address of the same network makes this one secondary (kernel: __inet_insert_ifa). */
static bool is_secondary(const struct nd_space *space, const struct nd_address *addr)
{
	for (const struct nd_address *a = space->addrs; a < addr; a++)
		if (nd_eq(a->dev, addr->dev) && nd_prefix_eq(a->prefix, addr->prefix))
			return true;
	return false;
}

/* kernel: net/ipv4/devinet.c, inet_select_addr() */
static struct nd_ip source4(const struct nd_space *space, const char *dev, struct nd_ip dst,
			    unsigned scope)
{
	struct nd_ip first = {0};

	for (size_t i = 0; i < space->naddrs; i++) {
		const struct nd_address *addr = &space->addrs[i];

		if (addr->prefix.ip.family != 4 || !nd_eq(addr->dev, dev) ||
		    scope_number(addr->scope) > scope || is_secondary(space, addr))
			continue;
		if (nd_prefix_has(addr->prefix, dst))
			return addr->prefix.ip;
		if (!first.family)
			first = addr->prefix.ip;
	}
	if (first.family)
		return first;
	for (size_t i = 0; i < space->naddrs; i++) {
		unsigned own = scope_number(space->addrs[i].scope);

		if (space->addrs[i].prefix.ip.family == 4 && own != 253 && own <= scope &&
		    !is_secondary(space, &space->addrs[i]))
			return space->addrs[i].prefix.ip;
	}
	return first;
}

static unsigned common_bits(struct nd_ip a, struct nd_ip b)
{
	unsigned n = 0;

	while (n < 128 &&
	       (a.bytes[n / 8] >> (7 - n % 8) & 1) == (b.bytes[n / 8] >> (7 - n % 8) & 1))
		n++;
	return n;
}

bool nd_ip_is_link_local(struct nd_ip ip)
{
	return ip.family == 6 && ip.bytes[0] == 0xfe && (ip.bytes[1] & 0xc0) == 0x80;
}

static bool is_loopback6(struct nd_ip ip)
{
	static const uint8_t loopback[16] = {[15] = 1};

	return memcmp(ip.bytes, loopback, 16) == 0;
}

/* kernel: __ipv6_addr_type(): ::1 counts as an address of the link. */
static int scope6(struct nd_ip ip)
{
	if (ip.bytes[0] == 0xff)
		return ip.bytes[1] & 15;
	if (nd_ip_is_link_local(ip) || is_loopback6(ip))
		return 2;
	return ip.bytes[0] == 0xfe && (ip.bytes[1] & 0xc0) == 0xc0 ? 5 : 14;
}

/* kernel: net/ipv6/addrlabel.c; the longest prefix comes first. */
static int label6(struct nd_ip ip)
{
	static const struct {
		uint8_t len, bytes[16];
		int label;
	} labels[] = {{128, {[15] = 1}, 0},
		      {96, {[10] = 0xff, 0xff}, 4},
		      {96, {0}, 3},
		      {32, {0x20, 0x01}, 6},
		      {28, {0x20, 0x01, 0x00, 0x10}, 7},
		      {16, {0x20, 0x02}, 2},
		      {10, {0xfe, 0xc0}, 11},
		      {7, {0xfc}, 5}};
	struct nd_ip net = {.family = 6};

	for (size_t i = 0; i < ND_ARRAY_LEN(labels); i++) {
		memcpy(net.bytes, labels[i].bytes, sizeof(net.bytes));
		if (nd_prefix_has((struct nd_prefix){.ip = net, .len = labels[i].len}, ip))
			return labels[i].label;
	}
	return 1;
}

/*
 * kernel: ipv6_get_saddr_eval(), RFC 6724 section 5: rules 1, 2, 5, 6, 8, the first the heaviest.
 * Which addresses are deprecated or temporary is not in the model.
 */
static unsigned score6(const struct nd_address *addr, const char *dev, struct nd_ip dst)
{
	struct nd_ip ip = addr->prefix.ip;
	int scope = scope6(ip), want = scope6(dst);
	unsigned bits = common_bits(ip, dst);

	/* Wide enough: the narrowest; else the widest there is. */
	scope = scope >= want ? 128 - scope : scope;
	return (unsigned)nd_ip_eq(ip, dst) << 20 | (unsigned)scope << 10 |
	       (unsigned)nd_eq(addr->dev, dev) << 9 | (unsigned)(label6(ip) == label6(dst)) << 8 |
	       (bits < addr->prefix.len ? bits : addr->prefix.len);
}

static struct nd_ip source6(const struct nd_space *space, const char *dev, struct nd_ip dst)
{
	struct nd_ip best = {0};
	unsigned best_score = 0;

	for (size_t i = 0; i < space->naddrs; i++) {
		const struct nd_address *addr = &space->addrs[i];
		unsigned score;

		/* kernel: ipv6_dev_get_saddr(): for a link only what it has */
		if (addr->prefix.ip.family != 6 || (scope6(dst) <= 2 && !nd_eq(addr->dev, dev)))
			continue;
		score = score6(addr, dev, dst) + 1;
		if (score > best_score) {
			best = addr->prefix.ip;
			best_score = score;
		}
	}
	return best;
}

struct nd_ip nd_space_source(const struct nd_space *space, const char *dev, struct nd_ip dst,
			     const char *scope)
{
	return dst.family == 6 ? source6(space, dev, dst)
			       : source4(space, dev, dst, scope_number(scope));
}
