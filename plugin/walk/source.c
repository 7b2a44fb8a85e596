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

static bool is_link_local(struct nd_ip ip)
{
	return ip.bytes[0] == 0xfe && (ip.bytes[1] & 0xc0) == 0x80;
}

/* RFC 6724 section 5, as far as the model knows the addresses: rules 1, 2, 5, 8. */
static struct nd_ip source6(const struct nd_space *space, const char *dev, struct nd_ip dst)
{
	struct nd_ip best = {0};
	unsigned best_score = 0;

	for (size_t i = 0; i < space->naddrs; i++) {
		struct nd_ip ip = space->addrs[i].prefix.ip;
		bool is_on_dev = nd_eq(space->addrs[i].dev, dev);
		bool is_loopback = nd_eq(space->addrs[i].scope, "host");
		unsigned score;

		if (ip.family != 6 || (is_link_local(ip) && !is_on_dev))
			continue;
		if (is_link_local(dst) && !is_on_dev)
			continue;
		score = 1 + common_bits(ip, dst) + 256u * is_on_dev +
			1024u * (is_link_local(ip) == is_link_local(dst)) + 512u * !is_loopback +
			4096u * nd_ip_eq(ip, dst);
		if (score > best_score) {
			best = ip;
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
