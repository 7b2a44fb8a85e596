#include "common/base.h"

#include "agent/collect/collect.h"
#include "agent/sys/dirlist.h"
#include "agent/sys/procfs.h"
#include "common/text.h"

/* What the checks want to know; what this kernel or namespace lacks is left out. */
static const char *const settings[] = {
	"fs/inotify/max_user_instances",
	"fs/inotify/max_user_watches",
	"kernel/keys/root_maxbytes",
	"kernel/keys/root_maxkeys",
	"kernel/panic",
	"kernel/panic_on_oops",
	"net/bridge/bridge-nf-call-arptables",
	"net/bridge/bridge-nf-call-ip6tables",
	"net/bridge/bridge-nf-call-iptables",
	"net/ipv4/icmp_echo_ignore_all",
	"net/ipv4/ip_forward",
	"net/ipv4/ip_local_port_range",
	"net/ipv4/ip_local_reserved_ports",
	"net/ipv4/neigh/default/gc_thresh1",
	"net/ipv4/neigh/default/gc_thresh2",
	"net/ipv4/neigh/default/gc_thresh3",
	"net/ipv4/tcp_mtu_probing",
	"net/ipv6/conf/all/disable_ipv6",
	"net/ipv6/conf/all/forwarding",
	"net/ipv6/conf/default/forwarding",
	"net/ipv6/neigh/default/gc_thresh1",
	"net/ipv6/neigh/default/gc_thresh2",
	"net/ipv6/neigh/default/gc_thresh3",
	"net/netfilter/nf_conntrack_count",
	"net/netfilter/nf_conntrack_max",
	"net/netfilter/nf_conntrack_tcp_be_liberal",
	"net/netfilter/nf_conntrack_tcp_loose",
	"net/netfilter/nf_conntrack_tcp_timeout_close_wait",
	"net/netfilter/nf_conntrack_tcp_timeout_established",
	"vm/overcommit_memory",
	"vm/panic_on_oom",
};
static const char *const per_interface[] = {"accept_local", "arp_ignore",     "forwarding",
					    "proxy_arp",    "route_localnet", "rp_filter"};

/* Counters that tell look-alike faults apart (kernel: Documentation/networking/snmp_counter.rst).
 */
static const struct counter {
	const char *group;
	const char *name;
} counters[] = {
	{"Icmp", "InDestUnreachs"},   {"Icmp", "OutDestUnreachs"},
	{"Ip", "ForwDatagrams"},      {"Ip", "FragFails"},
	{"Ip", "InAddrErrors"},	      {"Ip", "InDiscards"},
	{"Ip", "InHdrErrors"},	      {"Ip", "OutDiscards"},
	{"Ip", "OutNoRoutes"},	      {"IpExt", "InNoRoutes"},
	{"IpExt", "InTruncatedPkts"}, {"Tcp", "AttemptFails"},
	{"Tcp", "RetransSegs"},	      {"TcpExt", "IPReversePathFilter"},
	{"TcpExt", "ListenDrops"},    {"TcpExt", "ListenOverflows"},
	{"TcpExt", "TCPTimeouts"},    {"Udp", "InCsumErrors"},
	{"Udp", "InErrors"},	      {"Udp", "NoPorts"},
	{"Udp", "RcvbufErrors"},
};
enum { COUNTERS_MAX_BYTES = 256 << 10, MAX_VALUE = 512 };

struct lines {
	struct nd_arena *arena;
	const char **items; /* items[nitems] */
	size_t nitems;
};

static void add(struct lines *lines, const char *key, const char *value)
{
	ND_ARENA_PUSH(lines->arena, lines->items, lines->nitems) =
		nd_arena_printf(lines->arena, "%s = %s", key, value);
}

/* Several numbers are parted by tabs, several lines never happen in what we read. */
static bool read_value(const char *path, char value[MAX_VALUE])
{
	if (nd_procfs_line(path, value, MAX_VALUE) < 0)
		return false;
	for (char *p = value; *p; p++)
		if (*p == '\t' || *p == '\n')
			*p = ' ';
	return true;
}

/* /proc/sys/net/ipv4/ip_forward is net.ipv4.ip_forward. */
static void add_setting(struct lines *lines, const char *name)
{
	char path[256], key[256], value[MAX_VALUE];

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	if (!read_value(path, value))
		return;
	snprintf(key, sizeof(key), "%s", name);
	for (char *p = key; *p; p++)
		if (*p == '/')
			*p = '.';
	add(lines, key, value);
}

