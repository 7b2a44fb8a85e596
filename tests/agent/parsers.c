/*
 * parsers.c: what the agent reads of /proc and netlink, by table and by damaged dumps. Built with
 * sanitizers and --wrap=nd_nl_dump by t_parsers.sh: every collector gets a real dump of this
 * machine with bytes changed or its end cut off, in a block of exactly that size.
 */
#include "common/base.h"

#include "agent/collect/ipsets.h"
#include "agent/collect/netjson.h"
#include "agent/request.h"
#include "common/text.h"

#include <arpa/inet.h>
#include <linux/netfilter/ipset/ip_set.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/rtnetlink.h>

#define ROUNDS 4000

int __real_nd_nl_dump(struct nd_nl *nl, uint16_t type, const void *request, size_t n,
		      struct nd_buf *raw, struct nd_err *err);
int __wrap_nd_nl_dump(struct nd_nl *nl, uint16_t type, const void *request, size_t n,
		      struct nd_buf *raw, struct nd_err *err);

static bool has_damage;
static uint64_t state = 88172645463325252ull;
static int failed;

static uint32_t random_below(uint32_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return n ? (uint32_t)(state >> 20) % n : 0;
}

static void damage(struct nd_buf *raw)
{
	size_t len = raw->len - random_below(2) * random_below((uint32_t)raw->len);
	char *exact;

	if (len == 0)
		len = 1;
	exact = malloc(len);
	if (!exact)
		nd_out_of_memory(len);
	memcpy(exact, raw->data, len);
	for (uint32_t i = random_below(12); i > 0; i--) {
		/* Lengths stand at multiples of four: half of the hits go there. */
		size_t at = random_below((uint32_t)len) & (random_below(2) ? ~3u : ~0u);

		exact[at] = (char)(random_below(3) ? random_below(256) : random_below(2) * 255);
	}
	free(raw->data);
	raw->data = exact;
	raw->len = len;
	raw->cap = len;
}

int __wrap_nd_nl_dump(struct nd_nl *nl, uint16_t type, const void *request, size_t n,
		      struct nd_buf *raw, struct nd_err *err)
{
	/* Each type is asked of the kernel once, the rest of the rounds work on that. */
	static struct nd_buf kept[64];
	struct nd_buf *keep = &kept[(type * 4u + ((const uint8_t *)request)[0] % 4u) % 64u];

	if (!has_damage)
		return __real_nd_nl_dump(nl, type, request, n, raw, err);
	if (!keep->data && __real_nd_nl_dump(nl, type, request, n, keep, err) < 0)
		return -1;
	raw->len = 0;
	raw->max_bytes = 0;
	if (keep->len)
		(void)nd_buf_add(raw, keep->data, keep->len);
	if (raw->len)
		damage(raw);
	return 0;
}

static void say(const char *name, bool is_ok)
{
	printf("%s %s\n", is_ok ? "ok" : "not ok", name);
	failed |= !is_ok;
}

static void damaged_dumps(void)
{
	static const struct {
		const char *name;
		int (*write)(const struct nd_netjson *j, const char *key, struct nd_err *err);
	} rows[] = {
		{"links", nd_links_write}, {"addrs", nd_addrs_write}, {"routes", nd_routes_write},
		{"rules", nd_rules_write}, {"neigh", nd_neigh_write}, {"fdb", nd_fdb_write},
	};
	struct nd_agent agent = {0};
	char name[64];

	nd_agent_open(&agent, false);
	has_damage = true;
	for (size_t i = 0; i < ND_ARRAY_LEN(rows); i++) {
		size_t bytes = 0;

		for (int round = 0; round < ROUNDS; round++) {
			struct nd_buf out = {.max_bytes = 8u << 20};
			struct nd_jsonw w = {.out = &out};
			struct nd_netjson j = {&agent.nl, &agent.raw, &agent.names, &w, -1};
			struct nd_err err = {0};

			if (rows[i].write(&j, NULL, &err) == 0 &&
			    (out.len < 2 || out.data[0] != '[' || out.data[out.len - 1] != ']'))
				say(rows[i].name, false);
			bytes += out.len;
			nd_buf_free(&out);
		}
		snprintf(name, sizeof(name), "damaged %s", rows[i].name);
		say(name, bytes > (size_t)ROUNDS * 2);
	}
	nd_agent_close(&agent);
}

/* ---- ipsets: a dump made by hand, as the kernel of this machine may have none ---- */

static size_t attr_begin(struct nd_buf *raw, uint16_t type)
{
	struct nlattr head = {.nla_type = type};

	(void)nd_buf_add(raw, &head, sizeof(head));
	return raw->len - sizeof(head);
}

