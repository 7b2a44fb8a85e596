#include "common/base.h"

#include "agent/collect/collect.h"
#include "agent/collect/ipsets.h"
#include "common/addr.h"
#include "common/text.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/ipset/ip_set.h>
#include <linux/netfilter/nfnetlink.h>

#define MSG_LIST ((uint16_t)(NFNL_SUBSYS_IPSET << 8 | IPSET_CMD_LIST))
#define ATTR_BITMASK 12 /* IPSET_ATTR_BITMASK: linux 6.2 */
#define TYPE_MAX 31	/* bytes: IPSET_MAXNAMELEN without its NUL */
#define MAX_PARTS 3

/* ---- ask ---- */

struct keep {
	struct nd_buf *raw;
	char name[IPSET_MAXNAMELEN];
	size_t nelements; /* of the set of that name, so far */
};

/* A set may have a million elements: no more are kept than tell the writer that it is to be cut. */
static int keep_visit(void *ctx, const struct nlmsghdr *msg, struct nd_err *err)
{
	struct keep *keep = ctx;
	struct nd_attr attrs[IPSET_ATTR_CMD_MAX + 1], element;
	char name[IPSET_MAXNAMELEN];
	bool is_enough;

	if (!nd_nl_attrs(msg, sizeof(struct nfgenmsg), attrs, IPSET_ATTR_CMD_MAX))
		return nd_err_set(err, ND_E_INPUT, "ipset: broken message");
	nd_attr_text(attrs[IPSET_ATTR_SETNAME], name, sizeof(name));
	if (!nd_eq(name, keep->name))
		keep->nelements = 0;
	memcpy(keep->name, name, sizeof(name));
	is_enough = keep->nelements > ND_IPSETS_MAX_ELEMENTS;
	while (nd_attr_next(&attrs[IPSET_ATTR_ADT], &element))
		keep->nelements++;
	if (is_enough)
		return 0;
	if (nd_buf_add(keep->raw, msg, msg->nlmsg_len) < 0)
		return nd_err_set(err, ND_E_LIMIT, "the ipsets are larger than %u bytes",
				  ND_NL_MAX_DUMP);
	while (keep->raw->len % NLMSG_ALIGNTO)
		if (nd_buf_add(keep->raw, "", 1) < 0)
			return nd_err_set(err, ND_E_LIMIT, "the ipsets are larger than %u bytes",
					  ND_NL_MAX_DUMP);
	return 0;
}

/* Asking would make the kernel load ip_set. Where nobody shows what is loaded: ask. */
static bool is_absent(void)
{
	return access("/sys/module/ip_set", F_OK) < 0 && errno == ENOENT &&
	       access("/sys/module", F_OK) == 0;
}

void nd_ipsets_read(struct nd_agent *agent)
{
	/* Every kernel since 2.6.39 takes the least version, 6; 7 adds nothing to a list. */
	struct {
		struct nfgenmsg head;
		struct nlattr attr;
		uint8_t protocol;
	} request = {.head.nfgen_family = NFPROTO_UNSPEC,
		     .attr = {.nla_type = IPSET_ATTR_PROTOCOL, .nla_len = NLA_HDRLEN + 1},
		     .protocol = 6};
	size_t n = sizeof(request.head) + NLA_ALIGN((size_t)request.attr.nla_len);
	struct keep keep = {.raw = &agent->ipsets};
	struct nd_nl nl = {.fd = -1};
	struct nd_err *err = &agent->ipsets_err;

	agent->ipsets.max_bytes = ND_NL_MAX_DUMP;
	if (is_absent() || nd_nl_open(&nl, NETLINK_NETFILTER, err) < 0)
		return;
	/* EINVAL: nfnetlink has nobody who answers such messages. */
	if (nd_nl_visit(&nl, MSG_LIST, &request, n, keep_visit, &keep, err) < 0 &&
	    err->sys_errno == EINVAL)
		*err = (struct nd_err){0};
	nd_nl_close(&nl);
}

/* ---- write ---- */

struct set {
	char name[IPSET_MAXNAMELEN], type[TYPE_MAX + 1];
	/* Of the type's name, behind the colon; NULL at the end. */
	char parts[MAX_PARTS][8];
	size_t nparts; /* 0: not a type we know the elements of */
	uint8_t bits;  /* of an address */
	size_t nelements;
	bool is_hash, is_cut;
};

struct writer {
	struct nd_buf *out;
	struct set set;
};

static const char *const known_parts[] = {"ip", "net", "port", "iface", "mark", "mac", "set"};