/* sysctl(8) writes the dots of an interface name as slashes: net.ipv4.conf.eth0/100.rp_filter. */
static void add_interface(struct lines *lines, const char *ifname)
{
	char path[512], shown[256], key[512], value[MAX_VALUE];

	snprintf(shown, sizeof(shown), "%s", ifname);
	for (char *p = shown; *p; p++)
		if (*p == '.')
			*p = '/';
	for (size_t i = 0; i < ND_ARRAY_LEN(per_interface); i++) {
		snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/%s", ifname,
			 per_interface[i]);
		snprintf(key, sizeof(key), "net.ipv4.conf.%s.%s", shown, per_interface[i]);
		if (read_value(path, value))
			add(lines, key, value);
	}
	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", ifname);
	snprintf(key, sizeof(key), "net.ipv6.conf.%s.disable_ipv6", shown);
	if (read_value(path, value) && nd_eq(value, "1"))
		add(lines, key, value);
}

static int add_interfaces(struct lines *lines, struct nd_err *err)
{
	struct nd_dirlist list;

	if (nd_dirlist_read("/proc/sys/net/ipv4/conf", &list, lines->arena, err) < 0)
		return -1;
	for (size_t i = 0; i < list.nnames; i++)
		add_interface(lines, list.names[i]);
	return 0;
}

/* Of IPVS all; there is no such directory without it. */
static void add_ipvs(struct lines *lines)
{
	struct nd_dirlist list;
	struct nd_err none = {0};
	char name[320];

	if (nd_dirlist_read("/proc/sys/net/ipv4/vs", &list, lines->arena, &none) < 0)
		return;
	for (size_t i = 0; i < list.nnames; i++) {
		snprintf(name, sizeof(name), "net/ipv4/vs/%.255s", list.names[i]);
		add_setting(lines, name);
	}
}

static bool is_wanted(struct nd_str group, struct nd_str name)
{
	for (size_t i = 0; i < ND_ARRAY_LEN(counters); i++)
		if (nd_str_eq(group, counters[i].group) && nd_str_eq(name, counters[i].name))
			return true;
	return false;
}

/* "Ip: InAddrErrors ...\nIp: 0 ...\n": a line of names, then a line of numbers. */
static void add_counters(struct lines *lines, const char *path)
{
	struct nd_str rest, names, numbers, group, again, name, number;
	struct nd_err none = {0};
	char key[128], value[32];
	nd_auto_buf struct nd_buf text = {.max_bytes = COUNTERS_MAX_BYTES};

	if (nd_procfs_load(path, &text, &none) < 0 || text.len == 0)
		return;
	rest = (struct nd_str){text.data, text.len};
	while (nd_str_line(&rest, &names) && nd_str_line(&rest, &numbers)) {
		if (!nd_str_word(&names, &group) || !nd_str_word(&numbers, &again) || group.n < 2 ||
		    group.n != again.n)
			return;
		group.n--; /* the colon */
		while (nd_str_word(&names, &name) && nd_str_word(&numbers, &number)) {
			if (!is_wanted(group, name))
				continue;
			snprintf(key, sizeof(key), "counter.%.*s.%.*s", (int)group.n, group.p,
				 (int)name.n, name.p);
			snprintf(value, sizeof(value), "%.*s", (int)number.n, number.p);
			add(lines, key, value);
		}
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int run(struct nd_agent *agent, struct nd_buf *out, struct nd_err *err)
{
	struct lines lines = {.arena = &agent->arena};

	for (size_t i = 0; i < ND_ARRAY_LEN(settings); i++)
		add_setting(&lines, settings[i]);
	if (add_interfaces(&lines, err) < 0)
		return -1;
	add_ipvs(&lines);
	add_counters(&lines, "/proc/net/snmp");
	add_counters(&lines, "/proc/net/netstat");
	qsort(lines.items, lines.nitems, sizeof(*lines.items), by_text);
	for (size_t i = 0; i < lines.nitems; i++)
		nd_buf_printf(out, "%s\n", lines.items[i]);
	return 0;
}

const struct nd_collector nd_collector_sysctls = {.name = "sysctls", .run = run};