static void attr_end(struct nd_buf *raw, size_t at)
{
	uint16_t len = (uint16_t)(raw->len - at);

	memcpy(raw->data + at, &len, sizeof(len));
	while (raw->len % NLA_ALIGNTO)
		(void)nd_buf_add(raw, "", 1);
}

static void put(struct nd_buf *raw, uint16_t type, const void *p, size_t n)
{
	size_t at = attr_begin(raw, type);

	(void)nd_buf_add(raw, p, n);
	attr_end(raw, at);
}

static void put_ip(struct nd_buf *raw, uint16_t type, uint32_t ip)
{
	size_t at = attr_begin(raw, type | NLA_F_NESTED);

	ip = htonl(ip);
	put(raw, IPSET_ATTR_IPADDR_IPV4 | NLA_F_NET_BYTEORDER, &ip, 4);
	attr_end(raw, at);
}

/* "hash:net,port,net" with nelements; type NULL: the rest of the set before. */
static void put_set(struct nd_buf *raw, const char *name, const char *type, uint32_t nelements)
{
	static const struct nfgenmsg generic;
	struct nlmsghdr head = {.nlmsg_type = NFNL_SUBSYS_IPSET << 8 | IPSET_CMD_LIST};
	const uint8_t family = 2, cidr = 9, tcp = 6;
	const uint16_t port = htons(80);
	const uint32_t flags = htonl(IPSET_FLAG_NOMATCH), size = htonl(1024);
	size_t start = raw->len, nested, element;

	(void)nd_buf_add(raw, &head, sizeof(head));
	(void)nd_buf_add(raw, &generic, sizeof(generic));
	put(raw, IPSET_ATTR_SETNAME, name, strlen(name) + 1);
	if (type) {
		put(raw, IPSET_ATTR_TYPENAME, type, strlen(type) + 1);
		put(raw, IPSET_ATTR_FAMILY, &family, 1);
		nested = attr_begin(raw, IPSET_ATTR_DATA | NLA_F_NESTED);
		put(raw, IPSET_ATTR_HASHSIZE | NLA_F_NET_BYTEORDER, &size, 4);
		put(raw, IPSET_ATTR_NETMASK, &cidr, 1);
		put_ip(raw, IPSET_ATTR_IP, 0x0a000000);
		put_ip(raw, IPSET_ATTR_IP_TO, 0x0a0000ff);
		attr_end(raw, nested);
	}
	nested = attr_begin(raw, IPSET_ATTR_ADT | NLA_F_NESTED);
	for (uint32_t i = 0; i < nelements; i++) {
		element = attr_begin(raw, IPSET_ATTR_DATA | NLA_F_NESTED);
		put_ip(raw, IPSET_ATTR_IP, 0x0a000000 + i * 256);
		put_ip(raw, IPSET_ATTR_IP2, 0x0a800000);
		put(raw, IPSET_ATTR_CIDR, &cidr, 1);
		put(raw, IPSET_ATTR_CIDR2, &cidr, 1);
		put(raw, IPSET_ATTR_PROTO, &tcp, 1);
		put(raw, IPSET_ATTR_PORT | NLA_F_NET_BYTEORDER, &port, 2);
		put(raw, IPSET_ATTR_MARK | NLA_F_NET_BYTEORDER, &size, 4);
		put(raw, IPSET_ATTR_IFACE, "eth0", 5);
		put(raw, IPSET_ATTR_NAME, "other", 6);
		put(raw, IPSET_ATTR_ETHER, "\1\2\3\4\5\6", 6);
		put(raw, IPSET_ATTR_CADT_FLAGS | NLA_F_NET_BYTEORDER, &flags, 4);
		attr_end(raw, element);
	}
	attr_end(raw, nested);
	head.nlmsg_len = (uint32_t)(raw->len - start);
	memcpy(raw->data + start, &head, sizeof(head));
}

static bool ipsets_are(const struct nd_buf *raw, const char *want)
{
	struct nd_buf out = {.max_bytes = 1u << 20};
	struct nd_err err = {0};
	bool is_same = nd_ipsets_write(raw, &out, &err) == 0 &&
		       nd_eq(out.data ? out.data : "", want);

	if (!is_same)
		printf("# %s%s\n", out.data ? out.data : "", err.text);
	nd_buf_free(&out);
	return is_same;
}

#define NET "add a 10.0.0.0/9,tcp:80,10.128.0.0/9 nomatch\n"

static void whole_ipsets(void)
{
	struct nd_buf raw = {0};

	say("ipsets empty", ipsets_are(&raw, ""));
	put_set(&raw, "a", "hash:net,port,net", 1);
	say("ipsets net", ipsets_are(&raw, "create a hash:net,port,net family inet hashsize 1024 "
					   "netmask 9\n" NET));
	raw.len--;
	say("ipsets short by one", ipsets_are(&raw, ""));
	raw.len = 0;
	put_set(&raw, "a", "hash:new,type", 2);
	say("ipsets of a new type", ipsets_are(&raw, "create a hash:new,type family inet hashsize "
						     "1024 netmask 9\n"));
	raw.len = 0;
	put_set(&raw, "a b", "hash:ip", 2);
	say("ipsets odd name",
	    ipsets_are(&raw, "# netdoctor left out: a name that is not one word\n"));
	nd_buf_free(&raw);
}