static bool is_known(const char *part)
{
	for (size_t i = 0; i < ND_ARRAY_LEN(known_parts); i++)
		if (nd_eq(known_parts[i], part))
			return true;
	return false;
}

/* "hash:ip,port,net": what its elements are made of. */
static void split_type(struct set *set)
{
	const char *at = strchr(set->type, ':');

	set->nparts = 0;
	set->is_hash = nd_starts(set->type, "hash:");
	while (at) {
		const char *comma = strchr(++at, ',');
		size_t n = comma ? (size_t)(comma - at) : strlen(at);

		if (set->nparts == MAX_PARTS || n >= sizeof(set->parts[0])) {
			set->nparts = 0;
			return;
		}
		memcpy(set->parts[set->nparts], at, n);
		set->parts[set->nparts][n] = '\0';
		if (!is_known(set->parts[set->nparts++])) {
			set->nparts = 0;
			return;
		}
		at = comma;
	}
}

/* The kernel marks which numbers are in network order; markmask is not. */
static bool number32(struct nd_attr attr, uint32_t *out)
{
	uint16_t type;

	if (!nd_attr_u32(attr, out))
		return false;
	memcpy(&type, (const char *)attr.p - NLA_HDRLEN + offsetof(struct nlattr, nla_type),
	       sizeof(type));
	if (type & NLA_F_NET_BYTEORDER)
		*out = ntohl(*out);
	return true;
}

static bool ip_of(struct nd_attr attr, struct nd_ip *out)
{
	struct nd_attr nested[IPSET_ATTR_IPADDR_MAX + 1];

	nd_attr_index(attr.p, attr.len, nested, IPSET_ATTR_IPADDR_MAX);
	*out = (struct nd_ip){.family = 4};
	if (nested[IPSET_ATTR_IPADDR_IPV4].p && nested[IPSET_ATTR_IPADDR_IPV4].len >= 4) {
		memcpy(out->bytes, nested[IPSET_ATTR_IPADDR_IPV4].p, 4);
		return true;
	}
	out->family = 6;
	if (!nested[IPSET_ATTR_IPADDR_IPV6].p || nested[IPSET_ATTR_IPADDR_IPV6].len < 16)
		return false;
	memcpy(out->bytes, nested[IPSET_ATTR_IPADDR_IPV6].p, 16);
	return true;
}

static bool write_ip(struct nd_buf *out, struct nd_attr attr)
{
	char text[ND_IP_TEXT];
	struct nd_ip ip;

	if (!ip_of(attr, &ip))
		return false;
	nd_buf_puts(out, nd_ip_text(ip, text));
	return true;
}

static bool write_port(struct nd_buf *out, const struct nd_attr *attrs, bool has_proto)
{
	static const struct {
		uint8_t number;
		const char *name;
	} names[] = {{1, "icmp"},	{6, "tcp"},    {17, "udp"},
		     {58, "ipv6-icmp"}, {132, "sctp"}, {136, "udplite"}};
	uint8_t proto = nd_attr_u8_or(attrs[IPSET_ATTR_PROTO], 0);
	uint16_t port = ntohs(nd_attr_u16_or(attrs[IPSET_ATTR_PORT], 0));
	size_t i = 0;

	if (!attrs[IPSET_ATTR_PORT].p || (has_proto && !attrs[IPSET_ATTR_PROTO].p))
		return false;
	while (i < ND_ARRAY_LEN(names) && names[i].number != proto)
		i++;
	if (has_proto && i < ND_ARRAY_LEN(names))
		nd_buf_printf(out, "%s:", names[i].name);
	else if (has_proto)
		nd_buf_printf(out, "%u:", proto);
	if (has_proto && (proto == 1 || proto == 58))
		nd_buf_printf(out, "%u/%u", port >> 8, port & 0xff);
	else
		nd_buf_printf(out, "%u", port);
	return true;
}

/* A name that is one word of the text and nothing else. */
static bool is_word(const char *name)
{
	if (!*name)
		return false;
	for (; *name; name++)
		if (*name <= ' ' || *name == 0x7f || *name == '"' || *name == '\\')
			return false;
	return true;
}

static bool write_name(struct nd_buf *out, const char *before, struct nd_attr attr)
{
	char name[IPSET_MAXNAMELEN];

	nd_attr_text(attr, name, sizeof(name));
	if (!is_word(name))
		return false;
	nd_buf_printf(out, "%s%s", before, name);
	return true;
}

/* Of bitmap:ip,mac the kernel leaves it out until the first packet has shown it. */
static bool write_mac(struct nd_buf *out, struct nd_attr attr)
{
	const uint8_t *p = attr.p;

	if (!p || attr.len < 6)
		return false;
	nd_buf_printf(out, "%02x:%02x:%02x:%02x:%02x:%02x", p[0], p[1], p[2], p[3], p[4], p[5]);
	return true;
}

