/* refusal.c: how who sent a packet is told that it was refused: a reset, or an ICMP error. */
#include "common/base.h"

#include "plugin/walk/eval_run.h"
#include "plugin/walk/run.h"

#define TTL 64
#define LENGTH 88 /* bytes: headers, and the packet that it is about */

/* Bits of the TCP header. */
enum { TCP_RST = 4, TCP_ACK = 16 };

/* RFC 792, RFC 4443, as iptables names them. */
static const struct error_row {
	const char *name;
	uint8_t type, code;
} error_rows[] = {
	{"icmp-net-unreachable", 3, 0},	  {"icmp-host-unreachable", 3, 1},
	{"icmp-proto-unreachable", 3, 2}, {"icmp-port-unreachable", 3, 3},
	{"icmp-net-prohibited", 3, 9},	  {"icmp-host-prohibited", 3, 10},
	{"icmp-admin-prohibited", 3, 13}, {"icmp-time-exceeded", 11, 0},
	{"icmp6-no-route", 1, 0},	  {"icmp6-adm-prohibited", 1, 1},
	{"icmp6-beyond-scope", 1, 2},	  {"icmp6-addr-unreachable", 1, 3},
	{"icmp6-port-unreachable", 1, 4}, {"icmp6-policy-fail", 1, 5},
	{"icmp6-reject-route", 1, 6},	  {"icmp6-time-exceeded", 3, 0},
};

static const struct error_row *error_find(const char *name)
{
	for (size_t i = 0; i < ND_ARRAY_LEN(error_rows); i++)
		if (nd_eq(error_rows[i].name, name))
			return &error_rows[i];
	return NULL;
}

/* The reset looks as if it came from who was asked, wherever it was made. */
static void make_reset(struct nd_run *run)
{
	run->pkt.t = nd_tuple_invert(&run->pkt.t, run->pkt.proto);
	run->pkt.tcp_flags = TCP_RST | TCP_ACK;
}

/*
 * kernel: __icmp_send(), icmp6_send(): from the address that was asked when it is an own one; else
 * IPv4 from the one that routing picks, IPv6 from one of the device by which the packet came.
 */
static void make_error(struct nd_run *run, const struct error_row *row)
{
	struct nd_pkt *pkt = &run->pkt;
	const struct nd_space *space = &run->net->space;

	run->is_error = true;
	run->about = pkt->t;
	run->about_proto = pkt->proto;
	pkt->t = (struct nd_tuple){.dst = run->about.src};
	if (nd_space_addr_type(space, run->about.dst, NULL) == 2)
		pkt->t.src = run->about.dst;
	else if (pkt->family == 6 && run->got_by)
		pkt->t.src = nd_space_source(space, run->got_by, pkt->t.dst, NULL);
	pkt->proto = pkt->family == 6 ? ND_PROTO_ICMP6 : ND_PROTO_ICMP;
	pkt->tcp_flags = 0;
	pkt->icmp_type = row->type;
	pkt->icmp_code = row->code;
}

/* Errors about errors are not sent (RFC 1122 3.2.2). */
static bool is_echo(const struct nd_pkt *pkt)
{
	if (pkt->proto == ND_PROTO_ICMP)
		return pkt->icmp_type == 8;
	return pkt->proto != ND_PROTO_ICMP6 || pkt->icmp_type == 128;
}

/* By a rule a packet tells itself over lo; of a route of its own its socket knows at once. */
static bool is_told_at_once(const struct nd_run *run)
{
	const struct nd_way *last = nd_run_last(run);

	return run->net == run->home && !nd_eq(run->pkt.iif, "lo") &&
	       !(last && last->kind == ND_WAY_HOOK);
}

/* What is in a tunnel never hears. */
static bool is_sent(const struct nd_run *run)
{
	return !run->ninner && run->error && !is_told_at_once(run) && is_echo(&run->pkt) &&
	       run->pkt.t.src.family != 0;
}

bool nd_run_refusal(struct nd_run *run)
{
	const struct error_row *row = error_find(run->error);
	bool is_reset = nd_eq(run->error, "tcp-reset") && run->pkt.proto == ND_PROTO_TCP;

	if (!is_sent(run) || (!row && !is_reset))
		return false;
	/* It belongs to the connection also where that was not confirmed (nf_ct_attach). */
	nd_conn_confirm(run);
	nd_run_begin(run);
	run->is_answer = true;
	run->got_by = run->pkt.iif;
	if (is_reset)
		make_reset(run);
	else
		make_error(run, row);
	run->pkt.ttl = TTL;
	run->pkt.length = is_reset ? 40 : LENGTH;
	nd_run_scrub(run);
	nd_run_way(run, ND_WAY_SOURCE, NULL, "the refusal (%s) from %s",
		   is_reset ? "tcp-reset" : row->name, run->net->label);
	if (nd_ip_is_link_local(run->pkt.t.dst))
		run->bound = run->got_by;
	run->next = nd_way_output;
	return true;
}