static void damaged_ipsets(void)
{
	static const char *const types[] = {"hash:net,port,net", "hash:net,iface", "hash:ip,mark",
					    "bitmap:ip,mac", "bitmap:port", "list:set", "hash:mac"};
	struct nd_buf whole = {0};
	size_t bytes = 0;
	int ngood = 0;

	for (size_t i = 0; i < ND_ARRAY_LEN(types); i++) {
		put_set(&whole, types[i] + 5, types[i], 3);
		put_set(&whole, types[i] + 5, NULL, 2);
	}
	for (int round = 0; round < ROUNDS * 4; round++) {
		struct nd_buf raw = {0}, out = {.max_bytes = 1u << 20};
		struct nd_err err = {0};

		(void)nd_buf_add(&raw, whole.data, whole.len);
		if (round > 0)
			damage(&raw);
		ngood += nd_ipsets_write(&raw, &out, &err) == 0;
		bytes += out.len;
		if (out.len && out.data[0] != 'c' && out.data[0] != '#')
			say("ipsets text", false);
		nd_buf_free(&raw);
		nd_buf_free(&out);
	}
	say("damaged ipsets", ngood > 1 && bytes > (size_t)ROUNDS * 2);
	nd_buf_free(&whole);
}

static void pod_uids(void)
{
#define DASHED "6273ceba-39ae-4991-9f09-a9d81dcf9e91"
	static const struct {
		const char *cgroup, *uid; /* uid NULL: not a pod */
	} rows[] = {
		{"0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod6273ceba_39ae_"
		 "4991_9f09_a9d81dcf9e91.slice/cri-containerd-00ff.scope\n",
		 DASHED},
		{"0::/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod6273ceba_39ae_4991_"
		 "9f09_a9d81dcf9e91.slice/crio-00ff.scope/container\n",
		 DASHED},
		{"8:pids:/\n1:name=systemd:/docker/00ff/kubelet/kubepods/besteffort/pod" DASHED
		 "/00ff\n",
		 DASHED},
		{"4:memory:/kubepods/pod" DASHED, DASHED},
		{"4:memory:/kubepods/pod6273CEBA-39AE-4991-9F09-A9D81DCF9E91/x", DASHED},
		{"0::/kubepods/burstable/pod81951b2aaef3bbc7fbc5b0c6f0371d69/x\n",
		 "81951b2aaef3bbc7fbc5b0c6f0371d69"},
		{"0::/kubepods/podx/pod" DASHED "/c\n", DASHED},
		{"", NULL},
		{"\n", NULL},
		{"0::/\n", NULL},
		{"0::/kubepods\n", NULL},
		{"0::/kubepods/pod\n", NULL},
		{"0::/kubepods/burstable/pod6273ceba-39ae-4991-9f09-a9d81dcf9e9\n", NULL},
		{"0::/kubepods/burstable/pod" DASHED "1\n", NULL},
		{"0::/kubepods/burstable/pod6273ceba-39ae-4991-9f09_a9d81dcf9e9g/x\n", NULL},
		{"0::/kubepods/burstable/xpod" DASHED "/x\n", NULL},
		{"0::/user.slice/pod" DASHED "/x\n", NULL},
		{"0::/kubepods/pod6273ceba\n0::/39ae-4991-9f09-a9d81dcf9e91\n", NULL},
	};

	for (size_t i = 0; i < ND_ARRAY_LEN(rows); i++) {
		char uid[ND_POD_UID_MAX + 1] = "", name[64];
		size_t n = strlen(rows[i].cgroup);
		nd_auto_free char *exact = malloc(n + 1); /* not ended by NUL */
		bool is_pod;

		if (!exact)
			nd_out_of_memory(n + 1);
		memcpy(exact, rows[i].cgroup, n);
		exact[n] = 'a';
		is_pod = nd_podns_uid((struct nd_str){exact, n}, uid);
		snprintf(name, sizeof(name), "pod uid %zu", i);
		say(name, rows[i].uid ? is_pod && nd_eq(uid, rows[i].uid) : !is_pod);
	}
}

static bool proc_is(int proto, const char *text, const char *want)
{
	struct nd_buf out = {.max_bytes = 4096};
	struct nd_jsonw w = {.out = &out};
	bool is_same;

	nd_jsonw_begin(&w, NULL, '[');
	nd_socksrc_write_proc(&w, proto, text, strlen(text));
	nd_jsonw_end(&w, ']');
	is_same = nd_eq(out.data, want);
	if (!is_same)
		printf("# %s\n", out.data);
	nd_buf_free(&out);
	return is_same;
}