static bool write_address(const struct set *set, struct nd_buf *out, const struct nd_attr *attrs,
			  bool is_net, bool is_second)
{
	uint8_t bits =
		nd_attr_u8_or(attrs[is_second ? IPSET_ATTR_CIDR2 : IPSET_ATTR_CIDR], set->bits);

	if (!write_ip(out, attrs[is_second ? IPSET_ATTR_IP2 : IPSET_ATTR_IP]))
		return false;
	if (is_net && bits != set->bits)
		nd_buf_printf(out, "/%u", bits);
	return true;
}

static bool write_part(const struct set *set, struct nd_buf *out, const struct nd_attr *attrs,
		       uint32_t flags, size_t i)
{
	const char *part = set->parts[i];
	bool is_second = i > 0 && (nd_eq(set->parts[0], "ip") || nd_eq(set->parts[0], "net"));
	uint32_t mark;

	if (nd_eq(part, "ip") || nd_eq(part, "net"))
		return write_address(set, out, attrs, nd_eq(part, "net"), is_second);
	if (nd_eq(part, "port"))
		return write_port(out, attrs, set->is_hash);
	if (nd_eq(part, "iface"))
		return write_name(out, flags & IPSET_FLAG_PHYSDEV ? "physdev:" : "",
				  attrs[IPSET_ATTR_IFACE]);
	if (nd_eq(part, "mac"))
		return write_mac(out, attrs[IPSET_ATTR_ETHER]);
	if (nd_eq(part, "set"))
		return write_name(out, "", attrs[IPSET_ATTR_NAME]);
	if (!number32(attrs[IPSET_ATTR_MARK], &mark))
		return false;
	nd_buf_printf(out, "0x%08x", mark);
	return true;
}

static int write_element(struct writer *w, struct nd_attr element, struct nd_err *err)
{
	struct set *set = &w->set;
	struct nd_attr attrs[IPSET_ATTR_ADT_MAX + 1];
	uint32_t flags = 0;

	nd_attr_index(element.p, element.len, attrs, IPSET_ATTR_ADT_MAX);
	number32(attrs[IPSET_ATTR_CADT_FLAGS], &flags);
	nd_buf_printf(w->out, "add %s ", set->name);
	for (size_t i = 0; i < set->nparts; i++) {
		bool is_optional = !set->is_hash && nd_eq(set->parts[i], "mac");

		if (is_optional && !attrs[IPSET_ATTR_ETHER].p)
			continue;
		if (i)
			nd_buf_puts(w->out, ",");
		if (!write_part(set, w->out, attrs, flags, i))
			return nd_err_set(err, ND_E_INPUT, "ipset: broken element of %s",
					  set->name);
	}
	nd_buf_printf(w->out, "%s%s\n", flags & IPSET_FLAG_NOMATCH ? " nomatch" : "",
		      flags & IPSET_FLAG_IFACE_WILDCARD ? " wildcard" : "");
	return 0;
}

static void write_number(struct nd_buf *out, const char *name, struct nd_attr attr)
{
	uint32_t number;

	if (number32(attr, &number))
		nd_buf_printf(out, " %s %u", name, number);
}

static void write_range(struct nd_buf *out, const struct nd_attr *attrs)
{
	if (attrs[IPSET_ATTR_PORT].p) {
		nd_buf_printf(out, " range %u-%u", ntohs(nd_attr_u16_or(attrs[IPSET_ATTR_PORT], 0)),
			      ntohs(nd_attr_u16_or(attrs[IPSET_ATTR_PORT_TO], 0)));
		return;
	}
	nd_buf_puts(out, " range ");
	write_ip(out, attrs[IPSET_ATTR_IP]);
	nd_buf_puts(out, "-");
	write_ip(out, attrs[IPSET_ATTR_IP_TO]);
}