#define HEAD "  sl  local_address rem_address   st tx_queue rx_queue\n"
#define REST " 00000000:00000000 00:00000000 00000000     0        0 1\n"

static void proc_sockets(void)
{
	say("proc tcp listen",
	    proc_is(0, HEAD "   0: 0100007F:1F90 00000000:0000 0A" REST,
		    "[{\"proto\":\"tcp\",\"addr\":\"127.0.0.1\",\"port\":8080}]"));
	say("proc tcp connected",
	    proc_is(0, HEAD "   0: 0100007F:1F90 0100007F:0016 01" REST, "[]"));
	say("proc tcp6", proc_is(1,
				 HEAD "   0: 00000000000000000000000001000000:0016 "
				      "00000000000000000000000000000000:0000 0A" REST,
				 "[{\"proto\":\"tcp6\",\"addr\":\"::1\",\"port\":22}]"));
	say("proc udp", proc_is(2, HEAD "  12: 00000000:0035 00000000:0000 07" REST,
				"[{\"proto\":\"udp\",\"addr\":\"0.0.0.0\",\"port\":53}]"));
	say("proc empty", proc_is(0, "", "[]"));
	say("proc short", proc_is(0, "0: 0100007F:1F90 0:0", "[]"));
	say("proc no colon", proc_is(0, "0: 0100007F 0:0 0A\n", "[]"));
	say("proc long address", proc_is(0, "0: 0100007F0:1F90 0:0 0A\n", "[]"));
	say("proc port too big", proc_is(0, "0: 0100007F:1F901 0:0 0A\n", "[]"));
	say("proc not hex", proc_is(0, "0: 01zz007F:1F90 0:0 0A\n", "[]"));
}

/* What a request may hold after all checks: the rest of the agent relies on it. */
static bool request_is_sound(const struct nd_request *request)
{
	for (size_t i = 0; i < request->nprobes; i++) {
		const struct nd_probe_ask *ask = &request->probes[i];
		bool has_name = ask->kind >= ND_PROBE_dns_udp && ask->kind != ND_PROBE_icmp &&
				ask->kind != ND_PROBE_pmtu;

		if (ask->id == 0 || ask->kind >= ND_PROBE_KINDS ||
		    (ask->ip.family != 4 && ask->ip.family != 6) || has_name != (ask->name != NULL))
			return false;
	}
	if (request->nwatches > ND_WATCH_MAX || request->probe_delay_ms > ND_PROBE_MAX_DELAY_MS ||
	    request->watch_ms < ND_WATCH_MIN_MS || request->watch_ms > ND_WATCH_MAX_MS)
		return false;
	return request->probe_rate > 0 && request->probe_timeout_ms >= ND_PROBE_MIN_TIMEOUT_MS;
}

static void damaged_requests(void)
{
	static const char whole[] =
		"netdoctor 1\ndeadline-ms 5000\nprobe-timeout-ms 1000\nprobe-rate 2000\n"
		"probe 1 tcp 4026532871 10.244.1.5 8080\n"
		"probe 65535 udp node fd00::1 53\n"
		"probe 3 dns-udp node 10.96.0.10 53 a.b.c. AAAA\n"
		"probe 4 dns-tcp node 10.96.0.10 53 a.b.c A\n"
		"probe 5 icmp 1 10.244.1.5 0\nprobe 6 pmtu 1 ::1 0\n"
		"probe 7 http node 10.244.1.5 80 /x\nprobe 8 bulk node ::1 80 /y\n"
		"probe-delay-ms 150\nwatch node\nwatch 4026532871\nwatch 7\nwatch-ms 900\n"
		"go\nbehind";
	int ngood = 0;
	bool is_sound = true;

	for (int round = 0; round < ROUNDS * 10; round++) {
		struct nd_buf text = {0};
		struct nd_arena arena = {0};
		struct nd_request request;
		struct nd_err err = {0};

		(void)nd_buf_add(&text, whole, sizeof(whole) - 1);
		if (round > 0)
			damage(&text);
		if (nd_request_parse(text.data, text.len, &arena, &request, &err) == 0) {
			ngood++;
			is_sound &= request_is_sound(&request) && request.nprobes > 0;
		} else {
			is_sound &= err.text[0] && round > 0;
		}
		nd_arena_free(&arena);
		nd_buf_free(&text);
	}
	say("damaged requests", is_sound && ngood > 1);
}

int main(void)
{
	damaged_requests();
	pod_uids();
	proc_sockets();
	whole_ipsets();
	damaged_ipsets();
	damaged_dumps();
	return failed;
}