static void write_options(struct nd_buf *out, const struct set *set, const struct nd_attr *attrs)
{
	uint32_t flags = 0, mark;

	number32(attrs[IPSET_ATTR_CADT_FLAGS], &flags);
	write_number(out, "hashsize", attrs[IPSET_ATTR_HASHSIZE]);
	write_number(out, "maxelem", attrs[IPSET_ATTR_MAXELEM]);
	if (number32(attrs[IPSET_ATTR_MARKMASK], &mark))
		nd_buf_printf(out, " markmask 0x%08x", mark);
	if (nd_starts(set->type, "bitmap:"))
		write_range(out, attrs);
	if (attrs[IPSET_ATTR_NETMASK].p)
		nd_buf_printf(out, " netmask %u", nd_attr_u8_or(attrs[IPSET_ATTR_NETMASK], 0));
	if (attrs[ATTR_BITMASK].p) {
		nd_buf_puts(out, " bitmask ");
		write_ip(out, attrs[ATTR_BITMASK]);
	}
	write_number(out, "size", attrs[IPSET_ATTR_SIZE]);
	write_number(out, "timeout", attrs[IPSET_ATTR_TIMEOUT]);
	nd_buf_puts(out, flags & IPSET_FLAG_WITH_COUNTERS ? " counters" : "");
	nd_buf_puts(out, flags & IPSET_FLAG_WITH_COMMENT ? " comment" : "");
	nd_buf_puts(out, flags & IPSET_FLAG_WITH_SKBINFO ? " skbinfo" : "");
}

/* The first message of a set has its type, those behind it only more elements. */
static int begin_set(struct writer *w, const struct nd_attr *attrs, struct nd_err *err)
{
	struct set *set = &w->set;
	struct nd_attr data[IPSET_ATTR_CREATE_MAX + 1];
	uint8_t family = nd_attr_u8_or(attrs[IPSET_ATTR_FAMILY], NFPROTO_UNSPEC);

	*set = (struct set){.bits = family == NFPROTO_IPV6 ? 128 : 32};
	nd_attr_text(attrs[IPSET_ATTR_SETNAME], set->name, sizeof(set->name));
	nd_attr_text(attrs[IPSET_ATTR_TYPENAME], set->type, sizeof(set->type));
	if (!set->name[0] || !is_word(set->type))
		return nd_err_set(err, ND_E_INPUT, "ipset: broken set");
	split_type(set);
	if (!is_word(set->name)) {
		/* iptables-save cannot show it as one word either; a rule with it is unknown. */
		set->nparts = 0;
		nd_buf_puts(w->out, "# netdoctor left out: a name that is not one word\n");
		return 0;
	}
	nd_attr_index(attrs[IPSET_ATTR_DATA].p, attrs[IPSET_ATTR_DATA].len, data,
		      IPSET_ATTR_CREATE_MAX);
	nd_buf_printf(w->out, "create %s %s", set->name, set->type);
	if (set->is_hash && family != NFPROTO_UNSPEC)
		nd_buf_puts(w->out, family == NFPROTO_IPV6 ? " family inet6" : " family inet");
	write_options(w->out, set, data);
	nd_buf_puts(w->out, "\n");
	return 0;
}

static int write_message(struct writer *w, const struct nlmsghdr *msg, struct nd_err *err)
{
	struct nd_attr attrs[IPSET_ATTR_CMD_MAX + 1], element;
	struct set *set = &w->set;
	char name[IPSET_MAXNAMELEN];

	if (msg->nlmsg_type != MSG_LIST ||
	    !nd_nl_attrs(msg, sizeof(struct nfgenmsg), attrs, IPSET_ATTR_CMD_MAX))
		return nd_err_set(err, ND_E_INPUT, "ipset: broken message");
	if (attrs[IPSET_ATTR_TYPENAME].p && begin_set(w, attrs, err) < 0)
		return -1;
	nd_attr_text(attrs[IPSET_ATTR_SETNAME], name, sizeof(name));
	if (!nd_eq(name, set->name))
		return nd_err_set(err, ND_E_INPUT, "ipset: elements of no set");
	while (set->nparts && !set->is_cut && nd_attr_next(&attrs[IPSET_ATTR_ADT], &element)) {
		if (set->nelements++ == ND_IPSETS_MAX_ELEMENTS) {
			set->is_cut = true;
			nd_buf_printf(w->out, "# netdoctor cut %s\n", set->name);
		} else if (write_element(w, element, err) < 0) {
			return -1;
		}
	}
	return 0;
}

int nd_ipsets_write(const struct nd_buf *raw, struct nd_buf *out, struct nd_err *err)
{
	struct writer w = {.out = out};
	struct nd_nl_iter it = nd_nl_iter(raw);
	const struct nlmsghdr *msg;

	while ((msg = nd_nl_next(&it)))
		if (write_message(&w, msg, err) < 0)
			return -1;
	return 0;
}

static int run(struct nd_agent *agent, struct nd_buf *out, struct nd_err *err)
{
	if (agent->ipsets_err.code) {
		*err = agent->ipsets_err;
		return -1;
	}
	return nd_ipsets_write(&agent->ipsets, out, err);
}

const struct nd_collector nd_collector_ipsets = {.name = "ipsets", .run = run};
